// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executor: string instructions with and without a repeat prefix.
 *
 * Each iteration is complete by itself: registers follow after its accesses, so
 * that the instruction can be left and entered again at any of them.
 *
 * World:   pure
 * Context: any; ops decide
 * Spec:    SDM2 "REP/REPE/REPZ/REPNE/REPNZ"; APM3 1.2.6
 */
#include "x86/exec.h"

static u64 index_of(const struct pvm_exec *x, u8 reg)
{
	return x->regs->gpr[reg] & pvm_bytes_mask(x->insn->addr_bytes);
}

static void advance(struct pvm_exec *x, u8 reg)
{
	u64 step = x->insn->op_bytes;

	if (x->regs->rflags & PVM_FLAG_DF)
		step = -step;
	pvm_exec_set_gpr(x, reg, x->insn->addr_bytes, x->regs->gpr[reg] + step);
}

static int load_source(struct pvm_exec *x, u64 *val)
{
	u64 linear;
	int r;

	*val = 0;
	r = pvm_exec_linear(x, x->insn->seg, index_of(x, PVM_RSI), x->insn->op_bytes, false,
			    &linear);
	return r ?: pvm_exec_load(x, linear, val, x->insn->op_bytes, false);
}

/* The destination is always ES:rDI. */
static int load_destination(struct pvm_exec *x, u64 *val)
{
	u64 linear;
	int r;

	*val = 0;
	r = pvm_exec_linear(x, PVM_ES, index_of(x, PVM_RDI), x->insn->op_bytes, false, &linear);
	return r ?: pvm_exec_load(x, linear, val, x->insn->op_bytes, false);
}

static int store_destination(struct pvm_exec *x, u64 val)
{
	u64 linear;
	int r;

	r = pvm_exec_linear(x, PVM_ES, index_of(x, PVM_RDI), x->insn->op_bytes, true, &linear);
	return r ?: pvm_exec_store(x, linear, &val, x->insn->op_bytes);
}

static void compare(struct pvm_exec *x, u64 left, u64 right)
{
	struct pvm_alu a = {
		.op = PVM_OP_CMP, .bytes = x->insn->op_bytes,
		.dst = left, .src = right, .flags = x->regs->rflags,
	};

	pvm_exec_alu(&a);
	x->regs->rflags = a.flags;
}

/* A port must not be read before it is certain that its value can be stored. */
static int input(struct pvm_exec *x)
{
	u32 bytes = x->insn->op_bytes;
	u64 val = 0, linear, scratch;
	int r;

	r = pvm_exec_linear(x, PVM_ES, index_of(x, PVM_RDI), bytes, true, &linear);
	r = r ?: pvm_exec_load(x, linear, &scratch, bytes, true);
	r = r ?: x->ops->port_read(x->ctx, x->regs->gpr[PVM_RDX], bytes, &val);
	return r ?: pvm_exec_store(x, linear, &val, bytes);
}

static int iterate(struct pvm_exec *x)
{
	u32 bytes = x->insn->op_bytes;
	u64 a, b;
	int r;

	switch (x->insn->op) {
	case PVM_OP_STOS:
		r = store_destination(x, pvm_exec_gpr(x, PVM_RAX, bytes));
		break;
	case PVM_OP_MOVS:
		r = load_source(x, &a);
		r = r ?: store_destination(x, a);
		break;
	case PVM_OP_LODS:
		r = load_source(x, &a);
		if (!r)
			pvm_exec_set_gpr(x, PVM_RAX, bytes, a);
		break;
	case PVM_OP_CMPS:
		r = load_source(x, &a);
		r = r ?: load_destination(x, &b);
		if (!r)
			compare(x, a, b);
		break;
	case PVM_OP_SCAS:
		r = load_destination(x, &b);
		if (!r)
			compare(x, pvm_exec_gpr(x, PVM_RAX, bytes), b);
		break;
	case PVM_OP_INS:
		r = input(x);
		break;
	case PVM_OP_OUTS:
		r = load_source(x, &a);
		r = r ?: x->ops->port_write(x->ctx, x->regs->gpr[PVM_RDX], bytes, a);
		break;
	default:
		r = -EINVAL;
	}
	return r;
}

static void advance_all(struct pvm_exec *x)
{
	u8 op = x->insn->op;

	if (op == PVM_OP_MOVS || op == PVM_OP_CMPS || op == PVM_OP_LODS || op == PVM_OP_OUTS)
		advance(x, PVM_RSI);
	if (op == PVM_OP_MOVS || op == PVM_OP_CMPS || op == PVM_OP_STOS || op == PVM_OP_SCAS ||
	    op == PVM_OP_INS)
		advance(x, PVM_RDI);
}

/* CMPS and SCAS also end by ZF: REPE on a difference, REPNE on a match. */
static bool ended(const struct pvm_exec *x)
{
	u8 op = x->insn->op;
	bool equal = x->regs->rflags & PVM_FLAG_ZF;

	if (!index_of(x, PVM_RCX))
		return true;
	if (op != PVM_OP_CMPS && op != PVM_OP_SCAS)
		return false;
	return x->insn->flags & PVM_INSN_REPNE ? equal : !equal;
}

int pvm_exec_string(struct pvm_exec *x)
{
	bool repeat = x->insn->flags & (PVM_INSN_REP | PVM_INSN_REPNE);
	u32 done;
	int r;

	if (!repeat) {
		r = iterate(x);
		if (!r)
			advance_all(x);
		return r;
	}
	if (!index_of(x, PVM_RCX))
		return 0;
	for (done = 0; done < x->max_iterations; done++) {
		r = iterate(x);
		if (r) {
			/* what is done counts; the next call meets the fault first */
			x->partial = done;
			return done ? 0 : r;
		}
		advance_all(x);
		pvm_exec_set_gpr(x, PVM_RCX, x->insn->addr_bytes, x->regs->gpr[PVM_RCX] - 1);
		if (ended(x))
			return 0;
	}
	x->partial = true;
	return 0;
}
