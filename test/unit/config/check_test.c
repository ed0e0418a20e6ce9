/* Goal: a configuration that contradicts itself does not start, one that does
 * something surprising says so. */
#include "unit/config/read.h"

#include "config/check.h"
#include "parse/kv_wire.h"
#include "pick/policy.h"

static void a_pool_has_its_name_alone(void **unused)
{
	(void)unused;
	complains("listen http :80 { to a }\n"
		  "pool a { server 1 }\n"
		  "\n"
		  "pool a { server 2 }\n",
		  "4:1: error: there is a pool \"a\" already, in line 2\n");
}

static void an_address_has_one_listener_however_written(void **unused)
{
	(void)unused;
	complains("pool a { server 1 }\n"
		  "listen http :80 { to a }\n"
		  "listen http 80 { to a }\n"
		  "listen http [::1]:80 { to a }\n"
		  "listen http [0:0::1]:80 { to a }\n"
		  "listen http 127.0.0.1:80 { to a }\n"
		  "listen http :81 { to a }\n",
		  "3:1: error: 0.0.0.0:80 has a listener already, in line 2; add the "
		  "routes there\n"
		  "5:1: error: [0:0::1]:80 has a listener already, in line 4; add the "
		  "routes there\n");
}

static void a_server_is_in_its_pool_once(void **unused)
{
	(void)unused;
	complains("listen http :80 { to a }\n"
		  "pool a {\n"
		  "server 81\n"
		  "server 127.0.0.1:81\n"
		  "server app:1\n"
		  "server APP:1\n"
		  "server app:2\n"
		  "}\n"
		  "pool b { server 81 }\n",
		  "4:1: error: this pool has the server 127.0.0.1:81 already, in line "
		  "3; to give it more requests, use weight\n"
		  "6:1: error: this pool has the server APP:1 already, in line 5; to "
		  "give it more requests, use weight\n");
}

static void refused_names_and_addresses_are_not_compared(void **unused)
{
	(void)unused;
	complains("pool a/ { server x }\n"
		  "pool b/ { server y; server z }\n"
		  "listen http x {}\n"
		  "listen http y {}\n",
		  "1:6: error: \"a/\" is no name; expected letters, digits, \"-\", "
		  "\"_\" and \".\"\n"
		  "1:18: error: \"x\" has no port from 1 to 65535\n"
		  "2:6: error: \"b/\" is no name; expected letters, digits, \"-\", "
		  "\"_\" and \".\"\n"
		  "2:18: error: \"y\" has no port from 1 to 65535\n"
		  "2:28: error: \"z\" has no port from 1 to 65535\n"
		  "3:1: error: this listener sends requests nowhere; add to its "
		  "block: to POOL\n"
		  "3:13: error: \"x\" has no port from 1 to 65535\n"
		  "4:1: error: this listener sends requests nowhere; add to its "
		  "block: to POOL\n"
		  "4:13: error: \"y\" has no port from 1 to 65535\n");
}

static void a_file_without_a_listener_is_refused(void **unused)
{
	(void)unused;
	const char *expected = "1:1: error: no listener, so there is nothing to do; add "
			       "for example: listen http :8080 { to web }\n";

	complains("", expected);
	complains("# nothing but a comment\n", expected);
	complains("pool a { server 1 }", expected);
	/* With another error the listener may be what was meant. */
	complains("lissten_to_me",
		  "1:1: error: unknown word \"lissten_to_me\", expected one of "
		  "listen, pool, threads, connections, drain, resolve, log, access-log, metrics, "
		  "control, state\n");
}

static void a_listener_sends_its_requests_somewhere(void **unused)
{
	(void)unused;
	complains("listen http :80 {\n"
		  "}\n",
		  "1:1: error: this listener sends requests nowhere; add to its "
		  "block: to POOL\n");
	/* Routes alone will do: the rest is answered 404. */
	model_put(good("listen http :80 { route path /a to a }\npool a { server 1 }"));
}

static void a_route_says_what_it_takes(void **unused)
{
	(void)unused;
	listener_complains("route to web",
			   "2:1: error: a route needs a host or a path; for what no "
			   "route takes, write: to POOL\n");
	listener_complains("route path x to web",
			   "2:12: error: \"x\" is no path; expected one that begins "
			   "with \"/\"\n");
}

