// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8254 and port 0x61.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "dev/models.h"

#define LINE	0
#define TICK(n)	(((u64)(n) * PVM_NS_PER_S + PVM_PIT_HZ - 1) / PVM_PIT_HZ)

static struct mock_host m;
static struct pvm_pit p;

static void start(void)
{
	mock_init(&m);
	memset(&p, 0, sizeof(p));
	mock_attach(&m, &p.dev, &pvm_pit_ops, LINE);
}

static void out(u32 port, u8 val)
{
	mock_write(&m, &p.dev, port == 0x61, port == 0x61 ? 0 : port - 0x40, 1, val);
}

static u8 in(u32 port)
{
	return mock_read(&m, &p.dev, port == 0x61, port == 0x61 ? 0 : port - 0x40, 1);
}

/* Control word and both bytes of a count. */
static void program(u32 channel, u32 mode, u16 count)
{
	out(0x43, channel << 6 | 0x30 | mode << 1);
	out(0x40 + channel, count);
	out(0x40 + channel, count >> 8);
}

static u16 latched(u32 channel)
{
	u16 v;

	out(0x43, channel << 6);
	v = in(0x40 + channel);
	return v | in(0x40 + channel) << 8;
}

/* Advances so that exactly @n more ticks have gone by. */
static void ticks(u64 n)
{
	u64 tick = m.now_ns * (unsigned __int128)PVM_PIT_HZ / PVM_NS_PER_S + n;
	u64 ns = ((unsigned __int128)tick * PVM_NS_PER_S + PVM_PIT_HZ - 1) / PVM_PIT_HZ;

	mock_advance(&m, ns - m.now_ns);
}

static void silent_at_reset(void)
{
	start();
	mock_advance(&m, 10 * PVM_NS_PER_S);
	expect_eq(m.timers_run, 0);
	expect_eq(m.rises[LINE], 0);
}

static void rate_generator(void)
{
	u32 i;

	start();
	program(0, 2, 11932);		/* 100 Hz, Linux's HZ=100 */
	expect_eq(m.level[LINE], true);	/* mode 2 starts high */
	m.rises[LINE] = 0;
	mock_advance(&m, PVM_NS_PER_S);
	expect_in(m.rises[LINE], 99, 100);
	for (i = 1; i < 100; i++)	/* never drifts: a minute later still exact */
		mock_advance(&m, PVM_NS_PER_S);
	expect_in(m.rises[LINE], 9999, 10000);
	expect_in(m.timers_run, 9999, 10001);
	expect_eq(m.timers_past, 0);
}

static void mode2_counts_down_to_one(void)
{
	start();
	program(0, 2, 100);
	expect_eq(latched(0), 100);
	ticks(1);
	expect_eq(latched(0), 99);
	ticks(98);
	expect_eq(latched(0), 1);
	ticks(1);
	expect_eq(latched(0), 100);
}

static void mode3_counts_by_twos(void)
{
	start();
	program(2, 3, 8);
	out(0x61, 1);
	expect_eq(latched(2), 8);
	expect(in(0x61) & 0x20);
	ticks(1);
	expect_eq(latched(2), 6);
	ticks(2);
	expect_eq(latched(2), 2);
	expect(in(0x61) & 0x20);
	ticks(1);
	expect_eq(latched(2), 8);
	expect(!(in(0x61) & 0x20));
	ticks(4);
	expect(in(0x61) & 0x20);
	/* Odd: high for (N + 1) / 2. */
	program(2, 3, 5);
	ticks(2);
	expect(in(0x61) & 0x20);
	ticks(1);
	expect(!(in(0x61) & 0x20));
	ticks(2);
	expect(in(0x61) & 0x20);
}

static void one_shot(void)
{
	start();
	program(0, 0, 1193);
	expect(!m.level[LINE]);
	expect_eq(latched(0), 1193);
	ticks(1193);
	expect(!m.level[LINE]);
	ticks(1);
	expect(m.level[LINE]);
	expect_eq(m.rises[LINE], 1);
	expect_eq(latched(0), 0xffff);	/* counts on through zero */
	mock_advance(&m, PVM_NS_PER_S);
	expect_eq(m.rises[LINE], 1);
	expect_eq(m.timers_run, 1);
	/* A new count starts it again and lowers the line. */
	out(0x40, 100);
	expect(!m.level[LINE]);
	out(0x40, 0);
	ticks(101);
	expect_eq(m.rises[LINE], 2);
}

