// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink interface under attack: truncated, wrong-typed, oversized, missing
 * and unknown attributes, descriptors that are none, callers without privilege,
 * builders that die, and random messages. Every refusal must have a sentence and
 * must leave everything as it was.
 *
 * World:   api tests, root, module loaded
 * Context: single-threaded
 */
#include "ktap.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "names.h"
#include "raw.h"

enum kind { TEXT, U16, U32, U64, S32, FLAG, BINARY };

struct attr_row {
	uint16_t attr;
	enum kind kind;
	uint32_t bytes;		/* BINARY: exact or most, TEXT: most characters */
};

#define NAME	{ PASSVM_A_NAME, TEXT, PASSVM_NAME_MAX }
#define FD	{ PASSVM_A_FD, S32 }

/* Every request and its attributes; the first @must of them are needed. */
static const struct op_row {
	const char *name;
	uint8_t cmd;
	bool admin;
	int must;
	struct attr_row attrs[10];
} ops[] = {
	{ "get-info", PASSVM_CMD_GET_INFO, false, 0, {} },
	{ "vm-new",
	  PASSVM_CMD_VM_NEW,
	  true,
	  3,
	  { NAME,
	    { PASSVM_A_CPUS, U32 },
	    { PASSVM_A_MEMORY_BYTES, U64 },
	    { PASSVM_A_FLAGS, U32 },
	    { PASSVM_A_DEBUG_EXIT_PORT, U16 },
	    { PASSVM_A_PIN, S32 },
	    { PASSVM_A_KVM_FD, S32 },
	    { PASSVM_A_UUID, BINARY, 16 } } },
	{ "vm-load",
	  PASSVM_CMD_VM_LOAD,
	  true,
	  4,
	  { NAME,
	    FD,
	    { PASSVM_A_BYTES, U64 },
	    { PASSVM_A_GPA, U64 },
	    { PASSVM_A_OFFSET_BYTES, U64 } } },
	{ "vm-blob",
	  PASSVM_CMD_VM_BLOB,
	  true,
	  3,
	  { NAME, { PASSVM_A_GPA, U64 }, { PASSVM_A_DATA, BINARY, PASSVM_BLOB_MAX } } },
	{ "vm-entry",
	  PASSVM_CMD_VM_ENTRY,
	  true,
	  2,
	  { NAME,
	    { PASSVM_A_ENTRY_MODE, U32 },
	    { PASSVM_A_RIP, U64 },
	    { PASSVM_A_RAX, U64 },
	    { PASSVM_A_RBX, U64 },
	    { PASSVM_A_RSI, U64 },
	    { PASSVM_A_RDI, U64 },
	    { PASSVM_A_RSP, U64 },
	    { PASSVM_A_TABLES_GPA, U64 } } },
	{ "vm-disk",
	  PASSVM_CMD_VM_DISK,
	  true,
	  2,
	  { NAME, FD, { PASSVM_A_READONLY, FLAG }, { PASSVM_A_SERIAL, TEXT, 20 } } },
	{ "vm-net",
	  PASSVM_CMD_VM_NET,
	  true,
	  3,
	  { NAME, FD, { PASSVM_A_MAC, BINARY, 6 }, { PASSVM_A_OFFLOADS, FLAG } } },
	{ "vm-device",
	  PASSVM_CMD_VM_DEVICE,
	  true,
	  3,
	  { NAME, { PASSVM_A_BUS, U32 }, { PASSVM_A_DEVFN, U32 }, { PASSVM_A_DOMAIN, U32 } } },
	{ "vm-serial", PASSVM_CMD_VM_SERIAL, true, 2, { NAME, FD } },
	{ "vm-start", PASSVM_CMD_VM_START, true, 1, { NAME } },
	{ "vm-stop", PASSVM_CMD_VM_STOP, true, 1, { NAME } },
	{ "vm-reboot", PASSVM_CMD_VM_REBOOT, true, 1, { NAME } },
	{ "vm-kill", PASSVM_CMD_VM_KILL, true, 1, { NAME } },
	{ "vm-pause", PASSVM_CMD_VM_PAUSE, true, 1, { NAME } },
	{ "vm-resume", PASSVM_CMD_VM_RESUME, true, 1, { NAME } },
	{ "vm-forget", PASSVM_CMD_VM_FORGET, true, 1, { NAME } },
	{ "vm-get", PASSVM_CMD_VM_GET, false, 1, { NAME } },
	{ "vm-stats", PASSVM_CMD_VM_STATS, true, 1, { NAME, { PASSVM_A_VCPU, U32 } } },
	{ "vm-console", PASSVM_CMD_VM_CONSOLE, true, 1, { NAME } },
	{ "device-get",
	  PASSVM_CMD_DEVICE_GET,
	  false,
	  2,
	  { { PASSVM_A_BUS, U32 }, { PASSVM_A_DEVFN, U32 }, { PASSVM_A_DOMAIN, U32 } } },
	{ "device-claim", PASSVM_CMD_DEVICE_CLAIM, true, 1, { { PASSVM_A_SELECTOR, TEXT, 47 } } },
	{ "device-release",
	  PASSVM_CMD_DEVICE_RELEASE,
	  true,
	  1,
	  { { PASSVM_A_SELECTOR, TEXT, 47 } } },
	{ "device-reset",
	  PASSVM_CMD_DEVICE_RESET,
	  true,
	  1,
	  { { PASSVM_A_SELECTOR, TEXT, 47 }, { PASSVM_A_METHOD, TEXT, 15 } } },
};

