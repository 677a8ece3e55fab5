/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's half of a device: its lock, its timers, the clock they follow.
 *
 * Public to dev.c and bus.c, so that the bus takes the lock without a call, and
 * to whoever owns a machine's clock. Models never see it.
 *
 * World:   kernel
 * Context: as each function says
 */
#ifndef PVM_DEV_SLOT_H
#define PVM_DEV_SLOT_H

#include <linux/hrtimer.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include "dev/dev.h"

/*
 * Guest time: the host's monotonic clock plus an offset; stands still while the
 * VM is paused. One per VM, shared by its devices and local APICs.
 *
 * Locking key: (q) seqcount; writers are serialised by the VM's state machine
 */
struct pvm_dev_clock {
	seqcount_t seq;
	bool stopped;		/* (q) */
	s64 offset_ns;		/* (q) guest minus host */
	u64 stopped_ns;		/* (q) guest time while stopped */
};

/* Guest time starts at 0, standing still. */
void pvm_dev_clock_init(struct pvm_dev_clock *c);
/* Both in process context, serialised by the caller; harmless when done already. */
void pvm_dev_clock_start(struct pvm_dev_clock *c);
void pvm_dev_clock_stop(struct pvm_dev_clock *c);
/* Any context but NMI. Returns false while it stands still; *now_ns is right either way. */
bool pvm_dev_clock_read(const struct pvm_dev_clock *c, u64 *now_ns);
/* The host's CLOCK_MONOTONIC when guest time will be @guest_ns, if it keeps running. */
u64 pvm_dev_clock_to_host(const struct pvm_dev_clock *c, u64 guest_ns);

/* Locking key: (c) constant after creation  (d) dev->lock */
struct pvm_dev_timer {
	struct hrtimer hr;
	struct pvm_dev *dev;	/* (c) */
	u32 id;			/* (c) */
	u64 when_ns;		/* (d) guest time; 0: off */
	u64 fired_ns;		/* (d) guest time of the last expiry */
};

/* Locking key: (c) constant after creation  (d) lock, which is "dev->lock" everywhere */
struct pvm_dev_slot {
	raw_spinlock_t lock;			/* raw: timers run in hard IRQ context */
	bool dying;				/* (d) timers are not armed again */
	const struct pvm_dev_clock *clock;	/* (c) set once, before the first timer */
	struct pvm_dev_timer timer[PVM_DEV_TIMERS];
};

static inline struct pvm_dev_slot *pvm_dev_slot(const struct pvm_dev *d)
{
	return d->slot;
}

/*
 * The device's lock, for whoever has IRQs off already. Where nothing watches
 * locks these are the same lock operations without the calls and without the
 * preemption count, which with IRQs off says nothing: a dozen instructions out
 * of each access to a port.
 */
static __always_inline void pvm_dev_slot_lock(struct pvm_dev_slot *s)
{
#if defined(CONFIG_DEBUG_SPINLOCK) || defined(CONFIG_LOCKDEP)
	raw_spin_lock(&s->lock);
#else
	arch_spin_lock(&s->lock.raw_lock);
#endif
}

static __always_inline void pvm_dev_slot_unlock(struct pvm_dev_slot *s)
{
#if defined(CONFIG_DEBUG_SPINLOCK) || defined(CONFIG_LOCKDEP)
	raw_spin_unlock(&s->lock);
#else
	arch_spin_unlock(&s->lock.raw_lock);
#endif
}

/*
 * The clock that @d's timers follow and pvm_dev_now_ns() reads; before this
 * call it is one that never runs. Once, after attach, before the first timer.
 */
void pvm_dev_set_clock(struct pvm_dev *d, const struct pvm_dev_clock *clock);

/* A ready host.now_ns. Any context. */
u64 pvm_dev_now_ns(struct pvm_dev *d);

/*
 * Around a stop of the clock: pause() cancels the host timers (after the clock
 * has stopped), resume() arms them again (after it was started). Process context.
 */
void pvm_dev_pause(struct pvm_dev *d);
void pvm_dev_resume(struct pvm_dev *d);

#endif /* PVM_DEV_SLOT_H */
