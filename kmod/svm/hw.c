// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVM on one CPU: EFER.SVME, VM_HSAVE_PA, the VMSAVE area, ASIDs.
 *
 * ASIDs are handed out per CPU, counting up; when they run out the generation
 * rises and the next entry flushes all of them, so a vCPU's ASID is valid while
 * its generation is the CPU's.
 *
 * KVM, where it has SVM on, numbers its guests' ASIDs by itself, from the same end.
 * So there our guest's are flushed before it runs, and all are when it leaves the
 * CPU: by a guest without memory, whose first fetch exits.
 *
 * World:   kernel
 * Context: cpu_on, cpu_off and the ASID functions: IRQs off
 * Spec:    APM2 15.4 "Enabling SVM", 15.16 "TLB Control", 15.30.4 "VM_HSAVE_PA"
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/pgtable.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include "svm/defs.h"
#include "svm/insn.h"

struct pvm_svm_cpu {
	struct page *hsave;	/* the CPU's own state save area, VM_HSAVE_PA */
	struct page *host;	/* VMSAVE of the host's FS, GS, TR, ... */
	u64 generation;
	u32 next_asid;
	bool own;		/* we set EFER.SVME here */
	struct page *purge;	/* VMCB of the guest that does nothing but flush */
	struct pvm_svm_entry purge_entry;
	u64 purge_gpr[16];
};

static DEFINE_PER_CPU(struct pvm_svm_cpu, pvm_svm_cpus);
static struct page *pvm_svm_iopm_pages;
struct pvm_svm_features pvm_svm_feat;

#define PVM_SVM_IOPM_ORDER	2

static void pvm_svm_read_raw(struct pvm_svm_raw *raw)
{
	u32 a, b, c, d;

	memset(raw, 0, sizeof(*raw));
	if (cpuid_eax(0x80000000) < 0x8000000a)
		return;
	cpuid(0x80000001, &a, &b, &c, &d);
	raw->ext1_ecx = c;
	raw->ext1_edx = d;
	cpuid(0x80000008, &raw->ext8_eax, &b, &c, &d);
	cpuid(0x8000000a, &a, &raw->leaf_a_ebx, &c, &raw->leaf_a_edx);
	if (raw->ext1_ecx & BIT(2))
		rdmsrq_safe(MSR_VM_CR, &raw->vm_cr);
}

int pvm_svm_probe(struct pvm_cpu_caps *caps, struct pvm_why *why)
{
	struct pvm_svm_raw raw;
	const char *reason;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_AMD &&
	    boot_cpu_data.x86_vendor != X86_VENDOR_HYGON) {
		pvm_why_set(why, "not an AMD processor");
		return -ENODEV;
	}
	pvm_svm_read_raw(&raw);
	reason = pvm_svm_caps(&raw, &pvm_svm_feat);
	if (reason) {
		pvm_why_set(why, "%s", reason);
		return -ENODEV;
	}
	caps->vendor = 'A';
	caps->max_leaf_level = pvm_svm_feat.giant_pages ? 3 : 2;
	caps->phys_bits = pvm_svm_feat.phys_bits;
	caps->decode_assist = pvm_svm_feat.decode_assist;
	caps->next_rip = pvm_svm_feat.next_rip;
	return 0;
}

bool pvm_svm_cpu_is_on(void)
{
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	return efer & EFER_SVME;
}

int pvm_svm_cpu_on(void)
{
	struct pvm_svm_cpu *c = this_cpu_ptr(&pvm_svm_cpus);
	u64 efer;

	/* A new generation: whatever ran here before left its ASIDs behind. */
	c->generation++;
	c->next_asid = pvm_svm_feat.asids;
	if (c->own)
		return 0;
	rdmsrq(MSR_EFER, efer);
	if (efer & EFER_SVME)
		return 0;	/* another owner's; the caller holds that owner */
	wrmsrq(MSR_EFER, efer | EFER_SVME);
	wrmsrq(MSR_VM_HSAVE_PA, __sme_set(page_to_phys(c->hsave)));
	c->own = true;
	return 0;
}

void pvm_svm_cpu_off(void)
{
	struct pvm_svm_cpu *c = this_cpu_ptr(&pvm_svm_cpus);
	u64 efer;

	if (!c->own)
		return;
	c->own = false;
	wrmsrq(MSR_VM_HSAVE_PA, 0);
	rdmsrq(MSR_EFER, efer);
	wrmsrq(MSR_EFER, efer & ~EFER_SVME);
}

