// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's state around the guest: FPU, debug registers, TSC_AUX and the
 * speculation MSRs. All unusual kernel exports are used here and nowhere else.
 *
 * The guest's FPU registers are in the CPU only inside one IRQs-off window
 * (kernel_fpu_begin() to kernel_fpu_end()), so nothing else sees them. PKRU is
 * part of the guest's XSAVE image; the host's is put back by hand.
 *
 * World:   kernel
 * Context: IRQs off unless a function says otherwise
 * Spec:    SDM1 "Managing State Using the XSAVE Feature Set"; APM2 11.5
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/pkru.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include "cpu/cpu.h"

#define PVM_XCR0_X87		BIT_ULL(0)
#define PVM_XCR0_SSE		BIT_ULL(1)
#define PVM_XCR0_YMM		BIT_ULL(2)
#define PVM_XCR0_AVX512		(7ull << 5)
#define PVM_XCR0_PKRU		BIT_ULL(9)

#define PVM_FXSAVE_BYTES	512
#define PVM_FPU_FCW		0
#define PVM_FPU_MXCSR		24
#define PVM_FPU_ST		32
#define PVM_FPU_XMM		160
#define PVM_FPU_XSTATE_BV	512

u64 pvm_host_xcr0(void)
{
	return boot_cpu_has(X86_FEATURE_OSXSAVE) ? xgetbv(XCR_XFEATURE_ENABLED_MASK) : 0;
}

/* The same on every CPU, from boot on. */
u64 pvm_host_xss(void)
{
	u64 xss = 0;

	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrq_safe(MSR_IA32_XSS, &xss);
	return xss;
}

u64 pvm_host_spec_ctrl(void)
{
	return this_cpu_read(x86_spec_ctrl_current);
}

void pvm_host_ibpb(void)
{
	if (boot_cpu_has(X86_FEATURE_IBPB))
		wrmsrq(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}

/* The processor does not call the host's handler after an intercepted #MC. */
void pvm_host_machine_check(void)
{
#ifdef CONFIG_X86_MCE
	/* As if a user's program had met it: the kernel itself is sound. */
	struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };

	do_machine_check(&regs);
#endif
}

void pvm_host_cpuid(u32 leaf, u32 subleaf, struct pvm_cpuid_regs *r)
{
	cpuid_count(leaf, subleaf, &r->eax, &r->ebx, &r->ecx, &r->edx);
}

int pvm_fpu_new(struct pvm_fpu *f, u64 mask)
{
	struct pvm_cpuid_regs r;

	f->mask = mask;
	f->area_bytes = PVM_FXSAVE_BYTES;
	if (mask) {
		/* ECX: bytes for everything the CPU knows; the standard format. */
		pvm_host_cpuid(0xd, 0, &r);
		f->area_bytes = max_t(u32, r.ecx, PVM_FXSAVE_BYTES + 64);
	}
	/* Pages are aligned beyond the 64 bytes that XSAVE asks for. */
	f->area = alloc_pages_exact(f->area_bytes, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!f->area)
		return -ENOMEM;
	pvm_fpu_reset(f, false);
	return 0;
}

void pvm_fpu_free(struct pvm_fpu *f)
{
	if (f->area) {
		memzero_explicit(f->area, f->area_bytes);
		free_pages_exact(f->area, f->area_bytes);
	}
	f->area = NULL;
}

void pvm_fpu_reset(struct pvm_fpu *f, bool init_only)
{
	f->xcr0 = PVM_XCR0_X87;
	if (init_only)
		return;		/* INIT leaves the registers alone */
	memset(f->area, 0, f->area_bytes);
	put_unaligned_le16(0x37f, f->area + PVM_FPU_FCW);
	put_unaligned_le32(0x1f80, f->area + PVM_FPU_MXCSR);
	if (f->mask)
		put_unaligned_le64(PVM_XCR0_SSE, f->area + PVM_FPU_XSTATE_BV);
}

static void pvm_fpu_load(struct pvm_fpu *f)
{
	if (f->mask)
		asm volatile("1: xrstor64 (%0)\n2:" _ASM_EXTABLE(1b, 2b)
			     : : "r" (f->area), "a" ((u32)f->mask), "d" ((u32)(f->mask >> 32))
			     : "memory");
	else
		asm volatile("1: fxrstor64 (%0)\n2:" _ASM_EXTABLE(1b, 2b)
			     : : "r" (f->area) : "memory");
}

