// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8042 with keyboard and mouse.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "mock_host.h"
#include "dev/models.h"

#define KBD	1
#define AUX	12

static struct mock_host m;
static struct pvm_i8042 k;

static void start(void)
{
	mock_init(&m);
	memset(&k, 0, sizeof(k));
	mock_attach(&m, &k.dev, &pvm_i8042_ops, KBD);
}

static u8 status(void)
{
	return mock_read(&m, &k.dev, 1, 0, 1);
}

static void command(u8 val)
{
	mock_write(&m, &k.dev, 1, 0, 1, val);
}

static void data(u8 val)
{
	mock_write(&m, &k.dev, 0, 0, 1, val);
}

/* The next byte, with 0x100 added if the mouse sent it; -1: none. */
static int next(void)
{
	u8 st = status();

	if (!(st & 1))
		return -1;
	return mock_read(&m, &k.dev, 0, 0, 1) | (st & 0x20) << 3;
}

static void to_mouse(u8 val)
{
	command(0xd4);
	data(val);
}

/* SeaBIOS: flush, self-test, keyboard and its reset; as drivers of the field do. */
static void firmware_setup(void)
{
	start();
	expect_eq(next(), -1);
	command(0xaa);
	expect_eq(next(), 0x55);
	expect(status() & 4);
	command(0xab);
	expect_eq(next(), 0);
	command(0x60);
	data(0x65);
	command(0x20);
	expect_eq(next(), 0x65);
	data(0xff);
	expect_eq(next(), 0xfa);
	expect_eq(next(), 0xaa);
	data(0xf5);
	expect_eq(next(), 0xfa);
	data(0xf0);
	expect_eq(next(), 0xfa);
	data(0x02);
	expect_eq(next(), 0xfa);
	data(0xf4);
	expect_eq(next(), 0xfa);
	expect_eq(next(), -1);
}

/* Linux: i8042_controller_check(), i8042_check_aux(), i8042_set_mux_mode(). */
static void linux_probe(void)
{
	static const u8 mux[3] = { 0xf0, 0x56, 0xa4 };
	u32 i;

	start();
	command(0x20);
	expect(next() >= 0);
	command(0xd3);
	data(0x5a);
	expect_eq(next(), 0x15a);
	for (i = 0; i < 3; i++) {	/* echoes all: no multiplexer */
		command(0xd3);
		data(mux[i]);
		expect_eq(next(), 0x100 | mux[i]);
	}
	command(0xa9);
	expect_eq(next(), 0);
	command(0xa7);
	command(0x20);
	expect(next() & 0x20);
	command(0xa8);
	command(0x20);
	expect(!(next() & 0x20));
	/* The loop test with an interrupt. */
	command(0x60);
	data(0x46);
	m.rises[AUX] = 0;
	command(0xd3);
	data(0xa5);
	expect_eq(m.rises[AUX], 1);
	expect_eq(next(), 0x1a5);
	expect(!m.level[AUX]);
}

static void identify(void)
{
	start();
	data(0xf2);
	expect_eq(next(), 0xfa);
	expect_eq(next(), 0xab);
	expect_eq(next(), 0x41);	/* 0x83 translated */
	command(0x60);
	data(0x05);			/* no translation */
	data(0xf2);
	expect_eq(next(), 0xfa);
	expect_eq(next(), 0xab);
	expect_eq(next(), 0x83);
	data(0xed);
	expect_eq(next(), 0xfa);
	data(0x07);
	expect_eq(next(), 0xfa);
	expect_eq(k.kbd_leds, 7);
	data(0xee);
	expect_eq(next(), 0xee);
	data(0xf0);
	next();
	data(0);
	expect_eq(next(), 0xfa);
	expect_eq(next(), 2);
	data(0x12);			/* no command */
	expect_eq(next(), 0xfe);
}

