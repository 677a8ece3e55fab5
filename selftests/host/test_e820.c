// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory map of a direct boot, and which boards are refused.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "fw_sample.h"

static struct pvm_fw_e820 map[PVM_FW_MAX_E820];

/* Type at @gpa, 0: not listed. */
static u32 type_at(u64 gpa, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (gpa >= map[i].gpa && gpa - map[i].gpa < map[i].bytes)
			return map[i].type;
	return 0;
}

static void whole(void)
{
	static const struct { u64 gpa; u32 type; } rows[] = {
		{ 0, 1 }, { 0x9fbff, 1 }, { 0x9fc00, 2 }, { 0x9ffff, 2 }, { 0xa0000, 0 },
		{ 0xbffff, 0 }, { 0xc0000, 2 }, { 0xfffff, 2 }, { 0x100000, 1 },
		{ 0x7ffdffff, 1 }, { 0x7ffe0000, 4 }, { 0x7ffe0fff, 4 }, { 0x7ffe1000, 3 },
		{ 0x7fffffff, 3 }, { 0x80000000, 0 }, { 0xdfffffff, 0 }, { 0xe0000000, 2 },
		{ 0xefffffff, 2 }, { 0xf0000000, 0 }, { 0xfee00000, 2 }, { 0xfec00000, 2 },
		{ 0xffffffff, 0 }, { 0x100000000, 1 }, { 0x17fffffff, 1 }, { 0x180000000, 0 },
	};
	u32 i;
	int n = pvm_fw_e820_map(&fw_board, map);

	expect_in(n, 1, PVM_FW_MAX_E820);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		expect_msg(type_at(rows[i].gpa, n) == rows[i].type, "type %u at 0x%llx",
			   type_at(rows[i].gpa, n), (unsigned long long)rows[i].gpa);
}

/* For all sizes: sorted, disjoint, nothing empty; all RAM is usable but what is spoken for. */
static void sizes(void)
{
	struct pvm_fw_board b = fw_board;
	u64 ram, low, high;
	int n, i;

	for (low = 2; low <= 2048; low += low < 64 ? 2 : 62) {
		for (high = 0; high < 3; high++) {
			b.low_ram_bytes = low << 20;
			b.high_ram_bytes = high << 30;
			b.flags = high ? PVM_FW_ROM : 0;
			n = pvm_fw_e820_map(&b, map);
			ram = 0;
			for (i = 0; i < n; i++) {
				expect(map[i].bytes);
				expect(!i || map[i - 1].gpa + map[i - 1].bytes <= map[i].gpa);
				ram += map[i].type == PVM_FW_E820_RAM ? map[i].bytes : 0;
			}
			expect_eq(ram, b.low_ram_bytes + b.high_ram_bytes - 0x60400 - 0x20000);
			expect_eq(type_at(0xffffffff, n), high ? 2 : 0);
			if (ktap_now.failures)
				return;
		}
	}
}

static void refused(void)
{
	struct pvm_fw_board b;

#define BAD(change) do {					\
	b = fw_board;						\
	change;							\
	expect_msg(pvm_fw_e820_map(&b, map) == -EINVAL, #change);	\
	expect_msg(fw_make(&b) == -EINVAL, #change);		\
} while (0)
	BAD(b.cpus = 0);
	BAD(b.cpus = PVM_MAX_VCPUS + 1);
	BAD(b.ioapic_id = 256);
	BAD(b.low_ram_bytes = 0);
	BAD(b.low_ram_bytes = 0x100000);
	BAD(b.low_ram_bytes = 0x80200000);
	BAD(b.high_ram_bytes = ~0ull);
	BAD(b.mem32[0].base_gpa = 0x70000000);
	BAD(b.mem32[0].bytes = 0x80000000);
	BAD(b.mem32[1].bytes = 0x10000000);
	BAD(b.mem32[1].base_gpa = 0xd0000000);
	BAD(b.mem64.base_gpa = 0x100000000);
	BAD(b.mem64.bytes = ~0ull);
	BAD(b.ecam_gpa = 0xe8000000);
	BAD(b.ecam_gpa = 0xf0000000);
	BAD(b.ecam_gpa = 0);
#undef BAD
	b = fw_board;
	b.ecam_gpa = PVM_NO_ADDR;
	b.mem64.bytes = 0;
	expect(pvm_fw_e820_map(&b, map) > 0);
	/* Where an absent window would lie does not matter. */
	b = fw_board;
	b.mem32[1] = (struct pvm_fw_range){ 0x90000000, 0 };
	b.mem64 = (struct pvm_fw_range){ 0, 0 };
	expect(pvm_fw_e820_map(&b, map) > 0);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(whole),
	KTAP_TEST(sizes),
	KTAP_TEST(refused),
};

KTAP_MAIN(tests)
