// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8042 keyboard controller with a PS/2 keyboard and a wheel mouse.
 *
 * Three queues (controller, keyboard, mouse) feed one output buffer; the next
 * byte moves in when the guest has read the one before. Devices answer at once.
 * The keyboard speaks scan code set 2, which the controller translates to set 1
 * while the command byte says so. Full queues drop input, never answers: a
 * command first empties what its device had queued, as real ones do.
 *
 * World:   pure
 * Context: device's lock held
 * Spec:    DS PS/2-HITR "Keyboard and Auxiliary Device Controller", "Keyboard"
 */
#include <pvm/env.h>
#include "dev/models.h"

enum { REGION_DATA, REGION_COMMAND };
enum { FROM_CONTROLLER, FROM_KEYBOARD, FROM_MOUSE };

#define STATUS_OBF		BIT(0)	/* output buffer full */
#define STATUS_SYS		BIT(2)	/* self-test passed */
#define STATUS_CMD		BIT(3)	/* the last write was a command */
#define STATUS_UNLOCKED		BIT(4)
#define STATUS_AUX		BIT(5)	/* the byte is the mouse's */

#define CTR_KBD_IRQ		BIT(0)
#define CTR_AUX_IRQ		BIT(1)
#define CTR_SYS			BIT(2)
#define CTR_KBD_OFF		BIT(4)
#define CTR_AUX_OFF		BIT(5)
#define CTR_XLATE		BIT(6)

#define OUTPORT_RUN		BIT(0)	/* 0: reset */
#define OUTPORT_A20		BIT(1)

#define CMD_READ_CTR		0x20
#define CMD_WRITE_CTR		0x60
#define CMD_AUX_DISABLE		0xa7
#define CMD_AUX_ENABLE		0xa8
#define CMD_AUX_TEST		0xa9
#define CMD_SELF_TEST		0xaa
#define CMD_KBD_TEST		0xab
#define CMD_KBD_DISABLE		0xad
#define CMD_KBD_ENABLE		0xae
#define CMD_READ_INPORT		0xc0
#define CMD_READ_OUTPORT	0xd0
#define CMD_WRITE_OUTPORT	0xd1
#define CMD_KBD_LOOP		0xd2
#define CMD_AUX_LOOP		0xd3
#define CMD_AUX_SEND		0xd4
#define CMD_A20_OFF		0xdd
#define CMD_A20_ON		0xdf
#define CMD_READ_TEST		0xe0
#define CMD_PULSE		0xf0	/* and above: low four bits, 0 pulses */

#define SELF_TEST_OK		0x55
#define INPORT_UNLOCKED		0x80

#define REPLY_ACK		0xfa
#define REPLY_RESEND		0xfe
#define REPLY_BAT_OK		0xaa	/* basic assurance test */
#define BREAK			0xf0

#define MOUSE_PLAIN		0
#define MOUSE_WHEEL		3
#define MOUSE_5_BUTTONS		4
#define MOUSE_RATE		100
#define MOUSE_RESOLUTION	2
/* What one packet can say. */
#define MOUSE_STEP		255
#define WHEEL_STEP		7
/* Movement is not remembered beyond this. */
#define MOUSE_FAR		100000

/* Scan codes of set 2 by value, as set 1 calls them. */
static const u8 i8042_set1[0x85] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29,
	0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11,
	0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14,
	0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24,
	0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35,
	0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36,
	0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c,
	0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
	0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, 0x80, 0x81, 0x82, 0x41, 0x54,
};

static struct pvm_i8042 *i8042_of(struct pvm_dev *d)
{
	return container_of(d, struct pvm_i8042, dev);
}

/* --- queues and the output buffer ---------------------------------------------- */

static void queue_clear(struct pvm_i8042_queue *q)
{
	q->head = 0;
	q->used = 0;
}

static bool queue_put(struct pvm_i8042_queue *q, u8 byte)
{
	if (q->used >= PVM_I8042_QUEUE)
		return false;
	q->data[(q->head + q->used) % PVM_I8042_QUEUE] = byte;
	q->used++;
	return true;
}

static u8 queue_get(struct pvm_i8042_queue *q)
{
	u8 byte = q->data[q->head % PVM_I8042_QUEUE];

	q->head = (q->head + 1) % PVM_I8042_QUEUE;
	q->used--;
	return byte;
}

/* Both lines, from the output buffer and the command byte. */
static void i8042_lines(struct pvm_i8042 *k)
{
	bool full = k->status & STATUS_OBF;
	bool aux = k->out_source == FROM_MOUSE;

	pvm_dev_irq(&k->dev, k->dev.line, full && !aux && (k->ctr & CTR_KBD_IRQ));
	pvm_dev_irq(&k->dev, PVM_ISA_IRQ_MOUSE, full && aux && (k->ctr & CTR_AUX_IRQ));
}

