// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executor: what the CPU that runs the tests cannot show from user space:
 * 16-bit and 32-bit modes, segmentation, faults, bounded repetition.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "x86_fixture.h"

#define BASE	0x10000

static struct x86_mem mem;
static struct pvm_regs regs;
static struct pvm_fault fault;
static struct pvm_insn insn;

static void start(void (*mode)(struct pvm_regs *))
{
	u32 i;

	mem = (struct x86_mem){ .base = BASE };
	for (i = 0; i < X86_MEM_BYTES; i++)
		mem.byte[i] = i * 7 + 3;
	mode(&regs);
	regs.rip = 0x100;
	fault = (struct pvm_fault){ 0 };
}

static u64 peek(u64 linear, u32 bytes)
{
	u64 v = 0;

	memcpy(&v, mem.byte + (linear - BASE), bytes);
	return v;
}

static void poke(u64 linear, u64 v, u32 bytes)
{
	memcpy(mem.byte + (linear - BASE), &v, bytes);
}

#define run(...) run_bytes((const u8 []){ __VA_ARGS__ }, sizeof((const u8 []){ __VA_ARGS__ }), 1000)
#define run_max(max, ...) \
	run_bytes((const u8 []){ __VA_ARGS__ }, sizeof((const u8 []){ __VA_ARGS__ }), max)

static enum pvm_emul run_bytes(const u8 *bytes, u32 count, u32 max)
{
	int r = pvm_decode(&insn, &regs, bytes, count, &fault);

	expect_eq(r, 0);
	expect_eq(insn.len, count);
	return r ? PVM_EMUL_FAIL : pvm_exec(&insn, &regs, &x86_mem_ops, &mem, max, &fault);
}

static void expect_fault(enum pvm_emul e, u8 vector, u32 error)
{
	expect_eq(e, PVM_EMUL_FAULT);
	expect_eq(fault.vector, vector);
	expect_eq(fault.error, error);
	expect_eq(regs.rip, 0x100);
}

static void moves_in_real_mode(void)
{
	start(x86_regs16);
	regs.seg[PVM_DS].base = BASE;
	regs.seg[PVM_ES].base = BASE + 0x1000;
	regs.gpr[PVM_RBX] = 0xffff0010;
	regs.gpr[PVM_RSI] = 0x20;
	regs.gpr[PVM_RAX] = 0x11112222;
	expect_eq(run(0x89, 0x40, 0x05), PVM_EMUL_DONE);	/* mov [bx+si+5], ax */
	expect_eq(peek(BASE + 0x35, 2), 0x2222);
	expect_eq(regs.rip, 0x103);

	expect_eq(run(0x66, 0x8b, 0x1e, 0x35, 0x00), PVM_EMUL_DONE);	/* mov ebx, [0x35] */
	expect_eq(regs.gpr[PVM_RBX], peek(BASE + 0x35, 4));

	regs.gpr[PVM_RDI] = 0xabcd0000;
	expect_eq(run(0x26, 0x67, 0xc6, 0x87, 8, 0, 0, 0, 0x5a), PVM_EMUL_FAULT); /* offset > 64K */
	expect_eq(fault.vector, PVM_VEC_GP);
	regs.gpr[PVM_RDI] = 4;
	expect_eq(run(0x26, 0x67, 0xc6, 0x87, 8, 0, 0, 0, 0x5a), PVM_EMUL_DONE);
	expect_eq(peek(BASE + 0x100c, 1), 0x5a);

	regs.gpr[PVM_RBP] = 0xfff0;		/* [bp+0x20] wraps at 64K, through SS */
	regs.seg[PVM_SS].base = BASE + 0x800;
	expect_eq(run(0x8a, 0x66, 0x20), PVM_EMUL_DONE);	/* mov ah, [bp+0x20] */
	expect_eq(regs.gpr[PVM_RAX] >> 8 & 0xff, peek(BASE + 0x810, 1));

	expect_eq(run(0xa1, 0x34, 0x12), PVM_EMUL_DONE);	/* mov ax, [0x1234] */
	expect_eq(regs.gpr[PVM_RAX] & 0xffff, peek(BASE + 0x1234, 2));
}

