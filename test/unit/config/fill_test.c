/* Goal: every argument sets the field that the table says to the value that stands
 * there, or is refused with what was expected. */
#include "unit/config/read.h"

#include "model/srv.h"

#include "pick/policy.h"

static const char full[] =
	"threads 2\n"
	"connections 5000\n"
	"drain 10s\n"
	"log debug to /var/log/balancerd.log\n"
	"access-log json to access.log\n"
	"listen http :8080 {\n"
	"	to web\n"
	"	route host API.Example.com path /v1/ to api\n"
	"	route host *.example.com to web\n"
	"	route path /static to api\n"
	"	connections 100\n"
	"	parallel 50 queue 10 wait 1s\n"
	"	head-size 32k; head-fields 200; target-size 4k; body-size 10m\n"
	"	requests 1000\n"
	"	headers via forwarded\n"
	"	timeout head 1s body 2s\n"
	"	timeout keep-alive 3s linger 4s tunnel 5h\n"
	"	access-log off\n"
	"	errors plain-500\n"
	"}\n"
	"pool web {\n"
	"	balance two-choices\n"
	"	server app1:80 weight 2 parallel 3 drain\n"
	"	server 8081; server [::1]:8082; server unix:/run/app.sock\n"
	"	check http /up?x=1 expect 204 every 2s timeout 500ms rise 4 fall 5 "
	"after 6 requests host up.example.com\n"
	"	parallel 7\n"
	"	queue 8 wait 9s\n"
	"	retry 2 budget 30% reserve 11\n"
	"	passive 12 for 13s\n"
	"	timeout connect 14s response 15s body 16s idle 17s\n"
	"	keep 18\n"
	"	host api.internal:8080\n"
	"}\n"
	"pool api { server app2:80; check tcp every 1s; passive off; retry off; host "
	"server }\n";

