// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a real function, from the host to the guest.
 *
 * The host's mode follows the guest's: INTx after a reset, MSI or MSI-X when the
 * guest switches them on. Changing the mode sleeps and must be complete before
 * the guest goes on (a device that signals in between would be lost), so it is
 * work for which the VM stops its vCPUs (switch_work).
 *
 * MSI-X: all entries of the table get a host vector when the guest enables the
 * capability, since kernels before 6.2 cannot add one later, but only entries
 * that the guest unmasks are connected (follow_work): an unconnected one costs
 * memory and no CPU vector. Until then the entry is masked in the device's own
 * table, which remembers what fires, so nothing is lost although the guest does
 * not wait for that work.
 *
 * A message goes straight from the hard interrupt handler to the local APIC. The
 * message in force is copied into the vector under its seqcount; only a vector
 * that is masked takes fn's lock to set a pending bit.
 *
 * INTx is a level: the handler masks it in the function (or disables the line
 * where the function cannot) and asserts the guest's pin; the guest's EOI lowers
 * the pin and unmasks, and what is still pending comes again.
 *
 * World:   kernel
 * Context: as each function says
 * Spec:    PCIe r6.0, sec 6.1.4 "Message Signaled Interrupt Support";
 *          PCI r3.0, sec 2.2.6 "Interrupt Pins"
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/mm.h>
#include "pass/internal.h"

/* The host is short of something; a guest can make that come again and again. */
#define intr_warn(fmt, ...)	pr_warn_ratelimited("passvm: " fmt "\n", ##__VA_ARGS__)

/* --- messages --------------------------------------------------------------- */

static irqreturn_t vector_handler(int irq, void *data)
{
	struct pvm_pass_vector *vec = data;
	struct pvm_pass *p = vec->p;
	unsigned long flags;
	unsigned int seq;
	bool live;
	u64 addr;
	u32 msg;

	do {
		seq = raw_read_seqcount_begin(&vec->seq);
		live = vec->live;
		addr = vec->addr;
		msg = vec->data;
	} while (read_seqcount_retry(&vec->seq, seq));

	if (likely(live)) {
		p->v.msi(p->v.vm, addr, msg);
		return IRQ_HANDLED;
	}
	flags = pvm_dev_lock(&p->dev);
	if (p->intr_mode == PVM_PASS_INTR_MSIX)
		pvm_pci_msix_fire(&p->fn, vec->index);
	else
		pvm_pci_msi_fire(&p->fn, vec->index);
	pvm_dev_unlock(&p->dev, flags);
	return IRQ_HANDLED;
}

/* Copies the message in force. fn's lock held, IRQs off. */
static void vector_refresh(struct pvm_pass *p, u32 i)
{
	struct pvm_pass_vector *vec = &p->vector[i];
	u64 addr = 0;
	u32 data = 0;
	bool live;

	if (p->intr_mode == PVM_PASS_INTR_MSIX)
		live = pvm_pci_msix_message(&p->fn, i, &addr, &data);
	else
		live = pvm_pci_msi_message(&p->fn, i, &addr, &data);
	live = live && !p->quiet;
	raw_write_seqcount_begin(&vec->seq);
	vec->live = live;
	vec->addr = addr;
	vec->data = data;
	raw_write_seqcount_end(&vec->seq);
}

/* True if some vector waits for its first request or may want another CPU. */
static bool refresh(struct pvm_pass *p, int vector)
{
	bool live = false;
	u32 i;

	if (vector >= 0) {
		if (vector >= p->vectors)
			return false;
		vector_refresh(p, vector);
		return p->vector[vector].live;
	}
	for (i = 0; i < p->vectors; i++) {
		vector_refresh(p, i);
		live = live || p->vector[i].live;
	}
	return live;
}

