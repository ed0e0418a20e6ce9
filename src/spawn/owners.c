/* spawn/owners.c - which owner a pool has, and since when; who is whose.
 *
 * A pool may have two owners for a while: where its servers come from another engine now,
 * the old ones serve until the new ones do.
 *
 * Thread: control.
 */
#include "spawn/owners.h"

#include <stdlib.h>
#include <string.h>

#include "base/hmac.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "loop/loop.h"
#include "spawn/owner.h"

struct entry {
	struct link   link;		/* in owners.entries */
	struct owner *owner;		/* owned */
	bool          outgoing;		/* another one has its pool now, and this one
					 * leaves when that one is complete */
	bool          is_listed;	/* in the model in force */
};

struct owners {
	struct owner_shared shared;
	const struct spawn_driver *(*driver_of)(enum own_driver driver);
	struct link entries;
	const struct model *model;	/* held; NULL before the first */
	uint32_t silence_ms, hurry_ms;
	struct loop_timer limit;	/* of the end, or of its silence */
	uint64_t force_at_ms;		/* while it ends: no longer without force */
	uint32_t left;			/* how many there were when that was last looked at */
	bool ending, hurried;
	void (*ended)(void *arg);	/* NULL: it was told */
	void *arg;
};

#define ENTRY_OF(it) CONTAINER_OF(it, struct entry, link)

/* The one that answers for the pool, or NULL. */
static struct entry *find(const struct owners *o, const char *pool)
{
	LIST_EACH(&o->entries, it, next) {
		struct entry *e = ENTRY_OF(it);
		if (!e->outgoing && strcmp(owner_pool(e->owner), pool) == 0)
			return e;
	}
	return NULL;
}

static struct owner *owner_of(const struct owners *o, const char *pool)
{
	struct entry *e = find(o, pool);

	return e != NULL && e->is_listed ? e->owner : NULL;
}

static void destroy(struct entry *e)
{
	list_remove(&e->link);
	owner_destroy(e->owner);
	free(e);
}

/* ---- the end ---- */

static void look_for_end(struct owners *o)
{
	void (*ended)(void *arg) = o->ended;

	if (!o->ending || ended == NULL)
		return;
	LIST_EACH(&o->entries, it, next)
		if (!owner_is_empty(ENTRY_OF(it)->owner))
			return;
	o->ended = NULL;
	loop_timer_stop(o->shared.loop, &o->limit);
	ended(o->arg);
}

static uint32_t count_left(const struct owners *o)
{
	uint32_t count = 0;

	LIST_EACH(&o->entries, it, next)
		count += owner_count(ENTRY_OF(it)->owner);
	return count;
}

/* Looks again after a silence; false: there is no time for that any more. */
static bool wait_on(struct owners *o)
{
	uint64_t now = loop_now_ms(o->shared.loop);

	if (now >= o->force_at_ms)
		return false;
	uint64_t left_ms = o->force_at_ms - now;
	loop_timer_start(o->shared.loop, &o->limit,
			 left_ms < o->silence_ms ? left_ms : o->silence_ms);
	return true;
}

static void on_limit(struct loop_timer *t)
{
	struct owners *o = CONTAINER_OF(t, struct owners, limit);
	void (*ended)(void *arg) = o->ended;

	if (!o->hurried) {
		uint32_t before = o->left;
		o->left = count_left(o);
		if (o->left == before || !wait_on(o))
			owners_hurry(o);
		return;
	}
	log_error("servers are left that could not be ended in time");
	o->ended = NULL;
	if (ended != NULL)
		ended(o->arg);
}

void owners_rest(struct owners *o)
{
	LIST_EACH(&o->entries, it, next)
		owner_rest(ENTRY_OF(it)->owner);
}

void owners_hand_over(struct owners *o)
{
	owners_rest(o);
	record_write(o->shared.record);
	LIST_EACH(&o->entries, it, next)
		destroy(ENTRY_OF(it));
}

bool owners_are_complete(const struct owners *o)
{
	LIST_EACH(&o->entries, it, next)
		if (!owner_is_complete(ENTRY_OF(it)->owner))
			return false;
	return true;
}

