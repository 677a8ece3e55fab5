// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that configure a VM before its start.
 *
 * Descriptors are resolved here, in the sender's context; vm/ takes its own
 * reference of the file.
 *
 * World:   kernel
 * Context: process, may sleep; handlers in the context of the sender
 */
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/fs.h>
#include "nl/nl.h"

/* Ends a command that @err is the outcome of: drops what it held, says why it was refused. */
static int build_done(struct genl_info *info, struct pvm_vm *vm, struct file *file, int err,
		      const struct pvm_why *why)
{
	if (file)
		fput(file);
	pvm_vm_put(vm);
	if (err)
		pvm_nl_refuse_why(info, err, 0, why);
	return err;
}

/* The VM and the file of a request; 0 or a refusal. */
static int build_begin(struct genl_info *info, const int *need, u32 count, fmode_t mode,
		       struct pvm_vm **vm, struct file **file)
{
	int err = pvm_nl_need(info, need, count);

	if (err)
		return err;
	*vm = pvm_nl_vm(info, &err);
	if (!*vm || !file)
		return err;
	*file = pvm_nl_file(info, mode, &err);
	if (!*file)
		pvm_vm_put(*vm);
	return err;
}

static bool build_is_disk(struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	return S_ISREG(mode) || S_ISBLK(mode);
}

static bool build_is_output(struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	return S_ISREG(mode) || S_ISFIFO(mode) || S_ISCHR(mode);
}

int pvm_nl_vm_load(struct sk_buff *skb, struct genl_info *info)
{
	static const int need[] = { PASSVM_A_NAME, PASSVM_A_BYTES, PASSVM_A_GPA };
	struct pvm_why why = {};
	u64 offset_bytes, bytes;
	struct pvm_vm *vm;
	struct file *file;
	int err;

	err = build_begin(info, need, ARRAY_SIZE(need), FMODE_READ, &vm, &file);
	if (err)
		return err;
	offset_bytes = pvm_nl_u64_or(info, PASSVM_A_OFFSET_BYTES, 0);
	bytes = nla_get_u64(info->attrs[PASSVM_A_BYTES]);
	if (!build_is_disk(file))
		err = pvm_fail(&why, -EBADF, "fd: not a regular file or block device");
	else if (!bytes || offset_bytes > S64_MAX || bytes > S64_MAX - offset_bytes)
		err = pvm_fail(&why, -EINVAL, "bytes: %llu from %llu on is no part of a file",
			       bytes, offset_bytes);
	else
		err = pvm_vm_add_load(vm, file, offset_bytes, bytes,
				      nla_get_u64(info->attrs[PASSVM_A_GPA]), &why);
	return build_done(info, vm, file, err, &why);
}

int pvm_nl_vm_blob(struct sk_buff *skb, struct genl_info *info)
{
	static const int need[] = { PASSVM_A_NAME, PASSVM_A_GPA, PASSVM_A_DATA };
	struct pvm_why why = {};
	struct nlattr *data;
	struct pvm_vm *vm;
	int err;

	err = build_begin(info, need, ARRAY_SIZE(need), 0, &vm, NULL);
	if (err)
		return err;
	data = info->attrs[PASSVM_A_DATA];
	if (!nla_len(data))
		err = pvm_fail(&why, -EINVAL, "data: no bytes");
	else
		err = pvm_vm_add_blob(vm, nla_data(data), nla_len(data),
				      nla_get_u64(info->attrs[PASSVM_A_GPA]), &why);
	return build_done(info, vm, NULL, err, &why);
}

