/* Goal: what is known of a server survives every reload that keeps it, and is gone
 * when the last model that had it is gone.
 */
#include "model/live_registry.h"
#include "unit/model/live_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct model *attached(const char *pool, const char *const *servers)
{
	struct model *m = sample_model(pool, servers);

	assert_int_equal(model_attach(m, &live, &err), 0);
	live_take_over(m);
	return m;
}

static struct live_server *server_of(const struct model *m, uint32_t i)
{
	return m->pools[0].servers[i].live;
}

static void a_new_server_starts_up_with_what_the_model_says(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081", "8082", "db.example:80"));

	(void)unused;
	m->pools[0].servers[1].weight = 7;
	m->pools[0].servers[1].drain = true;
	assert_int_equal(model_attach(m, &live, &err), 0);
	live_take_over(m);
	for (uint32_t i = 0; i < 3; i++) {
		struct live_server *s = server_of(m, i);
		assert_true(s->up);
		assert_int_equal(s->draining, i == 1);
		assert_int_equal(s->weight, i == 1 ? 7 : 1);
		assert_int_equal(s->id, i);
		assert_int_equal(s->in_flight, 0);
		assert_string_equal(s->pool, "web");
		assert_string_equal(s->text, m->pools[0].servers[i].address.text);
		assert_int_equal((uintptr_t)s % 64, 0);
	}
	assert_int_equal(address_port(server_of(m, 0)->address), 8081);
	assert_null(server_of(m, 2)->address);		/* nobody has looked it up yet */
	assert_true(server_of(m, 0)->seed != server_of(m, 1)->seed);
	model_put(m);
}

static void a_reload_keeps_verdicts_and_counts_and_takes_weights_over(void **unused)
{
	struct model *old = attached("web", SERVERS("8081", "8082"));
	struct live_server *kept = server_of(old, 1);
	struct live_pool *pool = old->pools[0].live;

	(void)unused;
	kept->requests = 42;
	assert_true(live_server_set_up(kept, false));
	struct model *new = sample_model("web", SERVERS("8083", "8082"));
	new->pools[0].servers[1].weight = 5;
	new->pools[0].servers[1].drain = true;
	assert_int_equal(model_attach(new, &live, &err), 0);
	live_take_over(new);
	assert_ptr_equal(server_of(new, 1), kept);
	assert_ptr_equal(new->pools[0].live, pool);
	assert_false(kept->up);
	assert_int_equal(kept->requests, 42);
	assert_int_equal(kept->weight, 5);
	assert_true(kept->draining);
	assert_true(server_of(new, 0)->up);
	model_put(old);
	live_collect(&live);
	assert_int_equal(kept->requests, 42);
	model_put(new);
}

static void the_same_address_in_two_pools_is_two_servers(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081"));

	(void)unused;
	sample_add_pool(m, "api", SERVERS("8081"));
	assert_int_equal(model_attach(m, &live, &err), 0);
	live_take_over(m);
	const struct live_server *web = m->pools[0].servers[0].live;
	const struct live_server *api = m->pools[1].servers[0].live;
	assert_ptr_not_equal(web, api);
	assert_true(web->seed == api->seed);
	model_put(m);
}

static void a_server_is_found_as_long_as_a_model_has_it(void **unused)
{
	struct model *m = attached("web", SERVERS("127.0.0.1:1", "app:80"));
	struct address at = m->pools[0].servers[0].address;

	(void)unused;
	assert_ptr_equal(live_server_find(&live, "web", &at), server_of(m, 0));
	assert_ptr_equal(live_server_find(&live, "web", &m->pools[0].servers[1].address),
			 server_of(m, 1));
	assert_null(live_server_find(&live, "api", &at));
	model_put(m);
	live_collect(&live);
	assert_null(live_server_find(&live, "web", &at));
}

static void a_server_named_twice_is_one(void **unused)
{
	struct model *m = attached("web", SERVERS("8081", "8081"));

	(void)unused;
	assert_ptr_equal(server_of(m, 0), server_of(m, 1));
	assert_int_equal(server_of(m, 0)->holders, 2);
	model_put(m);
	live_collect(&live);
	assert_null(live.servers);
}

