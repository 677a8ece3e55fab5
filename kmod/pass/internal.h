/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of pass/ share.
 *
 * World:   kernel
 * Context: as each function says
 */
#ifndef PVM_PASS_INTERNAL_H
#define PVM_PASS_INTERNAL_H

#include <linux/completion.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/seqlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "bus/bus.h"
#include "dev/dev.h"
#include "iommu/iommu.h"
#include "mem/mem.h"
#include "pass/mediate.h"
#include "pass/pass.h"
#include "pci/pci.h"
#include "reset/reset.h"

#define PVM_PASS_SET_FNS	16	/* functions of one VM */
#define PVM_PASS_SLOT_FNS	8
#define PVM_PASS_CLAIM_FNS	64	/* functions of one claim */
#define PVM_PASS_MSIX_MAX	2048
#define PVM_PASS_MSI_MAX	32
#define PVM_PASS_BAR_PIECES	3	/* mapped parts of a BAR around its holes */
#define PVM_PASS_BAR_HOLES	2	/* MSI-X table and PBA */

enum pvm_pass_bar_kind {
	PVM_PASS_BAR_NONE,
	PVM_PASS_BAR_MAP,	/* mapped, but for its holes */
	PVM_PASS_BAR_TRAP,	/* every access emulated: smaller than a page */
	PVM_PASS_BAR_PORT,
	PVM_PASS_BAR_ROM,
};

struct pvm_pass_hole {
	u64 off, bytes;
	void __iomem *io;	/* of the hole's first byte */
};

/* Locking key: (c) constant while attached  (b) bar_changed(), which the VM serialises */
struct pvm_pass_bar {
	u32 kind;		/* (c) enum pvm_pass_bar_kind */
	u64 bytes;		/* (c) */
	u64 hpa;		/* (c) or first port */
	struct pvm_pass_hole hole[PVM_PASS_BAR_HOLES];	/* (c) TRAP, PORT, ROM: one, all of it */
	u32 holes;		/* (c) */
	u64 gpa;		/* (b) where it lies, or PVM_NO_ADDR */
	u64 piece_gpa[PVM_PASS_BAR_PIECES];	/* (b) mapped */
	u32 pieces;		/* (b) */
	u64 region_base[PVM_PASS_BAR_HOLES];	/* (b) on the bus */
	u32 regions;		/* (b) */
};

/*
 * A message-signalled interrupt of the host and the message it becomes.
 *
 * Locking key: (c) constant while it exists  (d) fn's lock for writing, seq for reading
 *              (i) p->intr_lock
 */
struct pvm_pass_vector {
	struct pvm_pass *p;	/* (c) */
	u32 index;		/* (c) */
	seqcount_t seq;
	bool live;		/* (d) enabled and not masked */
	u64 addr;		/* (d) */
	u32 data;		/* (d) */
	int irq;		/* (c) */
	bool requested;		/* (i) */
	int cpu;		/* (i) host CPU asked for, or -1 */
};

enum pvm_pass_intr_mode {
	PVM_PASS_INTR_OFF,
	PVM_PASS_INTR_INTX,
	PVM_PASS_INTR_MSI,
	PVM_PASS_INTR_MSIX,
};

/*
 * A claimed function.
 *
 * Locking key
 *  (c) constant after creation
 *  (p) pvm_pass_lock
 *  (b) owned by whoever set ->busy, or by the set while ATTACHED
 *  (i) intr_lock
 *  (d) dev's lock, which is the lock of fn
 */
struct pvm_pass {
	struct kref ref;
	struct list_head node;		/* (p) pvm_pass_list */
	struct pci_dev *pdev;		/* (c) holds a reference */

	/* --- state --- */
	enum pvm_pass_state state;	/* (p) */
	enum pvm_grade grade;		/* (p) */
	const char *busy;		/* (p) the operation under way, or NULL */
	bool gone;			/* (p) unplugged; read locklessly */
	bool releasing;			/* (p) our driver's remove has nothing to do */
	bool was_bound;			/* (b) to previous_driver */
	char previous_driver[32];	/* (b) until CLAIMED, then (c) */
	char previous_override[32];	/* (b) */
	char reason[128];		/* (p) */
	char method[PVM_RESET_NAME_BYTES]; /* (p) of the reset that was proved */

