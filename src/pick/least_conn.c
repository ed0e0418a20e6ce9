/* pick/least_conn.c - the server with the fewest requests in flight.
 *
 * In flight over all loops, relative to the weights. Those with equally few take
 * turns, so that an idle pool is used evenly instead of always from its start: in a
 * row if weights are equal, otherwise by weight (pick/smooth.h). O(n), but with equal
 * weights no further than to the first idle server.
 */
#include "pick/policy.h"
#include "pick/smooth.h"

struct busyness {
	uint32_t in_flight, weight;
};

static struct busyness busyness_of(const struct pick_server *s)
{
	return (struct busyness){
		.in_flight = pick_in_flight(s),
		.weight = pick_weight(s),
	};
}

/* Negative: a is less busy; 0: equally. in_flight / weight without a division. */
static int compare(struct busyness a, struct busyness b)
{
	uint64_t left = (uint64_t)a.in_flight * b.weight;
	uint64_t right = (uint64_t)b.in_flight * a.weight;

	return (left > right) - (left < right);
}

static uint32_t least_in_row(const struct pick_view *view, struct pick_state *state,
			     const struct tried *tried)
{
	uint32_t i = state->cursor, winner = PICK_NONE, least = UINT32_MAX;

	for (uint32_t seen = 0; seen < view->count && least > 0; seen++) {
		uint32_t in_flight = pick_in_flight(&view->servers[i]);
		bool better = winner == PICK_NONE || in_flight < least;
		if (better && pick_may(view, i, tried)) {
			winner = i;
			least = in_flight;
		}
		i = pick_after(view, i);
	}
	if (winner != PICK_NONE)
		state->cursor = pick_after(view, winner);
	return winner;
}

static uint32_t least_by_weight(const struct pick_view *view, struct pick_state *state,
				const struct tried *tried)
{
	struct busyness least = {0};
	uint32_t winner = PICK_NONE, equals = 0;

	for (uint32_t i = 0; i < view->count; i++) {
		if (!pick_may(view, i, tried))
			continue;
		struct busyness b = busyness_of(&view->servers[i]);
		int order = winner == PICK_NONE ? -1 : compare(b, least);
		if (order < 0) {
			winner = i;
			least = b;
			equals = 1;
		} else if (order == 0) {
			equals++;
		}
	}
	if (equals <= 1)
		return winner;

	struct smooth turn = SMOOTH_START;
	for (uint32_t i = 0; i < view->count; i++) {
		struct busyness b = busyness_of(&view->servers[i]);
		if (compare(b, least) <= 0 && pick_may(view, i, tried))
			smooth_credit(&turn, state, i, b.weight);
	}
	/* Other loops may have given work to all of them in between. */
	return turn.winner != PICK_NONE ? smooth_end(&turn, state) : winner;
}

static uint32_t least_conn_pick(const struct pick_view *view, struct pick_state *state,
				uint64_t key, const struct tried *tried)
{
	(void)key;
	pick_see_weights(view, state);
	return pick_is_even(state) ? least_in_row(view, state, tried)
				   : least_by_weight(view, state, tried);
}

const struct policy policy_least_conn = {
	.name = "least-conn",
	.help = "the fewest requests in flight, relative to weight",
	.pick = least_conn_pick,
};
