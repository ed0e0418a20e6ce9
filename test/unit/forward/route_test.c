/* Goal: the first route that fits decides, and fits mean what the page on routes says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "forward/route.h"

struct question {
	const char *authority, *path;
	int pool;
};

static void ask(struct model_route *routes, uint32_t count,
		const struct question *questions, size_t question_count)
{
	struct model_listener l = {.routes = routes, .route_count = count};

	for (size_t i = 0; i < question_count; i++) {
		const struct question *q = &questions[i];
		int pool = route_find(&l, span_of(q->authority), span_of(q->path));
		if (pool != q->pool)
			fail_msg("%s %s: pool %d, not %d", q->authority, q->path, pool,
				 q->pool);
	}
}

#define ASK(routes, ...)                                                          \
	do {                                                                      \
		const struct question questions[] = {__VA_ARGS__};                \
		ask(routes, COUNT_OF(routes), questions, COUNT_OF(questions));    \
	} while (0)

static void no_route_no_pool(void **unused)
{
	struct model_listener none = {0};

	(void)unused;
	assert_int_equal(route_find(&none, SPAN("a"), SPAN("/")), -1);
	assert_int_equal(route_find(&none, (struct span){0}, (struct span){0}), -1);
}

static void a_route_without_conditions_takes_all(void **unused)
{
	struct model_route routes[] = {{.pool = 3}};

	(void)unused;
	ASK(routes, {"a", "/", 3}, {"", "", 3}, {"[::1]:80", "*", 3});
	struct model_listener l = {.routes = routes, .route_count = 1};
	assert_int_equal(route_find(&l, (struct span){0}, (struct span){0}), 3);
}

static void the_first_that_fits_is_taken(void **unused)
{
	struct model_route routes[] = {
		{.host = (char *)"a", .path = (char *)"/x", .pool = 0},
		{.host = (char *)"a", .pool = 1},
		{.path = (char *)"/x", .pool = 2},
		{.path = (char *)"/x/y", .pool = 3},
		{.pool = 4},
	};

	(void)unused;
	ASK(routes, {"a", "/x", 0}, {"a", "/", 1}, {"b", "/x", 2}, {"b", "/x/y", 2},
	    {"b", "/", 4});
}

static void hosts_fit_whole_in_any_case_without_port_and_dot(void **unused)
{
	struct model_route routes[] = {{.host = (char *)"www.example.com", .pool = 0}};

	(void)unused;
	ASK(routes, {"www.example.com", "/", 0}, {"WWW.Example.COM", "/", 0},
	    {"www.example.com:8080", "/", 0}, {"www.example.com:", "/", 0},
	    {"www.example.com.", "/", 0}, {"www.example.com.:80", "/", 0},
	    {"example.com", "/", -1}, {"www.example.com.evil.org", "/", -1},
	    {"wwww.example.com", "/", -1}, {"www.example.co", "/", -1},
	    {"www.example.com..", "/", -1}, {"", "/", -1}, {".", "/", -1},
	    {":80", "/", -1});
}

static void a_star_takes_any_label_but_not_none(void **unused)
{
	struct model_route routes[] = {{.host = (char *)"*.example.com", .pool = 0}};

	(void)unused;
	ASK(routes, {"a.example.com", "/", 0}, {"A.EXAMPLE.COM:80", "/", 0},
	    {"a.b.example.com.", "/", 0}, {"example.com", "/", -1},
	    {".example.com", "/", -1}, {"aexample.com", "/", -1},
	    {"a.example.com.org", "/", -1}, {"", "/", -1});
}

static void addresses_of_either_family_are_hosts(void **unused)
{
	struct model_route routes[] = {
		{.host = (char *)"[::1]", .pool = 0},
		{.host = (char *)"127.0.0.1", .pool = 1},
	};

	(void)unused;
	ASK(routes, {"[::1]", "/", 0}, {"[::1]:8080", "/", 0}, {"127.0.0.1:8080", "/", 1},
	    {"[::2]:8080", "/", -1}, {"[::1", "/", -1}, {"::1", "/", -1});
}

static void paths_fit_at_segment_borders(void **unused)
{
	struct model_route routes[] = {{.path = (char *)"/v1", .pool = 0}};

	(void)unused;
	ASK(routes, {"a", "/v1", 0}, {"a", "/v1/", 0}, {"a", "/v1/x", 0},
	    {"a", "/v1?q", 0},
	    {"a", "/v10", -1}, {"a", "/v", -1}, {"a", "/V1", -1}, {"a", "/v1%2fx", -1},
	    {"a", "/x/v1", -1}, {"a", "/?/v1", -1}, {"a", "", -1}, {"a", "?/v1", -1});
}

static void a_path_that_ends_in_a_slash_takes_what_lies_below(void **unused)
{
	struct model_route routes[] = {{.path = (char *)"/v1/", .pool = 0}};

	(void)unused;
	ASK(routes, {"a", "/v1/", 0}, {"a", "/v1/x", 0}, {"a", "/v1/?q", 0},
	    {"a", "/v1//", 0}, {"a", "/v1", -1}, {"a", "/v1?q", -1}, {"a", "/v10/", -1});
}

/* RFC 9110, section 4.2.3: for http, an empty path is the same as "/". */
static void no_path_is_the_root(void **unused)
{
	struct model_route routes[] = {{.path = (char *)"/", .pool = 0}};

	(void)unused;
	ASK(routes, {"a", "/", 0}, {"a", "/x", 0}, {"a", "/?q", 0}, {"a", "", 0},
	    {"a", "?q", 0}, {"a", "?/x", 0});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_route_no_pool),
		cmocka_unit_test(a_route_without_conditions_takes_all),
		cmocka_unit_test(the_first_that_fits_is_taken),
		cmocka_unit_test(hosts_fit_whole_in_any_case_without_port_and_dot),
		cmocka_unit_test(a_star_takes_any_label_but_not_none),
		cmocka_unit_test(addresses_of_either_family_are_hosts),
		cmocka_unit_test(paths_fit_at_segment_borders),
		cmocka_unit_test(a_path_that_ends_in_a_slash_takes_what_lies_below),
		cmocka_unit_test(no_path_is_the_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
