// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt messages: who is addressed, and what reaches a local APIC.
 *
 * IPIs, the I/O APIC and MSIs all end here as a struct pvm_irq_msg. Other
 * threads' id, mode, logical destination and priority are read without a lock:
 * a guest that changes them while messages are under way gets one or the other.
 *
 * World:   pure
 * Context: any thread, no lock, bounded by PVM_MAX_VCPUS; pvm_lapic_ipi() the owner
 * Spec:    SDM3 "Issuing Interprocessor Interrupts",
 *          SDM3 "Determining IPI Destination", SDM3 "Message Signalled Interrupts"
 */
#include "irqchip/lapic.h"

#define DEST_ALL_8	0xffu
#define DEST_ALL_32	0xffffffffu

#define MSI_ADDRESS		0xfee00000ull
#define MSI_ADDRESS_MASK	0xfffffffffff00000ull
#define MSI_REDIRECT		BIT_ULL(3)
#define MSI_LOGICAL		BIT_ULL(2)
#define MSI_LEVEL		BIT(15)

static bool dest_is_all(const struct pvm_irq_msg *m)
{
	return m->dest == (m->x2apic_dest ? DEST_ALL_32 : DEST_ALL_8);
}

/* SDM3 "Logical Destination Mode", "Logical Destination Mode in x2APIC Mode" */
static bool match_logical(const struct pvm_lapic *l, u32 dest)
{
	u32 ldr = READ_ONCE(l->ldr) >> 24;

	if (pvm_lapic_is_x2(l))
		return dest >> 16 == l->id >> 4 && dest & 1u << (l->id & 0xf);
	if (dest > 0xff)
		return false;
	if (READ_ONCE(l->dfr) >> 28 == 0xf)		/* flat */
		return dest & ldr;
	/* Cluster number 15 addresses all clusters. */
	if (dest >> 4 != 0xf && dest >> 4 != ldr >> 4)
		return false;
	return dest & ldr & 0xf;
}

static bool match(const struct pvm_lapic *l, const struct pvm_lapic *from,
		  const struct pvm_irq_msg *m)
{
	if (!(READ_ONCE(l->base) & PVM_APIC_BASE_EN))
		return false;
	switch (m->shorthand) {
	case PVM_SHORTHAND_SELF:
		return l == from;
	case PVM_SHORTHAND_ALL:
		return true;
	case PVM_SHORTHAND_OTHERS:
		return l != from;
	}
	if (dest_is_all(m))
		return true;
	return m->logical ? match_logical(l, m->dest) : READ_ONCE(l->id_reg) == m->dest;
}

static bool take_vector(struct pvm_lapic *l, struct pvm_lapic *from, const struct pvm_irq_msg *m)
{
	if (!READ_ONCE(l->accepts))
		return false;
	if (m->vector < PVM_APIC_FIRST_VECTOR) {
		pvm_lapic_error(l, PVM_ESR_RECEIVE_VECTOR);
		return false;
	}
	if (pvm_lapic_irr_set(l, m->vector, m->level) && l != from)
		l->host->kick(l);
	return true;
}

static bool take_event(struct pvm_lapic *l, enum pvm_lapic_event e)
{
	/* kick() orders this before the owner's look at events. */
	set_bit(e, &l->events);
	l->host->kick(l);
	return true;
}

/* @m reaches @l. INIT, NMI and SIPI do not need the enable bit of SVR. */
static bool take(struct pvm_lapic *l, struct pvm_lapic *from, const struct pvm_irq_msg *m)
{
	switch (m->delivery) {
	case PVM_DELIVERY_FIXED:
	case PVM_DELIVERY_LOWEST:
		return take_vector(l, from, m);
	case PVM_DELIVERY_NMI:
		return take_event(l, PVM_LAPIC_NMI);
	case PVM_DELIVERY_SMI:
		return take_event(l, PVM_LAPIC_SMI);
	case PVM_DELIVERY_INIT:
		/* A start-up message from before this INIT is void. */
		clear_bit(PVM_LAPIC_SIPI, &l->events);
		return take_event(l, PVM_LAPIC_INIT);
	case PVM_DELIVERY_SIPI:
		WRITE_ONCE(l->sipi_vector, m->vector);
		/* pairs with the owner's test_and_clear_bit() of the event */
		smp_mb__before_atomic();
		return take_event(l, PVM_LAPIC_SIPI);
	}
	/* ExtINT as a message would ask for an acknowledge cycle that no bus has. */
	return false;
}

/*
 * SDM3 "Lowest Priority Delivery Mode": among those addressed and enabled, the
 * one that does the least important thing, in turns where they are equal.
 */
