// SPDX-License-Identifier: GPL-2.0-only
/*
 * RDMSR and WRMSR over the table of x86/msr_table.c.
 *
 * The local APIC's MSRs come first, since they are most of the traffic. What
 * the table has not raises #GP, as a processor does.
 *
 * World:   kernel
 * Context: owner thread, IRQs off
 * Spec:    SDM4; APM2 appendix A
 */
#include <asm/msr-index.h>
#include "cpu/cpu.h"

typedef bool (*pvm_msr_get_fn)(struct pvm_vcpu *v, u32 msr, u64 *val);
typedef bool (*pvm_msr_set_fn)(struct pvm_vcpu *v, u32 msr, u64 val);

static bool pvm_msr_get_apic(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	return pvm_lapic_msr_read(&v->lapic, msr, val);
}

static bool pvm_msr_set_apic(struct pvm_vcpu *v, u32 msr, u64 val)
{
	v->event_check = true;
	return pvm_lapic_msr_write(&v->lapic, msr, val);
}

static bool pvm_msr_get_tsc(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	*val = pvm_time_guest_tsc(v);
	return true;
}

/* SDM3 "IA32_TSC_ADJUST": moves with every write of the TSC, and the TSC with it. */
static bool pvm_msr_set_tsc(struct pvm_vcpu *v, u32 msr, u64 val)
{
	v->tsc_adjust += val - pvm_time_guest_tsc(v);
	pvm_time_set_tsc(v, val);
	return true;
}

static bool pvm_msr_get_tsc_adjust(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	*val = v->tsc_adjust;
	return true;
}

static bool pvm_msr_set_tsc_adjust(struct pvm_vcpu *v, u32 msr, u64 val)
{
	pvm_time_set_tsc(v, pvm_time_guest_tsc(v) + val - v->tsc_adjust);
	v->tsc_adjust = val;
	return true;
}

static bool pvm_msr_get_efer(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	v->m->ops->regs_get(v, PVM_REGS_CR);
	*val = v->regs.efer;
	return true;
}

/* APM2 3.1.7: LMA follows LME and PG; LME cannot change while paging is on. */
static bool pvm_msr_set_efer(struct pvm_vcpu *v, u32 msr, u64 val)
{
	u64 old;

	v->m->ops->regs_get(v, PVM_REGS_CR);
	old = v->regs.efer;
	if (val & ~(v->m->efer_valid | PVM_EFER_LMA))
		return false;
	if (v->regs.cr0 & PVM_CR0_PG && (val ^ old) & PVM_EFER_LME)
		return false;
	v->regs.efer = (val & ~PVM_EFER_LMA) | (old & PVM_EFER_LMA);
	v->m->ops->regs_set(v, PVM_REGS_CR);
	if ((old ^ val) & PVM_EFER_NXE)
		v->m->ops->flush(v);
	return true;
}

static bool pvm_msr_get_pat(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	*val = v->pat;
	return true;
}

static bool pvm_msr_set_pat(struct pvm_vcpu *v, u32 msr, u64 val)
{
	if (!pvm_msr_pat_valid(val))
		return false;
	v->pat = val;
	return v->m->ops->msr_set(v, MSR_IA32_CR_PAT, val);
}

/* Kept, not obeyed: memory types come from the guest's PAT and the second-level table. */
static bool pvm_msr_get_mtrr(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	int slot = pvm_msr_mtrr_slot(msr);

	if (slot < 0)
		return false;
	*val = v->msr[slot];
	return true;
}

static bool pvm_msr_set_mtrr(struct pvm_vcpu *v, u32 msr, u64 val)
{
	int slot = pvm_msr_mtrr_slot(msr);

	if (slot < 0 || !pvm_msr_mtrr_valid(msr, val, v->m->cpuid->phys_bits))
		return false;
	v->msr[slot] = val;
	return true;
}

/* SDM3 "Machine-Check Global Control MSRs": banks that never report anything. */
static bool pvm_msr_get_mce(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	if (msr == MSR_IA32_MCG_CAP)
		*val = PVM_MSR_MC_BANKS;
	else if (msr == MSR_IA32_MCG_STATUS || msr == MSR_IA32_MCG_CTL)
		*val = v->msr[PVM_MSR_SLOT_MCG + msr - MSR_IA32_MCG_STATUS];
	else
		*val = v->msr[PVM_MSR_SLOT_MC + msr - MSR_IA32_MC0_CTL];
	return true;
}

