// SPDX-License-Identifier: GPL-2.0-only
/*
 * check: what passvm needs, and whether this host has it.
 *
 * What the module knows is better than what can be seen from outside, but the
 * latter must do where it isn't loaded.
 *
 * World:   user
 * Context: one thread
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nl.h"
#include "out.h"
#include "pvmctl.h"

/* What get-info said. */
struct info {
	bool loaded;
	char version[32], owner[16];
	bool virt, nested, iommu, remapping;
};

static int missing;

static void row(const char *need_name, bool ok, const char *text, const char *remedy)
{
	if (!ok)
		missing++;
	if (json) {
		json_open(NULL, '{');
		json_text("need", need_name);
		json_bool("ok", ok);
		json_text("text", text);
		json_text("remedy", ok ? NULL : remedy);
		json_close();
		return;
	}
	printf("%-6s %-22s %s\n", ok ? "ok" : "FAILED", need_name, text);
	if (!ok)
		printf("%-6s %-22s %s\n", "", "", remedy);
}

static void on_info(const struct answer *a, void *arg)
{
	struct info *i = arg;

	i->loaded = true;
	snprintf(i->version, sizeof(i->version), "%s", answer_text(a, PASSVM_A_VERSION));
	snprintf(i->owner, sizeof(i->owner), "%s", answer_text(a, PASSVM_A_OWNER));
	i->virt = a->attrs[PASSVM_A_VIRT];
	i->nested = a->attrs[PASSVM_A_NESTED_PAGING];
	i->iommu = a->attrs[PASSVM_A_IOMMU];
	i->remapping = a->attrs[PASSVM_A_INTERRUPT_REMAPPING];
}

/* Whether the first line of /proc/cpuinfo that begins with @key has the word @flag. */
static bool cpu_flag(const char *key, const char *flag)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char *line = NULL, *word, *save;
	size_t bytes = 0;
	bool found = false;

	while (f && !found && getline(&line, &bytes, f) > 0) {
		if (strncmp(line, key, strlen(key)))
			continue;
		for (word = strtok_r(line, " \t\n", &save); word && !found;
		     word = strtok_r(NULL, " \t\n", &save))
			found = !strcmp(word, flag);
		break;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static int entries_in(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static bool file_has(const char *path, const char *text)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t bytes = 0;
	bool found = false;

	while (f && !found && getline(&line, &bytes, f) > 0)
		found = strstr(line, text);
	free(line);
	if (f)
		fclose(f);
	return found;
}

static void check_virtualisation(const struct info *i)
{
	bool svm = cpu_flag("flags", "svm"), vmx = cpu_flag("flags", "vmx");
	bool kvm = !access("/sys/module/kvm_amd", F_OK) || !access("/sys/module/kvm_intel", F_OK);
	bool nested;
	const char *kind = svm ? "SVM" : vmx ? "VMX" : "neither SVM nor VMX";
	char text[160];

	if (i->loaded && (svm || vmx) && !i->virt)
		snprintf(text, sizeof(text), "%s, but the firmware has locked it", kind);
	else if (i->loaded)
		snprintf(text, sizeof(text), "%s, switched on by: %s", kind, i->owner);
	else
		snprintf(text, sizeof(text), "%s%s", kind, kvm ? ", KVM is loaded" : "");
	row("virtualisation", i->loaded ? i->virt : svm || vmx, text,
	    "switch on SVM (AMD) or VT-x (Intel) in the firmware setup");
	nested = i->loaded ? i->nested : cpu_flag("flags", "npt") || cpu_flag("flags", "ept") ||
					 cpu_flag("vmx flags", "ept");
	row("nested paging", nested, !nested ? "none" : svm ? "NPT" : "EPT",
	    svm || vmx ? "this processor is too old" : "needs SVM or VMX, see above");
}

static void check_iommu(const struct info *i)
{
	int units = entries_in("/sys/class/iommu"), groups = entries_in("/sys/kernel/iommu_groups");
	bool remapped = i->loaded ? i->remapping : file_has("/proc/interrupts", "IR-");
	char text[64];

	snprintf(text, sizeof(text), "%d unit%s", units, units == 1 ? "" : "s");
	row("IOMMU", units > 0, text,
	    "switch on AMD-Vi or VT-d in the firmware setup; on Intel, boot with intel_iommu=on");
	row("interrupt remapping", remapped, remapped ? "on" : "off",
	    "boot without intremap=off; or take the risk with 'unsafe-interrupts = yes'");
	snprintf(text, sizeof(text), "%d", groups);
	row("IOMMU groups", groups > 0, text, "needs the IOMMU, see above");
}

/* Free memory in blocks of at least 2 MiB, which guests are made of. */
static void check_memory(void)
{
	FILE *f = fopen("/proc/buddyinfo", "r");
	unsigned long long blocks = 0, count, available = 0;
	char line[1024], text[128];
	int order, used, at;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %*d, zone %*s%n", &at) < 0)
			continue;
		for (order = 0; sscanf(line + at, "%llu%n", &count, &used) == 1;
		     order++, at += used) {
			if (order >= 9)
				blocks += count << (order - 9);
		}
	}
	if (f)
		fclose(f);
	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "MemAvailable: %llu", &available);
	if (f)
		fclose(f);
	snprintf(text, sizeof(text), "%s free in pages of 2 MiB, %s available in all",
		 size_text(blocks << 21), size_text(available << 10));
	row("huge pages", available >= 64 << 10, text, "too little memory is free for a VM");
}

static void check_lockdown(const struct info *i)
{
	const char *path = "/sys/kernel/security/lockdown";
	bool locked = file_has(path, "[integrity]") || file_has(path, "[confidentiality]");

	row("lockdown", !locked || i->loaded, locked ? "on" : "off",
	    "sign the module with an enrolled key (mokutil --import), or no Secure Boot");
}

static void check_module(const struct info *i)
{
	char text[96];

	if (i->loaded)
		snprintf(text, sizeof(text), "loaded, version %s", i->version);
	else
		snprintf(text, sizeof(text), "not loaded");
	row("module", i->loaded, text, "run 'modprobe passvm' as root");
}

int cmd_check(int argc, char **argv)
{
	struct info i = { 0 };

	options(argc, argv, NULL, 0, 0);
	if (!mod_connect(false))
		mod_call(mod_request(PASSVM_CMD_GET_INFO), on_info, &i);
	if (json)
		json_open(NULL, '[');
	check_virtualisation(&i);
	check_iommu(&i);
	check_memory();
	check_lockdown(&i);
	check_module(&i);
	if (json)
		json_close();
	return missing ? EXIT_FAILED : EXIT_DONE;
}
