// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPUID view of a guest: host leaves through the policy table, with a
 * topology of one package that holds every vCPU as a core of its own.
 *
 * World:   pure
 * Context: any
 * Spec:    SDM2 "CPUID"; APM3 Appendix E
 */
#include "x86/cpuid.h"

#define LEAF_MAX_BASIC		0x1f
#define LEAF_HYPER		0x40000000
#define LEAF_TIMING		0x40000010
#define LEAF_KVM		0x40000100
#define LEAF_EXTENDED		0x80000000
#define LEAF_MAX_EXTENDED	0x80000021

#define APIC_BUS_KHZ		1000000

#define XSAVE_LEGACY_BYTES	576	/* the FXSAVE area and the header */
#define XSAVE_ALIGN		BIT(1)	/* 0DH.n ECX: 64-byte aligned when compacted */

enum { EAX, EBX, ECX, EDX };

static u32 *reg_of(struct pvm_cpuid_regs *r, u32 reg)
{
	u32 *const regs[4] = { &r->eax, &r->ebx, &r->ecx, &r->edx };

	return regs[reg & 3];
}

/* Width of the core number within an APIC id. */
static u32 topology_shift(const struct pvm_cpuid *c)
{
	return c->cpus > 1 ? fls(c->cpus - 1) : 0;
}

static const struct pvm_cpuid_entry *find(const struct pvm_cpuid *c, u32 leaf, u32 subleaf)
{
	u32 low = 0, high = c->count;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (c->entry[mid].leaf < leaf)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < c->count && c->entry[low].leaf == leaf; low++)
		if (!c->entry[low].indexed || c->entry[low].subleaf == subleaf)
			return &c->entry[low];
	return NULL;
}

/* ---- building ---- */

struct build {
	struct pvm_cpuid *c;
	const struct pvm_cpuid_policy *p;
	pvm_cpuid_host_fn host;
	bool full;
};

/* In ascending order only. */
static void append(struct build *b, u32 leaf, u32 subleaf, bool indexed,
		   const struct pvm_cpuid_regs *r)
{
	if (b->c->count >= PVM_CPUID_MAX) {
		b->full = true;
		return;
	}
	b->c->entry[b->c->count++] = (struct pvm_cpuid_entry){
		.leaf = leaf, .subleaf = subleaf, .indexed = indexed, .r = *r,
	};
}

/* The host's leaf as the policy lets it through. */
static struct pvm_cpuid_regs filtered(const struct build *b, u32 leaf, u32 subleaf)
{
	char vendor = b->c->intel ? 'I' : 'A';
	struct pvm_cpuid_regs in, out = { 0 };
	u32 i;

	b->host(leaf, subleaf, &in);
	for (i = 0; i < pvm_cpuid_rows; i++) {
		const struct pvm_cpuid_row *row = &pvm_cpuid_table[i];

		if (row->leaf != leaf || row->subleaf != subleaf ||
		    (row->vendor && row->vendor != vendor))
			continue;
		*reg_of(&out, row->reg) |= (*reg_of(&in, row->reg) & row->mask) | row->set;
	}
	for (i = 0; i < pvm_cpuid_need_rows; i++) {
		const struct pvm_cpuid_need *need = &pvm_cpuid_needs[i];

		if (need->leaf == leaf && need->subleaf == subleaf &&
		    (b->c->xcr0_mask & need->xcr0) != need->xcr0)
			*reg_of(&out, need->reg) &= ~need->clear;
	}
	return out;
}

