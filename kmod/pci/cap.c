// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of capabilities in the first 256 bytes.
 *
 * World:   pure
 * Context: while a function is built; cap_find() any
 * Spec:    PCI r3.0, sec 6.7 "Capabilities List"
 */
#include <pvm/env.h>
#include "pci/pci.h"

#define CONVENTIONAL_BYTES	256
#define CAP_MAX			48	/* as many as fit, 4 bytes each */

u32 pvm_pci_cap_add(struct pvm_pci_fn *fn, u8 id, u32 bytes)
{
	struct pvm_pci_cfg *cfg = fn->cfg;
	u32 off = cfg->cap_next;

	if (bytes < 2 || bytes > CONVENTIONAL_BYTES || off + bytes > CONVENTIONAL_BYTES)
		return 0;
	cfg->cap_next = ALIGN(off + bytes, 4);
	pvm_pci_cfg_set(cfg, off, 1, id);
	if (cfg->cap_last) {
		pvm_pci_cfg_set(cfg, cfg->cap_last + 1, 1, off);
	} else {
		pvm_pci_cfg_set(cfg, PVM_PCI_CAP_PTR, 1, off);
		pvm_pci_cfg_set(cfg, PVM_PCI_STATUS, 2, PVM_PCI_STATUS_CAPS);
	}
	cfg->cap_last = off;
	return off;
}

u32 pvm_pci_cap_find(const struct pvm_pci_fn *fn, u8 id)
{
	const u8 *b = fn->cfg->byte;
	u32 off, i;

	if (!(b[PVM_PCI_STATUS] & PVM_PCI_STATUS_CAPS))
		return 0;
	off = b[PVM_PCI_CAP_PTR] & ~3u;
	for (i = 0; i < CAP_MAX && off >= PVM_PCI_CFG_CAPS; i++) {
		if (b[off] == id)
			return off;
		off = b[off + 1] & ~3u;
	}
	return 0;
}

/* PCI-PM r1.2, sec 3.2: D0 and D3hot, whose state survives (No_Soft_Reset). */
u32 pvm_pci_cap_pm(struct pvm_pci_fn *fn)
{
	u32 off = pvm_pci_cap_add(fn, PVM_PCI_CAP_PM, 8);

	if (!off)
		return 0;
	pvm_pci_cfg_set(fn->cfg, off + 2, 2, 0x0003);		/* version 3, no PME */
	pvm_pci_cfg_set(fn->cfg, off + 4, 2, 0x0008);		/* No_Soft_Reset */
	pvm_pci_cfg_mask(fn->cfg, off + 4, 2, 0x0003, 0);	/* PowerState */
	return off;
}

/* PCIe r6.0, sec 7.5.3: version 2, 60 bytes with the link registers reserved as zero. */
u32 pvm_pci_cap_express(struct pvm_pci_fn *fn)
{
	u32 off = pvm_pci_cap_add(fn, PVM_PCI_CAP_EXP, 0x3c);

	if (!off)
		return 0;
	pvm_pci_cfg_set(fn->cfg, off + 2, 2, 0x0092);		/* version 2, RCiEP */
	pvm_pci_cfg_set(fn->cfg, off + 4, 4, 0x00008000);	/* Role-Based Error Reporting */
	/* Device Control: all but reset and the read-only bits; Device Status: errors. */
	pvm_pci_cfg_mask(fn->cfg, off + 8, 4, 0x00007fff, 0x000f0000);
	pvm_pci_cfg_set(fn->cfg, off + 8, 2, 0x2810);	/* 512-byte reads, relaxed, no snoop */
	return off;
}
