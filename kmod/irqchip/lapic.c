// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC: registers, modes, priorities.
 *
 * One table says which register exists in which mode and which bits of it may
 * be written; xAPIC accesses and x2APIC MSRs meet behind it. EOI, ICR, TPR and
 * the self IPI as MSRs are served before the table is looked at, since a guest
 * writes them at every interrupt.
 *
 * This is the model of an Intel part with version 0x14: six LVT entries, no
 * suppression of EOI broadcasts, no CMCI.
 *
 * World:   pure
 * Context: owner thread, except pvm_lapic_post(), pvm_lapic_error() and what
 *          irqchip.h marks "any thread": no lock, atomics as irqchip/lapic.h says
 * Spec:    SDM3 "Advanced Programmable Interrupt Controller (APIC)"
 */
#include "irqchip/lapic.h"

#define LAPIC_VERSION	(0x14 | (PVM_LVTS - 1) << 16)

#define LVT_BUSY	(1u << 12)	/* read-only: delivery status */
#define LVT_REMOTE_IRR	(1u << 14)	/* read-only, LINT0 and LINT1 */
#define LVT_READ_ONLY	(LVT_BUSY | LVT_REMOTE_IRR)
#define LVT_BASIC	(PVM_LVT_VECTOR | LVT_BUSY | PVM_LVT_MASKED)
#define LVT_PIN		(LVT_BASIC | PVM_LVT_DELIVERY | 1u << 13 | LVT_REMOTE_IRR | 1u << 15)

/* Which access a register answers: R, W in xAPIC mode (X) or x2APIC mode (2). */
enum { RX = 1, WX = 2, R2 = 4, W2 = 8, RW = RX | WX | R2 | W2, RO = RX | R2, WO = WX | W2 };

static const struct lapic_reg {
	u8 access;
	u32 valid;	/* bits a write may set; others: #GP in x2APIC mode, else dropped */
} lapic_regs[PVM_APIC_REGS] = {
	[PVM_APIC_ID]		= { RO | WX,	0xff000000 },
	[PVM_APIC_VERSION]	= { RO,		0 },
	[PVM_APIC_TPR]		= { RW,		0xff },
	[PVM_APIC_APR]		= { RX,		0 },
	[PVM_APIC_PPR]		= { RO,		0 },
	[PVM_APIC_EOI]		= { WO,		0 },
	[PVM_APIC_RRD]		= { RX,		0 },
	[PVM_APIC_LDR]		= { RO | WX,	0xff000000 },
	[PVM_APIC_DFR]		= { RX | WX,	0xf0000000 },
	[PVM_APIC_SVR]		= { RW,		0x3ff },
	[PVM_APIC_ISR ... PVM_APIC_ESR - 1] = { RO, 0 },
	[PVM_APIC_ESR]		= { RW,		0 },
	[PVM_APIC_ICR]		= { RW,		(u32)PVM_ICR_VALID },
	[PVM_APIC_ICR_HIGH]	= { RX | WX,	0xff000000 },
	[PVM_APIC_LVT + PVM_LVT_TIMER]	= { RW,	LVT_BASIC | PVM_LVT_TIMER_MODE },
	[PVM_APIC_LVT + PVM_LVT_THERMAL] = { RW, LVT_BASIC | PVM_LVT_DELIVERY },
	[PVM_APIC_LVT + PVM_LVT_PMC]	= { RW,	LVT_BASIC | PVM_LVT_DELIVERY },
	[PVM_APIC_LVT + PVM_LVT_LINT0]	= { RW,	LVT_PIN },
	[PVM_APIC_LVT + PVM_LVT_LINT1]	= { RW,	LVT_PIN },
	[PVM_APIC_LVT + PVM_LVT_ERROR]	= { RW,	LVT_BASIC },
	[PVM_APIC_INITIAL]	= { RW,		~0u },
	[PVM_APIC_CURRENT]	= { RO,		0 },
	[PVM_APIC_DIVIDE]	= { RW,		0xb },
	[PVM_APIC_SELF_IPI]	= { W2,		PVM_LVT_VECTOR },
};

