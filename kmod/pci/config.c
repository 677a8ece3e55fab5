// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space of a function: bytes, masks, and what follows from a write.
 *
 * Each byte has a mask of bits that a write sets and one of bits that writing 1
 * clears; all else is read-only. BAR registers are not bytes but are composed by
 * bar.c. After the bytes have changed, the registers that act (COMMAND, the
 * controls of MSI and MSI-X) are compared with what they were.
 *
 * World:   pure
 * Context: function's lock held, but for the functions that build one
 * Spec:    PCI r3.0, sec 6.1 "Configuration Space Organization"
 */
#include <pvm/env.h>
#include "pci/pci.h"

/* COMMAND bits that a type 0 function without exotic features implements. */
#define COMMAND_WRITABLE	(PVM_PCI_COMMAND_IO | PVM_PCI_COMMAND_MEM | \
				 PVM_PCI_COMMAND_MASTER | PVM_PCI_COMMAND_INTX_OFF | \
				 1 << 6 /* parity */ | 1 << 8 /* SERR# */)
/* STATUS: error bits that writing 1 clears. */
#define STATUS_W1C		0xf900

u32 pvm_pci_cfg_get(const struct pvm_pci_cfg *cfg, u32 off, u32 bytes)
{
	u32 i, val = 0;

	for (i = 0; i < bytes && off + i < PVM_PCI_CFG_BYTES; i++)
		val |= (u32)cfg->byte[off + i] << (i * 8);
	return val;
}

void pvm_pci_cfg_set(struct pvm_pci_cfg *cfg, u32 off, u32 bytes, u32 val)
{
	u32 i;

	for (i = 0; i < bytes && off + i < PVM_PCI_CFG_BYTES; i++) {
		cfg->byte[off + i] = val >> (i * 8);
		if (off + i < sizeof(cfg->power_on))
			cfg->power_on[off + i] = val >> (i * 8);
	}
}

void pvm_pci_cfg_mask(struct pvm_pci_cfg *cfg, u32 off, u32 bytes, u32 write, u32 w1c)
{
	u32 i;

	for (i = 0; i < bytes && off + i < PVM_PCI_CFG_BYTES; i++) {
		cfg->write_mask[off + i] = write >> (i * 8);
		cfg->w1c_mask[off + i] = w1c >> (i * 8);
	}
}

void pvm_pci_fn_init(struct pvm_pci_fn *fn, struct pvm_pci_cfg *cfg, const struct pvm_pci_ids *ids)
{
	const struct pvm_pci_fn_ops *ops = fn->ops;
	struct pvm_dev *dev = fn->dev;
	void *owner = fn->owner;
	u32 i;

	memset(fn, 0, sizeof(*fn));
	memset(cfg, 0, sizeof(*cfg));
	fn->ops = ops;
	fn->dev = dev;
	fn->owner = owner;
	fn->cfg = cfg;
	for (i = 0; i < PVM_PCI_BARS; i++) {
		fn->bar[i].want_gpa = PVM_NO_ADDR;
		fn->bar[i].have_gpa = PVM_NO_ADDR;
		fn->bar[i].failed_gpa = PVM_NO_ADDR;
	}

	cfg->cap_next = PVM_PCI_CFG_CAPS;
	pvm_pci_cfg_set(cfg, PVM_PCI_VENDOR_ID, 2, ids->vendor);
	pvm_pci_cfg_set(cfg, PVM_PCI_DEVICE_ID, 2, ids->device);
	pvm_pci_cfg_set(cfg, PVM_PCI_REVISION, 4, ids->class << 8 | ids->revision);
	pvm_pci_cfg_set(cfg, PVM_PCI_SUBSYSTEM, 2, ids->subsystem_vendor);
	pvm_pci_cfg_set(cfg, PVM_PCI_SUBSYSTEM + 2, 2, ids->subsystem);
	pvm_pci_cfg_set(cfg, PVM_PCI_INT_PIN, 1, ids->pin);
	pvm_pci_cfg_mask(cfg, PVM_PCI_COMMAND, 2, COMMAND_WRITABLE, 0);
	pvm_pci_cfg_mask(cfg, PVM_PCI_STATUS, 2, 0, STATUS_W1C);
	pvm_pci_cfg_mask(cfg, PVM_PCI_CACHE_LINE, 2, 0xffff, 0);
	pvm_pci_cfg_mask(cfg, PVM_PCI_INT_LINE, 1, 0xff, 0);
}

