// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMBIOS structures and both of their anchors.
 *
 * Type 0 says that this is a virtual machine. One socket holds all processors,
 * one memory device all RAM.
 *
 * World:   pure
 * Context: any
 * Spec:    SMBIOS r3.0, sec 5.2 "SMBIOS Structure Table Entry Point",
 *          SMBIOS r3.0, sec 7 "Structure definitions"
 */
#include "fw/build.h"

#define VENDOR		"passvm"
#define PRODUCT		"passvm virtual machine"
#define VERSION		"1"
#define BIOS_DATE	"01/01/2026"

#define MIB		(1ull << 20)
#define FOUR_GIB	(1ull << 32)

enum handles {
	HANDLE_BIOS	= 0x0000,
	HANDLE_SYSTEM	= 0x0100,
	HANDLE_CHASSIS	= 0x0300,
	HANDLE_CPU	= 0x0400,
	HANDLE_ARRAY	= 0x1000,
	HANDLE_MEMORY	= 0x1100,
	HANDLE_MAP	= 0x1300,	/* one per range of RAM */
	HANDLE_BOOT	= 0x2000,
	HANDLE_END	= 0x7f00,
	HANDLE_NONE	= 0xfffe,	/* not provided */
};

struct smbios {
	struct pvm_fw_buf *out;
	struct pvm_fw_smbios_info *info;
	u32 begin;		/* of the structure being written */
};

static void put(struct smbios *s, u64 val, u32 bytes)
{
	pvm_fw_put(s->out, val, bytes);
}

static void begin(struct smbios *s, u8 type, u16 handle)
{
	s->begin = s->out->used;
	put(s, type, 1);
	put(s, 0, 1);
	put(s, handle, 2);
}

/* Ends the formatted part; @n strings follow it, numbered from 1. */
static void end(struct smbios *s, const char *const *strings, u32 n)
{
	struct pvm_fw_buf *out = s->out;
	u32 i, bytes;

	if (!out->full)
		out->data[s->begin + 1] = out->used - s->begin;
	for (i = 0; i < n; i++) {
		const char *c = strings[i];

		/* An empty string would end the set. */
		for (c = *c ? c : " "; *c; c++)
			put(s, *c, 1);
		put(s, 0, 1);
	}
	put(s, 0, n ? 1 : 2);
	bytes = out->used - s->begin;
	s->info->largest_bytes = max(s->info->largest_bytes, bytes);
	s->info->count++;
}

static void bios(struct smbios *s)
{
	static const char *const strings[] = { VENDOR, VERSION, BIOS_DATE };

	begin(s, 0, HANDLE_BIOS);
	put(s, 1, 1);
	put(s, 2, 1);
	put(s, 0xf000, 2);	/* segment */
	put(s, 3, 1);
	put(s, 0, 1);		/* 64 KiB */
	put(s, BIT(7), 8);	/* characteristics: PCI */
	put(s, 0, 1);
	put(s, BIT(2) | BIT(4), 1);	/* targeted content; virtual machine */
	put(s, 1, 1);		/* release 1.0 */
	put(s, 0, 1);
	put(s, 0xffff, 2);	/* no embedded controller */
	end(s, strings, ARRAY_SIZE(strings));
}

/* The first three fields of the UUID are little endian here. */
static void put_uuid(struct smbios *s, const u8 uuid[16])
{
	static const u8 order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	u32 i;

	for (i = 0; i < 16; i++)
		put(s, uuid[order[i]], 1);
}

static void board_system(const struct pvm_fw_board *b, struct smbios *s)
{
	const char *const strings[] = {
		VENDOR, PRODUCT, VERSION, b->serial ? b->serial : "none", "virtual machine",
	};

	begin(s, 1, HANDLE_SYSTEM);
	put(s, 1, 1);
	put(s, 2, 1);
	put(s, 3, 1);
	put(s, 4, 1);
	put_uuid(s, b->uuid);
	put(s, 6, 1);		/* woken by the power switch */
	put(s, 0, 1);		/* no SKU */
	put(s, 5, 1);		/* family */
	end(s, strings, ARRAY_SIZE(strings));
}

