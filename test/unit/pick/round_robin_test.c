/* Goal: turns in exact proportion, and no server twice in a row without need. */
#include "unit/pick/pool.h"

#include <stdlib.h>
#include <string.h>

static struct pool pool;

static uint32_t pick_with(const struct tried *tried)
{
	return pool_pick(&pool, &policy_round_robin, tried);
}

static uint32_t pick(void)
{
	return pick_with(&nobody);
}

static void each_round_visits_every_server_once(void **unused)
{
	(void)unused;
	for (uint32_t count = 1; count <= 20; count++) {
		pool_init(&pool, count, count);
		for (uint32_t round = 1; round <= 50; round++) {
			pool_pick_times(&pool, &policy_round_robin, count);
			for (uint32_t i = 0; i < count; i++)
				assert_int_equal(pool.hits[i], round);
		}
		pool_fini(&pool);
	}
}

static void equals_are_never_picked_twice_in_a_row(void **unused)
{
	(void)unused;
	for (uint32_t count = 2; count <= 12; count++) {
		pool_init(&pool, count, 2);
		uint32_t before = pick();
		for (int n = 0; n < 500; n++) {
			uint32_t now = pick();
			assert_int_not_equal(now, before);
			before = now;
		}
		pool_fini(&pool);
	}
}

static void a_server_that_is_down_burdens_nobody_more_than_others(void **unused)
{
	(void)unused;
	pool_init(&pool, 4, 1);
	pool.live[1].up = false;
	pool_pick_times(&pool, &policy_round_robin, 3000);
	assert_int_equal(pool.hits[0], 1000);
	assert_int_equal(pool.hits[1], 0);
	assert_int_equal(pool.hits[2], 1000);
	assert_int_equal(pool.hits[3], 1000);
	pool_fini(&pool);
}

static void weights_5_1_1_are_spread(void **unused)
{
	static const uint32_t weights[] = {5, 1, 1}, turns[] = {0, 0, 1, 0, 2, 0, 0};

	(void)unused;
	pool_init(&pool, 3, 1);
	pool_set_weights(&pool, weights);
	for (int round = 0; round < 10; round++)
		for (size_t n = 0; n < COUNT_OF(turns); n++)
			assert_int_equal(pick(), turns[n]);
	pool_fini(&pool);
}

/* At every moment, not only after a round, each has had its share to within a few
 * turns: that is what makes it smooth. */
static void shares_are_right_at_every_moment(void **unused)
{
	static const uint32_t weights[] = {7, 3, 1, 12, 3, 256};
	double total = 0;

	(void)unused;
	pool_init(&pool, COUNT_OF(weights), 1);
	pool_set_weights(&pool, weights);
	for (size_t i = 0; i < COUNT_OF(weights); i++)
		total += weights[i];
	for (int n = 1; n <= 5 * 282; n++) {
		pick();
		for (size_t i = 0; i < COUNT_OF(weights); i++) {
			double off = pool.hits[i] - n * weights[i] / total;
			assert_true(off > -3 && off < 3);
		}
	}
	for (size_t i = 0; i < COUNT_OF(weights); i++)
		assert_int_equal(pool.hits[i], 5 * weights[i]);
	pool_fini(&pool);
}

static void credits_stay_small_whoever_comes_and_goes(void **unused)
{
	static const uint32_t weights[] = {5, 1, 40, 9, 2, 100, 1, 3};
	uint32_t seed = 1;

	(void)unused;
	pool_init(&pool, COUNT_OF(weights), 1);
	pool_set_weights(&pool, weights);
	for (int n = 0; n < 200000; n++) {
		seed = seed * 1664525 + 1013904223;
		if (n % 3 == 0)
			for (size_t i = 0; i < COUNT_OF(weights); i++)
				pool.live[i].up = (seed >> (8 + i) & 1) != 0;
		pick();
		int64_t sum = 0;
		for (size_t i = 0; i < COUNT_OF(weights); i++) {
			sum += pool.state.current[i];
			assert_true(llabs(pool.state.current[i]) < 4 * 161);
		}
		assert_int_equal(sum, 0);
	}
	pool_fini(&pool);
}

static void a_retry_goes_elsewhere_and_upsets_no_turns(void **unused)
{
	(void)unused;
	pool_init(&pool, 3, 1);
	for (int n = 0; n < 300; n++) {
		struct tried tried = {.count = 1};
		tried.at[0] = pick();
		assert_int_not_equal(pick_with(&tried), tried.at[0]);
	}
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(pool.hits[i], 200);
	pool_fini(&pool);
}

static void a_weight_raised_and_lowered_again_leaves_turns_even(void **unused)
{
	(void)unused;
	pool_init(&pool, 3, 1);
	pool_pick_times(&pool, &policy_round_robin, 100);
	pool.live[2].weight = 9;
	pool_pick_times(&pool, &policy_round_robin, 100);
	pool.live[2].weight = 1;
	memset(pool.hits, 0, sizeof pool.hits);
	pool_pick_times(&pool, &policy_round_robin, 300);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(pool.hits[i], 100);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_round_visits_every_server_once),
		cmocka_unit_test(equals_are_never_picked_twice_in_a_row),
		cmocka_unit_test(a_server_that_is_down_burdens_nobody_more_than_others),
		cmocka_unit_test(weights_5_1_1_are_spread),
		cmocka_unit_test(shares_are_right_at_every_moment),
		cmocka_unit_test(credits_stay_small_whoever_comes_and_goes),
		cmocka_unit_test(a_retry_goes_elsewhere_and_upsets_no_turns),
		cmocka_unit_test(a_weight_raised_and_lowered_again_leaves_turns_even),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
