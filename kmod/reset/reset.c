// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset policy: choose, quiesce, run, verify, fall through, report.
 *
 * Nouns. A request names all functions of one slot. A rule (table.c) gives the
 * order of methods, the ladder. A try is one method on one function, or on all
 * of them where the method's scope is the bus. A canary (canary.c) is what
 * proves a try.
 *
 * Operations. The ladder is walked until every function is proved to be reset.
 * A try that is proved not to work, or that leaves nothing to check, is
 * reported and the next rung follows; what a function ends with is the best
 * that was reached. After every try the configuration that the host gave the
 * function is restored, with bus mastering off, so that a failing rung leaves
 * the device no worse than the hardware itself does.
 *
 * Exclusion. All device locks of the request's functions are held, and of the
 * bridge while a method of scope bus runs; with them, user space's access to
 * configuration space is held off. They are taken by trying again and again,
 * because an unplug may hold them while it waits for whoever asked for this
 * reset: such a caller says so by ->gone and the reset ends as BUSY.
 *
 * Why it cannot hang the caller. Hardware that does not come back costs up to a
 * minute inside the kernel's own functions. So the work is done in a thread
 * that holds its own references (functions, module), and the caller leaves at
 * the deadline; what the thread still finds out after that is dropped.
 *
 * Tour 9.2: believing nothing
 * conclude(): a method's word does not count, the canary's does.
 *
 * World:   kernel
 * Context: process, may sleep
 * Spec:    PCIe r6.0, sec 6.6 "PCI Express Reset - Rules"
 */
#include <linux/delay.h>
#include <linux/kref.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "reset/reset.h"

#define LOCK_RETRY_MS		10
#define READY_TIMEOUT_MS	10000

/*
 * Locking key: (c) constant after creation  (j) the job's thread, and the caller after done
 *              (l) job->lock
 */
struct reset_job {
	struct kref ref;
	struct completion done;
	struct mutex lock;
	bool abandoned;				/* (l) the caller has left: req.ctx is gone */
	struct pvm_reset_request req;		/* (c) */
	char only[PVM_RESET_NAME_BYTES];	/* (c) req.method */
	char first[PVM_RESET_NAME_BYTES];	/* (c) req.first */
	struct pvm_reset_result res;		/* (j) */
	struct pvm_reset_canary canary[PVM_RESET_FNS];	/* (j) */
	u32 locked;				/* (j) functions whose lock is held, from 0 on */
};

static void job_free(struct kref *ref)
{
	struct reset_job *job = container_of(ref, struct reset_job, ref);
	u32 i;

	for (i = 0; i < job->req.count; i++)
		pci_dev_put(job->req.fn[i]);
	kfree(job);
}

static bool job_is_off(struct reset_job *job)
{
	bool off;

	mutex_lock(&job->lock);
	off = job->abandoned || (job->req.gone && job->req.gone(job->req.ctx));
	mutex_unlock(&job->lock);
	return off;
}

static void report(struct reset_job *job, u32 i, const struct pvm_reset_attempt *a)
{
	struct pci_dev *pdev = job->req.fn[i];

	job->res.fn[i].outcome = a->outcome;
	strscpy(job->res.fn[i].method, a->method, sizeof(job->res.fn[i].method));
	strscpy(job->res.fn[i].text, a->text, sizeof(job->res.fn[i].text));
	pvm_dbg("%s: reset %s: outcome %d, %s", pci_name(pdev), a->method, a->outcome, a->text);

	mutex_lock(&job->lock);
	if (!job->abandoned && job->req.report)
		job->req.report(job->req.ctx, pdev, a);
	mutex_unlock(&job->lock);
}

/* --- choose ---------------------------------------------------------------- */

const struct pvm_reset_method *pvm_reset_method_find(const char *name)
{
	u32 i;

	for (i = 0; pvm_reset_methods[i]; i++)
		if (!strcmp(pvm_reset_methods[i]->name, name))
			return pvm_reset_methods[i];
	return NULL;
}

