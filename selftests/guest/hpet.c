// SPDX-License-Identifier: GPL-2.0-only
/* HPET: one-shot, periodic, legacy routing, and interrupts as messages. */
#include "lib/guest.h"

#define R(n)		(*(volatile u64 *)(0xfed00000ul + (n)))
#define V_TIMER		0x51
#define ENABLE		4
#define PERIODIC	8
#define SET		0x40
#define MESSAGE		0x4000

static volatile u32 hits;

static void on_timer(struct frame *f)
{
	hits++;
	apic_eoi();
}

static u64 count_of(u64 us)
{
	return us * 1000000000ul / (R(0) >> 32);
}

static void restart(void)
{
	R(0x10) = 0;
	R(0xf0) = 0;
	hits = 0;
}

void payload(void)
{
	u64 start, took;
	u32 n;

	on_trap(V_TIMER, on_timer);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	apic_init();
	ok((R(0) >> 8 & 31) >= 2 && R(0) >> 32 <= 100000000, "three timers, period %lu fs",
	   R(0) >> 32);
	sti();
	ok(R(0x100) & 0x10, "timer 0 can be periodic");

	/* Legacy routing: timer 0 on pin 2, whatever its route says */
	*(volatile u32 *)0xfec00000ul = 0x14;
	*(volatile u32 *)0xfec00010ul = V_TIMER;
	restart();
	R(0x100) = ENABLE;
	R(0x108) = count_of(5000);
	start = rdtsc();
	R(0x10) = 3;
	reaches(&hits, 1, ms(4000));
	took = rdtsc() - start;
	ok(hits == 1 && took >= ms(4) && took < ms(500),
	   "one-shot in legacy routing after 5 ms") ? 0 :
		note("%u, %lu us", hits, took * 1000 / ms(1));
	spin(ms(20));
	ok(hits == 1, "once");

	restart();
	R(0x100) = ENABLE | PERIODIC | SET;
	R(0x108) = count_of(2000);
	R(0x108) = count_of(2000);
	start = rdtsc();
	R(0x10) = 3;
	reaches(&hits, 10, ms(4000));
	took = rdtsc() - start;
	ok(hits >= 10 && took >= ms(18), "periodic: ten times 2 ms") ? 0 :
		note("%u, %lu us", hits, took * 1000 / ms(1));
	R(0x10) = 0;
	spin(ms(1));
	n = hits;
	spin(ms(20));
	ok(hits == n, "none while the counter stands");
	R(0x100) = 0;
	*(volatile u32 *)0xfec00010ul = 0x10000;

	if (R(0x140) & 0x8000) {
		restart();
		R(0x150) = 0xfee00000ul << 32 | V_TIMER;
		R(0x140) = ENABLE | MESSAGE;
		R(0x148) = count_of(3000);
		R(0x10) = 1;
		ok(reaches(&hits, 1, ms(4000)), "timer 2 by message");
		R(0x140) = 0;
	} else {
		note("no interrupts as messages");
	}
	R(0x10) = 0;
	cli();
}
