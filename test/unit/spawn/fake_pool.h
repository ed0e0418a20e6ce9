/* A pool that says who is in it, and probes by what the engine has: the owners' hooks. */
#ifndef TEST_UNIT_SPAWN_FAKE_POOL_H
#define TEST_UNIT_SPAWN_FAKE_POOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/live.h"
#include "spawn/owners.h"
#include "unit/spawn/fake_engine.h"

enum { POOL_MAX = 512 };

static struct owners *owners;

/* The pool, as the balancer has it. */
static struct {
	struct live_server *servers[POOL_MAX];	/* by id; NULL: none */
	uint32_t left;			/* of those that were taken out */
	uint32_t removed, removed_at_once;
	bool     refuses;
	uint32_t changes;
	char     news[2048];		/* what was told: "starting S1; ..." */
} pool;

static inline int server_of(const struct live_server *s)
{
	for (int i = 0; i < FAKE_SERVERS_MAX; i++)
		if (fake.servers[i].id[0] != '\0' &&
		    strcmp(fake.servers[i].address.text, s->text) == 0)
			return i;
	return -1;
}

static inline struct live_server *hook_add(void *arg, const char *name,
					   const struct address *at, struct err *err)
{
	uint32_t id = 0;

	(void)arg;
	assert_string_equal(name, "web");
	if (pool.refuses) {
		err_set(err, "the pool is full");
		return NULL;
	}
	while (pool.servers[id] != NULL)
		id++;
	struct live_server *s = memory_new_aligned(alignof(struct live_server),
						   sizeof *s);
	memcpy(s->text, at->text, sizeof s->text);
	s->id = id;
	pool.servers[id] = s;
	return s;
}

static inline struct live_server *in_pool(const struct address *at)
{
	for (int i = 0; i < POOL_MAX; i++)
		if (pool.servers[i] != NULL &&
		    strcmp(pool.servers[i]->text, at->text) == 0)
			return pool.servers[i];
	return NULL;
}

static inline void hook_remove(void *arg, const char *name, const struct address *at,
			uint32_t limit_ms)
{
	struct live_server *s = in_pool(at);

	(void)arg;
	(void)name;
	assert_non_null(s);
	pool.removed++;
	pool.removed_at_once += limit_ms == 0;
	pool.servers[s->id] = NULL;
	free(s);
}

static inline uint32_t hook_left(void *arg, const char *name, const struct address *at)
{
	(void)arg;
	(void)name;
	assert_null(in_pool(at));
	return pool.left;
}

/* A probe, answered at once by what the engine's server is. */
static inline void probe(struct live_server *s)
{
	int i = server_of(s);
	bool good = i >= 0 && fake.servers[i].running && fake.healthy[i];

	atomic_store(&s->up, good);
	snprintf(s->reason, sizeof s->reason, "%s", good ? "200" : "connection refused");
	owners_on_probed(owners, s, good, s->reason);
}

static inline void hook_check(void *arg, struct live_server *s)
{
	(void)arg;
	probe(s);
}

static inline void hook_told(void *arg, enum owners_news what, const char *name,
			     const char *server, const char *text)
{
	static const char *const words[] = {
		[OWNERS_STARTING] = "starting", [OWNERS_SERVES] = "serves",
		[OWNERS_NOT_STARTED] = "not-started", [OWNERS_REPLACED] = "replaced",
		[OWNERS_LEAVES] = "leaves", [OWNERS_STOPPED] = "stopped",
		[OWNERS_LEFT] = "left",
	};
	size_t len = strlen(pool.news);

	(void)arg;
	(void)text;
	assert_string_equal(name, "web");
	snprintf(pool.news + len, sizeof pool.news - len, "%s %s; ", words[what], server);
}

static inline void hook_changed(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	pool.changes++;
}

static inline uint32_t pool_count(void)
{
	uint32_t count = 0;

	for (int i = 0; i < POOL_MAX; i++)
		count += pool.servers[i] != NULL;
	return count;
}

#endif
