/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernels name differently.
 *
 * Every source is compiled with this header in front. The code is written for
 * the newest kernel; here older ones get helpers with the newest name and
 * signature. Stable kernels drift inside a version, so each difference is asked
 * of the kernel itself: env/probes/NAME.c compiles or it does not, and Kbuild
 * turns success into PVM_HAVE_NAME. Nothing outside this header (and one line
 * of env.h) tests PVM_HAVE_* or a kernel version.
 *
 * One block per change, newest first, headed by the release that made it.
 * Helpers are macros where that saves old kernels from including the header.
 *
 * World:   kernel
 * Context: as the helper's namesake
 */
#ifndef PVM_COMPAT_H
#define PVM_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "passvm needs Linux 6.1 or newer"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0)
#error "passvm has not been tested with kernels newer than 7.3"
#endif

#ifdef __ASSEMBLY__

/* 6.6: switches for mitigations renamed. Untrain what the guest taught the return predictor. */
#if defined(CONFIG_MITIGATION_UNRET_ENTRY) || defined(CONFIG_CPU_UNRET_ENTRY)
#define PVM_UNTRAIN_RET							\
	ALTERNATIVE_2 "", "call entry_untrain_ret", X86_FEATURE_UNRET,	\
			  "call srso_alias_untrain_ret", X86_FEATURE_SRSO_ALIAS
#else
#define PVM_UNTRAIN_RET
#endif

/* 6.3: an IBPB at VM exit alone; before, entry and exit went together. */
#include <asm/cpufeatures.h>
#ifdef X86_FEATURE_IBPB_ON_VMEXIT
#define PVM_FEATURE_IBPB_ON_VMEXIT	X86_FEATURE_IBPB_ON_VMEXIT
#else
#define PVM_FEATURE_IBPB_ON_VMEXIT	X86_FEATURE_ENTRY_IBPB
#endif

#else /* !__ASSEMBLY__ */

/*
 * 7.1 (and 6.12.y): driver_override moved from each bus's device to struct
 * device. PCI is the only bus that we override.
 */
#include <linux/device.h>
#include <linux/string.h>
#ifndef PVM_HAVE_DEVICE_DRIVER_OVERRIDE
#include <linux/pci.h>

static inline int device_set_driver_override(struct device *dev, const char *s)
{
	return driver_set_override(dev, &to_pci_dev(dev)->driver_override, s, s ? strlen(s) : 0);
}

/* The name that is set, into @name; false if none is. Takes the device lock. */
static inline bool pvm_driver_override(struct device *dev, char *name, size_t bytes)
{
	bool set;

	device_lock(dev);
	set = to_pci_dev(dev)->driver_override;
	if (set)
		strscpy(name, to_pci_dev(dev)->driver_override, bytes);
	device_unlock(dev);
	return set;
}
#else
static inline bool pvm_driver_override(struct device *dev, char *name, size_t bytes)
{
	bool set;

	spin_lock(&dev->driver_override.lock);
	set = dev->driver_override.name;
	if (set)
		strscpy(name, dev->driver_override.name, bytes);
	spin_unlock(&dev->driver_override.lock);
	return set;
}
#endif

/* 6.16: "q" says 64 bits where "l" said long. */
#ifndef PVM_HAVE_RDMSRQ
#define rdmsrq(msr, val)		rdmsrl(msr, val)
#define wrmsrq(msr, val)		wrmsrl(msr, val)
#define rdmsrq_safe(msr, val)		rdmsrl_safe(msr, val)
#define wrmsrq_safe(msr, val)		wrmsrl_safe(msr, val)
#define rdmsrq_on_cpu(cpu, msr, val)	rdmsrl_on_cpu(cpu, msr, val)
#define wrmsrq_on_cpu(cpu, msr, val)	wrmsrl_on_cpu(cpu, msr, val)
#define rdmsrq_safe_on_cpu(cpu, msr, val) rdmsrl_safe_on_cpu(cpu, msr, val)
#define wrmsrq_safe_on_cpu(cpu, msr, val) wrmsrl_safe_on_cpu(cpu, msr, val)
#define native_rdmsrq(msr)		__rdmsr(msr)
#define native_wrmsrq(msr, val)		native_wrmsrl(msr, val)
#endif

