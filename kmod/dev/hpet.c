// SPDX-License-Identifier: GPL-2.0-only
/*
 * HPET: one 64-bit counter at 100 MHz and three comparators.
 *
 * Each comparator keeps the counter value of its next match, counted on without
 * wrapping; what has passed since the last access is made up by arithmetic
 * before any register is looked at. A host timer is armed only for comparators
 * whose interrupt is enabled. Matches that were missed are one.
 *
 * World:   pure
 * Context: device's lock held
 * Spec:    HPET r1.0a, sec 2.3 "Register Model Overview"
 */
#include <pvm/env.h>
#include "dev/models.h"

enum {
	REG_CAPABILITIES = 0x000,
	REG_CONFIG	= 0x010,
	REG_STATUS	= 0x020,
	REG_COUNTER	= 0x0f0,
	REG_TIMERS	= 0x100,
	/* in each timer's 0x20 bytes */
	REG_TN_CONFIG	= 0x00,
	REG_TN_COMPARATOR = 0x08,
	REG_TN_FSB	= 0x10,
};

#define CAP_LEG_RT		BIT_ULL(15)
#define CAP_COUNT_SIZE		BIT_ULL(13)
#define CAP_NUM_TIM_SHIFT	8
#define CAP_VENDOR		(0x8086ull << 16)
#define CAP_REVISION		1
#define CAP_PERIOD_FS		((u64)PVM_HPET_TICK_NS * 1000000)

#define CONFIG_ENABLE		BIT_ULL(0)
#define CONFIG_LEG_RT		BIT_ULL(1)

#define TN_LEVEL		BIT_ULL(1)
#define TN_ENABLED		BIT_ULL(2)
#define TN_PERIODIC		BIT_ULL(3)
#define TN_PER_CAP		BIT_ULL(4)
#define TN_SIZE_CAP		BIT_ULL(5)
#define TN_VAL_SET		BIT_ULL(6)
#define TN_32BIT		BIT_ULL(8)
#define TN_ROUTE_SHIFT		9
#define TN_ROUTE		GENMASK_ULL(13, 9)
#define TN_FSB			BIT_ULL(14)
#define TN_FSB_CAP		BIT_ULL(15)
#define TN_WRITABLE		(TN_LEVEL | TN_ENABLED | TN_PERIODIC | TN_VAL_SET | TN_32BIT | \
				 TN_ROUTE | TN_FSB)

/* A match further away than this is not waited for (2924 years). */
#define FAR_TICKS		BIT_ULL(63)

static struct pvm_hpet *hpet_of(struct pvm_dev *d)
{
	return container_of(d, struct pvm_hpet, dev);
}

static bool hpet_running(const struct pvm_hpet *h)
{
	return h->config & CONFIG_ENABLE;
}

static u64 hpet_counter(const struct pvm_hpet *h, u64 now_ns)
{
	if (!hpet_running(h))
		return h->counter;
	return h->counter + div_u64(now_ns - h->base_ns, PVM_HPET_TICK_NS);
}

static u64 hpet_width(const struct pvm_hpet_timer *t)
{
	return t->config & TN_32BIT ? GENMASK_ULL(31, 0) : ~0ull;
}

/* --- interrupts ------------------------------------------------------------------- */

/* The line of timer @n, as it is routed now. */
static u32 hpet_line_of(const struct pvm_hpet *h, u32 n)
{
	if ((h->config & CONFIG_LEG_RT) && n < 2)
		return n ? PVM_ISA_IRQ_RTC : h->dev.line;
	return (h->timer[n].config & TN_ROUTE) >> TN_ROUTE_SHIFT;
}

/* True where the timer may drive its line at all. */
static bool hpet_drives(const struct pvm_hpet *h, u32 n)
{
	const struct pvm_hpet_timer *t = &h->timer[n];

	if (!hpet_running(h) || !(t->config & TN_ENABLED) || (t->config & TN_FSB))
		return false;
	return ((h->config & CONFIG_LEG_RT) && n < 2) ||
		(PVM_HPET_ROUTES & BIT(hpet_line_of(h, n)));
}

