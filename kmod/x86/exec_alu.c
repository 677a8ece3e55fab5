// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executor: arithmetic and flags.
 *
 * Flags that the manuals leave undefined get the value that is simplest here.
 *
 * World:   pure
 * Context: any
 * Spec:    SDM1 "EFLAGS Cross-Reference"; SDM2 and APM3, each instruction
 */
#include "x86/exec.h"

#define FLAGS_SZP	(PVM_FLAG_SF | PVM_FLAG_ZF | PVM_FLAG_PF)
#define FLAGS_ARITH	(FLAGS_SZP | PVM_FLAG_CF | PVM_FLAG_OF | PVM_FLAG_AF)

static u64 flag_if(bool set, u64 flag)
{
	return set ? flag : 0;
}

static bool top_bit(u64 val, u32 bytes)
{
	return val >> (8 * bytes - 1) & 1;
}

/* Bit n of 0x9669 says whether n has an even number of bits. */
static bool even_parity(u64 val)
{
	return 0x9669 >> ((val ^ val >> 4) & 15) & 1;
}

static u64 flags_of_result(u64 val, u32 bytes)
{
	val &= pvm_bytes_mask(bytes);
	return flag_if(!val, PVM_FLAG_ZF) | flag_if(top_bit(val, bytes), PVM_FLAG_SF) |
	       flag_if(even_parity(val), PVM_FLAG_PF);
}

/* Replaces the flags of @mask by @flags. */
static void set_flags(struct pvm_alu *a, u64 mask, u64 flags)
{
	a->flags = (a->flags & ~mask) | flags;
}

static void set_result_flags(struct pvm_alu *a, u64 val, u64 mask, u64 others)
{
	set_flags(a, mask | FLAGS_SZP, flags_of_result(val, a->bytes) | others);
}

static u64 add(struct pvm_alu *a, u64 x, u64 y, bool carry, u64 mask)
{
	u64 r = (x + y + carry) & pvm_bytes_mask(a->bytes), f;

	f = flag_if(r < x || (carry && r == x), PVM_FLAG_CF) |
	    flag_if((x ^ y ^ r) & 0x10, PVM_FLAG_AF) |
	    flag_if(top_bit((x ^ r) & (y ^ r), a->bytes), PVM_FLAG_OF);
	set_result_flags(a, r, mask, f & mask);
	return r;
}

static u64 sub(struct pvm_alu *a, u64 x, u64 y, bool borrow, u64 mask)
{
	u64 r = (x - y - borrow) & pvm_bytes_mask(a->bytes), f;

	f = flag_if(x < y || (borrow && x == y), PVM_FLAG_CF) |
	    flag_if((x ^ y ^ r) & 0x10, PVM_FLAG_AF) |
	    flag_if(top_bit((x ^ y) & (x ^ r), a->bytes), PVM_FLAG_OF);
	set_result_flags(a, r, mask, f & mask);
	return r;
}

static void logic(struct pvm_alu *a, u64 r)
{
	set_result_flags(a, r, FLAGS_ARITH, 0);
	if (a->write)
		a->dst = r;
}

/* ---- shifts and rotates ---- */

static void rotate(struct pvm_alu *a, u32 count, bool left)
{
	u32 bits = 8 * a->bytes, by = count & (bits - 1);
	u64 mask = pvm_bytes_mask(a->bytes), r = a->dst;
	bool cf, of;

	if (!left)
		by = (bits - by) & (bits - 1);
	if (by)
		r = (r << by | r >> (bits - by)) & mask;
	if (left) {
		cf = r & 1;
		of = top_bit(r, a->bytes) ^ cf;
	} else {
		cf = top_bit(r, a->bytes);
		of = cf ^ (r >> (bits - 2) & 1);
	}
	a->dst = r;
	set_flags(a, PVM_FLAG_CF | PVM_FLAG_OF,
		  flag_if(cf, PVM_FLAG_CF) | flag_if(of, PVM_FLAG_OF));
}

static void rotate_carry(struct pvm_alu *a, u32 count, bool left)
{
	u32 bits = 8 * a->bytes, by = count % (bits + 1);
	u64 mask = pvm_bytes_mask(a->bytes), r = a->dst;
	bool cf = a->flags & PVM_FLAG_CF, of;

	for (; by; by--) {
		bool out = left ? top_bit(r, a->bytes) : r & 1;

		if (left)
			r = (r << 1 | cf) & mask;
		else
			r = r >> 1 | (u64)cf << (bits - 1);
		cf = out;
	}
	of = top_bit(r, a->bytes) ^ (left ? cf : (bool)(r >> (bits - 2) & 1));
	a->dst = r;
	set_flags(a, PVM_FLAG_CF | PVM_FLAG_OF,
		  flag_if(cf, PVM_FLAG_CF) | flag_if(of, PVM_FLAG_OF));
}

