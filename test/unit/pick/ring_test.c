/* Goal: the ring is the ring: no key moves between two servers that stay, shares are
 * within bounds, and the table answers as a walk from point to point would.
 */
#include "unit/pick/pool.h"

static struct pool pool, other;

static uint32_t pick(uint64_t key)
{
	return pool_pick_key(&pool, &policy_ring, key, &nobody);
}

static uint32_t pick_other(uint64_t key)
{
	return pool_pick_key(&other, &policy_ring, key, &nobody);
}

/* The server whose point is the next clockwise, by looking at all of them. */
static uint32_t nearest(uint64_t key)
{
	uint32_t winner = PICK_NONE;
	uint64_t least = 0;

	for (uint32_t i = 0; i < pool.view.count; i++) {
		uint32_t points = pool.model.ring_points * pool.asked[i].weight;
		for (uint32_t n = 0; n < points && pool.live[i].up; n++) {
			uint64_t far = hash_pair(pool.live[i].seed, n) - key;
			if (winner == PICK_NONE || far < least) {
				winner = i;
				least = far;
			}
		}
	}
	return winner;
}

static void assert_same_for_keys(uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++) {
		uint64_t key = n == 1 ? UINT64_MAX : hash_mix(n);
		uint32_t picked = pick(key);
		assert_int_equal(picked, nearest(key));
	}
}

static void the_table_answers_as_the_points_do(void **unused)
{
	static const uint32_t counts[] = {0, 1, 2, 3, 40, 100}, points[] = {1, 2, 7, 60};

	(void)unused;
	for (size_t c = 0; c < COUNT_OF(counts); c++) {
		for (size_t p = 0; p < COUNT_OF(points); p++) {
			pool_init(&pool, counts[c], 1);
			pool.model.ring_points = points[p];
			for (uint32_t i = 0; i < counts[c]; i++)
				pool.live[i].weight = i % 4;
			assert_same_for_keys(0, 40);
			for (uint32_t i = 0; i < counts[c]; i++)
				pool.live[i].up = i % 3 > 0;
			assert_same_for_keys(40, 70);
			for (uint32_t i = 0; i < counts[c]; i++)
				pool.live[i].up = i % 50 == 1;
			assert_same_for_keys(70, 100);
			pool_fini(&pool);
		}
	}
}

static void a_key_at_a_point_belongs_to_it(void **unused)
{
	(void)unused;
	pool_init(&pool, 10, 1);
	for (uint32_t i = 0; i < 10; i++) {
		uint64_t point = hash_pair(pool.live[i].seed, 3);
		assert_int_equal(pick(point), i);
		assert_int_equal(pick(point + 1), nearest(point + 1));
	}
	pool_fini(&pool);
}

/* `other` has one server more, in the midst of the file. */
static void init_both(uint32_t count)
{
	pool_init(&pool, count, 1);
	pool_init(&other, count + 1, 1);
	for (uint32_t i = 0; i < count; i++)
		pool_name(&pool, i, other.asked[i < count / 2 ? i : i + 1].address.text);
}

/* Both ways: a server that is added takes keys and gives none, one that is removed
 * gives its own. */
static void no_key_moves_between_two_servers_that_stay(void **unused)
{
	enum { KEYS = 20000 };
	static const uint32_t counts[] = {1, 2, 3, 10, 100, 1000};

	(void)unused;
	for (size_t c = 0; c < COUNT_OF(counts); c++) {
		uint32_t count = counts[c], moved = 0;
		init_both(count);
		for (uint32_t n = 1; n <= KEYS; n++) {
			uint32_t before = pick(hash_mix(n));
			uint32_t after = pick_other(hash_mix(n));
			if (after == count / 2)
				moved++;
			else
				assert_string_equal(other.asked[after].address.text,
						    pool.asked[before].address.text);
		}
		/* One in count + 1, where 160 points have a deviation of 8 %, and the
		 * keys one of their own. */
		double due = (double)KEYS / (count + 1);
		assert_true(moved > 0.5 * due && moved < 1.5 * due);
		pool_fini(&pool);
		pool_fini(&other);
	}
}

