// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device commands: claim, release, reset, and what is known of each device.
 *
 * World:   kernel
 * Context: process, may sleep; handlers in the context of the sender
 */
#include <linux/pci.h>
#include <linux/slab.h>
#include "nl/nl.h"

struct pass_request {
	struct pvm_pass_sel sel[PVM_PASS_SELECTORS];
	u32 count;
	struct pvm_why why;
};

static int pass_read_selectors(struct genl_info *info, struct pass_request *r)
{
	struct nlattr *a;
	int left, err;

	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, left) {
		if (nla_type(a) != PASSVM_A_SELECTOR)
			continue;
		if (r->count == PVM_PASS_SELECTORS)
			return pvm_nl_refuse(info, -E2BIG, PASSVM_A_SELECTOR,
					     "more than %d devices", PVM_PASS_SELECTORS);
		err = pvm_pass_parse(nla_data(a), &r->sel[r->count], &r->why);
		if (err)
			return pvm_nl_refuse_why(info, err, PASSVM_A_SELECTOR, &r->why);
		r->count++;
	}
	return 0;
}

static int pass_reset(const struct pvm_pass_sel *sel, u32 count, const char *method,
		      struct pvm_why *why)
{
	return pvm_pass_reset(sel, method, why);
}

static int pass_claim(const struct pvm_pass_sel *sel, u32 count, const char *method,
		      struct pvm_why *why)
{
	return pvm_pass_claim(sel, count, why);
}

static int pass_release(const struct pvm_pass_sel *sel, u32 count, const char *method,
			struct pvm_why *why)
{
	return pvm_pass_release(sel, count, why);
}

/* Unpacks devices (at most @most) and the method, calls @fn. */
static int pass_command(struct genl_info *info, u32 most, const char *method,
			int (*fn)(const struct pvm_pass_sel *sel, u32 count, const char *method,
				  struct pvm_why *why))
{
	static const int need[] = { PASSVM_A_SELECTOR };
	struct pass_request *r;
	int err;

	err = pvm_nl_need(info, need, ARRAY_SIZE(need));
	if (err)
		return err;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	err = pass_read_selectors(info, r);
	if (err)
		goto out_free;
	if (r->count > most) {
		err = pvm_nl_refuse(info, -E2BIG, PASSVM_A_SELECTOR, "one device at a time");
		goto out_free;
	}
	err = fn(r->sel, r->count, method, &r->why);
	if (err)
		pvm_nl_refuse_why(info, err, 0, &r->why);
out_free:
	kfree(r);
	return err;
}

int pvm_nl_device_claim(struct sk_buff *skb, struct genl_info *info)
{
	return pass_command(info, PVM_PASS_SELECTORS, NULL, pass_claim);
}

int pvm_nl_device_release(struct sk_buff *skb, struct genl_info *info)
{
	return pass_command(info, PVM_PASS_SELECTORS, NULL, pass_release);
}

int pvm_nl_device_reset(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *method = info->attrs[PASSVM_A_METHOD];

	return pass_command(info, 1, method ? nla_data(method) : NULL, pass_reset);
}

/* --- state ----------------------------------------------------------------- */

static int pass_put_function(struct sk_buff *skb, struct pci_dev *pdev,
			     const struct pvm_pass_info *i)
{
	int err;

	err = nla_put_u32(skb, PASSVM_A_DOMAIN, pci_domain_nr(pdev->bus)) ?:
	      nla_put_u32(skb, PASSVM_A_BUS, pdev->bus->number) ?:
	      nla_put_u32(skb, PASSVM_A_DEVFN, pdev->devfn) ?:
	      nla_put_u16(skb, PASSVM_A_VENDOR_ID, pdev->vendor) ?:
	      nla_put_u16(skb, PASSVM_A_DEVICE_ID, pdev->device) ?:
	      nla_put_u32(skb, PASSVM_A_DEVICE_STATE, i->state) ?:
	      nla_put_u32(skb, PASSVM_A_GRADE, i->grade) ?:
	      nla_put_string(skb, PASSVM_A_DRIVER, i->previous_driver) ?:
	      nla_put_string(skb, PASSVM_A_METHOD, i->reset_method) ?:
	      nla_put_string(skb, PASSVM_A_REASON, i->reason);
	if (!err && i->state == PVM_PASS_ATTACHED)
		err = nla_put_u32(skb, PASSVM_A_ID, i->vm_id);
	return err;
}

static bool pass_lookup(struct pci_dev *pdev, struct pvm_pass_info *i)
{
	memset(i, 0, sizeof(*i));
	return pvm_pass_info(pci_domain_nr(pdev->bus), pdev->bus->number, pdev->devfn, i);
}

int pvm_nl_device_get(struct sk_buff *skb, struct genl_info *info)
{
	static const int need[] = { PASSVM_A_BUS, PASSVM_A_DEVFN };
	struct pvm_pass_info i;
	struct pci_dev *pdev;
	struct sk_buff *msg;
	void *head;
	int err;

	err = pvm_nl_need(info, need, ARRAY_SIZE(need));
	if (err)
		return err;
	pdev = pci_get_domain_bus_and_slot(pvm_nl_u32_or(info, PASSVM_A_DOMAIN, 0),
					   nla_get_u32(info->attrs[PASSVM_A_BUS]),
					   nla_get_u32(info->attrs[PASSVM_A_DEVFN]));
	if (!pdev)
		return pvm_nl_refuse(info, -ENOENT, PASSVM_A_DEVFN,
				     "there is no PCI function at this address");
	pass_lookup(pdev, &i);
	err = -ENOMEM;
	msg = pvm_nl_reply(info, GENLMSG_DEFAULT_SIZE, PASSVM_CMD_DEVICE_GET, &head);
	if (msg)
		err = pvm_nl_send(info, msg, head, pass_put_function(msg, pdev, &i));
	pci_dev_put(pdev);
	return err;
}

static void *pass_dump_head(struct sk_buff *skb, struct netlink_callback *cb)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &pvm_nl_family,
			   NLM_F_MULTI, PASSVM_CMD_DEVICE_GET);
}

/* The functions that are ours, from cb->args[0] on; false if @skb is full. */
static bool pass_dump_functions(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct pci_dev *pdev = NULL;
	struct pvm_pass_info i;
	unsigned long index = 0;
	void *head;

	for_each_pci_dev(pdev) {
		if (index++ < (unsigned long)cb->args[0])
			continue;
		if (!pass_lookup(pdev, &i)) {
			cb->args[0] = index;
			continue;
		}
		head = pass_dump_head(skb, cb);
		if (!head || pass_put_function(skb, pdev, &i)) {
			genlmsg_cancel(skb, head);
			pci_dev_put(pdev);
			return false;
		}
		genlmsg_end(skb, head);
		cb->args[0] = index;
	}
	return true;
}

/* The claims that were refused, from cb->args[1] on. */
static void pass_dump_refused(struct sk_buff *skb, struct netlink_callback *cb)
{
	char dev[48], why[160];
	void *head;

	while (!pvm_pass_refused(cb->args[1], dev, sizeof(dev), why, sizeof(why))) {
		head = pass_dump_head(skb, cb);
		if (!head || nla_put_string(skb, PASSVM_A_SELECTOR, dev) ||
		    nla_put_string(skb, PASSVM_A_REASON, why)) {
			genlmsg_cancel(skb, head);
			return;
		}
		genlmsg_end(skb, head);
		cb->args[1]++;
	}
}

int pvm_nl_device_get_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	if (pass_dump_functions(skb, cb))
		pass_dump_refused(skb, cb);
	return skb->len;
}
