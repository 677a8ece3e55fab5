// SPDX-License-Identifier: GPL-2.0-only
/*
 * MC146818 real-time clock and its 128 bytes of CMOS RAM.
 *
 * The time is guest time plus an offset. Registers of the time are computed
 * when read; only while the guest sets the clock (SET, or the divider held in
 * reset) do they hold bytes of their own. Flags are worked out for the time
 * that has passed since the last look; the one host timer is armed only for an
 * interrupt that is enabled and not pending already, so a guest that ignores
 * the line costs nothing.
 *
 * Not as on the chip: writing the day of the week has no effect, it follows
 * from the date. Periodic interrupts that were missed are one.
 *
 * World:   pure
 * Context: device's lock held
 * Spec:    DS MC146818A "Register A" to "Register D", "Update Cycle"
 */
#include <pvm/env.h>
#include "dev/models.h"

enum {
	REG_SECOND	= 0x00,
	REG_SECOND_ALARM = 0x01,
	REG_MINUTE	= 0x02,
	REG_MINUTE_ALARM = 0x03,
	REG_HOUR	= 0x04,
	REG_HOUR_ALARM	= 0x05,
	REG_WEEKDAY	= 0x06,
	REG_DAY		= 0x07,
	REG_MONTH	= 0x08,
	REG_YEAR	= 0x09,
	REG_A		= 0x0a,
	REG_B		= 0x0b,
	REG_C		= 0x0c,
	REG_D		= 0x0d,
	REG_RAM		= 0x0e,	/* first byte that is only memory */
	REG_CENTURY	= 0x32,
};

#define A_UIP		0x80
#define A_DV		0x70
#define A_DV_RUN	0x20
#define A_RS		0x0f
#define B_SET		0x80
#define B_UIE		0x10
#define B_DM_BINARY	0x04
#define B_24H		0x02
#define C_IRQF		0x80
#define C_PF		0x40	/* same places as the enable bits of B */
#define C_AF		0x20
#define C_UF		0x10
#define C_FLAGS		(C_PF | C_AF | C_UF)
#define D_VRT		0x80

#define HOUR_PM		0x80
#define ALARM_ANY	0xc0	/* and above: every value matches */

/* Time bytes become unreliable this long before an update. */
#define UIP_NS		244141
#define DIVIDER_HZ	32768
#define DAY_S		86400
/* From 0000-03-01, where the arithmetic starts, to 1970-01-01. */
#define EPOCH_DAYS	719468
#define NEVER		(~0ull)

struct rtc_time {
	u32 year, month, day, hour, minute, second, weekday;
};

static struct pvm_rtc *rtc_of(struct pvm_dev *d)
{
	return container_of(d, struct pvm_rtc, dev);
}

/* True while the registers of the time stand still. */
static bool rtc_held(const struct pvm_rtc *r)
{
	return (r->cmos[REG_B] & B_SET) || (r->cmos[REG_A] & A_DV) != A_DV_RUN;
}

/* --- the clock: seconds since 0000-03-01 ------------------------------------ */

static u64 rtc_seconds(const struct pvm_rtc *r, u64 now_ns)
{
	return EPOCH_DAYS * (u64)DAY_S + r->wall_base_s + r->offset_s +
		div_u64(now_ns + r->phase_ns, PVM_NS_PER_S);
}

static u64 rtc_fraction_ns(const struct pvm_rtc *r, u64 now_ns)
{
	u64 t = now_ns + r->phase_ns;

	return t - div_u64(t, PVM_NS_PER_S) * PVM_NS_PER_S;
}

/* The guest time at which the clock begins second @s, which is after now. */
static u64 rtc_second_ns(const struct pvm_rtc *r, u64 now_ns, u64 s)
{
	u64 ahead = s - rtc_seconds(r, now_ns);

	/* A year ahead is as good as never, and cannot overflow. */
	if (ahead > 366ull * DAY_S)
		return NEVER;
	return now_ns - rtc_fraction_ns(r, now_ns) + ahead * PVM_NS_PER_S;
}