/* One byte from the keyboard as the guest is to see it; false: not yet a whole one. */
static bool i8042_translate(struct pvm_i8042 *k, u8 *byte)
{
	if (!(k->ctr & CTR_XLATE))
		return true;
	if (*byte == BREAK) {
		k->kbd_break = true;
		return false;
	}
	if (*byte < sizeof(i8042_set1))
		*byte = i8042_set1[*byte];
	if (k->kbd_break)
		*byte |= 0x80;
	k->kbd_break = false;
	return true;
}

/* Moves the next byte into the output buffer if it is free. */
static void i8042_fill(struct pvm_i8042 *k)
{
	static const u8 off[3] = { 0, CTR_KBD_OFF, CTR_AUX_OFF };
	u32 source;
	u8 byte;

	for (source = 0; source < 3 && !(k->status & STATUS_OBF); source++) {
		if (k->ctr & off[source])
			continue;
		/* At most the whole queue: break prefixes become part of the next byte. */
		while (k->queue[source].used) {
			byte = queue_get(&k->queue[source]);
			if (source == FROM_KEYBOARD && !i8042_translate(k, &byte))
				continue;
			k->out = byte;
			k->out_source = source;
			k->status |= STATUS_OBF | (source == FROM_MOUSE ? STATUS_AUX : 0);
			break;
		}
	}
	i8042_lines(k);
}

static u8 i8042_get_data(struct pvm_i8042 *k)
{
	u8 val = k->out;

	k->status &= ~(STATUS_OBF | STATUS_AUX);
	/* The line falls between two bytes, so that each is an edge. */
	i8042_lines(k);
	i8042_fill(k);
	return val;
}

/* --- keyboard --------------------------------------------------------------------- */

static void kbd_reply(struct pvm_i8042 *k, u8 byte)
{
	queue_put(&k->queue[FROM_KEYBOARD], byte);
}

static void kbd_defaults(struct pvm_i8042 *k)
{
	k->kbd_command = 0;
	k->kbd_set = 2;
	k->kbd_rate = 0x2b;
	k->kbd_break = false;
	queue_clear(&k->queue[FROM_KEYBOARD]);
}

/* The second byte of a command. */
static void kbd_parameter(struct pvm_i8042 *k, u8 val)
{
	u8 command = k->kbd_command;

	k->kbd_command = 0;
	kbd_reply(k, REPLY_ACK);
	switch (command) {
	case 0xed:
		k->kbd_leds = val & 7;
		break;
	case 0xf0:
		if (!val)
			kbd_reply(k, k->kbd_set);
		else if (val <= 3)
			k->kbd_set = val;
		break;
	case 0xf3:
		k->kbd_rate = val & 0x7f;
		break;
	}
}

static void kbd_put(struct pvm_i8042 *k, u8 val)
{
	/* A byte below 0xed can only belong to a command. */
	if (k->kbd_command && val < 0xed) {
		kbd_parameter(k, val);
		return;
	}
	k->kbd_command = 0;
	queue_clear(&k->queue[FROM_KEYBOARD]);
	switch (val) {
	case 0xed:		/* LEDs */
	case 0xf0:		/* scan code set */
	case 0xf3:		/* repeat rate */
	case 0xfb ... 0xfd:	/* type of one key of set 3 */
		k->kbd_command = val;
		kbd_reply(k, REPLY_ACK);
		break;
	case 0xee:		/* echo */
		kbd_reply(k, 0xee);
		break;
	case 0xf2:		/* identify */
		kbd_reply(k, REPLY_ACK);
		kbd_reply(k, 0xab);
		kbd_reply(k, 0x83);
		break;
	case 0xf4:
		k->kbd_scanning = true;
		kbd_reply(k, REPLY_ACK);
		break;
	case 0xf5:		/* defaults, off */
	case 0xf6:		/* defaults */
		kbd_defaults(k);
		k->kbd_scanning = val == 0xf6;
		kbd_reply(k, REPLY_ACK);
		break;
	case 0xf7 ... 0xfa:	/* types of all keys of set 3 */
		kbd_reply(k, REPLY_ACK);
		break;
	case 0xff:
		kbd_defaults(k);
		k->kbd_leds = 0;
		k->kbd_scanning = true;
		kbd_reply(k, REPLY_ACK);
		kbd_reply(k, REPLY_BAT_OK);
		break;
	default:
		kbd_reply(k, REPLY_RESEND);
	}
}

