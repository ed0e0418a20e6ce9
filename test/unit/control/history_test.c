/* Goal: samples add up to what was counted, are those of the last ten minutes, stay over a
 * reload and end with what they are of; and percentiles are of late in every answer.
 */
#include "unit/control/client.h"

#include "control/history.h"
#include "model/meter.h"
#include "model/meter_window.h"

static uint64_t now_ms;

static int begin_history(void **unused)
{
	now_ms = 0;
	return begin(unused);
}

static void take(void)
{
	now_ms += HISTORY_EVERY_MS;
	history_take(fake.history, fake.model, &fake.live, now_ms);
	fake.view.uptime_ms = now_ms;
}

static void note(struct meters *meters, unsigned class, uint64_t took_us, unsigned count)
{
	const struct meter_note n = {.class = class, .took_us = took_us};

	while (count-- > 0)
		meters_note(meters, 0, &n);
}

static struct live_server *server(uint32_t pool, uint32_t at)
{
	return fake.model->pools[pool].servers[at].live;
}

static json_t *pool_named(const char *name)
{
	json_t *one;
	size_t i;

	assert_int_equal(ask("GET /v1/history", ""), 200);
	json_array_foreach(json_object_get(body, "pools"), i, one)
		if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0)
			return one;
	return NULL;
}

static json_t *list(const json_t *object, const char *name)
{
	json_t *values = json_object_get(object, name);

	assert_int_equal(json_array_size(values),
			 json_array_size(json_object_get(body, "at_ms")));
	return values;
}

/* One value of one list; -1: null. */
static double value(const json_t *object, const char *name, size_t at)
{
	const json_t *one = json_array_get(list(object, name), at);

	assert_non_null(one);
	return json_is_null(one) ? -1 : json_number_value(one);
}

static const json_t *whole(void)
{
	return json_object_get(body, "whole");
}

static void before_the_first_sample_all_is_empty(void **unused)
{
	(void)unused;
	assert_int_equal(ask("GET /v1/history", ""), 200);
	assert_int_equal(number_of("now_ms"), 7000);
	assert_int_equal(json_array_size(json_object_get(body, "at_ms")), 0);
	assert_int_equal(json_array_size(list(whole(), "requests")), 0);
	assert_int_equal(json_array_size(json_object_get(body, "pools")), 0);
}

static void samples_are_what_grew_between_them(void **unused)
{
	struct live_listener *l = fake.model->listeners[0].live;

	(void)unused;
	server(0, 0)->requests += 3;
	server(0, 1)->requests += 4;
	server(1, 0)->requests += 5;
	l->requests += 7;
	take();
	server(0, 1)->requests += 10;
	server(0, 0)->in_flight = 2;
	fake.model->pools[0].live->waiting = 6;
	fake.live.connections.inside = 9;
	l->accepted += 2;
	take();
	const json_t *web = pool_named("web");
	assert_int_equal(value(web, "requests", 0), 7);
	assert_int_equal(value(web, "requests", 1), 10);
	assert_int_equal(value(web, "in_flight", 0), 0);
	assert_int_equal(value(web, "in_flight", 1), 2);
	assert_int_equal(value(web, "waiting", 1), 6);
	assert_int_equal(value(whole(), "requests", 0), 12);
	assert_int_equal(value(whole(), "requests", 1), 10);
	assert_int_equal(value(whole(), "in_flight", 1), 2);
	assert_int_equal(value(whole(), "connections", 1), 9);
	const json_t *listener = json_array_get(json_object_get(body, "listeners"), 0);
	assert_string_equal(json_string_value(json_object_get(listener, "address")),
			    "0.0.0.0:8080");
	assert_int_equal(value(listener, "requests", 0), 7);
	assert_int_equal(value(listener, "accepted", 1), 2);
	assert_int_equal(value(body, "at_ms", 1), 2 * HISTORY_EVERY_MS);
	assert_int_equal(value(body, "took_ms", 0), HISTORY_EVERY_MS);
}

/* Of pool web, which an HTTP listener leads to, and of api, which none does. */
static void errors_are_those_that_the_page_counts(void **unused)
{
	const struct model_pool *pools = fake.model->pools;

	(void)unused;
	note(pools[0].live->meters, 5, 10, 2);
	note(pools[0].live->meters, 0, 10, 3);
	note(pools[0].live->meters, 4, 10, 9);
	server(0, 0)->failures[FAILURE_REFUSED] += 100;		/* it was tried elsewhere */
	server(1, 0)->failures[FAILURE_RESET] += 4;
	note(pools[1].live->meters, 5, 10, 50);
	take();
	assert_int_equal(value(pool_named("web"), "errors", 0), 5);
	assert_int_equal(value(pool_named("api"), "errors", 0), 4);
	assert_int_equal(value(whole(), "errors", 0), 9);
}

