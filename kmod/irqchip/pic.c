// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8259A pair with its edge/level control registers.
 *
 * A line's edge stays latched in IRR when the line falls again before it is
 * acknowledged, which is kinder than the chip (it answers with a spurious
 * vector then). A half that is being initialised asks for nothing.
 *
 * World:   pure
 * Context: device's lock held (an inner device)
 * Spec:    DS 8259A "Programming the 8259A"; DS ICH9 "ELCR1", "ELCR2"
 */
#include <pvm/env.h>
#include "irqchip/irqchip.h"

#define PIC_LINES	16
#define CASCADE		2	/* the master's input that the slave drives */
#define SPURIOUS	7

#define ICW1_IC4	BIT(0)	/* ICW4 follows */
#define ICW1_SNGL	BIT(1)	/* no ICW3 */
#define ICW1		BIT(4)
#define ICW4_AEOI	BIT(1)
#define ICW4_SFNM	BIT(4)
#define OCW3		BIT(3)
#define OCW3_RIS	BIT(0)
#define OCW3_RR		BIT(1)
#define OCW3_POLL	BIT(2)
#define OCW3_SMM	BIT(5)
#define OCW3_ESMM	BIT(6)
#define POLL_PENDING	BIT(7)

/* init_step: what the next write to the odd port is. */
enum { STEP_NONE, STEP_ICW2, STEP_ICW3, STEP_ICW4, STEP_ICW2_SINGLE };

enum { REGION_MASTER, REGION_SLAVE, REGION_ELCR };

/* Lines that may be level-triggered: not timer, keyboard, cascade, RTC, FPU. */
static const u8 elcr_writable[2] = { 0xf8, 0xde };

static struct pvm_pic *pic_of(struct pvm_dev *d)
{
	return container_of(d, struct pvm_pic, dev);
}

/*
 * The set bit of @lines with the highest priority, as its distance from the
 * highest priority line; 8 if there is none.
 */
static u32 pic_distance(const struct pvm_pic_half *h, u8 lines)
{
	u8 rotated = lines >> h->priority | lines << (8 - h->priority);

	return rotated ? __ffs(rotated) : 8;
}

/* What a half asks for: the line, or -1. */
static int pic_pending(const struct pvm_pic_half *h, bool master)
{
	u32 want = pic_distance(h, h->irr & ~h->imr);
	u8 blocking = h->isr;

	if (want == 8 || h->init_step != STEP_NONE)
		return -1;
	if (h->special_mask)
		blocking &= ~h->imr;
	/* The slave may interrupt itself through a master in this mode. */
	if (master && h->special_nested)
		blocking &= ~BIT(CASCADE);
	if (want >= pic_distance(h, blocking))
		return -1;
	return (want + h->priority) & 7;
}

static void pic_line(struct pvm_pic_half *h, u32 line, bool level)
{
	u8 bit = BIT(line);
	bool rising = level && !(h->level & bit);

	if (level)
		h->level |= bit;
	else
		h->level &= ~bit;
	if (rising)
		h->irr |= bit;
	else if (!level && (h->elcr & bit))
		h->irr &= ~bit;
}

/* Passes the slave's output to the master and the master's to the CPU. */
static void pic_update(struct pvm_pic *p)
{
	struct pvm_pic_half *master = &p->half[0];
	bool slave = pic_pending(&p->half[1], false) >= 0;
	bool out;

	/* The cascade input follows the slave's output like a level. */
	if (slave) {
		master->level |= BIT(CASCADE);
		master->irr |= BIT(CASCADE);
	} else {
		master->level &= ~BIT(CASCADE);
		master->irr &= ~BIT(CASCADE);
	}
	out = pic_pending(master, true) >= 0;
	if (out != p->output) {
		p->output = out;
		p->intr(p, out);
	}
}

