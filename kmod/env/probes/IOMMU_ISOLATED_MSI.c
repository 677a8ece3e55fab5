// SPDX-License-Identifier: GPL-2.0-only
/* 6.3: interrupt isolation is asked by group. */
#include <linux/iommu.h>

bool pvm_probe(struct iommu_group *group);

bool pvm_probe(struct iommu_group *group)
{
	return iommu_group_has_isolated_msi(group);
}
