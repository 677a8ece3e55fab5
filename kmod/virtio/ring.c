// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split virtqueues, seen from the device.
 *
 * The guest may change its memory at any moment, so every value is read once,
 * kept, and checked where it is kept. Nothing that the device wrote is ever read
 * back. A chain holds at most as many segments as the caller has room for, which
 * also ends loops. A ring whose guest broke a rule is given up until the driver
 * resets the device.
 *
 * An exception to the rule that models run under the device's lock: the worker
 * of a queue is the only consumer and runs without it (see virtio.h).
 *
 * World:   pure
 * Context: any; consumer and producer side each called by one at a time
 * Spec:    VIRTIO r1.2, sec 2.7 "Split Virtqueues"
 */
#include <pvm/env.h>
#include "virtio/virtio.h"

#define DESC_BYTES		16
#define DESC_F_NEXT		1
#define DESC_F_WRITE		2
#define DESC_F_INDIRECT		4
#define AVAIL_F_NO_INTERRUPT	1
#define USED_F_NO_NOTIFY	1

/* Offsets in the two rings: flags, idx, entries, event. */
#define RING_IDX		2
#define RING_ENTRIES		4
#define AVAIL_ENTRY_BYTES	2
#define USED_ENTRY_BYTES	8

struct desc {
	u64 gpa;
	u32 bytes;
	u16 flags;
	u16 next;
};

static u64 avail_bytes(const struct pvm_ring *r)
{
	return RING_ENTRIES + (u64)r->size * AVAIL_ENTRY_BYTES + 2;
}

static u64 used_bytes(const struct pvm_ring *r)
{
	return RING_ENTRIES + (u64)r->size * USED_ENTRY_BYTES + 2;
}

static bool broke(struct pvm_ring *r)
{
	WRITE_ONCE(r->broken, true);
	return false;
}

static bool load16(struct pvm_ring *r, u64 gpa, u16 *val)
{
	__le16 *p = r->mem->ptr(r->mem->ctx, gpa, sizeof(*p));

	if (!p)
		return broke(r);
	*val = le16_to_cpu(READ_ONCE(*p));
	return true;
}

static void store16(struct pvm_ring *r, u64 gpa, u16 val)
{
	__le16 *p = r->mem->ptr(r->mem->ctx, gpa, sizeof(*p));

	if (p)
		WRITE_ONCE(*p, cpu_to_le16(val));
	else
		broke(r);
}

static void store32(struct pvm_ring *r, u64 gpa, u32 val)
{
	__le32 *p = r->mem->ptr(r->mem->ctx, gpa, sizeof(*p));

	if (p)
		WRITE_ONCE(*p, cpu_to_le32(val));
	else
		broke(r);
}

static bool load_desc(struct pvm_ring *r, u64 gpa, struct desc *d)
{
	__le64 *p = r->mem->ptr(r->mem->ctx, gpa, DESC_BYTES);
	u64 rest;

	if (!p)
		return broke(r);
	d->gpa = le64_to_cpu(READ_ONCE(p[0]));
	rest = le64_to_cpu(READ_ONCE(p[1]));
	d->bytes = rest;
	d->flags = rest >> 32;
	d->next = rest >> 48;
	return true;
}

static bool in_ram(const struct pvm_ring_mem *mem, u64 gpa, u64 bytes)
{
	return gpa + bytes > gpa && mem->ptr(mem->ctx, gpa, 1) &&
	       mem->ptr(mem->ctx, gpa + bytes - 1, 1);
}

int pvm_ring_start(struct pvm_ring *r, const struct pvm_ring_mem *mem, u16 size, u64 desc_gpa,
		   u64 avail_gpa, u64 used_gpa)
{
	*r = (struct pvm_ring){ .mem = mem };
	if (!is_power_of_2(size) || size > PVM_RING_MAX_SIZE || (desc_gpa & 15) ||
	    (avail_gpa & 1) || (used_gpa & 3))
		return -EINVAL;
	r->desc_gpa = desc_gpa;
	r->avail_gpa = avail_gpa;
	r->used_gpa = used_gpa;
	r->size = size;
	/* Each access checks again; this only catches nonsense early. */
	if (!in_ram(mem, desc_gpa, (u64)size * DESC_BYTES) ||
	    !in_ram(mem, avail_gpa, avail_bytes(r)) || !in_ram(mem, used_gpa, used_bytes(r))) {
		r->size = 0;
		return -EFAULT;
	}
	return 0;
}