void pvm_pic_set(struct pvm_pic *p, u32 irq, bool level)
{
	if (irq >= PIC_LINES || irq == CASCADE)
		return;
	pic_line(&p->half[irq / 8], irq % 8, level);
	pic_update(p);
}

static void pic_acked(struct pvm_pic *p, u32 n, u8 line)
{
	if (p->acked && (p->half[n].elcr & BIT(line)))
		p->acked(p, n * 8 + line);
}

/* Acknowledge of @line: from request to in-service. */
static void pic_accept(struct pvm_pic *p, u32 n, u32 line)
{
	struct pvm_pic_half *h = &p->half[n];

	if (!(h->elcr & BIT(line)))
		h->irr &= ~BIT(line);
	if (!h->auto_eoi) {
		h->isr |= BIT(line);
		return;
	}
	if (h->rotate_aeoi)
		h->priority = (line + 1) & 7;
	pic_acked(p, n, line);
}

int pvm_pic_inta(struct pvm_pic *p)
{
	int line = pic_pending(&p->half[0], true);
	int vector;

	if (line < 0) {
		vector = p->half[0].base + SPURIOUS;
	} else if (line != CASCADE) {
		pic_accept(p, 0, line);
		vector = p->half[0].base + line;
	} else {
		int under = pic_pending(&p->half[1], false);

		pic_accept(p, 0, CASCADE);
		if (under >= 0)
			pic_accept(p, 1, under);
		vector = p->half[1].base + (under < 0 ? SPURIOUS : under);
	}
	pic_update(p);
	return vector;
}

static void pic_icw1(struct pvm_pic_half *h, u8 val)
{
	h->imr = 0;
	h->isr = 0;
	/* The edge detectors start anew; a level that is there still counts. */
	h->irr = h->level & h->elcr;
	h->priority = 0;
	h->special_mask = false;
	h->special_nested = false;
	h->auto_eoi = false;
	h->rotate_aeoi = false;
	h->read_isr = false;
	h->poll = false;
	h->need_icw4 = val & ICW1_IC4;
	h->init_step = val & ICW1_SNGL ? STEP_ICW2_SINGLE : STEP_ICW2;
}

static void pic_eoi(struct pvm_pic *p, u32 n, u32 line)
{
	u8 bit = BIT(line);

	if (!(p->half[n].isr & bit))
		return;
	p->half[n].isr &= ~bit;
	pic_acked(p, n, line);
}

static void pic_ocw2(struct pvm_pic *p, u32 n, u8 val)
{
	struct pvm_pic_half *h = &p->half[n];
	u32 line = val & 7;
	u32 top;

	switch (val >> 5) {
	case 0:			/* rotate in automatic EOI mode: clear */
	case 4:			/* set */
		h->rotate_aeoi = val >> 7;
		break;
	case 1:			/* non-specific EOI */
	case 5:			/* and rotate */
		top = pic_distance(h, h->isr & ~(h->special_mask ? h->imr : 0));
		if (top == 8)
			break;
		line = (top + h->priority) & 7;
		if (val & 0x80)
			h->priority = (line + 1) & 7;
		pic_eoi(p, n, line);
		break;
	case 3:			/* specific EOI */
		pic_eoi(p, n, line);
		break;
	case 6:			/* set priority */
		h->priority = (line + 1) & 7;
		break;
	case 7:			/* rotate on specific EOI */
		h->priority = (line + 1) & 7;
		pic_eoi(p, n, line);
		break;
	}
}

static void pic_ocw3(struct pvm_pic_half *h, u8 val)
{
	if (val & OCW3_POLL)
		h->poll = true;
	if (val & OCW3_RR)
		h->read_isr = val & OCW3_RIS;
	if (val & OCW3_ESMM)
		h->special_mask = val & OCW3_SMM;
}

static void pic_write_even(struct pvm_pic *p, u32 n, u8 val)
{
	if (val & ICW1)
		pic_icw1(&p->half[n], val);
	else if (val & OCW3)
		pic_ocw3(&p->half[n], val);
	else
		pic_ocw2(p, n, val);
}

