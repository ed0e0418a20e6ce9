/* Goal: slots are those that the functions name, or the next free ones; a request goes to
 * the next server's slot clockwise, all round; and who leaves moves as little as probing
 * allows.
 */
#include "unit/pick/pool.h"

#include "pick/table.h"

static struct pool pool, other;

/* As it is by default, but for the numbers. */
static void init_quadratic(uint32_t count, uint32_t slots, uint32_t virtuals)
{
	pool_init(&pool, count, 1);
	pool.model.slot_count = slots;
	pool.model.slot_virtual = virtuals;
	pool.model.slot_hash = SLOT_QUADRATIC;
}

/* Servers are named from S1 on, as in the examples. */
static void assert_order(uint64_t request, const uint32_t *names, uint32_t count)
{
	struct tried tried = {.count = 0};

	for (uint32_t n = 0; n < count; n++) {
		uint32_t at = pool_pick_key(&pool, &policy_slots, request, &tried);
		assert_int_equal(at + 1, names[n]);
		pick_note_tried(&tried, at);
	}
	assert_int_equal(pool_pick_key(&pool, &policy_slots, request, &tried), PICK_NONE);
}

/* ---- worked examples: Phi(i, j) = i*i + j*j + 2*j + 25, H(i) = i*i + 2*i + 17 ---- */

/* Two servers with two slots each, of 9:
 *
 *     Phi(1,1) = 1 + 1 + 2 + 25 = 29 -> 2      Phi(2,1) = 4 + 1 + 2 + 25 = 32 -> 5
 *     Phi(1,2) = 1 + 4 + 4 + 25 = 34 -> 7      Phi(2,2) = 4 + 4 + 4 + 25 = 37 -> 1
 *
 *     slot       0    1    2    3    4    5    6    7    8
 *     server     .    S2   S1   .    .    S2   .    S1   .
 */
static void a_request_goes_to_the_next_slot_clockwise(void **unused)
{
	static const uint32_t first[] = {1, 2}, second[] = {2, 1};

	(void)unused;
	init_quadratic(2, 9, 2);
	assert_order(0, second, 2);	/* H = 17 -> 8, past the last: round to 1 */
	assert_order(1, first, 2);	/* H = 20 -> 2: taken itself */
	assert_order(2, first, 2);	/* H = 25 -> 7 */
	assert_order(3, second, 2);	/* H = 32 -> 5 */
	assert_order(7, second, 2);	/* H = 49 + 14 + 17 = 80 -> 8 */
	pool_fini(&pool);
}

/* One slot each, of 9: 29 -> 2, 32 -> 5, 37 -> 1, 44 -> 8, and for S5 53 -> 8, which is
 * taken and the last, so it has 0.
 *
 *     slot       0    1    2    3    4    5    6    7    8
 *     server     S5   S3   S1   .    .    S2   .    .    S4
 */
static void probing_goes_round_the_end(void **unused)
{
	static const uint32_t from_7[] = {4, 5, 3, 1, 2}, from_2[] = {1, 2, 4, 5, 3};

	(void)unused;
	init_quadratic(5, 9, 1);
	assert_order(2, from_7, 5);	/* H = 25 -> 7 */
	assert_order(1, from_2, 5);	/* H = 20 -> 2 */
	pool_fini(&pool);
}

/* Eight servers with two slots each, of 16, so that all are taken:
 *
 *     S1   29 -> 13              34 -> 2
 *     S2   32 -> 0               37 -> 5
 *     S3   37 -> 5, to 6         42 -> 10
 *     S4   44 -> 12              49 -> 1
 *     S5   53 -> 5, 6, to 7      58 -> 10, to 11
 *     S6   64 -> 0, 1, 2, to 3   69 -> 5, 6, 7, to 8
 *     S7   77 -> 13, to 14       82 -> 2, 3, to 4
 *     S8   92 -> 12, 13, 14, to 15           97 -> 1, 2, ... 8, to 9
 *
 *     slot     0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
 *     server   2  4  1  6  7  2  3  5  6  8  3  5  4  1  7  8
 */