/* --- IRR, ISR, priorities ---------------------------------------------------- */

/* Highest bit of a 256-bit map at or below that of word @word, or -1. */
static inline int bitmap_max(const unsigned long *map, int word)
{
	for (; word >= 0; word--) {
		unsigned long bits = READ_ONCE(map[word]);

		if (bits)
			return word * 64 + (int)__fls(bits);
	}
	return -1;
}

/* SDM3 "Task and Processor Priorities" */
static inline void update_ppr(struct pvm_lapic *l)
{
	u32 in_service = l->isr_top & 0xf0;
	u32 tpr = l->tpr;

	WRITE_ONCE(l->ppr, (tpr & 0xf0) >= in_service ? tpr : in_service);
}

static inline void set_tpr(struct pvm_lapic *l, u32 tpr)
{
	l->tpr = tpr;
	update_ppr(l);
}

/* SDM3 "Signaling Interrupt Servicing Completion" */
static inline void write_eoi(struct pvm_lapic *l)
{
	u32 vector = l->isr_top;
	int top;

	if (!vector)
		return;
	__clear_bit(vector, l->isr);
	top = bitmap_max(l->isr, vector / 64);
	l->isr_top = top < 0 ? 0 : top;
	update_ppr(l);
	if (unlikely(test_bit(vector, l->tmr)))
		l->host->eoi(l, vector);
}

int pvm_lapic_irr_max(const struct pvm_lapic *l)
{
	return bitmap_max(l->irr, 3);
}

int pvm_lapic_irr_scan(struct pvm_lapic *l)
{
	int vector = bitmap_max(l->irr, 3);

	if (vector < 0) {
		WRITE_ONCE(l->irr_hint, false);
		/* pairs with the locked operations in pvm_lapic_irr_set() */
		smp_mb();
		vector = bitmap_max(l->irr, 3);
		if (vector < 0)
			return -1;
		WRITE_ONCE(l->irr_hint, true);
	}
	if (READ_ONCE(l->base) & PVM_APIC_BASE_EN && (u32)vector >> 4 > l->ppr >> 4)
		return vector;
	return -1;
}

bool pvm_lapic_held_by_tpr(const struct pvm_lapic *l)
{
	u32 class = (u32)max(bitmap_max(l->irr, 3), 0) >> 4;

	return class && class <= l->tpr >> 4 && class > l->isr_top >> 4;
}

void pvm_lapic_accept(struct pvm_lapic *l, u8 vector)
{
	clear_bit(vector, l->irr);
	__set_bit(vector, l->isr);
	if (vector > l->isr_top)
		l->isr_top = vector;
	update_ppr(l);
}

void pvm_lapic_post(struct pvm_lapic *l, u8 vector, bool level)
{
	if (!READ_ONCE(l->accepts))
		return;
	if (vector < PVM_APIC_FIRST_VECTOR)
		pvm_lapic_error(l, PVM_ESR_RECEIVE_VECTOR);
	else if (pvm_lapic_irr_set(l, vector, level))
		l->host->kick(l);
}

/*
 * SDM3 "Error Handling". An LVT entry whose own vector is illegal is one more
 * error, recorded without raising it again.
 */
void pvm_lapic_error(struct pvm_lapic *l, enum pvm_lapic_esr bit)
{
	u32 lvt = READ_ONCE(l->lvt[PVM_LVT_ERROR]);

	if (test_and_set_bit(bit, &l->esr_pending) || lvt & PVM_LVT_MASKED)
		return;
	if ((lvt & PVM_LVT_VECTOR) < PVM_APIC_FIRST_VECTOR)
		set_bit(PVM_ESR_RECEIVE_VECTOR, &l->esr_pending);
	else
		pvm_lapic_post(l, lvt & PVM_LVT_VECTOR, false);
}

