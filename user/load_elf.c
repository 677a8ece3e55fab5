// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct boot of multiboot kernels (ELF or with load addresses in the header)
 * and of ELF files with a PVH entry.
 *
 * World:   user
 * Context: any
 * Spec:    Multiboot Specification 0.6.96; Xen "x86/HVM direct boot ABI"
 */
#include <elf.h>
#include <inttypes.h>
#include <uapi/passvm.h>

#include "load_in.h"

#define SEGMENTS		32
#define NOTE_BYTES		65536
#define XEN_PHYS32_ENTRY	18

#define MB_MAGIC		0x1badb002
#define MB_BOOTED		0x2badb002
#define MB_PAGE_ALIGN		(1 << 0)
#define MB_MEMORY		(1 << 1)
#define MB_VIDEO		(1 << 2)
#define MB_REQUIRED		0xffff
#define MB_ADDRESSES		(1 << 16)

#define MBI_MEMORY		(1 << 0)
#define MBI_CMDLINE		(1 << 2)
#define MBI_MODULES		(1 << 3)
#define MBI_MAP			(1 << 6)
#define MBI_LOADER		(1 << 9)

#define PVH_MAGIC		0x336ec578
#define CMDLINE_MOST		4095

/* An ELF file of either class, as far as it matters. */
struct elf {
	bool wide;
	uint64_t entry, phoff;
	uint32_t phentsize, phnum;
};

struct segment {
	uint32_t type;
	uint64_t offset, gpa, file_bytes, bytes;
};

bool load_is_elf(struct load *l)
{
	return l->head_bytes > sizeof(Elf64_Ehdr) && !memcmp(l->head, ELFMAG, SELFMAG) &&
	       l->head[EI_DATA] == ELFDATA2LSB &&
	       (l->head[EI_CLASS] == ELFCLASS64 || l->head[EI_CLASS] == ELFCLASS32);
}

static bool read_elf(struct load *l, struct elf *e)
{
	const char *path = l->r->kernel.path;
	uint32_t type, machine, least;

	e->wide = l->head[EI_CLASS] == ELFCLASS64;
	if (e->wide) {
		Elf64_Ehdr h;

		memcpy(&h, l->head, sizeof(h));
		type = h.e_type;
		machine = h.e_machine;
		e->entry = h.e_entry;
		e->phoff = h.e_phoff;
		e->phentsize = h.e_phentsize;
		e->phnum = h.e_phnum;
		least = sizeof(Elf64_Phdr);
	} else {
		Elf32_Ehdr h;

		memcpy(&h, l->head, sizeof(h));
		type = h.e_type;
		machine = h.e_machine;
		e->entry = h.e_entry;
		e->phoff = h.e_phoff;
		e->phentsize = h.e_phentsize;
		e->phnum = h.e_phnum;
		least = sizeof(Elf32_Phdr);
	}
	if ((type != ET_EXEC && type != ET_DYN) || (machine != EM_X86_64 && machine != EM_386))
		return load_fail(l, "%s: an ELF file, but no x86 program", path);
	if (!e->phnum || e->phnum > 256 || e->phentsize < least || e->phentsize > 256)
		return load_fail(l, "%s: damaged ELF header", path);
	return true;
}

static bool read_segment(struct load *l, const struct elf *e, uint32_t i, struct segment *s)
{
	uint64_t at = e->phoff + (uint64_t)i * e->phentsize;

	if (at < e->phoff)
		goto damaged;
	if (e->wide) {
		Elf64_Phdr p;

		if (!load_read(&l->r->kernel, at, &p, sizeof(p)))
			goto damaged;
		*s = (struct segment){ p.p_type, p.p_offset, p.p_paddr, p.p_filesz, p.p_memsz };
	} else {
		Elf32_Phdr p;

		if (!load_read(&l->r->kernel, at, &p, sizeof(p)))
			goto damaged;
		*s = (struct segment){ p.p_type, p.p_offset, p.p_paddr, p.p_filesz, p.p_memsz };
	}
	return true;
damaged:
	return load_fail(l, "%s: too short: its program headers are missing", l->r->kernel.path);
}

static bool check_place(struct load *l, uint64_t gpa, uint64_t bytes)
{
	if (!load_is_ram(&l->r->map, gpa, bytes))
		return load_fail(l,
				 "%s: wants 0x%" PRIx64 " bytes at 0x%" PRIx64
				 ", where the VM has no RAM",
				 l->r->kernel.path, bytes, gpa);
	if (gpa < BOOT_LOW_END_GPA && gpa + bytes > BOOT_TABLES_GPA)
		return load_fail(l,
				 "%s: wants to be loaded at 0x%" PRIx64
				 ", where pvmctl puts boot information",
				 l->r->kernel.path, gpa);
	return true;
}

