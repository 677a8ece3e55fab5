// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page-table walk: translations in every paging mode, the whole matrix of
 * access rights against a second statement of the rules, reserved bits,
 * accessed and dirty bits, tables that change or are not RAM.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include <stdlib.h>

#include "ktap.h"
#include "x86_fixture.h"

#define RAM_BYTES	0x20000
#define CR3		0x1000
#define PHYS_BITS	40

#define P	1ull
#define W	2ull
#define U	4ull
#define A	0x20ull
#define D	0x40ull
#define PS	0x80ull
#define NX	(1ull << 63)

static struct {
	u8 ram[RAM_BYTES];
	u32 sets;
	u32 lose;		/* so many set_bits() find the entry changed */
	u64 change_gpa, change_to;	/* and then it is this */
} m;

static struct pvm_regs regs;
static struct pvm_fault fault;
static u64 gpa, left;

static int ram_read(void *ctx, u64 at, void *to, u32 bytes)
{
	if (at > RAM_BYTES - bytes || bytes > RAM_BYTES)
		return -EFAULT;
	memcpy(to, m.ram + at, bytes);
	return 0;
}

static int ram_set_bits(void *ctx, u64 at, u64 old, u64 bits, u32 bytes)
{
	u64 now = 0;

	m.sets++;
	if (at > RAM_BYTES - bytes)
		return -EFAULT;
	if (m.lose) {
		m.lose--;
		if (m.change_gpa)
			memcpy(m.ram + m.change_gpa, &m.change_to, bytes);
		return 1;
	}
	memcpy(&now, m.ram + at, bytes);
	if (now != old)
		return 1;
	now |= bits;
	memcpy(m.ram + at, &now, bytes);
	return 0;
}

static const struct pvm_walk_ops ops = { .read = ram_read, .set_bits = ram_set_bits };

static u64 entry(u64 at, u32 bytes)
{
	u64 v = 0;

	memcpy(&v, m.ram + at, bytes);
	return v;
}

static void set_entry(u64 table, u32 index, u64 v, u32 bytes)
{
	memcpy(m.ram + table + index * bytes, &v, bytes);
}

static int walk(u64 gva, u32 access)
{
	fault = (struct pvm_fault){ 0 };
	return pvm_walk(&regs, gva, access, PHYS_BITS, &ops, NULL, &gpa, &left, &fault);
}

enum mode { MODE_32, MODE_PAE, MODE_4, MODE_5 };

static u32 levels_of(enum mode mode)
{
	static const u8 levels[] = { 2, 3, 4, 5 };

	return levels[mode];
}

static u32 entry_bytes(enum mode mode)
{
	return mode == MODE_32 ? 4 : 8;
}

static void set_mode(enum mode mode)
{
	memset(&m, 0, sizeof(m));
	memset(&regs, 0, sizeof(regs));
	regs.cr0 = PVM_CR0_PE | PVM_CR0_PG | PVM_CR0_WP;
	regs.cr3 = CR3;
	if (mode != MODE_32)
		regs.cr4 = PVM_CR4_PAE;
	if (mode == MODE_5)
		regs.cr4 |= PVM_CR4_LA57;
	if (mode >= MODE_4)
		regs.efer = PVM_EFER_LME | PVM_EFER_LMA | PVM_EFER_NXE;
}

static u64 table_at(u32 level, enum mode mode)
{
	return CR3 + 0x1000 * (levels_of(mode) - 1 - level);
}

static u32 index_at(u64 gva, u32 level, enum mode mode)
{
	u32 bits = mode == MODE_32 ? 10 : 9;

	return gva >> (12 + level * bits) & (mode == MODE_PAE && level == 2 ? 3 : (1u << bits) - 1);
}

/* Tables from the root down to @leaf_level, with @rights in each entry. */
static void map(enum mode mode, u64 gva, u64 to, u64 rights, u32 leaf_level)
{
	u32 level, bytes = entry_bytes(mode);

	for (level = levels_of(mode); level-- > leaf_level;) {
		u64 v = level == leaf_level ? to : table_at(level - 1, mode);

		if (mode == MODE_PAE && level == 2)
			v |= P;
		else
			v |= rights | (level == leaf_level && leaf_level ? PS : 0);
		set_entry(table_at(level, mode), index_at(gva, level, mode), v, bytes);
	}
}

