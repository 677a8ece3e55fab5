// SPDX-License-Identifier: GPL-2.0-only
/*
 * mem/spt.c against a model that knows every 4 KiB page, in all three formats.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include <stdlib.h>
#include <pvm/env.h>
#include "mem/spt.h"
#include "ktap.h"

#define PAGE		PVM_PAGE_BYTES
#define LARGE		PVM_LARGE_BYTES
#define GIANT		PVM_GIANT_BYTES

/* --- table pages, with failure on demand --- */

#define FAKE_HPA	0x4000000000ull
#define FAKE_PAGES	8192

static struct {
	void *page[FAKE_PAGES];
	u32 next;		/* where to look for a free one */
	u32 used;
	long fail_after;	/* that many more succeed; -1: all */
	u32 allocs;
} fake;

static void *fake_alloc(void *ctx, u64 *hpa)
{
	u32 i;

	if (fake.fail_after == 0)
		return NULL;
	if (fake.fail_after > 0)
		fake.fail_after--;
	for (i = 0; i < FAKE_PAGES && fake.page[fake.next]; i++)
		fake.next = (fake.next + 1) % FAKE_PAGES;
	if (i == FAKE_PAGES)
		abort();
	fake.page[fake.next] = calloc(1, PAGE);
	fake.used++;
	fake.allocs++;
	*hpa = FAKE_HPA + fake.next * PAGE;
	return fake.page[fake.next];
}

static u32 fake_index(u64 hpa)
{
	if (hpa < FAKE_HPA || hpa >= FAKE_HPA + FAKE_PAGES * PAGE || hpa % PAGE)
		abort();
	return (hpa - FAKE_HPA) / PAGE;
}

static void fake_free(void *ctx, void *table, u64 hpa)
{
	u32 i = fake_index(hpa);

	if (fake.page[i] != table)
		abort();
	free(table);
	fake.page[i] = NULL;
	fake.used--;
}

static void *fake_va(void *ctx, u64 hpa)
{
	void *page = fake.page[fake_index(hpa)];

	if (!page)
		abort();
	return page;
}

static const struct pvm_spt_pages fake_pages = {
	.alloc = fake_alloc,
	.free = fake_free,
	.va = fake_va,
};

static const struct pvm_spt_fmt *const formats[] = {
	&pvm_spt_npt_fmt, &pvm_spt_ept_fmt, &pvm_spt_ept_ad_fmt,
};

static struct pvm_spt spt;

static void start(const struct pvm_spt_fmt *fmt, u32 max_leaf_level)
{
	fake.fail_after = -1;
	expect_eq(pvm_spt_init(&spt, fmt, &fake_pages, max_leaf_level), 0);
	expect_eq(spt.tables, 1);
}

/* Everything is given back. */
static void finish(void)
{
	pvm_spt_fini(&spt);
	expect_eq(spt.tables, 0);
	expect_eq(fake.used, 0);
}

/* The leaf that maps @gpa: level, or 0 for none; the address and protection must fit. */
static u32 leaf_at(u64 gpa, u64 hpa, u32 prot)
{
	struct pvm_spt_entry e;
	u32 level;

	if (pvm_spt_walk(&spt, gpa, &e, &level))
		return 0;
	expect(e.present && e.leaf);
	expect_eq(e.hpa + (gpa & ((PAGE << 9 * (level - 1)) - 1)), hpa);
	expect_eq(e.prot, prot);
	return level;
}

/* --- fixed cases --- */

