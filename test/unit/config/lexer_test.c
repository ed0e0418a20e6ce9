/* Goal: words are what stands in the file, errors are where they stand. */
#include "unit/config/read.h"

#include "config/lexer.h"

/* All tokens of a text in short: words in angle brackets, a stop as "." */
static char *tokens(const char *text, size_t len)
{
	char *storage = calloc(len + 1, 1), *out;
	size_t out_len;
	FILE *f = open_memstream(&out, &out_len);
	struct lexer l;
	struct token t;

	report_init(&report, "test.conf", (struct span){text, len});
	lexer_init(&l, report.text, storage, &report);
	do {
		t = lexer_next(&l);
		switch (t.kind) {
		case TOKEN_WORD:
			fprintf(f, "<%s>%s", t.text, t.broken ? "!" : "");
			break;
		case TOKEN_STOP:
			fputc('.', f);
			break;
		case TOKEN_OPEN:
			fputc('{', f);
			break;
		case TOKEN_CLOSE:
			fputc('}', f);
			break;
		case TOKEN_END:
			break;
		}
		assert_true(l.storage <= storage + len + 1);
	} while (t.kind != TOKEN_END);
	fclose(f);
	free(storage);
	return out;
}

static void reads(const char *text, const char *expected, const char *errors)
{
	char *found = tokens(text, strlen(text)), *said = problems_text(&report);

	assert_string_equal(found, expected);
	assert_string_equal(said, errors);
	free(found);
	free(said);
}

static void words_end_at_blanks_and_punctuation(void **unused)
{
	(void)unused;
	reads("", "", "");
	reads("a bc\td", "<a><bc><d>", "");
	reads("a{b;c}d", "<a>{<b>.<c>}<d>", "");
	reads("a\nb\r\nc", "<a>.<b>.<c>", "");
	reads("http://x/?a=b&c[1]*'\\", "<http://x/?a=b&c[1]*'\\>", "");
}

static void quotes_take_everything_and_three_escapes(void **unused)
{
	(void)unused;
	reads("\"a {b};#\t\" \"\" \"\\\"\\\\\\n\"", "<a {b};#\t><><\"\\\n>", "");
}

static void a_comment_begins_where_a_word_could(void **unused)
{
	(void)unused;
	reads("# a { \"\na # b\r\nc#d", ".<a>.<c#d>", "");
}

static void a_byte_order_mark_is_skipped_at_the_beginning_only(void **unused)
{
	(void)unused;
	reads("\xef\xbb\xbf" "a", "<a>", "");
	reads("a \xef\xbb\xbf" "b", "<a><\xef\xbb\xbf" "b>", "");
	reads("\xef\xbb\xbf\"a", "<a>!",
	      "1:1: error: a quote that is not closed in its line; "
	      "add \", or write \\n for a new line\n");
}

static void columns_count_characters(void **unused)
{
	(void)unused;
	/* Two bytes each: umlauts. */
	reads("\xc3\xa4\xc3\xb6 \"\\x\"", "<\xc3\xa4\xc3\xb6><>!",
	      "1:5: error: unknown escape \"\\x\" in a quoted word; there are \\\" \\\\ "
	      "and \\n\n");
	assert_int_equal(report.problems[0].caret, 4);
}

static void an_open_quote_ends_with_its_line(void **unused)
{
	(void)unused;
	reads("a \"b c\n"
	      "d",
	      "<a><b c>!.<d>",
	      "1:3: error: a quote that is not closed in its line; add \", or write "
	      "\\n for a new line\n");
	reads("\"\\",
	      "<>!",
	      "1:1: error: a quote that is not closed in its line; add \", or write "
	      "\\n for a new line\n");
}

static void an_open_quote_gives_the_brace_back(void **unused)
{
	(void)unused;
	reads("pool \"web { \t\n"
	      "a\n"
	      "}",
	      "<pool><web { \t>!{.<a>.}",
	      "1:6: error: a quote that is not closed in its line; add \", or write "
	      "\\n for a new line\n");
	reads("\"\xc3\xa4{\n\"x", "<\xc3\xa4{>!{.<x>!",
	      "1:1: error: a quote that is not closed in its line; add \", or write \\n "
	      "for a "
	      "new line\n"
	      "2:1: error: a quote that is not closed in its line; add \", or write \\n "
	      "for a "
	      "new line\n");
}

