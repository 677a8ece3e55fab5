/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resets with proof.
 *
 * A method is a way to reset one function, or all functions of a bus. reset.c
 * walks a ladder of methods over the functions of one slot and believes none of
 * them: before each try it plants a canary in configuration space (values that
 * a reset must wipe out), after it looks whether the canary is gone. Only then
 * a function counts as reset.
 *
 * World:   kernel
 * Context: process, may sleep
 * Spec:    PCIe r6.0, sec 6.6 "PCI Express Reset - Rules"
 */
#ifndef PVM_RESET_H
#define PVM_RESET_H

#include <linux/pci.h>
#include <pvm/env.h>
#include <pvm/log.h>

#define PVM_RESET_FNS		8	/* functions of a slot */
#define PVM_RESET_ORDER		5	/* methods in a rule */
#define PVM_RESET_NAME_BYTES	16

enum pvm_reset_scope {
	PVM_RESET_FUNCTION,
	PVM_RESET_BUS,		/* every function on the bus of the function */
};

/* Methods run with the functions' device locks and configuration access held by reset.c. */
struct pvm_reset_method {
	const char *name;		/* also the uAPI name */
	const char *cite;
	enum pvm_reset_scope scope;
	u32 settle_ms;			/* before the first configuration read after run() */
	int (*probe)(struct pci_dev *pdev);	/* 0 usable, -ENOTTY not; no side effects */
	int (*run)(struct pci_dev *pdev);	/* 0 done; does not restore configuration */
	/* The method's own proof beside the canary; 0 or -EIO. NULL: none. */
	int (*verify)(struct pci_dev *pdev);
};

enum pvm_reset_flags {
	/* A bus reset is known to leave firmware or engines of this device as they were. */
	PVM_RESET_SHALLOW_BUS	= BIT(0),
};

/* Which device tries what, in order. The first row that matches is taken. */
struct pvm_reset_rule {
	u16 vendor;			/* 0: any */
	u16 first, last;		/* device IDs, inclusive */
	u32 class, class_mask;		/* 24 bits; mask 0: any */
	u32 flags;
	const char *order[PVM_RESET_ORDER];
};

/* What became of a function. */
enum pvm_reset_outcome {
	PVM_RESET_NONE,		/* no method is usable here */
	PVM_RESET_PROVED,
	PVM_RESET_UNPROVED,	/* a method ran; nothing speaks against it, nothing proves it */
	PVM_RESET_FAILED,	/* every usable method is proved not to work */
	PVM_RESET_DEAD,		/* does not answer any more */
	PVM_RESET_STUCK,	/* did not end within the deadline; still under way */
	PVM_RESET_BUSY,		/* its lock could not be had, or it is being unplugged */
};

struct pvm_reset_attempt {
	const char *method;
	enum pvm_reset_outcome outcome;
	const char *text;	/* the proof, or what is wrong */
	u64 took_ns;
};

struct pvm_reset_request {
	struct pci_dev *fn[PVM_RESET_FNS];	/* all functions of the slot, all ours */
	/* State to restore after each try; NULL: the state before the first. */
	struct pci_saved_state *saved[PVM_RESET_FNS];
	u32 count;
	const char *method;	/* this one only; NULL: the ladder */
	const char *first;	/* method that proved itself before; NULL or "": none */
	u32 deadline_ms;	/* 0: PVM_RESET_DEADLINE_MS */
	/* Told of each try on each function; may sleep. NULL: nobody listens. */
	void (*report)(void *ctx, struct pci_dev *pdev, const struct pvm_reset_attempt *a);
	/* True when the functions are being unplugged; asked while locks are awaited. */
	bool (*gone)(void *ctx);
	void *ctx;
};

#define PVM_RESET_DEADLINE_MS	20000

struct pvm_reset_result {
	struct {
		enum pvm_reset_outcome outcome;
		char method[PVM_RESET_NAME_BYTES];	/* the last that ran, or "" */
		char text[96];
	} fn[PVM_RESET_FNS];
	u64 took_ns;
};

/*
 * Resets every function of the request. They must be in D0 or able to get
 * there, without interrupts, unused. Runs in a thread of its own and returns
 * at the deadline at the latest; functions that are STUCK then keep their
 * device lock until the thread ends. Afterwards each function that answers has
 * its saved configuration and bus mastering off. Called without device locks.
 */
void pvm_reset_run(const struct pvm_reset_request *req, struct pvm_reset_result *res);

/* Names of the methods usable for @pdev, blank-separated, in the order they would be tried. */
void pvm_reset_methods_of(struct pci_dev *pdev, char *text, size_t bytes);
/* NULL if there is no such method. */
const struct pvm_reset_method *pvm_reset_method_find(const char *name);

/* --- within reset/ --------------------------------------------------------- */

extern const struct pvm_reset_method pvm_reset_flr, pvm_reset_af_flr, pvm_reset_pm,
				     pvm_reset_bus, pvm_reset_slot;

/* table.c: all methods, NULL at the end; all rules, the last matches everything */
extern const struct pvm_reset_method *const pvm_reset_methods[];
extern const struct pvm_reset_rule pvm_reset_rules[];
const struct pvm_reset_rule *pvm_reset_rule_of(const struct pci_dev *pdev);

/* canary.c: what was planted in a function. */
struct pvm_reset_canary {
	u32 bar[PCI_STD_NUM_BARS];	/* BAR registers, 0: no proof possible with it */
	u16 command;			/* bits of COMMAND that were set */
	u8 cache_line;			/* value of Cache Line Size, 0: not writable */
};

void pvm_reset_canary_plant(struct pci_dev *pdev, struct pvm_reset_canary *c);
/* PROVED, UNPROVED (nothing could be planted), FAILED or DEAD; @text says why. */
enum pvm_reset_outcome pvm_reset_canary_check(struct pci_dev *pdev,
					      const struct pvm_reset_canary *c,
					      char *text, size_t bytes);

/* canary.c: polls until @pdev answers configuration reads. 0 or -ETIMEDOUT. */
int pvm_reset_wait_ready(struct pci_dev *pdev, u32 timeout_ms);

#endif /* PVM_RESET_H */
