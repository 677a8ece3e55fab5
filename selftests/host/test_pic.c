// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8259A pair.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "irqchip/irqchip.h"

static struct mock_host m;
static struct pvm_pic p;
static bool intr_level;
static u32 acks, last_ack;

static void intr(struct pvm_pic *pic, bool level)
{
	intr_level = level;
}

static void acked(struct pvm_pic *pic, u32 irq)
{
	acks++;
	last_ack = irq;
}

static void out(u32 port, u8 val)
{
	u32 region = port >= 0x4d0 ? 2 : port >= 0xa0 ? 1 : 0;

	mock_write(&m, &p.dev, region, port & 1, 1, val);
}

static u8 in(u32 port)
{
	u32 region = port >= 0x4d0 ? 2 : port >= 0xa0 ? 1 : 0;

	return mock_read(&m, &p.dev, region, port & 1, 1);
}

static void begin(void)
{
	mock_init(&m);
	memset(&p, 0, sizeof(p));
	p.intr = intr;
	p.acked = acked;
	intr_level = false;
	acks = 0;
	mock_attach(&m, &p.dev, &pvm_pic_ops, 0);
}

/* Vectors 0x20 and 0x28, as every PC kernel does; @icw4 1: normal EOI, 3: automatic. */
static void init(u8 icw4)
{
	out(0x20, 0x11);
	out(0x21, 0x20);
	out(0x21, 0x04);
	out(0x21, icw4);
	out(0xa0, 0x11);
	out(0xa1, 0x28);
	out(0xa1, 0x02);
	out(0xa1, icw4);
	out(0x21, 0);
	out(0xa1, 0);
}

static void start(void)
{
	begin();
	init(1);
}

static void pulse(u32 irq)
{
	pvm_pic_set(&p, irq, true);
	pvm_pic_set(&p, irq, false);
}

static void silent_until_initialised(void)
{
	u32 i;

	begin();
	for (i = 0; i < 16; i++)
		pulse(i);
	expect(!intr_level);
	/* Linux's probe_8259A(): the mask register is there. */
	out(0xa1, 0xff);
	out(0x21, 0xfb);
	expect_eq(in(0x21), 0xfb);
	out(0x20, 0x11);
	pulse(1);
	expect(!intr_level);		/* half-way through */
	out(0x21, 0x20);
	out(0x21, 0x04);
	out(0x21, 0x01);
	pulse(1);
	expect(intr_level);
	expect_eq(pvm_pic_inta(&p), 0x21);
}

static void master_and_slave(void)
{
	start();
	pulse(0);
	expect(intr_level);
	expect_eq(in(0x20), 0x01);
	expect_eq(pvm_pic_inta(&p), 0x20);
	expect(!intr_level);
	expect_eq(in(0x20), 0);
	out(0x20, 0x0b);
	expect_eq(in(0x20), 0x01);	/* in service */
	out(0x20, 0x0a);
	pulse(0);
	expect(!intr_level);
	out(0x20, 0x20);
	expect(intr_level);
	expect_eq(pvm_pic_inta(&p), 0x20);
	out(0x20, 0x20);
	pulse(12);
	expect(intr_level);
	expect_eq(pvm_pic_inta(&p), 0x2c);
	out(0x20, 0x0b);
	out(0xa0, 0x0b);
	expect_eq(in(0x20), 0x04);
	expect_eq(in(0xa0), 0x10);
	pulse(13);			/* lower: waits */
	expect(!intr_level);
	out(0xa0, 0x20);
	expect(!intr_level);		/* the master still serves its input 2 */
	out(0x20, 0x20);
	expect(intr_level);
	expect_eq(pvm_pic_inta(&p), 0x2d);
}

