// SPDX-License-Identifier: GPL-2.0-only
/*
 * AML builder: encodings byte by byte, and what happens without room.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "fw/build.h"
#include "ktap.h"

static u8 data[0x20000];
static struct pvm_fw_buf buf;
static struct pvm_aml aml;

static void start(u32 room)
{
	memset(data, 0xcc, sizeof(data));
	buf = (struct pvm_fw_buf){ .data = data, .room = room };
	aml = (struct pvm_aml){ .b = &buf };
}

#define expect_bytes(...) do {					\
	static const u8 want_[] = { __VA_ARGS__ };		\
	expect_eq(buf.used, sizeof(want_));			\
	expect_mem(data, want_, sizeof(want_));			\
	start(sizeof(data));					\
} while (0)

static void names(void)
{
	start(sizeof(data));
	pvm_aml_path(&aml, "_SB");
	expect_bytes('_', 'S', 'B', '_');
	pvm_aml_path(&aml, "\\");
	expect_eq(data[0], '\\');
	start(sizeof(data));
	pvm_aml_path(&aml, "\\_SB.PCI0");
	expect_bytes('\\', 0x2e, '_', 'S', 'B', '_', 'P', 'C', 'I', '0');
	pvm_aml_path(&aml, "^^A.B.C");
	expect_bytes('^', '^', 0x2f, 3, 'A', '_', '_', '_', 'B', '_', '_', '_', 'C', '_', '_', '_');
	pvm_aml_name(&aml, "_UID");
	expect_bytes(0x08, '_', 'U', 'I', 'D');
	pvm_aml_path(&aml, "A.A.A.A.A.A.A.A.A");
	expect(buf.full);
}

static void integers(void)
{
	start(sizeof(data));
	pvm_aml_int(&aml, 0);
	pvm_aml_int(&aml, 1);
	pvm_aml_int(&aml, 2);
	pvm_aml_int(&aml, 0xff);
	expect_bytes(0x00, 0x01, 0x0a, 2, 0x0a, 0xff);
	pvm_aml_int(&aml, 0x100);
	pvm_aml_int(&aml, 0xffff);
	expect_bytes(0x0b, 0, 1, 0x0b, 0xff, 0xff);
	pvm_aml_int(&aml, 0x10000);
	expect_bytes(0x0c, 0, 0, 1, 0);
	pvm_aml_int(&aml, 0x123456789);
	expect_bytes(0x0e, 0x89, 0x67, 0x45, 0x23, 1, 0, 0, 0);
	pvm_aml_string(&aml, "AB");
	expect_bytes(0x0d, 'A', 'B', 0);
	pvm_aml_eisaid(&aml, "PNP0A08");
	expect_bytes(0x0c, 0x41, 0xd0, 0x0a, 0x08);
	pvm_aml_bytes(&aml, (const u8 *)"xyz", 3);
	expect_bytes(0x11, 6, 0x0a, 3, 'x', 'y', 'z');
}

/* ACPI r6.4, sec 20.2.4: 6, 12, 20 bits, the length counting itself */
static void lengths(void)
{
	static const struct { u32 inside, extra; u8 want[3]; } rows[] = {
		{ 1, 1, { 2 } }, { 62, 1, { 63 } }, { 63, 2, { 0x41, 0x04 } },
		{ 0xffd, 2, { 0x4f, 0xff } }, { 0xffe, 3, { 0x81, 0x00, 0x01 } },
		{ 0x10000, 3, { 0x83, 0x00, 0x10 } },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		start(sizeof(data));
		pvm_aml_if(&aml);
		memset(data + buf.used, 0x5a, rows[i].inside);
		buf.used += rows[i].inside;
		pvm_aml_end(&aml);
		expect_eq(buf.used, 1 + rows[i].extra + rows[i].inside);
		expect_mem(data + 1, rows[i].want, rows[i].extra);
		expect_eq(data[1 + rows[i].extra], 0x5a);
		expect_eq(data[buf.used - 1], 0x5a);
		expect_eq(data[buf.used], 0xcc);
	}
}

