// SPDX-License-Identifier: GPL-2.0-only
/*
 * pvmctl: the table of verbs, usage, options.
 *
 * World:   user
 * Context: one thread
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pvmctl.h"
#include "words.h"

static const struct verb verbs[] = {
	{ "check", cmd_check, "",
	  "Tells for each thing that passvm needs whether it is there, and if not, the remedy.\n"
	  "Works without the module, too. Status 1 if something is missing." },
	{ "devices", cmd_devices, "[-v] [DEV...]",
	  "Lists PCI devices as a tree: address, name, ids, driver, IOMMU group, whether claimed,\n"
	  "grade, reset methods; whether it can be passed to a VM, and if not why.\n"
	  "  -v    ACS of each bridge and the path in sysfs as well" },
	{ "claim", cmd_claim, "[--persist] DEV...",
	  "Takes devices (all functions of their slots, all or none) from their drivers.\n"
	  "DEV is an address ([0000:]01:00[.0]), ids (1002:731f), or both joined by '@'.\n"
	  "  --persist    claims them at every boot: writes /etc/modprobe.d/passvm-claim.conf" },
	{ "release", cmd_release, "[--persist] DEV...",
	  "Gives devices back to the host.\n"
	  "  --persist    no longer claims them at boot, either" },
	{ "reset", cmd_reset, "DEV [--method NAME]",
	  "Resets a claimed device that no VM uses, and prints each method tried, its time, and\n"
	  "the proof.\n"
	  "  --method NAME    only this one (flr, pm, bus ...)" },
	{ "start", cmd_start, "CONFIG|NAME [--plan] [--console|--wait] [--no-devices] [--no-net]",
	  "Starts a VM from a configuration (a file, or NAME.conf here or in /etc/passvm).\n"
	  "  --plan          checks everything, prints every step, changes nothing\n"
	  "  --console       stays on the serial console until the guest ends\n"
	  "  --wait          stays until the guest ends\n"
	  "  --no-devices    without the devices of the configuration\n"
	  "  --no-net        without its network\n"
	  "With --console or --wait the status is 0 after power-off, 3 after a crash, 4 after\n"
	  "kill, and (V << 1) | 1 after a write of V to the debug-exit port." },
	{ "stop", cmd_stop, "NAME [--timeout SECONDS]",
	  "Presses the power button and waits until the guest has switched itself off.\n"
	  "  --timeout SECONDS    how long (default 60); status 1 if it still runs then" },
	{ "reboot", cmd_reboot, "NAME", "Resets the guest." },
	{ "kill", cmd_kill, "NAME", "Ends the VM at once." },
	{ "pause", cmd_pause, "NAME", "Stops the vCPUs and the DMA of devices passed through." },
	{ "resume", cmd_resume, "NAME", "Undoes pause." },
	{ "list", cmd_list, "",
	  "Lists the VMs. Ended ones stay until a new one takes their name." },
	{ "status", cmd_status, "NAME", "Prints what is known of a VM, also why it ended." },
	{ "stats", cmd_stats, "NAME [--vcpus]",
	  "Prints the VM's counters: exits by reason, interrupts, I/O, times.\n"
	  "  --vcpus    for each vCPU" },
	{ "console", cmd_console, "NAME", "Joins the serial console. Leave it with Ctrl-]." },
	{ "events", cmd_events, "[NAME]", "Prints a line for each event as it happens." },
};

#define VERBS	ARRAY_SIZE(verbs)

const struct verb *current_verb;
bool json;

int complain(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("pvmctl: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

void usage(const char *fmt, ...)
{
	va_list args;

	fputs("pvmctl: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	if (current_verb)
		fprintf(stderr, "\nusage: pvmctl %s %s\n", current_verb->name,
			current_verb->arguments);
	else
		fputs("\n'pvmctl --help' lists the verbs.\n", stderr);
	exit(EXIT_USAGE);
}

void *need(void *p)
{
	if (p)
		return p;
	fputs("pvmctl: out of memory\n", stderr);
	exit(EXIT_FAILED);
}

static void verb_help(void)
{
	printf("usage: pvmctl %s %s\n\n%s\n\n  --json    prints facts as JSON\n",
	       current_verb->name, current_verb->arguments, current_verb->help);
	exit(EXIT_DONE);
}

static void unknown_option(const char *word, const struct option_row *rows)
{
	const char *names[16] = { "--help", "--json" }, *near;
	size_t n = 2;

	for (; rows && rows->name && n < 16; rows++)
		names[n++] = rows->name;
	near = nearest_word(word, names, n);
	if (near)
		usage("unknown option '%s'; did you mean '%s'?", word, near);
	usage("unknown option '%s'", word);
}

/* Handles argv[i] if it is an option; how many words it took. */
static int take_option(char **argv, int i, const struct option_row *rows)
{
	const struct option_row *r;
	size_t n;

	if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
		verb_help();
	if (!strcmp(argv[i], "--json")) {
		json = true;
		return 1;
	}
	for (r = rows; r && r->name; r++) {
		n = strlen(r->name);
		if (strncmp(argv[i], r->name, n) || (argv[i][n] && (r->flag || argv[i][n] != '=')))
			continue;
		if (r->flag) {
			*r->flag = true;
			return 1;
		}
		if (argv[i][n]) {
			*r->value = argv[i] + n + 1;
			return 1;
		}
		if (!argv[i + 1])
			usage("%s needs a value", r->name);
		*r->value = argv[i + 1];
		return 2;
	}
	unknown_option(argv[i], rows);
	return 1;
}

