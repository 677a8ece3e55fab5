/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A decoded instruction.
 *
 * World:   pure
 * Context: any
 * Spec:    SDM2 "Instruction Format"; APM3 "Instruction Encoding"
 */
#ifndef PVM_X86_INSN_H
#define PVM_X86_INSN_H

#include <pvm/env.h>

/*
 * What an instruction does. The eight ALU and the eight shift operations are in
 * the order of their encoding. From PVM_OP_TRAPS on they are only decoded: some
 * intercept ends in them and its handler does the work; pvm_exec() refuses them.
 */
enum pvm_op {
	PVM_OP_NONE,		/* not in the tables */
	PVM_OP_ADD, PVM_OP_OR, PVM_OP_ADC, PVM_OP_SBB,
	PVM_OP_AND, PVM_OP_SUB, PVM_OP_XOR, PVM_OP_CMP,
	PVM_OP_ROL, PVM_OP_ROR, PVM_OP_RCL, PVM_OP_RCR,
	PVM_OP_SHL, PVM_OP_SHR, PVM_OP_SAL, PVM_OP_SAR,
	PVM_OP_TEST, PVM_OP_NOT, PVM_OP_NEG, PVM_OP_INC, PVM_OP_DEC,
	PVM_OP_BT, PVM_OP_BTS, PVM_OP_BTR, PVM_OP_BTC,
	PVM_OP_SHLD, PVM_OP_SHRD,
	PVM_OP_XCHG, PVM_OP_XADD, PVM_OP_CMPXCHG,
	PVM_OP_MOV, PVM_OP_MOVZX, PVM_OP_MOVSX, PVM_OP_MOVBE,
	PVM_OP_CMPXCHGNB, PVM_OP_SETCC, PVM_OP_CMOV,
	PVM_OP_MUL, PVM_OP_IMUL1, PVM_OP_DIV, PVM_OP_IDIV, PVM_OP_IMUL,
	PVM_OP_PUSH, PVM_OP_POP,
	PVM_OP_STOS, PVM_OP_MOVS, PVM_OP_LODS, PVM_OP_CMPS, PVM_OP_SCAS,
	PVM_OP_INS, PVM_OP_OUTS,
	PVM_OP_MOV_FROM_SREG, PVM_OP_MOV_TO_SREG, PVM_OP_SMSW,
	PVM_OP_SSE,		/* a load or store of an XMM or YMM register */
	PVM_OP_NOP,
	PVM_OP_TRAPS,
	PVM_OP_OTHER = PVM_OP_TRAPS,	/* only its length is known */
	PVM_OP_CPUID, PVM_OP_RDMSR, PVM_OP_WRMSR, PVM_OP_HLT, PVM_OP_PAUSE,
	PVM_OP_RDTSC, PVM_OP_RDTSCP, PVM_OP_RDPMC, PVM_OP_INVD, PVM_OP_WBINVD,
	PVM_OP_MOV_FROM_CR, PVM_OP_MOV_TO_CR, PVM_OP_MOV_FROM_DR, PVM_OP_MOV_TO_DR,
	PVM_OP_CLTS, PVM_OP_LMSW, PVM_OP_INVLPG, PVM_OP_INVLPGA, PVM_OP_INVPCID,
	PVM_OP_XGETBV, PVM_OP_XSETBV, PVM_OP_MONITOR, PVM_OP_MWAIT,
	PVM_OP_VMCALL, PVM_OP_VMMCALL, PVM_OP_VMRUN, PVM_OP_VMLOAD, PVM_OP_VMSAVE,
	PVM_OP_STGI, PVM_OP_CLGI, PVM_OP_SKINIT, PVM_OP_VMX,
	PVM_OP_IN, PVM_OP_OUT,
	PVM_OP_INT3, PVM_OP_INT1, PVM_OP_INT, PVM_OP_INTO, PVM_OP_IRET, PVM_OP_RSM,
	PVM_OP_JMP_FAR, PVM_OP_CALL_FAR, PVM_OP_RET_FAR, PVM_OP_PUSHF, PVM_OP_POPF,
	PVM_OP_SGDT, PVM_OP_SIDT, PVM_OP_LGDT, PVM_OP_LIDT,
	PVM_OP_SLDT, PVM_OP_STR, PVM_OP_LLDT, PVM_OP_LTR,
	PVM_OP_SYSCALL, PVM_OP_SYSRET, PVM_OP_SYSENTER, PVM_OP_SYSEXIT, PVM_OP_UD,
	PVM_OP_GROUPS = 200,	/* in the opcode maps: group number follows */
};

/* Where the operands are; destination first. */
enum pvm_form {
	PVM_FORM_NONE,
	PVM_FORM_RM_R, PVM_FORM_R_RM, PVM_FORM_RM_I, PVM_FORM_ACC_I, PVM_FORM_RM,
	PVM_FORM_R, PVM_FORM_R_I, PVM_FORM_I, PVM_FORM_ACC_R, PVM_FORM_ACC_MOFFS,
	PVM_FORM_MOFFS_ACC, PVM_FORM_RM_1, PVM_FORM_RM_CL, PVM_FORM_R_RM_I,
	PVM_FORM_RM_R_I, PVM_FORM_RM_R_CL, PVM_FORM_STRING, PVM_FORM_CR,
};

