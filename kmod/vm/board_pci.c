// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is plugged into the board's PCI root: disks, network cards, devices
 * passed through; where their BARs go; and the tables that describe it all.
 *
 * World:   kernel
 * Context: the VM's worker, may sleep, unless a function says otherwise
 */
#include <linux/slab.h>
#include "vm/board.h"

#define PVM_WINDOW_GAP		0x40000000ull	/* 64-bit window begins at a multiple */
#define PVM_WINDOW_MIN_BYTES	(64ull << 30)
#define PVM_VGA_ROM_GPA		0xc0000ull
#define PVM_VGA_ROM_BYTES	0x20000u

/* ---- What the root asks of the board ---- */

static struct pvm_board *pvm_board_of(struct pvm_pci_root *root)
{
	return container_of(root, struct pvm_board, root);
}

static void pvm_board_bars_changed(struct pvm_pci_root *root)
{
	struct pvm_board *b = pvm_board_of(root);

	pvm_vm_defer(b->vm, &b->bars_work);
}

/* The chipset's functions have no lock but the root's; __acquire() tells sparse so. */
static void pvm_board_fn_lock(struct pvm_pci_fn *fn) __acquires(fn)
{
	if (fn->dev && fn->dev->slot)
		raw_spin_lock_nested(&pvm_dev_slot(fn->dev)->lock, SINGLE_DEPTH_NESTING);
	else
		__acquire(fn);
}

static void pvm_board_fn_unlock(struct pvm_pci_fn *fn) __releases(fn)
{
	if (fn->dev && fn->dev->slot)
		raw_spin_unlock(&pvm_dev_slot(fn->dev)->lock);
	else
		__release(fn);
}

static void pvm_board_fn_msi(struct pvm_pci_fn *fn, u64 addr, u32 data)
{
	if (fn->root)
		pvm_route_msi(&pvm_board_of(fn->root)->route, addr, data);
}

static void pvm_board_fn_intx(struct pvm_pci_fn *fn, bool level)
{
	struct pvm_board *b;
	unsigned long flags;
	u32 gsi;

	if (!fn->root)
		return;
	b = pvm_board_of(fn->root);
	raw_spin_lock_irqsave(&b->intx_lock, flags);
	level = pvm_pci_intx_route(fn, level, &gsi);
	pvm_route_line(&b->route, gsi, level);
	raw_spin_unlock_irqrestore(&b->intx_lock, flags);
}

static u8 pvm_board_cf9_read(struct pvm_pci_root *root)
{
	return pvm_board_of(root)->cf9;
}

static void pvm_board_cf9_write(struct pvm_pci_root *root, u8 val)
{
	struct pvm_board *b = pvm_board_of(root);

	if (pvm_cf9_write(&b->cf9, val))
		pvm_vm_reset_request(b->vm);
}

const struct pvm_pci_host pvm_board_pci_host = {
	.bars_changed	= pvm_board_bars_changed,
	.lock		= pvm_board_fn_lock,
	.unlock		= pvm_board_fn_unlock,
	.msi		= pvm_board_fn_msi,
	.intx		= pvm_board_fn_intx,
	.cf9_read	= pvm_board_cf9_read,
	.cf9_write	= pvm_board_cf9_write,
};

/* ---- BARs ---- */

static int pvm_board_move(struct pvm_board *b, const struct pvm_pci_move *m)
{
	struct pvm_dev *dev = m->fn ? m->fn->dev : &b->root.dev;
	u32 space = m->io ? PVM_SPACE_PIO : PVM_SPACE_MMIO;

	if (m->fn && m->fn->ops->bar_changed)
		return m->fn->ops->bar_changed(m->fn, m->bar, m->map ? m->gpa : PVM_NO_ADDR);
	if (!m->map) {
		pvm_bus_remove(b->vm->m.bus, space, m->gpa, dev);
		return 0;
	}
	return pvm_bus_add(b->vm->m.bus, space, &(struct pvm_region){
		.base = m->gpa,
		.bytes = m->bytes,
		.dev = dev,
		.region = m->fn ? m->bar : PVM_PCI_REGION_ECAM,
	});
}

