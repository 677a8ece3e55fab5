/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The second-level page table, free of its format.
 *
 * A four-level radix tree of 512 entries per table, as EPT and NPT both are;
 * struct pvm_spt_fmt knows how an entry is spelled. Leaves of 4 KiB, 2 MiB and
 * 1 GiB, the largest that alignment allows.
 *
 * World:   pure
 * Context: the caller serialises changes (mem->lock); walk() may run beside them
 * Spec:    SDM3 "EPT Translation Mechanism"; APM2 15.25.5
 */
#ifndef PVM_SPT_H
#define PVM_SPT_H

#include <pvm/env.h>

#define PVM_SPT_LEVELS	4	/* 4 = root .. 1 = 4 KiB leaves */

/* What an entry says. */
struct pvm_spt_entry {
	bool present;
	bool leaf;
	u64 hpa;
	u32 prot;		/* enum pvm_prot */
};

struct pvm_spt_fmt {
	const char *name;
	u64 (*table)(u64 hpa);				/* points to a lower table */
	u64 (*leaf)(u64 hpa, u32 prot, u32 level);	/* level 1, 2 or 3 */
	void (*parse)(u64 raw, u32 level, struct pvm_spt_entry *e);
	u64 (*root)(u64 hpa);				/* nested CR3 or EPTP */
	u64 accessed, dirty;				/* bits the CPU sets; 0: does not */
};

/* Where table pages come from: 4 KiB, zeroed. In the kernel, pages; in tests, malloc. */
struct pvm_spt_pages {
	void *(*alloc)(void *ctx, u64 *hpa);		/* NULL: out of memory */
	void (*free)(void *ctx, void *table, u64 hpa);
	void *(*va)(void *ctx, u64 hpa);		/* of a page that alloc gave */
	void *ctx;
};

struct pvm_spt {
	const struct pvm_spt_fmt *fmt;
	const struct pvm_spt_pages *pages;
	u64 *root;
	u64 root_hpa;
	u32 max_leaf_level;	/* 2: no 1 GiB leaves */
	u32 tables;		/* table pages in use, for accounting */
};

/* Returns -ENOMEM. */
int pvm_spt_init(struct pvm_spt *s, const struct pvm_spt_fmt *fmt,
		 const struct pvm_spt_pages *pages, u32 max_leaf_level);
void pvm_spt_fini(struct pvm_spt *s);

/*
 * Maps [gpa, gpa + bytes) to hpa. All 4 KiB aligned. Returns -EEXIST when part
 * of it is mapped, -EINVAL when misaligned or beyond 2^48, -ENOMEM; on error
 * nothing of the range is left mapped.
 */
int pvm_spt_map(struct pvm_spt *s, u64 gpa, u64 hpa, u64 bytes, u32 prot);

/*
 * Unmaps whatever is mapped in the range; the caller flushes TLBs before it
 * frees what was mapped. Splits larger leaves at the ends, which takes memory:
 * a range that was mapped by one map() call unmaps without allocation. Returns
 * how many bytes were mapped, or -ENOMEM (and nothing is changed).
 */
s64 pvm_spt_unmap(struct pvm_spt *s, u64 gpa, u64 bytes);

/* What maps @gpa: fills *e and the leaf's level, or returns -ENOENT. */
int pvm_spt_walk(const struct pvm_spt *s, u64 gpa, struct pvm_spt_entry *e, u32 *level);

/* Value for nested CR3 or EPTP. */
u64 pvm_spt_root(const struct pvm_spt *s);

extern const struct pvm_spt_fmt pvm_spt_npt_fmt;
extern const struct pvm_spt_fmt pvm_spt_ept_fmt;
extern const struct pvm_spt_fmt pvm_spt_ept_ad_fmt;	/* with accessed and dirty bits */

#endif /* PVM_SPT_H */