static void priorities(void)
{
	start();
	pulse(7);
	pulse(3);
	pulse(8);
	pulse(1);
	expect_eq(pvm_pic_inta(&p), 0x21);
	out(0x20, 0x20);
	expect_eq(pvm_pic_inta(&p), 0x28);	/* the slave stands at 2 */
	pulse(0);			/* interrupts the slave's */
	expect(intr_level);
	expect_eq(pvm_pic_inta(&p), 0x20);
	out(0x20, 0x60);		/* specific EOI of 0 */
	expect(!intr_level);
	out(0xa0, 0x20);
	out(0x20, 0x62);
	expect_eq(pvm_pic_inta(&p), 0x23);
	out(0x20, 0x20);
	expect_eq(pvm_pic_inta(&p), 0x27);
}

static void spurious(void)
{
	start();
	expect_eq(pvm_pic_inta(&p), 0x27);
	out(0x20, 0x0b);
	expect_eq(in(0x20), 0);		/* not in service */
	/* A level line that falls before the acknowledge, behind the slave. */
	out(0x4d1, 0x04);
	pvm_pic_set(&p, 10, true);
	expect(intr_level);
	pvm_pic_set(&p, 10, false);
	expect(!intr_level);
	expect_eq(pvm_pic_inta(&p), 0x27);
	/* Masked between request and acknowledge. */
	pulse(5);
	out(0x21, 0xff);
	expect(!intr_level);
	expect_eq(pvm_pic_inta(&p), 0x27);
	out(0x21, 0);
	expect_eq(pvm_pic_inta(&p), 0x25);
}

static void level_lines(void)
{
	start();
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	expect_eq(in(0x4d0), 0xf8);
	expect_eq(in(0x4d1), 0xde);
	pvm_pic_set(&p, 11, true);
	expect_eq(pvm_pic_inta(&p), 0x2b);
	out(0xa0, 0x20);
	expect_eq(acks, 1);
	expect_eq(last_ack, 11);
	out(0x20, 0x20);
	expect(intr_level);		/* still high */
	expect_eq(pvm_pic_inta(&p), 0x2b);
	pvm_pic_set(&p, 11, false);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	expect(!intr_level);
	expect_eq(acks, 2);
	/* Edge lines tell nobody. */
	pulse(1);
	pvm_pic_inta(&p);
	out(0x20, 0x20);
	expect_eq(acks, 2);
	/* A line that becomes level follows its level. */
	out(0x4d0, 0);
	pulse(5);
	expect(intr_level);
	out(0x4d0, 0x20);
	expect(!intr_level);
}

static void masks(void)
{
	start();
	out(0x21, 0x02);
	pulse(1);
	expect(!intr_level);
	expect_eq(in(0x20), 0x02);	/* requested all the same */
	out(0x21, 0);
	expect(intr_level);
	pvm_pic_inta(&p);
	out(0x20, 0x20);
	out(0x21, 0x04);		/* the cascade masks the slave */
	pulse(9);
	expect(!intr_level);
	out(0x21, 0);
	expect_eq(pvm_pic_inta(&p), 0x29);
}

static void special_mask_mode(void)
{
	start();
	pulse(3);
	expect_eq(pvm_pic_inta(&p), 0x23);
	pulse(5);
	expect(!intr_level);
	out(0x21, 0x08);
	expect(!intr_level);
	out(0x20, 0x68);		/* on: what is masked does not block */
	expect(intr_level);
	expect_eq(pvm_pic_inta(&p), 0x25);
	/* A non-specific EOI leaves the masked one in service. */
	out(0x20, 0x20);
	out(0x20, 0x0b);
	expect_eq(in(0x20), 0x08);
	out(0x20, 0x48);		/* off */
	pulse(6);
	expect(!intr_level);
	out(0x20, 0x63);
	expect(intr_level);
}

static void rotation(void)
{
	start();
	pulse(4);
	pvm_pic_inta(&p);
	out(0x20, 0xa0);		/* rotate on non-specific EOI: 4 is lowest */
	pulse(4);
	pulse(5);
	pulse(0);
	expect_eq(pvm_pic_inta(&p), 0x25);
	out(0x20, 0x20);
	expect_eq(pvm_pic_inta(&p), 0x20);
	out(0x20, 0xe0);		/* rotate on specific EOI of 0 */
	pulse(1);
	pulse(0);
	expect_eq(pvm_pic_inta(&p), 0x21);
	out(0x20, 0x20);
	expect_eq(pvm_pic_inta(&p), 0x24);
	out(0x20, 0x20);
	expect_eq(pvm_pic_inta(&p), 0x20);
	out(0x20, 0x20);
	out(0x20, 0xc7);		/* set priority: as at first */
	pulse(7);
	pulse(0);
	expect_eq(pvm_pic_inta(&p), 0x20);
}

