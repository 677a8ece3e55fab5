// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DSDT: the devices that a guest cannot find by itself.
 *
 * Legacy devices are rows of a table. The PCI root offers its windows, routes
 * the INTx pins straight to GSIs 16..23 (no link devices: a guest that does not
 * use the I/O APIC finds no INTx here), and grants the guest the PCI Express
 * capability structures only: there is no root port, so nothing to hot-plug
 * and nobody to report errors to.
 *
 * World:   pure
 * Context: any
 * Spec:    ACPI r6.5, sec 6 "Device Configuration",
 *          PCI Firmware r3.2, sec 4.5 "_OSC"
 */
#include "fw/build.h"

#define ECAM_BYTES	(256u << 20)
#define PCI_SLOTS	32
#define PCI_PINS	4
#define LPC_SLOT	31

/* --- PCI root -------------------------------------------------------------------- */

#define OSC_CAPABILITY_CONTROL	BIT(4)
#define OSC_UNKNOWN_UUID	BIT(2)
#define OSC_UNKNOWN_REVISION	BIT(3)
#define OSC_MASKED		BIT(4)

/* PCI host bridges: 33db4d5b-1ff7-401c-9657-7441c03dd766, as a GUID lies in memory */
static const u8 osc_uuid[16] = {
	0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c, 0x40,
	0x96, 0x57, 0x74, 0x41, 0xc0, 0x3d, 0xd7, 0x66,
};

static void dword_field(struct pvm_aml *a, u32 index, const char *name)
{
	pvm_aml_op(a, PVM_AML_DWORD_FIELD);
	pvm_aml_op(a, PVM_AML_ARG3);
	pvm_aml_int(a, index);
	pvm_aml_path(a, name);
}

/* CDW1 |= @bit */
static void osc_status(struct pvm_aml *a, u32 bit)
{
	pvm_aml_op(a, PVM_AML_OR);
	pvm_aml_path(a, "CDW1");
	pvm_aml_int(a, bit);
	pvm_aml_path(a, "CDW1");
}

/*
 * Arguments: UUID, revision, count, buffer of dwords: status, support, control.
 * What is not granted is cleared in control and said in status.
 */
static void osc_method(struct pvm_aml *a)
{
	pvm_aml_method(a, "_OSC", 4);
	dword_field(a, 0, "CDW1");
	pvm_aml_if(a);
	pvm_aml_op(a, PVM_AML_LEQUAL);
	pvm_aml_op(a, PVM_AML_ARG0);
	pvm_aml_bytes(a, osc_uuid, sizeof(osc_uuid));

	dword_field(a, 8, "CDW3");
	pvm_aml_op(a, PVM_AML_AND);
	pvm_aml_path(a, "CDW3");
	pvm_aml_int(a, OSC_CAPABILITY_CONTROL);
	pvm_aml_op(a, PVM_AML_LOCAL0);
	pvm_aml_if(a);
	pvm_aml_op(a, PVM_AML_LNOT);
	pvm_aml_op(a, PVM_AML_LEQUAL);
	pvm_aml_op(a, PVM_AML_ARG1);
	pvm_aml_op(a, PVM_AML_ONE);
	osc_status(a, OSC_UNKNOWN_REVISION);
	pvm_aml_end(a);
	pvm_aml_if(a);
	pvm_aml_op(a, PVM_AML_LNOT);
	pvm_aml_op(a, PVM_AML_LEQUAL);
	pvm_aml_path(a, "CDW3");
	pvm_aml_op(a, PVM_AML_LOCAL0);
	osc_status(a, OSC_MASKED);
	pvm_aml_end(a);
	pvm_aml_op(a, PVM_AML_STORE);
	pvm_aml_op(a, PVM_AML_LOCAL0);
	pvm_aml_path(a, "CDW3");
	pvm_aml_end(a);

	pvm_aml_else(a);
	osc_status(a, OSC_UNKNOWN_UUID);
	pvm_aml_end(a);
	pvm_aml_op(a, PVM_AML_RETURN);
	pvm_aml_op(a, PVM_AML_ARG3);
	pvm_aml_end(a);
}

