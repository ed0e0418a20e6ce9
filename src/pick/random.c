/* pick/random.c - by lot. What every policy has to beat: no memory, no shared
 * counter, and servers that many balancers share are never picked in step.
 */
#include "pick/draw.h"
#include "pick/policy.h"

static uint32_t random_pick(const struct pick_view *view, struct pick_state *state,
			    uint64_t key, const struct tried *tried)
{
	(void)key;
	return draw_server(view, state, tried, PICK_NONE);
}

const struct policy policy_random = {
	.name = "random",
	.help = "by lot, with chances in proportion to their weights",
	.pick = random_pick,
};
