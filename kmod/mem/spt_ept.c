// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second-level entries as Intel's extended page tables spell them.
 *
 * An entry is present when any of its three permissions is set. Permissions of
 * an upper entry limit those below, so upper entries grant all.
 *
 * World:   pure
 * Context: any
 * Spec:    SDM3 "EPT Translation Mechanism"; SDM3 "Extended-Page-Table Pointer (EPTP)"
 */
#include "mem/spt.h"

#define EPT_R		BIT_ULL(0)
#define EPT_W		BIT_ULL(1)
#define EPT_X		BIT_ULL(2)
#define EPT_RWX		(EPT_R | EPT_W | EPT_X)
#define EPT_TYPE_SHIFT	3
#define EPT_TYPE	GENMASK_ULL(5, 3)
#define EPT_UC		0ull
#define EPT_WB		6ull
#define EPT_PS		BIT_ULL(7)	/* level 2 and 3 */
#define EPT_A		BIT_ULL(8)	/* only where EPTP enables them */
#define EPT_D		BIT_ULL(9)
#define EPT_ADDRESS	GENMASK_ULL(51, 12)

/* SDM3 "Extended-Page-Table Pointer (EPTP)" */
#define EPTP_WB		6ull
#define EPTP_WALK_4	(3ull << 3)
#define EPTP_AD		BIT_ULL(6)

static u64 ept_table(u64 hpa)
{
	return (hpa & EPT_ADDRESS) | EPT_RWX;
}

/*
 * "Ignore PAT" stays clear: RAM is write-back unless the guest's PAT says
 * otherwise, as a device that does not snoop may need. A device is uncached, or
 * write-combining where the guest's PAT says so.
 * SDM3 "EPT and Memory Typing"
 */
static u64 ept_leaf(u64 hpa, u32 prot, u32 level)
{
	u64 raw = hpa & EPT_ADDRESS;

	if (prot & PVM_PROT_READ)
		raw |= EPT_R;
	if (prot & PVM_PROT_WRITE)
		raw |= EPT_W;
	if (prot & PVM_PROT_EXEC)
		raw |= EPT_X;
	raw |= (prot & PVM_PROT_DEVICE ? EPT_UC : EPT_WB) << EPT_TYPE_SHIFT;
	if (level > 1)
		raw |= EPT_PS;
	return raw;
}

static void ept_parse(u64 raw, u32 level, struct pvm_spt_entry *e)
{
	e->present = raw & EPT_RWX;
	e->leaf = level == 1 || (level < PVM_SPT_LEVELS && raw & EPT_PS);
	e->hpa = raw & EPT_ADDRESS;
	e->prot = 0;
	if (raw & EPT_R)
		e->prot |= PVM_PROT_READ;
	if (raw & EPT_W)
		e->prot |= PVM_PROT_WRITE;
	if (raw & EPT_X)
		e->prot |= PVM_PROT_EXEC;
	if (e->present && e->leaf && (raw & EPT_TYPE) >> EPT_TYPE_SHIFT == EPT_UC)
		e->prot |= PVM_PROT_DEVICE;
}

static u64 ept_root(u64 hpa)
{
	return hpa | EPTP_WB | EPTP_WALK_4;
}

static u64 ept_root_ad(u64 hpa)
{
	return ept_root(hpa) | EPTP_AD;
}

const struct pvm_spt_fmt pvm_spt_ept_fmt = {
	.name		= "ept",
	.table		= ept_table,
	.leaf		= ept_leaf,
	.parse		= ept_parse,
	.root		= ept_root,
};

const struct pvm_spt_fmt pvm_spt_ept_ad_fmt = {
	.name		= "ept-ad",
	.table		= ept_table,
	.leaf		= ept_leaf,
	.parse		= ept_parse,
	.root		= ept_root_ad,
	.accessed	= EPT_A,
	.dirty		= EPT_D,
};
