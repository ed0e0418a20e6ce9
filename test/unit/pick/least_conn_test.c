/* Goal: the least busy one, relative to weight; equals take turns. */
#include "unit/pick/pool.h"

static struct pool pool;

static uint32_t pick(void)
{
	return pool_pick(&pool, &policy_least_conn, &nobody);
}

static void the_least_busy_wins(void **unused)
{
	(void)unused;
	pool_init(&pool, 3, 1);
	pool.live[0].in_flight = 3;
	pool.live[1].in_flight = 1;
	pool.live[2].in_flight = 2;
	for (int n = 0; n < 5; n++)
		assert_int_equal(pick(), 1);
	pool.live[1].up = false;
	assert_int_equal(pick(), 2);
	pool_fini(&pool);
}

static void in_flight_is_relative_to_weight(void **unused)
{
	static const uint32_t weights[] = {1, 4};

	(void)unused;
	pool_init(&pool, 2, 1);
	pool_set_weights(&pool, weights);
	pool.live[0].in_flight = 2;
	pool.live[1].in_flight = 7;
	assert_int_equal(pick(), 1);
	pool.live[1].in_flight = 9;
	assert_int_equal(pick(), 0);
	pool_fini(&pool);
}

static void equals_take_turns_instead_of_always_the_first(void **unused)
{
	(void)unused;
	pool_init(&pool, 4, 1);
	pool.live[2].in_flight = 1;
	pool_pick_times(&pool, &policy_least_conn, 300);
	assert_int_equal(pool.hits[0], 100);
	assert_int_equal(pool.hits[1], 100);
	assert_int_equal(pool.hits[2], 0);
	assert_int_equal(pool.hits[3], 100);
	pool_fini(&pool);
}

static void of_different_weights_only_the_least_busy_take_turns(void **unused)
{
	static const uint32_t weights[] = {1, 2, 4};

	(void)unused;
	pool_init(&pool, 3, 1);
	pool_set_weights(&pool, weights);
	pool.live[2].in_flight = 1;
	pool_pick_times(&pool, &policy_least_conn, 300);
	assert_int_equal(pool.hits[0], 100);
	assert_int_equal(pool.hits[1], 200);
	assert_int_equal(pool.hits[2], 0);
	pool_fini(&pool);
}

/* With HELD requests under way at all times, of which the oldest ends first. */
static void held_requests_are_shared_as_the_weights(void **unused)
{
	enum { HELD = 60, PICKS = 60000 };
	static const uint32_t weights[] = {1, 2, 3};
	uint32_t held[HELD];

	(void)unused;
	pool_init(&pool, 3, 1);
	pool_set_weights(&pool, weights);
	for (uint32_t n = 0; n < PICKS; n++) {
		if (n >= HELD)
			pool.live[held[n % HELD]].in_flight--;
		held[n % HELD] = pick();
		pool.live[held[n % HELD]].in_flight++;
	}
	assert_int_equal(pool.live[0].in_flight, 10);
	assert_int_equal(pool.live[1].in_flight, 20);
	assert_int_equal(pool.live[2].in_flight, 30);
	pool_assert_shares(&pool, 1);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_busy_wins),
		cmocka_unit_test(in_flight_is_relative_to_weight),
		cmocka_unit_test(equals_take_turns_instead_of_always_the_first),
		cmocka_unit_test(of_different_weights_only_the_least_busy_take_turns),
		cmocka_unit_test(held_requests_are_shared_as_the_weights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
