// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VM's worker does: start as one transaction, reset, pause, end.
 *
 * The start is a table of steps, each with what undoes it. A step that fails,
 * or a VM that is ended meanwhile, undoes the earlier ones in reverse; the end
 * of a running VM undoes all of them the same way. Undoing cannot fail.
 *
 * Tour 2.2: from nothing to a running guest
 * Look at pvm_steps[]: a step is a pair of up and down. Start goes up, a failure or the
 * end goes down, by the same functions.
 *
 * World:   kernel
 * Context: the VM's worker, may sleep
 */
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include "vm/internal.h"

#define PVM_RAM_PIECE	(256ull << 20)

static int pvm_start_memory(struct pvm_vm *vm, struct pvm_why *why)
{
	u64 total = vm->config.memory_bytes, done = 0;
	int err;

	err = pvm_mem_init(&vm->mem, vm->m.ops->spt_fmt, vm->m.caps.max_leaf_level);
	if (err) {
		pvm_why_set(why, "no memory for the second-level page table");
		return err;
	}
	vm->mem.kick_all = pvm_cpu_flush_all;
	vm->mem.kick_ctx = &vm->m;
	while (done < total) {
		u64 gpa = done < PVM_LOW_RAM_MAX ? done :
						   done - PVM_LOW_RAM_MAX + PVM_HIGH_RAM_BASE;
		u64 part = min(total - done, PVM_RAM_PIECE);

		if (done < PVM_LOW_RAM_MAX)
			part = min(part, PVM_LOW_RAM_MAX - done);
		err = pvm_vm_ending(vm) ? -EINTR :
		      pvm_mem_add_ram(&vm->mem, gpa, part, PVM_PROT_RAM, NUMA_NO_NODE);
		if (err) {
			pvm_why_set(why, err == -EINTR ? "ended while memory was allocated" :
				    "the host gave %llu of %llu MiB: free some, or ask for less",
				    done >> 20, total >> 20);
			pvm_mem_fini(&vm->mem);
			return err;
		}
		done += part;
	}
	return 0;
}

static void pvm_undo_memory(struct pvm_vm *vm)
{
	pvm_mem_fini(&vm->mem);
}

static void pvm_undo_vcpus(struct pvm_vm *vm)
{
	unsigned long flags;
	u32 i, n = vm->lapics.count;

	raw_spin_lock_irqsave(&vm->end_lock, flags);
	vm->live = false;
	vm->lapics.count = 0;
	raw_spin_unlock_irqrestore(&vm->end_lock, flags);
	for (i = 0; i < n; i++) {
		u32 k;

		for (k = 0; k < PVM_EXIT_KINDS; k++)
			vm->end_stat[k] += vm->vcpu[i]->stat[k];
		pvm_vcpu_free(vm->vcpu[i]);
		vm->vcpu[i] = NULL;
		vm->lapics.apic[i] = NULL;
	}
}

static int pvm_start_vcpus(struct pvm_vm *vm, struct pvm_why *why)
{
	u32 i;
	int err;

	memset(vm->end_stat, 0, sizeof(vm->end_stat));
	for (i = 0; i < vm->config.cpus; i++) {
		err = pvm_vcpu_new(&vm->m, i, &vm->vcpu[i]);
		if (err) {
			pvm_why_set(why, "no memory for vCPU %u", i);
			pvm_undo_vcpus(vm);
			return err;
		}
		vm->lapics.count = i + 1;
	}
	return 0;
}

static int pvm_start_load(struct pvm_vm *vm, struct pvm_why *why)
{
	int err;

	pvm_board_reset(vm);
	err = pvm_board_lay_tables(vm, why);
	if (!err)
		err = pvm_vm_lay(vm, why);
	if (!err)
		pvm_vm_apply_entry(vm);
	return err;
}

static void pvm_undo_run(struct pvm_vm *vm)
{
	u32 i;

	for (i = 0; i < vm->lapics.count; i++)
		pvm_vcpu_stop(vm->vcpu[i]);
	pvm_board_pause(vm);
}

