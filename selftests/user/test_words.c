// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nearest words, sizes, numbers.
 *
 * World:   user tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "stubs.h"
#include "words.h"

static const char *const words[] = { "name",   "cpus",	  "memory", "firmware", "kernel",
				     "initrd", "cmdline", "disk",   "cdrom",	"net",
				     "device", "start",	  "status" };

static void nearest(void)
{
	static const struct {
		const char *typed, *want;
	} rows[] = {
		{ "memmory", "memory" }, { "mem", "memory" }, { "kernal", "kernel" },
		{ "KERNEL", "kernel" }, { "dsik", "disk" }, { "cpu", "cpus" }, { "stat", "status" },
		{ "strat", "start" }, { "devcie", "device" }, { "initramfs", "initrd" },
		{ "xyzzy", NULL }, { "", NULL }, { "q", NULL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got =
			nearest_word(rows[i].typed, words, sizeof(words) / sizeof(words[0]));

		expect_msg(got == rows[i].want ||
				   (got && rows[i].want && !strcmp(got, rows[i].want)),
			   "'%s' gave '%s'", rows[i].typed, got ? got : "nothing");
	}
}

static void sizes(void)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t bytes;
	} rows[] = {
		{ "512M", true, 512ull << 20 }, { "8G", true, 8ull << 30 }, { "4096", true, 4096 },
		{ "1k", true, 1024 }, { "2GiB", true, 2ull << 30 }, { "1T", true, 1ull << 40 },
		{ "0", true, 0 }, { "", false }, { "G", false }, { "-1G", false }, { "1X", false },
		{ "1GG", false }, { "1.5G", false }, { " 1G", false }, { "1 G", false },
		{ "9000000000000T", false }, { "99999999999999999999", false },
		{ "18446744073709551615", false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t bytes = 0;
		bool ok = parse_size(rows[i].text, &bytes);

		expect_msg(ok == rows[i].ok && (!ok || bytes == rows[i].bytes), "'%s'",
			   rows[i].text);
	}
}

static void numbers(void)
{
	uint64_t v = 0;

	expect(parse_number("0xf4", 0xffff, &v) && v == 0xf4);
	expect(parse_number("10", 16, &v) && v == 10);
	expect(!parse_number("17", 16, &v));
	expect(!parse_number("0x", 16, &v));
	expect(!parse_number("1a", 16, &v));
	expect(!parse_number("-1", 16, &v));
	expect(!parse_number("", 16, &v));
	expect(!parse_number("99999999999999999999999", ~0ull, &v));
}

static const struct ktap_test tests[] = {
	KTAP_TEST(nearest),
	KTAP_TEST(sizes),
	KTAP_TEST(numbers),
};

KTAP_MAIN(tests)
