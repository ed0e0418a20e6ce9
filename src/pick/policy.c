/* pick/policy.c - the list of policies, and what they have in common.
 *
 * What is linked in is what is listed: a new policy is a file of its own and a
 * line here.
 */
#include "pick/policy.h"

#include <string.h>

#include "pick/state.h"

const struct policy *const policies[] = {
	&policy_round_robin,
	&policy_least_load,
	&policy_least_conn,
	&policy_two_choices,
	&policy_random,
	&policy_ring,
	&policy_maglev,
	&policy_rendezvous,
	&policy_slots,
	NULL,
};

const struct policy *policy_find(const char *name)
{
	for (const struct policy *const *p = policies; *p != NULL; p++)
		if (strcmp((*p)->name, name) == 0)
			return *p;
	return NULL;
}

enum pick_answer pick_why_none(const struct pick_view *view, const struct tried *tried)
{
	enum pick_answer answer = PICK_ALL_DOWN;

	for (uint32_t i = 0; i < view->count; i++) {
		if (!pick_is_open(&view->servers[i]))
			continue;
		if (!pick_was_tried(tried, i))
			return PICK_ALL_BUSY;
		answer = PICK_ALL_TRIED;
	}
	return answer;
}

uint32_t pick_suspect(const struct pick_view *view, struct pick_state *state, uint64_t key,
		      const struct tried *tried)
{
	if (pick_why_none(view, tried) != PICK_ALL_DOWN)
		return PICK_NONE;
	uint64_t start = key != 0 ? key : pick_random(state);
	for (uint32_t n = 0; n < view->count; n++) {
		uint32_t i = (uint32_t)((start + n) % view->count);
		const struct pick_server *s = &view->servers[i];
		bool wanted = pick_weight(s) > 0 && atomic_load(&s->live->address) != NULL &&
			      !atomic_load_explicit(&s->live->draining, memory_order_relaxed);
		if (wanted && !pick_is_busy(s) && !pick_was_tried(tried, i))
			return i;
	}
	return PICK_NONE;
}
