// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking devices from their drivers, owning them, giving them back.
 *
 * A driver's remove or probe may take for ever, and it runs with the device lock
 * held. So each take and each give is a thread that holds its own references
 * (function, module); who waits for it stops at a deadline. A take that ends
 * after that finds itself abandoned and gives the device back.
 *
 * World:   kernel
 * Context: process, may sleep; the driver's callbacks with the device lock held
 */
#include <linux/kobject.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "pass/internal.h"

/* --- take ------------------------------------------------------------------- */

static void note_previous(struct pvm_pass *p)
{
	struct device *dev = &p->pdev->dev;

	p->previous_override[0] = '\0';
	pvm_driver_override(dev, p->previous_override, sizeof(p->previous_override));
	/* Set by us for a device that came late. */
	if (!strcmp(p->previous_override, pvm_pass_driver.name))
		p->previous_override[0] = '\0';

	device_lock(dev);
	p->was_bound = dev->driver;
	if (dev->driver)
		strscpy(p->previous_driver, dev->driver->name, sizeof(p->previous_driver));
	device_unlock(dev);
}

static int take(struct pvm_pass *p)
{
	struct device *dev = &p->pdev->dev;
	int err;

	note_previous(p);
	err = device_set_driver_override(dev, pvm_pass_driver.name);
	if (err)
		return err;
	device_release_driver(dev);
	return device_driver_attach(&pvm_pass_driver.driver, dev);
}

/* Binding as it was, or whatever driver wants it now. Not for a device that is gone. */
static void give(struct pvm_pass *p, bool attach)
{
	struct pci_dev *pdev = p->pdev;
	struct device *dev = &pdev->dev;
	bool gone, ours;

	mutex_lock(&pvm_pass_lock);
	gone = p->gone;
	p->releasing = !gone;
	mutex_unlock(&pvm_pass_lock);
	if (gone)
		return;

	device_set_driver_override(dev, p->previous_override);
	device_lock(dev);
	ours = dev->driver == &pvm_pass_driver.driver;
	device_unlock(dev);
	if (ours)
		device_release_driver(dev);
	if (!attach)
		return;
	/* Claimed at boot, its driver may never have been loaded: udev does that on "add". */
	if (device_attach(dev) <= 0)
		kobject_uevent(&dev->kobj, KOBJ_ADD);
}

/* The last step with a function; remove() of one that is unplugged does it itself. */
void pvm_pass_forget(struct pvm_pass *p)
{
	bool listed;

	mutex_lock(&pvm_pass_lock);
	pvm_pass_idle_locked(p);
	listed = !p->gone && !list_empty(&p->node);
	if (listed)
		list_del_init(&p->node);
	mutex_unlock(&pvm_pass_lock);
	if (listed)
		pvm_pass_put(p);
}

static int take_thread(void *data)
{
	struct pvm_pass *p = data;
	bool abandoned;
	int err = take(p);

	mutex_lock(&pvm_pass_lock);
	p->take_error = err;
	abandoned = p->take_abandoned;
	complete(&p->taken);
	mutex_unlock(&pvm_pass_lock);
	if (abandoned) {
		pvm_info("%s: driver %s let go at last", pci_name(p->pdev), p->previous_driver);
		give(p, p->was_bound);
		pvm_pass_forget(p);
	}
	pvm_pass_put(p);
	module_put_and_kthread_exit(0);
}

static int spawn(struct pvm_pass *p, int (*fn)(void *data), const char *name)
{
	struct task_struct *task;

	reinit_completion(&p->taken);
	kref_get(&p->ref);
	__module_get(THIS_MODULE);
	task = kthread_run(fn, p, "%s", name);
	if (!IS_ERR(task))
		return 0;
	module_put(THIS_MODULE);
	pvm_pass_put(p);
	return PTR_ERR(task);
}

int pvm_pass_take(struct pvm_pass *p)
{
	return spawn(p, take_thread, "passvm-take");
}

/* True when the thread ended before @until; else it is abandoned. */
static bool wait_taken(struct pvm_pass *p, unsigned long until)
{
	long left = max_t(long, until - jiffies, 1);
	bool done = wait_for_completion_timeout(&p->taken, left);

	mutex_lock(&pvm_pass_lock);
	done = done || completion_done(&p->taken);
	p->take_abandoned = !done;
	mutex_unlock(&pvm_pass_lock);
	return done;
}