static void leaf_sizes(void)
{
	static const struct {
		u64 gpa, hpa, bytes;
		u32 max_level, level, tables;	/* of the first leaf; without the root */
	} t[] = {
		{ 0, 0, PAGE, 3, 1, 3 },
		{ 0, 0, LARGE, 3, 2, 2 },
		{ 0, 0, GIANT, 3, 3, 1 },
		{ 0, 0, GIANT, 2, 2, 2 },
		{ 0, 0, LARGE, 1, 1, 3 },
		{ 0, PAGE, LARGE, 3, 1, 3 },
		{ PAGE, 0, LARGE, 3, 1, 4 },
		{ LARGE, GIANT, GIANT, 3, 2, 3 },
		{ 0, LARGE, GIANT, 3, 2, 2 },
		{ GIANT - PAGE, GIANT - PAGE, PAGE + GIANT, 3, 1, 3 },
		{ (1ull << 39) - LARGE, 0, 2 * LARGE, 3, 2, 4 },
		{ (1ull << 48) - PAGE, (1ull << 52) - PAGE, PAGE, 3, 1, 3 },
		{ (1ull << 48) - GIANT, GIANT, GIANT, 3, 3, 1 },
	};
	u32 i, f;

	for (f = 0; f < ARRAY_SIZE(formats); f++) {
		for (i = 0; i < ARRAY_SIZE(t); i++) {
			start(formats[f], t[i].max_level);
			expect_eq(pvm_spt_map(&spt, t[i].gpa, t[i].hpa, t[i].bytes, PVM_PROT_RAM),
				  0);
			expect_eq(leaf_at(t[i].gpa, t[i].hpa, PVM_PROT_RAM), t[i].level);
			expect(leaf_at(t[i].gpa + t[i].bytes - 1, t[i].hpa + t[i].bytes - 1,
				       PVM_PROT_RAM));
			expect_msg(spt.tables == 1 + t[i].tables, "row %u: %u tables", i,
				   spt.tables);
			fake.fail_after = 0;
			expect_eq(pvm_spt_unmap(&spt, t[i].gpa, t[i].bytes), t[i].bytes);
			expect_eq(spt.tables, 1);
			finish();
		}
	}
}

static void bad_ranges(void)
{
	static const struct {
		u64 gpa, hpa, bytes;
		u32 prot;
	} t[] = {
		{ 0, 0, 0, PVM_PROT_RAM },
		{ 1, 0, PAGE, PVM_PROT_RAM },
		{ 0, 0x800, PAGE, PVM_PROT_RAM },
		{ 0, 0, PAGE + 1, PVM_PROT_RAM },
		{ 1ull << 48, 0, PAGE, PVM_PROT_RAM },
		{ (1ull << 48) - PAGE, 0, 2 * PAGE, PVM_PROT_RAM },
		{ 0, 1ull << 52, PAGE, PVM_PROT_RAM },
		{ 0, (1ull << 52) - PAGE, 2 * PAGE, PVM_PROT_RAM },
		{ 0, 0, ~0ull << 12, PVM_PROT_RAM },
		{ PAGE, PAGE, ~0ull << 12, PVM_PROT_RAM },
		{ 0, 0, PAGE, 0 },
		{ 0, 0, PAGE, PVM_PROT_WRITE },
	};
	struct pvm_spt_entry e;
	u32 i, level;

	start(&pvm_spt_npt_fmt, 3);
	for (i = 0; i < ARRAY_SIZE(t); i++)
		expect_msg(pvm_spt_map(&spt, t[i].gpa, t[i].hpa, t[i].bytes, t[i].prot) == -EINVAL,
			   "row %u", i);
	expect_eq(pvm_spt_unmap(&spt, 1, PAGE), (u64)-EINVAL);
	expect_eq(pvm_spt_unmap(&spt, 0, (1ull << 48) + PAGE), (u64)-EINVAL);
	expect_eq(pvm_spt_unmap(&spt, 0, 1ull << 48), 0);
	expect_eq(pvm_spt_unmap(&spt, 0, 0), 0);
	expect_eq(pvm_spt_walk(&spt, 1ull << 48, &e, &level), -ENOENT);
	expect_eq(pvm_spt_walk(&spt, ~0ull, &e, &level), -ENOENT);
	expect_eq(spt.tables, 1);
	finish();
}

