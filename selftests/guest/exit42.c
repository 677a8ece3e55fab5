// SPDX-License-Identifier: GPL-2.0-only
/* The debug-exit port: value 42 must become the status 85. */
#include "lib/guest.h"

void payload(void)
{
	ok(true, "alive before it");
	outb(EXIT_PORT, 42);
	for (;;)
		asm volatile("cli; hlt");
}
