/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the compiler is told, and what C lacks.
 *
 * World:   user
 * Context: any
 */
#ifndef PVM_USER_CC_H
#define PVM_USER_CC_H

#define ATTRIBUTE(what)			__attribute__((what))
#define PRINTF_LIKE(form, first)	ATTRIBUTE(format(printf, form, first))
#define ARRAY_SIZE(a)			(sizeof(a) / sizeof((a)[0]))

#endif /* PVM_USER_CC_H */
