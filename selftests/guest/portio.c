// SPDX-License-Identifier: GPL-2.0-only
/* IN and OUT in all sizes, and INS and OUTS: REP, backwards, over page borders, with faults. */
#include "lib/guest.h"

#define PF	14
#define FIFO	16

static u8 pages[3][4096] __attribute__((aligned(4096)));

/* The UART sends what it writes to itself, sixteen bytes deep. */
static void loop(bool on)
{
	while ((inb(COM1 + 5) & 0x60) != 0x60)
		;
	outb(COM1 + 2, on ? 0x07 : 0x00);
	outb(COM1 + 4, on ? 0x10 : 0x00);
}

static void outs(const void *from, u64 count, bool back)
{
	if (back)
		asm volatile("std; rep outsb; cld" : "+S" (from), "+c" (count) : "d" (COM1) : "memory");
	else
		asm volatile("rep outsb" : "+S" (from), "+c" (count) : "d" (COM1) : "memory");
}

struct ins { void *to; u64 count; };

static volatile u64 pf_rdi, pf_rcx, pf_cr2;

static void ins(void *p)
{
	struct ins *i = p;
	u64 n = i->count;
	void *to = i->to;

	asm volatile("rep insb" : "+D" (to), "+c" (n) : "d" (COM1) : "memory");
	i->to = to;
	i->count = n;
}

static void on_pf(struct frame *f)
{
	pf_rdi = f->rdi;
	pf_rcx = f->rcx;
	asm volatile("mov %%cr2, %0" : "=r" (pf_cr2));
	map(WINDOW + 0x1000, (u64)pages[0], 3);
}

/* Pages 2 and 0 side by side at WINDOW: neighbours that are none in memory. */
static void strings(void)
{
	static u8 text[FIFO] = "0123456789abcdef";
	u8 *border = (u8 *)WINDOW + 0x1000;
	struct ins i = { border - 5, FIFO };
	u8 back[FIFO];

	map(WINDOW, (u64)pages[2], 3);
	map(WINDOW + 0x1000, (u64)pages[0], 3);
	memset(pages, 0xee, sizeof(pages));
	loop(true);
	outs(text, FIFO, false);
	ins(&i);
	loop(false);
	ok(!memcmp(border - 5, text, FIFO) && !memcmp(&pages[2][4091], text, 5) &&
	   !memcmp(pages[0], text + 5, FIFO - 5), "REP OUTSB, REP INSB over a page border");
	ok(i.to == border - 5 + FIFO && !i.count, "RDI and RCX at the end");
	ok(pages[0][FIFO - 5] == 0xee && pages[2][4090] == 0xee && pages[1][0] == 0xee,
	   "nothing else was written");

	loop(true);
	outs(border - 5, FIFO, false);
	i = (struct ins){ back, FIFO };
	ins(&i);
	loop(false);
	ok(!memcmp(back, text, FIFO), "REP OUTSB from over a page border");

	loop(true);
	outs(border + 3, 8, true);
	i = (struct ins){ back, 8 };
	ins(&i);
	loop(false);
	ok(!memcmp(back, "87654321", 8), "REP OUTSB backwards over it");

	map(WINDOW + 0x1000, 0, 0);
	on_trap(PF, on_pf);
	loop(true);
	outs(text, FIFO, false);
	i = (struct ins){ border - 5, FIFO };
	ins(&i);
	loop(false);
	on_trap(PF, NULL);
	ok(pf_rdi == WINDOW + 0x1000 && pf_cr2 == pf_rdi && pf_rcx == FIFO - 5,
	   "a page fault in the middle: RDI, RCX, CR2 stand at the border");
	ok(!memcmp(border - 5, text, FIFO), "and the rest came after it, no byte twice");
	i = (struct ins){ (void *)0x10, 0 };
	ok(catch_trap(ins, &i, NULL) < 0 && i.to == (void *)0x10, "REP with RCX = 0 does nothing");
}

static void wide(void)
{
	static u32 got[8];
	void *to = got;
	u64 n = 8, all = 0;
	u32 first;

	outl(0xcf8, 0x80000000);
	first = inl(0xcfc);
	ok(first != 0xffffffff && inw(0xcfc) == (u16)first && inw(0xcfe) == first >> 16 &&
	   inb(0xcfd) == (u8)(first >> 8), "PCI's data port by dword, word and byte");
	asm volatile("rep insl" : "+D" (to), "+c" (n) : "d" (0xcfc) : "memory");
	for (u32 i = 0; i < 8; i++)
		all += got[i] == first;
	ok(all == 8, "REP INSL");
	to = got;
	asm volatile("insw" : "+D" (to) : "d" (0xcfe) : "memory");
	ok((u16)got[0] == first >> 16 && got[0] >> 16 == first >> 16, "INSW writes two bytes");
	outl(0xcf8, 0);
}

void payload(void)
{
	u64 rax = 0x1122334455667788;
	u64 wide_rax = rax, word = rax;

	outb(0x3ff, 0xa5);
	ok(inb(0x3ff) == 0xa5, "OUT and IN of a byte");
	asm volatile("inb %%dx, %%al" : "+a" (rax) : "d" (0x3ff));
	ok(rax == 0x11223344556677a5, "IN AL leaves the rest of RAX");
	asm volatile("inw %%dx, %%ax" : "+a" (word) : "d" (0x1234));
	ok(word == 0x112233445566ffff, "IN AX leaves the rest of RAX");
	asm volatile("inl %%dx, %%eax" : "+a" (wide_rax) : "d" (0x1234));
	ok(wide_rax == 0xffffffff, "IN EAX clears the upper half; nobody at a port: all ones");
	strings();
	wide();
}
