// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU groups: may they be passed through, and who owns their DMA.
 *
 * A group is viable when nobody but us drives any device in it. The IOMMU core
 * enforces that from the claim on: it lets no other driver bind until the
 * release. What it does not know is what we check here: that interrupts are
 * remapped, that DMA is coherent, and that the firmware does not want regions
 * of memory to stay mapped for the device.
 *
 * Tour 8.3: may it be isolated
 * Three questions (remapped interrupts, coherent DMA, no region the firmware wants) and
 * who owns the group's DMA.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/slab.h>
#include "iommu/iommu.h"

DEFINE_MUTEX(pvm_iommu_lock);
static LIST_HEAD(group_claimed);	/* under pvm_iommu_lock */

/* --- checks --- */

/* The entries are copies that the caller owns. */
static void group_resv_free(struct list_head *regions)
{
	struct iommu_resv_region *r, *next;

	list_for_each_entry_safe(r, next, regions, list) {
		list_del(&r->list);
		kfree(r);
	}
}

/*
 * A direct region is memory that the firmware uses through the device and that
 * has to stay mapped one to one, which would be a hole in the isolation.
 * Relaxable ones (USB keyboards, graphics stolen memory) matter only at boot.
 */
static int group_direct_check(struct iommu_group *group, struct device *dev, struct pvm_why *why)
{
	struct iommu_resv_region *r;
	LIST_HEAD(regions);
	int err;

	err = iommu_get_group_resv_regions(group, &regions);
	list_for_each_entry(r, &regions, list) {
		if (r->type != IOMMU_RESV_DIRECT)
			continue;
		err = pvm_fail(why, -EOPNOTSUPP,
			       "the firmware reserves memory at 0x%llx for %s, which then cannot be isolated",
			       (u64)r->start, dev_name(dev));
		break;
	}
	group_resv_free(&regions);
	return err;
}

int pvm_iommu_isolation_check(struct iommu_group *group, struct device *dev, u32 flags,
			      struct pvm_why *why)
{
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return pvm_fail(why, -EOPNOTSUPP,
				"the IOMMU of %s does not keep DMA coherent with the caches",
				dev_name(dev));
	if (!(flags & PVM_IOMMU_UNSAFE_INTERRUPTS) && !iommu_group_has_isolated_msi(group))
		return pvm_fail(why, -EPERM,
				"interrupts of %s are not remapped, so a guest could forge the host's: boot without intremap=off, or set 'unsafe-interrupts = yes'",
				dev_name(dev));
	return group_direct_check(group, dev, why);
}

static struct iommu_group *group_get(struct pci_dev *pdev, struct pvm_why *why)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);

	if (!group)
		pvm_why_set(why,
			    "no IOMMU translates the DMA of %s: switch on AMD-Vi or VT-d in the firmware setup, on Intel also with intel_iommu=on",
			    pci_name(pdev));
	return group;
}

int pvm_iommu_check(struct pci_dev *pdev, u32 flags, struct pvm_why *why)
{
	struct iommu_group *group = group_get(pdev, why);
	int err;

	if (!group)
		return -ENODEV;
	err = pvm_iommu_isolation_check(group, &pdev->dev, flags, why);
	iommu_group_put(group);
	return err;
}

struct group_viable {
	const struct device_driver *ours;
	int id;
	struct pvm_why *why;
};

/* Bridges route; their driver does no DMA of its own that it would not tell the core of. */
static bool group_bridge(struct pci_dev *pdev, struct device_driver *drv)
{
	return pdev->hdr_type != PCI_HEADER_TYPE_NORMAL && to_pci_driver(drv)->driver_managed_dma;
}

static int group_viable_one(struct device *dev, void *ctx)
{
	struct group_viable *v = ctx;
	/* Without the device lock: a driver that comes later is the core's to refuse. */
	struct device_driver *drv = READ_ONCE(dev->driver);

	if (!drv || drv == v->ours)
		return 0;
	if (dev_is_pci(dev) && group_bridge(to_pci_dev(dev), drv))
		return 0;
	return pvm_fail(v->why, -EBUSY,
			"IOMMU group %d also holds %s, which the driver %s uses: claim both",
			v->id, dev_name(dev), drv->name);
}

static int group_viable(struct iommu_group *group, const struct device_driver *ours,
			struct pvm_why *why)
{
	struct group_viable v = { .ours = ours, .id = iommu_group_id(group), .why = why };

	return iommu_group_for_each_dev(group, &v, group_viable_one);
}

int pvm_iommu_group_check(struct pci_dev *pdev, const struct device_driver *ours,
			  struct pvm_why *why)
{
	struct iommu_group *group = group_get(pdev, why);
	int err;

	if (!group)
		return -ENODEV;
	err = group_viable(group, ours, why);
	iommu_group_put(group);
	return err;
}

