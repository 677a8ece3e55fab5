// SPDX-License-Identifier: GPL-2.0-only
/* I/O APIC: edge from the PIT, level from the HPET, masks, remote IRR, destinations. */
#include "lib/guest.h"

#define HPET(n)		(*(volatile u64 *)(0xfed00000ul + (n)))
#define SELECT		(*(volatile u32 *)0xfec00000ul)
#define DATA		(*(volatile u32 *)0xfec00010ul)
#define V_PIT		0x41
#define V_HPET		0x51
#define LEVEL		(1u << 15)
#define IRR		(1u << 14)
#define MASK		(1u << 16)
#define PIN_PIT		2

static volatile u32 pit, hpet, late;
static volatile bool clear = true;

static u32 get(u8 reg)
{
	SELECT = reg;
	return DATA;
}

static void pin(u32 n, u32 low, u8 dest)
{
	SELECT = 0x11 + 2 * n;
	DATA = dest << 24;
	SELECT = 0x10 + 2 * n;
	DATA = low;
}

static void on_pit(struct frame *f)
{
	pit++;
	apic_eoi();
}

static void on_hpet(struct frame *f)
{
	hpet++;
	if (clear || ++late == 3)
		HPET(0x20) = 2;			/* timer 1 */
	apic_eoi();
}

static void edge(void)
{
	u32 n;

	outb(0x43, 0x34);
	outb(0x40, 0xa9);			/* 1193: 1 kHz */
	outb(0x40, 0x04);
	pin(PIN_PIT, V_PIT, 0);
	sti();
	ok(reaches(&pit, 10, ms(4000)), "edges from the PIT");
	pin(PIN_PIT, V_PIT | MASK, 0);
	spin(ms(1));
	n = pit;
	spin(ms(20));
	ok(pit == n, "none while it is masked");
	pin(PIN_PIT, V_PIT, 7);			/* no such CPU */
	spin(ms(20));
	ok(pit == n, "none when no CPU has that id");
	pin(PIN_PIT, V_PIT, 0);
	ok(reaches(&pit, n + 1, ms(4000)), "again when it is back");
	pin(PIN_PIT, MASK, 0);
}

/* Timer 1 of the HPET once, 1 ms from now, level, on a pin that it offers. */
static void fire(u32 line, u32 type)
{
	HPET(0x10) = 0;
	HPET(0xf0) = 0;
	HPET(0x120) = (u64)line << 9 | 4 | type << 1;
	HPET(0x128) = 1000000ul * 1000000 / (HPET(0) >> 32);
	HPET(0x10) = 1;
}

static void level(void)
{
	u32 routes = HPET(0x120) >> 32, line = 31;

	while (line && !(routes >> line & 1))
		line--;
	note("HPET's timer 1 goes to pins %x", routes);
	if (!ok(line >= 16 && line < 24, "one of them is no ISA line: %u", line))
		return;
	hpet = 0;
	pin(line, V_HPET | LEVEL, 0);
	fire(line, 1);
	ok(reaches(&hpet, 1, ms(4000)), "level from the HPET");
	spin(ms(10));
	ok(hpet == 1 && !(get(0x10 + 2 * line) & IRR), "once, as the source was cleared; remote IRR is clear");
	clear = false;
	hpet = 0;
	fire(line, 1);
	reaches(&hpet, 3, ms(4000));
	spin(ms(10));
	ok(hpet == 3, "again after each EOI until the source is cleared") ? 0 : note("%u", hpet);
	clear = true;
	cli();
	fire(line, 1);
	spin(ms(20));
	ok(!(get(0x10 + 2 * line) & IRR) == false, "remote IRR is set from delivery to EOI");
	sti();
	asm volatile("nop");
	ok(hpet == 4 && !(get(0x10 + 2 * line) & IRR), "and clear after it");
	cli();
	pin(line, V_HPET | LEVEL | MASK, 0);
	fire(line, 1);
	spin(ms(20));
	sti();
	asm volatile("nop");
	ok(hpet == 4, "masked: held back");
	pin(line, V_HPET | LEVEL, 0);
	ok(reaches(&hpet, 5, ms(1000)), "and delivered when unmasked, as the line is still high");
	spin(ms(1));
	ok(hpet == 5, "once");
	cli();
}

void payload(void)
{
	on_trap(V_PIT, on_pit);
	on_trap(V_HPET, on_hpet);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	apic_init();
	ok((get(1) >> 16 & 0xff) == 23, "24 pins");
	for (u32 i = 0; i < 24; i++)
		pin(i, MASK, 0);
	edge();
	level();
}
