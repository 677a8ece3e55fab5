/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine: every device of a VM.
 *
 * World:   kernel
 * Context: private to vm/
 */
#ifndef PVM_BOARD_H
#define PVM_BOARD_H

#include "dev/models.h"
#include "dev/slot.h"
#include "fw/fw.h"
#include "irqchip/route.h"
#include "pci/pci.h"
#include "virtio/virtio.h"
#include "vm/internal.h"

/*
 * Locking key
 *  (c) constant after pvm_board_new
 *  (i) intx_lock
 *  (r) the PCI root's device lock
 *  (w) the VM's worker
 */
struct pvm_board {
	struct pvm_vm *vm;		/* (c) */
	struct pvm_dev_clock clock;
	struct pvm_irq_route route;	/* (c), but for the levels of PCI lines: (i) */
	struct pvm_pic pic;
	struct pvm_ioapic ioapic;
	struct pvm_pit pit;
	struct pvm_rtc rtc;
	struct pvm_hpet hpet;
	struct pvm_uart uart;
	struct pvm_i8042 i8042;
	struct pvm_acpi_pm acpi;
	struct pvm_pmtimer pmtimer;
	struct pvm_debugcon debugcon;
	struct pvm_debug_exit debug_exit;
	struct pvm_post post;
	struct pvm_resetport port92;
	struct pvm_pci_root root;
	raw_spinlock_t intx_lock;	/* shared INTx lines */
	u8 cf9;				/* (r) */
	struct work_struct bars_work;
	struct pvm_pci_windows windows;	/* (c) */
	struct pvm_fw_board fw;		/* (c) */
	struct pvm_pci_fn *io[PVM_MAX_DISKS + PVM_MAX_NETS];	/* (w) virtio functions */
	u32 ios;			/* (w) */
	u32 disks;			/* (w) how many of them are disks */
	struct pvm_pass_set *pass;	/* (w) written; READ_ONCE elsewhere */
	u32 next_slot;			/* (w) */
};

/* board.c */
extern const struct pvm_dev_host pvm_board_dev_host;

/* board_pci.c */
extern const struct pvm_pci_host pvm_board_pci_host;
void pvm_board_pci_init(struct pvm_board *b);
void pvm_board_pci_moves(struct pvm_board *b);
void pvm_board_pci_unmap(struct pvm_board *b, struct pvm_pci_fn *fn);
void pvm_board_fill_fw(struct pvm_vm *vm, struct pvm_fw_board *f);

#endif /* PVM_BOARD_H */
