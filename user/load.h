/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Direct boot: from a kernel file, an initrd and a command line to what has to
 * stand where in guest memory, and how the first vCPU starts.
 *
 * World:   user
 * Context: any
 * Spec:    Linux Documentation/arch/x86/boot.rst "64-bit BOOT PROTOCOL"
 * Spec:    Multiboot Specification 0.6.96
 * Spec:    Xen docs/misc/pvh.pandoc, "x86/HVM direct boot ABI"
 */
#ifndef PVM_USER_LOAD_H
#define PVM_USER_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#define BOOT_RANGES	16
#define BOOT_PIECES	48

/* Where pvmctl puts things below 640 KiB; Documentation/memory-layout.rst. */
#define BOOT_TABLES_GPA		0x8000	/* six pages, written by the module */
#define BOOT_INFO_GPA		0x10000	/* boot_params, multiboot or PVH information */
#define BOOT_CMDLINE_GPA	0x20000
#define BOOT_LOW_END_GPA	0x30000

/* The guest's memory map, types as E820 numbers them. */
struct boot_range {
	uint64_t gpa, bytes;
	uint32_t type;
};

struct boot_map {
	struct boot_range range[BOOT_RANGES];
	uint32_t ranges;
	uint64_t rsdp_gpa;
};

/* A file that was opened. */
struct boot_file {
	const char *path;
	int fd;
	uint64_t bytes;
};

struct boot_piece {
	const char *what;		/* for --plan */
	const struct boot_file *file;	/* NULL: @data */
	void *data;
	uint64_t offset_bytes, bytes, gpa;
};

struct boot {
	const char *protocol;		/* "Linux 64-bit", "multiboot", "PVH" */
	struct boot_piece piece[BOOT_PIECES];
	uint32_t pieces;
	uint32_t entry_mode;		/* PASSVM_ENTRY_MODE_* */
	uint64_t rip, rax, rbx, rsi, tables_gpa;
};

struct boot_request {
	struct boot_file kernel, initrd;	/* initrd.fd -1: none */
	const char *cmdline;			/* never NULL */
	struct boot_map map;
};

/* The map that the module makes of so much memory; for a plan without a VM. */
void boot_default_map(uint64_t memory_bytes, struct boot_map *map);

/* Fills @b from @r. False with a sentence in @why (that begins with the file's name). */
bool boot_load(const struct boot_request *r, struct boot *b, char *why, size_t why_bytes);
void boot_free(struct boot *b);

#endif /* PVM_USER_LOAD_H */
