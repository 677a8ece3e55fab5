// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module parameter claim=DEV,DEV and devices that appear later.
 *
 * At load all devices named are claimed together, and if that is refused, one by
 * one, so that one absent or busy device does not cost the others. Loading
 * waits for it, within a deadline: modules loaded next, by softdep or the
 * initramfs, then find the devices taken. A device that appears later and that
 * the parameter names is withheld from other drivers from the first moment.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/slab.h>
#include "pass/internal.h"

#define BOOT_SELS	16
#define BOOT_WAIT_MS	20000
#define LATE_DELAY_MS	500	/* until all functions of a new slot are there */

/* Locking key: (c) constant after init  (b) boot_lock */
struct boot_sel {
	struct pvm_pass_sel sel;	/* (c) */
	bool valid;			/* (c) */
	bool late;			/* (b) a device of that name has appeared */
	char dev[40];			/* (c) as written */
	char why[160];			/* (b) refused because; "" claimed */
};

static DEFINE_MUTEX(boot_lock);
static struct boot_sel boot_sel[BOOT_SELS];
static u32 boot_sels;

static void refuse(struct boot_sel *b, const char *why)
{
	mutex_lock(&boot_lock);
	strscpy(b->why, why, sizeof(b->why));
	mutex_unlock(&boot_lock);
	if (why[0])
		pvm_err("claim=%s refused: %s", b->dev, why);
}

int pvm_pass_refused(u32 index, char *dev, u32 dev_bytes, char *why, u32 why_bytes)
{
	int err = -ENOENT;
	u32 i;

	mutex_lock(&boot_lock);
	for (i = 0; i < boot_sels && err; i++) {
		if (!boot_sel[i].why[0] || index--)
			continue;
		strscpy(dev, boot_sel[i].dev, dev_bytes);
		strscpy(why, boot_sel[i].why, why_bytes);
		err = 0;
	}
	mutex_unlock(&boot_lock);
	return err;
}

/* --- at load ----------------------------------------------------------------- */

static void parse(const char *claim)
{
	char *copy = kstrdup(claim, GFP_KERNEL), *rest = copy, *word;
	struct pvm_why why;

	if (!copy) {
		pvm_err("claim=%s: out of memory", claim);
		return;
	}
	while ((word = strsep(&rest, ", \t\n"))) {
		struct boot_sel *b = &boot_sel[boot_sels];

		if (!*word)
			continue;
		if (boot_sels == BOOT_SELS) {
			pvm_err("claim=: more than %u devices, %s is left out", BOOT_SELS, word);
			break;
		}
		boot_sels++;
		strscpy(b->dev, word, sizeof(b->dev));
		b->valid = !pvm_pass_parse(word, &b->sel, &why);
		if (!b->valid)
			refuse(b, why.text);
	}
	kfree(copy);
}

/* Claims and waits. */
static int claim_now(const struct pvm_pass_sel *sel, u32 count, struct pvm_why *why)
{
	struct pvm_pass_job *job;
	int err = pvm_pass_claim_start(sel, count, &job, why);

	if (err)
		return err;
	if (!wait_for_completion_timeout(&job->done, msecs_to_jiffies(BOOT_WAIT_MS)))
		err = pvm_fail(why, -ETIMEDOUT, "still under way after %u s", BOOT_WAIT_MS / 1000);
	else if (job->error)
		err = pvm_fail(why, job->error, "%s", job->why.text);
	pvm_pass_job_put(job);
	return err;
}

static void claim_all(void)
{
	struct pvm_pass_sel sel[BOOT_SELS];
	struct pvm_why why;
	u32 i, count = 0;

	for (i = 0; i < boot_sels; i++)
		if (boot_sel[i].valid)
			sel[count++] = boot_sel[i].sel;
	if (!count)
		return;
	/* Together first: members of one IOMMU group cannot be claimed one by one. */
	if (!claim_now(sel, count, &why))
		return;
	for (i = 0; i < boot_sels; i++) {
		if (!boot_sel[i].valid)
			continue;
		if (count > 1)
			refuse(&boot_sel[i], claim_now(&boot_sel[i].sel, 1, &why) ? why.text : "");
		else
			refuse(&boot_sel[i], why.text);
	}
}

/* --- later -------------------------------------------------------------------- */

/* Back to the host's drivers: the override that was set when it appeared goes. */
static void let_go(const struct pvm_pass_sel *sel)
{
	struct pci_dev *pdev = NULL;
	char name[32];

	for_each_pci_dev(pdev) {
		if (!pvm_pass_matches(sel, pdev) ||
		    !pvm_driver_override(&pdev->dev, name, sizeof(name)) ||
		    strcmp(name, pvm_pass_driver.name))
			continue;
		device_set_driver_override(&pdev->dev, "");
		if (device_attach(&pdev->dev) < 0)
			pvm_info("%s: no host driver took it", pci_name(pdev));
	}
}

static void late_fn(struct work_struct *work)
{
	struct pvm_why why;
	u32 i;

	for (i = 0; i < boot_sels; i++) {
		struct boot_sel *b = &boot_sel[i];
		bool late;
		int err;

		mutex_lock(&boot_lock);
		late = b->late;
		b->late = false;
		mutex_unlock(&boot_lock);
		if (!late)
			continue;
		err = claim_now(&b->sel, 1, &why);
		refuse(b, err ? why.text : "");
		if (err)
			let_go(&b->sel);
	}
}

static DECLARE_DELAYED_WORK(late_work, late_fn);

static int bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *pdev = to_pci_dev((struct device *)data);
	u32 i;

	if (action != BUS_NOTIFY_ADD_DEVICE)
		return NOTIFY_DONE;
	for (i = 0; i < boot_sels; i++) {
		if (!boot_sel[i].valid || !pvm_pass_matches(&boot_sel[i].sel, pdev))
			continue;
		if (device_set_driver_override(&pdev->dev, pvm_pass_driver.name))
			pvm_err("%s: cannot be withheld from other drivers", pci_name(pdev));
		mutex_lock(&boot_lock);
		boot_sel[i].late = true;
		mutex_unlock(&boot_lock);
		mod_delayed_work(pvm_pass_wq, &late_work, msecs_to_jiffies(LATE_DELAY_MS));
	}
	return NOTIFY_OK;
}

static struct notifier_block bus_nb = { .notifier_call = bus_event };

int pvm_pass_boot_init(const char *claim)
{
	int err;

	boot_sels = 0;
	memset(boot_sel, 0, sizeof(boot_sel));
	if (claim)
		parse(claim);
	err = bus_register_notifier(&pci_bus_type, &bus_nb);
	if (err)
		return err;
	claim_all();
	return 0;
}

void pvm_pass_boot_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &bus_nb);
	cancel_delayed_work_sync(&late_work);
}