static void shift_up(struct pvm_alu *a, u32 count)
{
	u32 bits = 8 * a->bytes;
	u64 r = count < bits ? a->dst << count & pvm_bytes_mask(a->bytes) : 0;
	bool cf = count <= bits && a->dst >> (bits - count) & 1;
	bool of = top_bit(r, a->bytes) ^ cf;

	a->dst = r;
	set_result_flags(a, r, FLAGS_ARITH,
			 flag_if(cf, PVM_FLAG_CF) | flag_if(of, PVM_FLAG_OF));
}

static void shift_down(struct pvm_alu *a, u32 count, bool arithmetic)
{
	u32 spare = 64 - 8 * a->bytes;
	u64 wide = a->dst;
	bool of = !arithmetic && top_bit(a->dst, a->bytes), cf;

	if (arithmetic)
		wide = (u64)((s64)(wide << spare) >> spare);
	cf = arithmetic ? (s64)wide >> (count - 1) & 1 : wide >> (count - 1) & 1;
	wide = arithmetic ? (u64)((s64)wide >> count) : wide >> count;
	a->dst = wide & pvm_bytes_mask(a->bytes);
	set_result_flags(a, a->dst, FLAGS_ARITH,
			 flag_if(cf, PVM_FLAG_CF) | flag_if(of, PVM_FLAG_OF));
}

static void shift(struct pvm_alu *a)
{
	u32 count = a->src & (a->bytes == 8 ? 63 : 31);

	a->write = true;
	if (!count)
		return;
	switch (a->op) {
	case PVM_OP_ROL:
	case PVM_OP_ROR:
		rotate(a, count, a->op == PVM_OP_ROL);
		break;
	case PVM_OP_RCL:
	case PVM_OP_RCR:
		rotate_carry(a, count, a->op == PVM_OP_RCL);
		break;
	case PVM_OP_SHL:
	case PVM_OP_SAL:
		shift_up(a, count);
		break;
	default:
		shift_down(a, count, a->op == PVM_OP_SAR);
		break;
	}
}

/* Counts beyond 16 on 16-bit operands are undefined; they rotate through both here. */
static void double_shift(struct pvm_alu *a)
{
	u32 bits = 8 * a->bytes, count = a->aux & (a->bytes == 8 ? 63 : 31);
	u64 old = a->dst, src = a->src, r, mask = pvm_bytes_mask(a->bytes);
	bool cf;

	a->write = true;
	if (!count)
		return;
	if (count > bits) {
		count -= bits;
		swap(old, src);
	}
	if (a->op == PVM_OP_SHLD) {
		cf = old >> (bits - count) & 1;
		r = count == bits ? src : (old << count | src >> (bits - count)) & mask;
	} else {
		cf = old >> (count - 1) & 1;
		r = count == bits ? src : (old >> count | src << (bits - count)) & mask;
	}
	a->dst = r;
	set_result_flags(a, r, FLAGS_ARITH,
			 flag_if(cf, PVM_FLAG_CF) |
			 flag_if(top_bit(r ^ old, a->bytes), PVM_FLAG_OF));
}

/* ---- the rest ---- */

static void bit_test(struct pvm_alu *a)
{
	u64 bit = 1ull << (a->src & (8 * a->bytes - 1));

	set_flags(a, PVM_FLAG_CF, flag_if(a->dst & bit, PVM_FLAG_CF));
	if (a->op == PVM_OP_BTS)
		a->dst |= bit;
	else if (a->op == PVM_OP_BTR)
		a->dst &= ~bit;
	else if (a->op == PVM_OP_BTC)
		a->dst ^= bit;
	a->write = a->op != PVM_OP_BT;
}

static void exchange(struct pvm_alu *a)
{
	u64 old = a->dst;

	a->write = true;
	if (a->op == PVM_OP_CMPXCHG) {
		sub(a, a->aux, old, false, FLAGS_ARITH);
		a->write = a->flags & PVM_FLAG_ZF;
		if (a->write)
			a->dst = a->src;
		else
			a->aux = old;
		return;
	}
	a->dst = a->op == PVM_OP_XADD ? add(a, old, a->src, false, FLAGS_ARITH) : a->src;
	a->src = old;
}

