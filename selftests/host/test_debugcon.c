// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug console, debug exit, POST code, port 0x92 and the 0xcf9 register.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "dev/models.h"

static struct mock_host m;

static void console(void)
{
	struct pvm_debugcon d = { 0 };
	const char *text = "SeaBIOS", *c;

	mock_init(&m);
	mock_attach(&m, &d.dev, &pvm_debugcon_ops, 0);
	expect_eq(mock_read(&m, &d.dev, 0, 0, 1), 0xe9);
	for (c = text; *c; c++)
		mock_write(&m, &d.dev, 0, 0, 1, *c);
	expect(!strcmp(m.output, text));
	expect_eq(m.signals[PVM_SIGNAL_OUTPUT], strlen(text));
}

static void debug_exit(void)
{
	static const struct { u32 bytes; u64 val, arg; } t[] = {
		{ 1, 0x31, 0x31 },
		{ 2, 0x1234, 0x1234 },
		{ 4, 0xfffffffe, 0xfffffffe },
		{ 1, 0x1ff, 0xff },
	};
	struct pvm_debug_exit d = { 0 };
	u32 i;

	mock_init(&m);
	mock_attach(&m, &d.dev, &pvm_debug_exit_ops, 0);
	expect_eq(mock_read(&m, &d.dev, 0, 0, 4), 0);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		mock_write(&m, &d.dev, 0, 0, t[i].bytes, t[i].val);
		expect_eq(m.signals[PVM_SIGNAL_DEBUG_EXIT], i + 1);
		expect_eq(m.signal_arg[PVM_SIGNAL_DEBUG_EXIT], t[i].arg);
	}
}

static void post(void)
{
	struct pvm_post d = { 0 };

	mock_init(&m);
	mock_attach(&m, &d.dev, &pvm_post_ops, 0);
	mock_write(&m, &d.dev, 0, 0, 1, 0xa5);
	expect_eq(mock_read(&m, &d.dev, 0, 0, 1), 0xa5);
}

static void port92(void)
{
	struct pvm_resetport d = { 0 };

	mock_init(&m);
	mock_attach(&m, &d.dev, &pvm_resetport_ops, 0);
	expect_eq(mock_read(&m, &d.dev, 0, 0, 1), 2);	/* A20 is open */
	mock_write(&m, &d.dev, 0, 0, 1, 0xfe);
	expect_eq(mock_read(&m, &d.dev, 0, 0, 1), 2);
	expect_eq(m.signals[PVM_SIGNAL_RESET], 0);
	mock_write(&m, &d.dev, 0, 0, 1, 3);
	expect_eq(m.signals[PVM_SIGNAL_RESET], 1);
	mock_write(&m, &d.dev, 0, 0, 1, 1);		/* no edge */
	expect_eq(m.signals[PVM_SIGNAL_RESET], 1);
	d.dev.ops->reset(&d.dev);
	expect_eq(mock_read(&m, &d.dev, 0, 0, 1), 2);
}

static void cf9(void)
{
	u8 reg = 0;

	/* As Linux and firmware do: 2, then 6. */
	expect(!pvm_cf9_write(&reg, 0x02));
	expect(pvm_cf9_write(&reg, 0x06));
	expect_eq(reg, 6);
	expect(!pvm_cf9_write(&reg, 0x0e));
	expect(!pvm_cf9_write(&reg, 0xf1));
	expect_eq(reg, 0);
	expect(pvm_cf9_write(&reg, 0x0e));
	expect_eq(reg, 0x0e);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(console),
	KTAP_TEST(debug_exit),
	KTAP_TEST(post),
	KTAP_TEST(port92),
	KTAP_TEST(cf9),
};

KTAP_MAIN(tests)
