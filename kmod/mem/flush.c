// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB generation and shoot-down.
 *
 * Every removal raises the generation. A vCPU that is about to enter the guest
 * compares it with the one it has flushed, and flushes when it is behind. A
 * vCPU that is in the guest is made to leave it. Between the two there is the
 * usual window, closed by order: here the generation is raised before vCPUs are
 * looked at; there "in the guest" is set before the generation is read.
 *
 * World:   kernel
 * Context: process, may sleep; mem->lock held or the VM still being built
 */
#include "mem/mem.h"

void pvm_mem_flush_all(struct pvm_mem *m)
{
	atomic64_inc(&m->tlb_gen);
	/* Pairs with the barrier between a vCPU's mode and its reading of tlb_gen. */
	smp_mb__after_atomic();
	if (m->kick_all)
		m->kick_all(m->kick_ctx);
}
