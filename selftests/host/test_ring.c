// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split rings from the device's side: chains, limits, notifications, hostility.
 *
 * World:   host tests
 * Context: single-threaded, but for the last test
 */
#include <pthread.h>
#include <semaphore.h>
#include "ktap.h"
#include "ring_driver.h"

#define SIZE	16
#define SEGS	8

static struct pvm_ring r;
static struct driver d;
static struct pvm_ring_seg seg[SEGS];
static struct pvm_ring_chain c;

static int start_at(u16 size, u64 desc, u64 avail, u64 used)
{
	memset(ram, 0, sizeof(ram));
	d = (struct driver){ size, desc, avail, used, 0 };
	c = (struct pvm_ring_chain){ .seg = seg, .max = SEGS };
	return pvm_ring_start(&r, &ram_mem, size, desc, avail, used);
}

static void start(void)
{
	expect_eq(start_at(SIZE, RAM_GPA, RAM_GPA + 0x1000, RAM_GPA + 0x2000), 0);
	r.indirect = true;
}

static void add(u16 head)
{
	offer(&d, head);
	publish(&d);
}

#define DATA	(RAM_GPA + 0x8000)

static void set_up(void)
{
	expect_eq(start_at(0, RAM_GPA, RAM_GPA, RAM_GPA), (u64)-EINVAL);
	expect_eq(start_at(3, RAM_GPA, RAM_GPA, RAM_GPA), (u64)-EINVAL);
	expect_eq(start_at(2048, RAM_GPA, RAM_GPA, RAM_GPA), (u64)-EINVAL);
	expect_eq(start_at(16, RAM_GPA + 8, RAM_GPA, RAM_GPA), (u64)-EINVAL);
	expect_eq(start_at(16, RAM_GPA, RAM_GPA + 1, RAM_GPA), (u64)-EINVAL);
	expect_eq(start_at(16, RAM_GPA, RAM_GPA, RAM_GPA + 2), (u64)-EINVAL);
	expect_eq(start_at(16, HOLE_GPA, RAM_GPA, RAM_GPA), (u64)-EFAULT);
	expect_eq(start_at(16, HOLE_GPA - 16, RAM_GPA, RAM_GPA), (u64)-EFAULT);
	expect_eq(start_at(16, ~0ull - 15, RAM_GPA, RAM_GPA), (u64)-EFAULT);
	expect_eq(start_at(16, 0, RAM_GPA, RAM_GPA), (u64)-EFAULT);
	/* not set up: nothing to pop, nothing broken */
	expect_eq(pvm_ring_pop(&r, &c), 0);
	expect_eq(start_at(1, RAM_GPA, RAM_GPA + 0x1000, RAM_GPA + 0x2000), 0);
	expect_eq(start_at(1024, RAM_GPA, RAM_GPA + 0x4000, RAM_GPA + 0x6000), 0);
}

static void chain(void)
{
	start();
	expect_eq(pvm_ring_pop(&r, &c), 0);
	put_desc(d.desc, 3, DATA, 16, F_NEXT, 7);
	put_desc(d.desc, 7, DATA + 0x100, 100, F_NEXT, 1);
	put_desc(d.desc, 1, DATA + 0x1000, 0x2000, F_NEXT | F_WRITE, 0);
	put_desc(d.desc, 0, DATA + 0x3000, 1, F_WRITE, 9);
	add(3);
	expect(pvm_ring_more(&r));
	expect_eq(pvm_ring_pop(&r, &c), 1);
	expect_eq(c.head, 3);
	expect_eq(c.count, 4);
	expect_eq(c.readable, 2);
	expect_eq(c.read_bytes, 116);
	expect_eq(c.write_bytes, 0x2001);
	expect_eq(seg[2].gpa, DATA + 0x1000);
	expect_eq(pvm_ring_pop(&r, &c), 0);
	pvm_ring_push(&r, 3, 0x2001);
	expect_eq(used_idx(&d), 1);
	expect_eq(get32(d.used + 4), 3);
	expect_eq(get32(d.used + 8), 0x2001);
	/* given back and taken again */
	pvm_ring_unpop(&r, 1);
	expect_eq(pvm_ring_pop(&r, &c), 1);
	expect_eq(c.head, 3);
}

