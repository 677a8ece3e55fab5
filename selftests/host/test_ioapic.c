// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O APIC.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "irqchip/irqchip.h"

#define MASKED	0x10000
#define LEVEL	0x8000
#define REMOTE	0x4000

static struct mock_host m;
static struct pvm_ioapic io;
static struct pvm_irq_msg last;
static u32 sent, acks, last_ack;
static bool lower_on_ack;

static void deliver(struct pvm_ioapic *i, const struct pvm_irq_msg *msg)
{
	last = *msg;
	sent++;
}

static void acked(struct pvm_ioapic *i, u32 pin)
{
	acks++;
	last_ack = pin;
	if (lower_on_ack)
		pvm_ioapic_set(i, pin, false);
}

static void start(void)
{
	mock_init(&m);
	memset(&io, 0, sizeof(io));
	io.deliver = deliver;
	io.acked = acked;
	sent = 0;
	acks = 0;
	lower_on_ack = false;
	mock_attach(&m, &io.dev, &pvm_ioapic_ops, 0);
}

static u32 get(u8 reg)
{
	mock_write(&m, &io.dev, 0, 0, 4, reg);
	return mock_read(&m, &io.dev, 0, 0x10, 4);
}

static void put(u8 reg, u32 val)
{
	mock_write(&m, &io.dev, 0, 0, 4, reg);
	mock_write(&m, &io.dev, 0, 0x10, 4, val);
}

static void set_pin(u32 pin, u32 low, u32 high)
{
	put(0x11 + 2 * pin, high);
	put(0x10 + 2 * pin, low);
}

static void after_reset(void)
{
	u32 pin;

	start();
	expect_eq(get(0), 0);
	expect_eq(get(1), 0x170020);
	for (pin = 0; pin < 24; pin++) {
		expect_eq(get(0x10 + 2 * pin), MASKED);
		expect_eq(get(0x11 + 2 * pin), 0);
	}
	expect_eq(get(0x40), 0);
	expect_eq(get(0xff), 0);
	put(0, 0xffffffff);
	expect_eq(get(0), 0x0f000000);
	expect_eq(get(2), 0x0f000000);
	put(1, 0);
	expect_eq(get(1), 0x170020);
	put(0x3e, 0xffffffff);
	expect_eq(get(0x3e), 0x1afff);	/* status and remote IRR are not writable */
	put(0x40, 1);
	expect_eq(mock_read(&m, &io.dev, 0, 0x20, 4), 0);
}

static void edges(void)
{
	start();
	pvm_ioapic_set(&io, 4, true);	/* masked: lost */
	set_pin(4, 0x34, 0x03000000);
	expect_eq(sent, 0);
	pvm_ioapic_set(&io, 4, true);
	expect_eq(sent, 0);
	pvm_ioapic_set(&io, 4, false);
	pvm_ioapic_set(&io, 4, true);
	expect_eq(sent, 1);
	expect_eq(last.vector, 0x34);
	expect_eq(last.dest, 3);
	expect(!last.logical && !last.level);
	expect_eq(last.delivery, PVM_DELIVERY_FIXED);
	pvm_ioapic_eoi(&io, 0x34);
	expect_eq(acks, 0);
	pvm_ioapic_set(&io, 4, false);
	pvm_ioapic_set(&io, 4, true);
	expect_eq(sent, 2);
	set_pin(4, 0x34 | 0x100 | 0x800, 0xff000000);
	pvm_ioapic_set(&io, 4, false);
	pvm_ioapic_set(&io, 4, true);
	expect_eq(last.delivery, PVM_DELIVERY_LOWEST);
	expect(last.logical);
	expect_eq(last.dest, 0xff);
	/* An NMI from a level pin is an edge: no EOI comes for it. */
	set_pin(5, 0x400 | LEVEL, 0);
	pvm_ioapic_set(&io, 5, true);
	expect_eq(last.delivery, PVM_DELIVERY_NMI);
	expect(!last.level);
	expect_eq(get(0x1a) & REMOTE, 0);
}

