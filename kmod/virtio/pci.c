// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio-pci transport, without its legacy half.
 *
 * BAR 0 holds the five structures and the MSI-X table, BAR 2 a port per queue
 * for notifying: a port write leaves the guest without an instruction to decode.
 * That notify capability comes first in the list, as drivers take the first they
 * can use. A reset by the driver ends when the device's workers have let go of
 * guest memory (struct pvm_virtio_ops); until then the status reads as before.
 *
 * World:   pure
 * Context: device's lock held
 * Spec:    VIRTIO r1.2, sec 4.1 "Virtio Over PCI Bus"
 */
#include <pvm/env.h>
#include "virtio/virtio.h"

#define PCI_VENDOR_VIRTIO	0x1af4
#define PCI_DEVICE_MODERN	0x1040
#define ISR_QUEUE		1
#define ISR_CONFIG		2
#define STATUS_ALL		(PVM_VIRTIO_S_ACKNOWLEDGE | PVM_VIRTIO_S_DRIVER | \
				 PVM_VIRTIO_S_DRIVER_OK | PVM_VIRTIO_S_FEATURES_OK | \
				 PVM_VIRTIO_S_FAILED)

/* VIRTIO r1.2, sec 4.1.4 "Virtio Structure PCI Capabilities" */
enum cap_type {
	CAP_COMMON	= 1,
	CAP_NOTIFY	= 2,
	CAP_ISR		= 3,
	CAP_DEVICE	= 4,
	CAP_PCI		= 5,
};

enum cap_layout {
	CAP_LEN		= 2,
	CAP_TYPE	= 3,
	CAP_BAR		= 4,
	CAP_OFFSET	= 8,
	CAP_LENGTH	= 12,
	CAP_EXTRA	= 16,	/* notify: multiplier; pci: data */
	CAP_BYTES	= 16,
};

/* VIRTIO r1.2, sec 4.1.4.3 "Common configuration structure layout" */
enum common_reg {
	REG_DEVICE_FEATURE_SELECT	= 0x00,
	REG_DEVICE_FEATURE		= 0x04,
	REG_DRIVER_FEATURE_SELECT	= 0x08,
	REG_DRIVER_FEATURE		= 0x0c,
	REG_CONFIG_VECTOR		= 0x10,
	REG_NUM_QUEUES			= 0x12,
	REG_STATUS			= 0x14,
	REG_GENERATION			= 0x15,
	REG_QUEUE_SELECT		= 0x16,
	REG_QUEUE_SIZE			= 0x18,
	REG_QUEUE_VECTOR		= 0x1a,
	REG_QUEUE_ENABLE		= 0x1c,
	REG_QUEUE_NOTIFY_OFF		= 0x1e,
	REG_QUEUE_DESC			= 0x20,
	REG_QUEUE_DRIVER		= 0x28,
	REG_QUEUE_DEVICE		= 0x30,
	COMMON_BYTES			= 0x38,
};

static struct pvm_virtio *of_fn(struct pvm_pci_fn *fn)
{
	return container_of(fn, struct pvm_virtio, fn);
}

/* --- interrupts ----------------------------------------------------------------- */

static void raise(struct pvm_virtio *v, u16 vector, u8 isr)
{
	if (pvm_pci_msix_enabled(&v->fn)) {
		if (vector != PVM_VIRTIO_NO_VECTOR)
			pvm_pci_msix_fire(&v->fn, vector);
		return;
	}
	v->isr |= isr;
	pvm_pci_intx(&v->fn, true);
}

void pvm_virtio_interrupt(struct pvm_virtio *v, u32 queue)
{
	raise(v, v->queue[queue].vector, ISR_QUEUE);
}

