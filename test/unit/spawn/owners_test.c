/* Goal: a pool has as many servers as it should, whatever becomes of them: on a loop, with
 * an engine in memory and a pool that says who is in it. Nothing waits for a guess of time,
 * only for what must come. */
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
#include "model/live.h"
#include "spawn/backoff.h"
#include "spawn/owners.h"
#include "unit/model/sample.h"
#include "unit/spawn/fake_engine.h"

enum { DEADLINE_MS = 20 * 1000, POOL_MAX = 512 };

static struct loop *l;
static struct owners *owners;
static struct live_pool live_pool;
static char state[] = "/tmp/owners_test.XXXXXX";

/* The pool, as the balancer has it. */
static struct {
	struct live_server *servers[POOL_MAX];	/* by id; NULL: none */
	uint32_t left;			/* of those that were taken out */
	uint32_t removed, removed_at_once;
	bool     refuses;
	uint32_t changes;
} pool;

/* Runs turns until the condition holds. */
#define WAIT_FOR(condition)                                                     \
	do {                                                                    \
		uint64_t end_us = loop_clock_us() + DEADLINE_MS * 1000ull;      \
		while (!(condition) && loop_clock_us() < end_us)                \
			loop_turn(l, 10);                                       \
		assert_true(condition);                                         \
	} while (0)

/* Turns enough for all that is under way at once, and would have come. */
static void settle(void)
{
	uint64_t until = loop_now_ms(l) + 60;

	while (loop_now_ms(l) < until)
		loop_turn(l, 10);
}

static int server_of(const struct live_server *s)
{
	for (int i = 0; i < FAKE_SERVERS_MAX; i++)
		if (fake.servers[i].id[0] != '\0' &&
		    strcmp(fake.servers[i].address.text, s->text) == 0)
			return i;
	return -1;
}

/* ---- the pool's hooks ---- */

static struct live_server *hook_add(void *arg, const char *name, const struct address *at,
				    struct err *err)
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
	struct live_server *s = memory_new_aligned(alignof(struct live_server), sizeof *s);
	memcpy(s->text, at->text, sizeof s->text);
	s->id = id;
	pool.servers[id] = s;
	return s;
}

static struct live_server *in_pool(const struct address *at)
{
	for (int i = 0; i < POOL_MAX; i++)
		if (pool.servers[i] != NULL && strcmp(pool.servers[i]->text, at->text) == 0)
			return pool.servers[i];
	return NULL;
}

