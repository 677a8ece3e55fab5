// SPDX-License-Identifier: GPL-2.0-only
/*
 * One fuzzer for all device models.
 *
 * The first byte of the input picks a model; the rest is a list of operations:
 * read, write, advance the clock (on time or late), input from outside, save
 * and restore. After each it is checked that
 *  - a value read fits its access,
 *  - no timer was armed for the past, and none runs endlessly,
 *  - the interrupt line agrees with the status the model shows,
 *  - the declared state is the whole state: save and restore lose nothing.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include <stdio.h>
#include <stdlib.h>
#include "mock_host.h"
#include "dev/models.h"
#include "irqchip/irqchip.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

union fuzz_model {
	struct pvm_dev dev;
	struct pvm_pmtimer pmtimer;
	struct pvm_debugcon debugcon;
	struct pvm_debug_exit debug_exit;
	struct pvm_post post;
	struct pvm_resetport resetport;
	struct pvm_pit pit;
	struct pvm_rtc rtc;
	struct pvm_hpet hpet;
	struct pvm_uart uart;
	struct pvm_i8042 i8042;
	struct pvm_acpi_pm acpi;
	struct pvm_ioapic ioapic;
	struct pvm_pic pic;
};

struct fuzz_row {
	const struct pvm_dev_ops *ops;
	u32 line;
	u32 region_bytes[3];
	const u16 *offs;		/* where large regions have registers; ends in 0xffff */
	void (*setup)(union fuzz_model *u);
	void (*input)(union fuzz_model *u, u8 a, u8 b);
	bool (*agrees)(union fuzz_model *u);	/* lines with state */
};

static struct mock_host m;
static bool pic_out;

#define REQUIRE(cond) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "%s: %s\n", row->ops->name, #cond);	\
		abort();						\
	}								\
} while (0)

/* --- per model ------------------------------------------------------------------- */

static bool rtc_agrees(union fuzz_model *u)
{
	u8 b = u->rtc.cmos[0xb], c = u->rtc.cmos[0xc];

	return m.level[8] == !!(b & c & 0x70) && m.level[8] == c >> 7;
}

/* The HPET's level lines are up for status bits that are enabled, edges are over. */
static bool hpet_agrees(union fuzz_model *u)
{
	u32 line, n, want = 0, got = 0;
	struct pvm_hpet *h = &u->hpet;

	for (n = 0; n < PVM_HPET_TIMERS; n++) {
		u64 c = h->timer[n].config;

		line = (h->config & 2) && n < 2 ? n * 8 : c >> 9 & 31;
		if ((h->config & 1) && (c & 4) && (c & 2) && !(c & 0x4000) &&
		    (h->status >> n & 1) &&
		    (((h->config & 2) && n < 2) || (PVM_HPET_ROUTES >> line & 1)))
			want |= 1u << line;
	}
	for (line = 0; line < 32; line++)
		got |= (u32)m.level[line] << line;
	/* Timers that share a line may lower each other's; none may leave one up. */
	return (got & ~want) == 0;
}

static void hpet_setup(union fuzz_model *u)
{
	u->hpet.fsb = true;
}

static void uart_input(union fuzz_model *u, u8 a, u8 b)
{
	pvm_uart_input(&u->uart, a);
}

static bool uart_agrees(union fuzz_model *u)
{
	struct pvm_uart *s = &u->uart;
	bool pending = ((s->ier & 1) && s->used) || ((s->ier & 2) && s->thr_pending) ||
		((s->ier & 4) && (s->lsr & 0x1e)) || ((s->ier & 8) && (s->msr & 0xf));

	return m.level[4] == (pending && (s->mcr & 0x18) == 8) && !(s->lsr & 1) == !s->used &&
		s->used <= PVM_UART_FIFO;
}

static void i8042_input(union fuzz_model *u, u8 a, u8 b)
{
	if (b & 1)
		pvm_i8042_key(&u->i8042, a);
	else
		pvm_i8042_mouse(&u->i8042, (s8)a * 16, (s8)b * (1 << 24), (s8)(a ^ b), b);
}