static uint32_t longest_stop_ms(const struct owners *o)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; o->model != NULL && i < o->model->pool_count; i++) {
		const struct model_own *own = o->model->pools[i].own;
		if (own != NULL && own->stop_ms > longest)
			longest = own->stop_ms;
	}
	return longest;
}

void owners_end(struct owners *o, void (*ended)(void *arg), void *arg)
{
	must(!o->ending);
	o->ending = true;
	o->ended = ended;
	o->arg = arg;
	uint64_t stop_ms = longest_stop_ms(o);
	o->left = count_left(o);
	o->force_at_ms = loop_now_ms(o->shared.loop) + stop_ms + OWNERS_END_MS - o->hurry_ms;
	loop_timer_start(o->shared.loop, &o->limit, stop_ms + o->silence_ms);
	LIST_EACH(&o->entries, it, next)
		owner_end(ENTRY_OF(it)->owner, false);
	look_for_end(o);
}

void owners_hurry(struct owners *o)
{
	if (!o->ending || o->ended == NULL || o->hurried)
		return;
	o->hurried = true;
	loop_timer_stop(o->shared.loop, &o->limit);	/* it may be armed for later */
	loop_timer_start(o->shared.loop, &o->limit, o->hurry_ms);
	LIST_EACH(&o->entries, it, next)
		owner_end(ENTRY_OF(it)->owner, true);
	look_for_end(o);
}

/* ---- a model ---- */

static void leave_before(struct owners *o, const char *pool)
{
	LIST_EACH(&o->entries, it, next)
		if (ENTRY_OF(it)->outgoing &&
		    strcmp(owner_pool(ENTRY_OF(it)->owner), pool) == 0)
			owner_leave(ENTRY_OF(it)->owner);
}

/* One that the pool has, or has had and still ends, of the same engine; two owners at one
 * engine would find each other's servers. */
static struct entry *find_at(const struct owners *o, const struct model_pool *p)
{
	LIST_EACH(&o->entries, it, next) {
		struct entry *e = ENTRY_OF(it);
		if (strcmp(owner_pool(e->owner), p->name) == 0 &&
		    owner_is_at(e->owner, p->own))
			return e;
	}
	return NULL;
}

static struct entry *create(struct owners *o, const struct model_pool *p)
{
	struct entry *e = memory_new(1, sizeof *e);

	e->owner = owner_create(&o->shared, p->name, o->driver_of(p->own->driver),
				p->own);
	list_push_last(&o->entries, &e->link);
	return e;
}

static void use(struct owners *o, const struct model_pool *p)
{
	struct entry *before = find(o, p->name), *e = find_at(o, p);

	if (e != NULL)
		e->outgoing = false;
	if (before != NULL && before != e) {
		/* What it has stays until there are others; what was before goes. */
		leave_before(o, p->name);
		owner_rest(before->owner);
		before->outgoing = true;
	}
	if (e == NULL)
		e = create(o, p);
	e->is_listed = true;
	owner_use(e->owner, p->own, p->live);
}

static bool owns(const struct model *m, const char *pool)
{
	int i = model_pool_find(m, span_of(pool));

	return i >= 0 && m->pools[i].own != NULL;
}

void owners_use(struct owners *o, const struct model *m)
{
	const struct model *before = o->model;

	o->model = model_get(m);
	for (uint32_t i = 0; !o->ending && i < m->pool_count; i++)
		if (m->pools[i].own != NULL)
			use(o, &m->pools[i]);
	LIST_EACH(&o->entries, it, next) {
		struct entry *e = ENTRY_OF(it);
		if (owns(m, owner_pool(e->owner)))
			continue;
		e->is_listed = false;
		record_remove(o->shared.record, owner_pool(e->owner));
		owner_leave(e->owner);
	}
	record_write(o->shared.record);
	model_put(before);
}

void owners_take_over(struct owners *o, const struct model *m)
{
	record_reread(o->shared.record);
	owners_use(o, m);
}

