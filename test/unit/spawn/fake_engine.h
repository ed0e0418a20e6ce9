/* An engine of servers that exist in memory only, behind the table of drivers: it does
 * what spawn/driver.h promises, on a loop, and fails where a test says so. */
#ifndef TEST_UNIT_SPAWN_FAKE_ENGINE_H
#define TEST_UNIT_SPAWN_FAKE_ENGINE_H

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/must.h"
#include "loop/loop.h"
#include "spawn/driver.h"

enum { FAKE_SERVERS_MAX = 512, FAKE_TASK_MS = 2, FAKE_SLOW_MS = 30 };

static struct {
	struct spawn_server servers[FAKE_SERVERS_MAX];	/* id "": a free place */
	bool     healthy[FAKE_SERVERS_MAX];	/* it would answer a probe */
	uint32_t made;				/* so far: ids and ports */
	uint32_t starts, at_once, at_once_most, stops, forced, lists, opened;
	const char *taken_name;			/* by something that is not ours */
	const char *fails_name;			/* its start fails */
	const char *hangs_name;			/* its start never ends */
	uint32_t fails_starts;			/* so many more starts fail */
	uint32_t fails_lists, fails_stops;
	bool     silent;			/* it takes what is asked for, and never answers */
	bool     stops_slowly;			/* one after the other, FAKE_SLOW_MS each */
	bool     unhealthy;			/* those that are made from now on */
	void   (*on_gone)(void *arg, const char *id, const char *why);
	void    *arg;
} fake;

struct spawn_engine {
	struct spawn_place place;
	struct link tasks;
};

struct fake_task {
	struct link link;
	struct loop_timer timer;
	struct spawn_engine *engine;
	struct spawn_task *told;
	enum { FAKE_LIST, FAKE_START, FAKE_STOP } kind;
	char name[OWN_NAME_MAX + 1], id[SPAWN_ID_MAX + 1];
};

static inline int fake_find(const char *name)
{
	for (int i = 0; i < FAKE_SERVERS_MAX; i++)
		if (fake.servers[i].id[0] != '\0' &&
		    strcmp(fake.servers[i].name, name) == 0)
			return i;
	return -1;
}

static inline uint32_t fake_count(void)
{
	uint32_t count = 0;

	for (int i = 0; i < FAKE_SERVERS_MAX; i++)
		count += fake.servers[i].id[0] != '\0';
	return count;
}

/* One more, as if made by this recipe. */
static inline struct spawn_server *fake_make(const char *name, uint64_t recipe,
					     bool running)
{
	char at[32];
	struct err err;
	int i = 0;

	while (fake.servers[i].id[0] != '\0')
		i++;
	struct spawn_server *s = &fake.servers[i];
	*s = (struct spawn_server){.recipe = recipe, .running = running};
	snprintf(s->name, sizeof s->name, "%s", name);
	snprintf(s->id, sizeof s->id, "id-%u", ++fake.made);
	snprintf(at, sizeof at, "10.0.0.1:%u", 10000 + fake.made);
	must(address_parse(&s->address, at, "", &err) == 0);
	fake.healthy[i] = !fake.unhealthy;
	return s;
}

/* It ends by itself, and the owner is told. */
static inline void fake_die(const char *name)
{
	struct spawn_server *s = &fake.servers[fake_find(name)];

	s->running = false;
	fake.on_gone(fake.arg, s->id, "it ended by signal 9");
}

static inline enum spawn_result fake_do_start(struct fake_task *t, struct err *err)
{
	fake.at_once--;
	if (fake.taken_name != NULL && strcmp(t->name, fake.taken_name) == 0) {
		err_set(err, "something else has the name %s", t->name);
		return SPAWN_NAME_TAKEN;
	}
	if (fake.fails_starts > 0 ||
	    (fake.fails_name != NULL && strcmp(t->name, fake.fails_name) == 0)) {
		fake.fails_starts -= fake.fails_starts > 0;
		err_set(err, "there is no such image");
		return SPAWN_FAILED;
	}
	must(fake_find(t->name) < 0);
	t->told->server = *fake_make(t->name, model_own_recipe(t->engine->place.own),
				     true);
	return SPAWN_DONE;
}

