/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks that run when a debug build is loaded: what the host tests cannot
 * reach, because it is made of kernel. A failure refuses the load.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#ifndef PVM_TEST_H
#define PVM_TEST_H

#include <linux/printk.h>

/* Counts and prints an expectation that does not hold; goes on. */
#define pvm_expect(failures, cond)						\
do {										\
	if (!(cond)) {								\
		(failures)++;							\
		pr_err("passvm: %s:%d: expected %s\n", __func__, __LINE__, #cond);	\
	}									\
} while (0)

/* Each returns 0, or -EINVAL after it has printed what failed. */
int pvm_test_core(void);	/* bus, devices, guest memory */
int pvm_test_iommu(void);	/* IOMMU domains, over a mock back end */

#endif /* PVM_TEST_H */
