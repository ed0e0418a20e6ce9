/* Goal: the daemon and balancerctl come to the same socket, by the order in which
 * doc/control.md lists what may say where it is. */
#include "base/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

static const struct places everything = {
	.socket = "/option.sock", .name = "web", .state = "/option",
	.file_socket = "/file.sock", .file_state = "/file",
	.uid = 1000,
	.balancerd_socket = "/environment.sock", .xdg_runtime_dir = "/run/user/1000",
	.xdg_state_home = "/home/a/.state", .home = "/home/a",
	.runtime_directory = "/run/unit:/run/other",
	.state_directory = "/var/lib/unit:/x",
};

static void assert_socket(const struct places *p, const char *want, bool want_default)
{
	char path[PLACES_SOCKET_MAX];
	bool by_default = !want_default;
	struct err err = {0};

	assert_int_equal(places_socket(p, path, &by_default, &err), 0);
	assert_string_equal(path, want);
	assert_int_equal(by_default, want_default);
}

static void assert_state(const struct places *p, const char *want)
{
	char path[PLACES_FOLDER_MAX];
	struct err err = {0};

	assert_int_equal(places_state(p, path, &err), 0);
	assert_string_equal(path, want);
}

static void what_stands_further_up_wins(void **state)
{
	struct places p = everything;

	(void)state;
	assert_socket(&p, "/option.sock", false);
	p.socket = NULL;
	assert_socket(&p, "/run/unit/web.sock", false);
	p.name = NULL;
	assert_socket(&p, "/environment.sock", false);
	p.balancerd_socket = "";
	assert_socket(&p, "/file.sock", false);
	p.file_socket = NULL;
	assert_socket(&p, "/run/unit/default.sock", true);
	p.runtime_directory = NULL;
	assert_socket(&p, "/run/user/1000/balancerd/default.sock", true);
	p.xdg_runtime_dir = "relative";
	assert_socket(&p, "/tmp/balancerd-1000/default.sock", true);
	p.uid = 0;
	assert_socket(&p, "/run/balancerd/default.sock", true);
	p.name = "web";
	assert_socket(&p, "/run/balancerd/web.sock", false);
}

static void state_has_an_order_too(void **state)
{
	struct places p = everything;

	(void)state;
	assert_state(&p, "/option");
	p.state = NULL;
	assert_state(&p, "/file");
	p.file_state = NULL;
	assert_state(&p, "/var/lib/unit");
	p.state_directory = NULL;
	assert_state(&p, "/home/a/.state/balancerd");
	p.xdg_state_home = "relative";
	assert_state(&p, "/home/a/.local/state/balancerd");
	p.uid = 0;
	assert_state(&p, "/var/lib/balancerd");
}

static void nowhere_is_an_answer(void **state)
{
	struct places p = {.uid = 1000};
	char path[PLACES_FOLDER_MAX];
	struct err err = {0};

	(void)state;
	assert_int_equal(places_state(&p, path, &err), -1);
	assert_non_null(strstr(err.text, "--state"));
}

static void a_name_is_a_word(void **state)
{
	static const char *const good[] = {"a", "web-1", "a.b_C", "9"};
	static const char *const bad[] = {"", ".", "..", ".a", "a/b", "a b", "\xc3\xa4",
		"0123456789012345678901234567890123456789012345678901234567890123"};
	char path[PLACES_SOCKET_MAX];
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(places_is_name(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct places p = {.name = bad[i]};
		assert_false(places_is_name(bad[i]));
		if (*bad[i] != '\0')
			assert_int_equal(places_socket(&p, path, NULL, &err), -1);
	}
}

static void a_long_path_is_refused(void **state)
{
	char longest[PLACES_SOCKET_MAX + 1], path[PLACES_SOCKET_MAX] = "untouched";
	struct places p = {.socket = longest};
	struct err err = {0};

	(void)state;
	memset(longest, 'a', sizeof longest);
	longest[PLACES_SOCKET_MAX] = '\0';
	assert_int_equal(places_socket(&p, path, NULL, &err), -1);
	assert_string_equal(path, "untouched");
	longest[PLACES_SOCKET_MAX - 1] = '\0';
	assert_socket(&p, longest, false);
}

static void systemd_speaks_to_the_daemon_alone(void **state)
{
	struct places p;

	(void)state;
	setenv("RUNTIME_DIRECTORY", "/run/unit", 1);
	setenv("STATE_DIRECTORY", "/var/lib/unit", 1);
	places_from_environment(&p, true);
	assert_string_equal(p.runtime_directory, "/run/unit");
	assert_string_equal(p.state_directory, "/var/lib/unit");
	places_from_environment(&p, false);
	assert_null(p.runtime_directory);
	assert_null(p.state_directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stands_further_up_wins),
		cmocka_unit_test(state_has_an_order_too),
		cmocka_unit_test(nowhere_is_an_answer),
		cmocka_unit_test(a_name_is_a_word),
		cmocka_unit_test(a_long_path_is_refused),
		cmocka_unit_test(systemd_speaks_to_the_daemon_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