static void a_route_behind_a_wider_one_is_noticed(void **unused)
{
	(void)unused;
	listener_complains("route path /a to web\n"
			   "route path /a/b to web\n"
			   "route host h path /a to web",
			   "3:1: warning: this route is never reached: the one in "
			   "line 2 takes all that would fit\n"
			   "4:1: warning: this route is never reached: the one in "
			   "line 2 takes all that would fit\n");
	listener_complains("route host h path /a to web\n"
			   "route path /a to web\n"
			   "route host h to web\n"
			   "route host i path /a/b to web",
			   "5:1: warning: this route is never reached: the one in "
			   "line 3 takes all that would fit\n");
	listener_complains("route path /a/b to web\n"
			   "route path /a to web\n"
			   "route host h path /b to web\n"
			   "route path /b to web",
			   "");
}

static void least_load_reads_the_load_from_its_checks(void **unused)
{
	(void)unused;
	struct model *m = good("listen http :80 { to a }\n"
			       "pool a { server 1; check http /h; balance least-load }\n"
			       "pool b { server 1; balance least-load; check http / "
			       "expect load }\n"
			       "pool c { server 1; check http / }");

	assert_int_equal(m->pools[0].check.expect, EXPECT_LOAD);
	assert_int_equal(m->pools[1].check.expect, EXPECT_LOAD);
	assert_int_equal(m->pools[2].check.expect, EXPECT_STATUS);
	model_put(m);

	pool_complains("balance least-load",
		       "2:1: error: \"balance least-load\" needs probes that report "
		       "the load; add: check http /healthcheck\n");
	pool_complains("balance least-load; check tcp",
		       "2:1: error: \"balance least-load\" needs probes that report "
		       "the load; replace the check by: check http /healthcheck\n");
	pool_complains("check http / expect 200; balance least-load",
		       "2:14: error: \"balance least-load\" reads the load from the "
		       "probes; write: expect load\n");
}

static void a_pool_may_be_empty_but_not_in_silence(void **unused)
{
	(void)unused;
	complains("listen http :80 { to a }\n"
		  "pool a {\n"
		  "}\n",
		  "2:1: warning: pool \"a\" has no server; nothing that is sent to it "
		  "is served\n");
}

static void a_probe_that_outlasts_its_turn_is_noticed(void **unused)
{
	(void)unused;
	pool_complains("check tcp every 1s timeout 2s",
		       "2:20: warning: a silent server is probed every 2s only, not "
		       "every 1s: the time limit is longer\n");
	pool_complains("check tcp every 500ms",
		       "2:1: warning: a silent server is probed every 1s only, not "
		       "every 500ms: the time limit is longer\n");
	pool_complains("check tcp every 1s timeout 1s", "");
}

static void a_queue_without_use_is_noticed(void **unused)
{
	(void)unused;
	pool_complains("queue 5",
		       "2:1: warning: this queue is never used: no server has a "
		       "limit; add for example: parallel 100\n");
	pool_complains("queue 5; parallel 3", "");
	pool_complains("queue 5; server 82 parallel 3", "");
	pool_complains("queue 0 wait 3s; parallel 3",
		       "2:9: warning: \"wait\" does nothing: the queue has no places\n");
	listener_complains("parallel unlimited queue 5",
			   "2:20: warning: this queue is never used: \"parallel\" "
			   "sets no limit\n");
	listener_complains("parallel 5 queue 0 wait 1s",
			   "2:20: warning: \"wait\" does nothing: the queue has no "
			   "places\n");
	listener_complains("parallel 5 queue 5 wait 1s", "");
}

static void a_target_fits_into_its_head(void **unused)
{
	(void)unused;
	struct model *m = good("listen http :80 { to a; head-size 4k }\npool a { server "
			       "1 }");

	assert_int_equal(m->listeners[0].target_max, 4096);
	model_put(m);
	listener_complains("target-size 32k",
			   "2:1: error: a target of 32k does not fit into a head of "
			   "16k; raise head-size or lower target-size\n");
	listener_complains("target-size 32k; head-size 48k", "");
}

static void datagrams_and_connections_have_ports_of_their_own(void **unused)
{
	(void)unused;
	complains("pool a { server 1 }\n"
		  "control 127.0.0.1:9 token t\n"
		  "control 9 token t\n"
		  "listen tcp :53 { to a }\n"
		  "listen udp :53 { to a }\n"
		  "listen http :53 { to a }\n"
		  "listen udp 53 { to a }\n"
		  "listen udp 127.0.0.1:9 { to a }\n"
		  "listen tcp 127.0.0.1:9 { to a }\n",
		  "3:1: error: 127.0.0.1:9 is the address of the control interface "
		  "already, in line 2\n"
		  "6:1: error: 0.0.0.0:53 has a listener already, in line 4\n"
		  "7:1: error: 0.0.0.0:53 has a listener already, in line 5\n"
		  "9:1: error: 127.0.0.1:9 is the address of the control interface "
		  "already, in line 2\n"
		  "9:1: error: 127.0.0.1:9 is the address of the control interface "
		  "already, in line 3\n");
}

