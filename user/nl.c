// SPDX-License-Identifier: GPL-2.0-only
/*
 * Talking to the module: requests with their answers and refusals, events.
 *
 * World:   user
 * Context: one thread
 */
#include <errno.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "names.h"
#include "nl.h"
#include "pvmctl.h"

#define ANSWER_WAIT_S	20	/* the module answers at once; this is for a broken one */

static struct nl_sock *command_sock, *event_sock;
static int family;
static char error_text[512];

/* One call in flight. */
struct call {
	void (*fn)(const struct answer *a, void *arg);
	void *arg;
	struct nlmsghdr *request;
	bool over;
	int err;
};

const char *mod_error(void)
{
	return error_text;
}

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct nl_sock *open_socket(void)
{
	struct nl_sock *s = need(nl_socket_alloc());
	struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	int one = 1;

	if (genl_connect(s)) {
		nl_socket_free(s);
		return NULL;
	}
	setsockopt(nl_socket_get_fd(s), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	nl_socket_enable_msg_peek(s);
	return s;
}

int mod_connect(bool loud)
{
	if (command_sock)
		return 0;
	command_sock = open_socket();
	if (!command_sock) {
		if (loud)
			complain("no generic netlink socket: %s", strerror(errno));
		return -1;
	}
	family = genl_ctrl_resolve(command_sock, PASSVM_FAMILY_NAME);
	if (family < 0) {
		nl_socket_free(command_sock);
		command_sock = NULL;
		if (loud)
			complain(
				"the module is not loaded; run 'modprobe passvm' as root");
		return -1;
	}
	return 0;
}

struct nl_msg *mod_request(int cmd)
{
	/* Room for the largest blob beside a name. */
	struct nl_msg *msg = need(nlmsg_alloc_size(PASSVM_BLOB_MAX + 1024));

	need(genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0, cmd, PASSVM_ABI));
	return msg;
}

/* The name of the attribute that begins @offset bytes into the request, or NULL. */
static const char *attr_at(const struct nlmsghdr *request, uint32_t offset)
{
	const struct nlattr *a = (const struct nlattr *)((const char *)request + offset);

	if (offset + sizeof(*a) > request->nlmsg_len || nla_type(a) > PASSVM_A_MAX)
		return NULL;
	return attr_names[nla_type(a)];
}

/* Reads the extended acknowledgement behind @e; the sentence goes to error_text. */
static void read_refusal(struct nlmsgerr *e, struct call *c)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	size_t at = sizeof(*e);
	const char *culprit = NULL, *text = NULL;
	struct nlattr *a;
	int left;

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		at += e->msg.nlmsg_len - NLMSG_HDRLEN;
	left = (int)nlh->nlmsg_len - NLMSG_HDRLEN - (int)NLMSG_ALIGN(at);
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && left > 0) {
		nla_for_each_attr(a, (struct nlattr *)((char *)e + NLMSG_ALIGN(at)), left, left) {
			if (nla_type(a) == NLMSGERR_ATTR_MSG)
				text = nla_get_string(a);
			if (nla_type(a) == NLMSGERR_ATTR_OFFS && nla_len(a) >= 4)
				culprit = attr_at(c->request, nla_get_u32(a));
		}
	}
	if (!text)
		snprintf(error_text, sizeof(error_text), "%s", strerror(-e->error));
	else if (culprit && strncmp(text, culprit, strlen(culprit)))
		snprintf(error_text, sizeof(error_text), "%s: %s", culprit, text);
	else
		snprintf(error_text, sizeof(error_text), "%s", text);
}

static int on_error(struct sockaddr_nl *who, struct nlmsgerr *e, void *arg)
{
	struct call *c = arg;

	(void)who;
	c->err = e->error;
	c->over = true;
	read_refusal(e, c);
	return NL_STOP;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	struct call *c = arg;

	(void)msg;
	c->over = true;
	return NL_STOP;
}

