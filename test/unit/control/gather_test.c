/* Goal: a body is gathered whole however its bytes are cut, takes no byte of the next
 * request, and has an end where it is too long or no chunks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/control.h"
#include "control/gather.h"

static struct gather g;

/* Gives it the text in pieces of so many bytes; returns how many bytes it took. */
static size_t give(const char *text, size_t cut, enum gather_result *result)
{
	size_t len = strlen(text), taken = 0;
	uint32_t used;

	*result = GATHER_MORE;
	while (taken < len && *result == GATHER_MORE) {
		size_t piece = cut < len - taken ? cut : len - taken;
		*result = gather_take(&g, (struct span){text + taken, piece}, &used);
		taken += used;
	}
	return taken;
}

static void begin(enum h1_body body, uint64_t len)
{
	struct h1_head head = {.body = body, .content_length = len};

	assert_int_equal(gather_begin(&g, &head), GATHER_MORE);
}

static void cuts_change_nothing(void **unused)
{
	enum gather_result result;

	(void)unused;
	for (size_t cut = 1; cut <= 24; cut++) {
		begin(H1_BODY_LENGTH, 5);
		assert_int_equal(give("hello, next", cut, &result), 5);
		assert_int_equal(result, GATHER_DONE);
		assert_int_equal(g.len, 5);
		assert_memory_equal(g.bytes, "hello", 5);
		begin(H1_BODY_CHUNKED, 0);
		assert_int_equal(give("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nnext", cut, &result),
				 20);
		assert_int_equal(result, GATHER_DONE);
		assert_int_equal(g.len, 5);
		assert_memory_equal(g.bytes, "hello", 5);
	}
	gather_drop(&g);
	assert_null(g.bytes);
}

static void one_without_a_byte_is_done_at_once(void **unused)
{
	uint32_t used;

	(void)unused;
	begin(H1_BODY_NONE, 0);
	assert_int_equal(gather_take(&g, SPAN("next"), &used), GATHER_DONE);
	assert_int_equal(used, 0);
	assert_null(g.bytes);
}

static void what_is_too_long_has_an_end(void **unused)
{
	static char chunk[CONTROL_BODY_MAX + 64];
	struct h1_head head = {
		.body = H1_BODY_LENGTH, .content_length = CONTROL_BODY_MAX + 1,
	};
	uint32_t used;

	(void)unused;
	assert_int_equal(gather_begin(&g, &head), GATHER_LONG);
	begin(H1_BODY_LENGTH, CONTROL_BODY_MAX);
	assert_int_equal(gather_take(&g, (struct span){chunk, CONTROL_BODY_MAX}, &used),
			 GATHER_DONE);
	begin(H1_BODY_CHUNKED, 0);
	int head_len = snprintf(chunk, sizeof chunk, "%x\r\n", CONTROL_BODY_MAX + 1);
	memset(chunk + head_len, 'x', sizeof chunk - (size_t)head_len);
	assert_int_equal(gather_take(&g, (struct span){chunk, sizeof chunk}, &used),
			 GATHER_LONG);
	assert_true(g.len <= CONTROL_BODY_MAX);
	gather_drop(&g);
}

static void what_are_no_chunks_are_refused(void **unused)
{
	enum gather_result result;

	(void)unused;
	begin(H1_BODY_CHUNKED, 0);
	give("2\r\nhello\r\n", 64, &result);
	assert_int_equal(result, GATHER_BAD);
	assert_int_not_equal(g.chunked.fault, H1_FAULT_NONE);
	gather_drop(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_change_nothing),
		cmocka_unit_test(one_without_a_byte_is_done_at_once),
		cmocka_unit_test(what_is_too_long_has_an_end),
		cmocka_unit_test(what_are_no_chunks_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
