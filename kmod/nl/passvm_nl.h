/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies, operations and attribute names of the netlink family.
 *
 * Generated from Documentation/netlink/specs/passvm.yaml
 * by Documentation/netlink/gen.py; change those.
 *
 * World:   kernel
 * Context: any
 */
#ifndef PVM_PASSVM_NL_H
#define PVM_PASSVM_NL_H

#include <net/genetlink.h>
#include <uapi/passvm.h>

#define PVM_NL_OPS	23

extern const struct genl_ops pvm_nl_ops[PVM_NL_OPS];
extern const char *const pvm_nl_attr_names[PASSVM_A_MAX + 1];

/* Implemented by nl/nl.c: -EPERM with a message unless the sender may change things. */
int pvm_nl_admin(struct sk_buff *skb, struct genl_info *info);

/* Implemented by the other files of nl/. */
int pvm_nl_get_info(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_new(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_load(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_blob(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_entry(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_disk(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_net(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_device(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_serial(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_start(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_stop(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_reboot(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_kill(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_pause(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_resume(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_forget(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_get(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_get_dump(struct sk_buff *skb, struct netlink_callback *cb);
int pvm_nl_vm_stats(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_vm_console(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_device_get(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_device_get_dump(struct sk_buff *skb, struct netlink_callback *cb);
int pvm_nl_device_claim(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_device_release(struct sk_buff *skb, struct genl_info *info);
int pvm_nl_device_reset(struct sk_buff *skb, struct genl_info *info);

#endif /* PVM_PASSVM_NL_H */
