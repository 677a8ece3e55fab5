/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's PCI devices, by libpci and sysfs.
 *
 * World:   user
 * Context: one thread
 */
#ifndef PVM_USER_PCI_H
#define PVM_USER_PCI_H

#include <pci/pci.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The devices, scanned once; never NULL. */
struct pci_access *pci_all(void);

/* "0000:01:00.0" into @text (16 bytes are enough). */
void pci_address_text(uint32_t domain, uint32_t bus, uint32_t devfn, char *text, size_t bytes);

/* Reads a line of a function's folder in sysfs; "" if it isn't there. */
void pci_sysfs(const struct pci_dev *d, const char *file, char *text, size_t bytes);
/* The last part of what a link there points to; "" if it isn't there. */
void pci_sysfs_link(const struct pci_dev *d, const char *file, char *text, size_t bytes);

/* DEV as users write it. */
struct pci_selector {
	bool has_address, has_ids;
	uint32_t domain, bus, slot;
	uint16_t vendor, device;
};

bool pci_parse(const char *dev, struct pci_selector *s);
bool pci_matches(const struct pci_selector *s, const struct pci_dev *d);

#endif /* PVM_USER_PCI_H */
