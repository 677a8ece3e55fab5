// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest sees and may change in the configuration space of a real device.
 *
 * A capability that is not here is hidden: among them SR-IOV, ATS, PRI, PASID
 * (they make the device use addresses of others), ACS, ARI and LTR, L1 substates,
 * PTM, DPC (they belong to the fabric, which is the host's), AER (a port's
 * business), and everything that nobody here has looked at. The bytes between
 * capabilities are live and read-only.
 *
 * Tour 8.2: what a guest may touch
 * Each row is a register with its bits: shown as they were, live, written through, or
 * virtual. No row: hidden or read-only.
 *
 * World:   pure
 * Context: any
 * Spec:    PCI r3.0, sec 6; PCIe r6.0, sec 7
 */
#include <pvm/env.h>
#include "pass/mediate.h"

#define CAP_PM		0x01
#define CAP_VPD		0x03
#define CAP_MSI		0x05
#define CAP_VENDOR	0x09
#define CAP_DEBUG_PORT	0x0a
#define CAP_SUBSYSTEM	0x0d
#define CAP_EXPRESS	0x10
#define CAP_MSIX	0x11
#define CAP_SATA	0x12
#define CAP_AF		0x13
#define EXT_SERIAL	(PVM_PASS_EXT | 0x03)
#define EXT_VENDOR	(PVM_PASS_EXT | 0x0b)
#define EXT_REBAR	(PVM_PASS_EXT | 0x15)

#define ALL		0xffffffffu

const struct pvm_pass_cap pvm_pass_caps[] = {
	{ CAP_PM,	  PVM_PASS_LEN_FIXED,	8,	"PCI-PM r1.2, sec 3.2" },
	{ CAP_VPD,	  PVM_PASS_LEN_FIXED,	8,	"PCI r3.0, app I" },
	{ CAP_MSI,	  PVM_PASS_LEN_MSI,	0,	"PCIe r6.0, sec 7.7.1" },
	{ CAP_VENDOR,	  PVM_PASS_LEN_BYTE2,	0,	"PCIe r6.0, sec 7.9.4" },
	{ CAP_DEBUG_PORT, PVM_PASS_LEN_FIXED,	4,	"EHCI r1.0, sec C.3" },
	{ CAP_SUBSYSTEM,  PVM_PASS_LEN_FIXED,	8,	"PCIe r6.0, sec 7.9.24" },
	{ CAP_EXPRESS,	  PVM_PASS_LEN_EXPRESS,	0,	"PCIe r6.0, sec 7.5.3" },
	{ CAP_MSIX,	  PVM_PASS_LEN_MSIX,	12,	"PCIe r6.0, sec 7.7.2" },
	{ CAP_SATA,	  PVM_PASS_LEN_FIXED,	8,	"AHCI r1.3.1, sec 2.4" },
	{ CAP_AF,	  PVM_PASS_LEN_FIXED,	6,	"PCIe r6.0, sec 7.9.21" },
	{ EXT_SERIAL,	  PVM_PASS_LEN_FIXED,	12,	"PCIe r6.0, sec 7.9.3" },
	{ EXT_VENDOR,	  PVM_PASS_LEN_VSEC,	0,	"PCIe r6.0, sec 7.9.5" },
	{ EXT_REBAR,	  PVM_PASS_LEN_REBAR,	0,	"PCIe r6.0, sec 7.8.6" },
};

const u32 pvm_pass_caps_count = ARRAY_SIZE(pvm_pass_caps);

/*
 * Offsets count from the capability's start. The first two bytes (four of an
 * extended one) are the builder's. CAP_VENDOR's and EXT_VENDOR's rows with
 * bytes 0 stand for all of the body.
 */
