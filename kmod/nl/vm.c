// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM commands: new, the commands to a VM that is there, state and counters.
 *
 * World:   kernel
 * Context: process, may sleep; handlers in the context of the sender
 */
#include <linux/anon_inodes.h>
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "nl/nl.h"

/* The builder's descriptor: owns the VM until it has started. */
static int handle_release(struct inode *inode, struct file *file)
{
	struct pvm_vm *vm = file->private_data;

	pvm_vm_builder_gone(vm);
	pvm_vm_put(vm);
	return 0;
}

static const struct file_operations handle_fops = {
	.owner		= THIS_MODULE,
	.release	= handle_release,
};

static bool vm_name_ok(const char *name)
{
	const char *c;

	if (!isalnum(*name) && *name != '_')
		return false;
	for (c = name; *c; c++) {
		if (!isascii(*c) || (!isalnum(*c) && !strchr("-_.", *c)))
			return false;
	}
	return true;
}

static int vm_config_pins(struct genl_info *info, struct pvm_vm_config *c)
{
	struct nlattr *a;
	int left, pin;
	u32 i;

	for (i = 0; i < PVM_MAX_VCPUS; i++)
		c->pin[i] = -1;
	i = 0;
	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, left) {
		if (nla_type(a) != PASSVM_A_PIN)
			continue;
		if (i >= c->cpus)
			return pvm_nl_refuse(info, -EINVAL, PASSVM_A_PIN,
					     "more pins than the %u vCPUs", c->cpus);
		pin = nla_get_s32(a);
		if (pin >= 0 && (pin >= nr_cpu_ids || !cpu_online(pin)))
			return pvm_nl_refuse(info, -EINVAL, PASSVM_A_PIN,
					     "the host has no CPU %d that is online", pin);
		c->pin[i++] = pin;
	}
	return 0;
}

static int vm_config_read(struct genl_info *info, struct pvm_vm_config *c)
{
	static const int need[] = { PASSVM_A_NAME, PASSVM_A_CPUS, PASSVM_A_MEMORY_BYTES };
	int err = pvm_nl_need(info, need, ARRAY_SIZE(need));

	if (err)
		return err;
	if (!vm_name_ok(nla_data(info->attrs[PASSVM_A_NAME])))
		return pvm_nl_refuse(info, -EINVAL, PASSVM_A_NAME,
				     "has letters, digits and '_', and inside '-' and '.'");
	nla_strscpy(c->name, info->attrs[PASSVM_A_NAME], sizeof(c->name));
	c->cpus = nla_get_u32(info->attrs[PASSVM_A_CPUS]);
	c->memory_bytes = nla_get_u64(info->attrs[PASSVM_A_MEMORY_BYTES]);
	if (!c->memory_bytes || c->memory_bytes % PVM_LARGE_BYTES)
		return pvm_nl_refuse(info, -EINVAL, PASSVM_A_MEMORY_BYTES,
				     "%llu is not a multiple of 2 MiB", c->memory_bytes);
	c->flags = pvm_nl_u32_or(info, PASSVM_A_FLAGS, 0);
	if (c->flags & ~(u32)PVM_VM_UNSAFE_INTERRUPTS)
		return pvm_nl_refuse(info, -EINVAL, PASSVM_A_FLAGS, "unknown bits in 0x%x",
				     c->flags);
	if (info->attrs[PASSVM_A_DEBUG_EXIT_PORT])
		c->debug_exit_port = nla_get_u16(info->attrs[PASSVM_A_DEBUG_EXIT_PORT]);
	c->kvm_fd = -1;
	if (info->attrs[PASSVM_A_KVM_FD])
		c->kvm_fd = nla_get_s32(info->attrs[PASSVM_A_KVM_FD]);
	if (info->attrs[PASSVM_A_UUID])
		memcpy(c->uuid, nla_data(info->attrs[PASSVM_A_UUID]), sizeof(c->uuid));
	return vm_config_pins(info, c);
}

