// SPDX-License-Identifier: GPL-2.0-only
/*
 * 16550A.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "dev/models.h"

#define LINE	4
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static struct mock_host m;
static struct pvm_uart u;

static void start(void)
{
	mock_init(&m);
	memset(&u, 0, sizeof(u));
	mock_attach(&m, &u.dev, &pvm_uart_ops, LINE);
}

static u8 in(u32 reg)
{
	return mock_read(&m, &u.dev, 0, reg, 1);
}

static void out(u32 reg, u8 val)
{
	mock_write(&m, &u.dev, 0, reg, 1, val);
}

static void after_reset(void)
{
	start();
	expect_eq(in(IER), 0);
	expect_eq(in(IIR), 1);
	expect_eq(in(LCR), 0);
	expect_eq(in(MCR), 0);
	expect_eq(in(LSR), 0x60);
	expect_eq(in(MSR), 0xb0);
	expect(!m.level[LINE]);
}

/* Linux: 8250_port.c, autoconfig() and autoconfig_16550a(). */
static void linux_autoconfig(void)
{
	u8 scratch2, scratch3, save_mcr, status1, status2;

	start();
	out(IER, 0);
	scratch2 = in(IER) & 0x0f;
	out(IER, 0x0f);
	scratch3 = in(IER) & 0x0f;
	out(IER, 0);
	expect_eq(scratch2, 0);
	expect_eq(scratch3, 0x0f);
	/* Loopback: RTS comes back as CTS, OUT2 as DCD. */
	save_mcr = in(MCR);
	out(MCR, 0x1a);
	status1 = in(MSR) & 0xf0;
	out(MCR, save_mcr);
	expect_eq(status1, 0x90);
	/* Not one with an extended feature register. */
	out(LCR, 0xbf);
	out(IIR, 0);
	out(LCR, 0);
	out(IIR, 1);
	expect_eq(in(IIR) >> 6, 3);
	out(LCR, 0x80);
	expect(in(IIR) != 0);
	out(LCR, 0xbf);
	expect(in(IIR) != 0);
	/* Not National's with its bank of 0xe0. */
	out(LCR, 0);
	status1 = in(MCR);
	out(LCR, 0xe0);
	status2 = in(IIR);
	expect(!((status2 ^ status1) & 0x10));
	out(LCR, 0);
	out(MCR, status1 ^ 0x10);
	out(LCR, 0xe0);
	status2 = in(IIR);
	out(LCR, 0);
	out(MCR, status1);
	expect(!((status2 ^ status1) & 0x10));
	/* Not a 64-byte FIFO, not an XScale. */
	out(LCR, 0x80);
	out(IIR, 0x21);
	expect_eq(in(IIR) & 0xe0, 0xc0);
	out(LCR, 0);
	out(IER, 0x10);
	expect(!(in(IER) & 0x10));
	expect_eq(m.output_bytes, 0);
}

/* Linux: serial8250_do_startup() looks for a THRE that is not told twice. */
static void linux_thre_test(void)
{
	start();
	out(IER, 2);
	expect_eq(in(IIR) & 0xf, 2);
	out(IER, 0);
	in(LSR);
	out(IER, 2);
	expect_eq(in(IIR) & 0xf, 2);
	expect_eq(in(IIR) & 0xf, 1);
	/* Startup's transmitter test: LSR says empty, no interrupt. */
	out(IER, 0);
	out(IER, 2);
	expect(in(LSR) & 0x40);
	expect(!(in(IIR) & 1));
}

static void output(void)
{
	const char *text = "hello\r\n", *c;

	start();
	for (c = text; *c; c++) {
		expect(in(LSR) & 0x20);
		out(DATA, *c);
	}
	expect(!strcmp(m.output, text));
	/* The divisor is behind the same addresses. */
	out(LCR, 0x83);
	out(DATA, 1);
	out(IER, 0);
	expect_eq(in(DATA), 1);
	expect_eq(in(IER), 0);
	out(LCR, 3);
	expect_eq(m.output_bytes, strlen(text));
	expect_eq(u.divisor, 1);
}

static void transmit_interrupt(void)
{
	start();
	out(MCR, 0x08);
	out(IER, 2);
	expect(m.level[LINE]);
	expect_eq(in(IIR) & 0xf, 2);
	expect(!m.level[LINE]);		/* reading it cleared it */
	out(DATA, 'x');
	expect(m.level[LINE]);
	out(MCR, 0);			/* OUT2 cuts the line */
	expect(!m.level[LINE]);
	out(MCR, 8);
	expect(m.level[LINE]);
	out(IER, 0);
	expect(!m.level[LINE]);
}

static void receive_without_fifo(void)
{
	start();
	out(MCR, 8);
	out(IER, 1);
	expect(pvm_uart_input(&u, 'a'));
	expect(m.level[LINE]);
	expect_eq(in(IIR), 4);
	expect(!pvm_uart_input(&u, 'b'));
	expect_eq(m.signals[PVM_SIGNAL_INPUT_ROOM], 0);
	expect_eq(in(LSR), 0x61);
	expect_eq(in(DATA), 'a');
	expect_eq(m.signals[PVM_SIGNAL_INPUT_ROOM], 1);
	expect(!m.level[LINE]);
	expect_eq(in(LSR), 0x60);
	expect(pvm_uart_input(&u, 'b'));
	expect_eq(in(DATA), 'b');
	expect_eq(m.signals[PVM_SIGNAL_INPUT_ROOM], 1);
}

