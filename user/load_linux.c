// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct boot of a Linux bzImage by its 64-bit entry point.
 *
 * World:   user
 * Context: any
 * Spec:    Linux Documentation/arch/x86/boot.rst, arch/x86/zero-page.rst
 */
#include <inttypes.h>
#include <uapi/passvm.h>

#include "load_in.h"

/* The setup header in the file's first sectors; boot_params has it at the same offsets. */
#define HDR_START		0x1f1
#define HDR_SETUP_SECTS		0x1f1	/* u8 */
#define HDR_SYSSIZE		0x1f4	/* u32, in 16 bytes */
#define HDR_VID_MODE		0x1fa	/* u16 */
#define HDR_BOOT_FLAG		0x1fe	/* u16 */
#define HDR_JUMP_LENGTH		0x201	/* u8: the header ends at 0x202 plus it */
#define HDR_MAGIC		0x202	/* u32 "HdrS" */
#define HDR_VERSION		0x206	/* u16 */
#define HDR_TYPE_OF_LOADER	0x210	/* u8 */
#define HDR_LOADFLAGS		0x211	/* u8 */
#define HDR_RAMDISK_IMAGE	0x218	/* u32 */
#define HDR_RAMDISK_SIZE	0x21c	/* u32 */
#define HDR_CMD_LINE_PTR	0x228	/* u32 */
#define HDR_INITRD_ADDR_MAX	0x22c	/* u32 */
#define HDR_KERNEL_ALIGNMENT	0x230	/* u32 */
#define HDR_RELOCATABLE		0x234	/* u8 */
#define HDR_XLOADFLAGS		0x236	/* u16 */
#define HDR_CMDLINE_SIZE	0x238	/* u32 */
#define HDR_PREF_ADDRESS	0x258	/* u64 */
#define HDR_INIT_SIZE		0x260	/* u32 */
#define HDR_END_MAX		0x290

#define MAGIC_HDRS		0x53726448
#define LOADED_HIGH		0x01
#define XLF_KERNEL_64		0x0001
#define VERSION_64BIT		0x020c	/* the first with xloadflags */

#define BP_BYTES		4096
#define BP_ACPI_RSDP_ADDR	0x070	/* u64 */
#define BP_E820_ENTRIES		0x1e8	/* u8 */
#define BP_E820_TABLE		0x2d0	/* 20 bytes each */

#define ENTRY_64		0x200
#define CMDLINE_MOST		2047	/* what kernels take that don't say */

bool load_is_bzimage(struct load *l)
{
	return l->head_bytes > HDR_MAGIC + 4 && get16(l->head + HDR_BOOT_FLAG) == 0xaa55 &&
	       get32(l->head + HDR_MAGIC) == MAGIC_HDRS;
}

/* Where the kernel goes: where it likes best, else the lowest place where it can. */
static bool choose_place(struct load *l, uint64_t *gpa, uint64_t *end)
{
	const uint8_t *h = l->head;
	uint64_t pref = get64(h + HDR_PREF_ADDRESS), align = get32(h + HDR_KERNEL_ALIGNMENT);
	uint64_t need = get32(h + HDR_INIT_SIZE), at;
	uint32_t i;

	if (pref >= 0x100000 && load_is_ram(&l->r->map, pref, need)) {
		*gpa = pref;
		*end = pref + need;
		return true;
	}
	if (h[HDR_RELOCATABLE] && align >= 4096 && !(align & (align - 1))) {
		for (i = 0; i < l->r->map.ranges; i++) {
			const struct boot_range *r = &l->r->map.range[i];

			at = r->gpa < 0x100000 ? 0x100000 : r->gpa;
			at = (at + align - 1) & ~(align - 1);
			if (at + need <= 1ull << 32 && load_is_ram(&l->r->map, at, need)) {
				*gpa = at;
				*end = at + need;
				return true;
			}
		}
	}
	return load_fail(l,
			 "memory: too little for %s, which needs %" PRIu64
			 " MiB to unpack itself",
			 l->r->kernel.path, need >> 20);
}

