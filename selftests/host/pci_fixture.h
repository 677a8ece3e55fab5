/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI root with one emulated function, and a host that records what it is told.
 *
 * World:   host tests
 * Context: single-threaded
 */
#ifndef PVM_PCI_FIXTURE_H
#define PVM_PCI_FIXTURE_H

#include <pvm/env.h>
#include "pci/pci.h"

#define FIXTURE_SLOT	3
#define FIXTURE_VECTORS	70

struct fixture {
	struct pvm_pci_root root;
	struct pvm_pci_fn fn;
	struct pvm_pci_cfg cfg;
	struct pvm_dev dev;
	struct pvm_pci_msix_entry table[FIXTURE_VECTORS];
	unsigned long pending[BITS_TO_LONGS(FIXTURE_VECTORS)];
	/* recorded */
	u32 changes, msis, intxs, resets, msi_changes, locks, pams;
	int last_vector, locked;
	u64 msi_addr;
	u32 msi_data;
	bool level;
	u8 cf9;
};

static struct fixture fx;

static void fx_changed(struct pvm_pci_root *root)
{
	fx.changes++;
}

static void fx_lock(struct pvm_pci_fn *fn)
{
	fx.locks++;
	fx.locked++;
}

static void fx_unlock(struct pvm_pci_fn *fn)
{
	fx.locked--;
}

static void fx_msi(struct pvm_pci_fn *fn, u64 addr, u32 data)
{
	fx.msis++;
	fx.msi_addr = addr;
	fx.msi_data = data;
}

static void fx_intx(struct pvm_pci_fn *fn, bool level)
{
	u32 gsi;

	fx.intxs++;
	fx.level = pvm_pci_intx_route(fn, level, &gsi);
}

static u8 fx_cf9_read(struct pvm_pci_root *root)
{
	return fx.cf9;
}

static void fx_cf9_write(struct pvm_pci_root *root, u8 val)
{
	fx.cf9 = val;
}

static void fx_pam(struct pvm_pci_root *root, u32 index, u8 val)
{
	fx.pams++;
}

static const struct pvm_pci_host fx_host = {
	.bars_changed = fx_changed,
	.lock = fx_lock,
	.unlock = fx_unlock,
	.msi = fx_msi,
	.intx = fx_intx,
	.cf9_read = fx_cf9_read,
	.cf9_write = fx_cf9_write,
	.pam = fx_pam,
};

static void fx_msi_changed(struct pvm_pci_fn *fn, int vector)
{
	fx.msi_changes++;
	fx.last_vector = vector;
}

static void fx_reset(struct pvm_pci_fn *fn)
{
	fx.resets++;
}

static const struct pvm_pci_fn_ops fx_ops = {
	.cfg_read = pvm_pci_cfg_read,
	.cfg_write = pvm_pci_cfg_write,
	.msi_changed = fx_msi_changed,
	.reset = fx_reset,
};

static const struct pvm_pci_ids fx_ids = {
	.vendor = 0x1234, .device = 0x5678, .subsystem_vendor = 0x1af4, .subsystem = 0x1100,
	.class = 0x010802, .revision = 7, .pin = 1,
};

/* 00:03.0 with a 64-bit BAR 0, an I/O BAR 2, a 32-bit BAR 3 and a ROM. */
static inline void fx_start(void)
{
	memset(&fx, 0, sizeof(fx));
	pvm_pci_root_init(&fx.root, &fx_host);
	fx.root.dev.ops = &pvm_pci_root_ops;
	fx.fn.ops = &fx_ops;
	fx.fn.dev = &fx.dev;
	pvm_pci_fn_init(&fx.fn, &fx.cfg, &fx_ids);
	pvm_pci_bar_init(&fx.fn, 0, 0x4000, PVM_PCI_BAR_64 | PVM_PCI_BAR_PREFETCH);
	pvm_pci_bar_init(&fx.fn, 2, 0x20, PVM_PCI_BAR_IO);
	pvm_pci_bar_init(&fx.fn, 3, 0x1000, 0);
	pvm_pci_bar_init(&fx.fn, PVM_PCI_ROM_BAR, 0x10000, 0);
	pvm_pci_add(&fx.root, &fx.fn, FIXTURE_SLOT, 0);
}

static inline void fx_msix(void)
{
	pvm_pci_msix_init(&fx.fn, &(struct pvm_pci_msix){
		.table_bar = 3, .pba_bar = 3, .pba_off = 0x800, .vectors = FIXTURE_VECTORS,
		.table = fx.table, .pending = fx.pending,
	});
}

static inline u64 ecam_read(u32 devfn, u32 off, u32 bytes)
{
	return pvm_pci_root_ops.read(&fx.root.dev, PVM_PCI_REGION_ECAM, devfn << 12 | off, bytes);
}

static inline void ecam_write(u32 devfn, u32 off, u32 bytes, u64 val)
{
	pvm_pci_root_ops.write(&fx.root.dev, PVM_PCI_REGION_ECAM, devfn << 12 | off, bytes, val);
}

static inline u64 port_read(u32 port, u32 bytes)
{
	return pvm_pci_root_ops.read(&fx.root.dev, PVM_PCI_REGION_PORTS, port - 0xcf8, bytes);
}

static inline void port_write(u32 port, u32 bytes, u64 val)
{
	pvm_pci_root_ops.write(&fx.root.dev, PVM_PCI_REGION_PORTS, port - 0xcf8, bytes, val);
}

/* Shorthands for the function of the fixture. */
static inline u64 rd(u32 off, u32 bytes)
{
	return ecam_read(FIXTURE_SLOT << 3, off, bytes);
}

static inline void wr(u32 off, u32 bytes, u64 val)
{
	ecam_write(FIXTURE_SLOT << 3, off, bytes, val);
}

#endif /* PVM_PCI_FIXTURE_H */
