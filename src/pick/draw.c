/* pick/draw.c - guesses while guesses are cheap, and looks at everybody otherwise.
 *
 * A guess takes any server with the same chance and keeps it with the chance weight /
 * heaviest weight, which makes the chances as the weights. A guess that comes to
 * nothing says nothing about the servers, so guessing again, and the scan in the end,
 * leave their chances as they are.
 */
#include "pick/draw.h"

enum { GUESSES_MAX = 8 };

/* One pass: each candidate replaces the one held with the chance weight / weights
 * so far, which leaves each with weight / weights of all in the end. */
static uint32_t draw_by_weight(const struct pick_view *view, struct pick_state *state,
			       const struct tried *tried, uint32_t except)
{
	uint32_t winner = PICK_NONE, weights = 0;

	for (uint32_t i = 0; i < view->count; i++) {
		if (i == except || !pick_may(view, i, tried))
			continue;
		uint32_t weight = pick_weight(&view->servers[i]);
		weights += weight;
		if (winner == PICK_NONE || pick_random_below(state, weights) < weight)
			winner = i;
	}
	return winner;
}

/* True with the chance weight / heaviest. A weight that has become greater than the
 * heaviest that was seen counts as that one until the next look. */
static bool keeps(const struct pick_view *view, struct pick_state *state, uint32_t i)
{
	uint32_t weight = pick_weight(&view->servers[i]), heaviest = state->heaviest;

	return weight >= heaviest || pick_random_below(state, heaviest) < weight;
}

uint32_t draw_server(const struct pick_view *view, struct pick_state *state,
		     const struct tried *tried, uint32_t except)
{
	pick_see_weights(view, state);
	for (int n = 0; n < GUESSES_MAX && view->count > 0; n++) {
		uint32_t i = pick_random_below(state, view->count);
		if (i != except && pick_may(view, i, tried) && keeps(view, state, i))
			return i;
	}
	return draw_by_weight(view, state, tried, except);
}
