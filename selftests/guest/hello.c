// SPDX-License-Identifier: GPL-2.0-only
/* Does a guest run at all: long mode, serial port, CPUID, an exception. */
#include "lib/guest.h"

static void undefined(void *unused)
{
	asm volatile("ud2");
}

void payload(void)
{
	u32 r[4];
	char name[13] = "";

	cpuid(0x40000000, 0, r);
	memcpy(name, &r[1], 12);
	note("hypervisor \"%s\", boot magic %x", name, boot_magic);
	ok(boot_magic == 0x2badb002, "started by Multiboot");
	ok(catch_trap(undefined, NULL, NULL) == 6, "UD2 raises #UD");
}
