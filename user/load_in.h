/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the loaders of direct boot share; included by load*.c only.
 *
 * World:   user
 * Context: any
 */
#ifndef PVM_USER_LOAD_IN_H
#define PVM_USER_LOAD_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cc.h"
#include "load.h"

#define LOAD_HEAD	8192	/* multiboot headers are within it */

struct load {
	const struct boot_request *r;
	struct boot *b;
	const uint8_t *head;		/* the first bytes of the kernel, zeros behind its end */
	size_t head_bytes;
	char *why;
	size_t why_bytes;
};

/* False, with a sentence for the user. */
PRINTF_LIKE(2, 3) bool load_fail(struct load *l, const char *fmt, ...);

/* Reads exactly @bytes, or returns false. */
bool load_read(const struct boot_file *f, uint64_t offset, void *to, size_t bytes);

/* Adds a piece. load_data_piece() returns zeros to fill in, or NULL having failed. */
bool load_file_piece(struct load *l, const char *what, const struct boot_file *f,
		     uint64_t offset, uint64_t bytes, uint64_t gpa);
void *load_data_piece(struct load *l, const char *what, uint64_t bytes, uint64_t gpa);

/* Whether all of it is RAM. */
bool load_is_ram(const struct boot_map *map, uint64_t gpa, uint64_t bytes);

/* The command line at BOOT_CMDLINE_GPA, at most @most characters. */
bool load_cmdline(struct load *l, uint64_t most);
/* The initrd, if there is one, at the top of low RAM between @kernel_end and @last. */
bool load_initrd(struct load *l, uint64_t kernel_end, uint64_t last, uint64_t *gpa);

bool load_is_bzimage(struct load *l);
bool load_bzimage(struct load *l);
bool load_is_multiboot(struct load *l);
bool load_multiboot(struct load *l);
bool load_is_elf(struct load *l);
bool load_pvh(struct load *l);

static inline uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static inline uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static inline uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* Both sides are little-endian. */
static inline void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static inline void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

#endif /* PVM_USER_LOAD_IN_H */