static void software_strobe(void)
{
	start();
	program(0, 4, 50);
	expect(m.level[LINE]);
	m.rises[LINE] = 0;
	ticks(51);
	expect_eq(m.rises[LINE], 1);
	mock_advance(&m, PVM_NS_PER_S);
	expect_eq(m.rises[LINE], 1);
}

/* Linux: quick_pit_calibrate() watches the high byte of channel 2 fall. */
static void linux_quick_calibration(void)
{
	u64 began, ended;
	u8 msb, i;

	start();
	out(0x61, (in(0x61) & ~2) | 1);
	out(0x43, 0xb0);
	out(0x42, 0xff);
	out(0x42, 0xff);
	in(0x42);
	msb = in(0x42);
	expect_eq(msb, 0xff);
	began = m.now_ns;
	for (i = 0; i < 100; i++) {
		do {
			mock_advance(&m, 1000);
			in(0x42);
			msb = in(0x42);
		} while (msb == 0xff - i);
		expect_eq(msb, 0xfe - i);
	}
	ended = m.now_ns;
	/* A hundred times 256 ticks. */
	expect_in(ended - began, TICK(100 * 256) - 3000, TICK(100 * 256) + 3000);
}

/* Linux: pit_calibrate_tsc() waits for OUT2; SeaBIOS and others the same. */
static void linux_slow_calibration(void)
{
	u16 latch = PVM_PIT_HZ / (1000 / 10);
	u64 began;

	start();
	out(0x61, (in(0x61) & ~2) | 1);
	out(0x43, 0xb0);
	out(0x42, latch);
	out(0x42, latch >> 8);
	began = m.now_ns;
	while (!(in(0x61) & 0x20) && m.now_ns - began < PVM_NS_PER_S)
		mock_advance(&m, 1000);
	expect_in(m.now_ns - began, 9990000, 10010000);
	expect_eq(m.timers_run, 0);	/* channel 2 needs no host timer */
}

static void gate2_pauses(void)
{
	start();
	out(0x61, 1);
	program(2, 0, 1000);
	ticks(300);
	expect_eq(latched(2), 700);
	out(0x61, 0);
	ticks(500);
	expect_eq(latched(2), 700);
	out(0x61, 1);
	ticks(200);
	expect_eq(latched(2), 500);
	ticks(500);
	expect(!(in(0x61) & 0x20));
	ticks(1);
	expect(in(0x61) & 0x20);
	out(0x61, 0);			/* OUT stays when it has run out */
	expect(in(0x61) & 0x20);
}

static void gate2_triggers(void)
{
	start();
	program(2, 1, 100);		/* hardware one-shot */
	expect(in(0x61) & 0x20);
	ticks(200);
	expect(in(0x61) & 0x20);
	out(0x61, 1);
	expect(!(in(0x61) & 0x20));
	ticks(99);
	expect(!(in(0x61) & 0x20));
	ticks(1);
	expect(in(0x61) & 0x20);
	out(0x61, 0);
	out(0x61, 1);			/* again */
	ticks(50);
	out(0x61, 0);
	out(0x61, 1);			/* and restarted on its way */
	ticks(99);
	expect(!(in(0x61) & 0x20));
	ticks(1);
	expect(in(0x61) & 0x20);
}

static void read_back(void)
{
	u8 status;

	start();
	out(0x43, 0x34);		/* channel 0, mode 2, no count yet */
	out(0x43, 0xe2);		/* status of channel 0 */
	expect_eq(in(0x40), 0x80 | 0x40 | 0x34);
	out(0x40, 0x34);
	out(0x40, 0x12);
	out(0x43, 0xc2);		/* status and count */
	status = in(0x40);
	expect_eq(status, 0x80 | 0x34);
	expect_eq(in(0x40), 0x34);
	expect_eq(in(0x40), 0x12);
	/* A second latch before the first is read changes nothing. */
	out(0x43, 0xd2);
	ticks(10);
	out(0x43, 0xd2);
	expect_eq(in(0x40), 0x34);
	expect_eq(in(0x40), 0x12);
	/* Two channels with one command. */
	program(2, 0, 77);
	out(0x43, 0xda);
	expect_eq(in(0x42), 77);
	expect_eq(in(0x42), 0);
}