static void pci_windows(const struct pvm_fw_board *b, struct pvm_aml *a)
{
	u32 i;

	pvm_aml_crs(a);
	pvm_aml_bus_window(a, 0, 255);
	pvm_aml_io(a, 0xcf8, 8);
	pvm_aml_io_window(a, 0, 0xcf7);
	pvm_aml_io_window(a, 0xd00, 0xffff);
	pvm_aml_mem32_window(a, 0xa0000, 0xbffff, true);
	for (i = 0; i < ARRAY_SIZE(b->mem32); i++)
		if (b->mem32[i].bytes)
			pvm_aml_mem32_window(a, b->mem32[i].base_gpa,
					     b->mem32[i].base_gpa + b->mem32[i].bytes - 1, false);
	if (b->mem64.bytes)
		pvm_aml_mem64_window(a, b->mem64.base_gpa,
				     b->mem64.base_gpa + b->mem64.bytes - 1);
	pvm_aml_crs_end(a);
}

/* {address, pin, source 0: a GSI, its number} for every pin of bus 0 */
static void pci_routing(struct pvm_aml *a)
{
	u32 slot, pin;

	pvm_aml_name(a, "_PRT");
	pvm_aml_package(a, PCI_SLOTS * PCI_PINS);
	for (slot = 0; slot < PCI_SLOTS; slot++) {
		for (pin = 0; pin < PCI_PINS; pin++) {
			pvm_aml_package(a, 4);
			pvm_aml_int(a, slot << 16 | 0xffff);
			pvm_aml_int(a, pin);
			pvm_aml_int(a, 0);
			pvm_aml_int(a, pvm_fw_pci_gsi(slot, pin));
			pvm_aml_end(a);
		}
	}
	pvm_aml_end(a);
}

/* --- legacy devices ------------------------------------------------------------------ */

static const struct legacy_device {
	const char *name, *hid;
	u32 flag;			/* only on boards with it; 0: always */
	struct { u16 port; u8 ports; } io[3];
	s8 irq;				/* -1: none */
} legacy_devices[] = {
	{ "PIC",  "PNP0000", 0,		   { { 0x20, 2 }, { 0xa0, 2 }, { 0x4d0, 2 } }, 2 },
	{ "TIMR", "PNP0100", 0,		   { { 0x40, 4 } }, 0 },
	{ "RTC",  "PNP0B00", PVM_FW_RTC,   { { 0x70, 2 } }, 8 },
	{ "KBD",  "PNP0303", PVM_FW_I8042, { { 0x60, 1 }, { 0x64, 1 } }, 1 },
	{ "MOU",  "PNP0F13", PVM_FW_I8042, { { 0 } }, 12 },
	{ "COM1", "PNP0501", PVM_FW_UART,  { { 0x3f8, 8 } }, 4 },
	/* POST code, fast reset, APM */
	{ "RSVD", "PNP0C02", 0,
	  { { 0x80, 1 }, { 0x92, 1 }, { PVM_FW_SMI_CMD, 2 } }, -1 },
};

static void legacy(const struct pvm_fw_board *b, struct pvm_aml *a)
{
	const struct legacy_device *d;
	u32 i;

	pvm_aml_device(a, "ISA");
	pvm_aml_name(a, "_ADR");
	pvm_aml_int(a, LPC_SLOT << 16);
	for (d = legacy_devices; d < legacy_devices + ARRAY_SIZE(legacy_devices); d++) {
		if (d->flag && !(b->flags & d->flag))
			continue;
		pvm_aml_device(a, d->name);
		pvm_aml_name(a, "_HID");
		pvm_aml_eisaid(a, d->hid);
		pvm_aml_name(a, "_UID");
		pvm_aml_int(a, 1);
		pvm_aml_crs(a);
		for (i = 0; i < ARRAY_SIZE(d->io) && d->io[i].ports; i++)
			pvm_aml_io(a, d->io[i].port, d->io[i].ports);
		if (d->irq >= 0)
			pvm_aml_irq(a, d->irq);
		pvm_aml_crs_end(a);
		pvm_aml_end(a);
	}
	pvm_aml_end(a);
}

