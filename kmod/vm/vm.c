// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of VMs, their references, states and ends.
 *
 * A VM ends once: pvm_vm_kill() records the first reason, asks the vCPUs to stop
 * and queues the end on the VM's own worker. The worker runs one job after the
 * other (start, deferred work of devices, reset, pause, end), so none of them
 * needs to look out for another.
 *
 * World:   kernel
 * Context: process, may sleep; pvm_vm_kill(), pvm_vm_defer() and
 *          pvm_vm_reset_request(): any
 */
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/tsc.h>
#include "vm/internal.h"

static DEFINE_MUTEX(pvm_vms_lock);
static LIST_HEAD(pvm_vms);		/* guarded by pvm_vms_lock */
static struct workqueue_struct *pvm_vms_wq;	/* what a VM's own worker cannot do */
static u32 pvm_vms_last_id;		/* guarded by pvm_vms_lock */

void pvm_vm_get(struct pvm_vm *vm)
{
	kref_get(&vm->ref);
}

static void pvm_vm_release(struct kref *ref)
{
	struct pvm_vm *vm = container_of(ref, struct pvm_vm, ref);

	/* Whatever is still queued finds nothing to do. */
	destroy_workqueue(vm->wq);
	pvm_vm_free_config(vm);
	pvm_hw_put(&vm->hw);
	pvm_console_end(vm->console);
	pvm_console_free(vm->console);
	if (vm->memcg)
		mem_cgroup_put(vm->memcg);
	if (vm->module_held)
		module_put(THIS_MODULE);
	kvfree(vm);
}

void pvm_vm_put(struct pvm_vm *vm)
{
	kref_put(&vm->ref, pvm_vm_release);
}

struct pvm_vm *pvm_vm_find(const char *name)
{
	struct pvm_vm *vm, *found = NULL;

	mutex_lock(&pvm_vms_lock);
	list_for_each_entry(vm, &pvm_vms, node)
		if (!strcmp(vm->config.name, name)) {
			found = vm;
			pvm_vm_get(found);
			break;
		}
	mutex_unlock(&pvm_vms_lock);
	return found;
}

/* By id, so that it does not matter when @vm has left the list meanwhile. */
struct pvm_vm *pvm_vm_next(struct pvm_vm *vm)
{
	struct pvm_vm *i, *next = NULL;

	mutex_lock(&pvm_vms_lock);
	list_for_each_entry(i, &pvm_vms, node)
		if (!vm || i->id > vm->id) {
			next = i;
			pvm_vm_get(next);
			break;
		}
	mutex_unlock(&pvm_vms_lock);
	if (vm)
		pvm_vm_put(vm);
	return next;
}

void pvm_vm_unlist(struct pvm_vm *vm)
{
	bool was;

	mutex_lock(&pvm_vms_lock);
	was = vm->listed;
	if (was) {
		list_del_init(&vm->node);
		vm->listed = false;
	}
	mutex_unlock(&pvm_vms_lock);
	if (was)
		pvm_vm_put(vm);
}

static void pvm_vm_unlist_work(struct work_struct *w)
{
	struct pvm_vm *vm = container_of(w, struct pvm_vm, unlist_work);

	pvm_vm_unlist(vm);
	pvm_vm_put(vm);
}

/* Takes over a reference of the caller. */
void pvm_vm_unlist_later(struct pvm_vm *vm)
{
	queue_work(pvm_vms_wq, &vm->unlist_work);
}

/* Puts @vm into the list in place of an ended one of its name. */
static int pvm_vm_list(struct pvm_vm *vm, struct pvm_why *why)
{
	struct pvm_vm *i, *old = NULL;

	mutex_lock(&pvm_vms_lock);
	list_for_each_entry(i, &pvm_vms, node) {
		u32 state = READ_ONCE(i->state);

		if (strcmp(i->config.name, vm->config.name))
			continue;
		if (state != PVM_STATE_ENDED && state != PVM_STATE_FAILED) {
			mutex_unlock(&pvm_vms_lock);
			pvm_why_set(why, "a virtual machine named %s exists already: stop it first",
				    vm->config.name);
			return -EEXIST;
		}
		old = i;
	}
	if (old) {
		list_del_init(&old->node);
		old->listed = false;
	}
	vm->id = ++pvm_vms_last_id;
	list_add_tail(&vm->node, &pvm_vms);
	vm->listed = true;
	pvm_vm_get(vm);
	mutex_unlock(&pvm_vms_lock);
	if (old)
		pvm_vm_put(old);
	return 0;
}

