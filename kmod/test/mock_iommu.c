// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOMMU back end that checks instead of maps, and the test that uses it.
 *
 * The mock has two kinds of hardware: a group of one kind cannot use a domain
 * of the other. It keeps a list of what is mapped and complains when a map
 * overlaps, when an unmap is not made of whole maps, and when a domain goes with
 * anything mapped or attached.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "iommu/iommu.h"
#include "test/test.h"

struct mock_range {
	struct list_head node;
	u64 iova, hpa, bytes;
	u32 prot;
};

struct mock_domain {
	struct pvm_iommu_domain d;
	struct list_head ranges;
	u32 kind, attached;
};

struct mock_group {
	struct pvm_iommu_group g;
	u32 kind;
	struct mock_domain *in;
};

/* What has gone wrong so far, and how many calls of each sort still succeed (-1: all). */
static struct {
	int failures;
	u32 domains;
	int maps_left, attaches_left;
} mock;

static struct mock_domain *mock_domain(struct pvm_iommu_domain *d)
{
	return container_of(d, struct mock_domain, d);
}

static struct mock_group *mock_group(struct pvm_iommu_group *g)
{
	return container_of(g, struct mock_group, g);
}

static bool mock_out_of(int *left)
{
	if (*left > 0)
		(*left)--;
	else if (!*left)
		return true;
	return false;
}

static struct pvm_iommu_domain *mock_new(struct pvm_iommu_group *g)
{
	struct mock_domain *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&m->ranges);
	m->kind = mock_group(g)->kind;
	m->d.coherent = !m->kind;
	mock.domains++;
	return &m->d;
}

static void mock_free(struct pvm_iommu_domain *d)
{
	struct mock_domain *m = mock_domain(d);

	pvm_expect(mock.failures, !m->attached);
	pvm_expect(mock.failures, list_empty(&m->ranges));
	mock.domains--;
	kfree(m);
}

static int mock_attach(struct pvm_iommu_domain *d, struct pvm_iommu_group *g)
{
	struct mock_domain *m = mock_domain(d);

	pvm_expect(mock.failures, !mock_group(g)->in);
	if (m->kind != mock_group(g)->kind)
		return -EINVAL;
	if (mock_out_of(&mock.attaches_left))
		return -EBUSY;
	mock_group(g)->in = m;
	m->attached++;
	return 0;
}

static void mock_detach(struct pvm_iommu_domain *d, struct pvm_iommu_group *g)
{
	pvm_expect(mock.failures, mock_group(g)->in == mock_domain(d));
	mock_group(g)->in = NULL;
	mock_domain(d)->attached--;
}

static int mock_map(struct pvm_iommu_domain *d, u64 iova, u64 hpa, u64 bytes, u32 prot)
{
	struct mock_domain *m = mock_domain(d);
	struct mock_range *r;

	pvm_expect(mock.failures, bytes && !((iova | hpa | bytes) & ~PVM_PAGE_MASK));
	list_for_each_entry(r, &m->ranges, node)
		pvm_expect(mock.failures, iova >= r->iova + r->bytes || r->iova >= iova + bytes);
	if (mock_out_of(&mock.maps_left))
		return -ENOMEM;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	r->iova = iova;
	r->hpa = hpa;
	r->bytes = bytes;
	r->prot = prot;
	list_add_tail(&r->node, &m->ranges);
	return 0;
}

/* Whole ranges, and all of what is asked for. */
static void mock_unmap(struct pvm_iommu_domain *d, u64 iova, u64 bytes)
{
	struct mock_range *r, *next;
	u64 done = 0;

	list_for_each_entry_safe(r, next, &mock_domain(d)->ranges, node) {
		if (r->iova < iova || r->iova + r->bytes > iova + bytes)
			continue;
		done += r->bytes;
		list_del(&r->node);
		kfree(r);
	}
	pvm_expect(mock.failures, done == bytes);
}

static const struct pvm_iommu_be mock_be = {
	.name		= "mock",
	.domain_new	= mock_new,
	.domain_free	= mock_free,
	.attach		= mock_attach,
	.detach		= mock_detach,
	.map		= mock_map,
	.unmap		= mock_unmap,
};

/* --- the test --- */

#define TEST_RAM_BYTES	(5 * PVM_LARGE_BYTES)
#define TEST_ROM_GPA	0x40000000ull
#define TEST_BAR_GPA	0x80000000ull

/* @m holds exactly RAM and ROM, page by page, and how many ranges that takes. */
static u32 test_ranges(struct mock_domain *m, struct pvm_mem *mem, u64 want_bytes)
{
	struct mock_range *r;
	u64 done, bytes = 0;
	u32 count = 0;

	list_for_each_entry(r, &m->ranges, node) {
		for (done = 0; done < r->bytes; done += PVM_PAGE_BYTES) {
			void *p = pvm_mem_ptr(mem, r->iova + done, PVM_PAGE_BYTES);

			if (!p || __pa(p) != r->hpa + done) {
				pvm_expect(mock.failures, !"another page mapped than the guest's");
				return 0;
			}
		}
		pvm_expect(mock.failures,
			   !(r->prot & PVM_PROT_WRITE) == (r->iova >= TEST_ROM_GPA));
		bytes += r->bytes;
		count++;
	}
	pvm_expect(mock.failures, bytes == want_bytes);
	return count;
}

