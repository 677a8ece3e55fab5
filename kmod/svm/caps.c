// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID and MSR values in, SVM feature struct out.
 *
 * World:   pure
 * Context: any
 * Spec:    APM3 "Function 8000_000Ah SVM Features"
 */
#include <pvm/env.h>
#include "svm/caps.h"

const char *pvm_svm_caps(const struct pvm_svm_raw *raw, struct pvm_svm_features *f)
{
	u32 d = raw->leaf_a_edx;

	memset(f, 0, sizeof(*f));
	f->npt = d & BIT(0);
	f->next_rip = d & BIT(3);
	f->vmcb_clean = d & BIT(5);
	f->flush_by_asid = d & BIT(6);
	f->decode_assist = d & BIT(7);
	f->pause_filter = d & BIT(10);
	f->pause_threshold = d & BIT(12);
	f->v_spec_ctrl = d & BIT(20);
	f->giant_pages = raw->ext1_edx & BIT(26);
	f->asids = raw->leaf_a_ebx;
	f->phys_bits = clamp(raw->ext8_eax & 0xff, 36u, 52u);

	if (!(raw->ext1_ecx & BIT(2)))
		return "the processor has no SVM: switch it on in the firmware setup";
	if (raw->vm_cr & PVM_SVM_VM_CR_SVMDIS)
		return "SVM is switched off by the firmware: enable SVM (AMD-V) in its setup";
	if (!f->npt)
		return "the processor has no nested paging, which passvm needs";
	if (f->asids < 2)
		return "the processor offers no address-space identifiers to guests";
	return NULL;
}
