// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds and serves the guest's view of a configuration space.
 *
 * World:   pure
 * Context: build: any; read and write: the function's lock held
 * Spec:    PCI r3.0, sec 6 "Configuration Space"; PCIe r6.0, sec 7
 */
#include <pvm/env.h>
#include "pass/mediate.h"

#define CONVENTIONAL_BYTES	256
#define CAPS_MAX		48	/* as many as fit, 4 bytes each */
#define EXT_START		0x100
#define EXT_CAPS_MAX		((PVM_PCI_CFG_BYTES - EXT_START) / 8)
#define EXPRESS_TYPE_MASK	0x00f0
#define EXPRESS_TYPE_RCIEP	0x0090
#define EXPRESS_DEVCAP_FLR	(1u << 28)
#define AF_CAP_TP		(1u << 8)	/* in the word at +2 */
#define AF_CAP_FLR		(1u << 9)
#define MSI_CONTROL_64		0x0080
#define MSI_CONTROL_MASKABLE	0x0100
#define REBAR_ENTRIES_MAX	6

/* --- build ------------------------------------------------------------------ */

struct source {
	const u8 *space;
	u32 bytes;
};

static u32 src(const struct source *s, u32 off, u32 bytes)
{
	u32 i, val = 0;

	for (i = 0; i < bytes && off + i < s->bytes; i++)
		val |= (u32)s->space[off + i] << (i * 8);
	return val;
}

static void put_bytes(u8 *map, u32 off, u32 bytes, u32 val)
{
	u32 i;

	for (i = 0; i < bytes; i++)
		map[off + i] = val >> (i * 8);
}

static void apply_reg(struct pvm_pass_view *v, const struct source *s, u32 at,
		      const struct pvm_pass_row *r, u32 bytes)
{
	pvm_pci_cfg_set(&v->cfg, at, bytes, (src(s, at, bytes) & r->keep) | r->set);
	pvm_pci_cfg_mask(&v->cfg, at, bytes, r->write, r->w1c);
	put_bytes(v->live, at, bytes, r->live);
	put_bytes(v->through, at, bytes, r->through);
}

/* Lays all rows of @cap at @base; @len bounds what they may touch. */
static void apply_rows(struct pvm_pass_view *v, const struct source *s, u32 cap, u32 base, u32 len)
{
	u32 i, off;

	for (i = 0; i < pvm_pass_rows_count; i++) {
		const struct pvm_pass_row *r = &pvm_pass_rows[i];

		if (r->cap != cap || r->off + r->bytes > len)
			continue;
		if (r->hook)
			v->hook[(base + r->off) / 4] = r->hook;
		if (cap == PVM_PASS_HEADER && r->hook == PVM_PASS_HOOK_COMMAND)
			continue;
		if (r->bytes) {
			apply_reg(v, s, base + r->off, r, r->bytes);
			continue;
		}
		for (off = r->off; off < len; off++)
			apply_reg(v, s, base + off, r, 1);
	}
}

static const struct pvm_pass_cap *find_cap(u32 cap)
{
	u32 i;

	for (i = 0; i < pvm_pass_caps_count; i++)
		if (pvm_pass_caps[i].cap == cap)
			return &pvm_pass_caps[i];
	return NULL;
}

static u32 rebar_entries(const struct source *s, u32 at)
{
	return min_t(u32, src(s, at + 8, 4) >> 5 & 7, REBAR_ENTRIES_MAX);
}

/* Bytes that the capability at @at takes, 0: not to be shown. */
static u32 cap_length(const struct pvm_pass_cap *c, const struct source *s, u32 at)
{
	u32 control;

	switch (c->length) {
	case PVM_PASS_LEN_FIXED:
	case PVM_PASS_LEN_MSIX:
		return c->bytes;
	case PVM_PASS_LEN_BYTE2:
		return max_t(u32, src(s, at + 2, 1), 3);
	case PVM_PASS_LEN_VSEC:
		return max_t(u32, src(s, at + 4, 4) >> 20, 8);
	case PVM_PASS_LEN_EXPRESS:
		/* Version 1 of an endpoint ends after the link registers. */
		return (src(s, at + 2, 2) & 0xf) >= 2 ? 0x3c : 0x14;
	case PVM_PASS_LEN_MSI:
		control = src(s, at + 2, 2);
		return 10 + (control & MSI_CONTROL_64 ? 4 : 0) +
		       (control & MSI_CONTROL_MASKABLE ? 10 : 0);
	case PVM_PASS_LEN_REBAR:
		return rebar_entries(s, at) ? 4 + 8 * rebar_entries(s, at) : 0;
	}
	return 0;
}

/* Takes the dwords of [at, at + len), or says that some are taken or not there. */
static bool take(struct pvm_pass_view *v, u32 at, u32 len, u32 limit)
{
	u32 i;

	if (!len || at + len > limit)
		return false;
	for (i = at / 4; i < DIV_ROUND_UP(at + len, 4); i++)
		if (test_bit(i, v->used))
			return false;
	for (i = at / 4; i < DIV_ROUND_UP(at + len, 4); i++)
		__set_bit(i, v->used);
	return true;
}

