// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct boot: which kind of kernel it is, and what goes where.
 *
 * The file may be anything; every number in it is checked before use.
 *
 * World:   user
 * Context: any
 * Spec:    as load.h
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uapi/passvm.h>

#include "load.h"
#include "load_in.h"

#define E820_RAM	1
#define MIB		((uint64_t)1 << 20)
#define GIB		((uint64_t)1 << 30)
#define ACPI_BYTES	0x20000	/* the module's tables, at the end of low RAM */

bool load_fail(struct load *l, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(l->why, l->why_bytes, fmt, args);
	va_end(args);
	return false;
}

bool load_read(const struct boot_file *f, uint64_t offset, void *to, size_t bytes)
{
	size_t done = 0;

	if (offset > f->bytes || bytes > f->bytes - offset)
		return false;
	while (done < bytes) {
		ssize_t n = pread(f->fd, (char *)to + done, bytes - done, offset + done);

		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

static struct boot_piece *new_piece(struct load *l, const char *what, uint64_t bytes, uint64_t gpa)
{
	struct boot_piece *p;

	if (l->b->pieces == BOOT_PIECES) {
		load_fail(l, "%s: more than %d parts", l->r->kernel.path, BOOT_PIECES);
		return NULL;
	}
	p = &l->b->piece[l->b->pieces++];
	p->what = what;
	p->bytes = bytes;
	p->gpa = gpa;
	return p;
}

bool load_file_piece(struct load *l, const char *what, const struct boot_file *f,
		     uint64_t offset, uint64_t bytes, uint64_t gpa)
{
	struct boot_piece *p;

	if (!bytes)
		return true;
	p = new_piece(l, what, bytes, gpa);
	if (!p)
		return false;
	p->file = f;
	p->offset_bytes = offset;
	return true;
}

void *load_data_piece(struct load *l, const char *what, uint64_t bytes, uint64_t gpa)
{
	struct boot_piece *p = new_piece(l, what, bytes, gpa);

	if (!p)
		return NULL;
	p->data = calloc(1, bytes);
	if (!p->data)
		load_fail(l, "out of memory");
	return p->data;
}

bool load_is_ram(const struct boot_map *map, uint64_t gpa, uint64_t bytes)
{
	uint32_t i;

	for (i = 0; i < map->ranges; i++) {
		const struct boot_range *r = &map->range[i];

		if (r->type == E820_RAM && gpa >= r->gpa && bytes <= r->bytes &&
		    gpa - r->gpa <= r->bytes - bytes)
			return true;
	}
	return false;
}

/* Ends of the RAM range below 4 GiB that begins at 1 MiB. */
static bool main_range(const struct boot_map *map, uint64_t *start, uint64_t *end)
{
	uint32_t i;

	for (i = 0; i < map->ranges; i++) {
		const struct boot_range *r = &map->range[i];

		if (r->type == E820_RAM && r->gpa <= MIB && r->gpa + r->bytes > MIB) {
			*start = MIB;
			*end = r->gpa + r->bytes;
			return true;
		}
	}
	return false;
}

bool load_cmdline(struct load *l, uint64_t most)
{
	size_t n = strlen(l->r->cmdline) + 1;
	char *to;

	if (n - 1 > most)
		return load_fail(l, "cmdline: %zu characters; this kernel takes %" PRIu64, n - 1,
				 most);
	to = load_data_piece(l, "command line", n, BOOT_CMDLINE_GPA);
	if (!to)
		return false;
	memcpy(to, l->r->cmdline, n);
	return true;
}

bool load_initrd(struct load *l, uint64_t kernel_end, uint64_t last, uint64_t *gpa)
{
	const struct boot_file *f = &l->r->initrd;
	uint64_t start, end, at;

	*gpa = 0;
	if (f->fd < 0)
		return true;
	if (!f->bytes)
		return load_fail(l, "%s: the file is empty", f->path);
	if (!main_range(&l->r->map, &start, &end))
		return load_fail(l, "memory: too little for a kernel");
	if (kernel_end > start)
		start = kernel_end;
	if (end > 2 * GIB)
		end = 2 * GIB;
	if (last < end)
		end = last + 1;
	if (end < start || f->bytes > end - start)
		return load_fail(l, "memory: too little for kernel and initrd (%s is %" PRIu64
				 " MiB, %" PRIu64 " MiB are free for it)", f->path,
				 f->bytes / MIB + 1, end > start ? (end - start) / MIB : 0);
	at = (end - f->bytes) & ~0xfffull;
	if (at < start)
		return load_fail(l, "memory: too little for kernel and initrd");
	*gpa = at;
	return load_file_piece(l, "initrd", f, 0, f->bytes, at);
}

void boot_default_map(uint64_t memory_bytes, struct boot_map *map)
{
	uint64_t low = memory_bytes < 2 * GIB ? memory_bytes : 2 * GIB;

	memset(map, 0, sizeof(*map));
	map->range[0] = (struct boot_range){ 0, 0x9fc00, E820_RAM };
	map->range[1] = (struct boot_range){ MIB, low - MIB - ACPI_BYTES, E820_RAM };
	map->ranges = 2;
	if (memory_bytes > low)
		map->range[map->ranges++] =
			(struct boot_range){ 4 * GIB, memory_bytes - low, E820_RAM };
}

bool boot_load(const struct boot_request *r, struct boot *b, char *why, size_t why_bytes)
{
	struct load l = { .r = r, .b = b, .why = why, .why_bytes = why_bytes };
	uint8_t head[LOAD_HEAD];
	bool ok;

	memset(b, 0, sizeof(*b));
	memset(head, 0, sizeof(head));
	*why = 0;
	if (!r->kernel.bytes)
		return load_fail(&l, "%s: the file is empty", r->kernel.path);
	l.head_bytes = r->kernel.bytes < LOAD_HEAD ? r->kernel.bytes : LOAD_HEAD;
	if (!load_read(&r->kernel, 0, head, l.head_bytes))
		return load_fail(&l, "%s: can't be read", r->kernel.path);
	l.head = head;
	if (load_is_bzimage(&l))
		ok = load_bzimage(&l);
	else if (load_is_multiboot(&l))
		ok = load_multiboot(&l);
	else if (load_is_elf(&l))
		ok = load_pvh(&l);
	else
		ok = load_fail(&l, "%s: neither a bzImage nor a multiboot or PVH ELF file",
			       r->kernel.path);
	if (!ok)
		boot_free(b);
	return ok;
}

void boot_free(struct boot *b)
{
	uint32_t i;

	for (i = 0; i < b->pieces; i++)
		free(b->piece[i].data);
	b->pieces = 0;
}
