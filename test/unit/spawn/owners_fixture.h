/* Owners at work, for tests: on a loop, with an engine in memory and a pool that says who
 * is in it. Nothing waits for a guess of time, only for what must come. */
#ifndef TEST_UNIT_SPAWN_OWNERS_FIXTURE_H
#define TEST_UNIT_SPAWN_OWNERS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "spawn/backoff.h"
#include "unit/model/sample.h"
#include "unit/spawn/fake_pool.h"

enum { DEADLINE_MS = 20 * 1000 };

static struct loop *l;
static uint32_t silence_ms, hurry_ms;	/* of owners; 0: as always */
static struct live_pool live_pool;
static char state[] = "/tmp/spawn_test.XXXXXX";

/* Runs turns until the condition holds. */
#define WAIT_FOR(condition)                                                     \
	do {                                                                    \
		uint64_t end_us = loop_clock_us() + DEADLINE_MS * 1000ull;      \
		while (!(condition) && loop_clock_us() < end_us)                \
			loop_turn(l, 10);                                       \
		assert_true(condition);                                         \
	} while (0)

/* Turns enough for all that is under way at once, and would have come. */
static inline void settle(void)
{
	uint64_t until = loop_now_ms(l) + 60;

	while (loop_now_ms(l) < until)
		loop_turn(l, 10);
}

/* ---- what is asked for ---- */

static inline void create(void)
{
	static const struct owners_hooks hooks = {
		.add = hook_add, .remove = hook_remove, .left = hook_left,
		.check = hook_check, .told = hook_told, .changed = hook_changed,
	};
	const struct owners_facts facts = {
		.balancer = "test", .state = state, .serves = "a test",
		.driver_of = fake_driver_of,
		.silence_ms = silence_ms, .hurry_ms = hurry_ms,
	};

	owners = owners_create(l, &facts, &hooks);
}

static inline struct model_own own_of(uint32_t min, uint32_t max)
{
	struct model_own own = {0};

	model_own_defaults(&own, OWN_PROCESS);
	own.min = min;
	own.max = max;
	own.drain_ms = DEADLINE_MS;
	return own;
}

static inline struct model *model_with(struct model_own own)
{
	struct model *m = sample_model("web", SERVERS(NULL));

	m->pools[0].own = model_own_copy(&own);
	m->pools[0].live = &live_pool;
	free(own.prefix);
	return m;
}

static inline void use(struct model_own own)
{
	struct model *m = model_with(own);

	owners_use(owners, m);
	model_put(m);
}

static inline void use_without_pool(void)
{
	struct model *m = sample_model("other", SERVERS(NULL));

	owners_use(owners, m);
	model_put(m);
}

static inline struct owners_figures figures(void)
{
	struct owners_figures f;

	assert_true(owners_figures(owners, "web", &f));
	return f;
}

static inline void write_name(void *text, const struct owners_entry *e)
{
	if (e->serves)
		text_append(text, 4096, "%s ", e->name);
}

/* Names of those that serve. */
static inline const char *serving(void)
{
	static char text[4096];

	text[0] = '\0';
	assert_true(owners_list(owners, "web", write_name, text));
	return text;
}

static inline bool serve(const char *names)
{
	return strcmp(serving(), names) == 0;
}

struct asked {
	struct owners_order order;
	bool done;
	enum owners_result result;
	struct err err;
};

static inline void on_done(struct owners_order *order, enum owners_result result,
		    const struct err *err)
{
	struct asked *a = CONTAINER_OF(order, struct asked, order);

	assert_false(a->done);
	a->done = true;
	a->result = result;
	if (err != NULL)
		a->err = *err;
}

static inline void ask_names(struct asked *a, enum owners_wish wish, uint32_t count,
		      const char *const *names)
{
	*a = (struct asked){.order = {
		.wish = wish, .pool = "web", .count = count, .names = names,
		.on_done = on_done,
	}};
	while (names[a->order.name_count] != NULL)
		a->order.name_count++;
	owners_ask(owners, &a->order);
}

static inline void ask(struct asked *a, enum owners_wish wish, uint32_t count)
{
	ask_names(a, wish, count, SERVERS(NULL));
}

/* ---- before and after each test ---- */

static inline int remove_one(const char *path, const struct stat *st, int kind,
			     struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline int open_all(void **unused)
{
	struct err err;

	(void)unused;
	memset(&fake, 0, sizeof fake);
	memset(&pool, 0, sizeof pool);
	memset(&live_pool, 0, sizeof live_pool);
	strcpy(state + strlen(state) - 6, "XXXXXX");
	l = loop_create(&err);
	assert_non_null(mkdtemp(state));
	create();
	return l != NULL ? 0 : -1;
}

static inline void forget_pool(void)
{
	for (int i = 0; i < POOL_MAX; i++) {
		free(pool.servers[i]);
		pool.servers[i] = NULL;
	}
}

static inline int close_all(void **unused)
{
	(void)unused;
	owners_destroy(owners);
	assert_int_equal(fake.opened, 0);
	forget_pool();
	loop_destroy(l);
	return nftw(state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* As after a SIGKILL: nothing is said to anybody. */
static inline void restart(void)
{
	owners_destroy(owners);
	forget_pool();
	create();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

#endif