static void segment_limits(void)
{
	start(x86_regs16);
	regs.seg[PVM_DS].base = BASE;
	regs.rip = 0x100;
	expect_fault(run(0xa1, 0xff, 0xff), PVM_VEC_GP, 0);	/* word across the limit */
	expect_eq(run(0xa0, 0xff, 0x0f), PVM_EMUL_DONE);

	start(x86_regs32);
	regs.seg[PVM_DS].base = BASE;
	regs.seg[PVM_DS].limit = 0xfff;
	expect_eq(run(0xa1, 0xfc, 0x0f, 0, 0), PVM_EMUL_DONE);
	regs.rip = 0x100;
	expect_fault(run(0xa1, 0xfd, 0x0f, 0, 0), PVM_VEC_GP, 0);
	regs.seg[PVM_SS].base = BASE;
	regs.seg[PVM_SS].limit = 0xfff;
	expect_fault(run(0x36, 0xa1, 0xfd, 0x0f, 0, 0), PVM_VEC_SS, 0);

	/* expand-down: above the limit is inside */
	regs.seg[PVM_DS].attr |= PVM_SEG_DOWN;
	expect_fault(run(0xa1, 0xfc, 0x0f, 0, 0), PVM_VEC_GP, 0);
	expect_eq(run(0xa1, 0x00, 0x10, 0, 0), PVM_EMUL_DONE);
	regs.rip = 0x100;
	regs.seg[PVM_DS].attr &= ~PVM_SEG_DB;
	expect_fault(run(0xa1, 0xfe, 0xff, 0, 0), PVM_VEC_GP, 0);

	/* rights: read-only data, execute-only code, not present */
	start(x86_regs32);
	regs.seg[PVM_DS].base = BASE;
	regs.seg[PVM_DS].attr &= ~PVM_SEG_WRITE;
	expect_eq(run(0xa0, 0, 0, 0, 0), PVM_EMUL_DONE);
	regs.rip = 0x100;
	expect_fault(run(0xa2, 0, 0, 0, 0), PVM_VEC_GP, 0);
	expect_fault(run(0xf0, 0x80, 0x05, 0, 0, 0, 0, 1), PVM_VEC_GP, 0);
	regs.seg[PVM_CS].base = BASE;
	expect_eq(run(0x2e, 0xa0, 0, 0, 0, 0), PVM_EMUL_DONE);
	regs.rip = 0x100;
	expect_fault(run(0x2e, 0xa2, 0, 0, 0, 0), PVM_VEC_GP, 0);
	regs.seg[PVM_CS].attr &= ~PVM_SEG_WRITE;
	expect_fault(run(0x2e, 0xa0, 0, 0, 0, 0), PVM_VEC_GP, 0);
	regs.seg[PVM_DS].attr &= ~PVM_SEG_P;
	expect_fault(run(0xa0, 0, 0, 0, 0), PVM_VEC_GP, 0);

	/* the sum of base and offset wraps at 4 GiB, an access does not */
	start(x86_regs32);
	regs.seg[PVM_DS].base = 0xffff0000;
	expect_eq(run(0xa0, 0x00, 0x00, 0x02, 0x00), PVM_EMUL_DONE);
	regs.rip = 0x100;
	expect_fault(run(0xa1, 0xfe, 0xff, 0x00, 0x00), PVM_VEC_GP, 0);
}

static void canonical_addresses(void)
{
	start(x86_regs64);
	regs.gpr[PVM_RBX] = 1ull << 47;
	expect_fault(run(0x8b, 0x03), PVM_VEC_GP, 0);
	regs.gpr[PVM_RBX] = (1ull << 47) - 2;
	expect_fault(run(0x8b, 0x03), PVM_VEC_GP, 0);
	regs.gpr[PVM_RBP] = 1ull << 63;
	expect_fault(run(0x8b, 0x45, 0x00), PVM_VEC_SS, 0);
	regs.cr4 |= PVM_CR4_LA57;
	regs.gpr[PVM_RBX] = 1ull << 47;
	expect_fault(run(0x8b, 0x03), PVM_VEC_PF, 0);
	regs.cr4 &= ~PVM_CR4_LA57;
	/* GS adds, DS does not */
	regs.seg[PVM_GS].base = BASE;
	regs.seg[PVM_DS].base = 0x1234567;
	regs.gpr[PVM_RBX] = 0x40;
	expect_eq(run(0x65, 0x8b, 0x03), PVM_EMUL_DONE);
	expect_eq(regs.gpr[PVM_RAX], peek(BASE + 0x40, 4));
	/* compatibility code in long mode: 32 bits, segments count */
	x86_regs32(&regs);
	regs.efer = PVM_EFER_LME | PVM_EFER_LMA;
	regs.seg[PVM_DS].base = BASE;
	regs.gpr[PVM_RBX] = 0xffffffff00000080;
	expect_eq(run(0x8b, 0x03), PVM_EMUL_DONE);
	expect_eq(regs.gpr[PVM_RAX], peek(BASE + 0x80, 4));
}

