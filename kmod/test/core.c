// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel-only core under load and at its edges: bus, device timers, guest
 * memory. What is pure below them has host tests.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "bus/bus.h"
#include "dev/slot.h"
#include "mem/mem.h"
#include "test/test.h"

static int failures;

/* --- a device that remembers --- */

struct core_dev {
	struct pvm_dev dev;
	u64 last_write;
	u64 rearm_ns;			/* 0: one-shot */
	u32 fired[PVM_DEV_TIMERS];
	bool early;			/* a timer came before its time */
	u64 when_ns[PVM_DEV_TIMERS];
};

static struct core_dev *core_dev(struct pvm_dev *d)
{
	return container_of(d, struct core_dev, dev);
}

static u64 core_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	return 0x0101010101010101ull * (region + 1) + off;
}

static void core_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	core_dev(d)->last_write = val;
}

/* Both with the device's lock held. */
static void core_timer_set(struct core_dev *c, u32 id, u64 when_ns)
{
	c->when_ns[id] = when_ns;
	pvm_dev_timer_set(&c->dev, id, when_ns);
}

static void core_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
	struct core_dev *c = core_dev(d);

	c->fired[id]++;
	c->early |= now_ns < c->when_ns[id];
	if (c->rearm_ns)
		core_timer_set(c, id, now_ns + c->rearm_ns);
}

static const struct pvm_dev_ops core_ops = {
	.name	= "test",
	.read	= core_read,
	.write	= core_write,
	.timer	= core_timer,
};

static const struct pvm_dev_host core_host = {
	.now_ns		= pvm_dev_now_ns,
	.timer_set	= pvm_dev_timer_set,
};

/* --- bus --- */

#define PORT	0x3f8
#define MMIO	0xfed00000ull

/* Reads while regions come and go: each value is right or all ones. */
static int core_reader(void *ctx)
{
	struct pvm_bus *bus = ctx;
	u64 v;

	while (!kthread_should_stop()) {
		pvm_bus_read(bus, PVM_SPACE_PIO, PORT, 1, &v);
		pvm_expect(failures, v == 0x01 || v == 0xff);
		pvm_bus_read(bus, PVM_SPACE_MMIO, MMIO, 4, &v);
		pvm_expect(failures, v == 0x02020202 || v == 0xffffffff);
		cond_resched();
	}
	return 0;
}

static void core_bus_edges(struct pvm_bus *bus, struct core_dev *c)
{
	static const struct {
		enum pvm_space space;
		u64 addr;
		u32 bytes;
		u64 want;	/* ~0: nobody answers */
	} t[] = {
		{ PVM_SPACE_PIO, PORT, 1, 0x01 },
		{ PVM_SPACE_PIO, PORT + 4, 4, 0x01010105 },
		{ PVM_SPACE_PIO, PORT + 5, 4, ~0ull },
		{ PVM_SPACE_PIO, PORT - 1, 2, ~0ull },
		{ PVM_SPACE_PIO, PORT + 8, 1, ~0ull },
		{ PVM_SPACE_PIO, PORT + 0x10000, 1, ~0ull },
		{ PVM_SPACE_PIO, ~0ull, 1, ~0ull },
		{ PVM_SPACE_MMIO, MMIO + 0x3f8, 8, 0x02020202020205faull },
		{ PVM_SPACE_MMIO, MMIO + 0x3f9, 8, ~0ull },
		{ PVM_SPACE_MMIO, MMIO - 4, 8, ~0ull },
		{ PVM_SPACE_MMIO, 0, 1, ~0ull },
		{ PVM_SPACE_MMIO, ~0ull, 8, ~0ull },
	};
	bool answered;
	u32 i;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		answered = pvm_bus_read(bus, t[i].space, t[i].addr, t[i].bytes, &v);
		pvm_expect(failures, answered == (t[i].want != ~0ull));
		pvm_expect(failures, v == (t[i].want & pvm_bytes_mask(t[i].bytes)));
	}
	pvm_expect(failures, pvm_bus_write(bus, PVM_SPACE_PIO, PORT, 2, 0x123456) &&
			     c->last_write == 0x3456);
	pvm_expect(failures, !pvm_bus_write(bus, PVM_SPACE_PIO, PORT + 7, 2, 1) &&
			     c->last_write == 0x3456);
}

/* As many regions as there can be, in an order that is not theirs. */
static void core_bus_full(struct pvm_bus *bus, struct core_dev *c)
{
	struct pvm_region r = { .bytes = 0x1000, .dev = &c->dev };
	const u32 free = PVM_BUS_MAX_REGIONS - 1;
	u32 i;
	u64 v;

	for (i = 0; i <= free; i++) {
		r.base = (i * 7 % 199) * 0x2000;
		r.region = i;
		pvm_expect(failures, pvm_bus_add(bus, PVM_SPACE_MMIO, &r) ==
				     (i < free ? 0 : -ENOSPC));
	}
	for (i = 0; i < free; i++) {
		pvm_expect(failures, pvm_bus_read(bus, PVM_SPACE_MMIO,
						  (i * 7 % 199) * 0x2000 + 4, 1, &v));
		pvm_expect(failures, v == (u8)(i + 5));
		pvm_bus_remove(bus, PVM_SPACE_MMIO, (i * 7 % 199) * 0x2000, &c->dev);
	}
}