void pvm_virtio_broken(struct pvm_virtio *v, u32 queue)
{
	if (v->dev.host && v->dev.host->guest_error)
		v->dev.host->guest_error(&v->dev, "virtio ring", queue);
	if (!(v->status & PVM_VIRTIO_S_DRIVER_OK) || (v->status & PVM_VIRTIO_S_NEEDS_RESET))
		return;
	v->status |= PVM_VIRTIO_S_NEEDS_RESET;
	raise(v, v->config_vector, ISR_CONFIG);
}

/* --- life of the device ----------------------------------------------------------- */

static void clear(struct pvm_virtio *v)
{
	u32 i;

	WRITE_ONCE(v->running, false);
	v->stopping = false;
	v->features = 0;
	v->feature_select = 0;
	v->driver_feature_select = 0;
	v->queue_select = 0;
	v->config_vector = PVM_VIRTIO_NO_VECTOR;
	v->status = 0;
	v->isr = 0;
	for (i = 0; i < v->queues; i++) {
		struct pvm_virtio_queue *q = &v->queue[i];

		*q = (struct pvm_virtio_queue){
			.max_size = q->max_size,
			.size = q->max_size,
			.vector = PVM_VIRTIO_NO_VECTOR,
		};
	}
}

void pvm_virtio_stopped(struct pvm_virtio *v)
{
	if (!v->stopping)
		return;
	clear(v);
	pvm_pci_intx(&v->fn, false);
}

static void driver_reset(struct pvm_virtio *v)
{
	if (v->stopping)
		return;
	v->stopping = true;
	if (!v->running) {
		pvm_virtio_stopped(v);
		return;
	}
	WRITE_ONCE(v->running, false);
	v->ops->stop(v);
}

static bool can_dma(const struct pvm_virtio *v)
{
	return v->running && (pvm_pci_command(&v->fn) & PVM_PCI_COMMAND_MASTER);
}

static void kick(struct pvm_virtio *v, u32 queue)
{
	if (queue < v->queues && v->queue[queue].enabled && can_dma(v))
		v->ops->kick(v, queue);
}

static void kick_all(struct pvm_virtio *v)
{
	u32 i;

	for (i = 0; i < v->queues; i++)
		kick(v, i);
}

static void status_write(struct pvm_virtio *v, u8 val)
{
	u8 now = val & STATUS_ALL;

	if (!val) {
		driver_reset(v);
		return;
	}
	if (v->stopping)
		return;
	/* Bits are only ever added; refusing FEATURES_OK is how a device declines. */
	now |= v->status;
	if ((now & PVM_VIRTIO_S_FEATURES_OK) && !(v->status & PVM_VIRTIO_S_FEATURES_OK) &&
	    (v->features & ~v->device_features || !pvm_virtio_has(v, PVM_VIRTIO_F_VERSION_1)))
		now &= ~PVM_VIRTIO_S_FEATURES_OK;
	if (!(now & PVM_VIRTIO_S_FEATURES_OK))
		now &= ~PVM_VIRTIO_S_DRIVER_OK;
	v->status = now;
	if ((now & PVM_VIRTIO_S_DRIVER_OK) && !v->running) {
		/* Rings before running; pairs with the acquire in the worker's entry. */
		smp_store_release(&v->running, true);
		kick_all(v);
	}
}

static void queue_enable(struct pvm_virtio *v, struct pvm_virtio_queue *q)
{
	if (q->enabled || !(v->status & PVM_VIRTIO_S_FEATURES_OK) || v->stopping)
		return;
	if (pvm_ring_start(&q->ring, &v->mem, q->size, q->desc_gpa, q->driver_gpa,
			   q->device_gpa)) {
		v->status |= PVM_VIRTIO_S_NEEDS_RESET;
		if (v->dev.host && v->dev.host->guest_error)
			v->dev.host->guest_error(&v->dev, "virtio queue address", q->desc_gpa);
		return;
	}
	q->ring.event_idx = pvm_virtio_has(v, PVM_VIRTIO_F_EVENT_IDX);
	q->ring.indirect = pvm_virtio_has(v, PVM_VIRTIO_F_INDIRECT_DESC);
	/* After DRIVER_OK, which no sane driver does, its worker may look at any moment. */
	smp_store_release(&q->enabled, true);
}

