/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A "real" device for the tests of pass/mediate.c: bytes of configuration space,
 * and a log of what the mediation writes to it.
 *
 * World:   host tests
 * Context: single-threaded
 */
#ifndef PVM_PASS_FIXTURE_H
#define PVM_PASS_FIXTURE_H

#include <stdlib.h>
#include "pass/mediate.h"

#define PX_MSIX_MAX	64

static struct {
	u8 space[PVM_PCI_CFG_BYTES];	/* of the device */
	u32 space_bytes;
	struct pvm_pass_view view;
	struct pvm_pci_fn fn;
	struct pvm_pci_root root;
	struct pvm_pci_msix_entry table[PX_MSIX_MAX];
	unsigned long pending[BITS_TO_LONGS(PX_MSIX_MAX)];
	struct pvm_pass_shape shape;
	u32 hw_writes, hw_off, hw_bytes, hw_val;	/* the last write to the device */
	u32 hooks[PVM_PASS_HOOKS];
	u32 hook_off, hook_val, hook_mask;
	u8 may_write[PVM_PCI_CFG_BYTES];	/* the device's bytes that writes may reach */
} px;

static inline void px_put(u32 off, u32 bytes, u32 val)
{
	u32 i;

	for (i = 0; i < bytes && off + i < PVM_PCI_CFG_BYTES; i++)
		px.space[off + i] = val >> (i * 8);
}

static inline u32 px_get(u32 off, u32 bytes)
{
	u32 i, val = 0;

	for (i = 0; i < bytes; i++)
		val |= (u32)px.space[off + i] << (i * 8);
	return val;
}

static inline u32 px_hw_read(struct pvm_pass_view *v, u32 off, u32 bytes)
{
	if (off % bytes || off + bytes > PVM_PCI_CFG_BYTES)
		abort();
	return px_get(off, bytes);
}

static inline void px_hw_write(struct pvm_pass_view *v, u32 off, u32 bytes, u32 val)
{
	if (off % bytes || off + bytes > PVM_PCI_CFG_BYTES || (bytes < 4 && val >> (bytes * 8)))
		abort();
	px.hw_writes++;
	px.hw_off = off;
	px.hw_bytes = bytes;
	px.hw_val = val;
	px_put(off, bytes, val);
}

static inline void px_hook(struct pvm_pass_view *v, u32 hook, u32 off, u32 val, u32 mask)
{
	if (!hook || hook >= PVM_PASS_HOOKS || (off & 3) || (val & ~mask))
		abort();
	px.hooks[hook]++;
	px.hook_off = off;
	px.hook_val = val;
	px.hook_mask = mask;
}

static const struct pvm_pass_view_ops px_view_ops = {
	.read = px_hw_read, .write = px_hw_write, .hook = px_hook,
};

static inline u32 px_cfg_read(struct pvm_pci_fn *fn, u32 off, u32 bytes)
{
	return pvm_pass_view_read(&px.view, off, bytes);
}

static inline void px_cfg_write(struct pvm_pci_fn *fn, u32 off, u32 bytes, u32 val)
{
	pvm_pass_view_write(&px.view, off, bytes, val);
}

static inline int px_bar_changed(struct pvm_pci_fn *fn, u32 bar, u64 gpa)
{
	return 0;
}

static inline void px_reset(struct pvm_pci_fn *fn)
{
}

static const struct pvm_pci_fn_ops px_fn_ops = {
	.cfg_read = px_cfg_read, .cfg_write = px_cfg_write, .bar_changed = px_bar_changed,
	.reset = px_reset,
};

static const struct pvm_pci_host px_host;

/* A device with a header and nothing else; the caller adds to px.space and px.shape. */
static inline void px_start(void)
{
	memset(&px, 0, sizeof(px));
	px.space_bytes = PVM_PCI_CFG_BYTES;
	px_put(PVM_PCI_VENDOR_ID, 4, 0x731f1002);
	px_put(PVM_PCI_COMMAND, 4, 0x00100006);
	px_put(PVM_PCI_REVISION, 4, 0x030000c1);
	px_put(PVM_PCI_BAR0, 4, 0xe000000c);
	px_put(PVM_PCI_BAR0 + 8, 4, 0xfe000000);
	px_put(PVM_PCI_SUBSYSTEM, 4, 0x0b361002);
	px_put(PVM_PCI_CAP_PTR, 1, 0x48);
	px_put(PVM_PCI_INT_PIN, 1, 1);
	px.shape.bar[0].bytes = 256 << 20;
	px.shape.bar[0].flags = PVM_PCI_BAR_64 | PVM_PCI_BAR_PREFETCH;
	px.shape.bar[2].bytes = 64 << 10;
	px.shape.intx = true;
	px.shape.flr = true;
	px.shape.af_flr = true;
	px.shape.msix_vectors = PX_MSIX_MAX;
	px.shape.msi_vectors = 32;
	px.shape.msix_table = px.table;
	px.shape.msix_pending = px.pending;
}

static inline void px_build(void)
{
	px.view.ops = &px_view_ops;
	px.fn.ops = &px_fn_ops;
	pvm_pass_view_build(&px.view, &px.fn, px.space, px.space_bytes, &px.shape);
	pvm_pci_root_init(&px.root, &px_host);
	pvm_pci_add(&px.root, &px.fn, 4, 0);
}

#endif /* PVM_PASS_FIXTURE_H */
