// SPDX-License-Identifier: GPL-2.0-only
/*
 * 16550A serial port.
 *
 * A byte written leaves at once, so the transmitter is always empty and its
 * interrupt is "not told yet" rather than a state of the wire. The divisor and
 * the frame format are only kept. The character time-out interrupt comes as
 * soon as there is less in the FIFO than the trigger level. As on a PC, OUT2
 * lets the interrupt through, and the other end is there: CTS, DSR, DCD are on.
 *
 * World:   pure
 * Context: device's lock held
 * Spec:    DS PC16550D "Registers"
 */
#include <pvm/env.h>
#include "dev/models.h"

enum {
	REG_DATA	= 0,	/* RBR, THR; divisor low with DLAB */
	REG_IER		= 1,	/* divisor high with DLAB */
	REG_IIR_FCR	= 2,
	REG_LCR		= 3,
	REG_MCR		= 4,
	REG_LSR		= 5,
	REG_MSR		= 6,
	REG_SCR		= 7,
};

#define IER_RDA		BIT(0)
#define IER_THRE	BIT(1)
#define IER_LSR		BIT(2)
#define IER_MSR		BIT(3)
#define IER_WRITABLE	0x0f

#define IIR_NONE	0x01
#define IIR_MSR		0x00
#define IIR_THRE	0x02
#define IIR_RDA		0x04
#define IIR_LSR		0x06
#define IIR_TIMEOUT	0x0c
#define IIR_FIFO	0xc0

#define FCR_ENABLE	BIT(0)
#define FCR_CLEAR_RX	BIT(1)
#define FCR_TRIGGER	0xc0

#define LCR_DLAB	BIT(7)

#define MCR_DTR		BIT(0)
#define MCR_RTS		BIT(1)
#define MCR_OUT1	BIT(2)
#define MCR_OUT2	BIT(3)
#define MCR_LOOP	BIT(4)
#define MCR_WRITABLE	0x1f

#define LSR_DR		BIT(0)
#define LSR_OE		BIT(1)
#define LSR_ERRORS	0x1e
#define LSR_THRE	BIT(5)
#define LSR_TEMT	BIT(6)

#define MSR_DCTS	BIT(0)
#define MSR_DDSR	BIT(1)
#define MSR_TERI	BIT(2)
#define MSR_DDCD	BIT(3)
#define MSR_DELTAS	0x0f
#define MSR_CTS		BIT(4)
#define MSR_DSR		BIT(5)
#define MSR_RI		BIT(6)
#define MSR_DCD		BIT(7)

#define DIVISOR_9600	12

/* By the two trigger bits. */
static const u8 uart_trigger[4] = { 1, 4, 8, 14 };

static struct pvm_uart *uart_of(struct pvm_dev *d)
{
	return container_of(d, struct pvm_uart, dev);
}

static u32 uart_depth(const struct pvm_uart *u)
{
	return u->fcr & FCR_ENABLE ? PVM_UART_FIFO : 1;
}

/* The pending interrupt of the highest priority, as IIR names it. */
static u8 uart_cause(const struct pvm_uart *u)
{
	if ((u->ier & IER_LSR) && (u->lsr & LSR_ERRORS))
		return IIR_LSR;
	if ((u->ier & IER_RDA) && u->used)
		return u->used >= uart_trigger[(u->fcr & FCR_TRIGGER) >> 6] ||
			!(u->fcr & FCR_ENABLE) ? IIR_RDA : IIR_TIMEOUT;
	if ((u->ier & IER_THRE) && u->thr_pending)
		return IIR_THRE;
	if ((u->ier & IER_MSR) && (u->msr & MSR_DELTAS))
		return IIR_MSR;
	return IIR_NONE;
}

static void uart_line(struct pvm_uart *u)
{
	/* In loopback the pin of OUT2 is inactive. */
	bool through = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
	bool high = through && uart_cause(u) != IIR_NONE;

	if (high == u->line_high)
		return;
	u->line_high = high;
	pvm_dev_irq(&u->dev, u->dev.line, high);
}

