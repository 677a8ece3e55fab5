/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the three local APIC files share; private to this folder.
 *
 * Ordering of an arriving vector, the only data that other threads write:
 *
 *	sender					owner
 *	tmr bit (only where it changes)
 *	irr bit (locked: full barrier)		irr_hint = false
 *	irr_hint = true				smp_mb()
 *	host->kick()				scan irr; found: irr_hint = true
 *
 * Whoever finds irr_hint false may leave IRR alone: either the owner's clearing
 * came first and the sender's true stands, or it came second and then the
 * owner's second scan sees the sender's irr bit. tmr precedes irr, so EOI of a
 * vector sees the trigger mode it arrived with.
 *
 * World:   pure
 * Context: as each function says
 * Spec:    SDM3 "Advanced Programmable Interrupt Controller (APIC)"
 */
#ifndef PVM_IRQCHIP_LAPIC_H
#define PVM_IRQCHIP_LAPIC_H

#include "irqchip/irqchip.h"

/* Register numbers: xAPIC offset / 16 = x2APIC MSR - 0x800. */
enum pvm_lapic_reg {
	PVM_APIC_ID	= 0x02,
	PVM_APIC_VERSION = 0x03,
	PVM_APIC_TPR	= 0x08,
	PVM_APIC_APR	= 0x09,
	PVM_APIC_PPR	= 0x0a,
	PVM_APIC_EOI	= 0x0b,
	PVM_APIC_RRD	= 0x0c,
	PVM_APIC_LDR	= 0x0d,
	PVM_APIC_DFR	= 0x0e,
	PVM_APIC_SVR	= 0x0f,
	PVM_APIC_ISR	= 0x10,		/* 8 each */
	PVM_APIC_TMR	= 0x18,
	PVM_APIC_IRR	= 0x20,
	PVM_APIC_ESR	= 0x28,
	PVM_APIC_ICR	= 0x30,
	PVM_APIC_ICR_HIGH = 0x31,
	PVM_APIC_LVT	= 0x32,		/* enum pvm_lapic_lvt */
	PVM_APIC_INITIAL = 0x38,
	PVM_APIC_CURRENT = 0x39,
	PVM_APIC_DIVIDE	= 0x3e,
	PVM_APIC_SELF_IPI = 0x3f,
	PVM_APIC_REGS	= 0x40,
};

#define PVM_MSR_APIC_BASE	0x01b
#define PVM_MSR_TSC_DEADLINE	0x6e0
#define PVM_MSR_X2APIC		0x800	/* + register number */

/* IA32_APIC_BASE */
#define PVM_APIC_BASE_BSP	BIT_ULL(8)
#define PVM_APIC_BASE_EXTD	BIT_ULL(10)
#define PVM_APIC_BASE_EN	BIT_ULL(11)
#define PVM_APIC_BASE_X2	(PVM_APIC_BASE_EN | PVM_APIC_BASE_EXTD)
#define PVM_APIC_BASE_ADDR	GENMASK_ULL(51, 12)

#define PVM_APIC_SVR_ENABLE	BIT(8)

#define PVM_LVT_VECTOR		0xffu
#define PVM_LVT_DELIVERY	(7u << 8)
#define PVM_LVT_MASKED		(1u << 16)
#define PVM_LVT_TIMER_MODE	(3u << 17)
#define PVM_LVT_ONESHOT		(0u << 17)
#define PVM_LVT_PERIODIC	(1u << 17)
#define PVM_LVT_DEADLINE	(2u << 17)

/* ICR, low half; the destination is bits 63:56 (xAPIC) or 63:32 (x2APIC) */
#define PVM_ICR_DELIVERY_SHIFT	8
#define PVM_ICR_DELIVERY	(7ull << 8)
#define PVM_ICR_LOGICAL		BIT_ULL(11)
#define PVM_ICR_BUSY		BIT_ULL(12)
#define PVM_ICR_ASSERT		BIT_ULL(14)
#define PVM_ICR_LEVEL		BIT_ULL(15)
#define PVM_ICR_SHORTHAND_SHIFT	18
#define PVM_ICR_SHORTHAND	(3ull << 18)
#define PVM_ICR_SELF		(1ull << 18)
#define PVM_ICR_VALID		(0xffull | PVM_ICR_DELIVERY | PVM_ICR_LOGICAL | PVM_ICR_BUSY | \
				 PVM_ICR_ASSERT | PVM_ICR_LEVEL | PVM_ICR_SHORTHAND)
#define PVM_ICR_RESERVED	(~PVM_ICR_VALID & 0xffffffffull)

/* Bit numbers of the error status register */
enum pvm_lapic_esr {
	PVM_ESR_SEND_VECTOR	= 5,
	PVM_ESR_RECEIVE_VECTOR	= 6,
	PVM_ESR_REGISTER	= 7,
};

static_assert((PVM_MAX_VCPUS & (PVM_MAX_VCPUS - 1)) == 0, "indices are masked");

#define PVM_APIC_FIRST_VECTOR	16	/* lower ones are errors */

static inline bool pvm_lapic_is_x2(const struct pvm_lapic *l)
{
	return (READ_ONCE(l->base) & PVM_APIC_BASE_X2) == PVM_APIC_BASE_X2;
}

/*
 * Puts a legal vector into IRR. Any thread. True if it was not there: then the
 * owner must hear of it, which is host->kick() unless the caller is the owner.
 */
static inline bool pvm_lapic_irr_set(struct pvm_lapic *l, u8 vector, bool level)
{
	if (test_bit(vector, l->tmr) != level) {
		if (level)
			set_bit(vector, l->tmr);
		else
			clear_bit(vector, l->tmr);
		/* pairs with the owner's locked clear_bit() of irr in pvm_lapic_accept() */
		smp_mb__after_atomic();
	}
	if (test_and_set_bit(vector, l->irr))
		return false;
	/* pairs with smp_mb() in pvm_lapic_irr_scan(); see the head comment */
	smp_mb__after_atomic();
	WRITE_ONCE(l->irr_hint, true);
	return true;
}

/* An error (bit number of ESR) happened at @l: record it, raise LVT error. Any thread. */
void pvm_lapic_error(struct pvm_lapic *l, enum pvm_lapic_esr bit);

/*
 * lapic_timer.c. Owner.
 * stop: no count, no deadline, no host timer.
 * lvt: the timer's LVT entry goes from @old to l->lvt[PVM_LVT_TIMER].
 */
void pvm_lapic_timer_stop(struct pvm_lapic *l);
void pvm_lapic_timer_lvt(struct pvm_lapic *l, u32 old);
void pvm_lapic_timer_initial(struct pvm_lapic *l, u32 count);
void pvm_lapic_timer_divide(struct pvm_lapic *l, u32 divide);
u32 pvm_lapic_timer_current(struct pvm_lapic *l);
void pvm_lapic_timer_deadline(struct pvm_lapic *l, u64 tsc);
u64 pvm_lapic_timer_deadline_read(struct pvm_lapic *l);

/* lapic_ipi.c: sends what @icr says (full 64 bits, reserved bits checked). Owner. */
void pvm_lapic_ipi(struct pvm_lapic *l, u64 icr);

#endif /* PVM_IRQCHIP_LAPIC_H */
