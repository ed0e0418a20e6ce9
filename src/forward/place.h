/* forward/place.h - a place at a server: taken by a request or a session, and waited for
 * in the pool's queue where all servers are full.
 *
 * A place is counted in the server's `in_flight`, and in its gate where it has a
 * parallel_max. Who waits is noted in the pool and woken when any server of it has room.
 *
 * Thread: the loop's.
 */
#ifndef FORWARD_PLACE_H
#define FORWARD_PLACE_H

#include "forward/worker.h"
#include "loop/dial.h"

/* Some servers are up, and all of them have failed a patient one: how often it asks them
 * again, until one is down or another one is there. */
enum { PLACE_LOOK_MS = 500 };

/* How it was taken is how it is left, whatever the model says by then. */
struct place {
	struct live_server *server;	/* held by way of an edition of its user; NULL: none */
	struct live_pool   *pool;	/* so too */
	bool limited;			/* in the server's gate */
	bool bounded;			/* in the pool's in_flight */
};

enum place_answer {
	PLACE_TAKEN,
	PLACE_BUSY,	/* all that could take it are at their limit */
	PLACE_NOBODY,	/* none is up, or all that are up have been tried; counted */
};

/* Whom the lane's policy chooses, by the key where it wants one. Where all are down by
 * passive marks alone, one of them is tried all the same. */
uint32_t place_pick(struct lane *lane, uint64_t key, const struct tried *tried);

/* Takes a place at the lane's server number `at`, or finds out why the policy has chosen
 * none (PICK_NONE). p holds none yet. */
enum place_answer place_take(struct place *p, struct worker *w, const struct lane *lane,
			     uint32_t at, const struct tried *tried);

/* Leaves it and wakes who waits for one. Nothing happens when none is taken. */
void place_leave(struct place *p, struct worker *w);

/* Whether who finds nobody waits for somebody to come up: in pools that own their servers,
 * which see to that, and not while the balancer ends. */
static inline bool place_is_patient(const struct worker *w, const struct lane *lane)
{
	return lane->pool->own != NULL && !w->draining;
}

/* Somebody is about to wait, or goes on waiting. If it is patient and nobody is up at all,
 * the control thread hears of it; and whoever comes up then may be tried again, even one
 * with the address of one that has failed. */
void place_need(struct worker *w, const struct edition *e, const struct lane *lane,
		struct tried *tried);

/* Goes over to the newest edition, if the pool owns its servers: those that come are in
 * that one only. *e is no longer used then, and is the caller's to release, when nothing
 * of it is needed any more. False: nothing has changed. No place may be held. */
bool place_follow(struct worker *w, struct edition **e, struct lane **lane,
		  struct tried *tried);

/* The server number `at` of one lane in another one; PICK_NONE: it is not there. */
uint32_t place_same(const struct lane *from, uint32_t at, const struct lane *to);

/* Joins the lane's queue, in front of the others with `again`: it has waited before.
 * waiter->retry is called when there may be room. False: the queue is full, which is
 * counted. */
bool place_wait(struct worker *w, struct lane *lane, struct waiter *waiter, bool again,
		const struct tried *tried);

/* Leaves the queue. Nothing happens when it is in none. */
void place_stop_waiting(const struct lane *lane, struct waiter *waiter);

/* Whether it is worth while to pick once more: who is not patient need not wait where
 * nobody is up. If not, this loop is noted, and will hear of the next place. */
bool place_may_be_free(const struct worker *w, const struct lane *lane,
		       const struct tried *tried);

/* The server has answered, or has taken a connection that says as much. One that is down by
 * a mark alone is no longer, as soon as the control thread has heard of it. */
void place_succeed(struct worker *w, const struct edition *e, const struct lane *lane,
		   struct live_server *server);

/* The server is not to be asked again for this one. */
void place_note_tried(const struct lane *lane, const struct live_server *server,
		      struct tried *tried);

/* A dial has failed: held against the server, unless it was for our own lack of something.
 * `lane` is its pool. */
void place_fail_dial(struct worker *w, const struct edition *e, const struct lane *lane,
		     struct live_server *server, enum dial_result result);

/* Holds a failure against a server, as passive health. `lane` is its pool. */
void place_fail(struct worker *w, const struct edition *e, const struct lane *lane,
		struct live_server *server, enum live_failure why);

#endif
