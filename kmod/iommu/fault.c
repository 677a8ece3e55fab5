// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA faults: from the hardware's report to the VM's event.
 *
 * AMD's driver calls the domain's fault handler. Intel's has no such call: it
 * prints a line, and nothing else in the kernel tells of the fault. So that a
 * VM learns of it there too, we listen to the kernel's own "console"
 * tracepoint and read that line. Should its wording change, the event is lost
 * and nothing else; the access is blocked in any case.
 *
 * Reports come in any context and as fast as a device can misbehave. The first
 * one is kept, the others are counted until the callback has run, and that is
 * at most once a second.
 *
 * World:   kernel
 * Context: recording: any, also NMI; the callback: process
 */
#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>
#include "iommu/iommu.h"

#define FAULT_PERIOD	HZ

/* Locking key: (c) constant after creation  (f) whoever raised count from 0, until it is 0 again */
struct pvm_iommu_faults {
	struct pvm_iommu *io;		/* (c) */
	atomic_t count;			/* since the last callback */
	u32 address;			/* (f) fault_address() of the device */
	bool write;			/* (f) */
	u64 iova;			/* (f) */
	unsigned long last_jiffies;	/* of the last callback; the work's own */
	struct irq_work kick;
	struct delayed_work work;
};

/*
 * One function that is attached.
 * Locking key: (c) constant after creation  (g) pvm_iommu_lock, read under RCU
 */
struct fault_watch {
	struct list_head node;		/* (g) in fault_watches */
	struct list_head gone;		/* (g) on the way out */
	struct pvm_iommu *io;		/* (c) */
	struct pvm_iommu_group *group;	/* (c) */
	struct pci_dev *pdev;		/* (c) holds a reference */
};

static LIST_HEAD(fault_watches);
static struct tracepoint *fault_console;	/* under pvm_iommu_lock; NULL: not listening */

/* The segment, bus, device and function as one number. */
static u32 fault_address(struct pci_dev *pdev)
{
	return pci_domain_nr(pdev->bus) << 16 | pci_dev_id(pdev);
}

/* --- recording --- */

static void fault_record(struct pvm_iommu *io, u32 address, u64 iova, bool write)
{
	struct pvm_iommu_faults *f = io->faults;

	if (atomic_fetch_inc(&f->count))
		return;
	f->address = address;
	f->iova = iova;
	f->write = write;
	/* Orders the above before the work; work cannot be queued from NMI, this can. */
	irq_work_queue(&f->kick);
}

static int fault_handler(struct iommu_domain *domain, struct device *dev, unsigned long iova,
			 int flags, void *token)
{
	fault_record(token, dev && dev_is_pci(dev) ? fault_address(to_pci_dev(dev)) : ~0u, iova,
		     flags & IOMMU_FAULT_WRITE);
	return 0;	/* the driver need not log it */
}

void pvm_iommu_faults_watch(struct pvm_iommu_domain *d)
{
	iommu_set_fault_handler(d->domain, fault_handler, d->io);
}

/* The line says bus, device and function; the segment has to be guessed from who is watched. */
static void fault_line(void *ctx, const char *text, size_t len)
{
	static const char start[] = "DMAR: [DMA ";
	unsigned int bus, slot, fn;
	struct fault_watch *w;
	char line[128], *at;
	u64 iova;

	if (len < sizeof(start) || memcmp(text, start, sizeof(start) - 1))
		return;
	len = min(len, sizeof(line) - 1);
	memcpy(line, text, len);
	line[len] = 0;
	at = strstr(line, "Request device [");
	if (!at || sscanf(at, "Request device [%x:%x.%u] fault addr %llx", &bus, &slot, &fn,
			  &iova) != 4)
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(w, &fault_watches, node)
		if (pci_dev_id(w->pdev) == PCI_DEVID(bus, PCI_DEVFN(slot, fn)))
			fault_record(w->io, fault_address(w->pdev), iova,
				     line[sizeof(start) - 1] == 'W');
	rcu_read_unlock();
}

/* --- telling --- */

static struct pci_dev *fault_device(struct pvm_iommu *io, u32 address)
{
	struct pci_dev *pdev = NULL;
	struct fault_watch *w;

