/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host test program in KTAP: a table of functions, run in order.
 *
 *	static void addition(void)
 *	{
 *		expect(1 + 1 > 1);
 *		expect_eq(1 + 1, 2);
 *	}
 *
 *	static const struct ktap_test tests[] = {
 *		KTAP_TEST(addition),
 *	};
 *
 *	KTAP_MAIN(tests)
 *
 * A test goes on after a failed expectation, and has failed. Each failure is a
 * diagnostic line with file, line and the values. With arguments the program
 * runs only the tests named, --list names them. Exit status: 0 all passed or
 * skipped, 1 something failed, 2 wrong usage.
 *
 * World:   host tests
 * Context: single-threaded
 */
#ifndef PVM_KTAP_H
#define PVM_KTAP_H

#include <stdio.h>
#include <string.h>

struct ktap_test {
	const char *name;
	void (*run)(void);
};

#define KTAP_TEST(fn)	{ #fn, fn }

/* What the running test has come to. */
struct ktap_state {
	unsigned int failures;
	const char *skipped;
};

static struct ktap_state ktap_now;

/* Only the first failures of a test are worth printing. */
#define KTAP_MAX_PRINTED	16

/* Adds a failure and tells whether its lines are to be printed. */
static inline int ktap_fail(const char *file, int line)
{
	const char *base = strrchr(file, '/');

	if (ktap_now.failures++ >= KTAP_MAX_PRINTED)
		return 0;
	printf("# %s:%d: ", base ? base + 1 : file, line);
	return 1;
}

/* True if @cond holds; else the test has failed. */
#define expect(cond) ({							\
	int ktap_ok_ = !!(cond);					\
	if (!ktap_ok_ && ktap_fail(__FILE__, __LINE__))			\
		printf("expected %s\n", #cond);				\
	ktap_ok_;							\
})

/* The same with a printf-style explanation: for loops over a table. */
#define expect_msg(cond, ...) ({					\
	int ktap_ok_ = !!(cond);					\
	if (!ktap_ok_ && ktap_fail(__FILE__, __LINE__)) {		\
		printf("expected %s: ", #cond);				\
		printf(__VA_ARGS__);					\
		printf("\n");						\
	}								\
	ktap_ok_;							\
})

/* Integers, compared and printed as 64 bits. */
#define expect_eq(got, want) ({						\
	unsigned long long ktap_got_ = (unsigned long long)(got);	\
	unsigned long long ktap_want_ = (unsigned long long)(want);	\
	int ktap_ok_ = ktap_got_ == ktap_want_;				\
	if (!ktap_ok_ && ktap_fail(__FILE__, __LINE__))			\
		printf("%s is 0x%llx, expected 0x%llx (%s)\n", #got,	\
		       ktap_got_, ktap_want_, #want);			\
	ktap_ok_;							\
})

/* low <= got <= high */
#define expect_in(got, low, high) ({					\
	long long ktap_got_ = (long long)(got);				\
	long long ktap_low_ = (long long)(low);				\
	long long ktap_high_ = (long long)(high);			\
	int ktap_ok_ = ktap_got_ >= ktap_low_ && ktap_got_ <= ktap_high_; \
	if (!ktap_ok_ && ktap_fail(__FILE__, __LINE__))			\
		printf("%s is %lld, expected %lld..%lld\n", #got,	\
		       ktap_got_, ktap_low_, ktap_high_);		\
	ktap_ok_;							\
})

#define expect_mem(got, want, bytes) ({					\
	int ktap_ok_ = memcmp(got, want, bytes) == 0;			\
	if (!ktap_ok_ && ktap_fail(__FILE__, __LINE__))			\
		printf("%s differs from %s\n", #got, #want);		\
	ktap_ok_;							\
})

/* Marks the running test as skipped; the caller returns. */
#define ktap_skip(why)	((void)(ktap_now.skipped = (why)))

static inline int ktap_named(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(name, argv[i]))
			return 1;
	return argc < 2;
}

static inline int ktap_run(const struct ktap_test *t, unsigned int n, int argc, char **argv)
{
	unsigned int i, planned = 0, done = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < n; i++)
			printf("%s\n", t[i].name);
		return 0;
	}
	for (i = 0; i < n; i++)
		planned += ktap_named(t[i].name, argc, argv);
	if (!planned) {
		fprintf(stderr, "%s: no such test; --list names them\n", argv[0]);
		return 2;
	}
	printf("KTAP version 1\n1..%u\n", planned);
	for (i = 0; i < n; i++) {
		if (!ktap_named(t[i].name, argc, argv))
			continue;
		ktap_now = (struct ktap_state){ 0 };
		t[i].run();
		if (ktap_now.failures > KTAP_MAX_PRINTED)
			printf("# %u failures in all\n", ktap_now.failures);
		printf("%s %u %s", ktap_now.failures ? "not ok" : "ok", ++done, t[i].name);
		if (ktap_now.skipped && !ktap_now.failures)
			printf(" # SKIP %s", ktap_now.skipped);
		printf("\n");
		failed += ktap_now.failures != 0;
	}
	return failed ? 1 : 0;
}

#define KTAP_MAIN(tests)						\
int main(int argc, char **argv)						\
{									\
	return ktap_run(tests, sizeof(tests) / sizeof((tests)[0]), argc, argv); \
}

#endif /* PVM_KTAP_H */
