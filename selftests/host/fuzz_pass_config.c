// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mediated configuration space over any device and any accesses.
 *
 * The input is the device's configuration space (256 bytes of it, and up to 64
 * bytes at 100h), then accesses of 4 bytes each: offset, width, value. Checked:
 * values fit their access, the device is only written in the bodies of vendor
 * capabilities (never header, BARs, MSI, MSI-X), identity stays, hooks are known.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "pass_fixture.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

#define DEVICE_BYTES	256
#define EXT_BYTES	64
#define EXT_START	0x100

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void access_one(const u8 *d)
{
	static const u8 widths[] = { 1, 2, 4, 4 };
	u32 width = widths[d[0] & 3], off, val, writes = px.hw_writes, ids = px_get(0, 4);

	off = (get_unaligned_le16(d) >> 2 & 0xfff) & ~(width - 1);
	if (off >= 0x200)
		off &= 0x1ff & ~(width - 1);
	if (d[3] & 1) {
		val = px_cfg_read(&px.fn, off, width);
		check(width == 4 || !(val >> (width * 8)));
	} else {
		px_cfg_write(&px.fn, off, width, (u32)d[2] * 0x01010101u ^ d[3]);
		if (px.hw_writes != writes)
			check(px.hw_off >= PVM_PCI_CFG_CAPS && px.hw_off < EXT_START);
		check(px_get(0, 4) == ids);
	}
	check(px_cfg_read(&px.fn, PVM_PCI_VENDOR_ID, 4) == ids);
}

/* No bit that reaches the device lies in what the virtual functions emulate. */
static void check_masks(void)
{
	u32 i;

	for (i = 0; i < PVM_PCI_CFG_BYTES; i++) {
		check(!(px.view.through[i] & ~px.view.live[i]));
		check(!(px.view.live[i] & px.view.cfg.write_mask[i]));
		check(i >= PVM_PCI_CFG_CAPS || !px.view.through[i]);
	}
	for (i = 0; px.fn.msi.cap && i < 10; i++)
		check(!px.view.live[px.fn.msi.cap + i]);
	for (i = 0; px.fn.msix.cap && i < 12; i++)
		check(!px.view.live[px.fn.msix.cap + i]);
}

/* The lists that the guest walks end. */
static void check_lists(void)
{
	u32 at = px_cfg_read(&px.fn, PVM_PCI_CAP_PTR, 1), n;

	for (n = 0; at; n++) {
		check(n < 48 && at >= PVM_PCI_CFG_CAPS && !(at & 3));
		at = px_cfg_read(&px.fn, at + 1, 1);
	}
	for (n = 0, at = EXT_START; at; n++) {
		check(n < 480 && at >= EXT_START && !(at & 3));
		at = px_cfg_read(&px.fn, at, 4) >> 20;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	u32 ext;

	if (bytes < DEVICE_BYTES + 1)
		return 0;
	px_start();
	memcpy(px.space, data, DEVICE_BYTES);
	px.shape.flr = data[DEVICE_BYTES] & 1;
	px.shape.af_flr = data[DEVICE_BYTES] & 2;
	px.shape.intx = data[DEVICE_BYTES] & 4;
	px.shape.msix_vectors = data[DEVICE_BYTES] & 8 ? PX_MSIX_MAX : 0;
	px.space_bytes = data[DEVICE_BYTES] & 16 ? PVM_PCI_CFG_BYTES : 256;
	data += DEVICE_BYTES + 1;
	bytes -= DEVICE_BYTES + 1;
	ext = min_t(size_t, bytes, EXT_BYTES);
	memcpy(px.space + EXT_START, data, ext);
	data += ext;
	bytes -= ext;
	px_build();
	check_masks();
	check_lists();
	for (; bytes >= 4; data += 4, bytes -= 4)
		access_one(data);
	pvm_pci_cfg_reset(&px.fn);
	check_lists();
	return 0;
}
