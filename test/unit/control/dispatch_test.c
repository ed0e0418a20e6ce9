/* Goal: each route answers what is true, and changes what it says or nothing. */
#include "unit/control/client.h"

#include "config/fill.h"

#define ADD "POST /v1/pools/web/servers"
#define SET "PATCH /v1/pools/web/servers/8081"

/* ---- what is read ---- */

static void status_says_how_it_is(void **unused)
{
	(void)unused;
	assert_int_equal(ask("GET /v1/status", ""), 200);
	assert_string_equal(text_of("name"), "default");
	assert_string_equal(text_of("state"), "running");
	assert_string_equal(text_of("file"), "/etc/a.conf");
	assert_int_equal(number_of("uptime_s"), 7);
	assert_int_equal(number_of("servers"), 4);
	assert_int_equal(number_of("servers_up"), 4);
	assert_true(json_is_null(json_object_get(body, "state_file")));
	assert_true(json_is_false(json_object_get(body, "lasting")));
	fake.draining = true;
	assert_int_equal(ask("GET /v1/status", ""), 200);
	assert_string_equal(text_of("state"), "draining");
}

static void a_server_is_found_by_any_spelling(void **unused)
{
	static const char *const spellings[] = {
		"127.0.0.1:8081", "8081", ":8081", "127.0.0.1%3A8081",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(spellings); i++) {
		char request[100];
		snprintf(request, sizeof request, "GET /v1/pools/web/servers/%s",
			 spellings[i]);
		assert_int_equal(ask(request, ""), 200);
		assert_string_equal(text_of("address"), "127.0.0.1:8081");
		assert_string_equal(text_of("pool"), "web");
		assert_string_equal(text_of("state"), "up");
		assert_string_equal(text_of("from"), "file");
	}
	assert_int_equal(ask("GET /v1/pools/web/servers/[0:0::1]:8082", ""), 200);
	assert_string_equal(text_of("address"), "[::1]:8082");
	assert_int_equal(ask("GET /v1/pools/web/servers/APP1:80", ""), 200);
	assert_string_equal(text_of("address"), "app1:80");
	assert_int_equal(ask("GET /v1/pools/api/servers/unix:%2Frun%2Fapp.sock", ""),
			 200);
	assert_string_equal(text_of("address"), "unix:/run/app.sock");
}

static void figures_come_from_the_live_parts(void **unused)
{
	struct live_server *s = fake.model->pools[0].servers[0].live;

	(void)unused;
	s->in_flight = 3;
	s->requests = 10;
	s->failures[FAILURE_REFUSED] = 2;
	s->failures[FAILURE_CUT] = 1;
	s->up = false;
	snprintf(s->reason, sizeof s->reason, "connection refused");
	assert_int_equal(ask("GET /v1/pools/web/servers/8081", ""), 200);
	assert_string_equal(text_of("state"), "down");
	assert_string_equal(text_of("reason"), "connection refused");
	assert_int_equal(number_of("in_flight"), 3);
	assert_int_equal(number_of("requests"), 10);
	assert_int_equal(number_of("failures"), 3);
	assert_int_equal(ask("GET /v1/pools/web", ""), 200);
	assert_int_equal(number_of("in_flight"), 3);
	assert_int_equal(number_of("requests"), 10);
	assert_int_equal(json_array_size(json_object_get(body, "servers")), 3);
	s->in_flight = 0;
}

static void lists_have_everything(void **unused)
{
	(void)unused;
	assert_int_equal(ask("GET /v1/pools", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "pools")), 2);
	assert_int_equal(ask("GET /v1/listeners", ""), 200);
	json_t *listener = json_array_get(json_object_get(body, "listeners"), 0);
	assert_string_equal(json_string_value(json_object_get(listener, "kind")), "http");
	const json_t *pools = json_object_get(listener, "pools");
	assert_string_equal(json_string_value(json_array_get(pools, 0)), "web");
	assert_int_equal(ask("GET /v1/routes", ""), 200);
	assert_true(json_array_size(json_object_get(body, "routes")) > 10);
	assert_int_equal(ask("GET /v1/leaving", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "servers")), 0);
}

