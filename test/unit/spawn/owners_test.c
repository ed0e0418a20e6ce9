/* Goal: restarts, reloads and the end find and leave each server where it should be. */
#include "unit/spawn/owners_fixture.h"

static bool ended;

static void on_ended(void *arg)
{
	assert_ptr_equal(arg, &ended);
	assert_false(ended);
	ended = true;
}

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

static void what_was_answered_is_kept(void **unused)
{
	struct asked a;

	(void)unused;
	use(own_of(1, 10));
	ask(&a, OWNERS_ADD, 2);
	WAIT_FOR(a.done);
	restart();				/* before another turn */
	use(own_of(1, 10));
	WAIT_FOR(serve("S1 S2 S3 "));
	ask_names(&a, OWNERS_REMOVE, 2, SERVERS("S2", "S1"));
	restart();
	use(own_of(1, 10));
	WAIT_FOR(fake_count() == 1);
	WAIT_FOR(serve("S3 "));
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

static void what_comes_too_late_to_be_found_is_ended(void **unused)
{
	struct model_own own = own_of(1, 10);

	(void)unused;
	use(own_of(1, 10));
	WAIT_FOR(serve("S1 "));
	/* The engine was still at it when the last balancer was killed. */
	fake_make("S7", model_own_recipe(&own), false);
	fake_make("S8", model_own_recipe(&own), true);
	free(own.prefix);
	WAIT_FOR(fake.lists == 2);
	WAIT_FOR(fake_count() == 1);
	assert_string_equal(serving(), "S1 ");
	assert_int_equal(pool_count(), 1);

	ended = false;
	fake_make("S9", 0, false);
	owners_rest(owners);
	owners_end(owners, on_ended, &ended);
	WAIT_FOR(ended);
	assert_int_equal(fake_count(), 0);
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

/* ---- the end ---- */

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

/* Owners that have this patience at the end, and are asked for so many. */
static void begin_with(uint32_t of_silence_ms, uint32_t of_hurry_ms, uint32_t servers)
{
	struct model_own own = own_of(servers, servers);

	own.stop_ms = 0;
	ended = false;
	silence_ms = of_silence_ms;
	hurry_ms = of_hurry_ms;
	restart();
	silence_ms = hurry_ms = 0;
	use(own);
}

static void end(void)
{
	owners_rest(owners);
	owners_end(owners, on_ended, &ended);
	WAIT_FOR(ended);
}

/* Long before the limit of it all. */
static void end_soon(void)
{
	uint64_t before = loop_now_ms(l);

	end();
	assert_true(loop_now_ms(l) - before < OWNERS_END_MS / 2);
}

static void an_end_does_not_wait_for_an_engine_out_of_reach(void **unused)
{
	(void)unused;
	begin_with(50, 50, 2);
	WAIT_FOR(serve("S1 S2 "));
	fake.silent = true;
	end_soon();
	assert_int_equal(fake_count(), 2);
}

static void nor_for_one_that_has_not_said_yet_what_there_is(void **unused)
{
	(void)unused;
	fake.silent = true;
	begin_with(50, 50, 2);
	WAIT_FOR(fake.lists == 1);
	end_soon();
}

static void no_force_is_used_while_they_end_one_after_the_other(void **unused)
{
	(void)unused;
	begin_with(7 * FAKE_SLOW_MS, OWNERS_HURRY_MS, 8);
	WAIT_FOR(figures().serving == 8);
	fake.stops_slowly = true;
	fake.stops = 0;
	end();
	assert_int_equal(fake_count(), 0);
	assert_int_equal(fake.stops, 8);	/* each was asked once */
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

static void another_balancer_takes_them_as_they_are(void **unused)
{
	struct owners *old;

	(void)unused;
	ended = false;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	unsigned starts = fake.starts;
	old = owners;
	owners_hand_over(old);
	assert_false(owners_list(old, "web", write_name, NULL));
	owners_end(old, on_ended, &ended);	/* nothing of theirs is its any more */
	assert_true(ended);
	owners_destroy(old);
	create();
	struct model *m = model_with(own_of(2, 10));
	owners_take_over(owners, m);
	model_put(m);
	assert_false(owners_are_complete(owners));
	WAIT_FOR(owners_are_complete(owners));
	assert_true(serve("S1 S2 "));
	assert_int_equal(fake.starts, starts);
	assert_int_equal(figures().adopted, 2);
}

static void one_that_is_not_taken_over_goes_on(void **unused)
{
	(void)unused;
	use(own_of(2, 10));
	WAIT_FOR(serve("S1 S2 "));
	unsigned starts = fake.starts;
	owners_hand_over(owners);
	settle();
	use(own_of(2, 10));
	WAIT_FOR(owners_are_complete(owners));
	assert_true(serve("S1 S2 "));
	assert_int_equal(fake.starts, starts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(survivors_are_adopted_and_the_vanished_come_back),
		TEST(what_was_answered_is_kept),
		TEST(an_order_that_was_not_done_is_taken_back_by_a_restart),
		TEST(what_comes_too_late_to_be_found_is_ended),
		TEST(without_a_record_there_are_as_many_as_are_found),
		TEST(a_record_that_cannot_be_read_prevents_nothing),
		TEST(an_engine_that_does_not_answer_is_asked_again),
		TEST(another_recipe_replaces_one_after_the_other),
		TEST(more_or_fewer_by_a_reload_come_to_be),
		TEST(a_pool_that_is_gone_ends_its_servers),
		TEST(a_pool_that_comes_back_soon_has_its_owner_again),
		TEST(another_engine_takes_over_before_the_old_one_ends),
		TEST(at_the_end_all_are_ended),
		TEST(at_the_end_those_to_be_left_go_on),
		TEST(an_end_does_not_wait_for_what_cannot_be_stopped),
		TEST(an_end_does_not_wait_for_an_engine_out_of_reach),
		TEST(nor_for_one_that_has_not_said_yet_what_there_is),
		TEST(no_force_is_used_while_they_end_one_after_the_other),
		TEST(an_end_right_after_the_start_finds_what_is_there),
		TEST(another_balancer_takes_them_as_they_are),
		TEST(one_that_is_not_taken_over_goes_on),
	};

	log_set_level(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
