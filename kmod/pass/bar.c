// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs of a real function in the guest's map.
 *
 * A memory BAR is mapped with the largest pages that its alignment allows. The
 * pages that hold the MSI-X table and the pending bits are holes in it: accesses
 * there are trapped, those to the table go to the virtual one, the others in
 * the same pages to the device. BARs smaller than a page, whose page belongs to
 * other devices as well, and port BARs are trapped altogether. The ROM BAR shows
 * the copy made at claim time.
 *
 * World:   kernel
 * Context: bar_changed(): process, may sleep, no vCPU in the guest;
 *          the trapped accesses: fn's lock held, IRQs off
 * Spec:    PCIe r6.0, sec 7.5.1.2.1 "Base Address Registers"; PCIe r6.0, sec 7.7.2
 */
#include <linux/io.h>
#include "pass/internal.h"

#define ROM_MIN_BYTES	2048

/* The part of a BAR that a region of our struct pvm_dev stands for. */
#define REGION(bar, hole)	((bar) * PVM_PASS_BAR_HOLES + (hole))

/* --- what there is ---------------------------------------------------------- */

static u32 bar_kind(struct pvm_pass *p, u32 i)
{
	unsigned long flags = pci_resource_flags(p->pdev, i);
	u64 start = pci_resource_start(p->pdev, i), bytes = pci_resource_len(p->pdev, i);

	if (!bytes || !is_power_of_2(bytes) || (flags & (IORESOURCE_UNSET | IORESOURCE_DISABLED)))
		return PVM_PASS_BAR_NONE;
	if (flags & IORESOURCE_IO)
		return start && bytes <= 256 ? PVM_PASS_BAR_PORT : PVM_PASS_BAR_NONE;
	if (!(flags & IORESOURCE_MEM) || !start || bytes < 16)
		return PVM_PASS_BAR_NONE;
	return IS_ALIGNED(start, PAGE_SIZE) && bytes >= PAGE_SIZE ? PVM_PASS_BAR_MAP :
								    PVM_PASS_BAR_TRAP;
}

void pvm_pass_bar_shape(struct pvm_pass *p, struct pvm_pass_shape *shape)
{
	u32 i;

	memset(p->bar, 0, sizeof(p->bar));
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		struct pvm_pass_bar *b = &p->bar[i];
		unsigned long flags = pci_resource_flags(p->pdev, i);

		b->gpa = PVM_NO_ADDR;
		b->kind = bar_kind(p, i);
		if (b->kind == PVM_PASS_BAR_NONE)
			continue;
		b->bytes = pci_resource_len(p->pdev, i);
		b->hpa = pci_resource_start(p->pdev, i);
		shape->bar[i].bytes = b->bytes;
		shape->bar[i].flags =
			(flags & IORESOURCE_IO ? PVM_PCI_BAR_IO : 0) |
			(flags & IORESOURCE_MEM_64 ? PVM_PCI_BAR_64 : 0) |
			(flags & IORESOURCE_MEM && flags & IORESOURCE_PREFETCH ?
			 PVM_PCI_BAR_PREFETCH : 0);
	}
	p->bar[PVM_PCI_ROM_BAR].gpa = PVM_NO_ADDR;
	if (p->rom_bytes) {
		struct pvm_pass_bar *b = &p->bar[PVM_PCI_ROM_BAR];

		b->kind = PVM_PASS_BAR_ROM;
		b->bytes = max_t(u64, roundup_pow_of_two(p->rom_bytes), ROM_MIN_BYTES);
		shape->bar[PVM_PCI_ROM_BAR].bytes = b->bytes;
	}
}

/* Makes [off, off + bytes) of a mapped BAR a hole, whole pages, one for both where they meet. */
static void add_hole(struct pvm_pass_bar *b, u64 off, u64 bytes)
{
	u64 start = ALIGN_DOWN(off, PAGE_SIZE), end = min(ALIGN(off + bytes, PAGE_SIZE), b->bytes);
	struct pvm_pass_hole *h = &b->hole[0];

	if (b->kind != PVM_PASS_BAR_MAP)
		return;
	if (b->holes && start <= h->off + h->bytes && h->off <= end) {
		end = max(end, h->off + h->bytes);
		h->off = min(start, h->off);
		h->bytes = end - h->off;
		return;
	}
	/* Ordered by offset, so that the mapped pieces follow from one walk. */
	if (b->holes && start < h->off) {
		b->hole[1] = b->hole[0];
		b->hole[0] = (struct pvm_pass_hole){ .off = start, .bytes = end - start };
		b->holes++;
		return;
	}
	b->hole[b->holes++] = (struct pvm_pass_hole){ .off = start, .bytes = end - start };
}

