/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guest payloads share.
 *
 * A payload asks one question. It prints KTAP on COM1 and ends by writing how
 * many of its checks failed to the debug-exit port 0xf4. lib.c has the rest.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define EXIT_PORT	0xf4
#define COM1		0x3f8

/* What an exception or interrupt handler sees; changes are loaded back. */
struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error, rip, cs, rflags, rsp, ss;
};

typedef void (*trap_fn)(struct frame *f);

/* The payload. */
void payload(void);

/* KTAP. ok() counts failures; note() is a comment line. Only %s %d %u %x %lx %lu %c. */
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void finish(void) __attribute__((noreturn));

/* Handler of @vector on every CPU; NULL: an exception fails the payload. */
void on_trap(u32 vector, trap_fn fn);

/*
 * Runs @code with an exception handler set; returns the vector it raised or -1,
 * with *error, continuing behind the call.
 */
int catch_trap(void (*code)(void *), void *arg, u64 *error);

/* Application processors: starts @n of them, each runs @fn(index) once called for. */
u32 start_aps(u32 n);
void on_ap(u32 index, void (*fn)(u32));
void wait_ap(u32 index);

/* Local APIC in x2APIC mode after apic_init(). */
void apic_init(void);
void apic_eoi(void);
void apic_ipi(u32 dest, u32 low);

/* The 2 MiB from WINDOW on in pages of 4 KiB, none present until map() puts one there. */
#define WINDOW		0x100000000ul
void map(u64 virt, u64 phys, u64 flags);

/*
 * Waits until *@what is at least @want or @ticks of the TSC have passed; says which.
 * IRQs as they are.
 */
bool reaches(volatile u32 *what, u32 want, u64 ticks);
/* Lets @ticks pass. */
void spin(u64 ticks);
/* So many ticks, by the hypervisor's timing leaf (2 GHz without it). */
u64 ms(u32 n);

static inline void outb(u16 port, u8 v) { asm volatile("outb %0, %1" : : "a" (v), "Nd" (port)); }
static inline void outw(u16 port, u16 v) { asm volatile("outw %0, %1" : : "a" (v), "Nd" (port)); }
static inline void outl(u16 port, u32 v) { asm volatile("outl %0, %1" : : "a" (v), "Nd" (port)); }

static inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a" (v) : "Nd" (port));
	return v;
}

static inline u16 inw(u16 port)
{
	u16 v;

	asm volatile("inw %1, %0" : "=a" (v) : "Nd" (port));
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	asm volatile("inl %1, %0" : "=a" (v) : "Nd" (port));
	return v;
}


static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a" (lo), "=d" (hi) : "c" (msr));
	return lo | (u64)hi << 32;
}

static inline void wrmsr(u32 msr, u64 v)
{
	asm volatile("wrmsr" : : "c" (msr), "a" ((u32)v), "d" ((u32)(v >> 32)) : "memory");
}

static inline void cpuid(u32 leaf, u32 sub, u32 r[4])
{
	asm volatile("cpuid" : "=a" (r[0]), "=b" (r[1]), "=c" (r[2]), "=d" (r[3])
		     : "a" (leaf), "c" (sub));
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("lfence; rdtsc" : "=a" (lo), "=d" (hi));
	return lo | (u64)hi << 32;
}

static inline void sti(void) { asm volatile("sti" : : : "memory"); }
static inline void cli(void) { asm volatile("cli" : : : "memory"); }
static inline void hlt(void) { asm volatile("hlt" : : : "memory"); }
static inline void sti_hlt(void) { asm volatile("sti; hlt" : : : "memory"); }

static inline u64 read_cr0(void) { u64 v; asm volatile("mov %%cr0, %0" : "=r" (v)); return v; }
static inline u64 read_cr3(void) { u64 v; asm volatile("mov %%cr3, %0" : "=r" (v)); return v; }
static inline u64 read_cr4(void) { u64 v; asm volatile("mov %%cr4, %0" : "=r" (v)); return v; }
static inline u64 read_cr8(void) { u64 v; asm volatile("mov %%cr8, %0" : "=r" (v)); return v; }
static inline void write_cr0(u64 v) { asm volatile("mov %0, %%cr0" : : "r" (v) : "memory"); }
static inline void write_cr3(u64 v) { asm volatile("mov %0, %%cr3" : : "r" (v) : "memory"); }
static inline void write_cr4(u64 v) { asm volatile("mov %0, %%cr4" : : "r" (v) : "memory"); }
static inline void write_cr8(u64 v) { asm volatile("mov %0, %%cr8" : : "r" (v) : "memory"); }

void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

extern u32 boot_info, boot_magic;
extern volatile u32 cpus_up;
extern u64 pml4[], pdpt[], pd[];

#endif /* GUEST_H */
