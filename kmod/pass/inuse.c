// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the host use what hangs below a device?
 *
 * Walks the devices below a PCI function (a controller's disks and their
 * partitions, network interfaces, whatever sits on a USB bus below it) and looks
 * for users that would be hurt: block devices that somebody holds or has open
 * (mounted file systems, swap, RAID, LVM, encrypted volumes), interfaces that
 * carry addresses or belong to a bridge or bond.
 *
 * What cannot be seen from here: users of character devices (a display server,
 * a sound server). Their drivers wait for them when they are taken off, which
 * claim.c bounds in time.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/blkdev.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include "pass/internal.h"

#define DEPTH_MAX	24

struct walk {
	struct pci_dev *pdev;
	struct pvm_why *why;
	u32 depth;
	bool opens;
};

static int check_disk(struct walk *w, struct device *dev)
{
	struct block_device *bdev = dev_to_bdev(dev);

	/* One of several paths to a disk: its users are registered elsewhere. */
	if (bdev->bd_disk->flags & GENHD_FL_HIDDEN)
		return pvm_fail(w->why, -EBUSY,
				"%s carries a path of the multipath disk %s: unbind its driver first",
				pci_name(w->pdev), dev_name(dev));
	if (READ_ONCE(bdev->bd_holder))
		return pvm_fail(w->why, -EBUSY,
				"%s carries %s, which is in use (mounted, swap, or part of a volume)",
				pci_name(w->pdev), dev_name(dev));
	if (w->opens && atomic_read(&bdev->bd_openers))
		return pvm_fail(w->why, -EBUSY, "%s carries %s, which a process has open",
				pci_name(w->pdev), dev_name(dev));
	return 0;
}

static int check_interface(struct walk *w, struct device *dev)
{
	struct net_device *net = to_net_dev(dev);
	struct in_device *in;
	bool addressed, enslaved;

	rcu_read_lock();
	in = __in_dev_get_rcu(net);
	addressed = in && rcu_access_pointer(in->ifa_list);
	enslaved = netif_is_any_bridge_port(net) || netif_is_lag_port(net);
	rcu_read_unlock();

	if ((READ_ONCE(net->flags) & IFF_UP) && (addressed || enslaved))
		return pvm_fail(w->why, -EBUSY,
				"%s is the network interface %s, which is up: ip link set %s down first",
				pci_name(w->pdev), netdev_name(net), netdev_name(net));
	return 0;
}

static int check_one(struct device *dev, void *data)
{
	struct walk *w = data;
	const char *class = dev->class ? dev->class->name : "";
	int err = 0;

	/* Physical functions' virtual ones are devices of their own. */
	if (dev->bus == &pci_bus_type)
		return 0;
	if (!strcmp(class, "block"))
		err = check_disk(w, dev);
	else if (!strcmp(class, "net"))
		err = check_interface(w, dev);
	if (err || w->depth == DEPTH_MAX)
		return err;

	w->depth++;
	err = device_for_each_child(dev, w, check_one);
	w->depth--;
	return err;
}

int pvm_pass_inuse(struct pci_dev *pdev, bool opens, struct pvm_why *why)
{
	struct walk w = { .pdev = pdev, .why = why, .opens = opens };

	return device_for_each_child(&pdev->dev, &w, check_one);
}
