/* Goal: the name servers that are given are asked, each question is answered once in the
 * loop's thread unless it is cancelled, and the end waits for nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loop/dns.h"

enum { DEADLINE_MS = 20000, MESSAGE_MAX = 2048, HEADER = 12 };

struct told {
	int times;
	enum dns_fault fault;
	uint32_t count;
	char first[ADDRESS_TEXT_MAX];
	struct dns *ask_again;		/* asks another time from within the answer */
};

static struct loop *l;
static struct dns *d;
static int server;			/* a socket that answers only what a test makes it say */
static struct address at;

static void on_srv(void *arg, const struct dns_srv_answer *answer)
{
	struct told *t = arg;
	struct dns *again = t->ask_again;

	t->times++;
	t->fault = answer->fault;
	t->count = answer->count;
	if (answer->count > 0)
		snprintf(t->first, sizeof t->first, "%s:%u", answer->records[0].host,
			 answer->records[0].port);
	t->ask_again = NULL;
	if (again != NULL)
		assert_non_null(dns_ask_srv(again, "s.test", on_srv, t));
}

static void on_addresses(void *arg, const struct resolver_answer *answer)
{
	struct told *t = arg;

	t->times++;
	t->count = answer->count;
	if (answer->count > 0)
		snprintf(t->first, sizeof t->first, "%s", answer->addresses[0].text);
}

static int open_all(void **unused)
{
	struct err err;

	(void)unused;
	server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	at = (struct address){.in4 = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	at.len = sizeof at.in4;
	if (bind(server, &at.any, at.len) != 0 || getsockname(server, &at.any, &at.len) != 0)
		return -1;
	address_format(&at);
	l = loop_create(&err);
	d = l != NULL ? dns_create(l, &err) : NULL;
	if (d == NULL)
		return -1;
	dns_use(d, &at, 1);
	return 0;
}

static int close_all(void **unused)
{
	(void)unused;
	if (d != NULL)
		dns_destroy(d);
	loop_destroy(l);
	close(server);
	return 0;
}

/* Answers one question, if one has come: with this code and, behind the question as it was
 * asked, these records. */
static bool answer(unsigned code, unsigned count, const char *records, size_t len)
{
	unsigned char bytes[MESSAGE_MAX];
	struct sockaddr_in from;
	socklen_t from_len = sizeof from;
	ssize_t n = recvfrom(server, bytes, sizeof bytes, 0, (struct sockaddr *)(void *)&from,
			     &from_len);

	if (n < 0)
		return false;
	size_t end = HEADER;
	while (bytes[end] != 0)
		end += bytes[end] + 1u;
	end += 5;			/* the root, type and class */
	bytes[2] |= 0x80;		/* an answer */
	bytes[3] = (unsigned char)code;
	bytes[7] = (unsigned char)count;
	bytes[11] = 0;			/* without further records, which the question had */
	memcpy(bytes + end, records, len);
	assert_int_equal(sendto(server, bytes, end + len, 0, (struct sockaddr *)(void *)&from,
				from_len), (ssize_t)(end + len));
	return true;
}

/* Answers whatever is asked until so much was told. */
static void serve(const int *times, int wanted, unsigned code, unsigned count,
		  const char *records, size_t len)
{
	uint64_t end_us = loop_clock_us() + DEADLINE_MS * 1000ull;

	while (*times < wanted && loop_clock_us() < end_us) {
		answer(code, count, records, len);
		loop_turn(l, 10);
	}
	assert_int_equal(*times, wanted);
}

#define RECORD "\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x09"                          \
	       "\x00\x01\x00\x02\x00\x50\x01" "a\x00"

static void the_server_that_is_given_is_asked(void **unused)
{
	struct told t = {0};

	(void)unused;
	assert_non_null(dns_ask_srv(d, "s.test", on_srv, &t));
	assert_int_equal(t.times, 0);
	serve(&t.times, 1, 0, 1, RECORD, sizeof RECORD - 1);
	assert_int_equal(t.fault, DNS_FINE);
	assert_string_equal(t.first, "a:80");
}

static void who_is_told_may_ask_again(void **unused)
{
	struct told t = {.ask_again = d};

	(void)unused;
	assert_non_null(dns_ask_srv(d, "s.test", on_srv, &t));
	serve(&t.times, 2, 0, 1, RECORD, sizeof RECORD - 1);
}

static void what_the_server_says_instead_is_told_apart(void **unused)
{
	static const struct {
		unsigned       code;
		enum dns_fault fault;
	} codes[] = {{3, DNS_NO_NAME}, {0, DNS_NO_RECORD}, {2, DNS_REFUSED}, {5, DNS_REFUSED}};

	(void)unused;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		struct told t = {0};
		assert_non_null(dns_ask_srv(d, "s.test", on_srv, &t));
		serve(&t.times, 1, codes[i].code, 0, "", 0);
		assert_int_equal(t.fault, codes[i].fault);
		assert_int_equal(t.count, 0);
	}
}

