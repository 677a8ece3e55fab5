// SPDX-License-Identifier: GPL-2.0-only
/*
 * One handler for each kind of exit.
 *
 * Handlers run inside the IRQs-off window and answer whether to enter again.
 * They see only the neutral record; what differs between the vendors was
 * settled by ops->decode().
 *
 * Tour 4.1: what an exit does
 * Start at the table at the end: one handler for each kind. They know no vendor.
 *
 * World:   kernel
 * Context: owner thread, IRQs off
 * Spec:    as each handler says
 */
#include "cpu/cpu.h"
#include "trace/trace.h"
#include "x86/insn.h"

const char *const pvm_exit_names[PVM_EXIT_KINDS] = {
	[PVM_EXIT_NONE]		= "none",
	[PVM_EXIT_INTR]		= "interrupt",
	[PVM_EXIT_CPUID]	= "cpuid",
	[PVM_EXIT_IO]		= "io",
	[PVM_EXIT_RDMSR]	= "rdmsr",
	[PVM_EXIT_WRMSR]	= "wrmsr",
	[PVM_EXIT_HLT]		= "hlt",
	[PVM_EXIT_MMIO]		= "mmio",
	[PVM_EXIT_CR]		= "cr",
	[PVM_EXIT_DR]		= "dr",
	[PVM_EXIT_WINDOW]	= "window",
	[PVM_EXIT_EXCEPTION]	= "exception",
	[PVM_EXIT_XSETBV]	= "xsetbv",
	[PVM_EXIT_PAUSE]	= "pause",
	[PVM_EXIT_CACHE]	= "cache",
	[PVM_EXIT_INVLPG]	= "invlpg",
	[PVM_EXIT_MWAIT]	= "mwait",
	[PVM_EXIT_RDPMC]	= "rdpmc",
	[PVM_EXIT_HYPERCALL]	= "hypercall",
	[PVM_EXIT_UNDEFINED]	= "undefined",
	[PVM_EXIT_TASK_SWITCH]	= "task-switch",
	[PVM_EXIT_SHUTDOWN]	= "shutdown",
	[PVM_EXIT_INIT]		= "init",
	[PVM_EXIT_BROKEN]	= "broken",
};

/*
 * Instruction lengths seen at an address, for CPUs that do not tell them.
 * Direct-mapped; keyed by address space, RIP and kind of exit, so a stale entry
 * needs the guest to replace a trapping instruction by the same one with other
 * prefixes: then the guest alone is wrong.
 */
static __always_inline struct pvm_len_cache *pvm_exit_len_entry(struct pvm_vcpu *v)
{
	return &v->len_cache[(v->regs.rip >> 1) % PVM_LEN_CACHE];
}

static __always_inline bool pvm_exit_len_hit(struct pvm_vcpu *v, const struct pvm_len_cache *c,
					     u32 kind)
{
	return c->rip == v->regs.rip && c->cr3 == v->regs.cr3 && c->kind == kind;
}

/* Decodes the instruction at RIP for its length, and remembers it. 0: cannot be read. */
static noinline u32 pvm_exit_insn_len(struct pvm_vcpu *v, struct pvm_exit *x)
{
	struct pvm_len_cache *c = pvm_exit_len_entry(v);
	struct pvm_fault fault;
	struct pvm_insn insn;

	v->m->ops->regs_get(v, PVM_REGS_SEG | PVM_REGS_CR);
	if (pvm_emul_decode(v, x, &insn, &fault))
		return 0;
	*c = (struct pvm_len_cache){
		.rip = v->regs.rip, .cr3 = v->regs.cr3, .kind = x->kind, .len = insn.len,
	};
	return insn.len;
}

static noinline bool pvm_exit_no_len(struct pvm_vcpu *v, struct pvm_exit *x)
{
	pvm_vm_kill(v->m->vm, PVM_END_CRASH,
		    "vCPU %u: the instruction at rip %llx (exit %x) cannot be read",
		    v->index, v->regs.rip, x->code);
	return false;
}

void pvm_exit_stepped(struct pvm_vcpu *v)
{
	v->m->ops->regs_get(v, PVM_REGS_DR);
	v->regs.dr6 |= BIT_ULL(14);	/* SDM3 "Debug Status Register (DR6)": BS */
	v->m->ops->regs_set(v, PVM_REGS_DR);
	pvm_event_raise(v, PVM_VEC_DB, false, 0);
}