/* SDM1 13.6 "Processor Tracking of XSAVE-Managed State": what x87 is after FNINIT. */
static bool pvm_fpu_x87_init(const u8 *area)
{
	return get_unaligned_le64(area) == 0x37f && !get_unaligned_le64(area + 8) &&
	       !get_unaligned_le64(area + 16) &&
	       !memchr_inv(area + PVM_FPU_ST, 0, PVM_FPU_XMM - PVM_FPU_ST);
}

static void pvm_fpu_save(struct pvm_fpu *f)
{
	if (f->mask) {
		u8 *bv = f->area + PVM_FPU_XSTATE_BV;

		asm volatile("xsave64 (%0)"
			     : : "r" (f->area), "a" ((u32)f->mask), "d" ((u32)(f->mask >> 32))
			     : "memory");
		/*
		 * Processors see for themselves that a component is in its initial state and
		 * need not be loaded. QEMU's do not, and each load of x87 state there may undo
		 * another CPU's VMRUN (Documentation/errata.rst#hflags2).
		 */
		if (*bv & PVM_XCR0_X87 && pvm_fpu_x87_init(f->area))
			*bv &= ~PVM_XCR0_X87;
	} else {
		asm volatile("fxsave64 (%0)" : : "r" (f->area) : "memory");
	}
}

static void pvm_fpu_in(struct pvm_fpu *f)
{
	kernel_fpu_begin();
	if (f->mask & PVM_XCR0_PKRU)
		f->host_pkru = rdpkru();
	pvm_fpu_load(f);
	if (f->mask && f->xcr0 != f->host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, f->xcr0);
	/* The guest's XSAVES reaches what XSS allows: the host's shadow stacks, for one. */
	if (f->host_xss)
		wrmsrq(MSR_IA32_XSS, 0);
	f->loaded = true;
}

void pvm_fpu_see_xcr0(struct pvm_fpu *f)
{
	if (f->loaded && f->mask)
		f->xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK) & f->mask;
}

static void pvm_fpu_out(struct pvm_fpu *f)
{
	pvm_fpu_see_xcr0(f);
	f->loaded = false;
	if (f->host_xss)
		wrmsrq(MSR_IA32_XSS, f->host_xss);
	if (f->mask && f->xcr0 != f->host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, f->host_xcr0);
	pvm_fpu_save(f);
	if (f->mask & PVM_XCR0_PKRU)
		wrpkru(f->host_pkru);
	kernel_fpu_end();
}

bool pvm_host_xsetbv(struct pvm_vcpu *v, u32 index, u64 val)
{
	struct pvm_fpu *f = &v->fpu;
	u64 avx512 = val & PVM_XCR0_AVX512;

	if (index || val & ~f->mask || !(val & PVM_XCR0_X87))
		return false;
	if (val & PVM_XCR0_YMM && !(val & PVM_XCR0_SSE))
		return false;
	if (avx512 && (avx512 != PVM_XCR0_AVX512 || !(val & PVM_XCR0_YMM)))
		return false;
	if (f->loaded && val != f->xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, val);
	f->xcr0 = val;
	return true;
}

/* The emulator works on the image, so the registers go there and come back. */
static void pvm_fpu_image(struct pvm_fpu *f, bool back)
{
	if (!f->loaded)
		return;
	if (f->mask && f->xcr0 != f->host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, f->host_xcr0);
	if (back)
		pvm_fpu_load(f);
	else
		pvm_fpu_save(f);
	if (f->mask && f->xcr0 != f->host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, f->xcr0);
}

#define PVM_XSAVE_YMM_LEAF	2

/* Offset of YMM_Hi128 in the standard format, from CPUID; 0: none. */
static u32 pvm_fpu_ymm_offset(struct pvm_fpu *f)
{
	struct pvm_cpuid_regs r;

	if (!(f->mask & PVM_XCR0_YMM))
		return 0;
	pvm_host_cpuid(0xd, PVM_XSAVE_YMM_LEAF, &r);
	return r.ebx;
}

bool pvm_fpu_xmm_read(struct pvm_vcpu *v, u32 reg, void *to, u32 bytes)
{
	u32 ymm = pvm_fpu_ymm_offset(&v->fpu);

	if (reg > 15 || bytes > 32 || (bytes > 16 && !ymm))
		return false;
	pvm_fpu_image(&v->fpu, false);
	memcpy(to, v->fpu.area + PVM_FPU_XMM + reg * 16, min(bytes, 16u));
	if (bytes > 16)
		memcpy(to + 16, v->fpu.area + ymm + reg * 16, bytes - 16);
	return true;
}

