// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's view of a real device's configuration space.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "pass_fixture.h"

/* A card like those that people pass: vendor cap, PM, Express, MSI, MSI-X, VPD, AF. */
static void card(void)
{
	px_start();
	px_put(0x48, 4, 0x00085009);		/* vendor specific, 8 bytes, next 50 */
	px_put(0x4c, 4, 0xcafe1234);
	px_put(0x50, 4, 0xfe03a801 & ~0xff00u);	/* PM with PME from everywhere */
	px_put(0x51, 1, 0x64);
	px_put(0x54, 4, 0x00000100);		/* PME enabled */
	px_put(0x64, 4, 0x0012a010);		/* Express 2, legacy endpoint, next a0 */
	px_put(0x68, 4, 0x10008fa2);		/* FLR, MPS 512 */
	px_put(0x6c, 4, 0x0020291f);		/* a transaction is pending */
	px_put(0x70, 4, 0x00400d04);		/* a link */
	px_put(0xa0, 4, 0x0180c005 | 3 << 17);	/* MSI, 8 vectors, 64 bits, masks */
	px_put(0xc0, 4, 0x001fd011);		/* MSI-X, 32 vectors, next d0 */
	px_put(0xc4, 4, 0x00002002);		/* table in BAR 2 */
	px_put(0xc8, 4, 0x00003002);
	px_put(0xd0, 4, 0x8000d803);		/* VPD, read complete */
	px_put(0xd4, 4, 0x12345678);
	px_put(0xd8, 4, 0x03060013);		/* AF: TP, FLR */
	px_put(0xdc, 2, 0x0100);
}

static void identity(void)
{
	card();
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x00, 4), 0x731f1002);
	expect_eq(px_cfg_read(&px.fn, 0x08, 4), 0x030000c1);
	expect_eq(px_cfg_read(&px.fn, 0x2c, 4), 0x0b361002);
	expect_eq(px_cfg_read(&px.fn, 0x3c, 4), 0x00000100);
	px_cfg_write(&px.fn, 0x00, 4, 0);
	px_cfg_write(&px.fn, 0x08, 4, 0);
	px_cfg_write(&px.fn, 0x2c, 4, 0);
	expect_eq(px_cfg_read(&px.fn, 0x00, 4), 0x731f1002);
	expect_eq(px_cfg_read(&px.fn, 0x2c, 4), 0x0b361002);
	expect_eq(px.hw_writes, 0);
}

static void command_is_virtual(void)
{
	card();
	px_build();
	/* Decoding is on in the device, and off for the guest. */
	expect_eq(px_cfg_read(&px.fn, 0x04, 2), 0);
	px_cfg_write(&px.fn, 0x04, 2, 0x0406);
	expect_eq(px_cfg_read(&px.fn, 0x04, 2), 0x0406);
	expect_eq(px.hooks[PVM_PASS_HOOK_COMMAND], 1);
	expect_eq(px_get(0x04, 2), 0x0006);
	px_cfg_write(&px.fn, 0x06, 2, 0xffff);
	expect_eq(px.hw_writes, 0);
}

static void bars_size_without_the_device(void)
{
	card();
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x10, 4), 0xc);
	px_cfg_write(&px.fn, 0x10, 4, ~0u);
	px_cfg_write(&px.fn, 0x14, 4, ~0u);
	expect_eq(px_cfg_read(&px.fn, 0x10, 4), 0xf000000c);
	expect_eq(px_cfg_read(&px.fn, 0x14, 4), 0xffffffff);
	px_cfg_write(&px.fn, 0x18, 4, ~0u);
	expect_eq(px_cfg_read(&px.fn, 0x18, 4), 0xffff0000);
	expect_eq(px_cfg_read(&px.fn, 0x30, 4), 0);
	expect_eq(px_get(0x10, 4), 0xe000000c);
	expect_eq(px.hw_writes, 0);
}

static void capabilities_keep_their_places(void)
{
	static const u8 want[][2] = { { 0x48, 0x09 }, { 0x50, 0x01 }, { 0x64, 0x10 },
		{ 0xa0, 0x05 }, { 0xc0, 0x11 }, { 0xd0, 0x03 }, { 0xd8, 0x13 } };
	u32 at, i;

	card();
	px_build();
	at = px_cfg_read(&px.fn, 0x34, 1);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		expect_eq(at, want[i][0]);
		expect_eq(px_cfg_read(&px.fn, at, 1), want[i][1]);
		at = px_cfg_read(&px.fn, at + 1, 1);
	}
	expect_eq(at, 0);
	expect(px_cfg_read(&px.fn, 0x06, 2) & PVM_PCI_STATUS_CAPS);
	expect_eq(px.fn.msi.cap, 0xa0);
	expect_eq(px.fn.msix.cap, 0xc0);
	expect_eq(px.fn.msix.vectors, 32);
	expect_eq(px.fn.msix.table_off, 0x2000);
}

