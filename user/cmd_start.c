// SPDX-License-Identifier: GPL-2.0-only
/*
 * start: from a configuration to a running VM.
 *
 * Everything is opened and checked first; then the module is told, and does the
 * rest as one transaction that rolls back by itself. Until it has succeeded the
 * VM hangs on the descriptor held here, so a pvmctl that dies leaves nothing.
 *
 * World:   user
 * Context: one thread
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "names.h"
#include "nl.h"
#include "out.h"
#include "pvmctl.h"
#include "start.h"
#include "wait.h"

#define START_QUIET_MS	120000	/* so long without any event: something is stuck */

void start_step(struct start *s, const char *step, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (json) {
		if (!s->plan)
			return;
		json_open(NULL, '{');
		json_text("step", step);
		json_text("text", text);
		json_close();
	} else if (s->plan) {
		printf("  %-10s %s\n", step, text);
	}
}

/* --- telling the module ----------------------------------------------------- */

static void on_new(const struct answer *a, void *arg)
{
	struct start *s = arg;
	struct boot_map *map = &s->request.map;
	struct nlattr *n, *r[PASSVM_A_RANGE_MAX + 1];
	int left;

	s->id = answer_u32(a, PASSVM_A_ID);
	s->handle_fd = answer_s32(a, PASSVM_A_FD);
	memset(map, 0, sizeof(*map));
	map->rsdp_gpa = answer_u64(a, PASSVM_A_RSDP_GPA);
	nlmsg_for_each_attr(n, a->nlh, GENL_HDRLEN, left) {
		if (nla_type(n) != PASSVM_A_RANGE || map->ranges == BOOT_RANGES ||
		    nla_parse_nested(r, PASSVM_A_RANGE_MAX, n, NULL) || !r[PASSVM_A_RANGE_GPA] ||
		    !r[PASSVM_A_RANGE_BYTES] || !r[PASSVM_A_RANGE_TYPE])
			continue;
		map->range[map->ranges++] = (struct boot_range){
			nla_get_u64(r[PASSVM_A_RANGE_GPA]), nla_get_u64(r[PASSVM_A_RANGE_BYTES]),
			nla_get_u32(r[PASSVM_A_RANGE_TYPE]) };
	}
}

static struct nl_msg *vm_request(struct start *s, int cmd)
{
	struct nl_msg *msg = mod_request(cmd);

	nla_put_string(msg, PASSVM_A_NAME, s->conf.name);
	return msg;
}

static int tell(struct start *s, const char *what, struct nl_msg *msg)
{
	int err = mod_call(msg, NULL, NULL);

	if (err)
		complain("%s: %s: %s", s->conf.name, what, mod_error());
	return err;
}

