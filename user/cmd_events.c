// SPDX-License-Identifier: GPL-2.0-only
/*
 * events: a line for each event as it happens.
 *
 * World:   user
 * Context: one thread
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "names.h"
#include "nl.h"
#include "out.h"
#include "pci.h"
#include "pvmctl.h"

static void event_json(const struct answer *a, const char *device)
{
	json_open(NULL, '{');
	json_unsigned("time_ns", answer_u64(a, PASSVM_A_TIME_NS));
	json_text("notice", name_of(notice_names, answer_u32(a, PASSVM_A_NOTICE)));
	if (a->attrs[PASSVM_A_NAME]) {
		json_text("name", answer_text(a, PASSVM_A_NAME));
		json_unsigned("id", answer_u32(a, PASSVM_A_ID));
		json_text("state", name_of(state_names, answer_u32(a, PASSVM_A_STATE)));
		json_text("end", name_of(end_names, answer_u32(a, PASSVM_A_END)));
	}
	if (*device)
		json_text("device", device);
	json_text("step", answer_text(a, PASSVM_A_STEP));
	json_text("reason", answer_text(a, PASSVM_A_REASON));
	json_unsigned("took_ns", answer_u64(a, PASSVM_A_TOOK_NS));
	json_number("error", answer_s32(a, PASSVM_A_ERROR));
	json_close();
}

static void event_line(const struct answer *a, const char *device)
{
	uint64_t ns = answer_u64(a, PASSVM_A_TIME_NS);
	time_t seconds = ns / 1000000000;
	const char *reason = answer_text(a, PASSVM_A_REASON);
	char clock[32];
	struct tm t;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &t));
	printf("%s.%03u", clock, (unsigned int)(ns / 1000000 % 1000));
	if (a->attrs[PASSVM_A_NAME])
		printf(" %s", answer_text(a, PASSVM_A_NAME));
	if (*device)
		printf(" %s", device);
	if (answer_u32(a, PASSVM_A_NOTICE) == PASSVM_NOTICE_STATE)
		printf(" %s", name_of(state_names, answer_u32(a, PASSVM_A_STATE)));
	else
		printf(" %s", answer_text(a, PASSVM_A_STEP));
	if (answer_s32(a, PASSVM_A_ERROR))
		printf(" failed");
	if (answer_u64(a, PASSVM_A_TOOK_NS))
		printf(" (%s)", time_text(answer_u64(a, PASSVM_A_TOOK_NS)));
	printf("%s%s\n", *reason ? ": " : "", reason);
}

static void on_event(const struct answer *a, void *arg)
{
	const char *name = arg;
	char device[24] = "";

	if (name && strcmp(name, answer_text(a, PASSVM_A_NAME)))
		return;
	if (a->attrs[PASSVM_A_BUS])
		pci_address_text(answer_u32(a, PASSVM_A_DOMAIN), answer_u32(a, PASSVM_A_BUS),
				 answer_u32(a, PASSVM_A_DEVFN), device, sizeof(device));
	if (json)
		event_json(a, device);
	else
		event_line(a, device);
	fflush(stdout);
}

int cmd_events(int argc, char **argv)
{
	int words = options(argc, argv, NULL, 0, 1), n;

	if (mod_connect(true) || mod_listen())
		return EXIT_FAILED;
	for (;;) {
		n = mod_events(-1, on_event, words ? argv[1] : NULL);
		if (n == -2)
			complain("events came faster than they could be read; some are lost");
		if (n == -1 || ferror(stdout))
			return EXIT_DONE;
	}
}
