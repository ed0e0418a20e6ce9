/* Goal: whatever the bytes are, a parser reads them back, and no terminal obeys them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"

enum { TEXT_MAX = 256 };

static char out[TEXT_MAX * JSON_TEXT_BYTE_MAX + 3];

static const char *written(struct span text)
{
	memset(out, '#', sizeof out);
	char *end = json_text_put(out, text);

	assert_true(end <= out + text.len * JSON_TEXT_BYTE_MAX + 2);
	*end = '\0';
	return out;
}

static void becomes(const char *text, const char *want)
{
	assert_string_equal(written(span_of(text)), want);
}

static void what_is_plain_stays(void **unused)
{
	(void)unused;
	becomes("", "\"\"");
	becomes("/a?b=c d~", "\"/a?b=c d~\"");
	becomes("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		"\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
	assert_string_equal(written((struct span){NULL, 0}), "\"\"");
}

static void what_would_end_or_move_it_is_marked(void **unused)
{
	(void)unused;
	becomes("a\"b\\c", "\"a\\\"b\\\\c\"");
	becomes("\n\x1b[2J\x7f", "\"\\u000A\\u001B[2J\\u007F\"");
	/* U+009B, which some terminals obey, and U+2028 and U+2029, which end lines. */
	becomes("\xc2\x9b" "2J", "\"\\u009B2J\"");
	becomes("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", "\"\\u2028\\u2029\xe2\x80\xaa\"");
	assert_string_equal(written((struct span){"a\0b", 3}), "\"a\\u0000b\"");
}

static void a_byte_of_no_character_is_marked_alone(void **unused)
{
	(void)unused;
	becomes("\xff", "\"\\u00FF\"");
	becomes("a\xc3", "\"a\\u00C3\"");		/* it ends too early */
	becomes("\xc0\x80", "\"\\u00C0\\u0080\"");	/* longer than it need be */
	becomes("\xed\xa0\x80", "\"\\u00ED\\u00A0\\u0080\"");	/* half of a pair */
}

/* Plain bytes go sixteen at a time: each place of an odd one has its turn. */
static void an_odd_byte_is_found_wherever_it_stands(void **unused)
{
	static const char odd[] = {'"', '\\', '\n', 0x7f};
	char text[TEXT_MAX];

	(void)unused;
	for (size_t len = 1; len < 70; len++)
		for (size_t at = 0; at < len; at++) {
			memset(text, 'x', len);
			text[at] = odd[(len + at) % sizeof odd];
			const char *json = written((struct span){text, len});
			json_t *read = json_loads(json, JSON_DECODE_ANY, NULL);
			assert_non_null(read);
			assert_int_equal(json_string_length(read), len);
			assert_memory_equal(json_string_value(read), text, len);
			json_decref(read);
		}
}

static void any_bytes_are_read_by_a_parser(void **unused)
{
	char text[TEXT_MAX];

	(void)unused;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		size_t len = (size_t)rand() % TEXT_MAX;
		for (size_t k = 0; k < len; k++)
			text[k] = (char)(rand() % 4 == 0 ? rand() : 0x80 | rand() % 64);
		const char *json = written((struct span){text, len});
		json_t *read = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		assert_non_null(read);
		json_decref(read);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_plain_stays),
		cmocka_unit_test(what_would_end_or_move_it_is_marked),
		cmocka_unit_test(a_byte_of_no_character_is_marked_alone),
		cmocka_unit_test(an_odd_byte_is_found_wherever_it_stands),
		cmocka_unit_test(any_bytes_are_read_by_a_parser),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
