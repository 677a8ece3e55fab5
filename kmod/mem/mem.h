/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest-physical address space.
 *
 * RAM is added while the VM is built and never changes once a vCPU has run, so
 * looking a RAM page up is lock-free: an array by 2 MiB frame. Device mappings
 * (BARs of passed-through devices) come and go under mem->lock. Listeners (the
 * second-level table, the IOMMU domain) are told of every change.
 *
 * World:   kernel
 * Context: as each function says
 */
#ifndef PVM_MEM_H
#define PVM_MEM_H

#include <linux/list.h>
#include <linux/rwsem.h>
#include <pvm/env.h>
#include "mem/spt.h"

#define PVM_MEM_MAX_SLOTS	64
#define PVM_MEM_MAX_RAM_BYTES	(1ull << 40)

struct pvm_mem;
struct pvm_backing;

enum pvm_slot_kind {
	PVM_SLOT_RAM,
	PVM_SLOT_ROM,		/* RAM pages the guest may not write */
	PVM_SLOT_DEVICE,	/* host physical pages of a BAR */
};

struct pvm_slot {
	u64 gpa;
	u64 bytes;
	u64 hpa;		/* DEVICE: of the first byte */
	u32 prot;
	u32 kind;		/* enum pvm_slot_kind */
	struct pvm_backing *backing;	/* RAM, ROM */
};

struct pvm_mem_listener {
	struct list_head node;
	/* Returns an errno; the caller undoes what other listeners did. */
	int  (*map)(struct pvm_mem_listener *l, u64 gpa, u64 hpa, u64 bytes, u32 prot);
	/* Cannot fail; the range is one, or several that adjoin, that map() was given. */
	void (*unmap)(struct pvm_mem_listener *l, u64 gpa, u64 bytes);
};

struct pvm_mem_stats {
	u64 ram_bytes;
	u64 large_pages, small_pages;	/* of RAM, by backing page */
	u64 table_bytes;		/* second-level table pages and bookkeeping */
};

/* Locking key: (c) constant after creation  (m) mem->lock  (b) while building, then constant */
struct pvm_mem {
	struct rw_semaphore lock;
	struct pvm_slot slot[PVM_MEM_MAX_SLOTS];	/* (m) sorted by gpa */
	u32 slots;					/* (m) */
	struct list_head listeners;			/* (m) */
	/* Kernel address per 2 MiB of guest-physical space, NULL: no RAM. */
	void **frame;					/* (b) */
	u64 frames;		/* (b) */
	struct pvm_backing *first_backing;		/* (b) */
	struct pvm_mem_stats stats;			/* (m) */
	/* Second-level table, itself a listener. */
	struct pvm_spt spt;				/* (m) */
	struct pvm_spt_pages spt_pages;			/* (c) */
	struct list_head dead_tables;			/* (m) table pages that await the flush */
	struct pvm_mem_listener spt_listener;		/* (c) */
	/* TLB generation: raised after every unmap; vCPUs flush when behind. */
	atomic64_t tlb_gen;
	/* Makes every vCPU that is in the guest leave it; returns when none is. May be NULL. */
	void (*kick_all)(void *ctx);			/* (c) */
	void *kick_ctx;					/* (c) */
};

/* @max_gpa: end of the guest-physical space used for RAM. Process context. -ENOMEM. */
int pvm_mem_init(struct pvm_mem *m, const struct pvm_spt_fmt *fmt, u32 max_leaf_level);
void pvm_mem_fini(struct pvm_mem *m);	/* frees and scrubs all RAM */

/*
 * Adds @bytes of RAM at @gpa (both multiples of 2 MiB, or of 4 KiB where the
 * last piece is smaller): allocates zeroed 2 MiB pages on @node (or
 * NUMA_NO_NODE), charged to the caller's cgroup, 4 KiB pages where no large
 * one can be had. Interruptible by a fatal signal. Process context.
 * -ENOMEM, -EINTR, -EEXIST (overlap), -EINVAL, -ENOSPC.
 */
int pvm_mem_add_ram(struct pvm_mem *m, u64 gpa, u64 bytes, u32 prot, int node);

/* Maps host pages (a BAR) into the guest. Process context. As pvm_mem_add_ram. */
int pvm_mem_add_device(struct pvm_mem *m, u64 gpa, u64 hpa, u64 bytes, u32 prot);
/* Removes what add_device mapped at @gpa. Flushes every vCPU's TLB. Cannot fail. */
void pvm_mem_del_device(struct pvm_mem *m, u64 gpa);

/* Joins with all present slots mapped, or fails with nothing mapped in @l. */
int pvm_mem_listen(struct pvm_mem *m, struct pvm_mem_listener *l);
void pvm_mem_unlisten(struct pvm_mem *m, struct pvm_mem_listener *l);

/*
 * Kernel address of guest RAM at @gpa, NULL where [gpa, gpa+bytes) is not RAM or
 * crosses a 4 KiB page. Lock-free, any context.
 */
void *pvm_mem_ptr(struct pvm_mem *m, u64 gpa, u64 bytes);

/*
 * access.c: copies; -EFAULT when any byte is not RAM (then nothing was copied to the guest
 * beyond whole pages before it). Any context. write_rom() may also write ROM.
 */
int pvm_mem_read(struct pvm_mem *m, u64 gpa, void *to, u64 bytes);
int pvm_mem_write(struct pvm_mem *m, u64 gpa, const void *from, u64 bytes);
int pvm_mem_write_rom(struct pvm_mem *m, u64 gpa, const void *from, u64 bytes);
/* From and to user space while building: process context, may sleep. */
int pvm_mem_write_user(struct pvm_mem *m, u64 gpa, const void __user *from, u64 bytes);
int pvm_mem_zero(struct pvm_mem *m, u64 gpa, u64 bytes);
/* Atomic compare-exchange of 1, 2, 4, 8 bytes, naturally aligned. -EFAULT. */
int pvm_mem_cmpxchg(struct pvm_mem *m, u64 gpa, void *expected, const void *desired,
		    u32 bytes, bool *swapped);

/* flush.c: current generation; a vCPU compares it with what it has flushed. */
static inline u64 pvm_mem_tlb_gen(struct pvm_mem *m)
{
	return atomic64_read(&m->tlb_gen);
}

void pvm_mem_flush_all(struct pvm_mem *m);

#endif /* PVM_MEM_H */
