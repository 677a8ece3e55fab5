// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID view: what must never show, topology for every number of vCPUs, XSAVE
 * sizes against the CPU that runs the test, ranges by vendor.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include <cpuid.h>

#include "ktap.h"
#include "x86/x86.h"

enum { EAX, EBX, ECX, EDX };

static struct pvm_cpuid view;

/* ---- hosts ---- */

static void this_cpu(u32 leaf, u32 subleaf, struct pvm_cpuid_regs *r)
{
	__cpuid_count(leaf, subleaf, r->eax, r->ebx, r->ecx, r->edx);
}

/* A host that has every feature, also those that nobody has invented yet. */
static void all_ones(u32 leaf, u32 subleaf, struct pvm_cpuid_regs *r, bool intel)
{
	*r = (struct pvm_cpuid_regs){ ~0u, ~0u, ~0u, ~0u };
	switch (leaf) {
	case 0:
		r->eax = 0x24;
		memcpy(&r->ebx, intel ? "Genu" : "Auth", 4);
		memcpy(&r->edx, intel ? "ineI" : "enti", 4);
		memcpy(&r->ecx, intel ? "ntel" : "cAMD", 4);
		break;
	case 4:
	case 0x8000001d:
		r->eax = subleaf < 3 ? 0xfffffc00 | (subleaf + 1) << 5 | 1 : 0;
		break;
	case 0xd:
		if (subleaf >= 2)
			*r = (struct pvm_cpuid_regs){ 64 * subleaf, 512 + 128 * subleaf, 2, 0 };
		break;
	case 0x80000000:
		r->eax = 0x80000030;
		break;
	case 0x80000008:
		r->eax = 0x3030;
		break;
	}
}

static void ones_intel(u32 leaf, u32 subleaf, struct pvm_cpuid_regs *r)
{
	all_ones(leaf, subleaf, r, true);
}

static void ones_amd(u32 leaf, u32 subleaf, struct pvm_cpuid_regs *r)
{
	all_ones(leaf, subleaf, r, false);
}

/* Long ago: no leaf 7, no XSAVE, nothing beyond 80000008. */
static void ancient(u32 leaf, u32 subleaf, struct pvm_cpuid_regs *r)
{
	all_ones(leaf, subleaf, r, false);
	if (leaf == 0)
		r->eax = 1;
	else if (leaf == 0x80000000)
		r->eax = 0x80000008;
	else if (leaf == 1)
		r->ecx &= ~BIT(26);
}

static const pvm_cpuid_host_fn hosts[] = { this_cpu, ones_intel, ones_amd, ancient };

static struct pvm_cpuid_policy policy(u32 cpus)
{
	return (struct pvm_cpuid_policy){
		.cpus = cpus, .xcr0_host = ~0ull, .tsc_khz = 2500000, .x2apic = true,
		.tsc_deadline = true,
	};
}

static void build(pvm_cpuid_host_fn host, u32 cpus)
{
	struct pvm_cpuid_policy p = policy(cpus);

	expect_eq(pvm_cpuid_build(&view, &p, host), 0);
}

static struct pvm_cpuid_regs look(u32 leaf, u32 subleaf, u32 apic_id)
{
	struct pvm_cpuid_regs r;

	pvm_cpuid_lookup(&view, leaf, subleaf, apic_id, 0, 1, 0, &r);
	return r;
}

static u32 reg(struct pvm_cpuid_regs r, u32 nr)
{
	return nr == EAX ? r.eax : nr == EBX ? r.ebx : nr == ECX ? r.ecx : r.edx;
}

/* ---- tests ---- */

