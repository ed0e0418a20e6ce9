/* Goal: what the fields of a head say is read in one way or refused. */
#include "h1_cases.h"

#define HOST "Host: a\r\n"
#define GET11 "GET / HTTP/1.1\r\n"
#define GET10 "GET / HTTP/1.0\r\n"

static struct h1_head head;

static void check(const struct head_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_case(h1_parse_request, &cases[i], &default_limits);
}

/* Reads an acceptable head whole. */
static void accept(const char *text)
{
	enum h1_result result = h1_parse_request(&head, text, strlen(text), 0,
						 &default_limits);
	if (result != H1_DONE)
		fail_msg("%s: %s", h1_fault_text(head.fault), text);
}

static const struct h1_field *field(unsigned i)
{
	assert_true(i < head.field_count);
	return &head.fields[i];
}

static void fields_are_tokens_and_visible_bytes(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(GET11 HOST "X!#$%&'*+-.^_`|~0: y\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST "X:\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST "X: \t \r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST "X: a\tb \x80\xff ~\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST "X : y\r\n\r\n"), H1_FAULT_FIELD_NAME},
		{TEXT(GET11 HOST "X\t: y\r\n\r\n"), H1_FAULT_FIELD_NAME},
		{TEXT(GET11 HOST ": y\r\n\r\n"), H1_FAULT_FIELD_NAME},
		{TEXT(GET11 HOST "X\r\n\r\n"), H1_FAULT_FIELD_NAME},
		{TEXT(GET11 HOST "X(: y\r\n\r\n"), H1_FAULT_FIELD_NAME},
		{TEXT(GET11 HOST "X\x80: y\r\n\r\n"), H1_FAULT_FIELD_NAME},
		{TEXT(GET11 HOST "\0X: y\r\n\r\n"), H1_FAULT_FIELD_NAME},
		{TEXT(GET11 HOST "X: y\0\r\n\r\n"), H1_FAULT_FIELD_VALUE},
		{TEXT(GET11 HOST "X: y\x1b\r\n\r\n"), H1_FAULT_FIELD_VALUE},
		{TEXT(GET11 HOST "X: y\x7f\r\n\r\n"), H1_FAULT_FIELD_VALUE},
		{TEXT(GET11 HOST "X: y\r z\r\n\r\n"), H1_FAULT_LINE_END},
		{TEXT(GET11 HOST "X: y\r\r\n\r\n"), H1_FAULT_LINE_END},
		{TEXT(GET11 HOST "X: y\nZ: w\r\n\r\n"), H1_FAULT_LINE_END},
		{TEXT(GET11 HOST "\rX: y\r\n\r\n"), H1_FAULT_LINE_END},
		{TEXT(GET11 HOST "X: y\r\n z\r\n\r\n"), H1_FAULT_FOLD},
		{TEXT(GET11 HOST "X: y\r\n\tz\r\n\r\n"), H1_FAULT_FOLD},
		{TEXT(GET11 " " HOST "\r\n"), H1_FAULT_FOLD},
		{TEXT(GET11 HOST "X: y\r\n \r\n\r\n"), H1_FAULT_FOLD},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void a_head_of_bare_line_feeds_is_refused_when_it_ends(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(GET11 "Host: a\n\n"), H1_FAULT_LINE_END},
		{TEXT(GET11 "Host: a\n\r\n"), H1_FAULT_LINE_END},
		{TEXT(GET11 "Host: a\r\n\n"), H1_FAULT_LINE_END},
		{TEXT(GET11 "\n"), H1_FAULT_LINE_END},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void a_fault_in_the_fields_waits_for_the_end(void **state)
{
	const char *text = GET11 "X : y\r\nZ: w\r\n";

	(void)state;
	assert_int_equal(h1_parse_request(&head, text, strlen(text), 0, &default_limits),
			 H1_MORE);
	assert_int_equal(head.fault, H1_FAULT_NONE);
	assert_int_equal(h1_parse_request(&head, text, strlen(text), 20, &default_limits),
			 H1_MORE);
}

