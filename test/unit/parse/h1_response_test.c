/* Goal: a response head means one thing or is refused, however it was cut. */
#include "h1_cases.h"

#define OK11 "HTTP/1.1 200 OK\r\n"

static struct h1_head head;
static enum h1_method asked = H1_GET;

static enum h1_result parse(struct h1_head *h, const char *at, size_t len, size_t before,
			    const struct h1_limits *limits)
{
	return h1_parse_response(h, at, len, before, asked, limits);
}

static void check(const struct head_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_case(parse, &cases[i], &default_limits);
}

static void accept(enum h1_method request, const char *text)
{
	enum h1_result result = h1_parse_response(&head, text, strlen(text), 0, request,
						  &default_limits);
	if (result != H1_DONE)
		fail_msg("%s: %s", h1_fault_text(head.fault), text);
}

static void status_lines_are_exact(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(OK11 "\r\n"), H1_FAULT_NONE},
		{TEXT("HTTP/1.0 404 Not  Found\t\xe9\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("HTTP/1.1 200 \r\n\r\n"), H1_FAULT_NONE},
		{TEXT("HTTP/1.1 200\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("HTTP/1.1 599 x\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("HTTP/2 200\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/2.0 200 OK\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT("http/1.1 200 OK\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1  200 OK\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1\t200 OK\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1 200OK\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1 20 OK\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1 2000 OK\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1 099 x"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1 600 x"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1 +20 x"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1 200 O\0K"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1 200 O\x7fK"), H1_FAULT_STATUS_LINE},
		{TEXT("HTTP/1.1 200 OK\n"), H1_FAULT_LINE_END},
		{TEXT("HTTP/1.1 200\n"), H1_FAULT_LINE_END},
		{TEXT("HTTP/1.1 200 OK\rX"), H1_FAULT_LINE_END},
		{TEXT("\r\n" OK11 "\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT(" " OK11 "\r\n"), H1_FAULT_STATUS_LINE},
		{TEXT("<html>"), H1_FAULT_STATUS_LINE},
		{TEXT("\x15\x03\x03"), H1_FAULT_STATUS_LINE},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
	accept(H1_GET, "HTTP/1.0 503 x\r\nA: b\r\n\r\n");
	assert_int_equal(head.status, 503);
	assert_int_equal(head.minor, 0);
	assert_int_equal(head.fields_at, 16);
	assert_int_equal(head.length, 24);
}

static void fields_are_judged_as_in_requests(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(OK11 "X : y\r\n\r\n"), H1_FAULT_FIELD_NAME},
		{TEXT(OK11 "X: y\x01\r\n\r\n"), H1_FAULT_FIELD_VALUE},
		{TEXT(OK11 "X: y\nZ: w\r\n\r\n"), H1_FAULT_LINE_END},
		{TEXT(OK11 "X: y\r\n z\r\n\r\n"), H1_FAULT_FOLD},
		{TEXT(OK11 " X: y\r\n\r\n"), H1_FAULT_FOLD},
		{TEXT(OK11 "X: y\n\n"), H1_FAULT_LINE_END},
		{TEXT(OK11 "Content-Length: x\r\n\r\n"), H1_FAULT_LENGTH},
		{TEXT(OK11 "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
		 H1_FAULT_LENGTH},
		{TEXT(OK11 "Transfer-Encoding: gzip\r\n\r\n"), H1_FAULT_CODING_UNKNOWN},
		{TEXT(OK11 "Transfer-Encoding: chunked,chunked\r\n\r\n"),
		 H1_FAULT_CODING},
		{TEXT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
		 H1_FAULT_CODING},
		{TEXT(OK11 "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
		 H1_FAULT_LENGTH_AND_CODING},
		{TEXT("HTTP/1.1 204 x\r\nContent-Length: x\r\n\r\n"), H1_FAULT_LENGTH},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void fields_of_requests_do_not_matter(void **state)
{
	(void)state;
	accept(H1_GET, OK11 "Host: a@b\r\nHost: c\r\nExpect: x\r\n\r\n");
	assert_false(head.expects_continue);
	assert_int_equal(head.host_len, 0);
}

static void the_framing_of_the_body_is_told(void **state)
{
	(void)state;
	accept(H1_GET, OK11 "\r\n");
	assert_int_equal(head.body, H1_BODY_UNTIL_CLOSE);
	accept(H1_GET, OK11 "Content-Length: 7\r\n\r\n");
	assert_int_equal(head.body, H1_BODY_LENGTH);
	assert_int_equal(head.content_length, 7);
	accept(H1_GET, OK11 "Transfer-Encoding: Chunked\r\n\r\n");
	assert_int_equal(head.body, H1_BODY_CHUNKED);
}

static void some_responses_have_no_body(void **state)
{
	static const char *const bare[] = {"100", "101", "103", "204", "304"};
	static const char *const framing[] = {
		"", "Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n",
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bare); i++) {
		for (size_t k = 0; k < COUNT_OF(framing); k++) {
			snprintf(text, sizeof text, "HTTP/1.1 %s x\r\n%s\r\n", bare[i],
				 framing[k]);
			accept(H1_GET, text);
			assert_int_equal(head.body, H1_BODY_NONE);
			assert_int_equal(head.content_length, k == 1 ? 7 : 0);
		}
	}
	accept(H1_HEAD, OK11 "Content-Length: 7\r\n\r\n");
	assert_int_equal(head.body, H1_BODY_NONE);
	assert_true(head.has_content_length);
	assert_int_equal(head.content_length, 7);
	accept(H1_HEAD, OK11 "\r\n");
	assert_int_equal(head.body, H1_BODY_NONE);
}

static void connections_stay_open_by_version_and_choice(void **state)
{
	(void)state;
	accept(H1_GET, OK11 "\r\n");
	assert_true(head.keep_alive);
	accept(H1_GET, OK11 "Connection: close\r\n\r\n");
	assert_false(head.keep_alive);
	accept(H1_GET, "HTTP/1.0 200 OK\r\n\r\n");
	assert_false(head.keep_alive);
	accept(H1_GET, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n");
	assert_true(head.keep_alive);
	accept(H1_GET, "HTTP/1.1 101 x\r\nUpgrade: y\r\nConnection: upgrade\r\n\r\n");
	assert_true(head.connection_upgrade);
	assert_true(head.fields[0].named_hop);
}

static void long_heads_are_refused(void **state)
{
	static const struct h1_limits limits = {32, 8, 4};
	static const struct head_case cases[] = {
		{TEXT(OK11 "Server: 789\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(OK11 "Server: 7890\r\n\r\n"), H1_FAULT_HEAD_LONG},
		{TEXT("HTTP/1.1 200 45678901234567890123"), H1_FAULT_HEAD_LONG},
		{TEXT("HTTP/1.1 200\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("HTTP/1.1 200\r\nA:\r\nB:\r\nC\r\n\r\n"), H1_FAULT_FIELD_NAME},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check_case(parse, &cases[i], &limits);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_lines_are_exact),
		cmocka_unit_test(fields_are_judged_as_in_requests),
		cmocka_unit_test(fields_of_requests_do_not_matter),
		cmocka_unit_test(the_framing_of_the_body_is_told),
		cmocka_unit_test(some_responses_have_no_body),
		cmocka_unit_test(connections_stay_open_by_version_and_choice),
		cmocka_unit_test(long_heads_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