static void sorted(void)
{
	u32 h, i;

	for (h = 0; h < ARRAY_SIZE(hosts); h++) {
		build(hosts[h], 16);
		expect(view.count > 8);
		for (i = 1; i < view.count; i++) {
			const struct pvm_cpuid_entry *a = &view.entry[i - 1], *b = a + 1;

			expect_msg(a->leaf < b->leaf ||
				   (a->leaf == b->leaf && a->indexed && b->indexed &&
				    a->subleaf < b->subleaf), "host %u, leaf %x", h, b->leaf);
			expect_msg(b->leaf <= view.max_basic ||
				   (b->leaf >= 0x40000000 && b->leaf <= view.max_hyper) ||
				   (b->leaf >= 0x40000100 && b->leaf <= 0x40000101) ||
				   (b->leaf >= 0x80000000 && b->leaf <= view.max_extended),
				   "host %u, leaf %x is out of range", h, b->leaf);
		}
	}
}

static void never_offered(void)
{
	static const struct {
		u32 leaf, subleaf, reg, bit;
		const char *name;
	} rows[] = {
		{ 1, 0, ECX, 3, "MONITOR" }, { 1, 0, ECX, 5, "VMX" }, { 1, 0, ECX, 6, "SMX" },
		{ 1, 0, ECX, 2, "DTES64" }, { 1, 0, ECX, 15, "PDCM" }, { 1, 0, ECX, 27, "OSXSAVE" },
		{ 1, 0, EDX, 21, "DS" }, { 1, 0, EDX, 22, "ACPI" }, { 7, 0, EBX, 2, "SGX" },
		{ 7, 0, EBX, 4, "HLE" }, { 7, 0, EBX, 11, "RTM" }, { 7, 0, EBX, 14, "MPX" },
		{ 7, 0, EBX, 25, "PT" }, { 7, 0, EBX, 12, "PQM" }, { 7, 0, ECX, 4, "OSPKE" },
		{ 7, 0, ECX, 5, "WAITPKG" }, { 7, 0, ECX, 7, "SHSTK" }, { 7, 0, ECX, 16, "LA57" },
		{ 7, 0, ECX, 29, "ENQCMD" }, { 7, 0, ECX, 31, "PKS" },
		{ 7, 0, ECX, 24, "BUS_LOCK" },
		{ 7, 0, EDX, 5, "UINTR" }, { 7, 0, EDX, 20, "IBT" }, { 7, 0, EDX, 19, "LBR" },
		{ 7, 0, EDX, 22, "AMX" }, { 7, 0, EDX, 24, "AMX" }, { 7, 0, EDX, 25, "AMX" },
		{ 7, 0, EDX, 11, "RTM abort" }, { 7, 0, EDX, 16, "TSXLDTRK" },
		{ 7, 0, EDX, 30, "CORE" },
		{ 7, 1, EAX, 26, "LAM" }, { 7, 1, EAX, 17, "FRED" }, { 0xd, 1, EAX, 4, "XFD" },
		{ 0x80000001, 0, ECX, 2, "SVM" }, { 0x80000001, 0, ECX, 10, "IBS" },
		{ 0x80000001, 0, ECX, 23, "PERFCTR" }, { 0x80000001, 0, ECX, 29, "MWAITX" },
		{ 0x80000001, 0, ECX, 12, "SKINIT" }, { 0x80000008, 0, EBX, 3, "INVLPGB" },
		{ 0x80000008, 0, EBX, 25, "VIRT_SSBD" }, { 0x80000008, 0, EBX, 4, "RDPRU" },
	};
	static const u32 empty[] = { 3, 5, 9, 0xa, 0xf, 0x10, 0x12, 0x14, 0x17, 0x19, 0x1a, 0x1d,
				     0x8000000a, 0x8000001b, 0x8000001f, 0x80000020 };
	u32 h, i;

	for (h = 1; h < 3; h++) {
		build(hosts[h], 4);
		for (i = 0; i < ARRAY_SIZE(rows); i++)
			expect_msg(!(reg(look(rows[i].leaf, rows[i].subleaf, 0), rows[i].reg) >>
				     rows[i].bit & 1), "%s", rows[i].name);
		for (i = 0; i < ARRAY_SIZE(empty); i++) {
			struct pvm_cpuid_regs r = look(empty[i], 0, 0);

			expect_msg(!(r.eax | r.ebx | r.ecx | r.edx), "leaf %x", empty[i]);
		}
		expect_eq(view.xcr0_mask, 0x2e7);
		expect_eq(view.intel, h == 1);
	}
}