static __always_inline bool pvm_exit_skip(struct pvm_vcpu *v, struct pvm_exit *x)
{
	struct pvm_len_cache *c;
	u64 rip;

	if (!x->len) {
		c = pvm_exit_len_entry(v);
		x->len = likely(pvm_exit_len_hit(v, c, x->kind)) ? c->len :
								   pvm_exit_insn_len(v, x);
	}
	if (unlikely(x->len - 1 >= PVM_INSN_MAX))
		return pvm_exit_no_len(v, x);
	rip = v->regs.rip + x->len;
	if (unlikely(rip >> 32 && !(v->regs.rip >> 32)))
		rip = (u32)rip;	/* only 64-bit code gets there, and not from below in a step */
	v->regs.rip = rip;
	v->stepped_over = true;
	if (unlikely(v->regs.rflags & PVM_FLAG_TF))
		pvm_exit_stepped(v);
	return true;
}

/* The common end: step over the instruction and go on. */
static enum pvm_go pvm_exit_done(struct pvm_vcpu *v, struct pvm_exit *x)
{
	return pvm_exit_skip(v, x) ? PVM_GO_RESUME : PVM_GO_STOP;
}

static enum pvm_go pvm_exit_gp(struct pvm_vcpu *v)
{
	pvm_event_raise(v, PVM_VEC_GP, true, 0);
	return PVM_GO_RESUME;
}

static enum pvm_go pvm_exit_ud(struct pvm_vcpu *v, struct pvm_exit *x)
{
	pvm_event_raise(v, PVM_VEC_UD, false, 0);
	return PVM_GO_RESUME;
}

static enum pvm_go pvm_exit_none(struct pvm_vcpu *v, struct pvm_exit *x)
{
	return PVM_GO_RESUME;
}

static enum pvm_go pvm_exit_intr(struct pvm_vcpu *v, struct pvm_exit *x)
{
	/* It may have come in the shadow of STI: see pvm_event_past_hlt(). */
	if (v->window)
		v->event_check = true;
	return PVM_GO_SLOW;
}

static enum pvm_go pvm_exit_cpuid(struct pvm_vcpu *v, struct pvm_exit *x)
{
	u64 *gpr = v->regs.gpr;
	struct pvm_cpuid_regs r;

	static_call(pvm_cpu_regs_get)(v, PVM_REGS_CR);
	if ((u32)gpr[PVM_RAX] == 0xd)
		pvm_fpu_see_xcr0(&v->fpu);
	pvm_cpuid_lookup(v->m->cpuid, gpr[PVM_RAX], gpr[PVM_RCX], v->lapic.id, v->regs.cr4,
			 v->fpu.xcr0, 0, &r);
	gpr[PVM_RAX] = r.eax;
	gpr[PVM_RBX] = r.ebx;
	gpr[PVM_RCX] = r.ecx;
	gpr[PVM_RDX] = r.edx;
	return pvm_exit_done(v, x);
}

static enum pvm_go pvm_exit_io(struct pvm_vcpu *v, struct pvm_exit *x)
{
	u64 *rax = &v->regs.gpr[PVM_RAX];
	u32 bytes = x->io.bytes;
	u64 val;

	if (unlikely(x->io.flags & PVM_IO_STRING))
		return pvm_emul_insn(v, x);
	if (x->io.flags & PVM_IO_IN) {
		val = pvm_bus_port_read(v->m->bus, x->io.port, bytes);
		/* AL and AX leave the rest of RAX alone, EAX clears its upper half. */
		if (bytes == 1)
			*(u8 *)rax = val;
		else if (bytes == 2)
			*(u16 *)rax = val;
		else
			*rax = (u32)val;
	} else {
		val = bytes == 1 ? (u8)*rax : bytes == 2 ? (u16)*rax : (u32)*rax;
		pvm_bus_port_write(v->m->bus, x->io.port, bytes, val);
	}
	return pvm_exit_skip(v, x) ? PVM_GO_RESUME : PVM_GO_STOP;
}

static enum pvm_go pvm_exit_rdmsr(struct pvm_vcpu *v, struct pvm_exit *x)
{
	u64 val;