int pvm_pass_bar_new(struct pvm_pass *p, struct pvm_why *why)
{
	const struct pvm_pci_msix *x = &p->fn.msix;
	u32 i, k;

	if (x->cap) {
		add_hole(&p->bar[x->table_bar], x->table_off,
			 (u64)x->vectors * PVM_PCI_MSIX_ENTRY_BYTES);
		add_hole(&p->bar[x->pba_bar], x->pba_off, BITS_TO_LONGS(x->vectors) * sizeof(long));
	}
	for (i = 0; i < PVM_PCI_BARS; i++) {
		struct pvm_pass_bar *b = &p->bar[i];

		if (b->kind == PVM_PASS_BAR_NONE)
			continue;
		if (b->kind != PVM_PASS_BAR_MAP) {
			b->hole[0] = (struct pvm_pass_hole){ .off = 0, .bytes = b->bytes };
			b->holes = 1;
		}
		if (b->kind == PVM_PASS_BAR_PORT || b->kind == PVM_PASS_BAR_ROM)
			continue;
		for (k = 0; k < b->holes; k++) {
			b->hole[k].io = ioremap(b->hpa + b->hole[k].off, b->hole[k].bytes);
			if (!b->hole[k].io) {
				pvm_pass_bar_free(p);
				return pvm_fail(why, -ENOMEM, "%s: BAR %u cannot be mapped",
						pci_name(p->pdev), i);
			}
		}
	}
	return 0;
}

/* --- mapping ---------------------------------------------------------------- */

static void bar_unmap(struct pvm_pass *p, struct pvm_pass_bar *b)
{
	enum pvm_space space = b->kind == PVM_PASS_BAR_PORT ? PVM_SPACE_PIO : PVM_SPACE_MMIO;

	while (b->regions)
		pvm_bus_remove(p->v.bus, space, b->region_base[--b->regions], &p->dev);
	while (b->pieces)
		pvm_mem_del_device(p->v.mem, b->piece_gpa[--b->pieces]);
	b->gpa = PVM_NO_ADDR;
}

static int map_piece(struct pvm_pass *p, struct pvm_pass_bar *b, u64 gpa, u64 start, u64 end)
{
	int err;

	if (start >= end)
		return 0;
	err = pvm_mem_add_device(p->v.mem, gpa + start, b->hpa + start, end - start,
				 PVM_PROT_READ | PVM_PROT_WRITE | PVM_PROT_DEVICE);
	if (!err)
		b->piece_gpa[b->pieces++] = gpa + start;
	return err;
}

static int map_hole(struct pvm_pass *p, struct pvm_pass_bar *b, u64 gpa, u32 hole)
{
	enum pvm_space space = b->kind == PVM_PASS_BAR_PORT ? PVM_SPACE_PIO : PVM_SPACE_MMIO;
	const struct pvm_region r = {
		.base = gpa + b->hole[hole].off,
		.bytes = b->hole[hole].bytes,
		.dev = &p->dev,
		.region = REGION(b - p->bar, hole),
	};
	int err = pvm_bus_add(p->v.bus, space, &r);

	if (!err)
		b->region_base[b->regions++] = r.base;
	return err;
}

static int bar_map(struct pvm_pass *p, struct pvm_pass_bar *b, u64 gpa)
{
	u64 done = 0;
	u32 i;
	int err = 0;

	for (i = 0; i < b->holes && !err; i++) {
		err = map_piece(p, b, gpa, done, b->hole[i].off);
		if (!err)
			err = map_hole(p, b, gpa, i);
		done = b->hole[i].off + b->hole[i].bytes;
	}
	if (!err)
		err = map_piece(p, b, gpa, done, b->bytes);
	if (err) {
		bar_unmap(p, b);
		return err;
	}
	b->gpa = gpa;
	return 0;
}

int pvm_pass_bar_changed(struct pvm_pci_fn *fn, u32 bar, u64 gpa)
{
	struct pvm_pass *p = pvm_pass_of(fn);
	struct pvm_pass_bar *b = &p->bar[bar];

	if (b->kind == PVM_PASS_BAR_NONE)
		return gpa == PVM_NO_ADDR ? 0 : -EINVAL;
	bar_unmap(p, b);
	return gpa == PVM_NO_ADDR ? 0 : bar_map(p, b, gpa);
}

void pvm_pass_bar_free(struct pvm_pass *p)
{
	u32 i, k;

	for (i = 0; i < PVM_PCI_BARS; i++) {
		struct pvm_pass_bar *b = &p->bar[i];

		bar_unmap(p, b);
		for (k = 0; k < b->holes; k++)
			if (b->hole[k].io)
				iounmap(b->hole[k].io);
		memset(b, 0, sizeof(*b));
		b->gpa = PVM_NO_ADDR;
	}
}

/* --- trapped accesses ------------------------------------------------------- */

