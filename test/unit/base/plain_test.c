/* Goal: a text is copied up to its first byte that is not plain, wherever that stands and
 * whatever the length, and nothing behind the text is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/plain.h"

enum { LONGEST = 70 };

static bool is_plain(unsigned char c, bool spaces)
{
	return (c > ' ' || (spaces && c == ' ')) && c < 0x7f && c != '"' && c != '\\';
}

static void each_byte_is_plain_or_not_alone(void **unused)
{
	(void)unused;
	for (unsigned c = 0; c < 256; c++) {
		assert_int_equal(plain_is((char)c, PLAIN_FROM_SPACE), is_plain((uint8_t)c, true));
		assert_int_equal(plain_is((char)c, PLAIN_FROM_SEEN), is_plain((uint8_t)c, false));
	}
}

/* Of heap memory that is as long as the text, so that sanitizers see one byte too many. */
static void copies(size_t len, size_t odd_at, unsigned char odd, enum plain_from from)
{
	char *text = malloc(len + 1), *to = malloc(len + 1);
	bool stops = odd_at < len && !is_plain(odd, from == PLAIN_FROM_SPACE);
	size_t want = stops ? odd_at : len;

	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i % 26);
	if (odd_at < len)
		text[odd_at] = (char)odd;
	to[len] = '|';
	assert_int_equal(plain_copy(to, (struct span){text, len}, from), want);
	assert_memory_equal(to, text, want);
	assert_int_equal(to[len], '|');
	free(text);
	free(to);
}

static void a_byte_that_is_not_plain_stops_it_wherever_it_is(void **unused)
{
	static const unsigned char some[] = {0, '\n', 0x1f, ' ', '!', '"', '\\', '~', 0x7f,
					     0x80, 0xff};

	(void)unused;
	for (size_t len = 0; len <= LONGEST; len++)
		for (size_t at = 0; at <= len; at++)
			for (size_t i = 0; i < sizeof some; i++) {
				copies(len, at, some[i], PLAIN_FROM_SPACE);
				copies(len, at, some[i], PLAIN_FROM_SEEN);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_is_plain_or_not_alone),
		cmocka_unit_test(a_byte_that_is_not_plain_stops_it_wherever_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
