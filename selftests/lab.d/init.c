// SPDX-License-Identifier: GPL-2.0-only
/*
 * First process of the lab's host.
 *
 * Lives in the initramfs. Loads the modules listed in /modules, puts the
 * machine's own root (9p, read-only) under a tmpfs overlay, moves into it, runs
 * /lab/command and reports over one virtio-serial port, in frames:
 *
 *	u8 type, u8[3] zero, le32 bytes, then that many bytes
 *
 *	'o' standard output   'e' standard error   's' exit status, one byte
 *	'r' the command starts   'i' something about the lab itself, for its log
 *
 * One port for all keeps the order: a status frame follows all output.
 *
 * World:   userspace, in the lab's host
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT_DIR "/sys/class/virtio-ports"
#define NEWROOT "/newroot"
#define DRAIN_MS 300	/* for what background children still write */
#define LEAK_AGE_S 5	/* kmemleak reports nothing younger */
#define TICK_MS 20

static int report_fd = -1;

static void klog(const char *fmt, ...)
{
	char line[400] = "<5>pvm-lab: ";
	int fd, n = strlen(line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, line, strlen(line)) < 0)
		_exit(1);
	close(fd);
}

static void die(const char *what)
{
	klog("FATAL %s: %s", what, strerror(errno));
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void must_mount(const char *what, const char *where, const char *type,
		       unsigned long flags, const char *options)
{
	if (mount(what, where, type, flags, options) < 0)
		die(where);
}

static void write_all(int fd, const void *from, size_t bytes)
{
	const char *p = from;

	while (bytes) {
		ssize_t n = write(fd, p, bytes);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			die("report port");
		if (n > 0) {
			p += n;
			bytes -= n;
		}
	}
}

static void frame(char type, const void *data, uint32_t bytes)
{
	uint8_t head[8] = { type, 0, 0, 0, bytes, bytes >> 8, bytes >> 16, bytes >> 24 };

	write_all(report_fd, head, sizeof(head));
	write_all(report_fd, data, bytes);
}

static int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -1;
	rc = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return rc;
}

static void load_modules(void)
{
	char line[200];
	FILE *f = fopen("/modules", "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (load_module(line) < 0 && errno != EEXIST)
			klog("module %s: %s", line, strerror(errno));
	}
	fclose(f);
}

/* The device node of the virtio-serial port with this name; waits for it. */
static int open_port(const char *name)
{
	char path[100], got[64];
	int tries, i, fd, n;

	for (tries = 0; tries < 1000; tries++) {
		for (i = 0; i < 8; i++) {
			snprintf(path, sizeof(path), PORT_DIR "/vport%dp%d/name", i >> 2, i & 3);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd < 0)
				continue;
			n = read(fd, got, sizeof(got) - 1);
			close(fd);
			got[n > 0 ? n : 0] = 0;
			got[strcspn(got, "\n")] = 0;
			if (strcmp(got, name))
				continue;
			snprintf(path, sizeof(path), "/dev/vport%dp%d", i >> 2, i & 3);
			return open(path, O_RDWR | O_CLOEXEC);
		}
		usleep(10000);
	}
	errno = ENODEV;
	return -1;
}