#define OPS	(sizeof(ops) / sizeof(ops[0]))

static struct raw r;
static uint8_t junk[RAW_BYTES];

static uint32_t size_of(const struct attr_row *a)
{
	switch (a->kind) {
	case U16: return 2;
	case U32: case S32: return 4;
	case U64: return 8;
	case FLAG: return 0;
	case BINARY: return a->bytes;
	default: return 3;	/* "x" would do; "zz" is no device */
	}
}

/* A value that passes the policy but names nothing that exists. */
static void put_good(const struct attr_row *a)
{
	static const uint8_t zeros[64];
	uint32_t one = 1;

	if (a->kind == TEXT)
		raw_text(&r, a->attr, "zz");
	else if (a->attr == PASSVM_A_FD || a->attr == PASSVM_A_KVM_FD)
		raw_u32(&r, a->attr, 99999);
	else if (a->attr == PASSVM_A_CPUS)
		raw_attr(&r, a->attr, &one, 4);
	else if (a->kind == BINARY)
		raw_attr(&r, a->attr, junk, a->attr == PASSVM_A_DATA ? 16 : a->bytes);
	else
		raw_attr(&r, a->attr, zeros, size_of(a));
}

static int vm_count(void)
{
	raw_begin(&r, r.family, PASSVM_CMD_VM_GET, NLM_F_DUMP);
	return raw_call(&r) ? -1 : (int)r.answers;
}

/* A refusal with a sentence. */
static void expect_refused(int err, const char *op, const char *what)
{
	expect_msg(err < 0 && err != -EAGAIN, "%s with %s: status %d", op, what, err);
	expect_msg(!err || r.text[0], "%s with %s: %d without a sentence", op, what, err);
}

static const char *attr_name(const struct attr_row *a)
{
	return attr_names[a->attr];
}

static void info(void)
{
	raw_begin(&r, r.family, PASSVM_CMD_GET_INFO, 0);
	expect_eq(raw_call(&r), 0);
	expect(raw_answer(&r, PASSVM_A_VERSION));
	if (expect(raw_answer(&r, PASSVM_A_ABI)))
		expect_eq(*(const uint32_t *)raw_answer(&r, PASSVM_A_ABI), PASSVM_ABI);
	expect(r.group != 0);
}

