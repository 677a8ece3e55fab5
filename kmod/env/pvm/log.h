/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel log lines with the module's prefix, and the sentence that goes with an
 * error.
 *
 * pvm_guest_dbg() is for what a guest can cause: it is rate-limited and a debug
 * message, so that a guest cannot flood the host's log.
 *
 * World:   kernel
 * Context: any
 */
#ifndef PVM_LOG_H
#define PVM_LOG_H

#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

#define pvm_err(fmt, ...)	printk(KERN_ERR "passvm: " fmt "\n", ##__VA_ARGS__)
#define pvm_info(fmt, ...)	printk(KERN_INFO "passvm: " fmt "\n", ##__VA_ARGS__)
#define pvm_dbg(fmt, ...)	pr_debug("passvm: " fmt "\n", ##__VA_ARGS__)
#define pvm_guest_dbg(fmt, ...)	pr_debug_ratelimited("passvm: guest: " fmt "\n", ##__VA_ARGS__)

/*
 * Why a function failed, for the user: one sentence without a full stop that
 * names the thing and, where there is one, the remedy. The function that knows
 * best sets it; callers pass it on. A caller that does not care passes NULL.
 */
struct pvm_why {
	char text[160];
};

#define pvm_why_set(why, fmt, ...)						\
do {										\
	struct pvm_why *why_ = (why);						\
										\
	if (why_)								\
		snprintf(why_->text, sizeof(why_->text), fmt, ##__VA_ARGS__);	\
} while (0)

/* Sets the sentence and is the error: return pvm_fail(why, -EINVAL, "..."). */
#define pvm_fail(why, error, fmt, ...)						\
({										\
	pvm_why_set(why, fmt, ##__VA_ARGS__);					\
	(error);								\
})

#endif /* PVM_LOG_H */
