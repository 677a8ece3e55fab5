// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network device on a tap.
 *
 * The tap is used as the file it is: read_iter, write_iter, its wait queue and
 * one ioctl, so the module depends on no other. It was set up with a header of 12
 * bytes, the same as virtio's, so frames pass with their offload requests and
 * only num_buffers is filled in here.
 *
 * Receiving goes through a buffer of ours, since a frame's length is known only
 * when it was read; a frame for which the guest has no buffer yet stays there.
 * Sending goes from guest memory. What the tap does not take at once is dropped,
 * as on a wire.
 *
 * World:   kernel
 * Context: the two queues' threads; the tap's wake-ups come in any context
 * Spec:    VIRTIO r1.2, sec 5.1 "Network Device"
 */
#include <linux/bvec.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/virtio_net.h>
#include <pvm/env.h>
#include "mem/mem.h"
#include "virtio/work.h"

#define NET_RX			0
#define NET_TX			1
#define NET_QUEUES		2
#define NET_QUEUE_SIZE		256
#define NET_HEADER_BYTES	12
#define NET_NUM_BUFFERS		10	/* offset in the header */
#define NET_MIN_BYTES		(NET_HEADER_BYTES + 14)
#define NET_MAX_BYTES		(NET_HEADER_BYTES + 65536 + 64)
#define NET_SEGS		64	/* descriptors of a chain */
#define NET_VECS		64
#define NET_MAX_BUFFERS		64	/* chains that one frame fills */
#define NET_BATCH		64	/* frames between two looks around */

struct nic;

/* Locking key: (c) constant after creation  (r) RX thread  (t) TX thread */
struct nic {
	struct pvm_virtio_work work;
	struct pvm_mem *mem;				/* (c) */
	struct file *tap;				/* (c) */
	bool offloads;					/* (c) */
	u8 config[offsetofend(struct virtio_net_config, mtu)]; /* (c) */
	wait_queue_head_t *tap_wq;			/* (c) lives as long as the tap */
	wait_queue_entry_t wait;

	u8 *rx_buf;					/* (r) NET_MAX_BYTES */
	u32 rx_bytes;					/* (r) frame waiting there, 0: none */
	u16 rx_seen;					/* (r) buffers that were too few for it */
	u64 rx_features;				/* (r) that the tap was told */
	bool rx_told;					/* (r) */
	struct pvm_ring_seg rx_first[NET_SEGS], rx_seg[NET_SEGS];	/* (r) */
	u16 rx_head[NET_MAX_BUFFERS];			/* (r) */
	u32 rx_len[NET_MAX_BUFFERS];			/* (r) */

	struct pvm_ring_seg tx_seg[NET_SEGS];		/* (t) */
	struct pvm_ring_piece tx_piece[NET_VECS];	/* (t) */
	struct bio_vec tx_vec[NET_VECS];		/* (t) */
};

static struct nic *of_work(struct pvm_virtio_work *w)
{
	return container_of(w, struct nic, work);
}

static struct pvm_ring *ring_of(struct nic *n, u32 queue)
{
	return &n->work.virtio.queue[queue].ring;
}

static const struct pvm_ring_mem *ring_mem(struct nic *n)
{
	return &n->work.virtio.mem;
}

static void *mem_ptr(void *ctx, u64 gpa, u64 bytes)
{
	return pvm_mem_ptr(ctx, gpa, bytes);
}

/* --- receiving ---------------------------------------------------------------------- */

/* Features of the driver and what the tap may then hand it. */
static const struct {
	u32 feature;
	u32 tun;
} rx_offloads[] = {
	{ VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM },
	{ VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4 },
	{ VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6 },
	{ VIRTIO_NET_F_GUEST_ECN, TUN_F_TSO_ECN },
};

