// SPDX-License-Identifier: GPL-2.0-only
/*
 * AML byte builder.
 *
 * What has a length (scopes, devices, methods, packages, buffers) is written
 * first and gets its length in front when it is closed, by moving it up by the
 * one to three bytes that the length takes.
 *
 * World:   pure
 * Context: any
 * Spec:    ACPI r6.5, sec 20.2 "AML Grammar Definition",
 *          ACPI r6.5, sec 6.4 "Resource Data Types for ACPI"
 */
#include "fw/build.h"

#define OP_NAME		0x08
#define OP_BYTE		0x0a
#define OP_WORD		0x0b
#define OP_DWORD	0x0c
#define OP_STRING	0x0d
#define OP_QWORD	0x0e
#define OP_SCOPE	0x10
#define OP_BUFFER	0x11
#define OP_PACKAGE	0x12
#define OP_METHOD	0x14
#define OP_DUAL_NAME	0x2e
#define OP_MULTI_NAME	0x2f
#define OP_EXT		0x5b
#define OP_EXT_DEVICE	0x82
#define OP_IF		0xa0
#define OP_ELSE		0xa1

#define NAME_SEG_CHARS	4
#define NAME_MAX_SEGS	8

static void put(struct pvm_aml *a, u64 val, u32 bytes)
{
	pvm_fw_put(a->b, val, bytes);
}

/* --- what has a length ---------------------------------------------------------- */

static void begin(struct pvm_aml *a)
{
	if (a->depth >= PVM_AML_DEPTH) {
		a->b->full = true;
		return;
	}
	a->start[a->depth++] = a->b->used;
}

/* ACPI r6.5, sec 20.2.4 "Package Length Encoding"; the length counts itself. */
void pvm_aml_end(struct pvm_aml *a)
{
	struct pvm_fw_buf *b = a->b;
	u32 start, bytes, extra;
	u8 *at;

	if (b->full || !a->depth) {
		b->full = true;
		return;
	}
	start = a->start[--a->depth];
	bytes = b->used - start;
	extra = bytes + 1 < 0x40 ? 1 : bytes + 2 < 0x1000 ? 2 : 3;
	if (b->room - b->used < extra) {
		b->full = true;
		return;
	}
	at = b->data + start;
	memmove(at + extra, at, bytes);
	b->used += extra;
	bytes += extra;
	if (extra == 1) {
		at[0] = bytes;
		return;
	}
	at[0] = (extra - 1) << 6 | (bytes & 0xf);
	at[1] = bytes >> 4;
	if (extra == 3)
		at[2] = bytes >> 12;
}

/* ACPI r6.5, sec 20.2.2 "Name Objects Encoding" */
void pvm_aml_path(struct pvm_aml *a, const char *name)
{
	u32 segs = 1, chars = 0;
	const char *c;

	for (; *name == '\\' || *name == '^'; name++)
		put(a, *name, 1);
	for (c = name; *c; c++)
		segs += *c == '.';
	if (segs > NAME_MAX_SEGS) {
		a->b->full = true;
		return;
	}
	if (segs == 2) {
		put(a, OP_DUAL_NAME, 1);
	} else if (segs > 2) {
		put(a, OP_MULTI_NAME, 1);
		put(a, segs, 1);
	}
	for (; ; name++) {
		if (*name && *name != '.') {
			put(a, *name, 1);
			chars++;
			continue;
		}
		for (; chars < NAME_SEG_CHARS; chars++)
			put(a, '_', 1);
		chars = 0;
		if (!*name)
			return;
	}
}

void pvm_aml_scope(struct pvm_aml *a, const char *name)
{
	put(a, OP_SCOPE, 1);
	begin(a);
	pvm_aml_path(a, name);
}

void pvm_aml_device(struct pvm_aml *a, const char *name)
{
	put(a, OP_EXT, 1);
	put(a, OP_EXT_DEVICE, 1);
	begin(a);
	pvm_aml_path(a, name);
}

void pvm_aml_method(struct pvm_aml *a, const char *name, u32 args)
{
	put(a, OP_METHOD, 1);
	begin(a);
	pvm_aml_path(a, name);
	/* Serialized, since all of ours create named objects. */
	put(a, (args & 7) | 1 << 3, 1);
}

void pvm_aml_if(struct pvm_aml *a)
{
	put(a, OP_IF, 1);
	begin(a);
}

void pvm_aml_else(struct pvm_aml *a)
{
	put(a, OP_ELSE, 1);
	begin(a);
}

void pvm_aml_package(struct pvm_aml *a, u8 elements)
{
	put(a, OP_PACKAGE, 1);
	begin(a);
	put(a, elements, 1);
}

/* --- data ----------------------------------------------------------------------- */

void pvm_aml_name(struct pvm_aml *a, const char *name)
{
	put(a, OP_NAME, 1);
	pvm_aml_path(a, name);
}

void pvm_aml_op(struct pvm_aml *a, enum pvm_aml_op op)
{
	put(a, op, 1);
}

