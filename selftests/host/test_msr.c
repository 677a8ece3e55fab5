// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSR table: order, reachability of every row, slots, and the checks of MTRR
 * and PAT values.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "x86/x86.h"

static void sorted_without_overlap(void)
{
	u32 i;

	for (i = 0; i < pvm_msr_rows; i++) {
		const struct pvm_msr_row *row = &pvm_msr_table[i], *next = row + 1;

		expect_msg(row->first <= row->last, "row %u", i);
		expect_msg(row->cite && *row->cite, "row %u", i);
		expect_msg(!row->vendor || row->vendor == 'I' || row->vendor == 'A', "row %u", i);
		if (i + 1 == pvm_msr_rows)
			break;
		if (row->first == next->first)
			expect_msg(row->last == next->last && row->vendor && next->vendor &&
				   row->vendor != next->vendor, "row %u", i);
		else
			expect_msg(row->last < next->first, "row %u, MSR %x", i, next->first);
	}
}

static void every_row_is_found(void)
{
	u32 i, v;

	for (i = 0; i < pvm_msr_rows; i++) {
		const struct pvm_msr_row *row = &pvm_msr_table[i];

		for (v = 0; v < 2; v++) {
			u8 vendor = "IA"[v];
			bool mine = !row->vendor || row->vendor == vendor;

			expect_msg((pvm_msr_find(row->first, vendor) == row) == mine, "row %u", i);
			expect_msg((pvm_msr_find(row->last, vendor) == row) == mine, "row %u", i);
		}
	}
	expect(!pvm_msr_find(0x2, 'I'));
	expect(!pvm_msr_find(0xc0000104, 'A'));		/* TSC_RATIO */
	expect(!pvm_msr_find(0xc0010117, 'A'));		/* VM_HSAVE_PA */
	expect(!pvm_msr_find(0x480, 'I'));		/* VMX */
	expect(!pvm_msr_find(0xffffffff, 'A'));
}

static void values_fit_their_slots(void)
{
	bool used[PVM_MSR_SLOTS] = { false };
	u32 i, msr;

	for (i = 0; i < pvm_msr_rows; i++) {
		const struct pvm_msr_row *row = &pvm_msr_table[i];

		if (row->class == PVM_MSR_HOOK)
			expect_msg(row->slot < PVM_MSR_HOOKS, "row %u", i);
		if (row->class != PVM_MSR_VALUE)
			continue;
		for (msr = row->first; msr <= row->last; msr++) {
			u32 slot = row->slot + msr - row->first;

			if (!expect_msg(slot < PVM_MSR_SLOT_END && !used[slot], "MSR %x", msr))
				continue;
			used[slot] = true;
		}
	}
	for (msr = 0; msr < 0x400; msr++) {
		const struct pvm_msr_row *row = pvm_msr_find(msr, 'A');
		int slot = pvm_msr_mtrr_slot(msr);
		bool mtrr = row && row->class == PVM_MSR_HOOK && row->slot == PVM_MSR_HOOK_MTRR;

		expect_msg(mtrr == (slot >= 0), "MSR %x", msr);
		if (slot < 0)
			continue;
		expect_msg(slot <= PVM_MSR_SLOT_MTRR_DEF && !used[slot], "MSR %x", msr);
		used[slot] = true;
	}
	expect_eq(PVM_MSR_SLOT_MTRR_DEF, 27);
}

static u64 reset_of(u32 msr, u8 vendor)
{
	const struct pvm_msr_row *row = pvm_msr_find(msr, vendor);

	return expect(row != NULL) ? row->reset : 0;
}

static void what_systems_look_for(void)
{
	expect_eq(reset_of(0xfe, 'A'), 0x508);
	expect(reset_of(0xc0010015, 'A') & BIT_ULL(24));	/* TSC at P0 */
	expect(reset_of(0xc0011029, 'A') & 2);			/* LFENCE */
	expect_eq(reset_of(0xc0010114, 'A') & 0x10, 0x10);	/* SVMDIS */
	expect_eq(reset_of(0x3a, 'I'), 1);			/* no VMX, locked */
	expect_eq(pvm_msr_find(0xc0011020, 'A')->class, PVM_MSR_ABSENT);
	expect(!pvm_msr_find(0xc0010015, 'I'));
	expect(!pvm_msr_find(0x1a0, 'A'));
}

static void mtrr_values(void)
{
	expect(pvm_msr_mtrr_valid(0x2ff, 0xc06, 40));
	expect(!pvm_msr_mtrr_valid(0x2ff, 0xc02, 40));
	expect(!pvm_msr_mtrr_valid(0x2ff, 0x1000, 40));
	expect(pvm_msr_mtrr_valid(0x200, 0xc0000000, 40));
	expect(!pvm_msr_mtrr_valid(0x200, 0xc0000007, 40));
	expect(!pvm_msr_mtrr_valid(0x200, 1ull << 40, 40));
	expect(pvm_msr_mtrr_valid(0x200, 1ull << 40, 48));
	expect(pvm_msr_mtrr_valid(0x201, 0xffc0000800, 40));
	expect(!pvm_msr_mtrr_valid(0x201, 0xffc0000801, 40));
	expect(pvm_msr_mtrr_valid(0x250, 0x0606060606060606, 40));
	expect(!pvm_msr_mtrr_valid(0x26f, 0x0606060606060603, 40));
	expect(!pvm_msr_mtrr_valid(0x251, 0, 40));
	expect(!pvm_msr_mtrr_valid(0x210, 0, 40));
	expect(pvm_msr_pat_valid(PVM_MSR_PAT_RESET));
	expect(!pvm_msr_pat_valid(0x02));
	expect(!pvm_msr_pat_valid(8ull << 56));
}

static const struct ktap_test tests[] = {
	KTAP_TEST(sorted_without_overlap),
	KTAP_TEST(every_row_is_found),
	KTAP_TEST(values_fit_their_slots),
	KTAP_TEST(what_systems_look_for),
	KTAP_TEST(mtrr_values),
};

KTAP_MAIN(tests)