void pvm_reset_methods_of(struct pci_dev *pdev, char *text, size_t bytes)
{
	const struct pvm_reset_rule *rule = pvm_reset_rule_of(pdev);
	size_t len = 0;
	u32 i;

	text[0] = '\0';
	for (i = 0; i < PVM_RESET_ORDER && rule->order[i]; i++) {
		const struct pvm_reset_method *m = pvm_reset_method_find(rule->order[i]);

		if (m && !m->probe(pdev))
			len += scnprintf(text + len, bytes - len, "%s%s", len ? " " : "", m->name);
	}
}

/* Every function on the bus of @pdev is one of the request's. */
static bool bus_is_ours(struct reset_job *job, struct pci_dev *pdev)
{
	struct pci_dev *other = NULL;
	bool ours = true;
	u32 i;

	for_each_pci_dev(other) {
		if (other->bus != pdev->bus)
			continue;
		for (i = 0; i < job->req.count && job->req.fn[i] != other; i++)
			;
		if (i == job->req.count) {
			pvm_dbg("%s: no bus reset, %s would be hit", pci_name(pdev),
				pci_name(other));
			ours = false;
		}
	}
	return ours;
}

/* --- locks ----------------------------------------------------------------- */

static void unlock_fns(struct reset_job *job)
{
	while (job->locked)
		pci_dev_unlock(job->req.fn[--job->locked]);
}

static bool trylock_fns(struct reset_job *job)
{
	while (job->locked < job->req.count) {
		if (!pci_dev_trylock(job->req.fn[job->locked])) {
			unlock_fns(job);
			return false;
		}
		job->locked++;
	}
	return true;
}

static int lock_fns(struct reset_job *job)
{
	while (!trylock_fns(job)) {
		if (job_is_off(job))
			return -EBUSY;
		msleep(LOCK_RETRY_MS);
	}
	return job_is_off(job) ? -EBUSY : 0;
}

static int lock_bridge(struct reset_job *job, struct pci_dev *bridge)
{
	while (!pci_dev_trylock(bridge)) {
		if (job_is_off(job))
			return -EBUSY;
		msleep(LOCK_RETRY_MS);
	}
	return 0;
}

/* --- quiesce, run, verify -------------------------------------------------- */

/* Whether its configuration space can be read, in D0. */
static bool answers(struct pci_dev *pdev)
{
	u32 ids = ~0u;

	if (pdev->current_state != PCI_D0)
		pci_set_power_state(pdev, PCI_D0);
	pci_read_config_dword(pdev, PCI_VENDOR_ID, &ids);
	return ids != ~0u;
}

static void quiesce(struct pci_dev *pdev)
{
	u16 command;

	if (pdev->current_state != PCI_D0)
		pci_set_power_state(pdev, PCI_D0);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	if (command != 0xffff && (command & PCI_COMMAND_MASTER))
		pci_write_config_word(pdev, PCI_COMMAND, command & ~PCI_COMMAND_MASTER);
	pci_wait_for_pending_transaction(pdev);
}

/* The state that pci_load_saved_state() or pci_save_state() left in @pdev, any number of times. */
static void restore(struct pci_dev *pdev)
{
	u16 command;

	if (!answers(pdev))
		return;
	pdev->state_saved = true;
	pci_restore_state(pdev);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	if (command & PCI_COMMAND_MASTER)
		pci_write_config_word(pdev, PCI_COMMAND, command & ~PCI_COMMAND_MASTER);
}