static void quotes_stand_apart_from_other_words(void **unused)
{
	(void)unused;
	reads("a\"b\"",
	      "<a>!<b>",
	      "1:2: error: a quote inside a word; quote the whole word, or put a "
	      "space before it\n");
	reads("\"a\"b",
	      "<a>!<b>",
	      "1:4: error: text right after a quoted word; put a space before it\n");
	reads("\"a\"\"b\"",
	      "<a>!<b>",
	      "1:4: error: text right after a quoted word; put a space before it\n");
	reads("\"a\"{\"b\";\"c\"", "<a>{<b>.<c>", "");
}

static void control_bytes_are_said_once_a_word(void **unused)
{
	(void)unused;
	reads("a\x01\x02 b\x7f", "<a\x01\x02>!<b\x7f>!",
	      "1:2: error: a control character (byte 0x01); is this a text file?\n"
	      "1:6: error: a control character (byte 0x7f); is this a text file?\n");
	reads("a\rb",
	      "<a\rb>!",
	      "1:2: error: a control character (byte 0x0d); is this a text file?\n");
	char *found = tokens("a\0b", 3);
	assert_string_equal(found, "<a>!");	/* as far as C strings go */
	assert_int_equal(report.error_count, 1);
	free(found);
}

static void words_are_utf_8_and_comments_anything(void **unused)
{
	(void)unused;
	reads("a\xff\xfe \"\xc3\" # \xff", "<a\xff\xfe>!<\xc3>!",
	      "1:2: error: something that is no UTF-8 (byte 0xff); is this a text file?\n"
	      "1:6: error: something that is no UTF-8 (byte 0xc3); is this a text "
	      "file?\n");
	reads("\xed\xa0\x80", "<\xed\xa0\x80>!",
	      "1:1: error: something that is no UTF-8 (byte 0xed); is this a text "
	      "file?\n");
}

static void a_word_has_a_longest(void **unused)
{
	(void)unused;
	char text[LEXER_WORD_MAX + 3] = "";

	memset(text, 'x', LEXER_WORD_MAX);
	char *found = tokens(text, LEXER_WORD_MAX);
	assert_int_equal(report.error_count, 0);
	free(found);
	memset(text, 'x', LEXER_WORD_MAX + 1);
	found = tokens(text, LEXER_WORD_MAX + 1);
	assert_int_equal(report.error_count, 1);
	assert_string_equal(report.problems[0].text,
			    "a word of 1025 bytes; at most 1024 are allowed");
	free(found);
}

static void quotes_are_put_where_they_are_needed(void **unused)
{
	(void)unused;
	const char *with[] = {"",   "a b", "a;", "{",  "}",
			      "#a", "a\"", "\n", "\t", "\xef\xbb\xbf"};
	const char *without[] = {"a", "a#", "\\", "[::1]:80", "\xc3\xa4", "'"};

	for (size_t i = 0; i < sizeof with / sizeof *with; i++)
		assert_true(lexer_needs_quotes(with[i]));
	for (size_t i = 0; i < sizeof without / sizeof *without; i++)
		assert_false(lexer_needs_quotes(without[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_end_at_blanks_and_punctuation),
		cmocka_unit_test(quotes_take_everything_and_three_escapes),
		cmocka_unit_test(a_comment_begins_where_a_word_could),
		cmocka_unit_test(a_byte_order_mark_is_skipped_at_the_beginning_only),
		cmocka_unit_test(columns_count_characters),
		cmocka_unit_test(an_open_quote_ends_with_its_line),
		cmocka_unit_test(an_open_quote_gives_the_brace_back),
		cmocka_unit_test(quotes_stand_apart_from_other_words),
		cmocka_unit_test(control_bytes_are_said_once_a_word),
		cmocka_unit_test(words_are_utf_8_and_comments_anything),
		cmocka_unit_test(a_word_has_a_longest),
		cmocka_unit_test(quotes_are_put_where_they_are_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
