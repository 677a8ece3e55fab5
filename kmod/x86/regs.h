/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register names and bits that both vendors and the pure units share.
 *
 * The names carry a PVM_ prefix because the same source is compiled outside
 * the kernel, too.
 *
 * World:   pure
 * Context: any
 * Spec:    SDM3 "System Architecture Overview"; APM2 3.1
 */
#ifndef PVM_X86_REGS_H
#define PVM_X86_REGS_H

#include <pvm/env.h>

enum pvm_gpr {
	PVM_RAX, PVM_RCX, PVM_RDX, PVM_RBX, PVM_RSP, PVM_RBP, PVM_RSI, PVM_RDI,
	PVM_R8, PVM_R9, PVM_R10, PVM_R11, PVM_R12, PVM_R13, PVM_R14, PVM_R15,
	PVM_GPRS,
};

/* In the order of instruction encoding. */
enum pvm_sreg {
	PVM_ES, PVM_CS, PVM_SS, PVM_DS, PVM_FS, PVM_GS, PVM_LDTR, PVM_TR,
	PVM_SREGS,
};

/* attr as the VMCB holds it: type 0-3, S 4, DPL 5-6, P 7, AVL 8, L 9, D/B 10, G 11. */
struct pvm_seg {
	u16 sel;
	u16 attr;
	u32 limit;		/* in bytes, granularity applied */
	u64 base;
};

#define PVM_SEG_TYPE		0x000f
#define PVM_SEG_CODE		0x0008
#define PVM_SEG_WRITE		0x0002	/* data: writable; code: readable */
#define PVM_SEG_DOWN		0x0004	/* data: expand down; code: conforming */
#define PVM_SEG_S		0x0010
#define PVM_SEG_DPL_SHIFT	5
#define PVM_SEG_P		0x0080
#define PVM_SEG_AVL		0x0100
#define PVM_SEG_L		0x0200
#define PVM_SEG_DB		0x0400
#define PVM_SEG_G		0x0800
#define PVM_SEG_UNUSABLE	0x1000	/* VMX only */

struct pvm_dtr {
	u64 base;
	u32 limit;
};

/* The guest's registers, as far as they have been read from the vendor's format. */
struct pvm_regs {
	u64 gpr[PVM_GPRS];
	u64 rip;
	u64 rflags;
	u64 cr0, cr2, cr3, cr4;
	u64 efer;
	u64 dr6, dr7;
	struct pvm_seg seg[PVM_SREGS];
	struct pvm_dtr gdtr, idtr;
	u8 cpl;
};

#define PVM_CR0_PE	BIT_ULL(0)
#define PVM_CR0_MP	BIT_ULL(1)
#define PVM_CR0_EM	BIT_ULL(2)
#define PVM_CR0_TS	BIT_ULL(3)
#define PVM_CR0_ET	BIT_ULL(4)
#define PVM_CR0_NE	BIT_ULL(5)
#define PVM_CR0_WP	BIT_ULL(16)
#define PVM_CR0_AM	BIT_ULL(18)
#define PVM_CR0_NW	BIT_ULL(29)
#define PVM_CR0_CD	BIT_ULL(30)
#define PVM_CR0_PG	BIT_ULL(31)
#define PVM_CR0_VALID	(PVM_CR0_PE | PVM_CR0_MP | PVM_CR0_EM | PVM_CR0_TS | PVM_CR0_ET | \
			 PVM_CR0_NE | PVM_CR0_WP | PVM_CR0_AM | PVM_CR0_NW | PVM_CR0_CD | \
			 PVM_CR0_PG)