static void keys_are_translated(void)
{
	/* set 2 press, set 1 press: Esc, A, space, F7, F12, Num Lock, left shift */
	static const u8 t[][2] = {
		{ 0x76, 0x01 }, { 0x1c, 0x1e }, { 0x29, 0x39 }, { 0x83, 0x41 },
		{ 0x07, 0x58 }, { 0x77, 0x45 }, { 0x12, 0x2a }, { 0x16, 0x02 },
		{ 0x5a, 0x1c }, { 0x66, 0x0e }, { 0x0d, 0x0f }, { 0x14, 0x1d },
		{ 0x11, 0x38 }, { 0x1a, 0x2c }, { 0x4a, 0x35 }, { 0x75, 0x48 },
		{ 0x6b, 0x4b }, { 0x74, 0x4d }, { 0x72, 0x50 }, { 0x71, 0x53 },
		{ 0x05, 0x3b }, { 0x0a, 0x42 }, { 0x09, 0x44 }, { 0x78, 0x57 },
	};
	u32 i;

	start();
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		pvm_i8042_key(&k, t[i][0]);
		expect_eq(next(), t[i][1]);
		pvm_i8042_key(&k, 0xf0);
		expect_eq(next(), -1);
		pvm_i8042_key(&k, t[i][0]);
		expect_eq(next(), t[i][1] | 0x80);
	}
	pvm_i8042_key(&k, 0xe0);	/* the prefix passes */
	expect_eq(next(), 0xe0);
	command(0x60);
	data(0x05);
	pvm_i8042_key(&k, 0xf0);
	expect_eq(next(), 0xf0);
}

static void each_byte_is_an_edge(void)
{
	start();
	m.rises[KBD] = 0;
	pvm_i8042_key(&k, 0x1c);
	pvm_i8042_key(&k, 0x32);
	expect_eq(m.rises[KBD], 1);
	next();
	expect_eq(m.rises[KBD], 2);
	next();
	expect_eq(m.rises[KBD], 2);
	expect(!m.level[KBD]);
	command(0x60);
	data(0x44);			/* no interrupt */
	pvm_i8042_key(&k, 0x1c);
	expect(!m.level[KBD]);
	expect_eq(next(), 0x1e);
}

static void disabled_interface_holds_bytes(void)
{
	start();
	command(0xad);
	expect(pvm_i8042_key(&k, 0x1c));
	expect_eq(next(), -1);
	command(0xae);
	expect_eq(next(), 0x1e);
}

static void full_queue_drops(void)
{
	u32 i, took = 0;

	start();
	for (i = 0; i < 1000; i++)
		took += pvm_i8042_key(&k, 0x1c);
	expect_eq(took, PVM_I8042_QUEUE + 1);
	for (i = 0; next() >= 0; i++)
		;
	expect_eq(i, PVM_I8042_QUEUE + 1);
	data(0xf5);
	next();
	expect(!pvm_i8042_key(&k, 0x1c));	/* scanning is off */
}

static void reset_pulse(void)
{
	start();
	command(0xfe);
	expect_eq(m.signals[PVM_SIGNAL_RESET], 1);
	command(0xff);			/* pulses nothing */
	expect_eq(m.signals[PVM_SIGNAL_RESET], 1);
	command(0xd0);
	expect_eq(next() & 3, 3);
	command(0xd1);
	data(0x03);
	command(0xdd);
	command(0xd0);
	expect_eq(next() & 3, 1);
	command(0xdf);
	command(0xd0);
	expect_eq(next() & 3, 3);
	expect_eq(m.signals[PVM_SIGNAL_RESET], 1);
	command(0xd1);
	data(0xfe);
	expect_eq(m.signals[PVM_SIGNAL_RESET], 2);
}

