/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device models of this folder: their state, their ops and the few calls
 * that the board makes into them. Grouped by file.
 *
 * The board embeds the structs zeroed, fills the fields marked (b) before the
 * first reset and attaches them with the ops named. Every function here that
 * takes a model is called with the device's lock held (pvm_dev_lock()).
 *
 * World:   pure
 * Context: device's lock held, IRQs off
 */
#ifndef PVM_MODELS_H
#define PVM_MODELS_H

#include <pvm/env.h>
#include "dev/dev.h"

/* ISA interrupts that are not a device's first line. */
#define PVM_ISA_IRQ_PIT		0
#define PVM_ISA_IRQ_RTC		8
#define PVM_ISA_IRQ_MOUSE	12

/*
 * No periodic timer of a model runs more often: what the guest programs beyond
 * that is merged, so that it cannot keep a host CPU busy.
 */
#define PVM_DEV_MIN_PERIOD_NS	100000

/*
 * 8-bit chips see a wider access as one cycle per byte, in rising order.
 * @get and @put handle one byte at @off.
 */
static inline u64 pvm_dev_read_bytes(struct pvm_dev *d, u64 off, u32 bytes,
				     u8 (*get)(struct pvm_dev *d, u64 off))
{
	u64 val = 0;
	u32 i;

	for (i = 0; i < bytes && i < 8; i++)
		val |= (u64)get(d, off + i) << (8 * i);
	return val;
}

static inline void pvm_dev_write_bytes(struct pvm_dev *d, u64 off, u32 bytes, u64 val,
				       void (*put)(struct pvm_dev *d, u64 off, u8 val))
{
	u32 i;

	for (i = 0; i < bytes && i < 8; i++)
		put(d, off + i, val >> (8 * i));
}

/* --- pmtimer.c: region 0, 4 bytes ------------------------------------------ */

#define PVM_PMTIMER_HZ		3579545

struct pvm_pmtimer {
	struct pvm_dev dev;
};

extern const struct pvm_dev_ops pvm_pmtimer_ops;

/* What the counter shows at @now_ns, not yet cut to its 32 bits. */
static inline u64 pvm_pmtimer_ticks(u64 now_ns)
{
	return pvm_muldiv64(now_ns, PVM_PMTIMER_HZ, PVM_NS_PER_S);
}

/* --- debugcon.c: three ports without an interrupt -------------------------- */

/* Region 0, 1 byte (0x402): what is written is signalled as OUTPUT. */
struct pvm_debugcon {
	struct pvm_dev dev;
};

/* Region 0, 4 bytes (a port of the VM's configuration): DEBUG_EXIT. */
struct pvm_debug_exit {
	struct pvm_dev dev;
};

/* Region 0, 1 byte (0x80): remembers the last power-on self-test code. */
struct pvm_post {
	struct pvm_dev dev;
	u8 code;
};

extern const struct pvm_dev_ops pvm_debugcon_ops;
extern const struct pvm_dev_ops pvm_debug_exit_ops;
extern const struct pvm_dev_ops pvm_post_ops;

/* --- resetport.c: region 0 (0x92, 1 byte) ---------------------------------- */

struct pvm_resetport {
	struct pvm_dev dev;
	u8 port92;
};

extern const struct pvm_dev_ops pvm_resetport_ops;

#define PVM_CF9_SYS_RST		BIT(1)	/* hard reset rather than INIT */
#define PVM_CF9_RST_CPU		BIT(2)	/* 0 to 1: reset now */
#define PVM_CF9_FULL_RST	BIT(3)

/*
 * The reset control register 0xcf9 lies inside 0xcf8..0xcff, which the PCI root
 * answers; it hands a byte written there to the board, which keeps *@reg (0 at
 * reset). True: the machine is to be reset.
 */
static inline bool pvm_cf9_write(u8 *reg, u8 val)
{
	bool reset = (val & PVM_CF9_RST_CPU) && !(*reg & PVM_CF9_RST_CPU);

	*reg = val & (PVM_CF9_SYS_RST | PVM_CF9_RST_CPU | PVM_CF9_FULL_RST);
	return reset;
}

/* --- pit.c: regions 0 (0x40, 4 bytes) and 1 (0x61, 1 byte); line 0 --------- */

#define PVM_PIT_HZ		1193182

