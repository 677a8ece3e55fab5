// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCB: allocation, reset values, registers in and out.
 *
 * World:   kernel
 * Context: init and fini may sleep; the rest belongs to the vCPU's thread
 * Spec:    APM2 14.1.3 "Processor Initialization State", appendix B
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/msr-index.h>
#include "svm/defs.h"

#define PVM_SVM_MSRPM_ORDER	1

/*
 * The processor walks nested tables in the host's own paging mode (APM2 15.25.3). Ours
 * have four levels: under a host with five, one page above them holds their root.
 */
static int pvm_svm_nested_root(struct pvm_vcpu *v, u64 *root)
{
	struct pvm_svm *s = pvm_svm(v);
	u64 *top;

	*root = pvm_spt_root(&v->m->mem->spt);
	if (!(__read_cr4() & X86_CR4_LA57))
		return 0;
	top = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!top)
		return -ENOMEM;
	top[0] = *root | _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;
	s->top = top;
	*root = __sme_set(__pa(top));
	return 0;
}

int pvm_svm_vcpu_init(struct pvm_vcpu *v)
{
	struct pvm_svm *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	struct vmcb_control_area *c;
	struct page *page;

	if (!s)
		return -ENOMEM;
	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!page)
		goto err_free;
	s->vmcb = page_address(page);
	/* As the kernel wrote it: with the C-bit where memory is encrypted. */
	s->entry.vmcb_hpa = __sme_set(page_to_phys(page));
	page = alloc_pages(GFP_KERNEL_ACCOUNT, PVM_SVM_MSRPM_ORDER);
	if (!page)
		goto err_free_vmcb;
	s->msrpm = page_address(page);
	v->hw = s;
	if (pvm_svm_nested_root(v, &s->vmcb->control.nested_cr3))
		goto err_free_msrpm;
	pvm_svm_msrpm_init(s->msrpm);
	pvm_svm_msrpm_policy(s->msrpm, &pvm_svm_feat);

	c = &s->vmcb->control;
	pvm_svm_controls(&pvm_svm_feat, v->m->pause_exits, c->intercepts);
	if (pvm_svm_feat.pause_filter)
		c->pause_filter_count = 3000;
	if (pvm_svm_feat.pause_threshold)
		c->pause_filter_thresh = 128;
	c->iopm_base_pa = __sme_set(page_to_phys(pvm_svm_iopm()));
	c->msrpm_base_pa = __sme_set(page_to_phys(page));
	c->int_ctl = V_INTR_MASKING_MASK;
	c->nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
	s->asid_cpu = -1;
	s->clean = pvm_svm_feat.vmcb_clean ? PVM_SVM_CLEAN_ALL & ~PVM_SVM_CLEAN_CR2 : 0;
	return 0;

err_free_msrpm:
	v->hw = NULL;
	free_pages((unsigned long)s->msrpm, PVM_SVM_MSRPM_ORDER);
err_free_vmcb:
	free_page((unsigned long)s->vmcb);
err_free:
	kfree(s);
	return -ENOMEM;
}

void pvm_svm_vcpu_fini(struct pvm_vcpu *v)
{
	struct pvm_svm *s = pvm_svm(v);

	if (!s)
		return;
	free_page((unsigned long)s->top);
	free_pages((unsigned long)s->msrpm, PVM_SVM_MSRPM_ORDER);
	free_page((unsigned long)s->vmcb);
	kfree(s);
	v->hw = NULL;
}

void pvm_svm_vcpu_reset(struct pvm_vcpu *v)
{
	struct pvm_svm *s = pvm_svm(v);
	struct vmcb_control_area *c = &s->vmcb->control;

	s->nmi_masked = false;
	s->nmi_iret = false;
	s->step_nmi = false;
	s->window = 0;
	c->event_inj = 0;
	c->int_state = 0;
	c->int_ctl &= ~(V_IRQ_INJECTION_BITS_MASK | V_TPR_MASK);
	c->intercepts[3] &= ~(BIT(4) | BIT(20));	/* no VINTR, no IRET */
	c->intercepts[0] &= ~BIT(16 + 8);		/* CR8 writes */
	s->vmcb->save.dbgctl = 0;
	s->vmcb->save.spec_ctrl = 0;
	s->vmcb->save.g_pat = v->pat;
	c->clean = 0;
	pvm_svm_regs_set(v, PVM_REGS_ALL);
}

/* enum pvm_sreg to where the save area keeps it. */
static struct vmcb_seg *pvm_svm_seg(struct vmcb_save_area *a, u32 i)
{
	switch (i) {
	case PVM_ES: return &a->es;
	case PVM_CS: return &a->cs;
	case PVM_SS: return &a->ss;
	case PVM_DS: return &a->ds;
	case PVM_FS: return &a->fs;
	case PVM_GS: return &a->gs;
	case PVM_LDTR: return &a->ldtr;
	default: return &a->tr;
	}
}

/* The VMCB packs attr as type..P in 0-7 and AVL, L, D/B, G in 8-11: the same as ours. */
static void pvm_svm_segs_get(struct pvm_vcpu *v, struct vmcb_save_area *a)
{
	u32 i;

	for (i = 0; i < PVM_SREGS; i++) {
		const struct vmcb_seg *from = pvm_svm_seg(a, i);
		struct pvm_seg *to = &v->regs.seg[i];

		to->sel = from->selector;
		to->attr = from->attrib & 0xfff;
		to->limit = from->limit;
		to->base = from->base;
	}
	v->regs.cpl = a->cpl & 3;
}

