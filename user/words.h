/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words and numbers that people type.
 *
 * World:   user
 * Context: any
 */
#ifndef PVM_USER_WORDS_H
#define PVM_USER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The one of @count words that is most like @word, or NULL if none is near. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

/* "512M", "8G", "4096": bytes. False if it isn't one or is larger than 2^63. */
bool parse_size(const char *text, uint64_t *bytes);

/* A whole number up to @max, decimal or 0x. */
bool parse_number(const char *text, uint64_t max, uint64_t *value);

#endif /* PVM_USER_WORDS_H */
