/* Goal: the table of commands is whole, and a line finds the command that it means. */
#include "ctl/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

static struct err err;

static const struct command *finds(const char *first, const char *second, uint32_t *used)
{
	char *words[] = {(char *)first, (char *)second};

	return command_find(words, second != NULL ? 2 : 1, used, &err);
}

static void every_command_is_found_by_its_name(void **unused)
{
	uint32_t used;

	(void)unused;
	for (uint32_t i = 0; i < command_count; i++) {
		const struct command *c = &command_table[i];
		assert_ptr_equal(finds(c->name, c->second, &used), c);
		assert_int_equal(used, c->second != NULL ? 2 : 1);
		if (c->second == NULL)
			assert_ptr_equal(finds(c->name, "word", &used), c);
	}
}

static void every_command_says_what_it_does(void **unused)
{
	(void)unused;
	for (uint32_t i = 0; i < command_count; i++) {
		const struct command *c = &command_table[i];
		assert_non_null(c->run);
		if (c->help == NULL)
			continue;
		/* An order, whose first letter help makes a capital; no full stop. */
		assert_true(c->help[0] >= 'a' && c->help[0] <= 'z');
		assert_true(c->help[strlen(c->help) - 1] != '.');
		assert_true(strlen(c->help) <= 45);
		assert_true(c->more == NULL || c->more[strlen(c->more) - 1] == '.');
	}
}

static void the_nearest_word_is_suggested(void **unused)
{
	uint32_t used;

	(void)unused;
	assert_null(finds("lst", NULL, &used));
	assert_string_equal(err.text, "unknown command \"lst\"; did you mean \"list\"?");
	assert_null(finds("delete", NULL, &used));
	assert_string_equal(err.text,
			    "unknown command \"delete\"; see balancerctl --help");
	assert_null(finds("config", NULL, &used));
	assert_string_equal(err.text,
			    "what is to be done with the config? expected one of "
			    "check, show, diff");
	assert_null(finds("config", "shw", &used));
	assert_string_equal(err.text,
			    "unknown command \"shw\" behind \"config\", expected "
			    "one of check, show, diff; did you mean \"show\"?");
	assert_null(finds("complet", NULL, &used));
	assert_null(strstr(err.text, "\"complete\""));
}

static void options_of_other_commands_are_refused(void **unused)
{
	struct options o = {.given = OPTION_BIT(OPTION_WEIGHT)};
	uint32_t used;

	(void)unused;
	assert_int_equal(command_check(finds("list", NULL, &used), &o, 0, &err), -1);
	assert_string_equal(err.text, "list takes no --weight; write: balancerctl list "
			    "[--pool NAME]");
	assert_int_equal(command_check(finds("add", NULL, &used), &o, 2, &err), 0);
	o.given = OPTION_BIT(OPTION_URL);
	assert_int_equal(command_check(finds("start", NULL, &used), &o, 2, &err), -1);
	assert_int_equal(command_check(finds("stop", NULL, &used), &o, 0, &err), 0);
}

static void words_are_counted(void **unused)
{
	struct options o = {.given = OPTION_BIT(OPTION_JSON)};
	uint32_t used;

	(void)unused;
	assert_int_equal(command_check(finds("stop", NULL, &used), &o, 1, &err), -1);
	assert_string_equal(err.text, "too many words; write: balancerctl stop "
			    "[--limit TIME] [--now]");
	assert_int_equal(command_check(finds("completion", NULL, &used), &o, 0, &err),
			 -1);
	assert_string_equal(err.text, "a word is missing; write: balancerctl completion "
			    "bash|zsh|fish");
	assert_int_equal(command_check(finds("config", "check", &used), &o, 1, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_found_by_its_name),
		cmocka_unit_test(every_command_says_what_it_does),
		cmocka_unit_test(the_nearest_word_is_suggested),
		cmocka_unit_test(options_of_other_commands_are_refused),
		cmocka_unit_test(words_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
