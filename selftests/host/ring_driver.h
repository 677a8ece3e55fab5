/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory and a driver's side of a split ring.
 *
 * World:   host tests
 * Context: single-threaded unless the test says otherwise
 */
#ifndef PVM_RING_DRIVER_H
#define PVM_RING_DRIVER_H

#include <pvm/env.h>
#include "virtio/virtio.h"

#define RAM_GPA		0x10000ull
#define RAM_BYTES	(256ull << 10)
#define HOLE_GPA	(RAM_GPA + RAM_BYTES)

#define F_NEXT		1
#define F_WRITE		2
#define F_INDIRECT	4

static u8 ram[RAM_BYTES] __aligned(4096);

static inline void *ram_ptr(void *ctx, u64 gpa, u64 bytes)
{
	if (gpa < RAM_GPA || gpa >= HOLE_GPA || bytes > HOLE_GPA - gpa ||
	    (gpa & 4095) + bytes > 4096)
		return NULL;
	return ram + (gpa - RAM_GPA);
}

static const struct pvm_ring_mem ram_mem = { .ptr = ram_ptr };

/* Where a ring's parts lie, and the driver's indices. */
struct driver {
	u16 size;
	u64 desc, avail, used;
	u16 idx;
};

static inline void ram16(u64 gpa, u16 v)
{
	put_unaligned_le16(v, ram + (gpa - RAM_GPA));
}

static inline u16 get16(u64 gpa)
{
	return get_unaligned_le16(ram + (gpa - RAM_GPA));
}

static inline u32 get32(u64 gpa)
{
	return get_unaligned_le32(ram + (gpa - RAM_GPA));
}

static inline void put_desc(u64 table, u32 i, u64 gpa, u32 bytes, u16 flags, u16 next)
{
	u8 *p = ram + (table + i * 16 - RAM_GPA);

	put_unaligned_le64(gpa, p);
	put_unaligned_le32(bytes, p + 8);
	put_unaligned_le16(flags, p + 12);
	put_unaligned_le16(next, p + 14);
}

/* The entry only; publish() shows it. */
static inline void offer(struct driver *d, u16 head)
{
	ram16(d->avail + 4 + (d->idx++ & (d->size - 1)) * 2, head);
}

static inline void publish(struct driver *d)
{
	u16 *p = (u16 *)(ram + (d->avail + 2 - RAM_GPA));

	smp_wmb();
	WRITE_ONCE(*p, d->idx);
}

static inline u16 used_idx(const struct driver *d)
{
	u16 *p = (u16 *)(ram + (d->used + 2 - RAM_GPA));

	return READ_ONCE(*p);
}

static inline u64 used_event_gpa(const struct driver *d)
{
	return d->avail + 4 + d->size * 2;
}

static inline u64 avail_event_gpa(const struct driver *d)
{
	return d->used + 4 + d->size * 8;
}

#endif /* PVM_RING_DRIVER_H */
