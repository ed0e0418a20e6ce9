#include "spawn/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "spawn/owner_inside.h"
#include "spawn/plan.h"

enum { WORK_MS = 1 };		/* in the next turn, however long this one was */

static struct loop *loop_of(const struct owner *o)
{
	return o->shared->loop;
}

void owner_soon(struct owner *o)
{
	loop_timer_start(loop_of(o), &o->work, WORK_MS);
}

void owner_work_in(struct owner *o, uint64_t ms)
{
	if (!o->work.armed || o->work.due_ms > owner_now(o) + ms)
		loop_timer_start(loop_of(o), &o->work, ms > 0 ? ms : WORK_MS);
}

uint64_t owner_random(struct owner *o)
{
	o->shared->random += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(o->shared->random);
}

/* ---- trouble ---- */

void owner_say_trouble(struct owner *o, enum owner_trouble kind, const char *name,
		       const char *why)
{
	static const char *const texts[TROUBLES] = {
		[TROUBLE_LIST]  = "the servers of a pool cannot be looked for",
		[TROUBLE_START] = "a server cannot be started",
		[TROUBLE_STOP]  = "a server cannot be stopped",
		[TROUBLE_MANY]  = "servers wait to be started",
	};
	uint64_t now = owner_now(o);

	snprintf(o->trouble, sizeof o->trouble, "%s", why);
	if (o->said_ms[kind] > 0 && now - (o->said_ms[kind] - 1) < OWNER_TROUBLE_MS)
		return;
	o->said_ms[kind] = now + 1;
	log_warn("%s pool=%s%s%s reason=\"%s\"", texts[kind], o->pool,
		 name[0] != '\0' ? " server=" : "", name, why);
}

/* Too many starts are none the less when one of them has come up. */
void owner_clear_trouble(struct owner *o)
{
	o->said_ms[TROUBLE_LIST] = o->said_ms[TROUBLE_START] = 0;
	o->said_ms[TROUBLE_STOP] = 0;
	o->trouble[0] = '\0';
}

/* ---- planning and starting ---- */

static void plan(struct owner *o)
{
	for (;;) {
		struct plan_step step = plan_next(&o->fleet, owner_random(o));
		if (step.what == PLAN_NOTHING)
			return;
		if (step.what == PLAN_MORE)
			owner_plan_one(o, NULL, NULL);
		else if (step.server->outdated)
			owned_step(owned_of(step.server), FLEET_EVENT_LEAVES,
				   "its pool is made otherwise now");
		else
			owned_step(owned_of(step.server), FLEET_EVENT_LEAVES,
				   "there are more than wanted");
	}
}

/* Because of starts-per-minute. */
static uint64_t rate_wait_ms(const struct owner *o)
{
	struct start_rate rate = o->rate;	/* looking at it moves it on */

	return o->own->starts_max == 0 ? 0 :
	       start_rate_wait_ms(&rate, owner_now(o), o->own->starts_max);
}

static void say_many(struct owner *o)
{
	char why[64];

	snprintf(why, sizeof why, "%u start%s in a minute, which is the most",
		 o->own->starts_max, o->own->starts_max == 1 ? "" : "s");
	owner_say_trouble(o, TROUBLE_MANY, "", why);
}

/* How long those that nobody asked for have to wait. After a failure, one at a time
 * until one has come up; its end is an event, which comes before the time is over. */
static uint64_t wait_ms(const struct owner *o)
{
	uint64_t failed = backoff_wait_ms(&o->backoff, owner_now(o));
	uint64_t many = rate_wait_ms(o);

	if (o->backoff.failures > 0 && failed == 0 &&
	    o->fleet.counts[FLEET_STARTING] + o->fleet.counts[FLEET_CHECKING] > 0)
		failed = BACKOFF_MS_MIN;
	return failed > many ? failed : many;
}

static void start_some(struct owner *o)
{
	const uint32_t *counts = o->fleet.counts;

	while (counts[FLEET_STARTING] + counts[FLEET_ABANDONED] < OWNER_STARTS_AT_ONCE) {
		struct fleet_server *s = plan_start(&o->fleet, wait_ms(o) > 0);
		if (s == NULL)
			break;
		owned_step(owned_of(s), FLEET_EVENT_TURN, "");
	}
	if (counts[FLEET_PLANNED] == 0 || wait_ms(o) == 0)
		return;
	owner_work_in(o, wait_ms(o));
	if (rate_wait_ms(o) > 0)
		say_many(o);
}

void owner_keep(struct owner *o)
{
	struct record_pool p = {.wanted = o->fleet.wanted - orders_count(o)};

	if (o->stage != OWNER_AT_WORK)
		return;
	LIST_EACH(&o->fleet.servers, it, next) {
		const struct fleet_server *s = fleet_at(it);
		if (fleet_is_kept(s) && s->order == NULL &&
		    p.name_count < OWN_SERVERS_MAX)
			p.names[p.name_count++] = s->name;
	}
	record_set(o->shared->record, o->pool, &p);
	record_write(o->shared->record);
}