static u64 leaf_entry(enum mode mode, u64 gva, u32 level)
{
	return entry(table_at(level, mode) + index_at(gva, level, mode) * entry_bytes(mode),
		     entry_bytes(mode));
}

static void translations(void)
{
	static const struct {
		enum mode mode;
		u64 gva, to;
		u32 leaf;
		u64 page_bytes;
	} rows[] = {
		{ MODE_32, 0xc0123456, 0xfffff000, 0, 0x1000 },
		{ MODE_32, 0xc0123456, 0x00c00000, 1, 0x400000 },
		{ MODE_PAE, 0xc0123456, 0xff00000000, 0, 0x1000 },
		{ MODE_PAE, 0xc0123456, 0xff00200000, 1, 0x200000 },
		{ MODE_4, 0xffff8000c0123456, 0x1000, 0, 0x1000 },
		{ MODE_4, 0x00007fffc0123456, 0xffffe00000, 1, 0x200000 },
		{ MODE_4, 0x00007fffc0123456, 0xffc0000000, 2, 0x40000000 },
		{ MODE_5, 0xff008000c0123456, 0x7000, 0, 0x1000 },
		{ MODE_5, 0x00ffffffc0123456, 0x40000000, 2, 0x40000000 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 offset = rows[i].gva & (rows[i].page_bytes - 1);

		set_mode(rows[i].mode);
		regs.cr4 |= PVM_CR4_PSE;
		map(rows[i].mode, rows[i].gva, rows[i].to, P | W | U, rows[i].leaf);
		expect_msg(walk(rows[i].gva, 0) == 0, "row %u", i);
		expect_eq(gpa, rows[i].to + offset);
		expect_eq(left, rows[i].page_bytes - offset);
		expect_eq(walk(rows[i].gva ^ 0x80000000, 0), 1);
		expect_eq(fault.error, 0);
		expect_eq(fault.address, rows[i].gva ^ 0x80000000);
		expect_eq(fault.vector, PVM_VEC_PF);
	}

	set_mode(MODE_32);
	regs.cr0 &= ~PVM_CR0_PG;
	expect_eq(walk(0x1fffff123, PVM_ACCESS_WRITE | PVM_ACCESS_USER), 0);
	expect_eq(gpa, 0xfffff123);
	expect_eq(left, 0x1000 - 0x123);

	/* without PSE bit 7 means nothing; with it, PSE-36 gives bits 39..32 */
	set_mode(MODE_32);
	map(MODE_32, 0x400000, 0x5000, P | W | U, 0);
	set_entry(CR3, 1, table_at(0, MODE_32) | P | PS, 4);
	expect_eq(walk(0x400000, 0), 0);
	expect_eq(gpa, 0x5000);
	regs.cr4 |= PVM_CR4_PSE;
	set_entry(CR3, 1, 0x00c00000 | 0xab << 13 | P | PS, 4);
	expect_eq(walk(0x412345, 0), 0);
	expect_eq(gpa, 0xab00c12345);

	/* addresses that are not canonical */
	set_mode(MODE_4);
	expect_eq(walk(1ull << 47, 0), 1);
	expect_eq(fault.vector, PVM_VEC_GP);
	set_mode(MODE_5);
	expect_eq(walk(1ull << 47, 0), 1);
	expect_eq(fault.vector, PVM_VEC_PF);
}

/* The rules once more, in another shape. */
static bool may(u32 rights, u32 access, bool wp, bool smep, bool smap, bool ac)
{
	bool user_page = rights & 1, writable = rights & 2, exec = rights & 4;
	bool implicit = access & PVM_ACCESS_IMPLICIT_SUPERVISOR;
	bool user = access & PVM_ACCESS_USER && !implicit;
	bool fetch = access & PVM_ACCESS_FETCH, write = access & PVM_ACCESS_WRITE;

	if (fetch)
		return exec && (user ? user_page : !(user_page && smep));
	if (user)
		return user_page && (writable || !write);
	if (user_page && smap && (implicit || !ac))
		return false;
	return writable || !write || !wp;
}

static void access_rights(void)
{
	u32 rights, access, knobs;
	u64 gva = 0xc0123456;

	for (rights = 0; rights < 8; rights++)
	for (access = 0; access < 16; access++)
	for (knobs = 0; knobs < 32; knobs++) {
		bool wp = knobs & 1, smep = knobs & 2, smap = knobs & 4, ac = knobs & 8;
		bool nxe = knobs & 16;
		bool fetch = access & PVM_ACCESS_FETCH, write = access & PVM_ACCESS_WRITE;
		bool user = access & PVM_ACCESS_USER && !(access & PVM_ACCESS_IMPLICIT_SUPERVISOR);
		u64 bits = P | (rights & 1 ? U : 0) | (rights & 2 ? W : 0);
		u32 error;
		int r;

		if (fetch && write)
			continue;
		if (!nxe && !(rights & 4))
			continue;
		set_mode(MODE_4);
		regs.cr0 = PVM_CR0_PE | PVM_CR0_PG | (wp ? PVM_CR0_WP : 0);
		regs.cr4 |= (smep ? PVM_CR4_SMEP : 0) | (smap ? PVM_CR4_SMAP : 0);
		regs.rflags = ac ? PVM_FLAG_AC : 0;
		if (!nxe)
			regs.efer &= ~PVM_EFER_NXE;
		map(MODE_4, gva, 0x7000, bits | (rights & 4 ? 0 : NX), 0);
		r = walk(gva, access);
		if (may(rights, access, wp, smep, smap, ac)) {
			expect_msg(r == 0, "rights %u access %u knobs %u", rights, access, knobs);
			continue;
		}
		error = PVM_PF_P | (write ? PVM_PF_W : 0) | (user ? PVM_PF_U : 0) |
			(fetch && (nxe || smep) ? PVM_PF_I : 0);
		expect_msg(r == 1 && fault.vector == PVM_VEC_PF && fault.error == error,
			   "rights %u access %u knobs %u: error %x", rights, access, knobs,
			   fault.error);
		expect_eq(m.sets, 0);
	}
}

/* One level's restriction is enough. */
static void rights_of_upper_levels(void)
{
	u32 level;
	u64 gva = 0x123456789000;

	for (level = 0; level < 4; level++) {
		u64 next = level ? table_at(level - 1, MODE_4) : 0x7000;
		u64 at = table_at(level, MODE_4);

		set_mode(MODE_4);
		map(MODE_4, gva, 0x7000, P | W | U, 0);
		set_entry(at, index_at(gva, level, MODE_4), next | P | U, 8);
		expect_eq(walk(gva, PVM_ACCESS_USER), 0);
		expect_eq(walk(gva, PVM_ACCESS_USER | PVM_ACCESS_WRITE), 1);
		expect_eq(fault.error, PVM_PF_P | PVM_PF_W | PVM_PF_U);
		set_entry(at, index_at(gva, level, MODE_4), next | P | W, 8);
		expect_eq(walk(gva, PVM_ACCESS_USER), 1);
		expect_eq(walk(gva, PVM_ACCESS_WRITE), 0);
		set_entry(at, index_at(gva, level, MODE_4), next | P | W | U | NX, 8);
		expect_eq(walk(gva, PVM_ACCESS_FETCH), 1);
		expect_eq(fault.error, PVM_PF_P | PVM_PF_I);
		set_entry(at, index_at(gva, level, MODE_4), next | W | U, 8);
		expect_eq(walk(gva, PVM_ACCESS_FETCH), 1);
		expect_eq(fault.error, PVM_PF_I);
	}
}

static void reserved(void)
{
	static const struct {
		enum mode mode;
		u8 level, leaf;
		bool no_nx;
		u64 bits;
		bool bad;
	} rows[] = {
		{ MODE_4, 0, 0, false, 1ull << PHYS_BITS, true },
		{ MODE_4, 0, 0, false, 1ull << 51, true },
		{ MODE_4, 0, 0, false, 1ull << 52, false },
		{ MODE_4, 0, 0, false, PS, false },		/* PAT */
		{ MODE_4, 3, 0, false, PS, true },
		{ MODE_5, 4, 0, false, PS, true },
		{ MODE_5, 3, 0, false, PS, true },
		{ MODE_4, 1, 1, false, 1 << 13, true },
		{ MODE_4, 1, 1, false, 1 << 20, true },
		{ MODE_4, 1, 1, false, 1 << 12, false },	/* PAT */
		{ MODE_4, 2, 2, false, 1 << 29, true },
		{ MODE_4, 2, 0, false, 1ull << 45, true },
		{ MODE_4, 0, 0, true, NX, true },
		{ MODE_4, 3, 0, true, NX, true },
		{ MODE_4, 3, 0, false, NX, false },
		{ MODE_PAE, 2, 0, false, W, true },
		{ MODE_PAE, 2, 0, false, PS, true },
		{ MODE_PAE, 2, 0, false, NX, true },
		{ MODE_PAE, 2, 0, false, 0x18 | 0xe00, false },
		{ MODE_PAE, 1, 0, false, 1ull << 62, true },
		{ MODE_PAE, 0, 0, false, 1ull << 52, true },
		{ MODE_PAE, 0, 0, false, NX, false },
		{ MODE_PAE, 0, 0, true, NX, true },
		{ MODE_32, 1, 1, false, 1 << 21, true },
		{ MODE_32, 1, 1, false, 1 << 20, false },	/* PSE-36: bit 39 */
		{ MODE_32, 0, 0, false, PS, false },
	};
	u64 gva = 0x40000000;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		enum mode mode = rows[i].mode;
		u64 at = table_at(rows[i].level, mode) +
			 index_at(gva, rows[i].level, mode) * entry_bytes(mode), v;
		u64 before[4];
		int r;

		set_mode(mode);
		regs.cr4 |= PVM_CR4_PSE;
		regs.efer |= PVM_EFER_NXE;
		if (rows[i].no_nx)
			regs.efer &= ~PVM_EFER_NXE;
		map(mode, gva, 0x40000000, P | W | U, rows[i].leaf);
		v = entry(at, entry_bytes(mode)) | rows[i].bits;
		memcpy(m.ram + at, &v, entry_bytes(mode));
		memcpy(before, m.ram + (at & ~31ull), sizeof(before));
		r = walk(gva, 0);
		expect_msg(r == rows[i].bad, "row %u: %d", i, r);
		if (!rows[i].bad)
			continue;
		expect_eq(fault.error, PVM_PF_P | PVM_PF_RSVD);
		expect_mem(before, m.ram + (at & ~31ull), sizeof(before));
	}
}

