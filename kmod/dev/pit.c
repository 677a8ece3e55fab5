// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8254 programmable interval timer, and port 0x61 which belongs to channel 2.
 *
 * A counter is a start tick and a count: what it shows and what its output does
 * follow by arithmetic from the time, so nothing runs between accesses. Only
 * channel 0 has a host timer, for the next rising edge of its output; edges
 * that were missed are one edge. Ticks are counted from guest time 0, so
 * rounding never adds up.
 *
 * Where the chip differs: a count written in mode 3 takes over at the end of
 * the whole period, not of its half; the interrupt line stays high between two
 * rising edges, as only edges matter to it.
 *
 * World:   pure
 * Context: device's lock held
 * Spec:    DS 8254 "Mode Definitions", "Read-Back Command"; DS ICH9 "NMI_SC"
 */
#include <pvm/env.h>
#include "dev/models.h"

enum { REGION_COUNTERS, REGION_PORT61 };

#define CONTROL			3	/* offset of the control word */
#define ACCESS_LOW		1
#define ACCESS_HIGH		2
#define ACCESS_BOTH		3

#define STATUS_OUT		BIT(7)
#define STATUS_NULL		BIT(6)	/* the count written is not counting yet */

#define PORT61_GATE2		BIT(0)
#define PORT61_WRITABLE		0x0f
#define PORT61_REFRESH		BIT(4)
#define PORT61_OUT2		BIT(5)
#define REFRESH_NS		15085

#define NEVER			(~0ull)

static struct pvm_pit *pit_of(struct pvm_dev *d)
{
	return container_of(d, struct pvm_pit, dev);
}

static u64 pit_tick(struct pvm_pit *p)
{
	return pvm_muldiv64(pvm_dev_now(&p->dev), PVM_PIT_HZ, PVM_NS_PER_S);
}

/* The first nanosecond at which the clock shows @tick. */
static u64 pit_tick_ns(u64 tick)
{
	return pvm_muldiv64(tick, PVM_NS_PER_S, PVM_PIT_HZ) + 1;
}

static bool pit_periodic(const struct pvm_pit_channel *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* Modes whose count waits for the gate to rise. */
static bool pit_hw_triggered(const struct pvm_pit_channel *c)
{
	return c->mode == 1 || c->mode == 5;
}

/* Does the counter move at all? */
static bool pit_counting(const struct pvm_pit_channel *c)
{
	if (!c->running)
		return false;
	return pit_hw_triggered(c) ? c->triggered : c->gate;
}

/* Ticks since the count was loaded; frozen while the gate is low. */
static u64 pit_elapsed(const struct pvm_pit_channel *c, u64 tick)
{
	if (!pit_counting(c))
		return c->held;
	return tick > c->start ? tick - c->start : 0;
}

/* Lets a count written during a period take over where that period ended. */
static void pit_sync(struct pvm_pit_channel *c, u64 tick)
{
	u64 elapsed = pit_elapsed(c, tick);

	if (!c->next_count || !pit_periodic(c) || !pit_counting(c) || elapsed < c->count)
		return;
	c->start += c->count;
	c->count = c->next_count;
	c->next_count = 0;
}

static bool pit_out(const struct pvm_pit_channel *c, u64 tick)
{
	u64 elapsed = pit_elapsed(c, tick);

	switch (c->mode) {
	case 0:
		return c->running && elapsed > c->count;
	case 1:
		return !c->triggered || elapsed >= c->count;
	case 2:
		return !pit_counting(c) || elapsed % c->count != c->count - 1;
	case 3:
		return !pit_counting(c) || elapsed % c->count < (c->count + 1) / 2;
	default:
		return !pit_counting(c) || elapsed != c->count;
	}
}

/* What the counter shows, binary, before the BCD form. */
static u32 pit_value(const struct pvm_pit_channel *c, u64 tick)
{
	u32 wrap = c->bcd ? 10000 : 65536;
	u64 elapsed = pit_elapsed(c, tick);
	u32 half = (c->count + 1) / 2;
	u32 e;

	switch (c->mode) {
	case 2:
		return c->count - (u32)(elapsed % c->count);
	case 3:		/* counts by twos, twice a period */
		e = elapsed % c->count;
		return (c->count & ~1u) - 2 * (e < half ? e : e - half);
	default:	/* counts on through zero */
		return (c->count + wrap - (u32)(elapsed % wrap)) % wrap;
	}
}

static u16 pit_count_shown(const struct pvm_pit_channel *c, u64 tick)
{
	u32 v = pit_value(c, tick);

	if (!c->bcd)
		return v;
	return v % 10 | (v / 10 % 10) << 4 | (v / 100 % 10) << 8 | (v / 1000 % 10) << 12;
}

/* From a written count to 1..65536 (or 1..10000). A BCD digit above 9 counts as it weighs. */
static u32 pit_count_meant(const struct pvm_pit_channel *c, u16 v)
{
	u32 n = v;

	if (c->bcd)
		n = (v & 15) + (v >> 4 & 15) * 10 + (v >> 8 & 15) * 100 + (v >> 12) * 1000;
	if (!n)
		n = c->bcd ? 10000 : 65536;
	/* One is not allowed where a period is needed. */
	return n == 1 && pit_periodic(c) ? 2 : n;
}

/* The next tick after @tick at which the output rises. */
static u64 pit_next_edge(const struct pvm_pit_channel *c, u64 tick)
{
	u64 edge;

	if (!pit_counting(c))
		return NEVER;
	if (pit_periodic(c)) {
		if (tick < c->start)
			return c->start + c->count;
		return c->start + ((tick - c->start) / c->count + 1) * c->count;
	}
	edge = c->start + c->count + (c->mode == 1 ? 0 : 1);
	return edge > tick ? edge : NEVER;
}

/* Arms channel 0's timer for its next edge after now. */
static void pit_arm(struct pvm_pit *p)
{
	struct pvm_pit_channel *c = &p->channel[0];
	u64 now_ns = pvm_dev_now(&p->dev);
	u64 tick = pit_tick(p);
	u64 edge, soonest;

	if (c->next_count && pit_counting(c)) {
		/* The period under way still ends in an edge; the timer looks again there. */
		edge = c->start + c->count;
	} else {
		edge = pit_next_edge(c, tick);
		soonest = pvm_muldiv64(now_ns + PVM_DEV_MIN_PERIOD_NS, PVM_PIT_HZ, PVM_NS_PER_S);
		if (edge != NEVER && edge < soonest && pit_periodic(c))
			edge = pit_next_edge(c, soonest);
	}
	pvm_dev_timer(&p->dev, 0, edge == NEVER ? 0 : max(pit_tick_ns(edge), now_ns + 1));
}

static void pit_line(struct pvm_pit *p)
{
	pvm_dev_irq(&p->dev, p->dev.line, pit_out(&p->channel[0], pit_tick(p)));
}

static void pit_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
	struct pvm_pit *p = pit_of(d);
	struct pvm_pit_channel *c = &p->channel[0];
	u64 tick = pit_tick(p);

	pit_sync(c, tick);
	pvm_dev_irq(d, d->line, false);
	pvm_dev_irq(d, d->line, true);
	pit_arm(p);
}

