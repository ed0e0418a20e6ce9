/* Goal: a configuration and its JSON say the same, word for word, and what is no
 * configuration is named by its statement. */
#include "unit/config/read.h"

#include "config/json.h"
#include "config/tree.h"

static json_t *json_of(const char *text)
{
	json_t *json = config_json_of_text(text, strlen(text), "test.conf", &report);

	assert_non_null(json);
	return json;
}

static bool same_tree(const char *a, const char *b)
{
	struct config_report ignored;
	struct tree x, y;

	report_init(&ignored, "a", span_of(a));
	tree_init(&x, span_of(a), &ignored);
	report_init(&ignored, "b", span_of(b));
	tree_init(&y, span_of(b), &ignored);
	bool same = tree_equals(&x, &y) && ignored.error_count == 0;
	tree_fini(&x);
	tree_fini(&y);
	return same;
}

/* The text is this in JSON, and the JSON another text of the same words. */
static void is_twin(const char *text, const char *expected)
{
	json_t *json = json_of(text);
	char *found = json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER);
	struct err err;

	assert_string_equal(found, expected);
	char *again = config_text_of_json(json, &err);
	assert_non_null(again);
	assert_true(same_tree(text, again));
	json_t *twice = json_of(again);
	assert_true(json_equal(json, twice));
	json_decref(twice);
	json_decref(json);
	free(again);
	free(found);
}

static void statements_are_words_and_blocks(void **unused)
{
	(void)unused;
	is_twin("", "[]");
	is_twin("a b; c # no more", "[{\"words\":[\"a\",\"b\"]},{\"words\":[\"c\"]}]");
	is_twin("a {\n} b { c; d { e } }",
		"[{\"words\":[\"a\"],\"block\":[]},"
		"{\"words\":[\"b\"],\"block\":[{\"words\":[\"c\"]},"
		"{\"words\":[\"d\"],\"block\":[{\"words\":[\"e\"]}]}]}]");
}

static void words_are_the_same_words(void **unused)
{
	(void)unused;
	is_twin("\"\" \"a b\" \"\\n\\\"\\\\\" \"{;}\" \"#\" \xc3\xa4 \"\t\" \\",
		"[{\"words\":[\"\",\"a b\",\"\\n\\\"\\\\\",\"{;}\",\"#\",\"\xc3\xa4\","
		"\"\\t\",\"\\\\\"]}]");
	is_twin("\"\xef\xbb\xbf" "a\"", "[{\"words\":[\"\xef\xbb\xbf" "a\"]}]");
}

static void statement_n_stands_in_line_n(void **unused)
{
	(void)unused;
	json_t *json = json_of("listen http :80 { to web\nhed-size 4k }\n\n"
			       "pool web { server 1; server x }\npool b {}\nthreads 0");
	struct err err;
	char *text = config_text_of_json(json, &err);

	assert_string_equal(text, "listen http :80 {\n"
				  "	to web\n"
				  "	hed-size 4k }\n"
				  "pool web {\n"
				  "	server 1\n"
				  "	server x }\n"
				  "pool b { }\n"
				  "threads 0\n");
	assert_null(config_read(text, strlen(text), "json", &report));
	assert_int_equal(report.problems[0].at.line, 3);
	assert_int_equal(report.problems[1].at.line, 6);
	free(text);
	json_decref(json);
}

static void a_broken_text_has_no_json(void **unused)
{
	(void)unused;
	static const char *const texts[] = {"a {", "}", "\"a", "a\xff", "a\x01"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t len = strlen(texts[i]);
		assert_null(config_json_of_text(texts[i], len, "t", &report));
		assert_int_equal(report.error_count, 1);
	}
}

static void refuses(const char *text, const char *reason)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	struct err err = {""};

	assert_non_null(json);
	assert_null(config_text_of_json(json, &err));
	assert_string_equal(err.text, reason);
	json_decref(json);
}

static void what_is_no_configuration_is_said_by_its_number(void **unused)
{
	(void)unused;
	refuses("{}", "a configuration in JSON is an array of statements");
	refuses("[1]", "statement 1 is no object with \"words\" and, where it has one, "
		       "\"block\"");
	refuses("[{\"words\":[\"a\"]},{}]",
		"statement 2 needs \"words\", an array of at least one word");
	refuses("[{\"words\":[]}]",
		"statement 1 needs \"words\", an array of at least one word");
	refuses("[{\"words\":[\"a\"],\"block\":[{\"words\":\"b\"}]}]",
		"statement 2 needs \"words\", an array of at least one word");
	refuses("[{\"words\":[\"a\"],\"blok\":[]}]",
		"statement 1 has \"blok\"; expected \"words\" and, where it has one, "
		"\"block\"");
	refuses("[{\"words\":[\"a\"],\"block\":{}}]",
		"the \"block\" of statement 1 is no array");
	refuses("[{\"words\":[\"a\",1]}]",
		"word 2 of statement 1 is no string without control characters");
	refuses("[{\"words\":[\"a\\u0000b\"]}]",
		"word 1 of statement 1 is no string without control characters");
	refuses("[{\"words\":[\"a\\r\"]}]",
		"word 1 of statement 1 is no string without control characters");
	refuses("[{\"words\":[\"a\\u007f\"]}]",
		"word 1 of statement 1 is no string without control characters");
}

static void blocks_nest_as_deep_as_in_a_text(void **unused)
{
	(void)unused;
	char text[4096] = "";
	struct err err;

	for (int i = 0; i <= TREE_DEPTH_MAX; i++)
		strcat(text, "[{\"words\":[\"a\"],\"block\":");
	strcat(text, "[]");
	for (int i = 0; i <= TREE_DEPTH_MAX; i++)
		strcat(text, "}]");
	refuses(text, "statement 9: blocks within blocks, more than 8 deep");

	json_t *json = json_of("1 { 2 { 3 { 4 { 5 { 6 { 7 { 8 { } } } } } } } }");
	char *again = config_text_of_json(json, &err);
	assert_non_null(again);
	free(again);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_are_words_and_blocks),
		cmocka_unit_test(words_are_the_same_words),
		cmocka_unit_test(statement_n_stands_in_line_n),
		cmocka_unit_test(a_broken_text_has_no_json),
		cmocka_unit_test(what_is_no_configuration_is_said_by_its_number),
		cmocka_unit_test(blocks_nest_as_deep_as_in_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
