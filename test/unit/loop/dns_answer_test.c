/* Goal: records are read as they stand, whatever stands between them, and a message that is
 * cut, or points into itself, is refused as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "loop/dns_answer.h"

/* A header of one question and so many answers, and the question: s.test, SRV. */
#define HEAD(answers) "\x12\x34\x84\x00\x00\x01\x00" answers "\x00\x00\x00\x00"         \
		      "\x01s\x04test\x00\x00\x21\x00\x01"
/* A record's name is the question's; type SRV, class IN. */
#define SRV_OF(ttl, size) "\xc0\x0c\x00\x21\x00\x01" ttl "\x00" size
#define TTL_60 "\x00\x00\x00\x3c"
#define TTL_5  "\x00\x00\x00\x05"
/* Priority 1, weight 2, port 80; a.test, of which the last label is the question's. */
#define A_TEST "\x00\x01\x00\x02\x00\x50\x01" "a\xc0\x0e"

static const char one[] = HEAD("\x01") SRV_OF(TTL_60, "\x0a") A_TEST;

static struct dns_srv_answer read(const char *bytes, size_t len)
{
	/* In a block of its own, so that a look behind it is seen. */
	uint8_t *copy = malloc(len + 1);
	struct dns_srv_answer a;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	copy = realloc(copy, len > 0 ? len : 1);
	dns_answer_read(copy, len, &a);
	free(copy);
	return a;
}

#define READ(text) read(text, sizeof(text) - 1)

static void is_refused(struct dns_srv_answer a, enum dns_fault fault)
{
	assert_int_equal(a.fault, fault);
	assert_int_equal(a.count, 0);
	assert_null(a.records);
	assert_true(*a.err.text != '\0');
}

static void a_record_is_read_as_it_stands(void **unused)
{
	struct dns_srv_answer a = READ(one);

	(void)unused;
	assert_int_equal(a.fault, DNS_FINE);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.ttl_s, 60);
	assert_int_equal(a.records[0].priority, 1);
	assert_int_equal(a.records[0].weight, 2);
	assert_int_equal(a.records[0].port, 80);
	assert_string_equal(a.records[0].host, "a.test");
	dns_answer_fini(&a);
}

static void the_shortest_time_counts_and_other_records_do_not(void **unused)
{
	struct dns_srv_answer a = READ(
		HEAD("\x03")
		"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x01\x00\x02\xc0\x0c"	/* an alias */
		SRV_OF(TTL_60, "\x0a") A_TEST SRV_OF(TTL_5, "\x07") "\xff\xff\xff\xff\x00\x01\x00");

	(void)unused;
	assert_int_equal(a.fault, DNS_FINE);
	assert_int_equal(a.count, 2);
	assert_int_equal(a.ttl_s, 5);
	assert_string_equal(a.records[1].host, ".");
	assert_int_equal(a.records[1].priority, 65535);
	dns_answer_fini(&a);
}

static void a_message_without_records_says_so(void **unused)
{
	(void)unused;
	is_refused(READ(HEAD("\x00")), DNS_NO_RECORD);
}

static void whatever_is_cut_off_is_refused(void **unused)
{
	(void)unused;
	for (size_t len = 0; len + 1 < sizeof one; len++)
		is_refused(read(one, len), DNS_MALFORMED);
}

static void a_record_that_ends_within_itself_is_refused(void **unused)
{
	(void)unused;
	is_refused(READ(HEAD("\x01") SRV_OF(TTL_5, "\x06") "\x00\x01\x00\x02\x00\x50"),
		   DNS_MALFORMED);
	is_refused(READ(HEAD("\x01") SRV_OF(TTL_5, "\x03") "\x00\x01\x00"), DNS_MALFORMED);
}

static void a_name_that_points_at_itself_is_refused(void **unused)
{
	(void)unused;
	/* The name begins 44 bytes into the message. */
	is_refused(READ(HEAD("\x01") SRV_OF(TTL_5, "\x08") "\x00\x01\x00\x02\x00\x50\xc0\x2a"),
		   DNS_MALFORMED);
	is_refused(READ(HEAD("\x01") SRV_OF(TTL_5, "\x08") "\x00\x01\x00\x02\x00\x50\xff\xff"),
		   DNS_MALFORMED);
}

static void a_host_longer_than_hosts_may_be_is_counted(void **unused)
{
	enum { LABELS = 3, LABEL = 63 };
	char message[512];
	size_t len = sizeof(HEAD("\x01") SRV_OF(TTL_5, "\xc7")) - 1;

	(void)unused;
	/* Bytes that no name has are written with four characters each. */
	memcpy(message, HEAD("\x01") SRV_OF(TTL_5, "\xc7"), len);
	memcpy(message + len, "\x00\x01\x00\x02\x00\x50", 6);
	len += 6;
	for (int i = 0; i < LABELS; i++) {
		message[len] = LABEL;
		memset(message + len + 1, 0x01, LABEL);
		len += LABEL + 1;
	}
	message[len++] = '\0';
	struct dns_srv_answer a = read(message, len);
	/* It stood alone, so that there is no record of use. */
	is_refused(a, DNS_NO_RECORD);
}

/* Whatever the bytes are: an answer is whole, or refused. */
static void bytes_by_lot_are_whole_or_refused(void **unused)
{
	char bytes[sizeof one - 1];
	uint32_t random = 1;

	(void)unused;
	for (int i = 0; i < 200000; i++) {
		memcpy(bytes, one, sizeof bytes);
		for (int k = 0; k <= i % 4; k++) {
			random = random * 1664525 + 1013904223;
			bytes[(random >> 8) % sizeof bytes] = (char)(random >> 24);
		}
		struct dns_srv_answer a = read(bytes, sizeof bytes);
		assert_true((a.fault == DNS_FINE) == (a.count > 0));
		for (uint32_t k = 0; k < a.count; k++)
			assert_true(strnlen(a.records[k].host, sizeof a.records[k].host) <=
				    ADDRESS_HOST_MAX);
		dns_answer_fini(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_as_it_stands),
		cmocka_unit_test(the_shortest_time_counts_and_other_records_do_not),
		cmocka_unit_test(a_message_without_records_says_so),
		cmocka_unit_test(whatever_is_cut_off_is_refused),
		cmocka_unit_test(a_record_that_ends_within_itself_is_refused),
		cmocka_unit_test(a_name_that_points_at_itself_is_refused),
		cmocka_unit_test(a_host_longer_than_hosts_may_be_is_counted),
		cmocka_unit_test(bytes_by_lot_are_whole_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
