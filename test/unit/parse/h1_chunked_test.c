/* Goal: the end of a chunked body is found exactly, however it was cut. */
#include "h1_cases.h"

struct outcome {
	enum h1_result result;
	enum h1_fault  fault;
	size_t         taken;
	char           payload[512];
	size_t         payload_len;
};

static struct outcome read_payload(const char *text, size_t len, size_t piece)
{
	struct h1_chunked c = {0};
	struct outcome o = {.result = H1_MORE};
	struct span data;

	while (o.taken < len && o.result == H1_MORE) {
		size_t now = len - o.taken < piece ? len - o.taken : piece;
		const char *at = text + o.taken;
		size_t taken = h1_chunked_next(&c, at, now, &data, &o.result);
		assert_true(taken > 0 || o.result != H1_MORE);
		if (data.len > 0)
			assert_ptr_equal(data.at + data.len, at + taken);
		assert_true(o.payload_len + data.len <= sizeof o.payload);
		memcpy(o.payload + o.payload_len, data.at, data.len);
		o.payload_len += data.len;
		o.taken += taken;
	}
	o.fault = c.fault;
	return o;
}

static const size_t pieces[] = {1, 2, 3, 7, 100000};

static void check(const struct head_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct head_case *c = &cases[i];
		enum h1_result want = c->fault == H1_FAULT_NONE ? H1_DONE : H1_BAD;
		for (size_t k = 0; k < COUNT_OF(pieces); k++) {
			struct outcome o = read_payload(c->text, c->len, pieces[k]);
			if (o.result != want || o.fault != c->fault)
				fail_msg("pieces of %zu: %d, fault %d, not %d: %.*s",
					 pieces[k], o.result, o.fault, c->fault,
					 (int)c->len, c->text);
		}
	}
}

static void payload_comes_out_and_the_rest_stays(void **state)
{
	static const char text[] =
		"5\r\nhello\r\n1;a=\"b\"\r\n \r\n00A\r\nwonderful!\r\n0\r\n\r\nGET /";

	(void)state;
	for (size_t k = 0; k < COUNT_OF(pieces); k++) {
		struct outcome o = read_payload(text, sizeof text - 1, pieces[k]);
		assert_int_equal(o.result, H1_DONE);
		assert_int_equal(o.taken, sizeof text - 1 - 5);
		assert_int_equal(o.payload_len, 16);
		assert_memory_equal(o.payload, "hello wonderful!", 16);
	}
}

