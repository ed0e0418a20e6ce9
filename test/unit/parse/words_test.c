/* Goal: a line becomes the words that redis-server 7.0 would see, within the line's bytes. */
#include "parse/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

enum { ROOM = 8 };

/* Splits a copy that ends with its last byte. The words come back with a '|' behind each. */
static enum words split(const char *line, char out[256])
{
	size_t len = strlen(line);
	char *copy = malloc(len + 1);
	struct span words[ROOM];
	uint32_t count = 99;

	assert_non_null(copy);
	memcpy(copy, line, len);
	enum words result = words_split(copy, len, words, ROOM, &count);
	assert_true(count <= ROOM);
	for (uint32_t i = 0; i < count; i++) {
		assert_true(words[i].at >= copy && words[i].at + words[i].len <= copy + len);
		memcpy(out, words[i].at, words[i].len);
		out += words[i].len;
		*out++ = '|';
	}
	*out = '\0';
	free(copy);
	return result;
}

static void words_are_those_of_redis(void **unused)
{
	static const char *const pairs[][2] = {
		{"", ""}, {"   \t", ""}, {"a", "a|"}, {" a  b\t c ", "a|b|c|"},
		{"\"a b\"", "a b|"}, {"'a b'", "a b|"}, {"\"\" ''", "||"},
		{"x\"a b\" y", "xa b|y|"}, {"x'a b'", "xa b|"}, {"\"it's\"", "it's|"},
		{"'it\\'s'", "it's|"}, {"'a\\nb\\\\ '", "a\\nb\\\\ |"},
		{"\"\\n\\r\\t\\b\\a\\\\\\\"\\q\"", "\n\r\t\b\a\\\"q|"},
		{"\"\\x41\\xfF\\xg1\\x4\"", "A\xffxg1x4|"}, {"a\\nb \\x41", "a\\nb|\\x41|"},
		{"a\vb\fc d", "a\vb\fc|d|"}, {"\v\fa", "a|"}, {"'a'\vb", "a|b|"},
		{"a\rb", "a|b|"}, {"1 2 3 4 5 6 7 8 ", "1|2|3|4|5|6|7|8|"},
	};
	char out[256];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		assert_int_equal(split(pairs[i][0], out), WORDS_DONE);
		assert_string_equal(out, pairs[i][1]);
	}
}

static void quotes_have_to_close_and_end_a_word(void **unused)
{
	static const char *const lines[] = {
		"\"", "'", "a \"b", "a 'b", "\"a\"b", "'a'b", "'a'\"b\"", "\"a\\\"", "'a\\'", "x'"};
	char out[256];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		assert_int_equal(split(lines[i], out), WORDS_UNBALANCED);
}

static void words_beyond_the_room_are_many(void **unused)
{
	char out[256];

	(void)unused;
	assert_int_equal(split("1 2 3 4 5 6 7 8 9", out), WORDS_MANY);
	assert_string_equal(out, "1|2|3|4|5|6|7|8|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_of_redis),
		cmocka_unit_test(quotes_have_to_close_and_end_a_word),
		cmocka_unit_test(words_beyond_the_room_are_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
