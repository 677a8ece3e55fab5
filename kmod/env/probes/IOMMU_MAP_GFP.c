// SPDX-License-Identifier: GPL-2.0-only
/* 6.3: iommu_map() has a gfp argument. */
#include <linux/iommu.h>

int pvm_probe(struct iommu_domain *d);

int pvm_probe(struct iommu_domain *d)
{
	return iommu_map(d, 0, 0, PAGE_SIZE, IOMMU_READ, GFP_KERNEL);
}
