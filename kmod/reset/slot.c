// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot-plug slot reset.
 *
 * The hot-plug driver resets its slot while it looks away from the presence and
 * link events that this causes. Configuration is neither saved nor restored by
 * it, which is what the canary needs.
 *
 * World:   kernel
 * Context: process, may sleep; device locks of the bridge and of all functions held
 * Spec:    PCIe r6.0, sec 6.7.3 "PCI Express Hot-Plug Events"
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci_hotplug.h>	/* needs pci.h before it */
#include "reset/reset.h"

static struct hotplug_slot *hotplug_of(struct pci_dev *pdev)
{
	struct hotplug_slot *h = pdev->slot ? pdev->slot->hotplug : NULL;

	return h && h->ops && h->ops->reset_slot ? h : NULL;
}

static int slot_reset(struct pci_dev *pdev, bool probe)
{
	struct hotplug_slot *h = hotplug_of(pdev);
	int err;

	if (!h || (pdev->dev_flags & PCI_DEV_FLAGS_NO_BUS_RESET))
		return -ENOTTY;
	if (!try_module_get(h->owner))
		return -ENOTTY;
	err = h->ops->reset_slot(h, probe);
	module_put(h->owner);
	return err;
}

static int slot_probe(struct pci_dev *pdev)
{
	return slot_reset(pdev, PCI_RESET_PROBE) ? -ENOTTY : 0;
}

static int slot_run(struct pci_dev *pdev)
{
	return slot_reset(pdev, PCI_RESET_DO_RESET);
}

const struct pvm_reset_method pvm_reset_slot = {
	.name	= "slot",
	.cite	= "PCIe r6.0, sec 6.7.3",
	.scope	= PVM_RESET_BUS,
	.probe	= slot_probe,
	.run	= slot_run,
};