static void indirect(void)
{
	u64 table = DATA;

	start();
	put_desc(d.desc, 2, DATA + 0x2000, 8, F_NEXT, 5);
	put_desc(d.desc, 5, table, 3 * 16, F_INDIRECT, 0);
	put_desc(table, 0, DATA + 0x3000, 32, F_NEXT, 2);
	put_desc(table, 2, DATA + 0x4000, 64, F_WRITE, 0);
	add(2);
	expect_eq(pvm_ring_pop(&r, &c), 1);
	expect_eq(c.count, 3);
	expect_eq(c.read_bytes, 40);
	expect_eq(c.write_bytes, 64);
}

/* Each of these breaks the ring for good. */
static void expect_broken(const char *what)
{
	add(0);
	expect_msg(pvm_ring_pop(&r, &c) == -EINVAL, "%s", what);
	expect_msg(r.broken, "%s", what);
	expect_msg(pvm_ring_pop(&r, &c) == -EINVAL, "%s", what);
	expect_msg(!pvm_ring_more(&r), "%s", what);
	pvm_ring_push(&r, 0, 1);
	expect_msg(used_idx(&d) == 0, "%s", what);
	expect_msg(!pvm_ring_should_interrupt(&r), "%s", what);
}

static void bad_chains(void)
{
	u32 i;

	start();
	put_desc(d.desc, 0, DATA, 16, F_NEXT, 0);
	expect_broken("loop");
	start();
	put_desc(d.desc, 0, DATA, 16, F_NEXT, SIZE);
	expect_broken("next out of the table");
	start();
	put_desc(d.desc, 0, DATA, 16, F_NEXT | F_WRITE, 1);
	put_desc(d.desc, 1, DATA, 16, 0, 0);
	expect_broken("readable after writable");
	start();
	for (i = 0; i <= SEGS; i++)
		put_desc(d.desc, i, DATA, 16, F_NEXT, i + 1);
	expect_broken("longer than there is room");
	start();
	put_desc(d.desc, 0, DATA, 16, F_INDIRECT, 0);
	r.indirect = false;
	expect_broken("indirect not negotiated");
	start();
	put_desc(d.desc, 0, DATA, 16, F_INDIRECT | F_NEXT, 1);
	expect_broken("indirect with next");
	start();
	put_desc(d.desc, 0, DATA, 0, F_INDIRECT, 0);
	expect_broken("empty table");
	start();
	put_desc(d.desc, 0, DATA, 24, F_INDIRECT, 0);
	expect_broken("half a descriptor");
	start();
	put_desc(d.desc, 0, DATA, 0xfffffff0, F_INDIRECT, 0);
	expect_broken("huge table");
	start();
	put_desc(d.desc, 0, DATA + 8, 16, F_INDIRECT, 0);
	expect_broken("misaligned table");
	start();
	put_desc(d.desc, 0, HOLE_GPA, 16, F_INDIRECT, 0);
	expect_broken("table not in RAM");
	start();
	put_desc(d.desc, 0, ~0ull - 15, 32, F_INDIRECT, 0);
	expect_broken("table wraps");
	start();
	put_desc(d.desc, 0, DATA, 32, F_INDIRECT, 0);
	put_desc(DATA, 0, DATA, 32, F_INDIRECT, 0);
	expect_broken("indirect inside indirect");
	start();
	put_desc(d.desc, 0, DATA, 32, F_INDIRECT, 0);
	put_desc(DATA, 0, DATA, 32, F_NEXT, 2);
	expect_broken("next out of the indirect table");
}

static void bad_available(void)
{
	start();
	offer(&d, SIZE);
	publish(&d);
	expect_eq(pvm_ring_pop(&r, &c), (u64)-EINVAL);
	start();
	d.idx = SIZE + 1;
	publish(&d);
	expect_eq(pvm_ring_pop(&r, &c), (u64)-EINVAL);
	start();
	put_desc(d.desc, 0, DATA, 1, 0, 0);
	d.idx = 5;
	publish(&d);
	expect_eq(pvm_ring_pop(&r, &c), 1);
	d.idx = 0;			/* backwards */
	publish(&d);
	expect_eq(pvm_ring_pop(&r, &c), (u64)-EINVAL);
}

static void wraps(void)
{
	u32 i;

	start();
	r.event_idx = true;
	for (i = 0; i < 70000; i++) {
		u16 head = i % SIZE;

		put_desc(d.desc, head, DATA, i, F_WRITE, 0);
		add(head);
		if (pvm_ring_pop(&r, &c) != 1 || c.head != head || c.write_bytes != i)
			break;
		pvm_ring_push(&r, head, i);
		if (used_idx(&d) != (u16)(i + 1) ||
		    get32(d.used + 4 + (i % SIZE) * 8 + 4) != i)
			break;
	}
	expect_eq(i, 70000);
}

