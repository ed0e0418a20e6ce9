#include "kv/edition.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "kv/hub.h"

/* Requests at once. */
static uint32_t window_of(const struct model_pool *p, const struct model_server *s)
{
	uint32_t asked = s->parallel_max > 0 ? s->parallel_max : p->server_parallel_max;

	return asked > 0 && asked < KV_WINDOW_MAX ? asked : KV_WINDOW_MAX;
}

static void lane_init(struct kv_lane *lane, const struct model_pool *p, unsigned loop)
{
	uint64_t seed = hash_pair(loop, hash_bytes(p->name, strlen(p->name)));

	lane->pool = p;
	lane->servers = memory_new(p->server_count, sizeof *lane->servers);
	lane->keepers = memory_new(p->server_count, sizeof *lane->keepers);
	lane->routes = memory_new(p->server_count, sizeof(struct kv_route *));
	for (uint32_t i = 0; i < p->server_count; i++) {
		lane->servers[i].live = lane->keepers[i].live = p->servers[i].live;
		lane->servers[i].parallel_max = window_of(p, &p->servers[i]);
	}
	lane->view = (struct pick_view){lane->servers, p->server_count, p};
	lane->by_key = (struct pick_view){lane->keepers, p->server_count, p};
	pick_state_init(&lane->reads, p->server_count, seed);
	pick_state_init(&lane->writes, p->server_count, hash_mix(seed));
}

struct kv_edition *kv_edition_create(const struct model *m, unsigned loop)
{
	struct kv_edition *e = memory_new(1, sizeof *e);

	e->model = model_get(m);
	e->users = 1;
	e->lanes = memory_new(m->pool_count, sizeof *e->lanes);
	for (uint32_t i = 0; i < m->pool_count; i++)
		if (model_pool_is_kv(m, i))
			lane_init(&e->lanes[e->lane_count++], &m->pools[i], loop);
	return e;
}

void kv_edition_release(struct kv_edition *e)
{
	if (e == NULL || --e->users > 0)
		return;
	for (uint32_t i = 0; i < e->lane_count; i++) {
		pick_state_fini(&e->lanes[i].reads);
		pick_state_fini(&e->lanes[i].writes);
		free(e->lanes[i].servers);
		free(e->lanes[i].keepers);
		free(e->lanes[i].routes);
	}
	free(e->lanes);
	model_put(e->model);
	free(e);
}

struct kv_lane *kv_edition_lane(const struct kv_edition *e, const struct live_pool *live)
{
	for (uint32_t i = 0; i < e->lane_count; i++)
		if (e->lanes[i].pool->live == live)
			return &e->lanes[i];
	return NULL;
}

static struct kv_route *find_route(const struct link *routes,
				   const struct live_server *server)
{
	LIST_EACH(routes, it, next) {
		struct kv_route *route = CONTAINER_OF(it, struct kv_route, in_hub);
		if (route->server == server)
			return route;
	}
	return NULL;
}

void kv_edition_route(struct kv_edition *e, const struct link *routes)
{
	for (uint32_t i = 0; i < e->lane_count; i++)
		for (uint32_t j = 0; j < e->lanes[i].view.count; j++)
			e->lanes[i].routes[j] = find_route(routes,
							   e->lanes[i].servers[j].live);
}
