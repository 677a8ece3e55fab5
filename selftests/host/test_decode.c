// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoder: lengths, operands and refusals, in all code sizes.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "x86_fixture.h"

struct row {
	u8 mode;		/* 16, 32, 64 */
	u8 len;
	u8 op;
	u8 op_bytes;		/* 0: not looked at */
	const char *bytes;	/* as many as @len */
};

static const struct row rows[] = {
	/* moves, every addressing form */
	{ 64, 2, PVM_OP_MOV, 4, "\x8b\x03" },
	{ 64, 3, PVM_OP_MOV, 8, "\x48\x8b\x03" },
	{ 64, 3, PVM_OP_MOV, 2, "\x66\x8b\x03" },
	{ 64, 4, PVM_OP_MOV, 8, "\x66\x48\x8b\x03" },
	{ 64, 3, PVM_OP_MOV, 1, "\x8a\x43\x10" },
	{ 64, 6, PVM_OP_MOV, 4, "\x8b\x83\x44\x33\x22\x11" },
	{ 64, 6, PVM_OP_MOV, 4, "\x8b\x05\x44\x33\x22\x11" },
	{ 64, 3, PVM_OP_MOV, 4, "\x8b\x04\x58" },
	{ 64, 7, PVM_OP_MOV, 4, "\x8b\x04\x25\x44\x33\x22\x11" },
	{ 64, 4, PVM_OP_MOV, 4, "\x8b\x44\x24\x08" },
	{ 64, 7, PVM_OP_MOV, 4, "\x8b\x84\x24\x44\x33\x22\x11" },
	{ 64, 5, PVM_OP_MOV, 4, "\x41\x8b\x44\x24\x08" },
	{ 64, 4, PVM_OP_MOV, 4, "\x41\x8b\x45\x00" },
	{ 64, 9, PVM_OP_MOV, 1, "\xa0\x88\x77\x66\x55\x44\x33\x22\x11" },
	{ 64, 6, PVM_OP_MOV, 4, "\x67\xa1\x44\x33\x22\x11" },
	{ 64, 10, PVM_OP_MOV, 8, "\x48\xb8\x88\x77\x66\x55\x44\x33\x22\x11" },
	{ 64, 7, PVM_OP_MOV, 8, "\x48\xc7\x03\x44\x33\x22\x11" },
	{ 64, 5, PVM_OP_MOV, 2, "\x66\xc7\x03\x22\x11" },
	{ 64, 3, PVM_OP_MOV, 1, "\xc6\x03\x11" },
	{ 64, 3, PVM_OP_MOV, 4, "\x0f\xc3\x03" },
	{ 32, 6, PVM_OP_MOV, 4, "\x8b\x05\x44\x33\x22\x11" },
	{ 32, 5, PVM_OP_MOV, 4, "\xa1\x44\x33\x22\x11" },
	{ 32, 4, PVM_OP_MOV, 4, "\x67\xa1\x22\x11" },
	{ 32, 5, PVM_OP_MOV, 4, "\x67\x8b\x87\x22\x11" },
	{ 16, 2, PVM_OP_MOV, 2, "\x8b\x07" },
	{ 16, 4, PVM_OP_MOV, 2, "\x8b\x06\x22\x11" },
	{ 16, 3, PVM_OP_MOV, 2, "\x8b\x46\x00" },
	{ 16, 3, PVM_OP_MOV, 4, "\x66\x8b\x07" },
	{ 16, 8, PVM_OP_MOV, 2, "\x67\x8b\x84\x48\x44\x33\x22\x11" },
	{ 16, 3, PVM_OP_MOV, 2, "\xa1\x22\x11" },
	{ 16, 7, PVM_OP_MOV, 4, "\x66\xc7\x07\x44\x33\x22\x11" },
	{ 64, 3, PVM_OP_MOVZX, 4, "\x0f\xb6\x03" }, { 64, 4, PVM_OP_MOVZX, 8, "\x48\x0f\xb7\x03" },
	{ 64, 3, PVM_OP_MOVSX, 4, "\x0f\xbe\x03" }, { 64, 3, PVM_OP_MOVSX, 8, "\x48\x63\x03" },
	{ 32, 2, PVM_OP_OTHER, 0, "\x63\x03" },		/* ARPL */
	{ 64, 4, PVM_OP_MOVBE, 4, "\x0f\x38\xf0\x03" },
	{ 64, 5, PVM_OP_MOVBE, 2, "\x66\x0f\x38\xf1\x03" },
	{ 64, 5, PVM_OP_OTHER, 0, "\xf2\x0f\x38\xf1\x03" },	/* CRC32 */
	{ 64, 2, PVM_OP_MOV_TO_SREG, 0, "\x8e\xd8" },
	{ 64, 2, PVM_OP_MOV_FROM_SREG, 0, "\x8c\x1b" },
	/* arithmetic */
	{ 64, 2, PVM_OP_ADD, 4, "\x01\x03" }, { 64, 6, PVM_OP_CMP, 4, "\x81\x3b\x44\x33\x22\x11" },
	{ 64, 3, PVM_OP_SUB, 4, "\x83\x2b\x11" }, { 64, 3, PVM_OP_XOR, 1, "\x80\x33\x11" },
	{ 64, 3, PVM_OP_TEST, 1, "\xf6\x03\x11" },
	{ 64, 6, PVM_OP_TEST, 4, "\xf7\x0b\x44\x33\x22\x11" },
	{ 64, 2, PVM_OP_NOT, 4, "\xf7\x13" }, { 64, 2, PVM_OP_IDIV, 4, "\xf7\x3b" },
	{ 64, 3, PVM_OP_INC, 4, "\xf0\xff\x03" }, { 32, 1, PVM_OP_INC, 4, "\x41" },
	{ 16, 1, PVM_OP_DEC, 2, "\x4a" }, { 64, 3, PVM_OP_SHL, 4, "\xc1\x23\x05" },
	{ 64, 2, PVM_OP_SAR, 1, "\xd2\x3b" }, { 64, 4, PVM_OP_BT, 4, "\x0f\xba\x23\x05" },
	{ 64, 4, PVM_OP_SHLD, 4, "\x0f\xa4\x03\x05" }, { 64, 3, PVM_OP_SHRD, 4, "\x0f\xad\x03" },
	{ 64, 4, PVM_OP_CMPXCHGNB, 16, "\x49\x0f\xc7\x08" },
	{ 64, 3, PVM_OP_CMPXCHGNB, 8, "\x0f\xc7\x0b" },
	{ 64, 6, PVM_OP_IMUL, 4, "\x69\x03\x44\x33\x22\x11" },
	{ 64, 3, PVM_OP_IMUL, 4, "\x6b\x03\x11" },
	{ 64, 3, PVM_OP_SETCC, 1, "\x0f\x94\x03" }, { 64, 3, PVM_OP_CMOV, 4, "\x0f\x44\x03" },
	/* stack and strings */
	{ 64, 2, PVM_OP_PUSH, 8, "\xff\x33" }, { 64, 3, PVM_OP_PUSH, 2, "\x66\xff\x33" },
	{ 64, 2, PVM_OP_POP, 8, "\x8f\x03" }, { 32, 2, PVM_OP_POP, 4, "\x8f\x03" },
	{ 64, 5, PVM_OP_PUSH, 8, "\x68\x44\x33\x22\x11" },
	{ 16, 3, PVM_OP_PUSH, 2, "\x68\x22\x11" },
	{ 64, 2, PVM_OP_STOS, 1, "\xf3\xaa" }, { 64, 3, PVM_OP_MOVS, 8, "\xf3\x48\xa5" },
	{ 32, 2, PVM_OP_INS, 2, "\x66\x6d" }, { 64, 2, PVM_OP_OUTS, 4, "\x48\x6f" },
	/* vectors */
	{ 64, 3, PVM_OP_SSE, 16, "\x0f\x10\x03" }, { 64, 4, PVM_OP_SSE, 16, "\x66\x0f\xe7\x03" },
	{ 64, 5, PVM_OP_SSE, 8, "\x66\x48\x0f\x6e\x03" },
	{ 64, 4, PVM_OP_SSE, 4, "\xf3\x0f\x10\x03" },
	{ 64, 5, PVM_OP_SSE, 16, "\x66\x0f\x38\x2a\x03" },
	{ 64, 4, PVM_OP_SSE, 32, "\xc5\xfe\x6f\x03" },
	{ 64, 5, PVM_OP_SSE, 16, "\xc4\xc1\x78\x10\x03" },
	{ 32, 4, PVM_OP_SSE, 32, "\xc5\xfe\x7f\x03" }, { 64, 3, PVM_OP_OTHER, 0, "\x0f\x6f\x03" },
	{ 64, 3, PVM_OP_OTHER, 0, "\x0f\x10\xc1" }, { 64, 4, PVM_OP_OTHER, 0, "\x0f\xc6\x03\x11" },
	{ 64, 6, PVM_OP_OTHER, 0, "\xc4\xe3\x71\x0f\xc2\x08" },
	/* what only traps */
	{ 64, 2, PVM_OP_CPUID, 0, "\x0f\xa2" }, { 16, 2, PVM_OP_CPUID, 0, "\x0f\xa2" },
	{ 64, 2, PVM_OP_RDMSR, 0, "\x0f\x32" }, { 64, 2, PVM_OP_WRMSR, 0, "\x0f\x30" },
	{ 64, 1, PVM_OP_HLT, 0, "\xf4" }, { 64, 2, PVM_OP_PAUSE, 0, "\xf3\x90" },
	{ 64, 2, PVM_OP_XCHG, 4, "\x41\x90" }, { 64, 1, PVM_OP_NOP, 0, "\x90" },
	{ 64, 3, PVM_OP_VMMCALL, 0, "\x0f\x01\xd9" }, { 64, 3, PVM_OP_VMCALL, 0, "\x0f\x01\xc1" },
	{ 64, 3, PVM_OP_INVLPG, 0, "\x0f\x01\x38" }, { 64, 3, PVM_OP_LMSW, 0, "\x0f\x01\xf0" },
	{ 64, 3, PVM_OP_SMSW, 0, "\x0f\x01\xe0" }, { 64, 2, PVM_OP_CLTS, 0, "\x0f\x06" },
	{ 64, 2, PVM_OP_RDTSC, 0, "\x0f\x31" }, { 64, 3, PVM_OP_RDTSCP, 0, "\x0f\x01\xf9" },
	{ 64, 2, PVM_OP_RDPMC, 0, "\x0f\x33" }, { 64, 2, PVM_OP_INVD, 0, "\x0f\x08" },
	{ 64, 3, PVM_OP_WBINVD, 0, "\xf3\x0f\x09" }, { 64, 3, PVM_OP_XSETBV, 0, "\x0f\x01\xd1" },
	{ 64, 3, PVM_OP_MONITOR, 0, "\x0f\x01\xc8" }, { 64, 3, PVM_OP_MWAIT, 0, "\x0f\x01\xc9" },
	{ 64, 2, PVM_OP_IN, 1, "\xe4\x60" }, { 64, 1, PVM_OP_OUT, 4, "\xef" },
	{ 64, 1, PVM_OP_INT3, 0, "\xcc" }, { 64, 2, PVM_OP_INT, 0, "\xcd\x80" },
	{ 32, 1, PVM_OP_INTO, 0, "\xce" }, { 64, 2, PVM_OP_IRET, 8, "\x48\xcf" },
	{ 64, 2, PVM_OP_RSM, 0, "\x0f\xaa" }, { 64, 3, PVM_OP_VMRUN, 0, "\x0f\x01\xd8" },
	{ 64, 3, PVM_OP_VMLOAD, 0, "\x0f\x01\xda" }, { 64, 3, PVM_OP_VMSAVE, 0, "\x0f\x01\xdb" },
	{ 64, 3, PVM_OP_STGI, 0, "\x0f\x01\xdc" }, { 64, 3, PVM_OP_CLGI, 0, "\x0f\x01\xdd" },
	{ 64, 3, PVM_OP_INVLPGA, 0, "\x0f\x01\xdf" }, { 64, 3, PVM_OP_SKINIT, 0, "\x0f\x01\xde" },
	{ 64, 5, PVM_OP_INVPCID, 0, "\x66\x0f\x38\x82\x03" },
	{ 32, 7, PVM_OP_JMP_FAR, 4, "\xea\x44\x33\x22\x11\x10\x00" },
	{ 16, 5, PVM_OP_CALL_FAR, 2, "\x9a\x22\x11\x10\x00" },
	{ 64, 2, PVM_OP_JMP_FAR, 4, "\xff\x2b" }, { 64, 3, PVM_OP_RET_FAR, 0, "\xca\x08\x00" },
	{ 64, 3, PVM_OP_LGDT, 0, "\x0f\x01\x13" }, { 64, 3, PVM_OP_SIDT, 0, "\x0f\x01\x0b" },
	{ 64, 3, PVM_OP_LTR, 0, "\x0f\x00\xd8" }, { 64, 1, PVM_OP_PUSHF, 8, "\x9c" },
	/* lengths of others */
	{ 64, 5, PVM_OP_OTHER, 0, "\xe8\x44\x33\x22\x11" },
	{ 16, 3, PVM_OP_OTHER, 0, "\xe8\x22\x11" },
	{ 64, 6, PVM_OP_OTHER, 0, "\x0f\x84\x44\x33\x22\x11" },
	{ 64, 4, PVM_OP_OTHER, 0, "\xc8\x10\x00\x01" },
	{ 64, 7, PVM_OP_OTHER, 0, "\x48\x8d\x05\x44\x33\x22\x11" },
	{ 32, 2, PVM_OP_OTHER, 0, "\xc5\x03" },
	{ 64, 4, PVM_OP_NOP, 0, "\x0f\x1f\x40\x00" }, { 32, 3, PVM_OP_ADD, 1, "\x82\x03\x11" },
};