static inline enum spawn_result fake_do_stop(struct fake_task *t, struct err *err)
{
	if (fake.fails_stops > 0) {
		fake.fails_stops--;
		err_set(err, "the engine does not answer");
		return SPAWN_FAILED;
	}
	for (int i = 0; i < FAKE_SERVERS_MAX; i++)
		if (strcmp(fake.servers[i].id, t->id) == 0)
			fake.servers[i] = (struct spawn_server){0};
	return SPAWN_DONE;
}

static inline void fake_on_due(struct loop_timer *timer)
{
	static struct spawn_server found[FAKE_SERVERS_MAX];
	struct fake_task *t = CONTAINER_OF(timer, struct fake_task, timer);
	struct spawn_task *told = t->told;
	enum spawn_result result = SPAWN_DONE;
	struct err err = {""};

	if (t->kind == FAKE_START) {
		result = fake_do_start(t, &err);
	} else if (t->kind == FAKE_STOP) {
		result = fake_do_stop(t, &err);
	} else if (fake.fails_lists > 0) {
		fake.fails_lists--;
		result = SPAWN_FAILED;
		err_set(&err, "the engine does not answer");
	} else {
		told->found = found;
		for (int i = 0; i < FAKE_SERVERS_MAX; i++)
			if (fake.servers[i].id[0] != '\0')
				found[told->found_count++] = fake.servers[i];
	}
	list_remove(&t->link);
	free(t);
	told->inside = NULL;
	told->on_done(told, result, &err);
}

static inline void fake_begin(struct spawn_engine *e, struct spawn_task *told, int kind,
			      const char *name, const char *id)
{
	struct fake_task *t = memory_new(1, sizeof *t);
	bool slow = fake.stops_slowly && kind == FAKE_STOP;
	bool hangs = fake.silent || (kind == FAKE_START && fake.hangs_name != NULL &&
				     strcmp(name, fake.hangs_name) == 0);

	t->engine = e;
	t->told = told;
	t->kind = kind;
	snprintf(t->name, sizeof t->name, "%s", name);
	snprintf(t->id, sizeof t->id, "%s", id);
	told->inside = t;
	list_push_last(&e->tasks, &t->link);
	loop_timer_init(&t->timer, fake_on_due);
	if (!hangs)
		loop_timer_start(e->place.loop, &t->timer,
				 slow ? fake.stops * FAKE_SLOW_MS : FAKE_TASK_MS);
}

static inline struct spawn_engine *fake_open(const struct spawn_place *place,
					     struct err *err)
{
	struct spawn_engine *e = memory_new(1, sizeof *e);

	(void)err;
	e->place = *place;
	list_init(&e->tasks);
	fake.on_gone = place->on_gone;
	fake.arg = place->arg;
	fake.opened++;
	return e;
}

static inline void fake_close(struct spawn_engine *e)
{
	LIST_EACH(&e->tasks, it, next) {
		struct fake_task *t = CONTAINER_OF(it, struct fake_task, link);
		loop_timer_stop(e->place.loop, &t->timer);
		free(t);
	}
	fake.opened--;
	free(e);
}

static inline void fake_use(struct spawn_engine *e, const struct model_own *own)
{
	e->place.own = own;
}

static inline void fake_list(struct spawn_engine *e, struct spawn_task *t)
{
	fake.lists++;
	fake_begin(e, t, FAKE_LIST, "", "");
}

static inline void fake_start(struct spawn_engine *e, const char *name,
			      struct spawn_task *t)
{
	fake.starts++;
	fake.at_once++;
	if (fake.at_once > fake.at_once_most)
		fake.at_once_most = fake.at_once;
	fake_begin(e, t, FAKE_START, name, "");
}

static inline void fake_stop(struct spawn_engine *e, const struct spawn_server *s,
		      uint32_t grace_ms, struct spawn_task *t)
{
	fake.stops++;
	fake.forced += grace_ms == 0;
	fake_begin(e, t, FAKE_STOP, s->name, s->id);
}

static const struct spawn_driver fake_driver = {
	.name = "fake", .open = fake_open, .close = fake_close, .use = fake_use,
	.list = fake_list, .start = fake_start, .stop = fake_stop,
};

static inline const struct spawn_driver *fake_driver_of(enum own_driver driver)
{
	(void)driver;
	return &fake_driver;
}

#endif
