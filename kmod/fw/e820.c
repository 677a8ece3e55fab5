// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory map of a direct boot, the checks of a board, and the image as a whole.
 *
 * Low RAM is usable up to 639 KiB and from 1 MiB to where the tables lie. From
 * 768 KiB to 1 MiB is reserved (the anchors are there). The VGA window below
 * that is not listed: it belongs to the PCI root, and Linux takes away from the
 * root's windows what the map calls reserved. The ECAM is listed, since Linux
 * uses it only where it finds it reserved.
 *
 * World:   pure
 * Context: any
 * Spec:    ACPI r6.5, sec 15 "System Address Map Interfaces"
 */
#include "fw/build.h"

#define EBDA_GPA	0x9fc00ull
#define VGA_GPA		0xa0000ull
#define ROM_GPA		0xc0000ull
#define HIGH_GPA	0x100000ull
#define FOUR_GIB	0x100000000ull
#define LOW_MAX		0x80000000ull
#define ECAM_BYTES	0x10000000ull
#define FLASH_BYTES	0x400000ull
#define NVS_BYTES	0x1000ull
#define IO_GPA		0xfec00000ull	/* I/O APIC and all above, below 4 GiB */
#define MAX_GPA		(1ull << 52)

#define ANCHOR_GPA	0xf0000ull

static bool in(u64 base, u64 bytes, u64 first, u64 end)
{
	return base >= first && base < end && bytes <= end - base;
}

static bool overlap(const struct pvm_fw_range *r, u64 base, u64 bytes)
{
	return r->bytes && bytes && r->base_gpa < base + bytes && base < r->base_gpa + r->bytes;
}

int pvm_fw_check(const struct pvm_fw_board *b)
{
	const struct pvm_fw_range *lo = &b->mem32[0], *hi = &b->mem32[1];
	u64 high_end = FOUR_GIB + b->high_ram_bytes;
	u32 i;

	if (!b->cpus || b->cpus > PVM_MAX_VCPUS || b->ioapic_id > 0xff)
		return -EINVAL;
	if (!IS_ALIGNED(b->low_ram_bytes, PVM_LARGE_BYTES) || !b->low_ram_bytes ||
	    b->low_ram_bytes > LOW_MAX || b->high_ram_bytes > MAX_GPA - FOUR_GIB)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(b->mem32); i++)
		if (b->mem32[i].bytes &&
		    !in(b->mem32[i].base_gpa, b->mem32[i].bytes, b->low_ram_bytes, IO_GPA))
			return -EINVAL;
	if (overlap(lo, hi->base_gpa, hi->bytes))
		return -EINVAL;
	if (b->mem64.bytes && !in(b->mem64.base_gpa, b->mem64.bytes, high_end, MAX_GPA))
		return -EINVAL;
	if (b->ecam_gpa == PVM_NO_ADDR)
		return 0;
	if (!IS_ALIGNED(b->ecam_gpa, ECAM_BYTES) ||
	    !in(b->ecam_gpa, ECAM_BYTES, b->low_ram_bytes, IO_GPA) ||
	    overlap(lo, b->ecam_gpa, ECAM_BYTES) || overlap(hi, b->ecam_gpa, ECAM_BYTES))
		return -EINVAL;
	return 0;
}

int pvm_fw_e820_map(const struct pvm_fw_board *b, struct pvm_fw_e820 *map)
{
	u64 tables_gpa = pvm_fw_tables_gpa(b);
	const struct pvm_fw_e820 all[] = {
		{ 0, EBDA_GPA, PVM_FW_E820_RAM },
		{ EBDA_GPA, VGA_GPA - EBDA_GPA, PVM_FW_E820_RESERVED },
		{ ROM_GPA, HIGH_GPA - ROM_GPA, PVM_FW_E820_RESERVED },
		{ HIGH_GPA, tables_gpa - HIGH_GPA, PVM_FW_E820_RAM },
		{ tables_gpa, NVS_BYTES, PVM_FW_E820_NVS },
		{ tables_gpa + NVS_BYTES, PVM_FW_TABLES_BYTES - NVS_BYTES, PVM_FW_E820_ACPI },
		{ b->ecam_gpa, b->ecam_gpa == PVM_NO_ADDR ? 0 : ECAM_BYTES,
		  PVM_FW_E820_RESERVED },
		{ PVM_FW_IOAPIC_GPA, 0x1000, PVM_FW_E820_RESERVED },
		{ PVM_FW_LAPIC_GPA, 0x1000, PVM_FW_E820_RESERVED },
		{ FOUR_GIB - FLASH_BYTES, b->flags & PVM_FW_ROM ? FLASH_BYTES : 0,
		  PVM_FW_E820_RESERVED },
		{ FOUR_GIB, b->high_ram_bytes, PVM_FW_E820_RAM },
	};
	u32 i;
	int n = 0;

	BUILD_BUG_ON(ARRAY_SIZE(all) > PVM_FW_MAX_E820);
	if (pvm_fw_check(b))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].bytes)
			map[n++] = all[i];
	return n;
}

/* --- the image ----------------------------------------------------------------------------- */

static const u64 piece_gpa[PVM_FW_PIECES] = {
	[PVM_FW_RSDP]		= ANCHOR_GPA,
	[PVM_FW_SMBIOS3_ANCHOR]	= ANCHOR_GPA + 0x40,
	[PVM_FW_SMBIOS_ANCHOR]	= ANCHOR_GPA + 0x60,
	[PVM_FW_SMBIOS]		= ANCHOR_GPA + 0x100,
};

static void piece_begin(struct pvm_fw_image *img, const struct pvm_fw_buf *out, u32 piece)
{
	img->piece[piece].offset = out->used;
}

static void piece_end(struct pvm_fw_image *img, const struct pvm_fw_buf *out, u32 piece)
{
	img->piece[piece].bytes = out->used - img->piece[piece].offset;
}

int pvm_fw_build(const struct pvm_fw_board *b, struct pvm_fw_image *img)
{
	struct pvm_fw_buf out = { .data = img->data, .room = img->room_bytes };
	struct pvm_fw_smbios_info info;
	u32 i;

	if (pvm_fw_check(b))
		return -EINVAL;
	img->tables = 0;
	img->pointers = 0;
	for (i = 0; i < PVM_FW_PIECES; i++)
		img->piece[i].gpa = piece_gpa[i];
	img->piece[PVM_FW_TABLES].gpa = pvm_fw_tables_gpa(b);

	piece_begin(img, &out, PVM_FW_TABLES);
	pvm_fw_acpi(b, img, &out);
	piece_end(img, &out, PVM_FW_TABLES);
	piece_begin(img, &out, PVM_FW_RSDP);
	pvm_fw_rsdp(img, &out);
	piece_end(img, &out, PVM_FW_RSDP);
	piece_begin(img, &out, PVM_FW_SMBIOS);
	pvm_fw_smbios(b, &out, &info);
	piece_end(img, &out, PVM_FW_SMBIOS);
	piece_begin(img, &out, PVM_FW_SMBIOS3_ANCHOR);
	pvm_fw_smbios3_anchor(piece_gpa[PVM_FW_SMBIOS], &info, &out);
	piece_end(img, &out, PVM_FW_SMBIOS3_ANCHOR);
	piece_begin(img, &out, PVM_FW_SMBIOS_ANCHOR);
	pvm_fw_smbios_anchor(piece_gpa[PVM_FW_SMBIOS], &info, &out);
	piece_end(img, &out, PVM_FW_SMBIOS_ANCHOR);

	img->used_bytes = out.used;
	return out.full ? -ENOSPC : 0;
}
