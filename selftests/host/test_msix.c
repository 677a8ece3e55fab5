// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X: table, masks, pending bits.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "pci_fixture.h"

static u32 cap;

static void start(void)
{
	fx_start();
	fx_msix();
	cap = fx.fn.msix.cap;
	wr(4, 2, PVM_PCI_COMMAND_MASTER);
}

static void tw(u64 off, u32 bytes, u64 val)
{
	pvm_pci_msix_table_write(&fx.fn, off, bytes, val);
}

static u64 tr(u64 off, u32 bytes)
{
	return pvm_pci_msix_table_read(&fx.fn, off, bytes);
}

static void vector(u32 n)
{
	tw(n * 16, 8, 0xfee00000 + n * 0x1000);
	tw(n * 16 + 8, 4, 0x30 + n);
	tw(n * 16 + 12, 4, 0);
}

static void capability(void)
{
	start();
	expect_eq(rd(cap, 1), PVM_PCI_CAP_MSIX);
	expect_eq(rd(cap + 2, 2), FIXTURE_VECTORS - 1);
	expect_eq(rd(cap + 4, 4), 3);
	expect_eq(rd(cap + 8, 4), 0x803);
	wr(cap, 8, ~0ull);
	expect_eq(rd(cap + 2, 2), 0xc000 | (FIXTURE_VECTORS - 1));
	expect_eq(rd(cap + 4, 4), 3);
	expect_eq(pvm_pci_msix_init(&fx.fn, &(struct pvm_pci_msix){ .vectors = 2049 }), 0);
	expect_eq(pvm_pci_msix_init(&fx.fn, &(struct pvm_pci_msix){ .vectors = 0 }), 0);
}

static void table_access(void)
{
	u64 end = FIXTURE_VECTORS * 16;

	start();
	expect_eq(tr(12, 4), 1);
	tw(0, 4, 0xfee01000);
	tw(4, 4, 0x1);
	tw(8, 2, 0x1234);
	tw(10, 1, 0x56);
	expect_eq(tr(0, 8), 0x1fee01000ull);
	expect_eq(tr(8, 4), 0x561234);
	tw(12, 4, 0xfffffffe);
	expect_eq(tr(12, 4), 0);
	expect_eq(fx.last_vector, 0);
	tw(8, 8, 0x1000000ffull);
	expect_eq(tr(8, 8), 0x1000000ffull);
	/* across two entries */
	tw(28, 8, 0x7777777700000000ull);
	expect_eq(tr(32, 4), 0x77777777);
	expect_eq(fx.last_vector, 2);
	/* at and over the end */
	tw(end - 4, 4, 0);
	expect_eq(tr(end - 4, 4), 0);
	tw(end - 4, 8, ~0ull);
	tw(end, 4, ~0ull);
	tw(~0ull, 4, ~0ull);
	expect_eq(tr(end - 4, 4), 0);
	expect_eq(tr(end - 4, 8), 0);
	expect_eq(tr(~0ull - 1, 8), 0);
}

static void fire(void)
{
	u64 addr;
	u32 data;

	start();
	vector(5);
	pvm_pci_msix_fire(&fx.fn, 5);
	expect_eq(fx.msis, 0);
	expect(!pvm_pci_msix_message(&fx.fn, 5, &addr, &data));
	wr(cap + 2, 2, 0x8000);
	expect(pvm_pci_msix_message(&fx.fn, 5, &addr, &data));
	pvm_pci_msix_fire(&fx.fn, 5);
	expect_eq(fx.msis, 1);
	expect_eq(fx.msi_addr, 0xfee05000);
	expect_eq(fx.msi_data, 0x35);
	pvm_pci_msix_fire(&fx.fn, FIXTURE_VECTORS);
	pvm_pci_msix_fire(&fx.fn, ~0u);
	expect_eq(fx.msis, 1);
	wr(4, 2, 0);
	pvm_pci_msix_fire(&fx.fn, 5);
	expect_eq(fx.msis, 1);
}

static void masked_is_pending(void)
{
	start();
	vector(69);
	tw(69 * 16 + 12, 4, 1);
	wr(cap + 2, 2, 0x8000);
	pvm_pci_msix_fire(&fx.fn, 69);
	pvm_pci_msix_fire(&fx.fn, 69);
	expect_eq(fx.msis, 0);
	expect_eq(pvm_pci_msix_pba_read(&fx.fn, 8, 8), 1 << 5);
	expect_eq(pvm_pci_msix_pba_read(&fx.fn, 8, 1), 1 << 5);
	expect_eq(pvm_pci_msix_pba_read(&fx.fn, 0, 8), 0);
	expect_eq(pvm_pci_msix_pba_read(&fx.fn, 16, 8), 0);
	tw(69 * 16 + 12, 4, 0);
	expect_eq(fx.msis, 1);
	expect_eq(pvm_pci_msix_pba_read(&fx.fn, 8, 8), 0);
}

static void function_mask(void)
{
	start();
	vector(1);
	vector(2);
	wr(cap + 2, 2, 0xc000);
	pvm_pci_msix_fire(&fx.fn, 1);
	pvm_pci_msix_fire(&fx.fn, 2);
	tw(2 * 16 + 12, 4, 1);
	expect_eq(fx.msis, 0);
	fx.msi_changes = 0;
	wr(cap + 2, 2, 0x8000);
	expect_eq(fx.msi_changes, 1);
	expect_eq(fx.last_vector, -1);
	expect_eq(fx.msis, 1);
	expect_eq(fx.msi_data, 0x31);
	tw(2 * 16 + 12, 4, 0);
	expect_eq(fx.msis, 2);
}

static void replaces_intx_and_resets(void)
{
	start();
	vector(1);
	pvm_pci_intx(&fx.fn, true);
	expect(fx.level);
	wr(cap + 2, 2, 0xc000);
	expect(!fx.level);
	pvm_pci_msix_fire(&fx.fn, 1);
	pvm_pci_cfg_reset(&fx.fn);
	expect_eq(pvm_pci_msix_pba_read(&fx.fn, 0, 8), 0);
	expect_eq(tr(16, 8), 0);
	expect_eq(tr(28, 4), 1);
	expect(!pvm_pci_msix_enabled(&fx.fn));
}

static const struct ktap_test tests[] = {
	KTAP_TEST(capability),
	KTAP_TEST(table_access),
	KTAP_TEST(fire),
	KTAP_TEST(masked_is_pending),
	KTAP_TEST(function_mask),
	KTAP_TEST(replaces_intx_and_resets),
};

KTAP_MAIN(tests)
