// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPU objects: creation, reset states, start and stop of their threads, and where
 * these may run.
 *
 * World:   kernel
 * Context: process, may sleep; reset: owner thread or parked
 * Spec:    SDM3 "Processor State After Reset"; APM2 14.1.3
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "cpu/cpu.h"

static void pvm_vcpu_reset_seg(struct pvm_regs *r)
{
	u32 i;

	for (i = PVM_ES; i <= PVM_GS; i++)
		r->seg[i] = (struct pvm_seg){ 0, 0x93, 0xffff, 0 };
	r->seg[PVM_CS] = (struct pvm_seg){ 0xf000, 0x9b, 0xffff, 0xffff0000 };
	r->seg[PVM_LDTR] = (struct pvm_seg){ 0, 0x82, 0xffff, 0 };
	r->seg[PVM_TR] = (struct pvm_seg){ 0, 0x8b, 0xffff, 0 };
	r->gdtr = (struct pvm_dtr){ 0, 0xffff };
	r->idtr = (struct pvm_dtr){ 0, 0xffff };
	r->cpl = 0;
}

void pvm_vcpu_reset(struct pvm_vcpu *v, bool init_only)
{
	struct pvm_cpuid_regs sig;
	struct pvm_regs *r = &v->regs;
	u64 cd = init_only ? r->cr0 & (PVM_CR0_CD | PVM_CR0_NW) : PVM_CR0_CD | PVM_CR0_NW;

	pvm_cpuid_lookup(v->m->cpuid, 1, 0, v->index, 0, 1, 0, &sig);
	memset(r, 0, sizeof(*r));
	pvm_vcpu_reset_seg(r);
	r->rip = 0xfff0;
	r->rflags = PVM_FLAG_FIXED;
	r->cr0 = cd | PVM_CR0_ET;
	r->gpr[PVM_RDX] = sig.eax;
	r->dr6 = 0xffff0ff0;
	r->dr7 = 0x400;
	memset(v->db, 0, sizeof(v->db));
	v->again.type = PVM_EVENT_NONE;
	v->exception.type = PVM_EVENT_NONE;
	v->nmi_pending = false;
	v->injected = false;
	v->window = 0;
	v->event_check = true;
	pvm_msr_reset(v, init_only);
	pvm_fpu_reset(&v->fpu, init_only);
	pvm_lapic_reset(&v->lapic, v->index == 0, init_only);
	if (!init_only) {
		pvm_time_set_tsc(v, 0);
		v->tsc_adjust = 0;
		v->run = v->index ? PVM_RUN_WAIT_SIPI : PVM_RUN_READY;
	}
	v->m->ops->vcpu_reset(v);
}

int pvm_vcpu_new(struct pvm_cpu_vm *m, u32 index, struct pvm_vcpu **vp)
{
	struct pvm_vcpu *v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	int err;

	if (!v)
		return -ENOMEM;
	v->m = m;
	v->index = index;
	v->cpu = -1;
	v->lapic.host = &pvm_vcpu_lapic_host;
	v->lapic.owner = v;
	v->lapic.id = index;
	v->lapic.set = m->lapics;
	pvm_time_init(v);
	err = pvm_fpu_new(&v->fpu, m->cpuid->xcr0_mask);
	if (err)
		goto err_free;
	v->fpu.host_xcr0 = pvm_host_xcr0();
	v->fpu.host_xss = pvm_host_xss();
	err = m->ops->vcpu_init(v);
	if (err)
		goto err_free_fpu;
	m->lapics->apic[index] = &v->lapic;
	pvm_vcpu_reset(v, false);
	*vp = v;
	return 0;

err_free_fpu:
	pvm_fpu_free(&v->fpu);
err_free:
	kfree(v);
	return err;
}

void pvm_vcpu_free(struct pvm_vcpu *v)
{
	if (!v)
		return;
	pvm_time_stop(v);
	v->m->ops->vcpu_fini(v);
	pvm_fpu_free(&v->fpu);
	kfree_sensitive(v);
}

/* Where vCPUs without a CPU of their own may run; empty: everywhere. */
static struct cpumask pvm_vcpu_cpus;
static char *cpus;
module_param(cpus, charp, 0444);
MODULE_PARM_DESC(cpus, "host CPUs for vCPUs that are not pinned by their VM's configuration, as 2-5,8 (all)");

int pvm_vcpu_init(void)
{
	if (!cpus)
		return 0;
	if (cpulist_parse(cpus, &pvm_vcpu_cpus) ||
	    !cpumask_intersects(&pvm_vcpu_cpus, cpu_online_mask)) {
		pr_err("passvm: cpus=%s: no list of host CPUs of which one is online (%*pbl are); give it as 2-5,8\n",
		       cpus, cpumask_pr_args(cpu_online_mask));
		return -EINVAL;
	}
	return 0;
}

void pvm_vcpu_exit(void)
{
}

static int pvm_vcpu_place(struct task_struct *t)
{
	return cpumask_empty(&pvm_vcpu_cpus) ? 0 : set_cpus_allowed_ptr(t, &pvm_vcpu_cpus);
}

void pvm_vcpu_place_self(struct pvm_vcpu *v)
{
	/* Kernels from 6.14 on spread a new thread over its node when it first runs. */
	if (!v->bound)
		pvm_vcpu_place(current);
}

int pvm_vcpu_start(struct pvm_vcpu *v, int pin, const char *vm_name)
{
	struct task_struct *t;
	int err;

	clear_bit(PVM_REQ_STOP, &v->requests);
	t = kthread_create(pvm_vcpu_thread, v, "pvm-%.8s/%u", vm_name, v->index);
	if (IS_ERR(t))
		return PTR_ERR(t);
	v->bound = pin >= 0;
	if (pin >= 0) {
		kthread_bind(t, pin);
	} else {
		err = pvm_vcpu_place(t);
		if (err) {	/* all of them have gone offline */
			kthread_stop(t);
			return err;
		}
	}
	get_task_struct(t);
	WRITE_ONCE(v->thread, t);
	wake_up_process(t);
	return 0;
}

void pvm_vcpu_stop(struct pvm_vcpu *v)
{
	struct task_struct *t = v->thread;

	if (!t)
		return;
	pvm_vcpu_request(v, PVM_REQ_STOP);
	kthread_stop(t);
	WRITE_ONCE(v->thread, NULL);
	put_task_struct(t);
}
