/* Goal: the command line comes before the environment, the environment means nothing
 * without SERVER_ID, and what is wrong in it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "origin/options.h"

enum { WORDS_MAX = 8 };

/* Reads words that end with NULL behind the program's name. */
static int read_words(struct options *o, const struct options_environment *env,
		      struct err *err, ...)
{
	char name[] = "origin", *argv[WORDS_MAX + 2] = {name};
	int argc = 1;
	va_list words;

	va_start(words, err);
	for (char *word; (word = va_arg(words, char *)) != NULL; argc++) {
		assert_true(argc <= WORDS_MAX);
		argv[argc] = word;
	}
	va_end(words);
	optind = 0;
	return origin_options_read(o, argc, argv, env, err);
}

static void a_name_alone_makes_a_sample_server(void **state)
{
	const struct options_environment env = {.server_id = "S1"};
	struct options o;
	struct err err;

	(void)state;
	assert_int_equal(read_words(&o, &env, &err, NULL), 0);
	assert_string_equal(o.id, "S1");
	assert_int_equal(o.port_count, 1);
	assert_int_equal(o.ports[0], 5000);
	assert_string_equal(o.address, "127.0.0.1");
}

static void the_environment_fills_what_the_command_line_leaves_open(void **state)
{
	const struct options_environment env = {"S1", "8081", "0.0.0.0"};
	struct options o;
	struct err err;

	(void)state;
	assert_int_equal(read_words(&o, &env, &err, NULL), 0);
	assert_int_equal(o.port_count, 1);
	assert_int_equal(o.ports[0], 8081);
	assert_string_equal(o.address, "0.0.0.0");

	assert_int_equal(read_words(&o, &env, &err, "9001", "9002", "--bind", "::1",
				    NULL), 0);
	assert_string_equal(o.id, "S1");
	assert_int_equal(o.port_count, 2);
	assert_int_equal(o.ports[0], 9001);
	assert_string_equal(o.address, "::1");
}

static void without_a_name_the_environment_means_nothing(void **state)
{
	const struct options_environment env = {NULL, "8081", "0.0.0.0"};
	struct options o;
	struct err err;

	(void)state;
	assert_int_equal(read_words(&o, &env, &err, "9001", NULL), 0);
	assert_null(o.id);
	assert_int_equal(o.ports[0], 9001);
	assert_string_equal(o.address, "127.0.0.1");

	assert_int_equal(read_words(&o, &env, &err, NULL), -1);
	assert_non_null(strstr(err.text, "no port"));
}

static void a_name_that_json_would_have_to_escape_is_refused(void **state)
{
	char longest[OPTIONS_ID_MAX + 2];
	const char *const bad[] = {
		"", "a\"b", "a\\b", "a\nb", "\x7f", "\xc3\xa9", longest,
	};
	struct options o;
	struct err err;

	(void)state;
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const struct options_environment env = {.server_id = bad[i]};
		assert_int_equal(read_words(&o, &env, &err, "9001", NULL), -1);
		assert_non_null(strstr(err.text, "SERVER_ID"));
	}
	longest[OPTIONS_ID_MAX] = '\0';
	const struct options_environment env = {.server_id = longest};
	assert_int_equal(read_words(&o, &env, &err, "9001", NULL), 0);
}

static void a_port_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"", "x", "-1", "65536", "80x"};
	struct options o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const struct options_environment env = {"S1", bad[i], NULL};
		assert_int_equal(read_words(&o, &env, &err, NULL), -1);
		assert_non_null(strstr(err.text, "port"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_alone_makes_a_sample_server),
		cmocka_unit_test(the_environment_fills_what_the_command_line_leaves_open),
		cmocka_unit_test(without_a_name_the_environment_means_nothing),
		cmocka_unit_test(a_name_that_json_would_have_to_escape_is_refused),
		cmocka_unit_test(a_port_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
