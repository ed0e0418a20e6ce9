/* Goal: never the busier of two, and a far lower peak than by lot alone. */
#include "unit/pick/pool.h"

static struct pool pool;

static uint32_t pick(const struct policy *policy)
{
	return pool_pick(&pool, policy, &nobody);
}

static void of_two_servers_the_less_busy_one_always_wins(void **unused)
{
	(void)unused;
	pool_init(&pool, 2, 1);
	pool.live[0].in_flight = 2;
	pool.live[1].in_flight = 1;
	for (int n = 0; n < 200; n++)
		assert_int_equal(pick(&policy_two_choices), 1);
	pool_fini(&pool);
}

static void the_busiest_of_all_is_never_picked(void **unused)
{
	(void)unused;
	pool_init(&pool, 10, 1);
	pool.live[3].in_flight = 1;
	pool_pick_times(&pool, &policy_two_choices, 5000);
	assert_int_equal(pool.hits[3], 0);
	pool_fini(&pool);
}

static uint32_t peak_of_1000_on_100(const struct policy *policy)
{
	uint32_t peak = 0;

	pool_init(&pool, 100, 17);
	for (int n = 0; n < 1000; n++) {
		uint32_t picked = pick(policy);
		if (++pool.live[picked].in_flight > peak)
			peak = pool.live[picked].in_flight;
	}
	pool_fini(&pool);
	return peak;
}

static void the_peak_is_far_below_that_of_one_choice(void **unused)
{
	(void)unused;
	assert_in_range(peak_of_1000_on_100(&policy_two_choices), 11, 13);
	assert_in_range(peak_of_1000_on_100(&policy_random), 16, 30);
}

static void held_requests_are_shared_as_the_weights(void **unused)
{
	enum { HELD = 600, PICKS = 60000 };
	static const uint32_t weights[] = {1, 2, 3, 10, 4};
	static uint32_t held[HELD];

	(void)unused;
	pool_init(&pool, COUNT_OF(weights), 1);
	pool_set_weights(&pool, weights);
	for (uint32_t n = 0; n < PICKS; n++) {
		if (n >= HELD)
			pool.live[held[n % HELD]].in_flight--;
		held[n % HELD] = pick(&policy_two_choices);
		pool.live[held[n % HELD]].in_flight++;
	}
	pool_assert_shares(&pool, 5);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_servers_the_less_busy_one_always_wins),
		cmocka_unit_test(the_busiest_of_all_is_never_picked),
		cmocka_unit_test(the_peak_is_far_below_that_of_one_choice),
		cmocka_unit_test(held_requests_are_shared_as_the_weights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
