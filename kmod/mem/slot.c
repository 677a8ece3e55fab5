// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest-physical map.
 *
 * Nouns. A slot is a range of guest-physical addresses with one kind of thing
 * behind it: RAM, ROM, or the host pages of a passed-through BAR. Slots never
 * overlap and lie sorted in one small array. What is in no slot is not memory:
 * an access there goes to the bus. The frame table says where the pages of RAM
 * and ROM are (backing.c). A listener is somebody who keeps a translation equal
 * to the slots: the second-level table for the processor, an IOMMU domain for
 * devices.
 *
 * Operations. Add RAM, add or remove a device range, join or leave as a
 * listener. All work in runs, the longest pieces that are contiguous in guest
 * and host, so that a listener can use the largest pages it has. Each is all or
 * nothing: when a listener cannot map a run, what it and others mapped is
 * undone. unmap is called with whole runs that map was called with, one or
 * several that adjoin, which is what makes it unable to fail (see mem/spt.c).
 *
 * Exclusion. m->lock, a rwsem, serialises all changes. The frame table is read
 * without it, by every device and every decoded access: RAM is added only while
 * the VM is built and goes only with the VM, so there is nothing to race with.
 *
 * Why removing is safe. Three parties may still use a translation that was
 * removed: a processor's TLB, a processor in the middle of a table walk, and a
 * thread in pvm_spt_walk(). del_device() first empties the entries, then raises
 * the TLB generation and waits until no vCPU is in the guest (each flushes
 * before it enters again), then, for threads, a grace period, and only then
 * gives table pages back. The BAR's pages are the device's and are not freed;
 * but when del_device() returns, the guest has no way to them.
 *
 * Tour 7.1: guest memory
 * The essay above is the tour. Who keeps a translation is a listener: the processor's
 * table in mem/spt.c, the devices' in iommu/map.c.
 *
 * World:   kernel
 * Context: process, may sleep; pvm_mem_ptr() any
 */
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include "mem/backing.h"

/* RAM above its own size: the hole for devices below 4 GiB, and room for moved pieces. */
#define SLOT_MAX_RAM_GPA	(2 * PVM_MEM_MAX_RAM_BYTES)
#define SLOT_MAX_GPA		(1ull << 48)

/* --- pages for the second-level table --- */

static struct pvm_mem *slot_mem(void *ctx)
{
	return ctx;
}

/* Memory encryption's bit is part of an address wherever the processor reads it. */
static void *slot_table_alloc(void *ctx, u64 *hpa)
{
	void *table = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT | __GFP_NOWARN);

	if (!table)
		return NULL;
	*hpa = __sme_set(__pa(table));
	slot_mem(ctx)->stats.table_bytes += PAGE_SIZE;
	return table;
}

/* Kept until slot_tables_free(): somebody may be walking it. */
static void slot_table_free(void *ctx, void *table, u64 hpa)
{
	struct pvm_mem *m = slot_mem(ctx);

	list_add(&virt_to_page(table)->lru, &m->dead_tables);
	m->stats.table_bytes -= PAGE_SIZE;
}

static void *slot_table_va(void *ctx, u64 hpa)
{
	return __va(__sme_clr(hpa));
}

/* Nobody walks them any more. */
static void slot_tables_free(struct pvm_mem *m)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &m->dead_tables, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

static int slot_spt_map(struct pvm_mem_listener *l, u64 gpa, u64 hpa, u64 bytes, u32 prot)
{
	struct pvm_mem *m = container_of(l, struct pvm_mem, spt_listener);

	return pvm_spt_map(&m->spt, gpa, prot & PVM_PROT_DEVICE ? hpa : __sme_set(hpa), bytes,
			   prot);
}

static void slot_spt_unmap(struct pvm_mem_listener *l, u64 gpa, u64 bytes)
{
	struct pvm_mem *m = container_of(l, struct pvm_mem, spt_listener);

	WARN_ON_ONCE(pvm_spt_unmap(&m->spt, gpa, bytes) != (s64)bytes);
}

/* --- life --- */

