/* Goal: of each kind so many in a window, and then the truth about the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/log_limit.h"

static struct log_limit limit;
static const char *const one = "one", *const two = "two";

static int set_up(void **unused)
{
	(void)unused;
	memset(&limit, 0, sizeof limit);
	return 0;
}

static uint32_t taken(const char *format, uint64_t now_ms, uint32_t times, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < times; i++)
		n += log_limit_take(&limit, format, now_ms, max);
	return n;
}

static void each_kind_has_its_own_share(void **unused)
{
	(void)unused;
	assert_int_equal(taken(one, 5, 10, 3), 3);
	assert_int_equal(taken(two, 5, 2, 3), 2);
}

static void what_was_left_out_is_told_once_and_exactly(void **unused)
{
	struct log_kind told;

	(void)unused;
	taken(one, 5, 10, 3);
	taken(two, 5, 4, 3);
	assert_false(log_limit_tell(&limit, 5 + LOG_WINDOW_MS - 1, false, &told));
	assert_true(log_limit_tell(&limit, 5 + LOG_WINDOW_MS, false, &told));
	uint32_t first = told.left_out;
	assert_true(log_limit_tell(&limit, 5 + LOG_WINDOW_MS, false, &told));
	assert_int_equal(first + told.left_out, 7 + 1);
	assert_false(log_limit_tell(&limit, 5 + 2 * LOG_WINDOW_MS, true, &told));
}

static void a_window_that_is_over_begins_anew(void **unused)
{
	struct log_kind told;

	(void)unused;
	assert_int_equal(taken(one, 5, 3, 3), 3);
	assert_int_equal(taken(one, 5 + LOG_WINDOW_MS, 4, 3), 3);
	/* Untold, it stays silent: the number must not be lost. */
	assert_int_equal(taken(one, 5 + 9 * LOG_WINDOW_MS, 5, 3), 0);
	assert_true(log_limit_tell(&limit, 5 + 9 * LOG_WINDOW_MS, false, &told));
	assert_int_equal(told.left_out, 6);
	assert_ptr_equal(told.format, one);
	assert_int_equal(taken(one, 5 + 9 * LOG_WINDOW_MS, 5, 3), 3);
}

/* Of two threads the one that looked at the clock first may come second. */
static void an_earlier_time_ends_no_window(void **unused)
{
	struct log_kind told;

	(void)unused;
	assert_int_equal(taken(one, 100, 3, 3), 3);
	assert_int_equal(taken(one, 99, 2, 3), 0);
	assert_false(log_limit_tell(&limit, 99, false, &told));
}

static void at_the_end_all_is_told(void **unused)
{
	struct log_kind told;

	(void)unused;
	taken(one, 5, 10, 3);
	assert_true(log_limit_tell(&limit, 6, true, &told));
	assert_int_equal(told.left_out, 7);
}

static void kinds_without_a_place_are_not_limited(void **unused)
{
	static char many[LOG_KINDS_MAX];

	(void)unused;
	for (int i = 0; i < LOG_KINDS_MAX; i++)
		assert_int_equal(taken(&many[i], 1, 2, 1), 1);
	assert_int_equal(taken(one, 1, 5, 1), 5);
	assert_int_equal(taken(&many[7], 1, 2, 1), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_kind_has_its_own_share),
		TEST(what_was_left_out_is_told_once_and_exactly),
		TEST(a_window_that_is_over_begins_anew),
		TEST(an_earlier_time_ends_no_window),
		TEST(at_the_end_all_is_told),
		TEST(kinds_without_a_place_are_not_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
