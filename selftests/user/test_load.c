// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct boot: images made here, cut short everywhere, changed at random, and
 * the kernels that this machine has.
 *
 * World:   user tests
 * Context: single-threaded
 */
#include "ktap.h"

#include <elf.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uapi/passvm.h>

#include "load.h"
#include "stubs.h"

#define IMAGE	65536

static uint8_t image[IMAGE];
static char why[512];

static int file_of(const void *data, size_t bytes)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes)
		abort();
	return fd;
}

/* Loads @bytes of image with an initrd and so much memory. */
static bool load(size_t bytes, size_t initrd_bytes, uint64_t memory, struct boot *b)
{
	static uint8_t initrd[IMAGE];
	struct boot_request r = { .cmdline = "console=ttyS0" };
	bool ok;

	r.kernel = (struct boot_file){ "kernel", file_of(image, bytes), bytes };
	r.initrd = (struct boot_file){ "initrd", -1, 0 };
	if (initrd_bytes)
		r.initrd = (struct boot_file){ "initrd", file_of(initrd, initrd_bytes),
					       initrd_bytes };
	boot_default_map(memory, &r.map);
	r.map.rsdp_gpa = 0xf0000;
	ok = boot_load(&r, b, why, sizeof(why));
	close(r.kernel.fd);
	if (initrd_bytes)
		close(r.initrd.fd);
	return ok;
}

/* Every piece must be in RAM, inside its file, and apart from the others. */
static void check_pieces(const struct boot *b, uint64_t memory)
{
	struct boot_map map;
	uint32_t i, k, in;

	boot_default_map(memory, &map);
	for (i = 0; i < b->pieces; i++) {
		const struct boot_piece *p = &b->piece[i];

		for (in = k = 0; k < map.ranges; k++)
			in += p->gpa >= map.range[k].gpa &&
			      p->gpa + p->bytes <= map.range[k].gpa + map.range[k].bytes;
		expect_msg(in == 1, "%s at 0x%llx is not in RAM", p->what,
			   (unsigned long long)p->gpa);
		expect(!p->file == !!p->data);
		for (k = 0; k < i; k++)
			expect_msg(p->gpa + p->bytes <= b->piece[k].gpa ||
				   b->piece[k].gpa + b->piece[k].bytes <= p->gpa,
				   "%s overlaps %s", p->what, b->piece[k].what);
	}
}

static void put(size_t at, uint64_t v, int bytes)
{
	memcpy(image + at, &v, bytes);
}

/* 4 sectors of setup, 8 KiB of kernel. */
static size_t make_bzimage(void)
{
	memset(image, 0, IMAGE);
	image[0x1f1] = 4;
	put(0x1f4, 8192 / 16, 4);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x66eb, 2);
	put(0x202, 0x53726448, 4);
	put(0x206, 0x020f, 2);
	image[0x211] = 1;
	put(0x22c, 0x7fffffff, 4);
	put(0x230, 0x200000, 4);
	image[0x234] = 1;
	put(0x236, 0x3f, 2);
	put(0x238, 2047, 4);
	put(0x258, 0x1000000, 8);
	put(0x260, 0x800000, 4);
	return 5 * 512 + 8192;
}

static void bzimage(void)
{
	size_t n = make_bzimage();
	const uint8_t *bp = NULL;
	struct boot b;
	uint32_t i;

	if (!expect_msg(load(n, 5000, 64 << 20, &b), "%s", why))
		return;
	expect(!strcmp(b.protocol, "Linux 64-bit"));
	expect_eq(b.entry_mode, PASSVM_ENTRY_MODE_LONG64);
	expect_eq(b.rip, 0x1000200);
	expect_eq(b.rsi, BOOT_INFO_GPA);
	check_pieces(&b, 64 << 20);
	for (i = 0; i < b.pieces; i++) {
		if (b.piece[i].gpa == BOOT_INFO_GPA)
			bp = b.piece[i].data;
		if (b.piece[i].gpa == 0x1000000) {
			expect_eq(b.piece[i].offset_bytes, 5 * 512);
			expect_eq(b.piece[i].bytes, 8192);
		}
	}
	if (expect(bp)) {
		expect_eq(bp[0x1e8], 2);			/* e820 entries */
		expect_eq(*(uint64_t *)(bp + 0x70), 0xf0000);	/* RSDP */
		expect_eq(*(uint32_t *)(bp + 0x21c), 5000);	/* initrd */
		expect_eq(*(uint32_t *)(bp + 0x218) & 0xfff, 0);
		expect_eq(*(uint32_t *)(bp + 0x228), BOOT_CMDLINE_GPA);
		expect_eq(bp[0x210], 0xff);
	}
	boot_free(&b);
}

