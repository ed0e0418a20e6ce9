/* Goal: any request gets exactly one answer, however its bytes were cut, and changes
 * what it says or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/exchange.h"
#include "unit/control/fake.h"

static struct fake fake;
static struct exchange x;
static char output[1 << 17];	/* all that came out */
static size_t output_len;
static json_t *body;		/* of the last answer */

static int begin(void **unused)
{
	(void)unused;
	fake_init(&fake);
	exchange_init(&x, &fake.view, NULL, false);
	output_len = 0;
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	exchange_fini(&x);
	json_decref(body);
	body = NULL;
	fake_fini(&fake);
	return 0;
}

static void take_output(size_t step)
{
	struct span out;

	while ((out = exchange_output(&x)).len > 0) {
		size_t n = out.len < step ? out.len : step;
		assert_true(output_len + n < sizeof output);
		memcpy(output + output_len, out.at, n);
		output_len += n;
		exchange_sent(&x, n);
	}
	output[output_len] = '\0';
}

/* Puts bytes in, at most `step` at once, and takes what comes out. */
static void put_in(const char *bytes, size_t len, size_t step)
{
	while (len > 0) {
		size_t room;
		char *at = exchange_room(&x, &room);
		if (room == 0)
			return;		/* it is over */
		size_t n = room < step ? room : step;
		n = n < len ? n : len;
		memcpy(at, bytes, n);
		exchange_received(&x, n);
		take_output(SIZE_MAX);
		bytes += n;
		len -= n;
	}
}

static void put_text(const char *text)
{
	put_in(text, strlen(text), SIZE_MAX);
}

/* Of the first answer in the output, which is taken off it. Its body is kept. */
static int next_answer(void)
{
	char *empty = strstr(output, "\r\n\r\n");
	const char *length = strstr(output, "Content-Length: ");
	json_error_t error;
	int status = 0;

	assert_true(empty != NULL && length != NULL && length < empty);
	size_t body_len = strtoul(length + 16, NULL, 10), taken;
	assert_int_equal(sscanf(output, "HTTP/1.1 %3d ", &status), 1);
	json_decref(body);
	body = json_loadb(empty + 4, body_len, 0, &error);
	assert_non_null(body);
	taken = (size_t)(empty + 4 - output) + body_len;
	assert_true(taken <= output_len);
	memmove(output, output + taken, output_len - taken + 1);
	output_len -= taken;
	return status;
}

/* The status of the one answer to one request on a connection of its own. */
static int ask(const char *method_and_path, const char *content)
{
	char request[4096];
	int len = snprintf(request, sizeof request,
			   "%s HTTP/1.1\r\nHost: b\r\nContent-Length: %zu\r\n\r\n%s",
			   method_and_path, strlen(content), content);

	exchange_fini(&x);
	exchange_init(&x, &fake.view, NULL, false);
	output_len = 0;
	put_in(request, (size_t)len, SIZE_MAX);
	int status = next_answer();
	assert_int_equal(output_len, 0);
	assert_int_equal(x.state, EXCHANGE_HEAD);
	return status;
}

static const char *text_of(const char *name)
{
	return json_string_value(json_object_get(body, name));
}

static int number_of(const char *name)
{
	assert_true(json_is_integer(json_object_get(body, name)));
	return (int)json_integer_value(json_object_get(body, name));
}

static const char *code(void)
{
	return json_string_value(json_object_get(json_object_get(body, "error"), "code"));
}

static void refused(const char *method_and_path, const char *content, int status,
		    const char *wanted)
{
	uint64_t version = fake.version;

	assert_int_equal(ask(method_and_path, content), status);
	assert_string_equal(code(), wanted);
	assert_int_equal(fake.version, version);
}

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
	assert_int_equal(ask("GET /v1/pools/api/servers/unix:%2Frun%2Fapp.sock", ""), 200);
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
	assert_string_equal(json_string_value(json_array_get(json_object_get(listener,
									     "pools"), 0)),
			    "web");
	assert_int_equal(ask("GET /v1/routes", ""), 200);
	assert_true(json_array_size(json_object_get(body, "routes")) > 10);
	assert_int_equal(ask("GET /v1/leaving", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "servers")), 0);
}

/* ---- what is changed ---- */

static void a_server_that_is_added_is_there(void **unused)
{
	(void)unused;
	assert_int_equal(ask("POST /v1/pools/web/servers",
			     "{\"address\": \"8083\", \"weight\": 2, \"temporary\": true}"), 201);
	assert_string_equal(text_of("address"), "127.0.0.1:8083");
	assert_string_equal(text_of("from"), "change");
	assert_int_equal(number_of("weight"), 2);
	assert_true(json_is_true(json_object_get(body, "temporary")));
	assert_true(json_is_false(json_object_get(body, "drain")));
	refused("POST /v1/pools/web/servers", "{\"address\": \":8083\"}", 409, "server-exists");
	refused("POST /v1/pools/web/servers", "{\"address\": \"[0::1]:8082\"}", 409,
		"server-exists");
	assert_int_equal(ask("GET /v1/pools/web/servers", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "servers")), 4);
}