static void a_weight_that_rises_takes_keys_and_gives_none(void **unused)
{
	uint32_t moved = 0;

	(void)unused;
	pool_init(&pool, 10, 1);
	pool_init(&other, 10, 1);
	other.live[3].weight = 2;
	for (uint32_t n = 1; n <= 11000; n++) {
		uint32_t before = pick(hash_mix(n)), after = pick_other(hash_mix(n));
		assert_true(after == before || after == 3);
		moved += after != before;
	}
	assert_in_range(moved, 600, 1300);	/* 2/11 - 1/10 of them: 900 are due */
	pool_fini(&pool);
	pool_fini(&other);
}

/* Equidistant keys measure the parts of the ring themselves. */
static void measure_parts(uint32_t keys)
{
	for (uint32_t n = 0; n < keys; n++)
		pool.hits[pick(UINT64_MAX / keys * n)]++;
}

static void shares_are_within_bounds(void **unused)
{
	enum { KEYS = 1 << 17 };
	/* A part is a sum of 160: its deviation is 8 %. The largest and the smallest of
	 * n are farther off the larger n is. */
	static const struct { uint32_t count; double least, most; } bounds[] = {
		{2, 0.85, 1.15}, {3, 0.8, 1.2}, {10, 0.75, 1.25}, {100, 0.7, 1.35},
		{1000, 0.6, 1.5},
	};

	(void)unused;
	for (size_t b = 0; b < COUNT_OF(bounds); b++) {
		pool_init(&pool, bounds[b].count, 1);
		measure_parts(KEYS);
		for (uint32_t i = 0; i < bounds[b].count; i++) {
			double share = (double)pool.hits[i] * bounds[b].count / KEYS;
			if (share < bounds[b].least || share > bounds[b].most)
				fail_msg("server %u of %u: %.2f of the mean", i,
					 bounds[b].count, share);
		}
		pool_fini(&pool);
	}
}

static void weights_are_honoured(void **unused)
{
	static const uint32_t weights[] = {1, 2, 0, 5, 10, 1, 40};

	(void)unused;
	pool_init(&pool, COUNT_OF(weights), 1);
	pool_set_weights(&pool, weights);
	measure_parts(1 << 16);
	pool_assert_shares(&pool, 20);
	pool_fini(&pool);
}

/* If this fails, keys move at an upgrade, and balancers of two versions disagree. */
static void the_ring_is_the_one_of_every_version(void **unused)
{
	static const uint32_t expected[] = {
		1, 2, 5, 3, 4, 0, 5, 0, 5, 2, 0, 2, 4, 6, 5, 1,
	};

	(void)unused;
	pool_init(&pool, 7, 1);
	for (uint32_t n = 0; n < COUNT_OF(expected); n++)
		assert_int_equal(pick(hash_mix(n)), expected[n]);
	pool_fini(&pool);
}

static void a_ring_too_large_says_what_to_lower(void **unused)
{
	struct err err;

	(void)unused;
	pool_init(&pool, 512, 1);
	pool.model.ring_points = 8192;
	for (uint32_t i = 0; i < 512; i++)
		pool.asked[i].weight = i == 511 ? 2 : 1;
	assert_null(policy_ring.build(&pool.model, &err));
	assert_string_equal(err.text, "pool test: its ring would have 4202496 points, "
			    "the limit is 4194304; lower the weights of its servers or "
			    "its `points`");
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_answers_as_the_points_do),
		cmocka_unit_test(a_key_at_a_point_belongs_to_it),
		cmocka_unit_test(no_key_moves_between_two_servers_that_stay),
		cmocka_unit_test(a_weight_that_rises_takes_keys_and_gives_none),
		cmocka_unit_test(shares_are_within_bounds),
		cmocka_unit_test(weights_are_honoured),
		cmocka_unit_test(the_ring_is_the_one_of_every_version),
		cmocka_unit_test(a_ring_too_large_says_what_to_lower),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
