/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SVM instructions for C; VMRUN itself is in enter.S.
 *
 * World:   kernel
 * Context: IRQs off, SVM on
 * Spec:    APM3 "CLGI", "STGI", "VMSAVE"
 */
#ifndef PVM_SVM_INSN_H
#define PVM_SVM_INSN_H

#include <linux/types.h>
#include <asm/asm.h>

/* Each survives that SVM was switched off behind our back (reboot, crash): #UD is skipped. */
static __always_inline void pvm_svm_clgi(void)
{
	asm volatile("1: clgi\n2:" _ASM_EXTABLE(1b, 2b) : : : "memory");
}

static __always_inline void pvm_svm_stgi(void)
{
	asm volatile("1: stgi\n2:" _ASM_EXTABLE(1b, 2b) : : : "memory");
}

static __always_inline void pvm_svm_vmsave(u64 hpa)
{
	asm volatile("1: vmsave %%rax\n2:" _ASM_EXTABLE(1b, 2b) : : "a" (hpa) : "memory");
}

#endif /* PVM_SVM_INSN_H */
