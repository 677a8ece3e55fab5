// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM configurations: good ones, each kind of mistake with its message, garbage.
 *
 * World:   user tests
 * Context: single-threaded
 */
#include "ktap.h"
#include "conf.h"
#include "stubs.h"

#define K	"kernel = /k\n"

static const char *parse(const char *text, struct conf *c, bool *ok)
{
	catch_errors();
	*ok = conf_parse("t.conf", text, strlen(text), c);
	return caught_errors();
}

static void whole(void)
{
	static const char text[] =
		"# all keys\n"
		"name     = win11\n"
		"cpus     = 2-4,8     # pinned\n"
		"memory   = 8G\n"
		"firmware = none\n"
		"kernel   = \"/boot/my kernel\"\n"
		"initrd   = /i\n"
		"cmdline  = console=ttyS0 root=/dev/vda quiet=\"a # b\" # end\n"
		"disk     = /d1 bus=virtio serial=S1\n"
		"disk     = /d2  readonly\r\n"
		"net      = bridge=br0  model=virtio  mac=52:54:00:12:34:56\n"
		"net      = tap=t0\n"
		"device   = 01:00\n"
		"device   = 1002:731f\n"
		"serial   = file=/log\n"
		"debug-exit = 0xf4\n"
		"unsafe-interrupts = yes";
	struct conf c;
	bool ok;
	const char *errors = parse(text, &c, &ok);

	if (!expect_msg(ok, "%s", errors))
		return;
	expect(!strcmp(c.name, "win11"));
	expect_eq(c.cpus, 4);
	expect_eq(c.pin[0], 2);
	expect_eq(c.pin[3], 8);
	expect_eq(c.memory_bytes, 8ull << 30);
	expect(!strcmp(c.kernel, "/boot/my kernel"));
	expect(!strcmp(c.initrd, "/i"));
	expect(!strcmp(c.cmdline, "console=ttyS0 root=/dev/vda quiet=\"a # b\""));
	expect_eq(c.disks, 2);
	expect(!strcmp(c.disk[0].serial, "S1"));
	expect(c.disk[1].readonly && !c.disk[0].readonly);
	expect_eq(c.nets, 2);
	expect_mem(c.net[0].mac, "\x52\x54\x00\x12\x34\x56", 6);
	expect(!strcmp(c.net[1].tap, "t0"));
	expect_mem(c.net[1].mac, "\x52\x54\x00", 3);
	expect_eq(c.devices, 2);
	expect(!strcmp(c.serial_file, "/log"));
	expect_eq(c.debug_exit_port, 0xf4);
	expect(c.unsafe_interrupts);
	conf_free(&c);
}

static void defaults(void)
{
	struct conf c;
	bool ok;

	parse(K, &c, &ok);
	expect(ok);
	expect(!strcmp(c.name, "t"));
	expect_eq(c.cpus, 1);
	expect_eq(c.pin[0], -1);
	expect_eq(c.memory_bytes, 1ull << 30);
	expect(!c.cmdline && !c.initrd && !c.serial_file);
	conf_free(&c);
}

