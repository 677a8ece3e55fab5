// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claim and release: which functions, whether they may, and the work.
 *
 * What can be judged at once is judged in the caller's context: the devices
 * exist and are what they were named as, the host does not use them, their
 * IOMMU groups hold nothing else. The rest happens in a thread: all functions
 * are taken from their drivers at the same time, made harmless, reset with
 * proof, and only then called claimed; if one of them cannot be had, all of them
 * go back.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "pass/internal.h"

#define OPEN_RETRIES	20
#define OPEN_RETRY_MS	100

/* --- jobs ------------------------------------------------------------------- */

static void job_free(struct kref *ref)
{
	struct pvm_pass_job *job = container_of(ref, struct pvm_pass_job, ref);
	u32 i;

	for (i = 0; i < job->count; i++)
		pvm_pass_put(job->p[i]);
	kfree(job);
}

void pvm_pass_job_put(struct pvm_pass_job *job)
{
	kref_put(&job->ref, job_free);
}

static struct pvm_pass_job *job_new(struct pvm_why *why)
{
	struct pvm_pass_job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job) {
		pvm_fail(why, -ENOMEM, "out of memory");
		return NULL;
	}
	kref_init(&job->ref);
	init_completion(&job->done);
	return job;
}

/* Runs @fn in a thread that has its own reference of @job and of the module. */
static int job_start(struct pvm_pass_job *job, int (*fn)(void *data), const char *name,
		     struct pvm_why *why)
{
	struct task_struct *task;

	kref_get(&job->ref);
	__module_get(THIS_MODULE);
	task = kthread_run(fn, job, "%s", name);
	if (!IS_ERR(task))
		return 0;
	module_put(THIS_MODULE);
	pvm_pass_job_put(job);
	return pvm_fail(why, PTR_ERR(task), "out of memory");
}

static void __noreturn job_end(struct pvm_pass_job *job)
{
	complete_all(&job->done);
	pvm_pass_job_put(job);
	module_put_and_kthread_exit(0);
}

static void tell_job(struct pvm_pass_job *job, const char *what, const char *text, u64 took_ns)
{
	u32 i;

	for (i = 0; i < job->count; i++)
		pvm_pass_tell(NULL, job->p[i]->pdev, what, job->error ? job->why.text : text,
			      job->error, took_ns);
}

static void job_idle(struct pvm_pass_job *job)
{
	u32 i;

	mutex_lock(&pvm_pass_lock);
	for (i = 0; i < job->count; i++)
		pvm_pass_idle_locked(job->p[i]);
	mutex_unlock(&pvm_pass_lock);
}

/* Number of functions from @first on that share its slot. */
static u32 slot_count(struct pvm_pass_job *job, u32 first)
{
	u32 n = 1;

	while (first + n < job->count &&
	       pvm_pass_same_slot(job->p[first + n]->pdev, job->p[first]->pdev))
		n++;
	return n;
}

/* --- which devices ----------------------------------------------------------- */

/* The function that @sel names (a reference), or one of its slot's. */
static int resolve(const struct pvm_pass_sel *sel, struct pci_dev **found, struct pvm_why *why)
{
	struct pvm_pass_sel place = *sel;
	struct pci_dev *pdev = NULL, *named = NULL, *there = NULL;
	int err = 0;

	place.has_ids = false;
	for_each_pci_dev(pdev) {
		if (!there && sel->has_address && pvm_pass_matches(&place, pdev))
			there = pci_dev_get(pdev);
		if (!pvm_pass_matches(sel, pdev))
			continue;
		if (!named)
			named = pci_dev_get(pdev);
		else if (!pvm_pass_same_slot(named, pdev) && !err)
			err = pvm_fail(why, -EINVAL,
				       "%04x:%04x is at %s and at %s: give an address, too",
				       sel->vendor, sel->device, pci_name(named), pci_name(pdev));
	}
	if (!named && there)
		err = pvm_fail(why, -ENODEV, "%s is %04x:%04x, not %04x:%04x", pci_name(there),
			       there->vendor, there->device, sel->vendor, sel->device);
	else if (!named && sel->has_address)
		err = pvm_fail(why, -ENODEV, "there is no device %04x:%02x:%02x", sel->domain,
			       sel->bus, sel->slot);
	else if (!named)
		err = pvm_fail(why, -ENODEV, "there is no device with ids %04x:%04x", sel->vendor,
			       sel->device);
	pci_dev_put(there);
	if (err)
		pci_dev_put(named);
	else
		*found = named;
	return err;
}

