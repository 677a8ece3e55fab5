// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM from outside: its state, its console, its end.
 *
 * World:   user
 * Context: one thread
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "names.h"
#include "nl.h"
#include "pci.h"
#include "pvmctl.h"
#include "wait.h"

#define LEAVE_KEY	0x1d	/* Ctrl-] */
#define ASK_MS		1000	/* how often to ask, in case an event was lost */

static void on_state(const struct answer *a, void *arg)
{
	struct vm_state *s = arg;

	s->id = answer_u32(a, PASSVM_A_ID);
	s->state = answer_u32(a, PASSVM_A_STATE);
	s->end = answer_u32(a, PASSVM_A_END);
	s->end_value = answer_u32(a, PASSVM_A_END_VALUE);
	s->resets = answer_u32(a, PASSVM_A_RESETS);
	snprintf(s->reason, sizeof(s->reason), "%s", answer_text(a, PASSVM_A_REASON));
}

int vm_state(const char *name, uint32_t id, struct vm_state *s)
{
	struct nl_msg *msg = mod_request(PASSVM_CMD_VM_GET);

	memset(s, 0, sizeof(*s));
	nla_put_string(msg, PASSVM_A_NAME, name);
	if (mod_call(msg, on_state, s))
		return -1;
	return id && s->id != id ? -1 : 0;
}

bool vm_has_ended(const struct vm_state *s, const void *arg)
{
	(void)arg;
	return s->state == PASSVM_STATE_ENDED || s->state == PASSVM_STATE_FAILED;
}

int vm_wait(const char *name, uint32_t id, uint64_t wait_ms,
	    bool (*done)(const struct vm_state *s, const void *arg), const void *arg,
	    struct vm_state *s)
{
	uint64_t end = now_ms() + wait_ms, now;

	for (;;) {
		if (vm_state(name, id, s))
			return -1;
		if (done(s, arg))
			return 1;
		now = now_ms();
		if (wait_ms && now >= end)
			return 0;
		mod_events(wait_ms && end - now < ASK_MS ? (int)(end - now) : ASK_MS, NULL, NULL);
	}
}

int say_end(const char *name, const struct vm_state *s)
{
	const char *reason = s->reason[0] ? s->reason : "no reason is known";

	switch (s->end) {
	case PASSVM_END_POWEROFF:
		fprintf(stderr, "%s: %s\n", name, s->reason[0] ? s->reason : "switched itself off");
		return EXIT_DONE;
	case PASSVM_END_DEBUG:
		return (s->end_value << 1 | 1) & 0xff;
	case PASSVM_END_KILL:
		fprintf(stderr, "%s: killed: %s\n", name, reason);
		return EXIT_KILLED;
	default:
		fprintf(stderr, "%s: crashed: %s\n", name, reason);
		return EXIT_CRASH;
	}
}

int wait_for_end(const char *name, uint32_t id)
{
	struct vm_state s;

	if (mod_listen())
		return EXIT_FAILED;
	if (vm_wait(name, id, 0, vm_has_ended, NULL, &s) < 0)
		return complain("%s: the VM is gone, and with it how it ended", name);
	return say_end(name, &s);
}

/* --- console ----------------------------------------------------------------- */

static struct termios cooked;
static bool raw;

static void restore_terminal(void)
{
	if (raw)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &cooked);
	raw = false;
}

static void on_signal(int number)
{
	restore_terminal();
	_exit(128 + number);
}

static void make_raw(void)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	struct termios t;
	size_t i;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &cooked))
		return;
	t = cooked;
	cfmakeraw(&t);
	atexit(restore_terminal);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], on_signal);
	raw = !tcsetattr(STDIN_FILENO, TCSAFLUSH, &t);
	fprintf(stderr, "(leave the console with Ctrl-])\r\n");
}

static bool write_all(int fd, const char *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, 1000);
			continue;
		}
		if (n <= 0)
			return false;
		data += n;
		bytes -= n;
	}
	return true;
}

/* Carries bytes until the VM ends (true) or the user leaves (false). */
static bool carry(int console)
{
	struct pollfd p[2] = { { .fd = console, .events = POLLIN },
			       { .fd = STDIN_FILENO, .events = POLLIN } };
	char data[4096];
	ssize_t n;

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return false;
		if (p[0].revents) {
			n = read(console, data, sizeof(data));
			if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
				return true;
			if (n > 0 && !write_all(STDOUT_FILENO, data, n))
				return false;
		}
		if (p[1].revents) {
			char *leave;

			n = read(STDIN_FILENO, data, sizeof(data));
			if (n <= 0) {
				p[1].fd = -1;	/* no more input; output goes on */
				continue;
			}
			leave = raw ? memchr(data, LEAVE_KEY, n) : NULL;
			if (!write_all(console, data, leave ? leave - data : n) && !leave)
				p[1].fd = -1;
			if (leave)
				return false;
		}
	}
}

static void on_console(const struct answer *a, void *arg)
{
	*(int *)arg = answer_s32(a, PASSVM_A_FD);
}

int console_until_end(const char *name, uint32_t id, bool status)
{
	struct nl_msg *msg = mod_request(PASSVM_CMD_VM_CONSOLE);
	struct vm_state s;
	int fd = -1;

	nla_put_string(msg, PASSVM_A_NAME, name);
	if (mod_call(msg, on_console, &fd) || fd < 0) {
		/* It may have ended before we came. */
		if (status && !vm_state(name, id, &s) && vm_has_ended(&s, NULL))
			return say_end(name, &s);
		return complain("%s: console: %s", name, mod_error());
	}
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	make_raw();
	if (!carry(fd)) {
		restore_terminal();
		fprintf(stderr, "\n%s runs on\n", name);
		return EXIT_DONE;
	}
	restore_terminal();
	close(fd);
	return status ? wait_for_end(name, id) : EXIT_DONE;
}

/* --- devices ------------------------------------------------------------------ */

static void on_device(const struct answer *a, void *arg)
{
	*(uint32_t *)arg = answer_u32(a, PASSVM_A_DEVICE_STATE);
}

bool devices_not_claimed(const struct pci_address *f, int count)
{
	bool bad = false;
	char text[24];
	int i;

	for (i = 0; i < count; i++) {
		struct nl_msg *msg = mod_request(PASSVM_CMD_DEVICE_GET);
		uint32_t state = 0;

		pci_address_text(f[i].domain, f[i].bus, f[i].devfn, text, sizeof(text));
		nla_put_u32(msg, PASSVM_A_DOMAIN, f[i].domain);
		nla_put_u32(msg, PASSVM_A_BUS, f[i].bus);
		nla_put_u32(msg, PASSVM_A_DEVFN, f[i].devfn);
		if (mod_call(msg, on_device, &state)) {
			complain("device %s: %s", text, mod_error());
		} else if (state == PASSVM_DEVICE_STATE_CLAIMED) {
			continue;
		} else if (state == PASSVM_DEVICE_STATE_HOST) {
			complain("device %s is in the host's use; claim it first: pvmctl claim %s",
				 text, text);
		} else {
			complain("device %s is %s", text, name_of(device_state_names, state));
		}
		bad = true;
	}
	return bad;
}
