// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies, operations and attribute names of the netlink family.
 *
 * Generated from Documentation/netlink/specs/passvm.yaml
 * by Documentation/netlink/gen.py; change those.
 *
 * World:   kernel
 * Context: any
 */

#include "nl/passvm_nl.h"

const char *const pvm_nl_attr_names[PASSVM_A_MAX + 1] = {
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

static const struct nla_policy vm_new_policy[PASSVM_A_UUID + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[PASSVM_A_CPUS] = NLA_POLICY_RANGE(NLA_U32, 1, 16),
	[PASSVM_A_MEMORY_BYTES] = { .type = NLA_U64 },
	[PASSVM_A_FLAGS] = { .type = NLA_U32 },
	[PASSVM_A_DEBUG_EXIT_PORT] = { .type = NLA_U16 },
	[PASSVM_A_PIN] = NLA_POLICY_MIN(NLA_S32, -1),
	[PASSVM_A_KVM_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[PASSVM_A_UUID] = NLA_POLICY_EXACT_LEN(16),
};

static int vm_new_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_new(skb, info);
}

static const struct nla_policy vm_load_policy[PASSVM_A_GPA + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[PASSVM_A_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[PASSVM_A_OFFSET_BYTES] = { .type = NLA_U64 },
	[PASSVM_A_BYTES] = { .type = NLA_U64 },
	[PASSVM_A_GPA] = { .type = NLA_U64 },
};

static int vm_load_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_load(skb, info);
}

static const struct nla_policy vm_blob_policy[PASSVM_A_DATA + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[PASSVM_A_GPA] = { .type = NLA_U64 },
	[PASSVM_A_DATA] = { .type = NLA_BINARY, .len = 32768 },
};

static int vm_blob_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_blob(skb, info);
}

static const struct nla_policy vm_entry_policy[PASSVM_A_TABLES_GPA + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[PASSVM_A_ENTRY_MODE] = NLA_POLICY_MAX(NLA_U32, 2),
	[PASSVM_A_RIP] = { .type = NLA_U64 },
	[PASSVM_A_RAX] = { .type = NLA_U64 },
	[PASSVM_A_RBX] = { .type = NLA_U64 },
	[PASSVM_A_RSI] = { .type = NLA_U64 },
	[PASSVM_A_RDI] = { .type = NLA_U64 },
	[PASSVM_A_RSP] = { .type = NLA_U64 },
	[PASSVM_A_TABLES_GPA] = { .type = NLA_U64 },
};

static int vm_entry_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_entry(skb, info);
}

static const struct nla_policy vm_disk_policy[PASSVM_A_SERIAL + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[PASSVM_A_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[PASSVM_A_READONLY] = { .type = NLA_FLAG },
	[PASSVM_A_SERIAL] = { .type = NLA_NUL_STRING, .len = 20 },
};

static int vm_disk_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_disk(skb, info);
}

static const struct nla_policy vm_net_policy[PASSVM_A_OFFLOADS + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[PASSVM_A_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[PASSVM_A_MAC] = NLA_POLICY_EXACT_LEN(6),
	[PASSVM_A_OFFLOADS] = { .type = NLA_FLAG },
};

static int vm_net_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_net(skb, info);
}

static const struct nla_policy vm_device_policy[PASSVM_A_DEVFN + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[PASSVM_A_DOMAIN] = { .type = NLA_U32 },
	[PASSVM_A_BUS] = NLA_POLICY_MAX(NLA_U32, 255),
	[PASSVM_A_DEVFN] = NLA_POLICY_MAX(NLA_U32, 255),
};

static int vm_device_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_device(skb, info);
}

static const struct nla_policy vm_serial_policy[PASSVM_A_FD + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[PASSVM_A_FD] = NLA_POLICY_MIN(NLA_S32, 0),
};

static int vm_serial_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_serial(skb, info);
}

static const struct nla_policy vm_start_policy[PASSVM_A_NAME + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
};

static int vm_start_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_start(skb, info);
}

static const struct nla_policy vm_stop_policy[PASSVM_A_NAME + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
};

static int vm_stop_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_stop(skb, info);
}

static const struct nla_policy vm_reboot_policy[PASSVM_A_NAME + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
};

static int vm_reboot_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_reboot(skb, info);
}

static const struct nla_policy vm_kill_policy[PASSVM_A_NAME + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
};

static int vm_kill_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_kill(skb, info);
}

static const struct nla_policy vm_pause_policy[PASSVM_A_NAME + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
};

static int vm_pause_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_pause(skb, info);
}

static const struct nla_policy vm_resume_policy[PASSVM_A_NAME + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
};

static int vm_resume_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_resume(skb, info);
}

static const struct nla_policy vm_forget_policy[PASSVM_A_NAME + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
};

static int vm_forget_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_forget(skb, info);
}

static const struct nla_policy vm_get_policy[PASSVM_A_NAME + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
};

static const struct nla_policy vm_stats_policy[PASSVM_A_VCPU + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[PASSVM_A_VCPU] = NLA_POLICY_MAX(NLA_U32, 15),
};

static int vm_stats_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_stats(skb, info);
}

static const struct nla_policy vm_console_policy[PASSVM_A_NAME + 1] = {
	[PASSVM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
};

static int vm_console_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_vm_console(skb, info);
}