bool pvm_fpu_xmm_write(struct pvm_vcpu *v, u32 reg, const void *from, u32 bytes, bool zero_upper)
{
	struct pvm_fpu *f = &v->fpu;
	u32 ymm = pvm_fpu_ymm_offset(f);
	u64 bv;

	if (reg > 15 || bytes > 32 || (bytes > 16 && !ymm))
		return false;
	pvm_fpu_image(f, false);
	memcpy(f->area + PVM_FPU_XMM + reg * 16, from, min(bytes, 16u));
	if (bytes < 16)
		memset(f->area + PVM_FPU_XMM + reg * 16 + bytes, 0, 16 - bytes);
	if (ymm && (zero_upper || bytes > 16)) {
		memset(f->area + ymm + reg * 16, 0, 16);
		if (bytes > 16)
			memcpy(f->area + ymm + reg * 16, from + 16, bytes - 16);
	}
	if (f->mask) {
		bv = get_unaligned_le64(f->area + PVM_FPU_XSTATE_BV) | PVM_XCR0_SSE;
		if (ymm)
			bv |= PVM_XCR0_YMM;
		put_unaligned_le64(bv, f->area + PVM_FPU_XSTATE_BV);
	}
	pvm_fpu_image(f, true);
	return true;
}

/* DR0-3 are shared with the host; DR6 and DR7 are switched by the vendor. */
void pvm_host_db_load(struct pvm_vcpu *v)
{
	if (!(v->regs.dr7 & 0xff))
		return;
	set_debugreg(v->db[0], 0);
	set_debugreg(v->db[1], 1);
	set_debugreg(v->db[2], 2);
	set_debugreg(v->db[3], 3);
	v->db_loaded = true;
}

/*
 * The kernel's own breakpoints: set only by debuggers, and seldom. They are read
 * before the guest's go in, as the kernel's restore function is KVM's alone.
 */
static DEFINE_PER_CPU(unsigned long [4], pvm_host_db);

static void pvm_host_db_save(void)
{
	unsigned long *db = this_cpu_ptr(pvm_host_db);

	if (!hw_breakpoint_active())
		return;
	get_debugreg(db[0], 0);
	get_debugreg(db[1], 1);
	get_debugreg(db[2], 2);
	get_debugreg(db[3], 3);
}

static void pvm_host_db_restore(struct pvm_vcpu *v)
{
	unsigned long *db = this_cpu_ptr(pvm_host_db);

	v->db_loaded = false;
	if (!hw_breakpoint_active())
		return;
	set_debugreg(db[0], 0);
	set_debugreg(db[1], 1);
	set_debugreg(db[2], 2);
	set_debugreg(db[3], 3);
	set_debugreg(this_cpu_read(cpu_dr7), 7);
}

/*
 * Branch predictions that another VM has planted: vCPU threads have no mm, so the
 * scheduler would not flush them. Ids, as a pointer may be used again.
 */
static DEFINE_PER_CPU(u64, pvm_host_last_vm);

static void pvm_host_part_vms(u64 id)
{
	if (__this_cpu_read(pvm_host_last_vm) == id)
		return;
	__this_cpu_write(pvm_host_last_vm, id);
	if (boot_cpu_has(X86_FEATURE_USE_IBPB))
		pvm_host_ibpb();
}

void pvm_host_enter(struct pvm_vcpu *v)
{
	pvm_host_part_vms(v->m->id);
	pvm_fpu_in(&v->fpu);
	if (boot_cpu_has(X86_FEATURE_RDTSCP)) {
		rdmsrq(MSR_TSC_AUX, v->host_tsc_aux);
		if (v->tsc_aux != v->host_tsc_aux)
			wrmsrq(MSR_TSC_AUX, v->tsc_aux);
	}
	pvm_host_db_save();
	pvm_host_db_load(v);
}

void pvm_host_leave(struct pvm_vcpu *v)
{
	pvm_host_db_restore(v);
	if (boot_cpu_has(X86_FEATURE_RDTSCP) && v->tsc_aux != v->host_tsc_aux)
		wrmsrq(MSR_TSC_AUX, v->host_tsc_aux);
	pvm_fpu_out(&v->fpu);
}
