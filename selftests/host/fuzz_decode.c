// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzer: decode and execute any bytes in any mode with any registers, over
 * memory that now and then faults, is not there, or loses a compare-exchange.
 *
 * An input is a header of 8 bytes (mode, control bits, seed), up to 15 bytes of
 * instruction, and answers for memory. Given files, the program replays them.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include <stdio.h>
#include <stdlib.h>

#include "x86_fixture.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

#define must(cond) do {								\
	if (!(cond)) {								\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		abort();							\
	}									\
} while (0)

#define MAX_ITERATIONS	16

static struct {
	const u8 *answers;
	size_t count, at;
	u32 calls;
	bool flat;		/* outside long mode */
	bool wrote;		/* something that a guest or a device can see */
	u64 seed;
} f;

static u8 next(void)
{
	return f.at < f.count ? f.answers[f.at++] : 0;
}

static u64 rnd(void)
{
	f.seed = f.seed * 6364136223846793005ull + 1442695040888963407ull;
	return f.seed ^ f.seed >> 29;
}

static int outcome(u64 linear, u32 bytes, struct pvm_fault *fault)
{
	f.calls++;
	must(bytes >= 1 && bytes <= 64);
	must(!f.flat || linear + bytes <= 1ull << 32);
	must(linear + bytes - 1 >= linear);
	switch (next()) {
	case 0xff:
		*fault = (struct pvm_fault){ .vector = PVM_VEC_PF, .has_error = true };
		return 1;
	case 0xfe:
		return -EFAULT;
	case 0xfd:
		return -EAGAIN;
	}
	return 0;
}

static int fuzz_read(void *ctx, u64 linear, void *to, u32 bytes, u32 access,
		     struct pvm_fault *fault)
{
	int r = outcome(linear, bytes, fault);
	u32 i;

	for (i = 0; !r && i < bytes; i++)
		((u8 *)to)[i] = next();
	return r;
}

static int fuzz_write(void *ctx, u64 linear, const void *from, u32 bytes, u32 access,
		      struct pvm_fault *fault)
{
	int r = outcome(linear, bytes, fault);
	u32 i;

	must(access & PVM_ACCESS_WRITE);
	for (i = 0; i < bytes; i++)	/* the sanitizers look at it */
		f.seed += ((const u8 *)from)[i];
	f.wrote |= !r;
	return r;
}

static int fuzz_cmpxchg(void *ctx, u64 linear, void *expected, const void *desired, u32 bytes,
			bool *swapped, struct pvm_fault *fault)
{
	int r = outcome(linear, bytes, fault);

	must(bytes <= 16);
	*swapped = !r && next() & 1;
	f.wrote |= *swapped;
	return r;
}

static int fuzz_port_read(void *ctx, u16 port, u32 bytes, u64 *val)
{
	must(bytes == 1 || bytes == 2 || bytes == 4);
	f.calls++;
	*val = next();
	return 0;
}

static int fuzz_port_write(void *ctx, u16 port, u32 bytes, u64 val)
{
	must(bytes == 1 || bytes == 2 || bytes == 4);
	must(!(val & ~pvm_bytes_mask(bytes)));
	f.calls++;
	f.wrote = true;
	return 0;
}

static int fuzz_xmm_read(void *ctx, u32 reg, void *to, u32 bytes)
{
	must(reg < 16 && (bytes == 16 || bytes == 32));
	memset(to, next(), bytes);
	return 0;
}

static int fuzz_xmm_write(void *ctx, u32 reg, const void *from, u32 bytes)
{
	must(reg < 16 && (bytes == 16 || bytes == 32));
	return 0;
}

static const struct pvm_emul_ops ops = {
	.read = fuzz_read, .write = fuzz_write, .cmpxchg = fuzz_cmpxchg,
	.port_read = fuzz_port_read, .port_write = fuzz_port_write,
	.xmm_read = fuzz_xmm_read, .xmm_write = fuzz_xmm_write,
};

/* Values that keep addresses inside, at an edge, or anywhere. */
static u64 some_value(void)
{
	switch (rnd() >> 60 & 3) {
	case 0:
		return rnd() & 0xffff;
	case 1:
		return (1ull << (rnd() & 63)) - (rnd() & 7);
	case 2:
		return (u32)rnd();
	}
	return rnd();
}

