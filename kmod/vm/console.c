// SPDX-License-Identifier: GPL-2.0-only
/*
 * The serial console's stream: what the guest printed, what the user types.
 *
 * Output goes into a ring that keeps the last 64 KiB; one reader at a time
 * follows it through a file. A log file, if there is one, is written by a work.
 *
 * World:   kernel
 * Context: put and get: any; the rest may sleep
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "vm/internal.h"

#define PVM_CONSOLE_INPUT	4096u
#define PVM_CONSOLE_PIECE	1024u

/*
 * Locking key
 *  (c) constant after creation
 *  (s) lock
 *  (w) log_work alone
 */
struct pvm_console {
	raw_spinlock_t lock;
	struct kref ref;
	struct pvm_vm *vm;		/* (s) NULL once the VM has ended */
	u8 *out;			/* (c) PVM_CONSOLE_BYTES */
	u64 written;			/* (s) bytes ever put */
	u64 read;			/* (s) of the file's reader */
	u8 in[PVM_CONSOLE_INPUT];	/* (s) */
	u32 in_head, in_used;		/* (s) */
	bool ended;			/* (s) */
	bool open;			/* (s) somebody has the file */
	wait_queue_head_t wait;
	struct irq_work wake;		/* wakes outside the UART's lock */
	struct file *log;		/* (c) once running */
	u64 logged;			/* (w) */
	struct work_struct log_work;
};

static void pvm_console_release(struct kref *ref)
{
	struct pvm_console *c = container_of(ref, struct pvm_console, ref);

	irq_work_sync(&c->wake);
	cancel_work_sync(&c->log_work);
	if (c->log)
		fput(c->log);
	vfree(c->out);
	kfree(c);
}

/* Copies bytes from @from on; those that the ring has lost already are left out. */
static u32 pvm_console_copy(struct pvm_console *c, u64 *from, u8 *to, u32 max)
{
	unsigned long flags;
	u32 n = 0;

	raw_spin_lock_irqsave(&c->lock, flags);
	if (c->written - *from > PVM_CONSOLE_BYTES)
		*from = c->written - PVM_CONSOLE_BYTES;
	while (n < max && *from < c->written)
		to[n++] = c->out[(*from)++ % PVM_CONSOLE_BYTES];
	raw_spin_unlock_irqrestore(&c->lock, flags);
	return n;
}

static void pvm_console_log(struct work_struct *w)
{
	struct pvm_console *c = container_of(w, struct pvm_console, log_work);
	u8 *piece = kmalloc(PVM_CONSOLE_PIECE, GFP_KERNEL);
	u32 n;

	if (!piece)
		return;	/* tried again with the next byte */
	while ((n = pvm_console_copy(c, &c->logged, piece, PVM_CONSOLE_PIECE)))
		if (kernel_write(c->log, piece, n, &c->log->f_pos) < 0)
			break;
	kfree(piece);
}

static void pvm_console_wake(struct irq_work *w)
{
	struct pvm_console *c = container_of(w, struct pvm_console, wake);

	wake_up_all(&c->wait);
	if (c->log)
		queue_work(system_unbound_wq, &c->log_work);
}

struct pvm_console *pvm_console_new(struct pvm_vm *vm)
{
	struct pvm_console *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return NULL;
	c->out = vmalloc(PVM_CONSOLE_BYTES);
	if (!c->out) {
		kfree(c);
		return NULL;
	}
	raw_spin_lock_init(&c->lock);
	kref_init(&c->ref);
	init_waitqueue_head(&c->wait);
	init_irq_work(&c->wake, pvm_console_wake);
	INIT_WORK(&c->log_work, pvm_console_log);
	c->vm = vm;
	return c;
}

void pvm_console_set_file(struct pvm_console *c, struct file *file)
{
	if (c->log)
		fput(c->log);
	c->log = get_file(file);
}

void pvm_console_put(struct pvm_console *c, u8 byte)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&c->lock, flags);
	c->out[c->written++ % PVM_CONSOLE_BYTES] = byte;
	raw_spin_unlock_irqrestore(&c->lock, flags);
	irq_work_queue(&c->wake);
}

bool pvm_console_get(struct pvm_console *c, u8 *byte)
{
	unsigned long flags;
	bool any;

	raw_spin_lock_irqsave(&c->lock, flags);
	any = c->in_used;
	if (any) {
		*byte = c->in[c->in_head];
		c->in_head = (c->in_head + 1) % PVM_CONSOLE_INPUT;
		c->in_used--;
	}
	raw_spin_unlock_irqrestore(&c->lock, flags);
	if (any && wq_has_sleeper(&c->wait))
		irq_work_queue(&c->wake);
	return any;
}

