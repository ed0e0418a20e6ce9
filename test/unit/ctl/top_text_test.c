/* Goal: a text takes the columns it is given and no more, whatever its characters are. */
#include "ctl/top_text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

static void texts_are_cut_at_columns(void **unused)
{
	static const struct {
		const char *text;
		uint32_t    columns;
		const char *cut;
	} cases[] = {
		{"server", 6, "server"}, {"server", 5, "serv\u2026"},
		{"server", 1, "\u2026"},
		{"server", 0, ""}, {"", 5, ""},
		{"\u00fcber", 4, "\u00fcber"}, {"\u00fcber", 3, "\u00fcb\u2026"},
		/* Two columns each; half of one is none. */
		{"\u65e5\u672c\u8a9e", 6, "\u65e5\u672c\u8a9e"},
		{"\u65e5\u672c\u8a9e", 5, "\u65e5\u672c\u2026"},
		{"\u65e5\u672c\u8a9e", 4, "\u65e5\u2026"},
		{"a\x1b[2Jb", 9, "a?[2Jb"}, {"\xff\xc3(", 9, "?\?("},
	};
	char to[64];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint32_t used =
			top_text_cut(to, sizeof to, cases[i].text, cases[i].columns);
		assert_string_equal(to, cases[i].cut);
		assert_int_equal(used, top_text_columns(to));
		assert_true(used <= cases[i].columns);
	}
}

static void bytes_are_bounded_too(void **unused)
{
	char to[16], text[200];

	(void)unused;
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_true(top_text_cut(to, sizeof to, text, 150) < sizeof to);
	assert_true(strlen(to) < sizeof to);
}

static void figures_are_short(void **unused)
{
	static const double values[] = {
		-1, 0, 0.04, 0.4, 9.94, 9.96, 99.94, 99.96, 999.4, 999.6, 1234, 99999,
		1e6, 123456789, 1e12,
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		assert_true(strlen(top_figure_rate(values[i]).text) <= 5);
		assert_true(strlen(top_figure_whole(values[i]).text) <= 5);
		if (values[i] <= 1e6)
			assert_true(strlen(top_figure_ms(values[i]).text) <= 6);
	}
	assert_string_equal(top_figure_rate(-1).text, "-");
	assert_string_equal(top_figure_rate(0).text, "0");
	assert_string_equal(top_figure_rate(0.5).text, "0.5");
	assert_string_equal(top_figure_rate(4242).text, "4.2k");
	assert_string_equal(top_figure_ms(0.123).text, "0.12");
	assert_string_equal(top_figure_ms(12500).text, "12.5s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_cut_at_columns),
		cmocka_unit_test(bytes_are_bounded_too),
		cmocka_unit_test(figures_are_short),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
