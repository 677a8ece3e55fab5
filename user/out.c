// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON on standard output, and forms of numbers for people.
 *
 * World:   user
 * Context: one thread
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"

#define DEPTH	16

static struct {
	char kind[DEPTH];
	bool more[DEPTH];	/* something stands there already */
	int depth;
} js;

/* Length of the UTF-8 character at @s, or 0 if it is none. */
static int utf8_length(const unsigned char *s)
{
	int n, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void json_string(const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	int n;

	putchar('"');
	for (; *s; s += n) {
		n = utf8_length(s);
		if (!n) {
			fputs("\\ufffd", stdout);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			printf("\\%c", *s);
		} else if (*s < 0x20 || *s == 0x7f) {
			printf("\\u%04x", *s);
		} else {
			fwrite(s, 1, n, stdout);
		}
	}
	putchar('"');
}

static void json_key(const char *key)
{
	if (js.depth && js.more[js.depth - 1])
		putchar(',');
	if (js.depth)
		js.more[js.depth - 1] = true;
	if (key) {
		json_string(key);
		putchar(':');
	}
}

void json_open(const char *key, char kind)
{
	json_key(key);
	if (js.depth == DEPTH)
		abort();
	js.kind[js.depth] = kind;
	js.more[js.depth++] = false;
	putchar(kind);
}

void json_close(void)
{
	js.depth--;
	putchar(js.kind[js.depth] == '{' ? '}' : ']');
	if (!js.depth) {
		putchar('\n');
		fflush(stdout);
	}
}

void json_text(const char *key, const char *value)
{
	json_key(key);
	if (value)
		json_string(value);
	else
		fputs("null", stdout);
}

void json_number(const char *key, int64_t value)
{
	json_key(key);
	printf("%" PRId64, value);
}

void json_unsigned(const char *key, uint64_t value)
{
	json_key(key);
	printf("%" PRIu64, value);
}

void json_bool(const char *key, bool value)
{
	json_key(key);
	fputs(value ? "true" : "false", stdout);
}

static char *next_buffer(void)
{
	static char buffers[8][32];
	static unsigned int next;

	return buffers[next++ % 8];
}

const char *size_text(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	char *text = next_buffer();
	double v = bytes;
	int u = 0;

	while (v >= 1024 && u < 4) {
		v /= 1024;
		u++;
	}
	if (v == (uint64_t)v)
		snprintf(text, 32, "%" PRIu64 " %s", (uint64_t)v, units[u]);
	else
		snprintf(text, 32, "%.1f %s", v, units[u]);
	return text;
}

const char *time_text(uint64_t ns)
{
	char *text = next_buffer();

	if (ns < 1000000)
		snprintf(text, 32, "%.1f us", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(text, 32, "%.1f ms", ns / 1e6);
	else if (ns < 120000000000)
		snprintf(text, 32, "%.2f s", ns / 1e9);
	else
		snprintf(text, 32, "%" PRIu64 " min %" PRIu64 " s", ns / 60000000000,
			 ns / 1000000000 % 60);
	return text;
}
