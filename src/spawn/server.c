/* spawn/server.c - the life of one owned server, carried out: the driver's tasks, probes
 * while it starts, looks while it drains. What follows from what is fleet.h's table.
 *
 * Thread: control.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "spawn/naming.h"
#include "spawn/owner_inside.h"
#include "spawn/plan.h"

static struct loop *loop_of(const struct owned *s)
{
	return s->owner->shared->loop;
}

static void tell(const struct owned *s, enum owners_news what, const char *text)
{
	const struct owners_hooks *hooks = &s->owner->shared->hooks;

	if (hooks->told != NULL)
		hooks->told(hooks->arg, what, s->owner->pool, s->life.name, text);
}

/* ---- time ---- */

static void pause_for(struct owned *s, uint32_t ms)
{
	s->pause_ms = ms;
	loop_timer_start(loop_of(s), &s->timer, ms);
}

/* Half as long again, up to max. */
static void pause_longer(struct owned *s, uint32_t max)
{
	uint32_t ms = s->pause_ms + s->pause_ms / 2;

	pause_for(s, ms < max ? ms : max);
}

static bool is_late(const struct owned *s)
{
	return owner_now(s->owner) >= s->deadline_ms;
}

static void probe_again(struct owned *s)
{
	const struct owners_hooks *hooks = &s->owner->shared->hooks;
	char why[LIVE_REASON_MAX + 64];

	if (is_late(s)) {
		snprintf(why, sizeof why, "no good check within %u ms: %s",
			 s->owner->own->start_ms,
			 s->live->reason[0] != '\0' ? s->live->reason : "no answer");
		owned_step(s, FLEET_EVENT_TIME_OVER, why);
		return;
	}
	pause_longer(s, OWNER_PROBE_MS_MAX);
	hooks->check(hooks->arg, s->live);
}

static void look_again(struct owned *s)
{
	const struct owners_hooks *hooks = &s->owner->shared->hooks;

	if (hooks->left(hooks->arg, s->owner->pool, &s->server.address) == 0)
		owned_step(s, FLEET_EVENT_EMPTY, "it has nothing left");
	else if (is_late(s))
		owned_step(s, FLEET_EVENT_TIME_OVER, "its time to drain is over");
	else
		pause_longer(s, OWNER_DRAIN_MS_MAX);
}

static void stop(struct owned *s);

static void on_due(struct loop_timer *t)
{
	struct owned *s = CONTAINER_OF(t, struct owned, timer);

	if (s->life.state == FLEET_CHECKING)
		probe_again(s);
	else if (s->life.state == FLEET_DRAINING)
		look_again(s);
	else
		stop(s);
}

/* ---- the driver's tasks ---- */

/* A name that we have made up is somebody else's: the next one. False: people gave it, or
 * there are too many of those. */
static bool take_next_name(struct owned *s)
{
	struct owner *o = s->owner;
	uint32_t number = naming_number(s->life.name, o->own->prefix);
	char name[OWN_NAME_MAX + 1];

	if (number == 0 || number > 2 * OWN_SERVERS_MAX)
		return false;
	plan_name(&o->fleet, o->own->prefix, number, name);
	log_warn("the name is taken by something that is not ours, the next one is tried "
		 "pool=%s server=%s next=%s", o->pool, s->life.name, name);
	fleet_step(&o->fleet, &s->life, FLEET_EVENT_START_FAILED);
	fleet_rename(&o->fleet, &s->life, name);
	owner_soon(o);
	return true;
}

static void on_started(struct spawn_task *t, enum spawn_result result,
		       const struct err *err)
{
	struct owned *s = CONTAINER_OF(t, struct owned, task);

	s->task_runs = false;
	if (result == SPAWN_DONE) {
		s->server = t->server;
		s->life.outdated = s->server.recipe != s->owner->recipe;
		owned_step(s, FLEET_EVENT_STARTED, "");
	} else if (result != SPAWN_NAME_TAKEN || s->life.state != FLEET_STARTING ||
		   !take_next_name(s)) {
		owned_step(s, FLEET_EVENT_START_FAILED, err->text);
	}
}

/* The pool is being filled for the first time, and this one was not there before. That
 * is what the file asks for, and it is bounded by `max`; one that has to be started again
 * counts even then. */
static bool fills(const struct owned *s)
{
	return !s->owner->was_complete && !s->was_started;
}

static void start(struct owned *s)
{
	struct owner *o = s->owner;

	if (s->life.order == NULL && !fills(s))
		start_rate_count(&o->rate, owner_now(o));
	s->was_started = true;
	o->starts++;
	s->task = (struct spawn_task){.on_done = on_started};
	s->task_runs = true;
	log_info("server is started pool=%s server=%s", o->pool, s->life.name);
	tell(s, OWNERS_STARTING, "");
	o->driver->start(o->engine, s->life.name, &s->task);
}

