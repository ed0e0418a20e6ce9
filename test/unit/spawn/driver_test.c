/* Goal: names are those that Docker takes too, and each way of making servers has its
 * driver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/must.h"
#include "spawn/driver.h"

static void names_are_letters_digits_and_three_signs(void **unused)
{
	static const char *const good[] = {"S1", "a", "0", "web.1", "a_b-c", "S1-"};
	static const char *const bad[] = {"", ".a", "-a", "_a", "a b", "a/b", "a:b",
					  "\xc3\xa9", "a\xc3\xa9", "a\n", "../a", "a%"};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(spawn_name_is_good(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(spawn_name_is_good(bad[i]));
}

static void a_name_is_no_longer_than_a_host_name_may_be(void **unused)
{
	char name[OWN_NAME_MAX + 2];

	(void)unused;
	memset(name, 'a', sizeof name);
	name[OWN_NAME_MAX] = '\0';
	assert_true(spawn_name_is_good(name));
	name[OWN_NAME_MAX] = 'a';
	name[OWN_NAME_MAX + 1] = '\0';
	assert_false(spawn_name_is_good(name));
}

static void each_way_has_its_driver(void **unused)
{
	(void)unused;
	assert_string_equal(spawn_driver_of(OWN_DOCKER)->name, "docker");
	assert_string_equal(spawn_driver_of(OWN_PROCESS)->name, "process");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_letters_digits_and_three_signs),
		cmocka_unit_test(a_name_is_no_longer_than_a_host_name_may_be),
		cmocka_unit_test(each_way_has_its_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
