/* Goal: spec/http.md to the letter: lowest total, then most errors, then first given,
 * and the choice counts at once.
 */
#include "unit/pick/pool.h"

static struct pool pool;

static uint32_t pick(void)
{
	return pool_pick(&pool, &policy_least_load, &nobody);
}

static void set_load(uint32_t i, uint64_t total, uint64_t errors)
{
	pool.live[i].load_total = total;
	pool.live[i].load_errors = errors;
}

static void the_lowest_total_wins_whatever_the_errors(void **unused)
{
	(void)unused;
	pool_init(&pool, 3, 1);
	set_load(0, 10, 10);
	set_load(1, 9, 0);
	set_load(2, 11, 11);
	assert_int_equal(pick(), 1);
	pool_fini(&pool);
}

static void on_a_tie_the_most_errors_win(void **unused)
{
	(void)unused;
	pool_init(&pool, 4, 1);
	set_load(0, 9, 1);
	set_load(1, 9, 2);
	set_load(2, 9, 5);
	set_load(3, 9, 4);
	assert_int_equal(pick(), 2);
	assert_int_equal(pick(), 3);
	assert_int_equal(pick(), 1);
	assert_int_equal(pick(), 0);
	pool_fini(&pool);
}

static void on_a_full_tie_the_first_given_wins(void **unused)
{
	(void)unused;
	pool_init(&pool, 3, 99);
	for (uint32_t i = 0; i < 3; i++)
		set_load(i, 7, 3);
	assert_int_equal(pick(), 0);
	assert_int_equal(pick(), 1);
	assert_int_equal(pick(), 2);
	assert_int_equal(pick(), 0);
	pool_fini(&pool);
}

static void the_choice_counts_at_once_and_only_for_the_chosen(void **unused)
{
	(void)unused;
	pool_init(&pool, 2, 1);
	set_load(0, 3, 1);
	set_load(1, 5, 1);
	assert_int_equal(pick(), 0);
	assert_int_equal(pool.live[0].load_total, 4);
	assert_int_equal(pool.live[0].load_errors, 1);
	assert_int_equal(pool.live[1].load_total, 5);
	pool_fini(&pool);
}

static void nothing_counts_when_nobody_is_chosen(void **unused)
{
	(void)unused;
	pool_init(&pool, 1, 1);
	pool.live[0].up = false;
	assert_int_equal(pick(), PICK_NONE);
	assert_int_equal(pool.live[0].load_total, 0);
	pool_fini(&pool);
}

static void a_probe_replaces_what_was_counted(void **unused)
{
	(void)unused;
	pool_init(&pool, 2, 1);
	pool_pick_times(&pool, &policy_least_load, 10);
	set_load(0, 100, 0);
	set_load(1, 98, 0);
	assert_int_equal(pick(), 1);
	assert_int_equal(pick(), 1);
	assert_int_equal(pick(), 0);
	pool_fini(&pool);
}

static void totals_are_relative_to_the_weights(void **unused)
{
	static const uint32_t weights[] = {1, 2};

	(void)unused;
	pool_init(&pool, 2, 1);
	pool_set_weights(&pool, weights);
	set_load(0, 10, 0);
	set_load(1, 19, 0);
	assert_int_equal(pick(), 1);		/* 19 / 2 is below 10 */
	assert_int_equal(pick(), 0);		/* 20 / 2 ties with 10 */
	assert_int_equal(pick(), 1);
	pool_fini(&pool);
}

static void the_greatest_number_that_can_be_claimed_stays_so(void **unused)
{
	static const uint32_t weights[] = {256, 255};

	(void)unused;
	pool_init(&pool, 2, 1);
	pool_set_weights(&pool, weights);
	set_load(0, UINT64_MAX, 0);
	set_load(1, UINT64_MAX - 1, 0);
	for (int n = 0; n < 10; n++)
		assert_int_equal(pick(), 0);	/* both at the end: by weight */
	set_load(1, 5, 0);
	for (int n = 0; n < 10; n++)
		assert_int_equal(pick(), 1);
	assert_true(pool.live[0].load_total == UINT64_MAX);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_total_wins_whatever_the_errors),
		cmocka_unit_test(on_a_tie_the_most_errors_win),
		cmocka_unit_test(on_a_full_tie_the_first_given_wins),
		cmocka_unit_test(the_choice_counts_at_once_and_only_for_the_chosen),
		cmocka_unit_test(nothing_counts_when_nobody_is_chosen),
		cmocka_unit_test(a_probe_replaces_what_was_counted),
		cmocka_unit_test(totals_are_relative_to_the_weights),
		cmocka_unit_test(the_greatest_number_that_can_be_claimed_stays_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
