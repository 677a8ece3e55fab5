// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state machine of passed-through functions.
 *
 * Nouns. A function is a struct pvm_pass from the moment a claim is accepted
 * until it is released or unplugged. A slot is all functions with one bus and
 * slot number; claim, attach and reset act on whole slots. A set is what one VM
 * has attached.
 *
 * Operations. claim and release (claim.c) move functions between their host
 * driver and ours; attach, detach and the resets are here. While CLAIMED a
 * function cannot do harm: bus mastering is off, its IOMMU group is in a
 * blocking domain, nobody handles interrupts. Attach opens that in this order:
 * reset with proof, IOMMU domain with the guest's memory, virtual configuration
 * space, interrupts; bus mastering follows when the guest asks for it. Detach
 * goes the other way round and cannot fail: master off, interrupts off, BARs
 * out of the guest's map, reset while the DMA of stragglers can still only reach
 * the guest's memory, then the blocking domain.
 *
 * Exclusion. pvm_pass_lock (a mutex) guards the list, state, grade and ->busy. It
 * is held for moments only: whoever wants to do something long with a function
 * sets ->busy under it and owns the function until pvm_pass_idle_locked(). An
 * attached function is owned by its set. The lock nests inside the PCI core's
 * device lock, since the core calls remove() with that held; so nobody takes a
 * device lock, or waits for somebody who does, with pvm_pass_lock held.
 *
 * Unplug. remove() may come at any time, with the device lock held. It marks the
 * function gone, which makes everything return all ones, ends the VM, and waits
 * until the function is idle and detached. That cannot deadlock because no
 * operation waits for a device lock: claim and release leave bindings of a gone
 * function alone, and resets give up when it is gone.
 *
 * Why a device that hangs does not hang us. The two things that may take for
 * ever, a driver's remove or probe and a reset, run in threads that hold their
 * own references and a reference on the module; the operation gives up at a
 * deadline, the function stays out of use until the thread ends.
 *
 * Tour 8.1: a device changes hands
 * Read pvm_pass_attach() and pvm_pass_detach() side by side: the same steps, mirrored.
 *
 * World:   kernel
 * Context: process, may sleep, unless a function says otherwise
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "pass/internal.h"

DEFINE_MUTEX(pvm_pass_lock);	/* see "Exclusion" above */
LIST_HEAD(pvm_pass_list);
DECLARE_WAIT_QUEUE_HEAD(pvm_pass_idle);
struct workqueue_struct *pvm_pass_wq;

static pvm_pass_notify_fn pass_notify;

void pvm_pass_tell(struct pvm_vm *vm, struct pci_dev *pdev, const char *what, const char *text,
		   int error, u64 took_ns)
{
	if (pass_notify)
		pass_notify(vm, pdev, what, text, error, took_ns);
}

static void pass_free(struct kref *ref)
{
	struct pvm_pass *p = container_of(ref, struct pvm_pass, ref);

	pci_dev_put(p->pdev);
	kfree(p);
}

void pvm_pass_put(struct pvm_pass *p)
{
	kref_put(&p->ref, pass_free);
}

struct pvm_pass *pvm_pass_find_locked(const struct pci_dev *pdev)
{
	struct pvm_pass *p;

	lockdep_assert_held(&pvm_pass_lock);
	list_for_each_entry(p, &pvm_pass_list, node)
		if (p->pdev == pdev)
			return p;
	return NULL;
}

void pvm_pass_idle_locked(struct pvm_pass *p)
{
	lockdep_assert_held(&pvm_pass_lock);
	p->busy = NULL;
	wake_up_all(&pvm_pass_idle);
}

void pvm_pass_set_grade(struct pvm_pass *p, enum pvm_grade grade, const char *fmt, ...)
{
	va_list args;

	mutex_lock(&pvm_pass_lock);
	p->grade = grade;
	va_start(args, fmt);
	vsnprintf(p->reason, sizeof(p->reason), fmt, args);
	va_end(args);
	mutex_unlock(&pvm_pass_lock);
}