static u32 wanted_mode(struct pvm_pass *p, u32 *count)
{
	*count = 0;
	if (p->off_bus)
		return PVM_PASS_INTR_OFF;
	if (pvm_pci_msix_enabled(&p->fn)) {
		*count = p->fn.msix.vectors;
		return PVM_PASS_INTR_MSIX;
	}
	*count = pvm_pci_msi_count(&p->fn);
	return *count ? PVM_PASS_INTR_MSI : PVM_PASS_INTR_INTX;
}

void pvm_pass_intr_changed(struct pvm_pci_fn *fn, int vector)
{
	struct pvm_pass *p = pvm_pass_of(fn);
	u32 mode, count;

	/* Before start() and after stop() there is nothing to follow. */
	if (p->intr_mode == PVM_PASS_INTR_OFF)
		return;
	mode = wanted_mode(p, &count);
	if (mode != p->intr_mode || (mode == PVM_PASS_INTR_MSI && count != p->msi_count)) {
		pvm_vm_defer(p->v.vm, &p->switch_work);
		return;
	}
	if (refresh(p, vector))
		queue_work(pvm_pass_wq, &p->follow_work);
}

/* --- INTx ------------------------------------------------------------------- */

static irqreturn_t intx_handler(int irq, void *data)
{
	struct pvm_pass *p = data;
	irqreturn_t ret = IRQ_NONE;
	unsigned long flags;

	flags = pvm_dev_lock(&p->dev);
	if (p->intx_masked)
		goto out;
	if (p->intx_shared) {
		if (!pci_check_and_mask_intx(p->pdev))
			goto out;
	} else {
		disable_irq_nosync(irq);
	}
	p->intx_masked = true;
	ret = IRQ_HANDLED;
	if (!p->quiet)
		pvm_pci_intx(&p->fn, true);
out:
	pvm_dev_unlock(&p->dev, flags);
	return ret;
}

/* Lowers the pin and lets the next one come, or finds that it is there already. */
static void intx_rearm(struct pvm_pass *p)
{
	if (!p->intx_masked || p->quiet)
		return;
	pvm_pci_intx(&p->fn, false);
	if (!p->intx_shared) {
		p->intx_masked = false;
		enable_irq(p->intx_irq);
	} else if (pci_check_and_unmask_intx(p->pdev)) {
		p->intx_masked = false;
	} else {
		pvm_pci_intx(&p->fn, true);
	}
}

/*
 * In hard interrupt context of its own, because the EOI arrives with the I/O
 * APIC's lock held, which nests inside fn's.
 */
static void eoi_work_fn(struct irq_work *work)
{
	struct pvm_pass *p = container_of(work, struct pvm_pass, eoi_work);
	unsigned long flags;

	flags = pvm_dev_lock(&p->dev);
	intx_rearm(p);
	pvm_dev_unlock(&p->dev, flags);
}

void pvm_pass_intr_eoi(struct pvm_pass *p, u32 gsi)
{
	u32 pin = p->fn.cfg->byte[PVM_PCI_INT_PIN];

	if (READ_ONCE(p->intx_masked) && pin && pvm_pci_gsi(p->fn.devfn >> 3, pin - 1) == gsi)
		irq_work_queue(&p->eoi_work);
}

static int intx_setup(struct pvm_pass *p)
{
	int err;

	if (!p->fn.cfg->byte[PVM_PCI_INT_PIN] || !p->pdev->irq)
		return 0;
	p->intx_shared = pci_intx_mask_supported(p->pdev);
	p->intx_irq = p->pdev->irq;
	p->intx_masked = false;
	err = request_irq(p->intx_irq, intx_handler,
			  IRQF_NO_THREAD | (p->intx_shared ? IRQF_SHARED : 0), "passvm", p);
	if (err)
		return err;
	p->intx_requested = true;
	pci_intx(p->pdev, 1);
	return 0;
}

