/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM from outside: its state, its console, its end.
 *
 * World:   user
 * Context: one thread
 */
#ifndef PVM_USER_WAIT_H
#define PVM_USER_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "open.h"

struct vm_state {
	uint32_t id, state, end, end_value, resets;
	char reason[256];
};

/* The state of the VM @name, if its id is @id (0: any). 0, or -1 if there is none. */
int vm_state(const char *name, uint32_t id, struct vm_state *s);

/*
 * Waits until @done(state) or, if @wait_ms is not 0, so long. Complains only when
 * the VM is gone. 1 done, 0 time over, -1 gone. Needs mod_listen() before the command.
 */
int vm_wait(const char *name, uint32_t id, uint64_t wait_ms,
	    bool (*done)(const struct vm_state *s, const void *arg), const void *arg,
	    struct vm_state *s);

bool vm_has_ended(const struct vm_state *s, const void *arg);

/* Prints how it ended, on standard error, and returns the exit status that goes with it. */
int say_end(const char *name, const struct vm_state *s);

/* Stays until the VM ends; the exit status. */
int wait_for_end(const char *name, uint32_t id);
/* Joins terminal and serial console. With @status, stays until the end and returns its status. */
int console_until_end(const char *name, uint32_t id, bool status);

/* Complains about each function that is not claimed; true if there is one. */
bool devices_not_claimed(const struct pci_address *f, int count);

#endif /* PVM_USER_WAIT_H */
