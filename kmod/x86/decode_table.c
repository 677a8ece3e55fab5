// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opcode maps.
 *
 * Every opcode with a row has a known length. PVM_OP_OTHER marks those of which
 * nothing else matters here; opcodes without a row are unknown.
 *
 * World:   pure
 * Context: any; const data
 * Spec:    SDM2 "Opcode Map"; APM3 "Opcode and Operand Encodings"
 */
#include "x86/insn.h"

#define M	PVM_ROW_MODRM
#define B	PVM_ROW_BYTE
#define N64	PVM_ROW_NO64
#define D64	PVM_ROW_D64
#define F64	PVM_ROW_F64
#define L	PVM_ROW_LOCK
#define SSE	PVM_ROW_SSE

#define ROW(op, form, imm, flags) { PVM_OP_##op, PVM_FORM_##form, PVM_IMM_##imm, flags }
#define GRP(nr, form, imm, flags) { PVM_OP_GROUPS + (nr), PVM_FORM_##form, PVM_IMM_##imm, flags }
#define OTHER(flags)		  { PVM_OP_OTHER, PVM_FORM_NONE, PVM_IMM_NONE, flags }
#define OTHERI(imm, flags)	  { PVM_OP_OTHER, PVM_FORM_NONE, PVM_IMM_##imm, flags }

enum {
	G_ALU, G_SHIFT, G_F6, G_FE, G_FF, G_8F, G_MOV, G_0F00, G_0F01, G_0FBA, G_0FC7, G_0FAE,
};

#define ALU(at, op, lock)				\
	[(at) + 0] = ROW(op, RM_R, NONE, M | B | (lock)),	\
	[(at) + 1] = ROW(op, RM_R, NONE, M | (lock)),		\
	[(at) + 2] = ROW(op, R_RM, NONE, M | B),	\
	[(at) + 3] = ROW(op, R_RM, NONE, M),		\
	[(at) + 4] = ROW(op, ACC_I, Z, B),		\
	[(at) + 5] = ROW(op, ACC_I, Z, 0)

