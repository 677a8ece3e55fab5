// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated instructions: what the pure executor needs of this vCPU.
 *
 * Linear addresses go through the guest's page tables; what lands in RAM is
 * copied, the local APIC's page is answered by this vCPU's own, the rest goes to
 * the bus. Nothing here faults or sleeps: guest memory is the module's own.
 *
 * World:   kernel
 * Context: owner thread, IRQs off
 */
#include "cpu/cpu.h"
#include "x86/insn.h"

#define PVM_EMUL_REP	64	/* iterations of a REP before the guest may be interrupted */

static int pvm_emul_walk_read(void *ctx, u64 gpa, void *to, u32 bytes)
{
	struct pvm_vcpu *v = ctx;
	void *p = pvm_mem_ptr(v->m->mem, gpa, bytes);

	if (!p)
		return -EFAULT;
	if (bytes == 8)
		*(u64 *)to = READ_ONCE(*(u64 *)p);
	else
		memcpy(to, p, bytes);
	return 0;
}

static int pvm_emul_walk_set(void *ctx, u64 gpa, u64 old, u64 bits, u32 bytes)
{
	struct pvm_vcpu *v = ctx;
	u64 new = old | bits;
	bool swapped = false;
	int err;

	err = pvm_mem_cmpxchg(v->m->mem, gpa, &old, &new, bytes, &swapped);
	return err ? err : !swapped;
}

static const struct pvm_walk_ops pvm_emul_walk_ops = {
	.read		= pvm_emul_walk_read,
	.set_bits	= pvm_emul_walk_set,
};

static int pvm_emul_translate(struct pvm_vcpu *v, u64 linear, u32 access, u64 *gpa, u64 *left,
			      struct pvm_fault *fault)
{
	if (v->regs.cpl == 3 && !(access & PVM_ACCESS_IMPLICIT_SUPERVISOR))
		access |= PVM_ACCESS_USER;
	return pvm_walk(&v->regs, linear, access, v->m->caps.phys_bits, &pvm_emul_walk_ops, v,
			gpa, left, fault);
}

static bool pvm_emul_is_lapic(struct pvm_vcpu *v, u64 gpa)
{
	return pvm_lapic_mode(&v->lapic) == PVM_LAPIC_MODE_XAPIC &&
	       (gpa & PVM_PAGE_MASK) == (v->lapic.base & PVM_PAGE_MASK & GENMASK_ULL(51, 12));
}

/* One access of a power of two up to 8 bytes, to a device. */
static u64 pvm_emul_device_read(struct pvm_vcpu *v, u64 gpa, u32 bytes)
{
	u64 val = ~0ull;

	if (pvm_emul_is_lapic(v, gpa))
		return pvm_lapic_mmio_read(&v->lapic, gpa & ~PVM_PAGE_MASK, bytes);
	pvm_bus_read(v->m->bus, PVM_SPACE_MMIO, gpa, bytes, &val);
	return val;
}

static void pvm_emul_device_write(struct pvm_vcpu *v, u64 gpa, u32 bytes, u64 val)
{
	if (pvm_emul_is_lapic(v, gpa)) {
		pvm_lapic_mmio_write(&v->lapic, gpa & ~PVM_PAGE_MASK, bytes, val);
		v->event_check = true;
	} else {
		pvm_bus_write(v->m->bus, PVM_SPACE_MMIO, gpa, bytes, val);
	}
}

/* Largest power of two that divides the address and fits. */
static u32 pvm_emul_piece(u64 gpa, u32 bytes)
{
	u32 piece = bytes >= 8 ? 8 : 1u << (fls(bytes) - 1);

	/* An access that the guest made as one stays one, also where it is not aligned. */
	if (piece == bytes)
		return piece;
	while (gpa & (piece - 1))
		piece /= 2;
	return piece;
}

static void pvm_emul_page_read(struct pvm_vcpu *v, u64 gpa, u8 *to, u32 bytes)
{
	void *p = pvm_mem_ptr(v->m->mem, gpa, bytes);

	if (p) {
		memcpy(to, p, bytes);
		return;
	}
	while (bytes) {
		u32 piece = pvm_emul_piece(gpa, bytes);
		u64 val = pvm_emul_device_read(v, gpa, piece);

		memcpy(to, &val, piece);
		to += piece;
		gpa += piece;
		bytes -= piece;
	}
}

