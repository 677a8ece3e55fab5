// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executor against the CPU that runs the test: random operands and addressing
 * forms in 64-bit mode, each instruction executed by both, then registers,
 * flags that are defined, vector registers and memory compared.
 *
 * World:   host tests
 * Context: single-threaded; wants x86-64
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "ktap.h"
#include "x86_fixture.h"

/* ---- running one instruction for real ---- */

struct hw_state {
	u64 gpr[16];
	u64 flags;
	u64 host_rsp;
	u64 code;
	u64 has_avx;
	u8 ymm[16][32];
};

extern struct hw_state hw_state;
struct hw_state hw_state;
extern void hw_enter(void);
extern char hw_leave[];

__asm__(
	".text\n.globl hw_enter, hw_leave\n"
	".macro pvm_gpr op, n, reg\n"
	".ifc \\op,load\n mov hw_state+8*\\n(%rip), %\\reg\n"
	".else\n mov %\\reg, hw_state+8*\\n(%rip)\n.endif\n.endm\n"
	".macro pvm_gprs op\n"
	" pvm_gpr \\op, 0, rax\n pvm_gpr \\op, 1, rcx\n pvm_gpr \\op, 2, rdx\n"
	" pvm_gpr \\op, 3, rbx\n pvm_gpr \\op, 5, rbp\n pvm_gpr \\op, 6, rsi\n"
	" pvm_gpr \\op, 7, rdi\n pvm_gpr \\op, 8, r8\n pvm_gpr \\op, 9, r9\n"
	" pvm_gpr \\op, 10, r10\n pvm_gpr \\op, 11, r11\n pvm_gpr \\op, 12, r12\n"
	" pvm_gpr \\op, 13, r13\n pvm_gpr \\op, 14, r14\n pvm_gpr \\op, 15, r15\n.endm\n"
	".macro pvm_vecs load, insn, bank\n"
	".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	".if \\load\n \\insn hw_state+160+32*\\n(%rip), %\\bank\\n\n"
	".else\n \\insn %\\bank\\n, hw_state+160+32*\\n(%rip)\n.endif\n.endr\n.endm\n"
	"hw_enter:\n"
	" push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
	" mov %rsp, hw_state+136(%rip)\n"
	" cmpq $0, hw_state+152(%rip)\n je 1f\n"
	" pvm_vecs 1, vmovups, ymm\n jmp 2f\n"
	"1: pvm_vecs 1, movups, xmm\n"
	"2: pushq hw_state+128(%rip)\n popfq\n"
	" pvm_gprs load\n mov hw_state+32(%rip), %rsp\n"
	" jmp *hw_state+144(%rip)\n"
	"hw_leave:\n"
	" mov %rsp, hw_state+32(%rip)\n mov hw_state+136(%rip), %rsp\n"
	" pvm_gprs save\n"
	" pushfq\n popq hw_state+128(%rip)\n cld\n"
	" cmpq $0, hw_state+152(%rip)\n je 1f\n"
	" pvm_vecs 0, vmovups, ymm\n vzeroupper\n jmp 2f\n"
	"1: pvm_vecs 0, movups, xmm\n"
	"2: pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");

static volatile int hw_signal;

static void on_signal(int signo, siginfo_t *info, void *ucontext)
{
	ucontext_t *uc = ucontext;

	(void)info;
	hw_signal = signo;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)hw_leave;
}

/* Both low, so that 32-bit addresses and displacements reach them. */
#define MEM_AT	0x20000000ul
#define CODE_AT	0x20010000ul

static u8 *mem, *code;

