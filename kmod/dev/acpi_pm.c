// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI power management block, laid out as in ICH9: PM1, GPE0, the buttons, and
 * the APM ports by which an OS turns ACPI on.
 *
 * There is no SMM: SMI_EN says that the APM command is enabled, by which
 * firmware knows that it need not set SMM up, and "ACPI enable" is done here.
 * The SCI follows status and enable bits whether SCI_EN is set or not, as
 * nobody else could be asked. The only sleep state is S5.
 *
 * World:   pure
 * Context: device's lock held
 * Spec:    ACPI r6.5, sec 4.8.3 "ACPI Hardware Registers"; DS ICH9 "SMI_EN"
 */
#include <pvm/env.h>
#include "dev/models.h"

enum { REGION_PM1, REGION_REST, REGION_APM };

#define PM1_TMR		BIT(0)
#define PM1_GBL		BIT(5)
#define PM1_PWRBTN	BIT(8)
#define PM1_SLPBTN	BIT(9)
#define PM1_RTC		BIT(10)
#define PM1_STS_WAK	BIT(15)
#define PM1_EN_BITS	(PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC)

#define PM1_CNT_SCI_EN	BIT(0)
#define PM1_CNT_BM_RLD	BIT(1)
#define PM1_CNT_SLP_TYP	GENMASK(12, 10)
#define PM1_CNT_TYP_SHIFT 10
#define PM1_CNT_SLP_EN	BIT(13)		/* reads as 0 */

#define SMI_EN_GBL	BIT(0)
#define SMI_EN_APMC	BIT(5)

/* The PM timer's status is set each time its top bit changes. */
#define TIMER_HALF_SHIFT	31

static struct pvm_acpi_pm *acpi_of(struct pvm_dev *d)
{
	return container_of(d, struct pvm_acpi_pm, dev);
}

/* Half periods of the PM timer so far. */
static u64 acpi_timer_half(struct pvm_acpi_pm *a)
{
	return pvm_pmtimer_ticks(pvm_dev_now(&a->dev)) >> TIMER_HALF_SHIFT;
}

static u16 acpi_pm1_sts(struct pvm_acpi_pm *a)
{
	return a->pm1_sts | (acpi_timer_half(a) != a->timer_half ? PM1_TMR : 0);
}

/* Drives the SCI, and arms the timer if its next toggle would raise it. */
static void acpi_update(struct pvm_acpi_pm *a)
{
	u16 sts = acpi_pm1_sts(a);
	u64 when_ns = 0;

	pvm_dev_irq(&a->dev, a->dev.line, (sts & a->pm1_en) || (a->gpe_sts & a->gpe_en));
	if ((a->pm1_en & PM1_TMR) && !(sts & PM1_TMR))
		when_ns = pvm_muldiv64((a->timer_half + 1) << TIMER_HALF_SHIFT, PVM_NS_PER_S,
				       PVM_PMTIMER_HZ) + 1;
	pvm_dev_timer(&a->dev, 0, when_ns);
}

static void acpi_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
	acpi_update(acpi_of(d));
}

void pvm_acpi_power_button(struct pvm_acpi_pm *a)
{
	a->pm1_sts |= PM1_PWRBTN;
	acpi_update(a);
}

void pvm_acpi_sleep_button(struct pvm_acpi_pm *a)
{
	a->pm1_sts |= PM1_SLPBTN;
	acpi_update(a);
}

void pvm_acpi_gpe(struct pvm_acpi_pm *a, u32 gpe)
{
	if (gpe >= 64)
		return;
	a->gpe_sts |= BIT_ULL(gpe);
	acpi_update(a);
}

/* --- PM1: status and enable, then control ------------------------------------ */

static u64 acpi_read_pm1(struct pvm_acpi_pm *a)
{
	return acpi_pm1_sts(a) | (u64)a->pm1_en << 16 | (u64)a->pm1_cnt << 32;
}

static void acpi_sleep(struct pvm_acpi_pm *a, u16 cnt)
{
	u32 type = (cnt & PM1_CNT_SLP_TYP) >> PM1_CNT_TYP_SHIFT;

	if (type == PVM_ACPI_S5_TYPE)
		pvm_dev_signal(&a->dev, PVM_SIGNAL_POWEROFF, 0);
	else
		a->dev.host->guest_error(&a->dev, "acpi: unknown sleep type", type);
}

static void acpi_write_pm1(struct pvm_acpi_pm *a, u64 val, u64 mask)
{
	u64 merged = (acpi_read_pm1(a) & ~mask) | (val & mask);
	u16 clear = val & mask;
	u16 cnt = merged >> 32;

	a->pm1_sts &= ~clear;
	if (clear & PM1_TMR)
		a->timer_half = acpi_timer_half(a);
	a->pm1_en = (merged >> 16) & PM1_EN_BITS;
	/* SCI_EN belongs to the APM command. */
	a->pm1_cnt = (a->pm1_cnt & PM1_CNT_SCI_EN) |
		(cnt & (PM1_CNT_BM_RLD | PM1_CNT_SLP_TYP));
	if ((val & mask) >> 32 & PM1_CNT_SLP_EN)
		acpi_sleep(a, cnt);
}

