// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a guest: four squares of 64x64 pixels at the bottom of the frame buffer, one
 * more away from the right: red, green, blue, white. screen.py looks for them. (Linux 6.1
 * forgets to show a single line that is written up to its very end.)
 *
 * World:   user
 * Context: one thread
 */
#include <fcntl.h>
#include <linux/fb.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SIDE	64

int main(int argc, char **argv)
{
	static const uint32_t colour[4] = { 0xff0000, 0x00ff00, 0x0000ff, 0xffffff };
	int fd = open(argc > 1 ? argv[1] : "/dev/fb0", O_RDWR);
	struct fb_var_screeninfo v;
	struct fb_fix_screeninfo f;
	uint32_t line[4 * SIDE];

	if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &v) || ioctl(fd, FBIOGET_FSCREENINFO, &f)) {
		perror("frame buffer");
		return 1;
	}
	if (v.bits_per_pixel != 32 || v.xres < 5 * SIDE || v.yres < SIDE) {
		fprintf(stderr, "%ux%u with %u bits a pixel\n", v.xres, v.yres, v.bits_per_pixel);
		return 1;
	}
	for (int x = 0; x < 4 * SIDE; x++)
		line[x] = colour[x / SIDE];
	for (uint32_t y = v.yres - SIDE; y < v.yres; y++) {
		off_t at = (off_t)(y + v.yoffset) * f.line_length + (v.xres - 5 * SIDE) * 4;

		if (pwrite(fd, line, sizeof(line), at) != sizeof(line)) {
			perror("frame buffer");
			return 1;
		}
	}
	printf("painted %s %ux%u\n", f.id, v.xres, v.yres);
	return 0;
}
