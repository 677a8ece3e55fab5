// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSRs of a guest: sorted by number, ranges never overlap, and an MSR that
 * has a row for each vendor has them side by side.
 *
 * No row means #GP, which is what a guest expects of a feature that CPUID does
 * not offer: performance counters, LBR stacks, SMM, SVM, VMX, SEV, RAPL.
 *
 * World:   pure
 * Context: any; const data
 * Spec:    SDM4 "Model-Specific Registers"; APM2 Appendix A
 */
#include "x86/x86.h"

#define CONST(msr, vendor, reset, cite) \
	{ msr, msr, PVM_MSR_CONST, vendor, 0, reset, 0, cite }
#define IGNORE(msr, last, vendor, reset, cite) \
	{ msr, last, PVM_MSR_IGNORE, vendor, 0, reset, 0, cite }
#define VALUE(msr, vendor, slot, reset, writable, cite) \
	{ msr, msr, PVM_MSR_VALUE, vendor, PVM_MSR_SLOT_##slot, reset, writable, cite }
#define VENDOR(msr, last, cite) \
	{ msr, last, PVM_MSR_VENDOR, 0, 0, 0, 0, cite }
#define HOOK(msr, last, hook, cite) \
	{ msr, last, PVM_MSR_HOOK, 0, PVM_MSR_HOOK_##hook, 0, ~0ull, cite }

/* Fast strings; no BTS, no PEBS. Writable: what firmware and systems switch. */
#define MISC_ENABLE_RESET	(BIT_ULL(0) | BIT_ULL(11) | BIT_ULL(12))
#define MISC_ENABLE_WRITABLE	(MISC_ENABLE_RESET | BIT_ULL(3) | BIT_ULL(16) | BIT_ULL(18) | \
				 BIT_ULL(22) | BIT_ULL(23) | BIT_ULL(38))

/* TscFreqSel: the TSC counts at the P0 frequency. */
#define HWCR_RESET		BIT_ULL(24)
#define HWCR_WRITABLE		(BIT_ULL(3) | BIT_ULL(4) | BIT_ULL(6) | BIT_ULL(8) | BIT_ULL(18) | \
				 BIT_ULL(24) | BIT_ULL(25) | BIT_ULL(30))

#define SYSCFG_WRITABLE		GENMASK_ULL(22, 18)
#define TOP_MEM_WRITABLE	GENMASK_ULL(51, 23)
#define NB_CFG_CF8_EXT		BIT_ULL(46)
#define VM_CR_SVM_OFF		(BIT_ULL(4) | BIT_ULL(3))	/* SVMDIS, LOCK */
#define DE_CFG_LFENCE		BIT_ULL(1)

