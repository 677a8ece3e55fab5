// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instruction decoder: prefixes, opcode, ModRM, SIB, displacement, immediate,
 * in 16-bit, 32-bit and 64-bit code.
 *
 * The bytes come from the guest and may change between two looks at them, so
 * they are handed in as a copy. EVEX and XOP encodings are unknown.
 *
 * World:   pure
 * Context: any
 * Spec:    SDM2 "Instruction Format"; APM3 1.1
 */
#include "x86/x86.h"

struct pvm_fetch {
	const u8 *bytes;
	u32 count, at;
	int error;		/* -EAGAIN: more bytes; 1: longer than 15 */
};

/* Zero after an error, which the caller looks at once at the end of a stage. */
static u64 fetch(struct pvm_fetch *f, u32 bytes)
{
	u64 val = 0;
	u32 i;

	if (f->error)
		return 0;
	if (f->at + bytes > PVM_INSN_MAX) {
		f->error = 1;
		return 0;
	}
	if (f->at + bytes > f->count) {
		f->error = -EAGAIN;
		return 0;
	}
	for (i = 0; i < bytes; i++)
		val |= (u64)f->bytes[f->at++] << (8 * i);
	return val;
}

static u64 fetch_signed(struct pvm_fetch *f, u32 bytes)
{
	u64 val = fetch(f, bytes);

	switch (bytes) {
	case 1:
		return (u64)(s64)(s8)val;
	case 2:
		return (u64)(s64)(s16)val;
	case 4:
		return (u64)(s64)(s32)val;
	}
	return val;
}

static int raise_ud(struct pvm_fault *fault)
{
	*fault = (struct pvm_fault){ .vector = PVM_VEC_UD };
	return 1;
}

static u8 code_bytes(const struct pvm_regs *regs)
{
	if (pvm_regs_long_mode(regs))
		return 8;
	return regs->seg[PVM_CS].attr & PVM_SEG_DB ? 4 : 2;
}

/* A segment override; in 64-bit mode only FS and GS have an effect. */
static void override(struct pvm_insn *insn, u8 seg)
{
	if (insn->code_bytes == 8 && seg < PVM_FS)
		return;
	insn->seg = seg;
	insn->flags |= PVM_INSN_SEG;
}

/* Returns the first byte that is no prefix. */
static u8 prefixes(struct pvm_insn *insn, struct pvm_fetch *f)
{
	for (;;) {
		u8 b = fetch(f, 1);

		if (f->error)
			return 0;
		switch (b) {
		case 0x26: case 0x2e: case 0x36: case 0x3e:
			override(insn, (b >> 3) & 3);
			break;
		case 0x64: case 0x65:
			override(insn, b & 7);
			break;
		case 0x66:
			insn->flags |= PVM_INSN_66;
			break;
		case 0x67:
			insn->flags |= PVM_INSN_67;
			break;
		case 0xf0:
			insn->flags |= PVM_INSN_LOCK;
			break;
		case 0xf2:	/* the last of the two counts */
			insn->flags = (insn->flags & ~PVM_INSN_REP) | PVM_INSN_REPNE;
			break;
		case 0xf3:
			insn->flags = (insn->flags & ~PVM_INSN_REPNE) | PVM_INSN_REP;
			break;
		default:
			if (insn->code_bytes != 8 || (b & 0xf0) != 0x40)
				return b;
			/* REX counts only directly before the opcode */
			insn->rex = b & 0xf;
			insn->flags |= PVM_INSN_REX;
			continue;
		}
		insn->rex = 0;
		insn->flags &= ~PVM_INSN_REX;
	}
}

static u8 mandatory_prefix(const struct pvm_insn *insn)
{
	if (insn->flags & PVM_INSN_REPNE)
		return 0xf2;
	if (insn->flags & PVM_INSN_REP)
		return 0xf3;
	return insn->flags & PVM_INSN_66 ? 0x66 : 0;
}