static void set_mode(struct pvm_regs *r, u8 mode)
{
	if (mode == 64)
		x86_regs64(r);
	else if (mode == 32)
		x86_regs32(r);
	else
		x86_regs16(r);
}

static void lengths_and_operations(void)
{
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct pvm_insn insn;
		struct pvm_fault fault;
		struct pvm_regs regs;
		u8 bytes[16], len = row->len;
		int r;

		set_mode(&regs, row->mode);
		memset(bytes, 0xcc, sizeof(bytes));
		memcpy(bytes, row->bytes, len);
		r = pvm_decode(&insn, &regs, bytes, 15, &fault);
		expect_msg(!r && pvm_insn_len(&insn) == len && insn.op == row->op,
			   "row %u: returned %d, length %u, op %u", i, r, insn.len, insn.op);
		expect_msg(!row->op_bytes || insn.op_bytes == row->op_bytes,
			   "row %u: %u bytes", i, insn.op_bytes);
		/* with any fewer bytes it asks for more */
		for (n = 0; n < len; n++)
			expect_msg(pvm_decode(&insn, &regs, bytes, n, &fault) == -EAGAIN,
				   "row %u cut to %u", i, n);
		expect_eq(pvm_decode(&insn, &regs, bytes, len, &fault), 0);
	}
}