static void faults_change_nothing(void)
{
	static const struct {
		u8 bytes[8];
		u32 count;
	} writers[] = {
		{ { 0x89, 0x03 }, 2 },			/* mov [rbx], eax */
		{ { 0x01, 0x03 }, 2 },			/* add */
		{ { 0xf0, 0x0f, 0xc1, 0x03 }, 4 },	/* lock xadd */
		{ { 0x87, 0x03 }, 2 },			/* xchg */
		{ { 0x0f, 0xb1, 0x03 }, 3 },		/* cmpxchg */
		{ { 0x0f, 0xc7, 0x0b }, 3 },		/* cmpxchg8b */
		{ { 0xd1, 0x23 }, 2 },			/* shl */
		{ { 0x0f, 0xba, 0x2b, 0x03 }, 4 },	/* bts */
		{ { 0x8f, 0x03 }, 2 },			/* pop */
		{ { 0xaa }, 1 },			/* stosb */
		{ { 0xa4 }, 1 },			/* movsb */
		{ { 0xf3, 0xaa }, 2 },			/* rep stosb */
		{ { 0x0f, 0x94, 0x03 }, 3 },		/* setz */
		{ { 0x8c, 0x1b }, 2 },			/* mov [rbx], ds */
		{ { 0x0f, 0x01, 0x23 }, 3 },		/* smsw */
		{ { 0x0f, 0x29, 0x03 }, 3 },		/* movaps */
		{ { 0x6c }, 1 },			/* insb */
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(writers); i++) {
		struct pvm_regs before;

		start(x86_regs64);
		mem.read_only_from = BASE + 0x1000;
		regs.gpr[PVM_RBX] = regs.gpr[PVM_RDI] = BASE + 0x1000;
		regs.gpr[PVM_RSP] = regs.gpr[PVM_RSI] = BASE + 0x800;
		regs.gpr[PVM_RCX] = 5;
		regs.gpr[PVM_RAX] = 0x1122334455667788;
		before = regs;
		expect_eq(run_bytes(writers[i].bytes, writers[i].count, 100), PVM_EMUL_FAULT);
		expect_eq(fault.vector, PVM_VEC_PF);
		expect_eq(fault.error, PVM_PF_P | PVM_PF_W);
		expect_eq(mem.port_reads, 0);
		expect_mem(&regs, &before, sizeof(regs));
	}
}

static void user_accesses(void)
{
	start(x86_regs64);
	regs.gpr[PVM_RBX] = BASE;
	expect_eq(run(0x8b, 0x03), PVM_EMUL_DONE);
	expect_eq(mem.last_access, 0);
	regs.cpl = 3;
	expect_eq(run(0x89, 0x03), PVM_EMUL_DONE);
	expect_eq(mem.last_access, PVM_ACCESS_USER | PVM_ACCESS_WRITE);
}