static void mistakes(void)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ K "memmory = 8G\n", "t.conf:2: unknown key 'memmory'; did you mean 'memory'?" },
		{ "kernl = /x\n", "t.conf:1: unknown key 'kernl'; did you mean 'kernel'?" },
		{ K "zzzzzzzz = 1\n", "known are name, cpus" },
		{ K "memory\n", "t.conf:2: 'memory' is not of the form key = value" },
		{ K "= 5\n", "unknown key ''" },
		{ K "memory = 8Q\n", "bad size '8Q'" },
		{ K "memory = 3M\n", "not a multiple of 2M" },
		{ K "memory = 0\n", "not a multiple of 2M" },
		{ K "memory = \n", "t.conf:2: the value is missing" },
		{ K "memory = 1G\nmemory = 2G\n", "t.conf:3: memory is there a second time" },
		{ K "cpus = 0\n", "cpus is 1 to 16" },
		{ K "cpus = 17\n", "cpus is 1 to 16" },
		{ K "cpus = 0-99\n", "more than 16 vCPUs" },
		{ K "cpus = 5-2\n", "bad value '5-2'" },
		{ K "cpus = four\n", "bad value 'four'" },
		{ K "cpus = ,\n", "bad value ','" },
		{ K "firmware = uefi\n",
		  "firmware = uefi is not in this version; use 'firmware = none'" },
		{ K "firmware = non\n", "did you mean 'none'?" },
		{ "cpus = 1\n", "kernel = is missing" },
		{ "", "kernel = is missing" },
		{ K "name = a b\n", "too many words" },
		{ K "name = -x\n", "bad name '-x'" },
		{ K "name = a/b\n", "bad name 'a/b'" },
		{ K "name = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		  "longer than 63" },
		{ K "disk =\n", "needs a file or block device" },
		{ K "disk = /d bus=nvme\n", "bus=nvme is not in this version" },
		{ K "disk = /d bus=virtoi\n", "unknown bus 'virtoi'; did you mean 'virtio'?" },
		{ K "disk = /d readonyl\n",
		  "unknown option 'readonyl'; did you mean 'readonly'?" },
		{ K "disk = /d serial=123456789012345678901\n", "serial= has 1 to 20" },
		{ K "disk = \"/d\n", "a quote is not closed" },
		{ K "net = model=virtio\n", "needs bridge=NAME or tap=NAME" },
		{ K "net = bridge=b tap=t\n", "give one of bridge= and tap=" },
		{ K "net = bridge=aaaaaaaaaaaaaaaaaaa\n",
		  "is not the name of a network interface" },
		{ K "net = tap=t mac=1:2\n", "bad mac '1:2'" },
		{ K "net = tap=t mac=01:00:00:00:00:01\n", "bad mac" },
		{ K "net = tap=t mac=00:00:00:00:00:00\n", "bad mac" },
		{ K "net = tap=t model=e1000\n", "unknown model 'e1000'" },
		{ K "device =\n", "the value is missing" },
		{ K "serial = fiel=/x\n", "unknown serial 'fiel'; did you mean 'file'?" },
		{ K "debug-exit = 0\n", "bad port '0'" },
		{ K "debug-exit = 65536\n", "bad port" },
		{ K "unsafe-interrupts = maybe\n", "unknown value 'maybe'" },
		{ K "cdrom = /x.iso\n", "cdrom is not in this version" },
		{ K "audio = default\n", "audio is not in this version" },
		{ K "display = vnc=1\n", "display is not in this version" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf c;
		bool ok;
		const char *errors = parse(rows[i].text, &c, &ok);

		expect_msg(!ok, "row %zu was accepted: %s", i, rows[i].text);
		expect_msg(strstr(errors, rows[i].says), "row %zu said: %s", i, errors);
		conf_free(&c);
	}
}

/* Repeated keys have limits. */
static void too_many(void)
{
	static const char *const lines[] = { "disk = /d\n", "net = tap=t\n", "device = 01:00\n" };
	static char text[4096];
	struct conf c;
	size_t i;
	int n;
	bool ok;

	for (i = 0; i < 3; i++) {
		strcpy(text, K);
		for (n = 0; n < 20; n++)
			strcat(text, lines[i]);
		expect(strstr(parse(text, &c, &ok), "more than"));
		expect(!ok);
		conf_free(&c);
	}
	for (*text = 0, n = 0; n < 100; n++)
		strcat(text, "bad\n");
	expect(strstr(parse(text, &c, &ok), "too many mistakes"));
	expect(!ok);
	conf_free(&c);
}

/* Anything may be in a file: random bytes, and good files with random changes. */
static void garbage(void)
{
	static const char base[] = "name = x\ncpus = 1-2,3\nmemory = 8G\nkernel = \"/k\"\n"
		"disk = /d bus=virtio readonly serial=a\nnet = bridge=b mac=52:54:00:12:34:56\n"
		"device = 0000:01:00.0@1002:731f\nserial = file=/l\ndebug-exit = 0x10\n";
	char text[sizeof(base)];
	unsigned int seed = 1;
	struct conf c;
	int i, k;

	for (i = 0; i < 20000; i++) {
		memcpy(text, base, sizeof(base));
		for (k = rand_r(&seed) % 8; k >= 0; k--)
			text[rand_r(&seed) % (sizeof(text) - 1)] = rand_r(&seed);
		if (i % 10 == 0) {
			for (k = 0; k < (int)sizeof(text); k++)
				text[k] = rand_r(&seed);
		}
		catch_errors();
		conf_parse("t.conf", text, rand_r(&seed) % sizeof(text), &c);
		caught_errors();
		conf_free(&c);
	}
}

static const struct ktap_test tests[] = {
	KTAP_TEST(whole),
	KTAP_TEST(defaults),
	KTAP_TEST(mistakes),
	KTAP_TEST(too_many),
	KTAP_TEST(garbage),
};

KTAP_MAIN(tests)