static void level(void)
{
	start();
	set_pin(16, 0x51 | LEVEL, 0);
	pvm_ioapic_set(&io, 16, true);
	expect_eq(sent, 1);
	expect(last.level);
	expect_eq(get(0x30), 0x51 | LEVEL | REMOTE);
	pvm_ioapic_set(&io, 16, false);
	pvm_ioapic_set(&io, 16, true);	/* still waiting for the EOI */
	expect_eq(sent, 1);
	pvm_ioapic_eoi(&io, 0x52);	/* somebody else's */
	expect_eq(sent, 1);
	pvm_ioapic_eoi(&io, 0x51);	/* the line is high: again */
	expect_eq(sent, 2);
	expect_eq(acks, 1);
	expect_eq(last_ack, 16);
	pvm_ioapic_set(&io, 16, false);
	mock_write(&m, &io.dev, 0, 0x40, 4, 0x51);
	expect_eq(sent, 2);
	expect_eq(acks, 2);
	expect_eq(get(0x30), 0x51 | LEVEL);
	/* The one who acknowledges may lower the line. */
	pvm_ioapic_set(&io, 16, true);
	lower_on_ack = true;
	pvm_ioapic_eoi(&io, 0x51);
	expect_eq(sent, 3);
	expect_eq(acks, 3);
}

static void masked_level_is_kept(void)
{
	start();
	set_pin(17, 0x61 | LEVEL | MASKED, 0);
	pvm_ioapic_set(&io, 17, true);
	expect_eq(sent, 0);
	put(0x32, 0x61 | LEVEL);
	expect_eq(sent, 1);
	put(0x32, 0x61 | LEVEL | MASKED);
	pvm_ioapic_eoi(&io, 0x61);
	expect_eq(sent, 1);
	put(0x32, 0x61 | LEVEL);
	expect_eq(sent, 2);
	put(0x32, 0x61 | LEVEL);	/* a write while it waits sends nothing */
	expect_eq(sent, 2);
}

/* Linux's __eoi_ioapic_pin() without an EOI register: to edge and back. */
static void edge_clears_remote_irr(void)
{
	start();
	set_pin(18, 0x71 | LEVEL, 0);
	pvm_ioapic_set(&io, 18, true);
	pvm_ioapic_set(&io, 18, false);
	put(0x34, 0x71 | MASKED);
	expect_eq(get(0x34), 0x71 | MASKED);
	expect_eq(acks, 1);
	put(0x34, 0x71 | LEVEL);
	expect_eq(get(0x34), 0x71 | LEVEL);
	expect_eq(sent, 1);
}

static void shared_vector(void)
{
	start();
	set_pin(20, 0x81 | LEVEL, 0);
	set_pin(21, 0x81 | LEVEL, 0);
	pvm_ioapic_set(&io, 20, true);
	pvm_ioapic_set(&io, 21, true);
	expect_eq(sent, 2);
	pvm_ioapic_set(&io, 20, false);
	pvm_ioapic_eoi(&io, 0x81);
	expect_eq(acks, 2);
	expect_eq(sent, 3);
	expect_eq(get(0x38) & REMOTE, 0);
	expect_eq(get(0x3a) & REMOTE, REMOTE);
}

static void reserved_modes(void)
{
	start();
	set_pin(1, 0x300 | 0x20, 0);
	pvm_ioapic_set(&io, 1, true);
	set_pin(2, 0x600 | 0x20 | LEVEL, 0);
	pvm_ioapic_set(&io, 2, true);
	expect_eq(sent, 0);
	expect_eq(m.guest_errors, 2);
	expect_eq(get(0x14) & REMOTE, 0);
	set_pin(3, 0x700, 0);
	pvm_ioapic_set(&io, 3, true);
	expect_eq(last.delivery, PVM_DELIVERY_EXTINT);
	pvm_ioapic_set(&io, 24, true);
	pvm_ioapic_set(&io, 0xffffffff, true);
	expect_eq(sent, 1);
}

static void reset_keeps_lines(void)
{
	start();
	set_pin(9, 0x39 | LEVEL, 0);
	pvm_ioapic_set(&io, 9, true);
	io.dev.ops->reset(&io.dev);
	expect_eq(acks, 1);
	expect_eq(get(0x22), MASKED);
	set_pin(9, 0x39 | LEVEL, 0);
	expect_eq(sent, 2);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(after_reset),
	KTAP_TEST(edges),
	KTAP_TEST(level),
	KTAP_TEST(masked_level_is_kept),
	KTAP_TEST(edge_clears_remote_irr),
	KTAP_TEST(shared_vector),
	KTAP_TEST(reserved_modes),
	KTAP_TEST(reset_keeps_lines),
};

KTAP_MAIN(tests)