static int tell_new(struct start *s)
{
	struct nl_msg *msg = vm_request(s, PASSVM_CMD_VM_NEW);
	uint32_t i;

	nla_put_u32(msg, PASSVM_A_CPUS, s->conf.cpus);
	nla_put_u64(msg, PASSVM_A_MEMORY_BYTES, s->conf.memory_bytes);
	if (s->conf.unsafe_interrupts)
		nla_put_u32(msg, PASSVM_A_FLAGS, PASSVM_VM_FLAG_UNSAFE_INTERRUPTS);
	if (s->conf.debug_exit_port)
		nla_put_u16(msg, PASSVM_A_DEBUG_EXIT_PORT, s->conf.debug_exit_port);
	for (i = 0; i < s->conf.cpus; i++)
		nla_put_s32(msg, PASSVM_A_PIN, s->conf.pin[i]);
	if (s->kvm_fd >= 0)
		nla_put_s32(msg, PASSVM_A_KVM_FD, s->kvm_fd);
	if (mod_call(msg, on_new, s))
		return complain("%s: %s", s->conf.name, mod_error());
	if (s->handle_fd < 0 || !s->request.map.ranges)
		return complain("%s: the module gave an incomplete answer", s->conf.name);
	fcntl(s->handle_fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

static int tell_blob(struct start *s, const struct boot_piece *p)
{
	uint64_t done, n;

	for (done = 0; done < p->bytes; done += n) {
		struct nl_msg *msg = vm_request(s, PASSVM_CMD_VM_BLOB);

		n = p->bytes - done < PASSVM_BLOB_MAX ? p->bytes - done : PASSVM_BLOB_MAX;
		nla_put_u64(msg, PASSVM_A_GPA, p->gpa + done);
		nla_put(msg, PASSVM_A_DATA, n, (char *)p->data + done);
		if (tell(s, p->what, msg))
			return -1;
	}
	return 0;
}

static int tell_boot(struct start *s)
{
	struct boot *b = &s->boot;
	struct nl_msg *msg;
	uint32_t i;

	for (i = 0; i < b->pieces; i++) {
		const struct boot_piece *p = &b->piece[i];

		if (!p->file) {
			if (tell_blob(s, p))
				return -1;
			continue;
		}
		msg = vm_request(s, PASSVM_CMD_VM_LOAD);
		nla_put_s32(msg, PASSVM_A_FD, p->file->fd);
		nla_put_u64(msg, PASSVM_A_OFFSET_BYTES, p->offset_bytes);
		nla_put_u64(msg, PASSVM_A_BYTES, p->bytes);
		nla_put_u64(msg, PASSVM_A_GPA, p->gpa);
		if (tell(s, p->what, msg))
			return -1;
	}
	msg = vm_request(s, PASSVM_CMD_VM_ENTRY);
	nla_put_u32(msg, PASSVM_A_ENTRY_MODE, b->entry_mode);
	nla_put_u64(msg, PASSVM_A_RIP, b->rip);
	nla_put_u64(msg, PASSVM_A_RAX, b->rax);
	nla_put_u64(msg, PASSVM_A_RBX, b->rbx);
	nla_put_u64(msg, PASSVM_A_RSI, b->rsi);
	if (b->entry_mode == PASSVM_ENTRY_MODE_LONG64)
		nla_put_u64(msg, PASSVM_A_TABLES_GPA, b->tables_gpa);
	return tell(s, "entry", msg);
}

static int tell_disks(struct start *s)
{
	struct nl_msg *msg;
	uint32_t i;

	for (i = 0; i < s->conf.disks; i++) {
		const struct conf_disk *d = &s->conf.disk[i];

		msg = vm_request(s, PASSVM_CMD_VM_DISK);
		nla_put_s32(msg, PASSVM_A_FD, s->disk_fd[i]);
		if (d->readonly)
			nla_put_flag(msg, PASSVM_A_READONLY);
		if (d->serial)
			nla_put_string(msg, PASSVM_A_SERIAL, d->serial);
		if (tell(s, d->path, msg))
			return -1;
	}
	return 0;
}

static int tell_parts(struct start *s)
{
	struct nl_msg *msg;
	uint32_t i;
	int j;

	if (tell_disks(s))
		return -1;
	for (i = 0; i < s->conf.nets; i++) {
		msg = vm_request(s, PASSVM_CMD_VM_NET);
		nla_put_s32(msg, PASSVM_A_FD, s->net[i].fd);
		nla_put(msg, PASSVM_A_MAC, 6, s->conf.net[i].mac);
		if (s->net[i].offloads)
			nla_put_flag(msg, PASSVM_A_OFFLOADS);
		if (tell(s, "net", msg))
			return -1;
	}
	for (j = 0; j < s->functions; j++) {
		msg = vm_request(s, PASSVM_CMD_VM_DEVICE);
		nla_put_u32(msg, PASSVM_A_DOMAIN, s->function[j].domain);
		nla_put_u32(msg, PASSVM_A_BUS, s->function[j].bus);
		nla_put_u32(msg, PASSVM_A_DEVFN, s->function[j].devfn);
		if (tell(s, "device", msg))
			return -1;
	}
	if (s->serial_fd < 0)
		return 0;
	msg = vm_request(s, PASSVM_CMD_VM_SERIAL);
	nla_put_s32(msg, PASSVM_A_FD, s->serial_fd);
	return tell(s, "serial", msg);
}

/* Where KVM owns SVM or VMX, a VM of it keeps the mode on. */
static void on_info(const struct answer *a, void *arg)
{
	struct start *s = arg;
	int kvm;

	if (strcmp(answer_text(a, PASSVM_A_OWNER), "kvm"))
		return;
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return;		/* the module says what is wrong */
	s->kvm_fd = ioctl(kvm, KVM_CREATE_VM, 0);
	close(kvm);
}

/* --- the module starts it --------------------------------------------------- */

struct progress {
	struct start *s;
	bool over, failed;
	char reason[512];
};

static void on_event(const struct answer *a, void *arg)
{
	struct progress *p = arg;
	const char *reason = answer_text(a, PASSVM_A_REASON);
	uint32_t state = answer_u32(a, PASSVM_A_STATE);

	if (!a->attrs[PASSVM_A_ID] || answer_u32(a, PASSVM_A_ID) != p->s->id)
		return;
	if (answer_u32(a, PASSVM_A_NOTICE) == PASSVM_NOTICE_STEP) {
		const char *took = time_text(answer_u64(a, PASSVM_A_TOOK_NS));

		if (json) {
			json_open(NULL, '{');
			json_text("step", answer_text(a, PASSVM_A_STEP));
			json_text("text", reason);
			json_unsigned("took_ns", answer_u64(a, PASSVM_A_TOOK_NS));
			json_number("error", answer_s32(a, PASSVM_A_ERROR));
			json_close();
		} else if (answer_s32(a, PASSVM_A_ERROR)) {
			printf("  %-10s %10s  failed: %s\n", answer_text(a, PASSVM_A_STEP), took,
			       reason);
		} else {
			printf("  %-10s %10s  %s\n", answer_text(a, PASSVM_A_STEP), took, reason);
		}
		fflush(stdout);
	}
	if (answer_s32(a, PASSVM_A_ERROR) && !p->reason[0])
		snprintf(p->reason, sizeof(p->reason), "%s", reason);
	if (answer_u32(a, PASSVM_A_NOTICE) != PASSVM_NOTICE_STATE)
		return;
	if (state != PASSVM_STATE_BUILD && state != PASSVM_STATE_STARTING)
		p->over = true;
	if (state == PASSVM_STATE_FAILED) {
		p->failed = true;
		if (!p->reason[0])
			snprintf(p->reason, sizeof(p->reason), "%s", reason);
	}
}

static int run_start(struct start *s)
{
	struct progress p = { .s = s };
	uint64_t heard = now_ms();
	struct vm_state now;
	int n;

	if (mod_listen() || mod_simple(PASSVM_CMD_VM_START, s->conf.name))
		return -1;
	while (!p.over) {
		n = mod_events(500, on_event, &p);
		if (n > 0)
			heard = now_ms();
		if (n > 0 || p.over)
			continue;
		/* An event may have been lost: ask. */
		if (vm_state(s->conf.name, s->id, &now)) {
			p.over = p.failed = true;
			snprintf(p.reason, sizeof(p.reason), "the VM is gone");
		} else if (now.state != PASSVM_STATE_STARTING) {
			mod_events(0, on_event, &p);
			p.over = true;
			p.failed = now.state == PASSVM_STATE_FAILED;
			if (!p.reason[0])
				snprintf(p.reason, sizeof(p.reason), "%s", now.reason);
		} else if (now_ms() - heard > START_QUIET_MS) {
			return complain("%s: no progress for %d s, but the start goes on",
					s->conf.name, START_QUIET_MS / 1000);
		}
	}
	if (p.failed) {
		complain("%s: not started, everything is as before: %s", s->conf.name, p.reason);
		return -1;
	}
	return 0;
}

/* Says what --plan can know only from the module; true if the start would be refused. */
static bool plan_module(struct start *s)
{
	struct vm_state now;
	bool bad = false;

	if (mod_connect(true))
		return true;
	if (!vm_state(s->conf.name, 0, &now) && now.state != PASSVM_STATE_ENDED &&
	    now.state != PASSVM_STATE_FAILED) {
		complain("%s: a VM of this name is %s", s->conf.name,
			 name_of(state_names, now.state));
		bad = true;
	}
	return devices_not_claimed(s->function, s->functions) || bad;
}

static int plan(struct start *s)
{
	uint32_t i;
	bool bad;

	for (i = 0; i < s->boot.pieces; i++) {
		const struct boot_piece *p = &s->boot.piece[i];

		start_step(s, "load", "%s, %s at 0x%llx", p->what, size_text(p->bytes),
			   (unsigned long long)p->gpa);
	}
	start_step(s, "entry", "%s at 0x%llx", s->boot.protocol, (unsigned long long)s->boot.rip);
	start_step(s, "run", "%u vCPU%s", s->conf.cpus, s->conf.cpus == 1 ? "" : "s");
	bad = plan_module(s);
	if (json)
		json_close();
	return bad ? EXIT_FAILED : EXIT_DONE;
}

static int begin(struct start *s, const char *path)
{
	s->serial_fd = s->kvm_fd = s->handle_fd = -1;
	if (!conf_read(path, &s->conf))
		return -1;
	if (s->plan && json)
		json_open(NULL, '[');
	else if (!json)
		printf("%s %s from %s\n", s->plan ? "would start" : "starting", s->conf.name, path);
	fflush(stdout);
	start_step(s, "memory", "%s", size_text(s->conf.memory_bytes));
	if (!start_prepare(s))
		return 0;
	if (s->plan && json)
		json_close();
	return -1;
}

int cmd_start(int argc, char **argv)
{
	static struct start s;
	bool console = false, wait = false, later = false;
	const char *cdrom = NULL;
	const struct option_row rows[] = {
		{ "--plan", &s.plan }, { "--console", &console }, { "--wait", &wait },
		{ "--no-devices", &s.no_devices }, { "--no-net", &s.no_net },
		{ "--require-fresh", &later }, { "--throwaway", &later },
		{ "--cdrom", NULL, &cdrom }, {} };
	char why[WHY_BYTES], *path;

	options(argc, argv, rows, 1, 1);
	if (later || cdrom)
		return complain("--cdrom, --require-fresh, --throwaway: not in this version");
	path = conf_find(argv[1]);
	if (!path || begin(&s, path))
		return EXIT_FAILED;
	if (s.plan)
		return plan(&s);
	if (mod_connect(true) || devices_not_claimed(s.function, s.functions))
		return EXIT_FAILED;
	if (mod_call(mod_request(PASSVM_CMD_GET_INFO), on_info, &s))
		return complain("%s", mod_error());
	if (tell_new(&s))
		return EXIT_FAILED;
	/* Again, with the memory map as the module has it. */
	boot_free(&s.boot);
	if (!boot_load(&s.request, &s.boot, why, sizeof(why)))
		return complain("%s:%d: %s", path, s.conf.kernel_line, why);
	if (tell_boot(&s) || tell_parts(&s) || run_start(&s))
		return EXIT_FAILED;
	if (json) {
		json_open(NULL, '{');
		json_text("name", s.conf.name);
		json_unsigned("id", s.id);
		json_text("state", "running");
		json_close();
	} else {
		printf("%s runs\n", s.conf.name);
	}
	fflush(stdout);
	close(s.handle_fd);
	if (console)
		return console_until_end(s.conf.name, s.id, true);
	return wait ? wait_for_end(s.conf.name, s.id) : EXIT_DONE;
}
