/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an SVM processor can do, and the intercept words made from it.
 *
 * Pure: CPUID and MSR values come in as numbers, so that the rules are tested
 * for processors that nobody here has.
 *
 * World:   pure
 * Context: any
 * Spec:    APM3 "Function 8000_000Ah"; APM2 15.9, 15.10, 15.11
 */
#ifndef PVM_SVM_CAPS_H
#define PVM_SVM_CAPS_H

#include <pvm/env.h>

#define PVM_SVM_VM_CR_SVMDIS	BIT_ULL(4)

struct pvm_svm_raw {
	u32 ext1_ecx;		/* 8000_0001 ECX: bit 2 SVM */
	u32 leaf_a_ebx;		/* 8000_000A EBX: number of ASIDs */
	u32 leaf_a_edx;
	u32 ext8_eax;		/* 8000_0008 EAX: address sizes */
	u32 ext1_edx;		/* bit 26: 1 GiB pages */
	u64 vm_cr;
};

struct pvm_svm_features {
	bool npt, next_rip, flush_by_asid, decode_assist, pause_filter, pause_threshold;
	bool vmcb_clean, v_spec_ctrl, giant_pages;
	u32 asids;
	u32 phys_bits;
};

/* First reason for which the processor cannot be used, or NULL; fills @f. */
const char *pvm_svm_caps(const struct pvm_svm_raw *raw, struct pvm_svm_features *f);

#define PVM_SVM_INTERCEPT_WORDS	5

/* The five intercept words, as the VMCB orders them. */
void pvm_svm_controls(const struct pvm_svm_features *f, bool pause_exits,
		      u32 words[PVM_SVM_INTERCEPT_WORDS]);

/* bitmap.c: MSR permission map (8 KiB) and I/O permission map (12 KiB). */
#define PVM_SVM_MSRPM_BYTES	8192
#define PVM_SVM_IOPM_BYTES	12288

void pvm_svm_msrpm_init(u8 *map);	/* all intercepted */
/* False where the map has no bits for @msr. */
bool pvm_svm_msrpm_allow(u8 *map, u32 msr, bool read, bool write);
bool pvm_svm_msrpm_test(const u8 *map, u32 msr, bool write);	/* true: exits */
/* Gives the guest the MSRs that the VMCB switches. */
void pvm_svm_msrpm_policy(u8 *map, const struct pvm_svm_features *f);

#endif /* PVM_SVM_CAPS_H */