static void intx_teardown(struct pvm_pass *p)
{
	unsigned long flags;

	if (!p->intx_requested)
		return;
	pci_intx(p->pdev, 0);
	free_irq(p->intx_irq, p);
	irq_work_sync(&p->eoi_work);
	p->intx_requested = false;
	flags = pvm_dev_lock(&p->dev);
	/* free_irq() dropped the line's disable count with its last handler. */
	p->intx_masked = false;
	pvm_pci_intx(&p->fn, false);
	pvm_dev_unlock(&p->dev, flags);
}

/* --- vectors ---------------------------------------------------------------- */

static void vectors_teardown(struct pvm_pass *p)
{
	struct pvm_pass_vector *vector = p->vector;
	u32 count = p->vectors, i;
	unsigned long flags;

	if (!vector)
		return;
	for (i = 0; i < count; i++)
		if (vector[i].requested)
			free_irq(vector[i].irq, &vector[i]);
	flags = pvm_dev_lock(&p->dev);
	p->vector = NULL;
	p->vectors = 0;
	pvm_dev_unlock(&p->dev, flags);
	pci_free_irq_vectors(p->pdev);
	kvfree(vector);
}

static int vectors_setup(struct pvm_pass *p, u32 count, unsigned int type)
{
	struct pvm_pass_vector *vector = kvcalloc(count, sizeof(*vector), GFP_KERNEL_ACCOUNT);
	unsigned long flags;
	int got, i;

	if (!vector)
		return -ENOMEM;
	got = pci_alloc_irq_vectors(p->pdev, 1, count, type);
	if (got < 0) {
		kvfree(vector);
		return got;
	}
	if (got < count)
		intr_warn("%s: the guest asked for %u interrupt vectors, the host has %d",
			  pci_name(p->pdev), count, got);
	for (i = 0; i < got; i++) {
		vector[i].p = p;
		vector[i].index = i;
		vector[i].cpu = -1;
		vector[i].irq = pci_irq_vector(p->pdev, i);
		seqcount_init(&vector[i].seq);
	}
	flags = pvm_dev_lock(&p->dev);
	p->vector = vector;
	p->vectors = got;
	pvm_dev_unlock(&p->dev, flags);
	return 0;
}

static void vector_request(struct pvm_pass *p, struct pvm_pass_vector *vec)
{
	int err;

	if (vec->requested || vec->irq < 0)
		return;
	err = request_irq(vec->irq, vector_handler, IRQF_NO_THREAD, "passvm", vec);
	if (err) {
		intr_warn("%s: interrupt vector %u: error %d, the guest will miss it",
			  pci_name(p->pdev), vec->index, err);
		vec->irq = -1;
		return;
	}
	vec->requested = true;
}

static void vector_move(struct pvm_pass *p, struct pvm_pass_vector *vec)
{
	unsigned long flags;
	bool live;
	u64 addr;
	u32 data;
	int cpu;

	if (!vec->requested || !p->v.msi_cpu)
		return;
	flags = pvm_dev_lock(&p->dev);
	live = vec->live;
	addr = vec->addr;
	data = vec->data;
	pvm_dev_unlock(&p->dev, flags);
	if (!live)
		return;
	cpu = p->v.msi_cpu(p->v.vm, addr, data);
	if (cpu < 0 || cpu == vec->cpu || !cpu_online(cpu))
		return;
	if (!irq_set_affinity(vec->irq, cpumask_of(cpu)))
		vec->cpu = cpu;
}

/* Requests what is live and was not yet; all of MSI, which cannot be masked. */
static void follow_locked(struct pvm_pass *p)
{
	u32 i;

	lockdep_assert_held(&p->intr_lock);
	for (i = 0; i < p->vectors; i++) {
		if (p->intr_mode == PVM_PASS_INTR_MSI || READ_ONCE(p->vector[i].live))
			vector_request(p, &p->vector[i]);
		vector_move(p, &p->vector[i]);
	}
}

static void follow_work_fn(struct work_struct *work)
{
	struct pvm_pass *p = container_of(work, struct pvm_pass, follow_work);

	mutex_lock(&p->intr_lock);
	follow_locked(p);
	mutex_unlock(&p->intr_lock);
}

