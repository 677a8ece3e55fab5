// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space and BARs of a whole root, under any sequence of accesses.
 *
 * On the root: the fixture's function with MSI, MSI-X, PM and Express, and a
 * virtio function. Checked: values fit their access, locks pair, read-only
 * identity stays, mapped BARs never overlap nor lie where they must not, moves
 * come to an end, reset is the same as new.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include <stdlib.h>
#include "pci_fixture.h"
#include "ring_driver.h"

#define QUEUES		2
#define VIRTIO_SLOT	5

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct pvm_virtio v;
static const u8 config[24];
static u64 mapped_gpa[2][PVM_PCI_BARS];	/* as the host sees it */
static u64 ecam_gpa;
static bool stop_later;

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void on_kick(struct pvm_virtio *x, u32 queue)
{
	check(queue < QUEUES && x->running && x->queue[queue].enabled);
}

static void on_stop(struct pvm_virtio *x)
{
	check(!x->running);
	if (!stop_later)
		pvm_virtio_stopped(x);
}

static const struct pvm_virtio_ops virtio_ops = { .kick = on_kick, .stop = on_stop };
static const struct pvm_dev_host dev_host;

static void start(void)
{
	static bool pieces_made;

	fx_start();
	fx_msix();
	pvm_pci_msi_init(&fx.fn, 8, true, true);
	pvm_pci_cap_pm(&fx.fn);
	pvm_pci_cap_express(&fx.fn);
	memset(&v, 0, sizeof(v));
	pvm_virtio_init(&v, &(struct pvm_virtio_init){
		.ops = &virtio_ops, .mem = ram_mem, .id = PVM_VIRTIO_BLK, .class = 0x010000,
		.queues = QUEUES, .queue_size = 64, .config = config,
		.config_bytes = sizeof(config),
	});
	v.dev.ops = &pvm_virtio_dev_ops;
	v.dev.host = &dev_host;
	pvm_pci_add(&fx.root, &v.fn, VIRTIO_SLOT, 0);
	if (!pieces_made)
		memset(ram, 0, sizeof(ram));
	pieces_made = true;
	memset(mapped_gpa, 0xff, sizeof(mapped_gpa));
	ecam_gpa = PVM_NO_ADDR;
	stop_later = false;
}

