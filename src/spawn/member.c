/* spawn/member.c - an owned server as one of its pool's: put in, taken out, and what is
 * told of it while it is there.
 *
 * Invariant: s->live is not NULL as long as the pool has it by our doing, and as long
 * shared->by_id leads from there to s.
 *
 * Thread: control.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "spawn/owner_inside.h"

static void remember_live(struct owned *s, struct live_server *live)
{
	struct owner_shared *shared = s->owner->shared;

	if (live->id >= shared->by_id_room) {
		uint32_t room = live->id + 64;
		shared->by_id = memory_grow(shared->by_id, room, sizeof(struct owned *));
		for (uint32_t i = shared->by_id_room; i < room; i++)
			shared->by_id[i] = NULL;
		shared->by_id_room = room;
	}
	shared->by_id[live->id] = s;
	s->live = live;
}

void owned_forget_live(struct owned *s)
{
	if (s->live != NULL)
		s->owner->shared->by_id[s->live->id] = NULL;
	s->live = NULL;
	list_remove(&s->probed);
}

void owned_take_out(struct owned *s, uint32_t limit_ms)
{
	const struct owners_hooks *hooks = &s->owner->shared->hooks;

	if (s->live == NULL)
		return;
	owned_forget_live(s);
	hooks->remove(hooks->arg, s->owner->pool, &s->server.address, limit_ms);
}

bool owned_put_in(struct owned *s, struct err *err)
{
	struct owner_shared *shared = s->owner->shared;

	if (s->server.address.len == 0) {
		err_set(err, "its address is not known");
		return false;
	}
	struct live_server *live = shared->hooks.add(shared->hooks.arg, s->owner->pool,
						     &s->server.address, err);
	if (live == NULL)
		return false;
	if (live->id < shared->by_id_room && shared->by_id[live->id] != NULL) {
		err_set(err, "its address is that of %s",
			shared->by_id[live->id]->life.name);
		return false;
	}
	remember_live(s, live);
	return true;
}

const struct live_server *owned_live(const struct owned *s)
{
	return s->live;
}

void owned_on_probed(struct owned *s, bool good, const char *reason)
{
	bool up = atomic_load_explicit(&s->live->up, memory_order_relaxed);

	/* The first good one while it is looked for, a bad one that was enough; out of
	 * the middle of anything, so it is only noted. */
	if (good != up || s->life.state != (up ? FLEET_CHECKING : FLEET_SERVING) ||
	    !list_empty(&s->probed))
		return;
	s->answered = up;
	snprintf(s->verdict, sizeof s->verdict, "%s", reason);
	list_push_last(&s->owner->probed, &s->probed);
	owner_soon(s->owner);
}

void owned_take_verdict(struct owned *s)
{
	bool heeded = s->life.state == (s->answered ? FLEET_CHECKING : FLEET_SERVING);
	char why[LIVE_REASON_MAX];

	list_remove(&s->probed);
	memcpy(why, s->verdict, sizeof why);
	if (heeded && s->answered)
		owned_step(s, FLEET_EVENT_ANSWERED, why);
	else if (heeded)
		owned_step(s, FLEET_EVENT_SILENT, why);
}

void owned_on_taken_out(struct owned *s, uint32_t limit_ms)
{
	struct owner *o = s->owner;

	owned_forget_live(s);
	s->life.order = NULL;
	if (limit_ms == UINT32_MAX)
		limit_ms = o->own->drain_ms;
	s->deadline_ms = owner_now(o) + limit_ms;
	if (o->fleet.wanted > o->own->min)
		o->fleet.wanted--;
	owned_step(s, FLEET_EVENT_TAKEN_OUT, "taken out of the pool by hand");
}