static void rtc_civil(u64 seconds, struct rtc_time *t)
{
	u64 days = div_u64(seconds, DAY_S);
	u32 rest = seconds - days * DAY_S;
	u64 era = div_u64(days, 146097);
	u32 day_of_era = days - era * 146097;
	u32 year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
		    day_of_era / 146096) / 365;
	u32 day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
	u32 march_month = (5 * day_of_year + 2) / 153;

	t->day = day_of_year - (153 * march_month + 2) / 5 + 1;
	t->month = march_month < 10 ? march_month + 3 : march_month - 9;
	t->year = year + (u32)era * 400 + (t->month <= 2);
	t->hour = rest / 3600;
	t->minute = rest / 60 % 60;
	t->second = rest % 60;
	t->weekday = (u32)(days + 3 - div_u64(days + 3, 7) * 7) + 1;
}

/* The reverse, for whatever the guest has written. */
static u64 rtc_from_civil(const struct rtc_time *t)
{
	u32 month = clamp(t->month, 1u, 12u);
	u32 year = max(t->year, 1u) - (month <= 2);
	u32 march_month = month > 2 ? month - 3 : month + 9;
	u64 days = 365ull * year + year / 4 - year / 100 + year / 400 +
		(153 * march_month + 2) / 5 + max(t->day, 1u) - 1;

	return days * DAY_S + t->hour * 3600 + t->minute * 60 + t->second;
}

/* Makes the clock show @seconds now, at @fraction_ns of that second. */
static void rtc_set(struct pvm_rtc *r, u64 now_ns, u64 seconds, u64 fraction_ns)
{
	u64 now_fraction = now_ns - div_u64(now_ns, PVM_NS_PER_S) * PVM_NS_PER_S;

	r->phase_ns = fraction_ns + (fraction_ns < now_fraction ? PVM_NS_PER_S : 0) -
		now_fraction;
	r->offset_s += seconds - rtc_seconds(r, now_ns);
}

/* --- bytes of the time -------------------------------------------------------- */

static u8 rtc_encode(const struct pvm_rtc *r, u32 v)
{
	if (r->cmos[REG_B] & B_DM_BINARY)
		return v;
	return v / 10 % 10 << 4 | v % 10;
}

static u32 rtc_decode(const struct pvm_rtc *r, u8 v)
{
	if (r->cmos[REG_B] & B_DM_BINARY)
		return v;
	return (v >> 4) * 10 + (v & 15);
}