bool pvm_pass_info(u32 domain, u32 bus, u32 devfn, struct pvm_pass_info *info)
{
	struct pvm_pass *p;
	bool found = false;

	memset(info, 0, sizeof(*info));
	mutex_lock(&pvm_pass_lock);
	list_for_each_entry(p, &pvm_pass_list, node) {
		if (pci_domain_nr(p->pdev->bus) != domain || p->pdev->bus->number != bus ||
		    p->pdev->devfn != devfn)
			continue;
		info->state = p->gone ? PVM_PASS_LOST : p->state;
		info->grade = p->grade;
		strscpy(info->previous_driver, p->previous_driver, sizeof(info->previous_driver));
		strscpy(info->reset_method, p->method, sizeof(info->reset_method));
		strscpy(info->reason, p->reason, sizeof(info->reason));
		info->vm_id = p->state == PVM_PASS_ATTACHED ? p->v.id : 0;
		found = true;
		break;
	}
	mutex_unlock(&pvm_pass_lock);
	return found;
}

/* --- reset ------------------------------------------------------------------ */

struct reset_ctx {
	struct pvm_pass **p;
	u32 count;
	struct pvm_vm *vm;
};

static const char *outcome_text(enum pvm_reset_outcome o)
{
	static const char *const text[] = {
		[PVM_RESET_NONE]	= "no way to reset it",
		[PVM_RESET_PROVED]	= "proved",
		[PVM_RESET_UNPROVED]	= "not proved",
		[PVM_RESET_FAILED]	= "proved not to work",
		[PVM_RESET_DEAD]	= "the device is dead",
		[PVM_RESET_STUCK]	= "stuck",
		[PVM_RESET_BUSY]	= "not possible now",
	};

	return text[o];
}

static void reset_report(void *data, struct pci_dev *pdev, const struct pvm_reset_attempt *a)
{
	struct reset_ctx *ctx = data;
	char text[160];

	snprintf(text, sizeof(text), "%s: %s (%s)", a->method, outcome_text(a->outcome), a->text);
	pvm_pass_tell(ctx->vm, pdev, "reset-try", text,
		      a->outcome == PVM_RESET_PROVED ? 0 : -EIO, a->took_ns);
}

static bool reset_gone(void *data)
{
	struct reset_ctx *ctx = data;
	u32 i;

	for (i = 0; i < ctx->count; i++)
		if (READ_ONCE(ctx->p[i]->gone))
			return true;
	return false;
}

static void grade_after_reset(struct pvm_pass *p, const struct pvm_reset_result *res, u32 i)
{
	const char *method = res->fn[i].method, *text = res->fn[i].text;

	switch (res->fn[i].outcome) {
	case PVM_RESET_PROVED:
		pvm_pass_set_grade(p, PVM_GRADE_CLEAN, "reset by %s: %s", method, text);
		break;
	case PVM_RESET_DEAD:
	case PVM_RESET_STUCK:
		pvm_pass_set_grade(p, PVM_GRADE_DEAD, "after reset by %s: %s",
				   *method ? method : "any method", text);
		break;
	case PVM_RESET_BUSY:
		pvm_pass_set_grade(p, PVM_GRADE_SUSPECT, "not reset: %s", text);
		break;
	case PVM_RESET_NONE:
		pvm_pass_set_grade(p, PVM_GRADE_SUSPECT, "not reset: no usable method");
		break;
	default:
		pvm_pass_set_grade(p, PVM_GRADE_SUSPECT, "reset by %s %s: %s", method,
				   outcome_text(res->fn[i].outcome), text);
	}
	mutex_lock(&pvm_pass_lock);
	strscpy(p->method, res->fn[i].outcome == PVM_RESET_PROVED ? method : "",
		sizeof(p->method));
	mutex_unlock(&pvm_pass_lock);
}

static void tell_outcome(struct pvm_pass *p, struct pvm_vm *vm, u64 took_ns)
{
	char text[sizeof(p->reason)];
	enum pvm_grade grade;

	mutex_lock(&pvm_pass_lock);
	strscpy(text, p->reason, sizeof(text));
	grade = p->grade;
	mutex_unlock(&pvm_pass_lock);
	pvm_pass_tell(vm, p->pdev, "reset", text, grade == PVM_GRADE_CLEAN ? 0 : -EIO, took_ns);
}

