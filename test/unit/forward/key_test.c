/* Goal: whoever should share a server has one key, on every balancer and for ever; a
 * request's key is the value that the pool names and nothing else of the request. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"
#include "forward/key.h"

static const struct h1_limits limits = {
	.head_max = 32768, .target_max = 8192, .fields_max = 200,
};
static struct h1_head head;

/* ---- of a client ---- */

static uint64_t key_of_text(const char *host, uint16_t port, enum key_kind kind)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (inet_pton(AF_INET, host, &in4.sin_addr) == 1)
		return key_of_peer((const struct sockaddr *)&in4, kind);
	assert_int_equal(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
	return key_of_peer((const struct sockaddr *)&in6, kind);
}

static void the_port_counts_only_where_it_should(void **unused)
{
	(void)unused;
	for (unsigned port = 1; port < 65535; port += 127) {
		uint16_t p = (uint16_t)port;
		assert_int_equal(key_of_text("192.0.2.1", p, KEY_ADDRESS),
				 key_of_text("192.0.2.1", 65535, KEY_ADDRESS));
		assert_int_not_equal(key_of_text("192.0.2.1", p, KEY_ADDRESS_PORT),
				     key_of_text("192.0.2.1", 65535, KEY_ADDRESS_PORT));
		assert_int_not_equal(key_of_text("2001:db8::1", p, KEY_ADDRESS_PORT),
				     key_of_text("2001:db8::1", 65535, KEY_ADDRESS_PORT));
	}
}

static void clients_of_different_addresses_have_different_keys(void **unused)
{
	static const char *const hosts[] = {
		"192.0.2.1", "192.0.2.2", "2.1.192.0", "2001:db8::1", "2001:db8:1::",
		"::1", "::192.0.2.1", "127.0.0.1",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(key_of_text(hosts[i], 80, KEY_ADDRESS),
					     key_of_text(hosts[k], 80, KEY_ADDRESS));
}

static void an_ip4_address_has_one_key_in_both_families(void **unused)
{
	(void)unused;
	for (enum key_kind kind = KEY_ADDRESS; kind <= KEY_QUERY; kind++)
		assert_int_equal(key_of_text("192.0.2.1", 8080, kind),
				 key_of_text("::ffff:192.0.2.1", 8080, kind));
}

static void all_clients_of_a_unix_socket_have_one_key(void **unused)
{
	struct sockaddr_storage a, b;

	(void)unused;
	memset(&a, 0x11, sizeof a);
	memset(&b, 0x22, sizeof b);
	a.ss_family = b.ss_family = AF_UNIX;
	for (enum key_kind kind = KEY_ADDRESS; kind <= KEY_ADDRESS_PORT; kind++)
		assert_int_equal(key_of_peer((const struct sockaddr *)&a, kind),
				 key_of_peer((const struct sockaddr *)&b, kind));
}

/* Else a new version would send every client to another server. */
static void keys_never_change(void **unused)
{
	(void)unused;
	assert_int_equal(key_of_text("192.0.2.1", 8080, KEY_ADDRESS),
			 UINT64_C(0x9fe280675064061a));
	assert_int_equal(key_of_text("192.0.2.1", 8080, KEY_ADDRESS_PORT),
			 UINT64_C(0x6cfcb6224e4e2368));
	assert_int_equal(key_of_text("2001:db8::1", 8080, KEY_ADDRESS),
			 UINT64_C(0x275c8fa58c2d19a0));
}

/* ---- of a request ---- */

enum { ADDRESS_KEY = 4711, PORT = 4712 };

static struct model_pool pool_by(enum key_kind kind, const char *name)
{
	return (struct model_pool){.key = kind, .key_name = (char *)(uintptr_t)name};
}

static void read_request(const char *text)
{
	if (h1_parse_request(&head, text, strlen(text), 0, &limits) != H1_DONE)
		fail_msg("%s: %s", h1_fault_text(head.fault), text);
}

/* The request has this value, or (NULL) none; the key follows from that alone. */
static void check(const struct model_pool *pool, const char *text, const char *want)
{
	struct span value = {0};

	read_request(text);
	bool found = key_find(pool, &head, text, &value);
	if (found != (want != NULL))
		fail_msg("%s: %s", text, found ? "found" : "not found");
	if (found && !span_equals(value, span_of(want)))
		fail_msg("%s: %.*s", text, (int)value.len, value.at);
	assert_int_equal(key_of_request(pool, &head, text, ADDRESS_KEY, PORT),
			 found ? hash_bytes(want, strlen(want)) : ADDRESS_KEY);
}

/* With these field lines. */
static void check_fields(const struct model_pool *pool, const char *lines,
			 const char *want)
{
	char text[1024];

	snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);
	check(pool, text, want);
}