static void overlaps(void)
{
	start(&pvm_spt_npt_fmt, 3);
	expect_eq(pvm_spt_map(&spt, GIANT + LARGE, LARGE, LARGE, PVM_PROT_RAM), 0);
	/* Over it, in it, before and into it, and one leaf around it. */
	expect_eq(pvm_spt_map(&spt, GIANT + LARGE, 0, PAGE, PVM_PROT_RAM), -EEXIST);
	expect_eq(pvm_spt_map(&spt, GIANT + 2 * LARGE - PAGE, 0, 2 * PAGE, PVM_PROT_RAM), -EEXIST);
	expect_eq(pvm_spt_map(&spt, GIANT, 0, LARGE + PAGE, PVM_PROT_RAM), -EEXIST);
	expect_eq(pvm_spt_map(&spt, GIANT, 0, GIANT, PVM_PROT_RAM), -EEXIST);
	expect_eq(pvm_spt_map(&spt, 0, 0, 2 * GIANT, PVM_PROT_RAM), -EEXIST);
	expect_eq(spt.tables, 3);
	expect_eq(leaf_at(GIANT, 0, 0), 0);
	expect_eq(leaf_at(0, 0, 0), 0);
	expect_eq(leaf_at(GIANT + LARGE, LARGE, PVM_PROT_RAM), 2);
	finish();
}

static void splits(void)
{
	const u32 prot = PVM_PROT_READ | PVM_PROT_WRITE | PVM_PROT_DEVICE;
	u32 f;

	for (f = 0; f < ARRAY_SIZE(formats); f++) {
		start(formats[f], 3);
		expect_eq(pvm_spt_map(&spt, GIANT, 4 * GIANT, GIANT, prot), 0);
		expect_eq(spt.tables, 2);
		/* One page in the middle: 1 GiB to 2 MiB to 4 KiB, once for both ends. */
		expect_eq(pvm_spt_unmap(&spt, GIANT + LARGE + PAGE, PAGE), PAGE);
		expect_eq(spt.tables, 4);
		expect_eq(leaf_at(GIANT, 4 * GIANT, prot), 2);
		expect_eq(leaf_at(GIANT + LARGE, 4 * GIANT + LARGE, prot), 1);
		expect_eq(leaf_at(GIANT + LARGE + PAGE, 0, 0), 0);
		expect_eq(leaf_at(GIANT + LARGE + 2 * PAGE, 4 * GIANT + LARGE + 2 * PAGE, prot), 1);
		expect_eq(leaf_at(2 * GIANT - 1, 5 * GIANT - 1, prot), 2);
		/* The rest of the small ones: their table goes. */
		expect_eq(pvm_spt_unmap(&spt, GIANT + LARGE, LARGE), LARGE - PAGE);
		expect_eq(spt.tables, 3);
		/* Across the end, into nothing. */
		expect_eq(pvm_spt_unmap(&spt, 2 * GIANT - PAGE, GIANT), PAGE);
		expect_eq(spt.tables, 4);
		expect_eq(pvm_spt_unmap(&spt, 0, 1ull << 48), GIANT - LARGE - PAGE);
		expect_eq(spt.tables, 1);
		finish();
	}
}

/* The middle of two giant leaves takes four tables; any of them may be missing. */
static void split_failures(void)
{
	u32 i;

	for (i = 0; i <= 4; i++) {
		start(&pvm_spt_ept_fmt, 3);
		expect_eq(pvm_spt_map(&spt, 0, 0, 2 * GIANT, PVM_PROT_RAM), 0);
		fake.fail_after = i;
		if (i < 4) {
			expect_eq(pvm_spt_unmap(&spt, PAGE, 2 * GIANT - 2 * PAGE), (u64)-ENOMEM);
			expect_eq(spt.tables, 2);
			expect_eq(leaf_at(0, 0, PVM_PROT_RAM), 3);
			expect_eq(leaf_at(GIANT, GIANT, PVM_PROT_RAM), 3);
		} else {
			expect_eq(pvm_spt_unmap(&spt, PAGE, 2 * GIANT - 2 * PAGE),
				  2 * GIANT - 2 * PAGE);
			expect_eq(leaf_at(0, 0, PVM_PROT_RAM), 1);
			expect_eq(leaf_at(PAGE, 0, 0), 0);
			expect_eq(leaf_at(2 * GIANT - PAGE, 2 * GIANT - PAGE, PVM_PROT_RAM), 1);
			expect_eq(spt.tables, 6);
		}
		finish();
	}
}