int pvm_pass_take_wait(struct pvm_pass *p, unsigned long until, struct pvm_why *why)
{
	const char *name = pci_name(p->pdev);

	if (!wait_taken(p, until)) {
		pvm_pass_set_grade(p, PVM_GRADE_UNKNOWN, "driver %s does not let go",
				   p->previous_driver);
		return pvm_fail(why, -ETIMEDOUT,
				"%s: driver %s does not let go; end what uses the device, then try again",
				name, p->previous_driver);
	}
	if (p->take_error)
		return pvm_fail(why, p->take_error, "%s: cannot be bound to passvm (error %d)",
				name, p->take_error);
	return 0;
}

/* --- give ------------------------------------------------------------------- */

static int give_thread(void *data)
{
	struct pvm_pass *p = data;

	give(p, p->was_bound);
	pvm_pass_forget(p);
	complete(&p->taken);
	pvm_pass_put(p);
	module_put_and_kthread_exit(0);
}

int pvm_pass_give(struct pvm_pass *p, bool attach, struct pvm_why *why)
{
	int err;

	p->was_bound = attach;
	err = spawn(p, give_thread, "passvm-give");
	if (err) {
		/* No memory for a thread of its own: without one, and without a deadline. */
		give(p, attach);
		pvm_pass_forget(p);
		return 0;
	}
	if (!wait_for_completion_timeout(&p->taken, msecs_to_jiffies(PVM_PASS_TAKE_MS)))
		return pvm_fail(why, -ETIMEDOUT, "%s: its host driver does not come up",
				pci_name(p->pdev));
	return 0;
}

void pvm_pass_give_all(void)
{
	struct pvm_pass *p, *next;
	LIST_HEAD(gone);

	mutex_lock(&pvm_pass_lock);
	list_for_each_entry_safe(p, next, &pvm_pass_list, node) {
		/* Being unplugged: pass_remove()'s, which is waited for below. */
		if (p->gone)
			continue;
		p->releasing = true;
		list_move_tail(&p->node, &gone);
	}
	mutex_unlock(&pvm_pass_lock);

	list_for_each_entry(p, &gone, node) {
		pvm_pass_disown(p);
		device_set_driver_override(&p->pdev->dev, p->previous_override);
	}
	pci_unregister_driver(&pvm_pass_driver);
	list_for_each_entry_safe(p, next, &gone, node) {
		give(p, true);
		list_del(&p->node);
		pvm_pass_put(p);
	}
}

/* --- own -------------------------------------------------------------------- */

static int bars_of(struct pci_dev *pdev)
{
	return pci_select_bars(pdev, IORESOURCE_MEM | IORESOURCE_IO);
}

int pvm_pass_own(struct pvm_pass *p, struct pvm_why *why)
{
	struct pci_dev *pdev = p->pdev;
	int err;

	err = pvm_pass_vga_take(p, why);
	if (err)
		return err;
	pci_d3cold_disable(pdev);
	p->awake = true;
	pci_set_power_state(pdev, PCI_D0);
	err = pci_enable_device(pdev);
	if (err) {
		pvm_fail(why, err, "%s: cannot be switched on (error %d)", pci_name(pdev), err);
		goto err_power;
	}
	p->enabled = true;
	pci_clear_master(pdev);
	pci_intx(pdev, 0);
	err = pci_request_selected_regions(pdev, bars_of(pdev), "passvm");
	if (err) {
		pvm_fail(why, err, "%s: somebody in the host holds its BARs, see /proc/iomem",
			 pci_name(pdev));
		goto err_power;
	}
	p->regions = true;
	err = pvm_iommu_claim(pdev, &pvm_pass_driver.driver, &p->group, why);
	if (err)
		goto err_power;
	return 0;

err_power:
	pvm_pass_disown(p);
	return err;
}

void pvm_pass_disown(struct pvm_pass *p)
{
	struct pci_dev *pdev = p->pdev;

	pvm_pass_rom_free(p);
	if (p->saved && !p->gone && !pci_load_saved_state(pdev, p->saved))
		pci_restore_state(pdev);
	kfree(p->saved);
	p->saved = NULL;
	if (p->enabled && !p->gone)
		pci_clear_master(pdev);
	if (p->group)
		pvm_iommu_release(p->group);
	p->group = NULL;
	if (p->regions)
		pci_release_selected_regions(pdev, bars_of(pdev));
	p->regions = false;
	if (p->enabled) {
		/* The host's driver expects to find the pin as after power-on. */
		if (!p->gone)
			pci_intx(pdev, 1);
		pci_disable_device(pdev);
	}
	p->enabled = false;
	if (p->awake)
		pci_d3cold_enable(pdev);
	p->awake = false;
	pvm_pass_vga_give(p);
}

/* --- the driver -------------------------------------------------------------- */

