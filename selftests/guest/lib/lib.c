// SPDX-License-Identifier: GPL-2.0-only
/* Printing, traps, application processors, the local APIC: for all payloads. */
#include <stdarg.h>
#include "guest.h"

#define X2APIC(reg)	(0x800 + (reg))
#define TRAMPOLINE	0x8000

struct gate { u16 lo; u16 sel; u16 attr; u16 mid; u32 hi; u32 zero; } __attribute__((packed));

extern char vectors[], ap_trampoline[], ap_trampoline_end[];

static struct gate idt[256];
static trap_fn handlers[256];
static u32 checks, failures;
static volatile u32 print_lock;
static void (*volatile ap_work[17])(u32);

void *memset(void *to, int c, size_t n)
{
	void *d = to;

	asm volatile("rep stosb" : "+D" (d), "+c" (n) : "a" (c) : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *d = to;

	asm volatile("rep movsb" : "+D" (d), "+S" (from), "+c" (n) : : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

static void put(char c)
{
	if (c == '\n')
		put('\r');
	while (!(inb(COM1 + 5) & 0x20))
		;
	outb(COM1, c);
}

static void put_number(u64 v, u32 base)
{
	char buf[24];
	int n = 0;

	do {
		buf[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		put(buf[--n]);
}

static void print_args(const char *fmt, va_list a)
{
	for (; *fmt; fmt++) {
		bool wide = false;

		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		if (*++fmt == 'l') {
			wide = true;
			fmt++;
		}
		switch (*fmt) {
		case 's':
			for (const char *s = va_arg(a, const char *); *s; s++)
				put(*s);
			break;
		case 'c':
			put(va_arg(a, int));
			break;
		case 'd': {
			int v = va_arg(a, int);

			if (v < 0)
				put('-');
			put_number(v < 0 ? -(u64)v : (u64)v, 10);
			break;
		}
		case 'u':
			put_number(wide ? va_arg(a, u64) : va_arg(a, u32), 10);
			break;
		case 'x':
			put_number(wide ? va_arg(a, u64) : va_arg(a, u32), 16);
			break;
		default:
			put(*fmt);
		}
	}
}

static void lock_print(void)
{
	while (__atomic_exchange_n(&print_lock, 1, __ATOMIC_ACQUIRE))
		asm volatile("pause");
}

static void unlock_print(void)
{
	__atomic_store_n(&print_lock, 0, __ATOMIC_RELEASE);
}

void print(const char *fmt, ...)
{
	va_list a;

	va_start(a, fmt);
	lock_print();
	print_args(fmt, a);
	unlock_print();
	va_end(a);
}

void note(const char *fmt, ...)
{
	va_list a;

	va_start(a, fmt);
	lock_print();
	put('#');
	put(' ');
	print_args(fmt, a);
	put('\n');
	unlock_print();
	va_end(a);
}

bool ok(bool good, const char *fmt, ...)
{
	u32 n = __atomic_add_fetch(&checks, 1, __ATOMIC_RELAXED);
	va_list a;

	if (!good)
		__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
	va_start(a, fmt);
	lock_print();
	for (const char *s = good ? "ok " : "not ok "; *s; s++)
		put(*s);
	put_number(n, 10);
	put(' ');
	print_args(fmt, a);
	put('\n');
	unlock_print();
	va_end(a);
	return good;
}

void finish(void)
{
	print("1..%u\n", checks);
	outb(EXIT_PORT, failures > 100 ? 100 : failures);
	for (;;)
		asm volatile("cli; hlt");
}

/* ---- Traps ---- */

static volatile bool catching;
static volatile int caught;
static volatile u64 caught_error;
u64 resume_rsp;			/* start.S, catch_call */
extern char catch_resume[];
void catch_call(void (*code)(void *), void *arg);

void on_trap(u32 vector, trap_fn fn)
{
	handlers[vector] = fn;
}

void trap(struct frame *f)
{
	if (catching && f->vector < 32 && f->vector != 2) {
		catching = false;
		caught = f->vector;
		caught_error = f->error;
		f->rip = (u64)catch_resume;
		f->rsp = resume_rsp;
		f->cs = 0x08;
		f->ss = 0x10;
		f->rflags &= ~0x100ul;
		return;
	}
	if (handlers[f->vector]) {
		handlers[f->vector](f);
		return;
	}
	ok(false, "unexpected trap %lu error %lx rip %lx rsp %lx", f->vector, f->error, f->rip,
	   f->rsp);
	finish();
}

int catch_trap(void (*code)(void *), void *arg, u64 *error)
{
	caught = -1;
	caught_error = 0;
	catching = true;
	catch_call(code, arg);
	catching = false;
	if (error)
		*error = caught_error;
	return caught;
}

static void load_idt(void)
{
	struct { u16 limit; u64 base; } __attribute__((packed)) p = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m" (p));
}

static void make_idt(void)
{
	for (u32 i = 0; i < 256; i++) {
		u64 at = (u64)vectors + i * 16;

		idt[i] = (struct gate){ at, 0x08, 0x8e00, at >> 16, at >> 32, 0 };
	}
}

/* ---- Memory and time ---- */

void map(u64 virt, u64 phys, u64 flags)
{
	static u64 dir[512] __attribute__((aligned(4096)));
	static u64 table[512] __attribute__((aligned(4096)));

	dir[0] = (u64)table | 7;
	pdpt[WINDOW >> 30] = (u64)dir | 7;
	table[virt >> 12 & 511] = phys | flags;
	asm volatile("invlpg (%0)" : : "r" (virt) : "memory");
}

bool reaches(volatile u32 *what, u32 want, u64 ticks)
{
	u64 end = rdtsc() + ticks;

	while (*what < want && rdtsc() < end)
		asm volatile("pause");
	return *what >= want;
}

void spin(u64 ticks)
{
	u64 end = rdtsc() + ticks;

	while (rdtsc() < end)
		asm volatile("pause");
}

u64 ms(u32 n)
{
	u32 r[4];

	cpuid(0x40000000, 0, r);
	if (r[0] < 0x40000010 || r[0] > 0x400000ff)
		return n * 2000000ul;
	cpuid(0x40000010, 0, r);
	return (u64)n * r[0];
}

/* ---- Local APIC and other processors ---- */

void apic_init(void)
{
	/* Firmware, where a payload runs under one, leaves the PIT at vector 8. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
	wrmsr(X2APIC(0x0f), 0x1ff);
}

void apic_eoi(void)
{
	wrmsr(X2APIC(0x0b), 0);
}

void apic_ipi(u32 dest, u32 low)
{
	wrmsr(X2APIC(0x30), (u64)dest << 32 | low);
}

/* Those whose local APIC takes interrupts. */
static volatile u32 aps_ready;

/* They come up in any order: each takes the work that is meant for its APIC ID. */
void ap_start(void)
{
	u32 index;

	load_idt();
	apic_init();
	index = rdmsr(X2APIC(0x02));
	__atomic_add_fetch(&aps_ready, 1, __ATOMIC_RELEASE);
	for (;;) {
		void (*fn)(u32) = ap_work[index];

		if (fn) {
			fn(index);
			ap_work[index] = NULL;
		}
		asm volatile("pause");
	}
}

u32 start_aps(u32 n)
{
	u64 end;

	memcpy((void *)TRAMPOLINE, ap_trampoline, ap_trampoline_end - ap_trampoline);
	wrmsr(X2APIC(0x30), 0xc4500);			/* INIT to all others */
	wrmsr(X2APIC(0x30), 0xc4600 | TRAMPOLINE >> 12);	/* SIPI */
	end = rdtsc() + 20000000000ull;
	while (aps_ready < n && rdtsc() < end)
		asm volatile("pause");
	return aps_ready;
}

void on_ap(u32 index, void (*fn)(u32))
{
	ap_work[index] = fn;
}

void wait_ap(u32 index)
{
	while (ap_work[index])
		asm volatile("pause");
}

void payload_start(void)
{
	make_idt();
	load_idt();
	print("KTAP version 1\n");
	payload();
	finish();
}
