// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC: registers, modes, priorities, and the race on IRR.
 *
 * World:   host tests
 * Context: single-threaded, but for race()
 */
#include <pthread.h>
#include "mock_lapic.h"

static void power_on(void)
{
	struct pvm_lapic *l = &cpu[0];
	u32 i;

	mock_start(false);
	pvm_lapic_reset(l, true, false);
	expect_eq(rd(l, MSR_BASE), 0xfee00900);
	pvm_lapic_reset(&cpu[1], false, false);
	expect_eq(rd(&cpu[1], MSR_BASE), 0xfee00800);
	expect_eq(mr(&cpu[1], 0x20), 1 << 24);
	expect_eq(mr(l, 0x30), 0x00050014);
	expect_eq(mr(l, 0xe0), 0xffffffff);
	expect_eq(mr(l, 0xf0), 0xff);
	for (i = 0x320; i <= 0x370; i += 16)
		expect_eq(mr(l, i), 0x10000);
	for (i = 0x80; i <= 0xd0; i += 16)
		expect_eq(mr(l, i), 0);
	for (i = 0x100; i <= 0x310; i += 16)
		if (i < 0x290 || i >= 0x300)
			expect_eq(mr(l, i), 0);
	expect(pvm_lapic_quiet(l));
	expect(!pvm_lapic_enabled(l));
	expect(!pvm_lapic_takes_extint(l));
	pvm_lapic_virtual_wire(l);
	expect(pvm_lapic_enabled(l));
	expect(pvm_lapic_takes_extint(l));
	expect_eq(mr(l, 0xf0), 0x1ff);
	expect_eq(mr(l, 0x350), 0x700);
	expect_eq(mr(l, 0x360), 0x400);
}

/* {from, written, #GP?}; modes 0 off, 1 invalid, 2 xAPIC, 3 x2APIC */
static void mode_transitions(void)
{
	static const struct { u8 from, to; bool ok; } rows[] = {
		{ 0, 0, true }, { 0, 1, false }, { 0, 2, true }, { 0, 3, false },
		{ 2, 0, true }, { 2, 1, false }, { 2, 2, true }, { 2, 3, true },
		{ 3, 0, true }, { 3, 1, false }, { 3, 2, false }, { 3, 3, true },
	};
	struct pvm_lapic *l = &cpu[1];
	u64 base = PVM_LAPIC_BASE_GPA;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		mock_start(rows[i].from == 3);
		if (rows[i].from == 0)
			expect(wr(l, MSR_BASE, base));
		expect_msg(wr(l, MSR_BASE, base | rows[i].to << 10) == rows[i].ok, "row %u", i);
		expect_eq(l->base >> 10 & 3, rows[i].ok ? rows[i].to : rows[i].from);
	}
	mock_start(false);
	expect(!wr(l, MSR_BASE, base | 0x800 | 1));
	expect(!wr(l, MSR_BASE, base | 0x800 | BIT(9)));
	expect(!wr(l, MSR_BASE, base | 0x800 | BIT_ULL(52)));
	expect(wr(l, MSR_BASE, 0xfed00800));	/* moved: the caller's matter */
	expect_eq(rd(l, MSR_BASE), 0xfed00800);
	expect_eq(mr(l, 0x30), 0x00050014);
	expect(wr(l, MSR_BASE, base | 0x800));

	/* Off and on again is a reset; an id of the guest's does not survive. */
	mw(l, 0x20, 0x55000000);
	expect_eq(mr(l, 0x20), 0x55000000);
	mw(l, 0x80, 0x40);
	pvm_lapic_post(l, 0x60, false);
	expect(wr(l, MSR_BASE, base));
	expect_eq(pvm_lapic_mode(l), PVM_LAPIC_MODE_OFF);
	expect_eq(mr(l, 0x80), 0xffffffff);
	expect(pvm_lapic_takes_extint(l));
	pvm_lapic_post(l, 0x61, false);
	expect_eq(pvm_lapic_irr_max(l), -1);
	expect(wr(l, MSR_BASE, base | 0x800));
	expect_eq(mr(l, 0x20), 0x01000000);
	expect_eq(mr(l, 0x80), 0);
	expect_eq(mr(l, 0xf0), 0xff);
}

