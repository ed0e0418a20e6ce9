/* forward/asked.h - a request that a listener hands over to the admin interface, and what
 * is noted of it there once it has been answered: the listener's figures, and a line of
 * the access log.
 *
 * It is counted by the listener as it is handed over, as others are when they begin. The
 * status is known later, to another thread, and the loop may have ended by then: so that
 * thread has a meter and a ring of its own, as each loop has.
 *
 * Threads: made on a loop's, noted on the control thread, passed between by a message.
 */
#ifndef FORWARD_ASKED_H
#define FORWARD_ASKED_H

#include "forward/record.h"
#include "loop/loop.h"
#include "model/live.h"

struct asked {
	struct loop_job job;		/* of who passes it on */
	void           *arg;		/* likewise */
	const struct model *model;	/* held */
	struct live_listener *live;	/* the model's */
	uint32_t    pool;		/* which the request is about, in the model */
	int         fd;			/* owned; -1: somebody else has it */
	struct span bytes;		/* owned: what was read, from the head on */

	bool        sampled;		/* the access log is to have it, whatever it comes to */
	bool        listed;		/* it may have it: an error is in any sample */
	uint64_t    since_us;		/* when its first byte came */
	struct record record;
	struct span texts[RECORD_TEXTS];
};

struct session;

/* What became of it. */
struct asked_answer {
	uint16_t status;		/* 0: none was sent */
	uint64_t bytes_in, bytes_out;	/* of bodies, from and to the client */
};

/* The request that was read at `bytes`, which are copied; it has no descriptor yet. NULL:
 * out of memory. The loop's thread. */
struct asked *asked_create(struct session *s, uint32_t pool, struct span bytes);

/* Ends it without a note, and closes what it has. Any thread. */
void asked_drop(struct asked *a);

/* Notes it, in a ring that may be NULL, by the time of this loop; then ends it. The control
 * thread. */
void asked_note(struct asked *a, const struct asked_answer *answer, const struct loop *loop,
		struct record_ring *ring);

#endif
