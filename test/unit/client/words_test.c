/* Goal: any bytes can be written as a word and are shown as text that gives them back. */
#include "client/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"

static struct words w;
static struct err err;
static char line[1024];

static int reads(const char *text, size_t len)
{
	memcpy(line, text, len);
	return words_read(line, len, &w, &err);
}

/* The words of a line, which is a literal and may hold NULs. */
#define READS(text) assert_int_equal(reads(text, sizeof(text) - 1), 0)

static void word_is(uint32_t i, struct span expected)
{
	assert_true(i < w.count);
	assert_int_equal(w.at[i].len, expected.len);
	assert_memory_equal(w.at[i].at, expected.at, expected.len);
}

static void refuses(const char *text, const char *expected)
{
	assert_int_equal(reads(text, strlen(text)), -1);
	assert_string_equal(err.text, expected);
}

static void blanks_part_words(void **unused)
{
	(void)unused;
	READS("  put\tkey   value \r\n");
	assert_int_equal(w.count, 3);
	word_is(0, SPAN("put"));
	word_is(1, SPAN("key"));
	word_is(2, SPAN("value"));
	READS("");
	assert_int_equal(w.count, 0);
	READS(" \t ");
	assert_int_equal(w.count, 0);
}

static void quotes_keep_them_together(void **unused)
{
	(void)unused;
	READS("put \"a b\" 'c \"d' e\" \"f ''");
	assert_int_equal(w.count, 5);
	word_is(1, SPAN("a b"));
	word_is(2, SPAN("c \"d"));
	word_is(3, SPAN("e f"));
	word_is(4, SPAN(""));
}

static void escapes_are_any_byte(void **unused)
{
	(void)unused;
	READS("\\x00\\xfF\\n \"\\x41\\\"\\\\\" '\\x41\\' \\ \\'\\t\\r");
	assert_int_equal(w.count, 4);
	word_is(0, SPAN("\0\xff\n"));
	word_is(1, SPAN("A\"\\"));
	word_is(2, SPAN("\\x41\\"));
	word_is(3, SPAN(" '\t\r"));
}

static void raw_bytes_are_themselves(void **unused)
{
	(void)unused;
	READS("a\0b \xff\xfe \xc3\xa9");
	assert_int_equal(w.count, 3);
	word_is(0, SPAN("a\0b"));
	word_is(1, SPAN("\xff\xfe"));
	word_is(2, SPAN("\xc3\xa9"));
}

static void what_is_wrong_is_said_with_its_column(void **unused)
{
	(void)unused;
	refuses("put \"abc", "column 5: this quote is never closed");
	refuses("it's", "column 3: this quote is never closed");
	refuses("a \\x4", "column 3: \\x needs two hex digits, as in \\x0a");
	refuses("a \\x4g", "column 3: \\x needs two hex digits, as in \\x0a");
	refuses("\\q", "column 1: no such escape; there are \\xHH \\n \\r \\t, and for a "
		       "backslash \\\\");
	refuses("abc\\", "column 4: nothing behind the backslash; for one write \\\\");
	refuses("\"abc\\", "column 5: nothing behind the backslash; for one write \\\\");
	refuses("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
		"column 40: too many words; one with blanks in it needs quotes");
}

static void shows(struct span bytes, const char *expected)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	words_print(out, bytes);
	fclose(out);
	assert_string_equal(text, expected);
	assert_true(words_are_plain(bytes) ==
		    span_equals(bytes, (struct span){text, len}));
	free(text);
}

static void nothing_shown_controls_a_terminal(void **unused)
{
	(void)unused;
	shows(SPAN(""), "");
	shows(SPAN("plain text, \"quoted\""), "plain text, \"quoted\"");
	shows(SPAN("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x98"),
	      "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x98");
	shows(SPAN("\x1b[2J\x7f\0"), "\\x1b[2J\\x7f\\x00");
	shows(SPAN("a\nb\tc\r\\"), "a\\nb\\tc\\r\\\\");
	shows(SPAN("\xff\xc3"), "\\xff\\xc3");
	shows(SPAN("\xc2\x9b" "2J"), "\\xc2\\x9b2J");	/* CSI in one character */
	shows(SPAN("\xc0\x80"), "\\xc0\\x80");
}

static void what_is_shown_gives_the_bytes_back(void **unused)
{
	(void)unused;
	for (uint64_t round = 0; round < 2000; round++) {
		char bytes[24], *text = NULL;
		size_t len = hash_mix(round) % sizeof bytes, shown;
		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)hash_pair(round, i);
		FILE *out = open_memstream(&text, &shown);
		words_print(out, (struct span){bytes, len});
		fclose(out);
		assert_int_equal(words_unescape(text, &shown, &err), 0);
		assert_int_equal(shown, len);
		assert_memory_equal(text, bytes, len);
		free(text);
	}
}

static void a_text_for_a_message_is_cut(void **unused)
{
	char many[200];

	(void)unused;
	memset(many, '\n', sizeof many);
	struct words_text t = words_text((struct span){many, sizeof many});
	assert_int_equal(strlen(t.text), WORDS_TEXT_MAX + 3);
	assert_string_equal(t.text + WORDS_TEXT_MAX - 2, "\\n...");
	assert_string_equal(words_text((struct span){many, 1}).text, "\\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_part_words),
		cmocka_unit_test(quotes_keep_them_together),
		cmocka_unit_test(escapes_are_any_byte),
		cmocka_unit_test(raw_bytes_are_themselves),
		cmocka_unit_test(what_is_wrong_is_said_with_its_column),
		cmocka_unit_test(nothing_shown_controls_a_terminal),
		cmocka_unit_test(what_is_shown_gives_the_bytes_back),
		cmocka_unit_test(a_text_for_a_message_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
