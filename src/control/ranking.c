#include "control/ranking.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/memory.h"
#include "model/live.h"

enum ranking_basis ranking_basis_of(const struct model_pool *p)
{
	if (p->policy->wants_key && p->key != KEY_REQUEST_ID)
		return RANKING_BY_KEY;
	if (p->policy == &policy_least_load || p->policy == &policy_least_conn)
		return RANKING_BY_FIGURES;
	return RANKING_BY_TURN;
}

static uint32_t parallel_max(const struct model_pool *p, const struct model_server *s)
{
	return s->parallel_max > 0 ? s->parallel_max : p->server_parallel_max;
}

/* What policies look at. */
static void copy(struct live_server *to, struct live_server *from)
{
	atomic_init(&to->up, atomic_load(&from->up));
	atomic_init(&to->draining, atomic_load(&from->draining));
	atomic_init(&to->weight, atomic_load(&from->weight));
	atomic_init(&to->load_total, atomic_load(&from->load_total));
	atomic_init(&to->load_errors, atomic_load(&from->load_errors));
	atomic_init(&to->in_flight, atomic_load(&from->in_flight));
	atomic_init(&to->gate.inside, atomic_load(&from->gate.inside));
	atomic_init(&to->address, atomic_load(&from->address));
	to->id = from->id;
	to->seed = from->seed;
}

/* A pool as its policy sees it, of copies. */
struct copies {
	struct live_server *live;	/* owned */
	struct pick_server *servers;	/* owned */
	struct pick_view view;
	struct pick_state state;
};

static void copies_init(struct copies *c, const struct model_pool *p)
{
	c->live = memory_new_aligned(alignof(struct live_server),
				     (p->server_count + 1) * sizeof *c->live);
	c->servers = memory_new(p->server_count, sizeof *c->servers);
	for (uint32_t i = 0; i < p->server_count; i++) {
		copy(&c->live[i], p->servers[i].live);
		c->servers[i] = (struct pick_server){
			.live = &c->live[i], .parallel_max = parallel_max(p, &p->servers[i]),
		};
	}
	c->view = (struct pick_view){
		.servers = c->servers, .count = p->server_count, .pool = p,
	};
	pick_state_init(&c->state, p->server_count, 0);
}

static void copies_fini(struct copies *c)
{
	pick_state_fini(&c->state);
	free(c->servers);
	free(c->live);
}

void ranking_make(struct ranking *r, const struct model_pool *p, uint64_t key)
{
	struct tried tried = {.count = 0};
	struct copies copies;

	copies_init(&copies, p);
	r->count = 0;
	while (r->count < PICK_TRIED_MAX) {
		uint32_t at = p->policy->pick(&copies.view, &copies.state, key, &tried);
		if (at == PICK_NONE)
			break;
		r->order[r->count++] = at;
		pick_note_tried(&tried, at);
	}
	copies_fini(&copies);
}

void ranking_firsts(const struct model_pool *p, const uint64_t *keys, uint32_t count,
		    uint32_t *servers)
{
	const struct tried tried = {.count = 0};
	struct copies copies;

	copies_init(&copies, p);
	for (uint32_t i = 0; i < count; i++)
		servers[i] = p->policy->pick(&copies.view, &copies.state, keys[i], &tried);
	copies_fini(&copies);
}

const char *ranking_obstacle(const struct model_pool *p, const struct model_server *s)
{
	struct live_server *live = s->live;
	uint32_t limit = parallel_max(p, s);

	if (atomic_load(&live->draining))
		return "it is being drained";
	if (atomic_load(&live->weight) == 0)
		return "its weight is 0";
	if (!atomic_load(&live->up))
		return live->reason[0] != '\0' ? live->reason : "it is down";
	if (limit > 0 && atomic_load(&live->gate.inside) >= limit)
		return "it has as many requests as it may";
	return NULL;
}
