// SPDX-License-Identifier: GPL-2.0-only
/*
 * devices: the host's PCI devices as a tree, and whether each can be passed.
 *
 * World:   user
 * Context: one thread
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "nl.h"
#include "out.h"
#include "pci.h"
#include "open.h"
#include "pvmctl.h"

#define FUNCTIONS	1024
#define CLASS_BRIDGE	0x06

struct function {
	struct pci_dev *pci;
	char path[PATH_MAX];		/* in sysfs, links resolved: sorts as a tree */
	char address[24], driver[64], group[16], resets[128];
	int depth;
	uint32_t state, grade, vm;
	char proved[32], reason[256];	/* from the module */
};

static struct function *all;
static int count;
static bool module_there, verbose;

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct function *)a)->path, ((const struct function *)b)->path);
}

static struct function *function_at(uint32_t domain, uint32_t bus, uint32_t devfn)
{
	int i;

	for (i = 0; i < count; i++) {
		const struct pci_dev *d = all[i].pci;

		if ((uint32_t)d->domain == domain && d->bus == bus &&
		    (uint32_t)(d->dev << 3 | d->func) == devfn)
			return &all[i];
	}
	return NULL;
}

static bool is_bridge(const struct function *f)
{
	return f->pci->device_class >> 8 == CLASS_BRIDGE;
}

/* How many PCI addresses its path has before its own. */
static int depth_of(const char *path)
{
	int depth = -1;

	for (path = strstr(path, "/pci"); path; path = strchr(path + 1, '/'))
		depth++;
	return depth < 1 ? 0 : depth - 1;
}

static void collect(void)
{
	struct pci_dev *d;
	char path[128];

	all = need(calloc(FUNCTIONS, sizeof(*all)));
	for (d = pci_all()->devices; d && count < FUNCTIONS; d = d->next) {
		struct function *f = &all[count++];

		pci_fill_info(d, PCI_FILL_IDENT | PCI_FILL_CLASS);
		f->pci = d;
		pci_address_text(d->domain, d->bus, d->dev << 3 | d->func, f->address,
				 sizeof(f->address));
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", f->address);
		if (!realpath(path, f->path))
			snprintf(f->path, sizeof(f->path), "%s", path);
		f->depth = depth_of(f->path);
		pci_sysfs_link(d, "driver", f->driver, sizeof(f->driver));
		pci_sysfs_link(d, "iommu_group", f->group, sizeof(f->group));
		pci_sysfs(d, "reset_method", f->resets, sizeof(f->resets));
	}
	qsort(all, count, sizeof(*all), by_path);
}

/* --- what the module knows ----------------------------------------------------- */

static void on_device(const struct answer *a, void *arg)
{
	struct function *f;

	(void)arg;
	if (a->attrs[PASSVM_A_SELECTOR])
		return;
	f = function_at(answer_u32(a, PASSVM_A_DOMAIN), answer_u32(a, PASSVM_A_BUS),
			answer_u32(a, PASSVM_A_DEVFN));
	if (!f)
		return;
	f->state = answer_u32(a, PASSVM_A_DEVICE_STATE);
	f->grade = answer_u32(a, PASSVM_A_GRADE);
	f->vm = answer_u32(a, PASSVM_A_ID);
	snprintf(f->proved, sizeof(f->proved), "%s", answer_text(a, PASSVM_A_METHOD));
	snprintf(f->reason, sizeof(f->reason), "%s", answer_text(a, PASSVM_A_REASON));
}

static void on_refused(const struct answer *a, void *arg)
{
	(void)arg;
	if (!a->attrs[PASSVM_A_SELECTOR])
		return;
	if (json) {
		json_open(NULL, '{');
		json_text("device", answer_text(a, PASSVM_A_SELECTOR));
		json_text("reason", answer_text(a, PASSVM_A_REASON));
		json_close();
	} else {
		printf("refused on the command line: %s: %s\n", answer_text(a, PASSVM_A_SELECTOR),
		       answer_text(a, PASSVM_A_REASON));
	}
}

/* --- whether it can be passed --------------------------------------------------- */