static void init_keeps_mode(void)
{
	struct pvm_lapic *l = &cpu[3];

	mock_start(true);
	pvm_lapic_post(l, 0x60, true);
	set_bit(PVM_LAPIC_SIPI, &l->events);
	pvm_lapic_reset(l, false, true);
	expect_eq(pvm_lapic_mode(l), PVM_LAPIC_MODE_X2APIC);
	expect_eq(rd(l, X2(PVM_APIC_ID)), 3);
	expect_eq(rd(l, X2(PVM_APIC_SVR)), 0xff);
	expect_eq(pvm_lapic_irr_max(l), -1);
	expect(pvm_lapic_take_event(l, PVM_LAPIC_SIPI));
	expect(!pvm_lapic_take_event(l, PVM_LAPIC_SIPI));
}

static void priorities(void)
{
	struct pvm_lapic *l = &cpu[0];

	mock_start(true);
	expect_eq(pvm_lapic_pending(l), -1);
	pvm_lapic_post(l, 0x31, false);
	pvm_lapic_post(l, 0x85, false);
	pvm_lapic_post(l, 0x80, false);
	expect_eq(mock_kicks[0], 3);
	pvm_lapic_post(l, 0x80, false);
	expect_eq(mock_kicks[0], 3);
	expect(!pvm_lapic_quiet(l));
	expect_eq(rd(l, X2(PVM_APIC_IRR + 4)), 0x21);
	expect_eq(pvm_lapic_pending(l), 0x85);
	expect(wr(l, X2(PVM_APIC_TPR), 0x80));
	expect_eq(pvm_lapic_pending(l), -1);
	expect_eq(rd(l, X2(PVM_APIC_PPR)), 0x80);
	expect(wr(l, X2(PVM_APIC_TPR), 0x7f));
	expect_eq(rd(l, X2(PVM_APIC_PPR)), 0x7f);
	expect_eq(pvm_lapic_pending(l), 0x85);
	pvm_lapic_accept(l, 0x85);
	expect_eq(rd(l, X2(PVM_APIC_PPR)), 0x80);
	expect_eq(rd(l, X2(PVM_APIC_ISR + 4)), 0x20);
	expect_eq(pvm_lapic_pending(l), -1);	/* same class */
	pvm_lapic_post(l, 0xf0, true);
	expect_eq(rd(l, X2(PVM_APIC_TMR + 7)), 0x10000);
	expect_eq(pvm_lapic_pending(l), 0xf0);
	pvm_lapic_accept(l, 0xf0);
	expect_eq(rd(l, X2(PVM_APIC_PPR)), 0xf0);
	expect(wr(l, X2(PVM_APIC_EOI), 0));
	expect_eq(mock_eois, 1);
	expect_eq(mock_eoi_vector, 0xf0);
	expect_eq(rd(l, X2(PVM_APIC_PPR)), 0x80);
	expect(wr(l, X2(PVM_APIC_EOI), 0));
	expect_eq(mock_eois, 1);
	expect_eq(rd(l, X2(PVM_APIC_PPR)), 0x7f);
	expect_eq(pvm_lapic_pending(l), 0x80);
	expect_eq(mock_serve(l), 0x80);
	expect_eq(pvm_lapic_pending(l), -1);
	expect(!pvm_lapic_quiet(l));		/* 0x31 waits below TPR */
	pvm_lapic_set_cr8(l, 2);
	expect_eq(pvm_lapic_cr8(l), 2);
	expect_eq(rd(l, X2(PVM_APIC_TPR)), 0x20);
	expect_eq(mock_serve(l), 0x31);
	expect_eq(pvm_lapic_pending(l), -1);
	expect(pvm_lapic_quiet(l));
	expect(wr(l, X2(PVM_APIC_EOI), 0));	/* nothing in service */
	/* An edge after a level of the same vector. */
	pvm_lapic_post(l, 0xf0, false);
	expect_eq(rd(l, X2(PVM_APIC_TMR + 7)), 0);
	expect_eq(mock_serve(l), 0xf0);
	expect_eq(mock_eois, 1);
}