/* ---- what is changed ---- */

static void a_server_that_is_added_is_there(void **unused)
{
	(void)unused;
	assert_int_equal(ask(ADD, "{\"address\": \"8083\", \"weight\": 2, "
				  "\"temporary\": true}"), 201);
	assert_string_equal(text_of("address"), "127.0.0.1:8083");
	assert_string_equal(text_of("from"), "change");
	assert_int_equal(number_of("weight"), 2);
	assert_true(json_is_true(json_object_get(body, "temporary")));
	assert_true(json_is_false(json_object_get(body, "drain")));
	refused(ADD, "{\"address\": \":8083\"}", 409, "server-exists");
	refused(ADD, "{\"address\": \"[0::1]:8082\"}", 409,
		"server-exists");
	assert_int_equal(ask("GET /v1/pools/web/servers", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "servers")), 4);
}

static void weight_and_drain_are_set(void **unused)
{
	(void)unused;
	assert_int_equal(ask(SET, "{\"weight\": 0}"), 200);
	assert_string_equal(text_of("state"), "off");
	assert_false(fake.changed.has_drain);
	assert_false(fake.changed.temporary);
	assert_int_equal(ask(SET,
			     "{\"weight\": 3, \"drain\": true}"), 200);
	assert_string_equal(text_of("state"), "draining");
	assert_int_equal(number_of("weight"), 3);
	refused(SET, "{}", 400, "bad-request");
	refused(SET, "{\"temporary\": true}", 400,
		"bad-request");
	refused(SET, "{\"weight\": 257}", 400, "bad-request");
}

static void a_server_that_is_removed_leaves(void **unused)
{
	struct live_server *s = fake.model->pools[0].servers[0].live;
	const struct model *held = model_get(fake.model);

	(void)unused;
	s->in_flight = 2;
	assert_int_equal(ask("DELETE /v1/pools/web/servers/8081?limit_ms=500&temporary=1",
			     ""), 200);
	assert_string_equal(text_of("state"), "leaving");
	assert_int_equal(number_of("in_flight"), 2);
	assert_int_equal(fake.changed.limit_ms, 500);
	assert_true(fake.changed.temporary);
	assert_int_equal(ask("GET /v1/leaving", ""), 200);
	json_t *one = json_array_get(json_object_get(body, "servers"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "address")),
			    "127.0.0.1:8081");
	assert_string_equal(json_string_value(json_object_get(one, "from")), "file");
	s->in_flight = 0;
	assert_int_equal(ask("GET /v1/leaving", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "servers")), 0);
	refused("DELETE /v1/pools/web/servers/8081", "", 404, "server-unknown");
	assert_int_equal(ask("DELETE /v1/pools/web/servers/8082", "{}"), 404);
	model_put(held);
}

static void one_that_has_nothing_to_do_is_gone_at_once(void **unused)
{
	(void)unused;
	assert_int_equal(ask("DELETE /v1/pools/web/servers/app1:80", ""), 200);
	assert_int_equal(number_of("in_flight"), 0);
	assert_int_equal(fake.changed.limit_ms, UINT32_MAX);
}

static void reload_and_stop_are_passed_on(void **unused)
{
	(void)unused;
	assert_int_equal(ask("POST /v1/reload", ""), 200);
	assert_int_equal(fake.reloads, 1);
	fake.result = CONTROL_FILE_ERRORS;
	refused("POST /v1/reload", "{}", 409, "config-errors");
	assert_int_equal(ask("POST /v1/stop", "{\"limit_ms\": 9}"), 202);
	assert_int_equal(fake.stop_ms, 9);
	assert_true(number_of("pid") > 0);
	assert_int_equal(ask("POST /v1/stop", ""), 202);
	assert_int_equal(fake.stop_ms, UINT32_MAX);
}