/* Where a file system on a disk behind this function is mounted; false if nowhere. */
static bool has_mount(const struct function *f, char *where, size_t bytes)
{
	FILE *m = fopen("/proc/self/mountinfo", "r");
	char line[8192], point[4097], link[64], disk[PATH_MAX];
	size_t n = strlen(f->path);
	unsigned int major, minor;
	bool found = false;

	while (m && !found && fgets(line, sizeof(line), m)) {
		if (sscanf(line, "%*d %*d %u:%u %*s %4096s", &major, &minor, point) != 3)
			continue;
		snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major, minor);
		if (realpath(link, disk) && !strncmp(disk, f->path, n) && disk[n] == '/') {
			snprintf(where, bytes, "%s", point);
			found = true;
		}
	}
	if (m)
		fclose(m);
	return found;
}

/* The first function of the same group that is neither in this slot, nor a bridge, nor claimed. */
static const struct function *neighbour(const struct function *f)
{
	int i;

	for (i = 0; i < count; i++) {
		const struct function *g = &all[i];

		if (strcmp(g->group, f->group) || is_bridge(g) ||
		    g->state != PASSVM_DEVICE_STATE_HOST)
			continue;
		if (g->pci->domain != f->pci->domain || g->pci->bus != f->pci->bus ||
		    g->pci->dev != f->pci->dev)
			return g;
	}
	return NULL;
}

/* True, or false with the reason. */
static bool can_pass(const struct function *f, char *why, size_t bytes)
{
	const struct function *other = neighbour(f);
	char mount[4097];

	if (is_bridge(f)) {
		snprintf(why, bytes, "a bridge");
	} else if (!*f->group) {
		snprintf(why, bytes, "not behind an IOMMU");
	} else if (f->state == PASSVM_DEVICE_STATE_LOST) {
		snprintf(why, bytes, "lost");
	} else if (f->state == PASSVM_DEVICE_STATE_ATTACHED) {
		snprintf(why, bytes, "in use by VM %u", f->vm);
	} else if (has_mount(f, mount, sizeof(mount))) {
		snprintf(why, bytes, "the host has a file system of it mounted at %.300s", mount);
	} else if (other) {
		snprintf(why, bytes,
			 "shares its IOMMU group with %s, which must be claimed with it",
			 other->address);
	} else if (!*f->resets) {
		snprintf(why, bytes, "the kernel knows no way to reset it");
	} else {
		*why = 0;
		return true;
	}
	return false;
}

/* --- printing ------------------------------------------------------------------- */

static const char *name_text(const struct function *f)
{
	static char text[256];

	return pci_lookup_name(pci_all(), text, sizeof(text), PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE,
			       f->pci->vendor_id, f->pci->device_id);
}

/* Access Control Services of a port, for -v. */
static void acs_text(const struct function *f, char *text, size_t bytes)
{
	static const char *const bits[] = { "SV", "TB", "RR", "CR", "UF", "EC", "DT" };
	struct pci_cap *cap;
	uint16_t control;
	int i;

	pci_fill_info(f->pci, PCI_FILL_CAPS | PCI_FILL_EXT_CAPS);
	cap = pci_find_cap(f->pci, PCI_EXT_CAP_ID_ACS, PCI_CAP_EXTENDED);
	if (!cap) {
		snprintf(text, bytes, "no ACS%s", geteuid() ? " seen (be root)" : "");
		return;
	}
	control = pci_read_word(f->pci, cap->addr + PCI_ACS_CTRL);
	snprintf(text, bytes, "ACS on:");
	for (i = 0; i < 7; i++) {
		if (control & 1 << i && strlen(text) + 4 < bytes)
			sprintf(text + strlen(text), " %s", bits[i]);
	}
	if (!(control & 0x7f))
		snprintf(text, bytes, "ACS off");
}