int pvm_nl_vm_entry(struct sk_buff *skb, struct genl_info *info)
{
	static const int need[] = { PASSVM_A_NAME, PASSVM_A_ENTRY_MODE };
	struct pvm_why why = {};
	struct pvm_entry e = {};
	struct pvm_vm *vm;
	int err;

	err = build_begin(info, need, ARRAY_SIZE(need), 0, &vm, NULL);
	if (err)
		return err;
	e.mode = nla_get_u32(info->attrs[PASSVM_A_ENTRY_MODE]);
	e.rip = pvm_nl_u64_or(info, PASSVM_A_RIP, 0);
	e.rax = pvm_nl_u64_or(info, PASSVM_A_RAX, 0);
	e.rbx = pvm_nl_u64_or(info, PASSVM_A_RBX, 0);
	e.rsi = pvm_nl_u64_or(info, PASSVM_A_RSI, 0);
	e.rdi = pvm_nl_u64_or(info, PASSVM_A_RDI, 0);
	e.rsp = pvm_nl_u64_or(info, PASSVM_A_RSP, 0);
	e.tables_gpa = pvm_nl_u64_or(info, PASSVM_A_TABLES_GPA, 0);
	if (e.mode == PVM_ENTRY_LONG64 && !info->attrs[PASSVM_A_TABLES_GPA])
		err = pvm_fail(&why, -EINVAL, "tables-gpa: needed with entry-mode long64");
	else if (e.tables_gpa % PVM_PAGE_BYTES)
		err = pvm_fail(&why, -EINVAL, "tables-gpa: 0x%llx is not the start of a page",
			       e.tables_gpa);
	else
		err = pvm_vm_set_entry(vm, &e, &why);
	return build_done(info, vm, NULL, err, &why);
}

int pvm_nl_vm_disk(struct sk_buff *skb, struct genl_info *info)
{
	static const int need[] = { PASSVM_A_NAME, PASSVM_A_FD };
	struct pvm_why why = {};
	const char *serial = NULL;
	struct pvm_vm *vm;
	struct file *file;
	bool readonly;
	int err;

	readonly = nla_get_flag(info->attrs[PASSVM_A_READONLY]);
	err = build_begin(info, need, ARRAY_SIZE(need),
			  readonly ? FMODE_READ : FMODE_READ | FMODE_WRITE, &vm, &file);
	if (err)
		return err;
	if (info->attrs[PASSVM_A_SERIAL])
		serial = nla_data(info->attrs[PASSVM_A_SERIAL]);
	if (!build_is_disk(file))
		err = pvm_fail(&why, -EBADF, "fd: not a regular file or block device");
	else
		err = pvm_vm_add_disk(vm, file, readonly, serial, &why);
	return build_done(info, vm, file, err, &why);
}

int pvm_nl_vm_net(struct sk_buff *skb, struct genl_info *info)
{
	static const int need[] = { PASSVM_A_NAME, PASSVM_A_FD, PASSVM_A_MAC };
	struct pvm_why why = {};
	struct pvm_vm *vm;
	struct file *file;
	const u8 *mac;
	int err;

	err = build_begin(info, need, ARRAY_SIZE(need), FMODE_READ | FMODE_WRITE, &vm, &file);
	if (err)
		return err;
	mac = nla_data(info->attrs[PASSVM_A_MAC]);
	if (!S_ISCHR(file_inode(file)->i_mode))
		err = pvm_fail(&why, -EBADF, "fd: not a tap device");
	else if (!is_valid_ether_addr(mac))
		err = pvm_fail(&why, -EINVAL, "mac: %pM is not the address of one interface", mac);
	else
		err = pvm_vm_add_net(vm, file, mac, nla_get_flag(info->attrs[PASSVM_A_OFFLOADS]),
				     &why);
	return build_done(info, vm, file, err, &why);
}

int pvm_nl_vm_device(struct sk_buff *skb, struct genl_info *info)
{
	static const int need[] = { PASSVM_A_NAME, PASSVM_A_BUS, PASSVM_A_DEVFN };
	struct pvm_why why = {};
	struct pvm_vm *vm;
	int err;

	err = build_begin(info, need, ARRAY_SIZE(need), 0, &vm, NULL);
	if (err)
		return err;
	err = pvm_vm_add_device(vm, pvm_nl_u32_or(info, PASSVM_A_DOMAIN, 0),
				nla_get_u32(info->attrs[PASSVM_A_BUS]),
				nla_get_u32(info->attrs[PASSVM_A_DEVFN]), &why);
	return build_done(info, vm, NULL, err, &why);
}

int pvm_nl_vm_serial(struct sk_buff *skb, struct genl_info *info)
{
	static const int need[] = { PASSVM_A_NAME, PASSVM_A_FD };
	struct pvm_why why = {};
	struct pvm_vm *vm;
	struct file *file;
	int err;

	err = build_begin(info, need, ARRAY_SIZE(need), FMODE_WRITE, &vm, &file);
	if (err)
		return err;
	if (!build_is_output(file))
		err = pvm_fail(&why, -EBADF, "fd: not a file, pipe or character device");
	else
		err = pvm_vm_set_serial_file(vm, file, &why);
	return build_done(info, vm, file, err, &why);
}