static struct pvm_insn insn;
static struct pvm_fault fault;

#define decode(mode, ...) decode_bytes(mode, (const u8 []){ __VA_ARGS__ }, \
				       sizeof((const u8 []){ __VA_ARGS__ }))

static int decode_bytes(u8 mode, const u8 *bytes, u32 count)
{
	struct pvm_regs regs;

	set_mode(&regs, mode);
	fault = (struct pvm_fault){ 0 };
	return pvm_decode(&insn, &regs, bytes, count, &fault);
}

static void undefined_instructions(void)
{
	static const struct {
		u8 mode, bytes[4];
	} ud[] = {
		{ 64, { 0x0f, 0x0b } }, { 64, { 0x06 } }, { 64, { 0x60 } },
		{ 64, { 0x82, 0, 0, 0 } },
		{ 64, { 0xce } }, { 64, { 0xd4, 0 } }, { 64, { 0xea } },
		{ 64, { 0xf0, 0x8b, 0x03 } },	/* LOCK without a locked form */
		{ 64, { 0xf0, 0x01, 0xc0 } },	/* LOCK on a register */
		{ 64, { 0xf0, 0x39, 0x03 } }, { 64, { 0xf0, 0x0f, 0xa3, 0x03 } },
		{ 64, { 0xf0, 0x90 } }, { 64, { 0xf0, 0xa4 } }, { 64, { 0xf0, 0x0f, 0x22, 0xd8 } },
		{ 32, { 0xf0, 0x03, 0x03 } },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ud); i++) {
		u8 bytes[15] = { 0 };

		memcpy(bytes, ud[i].bytes, 4);
		expect_msg(decode_bytes(ud[i].mode, bytes, 15) == 1, "row %u", i);
		expect_eq(fault.vector, PVM_VEC_UD);
		expect(!fault.has_error);
	}
}

