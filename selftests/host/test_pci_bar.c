// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs: sizing, decoding, moves without overlap, first placement.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "pci_fixture.h"

static struct pvm_pci_move m;

static bool next(void)
{
	return pvm_pci_next_move(&fx.root, &m);
}

static void sizing(void)
{
	fx_start();
	wr(0x10, 4, ~0u);
	wr(0x14, 4, ~0u);
	expect_eq(rd(0x10, 4), 0xffffc00c);
	expect_eq(rd(0x14, 4), 0xffffffff);
	wr(0x18, 4, ~0u);
	expect_eq(rd(0x18, 4), 0xffffffe1);
	wr(0x1c, 4, ~0u);
	expect_eq(rd(0x1c, 4), 0xfffff000);
	wr(0x20, 4, ~0u);
	expect_eq(rd(0x20, 4), 0);
	wr(0x30, 4, 0xfffff800);
	expect_eq(rd(0x30, 4), 0xffff0000);
	wr(0x30, 4, 0xfffff801);
	expect_eq(rd(0x30, 4), 0xffff0001);
	/* byte by byte */
	wr(0x1c, 4, 0);
	wr(0x1f, 1, 0xc0);
	wr(0x1d, 1, 0x18);
	expect_eq(rd(0x1c, 4), 0xc0001000);
	expect_eq(rd(0x1e, 2), 0xc000);
	expect_eq(fx.changes, 0);
}

static void sizing_while_decoding(void)
{
	fx_start();
	wr(4, 2, 3);
	wr(0x10, 4, ~0u);
	wr(0x14, 4, ~0u);
	wr(0x18, 4, ~0u);
	wr(0x1c, 4, ~0u);
	wr(0x30, 4, ~0u);
	/* all of them beyond what may be decoded */
	expect_eq(fx.changes, 0);
	expect(!next());
}

static void decode(void)
{
	fx_start();
	wr(0x1c, 4, 0xc0000000);
	wr(0x18, 4, 0xc100);
	expect(!next());
	wr(4, 2, PVM_PCI_COMMAND_MEM);
	expect_eq(fx.changes, 1);
	expect(next());
	expect(m.fn == &fx.fn && m.map && !m.io);
	expect_eq(m.bar, 3);
	expect_eq(m.gpa, 0xc0000000);
	expect_eq(m.bytes, 0x1000);
	expect(!next());
	wr(4, 2, PVM_PCI_COMMAND_MEM | PVM_PCI_COMMAND_IO);
	expect(next());
	expect(m.map && m.io);
	expect_eq(m.gpa, 0xc100);
	/* the same value again is no change */
	fx.changes = 0;
	wr(0x1c, 4, 0xc0000000);
	expect_eq(fx.changes, 0);
	wr(4, 2, 0);
	expect(next());
	expect(!m.map);
	expect(next());
	expect(!m.map);
	expect(!next());
	/* off and on again before anybody looked: nothing to do */
	wr(4, 2, 3);
	wr(4, 2, 0);
	expect(!next());
}

static void rom(void)
{
	fx_start();
	wr(4, 2, PVM_PCI_COMMAND_MEM);
	wr(0x30, 4, 0xd0000000);
	expect(!next());
	wr(0x30, 4, 0xd0000001);
	expect(next());
	expect_eq(m.bar, PVM_PCI_ROM_BAR);
	expect_eq(m.gpa, 0xd0000000);
	wr(0x30, 4, 0xd0000000);
	expect(next());
	expect(!m.map);
}

static void moving(void)
{
	fx_start();
	wr(4, 2, PVM_PCI_COMMAND_MEM);
	wr(0x1c, 4, 0xc0000000);
	expect(next());
	wr(0x1c, 4, 0xc8000000);
	expect(next());
	expect(!m.map);
	expect_eq(m.gpa, 0xc0000000);
	expect(next());
	expect(m.map);
	expect_eq(m.gpa, 0xc8000000);
	expect(!next());
}

static void overlap(void)
{
	fx_start();
	wr(4, 2, PVM_PCI_COMMAND_MEM);
	wr(0x1c, 4, 0xc0001000);
	expect(next());
	/* BAR 0 over BAR 3: waits */
	wr(0x10, 4, 0xc0000000);
	wr(0x14, 4, 0);
	expect(!next());
	wr(0x1c, 4, 0xc8000000);
	expect(next());
	expect(!m.map);
	expect(next());
	expect_eq(m.bar, 0);
	expect_eq(m.gpa, 0xc0000000);
	expect(next());
	expect_eq(m.bar, 3);
	expect(!next());
	/* swapping places needs both to leave first */
	wr(0x10, 4, 0xc8000000);
	wr(0x1c, 4, 0xc0000000);
	expect(next());
	expect(!m.map);
	expect(next());
	expect(!m.map);
	expect(next());
	expect(m.map);
	expect(next());
	expect(m.map);
	expect(!next());
}

static void forbidden(void)
{
	static const u64 bad[] = {
		0, 0xfec00000, 0xfebfe000, 0xfee00000, 0xffffc000, 0x10000000000000ull,
		0xffffffffffffc000ull,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fx_start();
		fx.fn.bar[0].bytes = 0x4000;
		wr(0x10, 4, lower_32_bits(bad[i]));
		wr(0x14, 4, upper_32_bits(bad[i]));
		wr(4, 2, PVM_PCI_COMMAND_MEM);
		if (bad[i] == 0xfebfe000)	/* rounds down to 0xfebfc000, which is fine */
			expect(next());
		expect_msg(!next(), "0x%llx", (unsigned long long)bad[i]);
	}
	fx_start();
	wr(0x18, 4, 0x1fff0);
	wr(4, 2, PVM_PCI_COMMAND_IO);
	expect(!next());
}