static void make_regs(struct pvm_regs *r, u8 mode, u8 control)
{
	u32 i;

	if ((mode & 3) == 0)
		x86_regs16(r);
	else if ((mode & 3) == 1)
		x86_regs32(r);
	else
		x86_regs64(r);
	for (i = 0; i < 16; i++)
		r->gpr[i] = some_value();
	r->rip = pvm_regs_long_mode(r) ? some_value() : (u32)some_value();
	r->rflags = PVM_FLAG_FIXED | (rnd() & 0xcd5);
	r->cpl = control & 1 ? 3 : 0;
	if (control & 2)
		r->rflags |= PVM_FLAG_TF;
	if (control & 4)
		r->cr4 |= PVM_CR4_LA57;
	if (mode & 4)
		r->efer |= PVM_EFER_LMA;
	if (mode & 8)
		r->rflags |= PVM_FLAG_VM;
	for (i = 0; control & 8 && i < PVM_SREGS; i++) {
		r->seg[i].base = some_value();
		r->seg[i].limit = some_value();
		if (i != PVM_CS)
			r->seg[i].attr ^= rnd() & 0x14ff;
	}
	r->gdtr = (struct pvm_dtr){ some_value(), rnd() & 0xffff };
}

static void run(const struct pvm_insn *insn, struct pvm_regs *r, u32 max)
{
	struct pvm_regs before = *r;
	struct pvm_fault fault = { .vector = 0xee };
	enum pvm_emul e;

	e = pvm_exec(insn, r, &ops, NULL, max, &fault);
	must(f.calls <= 8 * MAX_ITERATIONS);
	switch (e) {
	case PVM_EMUL_DONE:
		must(r->rip == pvm_insn_next_rip(&before, insn->len));
		break;
	case PVM_EMUL_AGAIN:
		must(r->rip == before.rip);
		must(insn->form == PVM_FORM_STRING || !f.wrote);
		break;
	case PVM_EMUL_FAULT:
		must(fault.vector < 32);
		fallthrough;
	case PVM_EMUL_FAIL:
		must(!f.wrote);
		must(!memcmp(r, &before, sizeof(before)));
		break;
	}
	/* nothing but these ever changes */
	must(r->cr0 == before.cr0 && r->cr3 == before.cr3 && r->cr4 == before.cr4);
	must(r->efer == before.efer && r->cpl == before.cpl);
	must(!((r->rflags ^ before.rflags) & ~0x8d5ull));
}

/* What handlers of trapped instructions call. */
static void run_helpers(const struct pvm_insn *insn, struct pvm_regs *r, u32 max)
{
	static const u8 sizes[4] = { 1, 2, 4, 8 };
	struct pvm_fault fault;
	u64 val = 0, rip = r->rip;

	if (insn->flags & PVM_INSN_MEM && f.flat)
		must(pvm_insn_linear(insn, r) <= 0xffffffff);
	pvm_insn_read_rm(insn, r, &ops, NULL, sizes[max & 3], &val, &fault);
	must(!(val & ~pvm_bytes_mask(sizes[max & 3])));
	pvm_insn_write_rm(insn, r, &ops, NULL, sizes[max >> 2 & 3], val, &fault);
	must(r->rip == rip);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct pvm_insn insn, shorter;
	struct pvm_fault fault;
	struct pvm_regs regs;
	u32 count, i, max;
	u8 *copy;
	int r;

	if (bytes < 9)
		return 0;
	memset(&f, 0, sizeof(f));
	memcpy(&f.seed, data + 2, 6);
	make_regs(&regs, data[0], data[1]);
	f.flat = !(regs.efer & PVM_EFER_LMA);
	max = data[1] >> 4;
	data += 8;
	bytes -= 8;
	count = min_t(u32, bytes, PVM_INSN_MAX);
	f.answers = data + count;
	f.count = bytes - count;

	/* exactly as long, so that one byte too many is seen */
	copy = malloc(count);
	memcpy(copy, data, count);
	r = pvm_decode(&insn, &regs, copy, count, &fault);
	must(r == 0 || r == 1 || r == -EAGAIN || r == -EINVAL);
	must(r != -EAGAIN || count < PVM_INSN_MAX);
	if (r == 0) {
		must(insn.len >= 1 && insn.len <= count);
		must(insn.op != PVM_OP_NONE && insn.op < PVM_OP_GROUPS);
		for (i = 0; i < insn.len; i++)
			must(pvm_decode(&shorter, &regs, copy, i, &fault) == -EAGAIN);
		must(!pvm_decode(&shorter, &regs, copy, insn.len, &fault));
		must(!memcmp(&shorter, &insn, sizeof(insn)));
		run(&insn, &regs, max);
		run_helpers(&insn, &regs, max);
	}
	must(pvm_insn_quick_len(copy, count, !f.flat, 0x0fa2, 2) <= count);
	free(copy);
	return 0;
}
