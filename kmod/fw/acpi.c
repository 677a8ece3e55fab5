// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI tables: RSDP, RSDT, XSDT, FADT, FACS, MADT, HPET, MCFG, WAET, and the frame
 * of the DSDT (dsdt.c).
 *
 * The FACS comes first, alone on its page (NVS: the guest may write it), the
 * tables follow 4 KiB further. Every pointer and checksum is noted in the image.
 *
 * World:   pure
 * Context: any
 * Spec:    ACPI r6.5, sec 5.2 "ACPI System Description Tables"; HPET r1.0a, sec 3.2.4;
 *          PCI Firmware r3.2, sec 4.1.2 "MCFG Table Description"
 */
#include "fw/build.h"

#define HEADER_BYTES		36
#define HEADER_LENGTH		4	/* offsets in it */
#define HEADER_CHECKSUM		9
#define FACS_BYTES		64
#define RSDP_BYTES		36
#define RSDP_V1_BYTES		20	/* what its first checksum is over */
#define FACS_ROOM		0x1000
#define TABLE_ALIGN		16

#define OEM_ID			"PASSVM"
#define OEM_TABLE_ID		"PASSVM  "
#define OEM_REVISION		1
#define CREATOR_ID		"PVM "

struct acpi {
	struct pvm_fw_image *img;
	struct pvm_fw_buf *out;
	u32 base;		/* of the piece in out */
	u32 table;		/* offset of the one being written, in the piece */
	u32 listed[PVM_FW_MAX_TABLES];	/* for RSDT and XSDT */
	u32 count;
};

static u32 here(const struct acpi *t)
{
	return t->out->used - t->base;
}

static void put(struct acpi *t, u64 val, u32 bytes)
{
	pvm_fw_put(t->out, val, bytes);
}

static void note_table(struct pvm_fw_image *img, u32 piece, u32 offset, u32 bytes, u32 checksum)
{
	if (img->tables < PVM_FW_MAX_TABLES)
		img->table[img->tables++] = (struct pvm_fw_table){
			piece, offset, bytes, checksum,
		};
}

/* Writes the address of what lies at @target in the tables. */
static void put_pointer(struct pvm_fw_image *img, struct pvm_fw_buf *out, u32 piece, u32 target,
			u32 bytes)
{
	if (img->pointers >= PVM_FW_MAX_POINTERS) {
		out->full = true;
		return;
	}
	img->pointer[img->pointers++] = (struct pvm_fw_pointer){
		piece, out->used - img->piece[piece].offset, bytes,
	};
	pvm_fw_put(out, img->piece[PVM_FW_TABLES].gpa + target, bytes);
}

static void pointer(struct acpi *t, u32 target, u32 bytes)
{
	put_pointer(t->img, t->out, PVM_FW_TABLES, target, bytes);
}

static void table_begin(struct acpi *t, const char *signature, u8 revision)
{
	pvm_fw_put_zero(t->out, ALIGN(here(t), TABLE_ALIGN) - here(t));
	t->table = here(t);
	pvm_fw_put_bytes(t->out, signature, 4);
	put(t, 0, 4);		/* length */
	put(t, revision, 1);
	put(t, 0, 1);		/* checksum */
	pvm_fw_put_bytes(t->out, OEM_ID, 6);
	pvm_fw_put_bytes(t->out, OEM_TABLE_ID, 8);
	put(t, OEM_REVISION, 4);
	pvm_fw_put_bytes(t->out, CREATOR_ID, 4);
	put(t, 1, 4);
}

/* Returns where the table begins. */
static u32 table_end(struct acpi *t)
{
	u32 bytes = here(t) - t->table;
	u8 *at = t->out->data + t->base + t->table;

	if (t->out->full)
		return 0;
	put_unaligned_le32(bytes, at + HEADER_LENGTH);
	at[HEADER_CHECKSUM] = pvm_fw_checksum(at, bytes);
	note_table(t->img, PVM_FW_TABLES, t->table, bytes, t->table + HEADER_CHECKSUM);
	return t->table;
}

static void list(struct acpi *t, u32 table)
{
	if (t->count < PVM_FW_MAX_TABLES)
		t->listed[t->count++] = table;
}

/* --- FACS, FADT ---------------------------------------------------------------------- */

static void facs(struct acpi *t)
{
	pvm_fw_put_bytes(t->out, "FACS", 4);
	put(t, FACS_BYTES, 4);
	pvm_fw_put_zero(t->out, 24);	/* hardware signature .. 64-bit waking vector */
	put(t, 2, 1);			/* version */
	pvm_fw_put_zero(t->out, FACS_ROOM - 33);
}

enum { GAS_MEM = 0, GAS_IO = 1 };
enum { ACCESS_BYTE = 1, ACCESS_WORD = 2, ACCESS_DWORD = 3 };

/* ACPI r6.5, sec 5.2.3.2 "Generic Address Structure" */
static void gas(struct acpi *t, u8 space, u32 bytes, u8 access, u64 base)
{
	put(t, space, 1);
	put(t, bytes * 8, 1);
	put(t, 0, 1);
	put(t, access, 1);
	put(t, base, 8);
}

