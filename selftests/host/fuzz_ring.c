// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings whose guest writes anything anywhere.
 *
 * The input is a list of steps: patch guest memory (biased to where the ring
 * lies), pop, push, unpop, ask about notifications. Memory outside the guest's is
 * the sanitizer's business; here: bounds of what comes out, and that a broken ring
 * stays so.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include <stdlib.h>
#include "ring_driver.h"

#define SEGS	20
#define PIECES	8

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

struct input {
	const u8 *p;
	size_t left;
};

static u64 take(struct input *in, u32 bytes)
{
	u64 v = 0;

	if (bytes > in->left)
		bytes = in->left;
	memcpy(&v, in->p, bytes);
	in->p += bytes;
	in->left -= bytes;
	return v;
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* An address that is likely to matter. */
static u64 some_gpa(struct input *in, const struct pvm_ring *r)
{
	u8 how = take(in, 1);
	u16 off = take(in, 2);

	switch (how & 7) {
	case 0:
		return r->desc_gpa + off % 0x400;
	case 1:
		return r->avail_gpa + off % 0x60;
	case 2:
		return r->used_gpa + off % 0x120;
	case 3:
		return HOLE_GPA - off % 0x80;
	case 4:
		return take(in, 8);
	default:
		return RAM_GPA + off * 4;
	}
}

static void patch(struct input *in, const struct pvm_ring *r)
{
	u64 at = some_gpa(in, r);
	u32 i, n = 1 + (take(in, 1) & 15);

	for (i = 0; i < n; i++) {
		u8 *p = ram_ptr(NULL, at + i, 1);

		if (p)
			*p = take(in, 1);
	}
}

/* A whole, mostly well-formed descriptor, so that walks get somewhere. */
static void patch_desc(struct input *in, const struct pvm_ring *r)
{
	u64 table = take(in, 1) & 1 ? r->desc_gpa : RAM_GPA + 0x8000;
	u32 i = take(in, 1) % 32;

	if (!ram_ptr(NULL, table + i * 16, 16))
		return;
	put_desc(table, i, some_gpa(in, r), take(in, 1) & 1 ? take(in, 4) : (take(in, 1) + 1) * 16,
		 take(in, 1) & 7, take(in, 1) % 40);
}

static void use_chain(const struct pvm_ring_chain *c, struct input *in)
{
	struct pvm_ring_piece piece[PIECES];
	u64 done, total = 0, skip = take(in, 2), limit = take(in, 2);
	u8 buf[64];
	int n, i;

	check(c->count <= SEGS && c->readable <= c->count);
	n = pvm_ring_pieces(&ram_mem, c->seg, c->count, skip, limit, piece, PIECES, &done);
	check(n <= PIECES && done <= limit);
	for (i = 0; i < n; i++) {
		check((u8 *)piece[i].ptr >= ram && piece[i].bytes <= RAM_BYTES);
		check((u8 *)piece[i].ptr + piece[i].bytes <= ram + RAM_BYTES);
		total += piece[i].bytes;
	}
	check(n < 0 || total == done);
	pvm_ring_copy_from(&ram_mem, c->seg, c->readable, skip, buf, sizeof(buf));
	pvm_ring_copy_to(&ram_mem, c->seg + c->readable, c->count - c->readable, skip, buf,
			 sizeof(buf));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct input in = { data, bytes };
	struct pvm_ring_seg seg[SEGS];
	struct pvm_ring_chain c = { .seg = seg, .max = SEGS };
	struct pvm_ring r;
	u8 setup = take(&in, 1);
	u16 size = 1 << (setup & 7);
	u32 popped = 0;

	memset(ram, 0, sizeof(ram));
	if (pvm_ring_start(&r, &ram_mem, size, RAM_GPA + (take(&in, 1) << 4),
			   RAM_GPA + 0x1000 + (take(&in, 2) & 0x1ffe),
			   RAM_GPA + 0x3000 + (take(&in, 2) & 0x3ffc)))
		return 0;
	r.event_idx = setup & 0x10;
	r.indirect = setup & 0x20;
	while (in.left) {
		bool broken = r.broken;
		int n;

		switch (take(&in, 1) % 8) {
		case 0:
			patch(&in, &r);
			break;
		case 1:
			patch_desc(&in, &r);
			break;
		case 2: {
			/* publish a few entries, so that there is something to pop */
			u8 *idx = ram_ptr(NULL, r.avail_gpa + 2, 2);

			if (idx)
				put_unaligned_le16(get_unaligned_le16(idx) + take(&in, 1) % 4, idx);
			break;
		}
		case 3:
		case 4:
			n = pvm_ring_pop(&r, &c);
			check(n <= 1 && (n != 1 || !r.broken) && (n >= 0 || r.broken));
			check(!broken || n < 0);
			if (n == 1) {
				check(c.head < size);
				use_chain(&c, &in);
				popped++;
			}
			break;
		case 5:
			pvm_ring_push(&r, take(&in, 2), take(&in, 4));
			check(!pvm_ring_should_interrupt(&r) || !r.broken);
			break;
		case 6:
			if (popped) {
				pvm_ring_unpop(&r, 1);
				popped--;
			}
			break;
		case 7:
			pvm_ring_notify_disable(&r);
			if (pvm_ring_notify_enable(&r, take(&in, 1) & 3))
				check(!r.broken);
			break;
		}
		check(!broken || r.broken);
	}
	return 0;
}
