// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executor: operands, segment checks, and the instructions that move, modify
 * and exchange.
 *
 * Every handler does what can fail first and changes registers last, so that a
 * fault leaves them as they were.
 *
 * World:   pure
 * Context: any; ops decide
 * Spec:    SDM2 "Instruction Set Reference"; SDM3 "Protection"
 */
#include "x86/exec.h"

int pvm_exec_raise(struct pvm_exec *x, u8 vector, u32 error)
{
	*x->fault = (struct pvm_fault){
		.vector = vector,
		.has_error = vector == PVM_VEC_GP || vector == PVM_VEC_SS ||
			     vector == PVM_VEC_NP || vector == PVM_VEC_TS,
		.error = error,
	};
	return 1;
}

/* ---- registers ---- */

static bool high_byte(const struct pvm_exec *x, u8 reg, u32 bytes)
{
	return bytes == 1 && reg >= 4 && reg < 8 && !(x->insn->flags & PVM_INSN_REX);
}

u64 pvm_exec_gpr(const struct pvm_exec *x, u8 reg, u32 bytes)
{
	reg &= 15;
	if (high_byte(x, reg, bytes))
		return (x->regs->gpr[reg - 4] >> 8) & 0xff;
	return x->regs->gpr[reg] & pvm_bytes_mask(bytes);
}

void pvm_exec_set_gpr(struct pvm_exec *x, u8 reg, u32 bytes, u64 val)
{
	u64 mask = bytes == 4 ? ~0ull : pvm_bytes_mask(bytes);
	u64 *gpr;

	reg &= 15;
	val &= pvm_bytes_mask(bytes);
	if (high_byte(x, reg, bytes)) {
		reg -= 4;
		mask <<= 8;
		val <<= 8;
	}
	gpr = &x->regs->gpr[reg];
	*gpr = (*gpr & ~mask) | val;
}

/* ---- addresses ---- */

static u64 effective_offset(const struct pvm_insn *insn, const struct pvm_regs *regs)
{
	u64 offset = insn->disp;

	if (insn->form == PVM_FORM_ACC_MOFFS || insn->form == PVM_FORM_MOFFS_ACC)
		return insn->imm;
	if (insn->flags & PVM_INSN_RIPREL)
		offset += regs->rip + insn->len;
	if (insn->base != PVM_NO_REG)
		offset += regs->gpr[insn->base & 15];
	if (insn->index != PVM_NO_REG)
		offset += regs->gpr[insn->index & 15] << insn->scale;
	return offset & pvm_bytes_mask(insn->addr_bytes);
}

u64 pvm_exec_offset(const struct pvm_exec *x)
{
	return effective_offset(x->insn, x->regs);
}

u64 pvm_insn_linear(const struct pvm_insn *insn, const struct pvm_regs *regs)
{
	u64 offset = effective_offset(insn, regs);

	if (!pvm_regs_long_mode(regs))
		return (u32)(offset + regs->seg[insn->seg & 7].base);
	if (insn->seg == PVM_FS || insn->seg == PVM_GS)
		offset += regs->seg[insn->seg].base;
	return offset;
}

static bool canonical(const struct pvm_regs *regs, u64 linear)
{
	u32 shift = regs->cr4 & PVM_CR4_LA57 ? 64 - 57 : 64 - 48;

	return (u64)((s64)(linear << shift) >> shift) == linear;
}

bool pvm_exec_addressable(const struct pvm_regs *regs, u64 linear, u32 bytes)
{
	u64 last = linear + bytes - 1;

	if (!(regs->efer & PVM_EFER_LMA))
		return last <= 0xffffffff;
	return canonical(regs, linear) && canonical(regs, last) && last >= linear;
}

/* SDM3 "Type Checking": may a segment of this type be read or written? */
static bool segment_allows(const struct pvm_seg *seg, bool write)
{
	if (!(seg->attr & PVM_SEG_P) || seg->attr & PVM_SEG_UNUSABLE)
		return false;
	if (seg->attr & PVM_SEG_CODE)
		return !write && seg->attr & PVM_SEG_WRITE;
	return !write || seg->attr & PVM_SEG_WRITE;
}

