/* Goal: each form means what the header says, and a bad one says what is wrong. */
#include "base/address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

static const char *const long_host =
	"a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g23456789."
	"h23456789.i23456789.j23456789.k23456789.l23456789.m23456789.n23456789."
	"o23456789.p23456789.q23456789.r23456789.s23456789.t23456789.u23456789."
	"v23456789.w23456789.x23456789.y23456789.z23";

static void good_forms_are_understood(void **unused)
{
	static const struct {
		const char *given, *host, *text;
		int family;		/* 0: a name */
		uint16_t port;
	} forms[] = {
		{"8080", "127.0.0.1", "127.0.0.1:8080", AF_INET, 8080},
		{"8080", "::", "[::]:8080", AF_INET6, 8080},
		{"8080", "localhost", "localhost:8080", 0, 0},
		{":8080", "0.0.0.0", "0.0.0.0:8080", AF_INET, 8080},
		{":1", "::", "[::]:1", AF_INET6, 1},
		{"127.0.0.1:65535", "0.0.0.0", "127.0.0.1:65535", AF_INET, 65535},
		{"[::1]:80", "0.0.0.0", "[::1]:80", AF_INET6, 80},
		{"[2001:db8::1]:443", "", "[2001:db8::1]:443", AF_INET6, 443},
		{"localhost:80", "", "localhost:80", 0, 0},
		{"db_1.in-net.example:5432", "", "db_1.in-net.example:5432", 0, 0},
		{"unix:/run/app.sock", "", "unix:/run/app.sock", AF_UNIX, 0},
		{"unix:app.sock", "", "unix:app.sock", AF_UNIX, 0},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct address a;
		struct err err;
		if (address_parse(&a, forms[i].given, forms[i].host, &err) != 0)
			fail_msg("%s: %s", forms[i].given, err.text);
		assert_string_equal(a.text, forms[i].text);
		assert_int_equal(a.len > 0, forms[i].family != 0);
		if (a.len > 0)
			assert_int_equal(a.any.sa_family, forms[i].family);
		assert_int_equal(address_port(&a), forms[i].port);
	}
}

