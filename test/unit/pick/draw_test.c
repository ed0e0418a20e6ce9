/* Goal: the lot falls on everybody who may be picked, and on nobody else. */
#include "unit/pick/pool.h"

#include "pick/draw.h"

static struct pool pool;

static uint32_t draw(void)
{
	return draw_server(&pool.view, &pool.state, &nobody, PICK_NONE);
}

static void the_exception_is_never_drawn(void **unused)
{
	(void)unused;
	for (uint32_t heavy = 1; heavy <= 2; heavy++) {
		pool_init(&pool, 3, 1);
		pool.live[0].weight = heavy;
		for (uint32_t n = 0; n < 900; n++)
			assert_int_not_equal(draw_server(&pool.view, &pool.state, &nobody,
							 n % 3), n % 3);
		pool_fini(&pool);
	}
}

static void nobody_is_left_but_the_exception(void **unused)
{
	(void)unused;
	pool_init(&pool, 3, 1);
	pool.live[0].up = pool.live[2].up = false;
	assert_int_equal(draw_server(&pool.view, &pool.state, &nobody, 1), PICK_NONE);
	assert_int_equal(draw(), 1);
	pool_fini(&pool);
}

/* The third weight is so great that most guesses come to nothing. */
static void guess_and_scan_give_chances_as_the_weights(void **unused)
{
	static const uint32_t weights[][5] = {
		{1, 2, 3, 4, 4}, {1, 0, 3, 2, 1}, {3, 3, 256, 3, 3},
	};

	(void)unused;
	for (size_t w = 0; w < COUNT_OF(weights); w++) {
		pool_init(&pool, 5, 1);
		pool_set_weights(&pool, weights[w]);
		for (int n = 0; n < 100000; n++)
			pool.hits[draw()]++;
		pool_assert_shares(&pool, 12);
		pool_fini(&pool);
	}
}

static void guess_and_scan_give_equals_the_same_chance(void **unused)
{
	(void)unused;
	/* One in five is up: one draw in six is decided by the scan. */
	pool_init(&pool, 10, 1);
	for (uint32_t i = 0; i < 10; i++)
		pool.live[i].up = i % 5 == 1;
	for (int n = 0; n < 20000; n++)
		pool.hits[draw()]++;
	for (uint32_t i = 0; i < 10; i++) {
		bool up = pool.live[i].up;
		assert_in_range(pool.hits[i], up ? 9600 : 0, up ? 10400 : 0);
	}
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exception_is_never_drawn),
		cmocka_unit_test(nobody_is_left_but_the_exception),
		cmocka_unit_test(guess_and_scan_give_chances_as_the_weights),
		cmocka_unit_test(guess_and_scan_give_equals_the_same_chance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
