/* origin/wire.h - the bytes of one socket: what came in and waits to be read, what
 * waits to be sent.
 *
 * Knows nothing of HTTP. Remembers what an edge-triggered loop says only once, so
 * that no system call is made just to hear EAGAIN. A buffer is held only while bytes
 * wait in it.
 *
 * Thread: the loop's.
 */
#ifndef ORIGIN_WIRE_H
#define ORIGIN_WIRE_H

#include "base/buf.h"
#include "loop/loop.h"
#include "origin/source.h"

enum wire_result {
	WIRE_DONE,
	WIRE_BLOCKED,		/* go on when the loop tells, or when sent */
	WIRE_BROKEN,		/* reset, cut short, or out of memory */
};

/* What has to be done before whoever drives a wire can take the next step. */
enum want {
	GO_ON,			/* nothing */
	WANT_INPUT,		/* send what waits, then receive */
	WANT_OUTPUT,		/* send all that waits */
	WANT_TIME,		/* send what waits, and let a pause go by */
	WANT_END,		/* end the connection */
};

struct wire {
	struct loop_watch watch;	/* owned */
	struct buf *in, *out;		/* owned, NULL when nothing waits */
	uint64_t moved;			/* bytes so far, both ways */
	bool readable, writable;
	bool finishing;			/* the peer's end stands behind the bytes */
	bool ended;			/* and has been read */
};

void wire_init(struct wire *w, int fd,
	       void (*on_ready)(struct loop_watch *w, unsigned events));
void wire_close(struct wire *w, struct loop *l, struct buf_pool *pool);

/* Remembers what the loop tells. */
void wire_note(struct wire *w, unsigned events);

/* Receives once, behind what waits in `in`, into a buffer of at least `size` bytes.
 * There must be less than that waiting. WIRE_DONE: look at `in` and `ended`. */
enum wire_result wire_receive(struct wire *w, struct buf_pool *pool, size_t size);

/* Makes room in `out` for `bytes` more, at most BUF_LARGE, or says what hinders it. */
enum want wire_make_room(struct wire *w, struct buf_pool *pool, size_t bytes);

/* Sends what waits in `out`. WIRE_DONE: all of it. With `more` the kernel may hold
 * the end back until what follows. */
enum wire_result wire_flush(struct wire *w, struct buf_pool *pool, bool more);

/* Sends from a source directly, at most `max` bytes; `out` must be empty. WIRE_DONE:
 * some of them. */
enum wire_result wire_send_source(struct wire *w, struct source *s, size_t max);

/* Puts an empty `in` back. */
void wire_rest(struct wire *w, struct buf_pool *pool);

#endif
