// SPDX-License-Identifier: GPL-2.0-only
/*
 * One trip into the guest: ASID, clean bits, SPEC_CTRL, VMRUN.
 *
 * World:   kernel
 * Context: IRQs off, SVM on
 * Spec:    APM2 15.5 "VMRUN", 15.15 "VMCB State Caching", 15.16 "TLB Control"
 */
#include <asm/cpufeature.h>
#include "svm/defs.h"
#include "svm/insn.h"

static void pvm_svm_new_asid(struct pvm_svm *s)
{
	struct vmcb_control_area *c = &s->vmcb->control;
	u32 asid;

	if (pvm_svm_asid_new(&s->asid_generation, &asid))
		c->tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	else
		/* Numbers are not reused within a generation, but KVM may have used this one. */
		c->tlb_ctl = pvm_svm_feat.flush_by_asid ? TLB_CONTROL_FLUSH_ASID :
							  TLB_CONTROL_FLUSH_ALL_ASID;
	c->asid = asid;
	pvm_svm_dirty(s, PVM_SVM_CLEAN_ASID);
}

void pvm_svm_load(struct pvm_vcpu *v, int cpu)
{
	struct pvm_svm *s = pvm_svm(v);

	s->entry.host_hpa = pvm_svm_host_area();
	pvm_svm_vmsave(s->entry.host_hpa);
	s->entry.spec_switch = 0;
	if (boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL) || boot_cpu_has(X86_FEATURE_AMD_SSBD)) {
		s->entry.spec_host = pvm_host_spec_ctrl();
		/* With V_SPEC_CTRL the CPU switches it; the host's value stays or-ed in. */
		s->entry.spec_guest = v->spec_ctrl;
		s->entry.spec_switch = !pvm_svm_feat.v_spec_ctrl &&
				       s->entry.spec_guest != s->entry.spec_host;
	}
	if (s->asid_cpu != cpu) {
		s->asid_cpu = cpu;
		s->asid_generation = 0;
		s->vmcb->control.clean = 0;
	}
	/* Numbers of this CPU change only while IRQs are on. */
	if (!pvm_svm_asid_valid(s->asid_generation))
		pvm_svm_new_asid(s);
	if (pvm_svm_cpu_is_shared())
		pvm_svm_flush(v);
}

void pvm_svm_put(struct pvm_vcpu *v)
{
	if (pvm_svm_cpu_is_shared())
		pvm_svm_purge();
}

void pvm_svm_flush(struct pvm_vcpu *v)
{
	struct vmcb_control_area *c = &pvm_svm(v)->vmcb->control;

	if (c->tlb_ctl != TLB_CONTROL_FLUSH_ALL_ASID)
		c->tlb_ctl = pvm_svm_feat.flush_by_asid ? TLB_CONTROL_FLUSH_ASID :
							  TLB_CONTROL_FLUSH_ALL_ASID;
}

void pvm_svm_enter(struct pvm_vcpu *v)
{
	struct pvm_svm *s = pvm_svm(v);
	struct vmcb_control_area *c = &s->vmcb->control;
	struct vmcb_save_area *a = &s->vmcb->save;
	u64 *gpr = v->regs.gpr;

	BUILD_BUG_ON(offsetof(struct pvm_svm_entry, host_hpa) != 0x08);
	BUILD_BUG_ON(offsetof(struct pvm_svm_entry, spec_guest) != 0x10);
	BUILD_BUG_ON(offsetof(struct pvm_svm_entry, spec_host) != 0x18);
	BUILD_BUG_ON(offsetof(struct pvm_svm_entry, spec_switch) != 0x20);
	BUILD_BUG_ON(offsetof(struct pvm_svm_entry, faulted) != 0x24);

	a->rax = gpr[PVM_RAX];
	a->rsp = gpr[PVM_RSP];
	a->rip = v->regs.rip;
	a->rflags = v->regs.rflags;
	if (v->stepped_over) {
		v->stepped_over = false;
		c->int_state &= ~SVM_INTERRUPT_SHADOW_MASK;
	}
	if ((c->int_ctl & V_TPR_MASK) != pvm_lapic_cr8(&v->lapic)) {
		c->int_ctl = (c->int_ctl & ~V_TPR_MASK) | pvm_lapic_cr8(&v->lapic);
		pvm_svm_dirty(s, PVM_SVM_CLEAN_TPR);
	}

	pvm_svm_clgi();
	pvm_svm_vmrun(&s->entry, gpr);
	pvm_svm_stgi();

	gpr[PVM_RAX] = a->rax;
	gpr[PVM_RSP] = a->rsp;
	v->regs.rip = a->rip;
	v->regs.rflags = a->rflags;
	v->regs.cr3 = a->cr3;	/* exit.c looks instruction lengths up by it */
	c->tlb_ctl = TLB_CONTROL_DO_NOTHING;
	c->clean = s->clean;
	if (unlikely((c->int_ctl & V_TPR_MASK) != pvm_lapic_cr8(&v->lapic)))
		pvm_lapic_set_cr8(&v->lapic, c->int_ctl & V_TPR_MASK);
	if (unlikely(c->exit_int_info & SVM_EXITINTINFO_VALID || v->injected || s->nmi_iret))
		pvm_svm_event_cut(v);
	/* Nothing has run: without this the last exit would be handled once more. */
	if (unlikely(s->entry.faulted))
		c->exit_code = ~0u;
}
