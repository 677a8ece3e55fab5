// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine on one screen: which chip answers where, on which line.
 *
 * A Q35-like PC. The table below is all there is of it, besides the PCI root
 * and what is plugged into that (board_pci.c).
 *
 * Tour 2.1: the machine on one screen
 * The table below is the whole PC: chip, ports or addresses, interrupt line. Everything
 * else in this file wires models to each other and to the VM. What sits on the PCI
 * root is board_pci.c's.
 *
 * World:   kernel
 * Context: the VM's worker, may sleep, unless a function says otherwise
 */
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "vm/board.h"

enum pvm_board_when { PVM_ALWAYS, PVM_IF_DEBUG_EXIT };

struct pvm_board_range {
	u8 space;		/* enum pvm_space */
	u64 base, bytes;
};

#define PIO(base, bytes)	{ PVM_SPACE_PIO, base, bytes }
#define MMIO(base, bytes)	{ PVM_SPACE_MMIO, base, bytes }

/* In the order of attaching: the interrupt chips first. Region numbers count from 0. */
static const struct pvm_board_row {
	size_t dev;			/* offset in struct pvm_board */
	const struct pvm_dev_ops *ops;
	bool inner;			/* its lock nests inside those of the others */
	u8 line;
	u8 when;			/* enum pvm_board_when */
	struct pvm_board_range range[3];
} pvm_board_rows[] = {
#define ROW(field, ops)	offsetof(struct pvm_board, field.dev), &ops
	{ ROW(pic, pvm_pic_ops), true, 0, PVM_ALWAYS,
	  { PIO(0x20, 2), PIO(0xa0, 2), PIO(0x4d0, 2) } },
	{ ROW(ioapic, pvm_ioapic_ops), true, 0, PVM_ALWAYS,
	  { MMIO(PVM_IOAPIC_BASE_GPA, 0x1000) } },
	{ ROW(pit, pvm_pit_ops), false, PVM_ISA_IRQ_PIT, PVM_ALWAYS,
	  { PIO(0x40, 4), PIO(0x61, 1) } },
	{ ROW(rtc, pvm_rtc_ops), false, PVM_ISA_IRQ_RTC, PVM_ALWAYS,
	  { PIO(0x70, 2) } },
	{ ROW(hpet, pvm_hpet_ops), false, PVM_ISA_IRQ_PIT, PVM_ALWAYS,
	  { MMIO(PVM_HPET_BASE_GPA, PVM_HPET_BYTES) } },
	{ ROW(uart, pvm_uart_ops), false, 4, PVM_ALWAYS,
	  { PIO(0x3f8, 8) } },
	{ ROW(i8042, pvm_i8042_ops), false, 1, PVM_ALWAYS,
	  { PIO(0x60, 1), PIO(0x64, 1) } },
	{ ROW(acpi, pvm_acpi_pm_ops), false, PVM_FW_SCI, PVM_ALWAYS,
	  { PIO(PVM_ACPI_PMBASE, 8), PIO(PVM_ACPI_PMBASE + PVM_ACPI_REST, 0x74),
	    PIO(PVM_ACPI_SMI_CMD, 2) } },
	{ ROW(pmtimer, pvm_pmtimer_ops), false, 0, PVM_ALWAYS,
	  { PIO(PVM_ACPI_PMBASE + PVM_ACPI_PM_TMR, 4) } },
	{ ROW(debugcon, pvm_debugcon_ops), false, 0, PVM_ALWAYS,
	  { PIO(0x402, 1) } },
	{ ROW(debug_exit, pvm_debug_exit_ops), false, 0, PVM_IF_DEBUG_EXIT,
	  { PIO(0, 4) } },
	{ ROW(post, pvm_post_ops), false, 0, PVM_ALWAYS,
	  { PIO(0x80, 1) } },
	{ ROW(port92, pvm_resetport_ops), false, 0, PVM_ALWAYS,
	  { PIO(0x92, 1) } },
	{ ROW(root, pvm_pci_root_ops), false, 0, PVM_ALWAYS,
	  { PIO(0xcf8, 8) } },
#undef ROW
};

static struct pvm_dev *pvm_board_dev(struct pvm_board *b, const struct pvm_board_row *r)
{
	return (void *)b + r->dev;
}

