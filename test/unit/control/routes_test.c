/* Goal: every request finds its handler or the reason why there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "control/routes.h"

static struct routes_found found;

static enum routes_result find(enum h1_method method, const char *path)
{
	return routes_find(control_routes, control_route_count, method, span_of(path),
			   &found);
}

static void finds(enum h1_method method, const char *path, const char *pattern)
{
	assert_int_equal(find(method, path), ROUTES_FOUND);
	assert_string_equal(found.route->path, pattern);
}

static void a_path_finds_its_route_by_method(void **unused)
{
	(void)unused;
	finds(H1_GET, "/v1/status", "/v1/status");
	finds(H1_GET, "/v1/pools", "/v1/pools");
	finds(H1_GET, "/v1/pools/web", "/v1/pools/{pool}");
	finds(H1_POST, "/v1/pools/web/servers", "/v1/pools/{pool}/servers");
	assert_ptr_equal(found.route->run, servers_add);
	finds(H1_GET, "/v1/pools/web/servers", "/v1/pools/{pool}/servers");
	assert_ptr_equal(found.route->run, servers_get);
	finds(H1_PATCH, "/v1/pools/w/servers/:80", "/v1/pools/{pool}/servers/{server}");
	assert_ptr_equal(found.route->run, servers_set);
}

static void the_page_has_files(void **unused)
{
	(void)unused;
	finds(H1_GET, "/", "/");
	assert_string_equal(found.name, "");
	finds(H1_HEAD, "/page/a.js", "/page/{name}");
	assert_string_equal(found.name, "a.js");
}

static void head_is_answered_as_get(void **unused)
{
	(void)unused;
	finds(H1_HEAD, "/v1/status", "/v1/status");
	assert_int_equal(find(H1_HEAD, "/v1/reload"), ROUTES_NO_METHOD);
}

static void parts_are_decoded_after_the_path_was_cut(void **unused)
{
	(void)unused;
	finds(H1_GET, "/v1/pools/a%2Fb/servers/unix:%2Frun%2Fa.sock",
	      "/v1/pools/{pool}/servers/{server}");
	assert_string_equal(found.pool, "a/b");
	assert_string_equal(found.server, "unix:/run/a.sock");
	finds(H1_GET, "/v1/pools/%7Bpool%7D", "/v1/pools/{pool}");
	assert_string_equal(found.pool, "{pool}");
}

static void other_paths_are_unknown(void **unused)
{
	static const char *const paths[] = {
		"", "//", "/page", "/page/", "/page/a/b",
		"/v1", "/v1/", "v1/status", "*", "/v1/status/",
		"/v1//status", "/v1/pools/", "/v1/pools//servers", "/v1/pools/web/",
		"/v1/pools/web/server",
		"/v1/pools/web/servers/", "/v1/pools/web/servers/a/b", "/v2/status",
		"/v1/Status", "/v1/%73tatus", "/v1/status%00",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(paths); i++)
		assert_int_equal(find(H1_GET, paths[i]), ROUTES_NO_PATH);
}

static void another_method_is_told_which_there_are(void **unused)
{
	(void)unused;
	assert_int_equal(find(H1_PUT, "/v1/pools/web/servers/:80"), ROUTES_NO_METHOD);
	assert_int_equal(found.allowed, 1u << H1_GET | 1u << H1_PATCH | 1u << H1_DELETE);
	assert_int_equal(find(H1_METHOD_OTHER, "/v1/stop"), ROUTES_NO_METHOD);
	assert_int_equal(found.allowed, 1u << H1_POST);
}

static void a_part_that_is_not_encoded_right_is_bad(void **unused)
{
	char path[ASK_PART_MAX + 64] = "/v1/pools/";
	size_t begin = strlen(path);

	(void)unused;
	assert_int_equal(find(H1_GET, "/v1/pools/%"), ROUTES_BAD);
	assert_int_equal(find(H1_GET, "/v1/pools/%00"), ROUTES_BAD);
	assert_int_equal(find(H1_GET, "/v1/pools/a/servers/%zz"), ROUTES_BAD);
	memset(path + begin, 'a', ASK_PART_MAX);
	assert_int_equal(find(H1_GET, path), ROUTES_FOUND);
	path[begin + ASK_PART_MAX] = 'a';
	assert_int_equal(find(H1_GET, path), ROUTES_BAD);
}

/* The table itself: what only reads never changes, and each pair is there once. */
static void the_table_says_what_it_means(void **unused)
{
	(void)unused;
	for (uint32_t i = 0; i < control_route_count; i++) {
		const struct route *a = &control_routes[i];
		assert_true(a->run != NULL && a->help != NULL && *a->help != '\0');
		/* A question with a body, which changes nothing. */
		bool asks = a->method == H1_GET || a->run == explain_post;
		assert_int_equal(a->role != ROLE_CHANGE, asks);
		assert_int_equal(a->role == ROLE_NONE, a->run == page_get);
		assert_true(*routes_method_text(a->method) != '\0');
		for (uint32_t j = 0; j < i; j++)
			assert_false(control_routes[j].method == a->method &&
				     strcmp(control_routes[j].path, a->path) == 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_finds_its_route_by_method),
		cmocka_unit_test(the_page_has_files),
		cmocka_unit_test(head_is_answered_as_get),
		cmocka_unit_test(parts_are_decoded_after_the_path_was_cut),
		cmocka_unit_test(other_paths_are_unknown),
		cmocka_unit_test(another_method_is_told_which_there_are),
		cmocka_unit_test(a_part_that_is_not_encoded_right_is_bad),
		cmocka_unit_test(the_table_says_what_it_means),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