static void unknown_instructions(void)
{
	expect_eq(decode(64, 0x62, 0xf1, 0x7e, 0x48, 0x6f, 0x03), -EINVAL);	/* EVEX */
	expect_eq(decode(64, 0x8f, 0xe9, 0x78, 0x01, 0xca), -EINVAL);		/* XOP */
	expect_eq(decode(64, 0x0f, 0x04), -EINVAL);
	expect_eq(decode(64, 0xfe, 0x13), -EINVAL);
	expect_eq(decode(64, 0x0f, 0xc7, 0xc8), -EINVAL);			/* CMPXCHG8B reg */
	expect_eq(decode(64, 0x0f, 0x01, 0xc7), -EINVAL);
	expect_eq(decode(64, 0xc4, 0xe4, 0x78, 0x10, 0x03), -EINVAL);		/* VEX map 4 */
}

static void too_long(void)
{
	u8 bytes[20];

	memset(bytes, 0x66, sizeof(bytes));
	expect_eq(decode_bytes(64, bytes, 14), -EAGAIN);
	expect_eq(decode_bytes(64, bytes, 15), 1);
	expect_eq(fault.vector, PVM_VEC_GP);
	expect(fault.has_error && !fault.error);
	bytes[13] = 0x8b;
	bytes[14] = 0x03;
	expect_eq(decode_bytes(64, bytes, 20), 0);
	expect_eq(insn.len, 15);
	bytes[14] = 0x43;
	expect_eq(decode_bytes(64, bytes, 20), 1);
	expect_eq(fault.vector, PVM_VEC_GP);
}