static void hook_remove(void *arg, const char *name, const struct address *at,
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

static uint32_t hook_left(void *arg, const char *name, const struct address *at)
{
	(void)arg;
	(void)name;
	assert_null(in_pool(at));
	return pool.left;
}

/* A probe, answered at once by what the engine's server is. */
static void probe(struct live_server *s)
{
	int i = server_of(s);
	bool good = i >= 0 && fake.servers[i].running && fake.healthy[i];

	atomic_store(&s->up, good);
	snprintf(s->reason, sizeof s->reason, "%s", good ? "200" : "connection refused");
	owners_on_probed(owners, s, good, s->reason);
}

static void hook_check(void *arg, struct live_server *s)
{
	(void)arg;
	probe(s);
}

static void hook_changed(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	pool.changes++;
}

static uint32_t pool_count(void)
{
	uint32_t count = 0;

	for (int i = 0; i < POOL_MAX; i++)
		count += pool.servers[i] != NULL;
	return count;
}

/* ---- what is asked for ---- */

static void create(void)
{
	static const struct owners_hooks hooks = {
		.add = hook_add, .remove = hook_remove, .left = hook_left,
		.check = hook_check, .changed = hook_changed,
	};
	const struct owners_facts facts = {
		.balancer = "test", .state = state, .serves = "a test",
		.driver_of = fake_driver_of,
	};

	owners = owners_create(l, &facts, &hooks);
}

static struct model_own own_of(uint32_t min, uint32_t max)
{
	struct model_own own = {0};

	model_own_defaults(&own, OWN_PROCESS);
	own.min = min;
	own.max = max;
	own.drain_ms = DEADLINE_MS;
	return own;
}

static void use(struct model_own own)
{
	struct model *m = sample_model("web", SERVERS(NULL));

	m->pools[0].own = model_own_copy(&own);
	m->pools[0].live = &live_pool;
	owners_use(owners, m);
	model_put(m);
	free(own.prefix);
}

static void use_without_pool(void)
{
	struct model *m = sample_model("other", SERVERS(NULL));

	owners_use(owners, m);
	model_put(m);
}

static struct owners_figures figures(void)
{
	struct owners_figures f;

	assert_true(owners_figures(owners, "web", &f));
	return f;
}

static void write_name(void *text, const struct owners_entry *e)
{
	if (e->serves)
		text_append(text, 4096, "%s ", e->name);
}

/* Names of those that serve. */
static const char *serving(void)
{
	static char text[4096];

	text[0] = '\0';
	assert_true(owners_list(owners, "web", write_name, text));
	return text;
}

static bool serve(const char *names)
{
	return strcmp(serving(), names) == 0;
}

struct asked {
	struct owners_order order;
	bool done;
	enum owners_result result;
	struct err err;
};

static void on_done(struct owners_order *order, enum owners_result result,
		    const struct err *err)
{
	struct asked *a = CONTAINER_OF(order, struct asked, order);

	assert_false(a->done);
	a->done = true;
	a->result = result;
	if (err != NULL)
		a->err = *err;
}

static void ask_names(struct asked *a, enum owners_wish wish, uint32_t count,
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

static void ask(struct asked *a, enum owners_wish wish, uint32_t count)
{
	ask_names(a, wish, count, SERVERS(NULL));
}

/* ---- before and after each test ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int open_all(void **unused)
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

static void forget_pool(void)
{
	for (int i = 0; i < POOL_MAX; i++) {
		free(pool.servers[i]);
		pool.servers[i] = NULL;
	}
}

static int close_all(void **unused)
{
	(void)unused;
	owners_destroy(owners);
	assert_int_equal(fake.opened, 0);
	forget_pool();
	loop_destroy(l);
	return nftw(state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* As after a SIGKILL: nothing is said to anybody. */
static void restart(void)
{
	owners_destroy(owners);
	forget_pool();
	create();
}

/* ---- as many as there should be ---- */

static void a_pool_gets_its_min(void **unused)
{
	(void)unused;
	use(own_of(3, 10));
	WAIT_FOR(serve("S1 S2 S3 "));
	assert_int_equal(fake_count(), 3);
	assert_int_equal(pool_count(), 3);
	assert_int_equal(figures().wanted, 3);
	assert_int_equal(figures().starts, 3);
	settle();
	assert_int_equal(fake.starts, 3);
	assert_true(pool.changes > 0);
}

static void at_most_eight_start_at_once(void **unused)
{
	(void)unused;
	use(own_of(40, 40));
	WAIT_FOR(figures().serving == 40);
	assert_int_equal(fake.at_once_most, 8);
}

static void one_that_ends_is_replaced_under_its_name(void **unused)
{
	(void)unused;
	use(own_of(3, 10));
	WAIT_FOR(serve("S1 S2 S3 "));
	fake_die("S2");
	assert_int_equal(pool_count(), 2);		/* at once */
	assert_int_equal(pool.removed_at_once, 1);
	WAIT_FOR(serve("S1 S2 S3 "));
	assert_int_equal(figures().replaced, 1);
	assert_int_equal(fake_count(), 3);
}

static void one_that_fails_its_probe_is_replaced(void **unused)
{
	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	int i = fake_find("S1");
	char id[SPAWN_ID_MAX + 1];
	strcpy(id, fake.servers[i].id);
	fake.healthy[i] = false;
	probe(in_pool(&fake.servers[i].address));
	assert_int_equal(pool_count(), 2);	/* a probe is only noted: it comes out of */
	WAIT_FOR(pool_count() == 1);		/* anything */
	WAIT_FOR(serve("S1 S2 "));
	assert_string_not_equal(fake.servers[fake_find("S1")].id, id);
	assert_int_equal(fake.forced, 1);
}

static void a_bad_probe_that_leaves_it_up_changes_nothing(void **unused)
{
	(void)unused;
	use(own_of(1, 10));
	WAIT_FOR(serve("S1 "));
	struct live_server *s = pool.servers[0];
	owners_on_probed(owners, s, false, "timeout");		/* fall is not reached */
	atomic_store(&s->up, false);				/* a passive mark, */
	owners_on_probed(owners, s, true, "200");		/* and a good probe */
	settle();
	assert_int_equal(pool.removed, 0);
}

static void one_that_never_answers_is_a_failed_start(void **unused)
{
	struct model_own own = own_of(1, 10);

	(void)unused;
	own.start_ms = 150;
	fake.unhealthy = true;
	use(own);
	WAIT_FOR(figures().start_failures == 1);
	assert_non_null(strstr(figures().trouble, "no good check within 150 ms"));
	assert_int_equal(pool_count(), 0);
	fake.unhealthy = false;
	WAIT_FOR(serve("S1 "));
	assert_string_equal(figures().trouble, "");
}

static void failing_starts_are_tried_again_after_a_while(void **unused)
{
	(void)unused;
	fake.fails_starts = 2;
	use(own_of(2, 10));
	WAIT_FOR(figures().start_failures == 2);	/* of one round, which count once */
	uint32_t retry_ms = figures().retry_ms;
	assert_true(retry_ms > 0 && retry_ms <= BACKOFF_MS_MIN);
	assert_string_equal(figures().trouble, "there is no such image");
	uint64_t before = loop_now_ms(l);
	WAIT_FOR(figures().starts > 2);
	assert_true(loop_now_ms(l) - before >= retry_ms - 1);
	assert_int_equal(fake.starts, 3);		/* one alone, to see whether it goes */
	WAIT_FOR(serve("S1 S2 "));
	assert_int_equal(figures().retry_ms, 0);
}

static void no_more_starts_in_a_minute_than_asked_for(void **unused)
{
	struct model_own own = own_of(3, 10);
	struct asked a;

	(void)unused;
	own.starts_max = 4;
	use(own);
	WAIT_FOR(serve("S1 S2 S3 "));
	fake_die("S1");
	WAIT_FOR(serve("S1 S2 S3 "));
	fake_die("S1");
	WAIT_FOR(fake_count() == 2);
	settle();
	assert_int_equal(fake.starts, 4);
	ask(&a, OWNERS_ADD, 1);				/* orders are not counted */
	WAIT_FOR(a.done);
	assert_int_equal(a.result, OWNERS_DONE);
}

static void a_made_up_name_that_is_taken_is_not_insisted_on(void **unused)
{
	(void)unused;
	fake.taken_name = "S2";
	use(own_of(3, 10));
	WAIT_FOR(serve("S1 S3 S4 "));
	assert_int_equal(figures().start_failures, 0);
}

static void a_server_that_its_pool_refuses_is_not_left_behind(void **unused)
{
	(void)unused;
	pool.refuses = true;
	use(own_of(1, 10));
	WAIT_FOR(figures().start_failures == 1);
	assert_string_equal(figures().trouble, "the pool is full");
	WAIT_FOR(fake_count() == 0);
	pool.refuses = false;
	WAIT_FOR(serve("S1 "));
}

static void a_stop_that_fails_is_tried_again(void **unused)
{
	(void)unused;
	use(own_of(1, 10));
	WAIT_FOR(serve("S1 "));
	fake.fails_stops = 1;
	fake_die("S1");
	WAIT_FOR(fake.stops == 2);
	WAIT_FOR(serve("S1 "));
}

/* ---- orders ---- */

static void an_add_is_done_when_all_of_it_serves(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	ask_names(&a, OWNERS_ADD, 3, SERVERS("S3", "web-a"));
	assert_false(a.done);
	WAIT_FOR(a.done);
	assert_int_equal(a.result, OWNERS_DONE);
	assert_string_equal(serving(), "S1 S2 S3 S4 web-a ");
	assert_int_equal(figures().wanted, 5);
}

static void an_add_whose_third_start_fails_leaves_none_behind(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	fake.fails_name = "S5";
	ask(&a, OWNERS_ADD, 5);
	assert_int_equal(figures().wanted, 7);
	WAIT_FOR(a.done);
	assert_int_equal(a.result, OWNERS_FAILED);
	assert_string_equal(a.err.text, "S5 could not be started: there is no such image");
	assert_int_equal(fake_count(), 2);		/* when it is answered already */
	assert_string_equal(serving(), "S1 S2 ");
	assert_int_equal(figures().wanted, 2);
	settle();
	assert_int_equal(fake_count(), 2);
	fake.fails_name = NULL;
	ask(&a, OWNERS_ADD, 1);				/* nobody waits for a back-off */
	WAIT_FOR(a.done);
	assert_string_equal(serving(), "S1 S2 S3 ");
}

static void a_name_that_people_gave_and_is_taken_fails_the_order(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(1, 10));
	WAIT_FOR(serve("S1 "));
	fake.taken_name = "db";
	ask_names(&a, OWNERS_ADD, 2, SERVERS("db"));
	WAIT_FOR(a.done);
	assert_int_equal(a.result, OWNERS_FAILED);
	assert_non_null(strstr(a.err.text, "something else has the name db"));
	assert_int_equal(fake_count(), 1);
}

static void what_is_removed_drains_before_it_stops(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(1, 10));
	ask(&a, OWNERS_ADD, 2);		/* while it still looks for its servers */
	assert_false(a.done);
	WAIT_FOR(a.done);
	assert_string_equal(serving(), "S1 S2 S3 ");

	pool.left = 1;
	ask_names(&a, OWNERS_REMOVE, 1, SERVERS("S2"));
	assert_true(a.done);		/* at once */
	assert_int_equal(a.result, OWNERS_DONE);
	assert_string_equal(serving(), "S1 S3 ");
	assert_int_equal(pool_count(), 2);
	assert_int_equal(pool.removed_at_once, 0);
	for (int i = 0; i < 5; i++)
		settle();
	assert_int_equal(fake.stops, 0);
	assert_true(fake_find("S2") >= 0);
	pool.left = 0;
	WAIT_FOR(fake_find("S2") < 0);
	assert_int_equal(fake.forced, 0);
	assert_int_equal(fake.starts, 3);
}

