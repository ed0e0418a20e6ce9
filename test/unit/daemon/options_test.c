/* Goal: the common options are found wherever they stand, and the rest of the line stays
 * as it was. */
#include "daemon/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 16 };

struct line {
	char  text[256];
	char *words[WORDS_MAX];
	int   count;
};

/* Words separated by single spaces. */
static struct line *line_of(const char *text)
{
	static struct line l;

	l.count = 0;
	snprintf(l.text, sizeof l.text, "%s", text);
	for (char *at = l.text; at != NULL; l.count++)
		l.words[l.count] = strsep(&at, " ");
	return &l;
}

static void leaves(const char *text, const char *rest, struct options *o)
{
	struct line *l = line_of(text);
	char joined[256] = "";
	struct err err = {""};

	if (options_take(o, &l->count, l->words, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	for (int i = 0; i < l->count; i++)
		snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s",
			 i > 0 ? " " : "", l->words[i]);
	assert_string_equal(joined, rest);
}

static void refuses(const char *text, const char *message)
{
	struct line *l = line_of(text);
	struct options o;
	struct err err = {""};

	assert_int_equal(options_take(&o, &l->count, l->words, &err), -1);
	assert_string_equal(err.text, message);
}

static void they_stand_anywhere(void **state)
{
	struct options o;

	(void)state;
	leaves("--socket /s -N 4 --name=web 8080 --threads 3 8081 --state=/x",
	       "-N 4 8080 8081", &o);
	assert_string_equal(o.socket, "/s");
	assert_string_equal(o.name, "web");
	assert_string_equal(o.state, "/x");
	assert_int_equal(o.threads, 3);
}

static void what_is_not_given_is_not_there(void **state)
{
	struct options o;

	(void)state;
	leaves("a.conf", "a.conf", &o);
	assert_null(o.socket);
	assert_null(o.name);
	assert_null(o.state);
	assert_int_equal(o.threads, 0);
}

static void others_are_left_alone(void **state)
{
	struct options o;

	(void)state;
	leaves("--sockets /s --nam=x -- -x --thread=2 =", "--sockets /s --nam=x -- -x "
	       "--thread=2 =", &o);
	assert_null(o.socket);
}

static void a_value_may_look_like_an_option(void **state)
{
	struct options o;

	(void)state;
	leaves("--socket --name --state=a=b x", "x", &o);
	assert_string_equal(o.socket, "--name");
	assert_string_equal(o.state, "a=b");
}

static void wrong_ones_are_said(void **state)
{
	(void)state;
	refuses("a.conf --socket", "--socket needs a value");
	refuses("--state= a.conf", "--state needs a value");
	refuses("--state /a --state /b", "--state is given twice");
	refuses("--threads 2 --threads=2", "--threads is given twice");
	refuses("--threads 0", "--threads takes a number from 1 to 64");
	refuses("--threads=65", "--threads takes a number from 1 to 64");
	refuses("--threads two", "--threads takes a number from 1 to 64");
	refuses("--name a/b", "--name takes 1 to 63 letters, digits, \"-\", \"_\" and "
		"\".\", not as the first");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_stand_anywhere),
		cmocka_unit_test(what_is_not_given_is_not_there),
		cmocka_unit_test(others_are_left_alone),
		cmocka_unit_test(a_value_may_look_like_an_option),
		cmocka_unit_test(wrong_ones_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
