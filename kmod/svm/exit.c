// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit code and EXITINFO to the neutral record.
 *
 * Tour 5.1: where the vendor ends
 * Exit codes of this processor become the neutral record; nothing above this folder
 * sees a VMCB. The contract is cpu/ops.h, the instructions are in enter.S and insn.h.
 *
 * World:   kernel
 * Context: owner thread, IRQs off
 * Spec:    APM2 15.9, 15.10, 15.12, 15.25.6, appendix C "SVM Intercept Exit Codes"
 */
#include "svm/defs.h"

/* Exit codes that carry nothing but their name. */
#define PVM_SVM_PLAIN_FIRST	SVM_EXIT_INTR

static const u8 pvm_svm_plain[] = {
	[SVM_EXIT_INTR - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_INTR,
	[SVM_EXIT_NMI - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_INTR,
	[SVM_EXIT_SMI - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_INTR,
	[SVM_EXIT_INIT - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_INIT,
	[SVM_EXIT_VINTR - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_WINDOW,
	[SVM_EXIT_RDPMC - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_RDPMC,
	[SVM_EXIT_CPUID - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_CPUID,
	[SVM_EXIT_INVD - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_CACHE,
	[SVM_EXIT_PAUSE - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_PAUSE,
	[SVM_EXIT_HLT - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_HLT,
	[SVM_EXIT_INVLPGA - PVM_SVM_PLAIN_FIRST]	= PVM_EXIT_UNDEFINED,
	[SVM_EXIT_TASK_SWITCH - PVM_SVM_PLAIN_FIRST]	= PVM_EXIT_TASK_SWITCH,
	[SVM_EXIT_SHUTDOWN - PVM_SVM_PLAIN_FIRST]	= PVM_EXIT_SHUTDOWN,
	[SVM_EXIT_VMRUN - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_UNDEFINED,
	[SVM_EXIT_VMMCALL - PVM_SVM_PLAIN_FIRST]	= PVM_EXIT_HYPERCALL,
	[SVM_EXIT_VMLOAD - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_UNDEFINED,
	[SVM_EXIT_VMSAVE - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_UNDEFINED,
	[SVM_EXIT_STGI - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_UNDEFINED,
	[SVM_EXIT_CLGI - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_UNDEFINED,
	[SVM_EXIT_SKINIT - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_UNDEFINED,
	[SVM_EXIT_WBINVD - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_CACHE,
	[SVM_EXIT_MONITOR - PVM_SVM_PLAIN_FIRST]	= PVM_EXIT_MWAIT,
	[SVM_EXIT_MWAIT - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_MWAIT,
	[SVM_EXIT_MWAIT_COND - PVM_SVM_PLAIN_FIRST]	= PVM_EXIT_MWAIT,
	[SVM_EXIT_XSETBV - PVM_SVM_PLAIN_FIRST]		= PVM_EXIT_XSETBV,
};

/* APM2 15.10.2: the next RIP comes in EXITINFO2 on every processor. */
static __always_inline void pvm_svm_decode_io(struct pvm_vcpu *v, struct pvm_exit *x,
			      const struct vmcb_control_area *c)
{
	u32 info = c->exit_info_1;

	BUILD_BUG_ON(PVM_IO_IN != SVM_IOIO_TYPE_MASK || PVM_IO_STRING != SVM_IOIO_STR_MASK ||
		     PVM_IO_REP != SVM_IOIO_REP_MASK);
	x->kind = PVM_EXIT_IO;
	x->io.port = info >> 16;
	x->io.flags = info & (PVM_IO_IN | PVM_IO_STRING | PVM_IO_REP);
	x->io.bytes = (info & SVM_IOIO_SIZE_MASK) >> SVM_IOIO_SIZE_SHIFT;
	x->len = c->exit_info_2 - v->regs.rip;
}

static void pvm_svm_decode_npf(struct pvm_exit *x, const struct vmcb_control_area *c)
{
	x->kind = PVM_EXIT_MMIO;
	x->mem.gpa = c->exit_info_2;
	x->mem.write = c->exit_info_1 & PVM_PF_W;
	x->mem.fetch = c->exit_info_1 & PVM_PF_I;
	x->mem.table = c->exit_info_1 & BIT_ULL(33);
	x->insn_count = min_t(u8, c->insn_len & 0xf, 15);
	if (x->insn_count)
		memcpy(x->insn, c->insn_bytes, 15);
}

/* CR0..CR15 reads, writes, DR0..DR15 reads, writes: codes 0x00..0x3f. */
static void pvm_svm_decode_cr_dr(struct pvm_exit *x, const struct vmcb_control_area *c, u32 code)
{
	bool write = code & 0x10;

	if (code < 0x20) {
		x->kind = PVM_EXIT_CR;
		x->cr.cr = code & 0xf;
		x->cr.write = write;
		/* With decode assists, bit 63 says MOV and the low bits which register. */
		x->cr.other = c->exit_info_1 >> 63 ? 0 : 0xff;
		x->cr.gpr = c->exit_info_1 & 0xf;
	} else {
		x->kind = PVM_EXIT_DR;
		x->dr.dr = code & 0xf;
		x->dr.write = write;
		x->dr.gpr = c->exit_info_1 & 0xf;
	}
}

static void pvm_svm_decode_exception(struct pvm_vcpu *v, struct pvm_exit *x,
				     const struct vmcb_control_area *c, u32 code)
{
	x->kind = PVM_EXIT_EXCEPTION;
	x->fault.vector = code - SVM_EXIT_EXCP_BASE;
	x->fault.error = c->exit_info_1;
	x->fault.info = c->exit_info_2;
	if (x->fault.vector == PVM_VEC_DB && pvm_svm_nmi_step(v)) {
		x->kind = PVM_EXIT_NONE;
	} else if (x->fault.vector == PVM_VEC_MC) {
		x->kind = PVM_EXIT_INTR;
		pvm_host_machine_check();
		pvm_vm_kill(v->m->vm, PVM_END_HOST,
			    "machine check while vCPU %u ran: the host's log has it (mce: [Hardware Error])",
			    v->index);
	}
}

static void pvm_svm_decode_window(struct pvm_vcpu *v)
{
	/* With its intercepts: CR8 writes exit only while something waits for one. */
	pvm_svm_window(v, 0);
	v->event_check = true;
}

void pvm_svm_decode(struct pvm_vcpu *v, struct pvm_exit *x)
{
	struct pvm_svm *s = pvm_svm(v);
	const struct vmcb_control_area *c = &s->vmcb->control;
	u32 code = c->exit_code;

	x->code = code;
	x->insn_count = 0;
	if (code == SVM_EXIT_IOIO) {
		pvm_svm_decode_io(v, x, c);
		return;
	}
	x->len = pvm_svm_feat.next_rip && c->next_rip ? c->next_rip - v->regs.rip : 0;

	switch (code) {
	case SVM_EXIT_MSR:
		x->kind = c->exit_info_1 ? PVM_EXIT_WRMSR : PVM_EXIT_RDMSR;
		return;
	case SVM_EXIT_NPF:
		pvm_svm_decode_npf(x, c);
		return;
	case SVM_EXIT_VINTR:
		pvm_svm_decode_window(v);
		break;
	case SVM_EXIT_IRET:
		pvm_svm_nmi_iret(v);
		x->kind = PVM_EXIT_NONE;
		return;
	}
	if (code < SVM_EXIT_EXCP_BASE) {
		pvm_svm_decode_cr_dr(x, c, code);
	} else if (code < SVM_EXIT_EXCP_BASE + 32) {
		pvm_svm_decode_exception(v, x, c, code);
	} else if (code >= PVM_SVM_PLAIN_FIRST &&
		   code - PVM_SVM_PLAIN_FIRST < ARRAY_SIZE(pvm_svm_plain) &&
		   pvm_svm_plain[code - PVM_SVM_PLAIN_FIRST]) {
		x->kind = pvm_svm_plain[code - PVM_SVM_PLAIN_FIRST];
	} else {
		x->kind = PVM_EXIT_BROKEN;
		x->info[0] = c->exit_info_1;
		x->info[1] = c->exit_info_2;
	}
}
