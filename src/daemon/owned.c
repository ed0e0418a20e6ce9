#include "daemon/owned.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "daemon/guests.h"
#include "daemon/inside.h"
#include "daemon/loops.h"
#include "daemon/news.h"
#include "health/prober.h"
#include "model/live_registry.h"
#include "spawn/driver.h"
#include "spawn/owners.h"

static struct live_server *add(void *arg, const char *pool, const struct address *at,
			       struct err *err)
{
	return guests_add(arg, pool, at, err);
}

static void drop(void *arg, const char *pool, const struct address *at, uint32_t limit_ms)
{
	guests_remove(arg, pool, at, limit_ms);
}

/* Older models may still have it. */
static uint32_t left(void *arg, const char *pool, const struct address *at)
{
	struct service *s = arg;
	const struct live_server *live = live_server_find(&s->live, pool, at);

	return live != NULL ? atomic_load(&live->in_flight) : 0;
}

static void check(void *arg, struct live_server *server)
{
	prober_check_server(((struct service *)arg)->prober, server);
}

static void changed(void *arg, const char *pool)
{
	(void)pool;
	((struct service *)arg)->version++;
}

void owned_open(struct service *s, const struct places *places)
{
	char folder[PLACES_FOLDER_MAX];
	struct err err;
	const struct owners_hooks hooks = {
		.add = add, .remove = drop, .left = left, .check = check,
		.told = news_on_owned, .changed = changed, .arg = s,
	};

	if (places_state(places, folder, &err) == 0)
		s->state_folder = memory_text(folder);
	const struct owners_facts facts = {
		.balancer = places->name != NULL ? places->name : PLACES_NAME_DEFAULT,
		.state = s->state_folder, .serves = s->options.serves,
		.driver_of = spawn_driver_of,
	};
	s->owners = owners_create(s->loop, &facts, &hooks);
}

void owned_close(struct service *s)
{
	if (s->owners != NULL)
		owners_destroy(s->owners);
	s->owners = NULL;
	free(s->state_folder);
	s->state_folder = NULL;
}

void owned_on_judged(void *arg, struct live_server *server, bool good,
		     const char *reason)
{
	struct service *s = arg;

	if (good && atomic_load(&server->up))
		loops_tell_up(s, server);
	if (s->owners != NULL)
		owners_on_probed(s->owners, server, good, reason);
}

void owned_on_removed(struct service *s, struct live_server *server, uint32_t limit_ms)
{
	int i = model_pool_find(s->model, span_of(server->pool));

	if (i < 0 || s->model->pools[i].own == NULL)
		return;
	/* The next server at this address has to answer before it is up. */
	live_server_set_up(server, false);
	owners_on_taken_out(s->owners, server, limit_ms);
}

static void on_ended(void *arg)
{
	loop_stop(((struct service *)arg)->loop);
}

void owned_end(struct service *s)
{
	owners_end(s->owners, on_ended, s);
	if (s->hurried)
		owners_hurry(s->owners);
}

void owned_hurry(struct service *s)
{
	s->hurried = true;
	owners_hurry(s->owners);
}