static void what_cannot_be_is_refused_and_changes_nothing(void **unused)
{
	(void)unused;
	refused("GET /v1/nothing", "", 404, "path-unknown");
	refused("GET /v1/pools/wbe", "", 404, "pool-unknown");
	refused("GET /v1/pools/web/servers/9", "", 404, "server-unknown");
	refused("GET /v1/pools/web/servers/no%20address", "", 400, "bad-request");
	refused("PUT /v1/pools/web", "", 405, "method-unknown");
	refused("OPTIONS *", "", 404, "path-unknown");
	refused("GET /v1/status?x=1", "", 400, "bad-request");
	refused("GET /v1/status", "{\"a\": 1}", 400, "bad-request");
	refused(ADD, "", 400, "bad-request");
	refused(ADD, "{\"address\": \"a b:1\"}", 400, "bad-request");
	refused(ADD, "{\"address\": \"a\"}", 400, "bad-request");
	refused("POST /v1/pools/nix/servers", "{\"address\": \"80\"}", 404,
		"pool-unknown");
	refused("POST /v1/stop", "{\"limit_ms\": -1}", 400, "bad-request");
	assert_int_equal(fake.change_count, 0);
	fake.result = CONTROL_NOT_WRITTEN;
	refused(ADD, "{\"address\": \"80\"}", 500,
		"state-not-written");
	fake.result = CONTROL_ENDING;
	refused(SET, "{\"weight\": 1}", 409, "draining");
	refused("DELETE /v1/pools/web/servers/8081", "", 409, "draining");
}

static void a_loop_to_itself_is_refused(void **unused)
{
	static const char *const own[] = {"8080", "127.9.9.9:8080", "0.0.0.0:8080"};
	static const char *const other[] = {"[::1]:8080", "10.0.0.1:8080", "app:8080"};
	char content[100];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(own); i++) {
		snprintf(content, sizeof content, "{\"address\": \"%s\"}", own[i]);
		refused(ADD, content, 400, "bad-request");
		/* No listener leads to this pool. */
		assert_int_equal(ask("POST /v1/pools/api/servers", content), 201);
	}
	for (size_t i = 0; i < COUNT_OF(other); i++) {
		snprintf(content, sizeof content, "{\"address\": \"%s\"}", other[i]);
		assert_int_equal(ask(ADD, content), 201);
	}
}

/* The only listener becomes one for workers; what its pool has are these. */
static void make_kv(void)
{
	struct model *m = model_copy(fake.model);
	struct err err;

	m->listeners[0].kind = LISTEN_KV;
	assert_int_equal(fill_listen(&m->listeners[0].workers, "9090", "0.0.0.0", &err), 0);
	fake_use(&fake, m);
}

/* Of the error that was answered last. */
static const char *message(void)
{
	return json_string_value(json_object_get(json_object_get(body, "error"),
						 "message"));
}

static void workers_are_seen_and_set_but_come_and_go_themselves(void **unused)
{
	(void)unused;
	make_kv();
	refused(ADD, "{\"address\": \"8083\"}", 409, "refused");
	assert_non_null(strstr(message(), "workers join pool web by themselves"));
	refused("DELETE /v1/pools/web/servers/8081", "", 409, "refused");
	assert_non_null(strstr(message(), "stop the kv-worker at 127.0.0.1:8081"));
	refused("DELETE /v1/pools/web/servers/1", "", 404, "server-unknown");
	assert_int_equal(fake.change_count, 0);
	assert_int_equal(ask(SET, "{\"weight\": 5, \"drain\": true}"), 200);
	assert_int_equal(number_of("weight"), 5);
	assert_string_equal(text_of("from"), "worker");
	assert_int_equal(ask("GET /v1/pools/web/servers", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "servers")), 3);
	/* The other pool has servers. */
	assert_int_equal(ask("POST /v1/pools/api/servers", "{\"address\": \"8083\"}"), 201);
}