	/* --- taking it from its driver, see claim.c --- */
	struct completion taken;	/* (b) */
	int take_error;			/* (b) after taken */
	bool take_abandoned;		/* (p) nobody waits; undo it */

	/* --- while ours --- */
	bool awake, enabled, regions, vga;	/* (b) to be undone */
	struct pvm_iommu_group *group;	/* (b) */
	struct pci_saved_state *saved;	/* (b) as it is after a reset by the host */
	u8 *rom;			/* (b) contents, or NULL */
	u32 rom_bytes;			/* (b) */

	/* --- while attached --- */
	struct pvm_pass_set *set;	/* (b) */
	struct pvm_pass_vm v;		/* (b) */
	struct pvm_pci_fn fn;		/* (d) */
	struct pvm_pass_view *view;	/* (b) its contents (d) */
	struct pvm_dev dev;		/* its lock guards fn; answers trapped regions */
	struct pvm_pci_msix_entry *msix_table;	/* (d) */
	unsigned long *msix_pending;	/* (d) */
	struct pvm_pass_bar bar[PVM_PCI_BARS];
	bool attached;			/* (b) dev and view exist */
	bool off_bus;			/* (d) reads as all ones: dead after a reset */
	bool quiet;			/* (d) no DMA, no interrupts */

	struct mutex intr_lock;		/* (i) */
	u32 intr_mode;			/* (i) for writing, with (d) */
	u32 vectors;			/* (i) with (d) */
	struct pvm_pass_vector *vector;	/* (i) with (d) */
	u32 msi_count;			/* (i) with (d) that the guest asked for */
	bool intx_requested;		/* (i) */
	bool intx_shared;		/* (i) masked in the function itself */
	bool intx_masked;		/* (d) waits for the guest's EOI */
	int intx_irq;			/* (i) */
	struct work_struct switch_work;	/* deferred: change of the interrupt mode */
	struct work_struct follow_work;	/* request vectors, set affinity */
	struct irq_work eoi_work;
	struct work_struct flr_work;	/* deferred: reset asked for by the guest */
};

/* Locking key: (c) constant after attach  (b) the VM's worker */
struct pvm_pass_set {
	struct pvm_pass_vm v;			/* (c) */
	struct pvm_iommu *iommu;		/* (c) */
	u32 count;				/* (c) */
	struct pvm_pass *p[PVM_PASS_SET_FNS];	/* (c) slot by slot; each a reference */
};

/* pass.c. Device locks are taken outside of pvm_pass_lock, never inside. */
extern struct mutex pvm_pass_lock;
extern struct list_head pvm_pass_list;
/* Woken when ->busy becomes NULL or state changes. */
extern struct wait_queue_head pvm_pass_idle;
extern struct workqueue_struct *pvm_pass_wq;

void pvm_pass_tell(struct pvm_vm *vm, struct pci_dev *pdev, const char *what, const char *text,
		   int error, u64 took_ns);
struct pvm_pass *pvm_pass_find_locked(const struct pci_dev *pdev);
void pvm_pass_put(struct pvm_pass *p);
void pvm_pass_idle_locked(struct pvm_pass *p);
bool pvm_pass_same_slot(const struct pci_dev *a, const struct pci_dev *b);
bool pvm_pass_matches(const struct pvm_pass_sel *sel, const struct pci_dev *pdev);
__printf(3, 4) void pvm_pass_set_grade(struct pvm_pass *p, enum pvm_grade grade,
				       const char *fmt, ...);

/*
 * pass.c: resets @count functions of one slot, sets their grades, tells each try
 * as an event of @vm and, if @final, the outcome. ->busy is ours.
 */
void pvm_pass_reset_slot(struct pvm_pass **p, u32 count, struct pvm_vm *vm, const char *method,
			 bool final);

/* claim.c: what a claim, release or reset works on, in a thread of its own. */
struct pvm_pass_job {
	struct kref ref;
	struct completion done;
	u32 count;
	struct pvm_pass *p[PVM_PASS_CLAIM_FNS];	/* slot by slot; each a reference */
	char method[PVM_RESET_NAME_BYTES];
	int error;				/* after done */
	struct pvm_why why;
};