static void power_states_stay_virtual(void)
{
	card();
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x52, 2), 0x0003);	/* no PME, D1, D2 */
	expect_eq(px_cfg_read(&px.fn, 0x54, 2), 0x0008);	/* loses nothing in D3hot */
	px_cfg_write(&px.fn, 0x54, 2, 0x8103);
	expect_eq(px_cfg_read(&px.fn, 0x54, 2), 0x000b);
	px_cfg_write(&px.fn, 0x54, 2, 0);
	expect_eq(px_cfg_read(&px.fn, 0x54, 2), 0x0008);
	expect_eq(px.hw_writes, 0);
}

static void express_is_integrated(void)
{
	card();
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x66, 2) & 0xff, 0x92);
	expect_eq(px_cfg_read(&px.fn, 0x68, 4), 0x10008022);
	expect_eq(px_cfg_read(&px.fn, 0x70, 4), 0);		/* no link */
	expect_eq(px_cfg_read(&px.fn, 0x6e, 2), 0x0020);	/* pending, from the device */
	px_put(0x6e, 2, 0);
	expect_eq(px_cfg_read(&px.fn, 0x6e, 2), 0);
	/* The reset bit reads as zero and calls the hook, alone or in a wider write. */
	px_cfg_write(&px.fn, 0x6c, 2, 0xffff);
	expect_eq(px_cfg_read(&px.fn, 0x6c, 2), 0x7eff);
	expect_eq(px.hooks[PVM_PASS_HOOK_FLR], 1);
	expect(px.hook_val & px.hook_mask & 0x8000);
	px_cfg_write(&px.fn, 0x6d, 1, 0x80);
	expect_eq(px.hooks[PVM_PASS_HOOK_FLR], 2);
	expect_eq(px.hook_val, 0x8000);
	expect_eq(px.hook_mask, 0xff00);
	expect_eq(px.hw_writes, 0);
}

static void resets_that_do_not_exist_are_not_shown(void)
{
	card();
	px.shape.flr = false;
	px.shape.af_flr = false;
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x68, 4) & 1u << 28, 0);
	expect_eq(px_cfg_read(&px.fn, 0xda, 2), 0x0006);
	card();
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0xda, 2), 0x0306);
	px_cfg_write(&px.fn, 0xdc, 1, 1);
	expect_eq(px.hooks[PVM_PASS_HOOK_AF_FLR], 1);
	expect_eq(px_cfg_read(&px.fn, 0xdc, 2), 0x0100);
}

static void vendor_bytes_go_through(void)
{
	card();
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x4c, 4), 0xcafe1234);
	px_cfg_write(&px.fn, 0x4c, 4, 0x55aa55aa);
	expect_eq(px_get(0x4c, 4), 0x55aa55aa);
	expect_eq(px.hw_writes, 1);
	/* Its header does not, not even by a write that spans both. */
	px_cfg_write(&px.fn, 0x48, 4, 0xffffffff);
	expect_eq(px_get(0x48, 4) & 0xffffff, 0x085009);
	expect_eq(px_get(0x4b, 1), 0xff);
	expect_eq(px_cfg_read(&px.fn, 0x48, 2), 0x5009);
}

static void vpd_reads_but_never_writes(void)
{
	card();
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0xd2, 2), 0x8000);
	expect_eq(px_cfg_read(&px.fn, 0xd4, 4), 0x12345678);
	px_cfg_write(&px.fn, 0xd4, 4, 0);
	px_cfg_write(&px.fn, 0xd2, 2, 0x8010);
	expect_eq(px.hooks[PVM_PASS_HOOK_VPD], 1);
	expect_eq(px.hw_writes, 0);
	expect_eq(px_get(0xd4, 4), 0x12345678);
}

static void gaps_are_read_only(void)
{
	card();
	px_put(0xf0, 4, 0x11223344);
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0xf0, 4), 0x11223344);
	px_put(0xf0, 4, 0x99887766);
	expect_eq(px_cfg_read(&px.fn, 0xf2, 2), 0x9988);
	px_cfg_write(&px.fn, 0xf0, 4, 0);
	expect_eq(px_get(0xf0, 4), 0x99887766);
	expect_eq(px.hw_writes, 0);
}