bool owner_is_over(const struct owner *o)
{
	return (o->stage == OWNER_LEAVING || o->stage == OWNER_ENDING) && o->listed &&
	       list_empty(&o->fleet.servers);
}

static void on_work(struct loop_timer *t)
{
	struct owner *o = CONTAINER_OF(t, struct owner, work);
	const struct owners_hooks *hooks = &o->shared->hooks;

	while (!list_empty(&o->probed))
		owned_take_verdict(CONTAINER_OF(o->probed.next, struct owned, probed));
	if (!o->listed && o->stage != OWNER_RESTING)
		owner_look(o);
	else if (owner_is_over(o) && !o->looked_last)
		owner_look_again(o);
	if (o->stage == OWNER_AT_WORK) {
		plan(o);
		start_some(o);
	}
	o->was_complete |= owner_is_complete(o);
	orders_look(o);
	if (o->changed)
		owner_keep(o);
	if (o->changed && hooks->changed != NULL)
		hooks->changed(hooks->arg, o->pool);
	o->changed = false;
	o->shared->on_worked(o->shared, o);
}

static void on_again(struct loop_timer *t)
{
	struct owner *o = CONTAINER_OF(t, struct owner, again);

	if (o->stage == OWNER_AT_WORK)
		owner_look_again(o);
}

/* ---- by load ---- */

static void set_wanted_by_load(struct owner *o, uint32_t wanted, uint32_t busy)
{
	if (wanted == o->fleet.wanted)
		return;
	log_info("servers are asked for by the load pool=%s wanted=%u before=%u busy=%u",
		 o->pool, wanted, o->fleet.wanted, busy);
	o->fleet.wanted = wanted;
	o->changed = true;
	owner_soon(o);
}

static void on_sample(struct loop_timer *t)
{
	struct owner *o = CONTAINER_OF(t, struct owner, sample);
	struct scaling_sample x = {
		.now_ms = owner_now(o), .wanted = o->fleet.wanted,
		.serving = o->fleet.counts[FLEET_SERVING],
		.busy = o->live != NULL ? atomic_load(&o->live->waiting) : 0,
	};

	if (o->own->scale_up == 0 || o->stage != OWNER_AT_WORK)
		return;
	loop_timer_start(loop_of(o), &o->sample, scaling_sample_ms(o->own));
	LIST_EACH(&o->fleet.servers, it, next) {
		const struct live_server *live = owned_at(it)->live;
		if (live == NULL)
			continue;
		x.busy += atomic_load_explicit(&live->in_flight, memory_order_relaxed);
		x.requests += atomic_load_explicit(&live->requests, memory_order_relaxed);
	}
	if (list_empty(&o->orders))
		set_wanted_by_load(o, scaling_wanted(&o->scaling, o->own, &x), x.busy);
}

void owner_on_needed(struct owner *o)
{
	o->needed = o->stage == OWNER_LOOKING;
	if (o->stage == OWNER_AT_WORK && o->fleet.wanted == 0)
		set_wanted_by_load(o, 1, 1);
}

/* ---- its own life ---- */

struct owner *owner_create(struct owner_shared *shared, const char *pool,
			   const struct spawn_driver *driver,
			   const struct model_own *own)
{
	struct owner *o = memory_new(1, sizeof *o);

	must(strlen(pool) <= MODEL_NAME_MAX);
	o->shared = shared;
	o->driver = driver;
	memcpy(o->pool, pool, strlen(pool) + 1);
	o->own = model_own_copy(own);
	o->recipe = model_own_recipe(own);
	fleet_init(&o->fleet);
	list_init(&o->probed);
	list_init(&o->orders);
	list_init(&o->early);
	loop_timer_init(&o->work, on_work);
	loop_timer_init(&o->sample, on_sample);
	loop_timer_init(&o->again, on_again);
	owner_soon(o);
	return o;
}

void owner_destroy(struct owner *o)
{
	owner_rest(o);
	if (o->engine != NULL)
		o->driver->close(o->engine);
	LIST_EACH(&o->fleet.servers, it, next)
		owned_destroy(owned_at(it));
	loop_timer_stop(loop_of(o), &o->work);
	loop_timer_stop(loop_of(o), &o->sample);
	loop_timer_stop(loop_of(o), &o->again);
	model_own_destroy(o->own);
	free(o);
}

bool owner_is_at(const struct owner *o, const struct model_own *own)
{
	return o->own->driver == own->driver && text_equals(o->own->socket, own->socket);
}