const struct pvm_pass_row pvm_pass_rows[] = {
	/* COMMAND, STATUS, BARs are pci/config.c's; only their effects are ours. */
	{ .cap = PVM_PASS_HEADER, .off = 0x04, .bytes = 4, .hook = PVM_PASS_HOOK_COMMAND,
	  .cite = "PCI r3.0, sec 6.2.2" },
	{ .cap = PVM_PASS_HEADER, .off = 0x3e, .bytes = 2, .keep = ALL,
	  .cite = "PCI r3.0, sec 6.2.4 (MIN_GNT, MAX_LAT)" },

	/* The device stays in D0; the guest's power states are virtual and lose nothing. */
	{ .cap = CAP_PM, .off = 2, .bytes = 2, .keep = 0x0007,
	  .cite = "PCI-PM r1.2, sec 3.2.3 (no PME, no D1, no D2)" },
	{ .cap = CAP_PM, .off = 4, .bytes = 2, .set = 0x0008, .write = 0x0003,
	  .cite = "PCI-PM r1.2, sec 3.2.4" },

	/* Reading goes through; the flag that starts a write is never passed on. */
	{ .cap = CAP_VPD, .off = 2, .bytes = 2, .live = 0xffff, .hook = PVM_PASS_HOOK_VPD,
	  .cite = "PCI r3.0, app I" },
	{ .cap = CAP_VPD, .off = 4, .bytes = 4, .live = ALL, .cite = "PCI r3.0, app I" },

	{ .cap = CAP_VENDOR, .off = 2, .bytes = 1, .keep = 0xff, .cite = "PCIe r6.0, sec 7.9.4" },
	{ .cap = CAP_VENDOR, .off = 3, .bytes = 0, .live = ALL, .through = ALL,
	  .cite = "PCIe r6.0, sec 7.9.4" },

	{ .cap = CAP_DEBUG_PORT, .off = 2, .bytes = 2, .keep = ALL,
	  .cite = "EHCI r1.0, sec C.3" },
	{ .cap = CAP_SUBSYSTEM, .off = 4, .bytes = 4, .keep = ALL,
	  .cite = "PCIe r6.0, sec 7.9.24" },

	/*
	 * Everything sits on the guest's bus 0, where an endpoint with a link could
	 * not be: shown as integrated (the builder sets the type), link registers
	 * read as zero. Payload and read-request sizes are the fabric's: virtual.
	 */
	{ .cap = CAP_EXPRESS, .off = 2, .bytes = 2, .keep = 0x3e0f,
	  .cite = "PCIe r6.0, sec 7.5.3.2" },
	{ .cap = CAP_EXPRESS, .off = 4, .bytes = 4, .keep = 0x00008027, .set = 0x00008000,
	  .cite = "PCIe r6.0, sec 7.5.3.3" },
	{ .cap = CAP_EXPRESS, .off = 8, .bytes = 2, .set = 0x2810, .write = 0x7eff,
	  .hook = PVM_PASS_HOOK_FLR, .cite = "PCIe r6.0, sec 7.5.3.4" },
	{ .cap = CAP_EXPRESS, .off = 10, .bytes = 2, .w1c = 0x000f, .live = 0x0020,
	  .cite = "PCIe r6.0, sec 7.5.3.5 (Transactions Pending)" },

	{ .cap = CAP_SATA, .off = 2, .bytes = 2, .keep = ALL, .cite = "AHCI r1.3.1, sec 2.4" },
	{ .cap = CAP_SATA, .off = 4, .bytes = 4, .keep = ALL, .cite = "AHCI r1.3.1, sec 2.4" },

	{ .cap = CAP_AF, .off = 2, .bytes = 2, .keep = 0x03ff,
	  .cite = "PCIe r6.0, sec 7.9.21 (length, capabilities)" },
	{ .cap = CAP_AF, .off = 4, .bytes = 2, .live = 0x0100, .hook = PVM_PASS_HOOK_AF_FLR,
	  .cite = "PCIe r6.0, sec 7.9.21 (control, Transactions Pending)" },

	{ .cap = EXT_SERIAL, .off = 4, .bytes = 4, .keep = ALL, .cite = "PCIe r6.0, sec 7.9.3" },
	{ .cap = EXT_SERIAL, .off = 8, .bytes = 4, .keep = ALL, .cite = "PCIe r6.0, sec 7.9.3" },

	{ .cap = EXT_VENDOR, .off = 4, .bytes = 4, .keep = ALL, .cite = "PCIe r6.0, sec 7.9.5" },
	{ .cap = EXT_VENDOR, .off = 8, .bytes = 0, .live = ALL, .cite = "PCIe r6.0, sec 7.9.5" },

	/* EXT_REBAR has no rows: the builder shows the present size as the only one. */
};

const u32 pvm_pass_rows_count = ARRAY_SIZE(pvm_pass_rows);
