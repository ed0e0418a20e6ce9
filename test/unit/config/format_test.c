/* Goal: what is meant stays, comments too; and the usual form is the form that stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/format.h"

static void assert_becomes(const char *text, const char *wanted)
{
	size_t len, again_len;
	char *once = config_format(span_of(text), &len);

	assert_string_equal(once, wanted);
	assert_int_equal(len, strlen(once));
	char *twice = config_format((struct span){once, len}, &again_len);
	assert_string_equal(twice, once);
	free(once);
	free(twice);
}

static void a_statement_has_a_line(void **unused)
{
	(void)unused;
	assert_becomes("threads 2;drain 5s\nlisten   http :80{to web}",
		       "threads 2\ndrain 5s\nlisten http :80 {\n\tto web\n}\n");
	assert_becomes("pool a { check http / every 1s; server 1 }\n",
		       "pool a {\n\tcheck http / every 1s\n\tserver 1\n}\n");
	assert_becomes("pool a { own docker { image x } server 1 }",
		       "pool a {\n\town docker {\n\t\timage x\n\t}\n\tserver 1\n}\n");
}

static void comments_stay_where_they_were(void **unused)
{
	(void)unused;
	assert_becomes("# top\n\n  # of the pool  \npool a { # opens\n# first\nserver 1 # one\n"
		       "server 2;# two\n# last\n} # closed\n# end",
		       "# top\n\n# of the pool\npool a { # opens\n\t# first\n\tserver 1 # one\n"
		       "\tserver 2 # two\n\t# last\n} # closed\n# end\n");
}

static void a_hash_within_a_word_is_none(void **unused)
{
	(void)unused;
	assert_becomes("a b#c \"d # e\" # f", "a b#c \"d # e\" # f\n");
}

static void quotes_stay_as_they_are(void **unused)
{
	(void)unused;
	assert_becomes("log \"/a b\\\"{;}\"   \"\"\n", "log \"/a b\\\"{;}\" \"\"\n");
}

static void blank_lines_become_one_at_most(void **unused)
{
	(void)unused;
	assert_becomes("\n\n\na 1\n\n\n\nb 2\n\n", "a 1\n\nb 2\n");
	assert_becomes("a {\n\n\nb 1\n\nc 2\n\n\n}\n\n\nd 3\n", "a {\n\tb 1\n\n\tc 2\n}\n\nd 3\n");
}

static void line_ends_of_others_and_byte_order_marks_go(void **unused)
{
	(void)unused;
	assert_becomes("\xef\xbb\xbf" "a 1\r\n# c\r\nb 2\r\n", "a 1\n# c\nb 2\n");
}

static void nothing_is_nothing(void **unused)
{
	(void)unused;
	assert_becomes("", "");
	assert_becomes(" \n;;\n ", "");
	assert_becomes("a { }", "a {\n}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_statement_has_a_line),
		cmocka_unit_test(comments_stay_where_they_were),
		cmocka_unit_test(a_hash_within_a_word_is_none),
		cmocka_unit_test(quotes_stay_as_they_are),
		cmocka_unit_test(blank_lines_become_one_at_most),
		cmocka_unit_test(line_ends_of_others_and_byte_order_marks_go),
		cmocka_unit_test(nothing_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