/* All nestings that priorities allow, against a plain model. */
static void nesting_model(void)
{
	struct pvm_lapic *l = &cpu[0];
	bool irr[256] = { 0 }, isr[256] = { 0 };
	u32 seed = 1, i, round;
	int v, irr_top, isr_top;

	mock_start(true);
	for (round = 0; round < 20000; round++) {
		seed = seed * 1664525 + 1013904223;
		v = 16 + (seed >> 8) % 240;
		switch (seed >> 28) {
		case 0 ... 5:
			pvm_lapic_post(l, v, false);
			irr[v] = true;
			break;
		case 6:
			expect(wr(l, X2(PVM_APIC_TPR), v));
			break;
		}
		for (irr_top = -1, isr_top = -1, i = 0; i < 256; i++) {
			irr_top = irr[i] ? (int)i : irr_top;
			isr_top = isr[i] ? (int)i : isr_top;
		}
		expect_eq(l->isr_top, isr_top < 0 ? 0 : isr_top);
		v = pvm_lapic_pending(l);
		if (irr_top >> 4 > (int)(l->tpr >> 4) && irr_top >> 4 > isr_top >> 4) {
			expect_eq(v, irr_top);
			pvm_lapic_accept(l, v);
			irr[v] = false;
			isr[v] = true;
		} else {
			expect_eq(v, -1);
			if (seed & 0x10000) {
				expect(wr(l, X2(PVM_APIC_EOI), 0));
				if (isr_top >= 0)
					isr[isr_top] = false;
			}
		}
		if (ktap_now.failures)
			return;
	}
}

/* What an x2APIC access may fault on. SDM3 "x2APIC Register Address Space" */
static void x2apic_faults(void)
{
	static const struct { u8 reg; char rw; u64 good, bad; } rows[] = {
		{ 0x02, 'r', 0, 0 }, { 0x03, 'r', 0, 0 }, { 0x08, 'b', 0xff, 0x100 },
		{ 0x0a, 'r', 0, 0 }, { 0x0b, 'w', 0, 1 }, { 0x0d, 'r', 0, 0 },
		{ 0x0f, 'b', 0x1ff, 0x400 }, { 0x10, 'r', 0, 0 }, { 0x17, 'r', 0, 0 },
		{ 0x18, 'r', 0, 0 }, { 0x1f, 'r', 0, 0 }, { 0x20, 'r', 0, 0 },
		{ 0x27, 'r', 0, 0 }, { 0x28, 'b', 0, 1 },
		{ 0x30, 'b', 0xffff00000000c4ffull & ~0x300ull, 0x100000 },
		{ 0x32, 'b', 0x510ff, 0x100 }, { 0x33, 'b', 0x117ff, 0x2000 },
		{ 0x34, 'b', 0x117ff, 0x20000 }, { 0x35, 'b', 0x1f7ff, 0x20000 },
		{ 0x36, 'b', 0x1f7ff, 0x800 }, { 0x37, 'b', 0x110ff, 0x100 },
		{ 0x38, 'b', 0xffffffff, 1ull << 32 }, { 0x39, 'r', 0, 0 },
		{ 0x3e, 'b', 0xb, 4 }, { 0x3f, 'w', 0x40, 0x140 },
	};
	struct pvm_lapic *l = &cpu[0];
	u32 reg, i;

	mock_start(false);
	for (reg = 0; reg < 0x100; reg++) {
		expect(rd_faults(l, X2(reg)));
		expect(!wr(l, X2(reg), 0));
	}
	mock_start(true);
	for (reg = 0; reg < 0x100; reg++) {
		for (i = 0; i < ARRAY_SIZE(rows) && rows[i].reg != reg; i++)
			;
		if (i == ARRAY_SIZE(rows)) {
			bool bitmap = reg >= 0x10 && reg < 0x28;

			expect_msg(rd_faults(l, X2(reg)) != bitmap, "read 0x%x", reg);
			expect_msg(!wr(l, X2(reg), 0), "write 0x%x", reg);
			continue;
		}
		expect_msg(rd_faults(l, X2(reg)) == (rows[i].rw == 'w'), "read 0x%x", reg);
		expect_msg(wr(l, X2(reg), rows[i].good) == (rows[i].rw != 'r'), "write 0x%x", reg);
		if (rows[i].rw != 'r') {
			expect_msg(!wr(l, X2(reg), rows[i].bad), "bad write 0x%x", reg);
			if (reg != 0x30)
				expect_msg(!wr(l, X2(reg), 1ull << 32), "high write 0x%x", reg);
		}
	}
	expect(!wr(l, X2(0x32), 3 << 17));
	/* Read-only bits are no reserved ones. */
	expect_eq(rd(l, X2(0x35)), 0x1f7ff & ~0x5000);
	expect_eq(rd(l, X2(0x0d)), 1);
	expect_eq(rd(&cpu[5], X2(0x0d)), 1 << 5);
}

