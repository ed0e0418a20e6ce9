/* Goal: who holds a model has it, nobody else does, and defaults are as declared. */
#include "model/live_registry.h"
#include "unit/model/sample.h"

#include <pthread.h>
#include <stdlib.h>

static void a_model_lasts_as_long_as_somebody_holds_it(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081", "8082"));

	(void)unused;
	assert_ptr_equal(model_get(m), m);
	model_put(m);
	assert_string_equal(m->pools[0].name, "web");
	m->log_path = memory_text("/var/log/balancerd.log");
	m->pools[0].check.path = memory_text("/healthcheck");
	m->pools[0].check.host = memory_text("example.com");
	m->pools[0].host = memory_text("example.com");
	m->pools[0].secret_path = memory_text("/etc/secret");
	sample_add_listener(m, "8080");
	model_put(m);		/* what it owned is freed: the leak check says so */
}

static void nothing_may_be_put(void **unused)
{
	(void)unused;
	model_put(NULL);
}

static void *get_and_put(void *arg)
{
	const struct model *m = arg;

	for (int n = 0; n < 20000; n++)
		model_put(model_get(m));
	return NULL;
}

static void threads_may_share_it(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081"));
	pthread_t threads[3];

	(void)unused;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get_and_put, m), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&m->holders), 1);
	model_put(m);
}

static void a_pool_is_found_by_its_whole_name(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081"));

	(void)unused;
	sample_add_pool(m, "web-2", SERVERS("8081"));
	assert_int_equal(model_pool_find(m, SPAN("web")), 0);
	assert_int_equal(model_pool_find(m, SPAN("web-2")), 1);
	assert_int_equal(model_pool_find(m, SPAN("web-")), -1);
	assert_int_equal(model_pool_find(m, SPAN("")), -1);
	model_put(m);
}

/* A model that owns one of everything that a model can own. */
static struct model *full_model(void)
{
	struct model *m = sample_model("web", SERVERS("8081", "app1:8082"));
	struct model_pool *p = &m->pools[0];
	struct model_control *c = memory_new(1, sizeof *c);

	p->key = KEY_COOKIE;
	p->key_name = memory_text("user");
	p->sticky_cookie = memory_text("server");
	p->check.path = memory_text("/healthcheck");
	p->check.host = memory_text("example.com");
	p->host = memory_text("example.com");
	p->secret_path = memory_text("/etc/secret");
	p->table = memory_new(1, 16);
	sample_add_listener(m, "8080");
	m->listeners[0].proxy_peers = memory_new(1, sizeof(struct model_peers));
	m->listeners[0].proxy_peers[0].bits = 104;
	m->listeners[0].proxy_peer_count = 1;
	m->log_path = memory_text("/var/log/balancerd.log");
	m->access_path = memory_text("/var/log/access.log");
	m->control_path = memory_text("/run/balancerd/web.sock");
	m->state_path = memory_text("/var/lib/balancerd");
	c->token_path = memory_text("/etc/token");
	c->read_token_path = memory_text("/etc/read-token");
	m->controls = c;
	m->control_count = 1;
	return m;
}

static void a_copy_says_the_same_and_shares_nothing(void **unused)
{
	struct model *m = full_model(), *copy = model_copy(m);
	const struct model_pool *p = &copy->pools[0];

	(void)unused;
	assert_int_equal(atomic_load(&copy->holders), 1);
	model_put(m);		/* with a byte shared, the address sanitizer objects */
	assert_string_equal(p->name, "web");
	assert_int_equal(p->key, KEY_COOKIE);
	assert_string_equal(p->key_name, "user");
	assert_string_equal(p->sticky_cookie, "server");
	assert_string_equal(p->check.path, "/healthcheck");
	assert_string_equal(p->check.host, "example.com");
	assert_string_equal(p->host, "example.com");
	assert_string_equal(p->secret_path, "/etc/secret");
	assert_null(p->table);
	assert_int_equal(p->server_count, 2);
	assert_string_equal(p->servers[1].address.text, "app1:8082");
	assert_null(p->servers[1].live);
	assert_string_equal(copy->listeners[0].routes[0].path, "/");
	assert_int_equal(copy->listeners[0].proxy_peers[0].bits, 104);
	assert_string_equal(copy->log_path, "/var/log/balancerd.log");
	assert_string_equal(copy->access_path, "/var/log/access.log");
	assert_string_equal(copy->control_path, "/run/balancerd/web.sock");
	assert_string_equal(copy->state_path, "/var/lib/balancerd");
	assert_string_equal(copy->controls[0].token_path, "/etc/token");
	assert_string_equal(copy->controls[0].read_token_path, "/etc/read-token");
	model_put(copy);
}

