/* Goal: what fails is tried again less and less often, and nothing more than so often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spawn/backoff.h"

static void each_failure_waits_twice_as_long_up_to_a_minute(void **unused)
{
	struct backoff b = {0};
	uint64_t now = 5000, full = BACKOFF_MS_MIN;

	(void)unused;
	assert_int_equal(backoff_wait_ms(&b, now), 0);
	for (int i = 0; i < 12; i++) {
		backoff_failed(&b, now, 0);
		assert_int_equal(backoff_wait_ms(&b, now), full);
		now += full;
		assert_int_equal(backoff_wait_ms(&b, now), 0);
		full = full * 2 < BACKOFF_MS_MAX ? full * 2 : BACKOFF_MS_MAX;
	}
	backoff_succeeded(&b);
	backoff_failed(&b, now, 0);
	assert_int_equal(backoff_wait_ms(&b, now), BACKOFF_MS_MIN);
}

static void chance_takes_a_quarter_at_most(void **unused)
{
	uint64_t least = UINT64_MAX, most = 0;

	(void)unused;
	for (uint64_t random = 0; random < 1000; random++) {
		struct backoff b = {0};
		backoff_failed(&b, 77, random * 7919);
		uint64_t wait = backoff_wait_ms(&b, 77);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	assert_in_range(least, BACKOFF_MS_MIN * 3 / 4, BACKOFF_MS_MIN * 3 / 4 + 20);
	assert_in_range(most, BACKOFF_MS_MIN - 20, BACKOFF_MS_MIN);
}

static void failures_of_one_round_count_once(void **unused)
{
	struct backoff b = {0};

	(void)unused;
	for (int i = 0; i < 8; i++)
		backoff_failed(&b, 1000, 0);
	assert_int_equal(backoff_wait_ms(&b, 1000), BACKOFF_MS_MIN);
}

/* Property: whatever the times, no minute has more than `max` of them. */
static void no_minute_has_more_than_the_most(void **unused)
{
	enum { MAX = 7, STARTS = 300 };
	static uint64_t at[STARTS];
	struct start_rate r = {0};
	uint64_t now = 123456;

	(void)unused;
	for (int i = 0; i < STARTS; i++) {
		uint64_t wait = start_rate_wait_ms(&r, now, MAX);
		now += wait;
		assert_true(wait <= BACKOFF_WINDOW_S * 1000);
		assert_int_equal(start_rate_wait_ms(&r, now, MAX), 0);
		start_rate_count(&r, now);
		at[i] = now;
		if (i >= MAX)
			assert_true(at[i] - at[i - MAX] >= (BACKOFF_WINDOW_S - 1) * 1000);
		now += (uint64_t)i * i % 4000;
	}
}

static void the_most_may_come_at_once_and_again_after_a_minute(void **unused)
{
	struct start_rate r = {0};

	(void)unused;
	for (int i = 0; i < 120; i++) {
		assert_int_equal(start_rate_wait_ms(&r, 1000, 120), 0);
		start_rate_count(&r, 1000);
	}
	assert_int_equal(start_rate_wait_ms(&r, 1000, 120), 60 * 1000);
	assert_int_equal(start_rate_wait_ms(&r, 31500, 120), 29500);
	assert_int_equal(start_rate_wait_ms(&r, 61000, 120), 0);
	assert_int_equal(start_rate_wait_ms(&r, 1000000000, 120), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_waits_twice_as_long_up_to_a_minute),
		cmocka_unit_test(chance_takes_a_quarter_at_most),
		cmocka_unit_test(failures_of_one_round_count_once),
		cmocka_unit_test(no_minute_has_more_than_the_most),
		cmocka_unit_test(the_most_may_come_at_once_and_again_after_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
