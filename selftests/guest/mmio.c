// SPDX-License-Identifier: GPL-2.0-only
/* The instruction forms that drivers use on device memory, against HPET and I/O APIC. */
#include "lib/guest.h"

#define HPET	0xfed00000ul
#define SELECT	((volatile u32 *)0xfec00000ul)
#define DATA	((volatile u32 *)0xfec00010ul)
#define MASKED	0x10000u

static u8 pages[2][4096] __attribute__((aligned(4096)));

static u32 rd(u8 reg)
{
	*SELECT = reg;
	return *DATA;
}

static void put(u32 v)
{
	*SELECT = 0x12;		/* pin 1, low half */
	*DATA = v;
}

#define RMW(name, insn, start, want) do {					\
	put(start);								\
	asm volatile(insn : : "r" (DATA), "r" (0x22u) : "memory", "cc", "rax");	\
	ok(*DATA == (want), "%s", name) ? 0 : note("got %x", *DATA);		\
} while (0)

static void alu(void)
{
	u8 carry, zero;
	u32 old = MASKED | 0x33, eax;

	RMW("OR imm", "orl $0x44, (%0)", MASKED | 0x22, MASKED | 0x66);
	RMW("AND imm", "andl $0x10f0f, (%0)", MASKED | 0x3c, MASKED | 0x0c);
	RMW("XOR reg", "xorl %1, (%0)", MASKED | 0x33, MASKED | 0x11);
	RMW("ADD reg", "addl %1, (%0)", MASKED | 0x33, MASKED | 0x55);
	RMW("SUB reg", "subl %1, (%0)", MASKED | 0x33, MASKED | 0x11);
	RMW("ADC with carry", "stc; adcl $1, (%0)", MASKED | 0x33, MASKED | 0x35);
	RMW("INC", "incl (%0)", MASKED | 0x33, MASKED | 0x34);
	RMW("DEC", "decl (%0)", MASKED | 0x33, MASKED | 0x32);
	RMW("BTS", "btsl $6, (%0)", MASKED | 0x33, MASKED | 0x73);
	RMW("BTR", "btrl $5, (%0)", MASKED | 0x33, MASKED | 0x13);
	RMW("BTC", "btcl $0, (%0)", MASKED | 0x33, MASKED | 0x32);
	RMW("LOCK OR", "lock orl $0x44, (%0)", MASKED | 0x22, MASKED | 0x66);
	RMW("MOV imm", "movl $0x10077, (%0)", MASKED, MASKED | 0x77);
	RMW("PUSH, POP", "pushq %%rax; xor %%eax, %%eax; mov $0x10066, %%eax; push %%rax; popq %%rax;"
	    "mov %%eax, (%0); pop %%rax", MASKED, MASKED | 0x66);
	put(MASKED | 0x33);
	asm volatile("cmpl $0x10033, (%2); sete %0; btl $16, (%2); setc %1"
		     : "=&q" (zero), "=&q" (carry) : "r" (DATA) : "cc");
	ok(zero == 1 && carry == 1, "CMP and BT set the flags");
	asm volatile("testl $0x44, (%1); setz %0" : "=q" (zero) : "r" (DATA) : "cc");
	ok(zero == 1, "TEST sets the flags");
	asm volatile("xchgl %0, (%1)" : "+r" (old) : "r" (DATA) : "memory");
	put(MASKED | 0x33);
	old = MASKED | 0x55;
	asm volatile("xchgl %0, (%1)" : "+r" (old) : "r" (DATA) : "memory");
	ok(old == (MASKED | 0x33) && *DATA == (MASKED | 0x55), "XCHG");
	eax = MASKED | 0x55;
	asm volatile("lock cmpxchgl %2, (%3); setz %1" : "+a" (eax), "=&q" (zero)
		     : "r" (MASKED | 0x66), "r" (DATA) : "memory", "cc");
	ok(zero && *DATA == (MASKED | 0x66), "CMPXCHG that matches");
	eax = 1;
	asm volatile("lock cmpxchgl %2, (%3); setz %1" : "+a" (eax), "=&q" (zero)
		     : "r" (0u), "r" (DATA) : "memory", "cc");
	ok(!zero && eax == (MASKED | 0x66) && *DATA == (MASKED | 0x66), "CMPXCHG that does not");
}

