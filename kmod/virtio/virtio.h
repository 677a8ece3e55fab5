/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio: rings, the PCI transport, and the devices made of them.
 *
 * Three parts. A ring (ring.c) takes descriptor chains from guest memory and
 * gives them back. The transport (pci.c) is a struct pvm_pci_fn with the
 * registers of virtio-pci 1.x. A device (blk.c, net.c) has workers that run the
 * rings, and takes part in the transport by struct pvm_virtio_ops.
 *
 * Exclusion: transport state is guarded by the device's lock (the bus, the PCI
 * root and pvm_dev_lock() take it). A ring's consumer side (pop, notify_*) belongs
 * to one worker; its producer side (push, should_interrupt) to whoever holds the
 * device's lock for that queue's completions. The two sides share no field. Rings
 * are set up and cleared only while no worker runs: running says when they may.
 *
 * World:   pure
 * Context: as each function says; "locked" means with the device's lock held
 * Spec:    VIRTIO r1.2, sec 2.7 "Split Virtqueues", sec 4.1 "Virtio Over PCI Bus"
 */
#ifndef PVM_VIRTIO_H
#define PVM_VIRTIO_H

#include <pvm/env.h>
#include "dev/dev.h"
#include "pci/pci.h"

#define PVM_VIRTIO_MAX_QUEUES	8
#define PVM_RING_MAX_SIZE	1024

/* --- ring.c ------------------------------------------------------------------ */

/* Where guest memory is. */
struct pvm_ring_mem {
	/*
	 * Kernel address of [gpa, gpa + bytes), or NULL if that is not RAM or crosses
	 * a 4 KiB page. Stays valid while the VM lives. Any context.
	 */
	void *(*ptr)(void *ctx, u64 gpa, u64 bytes);
	void *ctx;
};

/* One descriptor's memory, not checked yet. */
struct pvm_ring_seg {
	u64 gpa;
	u32 bytes;
};

/* A chain as popped: first the segments the device reads, then those it writes. */
struct pvm_ring_chain {
	struct pvm_ring_seg *seg;	/* the caller's */
	u32 max;			/* room in seg; longer chains break the ring */
	u32 count;
	u32 readable;			/* seg[0 .. readable) */
	u64 read_bytes, write_bytes;
	u16 head;			/* for push() */
};

/* Checked memory: host-contiguous. */
struct pvm_ring_piece {
	void *ptr;
	u32 bytes;
};

struct pvm_ring {
	const struct pvm_ring_mem *mem;
	u64 desc_gpa, avail_gpa, used_gpa;
	u16 size;			/* power of two; 0: not set up */
	bool event_idx, indirect;	/* features negotiated */
	bool broken;			/* the guest broke the rules; until reset */
	/* consumer */
	u16 avail_next;			/* next entry of the available ring to take */
	/* producer */
	u16 used_next;			/* next entry of the used ring to fill */
	u16 signalled;			/* used_next when last compared with used_event */
};

/*
 * Sets a ring up. -EINVAL: size not a power of two up to PVM_RING_MAX_SIZE, or
 * misaligned; -EFAULT: its ends are not in RAM.
 */
int pvm_ring_start(struct pvm_ring *r, const struct pvm_ring_mem *mem, u16 size, u64 desc_gpa,
		   u64 avail_gpa, u64 used_gpa);

/* Consumer. Is there anything to pop? False on a broken ring. */
bool pvm_ring_more(struct pvm_ring *r);
/*
 * Consumer. Takes the next chain: 1, 0 when there is none, -EINVAL when the ring
 * is (or just became) broken. Work is bounded by c->max.
 */
int pvm_ring_pop(struct pvm_ring *r, struct pvm_ring_chain *c);
/* Consumer. Gives back the last @count chains popped, none of which was pushed. */
void pvm_ring_unpop(struct pvm_ring *r, u16 count);
/*
 * Consumer. Asks the guest not to notify, or to notify of what comes after the
 * next @seen chains (those the caller knows of and cannot use yet). The caller
 * goes on if enable() returns true: there are more than those.
 */
void pvm_ring_notify_disable(struct pvm_ring *r);
bool pvm_ring_notify_enable(struct pvm_ring *r, u16 seen);

