// SPDX-License-Identifier: GPL-2.0-only
/*
 * Secondary bus reset.
 *
 * Asserts the reset bit of the bridge above the function. Hits every function
 * on that bus; reset.c has checked that all of them are ours. A port whose
 * hot-plug driver offers a slot reset is left to slot.c: there, a bare bus
 * reset would look like somebody pulling the card.
 *
 * World:   kernel
 * Context: process, may sleep; device locks of the bridge and of all functions held
 * Spec:    PCIe r6.0, sec 6.6.1 "Conventional Reset"
 */
#include "reset/reset.h"

static int bus_probe(struct pci_dev *pdev)
{
	struct pci_dev *bridge = pdev->bus->self;

	if (pci_is_root_bus(pdev->bus) || !bridge)
		return -ENOTTY;
	if ((pdev->dev_flags | bridge->dev_flags) & PCI_DEV_FLAGS_NO_BUS_RESET)
		return -ENOTTY;
	if (!pvm_reset_slot.probe(pdev))
		return -ENOTTY;
	return 0;
}

static int bus_run(struct pci_dev *pdev)
{
	return pci_bridge_secondary_bus_reset(pdev->bus->self);
}

const struct pvm_reset_method pvm_reset_bus = {
	.name	= "bus",
	.cite	= "PCIe r6.0, sec 6.6.1",
	.scope	= PVM_RESET_BUS,
	.probe	= bus_probe,
	.run	= bus_run,
};