static void missing(void)
{
	size_t i;
	int skip, k;

	for (i = 0; i < OPS; i++) {
		for (skip = 0; skip < ops[i].must; skip++) {
			int err;

			raw_begin(&r, r.family, ops[i].cmd, 0);
			for (k = 0; k < ops[i].must; k++) {
				if (k != skip)
					put_good(&ops[i].attrs[k]);
			}
			err = raw_call(&r);
			expect_refused(err, ops[i].name, "an attribute missing");
			/* What is there may be refused first, e.g. a name that is none. */
			if (err == -EINVAL)
				expect_msg(strstr(r.text, "missing") && strstr(r.text,
					   attr_name(&ops[i].attrs[skip])), "%s without %s: %s",
					   ops[i].name, attr_name(&ops[i].attrs[skip]), r.text);
		}
	}
}

/* One attribute with a wrong length: @bytes of it, @claimed in its header. */
static void wrong_length(const struct op_row *op, int which, uint32_t bytes, uint32_t claimed)
{
	uint32_t at;
	int k, err;

	raw_begin(&r, r.family, op->cmd, 0);
	for (k = 0; k < op->must; k++) {
		if (k != which)
			put_good(&op->attrs[k]);
	}
	at = r.used;
	raw_attr_as(&r, op->attrs[which].attr, junk, bytes, claimed);
	err = raw_call(&r);
	expect_refused(err, op->name, attr_name(&op->attrs[which]));
	if (bytes == claimed)
		expect_msg(r.offset == (int)at, "%s: %s of %u bytes: culprit at %d, not %u: %s",
			   op->name, attr_name(&op->attrs[which]), bytes, r.offset, at, r.text);
}

static void lengths(void)
{
	size_t i;
	int k;

	for (i = 0; i < OPS; i++) {
		for (k = 0; k < 10 && ops[i].attrs[k].attr; k++) {
			const struct attr_row *a = &ops[i].attrs[k];
			uint32_t n = size_of(a);

			if (a->kind == TEXT) {
				wrong_length(&ops[i], k, 0, 0);
				wrong_length(&ops[i], k, a->bytes + 2, a->bytes + 2);
				wrong_length(&ops[i], k, 4, 4);		/* junk has no end */
				wrong_length(&ops[i], k, 60000, 60000);
			} else if (a->attr == PASSVM_A_DATA) {
				wrong_length(&ops[i], k, n + 1, n + 1);
				wrong_length(&ops[i], k, 65000, 65000);
			} else {
				if (n)
					wrong_length(&ops[i], k, n - 1, n - 1);
				if (n)
					wrong_length(&ops[i], k, 0, 0);
				wrong_length(&ops[i], k, n + 1, n + 1);
				wrong_length(&ops[i], k, n + 8, n + 8);
			}
			/* The header promises more than there is. */
			wrong_length(&ops[i], k, n, n + 100);
		}
	}
}

static void unknown_attributes(void)
{
	static const uint16_t types[] = { PASSVM_A_MAX + 1, 500, 0x3fff, PASSVM_A_STATE,
					  PASSVM_A_COUNTER | NLA_F_NESTED };
	size_t i, t;
	int k;

	for (i = 0; i < OPS; i++) {
		for (t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
			raw_begin(&r, r.family, ops[i].cmd, 0);
			for (k = 0; k < ops[i].must; k++)
				put_good(&ops[i].attrs[k]);
			raw_u32(&r, types[t], 0);
			expect_refused(raw_call(&r), ops[i].name, "an unknown attribute");
		}
	}
}

static void unknown_commands(void)
{
	int cmd;

	for (cmd = 0; cmd < 256; cmd++) {
		size_t i;

		for (i = 0; i < OPS && ops[i].cmd != cmd; i++)
			;
		if (i < OPS)
			continue;
		raw_begin(&r, r.family, cmd, 0);
		expect_eq(raw_call(&r), -EOPNOTSUPP);
	}
}