/* A range that needs tables of every level, with each allocation failing in turn. */
static void map_failures(void)
{
	const u64 gpa = (1ull << 39) - LARGE - PAGE, bytes = 2 * LARGE + 2 * PAGE;
	u32 i, needed;

	start(&pvm_spt_npt_fmt, 3);
	fake.allocs = 0;
	expect_eq(pvm_spt_map(&spt, gpa, gpa, bytes, PVM_PROT_RAM), 0);
	needed = fake.allocs;
	expect_eq(needed, 6);
	finish();
	for (i = 0; i < needed; i++) {
		start(&pvm_spt_npt_fmt, 3);
		/* A neighbour that must survive. */
		expect_eq(pvm_spt_map(&spt, gpa - PAGE, 0, PAGE, PVM_PROT_RAM), 0);
		fake.fail_after = i;
		if (i < needed - 3) {
			expect_eq(pvm_spt_map(&spt, gpa, gpa, bytes, PVM_PROT_RAM), -ENOMEM);
			expect_eq(spt.tables, 4);
			expect_eq(pvm_spt_unmap(&spt, gpa, bytes), 0);
		} else {
			expect_eq(pvm_spt_map(&spt, gpa, gpa, bytes, PVM_PROT_RAM), 0);
		}
		expect_eq(leaf_at(gpa - PAGE, 0, PVM_PROT_RAM), 1);
		finish();
	}
	fake.fail_after = 0;
	expect_eq(pvm_spt_init(&spt, &pvm_spt_npt_fmt, &fake_pages, 3), -ENOMEM);
	pvm_spt_fini(&spt);
	expect_eq(fake.used, 0);
}

/* Splitting keeps what the processor has recorded. */
static void split_keeps_accessed(void)
{
	const u64 ad = pvm_spt_ept_ad_fmt.accessed | pvm_spt_ept_ad_fmt.dirty;
	u64 *table;

	start(&pvm_spt_ept_ad_fmt, 3);
	expect_eq(pvm_spt_map(&spt, 0, 0, LARGE, PVM_PROT_RAM), 0);
	table = fake_va(NULL, spt.root[0] & GENMASK_ULL(51, 12));
	table = fake_va(NULL, table[0] & GENMASK_ULL(51, 12));
	table[0] |= ad;
	expect_eq(pvm_spt_unmap(&spt, 0, PAGE), PAGE);
	table = fake_va(NULL, table[0] & GENMASK_ULL(51, 12));
	expect_eq(table[0], 0);
	expect_eq(table[1] & ad, ad);
	expect_eq(table[511] & ad, ad);
	finish();
}

/* --- against the model --- */

#define MODEL_BASE	((1ull << 39) - 2 * GIANT)	/* across a root entry */
#define MODEL_PAGES	(4 * GIANT / PAGE)

static u64 model[MODEL_PAGES];		/* hpa | prot, 0: nothing */
static u64 seed;

static u64 rnd(u64 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 20) % below;
}

static bool model_any(u64 page, u64 pages)
{
	u64 i;

	for (i = page; i < page + pages; i++)
		if (model[i])
			return true;
	return false;
}

