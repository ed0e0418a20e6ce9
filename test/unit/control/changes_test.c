/* Goal: the difference to the file is all there is to know. Applied over the file it
 * gives what the changes gave one after the other, now and after a restart. */
#include "unit/control/sample.h"

#include <stdlib.h>

#include "base/memory.h"
#include "model/srv.h"

enum { FILES = 300, CHANGES = 40 };

static enum change_fault note(struct changes *all, const struct model *file,
			      struct change c)
{
	struct err err;

	return changes_note(all, file, &c, &err);
}

/* The file with the changes over it; the caller's. */
static struct model *over(const struct model *file, struct changes *all,
			  uint32_t *caught_up)
{
	struct model *m = model_copy(file);
	uint32_t ignored;

	changes_apply(all, m, caught_up != NULL ? caught_up : &ignored);
	return m;
}

static void assert_over(const struct model *file, struct changes *all,
			const struct model *want)
{
	uint32_t caught_up;
	struct model *m = over(file, all, &caught_up);

	assert_same_servers(m, want);
	assert_int_equal(caught_up, 0);
	model_put(m);
}

/* What a lasting change does to those that a restart would find: no temporary one is
 * there, so an addition may find its server, and others may not. */
static void apply_lasting(struct model *m, struct change c)
{
	struct err err;

	if (c.kind == CHANGE_ADD &&
	    change_apply(m, &c, &err) == CHANGE_SERVER_EXISTS) {
		if (!c.has_weight)
			c.weight = 1;
		c.has_weight = c.has_drain = true;
		c.kind = CHANGE_SET;
	}
	if (c.kind != CHANGE_ADD)
		change_apply(m, &c, &err);
}

static void a_difference_is_worth_its_history(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < FILES; i++) {
		struct model *file = sample_random_file(&random);
		struct model *now = model_copy(file), *lasting = model_copy(file);
		struct changes *all = changes_create();
		for (int j = 0; j < CHANGES; j++) {
			struct change c = sample_random_change(&random);
			struct err err;
			if (change_apply(now, &c, &err) != CHANGE_FINE)
				continue;
			if (!c.temporary)
				apply_lasting(lasting, c);
			assert_int_equal(note(all, file, c), CHANGE_FINE);
			assert_over(file, all, now);

			struct changes *kept = sample_kept(all);
			assert_over(file, kept, lasting);
			changes_destroy(kept);
		}
		changes_destroy(all);
		model_put(now);
		model_put(lasting);
		model_put(file);
	}
}

/* Over files that follow each other, once applied means applied. */
static void a_reload_settles_in_one_go(void **state)
{
	uint64_t random = 2;

	(void)state;
	for (int i = 0; i < FILES; i++) {
		struct changes *all = changes_create();
		struct model *file = sample_random_file(&random);
		for (int j = 0; j < CHANGES; j++) {
			struct change c = sample_random_change(&random);
			struct err err;
			struct model *now = over(file, all, NULL);
			if (change_apply(now, &c, &err) == CHANGE_FINE)
				assert_int_equal(note(all, file, c), CHANGE_FINE);
			model_put(now);
			if (sample_random(&random, 5) > 0)
				continue;
			model_put(file);
			file = sample_random_file(&random);
			now = over(file, all, NULL);
			assert_over(file, all, now);

			/* Those that last do not depend on those that do not. */
			struct changes *kept = sample_kept(all);
			struct model *restarted = over(file, kept, NULL);
			assert_same_lasting(kept, all);
			model_put(restarted);
			changes_destroy(kept);
			model_put(now);
		}
		changes_destroy(all);
		model_put(file);
	}
}

static void assert_entry(const struct changes *all, uint32_t at, enum change_kind kind,
			 const char *server, bool temporary)
{
	const struct changes_entry *e = changes_at(all, at);

	assert_int_equal(e->change.kind, kind);
	assert_string_equal(e->change.server.text, server);
	assert_int_equal(e->change.temporary, temporary);
}

