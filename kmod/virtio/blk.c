// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device on a file or a host block device.
 *
 * A request's pages become a bio_vec array over guest memory and go down
 * asynchronously with O_DIRECT where the file can and the addresses are aligned;
 * otherwise the queue's thread moves them through the page cache. Completions
 * arrive in any context and fill the used ring from there, so a request costs
 * the guest one kick at most and no other exit.
 *
 * Requests are preallocated, BLK_DEPTH a queue; when all are in flight the ring
 * waits. Sizes are bounded by what the configuration space tells the driver.
 *
 * Locks: q->lock (IRQ-safe) guards the free list and the producer side of the
 * ring; the device's lock is taken after it was dropped. The consumer side
 * belongs to the queue's thread.
 *
 * World:   kernel
 * Context: queue's thread, and completions in any context
 * Spec:    VIRTIO r1.2, sec 5.2 "Block Device"
 */
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/uio.h>
#include <linux/virtio_blk.h>
#include <pvm/env.h>
#include "mem/mem.h"
#include "virtio/work.h"

#define BLK_DEPTH		32		/* requests in flight per queue */
#define BLK_QUEUE_SIZE		128
#define BLK_MAX_QUEUES		4
#define BLK_SEG_MAX		62u		/* data segments of a request */
#define BLK_SEGS		(BLK_SEG_MAX + 2)	/* with header and status */
#define BLK_SIZE_MAX		(256u << 10)	/* bytes of a data segment */
#define BLK_MAX_BYTES		((u64)BLK_SEG_MAX * BLK_SIZE_MAX)
#define BLK_VECS		64
#define BLK_BATCH		64		/* requests between two cond_resched() */
#define BLK_SECTOR_SHIFT	9
#define BLK_SECTOR_BYTES	(1u << BLK_SECTOR_SHIFT)
#define BLK_HEADER_BYTES	16
#define BLK_RANGE_BYTES		16
#define BLK_MAX_DISCARD		(1u << 21)	/* sectors: 1 GiB */
#define BLK_MAX_ZEROES		(1u << 15)	/* sectors: 16 MiB, may have to be written */
#define BLK_CONFIG_BYTES	offsetof(struct virtio_blk_config, unused1)

struct blk;
struct blk_queue;

struct blk_req {
	struct kiocb iocb;
	struct blk_queue *q;
	struct blk_req *next;		/* in q->free */
	u8 *status;			/* in guest memory */
	u32 bytes;			/* that the transfer must move */
	u16 head;
	bool read;			/* into the guest */
	struct bio_vec vec[BLK_VECS];
};

/* Locking key: (c) constant after creation  (t) queue's thread only  (l) lock */
struct blk_queue {
	struct blk *b;					/* (c) */
	u32 index;					/* (c) */
	spinlock_t lock;
	struct blk_req *free;				/* (l) */
	bool starved;					/* (l) the thread waits for a free one */
	struct blk_req req[BLK_DEPTH];
	struct pvm_ring_chain chain;			/* (t) */
	struct pvm_ring_seg seg[BLK_SEGS];		/* (t) */
	struct pvm_ring_piece piece[BLK_VECS];		/* (t) */
};

/* All constant after creation. */
struct blk {
	struct pvm_virtio_work work;
	struct pvm_mem *mem;
	struct file *file;
	u64 sectors;
	bool readonly;
	bool direct;			/* the file takes IOCB_DIRECT ... */
	u32 memory_align_mask;		/* ... for memory and ... */
	u32 offset_align_mask;		/* ... offsets aligned so */
	u8 serial[VIRTIO_BLK_ID_BYTES];
	u8 config[BLK_CONFIG_BYTES];
	struct blk_queue *queue[BLK_MAX_QUEUES];
};

/* Header of a request, as read once. */
struct blk_header {
	u32 type;
	u64 sector;
};

static struct blk *of_work(struct pvm_virtio_work *w)
{
	return container_of(w, struct blk, work);
}

static struct pvm_ring *ring_of(struct blk_queue *q)
{
	return &q->b->work.virtio.queue[q->index].ring;
}