static void lvt_masks(void)
{
	struct pvm_lapic *l = &cpu[0];
	u32 i;

	mock_start(false);
	for (i = 0x320; i <= 0x370; i += 16) {
		mw(l, i, 0x20 + i / 16);
		expect_eq(mr(l, i), 0x20 + i / 16);
	}
	mw(l, 0x350, 0xffffffff);
	expect_eq(mr(l, 0x350), 0x1a7ff);
	mw(l, 0x350, 0x700);
	expect(pvm_lapic_takes_extint(l));
	/* Software disable masks all, and they stay masked until enabled. */
	mw(l, 0xf0, 0xff);
	expect(!pvm_lapic_enabled(l));
	expect(!pvm_lapic_takes_extint(l));
	for (i = 0x320; i <= 0x370; i += 16) {
		expect(mr(l, i) & 0x10000);
		mw(l, i, 0x40);
		expect_eq(mr(l, i), 0x10040);
	}
	mw(l, 0xf0, 0x1ff);
	expect_eq(mr(l, 0x320), 0x10040);
	mw(l, 0x320, 0x40);
	expect_eq(mr(l, 0x320), 0x40);
}

static void software_disabled(void)
{
	struct pvm_lapic *l = &cpu[0];

	mock_start(false);
	pvm_lapic_post(l, 0x50, false);
	mw(l, 0xf0, 0xff);
	pvm_lapic_post(l, 0x90, false);
	expect_eq(pvm_lapic_irr_max(l), 0x50);	/* held, nothing new */
	expect_eq(pvm_lapic_pending(l), 0x50);
}

static void errors(void)
{
	struct pvm_lapic *l = &cpu[0];

	mock_start(false);
	pvm_lapic_post(l, 15, false);
	expect_eq(mr(l, 0x280), 0);		/* not before a write */
	mw(l, 0x280, 0);
	expect_eq(mr(l, 0x280), 0x40);
	mw(l, 0x280, 0);
	expect_eq(mr(l, 0x280), 0);
	mw(l, 0x370, 0xe1);
	mw(l, 0x300, 0x4000f);			/* self IPI, vector 15 */
	expect_eq(pvm_lapic_pending(l), 0xe1);
	expect_eq(mock_serve(l), 0xe1);
	mw(l, 0x40, 0);				/* no such register */
	expect_eq(mock_serve(l), 0xe1);
	expect_eq(mr(l, 0x3f0), 0);
	expect_eq(mr(l, 0x2f0), 0);
	expect_eq(mr(l, 0x400), 0);
	mw(l, 0x280, 0);
	expect_eq(mr(l, 0x280), 0xa0);
	/* The error entry's own vector is illegal: no recursion. */
	mw(l, 0x370, 3);
	mw(l, 0x40, 0);
	mw(l, 0x280, 0);
	expect_eq(mr(l, 0x280), 0xc0);
	expect_eq(mock_serve(l), -1);

	mock_start(true);
	expect(wr(l, X2(PVM_APIC_LVT + PVM_LVT_ERROR), 0xe1));
	expect(wr(l, X2(PVM_APIC_SELF_IPI), 3));
	expect_eq(mock_serve(l), 0xe1);
	expect(wr(l, X2(PVM_APIC_ESR), 0));
	expect_eq(rd(l, X2(PVM_APIC_ESR)), 0x20);
}

