// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening what a VM is made of: files, disks, taps.
 *
 * World:   user
 * Context: any
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cc.h"
#include "open.h"

#define VNET_HEADER_BYTES	12	/* struct virtio_net_hdr_v1 */
#define SECTOR_BYTES		512

/* -1, with a sentence. */
PRINTF_LIKE(2, 3) static int fail(char *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, WHY_BYTES, fmt, args);
	va_end(args);
	return -1;
}

int open_image(struct boot_file *f, char *why)
{
	struct stat st;

	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0)
		return fail(why, "%s: %s", f->path, strerror(errno));
	if (fstat(f->fd, &st) || !S_ISREG(st.st_mode)) {
		close(f->fd);
		f->fd = -1;
		return fail(why, "%s: not a regular file", f->path);
	}
	f->bytes = st.st_size;
	return f->fd;
}

/* --- disks ------------------------------------------------------------------ */

/* Undoes the \040 of /proc/self/mountinfo and /proc/swaps in place. */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*out++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
			s += 3;
		} else {
			*out++ = *s;
		}
	}
	*out = 0;
}

static bool same_file(const char *path, const struct stat *st)
{
	struct stat other;

	if (stat(path, &other))
		return false;
	if (S_ISBLK(st->st_mode))
		return S_ISBLK(other.st_mode) && other.st_rdev == st->st_rdev;
	return other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static bool is_swap(const struct stat *st)
{
	FILE *f = fopen("/proc/swaps", "r");
	char line[4096 + 64], path[4097];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%4096s", path) == 1 && path[0] == '/') {
			unescape(path);
			found = same_file(path, st);
		}
	}
	if (f)
		fclose(f);
	return found;
}

/* Where block device @dev, or a partition of it, is mounted; false if nowhere. */
static bool mounted_at(dev_t dev, char *where, size_t bytes)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char line[8192], point[4097], path[64];
	unsigned int major, minor;
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d %*d %u:%u %*s %4096s", &major, &minor, point) != 3)
			continue;
		if (makedev(major, minor) != dev) {
			/* A partition's folder in sysfs is inside its disk's. */
			char link[4096], disk[4096];
			ssize_t n;

			snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major, minor);
			n = readlink(path, link, sizeof(link) - 1);
			if (n <= 0)
				continue;
			link[n] = 0;
			snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev),
				 minor(dev));
			n = readlink(path, disk, sizeof(disk) - 1);
			if (n <= 0)
				continue;
			disk[n] = 0;
			if (strncmp(link, disk, n) || link[n] != '/')
				continue;
		}
		unescape(point);
		snprintf(where, bytes, "%s", point);
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

/* The first entry of a block device's folder of holders (dm, md, bcache ...). */
static bool first_holder(dev_t dev, char *name, size_t bytes)
{
	char path[64];
	struct dirent *e;
	DIR *d;
	bool found = false;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders", major(dev), minor(dev));
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		if (e->d_name[0] != '.') {
			snprintf(name, bytes, "%s", e->d_name);
			found = true;
		}
	}
	if (d)
		closedir(d);
	return found;
}

/* The loop device whose backing file this is. */
static bool loop_of(const struct stat *st, char *name, size_t bytes)
{
	DIR *d = opendir("/sys/block");
	struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		char path[512], back[4097];
		FILE *f;

		if (strncmp(e->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(back, sizeof(back), f)) {
			back[strcspn(back, "\n")] = 0;
			if (same_file(back, st)) {
				snprintf(name, bytes, "%s", e->d_name);
				found = true;
			}
		}
		fclose(f);
	}
	if (d)
		closedir(d);
	return found;
}

/* Why a block device could not be opened for us alone. */
static int explain_busy(const char *path, const struct stat *st, char *why)
{
	char what[4097];

	if (mounted_at(st->st_rdev, what, sizeof(what)))
		return fail(why, "%s: in use: mounted at %.300s", path, what);
	if (is_swap(st))
		return fail(why, "%s: in use as swap space", path);
	if (first_holder(st->st_rdev, what, sizeof(what)))
		return fail(why, "%s: in use by %.64s", path, what);
	return fail(why, "%s: in use by another program or VM", path);
}

