#include "forward/edition.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "forward/batch.h"
#include "forward/sticky.h"

static void open_lane(struct lane *lane, const struct model_pool *pool, unsigned loop)
{
	struct pick_server *servers = memory_new(pool->server_count, sizeof *servers);

	for (uint32_t i = 0; i < pool->server_count; i++) {
		const struct model_server *s = &pool->servers[i];
		servers[i].live = s->live;
		servers[i].parallel_max = s->parallel_max > 0 ? s->parallel_max
							      : pool->server_parallel_max;
	}
	lane->pool = pool;
	lane->view = (struct pick_view){servers, pool->server_count, pool};
	pick_state_init(&lane->state, pool->server_count,
			hash_pair(loop + 1, hash_bytes(pool->name, strlen(pool->name))));
	budget_init(&lane->budget, pool->retry_percent, pool->retry_reserve);
	list_init(&lane->waiting);
	lane->sticky = sticky_create(pool);
	lane->batch = batch_create(pool);
	lane->by_request = pool->policy->wants_key || lane->sticky != NULL ||
			   pool->request_ids;
}

struct edition *edition_create(const struct model *m, unsigned loop)
{
	struct edition *e = memory_new(1, sizeof *e);

	e->model = model_get(m);
	e->users = 1;
	list_init(&e->link);
	e->lanes = memory_new(m->pool_count, sizeof *e->lanes);
	for (uint32_t i = 0; i < m->pool_count; i++)
		open_lane(&e->lanes[i], &m->pools[i], loop);
	e->doors = memory_new(m->listener_count, sizeof *e->doors);
	for (uint32_t i = 0; i < m->listener_count; i++) {
		const struct model_listener *l = &m->listeners[i];
		e->doors[i].listener = l;
		list_init(&e->doors[i].waiting);
	}
	return e;
}

int32_t edition_find_door(const struct edition *e, const struct live_listener *live)
{
	for (uint32_t i = 0; i < e->model->listener_count; i++)
		if (e->model->listeners[i].live == live &&
		    e->model->listeners[i].kind != LISTEN_KV)
			return (int32_t)i;
	return -1;
}

struct lane *edition_find_lane(const struct edition *e, const struct live_pool *live)
{
	for (uint32_t i = 0; i < e->model->pool_count; i++)
		if (e->model->pools[i].live == live)
			return &e->lanes[i];
	return NULL;
}

void edition_release(struct edition *e)
{
	if (--e->users > 0)
		return;
	for (uint32_t i = 0; i < e->model->pool_count; i++) {
		must(list_empty(&e->lanes[i].waiting));
		pick_state_fini(&e->lanes[i].state);
		sticky_destroy(e->lanes[i].sticky);
		batch_destroy(e->lanes[i].batch);
		free((void *)(uintptr_t)e->lanes[i].view.servers);
	}
	list_remove(&e->link);
	free(e->lanes);
	free(e->doors);
	model_put(e->model);
	free(e);
}