static void sizes_are_hexadecimal_and_fit(void **state)
{
	static const struct head_case cases[] = {
		{TEXT("0\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("0000000000000001\r\nx\r\n0000000000000000\r\n\r\n"),
		 H1_FAULT_NONE},
		{TEXT("00000000000000001\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("8000000000000000\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("10000000000000000"), H1_FAULT_CHUNK_SIZE},
		{TEXT("\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT(" 1\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("1 \r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("1\t;x\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("0x1\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("+1\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("-1\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("1g\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT("1\0\r\n"), H1_FAULT_CHUNK_SIZE},
		{TEXT(";x\r\n"), H1_FAULT_CHUNK_SIZE},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void size_lines_end_in_crlf(void **state)
{
	static const struct head_case cases[] = {
		{TEXT("1\n"), H1_FAULT_CHUNK_LINE},
		{TEXT("1\rx"), H1_FAULT_CHUNK_LINE},
		{TEXT("1\r\r\n"), H1_FAULT_CHUNK_LINE},
		{TEXT("1;\r\nx\r\n0;a=b\tc \x80\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("1;a\nx"), H1_FAULT_CHUNK_LINE},
		{TEXT("1;a\rx"), H1_FAULT_CHUNK_LINE},
		{TEXT("1;a\0\r\n"), H1_FAULT_CHUNK_LINE},
		{TEXT("1;a\x7f\r\n"), H1_FAULT_CHUNK_LINE},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void size_lines_are_bounded(void **state)
{
	char text[H1_CHUNK_LINE_MAX + 64];

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "0;", 2);
	memcpy(text + H1_CHUNK_LINE_MAX - 2, "\r\n\r\n", 4);
	check(&(struct head_case){text, H1_CHUNK_LINE_MAX + 2, H1_FAULT_NONE}, 1);
	memcpy(text + H1_CHUNK_LINE_MAX - 2, "x\r\n\r\n", 5);
	check(&(struct head_case){text, H1_CHUNK_LINE_MAX + 3, H1_FAULT_CHUNK_LINE}, 1);
}

static void payload_ends_in_crlf(void **state)
{
	static const struct head_case cases[] = {
		{TEXT("1\r\nxy"), H1_FAULT_CHUNK_END},
		{TEXT("1\r\nx\n"), H1_FAULT_CHUNK_END},
		{TEXT("1\r\nx\ry"), H1_FAULT_CHUNK_END},
		{TEXT("1\r\nx0\r\n\r\n"), H1_FAULT_CHUNK_END},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void trailers_are_fields(void **state)
{
	static const struct head_case cases[] = {
		{TEXT("0\r\nA: b\r\nX-Checksum:\r\nC: \td \x80\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("0\r\nA-very-long-name-that-fits-not: b\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("0\r\nContent-Length-And-More-Than-24: b\r\n\r\n"), H1_FAULT_NONE},
		{TEXT("0\r\n\n"), H1_FAULT_TRAILER},
		{TEXT("0\r\n\rx"), H1_FAULT_TRAILER},
		{TEXT("0\r\n: b\r\n"), H1_FAULT_TRAILER},
		{TEXT("0\r\nA : b\r\n"), H1_FAULT_TRAILER},
		{TEXT("0\r\nA\r\n"), H1_FAULT_TRAILER},
		{TEXT("0\r\nA: b\n"), H1_FAULT_TRAILER},
		{TEXT("0\r\nA: b\rc"), H1_FAULT_TRAILER},
		{TEXT("0\r\nA: b\0"), H1_FAULT_TRAILER},
		{TEXT("0\r\nA: b\r\n c\r\n"), H1_FAULT_TRAILER},
		{TEXT("0\r\n A: b\r\n"), H1_FAULT_TRAILER},
	};
	(void)state;
	check(cases, COUNT_OF(cases));
}

static void trailers_cannot_change_what_the_message_is(void **state)
{
	static const char *const names[] = {
		"content-length", "Transfer-Encoding", "HOST", "Connection", "Trailer",
		"TE", "Upgrade", "Expect", "Content-Encoding", "Authorization", "Cookie",
		"Set-Cookie", "X-Forwarded-For", "X-Forwarded-Anything", "Forwarded",
		"If-Unmodified-Since", "Proxy-Authorization", "Keep-Alive",
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		int len = snprintf(text, sizeof text, "0\r\nA: b\r\n%s: c\r\n\r\n",
				   names[i]);
		check(&(struct head_case){text, (size_t)len, H1_FAULT_TRAILER}, 1);
		len = snprintf(text, sizeof text, "0\r\n_%s: c\r\n\r\n", names[i]);
		check(&(struct head_case){text, (size_t)len, H1_FAULT_NONE}, 1);
	}
}

static void trailer_sections_are_bounded(void **state)
{
	static char text[H1_TRAILER_MAX + 64];

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "0\r\nA:", 5);
	memcpy(text + 3 + H1_TRAILER_MAX - 4, "\r\n\r\n", 4);
	check(&(struct head_case){text, 3 + H1_TRAILER_MAX, H1_FAULT_NONE}, 1);
	memcpy(text + 3 + H1_TRAILER_MAX - 4, "x\r\n\r\n", 5);
	check(&(struct head_case){text, 4 + H1_TRAILER_MAX, H1_FAULT_TRAILER}, 1);
}

static void a_scan_ends_with_the_body(void **state)
{
	static const char text[] = "3\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\nHTTP/1.1";
	struct h1_chunked c = {0};
	enum h1_result result;

	(void)state;
	assert_int_equal(h1_chunked_scan(&c, text, sizeof text - 1, &result),
			 sizeof text - 1 - 8);
	assert_int_equal(result, H1_DONE);
	assert_int_equal(h1_chunked_scan(&c, text, 5, &result), 0);
	assert_int_equal(result, H1_DONE);

	c = (struct h1_chunked){0};
	assert_int_equal(h1_chunked_scan(&c, text, 5, &result), 5);
	assert_int_equal(result, H1_MORE);
	assert_int_equal(h1_chunked_scan(&c, text + 5, 0, &result), 0);
	assert_int_equal(result, H1_MORE);
	assert_int_equal(h1_chunked_scan(&c, "cde", 3, &result), 1);
	assert_int_equal(result, H1_BAD);
	assert_int_equal(h1_chunked_scan(&c, "\r\n", 2, &result), 0);
	assert_int_equal(result, H1_BAD);
	assert_int_equal(c.fault, H1_FAULT_CHUNK_END);
}

static void payload_may_be_moved_unseen(void **state)
{
	struct h1_chunked c = {0};
	enum h1_result result;

	(void)state;
	h1_chunked_scan(&c, TEXT("fff"), &result);
	assert_int_equal(h1_chunked_payload_left(&c), 0);
	h1_chunked_skip(&c, 0);
	h1_chunked_scan(&c, TEXT("\r\nx"), &result);
	assert_int_equal(h1_chunked_payload_left(&c), 0xffe);
	h1_chunked_skip(&c, 0xff0);
	assert_int_equal(h1_chunked_payload_left(&c), 0xe);
	h1_chunked_skip(&c, 0xe);
	assert_int_equal(h1_chunked_payload_left(&c), 0);
	assert_int_equal(h1_chunked_scan(&c, TEXT("\r\n0\r\n\r\n"), &result), 7);
	assert_int_equal(result, H1_DONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(payload_comes_out_and_the_rest_stays),
		cmocka_unit_test(sizes_are_hexadecimal_and_fit),
		cmocka_unit_test(size_lines_end_in_crlf),
		cmocka_unit_test(size_lines_are_bounded),
		cmocka_unit_test(payload_ends_in_crlf),
		cmocka_unit_test(trailers_are_fields),
		cmocka_unit_test(trailers_cannot_change_what_the_message_is),
		cmocka_unit_test(trailer_sections_are_bounded),
		cmocka_unit_test(a_scan_ends_with_the_body),
		cmocka_unit_test(payload_may_be_moved_unseen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
