// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI root: CF8 and CFC, ECAM, the chipset functions, INTx routing.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "pci_fixture.h"

static void chipset_identity(void)
{
	fx_start();
	expect_eq(ecam_read(0, 0, 4), 0x29c08086);
	expect_eq(ecam_read(0, 0x2c, 4), 0x11001af4);
	expect_eq(ecam_read(31 << 3, 0, 4), 0x29188086);
	expect_eq(ecam_read(31 << 3, 8, 4), 0x06010002);
	expect_eq(ecam_read(31 << 3, 0x40, 4), 0x601);
	expect_eq(ecam_read(31 << 3, 0x44, 1), 0x80);
	ecam_write(31 << 3, 0x40, 4, 0xb001);
	expect_eq(ecam_read(31 << 3, 0x40, 4), 0x601);
	ecam_write(31 << 3, 0xf0, 4, 0xfed1c001);
	expect_eq(ecam_read(31 << 3, 0xf0, 4), 0xfed1c001);
	/* the chipset cannot be switched off */
	ecam_write(0, 4, 2, 0);
	expect_eq(ecam_read(0, 4, 2), 7);
}

static void ports(void)
{
	fx_start();
	expect_eq(port_read(0xcf8, 4), 0);
	expect_eq(port_read(0xcfc, 4), 0xffffffff);
	port_write(0xcf8, 4, 0x80001800);
	expect_eq(port_read(0xcf8, 4), 0x80001800);
	expect_eq(port_read(0xcfc, 4), 0x56781234);
	expect_eq(port_read(0xcfe, 2), 0x5678);
	expect_eq(port_read(0xcff, 1), 0x56);
	expect_eq(port_read(0xcfd, 2), 0x7812);
	port_write(0xcf8, 4, 0x8000183c);
	port_write(0xcfc, 1, 0x0b);
	expect_eq(port_read(0xcfc, 4), 0x010b);
	/* an empty slot, another bus */
	port_write(0xcf8, 4, 0x80002000);
	expect_eq(port_read(0xcfc, 4), 0xffffffff);
	port_write(0xcf8, 4, 0x80011800);
	expect_eq(port_read(0xcfc, 2), 0xffff);
	/* narrow writes to the address do not count */
	port_write(0xcf8, 2, 0x1800);
	expect_eq(port_read(0xcf8, 4), 0x80011800);
	expect_eq(fx.locked, 0);
}

static void reset_port(void)
{
	fx_start();
	port_write(0xcf8, 4, 0x80001800);
	port_write(0xcf9, 1, 6);
	expect_eq(fx.cf9, 6);
	expect_eq(port_read(0xcf9, 1), 6);
	expect_eq(port_read(0xcf8, 4), 0x80001800);
}

static void ecam(void)
{
	fx_start();
	expect_eq(rd(0, 8), 0x0010000056781234ull & ~0x0010000000000000ull);
	expect_eq(rd(1, 1), 0x12);
	expect_eq(rd(1, 4), 0x00567812);
	expect_eq(rd(0xffe, 2), 0);
	expect_eq(rd(0xffe, 4), 0xffffffff);
	expect_eq(rd(0x100, 4), 0);
	expect_eq(pvm_pci_root_ops.read(&fx.root.dev, 1, 1 << 20 | FIXTURE_SLOT << 15, 4),
		  0xffffffff);
	expect_eq(pvm_pci_root_ops.read(&fx.root.dev, 1, 0xfffffff, 1), 0xff);
}

