// SPDX-License-Identifier: GPL-2.0-only
/* A triple fault: must end the VM with a reason, so nothing after it is ever run. */
#include "lib/guest.h"

void payload(void)
{
	struct { u16 limit; u64 base; } __attribute__((packed)) none = { 0, 0 };

	ok(true, "alive before it");
	asm volatile("lidt %0; ud2" : : "m" (none));
	ok(false, "alive after it");
}