/* As it joins: by a change that nobody asked for. */
static void a_worker_that_joins_is_no_difference_to_the_file(void **unused)
{
	struct change c = {
		.kind = CHANGE_ADD, .pool = "web", .temporary = true,
		.limit_ms = UINT32_MAX,
	};
	enum change_fault fault;
	struct err err;

	(void)unused;
	make_kv();
	assert_int_equal(fill_listen(&c.server, "10.0.0.1:1", "0.0.0.0", &err), 0);
	assert_int_equal(fake_change(&fake, &c, &fault, &err), CONTROL_DONE);
	assert_int_equal(ask("GET /v1/pools/web/servers/10.0.0.1:1", ""), 200);
	assert_string_equal(text_of("from"), "worker");
	assert_int_equal(changes_count(fake.changes), 1);
	assert_int_equal(ask("GET /v1/config/diff", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "changes")), 0);
	assert_int_equal(ask("PATCH /v1/pools/web/servers/10.0.0.1:1", "{\"weight\": 3}"), 200);
	assert_int_equal(ask("GET /v1/config/diff", ""), 200);
	const json_t *one = json_array_get(json_object_get(body, "changes"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "what")), "changed");
	assert_int_equal(json_integer_value(json_object_get(one, "weight")), 3);
}

static void a_kv_listener_says_where_workers_connect(void **unused)
{
	(void)unused;
	make_kv();
	assert_int_equal(ask("GET /v1/listeners", ""), 200);
	const json_t *l = json_array_get(json_object_get(body, "listeners"), 0);
	assert_string_equal(json_string_value(json_object_get(l, "kind")), "kv");
	assert_string_equal(json_string_value(json_object_get(l, "protocol")), "kv");
	assert_string_equal(json_string_value(json_object_get(l, "workers")), "0.0.0.0:9090");
}

/* ---- versions ---- */

static int ask_if(const char *tags)
{
	char request[200];
	int len = snprintf(request, sizeof request, "PATCH /v1/pools/web/servers/8081 "
			   "HTTP/1.1\r\nHost: b\r\nif-match: %s\r\n"
			   "Content-Length: 13\r\n\r\n{\"weight\": 5}", tags);

	put_in(request, (size_t)len, SIZE_MAX);
	return next_answer();
}

static void a_change_of_another_version_is_refused(void **unused)
{
	(void)unused;
	fake.version = 41;
	assert_int_equal(ask_if("\"40\""), 412);
	assert_string_equal(code(), "version-changed");
	assert_int_equal(fake.change_count, 0);
	assert_int_equal(ask_if("\"41\""), 200);
	assert_int_equal(ask_if("\"41\""), 412);
	assert_int_equal(ask_if("\"1\", \"42\""), 200);
	assert_int_equal(ask_if("*"), 200);
	assert_int_equal(ask_if("W/\"44\""), 412);
	assert_int_equal(ask_if("44"), 412);
	assert_int_equal(ask_if(","), 412);
}

static void the_answer_has_the_version_after_the_change(void **unused)
{
	(void)unused;
	fake.version = 7;
	put_text("DELETE /v1/pools/web/servers/8081 HTTP/1.1\r\nHost: b\r\n\r\n");
	assert_non_null(strstr(output, "\r\nETag: \"8\"\r\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(status_says_how_it_is),
		CASE(a_server_is_found_by_any_spelling),
		CASE(figures_come_from_the_live_parts),
		CASE(lists_have_everything),
		CASE(a_server_that_is_added_is_there),
		CASE(weight_and_drain_are_set),
		CASE(a_server_that_is_removed_leaves),
		CASE(one_that_has_nothing_to_do_is_gone_at_once),
		CASE(reload_and_stop_are_passed_on),
		CASE(what_cannot_be_is_refused_and_changes_nothing),
		CASE(a_loop_to_itself_is_refused),
		CASE(workers_are_seen_and_set_but_come_and_go_themselves),
		CASE(a_worker_that_joins_is_no_difference_to_the_file),
		CASE(a_kv_listener_says_where_workers_connect),
		CASE(a_change_of_another_version_is_refused),
		CASE(the_answer_has_the_version_after_the_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
