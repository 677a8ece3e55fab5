/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine: its configuration, its life, its parts.
 *
 * A VM is configured (BUILD), started as one transaction by its worker
 * (STARTING), runs, and ends. Until it has started it belongs to the file
 * descriptor of its builder and goes with it; a started VM lives until it
 * ends, and an ended one stays visible (ENDED, resources freed) until
 * pvm_vm_forget() or a new VM takes its name.
 *
 * World:   kernel
 * Context: process, may sleep, unless a function says otherwise
 */
#ifndef PVM_VM_H
#define PVM_VM_H

#include <linux/file.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include <pvm/env.h>
#include <pvm/log.h>
#include <pvm/vm.h>

#define PVM_NAME_BYTES		64
#define PVM_MAX_LOADS		64
#define PVM_MAX_DISKS		16
#define PVM_MAX_NETS		8
#define PVM_MAX_DEVICES		16	/* PCI functions passed through */

/* Same numbers as PASSVM_STATE_* in the uAPI. */
enum pvm_vm_state {
	PVM_STATE_BUILD,
	PVM_STATE_STARTING,
	PVM_STATE_RUNNING,
	PVM_STATE_PAUSED,
	PVM_STATE_STOPPING,
	PVM_STATE_ENDED,
	PVM_STATE_FAILED,	/* the start failed and was rolled back */
};

#define PVM_VM_UNSAFE_INTERRUPTS	BIT(0)	/* the override for missing interrupt remapping */

struct pvm_vm_config {
	char name[PVM_NAME_BYTES];
	u32 cpus;			/* 1..PVM_MAX_VCPUS */
	u64 memory_bytes;		/* multiple of 2 MiB, at least 2 MiB */
	u32 flags;
	u32 debug_exit_port;		/* 0: none */
	s32 pin[PVM_MAX_VCPUS];		/* host CPU per vCPU, -1: free */
	s32 kvm_fd;			/* KVM VM descriptor that keeps SVM/VMX on, or -1 */
	u8 uuid[16];
};

/* How vCPU 0 starts where no firmware runs. */
enum pvm_entry_mode {
	PVM_ENTRY_RESET,	/* reset vector, real mode */
	PVM_ENTRY_PROT32,	/* flat 32-bit protected mode, paging off (multiboot, PVH) */
	PVM_ENTRY_LONG64,	/* 64-bit; the VM lays tables at @tables_gpa: 4 GiB, identity */
};

struct pvm_entry {
	u32 mode;
	u64 rip, rax, rbx, rsi, rdi, rsp;
	u64 tables_gpa;		/* LONG64: 6 free pages for page tables and GDT */
};

struct pvm_vm;

/* Guest-physical layout, constant; Documentation/memory-layout.rst draws it. */
#define PVM_LOW_RAM_MAX		0x80000000ull
#define PVM_HIGH_RAM_BASE	0x100000000ull

/*
 * Creates a VM in BUILD. Fails with a sentence in @why: -EEXIST (a live VM of
 * that name), -EINVAL, -ENOMEM, -ENODEV or -EBUSY (no SVM/VMX, or owned by
 * another). Fast: allocates no guest RAM.
 */
int pvm_vm_new(const struct pvm_vm_config *c, struct pvm_vm **vm, struct pvm_why *why);

/*
 * Adds to a VM in BUILD (-EBUSY in another state). They take their own
 * reference of @file. Nothing is read or opened before the start.
 */
int pvm_vm_add_load(struct pvm_vm *vm, struct file *file, u64 offset_bytes, u64 bytes, u64 gpa,
		    struct pvm_why *why);
int pvm_vm_add_blob(struct pvm_vm *vm, const void *data, u32 bytes, u64 gpa,
		    struct pvm_why *why);	/* at most 64 KiB a call, 1 MiB in all */
int pvm_vm_set_entry(struct pvm_vm *vm, const struct pvm_entry *e, struct pvm_why *why);
int pvm_vm_add_disk(struct pvm_vm *vm, struct file *file, bool readonly, const char *serial,
		    struct pvm_why *why);
int pvm_vm_add_net(struct pvm_vm *vm, struct file *tap, const u8 mac[6], bool offloads,
		   struct pvm_why *why);
int pvm_vm_add_device(struct pvm_vm *vm, u32 domain, u32 bus, u32 devfn, struct pvm_why *why);
int pvm_vm_set_serial_file(struct pvm_vm *vm, struct file *file, struct pvm_why *why);

/*
 * Starts the transaction in the VM's worker and returns. Each step is told to
 * pvm_vm_notify (below) with its name, time and outcome; a failing step rolls
 * all earlier ones back and leaves the VM FAILED.
 */
