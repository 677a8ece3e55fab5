/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the executor share.
 *
 * Functions that return int: 0, 1 with the fault filled, -EAGAIN for "nothing
 * done, enter again", any other negative number for "cannot be emulated".
 *
 * World:   pure
 * Context: any
 */
#ifndef PVM_X86_EXEC_H
#define PVM_X86_EXEC_H

#include "x86/x86.h"

/* How often a locked operation tries before the guest is entered again. */
#define PVM_EXEC_RETRIES	8

struct pvm_exec {
	const struct pvm_insn *insn;
	struct pvm_regs *regs;
	const struct pvm_emul_ops *ops;
	void *ctx;
	struct pvm_fault *fault;
	u32 max_iterations;
	bool partial;		/* a REP that goes on: RIP stays */
};

/* ---- exec.c ---- */

int pvm_exec_raise(struct pvm_exec *x, u8 vector, u32 error);

/* Registers of @bytes 1, 2, 4 or 8; writing 4 clears the upper half. */
u64 pvm_exec_gpr(const struct pvm_exec *x, u8 reg, u32 bytes);
void pvm_exec_set_gpr(struct pvm_exec *x, u8 reg, u32 bytes, u64 val);

/* Offset of the r/m operand in its segment; segment and canonical checks. */
u64 pvm_exec_offset(const struct pvm_exec *x);
int pvm_exec_linear(struct pvm_exec *x, u8 seg, u64 offset, u32 bytes, bool write, u64 *linear);

/* Whether @bytes at @linear are canonical, or within 4 GiB outside long mode. */
bool pvm_exec_addressable(const struct pvm_regs *regs, u64 linear, u32 bytes);

/* Memory with the guest's own rights; @modify: a read before a write. */
int pvm_exec_load(struct pvm_exec *x, u64 linear, void *to, u32 bytes, bool modify);
int pvm_exec_store(struct pvm_exec *x, u64 linear, const void *from, u32 bytes);

/* The r/m operand in memory or in a register. */
int pvm_exec_read_rm(struct pvm_exec *x, u32 bytes, u64 *val);
int pvm_exec_write_rm(struct pvm_exec *x, u32 bytes, u64 val);

/* ---- exec_alu.c ---- */

/* One operation of the ALU, the shifts, the bit tests, or an exchange. */
struct pvm_alu {
	u8 op;			/* enum pvm_op */
	u8 bytes;
	bool write;		/* out: dst is written back */
	u64 dst;		/* in and out */
	u64 src;		/* in; out: what XCHG and XADD leave in the register */
	u64 aux;		/* SHLD, SHRD: count; CMPXCHG: accumulator, in and out */
	u64 flags;		/* RFLAGS, in and out */
};

void pvm_exec_alu(struct pvm_alu *a);
bool pvm_exec_condition(u8 code, u64 flags);

/* MUL, IMUL, DIV, IDIV with the implicit accumulator, and IMUL r, r/m (, imm). */
int pvm_exec_multiply(struct pvm_exec *x);

/* ---- exec_string.c, exec_seg.c, exec_sse.c ---- */

int pvm_exec_string(struct pvm_exec *x);
int pvm_exec_from_sreg(struct pvm_exec *x);
int pvm_exec_to_sreg(struct pvm_exec *x);
int pvm_exec_sse(struct pvm_exec *x);

#endif /* PVM_X86_EXEC_H */
