/* Goal: what every policy by key promises: keys stay with their servers whoever is down,
 * all balancers agree, and bounded loads are bounded.
 */
#include "unit/pick/pool.h"

static struct pool pool, other;

static const struct policy *const by_key[] = {&policy_ring, &policy_maglev,
					    &policy_rendezvous, &policy_slots};

enum { KEYS = 4000 };

static uint64_t key_of(uint32_t n)
{
	return hash_mix(n + 1);
}

static uint32_t server_of(const struct policy *policy, uint32_t n)
{
	return pool_pick_key(&pool, policy, key_of(n), &nobody);
}

static uint32_t server_of_other(const struct policy *policy, uint32_t n)
{
	return pool_pick_key(&other, policy, key_of(n), &nobody);
}

static void note_servers(const struct policy *policy, uint32_t *servers)
{
	for (uint32_t n = 0; n < KEYS; n++)
		servers[n] = server_of(policy, n);
}

static void a_key_keeps_its_server_and_loops_do_not_differ(void **unused)
{
	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		pool_init(&pool, 20, 1);
		pool_init(&other, 20, 2);
		for (uint32_t n = 0; n < 2 * KEYS; n++)
			assert_int_equal(server_of(by_key[p], n % KEYS),
					 server_of_other(by_key[p], n % KEYS));
		pool_fini(&pool);
		pool_fini(&other);
	}
}

/* To slots, as long as the servers have the same numbers. */
static void the_order_in_the_file_makes_no_difference(void **unused)
{
	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		pool_init(&pool, 30, 1);
		pool_init(&other, 30, 1);
		for (uint32_t i = 0; i < 30; i++) {
			pool.live[i].weight = 1 + i % 4;
			pool.asked[i].number = i + 1;
			other.asked[i].number = (i * 7 + 3) % 30 + 1;
			pool_name(&other, i, pool.asked[(i * 7 + 3) % 30].address.text);
			other.live[i].weight = 1 + (i * 7 + 3) % 30 % 4;
		}
		/* Among those that are left when most are down, as well. */
		for (int down = 0; down < 2; down++) {
			for (uint32_t i = 0; i < 30 && down > 0; i++) {
				other.live[i].up = i < 2;
				pool.live[(i * 7 + 3) % 30].up = i < 2;
			}
			for (uint32_t n = 0; n < KEYS; n++)
				assert_int_equal(server_of(by_key[p], n),
					(server_of_other(by_key[p], n) * 7 + 3) % 30);
		}
		pool_fini(&pool);
		pool_fini(&other);
	}
}

/* Of one that is down only its keys move, evenly to all others, and they come back. */
static void only_the_keys_of_who_is_down_move(void **unused)
{
	static uint32_t home[KEYS];

	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		uint32_t moved = 0;
		pool_init(&pool, 8, 1);
		note_servers(by_key[p], home);
		pool.live[5].up = false;
		for (uint32_t n = 0; n < KEYS; n++) {
			uint32_t now = server_of(by_key[p], n);
			assert_int_not_equal(now, 5);
			if (home[n] != 5) {
				assert_int_equal(now, home[n]);
				continue;
			}
			pool.hits[now]++;
			moved++;
		}
		for (uint32_t i = 0; i < 8; i++)
			assert_in_range(pool.hits[i], i == 5 ? 0 : moved / 20, moved / 3);
		pool.live[5].up = true;
		for (uint32_t n = 0; n < KEYS; n++)
			assert_int_equal(server_of(by_key[p], n), home[n]);
		pool_fini(&pool);
	}
}

/* The same, one after the other until one is left: the order of a key's servers is one,
 * however far a pick has to look. */
static void keys_stay_while_servers_go_one_by_one(void **unused)
{
	static uint32_t home[KEYS];

	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		pool_init(&pool, 60, 1);
		pool.model.ring_points = 20;
		note_servers(by_key[p], home);
		for (uint32_t gone = 0; gone < 59; gone++) {
			pool.live[gone].up = false;
			for (uint32_t n = 0; n < KEYS / 4; n++) {
				uint32_t now = server_of(by_key[p], n);
				if (home[n] == gone)
					home[n] = now;
				assert_int_equal(now, home[n]);
			}
		}
		pool_fini(&pool);
	}
}

