/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The opaque VM: what low layers may ask of it without including vm/.
 *
 * World:   kernel
 * Context: as each function says
 */
#ifndef PVM_VM_OPAQUE_H
#define PVM_VM_OPAQUE_H

#include <linux/compiler.h>
#include <linux/types.h>

struct pvm_vm;
struct work_struct;

/* Why a VM ended; the first reason is kept. Same numbers as PASSVM_END_* in the uAPI. */
enum pvm_end {
	PVM_END_NONE,
	PVM_END_POWEROFF,	/* the guest switched itself off (ACPI S5) */
	PVM_END_CRASH,		/* triple fault, impossible exit, emulation failure */
	PVM_END_KILL,		/* pvmctl kill, or the builder went away */
	PVM_END_DEBUG,		/* debug-exit port; the value is the status */
	PVM_END_HOST,		/* the host ends it: suspend, reboot, a device lost */
};

/*
 * Ends the VM: records @why and a sentence (the first call wins), asks every
 * vCPU to stop and returns at once. Any context, also hard IRQ.
 */
__printf(3, 4) void pvm_vm_kill(struct pvm_vm *vm, enum pvm_end why, const char *fmt, ...);

/* Asks for a guest reset (as by port 0xcf9). Any context; done by a worker. */
void pvm_vm_reset_request(struct pvm_vm *vm);

/* References; put may sleep when it is the last. */
void pvm_vm_get(struct pvm_vm *vm);
void pvm_vm_put(struct pvm_vm *vm);

/*
 * Runs @work (queued once, like queue_work()) in process context while no vCPU
 * of @vm is in the guest and none enters it before @work has ended: what a
 * model must do but may not sleep for. @work's function ends in
 * pvm_vm_defer_done(). Any context. False if it was queued already.
 */
bool pvm_vm_defer(struct pvm_vm *vm, struct work_struct *work);
void pvm_vm_defer_done(struct pvm_vm *vm);

#endif /* PVM_VM_OPAQUE_H */