static void pvm_svm_segs_set(struct pvm_vcpu *v, struct vmcb_save_area *a)
{
	u32 i;

	for (i = 0; i < PVM_SREGS; i++) {
		const struct pvm_seg *from = &v->regs.seg[i];
		struct vmcb_seg *to = pvm_svm_seg(a, i);

		to->selector = from->sel;
		to->attrib = from->attr;
		to->limit = from->limit;
		to->base = from->base;
	}
	a->cpl = v->regs.cpl;
}

void pvm_svm_regs_get(struct pvm_vcpu *v, u32 groups)
{
	struct vmcb_save_area *a = &pvm_svm(v)->vmcb->save;
	struct pvm_regs *r = &v->regs;

	/* GPR is copied after every exit. */
	if (groups & PVM_REGS_SEG)
		pvm_svm_segs_get(v, a);
	if (groups & PVM_REGS_CR) {
		r->cr0 = a->cr0;
		r->cr2 = a->cr2;
		r->cr3 = a->cr3;
		r->cr4 = a->cr4;
		r->efer = a->efer & ~(u64)EFER_SVME;
	}
	if (groups & PVM_REGS_DT) {
		r->gdtr = (struct pvm_dtr){ a->gdtr.base, a->gdtr.limit };
		r->idtr = (struct pvm_dtr){ a->idtr.base, a->idtr.limit };
	}
	if (groups & PVM_REGS_DR) {
		r->dr6 = a->dr6;
		r->dr7 = a->dr7;
	}
}

void pvm_svm_regs_set(struct pvm_vcpu *v, u32 groups)
{
	struct pvm_svm *s = pvm_svm(v);
	struct vmcb_save_area *a = &s->vmcb->save;
	const struct pvm_regs *r = &v->regs;
	u32 dirty = 0;

	/* GPR is copied at every entry. */
	if (groups & PVM_REGS_SEG) {
		pvm_svm_segs_set(v, a);
		dirty |= PVM_SVM_CLEAN_SEG;
	}
	if (groups & PVM_REGS_CR) {
		a->cr0 = r->cr0;
		a->cr2 = r->cr2;
		a->cr3 = r->cr3;
		a->cr4 = r->cr4;
		a->efer = r->efer | EFER_SVME;
		dirty |= PVM_SVM_CLEAN_CR | PVM_SVM_CLEAN_CR2;
	}
	if (groups & PVM_REGS_DT) {
		a->gdtr.base = r->gdtr.base;
		a->gdtr.limit = r->gdtr.limit;
		a->idtr.base = r->idtr.base;
		a->idtr.limit = r->idtr.limit;
		dirty |= PVM_SVM_CLEAN_DT;
	}
	if (groups & PVM_REGS_DR) {
		a->dr6 = r->dr6;
		a->dr7 = r->dr7;
		dirty |= PVM_SVM_CLEAN_DR;
	}
	pvm_svm_dirty(s, dirty);
}

/* MSRs that the save area holds. NULL: none of them. */
static u64 *pvm_svm_msr_field(struct vmcb_save_area *a, u32 msr)
{
	switch (msr) {
	case MSR_IA32_SYSENTER_CS: return &a->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP: return &a->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP: return &a->sysenter_eip;
	case MSR_STAR: return &a->star;
	case MSR_LSTAR: return &a->lstar;
	case MSR_CSTAR: return &a->cstar;
	case MSR_SYSCALL_MASK: return &a->sfmask;
	case MSR_FS_BASE: return &a->fs.base;
	case MSR_GS_BASE: return &a->gs.base;
	case MSR_KERNEL_GS_BASE: return &a->kernel_gs_base;
	case MSR_IA32_CR_PAT: return &a->g_pat;
	case MSR_IA32_DEBUGCTLMSR: return &a->dbgctl;
	default: return NULL;
	}
}

static bool pvm_svm_canonical(u32 msr, u64 val)
{
	switch (msr) {
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		return (u64)((s64)(val << 16) >> 16) == val;
	case MSR_IA32_DEBUGCTLMSR:
		return !(val & ~(u64)(DEBUGCTLMSR_BTF));	/* no LBR for guests */
	default:
		return true;
	}
}

bool pvm_svm_msr_get(struct pvm_vcpu *v, u32 msr, u64 *val)
{
	u64 *field = pvm_svm_msr_field(&pvm_svm(v)->vmcb->save, msr);

	if (!field)
		return false;
	*val = *field;
	return true;
}

bool pvm_svm_msr_set(struct pvm_vcpu *v, u32 msr, u64 val)
{
	struct pvm_svm *s = pvm_svm(v);
	u64 *field = pvm_svm_msr_field(&s->vmcb->save, msr);

	if (!field || !pvm_svm_canonical(msr, val))
		return false;
	*field = val;
	pvm_svm_dirty(s, PVM_SVM_CLEAN_SEG | PVM_SVM_CLEAN_NP | PVM_SVM_CLEAN_LBR);
	return true;
}

void pvm_svm_tsc_offset(struct pvm_vcpu *v, u64 offset)
{
	struct pvm_svm *s = pvm_svm(v);

	s->vmcb->control.tsc_offset = offset;
	pvm_svm_dirty(s, PVM_SVM_CLEAN_INTERCEPTS);
}
