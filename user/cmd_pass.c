// SPDX-License-Identifier: GPL-2.0-only
/*
 * claim, release, reset.
 *
 * The module works on them in the background; its events tell the outcome, and
 * the state of the functions is asked in between, in case an event was lost.
 *
 * World:   user
 * Context: one thread
 */
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "nl.h"
#include "open.h"
#include "out.h"
#include "pci.h"
#include "persist.h"
#include "pvmctl.h"

#define FUNCTIONS	64
#define DEADLINE_MS	120000
#define ASK_MS		200
#define UNSEEN_MS	3000	/* a function that is unchanged so long has been refused */

struct job {
	const char *verb;		/* also the name of its last event */
	uint32_t wanted;		/* state that means success */
	struct {
		struct pci_address at;
		bool over, failed;
	} f[FUNCTIONS];
	int functions;
};

static void tell(const char *step, const char *device, const char *text, uint64_t took_ns,
		 int error)
{
	if (json) {
		json_open(NULL, '{');
		json_text("device", device);
		json_text("step", step);
		json_text("text", text);
		json_unsigned("took_ns", took_ns);
		json_number("error", error);
		json_close();
		return;
	}
	printf("%s  %-9s %10s  %s%s\n", device, step, took_ns ? time_text(took_ns) : "",
	       error ? "failed: " : "", text);
	fflush(stdout);
}

static int job_find(const struct job *j, uint32_t domain, uint32_t bus, uint32_t devfn)
{
	int i;

	for (i = 0; i < j->functions; i++) {
		if (j->f[i].at.domain == domain && j->f[i].at.bus == bus &&
		    j->f[i].at.devfn == devfn)
			return i;
	}
	return -1;
}

static void on_event(const struct answer *a, void *arg)
{
	struct job *j = arg;
	const char *step = answer_text(a, PASSVM_A_STEP);
	uint32_t domain = answer_u32(a, PASSVM_A_DOMAIN), bus = answer_u32(a, PASSVM_A_BUS);
	uint32_t devfn = answer_u32(a, PASSVM_A_DEVFN);
	char device[24];
	int i, error = answer_s32(a, PASSVM_A_ERROR), whole_slot = !strcmp(j->verb, "reset");

	i = job_find(j, domain, bus, devfn);
	if (answer_u32(a, PASSVM_A_NOTICE) != PASSVM_NOTICE_DEVICE || i < 0)
		return;
	pci_address_text(domain, bus, devfn, device, sizeof(device));
	tell(step, device, answer_text(a, PASSVM_A_REASON), answer_u64(a, PASSVM_A_TOOK_NS), error);
	if (strcmp(step, j->verb))
		return;
	if (!whole_slot) {
		j->f[i].over = true;
		j->f[i].failed = error;
		return;
	}
	/* A reset ends once for each slot. */
	for (i = 0; i < j->functions; i++) {
		if (j->f[i].at.domain == domain && j->f[i].at.bus == bus &&
		    j->f[i].at.devfn >> 3 == devfn >> 3) {
			j->f[i].over = true;
			j->f[i].failed = error;
		}
	}
}

static void on_function(const struct answer *a, void *arg)
{
	*(uint32_t *)arg = answer_u32(a, PASSVM_A_DEVICE_STATE);
}

/* Asks for the states of what no event has told of yet. */
static void job_ask(struct job *j, uint64_t passed_ms)
{
	int i;

	if (!strcmp(j->verb, "reset"))
		return;		/* its outcome is no state */
	for (i = 0; i < j->functions; i++) {
		struct nl_msg *msg;
		uint32_t state = PASSVM_DEVICE_STATE_LOST;

		if (j->f[i].over)
			continue;
		msg = mod_request(PASSVM_CMD_DEVICE_GET);
		nla_put_u32(msg, PASSVM_A_DOMAIN, j->f[i].at.domain);
		nla_put_u32(msg, PASSVM_A_BUS, j->f[i].at.bus);
		nla_put_u32(msg, PASSVM_A_DEVFN, j->f[i].at.devfn);
		mod_call(msg, on_function, &state);
		if (state == PASSVM_DEVICE_STATE_CLAIMING ||
		    (state != j->wanted && passed_ms < UNSEEN_MS))
			continue;
		/* Give an event that is on its way the chance to say more. */
		mod_events(0, on_event, j);
		if (j->f[i].over)
			continue;
		j->f[i].over = true;
		j->f[i].failed = state != j->wanted;
	}
}

static bool job_over(const struct job *j)
{
	int i;

	for (i = 0; i < j->functions; i++) {
		if (!j->f[i].over)
			return false;
	}
	return true;
}

