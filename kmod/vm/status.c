// SPDX-License-Identifier: GPL-2.0-only
/*
 * What status, stats and check read.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pci.h>
#include "vm/internal.h"

/* Everything a VM costs beyond its RAM. */
static u64 pvm_vm_kernel_bytes(struct pvm_vm *vm)
{
	u64 per_vcpu = sizeof(struct pvm_vcpu) + 4 * PAGE_SIZE;

	return sizeof(*vm) + PVM_CONSOLE_BYTES + pvm_board_bytes(vm) + vm->io_bytes +
	       vm->mem.stats.table_bytes + vm->lapics.count * per_vcpu;
}

void pvm_vm_status(struct pvm_vm *vm, struct pvm_vm_status *s)
{
	unsigned long flags;

	memset(s, 0, sizeof(*s));
	memcpy(s->name, vm->config.name, sizeof(s->name));
	s->id = vm->id;
	s->state = READ_ONCE(vm->state);
	s->cpus = vm->config.cpus;
	s->memory_bytes = vm->config.memory_bytes;
	s->resets = READ_ONCE(vm->resets);
	s->disks = vm->disks;
	s->nets = vm->nets;
	s->devices = vm->devices;
	s->vendor = vm->m.ops->name;
	if (s->state == PVM_STATE_RUNNING || s->state == PVM_STATE_PAUSED) {
		s->running_ns = ktime_get_ns() - vm->started_ns;
		s->kernel_bytes = pvm_vm_kernel_bytes(vm);
		s->large_pages = vm->mem.stats.large_pages;
		s->small_pages = vm->mem.stats.small_pages;
	}
	raw_spin_lock_irqsave(&vm->end_lock, flags);
	s->end = vm->end;
	s->end_value = vm->end_value;
	memcpy(s->reason, vm->reason, sizeof(s->reason));
	raw_spin_unlock_irqrestore(&vm->end_lock, flags);
}

static const struct {
	const char *name;
	size_t offset;
} pvm_vm_stats[] = {
	{ "interrupts", offsetof(struct pvm_vcpu, stat_irqs) },
	{ "nmis", offsetof(struct pvm_vcpu, stat_nmis) },
	{ "windows", offsetof(struct pvm_vcpu, stat_windows) },
	{ "halts", offsetof(struct pvm_vcpu, stat_halts) },
};

/* One vCPU's counter; vm->lock held, so the vCPU stays. */
static u64 pvm_vm_one_stat(struct pvm_vm *vm, u32 cpu, u32 index)
{
	struct pvm_vcpu *v = vm->vcpu[cpu];

	if (!v)
		return 0;
	if (index < PVM_EXIT_KINDS)
		return READ_ONCE(v->stat[index]);
	return READ_ONCE(*(u64 *)((void *)v + pvm_vm_stats[index - PVM_EXIT_KINDS].offset));
}

int pvm_vm_stat(struct pvm_vm *vm, int cpu, u32 index, const char **name, u64 *value)
{
	u32 i;

	if (index >= PVM_EXIT_KINDS + ARRAY_SIZE(pvm_vm_stats))
		return -ENOENT;
	if (cpu >= (int)vm->config.cpus)
		return -EINVAL;
	*name = index < PVM_EXIT_KINDS ? pvm_exit_names[index] :
					 pvm_vm_stats[index - PVM_EXIT_KINDS].name;
	*value = 0;
	mutex_lock(&vm->lock);
	if (vm->state == PVM_STATE_RUNNING || vm->state == PVM_STATE_PAUSED) {
		for (i = 0; i < vm->config.cpus; i++)
			if (cpu < 0 || i == cpu)
				*value += pvm_vm_one_stat(vm, i, index);
	} else if (index < PVM_EXIT_KINDS && cpu < 0) {
		*value = vm->end_stat[index];
	}
	mutex_unlock(&vm->lock);
	return 0;
}

int pvm_vm_device(struct pvm_vm *vm, u32 index, u32 *domain, u32 *bus, u32 *devfn)
{
	const struct pvm_pass_sel *d = &vm->device[index];

	if (index >= vm->devices)
		return -ENOENT;
	*domain = d->domain;
	*bus = d->bus;
	*devfn = d->slot << 3 | d->function;
	return 0;
}

/* The first PCI device behind an IOMMU answers for all: they share the setting. */
static void pvm_vm_iommu_facts(struct pvm_facts *f)
{
	struct iommu_group *group = NULL;
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		group = iommu_group_get(&pdev->dev);
		if (group)
			break;
	}
	f->iommu = group;
	f->interrupt_remapping = group && iommu_group_has_isolated_msi(group);
	if (group)
		iommu_group_put(group);
	pci_dev_put(pdev);
}

void pvm_vm_facts(struct pvm_facts *f)
{
	const struct pvm_cpu_ops *ops;
	struct pvm_cpu_caps caps;

	memset(f, 0, sizeof(*f));
	f->vendor = "";
	f->owner = "none";
	if (!pvm_hw_probe(&ops, &caps, NULL)) {
		f->vendor = ops->name;
		f->virt = true;
		f->nested_paging = true;	/* the probe insists */
		f->owner = pvm_hw_owner();
	}
	pvm_vm_iommu_facts(f);
}
