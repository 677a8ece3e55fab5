// SPDX-License-Identifier: GPL-2.0-only
/*
 * MC146818 and CMOS RAM.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "dev/models.h"

#define LINE	8
#define MS	1000000ull

static struct mock_host m;
static struct pvm_rtc r;

/* 2026-11-20 13:00:00 UTC when guest time was 0; the mock's clock starts a second later. */
static void start(void)
{
	mock_init(&m);
	memset(&r, 0, sizeof(r));
	r.wall_base_s = 1795179600;
	mock_attach(&m, &r.dev, &pvm_rtc_ops, LINE);
}

static u8 get(u8 index)
{
	mock_write(&m, &r.dev, 0, 0, 1, index);
	return mock_read(&m, &r.dev, 0, 1, 1);
}

static void put(u8 index, u8 val)
{
	mock_write(&m, &r.dev, 0, 0, 1, index);
	mock_write(&m, &r.dev, 0, 1, 1, val);
}

/* "YYYY-MM-DD hh:mm:ss w" in BCD and 24 hours. */
static const char *now_text(void)
{
	static char s[64];

	snprintf(s, sizeof(s), "%02x%02x-%02x-%02x %02x:%02x:%02x %x", get(0x32), get(9), get(8),
		 get(7), get(4), get(2), get(0), get(6));
	return s;
}

static bool shows(const char *want)
{
	const char *got = now_text();

	if (!strcmp(got, want))
		return true;
	printf("# clock shows %s, expected %s\n", got, want);
	return false;
}

/* As Linux's mc146818_set_time(): SET, divider reset, bytes, and back. */
static void set_clock(u16 year, u8 month, u8 day, u8 h, u8 min, u8 s)
{
	u8 a = get(0xa), b = get(0xb);

	put(0xb, b | 0x80);
	put(0xa, a | 0x70);
	put(9, year);
	put(0x32, year >> 8);
	put(8, month);
	put(7, day);
	put(4, h);
	put(2, min);
	put(0, s);
	put(0xb, b);
	put(0xa, a);
}

static void reads_wall_clock(void)
{
	start();
	expect(shows("2026-11-20 13:00:01 6"));
	mock_advance(&m, 59 * PVM_NS_PER_S);
	expect(shows("2026-11-20 13:01:00 6"));
	mock_advance(&m, 11 * 3600 * PVM_NS_PER_S);
	expect(shows("2026-11-21 00:01:00 7"));
	expect_eq(get(0xd), 0x80);
	expect_eq(get(0xa), 0x26);
	expect_eq(get(0xb), 0x02);
	expect_eq(m.timers_run, 0);
	expect_eq(mock_read(&m, &r.dev, 0, 0, 1), 0xff);
}