/* Looks at function @i after @m ran with result @err, restores it and reports. */
static void conclude(struct reset_job *job, u32 i, const struct pvm_reset_method *m, int err,
		     ktime_t start)
{
	struct pci_dev *pdev = job->req.fn[i];
	struct pvm_reset_attempt a = { .method = m->name };
	char text[96];

	if (pvm_reset_wait_ready(pdev, READY_TIMEOUT_MS)) {
		a.outcome = PVM_RESET_DEAD;
		strscpy(text, "does not answer any more", sizeof(text));
	} else {
		a.outcome = pvm_reset_canary_check(pdev, &job->canary[i], text, sizeof(text));
	}
	if (a.outcome == PVM_RESET_PROVED && err) {
		a.outcome = PVM_RESET_FAILED;
		snprintf(text, sizeof(text), "the method gave error %d", err);
	}
	if (a.outcome == PVM_RESET_PROVED && m->verify && m->verify(pdev)) {
		a.outcome = PVM_RESET_FAILED;
		strscpy(text, "wiped, but not as the method leaves it", sizeof(text));
	}
	if (a.outcome == PVM_RESET_PROVED && m->scope == PVM_RESET_BUS &&
	    (pvm_reset_rule_of(pdev)->flags & PVM_RESET_SHALLOW_BUS)) {
		a.outcome = PVM_RESET_UNPROVED;
		strscpy(text, "this chip's engines are known to outlive it", sizeof(text));
	}
	restore(pdev);
	a.text = text;
	a.took_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	report(job, i, &a);
}

static void prepare(struct reset_job *job, u32 i)
{
	quiesce(job->req.fn[i]);
	pvm_reset_canary_plant(job->req.fn[i], &job->canary[i]);
}

static void try_function(struct reset_job *job, u32 i, const struct pvm_reset_method *m)
{
	ktime_t start = ktime_get();
	int err;

	prepare(job, i);
	err = m->run(job->req.fn[i]);
	msleep(m->settle_ms);
	conclude(job, i, m, err, start);
}

static void try_bus(struct reset_job *job, struct pci_dev *pdev, const struct pvm_reset_method *m)
{
	struct pci_dev *bridge = pdev->bus->self;
	ktime_t start = ktime_get();
	u32 i;
	int err;

	if (!bus_is_ours(job, pdev) || lock_bridge(job, bridge))
		return;
	for (i = 0; i < job->req.count; i++)
		prepare(job, i);
	err = m->run(pdev);
	msleep(m->settle_ms);
	for (i = 0; i < job->req.count; i++)
		conclude(job, i, m, err, start);
	pci_dev_unlock(bridge);
}

static void give_up(struct reset_job *job, u32 i, const struct pvm_reset_method *m)
{
	struct pvm_reset_attempt a = {
		.method = m->name,
		.outcome = PVM_RESET_DEAD,
		.text = "reads as all ones: unplugged, or beyond this method's reach",
	};

	report(job, i, &a);
}

static void try_method(struct reset_job *job, const struct pvm_reset_method *m)
{
	u32 i;

	for (i = 0; i < job->req.count; i++) {
		struct pci_dev *pdev = job->req.fn[i];

		if (job->res.fn[i].outcome == PVM_RESET_PROVED || m->probe(pdev))
			continue;
		if (m->scope == PVM_RESET_BUS) {
			try_bus(job, pdev, m);
			return;
		}
		/* The kernel would wait a minute for a function that cannot hear it. */
		if (answers(pdev))
			try_function(job, i, m);
		else
			give_up(job, i, m);
	}
}

/* --- the ladder ------------------------------------------------------------ */

static bool all_proved(struct reset_job *job)
{
	u32 i;

	for (i = 0; i < job->req.count; i++)
		if (job->res.fn[i].outcome != PVM_RESET_PROVED)
			return false;
	return true;
}

static void walk(struct reset_job *job)
{
	const struct pvm_reset_rule *rule = pvm_reset_rule_of(job->req.fn[0]);
	const struct pvm_reset_method *first = NULL, *m;
	u32 i;

	if (job->only[0]) {
		m = pvm_reset_method_find(job->only);
		if (m)
			try_method(job, m);
		return;
	}
	if (job->first[0]) {
		first = pvm_reset_method_find(job->first);
		if (first)
			try_method(job, first);
	}
	for (i = 0; i < PVM_RESET_ORDER && rule->order[i]; i++) {
		if (all_proved(job) || job_is_off(job))
			return;
		m = pvm_reset_method_find(rule->order[i]);
		if (m && m != first)
			try_method(job, m);
	}
}