static void known_names_are_found_in_any_case(void **state)
{
	const char *text = GET11
		"hOST: a\r\nCONNECTION: x\r\nContent-length: 0\r\nTE: \r\nTrailer: \r\n"
		"Upgrade: \r\nexpect: 100-Continue\r\nKeep-Alive: \r\n"
		"Proxy-Connection: \r\nVia: \r\nForwarded: \r\nX-Forwarded-For: \r\n"
		"X-forwarded-PROTO: \r\nX-Forwarded-Host: \r\nHTTP2-Settings: \r\n"
		"User-Agent: \r\nReferer: \r\nCookie: \r\n"
		"X-Request-Id: \r\nDate: \r\nServer: \r\nTraceParent: \r\n"
		"TRACEstate: \r\n\r\n";
	static const enum h1_name order[] = {
		H1_NAME_HOST, H1_NAME_CONNECTION, H1_NAME_CONTENT_LENGTH, H1_NAME_TE,
		H1_NAME_TRAILER, H1_NAME_UPGRADE, H1_NAME_EXPECT, H1_NAME_KEEP_ALIVE,
		H1_NAME_PROXY_CONNECTION, H1_NAME_VIA, H1_NAME_FORWARDED,
		H1_NAME_X_FORWARDED_FOR, H1_NAME_X_FORWARDED_PROTO,
		H1_NAME_X_FORWARDED_HOST, H1_NAME_HTTP2_SETTINGS, H1_NAME_USER_AGENT,
		H1_NAME_REFERER, H1_NAME_COOKIE, H1_NAME_X_REQUEST_ID, H1_NAME_DATE,
		H1_NAME_SERVER, H1_NAME_TRACEPARENT, H1_NAME_TRACESTATE,
	};

	(void)state;
	accept(text);
	assert_int_equal(head.field_count, COUNT_OF(order));
	for (unsigned i = 0; i < COUNT_OF(order); i++) {
		assert_int_equal(field(i)->name, order[i]);
		assert_ptr_equal(h1_field_find(&head, order[i]), field(i));
	}
	assert_null(h1_field_find(&head, H1_NAME_TRANSFER_ENCODING));
	assert_int_equal(head.seen, ((1u << H1_NAMES) - 1) & ~1u &
				    ~(1u << H1_NAME_TRANSFER_ENCODING));
}

static void similar_names_are_not_taken_for_known_ones(void **state)
{
	(void)state;
	accept(GET11 HOST "Hos: \r\nHosts: \r\nH\x6fs~: \r\nVib: \r\nUser-Agenu: \r\n"
	       "Content_Length: 5\r\nContent-Lengti: 5\r\nX-Forwarded-Foo: \r\n"
	       "ContenT.Length: 5\r\nTransfer-Encodinh: chunked\r\n\r\n");
	assert_int_equal(head.seen, 1u << H1_NAME_HOST);
	assert_int_equal(head.body, H1_BODY_NONE);
}

static void white_space_around_a_value_is_cut_off(void **state)
{
	const char *text = GET11 HOST "A: \t b c \t \r\nB:d\r\nC:   \r\n\r\n";

	(void)state;
	accept(text);
	assert_true(span_equals(h1_value_span(text, field(1)), SPAN("b c")));
	assert_true(span_equals(h1_name_span(text, field(1)), SPAN("A")));
	assert_true(span_equals(h1_value_span(text, field(2)), SPAN("d")));
	assert_int_equal(field(3)->value_len, 0);
}

