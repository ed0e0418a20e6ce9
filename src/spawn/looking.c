/* spawn/looking.c - what is there already, when an owner begins: servers that an earlier
 * balancer of ours has made are taken over, and what is left of others is cleared away.
 *
 * Until it is known, nothing is started: there would be some twice. What that balancer
 * had just asked its engine for when it was killed may come later: so it is looked once
 * more, after a while and at the end, and whatever is nobody's by then is ended.
 *
 * Thread: control.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "spawn/naming.h"
#include "spawn/owner_inside.h"

static uint32_t between(uint32_t n, uint32_t min, uint32_t max)
{
	return n < min ? min : n > max ? max : n;
}

/* It never joins the pool. */
static void clear_away(struct owner *o, const struct spawn_server *found)
{
	struct owned *s = owned_create(o, found->name);

	s->server = *found;
	owned_step(s, FLEET_EVENT_FOUND_ENDED, "nobody wants it");
	owned_step(s, FLEET_EVENT_LEAVES, s->why);
}

static void take_found(struct owner *o, const struct spawn_server *found)
{
	if (o->stage == OWNER_LEAVING || o->stage == OWNER_ENDING) {
		clear_away(o, found);
		return;
	}
	if (fleet_find(&o->fleet, found->name) != NULL) {
		log_warn("there are two servers of the same name, the second one is left "
			 "pool=%s server=%s id=%s", o->pool, found->name, found->id);
		return;
	}
	struct owned *s = owned_create(o, found->name);
	s->server = *found;
	s->life.outdated = found->recipe != o->recipe;
	if (found->running) {
		o->adopted++;
		log_info("server is found pool=%s server=%s id=%s", o->pool, found->name,
			 found->id);
		owned_step(s, FLEET_EVENT_ADOPTED, "found running");
	} else {
		owned_step(s, FLEET_EVENT_FOUND_ENDED, "it was not running");
	}
}

static bool is_known(const struct record_pool *known, const char *name)
{
	for (uint32_t i = 0; i < known->name_count; i++)
		if (strcmp(known->names[i], name) == 0)
			return true;
	return false;
}

/* As many as were last asked for; where nobody knows, as many as there are. */
static void set_wanted(struct owner *o)
{
	const struct model_own *own = o->own;
	struct record_pool known;

	if (!record_find(o->shared->record, o->pool, &known)) {
		o->fleet.wanted = between((uint32_t)o->adopted, own->min, own->max);
		return;
	}
	o->fleet.wanted = between(known.wanted, own->min, own->max);
	LIST_EACH(&o->fleet.servers, it, next)
		fleet_at(it)->unasked = !is_known(&known, fleet_at(it)->name);
	/* Those that have vanished come back under their names. */
	for (uint32_t i = 0; i < known.name_count; i++)
		if (fleet_kept(&o->fleet) < o->fleet.wanted &&
		    spawn_name_is_good(known.names[i]) &&
		    fleet_find(&o->fleet, known.names[i]) == NULL)
			owner_plan_one(o, known.names[i], NULL);
}

static void begin_work(struct owner *o)
{
	o->stage = OWNER_AT_WORK;
	set_wanted(o);
	log_info("pool owns its servers pool=%s by=%s found=%llu wanted=%u", o->pool,
		 o->driver->name, (unsigned long long)o->adopted, o->fleet.wanted);
	orders_take_early(o, NULL);
	if (o->needed)
		owner_on_needed(o);
	o->changed = true;
	if (o->own->scale_up > 0)
		loop_timer_start(o->shared->loop, &o->sample, scaling_sample_ms(o->own));
	loop_timer_start(o->shared->loop, &o->again, OWNER_LOOK_AGAIN_MS);
	owner_soon(o);
}

/* It is tried again, in a while. */
static void look_failed(struct owner *o, const struct err *err)
{
	backoff_failed(&o->list_backoff, owner_now(o), owner_random(o));
	owner_say_trouble(o, TROUBLE_LIST, "", err->text);
	orders_take_early(o, err);
	if (o->stage == OWNER_ENDING)
		o->listed = true;		/* what there is stays there */
	owner_work_in(o, backoff_wait_ms(&o->list_backoff, owner_now(o)));
}

static int compare(const void *left, const void *right)
{
	const struct spawn_server *a = left, *b = right;

	return naming_compare(a->name, b->name);
}

static void on_listed(struct spawn_task *t, enum spawn_result result,
		      const struct err *err)
{
	struct owner *o = CONTAINER_OF(t, struct owner, listing);

	o->lists = false;
	if (result != SPAWN_DONE) {
		look_failed(o, err);
		return;
	}
	owner_clear_trouble(o);
	if (o->stage == OWNER_RESTING)
		return;				/* at the end it looks once more */
	o->listed = true;
	/* They join in this order, and so have the numbers in their pool that they had when
	 * they were made: slots are theirs by number. */
	if (t->found_count > 0)
		qsort(t->found, t->found_count, sizeof *t->found, compare);
	for (uint32_t i = 0; i < t->found_count; i++)
		take_found(o, &t->found[i]);
	if (o->stage == OWNER_LOOKING)
		begin_work(o);
	owner_soon(o);
}

/* A list may be a moment older than what we did since, so only names count that nobody
 * has; one that has just gone is cleared away in vain. */
static void on_listed_again(struct spawn_task *t, enum spawn_result result,
			    const struct err *err)
{
	struct owner *o = CONTAINER_OF(t, struct owner, listing);

	(void)err;
	o->lists = false;
	o->looked_last = owner_is_over(o);
	for (uint32_t i = 0; result == SPAWN_DONE && i < t->found_count; i++)
		if (fleet_find(&o->fleet, t->found[i].name) == NULL)
			clear_away(o, &t->found[i]);
	owner_soon(o);
}

void owner_look_again(struct owner *o)
{
	o->looked_last |= o->engine == NULL;
	if (o->lists || o->engine == NULL)
		return;
	o->listing = (struct spawn_task){.on_done = on_listed_again};
	o->lists = true;
	o->driver->list(o->engine, &o->listing);
}

static struct owned *find_id(const struct owner *o, const char *id)
{
	LIST_EACH(&o->fleet.servers, it, next) {
		struct owned *s = owned_at(it);
		if (strcmp(s->server.id, id) == 0)
			return s;
	}
	return NULL;
}

static void on_gone(void *arg, const char *id, const char *why)
{
	struct owner *o = arg;
	struct owned *s = id[0] != '\0' ? find_id(o, id) : NULL;

	if (s != NULL)
		owned_step(s, FLEET_EVENT_ENDED, why);
}

void owner_look(struct owner *o)
{
	const struct spawn_place place = {
		.loop = o->shared->loop, .balancer = o->shared->balancer, .pool = o->pool,
		.state = o->shared->state, .own = o->own, .on_gone = on_gone, .arg = o,
	};
	uint64_t wait_ms = backoff_wait_ms(&o->list_backoff, owner_now(o));
	struct err err;

	if (o->lists)
		return;
	if (wait_ms > 0) {	/* something else has come in between: not yet */
		owner_work_in(o, wait_ms);
		return;
	}
	if (o->engine == NULL)
		o->engine = o->driver->open(&place, &err);
	if (o->engine == NULL) {
		look_failed(o, &err);
		return;
	}
	o->listing = (struct spawn_task){.on_done = on_listed};
	o->lists = true;
	o->driver->list(o->engine, &o->listing);
}
