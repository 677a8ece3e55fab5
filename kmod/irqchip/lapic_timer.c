// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC timer: one-shot, periodic, TSC deadline.
 *
 * The count is arithmetic over the time it began, so a masked timer needs no
 * host timer, and a periodic one whose expiries were missed catches up in one
 * division and raises one interrupt. The host timer is armed at most once per
 * period, and a period is never shorter than 20 us: a guest that asks for less
 * gets a slower timer, not the host's time.
 *
 * The counter runs at PVM_LAPIC_BUS_HZ over the divider.
 *
 * World:   pure
 * Context: owner thread
 * Spec:    SDM3 "APIC Timer"
 */
#include "irqchip/lapic.h"

#define TIMER_PERIOD_MIN_NS	20000
#define TIMER_RETRY_NS		500	/* after an expiry that came too early */
#define TIMER_NS_PER_TICK	(PVM_NS_PER_S / PVM_LAPIC_BUS_HZ)

static inline u32 timer_mode(const struct pvm_lapic *l)
{
	return l->lvt[PVM_LVT_TIMER] & PVM_LVT_TIMER_MODE;
}

/* Divide configuration: bits 3, 1, 0 are 0: by 2, ... 6: by 128, 7: by 1. */
static inline u32 divider(const struct pvm_lapic *l)
{
	u32 d = l->timer_divide;

	return 1u << ((((d & 3) | (d & 8) >> 1) + 1) & 7);
}

/* The time of a whole count in @mode; at most 2^32 * 128 ns. */
static u64 period_ns(const struct pvm_lapic *l, u32 mode)
{
	u64 ns = (u64)l->timer_initial * divider(l) * TIMER_NS_PER_TICK;

	if (mode == PVM_LVT_PERIODIC && ns < TIMER_PERIOD_MIN_NS)
		return TIMER_PERIOD_MIN_NS;
	return ns;
}

/* A count may have begun before time zero, after a change of the divider. */
static u64 elapsed_ns(const struct pvm_lapic *l, u64 now_ns)
{
	s64 ns = now_ns - l->timer_start_ns;

	return ns < 0 ? 0 : ns;
}

/* Brings a count in @mode up to @now_ns; true if it has reached zero since. */
static bool settle(struct pvm_lapic *l, u32 mode, u64 now_ns)
{
	u64 elapsed = elapsed_ns(l, now_ns), period = period_ns(l, mode);

	if (!l->timer_running || elapsed < period)
		return false;
	if (mode == PVM_LVT_PERIODIC)
		l->timer_start_ns += div64_u64(elapsed, period) * period;
	else
		l->timer_running = false;
	return true;
}

static void host_timer(struct pvm_lapic *l, u64 when_ns)
{
	if (!when_ns && !l->timer_armed)
		return;
	l->timer_armed = when_ns;
	l->host->timer_set(l, when_ns);
}

/* Arms the host's timer for the next expiry that is to be an interrupt, not before @floor_ns. */
static void arm(struct pvm_lapic *l, u64 floor_ns)
{
	u64 when_ns = 0;

	if (l->lvt[PVM_LVT_TIMER] & PVM_LVT_MASKED)
		when_ns = 0;
	else if (l->tsc_deadline)
		when_ns = max(l->host->tsc_to_ns(l, l->tsc_deadline), max_t(u64, floor_ns, 1));
	else if (l->timer_running)
		when_ns = max(l->timer_start_ns + period_ns(l, timer_mode(l)),
			      max_t(u64, floor_ns, 1));
	host_timer(l, when_ns);
}

static void fire(struct pvm_lapic *l)
{
	u32 lvt = l->lvt[PVM_LVT_TIMER];

	if (lvt & PVM_LVT_MASKED)
		return;
	if ((lvt & PVM_LVT_VECTOR) < PVM_APIC_FIRST_VECTOR)
		pvm_lapic_error(l, PVM_ESR_RECEIVE_VECTOR);
	else
		pvm_lapic_irr_set(l, lvt & PVM_LVT_VECTOR, false);
}