/* Entries of the used ring may straddle pages; neither half may be lost. */
static void used_across_pages(void)
{
	u64 used = RAM_GPA + 0x3000 - 8;

	expect_eq(start_at(SIZE, RAM_GPA, RAM_GPA + 0x1000, used), 0);
	put_desc(d.desc, 4, DATA, 1, 0, 0);
	add(4);
	expect_eq(pvm_ring_pop(&r, &c), 1);
	pvm_ring_push(&r, 4, 77);
	expect_eq(get32(used + 4), 4);
	expect_eq(get32(used + 8), 77);
	expect(!r.broken);
}

static void interrupts_by_flag(void)
{
	start();
	pvm_ring_push(&r, 0, 0);
	expect(pvm_ring_should_interrupt(&r));
	ram16(d.avail, 1);
	pvm_ring_push(&r, 0, 0);
	expect(!pvm_ring_should_interrupt(&r));
	pvm_ring_notify_disable(&r);
	expect_eq(get16(d.used), 1);
	expect(!pvm_ring_notify_enable(&r, 0));
	expect_eq(get16(d.used), 0);
	put_desc(d.desc, 0, DATA, 1, 0, 0);
	add(0);
	expect(pvm_ring_notify_enable(&r, 0));
	expect(!pvm_ring_notify_enable(&r, 1));
}

static void interrupts_by_event(void)
{
	static const struct { u16 event, old, new; bool want; } t[] = {
		{ 0, 0, 1, true }, { 1, 0, 1, false }, { 1, 0, 2, true }, { 5, 0, 3, false },
		{ 2, 0, 3, true }, { 0xffff, 0, 3, false }, { 0xffff, 0xfffe, 1, true },
		{ 0, 0xfffe, 1, true }, { 1, 0xfffe, 1, false }, { 0xfffd, 0xfffe, 1, false },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		start();
		r.event_idx = true;
		r.signalled = t[i].old;
		r.used_next = t[i].new;
		ram16(used_event_gpa(&d), t[i].event);
		expect_msg(pvm_ring_should_interrupt(&r) == t[i].want, "row %u", i);
		expect_msg(!pvm_ring_should_interrupt(&r), "row %u again", i);
	}
	start();
	r.event_idx = true;
	r.avail_next = 7;
	ram16(d.avail + 2, 9);
	pvm_ring_notify_disable(&r);
	expect_eq(get16(avail_event_gpa(&d)), 0);
	expect(pvm_ring_notify_enable(&r, 0));
	expect_eq(get16(avail_event_gpa(&d)), 7);
	expect(!pvm_ring_notify_enable(&r, 2));
	expect_eq(get16(avail_event_gpa(&d)), 9);
}

static void pieces(void)
{
	static const struct pvm_ring_seg s[] = {
		{ DATA + 100, 50 }, { DATA + 150, 10000 }, { DATA + 0x8000, 0 },
		{ DATA + 0x9000, 8192 }, { DATA + 0x4000, 4096 },
	};
	static const struct pvm_ring_seg bad[] = {
		{ DATA, 100 }, { HOLE_GPA - 10, 20 }, { ~0ull - 4, 100 },
	};
	struct pvm_ring_piece p[8];
	u64 done;

	memset(ram, 0, sizeof(ram));
	/* neighbours merge */
	expect_eq(pvm_ring_pieces(&ram_mem, s, 5, 0, 1 << 20, p, 8, &done), 3);
	expect_eq(done, 50 + 10000 + 8192 + 4096);
	expect_eq(p[0].bytes, 10050);
	expect(p[0].ptr == ram + 0x8000 + 100);
	expect_eq(p[1].bytes, 8192);
	/* skip and limit */
	expect_eq(pvm_ring_pieces(&ram_mem, s, 5, 60, 10000, p, 8, &done), 2);
	expect_eq(done, 10000);
	expect(p[0].ptr == ram + 0x8000 + 160);
	expect_eq(p[0].bytes, 9990);
	expect_eq(p[1].bytes, 10);
	/* too few pieces: what fits, and where to go on */
	expect_eq(pvm_ring_pieces(&ram_mem, s, 5, 0, 1 << 20, p, 1, &done), 1);
	expect_eq(done, 10050);
	expect_eq(pvm_ring_pieces(&ram_mem, s, 5, done, 1 << 20, p, 1, &done), 1);
	expect_eq(done, 8192);
	expect_eq(pvm_ring_pieces(&ram_mem, s, 5, 1 << 20, 1, p, 8, &done), 0);
	/* not RAM */
	expect_eq(pvm_ring_pieces(&ram_mem, bad, 3, 0, 90, p, 8, &done), 1);
	expect_eq(pvm_ring_pieces(&ram_mem, bad, 3, 0, 111, p, 8, &done), (u64)-EFAULT);
	expect_eq(pvm_ring_pieces(&ram_mem, bad + 2, 1, 0, 10, p, 8, &done), (u64)-EFAULT);
}