struct pvm_pit_channel {
	u64 start;		/* tick at which the count was loaded */
	u32 count;		/* 1..65536 */
	u32 next_count;		/* takes over at the end of the period; 0: none */
	u32 held;		/* ticks counted when the gate fell */
	u16 latch;		/* latched count */
	u8 mode;		/* 0..5 */
	u8 access;		/* 1 low, 2 high, 3 low then high */
	u8 latched_bytes;	/* of latch still to be read */
	u8 status;		/* latched status */
	u8 low_byte;		/* first half of a count being written */
	bool bcd;
	bool gate;
	bool running;		/* a count was written since the control word */
	bool triggered;		/* modes 1 and 5: the gate has risen since then */
	bool status_latched;
	bool read_high;		/* next byte read of the count is the high one */
	bool write_high;	/* next byte written is the high one */
};

struct pvm_pit {
	struct pvm_dev dev;
	struct pvm_pit_channel channel[3];
	u8 port61;		/* bits that the guest wrote */
};

extern const struct pvm_dev_ops pvm_pit_ops;

/* --- rtc.c: region 0 (0x70, 2 bytes); line 8 ------------------------------- */

#define PVM_RTC_CMOS_BYTES	128

struct pvm_rtc {
	struct pvm_dev dev;
	u64 wall_base_s;	/* (b) UTC seconds since 1970 when guest time was 0; may be */
				/* set anew while the VM stands still */
	s64 offset_s;		/* what setting the clock has added; (b) for local time */
	u64 phase_ns;		/* where in its second the clock was at guest time 0 */
	u64 seen_ns;		/* guest time up to which flags are known */
	u8 cmos[PVM_RTC_CMOS_BYTES];
	u8 index;
	bool nmi_masked;	/* port 0x70, bit 7 */
	bool powered;		/* was reset before: the battery keeps the rest */
};

extern const struct pvm_dev_ops pvm_rtc_ops;

/* CMOS bytes by which firmware finds RAM and CPUs. Before the first run. */
void pvm_rtc_set_board(struct pvm_rtc *r, u64 low_bytes, u64 high_bytes, u32 cpus);
/* A byte of CMOS RAM (0x0e and up); @index beyond it is ignored. */
void pvm_rtc_set_cmos(struct pvm_rtc *r, u32 index, u8 val);

/* --- hpet.c: region 0 (0xfed00000, 1 KiB); line: the PIT's ----------------- */

#define PVM_HPET_BASE_GPA	0xfed00000ull
#define PVM_HPET_BYTES		0x400
#define PVM_HPET_TIMERS		3
#define PVM_HPET_TICK_NS	10
/* I/O APIC inputs a comparator may be routed to: 2, 8, 20..23. */
#define PVM_HPET_ROUTES		0x00f00104u

struct pvm_hpet_timer {
	u64 config;
	u64 comparator;
	u64 period;
	u64 fsb;		/* message data, address in the high half */
	u64 due;		/* counter value of the next match, not wrapped */
	bool armed;		/* due is valid */
	bool set_high;		/* the high half of a "value set" write may follow */
};

struct pvm_hpet {
	struct pvm_dev dev;
	bool fsb;		/* (b) comparators can send messages */
	u64 config;
	u64 status;
	u64 counter;		/* at base_ns, or where it halted */
	u64 base_ns;
	struct pvm_hpet_timer timer[PVM_HPET_TIMERS];
};

extern const struct pvm_dev_ops pvm_hpet_ops;

/*
 * True while the HPET has taken over the lines of PIT and RTC: the board then
 * drops what those two drive. Any context, no lock.
 */
static inline bool pvm_hpet_legacy(const struct pvm_hpet *h)
{
	return (READ_ONCE(h->config) & 3) == 3;
}

/* --- uart.c: region 0 (0x3f8, 8 bytes); line 4 ----------------------------- */

#define PVM_UART_FIFO		16

struct pvm_uart {
	struct pvm_dev dev;
	u8 fifo[PVM_UART_FIFO];
	u8 head, used;		/* of the receive FIFO */
	u8 ier, fcr, lcr, mcr, lsr, msr, scr;
	u16 divisor;
	bool thr_pending;	/* "transmitter empty" not yet told */
	bool want_room;		/* tell when input is taken again */
	bool line_high;		/* as last driven: most accesses change nothing */
};

extern const struct pvm_dev_ops pvm_uart_ops;