void pvm_lapic_timer_stop(struct pvm_lapic *l)
{
	l->timer_running = false;
	l->tsc_deadline = 0;
	host_timer(l, 0);
}

void pvm_lapic_timer_lvt(struct pvm_lapic *l, u32 old)
{
	u32 change = old ^ l->lvt[PVM_LVT_TIMER];

	if (!(change & (PVM_LVT_TIMER_MODE | PVM_LVT_MASKED)))
		return;
	/* Entering or leaving deadline mode disarms; nothing else does. */
	if (change & PVM_LVT_TIMER_MODE &&
	    ((old & PVM_LVT_TIMER_MODE) == PVM_LVT_DEADLINE ||
	     timer_mode(l) == PVM_LVT_DEADLINE)) {
		pvm_lapic_timer_stop(l);
		return;
	}
	/*
	 * What expired while masked is gone, in the old mode: a one-shot count that
	 * has ended does not come back by turning periodic.
	 */
	if (l->tsc_deadline)
		pvm_lapic_timer_deadline_read(l);
	else if (l->timer_running)
		settle(l, old & PVM_LVT_TIMER_MODE, l->host->now_ns(l));
	arm(l, 0);
}

void pvm_lapic_timer_initial(struct pvm_lapic *l, u32 count)
{
	if (timer_mode(l) == PVM_LVT_DEADLINE)
		return;
	l->timer_initial = count;
	l->timer_running = count;
	if (count)
		l->timer_start_ns = l->host->now_ns(l);
	arm(l, 0);
}

u32 pvm_lapic_timer_current(struct pvm_lapic *l)
{
	u32 mode = timer_mode(l);
	u64 period, elapsed, ticks;

	if (!l->timer_running)
		return 0;
	period = period_ns(l, mode);
	elapsed = elapsed_ns(l, l->host->now_ns(l));
	if (elapsed >= period) {
		/* An expiry that the host's timer has yet to report stays its to find. */
		if (mode != PVM_LVT_PERIODIC)
			return 0;
		elapsed -= div64_u64(elapsed, period) * period;
	}
	ticks = div_u64(period - elapsed, divider(l) * TIMER_NS_PER_TICK);
	return min_t(u64, ticks, l->timer_initial);
}

void pvm_lapic_timer_divide(struct pvm_lapic *l, u32 divide)
{
	u32 left;

	if (!l->timer_running) {
		l->timer_divide = divide;
		return;
	}
	/* The count goes on from where it is, at another pace. */
	left = pvm_lapic_timer_current(l);
	l->timer_divide = divide;
	l->timer_start_ns = l->host->now_ns(l) -
		(u64)(l->timer_initial - left) * divider(l) * TIMER_NS_PER_TICK;
	arm(l, 0);
}

void pvm_lapic_timer_deadline(struct pvm_lapic *l, u64 tsc)
{
	if (unlikely(timer_mode(l) != PVM_LVT_DEADLINE || !(l->base & PVM_APIC_BASE_EN)))
		return;
	l->tsc_deadline = tsc;
	if (tsc && l->host->now_tsc(l) >= tsc) {
		l->tsc_deadline = 0;
		fire(l);
	}
	arm(l, 0);
}

u64 pvm_lapic_timer_deadline_read(struct pvm_lapic *l)
{
	/* Masked, nobody else notices that it has passed. */
	if (l->tsc_deadline && l->lvt[PVM_LVT_TIMER] & PVM_LVT_MASKED &&
	    l->host->now_tsc(l) >= l->tsc_deadline)
		l->tsc_deadline = 0;
	return l->tsc_deadline;
}

void pvm_lapic_timer(struct pvm_lapic *l)
{
	u64 now_ns = l->host->now_ns(l);

	l->timer_armed = false;
	if (l->tsc_deadline) {
		if (l->host->now_tsc(l) >= l->tsc_deadline) {
			l->tsc_deadline = 0;
			fire(l);
			return;
		}
	} else if (settle(l, timer_mode(l), now_ns)) {
		fire(l);
	}
	arm(l, now_ns + TIMER_RETRY_NS);
}
