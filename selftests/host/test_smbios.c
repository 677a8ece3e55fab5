// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMBIOS: anchors and a walk over the structures.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "fw_sample.h"

#define MAX_STRUCTURES	16

static const u8 *found[MAX_STRUCTURES];
static u32 count, largest;

/* Structures at fw_data's SMBIOS piece; stops at type 127. */
static void walk(void)
{
	const struct pvm_fw_piece *p = &fw_img.piece[PVM_FW_SMBIOS];
	const u8 *at = fw_data + p->offset, *end = at + p->bytes, *first;

	count = 0;
	largest = 0;
	while (expect(end - at >= 6) && count < MAX_STRUCTURES) {
		first = at;
		found[count++] = at;
		expect(at[1] >= 4 && at[1] <= end - at - 2);
		at += at[1];
		while (end - at >= 2 && (at[0] || at[1]))
			at++;
		at += 2;
		largest = max(largest, (u32)(at - first));
		if (first[0] == 127)
			break;
	}
	expect_eq(end - at, 0);
}

static const u8 *type(u8 t, u32 nth)
{
	static const u8 none[256];
	u32 i;

	for (i = 0; i < count; i++)
		if (found[i][0] == t && !nth--)
			return found[i];
	expect_msg(false, "no structure of type %u", t);
	return none;
}

/* String @n of a structure. */
static const char *string(const u8 *s, u32 n)
{
	const char *c = (const char *)s + s[1];

	while (--n && *c)
		c += strlen(c) + 1;
	return c;
}

static u8 sum(const u8 *at, u32 bytes)
{
	u8 s = 0;

	while (bytes--)
		s += *at++;
	return s;
}

static void anchors(void)
{
	const u8 *a;

	expect_eq(fw_make(&fw_board), 0);
	walk();
	a = fw_at(0xf0040, 24);
	expect_mem(a, "_SM3_", 5);
	expect_eq(sum(a, 24), 0);
	expect_eq(a[6], 24);
	expect_eq(get_unaligned_le32(a + 12), fw_img.piece[PVM_FW_SMBIOS].bytes);
	expect_eq(get_unaligned_le64(a + 16), 0xf0100);
	a = fw_at(0xf0060, 31);
	expect_mem(a, "_SM_", 4);
	expect_eq(sum(a, 31), 0);
	expect_mem(a + 16, "_DMI_", 5);
	expect_eq(sum(a + 16, 15), 0);
	expect_eq(a[5], 31);
	expect_eq(get_unaligned_le16(a + 8), largest);
	expect_eq(get_unaligned_le16(a + 22), fw_img.piece[PVM_FW_SMBIOS].bytes);
	expect_eq(get_unaligned_le32(a + 24), 0xf0100);
	expect_eq(get_unaligned_le16(a + 28), count);
}

static void structures(void)
{
	/* type, length in SMBIOS 3.0, strings */
	static const struct { u8 type, bytes, strings; } rows[] = {
		{ 0, 24, 3 }, { 1, 27, 5 }, { 3, 22, 2 }, { 4, 48, 3 }, { 16, 23, 0 },
		{ 17, 40, 2 }, { 19, 31, 0 }, { 19, 31, 0 }, { 32, 11, 0 }, { 127, 4, 0 },
	};
	u32 i, j;

	expect_eq(fw_make(&fw_board), 0);
	walk();
	expect_eq(count, ARRAY_SIZE(rows));
	for (i = 0; i < count; i++) {
		expect_eq(found[i][0], rows[i].type);
		expect_eq(found[i][1], rows[i].bytes);
		for (j = 1; j <= rows[i].strings; j++)
			expect(*string(found[i], j));
		expect(!*string(found[i], rows[i].strings + 1));
		for (j = 0; j < i; j++)
			expect(get_unaligned_le16(found[i] + 2) !=
			       get_unaligned_le16(found[j] + 2));
	}
	expect(type(0, 0)[19] & 0x10);			/* a virtual machine */
	expect_mem(type(1, 0) + 8, "\x33\x22\x11\x00\x55\x44\x77\x66"
		   "\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
	expect_eq(get_unaligned_le32(type(4, 0) + 8), fw_board.cpu_signature);
	expect_eq(type(4, 0)[0x23], 4);
	expect_eq(get_unaligned_le32(type(16, 0) + 7), 4 << 20);
	expect_eq(get_unaligned_le16(type(17, 0) + 12), 4096);
	expect_eq(get_unaligned_le16(type(17, 0) + 4), get_unaligned_le16(type(16, 0) + 2));
	expect_eq(get_unaligned_le32(type(19, 0) + 8), 0x1fffff);
	expect_eq(get_unaligned_le32(type(19, 1) + 4), 0x400000);
	expect_eq(get_unaligned_le32(type(19, 1) + 8), 0x5fffff);
}

static void large_and_small(void)
{
	struct pvm_fw_board b = fw_board;

	b.high_ram_bytes = 8ull << 40;
	b.mem64.base_gpa = 1ull << 44;
	b.serial = "";
	expect_eq(fw_make(&b), 0);
	walk();
	expect_eq(get_unaligned_le32(type(16, 0) + 7), 0x80000000);
	expect_eq(get_unaligned_le64(type(16, 0) + 15), (8ull << 40) + (2ull << 30));
	expect_eq(get_unaligned_le16(type(17, 0) + 12), 0x7fff);
	expect_eq(get_unaligned_le32(type(17, 0) + 28), (8u << 20) + 2048);
	expect_eq(get_unaligned_le32(type(19, 1) + 4), 0xffffffff);
	expect_eq(get_unaligned_le64(type(19, 1) + 15), 1ull << 32);
	expect_eq(get_unaligned_le64(type(19, 1) + 23), (1ull << 32) + (8ull << 40) - 1);
	expect_mem(string(type(1, 0), 4), " ", 2);

	b = fw_board;
	b.high_ram_bytes = 0;
	b.low_ram_bytes = 2 << 20;
	b.serial = "s/n 1";
	expect_eq(fw_make(&b), 0);
	walk();
	expect_eq(count, 9);
	expect_mem(string(type(1, 0), 4), "s/n 1", 6);
	expect_eq(get_unaligned_le16(type(17, 0) + 12), 2);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(anchors),
	KTAP_TEST(structures),
	KTAP_TEST(large_and_small),
};

KTAP_MAIN(tests)
