/* control/later.h - an answer that is not there yet. A handler that has begun something
 * which takes its time leaves one of these in its reply, instead of a status.
 *
 *   handler --(reply.later)--> exchange, which waits
 *      '-- reply, later_answered --> exchange: takes the reply, end
 *   the client has gone, or it takes too long --> exchange: end
 *
 * Lives inside the handler's struct. Thread: control.
 */
#ifndef CONTROL_LATER_H
#define CONTROL_LATER_H

#include "control/reply.h"

struct later {
	struct reply reply;		/* its status is 0 until it is there */

	/* Whoever waits no longer does: frees it all, and the reply unless that was
	 * taken. What was begun goes on, and tells nobody. Exactly once, never out of
	 * later_answered. */
	void (*end)(struct later *l);

	/* Of who waits, if somebody does: to be told that the reply is there. */
	void (*wake)(void *waiter);
	void *waiter;
};

/* The handler's: the reply is there. May be called before the handler has returned. */
static inline void later_answered(struct later *l)
{
	if (l->wake != NULL)
		l->wake(l->waiter);
}

#endif
