// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory as devices see it: a mem listener over a domain.
 *
 * The runs that come in are as long as host memory is contiguous, so the IOMMU
 * core picks the largest pages that the hardware has. BARs of other devices
 * are left out: whether such accesses stay inside the isolation depends on
 * every switch on the way, and a guest may move a BAR over the addresses where
 * the hardware takes writes for interrupts.
 *
 * World:   kernel
 * Context: process, may sleep; mem->lock held
 */
#include "iommu/iommu.h"

/* APM3 and SDM3 agree: writes there are interrupts and never reach memory. */
#define MAP_MSI_BASE	0xfee00000ull
#define MAP_MSI_LAST	0xfeefffffull

int pvm_iommu_linux_map(struct pvm_iommu_domain *d, u64 iova, u64 hpa, u64 bytes, u32 prot)
{
	int flags = IOMMU_CACHE;

	if (prot & PVM_PROT_READ)
		flags |= IOMMU_READ;
	if (prot & PVM_PROT_WRITE)
		flags |= IOMMU_WRITE;
	if (iova + (bytes - 1) > d->aperture_last_iova)
		return -ERANGE;
	/* On error the core takes back what it has mapped of the range. */
	return iommu_map(d->domain, iova, hpa, bytes, flags, GFP_KERNEL_ACCOUNT);
}

void pvm_iommu_linux_unmap(struct pvm_iommu_domain *d, u64 iova, u64 bytes)
{
	size_t done = iommu_unmap(d->domain, iova, bytes);

	WARN_ON_ONCE(done < bytes);
}

static int map_map(struct pvm_mem_listener *l, u64 gpa, u64 hpa, u64 bytes, u32 prot)
{
	struct pvm_iommu_domain *d = container_of(l, struct pvm_iommu_domain, listener);

	if (prot & PVM_PROT_DEVICE)
		return 0;
	if (gpa <= MAP_MSI_LAST && gpa + bytes > MAP_MSI_BASE)
		return -EINVAL;
	return d->be->map(d, gpa, hpa, bytes, prot);
}

/* Runs of RAM are still in the frame table when they are unmapped; a BAR never is. */
static void map_unmap(struct pvm_mem_listener *l, u64 gpa, u64 bytes)
{
	struct pvm_iommu_domain *d = container_of(l, struct pvm_iommu_domain, listener);

	if (pvm_mem_ptr(d->io->mem, gpa, 1))
		d->be->unmap(d, gpa, bytes);
}

void pvm_iommu_listener_init(struct pvm_iommu_domain *d)
{
	d->listener.map = map_map;
	d->listener.unmap = map_unmap;
}
