// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs for VMs that are there.
 *
 * World:   user
 * Context: one thread
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "nl.h"
#include "out.h"
#include "pci.h"
#include "pvmctl.h"
#include "wait.h"
#include "words.h"

#define COMMAND_WAIT_MS	60000	/* pause, resume, kill: no guest is asked, but memory is wiped */

/* Events from now on, and the VM's present state. 0 or -1, having complained. */
static int look_at(const char *name, struct vm_state *s)
{
	if (mod_connect(true) || mod_listen())
		return -1;
	if (vm_state(name, 0, s))
		return complain("%s", mod_error()), -1;
	return 0;
}

static void say(const char *name, const struct vm_state *s, const char *text)
{
	if (!json) {
		printf("%s: %s\n", name, text);
		return;
	}
	json_open(NULL, '{');
	json_text("name", name);
	json_unsigned("id", s->id);
	json_text("state", name_of(state_names, s->state));
	json_text("end", name_of(end_names, s->end));
	json_text("text", text);
	json_close();
}

int cmd_stop(int argc, char **argv)
{
	const char *timeout = NULL;
	const struct option_row rows[] = { { "--timeout", NULL, &timeout }, {} };
	uint64_t begun, seconds = 60;
	char text[384];
	struct vm_state s;
	int n;

	options(argc, argv, rows, 1, 1);
	if (timeout && !parse_number(timeout, 86400, &seconds))
		usage("--timeout: '%s' is no number of seconds", timeout);
	if (look_at(argv[1], &s) || mod_simple(PASSVM_CMD_VM_STOP, argv[1]))
		return EXIT_FAILED;
	begun = now_ms();
	/* 0 would mean for ever. */
	n = vm_wait(argv[1], s.id, seconds ? seconds * 1000 : 1, vm_has_ended, NULL, &s);
	if (n < 0)
		return complain("%s: the VM is gone", argv[1]);
	if (!n)
		return complain(
			"%s: the guest still runs after %llu s; 'pvmctl kill %s' ends it",
			argv[1], (unsigned long long)seconds, argv[1]);
	snprintf(text, sizeof(text), "%s after %s%s%s",
		 s.end == PASSVM_END_POWEROFF ? "switched itself off" : "ended",
		 time_text((now_ms() - begun) * 1000000),
		 s.end == PASSVM_END_POWEROFF || !s.reason[0] ? "" : ": ",
		 s.end == PASSVM_END_POWEROFF ? "" : s.reason);
	say(argv[1], &s, text);
	return EXIT_DONE;
}

static bool was_reset(const struct vm_state *s, const void *arg)
{
	return s->resets != *(const uint32_t *)arg || vm_has_ended(s, NULL);
}

static bool is_in(const struct vm_state *s, const void *arg)
{
	return s->state == *(const uint32_t *)arg || vm_has_ended(s, NULL);
}

/* A command whose outcome is seen in the VM's state. */
static int command(int argc, char **argv, int cmd,
		   bool (*done)(const struct vm_state *s, const void *arg), uint32_t state,
		   const char *text)
{
	struct vm_state s;
	uint32_t arg;
	int n;

	options(argc, argv, NULL, 1, 1);
	if (look_at(argv[1], &s))
		return EXIT_FAILED;
	arg = done == was_reset ? s.resets : state;
	if (mod_simple(cmd, argv[1]))
		return EXIT_FAILED;
	n = vm_wait(argv[1], s.id, COMMAND_WAIT_MS, done, &arg, &s);
	if (n < 0)
		return complain("%s: the VM is gone", argv[1]);
	if (!n)
		return complain("%s: accepted, but not done after %d s; see 'pvmctl status %s'",
				argv[1], COMMAND_WAIT_MS / 1000, argv[1]);
	if (vm_has_ended(&s, NULL) && done != vm_has_ended)
		return complain("%s: the VM ended: %s", argv[1], s.reason);
	say(argv[1], &s, text);
	return EXIT_DONE;
}

int cmd_reboot(int argc, char **argv)
{
	return command(argc, argv, PASSVM_CMD_VM_REBOOT, was_reset, 0, "was reset");
}

int cmd_kill(int argc, char **argv)
{
	return command(argc, argv, PASSVM_CMD_VM_KILL, vm_has_ended, 0, "killed");
}

int cmd_pause(int argc, char **argv)
{
	return command(argc, argv, PASSVM_CMD_VM_PAUSE, is_in, PASSVM_STATE_PAUSED, "paused");
}

int cmd_resume(int argc, char **argv)
{
	return command(argc, argv, PASSVM_CMD_VM_RESUME, is_in, PASSVM_STATE_RUNNING, "runs again");
}

int cmd_console(int argc, char **argv)
{
	struct vm_state s;

	options(argc, argv, NULL, 1, 1);
	if (mod_connect(true))
		return EXIT_FAILED;
	if (vm_state(argv[1], 0, &s))
		return complain("%s", mod_error());
	return console_until_end(argv[1], s.id, false);
}