static bool pvm_board_has(struct pvm_board *b, const struct pvm_board_row *r)
{
	return r->when == PVM_ALWAYS || b->vm->config.debug_exit_port;
}

/* ---- What models ask of the board ---- */

static void pvm_board_irq(struct pvm_dev *d, u32 line, bool level)
{
	struct pvm_board *b = d->owner;

	/* HPET r1.0a, sec 2.3.6.1: in legacy mode PIT and RTC lose their lines to it. */
	if ((d == &b->pit.dev || d == &b->rtc.dev) && pvm_hpet_legacy(&b->hpet))
		level = false;
	pvm_route_line(&b->route, line, level);
}

static void pvm_board_msi(struct pvm_dev *d, u64 addr, u32 data)
{
	struct pvm_board *b = d->owner;

	pvm_route_msi(&b->route, addr, data);
}

static int pvm_board_dma_read(struct pvm_dev *d, u64 gpa, void *to, u32 bytes)
{
	struct pvm_board *b = d->owner;

	return pvm_mem_read(&b->vm->mem, gpa, to, bytes);
}

static int pvm_board_dma_write(struct pvm_dev *d, u64 gpa, const void *from, u32 bytes)
{
	struct pvm_board *b = d->owner;

	return pvm_mem_write(&b->vm->mem, gpa, from, bytes);
}

static void pvm_board_guest_error(struct pvm_dev *d, const char *what, u64 arg)
{
	pvm_guest_dbg("%s: %s (%llx)", d->ops->name, what, arg);
}

/* UART's lock held: as much as it has room for; it signals when there is room again. */
static void pvm_board_feed_uart(struct pvm_board *b)
{
	u8 byte;

	while (pvm_uart_room(&b->uart) && pvm_console_get(b->vm->console, &byte))
		pvm_uart_input(&b->uart, byte);
}

/* The device's lock is held and IRQs are off. */
static void pvm_board_signal(struct pvm_dev *d, u32 signal, u64 arg)
{
	struct pvm_board *b = d->owner;
	struct pvm_vm *vm = b->vm;

	switch (signal) {
	case PVM_SIGNAL_POWEROFF:
		pvm_vm_kill(vm, PVM_END_POWEROFF, "the guest switched itself off");
		break;
	case PVM_SIGNAL_RESET:
		pvm_vm_reset_request(vm);
		break;
	case PVM_SIGNAL_DEBUG_EXIT:
		if (!pvm_vm_ending(vm))
			WRITE_ONCE(vm->end_value, arg);
		pvm_vm_kill(vm, PVM_END_DEBUG, "debug exit with %llu", arg);
		break;
	case PVM_SIGNAL_OUTPUT:
		pvm_console_put(vm->console, arg);
		break;
	case PVM_SIGNAL_INPUT_ROOM:
		pvm_board_feed_uart(b);
		break;
	}
}

const struct pvm_dev_host pvm_board_dev_host = {
	.now_ns		= pvm_dev_now_ns,
	.timer_set	= pvm_dev_timer_set,
	.irq		= pvm_board_irq,
	.msi		= pvm_board_msi,
	.dma_read	= pvm_board_dma_read,
	.dma_write	= pvm_board_dma_write,
	.guest_error	= pvm_board_guest_error,
	.signal		= pvm_board_signal,
};

/* ---- Interrupt chips ---- */

static void pvm_board_ioapic_deliver(struct pvm_ioapic *io, const struct pvm_irq_msg *m)
{
	struct pvm_board *b = container_of(io, struct pvm_board, ioapic);

	pvm_lapic_deliver(&b->vm->lapics, NULL, m);
}

static void pvm_board_ioapic_acked(struct pvm_ioapic *io, u32 pin)
{
	struct pvm_board *b = container_of(io, struct pvm_board, ioapic);

	pvm_route_note_acked(&b->route, pin);
}

static void pvm_board_pic_intr(struct pvm_pic *pic, bool level)
{
	struct pvm_board *b = container_of(pic, struct pvm_board, pic);
	struct pvm_vm *vm = b->vm;

	WRITE_ONCE(vm->m.pic_intr, level);
	if (level && vm->lapics.count)
		pvm_vcpu_request(vm->vcpu[0], PVM_REQ_EVENT);
}

static int pvm_board_pic_inta(struct pvm_vm *vm)
{
	return pvm_route_inta(&vm->board->route);
}

