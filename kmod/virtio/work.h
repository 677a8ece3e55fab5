/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workers of a virtio device: a thread per queue, and when they may run.
 *
 * busy counts what may touch guest memory: a worker in its run() and every
 * request in flight. When the guest resets the device or the VM pauses, nobody
 * may raise it from 0 any more, and what was waiting goes on when it gets there.
 *
 * World:   kernel
 * Context: as each function says
 */
#ifndef PVM_VIRTIO_WORK_H
#define PVM_VIRTIO_WORK_H

#include <linux/atomic.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <pvm/env.h>
#include "virtio/virtio.h"

struct pvm_virtio_work;

struct pvm_virtio_work_ops {
	/*
	 * Serves queue @queue in its thread: may sleep; returns soon when
	 * pvm_virtio_may_run() turns false. True: call again, there is more to do.
	 */
	bool (*run)(struct pvm_virtio_work *w, u32 queue);
	/* No pvm_virtio_work_kick() by the device itself after this. May be NULL. */
	void (*silence)(struct pvm_virtio_work *w);
	/* Nothing runs any more: gives up what new() took and the memory of @w. */
	void (*free)(struct pvm_virtio_work *w);
};

struct pvm_virtio_worker {
	struct pvm_virtio_work *work;
	struct task_struct *task;
	u32 queue;
	bool kicked;
};

/* Locking key: (c) constant after creation  (a) atomic or READ_ONCE/WRITE_ONCE */
struct pvm_virtio_work {
	struct pvm_virtio virtio;
	const struct pvm_virtio_work_ops *ops;		/* (c) */
	u64 bytes;					/* (c) of memory, for the account */
	atomic_t busy;					/* (a) */
	bool paused;					/* (a) */
	wait_queue_head_t idle;				/* busy got to 0 while it may not run */
	struct pvm_virtio_worker worker[PVM_VIRTIO_MAX_QUEUES];	/* kicked (a), else (c) */
};

/* kick and stop of every device with workers. */
extern const struct pvm_virtio_ops pvm_virtio_work_virtio_ops;

/*
 * After pvm_virtio_init() of w->virtio: attaches its pvm_dev and starts a thread
 * named after @name for each queue. Process context. On error nothing is left.
 */
int pvm_virtio_work_start(struct pvm_virtio_work *w, const struct pvm_virtio_vm *vm,
			  const char *name);

/* Lets the worker of @queue run. Any context. */
void pvm_virtio_work_kick(struct pvm_virtio_work *w, u32 queue);

/* Neither paused nor in reset. Ring set-up is visible after it said true. */
static inline bool pvm_virtio_may_run(struct pvm_virtio_work *w)
{
	/* pairs with the release in status_write() of pci.c */
	return smp_load_acquire(&w->virtio.running) && !READ_ONCE(w->paused);
}

/* One more in flight; the caller is in run() or has one already. */
static inline void pvm_virtio_work_hold(struct pvm_virtio_work *w)
{
	atomic_inc(&w->busy);
}

/* One less. Any context. The caller does not touch @w afterwards. */
void pvm_virtio_work_put(struct pvm_virtio_work *w);

/* The interrupt of @queue, or that the guest broke it. Any context. */
void pvm_virtio_work_interrupt(struct pvm_virtio_work *w, u32 queue);
void pvm_virtio_work_broken(struct pvm_virtio_work *w, u32 queue);

#endif /* PVM_VIRTIO_WORK_H */