static int job_wait(struct job *j)
{
	uint64_t begun = now_ms();
	int i, failed = 0;
	char device[24];

	while (!job_over(j)) {
		if (mod_events(ASK_MS, on_event, j) <= 0)
			job_ask(j, now_ms() - begun);
		if (now_ms() - begun > DEADLINE_MS)
			return complain("%s: not done after %d s; it goes on, see 'pvmctl devices'",
					j->verb, DEADLINE_MS / 1000);
	}
	for (i = 0; i < j->functions; i++) {
		if (!j->f[i].failed)
			continue;
		pci_address_text(j->f[i].at.domain, j->f[i].at.bus, j->f[i].at.devfn, device,
				 sizeof(device));
		complain("%s: %s failed", device, j->verb);
		failed++;
	}
	return failed ? EXIT_FAILED : EXIT_DONE;
}

/* All functions of the slots that the words mean. */
static int job_collect(struct job *j, char **words, int count)
{
	struct pci_address found[FUNCTIONS];
	char why[WHY_BYTES];
	int i, k, n;

	for (i = 0; i < count; i++) {
		n = find_functions(words[i], found, FUNCTIONS, why);
		if (n < 0)
			return complain("%s", why), -1;
		for (k = 0; k < n; k++) {
			if (job_find(j, found[k].domain, found[k].bus, found[k].devfn) >= 0)
				continue;
			if (j->functions == FUNCTIONS)
				return complain("more than %d functions", FUNCTIONS), -1;
			j->f[j->functions++].at = found[k];
		}
	}
	return 0;
}

static int job_run(struct job *j, int cmd, char **words, int count, const char *method)
{
	struct nl_msg *msg;
	int i;

	if (mod_connect(true) || job_collect(j, words, count) || mod_listen())
		return EXIT_FAILED;
	msg = mod_request(cmd);
	for (i = 0; i < count; i++)
		nla_put_string(msg, PASSVM_A_SELECTOR, words[i]);
	if (method)
		nla_put_string(msg, PASSVM_A_METHOD, method);
	if (mod_call(msg, NULL, NULL))
		return complain("%s: %s", j->verb, mod_error());
	return job_wait(j);
}

static void keep_slots(const struct job *j, struct pci_address *slots, int *count)
{
	int i, k;

	*count = 0;
	for (i = 0; i < j->functions; i++) {
		for (k = 0; k < *count; k++) {
			if (slots[k].domain == j->f[i].at.domain &&
			    slots[k].bus == j->f[i].at.bus &&
			    slots[k].devfn >> 3 == j->f[i].at.devfn >> 3)
				break;
		}
		if (k == *count)
			slots[(*count)++] = j->f[i].at;
	}
}

int cmd_claim(int argc, char **argv)
{
	static struct job j = { "claim", PASSVM_DEVICE_STATE_CLAIMED };
	bool persist = false;
	const struct option_row rows[] = { { "--persist", &persist }, {} };
	int n = options(argc, argv, rows, 1, 16), status, count;
	struct pci_address slots[FUNCTIONS];

	if (mod_connect(true))
		return EXIT_FAILED;
	if (persist) {
		if (job_collect(&j, argv + 1, n))
			return EXIT_FAILED;
		/* Before the claim, while their drivers can be seen. */
		keep_slots(&j, slots, &count);
		persist_note_drivers(slots, count);
	}
	status = job_run(&j, PASSVM_CMD_DEVICE_CLAIM, argv + 1, n, NULL);
	if (status == EXIT_DONE && persist)
		status = persist_add(slots, count);
	return status;
}

int cmd_release(int argc, char **argv)
{
	static struct job j = { "release", PASSVM_DEVICE_STATE_HOST };
	bool persist = false;
	const struct option_row rows[] = { { "--persist", &persist }, {} };
	int n = options(argc, argv, rows, 1, 16), status, count;
	struct pci_address slots[FUNCTIONS];

	status = job_run(&j, PASSVM_CMD_DEVICE_RELEASE, argv + 1, n, NULL);
	if (status == EXIT_DONE && persist) {
		keep_slots(&j, slots, &count);
		status = persist_remove(slots, count);
	}
	return status;
}

int cmd_reset(int argc, char **argv)
{
	static struct job j = { "reset", 0 };
	const char *method = NULL;
	const struct option_row rows[] = { { "--method", NULL, &method }, {} };

	options(argc, argv, rows, 1, 1);
	if (method && strlen(method) > 15)
		usage("--method: '%s' is no reset method", method);
	return job_run(&j, PASSVM_CMD_DEVICE_RESET, argv + 1, 1, method);
}