static bool overlap(u64 a, u64 a_bytes, u64 b, u64 b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

/* The host's own bookkeeping refuses what the contract rules out. */
static void map(const struct pvm_pci_move *m)
{
	static const struct pvm_pci_fn *const fns[2] = { &fx.fn, &v.fn };
	u32 f, i;

	if (!m->map)
		return;
	check(m->bytes && m->gpa + m->bytes > m->gpa && IS_ALIGNED(m->gpa, m->bytes));
	check(m->io ? m->gpa + m->bytes <= 0x10000 :
		      !overlap(m->gpa, m->bytes, 0xfec00000, 0x1400000));
	for (f = 0; f < 2; f++)
		for (i = 0; i < PVM_PCI_BARS; i++)
			check(mapped_gpa[f][i] == PVM_NO_ADDR ||
			      m->io != !!(fns[f]->bar[i].flags & PVM_PCI_BAR_IO) ||
			      !overlap(m->gpa, m->bytes, mapped_gpa[f][i], fns[f]->bar[i].bytes));
	check(ecam_gpa == PVM_NO_ADDR || m->io ||
	      !overlap(m->gpa, m->bytes, ecam_gpa, PVM_PCI_ECAM_BYTES));
}

static void run_moves(bool refuse)
{
	struct pvm_pci_move m;
	u32 n = 0;

	while (pvm_pci_next_move(&fx.root, &m)) {
		u64 *at = !m.fn ? &ecam_gpa : &mapped_gpa[m.fn == &v.fn][m.bar];

		check(++n < 64);
		check(m.map ? *at == PVM_NO_ADDR : *at == m.gpa);
		map(&m);
		if (m.map && refuse) {
			pvm_pci_move_failed(&fx.root, &m);
			refuse = false;
			continue;
		}
		*at = m.map ? m.gpa : PVM_NO_ADDR;
	}
}

static void check_identity(void)
{
	check(ecam_read(0, 0, 4) == 0x29c08086);
	check(rd(0, 4) == 0x56781234);
	check(ecam_read(VIRTIO_SLOT << 3, 0, 4) == 0x10421af4);
	check(fx.locked == 0);
}

static void check_reset(void)
{
	u32 i;

	if (v.running)
		pvm_pci_root_ops.reset(&fx.root.dev);
	pvm_pci_root_ops.reset(&fx.root.dev);
	run_moves(false);
	for (i = 0; i < PVM_PCI_BARS; i++)
		check(mapped_gpa[0][i] == PVM_NO_ADDR && mapped_gpa[1][i] == PVM_NO_ADDR);
	check(ecam_gpa == PVM_NO_ADDR && !fx.level && !v.running && !v.status);
	check(!memcmp(fx.cfg.byte, fx.cfg.power_on, 256));
	check(!memcmp(v.cfg.byte, v.cfg.power_on, 256));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static const u32 slots[8] = { 0, 31 << 3, FIXTURE_SLOT << 3, FIXTURE_SLOT << 3,
				      VIRTIO_SLOT << 3, VIRTIO_SLOT << 3, 9 << 3, 0xff };
	static const u32 widths[4] = { 1, 2, 4, 8 };

	start();
	for (; bytes >= 16; data += 16, bytes -= 16) {
		u32 bdf = slots[data[1] & 7], width = widths[data[1] >> 3 & 3];
		u32 off = get_unaligned_le16(data + 2);
		u64 val = get_unaligned_le64(data + 4), got;

		/* Mostly the first 256 bytes, where things are. */
		off = (off & 0x8000 ? off & 0xfff : off & 0xff) & ~(width - 1);
		switch (data[0] & 15) {
		case 0 ... 4:
			ecam_write(bdf, off, width, val & pvm_bytes_mask(width));
			break;
		case 5:
			got = ecam_read(bdf, off, width);
			check(!(got & ~pvm_bytes_mask(width)));
			break;
		case 6:
			port_write(0xcf8 + (off & 7 & ~(min(width, 4u) - 1)), min(width, 4u),
				   val & pvm_bytes_mask(min(width, 4u)));
			break;
		case 7:
			port_write(0xcf8, 4, 0x80000000 | bdf << 8 | (off & 0xfc));
			got = port_read(0xcfc, min(width, 4u));
			check(!(got & ~pvm_bytes_mask(min(width, 4u))));
			break;
		case 8 ... 10:
			pvm_virtio_dev_ops.write(&v.dev, 0,
						 get_unaligned_le16(data + 12) % 0x6000 &
							 ~(width - 1),
						 width, val & pvm_bytes_mask(width));
			break;
		case 11:
			got = pvm_virtio_dev_ops.read(&v.dev, 0, get_unaligned_le16(data + 12) &
						      0x7fff & ~(width - 1), width);
			check(!(got & ~pvm_bytes_mask(width)));
			break;
		case 12:
			pvm_pci_msix_table_write(&fx.fn, off, width, val);
			pvm_pci_msix_fire(&fx.fn, data[12]);
			pvm_pci_msi_fire(&fx.fn, data[13]);
			break;
		case 13:
			pvm_pci_intx(&fx.fn, data[12] & 1);
			if (v.running)
				pvm_virtio_interrupt(&v, data[13] % QUEUES);
			stop_later = data[12] & 2;
			if (!stop_later)
				pvm_virtio_stopped(&v);
			break;
		default:
			run_moves(data[12] & 1);
		}
	}
	run_moves(false);
	check_identity();
	check_reset();
	return 0;
}