static bool within_limit(const struct pvm_seg *seg, u64 first, u64 last)
{
	u64 top = seg->attr & PVM_SEG_DB ? 0xffffffff : 0xffff;

	if ((seg->attr & (PVM_SEG_S | PVM_SEG_CODE | PVM_SEG_DOWN)) == (PVM_SEG_S | PVM_SEG_DOWN))
		return first > seg->limit && last <= top;
	return last <= seg->limit;
}

int pvm_exec_linear(struct pvm_exec *x, u8 nr, u64 offset, u32 bytes, bool write, u64 *linear)
{
	const struct pvm_regs *regs = x->regs;
	const struct pvm_seg *seg = &regs->seg[nr & 7];
	u8 vector = nr == PVM_SS ? PVM_VEC_SS : PVM_VEC_GP;
	bool real = !(regs->cr0 & PVM_CR0_PE) || regs->rflags & PVM_FLAG_VM;

	if (pvm_regs_long_mode(regs)) {
		if (nr == PVM_FS || nr == PVM_GS)
			offset += seg->base;
		if (!pvm_exec_addressable(regs, offset, bytes))
			return pvm_exec_raise(x, vector, 0);
		*linear = offset;
		return 0;
	}
	if (!real && !segment_allows(seg, write))
		return pvm_exec_raise(x, vector, 0);
	if (!within_limit(seg, offset, offset + bytes - 1))
		return pvm_exec_raise(x, vector, 0);
	*linear = (u32)(seg->base + offset);
	/* Across 4 GiB the architecture leaves it open; no access wraps here. */
	if (*linear + bytes - 1 > 0xffffffff)
		return pvm_exec_raise(x, vector, 0);
	return 0;
}

static u32 own_access(const struct pvm_exec *x)
{
	return x->regs->cpl == 3 ? PVM_ACCESS_USER : 0;
}

int pvm_exec_load(struct pvm_exec *x, u64 linear, void *to, u32 bytes, bool modify)
{
	return x->ops->read(x->ctx, linear, to, bytes,
			    own_access(x) | (modify ? PVM_ACCESS_WRITE : 0), x->fault);
}

int pvm_exec_store(struct pvm_exec *x, u64 linear, const void *from, u32 bytes)
{
	return x->ops->write(x->ctx, linear, from, bytes, own_access(x) | PVM_ACCESS_WRITE,
			     x->fault);
}

static int rm_linear(struct pvm_exec *x, u32 bytes, bool write, u64 *linear)
{
	return pvm_exec_linear(x, x->insn->seg, pvm_exec_offset(x), bytes, write, linear);
}

int pvm_exec_read_rm(struct pvm_exec *x, u32 bytes, u64 *val)
{
	u64 linear;
	int r;

	if (!(x->insn->flags & PVM_INSN_MEM)) {
		*val = pvm_exec_gpr(x, x->insn->rm, bytes);
		return 0;
	}
	*val = 0;
	r = rm_linear(x, bytes, false, &linear);
	return r ?: pvm_exec_load(x, linear, val, bytes, false);
}

int pvm_exec_write_rm(struct pvm_exec *x, u32 bytes, u64 val)
{
	u64 linear;
	int r;

	if (!(x->insn->flags & PVM_INSN_MEM)) {
		pvm_exec_set_gpr(x, x->insn->rm, bytes, val);
		return 0;
	}
	r = rm_linear(x, bytes, true, &linear);
	return r ?: pvm_exec_store(x, linear, &val, bytes);
}

/* ---- operations that read, compute and write back ---- */

