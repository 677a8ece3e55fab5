// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies to and from guest RAM.
 *
 * The guest and its devices change memory while we look at it: a caller copies
 * once and judges the copy.
 *
 * World:   kernel
 * Context: any; *_user() process context
 */
#include <linux/sched.h>
#include <linux/uaccess.h>
#include "mem/backing.h"

/* Address and, in *bytes, how much of it lies in this page; NULL: no RAM, or not writable. */
static void *access_page(struct pvm_mem *m, u64 gpa, u64 *bytes, unsigned long forbidden)
{
	unsigned long e;
	u64 offset;

	*bytes = min(*bytes, PVM_PAGE_BYTES - (gpa & ~PVM_PAGE_MASK));
	e = pvm_frame(m, gpa, &offset);
	if (!e || e & forbidden)
		return NULL;
	return (void *)(e & ~PVM_FRAME_TAGS) + offset;
}

int pvm_mem_read(struct pvm_mem *m, u64 gpa, void *to, u64 bytes)
{
	while (bytes) {
		u64 now = bytes;
		void *p = access_page(m, gpa, &now, 0);

		if (!p)
			return -EFAULT;
		memcpy(to, p, now);
		to += now;
		gpa += now;
		bytes -= now;
	}
	return 0;
}

static int access_write(struct pvm_mem *m, u64 gpa, const void *from, u64 bytes,
			unsigned long forbidden)
{
	while (bytes) {
		u64 now = bytes;
		void *p = access_page(m, gpa, &now, forbidden);

		if (!p)
			return -EFAULT;
		memcpy(p, from, now);
		from += now;
		gpa += now;
		bytes -= now;
	}
	return 0;
}

int pvm_mem_write(struct pvm_mem *m, u64 gpa, const void *from, u64 bytes)
{
	return access_write(m, gpa, from, bytes, PVM_FRAME_ROM);
}

int pvm_mem_write_rom(struct pvm_mem *m, u64 gpa, const void *from, u64 bytes)
{
	return access_write(m, gpa, from, bytes, 0);
}

int pvm_mem_write_user(struct pvm_mem *m, u64 gpa, const void __user *from, u64 bytes)
{
	while (bytes) {
		u64 now = bytes;
		void *p = access_page(m, gpa, &now, 0);

		if (!p || copy_from_user(p, from, now))
			return -EFAULT;
		from += now;
		gpa += now;
		bytes -= now;
		cond_resched();
	}
	return 0;
}

int pvm_mem_zero(struct pvm_mem *m, u64 gpa, u64 bytes)
{
	while (bytes) {
		u64 now = bytes;
		void *p = access_page(m, gpa, &now, PVM_FRAME_ROM);

		if (!p)
			return -EFAULT;
		memset(p, 0, now);
		gpa += now;
		bytes -= now;
	}
	return 0;
}

/* cmpxchg() of one size; *expected becomes what was there. */
#define ACCESS_CMPXCHG(type) \
do {									\
	type old = *(type *)expected;					\
	type seen = cmpxchg((type *)p, old, *(const type *)desired);	\
									\
	*swapped = seen == old;						\
	*(type *)expected = seen;					\
} while (0)

int pvm_mem_cmpxchg(struct pvm_mem *m, u64 gpa, void *expected, const void *desired, u32 bytes,
		    bool *swapped)
{
	u64 now = bytes;
	void *p;

	if (!bytes || gpa & (bytes - 1))
		return -EFAULT;
	p = access_page(m, gpa, &now, PVM_FRAME_ROM);
	if (!p)
		return -EFAULT;
	switch (bytes) {
	case 1:
		ACCESS_CMPXCHG(u8);
		return 0;
	case 2:
		ACCESS_CMPXCHG(u16);
		return 0;
	case 4:
		ACCESS_CMPXCHG(u32);
		return 0;
	case 8:
		ACCESS_CMPXCHG(u64);
		return 0;
	}
	return -EFAULT;
}
