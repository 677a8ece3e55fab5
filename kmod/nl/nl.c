// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: registration, who may do what, refusals, look-ups.
 *
 * World:   kernel
 * Context: process, may sleep; handlers in the context of the sender
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include "nl/nl.h"

static const struct genl_multicast_group nl_groups[] = {
	{ .name = PASSVM_MCGRP_EVENTS },
};

struct genl_family pvm_nl_family __ro_after_init = {
	.name		= PASSVM_FAMILY_NAME,
	.version	= PASSVM_ABI,
	.module		= THIS_MODULE,
	.ops		= pvm_nl_ops,
	.n_ops		= PVM_NL_OPS,
	.mcgrps		= nl_groups,
	.n_mcgrps	= ARRAY_SIZE(nl_groups),
	.parallel_ops	= true,		/* vm/ and pass/ have their own locks */
};

bool pvm_nl_up;

/*
 * Where sentences live until the kernel has copied them into the answer, which
 * happens after the handler has returned, but before its task can send another
 * message. So each task owns a slot, and a slot of another task is taken only
 * when that task has long got its answer. (The kernel's own buffer for this is
 * too short for a sentence, and older kernels have none.)
 *
 * Locking key
 *  (t) nl_texts_lock
 */
#define NL_TEXTS		64
#define NL_TEXT_BYTES		224
#define NL_TEXT_KEEP		(10 * HZ)

struct nl_text {
	const struct task_struct *owner;	/* (t) only compared, never followed */
	unsigned long used;			/* (t) in jiffies */
	char text[NL_TEXT_BYTES];		/* the owner's */
};

static struct nl_text nl_texts[NL_TEXTS];
static DEFINE_SPINLOCK(nl_texts_lock);

static char *nl_text_slot(void)
{
	struct nl_text *found = NULL;
	u32 i;

	spin_lock(&nl_texts_lock);
	for (i = 0; i < NL_TEXTS; i++) {
		struct nl_text *t = &nl_texts[i];

		if (t->owner == current) {
			found = t;
			break;
		}
		if (!t->owner || time_after(jiffies, t->used + NL_TEXT_KEEP))
			found = t;
	}
	if (found) {
		found->owner = current;
		found->used = jiffies;
	}
	spin_unlock(&nl_texts_lock);
	return found ? found->text : NULL;
}

int pvm_nl_refuse(struct genl_info *info, int err, int attr, const char *fmt, ...)
{
	struct netlink_ext_ack *extack = info->extack;
	char *text = nl_text_slot();
	va_list args;
	int n = 0;

	if (!extack)
		return err;
	if (attr && info->attrs && info->attrs[attr])
		NL_SET_BAD_ATTR(extack, info->attrs[attr]);
	else if (attr && err == -EINVAL)
		NL_SET_ERR_ATTR_MISS(extack, NULL, attr);
	if (!text) {
		extack->_msg = "refused; too many refusals at once to say why";
		return err;
	}
	if (attr)
		n = scnprintf(text, NL_TEXT_BYTES, "%s: ", pvm_nl_attr_names[attr]);
	va_start(args, fmt);
	vscnprintf(text + n, NL_TEXT_BYTES - n, fmt, args);
	va_end(args);
	extack->_msg = text;
	return err;
}

int pvm_nl_refuse_why(struct genl_info *info, int err, int attr, const struct pvm_why *why)
{
	if (why->text[0])
		return pvm_nl_refuse(info, err, attr, "%s", why->text);
	if (err == -ENOMEM)
		return pvm_nl_refuse(info, err, 0, "the host is out of memory");
	return pvm_nl_refuse(info, err, 0, "refused with error %d", err);
}

int pvm_nl_admin(struct sk_buff *skb, struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	return pvm_nl_refuse(info, -EPERM, 0,
			     "needs CAP_SYS_ADMIN in the initial user namespace (be root)");
}

int pvm_nl_need(struct genl_info *info, const int *attrs, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (!info->attrs[attrs[i]])
			return pvm_nl_refuse(info, -EINVAL, attrs[i], "this attribute is missing");
	}
	return 0;
}

struct pvm_vm *pvm_nl_vm(struct genl_info *info, int *err)
{
	static const int need[] = { PASSVM_A_NAME };
	struct pvm_vm *vm;

	*err = pvm_nl_need(info, need, ARRAY_SIZE(need));
	if (*err)
		return NULL;
	vm = pvm_vm_find(nla_data(info->attrs[PASSVM_A_NAME]));
	if (!vm)
		*err = pvm_nl_refuse(info, -ENOENT, PASSVM_A_NAME, "there is no VM '%s'",
				     (char *)nla_data(info->attrs[PASSVM_A_NAME]));
	return vm;
}

