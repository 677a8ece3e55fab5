// SPDX-License-Identifier: GPL-2.0-only
/* Four application processors, and 10,000 IPIs to and fro between sleeping CPUs. */
#include "lib/guest.h"

#define APS	4
#define ROUNDS	10000
#define V_PING	0x71
#define V_STOP	0x72

static volatile u32 pings[APS + 1], in_step, stacks_differ = 1, stopped;
static u64 stack_of[APS + 1];

static void on_ping(struct frame *f)
{
	pings[rdmsr(0x802)]++;
	apic_eoi();
}

static void on_stop(struct frame *f)
{
	__atomic_add_fetch(&stopped, 1, __ATOMIC_RELAXED);
	apic_eoi();
}

static void count(u32 index)
{
	u64 here;

	stack_of[index] = (u64)&here;
	for (u32 i = 0; i < 100000; i++)
		__atomic_add_fetch(&in_step, 1, __ATOMIC_RELAXED);
}

/* CPU 1 answers each ping; both sleep in between. */
static void pong(u32 index)
{
	u32 seen = 0;

	for (;;) {
		cli();
		while (pings[index] == seen)
			sti_hlt(), cli();
		seen++;
		apic_ipi(0, V_PING);
		sti();
		if (seen == ROUNDS)
			return;
	}
}

void payload(void)
{
	u64 start;
	u32 seen = 0;

	on_trap(V_PING, on_ping);
	on_trap(V_STOP, on_stop);
	apic_init();
	ok(start_aps(APS) == APS, "%u application processors", APS);
	for (u32 i = 1; i <= APS; i++)
		on_ap(i, count);
	for (u32 i = 1; i <= APS; i++)
		wait_ap(i);
	for (u32 i = 2; i <= APS; i++)
		stacks_differ &= stack_of[i] != stack_of[i - 1];
	ok(in_step == APS * 100000, "locked additions by all of them: none lost") ? 0 :
		note("%u", in_step);
	ok(stacks_differ, "each has a stack of its own");

	on_ap(1, pong);
	start = rdtsc();
	while (seen < ROUNDS && rdtsc() - start < ms(60000)) {
		apic_ipi(1, V_PING);
		cli();
		while (pings[0] == seen)
			sti_hlt(), cli();
		seen++;
		sti();
	}
	cli();
	ok(seen == ROUNDS && pings[1] == ROUNDS && pings[0] == ROUNDS,
	   "%u IPIs to CPU 1 and as many back", ROUNDS) ? 0 : note("%u %u", pings[0], pings[1]);
	note("%lu us a round", (rdtsc() - start) * 1000 / ms(1) / ROUNDS);
	apic_ipi(0, 3u << 18 | V_STOP);
	spin(ms(5));
	ok(stopped <= 1, "CPUs with interrupts off do not take one");
}