/* As pvm_pass_claim(); with @job the caller can wait for done and then puts it. */
int pvm_pass_claim_start(const struct pvm_pass_sel *sel, u32 count, struct pvm_pass_job **job,
			 struct pvm_why *why);
void pvm_pass_job_put(struct pvm_pass_job *job);

/* own.c: the PCI driver and the threads that take devices from drivers and give them back. */
extern struct pci_driver pvm_pass_driver;
#define PVM_PASS_TAKE_MS	10000
/* Starts to take @p from its driver; then wait. take_wait(): -ETIMEDOUT leaves it to the thread. */
int pvm_pass_take(struct pvm_pass *p);
int pvm_pass_take_wait(struct pvm_pass *p, unsigned long until, struct pvm_why *why);
/* Gives @p back and forgets it. -ETIMEDOUT when the host's driver is slow; it goes on. */
int pvm_pass_give(struct pvm_pass *p, bool attach, struct pvm_why *why);
/* Off the list without touching its binding; the last step of every give. */
void pvm_pass_forget(struct pvm_pass *p);
/* Makes a device that our driver is bound to harmless and ours; undone by disown(). */
int pvm_pass_own(struct pvm_pass *p, struct pvm_why *why);
void pvm_pass_disown(struct pvm_pass *p);
/* Module exit: all are given back before this returns. */
void pvm_pass_give_all(void);

/* boot.c: the module parameter, and devices that come later. */
int pvm_pass_boot_init(const char *claim);
void pvm_pass_boot_exit(void);

/*
 * inuse.c: does the host use what hangs below @pdev? 0, or -EBUSY. Process
 * context. @opens: a disk that is merely open counts, too (udev opens new ones
 * for a moment).
 */
int pvm_pass_inuse(struct pci_dev *pdev, bool opens, struct pvm_why *why);

/* vga.c: for display functions, nothing for others. */
int pvm_pass_vga_take(struct pvm_pass *p, struct pvm_why *why);
void pvm_pass_vga_give(struct pvm_pass *p);

/* rom.c: reads the expansion ROM; a function without a valid one has none. */
void pvm_pass_rom_read(struct pvm_pass *p);
void pvm_pass_rom_free(struct pvm_pass *p);

/* config.c */
int pvm_pass_config_new(struct pvm_pass *p, struct pvm_why *why);
void pvm_pass_config_free(struct pvm_pass *p);
/* Virtual registers as after power-on. Interrupts are stopped. No lock held. */
void pvm_pass_config_reset(struct pvm_pass *p);
/* Bus mastering as the guest and ->quiet say. fn's lock held. */
void pvm_pass_master_update(struct pvm_pass *p);

/* bar.c */
void pvm_pass_bar_shape(struct pvm_pass *p, struct pvm_pass_shape *shape);
int pvm_pass_bar_new(struct pvm_pass *p, struct pvm_why *why);	/* after the view is built */
void pvm_pass_bar_free(struct pvm_pass *p);
int pvm_pass_bar_changed(struct pvm_pci_fn *fn, u32 bar, u64 gpa);
extern const struct pvm_dev_ops pvm_pass_dev_ops;

/* intr.c */
void pvm_pass_intr_new(struct pvm_pass *p);	/* nothing is delivered yet */
void pvm_pass_intr_start(struct pvm_pass *p);	/* INTx, as after power-on */
void pvm_pass_intr_stop(struct pvm_pass *p);	/* no interrupt from here on */
void pvm_pass_intr_free(struct pvm_pass *p);
void pvm_pass_intr_changed(struct pvm_pci_fn *fn, int vector);	/* fn's lock held */
void pvm_pass_intr_quiet(struct pvm_pass *p, bool quiet);	/* fn's lock held */
void pvm_pass_intr_follow(struct pvm_pass *p);
void pvm_pass_intr_eoi(struct pvm_pass *p, u32 gsi);

static inline struct pvm_pass *pvm_pass_of(struct pvm_pci_fn *fn)
{
	return container_of(fn, struct pvm_pass, fn);
}

#endif /* PVM_PASS_INTERNAL_H */