static void accessed_and_dirty(void)
{
	static const enum mode modes[] = { MODE_32, MODE_PAE, MODE_4, MODE_5 };
	u64 gva = 0x40000000;
	u32 i, level;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		enum mode mode = modes[i];

		set_mode(mode);
		map(mode, gva, 0x7000, P | W | U, 0);
		expect_eq(walk(gva, 0), 0);
		for (level = 0; level < levels_of(mode); level++) {
			bool none = mode == MODE_PAE && level == 2;

			expect_eq(leaf_entry(mode, gva, level) & (A | D), none ? 0 : A);
		}
		expect_eq(m.sets, levels_of(mode) - (mode == MODE_PAE));
		expect_eq(walk(gva, PVM_ACCESS_WRITE), 0);
		expect_eq(leaf_entry(mode, gva, 0) & (A | D), A | D);
		expect_eq(leaf_entry(mode, gva, 1) & (A | D), A);
		m.sets = 0;
		expect_eq(walk(gva, PVM_ACCESS_WRITE), 0);
		expect_eq(m.sets, 0);
	}
}

static void tables_that_change(void)
{
	u64 gva = 0x40000000, pte = table_at(0, MODE_4) + 8 * index_at(gva, 0, MODE_4);

	set_mode(MODE_4);
	map(MODE_4, gva, 0x7000, P | W | U | A, 0);
	/* the entry goes elsewhere between reading and setting: the new one counts */
	m.lose = 1;
	m.change_gpa = pte;
	m.change_to = 0x9000 | P | W | A;
	expect_eq(walk(gva, PVM_ACCESS_WRITE), 0);
	expect_eq(gpa, 0x9000);
	/* it loses its rights meanwhile */
	m.lose = 1;
	m.change_to = 0x9000 | P;
	set_entry(table_at(0, MODE_4), index_at(gva, 0, MODE_4), 0x7000 | P | W | A, 8);
	expect_eq(walk(gva, PVM_ACCESS_WRITE), 1);
	expect_eq(fault.error, PVM_PF_P | PVM_PF_W);
	/* for ever */
	set_entry(table_at(0, MODE_4), index_at(gva, 0, MODE_4), 0x7000 | P | W | A, 8);
	m.change_gpa = 0;
	m.lose = ~0u;
	expect_eq(walk(gva, PVM_ACCESS_WRITE), -EAGAIN);
}

