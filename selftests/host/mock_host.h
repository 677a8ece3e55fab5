/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host for device models under test: a clock that only moves when told to,
 * timers, a log of interrupt lines, 1 MiB of RAM, and what models signal.
 *
 *	struct mock_host m;
 *	struct pvm_uart u;
 *
 *	mock_init(&m);
 *	memset(&u, 0, sizeof(u));
 *	mock_attach(&m, &u.dev, &pvm_uart_ops, 4);	attaches and resets
 *	mock_write(&m, &u.dev, 0, 1, 1, 0x01);
 *
 * World:   host tests
 * Context: single-threaded
 */
#ifndef PVM_MOCK_HOST_H
#define PVM_MOCK_HOST_H

#include <pvm/env.h>
#include "dev/dev.h"

#define MOCK_RAM_BYTES	(1u << 20)
#define MOCK_DEVS	8
#define MOCK_LINES	64
#define MOCK_IRQS	1024	/* size of the log; later entries only count */
#define MOCK_OUTPUT	4096
#define MOCK_SIGNALS	8
#define MOCK_START_NS	1000000000ull	/* what a fresh clock shows */

struct mock_irq {
	u64 when_ns;
	u32 line;
	bool level;
};

struct mock_msi {
	u64 addr;
	u32 data;
};

struct mock_host {
	u64 now_ns;
	struct {
		struct pvm_dev *dev;
		u64 when_ns[PVM_DEV_TIMERS];
	} devs[MOCK_DEVS];
	u32 dev_count;

	/* Interrupt lines: the level now, and changes of it. */
	bool level[MOCK_LINES];
	u32 rises[MOCK_LINES];
	struct mock_irq irqs[MOCK_IRQS];
	u32 irq_count;
	struct mock_msi msi;	/* the last */
	u32 msi_count;

	/* Signals: how often, and the argument of the last. OUTPUT bytes as a text. */
	u32 signals[MOCK_SIGNALS];
	u64 signal_arg[MOCK_SIGNALS];
	char output[MOCK_OUTPUT + 1];
	u32 output_bytes;

	/* What models should not do, or do seldom. */
	u32 guest_errors;
	const char *guest_error;	/* the last */
	u32 timers_past;		/* armed for a time before now */
	u32 timers_run;
	u32 wide_values;		/* a read gave more than the access holds */

	/* RAM at guest-physical 0. dma_fault: that many more accesses work, then all fail. */
	u8 ram[MOCK_RAM_BYTES];
	s32 dma_fault;			/* negative: never */
	u32 dma_count;
};

extern const struct pvm_dev_host mock_ops;

void mock_init(struct mock_host *m);

/* Gives @d its ops, host and line, and resets it. At most MOCK_DEVS. */
void mock_attach(struct mock_host *m, struct pvm_dev *d, const struct pvm_dev_ops *ops,
		 u32 line);

/* One access, checked: a value read has no bit beyond @bytes. */
u64 mock_read(struct mock_host *m, struct pvm_dev *d, u32 region, u64 off, u32 bytes);
void mock_write(struct mock_host *m, struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val);

/*
 * Moves the clock to @ns later, running timers on their way in order of time.
 * Gives up (and counts it in timers_past) after @max timers.
 */
void mock_advance(struct mock_host *m, u64 ns);
/* Moves the clock first and runs what has expired then: a host that was late. */
void mock_late(struct mock_host *m, u64 ns);
/* When the next timer of @d expires; 0: none is armed. */
u64 mock_next_timer(const struct mock_host *m, const struct pvm_dev *d);

/*
 * Copies the fields that @from's ops declare as state into @to, which is of
 * the same type and was zeroed: what save and restore does.
 */
void mock_copy_state(const struct pvm_dev *from, struct pvm_dev *to);

#endif /* PVM_MOCK_HOST_H */