/* --- consumer ----------------------------------------------------------------- */

/* How many chains wait; 0 on a broken ring. */
static u16 waiting(struct pvm_ring *r)
{
	u16 idx;

	if (!r->size || READ_ONCE(r->broken) || !load16(r, r->avail_gpa + RING_IDX, &idx))
		return 0;
	idx -= r->avail_next;
	return idx <= r->size ? idx : broke(r);
}

bool pvm_ring_more(struct pvm_ring *r)
{
	return waiting(r) > 0;
}

static bool add_seg(struct pvm_ring_chain *c, const struct desc *d)
{
	bool write = d->flags & DESC_F_WRITE;

	if (c->count == c->max || (!write && c->count > c->readable))
		return false;
	c->seg[c->count++] = (struct pvm_ring_seg){ d->gpa, d->bytes };
	if (write) {
		c->write_bytes += d->bytes;
	} else {
		c->readable++;
		c->read_bytes += d->bytes;
	}
	return true;
}

/* Follows a chain through @table of @entries descriptors from @i; bounded by c->max. */
static bool walk(struct pvm_ring *r, struct pvm_ring_chain *c, u64 table_gpa, u32 entries, u32 i,
		 struct desc *indirect)
{
	struct desc d;

	do {
		if (i >= entries || !load_desc(r, table_gpa + (u64)i * DESC_BYTES, &d))
			return false;
		if (d.flags & DESC_F_INDIRECT) {
			/* It ends its chain, and none lies inside another. */
			if (!indirect || !r->indirect || (d.flags & DESC_F_NEXT))
				return false;
			*indirect = d;
			return true;
		}
		if (!add_seg(c, &d))
			return false;
		i = d.next;
	} while (d.flags & DESC_F_NEXT);
	return true;
}

static bool walk_all(struct pvm_ring *r, struct pvm_ring_chain *c)
{
	struct desc indirect = { 0 };
	u32 entries;

	if (!walk(r, c, r->desc_gpa, r->size, c->head, &indirect))
		return false;
	if (!(indirect.flags & DESC_F_INDIRECT))
		return true;
	entries = indirect.bytes / DESC_BYTES;
	/* Aligned, so that no descriptor crosses a page. */
	if (!entries || indirect.bytes % DESC_BYTES || entries > PVM_RING_MAX_SIZE ||
	    (indirect.gpa & (DESC_BYTES - 1)) || indirect.gpa + indirect.bytes < indirect.gpa)
		return false;
	return walk(r, c, indirect.gpa, entries, 0, NULL);
}

int pvm_ring_pop(struct pvm_ring *r, struct pvm_ring_chain *c)
{
	u16 slot;

	if (!pvm_ring_more(r))
		return READ_ONCE(r->broken) ? -EINVAL : 0;
	smp_rmb();	/* entries after idx; pairs with the driver's barrier before it moves idx */
	slot = r->avail_next & (r->size - 1);
	c->count = 0;
	c->readable = 0;
	c->read_bytes = 0;
	c->write_bytes = 0;
	if (!load16(r, r->avail_gpa + RING_ENTRIES + slot * AVAIL_ENTRY_BYTES, &c->head) ||
	    c->head >= r->size || !walk_all(r, c)) {
		broke(r);
		return -EINVAL;
	}
	r->avail_next++;
	return 1;
}

void pvm_ring_unpop(struct pvm_ring *r, u16 count)
{
	r->avail_next -= count;
}

void pvm_ring_notify_disable(struct pvm_ring *r)
{
	/* With event_idx it is enough not to move avail_event on. */
	if (!r->event_idx)
		store16(r, r->used_gpa, USED_F_NO_NOTIFY);
}

bool pvm_ring_notify_enable(struct pvm_ring *r, u16 seen)
{
	if (r->event_idx)
		store16(r, r->used_gpa + used_bytes(r) - 2, r->avail_next + seen);
	else
		store16(r, r->used_gpa, 0);
	smp_mb();	/* then look again; pairs with the driver's between idx and avail_event */
	return waiting(r) > seen;
}

