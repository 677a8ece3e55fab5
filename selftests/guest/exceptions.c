// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions with their error codes, page faults, and faults inside of faults. */
#include "lib/guest.h"

enum { DE = 0, BP = 3, UD = 6, DF = 8, NP = 11, SS = 12, GP = 13, PF = 14 };

struct gate { u16 lo, sel, attr, mid; u32 hi, zero; };

static struct gate *idt(void)
{
	struct { u16 limit; u64 base; } __attribute__((packed)) p;

	asm volatile("sidt %0" : "=m" (p));
	return (struct gate *)p.base;
}

static void divide(void *p) { asm volatile("div %%ecx" : : "a" (1), "d" (0), "c" (0)); }
static void undefined(void *p) { asm volatile("ud2"); }
static void breakpoint(void *p) { asm volatile("int3"); }
static void selector(void *p) { asm volatile("mov %0, %%ds" : : "r" (0x1238)); }
static void not_canonical(void *p) { *(volatile u8 *)0x8000000000000000ul = 0; }
static void bad_msr(void *p) { rdmsr(0x12345678); }
static void reader(void *p) { (void)*(volatile u8 *)p; }
static void writer(void *p) { *(volatile u8 *)p = 1; }
static void caller(void *p) { ((void (*)(void))p)(); }

static void expect(const char *name, void (*fn)(void *), void *arg, int vector, u64 error)
{
	u64 got_error;
	int got = catch_trap(fn, arg, &got_error);

	ok(got == vector && got_error == error, "%s: exception %d, error code %lx", name, vector,
	   error) ? 0 : note("got %d, error code %lx", got, got_error);
}

static void expect_pf(const char *name, void (*fn)(void *), u64 at, u64 error)
{
	u64 cr2;

	asm volatile("mov %0, %%cr2" : : "r" (0ul));
	expect(name, fn, (void *)at, PF, error);
	asm volatile("mov %%cr2, %0" : "=r" (cr2));
	ok(cr2 == at, "and CR2 has the address");
}

static void page_faults(void)
{
	static u8 page[4096] __attribute__((aligned(4096)));

	map(WINDOW, (u64)page, 3);
	map(WINDOW + 0x1000, (u64)page, 1);
	map(WINDOW + 0x2000, (u64)page, 3 | 1ul << 63);
	map(WINDOW + 0x3000, 1ul << 51 | (u64)page, 3);
	page[0] = 0xc3;
	write_cr0(read_cr0() | 1 << 16);
	expect_pf("read of no page", reader, WINDOW + 0x5123, 0);
	expect_pf("write to no page", writer, WINDOW + 0x5123, 2);
	expect_pf("write to a read-only page", writer, WINDOW + 0x1008, 3);
	expect_pf("fetch from a page that may not be executed", caller, WINDOW + 0x2000, 0x11);
	ok(catch_trap(caller, (void *)WINDOW, NULL) < 0, "fetch from one that may");
	ok(catch_trap(writer, (void *)(WINDOW + 8), NULL) < 0 && page[8] == 1, "write to one that may");
}

static u64 bp_rip, bp_after;

static void on_breakpoint(struct frame *f)
{
	bp_rip = f->rip;
}

/* An exception whose gate is not present, and one that is raised while #GP cannot be. */
static void nested(void)
{
	struct gate *gates = idt();
	u16 gp = gates[GP].attr, ud = gates[UD].attr;
	u64 error;

	/* The rest of the error code is left out: QEMU's emulation counts gates by 16 bytes. */
	gates[UD].attr &= 0x7fff;
	ok(catch_trap(undefined, NULL, &error) == NP && error & 2, "a gate that is not present: #NP");
	gates[UD].attr = ud;

	gates[GP].attr &= 0x7fff;
	expect("#GP whose delivery raises #NP", not_canonical, NULL, DF, 0);
	gates[GP].attr = gp;

	gates[PF].attr &= 0x7fff;
	expect("#PF whose delivery raises #NP", reader, (void *)(WINDOW + 0x5123), DF, 0);
	gates[PF].attr |= 0x8000;
}

void payload(void)
{
	expect("division by zero", divide, NULL, DE, 0);
	expect("UD2", undefined, NULL, UD, 0);
	expect("a selector beyond the GDT", selector, NULL, GP, 0x1238);
	expect("an address that is not canonical", not_canonical, NULL, GP, 0);
	expect("an MSR that does not exist", bad_msr, NULL, GP, 0);
	expect("INT3 is a trap", breakpoint, NULL, BP, 0);
	on_trap(BP, on_breakpoint);
	asm volatile("int3\n1: lea 1b(%%rip), %0" : "=r" (bp_after));
	ok(bp_rip == bp_after, "INT3: RIP is behind it");
	page_faults();
	nested();
}
