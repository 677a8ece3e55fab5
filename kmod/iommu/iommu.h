/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA isolation of passed-through devices.
 *
 * A group is the smallest set of devices that the hardware can keep apart. It
 * is claimed as a whole: from then on its DMA is blocked until it is attached
 * to a guest's domain, and again after the detach. A struct pvm_iommu is one
 * guest's view of its memory for devices: one or more domains (one per kind of
 * IOMMU hardware), each a mem listener that keeps itself equal to the guest's
 * RAM. BARs are not in it: a device does not reach another device.
 *
 *   check() ... claim() -> DMA blocked
 *   new(), attach()     -> DMA reaches the guest's memory and nothing else
 *   detach(), free()    -> DMA blocked
 *   release()           -> the host's own domain again
 *
 * World:   kernel
 * Context: process, may sleep, unless a function says otherwise
 */
#ifndef PVM_IOMMU_H
#define PVM_IOMMU_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <pvm/env.h>
#include <pvm/log.h>
#include "mem/mem.h"

struct pvm_iommu;
struct pvm_iommu_group;
struct pvm_iommu_domain;

#define PVM_IOMMU_UNSAFE_INTERRUPTS	BIT(0)	/* the user accepts missing interrupt remapping */

/*
 * Can @pdev be isolated at all: an IOMMU with coherent DMA, interrupt
 * remapping, no region that the firmware wants mapped one to one. Changes
 * nothing; the device may still belong to a host driver.
 * -ENODEV (no IOMMU), -EOPNOTSUPP, -EPERM (interrupts), each with a sentence.
 */
int pvm_iommu_check(struct pci_dev *pdev, u32 flags, struct pvm_why *why);

/*
 * Every device of @pdev's group is without a driver, bound to @ours, or a
 * bridge. Otherwise -EBUSY, and @why names the first that is not.
 */
int pvm_iommu_group_check(struct pci_dev *pdev, const struct device_driver *ours,
			  struct pvm_why *why);

/* The number that sysfs shows, -1 without a group. */
int pvm_iommu_group_id(struct pci_dev *pdev);

/*
 * Calls @fn for every PCI device of @pdev's group, itself too, until one call
 * returns other than 0; returns that. Nothing may be bound or unbound in @fn.
 */
int pvm_iommu_group_each(struct pci_dev *pdev, int (*fn)(struct pci_dev *pdev, void *ctx),
			 void *ctx);

/*
 * Takes the group's DMA away from the host and blocks it. Counted: each claimed
 * function of a group claims and releases once. @ours is the driver that the
 * devices must be bound to (as group_check()). -EBUSY, -EPERM, -ENODEV, -ENOMEM.
 */
int pvm_iommu_claim(struct pci_dev *pdev, const struct device_driver *ours,
		    struct pvm_iommu_group **group, struct pvm_why *why);
void pvm_iommu_release(struct pvm_iommu_group *group);

/*
 * A DMA access outside the guest's memory. @pdev may be NULL when the hardware
 * does not say. Process context. Rate-limited: @count faults since the last call.
 */
typedef void (*pvm_iommu_fault_fn)(void *ctx, struct pci_dev *pdev, u64 iova, bool write,
				   u32 count);

/* A guest's DMA view of @mem; empty until a group is attached. -ENOMEM. */
int pvm_iommu_new(struct pvm_mem *mem, pvm_iommu_fault_fn fault, void *ctx,
		  struct pvm_iommu **io, struct pvm_why *why);
/* All groups are detached. */
void pvm_iommu_free(struct pvm_iommu *io);

/*
 * Lets @group's devices reach the guest's memory: finds a domain that fits or
 * makes one and maps all of @mem. On error the group is blocked as before.
 * -EINVAL (RAM lies in a reserved region), -EBUSY (attached elsewhere), -EPERM
 * (interrupts, without the flag), -EOPNOTSUPP, -ENOMEM. A group that is
 * attached to @io already is only counted.
 */
int pvm_iommu_attach(struct pvm_iommu *io, struct pvm_iommu_group *group, u32 flags,
		     struct pvm_why *why);
/* Blocks the group's DMA again. Cannot fail. */
void pvm_iommu_detach(struct pvm_iommu *io, struct pvm_iommu_group *group);

/*
 * True if every domain forces snooped DMA, so that the guest's WBINVD and
 * memory types of RAM need not be honoured. Constant after the last attach.
 */
bool pvm_iommu_coherent(struct pvm_iommu *io);

