/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything a pure unit may take from the kernel.
 *
 * selftests/host/env/pvm/env.h is the twin with the same guard: pure sources
 * include <pvm/env.h> and the include order decides which world they are in.
 * Adding a name here means adding it there.
 *
 * World:   kernel
 * Context: any
 */
#ifndef PVM_ENV_H
#define PVM_ENV_H

#include <linux/types.h>
#include <linux/stddef.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/atomic.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>

/* Unaligned little- and big-endian accessors: get_unaligned_le16() and so on. */
#ifdef PVM_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* Nanoseconds in a second, as the timer models count. */
#define PVM_NS_PER_S	1000000000ull

/* a * b / c without overflow of the product; c must not be 0. */
static inline u64 pvm_muldiv64(u64 a, u64 b, u64 c)
{
	return mul_u64_u64_div_u64(a, b, c);
}

#include <pvm/types.h>

#endif /* PVM_ENV_H */