/* Far more closed servers than the table is asked about. */
static void the_few_that_are_left_share_as_their_weights(void **unused)
{
	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		pool_init(&pool, 1000, 1);
		pool.model.ring_points = 400;
		pool.model.slot_virtual = 60;
		for (uint32_t i = 0; i < 1000; i++)
			pool.live[i].up = i % 250 == 7;
		pool.live[257].weight = 4;
		pool_pick_times(&pool, by_key[p], 7000);
		assert_in_range(pool.hits[257], 3600, 4400);	/* 4000 are due */
		for (uint32_t i = 7; i < 1000; i += 250)
			if (i != 257)
				assert_in_range(pool.hits[i], 800, 1200);
		pool_fini(&pool);
	}
}

static void a_retry_is_where_the_key_would_go_next(void **unused)
{
	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		pool_init(&pool, 10, 1);
		for (uint32_t n = 0; n < 500; n++) {
			uint32_t first = server_of(by_key[p], n);
			uint32_t second = (first + 1) % 10;
			struct tried tried = {.at = {first, second}, .count = 2};
			uint32_t next = pool_pick_key(&pool, by_key[p], key_of(n),
						      &tried);
			pool.live[first].up = pool.live[second].up = false;
			assert_int_equal(next, server_of(by_key[p], n));
			pool.live[first].up = pool.live[second].up = true;
		}
		pool_fini(&pool);
	}
}

/* While sessions of an older model go on: its table knows the older weights. */
static void a_server_that_is_in_no_table_is_better_than_none(void **unused)
{
	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		for (int others = 0; others < 2; others++) {
			pool_init(&pool, 3, 1);
			for (uint32_t i = 0; i < 3; i++)
				pool.live[i].weight = i == 1 ? 0 : (uint32_t)others;
			assert_int_equal(server_of(by_key[p], 0) == PICK_NONE, !others);
			pool.live[1].weight = 1;
			if (others && by_key[p]->build != NULL)
				assert_int_not_equal(server_of(by_key[p], 0), 1);
			pool.live[0].up = pool.live[2].up = false;
			assert_int_equal(server_of(by_key[p], 0), 1);
			pool_fini(&pool);
		}
	}
}

/* Two that stand equally far from every key: neither is in the table. */
static void among_equals_the_name_decides(void **unused)
{
	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		if (by_key[p]->build == NULL)
			continue;
		pool_init(&pool, 2, 1);
		pool.live[0].weight = pool.live[1].weight = 0;
		pool_prepare(&pool, by_key[p]);
		pool.live[0].weight = pool.live[1].weight = 1;
		assert_int_equal(server_of(by_key[p], 0), 0);
		pool_name(&pool, 0, "10.0.0.2:80");
		assert_int_equal(server_of(by_key[p], 0), 1);
		pool_fini(&pool);
	}
}

/* ---- bounded loads ---- */

static void add_load(uint32_t server, int by)
{
	pool.live[server].in_flight += (unsigned)by;
	pool.live_pool.in_flight += (unsigned)by;
}

/* The bound as the paper has it, in another kind of arithmetic. */
static bool is_within_bound(uint32_t server, uint32_t percent)
{
	uint32_t weights = 0;

	for (uint32_t i = 0; i < pool.view.count; i++)
		weights += pool.live[i].up ? pool.live[i].weight : 0;
	uint64_t load = (100 + percent) * (uint64_t)pool.live_pool.in_flight;
	uint64_t part = load * pool.live[server].weight, whole = 100 * (uint64_t)weights;
	return pool.live[server].in_flight <= (part + whole - 1) / whole;
}

