// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executor: MOV from and to segment registers.
 *
 * World:   pure
 * Context: any; ops decide
 * Spec:    SDM2 "MOV"; SDM3 "Segment Descriptors"; APM2 4.7
 */
#include "x86/exec.h"

#define SEL_RPL		3
#define SEL_TI		4

int pvm_exec_from_sreg(struct pvm_exec *x)
{
	u8 nr = x->insn->modrm >> 3 & 7;
	bool memory = x->insn->flags & PVM_INSN_MEM;

	if (nr > PVM_GS)
		return pvm_exec_raise(x, PVM_VEC_UD, 0);
	return pvm_exec_write_rm(x, memory ? 2 : x->insn->op_bytes, x->regs->seg[nr].sel);
}

static bool may_be_null(const struct pvm_exec *x, u8 nr, u16 sel)
{
	if (nr != PVM_SS)
		return true;
	return pvm_regs_long_mode(x->regs) && x->regs->cpl < 3 &&
	       (sel & SEL_RPL) == x->regs->cpl;
}

/* Linear address of the descriptor. */
static int find_descriptor(struct pvm_exec *x, u16 sel, u64 *linear)
{
	const struct pvm_seg *ldt = &x->regs->seg[PVM_LDTR];
	u64 base = x->regs->gdtr.base;
	u32 limit = x->regs->gdtr.limit;

	if (sel & SEL_TI) {
		if (!(ldt->attr & PVM_SEG_P) || ldt->attr & PVM_SEG_UNUSABLE)
			return pvm_exec_raise(x, PVM_VEC_GP, sel & ~SEL_RPL);
		base = ldt->base;
		limit = ldt->limit;
	}
	if ((sel | 7u) > limit)
		return pvm_exec_raise(x, PVM_VEC_GP, sel & ~SEL_RPL);
	*linear = base + (sel & ~7u);
	if (!(x->regs->efer & PVM_EFER_LMA))
		*linear = (u32)*linear;
	if (!pvm_exec_addressable(x->regs, *linear, 8))
		return pvm_exec_raise(x, PVM_VEC_GP, sel & ~SEL_RPL);
	return 0;
}

/* SDM3 "Privilege Level Checking When Accessing Data Segments" */
static int check_descriptor(struct pvm_exec *x, u8 nr, u16 sel, u16 attr)
{
	u8 rpl = sel & SEL_RPL, cpl = x->regs->cpl, dpl = attr >> PVM_SEG_DPL_SHIFT & 3;
	bool code = attr & PVM_SEG_CODE, bad;

	if (nr == PVM_SS)
		bad = rpl != cpl || dpl != cpl || code || !(attr & PVM_SEG_WRITE);
	else
		bad = (code && !(attr & PVM_SEG_WRITE)) ||
		      (!(code && attr & PVM_SEG_DOWN) && (rpl > dpl || cpl > dpl));
	if (bad || !(attr & PVM_SEG_S))
		return pvm_exec_raise(x, PVM_VEC_GP, sel & ~SEL_RPL);
	if (!(attr & PVM_SEG_P))
		return pvm_exec_raise(x, nr == PVM_SS ? PVM_VEC_SS : PVM_VEC_NP, sel & ~SEL_RPL);
	return 0;
}

static int load_descriptor(struct pvm_exec *x, u8 nr, u16 sel, struct pvm_seg *seg)
{
	u64 linear = 0, d = 0;
	int r;

	r = find_descriptor(x, sel, &linear);
	r = r ?: x->ops->read(x->ctx, linear, &d, 8, PVM_ACCESS_IMPLICIT_SUPERVISOR, x->fault);
	if (r)
		return r;
	*seg = (struct pvm_seg){
		.sel = sel,
		.attr = (d >> 40 & 0xff) | (d >> 44 & 0xf00),
		.limit = (d & 0xffff) | (d >> 32 & 0xf0000),
		.base = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000),
	};
	if (seg->attr & PVM_SEG_G)
		seg->limit = seg->limit << 12 | 0xfff;
	r = check_descriptor(x, nr, sel, seg->attr);
	if (!r && !(seg->attr & 1)) {	/* accessed */
		u8 type = seg->attr |= 1;

		r = x->ops->write(x->ctx, linear + 5, &type, 1,
				  PVM_ACCESS_IMPLICIT_SUPERVISOR | PVM_ACCESS_WRITE, x->fault);
	}
	return r;
}

int pvm_exec_to_sreg(struct pvm_exec *x)
{
	u8 nr = x->insn->modrm >> 3 & 7;
	struct pvm_seg seg;
	u64 sel;
	int r;

	if (nr > PVM_GS || nr == PVM_CS)
		return pvm_exec_raise(x, PVM_VEC_UD, 0);
	r = pvm_exec_read_rm(x, 2, &sel);
	if (r)
		return r;
	seg = x->regs->seg[nr];
	seg.sel = sel;
	if (!(x->regs->cr0 & PVM_CR0_PE) || x->regs->rflags & PVM_FLAG_VM) {
		seg.base = (u32)sel << 4;
	} else if (!(sel & ~SEL_RPL)) {
		if (!may_be_null(x, nr, sel))
			return pvm_exec_raise(x, PVM_VEC_GP, 0);
		seg.attr = x->regs->seg[nr].attr & PVM_SEG_UNUSABLE;
		/* the DPL of SS is the CPL, also of a null one */
		if (nr == PVM_SS)
			seg.attr |= x->regs->cpl << PVM_SEG_DPL_SHIFT;
	} else {
		r = load_descriptor(x, nr, sel, &seg);
		if (r)
			return r;
	}
	x->regs->seg[nr] = seg;
	return 0;
}
