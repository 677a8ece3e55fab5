// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the host stay well when a guest writes garbage everywhere: ports, MSRs,
 * device registers, configuration space, virtio rings. `rounds=N` on the command
 * line (100000) is how many accesses of each kind. What would end the VM by
 * design (reset, power-off, the exit port) is left out. The host's log and this
 * payload's end are the verdict; nothing is expected of the devices.
 */
#include "lib/guest.h"

#define ECAM	0xe0000000ull

static u64 state = 0x9e3779b97f4a7c15ull;
static u64 rounds = 100000;

static u64 rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Garbage that is often a small number, a single bit, or all ones. */
static u64 value(void)
{
	switch (rnd() & 7) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 1ull << (rnd() & 63);
	case 3:
		return rnd() & 0xff;
	default:
		return rnd();
	}
}

static void console_back(void)
{
	outb(COM1 + 3, 3);
	outb(COM1 + 1, 0);
	outb(COM1 + 2, 0);
	outb(COM1 + 4, 3);
	/* What garbage it sent stays on a line of its own. */
	print("\n");
}

/* Ports that end the VM or reset it, with room for wide accesses that reach them. */
static bool deadly(u16 port)
{
	static const u16 ends[] = { 0x64, 0x92, 0xf4, 0xf5, 0xf6, 0xf7, 0x604, 0x605, 0xcf9 };

	for (u32 i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (port <= ends[i] && port + 3 >= ends[i])
			return true;
	return false;
}

static const u16 busy_ports[] = {
	0x20, 0xa0, 0x40, 0x60, 0x70, 0x80, 0x3f8, 0x402, 0x4d0, 0x600, 0x608, 0x610, 0x620, 0x630,
	0xb2, 0xcf8, 0xcfc, 0xc000, 0xc020, 0xc040,
};

static void ports(void)
{
	for (u64 i = 0; i < rounds; i++) {
		u64 v = value();
		u16 port = rnd() & 1 ? (u16)rnd() :
			   busy_ports[rnd() % (sizeof(busy_ports) / 2)] + (rnd() & 7);

		if (deadly(port))
			continue;
		switch (rnd() % 6) {
		case 0: outb(port, v); break;
		case 1: outw(port, v); break;
		case 2: outl(port, v); break;
		case 3: inb(port); break;
		case 4: inw(port); break;
		case 5: inl(port); break;
		}
	}
}

struct msr_access { u32 msr; u64 val; };

static void msr_write(void *arg)
{
	struct msr_access *a = arg;

	wrmsr(a->msr, a->val);
}

static void msr_read(void *arg)
{
	rdmsr(((struct msr_access *)arg)->msr);
}

static void msrs(void)
{
	static const u32 ranges[] = { 0, 0x200, 0x400, 0x800, 0xc0000080, 0xc0010000, 0x40000000 };
	u64 efer = rdmsr(0xc0000080);

	for (u64 i = 0; i < rounds; i++) {
		struct msr_access a = {
			rnd() & 1 ? (u32)rnd() : ranges[rnd() % 7] + (u32)(rnd() & 0x3ff), value()
		};

		/* INIT and SIPI to ourselves would start the payload anew. */
		if (a.msr == 0x830)
			a.val &= ~0x700ull;
		catch_trap(rnd() & 1 ? msr_write : msr_read, &a, NULL);
	}
	wrmsr(0xc0000080, efer);
}

static u64 bars[64];
static u32 bar_count;

static void touch(u64 at, u64 v)
{
	switch (rnd() % 8) {
	case 0: *(volatile u8 *)at = v; break;
	case 1: *(volatile u16 *)at = v; break;
	case 2: *(volatile u32 *)at = v; break;
	case 3: *(volatile u64 *)at = v; break;
	case 4: *(volatile u8 *)at; break;
	case 5: *(volatile u32 *)at; break;
	case 6: *(volatile u64 *)at; break;
	case 7: asm volatile("lock orl %1, %0" : "+m" (*(volatile u32 *)at) : "r" ((u32)v)); break;
	}
}

static void find_bars(void)
{
	for (u32 fn = 0; fn < 256; fn++) {
		volatile u32 *cfg = (u32 *)(ECAM + fn * 4096);

		if (cfg[0] == ~0u)
			continue;
		cfg[1] |= 7;
		for (u32 i = 4; i < 10 && bar_count < 64; i++) {
			u32 bar = cfg[i];

			if (bar && !(bar & 1) && (bar & ~0xfu) >= 0x80000000u)
				bars[bar_count++] = bar & ~0xfu;
		}
	}
	note("%u memory BARs", bar_count);
}

static void mmio(void)
{
	static const struct { u64 base; u32 bytes; } fixed[] = {
		{ 0xfec00000, 0x1000 }, { 0xfed00000, 0x400 }, { 0xfee00000, 0x1000 },
		{ 0xfed40000, 0x1000 }, { ECAM, 0x100000 }, { ECAM, 0x10000000 },
	};

	for (u64 i = 0; i < rounds; i++) {
		u64 pick = rnd() % (6 + bar_count), at;

		if (pick < 6)
			at = fixed[pick].base + rnd() % (fixed[pick].bytes - 8);
		else
			at = bars[pick - 6] + rnd() % 0x5ff8;
		/* The local APIC's ICR again, and BARs would move about: config once in a while. */
		if ((at & ~0xfffull) == 0xfee00000 && (at & 0xff0) == 0x300)
			continue;
		if (at >= ECAM && at < ECAM + 0x10000000 && rnd() % 16)
			at = ECAM + (at & 0xfffff00) + 0x40;
		touch(at, value());
	}
}

/* A virtio device set up as a driver would, with rings full of garbage. */
static void rings(void)
{
	static u8 area[3][16384] __attribute__((aligned(4096)));

	for (u64 i = 0; i < rounds / 50; i++) {
		u64 bar = bar_count ? bars[rnd() % bar_count] : 0;
		volatile u8 *common = (u8 *)bar;

		if (!bar)
			break;
		if (!(i & 63)) {
			common[0x14] = 0;
			common[0x14] = 1;
			common[0x14] = 3;
			*(volatile u32 *)(common + 8) = 0;
			*(volatile u32 *)(common + 12) = (u32)rnd();
			*(volatile u32 *)(common + 8) = 1;
			*(volatile u32 *)(common + 12) = 1;
			common[0x14] = 11;
			*(volatile u16 *)(common + 0x16) = 0;
			*(volatile u64 *)(common + 0x20) = (u64)area[0];
			*(volatile u64 *)(common + 0x28) = (u64)area[1];
			*(volatile u64 *)(common + 0x30) = (u64)area[2];
			*(volatile u16 *)(common + 0x1c) = 1;
			common[0x14] = 15;
		}
		for (u32 k = 0; k < 50; k++) {
			u8 *d = area[rnd() % 2] + (rnd() % 1000) * 16;

			*(u64 *)d = rnd() & 3 ? (u64)area[2] + (rnd() & 0x3fff) : value();
			*(u32 *)(d + 8) = rnd() & 3 ? rnd() & 0xfff : (u32)rnd();
			*(u32 *)(d + 12) = (u32)rnd() & (rnd() & 1 ? 0x00ff0007 : ~0u);
		}
		*(volatile u16 *)(area[1] + 2) += rnd() & 7;
		*(volatile u16 *)(common + 0x3000) = 0;
	}
}

static void ignore(struct frame *f)
{
}

void payload(void)
{
	const char *line = "";

	if (*(u32 *)(u64)boot_info & 4)
		line = (const char *)(u64)((u32 *)(u64)boot_info)[4];
	for (; *line; line++)
		if (!memcmp(line, "rounds=", 7)) {
			rounds = 0;
			for (line += 7; *line >= '0' && *line <= '9'; line++)
				rounds = rounds * 10 + *line - '0';
			break;
		}
	on_trap(2, ignore);
	find_bars();
	mmio();
	console_back();
	ok(true, "%lu accesses to device memory", rounds);
	rings();
	console_back();
	ok(true, "%lu descriptors of garbage", rounds);
	ports();
	console_back();
	ok(true, "%lu port accesses", rounds);
	msrs();
	console_back();
	ok(true, "%lu MSR accesses", rounds);
}