static void automatic_eoi(void)
{
	start();
	init(3);
	pulse(1);
	expect_eq(pvm_pic_inta(&p), 0x21);
	pulse(1);
	expect(intr_level);
	expect_eq(pvm_pic_inta(&p), 0x21);
	out(0x20, 0x0b);
	expect_eq(in(0x20), 0);
	out(0x20, 0x80);		/* rotating */
	pulse(1);
	expect_eq(pvm_pic_inta(&p), 0x21);
	pulse(1);
	pulse(3);
	expect_eq(pvm_pic_inta(&p), 0x23);
	expect_eq(pvm_pic_inta(&p), 0x21);
	out(0x20, 0x00);
	/* Through the slave as well. */
	pulse(14);
	expect_eq(pvm_pic_inta(&p), 0x2e);
	expect_eq(in(0x20), 0);
}

static void special_fully_nested(void)
{
	start();
	init(0x11);
	pulse(14);
	expect_eq(pvm_pic_inta(&p), 0x2e);
	pulse(9);			/* higher in the slave: passes the master */
	expect(intr_level);
	expect_eq(pvm_pic_inta(&p), 0x29);
}

static void poll(void)
{
	start();
	out(0x20, 0x0c);
	expect_eq(in(0x20), 0);
	pulse(6);
	out(0x20, 0x0c);
	expect_eq(in(0x20), 0x86);
	expect(!intr_level);		/* the poll was the acknowledge */
	out(0x20, 0x0b);
	expect_eq(in(0x20), 0x40);
	expect_eq(in(0x20), 0x40);	/* one poll, one answer */
	out(0x20, 0x20);
	pulse(10);
	out(0xa0, 0x0c);
	expect_eq(in(0xa0), 0x82);
}

static void initialising_again(void)
{
	start();
	out(0x21, 0xff);
	pulse(3);
	out(0x4d0, 0x20);
	pvm_pic_set(&p, 5, true);
	out(0x20, 0x10);		/* without ICW4 */
	expect_eq(in(0x21), 0);		/* clears the mask and the edges seen */
	out(0x21, 0x43);		/* low three bits are not the guest's */
	out(0x21, 0x04);
	expect(intr_level);
	expect_eq(pvm_pic_inta(&p), 0x45);
	/* Single mode takes no ICW3. */
	out(0x20, 0x12);
	out(0x21, 0x50);
	out(0x21, 0xdf);
	expect_eq(in(0x21), 0xdf);
	expect_eq(pvm_pic_inta(&p), 0x55);
}

static void cascade_is_not_a_line(void)
{
	start();
	pvm_pic_set(&p, 2, true);
	expect(!intr_level);
	pvm_pic_set(&p, 16, true);
	pvm_pic_set(&p, 0xffffffff, true);
	expect(!intr_level);
}

static void reset_masks(void)
{
	start();
	pvm_pic_set(&p, 4, true);
	expect(intr_level);
	p.dev.ops->reset(&p.dev);
	expect(!intr_level);
	expect_eq(in(0x21), 0xff);
	expect_eq(in(0x4d0), 0);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(silent_until_initialised),
	KTAP_TEST(master_and_slave),
	KTAP_TEST(priorities),
	KTAP_TEST(spurious),
	KTAP_TEST(level_lines),
	KTAP_TEST(masks),
	KTAP_TEST(special_mask_mode),
	KTAP_TEST(rotation),
	KTAP_TEST(automatic_eoi),
	KTAP_TEST(special_fully_nested),
	KTAP_TEST(poll),
	KTAP_TEST(initialising_again),
	KTAP_TEST(cascade_is_not_a_line),
	KTAP_TEST(reset_masks),
};

KTAP_MAIN(tests)