static void pci_root(const struct pvm_fw_board *b, struct pvm_aml *a)
{
	pvm_aml_device(a, "PCI0");
	pvm_aml_name(a, "_HID");
	pvm_aml_eisaid(a, "PNP0A08");
	pvm_aml_name(a, "_CID");
	pvm_aml_eisaid(a, "PNP0A03");
	pvm_aml_name(a, "_UID");
	pvm_aml_int(a, 0);
	pvm_aml_name(a, "_SEG");
	pvm_aml_int(a, 0);
	pvm_aml_name(a, "_BBN");
	pvm_aml_int(a, 0);
	pci_windows(b, a);
	pci_routing(a);
	osc_method(a);
	legacy(b, a);
	pvm_aml_end(a);
}

/* --- the rest of the system bus ---------------------------------------------------------- */

/* What must not be given away: without the ECAM here Linux would not use it. */
static void reserved(const struct pvm_fw_board *b, struct pvm_aml *a)
{
	pvm_aml_device(a, "MRES");
	pvm_aml_name(a, "_HID");
	pvm_aml_eisaid(a, "PNP0C02");
	pvm_aml_name(a, "_UID");
	pvm_aml_int(a, 0);
	pvm_aml_crs(a);
	pvm_aml_io(a, PVM_FW_PM_BASE, PVM_FW_PM_PORTS);
	if (b->ecam_gpa != PVM_NO_ADDR)
		pvm_aml_mem32(a, b->ecam_gpa, ECAM_BYTES);
	pvm_aml_mem32(a, PVM_FW_IOAPIC_GPA, 0x1000);
	pvm_aml_mem32(a, PVM_FW_LAPIC_GPA, 0x1000);
	pvm_aml_crs_end(a);
	pvm_aml_end(a);
}

static void hpet(struct pvm_aml *a)
{
	pvm_aml_device(a, "HPET");
	pvm_aml_name(a, "_HID");
	pvm_aml_eisaid(a, "PNP0103");
	pvm_aml_name(a, "_UID");
	pvm_aml_int(a, 0);
	pvm_aml_crs(a);
	pvm_aml_mem32(a, PVM_FW_HPET_GPA, 0x400);
	pvm_aml_crs_end(a);
	pvm_aml_end(a);
}

/* _UID is what the MADT calls the processor's UID. */
static void processors(const struct pvm_fw_board *b, struct pvm_aml *a)
{
	static const char hex[] = "0123456789ABCDEF";
	char name[] = "CP00";
	u32 i;

	for (i = 0; i < b->cpus; i++) {
		name[2] = hex[i >> 4 & 0xf];
		name[3] = hex[i & 0xf];
		pvm_aml_device(a, name);
		pvm_aml_name(a, "_HID");
		pvm_aml_string(a, "ACPI0007");
		pvm_aml_name(a, "_UID");
		pvm_aml_int(a, i);
		pvm_aml_end(a);
	}
}

void pvm_fw_dsdt(const struct pvm_fw_board *b, struct pvm_aml *a)
{
	pvm_aml_scope(a, "\\_SB");
	pci_root(b, a);
	reserved(b, a);
	if (b->flags & PVM_FW_HPET)
		hpet(a);
	processors(b, a);
	pvm_aml_end(a);

	pvm_aml_name(a, "\\_S5");
	pvm_aml_package(a, 4);
	pvm_aml_int(a, PVM_FW_S5_TYPE);
	pvm_aml_int(a, PVM_FW_S5_TYPE);
	pvm_aml_int(a, 0);
	pvm_aml_int(a, 0);
	pvm_aml_end(a);
}
