// SPDX-License-Identifier: GPL-2.0-only
/*
 * The canary: proof that a reset reached the function.
 *
 * A reset returns the Base Address Registers, COMMAND and Cache Line Size to
 * zero. The host has assigned addresses, so the BARs are canaries as they
 * stand; the other two get values that can be told from zero. A reset that
 * leaves a BAR or COMMAND as it was did not happen, whatever the capability
 * promised. Cache Line Size is believed only where there is nothing better:
 * some devices keep it over a function-level reset.
 *
 * World:   kernel
 * Context: process, may sleep; the function's device lock held
 * Spec:    PCIe r6.0, sec 6.6.2 "Function Level Reset (FLR)";
 *          PCIe r6.0, sec 7.5.1 "PCI-Compatible Configuration Registers"
 */
#include <linux/delay.h>
#include "reset/reset.h"

/* Bits that every reset clears and that do no harm while bus mastering is off. */
#define CANARY_COMMAND	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_PARITY | \
			 PCI_COMMAND_INTX_DISABLE)
#define CANARY_CACHE_LINE	0x10

static u32 bar_off(u32 i)
{
	return PCI_BASE_ADDRESS_0 + i * 4;
}

/* Bits of a BAR register that the guest of a reset must find at zero. */
static u32 bar_address_mask(struct pci_dev *pdev, u32 i)
{
	unsigned long flags = pci_resource_flags(pdev, i);

	if (flags & IORESOURCE_IO)
		return (u32)PCI_BASE_ADDRESS_IO_MASK;
	if (flags & IORESOURCE_MEM)
		return (u32)PCI_BASE_ADDRESS_MEM_MASK;
	/* The upper half of a 64-bit BAR has no resource of its own. */
	if (i && (pci_resource_flags(pdev, i - 1) & IORESOURCE_MEM_64))
		return ~0u;
	return 0;
}

void pvm_reset_canary_plant(struct pci_dev *pdev, struct pvm_reset_canary *c)
{
	u16 command;
	u8 line;
	u32 i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		u32 val = 0;

		pci_read_config_dword(pdev, bar_off(i), &val);
		if (val != ~0u)
			c->bar[i] = val & bar_address_mask(pdev, i);
	}

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	command &= ~PCI_COMMAND_MASTER;
	pci_write_config_word(pdev, PCI_COMMAND, command | CANARY_COMMAND);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	if (command != 0xffff)
		c->command = command & CANARY_COMMAND;

	pci_write_config_byte(pdev, PCI_CACHE_LINE_SIZE, CANARY_CACHE_LINE);
	pci_read_config_byte(pdev, PCI_CACHE_LINE_SIZE, &line);
	if (line == CANARY_CACHE_LINE)
		c->cache_line = line;
}

/* Is it the same device still, and does it answer? */
static enum pvm_reset_outcome check_identity(struct pci_dev *pdev, char *text, size_t bytes)
{
	u32 ids = ~0u, class = ~0u, subsystem = ~0u;

	pci_read_config_dword(pdev, PCI_VENDOR_ID, &ids);
	if (ids == ~0u) {
		strscpy(text, "reads as all ones", bytes);
		return PVM_RESET_DEAD;
	}
	if (ids != ((u32)pdev->device << 16 | pdev->vendor)) {
		snprintf(text, bytes, "came back as %04x:%04x", ids & 0xffff, ids >> 16);
		return PVM_RESET_DEAD;
	}
	pci_read_config_dword(pdev, PCI_CLASS_REVISION, &class);
	pci_read_config_dword(pdev, PCI_SUBSYSTEM_VENDOR_ID, &subsystem);
	if (class >> 8 != pdev->class ||
	    subsystem != ((u32)pdev->subsystem_device << 16 | pdev->subsystem_vendor)) {
		snprintf(text, bytes, "came back with class %06x, subsystem %04x:%04x", class >> 8,
			 subsystem & 0xffff, subsystem >> 16);
		return PVM_RESET_FAILED;
	}
	return PVM_RESET_PROVED;
}

enum pvm_reset_outcome pvm_reset_canary_check(struct pci_dev *pdev,
					      const struct pvm_reset_canary *c,
					      char *text, size_t bytes)
{
	enum pvm_reset_outcome same = check_identity(pdev, text, bytes);
	u32 i, proofs = 0;
	u16 command;
	u8 line;

	if (same != PVM_RESET_PROVED)
		return same;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		u32 val = 0;

		if (!c->bar[i])
			continue;
		pci_read_config_dword(pdev, bar_off(i), &val);
		if (val & bar_address_mask(pdev, i)) {
			snprintf(text, bytes, "BAR %u still holds %08x", i, val);
			return PVM_RESET_FAILED;
		}
		proofs++;
	}
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	if (command & (c->command | PCI_COMMAND_MASTER)) {
		snprintf(text, bytes, "COMMAND still holds %04x", command);
		return PVM_RESET_FAILED;
	}
	proofs += hweight32(c->command);
	if (!proofs && c->cache_line) {
		pci_read_config_byte(pdev, PCI_CACHE_LINE_SIZE, &line);
		if (line == c->cache_line) {
			strscpy(text, "Cache Line Size kept its value", bytes);
			return PVM_RESET_FAILED;
		}
		proofs++;
	}
	if (!proofs) {
		strscpy(text, "no register that could prove it", bytes);
		return PVM_RESET_UNPROVED;
	}
	snprintf(text, bytes, "%u values planted before it are gone", proofs);
	return PVM_RESET_PROVED;
}

int pvm_reset_wait_ready(struct pci_dev *pdev, u32 timeout_ms)
{
	u32 waited_ms = 0, pause_ms = 1;

	for (;;) {
		u32 ids = ~0u;

		/* 0001h: Request Retry Status, made visible by the root port */
		pci_read_config_dword(pdev, PCI_VENDOR_ID, &ids);
		if (ids != ~0u && (ids & 0xffff) != 0x0001)
			return 0;
		if (waited_ms >= timeout_ms)
			return -ETIMEDOUT;
		msleep(pause_ms);
		waited_ms += pause_ms;
		pause_ms = min(pause_ms * 2, 128u);
	}
}
