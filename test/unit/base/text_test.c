/* Goal: what comes from outside is shown on one line, short, in whole characters. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void width_counts_characters(void **unused)
{
	(void)unused;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("\xe2\x82\xac\xc3\xa4x"), 3);
}

static void a_cut_goes_between_characters(void **unused)
{
	const char *text = "a\xe2\x82\xac";

	(void)unused;
	assert_int_equal(text_whole(text, 1, text[1]), 1);
	assert_int_equal(text_whole(text, 2, text[2]), 1);
	assert_int_equal(text_whole(text, 3, text[3]), 1);
	assert_int_equal(text_whole(text, 4, '\0'), 4);
	assert_int_equal(text_whole("\x80\x80", 2, '\x80'), 0);
}

static void quotes_are_short_and_in_one_line(void **unused)
{
	(void)unused;
	char word[2000] = "";

	assert_string_equal(quote("abc").text, "\"abc\"");
	assert_string_equal(quote("").text, "\"\"");
	assert_string_equal(quote("a\nb\x1b").text, "\"a\\nb?\"");
	for (int i = 0; i < 100; i++)
		strcat(word, "\xe2\x82\xac");
	for (int start = 0; start < 3; start++) {
		struct quoted q = quote(word + 3 * start);
		assert_true(strlen(q.text) < sizeof q.text);
		assert_int_equal((strlen(q.text) - 5) % 3, 0);
	}
	memset(word, '\n', 1999);
	assert_true(strlen(quote(word).text) < sizeof(struct quoted));
	memset(word, '\x80', 1999);
	assert_string_equal(quote(word).text, "\"...\"");
}

static void characters_are_those_of_rfc_3629(void **unused)
{
	(void)unused;
	static const char *const good[] = {
		"a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
	};
	static const char *const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2" "a",
		"\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xff",
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(text_character(good[i], good[i] + strlen(good[i])),
				 strlen(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(text_character(bad[i], bad[i] + strlen(bad[i])), 0);
}

static void plain_text_controls_nothing(void **unused)
{
	(void)unused;
	assert_true(text_is_plain(""));
	assert_true(text_is_plain("/run/\xc3\xa4 b.sock"));
	assert_false(text_is_plain("a\nb"));
	assert_false(text_is_plain("a\x7f"));
	assert_false(text_is_plain("a\xc3"));
}

/* U+0085, U+009B and U+2028 are newlines or commands to some; so is a byte of them that
 * stands alone. What only has such a byte in it stays. */
static void what_controls_is_tamed(void **unused)
{
	static const struct { const char *text, *tame; } cases[] = {
		{"", ""}, {"a b~", "a b~"}, {"\x1b[2J\n\x7f", "?[2J??"},
		{"a\xc2\x85z", "a??z"}, {"\xc2\x9b" "2J", "??2J"}, {"\xc2\x80\xc2\x9f", "????"},
		{"\xc2\xa0", "\xc2\xa0"}, {"\x9b" "2J", "?2J"}, {"\xff\xa0", "\xff\xa0"},
		{"\xe2\x80\xa8\xe2\x80\xa9", "??????"}, {"\xe2\x80\x99", "\xe2\x80\x99"},
		{"\xe2\x80", "\xe2?"}, {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		{"\xc3\x9b\xc2", "\xc3\x9b\xc2"},
	};
	char text[16];

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		strcpy(text, cases[i].text);
		text_tame(text, strlen(text));
		assert_string_equal(text, cases[i].tame);
	}
	assert_string_equal(quote("a\n\xc2\x9b").text, "\"a\\n??\"");
	assert_false(text_is_plain("a\xc2\x85"));
}

static void is_marked(const char *from, size_t len, size_t size, const char *want)
{
	char out[32];

	memset(out, '#', sizeof out);
	assert_string_equal(text_mark(out, size, from, len), want);
	assert_int_equal(out[size], '#');
}

static void what_others_say_ends_where_it_ends(void **unused)
{
	(void)unused;
	is_marked("a b", 3, 31, "a b");
	is_marked("a\" pool=\"b", 10, 31, "a\\\" pool=\\\"b");
	is_marked("\\", 1, 31, "\\\\");
	is_marked("a\tb\0c", 5, 31, "a b c");
	is_marked("abc", 3, 1, "");
	is_marked("\"\"\"", 3, 6, "\\\"\\\"");
	is_marked("", 0, 1, "");
}

static void becomes(const char *text, const char *want)
{
	char *copy = text_utf8(text);

	assert_string_equal(copy, want);
	free(copy);
}

static void a_copy_in_utf8_is_the_text_or_has_question_marks(void **unused)
{
	(void)unused;
	becomes("", "");
	becomes("/etc/a b.conf", "/etc/a b.conf");
	becomes("/run/\xc3\xa4", "/run/\xc3\xa4");
	becomes("\xc3\xa4 \xff", "?? ?");
	becomes("a\xc3", "a?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_in_utf8_is_the_text_or_has_question_marks),
		cmocka_unit_test(width_counts_characters),
		cmocka_unit_test(a_cut_goes_between_characters),
		cmocka_unit_test(quotes_are_short_and_in_one_line),
		cmocka_unit_test(characters_are_those_of_rfc_3629),
		cmocka_unit_test(plain_text_controls_nothing),
		cmocka_unit_test(what_controls_is_tamed),
		cmocka_unit_test(what_others_say_ends_where_it_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
