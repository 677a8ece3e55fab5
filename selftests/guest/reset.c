// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way to reset the machine boots it anew, with battery-backed memory kept
 * and all else as after power-on. A byte of it counts the boots.
 */
#include "lib/guest.h"

#define COUNTER		0x6e	/* no firmware's business */
#define CPUS		2

static u8 cmos(u8 index)
{
	outb(0x70, index);
	return inb(0x71);
}

static void by_other_cpu(u32 index)
{
	outb(0xcf9, 0x02);
	outb(0xcf9, 0x06);
}

static u32 in_memory = 1;	/* .data, which each boot must load anew */

static void go(u32 boots)
{
	switch (boots) {
	case 0:
		outb(0xcf9, 0x02);
		outb(0xcf9, 0x06);
		break;
	case 1:
		outb(0x64, 0xfe);
		break;
	case 2:
		outb(0x92, 0x01);
		break;
	case 3:
		apic_init();
		start_aps(CPUS - 1);
		on_ap(1, by_other_cpu);
		break;
	}
	for (u32 i = 0; ; i++)
		asm volatile("cli; hlt");
}

void payload(void)
{
	u32 boots = cmos(COUNTER);
	bool fresh = in_memory == 1 && !inb(0x3ff) && cpus_up == 1 && rdmsr(0x1b) == 0xfee00900;

	note("boot %u: memory %u, UART scratch %u, CPUs %u, APIC base %lx", boots, in_memory,
	     inb(0x3ff),
	     cpus_up, rdmsr(0x1b));
	if (boots && !fresh) {
		ok(false, "boot %u found something of the one before it", boots);
		finish();
	}
	in_memory = 2;
	outb(0x3ff, 0x5a);
	outb(0x70, COUNTER);
	outb(0x71, boots + 1);
	if (boots < 4)
		go(boots);
	ok(boots == 4, "port 0xcf9, 8042, port 0x92, and 0xcf9 by an AP reset the machine");
	ok(fresh, "memory, UART, CPUs and APIC are as after power-on");
	outb(0x70, COUNTER);
	outb(0x71, 0);
}
