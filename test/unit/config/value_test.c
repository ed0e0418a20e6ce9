/* Goal: names, paths and hosts are what they may be, or refused with what is wrong. */
#include "unit/config/read.h"

#include "config/value.h"
#include "model/own.h"

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

static void the_nearest_prime_is_named(void **unused)
{
	(void)unused;
	static const uint64_t primes[] = {2, 3, 5, 251, 65537, 16777213};

	for (size_t i = 0; i < sizeof primes / sizeof *primes; i++)
		assert_int_equal(value_check_prime(primes[i], &err), 0);
	assert_int_equal(value_check_prime(65536, &err), -1);
	assert_string_equal(err.text, "\"65536\" is no prime; the nearest one is 65537");
	assert_int_equal(value_check_prime(16777212, &err), -1);
	assert_string_equal(err.text,
			    "\"16777212\" is no prime; the nearest one is 16777213");
	assert_int_equal(value_check_prime(65025, &err), -1);	/* 255 squared */
	assert_string_equal(err.text, "\"65025\" is no prime; the nearest one is 65027");
	assert_int_equal(value_check_prime(0, &err), -1);
	assert_string_equal(err.text, "\"0\" is no prime; the nearest one is 2");
}

static void names_of_fields_cookies_and_arguments_are_whole(void **unused)
{
	(void)unused;
	static const char *const bad[] = {"", "a b", "a=", "a;b", "\"a\"", "a\n",
					  "\xc3\xa4"};

	assert_int_equal(value_check_token("X-User_1.!", &err), 0);
	assert_int_equal(value_check_query_name("user[id]%20;", &err), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(value_check_token(bad[i], &err), -1);
	char longest[MODEL_TOKEN_MAX + 2] = {0};
	memset(longest, 'a', MODEL_TOKEN_MAX);
	assert_int_equal(value_check_token(longest, &err), 0);
	longest[MODEL_TOKEN_MAX] = 'a';
	assert_int_equal(value_check_token(longest, &err), -1);
	assert_int_equal(value_check_query_name("", &err), -1);
	assert_int_equal(value_check_query_name("a&b", &err), -1);
	assert_int_equal(value_check_query_name("a b", &err), -1);
	assert_int_equal(value_check_query_name("a=", &err), -1);
}

static void images_and_networks_are_what_docker_takes(void **unused)
{
	(void)unused;
	static const char *const good[] = {"a", "a:1", "r.io:5000/a/b_c@sha256:00", "A1"};
	static const char *const bad[] = {"", "-a", "a b", "a\n", "a$b", "/a", "\xc3\xa4"};
	char longest[257] = "";

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(value_check_image(good[i], &err), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(value_check_image(bad[i], &err), -1);
	memset(longest, 'a', 255);
	assert_int_equal(value_check_image(longest, &err), 0);
	memset(longest, 'a', 256);
	assert_int_equal(value_check_image(longest, &err), -1);
	assert_int_equal(value_check_network("my-net_1.x", &err), 0);
	assert_int_equal(value_check_network("host2", &err), 0);
	assert_int_equal(value_check_network("host", &err), -1);
	assert_int_equal(value_check_network("bridge", &err), -1);
	assert_int_equal(value_check_network("container:a", &err), -1);
	assert_int_equal(value_check_network("", &err), -1);
	assert_int_equal(value_check_network(".a", &err), -1);
}

static void a_socket_is_a_path_that_fits(void **unused)
{
	(void)unused;
	char longest[110] = "/";

	assert_int_equal(value_check_engine("/run/docker.sock", &err), 0);
	assert_int_equal(value_check_engine("docker.sock", &err), -1);
	assert_int_equal(value_check_engine("", &err), -1);
	memset(longest + 1, 'a', 106);
	assert_int_equal(value_check_engine(longest, &err), 0);
	memset(longest + 1, 'a', 107);
	assert_int_equal(value_check_engine(longest, &err), -1);
	assert_int_equal(value_check_engine("unix:///run/a", &err), -1);
	assert_string_equal(err.text, "\"unix:///run/a\" has a \"unix:\" before its path; "
				      "write: /run/a");
	assert_int_equal(value_check_engine("tcp://1.2.3.4:2375", &err), -1);
	assert_int_equal(value_check_folder("/", &err), 0);
	assert_int_equal(value_check_folder("srv", &err), -1);
}

static void a_made_up_name_has_room_for_its_number(void **unused)
{
	(void)unused;
	char longest[OWN_NAME_MAX + 1] = "";

	assert_int_equal(value_check_server_prefix("S", &err), 0);
	assert_int_equal(value_check_server_prefix("web-1_.", &err), 0);
	assert_int_equal(value_check_server_prefix("", &err), -1);
	assert_int_equal(value_check_server_prefix("-a", &err), -1);
	assert_int_equal(value_check_server_prefix("a/b", &err), -1);
	memset(longest, 'a', OWN_NAME_MAX - 4);
	assert_int_equal(value_check_server_prefix(longest, &err), 0);
	memset(longest, 'a', OWN_NAME_MAX - 3);
	assert_int_equal(value_check_server_prefix(longest, &err), -1);
}

static void a_variable_has_a_name_that_is_not_ours(void **unused)
{
	(void)unused;
	assert_int_equal(value_check_variable("_A.b-1", &err), 0);
	assert_int_equal(value_check_variable("port", &err), 0);
	assert_int_equal(value_check_variable("PORT", &err), -1);
	assert_int_equal(value_check_variable("SERVER_ID", &err), -1);
	assert_int_equal(value_check_variable("1A", &err), -1);
	assert_int_equal(value_check_variable("", &err), -1);
	assert_int_equal(value_check_variable("A B", &err), -1);
	assert_int_equal(value_check_variable("A=1", &err), -1);
	assert_string_equal(err.text, "\"A=1\" has a \"=\"; write the name and then the "
				      "value: env NAME VALUE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_letters_digits_and_three_signs),
		cmocka_unit_test(paths_cannot_break_a_request_line),
		cmocka_unit_test(hosts_are_names_or_numbers),
		cmocka_unit_test(a_star_is_the_first_label),
		cmocka_unit_test(the_nearest_prime_is_named),
		cmocka_unit_test(names_of_fields_cookies_and_arguments_are_whole),
		cmocka_unit_test(images_and_networks_are_what_docker_takes),
		cmocka_unit_test(a_socket_is_a_path_that_fits),
		cmocka_unit_test(a_made_up_name_has_room_for_its_number),
		cmocka_unit_test(a_variable_has_a_name_that_is_not_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
