// SPDX-License-Identifier: GPL-2.0-only
/* Stays until it is killed, halted with interrupts on; not a test by itself. */
#include "lib/guest.h"

void payload(void)
{
	ok(true, "here");
	for (;;)
		sti_hlt();
}
