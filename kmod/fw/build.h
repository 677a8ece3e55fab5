/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writers that the files of this folder share: bytes, and AML on top of them.
 *
 * A writer that runs out of room notes it in ->full and drops the rest, so that
 * only the end needs a check.
 *
 * World:   pure
 * Context: any
 * Spec:    ACPI r6.5, sec 20 "ACPI Machine Language (AML) Specification"
 */
#ifndef PVM_FW_BUILD_H
#define PVM_FW_BUILD_H

#include "fw/fw.h"

struct pvm_fw_buf {
	u8 *data;
	u32 used;
	u32 room;
	bool full;
};

static inline void pvm_fw_put(struct pvm_fw_buf *b, u64 val, u32 bytes)
{
	if (b->full || b->room - b->used < bytes) {
		b->full = true;
		return;
	}
	for (; bytes; bytes--, val >>= 8)
		b->data[b->used++] = val;
}

static inline void pvm_fw_put_bytes(struct pvm_fw_buf *b, const void *from, u32 bytes)
{
	if (b->full || b->room - b->used < bytes) {
		b->full = true;
		return;
	}
	memcpy(b->data + b->used, from, bytes);
	b->used += bytes;
}

static inline void pvm_fw_put_zero(struct pvm_fw_buf *b, u32 bytes)
{
	if (b->full || b->room - b->used < bytes) {
		b->full = true;
		return;
	}
	memset(b->data + b->used, 0, bytes);
	b->used += bytes;
}

/* What makes the sum of all @bytes 0, when the place for it holds 0. */
static inline u8 pvm_fw_checksum(const u8 *data, u32 bytes)
{
	u8 sum = 0;

	while (bytes--)
		sum += *data++;
	return -sum;
}

/* --- AML (aml.c) ---------------------------------------------------------------- */

#define PVM_AML_DEPTH	8

struct pvm_aml {
	struct pvm_fw_buf *b;
	u32 start[PVM_AML_DEPTH];	/* of what is open, behind its opcode */
	u32 depth;
};

/* Opcodes that stand alone or take what is written after them. */
enum pvm_aml_op {
	PVM_AML_ZERO	= 0x00,
	PVM_AML_ONE	= 0x01,
	PVM_AML_LOCAL0	= 0x60,
	PVM_AML_ARG0	= 0x68,
	PVM_AML_ARG1	= 0x69,
	PVM_AML_ARG3	= 0x6b,
	PVM_AML_STORE	= 0x70,		/* value, target */
	PVM_AML_AND	= 0x7b,		/* value, value, target */
	PVM_AML_OR	= 0x7d,
	PVM_AML_DWORD_FIELD = 0x8a,	/* buffer, byte index, name */
	PVM_AML_LNOT	= 0x92,
	PVM_AML_LEQUAL	= 0x93,
	PVM_AML_RETURN	= 0xa4,
};

/*
 * These open something that pvm_aml_end() closes. Names are paths as ASL writes
 * them, "\\_SB.PCI0"; short segments are padded.
 */
void pvm_aml_scope(struct pvm_aml *a, const char *name);
void pvm_aml_device(struct pvm_aml *a, const char *name);
void pvm_aml_method(struct pvm_aml *a, const char *name, u32 args);
void pvm_aml_if(struct pvm_aml *a);		/* the predicate follows */
void pvm_aml_else(struct pvm_aml *a);		/* right after the end of an if */
void pvm_aml_package(struct pvm_aml *a, u8 elements);
void pvm_aml_end(struct pvm_aml *a);

/* Name (@name, and then one object */
void pvm_aml_name(struct pvm_aml *a, const char *name);
void pvm_aml_path(struct pvm_aml *a, const char *name);	/* a reference */
void pvm_aml_op(struct pvm_aml *a, enum pvm_aml_op op);
void pvm_aml_int(struct pvm_aml *a, u64 val);
void pvm_aml_string(struct pvm_aml *a, const char *s);
void pvm_aml_eisaid(struct pvm_aml *a, const char *id);	/* "PNP0A08" */
void pvm_aml_bytes(struct pvm_aml *a, const u8 *bytes, u32 n);	/* a buffer */

/* Resources: Name (_CRS, ResourceTemplate () { ... }) */
void pvm_aml_crs(struct pvm_aml *a);
void pvm_aml_crs_end(struct pvm_aml *a);
void pvm_aml_io(struct pvm_aml *a, u16 port, u8 ports);
void pvm_aml_irq(struct pvm_aml *a, u32 irq);
void pvm_aml_mem32(struct pvm_aml *a, u32 base_gpa, u32 bytes);
/* Windows of a bridge: @last is inclusive. */
void pvm_aml_bus_window(struct pvm_aml *a, u16 first, u16 last);
void pvm_aml_io_window(struct pvm_aml *a, u16 first, u16 last);
void pvm_aml_mem32_window(struct pvm_aml *a, u32 first, u32 last, bool cacheable);
void pvm_aml_mem64_window(struct pvm_aml *a, u64 first, u64 last);

/* dsdt.c: the body of the DSDT */
void pvm_fw_dsdt(const struct pvm_fw_board *b, struct pvm_aml *a);

/* acpi.c: FACS and tables into @out, which begins at img->piece[PVM_FW_TABLES].offset; the RSDP */
void pvm_fw_acpi(const struct pvm_fw_board *b, struct pvm_fw_image *img, struct pvm_fw_buf *out);
void pvm_fw_rsdp(struct pvm_fw_image *img, struct pvm_fw_buf *out);

/* smbios.c: the structures, then the two anchors for them */
struct pvm_fw_smbios_info {
	u32 bytes, count, largest_bytes;
};

void pvm_fw_smbios(const struct pvm_fw_board *b, struct pvm_fw_buf *out,
		   struct pvm_fw_smbios_info *info);
void pvm_fw_smbios3_anchor(u64 gpa, const struct pvm_fw_smbios_info *info,
			   struct pvm_fw_buf *out);
void pvm_fw_smbios_anchor(u32 gpa, const struct pvm_fw_smbios_info *info,
			  struct pvm_fw_buf *out);

/* e820.c: 0 or -EINVAL */
int pvm_fw_check(const struct pvm_fw_board *b);

#endif /* PVM_FW_BUILD_H */