static bool i8042_agrees(union fuzz_model *u)
{
	struct pvm_i8042 *k = &u->i8042;
	bool full = k->status & 1, aux = k->status & 0x20;

	return m.level[1] == (full && !aux && (k->ctr & 1)) &&
		m.level[12] == (full && aux && (k->ctr & 2));
}

static void acpi_input(union fuzz_model *u, u8 a, u8 b)
{
	if (b == 0)
		pvm_acpi_power_button(&u->acpi);
	else if (b == 1)
		pvm_acpi_sleep_button(&u->acpi);
	else
		pvm_acpi_gpe(&u->acpi, a);
}

static bool acpi_agrees(union fuzz_model *u)
{
	struct pvm_acpi_pm *a = &u->acpi;
	u16 sts = mock_read(&m, &a->dev, 0, 0, 2);

	/* TMR_STS may have come since, if its interrupt is not wanted. */
	return m.level[9] == ((sts & a->pm1_en) || (a->gpe_sts & a->gpe_en));
}

static void fuzz_deliver(struct pvm_ioapic *io, const struct pvm_irq_msg *msg)
{
	if (msg->delivery == 3 || msg->delivery == 6)
		abort();
}

static void fuzz_acked(struct pvm_ioapic *io, u32 pin)
{
	pvm_ioapic_set(io, pin, false);
}

static void ioapic_setup(union fuzz_model *u)
{
	u->ioapic.deliver = fuzz_deliver;
	u->ioapic.acked = fuzz_acked;
}

static void ioapic_input(union fuzz_model *u, u8 a, u8 b)
{
	if (b & 0x80)
		pvm_ioapic_eoi(&u->ioapic, a);
	else
		pvm_ioapic_set(&u->ioapic, a & 31, b & 1);
}

/* A level pin that is high and open has been sent and waits for its EOI. */
static bool ioapic_agrees(union fuzz_model *u)
{
	struct pvm_ioapic *io = &u->ioapic;
	u32 pin;

	for (pin = 0; pin < PVM_IOAPIC_PINS; pin++) {
		u64 r = io->redir[pin];
		bool sends = (r & 0x8000) && !(r & 0x10000) && (r >> 8 & 7) < 2;

		if (sends && (io->level >> pin & 1) && !(io->remote >> pin & 1))
			return false;
		if (!(r & 0x8000) && (io->remote >> pin & 1))
			return false;
	}
	return true;
}

static void fuzz_intr(struct pvm_pic *p, bool level)
{
	pic_out = level;
}

static void pic_setup(union fuzz_model *u)
{
	u->pic.intr = fuzz_intr;
	pic_out = false;
}

static void pic_input(union fuzz_model *u, u8 a, u8 b)
{
	bool was = pic_out;
	int vector;

	if (!(b & 0x80)) {
		pvm_pic_set(&u->pic, a & 31, b & 1);
		return;
	}
	vector = pvm_pic_inta(&u->pic);
	if (vector < 0 || vector > 255 || (!was && (vector & 7) != 7))
		abort();
}

static bool pic_agrees(union fuzz_model *u)
{
	return pic_out == u->pic.output;
}

static const u16 hpet_offs[] = {
	0x000, 0x010, 0x020, 0x0f0, 0x0f4, 0x100, 0x104, 0x108, 0x10c, 0x110, 0x114,
	0x120, 0x128, 0x12c, 0x130, 0x134, 0x140, 0x148, 0x14c, 0x150, 0x154, 0xffff
};

static const u16 ioapic_offs[] = { 0x00, 0x10, 0x00, 0x10, 0x40, 0xffff };
static const u16 acpi_offs[] = { 0x00, 0x02, 0x04, 0x14, 0x18, 0x1c, 0x20, 0x24, 0xffff };