static void there_and_back_leaves_nothing(void **state)
{
	struct model *file = sample_model("web", SERVERS("1", "2"));
	struct changes *all = changes_create();

	(void)state;
	note(all, file, sample_change(CHANGE_REMOVE, "web", "1"));
	assert_int_equal(changes_count(all), 1);
	assert_entry(all, 0, CHANGE_REMOVE, "127.0.0.1:1", false);
	note(all, file, sample_change(CHANGE_ADD, "web", "1"));
	assert_int_equal(changes_count(all), 0);

	note(all, file, sample_change(CHANGE_ADD, "web", "3"));
	assert_entry(all, 0, CHANGE_ADD, "127.0.0.1:3", false);
	note(all, file, sample_change(CHANGE_REMOVE, "web", "3"));
	assert_int_equal(changes_count(all), 0);

	note(all, file, sample_weight("web", "2", 5));
	assert_entry(all, 0, CHANGE_SET, "127.0.0.1:2", false);
	note(all, file, sample_weight("web", "2", 1));
	assert_int_equal(changes_count(all), 0);
	changes_destroy(all);
	model_put(file);
}

static void what_the_file_says_by_now_is_dropped(void **state)
{
	struct model *file = sample_model("web", SERVERS("1", "2"));
	struct model *later = sample_model("web", SERVERS("2", "3"));
	struct changes *all = changes_create();
	uint32_t caught_up;

	(void)state;
	note(all, file, sample_change(CHANGE_REMOVE, "web", "1"));
	note(all, file, sample_weight("web", "2", 7));
	note(all, file, sample_change(CHANGE_ADD, "web", "3"));
	later->pools[0].servers[0].weight = 7;
	model_put(over(later, all, &caught_up));
	assert_int_equal(caught_up, 3);
	assert_int_equal(changes_count(all), 0);

	/* They are gone for good: the old file means what it says again. */
	assert_over(file, all, file);
	changes_destroy(all);
	model_put(file);
	model_put(later);
}

static void what_is_set_goes_with_its_server(void **state)
{
	struct model *file = sample_model("web", SERVERS("1", "2"));
	struct model *later = sample_model("web", SERVERS("2"));
	struct changes *all = changes_create();
	uint32_t caught_up;

	(void)state;
	note(all, file, sample_weight("web", "1", 0));
	model_put(over(later, all, &caught_up));
	assert_int_equal(caught_up, 1);
	assert_over(file, all, file);
	changes_destroy(all);
	model_put(file);
	model_put(later);
}

static void entries_wait_for_their_pool(void **state)
{
	struct model *file = sample_model("web", SERVERS("1"));
	struct model *without = sample_model("api", SERVERS("1"));
	struct changes *all = changes_create();
	uint32_t caught_up;

	(void)state;
	note(all, file, sample_change(CHANGE_REMOVE, "web", "1"));
	note(all, file, sample_change(CHANGE_ADD, "web", "2"));
	assert_over(without, all, without);
	assert_int_equal(changes_count(all), 2);
	assert_true(changes_at(all, 0)->waiting);
	assert_true(changes_at(all, 1)->waiting);

	struct model *again = over(file, all, &caught_up);
	assert_int_equal(caught_up, 0);
	assert_false(changes_at(all, 0)->waiting);
	assert_int_equal(again->pools[0].server_count, 1);
	assert_string_equal(again->pools[0].servers[0].address.text, "127.0.0.1:2");
	model_put(again);
	changes_destroy(all);
	model_put(file);
	model_put(without);
}

/* As when what is added for a while ends where its pool is gone. */
static void what_is_forgotten_does_not_come_back_with_its_pool(void **state)
{
	struct model *file = sample_model("web", SERVERS("1"));
	struct model *without = sample_model("api", SERVERS("1"));
	struct changes *all = changes_create();
	struct change gone = sample_change(CHANGE_ADD, "web", "2");

	(void)state;
	gone.temporary = true;
	note(all, file, gone);
	note(all, file, sample_change(CHANGE_ADD, "web", "3"));
	assert_over(without, all, without);
	changes_forget(all, "api", &gone.server);
	assert_int_equal(changes_count(all), 2);
	changes_forget(all, "web", &gone.server);
	changes_forget(all, "web", &gone.server);	/* once more is nothing */
	assert_int_equal(changes_count(all), 1);

	struct model *again = over(file, all, NULL);
	assert_int_equal(again->pools[0].server_count, 2);
	assert_string_equal(again->pools[0].servers[1].address.text, "127.0.0.1:3");
	model_put(again);
	changes_destroy(all);
	model_put(file);
	model_put(without);
}

