/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The netlink interface of passvm.
 *
 * Generated from Documentation/netlink/specs/passvm.yaml
 * by Documentation/netlink/gen.py; change those.
 *
 * World:   uapi
 * Context: any
 */
#ifndef _UAPI_PASSVM_H
#define _UAPI_PASSVM_H

#define PASSVM_FAMILY_NAME		"passvm"
#define PASSVM_MCGRP_EVENTS		"events"

/* Grows when an existing request changes its meaning. New attributes do not change it. */
#define PASSVM_ABI			1
/* Longest name of a VM in bytes. */
#define PASSVM_NAME_MAX			63
/* Most bytes in one vm-blob. */
#define PASSVM_BLOB_MAX			32768

/* Where a VM is in its life. */
enum passvm_state {
	PASSVM_STATE_BUILD = 0,			/* being configured by its builder */
	PASSVM_STATE_STARTING = 1,		/* the start transaction runs */
	PASSVM_STATE_RUNNING = 2,		/* its vCPUs run */
	PASSVM_STATE_PAUSED = 3,		/* its vCPUs are stopped and can go on */
	PASSVM_STATE_STOPPING = 4,		/* it has ended and is being taken apart */
	/* all it used is free again; its reason stays readable */
	PASSVM_STATE_ENDED = 5,
	PASSVM_STATE_FAILED = 6,		/* the start failed and was rolled back */
};

/* Why a VM ended. */
enum passvm_end {
	PASSVM_END_NONE = 0,			/* it has not ended */
	PASSVM_END_POWEROFF = 1,		/* the guest switched itself off */
	/* triple fault, impossible exit or emulation failure */
	PASSVM_END_CRASH = 2,
	PASSVM_END_KILL = 3,			/* vm-kill, or its builder went away */
	/* write to the debug-exit port; end-value is what was written */
	PASSVM_END_DEBUG = 4,
	/* the host ended it: suspend, reboot, a device lost */
	PASSVM_END_HOST = 5,
};

/* Where a PCI function is. */
enum passvm_device_state {
	PASSVM_DEVICE_STATE_HOST = 0,		/* not claimed */
	PASSVM_DEVICE_STATE_CLAIMING = 1,	/* being taken from its driver */
	PASSVM_DEVICE_STATE_CLAIMED = 2,	/* ours, its DMA blocked, free to be attached */
	PASSVM_DEVICE_STATE_ATTACHED = 3,	/* in a VM */
	PASSVM_DEVICE_STATE_LOST = 4,		/* unplugged, or does not answer */
};

/* How sure it is that nothing of an earlier use is left in a device. */
enum passvm_grade {
	PASSVM_GRADE_UNKNOWN = 0,		/* never looked at */
	PASSVM_GRADE_DEAD = 1,			/* does not answer */
	PASSVM_GRADE_SUSPECT = 2,		/* a reset was tried and not proved */
	PASSVM_GRADE_USED = 3,			/* used since its last reset */
	PASSVM_GRADE_CLEAN = 4,			/* reset and proved */
	PASSVM_GRADE_FRESH = 5,			/* untouched since power-on */
};

/* How the first vCPU starts. */
enum passvm_entry_mode {
	PASSVM_ENTRY_MODE_RESET = 0,		/* at the reset vector in real mode */
	PASSVM_ENTRY_MODE_PROT32 = 1,		/* flat 32-bit protected mode, paging off */
	PASSVM_ENTRY_MODE_LONG64 = 2,		/* 64-bit mode, first 4 GiB mapped one to one */
};

/* Kind of a range of guest-physical memory, numbered as ACPI numbers them. */
enum passvm_range_type {
	PASSVM_RANGE_TYPE_RAM = 1,		/* free for the guest */
	PASSVM_RANGE_TYPE_RESERVED = 2,		/* not RAM or not free */
	PASSVM_RANGE_TYPE_ACPI = 3,		/* ACPI tables, free once read */
	PASSVM_RANGE_TYPE_NVS = 4,		/* ACPI memory that stays */
};

/* What an event is about. */
enum passvm_notice {
	PASSVM_NOTICE_STATE = 0,		/* a VM changed its state */
	PASSVM_NOTICE_STEP = 1,			/* one step of a start ended */
	PASSVM_NOTICE_DEVICE = 2,		/* a claim, release, reset or fault of a device */
};

/* Choices of a VM. */
enum passvm_vm_flag {
	/* pass devices through although interrupts are not remapped; recorded in the log */
	PASSVM_VM_FLAG_UNSAFE_INTERRUPTS = 1,
};