int options(int argc, char **argv, const struct option_row *rows, int least, int most)
{
	int i = 1, words = 0;

	while (i < argc) {
		if (!strcmp(argv[i], "--")) {
			for (i++; i < argc; i++)
				argv[++words] = argv[i];
			break;
		}
		if (argv[i][0] == '-' && argv[i][1])
			i += take_option(argv, i, rows);
		else
			argv[++words] = argv[i++];
	}
	argv[words + 1] = NULL;
	if (words < least)
		usage("%s: something is missing", argv[0]);
	if (words > most)
		usage("%s: '%s' is too much", argv[0], argv[most + 1]);
	return words;
}

static int list_verbs(void)
{
	size_t i;

	puts("usage: pvmctl VERB [ARGUMENT...]\n\n"
	     "Runs virtual machines that own PCI devices, with the kernel module passvm.\n");
	for (i = 0; i < VERBS; i++) {
		const char *end = strpbrk(verbs[i].help, ".;:\n");

		printf("  %-9s %.*s\n", verbs[i].name,
		       end ? (int)(end - verbs[i].help) : (int)strlen(verbs[i].help),
		       verbs[i].help);
	}
	puts("\n'pvmctl VERB --help' tells more; see also pvmctl(8).\n"
	     "Status: 0 done, 1 failed, 2 wrong usage.");
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	const char *names[VERBS], *near;
	size_t i;

	/* Lines appear as they are printed, also in a pipe. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (argc > 1 && !strcmp(argv[1], "--json")) {
		json = true;
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	if (argc < 2) {
		list_verbs();
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return list_verbs();
	if (!strcmp(argv[1], "--version")) {
		puts("pvmctl " PVMCTL_VERSION);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "help") && argc > 2)
		argv[1] = argv[2], argv[2] = "--help";
	else if (!strcmp(argv[1], "help"))
		return list_verbs();
	for (i = 0; i < VERBS; i++) {
		names[i] = verbs[i].name;
		if (strcmp(argv[1], verbs[i].name))
			continue;
		current_verb = &verbs[i];
		return verbs[i].run(argc - 1, argv + 1);
	}
	if (argv[1][0] == '-')
		usage("unknown option '%s'", argv[1]);
	near = nearest_word(argv[1], names, VERBS);
	if (near)
		usage("unknown verb '%s'; did you mean '%s'?", argv[1], near);
	usage("unknown verb '%s'", argv[1]);
}
