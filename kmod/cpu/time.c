// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's TSC and the local APIC's timer.
 *
 * Guest TSC = host TSC + offset, at the host's frequency. Guest nanoseconds for
 * the devices are kept by dev.c; the local APIC's timer runs on the host's
 * monotonic clock, and its owner handles the expiry as a request.
 *
 * World:   kernel
 * Context: owner thread, IRQs off, unless a function says otherwise
 * Spec:    SDM3 "Time-Stamp Counter", "TSC-Deadline Mode"
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <asm/tsc.h>
#include <asm/msr.h>
#include "cpu/cpu.h"

/* A guest may ask for a timer as near as it likes; the host is not asked more often. */
#define PVM_TIMER_MIN_NS	10000

u64 pvm_time_tsc_khz(void)
{
	return tsc_khz;
}

u64 pvm_time_guest_tsc(struct pvm_vcpu *v)
{
	return rdtsc() + v->tsc_offset;
}

void pvm_time_set_tsc(struct pvm_vcpu *v, u64 tsc)
{
	v->tsc_offset = tsc - rdtsc();
	v->m->ops->tsc_offset(v, v->tsc_offset);
}

static u64 pvm_time_now_ns(struct pvm_lapic *l)
{
	return ktime_get_ns();
}

static u64 pvm_time_now_tsc(struct pvm_lapic *l)
{
	return pvm_time_guest_tsc(l->owner);
}

static u64 pvm_time_tsc_to_ns(struct pvm_lapic *l, u64 tsc)
{
	u64 now_tsc = pvm_time_now_tsc(l), delta;

	if ((s64)(tsc - now_tsc) <= 0)
		return ktime_get_ns();
	delta = min(tsc - now_tsc, 1ull << 62);
	return ktime_get_ns() + min(pvm_muldiv64(delta, 1000000, tsc_khz), 1ull << 60);
}

static void pvm_time_timer_set(struct pvm_lapic *l, u64 when_ns)
{
	struct pvm_vcpu *v = l->owner;

	if (!when_ns) {
		hrtimer_try_to_cancel(&v->timer);
		clear_bit(PVM_REQ_TIMER, &v->requests);
		return;
	}
	when_ns = max_t(u64, when_ns, ktime_get_ns() + PVM_TIMER_MIN_NS);
	hrtimer_start(&v->timer, ns_to_ktime(when_ns), HRTIMER_MODE_ABS_HARD);
}

static enum hrtimer_restart pvm_time_expired(struct hrtimer *t)
{
	pvm_vcpu_request(container_of(t, struct pvm_vcpu, timer), PVM_REQ_TIMER);
	return HRTIMER_NORESTART;
}

static void pvm_time_kick(struct pvm_lapic *l)
{
	pvm_vcpu_request(l->owner, PVM_REQ_EVENT);
}

static void pvm_time_eoi(struct pvm_lapic *l, u8 vector)
{
	struct pvm_vcpu *v = l->owner;

	v->m->ioapic_eoi(v->m->vm, vector);
}

static void pvm_time_send(struct pvm_lapic *l, const struct pvm_irq_msg *m)
{
	struct pvm_vcpu *v = l->owner;

	pvm_lapic_deliver(v->m->lapics, l, m);
}

const struct pvm_lapic_host pvm_vcpu_lapic_host = {
	.now_ns		= pvm_time_now_ns,
	.now_tsc	= pvm_time_now_tsc,
	.tsc_to_ns	= pvm_time_tsc_to_ns,
	.timer_set	= pvm_time_timer_set,
	.kick		= pvm_time_kick,
	.eoi		= pvm_time_eoi,
	.send		= pvm_time_send,
};

void pvm_time_init(struct pvm_vcpu *v)
{
	hrtimer_setup(&v->timer, pvm_time_expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
}

void pvm_time_stop(struct pvm_vcpu *v)
{
	hrtimer_cancel(&v->timer);
}
