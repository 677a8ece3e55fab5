// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space: header, masks, capabilities, INTx gating.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "pci_fixture.h"

static void header(void)
{
	fx_start();
	expect_eq(rd(0x00, 4), 0x56781234);
	expect_eq(rd(0x08, 4), 0x01080207);
	expect_eq(rd(0x2c, 4), 0x11001af4);
	expect_eq(rd(0x3d, 1), 1);
	wr(0x00, 8, ~0ull);
	expect_eq(rd(0x00, 4), 0x56781234);
	expect_eq(rd(4, 2), 0x0547);
	wr(0x0c, 4, ~0u);
	expect_eq(rd(0x0c, 4), 0xffff);
}

static void masks(void)
{
	fx_start();
	pvm_pci_cfg_set(&fx.cfg, 0x80, 4, 0x12345678);
	pvm_pci_cfg_mask(&fx.cfg, 0x80, 4, 0x00ff0ff0, 0xf0000000);
	wr(0x80, 4, 0);
	expect_eq(rd(0x80, 4), 0x12005008);
	wr(0x83, 1, 0x30);
	expect_eq(rd(0x80, 4), 0x02005008);
	wr(0x81, 2, 0xffff);
	expect_eq(rd(0x80, 4), 0x02ff5f08);
	/* the same in extended space, whose writable bits a reset clears */
	pvm_pci_cfg_set(&fx.cfg, 0xffc, 4, 0x10000001);
	pvm_pci_cfg_mask(&fx.cfg, 0xffc, 4, 0xff, 0);
	wr(0xffc, 4, ~0u);
	expect_eq(rd(0xffc, 4), 0x100000ff);
	pvm_pci_cfg_reset(&fx.fn);
	expect_eq(rd(0xffc, 4), 0x10000000);
	expect_eq(rd(0x80, 4), 0x12345678);
}

static void status_bits(void)
{
	fx_start();
	fx.cfg.byte[7] = 0xf9;
	wr(6, 2, 0x8000);
	expect_eq(rd(6, 2), 0x7900);
	pvm_pci_intx(&fx.fn, true);
	expect_eq(rd(6, 2), 0x7908);
	wr(6, 2, 0xffff);
	expect_eq(rd(6, 2), 0x0008);
}

static void intx_disable(void)
{
	fx_start();
	pvm_pci_intx(&fx.fn, true);
	expect(fx.level);
	wr(4, 2, PVM_PCI_COMMAND_INTX_OFF);
	expect(!fx.level);
	expect(rd(6, 2) & PVM_PCI_STATUS_INTX);
	wr(4, 2, 0);
	expect(fx.level);
	pvm_pci_intx(&fx.fn, false);
	expect(!fx.level);
}

static void capability_list(void)
{
	u32 pm, vendor, express, off, n = 0;

	fx_start();
	expect_eq(pvm_pci_cap_find(&fx.fn, PVM_PCI_CAP_PM), 0);
	expect_eq(rd(6, 2) & PVM_PCI_STATUS_CAPS, 0);
	pm = pvm_pci_cap_pm(&fx.fn);
	vendor = pvm_pci_cap_add(&fx.fn, PVM_PCI_CAP_VENDOR, 17);
	express = pvm_pci_cap_express(&fx.fn);
	expect_eq(pm, 0x40);
	expect_eq(vendor, 0x48);
	expect_eq(express, 0x5c);
	expect_eq(rd(6, 2), PVM_PCI_STATUS_CAPS);
	expect_eq(pvm_pci_cap_find(&fx.fn, PVM_PCI_CAP_VENDOR), vendor);
	expect_eq(pvm_pci_cap_find(&fx.fn, PVM_PCI_CAP_EXP), express);
	expect_eq(pvm_pci_cap_find(&fx.fn, 0x77), 0);
	for (off = rd(0x34, 1); off; off = rd(off + 1, 1))
		n++;
	expect_eq(n, 3);
	/* D3hot and back */
	wr(pm + 4, 2, 0xffff);
	expect_eq(rd(pm + 4, 2), 0x000b);
	/* full */
	expect_eq(pvm_pci_cap_add(&fx.fn, 9, 200), 0);
	while (pvm_pci_cap_add(&fx.fn, 9, 4))
		n++;
	expect_eq(n, 3 + (256 - 0x98) / 4);
	/* a list that a bug made circular is still searched in bounded time */
	pvm_pci_cfg_set(&fx.cfg, vendor + 1, 1, pm);
	expect_eq(pvm_pci_cap_find(&fx.fn, 0x77), 0);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(header),
	KTAP_TEST(masks),
	KTAP_TEST(status_bits),
	KTAP_TEST(intx_disable),
	KTAP_TEST(capability_list),
};

KTAP_MAIN(tests)