static void bzimage_places(void)
{
	size_t n = make_bzimage();
	struct boot b;

	/* Where it wants to be is no RAM: the lowest place that is aligned. */
	expect(load(n, 0, 16 << 20, &b));
	expect_eq(b.rip, 0x200200);
	boot_free(&b);
	image[0x234] = 0;
	expect(!load(n, 0, 16 << 20, &b));
	expect(strstr(why, "memory: too little for kernel"));
	make_bzimage();
	expect(!load(n, 0, 8 << 20, &b));
	expect(strstr(why, "memory: too little"));
	/* No room for the initrd. */
	put(0x260, (32 << 20) - 0x28000, 4);
	expect(!load(n, 60000 + 5000, 48 << 20, &b));
	expect_msg(strstr(why, "kernel and initrd"), "%s", why);
}

static void bzimage_refused(void)
{
	static const struct {
		size_t at;
		uint64_t value;
		int bytes;
		const char *says;
	} rows[] = {
		{ 0x206, 0x020b, 2, "without a 64-bit entry" },
		{ 0x236, 0, 2, "without a 64-bit entry" },
		{ 0x211, 0, 1, "without a 64-bit entry" },
		{ 0x1f4, 8192 / 16 + 1, 4, "too short" },
		{ 0x1f4, 0xffffffff, 4, "too short" },
		{ 0x1f4, 0, 4, "too short" },
		{ 0x260, 100, 4, "damaged header" },
		{ 0x202, 0, 4, "neither a bzImage" },
		{ 0x238, 5, 4, "cmdline: 13 characters; this kernel takes 5" },
	};
	struct boot b;
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = make_bzimage();
		put(rows[i].at, rows[i].value, rows[i].bytes);
		expect_msg(!load(n, 0, 64 << 20, &b), "row %zu", i);
		expect_msg(strstr(why, rows[i].says), "row %zu: %s", i, why);
	}
}

/* An ELF file with a note and one segment of 256 bytes at 1 MiB; multiboot if so asked. */
static size_t make_elf(bool wide, bool multiboot)
{
	Elf64_Ehdr h = { .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_entry = 0x100040,
			 .e_phoff = 64, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2 };
	Elf64_Phdr p[2] = {
		{ PT_LOAD, 7, 512, 0xffffffff80100000, 0x100000, 256, 4096, 4096 },
		{ PT_NOTE, 4, 400, 0, 0, 20, 20, 4 } };
	Elf32_Ehdr h32 = { .e_type = ET_EXEC, .e_machine = EM_386, .e_entry = 0x100040,
			   .e_phoff = 64, .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 2 };
	Elf32_Phdr p32[2] = {
		{ PT_LOAD, 512, 0x100000, 0x100000, 256, 4096, 7, 4096 },
		{ PT_NOTE, 400, 0, 0, 20, 20, 4, 4 } };

	memset(image, 0, IMAGE);
	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	memcpy(h32.e_ident, h.e_ident, EI_NIDENT);
	h32.e_ident[EI_CLASS] = ELFCLASS32;
	if (wide) {
		memcpy(image, &h, sizeof(h));
		memcpy(image + 64, p, sizeof(p));
	} else {
		memcpy(image, &h32, sizeof(h32));
		memcpy(image + 64, p32, sizeof(p32));
	}
	put(400, 4, 4);
	put(404, 4, 4);
	put(408, 18, 4);
	memcpy(image + 412, "Xen", 4);
	put(416, 0x100080, 4);
	if (multiboot) {
		put(512, 0x1badb002, 4);
		put(516, 3, 4);
		put(520, -(0x1badb002 + 3), 4);
	}
	return 768;
}

static void elf(void)
{
	struct boot b;
	size_t n;
	int wide;

	for (wide = 0; wide < 2; wide++) {
		n = make_elf(wide, true);
		if (expect_msg(load(n, 3000, 8 << 20, &b), "%s", why)) {
			expect(!strcmp(b.protocol, "multiboot"));
			expect_eq(b.rip, 0x100040);
			expect_eq(b.rax, 0x2badb002);
			expect_eq(b.rbx, BOOT_INFO_GPA);
			check_pieces(&b, 8 << 20);
			boot_free(&b);
		}
		n = make_elf(wide, false);
		if (expect_msg(load(n, 3000, 8 << 20, &b), "%s", why)) {
			expect(!strcmp(b.protocol, "PVH"));
			expect_eq(b.rip, 0x100080);
			expect_eq(b.rbx, BOOT_INFO_GPA);
			check_pieces(&b, 8 << 20);
			boot_free(&b);
		}
	}
}

static void elf_refused(void)
{
	struct boot b;
	size_t n;

	n = make_elf(true, false);
	put(408, 17, 4);
	expect(!load(n, 0, 8 << 20, &b));
	expect(strstr(why, "neither a multiboot header nor a PVH entry"));
	n = make_elf(true, true);
	put(64 + 24, 0x8000, 8);		/* p_paddr */
	expect(!load(n, 0, 8 << 20, &b));
	expect_msg(strstr(why, "boot information"), "%s", why);
	put(64 + 24, 0xfffffffffffff000, 8);
	expect(!load(n, 0, 8 << 20, &b));
	expect(strstr(why, "no RAM"));
	n = make_elf(true, true);
	put(64 + 40, ~0ull, 8);			/* p_memsz */
	expect(!load(n, 0, 8 << 20, &b));
	n = make_elf(true, true);
	put(64 + 32, 4097, 8);			/* p_filesz beyond p_memsz */
	expect(!load(n, 0, 8 << 20, &b));
	expect(strstr(why, "damaged program header"));
	n = make_elf(true, true);
	put(24, 0xf00000, 8);			/* e_entry */
	expect(!load(n, 0, 8 << 20, &b));
	expect(strstr(why, "entry"));
	n = make_elf(true, true);
	put(516, 7, 4);
	put(520, -(0x1badb002 + 7), 4);
	expect(!load(n, 0, 8 << 20, &b));
	expect(strstr(why, "video mode"));
}