static bool pvm_msr_set_mce(struct pvm_vcpu *v, u32 msr, u64 val)
{
	if (msr == MSR_IA32_MCG_CAP)
		return false;
	if (msr == MSR_IA32_MCG_STATUS || msr == MSR_IA32_MCG_CTL) {
		v->msr[PVM_MSR_SLOT_MCG + msr - MSR_IA32_MCG_STATUS] = val;
		return true;
	}
	/* CTL takes all zeroes or all ones; STATUS, ADDR and MISC only zero. */
	if (val && ((msr & 3) || val != ~0ull))
		return false;
	v->msr[PVM_MSR_SLOT_MC + msr - MSR_IA32_MC0_CTL] = val;
	return true;
}

/* A feature that the vendors show in different leaves: Intel's 7 EDX, AMD's 8000_0008 EBX. */
static bool pvm_msr_offers(struct pvm_vcpu *v, u32 intel_bit, u32 amd_bit)
{
	return pvm_cpuid_has(v->m->cpuid, 7, 0, 3, intel_bit) ||
	       pvm_cpuid_has(v->m->cpuid, 0x80000008, 0, 1, amd_bit);
}

/* The bits that the guest's CPUID shows. None: the MSR does not exist, maybe not in the host. */
static u64 pvm_msr_spec_ctrl_valid(struct pvm_vcpu *v)
{
	return (pvm_msr_offers(v, 26, 14) ? SPEC_CTRL_IBRS : 0) |
	       (pvm_msr_offers(v, 27, 15) ? SPEC_CTRL_STIBP : 0) |
	       (pvm_msr_offers(v, 31, 24) ? SPEC_CTRL_SSBD : 0);
}

static bool pvm_msr_get_spec_ctrl(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	*val = v->spec_ctrl;
	return pvm_msr_spec_ctrl_valid(v);
}

static bool pvm_msr_set_spec_ctrl(struct pvm_vcpu *v, u32 msr, u64 val)
{
	u64 valid = pvm_msr_spec_ctrl_valid(v);

	if (!valid || val & ~valid)
		return false;
	v->spec_ctrl = val;
	/* Taken over when the next window begins: leave this one. */
	set_bit(PVM_REQ_PARK, &v->requests);
	return true;
}

static bool pvm_msr_get_none(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	return false;
}

static bool pvm_msr_set_pred_cmd(struct pvm_vcpu *v, u32 msr, u64 val)
{
	if (!pvm_msr_offers(v, 26, 12) || val & ~(u64)PRED_CMD_IBPB)
		return false;
	if (val)
		pvm_host_ibpb();
	return true;
}

static bool pvm_msr_get_zero(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	*val = 0;
	return true;
}

/* No supervisor states are offered. */
static bool pvm_msr_set_zero(struct pvm_vcpu *v, u32 msr, u64 val)
{
	return val == 0;
}

static const struct {
	pvm_msr_get_fn get;
	pvm_msr_set_fn set;
} pvm_msr_hooks[PVM_MSR_HOOKS] = {
	[PVM_MSR_HOOK_APIC]		= { pvm_msr_get_apic, pvm_msr_set_apic },
	[PVM_MSR_HOOK_TSC]		= { pvm_msr_get_tsc, pvm_msr_set_tsc },
	[PVM_MSR_HOOK_TSC_ADJUST]	= { pvm_msr_get_tsc_adjust, pvm_msr_set_tsc_adjust },
	[PVM_MSR_HOOK_EFER]		= { pvm_msr_get_efer, pvm_msr_set_efer },
	[PVM_MSR_HOOK_PAT]		= { pvm_msr_get_pat, pvm_msr_set_pat },
	[PVM_MSR_HOOK_SPEC_CTRL]	= { pvm_msr_get_spec_ctrl, pvm_msr_set_spec_ctrl },
	[PVM_MSR_HOOK_PRED_CMD]		= { pvm_msr_get_none, pvm_msr_set_pred_cmd },
	[PVM_MSR_HOOK_XSS]		= { pvm_msr_get_zero, pvm_msr_set_zero },
	[PVM_MSR_HOOK_MTRR]		= { pvm_msr_get_mtrr, pvm_msr_set_mtrr },
	[PVM_MSR_HOOK_MCE]		= { pvm_msr_get_mce, pvm_msr_set_mce },
};

