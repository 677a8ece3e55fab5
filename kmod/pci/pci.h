/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI functions and the root that shows them to the guest.
 *
 * Everything sits on bus 0. An emulated function and one passed through are the
 * same to root.c: a struct pvm_pci_fn. Configuration accesses reach ops->cfg_read
 * and cfg_write; where a BAR lies is written down in fn->bar[] and carried out
 * later, because mappings can only change in process context:
 *
 *   guest write -> fn->bar[].want_gpa -> host->bars_changed() (defers, any context)
 *     -> the deferred work calls pvm_pci_next_move() until it returns false,
 *        taking the root's lock for the call only, and maps or unmaps.
 *
 * Locks: the bus holds the root's device lock around configuration accesses.
 * The root takes the function's own lock inside it by host->lock(). What belongs
 * to a function (configuration bytes, command, MSI and MSI-X state) is guarded
 * by the function's lock; bar[].want_gpa and have_gpa by both together for
 * writing, by the root's for reading. Lock order: root > function > interrupt
 * chips.
 *
 * World:   pure
 * Context: as each function says; "locked" means with the function's lock held
 *          and IRQs off
 * Spec:    PCI r3.0, sec 6 "Configuration Space"; PCIe r6.0, sec 7 "Software
 *          Initialization and Configuration"
 */
#ifndef PVM_PCI_H
#define PVM_PCI_H

#include <pvm/env.h>
#include "bus/bus.h"
#include "dev/dev.h"

#define PVM_PCI_FNS		256	/* 32 slots of 8 functions */
#define PVM_PCI_CFG_BYTES	4096
#define PVM_PCI_BARS		7	/* 0..5, and the expansion ROM */
#define PVM_PCI_ROM_BAR		6
#define PVM_PCI_GSI_BASE	16	/* first of the 8 GSIs that INTx pins share */
#define PVM_PCI_GSIS		8
#define PVM_PCI_ECAM_BYTES	(256ull << 20)
#define PVM_PCI_ECAM_GPA	0xe0000000ull

/* Offsets in configuration space and bits there, spelled as the specification does. */
enum pvm_pci_reg {
	PVM_PCI_VENDOR_ID	= 0x00,
	PVM_PCI_DEVICE_ID	= 0x02,
	PVM_PCI_COMMAND		= 0x04,
	PVM_PCI_STATUS		= 0x06,
	PVM_PCI_REVISION	= 0x08,
	PVM_PCI_CLASS		= 0x09,
	PVM_PCI_CACHE_LINE	= 0x0c,
	PVM_PCI_HEADER_TYPE	= 0x0e,
	PVM_PCI_BAR0		= 0x10,
	PVM_PCI_SUBSYSTEM	= 0x2c,
	PVM_PCI_ROM		= 0x30,
	PVM_PCI_CAP_PTR		= 0x34,
	PVM_PCI_INT_LINE	= 0x3c,
	PVM_PCI_INT_PIN		= 0x3d,
	PVM_PCI_CFG_CAPS	= 0x40,		/* where capabilities begin */
	PVM_PCI_PCIEXBAR	= 0x60,		/* of the host bridge: where ECAM lies */

	PVM_PCI_COMMAND_IO	= 1 << 0,
	PVM_PCI_COMMAND_MEM	= 1 << 1,
	PVM_PCI_COMMAND_MASTER	= 1 << 2,
	PVM_PCI_COMMAND_INTX_OFF = 1 << 10,
	PVM_PCI_STATUS_INTX	= 1 << 3,
	PVM_PCI_STATUS_CAPS	= 1 << 4,

	PVM_PCI_CAP_PM		= 0x01,
	PVM_PCI_CAP_MSI		= 0x05,
	PVM_PCI_CAP_VENDOR	= 0x09,
	PVM_PCI_CAP_EXP		= 0x10,
	PVM_PCI_CAP_MSIX	= 0x11,
};

enum pvm_pci_bar_flags {
	PVM_PCI_BAR_IO		= 1 << 0,
	PVM_PCI_BAR_64		= 1 << 1,	/* takes the next BAR register, too */
	PVM_PCI_BAR_PREFETCH	= 1 << 2,
};

