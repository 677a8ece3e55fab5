// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where guest RAM comes from and goes to.
 *
 * 2 MiB pages straight from the page allocator, on the node that was asked for,
 * charged to the memory cgroup that is current (or active); 4 KiB pages for
 * what is no whole 2 MiB frame or where the allocator has no more large ones.
 * The frame table is the only record of them. Pages come zeroed and are cleared
 * before they go back, so no guest's data outlives it.
 *
 * The out-of-memory killer is never asked for help: a guest that does not fit
 * is refused.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/gfp.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "mem/backing.h"

#define LARGE_ORDER	(PVM_LARGE_SHIFT - PAGE_SHIFT)

/* Left to the host, of what the kernel believes to be available. */
#define HOST_RESERVE_BYTES	(16ull << 20)

static_assert(PAGE_SHIFT == PVM_PAGE_SHIFT);

static unsigned long *backing_smalls(unsigned long e)
{
	return e & PVM_FRAME_TABLE ? (unsigned long *)(e & ~PVM_FRAME_TAGS) : NULL;
}

int pvm_backing_reserve(struct pvm_mem *m, u64 end_gpa)
{
	u64 frames = DIV_ROUND_UP(end_gpa, PVM_LARGE_BYTES);
	void **frame;

	if (frames <= m->frames)
		return 0;
	frame = kvcalloc(frames, sizeof(*frame), GFP_KERNEL_ACCOUNT);
	if (!frame)
		return -ENOMEM;
	if (m->frame)
		memcpy(frame, m->frame, m->frames * sizeof(*frame));
	m->stats.table_bytes += (frames - m->frames) * sizeof(*frame);
	kvfree(m->frame);
	m->frame = frame;
	m->frames = frames;
	return 0;
}

/*
 * One page of 2^@order; @hard: try reclaim and compaction, too. Compound, so
 * that I/O on a part of it may take a reference like on any page.
 */
static void *backing_page(int node, unsigned int order, bool hard)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | __GFP_COMP |
		    (hard ? __GFP_RETRY_MAYFAIL : __GFP_NORETRY);
	struct page *page = alloc_pages_node(node, gfp, order);

	return page ? page_address(page) : NULL;
}

static void backing_free(void *page, unsigned int order)
{
	u32 i;

	for (i = 0; !want_init_on_free() && i < 1u << order; i++)
		clear_page(page + i * PAGE_SIZE);
	free_pages((unsigned long)page, order);
}

/* The 4 KiB entries of frame @i, made if need be. */
static unsigned long *backing_table(struct pvm_mem *m, u64 i)
{
	unsigned long *smalls = backing_smalls((unsigned long)m->frame[i]);

	if (smalls)
		return smalls;
	smalls = (unsigned long *)get_zeroed_page(GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!smalls)
		return NULL;
	m->stats.table_bytes += PAGE_SIZE;
	m->frame[i] = (void *)((unsigned long)smalls | PVM_FRAME_TABLE);
	return smalls;
}

static int backing_fill_smalls(struct pvm_mem *m, u64 gpa, u64 bytes, unsigned long tags, int node)
{
	unsigned long *smalls = backing_table(m, gpa >> PVM_LARGE_SHIFT);
	u64 end = gpa + bytes;
	void *page;

	if (!smalls)
		return -ENOMEM;
	for (; gpa < end; gpa += PVM_PAGE_BYTES) {
		page = backing_page(node, 0, true);
		if (!page)
			return -ENOMEM;
		smalls[(gpa >> PVM_PAGE_SHIFT) % PVM_FRAME_SMALLS] = (unsigned long)page | tags;
		m->stats.small_pages++;
		m->stats.ram_bytes += PVM_PAGE_BYTES;
	}
	return 0;
}

