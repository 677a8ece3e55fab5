/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON on standard output, and forms of numbers for people.
 *
 * The json_* functions write as they are called; a key is NULL inside an array
 * and at the top.
 *
 * World:   user
 * Context: one thread
 */
#ifndef PVM_USER_OUT_H
#define PVM_USER_OUT_H

#include <stdbool.h>
#include <stdint.h>

void json_open(const char *key, char kind);	/* '{' or '[' */
void json_close(void);				/* the innermost; a newline after the outermost */
void json_text(const char *key, const char *value);	/* NULL: null */
void json_number(const char *key, int64_t value);
void json_unsigned(const char *key, uint64_t value);
void json_bool(const char *key, bool value);

/* "512 MiB", "1.50 s": into one of a few static buffers, good until the next calls. */
const char *size_text(uint64_t bytes);
const char *time_text(uint64_t ns);

#endif /* PVM_USER_OUT_H */