/* --- common configuration ---------------------------------------------------------- */

static struct pvm_virtio_queue *selected(struct pvm_virtio *v)
{
	return v->queue_select < v->queues ? &v->queue[v->queue_select] : NULL;
}

static u32 feature_half(u64 features, u32 select)
{
	return select < 2 ? features >> (select * 32) : 0;
}

/* The structure as bytes: drivers read it rarely, and in any width. */
static u64 common_read(struct pvm_virtio *v, u32 off, u32 bytes)
{
	const struct pvm_virtio_queue *q = selected(v);
	u8 b[COMMON_BYTES + 8] = { 0 };

	if (off >= COMMON_BYTES)
		return 0;
	put_unaligned_le32(v->feature_select, b + REG_DEVICE_FEATURE_SELECT);
	put_unaligned_le32(feature_half(v->device_features, v->feature_select),
			   b + REG_DEVICE_FEATURE);
	put_unaligned_le32(v->driver_feature_select, b + REG_DRIVER_FEATURE_SELECT);
	put_unaligned_le32(feature_half(v->features, v->driver_feature_select),
			   b + REG_DRIVER_FEATURE);
	put_unaligned_le16(v->config_vector, b + REG_CONFIG_VECTOR);
	put_unaligned_le16(v->queues, b + REG_NUM_QUEUES);
	b[REG_STATUS] = v->status;
	put_unaligned_le16(v->queue_select, b + REG_QUEUE_SELECT);
	if (q) {
		put_unaligned_le16(q->size, b + REG_QUEUE_SIZE);
		put_unaligned_le16(q->vector, b + REG_QUEUE_VECTOR);
		put_unaligned_le16(q->enabled, b + REG_QUEUE_ENABLE);
		put_unaligned_le16(q - v->queue, b + REG_QUEUE_NOTIFY_OFF);
		put_unaligned_le64(q->desc_gpa, b + REG_QUEUE_DESC);
		put_unaligned_le64(q->driver_gpa, b + REG_QUEUE_DRIVER);
		put_unaligned_le64(q->device_gpa, b + REG_QUEUE_DEVICE);
	}
	return get_unaligned_le64(b + off) & pvm_bytes_mask(bytes);
}

/* A vector that the table lacks reads back as none: that is how the driver learns. */
static u16 vector_or_none(const struct pvm_virtio *v, u16 vector)
{
	return vector < v->fn.msix.vectors ? vector : PVM_VIRTIO_NO_VECTOR;
}

static void driver_feature(struct pvm_virtio *v, u32 val)
{
	u32 shift = v->driver_feature_select * 32;

	if (v->driver_feature_select > 1 || (v->status & PVM_VIRTIO_S_FEATURES_OK))
		return;
	v->features = (v->features & ~(0xffffffffull << shift)) | (u64)val << shift;
}

/* Half (4 bytes) or all of a 64-bit address. */
static void write_gpa(u64 *gpa, u32 off, u32 bytes, u64 val)
{
	if (bytes == 8)
		*gpa = val;
	else if (off & 4)
		*gpa = (*gpa & 0xffffffffull) | val << 32;
	else
		*gpa = (*gpa & ~0xffffffffull) | (u32)val;
}

static void queue_write(struct pvm_virtio *v, u32 off, u32 bytes, u64 val)
{
	struct pvm_virtio_queue *q = selected(v);

	if (!q)
		return;
	if (off == REG_QUEUE_VECTOR && bytes == 2)
		q->vector = vector_or_none(v, val);
	if (q->enabled)
		return;
	if (off == REG_QUEUE_SIZE && bytes == 2 && is_power_of_2(val) && val <= q->max_size)
		q->size = val;
	else if (off == REG_QUEUE_ENABLE && bytes == 2 && val == 1)
		queue_enable(v, q);
	else if (off >= REG_QUEUE_DESC && bytes >= 4 && !(off & (bytes - 1)))
		write_gpa(off < REG_QUEUE_DRIVER ? &q->desc_gpa :
			  off < REG_QUEUE_DEVICE ? &q->driver_gpa : &q->device_gpa,
			  off, bytes, val);
}

