// SPDX-License-Identifier: GPL-2.0-only
/* NMIs: not held back by IF, not nested before IRET, and they wake HLT. */
#include "lib/guest.h"

#define NMI	(4u << 8)
#define BP	3

static volatile u32 nmis, depth, deepest, with_bp, depth_at_bp, send_inside, irq;

static void send(u32 dest)
{
	apic_ipi(dest, NMI);
}

static void on_nmi(struct frame *f)
{
	u32 r[4];

	nmis++;
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (send_inside) {
		send_inside--;
		send(0);
		send(0);			/* one is remembered, not two */
		cpuid(0, 0, r);			/* exits do not unblock */
		inb(0x80);
		if (with_bp) {
			with_bp = 0;
			asm volatile("int3");	/* the IRET of its handler does */
			depth_at_bp = deepest;
		}
	}
	depth--;
}

static void on_bp(struct frame *f)
{
}

static void on_irq(struct frame *f)
{
	irq++;
	apic_eoi();
}

static volatile u32 ap_up;

static void ap_sleep(u32 index)
{
	ap_up = 1;
	cli();
	hlt();
	ap_up = 2;
}

void payload(void)
{
	on_trap(2, on_nmi);
	on_trap(BP, on_bp);
	on_trap(0x45, on_irq);
	apic_init();
	cli();
	send(0);
	asm volatile("nop");
	ok(nmis == 1, "taken with interrupts off");

	nmis = deepest = 0;
	send_inside = 1;
	send(0);
	asm volatile("nop; nop");
	ok(nmis == 2, "two that came inside of the handler: one follows it") ? 0 : note("%u", nmis);
	ok(deepest == 1, "and not before IRET") ? 0 : note("%u deep", deepest);

	nmis = deepest = 0;
	send_inside = 1;
	with_bp = 1;
	send(0);
	asm volatile("nop; nop");
	ok(nmis == 2 && depth_at_bp == 2, "IRET of an exception inside unblocks, as on a processor")
		? 0 : note("%u, %u deep", nmis, depth_at_bp);

	nmis = 0;
	apic_ipi(0, 1u << 18 | 0x45);
	send(0);
	asm volatile("nop");
	ok(nmis == 1 && !irq, "an NMI does not open the door for interrupts");
	sti();
	asm volatile("nop");
	cli();
	ok(irq == 1, "the interrupt comes after STI");

	for (u32 i = 0; i < 1000; i++)
		send(0);
	asm volatile("nop");
	ok(nmis == 1001, "1000 in a row, none lost") ? 0 : note("%u", nmis);

	ok(start_aps(1) == 1, "2 CPUs");
	nmis = 0;
	on_ap(1, ap_sleep);
	reaches(&ap_up, 1, ms(1000));
	spin(ms(5));
	ok(ap_up == 1, "HLT with interrupts off sleeps");
	send(1);
	ok(reaches(&ap_up, 2, ms(2000)) && nmis == 1, "an NMI wakes it");
}
