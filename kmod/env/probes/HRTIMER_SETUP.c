// SPDX-License-Identifier: GPL-2.0-only
/* 6.13: hrtimer_setup() takes the callback. */
#include <linux/hrtimer.h>

void pvm_probe(struct hrtimer *t, enum hrtimer_restart (*fn)(struct hrtimer *t));

void pvm_probe(struct hrtimer *t, enum hrtimer_restart (*fn)(struct hrtimer *t))
{
	hrtimer_setup(t, fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
}