static void what_does_not_drain_is_stopped_in_time(void **unused)
{
	struct model_own own = own_of(0, 10);
	struct asked a;

	(void)unused;
	own.drain_ms = 120;
	use(own);
	ask(&a, OWNERS_ADD, 1);
	WAIT_FOR(a.done);
	pool.left = 1;
	ask(&a, OWNERS_REMOVE, 1);
	WAIT_FOR(fake_count() == 0);
	assert_int_equal(fake.forced, 0);
}

static void scaling_by_hand_goes_both_ways(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(1, 10));
	WAIT_FOR(serve("S1 "));
	ask(&a, OWNERS_SCALE, 5);
	WAIT_FOR(a.done);
	assert_int_equal(a.result, OWNERS_DONE);
	assert_int_equal(figures().serving, 5);
	ask(&a, OWNERS_SCALE, 2);
	assert_true(a.done);
	WAIT_FOR(fake_count() == 2);
	ask(&a, OWNERS_SCALE, 2);
	assert_true(a.done);
	ask(&a, OWNERS_SCALE, 11);
	assert_int_equal(a.result, OWNERS_BAD);
	assert_int_equal(a.order.fault, OWNERS_N_RANGE);
}

static void what_cannot_be_changes_nothing(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(2, 4));
	WAIT_FOR(serve("S1 S2 "));
	ask(&a, OWNERS_ADD, 3);
	assert_int_equal(a.result, OWNERS_BAD);
	ask_names(&a, OWNERS_ADD, 1, SERVERS("S2"));
	assert_int_equal(a.order.fault, OWNERS_NAME_TAKEN);
	ask(&a, OWNERS_REMOVE, 1);
	assert_int_equal(a.order.fault, OWNERS_N_RANGE);
	a.order.pool = "other";
	a.done = false;
	owners_ask(owners, &a.order);
	assert_int_equal(a.result, OWNERS_NOT_OWNED);
	settle();
	assert_string_equal(serving(), "S1 S2 ");
	assert_int_equal(fake.starts, 2);
}

