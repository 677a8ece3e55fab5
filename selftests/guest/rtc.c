// SPDX-License-Identifier: GPL-2.0-only
/* The RTC: time that runs, update-ended, periodic and alarm interrupts, memory. */
#include "lib/guest.h"

#define V_RTC	0x38

static volatile u32 hits, flags;

static u8 get(u8 reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static void put(u8 reg, u8 v)
{
	outb(0x70, reg);
	outb(0x71, v);
}

static void on_rtc(struct frame *f)
{
	hits++;
	flags = get(0x0c);
	apic_eoi();
}

static u32 decimal(u8 bcd)
{
	return (bcd >> 4) * 10 + (bcd & 15);
}

void payload(void)
{
	u64 start, took;
	u32 second, n;

	on_trap(V_RTC, on_rtc);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	apic_init();
	*(volatile u32 *)0xfec00000ul = 0x20;		/* pin 8: edge, CPU 0 */
	*(volatile u32 *)0xfec00010ul = V_RTC;
	ok(get(0x0d) & 0x80, "the battery is good");
	ok(decimal(get(0x32)) * 100 + decimal(get(0x09)) >= 2024, "the year is %u",
	   decimal(get(0x32)) * 100 + decimal(get(0x09)));
	put(0x50, 0xa5);
	ok(get(0x50) == 0xa5, "memory keeps a byte");
	put(0x50, 0);

	get(0x0c);
	put(0x0a, 0x26);			/* 1024 Hz */
	put(0x0b, 0x42);
	sti();
	start = rdtsc();
	reaches(&hits, 51, ms(4000));
	took = rdtsc() - start;
	ok(hits >= 51 && took >= ms(45), "periodic: 51 times 1/1024 s") ? 0 :
		note("%u in %lu us", hits, took * 1000 / ms(1));
	ok((flags & 0xf0) == 0xc0, "register C says so");
	put(0x0b, 0x02);
	get(0x0c);
	n = hits;
	spin(ms(10));
	ok(hits == n, "none when it is off");

	second = get(0x00);
	put(0x0b, 0x12);			/* update-ended */
	hits = 0;
	ok(reaches(&hits, 1, ms(3000)) && flags & 0x10, "update-ended interrupt");
	ok(get(0x00) != second, "and the second has changed");
	start = rdtsc();
	reaches(&hits, 2, ms(4000));
	took = rdtsc() - start;
	ok(hits == 2 && took > ms(800), "the next a second later") ? 0 :
		note("%u, %lu us", hits, took * 1000 / ms(1));

	put(0x0b, 0x82);			/* SET: time stands */
	put(0x05, 0xff);			/* alarm at any hour, any minute, second 10 */
	put(0x03, 0xff);
	put(0x01, 0x10);
	put(0x00, 0x09);
	put(0x0b, 0x22);
	get(0x0c);
	hits = 0;
	ok(reaches(&hits, 1, ms(4000)) && flags & 0x20 && get(0x00) == 0x10, "alarm");
	put(0x0b, 0x02);
	cli();
}