static int pvm_start_run(struct pvm_vm *vm, struct pvm_why *why)
{
	unsigned long flags;
	u64 tsc;
	u32 i;
	int err;

	/* All start from one TSC. */
	tsc = vm->vcpu[0]->tsc_offset;
	for (i = 1; i < vm->lapics.count; i++) {
		vm->vcpu[i]->tsc_offset = tsc;
		vm->m.ops->tsc_offset(vm->vcpu[i], tsc);
	}
	pvm_board_resume(vm);
	raw_spin_lock_irqsave(&vm->end_lock, flags);
	vm->live = true;
	raw_spin_unlock_irqrestore(&vm->end_lock, flags);
	for (i = 0; i < vm->lapics.count; i++) {
		err = pvm_vcpu_start(vm->vcpu[i], vm->config.pin[i], vm->config.name);
		if (err) {
			if (err == -EINVAL)
				pvm_why_set(why, "no CPU of the module's parameter cpus is online; bring one online or pin the vCPUs, as cpus = 2-3");
			else
				pvm_why_set(why, "the thread of vCPU %u could not be made", i);
			pvm_undo_run(vm);
			return err;
		}
	}
	vm->started_ns = ktime_get_ns();
	return 0;
}

static void pvm_undo_nothing(struct pvm_vm *vm)
{
}

static const struct pvm_step {
	const char *name;
	int  (*up)(struct pvm_vm *vm, struct pvm_why *why);
	void (*down)(struct pvm_vm *vm);
} pvm_steps[] = {
	{ "memory",	pvm_start_memory,	pvm_undo_memory },
	{ "board",	pvm_board_new,		pvm_board_free },
	{ "vcpus",	pvm_start_vcpus,	pvm_undo_vcpus },
	{ "disks",	pvm_board_add_disks,	pvm_board_remove_io },
	{ "network",	pvm_board_add_nets,	pvm_undo_nothing },
	{ "devices",	pvm_board_add_devices,	pvm_board_remove_devices },
	{ "load",	pvm_start_load,		pvm_undo_nothing },
	{ "run",	pvm_start_run,		pvm_undo_run },
};

static void pvm_start_undo(struct pvm_vm *vm)
{
	while (vm->steps_up)
		pvm_steps[--vm->steps_up].down(vm);
	pvm_hw_put(&vm->hw);
	/* Locks and exclusive opens of images hang on these. */
	pvm_vm_free_config(vm);
}

static void pvm_start_told(struct pvm_vm *vm, const struct pvm_step *s, u64 began_ns, int err,
			   const struct pvm_why *why)
{
	pvm_vm_notify(vm, &(struct pvm_notify){
		.notice = PVM_NOTICE_STEP,
		.step = s->name,
		.text = err ? why->text : NULL,
		.took_ns = ktime_get_ns() - began_ns,
		.error = err,
	});
}

/* The start failed: the sentence becomes the reason, unless an end came first. */
static void pvm_start_failed(struct pvm_vm *vm, const struct pvm_why *why)
{
	bool orphan;

	pvm_vm_kill(vm, PVM_END_HOST, "%s", why->text);
	pvm_start_undo(vm);
	pvm_console_end(vm->console);
	mutex_lock(&vm->lock);
	orphan = vm->orphan;
	/* From FAILED on anybody may take the VM out of the list. */
	if (orphan)
		pvm_vm_get(vm);
	pvm_vm_set_state(vm, PVM_STATE_FAILED);
	mutex_unlock(&vm->lock);
	/*
	 * Not from here, where the last put would wait for this very worker; and before
	 * the module may go.
	 */
	if (orphan)
		pvm_vm_unlist_later(vm);
	if (vm->module_held)
		module_put(THIS_MODULE);
	vm->module_held = false;
}

#if defined(PVM_DEBUG) && defined(CONFIG_FAULT_INJECTION)
/* Test aid of debug builds: the how-manieth allocation of a start fails. 0: none. */
static unsigned int pvm_fail_nth;
module_param_named(fail_nth, pvm_fail_nth, uint, 0600);
MODULE_PARM_DESC(fail_nth, "which allocation of a start fails (debug builds)");

static void pvm_start_inject(bool on)
{
	current->fail_nth = on ? READ_ONCE(pvm_fail_nth) : 0;
}
#else
static void pvm_start_inject(bool on)
{
}
#endif