static void policy_bits(void)
{
	struct pvm_cpuid_policy p = policy(2);
	struct pvm_cpuid_regs r;
	char name[12];

	build(ones_amd, 2);
	expect(pvm_cpuid_has(&view, 1, 0, ECX, 21));
	expect(pvm_cpuid_has(&view, 1, 0, ECX, 24));
	expect(pvm_cpuid_has(&view, 1, 0, ECX, 31));
	expect(pvm_cpuid_has(&view, 7, 0, EBX, 1));
	expect_eq(look(0x40000000, 0, 0).eax, 0x40000010);
	r = look(0x40000000, 0, 0);
	memcpy(name, &r.ebx, 4);
	memcpy(name + 4, &r.ecx, 4);
	memcpy(name + 8, &r.edx, 4);
	expect_mem(name, "passvmpassvm", 12);
	expect_eq(look(0x40000010, 0, 0).eax, 2500000);
	expect_eq(look(0x40000010, 0, 0).ebx, 1000000);

	/* KVM's interface behind ours: a name and one harmless feature */
	r = look(0x40000100, 0, 0);
	memcpy(name, &r.ebx, 4);
	memcpy(name + 4, &r.ecx, 4);
	memcpy(name + 8, &r.edx, 4);
	expect_mem(name, "KVMKVMKVM\0\0\0", 12);
	expect_eq(r.eax, 0x40000101);
	expect_eq(look(0x40000101, 0, 0).eax, BIT(1));
	expect_eq(look(0x40000101, 0, 0).edx, 0);

	p.hide_hypervisor = true;
	p.x2apic = p.tsc_deadline = false;
	expect_eq(pvm_cpuid_build(&view, &p, ones_amd), 0);
	expect(!pvm_cpuid_has(&view, 1, 0, ECX, 21));
	expect(!pvm_cpuid_has(&view, 1, 0, ECX, 24));
	expect(!pvm_cpuid_has(&view, 1, 0, ECX, 31));
	expect_eq(look(0x40000000, 0, 0).ebx, 0);
	expect_eq(look(0x40000100, 0, 0).ebx, 0);

	/* what the state components do not carry is gone */
	p.xcr0_host = 7;
	expect_eq(pvm_cpuid_build(&view, &p, ones_amd), 0);
	expect_eq(view.xcr0_mask, 7);
	expect(!pvm_cpuid_has(&view, 7, 0, EBX, 16));
	expect(!pvm_cpuid_has(&view, 7, 0, ECX, 3));
	expect(pvm_cpuid_has(&view, 7, 0, EBX, 5));
	p.xcr0_host = 0;
	expect_eq(pvm_cpuid_build(&view, &p, ones_amd), 0);
	expect(!pvm_cpuid_has(&view, 1, 0, ECX, 26));
	expect(!pvm_cpuid_has(&view, 1, 0, ECX, 28));
	expect(!pvm_cpuid_has(&view, 7, 0, EBX, 5));
	expect_eq(look(0xd, 0, 0).ebx, 0);
	expect(!(pvm_cpuid_cr4_valid(&view) & PVM_CR4_OSXSAVE));
}

