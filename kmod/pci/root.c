// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root of the PCI bus: CF8/CFC, ECAM, host bridge and LPC bridge.
 *
 * Finds the function of a configuration access and hands it on in naturally
 * aligned pieces of 1, 2 or 4 bytes. Absent functions and buses other than 0
 * read as all ones. The two chipset functions carry the identity of a Q35 with
 * ICH9, as firmware insists on it; of their registers those exist that firmware
 * and operating systems use on it.
 *
 * World:   pure
 * Context: root's device lock held by the bus
 * Spec:    PCI r3.0, sec 3.2.2.3.2 "Software Generation of Configuration
 *          Transactions"; PCIe r6.0, sec 7.2.2 "ECAM"; DS Q35 "DRAM Controller
 *          Registers"; DS ICH9 "LPC Interface Bridge Registers"
 */
#include <pvm/env.h>
#include "pci/pci.h"

#define ADDRESS_ENABLE		0x80000000u
#define SLOT_LPC		31

/* Host bridge */
#define MCH_PCIEXBAR_MASK	0xff0000001ull	/* 256 MiB steps below 64 GiB, enable */
#define MCH_PAM			0x90
#define MCH_PAMS		7
/* LPC bridge */
#define LPC_PMBASE		0x40
#define LPC_ACPI_CNTL		0x44
#define LPC_RCBA		0xf0
#define PM_BASE_PORT		0x600

static const struct pvm_pci_ids mch_ids = {
	.vendor = 0x8086, .device = 0x29c0, .class = 0x060000,
	.subsystem_vendor = 0x1af4, .subsystem = 0x1100,
};

static const struct pvm_pci_ids lpc_ids = {
	.vendor = 0x8086, .device = 0x2918, .revision = 2, .class = 0x060100,
	.subsystem_vendor = 0x1af4, .subsystem = 0x1100,
};

/* Registers of the two beyond the header: power-on value and writable bits. */
struct chip_reg {
	u32 off, bytes, value, write;
};

static const struct chip_reg mch_regs[] = {
	{ PVM_PCI_PCIEXBAR, 4, 0, lower_32_bits(MCH_PCIEXBAR_MASK) },
	{ PVM_PCI_PCIEXBAR + 4, 4, 0, upper_32_bits(MCH_PCIEXBAR_MASK) },
	{ MCH_PAM, 4, 0, 0x33333330 },
	{ MCH_PAM + 4, 2, 0, 0x3333 },
	{ MCH_PAM + 6, 1, 0, 0x33 },
};

static const struct chip_reg lpc_regs[] = {
	{ LPC_PMBASE, 4, PM_BASE_PORT | 1, 0 },
	{ LPC_ACPI_CNTL, 1, 0x80, 0x87 },
	{ 0x60, 4, 0x80808080, 0x8f8f8f8f },	/* PIRQA..D */
	{ 0x68, 4, 0x80808080, 0x8f8f8f8f },	/* PIRQE..H */
	{ LPC_RCBA, 4, 0, 0xffffc001 },
};

/* --- the chipset functions ---------------------------------------------------- */

static void ecam_update(struct pvm_pci_root *root)
{
	u64 reg = pvm_pci_cfg_get(&root->mch_cfg, PVM_PCI_PCIEXBAR, 4) |
		  (u64)pvm_pci_cfg_get(&root->mch_cfg, PVM_PCI_PCIEXBAR + 4, 4) << 32;
	u64 base = reg & ~1ull;
	u64 want = PVM_NO_ADDR;

	/* The top 256 MiB below 4 GiB hold the interrupt controllers. */
	if ((reg & 1) && base && base != 0xf0000000ull)
		want = base;
	if (want == root->ecam.want_gpa)
		return;
	root->ecam.want_gpa = want;
	root->ecam.failed_gpa = PVM_NO_ADDR;
	if (want != root->ecam.have_gpa && root->host->bars_changed)
		root->host->bars_changed(root);
}

static void mch_write(struct pvm_pci_fn *fn, u32 off, u32 bytes, u32 val)
{
	struct pvm_pci_root *root = container_of(fn, struct pvm_pci_root, mch);
	u8 pam[MCH_PAMS];
	u32 i;

	memcpy(pam, &fn->cfg->byte[MCH_PAM], sizeof(pam));
	pvm_pci_cfg_write(fn, off, bytes, val);
	ecam_update(root);
	for (i = 0; i < MCH_PAMS && root->host->pam; i++)
		if (pam[i] != fn->cfg->byte[MCH_PAM + i])
			root->host->pam(root, i, fn->cfg->byte[MCH_PAM + i]);
}

static void mch_reset(struct pvm_pci_fn *fn)
{
	struct pvm_pci_root *root = container_of(fn, struct pvm_pci_root, mch);
	u32 i;

	ecam_update(root);
	for (i = 0; i < MCH_PAMS && root->host->pam; i++)
		root->host->pam(root, i, 0);
}

