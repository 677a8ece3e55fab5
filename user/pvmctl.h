/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pvmctl: the verbs, and what they share.
 *
 * World:   user
 * Context: one process, one thread
 */
#ifndef PVMCTL_H
#define PVMCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cc.h"

#define PVMCTL_VERSION	"0.1"

/* Exit statuses; a guest that ended in --wait or --console adds the last two. */
#define EXIT_DONE	0
#define EXIT_FAILED	1
#define EXIT_USAGE	2
#define EXIT_CRASH	3
#define EXIT_KILLED	4

/* A verb gets its own arguments, argv[0] being its name, and returns the exit status. */
struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments;		/* for usage */
	const char *help;		/* lines of text */
};

extern const struct verb *current_verb;
extern bool json;			/* --json was given */

/* An option of a verb, for options(). */
struct option_row {
	const char *name;		/* "--timeout" */
	bool *flag;			/* set if given; NULL: takes a value */
	const char **value;
};

/*
 * Takes --help, --json and the options of @rows (ended by an empty one) out of
 * argv and returns how many words are left in argv[1..]. On wrong usage, or
 * unless there are @least..@most words, explains and exits.
 */
int options(int argc, char **argv, const struct option_row *rows, int least, int most);

/* "pvmctl: " and a line on standard error. complain() returns EXIT_FAILED. */
PRINTF_LIKE(1, 2) int complain(const char *fmt, ...);
/* The same, with the verb's usage; exits with EXIT_USAGE. */
PRINTF_LIKE(1, 2) _Noreturn void usage(const char *fmt, ...);

/* malloc() and friends that end the program when there is no memory. */
void *need(void *p);

int cmd_check(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_claim(int argc, char **argv);
int cmd_release(int argc, char **argv);
int cmd_reset(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_reboot(int argc, char **argv);
int cmd_kill(int argc, char **argv);
int cmd_pause(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_events(int argc, char **argv);

#endif /* PVMCTL_H */
