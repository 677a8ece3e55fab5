/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vendor contract: what VMX and SVM do for the neutral core, and the
 * record in which an exit reaches it.
 *
 * enter() and decode() are the hot path: no locks, no allocation, IRQs off.
 * decode() alone fills struct pvm_exit and cpu/exit.c alone reads it, so a new
 * kind of exit touches three files.
 *
 * World:   kernel
 * Context: as each member says
 */
#ifndef PVM_CPU_OPS_H
#define PVM_CPU_OPS_H

#include <linux/static_call.h>
#include <pvm/env.h>
#include "mem/spt.h"
#include "x86/x86.h"

struct pvm_vcpu;

enum pvm_exit_kind {
	PVM_EXIT_NONE,		/* nothing to do: enter again */
	PVM_EXIT_INTR,		/* a host interrupt or NMI waits: IRQs on, please */
	PVM_EXIT_CPUID,
	PVM_EXIT_IO,
	PVM_EXIT_RDMSR,
	PVM_EXIT_WRMSR,
	PVM_EXIT_HLT,
	PVM_EXIT_MMIO,		/* second-level fault: not RAM, or not writable */
	PVM_EXIT_CR,
	PVM_EXIT_DR,
	PVM_EXIT_WINDOW,	/* the interrupt or NMI window opened */
	PVM_EXIT_EXCEPTION,
	PVM_EXIT_XSETBV,
	PVM_EXIT_PAUSE,
	PVM_EXIT_CACHE,		/* INVD, WBINVD: nothing to do but step over */
	PVM_EXIT_INVLPG,
	PVM_EXIT_MWAIT,		/* MONITOR, MWAIT: not offered, #UD */
	PVM_EXIT_RDPMC,
	PVM_EXIT_HYPERCALL,
	PVM_EXIT_UNDEFINED,	/* an instruction the guest does not have: #UD */
	PVM_EXIT_TASK_SWITCH,
	PVM_EXIT_SHUTDOWN,	/* triple fault */
	PVM_EXIT_INIT,
	PVM_EXIT_BROKEN,	/* the CPU refused the guest's state, or an unknown exit */
	PVM_EXIT_KINDS,
};

/* A port access; numbered as SVM does, which saves it the translation. */
#define PVM_IO_IN	BIT(0)
#define PVM_IO_STRING	BIT(2)
#define PVM_IO_REP	BIT(3)

struct pvm_exit {
	u32 kind;		/* enum pvm_exit_kind */
	u32 len;		/* bytes of the instruction; 0: not known */
	u32 code;		/* the vendor's own exit code, for messages and traces */
	union {
		struct {
			u16 port;
			u8 bytes;
			u8 flags;	/* PVM_IO_* */
		} io;
		struct {
			u64 gpa;
			bool write, fetch, table;	/* table: during the guest's page walk */
		} mem;
		struct {
			u8 cr, gpr;
			bool write;
			u8 other;	/* 0 MOV, 1 LMSW, 2 CLTS, 3 SMSW */
		} cr;
		struct {
			u8 dr, gpr;
			bool write;
		} dr;
		struct {
			u8 vector;
			u32 error;
			u64 info;
		} fault;
		u64 info[2];	/* BROKEN: the vendor's qualification words */
	};
	u8 insn_count;		/* instruction bytes the CPU handed over, 0: none */
	u8 insn[16];
};

/* What can be injected at entry. */
enum pvm_event_type {
	PVM_EVENT_NONE,
	PVM_EVENT_INTR,
	PVM_EVENT_NMI,
	PVM_EVENT_EXCEPTION,
};

struct pvm_event {
	u8 type;
	u8 vector;
	bool has_error;
	u32 error;
};