struct pvm_pci_bar {
	u64 bytes;		/* power of two; 0: no such BAR */
	u32 flags;
	u64 reg;		/* address bits as the guest wrote them, already masked by size */
	bool rom_on;		/* ROM BAR: its enable bit */
	u64 want_gpa;		/* where the guest wants it decoded, or PVM_NO_ADDR */
	u64 have_gpa;		/* where it is mapped, or PVM_NO_ADDR */
	u64 failed_gpa;		/* mapping it here was refused; not tried again */
};

struct pvm_pci_fn;
struct pvm_pci_root;

/* What virtio and passed-through functions implement alike. */
struct pvm_pci_fn_ops {
	/*
	 * Locked. @bytes is 1, 2 or 4 and @off a multiple of it below 4096. Most
	 * functions call pvm_pci_cfg_read() and pvm_pci_cfg_write() in here.
	 */
	u32  (*cfg_read)(struct pvm_pci_fn *fn, u32 off, u32 bytes);
	void (*cfg_write)(struct pvm_pci_fn *fn, u32 off, u32 bytes, u32 val);
	/*
	 * BAR @bar (PVM_PCI_ROM_BAR: the ROM) is to be mapped at @gpa (a port for
	 * I/O), or to be unmapped (PVM_NO_ADDR: then it returns 0). Process
	 * context, may sleep, no lock held, no vCPU in the guest. NULL: the
	 * function's device fn->dev answers, with the BAR number as region.
	 */
	int  (*bar_changed)(struct pvm_pci_fn *fn, u32 bar, u64 gpa);
	/*
	 * Locked. Enable, mask, address or data of MSI or MSI-X vector @vector
	 * changed (-1: of several). May be NULL.
	 */
	void (*msi_changed)(struct pvm_pci_fn *fn, int vector);
	/* Locked. The state as after power-on; fn->cfg is done already. May be NULL. */
	void (*reset)(struct pvm_pci_fn *fn);
};

/* Configuration bytes with what the guest may change of each. */
struct pvm_pci_cfg {
	u8 byte[PVM_PCI_CFG_BYTES];
	u8 power_on[256];			/* reset value of the conventional part */
	u8 write_mask[PVM_PCI_CFG_BYTES];	/* bits that writes set */
	u8 w1c_mask[PVM_PCI_CFG_BYTES];		/* bits that writing 1 clears */
	u32 cap_last;				/* offset of the last capability, 0: none */
	u32 cap_next;				/* first free byte */
};

struct pvm_pci_msi {
	u8 cap;			/* offset of the capability, 0: none */
	bool wide;		/* 64-bit address */
	bool maskable;
	u8 vectors_log2;
};

/* Table entry as the guest sees it. PCIe r6.0, sec 7.7.2 */
struct pvm_pci_msix_entry {
	u64 addr;
	u32 data;
	u32 control;		/* bit 0: masked */
};

#define PVM_PCI_MSIX_ENTRY_BYTES	16

struct pvm_pci_msix {
	u8 cap;			/* offset of the capability, 0: none */
	u8 table_bar, pba_bar;
	u32 table_off, pba_off;	/* in those BARs, bytes */
	u32 vectors;		/* 1..2048 */
	struct pvm_pci_msix_entry *table;	/* the caller's, [vectors] */
	unsigned long *pending;			/* the caller's, BITS_TO_LONGS(vectors) */
};

struct pvm_pci_fn {
	const struct pvm_pci_fn_ops *ops;
	struct pvm_pci_root *root;	/* NULL until added */
	struct pvm_dev *dev;		/* answers emulated BARs; NULL: passed through */
	void *owner;			/* whoever made it */
	struct pvm_pci_cfg *cfg;	/* the caller's; NULL: ops do without */
	struct pvm_pci_bar bar[PVM_PCI_BARS];
	struct pvm_pci_msi msi;
	struct pvm_pci_msix msix;
	u8 devfn;			/* slot << 3 | function */
	bool intx_level;		/* the function asserts its pin */
	bool intx_sent;			/* level that host->intx was told */
};