/* --- GPE0, SMI control --------------------------------------------------------- */

/* Eight bytes of region 1, by their place in the PM block; the rest reads as 0. */
static u64 acpi_read_rest(const struct pvm_acpi_pm *a, u32 reg)
{
	switch (reg) {
	case PVM_ACPI_GPE0:
		return a->gpe_sts;
	case PVM_ACPI_GPE0 + 8:
		return a->gpe_en;
	case PVM_ACPI_SMI_EN:
		return a->smi_en;	/* SMI_STS above it: nothing */
	}
	return 0;
}

static void acpi_write_rest(struct pvm_acpi_pm *a, u32 reg, u64 val, u64 mask)
{
	switch (reg) {
	case PVM_ACPI_GPE0:
		a->gpe_sts &= ~(val & mask);
		break;
	case PVM_ACPI_GPE0 + 8:
		a->gpe_en = (a->gpe_en & ~mask) | (val & mask);
		break;
	case PVM_ACPI_SMI_EN:
		a->smi_en = ((a->smi_en & ~mask) | (val & mask)) | SMI_EN_APMC | SMI_EN_GBL;
		break;
	}
}

static void acpi_write_apm(struct pvm_acpi_pm *a, u64 off, u8 val)
{
	if (off) {
		a->apm_sts = val;
		return;
	}
	a->apm_cmd = val;
	if (val == PVM_ACPI_ENABLE)
		a->pm1_cnt |= PM1_CNT_SCI_EN;
	else if (val == PVM_ACPI_DISABLE)
		a->pm1_cnt &= ~PM1_CNT_SCI_EN;
}

/* --- accesses: as pieces of aligned groups of eight bytes ------------------------ */

static u8 acpi_get(struct pvm_dev *d, u64 at)
{
	struct pvm_acpi_pm *a = acpi_of(d);
	u64 group = at < 8 ? acpi_read_pm1(a) : acpi_read_rest(a, at & ~7ull);

	return group >> (8 * (at & 7));
}

static u64 acpi_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	struct pvm_acpi_pm *a = acpi_of(d);

	if (region == REGION_APM)
		return (off ? a->apm_sts : a->apm_cmd | a->apm_sts << 8) & pvm_bytes_mask(bytes);
	return pvm_dev_read_bytes(d, off + (region == REGION_REST ? PVM_ACPI_REST : 0), bytes,
				  acpi_get);
}

/* Writes what of an access falls into the group at @group. */
static void acpi_write_group(struct pvm_acpi_pm *a, u32 group, u64 at, u32 bytes, u64 val)
{
	u64 mask = pvm_bytes_mask(bytes);

	if (at >= group) {
		val <<= 8 * (at - group);
		mask <<= 8 * (at - group);
	} else {
		val >>= 8 * (group - at);
		mask >>= 8 * (group - at);
	}
	if (group)
		acpi_write_rest(a, group, val, mask);
	else
		acpi_write_pm1(a, val, mask);
}

static void acpi_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	struct pvm_acpi_pm *a = acpi_of(d);
	u64 at = off + (region == REGION_REST ? PVM_ACPI_REST : 0);
	u32 group = at & ~7ull;

	if (region == REGION_APM) {
		acpi_write_apm(a, off, val);
		if (bytes > 1)
			acpi_write_apm(a, off + 1, val >> 8);
		return;
	}
	acpi_write_group(a, group, at, bytes, val);
	if (at + bytes > group + 8)
		acpi_write_group(a, group + 8, at, bytes, val);
	acpi_update(a);
}

static void acpi_reset(struct pvm_dev *d)
{
	struct pvm_acpi_pm *a = acpi_of(d);

	a->pm1_sts = 0;
	a->pm1_en = 0;
	a->pm1_cnt = 0;
	a->gpe_sts = 0;
	a->gpe_en = 0;
	a->timer_half = acpi_timer_half(a);
	a->smi_en = SMI_EN_APMC | SMI_EN_GBL;
	a->apm_cmd = 0;
	a->apm_sts = 0;
	acpi_update(a);
}

static const struct pvm_state_desc acpi_state[] = {
	PVM_STATE(struct pvm_acpi_pm, pm1_sts),
	PVM_STATE(struct pvm_acpi_pm, pm1_en),
	PVM_STATE(struct pvm_acpi_pm, pm1_cnt),
	PVM_STATE(struct pvm_acpi_pm, gpe_sts),
	PVM_STATE(struct pvm_acpi_pm, gpe_en),
	PVM_STATE(struct pvm_acpi_pm, timer_half),
	PVM_STATE(struct pvm_acpi_pm, smi_en),
	PVM_STATE(struct pvm_acpi_pm, apm_cmd),
	PVM_STATE(struct pvm_acpi_pm, apm_sts),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_acpi_pm_ops = {
	.name	= "acpi_pm",
	.reset	= acpi_reset,
	.read	= acpi_read,
	.write	= acpi_write,
	.timer	= acpi_timer,
	.state	= acpi_state,
};
