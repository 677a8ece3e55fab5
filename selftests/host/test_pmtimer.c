// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI PM timer.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "dev/models.h"

static struct mock_host m;
static struct pvm_pmtimer t;

static void start(void)
{
	mock_init(&m);
	memset(&t, 0, sizeof(t));
	mock_attach(&m, &t.dev, &pvm_pmtimer_ops, 0);
}

static u32 value(void)
{
	return mock_read(&m, &t.dev, 0, 0, 4);
}

static void rate(void)
{
	u32 first;

	start();
	first = value();
	expect_eq(first, PVM_PMTIMER_HZ);	/* the clock starts at one second */
	mock_advance(&m, PVM_NS_PER_S);
	expect_eq(value() - first, PVM_PMTIMER_HZ);
	mock_advance(&m, 1000);
	expect_in(value() - first - PVM_PMTIMER_HZ, 3, 4);
}

static void wraps_at_32_bits(void)
{
	u64 whole = (1ull << 32) * PVM_NS_PER_S / PVM_PMTIMER_HZ;

	start();
	m.now_ns = whole - 1000;
	expect_in(value(), 0xfffffff0u, 0xffffffffu);
	m.now_ns = whole + 1000;
	expect_in(value(), 0, 15);
	/* A guest that runs for a century. */
	m.now_ns = 100ull * 366 * 86400 * PVM_NS_PER_S;
	expect_eq(value(), (u32)(100ull * 366 * 86400 * PVM_PMTIMER_HZ));
	expect_eq(m.wide_values, 0);
}

static void narrow_reads(void)
{
	u32 whole, i;

	start();
	m.now_ns = 123456789012345ull;
	whole = value();
	for (i = 0; i < 4; i++)
		expect_eq(mock_read(&m, &t.dev, 0, i, 1), whole >> (8 * i) & 0xff);
	expect_eq(mock_read(&m, &t.dev, 0, 2, 2), whole >> 16);
	expect_eq(mock_read(&m, &t.dev, 0, 0, 2), whole & 0xffff);
	expect_eq(m.wide_values, 0);
}

static void writes_change_nothing(void)
{
	u32 before;

	start();
	before = value();
	mock_write(&m, &t.dev, 0, 0, 4, 0);
	expect_eq(value(), before);
	expect_eq(m.timers_run, 0);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(rate),
	KTAP_TEST(wraps_at_32_bits),
	KTAP_TEST(narrow_reads),
	KTAP_TEST(writes_change_nothing),
};

KTAP_MAIN(tests)
