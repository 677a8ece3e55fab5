// SPDX-License-Identifier: GPL-2.0-only
/* XSETBV's faults, and XMM and YMM registers across exits, sleep and other vCPUs. */
#include "lib/guest.h"

#define GP		13
#define UD		6
#define CPUS		4
#define ROUNDS		2000
#define CR4_OSXSAVE	(1ul << 18)
#define V_TIMER		0x61

struct xcr { u32 index; u64 val; };

static void set(void *p)
{
	struct xcr *x = p;

	asm volatile("xsetbv" : : "c" (x->index), "a" ((u32)x->val), "d" ((u32)(x->val >> 32)));
}

static int setting(u32 index, u64 val)
{
	struct xcr x = { index, val };

	return catch_trap(set, &x, NULL);
}

static u64 xcr0(void)
{
	u32 lo, hi;

	asm volatile("xgetbv" : "=a" (lo), "=d" (hi) : "c" (0));
	return lo | (u64)hi << 32;
}

static bool avx;
static volatile u32 wrong, done;

static void on_timer(struct frame *f)
{
	apic_eoi();
}

static void fill(const u8 *from)
{
	if (avx)
		asm volatile("vmovdqu (%0), %%ymm0; vmovdqu 32(%0), %%ymm7; vmovdqu 64(%0), %%ymm15"
			     : : "r" (from));
	else
		asm volatile("movdqu (%0), %%xmm0; movdqu 32(%0), %%xmm7; movdqu 64(%0), %%xmm15"
			     : : "r" (from));
}

static void take(u8 *to)
{
	if (avx)
		asm volatile("vmovdqu %%ymm0, (%0); vmovdqu %%ymm7, 32(%0); vmovdqu %%ymm15, 64(%0)"
			     : : "r" (to) : "memory");
	else
		asm volatile("movdqu %%xmm0, (%0); movdqu %%xmm7, 32(%0); movdqu %%xmm15, 64(%0)"
			     : : "r" (to) : "memory");
}

static void check(const u8 *want)
{
	u8 got[96];

	take(got);
	for (u32 i = 0; i < 96; i += 32)
		if (memcmp(got + i, want + i, avx ? 32 : 16))
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
}

/* Every CPU its own pattern; exits of all kinds, sleeps, host threads that take turns. */
static void keep(u32 index)
{
	u8 pattern[96];
	u32 r[4];

	write_cr4(read_cr4() | CR4_OSXSAVE);
	if (avx)
		setting(0, 7);
	for (u32 i = 0; i < 96; i++)
		pattern[i] = i * 7 + index * 31 + 1;
	fill(pattern);
	for (u32 i = 0; i < ROUNDS; i++) {
		cpuid(0, 0, r);
		inb(0x80);
		(void)*(volatile u32 *)0xfed00000ul;
		if (i % 100 == 0) {
			wrmsr(0x832, V_TIMER);
			wrmsr(0x838, 100000);
			sti_hlt();
			cli();
		}
		check(pattern);
	}
	__atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
}

void payload(void)
{
	u32 r[4], leaf[4];
	u64 all;

	on_trap(V_TIMER, on_timer);
	apic_init();
	wrmsr(0x83e, 0xb);
	cpuid(1, 0, r);
	if (r[2] >> 26 & 1) {
		ok(setting(0, 1) == UD, "XSETBV without CR4.OSXSAVE: #UD");
		write_cr4(read_cr4() | CR4_OSXSAVE);
		cpuid(0xd, 0, leaf);
		all = leaf[0] | (u64)leaf[3] << 32;
		note("XCR0 may be %lx", all);
		avx = all & 4;
		ok(xcr0() == 1, "XCR0 is 1 after reset");
		ok(setting(0, 2) == GP, "XCR0 without x87: #GP");
		ok(setting(0, 5) == GP, "AVX without SSE: #GP");
		ok(setting(0, 1ul << 62 | 1) == GP, "a reserved bit: #GP");
		ok(setting(1, 1) == GP, "XCR1: #GP");
		ok(xcr0() == 1, "and XCR0 is as before");
		ok(setting(0, all) < 0 && xcr0() == all, "all that is offered can be set");
	} else {
		note("no XSAVE");
	}
	note("AVX: %s", avx ? "yes" : "no");
	start_aps(CPUS - 1);
	for (u32 i = 1; i < CPUS; i++)
		on_ap(i, keep);
	keep(0);
	for (u32 i = 1; i < CPUS; i++)
		wait_ap(i);
	ok(done == CPUS && !wrong, "%s of %u CPUs over %u exits each", avx ? "YMM" : "XMM", CPUS,
	   4 * ROUNDS) ? 0 : note("%u CPUs, %u wrong", done, wrong);
}