	if (!pvm_msr_read(v, v->regs.gpr[PVM_RCX], &val))
		return pvm_exit_gp(v);
	v->regs.gpr[PVM_RAX] = (u32)val;
	v->regs.gpr[PVM_RDX] = val >> 32;
	return pvm_exit_done(v, x);
}

static enum pvm_go pvm_exit_wrmsr(struct pvm_vcpu *v, struct pvm_exit *x)
{
	u64 val = (u32)v->regs.gpr[PVM_RAX] | v->regs.gpr[PVM_RDX] << 32;
	u32 msr = v->regs.gpr[PVM_RCX];
	bool good;

	if (likely(msr - PVM_X2APIC_FIRST < PVM_X2APIC_COUNT))
		good = pvm_lapic_msr_write(&v->lapic, msr, val);
	else
		good = pvm_msr_write(v, msr, val);
	if (unlikely(!good))
		return pvm_exit_gp(v);
	return pvm_exit_skip(v, x) ? PVM_GO_RESUME : PVM_GO_STOP;
}

static enum pvm_go pvm_exit_hlt(struct pvm_vcpu *v, struct pvm_exit *x)
{
	if (!pvm_exit_skip(v, x))
		return PVM_GO_STOP;
	v->event_check = true;
	if (pvm_event_runnable(v))
		return PVM_GO_RESUME;
	v->stat_halts++;
	return PVM_GO_WAIT;
}

static enum pvm_go pvm_exit_window(struct pvm_vcpu *v, struct pvm_exit *x)
{
	v->window = 0;
	v->event_check = true;
	return PVM_GO_RESUME;
}

static enum pvm_go pvm_exit_pause(struct pvm_vcpu *v, struct pvm_exit *x)
{
	/* It spins on what another vCPU holds: let the scheduler look, that one may wait for us. */
	if (!pvm_exit_skip(v, x))
		return PVM_GO_STOP;
	return PVM_GO_SLOW;
}

static enum pvm_go pvm_exit_xsetbv(struct pvm_vcpu *v, struct pvm_exit *x)
{
	u64 val = (u32)v->regs.gpr[PVM_RAX] | v->regs.gpr[PVM_RDX] << 32;

	if (!pvm_host_xsetbv(v, v->regs.gpr[PVM_RCX], val))
		return pvm_exit_gp(v);
	return pvm_exit_done(v, x);
}

static enum pvm_go pvm_exit_exception(struct pvm_vcpu *v, struct pvm_exit *x)
{
	/* #DB and #AC are intercepted only to bound them: the guest gets them as they came. */
	pvm_event_raise(v, x->fault.vector, x->fault.vector == PVM_VEC_AC, x->fault.error);
	return PVM_GO_RESUME;
}

/* ---- Control and debug registers ---- */

/* Without decode assists the operands come from the instruction itself. */
static bool pvm_exit_mov_operands(struct pvm_vcpu *v, struct pvm_exit *x, u8 *reg, u8 *gpr)
{
	struct pvm_fault fault;
	struct pvm_insn insn;

	v->m->ops->regs_get(v, PVM_REGS_SEG | PVM_REGS_CR);
	/* Another vCPU may have changed the bytes since the exit. */
	if (pvm_emul_decode(v, x, &insn, &fault) || insn.op < PVM_OP_MOV_FROM_CR ||
	    insn.op > PVM_OP_MOV_TO_DR)
		return pvm_exit_no_len(v, x);
	*reg = insn.reg;
	*gpr = insn.rm & 15;
	x->len = insn.len;
	return true;
}

/* SDM3 "Control Registers": what MOV to CR4 refuses, and what it flushes. */
static bool pvm_exit_set_cr4(struct pvm_vcpu *v, u64 cr4)
{
	const struct pvm_cpu_ops *ops = v->m->ops;
	u64 old = v->regs.cr4;

	if (cr4 & ~v->m->cr4_valid)
		return false;
	if (v->regs.efer & PVM_EFER_LMA && !(cr4 & PVM_CR4_PAE))
		return false;
	if (cr4 & PVM_CR4_PCIDE && !(old & PVM_CR4_PCIDE) &&
	    (!(v->regs.efer & PVM_EFER_LMA) || v->regs.cr3 & 0xfff))
		return false;
	v->regs.cr4 = cr4;
	ops->regs_set(v, PVM_REGS_CR);
	if ((old ^ cr4) & (PVM_CR4_PGE | PVM_CR4_PAE | PVM_CR4_PSE | PVM_CR4_PCIDE |
			   PVM_CR4_SMEP | PVM_CR4_SMAP | PVM_CR4_PKE | PVM_CR4_LA57))
		ops->flush(v);
	return true;
}

