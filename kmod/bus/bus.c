// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port and MMIO dispatch.
 *
 * The hottest path of emulation, so finding the device takes no lock: ports go
 * through a two-level table of bytes, memory through a binary search in a
 * sorted array that is replaced as a whole. IRQs are off from the search to the
 * end of the model's call, which RCU counts as a read-side section.
 *
 * Removing needs neither memory nor a grace period: the region is marked dead,
 * and since an access looks at the mark once more under the device's lock,
 * taking that lock once is enough to know that no access is under way.
 *
 * Tour 6.1: who answers
 * pvm_bus_read(): search without a lock, take the device's lock, look at the mark, call.
 *
 * World:   kernel
 * Context: as bus/bus.h says
 */
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "bus/bus.h"
#include "dev/slot.h"

#define BUS_PORTS		0x10000
#define BUS_PORTS_PER_PAGE	256

/* A region with what the fast path needs. Freed by RCU. */
struct bus_region {
	struct pvm_region r;	/* (c) */
	bool dead;		/* (a) set under the device's lock */
	struct rcu_head rcu;
};

/* Constant once published, apart from the regions' marks. */
struct bus_map {
	struct rcu_head rcu;
	u32 count;
	struct bus_range {
		u64 base;
		u64 bytes;
		struct bus_region *region;
	} at[];			/* sorted by base */
};

/*
 * Locking key: (m) written under mutex, read under RCU  (a) READ_ONCE/WRITE_ONCE
 */
struct pvm_bus {
	struct mutex mutex;
	u8 *port_page[BUS_PORTS / BUS_PORTS_PER_PAGE];		/* (m) of indices into port[] */
	struct bus_region __rcu *port[1 + PVM_BUS_MAX_REGIONS];	/* (m) [0] stays NULL */
	struct bus_map __rcu *map;				/* (m) */
	u32 hint;		/* (a) index of the last hit in map */
};

static_assert(PVM_BUS_MAX_REGIONS <= U8_MAX);

static __always_inline struct bus_region *bus_find_port(struct pvm_bus *bus, u64 addr)
{
	const u8 *page;

	if (unlikely(addr >= BUS_PORTS))
		return NULL;
	/* Pairs with smp_store_release() in bus_port_pages(). */
	page = READ_ONCE(bus->port_page[addr / BUS_PORTS_PER_PAGE]);
	if (unlikely(!page))
		return NULL;
	return rcu_dereference_sched(bus->port[READ_ONCE(page[addr % BUS_PORTS_PER_PAGE])]);
}

static struct bus_region *bus_search(struct pvm_bus *bus, const struct bus_map *map, u64 addr)
{
	u32 low = 0, high = map->count;

