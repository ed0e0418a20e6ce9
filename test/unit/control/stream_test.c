/* Goal: an answer that goes on is whole HTTP at any moment, holds one piece for a reader
 * however slow, and ends with whoever is to end it. */
#include "unit/control/client.h"

#include "base/log.h"

static unsigned told;

static void on_answered(struct exchange *which)
{
	assert_ptr_equal(which, &x);
	told++;
}

static void add(const char *text)
{
	const struct event e = {
		.kind = EVENT_RELOADED, .pool = "", .server = "", .text = text,
	};

	events_add(fake.hooks.events, &e);
}

static void follow(const char *version, const char *fields)
{
	char request[512];

	exchange_fini(&x);
	exchange_init(&x, &fake.view, NULL, false);
	x.on_answered = on_answered;
	output_len = told = 0;
	snprintf(request, sizeof request,
		 "GET /v1/events?last=9 HTTP/%s\r\nHost: b\r\n%s\r\n", version, fields);
	put_text(request);
}

/* Takes a chunk off the output; NULL: that was the last one. */
static const char *take_chunk(void)
{
	static char chunk[STREAM_ROOM];
	char *end;
	size_t len = strtoul(output, &end, 16);

	assert_memory_equal(end, "\r\n", 2);
	assert_true(len < sizeof chunk && len + 4 <= output_len);
	memcpy(chunk, end + 2, len);
	chunk[len] = '\0';
	assert_memory_equal(end + 2 + len, "\r\n", 2);
	size_t taken = (size_t)(end + 2 + len + 2 - output);
	memmove(output, output + taken, output_len - taken + 1);
	output_len -= taken;
	return len > 0 ? chunk : NULL;
}

static void take_head(void)
{
	char *body_at = strstr(output, "\r\n\r\n") + 4;

	assert_memory_equal(output, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(output, "Content-Type: text/event-stream\r\n"));
	assert_null(strstr(output, "Content-Length"));
	output_len -= (size_t)(body_at - output);
	memmove(output, body_at, output_len + 1);
}

static void what_comes_goes_out_in_chunks(void **unused)
{
	(void)unused;
	add("one");
	follow("1.1", "");
	assert_non_null(strstr(output, "\r\nTransfer-Encoding: chunked\r\n"));
	take_head();
	assert_non_null(strstr(take_chunk(), "\"one\""));
	assert_int_equal(output_len, 0);
	assert_int_equal(x.state, EXCHANGE_STREAM);
	assert_int_equal(exchange_limit_ms(&x), STREAM_BEAT_MS);
	add("two");
	assert_int_equal(told, 1);
	exchange_resume(&x);
	take_output(1);
	assert_non_null(strstr(take_chunk(), "\"two\""));
	assert_int_equal(fake.streams.open, 1);
}

static void an_old_client_gets_it_until_the_connection_ends(void **unused)
{
	(void)unused;
	add("one");
	follow("1.0", "Connection: keep-alive\r\n");
	assert_null(strstr(output, "Transfer-Encoding"));
	assert_non_null(strstr(output, "\r\nConnection: close\r\n"));
	take_head();
	assert_memory_equal(output, "id: 1000\n\nid: 1001\n", 19);
	output_len = 0;
	exchange_close(&x);
	take_output(SIZE_MAX);
	assert_int_equal(output_len, 0);
	assert_int_equal(x.state, EXCHANGE_LINGER);
}

static void head_has_no_stream(void **unused)
{
	(void)unused;
	put_text("HEAD /v1/events HTTP/1.1\r\nHost: b\r\n\r\n");
	take_head();
	assert_int_equal(output_len, 0);
	assert_int_equal(x.state, EXCHANGE_HEAD);
	assert_int_equal(fake.streams.open, 0);
}

static void silence_has_a_beat(void **unused)
{
	(void)unused;
	follow("1.1", "");
	take_head();
	take_chunk();
	uint32_t phase = x.phase;
	assert_true(exchange_time_over(&x));
	assert_int_not_equal(x.phase, phase);
	take_output(SIZE_MAX);
	assert_string_equal(take_chunk(), ":\n\n");
}

static void who_takes_nothing_holds_one_piece_and_is_dropped(void **unused)
{
	char text[EVENT_TEXT_MAX];
	bool is_told = false;

	(void)unused;
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	follow("1.1", "");
	for (int i = 0; i < 2 * EVENTS_MAX; i++) {
		add(text);
		exchange_resume(&x);
		assert_true(exchange_output(&x).len <= STREAM_ROOM);
	}
	assert_int_equal(exchange_limit_ms(&x), CONTROL_WRITE_MS);
	/* It comes back just in time: it hears how much it has missed, and the rest. */
	for (struct span out; (out = exchange_output(&x)).len > 0;) {
		is_told |= memmem(out.at, out.len, "\"missed\",\"count\":", 17) != NULL;
		exchange_sent(&x, out.len);
	}
	assert_true(is_told);
	add(text);
	exchange_resume(&x);
	assert_true(exchange_output(&x).len > 0);
	assert_false(exchange_time_over(&x));
	assert_int_equal(fake.streams.dropped, 1);
	exchange_fini(&x);
	assert_int_equal(fake.streams.open, 0);
}