static struct pvm_lapic *lowest(struct pvm_lapic_set *set, struct pvm_lapic *from,
				const struct pvm_irq_msg *m)
{
	struct pvm_lapic *best = NULL;
	u32 first = READ_ONCE(set->lowest_next), best_class = ~0u, best_i = 0, i;

	if (first >= set->count)
		first = 0;
	for (i = 0; i < set->count; i++) {
		u32 n = first + i < set->count ? first + i : first + i - set->count;
		struct pvm_lapic *l = set->apic[n];
		u32 class = READ_ONCE(l->ppr) >> 4;

		if (class < best_class && READ_ONCE(l->accepts) && match(l, from, m)) {
			best = l;
			best_class = class;
			best_i = n;
		}
	}
	if (best)
		WRITE_ONCE(set->lowest_next, best_i + 1);
	return best;
}

/* The only APIC that can have the physical id @dest, when ids are as the board gave them. */
static struct pvm_lapic *by_id(struct pvm_lapic_set *set, u32 dest)
{
	struct pvm_lapic *l;

	if (dest >= set->count)
		return NULL;
	/* Masked for the mispredicted branch: the guest chooses the value. */
	l = set->apic[dest & (PVM_MAX_VCPUS - 1)];
	return READ_ONCE(l->id_reg) == dest ? l : NULL;
}

u32 pvm_lapic_deliver(struct pvm_lapic_set *set, struct pvm_lapic *from,
		      const struct pvm_irq_msg *m)
{
	struct pvm_lapic *l;
	u32 n = 0, i;

	if (m->shorthand == PVM_SHORTHAND_NONE && !m->logical) {
		l = by_id(set, m->dest);
		if (l)
			return READ_ONCE(l->base) & PVM_APIC_BASE_EN ? take(l, from, m) : 0;
	}
	if (m->delivery == PVM_DELIVERY_LOWEST) {
		l = lowest(set, from, m);
		return l ? take(l, from, m) : 0;
	}
	for (i = 0; i < set->count; i++) {
		l = set->apic[i];
		if (match(l, from, m))
			n += take(l, from, m);
	}
	return n;
}

/* SDM3 "Valid Combinations for the Pentium 4 and Intel Xeon Processors' Local APIC ICR" */
static bool shorthand_allows(u32 shorthand, u32 delivery)
{
	switch (shorthand) {
	case PVM_SHORTHAND_SELF:
	case PVM_SHORTHAND_ALL:
		return delivery == PVM_DELIVERY_FIXED;
	}
	return true;
}

void pvm_lapic_ipi(struct pvm_lapic *l, u64 icr)
{
	bool x2 = pvm_lapic_is_x2(l);
	struct pvm_irq_msg m = {
		.dest = x2 ? icr >> 32 : icr >> 56,
		.vector = icr & 0xff,
		.delivery = (icr & PVM_ICR_DELIVERY) >> PVM_ICR_DELIVERY_SHIFT,
		.shorthand = (icr & PVM_ICR_SHORTHAND) >> PVM_ICR_SHORTHAND_SHIFT,
		.logical = icr & PVM_ICR_LOGICAL,
		.x2apic_dest = x2,
	};

	l->icr = icr;
	/* An INIT de-assert only ever synchronised arbitration ids. */
	if (m.delivery == PVM_DELIVERY_INIT &&
	    (icr & (PVM_ICR_LEVEL | PVM_ICR_ASSERT)) == PVM_ICR_LEVEL)
		return;
	if (!shorthand_allows(m.shorthand, m.delivery))
		return;
	if (m.delivery <= PVM_DELIVERY_LOWEST && m.vector < PVM_APIC_FIRST_VECTOR)
		pvm_lapic_error(l, PVM_ESR_SEND_VECTOR);
	else if (m.shorthand == PVM_SHORTHAND_SELF)
		take_vector(l, l, &m);
	else
		l->host->send(l, &m);
}

/*
 * The redirection hint asks for the best of several targets, which is lowest
 * priority by another name; the destination mode counts with and without it.
 */
bool pvm_msi_decode(u64 addr, u32 data, struct pvm_irq_msg *m)
{
	if ((addr & MSI_ADDRESS_MASK) != MSI_ADDRESS)
		return false;
	*m = (struct pvm_irq_msg){
		.dest = addr >> 12 & 0xff,
		.vector = data & 0xff,
		.delivery = data >> 8 & 7,
		.logical = addr & MSI_LOGICAL,
		.level = data & MSI_LEVEL,
	};
	if (addr & MSI_REDIRECT && m->delivery == PVM_DELIVERY_FIXED)
		m->delivery = PVM_DELIVERY_LOWEST;
	return true;
}

int pvm_lapic_msi_target(struct pvm_lapic_set *set, u64 addr, u32 data)
{
	struct pvm_irq_msg m;
	int found = -1;
	u32 i;

	if (!pvm_msi_decode(addr, data, &m) || m.delivery > PVM_DELIVERY_LOWEST ||
	    m.vector < PVM_APIC_FIRST_VECTOR)
		return -1;
	for (i = 0; i < set->count; i++) {
		if (!match(set->apic[i], NULL, &m))
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}