/* --- may they ---------------------------------------------------------------- */

static int check_function(struct pci_dev *pdev, struct pvm_why *why)
{
	u32 ids = ~0u;
	int err;

	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL || pdev->class >> 16 == PCI_BASE_CLASS_BRIDGE)
		return pvm_fail(why, -EINVAL, "%s is a bridge of the host", pci_name(pdev));
	if (pdev->is_virtfn)
		return pvm_fail(why, -EOPNOTSUPP,
				"%s is an SR-IOV virtual function, which passvm does not take yet: name a whole device",
				pci_name(pdev));
	if (pci_num_vf(pdev))
		return pvm_fail(why, -EBUSY, "%s has virtual functions switched on",
				pci_name(pdev));
	pci_read_config_dword(pdev, PCI_VENDOR_ID, &ids);
	if (ids != ((u32)pdev->device << 16 | pdev->vendor))
		return pvm_fail(why, -EIO, "%s does not answer (reads %08x)", pci_name(pdev), ids);
	err = pvm_pass_inuse(pdev, false, why);
	if (err)
		return err;
	/* Whether missing interrupt remapping is accepted is said at attach. */
	return pvm_iommu_check(pdev, PVM_IOMMU_UNSAFE_INTERRUPTS, why);
}

struct group_check {
	struct pvm_pass_job *job;
	struct pci_dev *of;
	struct pvm_why *why;
};

static int group_member(struct pci_dev *pdev, void *data)
{
	struct group_check *c = data;
	const struct device_driver *drv = READ_ONCE(pdev->dev.driver);

	if (!drv || pdev->hdr_type != PCI_HEADER_TYPE_NORMAL || pvm_pass_find_locked(pdev))
		return 0;
	return pvm_fail(c->why, -EBUSY,
			"%s shares IOMMU group %d with %s, which belongs to %s: claim both",
			pci_name(c->of), pvm_iommu_group_id(c->of), pci_name(pdev), drv->name);
}

static int check_groups(struct pvm_pass_job *job, struct pvm_why *why)
{
	struct group_check c = { .job = job, .why = why };
	u32 i;
	int err = 0;

	for (i = 0; i < job->count && !err; i++) {
		c.of = job->p[i]->pdev;
		err = pvm_iommu_group_each(c.of, group_member, &c);
	}
	return err;
}

/* --- building a claim --------------------------------------------------------- */

static struct pvm_pass *pass_new(struct pci_dev *pdev)
{
	struct pvm_pass *p = kzalloc(sizeof(*p), GFP_KERNEL);
	u32 i;

	if (!p)
		return NULL;
	kref_init(&p->ref);
	init_completion(&p->taken);
	mutex_init(&p->intr_lock);
	p->pdev = pci_dev_get(pdev);
	p->state = PVM_PASS_CLAIMING;
	p->busy = "claim";
	for (i = 0; i < PVM_PCI_BARS; i++)
		p->bar[i].gpa = PVM_NO_ADDR;
	return p;
}

static int add_function_locked(struct pvm_pass_job *job, struct pci_dev *pdev, struct pvm_why *why)
{
	struct pvm_pass *p;
	int err = check_function(pdev, why);

	if (err)
		return err;
	if (job->count == PVM_PASS_CLAIM_FNS)
		return pvm_fail(why, -ENOSPC, "more than %u functions in one claim",
				PVM_PASS_CLAIM_FNS);
	p = pass_new(pdev);
	if (!p)
		return pvm_fail(why, -ENOMEM, "out of memory");
	list_add_tail(&p->node, &pvm_pass_list);
	kref_get(&p->ref);
	job->p[job->count++] = p;
	return 0;
}

static bool job_has(const struct pvm_pass_job *job, const struct pvm_pass *p)
{
	u32 i;

	for (i = 0; i < job->count; i++)
		if (job->p[i] == p)
			return true;
	return false;
}