/* Only devices that a claim is taking are welcome. */
static int pass_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct pvm_pass *p;
	int err = -ENODEV;

	mutex_lock(&pvm_pass_lock);
	p = pvm_pass_find_locked(pdev);
	if (p && p->state == PVM_PASS_CLAIMING && !p->gone) {
		pci_set_drvdata(pdev, p);
		err = 0;
	}
	mutex_unlock(&pvm_pass_lock);
	return err;
}

/* Without the lock, which must not be taken between prepare and schedule of a wait. */
static bool looks_idle(struct pvm_pass *p)
{
	return !READ_ONCE(p->busy) && READ_ONCE(p->state) != PVM_PASS_ATTACHED;
}

/* Makes an idle function ours for good. */
static bool seize(struct pvm_pass *p)
{
	bool idle;

	mutex_lock(&pvm_pass_lock);
	idle = looks_idle(p);
	if (idle)
		p->busy = "unplug";
	mutex_unlock(&pvm_pass_lock);
	return idle;
}

static void pass_remove(struct pci_dev *pdev)
{
	struct pvm_pass *p = pci_get_drvdata(pdev);
	struct pvm_vm *vm = NULL;
	bool releasing;

	pci_set_drvdata(pdev, NULL);
	if (!p)
		return;
	mutex_lock(&pvm_pass_lock);
	releasing = p->releasing;
	if (!releasing) {
		WRITE_ONCE(p->gone, true);
		if (p->state == PVM_PASS_ATTACHED) {
			vm = p->v.vm;
			pvm_vm_get(vm);
			pvm_vm_kill(vm, PVM_END_HOST, "device %s was removed", pci_name(pdev));
		}
	}
	mutex_unlock(&pvm_pass_lock);
	if (releasing)
		return;

	pvm_info("%s: unplugged while it was ours", pci_name(pdev));
	pvm_pass_tell(vm, pdev, "lost", "unplugged", -ENODEV, 0);
	if (vm)
		pvm_vm_put(vm);
	do
		wait_event(pvm_pass_idle, looks_idle(p));
	while (!seize(p));
	pvm_pass_disown(p);
	mutex_lock(&pvm_pass_lock);
	p->state = PVM_PASS_LOST;
	list_del_init(&p->node);
	mutex_unlock(&pvm_pass_lock);
	pvm_pass_put(p);
}

/* PCIe r6.0, sec 6.2 "Error Signaling and Logging": what a guest causes ends that guest. */
static pci_ers_result_t pass_error(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct pvm_pass *p = pci_get_drvdata(pdev);
	struct pvm_vm *vm = NULL;

	if (!p)
		return PCI_ERS_RESULT_NONE;
	mutex_lock(&pvm_pass_lock);
	if (p->state == PVM_PASS_ATTACHED) {
		vm = p->v.vm;
		pvm_vm_get(vm);
		pvm_vm_kill(vm, PVM_END_HOST, "device %s: bus error", pci_name(pdev));
	}
	p->grade = PVM_GRADE_SUSPECT;
	strscpy(p->reason, "bus error (AER)", sizeof(p->reason));
	mutex_unlock(&pvm_pass_lock);
	pvm_pass_tell(vm, pdev, "fault", "bus error (AER)", -EIO, 0);
	if (vm)
		pvm_vm_put(vm);

	if (state == pci_channel_io_perm_failure)
		return PCI_ERS_RESULT_DISCONNECT;
	return state == pci_channel_io_frozen ? PCI_ERS_RESULT_NEED_RESET :
						PCI_ERS_RESULT_CAN_RECOVER;
}

static pci_ers_result_t pass_error_mmio(struct pci_dev *pdev)
{
	return PCI_ERS_RESULT_RECOVERED;
}

static pci_ers_result_t pass_error_reset(struct pci_dev *pdev)
{
	struct pvm_pass *p = pci_get_drvdata(pdev);

	if (p && p->saved && !pci_load_saved_state(pdev, p->saved)) {
		pci_restore_state(pdev);
		pci_clear_master(pdev);
	}
	return PCI_ERS_RESULT_RECOVERED;
}

static const struct pci_error_handlers pass_errors = {
	.error_detected	= pass_error,
	.mmio_enabled	= pass_error_mmio,
	.slot_reset	= pass_error_reset,
};

struct pci_driver pvm_pass_driver = {
	.name			= "passvm",
	.probe			= pass_probe,
	.remove			= pass_remove,
	.err_handler		= &pass_errors,
	.driver_managed_dma	= true,
	/* Devices come and go by claim and release alone. */
	.driver			= { .suppress_bind_attrs = true },
};