static bool hw_setup(void)
{
	static u8 stack[65536];
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	if (mem)
		return true;
	code = mmap((void *)CODE_AT, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	mem = mmap((void *)MEM_AT, X86_MEM_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (mem == MAP_FAILED || code == MAP_FAILED) {
		mem = NULL;
		return false;
	}
	sigaltstack(&ss, NULL);
	sigaction(SIGFPE, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	hw_state.has_avx = __builtin_cpu_supports("avx");
	return true;
}

/* Needs a jump back behind the instruction; returns a signal number or 0. */
static int hw_run(u32 len)
{
	u8 *p = code + len;
	u64 back = (u64)(uintptr_t)hw_leave;

	*p++ = 0xff;
	*p++ = 0x25;
	memset(p, 0, 4);
	memcpy(p + 4, &back, 8);
	hw_state.code = (u64)(uintptr_t)code;
	hw_signal = 0;
	hw_enter();
	return hw_signal;
}

/* ---- generating instructions ---- */

#define BYTE	BIT(0)		/* 8-bit operands */
#define LOCKED	BIT(1)		/* LOCK allowed */
#define STRING	BIT(2)		/* no ModRM; rSI, rDI, rCX */
#define SHIFT	BIT(3)		/* flags depend on the count */
#define DOUBLE	BIT(4)		/* SHLD, SHRD */
#define BITS	BIT(5)		/* register bit number reaches beyond the operand */
#define PLAIN	BIT(6)		/* no ModRM */
#define VEC	BIT(7)		/* memory only, vector register, aligned */
#define VEX	BIT(8)
#define PAIR	BIT(9)		/* CMPXCHG8B/16B */
#define MEMONLY	BIT(10)
#define STACK	BIT(11)
#define D64	BIT(12)
#define MOFFS	BIT(13)
#define DIVIDE	BIT(14)
#define NO66	BIT(15)

#define F_AF	PVM_FLAG_AF
#define F_BT	(PVM_FLAG_OF | PVM_FLAG_SF | PVM_FLAG_AF | PVM_FLAG_PF)
#define F_MUL	(PVM_FLAG_SF | PVM_FLAG_ZF | PVM_FLAG_AF | PVM_FLAG_PF)
#define F_ALL	(F_MUL | PVM_FLAG_OF | PVM_FLAG_CF)

struct form {
	const char *name;
	u32 opcode;		/* with 0F, 0F38 before it; VEX: the last byte */
	s8 group;		/* ModRM reg, or -1 */
	s8 imm;			/* bytes; -1: operand size up to 4; -8: up to 8 */
	u32 kind;
	u64 undefined;		/* flags */
	u8 prefix;		/* mandatory */
};

static const struct form forms[] = {
#define ALU(n, at, g, lock, un) \
	{ n, at, -1, 0, BYTE | lock, un, 0 }, { n, at + 1, -1, 0, lock, un, 0 }, \
	{ n, at + 2, -1, 0, BYTE, un, 0 }, { n, at + 3, -1, 0, 0, un, 0 }, \
	{ n, at + 4, -1, 1, BYTE | PLAIN, un, 0 }, { n, at + 5, -1, -1, PLAIN, un, 0 }, \
	{ n, 0x80, g, 1, BYTE | lock, un, 0 }, { n, 0x81, g, -1, lock, un, 0 }, \
	{ n, 0x83, g, 1, lock, un, 0 }
	ALU("add", 0x00, 0, LOCKED, 0), ALU("or", 0x08, 1, LOCKED, F_AF),
	ALU("adc", 0x10, 2, LOCKED, 0), ALU("sbb", 0x18, 3, LOCKED, 0),
	ALU("and", 0x20, 4, LOCKED, F_AF), ALU("sub", 0x28, 5, LOCKED, 0),
	ALU("xor", 0x30, 6, LOCKED, F_AF), ALU("cmp", 0x38, 7, 0, 0),
	{ "test", 0x84, -1, 0, BYTE, F_AF, 0 }, { "test", 0x85, -1, 0, 0, F_AF, 0 },
	{ "test", 0xa8, -1, 1, BYTE | PLAIN, F_AF, 0 }, { "test", 0xa9, -1, -1, PLAIN, F_AF, 0 },
	{ "test", 0xf6, 0, 1, BYTE, F_AF, 0 }, { "test", 0xf7, 1, -1, 0, F_AF, 0 },
	{ "not", 0xf6, 2, 0, BYTE | LOCKED, 0, 0 }, { "not", 0xf7, 2, 0, LOCKED, 0, 0 },
	{ "neg", 0xf6, 3, 0, BYTE | LOCKED, 0, 0 }, { "neg", 0xf7, 3, 0, LOCKED, 0, 0 },
	{ "mul", 0xf6, 4, 0, BYTE, F_MUL, 0 }, { "mul", 0xf7, 4, 0, 0, F_MUL, 0 },
	{ "imul", 0xf6, 5, 0, BYTE, F_MUL, 0 }, { "imul", 0xf7, 5, 0, 0, F_MUL, 0 },
	{ "div", 0xf6, 6, 0, BYTE | DIVIDE, F_ALL, 0 }, { "div", 0xf7, 6, 0, DIVIDE, F_ALL, 0 },
	{ "idiv", 0xf6, 7, 0, BYTE | DIVIDE, F_ALL, 0 }, { "idiv", 0xf7, 7, 0, DIVIDE, F_ALL, 0 },
	{ "imul", 0x0faf, -1, 0, 0, F_MUL, 0 }, { "imul", 0x69, -1, -1, 0, F_MUL, 0 },
	{ "imul", 0x6b, -1, 1, 0, F_MUL, 0 },
	{ "inc", 0xfe, 0, 0, BYTE | LOCKED, 0, 0 }, { "inc", 0xff, 0, 0, LOCKED, 0, 0 },
	{ "dec", 0xfe, 1, 0, BYTE | LOCKED, 0, 0 }, { "dec", 0xff, 1, 0, LOCKED, 0, 0 },
#define SHIFTS(n, g) \
	{ n, 0xc0, g, 1, BYTE | SHIFT, 0, 0 }, { n, 0xc1, g, 1, SHIFT, 0, 0 }, \
	{ n, 0xd0, g, 0, BYTE | SHIFT, 0, 0 }, { n, 0xd1, g, 0, SHIFT, 0, 0 }, \
	{ n, 0xd2, g, 0, BYTE | SHIFT, 0, 0 }, { n, 0xd3, g, 0, SHIFT, 0, 0 }
	SHIFTS("rol", 0), SHIFTS("ror", 1), SHIFTS("rcl", 2), SHIFTS("rcr", 3),
	SHIFTS("shl", 4), SHIFTS("shr", 5), SHIFTS("sal", 6), SHIFTS("sar", 7),
	{ "shld", 0x0fa4, -1, 1, SHIFT | DOUBLE, 0, 0 },
	{ "shld", 0x0fa5, -1, 0, SHIFT | DOUBLE, 0, 0 },
	{ "shrd", 0x0fac, -1, 1, SHIFT | DOUBLE, 0, 0 },
	{ "shrd", 0x0fad, -1, 0, SHIFT | DOUBLE, 0, 0 },
	{ "bt", 0x0fa3, -1, 0, BITS, F_BT, 0 }, { "bt", 0x0fba, 4, 1, 0, F_BT, 0 },
	{ "bts", 0x0fab, -1, 0, BITS | LOCKED, F_BT, 0 }, { "bts", 0x0fba, 5, 1, LOCKED, F_BT, 0 },
	{ "btr", 0x0fb3, -1, 0, BITS | LOCKED, F_BT, 0 }, { "btr", 0x0fba, 6, 1, LOCKED, F_BT, 0 },
	{ "btc", 0x0fbb, -1, 0, BITS | LOCKED, F_BT, 0 }, { "btc", 0x0fba, 7, 1, LOCKED, F_BT, 0 },
	{ "xchg", 0x86, -1, 0, BYTE | LOCKED, 0, 0 }, { "xchg", 0x87, -1, 0, LOCKED, 0, 0 },
	{ "xchg", 0x93, -1, 0, PLAIN, 0, 0 },
	{ "xadd", 0x0fc0, -1, 0, BYTE | LOCKED, 0, 0 }, { "xadd", 0x0fc1, -1, 0, LOCKED, 0, 0 },
	{ "cmpxchg", 0x0fb0, -1, 0, BYTE | LOCKED, 0, 0 },
	{ "cmpxchg", 0x0fb1, -1, 0, LOCKED, 0, 0 },
	{ "cmpxchg8b", 0x0fc7, 1, 0, PAIR | LOCKED | MEMONLY | NO66, 0, 0 },
	{ "mov", 0x88, -1, 0, BYTE, 0, 0 }, { "mov", 0x89, -1, 0, 0, 0, 0 },
	{ "mov", 0x8a, -1, 0, BYTE, 0, 0 }, { "mov", 0x8b, -1, 0, 0, 0, 0 },
	{ "mov", 0xc6, 0, 1, BYTE, 0, 0 }, { "mov", 0xc7, 0, -1, 0, 0, 0 },
	{ "mov", 0xb5, -1, 1, BYTE | PLAIN, 0, 0 }, { "mov", 0xbb, -1, -8, PLAIN, 0, 0 },
	{ "mov", 0xa0, -1, 0, BYTE | PLAIN | MOFFS, 0, 0 },
	{ "mov", 0xa1, -1, 0, PLAIN | MOFFS, 0, 0 },
	{ "mov", 0xa2, -1, 0, BYTE | PLAIN | MOFFS, 0, 0 },
	{ "mov", 0xa3, -1, 0, PLAIN | MOFFS, 0, 0 },
	{ "mov sreg", 0x8c, 3, 0, 0, 0, 0 },
	{ "movzx", 0x0fb6, -1, 0, 0, 0, 0 }, { "movzx", 0x0fb7, -1, 0, 0, 0, 0 },
	{ "movsx", 0x0fbe, -1, 0, 0, 0, 0 }, { "movsx", 0x0fbf, -1, 0, 0, 0, 0 },
	{ "movsxd", 0x63, -1, 0, 0, 0, 0 },
	{ "movnti", 0x0fc3, -1, 0, MEMONLY | NO66, 0, 0 },
	{ "movbe", 0x0f38f0, -1, 0, MEMONLY, 0, 0 }, { "movbe", 0x0f38f1, -1, 0, MEMONLY, 0, 0 },
	{ "push", 0xff, 6, 0, STACK | D64, 0, 0 },
	{ "push", 0x53, -1, 0, STACK | D64 | PLAIN, 0, 0 },
	{ "push", 0x54, -1, 0, STACK | D64 | PLAIN, 0, 0 },
	{ "push", 0x68, -1, -1, STACK | D64 | PLAIN, 0, 0 },
	{ "push", 0x6a, -1, 1, STACK | D64 | PLAIN, 0, 0 },
	{ "pop", 0x8f, 0, 0, STACK | D64, 0, 0 }, { "pop", 0x59, -1, 0, STACK | D64 | PLAIN, 0, 0 },
	{ "pop", 0x5c, -1, 0, STACK | D64 | PLAIN, 0, 0 },
#define CC(c) { "setcc", 0x0f90 | (c), -1, 0, BYTE, 0, 0 }, \
	{ "cmovcc", 0x0f40 | (c), -1, 0, 0, 0, 0 }
	CC(0), CC(1), CC(2), CC(3), CC(4), CC(5), CC(6), CC(7),
	CC(8), CC(9), CC(10), CC(11), CC(12), CC(13), CC(14), CC(15),
#define STR(n, at) { n, at, -1, 0, STRING | BYTE, 0, 0 }, { n, at + 1, -1, 0, STRING, 0, 0 }
	STR("movs", 0xa4), STR("cmps", 0xa6), STR("stos", 0xaa), STR("lods", 0xac),
	STR("scas", 0xae),
#define V(n, op, p) { n, 0x0f00 | op, -1, 0, VEC | MEMONLY | NO66, 0, p }, \
	{ "v" n, op, -1, 0, VEC | VEX | MEMONLY | NO66, 0, p }
	V("movups", 0x10, 0), V("movups", 0x11, 0), V("movupd", 0x10, 0x66),
	V("movupd", 0x11, 0x66),
	V("movss", 0x10, 0xf3), V("movss", 0x11, 0xf3), V("movsd", 0x10, 0xf2),
	V("movsd", 0x11, 0xf2), V("movlps", 0x13, 0), V("movlpd", 0x13, 0x66),
	V("movhps", 0x17, 0), V("movhpd", 0x17, 0x66),
	{ "movlps", 0x0f12, -1, 0, VEC | MEMONLY | NO66, 0, 0 },
	{ "movlpd", 0x0f12, -1, 0, VEC | MEMONLY | NO66, 0, 0x66 },
	{ "movhps", 0x0f16, -1, 0, VEC | MEMONLY | NO66, 0, 0 },
	{ "movhpd", 0x0f16, -1, 0, VEC | MEMONLY | NO66, 0, 0x66 },
	V("movaps", 0x28, 0), V("movaps", 0x29, 0), V("movapd", 0x28, 0x66),
	V("movapd", 0x29, 0x66),
	V("movntps", 0x2b, 0), V("movntpd", 0x2b, 0x66), V("movd", 0x6e, 0x66),
	V("movd", 0x7e, 0x66),
	V("movq", 0x7e, 0xf3), V("movq", 0xd6, 0x66), V("movdqa", 0x6f, 0x66),
	V("movdqa", 0x7f, 0x66), V("movdqu", 0x6f, 0xf3), V("movdqu", 0x7f, 0xf3),
	V("movntdq", 0xe7, 0x66), V("lddqu", 0xf0, 0xf2),
};

static u64 rng_state = 0x9e3779b97f4a7c15ull;

static u64 rnd(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dull;
}

/* Values at the edges are likelier than by chance. */
static u64 rnd_value(void)
{
	static const u64 edge[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
				    0x80000000, 0xffffffff, ~0ull >> 1, 1ull << 63, ~0ull, 2, 3 };

	switch (rnd() % 4) {
	case 0:
		return edge[rnd() % ARRAY_SIZE(edge)];
	case 1:
		return rnd() & 0xff;
	}
	return rnd();
}

/* One generated case. */
struct test_case {
	const struct form *f;
	u8 bytes[32];
	u32 len;
	u32 op_bytes;
	u64 gpr[16];
	bool wide67;		/* 32-bit addresses */
	u8 rex;
	bool memory;
	u8 reg, rm;
};

static void emit(struct test_case *c, u64 val, u32 bytes)
{
	memcpy(c->bytes + c->len, &val, bytes);
	c->len += bytes;
}

/* Register @reg shall make the operand lie at @target. */
static void emit_memory(struct test_case *c, u8 reg_field, u64 target, u32 imm_bytes)
{
	u8 base = rnd() & 7, mod = rnd() % 3, index = 4, scale = rnd() & 3;
	bool sib = base == 4 || rnd() % 3 == 0;
	u8 base_nr = base | (c->rex & 1 ? 8 : 0), index_nr = PVM_NO_REG;
	s64 disp = mod == 1 ? (s8)rnd() : (s32)(rnd() % 0x20000) - 0x10000;
	u64 junk = c->wide67 ? rnd() << 32 : 0;

	if (rnd() % 8 == 0) {		/* RIP-relative */
		emit(c, reg_field << 3 | 5, 1);
		emit(c, target - (CODE_AT + c->len + 4 + imm_bytes), 4);
		return;
	}
	if (base == 5 && mod == 0)
		mod = 1, disp = (s8)disp;
	if (mod == 0)
		disp = 0;
	emit(c, mod << 6 | reg_field << 3 | (sib ? 4 : base), 1);
	if (sib) {
		index = rnd() & 7;
		index_nr = index | (c->rex & 2 ? 8 : 0);
		if (index_nr == PVM_RSP || index_nr == base_nr)
			index = 4, index_nr = c->rex & 2 ? 12 : PVM_NO_REG;
		emit(c, scale << 6 | index << 3 | base, 1);
	}
	if (mod)
		emit(c, disp, mod == 1 ? 1 : 4);
	if (sib && index == 4 && c->rex & 2 && base_nr == 12) {
		/* R12 is both: keep it out of the way */
		c->gpr[12] = 0;
		c->memory = false;
		return;
	}
	if (index_nr != PVM_NO_REG) {
		c->gpr[index_nr] = rnd() & 63;
		target -= c->gpr[index_nr] << scale;
		if (c->wide67)
			c->gpr[index_nr] |= rnd() << 32;
	}
	c->gpr[base_nr] = ((target - disp) & (c->wide67 ? 0xffffffff : ~0ull)) | junk;
}

/* Somewhere in the middle, aligned where the instruction wants it. */
static u64 pick_target(const struct test_case *c)
{
	u64 at = MEM_AT + 2048 + rnd() % 2048;

	if (c->f->kind & (VEC | PAIR))
		at &= ~31ull;
	return at;
}

static void emit_vex(struct test_case *c, u8 reg)
{
	static const u8 pp_of[256] = { [0x66] = 1, [0xf3] = 2, [0xf2] = 3 };
	u8 pp = pp_of[c->f->prefix];
	bool scalar = pp >= 2 && (c->f->opcode == 0x10 || c->f->opcode == 0x11);
	bool half = (c->f->opcode >= 0x12 && c->f->opcode <= 0x17) || c->f->opcode == 0x6e ||
		    c->f->opcode == 0x7e || c->f->opcode == 0xd6;
	u8 l = scalar || half ? 0 : (rnd() & 1) << 2;

	(void)reg;
	c->rex &= c->f->opcode == 0x6e || c->f->opcode == 0x7e ? 0xf : 7;
	emit(c, 0xc4, 1);
	emit(c, (c->rex & 4 ? 0 : 0x80) | (c->rex & 2 ? 0 : 0x40) | (c->rex & 1 ? 0 : 0x20) | 1, 1);
	emit(c, (c->rex & 8 ? 0x80 : 0) | 0x78 | l | pp, 1);
	emit(c, c->f->opcode, 1);
}

static void emit_prefixes(struct test_case *c)
{
	const struct form *f = c->f;
	bool small = !(f->kind & (BYTE | NO66)) && rnd() % 4 == 0;

	c->wide67 = !(f->kind & STACK) && rnd() % 4 == 0;
	c->rex = rnd() % 3 ? rnd() & 0xf : 0;
	if (f->kind & MOFFS)
		c->wide67 = false;
	if (small)
		emit(c, 0x66, 1);
	if (c->wide67)
		emit(c, 0x67, 1);
	if (rnd() % 8 == 0)
		emit(c, 0x3e, 1);	/* DS has no effect */
	if (f->kind & STRING && rnd() % 4)
		emit(c, rnd() & 1 ? 0xf2 : 0xf3, 1);
	c->op_bytes = f->kind & BYTE ? 1 : c->rex & 8 ? 8 : small ? 2 :
		      f->kind & D64 ? 8 : 4;
}

static void emit_opcode(struct test_case *c)
{
	const struct form *f = c->f;

	if (f->prefix)
		emit(c, f->prefix, 1);
	if (c->rex || rnd() % 8 == 0) {
		emit(c, 0x40 | c->rex, 1);
		c->rex |= 0x40;
	}
	if (f->opcode > 0xffff)
		emit(c, f->opcode >> 16, 1);
	if (f->opcode > 0xff)
		emit(c, f->opcode >> 8, 1);
	emit(c, f->opcode, 1);
}

static void set_string_registers(struct test_case *c)
{
	u64 junk = c->wide67 ? rnd() << 32 : 0;

	c->gpr[PVM_RSI] = (MEM_AT + 3000 + rnd() % 512) | junk;
	c->gpr[PVM_RDI] = (MEM_AT + 3000 + rnd() % 512) | junk;
	c->gpr[PVM_RCX] = rnd() % 24 | junk;
	c->gpr[PVM_RAX] &= 3;		/* so that SCAS finds some */
}

/* Where a bit string operation reaches must stay in the window. */
static void limit_bit_number(struct test_case *c, u8 reg)
{
	if (c->f->kind & BITS)
		c->gpr[reg] = (c->gpr[reg] & ~pvm_bytes_mask(c->op_bytes)) |
			      ((u64)((s64)(rnd() % 8192) - 4096) & pvm_bytes_mask(c->op_bytes));
}

static void generate(struct test_case *c, const struct form *f)
{
	u32 imm_bytes, i;
	u8 reg_field;
	u64 target;

	memset(c, 0, sizeof(*c));
	c->f = f;
	for (i = 0; i < 16; i++)
		c->gpr[i] = rnd_value();
	c->gpr[PVM_RSP] = MEM_AT + 4096 + (rnd() % 64) * 8;
	emit_prefixes(c);
	imm_bytes = f->imm == -1 ? min(c->op_bytes, 4u) : f->imm == -8 ? c->op_bytes : f->imm;
	reg_field = f->group >= 0 ? f->group : rnd() & 7;
	c->memory = f->kind & MEMONLY || (rnd() & 1 && !(f->kind & PLAIN));
	if (c->memory && f->kind & LOCKED && rnd() & 1)
		emit(c, 0xf0, 1);
	if (f->kind & VEX)
		emit_vex(c, reg_field);
	else
		emit_opcode(c);

	c->reg = reg_field | (c->rex & 4 && f->group < 0 ? 8 : 0);
	if (f->kind & STRING) {
		set_string_registers(c);
		return;
	}
	target = pick_target(c);
	if (f->kind & MOFFS) {
		emit(c, target, 8);
		return;
	}
	if (!(f->kind & PLAIN)) {
		limit_bit_number(c, c->reg);
		if (c->memory) {
			emit_memory(c, reg_field, target, imm_bytes);
		} else {
			c->rm = (rnd() & 7);
			emit(c, 0xc0 | reg_field << 3 | c->rm, 1);
		}
	}
	emit(c, rnd_value(), imm_bytes);
}

/* Cases that cannot be compared: the operand left the window, or is undefined. */
static bool comparable(const struct test_case *c, const struct pvm_insn *insn)
{
	u32 bits = 8 * c->op_bytes;
	u64 count;
	struct pvm_regs r;

	x86_regs64(&r);
	memcpy(r.gpr, c->gpr, sizeof(c->gpr));
	r.rip = CODE_AT;
	if (insn->flags & PVM_INSN_MEM && !(c->f->kind & MOFFS)) {
		u64 at = pvm_insn_linear(insn, &r);

		/* registers may have been used twice */
		if (at < MEM_AT + 1024 || at >= MEM_AT + X86_MEM_BYTES - 1024)
			return false;
		if (c->f->kind & VEC && at & 31)
			return false;
		if (c->f->kind & BITS) {
			s64 nr = c->op_bytes == 8 ? (s64)c->gpr[insn->reg] :
				 c->op_bytes == 4 ? (s32)c->gpr[insn->reg] :
				 (s16)c->gpr[insn->reg];

			if (nr < -4096 || nr > 4096)
				return false;
		}
	}
	if (c->f->kind & STACK && (c->gpr[PVM_RSP] < MEM_AT + 1024 ||
				   c->gpr[PVM_RSP] > MEM_AT + X86_MEM_BYTES - 1024))
		return false;
	if (!(c->f->kind & DOUBLE))
		return true;
	count = (c->f->opcode & 1 ? c->gpr[PVM_RCX] : insn->imm) & (c->op_bytes == 8 ? 63 : 31);
	return count <= bits;
}

static u64 undefined_flags(const struct test_case *c, const struct pvm_insn *insn)
{
	u32 bits = 8 * c->op_bytes, kind = c->f->kind;
	u64 count, un = c->f->undefined;

	if (!(kind & SHIFT))
		return un;
	count = insn->form == PVM_FORM_RM_1 ? 1 :
		insn->form == PVM_FORM_RM_CL || insn->form == PVM_FORM_RM_R_CL ?
		c->gpr[PVM_RCX] : insn->imm;
	count &= c->op_bytes == 8 ? 63 : 31;
	if (!count)
		return 0;
	if (count != 1)
		un |= PVM_FLAG_OF;
	if (kind & DOUBLE || c->f->group >= 4)
		un |= PVM_FLAG_AF;
	if (count >= bits && c->f->group >= 4 && c->f->group <= 6)
		un |= PVM_FLAG_CF;
	return un;
}

static void fill_memory(const struct form *f)
{
	u32 i;

	for (i = 0; i < X86_MEM_BYTES; i += 8) {
		u64 v = f->kind & STRING ? rnd() & 0x0101010101010101ull : rnd_value();

		memcpy(mem + i, &v, 8);
	}
}

/* The accumulator matches now and then, quotients fit now and then. */
static void bend_values(struct test_case *c, const struct pvm_insn *insn, struct pvm_regs *r)
{
	u64 at = pvm_insn_linear(insn, r);

	if (c->f->kind & DIVIDE && rnd() & 1)
		c->gpr[PVM_RDX] = rnd() & 1 ? 0 : (u64)((s64)c->gpr[PVM_RAX] >> 63);
	if (insn->op == PVM_OP_CMPXCHG && rnd() & 1) {
		if (c->memory)
			memcpy(&c->gpr[PVM_RAX], (void *)(uintptr_t)at, 8);
		else
			c->gpr[PVM_RAX] = c->gpr[insn->rm];
	}
	if (c->f->kind & PAIR && rnd() & 1) {
		u32 half = insn->op_bytes / 2;

		memcpy(&c->gpr[PVM_RAX], (void *)(uintptr_t)at, half);
		memcpy(&c->gpr[PVM_RDX], (void *)(uintptr_t)(at + half), half);
	}
}

static void describe(const struct test_case *c, const char *what)
{
	u32 i;

	if (!ktap_fail(__FILE__, __LINE__))
		return;
	printf("%s differs:", c->f->name);
	printf(" %s, bytes", what);
	for (i = 0; i < c->len; i++)
		printf(" %02x", c->bytes[i]);
	printf("\n");
}

/*
 * A repeated string instruction with 32-bit addresses and a count of 0: Intel's
 * processors clear the upper halves of its registers, AMD's leave them alone.
 */
static u64 settled_bits(const struct test_case *c, const struct pvm_insn *insn, u32 reg)
{
	bool nothing = c->f->kind & STRING && insn->flags & (PVM_INSN_REP | PVM_INSN_REPNE) &&
		       insn->addr_bytes == 4 &&
		       !(u32)c->gpr[PVM_RCX];

	return nothing && (reg == PVM_RCX || reg == PVM_RSI || reg == PVM_RDI) ? ~0u : ~0ull;
}

static void compare(const struct test_case *c, const struct pvm_insn *insn,
		    const struct pvm_regs *r, const struct x86_mem *m)
{
	u64 flags = ~undefined_flags(c, insn) & (F_ALL | PVM_FLAG_DF);
	u32 i;

	for (i = 0; i < 16; i++)
		if ((r->gpr[i] ^ hw_state.gpr[i]) & settled_bits(c, insn, i)) {
			describe(c, "register");
			printf("#   reg %u: %llx, CPU %llx\n", i, (unsigned long long)r->gpr[i],
			       (unsigned long long)hw_state.gpr[i]);
			return;
		}
	if ((r->rflags ^ hw_state.flags) & flags) {
		describe(c, "flags");
		printf("#   %llx, CPU %llx\n", (unsigned long long)r->rflags,
		       (unsigned long long)hw_state.flags);
	}
	if (memcmp(m->byte, mem, X86_MEM_BYTES))
		describe(c, "memory");
	if (c->f->kind & VEC && memcmp(m->ymm, hw_state.ymm, sizeof(m->ymm)))
		describe(c, "vector register");
	if (r->rip != CODE_AT + c->len)
		describe(c, "length");
}

static struct x86_mem shadow;
static u32 compared;

static void run_case(struct test_case *c)
{
	struct pvm_regs r;
	struct pvm_insn insn;
	struct pvm_fault fault = { 0 };
	enum pvm_emul e;
	u32 rounds = 0;
	int sig;

	x86_regs64(&r);
	memcpy(r.gpr, c->gpr, sizeof(r.gpr));
	r.rip = CODE_AT;
	if (c->len > PVM_INSN_MAX)
		return;
	memset(code, 0x90, 64);
	memcpy(code, c->bytes, c->len);
	if (pvm_decode(&insn, &r, code, PVM_INSN_MAX, &fault)) {
		describe(c, "not decoded");
		return;
	}
	if (!comparable(c, &insn))
		return;
	bend_values(c, &insn, &r);
	if (!comparable(c, &insn))	/* these may be part of the address */
		return;
	memcpy(r.gpr, c->gpr, sizeof(r.gpr));
	r.rflags = PVM_FLAG_FIXED | PVM_FLAG_IF | (rnd() & (F_ALL | PVM_FLAG_DF));

	memcpy(hw_state.gpr, c->gpr, sizeof(c->gpr));
	hw_state.flags = r.rflags;
	shadow = (struct x86_mem){ .base = MEM_AT };
	memcpy(shadow.byte, mem, X86_MEM_BYTES);
	for (u32 i = 0; i < 16; i++)
		for (u32 j = 0; j < 32; j += 8) {
			u64 v = hw_state.has_avx || j < 16 ? rnd() : 0;

			memcpy(&hw_state.ymm[i][j], &v, 8);
			memcpy(&shadow.ymm[i][j], &v, 8);
		}

	r.seg[PVM_DS].sel = 0;
	__asm__("mov %%ds, %0" : "=r"(r.seg[PVM_DS].sel));
	do {
		e = pvm_exec(&insn, &r, &x86_mem_ops, &shadow, 1 + rnd() % 8, &fault);
	} while (e == PVM_EMUL_AGAIN && ++rounds < 64);
	sig = hw_run(c->len);
	if (e == PVM_EMUL_FAULT) {
		if (!(sig == SIGFPE && fault.vector == PVM_VEC_DE) &&
		    !(sig == SIGSEGV && fault.vector == PVM_VEC_GP))
			describe(c, "only the emulator faults");
		else if (memcmp(r.gpr, c->gpr, sizeof(r.gpr)))
			describe(c, "registers changed by a fault");
		return;
	}
	if (e != PVM_EMUL_DONE || sig) {
		describe(c, sig ? "only the CPU faults" : "not executed");
		return;
	}
	compare(c, &insn, &r, &shadow);
	compared++;
}

static void run_forms(u32 with, u32 without, u32 cases)
{
	u32 i, n, before;

	if (!hw_setup()) {
		ktap_skip("no memory at the addresses that the test needs");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];

		if ((f->kind & with) != with || f->kind & without)
			continue;
		if (f->kind & VEX && !hw_state.has_avx)
			continue;
		if (f->opcode >> 8 == 0x0f38 && !__builtin_cpu_supports("movbe"))
			continue;
		before = compared;
		for (n = 0; n < cases; n++) {
			struct test_case c;

			fill_memory(f);
			generate(&c, f);
			run_case(&c);
		}
		expect_msg(compared - before > cases / 4, "%s: only %u compared", f->name,
			   compared - before);
	}
}

static void arithmetic_and_moves(void)
{
	run_forms(0, SHIFT | BITS | STRING | VEC | PAIR | STACK | DIVIDE, 400);
}

static void shifts(void)
{
	run_forms(SHIFT, 0, 1000);
}

static void bit_strings(void)
{
	run_forms(BITS, 0, 1000);
}

static void division(void)
{
	run_forms(DIVIDE, 0, 1500);
}

static void pairs(void)
{
	run_forms(PAIR, 0, 2000);
}

static void stack(void)
{
	run_forms(STACK, 0, 500);
}

static void strings(void)
{
	run_forms(STRING, 0, 1000);
}

static void vectors(void)
{
	run_forms(VEC, 0, 200);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(arithmetic_and_moves),
	KTAP_TEST(shifts),
	KTAP_TEST(bit_strings),
	KTAP_TEST(division),
	KTAP_TEST(pairs),
	KTAP_TEST(stack),
	KTAP_TEST(strings),
	KTAP_TEST(vectors),
};

KTAP_MAIN(tests)