static void an_order_that_nobody_waits_for_goes_on(void **unused)
{
	struct asked a, early;

	(void)unused;
	use(own_of(1, 10));
	ask_names(&early, OWNERS_ADD, 1, SERVERS("never"));
	owners_forget(owners, &early.order);
	WAIT_FOR(serve("S1 "));
	ask(&a, OWNERS_ADD, 2);
	owners_forget(owners, &a.order);
	WAIT_FOR(serve("S1 S2 S3 "));
	settle();
	assert_false(a.done);
	assert_false(early.done);
}

static void one_that_was_taken_out_by_hand_is_ended(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(2, 10));
	ask(&a, OWNERS_ADD, 1);
	WAIT_FOR(a.done);
	for (int i = 0; i < 2; i++) {
		struct live_server *s = in_pool(&fake.servers[fake_find("S2")].address);
		pool.servers[s->id] = NULL;
		owners_on_taken_out(owners, s, 0);
		free(s);
		WAIT_FOR(fake_count() == 2 && figures().serving == 2);
		assert_int_equal(figures().wanted, 2);
		/* First it is one less; then it is min, and another one comes. */
		assert_string_equal(serving(), i == 0 ? "S1 S3 " : "S1 S3 ");
		if (i == 0) {
			ask_names(&a, OWNERS_ADD, 1, SERVERS("S2"));
			WAIT_FOR(a.done);
			ask_names(&a, OWNERS_REMOVE, 1, SERVERS("S3"));
			WAIT_FOR(fake_find("S3") < 0);
		}
	}
}