static void check_target(const struct model_pool *pool, const char *target,
			 const char *want)
{
	char text[1024];

	snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	check(pool, text, want);
}

static void an_address_is_no_part_of_a_request(void **unused)
{
	struct model_pool by_address = pool_by(KEY_ADDRESS, NULL);
	struct model_pool by_port = pool_by(KEY_ADDRESS_PORT, NULL);
	struct span value;

	(void)unused;
	check_target(&by_address, "/a?b", NULL);
	assert_false(key_find(&by_port, &head, "", &value));
	assert_int_equal(key_of_request(&by_port, &head, "", ADDRESS_KEY, PORT),
			 key_with_port(ADDRESS_KEY, PORT));
}

/* TCP and HTTP pools send a client to the same server. */
static void a_request_has_the_key_of_its_client(void **unused)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(8080),
				  .sin_addr = {htonl(0xc0000201)}};
	const struct sockaddr *peer = (const struct sockaddr *)&in4;
	uint64_t kept = key_of_peer(peer, KEY_ADDRESS);

	(void)unused;
	for (enum key_kind kind = KEY_ADDRESS; kind <= KEY_ADDRESS_PORT; kind++) {
		struct model_pool pool = pool_by(kind, NULL);
		uint64_t key = key_of_request(&pool, &head, "", kept, key_port_of(peer));
		assert_int_equal(key, key_of_peer(peer, kind));
	}
}

static void a_header_is_found_in_any_case_and_the_first_counts(void **unused)
{
	struct model_pool pool = pool_by(KEY_HEADER, "X-User");

	(void)unused;
	check_fields(&pool, "X-User: ann\r\n", "ann");
	check_fields(&pool, "x-uSER: \t ann b\t \r\n", "ann b");
	check_fields(&pool, "X-Use: 1\r\nX-Users: 2\r\nX-User: ann\r\n", "ann");
	check_fields(&pool, "X-User: ann\r\nX-User: bob\r\n", "ann");
	check_fields(&pool, "X-User: Ann\r\n", "Ann");
	check_fields(&pool, "", NULL);
	check_fields(&pool, "X-User:\r\n", NULL);
	check_fields(&pool, "X-User:\r\nX-User: bob\r\n", NULL);
}

static void fields_that_the_parser_knows_are_headers_too(void **unused)
{
	struct model_pool by_host = pool_by(KEY_HEADER, "host");
	struct model_pool by_client = pool_by(KEY_HEADER, "X-Forwarded-For");

	(void)unused;
	check_fields(&by_host, "", "a");
	check_fields(&by_client, "X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n",
		     "192.0.2.1, 192.0.2.2");
}

static void a_cookie_is_found_by_its_name(void **unused)
{
	struct model_pool pool = pool_by(KEY_COOKIE, "id");

	(void)unused;
	check_fields(&pool, "Cookie: a=1; id=2; b=3\r\n", "2");
	check_fields(&pool, "Cookie: a=1\r\nCookie: id=2\r\n", "2");
	check_fields(&pool, "Cookie: ID=1\r\n", NULL);
	check_fields(&pool, "Cookie: id=\r\n", NULL);
	check_fields(&pool, "id: 1\r\n", NULL);
}

