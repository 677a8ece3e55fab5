/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink messages byte by byte, so that they can be wrong in every way.
 *
 * World:   api tests
 * Context: single-threaded
 */
#ifndef PVM_API_RAW_H
#define PVM_API_RAW_H

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <uapi/passvm.h>

#define RAW_BYTES	131072

struct raw {
	int sock;
	uint16_t family;
	uint32_t group, seq;
	uint8_t out[RAW_BYTES];		/* the request */
	uint32_t used;
	uint8_t in[RAW_BYTES];		/* the first answer that is no acknowledgement */
	uint32_t in_bytes;
	uint32_t answers;		/* how many there were */
	bool acked;			/* an acknowledgement came at all */
	char text[512];			/* of the extended acknowledgement */
	int32_t offset;			/* of the attribute it points at, or -1 */
};

static inline void raw_begin(struct raw *r, uint16_t type, uint8_t cmd, uint16_t flags)
{
	struct nlmsghdr *h = (struct nlmsghdr *)r->out;
	struct genlmsghdr *g = NLMSG_DATA(h);

	memset(r->out, 0, NLMSG_LENGTH(GENL_HDRLEN));
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = ++r->seq;
	g->cmd = cmd;
	g->version = 1;
	r->used = NLMSG_LENGTH(GENL_HDRLEN);
}

/* An attribute of @bytes whose header says @claimed bytes of payload. */
static inline void raw_attr_as(struct raw *r, uint16_t type, const void *data, uint32_t bytes,
			       uint32_t claimed)
{
	struct nlattr a = { .nla_len = NLA_HDRLEN + claimed, .nla_type = type };

	memcpy(r->out + r->used, &a, sizeof(a));
	memcpy(r->out + r->used + NLA_HDRLEN, data, bytes);
	memset(r->out + r->used + NLA_HDRLEN + bytes, 0, 4);
	r->used += NLA_HDRLEN + NLA_ALIGN(bytes);
}

static inline void raw_attr(struct raw *r, uint16_t type, const void *data, uint32_t bytes)
{
	raw_attr_as(r, type, data, bytes, bytes);
}

static inline void raw_text(struct raw *r, uint16_t type, const char *text)
{
	raw_attr(r, type, text, strlen(text) + 1);
}

static inline void raw_u32(struct raw *r, uint16_t type, uint32_t v)
{
	raw_attr(r, type, &v, 4);
}

static inline void raw_u64(struct raw *r, uint16_t type, uint64_t v)
{
	raw_attr(r, type, &v, 8);
}

static inline const struct nlattr *raw_find(const uint8_t *from, const uint8_t *end, uint16_t type)
{
	while (from + sizeof(struct nlattr) <= end) {
		const struct nlattr *a = (const struct nlattr *)from;

		if (a->nla_len < NLA_HDRLEN || from + a->nla_len > end)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		from += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

static inline void raw_read_ack(struct raw *r, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	const uint8_t *from = (const uint8_t *)(e + 1), *end = (const uint8_t *)h + h->nlmsg_len;
	const struct nlattr *a;

	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		from += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) || from > end)
		return;
	a = raw_find(from, end, NLMSGERR_ATTR_MSG);
	if (a)
		snprintf(r->text, sizeof(r->text), "%.*s", a->nla_len - NLA_HDRLEN,
			 (const char *)a + NLA_HDRLEN);
	a = raw_find(from, end, NLMSGERR_ATTR_OFFS);
	if (a)
		memcpy(&r->offset, (const char *)a + NLA_HDRLEN, 4);
}

/* Sends what was put together, and returns 0 or the negative errno of the answer. */
static inline int raw_call(struct raw *r)
{
	struct nlmsghdr *h = (struct nlmsghdr *)r->out;
	static uint8_t buffer[RAW_BYTES];
	ssize_t n;

	if (!h->nlmsg_len)
		h->nlmsg_len = r->used;
	r->text[0] = 0;
	r->offset = -1;
	r->in_bytes = r->answers = 0;
	r->acked = false;
	if (send(r->sock, r->out, r->used, 0) != (ssize_t)r->used)
		return -errno;
	for (;;) {
		n = recv(r->sock, buffer, sizeof(buffer), 0);
		if (n < 0)
			return -errno;
		for (h = (struct nlmsghdr *)buffer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_seq != r->seq)
				continue;
			if (h->nlmsg_type == NLMSG_ERROR) {
				r->acked = true;
				raw_read_ack(r, h);
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			}
			if (h->nlmsg_type == NLMSG_DONE)
				return *(int *)NLMSG_DATA(h);
			if (!r->answers++ && h->nlmsg_len <= RAW_BYTES) {
				memcpy(r->in, h, h->nlmsg_len);
				r->in_bytes = h->nlmsg_len;
			}
		}
	}
}

/* Payload of an attribute of the first answer, or NULL. */
static inline const void *raw_answer(const struct raw *r, uint16_t type)
{
	const struct nlattr *a =
		raw_find(r->in + NLMSG_LENGTH(GENL_HDRLEN), r->in + r->in_bytes, type);

	return r->in_bytes && a ? (const uint8_t *)a + NLA_HDRLEN : NULL;
}

static inline bool raw_open(struct raw *r)
{
	struct timeval wait = { .tv_sec = 10 };
	const struct nlattr *a;
	const uint16_t *id;
	int one = 1;

	memset(r, 0, sizeof(*r));
	r->sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (r->sock < 0)
		return false;
	setsockopt(r->sock, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(r->sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	raw_begin(r, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	raw_text(r, CTRL_ATTR_FAMILY_NAME, PASSVM_FAMILY_NAME);
	if (raw_call(r))
		return false;
	id = raw_answer(r, CTRL_ATTR_FAMILY_ID);
	if (!id)
		return false;
	r->family = *id;
	/* The only group is the first entry of the list. */
	a = raw_find(r->in + NLMSG_LENGTH(GENL_HDRLEN), r->in + r->in_bytes,
		     CTRL_ATTR_MCAST_GROUPS);
	if (a)
		a = (const struct nlattr *)((const uint8_t *)a + NLA_HDRLEN);
	if (a)
		a = raw_find((const uint8_t *)a + NLA_HDRLEN, (const uint8_t *)a + a->nla_len,
			     CTRL_ATTR_MCAST_GRP_ID);
	if (a)
		memcpy(&r->group, (const uint8_t *)a + NLA_HDRLEN, 4);
	return true;
}

static inline void raw_close(struct raw *r)
{
	close(r->sock);
}

#endif /* PVM_API_RAW_H */
