// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated configuration space: the view of mediate.c over the real device.
 *
 * All accesses come with fn's lock held and IRQs off; the kernel's accessors for
 * configuration space are safe there. The device's own COMMAND keeps its memory
 * and I/O decoding on for as long as it is attached: decoding is virtual, and
 * only decides what is mapped into the guest. Bus mastering is real, but it is
 * given only after the IOMMU confines it.
 *
 * World:   kernel
 * Context: fn's lock held and IRQs off, unless a function says otherwise
 * Spec:    PCI r3.0, sec 6.2.2 "Device Control"; PCIe r6.0, sec 6.6.2
 */
#include <linux/mm.h>
#include "pass/internal.h"

#define DEVCTL_FLR	0x8000	/* PCIe r6.0, sec 7.5.3.4: Initiate Function Level Reset */
#define AF_CTRL_FLR	0x01

static struct pvm_pass *pass_of_view(struct pvm_pass_view *v)
{
	return pvm_pass_of(v->fn);
}

static u32 view_hw_read(struct pvm_pass_view *v, u32 off, u32 bytes)
{
	struct pci_dev *pdev = pass_of_view(v)->pdev;
	u32 val = ~0u;
	u16 w = 0xffff;
	u8 b = 0xff;

	switch (bytes) {
	case 1:
		pci_read_config_byte(pdev, off, &b);
		return b;
	case 2:
		pci_read_config_word(pdev, off, &w);
		return w;
	default:
		pci_read_config_dword(pdev, off, &val);
		return val;
	}
}

static void view_hw_write(struct pvm_pass_view *v, u32 off, u32 bytes, u32 val)
{
	struct pci_dev *pdev = pass_of_view(v)->pdev;

	switch (bytes) {
	case 1:
		pci_write_config_byte(pdev, off, val);
		return;
	case 2:
		pci_write_config_word(pdev, off, val);
		return;
	default:
		pci_write_config_dword(pdev, off, val);
	}
}

void pvm_pass_master_update(struct pvm_pass *p)
{
	bool want = (pvm_pci_command(&p->fn) & PVM_PCI_COMMAND_MASTER) && !p->quiet && !p->off_bus;
	u16 command;

	pci_read_config_word(p->pdev, PCI_COMMAND, &command);
	if (command == 0xffff || !!(command & PCI_COMMAND_MASTER) == want)
		return;
	pci_write_config_word(p->pdev, PCI_COMMAND, command ^ PCI_COMMAND_MASTER);
}

static void view_hook(struct pvm_pass_view *v, u32 hook, u32 off, u32 val, u32 mask)
{
	struct pvm_pass *p = pass_of_view(v);

	switch (hook) {
	case PVM_PASS_HOOK_COMMAND:
		pvm_pass_master_update(p);
		return;
	case PVM_PASS_HOOK_FLR:
		if (val & mask & DEVCTL_FLR)
			pvm_vm_defer(p->v.vm, &p->flr_work);
		return;
	case PVM_PASS_HOOK_AF_FLR:
		if (val & mask & AF_CTRL_FLR)
			pvm_vm_defer(p->v.vm, &p->flr_work);
		return;
	case PVM_PASS_HOOK_VPD:
		/* Address with the flag for reading; a write to the store is not passed on. */
		if ((mask >> 16) == 0xffff && !(val >> 16 & PCI_VPD_ADDR_F))
			pci_write_config_word(p->pdev, off + PCI_VPD_ADDR, val >> 16);
		return;
	}
}

static const struct pvm_pass_view_ops view_ops = {
	.read	= view_hw_read,
	.write	= view_hw_write,
	.hook	= view_hook,
};

/* --- struct pvm_pci_fn_ops -------------------------------------------------- */

static bool absent(const struct pvm_pass *p)
{
	return p->off_bus || READ_ONCE(p->gone);
}

static u32 fn_cfg_read(struct pvm_pci_fn *fn, u32 off, u32 bytes)
{
	struct pvm_pass *p = pvm_pass_of(fn);

	return absent(p) ? (u32)pvm_bytes_mask(bytes) : pvm_pass_view_read(p->view, off, bytes);
}

static void fn_cfg_write(struct pvm_pci_fn *fn, u32 off, u32 bytes, u32 val)
{
	struct pvm_pass *p = pvm_pass_of(fn);

	if (!absent(p))
		pvm_pass_view_write(p->view, off, bytes, val);
}

/* The virtual registers are as after power-on; bus mastering is off with them. */
static void fn_reset(struct pvm_pci_fn *fn)
{
	pvm_pass_master_update(pvm_pass_of(fn));
}

static const struct pvm_pci_fn_ops fn_ops = {
	.cfg_read	= fn_cfg_read,
	.cfg_write	= fn_cfg_write,
	.bar_changed	= pvm_pass_bar_changed,
	.msi_changed	= pvm_pass_intr_changed,
	.reset		= fn_reset,
};