/* Adds every PT_LOAD segment by its physical address. */
static bool load_segments(struct load *l, const struct elf *e, uint64_t *end)
{
	const char *path = l->r->kernel.path;
	struct segment s;
	uint32_t i, n = 0;

	*end = 0;
	for (i = 0; i < e->phnum; i++) {
		if (!read_segment(l, e, i, &s))
			return false;
		if (s.type != PT_LOAD || !s.bytes)
			continue;
		if (++n > SEGMENTS)
			return load_fail(l, "%s: more than %d segments", path, SEGMENTS);
		if (s.file_bytes > s.bytes)
			return load_fail(l, "%s: damaged program header", path);
		if (s.offset > l->r->kernel.bytes || s.file_bytes > l->r->kernel.bytes - s.offset)
			return load_fail(l, "%s: too short: a segment ends at byte %" PRIu64
					 " and the file at %" PRIu64, path, s.offset + s.file_bytes,
					 l->r->kernel.bytes);
		if (!check_place(l, s.gpa, s.bytes) ||
		    !load_file_piece(l, "kernel", &l->r->kernel, s.offset, s.file_bytes, s.gpa))
			return false;
		if (s.gpa + s.bytes > *end)
			*end = s.gpa + s.bytes;
	}
	if (!n)
		return load_fail(l, "%s: an ELF file with nothing to load", path);
	return true;
}

/* --- multiboot -------------------------------------------------------------- */

/* Offset of the multiboot header, or -1. */
static int multiboot_at(struct load *l)
{
	size_t i;

	for (i = 0; i + 12 <= l->head_bytes; i += 4) {
		const uint8_t *h = l->head + i;

		if (get32(h) == MB_MAGIC && !(uint32_t)(get32(h) + get32(h + 4) + get32(h + 8)))
			return i;
	}
	return -1;
}

bool load_is_multiboot(struct load *l)
{
	return multiboot_at(l) >= 0;
}

/* The form whose header has addresses (the "a.out kludge"). */
static bool load_by_addresses(struct load *l, uint32_t at, uint64_t *entry, uint64_t *end)
{
	const uint8_t *h = l->head + at;
	const char *path = l->r->kernel.path;
	uint64_t header, load, load_end, bss_end, offset, bytes;

	if (at + 32 > l->head_bytes)
		return load_fail(l, "%s: too short: its multiboot header is cut off", path);
	header = get32(h + 12);
	load = get32(h + 16);
	load_end = get32(h + 20);
	bss_end = get32(h + 24);
	*entry = get32(h + 28);
	if (load > header || header - load > at || (load_end && load_end <= load) ||
	    (bss_end && load_end && bss_end < load_end))
		return load_fail(l, "%s: damaged multiboot header (addresses)", path);
	offset = at - (header - load);
	bytes = load_end ? load_end - load : l->r->kernel.bytes - offset;
	if (bytes > l->r->kernel.bytes - offset)
		return load_fail(l, "%s: too short: its header promises %" PRIu64 " bytes", path,
				 offset + bytes);
	*end = load + bytes;
	if (bss_end > *end)
		*end = bss_end;
	return check_place(l, load, *end - load) &&
	       load_file_piece(l, "kernel", &l->r->kernel, offset, bytes, load);
}

static void fill_multiboot(struct load *l, uint8_t *mbi, uint64_t initrd_gpa)
{
	static const char name[] = "pvmctl";
	const struct boot_map *map = &l->r->map;
	uint32_t flags = MBI_MEMORY | MBI_CMDLINE | MBI_MAP | MBI_LOADER, i;
	const uint32_t modules = 0x80, loader = 0xa0, entries = 0x100;

	for (i = 0; i < map->ranges; i++) {
		uint8_t *e = mbi + entries + i * 24;
		const struct boot_range *r = &map->range[i];

		put32(e, 20);
		put64(e + 4, r->gpa);
		put64(e + 12, r->bytes);
		put32(e + 20, r->type);
		if (r->type == 1 && !r->gpa)
			put32(mbi + 4, r->bytes / 1024);
		if (r->type == 1 && r->gpa == 0x100000)
			put32(mbi + 8, r->bytes / 1024);
	}
	put32(mbi + 16, BOOT_CMDLINE_GPA);
	if (initrd_gpa) {
		flags |= MBI_MODULES;
		put32(mbi + 20, 1);
		put32(mbi + 24, BOOT_INFO_GPA + modules);
		put32(mbi + modules, initrd_gpa);
		put32(mbi + modules + 4, initrd_gpa + l->r->initrd.bytes);
		put32(mbi + modules + 8, BOOT_CMDLINE_GPA);
	}
	put32(mbi + 44, map->ranges * 24);
	put32(mbi + 48, BOOT_INFO_GPA + entries);
	put32(mbi + 64, BOOT_INFO_GPA + loader);
	memcpy(mbi + loader, name, sizeof(name));
	put32(mbi, flags);
}