static void loads(void)
{
	u64 all = *(volatile u64 *)HPET, rax = ~0ul, pushed;
	u32 low = *(volatile u32 *)HPET, high = *(volatile u32 *)(HPET + 4), buf[2] = { 0 };
	void *to = buf;
	const void *from = (void *)HPET;
	u64 n = 2, al = 0;

	ok(low == (u32)all && high == all >> 32 && low >> 16 == 0x8086,
	   "64-bit and 32-bit MOV agree");
	asm volatile("movl (%1), %%eax" : "+a" (rax) : "r" (HPET));
	ok(rax == low, "32-bit MOV clears the upper half");
	asm volatile("movslq (%1), %0" : "=r" (rax) : "r" (HPET));
	ok(rax == (u64)(long)(int)low, "MOVSXD");
	asm volatile("rep movsl" : "+D" (to), "+S" (from), "+c" (n) : : "memory");
	ok(buf[0] == low && buf[1] == high && from == (void *)(HPET + 8) && !n, "REP MOVSD from a device");
	asm volatile("pushq (%1); popq %0" : "=r" (pushed) : "r" (HPET) : "memory");
	ok(pushed == all, "PUSH from a device");
	asm volatile("lodsl" : "=a" (rax), "=S" (from) : "S" (HPET));
	ok((u32)rax == low && from == (void *)(HPET + 4), "LODSD");
	asm volatile("movabs 0xfed00000, %%eax" : "=a" (al));
	ok((u32)al == low, "MOV EAX, moffs64");
	*SELECT = 0x10;
	asm volatile("movzbl (%1), %%eax" : "=a" (al) : "r" (SELECT));
	ok(al == 0x10, "MOVZX of a byte");
	rax = 0x12;
	to = (void *)SELECT;
	asm volatile("stosl" : "+D" (to) : "a" (0x12) : "memory");
	ok(*SELECT == 0x12 && to == (void *)(SELECT + 1), "STOSD to a device");
	buf[0] = MASKED | 0x5a;
	from = buf;
	to = (void *)DATA;
	asm volatile("movsl" : "+D" (to), "+S" (from) : : "memory");
	ok(*DATA == (MASKED | 0x5a), "MOVSD to a device");
	asm volatile("movl $0x12, %%fs:(%0)" : : "r" (SELECT) : "memory");
	wrmsr(0xc0000100, (u64)SELECT);
	asm volatile("movl %%fs:0x10, %%eax" : "=a" (al));
	wrmsr(0xc0000100, 0);
	ok(al == (MASKED | 0x5a), "through FS with a base");
}

/* Where RAM ends and a device begins in the guest's own address space. */
static void borders(void)
{
	volatile u64 *across = (u64 *)(WINDOW + 0xffc);
	volatile u32 *ram = (u32 *)&pages[0][0xffc];
	u8 *code = (u8 *)WINDOW + 0x2000 - 1;
	u32 low = *(volatile u32 *)HPET;

	map(WINDOW, (u64)pages[0], 3);
	map(WINDOW + 0x1000, HPET, 0x1b);
	*ram = 0x12345678;
	ok(*across == ((u64)low << 32 | 0x12345678), "a load half from RAM, half from a device");
	map(WINDOW + 0x1000, (u64)SELECT, 0x1b);
	*across = 0x12aabbccddul;
	ok(*ram == 0xaabbccdd && *SELECT == 0x12,
	   "a store half to RAM, half to a device");
	/* mov (%rdi), %eax; ret: its first byte on one page, the rest on another */
	map(WINDOW + 0x1000, (u64)pages[0], 3);
	map(WINDOW + 0x2000, (u64)pages[1], 3);
	code[0] = 0x8b;
	pages[1][0] = 0x07;
	pages[1][1] = 0xc3;
	ok(((u32 (*)(u64))code)(HPET) == low, "an instruction over a page border");
}

static void counter(void)
{
	volatile u64 *config = (u64 *)(HPET + 0x10), *count = (u64 *)(HPET + 0xf0);
	u64 a, b;

	*config = 0;
	*count = 0xfffffffful;
	ok(*count == 0xfffffffful, "HPET counter stands while it is off");
	*config = 1;
	spin(1000000);
	a = *count;
	b = *(volatile u32 *)(HPET + 0xf0) | (u64)*(volatile u32 *)(HPET + 0xf4) << 32;
	ok(a > 0xfffffffful && b > a && b - a < 1000000000, "and runs when on, by 64 and by 32 bits");
	*config = 0;
}

void payload(void)
{
	ok((rd(1) & 0xff) >= 0x11, "I/O APIC: version %x by select and window", rd(1));
	loads();
	alu();
	borders();
	counter();
	put(MASKED);
}
