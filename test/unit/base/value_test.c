/* Goal: a word is read exactly, or refused with what to write instead. */
#include "base/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct err err;

static void reads(enum value_kind kind, const char *word, uint64_t expected)
{
	struct value_range range = {kind, 0, UINT64_MAX};
	uint64_t value = 0;

	assert_int_equal(value_read(&range, word, &value, &err), 0);
	assert_true(value == expected);
}

static void refuses(struct value_range range, const char *word, const char *expected)
{
	uint64_t value = 77;

	assert_int_equal(value_read(&range, word, &value, &err), -1);
	assert_string_equal(err.text, expected);
	assert_int_equal(value, 77);
}

static const struct value_range number = {VALUE_NUMBER, 1, 100};
static const struct value_range time_ms = {VALUE_TIME, 1, 3600000};
static const struct value_range size = {VALUE_SIZE, 1024, 65535};
static const struct value_range seconds = {VALUE_SECONDS, 1, 3600};
static const struct value_range percent = {VALUE_PERCENT, 0, 100};

static void units_multiply(void **unused)
{
	(void)unused;
	reads(VALUE_NUMBER, "0", 0);
	reads(VALUE_NUMBER, "007", 7);
	reads(VALUE_TIME, "500ms", 500);
	reads(VALUE_TIME, "3s", 3000);
	reads(VALUE_TIME, "2m", 120000);
	reads(VALUE_TIME, "1h", 3600000);
	reads(VALUE_SIZE, "64", 64);
	reads(VALUE_SIZE, "16k", 16384);
	reads(VALUE_SIZE, "1m", 1 << 20);
	reads(VALUE_SIZE, "2g", UINT64_C(2) << 30);
	reads(VALUE_PERCENT, "20%", 20);
	reads(VALUE_SECONDS, "90s", 90);
	reads(VALUE_SECONDS, "24h", 86400);
	reads(VALUE_NUMBER, "18446744073709551615", UINT64_MAX);
}

static void a_missing_unit_is_said(void **unused)
{
	(void)unused;
	refuses(time_ms, "3", "\"3\" has no unit; write 3ms, 3s, 3m or 3h");
	refuses(percent, "20", "\"20\" has no unit; write 20%");
	refuses(seconds, "3", "\"3\" has no unit; write 3s, 3m or 3h");
}

static void a_unit_that_was_meant_is_named(void **unused)
{
	(void)unused;
	refuses(time_ms, "5sec", "\"5sec\" has an unknown unit; did you mean \"5s\"?");
	refuses(time_ms, "5msec", "\"5msec\" has an unknown unit; did you mean \"5ms\"?");
	refuses(size, "16K", "\"16K\" has an unknown unit; did you mean \"16k\"?");
	refuses(size, "16KiB", "\"16KiB\" has an unknown unit; did you mean \"16k\"?");
	refuses(time_ms, "5x", "\"5x\" is no time; expected digits and ms, s, m or h");
	refuses(time_ms,
		"1.5s",
		"\"1.5s\" is no time; expected digits and ms, s, m or h");
	refuses(number, "5s", "\"5s\" is no number; expected digits only");
}

static void what_is_no_number_is_refused(void **unused)
{
	(void)unused;
	refuses(number, "", "\"\" is no number; expected digits only");
	refuses(number, "-1", "\"-1\" is no number; expected digits only");
	refuses(number, "many", "\"many\" is no number; expected digits only");
	refuses(size,
		"big",
		"\"big\" is no size; expected bytes, or digits and k, m or g");
	refuses(percent, "%", "\"%\" is no share; expected digits and %");
}

static void bounds_are_kept_and_said_in_the_same_unit(void **unused)
{
	(void)unused;
	refuses(number, "0", "\"0\" is too small; expected 1 to 100");
	refuses(number, "101", "\"101\" is too large; expected 1 to 100");
	refuses(time_ms, "0s", "\"0s\" is too small; expected 1ms to 1h");
	refuses(time_ms, "61m", "\"61m\" is too large; expected 1ms to 1h");
	refuses(size, "64k", "\"64k\" is too large; expected 1k to 65535");
	refuses(percent, "101%", "\"101%\" is too large; expected 0% to 100%");
}

static void what_does_not_fit_is_too_large(void **unused)
{
	(void)unused;
	refuses(number,
		"18446744073709551616",
		"\"18446744073709551616\" is too large; expected 1 to 100");
	refuses(size,
		"18446744073709551615g",
		"\"18446744073709551615g\" is too large; expected 1k to 65535");
}

static void a_value_printed_reads_the_same(void **unused)
{
	(void)unused;
	const uint64_t values[] = {0, 1, 999, 1000, 1024, 60000, 90000, 3600000, 86400000,
				   65535, 1 << 20, UINT64_C(3) << 30, UINT64_MAX};

	for (enum value_kind kind = VALUE_NUMBER; kind <= VALUE_SECONDS; kind++)
		for (size_t i = 0; i < sizeof values / sizeof *values; i++)
			reads(kind, value_text(kind, values[i]).text, values[i]);
	assert_string_equal(value_text(VALUE_TIME, 3600000).text, "1h");
	assert_string_equal(value_text(VALUE_TIME, 90000).text, "90s");
	assert_string_equal(value_text(VALUE_TIME, 0).text, "0s");
	assert_string_equal(value_text(VALUE_SIZE, 16384).text, "16k");
	assert_string_equal(value_text(VALUE_SIZE, 65535).text, "65535");
}

static void seconds_are_whole(void **unused)
{
	(void)unused;
	refuses(seconds, "500ms",
		"\"500ms\" is no time in whole seconds; expected digits and s, m or h");
	refuses(seconds, "0s", "\"0s\" is too small; expected 1s to 1h");
	assert_string_equal(value_text(VALUE_SECONDS, 0).text, "0s");
	assert_string_equal(value_text(VALUE_SECONDS, 90).text, "90s");
	assert_string_equal(value_text(VALUE_SECONDS, 7200).text, "2h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_multiply),
		cmocka_unit_test(a_missing_unit_is_said),
		cmocka_unit_test(a_unit_that_was_meant_is_named),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(bounds_are_kept_and_said_in_the_same_unit),
		cmocka_unit_test(what_does_not_fit_is_too_large),
		cmocka_unit_test(a_value_printed_reads_the_same),
		cmocka_unit_test(seconds_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
