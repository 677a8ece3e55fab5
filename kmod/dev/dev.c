// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life cycle, lock and timers of a device.
 *
 * A model asks for guest time; the host timers behind that run on the host's
 * monotonic clock and call the model from hard interrupt context, with the
 * device's lock held. A timer's truth is when_ns: a host timer that fires late,
 * early or after it was cancelled finds out from it under the lock. So nothing
 * ever waits for a timer except detach.
 *
 * World:   kernel
 * Context: as dev/dev.h and dev/slot.h say
 */
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "dev/dev.h"
#include "dev/slot.h"

/*
 * A timer is not served more often than this, whatever the guest programs: each
 * expiry is a host interrupt. 20 kHz is ten times what guests ask of any of
 * these devices.
 */
#define DEV_TIMER_MIN_NS	50000

/*
 * A lock class for each model, so that lockdep learns their order (the PCI root
 * before its functions, devices before interrupt chips) and that no two devices
 * of one model nest. Classes stay as long as the module.
 */
#define DEV_CLASSES	48

static DEFINE_MUTEX(dev_class_mutex);
static struct {
	const struct pvm_dev_ops *ops;
	struct lock_class_key key;
} dev_class[IS_ENABLED(CONFIG_LOCKDEP) ? DEV_CLASSES : 1];

static struct pvm_dev_clock dev_no_clock = {
	.seq = SEQCNT_ZERO(dev_no_clock.seq),
	.stopped = true,
};

/* --- guest time --- */

void pvm_dev_clock_init(struct pvm_dev_clock *c)
{
	seqcount_init(&c->seq);
	c->stopped = true;
	c->offset_ns = 0;
	c->stopped_ns = 0;
}

/* IRQs are off: a timer on this CPU would wait for us for ever. */
void pvm_dev_clock_start(struct pvm_dev_clock *c)
{
	unsigned long flags;

	local_irq_save(flags);
	raw_write_seqcount_begin(&c->seq);
	if (c->stopped) {
		c->offset_ns = c->stopped_ns - ktime_get_ns();
		c->stopped = false;
	}
	raw_write_seqcount_end(&c->seq);
	local_irq_restore(flags);
}

void pvm_dev_clock_stop(struct pvm_dev_clock *c)
{
	unsigned long flags;

	local_irq_save(flags);
	raw_write_seqcount_begin(&c->seq);
	if (!c->stopped) {
		c->stopped_ns = ktime_get_ns() + c->offset_ns;
		c->stopped = true;
	}
	raw_write_seqcount_end(&c->seq);
	local_irq_restore(flags);
}

bool pvm_dev_clock_read(const struct pvm_dev_clock *c, u64 *now_ns)
{
	unsigned int seq;
	bool stopped;

	do {
		seq = raw_read_seqcount_begin(&c->seq);
		stopped = c->stopped;
		*now_ns = stopped ? c->stopped_ns : ktime_get_ns() + c->offset_ns;
	} while (read_seqcount_retry(&c->seq, seq));
	return !stopped;
}

u64 pvm_dev_clock_to_host(const struct pvm_dev_clock *c, u64 guest_ns)
{
	unsigned int seq;
	s64 offset_ns;

	do {
		seq = raw_read_seqcount_begin(&c->seq);
		offset_ns = c->offset_ns;
	} while (read_seqcount_retry(&c->seq, seq));

	/* Beyond what ktime_t holds is never. */
	if (guest_ns > KTIME_MAX / 2)
		return KTIME_MAX;
	return max_t(s64, (s64)guest_ns - offset_ns, 0);
}

u64 pvm_dev_now_ns(struct pvm_dev *d)
{
	u64 now_ns;

	pvm_dev_clock_read(pvm_dev_slot(d)->clock, &now_ns);
	return now_ns;
}

/* --- lock --- */

unsigned long pvm_dev_lock(struct pvm_dev *d)
	__acquires(&pvm_dev_slot(d)->lock)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pvm_dev_slot(d)->lock, flags);
	return flags;
}

void pvm_dev_unlock(struct pvm_dev *d, unsigned long flags)
	__releases(&pvm_dev_slot(d)->lock)
{
	raw_spin_unlock_irqrestore(&pvm_dev_slot(d)->lock, flags);
}

/* --- timers --- */

/* Starts the host timer for t->when_ns; a clock that stands still has none. */
static void dev_timer_arm(struct pvm_dev_slot *s, struct pvm_dev_timer *t)
{
	u64 now_ns, when_ns = t->when_ns;

	lockdep_assert_held(&s->lock);
	if (s->dying || !pvm_dev_clock_read(s->clock, &now_ns))
		return;
	if (t->fired_ns && when_ns < t->fired_ns + DEV_TIMER_MIN_NS)
		when_ns = t->fired_ns + DEV_TIMER_MIN_NS;
	hrtimer_start(&t->hr, ns_to_ktime(pvm_dev_clock_to_host(s->clock, when_ns)),
		      HRTIMER_MODE_ABS_HARD);
}