/* A message that ends inside its headers gets an error or nothing; the next one works. */
static void short_messages(void)
{
	struct nlmsghdr *h = (struct nlmsghdr *)r.out;
	struct timeval quick = { .tv_usec = 20000 }, slow = { .tv_sec = 10 };
	uint32_t n;

	setsockopt(r.sock, SOL_SOCKET, SO_RCVTIMEO, &quick, sizeof(quick));
	for (n = 1; n < NLMSG_LENGTH(GENL_HDRLEN) + 12; n++) {
		raw_begin(&r, r.family, PASSVM_CMD_VM_KILL, 0);
		raw_text(&r, PASSVM_A_NAME, "zz");
		r.used = n;
		h->nlmsg_len = n;
		expect(raw_call(&r) < 0);
		raw_begin(&r, r.family, PASSVM_CMD_VM_KILL, 0);
		raw_text(&r, PASSVM_A_NAME, "zz");
		h->nlmsg_len = 0xffffff00 + n;
		expect(raw_call(&r) < 0);
	}
	setsockopt(r.sock, SOL_SOCKET, SO_RCVTIMEO, &slow, sizeof(slow));
	expect(vm_count() >= 0);
}

/* --- building -------------------------------------------------------------------- */

static int new_vm(const char *name, int *fd)
{
	int err;

	raw_begin(&r, r.family, PASSVM_CMD_VM_NEW, 0);
	raw_text(&r, PASSVM_A_NAME, name);
	raw_u32(&r, PASSVM_A_CPUS, 1);
	raw_u64(&r, PASSVM_A_MEMORY_BYTES, 64 << 20);
	err = raw_call(&r);
	*fd = -1;
	if (!err && raw_answer(&r, PASSVM_A_FD))
		*fd = *(const int *)raw_answer(&r, PASSVM_A_FD);
	return err;
}

static void builder_closes(void)
{
	int before = vm_count(), fd, second;

	if (!expect_msg(!new_vm("api-a", &fd), "%s", r.text))
		return;
	expect(fd >= 0);
	expect(raw_answer(&r, PASSVM_A_RANGE) && raw_answer(&r, PASSVM_A_RSDP_GPA));
	expect_eq(vm_count(), before + 1);
	expect_eq(new_vm("api-a", &second), -EEXIST);
	expect(strstr(r.text, "name:") == r.text);
	expect(fcntl(fd, F_GETFD) >= 0);
	close(fd);
	expect_eq(vm_count(), before);
}

/* Waits up to two seconds for the number of VMs to be @n. */
static bool vm_count_becomes(int n)
{
	int i;

	for (i = 0; i < 100 && vm_count() != n; i++)
		usleep(20000);
	return vm_count() == n;
}

static void builder_dies(void)
{
	int before = vm_count(), i, fd, status;
	struct raw child;
	pid_t pid;

	for (i = 0; i < 20; i++) {
		pid = fork();
		if (!pid) {
			if (!raw_open(&child))
				_exit(1);
			r = child;
			if (new_vm("api-b", &fd))
				_exit(2);
			kill(getpid(), SIGKILL);
		}
		waitpid(pid, &status, 0);
		expect(WIFSIGNALED(status));
		expect(vm_count_becomes(before));
	}
}

/* Descriptors that are closed, of the wrong kind, or in the wrong mode. */
static void descriptors(void)
{
	static const uint8_t cmds[] = { PASSVM_CMD_VM_LOAD, PASSVM_CMD_VM_DISK, PASSVM_CMD_VM_NET,
					PASSVM_CMD_VM_SERIAL };
	int vm, fds[8], pipes[2], n = 0, i;
	size_t c;

	if (!expect(!new_vm("api-c", &vm)) || !expect(!pipe(pipes)))
		return;
	fds[n++] = 99999;
	fds[n++] = 0x7fffffff;
	fds[n++] = open("/", O_RDONLY | O_DIRECTORY);
	fds[n++] = open("/", O_PATH);
	fds[n++] = pipes[0];
	fds[n++] = r.sock;
	fds[n++] = vm;
	for (c = 0; c < sizeof(cmds); c++) {
		for (i = 0; i < n; i++) {
			int err;

			raw_begin(&r, r.family, cmds[c], 0);
			raw_text(&r, PASSVM_A_NAME, "api-c");
			raw_u32(&r, PASSVM_A_FD, fds[i]);
			if (cmds[c] == PASSVM_CMD_VM_LOAD) {
				raw_u64(&r, PASSVM_A_BYTES, 4096);
				raw_u64(&r, PASSVM_A_GPA, 0x100000);
			}
			if (cmds[c] == PASSVM_CMD_VM_NET)
				raw_attr(&r, PASSVM_A_MAC, "\x52\x54\x00\x00\x00\x01", 6);
			err = raw_call(&r);
			expect_refused(err, "vm-load/disk/net/serial", "a bad descriptor");
		}
	}
	close(fds[2]);
	close(fds[3]);
	close(pipes[0]);
	close(pipes[1]);
	close(vm);
}