static void topology(void)
{
	u32 h, n, id;

	for (h = 1; h < 3; h++)
	for (n = 1; n <= 16; n++) {
		u32 shift = n == 1 ? 0 : 32 - __builtin_clz(n - 1), size = 1u << shift;

		build(hosts[h], n);
		for (id = 0; id < n; id++) {
			expect_eq(look(1, 0, id).ebx >> 24, id);
			expect_eq(look(0xb, 0, id).edx, id);
			expect_eq(look(0xb, 5, id).edx, id);
			expect_eq(look(0xb, 5, id).ecx, 5);
		}
		expect_eq(look(1, 0, 0).ebx >> 16 & 0xff, size);
		expect_eq(look(1, 0, 0).edx >> 28 & 1, n > 1);
		expect_eq(look(0xb, 0, 0).eax, 0);
		expect_eq(look(0xb, 0, 0).ebx, 1);
		expect_eq(look(0xb, 0, 0).ecx, 0x100);
		expect_eq(look(0xb, 1, 0).eax, shift);
		expect_eq(look(0xb, 1, 0).ebx, n);
		expect_eq(look(0xb, 1, 0).ecx, 0x201);
		if (h == 1) {
			expect_eq(look(4, 0, 0).eax >> 26, size - 1);
			expect_eq(look(4, 0, 0).eax >> 14 & 0xfff, 0);
			expect_eq(look(4, 2, 0).eax >> 14 & 0xfff, size - 1);
			expect_eq(look(0x1f, 1, 3).edx, 3);
			expect_eq(look(0x1f, 1, 3).ebx, n);
		} else {
			expect_eq(look(0x80000008, 0, 0).ecx & 0xff, n - 1);
			expect_eq(look(0x80000008, 0, 0).ecx >> 12, shift);
			expect_eq(look(0x8000001e, 0, 9).eax, 9);
			expect_eq(look(0x8000001e, 0, 9).ebx, 9);
			expect_eq(look(0x8000001e, 0, 9).ecx, 0);
			expect_eq(look(0x8000001d, 2, 0).eax >> 14, size - 1);
			expect_eq(look(0x80000001, 0, 0).ecx >> 1 & 1, n > 1);
		}
	}
}

static void out_of_range(void)
{
	struct pvm_cpuid_regs r;

	build(ones_amd, 2);
	expect_eq(view.max_basic, 0x1f);
	expect_eq(view.max_extended, 0x80000021);
	r = look(0x1234, 0, 0);
	expect(!(r.eax | r.ebx | r.ecx | r.edx));
	r = look(0x80000022, 0, 0);
	expect(!(r.eax | r.ebx | r.ecx | r.edx));
	build(ones_intel, 2);
	expect_eq(look(0x1234, 1, 1).ebx, 2);		/* as leaf 1FH */
	expect_eq(look(0x90000000, 1, 1).edx, 1);
	expect_eq(look(0x40000005, 0, 0).ebx, 0);
	build(ancient, 2);
	expect_eq(view.max_basic, 1);
	expect_eq(look(0xb, 0, 1).edx, 0);
	expect_eq(look(7, 0, 0).ebx, 0);
	expect_eq(view.xcr0_mask, 0);
	expect_eq(look(0xd, 0, 0).ecx, 0);
	/* leaves without subleaves ignore ECX */
	build(ones_amd, 2);
	expect_eq(look(1, 77, 0).eax, look(1, 0, 0).eax);
	expect_eq(look(7, 77, 0).ebx, 0);
}

static void dynamic_bits(void)
{
	struct pvm_cpuid_regs r;

	build(ones_amd, 2);
	pvm_cpuid_lookup(&view, 1, 0, 0, PVM_CR4_OSXSAVE | PVM_CR4_PKE, 1, 0, &r);
	expect(r.ecx & BIT(27));
	pvm_cpuid_lookup(&view, 7, 0, 0, PVM_CR4_OSXSAVE | PVM_CR4_PKE, 1, 0, &r);
	expect(r.ecx & BIT(4));
	pvm_cpuid_lookup(&view, 7, 1, 0, PVM_CR4_PKE, 1, 0, &r);
	expect(!(r.ecx & BIT(4)));
	pvm_cpuid_lookup(&view, 0xd, 0, 0, 0, 1, 0, &r);
	expect_eq(r.ebx, 576);
	expect_eq(r.eax, 0x2e7);
	pvm_cpuid_lookup(&view, 0xd, 0, 0, 0, 7, 0, &r);
	expect_eq(r.ebx, 512 + 256 + 128);
	expect_eq(r.ecx, 512 + 128 * 9 + 64 * 9);
	pvm_cpuid_lookup(&view, 0xd, 1, 0, 0, 7, 0, &r);
	expect_eq(r.ebx, 576 + 128);
	expect_eq(r.ecx | r.edx, 0);
}

