// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI tables: a walk from the RSDP, fields, the noted pointers and checksums,
 * and what iasl says about all of them where it is installed.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include <stdlib.h>
#include <unistd.h>
#include "fw_sample.h"

static u8 sum(const u8 *at, u32 bytes)
{
	u8 s = 0;

	while (bytes--)
		s += *at++;
	return s;
}

/* A table at @gpa with a right checksum, or NULL. */
static const u8 *table_at(u64 gpa)
{
	const u8 *t = fw_at(gpa, 36);
	u32 bytes;

	if (!expect_msg(t, "no table at 0x%llx", (unsigned long long)gpa))
		return NULL;
	bytes = get_unaligned_le32(t + 4);
	if (!expect(fw_at(gpa, bytes)) || !expect_eq(sum(t, bytes), 0))
		return NULL;
	return t;
}

/* By XSDT; RSDT must list the same. */
static const u8 *table(const char *signature)
{
	const u8 *rsdp = fw_at(0xf0000, 36), *xsdt, *rsdt, *t;
	u32 i, n;

	xsdt = table_at(get_unaligned_le64(rsdp + 24));
	rsdt = table_at(get_unaligned_le32(rsdp + 16));
	if (!xsdt || !rsdt)
		return NULL;
	n = (get_unaligned_le32(xsdt + 4) - 36) / 8;
	expect_eq((get_unaligned_le32(rsdt + 4) - 36) / 4, n);
	for (i = 0; i < n; i++) {
		expect_eq(get_unaligned_le64(xsdt + 36 + i * 8),
			  get_unaligned_le32(rsdt + 36 + i * 4));
		t = table_at(get_unaligned_le64(xsdt + 36 + i * 8));
		if (t && !memcmp(t, signature, 4))
			return t;
	}
	return NULL;
}

static void rsdp(void)
{
	const u8 *r;

	expect_eq(fw_make(&fw_board), 0);
	r = fw_at(0xf0000, 36);
	expect_mem(r, "RSD PTR ", 8);
	expect_eq(r[15], 2);
	expect_eq(sum(r, 20), 0);
	expect_eq(sum(r, 36), 0);
	expect(table("FACP") && table("APIC") && table("HPET") && table("MCFG") && table("WAET"));
	expect(!table("SSDT"));
}

static void fadt(void)
{
	const u8 *f, *facs, *dsdt;

	expect_eq(fw_make(&fw_board), 0);
	f = table("FACP");
	expect_eq(get_unaligned_le32(f + 4), 276);
	expect_eq(f[8], 6);
	facs = fw_at(get_unaligned_le32(f + 36), 64);
	expect_mem(facs, "FACS", 4);
	expect_eq(get_unaligned_le32(facs + 4), 64);
	expect_eq(facs[32], 2);
	expect_eq(get_unaligned_le32(f + 36) & 0xfff, 0);
	dsdt = table_at(get_unaligned_le64(f + 140));
	expect_mem(dsdt, "DSDT", 4);
	expect_eq(get_unaligned_le32(f + 40), get_unaligned_le64(f + 140));
	expect_eq(get_unaligned_le16(f + 46), 9);
	expect_eq(get_unaligned_le32(f + 48), 0xb2);
	expect_eq(f[52], 2);
	expect_eq(f[53], 3);
	expect_eq(get_unaligned_le32(f + 76), 0x608);
	expect_eq(get_unaligned_le32(f + 80), 0x620);
	expect_eq(f[92], 16);
	expect_eq(f[108], 0x32);
	expect_eq(get_unaligned_le16(f + 109), 3);
	expect_eq(get_unaligned_le32(f + 112), 0x525);
	expect_mem(f + 116, "\1\10\0\1\xf9\x0c\0\0\0\0\0\0\6", 13);
	/* Each extended block says what the legacy field does. */
	expect_eq(f[149], 8 * f[88]);
	expect_eq(get_unaligned_le64(f + 152), get_unaligned_le32(f + 56));
	expect_eq(f[173], 8 * f[89]);
	expect_eq(get_unaligned_le64(f + 176), get_unaligned_le32(f + 64));
	expect_eq(f[209], 8 * f[91]);
	expect_eq(get_unaligned_le64(f + 212), get_unaligned_le32(f + 76));
	expect_eq(f[221], 8 * f[92]);
	expect_eq(get_unaligned_le64(f + 224), get_unaligned_le32(f + 80));
}