/* C4 and C5. Returns -EINVAL for what no row can describe. */
static int decode_vex(struct pvm_insn *insn, struct pvm_fetch *f, u8 escape)
{
	static const u32 pp[4] = { 0, PVM_INSN_66, PVM_INSN_REP, PVM_INSN_REPNE };
	u8 b = fetch(f, 1), last = b;

	insn->rex = b & 0x80 ? 0 : 4;
	insn->map = 1;
	if (escape == 0xc4) {
		insn->rex |= (b & 0x40 ? 0 : 2) | (b & 0x20 ? 0 : 1);
		insn->map = b & 0x1f;
		last = fetch(f, 1);
		insn->rex |= last & 0x80 ? 8 : 0;
	}
	if (insn->code_bytes != 8)
		insn->rex &= ~0x7;
	insn->flags |= PVM_INSN_VEX | pp[last & 3] | (last & 4 ? PVM_INSN_256 : 0);
	insn->opcode = fetch(f, 1);
	return insn->map < 1 || insn->map > 3 ? -EINVAL : 0;
}

/* Whether C4, C5 are VEX and 62, 8F are EVEX, XOP here: looks at the next byte. */
static bool is_extension(const struct pvm_insn *insn, const struct pvm_fetch *f, u8 opcode)
{
	u8 next;

	if (f->at >= f->count)
		return false;	/* the fetch that follows reports it */
	next = f->bytes[f->at];
	switch (opcode) {
	case 0xc4: case 0xc5: case 0x62:
		return insn->code_bytes == 8 || next >= 0xc0;
	case 0x8f:
		return next & 0x38;
	}
	return false;
}

static int decode_opcode(struct pvm_insn *insn, struct pvm_fetch *f)
{
	u8 b = prefixes(insn, f);

	if (is_extension(insn, f, b)) {
		if (b == 0x62 || b == 0x8f)
			return -EINVAL;
		return decode_vex(insn, f, b);
	}
	insn->opcode = b;
	if (b == 0x0f) {
		insn->map = 1;
		insn->opcode = fetch(f, 1);
		if (insn->opcode == 0x38 || insn->opcode == 0x3a) {
			insn->map = insn->opcode == 0x38 ? 2 : 3;
			insn->opcode = fetch(f, 1);
		}
	}
	return 0;
}

/* Maps 0F38 and 0F3A are regular but for these. */
static struct pvm_op_row row_of_map23(const struct pvm_insn *insn)
{
	struct pvm_op_row row = { .op = PVM_OP_OTHER, .flags = PVM_ROW_MODRM };

	if (insn->map == 3) {
		row.imm = PVM_IMM_UB;
		return row;
	}
	if (insn->opcode == 0x2a)
		row.flags |= PVM_ROW_SSE;
	if (insn->flags & PVM_INSN_VEX)
		return row;
	if ((insn->opcode & 0xfe) == 0xf0 && !(insn->flags & PVM_INSN_REPNE)) {
		row.op = PVM_OP_MOVBE;
		row.form = insn->opcode & 1 ? PVM_FORM_RM_R : PVM_FORM_R_RM;
	} else if (insn->opcode == 0x82 && insn->flags & PVM_INSN_66) {
		row.op = PVM_OP_INVPCID;
		row.form = PVM_FORM_R_RM;
		row.flags |= PVM_ROW_F64;
	} else if ((insn->opcode & 0xfe) == 0x80) {
		row.op = PVM_OP_VMX;
	}
	return row;
}

/* The row of the opcode, with the group that ModRM selects merged in. */
static struct pvm_op_row find_row(const struct pvm_insn *insn)
{
	const struct pvm_op_row *group;
	struct pvm_op_row row;

	if (insn->map >= 2)
		return row_of_map23(insn);
	row = insn->map ? pvm_decode_map1[insn->opcode] : pvm_decode_map0[insn->opcode];
	if (insn->flags & PVM_INSN_VEX) {	/* only lengths and moves are shared */
		row.op = row.op ? PVM_OP_OTHER : PVM_OP_NONE;
		return row;
	}
	if (row.op < PVM_OP_GROUPS || (u32)row.op - PVM_OP_GROUPS >= pvm_decode_groups)
		return row;
	group = &pvm_decode_group[row.op - PVM_OP_GROUPS][(insn->modrm >> 3) & 7];
	row.op = group->op;
	row.form = group->form ?: row.form;
	row.imm = group->imm ?: row.imm;
	row.flags |= group->flags;
	return row;
}