static void common_write(struct pvm_virtio *v, u32 off, u32 bytes, u64 val)
{
	if (off >= COMMON_BYTES)
		return;
	/* Of a device in reset only the status counts. */
	if (off == REG_STATUS && bytes == 1)
		status_write(v, val);
	else if (v->stopping)
		return;
	else if (off == REG_DEVICE_FEATURE_SELECT && bytes == 4)
		v->feature_select = val;
	else if (off == REG_DRIVER_FEATURE_SELECT && bytes == 4)
		v->driver_feature_select = val;
	else if (off == REG_DRIVER_FEATURE && bytes == 4)
		driver_feature(v, val);
	else if (off == REG_CONFIG_VECTOR && bytes == 2)
		v->config_vector = vector_or_none(v, val);
	else if (off == REG_QUEUE_SELECT && bytes == 2)
		v->queue_select = val;
	else if (off >= REG_QUEUE_SIZE)
		queue_write(v, off, bytes, val);
}

/* --- the BARs ------------------------------------------------------------------------ */

static u64 isr_read(struct pvm_virtio *v)
{
	u8 isr = v->isr;

	v->isr = 0;
	pvm_pci_intx(&v->fn, false);
	return isr;
}

static u64 config_read(const struct pvm_virtio *v, u32 off, u32 bytes)
{
	u64 val = 0;

	if (off < v->config_bytes)
		memcpy(&val, v->config + off, min_t(u32, bytes, v->config_bytes - off));
	return val;
}

static u64 mem_read(struct pvm_virtio *v, u64 off, u32 bytes)
{
	u32 in = off & 0xfff;

	switch (off & ~0xfffull) {
	case PVM_VIRTIO_COMMON:
		return common_read(v, in, bytes);
	case PVM_VIRTIO_ISR:
		return in ? 0 : isr_read(v);
	case PVM_VIRTIO_DEVICE:
		return config_read(v, in, bytes);
	case PVM_VIRTIO_MSIX:
		return pvm_pci_msix_table_read(&v->fn, in, bytes);
	case PVM_VIRTIO_PBA:
		return pvm_pci_msix_pba_read(&v->fn, in, bytes);
	}
	return 0;
}

static void mem_write(struct pvm_virtio *v, u64 off, u32 bytes, u64 val)
{
	u32 in = off & 0xfff;

	switch (off & ~0xfffull) {
	case PVM_VIRTIO_COMMON:
		common_write(v, in, bytes, val);
		break;
	case PVM_VIRTIO_NOTIFY:
		kick(v, in / PVM_VIRTIO_NOTIFY_STEP);
		break;
	case PVM_VIRTIO_MSIX:
		pvm_pci_msix_table_write(&v->fn, in, bytes, val);
		break;
	}
}

static u64 dev_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	struct pvm_virtio *v = container_of(d, struct pvm_virtio, dev);

	return region == PVM_VIRTIO_BAR_MEM ? mem_read(v, off, bytes) : 0;
}

static void dev_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	struct pvm_virtio *v = container_of(d, struct pvm_virtio, dev);

	if (region == PVM_VIRTIO_BAR_IO)
		kick(v, off / PVM_VIRTIO_NOTIFY_STEP);
	else if (region == PVM_VIRTIO_BAR_MEM)
		mem_write(v, off, bytes, val);
}

static void dev_reset(struct pvm_dev *d)
{
	struct pvm_virtio *v = container_of(d, struct pvm_virtio, dev);

	clear(v);
	pvm_pci_cfg_reset(&v->fn);
}

