// SPDX-License-Identifier: GPL-2.0-only
/* 6.12: unaligned.h is no longer the architecture's. */
#include <linux/unaligned.h>

u16 pvm_probe(const void *p);

u16 pvm_probe(const void *p)
{
	return get_unaligned_le16(p);
}
