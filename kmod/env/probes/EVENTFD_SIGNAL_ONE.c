// SPDX-License-Identifier: GPL-2.0-only
/* 6.8: eventfd_signal() always adds one. */
#include <linux/eventfd.h>

void pvm_probe(struct eventfd_ctx *ctx);

void pvm_probe(struct eventfd_ctx *ctx)
{
	eventfd_signal(ctx);
}