static void pvm_board_ioapic_eoi(struct pvm_vm *vm, u8 vector)
{
	pvm_route_eoi(&vm->board->route, vector);
}

static int pvm_board_pirq(struct pvm_irq_route *r, u32 gsi)
{
	struct pvm_board *b = container_of(r, struct pvm_board, route);

	return pvm_pci_pirq(&b->root, gsi);
}

static void pvm_board_acked(struct pvm_irq_route *r, u32 gsi)
{
	struct pvm_board *b = container_of(r, struct pvm_board, route);
	struct pvm_pass_set *set = READ_ONCE(b->pass);

	if (set)
		pvm_pass_eoi(set, gsi);
}

/* The 8259's input may be shared by several PCI lines. Under the lock of the pair. */
static void pvm_board_pic_acked(struct pvm_pic *pic, u32 irq)
{
	struct pvm_board *b = container_of(pic, struct pvm_board, pic);
	u32 gsi;

	for (gsi = 16; gsi < PVM_IOAPIC_PINS; gsi++)
		if (pvm_pci_pirq(&b->root, gsi) == irq)
			pvm_board_acked(&b->route, gsi);
}

static void pvm_board_init_irqs(struct pvm_board *b)
{
	struct pvm_vm *vm = b->vm;

	b->ioapic.deliver = pvm_board_ioapic_deliver;
	b->ioapic.acked = pvm_board_ioapic_acked;
	b->pic.intr = pvm_board_pic_intr;
	b->pic.acked = pvm_board_pic_acked;
	b->route = (struct pvm_irq_route){
		.ioapic = &b->ioapic,
		.pic = &b->pic,
		.lapics = &vm->lapics,
		.pirq = pvm_board_pirq,
		.acked = pvm_board_acked,
	};
	vm->m.pic_intr = false;
	vm->m.pic_inta = pvm_board_pic_inta;
	vm->m.ioapic_eoi = pvm_board_ioapic_eoi;
}

/* ---- Life ---- */

static int pvm_board_add_ranges(struct pvm_board *b, const struct pvm_board_row *r)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(r->range); i++) {
		struct pvm_region region = {
			.base = r->range[i].base,
			.bytes = r->range[i].bytes,
			.dev = pvm_board_dev(b, r),
			.region = i,
		};
		int err;

		if (!region.bytes)
			break;
		if (r->when == PVM_IF_DEBUG_EXIT)
			region.base = b->vm->config.debug_exit_port;
		err = pvm_bus_add(b->vm->m.bus, r->range[i].space, &region);
		if (err)
			return err;
	}
	return 0;
}

static void pvm_board_detach(struct pvm_board *b, u32 count)
{
	while (count--)
		if (pvm_board_has(b, &pvm_board_rows[count]))
			pvm_dev_detach(pvm_board_dev(b, &pvm_board_rows[count]));
}

static int pvm_board_attach(struct pvm_board *b, struct pvm_why *why)
{
	u32 i;
	int err;

	for (i = 0; i < ARRAY_SIZE(pvm_board_rows); i++) {
		const struct pvm_board_row *r = &pvm_board_rows[i];
		struct pvm_dev *d = pvm_board_dev(b, r);

		if (!pvm_board_has(b, r))
			continue;
		err = pvm_dev_attach(d, r->ops, &pvm_board_dev_host, b, r->inner);
		if (err)
			goto err_detach;
		d->line = r->line;
		pvm_dev_set_clock(d, &b->clock);
		err = pvm_board_add_ranges(b, r);
		if (err) {
			i++;
			goto err_detach;
		}
	}
	return 0;

err_detach:
	pvm_why_set(why, "%s could not be added (error %d)%s", pvm_board_rows[min_t(u32, i,
		    ARRAY_SIZE(pvm_board_rows) - 1)].ops->name, err,
		    err == -EBUSY ? ": debug-exit names a port in use" : "");
	pvm_board_detach(b, i);
	return err;
}