/* Tells the tap what this driver takes; the argument is a value, not a pointer. */
static void tell_offloads(struct nic *n)
{
	u64 features = READ_ONCE(n->work.virtio.features);
	unsigned long arg = 0;
	u32 i;

	if (!n->offloads || (n->rx_told && features == n->rx_features))
		return;
	n->rx_features = features;
	n->rx_told = true;
	for (i = 0; i < ARRAY_SIZE(rx_offloads); i++)
		if (features >> rx_offloads[i].feature & 1)
			arg |= rx_offloads[i].tun;
	if (n->tap->f_op->unlocked_ioctl)
		n->tap->f_op->unlocked_ioctl(n->tap, TUNSETOFFLOAD, arg);
}

/* Next frame of the tap into rx_buf; false: none there. */
static bool rx_read(struct nic *n)
{
	struct kvec vec = { n->rx_buf, NET_MAX_BYTES };
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t ret;

	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, NET_MAX_BYTES);
	init_sync_kiocb(&iocb, n->tap);
	iocb.ki_flags |= IOCB_NOWAIT;
	ret = n->tap->f_op->read_iter(&iocb, &iter);
	if (ret <= 0)
		return false;
	/* A full buffer may mean that the frame was cut. */
	n->rx_bytes = ret >= NET_MIN_BYTES && ret < NET_MAX_BYTES ? ret : 0;
	return true;
}

/*
 * Copies the frame into as many of the guest's buffers as it takes. Returns how
 * many, 0 when the guest has too few (then none is used), -EINVAL on a bad ring.
 */
static int rx_fill(struct nic *n, struct pvm_ring *ring)
{
	u32 most = pvm_virtio_has(&n->work.virtio, VIRTIO_NET_F_MRG_RXBUF) ? NET_MAX_BUFFERS : 1;
	struct pvm_ring_chain first = { .seg = n->rx_first, .max = NET_SEGS };
	struct pvm_ring_chain next = { .seg = n->rx_seg, .max = NET_SEGS };
	u32 count = 0, done = 0;
	u8 num[2];
	int ret;

	while (done < n->rx_bytes && count < most) {
		struct pvm_ring_chain *c = count ? &next : &first;
		u32 now;

		ret = pvm_ring_pop(ring, c);
		if (ret <= 0) {
			pvm_ring_unpop(ring, count);
			n->rx_seen = count;
			return ret;
		}
		now = min_t(u64, c->write_bytes, n->rx_bytes - done);
		if (c->readable || (!count && now < NET_HEADER_BYTES) ||
		    !pvm_ring_copy_to(ring_mem(n), c->seg, c->count, 0, n->rx_buf + done, now))
			return -EINVAL;
		n->rx_head[count] = c->head;
		n->rx_len[count++] = now;
		done += now;
	}
	if (done < n->rx_bytes) {
		/* Larger than this driver's buffers: nobody can take it. */
		pvm_ring_unpop(ring, count);
		n->rx_bytes = 0;
		return 0;
	}
	put_unaligned_le16(count, num);
	if (!pvm_ring_copy_to(ring_mem(n), first.seg, first.count, NET_NUM_BUFFERS, num, 2))
		return -EINVAL;
	return count;
}

static bool rx_run(struct nic *n)
{
	struct pvm_ring *ring = ring_of(n, NET_RX);
	bool more = true, pushed = false;
	u32 i;

	tell_offloads(n);
	pvm_ring_notify_disable(ring);
	for (i = 0; i < NET_BATCH && more && pvm_virtio_may_run(&n->work); i++) {
		int ret;

		if (!n->rx_bytes && !rx_read(n)) {
			more = false;		/* the tap wakes us */
			break;
		}
		if (!n->rx_bytes)
			continue;
		ret = rx_fill(n, ring);
		if (ret < 0) {
			WRITE_ONCE(ring->broken, true);
			pvm_virtio_work_broken(&n->work, NET_RX);
			return false;
		}
		if (ret) {
			pvm_ring_push_many(ring, n->rx_head, n->rx_len, ret);
			n->rx_bytes = 0;
			pushed = true;
		} else if (n->rx_bytes) {
			more = pvm_ring_notify_enable(ring, n->rx_seen);
		}
	}
	if (pushed && pvm_ring_should_interrupt(ring))
		pvm_virtio_work_interrupt(&n->work, NET_RX);
	return more && pvm_virtio_may_run(&n->work);
}