static bool build_msi(struct pvm_pass_view *v, const struct source *s, u32 at,
		      const struct pvm_pass_shape *shape)
{
	u32 control = src(s, at + 2, 2);
	u32 vectors = 1u << min_t(u32, control >> 1 & 7, 5);

	if (!shape->msi_vectors)
		return false;
	while (vectors > shape->msi_vectors)
		vectors /= 2;
	return pvm_pci_msi_init(v->fn, vectors, control & MSI_CONTROL_64,
				control & MSI_CONTROL_MASKABLE);
}

static bool build_msix(struct pvm_pass_view *v, const struct source *s, u32 at,
		       const struct pvm_pass_shape *shape)
{
	struct pvm_pci_msix x = {
		.table_bar = src(s, at + 4, 4) & 7,
		.table_off = src(s, at + 4, 4) & ~7u,
		.pba_bar = src(s, at + 8, 4) & 7,
		.pba_off = src(s, at + 8, 4) & ~7u,
		.vectors = (src(s, at + 2, 2) & 0x7ff) + 1,
		.table = shape->msix_table,
		.pending = shape->msix_pending,
	};
	u64 table_bytes, pba_bytes;

	if (!shape->msix_vectors || x.table_bar > 5 || x.pba_bar > 5)
		return false;
	x.vectors = min_t(u32, x.vectors, shape->msix_vectors);
	table_bytes = (u64)x.vectors * PVM_PCI_MSIX_ENTRY_BYTES;
	pba_bytes = BITS_TO_LONGS(x.vectors) * sizeof(long);
	if (x.table_off + table_bytes > shape->bar[x.table_bar].bytes ||
	    x.pba_off + pba_bytes > shape->bar[x.pba_bar].bytes)
		return false;
	return pvm_pci_msix_init(v->fn, &x);
}

static void fix_express(struct pvm_pass_view *v, const struct source *s, u32 at,
			const struct pvm_pass_shape *shape)
{
	u32 caps = pvm_pci_cfg_get(&v->cfg, at + 2, 2), dev = pvm_pci_cfg_get(&v->cfg, at + 4, 4);

	pvm_pci_cfg_set(&v->cfg, at + 2, 2, (caps & ~EXPRESS_TYPE_MASK) | EXPRESS_TYPE_RCIEP);
	if (shape->flr)
		pvm_pci_cfg_set(&v->cfg, at + 4, 4, dev | EXPRESS_DEVCAP_FLR);
}

/* Shows the capability at @at if the tables say so. */
static void build_cap(struct pvm_pass_view *v, const struct source *s, u32 at,
		      const struct pvm_pass_shape *shape)
{
	const struct pvm_pass_cap *c = find_cap(src(s, at, 1));
	u32 len = c ? cap_length(c, s, at) : 0;

	if (!c || !take(v, at, len, CONVENTIONAL_BYTES))
		return;
	/* pci/cap.c appends where cap_next points to: the device's own place. */
	v->cfg.cap_next = at;
	if (c->length == PVM_PASS_LEN_MSI) {
		build_msi(v, s, at, shape);
		return;
	}
	if (c->length == PVM_PASS_LEN_MSIX) {
		build_msix(v, s, at, shape);
		return;
	}
	if (pvm_pci_cap_add(v->fn, c->cap, len) != at)
		return;
	apply_rows(v, s, c->cap, at, len);
	if (c->length == PVM_PASS_LEN_EXPRESS)
		fix_express(v, s, at, shape);
	if (v->hook[(at + 4) / 4] == PVM_PASS_HOOK_AF_FLR && !shape->af_flr)
		pvm_pci_cfg_set(&v->cfg, at + 2, 2,
				pvm_pci_cfg_get(&v->cfg, at + 2, 2) & ~(AF_CAP_TP | AF_CAP_FLR));
}

static void build_caps(struct pvm_pass_view *v, const struct source *s,
		       const struct pvm_pass_shape *shape)
{
	u32 at, i;

	if (!(src(s, PVM_PCI_STATUS, 2) & PVM_PCI_STATUS_CAPS))
		return;
	at = src(s, PVM_PCI_CAP_PTR, 1) & ~3u;
	for (i = 0; i < CAPS_MAX && at >= PVM_PCI_CFG_CAPS; i++) {
		build_cap(v, s, at, shape);
		at = src(s, at + 1, 1) & ~3u;
	}
}

/* Each resizable BAR can be as large as it is now, and nothing else. */
static void build_rebar(struct pvm_pass_view *v, const struct source *s, u32 at)
{
	u32 i, entries = rebar_entries(s, at);

	for (i = 0; i < entries; i++) {
		u32 control = src(s, at + 8 + 8 * i, 4), size = control >> 8 & 0x3f;

		/* Sizes beyond 128 TiB have their bits in the control register. */
		pvm_pci_cfg_set(&v->cfg, at + 4 + 8 * i, 4, size < 28 ? 1u << (size + 4) : 0);
		pvm_pci_cfg_set(&v->cfg, at + 8 + 8 * i, 4, control & 0x3fe7);
	}
}