void owner_use(struct owner *o, const struct model_own *own, struct live_pool *live)
{
	struct model_own *before = o->own;

	o->live = live;
	o->own = model_own_copy(own);
	o->recipe = model_own_recipe(own);
	if (o->engine != NULL)
		o->driver->use(o->engine, o->own);
	model_own_destroy(before);
	LIST_EACH(&o->fleet.servers, it, next) {
		struct owned *s = owned_at(it);
		s->life.outdated = s->server.id[0] != '\0' &&
				   s->server.recipe != o->recipe;
	}
	if (o->stage == OWNER_RESTING || o->stage == OWNER_LEAVING)
		o->stage = o->listed ? OWNER_AT_WORK : OWNER_LOOKING;
	o->looked_last = false;
	owner_soon(o);
	if (o->stage != OWNER_AT_WORK)
		return;
	if (o->fleet.wanted < own->min)
		o->fleet.wanted = own->min;
	if (o->fleet.wanted > own->max)
		o->fleet.wanted = own->max;
	o->changed = true;
	if (own->scale_up > 0)
		loop_timer_start(loop_of(o), &o->sample, scaling_sample_ms(o->own));
}

void owner_rest(struct owner *o)
{
	if (o->changed)
		owner_keep(o);
	if (o->stage == OWNER_LOOKING || o->stage == OWNER_AT_WORK)
		o->stage = OWNER_RESTING;
	orders_end(o);
}

/* The next one is read ahead, since the step may free the one at hand. */
static void step_all(struct owner *o, enum fleet_event event, const char *why)
{
	LIST_EACH(&o->fleet.servers, it, next)
		owned_step(owned_at(it), event, why);
}

void owner_leave(struct owner *o)
{
	if (o->stage == OWNER_LEAVING || o->stage == OWNER_ENDING)
		return;
	orders_end(o);
	o->stage = OWNER_LEAVING;
	o->live = NULL;
	o->fleet.wanted = 0;
	step_all(o, FLEET_EVENT_LEAVES, "its pool is gone");
	owner_soon(o);
}

void owner_end(struct owner *o, bool by_force)
{
	owner_rest(o);
	/* What has to leave anyway is not left. */
	if (o->own->leave && o->stage != OWNER_LEAVING) {
		o->is_left = true;
	} else {
		o->stage = OWNER_ENDING;
		o->looked_last |= by_force;
		LIST_EACH(&o->fleet.servers, it, next)
			owned_at(it)->hurries = by_force;
		step_all(o, by_force ? FLEET_EVENT_HURRY : FLEET_EVENT_END,
			 "the balancer ends");
	}
	owner_soon(o);
}

bool owner_is_empty(const struct owner *o)
{
	return o->is_left || (owner_is_over(o) && o->looked_last);
}

uint32_t owner_count(const struct owner *o)
{
	uint32_t count = 0;

	for (int state = 0; state < FLEET_STATES; state++)
		count += o->fleet.counts[state];
	return count;
}

bool owner_is_complete(const struct owner *o)
{
	return o->stage == OWNER_AT_WORK &&
	       o->fleet.counts[FLEET_SERVING] >= o->fleet.wanted;
}

const char *owner_pool(const struct owner *o)
{
	return o->pool;
}

/* ---- for those who look ---- */

void owner_list(const struct owner *o,
		void (*each)(void *arg, const struct owners_entry *e), void *arg)
{
	LIST_EACH(&o->fleet.servers, it, next) {
		const struct owned *s = owned_at(it);
		struct owners_entry e = {
			.state = fleet_word((enum fleet_state)s->life.state),
			.serves = s->life.state == FLEET_SERVING,
			.since_ms = owner_now(o) - s->since_ms,
		};
		memcpy(e.name, s->life.name, sizeof e.name);
		memcpy(e.id, s->server.id, sizeof s->server.id);
		snprintf(e.address, sizeof e.address, "%s", s->server.address.text);
		memcpy(e.why, s->why, sizeof e.why);
		each(arg, &e);
	}
}

void owner_figures(const struct owner *o, struct owners_figures *f)
{
	const uint32_t *counts = o->fleet.counts;
	uint64_t retry_ms = o->listed ? wait_ms(o)
				      : backoff_wait_ms(&o->list_backoff, owner_now(o));

	*f = (struct owners_figures){
		.wanted = o->fleet.wanted, .serving = counts[FLEET_SERVING],
		.starting = counts[FLEET_STARTING] + counts[FLEET_CHECKING],
		.leaving = counts[FLEET_ABANDONED] + counts[FLEET_DRAINING] +
			   counts[FLEET_STOPPING] + counts[FLEET_REPLACING],
		.starts = o->starts, .start_failures = o->start_failures,
		.replaced = o->replaced, .adopted = o->adopted,
		.retry_ms = !o->listed || counts[FLEET_PLANNED] > 0 ? (uint32_t)retry_ms
								    : 0,
	};
	memcpy(f->trouble, o->trouble, sizeof f->trouble);
}
