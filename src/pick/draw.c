/* pick/draw.c - guesses while guesses are cheap, and looks at everybody otherwise.
 *
 * A guess that hits nobody who may be picked says nothing about the others, so
 * guessing again keeps their chances equal, and so does the scan in the end.
 */
#include "pick/draw.h"

enum { GUESSES_MAX = 4 };

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

uint32_t draw_server(const struct pick_view *view, struct pick_state *state,
		     const struct tried *tried, uint32_t except)
{
	if (pick_is_even(view, state)) {
		for (int n = 0; n < GUESSES_MAX && view->count > 0; n++) {
			uint32_t i = pick_random_below(state, view->count);
			if (i != except && pick_may(view, i, tried))
				return i;
		}
	}
	return draw_by_weight(view, state, tried, except);
}