static const struct fuzz_row rows[] = {
	{ &pvm_pmtimer_ops, 0, { 4 } },
	{ &pvm_debugcon_ops, 0, { 1 } },
	{ &pvm_debug_exit_ops, 0, { 4 } },
	{ &pvm_post_ops, 0, { 1 } },
	{ &pvm_resetport_ops, 0, { 1 } },
	{ &pvm_pit_ops, 0, { 4, 1 } },
	{ &pvm_rtc_ops, 8, { 2 }, NULL, NULL, NULL, rtc_agrees },
	{ &pvm_hpet_ops, 0, { 0x400 }, hpet_offs, hpet_setup, NULL, hpet_agrees },
	{ &pvm_uart_ops, 4, { 8 }, NULL, NULL, uart_input, uart_agrees },
	{ &pvm_i8042_ops, 1, { 1, 1 }, NULL, NULL, i8042_input, i8042_agrees },
	{ &pvm_acpi_pm_ops, 9, { 8, 0x74, 2 }, acpi_offs, NULL, acpi_input, acpi_agrees },
	{ &pvm_ioapic_ops, 0, { 0x1000 }, ioapic_offs, ioapic_setup, ioapic_input, ioapic_agrees },
	{ &pvm_pic_ops, 0, { 2, 2, 2 }, NULL, pic_setup, pic_input, pic_agrees },
};

/* --- operations -------------------------------------------------------------------- */

static union fuzz_model now, copy;

static void check(const struct fuzz_row *row)
{
	REQUIRE(m.wide_values == 0);
	REQUIRE(m.timers_past == 0);
	REQUIRE(!row->agrees || row->agrees(&now));
}

/* What is not declared as state must be what the board sets. */
static void save_and_restore(const struct fuzz_row *row)
{
	memset(&copy, 0, sizeof(copy));
	copy.dev = now.dev;
	if (row->setup)
		row->setup(&copy);
	mock_copy_state(&now.dev, &copy.dev);
	if (row->setup == pic_setup)
		pic_out = now.pic.output;
	REQUIRE(!memcmp(&now, &copy, sizeof(now)));
	/* Goes on with the copy. */
	memcpy(&now, &copy, sizeof(now));
}

/* Time steps from a microsecond to minutes. */
static u64 step_ns(u8 a, u8 b)
{
	return (u64)(a + 1) << (b % 28);
}

static void access(const struct fuzz_row *row, const u8 *op, bool write)
{
	u32 region = op[1] % 3, bytes = 1u << (op[1] >> 2 & 3);
	u64 off = op[2] | (op[1] >> 4) << 8, val = 0;
	u32 size = row->region_bytes[region];
	u32 i;

	if (!size || bytes > size)
		return;
	/* Mostly where the registers are. */
	if (row->offs && (op[1] & 0xc0) != 0xc0) {
		for (i = 0; row->offs[i] != 0xffff; i++)
			;
		off = row->offs[op[2] % i];
	}
	off %= size - bytes + 1;
	for (i = 0; i < bytes; i++)
		val |= (u64)op[3 + i % 4] << (8 * i);
	if (write)
		mock_write(&m, &now.dev, region, off, bytes, val);
	else
		mock_read(&m, &now.dev, region, off, bytes);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	const struct fuzz_row *row;
	const u8 *end = data + bytes;
	u32 ran;

	if (bytes < 2)
		return 0;
	row = &rows[data[0] % ARRAY_SIZE(rows)];
	/* All but RAM, which these models do not touch. */
	memset(&m, 0, offsetof(struct mock_host, ram));
	m.now_ns = MOCK_START_NS;
	m.dma_fault = -1;
	memset(&now, 0, sizeof(now));
	if (row->setup)
		row->setup(&now);
	mock_attach(&m, &now.dev, row->ops, row->line);
	for (data++; end - data >= 7; data += 7) {
		ran = m.timers_run;
		switch (data[0] % 8) {
		case 0:
		case 1:
			access(row, data, false);
			break;
		case 2:
		case 3:
		case 4:
			access(row, data, true);
			break;
		case 5:
			if (data[3] & 1) {
				mock_late(&m, step_ns(data[1], data[2]));
				/* Each timer once, whatever has been missed. */
				REQUIRE(m.timers_run - ran <= PVM_DEV_TIMERS);
			} else {
				mock_advance(&m, step_ns(data[1], data[2] % 20));
			}
			break;
		case 6:
			if (row->input)
				row->input(&now, data[1], data[2]);
			break;
		case 7:
			if (data[1] & 1)
				save_and_restore(row);
			else if (!(data[2] & 7))
				now.dev.ops->reset(&now.dev);
			break;
		}
		check(row);
	}
	save_and_restore(row);
	return 0;
}