/*
 * How many bytes the UART takes now. When that is 0, PVM_SIGNAL_INPUT_ROOM
 * follows as soon as it is not. So both that signal and new input are served by
 *	while (pvm_uart_room(u) && (a byte is there))
 *		pvm_uart_input(u, byte);
 * which loses nothing and ends after at most a FIFO of bytes.
 */
u32 pvm_uart_room(struct pvm_uart *u);
/* A byte arrives. False: no room, the byte is lost; as room() telling 0. */
bool pvm_uart_input(struct pvm_uart *u, u8 byte);

/* --- i8042.c: regions 0 (0x60, 1 byte) and 1 (0x64, 1 byte); lines 1, 12 --- */

#define PVM_I8042_QUEUE		64

struct pvm_i8042_queue {
	u8 data[PVM_I8042_QUEUE];
	u8 head, used;
};

struct pvm_i8042 {
	struct pvm_dev dev;
	u8 command;		/* waits for a byte at 0x60; 0: none */
	u8 ctr;			/* command byte */
	u8 status;
	u8 outport;
	u8 out, out_source;	/* the output buffer and whose byte it is */
	struct pvm_i8042_queue queue[3];	/* by source: controller, keyboard, mouse */
	bool kbd_break;		/* translation: 0xf0 was seen */
	/* keyboard */
	u8 kbd_command, kbd_leds, kbd_set, kbd_rate;
	bool kbd_scanning;
	/* mouse */
	u8 mouse_command, mouse_id, mouse_rate, mouse_resolution;
	u8 mouse_rates[3];	/* the last ones set: the knock for the wheel */
	u8 mouse_buttons;
	bool mouse_reporting, mouse_scale21, mouse_remote, mouse_wrap;
	s32 mouse_x, mouse_y, mouse_z;	/* movement not yet reported */
};

extern const struct pvm_dev_ops pvm_i8042_ops;

/* A scan code byte of set 2. False: the queue is full or scanning is off; the byte is lost. */
bool pvm_i8042_key(struct pvm_i8042 *k, u8 byte);
/*
 * The mouse moved (y upwards, z the wheel) or its buttons (0 left, 1 right,
 * 2 middle) changed. What finds no room is reported with the next movement.
 */
void pvm_i8042_mouse(struct pvm_i8042 *k, s32 x, s32 y, s32 z, u8 buttons);

/*
 * --- acpi_pm.c: PMBASE as ICH9 has it; the SCI is line 9, level --------------
 *
 * Regions 0 (PMBASE, 8 bytes: PM1 event and control), 1 (PMBASE + 0xc,
 * 0x74 bytes: GPE0, SMI control) and 2 (0xb2, 2 bytes: APM). The PM timer
 * between them (PMBASE + 8) is pmtimer.c.
 */
#define PVM_ACPI_PMBASE		0x600
#define PVM_ACPI_PM1_EVT	0x00	/* 4 bytes: status, enable */
#define PVM_ACPI_PM1_CNT	0x04	/* 2 bytes */
#define PVM_ACPI_PM_TMR		0x08
#define PVM_ACPI_REST		0x0c	/* where region 1 begins */
#define PVM_ACPI_GPE0		0x20	/* 16 bytes: 8 status, 8 enable */
#define PVM_ACPI_GPE0_BYTES	16
#define PVM_ACPI_SMI_EN		0x30
#define PVM_ACPI_PM_BYTES	0x80
#define PVM_ACPI_SMI_CMD	0xb2
#define PVM_ACPI_ENABLE		0x02	/* to SMI_CMD, for the FADT */
#define PVM_ACPI_DISABLE	0x03
#define PVM_ACPI_S5_TYPE	0	/* SLP_TYP of \_S5; firmware relies on 0 */

struct pvm_acpi_pm {
	struct pvm_dev dev;
	u16 pm1_sts, pm1_en, pm1_cnt;
	u64 gpe_sts, gpe_en;
	u64 timer_half;		/* half period of the PM timer when TMR_STS was cleared */
	u32 smi_en;
	u8 apm_cmd, apm_sts;
};

extern const struct pvm_dev_ops pvm_acpi_pm_ops;

void pvm_acpi_power_button(struct pvm_acpi_pm *a);
void pvm_acpi_sleep_button(struct pvm_acpi_pm *a);
/* General-purpose event @gpe (0..63) happened. */
void pvm_acpi_gpe(struct pvm_acpi_pm *a, u32 gpe);

#endif /* PVM_MODELS_H */