/* Who is there only once name servers have answered is not taken for one that has gone. */
static void entries_wait_for_servers_that_are_not_known_yet(void **state)
{
	struct model *file = sample_model("web", SERVERS("1"));
	struct changes *all = changes_create();
	struct change drain = sample_change(CHANGE_SET, "web", "2");
	struct model *known;
	uint32_t caught_up;

	(void)state;
	file->pools[0].srvs = memory_new(1, sizeof *file->pools[0].srvs);
	file->pools[0].srv_count = 1;
	file->pools[0].srvs[0].name = memory_text("a.test");
	known = model_copy(file);
	known->pools[0].srvs[0].known = true;
	model_server_add(&known->pools[0])->address = drain.server;
	drain.has_drain = drain.drain = true;
	note(all, known, drain);
	note(all, known, sample_change(CHANGE_REMOVE, "web", "1"));

	model_put(over(file, all, &caught_up));
	assert_int_equal(caught_up, 0);
	assert_int_equal(changes_count(all), 2);
	assert_true(changes_at(all, 0)->waiting);
	assert_false(changes_at(all, 1)->waiting);	/* that one is in the file */

	struct model *m = over(known, all, &caught_up);
	assert_int_equal(m->pools[0].server_count, 1);
	assert_true(m->pools[0].servers[0].drain);
	assert_false(changes_at(all, 0)->waiting);
	model_put(m);

	/* It is known that it has gone. */
	model_server_remove(&known->pools[0], 1);
	model_put(over(known, all, &caught_up));
	assert_int_equal(caught_up, 1);
	assert_int_equal(changes_count(all), 1);
	changes_destroy(all);
	model_put(known);
	model_put(file);
}

/* A restart finds the lasting half, whatever was laid over it for a while. */
static void a_temporary_change_hides_a_lasting_one(void **state)
{
	struct model *file = sample_model("web", SERVERS("1"));
	struct changes *all = changes_create();
	struct change c;

	(void)state;
	note(all, file, sample_weight("web", "1", 3));
	c = sample_weight("web", "1", 1);
	c.temporary = true;
	note(all, file, c);		/* what the file says, and still to be said */
	assert_entry(all, 0, CHANGE_SET, "127.0.0.1:1", true);
	assert_over(file, all, file);
	assert_true(changes_lasting_at(all, 0, &c));
	assert_int_equal(c.weight, 3);

	c = sample_change(CHANGE_REMOVE, "web", "1");
	c.temporary = true;
	note(all, file, c);
	assert_entry(all, 0, CHANGE_REMOVE, "127.0.0.1:1", true);
	assert_true(changes_lasting_at(all, 0, &c));
	assert_int_equal(c.kind, CHANGE_SET);

	c = sample_change(CHANGE_ADD, "web", "2");
	c.temporary = true;
	note(all, file, c);
	note(all, file, sample_weight("web", "2", 4));	/* does not make it last */
	assert_entry(all, 1, CHANGE_ADD, "127.0.0.1:2", true);
	assert_int_equal(changes_at(all, 1)->change.weight, 4);
	assert_false(changes_lasting_at(all, 1, &c));
	changes_destroy(all);
	model_put(file);
}

static void refuses(struct model *m, struct change c, enum change_fault fault,
		    const char *message)
{
	struct model *before = model_copy(m);
	struct err err = {""};

	assert_int_equal(change_apply(m, &c, &err), fault);
	assert_string_equal(err.text, message);
	assert_same_servers(m, before);
	model_put(before);
}