static void a_slot_that_is_taken_sends_on_to_the_next(void **unused)
{
	static const uint32_t from_0[] = {2, 4, 1, 6, 7, 3, 5, 8};
	static const uint32_t from_9[] = {8, 3, 5, 4, 1, 7, 2, 6};
	static const uint32_t from_4[] = {7, 2, 3, 5, 6, 8, 4, 1};

	(void)unused;
	init_quadratic(8, 16, 2);
	assert_order(3, from_0, 8);	/* H = 32 -> 0 */
	assert_order(2, from_9, 8);	/* H = 25 -> 9 */
	assert_order(1, from_4, 8);	/* H = 20 -> 4 */
	pool_fini(&pool);
}

/* The same without S3, which had 6 and 10: S5 takes its 10 and, past 5, 6; S6 goes to 7,
 * S8 to 8; and so on. Without numbers of their own S4 and all behind would be others:
 *
 *     S5   53 -> 5, to 6         58 -> 10
 *     S6   64 -> 0, 1, 2, to 3   69 -> 5, 6, to 7
 *     S7   77 -> 13, to 14       82 -> 2, 3, to 4
 *     S8   92 -> 12, 13, 14, to 15           97 -> 1, 2, ... 7, to 8
 *
 *     slot     0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
 *     server   2  4  1  6  7  2  5  6  8  .  5  .  4  1  7  8
 */
static void who_leaves_renumbers_nobody(void **unused)
{
	static const uint32_t numbers[] = {1, 2, 4, 5, 6, 7, 8};
	/* Named by their places: S4 is the third now. */
	static const uint32_t from_0[] = {2, 3, 1, 5, 6, 4, 7};
	static const uint32_t from_9[] = {4, 3, 1, 6, 7, 2, 5};

	(void)unused;
	init_quadratic(7, 16, 2);
	for (uint32_t i = 0; i < 7; i++)
		pool.asked[i].number = numbers[i];
	assert_order(3, from_0, 7);	/* H = 32 -> 0 */
	assert_order(2, from_9, 7);	/* H = 25 -> 9, next is 10 */
	pool_fini(&pool);
}

/* The number of a request is the key's last six digits. */
static void a_key_counts_by_its_last_six_digits(void **unused)
{
	(void)unused;
	init_quadratic(5, 512, 9);
	for (uint64_t i = 0; i < 1000 * 1000; i += 997) {
		uint32_t at = pool_pick_key(&pool, &policy_slots, i, &nobody);
		assert_int_equal(at, pool_pick_key(&pool, &policy_slots,
						   i + UINT64_C(7000000), &nobody));
		assert_int_equal(at, pool_pick_key(&pool, &policy_slots,
						   i + UINT64_C(18446744073708) * 1000000,
						   &nobody));
	}
	pool_fini(&pool);
}

/* ---- against the same once more, slowly ---- */

static uint64_t dice_state;

static uint32_t dice(uint32_t sides)
{
	dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice_state >> 33) % sides;
}

static uint32_t phi(uint64_t i, uint64_t j)
{
	uint64_t sum = pool.model.slot_hash == SLOT_MIXED
			       ? hash_pair(i, j) : i * i + (j + 1) * (j + 1) + 24;
	return (uint32_t)(sum % pool.model.slot_count);
}

static uint32_t h(uint64_t i)
{
	uint64_t sum = pool.model.slot_hash == SLOT_MIXED ? hash_mix(i)
							  : (i + 1) * (i + 1) + 16;
	return (uint32_t)(sum % pool.model.slot_count);
}

/* Step by step; `owners` has PICK_NONE where a slot is free. Numbers are 1 and up, in
 * order. */
static void fill_slowly(uint32_t *owners)
{
	uint32_t count = pool.model.slot_count;

	for (uint32_t at = 0; at < count; at++)
		owners[at] = PICK_NONE;
	for (uint32_t i = 0; i < pool.view.count; i++)
		for (uint32_t j = 1;
		     j <= pool.model.slot_virtual * pool.live[i].weight; j++) {
			uint32_t at = phi(i + 1, j);
			while (owners[at] != PICK_NONE)
				at = (at + 1) % count;
			owners[at] = i;
		}
}

