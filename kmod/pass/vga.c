// SPDX-License-Identifier: GPL-2.0-only
/*
 * Graphics cards: the host's console goes, legacy VGA ranges are given up.
 *
 * A firmware framebuffer or the VGA text console may still draw into the card's
 * memory when no driver is bound; it is thrown off first. Then the VGA arbiter
 * learns that nobody wants the card's legacy ranges: guests get a card without
 * them, and the host's other cards no longer have to share.
 *
 * World:   kernel
 * Context: process, may sleep
 * Spec:    PCI r3.0, app D "Class Codes"
 */
#include <linux/aperture.h>
#include <linux/vgaarb.h>
#include "pass/internal.h"

static unsigned int no_legacy(struct pci_dev *pdev, bool state)
{
	return VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM;
}

static bool is_vga(struct pci_dev *pdev)
{
	return pdev->class >> 8 == PCI_CLASS_DISPLAY_VGA;
}

int pvm_pass_vga_take(struct pvm_pass *p, struct pvm_why *why)
{
	struct pci_dev *pdev = p->pdev;
	int err;

	if (pdev->class >> 16 != PCI_BASE_CLASS_DISPLAY)
		return 0;
	err = aperture_remove_conflicting_pci_devices(pdev, "passvm");
	if (err)
		return pvm_fail(why, err, "%s: the host's console does not leave it (error %d)",
				pci_name(pdev), err);
	if (!is_vga(pdev))
		return 0;
	/* Without the arbiter in the kernel there is nothing to register with. */
	if (vga_client_register(pdev, no_legacy))
		return 0;
	p->vga = true;
	vga_set_legacy_decoding(pdev, no_legacy(pdev, false));
	return 0;
}

void pvm_pass_vga_give(struct pvm_pass *p)
{
	if (!p->vga)
		return;
	p->vga = false;
	vga_client_unregister(p->pdev);
	vga_set_legacy_decoding(p->pdev, VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM |
					 VGA_RSRC_LEGACY_IO | VGA_RSRC_LEGACY_MEM);
}