bool pvm_i8042_key(struct pvm_i8042 *k, u8 byte)
{
	bool took;

	if (!k->kbd_scanning)
		return false;
	took = queue_put(&k->queue[FROM_KEYBOARD], byte);
	i8042_fill(k);
	return took;
}

/* --- mouse ------------------------------------------------------------------------ */

static void mouse_reply(struct pvm_i8042 *k, u8 byte)
{
	queue_put(&k->queue[FROM_MOUSE], byte);
}

static void mouse_defaults(struct pvm_i8042 *k)
{
	k->mouse_command = 0;
	k->mouse_rate = MOUSE_RATE;
	k->mouse_resolution = MOUSE_RESOLUTION;
	k->mouse_reporting = false;
	k->mouse_scale21 = false;
	k->mouse_remote = false;
	k->mouse_wrap = false;
	k->mouse_x = 0;
	k->mouse_y = 0;
	k->mouse_z = 0;
}

/* Takes one packet's worth of movement; false if the queue has no room for it. */
static bool mouse_packet(struct pvm_i8042 *k)
{
	u32 bytes = k->mouse_id == MOUSE_PLAIN ? 3 : 4;
	s32 x = clamp(k->mouse_x, -MOUSE_STEP, MOUSE_STEP);
	s32 y = clamp(k->mouse_y, -MOUSE_STEP, MOUSE_STEP);
	s32 z = clamp(k->mouse_z, -WHEEL_STEP, WHEEL_STEP);

	if (PVM_I8042_QUEUE - k->queue[FROM_MOUSE].used < bytes)
		return false;
	mouse_reply(k, 0x08 | (k->mouse_buttons & 7) | (x < 0) << 4 | (y < 0) << 5);
	mouse_reply(k, x);
	mouse_reply(k, y);
	if (k->mouse_id == MOUSE_WHEEL)
		mouse_reply(k, -z);
	else if (k->mouse_id == MOUSE_5_BUTTONS)
		mouse_reply(k, (-z & 0x0f) | (k->mouse_buttons & 0x18) << 1);
	k->mouse_x -= x;
	k->mouse_y -= y;
	k->mouse_z = k->mouse_id == MOUSE_PLAIN ? 0 : k->mouse_z - z;
	return true;
}

/* The knocks that turn a plain mouse into one with a wheel, and then five buttons. */
static void mouse_set_rate(struct pvm_i8042 *k, u8 rate)
{
	static const u8 wheel[3] = { 200, 100, 80 }, buttons[3] = { 200, 200, 80 };

	k->mouse_rate = rate;
	k->mouse_rates[0] = k->mouse_rates[1];
	k->mouse_rates[1] = k->mouse_rates[2];
	k->mouse_rates[2] = rate;
	if (!memcmp(k->mouse_rates, wheel, 3))
		k->mouse_id = MOUSE_WHEEL;
	else if (!memcmp(k->mouse_rates, buttons, 3))
		k->mouse_id = MOUSE_5_BUTTONS;
}

static void mouse_status(struct pvm_i8042 *k)
{
	u8 b = k->mouse_buttons;

	mouse_reply(k, k->mouse_remote << 6 | k->mouse_reporting << 5 | k->mouse_scale21 << 4 |
		    (b & 1) << 2 | (b & 4) >> 1 | (b & 2) >> 1);
	mouse_reply(k, k->mouse_resolution);
	mouse_reply(k, k->mouse_rate);
}

static void mouse_command(struct pvm_i8042 *k, u8 val)
{
	mouse_reply(k, REPLY_ACK);
	switch (val) {
	case 0xe6:
	case 0xe7:
		k->mouse_scale21 = val == 0xe7;
		break;
	case 0xe8:		/* resolution */
	case 0xf3:		/* rate */
		k->mouse_command = val;
		break;
	case 0xe9:
		mouse_status(k);
		break;
	case 0xea:
	case 0xf0:
		k->mouse_remote = val == 0xf0;
		break;
	case 0xeb:
		mouse_packet(k);
		break;
	case 0xec:
	case 0xee:
		k->mouse_wrap = val == 0xee;
		break;
	case 0xf2:
		mouse_reply(k, k->mouse_id);
		break;
	case 0xf4:
	case 0xf5:
		k->mouse_reporting = val == 0xf4;
		break;
	case 0xf6:
		mouse_defaults(k);
		break;
	case 0xff:
		mouse_defaults(k);
		k->mouse_id = MOUSE_PLAIN;
		memset(k->mouse_rates, 0, sizeof(k->mouse_rates));
		mouse_reply(k, REPLY_BAT_OK);
		mouse_reply(k, MOUSE_PLAIN);
		break;
	default:
		queue_clear(&k->queue[FROM_MOUSE]);
		mouse_reply(k, REPLY_RESEND);
	}
}