static void find_limits(struct build *b)
{
	struct pvm_cpuid *c = b->c;
	struct pvm_cpuid_regs r;

	b->host(0, 0, &r);
	/* "AuthenticAMD", "HygonGenuine" */
	c->intel = r.ebx != 0x68747541 && r.ebx != 0x6f677948;
	c->max_basic = min_t(u32, r.eax, LEAF_MAX_BASIC);
	b->host(LEAF_EXTENDED, 0, &r);
	c->max_extended = clamp(r.eax, (u32)LEAF_EXTENDED, (u32)LEAF_MAX_EXTENDED);
	if (!b->p->hide_hypervisor)
		c->max_hyper = LEAF_TIMING;

	b->host(1, 0, &r);
	if (c->max_basic >= 0xd && r.ecx & BIT(26)) {
		b->host(0xd, 0, &r);
		c->xcr0_mask = b->p->xcr0_host & PVM_XCR0_ALL & (r.eax | (u64)r.edx << 32);
	}
	if (!(c->xcr0_mask & PVM_XCR0_SSE))
		c->xcr0_mask = 0;
	if (!(c->xcr0_mask & PVM_XCR0_AVX) ||
	    (c->xcr0_mask & PVM_XCR0_AVX512) != PVM_XCR0_AVX512)
		c->xcr0_mask &= ~PVM_XCR0_AVX512;

	c->phys_bits = 36;
	if (c->max_extended >= 0x80000008) {
		b->host(0x80000008, 0, &r);
		c->phys_bits = clamp(r.eax & 0xff, 32u, 52u);
	}
	if (c->max_extended >= 0x80000001) {
		b->host(0x80000001, 0, &r);
		c->long_mode = r.edx & BIT(29);
	}
}

static void build_leaf1(struct build *b)
{
	struct pvm_cpuid_regs r = filtered(b, 1, 0);

	r.ebx |= (1u << topology_shift(b->c)) << 16;
	if (b->c->cpus > 1)
		r.edx |= BIT(28);
	if (b->p->x2apic)
		r.ecx |= BIT(21);
	if (b->p->tsc_deadline)
		r.ecx |= BIT(24);
	if (!b->p->hide_hypervisor)
		r.ecx |= BIT(31);
	append(b, 1, 0, false, &r);
}

/* Caches: the first two levels belong to a core, the third to all of them. */
static void build_caches(struct build *b, u32 leaf)
{
	u32 others = (1u << topology_shift(b->c)) - 1, i;
	struct pvm_cpuid_regs r;

	for (i = 0; i < 8; i++) {
		b->host(leaf, i, &r);
		if (!(r.eax & 0x1f))
			return;
		r.eax &= (1u << 14) - 1;
		if ((r.eax >> 5 & 7) >= 3)
			r.eax |= others << 14;
		if (leaf == 4)
			r.eax |= others << 26;
		append(b, leaf, i, true, &r);
	}
}

static void build_features(struct build *b)
{
	struct pvm_cpuid_regs r;
	u32 i, last = 0;

	b->host(7, 0, &r);
	last = min_t(u32, r.eax, 2);
	for (i = 0; i <= last; i++) {
		r = filtered(b, 7, i);
		if (i == 0)
			r.eax = last;
		append(b, 7, i, true, &r);
	}
}

/* 0BH and 1FH: one thread in a core, all cores in the package. */
static void build_topology(struct build *b, u32 leaf)
{
	struct pvm_cpuid_regs thread = { .eax = 0, .ebx = 1, .ecx = 1 << 8 };
	struct pvm_cpuid_regs core = {
		.eax = topology_shift(b->c), .ebx = b->c->cpus, .ecx = 2 << 8 | 1,
	};

	append(b, leaf, 0, true, &thread);
	append(b, leaf, 1, true, &core);
}

static void build_xsave(struct build *b)
{
	struct pvm_cpuid_regs r = { .eax = b->c->xcr0_mask, .edx = b->c->xcr0_mask >> 32 };
	u32 i;

	if (!b->c->xcr0_mask)
		return;
	append(b, 0xd, 0, true, &r);
	r = filtered(b, 0xd, 1);
	append(b, 0xd, 1, true, &r);
	for (i = 2; i < 32; i++) {
		if (!(b->c->xcr0_mask & BIT_ULL(i)))
			continue;
		b->host(0xd, i, &r);
		r.ecx &= XSAVE_ALIGN;
		r.edx = 0;
		append(b, 0xd, i, true, &r);
	}
}