/* Drives or releases the line of a level-triggered timer. */
static void hpet_level(struct pvm_hpet *h, u32 n, bool level)
{
	if (hpet_drives(h, n) && (h->timer[n].config & TN_LEVEL))
		pvm_dev_irq(&h->dev, hpet_line_of(h, n), level);
}

static void hpet_fire(struct pvm_hpet *h, u32 n)
{
	struct pvm_hpet_timer *t = &h->timer[n];

	if (t->config & TN_LEVEL)
		h->status |= BIT_ULL(n);
	if (!(t->config & TN_ENABLED))
		return;
	if (t->config & TN_FSB) {
		h->dev.host->msi(&h->dev, t->fsb >> 32, lower_32_bits(t->fsb));
	} else if (t->config & TN_LEVEL) {
		hpet_level(h, n, true);
	} else if (hpet_drives(h, n)) {
		/* The PIT or the RTC may have left its line up when it lost it to us. */
		if (h->config & CONFIG_LEG_RT)
			pvm_dev_irq(&h->dev, hpet_line_of(h, n), false);
		pvm_dev_irq(&h->dev, hpet_line_of(h, n), true);
		pvm_dev_irq(&h->dev, hpet_line_of(h, n), false);
	}
}

/* --- matches ---------------------------------------------------------------------- */

/* Works out the next match from the comparator's value. */
static void hpet_aim(struct pvm_hpet *h, u32 n, u64 now_ns)
{
	struct pvm_hpet_timer *t = &h->timer[n];
	u64 counter = hpet_counter(h, now_ns);
	u64 ahead = (t->comparator - counter) & hpet_width(t);

	t->armed = ahead < FAR_TICKS;
	t->due = counter + ahead;
}

/* A match has been reached: when is the next one? */
static void hpet_next(struct pvm_hpet_timer *t, u64 counter)
{
	u64 step = t->config & TN_PERIODIC ? t->period & hpet_width(t) : 0;
	u64 matches;

	if (t->config & TN_PERIODIC) {
		t->armed = step;
		if (!step)
			return;
		matches = div64_u64(counter - t->due, step) + 1;
		t->due += matches * step;
		t->comparator = t->due & hpet_width(t);
	} else if (t->config & TN_32BIT) {
		/* Matches again each time the low half has gone round. */
		t->due += ((counter - t->due) & ~GENMASK_ULL(31, 0)) + BIT_ULL(32);
	} else {
		t->armed = false;
	}
}

/* Makes up for the time since the last look. */
static void hpet_sync(struct pvm_hpet *h, u64 now_ns)
{
	u64 counter = hpet_counter(h, now_ns);
	u32 n;

	if (!hpet_running(h))
		return;
	for (n = 0; n < PVM_HPET_TIMERS; n++) {
		struct pvm_hpet_timer *t = &h->timer[n];

		/* As a distance: due may lie beyond the counter's wrap. */
		if (!t->armed || t->due - counter - 1 < FAR_TICKS)
			continue;
		hpet_next(t, counter);
		hpet_fire(h, n);
	}
}

static void hpet_arm(struct pvm_hpet *h, u64 now_ns)
{
	u64 counter = hpet_counter(h, now_ns);
	u32 n;

	for (n = 0; n < PVM_HPET_TIMERS; n++) {
		struct pvm_hpet_timer *t = &h->timer[n];
		u64 when_ns = 0;

		/* Beyond 97 years it does not matter, and would overflow. */
		if (hpet_running(h) && t->armed && (t->config & TN_ENABLED) &&
		    t->due - counter < BIT_ULL(58)) {
			when_ns = h->base_ns + (t->due - h->counter) * PVM_HPET_TICK_NS;
			if (t->config & TN_PERIODIC)
				when_ns = max(when_ns, now_ns + PVM_DEV_MIN_PERIOD_NS);
		}
		pvm_dev_timer(&h->dev, n, when_ns);
	}
}

static void hpet_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
	struct pvm_hpet *h = hpet_of(d);

	hpet_sync(h, now_ns);
	hpet_arm(h, now_ns);
}

/* --- registers -------------------------------------------------------------------- */

static u64 hpet_timer_caps(const struct pvm_hpet *h)
{
	return TN_PER_CAP | TN_SIZE_CAP | (h->fsb ? TN_FSB_CAP : 0) |
		(u64)PVM_HPET_ROUTES << 32;
}

