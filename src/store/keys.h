/* store/keys.h - a terminal's keys, each told as it is pressed, without Enter.
 *
 * The terminal is put back as it was by keys_close, and at exit. Where standard input is
 * no terminal, or another program has it at present, nothing is told.
 *
 * Thread: the loop's.
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "base/err.h"
#include "loop/loop.h"

struct keys {
	struct loop      *loop;		/* borrowed */
	struct loop_watch watch;	/* owned; not open: no terminal */
	void (*on_key)(struct keys *k, char key);
};

/* -1 and *err: the kernel refused to watch it. */
int keys_open(struct keys *k, struct loop *loop, void (*on_key)(struct keys *k, char key),
	      struct err *err);

/* May be called by on_key. Nothing happens when it is not open. */
void keys_close(struct keys *k);

#endif
