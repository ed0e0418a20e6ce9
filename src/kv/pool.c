#include "kv/pool.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "kv/dispatch.h"
#include "kv/registry.h"

static void on_again(struct loop_timer *t)
{
	struct kv_pool *p = CONTAINER_OF(t, struct kv_pool, again);

	p->users++;		/* its last request may go in this call */
	kv_dispatch_waiting(p);
	if (p->waiting_count > 0)
		loop_timer_start(p->hub->loop, t, KV_RETRY_MS);
	kv_hub_at_end(p->hub);
	kv_pool_release(p);
}

struct kv_pool *kv_pool_use(struct kv_hub *hub, struct live_pool *live)
{
	LIST_EACH(&hub->pools, it, next) {
		struct kv_pool *p = CONTAINER_OF(it, struct kv_pool, link);
		if (p->live == live) {
			p->users++;
			return p;
		}
	}
	struct kv_pool *p = memory_new(1, sizeof *p);
	p->hub = hub;
	p->live = live;
	p->users = 1;
	p->shared = kv_registry_shared(hub->registry, live->name);
	list_init(&p->waiting);
	loop_timer_init(&p->again, on_again);
	list_push_last(&hub->pools, &p->link);
	kv_pool_adopt(p, hub->now);
	return p;
}

void kv_pool_adopt(struct kv_pool *p, struct kv_edition *e)
{
	struct kv_lane *lane = kv_edition_lane(e, p->live);

	if (lane == NULL)
		return;		/* what is left of it goes on by the last
				 * one that had it */
	kv_edition_release(p->edition);
	p->edition = kv_edition_use(e);
	p->lane = lane;
}

void kv_pool_release(struct kv_pool *p)
{
	if (--p->users > 0)
		return;
	must(p->waiting_count == 0);
	loop_timer_stop(p->hub->loop, &p->again);
	list_remove(&p->link);
	kv_edition_release(p->edition);
	free(p);
}
