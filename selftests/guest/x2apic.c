// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC in x2APIC mode: EOI, priorities, IPIs by every kind of destination, timers. */
#include "lib/guest.h"

#define CPUS		4
#define V_LOW		0x41
#define V_HIGH		0x81
#define V_IPI		0x55
#define V_TIMER		0x61
#define SELF		(1u << 18)
#define ALL		(2u << 18)
#define OTHERS		(3u << 18)
#define LOGICAL		(1u << 11)
#define LOWEST		(1u << 8)
#define PERIODIC	(1u << 17)
#define DEADLINE	(2u << 17)

static u32 bit_of(u32 base, u32 vector)
{
	return rdmsr(base + vector / 32) >> (vector % 32) & 1;
}

static volatile u32 hits[CPUS], timer_hits, low_hits, high_hits, nested, in_service;

static u32 self(void)
{
	return rdmsr(0x802);
}

static void on_ipi(struct frame *f)
{
	__atomic_add_fetch(&hits[self()], 1, __ATOMIC_RELAXED);
	apic_eoi();
}

static void on_timer(struct frame *f)
{
	timer_hits++;
	apic_eoi();
}

static void on_high(struct frame *f)
{
	high_hits++;
	apic_eoi();
}

/* Its own class cannot come in, a higher one can. */
static void on_low(struct frame *f)
{
	low_hits++;
	in_service = bit_of(0x810, V_LOW);
	if (low_hits == 1) {
		apic_ipi(0, SELF | V_LOW);
		apic_ipi(0, SELF | V_HIGH);
		sti();
		asm volatile("nop; nop");
		cli();
		nested = high_hits == 1 && low_hits == 1 && bit_of(0x820, V_LOW);
	}
	apic_eoi();
}

static void priorities(void)
{
	wrmsr(0x83f, V_LOW);
	ok(bit_of(0x820, V_LOW) && !bit_of(0x810, V_LOW), "self IPI: pending in IRR while IRQs are off");
	sti();
	asm volatile("nop");
	cli();
	ok(low_hits == 2 && in_service, "delivered, in service until EOI");
	ok(nested, "a higher class comes in between, the same one waits");
	ok(!bit_of(0x810, V_LOW) && !bit_of(0x820, V_LOW), "all done after EOI");
	wrmsr(0x808, 0x50);
	apic_ipi(0, SELF | V_LOW);
	sti();
	asm volatile("nop");
	ok(low_hits == 2 && rdmsr(0x80a) == 0x50, "TPR holds a lower class back");
	wrmsr(0x808, 0);
	asm volatile("nop");
	ok(low_hits == 3, "until it is lowered");
	write_cr8(5);
	ok(rdmsr(0x808) == 0x50, "CR8 is the TPR");
	apic_ipi(0, SELF | V_LOW);
	asm volatile("nop");
	ok(low_hits == 3, "and holds back");
	write_cr8(0);
	asm volatile("nop");
	ok(low_hits == 4, "until it is lowered");
	cli();
}

static volatile u32 waiting;

static void sleeper(u32 index)
{
	__atomic_add_fetch(&waiting, 1, __ATOMIC_RELAXED);
	for (;;)
		sti_hlt();
}

/* Sends and sees that each CPU of @want got one, no other any. */
static void send(const char *name, u32 dest, u32 low, u32 want)
{
	u32 got = 0;

	for (u32 i = 0; i < CPUS; i++)
		hits[i] = 0;
	sti();
	apic_ipi(dest, low | V_IPI);
	for (u32 i = 0; i < CPUS; i++)
		if (want >> i & 1)
			reaches(&hits[i], 1, ms(500));
	spin(ms(2));
	cli();
	for (u32 i = 0; i < CPUS; i++)
		got |= hits[i] == 1 ? 1 << i : hits[i] ? 1 << (i + 16) : 0;
	ok(got == want, "IPI to %s reaches CPUs %x", name, want) ? 0 : note("reached %x", got);
}