static void pit_load(struct pvm_pit *p, struct pvm_pit_channel *c, u16 written)
{
	u64 tick = pit_tick(p);
	u32 count = pit_count_meant(c, written);

	if (c->running && (pit_hw_triggered(c) || (pit_periodic(c) && c->gate))) {
		c->next_count = count;	/* after this period, or by the next trigger */
		return;
	}
	c->count = count;
	c->next_count = 0;
	c->held = 0;
	c->start = tick;
	c->running = true;
}

static void pit_changed(struct pvm_pit *p, struct pvm_pit_channel *c)
{
	if (c != &p->channel[0])
		return;
	pit_line(p);
	pit_arm(p);
}

static void pit_put_count(struct pvm_pit *p, struct pvm_pit_channel *c, u8 val)
{
	pit_sync(c, pit_tick(p));
	switch (c->access) {
	case ACCESS_LOW:
		pit_load(p, c, val);
		break;
	case ACCESS_HIGH:
		pit_load(p, c, val << 8);
		break;
	default:
		c->write_high = !c->write_high;
		if (c->write_high) {
			c->low_byte = val;
			/* The first byte stops a count of mode 0. */
			if (c->mode == 0)
				c->running = false;
			break;
		}
		pit_load(p, c, c->low_byte | val << 8);
	}
	pit_changed(p, c);
}

static void pit_latch_count(struct pvm_pit_channel *c, u64 tick)
{
	if (c->latched_bytes)
		return;
	c->latch = pit_count_shown(c, tick);
	c->latched_bytes = c->access;	/* as bits: 1 low, 2 high */
}

static void pit_latch_status(struct pvm_pit_channel *c, u64 tick)
{
	if (c->status_latched)
		return;
	c->status = c->access << 4 | c->mode << 1 | c->bcd;
	if (pit_out(c, tick))
		c->status |= STATUS_OUT;
	if (!c->running || c->next_count)
		c->status |= STATUS_NULL;
	c->status_latched = true;
}

static void pit_read_back(struct pvm_pit *p, u8 val)
{
	u64 tick = pit_tick(p);
	u32 i;

	for (i = 0; i < 3; i++) {
		struct pvm_pit_channel *c = &p->channel[i];

		if (!(val & (2 << i)))
			continue;
		pit_sync(c, tick);
		if (!(val & BIT(5)))
			pit_latch_count(c, tick);
		if (!(val & BIT(4)))
			pit_latch_status(c, tick);
	}
}

