#include "pick/search.h"

#include <string.h>

struct nearest {
	uint32_t server;	/* PICK_NONE: none so far */
	uint64_t distance;
};

struct bound search_bound(const struct pick_view *view, struct pick_state *state)
{
	uint64_t load = atomic_load_explicit(&view->pool->live->in_flight,
					     memory_order_relaxed);

	pick_see_weights(view, state);
	return (struct bound){
		.load = (load + 1) * (100 + view->pool->bounded_percent),
		.weight = (uint64_t)state->open_weight * 100,
	};
}

/* Of two at the same distance, the one whose name comes first: not their order in the
 * file, which differs from balancer to balancer. */
static void offer(struct nearest *n, const struct pick_view *view, uint32_t server,
		  uint64_t distance)
{
	const struct model_server *servers = view->pool->servers;
	bool is_nearer = n->server == PICK_NONE || distance < n->distance ||
			 (distance == n->distance &&
			  strcmp(servers[server].address.text,
				 servers[n->server].address.text) < 0);

	if (is_nearer)
		*n = (struct nearest){server, distance};
}

uint32_t search_end(const struct search *s, search_distance *distance, uint64_t key)
{
	struct nearest within = {.server = PICK_NONE}, open = {.server = PICK_NONE};

	for (uint32_t i = 0; i < s->view->count; i++) {
		if (!pick_may(s->view, i, s->tried))
			continue;
		uint64_t far = distance(s->view, i, key);
		offer(&open, s->view, i, far);
		if (search_is_within(s, i))
			offer(&within, s->view, i, far);
	}
	if (within.server != PICK_NONE)
		return within.server;
	/* Nobody is within the bound: perhaps because servers have gone since the
	 * weights were added up. */
	s->state->unseen = 0;
	return s->first != PICK_NONE ? s->first : open.server;
}