static void tables_outside_ram(void)
{
	u64 gva = 0x40000000;

	set_mode(MODE_4);
	regs.cr3 = RAM_BYTES;
	expect_eq(walk(gva, 0), -EFAULT);
	set_mode(MODE_4);
	map(MODE_4, gva, 0x7000, P | W | U, 0);
	set_entry(table_at(1, MODE_4), index_at(gva, 1, MODE_4), 0x123456000 | P | W | U, 8);
	expect_eq(walk(gva, 0), -EFAULT);
	/* CR3: bits 31..5 in PAE mode, PCID and the like are ignored elsewhere */
	set_mode(MODE_PAE);
	regs.cr3 = CR3 + 0x40 + 0x18;
	set_entry(CR3 + 0x40, 1, table_at(1, MODE_PAE) | P, 8);
	set_entry(table_at(1, MODE_PAE), 0, 0x40000000 | PS | P, 8);
	expect_eq(walk(gva, 0), 0);
	expect_eq(gpa, 0x40000000);
	set_mode(MODE_4);
	regs.cr3 = CR3 | 0xfff | 1ull << 63;
	map(MODE_4, gva, 0x7000, P | W | U, 0);
	expect_eq(walk(gva, 0), 0);
}

/* Random entries everywhere: whatever they say, the walk ends and stays in bounds. */
static void garbage(void)
{
	u32 i, j;

	srand(1);
	for (i = 0; i < 20000; i++) {
		enum mode mode = i & 3;
		u64 gva;
		int r;

		set_mode(mode);
		for (j = 0; j < 64; j++) {
			u64 v = ((u64)rand() << 33) ^ ((u64)rand() << 12) ^ rand();

			if (rand() & 1)
				v &= 0x1ffff;
			set_entry(CR3 + 0x1000 * (rand() & 7), rand() & 511, v | P, 8);
		}
		regs.cr4 |= rand() & (PVM_CR4_SMEP | PVM_CR4_SMAP | PVM_CR4_PSE);
		gva = ((u64)rand() << 31 ^ rand()) & 0x7fffffffffff;
		r = walk(gva, rand() & 15);
		expect(r == 0 || r == 1 || r == -EFAULT);
		expect_msg(r || gpa < 1ull << PHYS_BITS, "%llx", (unsigned long long)gpa);
		expect_msg(r || (left >= 1 && left <= 0x40000000), "%llx",
			   (unsigned long long)left);
	}
}

static const struct ktap_test tests[] = {
	KTAP_TEST(translations),
	KTAP_TEST(access_rights),
	KTAP_TEST(rights_of_upper_levels),
	KTAP_TEST(reserved),
	KTAP_TEST(accessed_and_dirty),
	KTAP_TEST(tables_that_change),
	KTAP_TEST(tables_outside_ram),
	KTAP_TEST(garbage),
};

KTAP_MAIN(tests)