bool load_multiboot(struct load *l)
{
	int at = multiboot_at(l);
	uint32_t flags = get32(l->head + at + 4);
	uint64_t entry = 0, end = 0, initrd_gpa;
	struct elf e;
	uint8_t *mbi;

	if (flags & MB_REQUIRED & ~(MB_PAGE_ALIGN | MB_MEMORY))
		return load_fail(l, "%s: its multiboot header demands %s", l->r->kernel.path,
				 flags & MB_VIDEO ? "a video mode" : "what is unknown");
	if (flags & MB_ADDRESSES) {
		if (!load_by_addresses(l, at, &entry, &end))
			return false;
	} else {
		if (!load_is_elf(l))
			return load_fail(l, "%s: a multiboot header, but neither addresses nor ELF",
					 l->r->kernel.path);
		if (!read_elf(l, &e) || !load_segments(l, &e, &end))
			return false;
		entry = e.entry;
	}
	if (!load_is_ram(&l->r->map, entry, 1) || entry >> 32)
		return load_fail(l, "%s: its entry 0x%" PRIx64 " is not in RAM", l->r->kernel.path,
				 entry);
	if (!load_initrd(l, end, UINT32_MAX, &initrd_gpa) || !load_cmdline(l, CMDLINE_MOST))
		return false;
	mbi = load_data_piece(l, "multiboot information", 4096, BOOT_INFO_GPA);
	if (!mbi)
		return false;
	fill_multiboot(l, mbi, initrd_gpa);
	l->b->protocol = "multiboot";
	l->b->entry_mode = PASSVM_ENTRY_MODE_PROT32;
	l->b->rip = entry;
	l->b->rax = MB_BOOTED;
	l->b->rbx = BOOT_INFO_GPA;
	return true;
}

/* --- PVH -------------------------------------------------------------------- */

/* Looks for the note that holds the entry; true when found. */
static bool find_pvh_note(const uint8_t *n, size_t bytes, uint64_t *entry)
{
	while (bytes >= 12) {
		size_t name = (get32(n) + 3ull) & ~3ull, desc = (get32(n + 4) + 3ull) & ~3ull;

		if (get32(n) > bytes || get32(n + 4) > bytes || 12 + name + desc > bytes)
			return false;
		if (get32(n + 8) == XEN_PHYS32_ENTRY && get32(n) == 4 &&
		    !memcmp(n + 12, "Xen", 4) && get32(n + 4) >= 4) {
			*entry = get32(n + 4) >= 8 ? get64(n + 12 + name) : get32(n + 12 + name);
			return true;
		}
		n += 12 + name + desc;
		bytes -= 12 + name + desc;
	}
	return false;
}

static bool pvh_entry(struct load *l, const struct elf *e, uint64_t *entry)
{
	static uint8_t notes[NOTE_BYTES];
	struct segment s;
	uint32_t i;

	for (i = 0; i < e->phnum; i++) {
		if (!read_segment(l, e, i, &s))
			return false;
		if (s.type != PT_NOTE || s.file_bytes > NOTE_BYTES)
			continue;
		if (load_read(&l->r->kernel, s.offset, notes, s.file_bytes) &&
		    find_pvh_note(notes, s.file_bytes, entry))
			return true;
	}
	return load_fail(
		l, "%s: an ELF file with neither a multiboot header nor a PVH entry (CONFIG_PVH)",
		l->r->kernel.path);
}

static void fill_pvh(struct load *l, uint8_t *info, uint64_t initrd_gpa)
{
	const struct boot_map *map = &l->r->map;
	const uint32_t modules = 0x80, entries = 0x100;
	uint32_t i;

	put32(info, PVH_MAGIC);
	put32(info + 4, 1);		/* version */
	if (initrd_gpa) {
		put32(info + 12, 1);
		put64(info + 16, BOOT_INFO_GPA + modules);
		put64(info + modules, initrd_gpa);
		put64(info + modules + 8, l->r->initrd.bytes);
	}
	put64(info + 24, BOOT_CMDLINE_GPA);
	put64(info + 32, map->rsdp_gpa);
	put64(info + 40, BOOT_INFO_GPA + entries);
	put32(info + 48, map->ranges);
	for (i = 0; i < map->ranges; i++) {
		uint8_t *e = info + entries + i * 24;

		put64(e, map->range[i].gpa);
		put64(e + 8, map->range[i].bytes);
		put32(e + 16, map->range[i].type);
	}
}

bool load_pvh(struct load *l)
{
	uint64_t entry = 0, end = 0, initrd_gpa;
	uint8_t *info;
	struct elf e;

	if (!read_elf(l, &e) || !pvh_entry(l, &e, &entry) || !load_segments(l, &e, &end))
		return false;
	if (entry >> 32 || !load_is_ram(&l->r->map, entry, 1))
		return load_fail(l, "%s: its PVH entry 0x%" PRIx64 " is not in RAM",
				 l->r->kernel.path, entry);
	if (!load_initrd(l, end, UINT32_MAX, &initrd_gpa) || !load_cmdline(l, CMDLINE_MOST))
		return false;
	info = load_data_piece(l, "PVH information", 4096, BOOT_INFO_GPA);
	if (!info)
		return false;
	fill_pvh(l, info, initrd_gpa);
	l->b->protocol = "PVH";
	l->b->entry_mode = PASSVM_ENTRY_MODE_PROT32;
	l->b->rip = entry;
	l->b->rbx = BOOT_INFO_GPA;
	return true;
}
