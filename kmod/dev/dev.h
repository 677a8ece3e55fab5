/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device model contract.
 *
 * A model is plain sequential code: no lock, allocation, sleep or clock of its
 * own. The bus holds the device's lock around read and write, dev.c around
 * timer and reset, so a model never runs twice at once. All it may ask of the
 * outside is struct pvm_dev_host. State structs embed struct pvm_dev first and
 * are part of the board, so there is no failing init.
 *
 * Lock order: the lock of an ordinary device is taken before those of the
 * interrupt chips (host->irq calls into them), and no model calls another
 * ordinary one.
 *
 * World:   pure (the types); dev.c is kernel only
 * Context: model calls come with the device's lock held and IRQs off
 */
#ifndef PVM_DEV_H
#define PVM_DEV_H

#include <pvm/env.h>
#include "bus/bus.h"

struct pvm_dev;

#define PVM_DEV_TIMERS	4	/* ids 0..3 per device */

/* A field to save, as data: name, offset and size in the model's struct. */
struct pvm_state_desc {
	const char *name;
	u32 offset;
	u32 bytes;
};

#define PVM_STATE(type, field) \
	{ #field, offsetof(type, field), sizeof_field(type, field) }
#define PVM_STATE_END	{ NULL, 0, 0 }

struct pvm_dev_ops {
	const char *name;
	/* Power-on and reset state. Lowers its interrupt lines, stops its timers. */
	void (*reset)(struct pvm_dev *d);
	/* @bytes is 1, 2, 4 or 8 and off + bytes <= the region's size. */
	u64  (*read)(struct pvm_dev *d, u32 region, u64 off, u32 bytes);
	void (*write)(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val);
	/* Timer @id, set by host->timer_set, has expired; it is off now. */
	void (*timer)(struct pvm_dev *d, u32 id, u64 now_ns);
	const struct pvm_state_desc *state;	/* NULL: nothing to save */
};

struct pvm_dev_host {
	/* Monotonic guest time; stands still while the VM is paused. */
	u64  (*now_ns)(struct pvm_dev *d);
	/* Arms timer @id for the absolute time @when_ns; 0 turns it off. */
	void (*timer_set)(struct pvm_dev *d, u32 id, u64 when_ns);
	/* Level of the device's interrupt line @line (a GSI number of the board). */
	void (*irq)(struct pvm_dev *d, u32 line, bool level);
	void (*msi)(struct pvm_dev *d, u64 addr, u32 data);
	/* Guest RAM; 0 or -EFAULT when any byte is not RAM. */
	int  (*dma_read)(struct pvm_dev *d, u64 gpa, void *to, u32 bytes);
	int  (*dma_write)(struct pvm_dev *d, u64 gpa, const void *from, u32 bytes);
	/* Counts and (rate-limited) logs what the guest did wrong. */
	void (*guest_error)(struct pvm_dev *d, const char *what, u64 arg);
	/* Machine events, see enum pvm_signal; @arg as it says. */
	void (*signal)(struct pvm_dev *d, u32 signal, u64 arg);
};

/* What a model tells the machine. */
enum pvm_signal {
	PVM_SIGNAL_POWEROFF,	/* ACPI S5 */
	PVM_SIGNAL_RESET,	/* reset line: 0xcf9, 8042, ACPI reset register */
	PVM_SIGNAL_DEBUG_EXIT,	/* arg: the value written */
	PVM_SIGNAL_OUTPUT,	/* arg: a byte for the device's stream (UART, debug console) */
	PVM_SIGNAL_WORK,	/* arg: device's own number: run the device's worker */
	PVM_SIGNAL_INPUT_ROOM,	/* the UART can take input again */
};

struct pvm_dev {
	const struct pvm_dev_ops *ops;
	const struct pvm_dev_host *host;
	void *owner;		/* whoever made host: the VM, or a test */
	void *slot;		/* dev.c's lock and timers; NULL in tests */
	u32 line;		/* the board's GSI for the device's first line */
};

/* Short forms for models. */
static inline u64 pvm_dev_now(struct pvm_dev *d)
{
	return d->host->now_ns(d);
}

static inline void pvm_dev_timer(struct pvm_dev *d, u32 id, u64 when_ns)
{
	d->host->timer_set(d, id, when_ns);
}

static inline void pvm_dev_irq(struct pvm_dev *d, u32 line, bool level)
{
	d->host->irq(d, line, level);
}

static inline void pvm_dev_signal(struct pvm_dev *d, u32 signal, u64 arg)
{
	d->host->signal(d, signal, arg);
}

/*
 * dev.c: gives @d its lock and timers. @inner: an interrupt chip, whose lock
 * nests inside those of ordinary devices. Process context.
 * Returns -ENOMEM. free() waits for running timers and cannot fail.
 */
int pvm_dev_attach(struct pvm_dev *d, const struct pvm_dev_ops *ops,
		   const struct pvm_dev_host *host, void *owner, bool inner);
void pvm_dev_detach(struct pvm_dev *d);

/* dev.c: calls a model under its lock. Any context. */
void pvm_dev_reset(struct pvm_dev *d);
unsigned long pvm_dev_lock(struct pvm_dev *d);
void pvm_dev_unlock(struct pvm_dev *d, unsigned long flags);

/* dev.c: the host.timer_set of every board device. */
void pvm_dev_timer_set(struct pvm_dev *d, u32 id, u64 when_ns);

#endif /* PVM_DEV_H */
