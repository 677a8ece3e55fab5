// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filled vendor contract.
 *
 * World:   kernel
 * Context: as cpu/ops.h says
 */
#include "svm/defs.h"

const struct pvm_cpu_ops pvm_svm_ops = {
	.name		= "svm",
	.spt_fmt	= &pvm_spt_npt_fmt,
	.probe		= pvm_svm_probe,
	.hw_init	= pvm_svm_hw_init,
	.hw_exit	= pvm_svm_hw_exit,
	.cpu_on		= pvm_svm_cpu_on,
	.cpu_off	= pvm_svm_cpu_off,
	.cpu_is_on	= pvm_svm_cpu_is_on,
	.vcpu_init	= pvm_svm_vcpu_init,
	.vcpu_fini	= pvm_svm_vcpu_fini,
	.vcpu_reset	= pvm_svm_vcpu_reset,
	.load		= pvm_svm_load,
	.put		= pvm_svm_put,
	.enter		= pvm_svm_enter,
	.decode		= pvm_svm_decode,
	.regs_get	= pvm_svm_regs_get,
	.regs_set	= pvm_svm_regs_set,
	.msr_get	= pvm_svm_msr_get,
	.msr_set	= pvm_svm_msr_set,
	.inject		= pvm_svm_inject,
	.can_take	= pvm_svm_can_take,
	.window		= pvm_svm_window,
	.tsc_offset	= pvm_svm_tsc_offset,
	.flush		= pvm_svm_flush,
};