static void core_bus(struct core_dev *c)
{
	struct pvm_region port = { PORT, 8, &c->dev, 0 }, mmio = { MMIO, 0x400, &c->dev, 1 };
	struct pvm_region bad = { 0xffff, 2, &c->dev, 0 };
	struct pvm_bus *bus = pvm_bus_new();
	struct task_struct *reader;
	u32 i;

	if (!bus)
		return;
	pvm_expect(failures, pvm_bus_add(bus, PVM_SPACE_PIO, &bad) == -EINVAL);
	pvm_expect(failures, !pvm_bus_add(bus, PVM_SPACE_PIO, &port));
	pvm_expect(failures, !pvm_bus_add(bus, PVM_SPACE_MMIO, &mmio));
	bad.base = PORT + 7;
	pvm_expect(failures, pvm_bus_add(bus, PVM_SPACE_PIO, &bad) == -EBUSY);
	bad.base = MMIO - 1;
	pvm_expect(failures, pvm_bus_add(bus, PVM_SPACE_MMIO, &bad) == -EBUSY);
	core_bus_edges(bus, c);
	core_bus_full(bus, c);

	reader = kthread_run(core_reader, bus, "pvm-test");
	for (i = 0; i < 300; i++) {
		pvm_bus_remove(bus, PVM_SPACE_PIO, PORT, &c->dev);
		pvm_bus_remove(bus, PVM_SPACE_MMIO, MMIO, &c->dev);
		pvm_expect(failures, !pvm_bus_add(bus, PVM_SPACE_PIO, &port));
		pvm_expect(failures, !pvm_bus_add(bus, PVM_SPACE_MMIO, &mmio));
		cond_resched();
	}
	if (!IS_ERR(reader))
		kthread_stop(reader);
	pvm_bus_free(bus);
}

/* --- timers --- */

static void core_set(struct core_dev *c, u32 id, u64 when_ns)
{
	unsigned long flags = pvm_dev_lock(&c->dev);

	core_timer_set(c, id, when_ns);
	pvm_dev_unlock(&c->dev, flags);
}

/* A generous wait: the test host may be slow. */
static bool core_fired(struct core_dev *c, u32 id)
{
	u32 i;

	for (i = 0; i < 200 && !READ_ONCE(c->fired[id]); i++)
		msleep(1);
	return c->fired[id];
}

static void core_timers(struct core_dev *c, struct pvm_dev_clock *clock)
{
	u64 now_ns;

	pvm_dev_clock_init(clock);
	pvm_dev_set_clock(&c->dev, clock);
	core_set(c, 0, NSEC_PER_MSEC);
	core_set(c, 1, NSEC_PER_MSEC);
	core_set(c, 1, 0);
	msleep(5);
	pvm_expect(failures, !c->fired[0] && !pvm_dev_now_ns(&c->dev));
	pvm_dev_clock_start(clock);
	pvm_dev_resume(&c->dev);
	pvm_expect(failures, core_fired(c, 0));

	/* Stopped with one under way: it waits, and so does guest time. */
	core_set(c, 2, pvm_dev_now_ns(&c->dev) + NSEC_PER_SEC / 100);
	pvm_dev_clock_stop(clock);
	pvm_dev_pause(&c->dev);
	now_ns = pvm_dev_now_ns(&c->dev);
	msleep(20);
	pvm_expect(failures, !c->fired[2] && pvm_dev_now_ns(&c->dev) == now_ns);
	pvm_dev_clock_start(clock);
	pvm_dev_resume(&c->dev);
	pvm_expect(failures, core_fired(c, 2));
	pvm_expect(failures, c->fired[0] == 1 && !c->fired[1] && c->fired[2] == 1 && !c->early);

	/* One that would fire all the time does not get to. */
	c->rearm_ns = 1;
	core_set(c, 3, 1);
	now_ns = pvm_dev_now_ns(&c->dev);
	msleep(10);
	pvm_expect(failures, c->fired[3] && c->fired[3] <=
			     2 + (pvm_dev_now_ns(&c->dev) - now_ns) / 50000);
}

/* --- memory --- */

#define RAM_BYTES	(2 * PVM_LARGE_BYTES + PVM_PAGE_BYTES)
#define ROM_GPA		(1ull << 32)
#define BAR_GPA		0xc0000000ull

static void core_kick(void *ctx)
{
	(*(u32 *)ctx)++;
}

