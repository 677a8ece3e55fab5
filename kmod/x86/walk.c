// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk of the guest's own page tables, all paging modes, by callbacks.
 *
 * The tables change under the walk: every entry is read once, and accessed and
 * dirty bits are set by compare-exchange; a walk that loses starts again. The
 * rights by protection key are not looked at: PKRU is not among the registers.
 *
 * World:   pure
 * Context: any; ops decide
 * Spec:    SDM3 "Paging"; APM2 5
 */
#include "x86/x86.h"

#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_LARGE	BIT_ULL(7)
#define PTE_NX		BIT_ULL(63)
#define PTE_ADDR	GENMASK_ULL(51, 12)
#define PDE4M_LOW	GENMASK_ULL(31, 22)
#define PDE4M_HIGH	GENMASK_ULL(20, 13)	/* PSE-36: address bits 39..32 */

#define WALK_RETRIES	64

/* A level may hold a leaf if its bit is set in @leaves; the lowest always does. */
struct walk_mode {
	u8 levels;
	u8 index_bits;
	u8 entry_bytes;
	u8 leaves;
};

static const struct walk_mode mode_32 = { 2, 10, 4, BIT(1) };
static const struct walk_mode mode_pae = { 3, 9, 8, BIT(1) };
static const struct walk_mode mode_4 = { 4, 9, 8, BIT(1) | BIT(2) };
static const struct walk_mode mode_5 = { 5, 9, 8, BIT(1) | BIT(2) };

struct walk {
	const struct pvm_regs *regs;
	const struct walk_mode *mode;
	const struct pvm_walk_ops *ops;
	void *ctx;
	struct pvm_fault *fault;
	u64 gva;
	u32 access;
	u32 phys_bits;
	u64 rights;		/* W and U: and-ed; NX: or-ed */
};

static bool walk_nx(const struct pvm_regs *regs)
{
	return regs->cr4 & PVM_CR4_PAE && regs->efer & PVM_EFER_NXE;
}

static int page_fault(const struct walk *w, u32 error)
{
	if (w->access & PVM_ACCESS_WRITE)
		error |= PVM_PF_W;
	if (w->access & PVM_ACCESS_USER)
		error |= PVM_PF_U;
	if (w->access & PVM_ACCESS_FETCH &&
	    (walk_nx(w->regs) || w->regs->cr4 & PVM_CR4_SMEP))
		error |= PVM_PF_I;
	*w->fault = (struct pvm_fault){
		.vector = PVM_VEC_PF, .has_error = true, .error = error, .address = w->gva,
	};
	return 1;
}

static bool is_leaf(const struct walk *w, u32 level, u64 entry)
{
	if (level == 0)
		return true;
	if (!(w->mode->leaves & BIT(level)) || !(entry & PTE_LARGE))
		return false;
	return w->mode != &mode_32 || w->regs->cr4 & PVM_CR4_PSE;
}

static bool is_pdpte_of_pae(const struct walk *w, u32 level)
{
	return w->mode == &mode_pae && level == 2;
}

static u64 page_mask(const struct walk *w, u32 level)
{
	return (1ull << (PVM_PAGE_SHIFT + level * w->mode->index_bits)) - 1;
}

/* Bits that must be zero in a present entry. */
static u64 reserved_bits(const struct walk *w, u32 level, bool leaf)
{
	u64 bits;

	if (w->mode == &mode_32) {
		if (!level || !leaf)
			return 0;
		/* PSE-36 has 40 address bits at most; bit 21 is always reserved */
		bits = PDE4M_HIGH << 19 & ~((1ull << w->phys_bits) - 1);
		return bits >> 19 | BIT_ULL(21);
	}
	bits = GENMASK_ULL(51, 0) & ~((1ull << w->phys_bits) - 1);
	if (!walk_nx(w->regs))
		bits |= PTE_NX;
	if (is_pdpte_of_pae(w, level))
		return bits | PTE_NX | GENMASK_ULL(62, 52) | GENMASK_ULL(8, 5) | PTE_W | PTE_U;
	if (w->mode == &mode_pae)
		bits |= GENMASK_ULL(62, 52);
	if (level && leaf)
		bits |= page_mask(w, level) & ~GENMASK_ULL(12, 0);
	else if (level >= 3)
		bits |= PTE_LARGE;
	return bits;
}

/* SDM3 "Determination of Access Rights" */
static bool allowed(const struct walk *w)
{
	const struct pvm_regs *regs = w->regs;
	bool user_page = w->rights & PTE_U, writable = w->rights & PTE_W;
	bool write = w->access & PVM_ACCESS_WRITE, fetch = w->access & PVM_ACCESS_FETCH;

	if (fetch && w->rights & PTE_NX && walk_nx(regs))
		return false;
	if (w->access & PVM_ACCESS_USER)
		return user_page && (!write || writable);
	if (write && !writable && regs->cr0 & PVM_CR0_WP)
		return false;
	if (!user_page)
		return true;
	if (fetch)
		return !(regs->cr4 & PVM_CR4_SMEP);
	if (!(regs->cr4 & PVM_CR4_SMAP))
		return true;
	return regs->rflags & PVM_FLAG_AC && !(w->access & PVM_ACCESS_IMPLICIT_SUPERVISOR);
}