static int pvm_vm_check_config(const struct pvm_vm_config *c, struct pvm_why *why)
{
	if (!c->cpus || c->cpus > PVM_MAX_VCPUS) {
		pvm_why_set(why, "cpus must be 1 to %u, not %u", PVM_MAX_VCPUS, c->cpus);
		return -EINVAL;
	}
	if (c->memory_bytes < PVM_LARGE_BYTES || c->memory_bytes > PVM_MEM_MAX_RAM_BYTES ||
	    c->memory_bytes & (PVM_LARGE_BYTES - 1)) {
		pvm_why_set(why, "memory must be a multiple of 2 MiB, from 2 MiB to 1 TiB");
		return -EINVAL;
	}
	if (c->memory_bytes >> PAGE_SHIFT > totalram_pages()) {
		pvm_why_set(why, "memory: %llu MiB asked for, the host has %lu MiB in all",
			    c->memory_bytes >> 20, totalram_pages() >> (20 - PAGE_SHIFT));
		return -ENOMEM;
	}
	return 0;
}

static void pvm_vm_park_work(struct work_struct *w)
{
	struct pvm_vm *vm = container_of(w, struct pvm_vm, park_work);

	pvm_cpu_wait_parked(&vm->m);
}

static void pvm_vm_init_works(struct pvm_vm *vm)
{
	INIT_WORK(&vm->unlist_work, pvm_vm_unlist_work);
	INIT_WORK(&vm->start_work, pvm_vm_start_work);
	INIT_WORK(&vm->end_work, pvm_vm_end_work);
	INIT_WORK(&vm->park_work, pvm_vm_park_work);
	INIT_WORK(&vm->reset_work, pvm_vm_reset_work);
	INIT_WORK(&vm->pause_work, pvm_vm_pause_work);
}

static void pvm_vm_init_cpus(struct pvm_vm *vm, const struct pvm_cpu_ops *ops,
			     const struct pvm_cpu_caps *caps)
{
	static atomic64_t last_id = ATOMIC64_INIT(0);
	struct pvm_cpu_vm *m = &vm->m;

	m->vm = vm;
	m->id = atomic64_inc_return(&last_id);
	m->ops = ops;
	m->caps = *caps;
	m->mem = &vm->mem;
	m->cpuid = &vm->cpuid;
	m->lapics = &vm->lapics;
	m->tsc_khz = pvm_time_tsc_khz();
	m->pause_exits = vm->config.cpus > num_online_cpus();
	atomic_set(&m->stall, 0);
	init_waitqueue_head(&m->stall_wait);
}

static int pvm_vm_build_cpuid(struct pvm_vm *vm, struct pvm_why *why)
{
	struct pvm_cpuid_policy p = {
		.cpus = vm->config.cpus,
		.xcr0_host = pvm_host_xcr0(),
		.tsc_khz = pvm_time_tsc_khz(),
		.x2apic = true,
		.tsc_deadline = true,
		.invariant_tsc = !check_tsc_unstable(),
	};
	int err = pvm_cpuid_build(&vm->cpuid, &p, pvm_host_cpuid);

	if (err) {
		pvm_why_set(why, "the host has more CPUID leaves than passvm keeps");
		return err;
	}
	vm->m.cr4_valid = pvm_cpuid_cr4_valid(&vm->cpuid);
	vm->m.efer_valid = pvm_cpuid_efer_valid(&vm->cpuid);
	return 0;
}

