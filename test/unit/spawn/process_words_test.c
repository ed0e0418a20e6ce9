/* Goal: a server's environment is ours but for what is said to us alone, the later of two
 * counts; and a program is where PATH has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "spawn/process_words.h"

static uint32_t count_of(char *const *environment, const char *name)
{
	uint32_t count = 0;
	size_t len = strlen(name);

	for (; *environment != NULL; environment++)
		count += strncmp(*environment, name, len) == 0 &&
			 (*environment)[len] == '=';
	return count;
}

static void what_is_said_to_us_alone_is_left_out(void **unused)
{
	static const char *const ours[] = {
		"BALANCERD_SOCKET", "BALANCERD_X", "NOTIFY_SOCKET", "LISTEN_FDS",
		"WATCHDOG_USEC", "STATE_DIRECTORY",
	};
	static const char *const theirs[] = {
		"HOME", "LANG", "BALANCER", "NOTIFY_SOCKETS", "STATE", "XSTATE_DIRECTORY",
	};
	const struct model_own own = {.driver = OWN_PROCESS};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		setenv(ours[i], "1", 1);
	for (size_t i = 0; i < COUNT_OF(theirs); i++)
		setenv(theirs[i], "a=b", 1);
	char **all = process_environment_create(&own, "S1", 5000);
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		assert_null(process_environment_find(all, ours[i]));
	for (size_t i = 0; i < COUNT_OF(theirs); i++)
		assert_string_equal(process_environment_find(all, theirs[i]), "a=b");
	process_environment_destroy(all);
}

static void the_later_of_two_counts(void **unused)
{
	char home[] = "HOME=/srv", port[] = "PORT=1", empty[] = "EMPTY=";
	char *more[] = {home, port, empty};
	const struct model_own own = {.environment = more, .environment_count = 3};

	(void)unused;
	setenv("HOME", "/root", 1);
	setenv("SERVER_ID", "S9", 1);
	char **all = process_environment_create(&own, "S1", 5000);
	assert_string_equal(process_environment_find(all, "HOME"), "/srv");
	assert_string_equal(process_environment_find(all, "PORT"), "5000");
	assert_string_equal(process_environment_find(all, "SERVER_ID"), "S1");
	assert_string_equal(process_environment_find(all, "EMPTY"), "");
	assert_int_equal(count_of(all, "HOME"), 1);
	assert_int_equal(count_of(all, "PORT"), 1);
	assert_int_equal(count_of(all, "SERVER_ID"), 1);
	process_environment_destroy(all);
}

static void a_word_with_a_slash_is_a_path(void **unused)
{
	char path[] = "PATH=/bin";
	char *const environment[] = {path, NULL};
	char out[PATH_MAX];
	struct err err;

	(void)unused;
	assert_int_equal(process_program_find("./x", environment, "/", out, &err), 0);
	assert_string_equal(out, "./x");
}

static void a_word_without_is_where_path_has_it(void **unused)
{
	char several[] = "PATH=/no:/etc:bin::/bin", nowhere[] = "PATH=/no";
	char *const environment[] = {several, NULL}, *const none[] = {nowhere, NULL};
	char *const unset[] = {NULL};
	char out[PATH_MAX];
	struct err err;

	(void)unused;
	/* bin is below the directory; passwd is no program, and neither is a folder. */
	assert_int_equal(process_program_find("sh", environment, "/", out, &err), 0);
	assert_string_equal(out, "bin/sh");
	assert_int_equal(process_program_find("sh", environment, "/etc", out, &err), 0);
	assert_string_equal(out, "/bin/sh");
	assert_int_equal(process_program_find("sh", environment, "/bin", out, &err), 0);
	assert_string_equal(out, "./sh");
	assert_int_equal(process_program_find("sh", unset, NULL, out, &err), 0);
	assert_int_equal(process_program_find("passwd", none, NULL, out, &err), -1);
	assert_non_null(strstr(err.text, "passwd: not found in PATH (/no)"));
	assert_int_equal(process_program_find("etc", environment, "/", out, &err), -1);
	assert_int_equal(process_program_find("sh", environment, "/no", out, &err), -1);
	assert_non_null(strstr(err.text, "cannot enter the directory /no"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_to_us_alone_is_left_out),
		cmocka_unit_test(the_later_of_two_counts),
		cmocka_unit_test(a_word_with_a_slash_is_a_path),
		cmocka_unit_test(a_word_without_is_where_path_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