static void ipis(void)
{
	u32 sum = 0;

	ok(start_aps(CPUS - 1) == CPUS - 1, "%u CPUs", CPUS);
	for (u32 i = 1; i < CPUS; i++)
		on_ap(i, sleeper);
	reaches(&waiting, CPUS - 1, ms(1000));
	spin(ms(2));
	send("itself", 0, SELF, 1);
	send("CPU 2, physical", 2, 0, 4);
	send("CPU 0, physical", 0, 0, 1);
	send("all", 0, ALL, 15);
	send("all others", 0, OTHERS, 14);
	send("all, physical broadcast", 0xffffffff, 0, 15);
	send("1 and 3, logical", 0xa, LOGICAL, 10);
	send("all, logical broadcast", 0xffffffff, LOGICAL, 15);
	send("nobody, logical in another cluster", 0x1000f, LOGICAL, 0);
	send("CPU 3, logical, lowest priority", 8, LOGICAL | LOWEST, 8);
	for (u32 i = 0; i < CPUS; i++)
		hits[i] = 0;
	sti();
	apic_ipi(0xe, LOGICAL | LOWEST | V_IPI);
	spin(ms(20));
	cli();
	for (u32 i = 0; i < CPUS; i++)
		sum += hits[i];
	ok(sum == 1 && !hits[0], "lowest priority: one of three");
}

static void timers(void)
{
	u64 start, took;
	u32 n;

	wrmsr(0x83e, 0xb);				/* divide by 1 */
	wrmsr(0x832, V_TIMER);
	start = rdtsc();
	wrmsr(0x838, 5000000);				/* 5 ms at 1 GHz */
	ok(rdmsr(0x839) > 0 && rdmsr(0x839) <= 5000000, "the timer counts down");
	sti();
	reaches(&timer_hits, 1, ms(2000));
	took = rdtsc() - start;
	ok(timer_hits == 1 && took >= ms(5) && took < ms(500), "one-shot after 5 ms")
		? 0 : note("%u hits, %lu us", timer_hits, took * 1000 / ms(1));
	spin(ms(20));
	ok(timer_hits == 1 && !rdmsr(0x839), "and once only");

	timer_hits = 0;
	wrmsr(0x832, V_TIMER | PERIODIC);
	start = rdtsc();
	wrmsr(0x838, 2000000);
	reaches(&timer_hits, 10, ms(4000));
	took = rdtsc() - start;
	wrmsr(0x838, 0);
	ok(timer_hits >= 10 && took >= ms(18), "periodic, ten times 2 ms")
		? 0 : note("%u hits, %lu us", timer_hits, took * 1000 / ms(1));
	spin(ms(1));
	n = timer_hits;
	spin(ms(20));
	ok(timer_hits == n, "stopped by a count of 0");

	timer_hits = 0;
	wrmsr(0x832, V_TIMER | DEADLINE);
	/* On a busy machine it fires before HLT, which would then sleep for good. */
	cli();
	start = rdtsc();
	wrmsr(0x6e0, start + ms(50));
	ok(rdmsr(0x6e0) == start + ms(50), "TSC deadline is armed");
	sti_hlt();
	took = rdtsc() - start;
	ok(timer_hits == 1 && took >= ms(50) && took < ms(500), "it wakes HLT, not early")
		? 0 : note("%u hits, %lu us", timer_hits, took * 1000 / ms(1));
	ok(!rdmsr(0x6e0), "and reads 0 then");
	wrmsr(0x6e0, 1);
	spin(ms(1));
	ok(timer_hits == 2, "a deadline in the past fires at once");
	wrmsr(0x6e0, rdtsc() + ms(200));
	wrmsr(0x6e0, 0);
	spin(ms(250));
	ok(timer_hits == 2, "a deadline of 0 disarms");
	wrmsr(0x832, V_TIMER | DEADLINE | 1 << 16);
	wrmsr(0x6e0, rdtsc() + ms(1));
	spin(ms(10));
	ok(timer_hits == 2, "a masked timer stays silent");
	cli();
}

void payload(void)
{
	on_trap(V_LOW, on_low);
	on_trap(V_HIGH, on_high);
	on_trap(V_IPI, on_ipi);
	on_trap(V_TIMER, on_timer);
	apic_init();
	ok(rdmsr(0x80d) == 1 && self() == 0, "id 0, logical id 1");
	priorities();
	timers();
	ipis();
}