int pvm_vm_new(const struct pvm_vm_config *c, struct pvm_vm **vmp, struct pvm_why *why)
{
	const struct pvm_cpu_ops *ops;
	struct pvm_cpu_caps caps;
	struct pvm_vm *vm;
	int err;

	err = pvm_vm_check_config(c, why);
	if (err)
		return err;
	err = pvm_hw_probe(&ops, &caps, why);
	if (err)
		return err;
	vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return -ENOMEM;
	kref_init(&vm->ref);
	INIT_LIST_HEAD(&vm->node);
	mutex_init(&vm->lock);
	raw_spin_lock_init(&vm->end_lock);
	vm->config = *c;
	pvm_vm_init_works(vm);
	pvm_vm_init_cpus(vm, ops, &caps);
	err = -ENOMEM;
	vm->wq = alloc_ordered_workqueue("pvm-%.16s", 0, c->name);
	if (!vm->wq)
		goto err_free;
	vm->console = pvm_console_new(vm);
	if (!vm->console)
		goto err_free_wq;
	err = pvm_vm_build_cpuid(vm, why);
	if (err)
		goto err_free_console;
	err = pvm_hw_get(&vm->hw, c->kvm_fd, why);
	if (err)
		goto err_free_console;
	vm->memcg = get_mem_cgroup_from_mm(current->mm);
	__module_get(THIS_MODULE);
	vm->module_held = true;
	err = pvm_vm_list(vm, why);
	if (err) {
		pvm_vm_put(vm);
		return err;
	}
	*vmp = vm;
	return 0;

err_free_console:
	pvm_console_free(vm->console);
err_free_wq:
	destroy_workqueue(vm->wq);
err_free:
	kvfree(vm);
	if (err == -ENOMEM)
		pvm_why_set(why, "no memory for the virtual machine's own data");
	return err;
}

void pvm_vm_set_state(struct pvm_vm *vm, u32 state)
{
	WRITE_ONCE(vm->state, state);
	pvm_vm_notify(vm, &(struct pvm_notify){ .notice = PVM_NOTICE_STATE });
}

bool pvm_vm_ending(struct pvm_vm *vm)
{
	return READ_ONCE(vm->end) != PVM_END_NONE;
}

void pvm_vm_kill(struct pvm_vm *vm, enum pvm_end why, const char *fmt, ...)
{
	unsigned long flags;
	va_list args;
	u32 i;

	raw_spin_lock_irqsave(&vm->end_lock, flags);
	if (vm->end == PVM_END_NONE) {
		WRITE_ONCE(vm->end, why);
		va_start(args, fmt);
		vscnprintf(vm->reason, sizeof(vm->reason), fmt, args);
		va_end(args);
	}
	if (vm->live) {
		for (i = 0; i < vm->lapics.count; i++)
			pvm_vcpu_request(vm->vcpu[i], PVM_REQ_STOP);
		queue_work(vm->wq, &vm->end_work);
	}
	raw_spin_unlock_irqrestore(&vm->end_lock, flags);
}

bool pvm_vm_defer(struct pvm_vm *vm, struct work_struct *work)
{
	pvm_cpu_park(&vm->m);
	queue_work(vm->wq, &vm->park_work);
	if (queue_work(vm->wq, work))
		return true;
	/* It waits in the queue already and will see what has changed. */
	pvm_cpu_unpark(&vm->m);
	return false;
}

void pvm_vm_defer_done(struct pvm_vm *vm)
{
	pvm_cpu_unpark(&vm->m);
}

void pvm_vm_reset_request(struct pvm_vm *vm)
{
	pvm_vm_defer(vm, &vm->reset_work);
}

/* Refuses unless the VM is in one of the states of @mask. vm->lock held. */
static int pvm_vm_want(struct pvm_vm *vm, u32 mask, const char *what, struct pvm_why *why)
{
	static const char *const names[] = {
		[PVM_STATE_BUILD] = "being built", [PVM_STATE_STARTING] = "starting",
		[PVM_STATE_RUNNING] = "running", [PVM_STATE_PAUSED] = "paused",
		[PVM_STATE_STOPPING] = "stopping", [PVM_STATE_ENDED] = "ended",
		[PVM_STATE_FAILED] = "not running: its start failed",
	};

	lockdep_assert_held(&vm->lock);
	if (BIT(vm->state) & mask)
		return 0;
	pvm_why_set(why, "%s cannot be %s: it is %s", vm->config.name, what, names[vm->state]);
	return -EINVAL;
}

int pvm_vm_start(struct pvm_vm *vm, struct pvm_why *why)
{
	int err;

	mutex_lock(&vm->lock);
	err = pvm_vm_want(vm, BIT(PVM_STATE_BUILD), "started", why);
	if (!err)
		pvm_vm_set_state(vm, PVM_STATE_STARTING);
	mutex_unlock(&vm->lock);
	if (!err)
		queue_work(vm->wq, &vm->start_work);
	return err;
}