/* Clients come and go, and half of them are the same ten. */
static void simulate(const struct policy *policy, uint32_t count, uint32_t percent)
{
	enum { HELD = 300, PICKS = 6000 };
	static uint32_t held[HELD];
	uint64_t dice = 7;

	pool_init(&pool, count, 1);
	pool.model.bounded_percent = percent;
	for (uint32_t i = 0; i < count; i++)
		pool.live[i].weight = 1 + i % 3;
	for (uint32_t n = 0; n < PICKS; n++) {
		if (n >= HELD)
			add_load(held[n % HELD], -1);
		dice = hash_mix(dice + n);
		uint32_t client = (uint32_t)dice % (dice >> 63 > 0 ? 10 : 1 << 20);
		uint32_t server = server_of(policy, client);
		assert_int_not_equal(server, PICK_NONE);
		add_load(server, 1);
		assert_true(is_within_bound(server, percent));
		held[n % HELD] = server;
	}
	pool_fini(&pool);
}

static void nobody_is_given_more_than_the_bound(void **unused)
{
	static const uint32_t percents[] = {1, 10, 25, 100, 1000};
	static const uint32_t counts[] = {1, 2, 3, 10, 50};

	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++)
		for (size_t c = 0; c < COUNT_OF(counts); c++)
			for (size_t e = 0; e < COUNT_OF(percents); e++)
				simulate(by_key[p], counts[c], percents[e]);
}

static void within_the_bound_a_key_stays_at_home(void **unused)
{
	static uint32_t home[KEYS];

	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		pool_init(&pool, 10, 1);
		note_servers(by_key[p], home);
		pool.model.bounded_percent = 25;
		for (uint32_t i = 0; i < 10; i++)
			add_load(i, i == 4 ? 200 : 100);
		for (uint32_t n = 0; n < KEYS; n++) {
			uint32_t now = server_of(by_key[p], n);
			if (home[n] != 4)
				assert_int_equal(now, home[n]);
			else
				assert_int_not_equal(now, 4);
		}
		pool_fini(&pool);
	}
}

static void when_all_are_at_the_bound_the_first_has_the_key(void **unused)
{
	static uint32_t home[KEYS];

	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		pool_init(&pool, 10, 1);
		pool.live[2].up = false;
		note_servers(by_key[p], home);
		pool.model.bounded_percent = 25;
		for (uint32_t i = 0; i < 10; i++)
			pool.live[i].in_flight = 100;
		for (uint32_t n = 0; n < KEYS; n++)
			assert_int_equal(server_of(by_key[p], n), home[n]);
		pool_fini(&pool);
	}
}

/* The weights are added up once in as many picks as there are servers, but a bound that
 * leaves nobody is wrong: it is looked at again at once. */
static void a_bound_that_leaves_nobody_is_reckoned_anew(void **unused)
{
	(void)unused;
	for (size_t p = 0; p < COUNT_OF(by_key); p++) {
		pool_init(&pool, 100, 1);
		pool.model.bounded_percent = 10;
		server_of(by_key[p], 0);
		for (uint32_t i = 0; i < 100; i++)
			pool.live[i].up = i < 10;
		for (uint32_t i = 0; i < 10; i++)
			add_load(i, 10);
		server_of(by_key[p], 1);		/* nobody: the sum is of 100 */
		for (uint32_t n = 0; n < 200; n++) {
			uint32_t server = server_of(by_key[p], 7);
			add_load(server, 1);
			assert_true(is_within_bound(server, 10));
		}
		pool_fini(&pool);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_keeps_its_server_and_loops_do_not_differ),
		cmocka_unit_test(the_order_in_the_file_makes_no_difference),
		cmocka_unit_test(only_the_keys_of_who_is_down_move),
		cmocka_unit_test(keys_stay_while_servers_go_one_by_one),
		cmocka_unit_test(the_few_that_are_left_share_as_their_weights),
		cmocka_unit_test(a_retry_is_where_the_key_would_go_next),
		cmocka_unit_test(a_server_that_is_in_no_table_is_better_than_none),
		cmocka_unit_test(among_equals_the_name_decides),
		cmocka_unit_test(nobody_is_given_more_than_the_bound),
		cmocka_unit_test(within_the_bound_a_key_stays_at_home),
		cmocka_unit_test(when_all_are_at_the_bound_the_first_has_the_key),
		cmocka_unit_test(a_bound_that_leaves_nobody_is_reckoned_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
