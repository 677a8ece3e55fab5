// SPDX-License-Identifier: GPL-2.0-only
/*
 * HPET.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "dev/models.h"

#define LINE	0
#define MS	1000000ull
#define MS_TICKS (MS / PVM_HPET_TICK_NS)

#define TN(n, reg)	(0x100 + 0x20 * (n) + (reg))

static struct mock_host m;
static struct pvm_hpet h;

static void start(void)
{
	mock_init(&m);
	memset(&h, 0, sizeof(h));
	mock_attach(&m, &h.dev, &pvm_hpet_ops, LINE);
}

static u32 rl(u32 off)
{
	return mock_read(&m, &h.dev, 0, off, 4);
}

static u64 rq(u32 off)
{
	return mock_read(&m, &h.dev, 0, off, 8);
}

static void wl(u32 off, u32 val)
{
	mock_write(&m, &h.dev, 0, off, 4, val);
}

static void wq(u32 off, u64 val)
{
	mock_write(&m, &h.dev, 0, off, 8, val);
}

static void capabilities(void)
{
	start();
	expect_eq(rl(0), 0x8086a201);
	expect_eq(rl(4), 10000000);	/* femtoseconds a tick */
	expect(rl(4) <= 0x05f5e100);
	expect_eq(rq(0), 10000000ull << 32 | 0x8086a201);
	expect_eq(rl(TN(0, 0)) & 0x8030, 0x30);
	expect_eq(rl(TN(2, 4)), PVM_HPET_ROUTES);
	wl(0, 0);
	expect_eq(rl(0), 0x8086a201);
	expect_eq(rl(0x160), 0);	/* no fourth timer */
	expect_eq(rq(0x3f8), 0);
}

static void counter(void)
{
	start();
	mock_advance(&m, MS);
	expect_eq(rq(0xf0), 0);
	wq(0xf0, 0xfffffffffffffff0ull);
	wl(0x10, 1);
	expect_eq(rq(0xf0), 0xfffffffffffffff0ull);
	mock_advance(&m, 320);
	expect_eq(rq(0xf0), 0x10);	/* wrapped */
	mock_advance(&m, PVM_NS_PER_S);
	expect_eq(rl(0xf0), 100000010 + 6);
	wq(0xf0, 5);			/* not while it runs */
	expect_eq(m.guest_errors, 1);
	wl(0x10, 0);
	mock_advance(&m, MS);
	expect_eq(rl(0xf0), 100000016);
	wl(0xf4, 1);
	expect_eq(rq(0xf0), (1ull << 32) + 100000016);
	expect_eq(mock_read(&m, &h.dev, 0, 0xf4, 1), 1);
	expect_eq(mock_read(&m, &h.dev, 0, 0xf6, 2), 0);
}

/* Linux's HPET clock event device: legacy replacement, 32-bit one-shot. */
static void legacy_oneshot(void)
{
	u32 now;

	start();
	wl(TN(0, 0), 0x104);
	wl(0x10, 3);
	expect(pvm_hpet_legacy(&h));
	now = rl(0xf0);
	wl(TN(0, 8), now + 5 * MS_TICKS);
	mock_advance(&m, 5 * MS - 1);
	expect_eq(m.rises[LINE], 0);
	mock_advance(&m, 1);
	expect_eq(m.rises[LINE], 1);
	expect(!m.level[LINE]);		/* an edge */
	mock_advance(&m, 40 * PVM_NS_PER_S);
	expect_eq(m.rises[LINE], 1);
	mock_advance(&m, 3 * PVM_NS_PER_S);
	expect_eq(m.rises[LINE], 2);	/* 32 bits have gone round */
	/* Already past when written: only after the wrap, as the driver expects. */
	now = rl(0xf0);
	wl(TN(0, 8), now - 1);
	mock_advance(&m, PVM_NS_PER_S);
	expect_eq(m.rises[LINE], 2);
	wl(0x10, 0);
	expect(!pvm_hpet_legacy(&h));
}

/* Linux: period mode by TN_SETVAL, first the comparator, then the period. */
static void legacy_periodic(void)
{
	u32 i;

	start();
	wl(0x10, 3);
	wl(TN(0, 0), 0x104 | 0x48);
	wl(TN(0, 8), rl(0xf0) + 10 * MS_TICKS);
	expect(!(rl(TN(0, 0)) & 0x40));	/* "value set" clears itself */
	mock_advance(&m, 1000);
	wl(TN(0, 8), 4 * MS_TICKS);
	mock_advance(&m, 10 * MS - 1000);
	expect_eq(m.rises[LINE], 1);
	mock_advance(&m, 4 * MS);
	expect_eq(m.rises[LINE], 2);
	for (i = 0; i < 249; i++)
		mock_advance(&m, 4 * MS);
	expect_eq(m.rises[LINE], 251);
	expect_eq(m.timers_run, 251);
	/* Goes through the 32-bit wrap without losing step. */
	mock_advance(&m, 60 * PVM_NS_PER_S);
	expect_eq(m.rises[LINE], 251 + 15000);
	expect_eq(m.timers_past, 0);
}