static void no_gas(struct acpi *t, u32 n)
{
	pvm_fw_put_zero(t->out, n * 12);
}

#define PM1_EVT_BYTES	4
#define PM1_CNT_BYTES	2
#define PM_TMR_BYTES	4
#define GPE0_BYTES	16

#define FADT_WBINVD		BIT(0)
#define FADT_PROC_C1		BIT(2)
#define FADT_SLP_BUTTON		BIT(5)	/* no sleep button in PM1 */
#define FADT_TMR_VAL_EXT	BIT(8)
#define FADT_RESET_REG_SUP	BIT(10)

#define BOOT_LEGACY_DEVICES	BIT(0)
#define BOOT_8042		BIT(1)
#define BOOT_NO_VGA		BIT(2)
#define BOOT_NO_RTC		BIT(5)

#define FADT_PROFILE_DESKTOP	1
#define FADT_NO_C2		0xfff
#define FADT_CENTURY		0x32

static u32 boot_architecture(const struct pvm_fw_board *b)
{
	return BOOT_LEGACY_DEVICES |
		(b->flags & PVM_FW_I8042 ? BOOT_8042 : 0) |
		(b->flags & PVM_FW_VGA ? 0 : BOOT_NO_VGA) |
		(b->flags & PVM_FW_RTC ? 0 : BOOT_NO_RTC);
}

/* The first 116 bytes: what ACPI 1.0 had. */
static void fadt_legacy(const struct pvm_fw_board *b, struct acpi *t, u32 dsdt)
{
	pointer(t, 0, 4);		/* FACS; then X_FIRMWARE_CTRL is 0 */
	pointer(t, dsdt, 4);
	put(t, 0, 1);
	put(t, FADT_PROFILE_DESKTOP, 1);
	put(t, PVM_FW_SCI, 2);
	put(t, PVM_FW_SMI_CMD, 4);
	put(t, PVM_FW_ACPI_ENABLE, 1);
	put(t, PVM_FW_ACPI_DISABLE, 1);
	put(t, 0, 2);			/* no S4BIOS, no processor performance control */
	put(t, PVM_FW_PM_BASE, 4);	/* PM1a event */
	put(t, 0, 4);
	put(t, PVM_FW_PM_BASE + 4, 4);	/* PM1a control */
	put(t, 0, 4);
	put(t, 0, 4);
	put(t, PVM_FW_PM_TIMER, 4);
	put(t, PVM_FW_PM_GPE0, 4);
	put(t, 0, 4);
	put(t, PM1_EVT_BYTES, 1);
	put(t, PM1_CNT_BYTES, 1);
	put(t, 0, 1);
	put(t, PM_TMR_BYTES, 1);
	put(t, GPE0_BYTES, 1);
	put(t, 0, 3);			/* no GPE1, no _CST notification */
	put(t, FADT_NO_C2, 2);
	put(t, FADT_NO_C2, 2);
	pvm_fw_put_zero(t->out, 8);	/* cache flush, duty cycle, RTC alarms */
	put(t, b->flags & PVM_FW_RTC ? FADT_CENTURY : 0, 1);
	put(t, boot_architecture(b), 2);
	put(t, 0, 1);
	put(t, FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_TMR_VAL_EXT |
	    FADT_RESET_REG_SUP, 4);
}

static void fadt(const struct pvm_fw_board *b, struct acpi *t, u32 dsdt)
{
	table_begin(t, "FACP", 6);
	fadt_legacy(b, t, dsdt);
	gas(t, GAS_IO, 1, ACCESS_BYTE, PVM_FW_RESET_PORT);
	put(t, PVM_FW_RESET_VALUE, 1);
	put(t, 0, 2);
	put(t, 4, 1);			/* minor version */
	put(t, 0, 8);
	pointer(t, dsdt, 8);
	gas(t, GAS_IO, PM1_EVT_BYTES, ACCESS_WORD, PVM_FW_PM_BASE);
	no_gas(t, 1);
	gas(t, GAS_IO, PM1_CNT_BYTES, ACCESS_WORD, PVM_FW_PM_BASE + 4);
	no_gas(t, 2);
	gas(t, GAS_IO, PM_TMR_BYTES, ACCESS_DWORD, PVM_FW_PM_TIMER);
	gas(t, GAS_IO, GPE0_BYTES, ACCESS_BYTE, PVM_FW_PM_GPE0);
	no_gas(t, 3);			/* GPE1, sleep control and status */
	pvm_fw_put_bytes(t->out, OEM_TABLE_ID, 8);	/* hypervisor vendor */
	list(t, table_end(t));
}

/* --- MADT ------------------------------------------------------------------------------ */

#define MADT_PCAT_COMPAT	BIT(0)
#define MADT_ENABLED		BIT(0)
#define MADT_MAX_XAPIC_ID	0xfe

/* MPS INTI flags: bits 1:0 polarity, 3:2 trigger mode; 0: as the bus does it */
#define INTI_HIGH_LEVEL		0x000d