/* ---- over restarts and reloads ---- */

static void survivors_are_adopted_and_the_vanished_come_back(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(2, 10));
	ask_names(&a, OWNERS_ADD, 3, SERVERS("web-a", "web-b"));
	WAIT_FOR(a.done);
	char id[SPAWN_ID_MAX + 1];
	strcpy(id, fake.servers[fake_find("web-a")].id);
	restart();
	fake.servers[fake_find("web-b")].running = false;
	fake.servers[fake_find("S2")] = (struct spawn_server){0};
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 S3 web-a web-b "));
	assert_int_equal(figures().adopted, 3);
	assert_int_equal(figures().starts, 2);
	assert_string_equal(fake.servers[fake_find("web-a")].id, id);
}

static void an_order_that_was_not_done_is_taken_back_by_a_restart(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	fake.unhealthy = true;			/* S3 runs, and has not answered yet */
	ask(&a, OWNERS_ADD, 1);
	WAIT_FOR(pool_count() == 3);
	restart();
	fake.healthy[fake_find("S3")] = true;
	use(own_of(2, 10));
	WAIT_FOR(fake_find("S3") < 0);
	WAIT_FOR(serve("S1 S2 "));
}

static void without_a_record_there_are_as_many_as_are_found(void **unused)
{
	struct model_own own = own_of(1, 10);

	(void)unused;
	for (int i = 0; i < 4; i++)
		fake_make((const char *[]){"S7", "S2", "db", "S10"}[i],
			  model_own_recipe(&own), true);
	use(own);
	WAIT_FOR(serve("S2 S7 S10 db "));
	assert_int_equal(figures().wanted, 4);
	assert_int_equal(figures().starts, 0);
}

static void a_record_that_cannot_be_read_prevents_nothing(void **unused)
{
	char command[256];

	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	restart();
	snprintf(command, sizeof command, "for f in %s/*; do echo '{' >$f; done", state);
	assert_int_equal(system(command), 0);
	restart();
	use(own_of(1, 10));
	WAIT_FOR(serve("S1 S2 "));
}

static void an_engine_that_does_not_answer_is_asked_again(void **unused)
{
	struct asked a;

	(void)unused;
	fake.fails_lists = 1;
	use(own_of(1, 10));
	ask(&a, OWNERS_ADD, 1);
	WAIT_FOR(a.done);
	assert_int_equal(a.result, OWNERS_FAILED);
	assert_string_equal(a.err.text, "the engine does not answer");
	assert_true(figures().retry_ms > 0);
	assert_int_equal(fake.starts, 0);
	WAIT_FOR(serve("S1 "));
}