/* A bit number in a register selects memory beyond the operand: SDM2 "BT". */
static u64 bit_string_offset(const struct pvm_exec *x, u64 offset, u64 *bit)
{
	u32 bytes = x->insn->op_bytes;
	s64 nr = bytes == 8 ? (s64)*bit : bytes == 4 ? (s32)*bit : (s16)*bit;
	u32 shift = bytes == 8 ? 6 : bytes == 4 ? 5 : 4;

	*bit = nr & (8 * bytes - 1);
	return (offset + (u64)(nr >> shift) * bytes) & pvm_bytes_mask(x->insn->addr_bytes);
}

/* Source operand, by form. */
static void alu_operands(const struct pvm_exec *x, struct pvm_alu *a)
{
	const struct pvm_insn *insn = x->insn;

	switch (insn->form) {
	case PVM_FORM_RM_I:
	case PVM_FORM_ACC_I:
		a->src = insn->imm;
		break;
	case PVM_FORM_RM_1:
		a->src = 1;
		break;
	case PVM_FORM_RM_CL:
		a->src = x->regs->gpr[PVM_RCX];
		break;
	case PVM_FORM_RM_R_I:
		a->aux = insn->imm;
		a->src = pvm_exec_gpr(x, insn->reg, a->bytes);
		break;
	case PVM_FORM_RM_R_CL:
		a->aux = x->regs->gpr[PVM_RCX];
		a->src = pvm_exec_gpr(x, insn->reg, a->bytes);
		break;
	case PVM_FORM_RM_R:
		a->src = pvm_exec_gpr(x, insn->reg, a->bytes);
		break;
	case PVM_FORM_ACC_R:
		a->src = pvm_exec_gpr(x, insn->rm, a->bytes);
		break;
	}
	if (a->op == PVM_OP_CMPXCHG)
		a->aux = pvm_exec_gpr(x, PVM_RAX, a->bytes);
	a->src &= pvm_bytes_mask(a->bytes);
	a->flags = x->regs->rflags;
}

/* What XCHG, XADD and CMPXCHG leave in registers beside the destination. */
static void alu_results(struct pvm_exec *x, const struct pvm_alu *a)
{
	if (a->op == PVM_OP_XCHG || a->op == PVM_OP_XADD) {
		u8 reg = x->insn->form == PVM_FORM_ACC_R ? x->insn->rm : x->insn->reg;

		pvm_exec_set_gpr(x, reg, a->bytes, a->src);
	}
	if (a->op == PVM_OP_CMPXCHG && !(a->flags & PVM_FLAG_ZF))
		pvm_exec_set_gpr(x, PVM_RAX, a->bytes, a->aux);
	x->regs->rflags = a->flags;
}

static int locked_swap(struct pvm_exec *x, u64 linear, void *expected, const void *desired,
		       u32 bytes, bool *swapped)
{
	/* the parentheses keep the macro of that name away */
	return (x->ops->cmpxchg)(x->ctx, linear, expected, desired, bytes, swapped, x->fault);
}

static int modify_memory(struct pvm_exec *x, struct pvm_alu *in)
{
	const struct pvm_insn *insn = x->insn;
	bool reads_only = in->op == PVM_OP_CMP || in->op == PVM_OP_TEST || in->op == PVM_OP_BT;
	bool locked = insn->flags & PVM_INSN_LOCK || in->op == PVM_OP_XCHG;
	u64 offset = pvm_exec_offset(x), linear;
	u32 try;
	int r;

	if (in->op >= PVM_OP_BT && in->op <= PVM_OP_BTC && insn->form == PVM_FORM_RM_R)
		offset = bit_string_offset(x, offset, &in->src);
	r = pvm_exec_linear(x, insn->seg, offset, in->bytes, !reads_only, &linear);
	if (r)
		return r;
	for (try = 0; try < PVM_EXEC_RETRIES; try++) {
		struct pvm_alu a = *in;
		bool swapped = true;
		u64 old;

		r = pvm_exec_load(x, linear, &a.dst, a.bytes, !reads_only);
		if (r)
			return r;
		old = a.dst;
		pvm_exec_alu(&a);
		if (a.write && locked)
			r = locked_swap(x, linear, &old, &a.dst, a.bytes, &swapped);
		else if (a.write)
			r = pvm_exec_store(x, linear, &a.dst, a.bytes);
		if (r)
			return r;
		if (swapped) {
			alu_results(x, &a);
			return 0;
		}
	}
	return -EAGAIN;
}