/* TSC_AUX has a slot in the table, but the host's register must follow. */
static bool pvm_msr_set_value(struct pvm_vcpu *v, const struct pvm_msr_row *row, u32 msr, u64 val)
{
	u64 *slot = &v->msr[row->slot + msr - row->first];

	if ((val ^ *slot) & ~row->writable)
		return false;
	*slot = val;
	if (msr == MSR_TSC_AUX) {
		v->tsc_aux = val;
		set_bit(PVM_REQ_PARK, &v->requests);	/* taken over with the next window */
	}
	return true;
}

bool pvm_msr_read(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	const struct pvm_msr_row *row;

	if (likely(msr - PVM_X2APIC_FIRST < PVM_X2APIC_COUNT))
		return pvm_lapic_msr_read(&v->lapic, msr, val);
	row = pvm_msr_find(msr, v->m->caps.vendor);
	if (!row)
		return false;
	switch (row->class) {
	case PVM_MSR_CONST:
	case PVM_MSR_IGNORE:
		*val = row->reset;
		return true;
	case PVM_MSR_VALUE:
		*val = v->msr[row->slot + msr - row->first];
		return true;
	case PVM_MSR_VENDOR:
		return v->m->ops->msr_get(v, msr, val);
	case PVM_MSR_HOOK:
		return pvm_msr_hooks[row->slot].get && pvm_msr_hooks[row->slot].get(v, msr, val);
	default:
		return false;
	}
}

bool pvm_msr_write(struct pvm_vcpu *v, u32 msr, u64 val)
{
	const struct pvm_msr_row *row;

	row = pvm_msr_find(msr, v->m->caps.vendor);
	if (!row)
		return false;
	switch (row->class) {
	case PVM_MSR_IGNORE:
		return true;
	case PVM_MSR_VALUE:
		return pvm_msr_set_value(v, row, msr, val);
	case PVM_MSR_VENDOR:
		return v->m->ops->msr_set(v, msr, val);
	case PVM_MSR_HOOK:
		return pvm_msr_hooks[row->slot].set && pvm_msr_hooks[row->slot].set(v, msr, val);
	default:
		return false;
	}
}

#define PVM_MTRR_WB		6
#define PVM_MTRR_ENABLED	BIT_ULL(11)

void pvm_msr_firmware(struct pvm_vcpu *v, u64 hole_gpa)
{
	u64 *var = &v->msr[PVM_MSR_SLOT_MTRR_VAR];

	/* One uncached range from the end of low RAM to 4 GiB; it is a power of two. */
	v->msr[PVM_MSR_SLOT_MTRR_DEF] = PVM_MTRR_ENABLED | PVM_MTRR_WB;
	var[0] = hole_gpa;
	var[1] = (GENMASK_ULL(v->m->cpuid->phys_bits - 1, 12) & ~(hole_gpa - 1)) | PVM_MTRR_ENABLED;
}

void pvm_msr_reset(struct pvm_vcpu *v, bool init_only)
{
	u32 i, n;

	/* SDM3 table "IA-32 and Intel 64 Processor States": INIT leaves MSRs alone. */
	if (init_only)
		return;
	for (i = 0; i < pvm_msr_rows; i++) {
		const struct pvm_msr_row *row = &pvm_msr_table[i];

		if (row->class != PVM_MSR_VALUE ||
		    (row->vendor && row->vendor != v->m->caps.vendor))
			continue;
		for (n = 0; n <= row->last - row->first && row->slot + n < PVM_MSR_SLOTS; n++)
			v->msr[row->slot + n] = row->reset;
	}
	memset(&v->msr[PVM_MSR_SLOT_MTRR_FIX], 0,
	       (PVM_MSR_SLOT_PAT - PVM_MSR_SLOT_MTRR_FIX) * sizeof(u64));
	memset(&v->msr[PVM_MSR_SLOT_MCG], 0, (PVM_MSR_SLOT_END - PVM_MSR_SLOT_MCG) * sizeof(u64));
	v->pat = PVM_MSR_PAT_RESET;
	v->spec_ctrl = 0;
	v->tsc_aux = 0;
}