static const struct pvm_pci_fn_ops mch_ops = {
	.cfg_read = pvm_pci_cfg_read,
	.cfg_write = mch_write,
	.reset = mch_reset,
};

static const struct pvm_pci_fn_ops lpc_ops = {
	.cfg_read = pvm_pci_cfg_read,
	.cfg_write = pvm_pci_cfg_write,
};

static void chip_init(struct pvm_pci_fn *fn, struct pvm_pci_cfg *cfg,
		      const struct pvm_pci_ids *ids, const struct chip_reg *r, u32 regs)
{
	pvm_pci_fn_init(fn, cfg, ids);
	/* Decoding and bus mastering of the chipset cannot be switched off. */
	pvm_pci_cfg_set(cfg, PVM_PCI_COMMAND, 2, 7);
	pvm_pci_cfg_mask(cfg, PVM_PCI_COMMAND, 2, 0x0100, 0);
	for (; regs; regs--, r++) {
		pvm_pci_cfg_set(cfg, r->off, r->bytes, r->value);
		pvm_pci_cfg_mask(cfg, r->off, r->bytes, r->write, 0);
	}
}

void pvm_pci_root_init(struct pvm_pci_root *root, const struct pvm_pci_host *host)
{
	memset(root, 0, sizeof(*root));
	root->host = host;
	root->ecam.bytes = PVM_PCI_ECAM_BYTES;
	root->ecam.want_gpa = PVM_NO_ADDR;
	root->ecam.have_gpa = PVM_NO_ADDR;
	root->ecam.failed_gpa = PVM_NO_ADDR;
	root->mch.ops = &mch_ops;
	root->lpc.ops = &lpc_ops;
	chip_init(&root->mch, &root->mch_cfg, &mch_ids, mch_regs, ARRAY_SIZE(mch_regs));
	chip_init(&root->lpc, &root->lpc_cfg, &lpc_ids, lpc_regs, ARRAY_SIZE(lpc_regs));
	pvm_pci_add(root, &root->mch, 0, 0);
	pvm_pci_add(root, &root->lpc, SLOT_LPC, 0);
}

int pvm_pci_pirq(const struct pvm_pci_root *root, u32 gsi)
{
	u8 reg;

	if (gsi < PVM_PCI_GSI_BASE || gsi >= PVM_PCI_GSI_BASE + PVM_PCI_GSIS)
		return -1;
	reg = READ_ONCE(root->lpc_cfg.byte[pvm_pci_pirq_reg(gsi - PVM_PCI_GSI_BASE)]);
	if ((reg & PVM_PCI_PIRQ_OFF) || reg < 3 || reg == 8 || reg == 13)
		return -1;
	return reg;
}

/* --- who sits where ------------------------------------------------------------- */

int pvm_pci_add(struct pvm_pci_root *root, struct pvm_pci_fn *fn, u32 slot, u32 function)
{
	u32 devfn = slot << 3 | function;

	if (slot > 31 || function > 7)
		return -EINVAL;
	if (root->fn[devfn])
		return -EEXIST;
	fn->root = root;
	fn->devfn = devfn;
	root->fn[devfn] = fn;
	return 0;
}

void pvm_pci_remove(struct pvm_pci_root *root, struct pvm_pci_fn *fn)
{
	if (root->fn[fn->devfn] != fn)
		return;
	if (fn->intx_sent && root->host->intx)
		root->host->intx(fn, false);
	fn->intx_sent = false;
	root->fn[fn->devfn] = NULL;
	fn->root = NULL;
}

static bool slot_used(const struct pvm_pci_root *root, u32 slot, u32 from_function)
{
	u32 i;

	for (i = from_function; i < 8; i++)
		if (root->fn[slot << 3 | i])
			return true;
	return false;
}

int pvm_pci_free_slot(const struct pvm_pci_root *root, u32 from)
{
	u32 slot;

	for (slot = from; slot < 32; slot++)
		if (!slot_used(root, slot, 0))
			return slot;
	return -ENOSPC;
}

bool pvm_pci_intx_route(struct pvm_pci_fn *fn, bool level, u32 *gsi)
{
	u32 pin = fn->cfg ? fn->cfg->byte[PVM_PCI_INT_PIN] : 1, i;
	unsigned long *map, any = 0;

	*gsi = pvm_pci_gsi(fn->devfn >> 3, (pin - 1) & 3);
	map = fn->root->intx[*gsi - PVM_PCI_GSI_BASE];
	if (level)
		__set_bit(fn->devfn, map);
	else
		__clear_bit(fn->devfn, map);
	for (i = 0; i < BITS_TO_LONGS(PVM_PCI_FNS); i++)
		any |= map[i];
	return any != 0;
}

/* --- configuration accesses -------------------------------------------------------- */

static void lock(struct pvm_pci_fn *fn)
{
	if (fn->root->host->lock)
		fn->root->host->lock(fn);
}

