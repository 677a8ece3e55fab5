// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module init and exit: one ordered table, nothing else.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/module.h>
#include "cpu/cpu.h"
#include "nl/nl.h"
#include "pass/pass.h"
#include "test/test.h"
#include "vm/vm.h"

static char *claim;
module_param(claim, charp, 0444);
MODULE_PARM_DESC(claim, "PCI devices to take at load: DEV[,DEV...], DEV = [0000:]01:00[.0], vendor:device or both joined by @");

static int pvm_pass_start(void)
{
	return pvm_pass_init(claim, pvm_nl_device_notify);
}

#ifdef PVM_DEBUG
static void pvm_nothing(void)
{
}
#endif

static const struct {
	int  (*init)(void);
	void (*exit)(void);
} pvm_parts[] = {
#ifdef PVM_DEBUG
	{ pvm_test_core,	pvm_nothing },
	{ pvm_test_iommu,	pvm_nothing },
#endif
	{ pvm_vcpu_init,	pvm_vcpu_exit },
	{ pvm_hw_init,		pvm_hw_exit },
	{ pvm_vms_init,		pvm_vms_exit },
	{ pvm_pass_start,	pvm_pass_exit },
	{ pvm_nl_init,		pvm_nl_exit },
};

static void pvm_undo(int parts)
{
	while (parts--)
		pvm_parts[parts].exit();
}

static int __init pvm_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(pvm_parts); i++) {
		err = pvm_parts[i].init();
		if (err) {
			pvm_undo(i);
			return err;
		}
	}
	return 0;
}

static void __exit pvm_exit(void)
{
	pvm_undo(ARRAY_SIZE(pvm_parts));
}

module_init(pvm_init);
module_exit(pvm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual machines with PCI devices of their own");
MODULE_AUTHOR("The passvm authors");
MODULE_VERSION("0.1");
