// SPDX-License-Identifier: GPL-2.0-only
/* 6.2: the new name of del_timer_sync(). */
#include <linux/timer.h>

int pvm_probe(struct timer_list *t);

int pvm_probe(struct timer_list *t)
{
	return timer_delete_sync(t);
}