static void workers_have_an_address_of_their_own(void **unused)
{
	(void)unused;
	complains("control 7 token /t\n"
		  "pool a {\n}\n"
		  "listen udp :5 { to b }\n"
		  "listen kv :1 { to a; workers :2 }\n"
		  "listen kv :3 { to a; workers :2 }\n"
		  "listen kv :4 { to a; workers 0.0.0.0:4 }\n"
		  "listen kv :5 { to a; workers 127.0.0.1:7 }\n"
		  "listen kv :6 { to a; workers :1 }\n"
		  "listen tcp :2 { to b }\n"
		  "listen udp :2 { to b }\n"
		  "pool b { server 1 }\n",
		  "6:30: error: 0.0.0.0:2 is for the workers of the listener in line 5 "
		  "already; one listener of a pool is enough\n"
		  "7:30: error: 0.0.0.0:4 has a listener already, in line 7; workers need an "
		  "address of their own\n"
		  "8:30: error: 127.0.0.1:7 is the address of the control interface already, "
		  "in line 1\n"
		  "9:30: error: 0.0.0.0:1 has a listener already, in line 5; workers need an "
		  "address of their own\n"
		  "10:1: error: 0.0.0.0:2 is for the workers of the listener in line 5 "
		  "already\n"
		  "10:1: error: 0.0.0.0:2 is for the workers of the listener in line 6 "
		  "already\n");
	/* Datagrams have ports of their own. */
	complains("pool a {\n}\npool b { server 1 }\n"
		  "listen udp :2 { to b }\n"
		  "listen kv :1 { to a; workers :2 }\n"
		  "listen udp :1 { to b }\n", "");
}

static void a_key_and_a_value_fit_into_a_message(void **unused)
{
	(void)unused;
	assert_int_equal(MODEL_KEY_MAX, KV_KEY_MAX);
	assert_int_equal(MODEL_ENTRY_MAX, KV_ENTRY_MAX);
	complains("listen kv :1 { to a; workers :2 }\n"
		  "pool a { key-size 32k; value-size 32735 }\n", "");
	complains("listen kv :1 { to a; workers :2 }\n"
		  "pool a { key-size 32k; value-size 32k }\n",
		  "2:24: error: a key of 32k and a value of 32k do not fit into one message, "
		  "which has room for 65503 bytes; lower key-size or value-size\n");
	complains("listen kv :1 { to a; workers :2 }\n"
		  "pool a { value-size 65503 }\n",
		  "2:10: error: a key of 256 and a value of 65503 do not fit into one message, "
		  "which has room for 65503 bytes; lower key-size or value-size\n");
	complains("listen kv :1 { to a; workers :2 }\n"
		  "pool a { key-size 0; value-size 64k }\n",
		  "2:19: error: \"0\" is too small; expected 1 to 32k\n"
		  "2:33: error: \"64k\" is too large; expected 0 to 65503\n");
}

static void each_kind_sends_what_it_has_somewhere(void **unused)
{
	(void)unused;
	complains("listen tcp :53 {\n"
		  "}\n"
		  "listen udp :53 {\n"
		  "}\n"
		  "listen kv :54 {\n"
		  "}\n",
		  "1:1: error: this listener sends connections nowhere; add to its "
		  "block: to POOL\n"
		  "3:1: error: this listener sends datagrams nowhere; add to its block: "
		  "to POOL\n"
		  "5:1: error: this listener sends requests nowhere; add to its block: "
		  "to POOL\n");
}

static void an_option_is_for_the_policies_that_know_it(void **unused)
{
	(void)unused;
	pool_complains("balance random points 5 bounded 20%",
		       "2:16: error: \"points\" is an option of ring; random has none\n"
		       "2:25: error: \"bounded\" is an option of ring, maglev, rendezvous, "
		       "slots; random has none\n");
	if (policy_find("ring") == NULL || policy_find("maglev") == NULL)
		return;
	pool_complains("balance ring table 65537 bounded 20%",
		       "2:14: error: \"table\" is an option of maglev; ring has points, "
		       "bounded\n");
	pool_complains("balance maglev bounded 20% points 5",
		       "2:28: error: \"points\" is an option of ring; maglev has table, "
		       "bounded\n");
	pool_complains("balance maglev table 101; key path", "");
	pool_complains("balance rendezvous virtual 9",
		       "2:20: error: \"virtual\" is an option of slots; rendezvous has "
		       "bounded\n");
	pool_complains("balance slots points 9 hash mixed",
		       "2:15: error: \"points\" is an option of ring; slots has slots, "
		       "virtual, hash, bounded\n");
	pool_complains("balance slots slots 9 hash mixed virtual 3 bounded 9%", "");
}