static void mouse_put(struct pvm_i8042 *k, u8 val)
{
	u8 command = k->mouse_command;

	k->mouse_command = 0;
	queue_clear(&k->queue[FROM_MOUSE]);
	if (k->mouse_wrap && val != 0xec && val != 0xff) {
		mouse_reply(k, val);
	} else if (command == 0xe8) {
		k->mouse_resolution = val & 3;
		mouse_reply(k, REPLY_ACK);
	} else if (command == 0xf3) {
		mouse_set_rate(k, val);
		mouse_reply(k, REPLY_ACK);
	} else {
		mouse_command(k, val);
	}
}

void pvm_i8042_mouse(struct pvm_i8042 *k, s32 x, s32 y, s32 z, u8 buttons)
{
	u32 packets;

	if (!k->mouse_reporting)
		return;
	/* Clamped first, so that no sum overflows. */
	k->mouse_x = clamp(k->mouse_x + clamp(x, -MOUSE_FAR, MOUSE_FAR), -MOUSE_FAR, MOUSE_FAR);
	k->mouse_y = clamp(k->mouse_y + clamp(y, -MOUSE_FAR, MOUSE_FAR), -MOUSE_FAR, MOUSE_FAR);
	k->mouse_z = clamp(k->mouse_z + clamp(z, -MOUSE_FAR, MOUSE_FAR), -MOUSE_FAR, MOUSE_FAR);
	k->mouse_buttons = buttons & 0x1f;
	if (k->mouse_remote || k->mouse_wrap)
		return;
	for (packets = 0; packets < PVM_I8042_QUEUE / 3; packets++)
		if (!mouse_packet(k) || !(k->mouse_x || k->mouse_y || k->mouse_z))
			break;
	i8042_fill(k);
}

/* --- controller ------------------------------------------------------------------- */

static void i8042_reply(struct pvm_i8042 *k, u8 byte)
{
	queue_clear(&k->queue[FROM_CONTROLLER]);
	queue_put(&k->queue[FROM_CONTROLLER], byte);
}

static void i8042_set_ctr(struct pvm_i8042 *k, u8 val)
{
	k->ctr = val & 0x7f;
	k->status = (k->status & ~STATUS_SYS) | (val & CTR_SYS ? STATUS_SYS : 0);
}

static void i8042_set_outport(struct pvm_i8042 *k, u8 val)
{
	/* Address line 20 is always open here; the bit only remembers. */
	k->outport = val | OUTPORT_RUN;
	if (!(val & OUTPORT_RUN))
		pvm_dev_signal(&k->dev, PVM_SIGNAL_RESET, 0);
}

static void i8042_command(struct pvm_i8042 *k, u8 val)
{
	k->status |= STATUS_CMD;
	k->command = 0;
	switch (val) {
	case CMD_READ_CTR:
		i8042_reply(k, k->ctr);
		break;
	case CMD_WRITE_CTR:
	case CMD_WRITE_OUTPORT:
	case CMD_KBD_LOOP:
	case CMD_AUX_LOOP:
	case CMD_AUX_SEND:
		k->command = val;
		break;
	case CMD_AUX_DISABLE:
		k->ctr |= CTR_AUX_OFF;
		break;
	case CMD_AUX_ENABLE:
		k->ctr &= ~CTR_AUX_OFF;
		break;
	case CMD_KBD_DISABLE:
		k->ctr |= CTR_KBD_OFF;
		break;
	case CMD_KBD_ENABLE:
		k->ctr &= ~CTR_KBD_OFF;
		break;
	case CMD_SELF_TEST:
		i8042_set_ctr(k, k->ctr | CTR_SYS);
		i8042_reply(k, SELF_TEST_OK);
		break;
	case CMD_AUX_TEST:
	case CMD_KBD_TEST:
	case CMD_READ_TEST:
		i8042_reply(k, 0);
		break;
	case CMD_READ_INPORT:
		i8042_reply(k, INPORT_UNLOCKED);
		break;
	case CMD_READ_OUTPORT:
		i8042_reply(k, k->outport);
		break;
	case CMD_A20_OFF:
	case CMD_A20_ON:
		i8042_set_outport(k, val == CMD_A20_ON ? k->outport | OUTPORT_A20 :
				  k->outport & ~OUTPORT_A20);
		break;
	default:
		if (val >= CMD_PULSE && !(val & OUTPORT_RUN))
			pvm_dev_signal(&k->dev, PVM_SIGNAL_RESET, 0);
	}
}

