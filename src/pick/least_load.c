/* pick/least_load.c - the server that reports the least load.
 *
 * Load is what the server's own health check answers: how many requests it has
 * served, and how many of them were errors. Lowest total first; on a tie the most
 * errors, since those are answered faster; then the one given first. The choice
 * counts at once, so that requests between two probes spread as well; the next
 * probe's answer replaces both numbers.
 *
 * Totals are compared in proportion to the weights: weight 2 is picked until it has
 * served twice as much. With equal weights they make no difference.
 *
 * Two loops that pick at the same moment may choose the same server; each choice
 * is counted, so the next picks make up for it.
 */
#include "pick/policy.h"

struct load {
	uint64_t total, errors;
	uint32_t weight;
};

static struct load load_of(const struct pick_server *s)
{
	const struct live_server *live = s->live;

	return (struct load){
		.total = atomic_load_explicit(&live->load_total, memory_order_relaxed),
		.errors = atomic_load_explicit(&live->load_errors, memory_order_relaxed),
		.weight = pick_weight(s),
	};
}

/* total / weight without a division. The totals are a peer's: 64 bits would not do
 * for the products. */
static bool is_less_loaded(const struct load *a, const struct load *b)
{
	unsigned __int128 left = (unsigned __int128)a->total * b->weight;
	unsigned __int128 right = (unsigned __int128)b->total * a->weight;

	return left != right ? left < right : a->errors > b->errors;
}

static uint32_t least_load_pick(const struct pick_view *view, struct pick_state *state,
				uint64_t key, const struct tried *tried)
{
	uint32_t winner = PICK_NONE;
	struct load lowest = {0};

	(void)state, (void)key;
	for (uint32_t i = 0; i < view->count; i++) {
		if (!pick_may(view, i, tried))
			continue;
		struct load load = load_of(&view->servers[i]);
		if (winner == PICK_NONE || is_less_loaded(&load, &lowest)) {
			winner = i;
			lowest = load;
		}
	}
	/* A server that claims the greatest number of all must not go round to 0. */
	if (winner != PICK_NONE && lowest.total < UINT64_MAX / 2)
		atomic_fetch_add_explicit(&view->servers[winner].live->load_total, 1,
					  memory_order_relaxed);
	return winner;
}

const struct policy policy_least_load = {
	.name = "least-load",
	.help = "the lowest total that health checks report, relative to weight",
	.wants_load = true,
	.pick = least_load_pick,
};