/* --- modes and reset ---------------------------------------------------------- */

enum pvm_lapic_mode pvm_lapic_mode(const struct pvm_lapic *l)
{
	u64 base = READ_ONCE(l->base);

	if (!(base & PVM_APIC_BASE_EN))
		return PVM_LAPIC_MODE_OFF;
	return base & PVM_APIC_BASE_EXTD ? PVM_LAPIC_MODE_X2APIC : PVM_LAPIC_MODE_XAPIC;
}

bool pvm_lapic_takes_extint(const struct pvm_lapic *l)
{
	u32 lint0 = READ_ONCE(l->lvt[PVM_LVT_LINT0]);

	/* Switched off, LINT0 is the processor's INTR pin. */
	if (!(READ_ONCE(l->base) & PVM_APIC_BASE_EN))
		return true;
	return !(lint0 & PVM_LVT_MASKED) &&
		(lint0 & PVM_LVT_DELIVERY) >> PVM_ICR_DELIVERY_SHIFT == PVM_DELIVERY_EXTINT;
}

void pvm_lapic_set_cr8(struct pvm_lapic *l, u64 cr8)
{
	set_tpr(l, (cr8 & 0xf) << 4);
}

static void update_accepts(struct pvm_lapic *l)
{
	WRITE_ONCE(l->accepts, l->base & PVM_APIC_BASE_EN && l->svr & PVM_APIC_SVR_ENABLE);
}

/* SDM3 "Local APIC State After Power-Up or Reset" */
static void reset_registers(struct pvm_lapic *l)
{
	u32 i;

	pvm_lapic_timer_stop(l);
	for (i = 0; i < ARRAY_SIZE(l->irr); i++) {
		WRITE_ONCE(l->irr[i], 0);
		WRITE_ONCE(l->tmr[i], 0);
		l->isr[i] = 0;
	}
	l->isr_top = 0;
	set_tpr(l, 0);
	l->svr = 0xff;
	update_accepts(l);
	WRITE_ONCE(l->ldr, 0);
	WRITE_ONCE(l->dfr, ~0u);
	l->icr = 0;
	l->esr = 0;
	WRITE_ONCE(l->esr_pending, 0);
	for (i = 0; i < PVM_LVTS; i++)
		WRITE_ONCE(l->lvt[i], PVM_LVT_MASKED);
	l->timer_initial = 0;
	l->timer_divide = 0;
}

void pvm_lapic_reset(struct pvm_lapic *l, bool bsp, bool init_only)
{
	if (!init_only) {
		WRITE_ONCE(l->base, PVM_LAPIC_BASE_GPA | PVM_APIC_BASE_EN |
			   (bsp ? PVM_APIC_BASE_BSP : 0));
		WRITE_ONCE(l->id_reg, l->id);
		WRITE_ONCE(l->events, 0);
	}
	reset_registers(l);
}

void pvm_lapic_virtual_wire(struct pvm_lapic *l)
{
	l->svr |= PVM_APIC_SVR_ENABLE;
	update_accepts(l);
	WRITE_ONCE(l->lvt[PVM_LVT_LINT0], PVM_DELIVERY_EXTINT << PVM_ICR_DELIVERY_SHIFT);
	WRITE_ONCE(l->lvt[PVM_LVT_LINT1], PVM_DELIVERY_NMI << PVM_ICR_DELIVERY_SHIFT);
}

/* SDM3 "x2APIC State Transitions": false where a write of @val is #GP */
static bool write_base(struct pvm_lapic *l, u64 val)
{
	u64 old = l->base & PVM_APIC_BASE_X2;
	u64 new = val & PVM_APIC_BASE_X2;

	if (val & ~(PVM_APIC_BASE_ADDR | PVM_APIC_BASE_BSP | PVM_APIC_BASE_X2))
		return false;
	if (new == PVM_APIC_BASE_EXTD)
		return false;
	if (old == PVM_APIC_BASE_X2 && new == PVM_APIC_BASE_EN)
		return false;
	if (old == 0 && new == PVM_APIC_BASE_X2)
		return false;

	WRITE_ONCE(l->base, val);
	if (new == old)
		return true;
	/* Neither an id written in xAPIC mode nor any state of an APIC switched off survives. */
	WRITE_ONCE(l->id_reg, l->id);
	if (new == PVM_APIC_BASE_X2)
		l->icr = (u32)l->icr;
	else
		reset_registers(l);
	return true;
}