/* The tap has something to read. Any context, its wait queue's lock held. */
static int tap_wake(wait_queue_entry_t *entry, unsigned int mode, int sync, void *key)
{
	struct nic *n = container_of(entry, struct nic, wait);

	if (!key || (key_to_poll(key) & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		pvm_virtio_work_kick(&n->work, NET_RX);
	return 0;
}

/* --- sending --------------------------------------------------------------------------- */

/* One frame; false: the chain is not one. */
static bool tx_frame(struct nic *n, const struct pvm_ring_chain *c)
{
	struct iov_iter iter;
	struct kiocb iocb;
	u64 done;
	int i, count;

	if (c->read_bytes < NET_MIN_BYTES || c->read_bytes > NET_MAX_BYTES)
		return true;	/* no frame that anything could carry: dropped */
	count = pvm_ring_pieces(ring_mem(n), c->seg, c->readable, 0, c->read_bytes, n->tx_piece,
				NET_VECS, &done);
	if (count < 0)
		return false;
	if (done < c->read_bytes)
		return true;
	for (i = 0; i < count; i++)
		n->tx_vec[i] = (struct bio_vec){
			.bv_page = virt_to_page(n->tx_piece[i].ptr),
			.bv_len = n->tx_piece[i].bytes,
			.bv_offset = offset_in_page(n->tx_piece[i].ptr),
		};
	iov_iter_bvec(&iter, ITER_SOURCE, n->tx_vec, count, done);
	init_sync_kiocb(&iocb, n->tap);
	iocb.ki_flags |= IOCB_NOWAIT;
	n->tap->f_op->write_iter(&iocb, &iter);
	return true;
}

static bool tx_run(struct nic *n)
{
	struct pvm_ring *ring = ring_of(n, NET_TX);
	struct pvm_ring_chain c = { .seg = n->tx_seg, .max = NET_SEGS };
	bool pushed = false;
	int ret = 1;
	u32 i;

	pvm_ring_notify_disable(ring);
	for (i = 0; i < NET_BATCH && pvm_virtio_may_run(&n->work); i++) {
		ret = pvm_ring_pop(ring, &c);
		if (ret > 0 && !tx_frame(n, &c))
			ret = -EINVAL;
		if (ret <= 0)
			break;
		pvm_ring_push(ring, c.head, 0);
		pushed = true;
	}
	if (pushed && pvm_ring_should_interrupt(ring))
		pvm_virtio_work_interrupt(&n->work, NET_TX);
	if (ret < 0) {
		WRITE_ONCE(ring->broken, true);
		pvm_virtio_work_broken(&n->work, NET_TX);
		return false;
	}
	return ret ? pvm_virtio_may_run(&n->work) : pvm_ring_notify_enable(ring, 0);
}

static bool net_run(struct pvm_virtio_work *w, u32 queue)
{
	return queue == NET_RX ? rx_run(of_work(w)) : tx_run(of_work(w));
}

/* --- making one --------------------------------------------------------------------------- */

static void net_release(struct nic *n)
{
	fput(n->tap);
	kvfree(n->rx_buf);
	kvfree(n);
}

static void net_free(struct pvm_virtio_work *w)
{
	net_release(of_work(w));
}

static void net_silence(struct pvm_virtio_work *w)
{
	struct nic *n = of_work(w);

	if (n->tap_wq)
		remove_wait_queue(n->tap_wq, &n->wait);
}

static const struct pvm_virtio_work_ops net_work_ops = {
	.run = net_run,
	.silence = net_silence,
	.free = net_free,
};

struct tap_poll {
	poll_table table;
	struct nic *net;
};

/* Puts us onto the tap's wait queue; called back by vfs_poll(). */
static void tap_queue(struct file *file, wait_queue_head_t *wq, poll_table *table)
{
	struct nic *n = container_of(table, struct tap_poll, table)->net;

	if (n->tap_wq)
		return;
	n->tap_wq = wq;
	add_wait_queue(wq, &n->wait);
}

static u64 fill_config(struct nic *n, const struct pvm_virtio_net_config *c)
{
	u64 features = BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_STATUS) |
		       BIT_ULL(VIRTIO_NET_F_MRG_RXBUF);
	u32 i;

	memcpy(n->config + offsetof(struct virtio_net_config, mac), c->mac, sizeof(c->mac));
	put_unaligned_le16(VIRTIO_NET_S_LINK_UP,
			   n->config + offsetof(struct virtio_net_config, status));
	put_unaligned_le16(1, n->config + offsetof(struct virtio_net_config, max_virtqueue_pairs));
	if (c->mtu) {
		put_unaligned_le16(c->mtu, n->config + offsetof(struct virtio_net_config, mtu));
		features |= BIT_ULL(VIRTIO_NET_F_MTU);
	}
	if (!c->offloads)
		return features;
	for (i = 0; i < ARRAY_SIZE(rx_offloads); i++)
		features |= BIT_ULL(rx_offloads[i].feature);
	return features | BIT_ULL(VIRTIO_NET_F_CSUM) | BIT_ULL(VIRTIO_NET_F_HOST_TSO4) |
	       BIT_ULL(VIRTIO_NET_F_HOST_TSO6) | BIT_ULL(VIRTIO_NET_F_HOST_ECN);
}

static bool tap_will_do(const struct file *tap)
{
	fmode_t mode = FMODE_READ | FMODE_WRITE;

	return S_ISCHR(file_inode(tap)->i_mode) && (tap->f_mode & mode) == mode &&
	       tap->f_op->read_iter && tap->f_op->write_iter && tap->f_op->poll;
}

int pvm_virtio_net_new(const struct pvm_virtio_vm *vm, const struct pvm_virtio_net_config *c,
		       struct pvm_pci_fn **fn)
{
	struct tap_poll poll;
	struct nic *n;
	int err;

	if (!tap_will_do(c->tap))
		return -EINVAL;
	n = kvzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n)
		return -ENOMEM;
	n->work.ops = &net_work_ops;
	n->work.bytes = sizeof(*n) + NET_MAX_BYTES;
	n->mem = vm->mem;
	n->tap = get_file(c->tap);
	n->offloads = c->offloads;
	n->rx_buf = kvmalloc(NET_MAX_BYTES, GFP_KERNEL_ACCOUNT);
	err = -ENOMEM;
	if (!n->rx_buf)
		goto err_release;
	pvm_virtio_init(&n->work.virtio, &(struct pvm_virtio_init){
		.ops = &pvm_virtio_work_virtio_ops,
		.mem = { mem_ptr, n->mem },
		.id = PVM_VIRTIO_NET,
		.class = 0x020000,
		.features = fill_config(n, c),
		.queues = NET_QUEUES,
		.queue_size = NET_QUEUE_SIZE,
		.config = n->config,
		.config_bytes = sizeof(n->config),
	});
	err = pvm_virtio_work_start(&n->work, vm, "net");
	if (err)
		goto err_release;

	init_waitqueue_func_entry(&n->wait, tap_wake);
	poll.net = n;
	init_poll_funcptr(&poll.table, tap_queue);
	vfs_poll(n->tap, &poll.table);
	*fn = &n->work.virtio.fn;
	if (n->tap_wq)
		return 0;
	/* A file without a wait queue, or a tap without an interface. */
	pvm_virtio_free(*fn);
	return -EINVAL;

err_release:
	net_release(n);
	return err;
}