void pvm_board_pci_moves(struct pvm_board *b)
{
	struct pvm_pci_move m;
	unsigned long flags;
	bool more;

	for (;;) {
		flags = pvm_dev_lock(&b->root.dev);
		more = pvm_pci_next_move(&b->root, &m);
		pvm_dev_unlock(&b->root.dev, flags);
		if (!more)
			break;
		if (pvm_board_move(b, &m)) {
			flags = pvm_dev_lock(&b->root.dev);
			pvm_pci_move_failed(&b->root, &m);
			pvm_dev_unlock(&b->root.dev, flags);
		}
	}
}

static void pvm_board_bars_work(struct work_struct *w)
{
	struct pvm_board *b = container_of(w, struct pvm_board, bars_work);

	pvm_board_pci_moves(b);
	pvm_vm_defer_done(b->vm);
}

/* Unmaps and forgets what @fn (NULL: the root's own ECAM) has mapped. */
void pvm_board_pci_unmap(struct pvm_board *b, struct pvm_pci_fn *fn)
{
	struct pvm_pci_move m;
	unsigned long flags;
	bool more;

	for (;;) {
		flags = pvm_dev_lock(&b->root.dev);
		more = pvm_pci_unmap_fn(&b->root, fn, &m);
		if (!more && fn)
			pvm_pci_remove(&b->root, fn);
		pvm_dev_unlock(&b->root.dev, flags);
		if (!more)
			return;
		pvm_board_move(b, &m);
	}
}

/* ---- The board described ---- */

void pvm_board_fill_fw(struct pvm_vm *vm, struct pvm_fw_board *f)
{
	u64 total = vm->config.memory_bytes;
	u64 limit = 1ull << min(vm->m.caps.phys_bits, 46u);
	struct pvm_cpuid_regs r;
	u32 i;

	memset(f, 0, sizeof(*f));
	f->cpus = vm->config.cpus;
	for (i = 0; i < f->cpus; i++)
		f->apic_id[i] = i;
	f->ioapic_id = 0;
	f->flags = PVM_FW_HPET | PVM_FW_RTC | PVM_FW_I8042 | PVM_FW_UART;
	f->low_ram_bytes = min(total, PVM_LOW_RAM_MAX);
	f->high_ram_bytes = total - f->low_ram_bytes;
	f->mem32[0] = (struct pvm_fw_range){ PVM_LOW_RAM_MAX,
					     PVM_PCI_ECAM_GPA - PVM_LOW_RAM_MAX };
	f->mem32[1] = (struct pvm_fw_range){ PVM_PCI_ECAM_GPA + PVM_PCI_ECAM_BYTES,
					     PVM_IOAPIC_BASE_GPA - PVM_PCI_ECAM_GPA -
					     PVM_PCI_ECAM_BYTES };
	/* Above RAM, up to what the processor addresses. */
	f->mem64.base_gpa = ALIGN(max(PVM_HIGH_RAM_BASE + f->high_ram_bytes, limit / 2),
				  PVM_WINDOW_GAP);
	f->mem64.bytes = f->mem64.base_gpa < limit ? limit - f->mem64.base_gpa : 0;
	f->ecam_gpa = PVM_PCI_ECAM_GPA;
	memcpy(f->uuid, vm->config.uuid, sizeof(f->uuid));
	pvm_cpuid_lookup(&vm->cpuid, 1, 0, 0, 0, 1, 0, &r);
	f->cpu_signature = r.eax;
	f->cpu_features = r.edx;
}

void pvm_board_pci_init(struct pvm_board *b)
{
	const struct pvm_fw_board *f = &b->fw;
	u32 i;

	INIT_WORK(&b->bars_work, pvm_board_bars_work);
	for (i = 0; i < 2; i++)
		b->windows.mem[i] = (struct pvm_pci_window){
			f->mem32[i].base_gpa, f->mem32[i].base_gpa + f->mem32[i].bytes,
		};
	b->windows.mem64 = (struct pvm_pci_window){
		f->mem64.base_gpa, f->mem64.base_gpa + f->mem64.bytes,
	};
	b->windows.io = (struct pvm_pci_window){ 0xc000, 0x10000 };
	b->windows.ecam_gpa = f->ecam_gpa;
	b->next_slot = 1;
	pvm_pci_root_init(&b->root, &pvm_board_pci_host);
}