static void nesting(void)
{
	start(sizeof(data));
	pvm_aml_scope(&aml, "\\_SB");
	pvm_aml_device(&aml, "X");
	pvm_aml_name(&aml, "Y");
	pvm_aml_package(&aml, 2);
	pvm_aml_int(&aml, 7);
	pvm_aml_int(&aml, 0);
	pvm_aml_end(&aml);
	pvm_aml_end(&aml);
	pvm_aml_end(&aml);
	expect(!buf.full);
	expect_bytes(0x10, 24, '\\', '_', 'S', 'B', '_', 0x5b, 0x82, 16, 'X', '_', '_', '_',
		     0x08, 'Y', '_', '_', '_', 0x12, 5, 2, 0x0a, 7, 0);
	pvm_aml_method(&aml, "M", 2);
	pvm_aml_op(&aml, PVM_AML_RETURN);
	pvm_aml_op(&aml, PVM_AML_ARG0);
	pvm_aml_end(&aml);
	expect_bytes(0x14, 8, 'M', '_', '_', '_', 0x0a, 0xa4, 0x68);
}

static void resources(void)
{
	start(sizeof(data));
	pvm_aml_crs(&aml);
	pvm_aml_io(&aml, 0x3f8, 8);
	pvm_aml_irq(&aml, 4);
	pvm_aml_crs_end(&aml);
	expect_bytes(0x08, '_', 'C', 'R', 'S', 0x11, 16, 0x0a, 13,
		     0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8, 0x22, 0x10, 0, 0x79, 0);
	pvm_aml_mem32(&aml, 0xfed00000, 0x400);
	expect_bytes(0x86, 9, 0, 1, 0, 0, 0xd0, 0xfe, 0, 4, 0, 0);
	pvm_aml_bus_window(&aml, 0, 255);
	expect_bytes(0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 1);
	pvm_aml_io_window(&aml, 0xd00, 0xffff);
	expect_bytes(0x88, 13, 0, 1, 0x0c, 3, 0, 0, 0, 0x0d, 0xff, 0xff, 0, 0, 0, 0xf3);
	pvm_aml_mem32_window(&aml, 0xa0000, 0xbffff, true);
	expect_bytes(0x87, 23, 0, 0, 0x0c, 3, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0xff, 0xff, 0x0b, 0,
		     0, 0, 0, 0, 0, 0, 2, 0);
	pvm_aml_mem64_window(&aml, 0x100000000, 0x1ffffffff);
	expect_bytes(0x8a, 43, 0, 0, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
		     0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		     0, 0, 0, 0, 1, 0, 0, 0);
}

/* With any room too small, it says so and writes nothing beyond. */
static void no_room(void)
{
	static const struct pvm_fw_board b = {
		.cpus = 16, .low_ram_bytes = 0x40000000, .flags = 0xff,
		.mem32 = { { 0x80000000, 0x60000000 } }, .ecam_gpa = 0xe0000000,
	};
	u32 whole, room;

	start(sizeof(data));
	pvm_fw_dsdt(&b, &aml);
	expect(!buf.full && !aml.depth);
	whole = buf.used;
	for (room = 0; room < whole; room += room < 300 ? 1 : 37) {
		start(room);
		pvm_fw_dsdt(&b, &aml);
		expect(buf.full);
		expect_in(buf.used, 0, room);
		expect_eq(data[room], 0xcc);
	}
	start(whole);
	pvm_fw_dsdt(&b, &aml);
	expect(!buf.full);
}

static void misuse(void)
{
	u32 i;

	start(sizeof(data));
	pvm_aml_end(&aml);
	expect(buf.full);
	start(sizeof(data));
	for (i = 0; i <= PVM_AML_DEPTH; i++)
		pvm_aml_if(&aml);
	expect(buf.full);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(names),
	KTAP_TEST(integers),
	KTAP_TEST(lengths),
	KTAP_TEST(nesting),
	KTAP_TEST(resources),
	KTAP_TEST(no_room),
	KTAP_TEST(misuse),
};

KTAP_MAIN(tests)