static void a_copy_of_an_attached_model_has_no_live_part(void **unused)
{
	struct live *live = memory_new_aligned(64, sizeof *live);
	struct model *m = full_model();
	struct err err;

	(void)unused;
	live_init(live);
	assert_int_equal(model_attach(m, live, &err), 0);
	struct model *copy = model_copy(m);
	assert_null(copy->live);
	assert_null(copy->pools[0].live);
	assert_null(copy->listeners[0].live);
	assert_int_equal(model_attach(copy, live, &err), 0);
	model_put(copy);
	model_put(m);
	live_fini(live);
	free(live);
}

static void a_pool_is_of_workers_when_a_kv_listener_leads_to_it(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081"));

	(void)unused;
	sample_add_pool(m, "store", SERVERS(NULL));
	sample_add_listener(m, "1");
	sample_add_listener(m, "2");
	m->listeners[1].routes[0].pool = 1;
	assert_false(model_pool_is_kv(m, 0));
	assert_false(model_pool_is_kv(m, 1));
	m->listeners[1].kind = LISTEN_KV;
	assert_false(model_pool_is_kv(m, 0));
	assert_true(model_pool_is_kv(m, 1));
	model_put(m);
}

/* Its place among the others, -1: it is not there. */
static int place_of(const struct model_pool *p, const char *text)
{
	struct address a;
	struct err err;

	assert_int_equal(address_parse(&a, text, "127.0.0.1", &err), 0);
	const struct model_server *s = model_server_find(p, &a);
	return s != NULL ? (int)(s - p->servers) : -1;
}

static void servers_are_found_added_and_removed_in_order(void **unused)
{
	struct model *m = sample_model("web", SERVERS("1", "2", "3"));
	struct model_pool *p = &m->pools[0];
	struct err err;

	(void)unused;
	assert_int_equal(place_of(p, "127.0.0.1:2"), 1);
	assert_int_equal(place_of(p, "127.0.0.1:4"), -1);
	model_server_remove(p, 1);
	assert_int_equal(place_of(p, "127.0.0.1:2"), -1);
	assert_int_equal(place_of(p, "127.0.0.1:3"), 1);
	struct model_server *s = model_server_add(p);
	assert_int_equal(s->weight, 1);
	assert_int_equal(address_parse(&s->address, "4", "127.0.0.1", &err), 0);
	assert_int_equal(place_of(p, "127.0.0.1:4"), 2);
	while (p->server_count < MODEL_SERVERS_MAX)
		assert_non_null(model_server_add(p));
	assert_null(model_server_add(p));
	model_put(m);
}

static void a_server_keeps_its_number_and_a_new_one_gets_the_lowest_free(void **unused)
{
	struct model *m = sample_model("web", SERVERS(NULL));
	struct model_pool *p = &m->pools[0];

	(void)unused;
	for (uint32_t i = 1; i <= MODEL_SERVERS_MAX; i++)
		assert_int_equal(model_server_add(p)->number, i);
	model_server_remove(p, 70);
	model_server_remove(p, 1);
	assert_int_equal(p->servers[1].number, 3);
	assert_int_equal(p->servers[69].number, 72);
	assert_int_equal(model_server_add(p)->number, 2);
	assert_int_equal(model_server_add(p)->number, 71);
	struct model *copy = model_copy(m);
	assert_int_equal(copy->pools[0].servers[MODEL_SERVERS_MAX - 1].number, 71);
	model_put(copy);
	model_put(m);
}

