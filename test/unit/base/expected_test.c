/* Goal: the word that was meant is suggested, and none when none was meant. */
#include "base/expected.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void distances_are_counted_in_letters(void **unused)
{
	(void)unused;
	assert_int_equal(expected_distance("", ""), 0);
	assert_int_equal(expected_distance("pool", "pool"), 0);
	assert_int_equal(expected_distance("Pool", "pOOL"), 0);
	assert_int_equal(expected_distance("", "pool"), 4);
	assert_int_equal(expected_distance("lissten", "listen"), 1);
	assert_int_equal(expected_distance("listn", "listen"), 1);
	assert_int_equal(expected_distance("lirten", "listen"), 1);
	assert_int_equal(expected_distance("litsen", "listen"), 1);
	assert_int_equal(expected_distance("kitten", "sitting"), 3);
}

static void a_distance_is_the_same_both_ways(void **unused)
{
	(void)unused;
	const char *words[] = {"", "a", "listen", "litsen", "timeout", "to", "route"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		for (size_t k = 0; k < sizeof words / sizeof *words; k++)
			assert_int_equal(expected_distance(words[i], words[k]),
					 expected_distance(words[k], words[i]));
}

static void long_words_are_near_nothing(void **unused)
{
	(void)unused;
	char word[EXPECTED_WORD_MAX + 2] = "";

	memset(word, 'a', EXPECTED_WORD_MAX);
	assert_int_equal(expected_distance(word, word), 0);
	memset(word, 'a', EXPECTED_WORD_MAX + 1);
	assert_int_equal(expected_distance(word, word), UINT32_MAX);
}

static void suggests(const char *found, const char *expected)
{
	struct expected e;

	expected_init(&e, found);
	expected_add(&e, "listen");
	expected_add(&e, "pool");
	expected_add(&e, "to");
	assert_string_equal(expected_text(&e).text, expected);
}

static void only_a_near_word_is_suggested(void **unused)
{
	(void)unused;
	suggests("lsiten", "expected one of listen, pool, to; did you mean \"listen\"?");
	suggests("LISTEN", "expected one of listen, pool, to; did you mean \"listen\"?");
	suggests("t", "expected one of listen, pool, to");
	suggests("ti", "expected one of listen, pool, to; did you mean \"to\"?");
	suggests("spool", "expected one of listen, pool, to; did you mean \"pool\"?");
	suggests("server", "expected one of listen, pool, to");
}

static void one_word_needs_no_choice(void **unused)
{
	(void)unused;
	struct expected e;

	expected_init(&e, "x");
	expected_add(&e, "http");
	assert_string_equal(expected_text(&e).text, "expected http");
}

static void a_long_list_is_cut_but_searched_to_its_end(void **unused)
{
	(void)unused;
	char words[200][24];
	struct expected e;

	expected_init(&e, "pool-number-188");
	for (int i = 0; i < 200; i++) {
		snprintf(words[i], sizeof words[i], "pool-number-%d", i);
		expected_add(&e, words[i]);
		assert_true(strlen(e.list) < EXPECTED_LIST_MAX);
	}
	assert_string_equal(e.nearest, "pool-number-188");
	assert_string_equal(e.list + strlen(e.list) - 5, ", ...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances_are_counted_in_letters),
		cmocka_unit_test(a_distance_is_the_same_both_ways),
		cmocka_unit_test(long_words_are_near_nothing),
		cmocka_unit_test(only_a_near_word_is_suggested),
		cmocka_unit_test(one_word_needs_no_choice),
		cmocka_unit_test(a_long_list_is_cut_but_searched_to_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