static const struct pvm_ring_mem *ring_mem(struct blk *b)
{
	return &b->work.virtio.mem;
}

static void *mem_ptr(void *ctx, u64 gpa, u64 bytes)
{
	return pvm_mem_ptr(ctx, gpa, bytes);
}

/* --- requests and their end ------------------------------------------------------- */

static struct blk_req *req_get(struct blk_queue *q)
{
	struct blk_req *r;

	spin_lock_irq(&q->lock);
	r = q->free;
	if (r)
		q->free = r->next;
	else
		q->starved = true;
	spin_unlock_irq(&q->lock);
	return r;
}

/* Puts @r back; true: the thread waits for it. */
static bool req_put_locked(struct blk_queue *q, struct blk_req *r)
{
	bool starved = q->starved;

	lockdep_assert_held(&q->lock);
	r->next = q->free;
	q->free = r;
	q->starved = false;
	return starved;
}

static void req_put(struct blk_queue *q, struct blk_req *r)
{
	spin_lock_irq(&q->lock);
	req_put_locked(q, r);
	spin_unlock_irq(&q->lock);
}

/* Ends @r, which is in flight. Any context. @r and its device may be gone afterwards. */
static void req_end(struct blk_req *r, u8 status, u32 written)
{
	struct blk_queue *q = r->q;
	struct pvm_virtio_work *w = &q->b->work;
	bool interrupt, starved;
	unsigned long flags;

	WRITE_ONCE(*r->status, status);
	spin_lock_irqsave(&q->lock, flags);
	pvm_ring_push(ring_of(q), r->head, written + 1);
	interrupt = pvm_ring_should_interrupt(ring_of(q));
	starved = req_put_locked(q, r);
	spin_unlock_irqrestore(&q->lock, flags);

	if (interrupt)
		pvm_virtio_work_interrupt(w, q->index);
	if (starved)
		pvm_virtio_work_kick(w, q->index);
	pvm_virtio_work_put(w);
}

static void req_end_io(struct blk_req *r, long ret)
{
	bool ok = ret == r->bytes;

	req_end(r, ok ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR, ok && r->read ? r->bytes : 0);
}

/* --- transfers ---------------------------------------------------------------------- */

/* Freeze protection that a completion elsewhere may give back. */
static void write_begin(struct kiocb *iocb)
{
	iocb->ki_flags |= IOCB_WRITE;
	if (S_ISREG(file_inode(iocb->ki_filp)->i_mode))
		kiocb_start_write(iocb);
}

static void write_end(struct kiocb *iocb)
{
	if ((iocb->ki_flags & IOCB_WRITE) && S_ISREG(file_inode(iocb->ki_filp)->i_mode))
		kiocb_end_write(iocb);
}

static void req_done(struct kiocb *iocb, long ret)
{
	write_end(iocb);
	req_end_io(container_of(iocb, struct blk_req, iocb), ret);
}

/* One call into the file; r->vec holds @count pieces of @bytes in all. */
static ssize_t submit(struct blk_req *r, u64 offset, u32 count, u64 bytes, bool direct)
{
	struct file *file = r->q->b->file;
	struct kiocb *iocb = &r->iocb;
	struct iov_iter iter;
	ssize_t ret;

	iov_iter_bvec(&iter, r->read ? ITER_DEST : ITER_SOURCE, r->vec, count, bytes);
	init_sync_kiocb(iocb, file);
	iocb->ki_pos = offset;
	iocb->ki_flags &= ~(IOCB_DIRECT | IOCB_APPEND | IOCB_NOWAIT);
	if (direct) {
		iocb->ki_flags |= IOCB_DIRECT;
		iocb->ki_complete = req_done;
	}
	if (r->read) {
		ret = file->f_op->read_iter(iocb, &iter);
	} else {
		write_begin(iocb);
		ret = file->f_op->write_iter(iocb, &iter);
	}
	if (ret != -EIOCBQUEUED)
		write_end(iocb);
	return ret;
}

