// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lies in the guest's memory when it starts, and how vCPU 0 begins.
 *
 * The pieces come from pvmctl as ranges of files and as bytes; this knows no
 * format. They are laid again at every reset, since the guest has overwritten
 * them by then.
 *
 * World:   kernel
 * Context: the VM's worker, may sleep
 */
#include <linux/fs.h>
#include <linux/slab.h>
#include "vm/internal.h"

#define PVM_LOAD_PIECE	65536u

static int pvm_vm_lay_file(struct pvm_vm *vm, const struct pvm_load *l, void *piece,
			   struct pvm_why *why)
{
	loff_t pos = l->offset_bytes;
	u64 done = 0;

	while (done < l->bytes) {
		ssize_t n = kernel_read(l->file, piece, min_t(u64, l->bytes - done, PVM_LOAD_PIECE),
					&pos);

		if (n <= 0) {
			pvm_why_set(why, n ? "%pD: reading failed (error %zd)" :
					     "%pD is shorter than it was when it was looked at",
				    l->file, n);
			return n ? n : -ENODATA;
		}
		if (pvm_mem_write(&vm->mem, l->gpa + done, piece, n)) {
			pvm_why_set(why, "%pD does not fit into the guest's memory at %llx",
				    l->file, l->gpa);
			return -ENOSPC;
		}
		done += n;
		cond_resched();
	}
	return 0;
}

/*
 * ELF images expect their .bss cleared, which no piece carries. RAM is zero at
 * the start; after a reset what the image may use is cleared again.
 */
static void pvm_vm_clear(struct pvm_vm *vm)
{
	u64 gpa, end = min(vm->config.memory_bytes, PVM_LOW_RAM_MAX) - PVM_LARGE_BYTES;

	if (vm->entry.mode != PVM_ENTRY_PROT32 || !vm->live)
		return;
	for (gpa = 1ull << 20; gpa < end; gpa += 1ull << 20) {
		pvm_mem_zero(&vm->mem, gpa, 1ull << 20);
		cond_resched();
	}
}

int pvm_vm_lay(struct pvm_vm *vm, struct pvm_why *why)
{
	void *piece = kmalloc(PVM_LOAD_PIECE, GFP_KERNEL);
	int err = 0;
	u32 i;

	if (!piece)
		return -ENOMEM;
	pvm_vm_clear(vm);
	for (i = 0; !err && i < vm->loads; i++) {
		const struct pvm_load *l = &vm->load[i];

		if (l->file) {
			err = pvm_vm_lay_file(vm, l, piece, why);
		} else if (pvm_mem_write(&vm->mem, l->gpa, l->data, l->bytes)) {
			pvm_why_set(why, "%llu bytes do not fit into the guest's memory at %llx",
				    l->bytes, l->gpa);
			err = -ENOSPC;
		}
	}
	kfree(piece);
	return err;
}

#define PVM_ENTRY_CS	0x10
#define PVM_ENTRY_DS	0x18
#define PVM_ENTRY_TABLES	6
#define PVM_PTE_TABLE	0x07	/* present, writable, user */
#define PVM_PTE_LARGE	0x87

/*
 * Identity map of the first 4 GiB: one top-level page, one of directories,
 * four of 2 MiB leaves. The boot protocols ask for no more.
 */
static void pvm_vm_lay_page_tables(struct pvm_vm *vm)
{
	u64 base = vm->entry.tables_gpa, e;
	u32 i;

	pvm_mem_zero(&vm->mem, base, PVM_ENTRY_TABLES * PVM_PAGE_BYTES);
	e = (base + PVM_PAGE_BYTES) | PVM_PTE_TABLE;
	pvm_mem_write(&vm->mem, base, &e, sizeof(e));
	for (i = 0; i < 4; i++) {
		e = (base + (2 + i) * PVM_PAGE_BYTES) | PVM_PTE_TABLE;
		pvm_mem_write(&vm->mem, base + PVM_PAGE_BYTES + i * 8, &e, sizeof(e));
	}
	for (i = 0; i < 4 * 512; i++) {
		e = i * PVM_LARGE_BYTES | PVM_PTE_LARGE;
		pvm_mem_write(&vm->mem, base + 2 * PVM_PAGE_BYTES + i * 8, &e, sizeof(e));
	}
}

/* Flat segments, as Linux' 64-bit and Multiboot's 32-bit protocols describe them. */
static void pvm_vm_flat_segments(struct pvm_regs *r, bool long_mode)
{
	u32 i;

	for (i = PVM_ES; i <= PVM_GS; i++)
		r->seg[i] = (struct pvm_seg){
			.sel = PVM_ENTRY_DS, .attr = 0xc93, .limit = 0xffffffff,
		};
	r->seg[PVM_CS] = (struct pvm_seg){
		.sel = PVM_ENTRY_CS, .attr = long_mode ? 0xa9b : 0xc9b, .limit = 0xffffffff,
	};
	r->seg[PVM_TR] = (struct pvm_seg){ .attr = 0x8b, .limit = 0x67 };
	r->gdtr = (struct pvm_dtr){ 0, 0 };
	r->idtr = (struct pvm_dtr){ 0, 0 };
}

void pvm_vm_apply_entry(struct pvm_vm *vm)
{
	const struct pvm_entry *e = &vm->entry;
	struct pvm_vcpu *v = vm->vcpu[0];
	struct pvm_regs *r = &v->regs;
	bool long_mode = e->mode == PVM_ENTRY_LONG64;
	u32 i;

	if (e->mode == PVM_ENTRY_RESET)
		return;
	for (i = 0; i < vm->lapics.count; i++)
		pvm_msr_firmware(vm->vcpu[i], PVM_LOW_RAM_MAX);
	pvm_vm_flat_segments(r, long_mode);
	r->cr0 = PVM_CR0_PE | PVM_CR0_ET | PVM_CR0_NE;
	if (long_mode) {
		pvm_vm_lay_page_tables(vm);
		r->cr3 = e->tables_gpa;
		r->cr4 = PVM_CR4_PAE;
		r->efer = PVM_EFER_LME | PVM_EFER_LMA;
		r->cr0 |= PVM_CR0_PG;
	}
	r->rip = e->rip;
	r->gpr[PVM_RAX] = e->rax;
	r->gpr[PVM_RBX] = e->rbx;
	r->gpr[PVM_RSI] = e->rsi;
	r->gpr[PVM_RDI] = e->rdi;
	r->gpr[PVM_RSP] = e->rsp;
	r->gpr[PVM_RDX] = 0;
	vm->m.ops->regs_set(v, PVM_REGS_ALL);
	pvm_lapic_virtual_wire(&v->lapic);
}
