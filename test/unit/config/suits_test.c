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

/* The same for a pool that owns its servers, in line 2. */
static void owning_pool_suits(const char *words, const char *listeners,
			      const char *expected)
{
	char text[1024];

	snprintf(text, sizeof text, "pool a {\nown docker { image a }; %s\n}\n%s", words,
		 listeners);
	complains(text, expected);
}

static void servers_are_owned_for_requests_and_connections(void **unused)
{
	(void)unused;
	owning_pool_suits("", "listen http :1 { to a }\n", "");
	owning_pool_suits("", "listen http :1 { route path /x to a }\n", "");
	owning_pool_suits("check tcp", "listen tcp :1 { to a }\n", "");
	owning_pool_suits("check http /x", "listen tcp :1 { to a }\n", "");
	owning_pool_suits("", "listen tcp :1 { to a }\n",
			  "1:1: warning: pool \"a\" probes its servers over HTTP, GET "
			  "/heartbeat, and \"listen tcp\" in line 4 uses it; if they do "
			  "not speak HTTP, add: check tcp\n");
	owning_pool_suits("check tcp", "listen http :1 { to a }\nlisten udp :1 { to a }\n",
			  "2:1: error: \"own docker\" is for http and tcp only, and "
			  "\"listen udp\" in line 5 uses this pool; give that one a pool "
			  "with \"server\" lines\n");
	complains("pool a {\nown process { command a } }\n"
		  "listen kv :1 { to a; workers :2 }\n",
		  "2:1: error: \"own process\" is for http and tcp only, and \"listen "
		  "kv\" in line 3 uses this pool; remove it: workers join by "
		  "themselves\n");
}

static void numbers_and_batches_are_of_requests(void **unused)
{
	(void)unused;
	pool_suits("request-id on; batch window 1ms", "listen http :1 { to a }\n", "");
	pool_suits("request-id on", "listen tcp :1 { to a }\n",
		   "2:1: error: \"request-id\" is for http only, and \"listen tcp\" in "
		   "line 4 uses this pool; remove it: only requests of HTTP have such "
		   "numbers and batches\n");
	pool_suits("batch window 1ms", "listen udp :1 { to a }\n",
		   "2:1: error: \"batch\" is for http only, and \"listen udp\" in line 4 "
		   "uses this pool; remove it: only requests of HTTP have such numbers and "
		   "batches\n");
	pool_suits("balance ring; key request-id", "listen tcp :1 { to a }\n",
		   "2:15: error: \"key request-id\" is for http only, and \"listen tcp\" "
		   "in line 4 uses this pool; write: key address\n");
}

static void slots_of_connections_go_by_addresses(void **unused)
{
	(void)unused;
	static const char text[] = "pool a { own docker { image a }; balance slots\n"
				   "check tcp }\nlisten tcp :1 { to a }\n";
	struct model *m = good(text);

	assert_int_equal(m->pools[0].key, KEY_ADDRESS);
	model_put(m);
}

static void an_empty_heartbeat_tells_no_load(void **unused)
{
	(void)unused;
	owning_pool_suits("balance least-load", "listen http :1 { to a }\n",
			  "2:25: error: \"balance least-load\" needs probes that report the "
			  "load; add: check http /healthcheck\n");
	owning_pool_suits("balance least-load; check http /healthcheck",
			  "listen http :1 { to a }\n", "");
}

/* A pool with these words, in line 2, that workers may join by the listener in line 4. */
static void kv_pool_suits(const char *words, const char *expected)
{
	char text[1024];

	snprintf(text, sizeof text,
		 "pool a {\n%s\n}\nlisten kv :1 { workers :2; to a }\n", words);
	complains(text, expected);
}

static void workers_join_by_themselves(void **unused)
{
	(void)unused;
	kv_pool_suits("acks all; secret s; key-size 32k; value-size 32735; balance ring\n"
		      "queue 5 wait 1s; retry 2; timeout response 2s",
		      "");
	kv_pool_suits("server 3",
		      "2:1: error: \"server\" is for http, tcp and udp only, and "
		      "\"listen kv\" in line 4 uses this pool; remove it: workers join by "
		      "themselves\n");
}

static void what_workers_cannot_follow_is_refused(void **unused)
{
	(void)unused;
	static const char *const words[][2] = {
		{"check tcp", "check tcp"}, {"check off", "check off"},
		{"passive 3", "passive"}, {"keep 3", "keep"}, {"host a", "host"},
		{"redistribute off", "redistribute"}, {"proxy-protocol v1", "proxy-protocol"},
		{"sticky cookie a", "sticky cookie"}, {"balance ring; key path", "key path"},
		{"balance ring; key address", "key address"},
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		char text[256], begin[64];
		snprintf(text, sizeof text,
			 "pool a {\n%s\n}\nlisten kv :1 { workers :2; to a }\n",
			 words[i][0]);
		snprintf(begin, sizeof begin, "\"%s\" is for ", words[i][1]);
		assert_null(config_read(text, strlen(text), "test.conf", &report));
		assert_int_equal(report.count, 1);
		assert_int_equal(report.problems[0].at.line, 2);
		assert_int_equal(strncmp(report.problems[0].text, begin, strlen(begin)), 0);
		assert_non_null(strstr(report.problems[0].text,
				       "\"listen kv\" in line 4 uses this pool; remove it"));
	}
}

