/* Goal: who holds a model has it, nobody else does, and defaults are as declared. */
#include "unit/model/sample.h"

#include <pthread.h>

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

static void limits_have_the_defaults_that_are_documented(void **unused)
{
	struct model_listener l = {0};
	struct model_pool p = {0};
	struct model_server s = {0};
	struct model *m = model_create();

	(void)unused;
	model_listener_defaults(&l);
	model_pool_defaults(&p);
	model_server_defaults(&s);
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
	assert_int_equal(s.weight, 1);
	assert_int_equal(m->threads, 0);
	assert_int_equal(m->drain_ms, 30000);
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
		cmocka_unit_test(limits_have_the_defaults_that_are_documented),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