/* Events have no sequence to check. */
static int on_any(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static int on_answer(struct nl_msg *msg, void *arg)
{
	struct call *c = arg;
	struct answer a = { .nlh = nlmsg_hdr(msg) };

	if (a.nlh->nlmsg_type != family || genlmsg_parse(a.nlh, 0, a.attrs, PASSVM_A_MAX, NULL))
		return NL_SKIP;
	if (c->fn)
		c->fn(&a, c->arg);
	return NL_OK;
}

int mod_call(struct nl_msg *msg, void (*fn)(const struct answer *a, void *arg), void *arg)
{
	struct call c = { .fn = fn, .arg = arg, .request = nlmsg_hdr(msg) };
	struct nl_cb *cb = need(nl_cb_alloc(NL_CB_DEFAULT));
	int err;

	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_answer, &c);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, &c);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, &c);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &c);
	err = nl_send_auto(command_sock, msg);
	while (err >= 0 && !c.over) {
		err = nl_recvmsgs(command_sock, cb);
		if (err == -NLE_DUMP_INTR)
			err = 0; /* the list changed meanwhile: what came is true all the same */
	}
	if (!c.over) {
		snprintf(error_text, sizeof(error_text), "no answer from the module: %s",
			 nl_geterror(err));
		c.err = -EIO;
	}
	nl_cb_put(cb);
	nlmsg_free(msg);
	return c.err;
}

int mod_dump(int cmd, void (*fn)(const struct answer *a, void *arg), void *arg)
{
	struct nl_msg *msg = need(nlmsg_alloc());

	need(genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_DUMP, cmd, PASSVM_ABI));
	return mod_call(msg, fn, arg);
}

int mod_simple(int cmd, const char *name)
{
	struct nl_msg *msg = mod_request(cmd);
	int err;

	nla_put_string(msg, PASSVM_A_NAME, name);
	err = mod_call(msg, NULL, NULL);
	if (err)
		complain("%s: %s", name, mod_error());
	return err;
}

int mod_listen(void)
{
	int group, bytes = 1 << 20;

	if (event_sock)
		return 0;
	event_sock = open_socket();
	group = event_sock ? genl_ctrl_resolve_grp(event_sock, PASSVM_FAMILY_NAME,
						   PASSVM_MCGRP_EVENTS) : -1;
	if (group < 0 || nl_socket_add_membership(event_sock, group)) {
		complain("no events from the module");
		return -1;
	}
	setsockopt(nl_socket_get_fd(event_sock), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	nl_socket_disable_seq_check(event_sock);
	nl_socket_set_nonblocking(event_sock);
	return 0;
}

int mod_event_fd(void)
{
	return nl_socket_get_fd(event_sock);
}

int mod_events(int wait_ms, void (*fn)(const struct answer *a, void *arg), void *arg)
{
	struct pollfd p = { .fd = nl_socket_get_fd(event_sock), .events = POLLIN };
	struct call c = { .fn = fn, .arg = arg };
	struct nl_cb *cb;
	int n, err;

	n = poll(&p, 1, wait_ms);
	if (n <= 0)
		return n;
	cb = need(nl_cb_alloc(NL_CB_DEFAULT));
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_answer, &c);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_any, &c);
	err = nl_recvmsgs(event_sock, cb);
	nl_cb_put(cb);
	return err == -NLE_NOMEM ? -2 : 1;
}

uint64_t answer_u64(const struct answer *a, int attr)
{
	return a->attrs[attr] && nla_len(a->attrs[attr]) >= 8 ? nla_get_u64(a->attrs[attr]) : 0;
}

uint32_t answer_u32(const struct answer *a, int attr)
{
	if (!a->attrs[attr])
		return 0;
	if (nla_len(a->attrs[attr]) >= 4)
		return nla_get_u32(a->attrs[attr]);
	return nla_len(a->attrs[attr]) >= 2 ? nla_get_u16(a->attrs[attr]) : 0;
}

int32_t answer_s32(const struct answer *a, int attr)
{
	return (int32_t)answer_u32(a, attr);
}

const char *answer_text(const struct answer *a, int attr)
{
	const struct nlattr *n = a->attrs[attr];

	return n && nla_len(n) && !((char *)nla_data(n))[nla_len(n) - 1] ? nla_data(n) : "";
}