void pvm_pass_intr_follow(struct pvm_pass *p)
{
	queue_work(pvm_pass_wq, &p->follow_work);
}

/* --- modes ------------------------------------------------------------------ */

static void set_mode(struct pvm_pass *p, u32 mode, u32 msi_count)
{
	unsigned long flags;

	flags = pvm_dev_lock(&p->dev);
	p->intr_mode = mode;
	p->msi_count = msi_count;
	refresh(p, -1);
	pvm_dev_unlock(&p->dev, flags);
}

static void teardown(struct pvm_pass *p)
{
	intx_teardown(p);
	vectors_teardown(p);
	/* Giving vectors back switches the pin on, and now nobody listens to it. */
	pci_intx(p->pdev, 0);
}

/* Makes the host's mode the guest's. A mode that cannot be had leaves the guest without. */
static void switch_locked(struct pvm_pass *p)
{
	u32 mode, count;
	unsigned long flags;
	int err = 0;

	lockdep_assert_held(&p->intr_lock);
	flags = pvm_dev_lock(&p->dev);
	mode = wanted_mode(p, &count);
	pvm_dev_unlock(&p->dev, flags);

	teardown(p);
	if (mode == PVM_PASS_INTR_INTX)
		err = intx_setup(p);
	else if (mode == PVM_PASS_INTR_MSI)
		err = vectors_setup(p, count, PCI_IRQ_MSI);
	else if (mode == PVM_PASS_INTR_MSIX)
		err = vectors_setup(p, count, PCI_IRQ_MSIX);
	if (err)
		intr_warn("%s: interrupts cannot be set up as the guest wants (mode %u, error %d)",
			  pci_name(p->pdev), mode, err);
	set_mode(p, mode, mode == PVM_PASS_INTR_MSI ? count : 0);
	follow_locked(p);
}

static void switch_work_fn(struct work_struct *work)
{
	struct pvm_pass *p = container_of(work, struct pvm_pass, switch_work);

	mutex_lock(&p->intr_lock);
	if (p->intr_mode != PVM_PASS_INTR_OFF)
		switch_locked(p);
	mutex_unlock(&p->intr_lock);
	pvm_vm_defer_done(p->v.vm);
}

void pvm_pass_intr_new(struct pvm_pass *p)
{
	INIT_WORK(&p->switch_work, switch_work_fn);
	INIT_WORK(&p->follow_work, follow_work_fn);
	p->eoi_work = IRQ_WORK_INIT_HARD(eoi_work_fn);
	p->intr_mode = PVM_PASS_INTR_OFF;
	p->vector = NULL;
	p->vectors = 0;
	p->intx_requested = false;
	p->intx_masked = false;
}

void pvm_pass_intr_start(struct pvm_pass *p)
{
	mutex_lock(&p->intr_lock);
	switch_locked(p);
	mutex_unlock(&p->intr_lock);
}

void pvm_pass_intr_stop(struct pvm_pass *p)
{
	mutex_lock(&p->intr_lock);
	set_mode(p, PVM_PASS_INTR_OFF, 0);
	teardown(p);
	mutex_unlock(&p->intr_lock);
}

void pvm_pass_intr_free(struct pvm_pass *p)
{
	pvm_pass_intr_stop(p);
	/* Asked for just before the end; nobody waits for it any more. */
	if (cancel_work_sync(&p->switch_work))
		pvm_vm_defer_done(p->v.vm);
	cancel_work_sync(&p->follow_work);
	irq_work_sync(&p->eoi_work);
}

void pvm_pass_intr_quiet(struct pvm_pass *p, bool quiet)
{
	p->quiet = quiet;
	refresh(p, -1);
	if (quiet) {
		/* The pin stays down while quiet; its cause stays masked. */
		if (p->intx_masked)
			pvm_pci_intx(&p->fn, false);
		return;
	}
	intx_rearm(p);
}
