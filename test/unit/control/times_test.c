/* Goal: the counts of times are all there, in order, and quantiles made of the difference
 * of two answers are those of what was between. */
#include "unit/control/client.h"

#include "base/histogram.h"
#include "model/meter.h"

/* So many requests of pool `web` that took so long, on this loop. */
static void note(unsigned loop, uint64_t took_us, unsigned count)
{
	const struct meter_note n = {.class = 2, .took_us = took_us};

	while (count-- > 0)
		meters_note(fake.model->pools[0].live->meters, loop, &n);
}

static json_t *counts_of(size_t pool)
{
	return json_object_get(json_array_get(json_object_get(body, "pools"), pool),
			       "counts_us");
}

/* Of a time as it is told: within 1 % of this one. */
static json_int_t count_near(json_int_t us)
{
	json_t *pair;
	size_t i;
	json_int_t sum = 0;

	json_array_foreach(counts_of(0), i, pair) {
		json_int_t told = json_integer_value(json_array_get(pair, 0));
		if (llabs(told - us) * 100 <= us)
			sum += json_integer_value(json_array_get(pair, 1));
	}
	return sum;
}

static void what_was_never_counted_is_not_told(void **unused)
{
	(void)unused;
	assert_int_equal(ask("GET /v1/times", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "pools")), 2);
	assert_int_equal(json_array_size(counts_of(0)), 0);
	assert_int_equal(json_array_size(counts_of(1)), 0);
}

static void all_loops_are_told_together_and_in_order(void **unused)
{
	json_int_t before = -1;
	json_t *pair;
	size_t i;

	(void)unused;
	note(0, 150, 3);
	note(3, 150, 4);
	note(1, 1234567, 5);
	note(1, 0, 2);
	note(2, 1ull << 60, 1);			/* longer than is told apart */
	assert_int_equal(ask("GET /v1/times", ""), 200);
	assert_int_equal(count_near(150), 7);
	assert_int_equal(count_near(1234567), 5);
	assert_int_equal(count_near(0), 2);
	json_array_foreach(counts_of(0), i, pair) {
		json_int_t us = json_integer_value(json_array_get(pair, 0));
		assert_true(us > before);
		before = us;
	}
	assert_int_equal(i, 4);
	assert_int_equal(json_array_size(counts_of(1)), 0);
}

static void every_time_is_told_within_one_percent(void **unused)
{
	(void)unused;
	for (uint64_t us = 1; us < 1ull << 41; us = us * 3 + 1)
		note(0, us, 1);
	assert_int_equal(ask("GET /v1/times", ""), 200);
	for (uint64_t us = 1; us < 1ull << 41; us = us * 3 + 1)
		assert_int_equal(count_near((json_int_t)us), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_never_counted_is_not_told),
		CASE(all_loops_are_told_together_and_in_order),
		CASE(every_time_is_told_within_one_percent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