/* Linux: psmouse_probe(), intellimouse_detect(), im_explorer_detect(). */
static void mouse_detection(void)
{
	static const u8 wheel[3] = { 200, 100, 80 }, buttons[3] = { 200, 200, 80 };
	u32 i;

	start();
	to_mouse(0xf2);
	expect_eq(next(), 0x1fa);
	expect_eq(next(), 0x100);
	to_mouse(0xff);
	expect_eq(next(), 0x1fa);
	expect_eq(next(), 0x1aa);
	expect_eq(next(), 0x100);
	for (i = 0; i < 3; i++) {
		to_mouse(0xf3);
		expect_eq(next(), 0x1fa);
		to_mouse(wheel[i]);
		expect_eq(next(), 0x1fa);
	}
	to_mouse(0xf2);
	next();
	expect_eq(next(), 0x103);
	for (i = 0; i < 3; i++) {
		to_mouse(0xf3);
		next();
		to_mouse(buttons[i]);
		next();
	}
	to_mouse(0xf2);
	next();
	expect_eq(next(), 0x104);
	to_mouse(0xe8);
	next();
	to_mouse(3);
	expect_eq(next(), 0x1fa);
	to_mouse(0xe9);
	expect_eq(next(), 0x1fa);
	expect_eq(next(), 0x100);
	expect_eq(next(), 0x103);
	expect_eq(next(), 0x150);
	to_mouse(0xa0);
	expect_eq(next(), 0x1fe);
	expect_eq(next(), -1);
}

static void mouse_movement(void)
{
	start();
	pvm_i8042_mouse(&k, 5, 5, 0, 0);
	expect_eq(next(), -1);		/* not before it is enabled */
	to_mouse(0xf4);
	expect_eq(next(), 0x1fa);
	pvm_i8042_mouse(&k, 3, -2, 0, 1);
	expect(m.level[AUX]);
	expect_eq(next(), 0x129);	/* y negative, always-one, left */
	expect_eq(next(), 0x103);
	expect_eq(next(), 0x1fe);
	expect_eq(next(), -1);
	pvm_i8042_mouse(&k, -300, 0, 0, 0);	/* more than one packet holds */
	expect_eq(next(), 0x118);
	expect_eq(next(), 0x101);	/* -255 */
	expect_eq(next(), 0x100);
	expect_eq(next(), 0x118);
	expect_eq(next(), 0x1d3);	/* -45 */
	expect_eq(next(), 0x100);
	expect_eq(next(), -1);
	/* Absurd values neither overflow nor run on. */
	pvm_i8042_mouse(&k, 0x7fffffff, -0x7fffffff - 1, 0x7fffffff, 0xff);
	pvm_i8042_mouse(&k, 0x7fffffff, -0x7fffffff - 1, 0x7fffffff, 0xff);
	while (next() >= 0)
		;
	expect_eq(m.wide_values, 0);
}

static void mouse_remote_mode(void)
{
	start();
	to_mouse(0xf4);
	to_mouse(0xf0);
	while (next() >= 0)
		;
	pvm_i8042_mouse(&k, 1, 1, 0, 0);
	expect_eq(next(), -1);
	to_mouse(0xeb);
	expect_eq(next(), 0x1fa);
	expect_eq(next(), 0x108);
	expect_eq(next(), 0x101);
	expect_eq(next(), 0x101);
	to_mouse(0xee);
	next();
	to_mouse(0x55);			/* echo mode */
	expect_eq(next(), 0x155);
	to_mouse(0xec);
	expect_eq(next(), 0x1fa);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(firmware_setup),
	KTAP_TEST(linux_probe),
	KTAP_TEST(identify),
	KTAP_TEST(keys_are_translated),
	KTAP_TEST(each_byte_is_an_edge),
	KTAP_TEST(disabled_interface_holds_bytes),
	KTAP_TEST(full_queue_drops),
	KTAP_TEST(reset_pulse),
	KTAP_TEST(mouse_detection),
	KTAP_TEST(mouse_movement),
	KTAP_TEST(mouse_remote_mode),
};

KTAP_MAIN(tests)