/*
 * A VGA card that decodes its BARs when the system starts is taken for one that
 * firmware has set up, with a copy of its ROM in the shadow area of a PC.
 */
static int pvm_board_lay_vga_rom(struct pvm_vm *vm)
{
	u32 bytes = 0;
	const u8 *rom = pvm_pass_vga_rom(vm->board->pass, &bytes);

	return rom ? pvm_mem_write(&vm->mem, PVM_VGA_ROM_GPA, rom,
				   min_t(u32, bytes, PVM_VGA_ROM_BYTES)) : 0;
}

int pvm_board_lay_tables(struct pvm_vm *vm, struct pvm_why *why)
{
	struct pvm_fw_image img = { .room_bytes = PVM_FW_ROOM_BYTES };
	int err;
	u32 i;

	img.data = kzalloc(img.room_bytes, GFP_KERNEL);
	if (!img.data)
		return -ENOMEM;
	err = pvm_fw_build(&vm->board->fw, &img);
	if (err)
		pvm_why_set(why, "the ACPI tables could not be made (error %d)", err);
	for (i = 0; !err && i < PVM_FW_PIECES; i++)
		if (img.piece[i].bytes)
			err = pvm_mem_write(&vm->mem, img.piece[i].gpa,
					    img.data + img.piece[i].offset, img.piece[i].bytes);
	kfree(img.data);
	return err ? err : pvm_board_lay_vga_rom(vm);
}

void pvm_vm_layout(struct pvm_vm *vm, struct pvm_vm_layout *l)
{
	struct pvm_fw_e820 map[PVM_FW_MAX_E820];
	struct pvm_fw_board f;
	int n, i;

	BUILD_BUG_ON(PVM_FW_MAX_E820 > PVM_LAYOUT_RANGES);
	memset(l, 0, sizeof(*l));
	pvm_board_fill_fw(vm, &f);
	n = pvm_fw_e820_map(&f, map);
	for (i = 0; i < n; i++)
		l->range[l->count++] = (struct pvm_vm_range){ map[i].gpa, map[i].bytes,
							      map[i].type };
	l->rsdp_gpa = 0xf0000;
}

/* ---- What is plugged in ---- */

static int pvm_board_plug_at(struct pvm_board *b, struct pvm_pci_fn *fn, u32 slot, u32 function)
{
	unsigned long flags = pvm_dev_lock(&b->root.dev);
	int err = pvm_pci_add(&b->root, fn, slot, function);

	pvm_dev_unlock(&b->root.dev, flags);
	return err;
}

/* The next slot that nothing sits in, or an error. */
static int pvm_board_new_slot(struct pvm_board *b, struct pvm_why *why)
{
	int slot = pvm_pci_free_slot(&b->root, b->next_slot);

	if (slot < 0)
		pvm_why_set(why, "no free PCI slot is left");
	else
		b->next_slot = slot + 1;
	return slot;
}

static int pvm_board_plug(struct pvm_board *b, struct pvm_pci_fn *fn, struct pvm_why *why)
{
	int slot = pvm_board_new_slot(b, why);

	return slot < 0 ? slot : pvm_board_plug_at(b, fn, slot, 0);
}

/* Takes over @fn, a virtio function that has just been made. */
static int pvm_board_add_io(struct pvm_vm *vm, struct pvm_pci_fn *fn, struct pvm_why *why)
{
	struct pvm_board *b = vm->board;
	int err = pvm_board_plug(b, fn, why);

	if (err) {
		pvm_virtio_free(fn);
		return err;
	}
	b->io[b->ios++] = fn;
	vm->io_bytes += pvm_virtio_bytes(fn);
	return 0;
}

static struct pvm_virtio_vm pvm_board_virtio(struct pvm_vm *vm)
{
	return (struct pvm_virtio_vm){
		.mem = &vm->mem,
		.dev_host = &pvm_board_dev_host,
		.owner = vm->board,
		.vcpus = vm->config.cpus,
	};
}

