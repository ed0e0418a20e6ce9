/* Goal: the lot falls on everybody who may be picked, and on nobody else. */
#include "unit/pick/pool.h"

#include "pick/draw.h"

static struct pool pool;

static void the_exception_is_never_drawn(void **unused)
{
	(void)unused;
	for (uint32_t heavy = 1; heavy <= 2; heavy++) {		/* by guess, then by scan */
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
	assert_int_equal(draw_server(&pool.view, &pool.state, &nobody, PICK_NONE), 1);
	pool_fini(&pool);
}

static void guess_and_scan_give_equals_the_same_chance(void **unused)
{
	(void)unused;
	/* Half are down: one draw in 16 is decided by the scan. */
	pool_init(&pool, 10, 1);
	for (uint32_t i = 0; i < 10; i += 2)
		pool.live[i].up = false;
	for (int n = 0; n < 50000; n++)
		pool.hits[draw_server(&pool.view, &pool.state, &nobody, PICK_NONE)]++;
	for (uint32_t i = 0; i < 10; i++)
		assert_in_range(pool.hits[i], i % 2 ? 9600 : 0, i % 2 ? 10400 : 0);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exception_is_never_drawn),
		cmocka_unit_test(nobody_is_left_but_the_exception),
		cmocka_unit_test(guess_and_scan_give_equals_the_same_chance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