static void weight_and_drain_are_set(void **unused)
{
	(void)unused;
	assert_int_equal(ask("PATCH /v1/pools/web/servers/8081", "{\"weight\": 0}"), 200);
	assert_string_equal(text_of("state"), "off");
	assert_false(fake.changed.has_drain);
	assert_false(fake.changed.temporary);
	assert_int_equal(ask("PATCH /v1/pools/web/servers/8081",
			     "{\"weight\": 3, \"drain\": true}"), 200);
	assert_string_equal(text_of("state"), "draining");
	assert_int_equal(number_of("weight"), 3);
	refused("PATCH /v1/pools/web/servers/8081", "{}", 400, "bad-request");
	refused("PATCH /v1/pools/web/servers/8081", "{\"temporary\": true}", 400,
		"bad-request");
	refused("PATCH /v1/pools/web/servers/8081", "{\"weight\": 257}", 400, "bad-request");
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
	refused("POST /v1/pools/web/servers", "", 400, "bad-request");
	refused("POST /v1/pools/web/servers", "{\"address\": \"a b:1\"}", 400, "bad-request");
	refused("POST /v1/pools/web/servers", "{\"address\": \"a\"}", 400, "bad-request");
	refused("POST /v1/pools/nix/servers", "{\"address\": \"80\"}", 404, "pool-unknown");
	refused("POST /v1/stop", "{\"limit_ms\": -1}", 400, "bad-request");
	assert_int_equal(fake.change_count, 0);
	fake.result = CONTROL_NOT_WRITTEN;
	refused("POST /v1/pools/web/servers", "{\"address\": \"80\"}", 500,
		"state-not-written");
	fake.result = CONTROL_ENDING;
	refused("PATCH /v1/pools/web/servers/8081", "{\"weight\": 1}", 409, "draining");
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
		refused("POST /v1/pools/web/servers", content, 400, "bad-request");
		/* No listener leads to this pool. */
		assert_int_equal(ask("POST /v1/pools/api/servers", content), 201);
	}
	for (size_t i = 0; i < COUNT_OF(other); i++) {
		snprintf(content, sizeof content, "{\"address\": \"%s\"}", other[i]);
		assert_int_equal(ask("POST /v1/pools/web/servers", content), 201);
	}
}

/* ---- versions ---- */