void pvm_aml_int(struct pvm_aml *a, u64 val)
{
	if (val <= 1) {
		put(a, val ? PVM_AML_ONE : PVM_AML_ZERO, 1);
	} else if (val <= 0xff) {
		put(a, OP_BYTE, 1);
		put(a, val, 1);
	} else if (val <= 0xffff) {
		put(a, OP_WORD, 1);
		put(a, val, 2);
	} else if (val <= 0xffffffff) {
		put(a, OP_DWORD, 1);
		put(a, val, 4);
	} else {
		put(a, OP_QWORD, 1);
		put(a, val, 8);
	}
}

void pvm_aml_string(struct pvm_aml *a, const char *s)
{
	put(a, OP_STRING, 1);
	for (; *s; s++)
		put(a, *s, 1);
	put(a, 0, 1);
}

/* Three letters of 5 bits and four hexadecimal digits, big endian. */
void pvm_aml_eisaid(struct pvm_aml *a, const char *id)
{
	u32 val = 0, i;

	for (i = 0; i < 7 && id[i]; i++) {
		u32 digit = id[i] >= 'A' ? id[i] - 'A' + 10 : id[i] - '0';

		val = i < 3 ? val << 5 | (id[i] & 0x1f) : val << 4 | (digit & 0xf);
	}
	pvm_aml_int(a, val >> 24 | (val >> 8 & 0xff00) | (val & 0xff00) << 8 | val << 24);
}

void pvm_aml_bytes(struct pvm_aml *a, const u8 *bytes, u32 n)
{
	put(a, OP_BUFFER, 1);
	begin(a);
	pvm_aml_int(a, n);
	pvm_fw_put_bytes(a->b, bytes, n);
	pvm_aml_end(a);
}

/* --- resources ------------------------------------------------------------------- */

void pvm_aml_crs(struct pvm_aml *a)
{
	pvm_aml_name(a, "_CRS");
	put(a, OP_BUFFER, 1);
	begin(a);
}

/* A buffer says its size as an integer object in front of its bytes. */
void pvm_aml_crs_end(struct pvm_aml *a)
{
	struct pvm_fw_buf *b = a->b;
	u32 bytes, extra;
	u8 *at;

	put(a, 0x79, 1);	/* end tag, no checksum */
	put(a, 0, 1);
	if (b->full || !a->depth) {
		b->full = true;
		return;
	}
	at = b->data + a->start[a->depth - 1];
	bytes = b->data + b->used - at;
	extra = bytes <= 0xff ? 2 : 3;
	if (b->room - b->used < extra) {
		b->full = true;
		return;
	}
	memmove(at + extra, at, bytes);
	b->used += extra;
	at[0] = extra == 2 ? OP_BYTE : OP_WORD;
	at[1] = bytes;
	if (extra == 3)
		at[2] = bytes >> 8;
	pvm_aml_end(a);
}

void pvm_aml_io(struct pvm_aml *a, u16 port, u8 ports)
{
	put(a, 0x47, 1);
	put(a, 1, 1);		/* decodes 16 bits */
	put(a, port, 2);
	put(a, port, 2);
	put(a, 1, 1);		/* alignment */
	put(a, ports, 1);
}

void pvm_aml_irq(struct pvm_aml *a, u32 irq)
{
	put(a, 0x22, 1);	/* edge, active high, exclusive */
	put(a, 1u << irq, 2);
}

void pvm_aml_mem32(struct pvm_aml *a, u32 base_gpa, u32 bytes)
{
	put(a, 0x86, 1);
	put(a, 9, 2);
	put(a, 1, 1);		/* writable */
	put(a, base_gpa, 4);
	put(a, bytes, 4);
}

#define SPACE_MEM	0
#define SPACE_IO	1
#define SPACE_BUS	2
#define SPACE_FIXED	0x0c	/* producer, both ends fixed */

/* ACPI r6.5, sec 6.4.3.5 "Address Space Resource Descriptors", by width in bytes */
static void window(struct pvm_aml *a, u32 width, u32 kind_flags, u64 first, u64 last)
{
	put(a, width == 2 ? 0x88 : width == 4 ? 0x87 : 0x8a, 1);
	put(a, 3 + 5 * width, 2);
	put(a, kind_flags & 0xff, 1);
	put(a, SPACE_FIXED, 1);
	put(a, kind_flags >> 8, 1);
	put(a, 0, width);	/* granularity */
	put(a, first, width);
	put(a, last, width);
	put(a, 0, width);	/* translation */
	put(a, last - first + 1, width);
}

void pvm_aml_bus_window(struct pvm_aml *a, u16 first, u16 last)
{
	window(a, 2, SPACE_BUS, first, last);
}

void pvm_aml_io_window(struct pvm_aml *a, u16 first, u16 last)
{
	window(a, 2, SPACE_IO | 3 << 8, first, last);	/* ISA and other ports */
}

void pvm_aml_mem32_window(struct pvm_aml *a, u32 first, u32 last, bool cacheable)
{
	window(a, 4, SPACE_MEM | (cacheable ? 3 : 1) << 8, first, last);
}

void pvm_aml_mem64_window(struct pvm_aml *a, u64 first, u64 last)
{
	window(a, 8, SPACE_MEM | 1 << 8, first, last);
}
