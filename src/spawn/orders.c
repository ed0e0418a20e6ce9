/* spawn/orders.c - what people ask of an owner: more servers, fewer, so many. All of an
 * order comes to be, or none of it. Whether it can be is plan.h's to say.
 *
 * Thread: control.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "spawn/owner_inside.h"
#include "spawn/plan.h"

void owner_plan_one(struct owner *o, const char *name, struct pending *for_order)
{
	char made[OWN_NAME_MAX + 1];

	if (name == NULL) {
		plan_name(&o->fleet, o->own->prefix, 0, made);
		name = made;
	}
	struct owned *s = owned_create(o, name);
	s->life.order = for_order;
	owned_step(s, FLEET_EVENT_PLANNED, "");
}

static void answer(struct owners_order *order, enum owners_result result,
		   const struct err *err)
{
	order->inside = NULL;
	order->on_done(order, result, err);
}

/* ---- more ---- */

static bool is_named(const struct owners_order *order, const char *name)
{
	for (uint32_t i = 0; i < order->name_count; i++)
		if (strcmp(order->names[i], name) == 0)
			return true;
	return false;
}

static void add(struct owner *o, struct owners_order *order, uint32_t count)
{
	struct pending *p = memory_new(1, sizeof *p);
	uint32_t names = order->wish == OWNERS_ADD ? order->name_count : 0;

	p->asker = order;
	order->inside = p;
	list_push_last(&o->orders, &p->link);
	o->fleet.wanted += count;
	/* Names that were given first, or one that is made up might take it. */
	for (uint32_t i = 0; i < count; i++)
		owner_plan_one(o, i < names ? order->names[i] : NULL, p);
}

/* ---- fewer ---- */

static void take_away(struct owner *o, const struct owners_order *order, uint32_t count)
{
	struct fleet_server **chosen = memory_new(count, sizeof(struct fleet_server *));
	uint32_t found = plan_choose(&o->fleet, order, count, owner_random(o), chosen);

	o->fleet.wanted -= count;
	for (uint32_t i = 0; i < found; i++) {
		bool named = order->wish == OWNERS_REMOVE &&
			     is_named(order, chosen[i]->name);
		chosen[i]->order = NULL;
		owned_step(owned_of(chosen[i]), FLEET_EVENT_LEAVES,
			   named ? "removed by name" : "removed, by chance");
	}
	free(chosen);
}

/* ---- taking it up ---- */

static void take_up(struct owner *o, struct owners_order *order)
{
	uint32_t wanted = o->fleet.wanted;
	struct err err;

	order->fault = plan_check(&o->fleet, o->own, order, &err);
	if (order->fault != OWNERS_FINE) {
		answer(order, OWNERS_BAD, &err);
		return;
	}
	uint32_t more = order->wish == OWNERS_ADD ? order->count :
			order->wish == OWNERS_SCALE && order->count > wanted ?
			order->count - wanted : 0;
	uint32_t fewer = order->wish == OWNERS_REMOVE ? order->count :
			 order->wish == OWNERS_SCALE && order->count < wanted ?
			 wanted - order->count : 0;
	if (more + fewer > 0)
		log_info("servers are asked for pool=%s wanted=%u before=%u", o->pool,
			 wanted + more - fewer, wanted);
	owner_soon(o);
	if (more > 0) {
		add(o, order, more);
		return;
	}
	if (fewer > 0)
		take_away(o, order, fewer);
	owner_keep(o);
	answer(order, OWNERS_DONE, NULL);
}

static void say_ending(struct owners_order *order)
{
	struct err err;

	err_set(&err, "this balancer is ending; it takes no changes any more");
	answer(order, OWNERS_ENDING, &err);
}

/* One that has to wait until it is known what there is: its names are borrowed for this
 * call only. */
static void put_off(struct owner *o, struct owners_order *order)
{
	const char **names = memory_new(order->name_count, sizeof *names);

	for (uint32_t i = 0; i < order->name_count; i++)
		names[i] = memory_text(order->names[i]);
	order->names = names;
	list_push_last(&o->early, &order->link);
	order->inside = o;
}