/* --- list and status ---------------------------------------------------------- */

/* How a VM ended, for people; "" if it has not. */
static const char *ended_text(const struct answer *a)
{
	static char text[256];
	uint32_t end = answer_u32(a, PASSVM_A_END);

	if (end == PASSVM_END_NONE && answer_u32(a, PASSVM_A_STATE) != PASSVM_STATE_FAILED)
		return "";
	if (end == PASSVM_END_DEBUG)
		snprintf(text, sizeof(text), "debug-exit, value 0x%x",
			 answer_u32(a, PASSVM_A_END_VALUE));
	else if (end == PASSVM_END_NONE)
		snprintf(text, sizeof(text), "%s", answer_text(a, PASSVM_A_REASON));
	else
		snprintf(text, sizeof(text), "%s: %s", name_of(end_names, end),
			 answer_text(a, PASSVM_A_REASON));
	return text;
}

/* Calls @fn with the address of each function passed through. */
static void each_device(const struct answer *a, void (*fn)(const char *address))
{
	struct nlattr *n, *d[PASSVM_A_DEVICE_MAX + 1];
	char text[24];
	int left;

	nlmsg_for_each_attr(n, a->nlh, GENL_HDRLEN, left) {
		if (nla_type(n) != PASSVM_A_DEVICE ||
		    nla_parse_nested(d, PASSVM_A_DEVICE_MAX, n, NULL) ||
		    !d[PASSVM_A_DEVICE_DOMAIN] || !d[PASSVM_A_DEVICE_BUS] ||
		    !d[PASSVM_A_DEVICE_DEVFN])
			continue;
		pci_address_text(nla_get_u32(d[PASSVM_A_DEVICE_DOMAIN]),
				 nla_get_u32(d[PASSVM_A_DEVICE_BUS]),
				 nla_get_u32(d[PASSVM_A_DEVICE_DEVFN]), text, sizeof(text));
		fn(text);
	}
}

static void device_json(const char *address)
{
	json_text(NULL, address);
}

static void device_row(const char *address)
{
	printf("device     %s\n", address);
}

static void vm_json(const struct answer *a)
{
	json_open(NULL, '{');
	json_text("name", answer_text(a, PASSVM_A_NAME));
	json_unsigned("id", answer_u32(a, PASSVM_A_ID));
	json_text("state", name_of(state_names, answer_u32(a, PASSVM_A_STATE)));
	json_text("end", name_of(end_names, answer_u32(a, PASSVM_A_END)));
	json_unsigned("end_value", answer_u32(a, PASSVM_A_END_VALUE));
	json_text("reason", answer_text(a, PASSVM_A_REASON));
	json_unsigned("cpus", answer_u32(a, PASSVM_A_CPUS));
	json_unsigned("memory_bytes", answer_u64(a, PASSVM_A_MEMORY_BYTES));
	json_unsigned("kernel_bytes", answer_u64(a, PASSVM_A_KERNEL_BYTES));
	json_unsigned("large_pages", answer_u64(a, PASSVM_A_LARGE_PAGES));
	json_unsigned("small_pages", answer_u64(a, PASSVM_A_SMALL_PAGES));
	json_unsigned("running_ns", answer_u64(a, PASSVM_A_RUNNING_NS));
	json_unsigned("resets", answer_u32(a, PASSVM_A_RESETS));
	json_unsigned("disks", answer_u32(a, PASSVM_A_DISKS));
	json_unsigned("nets", answer_u32(a, PASSVM_A_NETS));
	json_text("vendor", answer_text(a, PASSVM_A_VENDOR));
	json_open("devices", '[');
	each_device(a, device_json);
	json_close();
	json_close();
}

static void list_row(const struct answer *a, void *arg)
{
	bool *any = arg;

	if (json) {
		vm_json(a);
		return;
	}
	if (!*any)
		printf("%-20s %-9s %4s %10s %12s  %s\n", "NAME", "STATE", "CPUS", "MEMORY",
		       "RUNNING", "ENDED");
	*any = true;
	printf("%-20s %-9s %4u %10s %12s  %s\n", answer_text(a, PASSVM_A_NAME),
	       name_of(state_names, answer_u32(a, PASSVM_A_STATE)), answer_u32(a, PASSVM_A_CPUS),
	       size_text(answer_u64(a, PASSVM_A_MEMORY_BYTES)),
	       time_text(answer_u64(a, PASSVM_A_RUNNING_NS)), ended_text(a));
}

int cmd_list(int argc, char **argv)
{
	bool any = false;
	int err;

	options(argc, argv, NULL, 0, 0);
	if (mod_connect(true))
		return EXIT_FAILED;
	if (json)
		json_open(NULL, '[');
	err = mod_dump(PASSVM_CMD_VM_GET, list_row, &any);
	if (json)
		json_close();
	else if (!err && !any)
		puts("no VM");
	return err ? complain("%s", mod_error()) : EXIT_DONE;
}