bool pvm_svm_cpu_is_shared(void)
{
	return !__this_cpu_read(pvm_svm_cpus.own);
}

static void pvm_svm_purge_init(struct pvm_svm_cpu *c)
{
	struct vmcb *vmcb = page_address(c->purge);
	struct vmcb_save_area *a = &vmcb->save;

	/* The host's interrupts above all: this guest would swallow them. */
	pvm_svm_controls(&pvm_svm_feat, false, vmcb->control.intercepts);
	vmcb->control.intercepts[2] = ~0u;
	vmcb->control.int_ctl = V_INTR_MASKING_MASK;
	vmcb->control.asid = 1;
	vmcb->control.tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	vmcb->control.nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
	vmcb->control.nested_cr3 = __sme_set(__pa(empty_zero_page));
	a->efer = EFER_SVME;
	a->cr0 = X86_CR0_ET;
	a->cs.attrib = 0x9b;
	a->cs.limit = 0xffff;
	a->rflags = X86_EFLAGS_FIXED;
	a->dr6 = 0xffff0ff0;
	a->dr7 = 0x400;
	c->purge_entry.vmcb_hpa = __sme_set(page_to_phys(c->purge));
	c->purge_entry.host_hpa = __sme_set(page_to_phys(c->host));
}

void pvm_svm_purge(void)
{
	struct pvm_svm_cpu *c = this_cpu_ptr(&pvm_svm_cpus);

	pvm_svm_clgi();
	pvm_svm_vmrun(&c->purge_entry, c->purge_gpr);
	pvm_svm_stgi();
	if (((struct vmcb *)page_address(c->purge))->control.exit_code ==
	    SVM_EXIT_EXCP_BASE + PVM_VEC_MC)
		pvm_host_machine_check();
}

struct page *pvm_svm_iopm(void)
{
	return pvm_svm_iopm_pages;
}

u64 pvm_svm_host_area(void)
{
	return __sme_set(page_to_phys(__this_cpu_read(pvm_svm_cpus.host)));
}

bool pvm_svm_asid_valid(u64 generation)
{
	return generation == __this_cpu_read(pvm_svm_cpus.generation);
}

int pvm_svm_asid_new(u64 *generation, u32 *asid)
{
	struct pvm_svm_cpu *c = this_cpu_ptr(&pvm_svm_cpus);
	int wrapped = 0;

	if (c->next_asid >= pvm_svm_feat.asids) {
		c->next_asid = 1;
		c->generation++;
		wrapped = 1;
	}
	*asid = c->next_asid++;
	*generation = c->generation;
	return wrapped;
}

void pvm_svm_hw_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct pvm_svm_cpu *c = per_cpu_ptr(&pvm_svm_cpus, cpu);

		if (c->hsave)
			__free_page(c->hsave);
		if (c->host)
			__free_page(c->host);
		if (c->purge)
			__free_page(c->purge);
		c->hsave = NULL;
		c->host = NULL;
		c->purge = NULL;
	}
	if (pvm_svm_iopm_pages)
		__free_pages(pvm_svm_iopm_pages, PVM_SVM_IOPM_ORDER);
	pvm_svm_iopm_pages = NULL;
}

int pvm_svm_hw_init(void)
{
	int cpu;

	pvm_svm_iopm_pages = alloc_pages(GFP_KERNEL, PVM_SVM_IOPM_ORDER);
	if (!pvm_svm_iopm_pages)
		return -ENOMEM;
	memset(page_address(pvm_svm_iopm_pages), 0xff, PAGE_SIZE << PVM_SVM_IOPM_ORDER);
	for_each_possible_cpu(cpu) {
		struct pvm_svm_cpu *c = per_cpu_ptr(&pvm_svm_cpus, cpu);

		c->hsave = alloc_page(GFP_KERNEL | __GFP_ZERO);
		c->host = alloc_page(GFP_KERNEL | __GFP_ZERO);
		c->purge = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!c->hsave || !c->host || !c->purge) {
			pvm_svm_hw_exit();
			return -ENOMEM;
		}
		pvm_svm_purge_init(c);
		c->generation = 1;
		c->next_asid = 1;
	}
	return 0;
}