static void stop_ended(struct owned *s, enum spawn_result result, const struct err *err)
{
	s->is_stopped |= result == SPAWN_DONE;
	if (s->task_runs || s->force_runs)
		return;
	if (s->is_stopped)
		owned_step(s, FLEET_EVENT_STOPPED, s->why);
	else if (s->hurries || (s->owner->stage == OWNER_ENDING &&
				s->stops_failed >= OWNER_STOPS_AT_END))
		owned_step(s, FLEET_EVENT_GIVEN_UP, err->text);
	else
		owned_step(s, FLEET_EVENT_STOP_FAILED, err->text);
}

static void on_stopped(struct spawn_task *t, enum spawn_result result,
		       const struct err *err)
{
	struct owned *s = CONTAINER_OF(t, struct owned, task);

	s->task_runs = false;
	stop_ended(s, result, err);
}

static void on_forced(struct spawn_task *t, enum spawn_result result,
		      const struct err *err)
{
	struct owned *s = CONTAINER_OF(t, struct owned, by_force);

	s->force_runs = false;
	stop_ended(s, result, err);
}

/* Asks for it, with s->grace_ms; also beside one that is under way, by force. */
static void stop(struct owned *s)
{
	struct owner *o = s->owner;
	struct spawn_task *t = s->task_runs ? &s->by_force : &s->task;
	bool *runs = s->task_runs ? &s->force_runs : &s->task_runs;

	if (*runs)
		return;
	*t = (struct spawn_task){.on_done = s->task_runs ? on_forced : on_stopped};
	*runs = true;
	o->driver->stop(o->engine, &s->server, s->grace_ms, t);
}

/* ---- what follows from an event ---- */

static void join(struct owned *s)
{
	struct owner *o = s->owner;
	struct err err;

	s->deadline_ms = owner_now(o) + o->own->start_ms;
	if (!owned_put_in(s, &err)) {
		owned_step(s, FLEET_EVENT_NOT_JOINED, err.text);
		return;
	}
	log_info("server runs and is checked pool=%s server=%s id=%s address=%s", o->pool,
		 s->life.name, s->server.id, s->server.address.text);
	pause_for(s, OWNER_PROBE_MS_MIN);
}

static void serve(struct owned *s)
{
	struct owner *o = s->owner;

	loop_timer_stop(loop_of(s), &s->timer);
	s->life.unasked = false;
	backoff_succeeded(&o->backoff);
	owner_clear_trouble(o);
	log_info("server serves pool=%s server=%s id=%s address=%s", o->pool,
		 s->life.name, s->server.id, s->server.address.text);
	tell(s, OWNERS_SERVES, s->server.address.text);
}

static void note_failure(struct owned *s)
{
	struct owner *o = s->owner;

	o->start_failures++;
	tell(s, OWNERS_NOT_STARTED, s->why);
	if (s->life.order == NULL) {
		backoff_failed(&o->backoff, owner_now(o), owner_random(o));
		owner_say_trouble(o, TROUBLE_START, s->life.name, s->why);
	}
}

static void stop_with(struct owned *s, uint32_t grace_ms)
{
	owned_take_out(s, 0);
	loop_timer_stop(loop_of(s), &s->timer);
	s->grace_ms = grace_ms;
	stop(s);
}

static void say_leaves(const struct owned *s, const char *how)
{
	log_info("server %s pool=%s server=%s id=%s reason=\"%s\"", how, s->owner->pool,
		 s->life.name, s->server.id, s->why);
	tell(s, s->life.state == FLEET_REPLACING ? OWNERS_REPLACED : OWNERS_LEAVES,
	     s->why);
}

static void kill_it(struct owned *s, enum fleet_state before)
{
	if (before == FLEET_SERVING && s->life.state == FLEET_REPLACING) {
		s->owner->replaced++;
		log_warn("server is replaced pool=%s server=%s id=%s reason=\"%s\"",
			 s->owner->pool, s->life.name, s->server.id, s->why);
		tell(s, OWNERS_REPLACED, s->why);
	} else if (s->life.state == FLEET_REPLACING) {
		say_leaves(s, "had ended and is replaced");
	}
	stop_with(s, 0);
}

static void drain(struct owned *s)
{
	struct owner *o = s->owner;

	say_leaves(s, "leaves");
	s->deadline_ms = owner_now(o) + o->own->drain_ms;
	owned_take_out(s, o->own->drain_ms);
	pause_for(s, OWNER_DRAIN_MS_MIN);
}