struct file *pvm_nl_file(struct genl_info *info, fmode_t mode, int *err)
{
	static const int need[] = { PASSVM_A_FD };
	struct file *file;
	int fd;

	*err = pvm_nl_need(info, need, ARRAY_SIZE(need));
	if (*err)
		return NULL;
	fd = nla_get_s32(info->attrs[PASSVM_A_FD]);
	file = fget(fd);
	if (!file) {
		*err = pvm_nl_refuse(info, -EBADF, PASSVM_A_FD,
				     "%d is not an open descriptor of the sender", fd);
		return NULL;
	}
	/* A VM that holds its own handle or console would never go. */
	if (file->f_op->owner == THIS_MODULE) {
		fput(file);
		*err = pvm_nl_refuse(info, -EBADF, PASSVM_A_FD, "%d belongs to passvm itself", fd);
		return NULL;
	}
	if ((file->f_mode & mode) != mode) {
		fput(file);
		*err = pvm_nl_refuse(info, -EBADF, PASSVM_A_FD,
				     "%d is not open for %s", fd,
				     mode & FMODE_WRITE ? "reading and writing" : "reading");
		return NULL;
	}
	return file;
}

struct sk_buff *pvm_nl_reply(struct genl_info *info, size_t bytes, u8 cmd, void **head)
{
	struct sk_buff *skb = genlmsg_new(bytes, GFP_KERNEL);

	if (!skb)
		return NULL;
	*head = genlmsg_put_reply(skb, info, &pvm_nl_family, 0, cmd);
	if (!*head) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

int pvm_nl_send(struct genl_info *info, struct sk_buff *skb, void *head, int err)
{
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, head);
	return genlmsg_reply(skb, info);
}

int pvm_nl_get_info(struct sk_buff *skb, struct genl_info *info)
{
	struct pvm_facts f = { .vendor = "", .owner = "unknown" };
	struct sk_buff *msg;
	void *head;
	int err;

	pvm_vm_facts(&f);
	msg = pvm_nl_reply(info, GENLMSG_DEFAULT_SIZE, PASSVM_CMD_GET_INFO, &head);
	if (!msg)
		return -ENOMEM;
	err = nla_put_string(msg, PASSVM_A_VERSION, THIS_MODULE->version ?: "") ?:
	      nla_put_u32(msg, PASSVM_A_ABI, PASSVM_ABI) ?:
	      nla_put_string(msg, PASSVM_A_VENDOR, f.vendor) ?:
	      nla_put_string(msg, PASSVM_A_OWNER, f.owner);
	if (!err && f.virt)
		err = nla_put_flag(msg, PASSVM_A_VIRT);
	if (!err && f.nested_paging)
		err = nla_put_flag(msg, PASSVM_A_NESTED_PAGING);
	if (!err && f.iommu)
		err = nla_put_flag(msg, PASSVM_A_IOMMU);
	if (!err && f.interrupt_remapping)
		err = nla_put_flag(msg, PASSVM_A_INTERRUPT_REMAPPING);
	return pvm_nl_send(info, msg, head, err);
}

int pvm_nl_init(void)
{
	int err;

	BUILD_BUG_ON(PVM_STATE_FAILED != (int)PASSVM_STATE_FAILED);
	BUILD_BUG_ON(PVM_END_HOST != (int)PASSVM_END_HOST);
	BUILD_BUG_ON(PVM_PASS_LOST != (int)PASSVM_DEVICE_STATE_LOST);
	BUILD_BUG_ON(PVM_GRADE_FRESH != (int)PASSVM_GRADE_FRESH);
	BUILD_BUG_ON(PVM_ENTRY_LONG64 != (int)PASSVM_ENTRY_MODE_LONG64);
	BUILD_BUG_ON(PVM_NOTICE_DEVICE != (int)PASSVM_NOTICE_DEVICE);
	BUILD_BUG_ON(PVM_VM_UNSAFE_INTERRUPTS - PASSVM_VM_FLAG_UNSAFE_INTERRUPTS);
	BUILD_BUG_ON(PVM_NAME_BYTES - PASSVM_NAME_MAX - 1);
	BUILD_BUG_ON(PVM_MAX_VCPUS != 16);	/* the policies of cpus and vcpu say so */
	err = genl_register_family(&pvm_nl_family);
	if (!err)
		WRITE_ONCE(pvm_nl_up, true);
	return err;
}

void pvm_nl_exit(void)
{
	WRITE_ONCE(pvm_nl_up, false);
	genl_unregister_family(&pvm_nl_family);
}