/* A file must be open for writing unless the disk is read-only. */
static void modes(void)
{
	int vm, fd = memfd_create("disk", MFD_CLOEXEC), ro;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	if (!expect(!new_vm("api-d", &vm)) ||
	    !expect(fd >= 0 && ro >= 0 && !ftruncate(fd, 1 << 20)))
		return;
	raw_begin(&r, r.family, PASSVM_CMD_VM_DISK, 0);
	raw_text(&r, PASSVM_A_NAME, "api-d");
	raw_u32(&r, PASSVM_A_FD, ro);
	expect_eq(raw_call(&r), -EBADF);
	expect_msg(strstr(r.text, "not open for reading and writing"), "%s", r.text);
	raw_attr(&r, PASSVM_A_READONLY, "", 0);
	((struct nlmsghdr *)r.out)->nlmsg_len = 0;
	((struct nlmsghdr *)r.out)->nlmsg_seq = ++r.seq;
	expect_msg(!raw_call(&r), "%s", r.text);
	close(ro);
	close(fd);
	close(vm);
}

static void values(void)
{
	static const struct {
		uint16_t attr;
		uint64_t value;
	} rows[] = {
		{ PASSVM_A_CPUS, 0 }, { PASSVM_A_CPUS, 17 }, { PASSVM_A_CPUS, 0xffffffff },
		{ PASSVM_A_MEMORY_BYTES, 0 }, { PASSVM_A_MEMORY_BYTES, 1 },
		{ PASSVM_A_MEMORY_BYTES, (64 << 20) + 4096 }, { PASSVM_A_MEMORY_BYTES, ~0ull },
		{ PASSVM_A_MEMORY_BYTES, 1ull << 63 }, { PASSVM_A_FLAGS, 0x80000000 },
		{ PASSVM_A_PIN, (uint32_t)-2 }, { PASSVM_A_PIN, 0x7fffffff },
		{ PASSVM_A_KVM_FD, (uint32_t)-1 }, { PASSVM_A_KVM_FD, 0 },
	};
	static const char *const names[] = { "", "-a", ".", "a/b", "a b", "\xc3\xa4", "a\n" };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]) + sizeof(names) / sizeof(names[0]); i++) {
		bool named = i >= sizeof(rows) / sizeof(rows[0]);
		uint16_t attr = named ? PASSVM_A_NAME : rows[i].attr;
		uint64_t value = named ? 0 : rows[i].value;

		raw_begin(&r, r.family, PASSVM_CMD_VM_NEW, 0);
		raw_text(&r, PASSVM_A_NAME,
			 named ? names[i - sizeof(rows) / sizeof(rows[0])] : "api-e");
		raw_u32(&r, PASSVM_A_CPUS, attr == PASSVM_A_CPUS ? value : 1);
		raw_u64(&r, PASSVM_A_MEMORY_BYTES,
			attr == PASSVM_A_MEMORY_BYTES ? value : 64 << 20);
		if (attr == PASSVM_A_FLAGS || attr == PASSVM_A_PIN || attr == PASSVM_A_KVM_FD)
			raw_u32(&r, attr, value);
		expect_refused(raw_call(&r), "vm-new", attr_names[attr]);
	}
}