static void another_recipe_replaces_one_after_the_other(void **unused)
{
	struct model_own own = own_of(3, 3);
	uint32_t most = 0, least = 3;

	(void)unused;
	use(own_of(3, 3));
	WAIT_FOR(serve("S1 S2 S3 "));
	own.port = 4711;
	uint64_t recipe = model_own_recipe(&own);
	use(own);
	for (uint32_t old = 3; old > 0; ) {
		loop_turn(l, 10);
		old = 0;
		for (int i = 0; i < FAKE_SERVERS_MAX; i++)
			old += fake.servers[i].id[0] != '\0' &&
			       fake.servers[i].recipe != recipe;
		most = fake_count() > most ? fake_count() : most;
		least = figures().serving < least ? figures().serving : least;
	}
	assert_int_equal(least, 3);		/* the new one first */
	assert_int_equal(most, 4);		/* and one at a time */
	WAIT_FOR(fake_count() == 3 && figures().serving == 3);
	assert_int_equal(figures().replaced, 0);	/* nobody had failed */
}

static void more_or_fewer_by_a_reload_come_to_be(void **unused)
{
	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	use(own_of(4, 10));
	WAIT_FOR(serve("S1 S2 S3 S4 "));
	use(own_of(1, 2));
	WAIT_FOR(fake_count() == 2);
	assert_int_equal(figures().wanted, 2);
}

static void a_pool_that_is_gone_ends_its_servers(void **unused)
{
	struct owners_figures f;

	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	pool.left = 1;
	use_without_pool();
	assert_false(owners_figures(owners, "web", &f));
	settle();
	assert_int_equal(fake_count(), 2);	/* drained first */
	pool.left = 0;
	WAIT_FOR(fake_count() == 0 && fake.opened == 0);
	use(own_of(1, 10));
	WAIT_FOR(serve("S1 "));
}

static void a_pool_that_comes_back_soon_has_its_owner_again(void **unused)
{
	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	pool.left = 1;
	use_without_pool();
	settle();
	use(own_of(2, 10));
	WAIT_FOR(serve("S3 S4 "));		/* the old names are still in use */
	assert_int_equal(fake.opened, 1);
	pool.left = 0;
	WAIT_FOR(fake_count() == 2);
}

static void another_engine_takes_over_before_the_old_one_ends(void **unused)
{
	struct model_own own = own_of(2, 10);

	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	own.driver = OWN_DOCKER;
	/* The new one sees nothing of what the old one has. */
	uint32_t before = fake.made;
	memset(fake.servers, 0, sizeof fake.servers);
	use(own);
	assert_string_equal(serving(), "");
	assert_int_equal(pool_count(), 2);
	WAIT_FOR(serve("S1 S2 "));		/* by their names */
	assert_int_equal(fake.made - before, 2);
	WAIT_FOR(fake.opened == 1 && pool_count() == 2);
}

/* ---- by load ---- */

static void a_request_that_waits_starts_the_first_one(void **unused)
{
	(void)unused;
	use(own_of(0, 10));
	owners_on_needed(owners, "web");	/* while it still looks */
	WAIT_FOR(serve("S1 "));
	owners_on_needed(owners, "web");
	settle();
	assert_int_equal(fake.starts, 1);
}

static void the_load_decides_between_min_and_max(void **unused)
{
	struct model_own own = own_of(0, 3);

	(void)unused;
	own.scale_up = 4;
	own.scale_down = 2;
	own.scale_up_ms = 1;
	own.scale_down_ms = 1;
	use(own);
	owners_on_needed(owners, "web");
	atomic_store(&live_pool.waiting, 11);
	WAIT_FOR(figures().serving == 3);
	atomic_store(&live_pool.waiting, 0);
	WAIT_FOR(fake_count() == 0);
	assert_int_equal(figures().wanted, 0);
}

/* ---- the end ---- */

static bool ended;

static void on_ended(void *arg)
{
	assert_ptr_equal(arg, &ended);
	assert_false(ended);
	ended = true;
}

