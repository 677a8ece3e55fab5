/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual CPUs: the object, its thread and what the layers above ask of it.
 *
 * A vCPU is a kernel thread. Everything in it belongs to that thread, but for
 * the requests, the mode and the local APIC's IRR, which any context may set
 * before it kicks.
 *
 * World:   kernel
 * Context: as each function says
 */
#ifndef PVM_CPU_H
#define PVM_CPU_H

#include <linux/hrtimer.h>
#include <linux/sched.h>
#include <pvm/env.h>
#include <pvm/log.h>
#include <pvm/vm.h>
#include "bus/bus.h"
#include "cpu/ops.h"
#include "irqchip/irqchip.h"
#include "mem/mem.h"

/* Bits of vcpu->requests. EVENT and TIMER are served without leaving the IRQs-off window. */
enum pvm_request {
	PVM_REQ_EVENT,		/* something may be deliverable */
	PVM_REQ_TIMER,		/* the local APIC's timer expired */
	PVM_REQ_FLUSH,		/* second-level TLB */
	PVM_REQ_PARK,		/* vm->stall is not 0: wait outside until it is */
	PVM_REQ_STOP,		/* the thread ends */
};

#define PVM_REQ_FAST	(BIT(PVM_REQ_EVENT) | BIT(PVM_REQ_TIMER) | BIT(PVM_REQ_FLUSH))

enum pvm_vcpu_mode {
	PVM_MODE_OUT,		/* handling an exit, or in process context */
	PVM_MODE_GUEST,		/* in the guest, or past the last look at requests */
	PVM_MODE_SLEEP,		/* waiting for an event */
	PVM_MODE_PARKED,	/* waiting for vm->stall */
};

enum pvm_vcpu_run {
	PVM_RUN_READY,
	PVM_RUN_HALTED,
	PVM_RUN_WAIT_SIPI,
};

/* How the kernel's FPU and the guest's change places; host.c. */
struct pvm_fpu {
	void *area;		/* XSAVE area, 64-byte aligned */
	u32 area_bytes;
	u64 mask;		/* components kept */
	u64 xcr0;		/* guest's */
	u64 host_xcr0;
	u64 host_xss;
	u32 host_pkru;
	bool loaded;
};

#define PVM_LEN_CACHE	16

struct pvm_len_cache {
	u64 rip, cr3;
	u32 kind, len;
};

/* What a vCPU needs of its VM; set once by vm/. */
struct pvm_cpu_vm {
	struct pvm_vm *vm;
	u64 id;				/* (c) never that of another VM, also of one that is gone */
	const struct pvm_cpu_ops *ops;
	struct pvm_cpu_caps caps;
	struct pvm_mem *mem;
	struct pvm_bus *bus;
	const struct pvm_cpuid *cpuid;
	struct pvm_lapic_set *lapics;
	u64 cr4_valid, efer_valid;
	u64 tsc_khz;
	atomic_t stall;			/* != 0: no vCPU enters the guest */
	wait_queue_head_t stall_wait;	/* vCPUs wait for stall == 0; the worker for parked ones */
	bool pause_exits;
	/* 8259: INTR is high; and interrupt acknowledge: the vector. Any context. */
	bool pic_intr;
	int  (*pic_inta)(struct pvm_vm *vm);
	void (*ioapic_eoi)(struct pvm_vm *vm, u8 vector);
};

/*
 * Locking key
 *  (c) constant after creation
 *  (o) owner thread, or anybody while the vCPU is parked
 *  (a) atomic or READ_ONCE/WRITE_ONCE
 */
struct pvm_vcpu {
	struct pvm_regs regs;		/* (o) first: enter.S counts on gpr[] at 0 */
	struct pvm_cpu_vm *m;		/* (c) */
	void *hw;			/* (c) the vendor's part */
	unsigned long requests;		/* (a) */
	u32 mode;			/* (a) enum pvm_vcpu_mode */
	u32 index;			/* (c) */
	bool bound;			/* (c) to one host CPU */
	struct pvm_exit exit;		/* (o) */