static void bad_forms_are_refused_with_their_fault(void **unused)
{
	static const struct {
		const char *given, *fault;
	} forms[] = {
		{"", "port"}, {"web", "port"}, {"web:", "port"}, {"web:http", "port"},
		{"0", "port"}, {":0", "port"}, {"65536", "port"}, {"web:65536", "port"},
		{"-1", "port"}, {"+80", "port"}, {"80 ", "port"}, {" 80", "port"},
		{"99999999999999999999", "port"}, {"127.0.0.1", "port"},
		{"[::1]", "port"},
		{"0x50", "port"}, {"1e3", "port"}, {"127.0.0.1:80:", "port"},
		{"::1:80", "brackets"}, {"2001:db8::1:80", "brackets"},
		{"a:b:80", "brackets"},
		{"[::1:80", "]"}, {"[::1]x:80", "]"}, {"[:80", "]"},
		{"[]:80", "IPv6"}, {"[localhost]:80", "IPv6"}, {"[127.0.0.1]:80", "IPv6"},
		{"[::g]:80", "host"}, {"[::1%lo]:80", "host"}, {"[[::1]]:80", "host"},
		{"::1]:80", "brackets"}, {"::]:80", "brackets"},
		{"we b:80", "host"}, {"http//web:80", "host"}, {"web/:80", "host"},
		{"b\303\274cher:80", "host"}, {"*:80", "host"}, {"user@web:80", "host"},
		{"unix:", "path"}, {"unix:a\nb", "path"}, {"unix:\xff", "path"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct address a, before;
		struct err err = {{0}};
		memset(&a, 0x5a, sizeof a);
		before = a;
		if (address_parse(&a, forms[i].given, "127.0.0.1", &err) != -1)
			fail_msg("\"%s\" is taken for \"%s\"", forms[i].given, a.text);
		if (strstr(err.text, forms[i].fault) == NULL)
			fail_msg("\"%s\": %s", forms[i].given, err.text);
		assert_memory_equal(&a, &before, sizeof a);
	}
}

static void lengths_have_their_bounds(void **unused)
{
	char text[600];
	struct address a;
	struct err err;

	(void)unused;
	assert_int_equal(strlen(long_host), ADDRESS_HOST_MAX);
	snprintf(text, sizeof text, "%s:65535", long_host);
	assert_int_equal(address_parse(&a, text, "", &err), 0);
	assert_string_equal(a.text, text);
	snprintf(text, sizeof text, "x%s:80", long_host);
	assert_int_equal(address_parse(&a, text, "", &err), -1);
	assert_non_null(strstr(err.text, "253"));

	snprintf(text, sizeof text, "unix:/%0106d", 0);
	assert_int_equal(address_parse(&a, text, "", &err), 0);
	assert_string_equal(a.un.sun_path, text + 5);
	snprintf(text, sizeof text, "unix:/%0107d", 0);
	assert_int_equal(address_parse(&a, text, "", &err), -1);
	assert_non_null(strstr(err.text, "107"));
}

static void a_text_splits_into_host_and_port(void **unused)
{
	static const struct {
		const char *given, *host;
		uint16_t port;
	} forms[] = {
		{"localhost:80", "localhost", 80}, {"8080", "127.0.0.1", 8080},
		{"[2001:db8::1]:443", "2001:db8::1", 443},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		char host[ADDRESS_HOST_MAX + 1];
		struct address a;
		struct err err;
		uint16_t port;
		assert_int_equal(address_parse(&a, forms[i].given, "127.0.0.1", &err), 0);
		address_split(&a, host, &port);
		assert_string_equal(host, forms[i].host);
		assert_int_equal(port, forms[i].port);
	}
}

static void a_formatted_address_parses_to_itself(void **unused)
{
	static const char *const forms[] = {
		"0.0.0.0:1", "255.255.255.255:65535", "10.200.30.4:80", "[::]:80",
		"[2001:db8::1:0:0:1]:80", "[fe80::1]:8080", "unix:/run/app.sock",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct address a;
		struct err err;
		assert_int_equal(address_parse(&a, forms[i], "", &err), 0);
		memset(a.text, 'x', sizeof a.text);
		address_format(&a);
		assert_string_equal(a.text, forms[i]);
	}
}

static void the_text_of_an_ip4_address_is_as_the_library_has_it(void **unused)
{
	char ours[INET6_ADDRSTRLEN], theirs[INET6_ADDRSTRLEN];
	uint32_t seed = 1;

	(void)unused;
	for (int n = 0; n < 20000; n++) {
		seed = seed * 1664525 + 1013904223;
		struct sockaddr_in in = {.sin_family = AF_INET};
		in.sin_addr.s_addr = n % 2 ? seed : seed & 0x0f630a09;
		const struct sockaddr *peer = (const void *)&in;
		size_t len = address_host_text(peer, ours);
		inet_ntop(AF_INET, &in.sin_addr, theirs, sizeof theirs);
		assert_string_equal(ours, theirs);
		assert_int_equal(len, strlen(theirs));
	}
}

static void a_peer_has_a_text_without_its_port(void **unused)
{
	static const struct {
		const char *peer, *text;
	} peers[] = {
		{"[2001:db8::1]:443", "2001:db8::1"},
		{"[::ffff:192.0.2.1]:80", "192.0.2.1"},
		{"192.0.2.1:80", "192.0.2.1"}, {"unix:/run/app.sock", "unix"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(peers); i++) {
		char text[INET6_ADDRSTRLEN];
		struct address a;
		struct err err;
		assert_int_equal(address_parse(&a, peers[i].peer, "", &err), 0);
		assert_int_equal(address_host_text(&a.any, text), strlen(peers[i].text));
		assert_string_equal(text, peers[i].text);
	}
}

static void the_same_place_may_be_written_in_many_ways(void **unused)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		{"8080", "127.0.0.1:8080", true}, {":8080", "127.0.0.1:08080", true},
		{"[::1]:80", "[0:0:0:0:0:0:0:1]:80", true},
		{"[2001:DB8::1]:80", "[2001:db8::1]:80", true},
		{"App1:80", "app1:80", true}, {"unix:/a", "unix:/a", true},
		{"127.0.0.1:80", "127.0.0.1:81", false},
		{"127.0.0.1:80", "127.0.0.2:80", false},
		{"127.0.0.1:80", "[::1]:80", false}, {"app1:80", "app2:80", false},
		{"app1:80", "app1:81", false}, {"localhost:80", "127.0.0.1:80", false},
		{"unix:/a", "unix:/A", false}, {"unix:/a", "unix:/ab", false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct address a, b;
		struct err err;
		assert_int_equal(address_parse(&a, pairs[i].a, "127.0.0.1", &err), 0);
		assert_int_equal(address_parse(&b, pairs[i].b, "127.0.0.1", &err), 0);
		assert_int_equal(address_equals(&a, &b), pairs[i].same);
		assert_int_equal(address_equals(&b, &a), pairs[i].same);
		assert_int_equal(address_hash(&b) == address_hash(&a), pairs[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_forms_are_understood),
		cmocka_unit_test(bad_forms_are_refused_with_their_fault),
		cmocka_unit_test(lengths_have_their_bounds),
		cmocka_unit_test(a_text_splits_into_host_and_port),
		cmocka_unit_test(a_formatted_address_parses_to_itself),
		cmocka_unit_test(the_text_of_an_ip4_address_is_as_the_library_has_it),
		cmocka_unit_test(a_peer_has_a_text_without_its_port),
		cmocka_unit_test(the_same_place_may_be_written_in_many_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