static void prefixes(void)
{
	/* REX counts only before the opcode; the last of F2 and F3 wins */
	expect_eq(decode(64, 0x48, 0x66, 0x8b, 0x03), 0);
	expect_eq(insn.op_bytes, 2);
	expect(!(insn.flags & PVM_INSN_REX));
	expect_eq(decode(64, 0x48, 0x41, 0x8b, 0x03), 0);
	expect_eq(insn.rex, 1);
	expect_eq(decode(64, 0xf2, 0xf3, 0xa4), 0);
	expect_eq(insn.flags & (PVM_INSN_REP | PVM_INSN_REPNE), PVM_INSN_REP);
	/* segments */
	expect_eq(decode(64, 0x2e, 0x8b, 0x03), 0);
	expect_eq(insn.seg, PVM_DS);
	expect_eq(decode(64, 0x65, 0x2e, 0x8b, 0x03), 0);
	expect_eq(insn.seg, PVM_GS);
	expect_eq(decode(32, 0x2e, 0x8b, 0x03), 0);
	expect_eq(insn.seg, PVM_CS);
	expect_eq(decode(32, 0x8b, 0x45, 0x00), 0);
	expect_eq(insn.seg, PVM_SS);
	expect_eq(decode(32, 0x3e, 0x8b, 0x45, 0x00), 0);
	expect_eq(insn.seg, PVM_DS);
	expect_eq(decode(16, 0x8b, 0x02), 0);		/* [bp+si] */
	expect_eq(insn.seg, PVM_SS);
	expect_eq(insn.base, PVM_RBP);
	expect_eq(insn.index, PVM_RSI);
	expect_eq(decode(32, 0x8b, 0x04, 0x28), 0);	/* [eax+ebp]: DS */
	expect_eq(insn.seg, PVM_DS);
	expect_eq(decode(64, 0x42, 0x8b, 0x04, 0x20), 0);	/* R12 can be an index */
	expect_eq(insn.index, PVM_R12);
	expect_eq(decode(64, 0x8b, 0x04, 0x20), 0);
	expect_eq(insn.index, PVM_NO_REG);
}

