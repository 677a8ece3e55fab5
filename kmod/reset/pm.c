// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power management reset: D3hot and back.
 *
 * A function that keeps its state over D3hot says so by No_Soft_Reset; those
 * that deny it are taken at their word only after the canary has been looked
 * at. Written out here because the kernel's own way puts the BARs back before
 * anybody could look.
 *
 * World:   kernel
 * Context: process, may sleep; the function's device lock held
 * Spec:    PCI-PM r1.2, sec 5.4.1 "Software Accessible D3 (D3hot)"
 */
#include <linux/delay.h>
#include "reset/reset.h"

#define D3HOT_DELAY_MS	10

static int pm_probe(struct pci_dev *pdev)
{
	u16 csr;

	if (!pdev->pm_cap || (pdev->dev_flags & PCI_DEV_FLAGS_NO_PM_RESET))
		return -ENOTTY;
	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &csr);
	if (csr & PCI_PM_CTRL_NO_SOFT_RESET)
		return -ENOTTY;
	return 0;
}

static int pm_run(struct pci_dev *pdev)
{
	u32 delay_ms = max_t(u32, pdev->d3hot_delay, D3HOT_DELAY_MS);
	int csr_off = pdev->pm_cap + PCI_PM_CTRL;
	u16 csr;

	pci_read_config_word(pdev, csr_off, &csr);
	if (csr == 0xffff)
		return -EIO;
	csr &= ~(PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_PME_STATUS);
	pci_write_config_word(pdev, csr_off, csr | (__force u16)PCI_D3hot);
	msleep(delay_ms);
	pci_write_config_word(pdev, csr_off, csr | (__force u16)PCI_D0);
	msleep(delay_ms);
	return 0;
}

static int pm_verify(struct pci_dev *pdev)
{
	u16 csr;

	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &csr);
	return csr & PCI_PM_CTRL_STATE_MASK ? -EIO : 0;
}

const struct pvm_reset_method pvm_reset_pm = {
	.name	= "pm",
	.cite	= "PCI-PM r1.2, sec 5.4.1",
	.scope	= PVM_RESET_FUNCTION,
	.probe	= pm_probe,
	.run	= pm_run,
	.verify	= pm_verify,
};
