/* Goal: what is encoded is read back, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "control/percent.h"

static char text[8];

static bool decodes(const char *encoded)
{
	return percent_decode(span_of(encoded), text, sizeof text);
}

static void encoded_bytes_are_decoded_and_others_stay(void **unused)
{
	(void)unused;
	assert_true(decodes("a%2Fb%2fc"));
	assert_string_equal(text, "a/b/c");
	assert_true(decodes("%25%41+ "));
	assert_string_equal(text, "%A+ ");
	assert_true(decodes("%ff%C3"));
	assert_string_equal(text, "\xff\xc3");
	assert_true(decodes(""));
	assert_string_equal(text, "");
}

static void what_is_not_whole_is_refused(void **unused)
{
	static const char *const bad[] = {
		"%", "a%", "%2", "%g0", "%0g", "%%25", "% 1", "%-1",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(decodes(bad[i]));
}

static void a_nul_never_gets_in(void **unused)
{
	(void)unused;
	assert_false(decodes("%00"));
	assert_false(decodes("a%00b"));
	assert_false(percent_decode((struct span){"a\0b", 3}, text, sizeof text));
}

static void what_is_too_long_is_refused(void **unused)
{
	(void)unused;
	assert_true(decodes("1234567"));
	assert_true(decodes("123456%37"));
	assert_false(decodes("12345678"));
	assert_false(decodes("1234567%38"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(encoded_bytes_are_decoded_and_others_stay),
		cmocka_unit_test(what_is_not_whole_is_refused),
		cmocka_unit_test(a_nul_never_gets_in),
		cmocka_unit_test(what_is_too_long_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