static void bounded_repetition(void)
{
	start(x86_regs64);
	regs.gpr[PVM_RDI] = BASE + 0x100;
	regs.gpr[PVM_RCX] = 10;
	regs.gpr[PVM_RAX] = 0x77;
	expect_eq(run_max(4, 0xf3, 0xaa), PVM_EMUL_AGAIN);
	expect_eq(regs.gpr[PVM_RCX], 6);
	expect_eq(regs.gpr[PVM_RDI], BASE + 0x104);
	expect_eq(regs.rip, 0x100);
	expect_eq(run_max(4, 0xf3, 0xaa), PVM_EMUL_AGAIN);
	expect_eq(run_max(4, 0xf3, 0xaa), PVM_EMUL_DONE);
	expect_eq(regs.gpr[PVM_RCX], 0);
	expect_eq(regs.rip, 0x102);
	expect_eq(peek(BASE + 0x108, 2), 0x7777);
	expect_eq(mem.writes, 10);

	/* a fault in the middle: progress first, then the fault */
	regs.rip = 0x100;
	mem.read_only_from = BASE + 0x203;
	regs.gpr[PVM_RDI] = BASE + 0x200;
	regs.gpr[PVM_RCX] = 10;
	expect_eq(run(0xf3, 0xaa), PVM_EMUL_AGAIN);
	expect_eq(regs.gpr[PVM_RCX], 7);
	expect_fault(run(0xf3, 0xaa), PVM_VEC_PF, PVM_PF_P | PVM_PF_W);
	expect_eq(regs.gpr[PVM_RCX], 7);
	expect_eq(fault.address, BASE + 0x203);

	/* single-stepping sees each iteration; no bound is one */
	mem.read_only_from = 0;
	regs.rflags |= PVM_FLAG_TF;
	expect_eq(run(0xf3, 0xaa), PVM_EMUL_AGAIN);
	expect_eq(regs.gpr[PVM_RCX], 6);
	regs.rflags &= ~PVM_FLAG_TF;
	expect_eq(run_max(0, 0xf3, 0xaa), PVM_EMUL_AGAIN);
	expect_eq(regs.gpr[PVM_RCX], 5);

	/* nothing to do, by the address size */
	regs.gpr[PVM_RCX] = 1ull << 32;
	regs.gpr[PVM_RSI] = regs.gpr[PVM_RDI] = 0;
	expect_eq(run(0x67, 0xf3, 0xa4), PVM_EMUL_DONE);
	expect_eq(regs.gpr[PVM_RCX], 1ull << 32);
}

static void strings_wrap_by_address_size(void)
{
	start(x86_regs16);
	regs.seg[PVM_ES].base = BASE - 0xfff0;
	regs.seg[PVM_DS].base = BASE;
	regs.gpr[PVM_RDI] = 0x1234fffe;
	regs.gpr[PVM_RSI] = 0x10;
	regs.gpr[PVM_RCX] = 0xabc0001;
	expect_eq(run(0xf3, 0xa5), PVM_EMUL_DONE);	/* rep movsw */
	expect_eq(regs.gpr[PVM_RDI], 0x12340000);
	expect_eq(regs.gpr[PVM_RSI], 0x12);
	expect_eq(regs.gpr[PVM_RCX], 0xabc0000);
	expect_eq(peek(BASE + 14, 2), peek(BASE + 0x10, 2));

	/* source override, destination stays ES; downwards */
	regs.seg[PVM_ES].base = BASE;
	regs.seg[PVM_FS].base = BASE + 0x500;
	regs.gpr[PVM_RSI] = 0;
	regs.gpr[PVM_RDI] = 0x20;
	regs.rflags |= PVM_FLAG_DF;
	expect_eq(run(0x64, 0xa4), PVM_EMUL_DONE);
	expect_eq(peek(BASE + 0x20, 1), peek(BASE + 0x500, 1));
	expect_eq(regs.gpr[PVM_RSI], 0xffff);
	expect_eq(regs.gpr[PVM_RDI], 0x1f);
}

static void port_strings(void)
{
	start(x86_regs64);
	mem.port_in = 0x1122334455667700;
	regs.gpr[PVM_RDX] = 0xffff0cf8;
	regs.gpr[PVM_RDI] = BASE;
	regs.gpr[PVM_RCX] = 3;
	expect_eq(run(0xf3, 0x6d), PVM_EMUL_DONE);	/* rep insd */
	expect_eq(mem.port, 0xcf8);
	expect_eq(mem.port_reads, 3);
	expect_eq(peek(BASE + 8, 4), 0x55667702);
	expect_eq(regs.gpr[PVM_RDI], BASE + 12);

	regs.gpr[PVM_RSI] = BASE + 8;
	expect_eq(run(0x66, 0x6f), PVM_EMUL_DONE);	/* outsw */
	expect_eq(mem.port_out, 0x7702);
	expect_eq(regs.gpr[PVM_RSI], BASE + 10);
	expect_eq(run(0x48, 0x6f), PVM_EMUL_DONE);	/* REX.W has no effect */
	expect_eq(regs.gpr[PVM_RSI], BASE + 14);

	/* the port is not read when its value has nowhere to go */
	regs.rip = 0x100;
	regs.gpr[PVM_RDI] = 0x1000;
	expect_fault(run(0x6c), PVM_VEC_PF, PVM_PF_W);
	expect_eq(mem.port_reads, 3);
}