void pvm_pass_reset_slot(struct pvm_pass **p, u32 count, struct pvm_vm *vm, const char *method,
			 bool final)
{
	struct reset_ctx ctx = { .p = p, .count = count, .vm = vm };
	struct pvm_reset_request req = {
		.count = count,
		.method = method,
		.first = p[0]->method,
		.report = reset_report,
		.gone = reset_gone,
		.ctx = &ctx,
	};
	struct pvm_reset_result *res = kzalloc(sizeof(*res), GFP_KERNEL);
	u32 i;

	if (!res) {
		for (i = 0; i < count; i++)
			pvm_pass_set_grade(p[i], PVM_GRADE_SUSPECT, "not reset: out of memory");
		return;
	}
	for (i = 0; i < count; i++) {
		req.fn[i] = p[i]->pdev;
		req.saved[i] = p[i]->saved;
	}
	pvm_reset_run(&req, res);
	for (i = 0; i < count; i++)
		grade_after_reset(p[i], res, i);
	if (final)
		tell_outcome(p[0], vm, res->took_ns);
	kfree(res);
}

/* Calls pvm_pass_reset_slot() for each slot in @p, which is in slot order. */
static void reset_slots(struct pvm_pass **p, u32 count, struct pvm_vm *vm, bool final)
{
	u32 first, i;

	for (first = 0; first < count; first = i) {
		i = first + 1;
		while (i < count && pvm_pass_same_slot(p[i]->pdev, p[first]->pdev))
			i++;
		pvm_pass_reset_slot(p + first, i - first, vm, NULL, final);
	}
}

/* --- attach ----------------------------------------------------------------- */

static int attachable(struct pvm_pass *p, struct pvm_why *why)
{
	const char *name = pci_name(p->pdev);

	if (p->gone || p->state == PVM_PASS_LOST)
		return pvm_fail(why, -ENODEV, "%s was unplugged", name);
	if (p->state == PVM_PASS_ATTACHED)
		return pvm_fail(why, -EBUSY, "%s belongs to a running VM", name);
	if (p->busy || p->state != PVM_PASS_CLAIMED)
		return pvm_fail(why, -EBUSY, "%s is busy: %s", name, p->busy ? p->busy : "claim");
	if (p->grade == PVM_GRADE_DEAD)
		return pvm_fail(why, -EIO, "%s is dead (%s)", name, p->reason);
	return 0;
}

/* Adds the claimed functions of the slots that @sel names to @set, owned by us. */
static int gather_locked(struct pvm_pass_set *set, const struct pvm_pass_sel *sel,
			 struct pvm_why *why)
{
	struct pvm_pass *p, *named = NULL;
	u32 i;
	int err;

	lockdep_assert_held(&pvm_pass_lock);
	list_for_each_entry(p, &pvm_pass_list, node) {
		if (!pvm_pass_matches(sel, p->pdev))
			continue;
		if (named && !pvm_pass_same_slot(named->pdev, p->pdev))
			return pvm_fail(why, -EINVAL,
					"%04x:%04x is claimed in several slots: give an address",
					sel->vendor, sel->device);
		named = p;
	}
	if (!named)
		return sel->has_address ?
			pvm_fail(why, -ENODEV,
				 "%04x:%02x:%02x is not claimed: pvmctl claim %02x:%02x",
				 sel->domain, sel->bus, sel->slot, sel->bus, sel->slot) :
			pvm_fail(why, -ENODEV, "%04x:%04x is not claimed: pvmctl claim %04x:%04x",
				 sel->vendor, sel->device, sel->vendor, sel->device);
	for (i = 0; i < set->count; i++)
		if (pvm_pass_same_slot(set->p[i]->pdev, named->pdev))
			return 0;
	list_for_each_entry(p, &pvm_pass_list, node) {
		if (!pvm_pass_same_slot(p->pdev, named->pdev))
			continue;
		if (set->count == PVM_PASS_SET_FNS)
			return pvm_fail(why, -ENOSPC, "more than %u functions for one VM",
					PVM_PASS_SET_FNS);
		err = attachable(p, why);
		if (err)
			return err;
		p->busy = "attach";
		kref_get(&p->ref);
		set->p[set->count++] = p;
	}
	return 0;
}

