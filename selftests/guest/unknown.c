// SPDX-License-Identifier: GPL-2.0-only
/* An instruction on a device that is not emulated (x87): must end the VM with a reason. */
#include "lib/guest.h"

void payload(void)
{
	ok(true, "alive before it");
	asm volatile("fninit; fldl (%0)" : : "r" (0xfed000f0ul));
	ok(false, "alive after it");
}
