/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A board and its firmware tables, for test_acpi.c, test_smbios.c, test_e820.c.
 *
 * World:   host tests
 * Context: single-threaded
 */
#ifndef PVM_FW_SAMPLE_H
#define PVM_FW_SAMPLE_H

#include <pvm/env.h>
#include "fw/build.h"
#include "ktap.h"

static const struct pvm_fw_board fw_board = {
	.cpus = 4,
	.apic_id = { 0, 1, 2, 3 },
	.ioapic_id = 0,
	.flags = PVM_FW_HPET | PVM_FW_RTC | PVM_FW_I8042 | PVM_FW_UART | PVM_FW_VGA,
	.low_ram_bytes = 0x80000000,
	.high_ram_bytes = 0x80000000,
	.mem32 = { { 0x80000000, 0x60000000 }, { 0xf0000000, 0xec00000 } },
	.mem64 = { 0x4000000000, 0x4000000000 },
	.ecam_gpa = 0xe0000000,
	.uuid = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
		  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff },
	.cpu_signature = 0x00a00f11,
	.cpu_features = 0x178bfbff,
};

static u8 fw_data[PVM_FW_ROOM_BYTES];
static struct pvm_fw_image fw_img;

/* Where @gpa lies in fw_data, or NULL when no piece holds @bytes there. */
static inline u8 *fw_at(u64 gpa, u32 bytes)
{
	u32 i;

	for (i = 0; i < PVM_FW_PIECES; i++) {
		const struct pvm_fw_piece *p = &fw_img.piece[i];

		if (gpa >= p->gpa && gpa - p->gpa + bytes <= p->bytes)
			return fw_data + p->offset + (gpa - p->gpa);
	}
	return NULL;
}

static inline int fw_make(const struct pvm_fw_board *b)
{
	memset(fw_data, 0xee, sizeof(fw_data));
	memset(&fw_img, 0, sizeof(fw_img));
	fw_img.data = fw_data;
	fw_img.room_bytes = sizeof(fw_data);
	return pvm_fw_build(b, &fw_img);
}

#endif /* PVM_FW_SAMPLE_H */