static void ids_are_dense_and_used_again_only_when_free(void **unused)
{
	struct model *old = attached("web", SERVERS("1", "2", "3"));
	struct model *new = attached("web", SERVERS("3", "4"));

	(void)unused;
	assert_int_equal(server_of(new, 0)->id, 2);
	assert_int_equal(server_of(new, 1)->id, 3);	/* 0 and 1 are the old model's */
	model_put(old);
	struct model *before = attached("web", SERVERS("5"));
	assert_int_equal(server_of(before, 0)->id, 4);	/* put back, not yet collected */
	live_collect(&live);
	struct model *after = attached("web", SERVERS("6", "7", "8"));
	assert_int_equal(server_of(after, 0)->id, 0);
	assert_int_equal(server_of(after, 1)->id, 1);
	assert_int_equal(server_of(after, 2)->id, 5);
	model_put(new);
	model_put(before);
	model_put(after);
}

static void a_listener_is_known_by_its_text(void **unused)
{
	struct model *old = model_create(), *new = model_create();

	(void)unused;
	sample_add_listener(old, "8080");
	sample_add_listener(old, "127.0.0.1:9090");
	sample_add_listener(new, "127.0.0.1:9090");
	assert_int_equal(model_attach(old, &live, &err), 0);
	live_take_over(old);
	assert_false(old->listeners[1].live->kv);
	old->listeners[1].live->accepted = 9;
	new->listeners[0].kind = LISTEN_KV;	/* of whatever kind it was, but for UDP */
	assert_int_equal(model_attach(new, &live, &err), 0);
	live_take_over(new);
	assert_ptr_equal(new->listeners[0].live, old->listeners[1].live);
	assert_true(new->listeners[0].live->kv);
	model_put(old);
	live_collect(&live);
	assert_int_equal(new->listeners[0].live->accepted, 9);
	assert_null(live.listeners->next);
	model_put(new);
}

static unsigned times_told;

static void on_released(struct live *from)
{
	assert_ptr_equal(from, &live);
	times_told++;
}

static void the_control_thread_is_told_once_until_it_collects(void **unused)
{
	struct model *m[4];

	(void)unused;
	times_told = 0;
	live.on_released = on_released;
	for (int i = 0; i < 4; i++)
		m[i] = attached("web", SERVERS("8081"));
	model_get(m[0]);
	model_put(m[0]);
	assert_int_equal(times_told, 0);		/* somebody holds it */
	model_put(m[0]);
	model_put(m[1]);
	assert_int_equal(times_told, 1);
	live_collect(&live);
	assert_int_equal(live.servers->holders, 2);
	model_put(m[2]);
	assert_int_equal(times_told, 2);
	model_put(m[3]);
	live_collect(&live);
	live_collect(&live);
	assert_int_equal(times_told, 2);
	assert_null(live.servers);
	assert_null(live.pools);
}

/* Each thread puts back its half of the models while the other does, and while this
 * one collects. */
enum { MODELS = 400 };
static struct model *shared[MODELS];

static void *put_back(void *arg)
{
	for (size_t i = (size_t)(uintptr_t)arg; i < MODELS; i += 2)
		model_put(shared[i]);
	return NULL;
}

static void loops_may_put_models_back_while_the_control_thread_collects(void **unused)
{
	pthread_t threads[2];

	(void)unused;
	for (size_t i = 0; i < MODELS; i++)
		shared[i] = attached("web", SERVERS("8081", "8082"));
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_back,
						(void *)i), 0);
	for (int n = 0; n < 100; n++)
		live_collect(&live);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	live_collect(&live);
	assert_null(live.servers);
}

static struct model *many_servers(const char *pool, uint32_t count)
{
	struct model *m = model_create();

	sample_add_pool(m, pool, SERVERS("1"));
	struct model_pool *p = &m->pools[0];
	p->servers = memory_grow(p->servers, count, sizeof *p->servers);
	p->server_count = count;
	for (uint32_t i = 0; i < count; i++) {
		p->servers[i] = (struct model_server){.weight = 3};
		snprintf(p->servers[i].address.text, sizeof p->servers[i].address.text,
			 "host-%u:80", i);
	}
	return m;
}