static bool uart_receive(struct pvm_uart *u, u8 byte)
{
	if (u->used >= uart_depth(u))
		return false;
	u->fifo[(u->head + u->used) % PVM_UART_FIFO] = byte;
	u->used++;
	u->lsr |= LSR_DR;
	return true;
}

/* The receiver's pin is cut off in loopback: what arrives has to wait. */
static u32 uart_free(const struct pvm_uart *u)
{
	return u->mcr & MCR_LOOP ? 0 : uart_depth(u) - min_t(u32, uart_depth(u), u->used);
}

u32 pvm_uart_room(struct pvm_uart *u)
{
	u32 room = uart_free(u);

	u->want_room = !room;
	return room;
}

bool pvm_uart_input(struct pvm_uart *u, u8 byte)
{
	if (!pvm_uart_room(u))
		return false;
	uart_receive(u, byte);
	uart_line(u);
	return true;
}

/* Last in every access: the board may call pvm_uart_input() from the signal. */
static void uart_tell_room(struct pvm_uart *u)
{
	if (!u->want_room || !uart_free(u))
		return;
	u->want_room = false;
	pvm_dev_signal(&u->dev, PVM_SIGNAL_INPUT_ROOM, 0);
}

static u8 uart_get_data(struct pvm_uart *u)
{
	u8 byte;

	if (!u->used)
		return 0;
	byte = u->fifo[u->head % PVM_UART_FIFO];
	u->head = (u->head + 1) % PVM_UART_FIFO;
	u->used--;
	if (!u->used)
		u->lsr &= ~LSR_DR;
	return byte;
}

static void uart_clear_rx(struct pvm_uart *u)
{
	u->head = 0;
	u->used = 0;
	u->lsr &= ~(LSR_DR | LSR_ERRORS);
}

/* The modem inputs take new levels; what changed is remembered. */
static void uart_set_modem(struct pvm_uart *u, u8 levels)
{
	u8 changed = (u->msr ^ levels) & ~MSR_DELTAS;

	if (changed & MSR_CTS)
		levels |= MSR_DCTS;
	if (changed & MSR_DSR)
		levels |= MSR_DDSR;
	if ((changed & MSR_RI) && !(levels & MSR_RI))
		levels |= MSR_TERI;
	if (changed & MSR_DCD)
		levels |= MSR_DDCD;
	u->msr = (u->msr & MSR_DELTAS) | levels;
}

