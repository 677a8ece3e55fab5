// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt messages: who is addressed by IPIs, the I/O APIC and MSIs.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "mock_lapic.h"

#define ALL	((1u << MOCK_CPUS) - 1)

/* Bit per APIC that has something in IRR or an event; then takes it. */
static u32 reached(u8 vector)
{
	u32 i, mask = 0;

	for (i = 0; i < MOCK_CPUS; i++) {
		if (mock_serve(&cpu[i]) == vector)
			mask |= 1u << i;
		expect_eq(pvm_lapic_pending(&cpu[i]), -1);
	}
	return mask;
}

static u32 events(enum pvm_lapic_event e)
{
	u32 i, mask = 0;

	for (i = 0; i < MOCK_CPUS; i++)
		mask |= (u32)pvm_lapic_take_event(&cpu[i], e) << i;
	return mask;
}

static void xapic_icr(struct pvm_lapic *l, u32 dest, u32 low)
{
	mw(l, 0x310, dest << 24);
	mw(l, 0x300, low);
}

static void x2apic_icr(struct pvm_lapic *l, u32 dest, u32 low)
{
	expect(wr(l, X2(PVM_APIC_ICR), (u64)dest << 32 | low));
}

static void physical(void)
{
	u32 x2, i;

	for (x2 = 0; x2 < 2; x2++) {
		void (*icr)(struct pvm_lapic *l, u32 dest, u32 low) = x2 ? x2apic_icr : xapic_icr;

		mock_start(x2);
		for (i = 0; i < MOCK_CPUS; i++) {
			icr(&cpu[2], i, 0x4040);
			expect_eq(mock_kicks[i], i != 2);
			expect_eq(reached(0x40), 1u << i);
		}
		icr(&cpu[2], MOCK_CPUS, 0x4040);
		expect_eq(reached(0x40), 0);
		icr(&cpu[2], x2 ? ~0u : 0xff, 0x4041);
		expect_eq(reached(0x41), ALL);
		icr(&cpu[2], 0xfe, 0x4041);
		expect_eq(reached(0x41), 0);
		if (x2) {
			icr(&cpu[2], 0xff, 0x4041);
			expect_eq(reached(0x41), 0);
			icr(&cpu[2], 0x100, 0x4041);
			expect_eq(reached(0x41), 0);
			expect_eq(rd(&cpu[2], X2(PVM_APIC_ICR)), 0x10000004041);
			/* The short way asks nobody. */
			mock_sends = 0;
			icr(&cpu[2], 1, 0x4041);
			expect_eq(mock_sends, 0);
			cpu[2].set = NULL;
			icr(&cpu[2], 3, 0x4041);
			expect_eq(mock_sends, 1);
			expect_eq(reached(0x41), 0xa);
		}
		/* A disabled APIC takes none. */
		if (x2)
			wr(&cpu[1], X2(PVM_APIC_SVR), 0xff);
		else
			mw(&cpu[1], 0xf0, 0xff);
		icr(&cpu[0], 1, 0x4040);
		expect_eq(reached(0x40), 0);
		icr(&cpu[0], 1, 0x4400);	/* but NMI */
		expect_eq(events(PVM_LAPIC_NMI), 2);
		wr(&cpu[1], MSR_BASE, PVM_LAPIC_BASE_GPA);
		icr(&cpu[0], 1, 0x4400);
		expect_eq(events(PVM_LAPIC_NMI), 0);
	}
}

static void guest_changes_id(void)
{
	mock_start(false);
	mw(&cpu[1], 0x20, 0x04000000);
	mw(&cpu[4], 0x20, 0x77000000);
	xapic_icr(&cpu[0], 1, 0x40);
	expect_eq(reached(0x40), 0);
	xapic_icr(&cpu[0], 4, 0x40);
	expect_eq(reached(0x40), 2);
	xapic_icr(&cpu[0], 0x77, 0x40);
	expect_eq(reached(0x40), 0x10);
}

static void shorthands(void)
{
	u32 x2;

	for (x2 = 0; x2 < 2; x2++) {
		void (*icr)(struct pvm_lapic *l, u32 dest, u32 low) = x2 ? x2apic_icr : xapic_icr;

		mock_start(x2);
		icr(&cpu[3], 0, 0x44055);
		expect_eq(mock_kicks[3], 0);
		expect_eq(reached(0x55), 8);
		icr(&cpu[3], 0, 0x84055);
		expect_eq(reached(0x55), ALL);
		icr(&cpu[3], 0, 0xc4055);
		expect_eq(reached(0x55), ALL & ~8u);
		icr(&cpu[3], 0, 0xc4400);
		expect_eq(events(PVM_LAPIC_NMI), ALL & ~8u);
		/* Combinations that do not exist. */
		icr(&cpu[3], 0, 0x44400);
		icr(&cpu[3], 0, 0x84400);
		icr(&cpu[3], 0, 0x84500);
		expect_eq(events(PVM_LAPIC_NMI), 0);
		expect_eq(events(PVM_LAPIC_INIT), 0);
		/* Illegal vectors are the sender's error. */
		icr(&cpu[3], 0, 0xc400f);
		expect_eq(reached(0xf), 0);
		expect_eq(cpu[3].esr_pending, 0x20);
	}
	expect(wr(&cpu[4], X2(PVM_APIC_SELF_IPI), 0x99));
	expect_eq(mock_kicks[4], 3);		/* two shorthands and NMI, not this one */
	expect_eq(reached(0x99), 0x10);
}

