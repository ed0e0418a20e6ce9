/* Goal: the same everywhere and for ever, and no input bit without effect. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Tables on other balancers are built from these: they must never change. */
static void values_are_fixed(void **unused)
{
	(void)unused;
	assert_true(hash_bytes("", 0) == UINT64_C(0x2d06800538d394c2));
	assert_true(hash_bytes("127.0.0.1:8081", 14) == UINT64_C(0x255bad292d2b121f));
	assert_true(hash_mix(0) == 0);
	/* The first number of splitmix64 from seed 0. */
	uint64_t first = hash_mix(UINT64_C(0x9e3779b97f4a7c15));
	assert_true(first == UINT64_C(0xe220a8397b1dcdaf));
	assert_true(hash_pair(1, 2) == UINT64_C(0x1c62f13be2e5f6d3));
}

/* Flips each bit of many inputs: each should change half of the output's bits. */
static void assert_avalanche(uint64_t (*hash)(uint64_t))
{
	enum { INPUTS = 256 };

	for (int bit = 0; bit < 64; bit++) {
		uint32_t changed = 0;
		for (uint64_t x = 0; x < INPUTS; x++)
			changed += (uint32_t)__builtin_popcountll(
				hash(x) ^ hash(x ^ UINT64_C(1) << bit));
		assert_in_range(changed, INPUTS * 29, INPUTS * 35);
	}
}

static uint64_t mix(uint64_t x) { return hash_mix(x + UINT64_C(0x9e3779b97f4a7c15)); }
static uint64_t pair_first(uint64_t x) { return hash_pair(x, 12345); }
static uint64_t pair_second(uint64_t x) { return hash_pair(12345, x); }
static uint64_t bytes(uint64_t x) { return hash_bytes(&x, sizeof x); }

static void each_bit_of_the_input_changes_half_of_the_output(void **unused)
{
	(void)unused;
	assert_avalanche(mix);
	assert_avalanche(pair_first);
	assert_avalanche(pair_second);
	assert_avalanche(bytes);
}

static void a_pair_has_an_order(void **unused)
{
	(void)unused;
	for (uint64_t a = 0; a < 100; a++)
		for (uint64_t b = 0; b < a; b++)
			assert_true(hash_pair(a, b) != hash_pair(b, a));
}

static void length_counts(void **unused)
{
	static const char zeros[300];

	(void)unused;
	for (size_t len = 1; len <= sizeof zeros; len++)
		assert_true(hash_bytes(zeros, len) != hash_bytes(zeros, len - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_fixed),
		cmocka_unit_test(each_bit_of_the_input_changes_half_of_the_output),
		cmocka_unit_test(a_pair_has_an_order),
		cmocka_unit_test(length_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