#define PVM_CR4_VME	BIT_ULL(0)
#define PVM_CR4_PVI	BIT_ULL(1)
#define PVM_CR4_TSD	BIT_ULL(2)
#define PVM_CR4_DE	BIT_ULL(3)
#define PVM_CR4_PSE	BIT_ULL(4)
#define PVM_CR4_PAE	BIT_ULL(5)
#define PVM_CR4_MCE	BIT_ULL(6)
#define PVM_CR4_PGE	BIT_ULL(7)
#define PVM_CR4_PCE	BIT_ULL(8)
#define PVM_CR4_OSFXSR	BIT_ULL(9)
#define PVM_CR4_OSXMMEXCPT BIT_ULL(10)
#define PVM_CR4_UMIP	BIT_ULL(11)
#define PVM_CR4_LA57	BIT_ULL(12)
#define PVM_CR4_VMXE	BIT_ULL(13)
#define PVM_CR4_FSGSBASE BIT_ULL(16)
#define PVM_CR4_PCIDE	BIT_ULL(17)
#define PVM_CR4_OSXSAVE	BIT_ULL(18)
#define PVM_CR4_SMEP	BIT_ULL(20)
#define PVM_CR4_SMAP	BIT_ULL(21)
#define PVM_CR4_PKE	BIT_ULL(22)

#define PVM_EFER_SCE	BIT_ULL(0)
#define PVM_EFER_LME	BIT_ULL(8)
#define PVM_EFER_LMA	BIT_ULL(10)
#define PVM_EFER_NXE	BIT_ULL(11)
#define PVM_EFER_SVME	BIT_ULL(12)
#define PVM_EFER_LMSLE	BIT_ULL(13)
#define PVM_EFER_FFXSR	BIT_ULL(14)

#define PVM_FLAG_CF	BIT_ULL(0)
#define PVM_FLAG_FIXED	BIT_ULL(1)
#define PVM_FLAG_PF	BIT_ULL(2)
#define PVM_FLAG_AF	BIT_ULL(4)
#define PVM_FLAG_ZF	BIT_ULL(6)
#define PVM_FLAG_SF	BIT_ULL(7)
#define PVM_FLAG_TF	BIT_ULL(8)
#define PVM_FLAG_IF	BIT_ULL(9)
#define PVM_FLAG_DF	BIT_ULL(10)
#define PVM_FLAG_OF	BIT_ULL(11)
#define PVM_FLAG_IOPL	(3ull << 12)
#define PVM_FLAG_NT	BIT_ULL(14)
#define PVM_FLAG_RF	BIT_ULL(16)
#define PVM_FLAG_VM	BIT_ULL(17)
#define PVM_FLAG_AC	BIT_ULL(18)
#define PVM_FLAG_VIF	BIT_ULL(19)
#define PVM_FLAG_VIP	BIT_ULL(20)
#define PVM_FLAG_ID	BIT_ULL(21)

enum pvm_vector {
	PVM_VEC_DE, PVM_VEC_DB, PVM_VEC_NMI, PVM_VEC_BP, PVM_VEC_OF, PVM_VEC_BR,
	PVM_VEC_UD, PVM_VEC_NM, PVM_VEC_DF, PVM_VEC_TS = 10, PVM_VEC_NP, PVM_VEC_SS,
	PVM_VEC_GP, PVM_VEC_PF, PVM_VEC_MF = 16, PVM_VEC_AC, PVM_VEC_MC, PVM_VEC_XM,
};

/* SDM3 "Interrupt 14 - Page-Fault Exception": error code */
#define PVM_PF_P	BIT(0)
#define PVM_PF_W	BIT(1)
#define PVM_PF_U	BIT(2)
#define PVM_PF_RSVD	BIT(3)
#define PVM_PF_I	BIT(4)

/* An exception that an emulated access or instruction must raise. */
struct pvm_fault {
	u8 vector;
	bool has_error;
	u32 error;
	u64 address;		/* CR2 for #PF */
};

static inline bool pvm_regs_long_mode(const struct pvm_regs *r)
{
	return r->efer & PVM_EFER_LMA && r->seg[PVM_CS].attr & PVM_SEG_L;
}

#endif /* PVM_X86_REGS_H */
