/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Port and memory regions that devices answer.
 *
 * World:   pure (the types); bus.c is kernel only
 * Context: as each function says
 */
#ifndef PVM_BUS_H
#define PVM_BUS_H

#include <pvm/env.h>

struct pvm_dev;
struct pvm_bus;

enum pvm_space {
	PVM_SPACE_PIO,
	PVM_SPACE_MMIO,
	PVM_SPACES,
};

/* A range that @dev answers; @region is the device's own number for it. */
struct pvm_region {
	u64 base;
	u64 bytes;
	struct pvm_dev *dev;
	u32 region;
};

#define PVM_BUS_MAX_REGIONS	192

/*
 * One access of 1, 2, 4 or 8 bytes. The bus looks up the region, takes the
 * device's lock and calls its model. An access that straddles the end of a
 * region, or that nobody answers, reads as all ones and writes nothing.
 *
 * Context: any, IRQs on or off; never sleeps.
 * Returns true if a device answered.
 */
bool pvm_bus_read(struct pvm_bus *bus, enum pvm_space space, u64 addr, u32 bytes, u64 *val);
bool pvm_bus_write(struct pvm_bus *bus, enum pvm_space space, u64 addr, u32 bytes, u64 val);

/*
 * The same for one port of 1, 2 or 4 bytes on the exit path: IRQs are off, the
 * value read may have garbage above @bytes, the value written has none.
 */
u64 pvm_bus_port_read(struct pvm_bus *bus, u16 port, u32 bytes);
void pvm_bus_port_write(struct pvm_bus *bus, u16 port, u32 bytes, u64 val);

/*
 * Adds or removes a region. remove() returns when no access to it is under way.
 * Context: process, may sleep.
 * Returns -EBUSY when the range is taken, -ENOSPC when the table is full,
 * -EINVAL when it is empty or wraps.
 */
int pvm_bus_add(struct pvm_bus *bus, enum pvm_space space, const struct pvm_region *r);
void pvm_bus_remove(struct pvm_bus *bus, enum pvm_space space, u64 base, struct pvm_dev *dev);

struct pvm_bus *pvm_bus_new(void);
void pvm_bus_free(struct pvm_bus *bus);

#endif /* PVM_BUS_H */