static bool check_header(struct load *l, uint64_t *offset, uint64_t *bytes)
{
	const uint8_t *h = l->head;
	const char *path = l->r->kernel.path;
	uint64_t sectors = h[HDR_SETUP_SECTS] ? h[HDR_SETUP_SECTS] : 4;
	uint64_t need = (uint64_t)get32(h + HDR_SYSSIZE) * 16;

	if (l->head_bytes < HDR_END_MAX)
		return load_fail(l, "%s: too short for a kernel", path);
	if (get16(h + HDR_VERSION) < VERSION_64BIT ||
	    !(get16(h + HDR_XLOADFLAGS) & XLF_KERNEL_64) || !(h[HDR_LOADFLAGS] & LOADED_HIGH))
		return load_fail(
			l, "%s: a Linux kernel without a 64-bit entry (boot protocol %u.%02u)",
			path, h[HDR_VERSION + 1], h[HDR_VERSION]);
	*offset = (sectors + 1) * 512;
	/* syssize is rounded up. */
	if (!need || *offset >= l->r->kernel.bytes || l->r->kernel.bytes - *offset + 15 < need)
		return load_fail(l, "%s: too short: its header promises %" PRIu64 " bytes, it has %"
				 PRIu64, path, *offset + need, l->r->kernel.bytes);
	*bytes = l->r->kernel.bytes - *offset < need ? l->r->kernel.bytes - *offset : need;
	if (get32(h + HDR_INIT_SIZE) < *bytes)
		return load_fail(l, "%s: damaged header (init_size)", path);
	return true;
}

static bool fill_params(struct load *l, uint64_t initrd_gpa)
{
	uint8_t *bp = load_data_piece(l, "boot parameters", BP_BYTES, BOOT_INFO_GPA);
	size_t end = HDR_MAGIC + l->head[HDR_JUMP_LENGTH];
	uint32_t i;

	if (!bp)
		return false;
	if (end > HDR_END_MAX)
		end = HDR_END_MAX;
	memcpy(bp + HDR_START, l->head + HDR_START, end - HDR_START);
	bp[HDR_TYPE_OF_LOADER] = 0xff;	/* none that has a number */
	bp[HDR_VID_MODE] = bp[HDR_VID_MODE + 1] = 0xff;
	put32(bp + HDR_CMD_LINE_PTR, BOOT_CMDLINE_GPA);
	if (initrd_gpa) {
		put32(bp + HDR_RAMDISK_IMAGE, initrd_gpa);
		put32(bp + HDR_RAMDISK_SIZE, l->r->initrd.bytes);
	}
	put64(bp + BP_ACPI_RSDP_ADDR, l->r->map.rsdp_gpa);
	bp[BP_E820_ENTRIES] = l->r->map.ranges;
	for (i = 0; i < l->r->map.ranges; i++) {
		uint8_t *e = bp + BP_E820_TABLE + i * 20;

		put64(e, l->r->map.range[i].gpa);
		put64(e + 8, l->r->map.range[i].bytes);
		put32(e + 16, l->r->map.range[i].type);
	}
	return true;
}

bool load_bzimage(struct load *l)
{
	uint64_t offset = 0, bytes = 0, gpa = 0, end = 0, initrd_gpa, most;

	if (!check_header(l, &offset, &bytes) || !choose_place(l, &gpa, &end))
		return false;
	most = get32(l->head + HDR_CMDLINE_SIZE);
	if (!most || most > BOOT_LOW_END_GPA - BOOT_CMDLINE_GPA - 1)
		most = CMDLINE_MOST;
	if (!load_file_piece(l, "kernel", &l->r->kernel, offset, bytes, gpa) ||
	    !load_initrd(l, end, get32(l->head + HDR_INITRD_ADDR_MAX), &initrd_gpa) ||
	    !load_cmdline(l, most) || !fill_params(l, initrd_gpa))
		return false;
	l->b->protocol = "Linux 64-bit";
	l->b->entry_mode = PASSVM_ENTRY_MODE_LONG64;
	l->b->rip = gpa + ENTRY_64;
	l->b->rsi = BOOT_INFO_GPA;
	l->b->tables_gpa = BOOT_TABLES_GPA;
	return true;
}