/* Producer. Returns chain @head, of which the device wrote the first @bytes. */
void pvm_ring_push(struct pvm_ring *r, u16 head, u32 bytes);
/* Producer. The same for @count chains that the guest sees at once. */
void pvm_ring_push_many(struct pvm_ring *r, const u16 *head, const u32 *bytes, u32 count);
/* Producer. After push: does the guest want an interrupt? */
bool pvm_ring_should_interrupt(struct pvm_ring *r);

/*
 * Turns up to @bytes of the segments, beginning @skip bytes in, into at most @max
 * pieces. Returns how many, or -EFAULT if a byte is not RAM; *@done is how many
 * bytes they hold (less than asked when @max or the segments ran out).
 */
int pvm_ring_pieces(const struct pvm_ring_mem *mem, const struct pvm_ring_seg *seg, u32 segs,
		    u64 skip, u64 bytes, struct pvm_ring_piece *piece, u32 max, u64 *done);
/* Copies; false when the segments are too short or not RAM. @bytes is at most a few pages. */
bool pvm_ring_copy_from(const struct pvm_ring_mem *mem, const struct pvm_ring_seg *seg, u32 segs,
			u64 skip, void *to, u32 bytes);
bool pvm_ring_copy_to(const struct pvm_ring_mem *mem, const struct pvm_ring_seg *seg, u32 segs,
		      u64 skip, const void *from, u32 bytes);

/* --- pci.c -------------------------------------------------------------------- */

/* Device ids and the feature bits common to all devices. VIRTIO r1.2, sec 5 and 6 */
enum pvm_virtio_const {
	PVM_VIRTIO_NET			= 1,
	PVM_VIRTIO_BLK			= 2,

	PVM_VIRTIO_F_INDIRECT_DESC	= 28,
	PVM_VIRTIO_F_EVENT_IDX		= 29,
	PVM_VIRTIO_F_VERSION_1		= 32,

	PVM_VIRTIO_S_ACKNOWLEDGE	= 1,
	PVM_VIRTIO_S_DRIVER		= 2,
	PVM_VIRTIO_S_DRIVER_OK		= 4,
	PVM_VIRTIO_S_FEATURES_OK	= 8,
	PVM_VIRTIO_S_NEEDS_RESET	= 64,
	PVM_VIRTIO_S_FAILED		= 128,

	PVM_VIRTIO_NO_VECTOR		= 0xffff,
};

/* Layout of the two BARs; BAR 0 is memory, BAR 2 ports for notifying with few instructions. */
enum pvm_virtio_bar {
	PVM_VIRTIO_BAR_MEM	= 0,
	PVM_VIRTIO_BAR_IO	= 2,

	PVM_VIRTIO_COMMON	= 0x0000,
	PVM_VIRTIO_ISR		= 0x1000,
	PVM_VIRTIO_DEVICE	= 0x2000,
	PVM_VIRTIO_NOTIFY	= 0x3000,
	PVM_VIRTIO_MSIX		= 0x4000,
	PVM_VIRTIO_PBA		= 0x5000,
	PVM_VIRTIO_MEM_BYTES	= 0x8000,
	PVM_VIRTIO_IO_BYTES	= 4 * PVM_VIRTIO_MAX_QUEUES,
	PVM_VIRTIO_NOTIFY_STEP	= 4,
};

struct pvm_virtio;

/* What a device implements. */
struct pvm_virtio_ops {
	/* Locked. The guest notified queue @queue; wakes a worker, no more. */
	void (*kick)(struct pvm_virtio *v, u32 queue);
	/*
	 * Locked. running has become false: the guest resets the device. As soon as
	 * nothing touches guest memory any more (perhaps at once) the device calls
	 * pvm_virtio_stopped(); until then the guest reads a status that is not 0.
	 */
	void (*stop)(struct pvm_virtio *v);
};

struct pvm_virtio_queue {
	struct pvm_ring ring;
	u16 max_size, size;
	u16 vector;
	bool enabled;
	u64 desc_gpa, driver_gpa, device_gpa;
};

/* Locking key: (c) constant after init  (d) device's lock  (a) READ_ONCE/WRITE_ONCE */
struct pvm_virtio {
	struct pvm_dev dev;
	struct pvm_pci_fn fn;				/* as pci.h says */
	struct pvm_pci_cfg cfg;
	const struct pvm_virtio_ops *ops;		/* (c) */
	struct pvm_ring_mem mem;			/* (c) */
	u64 device_features;				/* (c) offered */
	u32 queues;					/* (c) */
	const u8 *config;				/* (c) device configuration, read-only */
	u32 config_bytes;				/* (c) */
	u32 pci_cfg_cap;				/* (c) */