static void make_root(const char *release)
{
	char to[200];

	mkdir("/lower", 0755);
	mkdir("/rw", 0755);
	mkdir(NEWROOT, 0755);
	must_mount("root", "/lower", "9p", MS_RDONLY,
		   "trans=virtio,version=9p2000.L,msize=262144,cache=loose");
	must_mount("rw", "/rw", "tmpfs", 0, "size=60%");
	mkdir("/rw/upper", 0755);
	mkdir("/rw/work", 0755);
	must_mount("root", NEWROOT, "overlay", 0,
		   "lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work,index=off,xino=off");
	mkdir(NEWROOT "/proc", 0755);
	mkdir(NEWROOT "/sys", 0755);
	mkdir(NEWROOT "/dev", 0755);
	mkdir(NEWROOT "/run", 0755);
	must_mount("/proc", NEWROOT "/proc", NULL, MS_MOVE, NULL);
	must_mount("/sys", NEWROOT "/sys", NULL, MS_MOVE, NULL);
	must_mount("/dev", NEWROOT "/dev", NULL, MS_MOVE, NULL);
	must_mount("run", NEWROOT "/run", "tmpfs", 0, "mode=755");
	if (chdir(NEWROOT) < 0)
		die("chdir");
	must_mount(".", "/", NULL, MS_MOVE, NULL);
	if (chroot(".") < 0 || chdir("/") < 0)
		die("chroot");
	mkdir("/dev/pts", 0755);
	mkdir("/dev/shm", 01777);
	must_mount("pts", "/dev/pts", "devpts", 0, "ptmxmode=666,mode=620,gid=5");
	must_mount("shm", "/dev/shm", "tmpfs", 0, NULL);
	mkdir("/run/lock", 01777);
	mount("cgroup", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("trace", "/sys/kernel/tracing", "tracefs", 0, NULL);
	/* The symbolic links that every userspace expects of /dev. */
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("/proc/self/fd/0", "/dev/stdin") ||
	    symlink("/proc/self/fd/1", "/dev/stdout") || symlink("/proc/self/fd/2", "/dev/stderr"))
		klog("links in /dev: %s", strerror(errno));
	/* Modules of this kernel; the machine's files under that name may be another build's. */
	mkdir("/lib/modules", 0755);
	snprintf(to, sizeof(to), "/lib/modules/%s", release);
	mkdir(to, 0755);
	must_mount(getenv("PVM_LAB_MODULES"), to, NULL, MS_BIND, NULL);
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		klog("lo: %s", strerror(errno));
	if (s >= 0)
		close(s);
}

/* Lines NAME=VALUE of /lab/env. */
static void read_env(void)
{
	static char line[65536];
	FILE *f = fopen("/lab/env", "re");
	char *eq;

	clearenv();
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		eq = strchr(line, '=');
		if (!eq)
			continue;
		*eq = 0;
		setenv(line, eq + 1, 1);
	}
	if (f)
		fclose(f);
}

