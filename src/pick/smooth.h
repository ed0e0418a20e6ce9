/* pick/smooth.h - taking turns by weight without taking them in a row.
 *
 * Every candidate of a turn is credited its weight; the one with the greatest
 * credit wins and pays what all were given. So over time each wins in proportion to
 * its weight, and a heavy one's turns are spread: weights 5, 1, 1 give a a b a c a a,
 * not a a a a a b c. (nginx calls this smooth weighted round robin.)
 *
 * Invariant: the credits in pick_state.current sum to 0 between turns. Who is no
 * candidate in a turn keeps its credit.
 */
#ifndef PICK_SMOOTH_H
#define PICK_SMOOTH_H

#include "pick/state.h"

struct smooth {
	uint32_t winner;	/* PICK_NONE: there is no candidate yet */
	int64_t  given;		/* to all candidates of this turn */
};

#define SMOOTH_START ((struct smooth){.winner = PICK_NONE})

static inline void smooth_credit(struct smooth *turn, struct pick_state *state,
				 uint32_t server, uint32_t weight)
{
	state->current[server] += weight;
	turn->given += weight;
	if (turn->winner == PICK_NONE ||
	    state->current[server] > state->current[turn->winner])
		turn->winner = server;
}

/* Ends the turn: who has won, or PICK_NONE. */
static inline uint32_t smooth_end(const struct smooth *turn, struct pick_state *state)
{
	if (turn->winner != PICK_NONE)
		state->current[turn->winner] -= turn->given;
	return turn->winner;
}

#endif
