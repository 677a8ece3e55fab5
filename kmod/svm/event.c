// SPDX-License-Identifier: GPL-2.0-only
/*
 * Injection, windows, and events whose delivery an exit cut short.
 *
 * NMIs: without virtual NMIs the end of the handler is seen by intercepting
 * IRET. The intercept comes before IRET runs, so NMIs count as unmasked only
 * once RIP has left it; when one waits, a single step makes sure of that.
 *
 * World:   kernel
 * Context: owner thread, IRQs off
 * Spec:    APM2 15.20 "Event Injection", 15.21 "Interrupt and Local APIC Support"
 */
#include "svm/defs.h"

#define PVM_SVM_INTERCEPT_VINTR	BIT(4)	/* of word 3 */
#define PVM_SVM_INTERCEPT_IRET	BIT(20)	/* of word 3 */
#define PVM_SVM_INTERCEPT_CR8_W	BIT(16 + 8)	/* of word 0 */

static void pvm_svm_intercept(struct pvm_svm *s, u32 word, u32 bit, bool on)
{
	u32 *w = &s->vmcb->control.intercepts[word];
	u32 want = on ? *w | bit : *w & ~bit;

	if (*w != want) {
		*w = want;
		pvm_svm_dirty(s, PVM_SVM_CLEAN_INTERCEPTS);
	}
}

void pvm_svm_inject(struct pvm_vcpu *v, const struct pvm_event *e)
{
	struct pvm_svm *s = pvm_svm(v);
	struct vmcb_control_area *c = &s->vmcb->control;
	u32 inj = e->vector | SVM_EVTINJ_VALID;

	switch (e->type) {
	case PVM_EVENT_INTR:
		inj |= SVM_EVTINJ_TYPE_INTR;
		break;
	case PVM_EVENT_NMI:
		inj = PVM_VEC_NMI | SVM_EVTINJ_VALID | SVM_EVTINJ_TYPE_NMI;
		s->nmi_masked = true;
		s->nmi_iret = false;
		pvm_svm_intercept(s, 3, PVM_SVM_INTERCEPT_IRET, true);
		break;
	default:
		inj |= SVM_EVTINJ_TYPE_EXEPT;
		if (e->has_error) {
			inj |= SVM_EVTINJ_VALID_ERR;
			c->event_inj_err = e->error;
		}
	}
	c->event_inj = inj;
}

bool pvm_svm_can_take(struct pvm_vcpu *v, u32 window)
{
	struct pvm_svm *s = pvm_svm(v);
	bool shadow = s->vmcb->control.int_state & SVM_INTERRUPT_SHADOW_MASK &&
		      !v->stepped_over;

	if (window == PVM_WINDOW_NMI)
		return !s->nmi_masked && !shadow;
	return v->regs.rflags & PVM_FLAG_IF && !shadow;
}

void pvm_svm_window(struct pvm_vcpu *v, u32 wanted)
{
	struct pvm_svm *s = pvm_svm(v);
	struct vmcb_control_area *c = &s->vmcb->control;

	if (wanted == s->window && !(wanted & PVM_WINDOW_NMI))
		return;
	/*
	 * A virtual interrupt of the highest priority, intercepted: exits as soon
	 * as the guest could take one. While it waits, CR8 writes exit, too: QEMU's
	 * emulation aborts when it takes the window from within one. They also exit
	 * while an interrupt waits for TPR to fall: V_TPR alone would not tell.
	 */
	pvm_svm_intercept(s, 3, PVM_SVM_INTERCEPT_VINTR, wanted & ~PVM_WINDOW_TPR);
	pvm_svm_intercept(s, 0, PVM_SVM_INTERCEPT_CR8_W, wanted);
	c->int_ctl &= ~V_IRQ_INJECTION_BITS_MASK;
	if (wanted & PVM_WINDOW_IRQ || (wanted & PVM_WINDOW_NMI && !s->nmi_masked)) {
		c->int_ctl |= V_IRQ_MASK | V_IGN_TPR_MASK | V_INTR_PRIO_MASK;
		c->int_vector = 0;
	}
	pvm_svm_dirty(s, PVM_SVM_CLEAN_TPR);
	if (wanted & PVM_WINDOW_NMI && s->nmi_masked && s->nmi_iret && !s->step_nmi) {
		s->step_nmi = true;
		v->regs.rflags |= PVM_FLAG_TF | PVM_FLAG_RF;
	}
	s->window = wanted;
}

void pvm_svm_nmi_iret(struct pvm_vcpu *v)
{
	struct pvm_svm *s = pvm_svm(v);

	pvm_svm_intercept(s, 3, PVM_SVM_INTERCEPT_IRET, false);
	s->nmi_iret = true;
	s->nmi_iret_rip = v->regs.rip;
	v->event_check = true;
}

static void pvm_svm_nmi_done(struct pvm_vcpu *v)
{
	struct pvm_svm *s = pvm_svm(v);

	s->nmi_masked = false;
	s->nmi_iret = false;
	v->event_check = true;
}

bool pvm_svm_nmi_step(struct pvm_vcpu *v)
{
	struct pvm_svm *s = pvm_svm(v);

	if (!s->step_nmi)
		return false;
	s->step_nmi = false;
	/* IRET loaded the interrupted flags; TF was only in the handler's. */
	v->regs.rflags &= ~(PVM_FLAG_TF | PVM_FLAG_RF);
	pvm_svm_nmi_done(v);
	return true;
}

void pvm_svm_event_cut(struct pvm_vcpu *v)
{
	struct pvm_svm *s = pvm_svm(v);
	struct vmcb_control_area *c = &s->vmcb->control;
	u32 info = c->exit_int_info;
	struct pvm_event *e = &v->again;

	c->event_inj = 0;
	if (s->nmi_iret && v->regs.rip != s->nmi_iret_rip)
		pvm_svm_nmi_done(v);
	if (!(info & SVM_EXITINTINFO_VALID))
		return;
	e->vector = info & SVM_EXITINTINFO_VEC_MASK;
	e->has_error = info & SVM_EXITINTINFO_VALID_ERR;
	e->error = c->exit_int_info_err;
	switch (info & SVM_EXITINTINFO_TYPE_MASK) {
	case SVM_EXITINTINFO_TYPE_INTR:
		e->type = PVM_EVENT_INTR;
		break;
	case SVM_EXITINTINFO_TYPE_NMI:
		e->type = PVM_EVENT_NMI;
		break;
	case SVM_EXITINTINFO_TYPE_EXEPT:
		/* INT3 and INTO run again by themselves: RIP is still before them. */
		if (e->vector == PVM_VEC_BP || e->vector == PVM_VEC_OF)
			return;
		e->type = PVM_EVENT_EXCEPTION;
		break;
	default:		/* INT n: runs again by itself */
		return;
	}
	v->event_check = true;
}
