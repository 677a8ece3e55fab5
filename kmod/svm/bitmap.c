// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSR permission map.
 *
 * Two bits an MSR, the lower for reads and the higher for writes, in three
 * ranges of 8192 MSRs. A set bit exits.
 *
 * World:   pure
 * Context: any
 * Spec:    APM2 15.11 "MSR Intercepts"
 */
#include <pvm/env.h>
#include "svm/caps.h"

static const struct {
	u32 first, byte;
} pvm_svm_ranges[] = {
	{ 0x00000000, 0x0000 },
	{ 0xc0000000, 0x0800 },
	{ 0xc0010000, 0x1000 },
};

/* Bit number of @msr's read bit in the map, or -1. */
static s32 pvm_svm_msr_bit(u32 msr)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pvm_svm_ranges); i++) {
		u32 off = msr - pvm_svm_ranges[i].first;

		if (off < 8192)
			return pvm_svm_ranges[i].byte * 8 + off * 2;
	}
	return -1;
}

void pvm_svm_msrpm_init(u8 *map)
{
	memset(map, 0xff, PVM_SVM_MSRPM_BYTES);
}

bool pvm_svm_msrpm_allow(u8 *map, u32 msr, bool read, bool write)
{
	s32 bit = pvm_svm_msr_bit(msr);

	if (bit < 0)
		return false;
	if (read)
		map[bit / 8] &= ~(1u << (bit % 8));
	if (write)
		map[bit / 8] &= ~(2u << (bit % 8));
	return true;
}

bool pvm_svm_msrpm_test(const u8 *map, u32 msr, bool write)
{
	s32 bit = pvm_svm_msr_bit(msr);

	return bit < 0 || map[bit / 8] >> (bit % 8 + write) & 1;
}

/* VMLOAD and VMSAVE, or VMRUN itself, switch these. */
static const u32 pvm_svm_switched[] = {
	0x174, 0x175, 0x176,		/* SYSENTER_CS, ESP, EIP */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,	/* STAR, LSTAR, CSTAR, SFMASK */
	0xc0000100, 0xc0000101, 0xc0000102,	/* FS_BASE, GS_BASE, KERNEL_GS_BASE */
};

void pvm_svm_msrpm_policy(u8 *map, const struct pvm_svm_features *f)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pvm_svm_switched); i++)
		pvm_svm_msrpm_allow(map, pvm_svm_switched[i], true, true);
	if (f->v_spec_ctrl)
		pvm_svm_msrpm_allow(map, 0x48, true, true);
}
