#include "pick/state.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"

void pick_state_init(struct pick_state *state, uint32_t count, uint64_t seed)
{
	*state = (struct pick_state){
		/* Mixed: of two seeds one step of pick_random apart, the second would
		 * give the sequence of the first, a number later. */
		.random = hash_mix(seed),
		.current = memory_new(count, sizeof *state->current),
	};
	state->cursor = pick_random_below(state, count);
}

void pick_state_fini(struct pick_state *state)
{
	free(state->current);
	state->current = NULL;
}

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014. */
uint64_t pick_random(struct pick_state *state)
{
	state->random += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(state->random);
}

/* The high half of a product instead of a remainder: no division, and a bias below
 * limit / 2^64 (Lemire: "Fast random integer generation in an interval", 2019). */
uint32_t pick_random_below(struct pick_state *state, uint32_t limit)
{
	return (uint32_t)((unsigned __int128)pick_random(state) * limit >> 64);
}

void pick_see_weights(const struct pick_view *view, struct pick_state *state)
{
	uint32_t lightest = UINT32_MAX, heaviest = 0, open = 0;

	if (state->unseen > 0) {
		state->unseen--;
		return;
	}
	for (uint32_t i = 0; i < view->count; i++) {
		uint32_t weight = pick_weight(&view->servers[i]);
		if (weight == 0)
			continue;
		lightest = weight < lightest ? weight : lightest;
		heaviest = weight > heaviest ? weight : heaviest;
		if (pick_is_open(&view->servers[i]))
			open += weight;
	}
	state->lightest = heaviest > 0 ? lightest : 0;
	state->heaviest = heaviest;
	state->open_weight = open;
	state->unseen = view->count;
}