	u64 features;					/* (d) what the driver took */
	u32 feature_select, driver_feature_select;	/* (d) */
	u16 queue_select, config_vector;		/* (d) */
	u8 status, isr;					/* (d) */
	bool stopping;					/* (d) until pvm_virtio_stopped() */
	bool running;					/* (a) DRIVER_OK; written under (d) */
	struct pvm_virtio_queue queue[PVM_VIRTIO_MAX_QUEUES]; /* (d), see above */
	struct pvm_pci_msix_entry table[PVM_VIRTIO_MAX_QUEUES + 1];
	unsigned long pending[BITS_TO_LONGS(PVM_VIRTIO_MAX_QUEUES + 1)];
};

struct pvm_virtio_init {
	const struct pvm_virtio_ops *ops;
	struct pvm_ring_mem mem;
	u16 id;				/* PVM_VIRTIO_NET, ... */
	u32 class;			/* PCI class code */
	u64 features;			/* the device's own; the common ones are added */
	u32 queues;			/* 1..PVM_VIRTIO_MAX_QUEUES */
	u16 queue_size;			/* largest, a power of two */
	const void *config;
	u32 config_bytes;
};

/* The pvm_dev and the pvm_pci_fn of every virtio device; attach v->dev with it. */
extern const struct pvm_dev_ops pvm_virtio_dev_ops;

/* Fills *@v, which then can be added to a PCI root. While nothing uses it. */
void pvm_virtio_init(struct pvm_virtio *v, const struct pvm_virtio_init *init);

static inline bool pvm_virtio_has(const struct pvm_virtio *v, u32 feature)
{
	return v->features >> feature & 1;
}

/* Locked. Interrupt for a queue whose used ring moved. */
void pvm_virtio_interrupt(struct pvm_virtio *v, u32 queue);
/* Locked. The guest broke a ring: asks for a reset. */
void pvm_virtio_broken(struct pvm_virtio *v, u32 queue);
/* Locked. Completes a reset, see ops->stop. */
void pvm_virtio_stopped(struct pvm_virtio *v);

/* --- blk.c, net.c ---------------------------------------------------------------- */

struct file;
struct pvm_mem;

/* What a device needs of the VM; constant while the device lives. */
struct pvm_virtio_vm {
	struct pvm_mem *mem;
	const struct pvm_dev_host *dev_host;	/* for pvm_dev_attach(); only guest_error is used */
	void *owner;				/* for pvm_dev_attach() */
	u32 vcpus;
};

struct pvm_virtio_blk_config {
	struct file *file;	/* regular file or block device; a reference is taken */
	bool readonly;
	const char *serial;	/* may be NULL; the first 20 bytes count */
};

struct pvm_virtio_net_config {
	struct file *tap;	/* IFF_VNET_HDR, a header of 12 bytes; a reference is taken */
	u8 mac[6];
	bool offloads;		/* the tap takes and gives checksum and TSO offloads */
	u16 mtu;		/* 0: not told to the guest */
};

/*
 * Makes a device; *@fn is for pvm_pci_add(). Process context, may sleep. -ENOMEM,
 * or -EINVAL for a file that will not do. Guest RAM must be of pages with a count
 * each or compound ones, since the file's driver may take references.
 */
int pvm_virtio_blk_new(const struct pvm_virtio_vm *vm, const struct pvm_virtio_blk_config *c,
		       struct pvm_pci_fn **fn);
int pvm_virtio_net_new(const struct pvm_virtio_vm *vm, const struct pvm_virtio_net_config *c,
		       struct pvm_pci_fn **fn);

/*
 * quiesce() returns when the device does not touch guest memory and sends no
 * interrupts until resume(). Calls pair. Process context, may sleep; neither
 * fails. Before a guest reset (pvm_dev_reset() of the PCI root): quiesce, reset,
 * resume.
 */
void pvm_virtio_quiesce(struct pvm_pci_fn *fn);
void pvm_virtio_resume(struct pvm_pci_fn *fn);
/* Kernel memory that the device took when it was made, in bytes. */
u64 pvm_virtio_bytes(struct pvm_pci_fn *fn);
/* Off the bus and the PCI root already. Process context, may sleep. NULL is fine. */
void pvm_virtio_free(struct pvm_pci_fn *fn);

#endif /* PVM_VIRTIO_H */