/* A whole file; the arguments are kept in it, each ended by a zero byte. */
static char **read_args(const char *path)
{
	static char buf[262144];
	static char *argv[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	int argc = 0;
	char *p;

	if (fd >= 0)
		close(fd);
	for (p = buf; n > 0 && p < buf + n && argc < 4095; p += strlen(p) + 1)
		argv[argc++] = p;
	return argv;
}

static int status_of(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static pid_t spawn(char **argv, int out, int err)
{
	pid_t pid = fork();
	int null;

	if (pid)
		return pid;
	null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (null > 2)
		close(null);
	setsid();
	if (getenv("PVM_LAB_CWD") && chdir(getenv("PVM_LAB_CWD")) < 0)
		perror(getenv("PVM_LAB_CWD"));
	execvp(argv[0], argv);
	fprintf(stderr, "lab: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Passes on what there is to read; closes the descriptor at its end. */
static void forward(struct pollfd *p, char type)
{
	static char buf[65536];
	ssize_t n;

	if (p->fd < 0 || !p->revents)
		return;
	n = read(p->fd, buf, sizeof(buf));
	if (n > 0) {
		frame(type, buf, n);
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		close(p->fd);
		p->fd = -1;
	}
}

/*
 * Runs a program with its output in frames and returns its status. When it has
 * ended, whoever still holds its output (a program left in the background) is
 * listened to only while there is something to read.
 */
static int run(char **argv)
{
	int out[2], err[2], st, status = -1;
	struct pollfd p[2];
	pid_t pid, got;

	if (!argv[0])
		return 127;
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("pipe");
	pid = spawn(argv, out[1], err[1]);
	if (pid < 0)
		die("fork");
	close(out[1]);
	close(err[1]);
	p[0] = (struct pollfd){ .fd = out[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = err[0], .events = POLLIN };
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		int n = poll(p, 2, status < 0 ? 50 : DRAIN_MS);

		if (n > 0) {
			forward(&p[0], 'o');
			forward(&p[1], 'e');
		} else if (n == 0 && status >= 0) {
			break;
		}
		while ((got = waitpid(-1, &st, WNOHANG)) > 0)
			if (got == pid)
				status = status_of(st);
	}
	while (status < 0) {
		got = wait(&st);
		if (got == pid)
			status = status_of(st);
		else if (got < 0 && errno != EINTR)
			die("wait");
	}
	if (p[0].fd >= 0)
		close(p[0].fd);
	if (p[1].fd >= 0)
		close(p[1].fd);
	return status;
}

static void kmemleak(const char *what)
{
	int fd = open("/sys/kernel/debug/kmemleak", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, what, strlen(what)) < 0)
		klog("kmemleak %s: %s", what, strerror(errno));
	close(fd);
}

/* Two scans, as an object must look lost twice before it is reported. */
static void report_leaks(void)
{
	static char buf[65536];
	ssize_t n, all = 0;
	time_t begun;
	int fd;

	if (access("/sys/kernel/debug/kmemleak", R_OK) || !getenv("PVM_LAB_LOAD") ||
	    getenv("PVM_LAB_NO_LEAK_SCAN"))
		return;
	begun = time(NULL);
	kmemleak("scan");
	while (time(NULL) <= begun + LEAK_AGE_S)
		usleep(100000);
	kmemleak("scan");
	fd = open("/sys/kernel/debug/kmemleak", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0 && all < 200000) {
		frame('k', buf, n);
		all += n;
	}
	if (fd >= 0)
		close(fd);
}

/*
 * An interrupt for each CPU but the first every TICK_MS. Where the emulator has lost
 * one of theirs (Documentation/errata.rst#lost-irq), this makes it look again. The
 * first CPU enters no guests and loses none: its clock can be relied on.
 */
static void keep_awake(void)
{
	struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	long cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int pipes[64];
	cpu_set_t set;

	if (cpus < 2 || cpus > 64 || fork())
		return;
	for (cpu = 0; cpu < cpus; cpu++) {
		int p[2];
		char c;

		if (cpu && pipe2(p, O_CLOEXEC))
			_exit(1);
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (!cpu) {
			sched_setaffinity(0, sizeof(set), &set);
		} else if (!fork()) {
			sched_setaffinity(0, sizeof(set), &set);
			while (read(p[0], &c, 1) == 1)
				;
			_exit(0);
		} else {
			fcntl(p[1], F_SETFL, O_NONBLOCK);
			pipes[cpu] = p[1];
		}
	}
	for (;;) {
		nanosleep(&tick, NULL);
		for (cpu = 1; cpu < cpus; cpu++)
			if (write(pipes[cpu], "", 1) < 0 && errno != EAGAIN)
				_exit(1);
	}
}

int main(void)
{
	char *modprobe[] = { "modprobe", "passvm", NULL };
	char release[80] = "";
	char **command;
	uint8_t status = 0;
	int fd;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	must_mount("proc", "/proc", "proc", 0, NULL);
	must_mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 2)
		fd = dup(fd);
	signal(SIGPIPE, SIG_IGN);
	load_modules();
	read_env();
	command = read_args("/lab/command");
	report_fd = open_port("pvm.report");
	if (report_fd < 0)
		die("report port");
	fd = open("/proc/sys/kernel/osrelease", O_RDONLY);
	if (fd >= 0 && read(fd, release, sizeof(release) - 1) > 0)
		release[strcspn(release, "\n")] = 0;
	close(fd);
	make_root(release);
	loopback_up();
	keep_awake();
	sethostname("lab", 3);
	if (getenv("PVM_LAB_LOAD"))
		status = run(modprobe);
	if (!status) {
		klog("command starts");
		frame('r', "", 0);
		status = run(command);
		report_leaks();
	} else {
		frame('e', "lab: modprobe passvm failed\n", 28);
		status = 126;
	}
	klog("command ended with status %u", status);
	frame('s', &status, 1);
	pause();
	return 0;
}