static u8 rtc_encode_hour(const struct pvm_rtc *r, u32 hour)
{
	if (r->cmos[REG_B] & B_24H)
		return rtc_encode(r, hour);
	return rtc_encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static u32 rtc_decode_hour(const struct pvm_rtc *r, u8 v)
{
	if (r->cmos[REG_B] & B_24H)
		return rtc_decode(r, v);
	return rtc_decode(r, v & ~HOUR_PM) % 12 + (v & HOUR_PM ? 12 : 0);
}

/* Puts the time into the registers' bytes. */
static void rtc_store(struct pvm_rtc *r, u64 now_ns)
{
	struct rtc_time t;

	rtc_civil(rtc_seconds(r, now_ns), &t);
	r->cmos[REG_SECOND] = rtc_encode(r, t.second);
	r->cmos[REG_MINUTE] = rtc_encode(r, t.minute);
	r->cmos[REG_HOUR] = rtc_encode_hour(r, t.hour);
	r->cmos[REG_WEEKDAY] = t.weekday;
	r->cmos[REG_DAY] = rtc_encode(r, t.day);
	r->cmos[REG_MONTH] = rtc_encode(r, t.month);
	r->cmos[REG_YEAR] = rtc_encode(r, t.year % 100);
	r->cmos[REG_CENTURY] = rtc_encode(r, t.year / 100 % 100);
}

/* Sets the clock from the registers' bytes. */
static void rtc_load(struct pvm_rtc *r, u64 now_ns, u64 fraction_ns)
{
	struct rtc_time t = {
		.second = rtc_decode(r, r->cmos[REG_SECOND]),
		.minute = rtc_decode(r, r->cmos[REG_MINUTE]),
		.hour = rtc_decode_hour(r, r->cmos[REG_HOUR]),
		.day = rtc_decode(r, r->cmos[REG_DAY]),
		.month = rtc_decode(r, r->cmos[REG_MONTH]),
		.year = rtc_decode(r, r->cmos[REG_CENTURY]) * 100 +
			rtc_decode(r, r->cmos[REG_YEAR]),
	};

	rtc_set(r, now_ns, rtc_from_civil(&t), fraction_ns);
}

static bool rtc_is_time(u32 index)
{
	return index <= REG_YEAR ? index != REG_SECOND_ALARM && index != REG_MINUTE_ALARM &&
		index != REG_HOUR_ALARM : index == REG_CENTURY;
}

/* --- alarm ---------------------------------------------------------------------- */

/* The smallest value from @from on that @alarm admits; @limit if there is none. */
static u32 rtc_alarm_next(u32 alarm, bool any, u32 from, u32 limit)
{
	if (any)
		return from;
	return alarm >= from && alarm < limit ? alarm : limit;
}

/* The first second after @seconds that matches the alarm, or NEVER. */
static u64 rtc_alarm_after(const struct pvm_rtc *r, u64 seconds)
{
	const u8 *reg = r->cmos;
	bool any_h = reg[REG_HOUR_ALARM] >= ALARM_ANY;
	bool any_m = reg[REG_MINUTE_ALARM] >= ALARM_ANY;
	bool any_s = reg[REG_SECOND_ALARM] >= ALARM_ANY;
	u32 ah = rtc_decode_hour(r, reg[REG_HOUR_ALARM]);
	u32 am = rtc_decode(r, reg[REG_MINUTE_ALARM]);
	u32 as = rtc_decode(r, reg[REG_SECOND_ALARM]);
	u64 first = seconds + 1;
	u64 day = div_u64(first, DAY_S) * DAY_S;
	u32 h = (u32)(first - day) / 3600;
	u32 m = (u32)(first - day) / 60 % 60;
	u32 s = (u32)(first - day) % 60;
	u32 tries, v;

	/* Each try carries into a larger unit, so it ends; an impossible alarm never does. */
	for (tries = 0; tries < 8; tries++) {
		v = rtc_alarm_next(ah, any_h, h, 24);
		if (v >= 24) {
			day += DAY_S;
			h = m = s = 0;
			continue;
		}
		if (v > h)
			m = s = 0;
		h = v;
		v = rtc_alarm_next(am, any_m, m, 60);
		if (v >= 60) {
			h++;
			m = s = 0;
			continue;
		}
		if (v > m)
			s = 0;
		m = v;
		v = rtc_alarm_next(as, any_s, s, 60);
		if (v < 60)
			return day + h * 3600 + m * 60 + v;
		m++;
		s = 0;
	}
	return NEVER;
}

/* --- flags, interrupt, timer ---------------------------------------------------- */

/* Ticks of the 32768 Hz divider between periodic interrupts; 0: off. */
static u32 rtc_period_ticks(const struct pvm_rtc *r)
{
	u32 rs = r->cmos[REG_A] & A_RS;

	if (!rs || (r->cmos[REG_A] & A_DV) != A_DV_RUN)
		return 0;
	/* The two lowest rates stand for what 8 and 9 would be. */
	return 1u << ((rs < 3 ? rs + 7 : rs) - 1);
}

static u64 rtc_divider(u64 now_ns)
{
	return pvm_muldiv64(now_ns, DIVIDER_HZ, PVM_NS_PER_S);
}

static void rtc_line(struct pvm_rtc *r)
{
	u8 *c = &r->cmos[REG_C];

	if (*c & r->cmos[REG_B] & C_FLAGS)
		*c |= C_IRQF;
	else
		*c &= ~C_IRQF;
	pvm_dev_irq(&r->dev, r->dev.line, *c & C_IRQF);
}

/* Sets the flags of all that has happened since the last look. */
static void rtc_sync(struct pvm_rtc *r, u64 now_ns)
{
	u32 period = rtc_period_ticks(r);
	u64 before, after;

	if (period && div_u64(rtc_divider(now_ns), period) !=
	    div_u64(rtc_divider(r->seen_ns), period))
		r->cmos[REG_C] |= C_PF;
	if (!rtc_held(r)) {
		before = rtc_seconds(r, r->seen_ns);
		after = rtc_seconds(r, now_ns);
		if (before != after) {
			r->cmos[REG_C] |= C_UF;
			if (rtc_alarm_after(r, before) <= after)
				r->cmos[REG_C] |= C_AF;
		}
	}
	r->seen_ns = now_ns;
}

/* Arms the timer for the next interrupt that is wanted and not pending. */
static void rtc_arm(struct pvm_rtc *r, u64 now_ns)
{
	u8 wanted = r->cmos[REG_B] & ~r->cmos[REG_C] & C_FLAGS;
	u32 period = rtc_period_ticks(r);
	u64 when = NEVER, next, seconds;

	if ((wanted & C_PF) && period) {
		next = (div_u64(rtc_divider(now_ns), period) + 1) * period;
		when = pvm_muldiv64(next, PVM_NS_PER_S, DIVIDER_HZ) + 1;
	}
	if (!rtc_held(r)) {
		seconds = rtc_seconds(r, now_ns);
		if (wanted & C_UF)
			when = min(when, rtc_second_ns(r, now_ns, seconds + 1));
		if (wanted & C_AF) {
			next = rtc_alarm_after(r, seconds);
			if (next != NEVER)
				when = min(when, rtc_second_ns(r, now_ns, next));
		}
	}
	pvm_dev_timer(&r->dev, 0, when == NEVER ? 0 : when);
}

static void rtc_changed(struct pvm_rtc *r, u64 now_ns)
{
	rtc_line(r);
	rtc_arm(r, now_ns);
}

static void rtc_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
	struct pvm_rtc *r = rtc_of(d);

	rtc_sync(r, now_ns);
	rtc_changed(r, now_ns);
}