/* --- producer ----------------------------------------------------------------- */

void pvm_ring_push_many(struct pvm_ring *r, const u16 *head, const u32 *bytes, u32 count)
{
	u32 i;

	if (READ_ONCE(r->broken))
		return;
	for (i = 0; i < count; i++) {
		u64 entry_gpa = r->used_gpa + RING_ENTRIES +
				(u64)(r->used_next++ & (r->size - 1)) * USED_ENTRY_BYTES;

		/* The two halves may lie in different pages. */
		store32(r, entry_gpa, head[i]);
		store32(r, entry_gpa + 4, bytes[i]);
	}
	smp_wmb();	/* entries and data before idx; pairs with the driver's after reading it */
	store16(r, r->used_gpa + RING_IDX, r->used_next);
}

void pvm_ring_push(struct pvm_ring *r, u16 head, u32 bytes)
{
	pvm_ring_push_many(r, &head, &bytes, 1);
}

bool pvm_ring_should_interrupt(struct pvm_ring *r)
{
	u16 event, flags, old = r->signalled;

	if (READ_ONCE(r->broken))
		return false;
	smp_mb();	/* idx before used_event; pairs with the driver's between those two */
	if (!r->event_idx)
		return load16(r, r->avail_gpa, &flags) && !(flags & AVAIL_F_NO_INTERRUPT);
	if (!load16(r, r->avail_gpa + avail_bytes(r) - 2, &event))
		return false;
	r->signalled = r->used_next;
	/* Did idx pass @event on its way from @old? VIRTIO r1.2, sec 2.7.7.2 */
	return (u16)(r->used_next - event - 1) < (u16)(r->used_next - old);
}

/* --- payload ------------------------------------------------------------------- */

int pvm_ring_pieces(const struct pvm_ring_mem *mem, const struct pvm_ring_seg *seg, u32 segs,
		    u64 skip, u64 bytes, struct pvm_ring_piece *piece, u32 max, u64 *done)
{
	u32 i, n = 0;

	*done = 0;
	for (i = 0; i < segs && bytes; i++) {
		u64 gpa = seg[i].gpa, left = seg[i].bytes;

		if (skip >= left) {
			skip -= left;
			continue;
		}
		gpa += skip;
		left = min_t(u64, left - skip, bytes);
		skip = 0;
		if (gpa + left < gpa)
			return -EFAULT;
		while (left) {
			u32 now = min_t(u64, left, PVM_PAGE_BYTES - (gpa & ~PVM_PAGE_MASK));
			u8 *p = mem->ptr(mem->ctx, gpa, now);

			if (!p)
				return -EFAULT;
			if (n && (u8 *)piece[n - 1].ptr + piece[n - 1].bytes == p &&
			    piece[n - 1].bytes <= (1u << 30)) {
				piece[n - 1].bytes += now;
			} else {
				if (n == max)
					return n;
				piece[n++] = (struct pvm_ring_piece){ p, now };
			}
			gpa += now;
			left -= now;
			bytes -= now;
			*done += now;
		}
	}
	return n;
}

/* One piece after the other, so that no room for all of them is needed. */
static bool copy(const struct pvm_ring_mem *mem, const struct pvm_ring_seg *seg, u32 segs,
		 u64 skip, u8 *buf, u32 bytes, bool to_guest)
{
	struct pvm_ring_piece p;
	u64 done;

	while (bytes) {
		if (pvm_ring_pieces(mem, seg, segs, skip, bytes, &p, 1, &done) <= 0)
			return false;
		if (to_guest)
			memcpy(p.ptr, buf, done);
		else
			memcpy(buf, p.ptr, done);
		buf += done;
		skip += done;
		bytes -= done;
	}
	return true;
}

bool pvm_ring_copy_from(const struct pvm_ring_mem *mem, const struct pvm_ring_seg *seg, u32 segs,
			u64 skip, void *to, u32 bytes)
{
	return copy(mem, seg, segs, skip, to, bytes, false);
}

bool pvm_ring_copy_to(const struct pvm_ring_mem *mem, const struct pvm_ring_seg *seg, u32 segs,
		      u64 skip, const void *from, u32 bytes)
{
	return copy(mem, seg, segs, skip, (u8 *)from, bytes, true);
}