static void too_many_servers_are_refused_and_change_nothing(void **unused)
{
	struct model *most = many_servers("web", LIVE_SERVER_IDS_MAX - 1);
	struct model *over = many_servers("api", 2);

	(void)unused;
	assert_int_equal(model_attach(most, &live, &err), 0);
	live_take_over(most);
	sample_add_listener(over, "8080");
	sample_add_pool(over, "web", SERVERS("host-0:80"));
	assert_int_equal(model_attach(over, &live, &err), -1);
	assert_non_null(strstr(err.text, "65536"));
	assert_null(over->live);
	assert_null(over->listeners[0].live);
	assert_null(over->pools[0].servers[0].live);
	assert_null(live.listeners);
	assert_null(live.pools->next);
	assert_int_equal(server_of(most, 0)->weight, 3);
	assert_int_equal(server_of(most, 0)->holders, 1);
	over->pools[0].server_count = 1;		/* so much fits */
	assert_int_equal(model_attach(over, &live, &err), 0);
	live_take_over(over);
	assert_int_equal(server_of(over, 0)->id, LIVE_SERVER_IDS_MAX - 1);
	model_put(over);
	model_put(most);
}

static void an_address_that_comes_back_is_the_same_one(void **unused)
{
	struct model *m = attached("web", SERVERS("db.example:80"));
	struct live_server *s = server_of(m, 0);
	struct address a, b;

	(void)unused;
	assert_int_equal(address_parse(&a, "192.0.2.1:80", "", &err), 0);
	assert_int_equal(address_parse(&b, "[2001:db8::1]:80", "", &err), 0);
	live_server_set_address(s, &a);
	const struct address *first = s->address;
	assert_string_equal(first->text, "192.0.2.1:80");
	live_server_set_address(s, &b);
	assert_string_equal(s->address->text, "[2001:db8::1]:80");
	assert_string_equal(first->text, "192.0.2.1:80");	/* for whoever reads it */
	live_server_set_address(s, &a);
	assert_ptr_equal(s->address, first);
	model_put(m);
}

static void failures_in_a_row_mark_down_and_exactly_once(void **unused)
{
	struct model *m = attached("web", SERVERS("8081"));
	struct live_server *s = server_of(m, 0);

	(void)unused;
	assert_false(live_server_failed(s, FAILURE_REFUSED, 3));
	assert_false(live_server_failed(s, FAILURE_REFUSED, 3));
	live_server_succeeded(s);
	assert_false(live_server_failed(s, FAILURE_RESET, 3));
	assert_false(live_server_failed(s, FAILURE_RESET, 3));
	assert_true(live_server_failed(s, FAILURE_RESET, 3));
	assert_false(s->up);
	assert_false(live_server_failed(s, FAILURE_RESET, 3));
	assert_int_equal(s->failures[FAILURE_REFUSED], 2);
	assert_int_equal(s->failures[FAILURE_RESET], 4);
	assert_true(live_server_set_up(s, true));
	assert_false(live_server_set_up(s, true));
	assert_false(live_server_failed(s, FAILURE_CUT, 2));	/* counted anew */
	assert_true(s->up);
	model_put(m);
}

static void without_a_limit_failures_are_only_counted(void **unused)
{
	struct model *m = attached("web", SERVERS("8081"));

	(void)unused;
	for (int n = 0; n < 100; n++)
		assert_false(live_server_failed(server_of(m, 0), FAILURE_CUT, 0));
	assert_true(server_of(m, 0)->up);
	assert_int_equal(server_of(m, 0)->failures[FAILURE_CUT], 100);
	model_put(m);
}

static void each_failure_has_a_text_of_its_own(void **unused)
{
	(void)unused;
	for (int a = 0; a < FAILURES; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(live_failure_text((enum live_failure)a),
						live_failure_text((enum live_failure)b));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
	const struct CMUnitTest tests[] = {
		TEST(a_new_server_starts_up_with_what_the_model_says),
		TEST(a_reload_keeps_verdicts_and_counts_and_takes_weights_over),
		TEST(the_same_address_in_two_pools_is_two_servers),
		TEST(a_server_is_found_as_long_as_a_model_has_it),
		TEST(a_server_named_twice_is_one),
		TEST(ids_are_dense_and_used_again_only_when_free),
		TEST(a_listener_is_known_by_its_text),
		TEST(the_control_thread_is_told_once_until_it_collects),
		TEST(loops_may_put_models_back_while_the_control_thread_collects),
		TEST(too_many_servers_are_refused_and_change_nothing),
		TEST(an_address_that_comes_back_is_the_same_one),
		TEST(failures_in_a_row_mark_down_and_exactly_once),
		TEST(without_a_limit_failures_are_only_counted),
		TEST(each_failure_has_a_text_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
