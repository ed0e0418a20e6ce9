/* Goal: a value says which one it is, and no other bytes pass for it. */
#include "client/load_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct load_values fixed = {.seed = 1, .key_size = 12, .size_min = 64,
					 .size_max = 64};
static const struct load_values varied = {.seed = 1, .key_size = 12, .size_min = 8,
					  .size_max = 100};
static char value[256];

static void keys_are_numbers_of_one_size(void **unused)
{
	char key[12];

	(void)unused;
	load_key_write(&fixed, 4711, key);
	assert_memory_equal(key, "000000004711", 12);
	load_key_write(&fixed, 999999999999, key);
	assert_memory_equal(key, "999999999999", 12);
}

static void a_value_says_its_id(void **unused)
{
	(void)unused;
	for (uint64_t key = 0; key < 50; key++) {
		for (uint32_t id = 1; id < 60; id++) {
			uint32_t found = 0;
			size_t size = load_value_write(&varied, key, id, value);
			assert_true(size >= 8 && size <= 100);
			assert_true(load_value_recognise(&varied, key,
							 (struct span){value, size}, &found));
			assert_int_equal(found, id);
		}
	}
}

static void sizes_reach_both_bounds(void **unused)
{
	bool smallest = false, largest = false;

	(void)unused;
	for (uint32_t id = 1; id < 5000; id++) {
		size_t size = load_value_write(&varied, 3, id, value);
		smallest |= size == 8;
		largest |= size == 100;
	}
	assert_true(smallest && largest);
}

static void any_changed_byte_is_noticed(void **unused)
{
	uint32_t id;

	(void)unused;
	size_t size = load_value_write(&fixed, 7, 3, value);
	struct span all = {value, size};
	for (size_t i = 0; i < size; i++) {
		for (int bit = 0; bit < 8; bit++) {
			value[i] ^= (char)(1 << bit);
			assert_false(load_value_recognise(&fixed, 7, all, &id));
			value[i] ^= (char)(1 << bit);
		}
	}
	assert_true(load_value_recognise(&fixed, 7, all, &id));
	for (size_t len = 0; len < size; len++)
		assert_false(load_value_recognise(&fixed, 7, (struct span){value, len}, &id));
	assert_false(load_value_recognise(&fixed, 7, (struct span){value, size + 1}, &id));
}

static void the_smallest_is_checked_too(void **unused)
{
	const struct load_values v = {.seed = 9, .key_size = 4, .size_min = 8, .size_max = 8};
	uint32_t id;

	(void)unused;
	assert_int_equal(load_value_write(&v, 7, 3, value), 8);
	assert_true(load_value_recognise(&v, 7, (struct span){value, 8}, &id));
	assert_false(load_value_recognise(&v, 8, (struct span){value, 8}, &id));
	value[7] ^= 1;
	assert_false(load_value_recognise(&v, 7, (struct span){value, 8}, &id));
}

static void values_of_other_keys_and_seeds_are_foreign(void **unused)
{
	struct load_values other = fixed;
	uint32_t id;

	(void)unused;
	other.seed = 2;
	struct span all = {value, load_value_write(&fixed, 7, 3, value)};
	for (uint64_t key = 0; key < 1000; key++)
		assert_true(load_value_recognise(&fixed, key, all, &id) == (key == 7));
	assert_false(load_value_recognise(&other, 7, all, &id));
}

static void noughts_are_no_value(void **unused)
{
	uint32_t id;

	(void)unused;
	memset(value, 0, sizeof value);
	for (size_t len = 0; len <= 64; len++)
		assert_false(load_value_recognise(&fixed, 0, (struct span){value, len}, &id));
}

static void an_empty_size_writes_nothing(void **unused)
{
	const struct load_values v = {.seed = 1, .key_size = 4};

	(void)unused;
	value[0] = 'x';
	assert_int_equal(load_value_write(&v, 1, 1, value), 0);
	assert_int_equal(value[0], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_numbers_of_one_size),
		cmocka_unit_test(a_value_says_its_id),
		cmocka_unit_test(sizes_reach_both_bounds),
		cmocka_unit_test(any_changed_byte_is_noticed),
		cmocka_unit_test(the_smallest_is_checked_too),
		cmocka_unit_test(values_of_other_keys_and_seeds_are_foreign),
		cmocka_unit_test(noughts_are_no_value),
		cmocka_unit_test(an_empty_size_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