static void extended_list(void)
{
	card();
	px_put(0x100, 4, 0x14810001);		/* AER: hidden */
	px_put(0x148, 4, 0x15010003);		/* serial number */
	px_put(0x14c, 4, 0x11111111);
	px_put(0x150, 4, 0x20010010);		/* SR-IOV: hidden (overlaps nothing of ours) */
	px_put(0x200, 4, 0x27010015);		/* ReBAR: one BAR of 256 MiB, up to 8 GiB */
	px_put(0x204, 4, 0x0003f000);
	px_put(0x208, 4, 0x00000820);
	px_put(0x270, 4, 0x0001000f);		/* ATS: hidden */
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x100, 4), 0x14800000);
	expect_eq(px_cfg_read(&px.fn, 0x104, 4), 0);
	expect_eq(px_cfg_read(&px.fn, 0x148, 4), 0x20010003);
	expect_eq(px_cfg_read(&px.fn, 0x14c, 4), 0x11111111);
	expect_eq(px_cfg_read(&px.fn, 0x200, 4), 0x00010015);
	expect_eq(px_cfg_read(&px.fn, 0x204, 4), 1u << 12);	/* 256 MiB only */
	px_cfg_write(&px.fn, 0x208, 4, 0x00000d20);
	expect_eq(px_cfg_read(&px.fn, 0x208, 4), 0x00000820);
	expect_eq(px_cfg_read(&px.fn, 0x270, 4), 0);
	expect_eq(px.hw_writes, 0);
}

static void broken_lists_end(void)
{
	u32 i;

	/* A loop. */
	px_start();
	px_put(0x48, 4, 0x00084809);
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x34, 1), 0x48);
	expect_eq(px_cfg_read(&px.fn, 0x49, 1), 0);

	/* Overlap: the second is not shown. */
	px_start();
	px_put(0x48, 4, 0x00205009);
	px_put(0x50, 4, 0x00030001);
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x49, 1), 0);

	/* Over the end. */
	px_start();
	px_put(0x34, 1, 0xfc);
	px_put(0xfc, 4, 0x00000010);
	px_build();
	expect_eq(px_cfg_read(&px.fn, 0x34, 1), 0);

	/* All ones. */
	px_start();
	memset(px.space, 0xff, sizeof(px.space));
	px_build();
	for (i = 0; i < PVM_PCI_CFG_BYTES; i += 4)
		px_cfg_write(&px.fn, i, 4, ~0u);

	/* MSI-X table that the BAR is too small for. */
	card();
	px.shape.bar[2].bytes = 0x1000;
	px_build();
	expect_eq(px.fn.msix.cap, 0);
	expect_eq(px.fn.msi.cap, 0xa0);
}

static void rows_are_sound(void)
{
	u32 i, k;

	for (i = 0; i < pvm_pass_rows_count; i++) {
		const struct pvm_pass_row *r = &pvm_pass_rows[i];
		bool known = r->cap == PVM_PASS_HEADER;

		expect_msg(r->cite && r->cite[0], "row %u has no source", i);
		expect_msg(!(r->through & ~r->live), "row %u writes what it does not read", i);
		expect_msg(!(r->write & (r->live | r->w1c)), "row %u: bits in two worlds", i);
		expect_msg(r->hook < PVM_PASS_HOOKS, "row %u", i);
		expect_msg(r->bytes <= 4 && (!r->bytes || r->off % r->bytes == 0), "row %u", i);
		for (k = 0; k < pvm_pass_caps_count; k++)
			known = known || pvm_pass_caps[k].cap == r->cap;
		expect_msg(known, "row %u belongs to no capability that is shown", i);
	}
}

static const struct ktap_test tests[] = {
	KTAP_TEST(identity),
	KTAP_TEST(command_is_virtual),
	KTAP_TEST(bars_size_without_the_device),
	KTAP_TEST(capabilities_keep_their_places),
	KTAP_TEST(power_states_stay_virtual),
	KTAP_TEST(express_is_integrated),
	KTAP_TEST(resets_that_do_not_exist_are_not_shown),
	KTAP_TEST(vendor_bytes_go_through),
	KTAP_TEST(vpd_reads_but_never_writes),
	KTAP_TEST(gaps_are_read_only),
	KTAP_TEST(extended_list),
	KTAP_TEST(broken_lists_end),
	KTAP_TEST(rows_are_sound),
};

KTAP_MAIN(tests)