int pvm_mem_init(struct pvm_mem *m, const struct pvm_spt_fmt *fmt, u32 max_leaf_level)
{
	int err;

	memset(m, 0, sizeof(*m));
	init_rwsem(&m->lock);
	INIT_LIST_HEAD(&m->listeners);
	INIT_LIST_HEAD(&m->dead_tables);
	atomic64_set(&m->tlb_gen, 1);
	m->spt_pages.alloc = slot_table_alloc;
	m->spt_pages.free = slot_table_free;
	m->spt_pages.va = slot_table_va;
	m->spt_pages.ctx = m;
	err = pvm_spt_init(&m->spt, fmt, &m->spt_pages, max_leaf_level);
	if (err)
		return err;
	m->spt_listener.map = slot_spt_map;
	m->spt_listener.unmap = slot_spt_unmap;
	list_add(&m->spt_listener.node, &m->listeners);
	return 0;
}

void pvm_mem_fini(struct pvm_mem *m)
{
	u32 i;

	if (!m->spt.root)
		return;
	WARN_ON_ONCE(!list_is_singular(&m->listeners));	/* an IOMMU would still see the pages */
	pvm_spt_fini(&m->spt);
	slot_tables_free(m);
	for (i = 0; i < m->slots; i++)
		if (m->slot[i].kind != PVM_SLOT_DEVICE)
			pvm_backing_drop(m, &m->slot[i]);
	m->slots = 0;
	pvm_backing_fini(m);
}

/* --- runs and listeners --- */

/* The run of @s that begins @done bytes into it: host address, and its length. */
static u64 slot_run(const struct pvm_mem *m, const struct pvm_slot *s, u64 done, u64 *bytes)
{
	if (s->kind != PVM_SLOT_DEVICE)
		return pvm_backing_run(m, s->gpa + done, s->bytes - done, bytes);
	*bytes = s->bytes - done;
	return s->hpa + done;
}

/* Unmaps the runs of the first @end bytes of @s. */
static void slot_unmap(struct pvm_mem *m, struct pvm_mem_listener *l, const struct pvm_slot *s,
		       u64 end)
{
	u64 done, bytes;

	for (done = 0; done < end; done += bytes) {
		slot_run(m, s, done, &bytes);
		l->unmap(l, s->gpa + done, bytes);
		cond_resched();
	}
}

static int slot_map(struct pvm_mem *m, struct pvm_mem_listener *l, const struct pvm_slot *s)
{
	u64 done, bytes, hpa;
	int err;

	for (done = 0; done < s->bytes; done += bytes) {
		hpa = slot_run(m, s, done, &bytes);
		err = l->map(l, s->gpa + done, hpa, bytes, s->prot);
		if (err) {
			slot_unmap(m, l, s, done);
			return err;
		}
		cond_resched();
	}
	return 0;
}

static int slot_map_all(struct pvm_mem *m, const struct pvm_slot *s)
{
	struct pvm_mem_listener *l;
	int err;

	list_for_each_entry(l, &m->listeners, node) {
		err = slot_map(m, l, s);
		if (err)
			goto err_unmap;
	}
	return 0;

err_unmap:
	list_for_each_entry_continue_reverse(l, &m->listeners, node)
		slot_unmap(m, l, s, s->bytes);
	return err;
}

int pvm_mem_listen(struct pvm_mem *m, struct pvm_mem_listener *l)
{
	int err = 0;
	u32 i;

	down_write(&m->lock);
	for (i = 0; i < m->slots; i++) {
		err = slot_map(m, l, &m->slot[i]);
		if (err)
			break;
	}
	if (err)
		while (i--)
			slot_unmap(m, l, &m->slot[i], m->slot[i].bytes);
	else
		list_add_tail(&l->node, &m->listeners);
	up_write(&m->lock);
	return err;
}

void pvm_mem_unlisten(struct pvm_mem *m, struct pvm_mem_listener *l)
{
	u32 i;

	down_write(&m->lock);
	list_del(&l->node);
	for (i = 0; i < m->slots; i++)
		slot_unmap(m, l, &m->slot[i], m->slot[i].bytes);
	up_write(&m->lock);
}

/* --- slots --- */

/*
 * After a change took translations away: see "Why removing is safe". The wait
 * for vCPUs comes before the one for threads, so one grace period serves both.
 */
static void slot_flush(struct pvm_mem *m)
{
	pvm_mem_flush_all(m);
	if (list_empty(&m->dead_tables))
		return;
	synchronize_rcu_expedited();
	slot_tables_free(m);
}

