// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to a vCPU from other threads, and kicks.
 *
 * The one ordering that matters: who asks sets the request, then reads the
 * mode; the vCPU sets its mode to GUEST, then reads the requests (run.c). With a
 * full barrier between the two on both sides, at least one sees the other: the
 * vCPU does not enter, or it gets the kick.
 *
 * World:   kernel
 * Context: any, also hard IRQ, unless a function says otherwise
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include "cpu/cpu.h"

void pvm_vcpu_kick(struct pvm_vcpu *v)
{
	struct task_struct *t = READ_ONCE(v->thread);

	smp_mb();	/* pairs with the one in pvm_run_window() and pvm_run_sleep() */
	if (!t)
		return;
	switch (READ_ONCE(v->mode)) {
	case PVM_MODE_GUEST:
		kick_process(t);
		break;
	case PVM_MODE_SLEEP:
		wake_up_process(t);
		break;
	}
}

void pvm_vcpu_request(struct pvm_vcpu *v, enum pvm_request r)
{
	if (!test_and_set_bit(r, &v->requests))
		pvm_vcpu_kick(v);
}

void pvm_cpu_park(struct pvm_cpu_vm *m)
{
	u32 i;

	atomic_inc(&m->stall);
	for (i = 0; i < m->lapics->count; i++)
		pvm_vcpu_request(m->lapics->apic[i]->owner, PVM_REQ_PARK);
}

void pvm_cpu_unpark(struct pvm_cpu_vm *m)
{
	if (atomic_dec_and_test(&m->stall))
		wake_up_all(&m->stall_wait);
}

static bool pvm_cpu_all_parked(struct pvm_cpu_vm *m)
{
	u32 i;

	for (i = 0; i < m->lapics->count; i++) {
		struct pvm_vcpu *v = m->lapics->apic[i]->owner;

		/* Acquire: what the vCPU did before it parked is seen. */
		if (READ_ONCE(v->thread) && smp_load_acquire(&v->mode) != PVM_MODE_PARKED)
			return false;
	}
	return true;
}

void pvm_cpu_wait_parked(struct pvm_cpu_vm *m)
{
	wait_event(m->stall_wait, pvm_cpu_all_parked(m));
}

void pvm_cpu_flush_all(void *ctx)
{
	struct pvm_cpu_vm *m = ctx;
	u32 i;

	for (i = 0; i < m->lapics->count; i++) {
		struct pvm_vcpu *v = m->lapics->apic[i]->owner;

		pvm_vcpu_request(v, PVM_REQ_FLUSH);
		while (READ_ONCE(v->mode) == PVM_MODE_GUEST &&
		       test_bit(PVM_REQ_FLUSH, &v->requests))
			cpu_relax();	/* bounded: the kick brings it out */
	}
}
