// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT and NPT entries, bit by bit as the manuals have them.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include <pvm/env.h>
#include "mem/spt.h"
#include "ktap.h"

#define RWX	PVM_PROT_RAM
#define RX	(PVM_PROT_READ | PVM_PROT_EXEC)
#define RW_DEV	(PVM_PROT_READ | PVM_PROT_WRITE | PVM_PROT_DEVICE)
#define HPA	0x000abcde00000000ull

struct row {
	const struct pvm_spt_fmt *fmt;
	u32 level, prot;
	u64 raw;		/* without the address */
};

static void leaves(void)
{
	static const struct row t[] = {
		/* P, RW, US, A, D; PS above level 1; NX; PCD for UC- */
		{ &pvm_spt_npt_fmt, 1, RWX,	0x67 },
		{ &pvm_spt_npt_fmt, 2, RWX,	0xe7 },
		{ &pvm_spt_npt_fmt, 3, RWX,	0xe7 },
		{ &pvm_spt_npt_fmt, 1, RX,	0x65 },
		{ &pvm_spt_npt_fmt, 1, PVM_PROT_READ, 0x8000000000000065 },
		{ &pvm_spt_npt_fmt, 2, RW_DEV,	0x80000000000000f7 },
		/* R, W, X; type WB is 6 in bits 5:3; PS */
		{ &pvm_spt_ept_fmt, 1, RWX,	0x37 },
		{ &pvm_spt_ept_fmt, 2, RWX,	0xb7 },
		{ &pvm_spt_ept_fmt, 3, RWX,	0xb7 },
		{ &pvm_spt_ept_fmt, 1, RX,	0x35 },
		{ &pvm_spt_ept_fmt, 1, PVM_PROT_READ, 0x31 },
		{ &pvm_spt_ept_fmt, 2, RW_DEV,	0x83 },
		{ &pvm_spt_ept_ad_fmt, 1, RWX,	0x37 },
	};
	struct pvm_spt_entry e;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		u64 raw = t[i].fmt->leaf(HPA, t[i].prot, t[i].level);

		expect_msg(raw == (HPA | t[i].raw), "row %u: 0x%llx", i, (unsigned long long)raw);
		t[i].fmt->parse(raw, t[i].level, &e);
		expect(e.present && e.leaf);
		expect_eq(e.hpa, HPA);
		expect_eq(e.prot, t[i].prot);
	}
}

static void tables_and_roots(void)
{
	static const struct {
		const struct pvm_spt_fmt *fmt;
		u64 table, root;
	} t[] = {
		{ &pvm_spt_npt_fmt, 0x27, 0 },
		{ &pvm_spt_ept_fmt, 0x07, 0x1e },	/* WB, four levels */
		{ &pvm_spt_ept_ad_fmt, 0x07, 0x5e },
	};
	struct pvm_spt_entry e;
	u32 i, level;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		expect_eq(t[i].fmt->table(HPA), HPA | t[i].table);
		expect_eq(t[i].fmt->root(HPA), HPA | t[i].root);
		for (level = 2; level <= 4; level++) {
			t[i].fmt->parse(t[i].fmt->table(HPA), level, &e);
			expect(e.present && !e.leaf);
			expect_eq(e.hpa, HPA);
			t[i].fmt->parse(0, level, &e);
			expect(!e.present);
		}
		/* There are no leaves at the root, whatever the bits. */
		t[i].fmt->parse(t[i].fmt->leaf(HPA, RWX, 3), 4, &e);
		expect(!e.leaf);
		/* Address bits that do not fit never reach permissions. */
		expect_eq(t[i].fmt->table(~0ull) & ~GENMASK_ULL(51, 12), t[i].table);
	}
}

/* Bits that the processor sets mean nothing else. */
static void accessed_and_dirty(void)
{
	struct pvm_spt_entry e;
	u64 ad = pvm_spt_ept_ad_fmt.accessed | pvm_spt_ept_ad_fmt.dirty;

	expect_eq(ad, 0x300);
	expect_eq(pvm_spt_ept_fmt.accessed | pvm_spt_ept_fmt.dirty, 0);
	pvm_spt_ept_ad_fmt.parse(pvm_spt_ept_ad_fmt.leaf(HPA, RW_DEV, 2) | ad, 2, &e);
	expect_eq(e.prot, RW_DEV);
	expect_eq(e.hpa, HPA);
	expect_eq(pvm_spt_npt_fmt.accessed, 0x20);
	expect_eq(pvm_spt_npt_fmt.dirty, 0x40);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(leaves),
	KTAP_TEST(tables_and_roots),
	KTAP_TEST(accessed_and_dirty),
};

KTAP_MAIN(tests)
