// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI PM block.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "dev/models.h"

#define SCI	9

static struct mock_host m;
static struct pvm_acpi_pm a;

static void start(void)
{
	mock_init(&m);
	memset(&a, 0, sizeof(a));
	mock_attach(&m, &a.dev, &pvm_acpi_pm_ops, SCI);
}

/* By the offset in the PM block. */
static u32 in(u32 off, u32 bytes)
{
	return mock_read(&m, &a.dev, off >= 0xc, off >= 0xc ? off - 0xc : off, bytes);
}

static void out(u32 off, u32 bytes, u32 val)
{
	mock_write(&m, &a.dev, off >= 0xc, off >= 0xc ? off - 0xc : off, bytes, val);
}

static void enabling(void)
{
	start();
	expect_eq(in(4, 2), 0);
	mock_write(&m, &a.dev, 2, 0, 1, PVM_ACPI_ENABLE);
	expect_eq(in(4, 2), 1);
	expect_eq(mock_read(&m, &a.dev, 2, 0, 1), PVM_ACPI_ENABLE);
	out(4, 2, 0);			/* the OS cannot clear SCI_EN */
	expect_eq(in(4, 2), 1);
	mock_write(&m, &a.dev, 2, 0, 1, PVM_ACPI_DISABLE);
	expect_eq(in(4, 2), 0);
	mock_write(&m, &a.dev, 2, 0, 2, 0x5a00);
	expect_eq(mock_read(&m, &a.dev, 2, 1, 1), 0x5a);
}

static void no_smm(void)
{
	start();
	expect(in(0x30, 4) & 0x20);
	out(0x30, 4, 0);
	expect(in(0x30, 4) & 0x20);
	expect_eq(in(0x34, 4), 0);
}

/* Linux: acpi_power_off() by SLP_TYP then SLP_EN; OVMF: the same in two writes. */
static void power_off(void)
{
	start();
	out(4, 2, PVM_ACPI_S5_TYPE << 10);
	expect_eq(m.signals[PVM_SIGNAL_POWEROFF], 0);
	out(4, 2, PVM_ACPI_S5_TYPE << 10 | 1 << 13);
	expect_eq(m.signals[PVM_SIGNAL_POWEROFF], 1);
	expect_eq(in(4, 2) & 0x2000, 0);
	out(4, 2, 5 << 10 | 1 << 13);	/* no such state */
	expect_eq(m.signals[PVM_SIGNAL_POWEROFF], 1);
	expect_eq(m.guest_errors, 1);
	expect_eq(in(4, 2), 5 << 10);
	/* As bytes, and as 32 bits. */
	out(4, 2, 0);
	out(5, 1, 0x20);
	expect_eq(m.signals[PVM_SIGNAL_POWEROFF], 2);
	out(4, 4, 0x2000);
	expect_eq(m.signals[PVM_SIGNAL_POWEROFF], 3);
}

static void power_button(void)
{
	start();
	pvm_acpi_power_button(&a);
	expect(!m.level[SCI]);
	expect_eq(in(0, 2), 0x100);
	out(0, 2, 0x100);
	out(2, 2, 0x120);
	expect_eq(in(2, 2), 0x120);
	pvm_acpi_power_button(&a);
	expect(m.level[SCI]);
	out(0, 2, 0x20);		/* another bit */
	expect(m.level[SCI]);
	out(1, 1, 0x01);		/* the bit, as a byte */
	expect(!m.level[SCI]);
	expect_eq(in(0, 4), 0x01200000);
	pvm_acpi_sleep_button(&a);
	expect(!m.level[SCI]);
	out(2, 2, 0xffff);
	expect(m.level[SCI]);
	out(0, 4, 0xffffffff);
	expect(!m.level[SCI]);
}

static void general_purpose_events(void)
{
	start();
	pvm_acpi_gpe(&a, 13);
	pvm_acpi_gpe(&a, 63);
	pvm_acpi_gpe(&a, 64);		/* none such */
	expect_eq(in(0x20, 4), 1 << 13);
	expect_eq(in(0x27, 1), 0x80);
	expect(!m.level[SCI]);
	out(0x29, 1, 0x20);
	expect(m.level[SCI]);
	out(0x21, 1, 0x20);
	expect(!m.level[SCI]);
	out(0x28, 4, 0xffffffff);
	out(0x2c, 4, 0xffffffff);
	expect(m.level[SCI]);
	out(0x24, 4, 0x80000000);
	expect(!m.level[SCI]);
	expect_eq(in(0x2c, 4), 0xffffffff);
	a.dev.ops->reset(&a.dev);
	expect_eq(in(0x2c, 4), 0);
}

static void timer_status(void)
{
	u64 half = ((1ull << 31) * PVM_NS_PER_S + PVM_PMTIMER_HZ - 1) / PVM_PMTIMER_HZ;

	start();
	expect_eq(in(0, 2), 0);
	mock_advance(&m, half - MOCK_START_NS - 1000);
	expect_eq(in(0, 2), 0);
	mock_advance(&m, 2000);
	expect_eq(in(0, 2), 1);
	expect_eq(m.timers_run, 0);	/* nobody asked for it */
	out(0, 2, 1);
	expect_eq(in(0, 2), 0);
	out(2, 2, 1);
	expect(!m.level[SCI]);
	mock_advance(&m, half);
	expect(m.level[SCI]);
	expect_eq(m.timers_run, 1);
	mock_advance(&m, 10 * half);
	expect_eq(m.timers_run, 1);
	out(0, 2, 1);
	expect(!m.level[SCI]);
}

static void odd_accesses(void)
{
	u32 off, bytes;

	start();
	for (bytes = 1; bytes <= 4; bytes *= 2) {
		for (off = 0; off + bytes <= 0x80; off++) {
			if (off + bytes > 8 && off < 0xc)
				continue;
			out(off, bytes, 0xffffffff);
			in(off, bytes);
		}
	}
	expect_eq(m.wide_values, 0);
	/* Across two groups of eight bytes. */
	start();
	out(0x26, 4, 0xffff0000);
	expect_eq(in(0x28, 4), 0xffff);
	expect_eq(in(0x26, 4), 0xffff0000);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(enabling),
	KTAP_TEST(no_smm),
	KTAP_TEST(power_off),
	KTAP_TEST(power_button),
	KTAP_TEST(general_purpose_events),
	KTAP_TEST(timer_status),
	KTAP_TEST(odd_accesses),
};

KTAP_MAIN(tests)
