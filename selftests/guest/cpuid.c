// SPDX-License-Identifier: GPL-2.0-only
/* Does CPUID show what the policy offers, hide what it does not, and follow CR4 and XCR0? */
#include "lib/guest.h"

#define CR4_OSXSAVE	(1ul << 18)
#define CPUS		4

static u32 leaf(u32 n, u32 sub, u32 reg)
{
	u32 r[4];

	cpuid(n, sub, r);
	return r[reg];
}

enum { A, B, C, D };

static bool empty(u32 n)
{
	u32 r[4];

	cpuid(n, 0, r);
	return !(r[A] | r[B] | r[C] | r[D]);
}

static const struct {
	const char *name;
	u32 leaf, reg, bit;
	bool on;
} features[] = {
	{ "a hypervisor", 1, C, 31, true },
	{ "x2APIC", 1, C, 21, true },
	{ "TSC-deadline timer", 1, C, 24, true },
	{ "local APIC", 1, D, 9, true },
	{ "MTRR", 1, D, 12, true },
	{ "PAT", 1, D, 16, true },
	{ "machine checks", 1, D, 7, true },
	{ "long mode", 0x80000001, D, 29, true },
	{ "TSC_ADJUST", 7, B, 1, true },
	{ "MONITOR", 1, C, 3, false },
	{ "VMX", 1, C, 5, false },
	{ "performance capabilities", 1, C, 15, false },
	{ "SVM", 0x80000001, C, 2, false },
	{ "IBS", 0x80000001, C, 10, false },
	{ "SKINIT", 0x80000001, C, 12, false },
	{ "TSX", 7, B, 11, false },
	{ "SGX", 7, B, 2, false },
	{ "LA57", 7, C, 16, false },
};

static void follow_cr4(void)
{
	u64 cr4 = read_cr4();

	if (!(leaf(1, 0, C) >> 26 & 1)) {
		note("no XSAVE");
		return;
	}
	write_cr4(cr4 & ~CR4_OSXSAVE);
	ok(!(leaf(1, 0, C) >> 27 & 1), "OSXSAVE is clear as in CR4");
	write_cr4(cr4 | CR4_OSXSAVE);
	ok(leaf(1, 0, C) >> 27 & 1, "OSXSAVE is set as in CR4");
	asm volatile("xsetbv" : : "a" (1), "d" (0), "c" (0));
	ok(leaf(0xd, 0, B) == 576, "XSAVE area with x87 alone: 576 bytes");
	asm volatile("xsetbv" : : "a" (leaf(0xd, 0, A)), "d" (leaf(0xd, 0, D)), "c" (0));
	ok(leaf(0xd, 0, B) == leaf(0xd, 0, C), "XSAVE area with all that is offered: the largest");
	ok(leaf(0xd, 0, A) == 3 || leaf(0xd, 0, B) > 576, "and AVX adds to it");
}

static volatile u32 good_ids;

static void own_id(u32 index)
{
	u32 id = rdmsr(0x802);

	if (leaf(1, 0, B) >> 24 == id && leaf(0xb, 0, D) == id)
		__atomic_add_fetch(&good_ids, 1, __ATOMIC_RELAXED);
}

void payload(void)
{
	u64 a = ~0ul, b = ~0ul, c = ~0ul << 32, d = ~0ul;
	u32 r[4];

	for (u32 i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		ok((leaf(features[i].leaf, 0, features[i].reg) >> features[i].bit & 1) ==
		   features[i].on, "%s is %s", features[i].name, features[i].on ? "on" : "off");
	ok(empty(0x8000000a), "no SVM leaf");
	ok(empty(0xa), "no performance counters");
	ok(leaf(0, 0, B) != 0x68747541 || empty(leaf(0, 0, A) + 1),
	   "behind the last basic leaf: nothing");
	ok(empty(0x80000000u + 0x200), "behind the last extended leaf: nothing");
	cpuid(0x40000000, 0, r);
	ok(!memcmp(&r[1], "passvmpassvm", 12), "the hypervisor's name");
	a &= ~0xfffffffful;
	asm volatile("cpuid" : "+a" (a), "+b" (b), "+c" (c), "+d" (d));
	ok(!((a | b | c | d) >> 32), "the upper halves are cleared");
	follow_cr4();
	apic_init();
	ok(start_aps(CPUS - 1) == CPUS - 1, "%u CPUs", CPUS);
	ok((leaf(1, 0, B) >> 16 & 0xff) >= CPUS && leaf(0xb, 1, B) == CPUS,
	   "the topology has %u of them", CPUS);
	own_id(0);
	for (u32 i = 1; i < CPUS; i++)
		on_ap(i, own_id);
	for (u32 i = 1; i < CPUS; i++)
		wait_ap(i);
	ok(good_ids == CPUS, "each sees its own APIC id in leaves 1 and 0xb");
}