int pvm_board_new(struct pvm_vm *vm, struct pvm_why *why)
{
	struct pvm_board *b = kvzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	int err;

	if (!b)
		return -ENOMEM;
	vm->m.bus = pvm_bus_new();
	if (!vm->m.bus) {
		kvfree(b);
		return -ENOMEM;
	}
	b->vm = vm;
	vm->board = b;
	pvm_dev_clock_init(&b->clock);
	raw_spin_lock_init(&b->intx_lock);
	pvm_board_fill_fw(vm, &b->fw);
	pvm_board_init_irqs(b);
	pvm_board_pci_init(b);
	b->rtc.wall_base_s = ktime_get_real_seconds();
	pvm_rtc_set_board(&b->rtc, b->fw.low_ram_bytes, b->fw.high_ram_bytes, vm->config.cpus);
	err = pvm_board_attach(b, why);
	if (err) {
		pvm_bus_free(vm->m.bus);
		vm->m.bus = NULL;
		vm->board = NULL;
		kvfree(b);
	}
	return err;
}

void pvm_board_free(struct pvm_vm *vm)
{
	struct pvm_board *b = vm->board;

	pvm_board_pci_unmap(b, NULL);
	pvm_board_detach(b, ARRAY_SIZE(pvm_board_rows));
	/* Queued behind the job that this is: it must not find the board gone. */
	cancel_work(&b->bars_work);
	pvm_bus_free(vm->m.bus);
	vm->m.bus = NULL;
	vm->board = NULL;
	kvfree(b);
}

void pvm_board_reset(struct pvm_vm *vm)
{
	struct pvm_board *b = vm->board;
	unsigned long flags;
	u32 i;

	for (i = 0; i < b->ios; i++)
		pvm_virtio_quiesce(b->io[i]);
	for (i = 0; i < ARRAY_SIZE(pvm_board_rows); i++)
		if (pvm_board_has(b, &pvm_board_rows[i]))
			pvm_dev_reset(pvm_board_dev(b, &pvm_board_rows[i]));
	b->cf9 = 0;
	pvm_board_pci_moves(b);
	/* The first time, attaching has just done it. */
	if (b->pass && vm->live)
		pvm_pass_reset_set(b->pass);
	flags = pvm_dev_lock(&b->root.dev);
	pvm_pci_assign(&b->root, &b->windows);
	pvm_dev_unlock(&b->root.dev, flags);
	pvm_board_pci_moves(b);
	for (i = 0; i < b->ios; i++)
		pvm_virtio_resume(b->io[i]);
}

void pvm_board_pause(struct pvm_vm *vm)
{
	struct pvm_board *b = vm->board;
	u32 i;

	pvm_dev_clock_stop(&b->clock);
	for (i = 0; i < ARRAY_SIZE(pvm_board_rows); i++)
		if (pvm_board_has(b, &pvm_board_rows[i]))
			pvm_dev_pause(pvm_board_dev(b, &pvm_board_rows[i]));
	for (i = 0; i < b->ios; i++)
		pvm_virtio_quiesce(b->io[i]);
	if (b->pass)
		pvm_pass_quiesce(b->pass);
}

void pvm_board_resume(struct pvm_vm *vm)
{
	struct pvm_board *b = vm->board;
	u32 i;

	pvm_dev_clock_start(&b->clock);
	/* Guest time stood still meanwhile: the wall clock did not. */
	b->rtc.wall_base_s = ktime_get_real_seconds() -
			     div_u64(pvm_dev_now_ns(&b->rtc.dev), NSEC_PER_SEC);
	for (i = 0; i < ARRAY_SIZE(pvm_board_rows); i++)
		if (pvm_board_has(b, &pvm_board_rows[i]))
			pvm_dev_resume(pvm_board_dev(b, &pvm_board_rows[i]));
	for (i = 0; i < b->ios; i++)
		pvm_virtio_resume(b->io[i]);
	if (b->pass)
		pvm_pass_resume(b->pass);
}

void pvm_board_power_button(struct pvm_vm *vm)
{
	struct pvm_board *b = vm->board;
	unsigned long flags = pvm_dev_lock(&b->acpi.dev);

	pvm_acpi_power_button(&b->acpi);
	pvm_dev_unlock(&b->acpi.dev, flags);
}

void pvm_board_serial_input(struct pvm_vm *vm)
{
	struct pvm_board *b = vm->board;
	unsigned long flags = pvm_dev_lock(&b->uart.dev);

	pvm_board_feed_uart(b);
	pvm_dev_unlock(&b->uart.dev, flags);
}

u64 pvm_board_bytes(struct pvm_vm *vm)
{
	return vm->board ? sizeof(struct pvm_board) : 0;
}