int pvm_vm_start(struct pvm_vm *vm, struct pvm_why *why);

/* The builder's descriptor is gone: a VM that has not started is removed. */
void pvm_vm_builder_gone(struct pvm_vm *vm);

/* Commands to a running VM; they return at once. -EINVAL with @why in a wrong state. */
int pvm_vm_power_button(struct pvm_vm *vm, struct pvm_why *why);
int pvm_vm_reboot(struct pvm_vm *vm, struct pvm_why *why);
int pvm_vm_pause(struct pvm_vm *vm, struct pvm_why *why);
int pvm_vm_resume(struct pvm_vm *vm, struct pvm_why *why);
/* kill is pvm_vm_kill(vm, PVM_END_KILL, "..."); forget removes an ended VM from the list. */
int pvm_vm_forget(struct pvm_vm *vm, struct pvm_why *why);

/*
 * References: find() and next() take one (pvm_vm_put() gives it back); next() gives that of
 * @vm back. next(NULL) is the first; they come in the order of their ids.
 */
struct pvm_vm *pvm_vm_find(const char *name);
struct pvm_vm *pvm_vm_next(struct pvm_vm *vm);

/* What status and stats print. */
struct pvm_vm_status {
	char name[PVM_NAME_BYTES];
	u32 id;
	u32 state, end;			/* enum pvm_vm_state, enum pvm_end */
	u32 end_value;			/* PVM_END_DEBUG: the value written */
	char reason[160];
	u32 cpus;
	u64 memory_bytes;
	u64 kernel_bytes;		/* beyond guest RAM: tables, control blocks, rings */
	u64 large_pages, small_pages;
	u64 running_ns;			/* since the start */
	u32 resets;			/* guest reboots */
	u32 disks, nets, devices;
	const char *vendor;		/* "svm", "vmx" */
};

void pvm_vm_status(struct pvm_vm *vm, struct pvm_vm_status *s);

/* Counters by name: vCPU @cpu (or all summed with -1), index 0.. until -ENOENT. */
int pvm_vm_stat(struct pvm_vm *vm, int cpu, u32 index, const char **name, u64 *value);

/* Addresses of the functions passed through, index 0.. until -ENOENT. */
int pvm_vm_device(struct pvm_vm *vm, u32 index, u32 *domain, u32 *bus, u32 *devfn);

/*
 * A new file for the serial console: read() gives what the guest prints (with
 * the last 64 KiB before), write() types, poll() works. It ends (read returns
 * 0) with the VM. -EBUSY when somebody else has it.
 */
struct file *pvm_vm_console_file(struct pvm_vm *vm, struct pvm_why *why);

/* Implemented by nl/event.c; any context that may sleep; never fails. */
enum pvm_notice {
	PVM_NOTICE_STATE,	/* text: reason, if any */
	PVM_NOTICE_STEP,	/* of a start: text names the step */
	PVM_NOTICE_DEVICE,	/* claim, release, reset, fault of a device; text */
};

struct pvm_notify {
	u32 notice;
	const char *step;	/* STEP: short name; DEVICE: what happened */
	const char *text;
	u64 took_ns;
	int error;		/* 0, or -errno with text */
	u32 domain, bus, devfn;	/* DEVICE */
};

void pvm_vm_notify(struct pvm_vm *vm, const struct pvm_notify *n);	/* vm NULL: no VM */

/*
 * The guest's memory map, for whoever writes boot parameters: sorted, without
 * overlaps, constant from pvm_vm_new() on. Types are numbered as in ACPI's E820:
 * 1 RAM, 2 reserved, 3 ACPI tables, 4 NVS.
 */
#define PVM_LAYOUT_RANGES	16

struct pvm_vm_range {
	u64 gpa, bytes;
	u32 type;
};

struct pvm_vm_layout {
	u32 count;
	struct pvm_vm_range range[PVM_LAYOUT_RANGES];
	u64 rsdp_gpa;
};

void pvm_vm_layout(struct pvm_vm *vm, struct pvm_vm_layout *l);

/* What `pvmctl check` asks of this host. */
struct pvm_facts {
	const char *vendor;		/* "svm", "vmx" or "" */
	const char *owner;		/* who switched it on: "none", "passvm", "kvm", "unknown" */
	bool virt;			/* present and allowed by the firmware */
	bool nested_paging;
	bool iommu, interrupt_remapping;
};

void pvm_vm_facts(struct pvm_facts *f);

int pvm_vms_init(void);
void pvm_vms_exit(void);

#endif /* PVM_VM_H */
