// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second-level entries as AMD's nested paging spells them: the host's own
 * long-mode page-table format.
 *
 * Every guest access counts as a user access, so U/S is always set. Accessed
 * and dirty are set from the start: nobody reads them here, and the processor
 * then never has to write an entry.
 *
 * World:   pure
 * Context: any
 * Spec:    APM2 5.3 "Long-Mode Page Translation"; APM2 15.25 "Nested Paging"
 */
#include "mem/spt.h"

#define NPT_P		BIT_ULL(0)
#define NPT_RW		BIT_ULL(1)
#define NPT_US		BIT_ULL(2)
#define NPT_PCD		BIT_ULL(4)
#define NPT_A		BIT_ULL(5)
#define NPT_D		BIT_ULL(6)
#define NPT_PS		BIT_ULL(7)	/* level 2 and 3; PAT at level 1 */
#define NPT_NX		BIT_ULL(63)
#define NPT_ADDRESS	GENMASK_ULL(51, 12)

/* Of PAT, PCD and PWT, 010 selects entry 2: UC- after reset and in Linux. */
#define NPT_UC_MINUS	NPT_PCD

static u64 npt_table(u64 hpa)
{
	return (hpa & NPT_ADDRESS) | NPT_P | NPT_RW | NPT_US | NPT_A;
}

/*
 * RAM is write-back, which leaves the choice to the guest's PAT. For a device
 * UC- leaves the guest only uncached and write-combining.
 * APM2 15.25.8 "Combining Memory Types, MTRRs"
 */
static u64 npt_leaf(u64 hpa, u32 prot, u32 level)
{
	u64 raw = (hpa & NPT_ADDRESS) | NPT_P | NPT_US | NPT_A | NPT_D;

	if (prot & PVM_PROT_WRITE)
		raw |= NPT_RW;
	if (!(prot & PVM_PROT_EXEC))
		raw |= NPT_NX;
	if (prot & PVM_PROT_DEVICE)
		raw |= NPT_UC_MINUS;
	if (level > 1)
		raw |= NPT_PS;
	return raw;
}

static void npt_parse(u64 raw, u32 level, struct pvm_spt_entry *e)
{
	e->present = raw & NPT_P;
	e->leaf = level == 1 || (level < PVM_SPT_LEVELS && raw & NPT_PS);
	e->hpa = raw & NPT_ADDRESS;
	e->prot = 0;
	if (!e->present)
		return;
	e->prot = PVM_PROT_READ;
	if (raw & NPT_RW)
		e->prot |= PVM_PROT_WRITE;
	if (!(raw & NPT_NX))
		e->prot |= PVM_PROT_EXEC;
	if (e->leaf && raw & NPT_UC_MINUS)
		e->prot |= PVM_PROT_DEVICE;
}

static u64 npt_root(u64 hpa)
{
	return hpa;
}

const struct pvm_spt_fmt pvm_spt_npt_fmt = {
	.name		= "npt",
	.table		= npt_table,
	.leaf		= npt_leaf,
	.parse		= npt_parse,
	.root		= npt_root,
	.accessed	= NPT_A,
	.dirty		= NPT_D,
};