static u64 leaf_address(const struct walk *w, u32 level, u64 entry)
{
	u64 mask = page_mask(w, level), base = entry & PTE_ADDR;

	if (w->mode == &mode_32 && level)
		base = (entry & PDE4M_LOW) | (entry & PDE4M_HIGH) << 19;
	return (base & ~mask) | (w->gva & mask);
}

/* Returns 0, 1 when the entry changed meanwhile, or -EFAULT. */
static int set_used(const struct walk *w, u64 at_gpa, u64 entry, bool dirty)
{
	u64 bits = (PTE_A | (dirty ? PTE_D : 0)) & ~entry;

	if (!bits)
		return 0;
	return w->ops->set_bits(w->ctx, at_gpa, entry, bits, w->mode->entry_bytes);
}

/* The four PDPTEs of PAE have neither rights nor an accessed bit. */
static u64 rights_of(const struct walk *w, u32 level, u64 entry)
{
	if (is_pdpte_of_pae(w, level))
		return PTE_W | PTE_U;
	return (entry & (PTE_W | PTE_U)) | (w->mode->entry_bytes == 8 ? entry & PTE_NX : 0);
}

static u64 root_table(const struct walk *w)
{
	u64 cr3 = w->regs->cr3;

	if (w->mode == &mode_32)
		return cr3 & GENMASK_ULL(31, 12);
	if (w->mode == &mode_pae)
		return cr3 & GENMASK_ULL(31, 5);
	return cr3 & PTE_ADDR;
}

/* One attempt. Returns 0, 1 with a fault, -EAGAIN to start again, -EFAULT. */
static int walk_once(struct walk *w, u64 *gpa, u64 *left_bytes)
{
	u64 at[5], entries[5], table = root_table(w);
	u32 top = w->mode->levels - 1, level, i;
	bool leaf = false;
	int r;

	w->rights = PTE_W | PTE_U;
	for (level = top;; level--) {
		u64 index = w->gva >> (PVM_PAGE_SHIFT + level * w->mode->index_bits);
		u64 entry = 0, right;

		index &= is_pdpte_of_pae(w, level) ? 3 : (1u << w->mode->index_bits) - 1;
		at[level] = table + index * w->mode->entry_bytes;
		r = w->ops->read(w->ctx, at[level], &entry, w->mode->entry_bytes);
		if (r)
			return -EFAULT;
		entries[level] = entry;
		if (!(entry & PTE_P))
			return page_fault(w, 0);
		leaf = is_leaf(w, level, entry);
		if (entry & reserved_bits(w, level, leaf))
			return page_fault(w, PVM_PF_P | PVM_PF_RSVD);
		right = rights_of(w, level, entry);
		w->rights = (w->rights & right & (PTE_W | PTE_U)) | ((w->rights | right) & PTE_NX);
		if (leaf)
			break;
		table = entry & PTE_ADDR;
	}
	if (!allowed(w))
		return page_fault(w, PVM_PF_P);
	for (i = top + 1; i-- > level;) {
		if (is_pdpte_of_pae(w, i))
			continue;
		r = set_used(w, at[i], entries[i], i == level && w->access & PVM_ACCESS_WRITE);
		if (r)
			return r > 0 ? -EAGAIN : -EFAULT;
	}
	*gpa = leaf_address(w, level, entries[level]);
	*left_bytes = page_mask(w, level) + 1 - (w->gva & page_mask(w, level));
	return 0;
}

static const struct walk_mode *mode_of(const struct pvm_regs *regs)
{
	if (!(regs->cr4 & PVM_CR4_PAE))
		return &mode_32;
	if (!(regs->efer & PVM_EFER_LMA))
		return &mode_pae;
	return regs->cr4 & PVM_CR4_LA57 ? &mode_5 : &mode_4;
}

int pvm_walk(const struct pvm_regs *regs, u64 gva, u32 access, u32 phys_bits,
	     const struct pvm_walk_ops *ops, void *ctx, u64 *gpa, u64 *left_bytes,
	     struct pvm_fault *fault)
{
	struct walk w = {
		.regs = regs, .mode = mode_of(regs), .ops = ops, .ctx = ctx, .fault = fault,
		.gva = gva, .access = access, .phys_bits = clamp(phys_bits, 32u, 52u),
	};
	u32 try, spare;

	if (access & PVM_ACCESS_IMPLICIT_SUPERVISOR)
		w.access &= ~PVM_ACCESS_USER;
	if (!(regs->efer & PVM_EFER_LMA))
		w.gva = (u32)gva;
	if (!(regs->cr0 & PVM_CR0_PG)) {
		*gpa = w.gva;
		*left_bytes = PVM_PAGE_BYTES - (w.gva & (PVM_PAGE_BYTES - 1));
		return 0;
	}
	if (regs->efer & PVM_EFER_LMA) {
		spare = w.mode == &mode_5 ? 64 - 57 : 64 - 48;
		if ((u64)((s64)(gva << spare) >> spare) != gva) {
			*fault = (struct pvm_fault){ .vector = PVM_VEC_GP, .has_error = true };
			return 1;
		}
	}
	for (try = 0; try < WALK_RETRIES; try++) {
		int r = walk_once(&w, gpa, left_bytes);

		if (r != -EAGAIN)
			return r;
	}
	return -EAGAIN;
}
