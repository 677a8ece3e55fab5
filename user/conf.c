// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM configurations, NAME.conf: "key = value" lines.
 *
 * Every mistake of a file is told at once, each with file, line and, where a
 * word is unknown, the nearest that is known.
 *
 * World:   user
 * Context: any
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "pvmctl.h"
#include "words.h"

#define CONF_BYTES	(1u << 20)
#define WORDS		16
#define MIB		(1ull << 20)

/* The line that is being read. */
struct reader {
	struct conf *c;
	int line;
	int errors;
	uint64_t seen;			/* keys that came already, by row */
	bool firmware;			/* firmware = none was said */
};

PRINTF_LIKE(2, 3) static void mistake(struct reader *r, const char *fmt, ...)
{
	va_list args;

	r->errors++;
	fprintf(stderr, "pvmctl: %s:%d: ", r->c->path, r->line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static void unknown_word(struct reader *r, const char *what, const char *word,
			 const char *const *words, size_t count)
{
	const char *near = nearest_word(word, words, count);
	char list[256] = "";
	size_t i;

	if (near) {
		mistake(r, "unknown %s '%s'; did you mean '%s'?", what, word, near);
		return;
	}
	for (i = 0; i < count; i++) {
		if (strlen(list) + strlen(words[i]) + 3 > sizeof(list))
			break;
		strcat(list, i ? ", " : "");
		strcat(list, words[i]);
	}
	mistake(r, "unknown %s '%s'; known are %s", what, word, list);
}

/*
 * Splits @value into words at blanks; double quotes keep blanks together. The
 * words point into @value, which changes. -1 after a mistake.
 */
static int split(struct reader *r, char *value, char **word)
{
	char *in = value, *out = value;
	int n = 0;

	for (;;) {
		bool quoted = false;

		while (isblank((unsigned char)*in))
			in++;
		if (!*in)
			return n;
		if (n == WORDS) {
			mistake(r, "too many words");
			return -1;
		}
		word[n++] = out;
		for (; *in && (quoted || !isblank((unsigned char)*in)); in++) {
			if (*in == '"')
				quoted = !quoted;
			else
				*out++ = *in;
		}
		if (quoted) {
			mistake(r, "a quote is not closed");
			return -1;
		}
		if (*in)
			in++;
		*out++ = 0;
	}
}

/* One word and nothing else, or NULL after a mistake. */
static char *one_word(struct reader *r, char *value)
{
	char *word[WORDS];
	int n = split(r, value, word);

	if (n == 1 && *word[0])
		return word[0];
	if (n >= 0)
		mistake(r, n < 1 || !*word[0] ? "the value is missing" :
			"too many words; put a value with blanks into double quotes");
	return NULL;
}

/* The value of "NAME=value" if @word is that. */
static char *named_value(char *word, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(word, name, n) && word[n] == '=' ? word + n + 1 : NULL;
}

static void key_name(struct reader *r, char *value)
{
	char *w = one_word(r, value), *s;

	if (!w)
		return;
	if (strlen(w) > PASSVM_NAME_MAX) {
		mistake(r, "the name is longer than %d bytes", PASSVM_NAME_MAX);
		return;
	}
	for (s = w; *s; s++) {
		bool ok = isascii((unsigned char)*s) && (isalnum((unsigned char)*s) || *s == '_' ||
							 (s > w && (*s == '-' || *s == '.')));

		if (!ok) {
			mistake(r, "bad name '%s': letters, digits, '_', and inside '-' and '.'",
				w);
			return;
		}
	}
	strcpy(r->c->name, w);
}

/* "2-5,8": the host CPUs, one vCPU each. */
static bool parse_pins(struct reader *r, char *list)
{
	char *part, *save = NULL;
	uint32_t n = 0;

	for (part = strtok_r(list, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		uint64_t first, last;
		char *dash = strchr(part, '-');

		if (dash)
			*dash = 0;
		if (!parse_number(part, 8191, &first) ||
		    !parse_number(dash ? dash + 1 : part, 8191, &last) || last < first)
			return false;
		for (; first <= last; first++) {
			if (n == CONF_CPUS) {
				mistake(r, "more than %d vCPUs", CONF_CPUS);
				return true;
			}
			r->c->pin[n++] = first;
		}
	}
	r->c->cpus = n;
	return n;
}

static void key_cpus(struct reader *r, char *value)
{
	char *w = one_word(r, value), *copy;
	uint64_t n;

	if (!w)
		return;
	if (parse_number(w, UINT32_MAX, &n)) {
		if (!n || n > CONF_CPUS)
			mistake(r, "cpus is 1 to %d", CONF_CPUS);
		else
			r->c->cpus = n;
		return;
	}
	copy = need(strdup(w));
	if (!parse_pins(r, copy))
		mistake(r,
			"bad value '%s': a number of vCPUs, or host CPUs to pin them to as 2-5,8",
			w);
	free(copy);
}

static void key_memory(struct reader *r, char *value)
{
	char *w = one_word(r, value);
	uint64_t bytes;

	if (!w)
		return;
	if (!parse_size(w, &bytes))
		mistake(r, "bad size '%s': write it as 512M or 8G", w);
	else if (bytes < 2 * MIB || bytes % (2 * MIB))
		mistake(r, "memory = %s is not a multiple of 2M", w);
	else
		r->c->memory_bytes = bytes;
}

static void key_firmware(struct reader *r, char *value)
{
	static const char *const known[] = { "none", "bios", "uefi" };
	char *w = one_word(r, value);

	if (!w)
		return;
	if (!strcmp(w, "none"))
		r->firmware = true;
	else if (!strcmp(w, "bios") || !strcmp(w, "uefi"))
		mistake(r,
			"firmware = %s is not in this version; use 'firmware = none' and kernel =",
			w);
	else
		unknown_word(r, "firmware", w, known, 3);
}

static void take_path(struct reader *r, char *value, char **path)
{
	char *w = one_word(r, value);

	if (w)
		*path = need(strdup(w));
}

static void key_kernel(struct reader *r, char *value)
{
	r->c->kernel_line = r->line;
	take_path(r, value, &r->c->kernel);
}

static void key_initrd(struct reader *r, char *value)
{
	r->c->initrd_line = r->line;
	take_path(r, value, &r->c->initrd);
}

static void key_cmdline(struct reader *r, char *value)
{
	r->c->cmdline = need(strdup(value));
}

static void disk_bus(struct reader *r, const char *bus)
{
	static const char *const buses[] = { "virtio", "ahci", "nvme" };

	if (!strcmp(bus, "ahci") || !strcmp(bus, "nvme"))
		mistake(r, "bus=%s is not in this version; leave it out or use bus=virtio", bus);
	else if (strcmp(bus, "virtio"))
		unknown_word(r, "bus", bus, buses, ARRAY_SIZE(buses));
}

static void disk_option(struct reader *r, struct conf_disk *d, char *word)
{
	static const char *const names[] = { "bus", "readonly", "serial" };
	char *bus = named_value(word, "bus"), *serial = named_value(word, "serial");

	if (!strcmp(word, "readonly")) {
		d->readonly = true;
	} else if (bus) {
		disk_bus(r, bus);
	} else if (serial) {
		free(d->serial);
		d->serial = need(strdup(serial));
		if (!*serial || strlen(serial) > 20)
			mistake(r, "serial= has 1 to 20 characters");
	} else {
		word[strcspn(word, "=")] = 0;
		unknown_word(r, "option", word, names, ARRAY_SIZE(names));
	}
}

static void key_disk(struct reader *r, char *value)
{
	char *word[WORDS];
	int n = split(r, value, word), i;
	struct conf_disk *d;

	if (n < 0)
		return;
	if (!n || !*word[0]) {
		mistake(r, "disk = needs a file or block device");
		return;
	}
	if (r->c->disks == CONF_DISKS) {
		mistake(r, "more than %d disks", CONF_DISKS);
		return;
	}
	d = &r->c->disk[r->c->disks++];
	d->line = r->line;
	d->path = need(strdup(word[0]));
	for (i = 1; i < n; i++)
		disk_option(r, d, word[i]);
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	unsigned int b[6];
	int i, end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &end) != 6 || text[end] || end != 17)
		return false;
	for (i = 0; i < 6; i++)
		mac[i] = b[i];
	return !(mac[0] & 1) && memcmp(mac, "\0\0\0\0\0", 6);
}

static void net_interface(struct reader *r, struct conf_net *net, char **to, const char *name)
{
	if (!*name || strlen(name) > 15)
		mistake(r, "'%s' is not the name of a network interface", name);
	else if (net->bridge || net->tap)
		mistake(r, "give one of bridge= and tap=");
	else
		*to = need(strdup(name));
}

static void net_option(struct reader *r, struct conf_net *net, char *word)
{
	static const char *const names[] = { "bridge", "tap", "model", "mac" };
	static const char *const models[] = { "virtio" };
	char *value[ARRAY_SIZE(names)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		value[i] = named_value(word, names[i]);
	if (value[0]) {
		net_interface(r, net, &net->bridge, value[0]);
	} else if (value[1]) {
		net_interface(r, net, &net->tap, value[1]);
	} else if (value[2]) {
		if (strcmp(value[2], "virtio"))
			unknown_word(r, "model", value[2], models, ARRAY_SIZE(models));
	} else if (value[3]) {
		if (!parse_mac(value[3], net->mac))
			mistake(r, "bad mac '%s': write it as 52:54:00:12:34:56", value[3]);
	} else {
		word[strcspn(word, "=")] = 0;
		unknown_word(r, "option", word, names, ARRAY_SIZE(names));
	}
}

static void key_net(struct reader *r, char *value)
{
	char *word[WORDS];
	int n = split(r, value, word), i, before = r->errors;
	struct conf_net *net;

	if (n < 0)
		return;
	if (r->c->nets == CONF_NETS) {
		mistake(r, "more than %d nets", CONF_NETS);
		return;
	}
	net = &r->c->net[r->c->nets++];
	net->line = r->line;
	for (i = 0; i < n; i++)
		net_option(r, net, word[i]);
	if (!net->bridge && !net->tap && r->errors == before)
		mistake(r, "net = needs bridge=NAME or tap=NAME");
}

static void key_device(struct reader *r, char *value)
{
	char *w = one_word(r, value);

	if (!w)
		return;
	if (r->c->devices == CONF_DEVICES) {
		mistake(r, "more than %d devices", CONF_DEVICES);
		return;
	}
	r->c->device[r->c->devices].line = r->line;
	r->c->device[r->c->devices++].dev = need(strdup(w));
}

static void key_serial(struct reader *r, char *value)
{
	static const char *const options[] = { "file" };
	char *w = one_word(r, value), *v;

	if (!w)
		return;
	v = named_value(w, "file");
	r->c->serial_line = r->line;
	if (v && *v) {
		r->c->serial_file = need(strdup(v));
		return;
	}
	w[strcspn(w, "=")] = 0;
	unknown_word(r, "serial", w, options, 1);
}

static void key_debug_exit(struct reader *r, char *value)
{
	char *w = one_word(r, value);
	uint64_t port;

	if (!w)
		return;
	if (parse_number(w, 0xffff, &port) && port)
		r->c->debug_exit_port = port;
	else
		mistake(r, "bad port '%s': 1 to 0xffff", w);
}

static void key_unsafe_interrupts(struct reader *r, char *value)
{
	static const char *const words[] = { "yes", "no" };
	char *w = one_word(r, value);

	if (!w)
		return;
	r->c->unsafe_interrupts = !strcmp(w, "yes");
	if (strcmp(w, "yes") && strcmp(w, "no"))
		unknown_word(r, "value", w, words, 2);
}

static void key_cdrom(struct reader *r, char *value)
{
	(void)value;
	mistake(r, "cdrom is not in this version; give the image as 'disk = FILE readonly'");
}

static void key_audio(struct reader *r, char *value)
{
	(void)value;
	mistake(r, "audio is not in this version; pass a sound card through with device =");
}

static void key_display(struct reader *r, char *value)
{
	(void)value;
	mistake(r,
		"display is not in this version; pass a graphics card with device =");
}

static const struct {
	const char *name;
	void (*take)(struct reader *r, char *value);
	bool repeats;
} keys[] = {
	{ "name",		key_name },
	{ "cpus",		key_cpus },
	{ "memory",		key_memory },
	{ "firmware",		key_firmware },
	{ "kernel",		key_kernel },
	{ "initrd",		key_initrd },
	{ "cmdline",		key_cmdline },
	{ "disk",		key_disk,		true },
	{ "cdrom",		key_cdrom,		true },
	{ "net",		key_net,		true },
	{ "device",		key_device,		true },
	{ "serial",		key_serial },
	{ "audio",		key_audio },
	{ "display",		key_display },
	{ "debug-exit",		key_debug_exit },
	{ "unsafe-interrupts",	key_unsafe_interrupts },
};

#define KEYS	ARRAY_SIZE(keys)

/* Cuts a comment: '#' at the start or after a blank, outside double quotes. */
static void cut_comment(char *s)
{
	bool quoted = false;
	char *at = s;

	for (; *at; at++) {
		if (*at == '"')
			quoted = !quoted;
		if (*at == '#' && !quoted && (at == s || isblank((unsigned char)at[-1]))) {
			*at = 0;
			return;
		}
	}
}

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

static void read_line(struct reader *r, char *line)
{
	const char *names[KEYS];
	char *key, *value;
	size_t i;

	cut_comment(line);
	key = trim(line);
	if (!*key)
		return;
	value = strchr(key, '=');
	if (!value) {
		mistake(r, "'%.40s' is not of the form key = value", key);
		return;
	}
	*value++ = 0;
	key = trim(key);
	value = trim(value);
	for (i = 0; i < KEYS; i++) {
		names[i] = keys[i].name;
		if (!strcmp(keys[i].name, key))
			break;
	}
	if (i == KEYS) {
		if (strlen(key) > 40)
			strcpy(key + 37, "...");
		unknown_word(r, "key", key, names, KEYS);
		return;
	}
	if (!keys[i].repeats && r->seen & 1ull << i) {
		mistake(r, "%s is there a second time", key);
		return;
	}
	r->seen |= 1ull << i;
	keys[i].take(r, value);
}

/* An address that stays the same for a VM's n-th interface: a hash of its name. */
static void default_mac(const char *name, uint32_t n, uint8_t mac[6])
{
	uint32_t h = 2166136261u + n;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	mac[0] = 0x52;
	mac[1] = 0x54;
	mac[2] = 0x00;
	mac[3] = h >> 16;
	mac[4] = h >> 8;
	mac[5] = h;
}

static void name_of_file(struct reader *r)
{
	const char *base = strrchr(r->c->path, '/');
	char *copy = need(strdup(base ? base + 1 : r->c->path)), *dot = strrchr(copy, '.');

	if (dot && !strcmp(dot, ".conf"))
		*dot = 0;
	key_name(r, copy);
	free(copy);
}

static void finish(struct reader *r)
{
	struct conf *c = r->c;
	uint32_t i;

	r->line++;
	if (!*c->name && !r->errors)
		name_of_file(r);
	if (!c->kernel && !r->errors)
		mistake(r, r->firmware ? "kernel = is missing" :
			"kernel = is missing (booting by firmware is not in this version)");
	if (c->initrd && !c->kernel && !r->errors)
		mistake(r, "initrd = needs kernel =");
	for (i = 0; i < c->nets; i++) {
		static const uint8_t none[6];

		if (!memcmp(c->net[i].mac, none, 6))
			default_mac(c->name, i, c->net[i].mac);
	}
}

bool conf_parse(const char *path, const char *text, size_t bytes, struct conf *c)
{
	struct reader r = { .c = c };
	const char *end = text + bytes;
	uint32_t i;

	memset(c, 0, sizeof(*c));
	c->path = need(strdup(path));
	c->cpus = 1;
	c->memory_bytes = 1024 * MIB;
	for (i = 0; i < CONF_CPUS; i++)
		c->pin[i] = -1;
	while (text < end) {
		const char *eol = memchr(text, '\n', end - text);
		size_t n = (eol ? eol : end) - text;
		char *line = need(strndup(text, n));

		r.line++;
		if (memchr(text, 0, n))
			mistake(&r, "this is no text file");
		else
			read_line(&r, line);
		free(line);
		if (r.errors >= 20) {
			mistake(&r, "too many mistakes; giving up");
			return false;
		}
		text += n + 1;
	}
	finish(&r);
	return !r.errors;
}

bool conf_read(const char *path, struct conf *c)
{
	FILE *f = fopen(path, "r");
	char *text;
	size_t n;
	bool ok;

	memset(c, 0, sizeof(*c));
	if (!f) {
		complain("%s: %s", path, strerror(errno));
		return false;
	}
	text = need(malloc(CONF_BYTES + 1));
	errno = 0;
	n = fread(text, 1, CONF_BYTES + 1, f);
	if (ferror(f)) {
		complain("%s: %s", path, strerror(errno));
		ok = false;
	} else if (n > CONF_BYTES) {
		complain("%s: larger than a configuration can be", path);
		ok = false;
	} else {
		ok = conf_parse(path, text, n, c);
	}
	fclose(f);
	free(text);
	return ok;
}

void conf_free(struct conf *c)
{
	uint32_t i;

	for (i = 0; i < c->disks; i++) {
		free(c->disk[i].path);
		free(c->disk[i].serial);
	}
	for (i = 0; i < c->nets; i++) {
		free(c->net[i].bridge);
		free(c->net[i].tap);
	}
	for (i = 0; i < c->devices; i++)
		free(c->device[i].dev);
	free(c->path);
	free(c->kernel);
	free(c->initrd);
	free(c->cmdline);
	free(c->serial_file);
	memset(c, 0, sizeof(*c));
}

/* PATH of @what in @folder ("" or ending in '/'), with @suffix, if there is such a file. */
static char *try_path(const char *folder, const char *what, const char *suffix)
{
	size_t bytes = strlen(folder) + strlen(what) + strlen(suffix) + 1;
	char *path = need(malloc(bytes));
	struct stat st;

	snprintf(path, bytes, "%s%s%s", folder, what, suffix);
	if (!stat(path, &st) && !S_ISDIR(st.st_mode))
		return path;
	free(path);
	return NULL;
}

char *conf_find(const char *what)
{
	const char *dot = strrchr(what, '.');
	const char *suffix = dot && !strcmp(dot, ".conf") ? "" : ".conf";
	char *path = try_path("", what, "");

	if (!path)
		path = try_path("", what, suffix);
	/* In the folder of configurations names are looked for, not paths. */
	if (!path && !strchr(what, '/'))
		path = try_path(CONF_FOLDER "/", what, suffix);
	if (!path)
		complain("there is no configuration '%s', neither here nor in %s", what,
			 CONF_FOLDER);
	return path;
}
