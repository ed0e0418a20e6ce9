/* kv/pool.h - a pool of key-value workers on one hub, over all models that have it: the
 * requests that wait there, and which edition they go by.
 *
 * Thread: the loop's.
 */
#ifndef KV_POOL_H
#define KV_POOL_H

#include "base/list.h"
#include "kv/edition.h"
#include "kv/request.h"
#include "kv/shared.h"
#include "loop/loop.h"

struct kv_hub;

/* A pool, over all editions; as long as clients or the newest edition have it. */
struct kv_pool {
	struct live_pool  *live;	/* held by way of the edition */
	struct kv_shared  *shared;	/* borrowed */
	struct kv_edition *edition;	/* a user of it: the newest that has the pool */
	struct kv_lane    *lane;	/* of it */
	struct link        waiting;	/* requests, in the order of asking */
	uint32_t           waiting_count;
	struct kv_request *came_back;	/* the last one that was put back there,
					 * while it waits */
	bool               holds_up;	/* clients that have found it full */
	uint32_t           users;	/* ports, clients and requests */
	struct loop_timer  again;	/* while some wait */
	struct kv_hub     *hub;
	struct link        link;	/* in hub->pools */
};

/* The hub's, made when it is missing; its users become one more. */
struct kv_pool *kv_pool_use(struct kv_hub *hub, struct live_pool *live);
void kv_pool_release(struct kv_pool *p);
void kv_pool_adopt(struct kv_pool *p, struct kv_edition *e);

#endif
