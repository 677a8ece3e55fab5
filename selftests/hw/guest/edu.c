// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a guest: lets QEMU's educational device (DS edu.rst) copy memory.
 *
 *   edu RESOURCE0 UNUSED OUTSIDE
 *
 * Copies a pattern between two places of guest memory at UNUSED, which the kernel
 * does not use (mem=), as a proof that the device works; then to OUTSIDE, where
 * the guest has no memory, and from there.
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
#include <unistd.h>

#define BAR_BYTES	0x100000
#define BUFFER		0x40000		/* in the device's own address space */
#define DMA_SOURCE	(0x80 / 8)
#define DMA_TARGET	(0x88 / 8)
#define DMA_COUNT	(0x90 / 8)
#define DMA_COMMAND	(0x98 / 8)
#define DMA_START	1
#define DMA_TO_RAM	2
#define WORDS		4

static volatile uint64_t *reg;

static int dma(uint64_t from, uint64_t to, uint64_t command)
{
	reg[DMA_SOURCE] = from;
	reg[DMA_TARGET] = to;
	reg[DMA_COUNT] = WORDS * 8;
	reg[DMA_COMMAND] = command | DMA_START;
	/* It takes 100 ms. */
	for (int i = 0; i < 500; i++, usleep(10000))
		if (!(reg[DMA_COMMAND] & DMA_START))
			return 0;
	fprintf(stderr, "edu: the copy does not end\n");
	return 1;
}

static uint64_t *memory(uint64_t gpa)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	void *p = fd < 0 ? MAP_FAILED :
			   mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, gpa);

	if (p == MAP_FAILED) {
		perror("/dev/mem");
		exit(1);
	}
	return p;
}

int main(int argc, char **argv)
{
	static const uint64_t pattern[WORDS] = {
		0x70617373766d2d31, 0x6564752d73747261, 0x792d646d612d2d32, 0x3132333435363738,
	};
	int fd = argc == 4 ? open(argv[1], O_RDWR | O_SYNC) : -1;
	uint64_t unused, outside, *ram;

	if (fd < 0)
		return 2;
	unused = strtoull(argv[2], NULL, 0);
	outside = strtoull(argv[3], NULL, 0);
	reg = mmap(NULL, BAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (reg == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	ram = memory(unused);
	memset(ram, 0, 8192);
	memcpy(ram, pattern, sizeof(pattern));
	if (dma(unused, BUFFER, 0) || dma(BUFFER, unused + 4096, DMA_TO_RAM))
		return 1;
	printf("inside: %s\n", memcmp((char *)ram + 4096, pattern, sizeof(pattern)) ? "lost" : "equal");
	if (dma(BUFFER, outside, DMA_TO_RAM) || dma(outside, BUFFER, 0) ||
	    dma(BUFFER, unused + 4096, DMA_TO_RAM))
		return 1;
	printf("read outside: %016llx %016llx\n", (unsigned long long)ram[512],
	       (unsigned long long)ram[513]);
	return 0;
}
