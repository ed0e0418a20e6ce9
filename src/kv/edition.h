/* kv/edition.h - what a hub makes of a model: a lane for each pool that a key-value
 * listener leads to, with its policies' state and the ways to its workers.
 *
 * Clients and pools that began under an older one keep it until they take the next.
 *
 * Thread: the loop's.
 */
#ifndef KV_EDITION_H
#define KV_EDITION_H

#include "base/list.h"
#include "model/live.h"
#include "pick/policy.h"

enum { KV_LANES_MAX = 16 };		/* connections of one worker */

/* A worker that takes requests, as this hub knows it. */
struct kv_route {
	struct live_server *server;	/* held by way of the edition */
	uint32_t worker;		/* its id */
	uint8_t  speaks;		/* 1 or 2 */
	uint8_t  lanes;
	struct { uint8_t hub; uint32_t link; } to[KV_LANES_MAX];
	struct link in_hub;		/* in hub->routes */
};

/* What a hub makes of a pool in one model. */
struct kv_lane {
	const struct model_pool *pool;
	struct pick_server *servers;	/* owned; with how much each may have at once */
	struct pick_server *keepers;	/* owned; the same without limits */
	struct pick_view    view, by_key;	/* of servers; of keepers */
	struct pick_state   reads, writes;
	struct kv_route   **routes;	/* owned; by the view's index; NULL:
					 * takes no requests */
};

struct kv_edition {
	const struct model *model;	/* held */
	struct kv_lane *lanes;		/* owned, one for each pool that a kv
					 * listener leads to */
	uint32_t lane_count;
	uint32_t users;
};

/* Holds the model. `loop` is the number of the hub. */
struct kv_edition *kv_edition_create(const struct model *m, unsigned loop);
/* One user less; the last one lets go of the model. NULL: nothing. */
void kv_edition_release(struct kv_edition *e);

static inline struct kv_edition *kv_edition_use(struct kv_edition *e)
{
	e->users++;
	return e;
}

/* The lane of this pool, or NULL. */
struct kv_lane *kv_edition_lane(const struct kv_edition *e, const struct live_pool *live);

/* Which routes the lanes' servers have, after either has changed. */
void kv_edition_route(struct kv_edition *e, const struct link *routes);

#endif
