// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices as the user writes them: [DOMAIN:]BUS:SLOT[.FUNCTION], VENDOR:DEVICE,
 * or both joined by '@'.
 *
 * World:   kernel
 * Context: any
 */
#include <linux/ctype.h>
#include "pass/internal.h"

/* Hexadecimal of 1..@digits digits at *@s, not above @max; moves *@s on. */
static bool scan_hex(const char **s, u32 digits, u32 max, u32 *val)
{
	u32 n = 0;

	*val = 0;
	while (n < digits && isxdigit(**s)) {
		*val = *val << 4 | hex_to_bin(**s);
		(*s)++;
		n++;
	}
	return n && !isxdigit(**s) && *val <= max;
}

static bool scan_address(const char *s, struct pvm_pass_sel *sel)
{
	const char *t = s;
	u32 a, b, c;

	if (!scan_hex(&t, 5, 0xfffff, &a) || *t++ != ':' || !scan_hex(&t, 2, 0xff, &b))
		return false;
	if (*t == ':') {
		t++;
		if (!scan_hex(&t, 2, 0x1f, &c))
			return false;
		sel->domain = a;
		sel->bus = b;
		sel->slot = c;
	} else {
		if (a > 0xff || b > 0x1f)
			return false;
		sel->domain = 0;
		sel->bus = a;
		sel->slot = b;
	}
	if (*t == '.') {
		t++;
		if (!scan_hex(&t, 1, 7, &sel->function))
			return false;
		sel->has_function = true;
	}
	sel->has_address = true;
	return !*t;
}

static bool scan_ids(const char *s, struct pvm_pass_sel *sel)
{
	const char *t = s;
	u32 vendor, device;

	/* Always four digits each, which tells them from a bus and a slot. */
	if (!scan_hex(&t, 4, 0xffff, &vendor) || t != s + 4 || *t++ != ':' ||
	    !scan_hex(&t, 4, 0xffff, &device) || t != s + 9 || *t)
		return false;
	sel->vendor = vendor;
	sel->device = device;
	sel->has_ids = true;
	return true;
}

int pvm_pass_parse(const char *text, struct pvm_pass_sel *sel, struct pvm_why *why)
{
	char part[32];
	const char *at = strchr(text, '@');
	size_t len = at ? at - text : 0;

	memset(sel, 0, sizeof(*sel));
	if (at && len < sizeof(part)) {
		memcpy(part, text, len);
		part[len] = '\0';
		if ((scan_address(part, sel) && scan_ids(at + 1, sel)) ||
		    (scan_ids(part, sel) && scan_address(at + 1, sel)))
			return 0;
	} else if (!at && (scan_ids(text, sel) || scan_address(text, sel))) {
		return 0;
	}
	memset(sel, 0, sizeof(*sel));
	return pvm_fail(why, -EINVAL,
			"'%.40s' is not a device: give an address (01:00 or 0000:01:00.0), ids (1002:731f), or both joined by @",
			text);
}

bool pvm_pass_matches(const struct pvm_pass_sel *sel, const struct pci_dev *pdev)
{
	if (sel->has_address &&
	    (pci_domain_nr(pdev->bus) != sel->domain || pdev->bus->number != sel->bus ||
	     PCI_SLOT(pdev->devfn) != sel->slot))
		return false;
	if (sel->has_address && sel->has_function && PCI_FUNC(pdev->devfn) != sel->function)
		return false;
	return !sel->has_ids || (pdev->vendor == sel->vendor && pdev->device == sel->device);
}

bool pvm_pass_same_slot(const struct pci_dev *a, const struct pci_dev *b)
{
	return a->bus == b->bus && PCI_SLOT(a->devfn) == PCI_SLOT(b->devfn);
}