static void wide_periodic_in_two_halves(void)
{
	start();
	wl(0x10, 1);
	wl(TN(2, 0), 0x4c | 20 << 9);	/* 64 bits, periodic, GSI 20 */
	wl(TN(2, 8), 3 * MS_TICKS);
	wl(TN(2, 0xc), 0);		/* the high half of the same value */
	wl(TN(2, 8), 1 * MS_TICKS);
	wl(TN(2, 0xc), 0);
	mock_advance(&m, 3 * MS);
	expect_eq(m.rises[20], 1);
	mock_advance(&m, 2 * MS);
	expect_eq(m.rises[20], 3);
	expect_eq(rq(TN(2, 8)), 6 * MS_TICKS);
}

static void level_triggered(void)
{
	start();
	wl(TN(2, 0), 0x6 | 21 << 9);
	wl(TN(2, 8), MS_TICKS);
	wl(TN(2, 0xc), 0);
	wl(0x10, 1);
	mock_advance(&m, MS);
	expect(m.level[21]);
	expect_eq(rl(0x20), 4);
	wl(0x20, 1);			/* another timer's bit */
	expect(m.level[21]);
	wl(0x20, 4);
	expect(!m.level[21]);
	expect_eq(rl(0x20), 0);
	/* Status works without the enable bit, the line does not. */
	wl(TN(2, 0), 0x2 | 21 << 9);
	wq(TN(2, 8), rq(0xf0) + 100);
	mock_advance(&m, MS);
	expect_eq(rl(0x20), 4);
	expect(!m.level[21]);
	expect_eq(m.timers_run, 1);
	/* Enabling it then raises the line; moving it takes the line along. */
	wl(TN(2, 0), 0x6 | 21 << 9);
	expect(m.level[21]);
	wl(TN(2, 0), 0x6 | 22 << 9);
	expect(!m.level[21]);
	expect(m.level[22]);
	wl(0x10, 0);
	expect(!m.level[22]);
	wl(0x10, 1);
	expect(m.level[22]);
	h.dev.ops->reset(&h.dev);
	expect(!m.level[22]);
}

static void routes(void)
{
	u32 route;

	start();
	for (route = 0; route < 32; route++) {
		wl(TN(1, 0), 0);
		wl(TN(1, 0), route << 9);
		expect_eq(rl(TN(1, 0)) >> 9 & 31,
			  PVM_HPET_ROUTES >> route & 1 ? route : 0);
	}
	/* The second timer's line in legacy mode is the RTC's. */
	wl(TN(1, 0), 0x104);
	wl(TN(1, 8), 100);
	wl(0x10, 3);
	mock_advance(&m, MS);
	expect_eq(m.rises[8], 1);
}

/* The PIT's output was high when legacy replacement took its line away. */
static void line_left_high(void)
{
	start();
	m.level[LINE] = true;
	wl(TN(0, 0), 0x104);
	wl(TN(0, 8), 100);
	wl(0x10, 3);
	mock_advance(&m, MS);
	expect_eq(m.rises[LINE], 1);
}

static void messages(void)
{
	start();
	wl(TN(0, 0), 0x4000);
	expect(!(rl(TN(0, 0)) & 0x4000));	/* not offered */
	h.fsb = true;
	expect(rl(TN(0, 0)) & 0x8000);
	wl(TN(0, 0x10), 0x4041);
	wl(TN(0, 0x14), 0xfee00000);
	wl(TN(0, 0), 0x4104);
	wl(TN(0, 8), 100);
	wl(0x10, 1);
	mock_advance(&m, MS);
	expect_eq(m.msi_count, 1);
	expect_eq(m.msi.addr, 0xfee00000);
	expect_eq(m.msi.data, 0x4041);
}

static void fastest_rate_is_bounded(void)
{
	start();
	wl(0x10, 3);
	wl(TN(0, 0), 0x104 | 0x48);
	wl(TN(0, 8), 1);
	mock_advance(&m, PVM_NS_PER_S / 10);
	expect_in(m.timers_run, 900, 1001);
	/* No period at all: one match a write, no more. */
	start();
	wl(0x10, 3);
	wl(TN(0, 0), 0x104 | 0x48);
	wl(TN(0, 8), 0);
	mock_advance(&m, PVM_NS_PER_S);
	expect(m.timers_run < 3);
	expect_eq(m.timers_past, 0);
}

static void late_host(void)
{
	start();
	wl(0x10, 3);
	wl(TN(0, 0), 0x104 | 0x48);
	wl(TN(0, 8), MS_TICKS);
	mock_late(&m, 3600 * PVM_NS_PER_S);
	expect_eq(m.timers_run, 1);
	expect_eq(m.rises[LINE], 1);
	expect_eq(m.timers_past, 0);
	mock_advance(&m, MS);
	expect_eq(m.rises[LINE], 2);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(capabilities),
	KTAP_TEST(counter),
	KTAP_TEST(legacy_oneshot),
	KTAP_TEST(legacy_periodic),
	KTAP_TEST(wide_periodic_in_two_halves),
	KTAP_TEST(level_triggered),
	KTAP_TEST(routes),
	KTAP_TEST(line_left_high),
	KTAP_TEST(messages),
	KTAP_TEST(fastest_rate_is_bounded),
	KTAP_TEST(late_host),
};

KTAP_MAIN(tests)
