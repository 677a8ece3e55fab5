// SPDX-License-Identifier: GPL-2.0-only
/* ACPI S5: SLP_TYP 0 with SLP_EN in PM1a control must end the VM as a power-off. */
#include "lib/guest.h"

void payload(void)
{
	ok(true, "alive before it");
	outw(0x604, 1 << 13);
	for (;;)
		asm volatile("cli; hlt");
}