void pvm_pass_config_reset(struct pvm_pass *p)
{
	struct pvm_pci_root *root = p->fn.root;
	unsigned long flags, root_flags = 0;

	if (root)
		root_flags = pvm_dev_lock(&root->dev);
	flags = pvm_dev_lock(&p->dev);
	pvm_pci_cfg_reset(&p->fn);
	pvm_pass_master_update(p);
	pvm_dev_unlock(&p->dev, flags);
	if (root)
		pvm_dev_unlock(&root->dev, root_flags);
}

/* --- function-level reset by the guest --------------------------------------- */

static bool flr_gone(void *ctx)
{
	return READ_ONCE(((struct pvm_pass *)ctx)->gone);
}

/*
 * No vCPU is in the guest. The others see what the hardware would show: the
 * function's registers as after power-on. A reset that does not work is the
 * guest's to notice.
 */
static void flr_work_fn(struct work_struct *work)
{
	struct pvm_pass *p = container_of(work, struct pvm_pass, flr_work);
	struct pvm_reset_request req = { .count = 1, .gone = flr_gone, .ctx = p };
	struct pvm_reset_result res;

	req.fn[0] = p->pdev;
	req.saved[0] = p->saved;
	req.method = pvm_reset_flr.probe(p->pdev) ? "af_flr" : "flr";

	pvm_pass_intr_stop(p);
	pvm_reset_run(&req, &res);
	pvm_pass_config_reset(p);
	if (res.fn[0].outcome == PVM_RESET_DEAD)
		pvm_vm_kill(p->v.vm, PVM_END_HOST, "device %s does not answer after a reset",
			    pci_name(p->pdev));
	else if (res.fn[0].outcome == PVM_RESET_STUCK)
		pvm_vm_kill(p->v.vm, PVM_END_HOST, "device %s hangs in a reset",
			    pci_name(p->pdev));
	else
		pvm_pass_intr_start(p);
	pvm_vm_defer_done(p->v.vm);
}

/* --- life ------------------------------------------------------------------- */

static void read_space(struct pci_dev *pdev, u8 *space, u32 bytes)
{
	u32 off, val;

	for (off = 0; off < bytes; off += 4) {
		val = ~0u;
		pci_read_config_dword(pdev, off, &val);
		put_unaligned_le32(val, space + off);
	}
}

static void find_vectors(struct pvm_pass *p, struct pvm_pass_shape *shape)
{
	int msix = pci_msix_vec_count(p->pdev), msi = pci_msi_vec_count(p->pdev);

	if (p->pdev->no_msi)
		return;
	shape->msix_vectors = msix > 0 ? min(msix, PVM_PASS_MSIX_MAX) : 0;
	shape->msi_vectors = msi > 0 ? min(msi, PVM_PASS_MSI_MAX) : 0;
}

int pvm_pass_config_new(struct pvm_pass *p, struct pvm_why *why)
{
	struct pvm_pass_shape shape = {
		.intx = p->pdev->irq && p->pdev->pin,
		.flr = !pvm_reset_flr.probe(p->pdev),
		.af_flr = !pvm_reset_af_flr.probe(p->pdev),
	};
	u32 bytes = min_t(u32, p->pdev->cfg_size, PVM_PCI_CFG_BYTES);
	u8 *space;

	INIT_WORK(&p->flr_work, flr_work_fn);
	pvm_pass_bar_shape(p, &shape);
	find_vectors(p, &shape);
	space = kvmalloc(PVM_PCI_CFG_BYTES, GFP_KERNEL);
	p->view = kvzalloc(sizeof(*p->view), GFP_KERNEL_ACCOUNT);
	if (shape.msix_vectors) {
		p->msix_table = kvcalloc(shape.msix_vectors, sizeof(*p->msix_table),
					 GFP_KERNEL_ACCOUNT);
		p->msix_pending = kvcalloc(BITS_TO_LONGS(shape.msix_vectors), sizeof(long),
					   GFP_KERNEL_ACCOUNT);
	}
	if (!space || !p->view ||
	    (shape.msix_vectors && (!p->msix_table || !p->msix_pending))) {
		kvfree(space);
		pvm_pass_config_free(p);
		return pvm_fail(why, -ENOMEM, "%s: out of memory", pci_name(p->pdev));
	}
	shape.msix_table = p->msix_table;
	shape.msix_pending = p->msix_pending;

	read_space(p->pdev, space, bytes);
	memset(&p->fn, 0, sizeof(p->fn));
	p->fn.ops = &fn_ops;
	p->fn.owner = p;
	p->fn.dev = &p->dev;
	p->view->ops = &view_ops;
	pvm_pass_view_build(p->view, &p->fn, space, bytes, &shape);
	kvfree(space);
	return 0;
}

void pvm_pass_config_free(struct pvm_pass *p)
{
	/* Asked for just before the end; nobody waits for it any more. */
	if (cancel_work_sync(&p->flr_work))
		pvm_vm_defer_done(p->v.vm);
	kvfree(p->view);
	kvfree(p->msix_table);
	kvfree(p->msix_pending);
	p->view = NULL;
	p->msix_table = NULL;
	p->msix_pending = NULL;
	p->fn.cfg = NULL;
}