static void after_build(void)
{
	static const uint8_t cmds[] = { PASSVM_CMD_VM_STOP, PASSVM_CMD_VM_REBOOT,
					PASSVM_CMD_VM_PAUSE, PASSVM_CMD_VM_RESUME };
	size_t i;
	int vm;

	if (!expect(!new_vm("api-f", &vm)))
		return;
	/* What only a running VM can do. */
	for (i = 0; i < sizeof(cmds); i++) {
		raw_begin(&r, r.family, cmds[i], 0);
		raw_text(&r, PASSVM_A_NAME, "api-f");
		expect_refused(raw_call(&r), "stop/reboot/pause/resume",
			       "a VM that has not started");
	}
	raw_begin(&r, r.family, PASSVM_CMD_VM_STATS, 0);
	raw_text(&r, PASSVM_A_NAME, "api-f");
	raw_u32(&r, PASSVM_A_VCPU, 1);
	expect_eq(raw_call(&r), -ENOENT);
	close(vm);
}

/* --- privilege -------------------------------------------------------------------- */

static void drop(void)
{
	if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
		_exit(100);
}

/* In a child: every admin request must get EPERM, reading must work. Its status. */
static int try_all(void)
{
	size_t i;
	int k;

	for (i = 0; i < OPS; i++) {
		raw_begin(&r, r.family, ops[i].cmd, 0);
		for (k = 0; k < ops[i].must; k++)
			put_good(&ops[i].attrs[k]);
		if ((raw_call(&r) == -EPERM) != ops[i].admin)
			return 1 + (int)i;
		if (ops[i].admin && !strstr(r.text, "CAP_SYS_ADMIN"))
			return 50 + (int)i;
	}
	return vm_count() < 0 ? 99 : 0;
}

static void expect_child(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	expect_msg(WIFEXITED(status) && !WEXITSTATUS(status), "the child's status is 0x%x", status);
}

static void unprivileged(void)
{
	pid_t pid = fork();

	if (!pid) {
		drop();
		_exit(raw_open(&r) ? try_all() : 98);
	}
	expect_child(pid);
}

/* A socket opened by root gives no rights to who uses it later. */
static void inherited_socket(void)
{
	pid_t pid = fork();

	if (!pid) {
		if (!raw_open(&r))
			_exit(98);
		drop();
		_exit(try_all());
	}
	expect_child(pid);
}

/* Root of another user and network namespace does not even see the family. */
static void namespaces(void)
{
	pid_t pid = fork();

	if (!pid) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			_exit(0);
		_exit(raw_open(&r) ? 1 : 0);
	}
	expect_child(pid);
	pid = fork();
	if (!pid) {
		/* Another user namespace alone: the family is there, the right is not. */
		if (unshare(CLONE_NEWUSER))
			_exit(0);
		_exit(raw_open(&r) ? try_all() : 98);
	}
	expect_child(pid);
}

/* --- random messages --------------------------------------------------------------- */

static void put_random(unsigned int *seed, const struct op_row *op)
{
	const struct attr_row *a = &op->attrs[rand_r(seed) % 9];
	uint32_t bytes, i;

	switch (rand_r(seed) % 6) {
	case 0:		/* anything */
		bytes = rand_r(seed) % 64;
		raw_attr_as(&r, rand_r(seed), junk + rand_r(seed) % 1000, bytes,
			    rand_r(seed) % 4 ? bytes : (uint32_t)rand_r(seed) % 65536);
		break;
	case 1:		/* a good type, anything inside */
		bytes = rand_r(seed) % 40;
		raw_attr(&r, a->attr, junk + rand_r(seed) % 1000, bytes);
		break;
	case 2:
		raw_text(&r, PASSVM_A_NAME, "api-z");
		break;
	default:	/* right size, random value, often small */
		bytes = size_of(a) > 64 ? 64 : size_of(a);
		if (a->kind == TEXT) {
			raw_text(&r, a->attr, "api-z");
			break;
		}
		for (i = 0; i < bytes; i++)
			junk[i] = i && rand_r(seed) % 2 ? 0 : rand_r(seed);
		raw_attr(&r, a->attr, junk, bytes);
	}
}