/* Opcodes whose meaning depends on more than map, opcode and group. */
static int special_rows(struct pvm_insn *insn, struct pvm_op_row *row)
{
	bool reg_form = insn->modrm >= 0xc0;

	if (insn->flags & PVM_INSN_VEX)
		return 0;
	if (insn->map == 0 && insn->opcode == 0x90 && !(insn->rex & 1)) {
		row->op = insn->flags & PVM_INSN_REP ? PVM_OP_PAUSE : PVM_OP_NOP;
		row->form = PVM_FORM_NONE;
	} else if (insn->map == 0 && insn->opcode == 0x63 && insn->code_bytes != 8) {
		row->op = PVM_OP_OTHER;
	} else if (insn->map == 1 && insn->opcode == 0x01 && reg_form) {
		row->op = pvm_decode_0f01[insn->modrm - 0xc0];
	} else if (insn->map == 1 && insn->opcode == 0x79 && mandatory_prefix(insn)) {
		row->op = PVM_OP_OTHER;		/* SSE4a */
	} else if (insn->map == 1 && insn->opcode == 0x78 && mandatory_prefix(insn)) {
		row->op = PVM_OP_OTHER;
		row->imm = PVM_IMM_W;
	} else if (row->op == PVM_OP_CMPXCHGNB && reg_form) {
		return -EINVAL;
	}
	return 0;
}

static void operand_sizes(struct pvm_insn *insn, const struct pvm_op_row *row)
{
	bool small = insn->flags & PVM_INSN_66;

	if (row->flags & PVM_ROW_BYTE)
		insn->op_bytes = 1;
	else if (row->form == PVM_FORM_CR)
		insn->op_bytes = insn->code_bytes == 8 ? 8 : 4;
	else if (insn->code_bytes == 8)
		insn->op_bytes = insn->rex & 8 || row->flags & PVM_ROW_F64 ? 8 :
				 small ? 2 : row->flags & PVM_ROW_D64 ? 8 : 4;
	else
		insn->op_bytes = (insn->code_bytes == 2) == small ? 4 : 2;

	if (insn->code_bytes == 8)
		insn->addr_bytes = insn->flags & PVM_INSN_67 ? 4 : 8;
	else
		insn->addr_bytes = (insn->code_bytes == 2) == !!(insn->flags & PVM_INSN_67) ? 4 : 2;

	insn->src_bytes = insn->op_bytes;
	switch (row->op) {
	case PVM_OP_MOVZX:
		insn->src_bytes = insn->opcode & 1 ? 2 : 1;
		break;
	case PVM_OP_MOVSX:
		if (insn->map == 0)
			insn->src_bytes = insn->op_bytes == 2 ? 2 : 4;
		else
			insn->src_bytes = insn->opcode & 1 ? 2 : 1;
		break;
	case PVM_OP_CMPXCHGNB:
		insn->op_bytes = insn->rex & 8 ? 16 : 8;
		break;
	case PVM_OP_INS:
	case PVM_OP_OUTS:
	case PVM_OP_IN:
	case PVM_OP_OUT:
		insn->op_bytes = min_t(u8, insn->op_bytes, 4);
		break;
	}
}

static void default_segment(struct pvm_insn *insn, u8 seg)
{
	if (!(insn->flags & PVM_INSN_SEG))
		insn->seg = seg;
}

static void decode_modrm16(struct pvm_insn *insn, struct pvm_fetch *f, u8 mod)
{
	static const u8 base[8] = { PVM_RBX, PVM_RBX, PVM_RBP, PVM_RBP,
				    PVM_RSI, PVM_RDI, PVM_RBP, PVM_RBX };
	static const u8 index[4] = { PVM_RSI, PVM_RDI, PVM_RSI, PVM_RDI };
	u8 rm = insn->modrm & 7;

	if (mod == 0 && rm == 6) {
		insn->disp = fetch_signed(f, 2);
		default_segment(insn, PVM_DS);
		return;
	}
	insn->base = base[rm];
	if (rm < 4)
		insn->index = index[rm];
	default_segment(insn, insn->base == PVM_RBP ? PVM_SS : PVM_DS);
	if (mod)
		insn->disp = fetch_signed(f, mod);
}