static void times_are_of_the_last_two_samples(void **unused)
{
	struct meters *meters = fake.model->pools[0].live->meters;

	(void)unused;
	take();
	assert_int_equal(value(pool_named("web"), "p50_ms", 0), -1);
	note(meters, 2, 500 * 1000, 10);
	take();
	note(meters, 2, 1000, 10);
	take();
	take();
	take();
	const json_t *web = pool_named("web");
	assert_true(value(web, "p99_ms", 1) > 490 && value(web, "p50_ms", 1) > 490);
	assert_true(value(web, "p99_ms", 2) > 490 && value(web, "p50_ms", 2) < 1.1);
	assert_true(value(web, "p99_ms", 3) > 0.9 && value(web, "p99_ms", 3) < 1.1);
	assert_int_equal(value(web, "p99_ms", 4), -1);
	assert_true(value(whole(), "p999_ms", 2) > 490);
}

static void the_last_ten_minutes_are_kept(void **unused)
{
	(void)unused;
	for (uint32_t i = 0; i < HISTORY_SAMPLES + 7; i++) {
		server(0, 0)->requests += i;
		take();
	}
	const json_t *web = pool_named("web");
	assert_int_equal(json_array_size(list(web, "requests")), HISTORY_SAMPLES);
	assert_int_equal(value(web, "requests", 0), 7);
	assert_int_equal(value(web, "requests", HISTORY_SAMPLES - 1), HISTORY_SAMPLES + 6);
	assert_int_equal(value(body, "at_ms", 0), 8 * HISTORY_EVERY_MS);
	for (size_t i = 1; i < HISTORY_SAMPLES; i++)
		assert_true(value(body, "at_ms", i) - value(body, "at_ms", i - 1) ==
			    value(body, "took_ms", i));
}

static void only_the_last_ones_that_are_asked_for_are_told(void **unused)
{
	(void)unused;
	for (int i = 0; i < 5; i++)
		take();
	assert_int_equal(ask("GET /v1/history?last=2", ""), 200);
	assert_int_equal(json_array_size(list(whole(), "requests")), 2);
	assert_int_equal(value(body, "at_ms", 0), 4 * HISTORY_EVERY_MS);
	assert_int_equal(ask("GET /v1/history?last=100", ""), 200);
	assert_int_equal(json_array_size(list(whole(), "requests")), 5);
	refused("GET /v1/history?last=121", "", 400, "bad-request");
	refused("GET /v1/history?first=1", "", 400, "bad-request");
}

/* A model of these pools, of one server each, and no listener. */
static void reload(const char *const *names)
{
	static const char *const servers[] = {"127.0.0.1:8081", NULL};
	struct model *m = model_create();

	for (; *names != NULL; names++)
		fake_add_pool(m, *names, servers);
	fake_use(&fake, m);
}

static void who_stays_over_a_reload_keeps_its_samples(void **unused)
{
	static const char *const names[] = {"first", "web", "api", NULL};

	(void)unused;
	server(0, 0)->requests += 3;
	note(fake.model->pools[0].live->meters, 2, 500 * 1000, 1);
	take();
	reload(names);
	server(1, 0)->requests += 4;
	take();
	const json_t *web = pool_named("web");
	assert_int_equal(value(web, "requests", 0), 3);
	assert_int_equal(value(web, "requests", 1), 4);
	assert_true(value(web, "p50_ms", 1) > 490);
	const json_t *first = pool_named("first");
	assert_int_equal(value(first, "requests", 0), -1);
	assert_int_equal(value(first, "p50_ms", 0), -1);
	assert_int_equal(value(first, "requests", 1), 0);
	assert_int_equal(json_array_size(json_object_get(body, "listeners")), 0);
	assert_int_equal(value(whole(), "requests", 0), 3);
}

static void who_goes_is_forgotten_and_begins_anew(void **unused)
{
	static const char *const with[] = {"api", "web", NULL}, *const without[] = {"api", NULL};

	(void)unused;
	server(0, 0)->requests += 3;
	take();
	reload(without);
	take();
	assert_null(pool_named("web"));
	assert_int_equal(value(whole(), "requests", 0), 3);
	reload(with);
	server(1, 0)->requests += 2;
	take();
	const json_t *web = pool_named("web");
	assert_int_equal(value(web, "requests", 0), -1);
	assert_int_equal(value(web, "requests", 1), -1);
	assert_int_equal(value(web, "requests", 2), 2);
}

/* Its count goes with it out of the pool's, which is no reason for a jump. */
static void a_server_that_is_removed_takes_nothing_away(void **unused)
{
	struct change c = {.pool = "web", .kind = CHANGE_REMOVE};
	enum change_fault fault;
	struct err err;

	(void)unused;
	server(0, 0)->requests += 1000;
	server(0, 1)->requests += 5;
	take();
	c.server = fake.model->pools[0].servers[0].address;
	assert_int_equal(fake_change(&fake, &c, &fault, &err), CONTROL_DONE);
	server(0, 0)->requests += 2;
	take();
	assert_int_equal(value(pool_named("web"), "requests", 1), 2);
}

/* ---- percentiles in all other answers ---- */

static double recent(const char *path, const char *name)
{
	assert_int_equal(ask(path, ""), 200);
	const json_t *object = body;
	if (strcmp(path, "GET /v1/listeners") == 0)
		object = json_array_get(json_object_get(body, "listeners"), 0);
	const json_t *one = json_object_get(json_object_get(object, "recent"), name);
	assert_true(json_is_number(one));
	return json_number_value(one);
}