/* Functions that no method was tried on: do they answer at all? */
static void settle_untried(struct reset_job *job)
{
	u32 i;

	for (i = 0; i < job->req.count; i++) {
		if (job->res.fn[i].outcome != PVM_RESET_NONE)
			continue;
		if (!answers(job->req.fn[i])) {
			job->res.fn[i].outcome = PVM_RESET_DEAD;
			strscpy(job->res.fn[i].text, "reads as all ones",
				sizeof(job->res.fn[i].text));
			continue;
		}
		strscpy(job->res.fn[i].text, "no usable method", sizeof(job->res.fn[i].text));
		quiesce(job->req.fn[i]);
		restore(job->req.fn[i]);
	}
}

static void fail_all(struct pvm_reset_result *res, u32 count, enum pvm_reset_outcome outcome,
		     const char *text)
{
	u32 i;

	for (i = 0; i < count; i++) {
		res->fn[i].outcome = outcome;
		strscpy(res->fn[i].text, text, sizeof(res->fn[i].text));
	}
}

static int job_thread(void *data)
{
	struct reset_job *job = data;
	u32 i;

	if (lock_fns(job)) {
		fail_all(&job->res, job->req.count, PVM_RESET_BUSY,
			 "it is being unplugged, or its lock is held by somebody else");
	} else {
		for (i = 0; i < job->req.count; i++) {
			if (!job->req.saved[i] ||
			    pci_load_saved_state(job->req.fn[i], job->req.saved[i])) {
				/* All ones would overwrite what the kernel knew before. */
				if (answers(job->req.fn[i]))
					pci_save_state(job->req.fn[i]);
			}
		}
		walk(job);
		settle_untried(job);
	}
	unlock_fns(job);
	complete(&job->done);
	kref_put(&job->ref, job_free);
	module_put_and_kthread_exit(0);
}

static struct reset_job *job_new(const struct pvm_reset_request *req)
{
	struct reset_job *job = kzalloc(sizeof(*job), GFP_KERNEL);
	u32 i;

	if (!job)
		return NULL;
	kref_init(&job->ref);
	mutex_init(&job->lock);
	init_completion(&job->done);
	job->req = *req;
	if (req->method)
		strscpy(job->only, req->method, sizeof(job->only));
	if (req->first)
		strscpy(job->first, req->first, sizeof(job->first));
	for (i = 0; i < req->count; i++)
		pci_dev_get(req->fn[i]);
	return job;
}

void pvm_reset_run(const struct pvm_reset_request *req, struct pvm_reset_result *res)
{
	u32 deadline_ms = req->deadline_ms ? req->deadline_ms : PVM_RESET_DEADLINE_MS;
	ktime_t start = ktime_get();
	struct task_struct *task;
	struct reset_job *job;

	memset(res, 0, sizeof(*res));
	job = req->count && req->count <= PVM_RESET_FNS ? job_new(req) : NULL;
	if (!job) {
		fail_all(res, min_t(u32, req->count, PVM_RESET_FNS), PVM_RESET_BUSY,
			 "out of memory");
		return;
	}

	kref_get(&job->ref);
	__module_get(THIS_MODULE);
	task = kthread_run(job_thread, job, "passvm-reset");
	if (IS_ERR(task)) {
		module_put(THIS_MODULE);
		kref_put(&job->ref, job_free);
		fail_all(res, req->count, PVM_RESET_BUSY, "out of memory");
	} else if (wait_for_completion_timeout(&job->done, msecs_to_jiffies(deadline_ms))) {
		*res = job->res;
	} else {
		mutex_lock(&job->lock);
		job->abandoned = true;
		mutex_unlock(&job->lock);
		fail_all(res, req->count, PVM_RESET_STUCK, "did not end in time");
	}
	res->took_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	kref_put(&job->ref, job_free);
}
