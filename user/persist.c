// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims that survive a reboot: /etc/modprobe.d/passvm-claim.conf.
 *
 * The file is ours alone and written anew each time: the parameter claim=, and
 * for each module that drove a device a softdep line, so that loading that
 * module loads passvm first.
 *
 * World:   user
 * Context: one thread
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pci.h"
#include "persist.h"
#include "pvmctl.h"

#define CLAIM_FILE	"/etc/modprobe.d/passvm-claim.conf"
#define ENTRIES		32
#define ENTRY_BYTES	64

struct entries {
	char text[ENTRIES][ENTRY_BYTES];
	int count;
};

static struct entries drivers;	/* noted, and those of the file */

static void entry_add(struct entries *e, const char *text)
{
	int i;

	for (i = 0; i < e->count; i++) {
		if (!strcmp(e->text[i], text))
			return;
	}
	if (e->count < ENTRIES)
		snprintf(e->text[e->count++], ENTRY_BYTES, "%s", text);
}

static bool same_slot(const struct pci_dev *d, const struct pci_address *a)
{
	return (uint32_t)d->domain == a->domain && d->bus == a->bus && d->dev == a->devfn >> 3;
}

void persist_note_drivers(const struct pci_address *slots, int count)
{
	char module[ENTRY_BYTES];
	struct pci_dev *d;
	int i;

	for (d = pci_all()->devices; d; d = d->next) {
		for (i = 0; i < count; i++) {
			if (!same_slot(d, &slots[i]))
				continue;
			pci_sysfs_link(d, "driver/module", module, sizeof(module));
			if (*module && strcmp(module, "passvm"))
				entry_add(&drivers, module);
		}
	}
}

static void read_file(struct entries *claims)
{
	FILE *f = fopen(CLAIM_FILE, "r");
	char line[4096], *word, *save;

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "options passvm claim=", 21)) {
			for (word = strtok_r(line + 21, ",", &save); word;
			     word = strtok_r(NULL, ",", &save))
				entry_add(claims, word);
		} else if (!strncmp(line, "softdep ", 8)) {
			word = strtok_r(line + 8, " ", &save);
			if (word)
				entry_add(&drivers, word);
		}
	}
	if (f)
		fclose(f);
}

/* Drops the entries that mean @slot, whatever ids they name. */
static void drop_slot(struct entries *e, const struct pci_address *slot)
{
	struct pci_selector s;
	int i, kept = 0;

	for (i = 0; i < e->count; i++) {
		if (pci_parse(e->text[i], &s) && s.has_address && s.domain == slot->domain &&
		    s.bus == slot->bus && s.slot == slot->devfn >> 3)
			continue;
		if (kept != i)
			strcpy(e->text[kept], e->text[i]);
		kept++;
	}
	e->count = kept;
}

static int write_file(const struct entries *claims)
{
	FILE *f;
	int i;

	if (!claims->count) {
		if (unlink(CLAIM_FILE) && errno != ENOENT)
			return complain("%s: %s", CLAIM_FILE, strerror(errno));
		return EXIT_DONE;
	}
	f = fopen(CLAIM_FILE ".new", "w");
	if (!f)
		return complain("%s: %s", CLAIM_FILE ".new", strerror(errno));
	fputs("# Written by 'pvmctl claim --persist'; 'pvmctl release --persist DEV' takes out.\n"
	      "options passvm claim=", f);
	for (i = 0; i < claims->count; i++)
		fprintf(f, "%s%s", i ? "," : "", claims->text[i]);
	fputc('\n', f);
	for (i = 0; i < drivers.count; i++)
		fprintf(f, "softdep %s pre: passvm\n", drivers.text[i]);
	if (fflush(f) || fsync(fileno(f)) || fclose(f) || rename(CLAIM_FILE ".new", CLAIM_FILE)) {
		unlink(CLAIM_FILE ".new");
		return complain("%s: %s", CLAIM_FILE, strerror(errno));
	}
	return EXIT_DONE;
}

static int finish(const struct entries *claims)
{
	int status = write_file(claims);

	if (status == EXIT_DONE)
		fprintf(stderr,
			"%s: %s\nRenew the initramfs now: update-initramfs -u (or dracut -f)\n",
			CLAIM_FILE, claims->count ? "written" : "removed");
	return status;
}

int persist_add(const struct pci_address *slots, int count)
{
	static struct entries claims;
	char text[ENTRY_BYTES];
	struct pci_dev *d;
	int i;

	read_file(&claims);
	for (i = 0; i < count; i++) {
		drop_slot(&claims, &slots[i]);
		for (d = pci_all()->devices; d; d = d->next) {
			if (same_slot(d, &slots[i]))
				break;
		}
		if (!d)
			continue;
		if (claims.count == ENTRIES)
			return complain("%s: more than %d devices", CLAIM_FILE, ENTRIES);
		/* With ids, so that another card in this slot is left alone. */
		snprintf(text, sizeof(text), "%04x:%02x:%02x@%04x:%04x", d->domain, d->bus, d->dev,
			 d->vendor_id, d->device_id);
		entry_add(&claims, text);
	}
	return finish(&claims);
}

int persist_remove(const struct pci_address *slots, int count)
{
	static struct entries claims;
	int i;

	read_file(&claims);
	for (i = 0; i < count; i++)
		drop_slot(&claims, &slots[i]);
	return finish(&claims);
}
