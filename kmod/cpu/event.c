// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is delivered at the next entry.
 *
 * In this order: an event whose delivery an exit cut short; an exception that
 * emulation raised; an NMI; an interrupt. One event an entry. What cannot be
 * taken now opens a window: the guest exits as soon as it could.
 *
 * A second exception while one is being delivered becomes a double fault or a
 * shutdown by the table of SDM3 "Interrupt 8 - Double Fault Exception". An
 * event cut short stands before a new exception: the new one came up while the
 * old one was delivered.
 *
 * Exclusion: everything here belongs to the owner thread. Other threads set
 * bits in the local APIC and request EVENT, which sets event_check; nothing is
 * looked for while it is false, which keeps the plain exit path short.
 *
 * Tour 3.2: what is delivered next
 * Read pvm_event_prepare(): four questions in a fixed order before each entry.
 *
 * World:   kernel
 * Context: owner thread, IRQs off
 * Spec:    SDM3 "Priority Among Concurrent Events"; APM2 8.5
 */
#include <asm/cpufeature.h>
#include "cpu/cpu.h"
#include "x86/insn.h"

/* SDM3 "Interrupt 8": benign, contributory, page fault. */
enum pvm_fault_class { PVM_CLASS_BENIGN, PVM_CLASS_CONTRIBUTORY, PVM_CLASS_PAGE };

static enum pvm_fault_class pvm_event_class(u8 vector)
{
	switch (vector) {
	case PVM_VEC_DE:
	case PVM_VEC_TS:
	case PVM_VEC_NP:
	case PVM_VEC_SS:
	case PVM_VEC_GP:
		return PVM_CLASS_CONTRIBUTORY;
	case PVM_VEC_PF:
		return PVM_CLASS_PAGE;
	default:
		return PVM_CLASS_BENIGN;
	}
}

void pvm_event_raise(struct pvm_vcpu *v, u8 vector, bool has_error, u32 error)
{
	struct pvm_event *old = v->again.type == PVM_EVENT_EXCEPTION ? &v->again : &v->exception;
	enum pvm_fault_class first, second;

	v->event_check = true;
	if (old->type == PVM_EVENT_EXCEPTION) {
		if (old->vector == PVM_VEC_DF) {
			pvm_vm_kill(v->m->vm, PVM_END_CRASH,
				    "vCPU %u: triple fault (exception %u while delivering a double fault) at rip %llx",
				    v->index, vector, v->regs.rip);
			return;
		}
		first = pvm_event_class(old->vector);
		second = pvm_event_class(vector);
		if ((first == PVM_CLASS_CONTRIBUTORY && second == PVM_CLASS_CONTRIBUTORY) ||
		    (first == PVM_CLASS_PAGE && second != PVM_CLASS_BENIGN)) {
			vector = PVM_VEC_DF;
			has_error = true;
			error = 0;
		}
		old->type = PVM_EVENT_NONE;
	}
	v->exception = (struct pvm_event){
		.type = PVM_EVENT_EXCEPTION,
		.vector = vector,
		.has_error = has_error,
		.error = error,
	};
}

void pvm_event_fault(struct pvm_vcpu *v, const struct pvm_fault *f)
{
	if (f->vector == PVM_VEC_PF) {
		v->m->ops->regs_get(v, PVM_REGS_CR);
		v->regs.cr2 = f->address;
		v->m->ops->regs_set(v, PVM_REGS_CR);
	}
	pvm_event_raise(v, f->vector, f->has_error, f->error);
}

/* The 8259's INTR reaches this vCPU through LINT0 or past a disabled local APIC. */
static bool pvm_event_extint(struct pvm_vcpu *v)
{
	return READ_ONCE(v->m->pic_intr) && v->index == 0 && pvm_lapic_takes_extint(&v->lapic);
}

bool pvm_event_runnable(struct pvm_vcpu *v)
{
	if (v->again.type || v->exception.type || v->nmi_pending || READ_ONCE(v->lapic.events))
		return true;
	if (!(v->regs.rflags & PVM_FLAG_IF))
		return false;
	return pvm_event_extint(v) || pvm_lapic_pending(&v->lapic) >= 0;
}

void pvm_event_apic(struct pvm_vcpu *v)
{
	struct pvm_lapic *l = &v->lapic;

	if (pvm_lapic_take_event(l, PVM_LAPIC_NMI))
		v->nmi_pending = true;
	pvm_lapic_take_event(l, PVM_LAPIC_SMI);	/* the machine has no SMM */
	if (pvm_lapic_take_event(l, PVM_LAPIC_INIT)) {
		pvm_vcpu_reset(v, true);
		v->run = v->index ? PVM_RUN_WAIT_SIPI : PVM_RUN_READY;
	}
	if (pvm_lapic_take_event(l, PVM_LAPIC_SIPI) && v->run == PVM_RUN_WAIT_SIPI) {
		/* SDM3 "Typical AP Initialization Sequence": starts at vector * 4 KiB */
		v->regs.seg[PVM_CS].sel = READ_ONCE(l->sipi_vector) << 8;
		v->regs.seg[PVM_CS].base = (u64)READ_ONCE(l->sipi_vector) << 12;
		v->regs.rip = 0;
		v->m->ops->regs_set(v, PVM_REGS_SEG);
		v->run = PVM_RUN_READY;
	}
	v->event_check = true;
}