static void status_rows(const struct answer *a, void *arg)
{
	const char *ended = ended_text(a);

	(void)arg;
	if (json) {
		vm_json(a);
		return;
	}
	printf("name       %s\n", answer_text(a, PASSVM_A_NAME));
	printf("state      %s\n", name_of(state_names, answer_u32(a, PASSVM_A_STATE)));
	if (*ended)
		printf("ended      %s\n", ended);
	printf("cpus       %u (%s)\n", answer_u32(a, PASSVM_A_CPUS),
	       answer_text(a, PASSVM_A_VENDOR));
	printf("memory     %s (%llu pages of 2 MiB, %llu of 4 KiB)\n",
	       size_text(answer_u64(a, PASSVM_A_MEMORY_BYTES)),
	       (unsigned long long)answer_u64(a, PASSVM_A_LARGE_PAGES),
	       (unsigned long long)answer_u64(a, PASSVM_A_SMALL_PAGES));
	printf("beside it  %s of kernel memory\n", size_text(answer_u64(a, PASSVM_A_KERNEL_BYTES)));
	printf("running    %s, %u reboot%s\n", time_text(answer_u64(a, PASSVM_A_RUNNING_NS)),
	       answer_u32(a, PASSVM_A_RESETS), answer_u32(a, PASSVM_A_RESETS) == 1 ? "" : "s");
	printf("disks      %u\n", answer_u32(a, PASSVM_A_DISKS));
	printf("nets       %u\n", answer_u32(a, PASSVM_A_NETS));
	each_device(a, device_row);
}

int cmd_status(int argc, char **argv)
{
	struct nl_msg *msg;

	options(argc, argv, NULL, 1, 1);
	if (mod_connect(true))
		return EXIT_FAILED;
	msg = mod_request(PASSVM_CMD_VM_GET);
	nla_put_string(msg, PASSVM_A_NAME, argv[1]);
	return mod_call(msg, status_rows, NULL) ? complain("%s", mod_error()) : EXIT_DONE;
}

/* --- stats -------------------------------------------------------------------- */

static void stats_rows(const struct answer *a, void *arg)
{
	struct nlattr *n, *c[PASSVM_A_COUNTER_MAX + 1];
	int left;

	(void)arg;
	nlmsg_for_each_attr(n, a->nlh, GENL_HDRLEN, left) {
		const char *name;
		uint64_t value;

		if (nla_type(n) != PASSVM_A_COUNTER ||
		    nla_parse_nested(c, PASSVM_A_COUNTER_MAX, n, NULL) ||
		    !c[PASSVM_A_COUNTER_NAME] || !c[PASSVM_A_COUNTER_VALUE])
			continue;
		name = nla_get_string(c[PASSVM_A_COUNTER_NAME]);
		value = nla_get_u64(c[PASSVM_A_COUNTER_VALUE]);
		if (json)
			json_unsigned(name, value);
		else
			printf("%-32s %20llu\n", name, (unsigned long long)value);
	}
}

static int stats_of(const char *name, int vcpu)
{
	struct nl_msg *msg = mod_request(PASSVM_CMD_VM_STATS);

	nla_put_string(msg, PASSVM_A_NAME, name);
	if (vcpu >= 0)
		nla_put_u32(msg, PASSVM_A_VCPU, vcpu);
	return mod_call(msg, stats_rows, NULL);
}

static void on_cpus(const struct answer *a, void *arg)
{
	*(int *)arg = answer_u32(a, PASSVM_A_CPUS);
}

int cmd_stats(int argc, char **argv)
{
	bool vcpus = false;
	const struct option_row rows[] = { { "--vcpus", &vcpus }, {} };
	struct nl_msg *msg;
	int cpus = 0, i, err;

	options(argc, argv, rows, 1, 1);
	if (mod_connect(true))
		return EXIT_FAILED;
	msg = mod_request(PASSVM_CMD_VM_GET);
	nla_put_string(msg, PASSVM_A_NAME, argv[1]);
	if (mod_call(msg, on_cpus, &cpus))
		return complain("%s", mod_error());
	if (json) {
		json_open(NULL, '{');
		json_text("name", argv[1]);
		json_open("counters", '{');
	}
	err = stats_of(argv[1], -1);
	if (json) {
		json_close();
		json_open("vcpus", '[');
	}
	for (i = 0; !err && (vcpus || json) && i < cpus; i++) {
		if (json)
			json_open(NULL, '{');
		else
			printf("\nvCPU %d\n", i);
		err = stats_of(argv[1], i);
		if (json)
			json_close();
	}
	if (json) {
		json_close();
		json_close();
	}
	return err ? complain("%s", mod_error()) : EXIT_DONE;
}