/* Register groups for regs_get and regs_set; GPR is always current after an exit. */
#define PVM_REGS_GPR	BIT(0)	/* gpr[], rip, rflags */
#define PVM_REGS_SEG	BIT(1)	/* seg[], cpl */
#define PVM_REGS_CR	BIT(2)	/* cr0, cr2, cr3, cr4, efer */
#define PVM_REGS_DT	BIT(3)	/* gdtr, idtr */
#define PVM_REGS_DR	BIT(4)	/* dr6, dr7 */
#define PVM_REGS_ALL	(BIT(5) - 1)

#define PVM_WINDOW_IRQ	BIT(0)
#define PVM_WINDOW_NMI	BIT(1)
#define PVM_WINDOW_TPR	BIT(2)	/* the guest lowers its TPR (CR8) */

/* MSRs that live in the vendor's control block (class PVM_MSR_VENDOR). */
struct pvm_cpu_caps {
	u8 vendor;		/* 'A' or 'I' */
	u32 max_leaf_level;	/* second-level leaves: 2 or 3 */
	u32 phys_bits;
	bool decode_assist, next_rip;
};

/* Why virtualisation cannot be had; the sentence is for the user. */
struct pvm_why;

struct pvm_cpu_ops {
	const char *name;			/* "svm", "vmx" */
	const struct pvm_spt_fmt *spt_fmt;

	/* No side effects. -ENODEV (no such CPU), -EBUSY (owned), -EOPNOTSUPP. */
	int  (*probe)(struct pvm_cpu_caps *caps, struct pvm_why *why);
	int  (*hw_init)(void);			/* once, may sleep; hw_exit undoes it */
	void (*hw_exit)(void);
	int  (*cpu_on)(void);			/* this CPU, IRQs off */
	void (*cpu_off)(void);			/* this CPU, IRQs off, any time */
	bool (*cpu_is_on)(void);		/* this CPU: the mode is on, whoever did it */

	int  (*vcpu_init)(struct pvm_vcpu *v);	/* may sleep */
	void (*vcpu_fini)(struct pvm_vcpu *v);
	/* INIT or power-on state is in v->regs: take it over. */
	void (*vcpu_reset)(struct pvm_vcpu *v);

	void (*load)(struct pvm_vcpu *v, int cpu);	/* IRQs off, before a run of enter() */
	void (*put)(struct pvm_vcpu *v);		/* IRQs off, after it */
	void (*enter)(struct pvm_vcpu *v);		/* IRQs off; one trip */
	void (*decode)(struct pvm_vcpu *v, struct pvm_exit *x);	/* IRQs off */

	void (*regs_get)(struct pvm_vcpu *v, u32 groups);
	void (*regs_set)(struct pvm_vcpu *v, u32 groups);
	bool (*msr_get)(struct pvm_vcpu *v, u32 msr, u64 *val);	/* class VENDOR; false: #GP */
	bool (*msr_set)(struct pvm_vcpu *v, u32 msr, u64 val);
	void (*inject)(struct pvm_vcpu *v, const struct pvm_event *e);
	bool (*can_take)(struct pvm_vcpu *v, u32 window);	/* is that window open now */
	void (*window)(struct pvm_vcpu *v, u32 wanted);		/* exits when they open */
	void (*tsc_offset)(struct pvm_vcpu *v, u64 offset);
	void (*flush)(struct pvm_vcpu *v);	/* second-level TLB, before the next entry */
};

/*
 * The members of the hot path, patched in place when the vendor is known: an
 * indirect call costs a retpoline. Called as static_call(pvm_cpu_enter)(v).
 */
void pvm_cpu_none(struct pvm_vcpu *v);
void pvm_cpu_none_decode(struct pvm_vcpu *v, struct pvm_exit *x);
void pvm_cpu_none_regs(struct pvm_vcpu *v, u32 groups);
DECLARE_STATIC_CALL(pvm_cpu_enter, pvm_cpu_none);
DECLARE_STATIC_CALL(pvm_cpu_decode, pvm_cpu_none_decode);
DECLARE_STATIC_CALL(pvm_cpu_regs_get, pvm_cpu_none_regs);

extern const struct pvm_cpu_ops pvm_svm_ops;

#endif /* PVM_CPU_OPS_H */