int pvm_backing_fill(struct pvm_mem *m, const struct pvm_slot *slot, int node)
{
	unsigned long tags = slot->prot & PVM_PROT_WRITE ? 0 : PVM_FRAME_ROM;
	u64 gpa = slot->gpa, end = slot->gpa + slot->bytes, next;
	bool hard = true;
	void *page;
	int err;

	/* Refuse early what would only push everybody else out of memory. */
	if (slot->bytes / PAGE_SIZE + HOST_RESERVE_BYTES / PAGE_SIZE > (u64)si_mem_available())
		return -ENOMEM;

	for (; gpa < end; gpa = next) {
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			goto err_drop;
		}
		cond_resched();
		next = min(end, (gpa | (PVM_LARGE_BYTES - 1)) + 1);
		page = NULL;
		if (next - gpa == PVM_LARGE_BYTES && !m->frame[gpa >> PVM_LARGE_SHIFT]) {
			page = backing_page(node, LARGE_ORDER, hard);
			hard = page;	/* once is enough to learn that memory is in pieces */
		}
		if (page) {
			m->frame[gpa >> PVM_LARGE_SHIFT] = (void *)((unsigned long)page | tags);
			m->stats.large_pages++;
			m->stats.ram_bytes += PVM_LARGE_BYTES;
			continue;
		}
		err = backing_fill_smalls(m, gpa, next - gpa, tags, node);
		if (err)
			goto err_drop;
	}
	return 0;

err_drop:
	pvm_backing_drop(m, slot);
	return err;
}

static void backing_drop_smalls(struct pvm_mem *m, unsigned long *smalls, u64 gpa, u64 end)
{
	for (; gpa < end; gpa += PVM_PAGE_BYTES) {
		unsigned long *e = &smalls[(gpa >> PVM_PAGE_SHIFT) % PVM_FRAME_SMALLS];

		if (!*e)
			continue;
		backing_free((void *)(*e & ~PVM_FRAME_TAGS), 0);
		*e = 0;
		m->stats.small_pages--;
		m->stats.ram_bytes -= PVM_PAGE_BYTES;
	}
}

void pvm_backing_drop(struct pvm_mem *m, const struct pvm_slot *slot)
{
	u64 gpa, next, end = slot->gpa + slot->bytes;

	for (gpa = slot->gpa; gpa < end; gpa = next) {
		void **frame = &m->frame[gpa >> PVM_LARGE_SHIFT];
		unsigned long e = (unsigned long)*frame;

		next = min(end, (gpa | (PVM_LARGE_BYTES - 1)) + 1);
		cond_resched();
		if (e & PVM_FRAME_TABLE) {
			backing_drop_smalls(m, backing_smalls(e), gpa, next);
		} else if (e) {
			*frame = NULL;
			backing_free((void *)(e & ~PVM_FRAME_TAGS), LARGE_ORDER);
			m->stats.large_pages--;
			m->stats.ram_bytes -= PVM_LARGE_BYTES;
		}
	}
}

void pvm_backing_fini(struct pvm_mem *m)
{
	u64 i;

	for (i = 0; i < m->frames; i++) {
		unsigned long *smalls = backing_smalls((unsigned long)m->frame[i]);

		if (!smalls)
			continue;
		free_page((unsigned long)smalls);
		m->stats.table_bytes -= PAGE_SIZE;
	}
	m->stats.table_bytes -= m->frames * sizeof(*m->frame);
	kvfree(m->frame);
	m->frame = NULL;
	m->frames = 0;
}

u64 pvm_backing_run(const struct pvm_mem *m, u64 gpa, u64 max, u64 *bytes)
{
	u64 hpa = PVM_NO_ADDR, offset = 0, got = 0;

	while (got < max) {
		unsigned long e = pvm_frame(m, gpa + got, &offset);
		/* A 4 KiB entry's offset is within its page, a large one's within 2 MiB. */
		void *frame = m->frame[(gpa + got) >> PVM_LARGE_SHIFT];
		bool small = backing_smalls((unsigned long)frame);
		u64 at = __pa(e & ~PVM_FRAME_TAGS) + offset;

		if (got && at != hpa + got)
			break;
		if (!got)
			hpa = at;
		got += (small ? PVM_PAGE_BYTES : PVM_LARGE_BYTES) - offset;
	}
	*bytes = min(got, max);
	return hpa;
}
