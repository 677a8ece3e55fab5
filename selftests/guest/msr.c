// SPDX-License-Identifier: GPL-2.0-only
/* Which RDMSR and WRMSR raise #GP, and does the rest keep what was written? */
#include "lib/guest.h"

#define GP	13

struct access { u32 msr; u64 val; };

static void do_read(void *p)
{
	struct access *a = p;

	a->val = rdmsr(a->msr);
}

static void do_write(void *p)
{
	struct access *a = p;

	wrmsr(a->msr, a->val);
}

static bool read_faults(u32 msr)
{
	struct access a = { msr, 0 };
	u64 error;

	return catch_trap(do_read, &a, &error) == GP && !error;
}

static bool write_faults(u32 msr, u64 val)
{
	struct access a = { msr, val };
	u64 error;

	return catch_trap(do_write, &a, &error) == GP && !error;
}

static bool keeps(u32 msr, u64 val)
{
	struct access a = { msr, val };

	return catch_trap(do_write, &a, NULL) < 0 && rdmsr(msr) == val;
}

static const u32 unknown[] = {
	0x12345678, 0xc0010117, 0xc0011020, 0x4000, 0xffffffff, 0x480, 0x186,
};

static void efer(void)
{
	u64 old = rdmsr(0xc0000080);

	ok((old & 0xd00) == 0xd00, "EFER: LME, LMA and NXE are on");
	ok(write_faults(0xc0000080, old | 1 << 12), "EFER.SVME: #GP");
	ok(write_faults(0xc0000080, old | 1ul << 40), "EFER, a reserved bit: #GP");
	ok(write_faults(0xc0000080, old & ~0x100ul), "EFER.LME cleared while paging: #GP");
	ok(rdmsr(0xc0000080) == old, "and EFER is as before");
	wrmsr(0xc0000080, old & ~0x400ul);
	ok(rdmsr(0xc0000080) == old, "EFER.LMA cannot be cleared by hand");
	wrmsr(0xc0000080, old & ~0x800ul);
	ok(rdmsr(0xc0000080) == (old & ~0x800ul), "EFER.NXE can");
	wrmsr(0xc0000080, old);
}

static void spec_ctrl(void)
{
	u32 r[4], amd[4], seven[4];
	u64 can;

	cpuid(0x80000000, 0, r);
	cpuid(0x80000008, 0, amd);
	cpuid(7, 0, seven);
	can = (seven[3] >> 26 & 1 || amd[1] >> 14 & 1) |
	      (seven[3] >> 27 & 1 || amd[1] >> 15 & 1) << 1 |
	      (seven[3] >> 31 & 1 || amd[1] >> 24 & 1) << 2;
	note("SPEC_CTRL bits offered: %lx", can);
	if (can) {
		ok(keeps(0x48, can), "SPEC_CTRL keeps what CPUID offers");
		ok(keeps(0x48, 0), "and can be cleared");
	} else {
		ok(read_faults(0x48) && write_faults(0x48, 1), "no SPEC_CTRL in CPUID: #GP");
	}
	for (u32 bit = 0; bit < 3; bit++)
		if (can && !(can >> bit & 1))
			ok(write_faults(0x48, 1ul << bit),
			   "SPEC_CTRL bit %u is not offered: #GP", bit);
	if (can)
		ok(write_faults(0x48, 1ul << 20), "SPEC_CTRL, a reserved bit: #GP");
	if (amd[1] >> 12 & 1 || seven[3] >> 26 & 1)
		ok(!write_faults(0x49, 1) && read_faults(0x49), "PRED_CMD: IBPB may be written, not read");
	ok(write_faults(0x49, 1ul << 40), "PRED_CMD, a reserved bit: #GP");
}

void payload(void)
{
	u64 before, after;
	u32 n = sizeof(unknown) / sizeof(unknown[0]);

	for (u32 i = 0; i < n; i++)
		ok(read_faults(unknown[i]) && write_faults(unknown[i], 0), "MSR %x does not exist: #GP",
		   unknown[i]);
	efer();
	spec_ctrl();
	before = rdmsr(0x277);
	ok(write_faults(0x277, 0x0007040600070402), "PAT with a reserved type: #GP");
	ok(write_faults(0x277, 0x0307040600070406), "PAT with a reserved type in the last byte: #GP");
	ok(keeps(0x277, 0x0001040600070406) && keeps(0x277, before), "PAT keeps a good value");
	ok(write_faults(0xfe, 0), "MTRRCAP is read-only");
	ok(write_faults(0x200, 2), "MTRR with a reserved type: #GP");
	ok(keeps(0x204, 0x80000006) && keeps(0x204, 0), "MTRR keeps a good value");
	ok(write_faults(0x179, 0), "MCG_CAP is read-only");
	ok(write_faults(0x401, 1), "MC0_STATUS takes only zero");
	ok(keeps(0xc0000103, 0x12345), "TSC_AUX keeps its value");
	ok(write_faults(0xc0000103, 1ul << 32), "TSC_AUX has 32 bits");
	ok(keeps(0xc0000102, 0xffff800000001000), "KernelGSbase keeps its value");
	wrmsr(0x10, 1000);
	ok(rdtsc() < 1000000000000ul, "the TSC can be set");
	before = rdtsc();
	wrmsr(0x3b, rdmsr(0x3b) + (1ul << 50));
	after = rdtsc();
	ok(after - before >= 1ul << 50 && after - before < 1ul << 51, "TSC_ADJUST moves the TSC");
	/* SDM3 "x2APIC State Transitions" */
	before = rdmsr(0x1b);
	ok(before & 0x100 && before & 0x800, "the boot CPU's APIC is on");
	ok(write_faults(0x1b, 0xfee00100 | 0x400), "APIC: x2APIC without the APIC: #GP");
	ok(read_faults(0x802), "x2APIC registers do not exist in xAPIC mode");
	wrmsr(0x1b, before | 0x400);
	ok(write_faults(0x1b, before), "APIC: from x2APIC back to xAPIC: #GP");
	ok(write_faults(0x802, 0) && read_faults(0x80e) && read_faults(0x80b),
	   "x2APIC: ID is read-only, 0xe does not exist, EOI is write-only");
	ok(write_faults(0x80b, 1), "x2APIC: EOI takes only zero");
	ok(write_faults(0x808, 0x100), "x2APIC: TPR has 8 bits");
}