static void a_listeners_limits_have_the_documented_defaults(void **unused)
{
	struct model_listener l = {0};

	(void)unused;
	model_listener_defaults(&l);
	assert_int_equal(l.head_max, 16384);
	assert_int_equal(l.fields_max, 100);
	assert_int_equal(l.target_max, 8192);
	assert_true(l.body_max == UINT64_MAX);
	assert_int_equal(l.head_ms, 10000);
	assert_int_equal(l.body_ms, 30000);
	assert_int_equal(l.keep_alive_ms, 60000);
	assert_int_equal(l.linger_ms, 2000);
	assert_int_equal(l.tunnel_ms, 3600000);
	assert_int_equal(l.queue_max, 1024);
	assert_int_equal(l.queue_ms, 5000);
	assert_int_equal(l.forwarded, FORWARD_VIA | FORWARD_X_FORWARDED);
	assert_true(l.access_log);
	assert_int_equal(l.kind, LISTEN_HTTP);
	assert_int_equal(l.idle_ms, 3600000);
	assert_int_equal(l.lifetime_ms, 0);
	assert_int_equal(l.protocol, KV_PROTOCOL_WIRE);
	assert_string_equal(l.workers.text, "");
	l.kind = LISTEN_UDP;
	model_listener_defaults(&l);
	assert_int_equal(l.idle_ms, 30000);
	l.kind = LISTEN_KV;
	model_listener_defaults(&l);
	assert_int_equal(l.idle_ms, 0);
	assert_int_equal(l.keep_alive_probe_ms, 60000);
}

static void a_pools_limits_have_the_documented_defaults(void **unused)
{
	struct model_pool p = {0};

	(void)unused;
	model_pool_defaults(&p);
	assert_int_equal(p.ring_points, 160);
	assert_int_equal(p.maglev_size, 65537);
	assert_int_equal(p.slot_count, 512);
	assert_int_equal(p.slot_virtual, 9);
	assert_int_equal(p.slot_hash, SLOT_QUADRATIC);
	assert_int_equal(p.key, KEY_ADDRESS);
	assert_int_equal(p.redistribute, REDISTRIBUTE_IDLE);
	assert_int_equal(p.replay_max, 16384);
	assert_int_equal(p.quiet_ms, 300);
	assert_int_equal(p.queue_max, 1024);
	assert_int_equal(p.queue_ms, 5000);
	assert_int_equal(p.retries_max, 3);
	assert_int_equal(p.retry_percent, 20);
	assert_int_equal(p.retry_reserve, 100);
	assert_int_equal(p.passive_fails, 3);
	assert_int_equal(p.passive_ms, 10000);
	assert_int_equal(p.connect_ms, 2000);
	assert_int_equal(p.response_ms, 60000);
	assert_int_equal(p.body_ms, 30000);
	assert_int_equal(p.idle_ms, 4000);
	assert_int_equal(p.idle_max, 256);
	assert_int_equal(p.host_mode, HOST_PRESERVE);
	assert_int_equal(p.check.kind, CHECK_OFF);
	assert_int_equal(p.check.expect, EXPECT_STATUS);
	assert_int_equal(p.check.status_min, 200);
	assert_int_equal(p.check.status_max, 399);
	assert_int_equal(p.check.every_ms, 3000);
	assert_int_equal(p.check.timeout_ms, 1000);
	assert_int_equal(p.check.rise, 2);
	assert_int_equal(p.check.fall, 3);
	assert_int_equal(p.acks, ACKS_ALL);
	assert_null(p.secret_path);
	assert_int_equal(p.key_max, 256);
	assert_int_equal(p.value_max, 256);
}

static void all_else_has_the_documented_defaults(void **unused)
{
	struct model_server s = {0};
	struct model *m = model_create();

	(void)unused;
	model_server_defaults(&s);
	assert_int_equal(s.weight, 1);
	assert_int_equal(m->threads, 0);
	assert_int_equal(m->drain_ms, 30000);
	assert_int_equal(m->resolve_ms, 30000);
	assert_int_equal(m->log_level, LOG_LEVEL_INFO);
	model_put(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_lasts_as_long_as_somebody_holds_it),
		cmocka_unit_test(nothing_may_be_put),
		cmocka_unit_test(threads_may_share_it),
		cmocka_unit_test(a_pool_is_found_by_its_whole_name),
		cmocka_unit_test(a_pool_is_of_workers_when_a_kv_listener_leads_to_it),
		cmocka_unit_test(a_copy_says_the_same_and_shares_nothing),
		cmocka_unit_test(a_copy_of_an_attached_model_has_no_live_part),
		cmocka_unit_test(servers_are_found_added_and_removed_in_order),
		cmocka_unit_test(
			a_server_keeps_its_number_and_a_new_one_gets_the_lowest_free),
		cmocka_unit_test(a_listeners_limits_have_the_documented_defaults),
		cmocka_unit_test(a_pools_limits_have_the_documented_defaults),
		cmocka_unit_test(all_else_has_the_documented_defaults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