/* The sizes that this CPU gives for the XCR0 it has. */
static void xsave_of_this_cpu(void)
{
	struct pvm_cpuid_regs r, want;
	u32 lo, hi;
	u64 xcr0;

	this_cpu(1, 0, &r);
	if (!(r.ecx & BIT(27))) {
		ktap_skip("no XSAVE");
		return;
	}
	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	build(this_cpu, 2);
	xcr0 = ((u64)hi << 32 | lo);
	this_cpu(0xd, 0, &want);
	pvm_cpuid_lookup(&view, 0xd, 0, 0, 0, xcr0 & view.xcr0_mask, 0, &r);
	if (xcr0 == (xcr0 & view.xcr0_mask))
		expect_eq(r.ebx, want.ebx);
	expect(r.ebx <= r.ecx && r.ecx <= want.ecx);
	expect(r.eax & 1);
	/* and nothing is offered that it has not, but for what is emulated */
	this_cpu(1, 0, &want);
	expect_eq(look(1, 0, 0).ecx & ~want.ecx & ~(BIT(21) | BIT(24) | BIT(31)), 0);
	this_cpu(7, 0, &want);
	expect_eq(look(7, 0, 0).ebx & ~want.ebx & ~BIT(1), 0);
	expect_eq(look(7, 0, 0).ecx & ~want.ecx, 0);
	expect_eq(look(7, 0, 0).edx & ~want.edx, 0);
	this_cpu(0x80000002, 0, &want);
	expect_eq(look(0x80000002, 0, 0).eax, want.eax);
	expect(view.long_mode);
}

static void frequencies(void)
{
	struct pvm_cpuid_policy p = policy(1);
	struct pvm_cpuid_regs r;

	build(ones_intel, 1);
	r = look(0x15, 0, 0);
	expect_eq(r.ecx, 1000000000);
	expect_eq((u64)r.ecx * r.ebx / r.eax, 2500000000ull);
	expect((u64)r.ecx / 1000 * r.ebx <= 0xffffffff);
	expect_eq(look(0x16, 0, 0).eax, 2500);
	p.tsc_khz = 2399987;		/* no short fraction: left to calibration */
	expect_eq(pvm_cpuid_build(&view, &p, ones_intel), 0);
	expect_eq(look(0x15, 0, 0).ebx, 0);
	expect_eq(look(0x16, 0, 0).eax, 2400);
	build(ones_amd, 1);
	expect_eq(look(0x15, 0, 0).ebx, 0);
}

static void valid_bits(void)
{
	build(ones_amd, 1);
	expect_eq(pvm_cpuid_efer_valid(&view), PVM_EFER_SCE | PVM_EFER_LME | PVM_EFER_LMA |
		  PVM_EFER_NXE | PVM_EFER_FFXSR);
	expect_eq(pvm_cpuid_cr4_valid(&view) & (PVM_CR4_VMXE | PVM_CR4_LA57), 0);
	expect_eq(pvm_cpuid_cr4_valid(&view) & 0x7f0fff, 0x770fff);
	build(ancient, 1);
	expect(!(pvm_cpuid_cr4_valid(&view) & PVM_CR4_SMEP));
}

/* Any policy and any host: the table never overflows silently. */
static void bounds(void)
{
	struct pvm_cpuid_policy p = policy(0);

	expect_eq(pvm_cpuid_build(&view, &p, ones_intel), 0);
	expect_eq(view.cpus, 1);
	p.cpus = 1000;
	p.tsc_khz = 0;
	expect_eq(pvm_cpuid_build(&view, &p, ones_amd), 0);
	expect_eq(view.cpus, PVM_MAX_VCPUS);
	expect(view.count <= PVM_CPUID_MAX);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(sorted),
	KTAP_TEST(never_offered),
	KTAP_TEST(policy_bits),
	KTAP_TEST(topology),
	KTAP_TEST(out_of_range),
	KTAP_TEST(dynamic_bits),
	KTAP_TEST(xsave_of_this_cpu),
	KTAP_TEST(frequencies),
	KTAP_TEST(valid_bits),
	KTAP_TEST(bounds),
};

KTAP_MAIN(tests)
