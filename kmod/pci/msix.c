// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X: the capability, the vector table and the pending bits.
 *
 * The table lies in a BAR and belongs to whoever answers that BAR, which hands
 * the accesses on to here. Masked vectors that fire are remembered in the PBA
 * and sent when both the vector's and the function's mask are off.
 *
 * World:   pure
 * Context: function's lock held
 * Spec:    PCIe r6.0, sec 7.7.2 "MSI-X Capability and Table Structure"
 */
#include <pvm/env.h>
#include "pci/pci.h"

#define CONTROL_ENABLE		0x8000
#define CONTROL_MASK_ALL	0x4000
#define CONTROL_ACTIVE		(CONTROL_ENABLE | CONTROL_MASK_ALL)	/* compared with ENABLE */
#define ENTRY_MASKED		1u

u32 pvm_pci_msix_init(struct pvm_pci_fn *fn, const struct pvm_pci_msix *x)
{
	u32 cap;

	if (!x->vectors || x->vectors > 2048 || ((x->table_off | x->pba_off) & 7) ||
	    x->table_bar > 5 || x->pba_bar > 5)
		return 0;
	cap = pvm_pci_cap_add(fn, PVM_PCI_CAP_MSIX, 12);
	if (!cap)
		return 0;
	fn->msix = *x;
	fn->msix.cap = cap;
	pvm_pci_cfg_set(fn->cfg, cap + 2, 2, x->vectors - 1);
	pvm_pci_cfg_mask(fn->cfg, cap + 2, 2, CONTROL_ACTIVE, 0);
	pvm_pci_cfg_set(fn->cfg, cap + 4, 4, x->table_off | x->table_bar);
	pvm_pci_cfg_set(fn->cfg, cap + 8, 4, x->pba_off | x->pba_bar);
	pvm_pci_msix_reset(fn);
	return cap;
}

static u16 control(const struct pvm_pci_fn *fn)
{
	return fn->msix.cap ? pvm_pci_cfg_get(fn->cfg, fn->msix.cap + 2, 2) : 0;
}

bool pvm_pci_msix_enabled(const struct pvm_pci_fn *fn)
{
	return control(fn) & CONTROL_ENABLE;
}

bool pvm_pci_msix_message(const struct pvm_pci_fn *fn, u32 vector, u64 *addr, u32 *data)
{
	const struct pvm_pci_msix_entry *e;

	if (vector >= fn->msix.vectors || (control(fn) & CONTROL_ACTIVE) != CONTROL_ENABLE)
		return false;
	e = &fn->msix.table[vector];
	if (e->control & ENTRY_MASKED)
		return false;
	*addr = e->addr;
	*data = e->data;
	return true;
}

void pvm_pci_msix_fire(struct pvm_pci_fn *fn, u32 vector)
{
	u64 addr;
	u32 data;

	if (vector >= fn->msix.vectors || !pvm_pci_msix_enabled(fn) ||
	    !(pvm_pci_command(fn) & PVM_PCI_COMMAND_MASTER))
		return;
	if (!pvm_pci_msix_message(fn, vector, &addr, &data))
		__set_bit(vector, fn->msix.pending);
	else if (fn->root && fn->root->host->msi)
		fn->root->host->msi(fn, addr, data);
}

/* Sends @vector if it is pending and nothing masks it any more. */
static void send_pending(struct pvm_pci_fn *fn, u32 vector)
{
	u64 addr;
	u32 data;

	if (!test_bit(vector, fn->msix.pending) ||
	    !pvm_pci_msix_message(fn, vector, &addr, &data))
		return;
	__clear_bit(vector, fn->msix.pending);
	pvm_pci_msix_fire(fn, vector);
}

u64 pvm_pci_msix_table_read(const struct pvm_pci_fn *fn, u64 off, u32 bytes)
{
	u64 size = (u64)fn->msix.vectors * PVM_PCI_MSIX_ENTRY_BYTES, val = 0;

	BUILD_BUG_ON(sizeof(struct pvm_pci_msix_entry) != PVM_PCI_MSIX_ENTRY_BYTES);
	if (bytes <= 8 && off < size && bytes <= size - off)
		memcpy(&val, (const u8 *)fn->msix.table + off, bytes);
	return val;
}

void pvm_pci_msix_table_write(struct pvm_pci_fn *fn, u64 off, u32 bytes, u64 val)
{
	u64 size = (u64)fn->msix.vectors * PVM_PCI_MSIX_ENTRY_BYTES;
	u32 first, last, i;

	if (bytes > 8 || !bytes || off >= size || bytes > size - off)
		return;
	memcpy((u8 *)fn->msix.table + off, &val, bytes);
	first = off / PVM_PCI_MSIX_ENTRY_BYTES;
	last = (off + bytes - 1) / PVM_PCI_MSIX_ENTRY_BYTES;
	for (i = first; i <= last; i++) {
		fn->msix.table[i].control &= ENTRY_MASKED;
		if (fn->ops->msi_changed)
			fn->ops->msi_changed(fn, i);
		send_pending(fn, i);
	}
}

u64 pvm_pci_msix_pba_read(const struct pvm_pci_fn *fn, u64 off, u32 bytes)
{
	u64 size = BITS_TO_LONGS(fn->msix.vectors) * sizeof(long), val = 0;

	if (bytes <= 8 && off < size && bytes <= size - off)
		memcpy(&val, (const u8 *)fn->msix.pending + off, bytes);
	return val;
}

void pvm_pci_msix_written(struct pvm_pci_fn *fn, u16 old_control)
{
	u16 now = control(fn);
	u32 i;

	if ((now ^ old_control) & CONTROL_ENABLE)
		pvm_pci_intx_update(fn);
	if (fn->ops->msi_changed)
		fn->ops->msi_changed(fn, -1);
	if ((now & CONTROL_ACTIVE) != CONTROL_ENABLE)
		return;
	for (i = 0; i < fn->msix.vectors; i++)
		send_pending(fn, i);
}

void pvm_pci_msix_reset(struct pvm_pci_fn *fn)
{
	u32 i;

	if (!fn->msix.cap)
		return;
	for (i = 0; i < fn->msix.vectors; i++)
		fn->msix.table[i] = (struct pvm_pci_msix_entry){ .control = ENTRY_MASKED };
	memset(fn->msix.pending, 0, BITS_TO_LONGS(fn->msix.vectors) * sizeof(long));
}