static u64 common_divisor(u64 x, u64 y)
{
	while (y) {
		u64 rest = x - div64_u64(x, y) * y;

		x = y;
		y = rest;
	}
	return x;
}

/*
 * Frequencies. The crystal is the clock of the APIC timer, so it must be the
 * APIC bus. Readers multiply crystal kHz and numerator in 32 bits; where that
 * would overflow, the leaf stays empty and the guest calibrates.
 */
static void build_frequencies(struct build *b)
{
	u64 divisor = common_divisor(b->p->tsc_khz, APIC_BUS_KHZ);
	struct pvm_cpuid_regs r = { 0 };

	if (!b->c->intel || !b->p->tsc_khz)
		return;
	if (b->c->max_basic >= 0x15) {
		u64 numerator = div64_u64(b->p->tsc_khz, divisor);

		if (numerator * APIC_BUS_KHZ <= 0xffffffff) {
			r.eax = div64_u64(APIC_BUS_KHZ, divisor);
			r.ebx = numerator;
			r.ecx = APIC_BUS_KHZ * 1000u;
		}
		append(b, 0x15, 0, false, &r);
	}
	if (b->c->max_basic >= 0x16) {
		u32 mhz = div64_u64(b->p->tsc_khz + 500, 1000);

		r = (struct pvm_cpuid_regs){ .eax = mhz, .ebx = mhz, .ecx = 100 };
		append(b, 0x16, 0, false, &r);
	}
}

static void build_basic(struct build *b)
{
	struct pvm_cpuid *c = b->c;
	struct pvm_cpuid_regs r;

	b->host(0, 0, &r);
	r.eax = c->max_basic;
	append(b, 0, 0, false, &r);
	build_leaf1(b);
	if (c->intel && c->max_basic >= 2) {
		r = filtered(b, 2, 0);
		append(b, 2, 0, false, &r);
	}
	if (c->intel && c->max_basic >= 4)
		build_caches(b, 4);
	if (c->max_basic >= 6) {
		r = filtered(b, 6, 0);
		append(b, 6, 0, false, &r);
	}
	if (c->max_basic >= 7)
		build_features(b);
	if (c->max_basic >= 0xb)
		build_topology(b, 0xb);
	build_xsave(b);
	build_frequencies(b);
	if (c->intel && c->max_basic >= 0x1f)
		build_topology(b, 0x1f);
}

static void build_hypervisor(struct build *b)
{
	struct pvm_cpuid_regs r = { .eax = LEAF_TIMING };

	if (!b->c->max_hyper)
		return;
	memcpy(&r.ebx, "pass", 4);
	memcpy(&r.ecx, "vmpa", 4);
	memcpy(&r.edx, "ssvm", 4);
	append(b, LEAF_HYPER, 0, false, &r);
	r = (struct pvm_cpuid_regs){ .eax = b->p->tsc_khz, .ebx = APIC_BUS_KHZ };
	append(b, LEAF_TIMING, 0, false, &r);
	/*
	 * KVM's interface, where guests look for it behind another one, without any
	 * of its features but that ports need no delay: a Linux guest then trusts
	 * x2APIC without interrupt remapping.
	 */
	r = (struct pvm_cpuid_regs){ .eax = LEAF_KVM + 1 };
	memcpy(&r.ebx, "KVMK", 4);
	memcpy(&r.ecx, "VMKV", 4);
	memcpy(&r.edx, "M\0\0\0", 4);
	append(b, LEAF_KVM, 0, false, &r);
	r = (struct pvm_cpuid_regs){ .eax = BIT(1) };
	append(b, LEAF_KVM + 1, 0, false, &r);
}

static void build_filtered(struct build *b, u32 leaf)
{
	struct pvm_cpuid_regs r = filtered(b, leaf, 0);

	/* Emulators keep the TSC steady and do not say so; the host's kernel has found out. */
	if (leaf == 0x80000007 && b->p->invariant_tsc)
		r.edx |= BIT(8);
	if (leaf <= b->c->max_extended)
		append(b, leaf, 0, false, &r);
}