const struct pvm_op_row pvm_decode_map0[256] = {
	ALU(0x00, ADD, L), ALU(0x08, OR, L), ALU(0x10, ADC, L), ALU(0x18, SBB, L),
	ALU(0x20, AND, L), ALU(0x28, SUB, L), ALU(0x30, XOR, L), ALU(0x38, CMP, 0),
	/* PUSH and POP of segment registers; decimal adjustment */
	[0x06 ... 0x07] = OTHER(N64), [0x0e] = OTHER(N64),
	[0x16 ... 0x17] = OTHER(N64), [0x1e ... 0x1f] = OTHER(N64),
	[0x27] = OTHER(N64), [0x2f] = OTHER(N64), [0x37] = OTHER(N64), [0x3f] = OTHER(N64),
	[0x40 ... 0x47] = ROW(INC, R, NONE, N64),
	[0x48 ... 0x4f] = ROW(DEC, R, NONE, N64),
	[0x50 ... 0x57] = ROW(PUSH, R, NONE, D64),
	[0x58 ... 0x5f] = ROW(POP, R, NONE, D64),
	[0x60 ... 0x61] = OTHER(N64),
	[0x62] = OTHER(M | N64),
	[0x63] = ROW(MOVSX, R_RM, NONE, M),	/* ARPL outside 64-bit mode */
	[0x68] = ROW(PUSH, I, Z, D64),
	[0x69] = ROW(IMUL, R_RM_I, Z, M),
	[0x6a] = ROW(PUSH, I, B, D64),
	[0x6b] = ROW(IMUL, R_RM_I, B, M),
	[0x6c] = ROW(INS, STRING, NONE, B), [0x6d] = ROW(INS, STRING, NONE, 0),
	[0x6e] = ROW(OUTS, STRING, NONE, B), [0x6f] = ROW(OUTS, STRING, NONE, 0),
	[0x70 ... 0x7f] = OTHERI(B, F64),
	[0x80] = GRP(G_ALU, RM_I, B, M | B), [0x81] = GRP(G_ALU, RM_I, Z, M),
	[0x82] = GRP(G_ALU, RM_I, B, M | B | N64), [0x83] = GRP(G_ALU, RM_I, B, M),
	[0x84] = ROW(TEST, RM_R, NONE, M | B), [0x85] = ROW(TEST, RM_R, NONE, M),
	[0x86] = ROW(XCHG, RM_R, NONE, M | B | L), [0x87] = ROW(XCHG, RM_R, NONE, M | L),
	[0x88] = ROW(MOV, RM_R, NONE, M | B), [0x89] = ROW(MOV, RM_R, NONE, M),
	[0x8a] = ROW(MOV, R_RM, NONE, M | B), [0x8b] = ROW(MOV, R_RM, NONE, M),
	[0x8c] = ROW(MOV_FROM_SREG, RM, NONE, M),
	[0x8d] = OTHER(M),
	[0x8e] = ROW(MOV_TO_SREG, RM, NONE, M),
	[0x8f] = GRP(G_8F, RM, NONE, M | D64),
	[0x90 ... 0x97] = ROW(XCHG, ACC_R, NONE, 0),
	[0x98 ... 0x99] = OTHER(0),
	[0x9a] = ROW(CALL_FAR, NONE, FAR, N64),
	[0x9b] = OTHER(0),
	[0x9c] = ROW(PUSHF, NONE, NONE, D64), [0x9d] = ROW(POPF, NONE, NONE, D64),
	[0x9e ... 0x9f] = OTHER(0),
	[0xa0] = ROW(MOV, ACC_MOFFS, MOFFS, B), [0xa1] = ROW(MOV, ACC_MOFFS, MOFFS, 0),
	[0xa2] = ROW(MOV, MOFFS_ACC, MOFFS, B), [0xa3] = ROW(MOV, MOFFS_ACC, MOFFS, 0),
	[0xa4] = ROW(MOVS, STRING, NONE, B), [0xa5] = ROW(MOVS, STRING, NONE, 0),
	[0xa6] = ROW(CMPS, STRING, NONE, B), [0xa7] = ROW(CMPS, STRING, NONE, 0),
	[0xa8] = ROW(TEST, ACC_I, Z, B), [0xa9] = ROW(TEST, ACC_I, Z, 0),
	[0xaa] = ROW(STOS, STRING, NONE, B), [0xab] = ROW(STOS, STRING, NONE, 0),
	[0xac] = ROW(LODS, STRING, NONE, B), [0xad] = ROW(LODS, STRING, NONE, 0),
	[0xae] = ROW(SCAS, STRING, NONE, B), [0xaf] = ROW(SCAS, STRING, NONE, 0),
	[0xb0 ... 0xb7] = ROW(MOV, R_I, Z, B),
	[0xb8 ... 0xbf] = ROW(MOV, R_I, V, 0),
	[0xc0] = GRP(G_SHIFT, RM_I, UB, M | B), [0xc1] = GRP(G_SHIFT, RM_I, UB, M),
	[0xc2] = OTHERI(W, F64), [0xc3] = OTHER(F64),
	[0xc4 ... 0xc5] = OTHER(M | N64),
	[0xc6] = GRP(G_MOV, RM_I, Z, M | B), [0xc7] = GRP(G_MOV, RM_I, Z, M),
	[0xc8] = OTHERI(WB, D64), [0xc9] = OTHER(D64),
	[0xca] = ROW(RET_FAR, NONE, W, 0), [0xcb] = ROW(RET_FAR, NONE, NONE, 0),
	[0xcc] = ROW(INT3, NONE, NONE, 0),
	[0xcd] = ROW(INT, NONE, UB, 0),
	[0xce] = ROW(INTO, NONE, NONE, N64),
	[0xcf] = ROW(IRET, NONE, NONE, 0),
	[0xd0] = GRP(G_SHIFT, RM_1, NONE, M | B), [0xd1] = GRP(G_SHIFT, RM_1, NONE, M),
	[0xd2] = GRP(G_SHIFT, RM_CL, NONE, M | B), [0xd3] = GRP(G_SHIFT, RM_CL, NONE, M),
	[0xd4 ... 0xd5] = OTHERI(UB, N64),
	[0xd6] = OTHER(N64),
	[0xd7] = OTHER(0),
	[0xd8 ... 0xdf] = OTHER(M),
	[0xe0 ... 0xe3] = OTHERI(B, F64),
	[0xe4] = ROW(IN, I, UB, B), [0xe5] = ROW(IN, I, UB, 0),
	[0xe6] = ROW(OUT, I, UB, B), [0xe7] = ROW(OUT, I, UB, 0),
	[0xe8 ... 0xe9] = OTHERI(Z, F64),
	[0xea] = ROW(JMP_FAR, NONE, FAR, N64),
	[0xeb] = OTHERI(B, F64),
	[0xec] = ROW(IN, NONE, NONE, B), [0xed] = ROW(IN, NONE, NONE, 0),
	[0xee] = ROW(OUT, NONE, NONE, B), [0xef] = ROW(OUT, NONE, NONE, 0),
	[0xf1] = ROW(INT1, NONE, NONE, 0),
	[0xf4] = ROW(HLT, NONE, NONE, 0),
	[0xf5] = OTHER(0),
	[0xf6] = GRP(G_F6, RM, NONE, M | B), [0xf7] = GRP(G_F6, RM, NONE, M),
	[0xf8 ... 0xfd] = OTHER(0),
	[0xfe] = GRP(G_FE, RM, NONE, M | B), [0xff] = GRP(G_FF, RM, NONE, M),
};