#define PVM_INSN_MEM	BIT(0)	/* the r/m (or moffs) operand is memory */
#define PVM_INSN_LOCK	BIT(1)
#define PVM_INSN_REP	BIT(2)	/* F3 */
#define PVM_INSN_REPNE	BIT(3)	/* F2 */
#define PVM_INSN_66	BIT(4)
#define PVM_INSN_67	BIT(5)
#define PVM_INSN_REX	BIT(6)	/* byte registers 4..7 are SPL, BPL, SIL, DIL */
#define PVM_INSN_SEG	BIT(7)	/* a segment override that counts */
#define PVM_INSN_RIPREL	BIT(8)
#define PVM_INSN_VEX	BIT(9)
#define PVM_INSN_256	BIT(10)
#define PVM_INSN_STORE	BIT(11)	/* SSE: register to memory */
#define PVM_INSN_ALIGNED BIT(12)	/* SSE: #GP unless aligned */
#define PVM_INSN_HIGH	BIT(13)	/* SSE: upper half of the low 128 bits */
#define PVM_INSN_MERGE	BIT(14)	/* SSE: other half of the register is kept */

#define PVM_NO_REG	0xff

/*
 * @reg and @rm hold register numbers with the REX bits added. For MOV CRn and
 * DRn @reg is the control or debug register and @rm the general one.
 */
struct pvm_insn {
	u64 imm;		/* sign-extended; moffs: the offset */
	u64 disp;		/* sign-extended */
	u32 flags;		/* PVM_INSN_* */
	u16 selector;		/* of a far pointer */
	u8 op;			/* enum pvm_op */
	u8 form;		/* enum pvm_form */
	u8 len;
	u8 map;			/* 0 one byte, 1 0F, 2 0F38, 3 0F3A */
	u8 opcode;
	u8 code_bytes;		/* 2, 4 or 8: what the code segment says */
	u8 op_bytes;		/* of the destination */
	u8 src_bytes;		/* of the source: MOVZX, MOVSX */
	u8 addr_bytes;
	u8 seg;			/* of the memory operand: enum pvm_sreg */
	u8 rex;			/* W 8, R 4, X 2, B 1; also from VEX */
	u8 modrm;
	u8 reg, rm;
	u8 base, index;		/* PVM_NO_REG where absent */
	u8 scale;		/* shift */
};

/* ---- The opcode maps (decode_table.c) ---- */

enum pvm_imm {
	PVM_IMM_NONE,
	PVM_IMM_B,		/* a byte, sign-extended */
	PVM_IMM_UB,		/* a byte, zero-extended */
	PVM_IMM_Z,		/* operand size, at most 4 bytes */
	PVM_IMM_V,		/* operand size, also 8 bytes */
	PVM_IMM_W,		/* two bytes */
	PVM_IMM_WB,		/* two bytes and one: ENTER */
	PVM_IMM_FAR,		/* far pointer */
	PVM_IMM_MOFFS,		/* address size */
};

#define PVM_ROW_MODRM	BIT(0)
#define PVM_ROW_BYTE	BIT(1)	/* 8-bit operands */
#define PVM_ROW_NO64	BIT(2)	/* #UD in 64-bit mode */
#define PVM_ROW_D64	BIT(3)	/* operand size is 64 bits in 64-bit mode, 16 with 66 */
#define PVM_ROW_LOCK	BIT(4)	/* LOCK is allowed on memory */
#define PVM_ROW_SSE	BIT(5)	/* a move if pvm_decode_sse[] has it */
#define PVM_ROW_F64	BIT(6)	/* operand size is always 64 bits in 64-bit mode */

struct pvm_op_row {
	u8 op;
	u8 form;
	u8 imm;
	u8 flags;
};

/* Moves of vector registers, found by map, opcode and mandatory prefix. */
struct pvm_sse_row {
	u8 map, opcode;
	u8 prefix;		/* 0, 0x66, 0xf3, 0xf2 */
	u8 bytes;		/* 0: the whole register; 1: 4 or 8 by W; else as it is */
	u16 flags;		/* PVM_INSN_STORE and the like */
};

extern const struct pvm_op_row pvm_decode_map0[256];
extern const struct pvm_op_row pvm_decode_map1[256];
extern const struct pvm_op_row pvm_decode_group[][8];
extern const u32 pvm_decode_groups;
extern const struct pvm_sse_row pvm_decode_sse[];
extern const u32 pvm_decode_sse_rows;

/* 0F 01 with a register form: one row for each of C0..FF. */
extern const u8 pvm_decode_0f01[64];

#endif /* PVM_X86_INSN_H */
