// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio-pci transport, driven as a driver would and as one should not.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "pci_fixture.h"
#include "ring_driver.h"

#define QUEUES	3
#define SLOT	(5 << 3)

static struct pvm_virtio v;
static u32 kicks[QUEUES], stops, errors;
static const u8 config[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

static void on_kick(struct pvm_virtio *x, u32 queue)
{
	kicks[queue]++;
}

static void on_stop(struct pvm_virtio *x)
{
	stops++;
}

static void on_error(struct pvm_dev *dev, const char *what, u64 arg)
{
	errors++;
}

static const struct pvm_virtio_ops ops = { .kick = on_kick, .stop = on_stop };
static const struct pvm_dev_host dev_host = { .guest_error = on_error };

static u64 br(u64 off, u32 bytes)
{
	return pvm_virtio_dev_ops.read(&v.dev, 0, off, bytes);
}

static void bw(u64 off, u32 bytes, u64 val)
{
	pvm_virtio_dev_ops.write(&v.dev, 0, off, bytes, val);
}

static void start(void)
{
	fx_start();
	memset(ram, 0, sizeof(ram));
	memset(&v, 0, sizeof(v));
	memset(kicks, 0, sizeof(kicks));
	stops = errors = 0;
	pvm_virtio_init(&v, &(struct pvm_virtio_init){
		.ops = &ops, .mem = ram_mem, .id = PVM_VIRTIO_BLK, .class = 0x010000,
		.features = BIT_ULL(6), .queues = QUEUES, .queue_size = 256,
		.config = config, .config_bytes = sizeof(config),
	});
	v.dev.ops = &pvm_virtio_dev_ops;
	v.dev.host = &dev_host;
	pvm_pci_add(&fx.root, &v.fn, SLOT >> 3, 0);
	ecam_write(SLOT, 4, 2, 7);
}

static void queue(u32 i, u16 size)
{
	bw(0x16, 2, i);
	bw(0x18, 2, size);
	bw(0x20, 4, RAM_GPA + i * 0x8000);
	bw(0x24, 4, 0);
	bw(0x28, 8, RAM_GPA + i * 0x8000 + 0x2000);
	bw(0x30, 4, RAM_GPA + i * 0x8000 + 0x4000);
	bw(0x1c, 2, 1);
}

static void negotiate(void)
{
	bw(0x14, 1, 1);
	bw(0x14, 1, 3);
	bw(0x08, 4, 0);
	bw(0x0c, 4, BIT(28) | BIT(29));
	bw(0x08, 4, 1);
	bw(0x0c, 4, 1);
	bw(0x14, 1, 0xb);
}

static void drive(void)
{
	start();
	negotiate();
	queue(0, 128);
	queue(2, 256);
	bw(0x14, 1, 0xf);
}

/* Finds the nth vendor capability of a type. */
static u32 find(u8 type, u32 nth)
{
	u32 off, n = 0;

	for (off = ecam_read(SLOT, 0x34, 1); off && n < 64; off = ecam_read(SLOT, off + 1, 1), n++)
		if (ecam_read(SLOT, off, 1) == 9 && ecam_read(SLOT, off + 3, 1) == type && !nth--)
			return off;
	return 0;
}

static void capabilities(void)
{
	u32 i, cap;

	start();
	expect_eq(ecam_read(SLOT, 0, 4), 0x10421af4);
	expect_eq(ecam_read(SLOT, 8, 4), 0x01000001);
	for (i = 1; i <= 5; i++)
		expect_msg(find(i, 0), "type %u", i);
	/* drivers use the first notify capability: the ports */
	cap = find(2, 0);
	expect_eq(ecam_read(SLOT, cap + 4, 1), PVM_VIRTIO_BAR_IO);
	expect_eq(ecam_read(SLOT, cap + 16, 4), 4);
	cap = find(2, 1);
	expect_eq(ecam_read(SLOT, cap + 4, 1), PVM_VIRTIO_BAR_MEM);
	expect_eq(ecam_read(SLOT, cap + 8, 4), PVM_VIRTIO_NOTIFY);
	cap = find(4, 0);
	expect_eq(ecam_read(SLOT, cap + 12, 4), 12);
	expect(v.cfg.cap_next <= 256);
	expect(v.fn.msix.cap);
}

static void features(void)
{
	start();
	bw(0, 4, 0);
	expect_eq(br(4, 4), BIT(6) | BIT(28) | BIT(29));
	bw(0, 4, 1);
	expect_eq(br(4, 4), 1);
	bw(0, 4, 2);
	expect_eq(br(4, 4), 0);
	/* without VERSION_1, or with what was not offered: refused */
	bw(0x14, 1, 3);
	bw(0x14, 1, 0xb);
	expect_eq(br(0x14, 1), 3);
	bw(8, 4, 1);
	bw(0xc, 4, 3);
	bw(0x14, 1, 0xb);
	expect_eq(br(0x14, 1), 3);
	bw(0xc, 4, 1);
	bw(0x14, 1, 0xb);
	expect_eq(br(0x14, 1), 0xb);
	/* frozen now */
	bw(0xc, 4, 0);
	expect_eq(br(0xc, 4), 1);
	/* DRIVER_OK needs FEATURES_OK */
	start();
	bw(0x14, 1, 7);
	expect_eq(br(0x14, 1), 3);
	expect(!v.running);
}

static void common_config(void)
{
	start();
	expect_eq(br(0x12, 2), QUEUES);
	expect_eq(br(0x15, 1), 0);
	bw(0x16, 2, 1);
	expect_eq(br(0x18, 2), 256);
	expect_eq(br(0x1e, 2), 1);
	bw(0x18, 2, 100);
	expect_eq(br(0x18, 2), 256);
	bw(0x18, 2, 512);
	expect_eq(br(0x18, 2), 256);
	bw(0x18, 2, 64);
	expect_eq(br(0x18, 2), 64);
	bw(0x20, 8, 0x123456789abcull);
	expect_eq(br(0x20, 8), 0x123456789abcull);
	bw(0x24, 4, 1);
	expect_eq(br(0x20, 8), 0x156789abcull);
	expect_eq(br(0x16, 4), 64 << 16 | 1);
	bw(0x16, 2, QUEUES);
	expect_eq(br(0x18, 2), 0);
	bw(0x18, 2, 64);
	bw(0x1c, 2, 1);
	expect_eq(br(0x36, 8), 0);
	expect_eq(br(0x38, 8), 0);
	expect_eq(br(0x2000, 8), 0x0807060504030201ull);
	expect_eq(br(0x2008, 8), 0x0a09);
	expect_eq(br(0x200c, 4), 0);
	expect_eq(br(0x6000, 4), 0);
}

static void vectors(void)
{
	start();
	expect_eq(br(0x10, 2), 0xffff);
	bw(0x10, 2, QUEUES);
	expect_eq(br(0x10, 2), QUEUES);
	bw(0x10, 2, QUEUES + 1);
	expect_eq(br(0x10, 2), 0xffff);
	bw(0x1a, 2, 1);
	expect_eq(br(0x1a, 2), 1);
	bw(0x16, 2, 1);
	expect_eq(br(0x1a, 2), 0xffff);
}

static void starting(void)
{
	drive();
	expect(v.running);
	expect(v.queue[0].enabled && !v.queue[1].enabled && v.queue[2].enabled);
	expect(v.queue[0].ring.event_idx && v.queue[0].ring.indirect);
	expect_eq(v.queue[0].ring.size, 128);
	/* what was offered before DRIVER_OK is looked at */
	expect_eq(kicks[0], 1);
	expect_eq(kicks[1], 0);
	expect_eq(kicks[2], 1);
	/* an enabled queue does not change */
	bw(0x16, 2, 0);
	bw(0x18, 2, 8);
	bw(0x20, 4, 0);
	expect_eq(br(0x18, 2), 128);
	expect_eq(br(0x20, 4), RAM_GPA);
	expect_eq(br(0x1c, 2), 1);
}

static void kicking(void)
{
	drive();
	bw(PVM_VIRTIO_NOTIFY, 2, 0);
	expect_eq(kicks[0], 2);
	bw(PVM_VIRTIO_NOTIFY + 8, 2, 2);
	expect_eq(kicks[2], 2);
	bw(PVM_VIRTIO_NOTIFY + 4, 2, 1);
	bw(PVM_VIRTIO_NOTIFY + 0xffc, 4, 1);
	expect_eq(kicks[1], 0);
	pvm_virtio_dev_ops.write(&v.dev, PVM_VIRTIO_BAR_IO, 8, 2, 2);
	expect_eq(kicks[2], 3);
	pvm_virtio_dev_ops.write(&v.dev, PVM_VIRTIO_BAR_IO, 31, 1, 2);
	/* no DMA without bus mastering; heard when it is back */
	ecam_write(SLOT, 4, 2, 3);
	bw(PVM_VIRTIO_NOTIFY, 2, 0);
	expect_eq(kicks[0], 2);
	ecam_write(SLOT, 4, 2, 7);
	expect_eq(kicks[0], 3);
}

static void bad_queue(void)
{
	start();
	negotiate();
	bw(0x16, 2, 0);
	bw(0x20, 8, HOLE_GPA);
	bw(0x28, 8, RAM_GPA);
	bw(0x30, 8, RAM_GPA);
	bw(0x1c, 2, 1);
	expect_eq(br(0x1c, 2), 0);
	expect(br(0x14, 1) & PVM_VIRTIO_S_NEEDS_RESET);
	expect_eq(errors, 1);
	/* not before FEATURES_OK */
	start();
	queue(0, 128);
	expect_eq(br(0x1c, 2), 0);
}

static void interrupts(void)
{
	drive();
	/* INTx */
	pvm_virtio_interrupt(&v, 0);
	expect(fx.level);
	expect_eq(br(PVM_VIRTIO_ISR, 1), 1);
	expect(!fx.level);
	expect_eq(br(PVM_VIRTIO_ISR, 1), 0);
	pvm_virtio_broken(&v, 0);
	expect_eq(br(0x14, 1), 0x4f);
	expect_eq(br(PVM_VIRTIO_ISR, 1), 2);
	pvm_virtio_broken(&v, 0);
	expect_eq(br(PVM_VIRTIO_ISR, 1), 0);
	expect_eq(errors, 2);
	/* MSI-X */
	drive();
	bw(0x16, 2, 2);
	bw(0x1a, 2, 1);
	bw(PVM_VIRTIO_MSIX + 16, 8, 0xfee00000);
	bw(PVM_VIRTIO_MSIX + 24, 4, 0x55);
	bw(PVM_VIRTIO_MSIX + 28, 4, 0);
	ecam_write(SLOT, v.fn.msix.cap + 2, 2, 0x8000);
	pvm_virtio_interrupt(&v, 2);
	expect_eq(fx.msis, 1);
	expect_eq(fx.msi_data, 0x55);
	expect_eq(br(PVM_VIRTIO_ISR, 1), 0);
	pvm_virtio_interrupt(&v, 0);	/* no vector */
	expect_eq(fx.msis, 1);
	bw(PVM_VIRTIO_MSIX + 28, 4, 1);
	pvm_virtio_interrupt(&v, 2);
	expect_eq(br(PVM_VIRTIO_PBA, 8), 2);
	bw(PVM_VIRTIO_PBA, 8, 0);
	expect_eq(br(PVM_VIRTIO_PBA, 8), 2);
}

static void driver_reset(void)
{
	/* before anything ran: at once */
	start();
	negotiate();
	bw(0x14, 1, 0);
	expect_eq(br(0x14, 1), 0);
	expect_eq(stops, 0);
	/* running: when the device says so */
	drive();
	pvm_virtio_interrupt(&v, 0);
	bw(0x14, 1, 0);
	expect_eq(stops, 1);
	expect(!v.running);
	expect_eq(br(0x14, 1), 0xf);
	bw(0x14, 1, 0);
	bw(0x14, 1, 0xf);
	bw(0x1c, 2, 1);
	expect_eq(stops, 1);
	expect(!v.running);
	kicks[0] = 0;
	bw(PVM_VIRTIO_NOTIFY, 2, 0);
	expect_eq(kicks[0], 0);
	pvm_virtio_stopped(&v);
	expect_eq(br(0x14, 1), 0);
	expect(!fx.level);
	expect(!v.queue[0].enabled);
	expect_eq(v.queue[0].ring.size, 0);
	bw(0x16, 2, 0);
	expect_eq(br(0x18, 2), 256);
	expect_eq(br(0x20, 8), 0);
	pvm_virtio_stopped(&v);
	/* and again */
	negotiate();
	queue(0, 64);
	bw(0x14, 1, 0xf);
	expect(v.running);
}

static void platform_reset(void)
{
	drive();
	pvm_pci_root_ops.reset(&fx.root.dev);
	expect(!v.running);
	expect_eq(br(0x14, 1), 0);
	expect_eq(ecam_read(SLOT, 4, 2), 0);
	expect_eq(stops, 0);
}

static void config_window(void)
{
	u32 cap;

	start();
	cap = find(5, 0);
	ecam_write(SLOT, cap + 4, 1, 0);
	ecam_write(SLOT, cap + 8, 4, 0x12);
	ecam_write(SLOT, cap + 12, 4, 2);
	expect_eq(ecam_read(SLOT, cap + 16, 2), QUEUES);
	ecam_write(SLOT, cap + 8, 4, 0x16);
	ecam_write(SLOT, cap + 16, 2, 2);
	expect_eq(br(0x16, 2), 2);
	/* what is no access does nothing */
	ecam_write(SLOT, cap + 8, 4, 0x15);
	ecam_write(SLOT, cap + 16, 2, 1);
	ecam_write(SLOT, cap + 12, 4, 3);
	ecam_write(SLOT, cap + 16, 2, 1);
	ecam_write(SLOT, cap + 12, 4, 4);
	ecam_write(SLOT, cap + 8, 4, 0xfffffffc);
	ecam_write(SLOT, cap + 16, 4, 1);
	ecam_write(SLOT, cap + 8, 4, 0);
	ecam_write(SLOT, cap + 4, 1, 5);
	ecam_read(SLOT, cap + 16, 4);
	expect_eq(br(0x16, 2), 2);
	pvm_pci_root_ops.reset(&fx.root.dev);
	expect_eq(ecam_read(SLOT, cap + 8, 4), 0);
	expect_eq(fx.locked, 0);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(capabilities),
	KTAP_TEST(features),
	KTAP_TEST(common_config),
	KTAP_TEST(vectors),
	KTAP_TEST(starting),
	KTAP_TEST(kicking),
	KTAP_TEST(bad_queue),
	KTAP_TEST(interrupts),
	KTAP_TEST(driver_reset),
	KTAP_TEST(platform_reset),
	KTAP_TEST(config_window),
};

KTAP_MAIN(tests)
