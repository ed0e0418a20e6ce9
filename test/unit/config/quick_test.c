/* Goal: the quick form means what its description says, wherever its options are. */
#include "unit/config/read.h"

#include "pick/policy.h"

enum { WORDS_MAX = 16 };

typedef struct model *quick_form(int argc, char *const argv[], struct err *err);

/* Reads a command line, the words separated by single spaces. */
static struct model *quick_by(quick_form *form, const char *line, struct err *err)
{
	static char copy[256];
	char *words[WORDS_MAX];
	int count = 0;

	snprintf(copy, sizeof copy, "%s", line);
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " "))
		words[count++] = w;
	return form(count, words, err);
}

static struct model *quick(const char *line, struct err *err)
{
	return quick_by(config_quick_http, line, err);
}

static void refuses(const char *line, const char *expected)
{
	struct err err = {""};

	assert_null(quick(line, &err));
	assert_string_equal(err.text, expected);
}

static void tcp_refuses(const char *line, const char *expected)
{
	struct err err = {""};

	assert_null(quick_by(config_quick_tcp, line, &err));
	assert_string_equal(err.text, expected);
}

static void ports_and_servers_are_all_it_needs(void **unused)
{
	(void)unused;
	struct err err;
	struct model *m = quick("8080 8081 app1:80 [::1]:82", &err);

	assert_non_null(m);
	assert_int_equal(m->listener_count, 1);
	assert_string_equal(m->listeners[0].address.text, "0.0.0.0:8080");
	assert_int_equal(m->listeners[0].connections_max, 4);
	assert_true(m->listeners[0].plain_500);
	assert_int_equal(m->listeners[0].route_count, 1);
	assert_null(m->listeners[0].routes[0].host);
	assert_null(m->listeners[0].routes[0].path);
	assert_int_equal(m->listeners[0].routes[0].pool, 0);

	assert_int_equal(m->pool_count, 1);
	assert_string_equal(m->pools[0].name, "default");
	assert_ptr_equal(m->pools[0].policy, &policy_least_load);
	assert_int_equal(m->pools[0].server_count, 3);
	assert_string_equal(m->pools[0].servers[0].address.text, "127.0.0.1:8081");
	assert_string_equal(m->pools[0].servers[1].address.text, "app1:80");
	assert_string_equal(m->pools[0].servers[2].address.text, "[::1]:82");
	assert_int_equal(m->pools[0].servers[0].weight, 1);
	model_put(m);
}

static void servers_are_probed_for_their_load(void **unused)
{
	(void)unused;
	struct err err;
	struct model *m = quick("8080 8081", &err);
	const struct model_check *c = &m->pools[0].check;

	assert_int_equal(c->kind, CHECK_HTTP);
	assert_string_equal(c->path, "/healthcheck");
	assert_int_equal(c->expect, EXPECT_LOAD);
	assert_int_equal(c->every_ms, 3000);
	assert_int_equal(c->timeout_ms, 1000);
	assert_int_equal(c->rise, 1);
	assert_int_equal(c->fall, 1);
	assert_int_equal(c->after_requests, 5);
	model_put(m);
}

static void options_stand_anywhere(void **unused)
{
	(void)unused;
	const char *lines[] = {
		"-N 8 -R 9 80 81 82", "80 -N 8 81 -R 9 82", "80 81 82 -R 9 -N 8",
		"80 -N8 81 82 -R9",
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct err err;
		struct model *m = quick(lines[i], &err);
		assert_non_null(m);
		assert_int_equal(m->listeners[0].connections_max, 8);
		assert_int_equal(m->pools[0].check.after_requests, 9);
		assert_int_equal(m->pools[0].server_count, 2);
		model_put(m);
	}
}