/*
 * What the IOMMU hardware does. The Linux IOMMU API is one back end
 * (pvm_iommu_linux), test/mock_iommu.c another. All in process context.
 */
struct pvm_iommu_be {
	const char *name;
	/* A domain that @group could be attached to. ERR_PTR. */
	struct pvm_iommu_domain *(*domain_new)(struct pvm_iommu_group *group);
	void (*domain_free)(struct pvm_iommu_domain *d);	/* empty and unattached */
	/* -EINVAL: another kind of hardware, try another domain. */
	int  (*attach)(struct pvm_iommu_domain *d, struct pvm_iommu_group *group);
	void (*detach)(struct pvm_iommu_domain *d, struct pvm_iommu_group *group);	/* blocks */
	/* Nothing of the range is mapped before, or after an error. */
	int  (*map)(struct pvm_iommu_domain *d, u64 iova, u64 hpa, u64 bytes, u32 prot);
	void (*unmap)(struct pvm_iommu_domain *d, u64 iova, u64 bytes);
};

extern const struct pvm_iommu_be pvm_iommu_linux;

/* --- within iommu/ ------------------------------------------------------- */

/*
 * Locking key: (c) constant after creation  (g) pvm_iommu_lock, in group.c
 */
struct pvm_iommu_group {
	struct list_head node;		/* (g) all claimed groups */
	struct iommu_group *group;	/* (c) holds a reference; NULL for a mock's */
	struct pci_dev *pdev;		/* (c) the first that claimed; a reference; as group */
	u32 claims;			/* (g) */
	struct pvm_iommu *io;		/* (g) attached to, or NULL */
	struct pvm_iommu_domain *domain; /* (g) */
	u32 attaches;			/* (g) */
};

/* Locking key: (c) constant after creation  (g) pvm_iommu_lock */
struct pvm_iommu_domain {
	struct list_head node;			/* (g) in io->domains */
	const struct pvm_iommu_be *be;		/* (c) */
	struct pvm_iommu *io;			/* (c) */
	struct pvm_mem_listener listener;	/* (c) */
	u32 groups;				/* (g) attached */
	bool coherent;				/* (c) */
	/* Of the Linux back end. */
	struct iommu_domain *domain;		/* (c) */
	u64 aperture_last_iova;			/* (c) */
};

struct pvm_iommu {
	struct pvm_mem *mem;			/* (c) */
	const struct pvm_iommu_be *be;		/* (c) */
	struct list_head domains;		/* (g) */
	pvm_iommu_fault_fn fault;		/* (c) */
	void *fault_ctx;			/* (c) */
	struct pvm_iommu_faults *faults;	/* (c) fault.c */
};

/* pvm_iommu_new() with another back end, for tests. */
int pvm_iommu_new_be(const struct pvm_iommu_be *be, struct pvm_mem *mem, pvm_iommu_fault_fn fault,
		     void *ctx, struct pvm_iommu **io, struct pvm_why *why);

extern struct mutex pvm_iommu_lock;

/* For sentences. */
static inline const char *pvm_iommu_group_name(const struct pvm_iommu_group *g)
{
	return g->pdev ? pci_name(g->pdev) : "mock";
}

/* group.c: no slot of @mem lies in a region that @group's devices reserve. */
int pvm_iommu_reserved_check(struct pvm_iommu_group *group, struct pvm_mem *mem,
			     struct pvm_why *why);
int pvm_iommu_isolation_check(struct iommu_group *group, struct device *dev, u32 flags,
			      struct pvm_why *why);

/* map.c */
void pvm_iommu_listener_init(struct pvm_iommu_domain *d);
int  pvm_iommu_linux_map(struct pvm_iommu_domain *d, u64 iova, u64 hpa, u64 bytes, u32 prot);
void pvm_iommu_linux_unmap(struct pvm_iommu_domain *d, u64 iova, u64 bytes);

/* fault.c; under pvm_iommu_lock but for new and free */
int  pvm_iommu_faults_new(struct pvm_iommu *io);
void pvm_iommu_faults_free(struct pvm_iommu *io);	/* no callback after it */
void pvm_iommu_faults_watch(struct pvm_iommu_domain *d);	/* ->domain and ->io are set */
int  pvm_iommu_faults_add(struct pvm_iommu *io, struct pvm_iommu_group *group);
void pvm_iommu_faults_del(struct pvm_iommu *io, struct pvm_iommu_group *group);

#endif /* PVM_IOMMU_H */