const struct pvm_op_row pvm_decode_map1[256] = {
	[0x00] = GRP(G_0F00, RM, NONE, M), [0x01] = GRP(G_0F01, RM, NONE, M),
	[0x02 ... 0x03] = OTHER(M),
	[0x05] = ROW(SYSCALL, NONE, NONE, 0), [0x06] = ROW(CLTS, NONE, NONE, 0),
	[0x07] = ROW(SYSRET, NONE, NONE, 0),
	[0x08] = ROW(INVD, NONE, NONE, 0), [0x09] = ROW(WBINVD, NONE, NONE, 0),
	[0x0b] = ROW(UD, NONE, NONE, 0),
	[0x0d] = OTHER(M), [0x0e] = OTHER(0), [0x0f] = OTHERI(UB, M),
	[0x10 ... 0x17] = OTHER(M | SSE),
	[0x18 ... 0x1f] = ROW(NOP, NONE, NONE, M),
	[0x20] = ROW(MOV_FROM_CR, CR, NONE, M | F64 | L),
	[0x21] = ROW(MOV_FROM_DR, CR, NONE, M | F64),
	[0x22] = ROW(MOV_TO_CR, CR, NONE, M | F64 | L),
	[0x23] = ROW(MOV_TO_DR, CR, NONE, M | F64),
	[0x28 ... 0x2b] = OTHER(M | SSE), [0x2c ... 0x2f] = OTHER(M),
	[0x30] = ROW(WRMSR, NONE, NONE, 0), [0x31] = ROW(RDTSC, NONE, NONE, 0),
	[0x32] = ROW(RDMSR, NONE, NONE, 0), [0x33] = ROW(RDPMC, NONE, NONE, 0),
	[0x34] = ROW(SYSENTER, NONE, NONE, 0), [0x35] = ROW(SYSEXIT, NONE, NONE, 0),
	[0x37] = OTHER(0),
	[0x40 ... 0x4f] = ROW(CMOV, R_RM, NONE, M),
	[0x50 ... 0x6d] = OTHER(M), [0x6e ... 0x6f] = OTHER(M | SSE),
	[0x70 ... 0x73] = OTHERI(UB, M), [0x74 ... 0x76] = OTHER(M), [0x77] = OTHER(0),
	[0x78 ... 0x79] = ROW(VMX, NONE, NONE, M),
	[0x7c ... 0x7d] = OTHER(M), [0x7e ... 0x7f] = OTHER(M | SSE),
	[0x80 ... 0x8f] = OTHERI(Z, F64),
	[0x90 ... 0x9f] = ROW(SETCC, RM, NONE, M | B),
	[0xa0 ... 0xa1] = OTHER(D64),
	[0xa2] = ROW(CPUID, NONE, NONE, 0),
	[0xa3] = ROW(BT, RM_R, NONE, M),
	[0xa4] = ROW(SHLD, RM_R_I, UB, M), [0xa5] = ROW(SHLD, RM_R_CL, NONE, M),
	[0xa8 ... 0xa9] = OTHER(D64),
	[0xaa] = ROW(RSM, NONE, NONE, 0),
	[0xab] = ROW(BTS, RM_R, NONE, M | L),
	[0xac] = ROW(SHRD, RM_R_I, UB, M), [0xad] = ROW(SHRD, RM_R_CL, NONE, M),
	[0xae] = GRP(G_0FAE, NONE, NONE, M),
	[0xaf] = ROW(IMUL, R_RM, NONE, M),
	[0xb0] = ROW(CMPXCHG, RM_R, NONE, M | B | L), [0xb1] = ROW(CMPXCHG, RM_R, NONE, M | L),
	[0xb2] = OTHER(M),
	[0xb3] = ROW(BTR, RM_R, NONE, M | L),
	[0xb4 ... 0xb5] = OTHER(M),
	[0xb6 ... 0xb7] = ROW(MOVZX, R_RM, NONE, M),
	[0xb8 ... 0xb9] = OTHER(M),
	[0xba] = GRP(G_0FBA, RM_I, UB, M),
	[0xbb] = ROW(BTC, RM_R, NONE, M | L),
	[0xbc ... 0xbd] = OTHER(M),
	[0xbe ... 0xbf] = ROW(MOVSX, R_RM, NONE, M),
	[0xc0] = ROW(XADD, RM_R, NONE, M | B | L), [0xc1] = ROW(XADD, RM_R, NONE, M | L),
	[0xc2] = OTHERI(UB, M),
	[0xc3] = ROW(MOV, RM_R, NONE, M),	/* MOVNTI */
	[0xc4 ... 0xc6] = OTHERI(UB, M),
	[0xc7] = GRP(G_0FC7, RM, NONE, M),
	[0xc8 ... 0xcf] = OTHER(0),
	[0xd0 ... 0xd5] = OTHER(M), [0xd6] = OTHER(M | SSE), [0xd7 ... 0xe6] = OTHER(M),
	[0xe7] = OTHER(M | SSE), [0xe8 ... 0xef] = OTHER(M), [0xf0] = OTHER(M | SSE),
	[0xf1 ... 0xfe] = OTHER(M),
	[0xff] = ROW(UD, NONE, NONE, M),
};

