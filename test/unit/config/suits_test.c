/* Goal: what a pool says can be followed by each listener that uses it, or is named
 * where it stands with the listener and the way out. */
#include "unit/config/read.h"

#include "pick/policy.h"

/* A pool with these words, in line 2, and listeners in the lines behind it. */
static void pool_suits(const char *words, const char *listeners, const char *expected)
{
	char text[1024];

	snprintf(text, sizeof text, "pool a { server 1\n%s\n}\n%s", words, listeners);
	complains(text, expected);
}

static void keys_of_requests_are_for_http(void **unused)
{
	(void)unused;
	static const char *const keys[] = {"header X", "cookie X", "query X", "path"};

	if (policy_find("ring") == NULL)
		return;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char words[64], expected[256];
		snprintf(words, sizeof words, "balance ring; key %s", keys[i]);
		snprintf(expected, sizeof expected,
			 "2:15: error: \"key %.*s\" is for http only, and \"listen udp\" "
			 "in line 5 uses this pool; write: key address\n",
			 (int)strcspn(keys[i], " "), keys[i]);
		pool_suits(words, "listen http :1 { to a }\nlisten udp :1 { to a }\n",
			   expected);
		pool_suits(words, "listen http :1 { to a }\n", "");
	}
	pool_suits("balance ring; key address-port", "listen tcp :1 { to a }\n", "");
}

static void cookies_are_for_http(void **unused)
{
	(void)unused;
	pool_suits("sticky cookie s", "listen tcp :1 { to a }\n",
		   "2:1: error: \"sticky cookie\" is for http only, and \"listen tcp\" in "
		   "line 4 uses this pool; write: balance ring\n");
	pool_suits("sticky cookie s", "listen http :1 { route path /x to a }\n", "");
}

static void the_proxy_protocol_is_for_tcp(void **unused)
{
	(void)unused;
	pool_suits("proxy-protocol v2", "listen tcp :1 { to a }\n", "");
	pool_suits("proxy-protocol v2",
		   "listen tcp :1 { to a }\nlisten http :2 { route path /x to a }\n",
		   "2:1: error: \"proxy-protocol\" is for tcp only, and \"listen http\" in "
		   "line 5 uses this pool; there X-Forwarded-For says who the client is "
		   "(see headers)\n");
	pool_suits("proxy-protocol v1", "listen udp :1 { to a }\n",
		   "2:1: error: \"proxy-protocol\" is for tcp only, and \"listen udp\" in "
		   "line 4 uses this pool; give that one a pool of its own\n");
}

static void nobody_is_moved_without_tcp(void **unused)
{
	(void)unused;
	pool_suits("redistribute replay", "listen tcp :1 { to a }\n", "");
	pool_suits("redistribute replay", "listen http :1 { to a }\n",
		   "2:1: warning: \"redistribute\" does nothing: no \"listen tcp\" uses "
		   "this pool\n");
}

static void probes_are_for_every_kind(void **unused)
{
	(void)unused;
	pool_suits("check http /", "listen tcp :1 { to a }\nlisten udp :1 { to a }\n", "");
	pool_suits("check tcp", "listen tcp :1 { to a }\nlisten udp :1 { to a }\n", "");
}

static void a_pool_that_is_none_makes_no_second_error(void **unused)
{
	(void)unused;
	pool_suits("sticky cookie s", "listen tcp :1 { to b }\n",
		   "4:20: error: unknown pool \"b\", expected a\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_requests_are_for_http),
		cmocka_unit_test(cookies_are_for_http),
		cmocka_unit_test(the_proxy_protocol_is_for_tcp),
		cmocka_unit_test(nobody_is_moved_without_tcp),
		cmocka_unit_test(probes_are_for_every_kind),
		cmocka_unit_test(a_pool_that_is_none_makes_no_second_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