static int exec_modify(struct pvm_exec *x)
{
	const struct pvm_insn *insn = x->insn;
	struct pvm_alu a = { .op = insn->op, .bytes = insn->op_bytes };
	u8 dst = insn->rm;

	alu_operands(x, &a);
	if (insn->flags & PVM_INSN_MEM && insn->form != PVM_FORM_R_RM)
		return modify_memory(x, &a);

	switch (insn->form) {
	case PVM_FORM_ACC_I:
	case PVM_FORM_ACC_R:
		dst = PVM_RAX;
		break;
	case PVM_FORM_R_RM: {
		int r = pvm_exec_read_rm(x, a.bytes, &a.src);

		if (r)
			return r;
		dst = insn->reg;
		break;
	}
	}
	a.dst = pvm_exec_gpr(x, dst, a.bytes);
	pvm_exec_alu(&a);
	alu_results(x, &a);
	if (a.write)
		pvm_exec_set_gpr(x, dst, a.bytes, a.dst);
	return 0;
}

/* CMPXCHG8B and CMPXCHG16B: half of op_bytes in each register. */
static int exec_cmpxchg_pair(struct pvm_exec *x)
{
	const u64 *gpr = x->regs->gpr;
	u32 bytes = x->insn->op_bytes, half = bytes / 2;
	u64 expected[2] = { 0 }, desired[2] = { gpr[PVM_RBX], gpr[PVM_RCX] };
	u64 low, high, linear;
	bool swapped = true;
	int r;

	r = rm_linear(x, bytes, true, &linear);
	if (r)
		return r;
	if (bytes == 16 && linear & 15)
		return pvm_exec_raise(x, PVM_VEC_GP, 0);
	r = pvm_exec_load(x, linear, expected, bytes, true);
	if (r)
		return r;
	low = half == 8 ? expected[0] : (u32)expected[0];
	high = half == 8 ? expected[1] : expected[0] >> 32;
	if (low != pvm_exec_gpr(x, PVM_RAX, half) || high != pvm_exec_gpr(x, PVM_RDX, half)) {
		pvm_exec_set_gpr(x, PVM_RAX, half, low);
		pvm_exec_set_gpr(x, PVM_RDX, half, high);
		x->regs->rflags &= ~PVM_FLAG_ZF;
		return 0;
	}
	if (half == 4)
		desired[0] = (u32)gpr[PVM_RBX] | gpr[PVM_RCX] << 32;
	r = locked_swap(x, linear, expected, desired, bytes, &swapped);
	if (r)
		return r;
	if (!swapped)	/* changed since it was read: look again */
		return -EAGAIN;
	x->regs->rflags |= PVM_FLAG_ZF;
	return 0;
}

/* ---- moves ---- */

static u64 swap_bytes(u64 val, u32 bytes)
{
	u64 out = 0;

	for (; bytes; bytes--, val >>= 8)
		out = out << 8 | (val & 0xff);
	return out;
}

static u64 sign_extend(u64 val, u32 bytes)
{
	u32 shift = 64 - 8 * bytes;

	return (u64)((s64)(val << shift) >> shift);
}