static void unlock(struct pvm_pci_fn *fn)
{
	if (fn->root->host->unlock)
		fn->root->host->unlock(fn);
}

/* @bdf: bus << 8 | devfn. */
static struct pvm_pci_fn *find(struct pvm_pci_root *root, u32 bdf)
{
	return bdf < PVM_PCI_FNS ? root->fn[bdf] : NULL;
}

/* Largest naturally aligned piece of [off, off + bytes), at most 4. */
static u32 piece(u32 off, u32 bytes)
{
	if (!(off & 3) && bytes >= 4)
		return 4;
	return !(off & 1) && bytes >= 2 ? 2 : 1;
}

static u64 cfg_read(struct pvm_pci_root *root, u32 bdf, u32 off, u32 bytes)
{
	struct pvm_pci_fn *fn = find(root, bdf);
	u64 val = 0;
	u32 done, n;

	if (!fn)
		return pvm_bytes_mask(bytes);
	lock(fn);
	for (done = 0; done < bytes; done += n) {
		u64 v;

		n = piece(off + done, bytes - done);
		v = fn->ops->cfg_read(fn, off + done, n) & pvm_bytes_mask(n);
		/* A slot with more than one function says so in function 0. */
		if (off + done <= PVM_PCI_HEADER_TYPE && off + done + n > PVM_PCI_HEADER_TYPE &&
		    !(bdf & 7) && slot_used(root, bdf >> 3, 1))
			v |= 0x80ull << ((PVM_PCI_HEADER_TYPE - off - done) * 8);
		val |= v << (done * 8);
	}
	unlock(fn);
	return val;
}

static void cfg_write(struct pvm_pci_root *root, u32 bdf, u32 off, u32 bytes, u64 val)
{
	struct pvm_pci_fn *fn = find(root, bdf);
	u32 done, n;

	if (!fn)
		return;
	lock(fn);
	for (done = 0; done < bytes; done += n) {
		n = piece(off + done, bytes - done);
		fn->ops->cfg_write(fn, off + done, n, val >> (done * 8) & pvm_bytes_mask(n));
	}
	unlock(fn);
}

/* CF8..CFF: a dword address, a byte of it that is the reset port, a dword of data. */
static u64 ports_read(struct pvm_pci_root *root, u32 off, u32 bytes)
{
	if (off == 0 && bytes == 4)
		return root->address;
	if (off == 1 && bytes == 1)
		return root->host->cf9_read ? root->host->cf9_read(root) : 0xff;
	if (off < 4 || !(root->address & ADDRESS_ENABLE))
		return pvm_bytes_mask(bytes);
	return cfg_read(root, root->address >> 8 & 0xffff, (root->address & 0xfc) + off - 4, bytes);
}

static void ports_write(struct pvm_pci_root *root, u32 off, u32 bytes, u32 val)
{
	if (off == 0 && bytes == 4)
		root->address = val & 0x80fffffc;
	else if (off == 1 && bytes == 1 && root->host->cf9_write)
		root->host->cf9_write(root, val);
	else if (off >= 4 && (root->address & ADDRESS_ENABLE))
		cfg_write(root, root->address >> 8 & 0xffff, (root->address & 0xfc) + off - 4,
			  bytes, val);
}

static u64 root_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	struct pvm_pci_root *root = container_of(d, struct pvm_pci_root, dev);

	if (region == PVM_PCI_REGION_PORTS)
		return ports_read(root, off, bytes);
	if ((off & (PVM_PCI_CFG_BYTES - 1)) + bytes > PVM_PCI_CFG_BYTES)
		return pvm_bytes_mask(bytes);
	return cfg_read(root, off >> 12, off & (PVM_PCI_CFG_BYTES - 1), bytes);
}

static void root_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	struct pvm_pci_root *root = container_of(d, struct pvm_pci_root, dev);

	if (region == PVM_PCI_REGION_PORTS)
		ports_write(root, off, bytes, val);
	else if ((off & (PVM_PCI_CFG_BYTES - 1)) + bytes <= PVM_PCI_CFG_BYTES)
		cfg_write(root, off >> 12, off & (PVM_PCI_CFG_BYTES - 1), bytes, val);
}

static void root_reset(struct pvm_dev *d)
{
	struct pvm_pci_root *root = container_of(d, struct pvm_pci_root, dev);
	u32 i;

	root->address = 0;
	for (i = 0; i < PVM_PCI_FNS; i++) {
		struct pvm_pci_fn *fn = root->fn[i];

		if (!fn)
			continue;
		lock(fn);
		if (fn->cfg)
			pvm_pci_cfg_reset(fn);
		if (fn->ops->reset)
			fn->ops->reset(fn);
		unlock(fn);
	}
}

static const struct pvm_state_desc root_state[] = {
	PVM_STATE(struct pvm_pci_root, address),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_pci_root_ops = {
	.name = "pci-root",
	.reset = root_reset,
	.read = root_read,
	.write = root_write,
	.state = root_state,
};