/* --- registers ------------------------------------------------------------------ */

/* SDM3 "Logical Destination Mode in x2APIC Mode" */
static u32 x2apic_ldr(const struct pvm_lapic *l)
{
	return (l->id >> 4) << 16 | 1u << (l->id & 0xf);
}

/* SDM3 "Arbitration Priority Register"; of no consequence on a system bus. */
static u32 read_apr(struct pvm_lapic *l)
{
	int irr = pvm_lapic_irr_max(l);
	u32 wanted = irr < 0 ? 0 : irr & 0xf0;
	u32 in_service = l->isr_top & 0xf0;

	if ((l->tpr & 0xf0) >= wanted && (l->tpr & 0xf0) > in_service)
		return l->tpr;
	return max(max(l->tpr & in_service & 0xf0, wanted), in_service);
}

static inline u32 map_word(const unsigned long *map, u32 word)
{
	return READ_ONCE(map[word / 2]) >> (word % 2 * 32);
}

/* A register that the table lets the caller read. */
static u32 reg_read(struct pvm_lapic *l, u32 reg)
{
	bool x2 = pvm_lapic_is_x2(l);

	switch (reg) {
	case PVM_APIC_ID:
		return x2 ? l->id : l->id_reg << 24;
	case PVM_APIC_VERSION:
		return LAPIC_VERSION;
	case PVM_APIC_TPR:
		return l->tpr;
	case PVM_APIC_APR:
		return read_apr(l);
	case PVM_APIC_PPR:
		return l->ppr;
	case PVM_APIC_LDR:
		return x2 ? x2apic_ldr(l) : l->ldr;
	case PVM_APIC_DFR:
		return l->dfr;
	case PVM_APIC_SVR:
		return l->svr;
	case PVM_APIC_ISR ... PVM_APIC_ISR + 7:
		return map_word(l->isr, reg - PVM_APIC_ISR);
	case PVM_APIC_TMR ... PVM_APIC_TMR + 7:
		return map_word(l->tmr, reg - PVM_APIC_TMR);
	case PVM_APIC_IRR ... PVM_APIC_IRR + 7:
		return map_word(l->irr, reg - PVM_APIC_IRR);
	case PVM_APIC_ESR:
		return l->esr;
	case PVM_APIC_ICR:
		return (u32)l->icr;
	case PVM_APIC_ICR_HIGH:
		return l->icr >> 32;
	case PVM_APIC_LVT ... PVM_APIC_LVT + PVM_LVTS - 1:
		return l->lvt[reg - PVM_APIC_LVT];
	case PVM_APIC_INITIAL:
		return l->timer_initial;
	case PVM_APIC_CURRENT:
		return pvm_lapic_timer_current(l);
	case PVM_APIC_DIVIDE:
		return l->timer_divide;
	}
	return 0;
}

/* SDM3 "Spurious Interrupt", "Local APIC State After It Has Been Software Disabled" */
static void write_svr(struct pvm_lapic *l, u32 val)
{
	u32 timer = l->lvt[PVM_LVT_TIMER];
	u32 i;

	l->svr = val;
	update_accepts(l);
	if (val & PVM_APIC_SVR_ENABLE)
		return;
	for (i = 0; i < PVM_LVTS; i++)
		WRITE_ONCE(l->lvt[i], l->lvt[i] | PVM_LVT_MASKED);
	pvm_lapic_timer_lvt(l, timer);
}