static int exec_mov(struct pvm_exec *x)
{
	const struct pvm_insn *insn = x->insn;
	u32 bytes = insn->op_bytes;
	u64 val;
	int r;

	switch (insn->form) {
	case PVM_FORM_RM_R:
		val = pvm_exec_gpr(x, insn->reg, bytes);
		if (insn->op == PVM_OP_MOVBE)
			val = swap_bytes(val, bytes);
		return pvm_exec_write_rm(x, bytes, val);
	case PVM_FORM_MOFFS_ACC:
		return pvm_exec_write_rm(x, bytes, pvm_exec_gpr(x, PVM_RAX, bytes));
	case PVM_FORM_RM_I:
		return pvm_exec_write_rm(x, bytes, insn->imm);
	case PVM_FORM_R_I:
		pvm_exec_set_gpr(x, insn->reg, bytes, insn->imm);
		return 0;
	case PVM_FORM_R_RM:
	case PVM_FORM_ACC_MOFFS:
		break;
	default:
		return -EINVAL;
	}
	r = pvm_exec_read_rm(x, insn->src_bytes, &val);
	if (r)
		return r;
	if (insn->op == PVM_OP_MOVBE)
		val = swap_bytes(val, bytes);
	if (insn->op == PVM_OP_MOVSX)
		val = sign_extend(val, insn->src_bytes);
	pvm_exec_set_gpr(x, insn->form == PVM_FORM_ACC_MOFFS ? PVM_RAX : insn->reg, bytes, val);
	return 0;
}

static int exec_conditional(struct pvm_exec *x)
{
	const struct pvm_insn *insn = x->insn;
	bool met = pvm_exec_condition(insn->opcode & 15, x->regs->rflags);
	u64 val;
	int r;

	if (insn->op == PVM_OP_SETCC)
		return pvm_exec_write_rm(x, 1, met);
	r = pvm_exec_read_rm(x, insn->op_bytes, &val);
	if (r)
		return r;
	if (!met)	/* 32-bit forms clear the upper half all the same */
		val = pvm_exec_gpr(x, insn->reg, insn->op_bytes);
	pvm_exec_set_gpr(x, insn->reg, insn->op_bytes, val);
	return 0;
}

/* ---- stack ---- */

static u32 stack_bytes(const struct pvm_exec *x)
{
	if (pvm_regs_long_mode(x->regs))
		return 8;
	return x->regs->seg[PVM_SS].attr & PVM_SEG_DB ? 4 : 2;
}

static int exec_push(struct pvm_exec *x)
{
	const struct pvm_insn *insn = x->insn;
	u32 bytes = insn->op_bytes, width = stack_bytes(x);
	u64 val = insn->imm, top, linear;
	int r;

	if (insn->form == PVM_FORM_R)
		val = pvm_exec_gpr(x, insn->rm, bytes);
	if (insn->form == PVM_FORM_RM) {
		r = pvm_exec_read_rm(x, bytes, &val);
		if (r)
			return r;
	}
	top = (x->regs->gpr[PVM_RSP] - bytes) & pvm_bytes_mask(width);
	r = pvm_exec_linear(x, PVM_SS, top, bytes, true, &linear);
	r = r ?: pvm_exec_store(x, linear, &val, bytes);
	if (r)
		return r;
	pvm_exec_set_gpr(x, PVM_RSP, width, top);
	return 0;
}

/* The address of the destination counts with RSP already incremented. */
static int exec_pop(struct pvm_exec *x)
{
	const struct pvm_insn *insn = x->insn;
	u32 bytes = insn->op_bytes, width = stack_bytes(x);
	u64 rsp = x->regs->gpr[PVM_RSP], val = 0, linear;
	int r;

	r = pvm_exec_linear(x, PVM_SS, rsp & pvm_bytes_mask(width), bytes, false, &linear);
	r = r ?: pvm_exec_load(x, linear, &val, bytes, false);
	if (r)
		return r;
	pvm_exec_set_gpr(x, PVM_RSP, width, rsp + bytes);
	r = pvm_exec_write_rm(x, bytes, val);
	if (r)
		x->regs->gpr[PVM_RSP] = rsp;
	return r;
}