static void init_sipi(void)
{
	mock_start(false);
	xapic_icr(&cpu[0], 2, 0x4609);
	expect_eq(cpu[2].sipi_vector, 9);
	xapic_icr(&cpu[0], 2, 0xc500);		/* INIT makes the SIPI void */
	expect_eq(events(PVM_LAPIC_SIPI), 0);
	expect_eq(events(PVM_LAPIC_INIT), 4);
	xapic_icr(&cpu[0], 2, 0x8500);		/* de-assert */
	expect_eq(events(PVM_LAPIC_INIT), 0);
	xapic_icr(&cpu[0], 0, 0xc4500);
	expect_eq(events(PVM_LAPIC_INIT), ALL & ~1u);
	xapic_icr(&cpu[0], 0, 0xc4608);
	expect_eq(cpu[5].sipi_vector, 8);
	expect_eq(events(PVM_LAPIC_SIPI), ALL & ~1u);
	/* SIPI vectors below 16 are pages, not errors. */
	expect_eq(cpu[0].esr_pending, 0);
}

static void logical_flat(void)
{
	u32 i;

	mock_start(false);
	for (i = 0; i < MOCK_CPUS; i++)
		mw(&cpu[i], 0xd0, 1u << (24 + i));
	xapic_icr(&cpu[0], 0x16, 0x4840);
	expect_eq(reached(0x40), 0x16);
	xapic_icr(&cpu[0], 0xc0, 0x4840);
	expect_eq(reached(0x40), 0);
	xapic_icr(&cpu[0], 0xff, 0x4840);
	expect_eq(reached(0x40), ALL);
	/* An APIC without a logical id hears only the call to all. */
	mw(&cpu[1], 0xd0, 0);
	xapic_icr(&cpu[0], 0x7f, 0x4840);
	expect_eq(reached(0x40), ALL & ~2u);
}

static void logical_cluster(void)
{
	u32 i;

	mock_start(false);
	for (i = 0; i < MOCK_CPUS; i++) {
		mw(&cpu[i], 0xe0, 0x0fffffff);
		/* clusters 1 and 2, three each */
		mw(&cpu[i], 0xd0, (1 + i / 3) << 28 | 1u << (24 + i % 3));
	}
	xapic_icr(&cpu[0], 0x15, 0x4840);
	expect_eq(reached(0x40), 0x05);
	xapic_icr(&cpu[0], 0x26, 0x4840);
	expect_eq(reached(0x40), 0x30);
	xapic_icr(&cpu[0], 0xf1, 0x4840);	/* cluster 15 is all */
	expect_eq(reached(0x40), 0x09);
	xapic_icr(&cpu[0], 0x38, 0x4840);
	expect_eq(reached(0x40), 0);
}

static void logical_x2apic(void)
{
	mock_start(true);
	x2apic_icr(&cpu[0], 0x00000025, 0x4840);
	expect_eq(reached(0x40), 0x25);
	x2apic_icr(&cpu[0], 0x0000ffff, 0x4840);
	expect_eq(reached(0x40), ALL);
	x2apic_icr(&cpu[0], 0x00010001, 0x4840);
	expect_eq(reached(0x40), 0);
	x2apic_icr(&cpu[0], 0xffffffff, 0x4840);
	expect_eq(reached(0x40), ALL);
}

static void lowest_priority(void)
{
	struct pvm_irq_msg m = {
		.dest = 0x3f, .vector = 0x50, .delivery = PVM_DELIVERY_LOWEST, .logical = true,
	};
	u32 i, seen = 0;

	mock_start(false);
	for (i = 0; i < MOCK_CPUS; i++)
		mw(&cpu[i], 0xd0, 1u << (24 + i));
	for (i = 0; i < MOCK_CPUS; i++) {
		u32 one;

		expect_eq(pvm_lapic_deliver(&set, NULL, &m), 1);
		one = reached(0x50);
		expect(is_power_of_2(one));
		seen |= one;
	}
	expect_eq(seen, ALL);			/* in turns */
	for (i = 0; i < MOCK_CPUS; i++)
		mw(&cpu[i], 0x80, i == 3 ? 0x10 : 0x60);
	for (i = 0; i < 4; i++) {
		expect_eq(pvm_lapic_deliver(&set, NULL, &m), 1);
		expect_eq(reached(0x50), 8);
	}
	m.dest = 0x30;
	mw(&cpu[4], 0xf0, 0xff);
	mw(&cpu[5], 0x80, 0);
	expect_eq(pvm_lapic_deliver(&set, NULL, &m), 1);
	expect_eq(reached(0x50), 0x20);
	mw(&cpu[5], 0xf0, 0xff);
	expect_eq(pvm_lapic_deliver(&set, NULL, &m), 0);
	set.lowest_next = 12345;		/* a stale value does no harm */
	m.dest = 0x1;
	mw(&cpu[0], 0x80, 0);
	expect_eq(pvm_lapic_deliver(&set, NULL, &m), 1);
	expect_eq(reached(0x50), 1);
}

