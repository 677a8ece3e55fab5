/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vm/ share.
 *
 * World:   kernel
 * Context: as each function says
 */
#ifndef PVM_VM_INTERNAL_H
#define PVM_VM_INTERNAL_H

#include <linux/wait.h>
#include "bus/bus.h"
#include "cpu/cpu.h"
#include "mem/mem.h"
#include "pass/pass.h"
#include "vm/vm.h"

struct pvm_board;
struct pvm_console;

/* A piece of guest memory that is laid at start and at every reset. */
struct pvm_load {
	struct file *file;	/* or NULL: data */
	void *data;
	u64 offset_bytes, bytes, gpa;
};

struct pvm_disk {
	struct file *file;
	bool readonly;
	char serial[21];
};

struct pvm_net {
	struct file *tap;
	u8 mac[6];
	bool offloads;
};

/*
 * Locking key
 *  (c) constant after creation
 *  (b) while BUILD under lock, then constant
 *  (v) vm->lock
 *  (e) vm->end_lock (raw, any context)
 *  (w) the VM's worker alone
 *  (l) pvm_vms_lock
 */
struct pvm_vm {
	struct kref ref;
	struct list_head node;			/* (l) empty: not in the list */
	u32 id;					/* (c) */
	struct pvm_vm_config config;		/* (c) */
	struct mutex lock;
	u32 state;				/* (v) written; READ_ONCE by anybody */
	bool orphan;				/* (v) the builder is gone */
	bool listed;				/* (l) */

	raw_spinlock_t end_lock;
	u32 end, end_value;			/* (e) */
	char reason[160];			/* (e) */
	bool live;				/* (e) vCPUs exist and may be asked to stop */

	struct workqueue_struct *wq;		/* (c) ordered: the VM's worker */
	struct work_struct unlist_work;		/* on the system's queue */
	struct work_struct start_work, end_work, park_work, reset_work, pause_work;
	struct mem_cgroup *memcg;		/* (c) pays for the guest's memory */
	struct pvm_hw_hold hw;			/* (c) */
	bool module_held;			/* (w) */

	struct pvm_load load[PVM_MAX_LOADS];	/* (b) */
	u32 loads;				/* (b) */
	u32 blob_bytes;				/* (b) */
	struct pvm_entry entry;			/* (b) */
	struct pvm_disk disk[PVM_MAX_DISKS];	/* (b) */
	u32 disks;				/* (b) */
	struct pvm_net net[PVM_MAX_NETS];	/* (b) */
	u32 nets;				/* (b) */
	struct pvm_pass_sel device[PVM_MAX_DEVICES];	/* (b) */
	u32 devices;				/* (b) */

	/* Made by the start, (w) */
	struct pvm_cpu_vm m;
	struct pvm_cpuid cpuid;
	struct pvm_lapic_set lapics;
	struct pvm_mem mem;
	struct pvm_board *board;
	u64 io_bytes;				/* what the virtio devices take */
	struct pvm_vcpu *vcpu[PVM_MAX_VCPUS];
	struct pvm_console *console;		/* (c) */
	u32 steps_up;				/* how many steps of the start have been done */
	u64 started_ns;
	u32 resets;
	bool paused;
	u64 end_stat[PVM_EXIT_KINDS];		/* what the vCPUs had counted when they ended */
};

/* vm.c */
void pvm_vm_set_state(struct pvm_vm *vm, u32 state);	/* and tells it */
bool pvm_vm_ending(struct pvm_vm *vm);
void pvm_vm_unlist(struct pvm_vm *vm);
void pvm_vm_unlist_later(struct pvm_vm *vm);	/* from the VM's own worker */

/* start.c: in the worker */
void pvm_vm_start_work(struct work_struct *w);
void pvm_vm_end_work(struct work_struct *w);
void pvm_vm_reset_work(struct work_struct *w);
void pvm_vm_pause_work(struct work_struct *w);

/* build.c */
void pvm_vm_free_config(struct pvm_vm *vm);

/* load.c: lays kernel, initrd, tables. Process context; -errno with @why. */
int pvm_vm_lay(struct pvm_vm *vm, struct pvm_why *why);
void pvm_vm_apply_entry(struct pvm_vm *vm);

/* board.c */
int pvm_board_new(struct pvm_vm *vm, struct pvm_why *why);
void pvm_board_free(struct pvm_vm *vm);
int pvm_board_add_disks(struct pvm_vm *vm, struct pvm_why *why);
int pvm_board_add_nets(struct pvm_vm *vm, struct pvm_why *why);
int pvm_board_add_devices(struct pvm_vm *vm, struct pvm_why *why);
void pvm_board_remove_io(struct pvm_vm *vm);
void pvm_board_remove_devices(struct pvm_vm *vm);
void pvm_board_reset(struct pvm_vm *vm);	/* parked, or before the first run */
void pvm_board_pause(struct pvm_vm *vm);
void pvm_board_resume(struct pvm_vm *vm);
void pvm_board_power_button(struct pvm_vm *vm);
void pvm_board_serial_input(struct pvm_vm *vm);	/* the console has bytes for the UART */
u64 pvm_board_bytes(struct pvm_vm *vm);
/* fw tables into guest memory. */
int pvm_board_lay_tables(struct pvm_vm *vm, struct pvm_why *why);

/* console.c */
#define PVM_CONSOLE_BYTES	65536u	/* of output are kept */
struct pvm_console *pvm_console_new(struct pvm_vm *vm);
void pvm_console_free(struct pvm_console *c);
void pvm_console_put(struct pvm_console *c, u8 byte);	/* any context */
bool pvm_console_get(struct pvm_console *c, u8 *byte);	/* typed by the user; any context */
void pvm_console_end(struct pvm_console *c);
void pvm_console_set_file(struct pvm_console *c, struct file *file);

#endif /* PVM_VM_INTERNAL_H */