/* The list starts at 100h: what is hidden there becomes a null capability. */
static void link_ext(struct pvm_pass_view *v, u32 from, u32 to)
{
	pvm_pci_cfg_set(&v->cfg, from, 4, pvm_pci_cfg_get(&v->cfg, from, 4) | to << 20);
}

static void build_ext_caps(struct pvm_pass_view *v, const struct source *s)
{
	u32 at = EXT_START, last = 0, i;

	for (i = 0; i < EXT_CAPS_MAX && at >= EXT_START && at < s->bytes; i++) {
		u32 header = src(s, at, 4), next = header >> 20 & ~3u;
		const struct pvm_pass_cap *c = find_cap(PVM_PASS_EXT | (header & 0xffff));
		u32 len = c ? cap_length(c, s, at) : 0;

		if (!header || header == ~0u)
			return;
		if (c && (header & 0xffff) < PVM_PASS_EXT &&
		    take(v, at, max_t(u32, len, 4), PVM_PCI_CFG_BYTES) && len) {
			apply_rows(v, s, c->cap, at, len);
			if (c->length == PVM_PASS_LEN_REBAR)
				build_rebar(v, s, at);
			pvm_pci_cfg_set(&v->cfg, at, 4, header & 0xfffff);
			if (at != EXT_START)
				link_ext(v, last ? last : EXT_START, at);
			last = at;
		}
		at = next;
	}
}

/* What no capability has taken between the header and 100h can be read. */
static void build_gaps(struct pvm_pass_view *v)
{
	u32 off;

	for (off = PVM_PCI_CFG_CAPS; off < CONVENTIONAL_BYTES; off++)
		if (!test_bit(off / 4, v->used))
			v->live[off] = 0xff;
}

void pvm_pass_view_build(struct pvm_pass_view *v, struct pvm_pci_fn *fn, const u8 *space,
			 u32 bytes, const struct pvm_pass_shape *shape)
{
	const struct source s = { space, min_t(u32, bytes, PVM_PCI_CFG_BYTES) };
	const struct pvm_pci_ids ids = {
		.vendor = src(&s, PVM_PCI_VENDOR_ID, 2),
		.device = src(&s, PVM_PCI_DEVICE_ID, 2),
		.subsystem_vendor = src(&s, PVM_PCI_SUBSYSTEM, 2),
		.subsystem = src(&s, PVM_PCI_SUBSYSTEM + 2, 2),
		.class = src(&s, PVM_PCI_CLASS, 3),
		.revision = src(&s, PVM_PCI_REVISION, 1),
		.pin = shape->intx ? src(&s, PVM_PCI_INT_PIN, 1) : 0,
	};
	u32 i;

	memset(v->live, 0, sizeof(v->live));
	memset(v->through, 0, sizeof(v->through));
	memset(v->hook, 0, sizeof(v->hook));
	memset(v->used, 0, sizeof(v->used));
	v->fn = fn;
	pvm_pci_fn_init(fn, &v->cfg, &ids);
	for (i = 0; i < PVM_PCI_BARS; i++)
		if (shape->bar[i].bytes)
			pvm_pci_bar_init(fn, i, shape->bar[i].bytes, shape->bar[i].flags);
	apply_rows(v, &s, PVM_PASS_HEADER, 0, PVM_PCI_CFG_CAPS);
	build_caps(v, &s, shape);
	if (s.bytes > EXT_START)
		build_ext_caps(v, &s);
	build_gaps(v);
}

/* --- serve ------------------------------------------------------------------ */

static u32 mask_at(const u8 *map, u32 off, u32 bytes)
{
	u32 i, val = 0;

	for (i = 0; i < bytes; i++)
		val |= (u32)map[off + i] << (i * 8);
	return val;
}

u32 pvm_pass_view_read(struct pvm_pass_view *v, u32 off, u32 bytes)
{
	u32 val = pvm_pci_cfg_read(v->fn, off, bytes), live = mask_at(v->live, off, bytes);

	if (live)
		val = (val & ~live) | (v->ops->read(v, off, bytes) & live);
	return val;
}

void pvm_pass_view_write(struct pvm_pass_view *v, u32 off, u32 bytes, u32 val)
{
	u32 through = mask_at(v->through, off, bytes), hook = v->hook[off / 4];
	u32 all = (u32)pvm_bytes_mask(bytes), shift = (off & 3) * 8;

	pvm_pci_cfg_write(v->fn, off, bytes, val);
	if (through)
		v->ops->write(v, off, bytes, through == all ? val & all :
			      (v->ops->read(v, off, bytes) & ~through) | (val & through));
	if (hook)
		v->ops->hook(v, hook, off & ~3u, (val & all) << shift, all << shift);
}
