/* Goal: any request gets exactly one answer, however its bytes were cut, and nobody gets
 * one that may not. */
#include "unit/control/client.h"

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
	assert_int_equal(room, 0);	/* nothing is read while something waits */
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
				   "Expect: 100-continue\r\n"
				   "Content-Length: 1048577\r\n\r\n";
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
	put_text("POST /v1/stop HTTP/1.1\r\nHost: b\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n");
	memset(chunk, ' ', sizeof chunk);
	put_text("200000\r\n");
	for (int i = 0; i < 300 && output_len == 0; i++) {
		put_in(chunk, sizeof chunk, SIZE_MAX);
		assert_true(x.body.size <= CONTROL_BODY_MAX);
	}
	assert_int_equal(next_answer(), 413);
	assert_null(x.body.bytes);
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
		"POST /v1/stop HTTP/1.1\r\nHost: b\r\n"
		"Transfer-Encoding: chunked\r\n\r\nx\r\n",
		"POST /v1/stop HTTP/1.1\r\nHost: b\r\nExpect: x\r\n"
		"Content-Length: 2\r\n\r\n{}",
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
	assert_int_equal(ask_as("Authorization: Bearer all\r\n"
				"Authorization: Bearer all\r\n", "GET /v1/status"), 401);
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

/* ---- answers that come later ---- */

static const char scale[] = "PUT /v1/pools/made/owned HTTP/1.1\r\nHost: b\r\n"
	"Content-Length: 12\r\n\r\n{\"count\": 5}";

static uint32_t told;

static void on_answered(struct exchange *of)
{
	assert_ptr_equal(of, &x);
	told++;
}

/* Asks for what takes its time, with the next request behind it. */
static void begin_waiting(void)
{
	char both[sizeof scale + sizeof several];

	fake_make(&fake);
	fake.owners.later = true;
	told = 0;
	x.on_answered = on_answered;
	snprintf(both, sizeof both, "%s%.37s", scale, several);
	put_text(both);
	assert_int_equal(x.state, EXCHANGE_WAITING);
	assert_int_equal(output_len, 0);
}

static void an_answer_may_come_later(void **unused)
{
	size_t room;

	(void)unused;
	begin_waiting();
	assert_int_equal(exchange_limit_ms(&x), CONTROL_WAITING_MS);
	exchange_room(&x, &room);
	assert_int_equal(room, 0);
	exchange_resume(&x);		/* by mistake: it is not there */
	assert_int_equal(x.state, EXCHANGE_WAITING);
	fake_order_done(&fake.owners);
	assert_int_equal(told, 1);
	assert_int_equal(x.state, EXCHANGE_WAITING);
	exchange_resume(&x);
	take_output(SIZE_MAX);
	assert_int_equal(next_answer(), 200);
	assert_string_equal(text_of("pool"), "made");
	assert_int_equal(next_answer(), 200);	/* to what was sent ahead */
	assert_int_equal(x.state, EXCHANGE_HEAD);
	assert_int_equal(fake.owners.forgotten, 0);
}

static void who_says_no_more_still_gets_it(void **unused)
{
	(void)unused;
	begin_waiting();
	exchange_ended(&x);
	assert_int_equal(x.state, EXCHANGE_WAITING);
	fake_order_done(&fake.owners);
	exchange_resume(&x);
	take_output(SIZE_MAX);
	assert_int_equal(next_answer(), 200);
	assert_int_equal(next_answer(), 200);
	assert_int_equal(x.state, EXCHANGE_OVER);
}

static void who_goes_is_forgotten(void **unused)
{
	(void)unused;
	begin_waiting();
	exchange_fini(&x);
	assert_int_equal(fake.owners.forgotten, 1);
	assert_null(fake.owners.under_way);
}

/* Between the answer and the turn of the loop that takes it. */
static void who_goes_with_the_answer_at_hand_is_no_trouble(void **unused)
{
	(void)unused;
	begin_waiting();
	fake_order_done(&fake.owners);
	exchange_fini(&x);
	assert_int_equal(fake.owners.forgotten, 0);
}

static void waiting_has_an_end(void **unused)
{
	(void)unused;
	begin_waiting();
	assert_true(exchange_time_over(&x));
	assert_int_equal(fake.owners.forgotten, 1);
	take_output(SIZE_MAX);
	assert_int_equal(next_answer(), 504);
	assert_string_equal(code(), "late");
	assert_int_equal(next_answer(), 200);
	assert_int_equal(x.state, EXCHANGE_HEAD);
}

static void closing_waits_for_an_answer_that_comes_later(void **unused)
{
	(void)unused;
	begin_waiting();
	exchange_close(&x);
	assert_int_equal(x.state, EXCHANGE_WAITING);
	fake_order_done(&fake.owners);
	exchange_resume(&x);
	take_output(SIZE_MAX);
	assert_non_null(strstr(output, "\r\nConnection: close\r\n"));
	assert_int_equal(next_answer(), 200);
	assert_int_equal(output_len, 0);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
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
		CASE(an_answer_may_come_later),
		CASE(who_says_no_more_still_gets_it),
		CASE(who_goes_is_forgotten),
		CASE(who_goes_with_the_answer_at_hand_is_no_trouble),
		CASE(waiting_has_an_end),
		CASE(closing_waits_for_an_answer_that_comes_later),
		CASE(a_client_that_ends_still_gets_its_answer),
		CASE(half_a_request_is_never_answered),
		CASE(closing_waits_for_a_request_that_has_begun),
		CASE(each_wait_has_its_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
