// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC timer in its three modes.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "mock_lapic.h"

#define L	(&cpu[0])
#define WHEN	(mock_when_ns[0])

/* Time passes; the host's timer expires when it should. */
static void advance(u64 ns)
{
	u64 end = mock_now_ns + ns;

	while (WHEN && WHEN <= end) {
		mock_now_ns = max(mock_now_ns, WHEN);
		WHEN = 0;
		pvm_lapic_timer(L);
	}
	mock_now_ns = end;
}

static void dividers(void)
{
	static const u32 rows[][2] = {
		{ 0, 2 }, { 1, 4 }, { 2, 8 }, { 3, 16 },
		{ 8, 32 }, { 9, 64 }, { 10, 128 }, { 11, 1 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		mock_start(false);
		mw(L, 0x320, 0x40);
		mw(L, 0x3e0, rows[i][0]);
		expect_eq(mr(L, 0x3e0), rows[i][0]);
		mw(L, 0x380, 1000);
		expect_eq(WHEN, mock_now_ns + 1000 * rows[i][1]);
		mock_now_ns += 400 * rows[i][1];
		expect_eq(mr(L, 0x390), 600);
	}
}

static void one_shot(void)
{
	mock_start(false);
	mw(L, 0x3e0, 0xb);
	mw(L, 0x320, 0x40);
	mw(L, 0x380, 5000);
	expect_eq(mr(L, 0x380), 5000);
	advance(4999);
	expect_eq(mr(L, 0x390), 1);
	expect_eq(pvm_lapic_pending(L), -1);
	advance(1);
	expect_eq(mr(L, 0x390), 0);
	expect_eq(mock_kicks[0], 0);		/* the owner did it itself */
	expect_eq(mock_serve(L), 0x40);
	advance(100000);
	expect_eq(mock_serve(L), -1);
	expect_eq(WHEN, 0);
	mw(L, 0x380, 5000);
	mw(L, 0x380, 0);			/* stops */
	expect_eq(WHEN, 0);
	expect_eq(mr(L, 0x390), 0);
	pvm_lapic_timer(L);			/* a stale expiry */
	expect_eq(mock_serve(L), -1);
	mw(L, 0x380, 5000);
	mock_now_ns += 10;
	pvm_lapic_timer(L);			/* an early one */
	expect_eq(mock_serve(L), -1);
	expect_eq(WHEN, mock_now_ns + 4990);
	advance(4990);
	expect_eq(mock_serve(L), 0x40);
}

static void periodic(void)
{
	u32 n = 0, arms, i;
	u64 start;

	mock_start(false);
	mw(L, 0x3e0, 0xb);
	mw(L, 0x320, 0x20040);
	start = mock_now_ns;
	mw(L, 0x380, 1000000);
	arms = mock_arms;
	for (i = 0; i < 10; i++) {
		advance(1000000);
		n += mock_serve(L) == 0x40;
	}
	expect_eq(n, 10);
	expect_eq(mock_arms - arms, 10);
	/* Late by many periods: one interrupt, the phase kept, no loop. */
	mock_now_ns = start + 3600ull * 1000000000 + 250000;
	arms = mock_arms;
	pvm_lapic_timer(L);
	expect_eq(mock_arms - arms, 1);
	expect_eq(mock_serve(L), 0x40);
	expect_eq(mock_serve(L), -1);
	expect_eq(WHEN, start + 3600ull * 1000000000 + 1000000);
	expect_eq(mr(L, 0x390), 750000);
	/* The expiry is due but not reported yet. */
	mock_now_ns += 800000;
	expect_eq(mr(L, 0x390), 950000);
	pvm_lapic_timer(L);
	expect_eq(mock_serve(L), 0x40);
}

static void shortest_period(void)
{
	u32 arms;

	mock_start(false);
	mw(L, 0x3e0, 0xb);
	mw(L, 0x320, 0x20040);
	mw(L, 0x380, 1);
	arms = mock_arms;
	advance(1000000);
	expect_in(mock_arms - arms, 1, 50);
	expect_in(mr(L, 0x390), 0, 1);
	/* A one-shot count is the guest's own to repeat. */
	mw(L, 0x320, 0x40);
	mw(L, 0x380, 1);
	expect_eq(WHEN, mock_now_ns + 1);
}

static void masked(void)
{
	mock_start(false);
	mw(L, 0x3e0, 0xb);
	mw(L, 0x320, 0x30040);
	mw(L, 0x380, 100000);
	expect_eq(mock_arms, 0);		/* costs the host nothing */
	advance(130000);
	expect_eq(mr(L, 0x390), 70000);
	mw(L, 0x320, 0x20040);
	expect_eq(WHEN, mock_now_ns + 70000);	/* what is past is past */
	mw(L, 0x320, 0x30040);
	expect_eq(WHEN, 0);
	/* A one-shot count that ended masked does not return as a periodic one. */
	mw(L, 0x320, 0x10040);
	mw(L, 0x380, 100000);
	advance(100001);
	mw(L, 0x320, 0x20040);
	expect_eq(WHEN, 0);
	expect_eq(mr(L, 0x390), 0);
	expect_eq(mock_serve(L), -1);
	/* Software disable. */
	mw(L, 0x380, 100000);
	expect(WHEN != 0);
	mw(L, 0xf0, 0xff);
	expect_eq(WHEN, 0);
}

static void divider_while_counting(void)
{
	mock_start(false);
	mock_now_ns = 10;
	mw(L, 0x3e0, 0xb);
	mw(L, 0x320, 0x40);
	mw(L, 0x380, 1000000);
	advance(400000);
	mw(L, 0x3e0, 0xa);			/* by 128: the start moves before time 0 */
	expect_eq(mr(L, 0x390), 600000);
	expect_eq(WHEN, mock_now_ns + 600000ull * 128);
	advance(300000ull * 128);
	expect_eq(mr(L, 0x390), 300000);
	advance(300000ull * 128);
	expect_eq(mock_serve(L), 0x40);
}

static void tsc_deadline(void)
{
	mock_start(true);
	expect(wr(L, MSR_DEADLINE, 5));		/* other mode: ignored */
	expect_eq(rd(L, MSR_DEADLINE), 0);
	expect(wr(L, X2(PVM_APIC_LVT), 0x40040));
	expect(wr(L, MSR_DEADLINE, mock_now_ns * 3 + 3001));
	expect_eq(rd(L, MSR_DEADLINE), mock_now_ns * 3 + 3001);
	expect_eq(WHEN, mock_now_ns + 1001);
	expect(wr(L, X2(PVM_APIC_INITIAL), 77));	/* no count in this mode */
	expect_eq(rd(L, X2(PVM_APIC_INITIAL)), 0);
	expect_eq(rd(L, X2(PVM_APIC_CURRENT)), 0);
	mock_now_ns += 1000;
	WHEN = 0;
	pvm_lapic_timer(L);			/* 1 cycle early */
	expect_eq(mock_serve(L), -1);
	expect_in(WHEN, mock_now_ns + 1, mock_now_ns + 1000);
	advance(1000);
	expect_eq(mock_serve(L), 0x40);
	expect_eq(rd(L, MSR_DEADLINE), 0);
	expect_eq(WHEN, 0);

	/* In the past: at once, without the host's timer. */
	mock_arms = 0;
	expect(wr(L, MSR_DEADLINE, 1));
	expect_eq(mock_arms, 0);
	expect_eq(mock_serve(L), 0x40);
	expect_eq(rd(L, MSR_DEADLINE), 0);

	expect(wr(L, MSR_DEADLINE, mock_now_ns * 3 + 3000));
	expect(wr(L, MSR_DEADLINE, 0));
	expect_eq(WHEN, 0);

	/* Masked: it passes unheard. */
	expect(wr(L, X2(PVM_APIC_LVT), 0x50040));
	expect(wr(L, MSR_DEADLINE, mock_now_ns * 3 + 3000));
	expect_eq(WHEN, 0);
	expect(rd(L, MSR_DEADLINE) != 0);
	expect(wr(L, X2(PVM_APIC_LVT), 0x40040));
	expect_eq(WHEN, mock_now_ns + 1000);
	expect(wr(L, X2(PVM_APIC_LVT), 0x50040));
	mock_now_ns += 1000;
	expect_eq(rd(L, MSR_DEADLINE), 0);
	expect(wr(L, X2(PVM_APIC_LVT), 0x40040));
	expect_eq(mock_serve(L), -1);

	/* Leaving the mode disarms; so does entering it. */
	expect(wr(L, MSR_DEADLINE, mock_now_ns * 3 + 3000));
	expect(wr(L, X2(PVM_APIC_LVT), 0x40));
	expect_eq(WHEN, 0);
	expect_eq(rd(L, MSR_DEADLINE), 0);
	expect(wr(L, X2(PVM_APIC_INITIAL), 5000));
	expect(WHEN != 0);
	expect(wr(L, X2(PVM_APIC_LVT), 0x40040));
	expect_eq(WHEN, 0);
	expect_eq(rd(L, X2(PVM_APIC_CURRENT)), 0);
}

static void bad_vector(void)
{
	mock_start(false);
	mw(L, 0x3e0, 0xb);
	mw(L, 0x320, 0x0f);
	mw(L, 0x380, 1000);
	advance(1000);
	mw(L, 0x280, 0);
	expect_eq(mr(L, 0x280), 0x40);
	expect_eq(mock_serve(L), -1);
}

static void stops_with_the_apic(void)
{
	mock_start(false);
	mw(L, 0x320, 0x20040);
	mw(L, 0x380, 100000);
	expect(WHEN != 0);
	expect(wr(L, MSR_BASE, PVM_LAPIC_BASE_GPA | 0x100));
	expect_eq(WHEN, 0);
	mock_start(false);
	mw(L, 0x320, 0x20040);
	mw(L, 0x380, 100000);
	pvm_lapic_reset(L, true, true);
	expect_eq(WHEN, 0);
	pvm_lapic_timer(L);
	expect_eq(mock_serve(L), -1);
}

/* Whatever is written, the host's timer is never set for the past or too often. */
static void garbage(void)
{
	u64 seed = 7, before;
	u32 round, arms;

	mock_start(false);
	for (round = 0; round < 200000; round++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		switch (seed >> 60) {
		case 0:
			mw(L, 0x320, seed >> 20);
			break;
		case 1:
			mw(L, 0x3e0, seed >> 20);
			break;
		case 2:
		case 3:
			mw(L, 0x380, (u32)(seed >> 20) >> (seed >> 52 & 31));
			break;
		case 4:
			expect(wr(L, MSR_DEADLINE, mock_now_ns * 3 + (seed >> 20 & 0xfffff)));
			break;
		case 5:
			mw(L, 0xf0, seed >> 20 | 0x100);
			break;
		case 6:
			mr(L, 0x390);
			break;
		case 7:
			mw(L, 0xf0, seed >> 20);
			break;
		default:
			before = mock_now_ns;
			arms = mock_arms;
			advance(seed >> 20 & 0xfffff);
			expect_in(mock_arms - arms, 0, (mock_now_ns - before) / 20000 + 3);
			break;
		}
		expect(!WHEN || WHEN >= mock_now_ns || L->timer_running || L->tsc_deadline);
		expect(!!WHEN == L->timer_armed);
		mock_serve(L);
		if (ktap_now.failures)
			return;
	}
}

static const struct ktap_test tests[] = {
	KTAP_TEST(dividers),
	KTAP_TEST(one_shot),
	KTAP_TEST(periodic),
	KTAP_TEST(shortest_period),
	KTAP_TEST(masked),
	KTAP_TEST(divider_while_counting),
	KTAP_TEST(tsc_deadline),
	KTAP_TEST(bad_vector),
	KTAP_TEST(stops_with_the_apic),
	KTAP_TEST(garbage),
};

KTAP_MAIN(tests)
