/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's local APICs with a clock that the test moves, for test_lapic*.c.
 *
 * The guest's TSC runs at 3 GHz over the same clock, from 0.
 *
 * World:   host tests
 * Context: single-threaded unless the test says otherwise
 */
#ifndef PVM_MOCK_LAPIC_H
#define PVM_MOCK_LAPIC_H

#include <pvm/env.h>
#include "irqchip/lapic.h"
#include "ktap.h"

#define MOCK_CPUS	6
#define MSR_BASE	0x1b
#define MSR_DEADLINE	0x6e0
#define X2(reg)		(0x800 + (reg))

static struct pvm_lapic cpu[MOCK_CPUS];
static struct pvm_lapic_set set;
static u64 mock_now_ns;
static u64 mock_when_ns[MOCK_CPUS];		/* armed for, 0: off */
static unsigned int mock_arms, mock_kicks[MOCK_CPUS], mock_eois, mock_sends;
static int mock_eoi_vector;

static u64 mock_clock(struct pvm_lapic *l)
{
	(void)l;
	return mock_now_ns;
}

static u64 mock_tsc(struct pvm_lapic *l)
{
	(void)l;
	return mock_now_ns * 3;
}

static u64 mock_tsc_to_ns(struct pvm_lapic *l, u64 tsc)
{
	(void)l;
	return tsc / 3 + (tsc % 3 != 0);
}

static void mock_timer_set(struct pvm_lapic *l, u64 when_ns)
{
	mock_arms++;
	mock_when_ns[l->id] = when_ns;
}

static void mock_kick(struct pvm_lapic *l)
{
	__atomic_fetch_add(&mock_kicks[l->id], 1, __ATOMIC_SEQ_CST);
}

static void mock_eoi(struct pvm_lapic *l, u8 vector)
{
	(void)l;
	mock_eois++;
	mock_eoi_vector = vector;
}

static void mock_send(struct pvm_lapic *l, const struct pvm_irq_msg *m)
{
	mock_sends++;
	pvm_lapic_deliver(&set, l, m);
}

static const struct pvm_lapic_host mock_host = {
	.now_ns = mock_clock,
	.now_tsc = mock_tsc,
	.tsc_to_ns = mock_tsc_to_ns,
	.timer_set = mock_timer_set,
	.kick = mock_kick,
	.eoi = mock_eoi,
	.send = mock_send,
};

static inline bool wr(struct pvm_lapic *l, u32 msr, u64 val)
{
	return pvm_lapic_msr_write(l, msr, val);
}

/* The value, or all ones with @ok false. */
static inline u64 rd_ok(struct pvm_lapic *l, u32 msr, bool *ok)
{
	u64 val = ~0ull;

	*ok = pvm_lapic_msr_read(l, msr, &val);
	return val;
}

static inline u64 rd(struct pvm_lapic *l, u32 msr)
{
	bool ok;
	u64 val = rd_ok(l, msr, &ok);

	expect_msg(ok, "rdmsr 0x%x faults", msr);
	return val;
}

static inline bool rd_faults(struct pvm_lapic *l, u32 msr)
{
	bool ok;

	rd_ok(l, msr, &ok);
	return !ok;
}

static inline void mw(struct pvm_lapic *l, u32 off, u32 val)
{
	pvm_lapic_mmio_write(l, off, 4, val);
}

static inline u32 mr(struct pvm_lapic *l, u32 off)
{
	return pvm_lapic_mmio_read(l, off, 4);
}

/* Power-on, then enabled by SVR with spurious vector 0xff. */
static inline void mock_start(bool x2apic)
{
	u32 i;

	memset(cpu, 0, sizeof(cpu));
	memset(&set, 0, sizeof(set));
	memset(mock_kicks, 0, sizeof(mock_kicks));
	memset(mock_when_ns, 0, sizeof(mock_when_ns));
	mock_arms = 0;
	mock_eois = 0;
	mock_sends = 0;
	mock_eoi_vector = -1;
	mock_now_ns = 1000000;
	set.count = MOCK_CPUS;
	for (i = 0; i < MOCK_CPUS; i++) {
		set.apic[i] = &cpu[i];
		cpu[i].host = &mock_host;
		cpu[i].set = &set;
		cpu[i].id = i;
		pvm_lapic_reset(&cpu[i], i == 0, false);
		if (x2apic) {
			wr(&cpu[i], MSR_BASE, cpu[i].base | PVM_APIC_BASE_EXTD);
			wr(&cpu[i], X2(PVM_APIC_SVR), 0x1ff);
		} else {
			mw(&cpu[i], 0xf0, 0x1ff);
		}
	}
}

/* What arrived at @l, taken and finished: the vector, or -1. */
static inline int mock_serve(struct pvm_lapic *l)
{
	int v = pvm_lapic_pending(l);

	if (v >= 0) {
		pvm_lapic_accept(l, v);
		if (pvm_lapic_is_x2(l))
			wr(l, X2(PVM_APIC_EOI), 0);
		else
			mw(l, 0xb0, 0);
	}
	return v;
}

#endif /* PVM_MOCK_LAPIC_H */