static void control_registers(void)
{
	expect_eq(decode(64, 0x44, 0x0f, 0x22, 0xc1), 0);	/* mov cr8, rcx */
	expect_eq(insn.op, PVM_OP_MOV_TO_CR);
	expect_eq(insn.reg, 8);
	expect_eq(insn.rm, PVM_RCX);
	expect_eq(insn.op_bytes, 8);
	expect_eq(decode(32, 0xf0, 0x0f, 0x20, 0xc2), 0);	/* the same without REX */
	expect_eq(insn.op, PVM_OP_MOV_FROM_CR);
	expect_eq(insn.reg, 8);
	expect_eq(insn.rm, PVM_RDX);
	expect_eq(insn.op_bytes, 4);
	expect_eq(decode(16, 0x0f, 0x22, 0xd8), 0);
	expect_eq(insn.reg, 3);
	expect_eq(insn.op_bytes, 4);
	expect_eq(decode(64, 0x41, 0x0f, 0x23, 0xff), 0);	/* mov dr7, r15 */
	expect_eq(insn.op, PVM_OP_MOV_TO_DR);
	expect_eq(insn.reg, 7);
	expect_eq(insn.rm, PVM_R15);
	/* mod is ignored: no displacement follows */
	expect_eq(decode(64, 0x0f, 0x20, 0x44), 0);
	expect_eq(insn.len, 3);
	expect_eq(insn.rm, PVM_RSP);
	expect(!(insn.flags & PVM_INSN_MEM));
}

static void quick_lengths(void)
{
	static const u8 cpuid[] = { 0x0f, 0xa2, 0x90 }, odd[] = { 0x66, 0xf3, 0x48, 0x0f, 0xa2 };
	static const u8 vmmcall[] = { 0x0f, 0x01, 0xd9 };

	expect_eq(pvm_insn_quick_len(cpuid, 3, true, 0x0fa2, 2), 2);
	expect_eq(pvm_insn_quick_len(cpuid, 1, true, 0x0fa2, 2), 0);
	expect_eq(pvm_insn_quick_len(cpuid, 3, true, 0x0f32, 2), 0);
	expect_eq(pvm_insn_quick_len(odd, 5, true, 0x0fa2, 2), 5);
	expect_eq(pvm_insn_quick_len(odd, 5, false, 0x0fa2, 2), 0);
	expect_eq(pvm_insn_quick_len(vmmcall, 3, false, 0x0f01d9, 3), 3);
	expect_eq(pvm_insn_quick_len((const u8 []){ 0xf4 }, 1, false, 0xf4, 1), 1);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(lengths_and_operations),
	KTAP_TEST(undefined_instructions),
	KTAP_TEST(unknown_instructions),
	KTAP_TEST(too_long),
	KTAP_TEST(prefixes),
	KTAP_TEST(control_registers),
	KTAP_TEST(quick_lengths),
};

KTAP_MAIN(tests)
