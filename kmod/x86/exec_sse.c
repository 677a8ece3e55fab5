// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executor: loads and stores of vector registers, as drivers use them on video
 * memory.
 *
 * World:   pure
 * Context: any; ops decide
 * Spec:    SDM2 "MOVDQU" and the like; SDM1 "VEX Encoded Instructions: 128-bit"
 */
#include "x86/exec.h"

#define YMM_BYTES	32

static int check_enabled(struct pvm_exec *x)
{
	bool vex = x->insn->flags & PVM_INSN_VEX;
	u64 need = vex ? PVM_CR4_OSXSAVE : PVM_CR4_OSFXSR;

	if (!(x->regs->cr4 & need) || (!vex && x->regs->cr0 & PVM_CR0_EM))
		return pvm_exec_raise(x, PVM_VEC_UD, 0);
	if (x->regs->cr0 & PVM_CR0_TS)
		return pvm_exec_raise(x, PVM_VEC_NM, 0);
	return 0;
}

int pvm_exec_sse(struct pvm_exec *x)
{
	const struct pvm_insn *insn = x->insn;
	u32 bytes = insn->op_bytes, at = insn->flags & PVM_INSN_HIGH ? 8 : 0;
	bool store = insn->flags & PVM_INSN_STORE;
	u32 width = insn->flags & PVM_INSN_VEX ? YMM_BYTES : 16;
	u8 buf[YMM_BYTES] = { 0 };
	u64 linear;
	int r;

	if (!x->ops->xmm_read || !x->ops->xmm_write || at + bytes > width)
		return -EINVAL;
	r = check_enabled(x);
	r = r ?: pvm_exec_linear(x, insn->seg, pvm_exec_offset(x), bytes, store, &linear);
	if (r)
		return r;
	if (insn->flags & PVM_INSN_ALIGNED && linear & (bytes - 1))
		return pvm_exec_raise(x, PVM_VEC_GP, 0);
	if (store || insn->flags & PVM_INSN_MERGE) {
		r = x->ops->xmm_read(x->ctx, insn->reg, buf, width);
		if (r)
			return -EINVAL;
	}
	if (store)
		return pvm_exec_store(x, linear, buf + at, bytes);
	r = pvm_exec_load(x, linear, buf + at, bytes, false);
	if (r)
		return r;
	return x->ops->xmm_write(x->ctx, insn->reg, buf, width) ? -EINVAL : 0;
}
