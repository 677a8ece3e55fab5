/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest is told about its board: ACPI and SMBIOS tables, memory map.
 *
 * Pure functions of struct pvm_fw_board into a buffer of the caller's. The
 * addresses are those of a direct boot, where passvm places the tables itself;
 * table[] and pointer[] name every checksum and every pointer in them, so that
 * a firmware's table loader can place them elsewhere.
 *
 * The constants are the board's; vm/board.c asserts that the models agree.
 *
 * World:   pure
 * Context: any
 * Spec:    ACPI r6.5; SMBIOS r3.0
 */
#ifndef PVM_FW_H
#define PVM_FW_H

#include <pvm/env.h>

/* Fixed addresses, spelled out in Documentation/memory-layout.rst. */
#define PVM_FW_PM_BASE		0x600	/* PM1 event, PM1 control, PM timer, GPE0 ... */
#define PVM_FW_PM_TIMER		0x608	/* 32 bits */
#define PVM_FW_PM_GPE0		0x620	/* 16 bytes */
#define PVM_FW_PM_PORTS		0x80
#define PVM_FW_SMI_CMD		0xb2
#define PVM_FW_ACPI_ENABLE	0x02
#define PVM_FW_ACPI_DISABLE	0x03
#define PVM_FW_S5_TYPE		0	/* SLP_TYP of soft off */
#define PVM_FW_SCI		9	/* level, active high */
#define PVM_FW_RESET_PORT	0xcf9
#define PVM_FW_RESET_VALUE	0x06
#define PVM_FW_LAPIC_GPA	0xfee00000ull
#define PVM_FW_IOAPIC_GPA	0xfec00000ull
#define PVM_FW_HPET_GPA		0xfed00000ull
#define PVM_FW_HPET_ID		0x8086a201u	/* low half of its capabilities */
#define PVM_FW_PCI_GSI_BASE	16

/*
 * The GSI of an INTx pin (0: INTA) of a slot on bus 0: no link devices, the pins
 * of all slots share GSIs 16..23. pci/ has the same formula, _PRT lists it.
 */
static inline u32 pvm_fw_pci_gsi(u32 slot, u32 pin)
{
	return PVM_FW_PCI_GSI_BASE + ((slot + pin) & 7);
}

struct pvm_fw_range {
	u64 base_gpa;
	u64 bytes;		/* 0: absent */
};

enum pvm_fw_flags {
	PVM_FW_HPET	= BIT(0),
	PVM_FW_RTC	= BIT(1),	/* PNP0B00, with a century byte at 0x32 */
	PVM_FW_I8042	= BIT(2),	/* keyboard and mouse */
	PVM_FW_UART	= BIT(3),	/* COM1 at 0x3f8 */
	PVM_FW_VGA	= BIT(4),	/* something answers at the VGA ports */
	PVM_FW_ROM	= BIT(5),	/* firmware in the last 4 MiB below 4 GiB */
};

struct pvm_fw_board {
	u32 cpus;			/* 1..PVM_MAX_VCPUS */
	u32 apic_id[PVM_MAX_VCPUS];
	u32 ioapic_id;
	u32 flags;			/* enum pvm_fw_flags */
	u64 low_ram_bytes;		/* from 0; a multiple of 2 MiB, at most 2 GiB */
	u64 high_ram_bytes;		/* from 4 GiB */
	struct pvm_fw_range mem32[2];	/* where the guest may place BARs below 4 GiB */
	struct pvm_fw_range mem64;	/* and above */
	u64 ecam_gpa;			/* 256 MiB of it, or PVM_NO_ADDR */
	u8 uuid[16];			/* in the order it is written */
	const char *serial;		/* SMBIOS serial number of the system, or NULL */
	u32 cpu_signature;		/* CPUID.1:EAX and EDX, for SMBIOS */
	u32 cpu_features;
};

#define PVM_FW_TABLES_BYTES	0x20000		/* kept free for them at the end of low RAM */
#define PVM_FW_ROOM_BYTES	0x8000		/* enough for pvm_fw_image.data */

/* Pieces to copy into guest RAM. */
enum pvm_fw_pieces {
	PVM_FW_RSDP,		/* 0xf0000 */
	PVM_FW_SMBIOS3_ANCHOR,	/* 0xf0040 */
	PVM_FW_SMBIOS_ANCHOR,	/* 0xf0060, for those who look for the old one */
	PVM_FW_SMBIOS,		/* 0xf0100 */
	PVM_FW_TABLES,		/* FACS, and all tables 4 KiB further */
	PVM_FW_PIECES,
};

struct pvm_fw_piece {
	u64 gpa;
	u32 offset;		/* in data[] */
	u32 bytes;
};

/* A table with a checksum; all offsets count in the piece. */
struct pvm_fw_table {
	u32 piece;
	u32 offset, bytes;
	u32 checksum_offset;
};

/* A little-endian guest-physical address of @bytes bytes, of something in PVM_FW_TABLES. */
struct pvm_fw_pointer {
	u32 piece;
	u32 offset, bytes;
};

#define PVM_FW_MAX_TABLES	12
#define PVM_FW_MAX_POINTERS	24

struct pvm_fw_image {
	u8 *data;		/* in: PVM_FW_ROOM_BYTES or more of the caller's */
	u32 room_bytes;		/* in */
	u32 used_bytes;
	struct pvm_fw_piece piece[PVM_FW_PIECES];
	struct pvm_fw_table table[PVM_FW_MAX_TABLES];
	u32 tables;
	struct pvm_fw_pointer pointer[PVM_FW_MAX_POINTERS];
	u32 pointers;
};

/* Fills @img. 0, -EINVAL (the board contradicts itself), -ENOSPC (the buffer is too small). */
int pvm_fw_build(const struct pvm_fw_board *b, struct pvm_fw_image *img);

/* Types of ranges, as E820 numbers them. */
enum pvm_fw_e820_type {
	PVM_FW_E820_RAM		= 1,
	PVM_FW_E820_RESERVED	= 2,
	PVM_FW_E820_ACPI	= 3,
	PVM_FW_E820_NVS		= 4,
};

struct pvm_fw_e820 {
	u64 gpa;
	u64 bytes;
	u32 type;
};

#define PVM_FW_MAX_E820		12

/*
 * The memory map of a direct boot, sorted, without overlaps; @map has room for
 * PVM_FW_MAX_E820 entries. Returns how many, or -EINVAL as pvm_fw_build().
 */
int pvm_fw_e820_map(const struct pvm_fw_board *b, struct pvm_fw_e820 *map);

/* Where PVM_FW_TABLES goes. */
static inline u64 pvm_fw_tables_gpa(const struct pvm_fw_board *b)
{
	return b->low_ram_bytes - PVM_FW_TABLES_BYTES;
}

#endif /* PVM_FW_H */