static uint32_t pick_slowly(const uint32_t *owners, uint64_t request)
{
	uint32_t count = pool.model.slot_count;

	for (uint32_t n = 0; n < count; n++) {
		uint32_t owner = owners[(h(request) + n) % count];
		if (owner != PICK_NONE && pool.live[owner].up)
			return owner;
	}
	return PICK_NONE;
}

static void one_pool_by_lot(uint64_t seed)
{
	static uint32_t owners[4096];
	uint32_t wanted = 0;

	dice_state = seed;
	pool_init(&pool, 1 + dice(12), seed);
	pool.model.slot_virtual = 1 + dice(dice(2) == 0 ? 5 : 40);
	pool.model.slot_hash = dice(2) == 0 ? SLOT_MIXED : SLOT_QUADRATIC;
	for (uint32_t i = 0; i < pool.view.count; i++) {
		pool.live[i].weight = dice(4);
		wanted += pool.model.slot_virtual * pool.live[i].weight;
	}
	/* Full to the last slot, nearly, or with much room. */
	pool.model.slot_count = wanted + dice(dice(2) == 0 ? 3 : 1000);
	if (pool.model.slot_count < 2)
		pool.model.slot_count = 2;
	fill_slowly(owners);
	for (int turn = 0; turn < 3; turn++) {
		for (uint32_t n = 0; n < 100; n++) {
			uint32_t request = dice(1000 * 1000);
			uint32_t at = pool_pick_key(&pool, &policy_slots, request, &nobody);
			if (at != pick_slowly(owners, request))
				fail_msg("seed %llu, request %u: picked %u",
					 (unsigned long long)seed, request, at);
		}
		for (uint32_t i = 0; i < pool.view.count; i++)
			pool.live[i].up = dice(3) > 0;
	}
	pool_fini(&pool);
}

static void picks_are_those_of_the_definition(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= 2000; seed++)
		one_pool_by_lot(seed);
}