static void what_only_workers_can_follow_is_refused_elsewhere(void **unused)
{
	(void)unused;
	static const char *const words[] = {"acks one", "secret s", "key-size 1",
					    "value-size 0"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		char expected[256];
		snprintf(expected, sizeof expected,
			 "2:1: error: \"%.*s\" is for kv only, and \"listen udp\" in line 4 "
			 "uses this pool; remove it, or use the pool for \"listen kv\"\n",
			 (int)strcspn(words[i], " "), words[i]);
		pool_suits(words[i], "listen udp :1 { to a }\n", expected);
	}
}

static void workers_report_no_load(void **unused)
{
	(void)unused;
	if (policy_find("least-load") == NULL)
		return;
	kv_pool_suits("balance slots",
		      "2:1: error: \"balance slots\" is not for pools of workers: those "
		      "that join might find no slots left; write: balance rendezvous\n");
	kv_pool_suits("balance least-load",
		      "2:1: error: \"balance least-load\" reads the load from probes, and "
		      "workers get none; write: balance least-conn\n");
}

static void loads_of_workers_are_not_bounded(void **unused)
{
	(void)unused;
	if (policy_find("ring") == NULL)
		return;
	kv_pool_suits("balance ring points 3", "");
	kv_pool_suits("balance ring bounded 25%",
		      "2:14: error: \"bounded\" is not for pools of workers; to even out their "
		      "load, write: balance least-conn\n");
}

static void what_workers_do_not_have_is_noticed(void **unused)
{
	(void)unused;
	kv_pool_suits("timeout body 1s response 1s idle 1s connect 1s",
		      "2:9: warning: \"timeout body\" does nothing in a pool of workers: "
		      "answers come as a whole\n"
		      "2:29: warning: \"timeout idle\" does nothing in a pool of workers: "
		      "workers stay connected\n"
		      "2:37: warning: \"timeout connect\" does nothing in a pool of workers: "
		      "workers connect by themselves\n");
	kv_pool_suits("parallel 7; retry 2 reserve 5",
		      "2:21: warning: \"retry reserve\" does nothing in a pool of workers: all "
		      "that a lost worker has not answered is sent again\n");
}

static void a_pool_has_workers_or_servers(void **unused)
{
	(void)unused;
	complains("pool a { server 3; acks one }\n"
		  "listen tcp :1 { to a }\n"
		  "listen kv :2 { to a; workers :3 }\n",
		  "1:1: error: \"listen kv\" in line 3 and \"listen tcp\" in line 2 use pool "
		  "\"a\", which has either workers or servers; give each of the two a pool "
		  "of its own\n");
}

static void workers_need_a_way_in(void **unused)
{
	(void)unused;
	complains("listen kv :1 { to a }\n"
		  "pool a {\n}\n",
		  "2:1: error: no workers can join pool \"a\"; add to \"listen kv\" in line 1 "
		  "for example: workers :5060\n");
	/* One way for all listeners of a pool. */
	complains("listen kv :1 { to a; protocol resp }\n"
		  "listen kv :2 { to a; workers :3 }\n"
		  "pool a {\n}\n",
		  "");
	/* A way that is misspelt is no second error. */
	complains("listen kv :1 { to a; workers :x }\n"
		  "pool a {\n}\n",
		  "1:30: error: \":x\" has no port from 1 to 65535\n");
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
		cmocka_unit_test(servers_are_owned_for_requests_and_connections),
		cmocka_unit_test(numbers_and_batches_are_of_requests),
		cmocka_unit_test(slots_of_connections_go_by_addresses),
		cmocka_unit_test(an_empty_heartbeat_tells_no_load),
		cmocka_unit_test(workers_join_by_themselves),
		cmocka_unit_test(what_workers_cannot_follow_is_refused),
		cmocka_unit_test(what_only_workers_can_follow_is_refused_elsewhere),
		cmocka_unit_test(workers_report_no_load),
		cmocka_unit_test(loads_of_workers_are_not_bounded),
		cmocka_unit_test(what_workers_do_not_have_is_noticed),
		cmocka_unit_test(a_pool_has_workers_or_servers),
		cmocka_unit_test(workers_need_a_way_in),
		cmocka_unit_test(a_pool_that_is_none_makes_no_second_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
