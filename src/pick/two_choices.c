/* pick/two_choices.c - two by lot, and of these the less busy one.
 *
 * Nearly as even as the least of all and as cheap as one by lot (Mitzenmacher: "The
 * power of two choices in randomized load balancing", 2001). Unlike the least of
 * all it does not send every loop, and every balancer, to the same idle server.
 *
 * Weights count twice, on purpose: in the draw, so that an idle pool is used in
 * proportion, and in the comparison, so that a busy one is as well.
 */
#include "pick/draw.h"
#include "pick/policy.h"

static uint32_t two_choices_pick(const struct pick_view *view, struct pick_state *state,
				 uint64_t key, const struct tried *tried)
{
	uint32_t a = draw_server(view, state, tried, PICK_NONE);
	(void)key;
	if (a == PICK_NONE)
		return PICK_NONE;
	uint32_t b = draw_server(view, state, tried, a);
	if (b == PICK_NONE)
		return a;

	/* in_flight / weight without a division; on a tie the first draw stands. */
	const struct pick_server *one = &view->servers[a], *other = &view->servers[b];
	uint64_t first = (uint64_t)pick_in_flight(one) * pick_weight(other);
	uint64_t second = (uint64_t)pick_in_flight(other) * pick_weight(one);
	return second < first ? b : a;
}

const struct policy policy_two_choices = {
	.name = "two-choices",
	.help = "the less busy one of two by lot, relative to weight",
	.pick = two_choices_pick,
};