/* Attributes: of the messages. */
enum {
	PASSVM_A_NAME = 1,			/* string */
	PASSVM_A_ID,				/* u32 */
	PASSVM_A_FD,				/* s32 */
	PASSVM_A_CPUS,				/* u32 */
	PASSVM_A_MEMORY_BYTES,			/* u64 */
	PASSVM_A_FLAGS,				/* u32 */
	PASSVM_A_DEBUG_EXIT_PORT,		/* u16 */
	PASSVM_A_PIN,				/* s32 */
	PASSVM_A_KVM_FD,			/* s32 */
	PASSVM_A_UUID,				/* binary */
	PASSVM_A_RANGE,				/* nest */
	PASSVM_A_RSDP_GPA,			/* u64 */
	PASSVM_A_OFFSET_BYTES,			/* u64 */
	PASSVM_A_BYTES,				/* u64 */
	PASSVM_A_GPA,				/* u64 */
	PASSVM_A_DATA,				/* binary */
	PASSVM_A_ENTRY_MODE,			/* u32 */
	PASSVM_A_RIP,				/* u64 */
	PASSVM_A_RAX,				/* u64 */
	PASSVM_A_RBX,				/* u64 */
	PASSVM_A_RSI,				/* u64 */
	PASSVM_A_RDI,				/* u64 */
	PASSVM_A_RSP,				/* u64 */
	PASSVM_A_TABLES_GPA,			/* u64 */
	PASSVM_A_READONLY,			/* flag */
	PASSVM_A_SERIAL,			/* string */
	PASSVM_A_MAC,				/* binary */
	PASSVM_A_OFFLOADS,			/* flag */
	PASSVM_A_DOMAIN,			/* u32 */
	PASSVM_A_BUS,				/* u32 */
	PASSVM_A_DEVFN,				/* u32 */
	PASSVM_A_STATE,				/* u32 */
	PASSVM_A_END,				/* u32 */
	PASSVM_A_END_VALUE,			/* u32 */
	PASSVM_A_REASON,			/* string */
	PASSVM_A_KERNEL_BYTES,			/* u64 */
	PASSVM_A_LARGE_PAGES,			/* u64 */
	PASSVM_A_SMALL_PAGES,			/* u64 */
	PASSVM_A_RUNNING_NS,			/* u64 */
	PASSVM_A_RESETS,			/* u32 */
	PASSVM_A_DISKS,				/* u32 */
	PASSVM_A_NETS,				/* u32 */
	PASSVM_A_DEVICES,			/* u32 */
	PASSVM_A_VENDOR,			/* string */
	PASSVM_A_DEVICE,			/* nest */
	PASSVM_A_VCPU,				/* u32 */
	PASSVM_A_COUNTER,			/* nest */
	PASSVM_A_SELECTOR,			/* string */
	PASSVM_A_METHOD,			/* string */
	PASSVM_A_DEVICE_STATE,			/* u32 */
	PASSVM_A_GRADE,				/* u32 */
	PASSVM_A_DRIVER,			/* string */
	PASSVM_A_VENDOR_ID,			/* u16 */
	PASSVM_A_DEVICE_ID,			/* u16 */
	PASSVM_A_NOTICE,			/* u32 */
	PASSVM_A_STEP,				/* string */
	PASSVM_A_TOOK_NS,			/* u64 */
	PASSVM_A_ERROR,				/* s32 */
	PASSVM_A_TIME_NS,			/* u64 */
	PASSVM_A_VERSION,			/* string */
	PASSVM_A_ABI,				/* u32 */
	PASSVM_A_OWNER,				/* string */
	PASSVM_A_VIRT,				/* flag */
	PASSVM_A_NESTED_PAGING,			/* flag */
	PASSVM_A_IOMMU,				/* flag */
	PASSVM_A_INTERRUPT_REMAPPING,		/* flag */

	__PASSVM_A_MAX,
	PASSVM_A_MAX = (__PASSVM_A_MAX - 1)
};

/* Attributes: inside range. */
enum {
	PASSVM_A_RANGE_GPA = 1,			/* u64 */
	PASSVM_A_RANGE_BYTES,			/* u64 */
	PASSVM_A_RANGE_TYPE,			/* u32 */

	__PASSVM_A_RANGE_MAX,
	PASSVM_A_RANGE_MAX = (__PASSVM_A_RANGE_MAX - 1)
};

/* Attributes: inside device. */
enum {
	PASSVM_A_DEVICE_DOMAIN = 1,		/* u32 */
	PASSVM_A_DEVICE_BUS,			/* u32 */
	PASSVM_A_DEVICE_DEVFN,			/* u32 */

	__PASSVM_A_DEVICE_MAX,
	PASSVM_A_DEVICE_MAX = (__PASSVM_A_DEVICE_MAX - 1)
};

/* Attributes: inside counter. */
enum {
	PASSVM_A_COUNTER_NAME = 1,		/* string */
	PASSVM_A_COUNTER_VALUE,			/* u64 */

	__PASSVM_A_COUNTER_MAX,
	PASSVM_A_COUNTER_MAX = (__PASSVM_A_COUNTER_MAX - 1)
};

enum {
	PASSVM_CMD_GET_INFO = 1,
	PASSVM_CMD_VM_NEW,
	PASSVM_CMD_VM_LOAD,
	PASSVM_CMD_VM_BLOB,
	PASSVM_CMD_VM_ENTRY,
	PASSVM_CMD_VM_DISK,
	PASSVM_CMD_VM_NET,
	PASSVM_CMD_VM_DEVICE,
	PASSVM_CMD_VM_SERIAL,
	PASSVM_CMD_VM_START,
	PASSVM_CMD_VM_STOP,
	PASSVM_CMD_VM_REBOOT,
	PASSVM_CMD_VM_KILL,
	PASSVM_CMD_VM_PAUSE,
	PASSVM_CMD_VM_RESUME,
	PASSVM_CMD_VM_FORGET,
	PASSVM_CMD_VM_GET,
	PASSVM_CMD_VM_STATS,
	PASSVM_CMD_VM_CONSOLE,
	PASSVM_CMD_DEVICE_GET,
	PASSVM_CMD_DEVICE_CLAIM,
	PASSVM_CMD_DEVICE_RELEASE,
	PASSVM_CMD_DEVICE_RESET,
	PASSVM_CMD_EVENT,

	__PASSVM_CMD_MAX,
	PASSVM_CMD_MAX = (__PASSVM_CMD_MAX - 1)
};

#endif /* _UAPI_PASSVM_H */