static void chassis(struct smbios *s)
{
	static const char *const strings[] = { VENDOR, VERSION };

	begin(s, 3, HANDLE_CHASSIS);
	put(s, 1, 1);
	put(s, 1, 1);		/* type: other */
	put(s, 2, 1);
	put(s, 0, 2);		/* no serial number, no asset tag */
	put(s, 0x030303, 3);	/* boot-up, power supply, thermal: safe */
	put(s, 2, 1);		/* security: unknown */
	put(s, 0, 4);
	put(s, 0, 1);		/* height */
	put(s, 1, 1);		/* power cords */
	put(s, 0, 2);		/* no contained elements */
	put(s, 0, 1);		/* SKU */
	end(s, strings, ARRAY_SIZE(strings));
}

static void processor(const struct pvm_fw_board *b, struct smbios *s)
{
	static const char *const strings[] = { "CPU 0", VENDOR, VERSION };

	begin(s, 4, HANDLE_CPU);
	put(s, 1, 1);
	put(s, 3, 1);		/* central processor */
	put(s, 1, 1);		/* family: other */
	put(s, 2, 1);
	put(s, b->cpu_signature, 4);
	put(s, b->cpu_features, 4);
	put(s, 3, 1);
	put(s, 0, 1);		/* voltage: unknown */
	put(s, 0, 2);		/* clocks: unknown */
	put(s, 0, 2);
	put(s, 0, 2);
	put(s, 0x41, 1);	/* populated, enabled */
	put(s, 1, 1);		/* upgrade: other */
	put(s, 0xffff, 2);	/* no cache structures */
	put(s, 0xffff, 2);
	put(s, 0xffff, 2);
	put(s, 0, 3);		/* serial number, asset tag, part number */
	put(s, b->cpus, 1);	/* cores, enabled, threads */
	put(s, b->cpus, 1);
	put(s, b->cpus, 1);
	put(s, BIT(2) | (b->cpus > 1 ? BIT(3) : 0), 2);	/* 64 bits; several cores */
	put(s, 1, 2);		/* family 2 */
	put(s, b->cpus, 2);
	put(s, b->cpus, 2);
	put(s, b->cpus, 2);
	end(s, strings, ARRAY_SIZE(strings));
}

static void memory_array(const struct pvm_fw_board *b, struct smbios *s)
{
	u64 bytes = b->low_ram_bytes + b->high_ram_bytes;
	bool extended = bytes >> 10 >= 0x80000000;

	begin(s, 16, HANDLE_ARRAY);
	put(s, 1, 1);		/* other location */
	put(s, 3, 1);		/* system memory */
	put(s, 3, 1);		/* no error correction */
	put(s, extended ? 0x80000000 : bytes >> 10, 4);
	put(s, HANDLE_NONE, 2);
	put(s, 1, 2);
	put(s, extended ? bytes : 0, 8);
	end(s, NULL, 0);
}

static void memory_device(const struct pvm_fw_board *b, struct smbios *s)
{
	static const char *const strings[] = { "DIMM 0", VENDOR };
	u64 mib = (b->low_ram_bytes + b->high_ram_bytes) / MIB;
	bool extended = mib >= 0x7fff;

	begin(s, 17, HANDLE_MEMORY);
	put(s, HANDLE_ARRAY, 2);
	put(s, HANDLE_NONE, 2);
	put(s, 0xffff, 2);	/* widths: unknown */
	put(s, 0xffff, 2);
	put(s, extended ? 0x7fff : mib, 2);
	put(s, 9, 1);		/* DIMM */
	put(s, 0, 1);		/* no set */
	put(s, 1, 1);
	put(s, 0, 1);
	put(s, 7, 1);		/* RAM */
	put(s, BIT(1), 2);	/* detail: other */
	put(s, 0, 2);		/* speed: unknown */
	put(s, 2, 1);
	put(s, 0, 3);		/* serial number, asset tag, part number */
	put(s, 0, 1);		/* rank */
	put(s, extended ? mib : 0, 4);
	put(s, 0, 2);
	put(s, 0, 6);		/* voltages */
	end(s, strings, ARRAY_SIZE(strings));
}