static void locked_operations(void)
{
	start(x86_regs64);
	regs.gpr[PVM_RBX] = BASE;
	poke(BASE, 41, 4);
	mem.fail_swaps = 3;
	expect_eq(run(0xf0, 0xff, 0x03), PVM_EMUL_DONE);	/* lock inc dword [rbx] */
	expect_eq(peek(BASE, 4), 42);
	expect_eq(mem.swaps, 4);
	expect_eq(mem.writes, 0);

	mem.fail_swaps = 1000;
	regs.rip = 0x100;
	regs.rflags |= PVM_FLAG_ZF;
	expect_eq(run(0xf0, 0xff, 0x03), PVM_EMUL_AGAIN);
	expect_eq(peek(BASE, 4), 42);
	expect_eq(regs.rip, 0x100);
	expect(regs.rflags & PVM_FLAG_ZF);
	expect_eq(run(0xf0, 0x0f, 0xc7, 0x0b), PVM_EMUL_DONE);	/* cmpxchg8b finds a difference */
	expect_eq(regs.gpr[PVM_RAX], 42);
	regs.rip = 0x100;
	expect_eq(run(0xf0, 0x0f, 0xc7, 0x0b), PVM_EMUL_AGAIN);
	expect_eq(regs.rip, 0x100);

	/* XCHG is locked without a prefix */
	mem.fail_swaps = 0;
	mem.swaps = 0;
	expect_eq(run(0x87, 0x0b), PVM_EMUL_DONE);
	expect_eq(mem.swaps, 1);
	expect_eq(regs.gpr[PVM_RCX], 42);
	/* CMPXCHG that fails writes nothing */
	mem.swaps = mem.writes = 0;
	regs.gpr[PVM_RAX] = 1;
	poke(BASE, 2, 4);
	expect_eq(run(0xf0, 0x0f, 0xb1, 0x0b), PVM_EMUL_DONE);
	expect_eq(mem.swaps + mem.writes, 0);
	expect_eq(regs.gpr[PVM_RAX], 2);
	/* 16 bytes want their alignment */
	regs.gpr[PVM_RBX] = BASE + 8;
	regs.rip = 0x100;
	expect_fault(run(0x48, 0x0f, 0xc7, 0x0b), PVM_VEC_GP, 0);
}

static void stacks(void)
{
	start(x86_regs16);
	regs.seg[PVM_SS].base = BASE;
	regs.seg[PVM_DS].base = BASE;
	regs.gpr[PVM_RSP] = 0xdead0002;
	regs.gpr[PVM_RAX] = 0xbeef;
	expect_eq(run(0x50), PVM_EMUL_DONE);		/* push ax */
	expect_eq(regs.gpr[PVM_RSP], 0xdead0000);
	expect_eq(peek(BASE, 2), 0xbeef);
	regs.seg[PVM_SS].base = BASE - 0xf000;
	expect_eq(run(0x66, 0x6a, 0xff), PVM_EMUL_DONE);	/* push dword -1: SP wraps */
	expect_eq(regs.gpr[PVM_RSP], 0xdeadfffc);
	expect_eq(peek(BASE + 0xffc, 4), 0xffffffff);

	/* 16-bit stack in 32-bit code, POP to memory addressed by the new ESP */
	start(x86_regs32);
	regs.gpr[PVM_RSP] = BASE + 0x100;
	expect_eq(run(0x8f, 0x44, 0x24, 0x10), PVM_EMUL_DONE);
	expect_eq(peek(BASE + 0x114, 4), peek(BASE + 0x100, 4));
	expect_eq(regs.gpr[PVM_RSP], BASE + 0x104);
	regs.seg[PVM_SS].attr &= ~PVM_SEG_DB;
	regs.seg[PVM_SS].base = BASE;
	regs.gpr[PVM_RSP] = 0x70010;
	expect_eq(run(0x53), PVM_EMUL_DONE);
	expect_eq(regs.gpr[PVM_RSP], 0x7000c);
	regs.seg[PVM_SS].limit = 3;
	regs.rip = 0x100;
	expect_fault(run(0x53), PVM_VEC_SS, 0);
}