static void function_json(const struct function *f)
{
	char why[512], resets[128], *word, *save = NULL;
	bool ok = can_pass(f, why, sizeof(why));

	json_open(NULL, '{');
	json_text("address", f->address);
	json_text("name", name_text(f));
	json_unsigned("vendor", f->pci->vendor_id);
	json_unsigned("device", f->pci->device_id);
	json_unsigned("class", f->pci->device_class);
	json_text("driver", *f->driver ? f->driver : NULL);
	json_text("iommu_group", *f->group ? f->group : NULL);
	json_text("state", name_of(device_state_names, f->state));
	json_text("grade", name_of(grade_names, f->grade));
	json_text("reset_proved", *f->proved ? f->proved : NULL);
	json_text("reason", f->reason);
	json_open("reset_methods", '[');
	strcpy(resets, f->resets);
	for (word = strtok_r(resets, " ", &save); word; word = strtok_r(NULL, " ", &save))
		json_text(NULL, word);
	json_close();
	json_bool("can_pass", ok);
	json_text("why_not", ok ? NULL : why);
	json_text("path", f->path);
	json_close();
}

static void function_text(const struct function *f)
{
	int indent = 2 * f->depth;
	char why[512], acs[64];

	printf("%*s%s %s [%04x:%04x]", indent, "", f->address, name_text(f), f->pci->vendor_id,
	       f->pci->device_id);
	if (*f->group)
		printf(" group %s", f->group);
	if (*f->driver)
		printf(" driver %s", f->driver);
	putchar('\n');
	if (is_bridge(f)) {
		if (verbose) {
			acs_text(f, acs, sizeof(acs));
			printf("%*s    %s\n", indent, "", acs);
		}
		return;
	}
	if (f->state != PASSVM_DEVICE_STATE_HOST)
		printf("%*s    %s, grade %s%s%s%s%s\n", indent, "",
		       name_of(device_state_names, f->state), name_of(grade_names, f->grade),
		       *f->reason ? ": " : "", f->reason, *f->proved ? "; reset that works: " : "",
		       f->proved);
	printf("%*s    resets: %s; ", indent, "", *f->resets ? f->resets : "none");
	if (can_pass(f, why, sizeof(why)))
		puts("can be passed");
	else
		printf("cannot be passed: %s\n", why);
	if (verbose)
		printf("%*s    %s\n", indent, "", f->path);
}

/* With words, only the slots that they mean and the bridges above. */
static bool wanted(const struct function *f, char **words, int n)
{
	struct pci_address found[64];
	char why[WHY_BYTES];
	int i, k, m;

	if (!n)
		return true;
	for (i = 0; i < n; i++) {
		m = find_functions(words[i], found, 64, why);
		for (k = 0; k < m; k++) {
			const struct function *g = function_at(found[k].domain, found[k].bus,
							       found[k].devfn);
			size_t length = strlen(f->path);

			if (g && (g == f || (verbose && !strncmp(g->path, f->path, length) &&
					     g->path[length] == '/')))
				return true;
		}
	}
	return false;
}

int cmd_devices(int argc, char **argv)
{
	const struct option_row rows[] = { { "-v", &verbose }, {} };
	int n = options(argc, argv, rows, 0, 16), i;
	struct pci_address found[64];
	char why[WHY_BYTES];

	for (i = 1; i <= n; i++) {
		if (find_functions(argv[i], found, 64, why) < 0)
			return complain("%s", why);
	}
	collect();
	module_there = !mod_connect(false);
	if (module_there)
		mod_dump(PASSVM_CMD_DEVICE_GET, on_device, NULL);
	if (json) {
		json_open(NULL, '{');
		json_bool("module", module_there);
		json_open("functions", '[');
	}
	for (i = 0; i < count; i++) {
		if (!wanted(&all[i], argv + 1, n))
			continue;
		if (json)
			function_json(&all[i]);
		else
			function_text(&all[i]);
	}
	if (json) {
		json_close();
		json_open("refused", '[');
	}
	if (module_there)
		mod_dump(PASSVM_CMD_DEVICE_GET, on_refused, NULL);
	else if (!json)
		puts("(the module is not loaded, so nothing is claimed)");
	if (json) {
		json_close();
		json_close();
	}
	return EXIT_DONE;
}