	/* Invariant: the last range with base <= addr is below high, if there is one. */
	while (low < high) {
		u32 mid = (low + high) / 2;

		if (map->at[mid].base <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || addr - map->at[low - 1].base >= map->at[low - 1].bytes)
		return NULL;
	WRITE_ONCE(bus->hint, low - 1);
	return map->at[low - 1].region;
}

static __always_inline struct bus_region *bus_find_memory(struct pvm_bus *bus, u64 addr)
{
	const struct bus_map *map = rcu_dereference_sched(bus->map);
	u32 hint = READ_ONCE(bus->hint);

	if (likely(hint < map->count && addr - map->at[hint].base < map->at[hint].bytes))
		return map->at[hint].region;
	return bus_search(bus, map, addr);
}

/* The region that answers all @bytes at @addr. IRQs off until its use ends. */
static __always_inline struct bus_region *bus_find(struct pvm_bus *bus, enum pvm_space space,
						   u64 addr, u32 bytes)
{
	struct bus_region *b = space == PVM_SPACE_PIO ? bus_find_port(bus, addr) :
							bus_find_memory(bus, addr);
	u64 off;

	/*
	 * A dead region's device may be gone. One that is seen alive here stays
	 * until IRQs are on again: pairs with the grace period in pvm_dev_detach().
	 */
	if (!b || unlikely(READ_ONCE(b->dead)))
		return NULL;
	/* A port index may be a moment old, so this test is also the one that it fits at all. */
	off = addr - b->r.base;
	if (unlikely(off >= b->r.bytes || b->r.bytes - off < bytes))
		return NULL;
	return b;
}

bool pvm_bus_read(struct pvm_bus *bus, enum pvm_space space, u64 addr, u32 bytes, u64 *val)
{
	struct bus_region *b;
	unsigned long flags;
	bool answered = false;
	u64 v = ~0ull;

	local_irq_save(flags);
	b = bus_find(bus, space, addr, bytes);
	if (likely(b)) {
		struct pvm_dev *d = b->r.dev;
		struct pvm_dev_slot *s = pvm_dev_slot(d);

		pvm_dev_slot_lock(s);
		if (likely(!b->dead)) {
			v = d->ops->read(d, b->r.region, addr - b->r.base, bytes);
			answered = true;
		}
		pvm_dev_slot_unlock(s);
	}
	local_irq_restore(flags);
	*val = v & (~0ull >> (64 - 8 * bytes));
	return answered;
}

/* bus_find() for a port, with fewer tests: 32 bits do, and wrap to something too large. */
static __always_inline struct bus_region *bus_find_io(struct pvm_bus *bus, u16 port, u32 bytes,
						      u32 *off)
{
	const u8 *page = READ_ONCE(bus->port_page[port / BUS_PORTS_PER_PAGE]);
	struct bus_region *b;

	if (unlikely(!page))
		return NULL;
	b = rcu_dereference_sched(bus->port[READ_ONCE(page[port % BUS_PORTS_PER_PAGE])]);
	if (unlikely(!b || READ_ONCE(b->dead)))
		return NULL;
	*off = port - (u32)b->r.base;
	return likely((u64)*off + bytes <= b->r.bytes) ? b : NULL;
}

u64 pvm_bus_port_read(struct pvm_bus *bus, u16 port, u32 bytes)
{
	u32 off;
	struct bus_region *b = bus_find_io(bus, port, bytes, &off);
	struct pvm_dev_slot *s;
	struct pvm_dev *d;
	u64 v = ~0ull;

	if (unlikely(!b))
		return v;
	d = b->r.dev;
	s = pvm_dev_slot(d);
	pvm_dev_slot_lock(s);
	if (likely(!b->dead))
		v = d->ops->read(d, b->r.region, off, bytes);
	pvm_dev_slot_unlock(s);
	return v;
}

void pvm_bus_port_write(struct pvm_bus *bus, u16 port, u32 bytes, u64 val)
{
	u32 off;
	struct bus_region *b = bus_find_io(bus, port, bytes, &off);
	struct pvm_dev_slot *s;
	struct pvm_dev *d;

	if (unlikely(!b))
		return;
	d = b->r.dev;
	s = pvm_dev_slot(d);
	pvm_dev_slot_lock(s);
	if (likely(!b->dead))
		d->ops->write(d, b->r.region, off, bytes, val);
	pvm_dev_slot_unlock(s);
}

bool pvm_bus_write(struct pvm_bus *bus, enum pvm_space space, u64 addr, u32 bytes, u64 val)
{
	struct bus_region *b;
	unsigned long flags;
	bool answered = false;

	local_irq_save(flags);
	b = bus_find(bus, space, addr, bytes);
	if (likely(b)) {
		struct pvm_dev *d = b->r.dev;
		struct pvm_dev_slot *s = pvm_dev_slot(d);

		pvm_dev_slot_lock(s);
		if (likely(!b->dead)) {
			d->ops->write(d, b->r.region, addr - b->r.base, bytes,
				      val & pvm_bytes_mask(bytes));
			answered = true;
		}
		pvm_dev_slot_unlock(s);
	}
	local_irq_restore(flags);
	return answered;
}

/* --- changes --- */

static bool bus_overlap(const struct pvm_region *a, u64 base, u64 bytes)
{
	return a->base < base ? base - a->base < a->bytes : a->base - base < bytes;
}

static u8 bus_port_index(struct pvm_bus *bus, u32 port)
{
	const u8 *page = bus->port_page[port / BUS_PORTS_PER_PAGE];

	return page ? page[port % BUS_PORTS_PER_PAGE] : 0;
}

static void bus_port_fill(struct pvm_bus *bus, const struct pvm_region *r, u8 index)
{
	u32 port, end = r->base + r->bytes;

	for (port = r->base; port < end; port++)
		WRITE_ONCE(bus->port_page[port / BUS_PORTS_PER_PAGE][port % BUS_PORTS_PER_PAGE],
			   index);
}

/* The pages of indices that @r needs; one that is there already, used or not, stays. */
static int bus_port_pages(struct pvm_bus *bus, const struct pvm_region *r)
{
	u32 i, last = (r->base + r->bytes - 1) / BUS_PORTS_PER_PAGE;

	for (i = r->base / BUS_PORTS_PER_PAGE; i <= last; i++) {
		u8 *page;

		if (bus->port_page[i])
			continue;
		page = kzalloc(BUS_PORTS_PER_PAGE, GFP_KERNEL_ACCOUNT);
		if (!page)
			return -ENOMEM;
		/* Pairs with READ_ONCE() in bus_find_port(), by address dependency. */
		smp_store_release(&bus->port_page[i], page);
	}
	return 0;
}

static int bus_add_port(struct pvm_bus *bus, struct bus_region *b)
{
	u32 port, index;
	int err;

	if (b->r.base >= BUS_PORTS || b->r.bytes > BUS_PORTS - b->r.base)
		return -EINVAL;
	for (port = b->r.base; port < b->r.base + b->r.bytes; port++)
		if (bus_port_index(bus, port))
			return -EBUSY;
	for (index = 1; index < ARRAY_SIZE(bus->port); index++)
		if (!rcu_access_pointer(bus->port[index]))
			break;
	if (index == ARRAY_SIZE(bus->port))
		return -ENOSPC;
	err = bus_port_pages(bus, &b->r);
	if (err)
		return err;
	rcu_assign_pointer(bus->port[index], b);
	smp_wmb();	/* pairs with the address dependency in bus_find_port() */
	bus_port_fill(bus, &b->r, index);
	return 0;
}

/* Publishes a copy of the map with @b in it and without dead regions. */
static int bus_add_memory(struct pvm_bus *bus, struct bus_region *b)
{
	struct bus_map *old = rcu_dereference_protected(bus->map, lockdep_is_held(&bus->mutex));
	struct bus_range add = { b->r.base, b->r.bytes, b };
	struct bus_map *map;
	u32 i, live = 0;
	bool placed = false;

	for (i = 0; i < old->count; i++) {
		if (READ_ONCE(old->at[i].region->dead))
			continue;
		if (bus_overlap(&old->at[i].region->r, b->r.base, b->r.bytes))
			return -EBUSY;
		live++;
	}
	if (live == PVM_BUS_MAX_REGIONS)
		return -ENOSPC;
	map = kzalloc(struct_size(map, at, live + 1), GFP_KERNEL_ACCOUNT);
	if (!map)
		return -ENOMEM;
	for (i = 0; i < old->count; i++) {
		if (READ_ONCE(old->at[i].region->dead))
			continue;
		if (!placed && old->at[i].base > add.base) {
			map->at[map->count++] = add;
			placed = true;
		}
		map->at[map->count++] = old->at[i];
	}
	if (!placed)
		map->at[map->count++] = add;
	rcu_assign_pointer(bus->map, map);
	for (i = 0; i < old->count; i++)
		if (old->at[i].region->dead)
			kfree_rcu(old->at[i].region, rcu);
	kfree_rcu(old, rcu);
	return 0;
}

int pvm_bus_add(struct pvm_bus *bus, enum pvm_space space, const struct pvm_region *r)
{
	struct bus_region *b;
	int err;

	if (!r->bytes || !r->dev || r->base + (r->bytes - 1) < r->base)
		return -EINVAL;
	b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return -ENOMEM;
	b->r = *r;
	mutex_lock(&bus->mutex);
	err = space == PVM_SPACE_PIO ? bus_add_port(bus, b) : bus_add_memory(bus, b);
	mutex_unlock(&bus->mutex);
	if (err)
		kfree(b);
	return err;
}

static void bus_kill(struct bus_region *b)
{
	unsigned long flags = pvm_dev_lock(b->r.dev);

	WRITE_ONCE(b->dead, true);
	pvm_dev_unlock(b->r.dev, flags);
}

void pvm_bus_remove(struct pvm_bus *bus, enum pvm_space space, u64 base, struct pvm_dev *dev)
{
	struct bus_map *map;
	struct bus_region *b;
	u32 i;

	mutex_lock(&bus->mutex);
	if (space == PVM_SPACE_PIO && base < BUS_PORTS) {
		i = bus_port_index(bus, base);
		b = rcu_dereference_protected(bus->port[i], lockdep_is_held(&bus->mutex));
		if (b && b->r.base == base && b->r.dev == dev) {
			bus_port_fill(bus, &b->r, 0);
			RCU_INIT_POINTER(bus->port[i], NULL);
			bus_kill(b);
			kfree_rcu(b, rcu);
		}
	} else if (space == PVM_SPACE_MMIO) {
		map = rcu_dereference_protected(bus->map, lockdep_is_held(&bus->mutex));
		for (i = 0; i < map->count; i++) {
			b = map->at[i].region;
			if (b->r.base == base && b->r.dev == dev && !READ_ONCE(b->dead))
				bus_kill(b);	/* freed when the map is replaced */
		}
	}
	mutex_unlock(&bus->mutex);
}

struct pvm_bus *pvm_bus_new(void)
{
	struct pvm_bus *bus = kzalloc(sizeof(*bus), GFP_KERNEL_ACCOUNT);
	struct bus_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (!bus || !map) {
		kfree(bus);
		kfree(map);
		return NULL;
	}
	mutex_init(&bus->mutex);
	RCU_INIT_POINTER(bus->map, map);
	return bus;
}

/* Nobody uses the bus any more, so regions that are still on it need no grace period. */
void pvm_bus_free(struct pvm_bus *bus)
{
	struct bus_map *map;
	u32 i;

	if (!bus)
		return;
	map = rcu_dereference_protected(bus->map, true);
	for (i = 0; i < map->count; i++)
		kfree(map->at[i].region);
	kfree(map);
	for (i = 0; i < ARRAY_SIZE(bus->port); i++)
		kfree(rcu_dereference_protected(bus->port[i], true));
	for (i = 0; i < ARRAY_SIZE(bus->port_page); i++)
		kfree(bus->port_page[i]);
	mutex_destroy(&bus->mutex);
	kfree(bus);
}