static enum pvm_go pvm_exit_cr(struct pvm_vcpu *v, struct pvm_exit *x)
{
	u64 val;

	if (x->cr.other && !pvm_exit_mov_operands(v, x, &x->cr.cr, &x->cr.gpr))
		return PVM_GO_STOP;
	v->m->ops->regs_get(v, PVM_REGS_CR | PVM_REGS_SEG);
	val = v->regs.gpr[x->cr.gpr];
	if (!pvm_regs_long_mode(&v->regs))
		val = (u32)val;
	if (v->regs.cpl)
		return pvm_exit_gp(v);
	if (x->cr.write && x->cr.cr == 4) {
		if (!pvm_exit_set_cr4(v, val))
			return pvm_exit_gp(v);
	} else if (x->cr.write && x->cr.cr == 8) {
		if (val >> 4)
			return pvm_exit_gp(v);
		pvm_lapic_set_cr8(&v->lapic, val);
		v->event_check = true;
	} else {
		pvm_vm_kill(v->m->vm, PVM_END_CRASH, "vCPU %u: unexpected access to CR%u at rip %llx",
			    v->index, x->cr.cr, v->regs.rip);
		return PVM_GO_STOP;
	}
	return pvm_exit_done(v, x);
}

#define PVM_DR6_BD	BIT_ULL(13)
#define PVM_DR6_FIXED	0xffff0ff0ull
#define PVM_DR6_WRITE	0x0000e00full
#define PVM_DR7_GD	BIT_ULL(13)
#define PVM_DR7_FIXED	0x400ull
#define PVM_DR7_WRITE	0xffff23ffull

static u64 pvm_exit_dr_read(struct pvm_vcpu *v, u32 dr)
{
	switch (dr) {
	case 6:
		return v->regs.dr6;
	case 7:
		return v->regs.dr7;
	default:
		return v->db[dr & 3];
	}
}

static void pvm_exit_dr_write(struct pvm_vcpu *v, u32 dr, u64 val)
{
	switch (dr) {
	case 6:
		v->regs.dr6 = (val & PVM_DR6_WRITE) | PVM_DR6_FIXED;
		break;
	case 7:
		v->regs.dr7 = (val & PVM_DR7_WRITE) | PVM_DR7_FIXED;
		break;
	default:
		v->db[dr & 3] = val;
	}
	v->m->ops->regs_set(v, PVM_REGS_DR);
	pvm_host_db_load(v);
}

static enum pvm_go pvm_exit_dr(struct pvm_vcpu *v, struct pvm_exit *x)
{
	u32 dr;

	if (!v->m->caps.decode_assist && !pvm_exit_mov_operands(v, x, &x->dr.dr, &x->dr.gpr))
		return PVM_GO_STOP;
	v->m->ops->regs_get(v, PVM_REGS_CR | PVM_REGS_SEG | PVM_REGS_DR);
	dr = x->dr.dr;
	if (v->regs.cpl)
		return pvm_exit_gp(v);
	if (dr == 4 || dr == 5) {
		if (v->regs.cr4 & PVM_CR4_DE)
			return pvm_exit_ud(v, x);
		dr += 2;
	}
	if (v->regs.dr7 & PVM_DR7_GD) {
		v->regs.dr6 |= PVM_DR6_BD;
		v->regs.dr7 &= ~PVM_DR7_GD;
		v->m->ops->regs_set(v, PVM_REGS_DR);
		pvm_event_raise(v, PVM_VEC_DB, false, 0);
		return PVM_GO_RESUME;
	}
	if (x->dr.write) {
		u64 val = v->regs.gpr[x->dr.gpr];

		if (!pvm_regs_long_mode(&v->regs))
			val = (u32)val;
		if (dr >= 6 && val >> 32)
			return pvm_exit_gp(v);
		pvm_exit_dr_write(v, dr, val);
	} else {
		v->regs.gpr[x->dr.gpr] = pvm_exit_dr_read(v, dr);
	}
	return pvm_exit_done(v, x);
}