const struct pvm_dev_ops pvm_virtio_dev_ops = {
	.name = "virtio",
	.reset = dev_reset,
	.read = dev_read,
	.write = dev_write,
};

/* --- configuration space --------------------------------------------------------------- */

/*
 * VIRTIO r1.2, sec 4.1.4.9: a window into the BARs for code that cannot map them.
 * False: what the capability selects is no valid access.
 */
static bool window(const struct pvm_virtio *v, u32 *bar, u32 *off, u32 *bytes)
{
	const struct pvm_pci_cfg *c = v->fn.cfg;

	*bar = pvm_pci_cfg_get(c, v->pci_cfg_cap + CAP_BAR, 1);
	*off = pvm_pci_cfg_get(c, v->pci_cfg_cap + CAP_OFFSET, 4);
	*bytes = pvm_pci_cfg_get(c, v->pci_cfg_cap + CAP_LENGTH, 4);
	return (*bytes == 1 || *bytes == 2 || *bytes == 4) && !(*off & (*bytes - 1)) &&
	       (*bar == PVM_VIRTIO_BAR_MEM || *bar == PVM_VIRTIO_BAR_IO) &&
	       *off < v->fn.bar[*bar].bytes;
}

static bool is_window_data(const struct pvm_virtio *v, u32 off)
{
	return (off & ~3u) == v->pci_cfg_cap + CAP_EXTRA;
}

static u32 fn_cfg_read(struct pvm_pci_fn *fn, u32 off, u32 bytes)
{
	struct pvm_virtio *v = of_fn(fn);
	u32 bar, at, count;

	if (is_window_data(v, off) && window(v, &bar, &at, &count))
		put_unaligned_le32(dev_read(&v->dev, bar, at, count),
				   &fn->cfg->byte[v->pci_cfg_cap + CAP_EXTRA]);
	return pvm_pci_cfg_read(fn, off, bytes);
}

static void fn_cfg_write(struct pvm_pci_fn *fn, u32 off, u32 bytes, u32 val)
{
	struct pvm_virtio *v = of_fn(fn);
	bool could_dma = can_dma(v);
	u32 bar, at, count;

	pvm_pci_cfg_write(fn, off, bytes, val);
	if (is_window_data(v, off) && window(v, &bar, &at, &count))
		dev_write(&v->dev, bar, at, count,
			  pvm_pci_cfg_get(fn->cfg, v->pci_cfg_cap + CAP_EXTRA, count));
	/* Notifications that came while bus mastering was off were not heard. */
	if (!could_dma && can_dma(v))
		kick_all(v);
}

static void fn_reset(struct pvm_pci_fn *fn)
{
	clear(of_fn(fn));
}

static const struct pvm_pci_fn_ops virtio_fn_ops = {
	.cfg_read = fn_cfg_read,
	.cfg_write = fn_cfg_write,
	.reset = fn_reset,
};

static u32 add_cap(struct pvm_virtio *v, u8 type, u8 bar, u32 offset, u32 length, bool extra)
{
	u32 bytes = CAP_BYTES + (extra ? 4 : 0);
	u32 cap = pvm_pci_cap_add(&v->fn, PVM_PCI_CAP_VENDOR, bytes);

	pvm_pci_cfg_set(&v->cfg, cap + CAP_LEN, 1, bytes);
	pvm_pci_cfg_set(&v->cfg, cap + CAP_TYPE, 1, type);
	pvm_pci_cfg_set(&v->cfg, cap + CAP_BAR, 1, bar);
	pvm_pci_cfg_set(&v->cfg, cap + CAP_OFFSET, 4, offset);
	pvm_pci_cfg_set(&v->cfg, cap + CAP_LENGTH, 4, length);
	return cap;
}

