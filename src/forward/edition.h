/* forward/edition.h - what one loop makes of one model: the model, and next to each
 * pool and listener what this loop needs at hand.
 *
 * The control thread makes one per loop and hands it over by message; the loop uses
 * the newest for new requests, while a request keeps the one it began with. The last
 * user ends it and puts the model back.
 *
 * Threads: edition_create on the control thread; afterwards the loop's alone.
 */
#ifndef FORWARD_EDITION_H
#define FORWARD_EDITION_H

#include "base/list.h"
#include "forward/budget.h"
#include "model/model.h"
#include "pick/policy.h"

struct batch;
struct sticky;

/* Who waits for a place: a request or a TCP session, in a queue below or a batch. */
struct waiter {
	struct link link;
	bool choosy;		/* some servers will not do: room for others may be none for it */

	/* There may be a place. False: there is none for this one, and it stays. */
	bool (*retry)(struct waiter *waiter);

	/* There is a newer edition: it goes over into the queue of its pool there, if the
	 * pool owns its servers (place_follow). Its old edition is held meanwhile. */
	void (*follow)(struct waiter *waiter);
};

/* A pool. */
struct lane {
	const struct model_pool *pool;
	struct pick_view   view;
	struct pick_state  state;
	struct budget      budget;
	struct link        waiting;	/* requests and sessions that wait for a free server */
	struct batch      *batch;	/* owned; NULL: each is placed by itself */
	struct sticky     *sticky;	/* owned; NULL: no sticky cookie */
	bool               by_request;	/* it matters what a request says */
};

/* A listener. */
struct door {
	const struct model_listener *listener;
	struct link      waiting;	/* requests that wait behind parallel_max */
};

struct edition {
	const struct model *model;	/* held */
	struct lane *lanes;		/* owned, one per pool */
	struct door *doors;		/* owned, one per listener */
	uint32_t     users;		/* the loop itself while it is the newest, and requests */
	struct link  link;		/* in the worker's list */
};

/* For the loop with this number; takes a hold of m, which must have been attached. */
struct edition *edition_create(const struct model *m, unsigned loop);

/* The listener's door, or -1: it is not there, or one of key-value mode, which is not ours. */
int32_t edition_find_door(const struct edition *e, const struct live_listener *live);

/* The pool's lane, or NULL: it is not there. */
struct lane *edition_find_lane(const struct edition *e, const struct live_pool *live);

/* One user more; returns e. */
static inline struct edition *edition_use(struct edition *e)
{
	e->users++;
	return e;
}

/* Where a listener leads that knows no routes but its `to POOL`, which is the last. */
static inline struct lane *edition_lane(const struct edition *e,
					const struct model_listener *l)
{
	return &e->lanes[l->routes[l->route_count - 1].pool];
}

/* One user less; the last one's call ends it. Nobody may be waiting in it then. */
void edition_release(struct edition *e);

#endif
