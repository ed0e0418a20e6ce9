/* Goal: what counts as a good answer to a probe, and what a bad one is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "health/probe_answer.h"

#define OK "HTTP/1.1 200 OK\r\n"

static const struct model_check load = {.kind = CHECK_HTTP, .expect = EXPECT_LOAD};
static const struct model_check status = {
	.kind = CHECK_HTTP, .expect = EXPECT_STATUS, .status_min = 200, .status_max = 399,
};

static struct probe_answer answer;

/* Feeds `bytes` in pieces of each size in turn; the answer of the last is kept. */
static enum probe_decision read_answer(const struct model_check *check, const char *bytes,
				       size_t len)
{
	enum probe_decision decision = PROBE_UNDECIDED;

	for (size_t piece = 1; piece <= len; piece = piece < 40 ? piece + 1 : piece * 2) {
		probe_answer_init(&answer, check);
		for (size_t done = 0; done < len; done += piece)
			probe_answer_feed(&answer, bytes + done,
					  len - done < piece ? len - done : piece);
		enum probe_decision now = probe_answer_end(&answer);
		assert_true(piece == 1 || now == decision);
		decision = now;
	}
	return decision;
}

static void is_good(const struct model_check *check, const char *bytes, uint64_t errors,
		    uint64_t total)
{
	assert_int_equal(read_answer(check, bytes, strlen(bytes)), PROBE_GOOD);
	assert_int_equal(answer.load_errors, errors);
	assert_int_equal(answer.load_total, total);
}

static void is_bad(const struct model_check *check, const char *bytes, const char *reason)
{
	assert_int_equal(read_answer(check, bytes, strlen(bytes)), PROBE_BAD);
	if (strstr(answer.reason, reason) == NULL)
		fail_msg("the reason is \"%s\", not \"%s\"", answer.reason, reason);
}

static void two_numbers_are_a_load(void **unused)
{
	(void)unused;
	is_good(&load, OK "Content-Length: 4\r\n\r\n3\n12", 3, 12);
	is_good(&load, OK "Content-Length: 5\r\n\r\n3\n12\n", 3, 12);
	is_good(&load, OK "\r\n0\n0", 0, 0);
	is_good(&load, OK "\r\n0\n0\n", 0, 0);
	is_good(&load, "HTTP/1.0 200 OK\r\n\r\n007\n0100\n", 7, 100);
	is_good(&load, OK "\r\n18446744073709551615\n18446744073709551615", UINT64_MAX,
		UINT64_MAX);
	is_good(&load, OK "Transfer-Encoding: chunked\r\n\r\n2\r\n3\n\r\n3;x=y\r\n12\n\r\n"
			  "0\r\nX-Note: a trailer\r\n\r\n", 3, 12);
	assert_string_equal(answer.reason, "200");
}

static void bytes_after_the_body_are_not_read(void **unused)
{
	(void)unused;
	is_good(&load, OK "Content-Length: 3\r\n\r\n1\n2HTTP/1.1 500 No\r\n\r\n", 1, 2);
	is_good(&load, OK "Transfer-Encoding: chunked\r\n\r\n3\r\n1\n2\r\n0\r\n\r\nmore", 1, 2);
}

static void anything_else_is_no_load(void **unused)
{
	static const char *const bodies[] = {
		"", "1", "1\n", "\n1", "1 2", "1\n2\n3", "1\n2\n\n", "1\n\n2", "-1\n2",
		"+1\n2", "1\r\n2\r\n", "1\n2 ", " 1\n2", "1.0\n2", "0x1\n2", "OK", "1\n2\r\n",
		"18446744073709551616\n1", "1\n18446744073709551616",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		char bytes[256];
		snprintf(bytes, sizeof bytes, OK "\r\n%s", bodies[i]);
		is_bad(&load, bytes, "the body is not two numbers");
		snprintf(bytes, sizeof bytes, OK "Content-Length: %zu\r\n\r\n%s",
			 strlen(bodies[i]), bodies[i]);
		is_bad(&load, bytes, "the body is not two numbers");
	}
}

static void a_load_needs_status_200(void **unused)
{
	(void)unused;
	is_bad(&load, "HTTP/1.1 204 No Content\r\n\r\n", "status 204");
	is_bad(&load, "HTTP/1.1 206 Partial Content\r\n\r\n1\n2\n", "status 206");
	is_bad(&load, "HTTP/1.1 503 Service Unavailable\r\n\r\n1\n2\n", "status 503");
}

