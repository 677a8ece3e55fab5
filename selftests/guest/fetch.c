// SPDX-License-Identifier: GPL-2.0-only
/* Code that lies in a device, which cannot be run: must end the VM with a reason. */
#include "lib/guest.h"

void payload(void)
{
	ok(true, "alive before it");
	((void (*)(void))0xfed00000ul)();
	ok(false, "alive after it");
}