/* Gives everything that gather_locked() took back. */
static void drop_all(struct pvm_pass_set *set)
{
	u32 i;

	mutex_lock(&pvm_pass_lock);
	for (i = 0; i < set->count; i++)
		pvm_pass_idle_locked(set->p[i]);
	mutex_unlock(&pvm_pass_lock);
	for (i = 0; i < set->count; i++)
		pvm_pass_put(set->p[i]);
	set->count = 0;
}

static int gather(struct pvm_pass_set *set, const struct pvm_pass_sel *sel, u32 count,
		  struct pvm_why *why)
{
	int err = 0;
	u32 i;

	mutex_lock(&pvm_pass_lock);
	for (i = 0; i < count && !err; i++)
		err = gather_locked(set, &sel[i], why);
	mutex_unlock(&pvm_pass_lock);
	if (err)
		drop_all(set);
	return err;
}

/* A guest's stray DMA: its VM is told; the group's other devices are not at fault. */
static void dma_fault(void *ctx, struct pci_dev *pdev, u64 iova, bool write, u32 count)
{
	struct pvm_pass_set *set = ctx;
	char text[96];

	if (!pdev && set->count)
		pdev = set->p[0]->pdev;
	snprintf(text, sizeof(text), "DMA %s outside the guest's memory at %#llx blocked (%u)",
		 write ? "write" : "read", iova, count);
	pvm_info("%s: %s", pdev ? pci_name(pdev) : "device", text);
	if (pdev)
		pvm_pass_tell(set->v.vm, pdev, "fault", text, -EFAULT, 0);
}

static const struct pvm_dev_host dev_host;

static int fn_attach(struct pvm_pass_set *set, struct pvm_pass *p, struct pvm_why *why)
{
	int err;

	p->v = set->v;
	p->off_bus = false;
	p->quiet = false;
	err = pvm_pass_config_new(p, why);
	if (err)
		return err;
	err = pvm_dev_attach(&p->dev, &pvm_pass_dev_ops, &dev_host, p, false);
	if (err) {
		pvm_fail(why, err, "%s: out of memory", pci_name(p->pdev));
		goto err_config;
	}
	err = pvm_pass_bar_new(p, why);
	if (err)
		goto err_dev;
	pvm_pass_intr_new(p);
	pvm_pass_intr_start(p);
	p->attached = true;
	return 0;

err_dev:
	pvm_dev_detach(&p->dev);
err_config:
	pvm_pass_config_free(p);
	return err;
}

/* The function is off the guest's PCI root, or never was on it. */
static void fn_detach(struct pvm_pass *p)
{
	unsigned long flags;

	if (!p->attached)
		return;
	flags = pvm_dev_lock(&p->dev);
	p->quiet = true;
	pvm_pass_master_update(p);
	pvm_dev_unlock(&p->dev, flags);

	pvm_pass_intr_free(p);
	pvm_pass_bar_free(p);
	pvm_dev_detach(&p->dev);
	pvm_pass_config_free(p);
	p->attached = false;
}

static int iommu_attach_all(struct pvm_pass_set *set, u32 *attached, struct pvm_why *why)
{
	u32 flags = set->v.unsafe_interrupts ? PVM_IOMMU_UNSAFE_INTERRUPTS : 0;
	int err;

	for (*attached = 0; *attached < set->count; (*attached)++) {
		err = pvm_iommu_attach(set->iommu, set->p[*attached]->group, flags, why);
		if (err)
			return err;
	}
	return 0;
}

static void iommu_detach_all(struct pvm_pass_set *set, u32 attached)
{
	while (attached)
		pvm_iommu_detach(set->iommu, set->p[--attached]->group);
}