static void a_length_is_one_number(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(GET11 HOST "Content-Length: 0\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST "Content-Length: 9223372036854775807\r\n\r\n"),
		 H1_FAULT_NONE},
		{TEXT(GET11 HOST "Content-Length: 9223372036854775808\r\n\r\n"),
		 H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length: 18446744073709551617\r\n\r\n"),
		 H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length:\r\n\r\n"), H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length: +1\r\n\r\n"), H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length: -1\r\n\r\n"), H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length: 0x10\r\n\r\n"), H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length: 1 1\r\n\r\n"), H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length: 1, 1\r\n\r\n"), H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length: 1.0\r\n\r\n"), H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
		 H1_FAULT_LENGTH},
		{TEXT(GET11 HOST "Content-Length: 1\r\ncontent-LENGTH: 2\r\n\r\n"),
		 H1_FAULT_LENGTH},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void chunked_is_the_only_coding(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(GET11 HOST "Transfer-Encoding: chunked\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST "Transfer-Encoding: \tCHUNKED \r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET10 HOST "Transfer-Encoding: chunked\r\n\r\n"), H1_FAULT_CODING},
		{TEXT(GET11 HOST "Transfer-Encoding:\r\n\r\n"), H1_FAULT_CODING},
		{TEXT(GET11 HOST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
		 H1_FAULT_CODING},
		{TEXT(GET11 HOST "Transfer-Encoding: chunked, gzip\r\n\r\n"),
		 H1_FAULT_CODING},
		{TEXT(GET11 HOST "Transfer-Encoding: ,chunked\r\n\r\n"), H1_FAULT_CODING},
		{TEXT(GET11 HOST "Transfer-Encoding: chunked,\r\n\r\n"), H1_FAULT_CODING},
		{TEXT(GET11 HOST "Transfer-Encoding: chunked\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"), H1_FAULT_CODING},
		{TEXT(GET11 HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		 H1_FAULT_CODING_UNKNOWN},
		{TEXT(GET11 HOST "Transfer-Encoding: identity\r\n\r\n"),
		 H1_FAULT_CODING_UNKNOWN},
		{TEXT(GET11 HOST "Transfer-Encoding: xchunked\r\n\r\n"),
		 H1_FAULT_CODING_UNKNOWN},
		{TEXT(GET11 HOST "Transfer-Encoding: chunked;q=1\r\n\r\n"),
		 H1_FAULT_CODING_UNKNOWN},
		{TEXT(GET11 HOST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
		 H1_FAULT_CODING_UNKNOWN},
		{TEXT(GET11 HOST "Content-Length: 1\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"), H1_FAULT_LENGTH_AND_CODING},
		{TEXT(GET11 HOST "Transfer-Encoding: chunked\r\n"
		      "Content-Length: 0\r\n\r\n"), H1_FAULT_LENGTH_AND_CODING},
		{TEXT(GET11 HOST "Transfer-Encoding : chunked\r\n\r\n"),
		 H1_FAULT_FIELD_NAME},
		{TEXT(GET11 HOST "Transfer-Encoding: chunked\x0b\r\n\r\n"),
		 H1_FAULT_FIELD_VALUE},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void the_framing_of_the_body_is_told(void **state)
{
	(void)state;
	accept(GET11 HOST "\r\n");
	assert_int_equal(head.body, H1_BODY_NONE);
	assert_false(head.has_content_length);
	accept(GET11 HOST "Content-Length: 0012\r\n\r\n");
	assert_int_equal(head.body, H1_BODY_LENGTH);
	assert_int_equal(head.content_length, 12);
	accept(GET11 HOST "Transfer-Encoding: chunked\r\n\r\n");
	assert_int_equal(head.body, H1_BODY_CHUNKED);
}

static void connections_stay_open_by_version_and_choice(void **state)
{
	(void)state;
	accept(GET11 HOST "\r\n");
	assert_true(head.keep_alive);
	accept(GET11 HOST "Connection: x, CLOSE\r\n\r\n");
	assert_false(head.keep_alive);
	assert_true(head.connection_close);
	accept(GET11 HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n");
	assert_false(head.keep_alive);
	accept(GET10 "\r\n");
	assert_false(head.keep_alive);
	accept(GET10 "Connection: Keep-Alive\r\n\r\n");
	assert_true(head.keep_alive);
	accept(GET11 HOST "Connection: closed\r\n\r\n");
	assert_true(head.keep_alive);
	accept(GET11 HOST "Connection: ,Upgrade ,, \r\n\r\n");
	assert_true(head.connection_upgrade);
}

static void fields_that_connection_names_are_marked(void **state)
{
	(void)state;
	accept(GET11 HOST "X-A: 1\r\nConnection: x-a, keep-alive,\tupgrade\r\n"
	       "x-A: 2\r\nX-AB: 3\r\nUpgrade: x\r\nKeep-Alive: 5\r\n\r\n");
	static const bool marked[] = {false, true, false, true, false, true, true};
	for (unsigned i = 0; i < COUNT_OF(marked); i++)
		assert_int_equal(field(i)->named_hop, marked[i]);
}

static void connection_cannot_take_framing_and_origin_away(void **state)
{
	(void)state;
	accept(GET11 HOST "Content-Length: 5\r\nVia: 1.1 a\r\nX-Forwarded-For: b\r\n"
	       "Connection: host, content-length, via, x-forwarded-for, cookie\r\n"
	       "Cookie: c\r\n\r\n");
	for (unsigned i = 0; i < 5; i++)
		assert_false(field(i)->named_hop);
	assert_true(field(5)->named_hop);
}

static void connection_is_a_list_of_a_bounded_number_of_tokens(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(GET11 HOST "Connection: a b\r\n\r\n"), H1_FAULT_FIELD_VALUE},
		{TEXT(GET11 HOST "Connection: \"close\"\r\n\r\n"), H1_FAULT_FIELD_VALUE},
		{TEXT(GET11 HOST "Connection: close;\r\n\r\n"), H1_FAULT_FIELD_VALUE},
		{TEXT(GET11 HOST "Connection:\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST "Connection: ,,\t, ,\r\n\r\n"), H1_FAULT_NONE},
	};
	char text[512] = GET11 HOST "Connection: ";

	(void)state;
	check(cases, COUNT_OF(cases));
	for (int i = 0; i < 64; i++)
		strcat(text, "x,");
	size_t len = strlen(text);
	strcat(text, "\r\n\r\n");
	accept(text);
	strcpy(text + len, "y\r\n\r\n");
	struct head_case c = {text, strlen(text), H1_FAULT_FIELDS_MANY};
	check(&c, 1);
}

static void only_100_continue_can_be_expected(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(GET11 HOST "Expect: 100-CONTINUE\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST "Expect:\r\n\r\n"), H1_FAULT_EXPECT},
		{TEXT(GET11 HOST "Expect: 100-continue, x\r\n\r\n"), H1_FAULT_EXPECT},
		{TEXT(GET11 HOST "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n"),
		 H1_FAULT_EXPECT},
		{TEXT(GET10 "Expect: x\r\n\r\n"), H1_FAULT_NONE},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
	accept(GET11 HOST "Expect: 100-continue\r\n\r\n");
	assert_true(head.expects_continue);
	accept(GET10 "Expect: 100-continue\r\n\r\n");
	assert_false(head.expects_continue);
}

static void fields_are_counted(void **state)
{
	static const struct h1_limits limits = {1024, 64, 2};
	static const struct head_case cases[] = {
		{TEXT(GET11 HOST "A:\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST "A:\r\nB:\r\n\r\n"), H1_FAULT_FIELDS_MANY},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check_case(h1_parse_request, &cases[i], &limits);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_tokens_and_visible_bytes),
		cmocka_unit_test(a_head_of_bare_line_feeds_is_refused_when_it_ends),
		cmocka_unit_test(a_fault_in_the_fields_waits_for_the_end),
		cmocka_unit_test(known_names_are_found_in_any_case),
		cmocka_unit_test(similar_names_are_not_taken_for_known_ones),
		cmocka_unit_test(white_space_around_a_value_is_cut_off),
		cmocka_unit_test(a_length_is_one_number),
		cmocka_unit_test(chunked_is_the_only_coding),
		cmocka_unit_test(the_framing_of_the_body_is_told),
		cmocka_unit_test(connections_stay_open_by_version_and_choice),
		cmocka_unit_test(fields_that_connection_names_are_marked),
		cmocka_unit_test(connection_cannot_take_framing_and_origin_away),
		cmocka_unit_test(connection_is_a_list_of_a_bounded_number_of_tokens),
		cmocka_unit_test(only_100_continue_can_be_expected),
		cmocka_unit_test(fields_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
