/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's view of a real function's configuration space.
 *
 * Every bit is one of three: virtual (a struct pvm_pci_cfg, as for emulated
 * functions), live (read from the device each time), or live and through (the
 * guest's writes reach the device). What is not named in config_table.c is
 * virtual and read-only, or hidden. Capabilities keep the offsets that they have
 * in the device, since drivers know them by heart; hidden ones are left out of
 * the list.
 *
 * World:   pure
 * Context: build: any; read and write: the function's lock held
 * Spec:    PCI r3.0, sec 6 "Configuration Space"; PCIe r6.0, sec 7
 */
#ifndef PVM_PASS_MEDIATE_H
#define PVM_PASS_MEDIATE_H

#include <pvm/env.h>
#include "pci/pci.h"

/* Registers whose writes do something. Called after the bytes have changed. */
enum pvm_pass_hook {
	PVM_PASS_HOOK_NONE,
	PVM_PASS_HOOK_COMMAND,
	PVM_PASS_HOOK_FLR,	/* Device Control of PCI Express */
	PVM_PASS_HOOK_AF_FLR,	/* control of Advanced Features */
	PVM_PASS_HOOK_VPD,	/* address of Vital Product Data */
	PVM_PASS_HOOKS,
};

/* Capability IDs in rows: an extended one has PVM_PASS_EXT set; 0 is the header. */
#define PVM_PASS_HEADER		0x0000
#define PVM_PASS_EXT		0x8000

/* How many bytes a capability takes. */
enum pvm_pass_length {
	PVM_PASS_LEN_FIXED,	/* row.bytes */
	PVM_PASS_LEN_BYTE2,	/* the byte at +2 says (vendor specific) */
	PVM_PASS_LEN_VSEC,	/* bits 31:20 at +4 (extended vendor specific) */
	PVM_PASS_LEN_EXPRESS,	/* by the capability's version */
	PVM_PASS_LEN_MSI,	/* pci/msi.c lays it out */
	PVM_PASS_LEN_MSIX,	/* pci/msix.c lays it out */
	PVM_PASS_LEN_REBAR,	/* by the number of BARs in it */
};

/* A capability that the guest sees. Anything else is hidden. */
struct pvm_pass_cap {
	u16 cap;
	u8 length;		/* enum pvm_pass_length */
	u8 bytes;
	const char *cite;
};

/* One register: up to 4 bytes at @off of the capability. Rows of one capability are ordered. */
struct pvm_pass_row {
	u16 cap;
	u16 off;
	u8 bytes;
	u32 keep;		/* bits that show the value at claim time; others show 0 */
	u32 set;		/* bits that show 1 */
	u32 write;		/* virtual, the guest sets them */
	u32 w1c;		/* virtual, writing 1 clears */
	u32 live;		/* read from the device */
	u32 through;		/* live, and writes go to the device */
	u8 hook;
	const char *cite;
};

extern const struct pvm_pass_cap pvm_pass_caps[];
extern const u32 pvm_pass_caps_count;
extern const struct pvm_pass_row pvm_pass_rows[];
extern const u32 pvm_pass_rows_count;

/* What the caller knows of the function beside its configuration space. */
struct pvm_pass_shape {
	struct {
		u64 bytes;	/* 0: none */
		u32 flags;	/* enum pvm_pci_bar_flags */
	} bar[PVM_PCI_BARS];
	bool intx;		/* an interrupt pin that can be served */
	bool flr, af_flr;	/* may be shown and are served */
	u32 msix_vectors;	/* at most so many are served; 0: hide MSI-X */
	u32 msi_vectors;	/* the same of MSI */
	struct pvm_pci_msix_entry *msix_table;	/* [msix_vectors] */
	unsigned long *msix_pending;		/* BITS_TO_LONGS(msix_vectors) */
};

struct pvm_pass_view;

/* The device behind it. Any context: IRQs may be off. */
struct pvm_pass_view_ops {
	u32  (*read)(struct pvm_pass_view *v, u32 off, u32 bytes);
	void (*write)(struct pvm_pass_view *v, u32 off, u32 bytes, u32 val);
	/*
	 * The guest wrote the register with @hook, whose aligned dword is at @off:
	 * @val in the bits of @mask.
	 */
	void (*hook)(struct pvm_pass_view *v, u32 hook, u32 off, u32 val, u32 mask);
};

struct pvm_pass_view {
	const struct pvm_pass_view_ops *ops;
	struct pvm_pci_fn *fn;
	struct pvm_pci_cfg cfg;
	u8 live[PVM_PCI_CFG_BYTES];
	u8 through[PVM_PCI_CFG_BYTES];
	u8 hook[PVM_PCI_CFG_BYTES / 4];
	/* While it is built: dwords that a capability has taken. */
	unsigned long used[PVM_PCI_CFG_BYTES / 4 / BITS_PER_LONG];
};

/*
 * Builds the view from a copy of the device's configuration space, @bytes of it
 * (64, 256 or 4096; the rest counts as zero). ops and fn->ops, owner, dev are
 * set. The list of capabilities is the device's word and may be garbage: loops,
 * overlaps and overruns end it.
 */
void pvm_pass_view_build(struct pvm_pass_view *v, struct pvm_pci_fn *fn, const u8 *space,
			 u32 bytes, const struct pvm_pass_shape *shape);

u32 pvm_pass_view_read(struct pvm_pass_view *v, u32 off, u32 bytes);
void pvm_pass_view_write(struct pvm_pass_view *v, u32 off, u32 bytes, u32 val);

#endif /* PVM_PASS_MEDIATE_H */
