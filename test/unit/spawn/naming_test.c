/* Goal: names come in the order that people count in, and made-up ones have a number that
 * can be read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/must.h"
#include "spawn/naming.h"

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void numbers_count_as_numbers(void **unused)
{
	static const char *const sorted[] = {
		"A", "S", "S-1", "S0", "S01", "S1", "S1-2", "S1-10", "S2", "S9", "S10",
		"S18446744073709551616", "S18446744073709551617", "Sa", "db", "s1",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(sorted); i++)
		for (size_t j = 0; j < COUNT_OF(sorted); j++)
			assert_int_equal(sign(naming_compare(sorted[i], sorted[j])),
					 sign((int)i - (int)j));
}

static void a_made_up_name_gives_its_number_back(void **unused)
{
	static const char *const prefixes[] = {"S", "web-", "node1", "9"};
	char name[OWN_NAME_MAX + 1];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
		for (uint32_t n = 1; n < 2000; n += 7) {
			naming_write(name, prefixes[i], n);
			assert_int_equal(naming_number(name, prefixes[i]), n);
		}
	}
}

static void other_names_have_none(void **unused)
{
	static const char *const others[] = {
		"", "S", "S0", "S01", "S1a", "T1", "S-1", "S99999999999", "1",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_int_equal(naming_number(others[i], "S"), 0);
}

static void a_long_prefix_leaves_room_for_the_number(void **unused)
{
	char prefix[OWN_NAME_MAX + 1], name[OWN_NAME_MAX + 1];

	(void)unused;
	memset(prefix, 'x', OWN_NAME_MAX);
	prefix[OWN_NAME_MAX] = '\0';
	naming_write(name, prefix, 12);
	assert_int_equal(strlen(name), OWN_NAME_MAX);
	assert_string_equal(name + OWN_NAME_MAX - 3, "x12");
	assert_int_equal(naming_number(name, prefix), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_count_as_numbers),
		cmocka_unit_test(a_made_up_name_gives_its_number_back),
		cmocka_unit_test(other_names_have_none),
		cmocka_unit_test(a_long_prefix_leaves_room_for_the_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