static void put_descriptor(u32 index, u16 attr, u32 base, u32 limit)
{
	u64 d = (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(attr & 0xff) << 40 |
		(u64)(limit >> 16 & 0xf) << 48 | (u64)(attr & 0xf00) << 44 |
		(u64)(base >> 24) << 56;

	poke(BASE + 0x1800 + 8 * index, d, 8);
}

static enum pvm_emul load_sreg(u8 nr, u16 sel)
{
	u8 bytes[] = { 0x8e, 0x03 | nr << 3 };		/* mov sreg, [rbx] */

	regs.rip = 0x100;
	regs.gpr[PVM_RBX] = BASE + 0x10;
	poke(BASE + 0x10, sel, 2);
	return run_bytes(bytes, 2, 1);
}

static void segment_registers(void)
{
	start(x86_regs16);
	regs.gpr[PVM_RBX] = 0x8;
	regs.seg[PVM_SS].base = regs.seg[PVM_DS].base = BASE;
	poke(BASE + 0x10, 0x1234, 2);
	expect_eq(run(0x8e, 0x47, 0x08), PVM_EMUL_DONE);	/* mov es, [bx+8] */
	expect_eq(regs.seg[PVM_ES].base, 0x12340);
	expect_eq(regs.seg[PVM_ES].limit, 0xffff);
	expect_eq(run(0x8c, 0x47, 0x20), PVM_EMUL_DONE);	/* mov [bx+0x20], es */
	expect_eq(peek(BASE + 0x28, 2), 0x1234);

	start(x86_regs32);
	regs.gdtr = (struct pvm_dtr){ BASE + 0x1800, 8 * 8 - 1 };
	put_descriptor(1, 0xc92, 0x12345678, 0xfffff);	/* flat data, DPL 0 */
	put_descriptor(2, 0xcf3, 0, 0xfffff);		/* data, DPL 3, accessed */
	put_descriptor(3, 0x412, 0, 0x100);		/* not present */
	put_descriptor(4, 0xc98, 0, 0xfffff);		/* execute-only code */
	put_descriptor(5, 0x089, 0, 0x67);		/* a TSS */
	expect_eq(load_sreg(PVM_DS, 8), PVM_EMUL_DONE);
	expect_eq(regs.seg[PVM_DS].base, 0x12345678);
	expect_eq(regs.seg[PVM_DS].limit, 0xffffffff);
	expect_eq(regs.seg[PVM_DS].attr, 0xc93);
	expect_eq(peek(BASE + 0x1800 + 8 + 5, 1), 0x93);
	regs.seg[PVM_DS].base = 0;
	expect_eq(load_sreg(PVM_FS, 0x13), PVM_EMUL_DONE);
	expect_eq(regs.seg[PVM_FS].attr, 0xcf3);
	expect_fault(load_sreg(PVM_ES, 0x18), PVM_VEC_NP, 0x18);
	expect_fault(load_sreg(PVM_ES, 0x20), PVM_VEC_GP, 0x20);
	expect_fault(load_sreg(PVM_ES, 0x28), PVM_VEC_GP, 0x28);
	expect_fault(load_sreg(PVM_ES, 0x40), PVM_VEC_GP, 0x40);	/* beyond the limit */
	expect_fault(load_sreg(PVM_ES, 0x0c), PVM_VEC_GP, 0x0c);	/* no LDT */
	expect_fault(load_sreg(PVM_ES, 0x0b), PVM_VEC_GP, 0x08);	/* RPL above DPL */
	expect_fault(load_sreg(PVM_SS, 0), PVM_VEC_GP, 0);
	expect_fault(load_sreg(PVM_SS, 0x13), PVM_VEC_GP, 0x10);
	expect_fault(load_sreg(PVM_SS, 0x10), PVM_VEC_GP, 0x10);
	expect_fault(load_sreg(PVM_CS, 8), PVM_VEC_UD, 0);
	expect_fault(load_sreg(6, 8), PVM_VEC_UD, 0);
	/* the same descriptors as an LDT */
	regs.seg[PVM_LDTR] = (struct pvm_seg){
		.sel = 0x50, .attr = PVM_SEG_P | 2, .limit = 8 * 3 - 1, .base = BASE + 0x1800,
	};
	expect_eq(load_sreg(PVM_GS, 0x14), PVM_EMUL_DONE);
	expect_eq(regs.seg[PVM_GS].attr, 0xcf3);
	expect_fault(load_sreg(PVM_GS, 0x1c), PVM_VEC_GP, 0x1c);
	expect_eq(load_sreg(PVM_ES, 3), PVM_EMUL_DONE);
	regs.rip = 0x100;
	expect_fault(run(0x26, 0xa0, 0, 0, 1, 0), PVM_VEC_GP, 0);	/* null */
}

static void segment_registers_in_long_mode(void)
{
	start(x86_regs64);
	expect_eq(load_sreg(PVM_SS, 0), PVM_EMUL_DONE);
	expect(!(regs.seg[PVM_SS].attr & PVM_SEG_P));
	expect_fault(load_sreg(PVM_SS, 1), PVM_VEC_GP, 0);
	regs.cpl = 3;
	expect_fault(load_sreg(PVM_SS, 3), PVM_VEC_GP, 0);
	regs.gdtr = (struct pvm_dtr){ 1ull << 47, 0xffff };
	expect_fault(load_sreg(PVM_DS, 8), PVM_VEC_GP, 8);
	/* the table is read as the supervisor, the operand as the user */
	regs.gdtr.base = BASE + 0x1800;
	put_descriptor(2, 0xcf3, 0, 0xfffff);
	expect_eq(load_sreg(PVM_DS, 0x13), PVM_EMUL_DONE);
	expect_eq(mem.last_access, PVM_ACCESS_IMPLICIT_SUPERVISOR);
	expect_eq(regs.seg[PVM_DS].limit, 0xffffffff);
}

static void vector_registers(void)
{
	struct pvm_emul_ops none = x86_mem_ops;

	start(x86_regs64);
	regs.gpr[PVM_RBX] = BASE + 8;
	expect_fault(run(0x0f, 0x28, 0x03), PVM_VEC_GP, 0);	/* movaps wants 16 */
	regs.cr0 |= PVM_CR0_TS;
	expect_fault(run(0x0f, 0x10, 0x03), PVM_VEC_NM, 0);
	regs.cr0 = (regs.cr0 & ~PVM_CR0_TS) | PVM_CR0_EM;
	expect_fault(run(0x0f, 0x10, 0x03), PVM_VEC_UD, 0);
	regs.cr0 &= ~PVM_CR0_EM;
	expect_eq(run(0x0f, 0x10, 0x03), PVM_EMUL_DONE);
	expect_mem(mem.ymm[0], mem.byte + 8, 16);
	none.xmm_read = NULL;
	expect_eq(pvm_exec(&insn, &regs, &none, &mem, 1, &fault), PVM_EMUL_FAIL);
}

static void what_is_refused(void)
{
	static const u8 traps[][4] = {
		{ 0x0f, 0xa2 }, { 0x0f, 0x30 }, { 0xf4 }, { 0x0f, 0x20, 0xc0 }, { 0x0f, 0x06 },
		{ 0x0f, 0x01, 0xd9 }, { 0x0f, 0x01, 0x3b }, { 0xcf }, { 0xd9, 0x03 },
		{ 0x8d, 0x03 }, { 0xe8 },
	};
	struct pvm_regs before;
	u32 i;

	start(x86_regs64);
	before = regs;
	for (i = 0; i < ARRAY_SIZE(traps); i++) {
		u8 bytes[15] = { 0 };

		memcpy(bytes, traps[i], 4);
		expect_eq(pvm_decode(&insn, &regs, bytes, 15, &fault), 0);
		expect_eq(pvm_exec(&insn, &regs, &x86_mem_ops, &mem, 1, &fault), PVM_EMUL_FAIL);
	}
	expect_mem(&regs, &before, sizeof(regs));
}

static void operands_for_traps(void)
{
	u64 val;

	start(x86_regs64);
	regs.cr0 = 0x80050033;
	regs.gpr[PVM_RBX] = BASE + 0x20;
	expect_eq(pvm_decode(&insn, &regs, (const u8 []){ 0x0f, 0x01, 0x7b, 0x08 }, 4, &fault), 0);
	expect_eq(insn.op, PVM_OP_INVLPG);
	expect_eq(pvm_insn_linear(&insn, &regs), BASE + 0x28);
	expect_eq(pvm_decode(&insn, &regs, (const u8 []){ 0x0f, 0x01, 0x33 }, 3, &fault), 0);
	expect_eq(insn.op, PVM_OP_LMSW);
	expect_eq(pvm_insn_read_rm(&insn, &regs, &x86_mem_ops, &mem, 2, &val, &fault),
		  PVM_EMUL_DONE);
	expect_eq(val, peek(BASE + 0x20, 2));
	expect_eq(pvm_decode(&insn, &regs, (const u8 []){ 0x0f, 0x01, 0xf2 }, 3, &fault), 0);
	expect_eq(insn.op, PVM_OP_LMSW);
	regs.gpr[PVM_RDX] = 0x123456;
	expect_eq(pvm_insn_read_rm(&insn, &regs, &x86_mem_ops, &mem, 2, &val, &fault),
		  PVM_EMUL_DONE);
	expect_eq(val, 0x3456);
	expect_eq(pvm_insn_write_rm(&insn, &regs, &x86_mem_ops, &mem, 2, 7, &fault),
		  PVM_EMUL_DONE);
	expect_eq(regs.gpr[PVM_RDX], 0x120007);

	expect_eq(pvm_decode(&insn, &regs, (const u8 []){ 0x65, 0x0f, 0x01, 0x3b }, 4, &fault), 0);
	regs.seg[PVM_GS].base = 0x7000;
	expect_eq(pvm_insn_linear(&insn, &regs), BASE + 0x7020);

	expect_eq(run(0x0f, 0x01, 0x23), PVM_EMUL_DONE);	/* smsw [rbx] */
	expect_eq(peek(BASE + 0x20, 2), 0x33);
	expect_eq(run(0x48, 0x0f, 0x01, 0xe0), PVM_EMUL_DONE);	/* smsw rax */
	expect_eq(regs.gpr[PVM_RAX], 0x80050033);
	regs.rip = 0x100;
	regs.cr4 |= PVM_CR4_UMIP;
	regs.cpl = 3;
	expect_fault(run(0x0f, 0x01, 0xe0), PVM_VEC_GP, 0);

	x86_regs32(&regs);
	regs.seg[PVM_FS].base = 0xffff0000;
	regs.gpr[PVM_RBX] = 0x20000;
	expect_eq(pvm_decode(&insn, &regs, (const u8 []){ 0x64, 0x0f, 0x01, 0x3b }, 4, &fault), 0);
	expect_eq(pvm_insn_linear(&insn, &regs), 0x10000);
}

static void instruction_pointer(void)
{
	start(x86_regs32);
	regs.rip = 0xffffffff;
	expect_eq(run(0x90), PVM_EMUL_DONE);
	expect_eq(regs.rip, 0);
	start(x86_regs64);
	regs.rip = 0xffffffff;
	expect_eq(run(0x90), PVM_EMUL_DONE);
	expect_eq(regs.rip, 0x100000000);
	/* relative to the next instruction, also with an immediate behind */
	regs.rip = BASE;
	expect_eq(run(0xc7, 0x05, 0x06, 0, 0, 0, 1, 2, 3, 4), PVM_EMUL_DONE);
	expect_eq(peek(BASE + 16, 4), 0x04030201);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(moves_in_real_mode),
	KTAP_TEST(segment_limits),
	KTAP_TEST(canonical_addresses),
	KTAP_TEST(faults_change_nothing),
	KTAP_TEST(user_accesses),
	KTAP_TEST(bounded_repetition),
	KTAP_TEST(strings_wrap_by_address_size),
	KTAP_TEST(port_strings),
	KTAP_TEST(locked_operations),
	KTAP_TEST(stacks),
	KTAP_TEST(segment_registers),
	KTAP_TEST(segment_registers_in_long_mode),
	KTAP_TEST(vector_registers),
	KTAP_TEST(what_is_refused),
	KTAP_TEST(operands_for_traps),
	KTAP_TEST(instruction_pointer),
};

KTAP_MAIN(tests)
