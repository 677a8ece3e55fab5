// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second-level page table: guest-physical to host-physical.
 *
 * Nouns. A table is a 4 KiB page of 512 entries. The root is a table of level
 * 4; an entry of a level-N table is empty, points to a table of level N-1, or
 * is a leaf that maps 2^(12 + 9 * (N-1)) bytes: 4 KiB at level 1, 2 MiB at
 * level 2, 1 GiB at level 3. Level 4 has no leaves. Two formats spell the same
 * tree, EPT and NPT; struct pvm_spt_fmt turns {address, protection} into an
 * entry and back, and nothing else here knows a bit of either.
 *
 * Operations. map() fills an empty range with the largest leaves that the
 * alignment of both addresses allows. unmap() empties a range. walk() asks what
 * is there. There is no fault path: guest memory is mapped before the guest
 * runs and stays where it is, so a violation is always an access to a device or
 * to nothing.
 *
 * Invariants, true between any two calls:
 *  - a table other than the root has at least one entry that is not empty, so
 *    what a guest can make us spend on tables is bounded by what is mapped;
 *  - leaves never overlap, which the shape of the tree gives for free;
 *  - an entry changes with one 8-byte store, and what it points to is complete
 *    before: processors walk the tree while we change it.
 *
 * Failing. map() undoes itself, and needs no memory for that: it placed whole
 * leaves and removes whole leaves. unmap() may have to split a large leaf at
 * each end of its range; it takes the tables for that (at most four) before it
 * changes anything. A range that one map() call mapped begins and ends at
 * leaves, so unmapping it needs none, and teardown cannot fail.
 *
 * Exclusion. Callers serialise map() and unmap() (mem->lock). walk() and the
 * processors' own walks run beside them; they may follow a pointer to a table
 * that unmap() has just given back. Therefore the free callback must keep a
 * table's page until no walk can hold it: mem/slot.c collects the pages and
 * frees them after the TLB flush.
 *
 * Tour 7.2: one tree, two spellings
 * Map, unmap and walk know no format: spt_npt.c and spt_ept.c do, in some eighty lines
 * each.
 *
 * World:   pure
 * Context: changes serialised by the caller; walk() as mem/spt.h says
 * Spec:    SDM3 "EPT Translation Mechanism"; APM2 15.25.5
 */
#include "mem/spt.h"

#define SPT_ENTRIES	512
#define SPT_INDEX_BITS	9
#define SPT_GPA_END	(1ull << 48)
#define SPT_HPA_END	(1ull << 52)

/* Splitting takes 1 GiB to 2 MiB to 4 KiB at each of the two ends. */
#define SPT_MAX_SPLITS	4

static u64 spt_leaf_bytes(u32 level)
{
	return PVM_PAGE_BYTES << (SPT_INDEX_BITS * (level - 1));
}

static u32 spt_index(u64 gpa, u32 level)
{
	return gpa >> (PVM_PAGE_SHIFT + SPT_INDEX_BITS * (level - 1)) & (SPT_ENTRIES - 1);
}

static void spt_set(u64 *entry, u64 raw)
{
	smp_wmb();	/* what @raw points to, before it: pairs with the walk's dependency */
	WRITE_ONCE(*entry, raw);
}

static u64 *spt_alloc(struct pvm_spt *s, u64 *hpa)
{
	u64 *table = s->pages->alloc(s->pages->ctx, hpa);

	if (table)
		s->tables++;
	return table;
}

static void spt_free(struct pvm_spt *s, u64 *table, u64 hpa)
{
	s->tables--;
	s->pages->free(s->pages->ctx, table, hpa);
}

