/* Goal: a window has what was counted since its oldest mark and nothing of before, whichever
 * loops and pages that was in, and says how long it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/meter_window.h"
#include "model/model.h"

static struct meters *m;
static struct meter_reading sum;
static uint64_t span_ms;

static int begin(void **unused)
{
	(void)unused;
	m = meters_create();
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	meters_destroy(m);
	return 0;
}

static void note(unsigned loop, uint64_t took_us, unsigned count)
{
	const struct meter_note n = {.class = 2, .took_us = took_us};

	while (count-- > 0)
		meters_note(m, loop, &n);
}

/* How many a window has at this time; the rest is in sum and span_ms. */
static uint64_t left(enum meter_window window, uint64_t now_ms)
{
	memset(&sum, 0, sizeof sum);
	meters_add(m, &sum);
	span_ms = meters_leave_window(m, window, now_ms, &sum.times_us);
	return sum.times_us.total;
}

static uint64_t quantile(double fraction)
{
	return histogram_quantile(&sum.times_us, fraction);
}

static void all_that_is_young_is_in_the_window(void **unused)
{
	(void)unused;
	note(0, 100, 5);
	assert_int_equal(left(METER_MINUTE, 3000), 5);
	assert_int_equal(span_ms, METER_MINUTE_EVERY_MS);
	meters_mark(m, METER_MINUTE, 10000);
	assert_int_equal(left(METER_MINUTE, 12000), 5);
	meters_mark(m, METER_MINUTE, 30000);
	note(1, 100, 1);
	assert_int_equal(left(METER_MINUTE, 49000), 6);
	/* At the most: it may have come at any time before its first mark. */
	assert_int_equal(span_ms, 39000 + METER_MINUTE_EVERY_MS);
}

static void slow_ones_are_forgotten_within_a_minute(void **unused)
{
	uint64_t now_ms = 0;

	(void)unused;
	for (int i = 0; i < 10; i++)
		meters_mark(m, METER_MINUTE, now_ms += METER_MINUTE_EVERY_MS);
	note(0, 2000000, 100);			/* two seconds each */
	for (int i = 0; i < 2; i++) {
		meters_mark(m, METER_MINUTE, now_ms += METER_MINUTE_EVERY_MS);
		note(0, 150, 100);
		assert_int_equal(left(METER_MINUTE, now_ms), 100u * (2 + (unsigned)i));
		assert_int_equal(span_ms, 2 * METER_MINUTE_EVERY_MS);
		assert_in_range(quantile(0.99), 1980000, 2020000);
	}
	meters_mark(m, METER_MINUTE, now_ms += METER_MINUTE_EVERY_MS);
	assert_int_equal(left(METER_MINUTE, now_ms + 1), 200);
	assert_in_range(quantile(0.999), 149, 152);
	assert_in_range(sum.times_us.max, 149, 152);
	/* And they are still in what is of all times. */
	memset(&sum, 0, sizeof sum);
	meters_add(m, &sum);
	assert_in_range(quantile(0.99), 1980000, 2020000);
}

static void a_window_that_nothing_came_in_is_empty(void **unused)
{
	(void)unused;
	note(3, 777, 9);
	for (uint64_t i = 1; i <= 3; i++)
		meters_mark(m, METER_MINUTE, i * 1000);
	assert_int_equal(left(METER_MINUTE, 3500), 0);
	assert_int_equal(span_ms, 2500);
	assert_int_equal(sum.times_us.max, 0);
	assert_int_equal(quantile(0.99), 0);
	/* Only times are left out: all else is of all times, as it was. */
	assert_int_equal(sum.responses[2], 9);
}

static void windows_know_nothing_of_each_other(void **unused)
{
	(void)unused;
	meters_mark(m, METER_MINUTE, 1000);
	note(0, 100, 1);
	for (uint64_t i = 1; i <= 3; i++)
		meters_mark(m, METER_MOMENT, 1000 + i * 1000);
	note(0, 100, 2);
	assert_int_equal(left(METER_MOMENT, 5000), 2);
	assert_int_equal(span_ms, 2000);
	assert_int_equal(left(METER_MINUTE, 5000), 3);
}

/* Pages come and loops begin at any time between marks; the window is compared with what
 * a plain list of all notes has. */
static void it_is_what_a_list_of_all_would_say(void **unused)
{
	enum { TURNS = 400, MARKS = 3 };
	static uint64_t took[TURNS];
	uint64_t marked[MARKS] = {0}, state = 7;

	(void)unused;
	for (unsigned i = 0; i < TURNS; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		took[i] = (state >> 33) >> (state >> 59);
		note((unsigned)(state >> 40) % MODEL_LOOPS_MAX, took[i], 1);
		if (state >> 20 & 1) {
			meters_mark(m, METER_MINUTE, i + 1);
			memmove(marked, marked + 1, sizeof marked - sizeof *marked);
			marked[MARKS - 1] = i + 1;
		}
		struct histogram expected = {0};
		for (uint64_t j = marked[0]; j <= i; j++)
			histogram_add_place(&expected, histogram_place(took[j]), 1);
		assert_int_equal(left(METER_MINUTE, i + 1), expected.total);
		assert_memory_equal(&sum.times_us, &expected, sizeof expected);
		if (marked[0] > 0)
			assert_int_equal(span_ms, i + 1 - marked[0]);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_that_is_young_is_in_the_window),
		CASE(slow_ones_are_forgotten_within_a_minute),
		CASE(a_window_that_nothing_came_in_is_empty),
		CASE(windows_know_nothing_of_each_other),
		CASE(it_is_what_a_list_of_all_would_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
