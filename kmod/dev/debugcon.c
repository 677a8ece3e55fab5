// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three ports by which firmware and test programs talk: the firmware debug
 * console, the debug-exit port and the power-on self-test code.
 *
 * World:   pure
 * Context: device's lock held
 */
#include <pvm/env.h>
#include "dev/models.h"

/* SeaBIOS and OVMF print only where a read gives this. */
#define DEBUGCON_PRESENT	0xe9

static void debug_reset(struct pvm_dev *d)
{
}

static void debug_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
}

static u64 debugcon_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	return DEBUGCON_PRESENT;
}

static void debugcon_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	pvm_dev_signal(d, PVM_SIGNAL_OUTPUT, val & 0xff);
}

const struct pvm_dev_ops pvm_debugcon_ops = {
	.name	= "debugcon",
	.reset	= debug_reset,
	.read	= debugcon_read,
	.write	= debugcon_write,
	.timer	= debug_timer,
};

static u64 debug_exit_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	return 0;
}

static void debug_exit_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	pvm_dev_signal(d, PVM_SIGNAL_DEBUG_EXIT, val & pvm_bytes_mask(bytes));
}

const struct pvm_dev_ops pvm_debug_exit_ops = {
	.name	= "debug-exit",
	.reset	= debug_reset,
	.read	= debug_exit_read,
	.write	= debug_exit_write,
	.timer	= debug_timer,
};

static u64 post_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	return container_of(d, struct pvm_post, dev)->code;
}

static void post_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	container_of(d, struct pvm_post, dev)->code = val;
}

static const struct pvm_state_desc post_state[] = {
	PVM_STATE(struct pvm_post, code),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_post_ops = {
	.name	= "post",
	.reset	= debug_reset,
	.read	= post_read,
	.write	= post_write,
	.timer	= debug_timer,
	.state	= post_state,
};
