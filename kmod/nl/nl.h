/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The netlink front: what the files of this folder share, and its init.
 *
 * A handler unpacks attributes, calls one function of vm/ or pass/, packs the
 * answer. It runs in the sender's context with the genetlink lock held for
 * reading, and so must not wait for anything.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#ifndef PVM_NL_H
#define PVM_NL_H

#include "nl/passvm_nl.h"
#include "pass/pass.h"
#include "vm/vm.h"

struct file;

extern struct genl_family pvm_nl_family;

/* Whether there is a family to tell events to: devices are claimed before it is registered. */
extern bool pvm_nl_up;

/*
 * Refuses a request: returns @err after setting the message "ATTRIBUTE: sentence"
 * and pointing at @attr (PASSVM_A_*, also one that is missing; 0: none is at fault).
 */
__printf(4, 5) int pvm_nl_refuse(struct genl_info *info, int err, int attr, const char *fmt, ...);

/* The same with the sentence that vm/ or pass/ gave, if they gave one. */
int pvm_nl_refuse_why(struct genl_info *info, int err, int attr, const struct pvm_why *why);

/* -EINVAL with a message if one of the @count attributes of @attrs is missing. */
int pvm_nl_need(struct genl_info *info, const int *attrs, u32 count);

/* The VM that the attribute name names, with a reference, or NULL with @err set and refused. */
struct pvm_vm *pvm_nl_vm(struct genl_info *info, int *err);

/* The file of the attribute fd, open in every mode of @mode, or NULL with @err set and refused. */
struct file *pvm_nl_file(struct genl_info *info, fmode_t mode, int *err);

static inline u64 pvm_nl_u64_or(struct genl_info *info, int attr, u64 otherwise)
{
	return info->attrs[attr] ? nla_get_u64(info->attrs[attr]) : otherwise;
}

static inline u32 pvm_nl_u32_or(struct genl_info *info, int attr, u32 otherwise)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : otherwise;
}

/* x86 reads 64-bit values at any address, so no padding attribute goes before them. */
static inline int pvm_nl_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put(skb, attr, sizeof(value), &value);
}

/* Begins an answer with room for @bytes; NULL without memory. @head goes to pvm_nl_send(). */
struct sk_buff *pvm_nl_reply(struct genl_info *info, size_t bytes, u8 cmd, void **head);

/* Sends it, or frees it if @err is not 0. Returns @err or what became of the message. */
int pvm_nl_send(struct genl_info *info, struct sk_buff *skb, void *head, int err);

int pvm_nl_init(void);
void pvm_nl_exit(void);

/* For pvm_pass_init(): tells listeners what happened to a device. */
void pvm_nl_device_notify(struct pvm_vm *vm, struct pci_dev *pdev, const char *what,
			  const char *text, int error, u64 took_ns);

#endif /* PVM_NL_H */
