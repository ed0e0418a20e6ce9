/* Goal: what loops note is what a reader sums up, whichever loops these were, and quantiles
 * are within 1 %.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/meter_reading.h"
#include "model/model.h"

static struct meter_reading *sum_of(const struct meters *m)
{
	struct meter_reading *sum = calloc(1, sizeof *sum);

	assert_non_null(sum);
	meters_add(m, sum);
	return sum;
}

static void note(struct meters *m, unsigned loop, unsigned class, uint64_t took_us)
{
	const struct meter_note n = {
		.class = class, .bytes_in = 3, .bytes_out = 10, .took_us = took_us,
	};

	meters_note(m, loop, &n);
}

static void what_was_not_noted_is_not_there(void **unused)
{
	struct meters *m = meters_create();
	struct meter_reading *sum = sum_of(m);

	(void)unused;
	assert_int_equal(sum->times_us.total, 0);
	assert_int_equal(histogram_quantile(&sum->times_us, 0.99), 0);
	meters_destroy(m);
	free(sum);
}

static void the_loops_add_up(void **unused)
{
	struct meters *m = meters_create();

	(void)unused;
	note(m, 0, 2, 100);
	note(m, MODEL_LOOPS_MAX - 1, 2, 300);
	note(m, 7, 5, 0);
	note(m, 7, 0, 1ull << 60);		/* longer than is told apart */
	struct meter_reading *sum = sum_of(m);
	assert_int_equal(sum->responses[2], 2);
	assert_int_equal(sum->responses[5], 1);
	assert_int_equal(sum->responses[0], 1);
	assert_int_equal(sum->bytes_in, 12);
	assert_int_equal(sum->bytes_out, 40);
	assert_int_equal(sum->times_us.total, 4);
	assert_true(sum->total_us == 400 + (1ull << 60));
	meters_destroy(m);
	free(sum);
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Times as of a service: from 20 us to minutes, most of them short. */
static void quantiles_are_within_one_percent(void **unused)
{
	enum { COUNT = 100 * 1000 };
	static const double fractions[] = {0.5, 0.9, 0.99, 0.999};
	uint64_t *all = calloc(COUNT, sizeof *all);
	struct meters *m = meters_create();
	uint64_t seed = 1;

	(void)unused;
	assert_non_null(all);
	for (int i = 0; i < COUNT; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		uint64_t x = seed >> 40;	/* 24 bits */
		all[i] = 20 + x * x / (1u << 24) * (x % 97 == 0 ? 20 : 1);
		note(m, (unsigned)i % 4, 2, all[i]);
	}
	qsort(all, COUNT, sizeof *all, compare);
	struct meter_reading *sum = sum_of(m);
	for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
		double real = (double)all[(int)(fractions[i] * COUNT) - 1];
		double told = (double)histogram_quantile(&sum->times_us, fractions[i]);
		assert_true(told > real * 0.99 - 1 && told < real * 1.01 + 1);
	}
	meters_destroy(m);
	free(sum);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_noted_is_not_there),
		cmocka_unit_test(the_loops_add_up),
		cmocka_unit_test(quantiles_are_within_one_percent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