static void it_ends_with_what_is_there(void **unused)
{
	(void)unused;
	follow("1.1", "");
	take_head();
	take_chunk();
	add("the last words");
	exchange_close(&x);
	take_output(3);
	assert_non_null(strstr(take_chunk(), "the last words"));
	assert_null(take_chunk());
	assert_int_equal(x.state, EXCHANGE_LINGER);
	assert_int_equal(fake.streams.open, 0);
}

static void there_are_so_many_and_no_more(void **unused)
{
	static struct exchange others[STREAMS_MAX];
	static const struct tokens tokens = {.change = "secret"};
	static const char request[] = "GET /v1/events HTTP/1.1\r\nHost: b\r\n"
				      "Authorization: Bearer secret\r\n\r\n";
	size_t room;

	(void)unused;
	for (uint32_t i = 0; i < STREAMS_MAX; i++) {
		exchange_init(&others[i], &fake.view, &tokens, false);
		memcpy(exchange_room(&others[i], &room), request, sizeof request - 1);
		exchange_received(&others[i], sizeof request - 1);
	}
	assert_int_equal(fake.streams.open, STREAMS_TCP_MAX);
	assert_int_equal(fake.streams.refused, STREAMS_MAX - STREAMS_TCP_MAX);
	fake.streams.open = STREAMS_MAX;	/* by the UNIX socket */
	put_text("GET /v1/events HTTP/1.1\r\nHost: b\r\n\r\n");
	assert_int_equal(next_answer(), 503);
	assert_string_equal(code(), "busy");
	assert_int_equal(x.state, EXCHANGE_HEAD);
	fake.streams.open = STREAMS_TCP_MAX;
	for (uint32_t i = 0; i < STREAMS_MAX; i++)
		exchange_fini(&others[i]);
	assert_int_equal(fake.streams.tcp, 0);
}

static void what_was_heard_counts_more_than_what_is_asked(void **unused)
{
	(void)unused;
	add("one");
	add("two");
	follow("1.1", "Last-Event-ID: 1001\r\n");
	assert_null(strstr(output, "\"one\""));
	assert_non_null(strstr(output, "\"two\""));
}

static void those_that_are_there_are_an_object(void **unused)
{
	(void)unused;
	add("one");
	add("two");
	assert_int_equal(ask("GET /v1/events?follow=0&after=1001", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "events")), 1);
	assert_int_equal(number_of("last"), 1002);
	assert_int_equal(number_of("missed"), 0);
	assert_int_equal(ask("GET /v1/events?follow=0", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "events")), 2);
	assert_int_equal(ask("GET /v1/events?follow=0&last=0", ""), 200);
	assert_int_equal(json_array_size(json_object_get(body, "events")), 0);
	refused("GET /v1/events?last=1&after=2", "", 400, "bad-request");
	refused("GET /v1/events?after=-1", "", 400, "bad-request");
	refused("GET /v1/events?after=9223372036854775808", "", 400, "bad-request");
	refused("GET /v1/events?last=1025", "", 400, "bad-request");
	refused("GET /v1/log?lines=1001", "", 400, "bad-request");
}

static void the_log_is_text_and_has_no_beat(void **unused)
{
	(void)unused;
	log_error("a line");
	put_text("GET /v1/log?lines=1 HTTP/1.1\r\nHost: b\r\n\r\n");
	assert_non_null(strstr(output, "Content-Type: text/plain; charset=utf-8\r\n"));
	assert_non_null(strstr(output, "Z error a line\n"));
	output_len = 0;
	put_text("GET /v1/log?lines=1&follow=1 HTTP/1.1\r\nHost: b\r\n\r\n");
	assert_non_null(strstr(output, "Z error a line\n\r\n"));
	output_len = 0;
	assert_true(exchange_time_over(&x));
	take_output(SIZE_MAX);
	assert_int_equal(output_len, 0);
	assert_int_equal(x.state, EXCHANGE_STREAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_comes_goes_out_in_chunks),
		CASE(an_old_client_gets_it_until_the_connection_ends),
		CASE(head_has_no_stream),
		CASE(silence_has_a_beat),
		CASE(who_takes_nothing_holds_one_piece_and_is_dropped),
		CASE(it_ends_with_what_is_there),
		CASE(there_are_so_many_and_no_more),
		CASE(what_was_heard_counts_more_than_what_is_asked),
		CASE(the_log_is_text_and_has_no_beat),
		CASE(those_that_are_there_are_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
