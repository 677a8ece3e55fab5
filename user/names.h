/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of attributes and of the values of enumerations.
 *
 * Generated from Documentation/netlink/specs/passvm.yaml
 * by Documentation/netlink/gen.py; change those.
 *
 * World:   user
 * Context: any
 */
#ifndef PVM_USER_NAMES_H
#define PVM_USER_NAMES_H

#include <uapi/passvm.h>

static const char *const attr_names[PASSVM_A_MAX + 1] = {
	[PASSVM_A_NAME] = "name",
	[PASSVM_A_ID] = "id",
	[PASSVM_A_FD] = "fd",
	[PASSVM_A_CPUS] = "cpus",
	[PASSVM_A_MEMORY_BYTES] = "memory-bytes",
	[PASSVM_A_FLAGS] = "flags",
	[PASSVM_A_DEBUG_EXIT_PORT] = "debug-exit-port",
	[PASSVM_A_PIN] = "pin",
	[PASSVM_A_KVM_FD] = "kvm-fd",
	[PASSVM_A_UUID] = "uuid",
	[PASSVM_A_RANGE] = "range",
	[PASSVM_A_RSDP_GPA] = "rsdp-gpa",
	[PASSVM_A_OFFSET_BYTES] = "offset-bytes",
	[PASSVM_A_BYTES] = "bytes",
	[PASSVM_A_GPA] = "gpa",
	[PASSVM_A_DATA] = "data",
	[PASSVM_A_ENTRY_MODE] = "entry-mode",
	[PASSVM_A_RIP] = "rip",
	[PASSVM_A_RAX] = "rax",
	[PASSVM_A_RBX] = "rbx",
	[PASSVM_A_RSI] = "rsi",
	[PASSVM_A_RDI] = "rdi",
	[PASSVM_A_RSP] = "rsp",
	[PASSVM_A_TABLES_GPA] = "tables-gpa",
	[PASSVM_A_READONLY] = "readonly",
	[PASSVM_A_SERIAL] = "serial",
	[PASSVM_A_MAC] = "mac",
	[PASSVM_A_OFFLOADS] = "offloads",
	[PASSVM_A_DOMAIN] = "domain",
	[PASSVM_A_BUS] = "bus",
	[PASSVM_A_DEVFN] = "devfn",
	[PASSVM_A_STATE] = "state",
	[PASSVM_A_END] = "end",
	[PASSVM_A_END_VALUE] = "end-value",
	[PASSVM_A_REASON] = "reason",
	[PASSVM_A_KERNEL_BYTES] = "kernel-bytes",
	[PASSVM_A_LARGE_PAGES] = "large-pages",
	[PASSVM_A_SMALL_PAGES] = "small-pages",
	[PASSVM_A_RUNNING_NS] = "running-ns",
	[PASSVM_A_RESETS] = "resets",
	[PASSVM_A_DISKS] = "disks",
	[PASSVM_A_NETS] = "nets",
	[PASSVM_A_DEVICES] = "devices",
	[PASSVM_A_VENDOR] = "vendor",
	[PASSVM_A_DEVICE] = "device",
	[PASSVM_A_VCPU] = "vcpu",
	[PASSVM_A_COUNTER] = "counter",
	[PASSVM_A_SELECTOR] = "selector",
	[PASSVM_A_METHOD] = "method",
	[PASSVM_A_DEVICE_STATE] = "device-state",
	[PASSVM_A_GRADE] = "grade",
	[PASSVM_A_DRIVER] = "driver",
	[PASSVM_A_VENDOR_ID] = "vendor-id",
	[PASSVM_A_DEVICE_ID] = "device-id",
	[PASSVM_A_NOTICE] = "notice",
	[PASSVM_A_STEP] = "step",
	[PASSVM_A_TOOK_NS] = "took-ns",
	[PASSVM_A_ERROR] = "error",
	[PASSVM_A_TIME_NS] = "time-ns",
	[PASSVM_A_VERSION] = "version",
	[PASSVM_A_ABI] = "abi",
	[PASSVM_A_OWNER] = "owner",
	[PASSVM_A_VIRT] = "virt",
	[PASSVM_A_NESTED_PAGING] = "nested-paging",
	[PASSVM_A_IOMMU] = "iommu",
	[PASSVM_A_INTERRUPT_REMAPPING] = "interrupt-remapping",
};

static const char *const state_names[] = {
	[PASSVM_STATE_BUILD] = "build",
	[PASSVM_STATE_STARTING] = "starting",
	[PASSVM_STATE_RUNNING] = "running",
	[PASSVM_STATE_PAUSED] = "paused",
	[PASSVM_STATE_STOPPING] = "stopping",
	[PASSVM_STATE_ENDED] = "ended",
	[PASSVM_STATE_FAILED] = "failed",
};

static const char *const end_names[] = {
	[PASSVM_END_NONE] = "none",
	[PASSVM_END_POWEROFF] = "poweroff",
	[PASSVM_END_CRASH] = "crash",
	[PASSVM_END_KILL] = "kill",
	[PASSVM_END_DEBUG] = "debug",
	[PASSVM_END_HOST] = "host",
};

static const char *const device_state_names[] = {
	[PASSVM_DEVICE_STATE_HOST] = "host",
	[PASSVM_DEVICE_STATE_CLAIMING] = "claiming",
	[PASSVM_DEVICE_STATE_CLAIMED] = "claimed",
	[PASSVM_DEVICE_STATE_ATTACHED] = "attached",
	[PASSVM_DEVICE_STATE_LOST] = "lost",
};

static const char *const grade_names[] = {
	[PASSVM_GRADE_UNKNOWN] = "unknown",
	[PASSVM_GRADE_DEAD] = "dead",
	[PASSVM_GRADE_SUSPECT] = "suspect",
	[PASSVM_GRADE_USED] = "used",
	[PASSVM_GRADE_CLEAN] = "clean",
	[PASSVM_GRADE_FRESH] = "fresh",
};

static const char *const notice_names[] = {
	[PASSVM_NOTICE_STATE] = "state",
	[PASSVM_NOTICE_STEP] = "step",
	[PASSVM_NOTICE_DEVICE] = "device",
};

#endif /* PVM_USER_NAMES_H */
