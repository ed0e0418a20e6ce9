/* Goal: options stand anywhere, have defaults that fit each other, and what is wrong with
 * them is said with a remedy. */
#include "client/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 32 };

static struct options options;
static struct err err;
static char *words[ARGUMENTS_MAX];
static uint32_t count;

/* Reads a line; its words are separated by one blank each. */
static int reads(const char *line)
{
	static char text[512];
	char *rest = text, *word;
	int argc = 0;

	snprintf(text, sizeof text, "%s", line);
	while (*line != '\0' && (word = strsep(&rest, " ")) != NULL)
		words[argc++] = word;
	return kv_options_read(&options, argc, words, &count, &err);
}

static void refuses(const char *line, const char *expected)
{
	assert_int_equal(reads(line), -1);
	assert_string_equal(err.text, expected);
}

static void none_gives_the_defaults(void **unused)
{
	(void)unused;
	assert_int_equal(reads(""), 0);
	assert_int_equal(count, 0);
	assert_string_equal(options.balancer, "127.0.0.1:5059");
	assert_true(options.given == 0 && options.version == 0 && options.rate == 0);
	assert_true(options.timeout_ms == 10000 && options.time_ms == 10000);
	assert_true(options.count == 0 && options.connections == 50);
	assert_true(options.pipeline == 1 && options.keys == 10000);
	assert_true(options.key_size == 16 && options.reads_percent == 50);
	assert_true(options.value_size_min == 64 && options.value_size_max == 64);
	assert_int_equal(options.verify, VERIFY_NOTHING);
}

static void options_stand_anywhere(void **unused)
{
	(void)unused;
	assert_int_equal(reads("load --count 7 --value-size=8-1k --reads 10% --json"), 0);
	assert_int_equal(count, 1);
	assert_string_equal(words[0], "load");
	assert_true(options.count == 7 && options.reads_percent == 10);
	assert_true(options.value_size_min == 8 && options.value_size_max == 1024);
	assert_true(option_given(&options, OPTION_JSON));

	assert_int_equal(reads("put --balancer kv:1 -- --key -v"), 0);
	assert_int_equal(count, 3);
	assert_string_equal(words[1], "--key");
	assert_string_equal(options.balancer, "kv:1");
}

static void a_count_alone_has_no_time(void **unused)
{
	(void)unused;
	assert_int_equal(reads("load --count 7"), 0);
	assert_true(options.time_ms == 0);
	assert_int_equal(reads("load --count 7 --time 3s"), 0);
	assert_true(options.time_ms == 3000);
}

static void verify_may_be_strict(void **unused)
{
	(void)unused;
	assert_int_equal(reads("load --verify"), 0);
	assert_int_equal(options.verify, VERIFY_VALUES);
	assert_int_equal(reads("load --verify strict"), 0);
	assert_int_equal(options.verify, VERIFY_STRICT);
	assert_int_equal(count, 1);
	assert_int_equal(reads("load --verify=strict"), 0);
	assert_int_equal(options.verify, VERIFY_STRICT);
	assert_int_equal(reads("load --verify --json"), 0);
	assert_int_equal(options.verify, VERIFY_VALUES);
	refuses("load --verify=strickt", "--verify: \"strickt\" is no way to verify; write "
					 "--verify or --verify strict");
}

static void what_is_wrong_is_said(void **unused)
{
	(void)unused;
	refuses("--cuont 7", "unknown option \"--cuont\"; did you mean \"--count\"?");
	refuses("--zzzzzz", "unknown option \"--zzzzzz\"; see kv-client --help");
	refuses("-x", "unknown option \"-x\"; see kv-client --help");
	refuses("--count", "--count needs N");
	refuses("--balancer=", "--balancer needs HOST:PORT");
	refuses("--json=1", "--json takes no value");
	refuses("--version 3", "--version: \"3\" is too large; expected 1 to 2");
	refuses("--time 3", "--time: \"3\" has no unit; write 3ms, 3s, 3m or 3h");
	refuses("--reads 30", "--reads: \"30\" has no unit; write 30%");
	refuses("--value-size 9-8", "--value-size: \"9-8\" begins with the larger one; the "
				    "smaller comes first");
	refuses("--value-size 9-", "--value-size: \"\" is no size; expected bytes, or digits "
				   "and k, m or g");
	refuses("--connections 0", "--connections: \"0\" is too small; expected 1 to 60000");
}

static void what_does_not_go_together_is_said(void **unused)
{
	(void)unused;
	refuses("--key-size 3 --keys 1001", "--key-size 3 has no room for 1001 different "
		"keys; give 4 at least, or fewer --keys");
	assert_int_equal(reads("--key-size 3 --keys 1000"), 0);
	assert_int_equal(reads("--key-size 1 --keys 1"), 0);
	refuses("--verify --value-size 7-100", "--verify needs values of at least 8 bytes, "
		"since each says which one it is; give --value-size");
	refuses("--history h --value-size 0", "--history needs values of at least 8 bytes, "
		"since each says which one it is; give --value-size");
	refuses("--verify strict --keys 9 --connections 10", "--verify strict gives each "
		"connection keys of its own: --keys has to be at least --connections");
	refuses("--key-size 32k --value-size 32k", "keys of 32768 and values of 32768 bytes "
		"are more than a message holds, which is 65503 together");
}

static void options_of_load_are_for_load(void **unused)
{
	(void)unused;
	assert_int_equal(reads("get k --count 3"), 0);
	assert_int_equal(kv_options_check(&options, false, &err), -1);
	assert_string_equal(err.text, "--count is for load; write: kv-client load --count");
	assert_int_equal(kv_options_check(&options, true, &err), 0);
	assert_int_equal(reads("load --raw"), 0);
	assert_int_equal(kv_options_check(&options, true, &err), -1);
	assert_string_equal(err.text, "load takes no --raw");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_gives_the_defaults),
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(a_count_alone_has_no_time),
		cmocka_unit_test(verify_may_be_strict),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(what_does_not_go_together_is_said),
		cmocka_unit_test(options_of_load_are_for_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
