/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt chips: local APICs, I/O APIC, the 8259 pair, and how a GSI or an
 * MSI reaches a vCPU.
 *
 * Who may touch a local APIC: its owner (the vCPU's thread) everything; any
 * other thread only IRR and the pending events, through pvm_lapic_post() and
 * pvm_lapic_deliver(), which are atomic and then kick the owner.
 *
 * World:   pure (route.c is kernel only)
 * Context: as each function says
 */
#ifndef PVM_IRQCHIP_H
#define PVM_IRQCHIP_H

#include <pvm/env.h>
#include "dev/dev.h"

#define PVM_LAPIC_BASE_GPA	0xfee00000ull
#define PVM_LAPIC_BYTES		0x1000
#define PVM_LAPIC_BUS_HZ	1000000000ull	/* OVMF assumes a 1 GHz APIC bus */
#define PVM_IOAPIC_BASE_GPA	0xfec00000ull
#define PVM_IOAPIC_PINS		24

/* SDM3 "Interrupt Command Register (ICR)": delivery modes */
enum pvm_delivery {
	PVM_DELIVERY_FIXED	= 0,
	PVM_DELIVERY_LOWEST	= 1,
	PVM_DELIVERY_SMI	= 2,
	PVM_DELIVERY_NMI	= 4,
	PVM_DELIVERY_INIT	= 5,
	PVM_DELIVERY_SIPI	= 6,
	PVM_DELIVERY_EXTINT	= 7,
};

enum pvm_shorthand {
	PVM_SHORTHAND_NONE,
	PVM_SHORTHAND_SELF,
	PVM_SHORTHAND_ALL,
	PVM_SHORTHAND_OTHERS,
};

/* One interrupt message on its way to the local APICs. */
struct pvm_irq_msg {
	u32 dest;		/* APIC id, or logical destination */
	u8 vector;
	u8 delivery;		/* enum pvm_delivery */
	u8 shorthand;		/* enum pvm_shorthand; only for IPIs */
	bool logical;
	bool level;
	bool x2apic_dest;	/* dest has 32 bits (an ICR write in x2APIC mode) */
};

struct pvm_lapic;

struct pvm_lapic_host {
	u64  (*now_ns)(struct pvm_lapic *l);
	/*
	 * Guest TSC now, and the monotonic time at which it will reach @tsc,
	 * rounded up; the far future where that cannot be expressed.
	 */
	u64  (*now_tsc)(struct pvm_lapic *l);
	u64  (*tsc_to_ns)(struct pvm_lapic *l, u64 tsc);
	void (*timer_set)(struct pvm_lapic *l, u64 when_ns);	/* 0: off */
	/*
	 * Another thread changed IRR or the events. What the owner does to itself
	 * (self IPI, its timer) comes without a kick: it looks at
	 * pvm_lapic_quiet() or pvm_lapic_pending() before each entry anyway.
	 */
	void (*kick)(struct pvm_lapic *l);
	void (*eoi)(struct pvm_lapic *l, u8 vector);	/* level: tell the I/O APIC */
	/* Sends on behalf of @l; the set is the VM's. */
	void (*send)(struct pvm_lapic *l, const struct pvm_irq_msg *m);
};

/* Events that are not vectors, pending at a local APIC (bits of ->events). */
enum pvm_lapic_event {
	PVM_LAPIC_INIT,
	PVM_LAPIC_SIPI,
	PVM_LAPIC_NMI,
	PVM_LAPIC_SMI,
};

enum pvm_lapic_mode {
	PVM_LAPIC_MODE_OFF,
	PVM_LAPIC_MODE_XAPIC,
	PVM_LAPIC_MODE_X2APIC,
};

/* Entries of the local vector table, in register order. */
enum pvm_lapic_lvt {
	PVM_LVT_TIMER,
	PVM_LVT_THERMAL,
	PVM_LVT_PMC,
	PVM_LVT_LINT0,
	PVM_LVT_LINT1,
	PVM_LVT_ERROR,
	PVM_LVTS,
};

struct pvm_lapic_set;

/*
 * Locking key
 *  (c) constant: filled by whoever embeds it, before the first reset
 *  (o) owner thread only
 *  (w) written by the owner with WRITE_ONCE, read by any thread with READ_ONCE
 *  (a) any thread, atomic; order in irqchip/lapic.h
 *
 * The first cache lines hold what EOI, ICR and the check before each entry touch.
 */
struct pvm_lapic {
	const struct pvm_lapic_host *host;	/* (c) */
	struct pvm_lapic_set *set;	/* (c) the VM's, for a short way to one target; or NULL */
	u64 base;			/* (w) IA32_APIC_BASE */
	u64 icr;			/* (o) */
	u32 tpr;			/* (o) */
	u32 ppr;			/* (w) */
	u32 isr_top;			/* (o) highest vector in service, 0: none */
	u32 id_reg;			/* (w) id that physical destinations are compared with */
	unsigned long events;		/* (a) enum pvm_lapic_event bits */
	bool irr_hint;			/* (a) irr may be non-zero */
	bool accepts;			/* (w) enabled by IA32_APIC_BASE and by SVR */
	u8 sipi_vector;			/* (a) written before its event bit */
	unsigned long irr[4];		/* (a) */
	unsigned long tmr[4];		/* (a) bit set: level; written before irr */
	unsigned long isr[4];		/* (o) */

	u32 id;				/* (c) initial APIC id = x2APIC id */
	u32 svr;			/* (o) */
	u32 ldr;			/* (w) xAPIC mode; fixed by id in x2APIC mode */
	u32 dfr;			/* (w) */
	u32 esr;			/* (o) as last latched */
	unsigned long esr_pending;	/* (a) errors since */
	u32 lvt[PVM_LVTS];		/* (w) */

	u32 timer_initial;		/* (o) down to here */
	u32 timer_divide;		/* the register's value */
	bool timer_running;		/* one-shot or periodic count in progress */
	bool timer_armed;		/* host->timer_set called, not expired */
	u64 timer_start_ns;		/* when the current count began */
	u64 tsc_deadline;

	void *owner;			/* (c) the vCPU, or a test */
};

/*
 * All local APICs of a VM; constant while it runs. Entry i has APIC id i wherever
 * the board can choose: that is the short way.
 */
struct pvm_lapic_set {
	struct pvm_lapic *apic[PVM_MAX_VCPUS];
	u32 count;
	u32 lowest_next;		/* round robin for lowest priority; racy by design */
};

/*
 * Power-on state (@bsp: bootstrap processor flag) or, with @init_only, INIT state:
 * that keeps IA32_APIC_BASE, the id and the pending events. Owner.
 */
void pvm_lapic_reset(struct pvm_lapic *l, bool bsp, bool init_only);

/*
 * After a power-on reset: as firmware leaves the bootstrap processor's (software
 * enabled, LINT0 ExtINT, LINT1 NMI), for a kernel that is booted without one. Owner.
 */
void pvm_lapic_virtual_wire(struct pvm_lapic *l);

enum pvm_lapic_mode pvm_lapic_mode(const struct pvm_lapic *l);

/*
 * xAPIC page; the caller knows from IA32_APIC_BASE where it lies. Owner. Registers
 * answer aligned 32-bit writes and any read inside their 4 bytes; other writes are
 * dropped, other bytes read 0. Without xAPIC mode: all ones, writes dropped.
 */
u64 pvm_lapic_mmio_read(struct pvm_lapic *l, u32 off, u32 bytes);
void pvm_lapic_mmio_write(struct pvm_lapic *l, u32 off, u32 bytes, u64 val);

/*
 * IA32_APIC_BASE, IA32_TSC_DEADLINE and the x2APIC MSRs 0x800..0x8ff. Owner; the
 * context must allow host->kick, eoi, send and timer_set. Return false where the
 * instruction must raise #GP.
 */
bool pvm_lapic_msr_read(struct pvm_lapic *l, u32 msr, u64 *val);
bool pvm_lapic_msr_write(struct pvm_lapic *l, u32 msr, u64 val);

/* CR8. Owner. */
static inline u64 pvm_lapic_cr8(const struct pvm_lapic *l)
{
	return l->tpr >> 4;
}

void pvm_lapic_set_cr8(struct pvm_lapic *l, u64 cr8);

/*
 * quiet: neither a vector in IRR nor an event; two loads. Any thread. When not
 * quiet, ask events and pending().
 * pending: the highest vector that may be delivered now (above PPR), else -1. Owner.
 * irr_max: the highest vector in IRR whatever the priority, else -1. Any thread.
 * accept: IRR to ISR for @vector, which pending() returned. Owner.
 */
static inline bool pvm_lapic_quiet(const struct pvm_lapic *l)
{
	return !READ_ONCE(l->irr_hint) && !READ_ONCE(l->events);
}

int pvm_lapic_irr_scan(struct pvm_lapic *l);	/* pending() when irr_hint is set */

static inline int pvm_lapic_pending(struct pvm_lapic *l)
{
	return likely(!READ_ONCE(l->irr_hint)) ? -1 : pvm_lapic_irr_scan(l);
}

int pvm_lapic_irr_max(const struct pvm_lapic *l);
/* An interrupt waits that TPR alone holds back. Owner. */
bool pvm_lapic_held_by_tpr(const struct pvm_lapic *l);
void pvm_lapic_accept(struct pvm_lapic *l, u8 vector);

/* Takes event @e if it is pending. Owner; INIT before SIPI. */
static inline bool pvm_lapic_take_event(struct pvm_lapic *l, enum pvm_lapic_event e)
{
	return test_bit(e, &l->events) && test_and_clear_bit(e, &l->events);
}

/* Virtual wire: the PIC's INTR reaches this vCPU. Any thread. */
bool pvm_lapic_takes_extint(const struct pvm_lapic *l);

/* Enabled by IA32_APIC_BASE and by SVR: takes fixed interrupts. Any thread. */
static inline bool pvm_lapic_enabled(const struct pvm_lapic *l)
{
	return READ_ONCE(l->accepts);
}

/* The timer armed by host->timer_set has expired. Owner. */
void pvm_lapic_timer(struct pvm_lapic *l);

/*
 * Sets @vector in IRR and kicks unless it was there; dropped where the APIC is
 * not enabled, an error (ESR) below 16. Any thread, atomic.
 */
void pvm_lapic_post(struct pvm_lapic *l, u8 vector, bool level);

/*
 * Delivers @m to every local APIC it addresses; @from is the sender of an IPI
 * (then the caller is its owner) or NULL. Any thread. Returns how many took it.
 */
u32 pvm_lapic_deliver(struct pvm_lapic_set *set, struct pvm_lapic *from,
		      const struct pvm_irq_msg *m);

/*
 * The index of the one vCPU an MSI with this address goes to, or -1 when it
 * addresses none or several or is not a vector: where the host's interrupt
 * should go. Any thread.
 */
int pvm_lapic_msi_target(struct pvm_lapic_set *set, u64 addr, u32 data);

/* Takes an MSI apart. SDM3 "Message Signalled Interrupts". False: not an MSI address. */
bool pvm_msi_decode(u64 addr, u32 data, struct pvm_irq_msg *m);

/* I/O APIC: an inner pvm_dev with one region of 4 KiB (registers at 0, 0x10, 0x40). */
struct pvm_ioapic {
	struct pvm_dev dev;
	void (*deliver)(struct pvm_ioapic *io, const struct pvm_irq_msg *m);
	/* A level-triggered pin was acknowledged by EOI (for passed-through INTx); may be NULL. */
	void (*acked)(struct pvm_ioapic *io, u32 pin);
	u32 select;
	u32 id;
	u64 redir[PVM_IOAPIC_PINS];
	u32 level;			/* bit per pin: line is high */
	u32 remote;			/* not in redir: pins waiting for an EOI */
};

extern const struct pvm_dev_ops pvm_ioapic_ops;
/* With the device's lock held: */
void pvm_ioapic_set(struct pvm_ioapic *io, u32 pin, bool level);
void pvm_ioapic_eoi(struct pvm_ioapic *io, u8 vector);

/*
 * 8259 pair: an inner pvm_dev with regions 0 (master, 0x20), 1 (slave, 0xa0)
 * and 2 (ELCR, 0x4d0).
 */
struct pvm_pic_half {
	u8 irr, isr, imr, level, elcr, base, priority;
	u8 init_step;
	bool need_icw4, auto_eoi, rotate_aeoi, special_mask, poll, read_isr, special_nested;
};

struct pvm_pic {
	struct pvm_dev dev;
	void (*intr)(struct pvm_pic *pic, bool level);	/* INTR output */
	void (*acked)(struct pvm_pic *pic, u32 irq);	/* EOI of a level line; may be NULL */
	struct pvm_pic_half half[2];
	bool output;
};

extern const struct pvm_dev_ops pvm_pic_ops;
/* With the device's lock held: */
void pvm_pic_set(struct pvm_pic *pic, u32 irq, bool level);
int pvm_pic_inta(struct pvm_pic *pic);		/* interrupt acknowledge: the vector */

#endif /* PVM_IRQCHIP_H */
