// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's PCI devices, by libpci and sysfs.
 *
 * World:   user
 * Context: one thread
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "open.h"
#include "pci.h"
#include "pvmctl.h"

struct pci_access *pci_all(void)
{
	static struct pci_access *all;

	if (!all) {
		all = need(pci_alloc());
		pci_init(all);
		pci_scan_bus(all);
	}
	return all;
}

void pci_address_text(uint32_t domain, uint32_t bus, uint32_t devfn, char *text, size_t bytes)
{
	snprintf(text, bytes, "%04x:%02x:%02x.%x", domain, bus, devfn >> 3, devfn & 7);
}

static void sysfs_path(const struct pci_dev *d, const char *file, char *path, size_t bytes)
{
	snprintf(path, bytes, "/sys/bus/pci/devices/%04x:%02x:%02x.%d/%s", d->domain, d->bus,
		 d->dev, d->func, file);
}

void pci_sysfs(const struct pci_dev *d, const char *file, char *text, size_t bytes)
{
	char path[256];
	FILE *f;

	*text = 0;
	sysfs_path(d, file, path, sizeof(path));
	f = fopen(path, "r");
	if (!f)
		return;
	if (!fgets(text, bytes, f))
		*text = 0;
	text[strcspn(text, "\n")] = 0;
	fclose(f);
}

void pci_sysfs_link(const struct pci_dev *d, const char *file, char *text, size_t bytes)
{
	char path[256], link[4096];
	ssize_t n;

	*text = 0;
	sysfs_path(d, file, path, sizeof(path));
	n = readlink(path, link, sizeof(link) - 1);
	if (n <= 0)
		return;
	link[n] = 0;
	snprintf(text, bytes, "%s", strrchr(link, '/') ? strrchr(link, '/') + 1 : link);
}

/* A hexadecimal number of 1..@most digits up to @end. */
static bool parse_hex(const char *from, const char *end, int most, uint32_t *value)
{
	*value = 0;
	if (end <= from || end - from > most)
		return false;
	for (; from < end; from++) {
		static const char digits[] = "0123456789abcdef";
		const char *d = strchr(digits, *from | (*from >= 'A' ? 32 : 0));

		if (!d || !*from)
			return false;
		*value = *value << 4 | (uint32_t)(d - digits);
	}
	return true;
}

/* [DOMAIN:]BUS:SLOT[.FUNCTION] between @from and @end. */
static bool parse_address(const char *from, const char *end, struct pci_selector *s)
{
	const char *colon = memchr(from, ':', end - from), *second, *dot;
	uint32_t function;

	if (!colon)
		return false;
	second = memchr(colon + 1, ':', end - colon - 1);
	s->domain = 0;
	if (second) {
		if (!parse_hex(from, colon, 8, &s->domain))
			return false;
		from = colon + 1;
		colon = second;
	}
	dot = memchr(colon, '.', end - colon);
	if (dot && (!parse_hex(dot + 1, end, 1, &function) || function > 7))
		return false;
	return parse_hex(from, colon, 2, &s->bus) &&
	       parse_hex(colon + 1, dot ? dot : end, 2, &s->slot) && s->slot < 32;
}

/* VENDOR:DEVICE, four digits each. */
static bool parse_ids(const char *from, const char *end, struct pci_selector *s)
{
	uint32_t vendor, device;

	if (end - from != 9 || from[4] != ':' || !parse_hex(from, from + 4, 4, &vendor) ||
	    !parse_hex(from + 5, end, 4, &device))
		return false;
	s->vendor = vendor;
	s->device = device;
	return true;
}

bool pci_parse(const char *dev, struct pci_selector *s)
{
	const char *end = dev + strlen(dev), *at = strchr(dev, '@');

	memset(s, 0, sizeof(*s));
	if (at) {
		s->has_address = s->has_ids = true;
		return parse_address(dev, at, s) && parse_ids(at + 1, end, s);
	}
	s->has_ids = parse_ids(dev, end, s);
	s->has_address = !s->has_ids && parse_address(dev, end, s);
	return s->has_ids || s->has_address;
}

bool pci_matches(const struct pci_selector *s, const struct pci_dev *d)
{
	if (s->has_address && ((uint32_t)d->domain != s->domain || d->bus != s->bus ||
			       d->dev != s->slot))
		return false;
	return !s->has_ids || s->has_address ||
	       (d->vendor_id == s->vendor && d->device_id == s->device);
}

/* Whether a function with the ids of @s is in the slot of @s. */
static bool ids_in_slot(const struct pci_selector *s)
{
	struct pci_dev *d;

	for (d = pci_all()->devices; d; d = d->next) {
		if (pci_matches(s, d) && d->vendor_id == s->vendor && d->device_id == s->device)
			return true;
	}
	return false;
}

int find_functions(const char *dev, struct pci_address *found, int most, char *why)
{
	struct pci_selector s;
	struct pci_dev *d, *f;
	int n = 0;

	if (!pci_parse(dev, &s)) {
		snprintf(why, WHY_BYTES,
			 "device '%s': write it as 01:00, 0000:01:00.0 or 1002:731f", dev);
		return -1;
	}
	for (d = pci_all()->devices; d; d = d->next)
		pci_fill_info(d, PCI_FILL_IDENT);
	if (s.has_address && s.has_ids && !ids_in_slot(&s)) {
		snprintf(why, WHY_BYTES, "device %s: the slot is empty or holds another device",
			 dev);
		return -1;
	}
	for (d = pci_all()->devices; d; d = d->next) {
		if (!pci_matches(&s, d))
			continue;
		/* By ids: all functions of the slot that the first match is in. */
		for (f = pci_all()->devices; f; f = f->next) {
			if (f->domain != d->domain || f->bus != d->bus || f->dev != d->dev)
				continue;
			if (n == most) {
				snprintf(why, WHY_BYTES, "device %s: more than %d functions", dev,
					 most);
				return -1;
			}
			found[n++] =
				(struct pci_address){ f->domain, f->bus, f->dev << 3 | f->func };
		}
		return n;
	}
	snprintf(why, WHY_BYTES,
		 "device %s: there is no such device; 'pvmctl devices' lists them", dev);
	return -1;
}
