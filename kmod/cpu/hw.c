// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who switches hardware virtualisation on, and when it goes off.
 *
 * While a VM holds it, every online CPU has it on: switched on by us where
 * nobody has it on, or by KVM, whose VM descriptor we then hold so that KVM
 * keeps it on through hotplug, suspend and reboot. What another owner switched
 * on is never switched off here.
 *
 * Suspend and hibernation are refused while a VM runs on our own hold; at
 * reboot the VMs are ended and our CPUs are switched off.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/suspend.h>
#include "cpu/cpu.h"

/*
 * Locking key
 *  (c) constant after pvm_hw_init
 *  (h) pvm_hw_lock
 */
static DEFINE_MUTEX(pvm_hw_lock);
static const struct pvm_cpu_ops *pvm_hw_ops;	/* (c) NULL: no usable processor */
static struct pvm_cpu_caps pvm_hw_caps;		/* (c) */
static struct pvm_why pvm_hw_reason;		/* (c) why not */
static u32 pvm_hw_users;			/* (h) VMs on our own hold */
/* (h) written; read by hotplug under cpus_read_lock */
static bool pvm_hw_on;
static int pvm_hw_cpuhp = -1;			/* (c) */

int (*pvm_hw_host_event)(const char *what);

static const struct pvm_cpu_ops *const pvm_hw_vendors[] = { &pvm_svm_ops };

/* What the hot calls lead to before a vendor is chosen: nothing may get here. */
void pvm_cpu_none(struct pvm_vcpu *v)
{
	WARN_ON_ONCE(1);
}

void pvm_cpu_none_decode(struct pvm_vcpu *v, struct pvm_exit *x)
{
	WARN_ON_ONCE(1);
	x->kind = PVM_EXIT_BROKEN;
}

void pvm_cpu_none_regs(struct pvm_vcpu *v, u32 groups)
{
	WARN_ON_ONCE(1);
}

DEFINE_STATIC_CALL(pvm_cpu_enter, pvm_cpu_none);
DEFINE_STATIC_CALL(pvm_cpu_decode, pvm_cpu_none_decode);
DEFINE_STATIC_CALL(pvm_cpu_regs_get, pvm_cpu_none_regs);

static void pvm_hw_patch_calls(const struct pvm_cpu_ops *ops)
{
	static_call_update(pvm_cpu_enter, ops->enter);
	static_call_update(pvm_cpu_decode, ops->decode);
	static_call_update(pvm_cpu_regs_get, ops->regs_get);
}

int pvm_hw_probe(const struct pvm_cpu_ops **ops, struct pvm_cpu_caps *caps, struct pvm_why *why)
{
	if (!pvm_hw_ops) {
		pvm_why_set(why, "%s", pvm_hw_reason.text);
		return -ENODEV;
	}
	*ops = pvm_hw_ops;
	*caps = pvm_hw_caps;
	return 0;
}

static void pvm_hw_cpu_on(void *failed)
{
	unsigned long flags;

	local_irq_save(flags);
	if (pvm_hw_ops->cpu_on())
		atomic_inc(failed);
	local_irq_restore(flags);
}

static void pvm_hw_cpu_off(void *unused)
{
	unsigned long flags;

	local_irq_save(flags);
	pvm_hw_ops->cpu_off();
	local_irq_restore(flags);
}

static void pvm_hw_cpu_count(void *on)
{
	if (pvm_hw_ops->cpu_is_on())
		atomic_inc(on);
}

/* On this CPU, before anything else may run a vCPU there, and after all have left it. */
static int pvm_hw_online(unsigned int cpu)
{
	atomic_t failed = ATOMIC_INIT(0);

	if (READ_ONCE(pvm_hw_on))
		pvm_hw_cpu_on(&failed);
	return atomic_read(&failed) ? -EIO : 0;
}

static int pvm_hw_offline(unsigned int cpu)
{
	pvm_hw_cpu_off(NULL);
	return 0;
}

static int pvm_hw_get_own(struct pvm_hw_hold *h, struct pvm_why *why)
{
	atomic_t n = ATOMIC_INIT(0);

	if (!pvm_hw_users) {
		on_each_cpu(pvm_hw_cpu_count, &n, 1);
		if (atomic_read(&n)) {
			pvm_why_set(why, "%s is in use by another hypervisor (kvm_%s or VirtualBox): start with pvmctl, which shares KVM's, or unload it",
				    pvm_hw_ops->name, pvm_hw_caps.vendor == 'A' ? "amd" : "intel");
			return -EBUSY;
		}
		on_each_cpu(pvm_hw_cpu_on, &n, 1);
		if (atomic_read(&n)) {
			on_each_cpu(pvm_hw_cpu_off, NULL, 1);
			pvm_why_set(why, "%s could not be switched on", pvm_hw_ops->name);
			return -EIO;
		}
		WRITE_ONCE(pvm_hw_on, true);
	}
	pvm_hw_users++;
	h->own = true;
	return 0;
}