static void model_check(void)
{
	struct pvm_spt_entry e;
	u64 i = 0, j, pages;
	u32 level;

	while (i < MODEL_PAGES) {
		if (pvm_spt_walk(&spt, MODEL_BASE + i * PAGE, &e, &level)) {
			if (!expect_msg(!model[i], "page %llx", (unsigned long long)i))
				return;
			i++;
			continue;
		}
		pages = 1ull << 9 * (level - 1);
		if (!expect(i % pages == 0))
			return;
		for (j = 0; j < pages; j++)
			if (model[i + j] != ((e.hpa + j * PAGE) | e.prot)) {
				expect_msg(0, "page %llx", (unsigned long long)(i + j));
				return;
			}
		i += pages;
	}
}

/* Sizes and places that make every kind of leaf and every kind of cut likely. */
static void model_range(u64 *page, u64 *pages)
{
	static const u64 unit[] = { 1, 1, 512, 512, 512 * 512 };
	u64 u = unit[rnd(ARRAY_SIZE(unit))], v = unit[rnd(ARRAY_SIZE(unit))];

	*page = rnd(MODEL_PAGES / u) * u;
	*pages = (1 + rnd(u > 512 ? 2 : 700 / (u > 1 ? 50 : 1))) * v;
	if (!rnd(4) && *page)
		*page -= 1;
	*pages = min(*pages, MODEL_PAGES - *page);
}

static void model_step(void)
{
	static const u32 prots[] = {
		PVM_PROT_RAM, PVM_PROT_READ, PVM_PROT_READ | PVM_PROT_EXEC,
		PVM_PROT_READ | PVM_PROT_WRITE | PVM_PROT_DEVICE,
	};
	u32 tables = spt.tables, prot = prots[rnd(ARRAY_SIZE(prots))];
	u64 page, pages, i, hpa, mapped = 0;
	s64 got;

	model_range(&page, &pages);
	fake.fail_after = rnd(3) ? -1 : (long)rnd(5);
	if (rnd(2)) {
		/* Not address 0, which with no page mapped would look like nothing in the model. */
		hpa = GIANT + (rnd(2) ? rnd(1 << 20) * PAGE :
					rnd(64) * GIANT + page * PAGE % GIANT);
		got = pvm_spt_map(&spt, MODEL_BASE + page * PAGE, hpa, pages * PAGE, prot);
		if (got == -EEXIST)
			expect(model_any(page, pages));
		else if (got == -ENOMEM)
			expect(fake.fail_after == 0);
		else if (expect_eq(got, 0) && expect(!model_any(page, pages)))
			for (i = 0; i < pages; i++)
				model[page + i] = (hpa + i * PAGE) | prot;
		if (got)
			expect_eq(spt.tables, tables);
		return;
	}
	got = pvm_spt_unmap(&spt, MODEL_BASE + page * PAGE, pages * PAGE);
	if (got == -ENOMEM) {
		expect(fake.fail_after == 0);
		expect_eq(spt.tables, tables);
		return;
	}
	for (i = page; i < page + pages; i++) {
		mapped += model[i] ? PAGE : 0;
		model[i] = 0;
	}
	expect_eq(got, mapped);
}

static void random_model(void)
{
	u32 f, i;

	for (f = 0; f < 2 * ARRAY_SIZE(formats); f++) {
		seed = f;
		memset(model, 0, sizeof(model));
		start(formats[f / 2], 2 + f % 2);
		for (i = 0; i < 500; i++) {
			model_step();
			if (i % 100 == 0)
				model_check();
		}
		model_check();
		fake.fail_after = -1;
		expect(pvm_spt_unmap(&spt, 0, 1ull << 48) >= 0);
		expect_eq(spt.tables, 1);
		finish();
	}
}

static const struct ktap_test tests[] = {
	KTAP_TEST(leaf_sizes),
	KTAP_TEST(bad_ranges),
	KTAP_TEST(overlaps),
	KTAP_TEST(splits),
	KTAP_TEST(split_failures),
	KTAP_TEST(map_failures),
	KTAP_TEST(split_keeps_accessed),
	KTAP_TEST(random_model),
};

KTAP_MAIN(tests)
