/* Goal: a range of addresses is the one that is written, and is written in one way. */
#include "unit/config/read.h"

#include "config/peers.h"

static void reads_as(const char *word, const char *shown, unsigned bits)
{
	struct model_peers peers;
	struct err err;

	assert_int_equal(peers_read(word, &peers, &err), 0);
	assert_int_equal(peers.bits, bits);
	assert_string_equal(peers_text(&peers).text, shown);
}

static void refuses(const char *word, const char *reason)
{
	struct model_peers peers = {.bits = 77};
	struct err err;

	assert_int_equal(peers_read(word, &peers, &err), -1);
	assert_string_equal(err.text, reason);
	assert_int_equal(peers.bits, 77);
}

static void an_address_alone_is_itself(void **unused)
{
	(void)unused;
	reads_as("192.0.2.1", "192.0.2.1", 128);
	reads_as("192.0.2.1/32", "192.0.2.1", 128);
	reads_as("::1", "::1", 128);
	reads_as("2001:DB8:0:0::1/128", "2001:db8::1", 128);
}

static void leading_bits_make_a_range(void **unused)
{
	(void)unused;
	reads_as("10.0.0.0/8", "10.0.0.0/8", 104);
	reads_as("10.128.0.0/9", "10.128.0.0/9", 105);
	reads_as("0.0.0.0/0", "0.0.0.0/0", 96);
	reads_as("fd00::/8", "fd00::/8", 8);
	reads_as("fe80::/10", "fe80::/10", 10);
	reads_as("::/0", "::/0", 0);
}

static void ip4_stands_within_ip6(void **unused)
{
	(void)unused;
	struct model_peers four, six;
	struct err err;

	assert_int_equal(peers_read("10.1.0.0/16", &four, &err), 0);
	assert_int_equal(peers_read("::ffff:10.1.0.0/112", &six, &err), 0);
	assert_memory_equal(&four, &six, sizeof four);
	reads_as("::ffff:0:0/96", "0.0.0.0/0", 96);
	reads_as("::/95", "::/95", 95);
}

static void a_range_ends_where_it_says(void **unused)
{
	(void)unused;
	refuses("10.0.0.1/8",
		"\"10.0.0.1/8\" has more bits than the 8 that count; write 10.0.0.0/8 for "
		"the range, or 10.0.0.1 for this address alone");
	refuses("10.192.0.0/9",
		"\"10.192.0.0/9\" has more bits than the 9 that count; write 10.128.0.0/9 "
		"for the range, or 10.192.0.0 for this address alone");
	refuses("fd00::1/8",
		"\"fd00::1/8\" has more bits than the 8 that count; write fd00::/8 for "
		"the range, or fd00::1 for this address alone");
}

static void what_is_no_range_is_refused(void **unused)
{
	(void)unused;
	static const char *const words[] = {"", "/", "/8", "10.0.0", "proxy", "[::1]",
					    "10.0.0.0:80", "1:2", "*"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		char reason[256];
		snprintf(reason, sizeof reason,
			 "\"%s\" is no range of addresses; expected one like 10.0.0.0/8, "
			 "fd00::/8 or 192.0.2.1", words[i]);
		refuses(words[i], reason);
	}
	refuses("10.0.0.0/33", "\"10.0.0.0/33\" has no number of bits from 0 to 32 behind "
			       "its \"/\"");
	refuses("10.0.0.0/", "\"10.0.0.0/\" has no number of bits from 0 to 32 behind "
			     "its \"/\"");
	refuses("::/129", "\"::/129\" has no number of bits from 0 to 128 behind its "
			  "\"/\"");
	refuses("::/-1", "\"::/-1\" has no number of bits from 0 to 128 behind its \"/\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_alone_is_itself),
		cmocka_unit_test(leading_bits_make_a_range),
		cmocka_unit_test(ip4_stands_within_ip6),
		cmocka_unit_test(a_range_ends_where_it_says),
		cmocka_unit_test(what_is_no_range_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
