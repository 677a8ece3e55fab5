// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit costs, in TSC ticks a round trip. Under a clock that counts
 * instructions the figures are instructions.
 */
#include "lib/guest.h"

#define ROUNDS	2000

static void nop(void)
{
	asm volatile("");
}

static void do_cpuid(void)
{
	u32 r[4];

	cpuid(0, 0, r);
}

static void do_elcr(void)
{
	inb(0x4d0);
}

static void do_rtc(void)
{
	inb(0x71);
}

static void do_pmtimer(void)
{
	inl(0x608);
}

static void do_pit(void)
{
	inb(0x61);
}

static void do_eoi(void)
{
	wrmsr(0x80b, 0);
}

static void do_icr(void)
{
	wrmsr(0x830, 0x400f0);	/* self IPI, vector f0, with IRQs off: stays pending */
}

static void do_tpr(void)
{
	wrmsr(0x808, 0);
}

static const struct {
	const char *name;
	void (*fn)(void);
} exits[] = {
	{ "cpuid", do_cpuid },
	{ "port read (ELCR, 0x4d0)", do_elcr },
	{ "port read (PIT, 0x61)", do_pit },
	{ "port read (RTC, 0x71)", do_rtc },
	{ "port read (PM timer, 0x608)", do_pmtimer },
	{ "x2apic EOI write", do_eoi },
	{ "x2apic ICR write (self)", do_icr },
	{ "x2apic TPR write", do_tpr },
};

static u64 measure(void (*fn)(void))
{
	u64 start, empty, full;

	start = rdtsc();
	for (u32 i = 0; i < ROUNDS; i++)
		nop();
	empty = rdtsc() - start;
	fn();
	start = rdtsc();
	for (u32 i = 0; i < ROUNDS; i++)
		fn();
	full = rdtsc() - start;
	return (full - empty) / ROUNDS;
}

void payload(void)
{
	apic_init();
	for (u32 i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		note("%s: %lu", exits[i].name, measure(exits[i].fn));
	ok(true, "measured");
}
