/* Goal: quantiles are within 1 %, whatever the values, and the largest is exact. */
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"

static struct histogram h;

static void empty(void)
{
	memset(&h, 0, sizeof h);
}

static void is_near(uint64_t got, uint64_t expected)
{
	uint64_t away = got > expected ? got - expected : expected - got;

	assert_true(away * 100 <= expected);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void an_empty_one_says_nought(void **unused)
{
	(void)unused;
	empty();
	assert_true(histogram_quantile(&h, 0.5) == 0);
	assert_true(histogram_quantile(&h, 1.0) == 0);
}

static void small_values_are_exact(void **unused)
{
	(void)unused;
	for (uint64_t v = 0; v < 128; v++) {
		empty();
		histogram_add(&h, v);
		assert_true(histogram_quantile(&h, 0.5) == v);
		assert_true(h.max == v);
	}
}

static void quantiles_are_those_of_a_sorted_list(void **unused)
{
	static uint64_t values[20000];
	static const double fractions[] = {0.01, 0.5, 0.9, 0.99, 0.999, 1.0};

	(void)unused;
	empty();
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		/* From 1 to 2^40, all magnitudes alike. */
		values[i] = 1 + (hash_mix(i + 1) >> (24 + hash_mix(i) % 40));
		histogram_add(&h, values[i]);
	}
	qsort(values, COUNT_OF(values), sizeof values[0], compare);
	for (size_t i = 0; i < COUNT_OF(fractions); i++) {
		size_t at = (size_t)(fractions[i] * (double)COUNT_OF(values) + 0.5) - 1;
		is_near(histogram_quantile(&h, fractions[i]), values[at]);
	}
	assert_true(h.total == COUNT_OF(values));
	assert_true(h.max == values[COUNT_OF(values) - 1]);
}

static void the_largest_of_all_has_a_place(void **unused)
{
	(void)unused;
	empty();
	histogram_add(&h, UINT64_MAX);
	assert_true(h.total == 1 && h.max == UINT64_MAX);
	assert_true(histogram_quantile(&h, 0.5) > UINT64_C(1) << 41);
}

/* Of none, of few, and of more than have different quantiles. */
static void several_quantiles_are_those_of_one_after_the_other(void **unused)
{
	static const double fractions[] = {0.0, 0.5, 0.5, 0.9, 0.99, 0.999, 1.0};
	enum { COUNT = sizeof fractions / sizeof *fractions };
	uint64_t all[COUNT];

	(void)unused;
	empty();
	for (uint64_t value = 3; value < UINT64_C(1) << 50; value = value * 5 / 2 + 1) {
		histogram_quantiles(&h, fractions, COUNT, all);
		for (unsigned i = 0; i < COUNT; i++)
			assert_true(all[i] == histogram_quantile(&h, fractions[i]));
		histogram_add(&h, value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_says_nought),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(quantiles_are_those_of_a_sorted_list),
		cmocka_unit_test(several_quantiles_are_those_of_one_after_the_other),
		cmocka_unit_test(the_largest_of_all_has_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
