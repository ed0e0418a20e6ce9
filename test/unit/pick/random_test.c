/* Goal: a sequence of its own for each seed, and chances that a missing server does
 * not bend. (The chances themselves: policy_test.c.)
 */
#include "unit/pick/pool.h"

static struct pool pool, twin;

static void a_seed_repeats_itself_and_another_does_not(void **unused)
{
	uint32_t alike = 0;

	(void)unused;
	pool_init(&pool, 8, 5);
	pool_init(&twin, 8, 5);
	for (int n = 0; n < 100; n++)
		assert_int_equal(pool_pick(&pool, &policy_random, &nobody),
				 pool_pick(&twin, &policy_random, &nobody));
	pool_fini(&twin);
	pool_init(&twin, 8, 6);
	for (int n = 0; n < 400; n++)
		alike += pool_pick(&pool, &policy_random, &nobody) ==
			 pool_pick(&twin, &policy_random, &nobody);
	assert_in_range(alike, 15, 90);		/* 50 are due, 6.6 the deviation */
	pool_fini(&pool);
	pool_fini(&twin);
}

static void those_beside_a_missing_one_gain_no_more_than_others(void **unused)
{
	(void)unused;
	pool_init(&pool, 8, 1);
	pool.live[2].up = pool.live[3].up = pool.live[4].up = pool.live[7].up = false;
	pool_pick_times(&pool, &policy_random, 40000);
	for (uint32_t i = 0; i < 8; i++) {
		bool up = pool.live[i].up;
		assert_in_range(pool.hits[i], up ? 9600 : 0, up ? 10400 : 0);
	}
	pool_fini(&pool);
}

static void the_same_one_comes_twice_in_a_row_as_chance_has_it(void **unused)
{
	uint32_t before = PICK_NONE, again = 0;

	(void)unused;
	pool_init(&pool, 4, 1);
	for (int n = 0; n < 10000; n++) {
		uint32_t now = pool_pick(&pool, &policy_random, &nobody);
		again += now == before;
		before = now;
	}
	assert_in_range(again, 2300, 2700);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_repeats_itself_and_another_does_not),
		cmocka_unit_test(those_beside_a_missing_one_gain_no_more_than_others),
		cmocka_unit_test(the_same_one_comes_twice_in_a_row_as_chance_has_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