static void a_ring_that_is_too_large_is_an_error_of_the_file(void **unused)
{
	(void)unused;
	complains("listen tcp :80 { to db }\n"
		  "pool db { balance ring points 10000\n"
		  "server 81 weight 256; server 82 weight 256 }\n",
		  "2:11: error: pool db: its ring would have 5120000 points, the limit is "
		  "4194304; lower the weights of its servers or its `points`\n");
	struct model *m = good("listen tcp :80 { to db }\n"
			       "pool db { balance ring; server 81 }\n");
	assert_null(m->pools[0].table);	/* made when it comes into force */
	model_put(m);
}

static void slots_that_are_too_few_are_an_error_of_the_file(void **unused)
{
	(void)unused;
	complains("listen tcp :80 { to db }\n"
		  "pool db { balance slots slots 20; server 81 weight 2; server 82 }\n",
		  "2:11: error: pool db: its servers want 27 slots, and there are 20; "
		  "raise its `slots` (to 65536 at most), or lower `virtual` or the "
		  "weights\n");
	struct model *m = good("listen tcp :80 { to db }\n"
			       "pool db { balance slots slots 27\n"
			       "server 81 weight 2; server 82 }\n");
	assert_null(m->pools[0].table);	/* made when it comes into force */
	model_put(m);
}

static void a_key_that_nobody_goes_by_is_noticed(void **unused)
{
	(void)unused;
	char expected[256] = "2:1: warning: \"key\" does nothing: \"balance random\" "
			     "goes by no key; these do: ";
	const char *comma = "";

	for (uint32_t i = 0; policies[i] != NULL; i++)
		if (policies[i]->wants_key) {
			strcat(strcat(expected, comma), policies[i]->name);
			comma = ", ";
		}
	pool_complains("key address-port; balance random", strcat(expected, "\n"));
}

static void what_nobody_is_moved_by_is_noticed(void **unused)
{
	(void)unused;
	const char *listener = "listen tcp :1 { to a }\n";
	char text[256];

	snprintf(text, sizeof text, "%spool a { server 1; redistribute off buffer 4k }",
		 listener);
	complains(text, "2:37: warning: \"buffer\" does nothing: nobody is moved\n");
	snprintf(text, sizeof text, "%spool a { server 1; redistribute replay quiet 1s }",
		 listener);
	complains(text, "2:40: warning: \"quiet\" does nothing: nobody who got an answer "
			"is moved\n");
	snprintf(text, sizeof text,
		 "%spool a { server 1; redistribute idle buffer 0 quiet 0s }", listener);
	complains(text, "");
}

static void warnings_do_not_refuse_the_file(void **unused)
{
	(void)unused;
	const char *text = "listen http :80 { to a }\npool a {\n}\n";
	struct model *m = config_read(text, strlen(text), "test.conf", &report);

	assert_non_null(m);
	assert_int_equal(report.warning_count, 1);
	assert_int_equal(report.error_count, 0);
	model_put(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_has_its_name_alone),
		cmocka_unit_test(an_address_has_one_listener_however_written),
		cmocka_unit_test(a_server_is_in_its_pool_once),
		cmocka_unit_test(refused_names_and_addresses_are_not_compared),
		cmocka_unit_test(a_file_without_a_listener_is_refused),
		cmocka_unit_test(a_listener_sends_its_requests_somewhere),
		cmocka_unit_test(a_route_says_what_it_takes),
		cmocka_unit_test(a_route_behind_a_wider_one_is_noticed),
		cmocka_unit_test(least_load_reads_the_load_from_its_checks),
		cmocka_unit_test(a_pool_may_be_empty_but_not_in_silence),
		cmocka_unit_test(a_probe_that_outlasts_its_turn_is_noticed),
		cmocka_unit_test(a_queue_without_use_is_noticed),
		cmocka_unit_test(a_target_fits_into_its_head),
		cmocka_unit_test(datagrams_and_connections_have_ports_of_their_own),
		cmocka_unit_test(workers_have_an_address_of_their_own),
		cmocka_unit_test(a_key_and_a_value_fit_into_a_message),
		cmocka_unit_test(each_kind_sends_what_it_has_somewhere),
		cmocka_unit_test(an_option_is_for_the_policies_that_know_it),
		cmocka_unit_test(a_ring_that_is_too_large_is_an_error_of_the_file),
		cmocka_unit_test(slots_that_are_too_few_are_an_error_of_the_file),
		cmocka_unit_test(a_key_that_nobody_goes_by_is_noticed),
		cmocka_unit_test(what_nobody_is_moved_by_is_noticed),
		cmocka_unit_test(warnings_do_not_refuse_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