static int pvm_hw_get_kvm(struct pvm_hw_hold *h, int fd, struct pvm_why *why)
{
	atomic_t n = ATOMIC_INIT(0);
	struct file *file = fget(fd);

	if (!file) {
		pvm_why_set(why, "the KVM VM descriptor %d is not open", fd);
		return -EBADF;
	}
	on_each_cpu(pvm_hw_cpu_count, &n, 1);
	if (atomic_read(&n) != num_online_cpus()) {
		fput(file);
		pvm_why_set(why, "the descriptor handed over does not keep %s on: it is not a KVM VM",
			    pvm_hw_ops->name);
		return -EINVAL;
	}
	on_each_cpu(pvm_hw_cpu_on, &n, 1);	/* only counts: it is on already */
	h->kvm = file;
	return 0;
}

int pvm_hw_get(struct pvm_hw_hold *h, int kvm_fd, struct pvm_why *why)
{
	int err;

	if (!pvm_hw_ops) {
		pvm_why_set(why, "%s", pvm_hw_reason.text);
		return -ENODEV;
	}
	cpus_read_lock();
	mutex_lock(&pvm_hw_lock);
	if (kvm_fd >= 0 && !pvm_hw_users)
		err = pvm_hw_get_kvm(h, kvm_fd, why);
	else
		err = pvm_hw_get_own(h, why);
	mutex_unlock(&pvm_hw_lock);
	cpus_read_unlock();
	return err;
}

void pvm_hw_put(struct pvm_hw_hold *h)
{
	if (h->kvm)
		fput(h->kvm);
	if (h->own) {
		cpus_read_lock();
		mutex_lock(&pvm_hw_lock);
		if (!--pvm_hw_users) {
			WRITE_ONCE(pvm_hw_on, false);
			on_each_cpu(pvm_hw_cpu_off, NULL, 1);
		}
		mutex_unlock(&pvm_hw_lock);
		cpus_read_unlock();
	}
	h->kvm = NULL;
	h->own = false;
}

static int pvm_hw_pm_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	if (event != PM_SUSPEND_PREPARE && event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	if (pvm_hw_host_event && pvm_hw_host_event("suspend"))
		return NOTIFY_BAD;
	return NOTIFY_DONE;
}

static int pvm_hw_reboot_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	if (pvm_hw_host_event)
		pvm_hw_host_event("reboot");
	if (pvm_hw_ops)
		on_each_cpu(pvm_hw_cpu_off, NULL, 1);
	return NOTIFY_DONE;
}

static struct notifier_block pvm_hw_pm = { .notifier_call = pvm_hw_pm_event };
static struct notifier_block pvm_hw_reboot = { .notifier_call = pvm_hw_reboot_event };

const char *pvm_hw_owner(void)
{
	atomic_t n = ATOMIC_INIT(0);

	if (!pvm_hw_ops)
		return "none";
	if (READ_ONCE(pvm_hw_on))
		return "passvm";
	on_each_cpu(pvm_hw_cpu_count, &n, 1);
	return atomic_read(&n) ? "kvm" : "none";
}

int pvm_hw_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(pvm_hw_vendors); i++) {
		if (pvm_hw_vendors[i]->probe(&pvm_hw_caps, &pvm_hw_reason))
			continue;
		err = pvm_hw_vendors[i]->hw_init();
		if (err)
			return err;
		pvm_hw_ops = pvm_hw_vendors[i];
		pvm_hw_patch_calls(pvm_hw_ops);
		break;
	}
	if (!pvm_hw_ops) {
		/* Loads all the same: `pvmctl check` then tells why nothing starts. */
		pvm_info("no virtual machine can run: %s", pvm_hw_reason.text);
		return 0;
	}
	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "passvm:online", pvm_hw_online,
				pvm_hw_offline);
	if (err < 0)
		goto err_hw;
	pvm_hw_cpuhp = err;
	err = register_pm_notifier(&pvm_hw_pm);
	if (err)
		goto err_cpuhp;
	err = register_reboot_notifier(&pvm_hw_reboot);
	if (err)
		goto err_pm;
	return 0;

err_pm:
	unregister_pm_notifier(&pvm_hw_pm);
err_cpuhp:
	cpuhp_remove_state(pvm_hw_cpuhp);
err_hw:
	pvm_hw_ops->hw_exit();
	pvm_hw_ops = NULL;
	return err;
}

void pvm_hw_exit(void)
{
	if (!pvm_hw_ops)
		return;
	unregister_reboot_notifier(&pvm_hw_reboot);
	unregister_pm_notifier(&pvm_hw_pm);
	cpuhp_remove_state(pvm_hw_cpuhp);
	pvm_hw_ops->hw_exit();
	pvm_hw_ops = NULL;
}
