/* Goal: a pool has as many servers as it should, whatever becomes of them. */
#include "unit/spawn/owners_fixture.h"

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

static void what_becomes_of_one_is_told(void **unused)
{
	(void)unused;
	use(own_of(1, 10));
	WAIT_FOR(serve("S1 "));
	assert_string_equal(pool.news, "starting S1; serves S1; ");
	fake_die("S1");
	WAIT_FOR(serve("S1 "));
	assert_string_equal(pool.news, "starting S1; serves S1; replaced S1; starting S1; "
				       "serves S1; ");
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
	assert_int_equal(pool_count(), 2);	/* it is only noted, */
	WAIT_FOR(pool_count() == 1);		/* as it may come out of anything */
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

static void what_cannot_be_looked_for_is_looked_for_again(void **unused)
{
	(void)unused;
	fake.fails_lists = 1;
	use(own_of(1, 10));
	WAIT_FOR(fake.lists == 1 && figures().trouble[0] != '\0');
	use(own_of(2, 10));		/* work for it, before its time has come */
	settle();
	assert_int_equal(fake.lists, 1);
	WAIT_FOR(serve("S1 S2 "));
}

static void failing_starts_are_tried_again_after_a_while(void **unused)
{
	(void)unused;
	fake.fails_starts = 2;
	use(own_of(2, 10));
	WAIT_FOR(figures().start_failures == 2);	/* of one round: */
	uint32_t retry_ms = figures().retry_ms;
	assert_true(retry_ms > 0 && retry_ms <= BACKOFF_MS_MIN);
	assert_string_equal(figures().trouble, "there is no such image");
	uint64_t before = loop_now_ms(l);
	WAIT_FOR(figures().starts > 2);
	assert_true(loop_now_ms(l) - before >= retry_ms - 1);
	assert_int_equal(fake.starts, 3);	/* one alone, to see whether it goes */
	WAIT_FOR(serve("S1 S2 "));
	assert_int_equal(figures().retry_ms, 0);
}

static void no_more_starts_in_a_minute_than_asked_for(void **unused)
{
	struct model_own own = own_of(3, 10);
	struct asked a;

	(void)unused;
	own.starts_max = 1;
	use(own);
	WAIT_FOR(serve("S1 S2 S3 "));			/* the first fill is not counted */
	fake_die("S1");
	WAIT_FOR(serve("S1 S2 S3 "));
	fake_die("S1");
	WAIT_FOR(fake_count() == 2);
	settle();
	assert_int_equal(fake.starts, 4);
	assert_in_range(figures().retry_ms, 30 * 1000, 60 * 1000);
	assert_string_equal(figures().trouble, "1 start in a minute, which is the most");
	ask(&a, OWNERS_ADD, 1);				/* orders are not counted */
	WAIT_FOR(a.done);
	assert_int_equal(a.result, OWNERS_DONE);
}

static void a_pool_that_is_never_full_does_not_start_without_end(void **unused)
{
	struct model_own own = own_of(2, 10);

	(void)unused;
	own.starts_max = 2;
	fake.hangs_name = "S2";
	use(own);
	for (int i = 0; i < 2; i++) {
		WAIT_FOR(serve("S1 "));
		fake_die("S1");
	}
	WAIT_FOR(serve("S1 "));
	fake_die("S1");
	WAIT_FOR(fake_count() == 0);
	settle();
	assert_int_equal(fake.starts, 1 + 3);
	assert_in_range(figures().retry_ms, 30 * 1000, 60 * 1000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pool_gets_its_min),
		TEST(at_most_eight_start_at_once),
		TEST(one_that_ends_is_replaced_under_its_name),
		TEST(what_becomes_of_one_is_told),
		TEST(one_that_fails_its_probe_is_replaced),
		TEST(a_bad_probe_that_leaves_it_up_changes_nothing),
		TEST(one_that_never_answers_is_a_failed_start),
		TEST(what_cannot_be_looked_for_is_looked_for_again),
		TEST(failing_starts_are_tried_again_after_a_while),
		TEST(no_more_starts_in_a_minute_than_asked_for),
		TEST(a_pool_that_is_never_full_does_not_start_without_end),
		TEST(a_made_up_name_that_is_taken_is_not_insisted_on),
		TEST(a_server_that_its_pool_refuses_is_not_left_behind),
		TEST(a_stop_that_fails_is_tried_again),
		TEST(a_request_that_waits_starts_the_first_one),
		TEST(the_load_decides_between_min_and_max),
	};

	log_set_level(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