static void watch(struct owned *s)
{
	say_leaves(s, "was taken out");
	pause_for(s, OWNER_DRAIN_MS_MIN);
}

static void stop_later(struct owned *s)
{
	uint32_t ms = s->stops_failed < 6 ? BACKOFF_MS_MIN << s->stops_failed
					  : BACKOFF_MS_MAX;

	s->stops_failed++;
	owner_say_trouble(s->owner, TROUBLE_STOP, s->life.name, s->why);
	pause_for(s, s->owner->stage == OWNER_ENDING ? BACKOFF_MS_MIN : ms);
}

static void forget(struct owned *s, enum fleet_event by)
{
	if (by == FLEET_EVENT_GIVEN_UP)
		tell(s, OWNERS_LEFT, s->why);
	else if (s->server.id[0] != '\0')
		tell(s, OWNERS_STOPPED, s->why);
	if (by == FLEET_EVENT_GIVEN_UP)
		log_error("server cannot be stopped and is left pool=%s server=%s id=%s "
			  "reason=\"%s\"", s->owner->pool, s->life.name, s->server.id,
			  s->why);
	else if (s->server.id[0] != '\0')
		log_info("server is stopped pool=%s server=%s id=%s", s->owner->pool,
			 s->life.name, s->server.id);
	owned_destroy(s);
}

static void act(struct owned *s, enum fleet_action action, enum fleet_state before,
		enum fleet_event by)
{
	switch (action) {
	case FLEET_DO_NOTHING:      break;
	case FLEET_DO_START:        start(s); break;
	case FLEET_DO_JOIN:         join(s); break;
	case FLEET_DO_SERVE:        serve(s); break;
	case FLEET_DO_NOTE_FAILURE: note_failure(s); break;
	case FLEET_DO_FAIL:         note_failure(s); stop_with(s, 0); break;
	case FLEET_DO_KILL:         kill_it(s, before); break;
	case FLEET_DO_DRAIN:        drain(s); break;
	case FLEET_DO_WATCH:        watch(s); break;
	case FLEET_DO_STOP:         stop_with(s, s->owner->own->stop_ms); break;
	case FLEET_DO_STOP_LATER:   stop_later(s); break;
	case FLEET_DO_FORGET:       forget(s, by); break;
	}
}

/* Of those that end an order, if one is under way for this server. */
static bool is_failure(enum fleet_action action, enum fleet_state now)
{
	return action == FLEET_DO_NOTE_FAILURE || action == FLEET_DO_FAIL ||
	       (action == FLEET_DO_KILL && now == FLEET_REPLACING);
}

/* Nothing is left of it: the next one of this name begins anew. */
static void begin_anew(struct owned *s)
{
	s->server = (struct spawn_server){0};
	s->is_stopped = false;
	s->stops_failed = 0;
	s->life.outdated = false;
	loop_timer_stop(loop_of(s), &s->timer);
}

void owned_step(struct owned *s, enum fleet_event event, const char *why)
{
	struct owner *o = s->owner;
	enum fleet_state before = (enum fleet_state)s->life.state;
	enum fleet_action action = fleet_step(&o->fleet, &s->life, event);
	enum fleet_state now = (enum fleet_state)s->life.state;
	struct pending *order = is_failure(action, now) ? s->life.order : NULL;

	if (why != s->why)
		snprintf(s->why, sizeof s->why, "%s", why);
	if (now != before) {
		s->since_ms = owner_now(o);
		o->changed = true;
		if (now == FLEET_PLANNED)
			begin_anew(s);
	}
	owner_soon(o);
	if (order == NULL) {
		act(s, action, before, event);
		return;
	}
	/* The order takes back all of its servers, this one among them. */
	struct err err;
	char name[OWN_NAME_MAX + 1];
	memcpy(name, s->life.name, sizeof name);
	err_set(&err, "%s", why);
	act(s, action, before, event);
	orders_on_failed(o, order, name, err.text);
}

/* ---- itself ---- */

struct owned *owned_create(struct owner *o, const char *name)
{
	struct owned *s = memory_new(1, sizeof *s);

	s->owner = o;
	s->since_ms = owner_now(o);
	list_init(&s->probed);
	loop_timer_init(&s->timer, on_due);
	fleet_add(&o->fleet, &s->life, name);
	return s;
}

void owned_destroy(struct owned *s)
{
	owned_forget_live(s);
	loop_timer_stop(loop_of(s), &s->timer);
	fleet_remove(&s->owner->fleet, &s->life);
	free(s);
}