void pvm_exec_alu(struct pvm_alu *a)
{
	u64 mask = pvm_bytes_mask(a->bytes);
	bool cf = a->flags & PVM_FLAG_CF;

	a->write = true;
	switch (a->op) {
	case PVM_OP_ADD:
	case PVM_OP_ADC:
		a->dst = add(a, a->dst, a->src, cf && a->op == PVM_OP_ADC, FLAGS_ARITH);
		return;
	case PVM_OP_SUB:
	case PVM_OP_SBB:
		a->dst = sub(a, a->dst, a->src, cf && a->op == PVM_OP_SBB, FLAGS_ARITH);
		return;
	case PVM_OP_CMP:
		a->write = false;
		sub(a, a->dst, a->src, false, FLAGS_ARITH);
		return;
	case PVM_OP_TEST:
		a->write = false;
		fallthrough;
	case PVM_OP_AND:
		logic(a, a->dst & a->src);
		return;
	case PVM_OP_OR:
		logic(a, a->dst | a->src);
		return;
	case PVM_OP_XOR:
		logic(a, a->dst ^ a->src);
		return;
	case PVM_OP_NOT:
		a->dst = ~a->dst & mask;
		return;
	case PVM_OP_NEG:
		a->dst = sub(a, 0, a->dst, false, FLAGS_ARITH);
		return;
	case PVM_OP_INC:	/* INC and DEC keep the carry */
		a->dst = add(a, a->dst, 1, false, FLAGS_ARITH & ~PVM_FLAG_CF);
		return;
	case PVM_OP_DEC:
		a->dst = sub(a, a->dst, 1, false, FLAGS_ARITH & ~PVM_FLAG_CF);
		return;
	case PVM_OP_BT:
	case PVM_OP_BTS:
	case PVM_OP_BTR:
	case PVM_OP_BTC:
		bit_test(a);
		return;
	case PVM_OP_SHLD:
	case PVM_OP_SHRD:
		double_shift(a);
		return;
	case PVM_OP_XCHG:
	case PVM_OP_XADD:
	case PVM_OP_CMPXCHG:
		exchange(a);
		return;
	default:
		shift(a);
		return;
	}
}

bool pvm_exec_condition(u8 code, u64 flags)
{
	bool cf = flags & PVM_FLAG_CF, zf = flags & PVM_FLAG_ZF, sf = flags & PVM_FLAG_SF;
	bool of = flags & PVM_FLAG_OF, met = false;

	switch (code >> 1 & 7) {
	case 0:
		met = of;
		break;
	case 1:
		met = cf;
		break;
	case 2:
		met = zf;
		break;
	case 3:
		met = cf || zf;
		break;
	case 4:
		met = sf;
		break;
	case 5:
		met = flags & PVM_FLAG_PF;
		break;
	case 6:
		met = sf != of;
		break;
	case 7:
		met = zf || sf != of;
		break;
	}
	return met != (code & 1);
}

/* ---- multiplication and division ---- */

struct wide {
	u64 lo, hi;
};

static struct wide multiply(u64 a, u64 b)
{
	u64 al = (u32)a, ah = a >> 32, bl = (u32)b, bh = b >> 32;
	u64 low = al * bl, mid1 = ah * bl, mid2 = al * bh;
	u64 carry = (low >> 32) + (u32)mid1 + (u32)mid2;

	return (struct wide){
		.lo = carry << 32 | (u32)low,
		.hi = ah * bh + (mid1 >> 32) + (mid2 >> 32) + (carry >> 32),
	};
}

static struct wide negate(struct wide w)
{
	w.lo = ~w.lo + 1;
	w.hi = ~w.hi + !w.lo;
	return w;
}

static u64 extend(u64 val, u32 bytes, bool is_signed)
{
	u32 spare = 64 - 8 * bytes;

	val <<= spare;
	return is_signed ? (u64)((s64)val >> spare) : val >> spare;
}

static struct wide multiply_signed(u64 a, u64 b)
{
	bool minus = (a ^ b) >> 63;
	struct wide w = multiply((s64)a < 0 ? -a : a, (s64)b < 0 ? -b : b);

	return minus ? negate(w) : w;
}