static int check_image(const struct conf_disk *d, int fd, const struct stat *st, char *why)
{
	unsigned char head[4];
	char loop[256];

	if (is_swap(st))
		return fail(why, "%s: in use as swap space", d->path);
	if (!d->readonly && loop_of(st, loop, sizeof(loop)))
		return fail(why, "%s: in use: it is behind /dev/%s", d->path, loop);
	/* The lock belongs to the open file, which the module keeps while the VM is there. */
	if (flock(fd, (d->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB))
		return fail(why, "%s: in use by another VM or program (it is locked)", d->path);
	if (pread(fd, head, 4, 0) == 4 && !memcmp(head, "QFI\373", 4))
		return fail(why, "%s: a qcow2 image; convert it: qemu-img convert -O raw", d->path);
	return 0;
}

int open_disk(const struct conf_disk *d, uint64_t *bytes, char *why)
{
	int flags = (d->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC, fd;
	unsigned long long size;
	struct stat st;

	if (stat(d->path, &st))
		return fail(why, "%s: %s", d->path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return fail(why, "%s: neither a regular file nor a block device", d->path);
	fd = open(d->path, S_ISBLK(st.st_mode) ? flags | O_EXCL : flags);
	if (fd < 0 && errno == EBUSY)
		return explain_busy(d->path, &st, why);
	if (fd < 0)
		return fail(why, "%s: %s", d->path, strerror(errno));
	size = st.st_size;
	if (S_ISBLK(st.st_mode) ? ioctl(fd, BLKGETSIZE64, &size) : check_image(d, fd, &st, why)) {
		if (S_ISBLK(st.st_mode))
			fail(why, "%s: %s", d->path, strerror(errno));
		close(fd);
		return -1;
	}
	if (size < SECTOR_BYTES || size % SECTOR_BYTES) {
		close(fd);
		return fail(why,
			    "%s: %s: %llu bytes are not a whole number of sectors of %d bytes",
			    d->path, size < SECTOR_BYTES ? "too short for a disk" : "bad size",
			    size, SECTOR_BYTES);
	}
	*bytes = size;
	return fd;
}

int open_serial(const char *path, bool look, char *why)
{
	char folder[4096];
	char *slash;
	int fd;

	if (look) {
		snprintf(folder, sizeof(folder), "%s", path);
		slash = strrchr(folder, '/');
		if (slash)
			slash[1] = 0;
		if (access(path, F_OK) ? access(slash ? folder : ".", W_OK) : access(path, W_OK))
			return fail(why, "%s: %s", path, strerror(errno));
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
	if (fd < 0)
		return fail(why, "%s: %s", path, strerror(errno));
	return fd;
}

/* --- taps ------------------------------------------------------------------- */

static int check_bridge(const char *name, char *why)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	if (access(path, F_OK))
		return fail(why, "bridge %s: no such interface; ip link add %s up type bridge",
			    name, name);
	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", name);
	if (access(path, F_OK))
		return fail(why, "bridge %s: the interface is not a bridge", name);
	return 0;
}

static int check_tap(const char *name, char *why)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	if (access(path, F_OK))
		return fail(why, "tap %s: no such interface; ip tuntap add %s mode tap vnet_hdr",
			    name, name);
	snprintf(path, sizeof(path), "/sys/class/net/%s/tun_flags", name);
	if (access(path, F_OK))
		return fail(why, "tap %s: the interface is not a tap", name);
	return 0;
}

/* Sets the interface up and, if there is a @bridge, makes it one of its ports. */
static int join(const char *name, const char *bridge, char *why)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = -1;
	struct ifreq r = { 0 };

	if (s < 0)
		return fail(why, "tap %s: %s", name, strerror(errno));
	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	if (bridge) {
		if (ioctl(s, SIOCGIFINDEX, &r)) {
			fail(why, "tap %s: %s", name, strerror(errno));
			goto out;
		}
		strncpy(r.ifr_name, bridge, IFNAMSIZ - 1);
		if (ioctl(s, SIOCBRADDIF, &r)) {
			fail(why, "bridge %s: can't add %s: %s", bridge, name, strerror(errno));
			goto out;
		}
		strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	}
	if (ioctl(s, SIOCGIFFLAGS, &r)) {
		fail(why, "tap %s: %s", name, strerror(errno));
		goto out;
	}
	r.ifr_flags |= IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &r)) {
		fail(why, "tap %s: can't be set up: %s", name, strerror(errno));
		goto out;
	}
	err = 0;
out:
	close(s);
	return err;
}

int open_tap(const struct conf_net *net, bool look, char *name, bool *offloads, char *why)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = VNET_HEADER_BYTES, fd;

	if (net->bridge ? check_bridge(net->bridge, why) : check_tap(net->tap, why))
		return -1;
	if (look && !access("/dev/net/tun", R_OK | W_OK))
		return 0;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fail(why, "/dev/net/tun: %s; load it: modprobe tun", strerror(errno));
	strncpy(r.ifr_name, net->bridge ? "pvm%d" : net->tap, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &r)) {
		fail(why, "tap %s: %s", r.ifr_name, errno == EBUSY ?
		     "in use by another VM or program" : strerror(errno));
		goto err_close;
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &header)) {
		fail(why, "tap %s: %s", r.ifr_name, strerror(errno));
		goto err_close;
	}
	*offloads = !ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6);
	snprintf(name, IFNAMSIZ, "%s", r.ifr_name);
	if (join(name, net->bridge, why))
		goto err_close;
	return fd;

err_close:
	close(fd);
	return -1;
}
