/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types that every layer shares.
 *
 * Addresses are plain u64 whose name ends in _gpa, _gva, _hpa or _iova (bytes)
 * or _gfn (4 KiB pages); see Documentation/style.rst.
 *
 * World:   pure
 * Context: any
 */
#ifndef PVM_TYPES_H
#define PVM_TYPES_H

#define PVM_PAGE_SHIFT		12
#define PVM_PAGE_BYTES		(1ull << PVM_PAGE_SHIFT)
#define PVM_PAGE_MASK		(~(PVM_PAGE_BYTES - 1))
#define PVM_LARGE_SHIFT		21
#define PVM_LARGE_BYTES		(1ull << PVM_LARGE_SHIFT)
#define PVM_GIANT_SHIFT		30
#define PVM_GIANT_BYTES		(1ull << PVM_GIANT_SHIFT)

#define PVM_MAX_VCPUS		16
#define PVM_NO_ADDR		(~0ull)

/* What a vCPU thread does after an exit was handled. */
enum pvm_go {
	PVM_GO_RESUME,		/* enter the guest again */
	PVM_GO_WAIT,		/* nothing to run until an event: HLT, wait for SIPI */
	PVM_GO_SLOW,		/* handle it again with IRQs on */
	PVM_GO_STOP,		/* the VM ends; its reason is recorded */
};

/* Protection of a guest-physical mapping; also its memory type. */
enum pvm_prot {
	PVM_PROT_READ	= 1 << 0,
	PVM_PROT_WRITE	= 1 << 1,
	PVM_PROT_EXEC	= 1 << 2,
	PVM_PROT_DEVICE	= 1 << 3,	/* a BAR: not RAM, type uncached or as the guest says */
	PVM_PROT_RAM	= PVM_PROT_READ | PVM_PROT_WRITE | PVM_PROT_EXEC,
};

/* Mask of the low @bytes bytes (1, 2, 4 or 8) of a value. */
static inline u64 pvm_bytes_mask(u32 bytes)
{
	return bytes >= 8 ? ~0ull : (1ull << (bytes * 8)) - 1;
}

#endif /* PVM_TYPES_H */
