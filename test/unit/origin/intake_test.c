/* Goal: a body is taken whole and nothing behind it, in runs of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "origin/intake.h"

static const struct span next_request = SPAN("GET / HTTP/1.1\r\n");

/* Receives `piece` bytes at a time, takes in at most `max` at a time. */
static void takes(const struct h1_head *head, struct span wire, struct span payload,
		  size_t piece, size_t max)
{
	struct buf_pool pool;
	struct intake intake;
	struct span run;
	char seen[256];
	size_t seen_len = 0, fed = 0;
	enum h1_result result;

	buf_pool_init(&pool);
	struct buf *in = buf_get(&pool, BUF_SMALL);
	intake_init(&intake, head);
	while ((result = intake_take(&intake, in, max, &run)) == H1_MORE) {
		assert_true(run.len <= max);
		if (run.len > 0) {
			memcpy(seen + seen_len, run.at, run.len);
			seen_len += run.len;
			continue;
		}
		assert_true(fed < wire.len);
		size_t n = wire.len - fed < piece ? wire.len - fed : piece;
		buf_append(in, wire.at + fed, n);
		fed += n;
	}
	assert_int_equal(result, H1_DONE);
	if (run.len > 0)
		memcpy(seen + seen_len, run.at, run.len);
	seen_len += run.len;
	assert_true(span_equals((struct span){seen, seen_len}, payload));
	struct span rest = {buf_at(in), buf_waiting(in)};
	assert_true(span_starts_with(next_request, rest));
	assert_int_equal(intake_take(&intake, in, max, &run), H1_DONE);
	assert_int_equal(run.len, 0);
	buf_put(&pool, in);
	buf_pool_fini(&pool);
}

static void takes_in_all_ways(const struct h1_head *head, struct span wire,
			      struct span payload)
{
	for (size_t piece = 1; piece <= wire.len; piece++)
		for (size_t max = 1; max <= wire.len; max++)
			takes(head, wire, payload, piece, max);
}

static void a_counted_body_ends_at_its_length(void **state)
{
	static struct h1_head head = {.body = H1_BODY_LENGTH, .content_length = 11};

	(void)state;
	takes_in_all_ways(&head, SPAN("hello worldGET / HTTP/1.1\r\n"),
			  SPAN("hello world"));
}

static void a_chunked_body_ends_after_its_trailers(void **state)
{
	static struct h1_head head = {.body = H1_BODY_CHUNKED};

	(void)state;
	takes_in_all_ways(&head,
			  SPAN("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-A: b\r\n\r\n"
			       "GET / HTTP/1.1\r\n"),
			  SPAN("hello world"));
}

static void no_body_is_over_at_once(void **state)
{
	static struct h1_head none = {.body = H1_BODY_NONE};
	static struct h1_head empty = {.body = H1_BODY_LENGTH, .content_length = 0};
	struct intake intake;
	struct span run;

	(void)state;
	intake_init(&intake, &none);
	assert_int_equal(intake_take(&intake, NULL, SIZE_MAX, &run), H1_DONE);
	intake_init(&intake, &empty);
	assert_int_equal(intake_take(&intake, NULL, SIZE_MAX, &run), H1_DONE);
}

static void broken_framing_is_told(void **state)
{
	static struct h1_head head = {.body = H1_BODY_CHUNKED};
	struct buf_pool pool;
	struct intake intake;
	struct span run;

	(void)state;
	buf_pool_init(&pool);
	struct buf *in = buf_get(&pool, BUF_SMALL);
	buf_append_span(in, SPAN("nothing\r\n"));
	intake_init(&intake, &head);
	assert_int_equal(intake_take(&intake, in, SIZE_MAX, &run), H1_BAD);
	assert_int_not_equal(intake.chunked.fault, H1_FAULT_NONE);
	buf_put(&pool, in);
	buf_pool_fini(&pool);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counted_body_ends_at_its_length),
		cmocka_unit_test(a_chunked_body_ends_after_its_trailers),
		cmocka_unit_test(no_body_is_over_at_once),
		cmocka_unit_test(broken_framing_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