static void i8042_put_data(struct pvm_i8042 *k, u8 val)
{
	u8 command = k->command;

	k->status &= ~STATUS_CMD;
	k->command = 0;
	switch (command) {
	case CMD_WRITE_CTR:
		i8042_set_ctr(k, val);
		break;
	case CMD_WRITE_OUTPORT:
		i8042_set_outport(k, val);
		break;
	case CMD_KBD_LOOP:
		i8042_reply(k, val);
		break;
	case CMD_AUX_LOOP:
		queue_clear(&k->queue[FROM_MOUSE]);
		mouse_reply(k, val);
		/* Comes back even while the mouse's clock is held. */
		if (!(k->status & STATUS_OBF) && (k->ctr & CTR_AUX_OFF)) {
			k->out = queue_get(&k->queue[FROM_MOUSE]);
			k->out_source = FROM_MOUSE;
			k->status |= STATUS_OBF | STATUS_AUX;
		}
		break;
	case CMD_AUX_SEND:
		k->ctr &= ~CTR_AUX_OFF;
		mouse_put(k, val);
		break;
	default:
		k->ctr &= ~CTR_KBD_OFF;
		kbd_put(k, val);
	}
}

static u64 i8042_read(struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	struct pvm_i8042 *k = i8042_of(d);

	return region == REGION_DATA ? i8042_get_data(k) : k->status;
}

static void i8042_write(struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	struct pvm_i8042 *k = i8042_of(d);

	if (region == REGION_DATA)
		i8042_put_data(k, val);
	else
		i8042_command(k, val);
	i8042_fill(k);
}

static void i8042_timer(struct pvm_dev *d, u32 id, u64 now_ns)
{
}

static void i8042_reset(struct pvm_dev *d)
{
	struct pvm_i8042 *k = i8042_of(d);

	k->command = 0;
	k->ctr = CTR_KBD_IRQ | CTR_AUX_IRQ | CTR_XLATE;
	k->status = STATUS_CMD | STATUS_UNLOCKED;
	k->outport = OUTPORT_RUN | OUTPORT_A20;
	k->out = 0;
	k->out_source = FROM_CONTROLLER;
	memset(k->queue, 0, sizeof(k->queue));
	kbd_defaults(k);
	k->kbd_leds = 0;
	k->kbd_scanning = true;
	mouse_defaults(k);
	k->mouse_id = MOUSE_PLAIN;
	memset(k->mouse_rates, 0, sizeof(k->mouse_rates));
	k->mouse_buttons = 0;
	i8042_lines(k);
}

static const struct pvm_state_desc i8042_state[] = {
	PVM_STATE(struct pvm_i8042, command),
	PVM_STATE(struct pvm_i8042, ctr),
	PVM_STATE(struct pvm_i8042, status),
	PVM_STATE(struct pvm_i8042, outport),
	PVM_STATE(struct pvm_i8042, out),
	PVM_STATE(struct pvm_i8042, out_source),
	PVM_STATE(struct pvm_i8042, queue),
	PVM_STATE(struct pvm_i8042, kbd_break),
	PVM_STATE(struct pvm_i8042, kbd_command),
	PVM_STATE(struct pvm_i8042, kbd_leds),
	PVM_STATE(struct pvm_i8042, kbd_set),
	PVM_STATE(struct pvm_i8042, kbd_rate),
	PVM_STATE(struct pvm_i8042, kbd_scanning),
	PVM_STATE(struct pvm_i8042, mouse_command),
	PVM_STATE(struct pvm_i8042, mouse_id),
	PVM_STATE(struct pvm_i8042, mouse_rate),
	PVM_STATE(struct pvm_i8042, mouse_resolution),
	PVM_STATE(struct pvm_i8042, mouse_rates),
	PVM_STATE(struct pvm_i8042, mouse_buttons),
	PVM_STATE(struct pvm_i8042, mouse_reporting),
	PVM_STATE(struct pvm_i8042, mouse_scale21),
	PVM_STATE(struct pvm_i8042, mouse_remote),
	PVM_STATE(struct pvm_i8042, mouse_wrap),
	PVM_STATE(struct pvm_i8042, mouse_x),
	PVM_STATE(struct pvm_i8042, mouse_y),
	PVM_STATE(struct pvm_i8042, mouse_z),
	PVM_STATE_END
};

const struct pvm_dev_ops pvm_i8042_ops = {
	.name	= "i8042",
	.reset	= i8042_reset,
	.read	= i8042_read,
	.write	= i8042_write,
	.timer	= i8042_timer,
	.state	= i8042_state,
};