/* ---- Ends ---- */

static enum pvm_go pvm_exit_shutdown(struct pvm_vcpu *v, struct pvm_exit *x)
{
	v->m->ops->regs_get(v, PVM_REGS_CR);
	pvm_vm_kill(v->m->vm, PVM_END_CRASH, "vCPU %u: triple fault at rip %llx, rsp %llx, cr3 %llx",
		    v->index, v->regs.rip, v->regs.gpr[PVM_RSP], v->regs.cr3);
	return PVM_GO_STOP;
}

static enum pvm_go pvm_exit_task_switch(struct pvm_vcpu *v, struct pvm_exit *x)
{
	pvm_vm_kill(v->m->vm, PVM_END_CRASH,
		    "vCPU %u: hardware task switch at rip %llx, which passvm does not emulate",
		    v->index, v->regs.rip);
	return PVM_GO_STOP;
}

static enum pvm_go pvm_exit_broken(struct pvm_vcpu *v, struct pvm_exit *x)
{
	pvm_vm_kill(v->m->vm, PVM_END_CRASH,
		    "vCPU %u: the CPU refused the guest's state or left it for an unknown reason: exit %x, %llx, %llx at rip %llx",
		    v->index, x->code, x->info[0], x->info[1], v->regs.rip);
	return PVM_GO_STOP;
}

typedef enum pvm_go (*pvm_exit_fn)(struct pvm_vcpu *v, struct pvm_exit *x);

static const pvm_exit_fn pvm_exit_table[PVM_EXIT_KINDS] = {
	[PVM_EXIT_NONE]		= pvm_exit_none,
	[PVM_EXIT_INTR]		= pvm_exit_intr,
	[PVM_EXIT_CPUID]	= pvm_exit_cpuid,
	[PVM_EXIT_IO]		= pvm_exit_io,
	[PVM_EXIT_RDMSR]	= pvm_exit_rdmsr,
	[PVM_EXIT_WRMSR]	= pvm_exit_wrmsr,
	[PVM_EXIT_HLT]		= pvm_exit_hlt,
	[PVM_EXIT_MMIO]		= pvm_emul_insn,
	[PVM_EXIT_CR]		= pvm_exit_cr,
	[PVM_EXIT_DR]		= pvm_exit_dr,
	[PVM_EXIT_WINDOW]	= pvm_exit_window,
	[PVM_EXIT_EXCEPTION]	= pvm_exit_exception,
	[PVM_EXIT_XSETBV]	= pvm_exit_xsetbv,
	[PVM_EXIT_PAUSE]	= pvm_exit_pause,
	[PVM_EXIT_CACHE]	= pvm_exit_done,
	[PVM_EXIT_INVLPG]	= pvm_exit_done,
	[PVM_EXIT_MWAIT]	= pvm_exit_ud,
	[PVM_EXIT_RDPMC]	= pvm_exit_ud,
	[PVM_EXIT_HYPERCALL]	= pvm_exit_ud,
	[PVM_EXIT_UNDEFINED]	= pvm_exit_ud,
	[PVM_EXIT_TASK_SWITCH]	= pvm_exit_task_switch,
	[PVM_EXIT_SHUTDOWN]	= pvm_exit_shutdown,
	[PVM_EXIT_INIT]		= pvm_exit_intr,
	[PVM_EXIT_BROKEN]	= pvm_exit_broken,
};

enum pvm_go pvm_exit_handle(struct pvm_vcpu *v)
{
	struct pvm_exit *x = &v->exit;

	static_call(pvm_cpu_decode)(v, x);
	trace_pvm_exit(v->index, x->kind, x->code, v->regs.rip);
	v->stat[x->kind]++;
	/* Most of a busy guest's exits: called without a retpoline. */
	if (x->kind == PVM_EXIT_IO)
		return pvm_exit_io(v, x);
	if (x->kind == PVM_EXIT_WRMSR)
		return pvm_exit_wrmsr(v, x);
	if (x->kind == PVM_EXIT_CPUID)
		return pvm_exit_cpuid(v, x);
	return pvm_exit_table[x->kind](v, x);
}
