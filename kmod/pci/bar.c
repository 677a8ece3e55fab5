// SPDX-License-Identifier: GPL-2.0-only
/*
 * Base address registers: sizing, decoding, moving, and their first placement.
 *
 * A register only states what the guest wants. Mappings follow in steps that the
 * host asks for one by one (pvm_pci_next_move()), unmaps first, and no two
 * mapped BARs ever overlap whatever the guest writes: the one that comes late
 * waits. Nothing is placed over the interrupt controllers below 4 GiB, where a
 * mapping would also reach the host IOMMU's MSI window.
 *
 * World:   pure
 * Context: root's lock held; register accesses with the function's inside it
 * Spec:    PCI r3.0, sec 6.2.5 "Base Addresses"
 */
#include <pvm/env.h>
#include "pci/pci.h"

#define BAR_IO_LIMIT		0x10000ull
#define BAR_MEM_LIMIT		(1ull << 52)
#define FIXED_START_GPA		0xfec00000ull	/* I/O APIC, HPET, local APICs, flash */
#define FIXED_END_GPA		0x100000000ull
#define BAR_32BIT_MAX_BYTES	(256ull << 20)	/* larger 64-bit ones go above 4 GiB first */
#define ROM_ENABLE		1u

void pvm_pci_bar_init(struct pvm_pci_fn *fn, u32 bar, u64 bytes, u32 flags)
{
	fn->bar[bar].bytes = bytes;
	fn->bar[bar].flags = flags;
}

bool pvm_pci_bar_is_reg(u32 off)
{
	return (off >= PVM_PCI_BAR0 && off < PVM_PCI_BAR0 + 24) ||
	       (off >= PVM_PCI_ROM && off < PVM_PCI_ROM + 4);
}