/* All capabilities together take 120 bytes of the 192 there are. */
static void add_caps(struct pvm_virtio *v)
{
	u32 cap;

	pvm_pci_msix_init(&v->fn, &(struct pvm_pci_msix){
		.table_bar = PVM_VIRTIO_BAR_MEM,
		.pba_bar = PVM_VIRTIO_BAR_MEM,
		.table_off = PVM_VIRTIO_MSIX,
		.pba_off = PVM_VIRTIO_PBA,
		.vectors = v->queues + 1,
		.table = v->table,
		.pending = v->pending,
	});
	cap = add_cap(v, CAP_NOTIFY, PVM_VIRTIO_BAR_IO, 0, PVM_VIRTIO_IO_BYTES, true);
	pvm_pci_cfg_set(&v->cfg, cap + CAP_EXTRA, 4, PVM_VIRTIO_NOTIFY_STEP);
	add_cap(v, CAP_COMMON, PVM_VIRTIO_BAR_MEM, PVM_VIRTIO_COMMON, COMMON_BYTES, false);
	add_cap(v, CAP_ISR, PVM_VIRTIO_BAR_MEM, PVM_VIRTIO_ISR, 1, false);
	if (v->config_bytes)
		add_cap(v, CAP_DEVICE, PVM_VIRTIO_BAR_MEM, PVM_VIRTIO_DEVICE,
			ALIGN(v->config_bytes, 4), false);
	cap = add_cap(v, CAP_NOTIFY, PVM_VIRTIO_BAR_MEM, PVM_VIRTIO_NOTIFY,
		      PVM_VIRTIO_IO_BYTES, true);
	pvm_pci_cfg_set(&v->cfg, cap + CAP_EXTRA, 4, PVM_VIRTIO_NOTIFY_STEP);

	cap = add_cap(v, CAP_PCI, 0, 0, 0, true);
	pvm_pci_cfg_mask(&v->cfg, cap + CAP_BAR, 1, 0xff, 0);
	pvm_pci_cfg_mask(&v->cfg, cap + CAP_OFFSET, 4, ~0u, 0);
	pvm_pci_cfg_mask(&v->cfg, cap + CAP_LENGTH, 4, ~0u, 0);
	pvm_pci_cfg_mask(&v->cfg, cap + CAP_EXTRA, 4, ~0u, 0);
	v->pci_cfg_cap = cap;
}

void pvm_virtio_init(struct pvm_virtio *v, const struct pvm_virtio_init *init)
{
	struct pvm_pci_ids ids = {
		.vendor = PCI_VENDOR_VIRTIO,
		.device = PCI_DEVICE_MODERN + init->id,
		.subsystem_vendor = PCI_VENDOR_VIRTIO,
		.subsystem = 0x1100,
		.class = init->class,
		.revision = 1,
		.pin = 1,
	};
	u32 i;

	v->ops = init->ops;
	v->mem = init->mem;
	v->device_features = init->features | BIT_ULL(PVM_VIRTIO_F_VERSION_1) |
			     BIT_ULL(PVM_VIRTIO_F_EVENT_IDX) |
			     BIT_ULL(PVM_VIRTIO_F_INDIRECT_DESC);
	v->queues = init->queues;
	v->config = init->config;
	v->config_bytes = init->config_bytes;
	for (i = 0; i < v->queues; i++)
		v->queue[i].max_size = init->queue_size;

	v->fn.ops = &virtio_fn_ops;
	v->fn.dev = &v->dev;
	v->fn.owner = v;
	pvm_pci_fn_init(&v->fn, &v->cfg, &ids);
	pvm_pci_bar_init(&v->fn, PVM_VIRTIO_BAR_MEM, PVM_VIRTIO_MEM_BYTES, PVM_PCI_BAR_64);
	pvm_pci_bar_init(&v->fn, PVM_VIRTIO_BAR_IO, PVM_VIRTIO_IO_BYTES, PVM_PCI_BAR_IO);
	add_caps(v);
	clear(v);
}
