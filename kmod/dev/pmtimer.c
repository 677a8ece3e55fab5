// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI PM timer: the reference device.
 *
 * A free-running 32-bit counter (the FADT says TMR_VAL_EXT). It is a function
 * of guest time alone, so there is no state, no timer and nothing to save. Its
 * status bit and interrupt are in acpi_pm.c.
 *
 * Tour 6.2: the smallest device
 * A model from end to end in a few lines: state, read, ops. The others are this with more
 * registers. selftests/host/test_pmtimer.c compiles the same file outside the kernel.
 *
 * World:   pure
 * Context: device's lock held
 * Spec:    ACPI r6.5, sec 4.8.3.3 "Power Management Timer"
 */
#include <pvm/env.h>
#include "dev/models.h"

static void pmtimer_reset(struct pvm_dev *d)
{
}

static u64 pmtimer_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	u64 ticks = (u32)pvm_pmtimer_ticks(pvm_dev_now(d));

	return (ticks >> (8 * off)) & pvm_bytes_mask(bytes);
}

static void pmtimer_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
}

static void pmtimer_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
}

const struct pvm_dev_ops pvm_pmtimer_ops = {
	.name	= "pmtimer",
	.reset	= pmtimer_reset,
	.read	= pmtimer_read,
	.write	= pmtimer_write,
	.timer	= pmtimer_timer,
};
