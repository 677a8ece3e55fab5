// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction behind STI is not interrupted, also when it exits.
 *
 * Where an exit ends the shadow, QEMU's emulation takes the interrupt one
 * instruction later than a processor does, so both places are good.
 */
#include "lib/guest.h"

#define V	0x45

static volatile u64 rip, hits;

static void on_irq(struct frame *f)
{
	rip = f->rip;
	hits++;
	apic_eoi();
}

static void pend(void)
{
	cli();
	hits = 0;
	rip = 0;
	apic_ipi(0, 1u << 18 | V);
}

/* @code with an interrupt pending; it must come at label 1 or one NOP later. */
#define AT(name, code) do {							\
	u64 want;								\
										\
	pend();									\
	asm volatile(code "; nop\n lea 1b(%%rip), %0"		\
		     : "=&r" (want) : : "rax", "rbx", "rcx", "rdx", "memory", "cc");	\
	cli();									\
	ok(hits == 1 && rip - want <= 1, name) ? 0 :				\
		note("%lu, %lx instead of %lx", hits, rip, want);		\
} while (0)

void payload(void)
{
	on_trap(V, on_irq);
	apic_init();
	AT("STI, NOP: after the NOP", "sti; nop; 1: nop");
	AT("STI, CPUID: after CPUID, which exits", "xor %%eax, %%eax; sti; cpuid; 1: nop");
	AT("STI, IN: after IN", "sti; inb $0x80, %%al; 1: nop");
	AT("STI, RDMSR: after RDMSR", "mov $0x802, %%ecx; sti; rdmsr; 1: nop");
	AT("STI, MOV from a device: after it",
	   "mov $0xfed00000, %%ebx; sti; mov (%%rbx), %%eax; 1: nop");
	AT("STI, HLT: after HLT, which does not sleep", "sti; hlt; 1: nop");
	AT("STI, STI: the second makes no new shadow", "sti; sti; 1: nop");
	AT("POPF makes no shadow", "pushfq; orl $0x200, (%%rsp); popfq; 1: nop");
	pend();
	asm volatile("sti; cli; nop");
	ok(hits == 0, "STI, CLI: none");
	sti();
	asm volatile("nop");
	cli();
	ok(hits == 1, "and it is not lost");
}