const struct pvm_msr_row pvm_msr_table[] = {
	IGNORE(0x0, 0x1, 0, 0, "SDM4: IA32_P5_MC_ADDR, IA32_P5_MC_TYPE"),
	HOOK(0x10, 0x10, TSC, "SDM4: IA32_TIME_STAMP_COUNTER"),
	CONST(0x17, 'I', 0, "SDM4: IA32_PLATFORM_ID"),
	HOOK(0x1b, 0x1b, APIC, "SDM4: IA32_APIC_BASE"),
	IGNORE(0x2a, 0x2a, 'I', 0, "SDM4: MSR_EBL_CR_POWERON"),
	CONST(0x34, 'I', 0, "SDM4: MSR_SMI_COUNT"),
	CONST(0x3a, 'I', 1, "SDM4: IA32_FEATURE_CONTROL, locked without VMX"),
	HOOK(0x3b, 0x3b, TSC_ADJUST, "SDM4: IA32_TSC_ADJUST"),
	HOOK(0x48, 0x48, SPEC_CTRL, "SDM4: IA32_SPEC_CTRL; APM2 3.2.9"),
	HOOK(0x49, 0x49, PRED_CMD, "SDM4: IA32_PRED_CMD; APM2 3.2.9"),
	IGNORE(0x79, 0x79, 'I', 0, "SDM4: IA32_BIOS_UPDT_TRIG"),
	IGNORE(0x8b, 0x8b, 'A', 0x01000065, "APM2 A: PATCH_LEVEL"),
	IGNORE(0x8b, 0x8b, 'I', 1ull << 32, "SDM4: IA32_BIOS_SIGN_ID, written before it is read"),
	CONST(0xcd, 'I', 0, "SDM4: MSR_FSB_FREQ"),
	CONST(0xce, 'I', 0, "SDM4: MSR_PLATFORM_INFO"),
	IGNORE(0xe2, 0xe2, 'I', 0, "SDM4: MSR_PKG_CST_CONFIG_CONTROL"),
	CONST(0xfe, 0, PVM_MSR_MTRR_CAP, "SDM4: IA32_MTRRCAP"),
	CONST(0x10a, 'I', 0, "SDM4: IA32_ARCH_CAPABILITIES: claims no immunity"),
	VALUE(0x140, 'I', MISC_FEATURES, 0, 0, "SDM4: MISC_FEATURE_ENABLES"),
	VENDOR(0x174, 0x176, "SDM4: IA32_SYSENTER_CS, ESP, EIP"),
	HOOK(0x179, 0x17b, MCE, "SDM4: IA32_MCG_CAP, STATUS, CTL"),
	IGNORE(0x198, 0x199, 'I', 0, "SDM4: IA32_PERF_STATUS, IA32_PERF_CTL"),
	IGNORE(0x19a, 0x19c, 'I', 0, "SDM4: IA32_CLOCK_MODULATION, THERM_INTERRUPT, THERM_STATUS"),
	VALUE(0x1a0, 'I', MISC_ENABLE, MISC_ENABLE_RESET, MISC_ENABLE_WRITABLE,
	      "SDM4: IA32_MISC_ENABLE"),
	CONST(0x1a2, 'I', 0, "SDM4: MSR_TEMPERATURE_TARGET"),
	IGNORE(0x1a4, 0x1a4, 'I', 0, "SDM4: MSR_MISC_FEATURE_CONTROL"),
	CONST(0x1ad, 'I', 0, "SDM4: MSR_TURBO_RATIO_LIMIT"),
	VENDOR(0x1d9, 0x1d9, "SDM4: IA32_DEBUGCTL; APM2 13.1.1"),
	VENDOR(0x1db, 0x1de, "APM2 13.1.1: LastBranch and LastException"),
	IGNORE(0x1fc, 0x1fc, 'I', 0, "SDM4: MSR_POWER_CTL"),
	HOOK(0x200, 0x20f, MTRR, "SDM4: IA32_MTRR_PHYSBASE0..PHYSMASK7"),
	HOOK(0x250, 0x250, MTRR, "SDM4: IA32_MTRR_FIX64K_00000"),
	HOOK(0x258, 0x259, MTRR, "SDM4: IA32_MTRR_FIX16K"),
	HOOK(0x268, 0x26f, MTRR, "SDM4: IA32_MTRR_FIX4K"),
	HOOK(0x277, 0x277, PAT, "SDM4: IA32_PAT"),
	HOOK(0x2ff, 0x2ff, MTRR, "SDM4: IA32_MTRR_DEF_TYPE"),
	HOOK(0x400, 0x427, MCE, "SDM4: IA32_MC0_CTL..IA32_MC9_MISC"),
	HOOK(0x6e0, 0x6e0, APIC, "SDM4: IA32_TSC_DEADLINE"),
	HOOK(0x800, 0x8ff, APIC, "SDM3 \"Extended XAPIC (x2APIC)\""),
	HOOK(0xda0, 0xda0, XSS, "SDM4: IA32_XSS"),
	HOOK(0xc0000080, 0xc0000080, EFER, "APM2 3.1.7"),
	VENDOR(0xc0000081, 0xc0000084, "APM2 6.1.1: STAR, LSTAR, CSTAR, SFMASK"),
	VENDOR(0xc0000100, 0xc0000102, "APM2 4.5.3: FS.base, GS.base, KernelGSbase"),
	VALUE(0xc0000103, 0, TSC_AUX, 0, 0xffffffff, "APM2 3.2.11"),
	IGNORE(0xc0010000, 0xc0010007, 'A', 0, "APM2 13.2.3: PerfEvtSel, PerfCtr: none"),
	VALUE(0xc0010010, 'A', SYSCFG, 0, SYSCFG_WRITABLE, "APM2 3.2.1"),
	VALUE(0xc0010015, 'A', HWCR, HWCR_RESET, HWCR_WRITABLE, "APM2 3.2.10"),
	IGNORE(0xc0010016, 0xc0010019, 'A', 0, "APM2 7.9.2: IORR"),
	VALUE(0xc001001a, 'A', TOP_MEM, 0, TOP_MEM_WRITABLE, "APM2 7.9.4"),
	VALUE(0xc001001d, 'A', TOP_MEM2, 0, TOP_MEM_WRITABLE, "APM2 7.9.4"),
	VALUE(0xc001001f, 'A', NB_CFG, 0, NB_CFG_CF8_EXT, "BKDG: NB_CFG1"),
	IGNORE(0xc0010020, 0xc0010020, 'A', 0, "BKDG: PATCH_LOADER"),
	IGNORE(0xc0010030, 0xc0010035, 'A', 0, "PPR: processor name string"),
	IGNORE(0xc0010044, 0xc001004a, 'A', 0, "APM2 9.3.3: MCi_CTL_MASK"),
	IGNORE(0xc0010055, 0xc0010055, 'A', 0, "BKDG: interrupt pending"),
	IGNORE(0xc0010058, 0xc0010058, 'A', 0, "BKDG: MMIO configuration base, disabled"),
	IGNORE(0xc0010061, 0xc0010063, 'A', 0, "APM2 17.1: P-state limit, control, status"),
	CONST(0xc0010064, 'A', 0, "APM2 17.1: P-state 0"),
	IGNORE(0xc0010074, 0xc0010074, 'A', 0, "APM2 9.3.1: CPU watchdog timer"),
	CONST(0xc0010112, 'A', 0, "APM2 10.2.5: SMM_ADDR"),
	CONST(0xc0010113, 'A', 0, "APM2 10.2.5: SMM_MASK"),
	CONST(0xc0010114, 'A', VM_CR_SVM_OFF, "APM2 15.30.1"),
	/* absent on purpose: a guest would take it for a way to disable store bypass */
	{ 0xc0011020, 0xc0011020, PVM_MSR_ABSENT, 'A', 0, 0, 0, "PPR: LS_CFG" },
	IGNORE(0xc0011021, 0xc0011023, 'A', 0, "PPR: IC_CFG, DC_CFG, TW_CFG"),
	IGNORE(0xc0011029, 0xc0011029, 'A', DE_CFG_LFENCE, "PPR: DE_CFG, LFENCE serialises"),
	IGNORE(0xc001102a, 0xc001102a, 'A', 0, "BKDG: BU_CFG2"),
	IGNORE(0xc001102c, 0xc001102d, 'A', 0, "PPR: EX_CFG, LS_CFG2"),
};