/* How the root reaches up. */
struct pvm_pci_host {
	/*
	 * Some want_gpa differs from have_gpa. Comes under the root's lock with
	 * IRQs off, so it only defers (pvm_vm_defer()) a work that does what the
	 * head of this file says. NULL in tests.
	 */
	void (*bars_changed)(struct pvm_pci_root *root);
	/* Takes and gives back fn's lock; IRQs are off already. NULL: no lock. */
	void (*lock)(struct pvm_pci_fn *fn);
	void (*unlock)(struct pvm_pci_fn *fn);
	/* An MSI of @fn. Locked. */
	void (*msi)(struct pvm_pci_fn *fn, u64 addr, u32 data);
	/*
	 * fn's INTx pin changed. Any context; implemented as: take a leaf lock, call
	 * pvm_pci_intx_route(), set the GSI's level, release.
	 */
	void (*intx)(struct pvm_pci_fn *fn, bool level);
	/* Port 0xcf9, which lies in the middle of CF8. Root's lock held. */
	u8   (*cf9_read)(struct pvm_pci_root *root);
	void (*cf9_write)(struct pvm_pci_root *root, u8 val);
	/* The guest wrote PAM register @index (0..6, config 0x90 + index). NULL: ignored. */
	void (*pam)(struct pvm_pci_root *root, u32 index, u8 val);
};

enum pvm_pci_region {
	PVM_PCI_REGION_PORTS,	/* 0xcf8, 8 bytes */
	PVM_PCI_REGION_ECAM,	/* PVM_PCI_ECAM_BYTES, mapped by a move with fn == NULL */
};

struct pvm_pci_root {
	struct pvm_dev dev;		/* attach with pvm_pci_root_ops */
	const struct pvm_pci_host *host;
	struct pvm_pci_fn *fn[PVM_PCI_FNS];
	u32 address;			/* CF8 */
	struct pvm_pci_bar ecam;	/* want_gpa, have_gpa as for a BAR */
	unsigned long intx[PVM_PCI_GSIS][BITS_TO_LONGS(PVM_PCI_FNS)];
	struct pvm_pci_fn mch, lpc;	/* 00:00.0 and 00:1f.0 */
	struct pvm_pci_cfg mch_cfg, lpc_cfg;
};

/* --- root.c ---------------------------------------------------------------- */

extern const struct pvm_dev_ops pvm_pci_root_ops;

/* Before pvm_dev_attach(): host bridge and LPC bridge in place, nothing else. */
void pvm_pci_root_init(struct pvm_pci_root *root, const struct pvm_pci_host *host);

/*
 * Puts @fn at @slot (0..31) and @function (0..7), or takes it off. While no vCPU
 * runs, or with the root's lock held. -EEXIST: taken; -EINVAL: no such place.
 * After remove its BARs' moves are still due: the caller unmaps them first with
 * pvm_pci_unmap_fn().
 */
int pvm_pci_add(struct pvm_pci_root *root, struct pvm_pci_fn *fn, u32 slot, u32 function);
void pvm_pci_remove(struct pvm_pci_root *root, struct pvm_pci_fn *fn);

/* First slot from @from on without any function, or -ENOSPC. */
int pvm_pci_free_slot(const struct pvm_pci_root *root, u32 from);

/* GSI of pin @pin (0: INTA) of @slot; ACPI's _PRT says the same. */
static inline u32 pvm_pci_gsi(u32 slot, u32 pin)
{
	return PVM_PCI_GSI_BASE + ((slot + pin) & (PVM_PCI_GSIS - 1));
}

/* LPC bridge: where PCI interrupts go among the 16 inputs of the 8259 pair. */
#define PVM_PCI_PIRQ_OFF	0x80	/* bit of a PIRQ register: not routed */

static inline u32 pvm_pci_pirq_reg(u32 pirq)
{
	return pirq < 4 ? 0x60 + pirq : 0x64 + pirq;
}

/* 8259 input (3..15) that @gsi (16..23) is led to, or -1. Any context. */
int pvm_pci_pirq(const struct pvm_pci_root *root, u32 gsi);

/*
 * Notes that @fn drives its pin to @level and returns the level of the shared
 * GSI, number in @gsi. The caller serialises (host->intx above).
 */
bool pvm_pci_intx_route(struct pvm_pci_fn *fn, bool level, u32 *gsi);

/* --- config.c: configuration space of emulated (and mediated) functions ----- */