static void build_ext_features(struct build *b)
{
	struct pvm_cpuid_regs r = filtered(b, 0x80000001, 0);

	if (!b->c->intel && b->c->cpus > 1)
		r.ecx |= BIT(1);	/* CmpLegacy: cores, not threads */
	append(b, 0x80000001, 0, false, &r);
}

static void build_ext_sizes(struct build *b)
{
	struct pvm_cpuid_regs r = filtered(b, 0x80000008, 0);

	if (!b->c->intel)
		r.ecx = (b->c->cpus - 1) | topology_shift(b->c) << 12;
	append(b, 0x80000008, 0, false, &r);
}

static void build_extended(struct build *b)
{
	struct pvm_cpuid *c = b->c;
	struct pvm_cpuid_regs r;
	bool topoext;
	u32 leaf;

	b->host(LEAF_EXTENDED, 0, &r);
	r.eax = c->max_extended;
	append(b, LEAF_EXTENDED, 0, false, &r);
	if (c->max_extended >= 0x80000001)
		build_ext_features(b);
	topoext = !c->intel && pvm_cpuid_has(c, 0x80000001, 0, ECX, 22);
	for (leaf = 0x80000002; leaf <= 0x80000004 && leaf <= c->max_extended; leaf++) {
		b->host(leaf, 0, &r);		/* the name */
		append(b, leaf, 0, false, &r);
	}
	for (leaf = 0x80000005; leaf <= 0x80000007; leaf++)
		build_filtered(b, leaf);
	if (c->max_extended >= 0x80000008)
		build_ext_sizes(b);
	build_filtered(b, 0x80000019);
	build_filtered(b, 0x8000001a);
	if (topoext && c->max_extended >= 0x8000001e) {
		build_caches(b, 0x8000001d);
		r = (struct pvm_cpuid_regs){ 0 };
		append(b, 0x8000001e, 0, false, &r);
	}
	build_filtered(b, 0x80000021);
}

int pvm_cpuid_build(struct pvm_cpuid *c, const struct pvm_cpuid_policy *p,
		    pvm_cpuid_host_fn host)
{
	struct build b = { .c = c, .p = p, .host = host };

	memset(c, 0, sizeof(*c));
	c->cpus = clamp(p->cpus, 1u, (u32)PVM_MAX_VCPUS);
	find_limits(&b);
	build_basic(&b);
	build_hypervisor(&b);
	build_extended(&b);
	return b.full ? -E2BIG : 0;
}

/* ---- looking up ---- */

static u32 xsave_bytes(const struct pvm_cpuid *c, u64 features, bool compact)
{
	u32 bytes = XSAVE_LEGACY_BYTES, i;

	for (i = 2; i < 32; i++) {
		const struct pvm_cpuid_entry *e;

		if (!(features & BIT_ULL(i)))
			continue;
		e = find(c, 0xd, i);
		if (!e)
			continue;
		if (!compact) {
			bytes = max(bytes, e->r.eax + e->r.ebx);
			continue;
		}
		if (e->r.ecx & XSAVE_ALIGN)
			bytes = ALIGN(bytes, 64u);
		bytes += e->r.eax;
	}
	return bytes;
}

/* The highest basic leaf stands in for those out of range, on Intel only. */
static bool leaf_known(const struct pvm_cpuid *c, u32 leaf)
{
	if (leaf >= LEAF_EXTENDED)
		return leaf <= c->max_extended;
	if (leaf >= LEAF_HYPER && leaf <= LEAF_HYPER + 0xffff && c->max_hyper)
		return true;
	return leaf <= c->max_basic;
}