/*
 * Fills r->vec with the data of the chain from @skip on, at most @bytes. Returns the
 * number of pieces or -EFAULT, how much they hold in *@done, and whether all
 * suit direct transfers in *@aligned.
 */
static int map_data(struct blk_req *r, u64 skip, u64 bytes, u64 *done, bool *aligned)
{
	struct blk_queue *q = r->q;
	const struct pvm_ring_chain *c = &q->chain;
	const struct pvm_ring_seg *seg = r->read ? c->seg + c->readable : c->seg;
	u32 segs = r->read ? c->count - c->readable : c->readable;
	u32 mask = q->b->memory_align_mask;
	int i, n;

	n = pvm_ring_pieces(ring_mem(q->b), seg, segs, skip, bytes, q->piece, BLK_VECS, done);
	*aligned = true;
	for (i = 0; i < n; i++) {
		struct pvm_ring_piece *p = &q->piece[i];

		r->vec[i] = (struct bio_vec){
			.bv_page = virt_to_page(p->ptr),
			.bv_len = p->bytes,
			.bv_offset = offset_in_page(p->ptr),
		};
		if (((unsigned long)p->ptr | p->bytes) & mask)
			*aligned = false;
	}
	return n;
}

/* Through the page cache, as many pieces at a time as r->vec holds. */
static void transfer_buffered(struct blk_req *r, u64 offset, u64 skip)
{
	u64 moved = 0, now;
	bool aligned;

	while (moved < r->bytes) {
		int n = map_data(r, skip + moved, r->bytes - moved, &now, &aligned);

		if (n <= 0 || submit(r, offset + moved, n, now, false) != now)
			break;
		moved += now;
	}
	req_end_io(r, moved);
}