int pvm_board_add_disks(struct pvm_vm *vm, struct pvm_why *why)
{
	struct pvm_virtio_vm v = pvm_board_virtio(vm);
	u32 i;
	int err = 0;

	for (i = 0; !err && i < vm->disks; i++) {
		struct pvm_virtio_blk_config c = {
			.file = vm->disk[i].file,
			.readonly = vm->disk[i].readonly,
			.serial = vm->disk[i].serial,
		};
		struct pvm_pci_fn *fn;

		err = pvm_virtio_blk_new(&v, &c, &fn);
		if (err)
			pvm_why_set(why, "disk %pD cannot be used (error %d)", c.file, err);
		else
			err = pvm_board_add_io(vm, fn, why);
	}
	if (err)
		pvm_board_remove_io(vm);
	return err;
}

int pvm_board_add_nets(struct pvm_vm *vm, struct pvm_why *why)
{
	struct pvm_virtio_vm v = pvm_board_virtio(vm);
	u32 i;
	int err = 0;

	for (i = 0; !err && i < vm->nets; i++) {
		struct pvm_virtio_net_config c = {
			.tap = vm->net[i].tap,
			.offloads = vm->net[i].offloads,
		};
		struct pvm_pci_fn *fn;

		memcpy(c.mac, vm->net[i].mac, sizeof(c.mac));
		err = pvm_virtio_net_new(&v, &c, &fn);
		if (err)
			pvm_why_set(why, "network card %u: its tap cannot be used (error %d)", i,
				    err);
		else
			err = pvm_board_add_io(vm, fn, why);
	}
	return err;	/* what was added goes with the disks */
}

void pvm_board_remove_io(struct pvm_vm *vm)
{
	struct pvm_board *b = vm->board;

	while (b->ios) {
		struct pvm_pci_fn *fn = b->io[--b->ios];

		pvm_virtio_quiesce(fn);
		pvm_board_pci_unmap(b, fn);
		pvm_virtio_free(fn);
	}
	vm->io_bytes = 0;
}

/* ---- Devices passed through ---- */

static void pvm_board_pass_msi(struct pvm_vm *vm, u64 addr, u32 data)
{
	pvm_route_msi(&vm->board->route, addr, data);
}

static int pvm_board_pass_msi_cpu(struct pvm_vm *vm, u64 addr, u32 data)
{
	int i = pvm_lapic_msi_target(&vm->lapics, addr, data);

	return i < 0 || i >= vm->lapics.count ? -1 : READ_ONCE(vm->vcpu[i]->cpu);
}

/* A card's functions stay together: drivers look for their siblings by number. */
static int pvm_board_plug_set(struct pvm_board *b, struct pvm_pass_set *set, struct pvm_why *why)
{
	u32 i, function;
	int err, slot = -1;

	for (i = 0; i < pvm_pass_count(set); i++) {
		if (pvm_pass_place(set, i, &function))
			slot = pvm_board_new_slot(b, why);
		if (slot < 0)
			return slot;
		err = pvm_board_plug_at(b, pvm_pass_fn(set, i), slot, function);
		if (err)
			return err;
	}
	return 0;
}

int pvm_board_add_devices(struct pvm_vm *vm, struct pvm_why *why)
{
	struct pvm_pass_vm v = {
		.vm = vm,
		.id = vm->id,
		.mem = &vm->mem,
		.bus = vm->m.bus,
		.unsafe_interrupts = vm->config.flags & PVM_VM_UNSAFE_INTERRUPTS,
		.msi = pvm_board_pass_msi,
		.msi_cpu = pvm_board_pass_msi_cpu,
	};
	struct pvm_pass_set *set;
	int err;

	if (!vm->devices)
		return 0;
	err = pvm_pass_attach(&v, vm->device, vm->devices, &set, why);
	if (err)
		return err;
	WRITE_ONCE(vm->board->pass, set);
	err = pvm_board_plug_set(vm->board, set, why);
	if (err)
		pvm_board_remove_devices(vm);
	return err;
}

void pvm_board_remove_devices(struct pvm_vm *vm)
{
	struct pvm_board *b = vm->board;
	struct pvm_pass_set *set = b->pass;
	u32 i;

	if (!set)
		return;
	pvm_pass_quiesce(set);
	for (i = 0; i < pvm_pass_count(set); i++)
		if (pvm_pass_fn(set, i)->root)
			pvm_board_pci_unmap(b, pvm_pass_fn(set, i));
	WRITE_ONCE(b->pass, NULL);
	pvm_pass_detach(set);
}