static void percentiles_of_late_fall_when_slow_requests_are_over(void **unused)
{
	static const char *const paths[] = {
		"GET /v1/pools/web", "GET /v1/listeners",
		"GET /v1/pools/web/servers/127.0.0.1:8081",
	};
	struct meters *meters[] = {
		fake.model->pools[0].live->meters, fake.model->listeners[0].live->meters,
		server(0, 0)->meters,
	};

	(void)unused;
	for (int i = 0; i < 3; i++)
		note(meters[i], 2, 3000 * 1000, 50);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(recent(paths[i], "count"), 50);
		assert_true(recent(paths[i], "p50_ms") > 2900);
		assert_int_equal(recent(paths[i], "span_ms"), fake.view.uptime_ms);
	}
	/* Each has had its three marks by then. */
	for (uint32_t i = 0; i < 3 * (int)METER_MINUTE_EVERY_MS / HISTORY_EVERY_MS; i++)
		take();
	for (int i = 0; i < 3; i++) {
		note(meters[i], 2, 1000, 5);
		assert_int_equal(recent(paths[i], "count"), 5);
		assert_true(recent(paths[i], "p999_ms") < 1.1);
		assert_in_range(recent(paths[i], "span_ms"), 2 * METER_MINUTE_EVERY_MS,
				3 * METER_MINUTE_EVERY_MS);
		assert_int_equal(json_integer_value(json_object_get(json_object_get(
			i == 1 ? json_array_get(json_object_get(body, "listeners"), 0) : body,
			"times"), "count")), 55);
	}
}

/* Servers are marked in turns: none is left out, and no window is longer than it may be. */
static void each_server_has_its_turn(void **unused)
{
	const struct model_pool *web = &fake.model->pools[0];

	(void)unused;
	for (uint32_t i = 0; i < 60; i++) {
		for (uint32_t j = 0; j < web->server_count; j++)
			note(web->servers[j].live->meters, 2, 1000, 1);
		take();
		json_t *one;
		size_t j;
		assert_int_equal(ask("GET /v1/pools/web/servers", ""), 200);
		json_array_foreach(json_object_get(body, "servers"), j, one) {
			const json_t *of_late = json_object_get(one, "recent");
			json_int_t count =
				json_integer_value(json_object_get(of_late, "count"));
			json_int_t span =
				json_integer_value(json_object_get(of_late, "span_ms"));
			assert_true(span <= 3 * METER_MINUTE_EVERY_MS);
			assert_true(i < 12 || count == span / HISTORY_EVERY_MS);
			assert_true(i < 12 || span >= 2 * METER_MINUTE_EVERY_MS);
		}
		assert_int_equal(j, 3);
	}
}

/* One that is removed with requests under way is shown until they are over. */
static void percentiles_of_who_leaves_are_of_late_too(void **unused)
{
	struct change c = {.pool = "web", .kind = CHANGE_REMOVE};
	struct live_server *leaving = server(0, 0);
	const struct model *before = model_get(fake.model);
	enum change_fault fault;
	struct err err;

	(void)unused;
	c.server = fake.model->pools[0].servers[0].address;
	leaving->in_flight = 1;
	note(leaving->meters, 2, 3000 * 1000, 50);
	assert_int_equal(fake_change(&fake, &c, &fault, &err), CONTROL_DONE);
	for (uint32_t i = 0; i < 4 * (int)METER_MINUTE_EVERY_MS / HISTORY_EVERY_MS; i++)
		take();
	note(leaving->meters, 2, 1000, 5);
	assert_int_equal(ask("GET /v1/leaving", ""), 200);
	const json_t *one = json_object_get(json_array_get(json_object_get(body, "servers"), 0),
					    "recent");
	assert_int_equal(json_integer_value(json_object_get(one, "count")), 5);
	assert_true(json_integer_value(json_object_get(one, "span_ms")) <=
		    3 * METER_MINUTE_EVERY_MS);
	leaving->in_flight = 0;
	model_put(before);
	live_collect(&fake.live);
}

#define WITH_TIME(name) cmocka_unit_test_setup_teardown(name, begin_history, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TIME(before_the_first_sample_all_is_empty),
		WITH_TIME(samples_are_what_grew_between_them),
		WITH_TIME(errors_are_those_that_the_page_counts),
		WITH_TIME(times_are_of_the_last_two_samples),
		WITH_TIME(the_last_ten_minutes_are_kept),
		WITH_TIME(only_the_last_ones_that_are_asked_for_are_told),
		WITH_TIME(who_stays_over_a_reload_keeps_its_samples),
		WITH_TIME(who_goes_is_forgotten_and_begins_anew),
		WITH_TIME(a_server_that_is_removed_takes_nothing_away),
		WITH_TIME(percentiles_of_late_fall_when_slow_requests_are_over),
		WITH_TIME(each_server_has_its_turn),
		WITH_TIME(percentiles_of_who_leaves_are_of_late_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