static u8 uart_modem_levels(const struct pvm_uart *u)
{
	u8 levels = 0;

	if (!(u->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	if (u->mcr & MCR_RTS)
		levels |= MSR_CTS;
	if (u->mcr & MCR_DTR)
		levels |= MSR_DSR;
	if (u->mcr & MCR_OUT1)
		levels |= MSR_RI;
	if (u->mcr & MCR_OUT2)
		levels |= MSR_DCD;
	return levels;
}

static u8 uart_get_iir(struct pvm_uart *u)
{
	u8 cause = uart_cause(u);

	/* Naming this cause is what clears it. */
	if (cause == IIR_THRE)
		u->thr_pending = false;
	return cause | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static u8 uart_get(struct pvm_dev *d, u64 off)
{
	struct pvm_uart *u = uart_of(d);
	bool dlab = u->lcr & LCR_DLAB;
	u8 val = 0;

	switch (off) {
	case REG_DATA:
		val = dlab ? u->divisor & 0xff : uart_get_data(u);
		break;
	case REG_IER:
		val = dlab ? u->divisor >> 8 : u->ier;
		break;
	case REG_IIR_FCR:
		val = uart_get_iir(u);
		break;
	case REG_LCR:
		return u->lcr;
	case REG_MCR:
		return u->mcr;
	case REG_LSR:
		val = u->lsr;
		u->lsr &= ~LSR_ERRORS;
		break;
	case REG_MSR:
		val = u->msr;
		u->msr &= ~MSR_DELTAS;
		break;
	case REG_SCR:
		return u->scr;
	}
	uart_line(u);
	uart_tell_room(u);
	return val;
}

static void uart_put_data(struct pvm_uart *u, u8 val)
{
	if (!(u->mcr & MCR_LOOP))
		pvm_dev_signal(&u->dev, PVM_SIGNAL_OUTPUT, val);
	else if (!uart_receive(u, val))
		u->lsr |= LSR_OE;
	u->thr_pending = true;
}

static void uart_put_ier(struct pvm_uart *u, u8 val)
{
	/* Enabling it while the transmitter is empty asks at once. */
	if ((val & IER_THRE) && !(u->ier & IER_THRE))
		u->thr_pending = true;
	u->ier = val & IER_WRITABLE;
}

static void uart_put_fcr(struct pvm_uart *u, u8 val)
{
	/* Turning the FIFOs on or off empties them; so does the bit for it. */
	if ((val ^ u->fcr) & FCR_ENABLE || (val & FCR_ENABLE && val & FCR_CLEAR_RX))
		uart_clear_rx(u);
	/* The other bits are written only together with the enable bit. */
	u->fcr = val & FCR_ENABLE ? val & (FCR_ENABLE | FCR_TRIGGER) : 0;
}

static void uart_put(struct pvm_dev *d, u64 off, u8 val)
{
	struct pvm_uart *u = uart_of(d);
	bool dlab = u->lcr & LCR_DLAB;

	switch (off) {
	case REG_DATA:
		if (dlab)
			u->divisor = (u->divisor & 0xff00) | val;
		else
			uart_put_data(u, val);
		break;
	case REG_IER:
		if (dlab)
			u->divisor = (u->divisor & 0xff) | val << 8;
		else
			uart_put_ier(u, val);
		break;
	case REG_IIR_FCR:
		uart_put_fcr(u, val);
		break;
	case REG_LCR:
		u->lcr = val;
		break;
	case REG_MCR:
		u->mcr = val & MCR_WRITABLE;
		uart_set_modem(u, uart_modem_levels(u));
		break;
	case REG_SCR:
		u->scr = val;
		break;
	}
	uart_line(u);
	uart_tell_room(u);
}

static u64 uart_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	return pvm_dev_read_bytes(d, off, bytes, uart_get);
}

static void uart_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	pvm_dev_write_bytes(d, off, bytes, val, uart_put);
}

static void uart_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
}

static void uart_reset(struct pvm_dev *d)
{
	struct pvm_uart *u = uart_of(d);

	memset(u->fifo, 0, sizeof(u->fifo));
	u->head = 0;
	u->used = 0;
	u->ier = 0;
	u->fcr = 0;
	u->lcr = 0;
	u->mcr = 0;
	u->lsr = LSR_THRE | LSR_TEMT;
	u->msr = uart_modem_levels(u);
	u->scr = 0;
	u->divisor = DIVISOR_9600;
	u->thr_pending = false;
	u->line_high = true;	/* to be driven low in any case */
	uart_line(u);
	uart_tell_room(u);
}

static const struct pvm_state_desc uart_state[] = {
	PVM_STATE(struct pvm_uart, fifo),
	PVM_STATE(struct pvm_uart, head),
	PVM_STATE(struct pvm_uart, used),
	PVM_STATE(struct pvm_uart, ier),
	PVM_STATE(struct pvm_uart, fcr),
	PVM_STATE(struct pvm_uart, lcr),
	PVM_STATE(struct pvm_uart, mcr),
	PVM_STATE(struct pvm_uart, lsr),
	PVM_STATE(struct pvm_uart, msr),
	PVM_STATE(struct pvm_uart, scr),
	PVM_STATE(struct pvm_uart, divisor),
	PVM_STATE(struct pvm_uart, thr_pending),
	PVM_STATE(struct pvm_uart, want_room),
	PVM_STATE(struct pvm_uart, line_high),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_uart_ops = {
	.name	= "uart",
	.reset	= uart_reset,
	.read	= uart_read,
	.write	= uart_write,
	.timer	= uart_timer,
	.state	= uart_state,
};
