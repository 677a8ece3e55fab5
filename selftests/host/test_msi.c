// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSI capability in its four layouts.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "pci_fixture.h"

static void layouts(void)
{
	static const struct { bool wide, maskable; u32 control, data, mask; } t[] = {
		{ false, false, 0x0006, 8, 0 },
		{ true, false, 0x0086, 12, 0 },
		{ false, true, 0x0106, 8, 12 },
		{ true, true, 0x0186, 12, 16 },
	};
	u32 i, cap;
	u64 addr;
	u32 data;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		fx_start();
		cap = pvm_pci_msi_init(&fx.fn, 8, t[i].wide, t[i].maskable);
		expect_eq(rd(cap, 1), PVM_PCI_CAP_MSI);
		expect_eq(rd(cap + 2, 2), t[i].control);
		expect(!pvm_pci_msi_enabled(&fx.fn));
		wr(4, 2, PVM_PCI_COMMAND_MASTER);
		wr(cap + 4, 4, 0xfee01003);
		if (t[i].wide)
			wr(cap + 8, 4, 1);
		wr(cap + t[i].data, 2, 0x4047);
		wr(cap + 2, 2, 0x0021);		/* enable, 4 vectors */
		expect_eq(pvm_pci_msi_count(&fx.fn), 4);
		expect(pvm_pci_msi_message(&fx.fn, 2, &addr, &data));
		expect_eq(addr, (t[i].wide ? 1ull << 32 : 0) + 0xfee01000);
		expect_eq(data, 0x4046);
		expect(!pvm_pci_msi_message(&fx.fn, 4, &addr, &data));
		pvm_pci_msi_fire(&fx.fn, 1);
		expect_eq(fx.msis, 1);
		expect_eq(fx.msi_data, 0x4045);
		pvm_pci_msi_fire(&fx.fn, 4);
		expect_eq(fx.msis, 1);
		if (!t[i].mask)
			continue;
		wr(cap + t[i].mask, 4, ~0u);
		expect_eq(rd(cap + t[i].mask, 4), 0xff);
		pvm_pci_msi_fire(&fx.fn, 3);
		expect_eq(fx.msis, 1);
		expect_eq(rd(cap + t[i].mask + 4, 4), 8);
		wr(cap + t[i].mask + 4, 4, ~0u);
		expect_eq(rd(cap + t[i].mask + 4, 4), 8);
		wr(cap + t[i].mask, 1, 0xf7);
		expect_eq(fx.msis, 2);
		expect_eq(fx.msi_data, 0x4047);
		expect_eq(rd(cap + t[i].mask + 4, 4), 0);
	}
}

static void too_many_asked(void)
{
	u32 cap;

	fx_start();
	expect_eq(pvm_pci_msi_init(&fx.fn, 3, true, true), 0);
	expect_eq(pvm_pci_msi_init(&fx.fn, 64, true, true), 0);
	cap = pvm_pci_msi_init(&fx.fn, 2, true, true);
	wr(cap + 2, 2, 0x0071);
	expect_eq(pvm_pci_msi_count(&fx.fn), 2);
	wr(cap + 16, 4, ~0u);
	expect_eq(rd(cap + 16, 4), 3);
}

static void no_master_no_message(void)
{
	u32 cap;

	fx_start();
	cap = pvm_pci_msi_init(&fx.fn, 1, true, false);
	wr(cap + 2, 2, 1);
	pvm_pci_msi_fire(&fx.fn, 0);
	expect_eq(fx.msis, 0);
	wr(4, 2, PVM_PCI_COMMAND_MASTER);
	pvm_pci_msi_fire(&fx.fn, 0);
	expect_eq(fx.msis, 1);
}

static void replaces_intx(void)
{
	u32 cap;

	fx_start();
	cap = pvm_pci_msi_init(&fx.fn, 1, true, false);
	pvm_pci_intx(&fx.fn, true);
	expect(fx.level);
	fx.msi_changes = 0;
	wr(cap + 2, 2, 1);
	expect(!fx.level);
	expect_eq(fx.msi_changes, 1);
	wr(cap + 2, 2, 0);
	expect(fx.level);
	wr(cap + 2, 2, 1);
	pvm_pci_cfg_reset(&fx.fn);
	expect(!pvm_pci_msi_enabled(&fx.fn));
	expect(!fx.level);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(layouts),
	KTAP_TEST(too_many_asked),
	KTAP_TEST(no_master_no_message),
	KTAP_TEST(replaces_intx),
};

KTAP_MAIN(tests)