/* After the reset at the start of an attach. */
static int check_alive(struct pvm_pass_set *set, struct pvm_why *why)
{
	u32 i;

	for (i = 0; i < set->count; i++) {
		struct pvm_pass *p = set->p[i];

		if (READ_ONCE(p->gone))
			return pvm_fail(why, -ENODEV, "%s was unplugged", pci_name(p->pdev));
		if (p->grade == PVM_GRADE_DEAD)
			return pvm_fail(why, -EIO, "%s does not survive its reset (%s)",
					pci_name(p->pdev), p->reason);
	}
	return 0;
}

static void set_attached(struct pvm_pass_set *set)
{
	u32 i;

	mutex_lock(&pvm_pass_lock);
	for (i = 0; i < set->count; i++) {
		struct pvm_pass *p = set->p[i];

		p->set = set;
		p->state = PVM_PASS_ATTACHED;
		/* Unplugged since check_alive(): remove() waits for this VM to let go. */
		if (p->gone)
			pvm_vm_kill(set->v.vm, PVM_END_HOST, "device %s was removed",
				    pci_name(p->pdev));
		/* A function that was never clean cannot become merely used. */
		if (p->grade == PVM_GRADE_CLEAN || p->grade == PVM_GRADE_FRESH) {
			p->grade = PVM_GRADE_USED;
			strscpy(p->reason, "a guest drives it", sizeof(p->reason));
		}
		pvm_pass_idle_locked(p);
	}
	mutex_unlock(&pvm_pass_lock);
}

int pvm_pass_attach(const struct pvm_pass_vm *v, const struct pvm_pass_sel *sel, u32 count,
		    struct pvm_pass_set **out, struct pvm_why *why)
{
	struct pvm_pass_set *set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	u32 i, attached = 0;
	int err;

	if (!set)
		return pvm_fail(why, -ENOMEM, "out of memory");
	set->v = *v;
	err = gather(set, sel, count, why);
	if (err)
		goto err_free;

	reset_slots(set->p, set->count, v->vm, true);
	err = check_alive(set, why);
	if (err)
		goto err_drop;
	err = pvm_iommu_new(v->mem, dma_fault, set, &set->iommu, why);
	if (err)
		goto err_drop;
	err = iommu_attach_all(set, &attached, why);
	if (err)
		goto err_iommu;
	for (i = 0; i < set->count; i++) {
		err = fn_attach(set, set->p[i], why);
		if (err)
			goto err_fns;
	}
	set_attached(set);
	*out = set;
	return 0;

err_fns:
	while (i)
		fn_detach(set->p[--i]);
err_iommu:
	iommu_detach_all(set, attached);
	pvm_iommu_free(set->iommu);
err_drop:
	drop_all(set);
err_free:
	kfree(set);
	return err;
}

void pvm_pass_detach(struct pvm_pass_set *set)
{
	u32 i;

	if (!set)
		return;
	mutex_lock(&pvm_pass_lock);
	for (i = 0; i < set->count; i++)
		set->p[i]->busy = "detach";
	mutex_unlock(&pvm_pass_lock);

	for (i = 0; i < set->count; i++)
		fn_detach(set->p[i]);
	reset_slots(set->p, set->count, set->v.vm, true);
	iommu_detach_all(set, set->count);
	pvm_iommu_free(set->iommu);

	mutex_lock(&pvm_pass_lock);
	for (i = 0; i < set->count; i++) {
		set->p[i]->set = NULL;
		set->p[i]->state = set->p[i]->gone ? PVM_PASS_LOST : PVM_PASS_CLAIMED;
	}
	mutex_unlock(&pvm_pass_lock);
	drop_all(set);
	kfree(set);
}

/* --- while attached --------------------------------------------------------- */

u32 pvm_pass_count(struct pvm_pass_set *set)
{
	return set ? set->count : 0;
}

struct pvm_pci_fn *pvm_pass_fn(struct pvm_pass_set *set, u32 index)
{
	return &set->p[index]->fn;
}

