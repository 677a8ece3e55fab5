/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How an interrupt line (GSI) or an MSI of the board reaches the vCPUs.
 *
 * Lines 0..15 go to the 8259 pair and to the I/O APIC, 16..23 to the I/O APIC
 * alone, plus the 8259 input that the LPC bridge leads them to. ISA interrupt 0
 * is I/O APIC input 2, as the ACPI tables say.
 *
 * World:   kernel
 * Context: any, also hard IRQ; takes the chips' locks
 */
#ifndef PVM_IRQ_ROUTE_H
#define PVM_IRQ_ROUTE_H

#include "irqchip/irqchip.h"

struct pvm_irq_route {
	struct pvm_ioapic *ioapic;
	struct pvm_pic *pic;
	struct pvm_lapic_set *lapics;
	/* 8259 input of GSI 16..23, or -1. */
	int (*pirq)(struct pvm_irq_route *r, u32 gsi);
	/* Level lines that the guest acknowledged, outside all locks. May be NULL. */
	void (*acked)(struct pvm_irq_route *r, u32 gsi);
	unsigned long acked_pins;	/* (a) collected under the chip's lock */
	u8 pirq_level;			/* (a) GSIs 16..23 that are high, for shared 8259 inputs */
};

void pvm_route_line(struct pvm_irq_route *r, u32 gsi, bool level);
void pvm_route_msi(struct pvm_irq_route *r, u64 addr, u32 data);
void pvm_route_eoi(struct pvm_irq_route *r, u8 vector);
int pvm_route_inta(struct pvm_irq_route *r);

/* For struct pvm_ioapic: deliver and acked, with the owner's route at hand. */
void pvm_route_note_acked(struct pvm_irq_route *r, u32 pin);

#endif /* PVM_IRQ_ROUTE_H */
