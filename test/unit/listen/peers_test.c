/* Goal: who is trusted is who is in a range, however the address is written. */
#include "listen/peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct model_peers ranges[2];
static struct model_listener listener = {.proxy_peers = ranges};

static bool trusts(const char *peer)
{
	struct address a;
	struct err err;

	assert_int_equal(address_parse(&a, peer, "127.0.0.1", &err), 0);
	return peers_trust(&listener, &a.any);
}

static void add(const char *network, uint8_t bits)
{
	struct address a;
	struct err err;
	struct model_peers *range = &ranges[listener.proxy_peer_count++];

	assert_int_equal(address_parse(&a, network, "127.0.0.1", &err), 0);
	memcpy(range->bytes, &a.in6.sin6_addr, 16);
	range->bits = bits;
}

static int clear(void **unused)
{
	(void)unused;
	listener.proxy_peer_count = 0;
	return 0;
}

static void ranges_end_at_their_last_bit(void **unused)
{
	(void)unused;
	add("[::ffff:10.1.192.0]:1", 96 + 18);
	assert_true(trusts("10.1.192.0:1"));
	assert_true(trusts("10.1.255.255:1"));
	assert_false(trusts("10.1.191.255:1"));
	assert_false(trusts("10.2.192.0:1"));

	add("[2001:db8::]:1", 32);
	assert_true(trusts("[2001:db8:ffff::1]:1"));
	assert_false(trusts("[2001:db9::1]:1"));
}

static void an_address_may_be_written_either_way(void **unused)
{
	(void)unused;
	add("[::ffff:127.0.0.1]:1", 128);
	assert_true(trusts("127.0.0.1:1"));
	assert_true(trusts("[::ffff:127.0.0.1]:1"));
	assert_false(trusts("127.0.0.2:1"));
	assert_false(trusts("[::1]:1"));
}

static void no_bits_are_everybody_and_no_ranges_nobody(void **unused)
{
	(void)unused;
	assert_false(trusts("127.0.0.1:1"));
	add("[::]:1", 0);
	assert_true(trusts("127.0.0.1:1"));
	assert_true(trusts("[2001:db8::1]:1"));
	assert_false(trusts("unix:/run/app.sock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ranges_end_at_their_last_bit, clear),
		cmocka_unit_test_setup(an_address_may_be_written_either_way, clear),
		cmocka_unit_test_setup(no_bits_are_everybody_and_no_ranges_nobody, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
