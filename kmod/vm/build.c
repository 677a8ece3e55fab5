// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is added to a VM before its start.
 *
 * World:   kernel
 * Context: process, may sleep
 */
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "vm/internal.h"

#define PVM_BLOB_MAX	(64u << 10)
#define PVM_BLOBS_MAX	(1u << 20)

/*
 * Begins an addition to the *@used of @max (NULL: nothing to count): lock taken, or an
 * error with @why and no lock.
 */
static int pvm_build_begin(struct pvm_vm *vm, const u32 *used, u32 max, const char *what,
			   struct pvm_why *why)
{
	mutex_lock(&vm->lock);
	if (vm->state != PVM_STATE_BUILD) {
		pvm_why_set(why, "%s has been started: nothing can be added", vm->config.name);
		mutex_unlock(&vm->lock);
		return -EBUSY;
	}
	if (used && *used >= max) {
		pvm_why_set(why, "at most %u %s", max, what);
		mutex_unlock(&vm->lock);
		return -ENOSPC;
	}
	return 0;
}

int pvm_vm_add_load(struct pvm_vm *vm, struct file *file, u64 offset_bytes, u64 bytes, u64 gpa,
		    struct pvm_why *why)
{
	int err = pvm_build_begin(vm, &vm->loads, PVM_MAX_LOADS, "pieces to load", why);

	if (err)
		return err;
	vm->load[vm->loads++] = (struct pvm_load){
		.file = get_file(file),
		.offset_bytes = offset_bytes,
		.bytes = bytes,
		.gpa = gpa,
	};
	mutex_unlock(&vm->lock);
	return 0;
}

int pvm_vm_add_blob(struct pvm_vm *vm, const void *data, u32 bytes, u64 gpa, struct pvm_why *why)
{
	void *copy;
	int err;

	if (!bytes || bytes > PVM_BLOB_MAX) {
		pvm_why_set(why, "1 to %u bytes at once", PVM_BLOB_MAX);
		return -EINVAL;
	}
	copy = kmemdup(data, bytes, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	err = pvm_build_begin(vm, &vm->loads, PVM_MAX_LOADS, "pieces to load", why);
	if (err) {
		kfree(copy);
		return err;
	}
	if (vm->blob_bytes + bytes > PVM_BLOBS_MAX) {
		pvm_why_set(why, "at most %u bytes in all", PVM_BLOBS_MAX);
		mutex_unlock(&vm->lock);
		kfree(copy);
		return -ENOSPC;
	}
	vm->blob_bytes += bytes;
	vm->load[vm->loads++] = (struct pvm_load){ .data = copy, .bytes = bytes, .gpa = gpa };
	mutex_unlock(&vm->lock);
	return 0;
}

int pvm_vm_set_entry(struct pvm_vm *vm, const struct pvm_entry *e, struct pvm_why *why)
{
	int err;

	if (e->mode > PVM_ENTRY_LONG64) {
		pvm_why_set(why, "no such entry mode: %u", e->mode);
		return -EINVAL;
	}
	if (e->mode == PVM_ENTRY_LONG64 &&
	    (e->tables_gpa & (PVM_PAGE_BYTES - 1) || e->tables_gpa > 0x90000)) {
		pvm_why_set(why, "tables: six whole pages in the first 640 KiB");
		return -EINVAL;
	}
	if (e->mode == PVM_ENTRY_LONG64 && (u64)((s64)(e->rip << 16) >> 16) != e->rip) {
		pvm_why_set(why, "rip is not a canonical address");
		return -EINVAL;
	}
	err = pvm_build_begin(vm, NULL, 0, "", why);
	if (err)
		return err;
	vm->entry = *e;
	mutex_unlock(&vm->lock);
	return 0;
}

int pvm_vm_add_disk(struct pvm_vm *vm, struct file *file, bool readonly, const char *serial,
		    struct pvm_why *why)
{
	int err = pvm_build_begin(vm, &vm->disks, PVM_MAX_DISKS, "disks", why);
	struct pvm_disk *d;

	if (err)
		return err;
	d = &vm->disk[vm->disks++];
	d->file = get_file(file);
	d->readonly = readonly;
	if (serial)
		strscpy(d->serial, serial, sizeof(d->serial));
	mutex_unlock(&vm->lock);
	return 0;
}

int pvm_vm_add_net(struct pvm_vm *vm, struct file *tap, const u8 mac[6], bool offloads,
		   struct pvm_why *why)
{
	int err = pvm_build_begin(vm, &vm->nets, PVM_MAX_NETS, "network cards", why);
	struct pvm_net *n;

	if (err)
		return err;
	n = &vm->net[vm->nets++];
	n->tap = get_file(tap);
	memcpy(n->mac, mac, sizeof(n->mac));
	n->offloads = offloads;
	mutex_unlock(&vm->lock);
	return 0;
}

int pvm_vm_add_device(struct pvm_vm *vm, u32 domain, u32 bus, u32 devfn, struct pvm_why *why)
{
	int err = pvm_build_begin(vm, &vm->devices, PVM_MAX_DEVICES, "PCI functions", why);

	if (err)
		return err;
	vm->device[vm->devices++] = (struct pvm_pass_sel){
		.has_address = true,
		.has_function = true,
		.domain = domain,
		.bus = bus,
		.slot = devfn >> 3,
		.function = devfn & 7,
	};
	mutex_unlock(&vm->lock);
	return 0;
}

int pvm_vm_set_serial_file(struct pvm_vm *vm, struct file *file, struct pvm_why *why)
{
	int err = pvm_build_begin(vm, NULL, 0, "", why);

	if (err)
		return err;
	pvm_console_set_file(vm->console, file);
	mutex_unlock(&vm->lock);
	return 0;
}

static void pvm_build_put_file(struct file **file)
{
	if (*file)
		fput(*file);
	*file = NULL;
}

/* How many there were stays for status. */
void pvm_vm_free_config(struct pvm_vm *vm)
{
	u32 i;

	for (i = 0; i < vm->loads; i++) {
		pvm_build_put_file(&vm->load[i].file);
		kfree(vm->load[i].data);
		vm->load[i].data = NULL;
	}
	for (i = 0; i < vm->disks; i++)
		pvm_build_put_file(&vm->disk[i].file);
	for (i = 0; i < vm->nets; i++)
		pvm_build_put_file(&vm->net[i].tap);
}