const u32 pvm_msr_rows = ARRAY_SIZE(pvm_msr_table);

const struct pvm_msr_row *pvm_msr_find(u32 msr, u8 vendor)
{
	u32 low = 0, high = ARRAY_SIZE(pvm_msr_table);

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (pvm_msr_table[mid].last < msr)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < ARRAY_SIZE(pvm_msr_table) && pvm_msr_table[low].first <= msr; low++)
		if (!pvm_msr_table[low].vendor || pvm_msr_table[low].vendor == vendor)
			return &pvm_msr_table[low];
	return NULL;
}

int pvm_msr_mtrr_slot(u32 msr)
{
	BUILD_BUG_ON(PVM_MSR_SLOT_END > PVM_MSR_SLOTS);

	if (msr >= 0x200 && msr < 0x200 + 2 * PVM_MSR_MTRR_VARS)
		return PVM_MSR_SLOT_MTRR_VAR + (msr - 0x200);
	if (msr == 0x250)
		return PVM_MSR_SLOT_MTRR_FIX;
	if (msr == 0x258 || msr == 0x259)
		return PVM_MSR_SLOT_MTRR_FIX + 1 + (msr - 0x258);
	if (msr >= 0x268 && msr <= 0x26f)
		return PVM_MSR_SLOT_MTRR_FIX + 3 + (msr - 0x268);
	return msr == 0x2ff ? PVM_MSR_SLOT_MTRR_DEF : -EINVAL;
}

/* SDM3 "Memory Type Range Registers": UC, WC, WT, WP, WB; PAT also has UC-. */
static bool memory_type(u8 type, bool pat)
{
	return type <= 1 || (type >= 4 && type <= 6) || (pat && type == 7);
}

bool pvm_msr_mtrr_valid(u32 msr, u64 val, u32 phys_bits)
{
	u64 address = GENMASK_ULL(51, 12) & ((1ull << clamp(phys_bits, 32u, 52u)) - 1);
	u32 i;

	if (pvm_msr_mtrr_slot(msr) < 0)
		return false;
	if (msr == 0x2ff)
		return !(val & ~0xcffull) && memory_type(val & 0xff, false);
	if (msr >= 0x200 && msr < 0x250) {
		if (msr & 1)
			return !(val & ~(address | BIT_ULL(11)));
		return !(val & ~(address | 0xff)) && memory_type(val & 0xff, false);
	}
	for (i = 0; i < 8; i++)
		if (!memory_type(val >> (8 * i), false))
			return false;
	return true;
}

bool pvm_msr_pat_valid(u64 val)
{
	u32 i;

	for (i = 0; i < 8; i++)
		if (!memory_type(val >> (8 * i), true))
			return false;
	return true;
}
