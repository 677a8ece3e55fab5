/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x86 layer: guest CPUID, MSR classes, instruction decoder and executor,
 * page-table walk. All of it pure.
 *
 * World:   pure
 * Context: any; nothing here sleeps or locks
 */
#ifndef PVM_X86_H
#define PVM_X86_H

#include "x86/regs.h"
#include "x86/insn.h"

/* ---- CPUID (cpuid.c, cpuid_table.c) ---- */

struct pvm_cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

struct pvm_cpuid_entry {
	u32 leaf, subleaf;
	bool indexed;		/* else any subleaf matches */
	struct pvm_cpuid_regs r;
};

#define PVM_CPUID_MAX	96

/* The view of one VM; sorted by leaf and subleaf; the per-vCPU parts are filled at lookup. */
struct pvm_cpuid {
	u32 count;
	u32 max_basic, max_hyper, max_extended;
	u32 cpus;
	bool long_mode;
	bool intel;		/* by the host's vendor string; else AMD's rules */
	u64 xcr0_mask;		/* XCR0 bits the guest may set */
	u32 phys_bits;
	struct pvm_cpuid_entry entry[PVM_CPUID_MAX];
};

/* Reads a host leaf: CPUID itself in the kernel, a recorded table in tests. */
typedef void (*pvm_cpuid_host_fn)(u32 leaf, u32 subleaf, struct pvm_cpuid_regs *r);

struct pvm_cpuid_policy {
	u32 cpus;
	u64 xcr0_host;		/* XCR0 the host has enabled */
	u64 tsc_khz;
	bool hide_hypervisor;
	bool invariant_tsc;	/* the host itself keeps time by its TSC */
	bool x2apic, tsc_deadline;	/* emulated, whatever the host has */
};

/* Host leaves through the policy table. Returns -E2BIG when the table is full. */
int pvm_cpuid_build(struct pvm_cpuid *c, const struct pvm_cpuid_policy *p,
		    pvm_cpuid_host_fn host);

/*
 * What the guest reads on @vcpu with APIC id @apic_id: dynamic bits (APIC id,
 * OSXSAVE, OSPKE, XSAVE sizes by XCR0) from @regs, @xcr0 and @xss. Out-of-range
 * leaves answer as the vendor does. Fast: called on each CPUID exit.
 */
void pvm_cpuid_lookup(const struct pvm_cpuid *c, u32 leaf, u32 subleaf, u32 apic_id,
		      u64 cr4, u64 xcr0, u64 xss, struct pvm_cpuid_regs *r);

/* Feature tests on the guest's view, by {leaf, subleaf, register 0..3, bit}. */
bool pvm_cpuid_has(const struct pvm_cpuid *c, u32 leaf, u32 subleaf, u32 reg, u32 bit);

/* Bits of CR4 and EFER that this view allows. */
u64 pvm_cpuid_cr4_valid(const struct pvm_cpuid *c);
u64 pvm_cpuid_efer_valid(const struct pvm_cpuid *c);

/* ---- MSRs (msr_table.c) ---- */

enum pvm_msr_class {
	PVM_MSR_ABSENT,		/* #GP */
	PVM_MSR_CONST,		/* reads .reset; writes #GP */
	PVM_MSR_VALUE,		/* kept in the vCPU at .slot, writable bits .writable, others #GP */
	PVM_MSR_IGNORE,		/* reads .reset, writes dropped: registers nobody needs */
	PVM_MSR_VENDOR,		/* held by the vendor's control block: ops->regs or a callback */
	PVM_MSR_HOOK,		/* cpu/msr.c has a function for it (.slot = hook number) */
};

enum pvm_msr_hook {
	PVM_MSR_HOOK_APIC,	/* IA32_APIC_BASE, TSC_DEADLINE, x2APIC */
	PVM_MSR_HOOK_TSC,
	PVM_MSR_HOOK_TSC_ADJUST,
	PVM_MSR_HOOK_EFER,
	PVM_MSR_HOOK_MTRR,
	PVM_MSR_HOOK_PAT,
	PVM_MSR_HOOK_SPEC_CTRL,
	PVM_MSR_HOOK_PRED_CMD,
	PVM_MSR_HOOK_XSS,
	PVM_MSR_HOOK_KVMCLOCK,
	PVM_MSR_HOOK_MCE,
	PVM_MSR_HOOKS,
};