static void receive_fifo(void)
{
	static const u8 trigger[4] = { 1, 4, 8, 14 };
	u32 t, i;

	for (t = 0; t < 4; t++) {
		start();
		out(MCR, 8);
		out(IER, 1);
		out(IIR, 1 | t << 6);
		for (i = 1; i <= 16; i++) {
			expect(pvm_uart_input(&u, i));
			/* Below the trigger: the time-out, which is at once. */
			expect_eq(in(IIR), i >= trigger[t] ? 0xc4 : 0xcc);
			expect(m.level[LINE]);
		}
		expect(!pvm_uart_input(&u, 17));
		for (i = 1; i <= 16; i++) {
			expect(in(LSR) & 1);
			expect_eq(in(DATA), i);
		}
		expect_eq(in(IIR), 0xc1);
		expect(!m.level[LINE]);
		expect_eq(m.signals[PVM_SIGNAL_INPUT_ROOM], 1);
	}
}

static void clearing_the_fifo_makes_room(void)
{
	u32 i;

	start();
	out(IIR, 1);
	for (i = 0; i < 16; i++)
		pvm_uart_input(&u, i);
	expect(!pvm_uart_input(&u, 16));
	out(IIR, 3);
	expect_eq(in(LSR), 0x60);
	expect_eq(m.signals[PVM_SIGNAL_INPUT_ROOM], 1);
	/* FCR's other bits do nothing without the enable bit. */
	pvm_uart_input(&u, 'x');
	out(IIR, 0xc2);
	expect_eq(in(IIR), 1);
	expect_eq(in(LSR) & 1, 0);
}

static void priorities(void)
{
	u32 i;

	start();
	out(IIR, 0x01);
	out(MCR, 0x10);			/* loopback */
	in(MSR);
	out(IER, 0x0f);
	for (i = 0; i < 17; i++)	/* the last overruns */
		out(DATA, i);
	out(MCR, 0x12);			/* CTS changes */
	expect_eq(in(IIR) & 0xf, 6);	/* line status */
	expect_eq(in(LSR) & 0x1e, 2);
	expect_eq(in(IIR) & 0xf, 4);	/* data */
	for (i = 0; i < 16; i++)
		expect_eq(in(DATA), i);
	expect_eq(in(IIR) & 0xf, 2);	/* transmitter */
	expect_eq(in(IIR) & 0xf, 0);	/* modem */
	expect_eq(in(MSR) & 0x0f, 1);
	expect_eq(in(IIR) & 0xf, 1);
	expect_eq(m.output_bytes, 0);
}

static void modem_deltas(void)
{
	start();
	out(MCR, 0x10);
	expect_eq(in(MSR), 0x0b);	/* CTS, DSR, DCD fell */
	expect_eq(in(MSR), 0x00);
	out(MCR, 0x14);			/* OUT1: RI rises, which is not its edge */
	expect_eq(in(MSR), 0x40);
	out(MCR, 0x10);
	expect_eq(in(MSR), 0x04);
	out(MCR, 0x1f);
	expect_eq(in(MSR), 0xfb);
}

static void loopback_keeps_input_out(void)
{
	start();
	out(MCR, 0x10);
	expect(!pvm_uart_input(&u, 'x'));
	out(DATA, 'y');
	expect_eq(in(DATA), 'y');
	expect_eq(m.signals[PVM_SIGNAL_INPUT_ROOM], 0);
	out(MCR, 0);
	expect_eq(m.signals[PVM_SIGNAL_INPUT_ROOM], 1);
	expect(pvm_uart_input(&u, 'x'));
}

/* As the board feeds it: from new input, and from the signal inside a read. */
static u32 source_left;

static void feed(void)
{
	while (pvm_uart_room(&u) && source_left)
		pvm_uart_input(&u, source_left--);
}

static void feeding_loses_nothing(void)
{
	u32 fifo, read, rooms;

	for (fifo = 0; fifo < 2; fifo++) {
		start();
		out(IIR, fifo);
		source_left = 100;
		feed();
		rooms = 0;
		for (read = 0; in(LSR) & 1; read++) {
			expect_eq(in(DATA), 100 - read);
			if (m.signals[PVM_SIGNAL_INPUT_ROOM] != rooms) {
				rooms = m.signals[PVM_SIGNAL_INPUT_ROOM];
				feed();
			}
		}
		expect_eq(read, 100);
		expect_eq(source_left, 0);
		expect(!u.want_room);
	}
}

static void reset_lowers_the_line(void)
{
	start();
	out(MCR, 8);
	out(IER, 3);
	pvm_uart_input(&u, 'x');
	expect(m.level[LINE]);
	u.dev.ops->reset(&u.dev);
	expect(!m.level[LINE]);
	expect_eq(in(LSR), 0x60);
	out(SCR, 0x5a);
	expect_eq(in(SCR), 0x5a);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(after_reset),
	KTAP_TEST(linux_autoconfig),
	KTAP_TEST(linux_thre_test),
	KTAP_TEST(output),
	KTAP_TEST(transmit_interrupt),
	KTAP_TEST(receive_without_fifo),
	KTAP_TEST(receive_fifo),
	KTAP_TEST(clearing_the_fifo_makes_room),
	KTAP_TEST(priorities),
	KTAP_TEST(modem_deltas),
	KTAP_TEST(loopback_keeps_input_out),
	KTAP_TEST(feeding_loses_nothing),
	KTAP_TEST(reset_lowers_the_line),
};

KTAP_MAIN(tests)