/* --- registers ------------------------------------------------------------------ */

static u8 rtc_get(struct pvm_rtc *r)
{
	u64 now_ns = pvm_dev_now(&r->dev);
	u8 val;

	if (rtc_is_time(r->index) && !rtc_held(r))
		rtc_store(r, now_ns);
	val = r->cmos[r->index];
	switch (r->index) {
	case REG_A:
		if (!rtc_held(r) && rtc_fraction_ns(r, now_ns) >= PVM_NS_PER_S - UIP_NS)
			val |= A_UIP;
		break;
	case REG_C:
		rtc_sync(r, now_ns);
		rtc_line(r);
		val = r->cmos[REG_C];
		r->cmos[REG_C] = 0;
		rtc_changed(r, now_ns);
		break;
	}
	return val;
}

/* Registers A and B: what holds the clock, and how its bytes are written. */
static void rtc_put_control(struct pvm_rtc *r, u64 now_ns, u8 val)
{
	bool was_held = rtc_held(r);
	bool was_reset = (r->cmos[REG_A] & A_DV) != A_DV_RUN;

	if (!was_held)
		rtc_store(r, now_ns);
	if (r->index == REG_A)
		r->cmos[REG_A] = val & ~A_UIP;
	else
		r->cmos[REG_B] = val & B_SET ? val & ~B_UIE : val;
	/* The first update follows half a second after the divider is let go. */
	if (was_held && !rtc_held(r))
		rtc_load(r, now_ns, was_reset ? PVM_NS_PER_S / 2 : rtc_fraction_ns(r, now_ns));
}

static void rtc_put(struct pvm_rtc *r, u8 val)
{
	u64 now_ns = pvm_dev_now(&r->dev);
	bool held = rtc_held(r);

	rtc_sync(r, now_ns);
	switch (r->index) {
	case REG_C:
	case REG_D:
		return;
	case REG_A:
	case REG_B:
		rtc_put_control(r, now_ns, val);
		break;
	default:
		if (!rtc_is_time(r->index)) {
			r->cmos[r->index] = val;
			break;
		}
		if (!held)
			rtc_store(r, now_ns);
		r->cmos[r->index] = val;
		if (!held)
			rtc_load(r, now_ns, rtc_fraction_ns(r, now_ns));
	}
	rtc_changed(r, now_ns);
}

