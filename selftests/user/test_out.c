// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON escapes.
 *
 * World:   user tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "stubs.h"
#include "out.h"

#include <stdlib.h>

/* What json_text() prints for @value. */
static const char *printed(const char *value)
{
	static char text[512];
	char *buffer = NULL;
	size_t bytes = 0;
	FILE *before = stdout;

	stdout = open_memstream(&buffer, &bytes);
	json_open(NULL, '[');
	json_text(NULL, value);
	json_close();
	fclose(stdout);
	stdout = before;
	snprintf(text, sizeof(text), "%s", buffer);
	free(buffer);
	return text;
}

static void escapes(void)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "plain", "[\"plain\"]\n" },
		{ "a\"b\\c", "[\"a\\\"b\\\\c\"]\n" },
		{ "\n\t\x01\x7f", "[\"\\u000a\\u0009\\u0001\\u007f\"]\n" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		  "[\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"]\n" },
		{ "\xff"
		  "x",
		  "[\"\\ufffdx\"]\n" },
		{ "\xc3", "[\"\\ufffd\"]\n" },
		{ "\xc0\x80", "[\"\\ufffd\\ufffd\"]\n" },
		{ "\xed\xa0\x80", "[\"\\ufffd\\ufffd\\ufffd\"]\n" },
		{ NULL, "[null]\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = printed(rows[i].value);

		expect_msg(!strcmp(got, rows[i].want), "row %zu gave %s", i, got);
	}
}

static void forms(void)
{
	expect(!strcmp(size_text(512ull << 20), "512 MiB"));
	expect(!strcmp(size_text(1536), "1.5 KiB"));
	expect(!strcmp(size_text(0), "0 B"));
	expect(!strcmp(time_text(1500000), "1.5 ms"));
	expect(!strcmp(time_text(2500000000), "2.50 s"));
}

static const struct ktap_test tests[] = {
	KTAP_TEST(escapes),
	KTAP_TEST(forms),
};

KTAP_MAIN(tests)
