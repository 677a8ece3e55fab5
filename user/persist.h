/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Claims that survive a reboot: /etc/modprobe.d/passvm-claim.conf.
 *
 * World:   user
 * Context: one thread
 */
#ifndef PVM_USER_PERSIST_H
#define PVM_USER_PERSIST_H

#include "open.h"

/* Remembers which modules drive these slots now. */
void persist_note_drivers(const struct pci_address *slots, int count);

/* Puts the slots into the file, or takes them out. Exit statuses. */
int persist_add(const struct pci_address *slots, int count);
int persist_remove(const struct pci_address *slots, int count);

#endif /* PVM_USER_PERSIST_H */
