/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the x86 layer share: a flat window of memory behind
 * struct pvm_emul_ops, and register sets for each mode.
 *
 * World:   host tests
 * Context: single-threaded
 */
#ifndef PVM_X86_FIXTURE_H
#define PVM_X86_FIXTURE_H

#include "x86/x86.h"

#define X86_MEM_BYTES	8192

/* Accesses outside [base, base + X86_MEM_BYTES) are page faults. */
struct x86_mem {
	u64 base;
	u8 byte[X86_MEM_BYTES];
	u8 ymm[16][32];
	u64 read_only_from;	/* writes at or above fault; 0: none */
	u32 reads, writes, swaps;
	u32 fail_swaps;		/* so many compare-exchanges lose */
	u32 last_access;
	u16 port;
	u64 port_in, port_out;
	u32 port_reads, port_writes;
};

static inline int x86_mem_check(struct x86_mem *m, u64 linear, u32 bytes, u32 access,
				struct pvm_fault *fault)
{
	bool outside = linear < m->base || bytes > X86_MEM_BYTES ||
		       linear - m->base > X86_MEM_BYTES - bytes;
	bool denied = access & PVM_ACCESS_WRITE && m->read_only_from &&
		      linear + bytes > m->read_only_from;

	m->last_access = access;
	if (!outside && !denied)
		return 0;
	*fault = (struct pvm_fault){
		.vector = PVM_VEC_PF, .has_error = true,
		.error = (outside ? 0 : PVM_PF_P) | (access & PVM_ACCESS_WRITE ? PVM_PF_W : 0),
		.address = linear,
	};
	return 1;
}

static inline int x86_mem_read(void *ctx, u64 linear, void *to, u32 bytes, u32 access,
			       struct pvm_fault *fault)
{
	struct x86_mem *m = ctx;

	m->reads++;
	if (x86_mem_check(m, linear, bytes, access, fault))
		return 1;
	memcpy(to, m->byte + (linear - m->base), bytes);
	return 0;
}

static inline int x86_mem_write(void *ctx, u64 linear, const void *from, u32 bytes, u32 access,
				struct pvm_fault *fault)
{
	struct x86_mem *m = ctx;

	m->writes++;
	if (x86_mem_check(m, linear, bytes, access, fault))
		return 1;
	memcpy(m->byte + (linear - m->base), from, bytes);
	return 0;
}

static inline int x86_mem_cmpxchg(void *ctx, u64 linear, void *expected, const void *desired,
				  u32 bytes, bool *swapped, struct pvm_fault *fault)
{
	struct x86_mem *m = ctx;

	m->swaps++;
	if (x86_mem_check(m, linear, bytes, PVM_ACCESS_WRITE, fault))
		return 1;
	*swapped = false;
	if (m->fail_swaps) {
		m->fail_swaps--;
		return 0;
	}
	if (memcmp(m->byte + (linear - m->base), expected, bytes))
		return 0;
	memcpy(m->byte + (linear - m->base), desired, bytes);
	*swapped = true;
	return 0;
}

static inline int x86_port_read(void *ctx, u16 port, u32 bytes, u64 *val)
{
	struct x86_mem *m = ctx;

	m->port = port;
	m->port_reads++;
	*val = m->port_in++ & pvm_bytes_mask(bytes);
	return 0;
}

static inline int x86_port_write(void *ctx, u16 port, u32 bytes, u64 val)
{
	struct x86_mem *m = ctx;

	m->port = port;
	m->port_writes++;
	m->port_out = val & pvm_bytes_mask(bytes);
	return 0;
}

static inline int x86_xmm_read(void *ctx, u32 reg, void *to, u32 bytes)
{
	memcpy(to, ((struct x86_mem *)ctx)->ymm[reg & 15], bytes);
	return 0;
}

static inline int x86_xmm_write(void *ctx, u32 reg, const void *from, u32 bytes)
{
	memcpy(((struct x86_mem *)ctx)->ymm[reg & 15], from, bytes);
	return 0;
}

static const struct pvm_emul_ops x86_mem_ops = {
	.read = x86_mem_read, .write = x86_mem_write, .cmpxchg = x86_mem_cmpxchg,
	.port_read = x86_port_read, .port_write = x86_port_write,
	.xmm_read = x86_xmm_read, .xmm_write = x86_xmm_write,
};

#define X86_DATA	(PVM_SEG_S | PVM_SEG_P | PVM_SEG_WRITE | 1)
#define X86_CODE	(PVM_SEG_S | PVM_SEG_P | PVM_SEG_CODE | PVM_SEG_WRITE | 1)

static inline void x86_segments(struct pvm_regs *r, u16 data, u16 code, u32 limit)
{
	u32 i;

	for (i = 0; i < PVM_LDTR; i++)
		r->seg[i] = (struct pvm_seg){ .attr = i == PVM_CS ? code : data, .limit = limit };
}

static inline void x86_regs64(struct pvm_regs *r)
{
	memset(r, 0, sizeof(*r));
	r->cr0 = PVM_CR0_PE | PVM_CR0_PG;
	r->cr4 = PVM_CR4_PAE | PVM_CR4_OSFXSR | PVM_CR4_OSXSAVE;
	r->efer = PVM_EFER_LME | PVM_EFER_LMA | PVM_EFER_NXE;
	r->rflags = PVM_FLAG_FIXED;
	x86_segments(r, X86_DATA | PVM_SEG_DB | PVM_SEG_G, X86_CODE | PVM_SEG_L | PVM_SEG_G,
		     0xffffffff);
}

static inline void x86_regs32(struct pvm_regs *r)
{
	memset(r, 0, sizeof(*r));
	r->cr0 = PVM_CR0_PE;
	r->cr4 = PVM_CR4_OSFXSR;
	r->rflags = PVM_FLAG_FIXED;
	x86_segments(r, X86_DATA | PVM_SEG_DB | PVM_SEG_G, X86_CODE | PVM_SEG_DB | PVM_SEG_G,
		     0xffffffff);
}

static inline void x86_regs16(struct pvm_regs *r)
{
	memset(r, 0, sizeof(*r));
	r->rflags = PVM_FLAG_FIXED;
	x86_segments(r, X86_DATA, X86_CODE, 0xffff);
}

#endif /* PVM_X86_FIXTURE_H */