static void write_lvt(struct pvm_lapic *l, u32 i, u32 val)
{
	u32 old = l->lvt[i];

	val &= ~LVT_READ_ONLY;
	if (!(l->svr & PVM_APIC_SVR_ENABLE))
		val |= PVM_LVT_MASKED;
	WRITE_ONCE(l->lvt[i], val);
	if (i == PVM_LVT_TIMER)
		pvm_lapic_timer_lvt(l, old);
}

static void write_self_ipi(struct pvm_lapic *l, u32 vector)
{
	if (vector < PVM_APIC_FIRST_VECTOR)
		pvm_lapic_error(l, PVM_ESR_SEND_VECTOR);
	else if (READ_ONCE(l->accepts))
		pvm_lapic_irr_set(l, vector, false);
}

/* A register and bits of it that the table lets the caller write. */
static void reg_write(struct pvm_lapic *l, u32 reg, u32 val)
{
	switch (reg) {
	case PVM_APIC_ID:
		WRITE_ONCE(l->id_reg, val >> 24);
		break;
	case PVM_APIC_TPR:
		set_tpr(l, val);
		break;
	case PVM_APIC_EOI:
		write_eoi(l);
		break;
	case PVM_APIC_LDR:
		WRITE_ONCE(l->ldr, val);
		break;
	case PVM_APIC_DFR:
		WRITE_ONCE(l->dfr, val | 0x0fffffff);
		break;
	case PVM_APIC_SVR:
		write_svr(l, val);
		break;
	case PVM_APIC_ESR:
		l->esr = xchg(&l->esr_pending, 0);
		break;
	case PVM_APIC_ICR:	/* xAPIC; in x2APIC mode write_icr_x2() */
		pvm_lapic_ipi(l, (l->icr & ~0xffffffffull) | (val & ~PVM_ICR_BUSY));
		break;
	case PVM_APIC_ICR_HIGH:
		l->icr = (u64)val << 32 | (u32)l->icr;
		break;
	case PVM_APIC_LVT ... PVM_APIC_LVT + PVM_LVTS - 1:
		write_lvt(l, reg - PVM_APIC_LVT, val);
		break;
	case PVM_APIC_INITIAL:
		pvm_lapic_timer_initial(l, val);
		break;
	case PVM_APIC_DIVIDE:
		pvm_lapic_timer_divide(l, val);
		break;
	}
}

/* --- xAPIC page ------------------------------------------------------------------ */

static bool mmio_answers(const struct pvm_lapic *l)
{
	return (l->base & PVM_APIC_BASE_X2) == PVM_APIC_BASE_EN;
}

u64 pvm_lapic_mmio_read(struct pvm_lapic *l, u32 off, u32 bytes)
{
	u32 reg = off / 16, shift = off % 16 * 8;

	if (!mmio_answers(l))
		return pvm_bytes_mask(bytes);
	if (reg >= PVM_APIC_REGS || !(lapic_regs[reg].access & (RX | WX))) {
		pvm_lapic_error(l, PVM_ESR_REGISTER);
		return 0;
	}
	if (shift >= 32 || !(lapic_regs[reg].access & RX))
		return 0;
	return ((u64)reg_read(l, reg) >> shift) & pvm_bytes_mask(bytes);
}

void pvm_lapic_mmio_write(struct pvm_lapic *l, u32 off, u32 bytes, u64 val)
{
	u32 reg = off / 16;

	if (!mmio_answers(l) || bytes != 4 || off % 16)
		return;
	if (reg >= PVM_APIC_REGS || !(lapic_regs[reg].access & (RX | WX)))
		pvm_lapic_error(l, PVM_ESR_REGISTER);
	else if (lapic_regs[reg].access & WX)
		reg_write(l, reg, (u32)val & lapic_regs[reg].valid);
}

/* --- MSRs -------------------------------------------------------------------------- */