static int exec_smsw(struct pvm_exec *x)
{
	u32 bytes = x->insn->flags & PVM_INSN_MEM ? 2 : x->insn->op_bytes;

	if (x->regs->cr4 & PVM_CR4_UMIP && x->regs->cpl)
		return pvm_exec_raise(x, PVM_VEC_GP, 0);
	return pvm_exec_write_rm(x, bytes, x->regs->cr0);
}

/* ---- dispatch ---- */

static int exec_one(struct pvm_exec *x)
{
	u8 op = x->insn->op;

	if (op >= PVM_OP_ADD && op <= PVM_OP_CMPXCHG)
		return exec_modify(x);
	switch (op) {
	case PVM_OP_MOV:
	case PVM_OP_MOVZX:
	case PVM_OP_MOVSX:
	case PVM_OP_MOVBE:
		return exec_mov(x);
	case PVM_OP_CMPXCHGNB:
		return exec_cmpxchg_pair(x);
	case PVM_OP_SETCC:
	case PVM_OP_CMOV:
		return exec_conditional(x);
	case PVM_OP_MUL:
	case PVM_OP_IMUL1:
	case PVM_OP_DIV:
	case PVM_OP_IDIV:
	case PVM_OP_IMUL:
		return pvm_exec_multiply(x);
	case PVM_OP_PUSH:
		return exec_push(x);
	case PVM_OP_POP:
		return exec_pop(x);
	case PVM_OP_STOS:
	case PVM_OP_MOVS:
	case PVM_OP_LODS:
	case PVM_OP_CMPS:
	case PVM_OP_SCAS:
	case PVM_OP_INS:
	case PVM_OP_OUTS:
		return pvm_exec_string(x);
	case PVM_OP_MOV_FROM_SREG:
		return pvm_exec_from_sreg(x);
	case PVM_OP_MOV_TO_SREG:
		return pvm_exec_to_sreg(x);
	case PVM_OP_SMSW:
		return exec_smsw(x);
	case PVM_OP_SSE:
		return pvm_exec_sse(x);
	case PVM_OP_NOP:
		return 0;
	}
	return -EINVAL;
}

static enum pvm_emul answer(int r)
{
	if (r == 0)
		return PVM_EMUL_DONE;
	if (r > 0)
		return PVM_EMUL_FAULT;
	return r == -EAGAIN ? PVM_EMUL_AGAIN : PVM_EMUL_FAIL;
}

enum pvm_emul pvm_exec(const struct pvm_insn *insn, struct pvm_regs *regs,
		       const struct pvm_emul_ops *ops, void *ctx, u32 max_iterations,
		       struct pvm_fault *fault)
{
	struct pvm_exec x = {
		.insn = insn, .regs = regs, .ops = ops, .ctx = ctx, .fault = fault,
		.max_iterations = regs->rflags & PVM_FLAG_TF ? 1 : max_t(u32, max_iterations, 1),
	};
	int r = exec_one(&x);

	if (!r && x.partial)
		return PVM_EMUL_AGAIN;
	if (!r)
		regs->rip = pvm_insn_next_rip(regs, insn->len);
	return answer(r);
}

enum pvm_emul pvm_insn_read_rm(const struct pvm_insn *insn, struct pvm_regs *regs,
			       const struct pvm_emul_ops *ops, void *ctx, u32 bytes, u64 *val,
			       struct pvm_fault *fault)
{
	struct pvm_exec x = {
		.insn = insn, .regs = regs, .ops = ops, .ctx = ctx, .fault = fault,
	};

	return answer(pvm_exec_read_rm(&x, bytes, val));
}

enum pvm_emul pvm_insn_write_rm(const struct pvm_insn *insn, struct pvm_regs *regs,
				const struct pvm_emul_ops *ops, void *ctx, u32 bytes, u64 val,
				struct pvm_fault *fault)
{
	struct pvm_exec x = {
		.insn = insn, .regs = regs, .ops = ops, .ctx = ctx, .fault = fault,
	};

	return answer(pvm_exec_write_rm(&x, bytes, val));
}