static int vm_put_layout(struct sk_buff *skb, const struct pvm_vm_layout *l)
{
	u32 i;

	for (i = 0; i < l->count; i++) {
		const struct pvm_vm_range *r = &l->range[i];
		struct nlattr *nest = nla_nest_start(skb, PASSVM_A_RANGE);

		if (!nest ||
		    pvm_nl_put_u64(skb, PASSVM_A_RANGE_GPA, r->gpa) ||
		    pvm_nl_put_u64(skb, PASSVM_A_RANGE_BYTES, r->bytes) ||
		    nla_put_u32(skb, PASSVM_A_RANGE_TYPE, r->type))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return pvm_nl_put_u64(skb, PASSVM_A_RSDP_GPA, l->rsdp_gpa);
}

/* Answers with a new descriptor for @file and consumes @file in any case. */
static int vm_reply_file(struct genl_info *info, struct file *file, u8 cmd, u32 id,
			 const struct pvm_vm_layout *layout)
{
	struct sk_buff *msg;
	void *head;
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		err = pvm_nl_refuse(info, fd, 0, "the sender has no free descriptor");
		goto err_put_file;
	}
	msg = pvm_nl_reply(info, GENLMSG_DEFAULT_SIZE, cmd, &head);
	if (!msg) {
		err = -ENOMEM;
		goto err_put_fd;
	}
	err = nla_put_s32(msg, PASSVM_A_FD, fd);
	if (!err && layout)
		err = nla_put_u32(msg, PASSVM_A_ID, id) ?: vm_put_layout(msg, layout);
	err = pvm_nl_send(info, msg, head, err);
	if (err)
		goto err_put_fd;
	fd_install(fd, file);
	return 0;

err_put_fd:
	put_unused_fd(fd);
err_put_file:
	fput(file);
	return err;
}

int pvm_nl_vm_new(struct sk_buff *skb, struct genl_info *info)
{
	struct {
		struct pvm_vm_config config;
		struct pvm_vm_status status;
		struct pvm_vm_layout layout;
		struct pvm_why why;
	} *m;
	struct pvm_vm *vm;
	struct file *file;
	int err;

	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	err = vm_config_read(info, &m->config);
	if (err)
		goto out_free;
	err = pvm_vm_new(&m->config, &vm, &m->why);
	if (err) {
		pvm_nl_refuse_why(info, err, err == -EEXIST ? PASSVM_A_NAME : 0, &m->why);
		goto out_free;
	}
	file = anon_inode_getfile("[passvm-vm]", &handle_fops, vm, O_RDWR);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		pvm_vm_builder_gone(vm);
		pvm_vm_put(vm);
		goto out_free;
	}
	pvm_vm_status(vm, &m->status);
	pvm_vm_layout(vm, &m->layout);
	err = vm_reply_file(info, file, PASSVM_CMD_VM_NEW, m->status.id, &m->layout);
out_free:
	kfree(m);
	return err;
}

int pvm_nl_vm_console(struct sk_buff *skb, struct genl_info *info)
{
	struct pvm_why why = {};
	struct pvm_vm *vm;
	struct file *file;
	int err;

	vm = pvm_nl_vm(info, &err);
	if (!vm)
		return err;
	file = pvm_vm_console_file(vm, &why);
	pvm_vm_put(vm);
	if (IS_ERR(file))
		return pvm_nl_refuse_why(info, PTR_ERR(file), PASSVM_A_NAME, &why);
	return vm_reply_file(info, file, PASSVM_CMD_VM_CONSOLE, 0, NULL);
}

/* --- commands to a VM ------------------------------------------------------ */

static int vm_command(struct genl_info *info, int (*fn)(struct pvm_vm *vm, struct pvm_why *why))
{
	struct pvm_why why = {};
	struct pvm_vm *vm;
	int err;

	vm = pvm_nl_vm(info, &err);
	if (!vm)
		return err;
	err = fn(vm, &why);
	pvm_vm_put(vm);
	if (err)
		pvm_nl_refuse_why(info, err, 0, &why);
	return err;
}

int pvm_nl_vm_start(struct sk_buff *skb, struct genl_info *info)
{
	return vm_command(info, pvm_vm_start);
}