struct pvm_pci_ids {
	u16 vendor, device;
	u16 subsystem_vendor, subsystem;
	u32 class;			/* 24 bits: base, sub, interface */
	u8 revision;
	u8 pin;				/* 0: none, 1: INTA .. 4: INTD */
};

/* Clears @fn but for ops, owner, dev; lays the type 0 header into @cfg. Before it is added. */
void pvm_pci_fn_init(struct pvm_pci_fn *fn, struct pvm_pci_cfg *cfg,
		     const struct pvm_pci_ids *ids);

/* Little-endian fields of @bytes 1, 2, 4; set also becomes the power-on value. */
u32 pvm_pci_cfg_get(const struct pvm_pci_cfg *cfg, u32 off, u32 bytes);
void pvm_pci_cfg_set(struct pvm_pci_cfg *cfg, u32 off, u32 bytes, u32 val);
void pvm_pci_cfg_mask(struct pvm_pci_cfg *cfg, u32 off, u32 bytes, u32 write, u32 w1c);

/*
 * Locked. The guest's access to fn->cfg: masks, and what follows from COMMAND,
 * BARs, ROM, MSI and MSI-X control (decode, INTx, pending messages, msi_changed).
 */
u32 pvm_pci_cfg_read(struct pvm_pci_fn *fn, u32 off, u32 bytes);
void pvm_pci_cfg_write(struct pvm_pci_fn *fn, u32 off, u32 bytes, u32 val);

/* Locked. Header, BARs, MSI, MSI-X as after power-on; does not call ops->reset. */
void pvm_pci_cfg_reset(struct pvm_pci_fn *fn);

static inline u16 pvm_pci_command(const struct pvm_pci_fn *fn)
{
	return READ_ONCE(fn->cfg->byte[PVM_PCI_COMMAND]) |
	       READ_ONCE(fn->cfg->byte[PVM_PCI_COMMAND + 1]) << 8;
}

/* Locked. Drives the pin; INTx disable, MSI and MSI-X keep it from the GSI. */
void pvm_pci_intx(struct pvm_pci_fn *fn, bool level);
/* Locked. After a change of COMMAND or of MSI and MSI-X enable: tells host->intx anew. */
void pvm_pci_intx_update(struct pvm_pci_fn *fn);

/* --- cap.c ------------------------------------------------------------------ */

/*
 * Appends a capability of @bytes in all (header included) and returns its
 * offset, or 0 when the space is full. Its bytes are zero and read-only.
 */
u32 pvm_pci_cap_add(struct pvm_pci_fn *fn, u8 id, u32 bytes);
/* Offset of capability @id, or 0. Bounded, whatever the list says. */
u32 pvm_pci_cap_find(const struct pvm_pci_fn *fn, u8 id);
u32 pvm_pci_cap_pm(struct pvm_pci_fn *fn);
/* Root-complex integrated endpoint, no link. */
u32 pvm_pci_cap_express(struct pvm_pci_fn *fn);

/* --- bar.c ------------------------------------------------------------------ */

/* Declares a BAR; @bytes a power of two (at least 4 for I/O, 16 for memory, 2048 for ROM). */
void pvm_pci_bar_init(struct pvm_pci_fn *fn, u32 bar, u64 bytes, u32 flags);

/* Locked. The BAR registers 0x10..0x27 and 0x30 alone, naturally aligned. */
bool pvm_pci_bar_is_reg(u32 off);
u32 pvm_pci_bar_read(const struct pvm_pci_fn *fn, u32 off, u32 bytes);
void pvm_pci_bar_write(struct pvm_pci_fn *fn, u32 off, u32 bytes, u32 val);

/*
 * Locked. Recomputes every want_gpa from registers and @command; tells the host
 * when something is to be moved. pvm_pci_cfg_write() does it by itself.
 */
void pvm_pci_bar_decode(struct pvm_pci_fn *fn, u16 command);

/* One step towards what the guest wants. */
struct pvm_pci_move {
	struct pvm_pci_fn *fn;	/* NULL: the ECAM region of the root */
	u32 bar;
	u64 gpa;		/* or port */
	u64 bytes;
	bool io;
	bool map;		/* false: unmap what is at gpa */
};

