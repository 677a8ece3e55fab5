// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a guest: reads and writes a PCI function's BARs through sysfs.
 *
 *   poke ram RESOURCE              every 4 KiB: a word that tells its place; read back afterwards
 *   poke mem|io RESOURCE OFFSET VALUE...   writes each value (32 bits), reads it back
 *   poke get RESOURCE OFFSET       prints 32 bits of a memory BAR
 *   poke count DEVICE              64-bit word at byte offset o is o, all through the device
 *
 * World:   user
 * Context: one thread
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what, uint64_t where)
{
	fprintf(stderr, "poke: %s at %#llx\n", what, (unsigned long long)where);
	exit(1);
}

static volatile uint32_t *map(const char *path, size_t *bytes)
{
	int fd = open(path, O_RDWR | O_SYNC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		exit(1);
	}
	*bytes = st.st_size;
	p = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static void ram(const char *path)
{
	size_t bytes, i;
	volatile uint32_t *m = map(path, &bytes);

	for (i = 0; i < bytes / 4; i += 1024)
		m[i + i / 1024 % 1024] = 0x5a000000 ^ (uint32_t)i;
	for (i = 0; i < bytes / 4; i += 1024)
		if (m[i + i / 1024 % 1024] != (0x5a000000 ^ (uint32_t)i))
			fail("wrong word", i * 4);
	printf("%zu KiB written and read\n", bytes >> 10);
}

static void mem(const char *path, size_t offset, uint32_t value)
{
	size_t bytes;
	volatile uint32_t *m = map(path, &bytes);

	if (offset + 4 > bytes)
		fail("no such offset", offset);
	m[offset / 4] = value;
	if (m[offset / 4] != value)
		fail("wrong value", offset);
	printf("mem %#zx: %#x\n", offset, value);
	munmap((void *)m, bytes);
}

static void io(const char *path, size_t offset, uint32_t value)
{
	int fd = open(path, O_RDWR);
	uint32_t back = 0;

	if (fd < 0 || pwrite(fd, &value, 4, offset) != 4 || pread(fd, &back, 4, offset) != 4) {
		perror(path);
		exit(1);
	}
	if (back != value)
		fail("wrong value", offset);
	printf("io %#zx: %#x\n", offset, value);
	close(fd);
}

static void count(const char *path)
{
	static uint64_t word[1 << 17];
	int fd = open(path, O_RDONLY);
	uint64_t at = 0;
	ssize_t got;

	if (fd < 0) {
		perror(path);
		exit(1);
	}
	while ((got = read(fd, word, sizeof(word))) > 0) {
		for (ssize_t i = 0; i < got / 8; i++, at += 8)
			if (word[i] != at)
				fail("wrong word", at);
	}
	if (got < 0 || !at)
		fail("read error", at);
	printf("%llu KiB counted\n", (unsigned long long)at >> 10);
}

int main(int argc, char **argv)
{
	size_t bytes, offset = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;

	if (argc == 3 && !strcmp(argv[1], "ram"))
		ram(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "count"))
		count(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "get"))
		printf("%#x\n", map(argv[2], &bytes)[offset / 4]);
	else if (argc < 5)
		return 2;
	for (int i = 4; i < argc; i++) {
		uint32_t value = strtoul(argv[i], NULL, 0);

		if (!strcmp(argv[1], "io"))
			io(argv[2], offset, value);
		else
			mem(argv[2], offset, value);
	}
	return 0;
}