int pvm_nl_vm_stop(struct sk_buff *skb, struct genl_info *info)
{
	return vm_command(info, pvm_vm_power_button);
}

int pvm_nl_vm_reboot(struct sk_buff *skb, struct genl_info *info)
{
	return vm_command(info, pvm_vm_reboot);
}

int pvm_nl_vm_pause(struct sk_buff *skb, struct genl_info *info)
{
	return vm_command(info, pvm_vm_pause);
}

int pvm_nl_vm_resume(struct sk_buff *skb, struct genl_info *info)
{
	return vm_command(info, pvm_vm_resume);
}

int pvm_nl_vm_forget(struct sk_buff *skb, struct genl_info *info)
{
	return vm_command(info, pvm_vm_forget);
}

static int vm_kill(struct pvm_vm *vm, struct pvm_why *why)
{
	struct pvm_vm_status *s = kzalloc(sizeof(*s), GFP_KERNEL);
	bool over;

	if (!s)
		return pvm_fail(why, -ENOMEM, "out of memory");
	pvm_vm_status(vm, s);
	over = s->state == PVM_STATE_ENDED || s->state == PVM_STATE_FAILED;
	kfree(s);
	if (over)
		return pvm_fail(why, -EINVAL, "the VM has ended already");
	pvm_vm_kill(vm, PVM_END_KILL, "killed by request");
	return 0;
}

int pvm_nl_vm_kill(struct sk_buff *skb, struct genl_info *info)
{
	return vm_command(info, vm_kill);
}

/* --- state ----------------------------------------------------------------- */