static void access_widths(void)
{
	struct pvm_lapic *l = &cpu[2];

	mock_start(false);
	expect_eq(pvm_lapic_mmio_read(l, 0x30, 1), 0x14);
	expect_eq(pvm_lapic_mmio_read(l, 0x32, 1), 0x05);
	expect_eq(pvm_lapic_mmio_read(l, 0x32, 2), 0x0005);
	expect_eq(pvm_lapic_mmio_read(l, 0x30, 8), 0x00050014);
	expect_eq(pvm_lapic_mmio_read(l, 0x34, 4), 0);
	expect_eq(pvm_lapic_mmio_read(l, 0xfff, 1), 0);
	pvm_lapic_mmio_write(l, 0x80, 1, 0x20);
	pvm_lapic_mmio_write(l, 0x82, 4, 0x20);
	pvm_lapic_mmio_write(l, 0x84, 4, 0x20);
	pvm_lapic_mmio_write(l, 0x80, 8, 0x20);
	expect_eq(mr(l, 0x80), 0);
	mw(l, 0x80, 0xffffff20);
	expect_eq(mr(l, 0x80), 0x20);
	mw(l, 0xa0, 0x55);			/* read-only */
	mw(l, 0x30, 0x55);
	expect_eq(mr(l, 0xa0), 0x20);
	expect_eq(mr(l, 0xb0), 0);		/* write-only */
	mw(l, 0xd0, 0x12345678);
	expect_eq(mr(l, 0xd0), 0x12000000);
	mw(l, 0xe0, 0);
	expect_eq(mr(l, 0xe0), 0x0fffffff);
	mw(l, 0x310, 0x05ffffff);
	expect_eq(mr(l, 0x310), 0x05000000);
	mw(l, 0x280, 0);
	expect_eq(mr(l, 0x280), 0x80);		/* 0xfff is none */
	/* Arbitration priority is what TPR, ISR and IRR make it. */
	expect_eq(mr(l, 0x90), 0x20);
	pvm_lapic_post(l, 0x71, false);
	expect_eq(mr(l, 0x90), 0x70);
}

/* What must hold whatever the guest wrote. */
static void invariants(struct pvm_lapic *l)
{
	u32 top = 0, i, in_service, pending_class;
	int v;

	for (i = 0; i < 256; i++)
		if (test_bit(i, l->isr))
			top = i;
	in_service = top & 0xf0;
	expect_eq(l->isr_top, top);
	expect_eq(l->ppr, (l->tpr & 0xf0) >= in_service ? l->tpr : in_service);
	expect_in(l->tpr, 0, 0xff);
	expect_eq((l->irr[0] | l->isr[0]) & 0xffff, 0);
	expect(l->irr_hint || pvm_lapic_irr_max(l) < 0);
	expect_eq(l->accepts, (l->base & 0x800) && (l->svr & 0x100));
	v = pvm_lapic_pending(l);
	pending_class = v < 0 ? 0xff : v >> 4;
	expect(pending_class > l->ppr >> 4);
	if (!(l->svr & 0x100))
		for (i = 0; i < PVM_LVTS; i++)
			expect(l->lvt[i] & PVM_LVT_MASKED);
}