	mutex_lock(&pvm_iommu_lock);
	list_for_each_entry(w, &fault_watches, node)
		if (w->io == io && fault_address(w->pdev) == address)
			pdev = pci_dev_get(w->pdev);
	mutex_unlock(&pvm_iommu_lock);
	return pdev;
}

static void fault_work(struct work_struct *work)
{
	struct pvm_iommu_faults *f = container_of(work, struct pvm_iommu_faults, work.work);
	struct pci_dev *pdev = fault_device(f->io, f->address);
	u64 iova = f->iova;
	bool write = f->write;
	u32 count;

	f->last_jiffies = jiffies;
	/* From here on another report may write. */
	count = atomic_xchg(&f->count, 0);
	if (f->io->fault)
		f->io->fault(f->io->fault_ctx, pdev, iova, write, count);
	pci_dev_put(pdev);
}

static void fault_kick(struct irq_work *kick)
{
	struct pvm_iommu_faults *f = container_of(kick, struct pvm_iommu_faults, kick);
	unsigned long next = f->last_jiffies + FAULT_PERIOD;

	schedule_delayed_work(&f->work, time_before(jiffies, next) ? next - jiffies : 0);
}

/* --- who is watched --- */

static void fault_find_console(struct tracepoint *tp, void *found)
{
	if (!strcmp(tp->name, "console"))
		*(struct tracepoint **)found = tp;
}

/* Listens while anything is watched. Not being able to is no error. */
static void fault_listen(void)
{
	bool wanted = !list_empty(&fault_watches);

	lockdep_assert_held(&pvm_iommu_lock);
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		return;
	if (wanted && !fault_console) {
		for_each_kernel_tracepoint(fault_find_console, &fault_console);
		if (fault_console && tracepoint_probe_register(fault_console, fault_line, NULL))
			fault_console = NULL;
	} else if (!wanted && fault_console) {
		tracepoint_probe_unregister(fault_console, fault_line, NULL);
		tracepoint_synchronize_unregister();
		fault_console = NULL;
	}
}

struct fault_add {
	struct pvm_iommu *io;
	struct pvm_iommu_group *group;
};

static int fault_watch_one(struct pci_dev *pdev, void *ctx)
{
	struct fault_watch *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	struct fault_add *add = ctx;

	if (!w)
		return -ENOMEM;
	w->io = add->io;
	w->group = add->group;
	w->pdev = pci_dev_get(pdev);
	list_add_tail_rcu(&w->node, &fault_watches);
	return 0;
}

int pvm_iommu_faults_add(struct pvm_iommu *io, struct pvm_iommu_group *group)
{
	struct fault_add add = { io, group };
	int err;

	lockdep_assert_held(&pvm_iommu_lock);
	if (!group->group)
		return 0;
	err = pvm_iommu_group_each(group->pdev, fault_watch_one, &add);
	if (err)
		pvm_iommu_faults_del(io, group);
	else
		fault_listen();
	return err;
}

void pvm_iommu_faults_del(struct pvm_iommu *io, struct pvm_iommu_group *group)
{
	struct fault_watch *w, *next;
	LIST_HEAD(gone);

	lockdep_assert_held(&pvm_iommu_lock);
	if (!group->group)
		return;
	list_for_each_entry_safe(w, next, &fault_watches, node) {
		if (w->group != group)
			continue;
		list_del_rcu(&w->node);
		list_add(&w->gone, &gone);
	}
	fault_listen();
	synchronize_rcu_expedited();	/* pairs with rcu_read_lock() in fault_line() */
	list_for_each_entry_safe(w, next, &gone, gone) {
		pci_dev_put(w->pdev);
		kfree(w);
	}
}

/* --- life --- */

int pvm_iommu_faults_new(struct pvm_iommu *io)
{
	struct pvm_iommu_faults *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	f->io = io;
	f->last_jiffies = jiffies - FAULT_PERIOD;
	init_irq_work(&f->kick, fault_kick);
	INIT_DELAYED_WORK(&f->work, fault_work);
	io->faults = f;
	return 0;
}

/* No group is attached, so nobody records any more. */
void pvm_iommu_faults_free(struct pvm_iommu *io)
{
	irq_work_sync(&io->faults->kick);
	cancel_delayed_work_sync(&io->faults->work);
	kfree(io->faults);
}
