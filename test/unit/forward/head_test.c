/* Goal: what concerns one connection stays on it, the rest is passed on byte for byte,
 * what we add says the truth, and no head outgrows the room that is kept for it. */
#include "head_cases.h"

/* Enough room gives the head, too little gives nothing. */
static void check_written(write_head *write, const char *at, const void *how,
			  struct span want)
{
	assert_true(want.len > 0);
	for (size_t room = 0; room < want.len; room += 1 + want.len / 200)
		check_room(write, room, at, how, want);
	check_room(write, want.len - 1, at, how, want);
	check_room(write, want.len, at, how, want);
	check_room(write, want.len + 1, at, how, want);
}

static void check_request(const char *text, const struct head_request *how,
			  const char *want)
{
	read_request(text);
	check_written(write_request, text, how, span_of(want));
	assert_true(strlen(want) <= request_room(how));
}

static void check_response(const char *text, const struct head_response *how,
			   const char *want)
{
	read_response(text, H1_GET);
	check_written(write_response, text, how, span_of(want));
	check_plain(text, how, span_of(want));
	assert_true(strlen(want) - how->lines.len <= head.length + (size_t)HEAD_GROWTH_MAX);
}

/* Nothing added. */
static const struct head_request usual = {
	.host = SPAN("a"), .host_asked = SPAN("a"), .peer = SPAN("192.0.2.7"),
};

static struct head_request adding(unsigned forwarded)
{
	struct head_request how = usual;

	how.forwarded = forwarded;
	return how;
}

#define RESPONSE(...) (&(struct head_response){__VA_ARGS__})

#define GET "GET / HTTP/1.1\r\n"
#define PUT "PUT / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define END "\r\n"

/* ---- requests ---- */

static void fields_of_one_connection_are_dropped(void **unused)
{
	(void)unused;
	check_request(GET HOST "Connection: close\r\nKeep-Alive: timeout=5\r\n"
		      "Proxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\n"
		      "HTTP2-Settings: AAM\r\n" END, &usual, GET HOST END);
	check_request(GET "te:a\r\nX: 1\r\nKEEP-ALIVE:b\r\nY: 2\r\nTe: c\r\n" HOST END,
		      &usual, GET HOST "X: 1\r\nY: 2\r\n" END);
}

static void what_connection_names_is_dropped(void **unused)
{
	(void)unused;
	check_request(GET HOST "X-One: 1\r\nConnection: x-ONE, close\r\nX-Two: 2\r\n"
		      "X-One: 3\r\nConnection: , x-two ,,cookie\r\nCookie: c\r\n"
		      "X: y\r\n" END, &usual, GET HOST "X: y\r\n" END);
	/* No name means a part of another. */
	check_request(GET HOST "Connection: X-On\r\nX-One: 1\r\n" END, &usual,
		      GET HOST "X-One: 1\r\n" END);
}

static void connection_takes_no_framing_and_no_origin_away(void **unused)
{
	(void)unused;
	check_request(PUT HOST "Connection: content-length, host, via\r\n"
		      "Content-Length: 5\r\nVia: 1.1 x\r\n" END, &usual,
		      PUT HOST "Content-Length: 5\r\nVia: 1.1 x\r\n" END);
	check_request(PUT HOST "Connection: Transfer-Encoding, Expect,"
		      " Forwarded, X-Forwarded-For\r\nTransfer-Encoding: Chunked\r\n"
		      "Expect: 100-continue\r\nForwarded: for=x\r\nX-Forwarded-For: y\r\n"
		      END, &usual,
		      PUT HOST "Transfer-Encoding: Chunked\r\n"
		      "Expect: 100-continue\r\nForwarded: for=x\r\nX-Forwarded-For: y\r\n"
		      END);
}

static void the_rest_stays_byte_for_byte_and_in_order(void **unused)
{
#define REST "accept:*/*\r\nX-Empty:\r\nX-Empty: \t \r\nx-SPACED: \t a  b \t\r\n" \
	     "Cookie: a=1; b=\"\xe9\"\r\nCookie: c\r\nTrailer: X\r\nx-h: Host: b\r\n"
	(void)unused;
	check_request(GET HOST REST END, &usual, GET HOST REST END);
	check_request(GET REST HOST END, &usual, GET HOST REST END);
	check_request(GET "TE: a\r\n" REST HOST "TE: b\r\n" REST END, &usual,
		      GET HOST REST REST END);
	check_request(GET HOST END, &usual, GET HOST END);
#undef REST
}

