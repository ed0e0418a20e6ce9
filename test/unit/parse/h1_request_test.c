/* Goal: a request head means one thing or is refused, however it was cut. */
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

static void request_lines_are_exact(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(GET11 HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("G!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("12345678901234567890123456789012 / HTTP/1.1\r\n" HOST "\r\n"),
		 H1_FAULT_NONE},
		{TEXT("123456789012345678901234567890123"), H1_FAULT_METHOD},
		{TEXT(" GET / HTTP/1.1\r\n"), H1_FAULT_METHOD},
		{TEXT("GE(T / HTTP/1.1\r\n"), H1_FAULT_METHOD},
		{TEXT("GET\t/ HTTP/1.1\r\n"), H1_FAULT_METHOD},
		{TEXT("GET\r\n"), H1_FAULT_METHOD},
		{TEXT("GET\0 / HTTP/1.1\r\n"), H1_FAULT_METHOD},
		{TEXT("GET  / HTTP/1.1\r\n"), H1_FAULT_TARGET},
		{TEXT("A-METHOD-OF-SIXTEEN \x01"), H1_FAULT_TARGET},
		{TEXT("GET /\x7f HTTP/1.1\r\n"), H1_FAULT_TARGET},
		{TEXT("GET /\xc3\xa9 HTTP/1.1\r\n"), H1_FAULT_TARGET},
		{TEXT("GET /\t HTTP/1.1\r\n"), H1_FAULT_TARGET},
		{TEXT("GET /\0 HTTP/1.1\r\n"), H1_FAULT_TARGET},
		{TEXT("GET /#top HTTP/1.1\r\n"), H1_FAULT_TARGET},
		{TEXT("GET / HTTP/1.1 \r\n"), H1_FAULT_VERSION},
		{TEXT("GET /  HTTP/1.1\r\n"), H1_FAULT_VERSION},
		{TEXT("GET / x HTTP/1.1\r\n"), H1_FAULT_VERSION},
		{TEXT("GET / http/1.1\r\n"), H1_FAULT_VERSION},
		{TEXT("GET / HTTP/1.10\r\n"), H1_FAULT_VERSION},
		{TEXT("GET / HTTP/1\r\n"), H1_FAULT_VERSION},
		{TEXT("GET / HTTP/11\r\n"), H1_FAULT_VERSION},
		{TEXT("GET / HTTPS/1.1\r\n"), H1_FAULT_VERSION},
		{TEXT("GET / \r\n"), H1_FAULT_VERSION},
		{TEXT("GET /\r\n"), H1_FAULT_VERSION},
		{TEXT("GET /\n"), H1_FAULT_VERSION},
		{TEXT("GET / HTTP/0.9\r\n"), H1_FAULT_VERSION_UNKNOWN},
		{TEXT("GET / HTTP/2.0\r\n"), H1_FAULT_VERSION_UNKNOWN},
		{TEXT("GET / HTTP/1.1\n"), H1_FAULT_LINE_END},
		{TEXT("GET / HTTP/1.1\rx"), H1_FAULT_LINE_END},
		{TEXT("GET / HTTP/1.1\r\r\n"), H1_FAULT_LINE_END},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void methods_are_known_by_their_exact_name(void **state)
{
	static const struct { const char *text; enum h1_method method; } cases[] = {
		{GET11, H1_GET}, {"HEAD / HTTP/1.1\r\n", H1_HEAD},
		{"POST / HTTP/1.1\r\n", H1_POST}, {"PUT / HTTP/1.1\r\n", H1_PUT},
		{"DELETE / HTTP/1.1\r\n", H1_DELETE}, {"PATCH / HTTP/1.1\r\n", H1_PATCH},
		{"OPTIONS / HTTP/1.1\r\n", H1_OPTIONS},
		{"TRACE / HTTP/1.1\r\n", H1_TRACE},
		{"CONNECT a:1 HTTP/1.1\r\n", H1_CONNECT},
		{"get / HTTP/1.1\r\n", H1_METHOD_OTHER},
		{"GETS / HTTP/1.1\r\n", H1_METHOD_OTHER},
		{"BREW / HTTP/1.1\r\n", H1_METHOD_OTHER},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		snprintf(text, sizeof text, "%s%s\r\n", cases[i].text, HOST);
		accept(text);
		assert_int_equal(head.method, cases[i].method);
		assert_int_equal(head.method_len, strcspn(text, " "));
	}
	assert_true(h1_method_is_idempotent(H1_GET));
	assert_true(h1_method_is_idempotent(H1_DELETE));
	assert_false(h1_method_is_idempotent(H1_POST));
	assert_false(h1_method_is_idempotent(H1_METHOD_OTHER));
}

static void other_protocols_are_refused_with_their_first_bytes(void **state)
{
	static const struct head_case cases[] = {
		{TEXT("\x16\x03\x01"), H1_FAULT_METHOD},
		{TEXT("SSH-2.0-OpenSSH_9.2\r"), H1_FAULT_METHOD},
		{TEXT("\0"), H1_FAULT_METHOD},
		{TEXT("\x80"), H1_FAULT_METHOD},
		{TEXT("PRI * HTTP/2.0"), H1_FAULT_VERSION_UNKNOWN},
		{TEXT("HTTP/1.1 200 OK\r\n\r\n"), H1_FAULT_METHOD},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void four_empty_lines_are_forgiven(void **state)
{
	static const struct head_case cases[] = {
		{TEXT("\r\n" GET11 HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("\r\n\r\n\r\n\r\n" GET11 HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("\r\n\r\n\r\n\r\n\r\n"), H1_FAULT_METHOD},
		{TEXT("\n" GET11), H1_FAULT_LINE_END},
		{TEXT("\r\r\n" GET11), H1_FAULT_LINE_END},
		{TEXT("\rG"), H1_FAULT_LINE_END},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
	accept("\r\n\r\n" GET11 HOST "\r\n");
	assert_int_equal(head.start, 4);
	assert_int_equal(head.target_at, 8);
	assert_int_equal(head.fields_at, 20);
	assert_int_equal(head.length, 31);
}

static void targets_have_one_of_four_forms(void **state)
{
	static const struct head_case cases[] = {
		{TEXT("GET //?y=%zz\"<>\\^`{|} HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("GET * HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("OPTIONS ** HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET a/b HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET ?q HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET http://b HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("GET HTTPS://b:1/ HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("GET http://[::1]:80?q HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("GET http:///x HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET http:// HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET http://:80/ HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET http:/b/ HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET ftp://b/ HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET http://u@b/ HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET http://b/u@x HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("GET http://b:x/ HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("CONNECT b:443 HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("CONNECT [::1]:443 HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("CONNECT b HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("CONNECT b: HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("CONNECT /x HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("CONNECT http://b/ HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
		{TEXT("GET b:443 HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_TARGET},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void parts_of_a_target_are_found(void **state)
{
	const char *origin = "GET /a?b HTTP/1.1\r\n" HOST "\r\n";
	const char *absolute = "GET http://b:80/a?b HTTP/1.1\r\n" HOST "\r\n";
	const char *bare = "GET http://b?q HTTP/1.1\r\n" HOST "\r\n";
	const char *star = "OPTIONS * HTTP/1.1\r\n" HOST "\r\n";
	const char *tunnel = "CONNECT b:1 HTTP/1.1\r\n" HOST "\r\n";

	(void)state;
	accept(origin);
	assert_int_equal(head.target, H1_TARGET_ORIGIN);
	assert_true(value_is(origin, head.path_at, head.path_len, "/a?b"));
	assert_true(value_is(origin, head.target_at, head.target_len, "/a?b"));
	assert_int_equal(head.authority_len, 0);

	accept(absolute);
	assert_int_equal(head.target, H1_TARGET_ABSOLUTE);
	assert_true(value_is(absolute, head.authority_at, head.authority_len, "b:80"));
	assert_true(value_is(absolute, head.path_at, head.path_len, "/a?b"));
	assert_true(value_is(absolute, head.host_at, head.host_len, "a"));

	accept(bare);
	assert_true(value_is(bare, head.authority_at, head.authority_len, "b"));
	assert_true(value_is(bare, head.path_at, head.path_len, "?q"));

	accept(star);
	assert_int_equal(head.target, H1_TARGET_ASTERISK);
	assert_int_equal(head.path_len, 0);

	accept(tunnel);
	assert_int_equal(head.target, H1_TARGET_AUTHORITY);
	assert_true(value_is(tunnel, head.target_at, head.target_len, "b:1"));
}

static void versions_above_1_1_are_kept(void **state)
{
	(void)state;
	accept(GET10 "\r\n");
	assert_int_equal(head.minor, 0);
	accept("GET / HTTP/1.7\r\n" HOST "\r\n");
	assert_int_equal(head.minor, 7);
	assert_true(head.keep_alive);
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
		"User-Agent: \r\nReferer: \r\nCookie: \r\nX-Request-Id: \r\nDate: \r\nServer: \r\n\r\n";
	static const enum h1_name order[] = {
		H1_NAME_HOST, H1_NAME_CONNECTION, H1_NAME_CONTENT_LENGTH, H1_NAME_TE,
		H1_NAME_TRAILER, H1_NAME_UPGRADE, H1_NAME_EXPECT, H1_NAME_KEEP_ALIVE,
		H1_NAME_PROXY_CONNECTION, H1_NAME_VIA, H1_NAME_FORWARDED,
		H1_NAME_X_FORWARDED_FOR, H1_NAME_X_FORWARDED_PROTO,
		H1_NAME_X_FORWARDED_HOST, H1_NAME_HTTP2_SETTINGS, H1_NAME_USER_AGENT,
		H1_NAME_REFERER, H1_NAME_COOKIE, H1_NAME_X_REQUEST_ID, H1_NAME_DATE,
		H1_NAME_SERVER,
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

static void host_is_there_once_and_well_formed(void **state)
{
	static const struct head_case cases[] = {
		{TEXT(GET11 "\r\n"), H1_FAULT_HOST},
		{TEXT(GET10 "\r\n"), H1_FAULT_NONE},
		{TEXT(GET10 HOST "\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 HOST HOST "\r\n"), H1_FAULT_HOST},
		{TEXT(GET10 HOST HOST "\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a.b_c-d~e:8080\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 "Host: a%2Db\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 "Host: a:\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 "Host: 127.0.0.1:65535\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 "Host: [2001:db8::1]\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 "Host: [::ffff:1.2.3.4]:80\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 "Host: a:65536\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a:000080\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a:8x\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a:-1\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a:80:80\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: u@a\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a/b\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a b\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a%2\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a%zz\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: a\xc3\xa9\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: :80\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: [::1\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: []\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: [::1]x\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: [g::1]\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: [fe80::1%25eth0]\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: [00000000000000000000000000000000000000000000000]\r\n"
		      "\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host: ::1\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET11 "Host:\r\n\r\n"), H1_FAULT_HOST},
		{TEXT(GET10 "Host:\r\n\r\n"), H1_FAULT_HOST},
		{TEXT("GET http://b/ HTTP/1.1\r\nHost:\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("GET http://b/ HTTP/1.1\r\nHost: a@b\r\n\r\n"), H1_FAULT_HOST},
		{TEXT("GET http://b/ HTTP/1.1\r\n\r\n"), H1_FAULT_HOST},
		{TEXT("GET http://b/ HTTP/1.0\r\n\r\n"), H1_FAULT_NONE},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
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

static void bytes_after_the_head_are_not_looked_at(void **state)
{
	static const char text[] = GET11 HOST "\r\n\0\n\n\x7f GET";

	(void)state;
	enum h1_result result = h1_parse_request(&head, text, sizeof text - 1, 0,
						 &default_limits);
	assert_int_equal(result, H1_DONE);
	assert_int_equal(head.length, 27);
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

static void a_long_target_is_told_before_the_head_ends(void **state)
{
	static const struct h1_limits limits = {64, 8, 4};
	static const struct head_case cases[] = {
		{TEXT("GET /234567"), H1_FAULT_NONE},
		{TEXT("GET /2345678 HTTP/1.1\r\n" HOST "\r\n"), H1_FAULT_NONE},
		{TEXT("GET /23456789"), H1_FAULT_TARGET_LONG},
		{TEXT("GET /23456789\x01"), H1_FAULT_TARGET_LONG},
		{TEXT("GET /234567\x01" "89"), H1_FAULT_TARGET},
		{TEXT("GET http://b/ HTTP/1.1\r\n"), H1_FAULT_TARGET_LONG},
	};

	(void)state;
	assert_int_equal(h1_parse_request(&head, cases[0].text, cases[0].len, 0, &limits),
			 H1_MORE);
	for (size_t i = 1; i < COUNT_OF(cases); i++)
		check_case(h1_parse_request, &cases[i], &limits);
}

static void a_long_head_is_told_with_its_first_byte_too_many(void **state)
{
	static const struct h1_limits limits = {32, 64, 4};
	static const struct head_case cases[] = {
		{TEXT(GET11 "Host: 123456\r\n\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 "Host: 123456\r\n\r\nGET / HTTP/1.1\r\n"), H1_FAULT_NONE},
		{TEXT(GET11 "Host: 1234567\r\n\r\n"), H1_FAULT_HEAD_LONG},
		{TEXT(GET11 "Host : 123456\r\n\r\n"), H1_FAULT_HEAD_LONG},
		{TEXT(GET11 "Host : 12345\r\n\r\n"), H1_FAULT_FIELD_NAME},
		{TEXT("GET /3456789012345678901234567890"), H1_FAULT_HEAD_LONG},
		{TEXT("\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nA: 67\r\n\r\n"),
		 H1_FAULT_HEAD_LONG},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check_case(h1_parse_request, &cases[i], &limits);
	assert_int_equal(h1_parse_request(&head, TEXT(GET11 "Host: 1234567890"), 0,
					  &limits), H1_MORE);
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

static void every_fault_has_a_text_and_a_status(void **state)
{
	(void)state;
	for (enum h1_fault f = H1_FAULT_NONE + 1; f < H1_FAULTS; f++) {
		assert_non_null(h1_fault_text(f));
		assert_in_range(h1_fault_status(f), 400, 505);
	}
	assert_int_equal(h1_fault_status(H1_FAULT_TARGET_LONG), 414);
	assert_int_equal(h1_fault_status(H1_FAULT_HEAD_LONG), 431);
	assert_int_equal(h1_fault_status(H1_FAULT_FIELDS_MANY), 431);
	assert_int_equal(h1_fault_status(H1_FAULT_EXPECT), 417);
	assert_int_equal(h1_fault_status(H1_FAULT_CODING_UNKNOWN), 501);
	assert_int_equal(h1_fault_status(H1_FAULT_VERSION_UNKNOWN), 505);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_lines_are_exact),
		cmocka_unit_test(methods_are_known_by_their_exact_name),
		cmocka_unit_test(other_protocols_are_refused_with_their_first_bytes),
		cmocka_unit_test(four_empty_lines_are_forgiven),
		cmocka_unit_test(targets_have_one_of_four_forms),
		cmocka_unit_test(parts_of_a_target_are_found),
		cmocka_unit_test(versions_above_1_1_are_kept),
		cmocka_unit_test(fields_are_tokens_and_visible_bytes),
		cmocka_unit_test(a_head_of_bare_line_feeds_is_refused_when_it_ends),
		cmocka_unit_test(a_fault_in_the_fields_waits_for_the_end),
		cmocka_unit_test(known_names_are_found_in_any_case),
		cmocka_unit_test(similar_names_are_not_taken_for_known_ones),
		cmocka_unit_test(white_space_around_a_value_is_cut_off),
		cmocka_unit_test(host_is_there_once_and_well_formed),
		cmocka_unit_test(a_length_is_one_number),
		cmocka_unit_test(chunked_is_the_only_coding),
		cmocka_unit_test(the_framing_of_the_body_is_told),
		cmocka_unit_test(bytes_after_the_head_are_not_looked_at),
		cmocka_unit_test(connections_stay_open_by_version_and_choice),
		cmocka_unit_test(fields_that_connection_names_are_marked),
		cmocka_unit_test(connection_cannot_take_framing_and_origin_away),
		cmocka_unit_test(connection_is_a_list_of_a_bounded_number_of_tokens),
		cmocka_unit_test(only_100_continue_can_be_expected),
		cmocka_unit_test(a_long_target_is_told_before_the_head_ends),
		cmocka_unit_test(a_long_head_is_told_with_its_first_byte_too_many),
		cmocka_unit_test(fields_are_counted),
		cmocka_unit_test(every_fault_has_a_text_and_a_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