void pvm_cpuid_lookup(const struct pvm_cpuid *c, u32 leaf, u32 subleaf, u32 apic_id,
		      u64 cr4, u64 xcr0, u64 xss, struct pvm_cpuid_regs *r)
{
	const struct pvm_cpuid_entry *e;

	if (!leaf_known(c, leaf) && c->intel)
		leaf = c->max_basic;
	e = find(c, leaf, subleaf);
	*r = e ? e->r : (struct pvm_cpuid_regs){ 0 };

	switch (leaf) {
	case 1:
		r->ebx |= apic_id << 24;
		if (cr4 & PVM_CR4_OSXSAVE)
			r->ecx |= BIT(27);
		break;
	case 7:
		if (!subleaf && cr4 & PVM_CR4_PKE)
			r->ecx |= BIT(4);
		break;
	case 0xb:
	case 0x1f:
		if (leaf > c->max_basic || !find(c, leaf, 0))
			break;
		r->ecx |= subleaf & 0xff;
		r->edx = apic_id;
		break;
	case 0xd:
		if (!e || subleaf > 1)
			break;
		if (subleaf == 0) {
			r->ebx = xsave_bytes(c, xcr0, false);
			r->ecx = xsave_bytes(c, c->xcr0_mask, false);
		} else if (r->eax & BIT(1)) {
			r->ebx = xsave_bytes(c, xcr0 | xss, true);
		}
		break;
	case 0x8000001e:
		if (!e)
			break;
		r->eax = apic_id;
		r->ebx = apic_id & 0xff;
		break;
	}
}

bool pvm_cpuid_has(const struct pvm_cpuid *c, u32 leaf, u32 subleaf, u32 reg, u32 bit)
{
	const struct pvm_cpuid_entry *e = find(c, leaf, subleaf);
	struct pvm_cpuid_regs r;

	if (!e)
		return false;
	r = e->r;
	return *reg_of(&r, reg) >> (bit & 31) & 1;
}

struct feature_bits {
	u32 leaf;
	u8 reg, bit;
	u64 bits;
};

static u64 bits_offered(const struct pvm_cpuid *c, const struct feature_bits *rows, u32 count)
{
	u64 bits = 0;
	u32 i;

	for (i = 0; i < count; i++)
		if (pvm_cpuid_has(c, rows[i].leaf, 0, rows[i].reg, rows[i].bit))
			bits |= rows[i].bits;
	return bits;
}

u64 pvm_cpuid_cr4_valid(const struct pvm_cpuid *c)
{
	static const struct feature_bits rows[] = {
		{ 1, EDX, 1, PVM_CR4_VME | PVM_CR4_PVI },
		{ 1, EDX, 2, PVM_CR4_DE },
		{ 1, EDX, 3, PVM_CR4_PSE },
		{ 1, EDX, 4, PVM_CR4_TSD },
		{ 1, EDX, 6, PVM_CR4_PAE },
		{ 1, EDX, 7, PVM_CR4_MCE },
		{ 1, EDX, 13, PVM_CR4_PGE },
		{ 1, EDX, 24, PVM_CR4_OSFXSR },
		{ 1, EDX, 25, PVM_CR4_OSXMMEXCPT },
		{ 1, ECX, 17, PVM_CR4_PCIDE },
		{ 1, ECX, 26, PVM_CR4_OSXSAVE },
		{ 7, EBX, 0, PVM_CR4_FSGSBASE },
		{ 7, EBX, 7, PVM_CR4_SMEP },
		{ 7, EBX, 20, PVM_CR4_SMAP },
		{ 7, ECX, 2, PVM_CR4_UMIP },
		{ 7, ECX, 3, PVM_CR4_PKE },
	};

	/* RDPMC exists on every CPU that has virtualisation */
	return bits_offered(c, rows, ARRAY_SIZE(rows)) | PVM_CR4_PCE;
}

u64 pvm_cpuid_efer_valid(const struct pvm_cpuid *c)
{
	static const struct feature_bits rows[] = {
		{ 0x80000001, EDX, 11, PVM_EFER_SCE },
		{ 0x80000001, EDX, 20, PVM_EFER_NXE },
		{ 0x80000001, EDX, 25, PVM_EFER_FFXSR },
		{ 0x80000001, EDX, 29, PVM_EFER_LME | PVM_EFER_LMA },
	};

	return bits_offered(c, rows, ARRAY_SIZE(rows));
}