static void random_messages(void)
{
	unsigned int seed = getenv("SEED") ? (unsigned int)atoi(getenv("SEED")) : 1;
	int before = vm_count(), vm = -1, i, k, fd;

	printf("# SEED=%u\n", seed);
	for (i = 0; i < 30000; i++) {
		const struct op_row *op = &ops[rand_r(&seed) % OPS];

		if (i % 1000 == 0) {
			if (vm >= 0)
				close(vm);
			new_vm("api-z", &vm);
		}
		/* Whether a random machine runs is another test's question. */
		if (op->cmd == PASSVM_CMD_VM_START)
			continue;
		raw_begin(&r, r.family, op->cmd, rand_r(&seed) % 20 ? 0 : NLM_F_DUMP);
		if (rand_r(&seed) % 3)
			raw_text(&r, PASSVM_A_NAME, "api-z");
		for (k = rand_r(&seed) % 6; k > 0; k--)
			put_random(&seed, op);
		raw_call(&r);
		/* Descriptors that came with an answer must not pile up. */
		for (fd = 3; fd < 64; fd++) {
			char path[64], to[64] = "";

			if (i % 100 || fd == vm || fd == r.sock)
				continue;
			snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
			if (readlink(path, to, sizeof(to) - 1) > 0 && strstr(to, "anon_inode"))
				close(fd);
		}
	}
	if (vm >= 0)
		close(vm);
	for (fd = 3; fd < 1024; fd++) {
		if (fd != r.sock)
			close(fd);
	}
	/* One that was killed while it was built has ended, and is still known. */
	for (i = 0; i < 100 && vm_count() != before; i++) {
		raw_begin(&r, r.family, PASSVM_CMD_VM_FORGET, 0);
		raw_text(&r, PASSVM_A_NAME, "api-z");
		raw_call(&r);
		usleep(20000);
	}
	expect_eq(vm_count(), before);
}

/* Errors from many tasks at once: each gets its own sentence, whole. */
static void many_refusals(void)
{
	pid_t pids[16];
	int i, k;

	for (i = 0; i < 16; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		if (!raw_open(&r))
			_exit(98);
		for (k = 0; k < 500; k++) {
			char name[32], want[64];

			snprintf(name, sizeof(name), "none-%d-%d", i, k);
			snprintf(want, sizeof(want), "name: there is no VM '%s'", name);
			raw_begin(&r, r.family, PASSVM_CMD_VM_GET, 0);
			raw_text(&r, PASSVM_A_NAME, name);
			if (raw_call(&r) != -ENOENT)
				_exit(1);
			if (strcmp(r.text, want))
				_exit(2);
		}
		_exit(0);
	}
	for (i = 0; i < 16; i++)
		expect_child(pids[i]);
}

static const struct ktap_test tests[] = {
	KTAP_TEST(info),
	KTAP_TEST(missing),
	KTAP_TEST(lengths),
	KTAP_TEST(unknown_attributes),
	KTAP_TEST(unknown_commands),
	KTAP_TEST(short_messages),
	KTAP_TEST(builder_closes),
	KTAP_TEST(builder_dies),
	KTAP_TEST(descriptors),
	KTAP_TEST(modes),
	KTAP_TEST(values),
	KTAP_TEST(after_build),
	KTAP_TEST(unprivileged),
	KTAP_TEST(inherited_socket),
	KTAP_TEST(namespaces),
	KTAP_TEST(many_refusals),
	KTAP_TEST(random_messages),
};

int main(int argc, char **argv)
{
	memset(junk, 0xa5, sizeof(junk));
	if (!raw_open(&r)) {
		printf("KTAP version 1\n1..0 # SKIP the module is not loaded\n");
		return 4;
	}
	return ktap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