bool pvm_pass_place(struct pvm_pass_set *set, u32 index, u32 *function)
{
	struct pci_dev *pdev = set->p[index]->pdev;
	u32 i, lowest = PCI_FUNC(pdev->devfn);
	bool first = true;

	for (i = 0; i < set->count; i++)
		if (pvm_pass_same_slot(set->p[i]->pdev, pdev)) {
			lowest = min_t(u32, lowest, PCI_FUNC(set->p[i]->pdev->devfn));
			first = first && i >= index;
		}
	/* A virtual function's slot need not have a function 0: the guest's must. */
	*function = PCI_FUNC(pdev->devfn) - lowest;
	return first;
}

const u8 *pvm_pass_vga_rom(struct pvm_pass_set *set, u32 *bytes)
{
	u32 i;

	for (i = 0; i < pvm_pass_count(set); i++)
		if (set->p[i]->pdev->class >> 8 == PCI_CLASS_DISPLAY_VGA) {
			*bytes = set->p[i]->rom_bytes;
			return set->p[i]->rom;
		}
	return NULL;
}

static void set_quiet(struct pvm_pass_set *set, bool quiet)
{
	unsigned long flags;
	u32 i;

	for (i = 0; set && i < set->count; i++) {
		struct pvm_pass *p = set->p[i];

		flags = pvm_dev_lock(&p->dev);
		pvm_pass_intr_quiet(p, quiet);
		pvm_pass_master_update(p);
		pvm_dev_unlock(&p->dev, flags);
		if (quiet && !READ_ONCE(p->gone))
			pci_wait_for_pending_transaction(p->pdev);
	}
}

void pvm_pass_quiesce(struct pvm_pass_set *set)
{
	set_quiet(set, true);
}

void pvm_pass_resume(struct pvm_pass_set *set)
{
	set_quiet(set, false);
}

void pvm_pass_reset_set(struct pvm_pass_set *set)
{
	unsigned long flags;
	u32 i;

	if (!set)
		return;
	set_quiet(set, true);
	for (i = 0; i < set->count; i++)
		pvm_pass_intr_stop(set->p[i]);
	reset_slots(set->p, set->count, set->v.vm, true);
	for (i = 0; i < set->count; i++) {
		struct pvm_pass *p = set->p[i];

		flags = pvm_dev_lock(&p->dev);
		p->off_bus = p->grade == PVM_GRADE_DEAD;
		p->quiet = false;
		pvm_dev_unlock(&p->dev, flags);
		pvm_pass_config_reset(p);
		pvm_pass_intr_start(p);
		if (p->grade == PVM_GRADE_CLEAN)
			pvm_pass_set_grade(p, PVM_GRADE_USED, "a guest drives it");
	}
}

void pvm_pass_eoi(struct pvm_pass_set *set, u32 gsi)
{
	u32 i;

	for (i = 0; set && i < set->count; i++)
		pvm_pass_intr_eoi(set->p[i], gsi);
}

void pvm_pass_affinity(struct pvm_pass_set *set)
{
	u32 i;

	for (i = 0; set && i < set->count; i++)
		pvm_pass_intr_follow(set->p[i]);
}

/* --- module ------------------------------------------------------------------ */

int pvm_pass_init(const char *claim, pvm_pass_notify_fn notify)
{
	int err;

	pass_notify = notify;
	pvm_pass_wq = alloc_workqueue("passvm-pass", WQ_UNBOUND, 0);
	if (!pvm_pass_wq)
		return -ENOMEM;
	err = pci_register_driver(&pvm_pass_driver);
	if (err)
		goto err_wq;
	err = pvm_pass_boot_init(claim);
	if (err)
		goto err_driver;
	return 0;

err_driver:
	pci_unregister_driver(&pvm_pass_driver);
err_wq:
	destroy_workqueue(pvm_pass_wq);
	return err;
}

/* No VM exists and no thread of ours: both hold references on the module. */
void pvm_pass_exit(void)
{
	pvm_pass_boot_exit();
	pvm_pass_give_all();
	destroy_workqueue(pvm_pass_wq);
	pass_notify = NULL;
}
