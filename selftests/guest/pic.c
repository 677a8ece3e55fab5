// SPDX-License-Identifier: GPL-2.0-only
/* The 8259 pair and the PIT behind it, as a system without APICs uses them. */
#include "lib/guest.h"

static volatile u32 ticks;
static volatile bool eoi = true;

static void on_tick(struct frame *f)
{
	ticks++;
	if (eoi)
		outb(0x20, 0x20);
}

static void init_pics(void)
{
	outb(0x20, 0x11);
	outb(0xa0, 0x11);
	outb(0x21, 0x30);
	outb(0xa1, 0x38);
	outb(0x21, 0x04);
	outb(0xa1, 0x02);
	outb(0x21, 0x01);
	outb(0xa1, 0x01);
	outb(0x21, 0xfe);
	outb(0xa1, 0xff);
}

static void rate(u32 hz)
{
	u32 count = 1193182 / hz;

	outb(0x43, 0x34);		/* channel 0, mode 2, low and high */
	outb(0x40, count);
	outb(0x40, count >> 8);
}

static u16 latched(void)
{
	u8 low;

	outb(0x43, 0x00);
	low = inb(0x40);
	return low | inb(0x40) << 8;
}

/* Channel 2 as a stop watch, by its gate and output in port 0x61. */
static u64 channel2(u32 us)
{
	u32 count = (u64)us * 1193182 / 1000000;
	u64 start;

	outb(0x61, 0);
	outb(0x43, 0xb0);		/* channel 2, mode 0 */
	outb(0x42, count);
	outb(0x42, count >> 8);
	outb(0x61, 1);
	start = rdtsc();
	while (!(inb(0x61) & 0x20) && rdtsc() - start < ms(2000))
		;
	return rdtsc() - start;
}

void payload(void)
{
	u64 start, took;
	u32 n;
	u16 a, b;

	on_trap(0x30, on_tick);
	init_pics();
	ok(inb(0x21) == 0xfe && inb(0xa1) == 0xff, "masks read back");
	rate(200);
	a = latched();
	spin(ms(1));
	b = latched();
	ok(a <= 5965 && b <= 5965 && a != b, "the PIT counts");
	start = rdtsc();
	sti();
	reaches(&ticks, 20, ms(4000));
	took = rdtsc() - start;
	ok(ticks >= 20 && took > ms(85), "20 ticks of 5 ms take 100 ms") ? 0 :
		note("%u ticks, %lu us", ticks, took * 1000 / ms(1));
	outb(0x21, 0xff);
	spin(ms(1));
	n = ticks;
	spin(ms(30));
	ok(ticks == n, "none while it is masked");
	outb(0x21, 0xfe);
	ok(reaches(&ticks, n + 1, ms(2000)), "again when it is not");
	eoi = false;
	n = ticks;
	reaches(&ticks, n + 1, ms(2000));
	spin(ms(30));
	ok(ticks == n + 1, "none before EOI");
	outb(0x20, 0x0b);
	ok(inb(0x20) == 1, "ISR has line 0");
	eoi = true;
	outb(0x20, 0x60);		/* specific EOI of line 0 */
	outb(0x20, 0x0b);
	ok(reaches(&ticks, n + 2, ms(2000)), "again after a specific EOI");
	cli();
	took = channel2(20000);
	ok(took >= ms(19) && took < ms(500), "channel 2: 20 ms") ? 0 :
		note("%lu us", took * 1000 / ms(1));
	outb(0x43, 0xe2);		/* read back: status of channel 0 */
	ok((inb(0x40) & 0x3f) == 0x34, "read-back command: mode 2");
	n = ticks;
	rate(1000);
	sti();
	for (u32 i = 0; i < 10; i++)
		hlt();
	cli();
	ok(ticks >= n + 10, "each tick wakes HLT");
}