	/* event.c */
	u32 run;			/* (o) enum pvm_vcpu_run */
	bool event_check;		/* (o) look for something to deliver */
	bool stepped_over;		/* (o) an instruction was emulated: its shadow has ended */
	bool injected;			/* (o) the next entry delivers an event already */
	struct pvm_event again;		/* (o) its delivery was cut short by an exit */
	struct pvm_event exception;	/* (o) to be raised */
	bool nmi_pending;		/* (o) */
	u32 window;			/* (o) PVM_WINDOW_* asked for */

	/* time.c */
	u64 tsc_offset;			/* (o) guest = host + offset */
	u64 tsc_adjust;			/* (o) */

	/* msr.c */
	u64 msr[PVM_MSR_SLOTS];		/* (o) */
	u64 pat;			/* (o) */
	u64 spec_ctrl;			/* (o) */
	u64 tsc_aux, host_tsc_aux;	/* (o) */

	struct pvm_fpu fpu;		/* (o) */
	u64 db[4];			/* (o) DR0..DR3 */
	bool db_loaded;			/* (o) */

	struct pvm_len_cache len_cache[PVM_LEN_CACHE];	/* (o) exit.c */
	u64 tlb_gen;			/* (o) mem's generation at the last flush */
	int cpu;			/* (o) host CPU of the last run */
	u32 streak;			/* (o) exits in this IRQs-off window */

	struct pvm_lapic lapic;
	struct hrtimer timer;		/* the local APIC's */
	struct task_struct *thread;	/* (c) while it runs */
	u64 stat[PVM_EXIT_KINDS];	/* (o) written; read by anybody */
	u64 stat_irqs, stat_nmis, stat_kicks, stat_halts, stat_entries, stat_windows;
};

/* ---- vcpu.c ---- */

/* Module load. Reads the parameter "cpus"; -EINVAL, and the log says why. */
int pvm_vcpu_init(void);
void pvm_vcpu_exit(void);
/* Process context. Creates the vCPU in power-on state, no thread yet. -ENOMEM. */
int pvm_vcpu_new(struct pvm_cpu_vm *m, u32 index, struct pvm_vcpu **v);
void pvm_vcpu_free(struct pvm_vcpu *v);
/* Power-on state (@init_only: INIT). Owner, or parked. */
void pvm_vcpu_reset(struct pvm_vcpu *v, bool init_only);
/*
 * Starts the thread, bound to host CPU @pin, or (-1) free within the parameter "cpus".
 * -ENOMEM; -EINTR: killed meanwhile; -EINVAL: none of those CPUs is online any more.
 */
int pvm_vcpu_start(struct pvm_vcpu *v, int pin, const char *vm_name);
/* The thread itself, first of all. */
void pvm_vcpu_place_self(struct pvm_vcpu *v);
/* Ends the thread and waits for it. Cannot fail. */
void pvm_vcpu_stop(struct pvm_vcpu *v);

/* ---- run.c ---- */
int pvm_vcpu_thread(void *data);

/* ---- request.c: any context ---- */
void pvm_vcpu_request(struct pvm_vcpu *v, enum pvm_request r);	/* sets and kicks */
void pvm_vcpu_kick(struct pvm_vcpu *v);
/* Stall count: park() raises it and kicks all; wait_parked() sleeps until none is in the guest. */
void pvm_cpu_park(struct pvm_cpu_vm *m);
void pvm_cpu_unpark(struct pvm_cpu_vm *m);
void pvm_cpu_wait_parked(struct pvm_cpu_vm *m);
/* For mem->kick_all: returns when no vCPU runs on translations older than now. */
void pvm_cpu_flush_all(void *m);

/* ---- exit.c ---- */
enum pvm_go pvm_exit_handle(struct pvm_vcpu *v);
extern const char *const pvm_exit_names[PVM_EXIT_KINDS];
/* An instruction was emulated with RFLAGS.TF set: the guest is owed its single-step #DB. */
void pvm_exit_stepped(struct pvm_vcpu *v);

/* ---- emul.c ---- */
enum pvm_go pvm_emul_insn(struct pvm_vcpu *v, struct pvm_exit *x);
struct pvm_insn;
/* Decodes the instruction at RIP. 0, or pvm_decode()'s and the fetch's errors. */
int pvm_emul_decode(struct pvm_vcpu *v, const struct pvm_exit *x, struct pvm_insn *insn,
		    struct pvm_fault *fault);