static void addresses_come_with_the_port(void **unused)
{
	static const char record[] =
		"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x09";
	struct told t = {0};

	(void)unused;
	assert_non_null(dns_ask_addresses(d, "a.test", 81, on_addresses, &t));
	serve(&t.times, 1, 0, 1, record, sizeof record - 1);
	assert_string_equal(t.first, "127.0.0.9:81");
}

static void silence_is_told_in_the_end(void **unused)
{
	struct told t = {0};
	uint64_t end_us = loop_clock_us() + DEADLINE_MS * 1000ull;

	(void)unused;
	assert_non_null(dns_ask_srv(d, "s.test", on_srv, &t));
	while (t.times == 0 && loop_clock_us() < end_us)
		loop_turn(l, 100);
	assert_int_equal(t.times, 1);
	assert_int_equal(t.fault, DNS_SILENT);
}

static void a_server_that_is_not_there_is_told_at_once(void **unused)
{
	struct told t = {0};

	(void)unused;
	close(server);
	server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_non_null(dns_ask_srv(d, "s.test", on_srv, &t));
	serve(&t.times, 1, 0, 0, "", 0);
	assert_int_equal(t.fault, DNS_UNREACHED);
}

static void who_cancels_is_told_nothing(void **unused)
{
	struct told kept = {0}, cancelled = {0};

	(void)unused;
	dns_cancel(NULL);
	struct dns_question *q = dns_ask_srv(d, "s.test", on_srv, &cancelled);
	assert_non_null(q);
	dns_cancel(q);
	assert_non_null(dns_ask_srv(d, "s.test", on_srv, &kept));
	serve(&kept.times, 1, 0, 1, RECORD, sizeof RECORD - 1);
	assert_int_equal(cancelled.times, 0);
}

static void the_end_waits_for_nobody(void **unused)
{
	struct told t = {0};
	uint64_t begun_us = loop_clock_us();

	(void)unused;
	for (int i = 0; i < 10; i++)
		assert_non_null(dns_ask_srv(d, "s.test", on_srv, &t));
	loop_turn(l, 0);
	dns_destroy(d);
	d = NULL;
	assert_true(loop_clock_us() - begun_us < DNS_TIMEOUT_MS * 1000ull);
	assert_int_equal(t.times, 0);
}

static void there_are_so_many_questions_and_no_more(void **unused)
{
	struct told t = {0};
	char name[ADDRESS_HOST_MAX + 2];

	(void)unused;
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_null(dns_ask_srv(d, name, on_srv, &t));
	/* One that c-ares refuses at once waits like all others, to be told. */
	for (int i = 0; i < DNS_QUESTIONS_MAX; i++)
		assert_non_null(dns_ask_srv(d, "..", on_srv, &t));
	assert_null(dns_ask_srv(d, "..", on_srv, &t));
	assert_int_equal(t.times, 0);
	serve(&t.times, DNS_QUESTIONS_MAX, 0, 0, "", 0);
	assert_int_equal(t.fault, DNS_MALFORMED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_server_that_is_given_is_asked),
		TEST(who_is_told_may_ask_again),
		TEST(what_the_server_says_instead_is_told_apart),
		TEST(addresses_come_with_the_port),
		TEST(silence_is_told_in_the_end),
		TEST(a_server_that_is_not_there_is_told_at_once),
		TEST(who_cancels_is_told_nothing),
		TEST(the_end_waits_for_nobody),
		TEST(there_are_so_many_questions_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
