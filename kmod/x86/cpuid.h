/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What cpuid.c and cpuid_table.c share.
 *
 * World:   pure
 * Context: any
 */
#ifndef PVM_X86_CPUID_H
#define PVM_X86_CPUID_H

#include "x86/x86.h"

/* The guest reads (host & mask) | set; rows of one register add up. */
struct pvm_cpuid_row {
	u32 leaf, subleaf;
	u8 reg;			/* 0..3: EAX, EBX, ECX, EDX */
	u8 vendor;		/* 0 all, 'I' Intel, 'A' AMD and Hygon */
	u32 mask, set;
	const char *cite;
};

extern const struct pvm_cpuid_row pvm_cpuid_table[];
extern const u32 pvm_cpuid_rows;

/* SDM1 "Enabling the XSAVE Feature Set and XSAVE-Enabled Features" */
#define PVM_XCR0_X87	BIT_ULL(0)
#define PVM_XCR0_SSE	BIT_ULL(1)
#define PVM_XCR0_AVX	BIT_ULL(2)
#define PVM_XCR0_AVX512	(7ull << 5)
#define PVM_XCR0_PKRU	BIT_ULL(9)
#define PVM_XCR0_ALL	(PVM_XCR0_X87 | PVM_XCR0_SSE | PVM_XCR0_AVX | PVM_XCR0_AVX512 | \
			 PVM_XCR0_PKRU)

struct pvm_cpuid_need {
	u64 xcr0;
	u32 leaf, subleaf;
	u8 reg;
	u32 clear;
};

extern const struct pvm_cpuid_need pvm_cpuid_needs[];
extern const u32 pvm_cpuid_need_rows;

#endif /* PVM_X86_CPUID_H */
