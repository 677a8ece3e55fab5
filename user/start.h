/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the verb start share.
 *
 * World:   user
 * Context: one thread
 */
#ifndef PVM_USER_START_H
#define PVM_USER_START_H

#include <net/if.h>

#include "cc.h"
#include "conf.h"
#include "load.h"
#include "open.h"

struct start {
	struct conf conf;
	struct boot_request request;
	struct boot boot;
	int disk_fd[CONF_DISKS];
	struct {
		int fd;
		char name[IFNAMSIZ];
		bool offloads;
	} net[CONF_NETS];
	int serial_fd, kvm_fd, handle_fd;
	struct pci_address function[CONF_DEVICES];
	int functions;
	uint32_t id;
	bool plan, no_net, no_devices;
};

/* One thing that start does or, with --plan, would do. */
PRINTF_LIKE(3, 4) void start_step(struct start *s, const char *step, const char *fmt, ...);

/* Opens and checks everything that needs no module. Complains; 0 or -1. */
int start_prepare(struct start *s);

#endif /* PVM_USER_START_H */