static u64 hpet_get_timer(const struct pvm_hpet *h, u32 n, u32 off)
{
	const struct pvm_hpet_timer *t = &h->timer[n];

	switch (off) {
	case REG_TN_CONFIG:
		return t->config | hpet_timer_caps(h);
	case REG_TN_COMPARATOR:
		return t->comparator;
	case REG_TN_FSB:
		return t->fsb;
	}
	return 0;
}

/* A whole register; @off is a multiple of 8. */
static u64 hpet_get(const struct pvm_hpet *h, u32 off, u64 now_ns)
{
	switch (off) {
	case REG_CAPABILITIES:
		return CAP_PERIOD_FS << 32 | CAP_VENDOR | CAP_LEG_RT | CAP_COUNT_SIZE |
			(PVM_HPET_TIMERS - 1) << CAP_NUM_TIM_SHIFT | CAP_REVISION;
	case REG_CONFIG:
		return h->config;
	case REG_STATUS:
		return h->status;
	case REG_COUNTER:
		return hpet_counter(h, now_ns);
	}
	if (off >= REG_TIMERS && (off - REG_TIMERS) / 0x20 < PVM_HPET_TIMERS)
		return hpet_get_timer(h, (off - REG_TIMERS) / 0x20, off & 0x1f);
	return 0;
}

/* Every level line off, or on again as status and configuration say. */
static void hpet_levels(struct pvm_hpet *h, bool on)
{
	u32 n;

	for (n = 0; n < PVM_HPET_TIMERS; n++)
		if (h->status & BIT_ULL(n))
			hpet_level(h, n, on);
}

static void hpet_put_config(struct pvm_hpet *h, u64 val, u64 now_ns)
{
	bool was_running = hpet_running(h);
	u64 counter = hpet_counter(h, now_ns);
	u32 n;

	/* A line must not stay up when what drove it is turned elsewhere. */
	hpet_levels(h, false);
	h->counter = counter;
	h->base_ns = now_ns;
	WRITE_ONCE(h->config, val & (CONFIG_ENABLE | CONFIG_LEG_RT));
	hpet_levels(h, true);
	if (!was_running && hpet_running(h))
		for (n = 0; n < PVM_HPET_TIMERS; n++)
			hpet_aim(h, n, now_ns);
}

static void hpet_put_status(struct pvm_hpet *h, u64 val)
{
	u32 n;

	for (n = 0; n < PVM_HPET_TIMERS; n++) {
		if (!(val & h->status & BIT_ULL(n)))
			continue;
		hpet_level(h, n, false);
		h->status &= ~BIT_ULL(n);
	}
}

static void hpet_put_counter(struct pvm_hpet *h, u64 val, u64 now_ns)
{
	if (hpet_running(h)) {
		h->dev.host->guest_error(&h->dev, "hpet: counter written while it runs", val);
		return;
	}
	h->counter = val;
	h->base_ns = now_ns;
}

static void hpet_put_timer_config(struct pvm_hpet *h, u32 n, u64 val, u64 now_ns)
{
	struct pvm_hpet_timer *t = &h->timer[n];
	u64 writable = TN_WRITABLE & ~(h->fsb ? 0 : TN_FSB);
	u32 route = (val & TN_ROUTE) >> TN_ROUTE_SHIFT;

	/* A route that is not offered is not taken. */
	if (route && !(PVM_HPET_ROUTES & BIT(route)))
		writable &= ~TN_ROUTE;
	if (h->status & BIT_ULL(n))
		hpet_level(h, n, false);
	t->config = (t->config & ~writable) | (val & writable);
	if (t->config & TN_32BIT) {
		t->comparator = lower_32_bits(t->comparator);
		t->period = lower_32_bits(t->period);
	}
	if (!(t->config & TN_LEVEL))
		h->status &= ~BIT_ULL(n);
	if (h->status & BIT_ULL(n))
		hpet_level(h, n, true);
	hpet_aim(h, n, now_ns);
}

/*
 * In periodic mode a write is the period; with "value set" before it, also the
 * next match. That bit clears itself, yet both halves of one 64-bit value
 * written as two must count.
 */
