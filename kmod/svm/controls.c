// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intercept words from features and policy.
 *
 * World:   pure
 * Context: any
 * Spec:    APM2 appendix B, "VMCB Layout, Control Area"
 */
#include <pvm/env.h>
#include "svm/caps.h"

/* {word, bit, needs pause_exits}; why each is there. */
static const struct {
	u8 word, bit;
	bool pause;
} pvm_svm_intercepts[] = {
	{ 2, 1 },		/* #DB: NMI single step, and guest's own are handed on */
	{ 2, 17 },		/* #AC: an endless one must not hang the CPU */
	{ 2, 18 },		/* #MC: the host handles it */
	{ 3, 0 },		/* INTR */
	{ 3, 1 },		/* NMI */
	{ 3, 2 },		/* SMI */
	{ 3, 3 },		/* INIT */
	{ 3, 15 },		/* RDPMC */
	{ 3, 18 },		/* CPUID */
	{ 3, 22 },		/* INVD */
	{ 3, 23, true },	/* PAUSE */
	{ 3, 24 },		/* HLT */
	{ 3, 26 },		/* INVLPGA */
	{ 3, 27 },		/* IOIO_PROT */
	{ 3, 28 },		/* MSR_PROT */
	{ 3, 29 },		/* task switches */
	{ 3, 31 },		/* shutdown */
	{ 4, 0 },		/* VMRUN: must be set */
	{ 4, 1 },		/* VMMCALL */
	{ 4, 2 },		/* VMLOAD */
	{ 4, 3 },		/* VMSAVE */
	{ 4, 4 },		/* STGI */
	{ 4, 5 },		/* CLGI */
	{ 4, 6 },		/* SKINIT */
	{ 4, 9 },		/* WBINVD */
	{ 4, 10 },		/* MONITOR */
	{ 4, 11 },		/* MWAIT */
	{ 4, 12 },		/* MWAIT when armed */
	{ 4, 13 },		/* XSETBV */
};

#define PVM_SVM_CR4_WRITE	BIT(16 + 4)
#define PVM_SVM_DR_ALL		0x00ff00ffu	/* DR0-7, reads and writes */

void pvm_svm_controls(const struct pvm_svm_features *f, bool pause_exits,
		      u32 words[PVM_SVM_INTERCEPT_WORDS])
{
	u32 i;

	memset(words, 0, PVM_SVM_INTERCEPT_WORDS * sizeof(words[0]));
	words[0] = PVM_SVM_CR4_WRITE;
	words[1] = PVM_SVM_DR_ALL;
	for (i = 0; i < ARRAY_SIZE(pvm_svm_intercepts); i++) {
		if (pvm_svm_intercepts[i].pause && !pause_exits && !f->pause_filter)
			continue;
		words[pvm_svm_intercepts[i].word] |= BIT(pvm_svm_intercepts[i].bit);
	}
}
