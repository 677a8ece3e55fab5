// SPDX-License-Identifier: GPL-2.0-only
/* Single steps over instructions that exit, breakpoints, and debug registers across exits. */
#include "lib/guest.h"

#define DB	1
#define UD	6
#define BS	(1ul << 14)
#define BD	(1ul << 13)

static volatile u64 dr6, first_rip, hits;

static u64 get_dr(u32 n)
{
	u64 v = 0;

	switch (n) {
	case 0: asm volatile("mov %%dr0, %0" : "=r" (v)); break;
	case 1: asm volatile("mov %%dr1, %0" : "=r" (v)); break;
	case 6: asm volatile("mov %%dr6, %0" : "=r" (v)); break;
	case 7: asm volatile("mov %%dr7, %0" : "=r" (v)); break;
	}
	return v;
}

static void set_dr(u32 n, u64 v)
{
	switch (n) {
	case 0: asm volatile("mov %0, %%dr0" : : "r" (v)); break;
	case 1: asm volatile("mov %0, %%dr1" : : "r" (v)); break;
	case 6: asm volatile("mov %0, %%dr6" : : "r" (v)); break;
	case 7: asm volatile("mov %0, %%dr7" : : "r" (v)); break;
	}
}

static void on_db(struct frame *f)
{
	if (!hits++) {
		first_rip = f->rip;
		dr6 = get_dr(6);
	}
	f->rflags = (f->rflags & ~0x100ul) | 1 << 16;
	set_dr(6, 0xffff0ff0);
}

/* One step over @insn, which begins with TF set before it. */
#define STEP(name, insn) do {							\
	u64 want;								\
										\
	hits = 0;								\
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq\n" insn "\n1: nop\n lea 1b(%%rip), %0"	\
		     : "=&r" (want) : : "rax", "rbx", "rcx", "rdx", "rdi", "memory", "cc");	\
	ok(hits == 1 && first_rip == want && dr6 & BS, "a step over " name) ? 0 :	\
		note("%lu hits, rip %lx want %lx, DR6 %lx", hits, first_rip, want, dr6);	\
} while (0)

static volatile u64 watched;
static void dr4(void *p) { asm volatile("mov %%dr4, %%rax" : : : "rax"); }

/* QEMU's emulation arms no breakpoints at VMRUN and knows no ICEBP; its CPU's name tells. */
static bool emulated(void)
{
	u32 name[12];

	for (u32 i = 0; i < 3; i++)
		cpuid(0x80000002 + i, 0, &name[4 * i]);
	return !memcmp(name, "AMD EPYC-Milan Processor\0", 25) || !memcmp(name, "QEMU", 4);
}

static void breakpoints(void)
{
	u64 want;

	if (emulated()) {
		ok(true, "breakpoints # SKIP QEMU's emulation has none in guests");
		return;
	}
	/* An execution breakpoint on an instruction that exits */
	hits = 0;
	asm volatile("lea 1f(%%rip), %0; mov %0, %%dr0; mov %1, %%dr7; xor %%eax, %%eax; 1: cpuid"
		     : "=&r" (want) : "r" (0x402ul) : "rax", "rbx", "rcx", "rdx");
	ok(hits == 1 && first_rip == want && (dr6 & 0xf) == 1, "a breakpoint on CPUID: before it, once")
		? 0 : note("%lu hits, rip %lx want %lx, DR6 %lx", hits, first_rip, want, dr6);

	hits = 0;
	set_dr(7, 0x400);
	set_dr(1, (u64)&watched);
	set_dr(7, 0x00900408 | 0x400);		/* DR1: global, write, 8 bytes */
	watched = 1;
	ok(hits == 1 && (dr6 & 0xf) == 2, "a watchpoint on a write") ? 0 :
		note("%lu hits, DR6 %lx", hits, dr6);
	set_dr(7, 0x400);

	hits = 0;
	asm volatile(".byte 0xf1; 1: lea 1b(%%rip), %0" : "=r" (want));
	ok(hits == 1 && first_rip == want, "ICEBP traps");
}

void payload(void)
{

	on_trap(DB, on_db);
	apic_init();
	ok(get_dr(6) == 0xffff0ff0 && get_dr(7) == 0x400, "DR6 and DR7 after reset");
	STEP("NOP", "nop");
	/* What sets up the registers must not be stepped: it stands before the flags. */
	asm volatile("xor %%eax, %%eax" : : : "rax");
	STEP("CPUID", "cpuid");
	STEP("IN", "inb $0x80, %%al");
	STEP("OUT", "outb %%al, $0x80");
	STEP("MOV from CR0", "mov %%cr0, %%rax");
	STEP("a load from a device", "movabs 0xfed00000, %%eax");
	STEP("RDTSC", "rdtsc");

	breakpoints();
	set_dr(1, (u64)&watched);
	set_dr(0, 0x123456789abc);
	inb(0x80);
	wrmsr(0x80b + 0, 0);
	ok(get_dr(0) == 0x123456789abc && get_dr(1) == (u64)&watched, "DR0 and DR1 across exits");

	hits = 0;
	set_dr(7, 0x2400);			/* GD */
	set_dr(0, 0);
	ok(hits == 1 && dr6 & BD, "general detect");
	ok(get_dr(7) == 0x400 && get_dr(0) == 0, "which clears itself, then the access goes on");
	write_cr4(read_cr4() | 8);
	ok(catch_trap(dr4, NULL, NULL) == UD, "DR4 with CR4.DE: #UD");
	write_cr4(read_cr4() & ~8ul);
	ok(catch_trap(dr4, NULL, NULL) < 0, "and an alias of DR6 without");
}
