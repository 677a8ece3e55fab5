/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What pvmctl.c has and its parts need, and standard error in a buffer.
 *
 * World:   user tests
 * Context: single-threaded
 */
#ifndef PVM_USER_STUBS_H
#define PVM_USER_STUBS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "pvmctl.h"

bool json;
const struct verb *current_verb;

int complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

void *need(void *p)
{
	if (!p)
		abort();
	return p;
}

/* Between these two, what goes to standard error is collected. */
static char *caught;
static size_t caught_bytes;
static FILE *stderr_before;

static inline void catch_errors(void)
{
	stderr_before = stderr;
	stderr = open_memstream(&caught, &caught_bytes);
}

static inline const char *caught_errors(void)
{
	static char text[65536];

	fclose(stderr);
	stderr = stderr_before;
	snprintf(text, sizeof(text), "%s", caught);
	free(caught);
	return text;
}

#endif /* PVM_USER_STUBS_H */