static void a_refusal_names_what_there_is(void **state)
{
	struct model *m = sample_model("web", SERVERS("1", "App1:2", "3", "4", "5"));

	(void)state;
	sample_add_pool(m, "empty", SERVERS(NULL));
	refuses(m, sample_change(CHANGE_ADD, "wbe", "1"), CHANGE_POOL_UNKNOWN,
		"there is no pool wbe; there is web, empty");
	refuses(m, sample_change(CHANGE_REMOVE, "web", "9"), CHANGE_SERVER_UNKNOWN,
		"pool web has no server 127.0.0.1:9; it has 127.0.0.1:1, App1:2, "
		"127.0.0.1:3 and 2 more");
	refuses(m, sample_weight("empty", "9", 1), CHANGE_SERVER_UNKNOWN,
		"pool empty has no server 127.0.0.1:9; it has none");
	refuses(m, sample_change(CHANGE_ADD, "web", "app1:2"), CHANGE_SERVER_EXISTS,
		"pool web has the server App1:2 already; to change it, set its weight or "
		"drain it");
	model_put(m);
}

static void limits_hold(void **state)
{
	struct model *file = sample_model("web", SERVERS(NULL));
	struct changes *all = changes_create();
	char server[32];

	(void)state;
	for (int i = 0; i < MODEL_SERVERS_MAX; i++) {
		snprintf(server, sizeof server, "%d", i + 1);
		struct change c = sample_change(CHANGE_ADD, "web", server);
		struct err err;
		assert_int_equal(change_apply(file, &c, &err), CHANGE_FINE);
	}
	refuses(file, sample_change(CHANGE_ADD, "web", "app:1"), CHANGE_POOL_FULL,
		"pool web is full: it has 4096 servers, and may have no more; remove one "
		"first");

	/* One of a pool that has become full waits, too. */
	note(all, file, sample_change(CHANGE_ADD, "web", "app:1"));
	struct model *m = over(file, all, NULL);
	assert_int_equal(m->pools[0].server_count, MODEL_SERVERS_MAX);
	assert_int_equal(changes_count(all), 1);
	assert_true(changes_at(all, 0)->waiting);
	model_put(m);
	changes_destroy(all);
	model_put(file);
}

static void entries_have_a_limit(void **state)
{
	enum { FEW = 500 };
	struct model *file = sample_model("web", SERVERS("1"));
	struct changes *all = changes_create();
	struct change c = sample_change(CHANGE_ADD, "", "9");
	struct err err = {""};

	(void)state;
	for (uint32_t i = 0; i < CHANGES_MAX; i++) {
		snprintf(c.pool, sizeof c.pool, "%u", i % FEW);
		c.server.in4.sin_addr.s_addr = i;
		snprintf(c.server.text, sizeof c.server.text, "%u", i);
		assert_true(changes_restore(all, &c));
		if (i % (CHANGES_MAX / FEW) == 0)
			assert_false(changes_restore(all, &c));
	}
	assert_int_equal(note(all, file, sample_weight("web", "1", 2)), CHANGE_TOO_MANY);
	assert_int_equal(changes_count(all), CHANGES_MAX);
	c = sample_weight("web", "1", 2);
	changes_note(all, file, &c, &err);
	assert_non_null(strstr(err.text, "reload"));
	changes_destroy(all);
	model_put(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_is_worth_its_history),
		cmocka_unit_test(a_reload_settles_in_one_go),
		cmocka_unit_test(there_and_back_leaves_nothing),
		cmocka_unit_test(what_the_file_says_by_now_is_dropped),
		cmocka_unit_test(what_is_set_goes_with_its_server),
		cmocka_unit_test(entries_wait_for_their_pool),
		cmocka_unit_test(what_is_forgotten_does_not_come_back_with_its_pool),
		cmocka_unit_test(entries_wait_for_servers_that_are_not_known_yet),
		cmocka_unit_test(a_temporary_change_hides_a_lasting_one),
		cmocka_unit_test(a_refusal_names_what_there_is),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(entries_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