static void at_the_end_all_are_ended(void **unused)
{
	struct asked a, late;

	(void)unused;
	ended = false;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	ask(&a, OWNERS_ADD, 1);
	owners_rest(owners);
	assert_int_equal(a.result, OWNERS_ENDING);
	ask(&late, OWNERS_ADD, 1);
	assert_int_equal(late.result, OWNERS_ENDING);
	fake_die("S1");
	settle();
	assert_true(fake_find("S1") < 0);	/* and nothing comes in its place */
	owners_end(owners, on_ended, &ended);
	assert_false(ended);
	WAIT_FOR(ended);
	assert_int_equal(fake_count(), 0);
}

static void at_the_end_those_to_be_left_go_on(void **unused)
{
	struct model_own own = own_of(2, 10);

	(void)unused;
	ended = false;
	own.leave = true;
	use(own);
	WAIT_FOR(serve("S1 S2 "));
	owners_rest(owners);
	owners_end(owners, on_ended, &ended);
	assert_true(ended);
	assert_int_equal(fake_count(), 2);
	restart();
	use(own_of(2, 10));
	WAIT_FOR(figures().adopted == 2);
}

static void an_end_does_not_wait_for_what_cannot_be_stopped(void **unused)
{
	(void)unused;
	ended = false;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	fake.fails_stops = UINT32_MAX;
	owners_rest(owners);
	owners_end(owners, on_ended, &ended);
	settle();
	assert_false(ended);
	owners_hurry(owners);
	WAIT_FOR(ended);
	assert_true(fake.forced >= 2);
}

static void an_end_right_after_the_start_finds_what_is_there(void **unused)
{
	(void)unused;
	ended = false;
	struct model_own own = own_of(1, 10);
	fake_make("S1", model_own_recipe(&own), true);
	use(own);
	owners_rest(owners);
	owners_end(owners, on_ended, &ended);
	WAIT_FOR(ended);
	assert_int_equal(fake_count(), 0);
	assert_int_equal(fake.starts, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
	const struct CMUnitTest tests[] = {
		TEST(a_pool_gets_its_min),
		TEST(at_most_eight_start_at_once),
		TEST(one_that_ends_is_replaced_under_its_name),
		TEST(one_that_fails_its_probe_is_replaced),
		TEST(a_bad_probe_that_leaves_it_up_changes_nothing),
		TEST(one_that_never_answers_is_a_failed_start),
		TEST(failing_starts_are_tried_again_after_a_while),
		TEST(no_more_starts_in_a_minute_than_asked_for),
		TEST(a_made_up_name_that_is_taken_is_not_insisted_on),
		TEST(a_server_that_its_pool_refuses_is_not_left_behind),
		TEST(a_stop_that_fails_is_tried_again),
		TEST(an_add_is_done_when_all_of_it_serves),
		TEST(an_add_whose_third_start_fails_leaves_none_behind),
		TEST(a_name_that_people_gave_and_is_taken_fails_the_order),
		TEST(what_is_removed_drains_before_it_stops),
		TEST(what_does_not_drain_is_stopped_in_time),
		TEST(scaling_by_hand_goes_both_ways),
		TEST(what_cannot_be_changes_nothing),
		TEST(an_order_that_nobody_waits_for_goes_on),
		TEST(one_that_was_taken_out_by_hand_is_ended),
		TEST(survivors_are_adopted_and_the_vanished_come_back),
		TEST(an_order_that_was_not_done_is_taken_back_by_a_restart),
		TEST(without_a_record_there_are_as_many_as_are_found),
		TEST(a_record_that_cannot_be_read_prevents_nothing),
		TEST(an_engine_that_does_not_answer_is_asked_again),
		TEST(another_recipe_replaces_one_after_the_other),
		TEST(more_or_fewer_by_a_reload_come_to_be),
		TEST(a_pool_that_is_gone_ends_its_servers),
		TEST(a_pool_that_comes_back_soon_has_its_owner_again),
		TEST(another_engine_takes_over_before_the_old_one_ends),
		TEST(a_request_that_waits_starts_the_first_one),
		TEST(the_load_decides_between_min_and_max),
		TEST(at_the_end_all_are_ended),
		TEST(at_the_end_those_to_be_left_go_on),
		TEST(an_end_does_not_wait_for_what_cannot_be_stopped),
		TEST(an_end_right_after_the_start_finds_what_is_there),
	};

	log_set_level(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