static void hpet_put_comparator(struct pvm_hpet *h, u32 n, u64 val, u64 mask, u64 now_ns)
{
	struct pvm_hpet_timer *t = &h->timer[n];
	bool high_only = !(mask & GENMASK_ULL(31, 0));
	bool set = (t->config & TN_VAL_SET) || (high_only && t->set_high);

	mask &= hpet_width(t);
	if (!(t->config & TN_PERIODIC) || set)
		t->comparator = (t->comparator & ~mask) | (val & mask);
	if (t->config & TN_PERIODIC)
		t->period = (t->period & ~mask) | (val & mask);
	t->set_high = (t->config & TN_VAL_SET) && !high_only;
	t->config &= ~TN_VAL_SET;
	/* A new period alone moves the matches that follow the one under way. */
	if (!(t->config & TN_PERIODIC) || set || !t->armed)
		hpet_aim(h, n, now_ns);
}

static void hpet_put_timer(struct pvm_hpet *h, u32 n, u32 off, u64 val, u64 mask)
{
	struct pvm_hpet_timer *t = &h->timer[n];
	u64 now_ns = pvm_dev_now(&h->dev);

	switch (off) {
	case REG_TN_CONFIG:
		hpet_put_timer_config(h, n, (t->config & ~mask) | (val & mask), now_ns);
		break;
	case REG_TN_COMPARATOR:
		hpet_put_comparator(h, n, val, mask, now_ns);
		break;
	case REG_TN_FSB:
		t->fsb = (t->fsb & ~mask) | (val & mask);
		break;
	}
}

static u64 hpet_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	struct pvm_hpet *h = hpet_of(d);
	u64 now_ns = pvm_dev_now(d);

	/* The counter is what is read all the time; nothing to make up for it. */
	if ((off & ~7ull) != REG_COUNTER)
		hpet_sync(h, now_ns);
	return (hpet_get(h, off & ~7ull, now_ns) >> (8 * (off & 7))) & pvm_bytes_mask(bytes);
}

static void hpet_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	struct pvm_hpet *h = hpet_of(d);
	u64 now_ns = pvm_dev_now(d);
	u32 shift = 8 * (off & 7);
	u64 mask = pvm_bytes_mask(bytes) << shift;
	u32 reg = off & ~7ull;

	val <<= shift;
	hpet_sync(h, now_ns);
	switch (reg) {
	case REG_CONFIG:
		hpet_put_config(h, (h->config & ~mask) | (val & mask), now_ns);
		break;
	case REG_STATUS:
		hpet_put_status(h, val & mask);
		break;
	case REG_COUNTER:
		hpet_put_counter(h, (h->counter & ~mask) | (val & mask), now_ns);
		break;
	default:
		if (reg >= REG_TIMERS && (reg - REG_TIMERS) / 0x20 < PVM_HPET_TIMERS)
			hpet_put_timer(h, (reg - REG_TIMERS) / 0x20, reg & 0x1f, val, mask);
	}
	hpet_sync(h, now_ns);
	hpet_arm(h, now_ns);
}

static void hpet_reset(struct pvm_dev *d)
{
	struct pvm_hpet *h = hpet_of(d);
	u32 n;

	hpet_levels(h, false);
	WRITE_ONCE(h->config, 0);
	h->status = 0;
	h->counter = 0;
	h->base_ns = 0;
	for (n = 0; n < PVM_HPET_TIMERS; n++) {
		h->timer[n] = (struct pvm_hpet_timer){ .comparator = ~0ull };
		pvm_dev_timer(d, n, 0);
	}
}

static const struct pvm_state_desc hpet_state[] = {
	PVM_STATE(struct pvm_hpet, fsb),
	PVM_STATE(struct pvm_hpet, config),
	PVM_STATE(struct pvm_hpet, status),
	PVM_STATE(struct pvm_hpet, counter),
	PVM_STATE(struct pvm_hpet, base_ns),
	PVM_STATE(struct pvm_hpet, timer),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_hpet_ops = {
	.name	= "hpet",
	.reset	= hpet_reset,
	.read	= hpet_read,
	.write	= hpet_write,
	.timer	= hpet_timer,
	.state	= hpet_state,
};
