// SPDX-License-Identifier: GPL-2.0-only
/* 6.3: vm_flags are changed by accessors. */
#include <linux/mm.h>

void pvm_probe(struct vm_area_struct *vma);

void pvm_probe(struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_DONTEXPAND);
}