static void madt(void)
{
	struct pvm_fw_board b = fw_board;
	u32 off, bytes, cpus = 0, x2 = 0, ioapics = 0, overrides = 0, nmis = 0;
	const u8 *m;

	b.apic_id[3] = 0x12345;
	b.ioapic_id = 7;
	expect_eq(fw_make(&b), 0);
	m = table("APIC");
	bytes = get_unaligned_le32(m + 4);
	expect_eq(get_unaligned_le32(m + 36), 0xfee00000);
	expect_eq(get_unaligned_le32(m + 40), 1);
	for (off = 44; off + 2 <= bytes && m[off + 1] >= 2; off += m[off + 1]) {
		const u8 *e = m + off;

		switch (e[0]) {
		case 0:
			expect_eq(e[2], cpus);
			expect_eq(e[3], cpus++);
			expect_eq(get_unaligned_le32(e + 4), 1);
			break;
		case 9:
			expect_eq(get_unaligned_le32(e + 4), 0x12345);
			expect_eq(get_unaligned_le32(e + 12), 3);
			x2++;
			break;
		case 1:
			expect_eq(e[2], 7);
			expect_eq(get_unaligned_le32(e + 4), 0xfec00000);
			ioapics++;
			break;
		case 2:
			overrides++;
			expect_eq(get_unaligned_le32(e + 4), e[3] ? e[3] : 2);
			expect_eq(get_unaligned_le16(e + 8), e[3] == 9 ? 0xd : 0);
			break;
		case 4:
			expect_eq(e[2], 0xff);
			expect_eq(e[5], 1);
			nmis++;
			break;
		default:
			expect_msg(false, "entry of type %u", e[0]);
		}
	}
	expect_eq(off, bytes);
	expect_eq(cpus, 3);
	expect_eq(x2, 1);
	expect_eq(ioapics, 1);
	expect_eq(overrides, 2);
	expect_eq(nmis, 1);
}

static void other_tables(void)
{
	struct pvm_fw_board b = fw_board;
	const u8 *t;

	expect_eq(fw_make(&b), 0);
	t = table("HPET");
	expect_eq(get_unaligned_le32(t + 4), 56);
	expect_eq(get_unaligned_le32(t + 36), 0x8086a201);
	expect_eq(get_unaligned_le64(t + 44), 0xfed00000);
	t = table("MCFG");
	expect_eq(get_unaligned_le32(t + 4), 60);
	expect_eq(get_unaligned_le64(t + 44), 0xe0000000);
	expect_eq(get_unaligned_le32(t + 52), 0xff000000);
	b.flags = 0;
	b.ecam_gpa = PVM_NO_ADDR;
	expect_eq(fw_make(&b), 0);
	expect(!table("HPET") && !table("MCFG"));
	t = table("FACP");
	expect_eq(get_unaligned_le16(t + 109), 0x25);
	expect_eq(t[108], 0);
}

/* A table loader moves everything: patch what is noted, sum again. */
static void relocation(void)
{
	const u64 delta = 0x1234000;
	u32 i;

	expect_eq(fw_make(&fw_board), 0);
	for (i = 0; i < fw_img.pointers; i++) {
		const struct pvm_fw_pointer *p = &fw_img.pointer[i];
		u8 *at = fw_data + fw_img.piece[p->piece].offset + p->offset;
		u64 old = p->bytes == 8 ? get_unaligned_le64(at) : get_unaligned_le32(at);

		expect(fw_at(old, 36));
		if (p->bytes == 8)
			put_unaligned_le64(old + delta, at);
		else
			put_unaligned_le32(old + delta, at);
	}
	for (i = 0; i < fw_img.tables; i++) {
		const struct pvm_fw_table *t = &fw_img.table[i];
		u8 *at = fw_data + fw_img.piece[t->piece].offset;

		at[t->checksum_offset] = 0;
		at[t->checksum_offset] = -sum(at + t->offset, t->bytes);
	}
	fw_img.piece[PVM_FW_TABLES].gpa += delta;
	expect_eq(sum(fw_at(0xf0000, 36), 36), 0);
	expect(table("FACP") && table("APIC") && table("WAET"));
	expect(table_at(get_unaligned_le64(table("FACP") + 140)));
	expect(fw_at(get_unaligned_le32(table("FACP") + 36), 64));
}