int pvm_iommu_group_id(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	int id = -1;

	if (group) {
		id = iommu_group_id(group);
		iommu_group_put(group);
	}
	return id;
}

struct group_each {
	int (*fn)(struct pci_dev *pdev, void *ctx);
	void *ctx;
};

static int group_each_one(struct device *dev, void *ctx)
{
	struct group_each *e = ctx;

	return dev_is_pci(dev) ? e->fn(to_pci_dev(dev), e->ctx) : 0;
}

int pvm_iommu_group_each(struct pci_dev *pdev, int (*fn)(struct pci_dev *pdev, void *ctx),
			 void *ctx)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	struct group_each e = { fn, ctx };
	int ret;

	if (!group)
		return fn(pdev, ctx);
	ret = iommu_group_for_each_dev(group, &e, group_each_one);
	iommu_group_put(group);
	return ret;
}

/* Only memory that is there while devices are attached: RAM and ROM. */
static bool group_region_hits(struct pvm_mem *mem, const struct iommu_resv_region *r, u64 *gpa)
{
	bool hits = false;
	u32 i;

	down_read(&mem->lock);
	for (i = 0; i < mem->slots && !hits; i++) {
		const struct pvm_slot *s = &mem->slot[i];

		if (s->kind == PVM_SLOT_DEVICE)
			continue;
		hits = s->gpa < r->start + r->length && r->start < s->gpa + s->bytes;
		*gpa = max_t(u64, s->gpa, r->start);
	}
	up_read(&mem->lock);
	return hits;
}

int pvm_iommu_reserved_check(struct pvm_iommu_group *group, struct pvm_mem *mem,
			     struct pvm_why *why)
{
	struct iommu_resv_region *r;
	LIST_HEAD(regions);
	int err;
	u64 gpa;

	if (!group->group)
		return 0;
	err = iommu_get_group_resv_regions(group->group, &regions);
	list_for_each_entry(r, &regions, list) {
		if (err)
			break;
		if (r->type == IOMMU_RESV_DIRECT_RELAXABLE || r->type == IOMMU_RESV_SW_MSI)
			continue;
		if (group_region_hits(mem, r, &gpa))
			err = pvm_fail(why, -EINVAL,
				       "%s cannot reach the guest's memory at 0x%llx, which its IOMMU reserves",
				       pci_name(group->pdev), gpa);
	}
	group_resv_free(&regions);
	return err;
}

/* --- ownership --- */

static struct pvm_iommu_group *group_find(struct iommu_group *group)
{
	struct pvm_iommu_group *g;

	lockdep_assert_held(&pvm_iommu_lock);
	list_for_each_entry(g, &group_claimed, node)
		if (g->group == group)
			return g;
	return NULL;
}

/* Consumes the reference of @group on success. */
static int group_take(struct pci_dev *pdev, struct iommu_group *group,
		      struct pvm_iommu_group **out, struct pvm_why *why)
{
	struct pvm_iommu_group *g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);
	int err;

	if (!g)
		return pvm_fail(why, -ENOMEM, "out of memory");
	/* The core also moves the group from the host's domain to one that blocks all DMA. */
	err = iommu_group_claim_dma_owner(group, g);
	if (err) {
		pvm_why_set(why, "the kernel refuses IOMMU group %d of %s (error %d): another driver or VFIO uses it",
			    iommu_group_id(group), pci_name(pdev), err);
		kfree(g);
		return err;
	}
	g->group = group;
	g->pdev = pci_dev_get(pdev);
	list_add_tail(&g->node, &group_claimed);
	*out = g;
	return 0;
}

int pvm_iommu_claim(struct pci_dev *pdev, const struct device_driver *ours,
		    struct pvm_iommu_group **out, struct pvm_why *why)
{
	struct iommu_group *group = group_get(pdev, why);
	struct pvm_iommu_group *g;
	int err;

	if (!group)
		return -ENODEV;
	mutex_lock(&pvm_iommu_lock);
	err = group_viable(group, ours, why);
	if (err)
		goto out;
	g = group_find(group);
	if (!g) {
		err = group_take(pdev, group, &g, why);
		if (err)
			goto out;
		group = NULL;	/* its reference is g's */
	}
	g->claims++;
	*out = g;
out:
	mutex_unlock(&pvm_iommu_lock);
	if (group)
		iommu_group_put(group);
	return err;
}

void pvm_iommu_release(struct pvm_iommu_group *g)
{
	mutex_lock(&pvm_iommu_lock);
	if (--g->claims) {
		mutex_unlock(&pvm_iommu_lock);
		return;
	}
	WARN_ON_ONCE(g->io);	/* pass/ detaches before it releases */
	list_del(&g->node);
	mutex_unlock(&pvm_iommu_lock);

	iommu_group_release_dma_owner(g->group);
	iommu_group_put(g->group);
	pci_dev_put(g->pdev);
	kfree(g);
}