static bool overlaps(u64 a, u64 a_bytes, u64 b, u64 b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

/*
 * The BAR behind the register at @off; @high says that it is the upper half of
 * a 64-bit one. NULL: no BAR there, reads as zero.
 */
static struct pvm_pci_bar *reg_bar(const struct pvm_pci_fn *fn, u32 off, bool *high)
{
	u32 i = off >= PVM_PCI_ROM ? PVM_PCI_ROM_BAR : (off - PVM_PCI_BAR0) / 4;
	const struct pvm_pci_bar *b = &fn->bar[i];

	*high = false;
	if (i > 0 && i < PVM_PCI_ROM_BAR && b[-1].bytes && (b[-1].flags & PVM_PCI_BAR_64)) {
		*high = true;
		b--;
	}
	return b->bytes ? (struct pvm_pci_bar *)b : NULL;
}

static u32 reg_value(const struct pvm_pci_fn *fn, const struct pvm_pci_bar *b, bool high)
{
	if (high)
		return upper_32_bits(b->reg);
	if (b == &fn->bar[PVM_PCI_ROM_BAR])
		return lower_32_bits(b->reg) | (b->rom_on ? ROM_ENABLE : 0);
	if (b->flags & PVM_PCI_BAR_IO)
		return lower_32_bits(b->reg) | 1;
	return lower_32_bits(b->reg) | (b->flags & PVM_PCI_BAR_64 ? 4 : 0) |
	       (b->flags & PVM_PCI_BAR_PREFETCH ? 8 : 0);
}

u32 pvm_pci_bar_read(const struct pvm_pci_fn *fn, u32 off, u32 bytes)
{
	bool high;
	const struct pvm_pci_bar *b = reg_bar(fn, off & ~3u, &high);

	if (!b)
		return 0;
	return (reg_value(fn, b, high) >> ((off & 3) * 8)) & pvm_bytes_mask(bytes);
}

void pvm_pci_bar_write(struct pvm_pci_fn *fn, u32 off, u32 bytes, u32 val)
{
	bool high;
	struct pvm_pci_bar *b = reg_bar(fn, off & ~3u, &high);
	u32 shift = (off & 3) * 8, mask, now;

	if (!b)
		return;
	mask = (u32)pvm_bytes_mask(bytes) << shift;
	now = (reg_value(fn, b, high) & ~mask) | ((val << shift) & mask);
	if (high) {
		b->reg = (u64)now << 32 | lower_32_bits(b->reg);
	} else {
		if (b == &fn->bar[PVM_PCI_ROM_BAR])
			b->rom_on = now & ROM_ENABLE;
		b->reg = (b->reg & ~0xffffffffull) | now;
	}
	b->reg &= ~(b->bytes - 1);
}

/* Where @b is decoded with @command, or PVM_NO_ADDR. Address 0 means unassigned. */
static u64 target(const struct pvm_pci_fn *fn, const struct pvm_pci_bar *b, u16 command)
{
	bool io = b->flags & PVM_PCI_BAR_IO;
	u64 limit = io ? BAR_IO_LIMIT : BAR_MEM_LIMIT;

	if (!b->bytes || !b->reg || !(command & (io ? PVM_PCI_COMMAND_IO : PVM_PCI_COMMAND_MEM)))
		return PVM_NO_ADDR;
	if (b == &fn->bar[PVM_PCI_ROM_BAR] && !b->rom_on)
		return PVM_NO_ADDR;
	if (b->reg >= limit || b->bytes > limit - b->reg)
		return PVM_NO_ADDR;
	if (!io && overlaps(b->reg, b->bytes, FIXED_START_GPA, FIXED_END_GPA - FIXED_START_GPA))
		return PVM_NO_ADDR;
	return b->reg;
}

static bool is_due(const struct pvm_pci_bar *b)
{
	return b->want_gpa != b->have_gpa && b->want_gpa != b->failed_gpa;
}

void pvm_pci_bar_decode(struct pvm_pci_fn *fn, u16 command)
{
	bool due = false;
	u32 i;

	for (i = 0; i < PVM_PCI_BARS; i++) {
		struct pvm_pci_bar *b = &fn->bar[i];
		u64 want = target(fn, b, command);

		if (want == b->want_gpa)
			continue;
		b->want_gpa = want;
		b->failed_gpa = PVM_NO_ADDR;
		due = due || want != b->have_gpa;
	}
	if (due && fn->root && fn->root->host->bars_changed)
		fn->root->host->bars_changed(fn->root);
}

/*
 * All BARs there are, function by function, the ECAM region last: the first from
 * number *@i on, which becomes its number. NULL at the end.
 */
#define ALL_BARS	(PVM_PCI_FNS * PVM_PCI_BARS)

static struct pvm_pci_bar *bar_from(struct pvm_pci_root *root, u32 *i, struct pvm_pci_fn **fn)
{
	for (; *i < ALL_BARS; *i += PVM_PCI_BARS - *i % PVM_PCI_BARS) {
		*fn = root->fn[*i / PVM_PCI_BARS];
		if (*fn)
			return &(*fn)->bar[*i % PVM_PCI_BARS];
	}
	*fn = NULL;
	return *i == ALL_BARS ? &root->ecam : NULL;
}

static bool is_free(struct pvm_pci_root *root, const struct pvm_pci_bar *b)
{
	const struct pvm_pci_bar *o;
	struct pvm_pci_fn *fn;
	u32 i;

	for (i = 0; (o = bar_from(root, &i, &fn)); i++)
		if (o != b && o->have_gpa != PVM_NO_ADDR &&
		    !((o->flags ^ b->flags) & PVM_PCI_BAR_IO) &&
		    overlaps(b->want_gpa, b->bytes, o->have_gpa, o->bytes))
			return false;
	return true;
}

static void fill_move(struct pvm_pci_move *m, struct pvm_pci_fn *fn, const struct pvm_pci_bar *b,
		      bool map)
{
	m->fn = fn;
	m->bar = fn ? b - fn->bar : 0;
	m->gpa = map ? b->want_gpa : b->have_gpa;
	m->bytes = b->bytes;
	m->io = b->flags & PVM_PCI_BAR_IO;
	m->map = map;
}

bool pvm_pci_next_move(struct pvm_pci_root *root, struct pvm_pci_move *m)
{
	struct pvm_pci_fn *fn;
	struct pvm_pci_bar *b;
	u32 i;

	for (i = 0; (b = bar_from(root, &i, &fn)); i++) {
		if (b->have_gpa == PVM_NO_ADDR || b->want_gpa == b->have_gpa)
			continue;
		fill_move(m, fn, b, false);
		b->have_gpa = PVM_NO_ADDR;
		return true;
	}
	for (i = 0; (b = bar_from(root, &i, &fn)); i++) {
		if (b->want_gpa == PVM_NO_ADDR || !is_due(b) || !is_free(root, b))
			continue;
		fill_move(m, fn, b, true);
		b->have_gpa = b->want_gpa;
		return true;
	}
	return false;
}

void pvm_pci_move_failed(struct pvm_pci_root *root, const struct pvm_pci_move *m)
{
	struct pvm_pci_bar *b = m->fn ? &m->fn->bar[m->bar] : &root->ecam;

	if (!m->map || b->have_gpa != m->gpa)
		return;
	b->have_gpa = PVM_NO_ADDR;
	b->failed_gpa = m->gpa;
}

bool pvm_pci_unmap_fn(struct pvm_pci_root *root, struct pvm_pci_fn *fn, struct pvm_pci_move *m)
{
	struct pvm_pci_bar *b = fn ? fn->bar : &root->ecam;
	u32 i, count = fn ? PVM_PCI_BARS : 1;

	for (i = 0; i < count; i++, b++) {
		b->want_gpa = PVM_NO_ADDR;
		if (b->have_gpa == PVM_NO_ADDR)
			continue;
		fill_move(m, fn, b, false);
		b->have_gpa = PVM_NO_ADDR;
		return true;
	}
	return false;
}

/* --- first placement --------------------------------------------------------- */

/* Naturally aligned room for @bytes in @w, whose start moves up; 0: full. */
static u64 take(struct pvm_pci_window *w, u64 bytes)
{
	u64 at = ALIGN(w->start_gpa, bytes);

	if (at < w->start_gpa || at >= w->end_gpa || bytes > w->end_gpa - at)
		return 0;
	w->start_gpa = at + bytes;
	return at;
}

static u64 place(struct pvm_pci_windows *left, const struct pvm_pci_bar *b)
{
	bool wide = b->flags & PVM_PCI_BAR_64;
	u64 at = 0;

	if (b->flags & PVM_PCI_BAR_IO)
		return take(&left->io, b->bytes);
	if (wide && (b->flags & PVM_PCI_BAR_PREFETCH) && b->bytes > BAR_32BIT_MAX_BYTES)
		at = take(&left->mem64, b->bytes);
	if (!at)
		at = take(&left->mem[0], b->bytes);
	if (!at)
		at = take(&left->mem[1], b->bytes);
	if (!at && wide)
		at = take(&left->mem64, b->bytes);
	return at;
}

static void fn_lock(struct pvm_pci_fn *fn)
{
	if (fn->root->host->lock)
		fn->root->host->lock(fn);
}

static void fn_unlock(struct pvm_pci_fn *fn)
{
	if (fn->root->host->unlock)
		fn->root->host->unlock(fn);
}

static void write_bar(struct pvm_pci_fn *fn, u32 bar, u64 at)
{
	u32 off = bar == PVM_PCI_ROM_BAR ? PVM_PCI_ROM : PVM_PCI_BAR0 + bar * 4;

	fn_lock(fn);
	fn->ops->cfg_write(fn, off, 4, lower_32_bits(at));
	if (fn->bar[bar].flags & PVM_PCI_BAR_64)
		fn->ops->cfg_write(fn, off + 4, 4, upper_32_bits(at));
	fn_unlock(fn);
}

/* Places every BAR of exactly @bytes; returns how many found no room. */
static u32 assign_size(struct pvm_pci_root *root, struct pvm_pci_windows *left, u64 bytes)
{
	struct pvm_pci_bar *b;
	struct pvm_pci_fn *fn;
	u32 i, homeless = 0;

	for (i = 0; (b = bar_from(root, &i, &fn)); i++) {
		u64 at;

		if (!fn || b->bytes != bytes)
			continue;
		at = place(left, b);
		if (!at)
			homeless++;
		write_bar(fn, b - fn->bar, at);
	}
	return homeless;
}

/*
 * The interrupt line holds the 8259 input, as firmware sets it up: the PIRQ
 * registers of the LPC bridge lead all eight GSIs to 10 and 11.
 */
static void assign_irq(struct pvm_pci_fn *fn)
{
	u32 pin = fn->ops->cfg_read(fn, PVM_PCI_INT_PIN, 1);

	if (pin >= 1 && pin <= 4)
		fn->ops->cfg_write(fn, PVM_PCI_INT_LINE, 1,
				   10 + (pvm_pci_gsi(fn->devfn >> 3, pin - 1) & 1));
}

static void enable_decode(struct pvm_pci_fn *fn)
{
	u32 command = fn->ops->cfg_read(fn, PVM_PCI_COMMAND, 2), i;

	for (i = 0; i < PVM_PCI_BARS; i++) {
		const struct pvm_pci_bar *b = &fn->bar[i];

		if (b->bytes && b->reg && i != PVM_PCI_ROM_BAR)
			command |= b->flags & PVM_PCI_BAR_IO ? PVM_PCI_COMMAND_IO :
							       PVM_PCI_COMMAND_MEM;
	}
	fn->ops->cfg_write(fn, PVM_PCI_COMMAND, 2, command);
}

u32 pvm_pci_assign(struct pvm_pci_root *root, const struct pvm_pci_windows *w)
{
	struct pvm_pci_windows left = *w;
	u32 homeless = 0, shift, i;

	/* Largest first packs naturally aligned blocks without holes. */
	for (shift = 51; shift >= 2; shift--)
		homeless += assign_size(root, &left, 1ull << shift);

	for (i = 0; i < PVM_PCI_GSIS; i++)
		root->lpc.ops->cfg_write(&root->lpc, pvm_pci_pirq_reg(i), 1, 10 + (i & 1));
	for (i = 0; i < PVM_PCI_FNS; i++) {
		struct pvm_pci_fn *fn = root->fn[i];

		if (!fn)
			continue;
		fn_lock(fn);
		assign_irq(fn);
		enable_decode(fn);
		fn_unlock(fn);
	}
	if (w->ecam_gpa != PVM_NO_ADDR) {
		struct pvm_pci_fn *mch = &root->mch;

		mch->ops->cfg_write(mch, PVM_PCI_PCIEXBAR + 4, 4, upper_32_bits(w->ecam_gpa));
		mch->ops->cfg_write(mch, PVM_PCI_PCIEXBAR, 4, lower_32_bits(w->ecam_gpa) | 1);
	}
	return homeless;
}
