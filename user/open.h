/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening what a VM is made of: files, disks, taps, PCI devices. Nothing that
 * is in use is opened for writing.
 *
 * Each function returns a descriptor, or -1 with a sentence in @why.
 *
 * World:   user
 * Context: any
 */
#ifndef PVM_USER_OPEN_H
#define PVM_USER_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "load.h"

#define WHY_BYTES	512

/* A file to load from; @f->path is set before. */
int open_image(struct boot_file *f, char *why);

/*
 * A disk: a raw image or a block device that nobody else uses. The descriptor
 * keeps others away for as long as it, or a copy of it in the module, is open.
 */
int open_disk(const struct conf_disk *d, uint64_t *bytes, char *why);

/*
 * A tap device. A bridge gets a new one, which goes when it is closed; @name
 * (IFNAMSIZ bytes) tells its name. With @look, only checks that it could be done.
 */
int open_tap(const struct conf_net *net, bool look, char *name, bool *offloads, char *why);

/* The file of serial = file=. With @look, only checks. */
int open_serial(const char *path, bool look, char *why);

/* One function of a PCI device. */
struct pci_address {
	uint32_t domain, bus, devfn;
};

/* All functions of the slots that @dev means; their number, or -1. */
int find_functions(const char *dev, struct pci_address *found, int most, char *why);

#endif /* PVM_USER_OPEN_H */
