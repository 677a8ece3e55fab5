// SPDX-License-Identifier: GPL-2.0-only
/*
 * start, first part: open and check what the configuration names.
 *
 * World:   user
 * Context: one thread
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out.h"
#include "pci.h"
#include "pvmctl.h"
#include "start.h"

/* Complains with the line of the configuration that caused it. */
static int complain_line(const struct start *s, int line, const char *why)
{
	return complain("%s:%d: %s", s->conf.path, line, why), -1;
}

static int prepare_images(struct start *s)
{
	struct boot_request *r = &s->request;
	char why[WHY_BYTES];

	r->kernel.path = s->conf.kernel;
	r->initrd.path = s->conf.initrd;
	r->initrd.fd = -1;
	r->cmdline = s->conf.cmdline ? s->conf.cmdline : "";
	if (open_image(&r->kernel, why) < 0)
		return complain_line(s, s->conf.kernel_line, why);
	if (s->conf.initrd && open_image(&r->initrd, why) < 0)
		return complain_line(s, s->conf.initrd_line, why);
	/* Wrong files and too little memory are found before anything is made. */
	boot_default_map(s->conf.memory_bytes, &r->map);
	if (!boot_load(r, &s->boot, why, sizeof(why)))
		return complain_line(s, s->conf.kernel_line, why);
	return 0;
}

static int prepare_disks(struct start *s)
{
	char why[WHY_BYTES];
	uint32_t i, j;

	for (i = 0; i < s->conf.disks; i++) {
		struct conf_disk *d = &s->conf.disk[i];
		struct stat a, b;
		uint64_t bytes;

		for (j = 0; j < i; j++) {
			if (!stat(d->path, &a) && !stat(s->conf.disk[j].path, &b) &&
			    a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
				snprintf(why, sizeof(why), "disk %s is the one of line %d", d->path,
					 s->conf.disk[j].line);
				return complain_line(s, d->line, why);
			}
		}
		s->disk_fd[i] = open_disk(d, &bytes, why);
		if (s->disk_fd[i] < 0)
			return complain_line(s, d->line, why);
		start_step(s, "disk", "%s as virtio disk %c, %s%s", d->path, 'a' + i,
			   size_text(bytes), d->readonly ? ", read-only" : "");
	}
	return 0;
}

static int prepare_nets(struct start *s)
{
	char why[WHY_BYTES];
	uint32_t i;

	if (s->no_net)
		s->conf.nets = 0;
	for (i = 0; i < s->conf.nets; i++) {
		struct conf_net *n = &s->conf.net[i];

		s->net[i].fd = open_tap(n, s->plan, s->net[i].name, &s->net[i].offloads, why);
		if (s->net[i].fd < 0)
			return complain_line(s, n->line, why);
		if (n->bridge)
			start_step(s, "net",
				   "tap %s on bridge %s, mac %02x:%02x:%02x:%02x:%02x:%02x",
				   s->plan ? "(new)" : s->net[i].name, n->bridge, n->mac[0],
				   n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
		else
			start_step(s, "net", "tap %s, mac %02x:%02x:%02x:%02x:%02x:%02x", n->tap,
				   n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4],
				   n->mac[5]);
	}
	return 0;
}

static int prepare_devices(struct start *s)
{
	struct pci_address found[CONF_DEVICES];
	char why[WHY_BYTES], text[24];
	uint32_t i;
	int n, j, k;

	if (s->no_devices)
		s->conf.devices = 0;
	for (i = 0; i < s->conf.devices; i++) {
		struct conf_device *d = &s->conf.device[i];

		n = find_functions(d->dev, found, CONF_DEVICES - s->functions, why);
		if (n < 0)
			return complain_line(s, d->line, why);
		for (j = 0; j < n; j++) {
			pci_address_text(found[j].domain, found[j].bus, found[j].devfn, text,
					 sizeof(text));
			for (k = 0; k < s->functions; k++) {
				if (s->function[k].domain != found[j].domain ||
				    s->function[k].bus != found[j].bus ||
				    s->function[k].devfn != found[j].devfn)
					continue;
				snprintf(why, sizeof(why), "device %s (%s) is there a second time",
					 d->dev, text);
				return complain_line(s, d->line, why);
			}
			start_step(s, "device", "%s passed through", text);
		}
		for (j = 0; j < n; j++)
			s->function[s->functions++] = found[j];
	}
	return 0;
}

int start_prepare(struct start *s)
{
	char why[WHY_BYTES];

	if (prepare_images(s) || prepare_disks(s) || prepare_nets(s) || prepare_devices(s))
		return -1;
	if (s->conf.serial_file) {
		s->serial_fd = open_serial(s->conf.serial_file, s->plan, why);
		if (s->serial_fd < 0)
			return complain_line(s, s->conf.serial_line, why);
		start_step(s, "serial", "also to %s", s->conf.serial_file);
	}
	return 0;
}
