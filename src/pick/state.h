/* pick/state.h - what policies do with the little that a loop remembers for them.
 *
 * Pure. For the files of pick/ only. Thread: the loop's whose state it is.
 */
#ifndef PICK_STATE_H
#define PICK_STATE_H

#include "pick/policy.h"

/* The next of a sequence that no other loop shares (splitmix64). */
uint64_t pick_random(struct pick_state *state);

/* From 0 to limit - 1, each as likely; 0 when limit is 0. */
uint32_t pick_random_below(struct pick_state *state, uint32_t limit);

/* Brings state->lightest, heaviest and open_weight up to date; all are 0 when there is no
 * weight but 0. Looks at all servers only once in as many picks as there are servers,
 * so that a pick costs O(1) and a change of weight is seen that much later. */
void pick_see_weights(const struct pick_view *view, struct pick_state *state);

static inline bool pick_is_even(const struct pick_state *state)
{
	return state->lightest == state->heaviest;
}

/* The server after i, and the first after the last. */
static inline uint32_t pick_after(const struct pick_view *view, uint32_t i)
{
	return i + 1 < view->count ? i + 1 : 0;
}

#endif
