// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O APIC: 24 pins to interrupt messages.
 *
 * Version 0x20, which has the EOI register. Pins see "asserted", whatever
 * polarity the guest has set, so the polarity bit is only kept. An edge on a
 * masked pin is lost, as on the chip. A level pin sends once and then waits,
 * its remote IRR set, until an EOI names its vector.
 *
 * World:   pure
 * Context: device's lock held (an inner device)
 * Spec:    DS 82093AA "I/O Redirection Table Registers"; DS ICH9 "EOI Register"
 */
#include <pvm/env.h>
#include "irqchip/irqchip.h"

/* Offsets in the region. */
#define IOREGSEL		0x00
#define IOWIN			0x10
#define IOEOI			0x40

/* Values of IOREGSEL. */
#define IOAPICID		0x00
#define IOAPICVER		0x01
#define IOAPICARB		0x02
#define IOREDTBL		0x10

#define IOAPIC_VERSION		0x20
#define IOAPIC_ID_MASK		0x0f000000

#define REDIR_VECTOR		GENMASK_ULL(7, 0)
#define REDIR_DELIVERY_SHIFT	8
#define REDIR_LOGICAL		BIT_ULL(11)
#define REDIR_REMOTE_IRR	BIT_ULL(14)
#define REDIR_LEVEL		BIT_ULL(15)
#define REDIR_MASKED		BIT_ULL(16)
#define REDIR_DEST_SHIFT	56
/* Delivery status and remote IRR are not the guest's to write. */
#define REDIR_WRITABLE		(GENMASK_ULL(63, 56) | GENMASK_ULL(16, 15) | \
				 GENMASK_ULL(13, 13) | GENMASK_ULL(11, 0))

static struct pvm_ioapic *ioapic(struct pvm_dev *d)
{
	return container_of(d, struct pvm_ioapic, dev);
}

static void ioapic_send(struct pvm_ioapic *io, u32 pin)
{
	u64 r = io->redir[pin];
	struct pvm_irq_msg m = {
		.dest = r >> REDIR_DEST_SHIFT,
		.vector = r & REDIR_VECTOR,
		.delivery = (r >> REDIR_DELIVERY_SHIFT) & 7,
		.shorthand = PVM_SHORTHAND_NONE,
		.logical = r & REDIR_LOGICAL,
		.level = r & REDIR_LEVEL,
	};

	/* 3 and 6 are reserved; a start-up IPI cannot come from here. */
	if (m.delivery == 3 || m.delivery == PVM_DELIVERY_SIPI) {
		io->dev.host->guest_error(&io->dev, "ioapic: reserved delivery mode", r);
		return;
	}
	/* SMI, NMI and INIT are edges whatever the trigger bit says; no EOI will come. */
	if (m.level && (m.delivery == PVM_DELIVERY_FIXED || m.delivery == PVM_DELIVERY_LOWEST))
		io->remote |= BIT(pin);
	else
		m.level = false;
	io->deliver(io, &m);
}

/* Sends what a level pin that is high has to send. */
static void ioapic_level(struct pvm_ioapic *io, u32 pin)
{
	if ((io->redir[pin] & REDIR_LEVEL) && !(io->redir[pin] & REDIR_MASKED) &&
	    (io->level & BIT(pin)) && !(io->remote & BIT(pin)))
		ioapic_send(io, pin);
}

void pvm_ioapic_set(struct pvm_ioapic *io, u32 pin, bool level)
{
	bool rising;

	if (pin >= PVM_IOAPIC_PINS)
		return;
	rising = level && !(io->level & BIT(pin));
	if (level)
		io->level |= BIT(pin);
	else
		io->level &= ~BIT(pin);
	if (!rising || (io->redir[pin] & REDIR_MASKED))
		return;
	if (io->redir[pin] & REDIR_LEVEL)
		ioapic_level(io, pin);
	else
		ioapic_send(io, pin);
}