/* The form of multiboot whose header has the addresses. */
static void multiboot_addresses(void)
{
	struct boot b;

	memset(image, 0, IMAGE);
	put(64, 0x1badb002, 4);
	put(68, 0x10000, 4);
	put(72, -(0x1badb002 + 0x10000), 4);
	put(76, 0x100040, 4);		/* header */
	put(80, 0x100000, 4);		/* load */
	put(84, 0x100400, 4);		/* load end */
	put(88, 0x101000, 4);		/* bss end */
	put(92, 0x100080, 4);		/* entry */
	if (expect_msg(load(2048, 0, 8 << 20, &b), "%s", why)) {
		expect_eq(b.rip, 0x100080);
		expect_eq(b.piece[0].bytes, 0x400);
		expect_eq(b.piece[0].gpa, 0x100000);
		boot_free(&b);
	}
	expect(!load(1000, 0, 8 << 20, &b));
	expect(strstr(why, "too short"));
	put(76, 0x200000, 4);
	expect(!load(2048, 0, 8 << 20, &b));
	expect(strstr(why, "damaged multiboot header"));
}

static void no_kernel(void)
{
	struct boot b;

	memset(image, 'x', IMAGE);
	expect(!load(IMAGE, 0, 64 << 20, &b));
	expect(strstr(why, "neither a bzImage"));
	expect(!load(0, 0, 64 << 20, &b));
	expect(strstr(why, "empty"));
	expect(!load(1, 0, 64 << 20, &b));
}

/* Cut at every byte: refused, or (behind what is needed) loaded the same. */
static void truncated(void)
{
	struct boot b;
	size_t n, i, kind;

	for (kind = 0; kind < 4; kind++) {
		n = kind == 0 ? make_bzimage() : make_elf(kind & 1, kind > 1);
		for (i = 0; i < n; i += kind ? 1 : 7) {
			if (load(i, 0, 64 << 20, &b)) {
				expect_msg(kind ? i >= 420 : i + 15 >= n, "kind %zu of %zu bytes",
					   kind, i);
				boot_free(&b);
			} else {
				expect(*why);
			}
		}
	}
}

static void mutated(void)
{
	unsigned int seed = 1;
	struct boot b;
	int i, k;

	for (i = 0; i < 20000; i++) {
		size_t n = i % 3 ? make_elf(i & 1, i & 2) : make_bzimage();

		for (k = rand_r(&seed) % 6; k >= 0; k--)
			image[rand_r(&seed) % (k & 1 ? 700 : 200)] = rand_r(&seed);
		put(rand_r(&seed) % 700, rand_r(&seed) & 1 ? ~0ull : (uint64_t)rand_r(&seed), 4);
		if (load(n, i & 8 ? 3000 : 0, 64 << 20, &b)) {
			check_pieces(&b, 64 << 20);
			boot_free(&b);
		}
	}
}

static void real_kernels(void)
{
	struct boot_request r = { .cmdline = "", .initrd = { .fd = -1 } };
	struct boot b;
	struct stat st;
	glob_t g;
	size_t i;

	if (glob("/boot/vmlinuz-*", 0, NULL, &g)) {
		ktap_skip("no kernel in /boot");
		return;
	}
	for (i = 0; i < g.gl_pathc; i++) {
		r.kernel.path = g.gl_pathv[i];
		r.kernel.fd = open(g.gl_pathv[i], O_RDONLY);
		if (r.kernel.fd < 0 || fstat(r.kernel.fd, &st))
			continue;
		r.kernel.bytes = st.st_size;
		boot_default_map(512 << 20, &r.map);
		if (expect_msg(boot_load(&r, &b, why, sizeof(why)), "%s", why)) {
			check_pieces(&b, 512 << 20);
			boot_free(&b);
		}
		r.kernel.bytes = st.st_size / 2;
		expect(!boot_load(&r, &b, why, sizeof(why)));
		close(r.kernel.fd);
	}
	globfree(&g);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(bzimage),
	KTAP_TEST(bzimage_places),
	KTAP_TEST(bzimage_refused),
	KTAP_TEST(elf),
	KTAP_TEST(elf_refused),
	KTAP_TEST(multiboot_addresses),
	KTAP_TEST(no_kernel),
	KTAP_TEST(truncated),
	KTAP_TEST(mutated),
	KTAP_TEST(real_kernels),
};

KTAP_MAIN(tests)