/* A zero form or immediate in a group's row means the one of the map's row. */
#define G(op, flags)		{ PVM_OP_##op, 0, 0, flags }
#define GI(op, form, imm)	{ PVM_OP_##op, PVM_FORM_##form, PVM_IMM_##imm, 0 }

const struct pvm_op_row pvm_decode_group[][8] = {
	[G_ALU] = { G(ADD, L), G(OR, L), G(ADC, L), G(SBB, L),
		    G(AND, L), G(SUB, L), G(XOR, L), G(CMP, 0) },
	[G_SHIFT] = { G(ROL, 0), G(ROR, 0), G(RCL, 0), G(RCR, 0),
		      G(SHL, 0), G(SHR, 0), G(SAL, 0), G(SAR, 0) },
	[G_F6] = { GI(TEST, RM_I, Z), GI(TEST, RM_I, Z), G(NOT, L), G(NEG, L),
		   G(MUL, 0), G(IMUL1, 0), G(DIV, 0), G(IDIV, 0) },
	[G_FE] = { G(INC, L), G(DEC, L) },
	[G_FF] = { G(INC, L), G(DEC, L), G(OTHER, F64), G(CALL_FAR, 0),
		   G(OTHER, F64), G(JMP_FAR, 0), G(PUSH, D64) },
	[G_8F] = { G(POP, 0) },
	[G_MOV] = { G(MOV, 0), [7] = G(OTHER, 0) },
	[G_0F00] = { G(SLDT, 0), G(STR, 0), G(LLDT, 0), G(LTR, 0), G(OTHER, 0), G(OTHER, 0) },
	[G_0F01] = { G(SGDT, 0), G(SIDT, 0), G(LGDT, 0), G(LIDT, 0),
		     G(SMSW, 0), G(OTHER, 0), G(LMSW, 0), G(INVLPG, 0) },
	[G_0FBA] = { [4] = G(BT, 0), G(BTS, L), G(BTR, L), G(BTC, L) },
	[G_0FC7] = { [1] = G(CMPXCHGNB, L), [3] = G(OTHER, 0), G(OTHER, 0), G(OTHER, 0),
		     G(OTHER, 0), G(OTHER, 0) },
	[G_0FAE] = { G(OTHER, 0), G(OTHER, 0), G(OTHER, 0), G(OTHER, 0),
		     G(OTHER, 0), G(OTHER, 0), G(OTHER, 0), G(OTHER, 0) },
};

