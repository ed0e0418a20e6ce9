/* pick/round_robin.c - one after the other, the heavier ones more often.
 *
 * With equal weights a cursor goes round: O(1) while nobody has to be passed over.
 * With different ones each pick is a turn of pick/smooth.h over all servers: O(n).
 */
#include "pick/policy.h"
#include "pick/smooth.h"

static uint32_t next_in_row(const struct pick_view *view, struct pick_state *state,
			    const struct tried *tried)
{
	uint32_t i = state->cursor;

	for (uint32_t seen = 0; seen < view->count; seen++) {
		if (pick_may(view, i, tried)) {
			state->cursor = pick_after(view, i);
			return i;
		}
		i = pick_after(view, i);
	}
	return PICK_NONE;
}

static uint32_t next_by_weight(const struct pick_view *view, struct pick_state *state,
			       const struct tried *tried)
{
	struct smooth turn = SMOOTH_START;

	for (uint32_t i = 0; i < view->count; i++)
		if (pick_may(view, i, tried))
			smooth_credit(&turn, state, i, pick_weight(&view->servers[i]));
	return smooth_end(&turn, state);
}

static uint32_t round_robin_pick(const struct pick_view *view, struct pick_state *state,
				 uint64_t key, const struct tried *tried)
{
	(void)key;
	pick_see_weights(view, state);
	return pick_is_even(state) ? next_in_row(view, state, tried)
				   : next_by_weight(view, state, tried);
}

const struct policy policy_round_robin = {
	.name = "round-robin",
	.help = "one after the other, in proportion to their weights",
	.pick = round_robin_pick,
};
