// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function Level Reset of PCI Express.
 *
 * World:   kernel
 * Context: process, may sleep; the function's device lock held
 * Spec:    PCIe r6.0, sec 6.6.2 "Function Level Reset (FLR)"
 */
#include "reset/reset.h"

static int flr_probe(struct pci_dev *pdev)
{
	/* Knows the functions whose FLR hangs them, too. */
	return pcie_reset_flr(pdev, PCI_RESET_PROBE) ? -ENOTTY : 0;
}

static int flr_run(struct pci_dev *pdev)
{
	return pcie_reset_flr(pdev, PCI_RESET_DO_RESET);
}

const struct pvm_reset_method pvm_reset_flr = {
	.name	= "flr",
	.cite	= "PCIe r6.0, sec 6.6.2",
	.scope	= PVM_RESET_FUNCTION,
	.probe	= flr_probe,
	.run	= flr_run,
};