/* ---- event.c: owner ---- */
void pvm_event_raise(struct pvm_vcpu *v, u8 vector, bool has_error, u32 error);
void pvm_event_fault(struct pvm_vcpu *v, const struct pvm_fault *f);	/* sets CR2 for #PF */
void pvm_event_prepare(struct pvm_vcpu *v);	/* before entry, IRQs off */
/* Would prepare() deliver something to a halted vCPU? */
bool pvm_event_runnable(struct pvm_vcpu *v);
void pvm_event_apic(struct pvm_vcpu *v);	/* INIT, SIPI, NMI pending at the local APIC */

/* ---- msr.c: owner, IRQs off ---- */
#define PVM_X2APIC_FIRST	0x800
#define PVM_X2APIC_COUNT	0x100
bool pvm_msr_read(struct pvm_vcpu *v, u32 msr, u64 *val);	/* false: #GP */
bool pvm_msr_write(struct pvm_vcpu *v, u32 msr, u64 val);
void pvm_msr_reset(struct pvm_vcpu *v, bool init_only);
/* What firmware leaves behind: memory is write-back, [@hole_gpa, 4 GiB) uncached. 2 GiB only. */
void pvm_msr_firmware(struct pvm_vcpu *v, u64 hole_gpa);

/* ---- time.c ---- */
extern const struct pvm_lapic_host pvm_vcpu_lapic_host;
void pvm_time_init(struct pvm_vcpu *v);
u64 pvm_time_guest_tsc(struct pvm_vcpu *v);
void pvm_time_set_tsc(struct pvm_vcpu *v, u64 tsc);
u64 pvm_time_tsc_khz(void);
void pvm_time_stop(struct pvm_vcpu *v);

/* ---- hw.c ---- */

/* Picks the vendor; switches nothing on. */
int pvm_hw_probe(const struct pvm_cpu_ops **ops, struct pvm_cpu_caps *caps, struct pvm_why *why);
/*
 * Holds hardware virtualisation on for a VM: by ourselves where nobody else
 * has it on, else through the KVM VM descriptor @kvm_fd, whose reference is
 * kept. -EBUSY with @why when another owner has it and no descriptor came.
 */
struct pvm_hw_hold {
	struct file *kvm;
	bool own;
};

int pvm_hw_get(struct pvm_hw_hold *h, int kvm_fd, struct pvm_why *why);
void pvm_hw_put(struct pvm_hw_hold *h);
/* Who has it on now: "none", "passvm", or "kvm" for any other owner. */
const char *pvm_hw_owner(void);
int pvm_hw_init(void);
void pvm_hw_exit(void);
/* Called by hw.c when the host suspends or reboots; vm/ ends or refuses. */
extern int (*pvm_hw_host_event)(const char *what);

/* ---- host.c: IRQs off unless said ---- */
int pvm_fpu_new(struct pvm_fpu *f, u64 mask);	/* process context */
void pvm_fpu_free(struct pvm_fpu *f);
void pvm_fpu_reset(struct pvm_fpu *f, bool init_only);
void pvm_host_enter(struct pvm_vcpu *v);	/* FPU, debug registers, TSC_AUX: guest's in */
void pvm_host_leave(struct pvm_vcpu *v);	/* host's back */
void pvm_host_db_load(struct pvm_vcpu *v);	/* DR7 changed in the window */
/* XCR0 as it is: QEMU's emulation does not intercept XSETBV (Documentation/errata.rst#xsetbv). */
void pvm_fpu_see_xcr0(struct pvm_fpu *f);
void pvm_host_ibpb(void);
u64 pvm_host_xcr0(void);
u64 pvm_host_xss(void);				/* IA32_XSS, 0 where there is none */
void pvm_host_machine_check(void);		/* after an exit by #MC; IRQs off */
u64 pvm_host_spec_ctrl(void);			/* this CPU's current value */
void pvm_host_cpuid(u32 leaf, u32 subleaf, struct pvm_cpuid_regs *r);
bool pvm_host_xsetbv(struct pvm_vcpu *v, u32 index, u64 val);	/* false: #GP */
bool pvm_fpu_xmm_read(struct pvm_vcpu *v, u32 reg, void *to, u32 bytes);
bool pvm_fpu_xmm_write(struct pvm_vcpu *v, u32 reg, const void *from, u32 bytes, bool zero_upper);

#endif /* PVM_CPU_H */