/* 6.16: from_timer() renamed. */
#ifndef PVM_HAVE_TIMER_CONTAINER_OF
#define timer_container_of(var, callback_timer, timer_fieldname) \
	container_of(callback_timer, typeof(*(var)), timer_fieldname)
#endif

/* 6.13: initialisation takes the callback. */
#ifndef PVM_HAVE_HRTIMER_SETUP
#define hrtimer_setup(timer, callback, clock, mode)	\
do {							\
	struct hrtimer *setup_ = (timer);		\
							\
	hrtimer_init(setup_, clock, mode);		\
	setup_->function = (callback);			\
} while (0)
#endif

/* 6.11: domains are made for a device, and errors have a reason. */
#ifndef PVM_HAVE_IOMMU_PAGING_DOMAIN_ALLOC
#include <linux/err.h>
#include <linux/iommu.h>

static inline struct iommu_domain *iommu_paging_domain_alloc(struct device *dev)
{
	struct iommu_domain *d = iommu_domain_alloc(dev->bus);

	return d ? d : ERR_PTR(-ENOMEM);
}
#endif

/* 6.8: the count to add was always 1. */
#ifndef PVM_HAVE_EVENTFD_SIGNAL_ONE
#include <linux/eventfd.h>
#define eventfd_signal(ctx)	((void)eventfd_signal(ctx, 1))
#endif

/* 6.4: classes have no owner. */
#ifndef PVM_HAVE_CLASS_CREATE_NAME
#include <linux/device/class.h>

static inline struct class *pvm_class_create(const char *name)
{
	static struct lock_class_key key;

	return __class_create(THIS_MODULE, name, &key);
}

#undef class_create
#define class_create(name)	pvm_class_create(name)
#endif

/* 6.15: whether processes are parted by IBPB is no feature bit any more. */
#ifndef X86_FEATURE_USE_IBPB
#define X86_FEATURE_USE_IBPB X86_FEATURE_IBPB
#endif

/* 6.3: one question for isolated interrupts, by group. */
#ifndef PVM_HAVE_IOMMU_ISOLATED_MSI
#include <linux/iommu.h>
#include <linux/irqdomain.h>

static inline int pvm_lacks_intr_remap(struct device *dev, void *unused)
{
	return !device_iommu_capable(dev, IOMMU_CAP_INTR_REMAP);
}

static inline bool iommu_group_has_isolated_msi(struct iommu_group *group)
{
	return irq_domain_check_msi_remap() ||
	       !iommu_group_for_each_dev(group, NULL, pvm_lacks_intr_remap);
}
#endif

/* 6.3: mapping says how it may allocate; before, it was as GFP_KERNEL. */
#ifndef PVM_HAVE_IOMMU_MAP_GFP
#define iommu_map(domain, iova, paddr, size, prot, ...) \
	iommu_map(domain, iova, paddr, size, prot)
#endif

/* 6.3: flags of a mapping are changed by accessors. */
#ifndef PVM_HAVE_VM_FLAGS_SET
#define vm_flags_set(vma, flags)	((void)((vma)->vm_flags |= (flags)))
#define vm_flags_clear(vma, flags)	((void)((vma)->vm_flags &= ~(flags)))
#endif

/* 6.2 (and 6.1.y): del_timer_sync() renamed. */
#ifndef PVM_HAVE_TIMER_DELETE_SYNC
#define timer_delete_sync(timer)	del_timer_sync(timer)
#define timer_delete(timer)		del_timer(timer)
#endif

#endif /* __ASSEMBLY__ */

#endif /* PVM_COMPAT_H */
