// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU thread.
 *
 * Nouns. A *trip* is one entry and exit. A *window* is a run of trips with IRQs
 * off, the guest's FPU in the registers, on one CPU. Most exits are handled
 * inside the window: no lock that sleeps, no allocation, no user memory, and
 * the devices' locks are spinlocks. What must sleep is deferred to the VM's
 * worker (pvm_vm_defer()), which stalls the VM's vCPUs until it has run.
 *
 * A window ends when a host interrupt waits, when the scheduler wants the CPU,
 * when a request asks for more than an event, when the guest halts, and after a
 * bounded number of trips, so that soft interrupts and RCU get their turn.
 *
 * Exclusion. Other threads set a bit in ->requests and kick. The mode tells
 * them how: GUEST takes an interrupt, SLEEP a wake-up, OUT nothing, since the
 * requests are read again before the next entry. request.c has the ordering.
 *
 * Parking. While m->stall is not zero no vCPU enters. A parked vCPU touches
 * nothing of itself, so the worker may: reset, BAR changes, pause.
 *
 * Tour 3.1: the loop
 * Read pvm_vcpu_thread(), then pvm_run_window(): all that a vCPU does is there. Then the
 * ordering of requests in request.c, a page.
 *
 * World:   kernel
 * Context: its own kernel thread
 */
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include "cpu/cpu.h"
#include "trace/trace.h"

/* Trips after which a window ends in any case. */
#define PVM_RUN_STREAK	4096

/* EVENT, TIMER, FLUSH. False: something else is asked for. */
static bool pvm_run_fast_requests(struct pvm_vcpu *v)
{
	unsigned long r = READ_ONCE(v->requests);

	if (r & ~(unsigned long)PVM_REQ_FAST)
		return false;
	if (test_and_clear_bit(PVM_REQ_TIMER, &v->requests)) {
		pvm_lapic_timer(&v->lapic);
		v->event_check = true;
	}
	if (test_and_clear_bit(PVM_REQ_EVENT, &v->requests)) {
		if (READ_ONCE(v->lapic.events))
			pvm_event_apic(v);
		v->event_check = true;
	}
	if (test_and_clear_bit(PVM_REQ_FLUSH, &v->requests))
		v->m->ops->flush(v);
	return true;
}

static void pvm_run_window(struct pvm_vcpu *v)
{
	const struct pvm_cpu_ops *ops = v->m->ops;
	enum pvm_go go = PVM_GO_RESUME;
	u32 trips = PVM_RUN_STREAK;

	local_irq_disable();
	v->cpu = smp_processor_id();
	ops->load(v, v->cpu);
	pvm_host_enter(v);
	do {
		/* With a window asked for, what is pending waits for that; TPR may fall without. */
		if (v->event_check || (v->lapic.irr_hint && !(v->window & ~PVM_WINDOW_TPR)))
			pvm_event_prepare(v);
		WRITE_ONCE(v->mode, PVM_MODE_GUEST);
		smp_mb();	/* pairs with the one in pvm_vcpu_kick() */
		if (unlikely(READ_ONCE(v->requests))) {
			WRITE_ONCE(v->mode, PVM_MODE_OUT);
			if (!pvm_run_fast_requests(v) || v->run != PVM_RUN_READY)
				break;
			continue;
		}
		if (unlikely(need_resched())) {
			WRITE_ONCE(v->mode, PVM_MODE_OUT);
			break;
		}
		trace_pvm_enter(v->index, v->regs.rip);
		static_call(pvm_cpu_enter)(v);
		v->injected = false;
		WRITE_ONCE(v->mode, PVM_MODE_OUT);
		go = pvm_exit_handle(v);
	} while (go == PVM_GO_RESUME && --trips);
	pvm_host_leave(v);
	ops->put(v);
	local_irq_enable();
	if (go == PVM_GO_WAIT && v->run == PVM_RUN_READY)
		v->run = PVM_RUN_HALTED;
}

/* Waits for a reason to run. */
static void pvm_run_sleep(struct pvm_vcpu *v)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		WRITE_ONCE(v->mode, PVM_MODE_SLEEP);
		smp_mb();	/* pairs with the one in pvm_vcpu_kick() */
		if (READ_ONCE(v->requests) || kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	WRITE_ONCE(v->mode, PVM_MODE_OUT);
}

/* A vCPU without a runnable guest: true when it has become runnable. */
static bool pvm_run_wake(struct pvm_vcpu *v)
{
	unsigned long flags;
	bool awake;

	local_irq_save(flags);
	pvm_run_fast_requests(v);
	if (READ_ONCE(v->lapic.events))
		pvm_event_apic(v);
	if (v->run == PVM_RUN_HALTED && pvm_event_runnable(v))
		v->run = PVM_RUN_READY;
	awake = v->run == PVM_RUN_READY;
	local_irq_restore(flags);
	return awake;
}

static void pvm_run_park(struct pvm_vcpu *v)
{
	struct pvm_cpu_vm *m = v->m;

	clear_bit(PVM_REQ_PARK, &v->requests);
	if (!atomic_read(&m->stall))
		return;
	/* Release: the worker sees all that this thread did. */
	smp_store_release(&v->mode, PVM_MODE_PARKED);
	wake_up_all(&m->stall_wait);
	/* Idle, not uninterruptible: a paused VM is no load and no hung task. */
	wait_event_idle(m->stall_wait, !atomic_read(&m->stall) || kthread_should_stop() ||
			test_bit(PVM_REQ_STOP, &v->requests));
	WRITE_ONCE(v->mode, PVM_MODE_OUT);
	smp_mb();	/* whatever the worker did is seen before the guest's state is used */
}

int pvm_vcpu_thread(void *data)
{
	struct pvm_vcpu *v = data;

	pvm_vcpu_place_self(v);
	while (!kthread_should_stop()) {
		if (test_bit(PVM_REQ_STOP, &v->requests)) {
			/* Ended: the worker will collect this thread. */
			smp_store_release(&v->mode, PVM_MODE_PARKED);
			wake_up_all(&v->m->stall_wait);
			set_current_state(TASK_IDLE);
			if (!kthread_should_stop())
				schedule();
			__set_current_state(TASK_RUNNING);
			continue;
		}
		if (test_bit(PVM_REQ_PARK, &v->requests) || atomic_read(&v->m->stall)) {
			pvm_run_park(v);
			continue;
		}
		if (v->run == PVM_RUN_READY || pvm_run_wake(v))
			pvm_run_window(v);
		else
			pvm_run_sleep(v);
		cond_resched();
	}
	WRITE_ONCE(v->mode, PVM_MODE_PARKED);
	wake_up_all(&v->m->stall_wait);
	return 0;
}
