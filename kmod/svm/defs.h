/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SVM's own structures and what asm/svm.h does not name.
 *
 * World:   kernel
 * Context: any
 * Spec:    APM2 15, appendix B "VMCB Layout"
 */
#ifndef PVM_SVM_DEFS_H
#define PVM_SVM_DEFS_H

#include <asm/svm.h>
#include "cpu/cpu.h"
#include "svm/caps.h"

/* VMCB clean bits, APM2 15.15.3 */
#define PVM_SVM_CLEAN_INTERCEPTS	BIT(0)
#define PVM_SVM_CLEAN_IOPM		BIT(1)
#define PVM_SVM_CLEAN_ASID		BIT(2)
#define PVM_SVM_CLEAN_TPR		BIT(3)
#define PVM_SVM_CLEAN_NP		BIT(4)
#define PVM_SVM_CLEAN_CR		BIT(5)
#define PVM_SVM_CLEAN_DR		BIT(6)
#define PVM_SVM_CLEAN_DT		BIT(7)
#define PVM_SVM_CLEAN_SEG		BIT(8)
#define PVM_SVM_CLEAN_CR2		BIT(9)
#define PVM_SVM_CLEAN_LBR		BIT(10)
#define PVM_SVM_CLEAN_AVIC		BIT(11)
#define PVM_SVM_CLEAN_ALL		(BIT(12) - 1)

/* What enter.S works on; offsets are checked in run.c. */
struct pvm_svm_entry {
	u64 vmcb_hpa;		/* 0x00 */
	u64 host_hpa;		/* 0x08: VMSAVE area of this host CPU */
	u64 spec_guest;		/* 0x10 */
	u64 spec_host;		/* 0x18 */
	u32 spec_switch;	/* 0x20: write SPEC_CTRL around the guest */
	u32 faulted;		/* 0x24: VMRUN raised #UD: virtualisation was switched off */
};

struct pvm_svm {
	struct pvm_svm_entry entry;
	struct vmcb *vmcb;
	void *msrpm;
	u64 *top;		/* level 5 of the nested tables, where the host has it */
	u32 clean;		/* clean bits after an exit: 0 where the CPU has none */
	u64 asid_generation;
	int asid_cpu;
	bool nmi_masked;	/* between an NMI's injection and its IRET */
	bool nmi_iret;		/* IRET was intercepted: unmasked once RIP has moved */
	u64 nmi_iret_rip;
	bool step_nmi;		/* RFLAGS.TF set by us to see that IRET is done */
	u32 window;		/* PVM_WINDOW_* being waited for */
};

static inline struct pvm_svm *pvm_svm(struct pvm_vcpu *v)
{
	return v->hw;
}

static inline void pvm_svm_dirty(struct pvm_svm *s, u32 bits)
{
	s->vmcb->control.clean &= ~bits;
}

extern struct pvm_svm_features pvm_svm_feat;	/* caps.c's answer for this machine */

/* enter.S; GIF clear. */
void pvm_svm_vmrun(struct pvm_svm_entry *e, u64 *gpr);

/* hw.c */
int pvm_svm_probe(struct pvm_cpu_caps *caps, struct pvm_why *why);
int pvm_svm_hw_init(void);
void pvm_svm_hw_exit(void);
int pvm_svm_cpu_on(void);
void pvm_svm_cpu_off(void);
bool pvm_svm_cpu_is_on(void);
/* IRQs off, from load() to put(). KVM may run guests on this CPU before and after. */
bool pvm_svm_cpu_is_shared(void);
void pvm_svm_purge(void);		/* flushes all ASIDs; after VMSAVE to the host area */
struct page *pvm_svm_iopm(void);	/* all ones: every port exits; shared by all VMs */
u64 pvm_svm_host_area(void);		/* hpa of this CPU's VMSAVE page */
int pvm_svm_asid_new(u64 *generation, u32 *asid);	/* IRQs off; 1: flush all first */
bool pvm_svm_asid_valid(u64 generation);

/* vcpu.c */
int pvm_svm_vcpu_init(struct pvm_vcpu *v);
void pvm_svm_vcpu_fini(struct pvm_vcpu *v);
void pvm_svm_vcpu_reset(struct pvm_vcpu *v);
void pvm_svm_regs_get(struct pvm_vcpu *v, u32 groups);
void pvm_svm_regs_set(struct pvm_vcpu *v, u32 groups);
bool pvm_svm_msr_get(struct pvm_vcpu *v, u32 msr, u64 *val);
bool pvm_svm_msr_set(struct pvm_vcpu *v, u32 msr, u64 val);
void pvm_svm_tsc_offset(struct pvm_vcpu *v, u64 offset);

/* run.c */
void pvm_svm_load(struct pvm_vcpu *v, int cpu);
void pvm_svm_put(struct pvm_vcpu *v);
void pvm_svm_enter(struct pvm_vcpu *v);
void pvm_svm_flush(struct pvm_vcpu *v);

/* exit.c */
void pvm_svm_decode(struct pvm_vcpu *v, struct pvm_exit *x);

/* event.c */
void pvm_svm_inject(struct pvm_vcpu *v, const struct pvm_event *e);
bool pvm_svm_can_take(struct pvm_vcpu *v, u32 window);
void pvm_svm_window(struct pvm_vcpu *v, u32 wanted);
void pvm_svm_event_cut(struct pvm_vcpu *v);	/* after an exit: EXITINTINFO to v->again */
void pvm_svm_nmi_iret(struct pvm_vcpu *v);	/* IRET was intercepted */
bool pvm_svm_nmi_step(struct pvm_vcpu *v);	/* #DB: ours? */

#endif /* PVM_SVM_DEFS_H */