/* All functions of @any's slot; nothing to do if they are claimed already. */
static int add_slot_locked(struct pvm_pass_job *job, struct pci_dev *any, struct pvm_why *why)
{
	u32 fn;
	int err = 0;

	for (fn = 0; fn < PVM_PASS_SLOT_FNS && !err; fn++) {
		struct pci_dev *pdev = pci_get_slot(any->bus,
						    PCI_DEVFN(PCI_SLOT(any->devfn), fn));
		struct pvm_pass *p;

		if (!pdev)
			continue;
		p = pvm_pass_find_locked(pdev);
		if (!p)
			err = add_function_locked(job, pdev, why);
		else if (!job_has(job, p) && (p->gone || p->busy))
			err = pvm_fail(why, -EBUSY, "%s is busy: %s", pci_name(pdev),
				       p->gone ? "unplugged" : p->busy);
		pci_dev_put(pdev);
	}
	return err;
}

static void unlist_locked(struct pvm_pass_job *job)
{
	u32 i;

	for (i = 0; i < job->count; i++) {
		list_del_init(&job->p[i]->node);
		pvm_pass_put(job->p[i]);
	}
}

static int build_claim(struct pvm_pass_job *job, const struct pvm_pass_sel *sel, u32 count,
		       struct pvm_why *why)
{
	struct pci_dev *pdev;
	u32 i;
	int err = 0;

	mutex_lock(&pvm_pass_lock);
	for (i = 0; i < count && !err; i++) {
		err = resolve(&sel[i], &pdev, why);
		if (err)
			break;
		err = add_slot_locked(job, pdev, why);
		pci_dev_put(pdev);
	}
	if (!err)
		err = check_groups(job, why);
	if (err)
		unlist_locked(job);
	mutex_unlock(&pvm_pass_lock);
	return err;
}

/* --- the work of a claim ------------------------------------------------------- */

/* A disk that udev looks at for a moment is not in use; one that stays open is. */
static int wait_unused(struct pvm_pass_job *job)
{
	u32 i, tries = 0;
	int err = 0;

	for (i = 0; i < job->count; i++) {
		do {
			err = pvm_pass_inuse(job->p[i]->pdev, true, &job->why);
			if (err)
				msleep(OPEN_RETRY_MS);
		} while (err && ++tries < OPEN_RETRIES);
		if (err)
			return err;
	}
	return 0;
}

/* Takes all functions at once. @taken has a bit for each that is bound to us or still tried. */
static int take_all(struct pvm_pass_job *job, u64 *taken, u64 *lost)
{
	unsigned long until = jiffies + msecs_to_jiffies(PVM_PASS_TAKE_MS);
	u32 i;
	int err = 0, one;

	for (i = 0; i < job->count && !err; i++) {
		err = pvm_pass_take(job->p[i]);
		if (err)
			pvm_fail(&job->why, err, "out of memory");
		else
			*taken |= BIT_ULL(i);
	}
	for (i = 0; i < job->count; i++) {
		if (!(*taken & BIT_ULL(i)))
			continue;
		one = pvm_pass_take_wait(job->p[i], until, err ? NULL : &job->why);
		if (one == -ETIMEDOUT) {
			*taken &= ~BIT_ULL(i);
			*lost |= BIT_ULL(i);
		}
		err = err ? err : one;
	}
	return err;
}

static int own_all(struct pvm_pass_job *job, u32 *owned)
{
	int err;

	for (*owned = 0; *owned < job->count; (*owned)++) {
		err = pvm_pass_own(job->p[*owned], &job->why);
		if (err)
			return err;
	}
	return 0;
}

static void reset_all(struct pvm_pass_job *job)
{
	u32 first, n;

	for (first = 0; first < job->count; first += n) {
		n = slot_count(job, first);
		pvm_pass_reset_slot(job->p + first, n, NULL, NULL, true);
	}
}

/* The state to come back to from now on, and the ROM before a guest can touch it. */
static void remember_all(struct pvm_pass_job *job)
{
	u32 i;

	for (i = 0; i < job->count; i++) {
		struct pvm_pass *p = job->p[i];

		if (p->grade == PVM_GRADE_DEAD)
			continue;
		pvm_pass_rom_read(p);
		pci_save_state(p->pdev);
		p->saved = pci_store_saved_state(p->pdev);
	}
}