u32 pvm_pci_cfg_read(struct pvm_pci_fn *fn, u32 off, u32 bytes)
{
	if (pvm_pci_bar_is_reg(off))
		return pvm_pci_bar_read(fn, off, bytes);
	return pvm_pci_cfg_get(fn->cfg, off, bytes);
}

/* Does [off, off + bytes) touch [start, start + count)? */
static bool touches(u32 off, u32 bytes, u32 start, u32 count)
{
	return off < start + count && start < off + bytes;
}

static u16 msix_control(const struct pvm_pci_fn *fn)
{
	return fn->msix.cap ? pvm_pci_cfg_get(fn->cfg, fn->msix.cap + 2, 2) : 0;
}

void pvm_pci_cfg_write(struct pvm_pci_fn *fn, u32 off, u32 bytes, u32 val)
{
	struct pvm_pci_cfg *cfg = fn->cfg;
	u16 old_command = pvm_pci_command(fn);
	u16 old_msix = msix_control(fn);
	u32 i;

	if (pvm_pci_bar_is_reg(off)) {
		pvm_pci_bar_write(fn, off, bytes, val);
		pvm_pci_bar_decode(fn, old_command);
		return;
	}

	for (i = 0; i < bytes && off + i < PVM_PCI_CFG_BYTES; i++) {
		u8 v = val >> (i * 8), mask = cfg->write_mask[off + i];
		u8 new = (cfg->byte[off + i] & ~mask) | (v & mask);

		/* COMMAND is also read without the lock, see pvm_pci_command() */
		WRITE_ONCE(cfg->byte[off + i], new & ~(v & cfg->w1c_mask[off + i]));
	}

	if (pvm_pci_command(fn) != old_command) {
		pvm_pci_bar_decode(fn, pvm_pci_command(fn));
		pvm_pci_intx_update(fn);
	}
	if (fn->msi.cap && touches(off, bytes, fn->msi.cap, 24))
		pvm_pci_msi_written(fn, off, bytes);
	if (msix_control(fn) != old_msix)
		pvm_pci_msix_written(fn, old_msix);
}

void pvm_pci_cfg_reset(struct pvm_pci_fn *fn)
{
	struct pvm_pci_cfg *cfg = fn->cfg;
	u32 i;

	memcpy(cfg->byte, cfg->power_on, sizeof(cfg->power_on));
	for (i = sizeof(cfg->power_on); i < PVM_PCI_CFG_BYTES; i++)
		cfg->byte[i] &= ~(cfg->write_mask[i] | cfg->w1c_mask[i]);
	for (i = 0; i < PVM_PCI_BARS; i++) {
		fn->bar[i].reg = 0;
		fn->bar[i].rom_on = false;
	}
	pvm_pci_bar_decode(fn, 0);
	pvm_pci_msix_reset(fn);
	fn->intx_level = false;
	pvm_pci_intx_update(fn);
	if (fn->ops->msi_changed && (fn->msi.cap || fn->msix.cap))
		fn->ops->msi_changed(fn, -1);
}

void pvm_pci_intx(struct pvm_pci_fn *fn, bool level)
{
	u8 *status = &fn->cfg->byte[PVM_PCI_STATUS];

	fn->intx_level = level;
	*status = level ? *status | PVM_PCI_STATUS_INTX : *status & ~PVM_PCI_STATUS_INTX;
	pvm_pci_intx_update(fn);
}

/* PCIe r6.0, sec 6.1.4.3: with MSI or MSI-X on, a function must not use INTx. */
void pvm_pci_intx_update(struct pvm_pci_fn *fn)
{
	bool level = fn->intx_level && !(pvm_pci_command(fn) & PVM_PCI_COMMAND_INTX_OFF) &&
		     !pvm_pci_msi_enabled(fn) && !pvm_pci_msix_enabled(fn) &&
		     fn->cfg->byte[PVM_PCI_INT_PIN];

	if (level == fn->intx_sent || !fn->root)
		return;
	fn->intx_sent = level;
	if (fn->root->host->intx)
		fn->root->host->intx(fn, level);
}
