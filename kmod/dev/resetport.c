// SPDX-License-Identifier: GPL-2.0-only
/*
 * System control port A (0x92): fast reset, and the A20 gate's second switch.
 *
 * World:   pure
 * Context: device's lock held
 * Spec:    DS ICH9 "PORT92"
 */
#include <pvm/env.h>
#include "dev/models.h"

#define INIT_NOW	BIT(0)	/* 0 to 1: reset */
#define ALT_A20_GATE	BIT(1)

static struct pvm_resetport *resetport(struct pvm_dev *d)
{
	return container_of(d, struct pvm_resetport, dev);
}

static void resetport_reset(struct pvm_dev *d)
{
	/* Address line 20 is always open here; the bit only remembers. */
	resetport(d)->port92 = ALT_A20_GATE;
}

static u64 resetport_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	return resetport(d)->port92;
}

static void resetport_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	struct pvm_resetport *r = resetport(d);
	bool reset = (val & INIT_NOW) && !(r->port92 & INIT_NOW);

	r->port92 = val & (INIT_NOW | ALT_A20_GATE);
	if (reset)
		pvm_dev_signal(d, PVM_SIGNAL_RESET, 0);
}

static void resetport_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
}

static const struct pvm_state_desc resetport_state[] = {
	PVM_STATE(struct pvm_resetport, port92),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_resetport_ops = {
	.name	= "resetport",
	.reset	= resetport_reset,
	.read	= resetport_read,
	.write	= resetport_write,
	.timer	= resetport_timer,
	.state	= resetport_state,
};
