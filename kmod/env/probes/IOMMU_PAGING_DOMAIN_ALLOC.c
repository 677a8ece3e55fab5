// SPDX-License-Identifier: GPL-2.0-only
/* 6.11: domains are made for a device. */
#include <linux/iommu.h>

struct iommu_domain *pvm_probe(struct device *dev);

struct iommu_domain *pvm_probe(struct device *dev)
{
	return iommu_paging_domain_alloc(dev);
}