static void calendar(void)
{
	static const struct { u64 unix_s; const char *text; } t[] = {
		{ 0, "1970-01-01 00:00:00 5" },
		{ 951782399, "2000-02-28 23:59:59 2" },
		{ 951782400, "2000-02-29 00:00:00 3" },
		{ 951868800, "2000-03-01 00:00:00 4" },
		{ 946684799, "1999-12-31 23:59:59 6" },
		{ 4107542399ull, "2100-02-28 23:59:59 1" },
		{ 4107542400ull, "2100-03-01 00:00:00 2" },
		{ 1709164800, "2024-02-29 00:00:00 5" },
		{ 2147483648ull, "2038-01-19 03:14:08 3" },
		{ 253402300799ull, "9999-12-31 23:59:59 6" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		start();
		r.wall_base_s = t[i].unix_s;
		m.now_ns = 0;
		expect_msg(shows(t[i].text), "row %u", i);
	}
}

static void binary_and_12_hours(void)
{
	start();
	put(0xb, 0x06);
	expect_eq(get(4), 13);
	expect_eq(get(9), 26);
	expect_eq(get(0x32), 20);
	put(0xb, 0x00);			/* BCD, 12 hours */
	expect_eq(get(4), 0x81);
	put(0xb, 0x04);			/* binary, 12 hours */
	expect_eq(get(4), 0x81);
	mock_advance(&m, 11 * 3600 * PVM_NS_PER_S);
	expect_eq(get(4), 12);		/* midnight is 12 AM */
	mock_advance(&m, 12 * 3600 * PVM_NS_PER_S);
	expect_eq(get(4), 0x8c);	/* noon is 12 PM */
}

static void sets_the_clock(void)
{
	start();
	mock_advance(&m, 123 * MS);
	set_clock(0x2031, 0x05, 0x17, 0x23, 0x59, 0x58);
	expect(shows("2031-05-17 23:59:58 7"));
	mock_advance(&m, 499 * MS);
	expect(shows("2031-05-17 23:59:58 7"));
	mock_advance(&m, 2 * MS);	/* half a second after the divider's start */
	expect(shows("2031-05-17 23:59:59 7"));
	mock_advance(&m, PVM_NS_PER_S);
	expect(shows("2031-05-18 00:00:00 1"));
}

static void set_freezes(void)
{
	start();
	put(0xb, 0x82);
	mock_advance(&m, 10 * PVM_NS_PER_S);
	expect(shows("2026-11-20 13:00:01 6"));
	put(0, 0x99);			/* nonsense reads back as written */
	expect_eq(get(0), 0x99);
	put(0, 0x30);
	put(0xb, 0x02);
	expect(shows("2026-11-20 13:00:30 6"));
}

static void writes_while_running(void)
{
	start();
	mock_advance(&m, 400 * MS);
	put(4, 0x07);
	put(0x32, 0x19);
	expect(shows("1926-11-20 07:00:01 7"));
	mock_advance(&m, 599 * MS);
	expect(shows("1926-11-20 07:00:01 7"));
	mock_advance(&m, 2 * MS);	/* its second began where it did before */
	expect(shows("1926-11-20 07:00:02 7"));
}

static void garbage_dates_do_no_harm(void)
{
	u32 i;

	start();
	for (i = 0; i < 256; i++) {
		put(0xb, i & 6);
		put(i % 10, i);
		put(0x32, i);
		put(8, 0xff - i);
		mock_advance(&m, 777 * MS);
		get(i % 14);
		put(0xb, 0x70 | (i & 6));
	}
	expect_eq(m.wide_values, 0);
	expect_eq(m.timers_past, 0);
}

/* Linux's mc146818_does_rtc_work() and SeaBIOS wait for UIP. */
static void update_in_progress(void)
{
	start();
	expect_eq(get(0xa) & 0x80, 0);
	mock_advance(&m, 999700000);
	expect_eq(get(0xa) & 0x80, 0);
	mock_advance(&m, 100000);	/* 200 us before */
	expect_eq(get(0xa) & 0x80, 0x80);
	mock_advance(&m, 200000);
	expect_eq(get(0xa) & 0x80, 0);
	mock_advance(&m, 999900000);
	put(0xb, 0x82);
	expect_eq(get(0xa) & 0x80, 0);	/* none while SET */
}

static void update_interrupt(void)
{
	start();
	get(0xc);
	put(0xb, 0x12);
	mock_advance(&m, 2500 * MS);
	expect(m.level[LINE]);
	expect_eq(m.rises[LINE], 1);	/* stays until C is read */
	expect_eq(m.timers_run, 1);	/* and costs nothing meanwhile */
	expect_eq(get(0xc) & 0xb0, 0x90);
	expect(!m.level[LINE]);
	expect_eq(get(0xc), 0);
	mock_advance(&m, 499 * MS);
	expect(!m.level[LINE]);
	mock_advance(&m, MS);
	expect(m.level[LINE]);
	put(0xb, 0x92);			/* SET turns UIE off */
	expect_eq(get(0xb), 0x82);
	expect(!m.level[LINE]);
}

static void flags_without_interrupt(void)
{
	start();
	mock_advance(&m, 1100 * MS);
	expect_eq(get(0xc), 0x50);	/* UF and PF, no IRQF */
	expect_eq(m.timers_run, 0);
}

static void periodic_interrupt(void)
{
	u32 i, n = 0;

	start();
	put(0xa, 0x26);			/* 1024 Hz */
	put(0xb, 0x42);
	for (i = 0; i < 10000; i++) {
		mock_advance(&m, PVM_NS_PER_S / 10000);
		if (m.level[LINE]) {
			expect_eq(get(0xc) & 0xc0, 0xc0);
			n++;
		}
	}
	expect_in(n, 1023, 1025);
	/* 2 Hz, and the two odd rates. */
	put(0xa, 0x2f);
	get(0xc);
	m.rises[LINE] = 0;
	mock_advance(&m, 501 * MS);
	expect_eq(m.rises[LINE], 1);
	put(0xa, 0x21);			/* 256 Hz */
	get(0xc);
	mock_advance(&m, 3907 * MS / 1000);
	expect(m.level[LINE]);
	put(0xa, 0x20);
	get(0xc);
	mock_advance(&m, PVM_NS_PER_S);
	expect(!m.level[LINE]);
}

static void alarm_rings(void)
{
	start();
	put(5, 0x13);
	put(3, 0x05);
	put(1, 0x30);
	get(0xc);
	put(0xb, 0x22);
	mock_advance(&m, 328 * PVM_NS_PER_S);
	expect(!m.level[LINE]);
	expect_eq(m.timers_run, 0);
	mock_advance(&m, PVM_NS_PER_S);
	expect(shows("2026-11-20 13:05:30 6"));
	expect(m.level[LINE]);
	expect_eq(get(0xc) & 0xa0, 0xa0);
	mock_advance(&m, 86399 * PVM_NS_PER_S);
	expect(!m.level[LINE]);
	mock_advance(&m, PVM_NS_PER_S);	/* tomorrow again */
	expect(m.level[LINE]);
}

static void alarm_wildcards(void)
{
	static const struct { u8 h, min, s; u32 after_s; } t[] = {
		{ 0xff, 0xff, 0xff, 1 },	/* every second */
		{ 0xff, 0xff, 0x00, 59 },	/* every minute */
		{ 0xff, 0xc0, 0x01, 60 },
		{ 0xff, 0x00, 0x00, 3599 },
		{ 0x00, 0x00, 0x00, 39599 },	/* midnight */
		{ 0x13, 0x00, 0x01, 86400 },	/* just now: tomorrow */
		{ 0x12, 0xff, 0xff, 82799 },	/* the hour before: tomorrow at its start */
		{ 0xff, 0x00, 0xff, 1 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		start();
		put(5, t[i].h);
		put(3, t[i].min);
		put(1, t[i].s);
		get(0xc);
		put(0xb, 0x22);
		expect_msg(mock_next_timer(&m, &r.dev) ==
				   MOCK_START_NS + t[i].after_s * PVM_NS_PER_S,
			   "row %u: %llu s", i,
			   (unsigned long long)((mock_next_timer(&m, &r.dev) - MOCK_START_NS) /
						PVM_NS_PER_S));
	}
	/* One that never comes costs nothing. */
	start();
	put(1, 0x75);
	put(0xb, 0x22);
	expect_eq(mock_next_timer(&m, &r.dev), 0);
}

static void cmos_ram(void)
{
	start();
	pvm_rtc_set_board(&r, 0x80000000, 0x180000000ull, 4);
	expect_eq(get(0x15) | get(0x16) << 8, 640);
	expect_eq(get(0x30) | get(0x31) << 8, 0xffff);
	expect_eq(get(0x34) | get(0x35) << 8, (0x80000000 - 0x1000000) >> 16);
	expect_eq(get(0x5b) | get(0x5c) << 8 | get(0x5d) << 16, 0x180000000ull >> 16);
	expect_eq(get(0x5f), 3);
	put(0x7f, 0x5a);
	r.dev.ops->reset(&r.dev);
	expect_eq(get(0x7f), 0x5a);	/* has a battery */
	expect_eq(get(0x5f), 3);
	/* The index has seven bits, the eighth masks NMI. */
	mock_write(&m, &r.dev, 0, 0, 1, 0xff);
	expect(r.nmi_masked);
	expect_eq(mock_read(&m, &r.dev, 0, 1, 1), 0x5a);
	put(0x7f, 0);
	expect(!r.nmi_masked);
	/* Small memory. */
	pvm_rtc_set_board(&r, 8 << 20, 0, 1);
	expect_eq(get(0x30) | get(0x31) << 8, 7 << 10);
	expect_eq(get(0x34) | get(0x35) << 8, 0);
}

static void reset_keeps_time(void)
{
	start();
	put(0xb, 0x72);
	set_clock(0x2031, 0x05, 0x17, 0x12, 0x00, 0x00);
	mock_advance(&m, 2 * PVM_NS_PER_S);
	expect(m.level[LINE]);
	r.dev.ops->reset(&r.dev);
	expect(!m.level[LINE]);
	expect_eq(get(0xb), 2);
	expect_eq(get(0xc), 0);
	expect_eq(mock_next_timer(&m, &r.dev), 0);
	expect(shows("2031-05-17 12:00:02 7"));
}

static void word_access_selects_and_writes(void)
{
	start();
	mock_write(&m, &r.dev, 0, 0, 2, 0xa540);
	expect_eq(get(0x40), 0xa5);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(reads_wall_clock),
	KTAP_TEST(calendar),
	KTAP_TEST(binary_and_12_hours),
	KTAP_TEST(sets_the_clock),
	KTAP_TEST(set_freezes),
	KTAP_TEST(writes_while_running),
	KTAP_TEST(garbage_dates_do_no_harm),
	KTAP_TEST(update_in_progress),
	KTAP_TEST(update_interrupt),
	KTAP_TEST(flags_without_interrupt),
	KTAP_TEST(periodic_interrupt),
	KTAP_TEST(alarm_rings),
	KTAP_TEST(alarm_wildcards),
	KTAP_TEST(cmos_ram),
	KTAP_TEST(reset_keeps_time),
	KTAP_TEST(word_access_selects_and_writes),
};

KTAP_MAIN(tests)
