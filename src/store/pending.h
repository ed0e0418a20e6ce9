/* store/pending.h - answers that wait until what they promise is true: a peer has the
 * write, all peers have it, it is on disk.
 *
 * Pure. Both conditions only grow with the numbers of the lane's writes, so that answers
 * come out in the order in which they went in, and the first one is all that has to be
 * looked at. One queue for each promise, so that one does not wait for another.
 *
 * Thread: the lane's.
 */
#ifndef STORE_PENDING_H
#define STORE_PENDING_H

#include "base/bytes.h"
#include "base/span.h"

/* How many must have it. */
enum pending_promise { PENDING_HERE, PENDING_ONE, PENDING_ALL, PENDING_PROMISES };

struct pending {
	struct bytes queues[PENDING_PROMISES];	/* owned */
	uint64_t     count;
};

/* What an answer waits for; both must be reached. */
struct pending_mark {
	uint64_t seq;		/* of the lane's replication log; 0: nothing there */
	uint64_t kept;		/* of the lane's ledger; 0: nothing there */
};

void pending_fini(struct pending *p);

/* Appends an answer, which is copied. False: out of memory. */
bool pending_add(struct pending *p, enum pending_promise promise,
		 struct pending_mark mark, struct span answer);

/* The first answer of this promise, if `reached` is at least what it waits for. Borrowed,
 * until the next call. False: there is none. */
bool pending_first(const struct pending *p, enum pending_promise promise,
		   struct pending_mark reached, struct span *answer);

/* Takes out the one that pending_first has shown. */
void pending_drop(struct pending *p, enum pending_promise promise);

/* Nobody wants the answers any more. */
void pending_clear(struct pending *p);

/* Bytes that wait. */
static inline size_t pending_bytes(const struct pending *p)
{
	return bytes_waiting(&p->queues[PENDING_HERE]) +
	       bytes_waiting(&p->queues[PENDING_ONE]) +
	       bytes_waiting(&p->queues[PENDING_ALL]);
}

#endif