static void pit_control(struct pvm_pit *p, u8 val)
{
	struct pvm_pit_channel *c;
	u8 mode = (val >> 1) & 7;

	if (val >> 6 == 3) {
		pit_read_back(p, val);
		return;
	}
	c = &p->channel[val >> 6];
	pit_sync(c, pit_tick(p));
	if (!(val & 0x30)) {
		pit_latch_count(c, pit_tick(p));
		return;
	}
	c->access = val >> 4 & 3;
	c->mode = mode > 5 ? mode - 4 : mode;
	c->bcd = val & 1;
	c->running = false;
	c->triggered = false;
	c->next_count = 0;
	c->held = 0;
	c->latched_bytes = 0;
	c->status_latched = false;
	c->read_high = false;
	c->write_high = false;
	pit_changed(p, c);
}

static u8 pit_get_latch(struct pvm_pit_channel *c)
{
	if (c->latched_bytes & ACCESS_LOW) {
		c->latched_bytes &= ~ACCESS_LOW;
		return c->latch;
	}
	c->latched_bytes = 0;
	return c->latch >> 8;
}

static u8 pit_get(struct pvm_dev *d, u64 off)
{
	struct pvm_pit *p = pit_of(d);
	struct pvm_pit_channel *c;
	u64 tick = pit_tick(p);
	u16 shown;

	if (off >= CONTROL)
		return 0;
	c = &p->channel[off];
	pit_sync(c, tick);
	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->latched_bytes)
		return pit_get_latch(c);
	shown = pit_count_shown(c, tick);
	if (c->access == ACCESS_BOTH) {
		c->read_high = !c->read_high;
		return c->read_high ? shown : shown >> 8;
	}
	return c->access == ACCESS_LOW ? shown : shown >> 8;
}

static void pit_put(struct pvm_dev *d, u64 off, u8 val)
{
	struct pvm_pit *p = pit_of(d);

	if (off >= CONTROL)
		pit_control(p, val);
	else
		pit_put_count(p, &p->channel[off], val);
}

static void pit_set_gate(struct pvm_pit *p, struct pvm_pit_channel *c, bool gate)
{
	u64 tick = pit_tick(p);
	u64 elapsed;

	if (c->gate == gate)
		return;
	pit_sync(c, tick);
	elapsed = pit_elapsed(c, tick);
	c->gate = gate;
	if (pit_hw_triggered(c)) {
		if (gate && c->running) {
			if (c->next_count)
				c->count = c->next_count;
			c->next_count = 0;
			c->start = tick;
			c->triggered = true;
		}
	} else if (!gate) {
		/* Enough to know whether it had run out, and the count as it wraps. */
		c->held = elapsed <= c->count ? elapsed :
			c->count + 1 + (elapsed - c->count - 1) % (c->bcd ? 10000 : 65536);
	} else if (pit_periodic(c)) {
		if (c->next_count)
			c->count = c->next_count;
		c->next_count = 0;
		c->start = tick;
		c->held = 0;
	} else {
		c->start = tick > c->held ? tick - c->held : 0;
	}
}

static u8 pit_port61(struct pvm_pit *p)
{
	u64 tick = pit_tick(p);
	u8 val = p->port61;

	pit_sync(&p->channel[2], tick);
	if (pit_out(&p->channel[2], tick))
		val |= PORT61_OUT2;
	if (div_u64(pvm_dev_now(&p->dev), REFRESH_NS) & 1)
		val |= PORT61_REFRESH;
	return val;
}

static u64 pit_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	if (region == REGION_PORT61)
		return pit_port61(pit_of(d));
	return pvm_dev_read_bytes(d, off, bytes, pit_get);
}

static void pit_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	struct pvm_pit *p = pit_of(d);

	if (region == REGION_PORT61) {
		p->port61 = val & PORT61_WRITABLE;
		pit_set_gate(p, &p->channel[2], val & PORT61_GATE2);
		return;
	}
	pvm_dev_write_bytes(d, off, bytes, val, pit_put);
}

static void pit_reset(struct pvm_dev *d)
{
	struct pvm_pit *p = pit_of(d);
	u32 i;

	for (i = 0; i < 3; i++)
		p->channel[i] = (struct pvm_pit_channel){
			.count = 65536,
			.access = ACCESS_BOTH,
			.gate = i != 2,
		};
	p->port61 = 0;
	pvm_dev_timer(d, 0, 0);
	pvm_dev_irq(d, d->line, false);
}

static const struct pvm_state_desc pit_state[] = {
	PVM_STATE(struct pvm_pit, channel),
	PVM_STATE(struct pvm_pit, port61),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_pit_ops = {
	.name	= "pit",
	.reset	= pit_reset,
	.read	= pit_read,
	.write	= pit_write,
	.timer	= pit_timer,
	.state	= pit_state,
};