static const struct nla_policy device_get_policy[PASSVM_A_DEVFN + 1] = {
	[PASSVM_A_DOMAIN] = { .type = NLA_U32 },
	[PASSVM_A_BUS] = NLA_POLICY_MAX(NLA_U32, 255),
	[PASSVM_A_DEVFN] = NLA_POLICY_MAX(NLA_U32, 255),
};

static const struct nla_policy device_claim_policy[PASSVM_A_SELECTOR + 1] = {
	[PASSVM_A_SELECTOR] = { .type = NLA_NUL_STRING, .len = 47 },
};

static int device_claim_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_device_claim(skb, info);
}

static const struct nla_policy device_release_policy[PASSVM_A_SELECTOR + 1] = {
	[PASSVM_A_SELECTOR] = { .type = NLA_NUL_STRING, .len = 47 },
};

static int device_release_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_device_release(skb, info);
}

static const struct nla_policy device_reset_policy[PASSVM_A_METHOD + 1] = {
	[PASSVM_A_SELECTOR] = { .type = NLA_NUL_STRING, .len = 47 },
	[PASSVM_A_METHOD] = { .type = NLA_NUL_STRING, .len = 15 },
};

static int device_reset_admin(struct sk_buff *skb, struct genl_info *info)
{
	int err = pvm_nl_admin(skb, info);

	return err ? err : pvm_nl_device_reset(skb, info);
}

const struct genl_ops pvm_nl_ops[PVM_NL_OPS] = {
	{
		.cmd = PASSVM_CMD_GET_INFO,
		.doit = pvm_nl_get_info,
	},
	{
		.cmd = PASSVM_CMD_VM_NEW,
		.doit = vm_new_admin,
		.policy = vm_new_policy,
		.maxattr = ARRAY_SIZE(vm_new_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_LOAD,
		.doit = vm_load_admin,
		.policy = vm_load_policy,
		.maxattr = ARRAY_SIZE(vm_load_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_BLOB,
		.doit = vm_blob_admin,
		.policy = vm_blob_policy,
		.maxattr = ARRAY_SIZE(vm_blob_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_ENTRY,
		.doit = vm_entry_admin,
		.policy = vm_entry_policy,
		.maxattr = ARRAY_SIZE(vm_entry_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_DISK,
		.doit = vm_disk_admin,
		.policy = vm_disk_policy,
		.maxattr = ARRAY_SIZE(vm_disk_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_NET,
		.doit = vm_net_admin,
		.policy = vm_net_policy,
		.maxattr = ARRAY_SIZE(vm_net_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_DEVICE,
		.doit = vm_device_admin,
		.policy = vm_device_policy,
		.maxattr = ARRAY_SIZE(vm_device_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_SERIAL,
		.doit = vm_serial_admin,
		.policy = vm_serial_policy,
		.maxattr = ARRAY_SIZE(vm_serial_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_START,
		.doit = vm_start_admin,
		.policy = vm_start_policy,
		.maxattr = ARRAY_SIZE(vm_start_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_STOP,
		.doit = vm_stop_admin,
		.policy = vm_stop_policy,
		.maxattr = ARRAY_SIZE(vm_stop_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_REBOOT,
		.doit = vm_reboot_admin,
		.policy = vm_reboot_policy,
		.maxattr = ARRAY_SIZE(vm_reboot_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_KILL,
		.doit = vm_kill_admin,
		.policy = vm_kill_policy,
		.maxattr = ARRAY_SIZE(vm_kill_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_PAUSE,
		.doit = vm_pause_admin,
		.policy = vm_pause_policy,
		.maxattr = ARRAY_SIZE(vm_pause_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_RESUME,
		.doit = vm_resume_admin,
		.policy = vm_resume_policy,
		.maxattr = ARRAY_SIZE(vm_resume_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_FORGET,
		.doit = vm_forget_admin,
		.policy = vm_forget_policy,
		.maxattr = ARRAY_SIZE(vm_forget_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_GET,
		.doit = pvm_nl_vm_get,
		.dumpit = pvm_nl_vm_get_dump,
		.policy = vm_get_policy,
		.maxattr = ARRAY_SIZE(vm_get_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_STATS,
		.doit = vm_stats_admin,
		.policy = vm_stats_policy,
		.maxattr = ARRAY_SIZE(vm_stats_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_VM_CONSOLE,
		.doit = vm_console_admin,
		.policy = vm_console_policy,
		.maxattr = ARRAY_SIZE(vm_console_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_DEVICE_GET,
		.doit = pvm_nl_device_get,
		.dumpit = pvm_nl_device_get_dump,
		.policy = device_get_policy,
		.maxattr = ARRAY_SIZE(device_get_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_DEVICE_CLAIM,
		.doit = device_claim_admin,
		.policy = device_claim_policy,
		.maxattr = ARRAY_SIZE(device_claim_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_DEVICE_RELEASE,
		.doit = device_release_admin,
		.policy = device_release_policy,
		.maxattr = ARRAY_SIZE(device_release_policy) - 1,
	},
	{
		.cmd = PASSVM_CMD_DEVICE_RESET,
		.doit = device_reset_admin,
		.policy = device_reset_policy,
		.maxattr = ARRAY_SIZE(device_reset_policy) - 1,
	},
};