static void a_status_is_good_within_its_range(void **unused)
{
	(void)unused;
	is_good(&status, OK "\r\n", 0, 0);
	is_good(&status, "HTTP/1.1 399 Odd\r\n\r\n", 0, 0);
	is_good(&status, "HTTP/1.0 204\r\n\r\n", 0, 0);
	is_bad(&status, "HTTP/1.1 404 Not Found\r\n\r\n", "status 404");
	is_bad(&status, "HTTP/1.1 500 \r\n\r\n", "status 500");
	is_bad(&status, "HTTP/1.1 101 Switching Protocols\r\n\r\n", "status 101");
}

static void a_status_is_decided_by_the_head(void **unused)
{
	static const char head[] = OK "Content-Length: 1000000\r\n\r\n";

	(void)unused;
	probe_answer_init(&answer, &status);
	assert_int_equal(probe_answer_feed(&answer, head, sizeof head - 2), PROBE_UNDECIDED);
	assert_int_equal(probe_answer_feed(&answer, "\n", 1), PROBE_GOOD);
	assert_string_equal(answer.reason, "200");
}

static void interim_answers_are_passed_over(void **unused)
{
	static const char interim[] = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
	char bytes[2048];
	size_t len = 0;

	(void)unused;
	for (int i = 0; i <= PROBE_INTERIM_MAX; i++) {
		snprintf(bytes + len, sizeof bytes - len, OK "\r\n1\n2\n");
		is_good(&load, bytes, 1, 2);
		len += (size_t)snprintf(bytes + len, sizeof bytes - len, "%s", interim);
	}
	is_bad(&load, bytes, "status 103");
	is_bad(&load, "HTTP/1.1 100 Continue\r\n\r\n", "closed in the middle of its answer");
}

static void too_long_is_bad(void **unused)
{
	static char bytes[4 * PROBE_HEAD_MAX];
	size_t len = (size_t)snprintf(bytes, sizeof bytes, OK "X: ");

	(void)unused;
	memset(bytes + len, 'x', PROBE_HEAD_MAX);
	is_bad(&status, bytes, "the head is longer");

	len = (size_t)snprintf(bytes, sizeof bytes, OK "\r\n");
	memset(bytes + len, '0', PROBE_BODY_MAX + 1);
	bytes[len + PROBE_BODY_MAX + 1] = '\0';
	is_bad(&load, bytes, "the body is longer");
	bytes[len + PROBE_BODY_MAX] = '\0';
	is_bad(&load, bytes, "the body is not two numbers");
	bytes[len + PROBE_BODY_MAX - 2] = '\n';
	is_good(&load, bytes, 0, 0);

	is_bad(&load, OK "Content-Length: 4097\r\n\r\n1\n2\n", "the body is longer");
}

static void a_cut_answer_is_bad(void **unused)
{
	(void)unused;
	assert_int_equal(read_answer(&status, "H", 1), PROBE_BAD);
	assert_string_equal(answer.reason, "closed in the middle of its answer");
	is_bad(&status, OK, "closed in the middle of its answer");
	is_bad(&load, OK "Content-Length: 4\r\n\r\n3\n1", "closed in the middle of its answer");
	is_bad(&load, OK "Transfer-Encoding: chunked\r\n\r\n3\r\n1\n2\r\n0\r\n",
	       "closed in the middle of its answer");

	probe_answer_init(&answer, &status);
	assert_int_equal(probe_answer_end(&answer), PROBE_BAD);
	assert_string_equal(answer.reason, "closed without an answer");
}

static void malformed_is_bad_and_says_why(void **unused)
{
	(void)unused;
	is_bad(&status, "SSH-2.0-OpenSSH_9.2\r\n", "malformed answer: ");
	is_bad(&status, "HTTP/1.1 200 OK\nServer: x\n\n", "malformed answer: ");
	is_bad(&load, OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\n1\n2",
	       "malformed answer: ");
	is_bad(&load, OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", "malformed answer: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_numbers_are_a_load),
		cmocka_unit_test(bytes_after_the_body_are_not_read),
		cmocka_unit_test(anything_else_is_no_load),
		cmocka_unit_test(a_load_needs_status_200),
		cmocka_unit_test(a_status_is_good_within_its_range),
		cmocka_unit_test(a_status_is_decided_by_the_head),
		cmocka_unit_test(interim_answers_are_passed_over),
		cmocka_unit_test(too_long_is_bad),
		cmocka_unit_test(a_cut_answer_is_bad),
		cmocka_unit_test(malformed_is_bad_and_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