/* Back to the host, as far as each got; those whose driver hangs come by themselves. */
static void roll_back(struct pvm_pass_job *job, u32 owned, u64 taken, u64 lost)
{
	u32 i;

	while (owned)
		pvm_pass_disown(job->p[--owned]);
	for (i = 0; i < job->count; i++) {
		struct pvm_pass *p = job->p[i];

		if (taken & BIT_ULL(i))
			pvm_pass_give(p, p->was_bound, NULL);
		else if (!(lost & BIT_ULL(i)))
			pvm_pass_forget(p);
	}
}

static int any_gone(struct pvm_pass_job *job)
{
	u32 i;

	for (i = 0; i < job->count; i++)
		if (READ_ONCE(job->p[i]->gone))
			return pvm_fail(&job->why, -ENODEV, "%s was unplugged",
					pci_name(job->p[i]->pdev));
	return 0;
}

static void set_claimed(struct pvm_pass_job *job)
{
	u32 i;

	mutex_lock(&pvm_pass_lock);
	for (i = 0; i < job->count; i++) {
		job->p[i]->state = job->p[i]->gone ? PVM_PASS_LOST : PVM_PASS_CLAIMED;
		pvm_pass_idle_locked(job->p[i]);
	}
	mutex_unlock(&pvm_pass_lock);
}

static int claim_thread(void *data)
{
	struct pvm_pass_job *job = data;
	ktime_t start = ktime_get();
	u64 taken = 0, lost = 0;
	u32 owned = 0;
	int err;

	err = wait_unused(job);
	if (!err)
		err = take_all(job, &taken, &lost);
	if (!err)
		err = own_all(job, &owned);
	if (!err)
		err = any_gone(job);
	if (err) {
		job->error = err;
		roll_back(job, owned, taken, lost);
		pvm_err("claim refused: %s", job->why.text);
	} else {
		reset_all(job);
		remember_all(job);
		set_claimed(job);
	}
	tell_job(job, "claim", "claimed", ktime_to_ns(ktime_sub(ktime_get(), start)));
	job_end(job);
}

int pvm_pass_claim_start(const struct pvm_pass_sel *sel, u32 count, struct pvm_pass_job **out,
			 struct pvm_why *why)
{
	struct pvm_pass_job *job = job_new(why);
	int err;

	if (!job)
		return -ENOMEM;
	err = build_claim(job, sel, count, why);
	if (err)
		goto err_put;
	if (!job->count) {
		/* All of it is claimed already, which is what was asked for. */
		complete_all(&job->done);
	} else {
		err = job_start(job, claim_thread, "passvm-claim", why);
		if (err)
			goto err_unlist;
	}
	if (out)
		*out = job;
	else
		pvm_pass_job_put(job);
	return 0;

err_unlist:
	mutex_lock(&pvm_pass_lock);
	unlist_locked(job);
	mutex_unlock(&pvm_pass_lock);
err_put:
	pvm_pass_job_put(job);
	return err;
}

int pvm_pass_claim(const struct pvm_pass_sel *sel, u32 count, struct pvm_why *why)
{
	struct pvm_pass_job *job;
	int err = pvm_pass_claim_start(sel, count, &job, why);
	struct pci_dev *pdev;
	u32 i;

	if (err)
		return err;
	/* Idempotent, but whoever waits for the event shall get one. */
	for (i = 0; i < count && !job->count; i++) {
		if (resolve(&sel[i], &pdev, NULL))
			continue;
		pvm_pass_tell(NULL, pdev, "claim", "claimed already", 0, 0);
		pci_dev_put(pdev);
	}
	pvm_pass_job_put(job);
	return 0;
}

/* --- release and reset ---------------------------------------------------------- */

