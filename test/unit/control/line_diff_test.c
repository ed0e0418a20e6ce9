/* Goal: what is told makes the one text of the other, is the least there is to tell, and
 * says where it belongs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "control/line_diff.h"

static char told[1 << 16];
static size_t told_len;
static uint32_t edits;

static void tell(void *arg, char sign, struct span line)
{
	(void)arg;
	edits += sign != ' ';
	told_len += (size_t)snprintf(told + told_len, sizeof told - told_len,
				     "%c%.*s\n", sign, (int)line.len, line.at);
	assert_true(told_len < sizeof told);
}

static const char *diff(const char *before, const char *after)
{
	told_len = edits = 0;
	told[0] = '\0';
	line_diff(span_of(before), span_of(after), tell, NULL);
	return told;
}

static void the_same_texts_differ_in_nothing(void **unused)
{
	(void)unused;
	assert_string_equal(diff("", ""), "");
	assert_string_equal(diff("a\nb\n", "a\nb\n"), "");
	assert_string_equal(diff("a\nb", "a\nb\n"), "");
}

static void lines_come_and_go(void **unused)
{
	(void)unused;
	assert_string_equal(diff("", "a\n"), "+a\n");
	assert_string_equal(diff("a\n", ""), "-a\n");
	assert_string_equal(diff("a\nb\nc\n", "a\nc\n"), "-b\n");
	assert_string_equal(diff("a\nc\n", "a\nb\nc\n"), "+b\n");
	assert_string_equal(diff("a\nb\nc\n", "a\nx\nc\n"), "-b\n+x\n");
	assert_string_equal(diff("a\na\n", "a\n"), "-a\n");
	assert_string_equal(diff("\n\n", "\n"), "-\n");
}

static void a_line_is_told_with_the_blocks_around_it(void **unused)
{
	(void)unused;
	assert_string_equal(diff("pool a {\n\tx\n}\npool b {\n\ty\n}\n",
				 "pool a {\n\tx\n}\npool b {\n\ty\n\tz\n}\n"),
			    " pool b {\n+\tz\n");
	assert_string_equal(diff("x {\n\ty {\n\t\ta\n\t\tb\n\t\tc\n\t}\n}\n",
				 "x {\n\ty {\n\t\tb\n\t}\n}\n"),
			    " x {\n \ty {\n-\t\ta\n-\t\tc\n");
	assert_string_equal(diff("x {\n\ta\n}\nz {\n\ta\n}\n",
				 "x {\n\tb\n}\nz {\n\tb\n}\n"),
			    " x {\n-\ta\n+\tb\n z {\n-\ta\n+\tb\n");
	/* One that is new as a whole is told of by itself. */
	assert_string_equal(diff("a\n", "a\nx {\n\tb\n}\n"), "+x {\n+\tb\n+}\n");
	assert_string_equal(diff("}\n}\na\n", "}\n}\n"), "-a\n");
}

/* The length of the longest text that both have in common, by the simplest way. */
static uint32_t common(const char *a, uint32_t n, const char *b, uint32_t m)
{
	static uint32_t best[65][65];

	for (uint32_t i = 0; i <= n; i++) {
		for (uint32_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0)
				best[i][j] = 0;
			else if (a[i - 1] == b[j - 1])
				best[i][j] = best[i - 1][j - 1] + 1;
			else
				best[i][j] = best[i - 1][j] > best[i][j - 1]
						     ? best[i - 1][j] : best[i][j - 1];
		}
	}
	return best[n][m];
}

/* Lines of one letter each. */
static uint32_t random_text(char *letters, char *text, uint64_t seed)
{
	uint32_t n = (uint32_t)(hash_mix(seed) % 40);

	for (uint32_t i = 0; i < n; i++) {
		letters[i] = (char)('a' + hash_mix(seed * 64 + i) % 3);
		text[2 * i] = letters[i];
		text[2 * i + 1] = '\n';
	}
	text[2 * n] = '\0';
	return n;
}

static void what_is_told_is_right_and_least(void **unused)
{
	char a[64], b[64], before[128], after[128];

	(void)unused;
	for (uint64_t seed = 1; seed < 2000; seed++) {
		uint32_t n = random_text(a, before, seed);
		uint32_t m = random_text(b, after, seed * 7);
		uint32_t i = 0, j = 0;
		diff(before, after);
		assert_int_equal(edits, n + m - 2 * common(a, n, b, m));
		/* Each removed line is the next of `a` that is not kept, and so on. */
		for (const char *at = told; *at != '\0'; at += 3) {
			bool removed = *at == '-';
			while (i < n && j < m && a[i] == b[j] &&
			       (removed ? a[i] : b[j]) != at[1])
				i++, j++;
			if (removed)
				i++;
			else
				j++;
		}
		assert_true(i <= n && j <= m);
	}
}

static void too_many_differences_are_told_all_the_same(void **unused)
{
	static char before[20000], after[20000];
	size_t a = 0, b = 0;

	(void)unused;
	for (int i = 0; i < 600; i++) {
		a += (size_t)sprintf(before + a, "old %d\nsame\n", i);
		b += (size_t)sprintf(after + b, "new %d\nsame\n", i);
	}
	diff(before, after);
	/* The last line is the same in both. */
	assert_int_equal(edits, 2 * (1200 - 1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_texts_differ_in_nothing),
		cmocka_unit_test(lines_come_and_go),
		cmocka_unit_test(a_line_is_told_with_the_blocks_around_it),
		cmocka_unit_test(what_is_told_is_right_and_least),
		cmocka_unit_test(too_many_differences_are_told_all_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
