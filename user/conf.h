/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VM configurations, NAME.conf.
 *
 * World:   user
 * Context: any
 */
#ifndef PVM_USER_CONF_H
#define PVM_USER_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uapi/passvm.h>

#define CONF_DISKS	16
#define CONF_NETS	8
#define CONF_DEVICES	16
#define CONF_CPUS	16
#define CONF_FOLDER	"/etc/passvm"

struct conf_disk {
	char *path;
	char *serial;			/* or NULL */
	bool readonly;
	int line;
};

struct conf_net {
	char *bridge, *tap;		/* one of them */
	uint8_t mac[6];
	int line;
};

struct conf_device {
	char *dev;
	int line;
};

struct conf {
	char *path;			/* of the file that was read */
	char name[PASSVM_NAME_MAX + 1];
	uint32_t cpus;
	int32_t pin[CONF_CPUS];		/* -1: any */
	uint64_t memory_bytes;
	char *kernel, *initrd, *cmdline;	/* NULL if absent */
	int kernel_line, initrd_line;
	struct conf_disk disk[CONF_DISKS];
	struct conf_net net[CONF_NETS];
	struct conf_device device[CONF_DEVICES];
	uint32_t disks, nets, devices;
	char *serial_file;		/* NULL: the console only */
	int serial_line;
	uint16_t debug_exit_port;	/* 0: none */
	bool unsafe_interrupts;
};

/*
 * Finds the file that @what means: a path, or a name in the current folder or
 * /etc/passvm, with or without ".conf". Returns its path, or NULL having complained.
 */
char *conf_find(const char *what);

/* Reads @path. On errors complains about each (file, line, reason) and returns false. */
bool conf_read(const char *path, struct conf *c);
/* The same from @text; @path is for messages. */
bool conf_parse(const char *path, const char *text, size_t bytes, struct conf *c);
void conf_free(struct conf *c);

#endif /* PVM_USER_CONF_H */
