// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that run the rings, and their coming to rest.
 *
 * A kick sets a flag and wakes a thread; it costs a lock that the bus took anyway
 * and a wake-up, and while the thread works the guest is asked not to kick.
 *
 * Rest is wanted for two reasons. The guest resets the device: pci.c clears
 * running and calls stop(), and when busy is 0 the reset completes. The VM pauses
 * or ends: quiesce() sets paused and waits for busy to be 0. In both cases whoever
 * brings busy to 0 tells.
 *
 * World:   kernel
 * Context: as declared in work.h
 */
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <pvm/env.h>
#include "virtio/work.h"

static struct pvm_virtio_work *of_virtio(struct pvm_virtio *v)
{
	return container_of(v, struct pvm_virtio_work, virtio);
}

void pvm_virtio_work_kick(struct pvm_virtio_work *w, u32 queue)
{
	struct pvm_virtio_worker *k = &w->worker[queue];

	/* Full barrier; pairs with set_current_state() in worker_main(). */
	if (!xchg(&k->kicked, true))
		wake_up_process(k->task);
}

static void kick(struct pvm_virtio *v, u32 queue)
{
	pvm_virtio_work_kick(of_virtio(v), queue);
}

static void kick_all(struct pvm_virtio_work *w)
{
	u32 i;

	for (i = 0; i < w->virtio.queues; i++)
		pvm_virtio_work_kick(w, i);
}

/* Device's lock held; running is false. */
static void stop(struct pvm_virtio *v)
{
	smp_mb();	/* running before busy; pairs with the barrier in get() */
	if (!atomic_read(&of_virtio(v)->busy))
		pvm_virtio_stopped(v);
}

const struct pvm_virtio_ops pvm_virtio_work_virtio_ops = {
	.kick = kick,
	.stop = stop,
};

void pvm_virtio_work_put(struct pvm_virtio_work *w)
{
	unsigned long flags;

	/* Under RCU, since the waiter may free @w as soon as busy is 0. */
	rcu_read_lock();
	if (atomic_dec_and_test(&w->busy) && !pvm_virtio_may_run(w)) {
		flags = pvm_dev_lock(&w->virtio.dev);
		if (!atomic_read(&w->busy))
			pvm_virtio_stopped(&w->virtio);
		pvm_dev_unlock(&w->virtio.dev, flags);
		wake_up(&w->idle);
	}
	rcu_read_unlock();
}

static bool get(struct pvm_virtio_work *w)
{
	atomic_inc(&w->busy);
	smp_mb__after_atomic();	/* pairs with those in stop() and pvm_virtio_quiesce() */
	if (pvm_virtio_may_run(w))
		return true;
	pvm_virtio_work_put(w);
	return false;
}

static int worker_main(void *arg)
{
	struct pvm_virtio_worker *k = arg;
	struct pvm_virtio_work *w = k->work;

	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (!READ_ONCE(k->kicked)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		xchg(&k->kicked, false);	/* before looking at the ring */
		if (!get(w))
			continue;
		/* Acquire: pairs with the release in queue_enable() of pci.c. */
		while (smp_load_acquire(&w->virtio.queue[k->queue].enabled) &&
		       w->ops->run(w, k->queue))
			cond_resched();
		pvm_virtio_work_put(w);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static void stop_threads(struct pvm_virtio_work *w)
{
	u32 i;

	for (i = 0; i < w->virtio.queues; i++)
		if (w->worker[i].task)
			kthread_stop(w->worker[i].task);
}

int pvm_virtio_work_start(struct pvm_virtio_work *w, const struct pvm_virtio_vm *vm,
			  const char *name)
{
	struct pvm_virtio *v = &w->virtio;
	int err;
	u32 i;

	atomic_set(&w->busy, 0);
	init_waitqueue_head(&w->idle);
	err = pvm_dev_attach(&v->dev, &pvm_virtio_dev_ops, vm->dev_host, vm->owner, false);
	if (err)
		return err;
	for (i = 0; i < v->queues; i++) {
		struct pvm_virtio_worker *k = &w->worker[i];
		struct task_struct *t;

		k->work = w;
		k->queue = i;
		t = kthread_create(worker_main, k, "pvm-%s/%u", name, i);
		if (IS_ERR(t)) {
			err = PTR_ERR(t);
			goto err_stop;
		}
		k->task = t;
		wake_up_process(t);
	}
	return 0;

err_stop:
	stop_threads(w);
	pvm_dev_detach(&v->dev);
	return err;
}

void pvm_virtio_work_interrupt(struct pvm_virtio_work *w, u32 queue)
{
	unsigned long flags = pvm_dev_lock(&w->virtio.dev);

	pvm_virtio_interrupt(&w->virtio, queue);
	pvm_dev_unlock(&w->virtio.dev, flags);
}

void pvm_virtio_work_broken(struct pvm_virtio_work *w, u32 queue)
{
	unsigned long flags = pvm_dev_lock(&w->virtio.dev);

	pvm_virtio_broken(&w->virtio, queue);
	pvm_dev_unlock(&w->virtio.dev, flags);
}

/* --- for the board -------------------------------------------------------------- */

static struct pvm_virtio_work *of_fn(struct pvm_pci_fn *fn)
{
	return container_of(fn, struct pvm_virtio_work, virtio.fn);
}

void pvm_virtio_quiesce(struct pvm_pci_fn *fn)
{
	struct pvm_virtio_work *w = of_fn(fn);

	WRITE_ONCE(w->paused, true);
	smp_mb();	/* paused before busy; pairs with the barrier in get() */
	wait_event(w->idle, !atomic_read(&w->busy));
}

void pvm_virtio_resume(struct pvm_pci_fn *fn)
{
	struct pvm_virtio_work *w = of_fn(fn);

	WRITE_ONCE(w->paused, false);
	kick_all(w);
}

u64 pvm_virtio_bytes(struct pvm_pci_fn *fn)
{
	return of_fn(fn)->bytes;
}

void pvm_virtio_free(struct pvm_pci_fn *fn)
{
	struct pvm_virtio_work *w;

	if (!fn)
		return;
	w = of_fn(fn);
	pvm_virtio_quiesce(fn);
	if (w->ops->silence)
		w->ops->silence(w);
	stop_threads(w);
	synchronize_rcu();	/* the last pvm_virtio_work_put() has returned */
	pvm_dev_detach(&w->virtio.dev);
	w->ops->free(w);
}
