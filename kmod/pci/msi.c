// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSI capability.
 *
 * All its state lies in configuration space; mask and pending bits are there
 * only in functions built with per-vector masking.
 *
 * World:   pure
 * Context: function's lock held
 * Spec:    PCIe r6.0, sec 7.7.1 "MSI Capability Structures"
 */
#include <pvm/env.h>
#include "pci/pci.h"

#define CONTROL_ENABLE		0x0001
#define CONTROL_ENABLED_SHIFT	4	/* Multiple Message Enable */
#define CONTROL_64		0x0080
#define CONTROL_MASKABLE	0x0100

static u32 data_off(const struct pvm_pci_msi *m)
{
	return m->cap + (m->wide ? 12 : 8);
}

static u32 mask_off(const struct pvm_pci_msi *m)
{
	return m->cap + (m->wide ? 16 : 12);
}

static u32 pending_off(const struct pvm_pci_msi *m)
{
	return mask_off(m) + 4;
}

u32 pvm_pci_msi_init(struct pvm_pci_fn *fn, u32 vectors, bool wide, bool maskable)
{
	struct pvm_pci_msi *m = &fn->msi;
	u32 cap, control;

	if (!vectors || vectors > 32 || !is_power_of_2(vectors))
		return 0;
	cap = pvm_pci_cap_add(fn, PVM_PCI_CAP_MSI, 10 + (wide ? 4 : 0) + (maskable ? 10 : 0));
	if (!cap)
		return 0;
	m->cap = cap;
	m->wide = wide;
	m->maskable = maskable;
	m->vectors_log2 = ilog2(vectors);

	control = m->vectors_log2 << 1 | (wide ? CONTROL_64 : 0) |
		  (maskable ? CONTROL_MASKABLE : 0);
	pvm_pci_cfg_set(fn->cfg, cap + 2, 2, control);
	pvm_pci_cfg_mask(fn->cfg, cap + 2, 2, CONTROL_ENABLE | 7 << CONTROL_ENABLED_SHIFT, 0);
	pvm_pci_cfg_mask(fn->cfg, cap + 4, 4, ~3u, 0);
	if (wide)
		pvm_pci_cfg_mask(fn->cfg, cap + 8, 4, ~0u, 0);
	pvm_pci_cfg_mask(fn->cfg, data_off(m), 2, 0xffff, 0);
	if (maskable)
		pvm_pci_cfg_mask(fn->cfg, mask_off(m), 4, pvm_bytes_mask(4) >> (32 - vectors), 0);
	return cap;
}

bool pvm_pci_msi_enabled(const struct pvm_pci_fn *fn)
{
	return fn->msi.cap && (fn->cfg->byte[fn->msi.cap + 2] & CONTROL_ENABLE);
}

u32 pvm_pci_msi_count(const struct pvm_pci_fn *fn)
{
	u32 log2;

	if (!pvm_pci_msi_enabled(fn))
		return 0;
	/* The guest may ask for more than there are. */
	log2 = fn->cfg->byte[fn->msi.cap + 2] >> CONTROL_ENABLED_SHIFT & 7;
	return 1u << min_t(u32, log2, fn->msi.vectors_log2);
}

bool pvm_pci_msi_message(const struct pvm_pci_fn *fn, u32 vector, u64 *addr, u32 *data)
{
	const struct pvm_pci_msi *m = &fn->msi;
	u32 count = pvm_pci_msi_count(fn);

	if (vector >= count)
		return false;
	if (m->maskable && (pvm_pci_cfg_get(fn->cfg, mask_off(m), 4) >> vector & 1))
		return false;
	*addr = pvm_pci_cfg_get(fn->cfg, m->cap + 4, 4);
	if (m->wide)
		*addr |= (u64)pvm_pci_cfg_get(fn->cfg, m->cap + 8, 4) << 32;
	/* The low bits that the vectors take are the function's to fill. */
	*data = (pvm_pci_cfg_get(fn->cfg, data_off(m), 2) & ~(count - 1)) | vector;
	return true;
}

static void set_pending(struct pvm_pci_fn *fn, u32 vector, bool on)
{
	u8 *b = &fn->cfg->byte[pending_off(&fn->msi) + vector / 8];

	*b = on ? *b | 1 << (vector & 7) : *b & ~(1 << (vector & 7));
}

void pvm_pci_msi_fire(struct pvm_pci_fn *fn, u32 vector)
{
	u64 addr;
	u32 data;

	if (vector >= pvm_pci_msi_count(fn) || !(pvm_pci_command(fn) & PVM_PCI_COMMAND_MASTER))
		return;
	if (!pvm_pci_msi_message(fn, vector, &addr, &data))
		set_pending(fn, vector, true);
	else if (fn->root && fn->root->host->msi)
		fn->root->host->msi(fn, addr, data);
}

void pvm_pci_msi_written(struct pvm_pci_fn *fn, u32 off, u32 bytes)
{
	const struct pvm_pci_msi *m = &fn->msi;
	u32 i, pending;

	if (off >= (m->maskable ? pending_off(m) : data_off(m) + 2))
		return;
	pvm_pci_intx_update(fn);
	if (fn->ops->msi_changed)
		fn->ops->msi_changed(fn, -1);
	if (!m->maskable)
		return;
	pending = pvm_pci_cfg_get(fn->cfg, pending_off(m), 4) &
		  ~pvm_pci_cfg_get(fn->cfg, mask_off(m), 4);
	for (i = 0; i < pvm_pci_msi_count(fn); i++) {
		if (!(pending >> i & 1))
			continue;
		set_pending(fn, i, false);
		pvm_pci_msi_fire(fn, i);
	}
}
