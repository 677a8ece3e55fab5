// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: what happens to VMs and devices, told to whoever listens.
 *
 * An event is lost when there is no memory for it or a listener is too slow;
 * nothing in the kernel depends on its arrival.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/pci.h>
#include <linux/timekeeping.h>
#include "nl/nl.h"

static int event_put_vm(struct sk_buff *skb, const struct pvm_vm_status *s)
{
	return nla_put_string(skb, PASSVM_A_NAME, s->name) ?:
	       nla_put_u32(skb, PASSVM_A_ID, s->id) ?:
	       nla_put_u32(skb, PASSVM_A_STATE, s->state) ?:
	       nla_put_u32(skb, PASSVM_A_END, s->end) ?:
	       nla_put_u32(skb, PASSVM_A_END_VALUE, s->end_value);
}

static int event_put(struct sk_buff *skb, const struct pvm_notify *n, const char *reason)
{
	int err;

	err = nla_put_u32(skb, PASSVM_A_NOTICE, n->notice) ?:
	      pvm_nl_put_u64(skb, PASSVM_A_TIME_NS, ktime_get_real_ns()) ?:
	      pvm_nl_put_u64(skb, PASSVM_A_TOOK_NS, n->took_ns) ?:
	      nla_put_s32(skb, PASSVM_A_ERROR, n->error);
	if (!err && n->step)
		err = nla_put_string(skb, PASSVM_A_STEP, n->step);
	if (!err && reason && *reason)
		err = nla_put_string(skb, PASSVM_A_REASON, reason);
	if (!err && n->notice == PVM_NOTICE_DEVICE)
		err = nla_put_u32(skb, PASSVM_A_DOMAIN, n->domain) ?:
		      nla_put_u32(skb, PASSVM_A_BUS, n->bus) ?:
		      nla_put_u32(skb, PASSVM_A_DEVFN, n->devfn);
	return err;
}

void pvm_vm_notify(struct pvm_vm *vm, const struct pvm_notify *n)
{
	struct pvm_vm_status *s = NULL;
	const char *reason = n->text;
	struct sk_buff *skb;
	void *head;
	int err;

	if (!READ_ONCE(pvm_nl_up))
		return;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	head = genlmsg_put(skb, 0, 0, &pvm_nl_family, 0, PASSVM_CMD_EVENT);
	if (!head)
		goto err_free;
	if (vm) {
		s = kzalloc(sizeof(*s), GFP_KERNEL);
		if (!s)
			goto err_free;
		pvm_vm_status(vm, s);
		if (!reason || !*reason)
			reason = n->notice == PVM_NOTICE_STATE ? s->reason : NULL;
		err = event_put_vm(skb, s);
		if (err)
			goto err_free;
	}
	err = event_put(skb, n, reason);
	if (err)
		goto err_free;
	genlmsg_end(skb, head);
	genlmsg_multicast(&pvm_nl_family, skb, 0, 0, GFP_KERNEL);
	kfree(s);
	return;

err_free:
	kfree(s);
	nlmsg_free(skb);
}

void pvm_nl_device_notify(struct pvm_vm *vm, struct pci_dev *pdev, const char *what,
			  const char *text, int error, u64 took_ns)
{
	struct pvm_notify n = {
		.notice		= PVM_NOTICE_DEVICE,
		.step		= what,
		.text		= text,
		.took_ns	= took_ns,
		.error		= error,
	};

	if (pdev) {
		n.domain = pci_domain_nr(pdev->bus);
		n.bus = pdev->bus->number;
		n.devfn = pdev->devfn;
	}
	pvm_vm_notify(vm, &n);
}