void pvm_ioapic_eoi(struct pvm_ioapic *io, u8 vector)
{
	u32 pin;

	for (pin = 0; pin < PVM_IOAPIC_PINS; pin++) {
		if (!(io->remote & BIT(pin)) || (io->redir[pin] & REDIR_VECTOR) != vector)
			continue;
		io->remote &= ~BIT(pin);
		/* First: who passes a host's interrupt through lowers the pin here. */
		if (io->acked)
			io->acked(io, pin);
		ioapic_level(io, pin);
	}
}

static void ioapic_write_redir(struct pvm_ioapic *io, u32 index, u32 val)
{
	u32 pin = index / 2;
	u64 r = io->redir[pin];

	if (index & 1)
		r = (r & GENMASK_ULL(31, 0)) | (u64)val << 32;
	else
		r = (r & GENMASK_ULL(63, 32)) | val;
	io->redir[pin] = r & REDIR_WRITABLE;
	/* Turning a pin to edge clears its remote IRR; kernels use that as an EOI. */
	if (!(r & REDIR_LEVEL) && (io->remote & BIT(pin))) {
		io->remote &= ~BIT(pin);
		if (io->acked)
			io->acked(io, pin);
	}
	ioapic_level(io, pin);
}

static u32 ioapic_read_redir(struct pvm_ioapic *io, u32 index)
{
	u32 pin = index / 2;
	u64 r = io->redir[pin];

	if (io->remote & BIT(pin))
		r |= REDIR_REMOTE_IRR;
	return index & 1 ? upper_32_bits(r) : lower_32_bits(r);
}

static u32 ioapic_read_window(struct pvm_ioapic *io)
{
	switch (io->select) {
	case IOAPICID:
	case IOAPICARB:
		return io->id;
	case IOAPICVER:
		return IOAPIC_VERSION | (PVM_IOAPIC_PINS - 1) << 16;
	}
	if (io->select >= IOREDTBL && io->select < IOREDTBL + 2 * PVM_IOAPIC_PINS)
		return ioapic_read_redir(io, io->select - IOREDTBL);
	return 0;
}

static void ioapic_write_window(struct pvm_ioapic *io, u32 val)
{
	if (io->select == IOAPICID)
		io->id = val & IOAPIC_ID_MASK;
	else if (io->select >= IOREDTBL && io->select < IOREDTBL + 2 * PVM_IOAPIC_PINS)
		ioapic_write_redir(io, io->select - IOREDTBL, val);
}

static u64 ioapic_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	u64 val;

	switch (off) {
	case IOREGSEL:
		val = ioapic(d)->select;
		break;
	case IOWIN:
		val = ioapic_read_window(ioapic(d));
		break;
	default:
		val = 0;
	}
	return val & pvm_bytes_mask(bytes);
}

static void ioapic_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	struct pvm_ioapic *io = ioapic(d);

	switch (off) {
	case IOREGSEL:
		io->select = val & 0xff;
		break;
	case IOWIN:
		ioapic_write_window(io, val);
		break;
	case IOEOI:
		pvm_ioapic_eoi(io, val & 0xff);
		break;
	}
}

static void ioapic_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
}

/* The lines stay: they belong to those who drive them. */
static void ioapic_reset(struct pvm_dev *d)
{
	struct pvm_ioapic *io = ioapic(d);
	u32 pin;

	io->select = 0;
	io->id = 0;
	for (pin = 0; pin < PVM_IOAPIC_PINS; pin++) {
		io->redir[pin] = REDIR_MASKED;
		if (!(io->remote & BIT(pin)))
			continue;
		io->remote &= ~BIT(pin);
		if (io->acked)
			io->acked(io, pin);
	}
}

static const struct pvm_state_desc ioapic_state[] = {
	PVM_STATE(struct pvm_ioapic, select),
	PVM_STATE(struct pvm_ioapic, id),
	PVM_STATE(struct pvm_ioapic, redir),
	PVM_STATE(struct pvm_ioapic, level),
	PVM_STATE(struct pvm_ioapic, remote),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_ioapic_ops = {
	.name	= "ioapic",
	.reset	= ioapic_reset,
	.read	= ioapic_read,
	.write	= ioapic_write,
	.timer	= ioapic_timer,
	.state	= ioapic_state,
};
