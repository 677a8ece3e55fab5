// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's IOMMU domains, and the Linux IOMMU API as the back end.
 *
 * Most machines need one domain for all devices of a guest. Where IOMMU units
 * differ (another vendor's, or one that cannot snoop), the core refuses a
 * foreign domain with -EINVAL, and the group gets one of its own.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/err.h>
#include <linux/slab.h>
#include "iommu/iommu.h"

/* --- the Linux back end --- */

static struct pvm_iommu_domain *linux_domain_new(struct pvm_iommu_group *g)
{
	struct pvm_iommu_domain *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	struct iommu_domain *domain;

	if (!d)
		return ERR_PTR(-ENOMEM);
	domain = iommu_paging_domain_alloc(&g->pdev->dev);
	if (IS_ERR(domain)) {
		kfree(d);
		return ERR_CAST(domain);
	}
	d->domain = domain;
	d->aperture_last_iova = domain->geometry.force_aperture ?
				domain->geometry.aperture_end : ~0ull;
	return d;
}

static void linux_domain_free(struct pvm_iommu_domain *d)
{
	iommu_domain_free(d->domain);
	kfree(d);
}

/*
 * Snooping is enforced after the first device is there, which decides whether
 * it can be, and before anything is mapped, since it changes the entries.
 */
static int linux_attach(struct pvm_iommu_domain *d, struct pvm_iommu_group *g)
{
	const struct iommu_domain_ops *ops = d->domain->ops;
	int err = iommu_attach_group(d->domain, g->group);

	if (!err && !d->groups && ops->enforce_cache_coherency)
		d->coherent = ops->enforce_cache_coherency(d->domain);
	return err;
}

/* The group is still claimed, so it falls back to the domain that blocks. */
static void linux_detach(struct pvm_iommu_domain *d, struct pvm_iommu_group *g)
{
	iommu_detach_group(d->domain, g->group);
}

const struct pvm_iommu_be pvm_iommu_linux = {
	.name		= "linux",
	.domain_new	= linux_domain_new,
	.domain_free	= linux_domain_free,
	.attach		= linux_attach,
	.detach		= linux_detach,
	.map		= pvm_iommu_linux_map,
	.unmap		= pvm_iommu_linux_unmap,
};

/* --- a guest's view --- */

int pvm_iommu_new_be(const struct pvm_iommu_be *be, struct pvm_mem *mem, pvm_iommu_fault_fn fault,
		     void *ctx, struct pvm_iommu **out, struct pvm_why *why)
{
	struct pvm_iommu *io = kzalloc(sizeof(*io), GFP_KERNEL_ACCOUNT);

	if (!io)
		return pvm_fail(why, -ENOMEM, "out of memory");
	io->mem = mem;
	io->be = be;
	INIT_LIST_HEAD(&io->domains);
	io->fault = fault;
	io->fault_ctx = ctx;
	if (pvm_iommu_faults_new(io)) {
		kfree(io);
		return pvm_fail(why, -ENOMEM, "out of memory");
	}
	*out = io;
	return 0;
}

int pvm_iommu_new(struct pvm_mem *mem, pvm_iommu_fault_fn fault, void *ctx,
		  struct pvm_iommu **io, struct pvm_why *why)
{
	return pvm_iommu_new_be(&pvm_iommu_linux, mem, fault, ctx, io, why);
}

void pvm_iommu_free(struct pvm_iommu *io)
{
	if (!io)
		return;
	WARN_ON_ONCE(!list_empty(&io->domains));
	pvm_iommu_faults_free(io);
	kfree(io);
}

/* A new domain with @g in it and all of the guest's memory mapped. */
static int domain_make(struct pvm_iommu *io, struct pvm_iommu_group *g, struct pvm_why *why)
{
	struct pvm_iommu_domain *d = io->be->domain_new(g);
	int err;

	if (IS_ERR(d))
		return pvm_fail(why, PTR_ERR(d), "the IOMMU of %s gives no domain (error %ld)",
				pvm_iommu_group_name(g), PTR_ERR(d));
	d->be = io->be;
	d->io = io;
	if (d->domain)		/* none behind a mock */
		pvm_iommu_faults_watch(d);
	pvm_iommu_listener_init(d);
	err = io->be->attach(d, g);
	if (err) {
		pvm_why_set(why, "the IOMMU refuses to translate for %s (error %d)",
			    pvm_iommu_group_name(g), err);
		goto err_free;
	}
	err = pvm_mem_listen(io->mem, &d->listener);
	if (err) {
		pvm_why_set(why, "the guest's memory cannot be mapped for %s (error %d)",
			    pvm_iommu_group_name(g), err);
		goto err_detach;
	}
	d->groups = 1;
	list_add_tail(&d->node, &io->domains);
	g->domain = d;
	return 0;

err_detach:
	io->be->detach(d, g);
err_free:
	io->be->domain_free(d);
	return err;
}

/* Attaches @g to a domain that there is, or to a new one. */
static int domain_join(struct pvm_iommu *io, struct pvm_iommu_group *g, struct pvm_why *why)
{
	struct pvm_iommu_domain *d;
	int err;

	list_for_each_entry(d, &io->domains, node) {
		err = d->be->attach(d, g);
		if (!err) {
			d->groups++;
			g->domain = d;
			return 0;
		}
		if (err != -EINVAL)
			return pvm_fail(why, err,
					"the IOMMU refuses to translate for %s (error %d)",
					pvm_iommu_group_name(g), err);
	}
	return domain_make(io, g, why);
}

static void domain_leave(struct pvm_iommu *io, struct pvm_iommu_group *g)
{
	struct pvm_iommu_domain *d = g->domain;

	d->be->detach(d, g);
	g->domain = NULL;
	if (--d->groups)
		return;
	list_del(&d->node);
	pvm_mem_unlisten(io->mem, &d->listener);
	d->be->domain_free(d);
}

static int domain_attach_locked(struct pvm_iommu *io, struct pvm_iommu_group *g, u32 flags,
				struct pvm_why *why)
{
	int err;

	lockdep_assert_held(&pvm_iommu_lock);
	if (g->io && g->io != io)
		return pvm_fail(why, -EBUSY, "%s shares its IOMMU group with a device of another VM",
				pvm_iommu_group_name(g));
	if (g->io) {
		g->attaches++;
		return 0;
	}
	if (g->group) {
		err = pvm_iommu_isolation_check(g->group, &g->pdev->dev, flags, why);
		if (err)
			return err;
	}
	err = pvm_iommu_reserved_check(g, io->mem, why);
	if (err)
		return err;
	if (pvm_iommu_faults_add(io, g))
		return pvm_fail(why, -ENOMEM, "out of memory");
	err = domain_join(io, g, why);
	if (err) {
		pvm_iommu_faults_del(io, g);
		return err;
	}
	g->io = io;
	g->attaches = 1;
	return 0;
}

int pvm_iommu_attach(struct pvm_iommu *io, struct pvm_iommu_group *g, u32 flags,
		     struct pvm_why *why)
{
	int err;

	mutex_lock(&pvm_iommu_lock);
	err = domain_attach_locked(io, g, flags, why);
	mutex_unlock(&pvm_iommu_lock);
	return err;
}

void pvm_iommu_detach(struct pvm_iommu *io, struct pvm_iommu_group *g)
{
	mutex_lock(&pvm_iommu_lock);
	if (!WARN_ON_ONCE(g->io != io) && !--g->attaches) {
		domain_leave(io, g);
		g->io = NULL;
		pvm_iommu_faults_del(io, g);
	}
	mutex_unlock(&pvm_iommu_lock);
}

bool pvm_iommu_coherent(struct pvm_iommu *io)
{
	struct pvm_iommu_domain *d;
	bool coherent = true;

	mutex_lock(&pvm_iommu_lock);
	list_for_each_entry(d, &io->domains, node)
		coherent &= d->coherent;
	mutex_unlock(&pvm_iommu_lock);
	return coherent;
}