static int ask_if(const char *tags)
{
	char request[200];
	int len = snprintf(request, sizeof request, "PATCH /v1/pools/web/servers/8081 "
			   "HTTP/1.1\r\nHost: b\r\nif-match: %s\r\nContent-Length: 13\r\n\r\n"
			   "{\"weight\": 5}", tags);

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

/* ---- framing ---- */

static const char several[] =
	"GET /v1/leaving HTTP/1.1\r\nHost: b\r\n\r\n"
	"HEAD /v1/leaving HTTP/1.1\r\nHost: b\r\n\r\n"
	"PATCH /v1/pools/web/servers/8081 HTTP/1.1\r\nHost: b\r\n"
	"Transfer-Encoding: chunked\r\n\r\n4\r\n{\"we\r\n9;x=y\r\night\": 5}\r\n0\r\n\r\n"
	"DELETE /v1/none HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\nabc"
	"GET /v1/leaving HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n"
	"GET /v1/leaving HTTP/1.1\r\nHost: b\r\n\r\n";

static void how_bytes_are_cut_changes_no_answer(void **unused)
{
	static char whole[sizeof output];

	(void)unused;
	put_in(several, sizeof several - 1, SIZE_MAX);
	assert_int_equal(x.state, EXCHANGE_LINGER);
	assert_int_equal(x.answers, 5);
	memcpy(whole, output, output_len + 1);
	for (size_t step = 1; step < sizeof several; step++) {
		end(NULL);
		begin(NULL);
		put_in(several, sizeof several - 1, step);
		assert_string_equal(output, whole);
		assert_int_equal(x.state, EXCHANGE_LINGER);
	}
}

static void an_answer_goes_out_in_any_pieces(void **unused)
{
	size_t room;

	(void)unused;
	char *at = exchange_room(&x, &room);
	assert_true(room >= sizeof several);
	memcpy(at, several, sizeof several - 1);
	exchange_received(&x, sizeof several - 1);
	exchange_room(&x, &room);
	assert_int_equal(room, 0);	/* nothing is read while something is to be sent */
	take_output(1);
	assert_int_equal(x.answers, 5);
}

static void head_has_the_length_of_a_body_and_none(void **unused)
{
	(void)unused;
	put_text("HEAD /v1/leaving HTTP/1.1\r\nHost: b\r\n\r\n");
	assert_non_null(strstr(output, "Content-Length: 16\r\n"));
	assert_string_equal(output + output_len - 4, "\r\n\r\n");
	assert_null(strstr(output, "servers"));
}

static void an_old_client_is_told_whether_it_goes_on(void **unused)
{
	(void)unused;
	put_text("GET /v1/leaving HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	assert_non_null(strstr(output, "\r\nConnection: keep-alive\r\n"));
	assert_int_equal(x.state, EXCHANGE_HEAD);
	assert_int_equal(next_answer(), 200);
	put_text("GET /v1/leaving HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(output, "\r\nConnection: close\r\n"));
	assert_int_equal(x.state, EXCHANGE_LINGER);
}

static void who_waits_is_told_to_go_on(void **unused)
{
	static const char head[] =
		"PATCH /v1/pools/web/servers/8081 HTTP/1.1\r\nHost: b\r\n"
		"Expect: 100-continue\r\nContent-Length: 13\r\n\r\n";

	(void)unused;
	put_in(head, sizeof head - 1, SIZE_MAX);
	assert_string_equal(output, "HTTP/1.1 100 Continue\r\n\r\n");
	output_len = 0;
	put_in("{\"weight\": 5}", 13, 4);
	assert_int_equal(next_answer(), 200);
}

static void what_is_too_long_is_refused_without_reading_it(void **unused)
{
	static const char head[] = "POST /v1/stop HTTP/1.1\r\nHost: b\r\n"
				   "Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n";
	static char many[CONTROL_HEAD_MAX + 1];

	(void)unused;
	put_in(head, sizeof head - 1, SIZE_MAX);
	assert_int_equal(next_answer(), 413);
	assert_int_equal(x.state, EXCHANGE_LINGER);
	end(NULL);
	begin(NULL);
	memset(many, 'a', sizeof many);
	memcpy(many, "GET /v1/stop HTTP/1.1\r\nHost: b\r\na: ", 35);
	put_in(many, sizeof many, SIZE_MAX);
	assert_int_equal(next_answer(), 431);
	assert_string_equal(code(), "too-long");
	assert_int_equal(x.state, EXCHANGE_LINGER);
}

static void chunks_are_bounded_too(void **unused)
{
	static char chunk[4096];

	(void)unused;
	put_text("POST /v1/stop HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n");
	memset(chunk, ' ', sizeof chunk);
	put_text("200000\r\n");
	for (int i = 0; i < 300 && output_len == 0; i++) {
		put_in(chunk, sizeof chunk, SIZE_MAX);
		assert_true(x.body_size <= CONTROL_BODY_MAX);
	}
	assert_int_equal(next_answer(), 413);
	assert_null(x.body);
}

static void a_body_may_be_as_long_as_it_may(void **unused)
{
	static char chunk[CONTROL_BODY_MAX];

	(void)unused;
	memset(chunk, ' ', sizeof chunk);
	memcpy(chunk, "{", 1);
	memcpy(chunk + sizeof chunk - 1, "}", 1);
	put_text("POST /v1/stop HTTP/1.1\r\nHost: b\r\nContent-Length: 1048576\r\n\r\n");
	put_in(chunk, sizeof chunk, SIZE_MAX);
	assert_int_equal(next_answer(), 202);
}

static void what_is_no_http_is_answered_and_ends(void **unused)
{
	static const char *const bad[] = {
		"GET\r\n\r\n", "\x16\x03\x01\r\n", "GET /v1/status HTTP/1.1\r\n\r\n",
		"GET /v1/status HTTP/2.0\r\n\r\n", "GET /v1/status\r\n",
		"POST /v1/stop HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
		"POST /v1/stop HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
		"POST /v1/stop HTTP/1.1\r\nHost: b\r\nExpect: x\r\nContent-Length: 2\r\n\r\n{}",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		end(NULL);
		begin(NULL);
		put_in(bad[i], strlen(bad[i]), SIZE_MAX);
		assert_true(next_answer() >= 400);
		assert_string_equal(code(), "bad-request");
		assert_int_equal(x.state, EXCHANGE_LINGER);
		assert_int_equal(fake.stops, 0);
	}
}

/* ---- who asks ---- */

static int ask_as(const char *field, const char *request_line)
{
	static const struct tokens tokens = {.change = "all", .read = "some"};
	char request[300];
	int len = snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: b\r\n%s\r\n",
			   request_line, field);

	exchange_fini(&x);
	exchange_init(&x, &fake.view, &tokens, false);
	output_len = 0;
	put_in(request, (size_t)len, SIZE_MAX);
	return next_answer();
}

static void over_tcp_a_token_is_needed(void **unused)
{
	(void)unused;
	assert_int_equal(ask_as("", "GET /v1/status"), 401);
	assert_string_equal(code(), "no-token");
	assert_int_equal(x.state, EXCHANGE_LINGER);
	assert_int_equal(ask_as("Authorization: Bearer x\r\n", "GET /v1/none"), 401);
	assert_int_equal(ask_as("Authorization: Bearer all\r\nAuthorization: Bearer all\r\n",
				"GET /v1/status"), 401);
	assert_int_equal(ask_as("Authorization: Bearer all\r\n", "GET /v1/status"), 200);
	assert_int_equal(ask_as("authorization: bearer all\r\n", "POST /v1/stop"), 202);
	assert_int_equal(ask_as("Authorization: Bearer some\r\n", "GET /v1/status"), 200);
	assert_int_equal(ask_as("Authorization: Bearer some\r\n", "POST /v1/stop"), 403);
	assert_string_equal(code(), "read-only");
	assert_int_equal(fake.stops, 1);
}

static void who_has_no_place_is_told_so(void **unused)
{
	(void)unused;
	exchange_init(&x, &fake.view, NULL, true);
	put_text("POST /v1/stop HTTP/1.1\r\nHost: b\r\n\r\n");
	assert_int_equal(next_answer(), 503);
	assert_int_equal(fake.stops, 0);
	assert_int_equal(x.state, EXCHANGE_LINGER);
}

/* ---- the end ---- */

static void a_client_that_ends_still_gets_its_answer(void **unused)
{
	size_t room;

	(void)unused;
	memcpy(exchange_room(&x, &room), several, 37);
	exchange_received(&x, 37);
	exchange_ended(&x);
	assert_int_equal(x.state, EXCHANGE_ANSWER);
	take_output(SIZE_MAX);
	assert_int_equal(next_answer(), 200);
	assert_int_equal(x.state, EXCHANGE_OVER);
}

static void half_a_request_is_never_answered(void **unused)
{
	static const char half[] =
		"POST /v1/stop HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{";

	(void)unused;
	for (size_t len = 0; len < sizeof half; len++) {
		end(NULL);
		begin(NULL);
		put_in(half, len, SIZE_MAX);
		exchange_ended(&x);
		assert_int_equal(x.state, EXCHANGE_OVER);
		assert_int_equal(output_len, 0);
		assert_int_equal(fake.stops, 0);
	}
}

static void closing_waits_for_a_request_that_has_begun(void **unused)
{
	(void)unused;
	exchange_close(&x);
	assert_int_equal(x.state, EXCHANGE_OVER);
	exchange_init(&x, &fake.view, NULL, false);
	put_in(several, 10, SIZE_MAX);
	exchange_close(&x);
	assert_int_equal(x.state, EXCHANGE_HEAD);
	put_in(several + 10, 27, SIZE_MAX);
	assert_non_null(strstr(output, "Connection: close\r\n"));
	assert_int_equal(next_answer(), 200);
	assert_int_equal(x.state, EXCHANGE_LINGER);
}

static void each_wait_has_its_limit(void **unused)
{
	uint32_t phase = x.phase;

	(void)unused;
	assert_int_equal(exchange_limit_ms(&x), CONTROL_HEAD_MS);
	put_in("G", 1, 1);
	assert_int_equal(exchange_limit_ms(&x), CONTROL_HEAD_MS);
	assert_int_equal(x.phase, phase);	/* a byte buys no time */
	put_in(several + 1, 36, SIZE_MAX);
	assert_int_equal(exchange_limit_ms(&x), CONTROL_IDLE_MS);
	phase = x.phase;
	put_in("G", 1, 1);
	assert_int_equal(exchange_limit_ms(&x), CONTROL_HEAD_MS);
	assert_int_not_equal(x.phase, phase);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

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
		CASE(a_change_of_another_version_is_refused),
		CASE(the_answer_has_the_version_after_the_change),
		CASE(how_bytes_are_cut_changes_no_answer),
		CASE(an_answer_goes_out_in_any_pieces),
		CASE(head_has_the_length_of_a_body_and_none),
		CASE(an_old_client_is_told_whether_it_goes_on),
		CASE(who_waits_is_told_to_go_on),
		CASE(what_is_too_long_is_refused_without_reading_it),
		CASE(chunks_are_bounded_too),
		CASE(a_body_may_be_as_long_as_it_may),
		CASE(what_is_no_http_is_answered_and_ends),
		CASE(over_tcp_a_token_is_needed),
		CASE(who_has_no_place_is_told_so),
		CASE(a_client_that_ends_still_gets_its_answer),
		CASE(half_a_request_is_never_answered),
		CASE(closing_waits_for_a_request_that_has_begun),
		CASE(each_wait_has_its_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