static u8 rtc_read_byte(struct pvm_dev *d, u64 off)
{
	/* The index register is write-only. */
	return off ? rtc_get(rtc_of(d)) : 0xff;
}

static void rtc_write_byte(struct pvm_dev *d, u64 off, u8 val)
{
	struct pvm_rtc *r = rtc_of(d);

	if (off) {
		rtc_put(r, val);
		return;
	}
	r->index = val & 0x7f;
	r->nmi_masked = val & 0x80;
}

static u64 rtc_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	return pvm_dev_read_bytes(d, off, bytes, rtc_read_byte);
}

static void rtc_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	pvm_dev_write_bytes(d, off, bytes, val, rtc_write_byte);
}

static void rtc_reset(struct pvm_dev *d)
{
	struct pvm_rtc *r = rtc_of(d);

	if (!r->powered) {
		r->powered = true;
		r->cmos[REG_A] = A_DV_RUN | 6;	/* 1024 Hz, as a PC's firmware leaves it */
		r->cmos[REG_B] = B_24H;
		r->cmos[REG_D] = D_VRT;
	}
	/* RESET# clears the enables and the flags and leaves time and RAM alone. */
	r->cmos[REG_B] &= B_SET | B_DM_BINARY | B_24H | 1;
	r->cmos[REG_C] = 0;
	r->index = 0;
	r->nmi_masked = false;
	r->seen_ns = pvm_dev_now(d);
	pvm_dev_timer(d, 0, 0);
	pvm_dev_irq(d, d->line, false);
}

/* --- for the board -------------------------------------------------------------- */

void pvm_rtc_set_cmos(struct pvm_rtc *r, u32 index, u8 val)
{
	if (index >= REG_RAM && index < PVM_RTC_CMOS_BYTES && index != REG_CENTURY)
		r->cmos[index] = val;
}

static void rtc_set_cmos16(struct pvm_rtc *r, u32 index, u32 val)
{
	pvm_rtc_set_cmos(r, index, val);
	pvm_rtc_set_cmos(r, index + 1, val >> 8);
}

void pvm_rtc_set_board(struct pvm_rtc *r, u64 low_bytes, u64 high_bytes, u32 cpus)
{
	u64 above_1m = low_bytes > 0x100000 ? low_bytes - 0x100000 : 0;
	u64 above_16m = low_bytes > 0x1000000 ? low_bytes - 0x1000000 : 0;
	u32 ext_kib = min(above_1m >> 10, 0xffffull);
	u32 high_64k = min(high_bytes >> 16, 0xffffffull);

	pvm_rtc_set_cmos(r, 0x14, 0x06);		/* equipment: FPU, PS/2 mouse */
	rtc_set_cmos16(r, 0x15, 640);			/* base memory, KiB */
	rtc_set_cmos16(r, 0x17, ext_kib);		/* above 1 MiB, KiB */
	rtc_set_cmos16(r, 0x30, ext_kib);
	rtc_set_cmos16(r, 0x34, min(above_16m >> 16, 0xffffull));	/* 64 KiB units */
	rtc_set_cmos16(r, 0x5b, high_64k);		/* above 4 GiB, 64 KiB units */
	pvm_rtc_set_cmos(r, 0x5d, high_64k >> 16);
	pvm_rtc_set_cmos(r, 0x5f, cpus - 1);
}

static const struct pvm_state_desc rtc_state[] = {
	PVM_STATE(struct pvm_rtc, wall_base_s),
	PVM_STATE(struct pvm_rtc, offset_s),
	PVM_STATE(struct pvm_rtc, phase_ns),
	PVM_STATE(struct pvm_rtc, seen_ns),
	PVM_STATE(struct pvm_rtc, cmos),
	PVM_STATE(struct pvm_rtc, index),
	PVM_STATE(struct pvm_rtc, nmi_masked),
	PVM_STATE(struct pvm_rtc, powered),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_rtc_ops = {
	.name	= "rtc",
	.reset	= rtc_reset,
	.read	= rtc_read,
	.write	= rtc_write,
	.timer	= rtc_timer,
	.state	= rtc_state,
};