/*
 * Takes the next step, unmaps before maps; a BAR that would lie over one that is
 * mapped waits until that is gone. The state is as if the step had been done;
 * move_failed() takes a map back that the bus or memory refused (it is not tried
 * at that address again). Root's lock held; the step is done after dropping it.
 */
bool pvm_pci_next_move(struct pvm_pci_root *root, struct pvm_pci_move *m);
void pvm_pci_move_failed(struct pvm_pci_root *root, const struct pvm_pci_move *m);
/* The same for teardown: each call unmaps one BAR of @fn (NULL: ECAM), false when none is left. */
bool pvm_pci_unmap_fn(struct pvm_pci_root *root, struct pvm_pci_fn *fn, struct pvm_pci_move *m);

/* Address windows that no RAM and no fixed device lies in; start and end exclusive. */
struct pvm_pci_window {
	u64 start_gpa;
	u64 end_gpa;
};

struct pvm_pci_windows {
	struct pvm_pci_window mem[2];	/* below 4 GiB; unused ones are empty */
	struct pvm_pci_window mem64;
	struct pvm_pci_window io;
	u64 ecam_gpa;			/* PVM_NO_ADDR: off */
};

/*
 * What firmware would do: places every BAR, largest first, sets the interrupt
 * line registers, switches decoding on and the ECAM region. BARs that fit
 * nowhere stay off. 64-bit prefetchable BARs above 256 MiB, and those for which
 * the windows below 4 GiB are full, go to mem64. Root's lock held (or no vCPU
 * runs). Returns how many BARs found no place.
 */
u32 pvm_pci_assign(struct pvm_pci_root *root, const struct pvm_pci_windows *w);

/* --- msi.c ------------------------------------------------------------------ */

/* @vectors: 1, 2, 4 .. 32. Returns the capability's offset or 0. */
u32 pvm_pci_msi_init(struct pvm_pci_fn *fn, u32 vectors, bool wide, bool maskable);
bool pvm_pci_msi_enabled(const struct pvm_pci_fn *fn);
/* How many vectors the guest switched on: 0 (off), 1, 2 .. 32. */
u32 pvm_pci_msi_count(const struct pvm_pci_fn *fn);
/* Locked. Message of @vector; false: off, not granted, or masked. */
bool pvm_pci_msi_message(const struct pvm_pci_fn *fn, u32 vector, u64 *addr, u32 *data);
/* Locked. Sends it, or remembers it while masked. Nothing when MSI is off. */
void pvm_pci_msi_fire(struct pvm_pci_fn *fn, u32 vector);
/* Locked. config.c calls it after a write that touched the capability. */
void pvm_pci_msi_written(struct pvm_pci_fn *fn, u32 off, u32 bytes);

/* --- msix.c ----------------------------------------------------------------- */

/* Fills fn->msix from @x (all but cap) and adds the capability. Returns its offset or 0. */
u32 pvm_pci_msix_init(struct pvm_pci_fn *fn, const struct pvm_pci_msix *x);
bool pvm_pci_msix_enabled(const struct pvm_pci_fn *fn);
/* Locked. Message of @vector; false: off or masked. */
bool pvm_pci_msix_message(const struct pvm_pci_fn *fn, u32 vector, u64 *addr, u32 *data);
/* Locked. Sends it, or sets its pending bit while masked. Nothing when MSI-X is off. */
void pvm_pci_msix_fire(struct pvm_pci_fn *fn, u32 vector);
/* Locked. Table and PBA; @off from the table's or the PBA's start, any 1, 2, 4, 8 bytes. */
u64 pvm_pci_msix_table_read(const struct pvm_pci_fn *fn, u64 off, u32 bytes);
void pvm_pci_msix_table_write(struct pvm_pci_fn *fn, u64 off, u32 bytes, u64 val);
u64 pvm_pci_msix_pba_read(const struct pvm_pci_fn *fn, u64 off, u32 bytes);
/* Locked. Control word written (old value given): sends what became unmasked. */
void pvm_pci_msix_written(struct pvm_pci_fn *fn, u16 old_control);
/* Locked. Table masked and cleared, nothing pending. */
void pvm_pci_msix_reset(struct pvm_pci_fn *fn);

#endif /* PVM_PCI_H */
