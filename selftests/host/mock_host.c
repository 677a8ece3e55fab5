// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host that device models see in tests.
 *
 * World:   host tests
 * Context: single-threaded
 */
#include "mock_host.h"

/* More timer runs than this in one advance is a model that spins. */
#define MOCK_MAX_TIMERS	100000

static struct mock_host *mock(struct pvm_dev *d)
{
	return d->owner;
}

static u64 *mock_timers(struct mock_host *m, const struct pvm_dev *d)
{
	u32 i;

	for (i = 0; i < m->dev_count; i++)
		if (m->devs[i].dev == d)
			return m->devs[i].when_ns;
	return NULL;
}

static u64 mock_now(struct pvm_dev *d)
{
	return mock(d)->now_ns;
}

static void mock_timer_set(struct pvm_dev *d, u32 id, u64 when_ns)
{
	struct mock_host *m = mock(d);

	if (id >= PVM_DEV_TIMERS)
		__builtin_trap();
	if (when_ns && when_ns < m->now_ns)
		m->timers_past++;
	mock_timers(m, d)[id] = when_ns;
}

static void mock_irq(struct pvm_dev *d, u32 line, bool level)
{
	struct mock_host *m = mock(d);

	if (line >= MOCK_LINES)
		__builtin_trap();
	if (m->level[line] == level)
		return;
	m->level[line] = level;
	m->rises[line] += level;
	if (m->irq_count < MOCK_IRQS)
		m->irqs[m->irq_count] = (struct mock_irq){ m->now_ns, line, level };
	m->irq_count++;
}

static void mock_msi(struct pvm_dev *d, u64 addr, u32 data)
{
	mock(d)->msi = (struct mock_msi){ addr, data };
	mock(d)->msi_count++;
}

static int mock_dma(struct mock_host *m, u64 gpa, u32 bytes)
{
	if (gpa > MOCK_RAM_BYTES || bytes > MOCK_RAM_BYTES - gpa)
		return -EFAULT;
	if (!m->dma_fault)
		return -EFAULT;
	if (m->dma_fault > 0)
		m->dma_fault--;
	m->dma_count++;
	return 0;
}

static int mock_dma_read(struct pvm_dev *d, u64 gpa, void *to, u32 bytes)
{
	struct mock_host *m = mock(d);

	if (mock_dma(m, gpa, bytes))
		return -EFAULT;
	memcpy(to, m->ram + gpa, bytes);
	return 0;
}

static int mock_dma_write(struct pvm_dev *d, u64 gpa, const void *from, u32 bytes)
{
	struct mock_host *m = mock(d);

	if (mock_dma(m, gpa, bytes))
		return -EFAULT;
	memcpy(m->ram + gpa, from, bytes);
	return 0;
}

static void mock_guest_error(struct pvm_dev *d, const char *what, u64 arg)
{
	mock(d)->guest_errors++;
	mock(d)->guest_error = what;
}

static void mock_signal(struct pvm_dev *d, u32 signal, u64 arg)
{
	struct mock_host *m = mock(d);

	if (signal >= MOCK_SIGNALS)
		__builtin_trap();
	m->signals[signal]++;
	m->signal_arg[signal] = arg;
	if (signal == PVM_SIGNAL_OUTPUT && m->output_bytes < MOCK_OUTPUT)
		m->output[m->output_bytes++] = arg;
}

const struct pvm_dev_host mock_ops = {
	.now_ns		= mock_now,
	.timer_set	= mock_timer_set,
	.irq		= mock_irq,
	.msi		= mock_msi,
	.dma_read	= mock_dma_read,
	.dma_write	= mock_dma_write,
	.guest_error	= mock_guest_error,
	.signal		= mock_signal,
};

void mock_init(struct mock_host *m)
{
	memset(m, 0, sizeof(*m));
	m->now_ns = MOCK_START_NS;
	m->dma_fault = -1;
}

void mock_attach(struct mock_host *m, struct pvm_dev *d, const struct pvm_dev_ops *ops,
		 u32 line)
{
	if (m->dev_count == MOCK_DEVS)
		__builtin_trap();
	m->devs[m->dev_count++].dev = d;
	d->ops = ops;
	d->host = &mock_ops;
	d->owner = m;
	d->line = line;
	ops->reset(d);
}

u64 mock_read(struct mock_host *m, struct pvm_dev *d, u32 region, u64 off, u32 bytes)
{
	u64 val = d->ops->read(d, region, off, bytes);

	if (val & ~pvm_bytes_mask(bytes))
		m->wide_values++;
	return val;
}

void mock_write(struct mock_host *m, struct pvm_dev *d, u32 region, u64 off, u32 bytes, u64 val)
{
	d->ops->write(d, region, off, bytes, val & pvm_bytes_mask(bytes));
}

/* Runs the earliest timer that expires until @end; false if there is none. */
static bool mock_run_one(struct mock_host *m, u64 end_ns, bool late)
{
	u64 best = ~0ull;
	u32 i, id, dev = 0, timer = 0;
	struct pvm_dev *d;

	for (i = 0; i < m->dev_count; i++) {
		for (id = 0; id < PVM_DEV_TIMERS; id++) {
			u64 when = m->devs[i].when_ns[id];

			if (when && when < best) {
				best = when;
				dev = i;
				timer = id;
			}
		}
	}
	if (best > end_ns)
		return false;
	if (!late)
		m->now_ns = max(m->now_ns, best);
	m->devs[dev].when_ns[timer] = 0;
	m->timers_run++;
	d = m->devs[dev].dev;
	d->ops->timer(d, timer, m->now_ns);
	return true;
}

static void mock_run(struct mock_host *m, u64 end_ns, bool late)
{
	u32 n = 0;

	while (mock_run_one(m, end_ns, late)) {
		if (++n == MOCK_MAX_TIMERS) {
			m->timers_past++;
			break;
		}
	}
}

void mock_advance(struct mock_host *m, u64 ns)
{
	u64 end_ns = m->now_ns + ns;

	mock_run(m, end_ns, false);
	m->now_ns = end_ns;
}

void mock_late(struct mock_host *m, u64 ns)
{
	m->now_ns += ns;
	mock_run(m, m->now_ns, true);
}

u64 mock_next_timer(const struct mock_host *m, const struct pvm_dev *d)
{
	u64 best = 0;
	u32 i, id;

	for (i = 0; i < m->dev_count; i++) {
		if (m->devs[i].dev != d)
			continue;
		for (id = 0; id < PVM_DEV_TIMERS; id++) {
			u64 when = m->devs[i].when_ns[id];

			if (when && (!best || when < best))
				best = when;
		}
	}
	return best;
}

void mock_copy_state(const struct pvm_dev *from, struct pvm_dev *to)
{
	const struct pvm_state_desc *s;

	for (s = from->ops->state; s && s->name; s++)
		memcpy((u8 *)to + s->offset, (const u8 *)from + s->offset, s->bytes);
}
