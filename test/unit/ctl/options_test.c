/* Goal: options stand anywhere, words keep their order, and what is wrong is said. */
#include "ctl/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

enum { WORDS_MAX = 16 };

static struct options options;
static struct err err;
static char *words[WORDS_MAX];
static uint32_t count;

/* Reads a line; its words are separated by one blank each. */
static int reads(const char *line)
{
	static char text[512];
	char *rest = text, *word;
	int argc = 0;

	snprintf(text, sizeof text, "%s", line);
	while ((word = strsep(&rest, " ")) != NULL)
		words[argc++] = word;
	return ctl_options_read(&options, argc, words, &count, &err);
}

static void refuses(const char *line, const char *expected)
{
	assert_int_equal(reads(line), -1);
	assert_string_equal(err.text, expected);
}

static void options_stand_anywhere(void **unused)
{
	static const char *const lines[] = {
		"add app1 80 --pool web --weight 2 --drain",
		"--pool web --drain --weight=2 add app1 80",
		"add --drain --pool=web app1 --weight 2 80",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		assert_int_equal(reads(lines[i]), 0);
		assert_int_equal(count, 3);
		assert_string_equal(words[0], "add");
		assert_string_equal(words[1], "app1");
		assert_string_equal(words[2], "80");
		assert_string_equal(options.pool, "web");
		assert_int_equal(options.weight, 2);
		assert_true(option_given(&options, OPTION_DRAIN));
		assert_false(option_given(&options, OPTION_JSON));
	}
}

static void two_dashes_end_options(void **unused)
{
	(void)unused;
	assert_int_equal(reads("add --json -- --pool web"), 0);
	assert_int_equal(count, 3);
	assert_string_equal(words[1], "--pool");
	assert_null(options.pool);
	assert_int_equal(reads("config check -"), 0);
	assert_int_equal(count, 3);
}

static void a_number_below_zero_is_a_word(void **unused)
{
	(void)unused;
	assert_int_equal(reads("scale web -2 --json -"), 0);
	assert_int_equal(count, 4);
	assert_string_equal(words[2], "-2");
	assert_string_equal(words[3], "-");
}

static void the_second_of_two_counts(void **unused)
{
	(void)unused;
	assert_int_equal(reads("list --pool web --pool=api"), 0);
	assert_string_equal(options.pool, "api");
}

static void times_have_units(void **unused)
{
	(void)unused;
	assert_int_equal(reads("stop --limit 2m --timeout 500ms"), 0);
	assert_int_equal(options.limit_ms, 120000);
	assert_int_equal(options.timeout_ms, 500);
	assert_int_equal(reads("stop --limit 0s"), 0);
	refuses("stop --limit 30",
		"--limit: \"30\" has no unit; write 30ms, 30s, 30m or 30h");
	refuses("stop --timeout 0s",
		"--timeout: \"0s\" is too small; expected 1ms to 24h");
	refuses("stop --limit -1s",
		"--limit: \"-1s\" is no time; expected digits and ms, "
		"s, m or h");
}

static void what_is_wrong_is_said(void **unused)
{
	(void)unused;
	refuses("list --jsn", "unknown option \"--jsn\"; did you mean \"--json\"?");
	refuses("list --pol=web", "unknown option \"--pol\"; did you mean \"--pool\"?");
	refuses("list -x", "unknown option \"-x\"; see balancerctl --help");
	refuses("list --pool", "--pool needs NAME");
	refuses("list --pool=", "--pool needs NAME");
	refuses("list --json=yes", "--json takes no value");
	refuses("add a 1 --weight many",
		"--weight: \"many\" is no number; expected digits only");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(two_dashes_end_options),
		cmocka_unit_test(a_number_below_zero_is_a_word),
		cmocka_unit_test(the_second_of_two_counts),
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(what_is_wrong_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