/* All functions of the slots that @sel name, claimed and idle, made busy. */
static int build_owned(struct pvm_pass_job *job, const struct pvm_pass_sel *sel, u32 count,
		       const char *busy, struct pvm_why *why)
{
	struct pvm_pass *p, *named;
	struct pci_dev *pdev;
	u32 i;
	int err = 0;

	mutex_lock(&pvm_pass_lock);
	for (i = 0; i < count && !err; i++) {
		err = resolve(&sel[i], &pdev, why);
		if (err)
			break;
		named = pvm_pass_find_locked(pdev);
		if (!named)
			err = pvm_fail(why, -ENODEV, "%s is not claimed", pci_name(pdev));
		list_for_each_entry(p, &pvm_pass_list, node) {
			if (err || !pvm_pass_same_slot(p->pdev, pdev) || job_has(job, p))
				continue;
			if (p->state == PVM_PASS_ATTACHED)
				err = pvm_fail(why, -EBUSY,
					       "%s belongs to a running VM: stop it first",
					       pci_name(p->pdev));
			else if (p->busy || p->gone || p->state != PVM_PASS_CLAIMED)
				err = pvm_fail(why, -EBUSY, "%s is busy: %s", pci_name(p->pdev),
					       p->busy ? p->busy : "unplugged");
			else if (job->count == PVM_PASS_CLAIM_FNS)
				err = pvm_fail(why, -ENOSPC, "more than %u functions at once",
					       PVM_PASS_CLAIM_FNS);
			if (err)
				continue;
			p->busy = busy;
			kref_get(&p->ref);
			job->p[job->count++] = p;
		}
		pci_dev_put(pdev);
	}
	mutex_unlock(&pvm_pass_lock);
	if (err)
		job_idle(job);
	return err;
}

static int give_back_thread(void *data)
{
	struct pvm_pass_job *job = data;
	ktime_t start = ktime_get();
	u32 i;
	int err;

	for (i = 0; i < job->count; i++)
		pvm_pass_disown(job->p[i]);
	for (i = 0; i < job->count; i++) {
		err = pvm_pass_give(job->p[i], true, &job->why);
		job->error = job->error ? job->error : err;
	}
	tell_job(job, "release", "released", ktime_to_ns(ktime_sub(ktime_get(), start)));
	job_end(job);
}

static int reset_thread(void *data)
{
	struct pvm_pass_job *job = data;
	u32 first, n;

	for (first = 0; first < job->count; first += n) {
		n = slot_count(job, first);
		pvm_pass_reset_slot(job->p + first, n, NULL, job->method[0] ? job->method : NULL,
				    true);
	}
	job_idle(job);
	job_end(job);
}

int pvm_pass_release(const struct pvm_pass_sel *sel, u32 count, struct pvm_why *why)
{
	struct pvm_pass_job *job = job_new(why);
	int err;

	if (!job)
		return -ENOMEM;
	err = build_owned(job, sel, count, "release", why);
	if (!err) {
		err = job_start(job, give_back_thread, "passvm-release", why);
		if (err)
			job_idle(job);
	}
	pvm_pass_job_put(job);
	return err;
}

/* @method works on some function of the job, or is NULL. */
static int check_method(struct pvm_pass_job *job, const char *method, struct pvm_why *why)
{
	const struct pvm_reset_method *m;
	char usable[48];
	u32 i;

	if (!method)
		return 0;
	m = pvm_reset_method_find(method);
	if (!m)
		return pvm_fail(why, -EINVAL, "no reset method '%.20s': flr, af_flr, slot, bus, pm",
				method);
	for (i = 0; i < job->count; i++)
		if (!m->probe(job->p[i]->pdev))
			return 0;
	pvm_reset_methods_of(job->p[0]->pdev, usable, sizeof(usable));
	return pvm_fail(why, -EOPNOTSUPP, "%s has no reset by %s, but by: %s",
			pci_name(job->p[0]->pdev), m->name, usable[0] ? usable : "nothing");
}

int pvm_pass_reset(const struct pvm_pass_sel *sel, const char *method, struct pvm_why *why)
{
	struct pvm_pass_job *job = job_new(why);
	int err;

	if (!job)
		return -ENOMEM;
	err = build_owned(job, sel, 1, "reset", why);
	if (err)
		goto out;
	err = check_method(job, method, why);
	if (!err) {
		if (method)
			strscpy(job->method, method, sizeof(job->method));
		err = job_start(job, reset_thread, "passvm-reset-job", why);
	}
	if (err)
		job_idle(job);
out:
	pvm_pass_job_put(job);
	return err;
}