static int vm_put_devices(struct sk_buff *skb, struct pvm_vm *vm)
{
	u32 i, domain, bus, devfn;

	for (i = 0; i < PVM_MAX_DEVICES && !pvm_vm_device(vm, i, &domain, &bus, &devfn); i++) {
		struct nlattr *nest = nla_nest_start(skb, PASSVM_A_DEVICE);

		if (!nest ||
		    nla_put_u32(skb, PASSVM_A_DEVICE_DOMAIN, domain) ||
		    nla_put_u32(skb, PASSVM_A_DEVICE_BUS, bus) ||
		    nla_put_u32(skb, PASSVM_A_DEVICE_DEVFN, devfn))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

static int vm_put_status(struct sk_buff *skb, struct pvm_vm *vm, const struct pvm_vm_status *s)
{
	int err;

	err = nla_put_string(skb, PASSVM_A_NAME, s->name) ?:
	      nla_put_u32(skb, PASSVM_A_ID, s->id) ?:
	      nla_put_u32(skb, PASSVM_A_STATE, s->state) ?:
	      nla_put_u32(skb, PASSVM_A_END, s->end) ?:
	      nla_put_u32(skb, PASSVM_A_END_VALUE, s->end_value) ?:
	      nla_put_string(skb, PASSVM_A_REASON, s->reason) ?:
	      nla_put_u32(skb, PASSVM_A_CPUS, s->cpus) ?:
	      pvm_nl_put_u64(skb, PASSVM_A_MEMORY_BYTES, s->memory_bytes) ?:
	      pvm_nl_put_u64(skb, PASSVM_A_KERNEL_BYTES, s->kernel_bytes) ?:
	      pvm_nl_put_u64(skb, PASSVM_A_LARGE_PAGES, s->large_pages) ?:
	      pvm_nl_put_u64(skb, PASSVM_A_SMALL_PAGES, s->small_pages) ?:
	      pvm_nl_put_u64(skb, PASSVM_A_RUNNING_NS, s->running_ns) ?:
	      nla_put_u32(skb, PASSVM_A_RESETS, s->resets) ?:
	      nla_put_u32(skb, PASSVM_A_DISKS, s->disks) ?:
	      nla_put_u32(skb, PASSVM_A_NETS, s->nets) ?:
	      nla_put_u32(skb, PASSVM_A_DEVICES, s->devices) ?:
	      nla_put_string(skb, PASSVM_A_VENDOR, s->vendor ?: "");
	return err ?: vm_put_devices(skb, vm);
}

int pvm_nl_vm_get(struct sk_buff *skb, struct genl_info *info)
{
	struct pvm_vm_status *s;
	struct sk_buff *msg;
	struct pvm_vm *vm;
	void *head;
	int err;

	vm = pvm_nl_vm(info, &err);
	if (!vm)
		return err;
	err = -ENOMEM;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		goto out_put;
	msg = pvm_nl_reply(info, GENLMSG_DEFAULT_SIZE, PASSVM_CMD_VM_GET, &head);
	if (!msg)
		goto out_free;
	pvm_vm_status(vm, s);
	err = pvm_nl_send(info, msg, head, vm_put_status(msg, vm, s));
out_free:
	kfree(s);
out_put:
	pvm_vm_put(vm);
	return err;
}

/* One message of a dump; -EMSGSIZE if @skb has no more room. */
static int vm_dump_one(struct sk_buff *skb, struct netlink_callback *cb, struct pvm_vm *vm,
		       const struct pvm_vm_status *s)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				 &pvm_nl_family, NLM_F_MULTI, PASSVM_CMD_VM_GET);

	if (!head)
		return -EMSGSIZE;
	if (vm_put_status(skb, vm, s)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

/* The list is in the order of ids, and cb->args[0] is the last id told, plus one. */
int pvm_nl_vm_get_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct pvm_vm_status *s = kzalloc(sizeof(*s), GFP_KERNEL);
	struct pvm_vm *vm;

	if (!s)
		return -ENOMEM;
	/* Each pvm_vm_next() gives the reference of the one before back. */
	for (vm = pvm_vm_next(NULL); vm; vm = pvm_vm_next(vm)) {
		pvm_vm_status(vm, s);
		if ((unsigned long)s->id + 1 > (unsigned long)cb->args[0]) {
			if (vm_dump_one(skb, cb, vm, s)) {
				pvm_vm_put(vm);
				break;
			}
			cb->args[0] = (unsigned long)s->id + 1;
		}
	}
	kfree(s);
	return skb->len;
}

static int vm_put_counters(struct sk_buff *skb, struct pvm_vm *vm, int cpu)
{
	const char *name;
	u64 value;
	u32 i;

	for (i = 0; !pvm_vm_stat(vm, cpu, i, &name, &value); i++) {
		struct nlattr *nest = nla_nest_start(skb, PASSVM_A_COUNTER);

		if (!nest ||
		    nla_put_string(skb, PASSVM_A_COUNTER_NAME, name) ||
		    pvm_nl_put_u64(skb, PASSVM_A_COUNTER_VALUE, value))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

#define VM_STATS_BYTES		16384	/* some 300 counters */

int pvm_nl_vm_stats(struct sk_buff *skb, struct genl_info *info)
{
	struct pvm_vm_status *s;
	struct sk_buff *msg;
	struct pvm_vm *vm;
	void *head;
	u32 cpus;
	int cpu = -1;
	int err;

	vm = pvm_nl_vm(info, &err);
	if (!vm)
		return err;
	err = -ENOMEM;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		goto out_put;
	pvm_vm_status(vm, s);
	cpus = s->cpus;
	kfree(s);
	if (info->attrs[PASSVM_A_VCPU]) {
		cpu = nla_get_u32(info->attrs[PASSVM_A_VCPU]);
		if (cpu >= cpus) {
			err = pvm_nl_refuse(info, -ENOENT, PASSVM_A_VCPU, "the VM has %u vCPUs",
					    cpus);
			goto out_put;
		}
	}
	msg = pvm_nl_reply(info, VM_STATS_BYTES, PASSVM_CMD_VM_STATS, &head);
	if (!msg)
		goto out_put;
	err = nla_put_string(msg, PASSVM_A_NAME, nla_data(info->attrs[PASSVM_A_NAME]));
	if (!err && cpu >= 0)
		err = nla_put_u32(msg, PASSVM_A_VCPU, cpu);
	if (!err)
		err = vm_put_counters(msg, vm, cpu);
	err = pvm_nl_send(info, msg, head, err);
out_put:
	pvm_vm_put(vm);
	return err;
}