static void pvm_emul_page_write(struct pvm_vcpu *v, u64 gpa, const u8 *from, u32 bytes)
{
	if (!pvm_mem_write(v->m->mem, gpa, from, bytes))
		return;
	while (bytes) {
		u32 piece = pvm_emul_piece(gpa, bytes);
		u64 val = 0;

		memcpy(&val, from, piece);
		pvm_emul_device_write(v, gpa, piece, val);
		from += piece;
		gpa += piece;
		bytes -= piece;
	}
}

static int pvm_emul_read(void *ctx, u64 linear, void *to, u32 bytes, u32 access,
			 struct pvm_fault *fault)
{
	struct pvm_vcpu *v = ctx;
	u64 gpa, left;
	int err;

	while (bytes) {
		u32 part;

		err = pvm_emul_translate(v, linear, access, &gpa, &left, fault);
		if (err)
			return err;
		part = min_t(u64, bytes, PVM_PAGE_BYTES - (gpa & ~PVM_PAGE_MASK));
		pvm_emul_page_read(v, gpa, to, part);
		to += part;
		linear += part;
		bytes -= part;
	}
	return 0;
}

static int pvm_emul_write(void *ctx, u64 linear, const void *from, u32 bytes, u32 access,
			  struct pvm_fault *fault)
{
	struct pvm_vcpu *v = ctx;
	u64 gpa[2], left;
	u32 first;
	int err;

	access |= PVM_ACCESS_WRITE;
	err = pvm_emul_translate(v, linear, access, &gpa[0], &left, fault);
	if (err)
		return err;
	first = min_t(u64, bytes, PVM_PAGE_BYTES - (gpa[0] & ~PVM_PAGE_MASK));
	if (first < bytes) {
		err = pvm_emul_translate(v, linear + first, access, &gpa[1], &left, fault);
		if (err)
			return err;
	}
	pvm_emul_page_write(v, gpa[0], from, first);
	if (first < bytes)
		pvm_emul_page_write(v, gpa[1], from + first, bytes - first);
	return 0;
}

static int pvm_emul_cmpxchg(void *ctx, u64 linear, void *expected, const void *desired, u32 bytes,
			    bool *swapped, struct pvm_fault *fault)
{
	struct pvm_vcpu *v = ctx;
	u64 gpa, left;
	int err;

	err = pvm_emul_translate(v, linear, PVM_ACCESS_WRITE, &gpa, &left, fault);
	if (err)
		return err;
	if (bytes <= 8 && IS_ALIGNED(gpa, bytes) &&
	    !pvm_mem_cmpxchg(v->m->mem, gpa, expected, desired, bytes, swapped))
		return 0;
	/*
	 * On a device, or split over a boundary: as two accesses, as a bus without
	 * lock does. The executor has read @expected a moment ago.
	 */
	*swapped = true;
	return pvm_emul_write(v, linear, desired, bytes, 0, fault);
}

static int pvm_emul_port_read(void *ctx, u16 port, u32 bytes, u64 *val)
{
	struct pvm_vcpu *v = ctx;

	pvm_bus_read(v->m->bus, PVM_SPACE_PIO, port, bytes, val);
	return 0;
}

static int pvm_emul_port_write(void *ctx, u16 port, u32 bytes, u64 val)
{
	struct pvm_vcpu *v = ctx;

	pvm_bus_write(v->m->bus, PVM_SPACE_PIO, port, bytes, val);
	return 0;
}

/* The registers move through the saved image; the emulator asks seldom. */
static int pvm_emul_xmm_read(void *ctx, u32 reg, void *to, u32 bytes)
{
	return pvm_fpu_xmm_read(ctx, reg, to, bytes) ? 0 : -EINVAL;
}

static int pvm_emul_xmm_write(void *ctx, u32 reg, const void *from, u32 bytes)
{
	return pvm_fpu_xmm_write(ctx, reg, from, bytes, bytes > 16) ? 0 : -EINVAL;
}

static const struct pvm_emul_ops pvm_emul_ops = {
	.read		= pvm_emul_read,
	.write		= pvm_emul_write,
	.cmpxchg	= pvm_emul_cmpxchg,
	.port_read	= pvm_emul_port_read,
	.port_write	= pvm_emul_port_write,
	.xmm_read	= pvm_emul_xmm_read,
	.xmm_write	= pvm_emul_xmm_write,
};