enum msix_part {
	MSIX_NONE,
	MSIX_TABLE,
	MSIX_PBA,
	MSIX_STRADDLE,		/* partly table or PBA: answered by nobody */
};

static enum msix_part msix_part(const struct pvm_pass *p, u32 bar, u64 off, u32 bytes, u64 *at)
{
	const struct pvm_pci_msix *x = &p->fn.msix;
	u64 table_bytes = (u64)x->vectors * PVM_PCI_MSIX_ENTRY_BYTES;
	u64 pba_bytes = BITS_TO_LONGS(x->vectors) * sizeof(long);

	if (!x->cap)
		return MSIX_NONE;
	if (bar == x->table_bar && off < x->table_off + table_bytes && x->table_off < off + bytes) {
		*at = off - x->table_off;
		return off >= x->table_off && *at + bytes <= table_bytes ? MSIX_TABLE :
									   MSIX_STRADDLE;
	}
	if (bar == x->pba_bar && off < x->pba_off + pba_bytes && x->pba_off < off + bytes) {
		*at = off - x->pba_off;
		return off >= x->pba_off && *at + bytes <= pba_bytes ? MSIX_PBA : MSIX_STRADDLE;
	}
	return MSIX_NONE;
}

static u64 io_read(const void __iomem *io, u32 bytes)
{
	switch (bytes) {
	case 1:
		return readb(io);
	case 2:
		return readw(io);
	case 4:
		return readl(io);
	default:
		return readq(io);
	}
}

static void io_write(void __iomem *io, u32 bytes, u64 val)
{
	switch (bytes) {
	case 1:
		writeb(val, io);
		return;
	case 2:
		writew(val, io);
		return;
	case 4:
		writel(val, io);
		return;
	default:
		writeq(val, io);
	}
}

static u64 port_read(u16 port, u32 bytes)
{
	switch (bytes) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	case 4:
		return inl(port);
	default:
		return ~0ull;
	}
}

static void port_write(u16 port, u32 bytes, u64 val)
{
	switch (bytes) {
	case 1:
		outb(val, port);
		return;
	case 2:
		outw(val, port);
		return;
	case 4:
		outl(val, port);
	}
}

static u64 rom_read(const struct pvm_pass *p, u64 off, u32 bytes)
{
	u64 val = ~0ull;

	if (off < p->rom_bytes)
		memcpy(&val, p->rom + off, min_t(u64, bytes, p->rom_bytes - off));
	return val;
}

static u64 dev_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	struct pvm_pass *p = container_of(d, struct pvm_pass, dev);
	u32 bar = region / PVM_PASS_BAR_HOLES;
	const struct pvm_pass_bar *b = &p->bar[bar];
	const struct pvm_pass_hole *h = &b->hole[region % PVM_PASS_BAR_HOLES];
	u64 at = 0;

	if (p->off_bus || READ_ONCE(p->gone))
		return ~0ull;
	if (b->kind == PVM_PASS_BAR_PORT)
		return port_read(b->hpa + off, bytes);
	if (b->kind == PVM_PASS_BAR_ROM)
		return rom_read(p, off, bytes);
	switch (msix_part(p, bar, h->off + off, bytes, &at)) {
	case MSIX_TABLE:
		return pvm_pci_msix_table_read(&p->fn, at, bytes);
	case MSIX_PBA:
		return pvm_pci_msix_pba_read(&p->fn, at, bytes);
	case MSIX_STRADDLE:
		return ~0ull;
	default:
		return io_read(h->io + off, bytes);
	}
}

static void dev_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	struct pvm_pass *p = container_of(d, struct pvm_pass, dev);
	u32 bar = region / PVM_PASS_BAR_HOLES;
	const struct pvm_pass_bar *b = &p->bar[bar];
	const struct pvm_pass_hole *h = &b->hole[region % PVM_PASS_BAR_HOLES];
	u64 at = 0;

	if (p->off_bus || READ_ONCE(p->gone) || b->kind == PVM_PASS_BAR_ROM)
		return;
	if (b->kind == PVM_PASS_BAR_PORT) {
		port_write(b->hpa + off, bytes, val);
		return;
	}
	switch (msix_part(p, bar, h->off + off, bytes, &at)) {
	case MSIX_TABLE:
		pvm_pci_msix_table_write(&p->fn, at, bytes, val);
		return;
	case MSIX_NONE:
		io_write(h->io + off, bytes, val);
		return;
	default:
		return;
	}
}

/* The registers that a reset touches belong to the PCI root's reset of fn. */
static void dev_reset(struct pvm_dev *d)
{
}

const struct pvm_dev_ops pvm_pass_dev_ops = {
	.name	= "pass",
	.reset	= dev_reset,
	.read	= dev_read,
	.write	= dev_write,
};
