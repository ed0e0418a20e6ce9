#include "pick/policy.h"
#include "base/hash.h"
static uint32_t pick(const struct pick_view *view, struct pick_state *state, uint64_t key, const struct tried *tried)
{
	uint32_t w = PICK_NONE; uint64_t best = 0;
	(void)state;
	for (uint32_t i = 0; i < view->count; i++) {
		if (!pick_may(view, i, tried)) continue;
		uint64_t bid = hash_pair(key, view->servers[i].live->seed);
		if (w == PICK_NONE || bid > best) { w = i; best = bid; }
	}
	return w;
}
const struct policy policy_rendezvous = {.name = "rendezvous", .pick = pick, .wants_key = true};