static void memory_map(struct smbios *s, u32 i, u64 gpa, u64 bytes)
{
	u64 first = gpa >> 10, last = (gpa + bytes - 1) >> 10;
	bool extended = last >= 0xffffffff;

	begin(s, 19, HANDLE_MAP + i);
	put(s, extended ? 0xffffffff : first, 4);
	put(s, extended ? 0xffffffff : last, 4);
	put(s, HANDLE_ARRAY, 2);
	put(s, 1, 1);
	put(s, extended ? gpa : 0, 8);
	put(s, extended ? gpa + bytes - 1 : 0, 8);
	end(s, NULL, 0);
}

void pvm_fw_smbios(const struct pvm_fw_board *b, struct pvm_fw_buf *out,
		   struct pvm_fw_smbios_info *info)
{
	struct smbios s = { .out = out, .info = info };
	u32 first = out->used;

	*info = (struct pvm_fw_smbios_info){ 0 };
	bios(&s);
	board_system(b, &s);
	chassis(&s);
	processor(b, &s);
	memory_array(b, &s);
	memory_device(b, &s);
	memory_map(&s, 0, 0, b->low_ram_bytes);
	if (b->high_ram_bytes)
		memory_map(&s, 1, FOUR_GIB, b->high_ram_bytes);
	begin(&s, 32, HANDLE_BOOT);
	put(&s, 0, 6);
	put(&s, 0, 1);		/* no error at the last boot */
	end(&s, NULL, 0);
	begin(&s, 127, HANDLE_END);
	end(&s, NULL, 0);
	info->bytes = out->used - first;
}

static void set_checksum(struct pvm_fw_buf *out, u32 first, u32 bytes, u32 at)
{
	if (!out->full)
		out->data[first + at] = pvm_fw_checksum(out->data + first, bytes);
}

void pvm_fw_smbios3_anchor(u64 gpa, const struct pvm_fw_smbios_info *info, struct pvm_fw_buf *out)
{
	u32 first = out->used;

	pvm_fw_put_bytes(out, "_SM3_", 5);
	pvm_fw_put(out, 0, 1);
	pvm_fw_put(out, 24, 1);
	pvm_fw_put(out, 0x000003, 3);	/* 3.0, no revision of the document */
	pvm_fw_put(out, 1, 1);		/* entry point revision */
	pvm_fw_put(out, 0, 1);
	pvm_fw_put(out, info->bytes, 4);
	pvm_fw_put(out, gpa, 8);
	set_checksum(out, first, 24, 5);
}

void pvm_fw_smbios_anchor(u32 gpa, const struct pvm_fw_smbios_info *info, struct pvm_fw_buf *out)
{
	u32 first = out->used;

	pvm_fw_put_bytes(out, "_SM_", 4);
	pvm_fw_put(out, 0, 1);
	pvm_fw_put(out, 31, 1);
	pvm_fw_put(out, 0x0003, 2);	/* 3.0 */
	pvm_fw_put(out, info->largest_bytes, 2);
	pvm_fw_put(out, 0, 6);		/* entry point revision, formatted area */
	pvm_fw_put_bytes(out, "_DMI_", 5);
	pvm_fw_put(out, 0, 1);
	pvm_fw_put(out, info->bytes, 2);
	pvm_fw_put(out, gpa, 4);
	pvm_fw_put(out, info->count, 2);
	pvm_fw_put(out, 0x30, 1);
	set_checksum(out, first + 16, 15, 5);
	set_checksum(out, first, 31, 4);
}