/* The bytes at RIP: how many; 0 with *fault; -EFAULT where code is not in RAM. */
static int pvm_emul_fetch(struct pvm_vcpu *v, u8 *bytes, u32 want, struct pvm_fault *fault)
{
	u64 linear = v->regs.rip, gpa, left;
	u32 have = 0;
	int err;

	if (!pvm_regs_long_mode(&v->regs))
		linear = (u32)(linear + v->regs.seg[PVM_CS].base);
	while (have < want) {
		u32 part;
		void *p;

		err = pvm_emul_translate(v, linear + have, PVM_ACCESS_FETCH, &gpa, &left, fault);
		if (err)
			return have || err == 1 ? (int)have : err;
		part = min_t(u64, want - have, PVM_PAGE_BYTES - (gpa & ~PVM_PAGE_MASK));
		p = pvm_mem_ptr(v->m->mem, gpa, part);
		if (!p)
			return have ? (int)have : -EFAULT;
		memcpy(bytes + have, p, part);
		have += part;
	}
	return have;
}

int pvm_emul_decode(struct pvm_vcpu *v, const struct pvm_exit *x, struct pvm_insn *insn,
		    struct pvm_fault *fault)
{
	u8 bytes[PVM_INSN_MAX];
	int err, count;

	if (x->insn_count) {
		err = pvm_decode(insn, &v->regs, x->insn, x->insn_count, fault);
		if (err != -EAGAIN)
			return err;
	}
	count = pvm_emul_fetch(v, bytes, sizeof(bytes), fault);
	if (count < 0)
		return count;
	if (!count)
		return 1;	/* the fetch itself faults */
	err = pvm_decode(insn, &v->regs, bytes, count, fault);
	if (err == -EAGAIN) {
		/* The rest is on a page that faults: raise that fault. */
		u64 gpa, left, linear = v->regs.rip + count;

		if (!pvm_regs_long_mode(&v->regs))
			linear = (u32)(linear + v->regs.seg[PVM_CS].base);
		err = pvm_emul_translate(v, linear, PVM_ACCESS_FETCH, &gpa, &left, fault);
		return err == 1 ? 1 : -EINVAL;
	}
	return err;
}

static void pvm_emul_kill(struct pvm_vcpu *v, const struct pvm_exit *x, const char *what)
{
	u8 b[PVM_INSN_MAX] = { };
	struct pvm_fault fault;

	pvm_emul_fetch(v, b, sizeof(b), &fault);
	pvm_vm_kill(v->m->vm, PVM_END_CRASH,
		    "vCPU %u: %s: rip %llx, cr3 %llx, gpa %llx, bytes %*ph", v->index, what,
		    v->regs.rip, v->regs.cr3, x->kind == PVM_EXIT_MMIO ? x->mem.gpa : 0,
		    (int)sizeof(b), b);
}

enum pvm_go pvm_emul_insn(struct pvm_vcpu *v, struct pvm_exit *x)
{
	const struct pvm_cpu_ops *ops = v->m->ops;
	bool tf = v->regs.rflags & PVM_FLAG_TF;
	u64 rcx = v->regs.gpr[PVM_RCX];
	struct pvm_fault fault = { };
	struct pvm_insn insn;
	int err;

	ops->regs_get(v, PVM_REGS_SEG | PVM_REGS_CR | PVM_REGS_DT);
	err = pvm_emul_decode(v, x, &insn, &fault);
	if (err == 1) {
		pvm_event_fault(v, &fault);
		return PVM_GO_RESUME;
	}
	if (err == -EAGAIN)
		return PVM_GO_RESUME;	/* its page tables kept changing */
	if (err) {
		pvm_emul_kill(v, x, err == -EFAULT ? "code is not in RAM" :
						     "an instruction that passvm cannot emulate");
		return PVM_GO_STOP;
	}
	switch (pvm_exec(&insn, &v->regs, &pvm_emul_ops, v, tf ? 1 : PVM_EMUL_REP, &fault)) {
	case PVM_EMUL_DONE:
		/* RIP has moved; the length is only for the trap flag and the shadow. */
		x->len = 0;
		v->stepped_over = true;
		if (unlikely(tf))
			pvm_exit_stepped(v);
		if (insn.op == PVM_OP_MOV_TO_SREG || insn.op == PVM_OP_POP)
			ops->regs_set(v, PVM_REGS_SEG);
		return PVM_GO_RESUME;
	case PVM_EMUL_AGAIN:
		/* A REP is stepped once an iteration; without progress nothing is owed. */
		if (unlikely(tf && rcx != v->regs.gpr[PVM_RCX]))
			pvm_exit_stepped(v);
		return PVM_GO_RESUME;
	case PVM_EMUL_FAULT:
		pvm_event_fault(v, &fault);
		return PVM_GO_RESUME;
	default:
		pvm_emul_kill(v, x, "an access that passvm cannot emulate");
		return PVM_GO_STOP;
	}
}