static void copies(void)
{
	static const struct pvm_ring_seg s[] = { { DATA + 4090, 3 }, { DATA + 4095, 10 } };
	u8 in[13], out[13];
	u32 i;

	memset(ram, 0, sizeof(ram));
	for (i = 0; i < 13; i++)
		in[i] = i + 1;
	expect(pvm_ring_copy_to(&ram_mem, s, 2, 0, in, 13));
	expect_eq(ram[0x8000 + 4092], 3);
	expect_eq(ram[0x8000 + 4095], 4);
	expect_eq(ram[0x8000 + 4104], 13);
	expect(pvm_ring_copy_from(&ram_mem, s, 2, 2, out, 11));
	expect_mem(out, in + 2, 11);
	expect(!pvm_ring_copy_from(&ram_mem, s, 2, 2, out, 12));
	expect(!pvm_ring_copy_to(&ram_mem, s, 2, 13, in, 1));
	expect(pvm_ring_copy_to(&ram_mem, s, 2, 13, in, 0));
}

/*
 * A driver and a device in two threads that sleep until notified: a lost
 * notification, in either direction, hangs (and a time-out fails the test).
 */
#define ROUNDS	20000

static sem_t kick, irq;
static bool device_done;

static void *device_thread(void *arg)
{
	u32 served = 0;

	while (served < ROUNDS) {
		sem_wait(&kick);
		do {
			while (pvm_ring_pop(&r, &c) == 1) {
				pvm_ring_push(&r, c.head, 0);
				served++;
				if (pvm_ring_should_interrupt(&r))
					sem_post(&irq);
			}
		} while (pvm_ring_notify_enable(&r, 0));
	}
	device_done = true;
	return NULL;
}

static void no_notification_is_lost(void)
{
	u16 *event = (u16 *)(ram + (used_event_gpa(&d) - RAM_GPA));
	u16 *avail_event, old;
	struct timespec end;
	pthread_t t;
	u32 sent = 0;
	u16 seen = 0;
	u32 back = 0;

	start();
	r.event_idx = true;
	event = (u16 *)(ram + (used_event_gpa(&d) - RAM_GPA));
	avail_event = (u16 *)(ram + (avail_event_gpa(&d) - RAM_GPA));
	put_desc(d.desc, 0, DATA, 1, 0, 0);
	sem_init(&kick, 0, 0);
	sem_init(&irq, 0, 0);
	pthread_create(&t, NULL, device_thread, NULL);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 60;
	while (back < ROUNDS) {
		u32 burst = 1 + sent * 7 % (SIZE - 1);

		old = d.idx;
		while (burst-- && sent - back < SIZE && sent < ROUNDS) {
			offer(&d, 0);
			sent++;
		}
		publish(&d);
		smp_mb();
		if ((u16)(d.idx - READ_ONCE(*avail_event) - 1) < (u16)(d.idx - old))
			sem_post(&kick);
		WRITE_ONCE(*event, seen);
		smp_mb();
		if (used_idx(&d) == seen && sem_timedwait(&irq, &end))
			break;
		while (sem_trywait(&irq) == 0)
			;
		back += (u16)(used_idx(&d) - seen);
		seen = used_idx(&d);
	}
	expect_eq(back, ROUNDS);
	if (back == ROUNDS)
		pthread_join(t, NULL);
	expect(device_done);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(set_up),
	KTAP_TEST(chain),
	KTAP_TEST(indirect),
	KTAP_TEST(bad_chains),
	KTAP_TEST(bad_available),
	KTAP_TEST(wraps),
	KTAP_TEST(used_across_pages),
	KTAP_TEST(interrupts_by_flag),
	KTAP_TEST(interrupts_by_event),
	KTAP_TEST(pieces),
	KTAP_TEST(copies),
	KTAP_TEST(no_notification_is_lost),
};

KTAP_MAIN(tests)