/* Where a slot at @gpa belongs, or -EINVAL, -EEXIST, -ENOSPC. */
static int slot_place(struct pvm_mem *m, u64 gpa, u64 bytes, u64 max_gpa)
{
	u32 i;

	lockdep_assert_held_write(&m->lock);
	if (!bytes || (gpa | bytes) & ~PVM_PAGE_MASK || gpa >= max_gpa || bytes > max_gpa - gpa)
		return -EINVAL;
	for (i = 0; i < m->slots && m->slot[i].gpa < gpa; i++)
		;
	if (i && gpa - m->slot[i - 1].gpa < m->slot[i - 1].bytes)
		return -EEXIST;
	if (i < m->slots && m->slot[i].gpa - gpa < bytes)
		return -EEXIST;
	return m->slots == PVM_MEM_MAX_SLOTS ? -ENOSPC : (int)i;
}

/* RAM that continues RAM makes one slot, however many pieces a large guest is built of. */
static void slot_insert(struct pvm_mem *m, const struct pvm_slot *s, u32 at)
{
	struct pvm_slot *before = at ? &m->slot[at - 1] : NULL;

	if (before && s->kind != PVM_SLOT_DEVICE && before->kind == s->kind &&
	    before->prot == s->prot && before->gpa + before->bytes == s->gpa) {
		before->bytes += s->bytes;
		return;
	}
	memmove(&m->slot[at + 1], &m->slot[at], (m->slots - at) * sizeof(*s));
	m->slot[at] = *s;
	m->slots++;
}

int pvm_mem_add_ram(struct pvm_mem *m, u64 gpa, u64 bytes, u32 prot, int node)
{
	struct pvm_slot s = {
		.gpa = gpa,
		.bytes = bytes,
		.prot = prot,
		.kind = prot & PVM_PROT_WRITE ? PVM_SLOT_RAM : PVM_SLOT_ROM,
	};
	int at, err;

	if (!(prot & PVM_PROT_READ) || prot & PVM_PROT_DEVICE || bytes > PVM_MEM_MAX_RAM_BYTES)
		return -EINVAL;
	down_write(&m->lock);
	at = err = slot_place(m, gpa, bytes, SLOT_MAX_RAM_GPA);
	if (err < 0)
		goto out;
	err = pvm_backing_reserve(m, gpa + bytes);
	if (err)
		goto out;
	err = pvm_backing_fill(m, &s, node);
	if (err)
		goto out;
	err = slot_map_all(m, &s);
	if (err) {
		slot_flush(m);
		pvm_backing_drop(m, &s);
		goto out;
	}
	slot_insert(m, &s, at);
out:
	up_write(&m->lock);
	return err;
}

int pvm_mem_add_device(struct pvm_mem *m, u64 gpa, u64 hpa, u64 bytes, u32 prot)
{
	struct pvm_slot s = {
		.gpa = gpa,
		.bytes = bytes,
		.hpa = hpa,
		.prot = prot | PVM_PROT_DEVICE,
		.kind = PVM_SLOT_DEVICE,
	};
	int at, err;

	if (!(prot & PVM_PROT_READ) || hpa & ~PVM_PAGE_MASK || hpa + bytes < hpa)
		return -EINVAL;
	down_write(&m->lock);
	at = err = slot_place(m, gpa, bytes, SLOT_MAX_GPA);
	if (err < 0)
		goto out;
	err = slot_map_all(m, &s);
	if (err)
		slot_flush(m);
	else
		slot_insert(m, &s, at);
out:
	up_write(&m->lock);
	return err;
}

void pvm_mem_del_device(struct pvm_mem *m, u64 gpa)
{
	struct pvm_mem_listener *l;
	struct pvm_slot s;
	u32 i;

	down_write(&m->lock);
	for (i = 0; i < m->slots; i++)
		if (m->slot[i].gpa == gpa && m->slot[i].kind == PVM_SLOT_DEVICE)
			break;
	if (i < m->slots) {
		s = m->slot[i];
		m->slots--;
		memmove(&m->slot[i], &m->slot[i + 1], (m->slots - i) * sizeof(s));
		list_for_each_entry(l, &m->listeners, node)
			slot_unmap(m, l, &s, s.bytes);
		slot_flush(m);
	}
	up_write(&m->lock);
}

/* --- lookup --- */

void *pvm_mem_ptr(struct pvm_mem *m, u64 gpa, u64 bytes)
{
	unsigned long e;
	u64 offset;

	if (unlikely(bytes > PVM_PAGE_BYTES - (gpa & ~PVM_PAGE_MASK)))
		return NULL;
	e = pvm_frame(m, gpa, &offset);
	if (unlikely(!e))
		return NULL;
	return (void *)(e & ~PVM_FRAME_TAGS) + offset;
}
