// SPDX-License-Identifier: GPL-2.0-only
/* 6.16: rdmsrl() and its kin end in q. */
#include <asm/msr.h>

u64 pvm_probe(void);

u64 pvm_probe(void)
{
	u64 v;

	rdmsrq(0x10, v);
	wrmsrq(0x10, v);
	return v;
}