static void access_modes(void)
{
	start();
	out(0x43, 0x14);		/* channel 0, low byte only, mode 2 */
	out(0x40, 0x80);
	expect_eq(in(0x40), 0x80);
	ticks(1);
	expect_eq(in(0x40), 0x7f);
	out(0x43, 0x24);		/* high byte only */
	out(0x40, 0x12);
	expect_eq(in(0x40), 0x12);
	ticks(1);
	expect_eq(in(0x40), 0x11);
	out(0x43, 0x00);		/* latching follows the access mode */
	expect_eq(in(0x40), 0x11);
}

static void bcd(void)
{
	start();
	out(0x43, 0x35);		/* mode 2, BCD */
	out(0x40, 0x00);
	out(0x40, 0x10);		/* 1000 */
	expect_eq(latched(0), 0x1000);
	ticks(1);
	expect_eq(latched(0), 0x0999);
	ticks(1000);
	expect_eq(latched(0), 0x0999);
	/* 0 stands for 10000 here. */
	out(0x43, 0xb1);
	out(0x42, 0);
	out(0x42, 0);
	out(0x61, 1);
	ticks(1);
	expect_eq(latched(2), 0x9999);
}

static void new_count_waits_for_the_period(void)
{
	start();
	program(0, 2, 1000);
	m.rises[LINE] = 0;
	ticks(400);
	out(0x40, 0xd0);
	out(0x40, 0x07);		/* 2000 */
	out(0x43, 0xe2);
	expect(in(0x40) & 0x40);	/* not counting yet */
	expect_eq(latched(0), 600);
	ticks(600);
	expect_eq(m.rises[LINE], 1);
	expect_eq(latched(0), 2000);
	ticks(1999);
	expect_eq(m.rises[LINE], 1);
	ticks(1);
	expect_eq(m.rises[LINE], 2);
}

static void fastest_rate_is_bounded(void)
{
	start();
	out(0x43, 0x14);
	out(0x40, 1);			/* not allowed: as 2, 600 kHz */
	mock_advance(&m, PVM_NS_PER_S / 10);
	expect_in(m.timers_run, 900, 1001);
	expect_eq(m.timers_past, 0);
}

static void late_host_catches_up_at_once(void)
{
	start();
	program(0, 2, 1193);
	m.timers_run = 0;
	mock_late(&m, 1000 * PVM_NS_PER_S);
	expect_eq(m.timers_run, 1);
	expect_eq(m.timers_past, 0);
	expect_in(mock_next_timer(&m, &p.dev), m.now_ns, m.now_ns + 1100000);
}

static void wide_access_is_bytes(void)
{
	start();
	out(0x43, 0x34);
	out(0x43, 0xb4);
	mock_write(&m, &p.dev, 0, 0, 2, 0x0055);	/* 0x40 and 0x41 */
	out(0x40, 1);
	expect_eq(latched(0), 0x155);
}

static void refresh_bit_toggles(void)
{
	u32 i, changes = 0;
	u8 last, now;

	start();
	last = in(0x61) & 0x10;
	for (i = 0; i < 1000; i++) {
		mock_advance(&m, 1000);
		now = in(0x61) & 0x10;
		changes += now != last;
		last = now;
	}
	expect_in(changes, 65, 67);	/* a millisecond of 15 us toggles */
}

static void reset_stops_all(void)
{
	start();
	program(0, 2, 1000);
	p.dev.ops->reset(&p.dev);
	expect(!m.level[LINE]);
	expect_eq(mock_next_timer(&m, &p.dev), 0);
	expect_eq(in(0x61) & 0xf, 0);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(silent_at_reset),
	KTAP_TEST(rate_generator),
	KTAP_TEST(mode2_counts_down_to_one),
	KTAP_TEST(mode3_counts_by_twos),
	KTAP_TEST(one_shot),
	KTAP_TEST(software_strobe),
	KTAP_TEST(linux_quick_calibration),
	KTAP_TEST(linux_slow_calibration),
	KTAP_TEST(gate2_pauses),
	KTAP_TEST(gate2_triggers),
	KTAP_TEST(read_back),
	KTAP_TEST(access_modes),
	KTAP_TEST(bcd),
	KTAP_TEST(new_count_waits_for_the_period),
	KTAP_TEST(fastest_rate_is_bounded),
	KTAP_TEST(late_host_catches_up_at_once),
	KTAP_TEST(wide_access_is_bytes),
	KTAP_TEST(refresh_bit_toggles),
	KTAP_TEST(reset_stops_all),
};

KTAP_MAIN(tests)
