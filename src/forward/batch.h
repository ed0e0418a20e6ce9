/* forward/batch.h - requests of a pool that are placed together: those that have come
 * within a window of time, or as many as a batch may be.
 *
 * A pool without a window (batch_ms 0) has none of this: its requests are placed as they
 * are read, so that a batch is what one turn of the loop has read, and waits for nothing.
 *
 * They are placed in the order in which they came. Each loop has batches of its own.
 *
 * Thread: the loop's, but for batch_create.
 */
#ifndef FORWARD_BATCH_H
#define FORWARD_BATCH_H

#include "forward/edition.h"
#include "loop/turn.h"

struct worker;

struct batch {
	uint32_t window_ms, count_max;
	uint32_t count;
	struct link     held;		/* waiters, the first one first */
	struct worker  *worker;		/* borrowed, both, while somebody is held */
	struct edition *edition;
	struct loop_timer window;	/* runs from the first one on */
	struct loop_task  full;
};

/* Heap memory, owned by the caller; NULL: the pool has no window. Control thread. */
struct batch *batch_create(const struct model_pool *pool);

/* Nobody may be held. NULL is allowed. */
void batch_destroy(struct batch *b);

/* Joins the batch of its lane; `e` is the edition of both. waiter->retry is called once,
 * when it is time, and not out of this call; nobody asks what it returns. */
void batch_add(struct batch *b, struct worker *w, struct edition *e, struct waiter *waiter);

/* Leaves it untold. */
void batch_remove(struct batch *b, struct waiter *waiter);

/* All that this loop holds is placed now. */
void batch_flush_all(struct worker *w);

#endif