static void garbage(void)
{
	u64 seed = 3, val;
	u32 round, off, i;

	mock_start(false);
	for (round = 0; round < 300000; round++) {
		struct pvm_lapic *l = &cpu[round % 3];

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		off = seed >> 24 & 0x3f;
		val = seed >> 30;
		if (seed >> 60 < 8)
			val &= 0x1ff;
		switch (seed >> 56 & 15) {
		case 0 ... 3:
			wr(l, X2(off), val);
			break;
		case 4 ... 6:
			pvm_lapic_mmio_write(l, off * 16, 4, val);
			break;
		case 7:
			pvm_lapic_mmio_write(l, val & 0xfff, 1u << (seed >> 52 & 3), val);
			break;
		case 8:
			pvm_lapic_msr_read(l, X2(off), &val);
			break;
		case 9:
			val = pvm_lapic_mmio_read(l, seed >> 30 & 0xff8, 8);
			break;
		case 10:
			if (!(seed & 0xf0000000))
				wr(l, MSR_BASE, (PVM_LAPIC_BASE_GPA & ~0xffull) | (val & 0xc00));
			break;
		case 11:
			pvm_lapic_set_cr8(l, val);
			break;
		case 12:
			mock_now_ns += val & 0xffffff;
			pvm_lapic_timer(l);
			break;
		case 13:
			if (!(seed & 0xff00000000))
				pvm_lapic_reset(l, false, seed & 0x10000000000);
			break;
		default:
			if (pvm_lapic_pending(l) >= 0)
				pvm_lapic_accept(l, pvm_lapic_pending(l));
			break;
		}
		for (i = 0; i < 3; i++)
			invariants(&cpu[i]);
		if (ktap_now.failures)
			return;
	}
}

/* What only TPR holds back, as opposed to what is in service. */
static void held_by_tpr(void)
{
	struct pvm_lapic *l = &cpu[0];

	mock_start(true);
	expect(!pvm_lapic_held_by_tpr(l));
	pvm_lapic_set_cr8(l, 5);
	pvm_lapic_post(l, 0x5f, false);
	expect_eq(pvm_lapic_pending(l), -1);
	expect(pvm_lapic_held_by_tpr(l));
	pvm_lapic_set_cr8(l, 4);
	expect(!pvm_lapic_held_by_tpr(l));
	expect_eq(pvm_lapic_pending(l), 0x5f);
	pvm_lapic_accept(l, 0x5f);
	pvm_lapic_post(l, 0x51, false);
	pvm_lapic_set_cr8(l, 7);
	/* Lowering TPR would not help: its class is in service. */
	expect(!pvm_lapic_held_by_tpr(l));
}

/*
 * Threads post while the owner serves: every post that was told to kick is
 * seen, none stays behind with the hint clear.
 */
#define RACE_POSTS	200000

static void *race_sender(void *arg)
{
	u8 vector = (u8)(uintptr_t)arg;
	u32 i;

	for (i = 0; i < RACE_POSTS; i++)
		pvm_lapic_post(&cpu[1], vector + i % 4 * 16, i & 1);
	return NULL;
}

static void race(void)
{
	pthread_t t[2];
	u64 served = 0, idle = 0;
	u32 i;

	mock_start(true);
	for (i = 0; i < 2; i++)
		if (pthread_create(&t[i], NULL, race_sender, (void *)(uintptr_t)(0x30 + i * 0x45)))
			return ktap_skip("no threads");
	while (served + idle < 2000000)
		if (mock_serve(&cpu[1]) >= 0)
			served++;
		else
			idle++;
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	while (mock_serve(&cpu[1]) >= 0)
		served++;
	expect(served > 0);
	expect_eq(served, mock_kicks[1]);
	expect_eq(pvm_lapic_irr_max(&cpu[1]), -1);
	expect(pvm_lapic_quiet(&cpu[1]));
}

static const struct ktap_test tests[] = {
	KTAP_TEST(power_on),
	KTAP_TEST(mode_transitions),
	KTAP_TEST(init_keeps_mode),
	KTAP_TEST(priorities),
	KTAP_TEST(nesting_model),
	KTAP_TEST(held_by_tpr),
	KTAP_TEST(x2apic_faults),
	KTAP_TEST(lvt_masks),
	KTAP_TEST(software_disabled),
	KTAP_TEST(errors),
	KTAP_TEST(access_widths),
	KTAP_TEST(garbage),
	KTAP_TEST(race),
};

KTAP_MAIN(tests)