static void refused(void)
{
	fx_start();
	wr(4, 2, PVM_PCI_COMMAND_MEM);
	wr(0x1c, 4, 0xc0000000);
	expect(next());
	pvm_pci_move_failed(&fx.root, &m);
	expect(!next());
	/* tried again when the guest asks again */
	wr(4, 2, 0);
	expect(!next());
	wr(4, 2, PVM_PCI_COMMAND_MEM);
	expect(next());
	expect(pvm_pci_unmap_fn(&fx.root, &fx.fn, &m));
	expect_eq(m.gpa, 0xc0000000);
	expect(!m.map);
	expect(!pvm_pci_unmap_fn(&fx.root, &fx.fn, &m));
	expect(!next());
}

static void ecam_moves(void)
{
	fx_start();
	ecam_write(0, 0x60, 4, 0xb0000001);
	expect_eq(fx.changes, 1);
	expect(next());
	expect(m.fn == NULL && m.map);
	expect_eq(m.gpa, 0xb0000000);
	expect_eq(m.bytes, 256 << 20);
	ecam_write(0, 0x60, 4, 0xe0000001);
	expect(next());
	expect(!m.map);
	expect(next());
	expect_eq(m.gpa, 0xe0000000);
	ecam_write(0, 0x60, 4, 0xf0000001);
	expect(next());
	expect(!m.map);
	expect(!next());
	ecam_write(0, 0x60, 4, 0xe0000001);
	expect(next());
	expect(pvm_pci_unmap_fn(&fx.root, NULL, &m));
	expect(!pvm_pci_unmap_fn(&fx.root, NULL, &m));
}

static const struct pvm_pci_windows windows = {
	.mem = { { 0x80000000, 0xe0000000 }, { 0xf0000000, 0xfec00000 } },
	.mem64 = { 0x800000000ull, 0x1000000000ull },
	.io = { 0xc000, 0x10000 },
	.ecam_gpa = PVM_PCI_ECAM_GPA,
};

#define FNS 6

static void placement(void)
{
	static const struct { u64 bytes; u32 flags; } bars[FNS] = {
		{ 1ull << 30, PVM_PCI_BAR_64 | PVM_PCI_BAR_PREFETCH },	/* big: above 4 GiB */
		{ 1ull << 30, 0 },					/* 32-bit: 0x80000000 */
		{ 512ull << 20, 0 },					/* 0xc0000000 */
		{ 256ull << 20, PVM_PCI_BAR_64 },			/* full: above */
		{ 256ull << 20, 0 },					/* homeless */
		{ 64ull << 20, 0 },					/* second window */
	};
	static struct pvm_pci_fn fn[FNS];
	static struct pvm_pci_cfg cfg[FNS];
	u32 i, moves = 0;

	fx_start();
	memset(fn, 0, sizeof(fn));
	for (i = 0; i < FNS; i++) {
		fn[i].ops = &fx_ops;
		pvm_pci_fn_init(&fn[i], &cfg[i], &fx_ids);
		pvm_pci_bar_init(&fn[i], 0, bars[i].bytes, bars[i].flags);
		pvm_pci_add(&fx.root, &fn[i], 8 + i, 0);
	}
	expect_eq(pvm_pci_assign(&fx.root, &windows), 1);
	expect_eq(fn[0].bar[0].want_gpa, 0x800000000ull);
	expect_eq(fn[1].bar[0].want_gpa, 0x80000000);
	expect_eq(fn[2].bar[0].want_gpa, 0xc0000000);
	expect_eq(fn[3].bar[0].want_gpa, 0x840000000ull);
	expect_eq(fn[4].bar[0].want_gpa, PVM_NO_ADDR);
	expect_eq(fn[5].bar[0].want_gpa, 0xf0000000);
	expect_eq(ecam_read(12 << 3, 4, 2), 0);
	expect_eq(ecam_read(9 << 3, 4, 2), PVM_PCI_COMMAND_MEM);
	expect_eq(ecam_read(8 << 3, 0x14, 4), 8);
	/* the fixture's: ROM placed but off, I/O in its window */
	expect_eq(fx.fn.bar[2].want_gpa, 0xc000);
	expect(fx.fn.bar[PVM_PCI_ROM_BAR].reg);
	expect_eq(fx.fn.bar[PVM_PCI_ROM_BAR].want_gpa, PVM_NO_ADDR);
	expect_eq(rd(4, 2), 3);
	expect_eq(rd(0x3c, 1), 11);
	expect_eq(pvm_pci_pirq(&fx.root, pvm_pci_gsi(FIXTURE_SLOT, 0)), 11);
	expect_eq(fx.root.ecam.want_gpa, PVM_PCI_ECAM_GPA);
	while (next()) {
		expect(m.map);
		expect(IS_ALIGNED(m.gpa, m.bytes));
		moves++;
	}
	/* five of the new ones, three of the fixture, ECAM */
	expect_eq(moves, 9);
	expect_eq(fx.locked, 0);
}

static void reset_unmaps(void)
{
	u32 moves = 0;

	fx_start();
	pvm_pci_assign(&fx.root, &windows);
	while (next())
		;
	pvm_pci_root_ops.reset(&fx.root.dev);
	while (next()) {
		expect(!m.map);
		moves++;
	}
	expect_eq(moves, 4);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(sizing),
	KTAP_TEST(sizing_while_decoding),
	KTAP_TEST(decode),
	KTAP_TEST(rom),
	KTAP_TEST(moving),
	KTAP_TEST(overlap),
	KTAP_TEST(forbidden),
	KTAP_TEST(refused),
	KTAP_TEST(ecam_moves),
	KTAP_TEST(placement),
	KTAP_TEST(reset_unmaps),
};

KTAP_MAIN(tests)