/* Groups 0 and 1 share a domain, 2 has other hardware. */
static void test_attached(struct pvm_mem *mem, struct pvm_iommu *io, struct mock_group *g)
{
	struct pvm_iommu *other;
	struct pvm_why why;
	u64 bytes = mem->stats.ram_bytes;
	u32 i;

	for (i = 0; i < 3; i++)
		pvm_expect(mock.failures, !pvm_iommu_attach(io, &g[i].g, 0, &why));
	pvm_expect(mock.failures, mock.domains == 2);
	pvm_expect(mock.failures, g[0].in && g[0].in == g[1].in && g[0].in != g[2].in);
	pvm_expect(mock.failures, !pvm_iommu_coherent(io));
	test_ranges(g[0].in, mem, bytes);
	test_ranges(g[2].in, mem, bytes);

	/* Each group belongs to one guest; the same guest may attach it again. */
	if (!pvm_iommu_new_be(&mock_be, mem, NULL, NULL, &other, NULL)) {
		pvm_expect(mock.failures, pvm_iommu_attach(other, &g[1].g, 0, &why) == -EBUSY);
		pvm_iommu_free(other);
	}
	pvm_expect(mock.failures, !pvm_iommu_attach(io, &g[1].g, 0, &why));
	pvm_iommu_detach(io, &g[1].g);
	pvm_expect(mock.failures, g[1].in);

	/* BARs stay out, RAM that comes later does not; nor does what only one domain took. */
	pvm_expect(mock.failures, !pvm_mem_add_device(mem, TEST_BAR_GPA, TEST_BAR_GPA,
						      PVM_LARGE_BYTES, PVM_PROT_READ));
	test_ranges(g[0].in, mem, bytes);
	pvm_mem_del_device(mem, TEST_BAR_GPA);
	mock.maps_left = 1;
	pvm_expect(mock.failures, pvm_mem_add_ram(mem, TEST_RAM_BYTES, PVM_PAGE_BYTES,
						  PVM_PROT_RAM, NUMA_NO_NODE) == -ENOMEM);
	mock.maps_left = -1;
	test_ranges(g[0].in, mem, bytes);
	test_ranges(g[2].in, mem, bytes);
	pvm_expect(mock.failures, !pvm_mem_add_ram(mem, TEST_RAM_BYTES, PVM_PAGE_BYTES,
						   PVM_PROT_RAM, NUMA_NO_NODE));
	test_ranges(g[0].in, mem, bytes + PVM_PAGE_BYTES);
	test_ranges(g[2].in, mem, bytes + PVM_PAGE_BYTES);

	pvm_iommu_detach(io, &g[0].g);
	test_ranges(g[1].in, mem, bytes + PVM_PAGE_BYTES);
	pvm_iommu_detach(io, &g[1].g);
	pvm_expect(mock.failures, mock.domains == 1 && !g[1].in);
	pvm_iommu_detach(io, &g[2].g);
	pvm_expect(mock.failures, !mock.domains && !g[2].in);
}

/* An attach that fails anywhere leaves the group blocked and no domain. */
static void test_failing(struct pvm_mem *mem, struct pvm_iommu *io, struct mock_group *g)
{
	struct pvm_why why;
	u32 i, maps;

	pvm_expect(mock.failures, !pvm_iommu_attach(io, &g->g, 0, &why));
	maps = test_ranges(g->in, mem, mem->stats.ram_bytes);
	pvm_iommu_detach(io, &g->g);
	for (i = 0; i < maps; i++) {
		mock.maps_left = i;
		pvm_expect(mock.failures, pvm_iommu_attach(io, &g->g, 0, &why) == -ENOMEM);
		pvm_expect(mock.failures, !g->in && !g->g.io && !mock.domains);
	}
	mock.maps_left = -1;
	mock.attaches_left = 0;
	pvm_expect(mock.failures, pvm_iommu_attach(io, &g->g, 0, &why) == -EBUSY);
	mock.attaches_left = -1;
	pvm_expect(mock.failures, !g->g.io && !mock.domains);
}

int pvm_test_iommu(void)
{
	struct mock_group g[3] = { { .kind = 0 }, { .kind = 0 }, { .kind = 1 } };
	struct pvm_mem *mem = kzalloc(sizeof(*mem), GFP_KERNEL);
	struct pvm_iommu *io;

	if (!mem)
		return -ENOMEM;
	memset(&mock, 0, sizeof(mock));
	mock.maps_left = -1;
	mock.attaches_left = -1;
	if (pvm_mem_init(mem, &pvm_spt_npt_fmt, 2))
		goto err_free;
	if (pvm_mem_add_ram(mem, 0, TEST_RAM_BYTES, PVM_PROT_RAM, NUMA_NO_NODE) ||
	    pvm_mem_add_ram(mem, TEST_ROM_GPA, PVM_PAGE_BYTES, PVM_PROT_READ, NUMA_NO_NODE) ||
	    pvm_iommu_new_be(&mock_be, mem, NULL, NULL, &io, NULL))
		goto err_fini;
	test_failing(mem, io, &g[0]);
	test_attached(mem, io, g);
	pvm_iommu_free(io);
	pvm_mem_fini(mem);
	kfree(mem);
	return mock.failures ? -EINVAL : 0;

err_fini:
	pvm_mem_fini(mem);
err_free:
	kfree(mem);
	return -ENOMEM;
}