static void the_file_fills_the_model(void **unused)
{
	(void)unused;
	struct model *m = good(full);

	assert_int_equal(m->threads, 2);
	assert_int_equal(m->connections_max, 5000);
	assert_int_equal(m->drain_ms, 10000);
	assert_int_equal(m->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(m->log_path, "/var/log/balancerd.log");
	assert_int_equal(m->access_format, ACCESS_JSON);
	assert_string_equal(m->access_path, "access.log");
	assert_int_equal(m->listener_count, 1);
	assert_int_equal(m->pool_count, 2);
	model_put(m);
}

static void a_listen_block_fills_the_listener(void **unused)
{
	(void)unused;
	struct model *m = good(full);
	const struct model_listener *l = &m->listeners[0];

	assert_string_equal(l->address.text, "0.0.0.0:8080");
	assert_int_equal(l->connections_max, 100);
	assert_int_equal(l->parallel_max, 50);
	assert_int_equal(l->queue_max, 10);
	assert_int_equal(l->queue_ms, 1000);
	assert_int_equal(l->head_max, 32 << 10);
	assert_int_equal(l->fields_max, 200);
	assert_int_equal(l->target_max, 4 << 10);
	assert_int_equal(l->body_max, 10 << 20);
	assert_int_equal(l->requests_max, 1000);
	assert_int_equal(l->forwarded, FORWARD_VIA | FORWARD_FORWARDED);
	assert_int_equal(l->head_ms, 1000);
	assert_int_equal(l->body_ms, 2000);
	assert_int_equal(l->keep_alive_ms, 3000);
	assert_int_equal(l->linger_ms, 4000);
	assert_int_equal(l->tunnel_ms, 5 * 3600000);
	assert_false(l->access_log);
	assert_true(l->plain_500);
	model_put(m);
}

static void a_pool_block_fills_the_pool(void **unused)
{
	(void)unused;
	struct model *m = good(full);
	const struct model_pool *web = &m->pools[0], *api = &m->pools[1];

	assert_ptr_equal(web->policy, &policy_two_choices);
	assert_int_equal(web->server_parallel_max, 7);
	assert_int_equal(web->queue_max, 8);
	assert_int_equal(web->queue_ms, 9000);
	assert_int_equal(web->retries_max, 2);
	assert_int_equal(web->retry_percent, 30);
	assert_int_equal(web->retry_reserve, 11);
	assert_int_equal(web->passive_fails, 12);
	assert_int_equal(web->passive_ms, 13000);
	assert_int_equal(web->connect_ms, 14000);
	assert_int_equal(web->response_ms, 15000);
	assert_int_equal(web->body_ms, 16000);
	assert_int_equal(web->idle_ms, 17000);
	assert_int_equal(web->idle_max, 18);
	assert_int_equal(web->host_mode, HOST_FIXED);
	assert_string_equal(web->host, "api.internal:8080");

	assert_ptr_equal(api->policy, policies[0]);
	assert_int_equal(api->passive_fails, 0);
	assert_int_equal(api->retries_max, 0);
	assert_int_equal(api->host_mode, HOST_SERVER);
	model_put(m);
}

static void servers_are_numbers_names_ports_and_sockets(void **unused)
{
	(void)unused;
	struct model *m = good(full);
	const struct model_server *s = m->pools[0].servers;

	assert_int_equal(m->pools[0].server_count, 4);
	assert_string_equal(s[0].address.text, "app1:80");
	assert_int_equal(s[0].address.len, 0);
	assert_int_equal(s[0].weight, 2);
	assert_int_equal(s[0].parallel_max, 3);
	assert_true(s[0].drain);
	assert_string_equal(s[1].address.text, "127.0.0.1:8081");
	assert_int_equal(s[1].weight, 1);
	assert_false(s[1].drain);
	assert_string_equal(s[2].address.text, "[::1]:8082");
	assert_string_equal(s[3].address.text, "unix:/run/app.sock");
	model_put(m);
}

static void names_lead_to_servers_and_name_servers_are_numbers(void **unused)
{
	(void)unused;
	struct model *m = good("resolve from 8600 ::1 every 7s\nlisten http 80 { to a }\n"
			       "pool a { server srv _http._tcp.a.test parallel 5; server srv b }");

	assert_int_equal(m->resolve_ms, 7000);
	assert_int_equal(m->name_server_count, 2);
	assert_string_equal(m->name_servers[0].text, "127.0.0.1:8600");
	assert_string_equal(m->name_servers[1].text, "[::1]:53");
	assert_int_equal(m->pools[0].server_count, 0);
	assert_int_equal(m->pools[0].srv_count, 2);
	assert_string_equal(m->pools[0].srvs[0].name, "_http._tcp.a.test");
	assert_int_equal(m->pools[0].srvs[0].parallel_max, 5);
	assert_false(m->pools[0].srvs[0].known);
	assert_string_equal(m->pools[0].srvs[1].name, "b");
	model_put(m);

	complains("resolve from 10.0.0.2 a.test:53 10.0.0.2:53 unix:/a every 1h\n"
		  "resolve from 10.0.0.3\n"
		  "listen http 80 { to a }\n"
		  "pool a { server srv a..b\n"
		  "server srv a.test:80\n"
		  "server srv A.test\n"
		  "server srv a.test\n"
		  "server srv }",
		  "1:23: error: \"a.test:53\" is no numeric address; a name server needs one, "
		  "for example 10.0.0.2, or 127.0.0.1:8600\n"
		  "1:33: error: \"10.0.0.2:53\" is given twice\n"
		  "1:45: error: \"unix:/a\" is no numeric address; a name server needs one, "
		  "for example 10.0.0.2, or 127.0.0.1:8600\n"
		  "2:9: error: \"from\" is already set in line 1\n"
		  "4:21: error: \"a..b\" is no name of SRV records; expected one like "
		  "_http._tcp.example.com or web.service.consul\n"
		  "5:12: error: \"a.test:80\" has a port; SRV records say the port of each "
		  "server: expected a name alone, such as _http._tcp.example.com\n"
		  "7:1: error: this pool has the servers of a.test already, in line 6\n"
		  "8:11: error: \"server\" needs NAME; write: server srv NAME [parallel N]\n");
	complains("resolve from 1 2 3 4\nlisten http 80 { to a }\npool a { server 1 }",
		  "1:20: error: more than 3 name servers\n");
}

static void checks_are_of_three_kinds(void **unused)
{
	(void)unused;
	struct model *m = good(full);
	const struct model_check *c = &m->pools[0].check;

	assert_int_equal(c->kind, CHECK_HTTP);
	assert_string_equal(c->path, "/up?x=1");
	assert_string_equal(c->host, "up.example.com");
	assert_int_equal(c->expect, EXPECT_STATUS);
	assert_int_equal(c->status_min, 204);
	assert_int_equal(c->status_max, 204);
	assert_int_equal(c->every_ms, 2000);
	assert_int_equal(c->timeout_ms, 500);
	assert_int_equal(c->rise, 4);
	assert_int_equal(c->fall, 5);
	assert_int_equal(c->after_requests, 6);
	assert_int_equal(m->pools[1].check.kind, CHECK_TCP);
	assert_int_equal(m->pools[1].check.every_ms, 1000);
	model_put(m);

	m = good("listen http 80 { to a }\npool a { server 1; check off }\n"
		 "pool b { server 1; check http / expect 200-299 }");
	assert_int_equal(m->pools[0].check.kind, CHECK_OFF);
	assert_int_equal(m->pools[1].check.status_min, 200);
	assert_int_equal(m->pools[1].check.status_max, 299);
	model_put(m);
}

static void listeners_of_tcp_and_udp_are_filled(void **unused)
{
	(void)unused;
	struct model *m = good("pool a { server 1 }\n"
			       "listen tcp :5432 {\n"
			       "	to a; connections 10\n"
			       "	timeout idle 2h lifetime 3h\n"
			       "	keep-alive-probe 20s\n"
			       "	proxy-protocol from 10.0.0.0/8 ::1\n"
			       "}\n"
			       "listen tcp :5433 { to a; keep-alive-probe off }\n"
			       "listen udp :5432 { to a; connections 20\n"
			       "	timeout idle 5s }\n"
			       "listen udp :5433 { to a }\n"
			       "listen http :80 { to a\n"
			       "	proxy-protocol from 10.0.0.1 }\n");
	const struct model_listener *l = m->listeners;

	assert_int_equal(l[0].kind, LISTEN_TCP);
	assert_int_equal(l[0].connections_max, 10);
	assert_int_equal(l[0].idle_ms, 2 * 3600000);
	assert_int_equal(l[0].lifetime_ms, 3 * 3600000);
	assert_int_equal(l[0].keep_alive_probe_ms, 20000);
	assert_int_equal(l[0].proxy_peer_count, 2);
	assert_int_equal(l[0].proxy_peers[0].bits, 104);
	assert_int_equal(l[0].proxy_peers[1].bits, 128);
	assert_int_equal(l[0].route_count, 1);
	assert_int_equal(l[0].routes[0].pool, 0);
	assert_int_equal(l[1].keep_alive_probe_ms, 0);
	assert_int_equal(l[2].kind, LISTEN_UDP);
	assert_int_equal(l[2].connections_max, 20);
	assert_int_equal(l[2].idle_ms, 5000);
	assert_int_equal(l[3].idle_ms, 30000);
	assert_int_equal(l[4].kind, LISTEN_HTTP);
	assert_int_equal(l[4].proxy_peer_count, 1);
	model_put(m);
}

static void trusted_peers_are_counted_and_told_apart(void **unused)
{
	(void)unused;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	listener_complains("proxy-protocol from",
			   "2:20: error: \"proxy-protocol\" needs ADDRESS[/BITS] ...; "
			   "write: proxy-protocol from ADDRESS[/BITS] ...\n");
	listener_complains("proxy-protocol from 10.0.0.0/8 ::1 ::ffff:10.0.0.0/104",
			   "2:36: error: \"::ffff:10.0.0.0/104\" is given twice\n");
	fprintf(out, "proxy-protocol from");
	for (int i = 1; i <= MODEL_PEERS_MAX; i++)
		fprintf(out, " 10.0.0.%d", i);
	fclose(out);
	listener_complains(text, "");
	text = realloc(text, len + 8);
	strcat(text, " ::1");
	listener_complains(text, "2:652: error: more than 64 ranges of addresses\n");
	free(text);
}

static void keys_and_cookies_are_filled(void **unused)
{
	(void)unused;
	static const struct {
		const char *word, *name;
		enum key_kind kind;
	} keys[] = {
		{"address", NULL, KEY_ADDRESS}, {"address-port", NULL, KEY_ADDRESS_PORT},
		{"path", NULL, KEY_PATH}, {"header X-Id", "X-Id", KEY_HEADER},
		{"cookie id", "id", KEY_COOKIE},
		{"query user[id]", "user[id]", KEY_QUERY},
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char text[256];
		snprintf(text, sizeof text, "pool a { server 1; key %s }\n"
			 "listen http :1 { to a }\n", keys[i].word);
		struct model *m = config_read(text, strlen(text), "test.conf", &report);
		assert_non_null(m);
		assert_int_equal(m->pools[0].key, keys[i].kind);
		if (keys[i].name == NULL)
			assert_null(m->pools[0].key_name);
		else
			assert_string_equal(m->pools[0].key_name, keys[i].name);
		model_put(m);
	}
	struct model *m = good("pool a { server 1; sticky cookie id }\n"
			       "pool b { server 1; sticky cookie id for 1h }\n"
			       "listen http :1 { to a }\n");
	assert_string_equal(m->pools[0].sticky_cookie, "id");
	assert_int_equal(m->pools[0].sticky_s, 0);
	assert_int_equal(m->pools[1].sticky_s, 3600);
	model_put(m);
	pool_complains("sticky cookie \"a b\"",
		       "2:15: error: \"a b\" is no name of a header field or a cookie\n");
}

static void a_pool_for_tcp_is_filled(void **unused)
{
	(void)unused;
	struct model *m = good("pool a { server 1\n"
			       "redistribute replay buffer 4k; proxy-protocol v2 }\n"
			       "pool b { server 1; redistribute idle quiet 0s }\n"
			       "listen tcp :1 { to a }\nlisten tcp :2 { to b }\n"
			       "state /var/lib/lb\n");

	assert_int_equal(m->pools[0].redistribute, REDISTRIBUTE_REPLAY);
	assert_int_equal(m->pools[0].replay_max, 4096);
	assert_int_equal(m->pools[0].proxy_version, 2);
	assert_int_equal(m->pools[1].redistribute, REDISTRIBUTE_IDLE);
	assert_int_equal(m->pools[1].quiet_ms, 0);
	assert_string_equal(m->state_path, "/var/lib/lb");
	model_put(m);
}

static void rings_and_tables_are_sized(void **unused)
{
	(void)unused;
	if (policy_find("ring") == NULL || policy_find("maglev") == NULL)
		return;
	struct model *m = good("pool a { server 1\n"
			       "	balance ring points 320 bounded 25% }\n"
			       "pool b { server 1; balance maglev table 5003 }\n"
			       "pool c { server 1; server 2\n"
			       "	balance slots slots 2048 virtual 40 hash mixed }\n"
			       "listen tcp :1 { to a }\n");
	assert_ptr_equal(m->pools[0].policy, policy_find("ring"));
	assert_int_equal(m->pools[0].ring_points, 320);
	assert_int_equal(m->pools[0].bounded_percent, 25);
	assert_ptr_equal(m->pools[1].policy, policy_find("maglev"));
	assert_int_equal(m->pools[1].maglev_size, 5003);
	assert_int_equal(m->pools[2].slot_count, 2048);
	assert_int_equal(m->pools[2].slot_virtual, 40);
	assert_int_equal(m->pools[2].slot_hash, SLOT_MIXED);
	assert_int_equal(m->pools[2].servers[1].number, 2);
	model_put(m);
	pool_complains("balance slots slots 1 virtual 1001 hash md5",
		       "2:21: error: \"1\" is too small; expected 2 to 65536\n"
		       "2:31: error: \"1001\" is too large; expected 1 to 1000\n"
		       "2:41: error: unknown word \"md5\", expected one of quadratic, "
		       "mixed\n");
	pool_complains("balance maglev table 5000",
		       "2:22: error: \"5000\" is no prime; the nearest one is 4999\n");
	pool_complains("balance ring points 0 bounded 1001%",
		       "2:21: error: \"0\" is too small; expected 1 to 10000\n"
		       "2:31: error: \"1001%\" is too large; expected 1% to 1000%\n");
}

static void words_may_stand_for_no_limit(void **unused)
{
	(void)unused;
	struct model *m = good("threads auto; connections unlimited\n"
			       "listen http :1 { to a; body-size unlimited\n"
			       "	requests unlimited; headers none }\n"
			       "pool a { server 1; parallel unlimited }");

	assert_int_equal(m->threads, 0);
	assert_int_equal(m->connections_max, 0);
	assert_true(m->listeners[0].body_max == UINT64_MAX);
	assert_int_equal(m->listeners[0].requests_max, 0);
	assert_int_equal(m->listeners[0].forwarded, 0);
	model_put(m);
}

static void a_wrong_value_is_named_where_it_stands(void **unused)
{
	(void)unused;
	complains("drain 30\n"
		  "threads 65\n"
		  "log loud\n"
		  "listen http localhost:80 { to web }\n"
		  "listen http unix:/x { to web }\n"
		  "pool \"a b\" { server 1 }\n"
		  "pool web { server 1 }",
		  "1:7: error: \"30\" has no unit; write 30ms, 30s, 30m or 30h\n"
		  "2:9: error: \"65\" is too large; expected 1 to 64\n"
		  "3:5: error: unknown word \"loud\", expected one of error, warn, "
		  "info, debug\n"
		  "4:13: error: \"localhost:80\" is a name; a listener needs a "
		  "number, for example 127.0.0.1:80\n"
		  "5:13: error: \"unix:/x\" is a UNIX socket; a listener needs a "
		  "port, for example :8080\n"
		  "6:6: error: \"a b\" is no name; expected letters, digits, \"-\", "
		  "\"_\" and \".\"\n");
	listener_complains("headers via none", "2:13: error: \"none\" stands alone\n");
	listener_complains("headers none via", "2:9: error: \"none\" stands alone\n");
	listener_complains("headers via via", "2:13: error: \"via\" is given twice\n");
	listener_complains("head-size 64k",
			   "2:11: error: \"64k\" is too large; expected 1k to 65535\n");
	listener_complains("head-fields 257",
			   "2:13: error: \"257\" is too large; expected 1 to 256\n");
	pool_complains("server 1.2.3.4",
		       "2:8: error: \"1.2.3.4\" has no port from 1 to 65535\n");
	pool_complains("check http / expect 99",
		       "2:21: error: \"99\" is no status; expected 100 to 599\n");
	pool_complains("check http / expect 300-200",
		       "2:21: error: \"300-200\" is no status; expected 100 to 599, "
		       "the smaller one first\n");
	pool_complains("check http / expect ok",
		       "2:21: error: \"ok\" is nothing to expect; write a status "
		       "(200), a range of them (200-399), or load\n");
	pool_complains("retry 16", "2:7: error: \"16\" is too large; expected 0 to 15\n");
	pool_complains("balance least-laod",
		       "2:9: error: unknown word \"least-laod\", expected one of "
		       "round-robin, least-load, least-conn, two-choices, random, "
		       "ring, maglev, rendezvous, slots; did you mean \"least-load\"?\n");
}

static void an_unknown_pool_comes_with_the_known_ones(void **unused)
{
	(void)unused;
	complains("listen http :80 { to wep }\n"
		  "pool web { server 1 }\n"
		  "pool api { server 1 }",
		  "1:22: error: unknown pool \"wep\", expected one of web, api; did "
		  "you mean \"web\"?\n");
	complains("listen http :80 { to web }",
		  "1:22: error: unknown pool \"web\"; this file has no pool yet, add "
		  "for example: pool web { server 127.0.0.1:8081 }\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_fills_the_model),
		cmocka_unit_test(a_listen_block_fills_the_listener),
		cmocka_unit_test(a_pool_block_fills_the_pool),
		cmocka_unit_test(servers_are_numbers_names_ports_and_sockets),
		cmocka_unit_test(names_lead_to_servers_and_name_servers_are_numbers),
		cmocka_unit_test(checks_are_of_three_kinds),
		cmocka_unit_test(listeners_of_tcp_and_udp_are_filled),
		cmocka_unit_test(trusted_peers_are_counted_and_told_apart),
		cmocka_unit_test(keys_and_cookies_are_filled),
		cmocka_unit_test(a_pool_for_tcp_is_filled),
		cmocka_unit_test(rings_and_tables_are_sized),
		cmocka_unit_test(words_may_stand_for_no_limit),
		cmocka_unit_test(a_wrong_value_is_named_where_it_stands),
		cmocka_unit_test(an_unknown_pool_comes_with_the_known_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