static void no_room(void)
{
	u32 room, whole;

	expect_eq(fw_make(&fw_board), 0);
	whole = fw_img.used_bytes;
	expect_in(whole, 4096, PVM_FW_ROOM_BYTES);
	for (room = 0; room < whole; room += 61) {
		memset(fw_data, 0xee, sizeof(fw_data));
		fw_img.room_bytes = room;
		expect_eq(pvm_fw_build(&fw_board, &fw_img), -ENOSPC);
		expect_eq(fw_data[room], 0xee);
	}
	fw_img.room_bytes = whole;
	expect_eq(pvm_fw_build(&fw_board, &fw_img), 0);
}

static void largest_board(void)
{
	struct pvm_fw_board b = fw_board;
	u32 i;

	b.cpus = PVM_MAX_VCPUS;
	for (i = 0; i < b.cpus; i++)
		b.apic_id[i] = 0x10000 + i;
	expect_eq(fw_make(&b), 0);
	expect_in(fw_img.piece[PVM_FW_TABLES].bytes, 4096, PVM_FW_TABLES_BYTES);
}

/* --- iasl --------------------------------------------------------------------------- */

static char dir[] = "/tmp/passvm-acpi-XXXXXX";

static bool save(const char *name, const u8 *t)
{
	char path[128];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s.dat", dir, name);
	f = fopen(path, "wb");
	if (!f)
		return false;
	ok = fwrite(t, get_unaligned_le32(t + 4), 1, f) == 1;
	return !fclose(f) && ok;
}

/* Runs in dir; the end of its output is shown when it fails. */
static bool shell(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && { %s; } >log 2>&1 || "
		 "{ tail -n 6 log | sed 's/^/# /'; exit 1; }", dir, command);
	return system(line) == 0;
}

/*
 * Disassembles a table, assembles what comes out without an error, a warning or
 * a remark, and compares: byte by byte, but for the creator and the checksum.
 */
static void through_iasl(const char *name, const u8 *t, u32 variant)
{
	char command[320];

	expect(save(name, t));
	snprintf(command, sizeof(command),
		 "iasl -d %s.dat && ! grep -E 'ERROR|Warning|External|nvalid|Unknown' %s.dsl && "
		 "iasl -oa -p re %s.dsl >out && grep ' 0 Errors, 0 Warnings, 0 Remarks' out && "
		 "cmp -i 10 -n 18 %s.dat re.aml && cmp -i 36 %s.dat re.aml",
		 name, name, name, name, name);
	expect_msg(shell(command), "%s, variant %u", name, variant);
}

static void iasl(void)
{
	static const char *const names[] = { "FACP", "APIC", "HPET", "MCFG", "WAET" };
	char command[64];
	u32 i, variant;

	if (system("command -v iasl >/dev/null 2>&1"))
		return ktap_skip("iasl is not installed (acpica-tools)");
	if (!expect(mkdtemp(dir)))
		return;
	for (variant = 0; variant < 3; variant++) {
		struct pvm_fw_board b = fw_board;

		if (variant == 1) {
			b.cpus = PVM_MAX_VCPUS;
			for (i = 0; i < b.cpus; i++)
				b.apic_id[i] = i;
			b.low_ram_bytes = 2 << 20;
			b.high_ram_bytes = 0;
			b.mem32[1].bytes = 0;
			b.mem64.bytes = 0;
		} else if (variant == 2) {
			b.flags = PVM_FW_HPET;
			b.cpus = 1;
			b.apic_id[0] = 0x12345;
		}
		expect_eq(fw_make(&b), 0);
		for (i = 0; i < ARRAY_SIZE(names); i++)
			through_iasl(names[i], table(names[i]), variant);
		through_iasl("DSDT", table_at(get_unaligned_le64(table("FACP") + 140)), variant);
	}
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	expect(!system(command));
}

static const struct ktap_test tests[] = {
	KTAP_TEST(rsdp),
	KTAP_TEST(fadt),
	KTAP_TEST(madt),
	KTAP_TEST(other_tables),
	KTAP_TEST(relocation),
	KTAP_TEST(no_room),
	KTAP_TEST(largest_board),
	KTAP_TEST(iasl),
};

KTAP_MAIN(tests)