static void host_comes_first_and_once(void **unused)
{
	struct head_request how = usual;

	(void)unused;
	how.host = SPAN("c:81");
	check_request(GET "X: 1\r\nhOST:  b:80 \r\nY: 2\r\n" END, &how,
		      GET "Host: c:81\r\nX: 1\r\nY: 2\r\n" END);
	check_request("GET http://d/ HTTP/1.1\r\nX: 1\r\nHost:\r\n" END, &how,
		      GET "Host: c:81\r\nX: 1\r\n" END);
	check_request("GET / HTTP/1.0\r\nX: 1\r\n" END, &how,
		      GET "Host: c:81\r\nX: 1\r\n" END);
}

static void targets_take_the_form_that_servers_know(void **unused)
{
	static const struct { const char *line, *want; } cases[] = {
		{"GET /a/b?c=/d HTTP/1.1\r\n", "GET /a/b?c=/d HTTP/1.1\r\n"},
		{"GET //a HTTP/1.1\r\n", "GET //a HTTP/1.1\r\n"},
		{"GET http://a/b?c HTTP/1.1\r\n", "GET /b?c HTTP/1.1\r\n"},
		{"GET HTTPS://a:1/ HTTP/1.1\r\n", "GET / HTTP/1.1\r\n"},
		{"GET http://a HTTP/1.1\r\n", "GET / HTTP/1.1\r\n"},
		{"GET http://a?b=/c HTTP/1.1\r\n", "GET /?b=/c HTTP/1.1\r\n"},
		{"OPTIONS * HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n"},
		{"OPTIONS http://a HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n"},
		{"OPTIONS http://a/ HTTP/1.1\r\n", "OPTIONS / HTTP/1.1\r\n"},
		{"OPTIONS http://a?b HTTP/1.1\r\n", "OPTIONS /?b HTTP/1.1\r\n"},
		{"\r\n\r\nPUT /x HTTP/1.1\r\n", "PUT /x HTTP/1.1\r\n"},
		{"BREW /x HTTP/1.0\r\n", "BREW /x HTTP/1.1\r\n"},
		{"GET /x HTTP/1.7\r\n", "GET /x HTTP/1.1\r\n"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[256], want[256];
		snprintf(text, sizeof text, "%s" HOST "X: y\r\n" END, cases[i].line);
		snprintf(want, sizeof want, "%s" HOST "X: y\r\n" END, cases[i].want);
		check_request(text, &usual, want);
	}
}

static void an_old_client_is_owed_no_interim_response(void **unused)
{
	(void)unused;
	check_request("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n"
		      "Content-Length: 1\r\n" END, &usual,
		      PUT HOST "Content-Length: 1\r\n" END);
	check_request(PUT HOST "Expect: 100-continue\r\n" END,
		      &usual, PUT HOST "Expect: 100-continue\r\n" END);
}

static void via_comes_last_and_tells_the_version_received(void **unused)
{
	struct head_request how = adding(FORWARD_VIA);

	(void)unused;
	check_request(GET HOST "Via: 1.0 x\r\nA: b\r\n" END, &how,
		      GET HOST "Via: 1.0 x\r\nA: b\r\nVia: 1.1 balancerd\r\n" END);
	check_request("GET / HTTP/1.0\r\n" END, &how,
		      GET HOST "Via: 1.0 balancerd\r\n" END);
}

static void x_forwarded_is_a_list_of_clients_and_our_word(void **unused)
{
	struct head_request how = adding(FORWARD_X_FORWARDED);

	(void)unused;
	check_request(GET HOST END, &how,
		      GET HOST "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
		      "X-Forwarded-Host: a\r\n" END);
	how.peer = SPAN("2001:db8::1");
	check_request(GET HOST "x-forwarded-for:  1.2.3.4 \r\n"
		      "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n"
		      "X: y\r\nX-Forwarded-For:\r\n"
		      "X-Forwarded-For: 5.6.7.8, ::1\r\n" END,
		      &how,
		      GET HOST "X: y\r\n"
		      "X-Forwarded-For: 1.2.3.4, 5.6.7.8, ::1, 2001:db8::1\r\n"
		      "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n" END);
	how.host_asked = (struct span){NULL, 0};
	check_request("GET / HTTP/1.0\r\n" END, &how,
		      GET HOST "X-Forwarded-For: 2001:db8::1\r\n"
		      "X-Forwarded-Proto: http\r\n" END);
}

static void forwarded_quotes_what_has_colons(void **unused)
{
	struct head_request how = adding(FORWARD_FORWARDED);

	(void)unused;
	check_request(GET HOST END, &how,
		      GET HOST "Forwarded: for=192.0.2.7;host=\"a\";proto=http\r\n" END);
	how.peer = SPAN("2001:db8::1");
	how.host_asked = SPAN("[::1]:8080");
	check_request(GET HOST "forwarded: for=x;by=\"[::2]:1\"\r\nX: y\r\nForwarded:\r\n"
		      "Forwarded: for=z, for=_w\r\n" END,
		      &how,
		      GET HOST "X: y\r\nForwarded: for=x;by=\"[::2]:1\", for=z, for=_w, "
		      "for=\"[2001:db8::1]\";host=\"[::1]:8080\";proto=http\r\n" END);
	how.host_asked = (struct span){NULL, 0};
	check_request("GET / HTTP/1.0\r\n" END, &how,
		      GET HOST "Forwarded: for=\"[2001:db8::1]\";proto=http\r\n" END);
}

static void what_is_not_our_choice_to_add_is_the_clients(void **unused)
{
#define ALL "X-Forwarded-For: x\r\nX-Forwarded-Proto: y\r\nX-Forwarded-Host: z\r\n" \
	    "Forwarded: for=w\r\nVia: 1.1 v\r\n"
	(void)unused;
	check_request(GET HOST ALL END, &usual, GET HOST ALL END);
#undef ALL
}

static void an_upgrade_passes_by_choice_only(void **unused)
{
	const char *text = GET HOST "X: y\r\nConnection: keep-alive, Upgrade, X\r\n"
			   "Upgrade:  websocket \r\nSec-WebSocket-Key: k\r\n" END;
	struct head_request how = adding(FORWARD_VIA);

	(void)unused;
	how.upgrade = true;
	check_request(text, &usual, GET HOST "Sec-WebSocket-Key: k\r\n" END);
	check_request(text, &how,
		      GET HOST "Sec-WebSocket-Key: k\r\nConnection: upgrade\r\n"
		      "Upgrade: websocket\r\nVia: 1.1 balancerd\r\n" END);
}

static void one_protocol_that_is_not_http_may_be_upgraded_to(void **unused)
{
	static const struct { const char *fields; bool may; } cases[] = {
		{"", false},
		{"Upgrade: websocket\r\n", true},
		{"upgrade:WebSocket\r\n", true},
		{"Upgrade: a\r\n", true},
		{"Upgrade: h2\r\n", true},		/* of no meaning without TLS */
		{"Upgrade: h2c\r\n", false},
		{"Upgrade: H2C\r\n", false},
		{"Upgrade: HTTP/2.0\r\n", false},
		{"Upgrade: http\r\n", false},
		{"Upgrade:\r\n", false},
		{"Upgrade: websocket, h2c\r\n", false},
		{"Upgrade: ,websocket\r\n", false},
		{"Upgrade: websocket\r\nUpgrade: h2c\r\n", false},
		{"Upgrade: websocket\r\nUpgrade: websocket\r\n", false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[256];
		snprintf(text, sizeof text, GET HOST "Connection: upgrade\r\n%s" END,
			 cases[i].fields);
		read_request(text);
		if (head_upgrade_may_pass(&head, text) != cases[i].may)
			fail_msg("%s", cases[i].fields);
	}
}

/* ---- responses ---- */

static void a_response_keeps_its_reason_but_not_its_version(void **unused)
{
	static const struct { const char *line, *want; } cases[] = {
		{"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n"},
		{"HTTP/1.0 404 Nowhere, \xe9 \r\n", "HTTP/1.1 404 Nowhere, \xe9 \r\n"},
		{"HTTP/1.9 599 \r\n", "HTTP/1.1 599 \r\n"},
		{"HTTP/1.1 200\r\n", "HTTP/1.1 200\r\n"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[128], want[128];
		snprintf(text, sizeof text, "%sx: Y\r\n" END, cases[i].line);
		snprintf(want, sizeof want, "%sx: Y\r\n" END, cases[i].want);
		check_response(text, RESPONSE(0), want);
	}
}

static void a_response_leaves_its_connection_behind(void **unused)
{
	(void)unused;
	check_response(OK "Connection: close, x-one\r\nServer: s\r\nX-One: 1\r\n"
		       "Keep-Alive: timeout=5\r\nUpgrade: h2c\r\nX-Two: 2\r\n"
		       "Proxy-Connection: close\r\nTE: x\r\n" END,
		       RESPONSE(0), OK "Server: s\r\nX-Two: 2\r\n" END);
	check_response(OK "Connection: content-length, date\r\nDate: d\r\n"
		       "Content-Length: 3\r\n" END,
		       RESPONSE(0), OK "Content-Length: 3\r\n" END);
}

static void what_the_client_has_to_know_comes_last(void **unused)
{
	(void)unused;
	check_response(OK "Content-Length: 0\r\n" END, RESPONSE(.close = true),
		       OK "Content-Length: 0\r\nConnection: close\r\n" END);
	check_response("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n"
		       "Connection: close\r\n" END, RESPONSE(.keep_alive = true),
		       OK "Content-Length: 0\r\nConnection: keep-alive\r\n" END);
	check_response(OK "A: b\r\n" END, RESPONSE(.chunked_added = true),
		       OK "A: b\r\nTransfer-Encoding: chunked\r\n" END);
	check_response(OK "A: b\r\n" END, RESPONSE(.chunked_added = true, .close = true),
		       OK "A: b\r\nTransfer-Encoding: chunked\r\n"
		       "Connection: close\r\n" END);
}

static void lines_to_add_follow_what_came(void **unused)
{
	(void)unused;
	check_response(OK "A: b\r\n" END, RESPONSE(.lines = SPAN("Set-Cookie: c=d\r\n")),
		       OK "A: b\r\nSet-Cookie: c=d\r\n" END);
	check_response(OK END, RESPONSE(.lines = SPAN("C: d\r\nE: f\r\n"), .close = true),
		       OK "Connection: close\r\nC: d\r\nE: f\r\n" END);
}

static void what_has_no_body_has_no_framing(void **unused)
{
	static const char *const without[] = {
		"HTTP/1.1 100 Continue\r\n", "HTTP/1.1 103 Early Hints\r\n",
		"HTTP/1.1 204 No Content\r\n",
	};
	static const char *const with[] = {
		"HTTP/1.1 200 OK\r\n", "HTTP/1.1 205 Reset\r\n", "HTTP/1.1 304 Same\r\n",
	};
	static const char *const framing[] = {
		"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
	};
	char text[256], want[256];

	(void)unused;
	for (size_t i = 0; i < 3 * COUNT_OF(framing); i++) {
		const char *field = framing[i / 3];
		snprintf(text, sizeof text, "%sA: b\r\n%s" END, without[i % 3], field);
		snprintf(want, sizeof want, "%sA: b\r\n" END, without[i % 3]);
		check_response(text, RESPONSE(0), want);
		snprintf(text, sizeof text, "%sA: b\r\n%s" END, with[i % 3], field);
		check_response(text, RESPONSE(0), text);
	}
}

static void a_body_without_chunks_announces_none(void **unused)
{
	(void)unused;
	check_response(OK "Transfer-Encoding: chunked\r\nTrailer: X\r\nA: b\r\n" END,
		       RESPONSE(.coding_dropped = true, .close = true),
		       OK "A: b\r\nConnection: close\r\n" END);
	check_response(OK "Content-Length: 5\r\n" END, RESPONSE(.coding_dropped = true),
		       OK "Content-Length: 5\r\n" END);
}

static void switching_names_the_new_protocol(void **unused)
{
	(void)unused;
	check_response("HTTP/1.1 101 Go\r\nupgrade:websocket\r\nConnection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: k\r\nContent-Length: 7\r\n" END,
		       RESPONSE(.upgrade = true),
		       "HTTP/1.1 101 Go\r\nSec-WebSocket-Accept: k\r\n"
		       "Connection: upgrade\r\nUpgrade: websocket\r\n" END);
}

static void plain_means_the_same_bytes_but_for_the_version(void **unused)
{
	static const struct { const char *text; struct head_response how; bool plain; }
	cases[] = {
		{OK END, {0}, true},
		{OK "Content-Length: 5\r\nServer: s\r\n" END, {0}, true},
		{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n" END, {0}, true},
		{"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n" END, {0}, true},
		{OK "Transfer-Encoding: chunked\r\nTrailer: X\r\n" END, {0}, true},
		{OK "Content-Length: 5\r\n" END, {.coding_dropped = true}, true},
		{OK "Transfer-Encoding: chunked\r\n" END,
		 {.coding_dropped = true}, false},
		{OK "Trailer: X\r\n" END, {.coding_dropped = true}, false},
		{OK "Connection: keep-alive\r\n" END, {0}, false},
		{OK "Keep-Alive: timeout=5\r\n" END, {0}, false},
		{OK "Upgrade: x\r\n" END, {0}, false},
		{"HTTP/1.1 204 None\r\nContent-Length: 0\r\n" END, {0}, false},
		{OK END, {.close = true}, false},
		{OK END, {.keep_alive = true}, false},
		{OK END, {.chunked_added = true}, false},
		{OK END, {.upgrade = true}, false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		read_response(cases[i].text, H1_GET);
		if (head_response_is_plain(&head, &cases[i].how) != cases[i].plain)
			fail_msg("case %zu: %s", i, cases[i].text);
	}
}

/* ---- the worst case ---- */

static void no_head_outgrows_its_room(void **unused)
{
	static char text[20000], host[4001], out[40000];
	static const char *const starts[] = {"GET http://", "OPTIONS http://"};

	(void)unused;
	memset(host, 'h', sizeof host - 1);
	for (size_t i = 0; i < 2 * COUNT_OF(starts); i++) {
		/* All that can be added, little that can be dropped. */
		int len = snprintf(text, sizeof text, "%s%s%s HTTP/1.1\r\nHost:\r\n"
				   "Upgrade:u\r\nConnection:upgrade\r\n"
				   "X-Forwarded-For:1\r\nX-Forwarded-For:2\r\n"
				   "Forwarded:3\r\nForwarded:4\r\n\r\n",
				   starts[i % 2], host, i < 2 ? "" : "?");
		assert_true(len > 0 && (size_t)len < sizeof text);
		struct head_request how = {
			.host = span_of(host), .host_asked = span_of(host),
			.peer = SPAN("1111:2222:3333:4444:5555:6666:255.255.255.255"),
			.forwarded = FORWARD_VIA | FORWARD_X_FORWARDED |
				     FORWARD_FORWARDED,
			.upgrade = true,
		};
		read_request(text);
		size_t room = request_room(&how);
		assert_true(room <= sizeof out);
		size_t written = head_write_request(out, room, &head, text, &how);
		assert_true(written > 0 && written <= room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_one_connection_are_dropped),
		cmocka_unit_test(what_connection_names_is_dropped),
		cmocka_unit_test(connection_takes_no_framing_and_no_origin_away),
		cmocka_unit_test(the_rest_stays_byte_for_byte_and_in_order),
		cmocka_unit_test(host_comes_first_and_once),
		cmocka_unit_test(targets_take_the_form_that_servers_know),
		cmocka_unit_test(an_old_client_is_owed_no_interim_response),
		cmocka_unit_test(via_comes_last_and_tells_the_version_received),
		cmocka_unit_test(x_forwarded_is_a_list_of_clients_and_our_word),
		cmocka_unit_test(forwarded_quotes_what_has_colons),
		cmocka_unit_test(what_is_not_our_choice_to_add_is_the_clients),
		cmocka_unit_test(an_upgrade_passes_by_choice_only),
		cmocka_unit_test(one_protocol_that_is_not_http_may_be_upgraded_to),
		cmocka_unit_test(a_response_keeps_its_reason_but_not_its_version),
		cmocka_unit_test(a_response_leaves_its_connection_behind),
		cmocka_unit_test(what_the_client_has_to_know_comes_last),
		cmocka_unit_test(lines_to_add_follow_what_came),
		cmocka_unit_test(what_has_no_body_has_no_framing),
		cmocka_unit_test(a_body_without_chunks_announces_none),
		cmocka_unit_test(switching_names_the_new_protocol),
		cmocka_unit_test(plain_means_the_same_bytes_but_for_the_version),
		cmocka_unit_test(no_head_outgrows_its_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