/* Where the vCPU keeps values: all rows of class VALUE, and what hooks store. */
enum pvm_msr_slot {
	PVM_MSR_SLOT_MTRR_FIX,					/* 11: as their MSRs go up */
	PVM_MSR_SLOT_MTRR_VAR = PVM_MSR_SLOT_MTRR_FIX + 11,	/* 16: base, mask, base ... */
	PVM_MSR_SLOT_MTRR_DEF = PVM_MSR_SLOT_MTRR_VAR + 16,
	PVM_MSR_SLOT_PAT,
	PVM_MSR_SLOT_TSC_AUX,		/* the vendor loads it before entry */
	PVM_MSR_SLOT_TSC_ADJUST,
	PVM_MSR_SLOT_SPEC_CTRL,
	PVM_MSR_SLOT_XSS,
	PVM_MSR_SLOT_MISC_ENABLE,
	PVM_MSR_SLOT_MISC_FEATURES,
	PVM_MSR_SLOT_SYSCFG,
	PVM_MSR_SLOT_HWCR,
	PVM_MSR_SLOT_TOP_MEM,
	PVM_MSR_SLOT_TOP_MEM2,
	PVM_MSR_SLOT_NB_CFG,
	PVM_MSR_SLOT_MCG,					/* 2: STATUS, CTL */
	PVM_MSR_SLOT_MC = PVM_MSR_SLOT_MCG + 2,			/* 4 for each bank */
	PVM_MSR_SLOT_END = PVM_MSR_SLOT_MC + 40,
};

#define PVM_MSR_SLOTS	160
#define PVM_MSR_MC_BANKS 10
#define PVM_MSR_MTRR_VARS 8
#define PVM_MSR_MTRR_CAP (PVM_MSR_MTRR_VARS | BIT_ULL(8) | BIT_ULL(10))
#define PVM_MSR_PAT_RESET 0x0007040600070406ull

struct pvm_msr_row {
	u32 first, last;	/* range of MSR numbers, inclusive */
	u8 class;		/* enum pvm_msr_class */
	u8 vendor;		/* 0 both, 'I' Intel guests, 'A' AMD guests */
	u16 slot;		/* VALUE: first slot; HOOK: enum pvm_msr_hook */
	u64 reset;
	u64 writable;
	const char *cite;
};

/* The row for @msr (vendor 'I' or 'A'), or NULL. Binary search. */
const struct pvm_msr_row *pvm_msr_find(u32 msr, u8 vendor);
extern const struct pvm_msr_row pvm_msr_table[];
extern const u32 pvm_msr_rows;

/* For the MTRR hook: the slot of an MTRR, or -EINVAL; and what may be written to it. */
int pvm_msr_mtrr_slot(u32 msr);
bool pvm_msr_mtrr_valid(u32 msr, u64 val, u32 phys_bits);
/* For the PAT hook: each byte is a memory type that PAT knows. */
bool pvm_msr_pat_valid(u64 val);

/* ---- Page-table walk (walk.c) ---- */

enum pvm_access {
	PVM_ACCESS_WRITE = 1 << 0,
	PVM_ACCESS_USER	 = 1 << 1,
	PVM_ACCESS_FETCH = 1 << 2,
	/* descriptor tables, TSS: AC does not help against SMAP */
	PVM_ACCESS_IMPLICIT_SUPERVISOR = 1 << 3,
};

struct pvm_walk_ops {
	/* Reads or compare-exchanges guest RAM; -EFAULT where it is not RAM. @bytes 4 or 8. */
	int (*read)(void *ctx, u64 gpa, void *to, u32 bytes);
	/* Sets bits in an entry if it still equals @old. Returns 1 if it changed meanwhile. */
	int (*set_bits)(void *ctx, u64 gpa, u64 old, u64 bits, u32 bytes);
};

/*
 * Translates @gva in the paging mode of @regs, checking rights as SDM3 "Access
 * Rights" and setting accessed and dirty bits. On success stores the
 * guest-physical address and how many bytes behind it are in the same page.
 * Returns 0, 1 with *@fault filled, -EFAULT when a table is not in RAM, or
 * -EAGAIN when its entries kept changing: enter the guest again.
 */
int pvm_walk(const struct pvm_regs *regs, u64 gva, u32 access, u32 phys_bits,
	     const struct pvm_walk_ops *ops, void *ctx, u64 *gpa, u64 *left_bytes,
	     struct pvm_fault *fault);

/* ---- Decoder (decode.c, decode_table.c) ---- */

#define PVM_INSN_MAX	15

/* ---- Executor (exec.c) ---- */

enum pvm_emul {
	PVM_EMUL_DONE,		/* registers and RIP advanced */
	PVM_EMUL_AGAIN,		/* one bounded part of a REP done, RIP unchanged: enter again */
	PVM_EMUL_FAULT,		/* *fault to be injected, registers unchanged */
	PVM_EMUL_FAIL,		/* cannot be emulated: ends the VM */
};