void pvm_console_end(struct pvm_console *c)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&c->lock, flags);
	c->ended = true;
	c->vm = NULL;
	raw_spin_unlock_irqrestore(&c->lock, flags);
	irq_work_sync(&c->wake);
	wake_up_all(&c->wait);
	if (c->log) {
		queue_work(system_unbound_wq, &c->log_work);
		flush_work(&c->log_work);
		fput(c->log);
		c->log = NULL;
	}
}

void pvm_console_free(struct pvm_console *c)
{
	if (c)
		kref_put(&c->ref, pvm_console_release);
}

static ssize_t pvm_console_read(struct file *file, char __user *to, size_t bytes, loff_t *pos)
{
	struct pvm_console *c = file->private_data;
	u8 piece[256];
	u32 n;
	int err;

	for (;;) {
		n = pvm_console_copy(c, &c->read, piece, min_t(size_t, bytes, sizeof(piece)));
		if (n || !bytes || READ_ONCE(c->ended))
			break;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(c->wait,
					       READ_ONCE(c->written) != READ_ONCE(c->read) ||
					       READ_ONCE(c->ended));
		if (err)
			return err;
	}
	return copy_to_user(to, piece, n) ? -EFAULT : n;
}

/* Takes what there is room for and hands it to the UART. */
static size_t pvm_console_type(struct pvm_console *c, const u8 *from, size_t bytes)
{
	struct pvm_vm *vm;
	size_t n = 0;

	raw_spin_lock_irq(&c->lock);
	while (n < bytes && c->in_used < PVM_CONSOLE_INPUT) {
		c->in[(c->in_head + c->in_used) % PVM_CONSOLE_INPUT] = from[n++];
		c->in_used++;
	}
	vm = c->vm;
	if (vm && !kref_get_unless_zero(&vm->ref))
		vm = NULL;
	raw_spin_unlock_irq(&c->lock);
	if (vm) {
		mutex_lock(&vm->lock);
		if (vm->state == PVM_STATE_RUNNING || vm->state == PVM_STATE_PAUSED)
			pvm_board_serial_input(vm);
		mutex_unlock(&vm->lock);
		pvm_vm_put(vm);
	}
	return n;
}

static bool pvm_console_room(struct pvm_console *c)
{
	return READ_ONCE(c->in_used) < PVM_CONSOLE_INPUT || READ_ONCE(c->ended);
}

static ssize_t pvm_console_write(struct file *file, const char __user *from, size_t bytes,
				 loff_t *pos)
{
	struct pvm_console *c = file->private_data;
	u8 piece[256];
	int err;

	bytes = min(bytes, sizeof(piece));
	if (copy_from_user(piece, from, bytes))
		return -EFAULT;
	if (!pvm_console_room(c)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(c->wait, pvm_console_room(c));
		if (err)
			return err;
	}
	if (READ_ONCE(c->ended))
		return -EPIPE;
	return pvm_console_type(c, piece, bytes);
}

static __poll_t pvm_console_poll(struct file *file, poll_table *table)
{
	struct pvm_console *c = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &c->wait, table);
	if (READ_ONCE(c->written) != READ_ONCE(c->read))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(c->ended))
		mask |= EPOLLIN | EPOLLHUP;
	if (READ_ONCE(c->in_used) < PVM_CONSOLE_INPUT)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static int pvm_console_close(struct inode *inode, struct file *file)
{
	struct pvm_console *c = file->private_data;

	raw_spin_lock_irq(&c->lock);
	c->open = false;
	raw_spin_unlock_irq(&c->lock);
	pvm_console_free(c);
	return 0;
}

static const struct file_operations pvm_console_fops = {
	.owner		= THIS_MODULE,
	.read		= pvm_console_read,
	.write		= pvm_console_write,
	.poll		= pvm_console_poll,
	.release	= pvm_console_close,
	.llseek		= noop_llseek,
};

struct file *pvm_vm_console_file(struct pvm_vm *vm, struct pvm_why *why)
{
	struct pvm_console *c = vm->console;
	struct file *file;
	bool busy;

	raw_spin_lock_irq(&c->lock);
	busy = c->open;
	c->open = true;
	if (!busy)	/* a new reader begins with what the ring still has */
		c->read = c->written > PVM_CONSOLE_BYTES ? c->written - PVM_CONSOLE_BYTES : 0;
	raw_spin_unlock_irq(&c->lock);
	if (busy) {
		pvm_why_set(why, "the console of %s is open elsewhere: close that one first",
			    vm->config.name);
		return ERR_PTR(-EBUSY);
	}
	kref_get(&c->ref);
	file = anon_inode_getfile("[passvm-console]", &pvm_console_fops, c, O_RDWR);
	if (IS_ERR(file)) {
		raw_spin_lock_irq(&c->lock);
		c->open = false;
		raw_spin_unlock_irq(&c->lock);
		pvm_console_free(c);
	}
	return file;
}