void pvm_vm_builder_gone(struct pvm_vm *vm)
{
	bool remove;

	mutex_lock(&vm->lock);
	vm->orphan = true;
	remove = vm->state == PVM_STATE_BUILD || vm->state == PVM_STATE_FAILED;
	if (vm->state == PVM_STATE_STARTING)
		pvm_vm_kill(vm, PVM_END_KILL, "its builder went away during the start");
	if (vm->state == PVM_STATE_BUILD)
		WRITE_ONCE(vm->state, PVM_STATE_FAILED);
	mutex_unlock(&vm->lock);
	if (remove)
		pvm_vm_unlist(vm);
}

int pvm_vm_power_button(struct pvm_vm *vm, struct pvm_why *why)
{
	int err;

	mutex_lock(&vm->lock);
	err = pvm_vm_want(vm, BIT(PVM_STATE_RUNNING), "stopped", why);
	if (!err)
		pvm_board_power_button(vm);
	mutex_unlock(&vm->lock);
	return err;
}

int pvm_vm_reboot(struct pvm_vm *vm, struct pvm_why *why)
{
	int err;

	mutex_lock(&vm->lock);
	err = pvm_vm_want(vm, BIT(PVM_STATE_RUNNING), "rebooted", why);
	if (!err)
		pvm_vm_reset_request(vm);
	mutex_unlock(&vm->lock);
	return err;
}

static int pvm_vm_set_paused(struct pvm_vm *vm, bool paused, struct pvm_why *why)
{
	int err;

	mutex_lock(&vm->lock);
	err = pvm_vm_want(vm, paused ? BIT(PVM_STATE_RUNNING) : BIT(PVM_STATE_PAUSED),
			  paused ? "paused" : "resumed", why);
	if (!err) {
		vm->paused = paused;
		queue_work(vm->wq, &vm->pause_work);
	}
	mutex_unlock(&vm->lock);
	return err;
}

int pvm_vm_pause(struct pvm_vm *vm, struct pvm_why *why)
{
	return pvm_vm_set_paused(vm, true, why);
}

int pvm_vm_resume(struct pvm_vm *vm, struct pvm_why *why)
{
	return pvm_vm_set_paused(vm, false, why);
}

int pvm_vm_forget(struct pvm_vm *vm, struct pvm_why *why)
{
	int err;

	mutex_lock(&vm->lock);
	err = pvm_vm_want(vm, BIT(PVM_STATE_ENDED) | BIT(PVM_STATE_FAILED), "forgotten", why);
	mutex_unlock(&vm->lock);
	if (!err)
		pvm_vm_unlist(vm);
	return err;
}

/* Suspend is refused while a VM lives; at reboot all are ended and waited for. */
static int pvm_vms_host_event(const char *what)
{
	struct pvm_vm *vm = NULL;
	bool suspend = !strcmp(what, "suspend");
	u32 tries;

	while ((vm = pvm_vm_next(vm))) {
		u32 state = READ_ONCE(vm->state);

		if (state == PVM_STATE_ENDED || state == PVM_STATE_FAILED)
			continue;
		if (suspend) {
			pvm_err("suspend refused: %s is running: stop it first", vm->config.name);
			pvm_vm_put(vm);
			return -EBUSY;
		}
		pvm_vm_kill(vm, PVM_END_HOST, "the host shuts down");
		for (tries = 0; tries < 500; tries++) {
			state = READ_ONCE(vm->state);
			if (state == PVM_STATE_ENDED || state == PVM_STATE_FAILED ||
			    state == PVM_STATE_BUILD)
				break;
			schedule_timeout_uninterruptible(msecs_to_jiffies(10));
		}
	}
	return 0;
}

int pvm_vms_init(void)
{
	pvm_vms_wq = alloc_workqueue("passvm", WQ_UNBOUND, 0);
	if (!pvm_vms_wq)
		return -ENOMEM;
	pvm_hw_host_event = pvm_vms_host_event;
	return 0;
}

void pvm_vms_exit(void)
{
	struct pvm_vm *vm = NULL;

	/* Only ended ones can be left: a live VM holds the module. */
	flush_workqueue(pvm_vms_wq);
	while ((vm = pvm_vm_next(vm)))
		pvm_vm_unlist(vm);
	pvm_hw_host_event = NULL;
	destroy_workqueue(pvm_vms_wq);
}
