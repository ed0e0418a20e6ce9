/* Goal: all of what people ask for comes to be, or none of it. */
#include "unit/spawn/owners_fixture.h"

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
	assert_string_equal(a.err.text,
			    "S5 could not be started: there is no such image");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_add_is_done_when_all_of_it_serves),
		TEST(an_add_whose_third_start_fails_leaves_none_behind),
		TEST(a_name_that_people_gave_and_is_taken_fails_the_order),
		TEST(what_is_removed_drains_before_it_stops),
		TEST(what_does_not_drain_is_stopped_in_time),
		TEST(scaling_by_hand_goes_both_ways),
		TEST(what_cannot_be_changes_nothing),
		TEST(an_order_that_nobody_waits_for_goes_on),
		TEST(one_that_was_taken_out_by_hand_is_ended),
	};

	log_set_level(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