static void madt_override(struct acpi *t, u8 irq, u32 gsi, u16 flags)
{
	put(t, 2, 1);
	put(t, 10, 1);
	put(t, 0, 1);			/* ISA */
	put(t, irq, 1);
	put(t, gsi, 4);
	put(t, flags, 2);
}

static void madt_cpu(struct acpi *t, u32 uid, u32 apic_id)
{
	if (apic_id <= MADT_MAX_XAPIC_ID) {
		put(t, 0, 1);
		put(t, 8, 1);
		put(t, uid, 1);
		put(t, apic_id, 1);
		put(t, MADT_ENABLED, 4);
	} else {
		put(t, 9, 1);
		put(t, 16, 1);
		put(t, 0, 2);
		put(t, apic_id, 4);
		put(t, MADT_ENABLED, 4);
		put(t, uid, 4);
	}
}

static void madt(const struct pvm_fw_board *b, struct acpi *t)
{
	u32 i;

	table_begin(t, "APIC", 5);
	put(t, PVM_FW_LAPIC_GPA, 4);
	put(t, MADT_PCAT_COMPAT, 4);
	for (i = 0; i < b->cpus; i++)
		madt_cpu(t, i, b->apic_id[i]);
	put(t, 1, 1);			/* I/O APIC */
	put(t, 12, 1);
	put(t, b->ioapic_id, 1);
	put(t, 0, 1);
	put(t, PVM_FW_IOAPIC_GPA, 4);
	put(t, 0, 4);
	madt_override(t, 0, 2, 0);
	madt_override(t, PVM_FW_SCI, PVM_FW_SCI, INTI_HIGH_LEVEL);
	put(t, 4, 1);			/* NMI: LINT1 of every processor */
	put(t, 6, 1);
	put(t, 0xff, 1);
	put(t, 0, 2);
	put(t, 1, 1);
	list(t, table_end(t));
}

/* --- the small ones -------------------------------------------------------------------- */

static void hpet(struct acpi *t)
{
	table_begin(t, "HPET", 1);
	put(t, PVM_FW_HPET_ID, 4);
	gas(t, GAS_MEM, 0, 0, PVM_FW_HPET_GPA);
	put(t, 0, 1);
	put(t, 128, 2);			/* shortest period in ticks without lost ones */
	put(t, 0, 1);
	list(t, table_end(t));
}

static void mcfg(const struct pvm_fw_board *b, struct acpi *t)
{
	table_begin(t, "MCFG", 1);
	put(t, 0, 8);
	put(t, b->ecam_gpa, 8);
	put(t, 0, 2);			/* segment */
	put(t, 0, 1);
	put(t, 255, 1);
	put(t, 0, 4);
	list(t, table_end(t));
}

/* Windows: the PM timer needs one read, not three. */
static void waet(struct acpi *t)
{
	table_begin(t, "WAET", 1);
	put(t, BIT(1), 4);
	list(t, table_end(t));
}

static u32 root_table(struct acpi *t, const char *signature, u32 pointer_bytes)
{
	u32 i;

	table_begin(t, signature, 1);
	for (i = 0; i < t->count; i++)
		pointer(t, t->listed[i], pointer_bytes);
	return table_end(t);
}

/* --- together ---------------------------------------------------------------------------- */

void pvm_fw_acpi(const struct pvm_fw_board *b, struct pvm_fw_image *img, struct pvm_fw_buf *out)
{
	struct acpi t = { .img = img, .out = out, .base = out->used };
	struct pvm_aml aml = { .b = out };
	u32 dsdt;

	facs(&t);
	table_begin(&t, "DSDT", 2);
	pvm_fw_dsdt(b, &aml);
	dsdt = table_end(&t);
	fadt(b, &t, dsdt);
	madt(b, &t);
	if (b->flags & PVM_FW_HPET)
		hpet(&t);
	if (b->ecam_gpa != PVM_NO_ADDR)
		mcfg(b, &t);
	waet(&t);
	/* The last two, in this order: pvm_fw_rsdp() finds them there. */
	root_table(&t, "RSDT", 4);
	root_table(&t, "XSDT", 8);
}

void pvm_fw_rsdp(struct pvm_fw_image *img, struct pvm_fw_buf *out)
{
	u32 offset = out->used;
	u8 *at = out->data + offset;

	if (out->full || img->tables < 2)
		return;
	pvm_fw_put_bytes(out, "RSD PTR ", 8);
	pvm_fw_put(out, 0, 1);
	pvm_fw_put_bytes(out, OEM_ID, 6);
	pvm_fw_put(out, 2, 1);
	put_pointer(img, out, PVM_FW_RSDP, img->table[img->tables - 2].offset, 4);
	pvm_fw_put(out, RSDP_BYTES, 4);
	put_pointer(img, out, PVM_FW_RSDP, img->table[img->tables - 1].offset, 8);
	pvm_fw_put_zero(out, 4);
	if (out->full)
		return;
	at[8] = pvm_fw_checksum(at, RSDP_V1_BYTES);
	at[32] = pvm_fw_checksum(at, RSDP_BYTES);
	note_table(img, PVM_FW_RSDP, 0, RSDP_V1_BYTES, 8);
	note_table(img, PVM_FW_RSDP, 0, RSDP_BYTES, 32);
}