static void decode_modrm32(struct pvm_insn *insn, struct pvm_fetch *f, u8 mod)
{
	u8 rm = insn->modrm & 7, disp_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if (rm == 4) {
		u8 sib = fetch(f, 1);

		insn->scale = sib >> 6;
		insn->index = ((sib >> 3) & 7) | (insn->rex & 2 ? 8 : 0);
		if (insn->index == PVM_RSP)
			insn->index = PVM_NO_REG;
		if ((sib & 7) == 5 && mod == 0)
			disp_bytes = 4;
		else
			insn->base = (sib & 7) | (insn->rex & 1 ? 8 : 0);
	} else if (rm == 5 && mod == 0) {
		disp_bytes = 4;
		if (insn->code_bytes == 8)
			insn->flags |= PVM_INSN_RIPREL;
	} else {
		insn->base = rm | (insn->rex & 1 ? 8 : 0);
	}
	default_segment(insn, insn->base == PVM_RSP || insn->base == PVM_RBP ? PVM_SS : PVM_DS);
	if (disp_bytes)
		insn->disp = fetch_signed(f, disp_bytes);
}

static void decode_operands(struct pvm_insn *insn, struct pvm_fetch *f,
			    const struct pvm_op_row *row)
{
	u8 mod = insn->modrm >> 6;

	if (!(row->flags & PVM_ROW_MODRM)) {
		insn->reg = insn->opcode & 7;
		insn->rm = insn->reg | (insn->rex & 1 ? 8 : 0);
		insn->reg = insn->rm;
		return;
	}
	insn->reg = ((insn->modrm >> 3) & 7) | (insn->rex & 4 ? 8 : 0);
	insn->rm = (insn->modrm & 7) | (insn->rex & 1 ? 8 : 0);
	if (mod == 3 || row->form == PVM_FORM_CR)
		return;
	insn->flags |= PVM_INSN_MEM;
	if (insn->addr_bytes == 2)
		decode_modrm16(insn, f, mod);
	else
		decode_modrm32(insn, f, mod);
}

static void decode_imm(struct pvm_insn *insn, struct pvm_fetch *f, u8 imm)
{
	switch (imm) {
	case PVM_IMM_B:
		insn->imm = fetch_signed(f, 1);
		break;
	case PVM_IMM_UB:
		insn->imm = fetch(f, 1);
		break;
	case PVM_IMM_Z:
		insn->imm = fetch_signed(f, min_t(u8, insn->op_bytes, 4));
		break;
	case PVM_IMM_V:
		insn->imm = fetch_signed(f, insn->op_bytes);
		break;
	case PVM_IMM_W:
		insn->imm = fetch(f, 2);
		break;
	case PVM_IMM_WB:
		insn->imm = fetch(f, 2);
		fetch(f, 1);
		break;
	case PVM_IMM_FAR:
		insn->imm = fetch(f, min_t(u8, insn->op_bytes, 4));
		insn->selector = fetch(f, 2);
		break;
	case PVM_IMM_MOFFS:
		insn->imm = fetch(f, insn->addr_bytes);
		insn->flags |= PVM_INSN_MEM;
		default_segment(insn, PVM_DS);
		break;
	}
}

/* Turns a vector row into a move if it is one of those that the emulator does. */
static void decode_sse(struct pvm_insn *insn)
{
	u8 prefix = mandatory_prefix(insn);
	u32 i;

	if (!(insn->flags & PVM_INSN_MEM))
		return;
	for (i = 0; i < pvm_decode_sse_rows; i++) {
		const struct pvm_sse_row *row = &pvm_decode_sse[i];

		if (row->map != insn->map || row->opcode != insn->opcode || row->prefix != prefix)
			continue;
		/* a three-operand load takes the other half from a third register */
		if (insn->flags & PVM_INSN_VEX && row->flags & PVM_INSN_MERGE &&
		    !(row->flags & PVM_INSN_STORE))
			return;
		insn->op = PVM_OP_SSE;
		insn->flags |= row->flags;
		insn->op_bytes = row->bytes > 1 ? row->bytes :
				 row->bytes ? (insn->rex & 8 ? 8 : 4) :
				 insn->flags & PVM_INSN_256 ? 32 : 16;
		return;
	}
}