static bool spt_empty(const u64 *table)
{
	u32 i;

	for (i = 0; i < SPT_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

/* The chain of tables from the root towards @gpa: table[4] .. table[level]. */
struct spt_path {
	u64 *table[PVM_SPT_LEVELS + 1];
	u64 hpa[PVM_SPT_LEVELS + 1];	/* of the same; unused for the root */
	u32 level;			/* of the lowest table */
	u64 *entry;			/* in that table */
	struct pvm_spt_entry e;		/* what it says: empty or a leaf */
};

/* Goes down to the entry that decides about @gpa, or to a table of @floor. */
static void spt_descend(const struct pvm_spt *s, u64 gpa, u32 floor, struct spt_path *p)
{
	p->level = PVM_SPT_LEVELS;
	p->table[p->level] = s->root;
	for (;;) {
		p->entry = &p->table[p->level][spt_index(gpa, p->level)];
		s->fmt->parse(READ_ONCE(*p->entry), p->level, &p->e);
		if (!p->e.present || p->e.leaf || p->level == floor)
			return;
		p->level--;
		p->table[p->level] = s->pages->va(s->pages->ctx, p->e.hpa);
		p->hpa[p->level] = p->e.hpa;
	}
}

/* Gives back the tables above @p's entry that hold nothing any more. */
static void spt_prune(struct pvm_spt *s, u64 gpa, struct spt_path *p)
{
	u32 level;

	for (level = p->level; level < PVM_SPT_LEVELS && spt_empty(p->table[level]); level++) {
		spt_set(&p->table[level + 1][spt_index(gpa, level + 1)], 0);
		spt_free(s, p->table[level], p->hpa[level]);
	}
}

int pvm_spt_init(struct pvm_spt *s, const struct pvm_spt_fmt *fmt,
		 const struct pvm_spt_pages *pages, u32 max_leaf_level)
{
	s->fmt = fmt;
	s->pages = pages;
	s->max_leaf_level = clamp(max_leaf_level, 1u, PVM_SPT_LEVELS - 1u);
	s->tables = 0;
	s->root = spt_alloc(s, &s->root_hpa);
	return s->root ? 0 : -ENOMEM;
}

/* Gives back the tables below @table; the recursion is as deep as the tree, 3. */
static void spt_free_below(struct pvm_spt *s, u64 *table, u32 level)
{
	struct pvm_spt_entry e;
	u64 *below;
	u32 i;

	for (i = 0; i < SPT_ENTRIES; i++) {
		s->fmt->parse(table[i], level, &e);
		if (!e.present || e.leaf)
			continue;
		below = s->pages->va(s->pages->ctx, e.hpa);
		spt_free_below(s, below, level - 1);
		spt_free(s, below, e.hpa);
	}
}

void pvm_spt_fini(struct pvm_spt *s)
{
	if (!s->root)
		return;
	spt_free_below(s, s->root, PVM_SPT_LEVELS);
	spt_free(s, s->root, s->root_hpa);
	s->root = NULL;
}

/* --- map --- */

/* Level of the largest leaf that may start at these addresses and fits into @bytes. */
static u32 spt_leaf_level(const struct pvm_spt *s, u64 gpa, u64 hpa, u64 bytes)
{
	u32 level = s->max_leaf_level;

	while (level > 1 && ((gpa | hpa) & (spt_leaf_bytes(level) - 1) ||
			     bytes < spt_leaf_bytes(level)))
		level--;
	return level;
}

/* Places one leaf, making the tables on the way. On error there are none left. */
static int spt_map_leaf(struct pvm_spt *s, u64 gpa, u64 hpa, u32 prot, u32 level)
{
	struct spt_path p;
	u64 *table, table_hpa;

	spt_descend(s, gpa, level, &p);
	for (;;) {
		/* At the leaf's level a table means that part of the range is mapped. */
		if (p.e.present)
			return -EEXIST;
		if (p.level == level)
			break;
		table = spt_alloc(s, &table_hpa);
		if (!table) {
			spt_prune(s, gpa, &p);
			return -ENOMEM;
		}
		spt_set(p.entry, s->fmt->table(table_hpa));
		p.level--;
		p.table[p.level] = table;
		p.hpa[p.level] = table_hpa;
		p.entry = &table[spt_index(gpa, p.level)];
	}
	spt_set(p.entry, s->fmt->leaf(hpa, prot, level));
	return 0;
}

int pvm_spt_map(struct pvm_spt *s, u64 gpa, u64 hpa, u64 bytes, u32 prot)
{
	u64 done = 0;
	int err;

	if (!bytes || (gpa | hpa | bytes) & ~PVM_PAGE_MASK || !(prot & PVM_PROT_READ))
		return -EINVAL;
	if (gpa >= SPT_GPA_END || bytes > SPT_GPA_END - gpa ||
	    hpa >= SPT_HPA_END || bytes > SPT_HPA_END - hpa)
		return -EINVAL;

	while (done < bytes) {
		u32 level = spt_leaf_level(s, gpa + done, hpa + done, bytes - done);

		err = spt_map_leaf(s, gpa + done, hpa + done, prot, level);
		if (err)
			goto err_unmap;
		done += spt_leaf_bytes(level);
	}
	return 0;

err_unmap:
	if (done)
		pvm_spt_unmap(s, gpa, done);	/* whole leaves: cannot fail */
	return err;
}

/* --- unmap --- */

/* How many tables it takes so that a leaf begins at @gpa; 0 if one does or none is there. */
static u32 spt_splits_at(const struct pvm_spt *s, u64 gpa)
{
	struct spt_path p;
	u32 level, splits = 0;

	if (gpa >= SPT_GPA_END)
		return 0;
	spt_descend(s, gpa, 1, &p);
	if (!p.e.present)
		return 0;
	for (level = p.level; gpa & (spt_leaf_bytes(level) - 1); level--)
		splits++;
	return splits;
}

struct spt_reserve {
	u64 *table[SPT_MAX_SPLITS];
	u64 hpa[SPT_MAX_SPLITS];
	u32 count;
};

static int spt_reserve(struct pvm_spt *s, u32 count, struct spt_reserve *r)
{
	for (r->count = 0; r->count < count; r->count++) {
		r->table[r->count] = spt_alloc(s, &r->hpa[r->count]);
		if (!r->table[r->count])
			return -ENOMEM;
	}
	return 0;
}

static void spt_reserve_free(struct pvm_spt *s, struct spt_reserve *r)
{
	while (r->count) {
		r->count--;
		spt_free(s, r->table[r->count], r->hpa[r->count]);
	}
}

/* Replaces larger leaves by tables of smaller ones until a leaf begins at @gpa. */
static void spt_split(struct pvm_spt *s, u64 gpa, struct spt_reserve *r)
{
	u32 i, splits = spt_splits_at(s, gpa);
	u64 seen, step;
	struct spt_path p;
	u64 *table;

	while (splits--) {
		spt_descend(s, gpa, 1, &p);
		r->count--;
		table = r->table[r->count];
		seen = READ_ONCE(*p.entry) & (s->fmt->accessed | s->fmt->dirty);
		step = spt_leaf_bytes(p.level - 1);
		for (i = 0; i < SPT_ENTRIES; i++)
			table[i] = s->fmt->leaf(p.e.hpa + i * step, p.e.prot, p.level - 1) | seen;
		spt_set(p.entry, s->fmt->table(r->hpa[r->count]));
	}
}

s64 pvm_spt_unmap(struct pvm_spt *s, u64 gpa, u64 bytes)
{
	struct spt_reserve reserve = { .count = 0 };
	u64 end = gpa + bytes, mapped = 0, step;
	struct spt_path p;

	if ((gpa | bytes) & ~PVM_PAGE_MASK || gpa >= SPT_GPA_END || bytes > SPT_GPA_END - gpa)
		return -EINVAL;
	if (!bytes)
		return 0;
	/* One leaf may hold both ends; then the second count is one or two too high. */
	if (spt_reserve(s, spt_splits_at(s, gpa) + spt_splits_at(s, end), &reserve)) {
		spt_reserve_free(s, &reserve);
		return -ENOMEM;
	}
	spt_split(s, gpa, &reserve);
	spt_split(s, end, &reserve);
	spt_reserve_free(s, &reserve);

	/* A hole is skipped by the size of the entry that is empty. */
	while (gpa < end) {
		u64 next;

		spt_descend(s, gpa, 1, &p);
		step = spt_leaf_bytes(p.level);
		next = (gpa & ~(step - 1)) + step;
		if (p.e.present) {
			spt_set(p.entry, 0);
			mapped += step;
		}
		/* Looking through a whole table is due once: when leaving it. */
		if (next >= end || spt_index(gpa, p.level) == SPT_ENTRIES - 1)
			spt_prune(s, gpa, &p);
		gpa = next;
	}
	return mapped;
}

/* --- ask --- */

int pvm_spt_walk(const struct pvm_spt *s, u64 gpa, struct pvm_spt_entry *e, u32 *level)
{
	struct spt_path p;

	if (gpa >= SPT_GPA_END)
		return -ENOENT;
	spt_descend(s, gpa, 1, &p);
	if (!p.e.present)
		return -ENOENT;
	*e = p.e;
	*level = p.level;
	return 0;
}

u64 pvm_spt_root(const struct pvm_spt *s)
{
	return s->fmt->root(s->root_hpa);
}
