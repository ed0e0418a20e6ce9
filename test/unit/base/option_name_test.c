/* Goal: a word finds its option however its value stands, and what is near to one is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/option_name.h"

static const char *const table[] = {"help", "limit", "limit-all", "now"};

static const char *at(size_t i)
{
	return table[i];
}

static const struct option_names names = {"thing", COUNT_OF(table), at};

static void words_find_their_option(void **unused)
{
	(void)unused;
	assert_int_equal(option_name_find(&names, "--limit"), 1);
	assert_int_equal(option_name_find(&names, "--limit=30s"), 1);
	assert_int_equal(option_name_find(&names, "--limit="), 1);
	assert_int_equal(option_name_find(&names, "--limit-all"), 2);
	assert_int_equal(option_name_find(&names, "--help"), 0);
	assert_int_equal(option_name_find(&names, "-h"), 0);
}

static void others_find_none(void **unused)
{
	static const char *const words[] = {
		"--", "-", "--limi", "--limits", "limit", "-limit", "-l", "-hh", "--Limit", "--=1",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		assert_int_equal(option_name_find(&names, words[i]), names.count);
}

static void what_is_near_is_said(void **unused)
{
	struct err err;

	(void)unused;
	assert_int_equal(option_name_refuse(&names, "--limt=3", &err), -1);
	assert_string_equal(err.text, "unknown option \"--limt\"; did you mean \"--limit\"?");
	assert_int_equal(option_name_refuse(&names, "--zebra", &err), -1);
	assert_string_equal(err.text, "unknown option \"--zebra\"; see thing --help");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_find_their_option),
		cmocka_unit_test(others_find_none),
		cmocka_unit_test(what_is_near_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
