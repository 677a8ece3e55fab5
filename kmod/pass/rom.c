// SPDX-License-Identifier: GPL-2.0-only
/*
 * The expansion ROM: read once when the device is claimed, then a copy.
 *
 * A copy, because on many cards reading the ROM takes the memory BARs away for
 * the time, and because what the guest's firmware executes should be what the
 * card held before any guest ran.
 *
 * World:   kernel
 * Context: process, may sleep
 * Spec:    PCI r3.0, sec 6.3 "PCI Expansion ROMs"
 */
#include <linux/io.h>
#include <linux/mm.h>
#include "pass/internal.h"

#define ROM_MAX_BYTES	(16u << 20)	/* the largest that a ROM BAR can have */
#define ROM_HEADER_BYTES 0x1c

/* PCI r3.0, sec 6.3.1: signature, and a data structure that lies inside. */
static bool rom_is_valid(const u8 *rom, u32 bytes)
{
	u32 pcir;

	if (bytes < ROM_HEADER_BYTES || rom[0] != 0x55 || rom[1] != 0xaa)
		return false;
	pcir = get_unaligned_le16(rom + 0x18);
	return pcir + 4 <= bytes && !memcmp(rom + pcir, "PCIR", 4);
}

/* A copy of @bytes at @io if that is a ROM, else NULL. */
static u8 *rom_copy(const void __iomem *io, u32 bytes)
{
	u8 *rom = bytes ? kvmalloc(bytes, GFP_KERNEL) : NULL;

	if (!rom)
		return NULL;
	memcpy_fromio(rom, io, bytes);
	if (rom_is_valid(rom, bytes))
		return rom;
	kvfree(rom);
	return NULL;
}

static void rom_from_bar(struct pvm_pass *p)
{
	size_t bytes = 0;
	void __iomem *io;

	/* A shadow in low memory counts, too: it is what the boot display has. */
	if (!pci_resource_len(p->pdev, PCI_ROM_RESOURCE) ||
	    !(pci_resource_flags(p->pdev, PCI_ROM_RESOURCE)))
		return;
	io = pci_map_rom(p->pdev, &bytes);
	if (!io)
		return;
	p->rom_bytes = min_t(size_t, bytes, ROM_MAX_BYTES);
	p->rom = rom_copy(io, p->rom_bytes);
	pci_unmap_rom(p->pdev, io);
}

/* What the firmware read and handed to the kernel at boot. */
static void rom_from_firmware(struct pvm_pass *p)
{
	void __iomem *io;

	if (!p->pdev->rom || !p->pdev->romlen)
		return;
	p->rom_bytes = min_t(size_t, p->pdev->romlen, ROM_MAX_BYTES);
	io = ioremap(p->pdev->rom, p->rom_bytes);
	if (!io)
		return;
	p->rom = rom_copy(io, p->rom_bytes);
	iounmap(io);
}

void pvm_pass_rom_read(struct pvm_pass *p)
{
	rom_from_bar(p);
	if (!p->rom)
		rom_from_firmware(p);
	if (!p->rom)
		p->rom_bytes = 0;
}

void pvm_pass_rom_free(struct pvm_pass *p)
{
	kvfree(p->rom);
	p->rom = NULL;
	p->rom_bytes = 0;
}