/*
 * An interrupt waits and the next instruction is HLT: it is stepped over, as if
 * the interrupt had come a moment later and ended it. Processors keep STI and
 * HLT together by the interrupt shadow; QEMU's emulation loses the shadow and
 * opens the window between the two, and a HLT behind the handler would sleep for
 * ever (Documentation/errata.rst#shadow). Looked at only where that can happen.
 */
static bool pvm_event_past_hlt(struct pvm_vcpu *v)
{
	struct pvm_fault fault;
	struct pvm_insn insn;

	if (!(v->regs.rflags & PVM_FLAG_IF) || v->regs.rflags & PVM_FLAG_TF)
		return false;
	v->m->ops->regs_get(v, PVM_REGS_SEG | PVM_REGS_CR);
	v->exit.insn_count = 0;
	if (v->regs.cpl || pvm_emul_decode(v, &v->exit, &insn, &fault) || insn.op != PVM_OP_HLT)
		return false;
	v->regs.rip = pvm_insn_next_rip(&v->regs, insn.len);
	v->stepped_over = true;
	return true;
}

static bool pvm_event_open(struct pvm_vcpu *v)
{
	if (!v->m->ops->can_take(v, PVM_WINDOW_IRQ))
		return pvm_event_past_hlt(v);
	/* Two exits for host interrupts in a row lose the shadow in the emulation, too. */
	if (v->exit.kind == PVM_EXIT_WINDOW ||
	    (v->exit.kind == PVM_EXIT_INTR && boot_cpu_has(X86_FEATURE_HYPERVISOR)))
		pvm_event_past_hlt(v);
	return true;
}

/* An interrupt if there is one that may be taken. True if something was injected. */
static bool pvm_event_irq(struct pvm_vcpu *v, u32 *window)
{
	const struct pvm_cpu_ops *ops = v->m->ops;
	struct pvm_event e = { .type = PVM_EVENT_INTR };
	int vector;

	if (pvm_event_extint(v)) {
		if (!pvm_event_open(v)) {
			*window |= PVM_WINDOW_IRQ;
			return false;
		}
		vector = v->m->pic_inta(v->m->vm);
		if (vector < 0)
			return false;
	} else {
		vector = pvm_lapic_pending(&v->lapic);
		if (vector < 0) {
			if (READ_ONCE(v->lapic.irr_hint) && pvm_lapic_held_by_tpr(&v->lapic))
				*window |= PVM_WINDOW_TPR;
			return false;
		}
		if (!pvm_event_open(v)) {
			*window |= PVM_WINDOW_IRQ;
			return false;
		}
		pvm_lapic_accept(&v->lapic, vector);
	}
	e.vector = vector;
	ops->inject(v, &e);
	v->stat_irqs++;
	return true;
}

void pvm_event_prepare(struct pvm_vcpu *v)
{
	const struct pvm_cpu_ops *ops = v->m->ops;
	u32 window = 0;
	bool taken = v->injected;

	v->event_check = false;
	if (taken) {
		/* Prepared for an entry that a request held up: only windows may follow. */
	} else if (v->again.type) {
		ops->inject(v, &v->again);
		v->again.type = PVM_EVENT_NONE;
		taken = true;
	} else if (v->exception.type) {
		/* SDM3 "RF Flag": faults push it set, so that they do not hit a breakpoint twice */
		if (v->exception.vector != PVM_VEC_DB)
			v->regs.rflags |= PVM_FLAG_RF;
		ops->inject(v, &v->exception);
		v->exception.type = PVM_EVENT_NONE;
		taken = true;
	}
	if (v->nmi_pending) {
		if (!taken && ops->can_take(v, PVM_WINDOW_NMI)) {
			ops->inject(v, &(struct pvm_event){ .type = PVM_EVENT_NMI,
							    .vector = PVM_VEC_NMI });
			v->nmi_pending = false;
			v->stat_nmis++;
			taken = true;
		} else {
			window |= PVM_WINDOW_NMI;
		}
	}
	if (!taken)
		taken = pvm_event_irq(v, &window);
	v->injected = taken;
	/* Still more to come: a window brings us back after this one's delivery. */
	if (taken && (pvm_event_extint(v) || pvm_lapic_pending(&v->lapic) >= 0))
		window |= PVM_WINDOW_IRQ;
	if (window != v->window || window) {
		v->window = window;
		ops->window(v, window);
		if (window)
			v->stat_windows++;
	}
}
