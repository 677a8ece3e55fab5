/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Within mem/: frame table entries, and where RAM comes from.
 *
 * World:   kernel
 * Context: process, mem->lock held for writing, unless a function says otherwise
 */
#ifndef PVM_MEM_BACKING_H
#define PVM_MEM_BACKING_H

#include <linux/mm.h>
#include <linux/nospec.h>
#include "mem/mem.h"

/*
 * An entry of m->frame, per 2 MiB of guest-physical space: the kernel address of
 * a 2 MiB page, or of a table of such entries per 4 KiB. The low bits are tags.
 */
#define PVM_FRAME_TABLE		1ul	/* points to PVM_FRAME_SMALLS entries */
#define PVM_FRAME_ROM		2ul	/* the guest may not write */
#define PVM_FRAME_TAGS		(PVM_FRAME_TABLE | PVM_FRAME_ROM)
#define PVM_FRAME_SMALLS	(PVM_LARGE_BYTES / PVM_PAGE_BYTES)

/* The entry that covers @gpa, tags and all, 0 where there is no RAM. Lock-free. */
static __always_inline unsigned long pvm_frame(const struct pvm_mem *m, u64 gpa, u64 *offset)
{
	u64 i = gpa >> PVM_LARGE_SHIFT;
	unsigned long e;

	if (unlikely(i >= m->frames))
		return 0;
	e = (unsigned long)m->frame[array_index_nospec(i, m->frames)];
	*offset = gpa & (PVM_LARGE_BYTES - 1);
	if (unlikely(e & PVM_FRAME_TABLE)) {
		e = ((unsigned long *)(e & ~PVM_FRAME_TAGS))[*offset >> PVM_PAGE_SHIFT];
		*offset &= ~PVM_PAGE_MASK;
	}
	return e;
}

/* Makes the frame table reach to @end_gpa. -ENOMEM. */
int pvm_backing_reserve(struct pvm_mem *m, u64 end_gpa);

/*
 * Fills [slot->gpa, +slot->bytes) of the frame table with zeroed pages, or fails
 * with none. -ENOMEM, -EINTR.
 */
int pvm_backing_fill(struct pvm_mem *m, const struct pvm_slot *slot, int node);
/* Scrubs and frees them. Cannot fail. */
void pvm_backing_drop(struct pvm_mem *m, const struct pvm_slot *slot);

/* Frees the tables, after the last slot. */
void pvm_backing_fini(struct pvm_mem *m);

/* Host address of RAM at @gpa and, in *bytes, for how long (up to @max) it is contiguous. */
u64 pvm_backing_run(const struct pvm_mem *m, u64 gpa, u64 max, u64 *bytes);

#endif /* PVM_MEM_BACKING_H */