void pvm_vm_start_work(struct work_struct *w)
{
	struct pvm_vm *vm = container_of(w, struct pvm_vm, start_work);
	struct pvm_why why = { };
	struct mem_cgroup *old;
	int err = 0;

	old = set_active_memcg(vm->memcg);
	pvm_start_inject(true);
	while (vm->steps_up < ARRAY_SIZE(pvm_steps)) {
		const struct pvm_step *s = &pvm_steps[vm->steps_up];
		u64 began = ktime_get_ns();

		err = s->up(vm, &why);
		if (!err && pvm_vm_ending(vm) && vm->steps_up + 1 < ARRAY_SIZE(pvm_steps)) {
			vm->steps_up++;
			err = -EINTR;
			pvm_why_set(&why, "ended during its start");
		} else if (!err) {
			vm->steps_up++;
		} else if (!why.text[0]) {
			pvm_why_set(&why, "%s: error %d", s->name, err);
		}
		pvm_start_told(vm, s, began, err, &why);
		if (err)
			break;
	}
	pvm_start_inject(false);
	set_active_memcg(old);
	if (err) {
		pvm_start_failed(vm, &why);
		return;
	}
	mutex_lock(&vm->lock);
	pvm_vm_set_state(vm, PVM_STATE_RUNNING);
	mutex_unlock(&vm->lock);
	/* Killed after the last look, before there were vCPUs to be stopped. */
	if (pvm_vm_ending(vm))
		queue_work(vm->wq, &vm->end_work);
}

void pvm_vm_end_work(struct work_struct *w)
{
	struct pvm_vm *vm = container_of(w, struct pvm_vm, end_work);

	mutex_lock(&vm->lock);
	if (vm->state != PVM_STATE_RUNNING && vm->state != PVM_STATE_PAUSED) {
		mutex_unlock(&vm->lock);
		return;
	}
	pvm_vm_set_state(vm, PVM_STATE_STOPPING);
	mutex_unlock(&vm->lock);
	pvm_start_undo(vm);
	pvm_console_end(vm->console);
	mutex_lock(&vm->lock);
	pvm_vm_set_state(vm, PVM_STATE_ENDED);
	mutex_unlock(&vm->lock);
	if (vm->module_held)
		module_put(THIS_MODULE);
	vm->module_held = false;
}

/* Deferred: no vCPU is in the guest. */
void pvm_vm_reset_work(struct work_struct *w)
{
	struct pvm_vm *vm = container_of(w, struct pvm_vm, reset_work);
	struct pvm_why why = { };
	u32 i;

	if (!pvm_vm_ending(vm) && vm->steps_up == ARRAY_SIZE(pvm_steps)) {
		for (i = 0; i < vm->lapics.count; i++)
			pvm_vcpu_reset(vm->vcpu[i], false);
		for (i = 1; i < vm->lapics.count; i++) {
			vm->vcpu[i]->tsc_offset = vm->vcpu[0]->tsc_offset;
			vm->m.ops->tsc_offset(vm->vcpu[i], vm->vcpu[i]->tsc_offset);
		}
		if (pvm_start_load(vm, &why))
			pvm_vm_kill(vm, PVM_END_HOST, "reset: %s", why.text);
		vm->resets++;
		pvm_vm_notify(vm, &(struct pvm_notify){ .notice = PVM_NOTICE_STATE });
	}
	pvm_vm_defer_done(vm);
}

/* Paused is parked for as long as it lasts. */
void pvm_vm_pause_work(struct work_struct *w)
{
	struct pvm_vm *vm = container_of(w, struct pvm_vm, pause_work);
	u32 state = READ_ONCE(vm->state);
	bool paused = READ_ONCE(vm->paused);

	if (pvm_vm_ending(vm))
		return;
	if (paused && state == PVM_STATE_RUNNING) {
		pvm_cpu_park(&vm->m);
		pvm_cpu_wait_parked(&vm->m);
		pvm_board_pause(vm);
		mutex_lock(&vm->lock);
		pvm_vm_set_state(vm, PVM_STATE_PAUSED);
		mutex_unlock(&vm->lock);
	} else if (!paused && state == PVM_STATE_PAUSED) {
		pvm_board_resume(vm);
		mutex_lock(&vm->lock);
		pvm_vm_set_state(vm, PVM_STATE_RUNNING);
		mutex_unlock(&vm->lock);
		pvm_cpu_unpark(&vm->m);
	}
}
