/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Talking to the module.
 *
 * World:   user
 * Context: one thread
 */
#ifndef PVM_USER_NL_H
#define PVM_USER_NL_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>
#include <uapi/passvm.h>

#include "cc.h"

/* What an answer or event holds: the last attribute of each kind, and @nlh for all of them. */
struct answer {
	struct nlattr *attrs[PASSVM_A_MAX + 1];
	struct nlmsghdr *nlh;
};

/* Connects. Without the module: complains with the remedy if @loud. 0 or -1. */
int mod_connect(bool loud);

/* A request; attributes are added with libnl's nla_put_*(), which mod_call() checks. */
struct nl_msg *mod_request(int cmd);

/*
 * Sends @msg (and frees it) and calls @fn for each answer. 0 or -errno; then
 * mod_error() is the module's sentence. mod_dump() does the same for a list.
 */
int mod_call(struct nl_msg *msg, void (*fn)(const struct answer *a, void *arg), void *arg);
int mod_dump(int cmd, void (*fn)(const struct answer *a, void *arg), void *arg);
const char *mod_error(void);

/* A request that has a VM's name and nothing else. Complains. 0 or -errno. */
int mod_simple(int cmd, const char *name);

/* Events from here on. 0 or -1, having complained. */
int mod_listen(void);

/*
 * Waits at most @wait_ms (-1: for ever) for events and hands them to @fn. Returns
 * 1 when something arrived, 0 when the time is over, -1 when interrupted, -2 when events were lost.
 * mod_event_fd() is for a caller's own poll().
 */
int mod_events(int wait_ms, void (*fn)(const struct answer *a, void *arg), void *arg);
int mod_event_fd(void);

/* Values of attributes that may be absent: 0 or "" then. */
uint64_t answer_u64(const struct answer *a, int attr);
uint32_t answer_u32(const struct answer *a, int attr);
int32_t answer_s32(const struct answer *a, int attr);
const char *answer_text(const struct answer *a, int attr);

/* Text of an enumeration's value. */
#define name_of(names, value) \
	((value) < ARRAY_SIZE(names) ? (names)[value] : "?")

uint64_t now_ms(void);

#endif /* PVM_USER_NL_H */
