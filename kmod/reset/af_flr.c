// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function Level Reset of conventional PCI functions (Advanced Features).
 *
 * World:   kernel
 * Context: process, may sleep; the function's device lock held
 * Spec:    PCI Advanced Capabilities ECN "Conventional PCI Advanced Features"
 */
#include <linux/delay.h>
#include "reset/reset.h"

#define AF_PENDING_WAIT_MS	1000

static int af_flr_probe(struct pci_dev *pdev)
{
	int cap = pci_find_capability(pdev, PCI_CAP_ID_AF);
	u8 caps;

	if (!cap || (pdev->dev_flags & PCI_DEV_FLAGS_NO_FLR_RESET))
		return -ENOTTY;
	pci_read_config_byte(pdev, cap + PCI_AF_CAP, &caps);
	if ((caps & (PCI_AF_CAP_TP | PCI_AF_CAP_FLR)) != (PCI_AF_CAP_TP | PCI_AF_CAP_FLR))
		return -ENOTTY;
	return 0;
}

static int af_flr_run(struct pci_dev *pdev)
{
	int cap = pci_find_capability(pdev, PCI_CAP_ID_AF);
	u32 waited_ms;
	u8 status;

	if (!cap)
		return -ENOTTY;
	/* As with the Express kind: a transaction that never ends does not stop the reset. */
	for (waited_ms = 0; waited_ms < AF_PENDING_WAIT_MS; waited_ms += 100) {
		pci_read_config_byte(pdev, cap + PCI_AF_STATUS, &status);
		if (!(status & PCI_AF_STATUS_TP))
			break;
		msleep(100);
	}
	pci_write_config_byte(pdev, cap + PCI_AF_CTRL, PCI_AF_CTRL_FLR);
	return 0;
}

const struct pvm_reset_method pvm_reset_af_flr = {
	.name		= "af_flr",
	.cite		= "PCI Advanced Capabilities ECN",
	.scope		= PVM_RESET_FUNCTION,
	.settle_ms	= 100,
	.probe		= af_flr_probe,
	.run		= af_flr_run,
};