static void multifunction(void)
{
	static struct pvm_pci_fn second;
	static struct pvm_pci_cfg cfg;

	fx_start();
	expect_eq(rd(0x0e, 1), 0);
	second.ops = &fx_ops;
	pvm_pci_fn_init(&second, &cfg, &fx_ids);
	expect_eq(pvm_pci_add(&fx.root, &second, FIXTURE_SLOT, 0), -EEXIST);
	expect_eq(pvm_pci_add(&fx.root, &second, 32, 0), -EINVAL);
	expect_eq(pvm_pci_add(&fx.root, &second, FIXTURE_SLOT, 1), 0);
	expect_eq(rd(0x0e, 1), 0x80);
	expect_eq(rd(0x0c, 4), 0x00800000);
	expect_eq(rd(0x08, 8), 0x0080000001080207ull);
	expect_eq(ecam_read(FIXTURE_SLOT << 3 | 1, 0x0e, 1), 0);
	pvm_pci_remove(&fx.root, &second);
	expect_eq(rd(0x0e, 1), 0);
	expect_eq(pvm_pci_free_slot(&fx.root, 1), 1);
	expect_eq(pvm_pci_free_slot(&fx.root, 3), 4);
	expect_eq(pvm_pci_free_slot(&fx.root, 31), -ENOSPC);
}

static void intx_is_shared(void)
{
	static struct pvm_pci_fn other;
	static struct pvm_pci_cfg cfg;
	u32 gsi;

	fx_start();
	other.ops = &fx_ops;
	pvm_pci_fn_init(&other, &cfg, &fx_ids);
	pvm_pci_add(&fx.root, &other, FIXTURE_SLOT + 8, 0);
	expect_eq(pvm_pci_gsi(3, 0), 19);
	expect_eq(pvm_pci_gsi(11, 0), 19);
	expect_eq(pvm_pci_gsi(7, 1), 16);
	pvm_pci_intx(&fx.fn, true);
	expect(fx.level);
	pvm_pci_intx(&other, true);
	pvm_pci_intx(&fx.fn, false);
	expect(fx.level);
	pvm_pci_remove(&fx.root, &other);
	expect(!fx.level);
	expect(!pvm_pci_intx_route(&fx.fn, false, &gsi));
	expect_eq(gsi, 19);
	/* told only of changes */
	fx.intxs = 0;
	pvm_pci_intx(&fx.fn, false);
	expect_eq(fx.intxs, 0);
}

static void pirq(void)
{
	fx_start();
	expect_eq(pvm_pci_pirq(&fx.root, 16), (u64)-1);
	ecam_write(31 << 3, 0x60, 1, 0x0b);
	ecam_write(31 << 3, 0x6b, 1, 0x05);
	expect_eq(pvm_pci_pirq(&fx.root, 16), 11);
	expect_eq(pvm_pci_pirq(&fx.root, 23), 5);
	ecam_write(31 << 3, 0x60, 1, 0x8b);
	expect_eq(pvm_pci_pirq(&fx.root, 16), (u64)-1);
	ecam_write(31 << 3, 0x60, 1, 0x08);
	expect_eq(pvm_pci_pirq(&fx.root, 16), (u64)-1);
	expect_eq(pvm_pci_pirq(&fx.root, 24), (u64)-1);
}

static void pam_is_told(void)
{
	fx_start();
	ecam_write(0, 0x90, 1, 0xff);
	expect_eq(ecam_read(0, 0x90, 1), 0x30);
	expect_eq(fx.pams, 1);
	ecam_write(0, 0x91, 2, 0x1133);
	expect_eq(fx.pams, 3);
	ecam_write(0, 0x91, 2, 0x1133);
	expect_eq(fx.pams, 3);
}

static void reset(void)
{
	fx_start();
	wr(4, 2, 0x7);
	wr(0x3c, 1, 9);
	port_write(0xcf8, 4, 0x80001800);
	pvm_pci_intx(&fx.fn, true);
	pvm_pci_root_ops.reset(&fx.root.dev);
	expect_eq(fx.resets, 1);
	expect_eq(rd(4, 4), 0);
	expect_eq(rd(0x3c, 1), 0);
	expect_eq(port_read(0xcf8, 4), 0);
	expect(!fx.level);
	expect_eq(fx.locked, 0);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(chipset_identity),
	KTAP_TEST(ports),
	KTAP_TEST(reset_port),
	KTAP_TEST(ecam),
	KTAP_TEST(multifunction),
	KTAP_TEST(intx_is_shared),
	KTAP_TEST(pirq),
	KTAP_TEST(pam_is_told),
	KTAP_TEST(reset),
};

KTAP_MAIN(tests)
