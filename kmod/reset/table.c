// SPDX-License-Identifier: GPL-2.0-only
/*
 * All reset methods, and which device tries which of them in what order.
 *
 * Tour 9.1: which device tries what
 * Two arrays: all methods, and the rules that order them.
 *
 * World:   kernel
 * Context: any
 */
#include "reset/reset.h"

const struct pvm_reset_method *const pvm_reset_methods[] = {
	&pvm_reset_flr,
	&pvm_reset_af_flr,
	&pvm_reset_slot,
	&pvm_reset_bus,
	&pvm_reset_pm,
	NULL,
};

#define AMD		0x1002
#define ALL		{ "flr", "af_flr", "slot", "bus", "pm" }
#define DISPLAY		.class = 0x030000, .class_mask = 0xff0000

/*
 * Graphics chips whose firmware and engines outlive a secondary bus reset
 * although configuration space is wiped: they are reset as far as that goes and
 * never called clean for it. OBS Documentation/errata.rst#amd-bus-reset
 */
const struct pvm_reset_rule pvm_reset_rules[] = {
	/* Polaris 10 and 11, Polaris 12 */
	{ AMD, 0x67c0, 0x67ff, DISPLAY, PVM_RESET_SHALLOW_BUS, ALL },
	{ AMD, 0x6980, 0x699f, DISPLAY, PVM_RESET_SHALLOW_BUS, ALL },
	/* Vega 10, Vega 20 */
	{ AMD, 0x6860, 0x687f, DISPLAY, PVM_RESET_SHALLOW_BUS, ALL },
	{ AMD, 0x66a0, 0x66af, DISPLAY, PVM_RESET_SHALLOW_BUS, ALL },
	/* Navi 10, Navi 14, Navi 12 */
	{ AMD, 0x7310, 0x731f, DISPLAY, PVM_RESET_SHALLOW_BUS, ALL },
	{ AMD, 0x7340, 0x734f, DISPLAY, PVM_RESET_SHALLOW_BUS, ALL },
	{ AMD, 0x7360, 0x7362, DISPLAY, PVM_RESET_SHALLOW_BUS, ALL },
	/* everything else */
	{ 0, 0, 0, 0, 0, 0, ALL },
};

const struct pvm_reset_rule *pvm_reset_rule_of(const struct pci_dev *pdev)
{
	const struct pvm_reset_rule *r = pvm_reset_rules;

	for (; r->vendor; r++) {
		if (r->vendor == pdev->vendor && r->first <= pdev->device &&
		    pdev->device <= r->last && (pdev->class & r->class_mask) == r->class)
			break;
	}
	return r;
}
