/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices passed through to guests: claim, attach, detach, release.
 *
 *   HOST --claim--> CLAIMED --attach--> ATTACHED --detach--> CLAIMED --release--> HOST
 *
 * CLAIMED: our driver is bound, the IOMMU group's DMA is blocked, bus mastering
 * is off. Claiming acts on whole slots (and, on request, several devices) and is
 * all or nothing. Everything that may take long (a driver that does not let go,
 * a reset) runs in workers with deadlines.
 *
 * World:   kernel
 * Context: process, may sleep, unless a function says otherwise
 */
#ifndef PVM_PASS_H
#define PVM_PASS_H

#include <linux/pci.h>
#include <pvm/env.h>
#include <pvm/log.h>
#include <pvm/vm.h>

struct pvm_pass;
struct pvm_bus;
struct pvm_mem;
struct pvm_pci_fn;

enum pvm_pass_state {
	PVM_PASS_HOST,		/* not ours */
	PVM_PASS_CLAIMING,
	PVM_PASS_CLAIMED,
	PVM_PASS_ATTACHED,
	PVM_PASS_LOST,		/* unplugged, or does not answer */
};

/* How sure we are of a device's state. Same numbers as PASSVM_GRADE_* in the uAPI. */
enum pvm_grade {
	PVM_GRADE_UNKNOWN,
	PVM_GRADE_DEAD,
	PVM_GRADE_SUSPECT,
	PVM_GRADE_USED,
	PVM_GRADE_CLEAN,
	PVM_GRADE_FRESH,
};

#define PVM_PASS_SELECTORS	16

/* DEV as the user writes it: address, or vendor:device, or both joined by '@'. */
struct pvm_pass_sel {
	bool has_address, has_function, has_ids;
	u32 domain, bus, slot, function;
	u16 vendor, device;
};

/* Parses one DEV ("[0000:]01:00[.0]", "1002:731f", "01:00@1002:731f"). -EINVAL with @why. */
int pvm_pass_parse(const char *text, struct pvm_pass_sel *sel, struct pvm_why *why);

/*
 * Claims or releases all functions of the slots that @sel name, all or none.
 * Checks at once (identity, in use by the host's root disk or a mounted file
 * system, group, IOMMU), then works in a worker and tells each outcome by
 * pvm_pass_notify(); the caller waits for the last with @done if it wants.
 */
int pvm_pass_claim(const struct pvm_pass_sel *sel, u32 count, struct pvm_why *why);
int pvm_pass_release(const struct pvm_pass_sel *sel, u32 count, struct pvm_why *why);

/* Runs the reset ladder (or @method) on a claimed, unattached slot. Asynchronous, too. */
int pvm_pass_reset(const struct pvm_pass_sel *sel, const char *method, struct pvm_why *why);

/* What `pvmctl devices` shows of one function; false if it is not ours. */
struct pvm_pass_info {
	u32 state, grade;
	char previous_driver[32];
	char reset_method[16];		/* that proved itself, or "" */
	char reason[128];		/* of the grade, or why a claim was refused */
	u32 vm_id;
};

bool pvm_pass_info(u32 domain, u32 bus, u32 devfn, struct pvm_pass_info *info);
/* Refused claims of the command line: index 0.. until -ENOENT. */
int pvm_pass_refused(u32 index, char *dev, u32 dev_bytes, char *why, u32 why_bytes);

/* What attach needs of the VM; constant while attached. */
struct pvm_pass_vm {
	struct pvm_vm *vm;
	u32 id;				/* what pvm_pass_info() shows */
	struct pvm_mem *mem;
	struct pvm_bus *bus;		/* trapped parts of BARs become regions on it */
	bool unsafe_interrupts;
	/*
	 * A message for the guest. Any context, also hard IRQ. (INTx, and messages that
	 * were pending while masked, go through the root's host->intx and host->msi.)
	 */
	void (*msi)(struct pvm_vm *vm, u64 addr, u32 data);
	/* Host CPU on which the vCPU that this MSI addresses runs, or -1. */
	int  (*msi_cpu)(struct pvm_vm *vm, u64 addr, u32 data);
};

/*
 * Attaches all functions in @fn (which must be whole slots, claimed): one IOMMU
 * domain with the guest's memory, reset with proof, interrupts prepared. On
 * error everything is as before and @why has the sentence. The returned
 * functions (pvm_pass_fn()) go onto the guest's PCI root.
 */
struct pvm_pass_set;
int pvm_pass_attach(const struct pvm_pass_vm *v, const struct pvm_pass_sel *sel, u32 count,
		    struct pvm_pass_set **set, struct pvm_why *why);
u32 pvm_pass_count(struct pvm_pass_set *set);
struct pvm_pci_fn *pvm_pass_fn(struct pvm_pass_set *set, u32 index);
/* True if function @index is the first of its slot; @function: its number in the guest's slot. */
bool pvm_pass_place(struct pvm_pass_set *set, u32 index, u32 *function);
/* The expansion ROM of the set's first VGA card, @bytes long, or NULL. Valid until detach. */
const u8 *pvm_pass_vga_rom(struct pvm_pass_set *set, u32 *bytes);
/*
 * Guest reboot, after the reset of the PCI root (which makes the virtual
 * configuration as after power-on): quiesce, reset with proof. Never fails: a
 * device whose reset is not proved is graded SUSPECT; one that does not answer
 * is graded DEAD and stays off the guest's bus.
 */
void pvm_pass_reset_set(struct pvm_pass_set *set);
/* No DMA, no interrupts from here on (pause, stop); undone by resume. */
void pvm_pass_quiesce(struct pvm_pass_set *set);
void pvm_pass_resume(struct pvm_pass_set *set);
/*
 * Resets, blocks and keeps the devices claimed. Cannot fail. The functions are
 * off the guest's PCI root, no deferred work of the VM is pending.
 */
void pvm_pass_detach(struct pvm_pass_set *set);
/*
 * The guest's EOI of a level interrupt on @gsi: unmask the host's INTx. Any
 * context, also with an interrupt chip's lock held.
 */
void pvm_pass_eoi(struct pvm_pass_set *set, u32 gsi);
/* The vCPUs moved: let the interrupts follow. */
void pvm_pass_affinity(struct pvm_pass_set *set);

/* Told to nl/event.c through vm/; set by pvm_pass_init's caller. */
typedef void (*pvm_pass_notify_fn)(struct pvm_vm *vm, struct pci_dev *pdev, const char *what,
				   const char *text, int error, u64 took_ns);

/* Registers the PCI driver and claims what the module parameter `claim` names. */
int pvm_pass_init(const char *claim, pvm_pass_notify_fn notify);
void pvm_pass_exit(void);

#endif /* PVM_PASS_H */
