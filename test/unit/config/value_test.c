/* Goal: names, paths and hosts are what they may be, or refused with what is wrong. */
#include "unit/config/read.h"

#include "config/value.h"

static struct err err;

static void names_are_letters_digits_and_three_signs(void **unused)
{
	(void)unused;
	char longest[MODEL_NAME_MAX + 2] = "";

	assert_int_equal(value_check_name("Web-1_a.b", &err), 0);
	assert_int_equal(value_check_name("", &err), -1);
	assert_int_equal(value_check_name("a b", &err), -1);
	assert_int_equal(value_check_name("\xc3\xa4", &err), -1);
	memset(longest, 'a', MODEL_NAME_MAX);
	assert_int_equal(value_check_name(longest, &err), 0);
	memset(longest, 'a', MODEL_NAME_MAX + 1);
	assert_int_equal(value_check_name(longest, &err), -1);
}

static void paths_cannot_break_a_request_line(void **unused)
{
	(void)unused;
	assert_int_equal(value_check_path("/", false, &err), 0);
	assert_int_equal(value_check_path("/a/b%20c", false, &err), 0);
	assert_int_equal(value_check_path("/a?b=c", true, &err), 0);
	assert_int_equal(value_check_path("/a?b=c", false, &err), -1);
	assert_int_equal(value_check_path("/a#b", true, &err), -1);
	assert_int_equal(value_check_path("a", false, &err), -1);
	assert_int_equal(value_check_path("", false, &err), -1);
	assert_int_equal(value_check_path("/a b", false, &err), -1);
	assert_string_equal(err.text,
			    "\"/a b\" has a byte that no URL may have; write it as %20");
	assert_int_equal(value_check_path("/a\nb", false, &err), -1);
	assert_int_equal(value_check_path("/\xc3\xa4", false, &err), -1);
}

static void hosts_are_names_or_numbers(void **unused)
{
	(void)unused;
	const char *hosts[] = {"a", "a-b.c_d.com", "127.0.0.1", "[::1]"};
	const char *none[] = {"", "a b", "a/b", "[::1", "::1", "[x]", "a\nb", "*", "a:b"};

	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		assert_int_equal(value_check_host(hosts[i], false, &err), 0);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_int_equal(value_check_host(none[i], true, &err), -1);
	assert_int_equal(value_check_host("a:80", true, &err), 0);
	assert_int_equal(value_check_host("[::1]:80", true, &err), 0);
	assert_int_equal(value_check_host("a:0", true, &err), -1);
	assert_int_equal(value_check_host("a:80", false, &err), -1);
	assert_string_equal(err.text,
			    "\"a:80\" has a port; expected a host name alone, which "
			    "fits on every port");
}

static void a_star_is_the_first_label(void **unused)
{
	(void)unused;
	assert_int_equal(value_check_host_pattern("*.example.com", &err), 0);
	assert_int_equal(value_check_host_pattern("example.com", &err), 0);
	assert_int_equal(value_check_host_pattern("*", &err), -1);
	assert_int_equal(value_check_host_pattern("*.", &err), -1);
	assert_int_equal(value_check_host_pattern("a.*.com", &err), -1);
	assert_int_equal(value_check_host_pattern("*.*.com", &err), -1);
	assert_int_equal(value_check_host_pattern("*a.com", &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_letters_digits_and_three_signs),
		cmocka_unit_test(paths_cannot_break_a_request_line),
		cmocka_unit_test(hosts_are_names_or_numbers),
		cmocka_unit_test(a_star_is_the_first_label),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
