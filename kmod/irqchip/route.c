// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines and messages to the interrupt chips.
 *
 * World:   kernel
 * Context: any, also hard IRQ
 * Spec:    ACPI r6.5, sec 5.2.12 "MADT"; DS ICH9 "PIRQ Routing Control"
 */
#include <linux/bitops.h>
#include "irqchip/route.h"
#include "trace/trace.h"

static void pvm_route_pic(struct pvm_irq_route *r, u32 irq, bool level)
{
	unsigned long flags = pvm_dev_lock(&r->pic->dev);

	pvm_pic_set(r->pic, irq, level);
	pvm_dev_unlock(&r->pic->dev, flags);
}

/* Two PCI lines may share an 8259 input: it is the OR of them. */
static void pvm_route_pirq(struct pvm_irq_route *r, u32 gsi, bool level)
{
	int irq = r->pirq(r, gsi);
	bool any = level;
	u32 i;

	if (level)
		r->pirq_level |= BIT(gsi - 16);
	else
		r->pirq_level &= ~BIT(gsi - 16);
	if (irq < 0)
		return;
	for (i = 0; i < 8; i++)
		if (r->pirq_level & BIT(i) && r->pirq(r, 16 + i) == irq)
			any = true;
	pvm_route_pic(r, irq, any);
}

void pvm_route_line(struct pvm_irq_route *r, u32 gsi, bool level)
{
	unsigned long flags;

	if (gsi >= PVM_IOAPIC_PINS)
		return;
	trace_pvm_irq(0, gsi, level);
	flags = pvm_dev_lock(&r->ioapic->dev);
	pvm_ioapic_set(r->ioapic, gsi ? gsi : 2, level);
	pvm_dev_unlock(&r->ioapic->dev, flags);
	if (gsi < 16)
		pvm_route_pic(r, gsi, level);
	else
		pvm_route_pirq(r, gsi, level);
}

void pvm_route_msi(struct pvm_irq_route *r, u64 addr, u32 data)
{
	struct pvm_irq_msg m;

	trace_pvm_irq(1, addr, data);
	if (pvm_msi_decode(addr, data, &m))
		pvm_lapic_deliver(r->lapics, NULL, &m);
}

void pvm_route_note_acked(struct pvm_irq_route *r, u32 pin)
{
	set_bit(pin, &r->acked_pins);
}

void pvm_route_eoi(struct pvm_irq_route *r, u8 vector)
{
	unsigned long flags = pvm_dev_lock(&r->ioapic->dev);
	unsigned long acked;
	u32 pin;

	pvm_ioapic_eoi(r->ioapic, vector);
	pvm_dev_unlock(&r->ioapic->dev, flags);
	if (!r->acked)
		return;
	acked = xchg(&r->acked_pins, 0);
	for_each_set_bit(pin, &acked, PVM_IOAPIC_PINS)
		r->acked(r, pin);
}

int pvm_route_inta(struct pvm_irq_route *r)
{
	unsigned long flags = pvm_dev_lock(&r->pic->dev);
	int vector = pvm_pic_inta(r->pic);

	pvm_dev_unlock(&r->pic->dev, flags);
	return vector;
}
