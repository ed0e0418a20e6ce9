/* Goal: every problem is found again in the file, however the file looks. */
#include "unit/config/read.h"

static void prints(const char *text, struct place at, const char *expected)
{
	char *said;
	size_t len;

	report_init(&report, "a.conf", span_of(text));
	report_error(&report, at, "wrong");
	FILE *out = open_memstream(&said, &len);
	report_print(&report, out);
	fclose(out);
	assert_string_equal(said, expected);
	free(said);
}

static void the_caret_is_under_the_place(void **unused)
{
	(void)unused;
	prints("a\n"
	       "bc def\n",
	       (struct place){2,
	       4,
	       3},
	       "a.conf:2:4: error: wrong\n"
	       "    bc def\n"
	       "       ^~~\n");
	prints("abc",
	       (struct place){1,
	       4,
	       1},
	       "a.conf:1:4: error: wrong\n"
	       "    abc\n"
	       "       ^\n");
	prints("ab",
	       (struct place){1,
	       1,
	       9},
	       "a.conf:1:1: error: wrong\n"
	       "    ab\n"
	       "    ^~\n");
	prints("", (struct place){1, 1, 1}, "a.conf:1:1: error: wrong\n    \n    ^\n");
	prints("a", (struct place){7, 3, 1}, "a.conf:7:3: error: wrong\n    \n    ^\n");
}

static void tabs_and_wide_bytes_keep_the_caret_in_place(void **unused)
{
	(void)unused;
	prints("\ta b",
	       (struct place){1,
	       4,
	       1},
	       "a.conf:1:4: error: wrong\n"
	       "    \ta b\n"
	       "    \t  ^\n");
	prints("\xc3\xa4\xc3\xb6 \xc3\xbcx", (struct place){1, 4, 2},
	       "a.conf:1:4: error: wrong\n    \xc3\xa4\xc3\xb6 \xc3\xbcx\n       ^~\n");
}

static void control_bytes_do_not_reach_the_terminal(void **unused)
{
	(void)unused;
	prints("a\x1b[2J\x7f\r\n", (struct place){1, 1, 1},
	       "a.conf:1:1: error: wrong\n    a?[2J?\n    ^\n");
}

static void a_long_line_is_shown_around_the_place(void **unused)
{
	(void)unused;
	char text[5001];

	for (int i = 0; i < 5000; i++)
		text[i] = (char)('a' + i % 26);
	text[5000] = '\0';
	for (uint32_t column = 1; column <= 5000; column += 7) {
		report_init(&report, "a.conf", span_of(text));
		report_error(&report, (struct place){1, column, 1}, "wrong");
		const struct config_problem *p = &report.problems[0];
		assert_true(strlen(p->source) < REPORT_SOURCE_MAX);
		assert_int_equal(p->source[p->caret], text[column - 1]);
	}
}

static void a_cut_line_has_whole_characters(void **unused)
{
	(void)unused;
	char text[1001] = "";

	for (int shift = 0; shift < 3; shift++) {
		memset(text, 'x', (size_t)shift);
		for (int i = shift; i + 2 < 1000; i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		report_init(&report, "a.conf", span_of(text));
		for (uint32_t column = 1; column < 300; column += 11)
			report_error(&report, (struct place){1, column, 1}, "wrong");
		for (uint32_t i = 0; i < report.count; i++) {
			const char *source = report.problems[i].source;
			size_t at = strspn(source, "x");
			assert_int_equal((strlen(source) - at) % 3, 0);
			assert_true(source[at] == '\xe2');
		}
	}
}

static void problems_come_in_the_order_of_the_file(void **unused)
{
	(void)unused;
	report_init(&report, "a.conf", SPAN(""));
	report_error(&report, (struct place){3, 1, 1}, "d");
	report_error(&report, (struct place){1, 5, 1}, "b");
	report_warning(&report, (struct place){2, 1, 1}, "c");
	report_error(&report, (struct place){1, 2, 1}, "a");
	report_error(&report, (struct place){3, 1, 1}, "e");
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(report.problems[i].text[0], 'a' + (int)i);
	assert_int_equal(report.error_count, 4);
	assert_int_equal(report.warning_count, 1);
}

static void what_is_too_much_is_counted(void **unused)
{
	(void)unused;
	char *said;
	size_t len;

	report_init(&report, "a.conf", SPAN(""));
	for (uint32_t i = 0; i < REPORT_PROBLEMS_MAX + 3; i++)
		report_error(&report, (struct place){i + 1, 1, 1}, "wrong");
	for (uint32_t i = 0; i < REPORT_PROBLEMS_MAX + 1; i++)
		report_warning(&report, (struct place){i + 1, 1, 1}, "odd");
	assert_int_equal(report.count, 2 * REPORT_PROBLEMS_MAX);
	FILE *out = open_memstream(&said, &len);
	report_print(&report, out);
	fclose(out);
	assert_non_null(strstr(said, "\nand 3 more errors\nand 1 more warning\n"));
	free(said);
}

static void a_quiet_report_takes_nothing(void **unused)
{
	(void)unused;
	report_init(&report, "a.conf", SPAN(""));
	report.quiet = true;
	report_error(&report, (struct place){1, 1, 1}, "wrong");
	assert_int_equal(report.count + report.error_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_caret_is_under_the_place),
		cmocka_unit_test(tabs_and_wide_bytes_keep_the_caret_in_place),
		cmocka_unit_test(control_bytes_do_not_reach_the_terminal),
		cmocka_unit_test(a_long_line_is_shown_around_the_place),
		cmocka_unit_test(a_cut_line_has_whole_characters),
		cmocka_unit_test(problems_come_in_the_order_of_the_file),
		cmocka_unit_test(what_is_too_much_is_counted),
		cmocka_unit_test(a_quiet_report_takes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