static void msi(void)
{
	struct pvm_irq_msg m;
	u32 i;

	expect(!pvm_msi_decode(0xfed00000, 0x40, &m));
	expect(!pvm_msi_decode(0xfef00000, 0x40, &m));
	expect(!pvm_msi_decode(0x1fee00000ull, 0x40, &m));
	expect(pvm_msi_decode(0xfee12000, 0x8041, &m));
	expect_eq(m.dest, 0x12);
	expect_eq(m.vector, 0x41);
	expect_eq(m.delivery, PVM_DELIVERY_FIXED);
	expect(m.level && !m.logical && !m.x2apic_dest);
	expect(pvm_msi_decode(0xfee0300c, 0x0441, &m));
	expect_eq(m.delivery, PVM_DELIVERY_NMI);
	expect(m.logical);
	expect(pvm_msi_decode(0xfee0300c, 0x0041, &m));
	expect_eq(m.delivery, PVM_DELIVERY_LOWEST);

	mock_start(true);
	for (i = 0; i < MOCK_CPUS; i++) {
		expect_eq(pvm_lapic_msi_target(&set, 0xfee00000 | i << 12, 0x40), i);
		expect_eq(pvm_lapic_msi_target(&set, 0xfee00004 | 1u << (12 + i), 0x40), i);
	}
	expect_eq(pvm_lapic_msi_target(&set, 0xfee06000, 0x40), -1);
	expect_eq(pvm_lapic_msi_target(&set, 0xfeeff000, 0x40), -1);
	expect_eq(pvm_lapic_msi_target(&set, 0xfee03004, 0x40), -1);
	expect_eq(pvm_lapic_msi_target(&set, 0xfee00000, 0x0f), -1);
	expect_eq(pvm_lapic_msi_target(&set, 0xfee00000, 0x440), -1);
	expect_eq(pvm_lapic_msi_target(&set, 0, 0x40), -1);

	/* A level message, then EOI tells the I/O APIC. */
	expect(pvm_msi_decode(0xfee02000, 0xc066, &m));
	expect_eq(pvm_lapic_deliver(&set, NULL, &m), 1);
	expect_eq(mock_kicks[2], 1);
	expect_eq(reached(0x66), 4);
	expect_eq(mock_eoi_vector, 0x66);
	expect(pvm_msi_decode(0xfeeff000, 0x0066, &m));
	expect_eq(pvm_lapic_deliver(&set, NULL, &m), MOCK_CPUS);
	expect_eq(reached(0x66), ALL);
	expect(pvm_msi_decode(0xfee01000, 0x0005, &m));
	expect_eq(pvm_lapic_deliver(&set, NULL, &m), 0);
	expect_eq(cpu[1].esr_pending, 0x40);
	expect(pvm_msi_decode(0xfee01000, 0x0741, &m));
	expect_eq(pvm_lapic_deliver(&set, NULL, &m), 0);
}

/* One VM, both modes at once, as while a guest brings its processors up. */
static void mixed_modes(void)
{
	mock_start(false);
	wr(&cpu[1], MSR_BASE, cpu[1].base | PVM_APIC_BASE_EXTD);
	mw(&cpu[0], 0xd0, 0x01000000);
	x2apic_icr(&cpu[1], 0, 0x4040);
	expect_eq(reached(0x40), 1);
	x2apic_icr(&cpu[1], 1, 0x4840);
	expect_eq(reached(0x40), 1);
	xapic_icr(&cpu[0], 1, 0x4040);
	expect_eq(reached(0x40), 2);
	x2apic_icr(&cpu[1], ~0u, 0x4040);
	expect_eq(reached(0x40), ALL);
	xapic_icr(&cpu[0], 0xff, 0x4040);
	expect_eq(reached(0x40), ALL);
	x2apic_icr(&cpu[1], 0xff, 0x4040);
	expect_eq(reached(0x40), 0);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(physical),
	KTAP_TEST(guest_changes_id),
	KTAP_TEST(shorthands),
	KTAP_TEST(init_sipi),
	KTAP_TEST(logical_flat),
	KTAP_TEST(logical_cluster),
	KTAP_TEST(logical_x2apic),
	KTAP_TEST(lowest_priority),
	KTAP_TEST(msi),
	KTAP_TEST(mixed_modes),
};

KTAP_MAIN(tests)