/* Prefixes and modes that make a known instruction undefined. */
static bool undefined(const struct pvm_insn *insn, const struct pvm_op_row *row)
{
	if (insn->op == PVM_OP_UD)
		return true;
	if (insn->code_bytes == 8 && row->flags & PVM_ROW_NO64)
		return true;
	if (!(insn->flags & PVM_INSN_LOCK))
		return false;
	if (insn->flags & PVM_INSN_VEX)
		return true;
	/* LOCK MOV CR0 is AMD's other name of CR8 */
	if (row->form == PVM_FORM_CR)
		return !(row->flags & PVM_ROW_LOCK) || insn->reg != 0;
	return !(row->flags & PVM_ROW_LOCK && insn->flags & PVM_INSN_MEM);
}

int pvm_decode(struct pvm_insn *insn, const struct pvm_regs *regs, const u8 *bytes, u32 count,
	       struct pvm_fault *fault)
{
	struct pvm_fetch f = { .bytes = bytes, .count = min_t(u32, count, PVM_INSN_MAX) };
	struct pvm_op_row row;
	int r;

	*insn = (struct pvm_insn){
		.base = PVM_NO_REG, .index = PVM_NO_REG, .seg = PVM_DS,
		.code_bytes = code_bytes(regs),
	};
	r = decode_opcode(insn, &f);
	if (f.error)
		goto bad_fetch;
	if (r)
		return r;

	/* Peek: the group is known before the operand size, ModRM is read once. */
	row = find_row(insn);
	if (row.flags & PVM_ROW_MODRM) {
		insn->modrm = fetch(&f, 1);
		if (f.error)
			goto bad_fetch;
		row = find_row(insn);
	}
	r = special_rows(insn, &row);
	if (r)
		return r;
	if (row.op == PVM_OP_NONE || row.op >= PVM_OP_GROUPS)
		return -EINVAL;
	insn->op = row.op;
	insn->form = row.form;
	operand_sizes(insn, &row);
	decode_operands(insn, &f, &row);
	decode_imm(insn, &f, row.imm);
	if (f.error)
		goto bad_fetch;
	insn->len = f.at;
	if (undefined(insn, &row))
		return raise_ud(fault);
	if (row.form == PVM_FORM_CR && insn->flags & PVM_INSN_LOCK)
		insn->reg = 8;
	if (row.flags & PVM_ROW_SSE)
		decode_sse(insn);
	return 0;

bad_fetch:
	if (f.error < 0)
		return f.error;
	*fault = (struct pvm_fault){ .vector = PVM_VEC_GP, .has_error = true };
	return 1;
}

u32 pvm_insn_len(const struct pvm_insn *insn)
{
	return insn->len;
}

u64 pvm_insn_next_rip(const struct pvm_regs *regs, u32 length)
{
	u64 rip = regs->rip + length;

	return pvm_regs_long_mode(regs) ? rip : (u32)rip;
}

u32 pvm_insn_quick_len(const u8 *bytes, u32 count, bool long_mode, u32 opcode, u32 opcode_bytes)
{
	u32 i, at = 0;

	for (; at < count && at + opcode_bytes < PVM_INSN_MAX; at++) {
		u8 b = bytes[at];

		if (b == 0x66 || b == 0x67 || b == 0xf2 || b == 0xf3 || (b & 0xe7) == 0x26 ||
		    (b & 0xfe) == 0x64 || (long_mode && (b & 0xf0) == 0x40))
			continue;
		break;
	}
	if (at + opcode_bytes > count)
		return 0;
	for (i = 0; i < opcode_bytes; i++)
		if (bytes[at + i] != (u8)(opcode >> (8 * (opcode_bytes - 1 - i))))
			return 0;
	return at + opcode_bytes;
}