static void core_copies(struct pvm_mem *m)
{
	u64 gpa = PVM_LARGE_BYTES - 3, v = 0x8877665544332211ull, w = 0, x = 1;
	bool swapped;

	pvm_expect(failures, !pvm_mem_write(m, gpa, &v, 8) && !pvm_mem_read(m, gpa, &w, 8) &&
			     v == w);
	pvm_expect(failures, *(u8 *)pvm_mem_ptr(m, PVM_LARGE_BYTES, 1) == 0x44);
	pvm_expect(failures, !pvm_mem_zero(m, gpa, 4) && !pvm_mem_read(m, gpa, &w, 8) &&
			     w == 0x8877665500000000ull);
	pvm_expect(failures, !pvm_mem_ptr(m, gpa, 4) && !pvm_mem_ptr(m, RAM_BYTES, 1));
	pvm_expect(failures, !pvm_mem_ptr(m, ~0ull, 1) && !pvm_mem_ptr(m, 0, ~0ull));
	pvm_expect(failures, pvm_mem_read(m, RAM_BYTES - 4, &w, 8) == -EFAULT);
	pvm_expect(failures, pvm_mem_write(m, ROM_GPA, &v, 8) == -EFAULT);
	pvm_expect(failures, !pvm_mem_write_rom(m, ROM_GPA, &v, 8) &&
			     !pvm_mem_read(m, ROM_GPA, &w, 8) && w == v);
	w = 0;
	pvm_expect(failures, !pvm_mem_cmpxchg(m, 64, &w, &x, 8, &swapped) && swapped && !w);
	pvm_expect(failures, !pvm_mem_cmpxchg(m, 64, &w, &x, 2, &swapped) && !swapped &&
			     (u16)w == 1);
	pvm_expect(failures, pvm_mem_cmpxchg(m, 66, &w, &x, 4, &swapped) == -EFAULT);
	pvm_expect(failures, pvm_mem_cmpxchg(m, ROM_GPA, &w, &x, 4, &swapped) == -EFAULT);
}

static void core_memory_checks(struct pvm_mem *m, u32 *kicks)
{
	u32 level, tables = m->spt.tables;
	u64 gen = pvm_mem_tlb_gen(m), gpa;
	struct pvm_spt_entry e;

	for (gpa = 0; gpa < RAM_BYTES; gpa += PVM_PAGE_BYTES) {
		bool mapped = !pvm_spt_walk(&m->spt, gpa, &e, &level) &&
			      __pa(pvm_mem_ptr(m, gpa, PVM_PAGE_BYTES)) ==
			      __sme_clr(e.hpa) +
				      (gpa & ((PVM_PAGE_BYTES << 9 * (level - 1)) - 1));

		pvm_expect(failures, mapped && e.prot == PVM_PROT_RAM);
	}
	pvm_expect(failures, pvm_mem_add_ram(m, RAM_BYTES - PVM_PAGE_BYTES, PVM_PAGE_BYTES,
					     PVM_PROT_RAM, NUMA_NO_NODE) == -EEXIST);
	pvm_expect(failures, pvm_mem_add_device(m, 0, 0, PVM_PAGE_BYTES, PVM_PROT_READ) == -EEXIST);
	pvm_expect(failures, !pvm_mem_add_device(m, BAR_GPA, PVM_GIANT_BYTES, PVM_GIANT_BYTES,
						 PVM_PROT_READ));
	pvm_expect(failures, !pvm_mem_ptr(m, BAR_GPA, 1));
	pvm_expect(failures, !pvm_spt_walk(&m->spt, BAR_GPA + 5, &e, &level) && level == 3);
	pvm_expect(failures, pvm_mem_tlb_gen(m) == gen && !*kicks);
	pvm_mem_del_device(m, BAR_GPA);
	pvm_expect(failures, pvm_mem_tlb_gen(m) == gen + 1 && *kicks == 1);
	pvm_expect(failures, pvm_spt_walk(&m->spt, BAR_GPA, &e, &level) == -ENOENT);
	pvm_expect(failures, m->spt.tables == tables);
	core_copies(m);
}

static void core_memory(struct pvm_mem *m)
{
	u32 kicks = 0;

	if (pvm_mem_init(m, &pvm_spt_npt_fmt, 3))
		return;
	m->kick_all = core_kick;
	m->kick_ctx = &kicks;
	if (!pvm_mem_add_ram(m, 0, RAM_BYTES, PVM_PROT_RAM, NUMA_NO_NODE) &&
	    !pvm_mem_add_ram(m, ROM_GPA, PVM_PAGE_BYTES, PVM_PROT_READ, NUMA_NO_NODE))
		core_memory_checks(m, &kicks);
	pvm_mem_fini(m);
	pvm_expect(failures, !m->stats.ram_bytes && !m->stats.table_bytes && !m->spt.tables);
}

int pvm_test_core(void)
{
	struct pvm_dev_clock *clock = kzalloc(sizeof(*clock), GFP_KERNEL);
	struct core_dev *c = kzalloc(sizeof(*c), GFP_KERNEL);
	struct pvm_mem *m = kzalloc(sizeof(*m), GFP_KERNEL);
	int err = -ENOMEM;

	failures = 0;
	if (!clock || !c || !m)
		goto out;
	err = pvm_dev_attach(&c->dev, &core_ops, &core_host, NULL, false);
	if (err)
		goto out;
	core_bus(c);
	core_timers(c, clock);
	pvm_dev_detach(&c->dev);	/* with a timer that never stops */
	core_memory(m);
	err = failures ? -EINVAL : 0;
out:
	kfree(m);
	kfree(c);
	kfree(clock);
	return err;
}