static enum hrtimer_restart dev_timer_fire(struct hrtimer *hr)
{
	struct pvm_dev_timer *t = container_of(hr, struct pvm_dev_timer, hr);
	struct pvm_dev *d = t->dev;
	struct pvm_dev_slot *s = pvm_dev_slot(d);
	unsigned long flags;
	u64 now_ns;

	raw_spin_lock_irqsave(&s->lock, flags);
	if (s->dying || !t->when_ns || !pvm_dev_clock_read(s->clock, &now_ns))
		goto out;	/* cancelled meanwhile, or resume() arms it */
	if (now_ns < t->when_ns) {
		if (!hrtimer_is_queued(hr))
			dev_timer_arm(s, t);
		goto out;
	}
	t->when_ns = 0;
	t->fired_ns = now_ns;
	d->ops->timer(d, t->id, now_ns);
out:
	raw_spin_unlock_irqrestore(&s->lock, flags);
	return HRTIMER_NORESTART;
}

void pvm_dev_timer_set(struct pvm_dev *d, u32 id, u64 when_ns)
{
	struct pvm_dev_slot *s = pvm_dev_slot(d);
	struct pvm_dev_timer *t;

	lockdep_assert_held(&s->lock);
	if (WARN_ON_ONCE(id >= PVM_DEV_TIMERS || !d->ops->timer))
		return;
	t = &s->timer[id];
	t->when_ns = when_ns;
	if (when_ns)
		dev_timer_arm(s, t);
	else
		hrtimer_try_to_cancel(&t->hr);	/* one that runs now sees when_ns */
}

void pvm_dev_pause(struct pvm_dev *d)
{
	struct pvm_dev_slot *s = pvm_dev_slot(d);
	u32 i;

	/* Without the lock, for which a running one may be waiting. */
	for (i = 0; i < PVM_DEV_TIMERS; i++)
		hrtimer_cancel(&s->timer[i].hr);
}

void pvm_dev_resume(struct pvm_dev *d)
{
	struct pvm_dev_slot *s = pvm_dev_slot(d);
	unsigned long flags;
	u32 i;

	flags = pvm_dev_lock(d);
	for (i = 0; i < PVM_DEV_TIMERS; i++)
		if (s->timer[i].when_ns)
			dev_timer_arm(s, &s->timer[i]);
	pvm_dev_unlock(d, flags);
}

/* --- life --- */

/* Models beyond the table, which has room to spare, share its last class. */
static void dev_set_class(struct pvm_dev_slot *s, const struct pvm_dev_ops *ops)
{
	u32 i;

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	mutex_lock(&dev_class_mutex);
	for (i = 0; i < ARRAY_SIZE(dev_class) - 1; i++)
		if (!dev_class[i].ops || dev_class[i].ops == ops)
			break;
	dev_class[i].ops = ops;
	mutex_unlock(&dev_class_mutex);
	lockdep_set_class_and_name(&s->lock, &dev_class[i].key, ops->name);
}

int pvm_dev_attach(struct pvm_dev *d, const struct pvm_dev_ops *ops,
		   const struct pvm_dev_host *host, void *owner, bool inner)
{
	struct pvm_dev_slot *s;
	u32 i;

	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	raw_spin_lock_init(&s->lock);
	dev_set_class(s, ops);
	s->clock = &dev_no_clock;
	for (i = 0; i < PVM_DEV_TIMERS; i++) {
		s->timer[i].dev = d;
		s->timer[i].id = i;
		hrtimer_setup(&s->timer[i].hr, dev_timer_fire, CLOCK_MONOTONIC,
			      HRTIMER_MODE_ABS_HARD);
	}
	d->ops = ops;
	d->host = host;
	d->owner = owner;
	d->slot = s;
	return 0;
}

void pvm_dev_set_clock(struct pvm_dev *d, const struct pvm_dev_clock *clock)
{
	pvm_dev_slot(d)->clock = clock;
}

void pvm_dev_reset(struct pvm_dev *d)
{
	unsigned long flags = pvm_dev_lock(d);

	if (d->ops->reset)
		d->ops->reset(d);
	pvm_dev_unlock(d, flags);
}

void pvm_dev_detach(struct pvm_dev *d)
{
	struct pvm_dev_slot *s = pvm_dev_slot(d);
	unsigned long flags;

	if (!s)
		return;
	flags = pvm_dev_lock(d);
	s->dying = true;
	pvm_dev_unlock(d, flags);
	pvm_dev_pause(d);
	/*
	 * An access that found the device before it left the bus may still be
	 * on its way to the lock, with IRQs off. Pairs with local_irq_save() in
	 * bus_find() of bus.c.
	 */
	synchronize_rcu_expedited();
	d->slot = NULL;
	kfree(s);
}