static void transfer(struct blk_req *r, const struct blk_header *h)
{
	struct blk_queue *q = r->q;
	struct blk *b = q->b;
	u64 bytes = r->read ? q->chain.write_bytes - 1 : q->chain.read_bytes - BLK_HEADER_BYTES;
	u64 skip = r->read ? 0 : BLK_HEADER_BYTES;
	u64 offset = h->sector << BLK_SECTOR_SHIFT, done;
	bool aligned;
	ssize_t ret;
	int n;

	r->bytes = bytes;
	if (bytes > BLK_MAX_BYTES || (bytes & (BLK_SECTOR_BYTES - 1)) || h->sector > b->sectors ||
	    bytes >> BLK_SECTOR_SHIFT > b->sectors - h->sector || (!r->read && b->readonly)) {
		req_end(r, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	n = map_data(r, skip, bytes, &done, &aligned);
	if (n < 0) {
		req_end(r, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	if (b->direct && bytes && done == bytes && aligned &&
	    !((offset | bytes) & b->offset_align_mask)) {
		ret = submit(r, offset, n, bytes, true);
		if (ret == -EIOCBQUEUED)
			return;
		/* A file that wants more alignment than it told says so at once. */
		if (ret != -EINVAL && ret != -EOPNOTSUPP) {
			req_end_io(r, ret);
			return;
		}
	}
	transfer_buffered(r, offset, skip);
}

/* --- the other requests ----------------------------------------------------------------- */

static u8 status_of(int err)
{
	if (!err)
		return VIRTIO_BLK_S_OK;
	return err == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

static void flush(struct blk_req *r)
{
	struct blk *b = r->q->b;

	req_end(r, status_of(b->readonly ? 0 : vfs_fsync(b->file, 1)), 0);
}

/* For files that cannot zero a range by themselves: at most BLK_MAX_ZEROES sectors. */
static int write_zeroes(struct blk_req *r, u64 offset, u64 bytes)
{
	u32 i;

	r->read = false;
	for (i = 0; i < BLK_VECS; i++)
		r->vec[i] = (struct bio_vec){ .bv_page = ZERO_PAGE(0), .bv_len = PAGE_SIZE };
	while (bytes) {
		u64 now = min_t(u64, bytes, BLK_VECS * PAGE_SIZE);

		if (submit(r, offset, BLK_VECS, now, false) != now)
			return -EIO;
		offset += now;
		bytes -= now;
		cond_resched();
	}
	return 0;
}

/* Discard and write zeroes: one range of {sector, sectors, flags}. */
static void change_range(struct blk_req *r, const struct blk_header *h)
{
	struct blk_queue *q = r->q;
	struct blk *b = q->b;
	bool discard = h->type == VIRTIO_BLK_T_DISCARD;
	u8 range[BLK_RANGE_BYTES];
	u64 sector, sectors;
	u32 flags;
	int err;

	if (b->readonly || q->chain.read_bytes != BLK_HEADER_BYTES + BLK_RANGE_BYTES ||
	    !pvm_ring_copy_from(ring_mem(b), q->chain.seg, q->chain.readable, BLK_HEADER_BYTES,
				range, sizeof(range))) {
		req_end(r, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	sector = get_unaligned_le64(range);
	sectors = get_unaligned_le32(range + 8);
	flags = get_unaligned_le32(range + 12);
	if (flags & ~(discard ? 0u : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)) {
		req_end(r, VIRTIO_BLK_S_UNSUPP, 0);
		return;
	}
	if (sector > b->sectors || sectors > b->sectors - sector ||
	    sectors > (discard ? BLK_MAX_DISCARD : BLK_MAX_ZEROES)) {
		req_end(r, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	if (!sectors) {
		req_end(r, VIRTIO_BLK_S_OK, 0);
		return;
	}
	/* A hole reads as zeroes, so it will do for both where the guest allows it. */
	err = vfs_fallocate(b->file, FALLOC_FL_KEEP_SIZE |
			    (discard || flags ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE),
			    sector << BLK_SECTOR_SHIFT, sectors << BLK_SECTOR_SHIFT);
	if (err && !discard)
		err = write_zeroes(r, sector << BLK_SECTOR_SHIFT, sectors << BLK_SECTOR_SHIFT);
	req_end(r, status_of(err), 0);
}

static void get_id(struct blk_req *r)
{
	struct blk_queue *q = r->q;
	struct pvm_ring_chain *c = &q->chain;
	u32 bytes = min_t(u64, c->write_bytes - 1, VIRTIO_BLK_ID_BYTES);

	if (!pvm_ring_copy_to(ring_mem(q->b), c->seg + c->readable, c->count - c->readable, 0,
			      q->b->serial, bytes))
		req_end(r, VIRTIO_BLK_S_IOERR, 0);
	else
		req_end(r, VIRTIO_BLK_S_OK, bytes);
}

/* --- the ring ------------------------------------------------------------------------------ */

/*
 * Reads the header and finds the status byte, the last that the device may write.
 * False: the chain has no room for them, so it cannot even be answered.
 */
static bool parse(struct blk_req *r, struct blk_header *h)
{
	struct blk_queue *q = r->q;
	struct pvm_ring_chain *c = &q->chain;
	struct pvm_ring_piece last;
	u8 b[BLK_HEADER_BYTES];
	u64 done;

	if (c->read_bytes < BLK_HEADER_BYTES || !c->write_bytes ||
	    !pvm_ring_copy_from(ring_mem(q->b), c->seg, c->readable, 0, b, sizeof(b)))
		return false;
	if (pvm_ring_pieces(ring_mem(q->b), c->seg + c->readable, c->count - c->readable,
			    c->write_bytes - 1, 1, &last, 1, &done) != 1)
		return false;
	h->type = get_unaligned_le32(b);
	h->sector = get_unaligned_le64(b + 8);
	r->status = last.ptr;
	r->head = c->head;
	r->read = h->type == VIRTIO_BLK_T_IN;
	r->bytes = 0;
	return true;
}

static void handle(struct blk_req *r, const struct blk_header *h)
{
	switch (h->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		transfer(r, h);
		break;
	case VIRTIO_BLK_T_FLUSH:
		flush(r);
		break;
	case VIRTIO_BLK_T_GET_ID:
		get_id(r);
		break;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		change_range(r, h);
		break;
	default:
		req_end(r, VIRTIO_BLK_S_UNSUPP, 0);
	}
}

static bool blk_run(struct pvm_virtio_work *w, u32 index)
{
	struct blk_queue *q = of_work(w)->queue[index];
	struct pvm_ring *ring = ring_of(q);
	struct blk_header h;
	u32 i;

	pvm_ring_notify_disable(ring);
	for (i = 0; i < BLK_BATCH; i++) {
		struct blk_req *r;
		int n;

		if (!pvm_virtio_may_run(w))
			return false;
		r = req_get(q);
		if (!r)
			return false;	/* the next completion kicks */
		n = pvm_ring_pop(ring, &q->chain);
		if (n > 0 && parse(r, &h)) {
			pvm_virtio_work_hold(w);
			handle(r, &h);
			continue;
		}
		req_put(q, r);
		if (!n)
			return pvm_ring_notify_enable(ring, 0);
		WRITE_ONCE(ring->broken, true);
		pvm_virtio_work_broken(w, index);
		return false;
	}
	return true;
}

/* --- making one ------------------------------------------------------------------------------ */

static void blk_free(struct pvm_virtio_work *w)
{
	struct blk *b = of_work(w);
	u32 i;

	for (i = 0; i < BLK_MAX_QUEUES; i++)
		kvfree(b->queue[i]);
	if (b->file)
		fput(b->file);
	kvfree(b);
}

static const struct pvm_virtio_work_ops blk_work_ops = {
	.run = blk_run,
	.free = blk_free,
};

static struct blk_queue *queue_new(struct blk *b, u32 index)
{
	struct blk_queue *q = kvzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	u32 i;

	if (!q)
		return NULL;
	q->b = b;
	q->index = index;
	q->chain.seg = q->seg;
	q->chain.max = BLK_SEGS;
	spin_lock_init(&q->lock);
	for (i = 0; i < BLK_DEPTH; i++) {
		q->req[i].q = q;
		q->req[i].next = q->free;
		q->free = &q->req[i];
	}
	return q;
}

/* What the file demands of direct transfers; b->direct stays false if it takes none. */
static void find_alignment(struct blk *b)
{
	struct inode *inode = b->file->f_mapping->host;
	struct block_device *bdev = S_ISBLK(inode->i_mode) ? I_BDEV(inode) : inode->i_sb->s_bdev;
	u32 memory = BLK_SECTOR_BYTES, offset = BLK_SECTOR_BYTES;
	struct kstat stat;

	if (!(b->file->f_mode & FMODE_CAN_ODIRECT))
		return;
	if (bdev) {
		offset = bdev_logical_block_size(bdev);
		memory = bdev_dma_alignment(bdev) + 1;
	}
	if (!S_ISBLK(inode->i_mode) &&
	    !vfs_getattr(&b->file->f_path, &stat, STATX_DIOALIGN, AT_STATX_SYNC_AS_STAT) &&
	    (stat.result_mask & STATX_DIOALIGN)) {
		if (!stat.dio_offset_align)
			return;
		memory = stat.dio_mem_align;
		offset = stat.dio_offset_align;
	}
	if (!is_power_of_2(memory) || !is_power_of_2(offset))
		return;
	b->direct = true;
	b->memory_align_mask = memory - 1;
	b->offset_align_mask = offset - 1;
}

static void config16(struct blk *b, u32 offset, u16 val)
{
	put_unaligned_le16(val, b->config + offset);
}

static void config32(struct blk *b, u32 offset, u32 val)
{
	put_unaligned_le32(val, b->config + offset);
}

#define BLK_CONFIG(field)	offsetof(struct virtio_blk_config, field)

/* Fills the configuration space and returns the features that go with it. */
static u64 fill_config(struct blk *b, u32 queues)
{
	u32 physical = b->offset_align_mask + 1;
	u64 features = BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | BIT_ULL(VIRTIO_BLK_F_SEG_MAX) |
		       BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | BIT_ULL(VIRTIO_BLK_F_TOPOLOGY);

	put_unaligned_le64(b->sectors, b->config + BLK_CONFIG(capacity));
	config32(b, BLK_CONFIG(size_max), BLK_SIZE_MAX);
	config32(b, BLK_CONFIG(seg_max), BLK_SEG_MAX);
	config32(b, BLK_CONFIG(blk_size), BLK_SECTOR_BYTES);
	/* What lies aligned to this goes down directly. */
	if (physical > BLK_SECTOR_BYTES)
		b->config[BLK_CONFIG(physical_block_exp)] = ilog2(physical) - BLK_SECTOR_SHIFT;
	config16(b, BLK_CONFIG(min_io_size), max_t(u32, physical / BLK_SECTOR_BYTES, 1));
	config16(b, BLK_CONFIG(num_queues), queues);
	if (queues > 1)
		features |= BIT_ULL(VIRTIO_BLK_F_MQ);
	if (b->readonly)
		return features | BIT_ULL(VIRTIO_BLK_F_RO);

	features |= BIT_ULL(VIRTIO_BLK_F_FLUSH);
	b->config[BLK_CONFIG(wce)] = 1;
	if (!b->file->f_op->fallocate)
		return features;
	config32(b, BLK_CONFIG(max_discard_sectors), BLK_MAX_DISCARD);
	config32(b, BLK_CONFIG(max_discard_seg), 1);
	config32(b, BLK_CONFIG(discard_sector_alignment),
		 max_t(u32, physical / BLK_SECTOR_BYTES, 1));
	config32(b, BLK_CONFIG(max_write_zeroes_sectors), BLK_MAX_ZEROES);
	config32(b, BLK_CONFIG(max_write_zeroes_seg), 1);
	b->config[BLK_CONFIG(write_zeroes_may_unmap)] = 1;
	return features | BIT_ULL(VIRTIO_BLK_F_DISCARD) | BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);
}

static bool file_will_do(const struct file *file, bool readonly)
{
	umode_t mode = file_inode(file)->i_mode;

	return (S_ISREG(mode) || S_ISBLK(mode)) && (file->f_mode & FMODE_READ) &&
	       file->f_op->read_iter &&
	       (readonly || ((file->f_mode & FMODE_WRITE) && file->f_op->write_iter));
}

int pvm_virtio_blk_new(const struct pvm_virtio_vm *vm, const struct pvm_virtio_blk_config *c,
		       struct pvm_pci_fn **fn)
{
	u32 queues = clamp_t(u32, vm->vcpus, 1, BLK_MAX_QUEUES), i;
	struct blk *b;
	int err = -ENOMEM;

	if (!file_will_do(c->file, c->readonly))
		return -EINVAL;
	b = kvzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return -ENOMEM;
	b->work.ops = &blk_work_ops;
	b->work.bytes = sizeof(*b) + queues * sizeof(struct blk_queue);
	b->mem = vm->mem;
	b->file = get_file(c->file);
	b->readonly = c->readonly;
	b->sectors = i_size_read(c->file->f_mapping->host) >> BLK_SECTOR_SHIFT;
	if (c->serial)
		memcpy(b->serial, c->serial, strnlen(c->serial, sizeof(b->serial)));
	for (i = 0; i < queues; i++) {
		b->queue[i] = queue_new(b, i);
		if (!b->queue[i])
			goto err_free;
	}
	find_alignment(b);
	pvm_virtio_init(&b->work.virtio, &(struct pvm_virtio_init){
		.ops = &pvm_virtio_work_virtio_ops,
		.mem = { mem_ptr, b->mem },
		.id = PVM_VIRTIO_BLK,
		.class = 0x010000,
		.features = fill_config(b, queues),
		.queues = queues,
		.queue_size = BLK_QUEUE_SIZE,
		.config = b->config,
		.config_bytes = sizeof(b->config),
	});
	err = b->sectors ? pvm_virtio_work_start(&b->work, vm, "blk") : -EINVAL;
	if (err)
		goto err_free;
	*fn = &b->work.virtio.fn;
	return 0;

err_free:
	blk_free(&b->work);
	return err;
}