static void pic_write_odd(struct pvm_pic_half *h, u8 val)
{
	switch (h->init_step) {
	case STEP_NONE:
		h->imr = val;
		break;
	case STEP_ICW2:
		h->base = val & 0xf8;
		h->init_step = STEP_ICW3;
		break;
	case STEP_ICW2_SINGLE:
		h->base = val & 0xf8;
		h->init_step = h->need_icw4 ? STEP_ICW4 : STEP_NONE;
		break;
	case STEP_ICW3:		/* how the pair is wired is not the guest's choice */
		h->init_step = h->need_icw4 ? STEP_ICW4 : STEP_NONE;
		break;
	case STEP_ICW4:
		h->auto_eoi = val & ICW4_AEOI;
		h->special_nested = val & ICW4_SFNM;
		h->init_step = STEP_NONE;
		break;
	}
}

/* A read after a poll command is an acknowledge. */
static u8 pic_poll(struct pvm_pic *p, u32 n)
{
	int line = pic_pending(&p->half[n], n == 0);

	p->half[n].poll = false;
	if (line < 0)
		return 0;
	pic_accept(p, n, line);
	pic_update(p);
	return POLL_PENDING | line;
}

static __always_inline u8 pic_get(struct pvm_pic *p, u32 region, u64 off)
{
	struct pvm_pic_half *h;

	if (region == REGION_ELCR)
		return p->half[off & 1].elcr;
	h = &p->half[region];
	if (h->poll)
		return pic_poll(p, region);
	if (off & 1)
		return h->imr;
	return h->read_isr ? h->isr : h->irr;
}

static void pic_put_elcr(struct pvm_pic *p, u32 n, u8 val)
{
	struct pvm_pic_half *h = &p->half[n];
	u8 now_level = val & elcr_writable[n] & ~h->elcr;

	h->elcr = val & elcr_writable[n];
	/* What becomes a level line requests what its level says. */
	h->irr = (h->irr & ~now_level) | (h->level & now_level);
}

static void pic_put(struct pvm_pic *p, u32 region, u64 off, u8 val)
{
	if (region == REGION_ELCR)
		pic_put_elcr(p, off & 1, val);
	else if (off & 1)
		pic_write_odd(&p->half[region], val);
	else
		pic_write_even(p, region, val);
	pic_update(p);
}

static u64 pic_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	struct pvm_pic *p = pic_of(d);
	u64 val;

	if (likely(bytes == 1))
		return pic_get(p, region, off);
	/* Two bytes are two cycles on the 8-bit bus. */
	val = pic_get(p, region, off);
	return val | (u64)pic_get(p, region, off + 1) << 8;
}

static void pic_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	pic_put(pic_of(d), region, off, val);
	if (bytes == 2)
		pic_put(pic_of(d), region, off + 1, val >> 8);
}

static void pic_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
}

/* The lines stay: they belong to those who drive them. Nothing is unmasked. */
static void pic_reset(struct pvm_dev *d)
{
	struct pvm_pic *p = pic_of(d);
	u32 n, line;

	for (n = 0; n < 2; n++) {
		struct pvm_pic_half *h = &p->half[n];
		u8 waiting = h->isr;

		h->isr = 0;
		for (line = 0; line < 8; line++)
			if (waiting & BIT(line))
				pic_acked(p, n, line);
		*h = (struct pvm_pic_half){ .level = h->level, .imr = 0xff };
	}
	pic_update(p);
}

static const struct pvm_state_desc pic_state[] = {
	PVM_STATE(struct pvm_pic, half),
	PVM_STATE(struct pvm_pic, output),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_pic_ops = {
	.name	= "pic",
	.reset	= pic_reset,
	.read	= pic_read,
	.write	= pic_write,
	.timer	= pic_timer,
	.state	= pic_state,
};