static void free_names(const char *const *names, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free((char *)(uintptr_t)names[i]);
	free((void *)(uintptr_t)names);
}

void owner_ask(struct owner *o, struct owners_order *order)
{
	order->fault = OWNERS_FINE;
	list_init(&order->link);
	if (o->stage == OWNER_LOOKING)
		put_off(o, order);
	else if (o->stage == OWNER_AT_WORK)
		take_up(o, order);
	else
		say_ending(order);
}

void orders_take_early(struct owner *o, const struct err *failed)
{
	while (!list_empty(&o->early)) {
		struct owners_order *order =
			CONTAINER_OF(o->early.next, struct owners_order, link);
		const char *const *names = order->names;
		uint32_t count = order->name_count;
		list_remove(&order->link);
		if (o->stage == OWNER_AT_WORK)
			take_up(o, order);
		else if (failed != NULL)
			answer(order, OWNERS_FAILED, failed);
		else
			say_ending(order);
		free_names(names, count);
	}
}

void owner_forget(struct owner *o, struct owners_order *order)
{
	if (!list_empty(&order->link)) {
		list_remove(&order->link);
		free_names(order->names, order->name_count);
	}
	LIST_EACH(&o->orders, it, next) {
		struct pending *p = CONTAINER_OF(it, struct pending, link);
		if (p->asker == order)
			p->asker = NULL;
	}
	order->inside = NULL;
}

/* ---- what becomes of them ---- */

void orders_on_failed(struct owner *o, struct pending *p, const char *name,
		      const char *why)
{
	if (p->failed)
		return;
	p->failed = true;
	err_set(&p->err, "%s could not be started: %s", name, why);
	log_warn("servers are taken back, since one of them could not be started pool=%s "
		 "server=%s reason=\"%s\"", o->pool, name, why);
	LIST_EACH(&o->fleet.servers, it, next) {
		struct fleet_server *s = fleet_at(it);
		if (s->order != p || !fleet_is_kept(s))
			continue;
		o->fleet.wanted--;
		owned_step(owned_of(s), FLEET_EVENT_LEAVES, "taken back with its order");
	}
}

static uint32_t count_of(const struct owner *o, const struct pending *p, bool *all_serve)
{
	uint32_t count = 0;

	*all_serve = true;
	LIST_EACH(&o->fleet.servers, it, next) {
		struct fleet_server *s = fleet_at(it);
		if (s->order != p)
			continue;
		count++;
		*all_serve &= s->state == FLEET_SERVING;
	}
	return count;
}

static void end_order(struct owner *o, struct pending *p, enum owners_result result)
{
	struct owners_order *asker = p->asker;
	struct err err = p->err;

	LIST_EACH(&o->fleet.servers, it, next) {
		struct fleet_server *s = fleet_at(it);
		if (s->order == p)
			s->order = NULL;
	}
	list_remove(&p->link);
	free(p);
	owner_keep(o);
	if (asker == NULL)
		return;
	if (result == OWNERS_ENDING)
		say_ending(asker);
	else
		answer(asker, result, result == OWNERS_DONE ? NULL : &err);
}

/* One answer may lead to others, so it looks from the beginning after each. */
void orders_look(struct owner *o)
{
	struct link *it = o->orders.next;

	while (it != &o->orders) {
		struct pending *p = CONTAINER_OF(it, struct pending, link);
		bool all_serve;
		uint32_t count = count_of(o, p, &all_serve);
		it = it->next;
		if (p->failed ? count > 0 : !all_serve)
			continue;
		end_order(o, p, p->failed ? OWNERS_FAILED : OWNERS_DONE);
		it = o->orders.next;
	}
}

void orders_end(struct owner *o)
{
	while (!list_empty(&o->orders))
		end_order(o, CONTAINER_OF(o->orders.next, struct pending, link),
			  OWNERS_ENDING);
	orders_take_early(o, NULL);
}

uint32_t orders_count(const struct owner *o)
{
	uint32_t count = 0;

	if (list_empty(&o->orders))
		return 0;
	LIST_EACH(&o->fleet.servers, it, next) {
		struct fleet_server *s = fleet_at(it);
		count += s->order != NULL && fleet_is_kept(s);
	}
	return count;
}