static void what_is_wrong_is_said_with_the_way_out(void **unused)
{
	(void)unused;
	const char *usage = "usage: balancerd http [-N connections] [-R requests] PORT "
			    "SERVER...";
	char expected[256];

	snprintf(expected, sizeof expected, "no port to listen on; %s", usage);
	refuses("", expected);
	snprintf(expected, sizeof expected, "no server to forward to; %s", usage);
	refuses("80", expected);
	snprintf(expected, sizeof expected, "-N needs a number; %s", usage);
	refuses("80 81 -N", expected);
	snprintf(expected, sizeof expected, "unknown option \"-x\"; %s", usage);
	refuses("80 81 -x", expected);
	refuses("80 81 -N 0", "-N: \"0\" is too small; expected 1 to 1000000");
	refuses("80 81 -Rx", "-R: \"x\" is no number; expected digits only");
	refuses("0 81", "\"0\" has no port from 1 to 65535");
	refuses("127.0.0.1:80 81", "\"127.0.0.1:80\" is no port; expected 1 to 65535");
	refuses("80 app1", "\"app1\" has no port from 1 to 65535");
	refuses("80 81 127.0.0.1:81", "server 127.0.0.1:81 is given twice");
}

static void tcp_needs_an_address_alone(void **unused)
{
	(void)unused;
	static const char *const lines[][2] = {
		{"127.0.0.1:80", "127.0.0.1:80"}, {"[::1]:80", "[::1]:80"},
		{":80", "0.0.0.0:80"}, {"80", "0.0.0.0:80"},
	};

	if (policy_find("ring") == NULL)
		return;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct err err;
		struct model *m = quick_by(config_quick_tcp, lines[i][0], &err);
		assert_non_null(m);
		assert_int_equal(m->listeners[0].kind, LISTEN_TCP);
		assert_string_equal(m->listeners[0].address.text, lines[i][1]);
		assert_int_equal(m->listeners[0].connections_max, 0);
		assert_false(m->listeners[0].plain_500);
		assert_int_equal(m->listeners[0].route_count, 1);
		assert_int_equal(m->pool_count, 1);
		assert_int_equal(m->pools[0].server_count, 0);
		model_put(m);
	}
}

static void tcp_servers_are_on_a_ring_and_connected_to(void **unused)
{
	(void)unused;
	struct err err;

	if (policy_find("ring") == NULL)
		return;
	struct model *m = quick_by(config_quick_tcp, ":80 db1:5432 5433", &err);
	const struct model_pool *p = &m->pools[0];
	assert_string_equal(p->name, "default");
	assert_string_equal(p->policy->name, "ring");
	assert_int_equal(p->server_count, 2);
	assert_string_equal(p->servers[1].address.text, "127.0.0.1:5433");
	assert_int_equal(p->check.kind, CHECK_TCP);
	assert_int_equal(p->check.every_ms, 1000);
	assert_int_equal(p->check.timeout_ms, 1000);
	assert_int_equal(p->check.rise, 1);
	assert_int_equal(p->check.fall, 2);
	model_put(m);
}

static void what_is_wrong_with_tcp_is_said(void **unused)
{
	(void)unused;
	const char *usage = "usage: balancerd tcp ADDRESS:PORT [SERVER...]";
	char expected[256];

	snprintf(expected, sizeof expected, "no address to listen on; %s", usage);
	tcp_refuses("", expected);
	snprintf(expected, sizeof expected, "unknown option \"-N\"; %s", usage);
	tcp_refuses("-N 4 80", expected);
	tcp_refuses("0", "\"0\" has no port from 1 to 65535");
	tcp_refuses("host:80", "\"host:80\" is a name; a listener needs a number, for "
			       "example 127.0.0.1:80");
	tcp_refuses("unix:/a", "\"unix:/a\" is a UNIX socket; a listener needs a port, for "
			       "example :8080");
	if (policy_find("ring") != NULL)
		tcp_refuses("80 81 127.0.0.1:81", "server 127.0.0.1:81 is given twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_and_servers_are_all_it_needs),
		cmocka_unit_test(servers_are_probed_for_their_load),
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(what_is_wrong_is_said_with_the_way_out),
		cmocka_unit_test(tcp_needs_an_address_alone),
		cmocka_unit_test(tcp_servers_are_on_a_ring_and_connected_to),
		cmocka_unit_test(what_is_wrong_with_tcp_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