/* Bit by bit: the kernel has no 128-bit division. Needs w.hi < by. */
static u64 divide(struct wide w, u64 by, u64 *rest)
{
	u64 quotient = 0, r = w.hi;
	u32 i;

	for (i = 0; i < 64; i++) {
		bool carry = r >> 63;

		r = r << 1 | w.lo >> 63;
		w.lo <<= 1;
		quotient <<= 1;
		if (carry || r >= by) {
			r -= by;
			quotient |= 1;
		}
	}
	*rest = r;
	return quotient;
}

/* The double-width accumulator, rDX:rAX or AX, extended to 128 bits. */
static struct wide get_accumulator(const struct pvm_exec *x, u32 bytes, bool is_signed)
{
	const u64 *gpr = x->regs->gpr;
	struct wide w;

	if (bytes == 8)
		return (struct wide){ .lo = gpr[PVM_RAX], .hi = gpr[PVM_RDX] };
	if (bytes == 1)
		w.lo = gpr[PVM_RAX] & 0xffff;
	else
		w.lo = (gpr[PVM_RAX] & pvm_bytes_mask(bytes)) |
		       (gpr[PVM_RDX] & pvm_bytes_mask(bytes)) << (8 * bytes);
	w.lo = extend(w.lo, 2 * bytes, is_signed);
	w.hi = is_signed && (s64)w.lo < 0 ? ~0ull : 0;
	return w;
}

static void set_accumulator(struct pvm_exec *x, u32 bytes, u64 low, u64 high)
{
	if (bytes == 1) {
		pvm_exec_set_gpr(x, PVM_RAX, 2, (low & 0xff) | high << 8);
		return;
	}
	pvm_exec_set_gpr(x, PVM_RAX, bytes, low);
	pvm_exec_set_gpr(x, PVM_RDX, bytes, high);
}

static void set_overflow(struct pvm_exec *x, bool overflow)
{
	x->regs->rflags &= ~(PVM_FLAG_CF | PVM_FLAG_OF);
	x->regs->rflags |= flag_if(overflow, PVM_FLAG_CF | PVM_FLAG_OF);
}

static int exec_divide(struct pvm_exec *x, u64 by, bool is_signed)
{
	u32 bytes = x->insn->op_bytes;
	struct wide w = get_accumulator(x, bytes, is_signed);
	bool minus_rest = is_signed && w.hi >> 63, minus = false;
	u64 quotient, rest, limit = pvm_bytes_mask(bytes);

	by = extend(by, bytes, is_signed);
	if (is_signed) {
		minus = minus_rest != (by >> 63);
		by = (s64)by < 0 ? -by : by;
		w = minus_rest ? negate(w) : w;
		limit = (limit >> 1) + minus;
	}
	if (!by || w.hi >= by)
		return pvm_exec_raise(x, PVM_VEC_DE, 0);
	quotient = divide(w, by, &rest);
	if (quotient > limit)
		return pvm_exec_raise(x, PVM_VEC_DE, 0);
	set_accumulator(x, bytes, minus ? -quotient : quotient, minus_rest ? -rest : rest);
	return 0;
}

/* IMUL with an explicit destination, and the one-operand forms. */
int pvm_exec_multiply(struct pvm_exec *x)
{
	const struct pvm_insn *insn = x->insn;
	u32 bytes = insn->op_bytes;
	bool is_signed = insn->op != PVM_OP_MUL && insn->op != PVM_OP_DIV;
	u64 a, b, high;
	struct wide w;
	int r;

	r = pvm_exec_read_rm(x, bytes, &b);
	if (r)
		return r;
	if (insn->op == PVM_OP_DIV || insn->op == PVM_OP_IDIV)
		return exec_divide(x, b, is_signed);

	b = extend(b, bytes, is_signed);
	if (insn->form == PVM_FORM_R_RM_I)
		a = insn->imm;
	else
		a = pvm_exec_gpr(x, insn->form == PVM_FORM_R_RM ? insn->reg : PVM_RAX, bytes);
	a = extend(a, bytes, is_signed);
	w = is_signed ? multiply_signed(a, b) : multiply(a, b);
	high = bytes == 8 ? w.hi : w.lo >> (8 * bytes);
	if (insn->op == PVM_OP_IMUL)
		pvm_exec_set_gpr(x, insn->reg, bytes, w.lo);
	else
		set_accumulator(x, bytes, w.lo, high);
	if (is_signed)
		set_overflow(x, extend(w.lo, bytes, true) != w.lo ||
				w.hi != (w.lo >> 63 ? ~0ull : 0));
	else
		set_overflow(x, high & pvm_bytes_mask(bytes));
	return 0;
}