struct pvm_emul_ops {
	/*
	 * Linear memory, @bytes 1..64, may cross a page. Returns 0, 1 (*fault
	 * filled), -EAGAIN (nothing done, enter again) or -EFAULT. write() checks
	 * both pages before it writes any byte. A read with PVM_ACCESS_WRITE is the
	 * first half of a modification: it needs the right to write.
	 */
	int (*read)(void *ctx, u64 linear, void *to, u32 bytes, u32 access,
		    struct pvm_fault *fault);
	int (*write)(void *ctx, u64 linear, const void *from, u32 bytes, u32 access,
		     struct pvm_fault *fault);
	/*
	 * Locked compare-exchange (@bytes 1..16) where the target is RAM. On a
	 * device it only writes: @expected was just read from it by read(). Returns
	 * 0 with *@swapped, 1, -EAGAIN or -EFAULT.
	 */
	int (*cmpxchg)(void *ctx, u64 linear, void *expected, const void *desired, u32 bytes,
		       bool *swapped, struct pvm_fault *fault);
	int (*port_read)(void *ctx, u16 port, u32 bytes, u64 *val);
	int (*port_write)(void *ctx, u16 port, u32 bytes, u64 val);
	/*
	 * Vector registers 0..15; both may be NULL: moves of them fail then. 32
	 * bytes are the YMM register and a write of them zeroes what lies above, as
	 * VEX does; a write of 16 keeps it. Return 0 or -errno.
	 */
	int (*xmm_read)(void *ctx, u32 reg, void *to, u32 bytes);
	int (*xmm_write)(void *ctx, u32 reg, const void *from, u32 bytes);
};

/*
 * Decodes the instruction at regs->rip from @bytes (@count of them, as many as
 * could be fetched). Returns 0 and the length in *@len; -EAGAIN when more bytes
 * are needed; -EINVAL for an instruction the emulator does not know; 1 with
 * *fault (#UD, #GP for too long).
 */
int pvm_decode(struct pvm_insn *insn, const struct pvm_regs *regs, const u8 *bytes, u32 count,
	       struct pvm_fault *fault);

/* Length of a decoded instruction, and of any instruction that only traps (CPUID, RDMSR, ...). */
u32 pvm_insn_len(const struct pvm_insn *insn);

/* RIP behind an instruction of @length bytes; wraps at 4 GiB outside 64-bit mode. */
u64 pvm_insn_next_rip(const struct pvm_regs *regs, u32 length);

/*
 * The length of an instruction that the caller knows from the exit: prefixes,
 * then @opcode (@opcode_bytes of it, 1 to 3, first byte highest: 0x0fa2 is CPUID).
 * 0 if the bytes do not read so; use pvm_decode() then.
 */
u32 pvm_insn_quick_len(const u8 *bytes, u32 count, bool long_mode, u32 opcode, u32 opcode_bytes);

/*
 * For handlers of the ops that pvm_exec() refuses, and only after they made sure
 * of the privilege: the guest may have changed the bytes since the CPU trapped.
 *
 * Linear address of the r/m operand in memory (INVLPG, INVPCID), without any
 * check; and reading and writing an r/m operand, register or memory, of @bytes
 * 1..8 (LMSW reads 2). Return as pvm_exec() does: DONE means worked; no register
 * but the operand changes.
 */
u64 pvm_insn_linear(const struct pvm_insn *insn, const struct pvm_regs *regs);
enum pvm_emul pvm_insn_read_rm(const struct pvm_insn *insn, struct pvm_regs *regs,
			       const struct pvm_emul_ops *ops, void *ctx, u32 bytes, u64 *val,
			       struct pvm_fault *fault);
enum pvm_emul pvm_insn_write_rm(const struct pvm_insn *insn, struct pvm_regs *regs,
				const struct pvm_emul_ops *ops, void *ctx, u32 bytes, u64 val,
				struct pvm_fault *fault);

/*
 * Executes a decoded instruction. REP forms do at most @max_iterations per call,
 * one if TF is set. Registers change only on DONE and AGAIN. A fault in the
 * middle of a REP is AGAIN first, then FAULT. RF and TF are left alone: when TF
 * was set before, the caller owes a #DB after DONE and AGAIN. It also owes the
 * interrupt shadow after a MOV to SS. INS and OUTS do not check IOPL and the I/O
 * bitmap: the intercept that leads here comes after the CPU did.
 */
enum pvm_emul pvm_exec(const struct pvm_insn *insn, struct pvm_regs *regs,
		       const struct pvm_emul_ops *ops, void *ctx, u32 max_iterations,
		       struct pvm_fault *fault);

#endif /* PVM_X86_H */
