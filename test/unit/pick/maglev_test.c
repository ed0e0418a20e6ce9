/* Goal: the table is even to within an entry, follows the weights, and moves few keys
 * between servers that stay.
 */
#include "unit/pick/pool.h"

static struct pool pool, other;

static uint32_t pick(uint64_t key)
{
	return pool_pick_key(&pool, &policy_maglev, key, &nobody);
}

/* The server of one entry: a key in the midst of its part of all keys. */
static uint32_t entry_of(struct pool *p, uint32_t at)
{
	uint64_t part = UINT64_MAX / p->model.maglev_size;
	return pool_pick_key(p, &policy_maglev, part * at + part / 2, &nobody);
}

static void count_entries(void)
{
	memset(pool.hits, 0, sizeof pool.hits);
	for (uint32_t at = 0; at < pool.model.maglev_size; at++)
		pool.hits[entry_of(&pool, at)]++;
}

static void equals_have_equally_many_to_within_one(void **unused)
{
	static const uint32_t counts[] = {1, 2, 3, 10, 100, 1000};
	static const uint32_t sizes[] = {1009, 2039, 65537};

	(void)unused;
	for (size_t c = 0; c < COUNT_OF(counts); c++) {
		for (size_t s = 0; s < COUNT_OF(sizes); s++) {
			pool_init(&pool, counts[c], 1);
			pool.model.maglev_size = sizes[s];
			count_entries();
			uint32_t mean = sizes[s] / counts[c];
			for (uint32_t i = 0; i < counts[c]; i++)
				assert_in_range(pool.hits[i], mean, mean + 1);
			pool_fini(&pool);
		}
	}
}

/* What the lighter ones have beyond their part, from the first round, the heaviest
 * lacks. */
static void weights_are_honoured_to_within_a_few_entries(void **unused)
{
	static const uint32_t weights[] = {1, 2, 0, 5, 10, 1, 40, 256, 7};
	double total = 0;

	(void)unused;
	pool_init(&pool, COUNT_OF(weights), 1);
	pool_set_weights(&pool, weights);
	count_entries();
	for (size_t i = 0; i < COUNT_OF(weights); i++)
		total += weights[i];
	for (size_t i = 0; i < COUNT_OF(weights); i++) {
		double due = pool.model.maglev_size * weights[i] / total;
		assert_true(pool.hits[i] > due - 6 && pool.hits[i] < due + 2);
	}
	pool_fini(&pool);
}

static void the_lightest_has_an_entry_all_the_same(void **unused)
{
	(void)unused;
	pool_init(&pool, 20, 1);
	pool.model.maglev_size = 23;
	for (uint32_t i = 1; i < 20; i++)
		pool.live[i].weight = 256;
	count_entries();
	for (uint32_t i = 0; i < 20; i++)
		assert_in_range(pool.hits[i], 1, 2);
	pool_fini(&pool);
}

/* `other` has one server more, in the midst of the file. */
static void init_both(uint32_t count, uint32_t size)
{
	pool_init(&pool, count, 1);
	pool_init(&other, count + 1, 1);
	pool.model.maglev_size = other.model.maglev_size = size;
	for (uint32_t i = 0; i < count; i++)
		pool_name(&pool, i, other.asked[i < count / 2 ? i : i + 1].address.text);
}

/* Read one way a server is added, the other way it is removed. */
static void few_entries_move_between_servers_that_stay(void **unused)
{
	static const struct { uint32_t count, size; double share_max; } cases[] = {
		{2, 65537, 0.0005}, {3, 65537, 0.001}, {10, 65537, 0.005},
		{100, 65537, 0.01}, {1000, 65537, 0.01}, {1000, 2039, 0.02},
	};

	(void)unused;
	for (size_t c = 0; c < COUNT_OF(cases); c++) {
		uint32_t size = cases[c].size, moved = 0;
		init_both(cases[c].count, size);
		for (uint32_t at = 0; at < size; at++) {
			uint32_t before = entry_of(&pool, at);
			uint32_t after = entry_of(&other, at);
			moved += after != cases[c].count / 2 &&
				 strcmp(other.asked[after].address.text,
					pool.asked[before].address.text) != 0;
		}
		if (moved > cases[c].share_max * size)
			fail_msg("%u servers, %u entries: %u moved", cases[c].count, size,
				 moved);
		pool_fini(&pool);
		pool_fini(&other);
	}
}

/* If this fails, keys move at an upgrade, and balancers of two versions disagree. */
static void the_table_is_the_one_of_every_version(void **unused)
{
	static const uint32_t expected[] = {
		6, 6, 4, 6, 6, 2, 2, 4, 5, 0, 3, 4, 4, 3, 5, 0,
	};

	(void)unused;
	pool_init(&pool, 7, 1);
	pool.model.maglev_size = 65537;
	for (uint32_t n = 0; n < COUNT_OF(expected); n++)
		assert_int_equal(pick(hash_mix(n)), expected[n]);
	pool_fini(&pool);
}

static void assert_refused(uint32_t size, const char *message)
{
	struct err err;

	pool.model.maglev_size = size;
	assert_null(policy_maglev.build(&pool.model, &err));
	assert_string_equal(err.text, message);
}

static void a_size_that_will_not_do_is_refused(void **unused)
{
	(void)unused;
	pool_init(&pool, 10, 1);
	for (uint32_t i = 0; i < 10; i++)
		pool.asked[i].weight = 1;
	static const uint32_t unfit[] = {0, 1, 65536, 16777215, 16777259, 4294967291};
	for (size_t i = 0; i < COUNT_OF(unfit); i++) {
		char message[100];
		snprintf(message, sizeof message, "pool test: a table of %u entries; "
			 "maglev needs a prime below 16777216, such as 65537", unfit[i]);
		assert_refused(unfit[i], message);
	}
	assert_refused(7, "pool test: a table of 7 entries for 10 servers; "
			  "raise its `table` to a prime of a hundred times that");
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_have_equally_many_to_within_one),
		cmocka_unit_test(weights_are_honoured_to_within_a_few_entries),
		cmocka_unit_test(the_lightest_has_an_entry_all_the_same),
		cmocka_unit_test(few_entries_move_between_servers_that_stay),
		cmocka_unit_test(the_table_is_the_one_of_every_version),
		cmocka_unit_test(a_size_that_will_not_do_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
