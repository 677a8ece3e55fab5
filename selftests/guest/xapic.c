// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC as it starts: xAPIC, through its page. */
#include "lib/guest.h"

#define REG(n)	(*(volatile u32 *)(0xfee00000ul + (n)))
#define V_IPI	0x55
#define V_TIMER	0x61
#define CPUS	2

static volatile u32 hits, timer_hits, ap_hits;

static void eoi(void)
{
	REG(0xb0) = 0;
}

static void on_ipi(struct frame *f)
{
	if (REG(0x20) >> 24)
		ap_hits++;
	else
		hits++;
	eoi();
}

static void on_timer(struct frame *f)
{
	timer_hits++;
	eoi();
}

static void ipi(u32 dest, u32 low)
{
	REG(0x310) = dest << 24;
	REG(0x300) = low;
}

static volatile u32 ready;

/* lib.c put this CPU into x2APIC mode: off and on again, then as at the start. */
static void to_xapic(u32 index)
{
	wrmsr(0x1b, rdmsr(0x1b) & ~0xc00ul);
	wrmsr(0x1b, rdmsr(0x1b) | 0x800);
	REG(0xf0) = 0x1ff;
	REG(0xd0) = 2u << 24;
	ready = REG(0x20) >> 24;
	for (;;)
		sti_hlt();
}

void payload(void)
{
	u64 start;

	on_trap(V_IPI, on_ipi);
	on_trap(V_TIMER, on_timer);
	ok((REG(0x30) & 0xff) >= 0x10 && REG(0x20) == 0, "ID 0, version %x", REG(0x30) & 0xff);
	REG(0xf0) = 0x1ff;
	ok(REG(0xf0) == 0x1ff, "switched on by SVR");
	ipi(0, 1 << 18 | V_IPI);
	ok(REG(0x200 + 0x10 * (V_IPI / 32)) >> (V_IPI % 32) & 1, "self IPI is pending in IRR");
	sti();
	asm volatile("nop");
	ok(hits == 1, "and delivered");
	REG(0x80) = 0x60;
	ok(read_cr8() == 6, "TPR by MMIO shows in CR8");
	ipi(0, 1 << 18 | V_IPI);
	asm volatile("nop");
	ok(hits == 1, "and holds back");
	REG(0x80) = 0;
	asm volatile("nop");
	ok(hits == 2, "until it is lowered");
	write_cr8(6);
	ipi(0, 1 << 18 | V_IPI);
	asm volatile("nop");
	ok(hits == 2, "held back by CR8");
	write_cr8(0);
	asm volatile("nop; nop");
	ok(hits == 3, "and delivered when CR8 falls, without another exit");
	REG(0x3e0) = 0xb;
	REG(0x320) = V_TIMER;
	start = rdtsc();
	REG(0x380) = 3000000;
	reaches(&timer_hits, 1, ms(2000));
	ok(timer_hits == 1 && rdtsc() - start >= ms(3), "timer");
	/* SDM3 "Error Status Register": vectors below 16 do not exist */
	REG(0x280) = 0;
	ipi(0, 1 << 18 | 5);
	REG(0x280) = 0;
	ok(REG(0x280) & 0x60, "an illegal vector shows in ESR");
	REG(0xd0) = 1u << 24;
	REG(0xe0) = 0xffffffff;
	cli();
	/* SIPI to CPU 1 through the library, which wants x2APIC */
	apic_init();
	ok(start_aps(CPUS - 1) == CPUS - 1, "%u CPUs", CPUS);
	wrmsr(0x1b, rdmsr(0x1b) & ~0xc00ul);
	wrmsr(0x1b, rdmsr(0x1b) | 0x800);
	REG(0xf0) = 0x1ff;
	REG(0xd0) = 1u << 24;
	on_ap(1, to_xapic);
	ok(reaches(&ready, 1, ms(2000)), "back from x2APIC by way of off");
	spin(ms(2));
	ipi(1, V_IPI);
	ok(reaches(&ap_hits, 1, ms(2000)), "IPI to CPU 1, physical");
	ipi(2, 1 << 11 | V_IPI);
	ok(reaches(&ap_hits, 2, ms(2000)), "IPI to CPU 1, logical, flat");
	sti();
	hits = 0;
	ipi(3, 1 << 11 | V_IPI);
	ok(reaches(&ap_hits, 3, ms(2000)) && reaches(&hits, 1, ms(100)), "IPI to both, logical");
	ipi(0xff, V_IPI);
	ok(reaches(&ap_hits, 4, ms(2000)) && reaches(&hits, 2, ms(100)), "IPI to both, broadcast");
	cli();
}