bool pvm_lapic_msr_read(struct pvm_lapic *l, u32 msr, u64 *val)
{
	u32 reg = msr - PVM_MSR_X2APIC;

	if (msr == PVM_MSR_APIC_BASE) {
		*val = l->base;
		return true;
	}
	if (msr == PVM_MSR_TSC_DEADLINE) {
		*val = pvm_lapic_timer_deadline_read(l);
		return true;
	}
	if (!pvm_lapic_is_x2(l) || reg >= PVM_APIC_REGS || !(lapic_regs[reg].access & R2))
		return false;
	*val = reg == PVM_APIC_ICR ? l->icr : reg_read(l, reg);
	return true;
}

/*
 * The common IPIs, fixed to one physical id or to itself, go straight to the
 * target's IRR; the rest is for lapic_ipi.c. The mask of the index holds where the
 * branch above it is mispredicted: the guest chooses the value.
 */
static bool write_icr_x2(struct pvm_lapic *l, u64 icr)
{
	const struct pvm_lapic_set *set = l->set;
	u32 dest = icr >> 32, vector = icr & 0xff;
	struct pvm_lapic *to;

	if (unlikely(icr & PVM_ICR_RESERVED))
		return false;
	/* The busy bit is no more in this mode; parts differ in refusing it. */
	icr &= ~PVM_ICR_BUSY;
	if ((icr & (PVM_ICR_DELIVERY | PVM_ICR_SHORTHAND)) == PVM_ICR_SELF) {
		l->icr = icr;
		write_self_ipi(l, vector);
		return true;
	}
	if (unlikely(icr & (PVM_ICR_DELIVERY | PVM_ICR_LOGICAL | PVM_ICR_SHORTHAND) ||
		     vector < PVM_APIC_FIRST_VECTOR || !set || dest >= set->count)) {
		pvm_lapic_ipi(l, icr);
		return true;
	}
	to = set->apic[dest & (PVM_MAX_VCPUS - 1)];
	if (unlikely(READ_ONCE(to->id_reg) != dest)) {
		pvm_lapic_ipi(l, icr);
		return true;
	}
	l->icr = icr;
	if (READ_ONCE(to->accepts) && pvm_lapic_irr_set(to, vector, false) && to != l)
		to->host->kick(to);
	return true;
}

static bool msr_write_slow(struct pvm_lapic *l, u32 msr, u64 val)
{
	u32 reg = msr - PVM_MSR_X2APIC;

	if (msr == PVM_MSR_APIC_BASE)
		return write_base(l, val);
	if (!pvm_lapic_is_x2(l) || reg >= PVM_APIC_REGS || !(lapic_regs[reg].access & W2))
		return false;
	if (val & ~(u64)lapic_regs[reg].valid)
		return false;
	if (reg == PVM_APIC_LVT + PVM_LVT_TIMER &&
	    (val & PVM_LVT_TIMER_MODE) == PVM_LVT_TIMER_MODE)
		return false;
	reg_write(l, reg, val);
	return true;
}

bool pvm_lapic_msr_write(struct pvm_lapic *l, u32 msr, u64 val)
{
	if (msr == PVM_MSR_TSC_DEADLINE) {
		pvm_lapic_timer_deadline(l, val);
		return true;
	}
	if (unlikely(!pvm_lapic_is_x2(l)))
		return msr_write_slow(l, msr, val);

	switch (msr) {
	case PVM_MSR_X2APIC + PVM_APIC_EOI:
		if (unlikely(val))
			return false;
		write_eoi(l);
		return true;
	case PVM_MSR_X2APIC + PVM_APIC_ICR:
		return write_icr_x2(l, val);
	case PVM_MSR_X2APIC + PVM_APIC_TPR:
		if (unlikely(val > 0xff))
			return false;
		set_tpr(l, val);
		return true;
	case PVM_MSR_X2APIC + PVM_APIC_SELF_IPI:
		if (unlikely(val > 0xff))
			return false;
		write_self_ipi(l, val);
		return true;
	}
	return msr_write_slow(l, msr, val);
}