static void a_path_ends_at_its_query(void **unused)
{
	struct model_pool pool = pool_by(KEY_PATH, NULL);

	(void)unused;
	check_target(&pool, "/", "/");
	check_target(&pool, "/a/b", "/a/b");
	check_target(&pool, "/a/b?c=/d", "/a/b");
	check_target(&pool, "/a/?", "/a/");
	check_target(&pool, "/%61", "/%61");
	check_target(&pool, "/?/a", "/");
}

static void an_absolute_target_has_a_path_always(void **unused)
{
	struct model_pool pool = pool_by(KEY_PATH, NULL);

	(void)unused;
	check_target(&pool, "http://a/b?c", "/b");
	check_target(&pool, "http://a", "/");
	check_target(&pool, "http://a?b=/c", "/");
}

static void a_target_that_is_none_has_no_path(void **unused)
{
	struct model_pool by_path = pool_by(KEY_PATH, NULL);
	struct model_pool by_query = pool_by(KEY_QUERY, "a");

	(void)unused;
	check(&by_path, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", NULL);
	check(&by_query, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", NULL);
	check(&by_path, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", NULL);
}

static void an_argument_is_found_by_its_whole_name(void **unused)
{
	struct model_pool pool = pool_by(KEY_QUERY, "id");

	(void)unused;
	check_target(&pool, "/?id=1", "1");
	check_target(&pool, "/?a=1&id=2&b=3", "2");
	check_target(&pool, "/?id=1&id=2", "1");
	check_target(&pool, "/?&&id=1&", "1");
	check_target(&pool, "http://a?id=1", "1");
	check_target(&pool, "/?i=1&idx=2&xid=3&ID=4", NULL);
	check_target(&pool, "/id=1", NULL);
	check_target(&pool, "/", NULL);
	check_target(&pool, "/?", NULL);
	check_target(&pool, "/?id", NULL);
	check_target(&pool, "/?id=", NULL);
	check_target(&pool, "/?id=&a=1", NULL);
}

static void an_arguments_value_is_taken_as_it_stands(void **unused)
{
	struct model_pool pool = pool_by(KEY_QUERY, "id");

	(void)unused;
	check_target(&pool, "/?id=%41+b", "%41+b");
	check_target(&pool, "/?id=a=b?c/d;e", "a=b?c/d;e");
	check_target(&pool, "/?%69d=1", NULL);
}

/* Whatever else is in the head. */
static void equal_values_have_equal_keys(void **unused)
{
	static const char *const texts[] = {
		"GET /x?id=7 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST http://b/y?z&id=7&q HTTP/1.1\r\nHost: a\r\nX-Id: 8\r\n\r\n",
		"HEAD /?a&id=7 HTTP/1.0\r\nX-Id: 8\r\nCookie: id=9\r\n\r\n",
	};
	struct model_pool pool = pool_by(KEY_QUERY, "id");

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		check(&pool, texts[i], "7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_port_counts_only_where_it_should),
		cmocka_unit_test(clients_of_different_addresses_have_different_keys),
		cmocka_unit_test(an_ip4_address_has_one_key_in_both_families),
		cmocka_unit_test(all_clients_of_a_unix_socket_have_one_key),
		cmocka_unit_test(keys_never_change),
		cmocka_unit_test(an_address_is_no_part_of_a_request),
		cmocka_unit_test(a_request_has_the_key_of_its_client),
		cmocka_unit_test(a_header_is_found_in_any_case_and_the_first_counts),
		cmocka_unit_test(fields_that_the_parser_knows_are_headers_too),
		cmocka_unit_test(a_cookie_is_found_by_its_name),
		cmocka_unit_test(a_path_ends_at_its_query),
		cmocka_unit_test(an_absolute_target_has_a_path_always),
		cmocka_unit_test(a_target_that_is_none_has_no_path),
		cmocka_unit_test(an_argument_is_found_by_its_whole_name),
		cmocka_unit_test(an_arguments_value_is_taken_as_it_stands),
		cmocka_unit_test(equal_values_have_equal_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
