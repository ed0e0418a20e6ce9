/* Goal: each key has the server that mathematics says, shares follow the weights, and a
 * server that comes or goes moves no key but its own.
 */
#include "unit/pick/pool.h"

#include <math.h>

static struct pool pool, other;

enum { KEYS = 20000 };

static uint32_t pick_of(struct pool *p, uint64_t n)
{
	return pool_pick_key(p, &policy_rendezvous, hash_mix(n), &nobody);
}

/* -ln(u) / weight in another kind of arithmetic; the lowest has the key. */
static long double time_of(const struct pool *p, uint32_t server, uint64_t n)
{
	uint64_t lot = hash_pair(hash_mix(n), p->live[server].seed) | 1;
	long double missing = ldexpl((long double)(0 - lot), -64);

	return -log1pl(-missing) / p->live[server].weight;
}

static void the_server_is_the_one_that_logarithms_say(void **unused)
{
	static const uint32_t weights[] = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 256};

	(void)unused;
	pool_init(&pool, COUNT_OF(weights), 1);
	pool_set_weights(&pool, weights);
	for (uint64_t n = 0; n < 20 * KEYS; n++) {
		uint32_t best = 0;
		for (uint32_t i = 1; i < COUNT_OF(weights); i++)
			if (time_of(&pool, i, n) < time_of(&pool, best, n))
				best = i;
		assert_int_equal(pick_of(&pool, n), best);
	}
	pool_fini(&pool);
}

/* By lot: five deviations never happen. */
static void assert_shares_by_lot(const struct pool *p)
{
	double hits = 0, weights = 0;

	for (uint32_t i = 0; i < p->view.count; i++) {
		hits += p->hits[i];
		weights += p->live[i].weight;
	}
	for (uint32_t i = 0; i < p->view.count; i++) {
		double part = p->live[i].weight / weights;
		double far = fabs(p->hits[i] - hits * part);
		if (far > 5 * sqrt(hits * part * (1 - part)) + 1)
			fail_msg("server %u of %u: %u hits, due are %.0f", i,
				 p->view.count, p->hits[i], hits * part);
	}
}

static void shares_are_as_the_weights(void **unused)
{
	static const uint32_t counts[] = {1, 2, 3, 10, 64, 300};

	(void)unused;
	for (size_t c = 0; c < COUNT_OF(counts); c++) {
		for (uint32_t heaviest = 1; heaviest <= 256; heaviest *= 4) {
			pool_init(&pool, counts[c], 1);
			for (uint32_t i = 0; i < counts[c]; i++)
				pool.live[i].weight = 1 + i * 7 % heaviest;
			pool_pick_times(&pool, &policy_rendezvous, KEYS);
			assert_shares_by_lot(&pool);
			pool_fini(&pool);
		}
	}
}

/* `other` has one server more, in the midst of the file. Read one way it is added, the
 * other way it is removed. */
static void a_server_that_comes_or_goes_moves_only_its_keys(void **unused)
{
	static const uint32_t counts[] = {1, 2, 3, 10, 100};

	(void)unused;
	for (size_t c = 0; c < COUNT_OF(counts); c++) {
		uint32_t count = counts[c], new = count / 2, its = 0;
		pool_init(&pool, count, 1);
		pool_init(&other, count + 1, 1);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t at = i < new ? i : i + 1;
			pool_name(&pool, i, other.asked[at].address.text);
			pool.live[i].weight = other.live[at].weight = 1 + i % 3;
		}
		for (uint64_t n = 0; n < KEYS; n++) {
			uint32_t before = pick_of(&pool, n), after = pick_of(&other, n);
			its += after == new;
			if (after != new)
				assert_int_equal(after, before < new ? before : before + 1);
		}
		assert_true(its > 0);
		pool_fini(&pool);
		pool_fini(&other);
	}
}

/* The same of a weight: it gains keys, or loses some, and nobody else's move. There is no
 * table to be built anew: the next pick goes by it. */
static void a_heavier_server_only_gains_and_at_once(void **unused)
{
	static uint32_t home[KEYS];

	(void)unused;
	pool_init(&pool, 10, 1);
	for (uint32_t i = 0; i < 10; i++)
		pool.live[i].weight = 4;
	for (uint64_t n = 0; n < KEYS; n++)
		home[n] = pick_of(&pool, n);
	uint32_t gained = 0, lost = 0;
	pool.live[3].weight = 5;
	for (uint64_t n = 0; n < KEYS; n++) {
		uint32_t now = pick_of(&pool, n);
		assert_true(now == home[n] || now == 3);
		gained += now != home[n];
	}
	pool.live[3].weight = 3;
	for (uint64_t n = 0; n < KEYS; n++) {
		uint32_t now = pick_of(&pool, n);
		assert_true(now == home[n] || home[n] == 3);
		lost += now != home[n];
	}
	/* 10 % became 12.2 % and 7.7 %; 2.2 % of 20000 are 439 and 461, deviation 21. */
	assert_in_range(gained, 330, 550);
	assert_in_range(lost, 350, 570);
	pool_fini(&pool);
}

/* If this fails, keys move at an upgrade, and balancers of two versions disagree. */
static void the_servers_are_those_of_every_version(void **unused)
{
	static const uint32_t even[] = {
		0, 5, 4, 3, 3, 0, 4, 3, 1, 0, 5, 2, 3, 1, 0, 2,
	};
	static const uint32_t uneven[] = {
		5, 5, 4, 6, 6, 6, 4, 3, 6, 5, 6, 3, 5, 6, 6, 5,
	};

	(void)unused;
	pool_init(&pool, 7, 1);
	for (uint32_t n = 0; n < COUNT_OF(even); n++)
		assert_int_equal(pick_of(&pool, n), even[n]);
	for (uint32_t i = 0; i < 7; i++)
		pool.live[i].weight = 1 + i * i;
	for (uint32_t n = 0; n < COUNT_OF(uneven); n++)
		assert_int_equal(pick_of(&pool, n), uneven[n]);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_is_the_one_that_logarithms_say),
		cmocka_unit_test(shares_are_as_the_weights),
		cmocka_unit_test(a_server_that_comes_or_goes_moves_only_its_keys),
		cmocka_unit_test(a_heavier_server_only_gains_and_at_once),
		cmocka_unit_test(the_servers_are_those_of_every_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
