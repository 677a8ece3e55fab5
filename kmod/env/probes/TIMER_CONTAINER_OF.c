// SPDX-License-Identifier: GPL-2.0-only
/* 6.16: the new name of from_timer(). */
#include <linux/timer.h>

struct pvm_probe {
	struct timer_list timer;
};

struct pvm_probe *pvm_probe(struct timer_list *t);

struct pvm_probe *pvm_probe(struct timer_list *t)
{
	struct pvm_probe *p = timer_container_of(p, t, timer);

	return p;
}
