/* loop/signals.h - signals as events of a loop, by signalfd(2).
 *
 * Nothing here runs in a signal handler: signals are blocked in every thread, and
 * the one loop that has opened a descriptor for them is told. Two equal signals that
 * come before the loop has looked are one.
 *
 * Thread: the loop's; signals_block before any thread is started.
 */
#ifndef LOOP_SIGNALS_H
#define LOOP_SIGNALS_H

#include "base/err.h"
#include "loop/loop.h"

struct signals {
	struct loop      *loop;		/* borrowed */
	struct loop_watch watch;	/* owned */
	void (*on_signal)(struct signals *s, int number);
};

/* Blocks TERM, INT, HUP, USR1 and USR2 in this thread and in those it starts, and
 * ignores PIPE. A program that is started later inherits both: see signals_unblock. */
void signals_block(void);

/* Undoes signals_block, for a child process before it runs another program. */
void signals_unblock(void);

/* From now on on_signal is told of these signals, which must be blocked; the list
 * ends with 0. -1 and *err: the kernel refused a descriptor. */
int signals_open(struct signals *s, struct loop *l, const int *numbers,
		 void (*on_signal)(struct signals *s, int number), struct err *err);

/* May be called by on_signal. Nothing happens when it is not open. */
void signals_close(struct signals *s);

#endif