/* Those whose place was taken leave when the new ones serve; who has left is gone. */
static void on_worked(struct owner_shared *shared, struct owner *worked)
{
	struct owners *o = CONTAINER_OF(shared, struct owners, shared);
	struct entry *e = find(o, owner_pool(worked));

	if (!o->ending && e != NULL && e->is_listed && owner_is_complete(e->owner))
		leave_before(o, owner_pool(worked));
	LIST_EACH(&o->entries, it, next) {
		struct entry *any = ENTRY_OF(it);
		if (any->owner == worked && !o->ending && owner_is_empty(worked)) {
			destroy(any);
			break;
		}
	}
	record_write(shared->record);
	look_for_end(o);
}

struct owners *owners_create(struct loop *loop, const struct owners_facts *facts,
			     const struct owners_hooks *hooks)
{
	struct owners *o = memory_new(1, sizeof *o);

	o->shared = (struct owner_shared){
		.loop = loop, .balancer = facts->balancer, .state = facts->state,
		.hooks = *hooks, .record = record_open(facts->state, facts->serves),
		.on_worked = on_worked,
	};
	o->driver_of = facts->driver_of;
	o->silence_ms = facts->silence_ms > 0 ? facts->silence_ms : OWNERS_SILENCE_MS;
	o->hurry_ms = facts->hurry_ms > 0 ? facts->hurry_ms : OWNERS_HURRY_MS;
	hmac_random(&o->shared.random, sizeof o->shared.random);
	list_init(&o->entries);
	loop_timer_init(&o->limit, on_limit);
	return o;
}

void owners_destroy(struct owners *o)
{
	LIST_EACH(&o->entries, it, next)
		destroy(ENTRY_OF(it));
	loop_timer_stop(o->shared.loop, &o->limit);
	record_close(o->shared.record);
	free(o->shared.by_id);
	model_put(o->model);
	free(o);
}

/* ---- what they are told ---- */

static struct owned *owned_by(const struct owners *o, const struct live_server *s)
{
	struct owned *owned;

	owned = s->id < o->shared.by_id_room ? o->shared.by_id[s->id] : NULL;
	return owned != NULL && owned_live(owned) == s ? owned : NULL;
}

void owners_on_probed(struct owners *o, struct live_server *s, bool good,
		      const char *reason)
{
	struct owned *owned = owned_by(o, s);

	if (owned != NULL)
		owned_on_probed(owned, good, reason);
}

void owners_on_taken_out(struct owners *o, const struct live_server *s,
			 uint32_t limit_ms)
{
	struct owned *owned = owned_by(o, s);

	if (owned != NULL)
		owned_on_taken_out(owned, limit_ms);
}

void owners_on_needed(struct owners *o, const char *pool)
{
	struct owner *owner = owner_of(o, pool);

	if (owner != NULL)
		owner_on_needed(owner);
}

/* ---- what is asked of them ---- */

void owners_ask(struct owners *o, struct owners_order *order)
{
	struct owner *owner = owner_of(o, order->pool);
	struct err err;

	order->fault = OWNERS_FINE;
	if (owner != NULL) {
		owner_ask(owner, order);
		return;
	}
	list_init(&order->link);
	err_set(&err, "pool %.80s has no servers of its own", order->pool);
	order->on_done(order, OWNERS_NOT_OWNED, &err);
}

void owners_forget(struct owners *o, struct owners_order *order)
{
	LIST_EACH(&o->entries, it, next)
		owner_forget(ENTRY_OF(it)->owner, order);
}

bool owners_list(const struct owners *o, const char *pool,
		 void (*each)(void *arg, const struct owners_entry *e), void *arg)
{
	const struct owner *owner = owner_of(o, pool);

	if (owner != NULL)
		owner_list(owner, each, arg);
	return owner != NULL;
}

bool owners_figures(const struct owners *o, const char *pool, struct owners_figures *f)
{
	const struct owner *owner = owner_of(o, pool);

	if (owner != NULL)
		owner_figures(owner, f);
	return owner != NULL;
}