const u32 pvm_decode_groups = ARRAY_SIZE(pvm_decode_group);

#define FF(at, op) \
	[(at) - 0xc0] = PVM_OP_##op

const u8 pvm_decode_0f01[64] = {
	FF(0xc0, OTHER), FF(0xc1, VMCALL), FF(0xc2, VMX), FF(0xc3, VMX), FF(0xc4, VMX),
	FF(0xc8, MONITOR), FF(0xc9, MWAIT), FF(0xca, OTHER), FF(0xcb, OTHER),
	FF(0xd0, XGETBV), FF(0xd1, XSETBV), FF(0xd4, VMX), FF(0xd5, OTHER), FF(0xd6, OTHER),
	FF(0xd8, VMRUN), FF(0xd9, VMMCALL), FF(0xda, VMLOAD), FF(0xdb, VMSAVE),
	FF(0xdc, STGI), FF(0xdd, CLGI), FF(0xde, SKINIT), FF(0xdf, INVLPGA),
	[0x20 ... 0x27] = PVM_OP_SMSW,
	FF(0xe8, OTHER), FF(0xee, OTHER), FF(0xef, OTHER),
	[0x30 ... 0x37] = PVM_OP_LMSW,
	FF(0xf8, OTHER), FF(0xf9, RDTSCP), FF(0xfa, MONITOR), FF(0xfb, MWAIT),
	FF(0xfc, OTHER), FF(0xfd, OTHER), FF(0xfe, OTHER), FF(0xff, OTHER),
};

#define ST	PVM_INSN_STORE
#define AL	PVM_INSN_ALIGNED
#define HI	(PVM_INSN_HIGH | PVM_INSN_MERGE)
#define LO	PVM_INSN_MERGE

const struct pvm_sse_row pvm_decode_sse[] = {
	{ 1, 0x10, 0x00, 0, 0 }, { 1, 0x11, 0x00, 0, ST },		/* MOVUPS */
	{ 1, 0x10, 0x66, 0, 0 }, { 1, 0x11, 0x66, 0, ST },		/* MOVUPD */
	{ 1, 0x10, 0xf3, 4, 0 }, { 1, 0x11, 0xf3, 4, ST },		/* MOVSS */
	{ 1, 0x10, 0xf2, 8, 0 }, { 1, 0x11, 0xf2, 8, ST },		/* MOVSD */
	{ 1, 0x12, 0x00, 8, LO }, { 1, 0x13, 0x00, 8, ST },		/* MOVLPS */
	{ 1, 0x12, 0x66, 8, LO }, { 1, 0x13, 0x66, 8, ST },		/* MOVLPD */
	{ 1, 0x16, 0x00, 8, HI }, { 1, 0x17, 0x00, 8, HI | ST },	/* MOVHPS */
	{ 1, 0x16, 0x66, 8, HI }, { 1, 0x17, 0x66, 8, HI | ST },	/* MOVHPD */
	{ 1, 0x28, 0x00, 0, AL }, { 1, 0x29, 0x00, 0, AL | ST },	/* MOVAPS */
	{ 1, 0x28, 0x66, 0, AL }, { 1, 0x29, 0x66, 0, AL | ST },	/* MOVAPD */
	{ 1, 0x2b, 0x00, 0, AL | ST }, { 1, 0x2b, 0x66, 0, AL | ST },	/* MOVNTPS, MOVNTPD */
	{ 1, 0x6e, 0x66, 1, 0 }, { 1, 0x7e, 0x66, 1, ST },		/* MOVD, MOVQ */
	{ 1, 0x7e, 0xf3, 8, 0 }, { 1, 0xd6, 0x66, 8, ST },		/* MOVQ */
	{ 1, 0x6f, 0x66, 0, AL }, { 1, 0x7f, 0x66, 0, AL | ST },	/* MOVDQA */
	{ 1, 0x6f, 0xf3, 0, 0 }, { 1, 0x7f, 0xf3, 0, ST },		/* MOVDQU */
	{ 1, 0xe7, 0x66, 0, AL | ST },					/* MOVNTDQ */
	{ 1, 0xf0, 0xf2, 0, 0 },					/* LDDQU */
	{ 2, 0x2a, 0x66, 0, AL },					/* MOVNTDQA */
};

const u32 pvm_decode_sse_rows = ARRAY_SIZE(pvm_decode_sse);