static uint32_t longest_run_of_first(const uint32_t *owners)
{
	uint32_t run = 0, longest = 0;

	for (uint32_t at = 0; at < pool.model.slot_count; at++) {
		run = owners[at] == 0 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* The first one is down and has more slots side by side than a pick looks at: beyond
 * them it is the same order. */
static void the_order_goes_on_where_the_walk_ends(void **unused)
{
	static uint32_t owners[4096];

	(void)unused;
	init_quadratic(8, 4096, 50);
	pool.live[0].weight = 70;
	pool_name(&pool, 1, "z:80");	/* the nearest is not the first by name */
	pool_name(&pool, 2, "y:80");
	pool_prepare(&pool, &policy_slots);
	fill_slowly(owners);
	assert_true(longest_run_of_first(owners) > 256);
	for (uint32_t down = 0; down < 127; down++) {
		for (uint32_t i = 0; i < 8; i++)
			pool.live[i].up = i > 0 && (down >> (i - 1) & 1) == 0;
		for (uint32_t request = 0; request < 2500; request++)
			assert_int_equal(pool_pick_key(&pool, &policy_slots, request,
						       &nobody),
					 pick_slowly(owners, request));
	}
	pool_fini(&pool);
}

/* ---- what the documentation says ---- */

static void the_quadratic_function_reaches_87_of_512_slots(void **unused)
{
	static bool reached[512];
	uint32_t count = 0;

	(void)unused;
	init_quadratic(1, 512, 1);
	for (uint64_t i = 0; i < 1000 * 1000; i++)
		reached[h(i)] = true;
	for (uint32_t at = 0; at < 512; at++)
		count += reached[at];
	assert_int_equal(count, 87);
	pool_fini(&pool);
}

/* Of `pool` one has left, and `other` is as it was. */
static void with_room_nothing_moves_between_those_that_stay(void **unused)
{
	(void)unused;
	pool_init(&pool, 9, 1);
	pool_init(&other, 10, 1);
	pool.model.slot_virtual = other.model.slot_virtual = 9;
	for (uint32_t i = 0; i < 9; i++)
		pool.asked[i].number = i < 4 ? i + 1 : i + 2;
	uint32_t moved = 0, total = 0;
	for (uint64_t n = 0; n < 20000; n++) {
		uint32_t one = pool_pick_key(&pool, &policy_slots, n, &nobody);
		uint32_t before = pool_pick_key(&other, &policy_slots, n, &nobody);
		total += before == 4;
		moved += before != 4 && before + 1 != pool.asked[one].number;
	}
	assert_in_range(total, 200, 6000);
	assert_int_equal(moved, 0);
	pool_fini(&pool);
	pool_fini(&other);
}

/* Reckoned by another program. If this fails, requests move at an upgrade, and balancers of
 * two versions disagree. */
static void the_table_is_the_one_of_every_version(void **unused)
{
	static const uint32_t mixed[] = {
		1, 3, 4, 1, 0, 3, 0, 3, 3, 2, 0, 4, 0, 3, 2, 2,
	};

	(void)unused;
	pool_init(&pool, 7, 1);
	pool.model.slot_count = 512;
	pool.model.slot_virtual = 9;
	for (uint32_t n = 0; n < COUNT_OF(mixed); n++)
		assert_int_equal(pool_pick_key(&pool, &policy_slots, hash_mix(n), &nobody),
				 mixed[n]);
	pool_fini(&pool);
}

/* ---- limits ---- */

static void assert_refused(uint32_t slots, const char *message)
{
	struct err err;

	pool.model.slot_count = slots;
	assert_int_equal(policy_slots.check(&pool.model, &err), -1);
	assert_string_equal(err.text, message);
	assert_null(policy_slots.build(&pool.model, &err));
	assert_string_equal(err.text, message);
}

static void servers_that_do_not_fit_are_refused(void **unused)
{
	struct err err;

	(void)unused;
	init_quadratic(3, 36, 9);
	for (uint32_t i = 0; i < 3; i++)
		pool.asked[i].weight = 1 + i % 2;
	assert_refused(35, "pool test: its servers want 36 slots, and there are 35; raise "
			   "its `slots` (to 65536 at most), or lower `virtual` or the "
			   "weights");
	assert_refused(1, "pool test: 1 slots; write 2 to 65536");
	assert_refused(65537, "pool test: 65537 slots; write 2 to 65536");
	pool.model.slot_count = 36;
	assert_int_equal(policy_slots.check(&pool.model, &err), 0);
	pool_fini(&pool);
}

static void the_largest_table_is_full_and_complete(void **unused)
{
	(void)unused;
	init_quadratic(256, 65536, 256);
	for (uint32_t n = 0; n < 20000; n++)
		pool.hits[pool_pick_key(&pool, &policy_slots, n, &nobody)]++;
	pool.live[17].up = false;
	for (uint32_t n = 0; n < 20000; n++)
		assert_int_not_equal(pool_pick_key(&pool, &policy_slots, n, &nobody), 17);
	for (uint32_t i = 0; i < 256; i++)
		pool.live[i].up = i == 200;
	for (uint32_t n = 0; n < 200; n++)
		assert_int_equal(pool_pick_key(&pool, &policy_slots, n, &nobody), 200);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_to_the_next_slot_clockwise),
		cmocka_unit_test(probing_goes_round_the_end),
		cmocka_unit_test(a_slot_that_is_taken_sends_on_to_the_next),
		cmocka_unit_test(who_leaves_renumbers_nobody),
		cmocka_unit_test(a_key_counts_by_its_last_six_digits),
		cmocka_unit_test(picks_are_those_of_the_definition),
		cmocka_unit_test(the_order_goes_on_where_the_walk_ends),
		cmocka_unit_test(the_quadratic_function_reaches_87_of_512_slots),
		cmocka_unit_test(with_room_nothing_moves_between_those_that_stay),
		cmocka_unit_test(the_table_is_the_one_of_every_version),
		cmocka_unit_test(servers_that_do_not_fit_are_refused),
		cmocka_unit_test(the_largest_table_is_full_and_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
