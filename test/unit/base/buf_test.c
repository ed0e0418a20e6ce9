/* Goal: what went in comes out, in order, whatever size the buffer had to become. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct buf_pool pool;

static int start(void **unused)
{
	(void)unused;
	buf_pool_init(&pool);
	return 0;
}

static int finish(void **unused)
{
	(void)unused;
	buf_pool_fini(&pool);
	return 0;
}

static void a_buffer_has_room_for_what_was_asked(void **unused)
{
	static const size_t asked[] = {
		0, 1, BUF_SMALL, BUF_SMALL + 1, BUF_MEDIUM, BUF_MEDIUM + 1, BUF_LARGE,
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		struct buf *b = buf_get(&pool, asked[i]);
		assert_true(buf_room(b) >= asked[i]);
		assert_int_equal(buf_waiting(b), 0);
		memset(buf_at(b), 'x', buf_room(b));
		buf_put(&pool, b);
	}
}

static void a_small_need_takes_a_small_buffer(void **unused)
{
	(void)unused;
	struct buf *b = buf_get(&pool, 1);
	assert_int_equal(b->size, BUF_SMALL);
	buf_put(&pool, b);
	b = buf_get(&pool, BUF_SMALL + 1);
	assert_int_equal(b->size, BUF_MEDIUM);
	buf_put(&pool, b);
}

static void no_buffer_has_nothing_waiting(void **unused)
{
	(void)unused;
	assert_int_equal(buf_waiting(NULL), 0);
	buf_put(&pool, NULL);
}

static void bytes_survive_a_larger_buffer(void **unused)
{
	struct buf *b = NULL;
	struct span taken;

	(void)unused;
	assert_true(buf_larger(&pool, &b, 10));
	buf_append_span(b, SPAN("gone, staying"));
	buf_consume(b, 6);
	assert_true(buf_larger(&pool, &b, BUF_MEDIUM));
	assert_int_equal(b->start, 0);
	assert_true(buf_larger(&pool, &b, BUF_LARGE));
	taken = (struct span){buf_at(b), buf_waiting(b)};
	assert_true(span_equals(taken, SPAN("staying")));
	assert_true(buf_room(b) >= BUF_LARGE - 7);
	buf_put(&pool, b);
}

static void nothing_can_be_appended_and_consumed(void **unused)
{
	struct buf *b = buf_get(&pool, 1);

	(void)unused;
	buf_append_span(b, (struct span){NULL, 0});
	buf_consume(b, 0);
	assert_int_equal(buf_waiting(b), 0);
	buf_put(&pool, b);
}

/* A stream of counted bytes through one buffer that is put back when it is empty and
 * made larger when it is full. */
static void a_stream_comes_out_as_it_went_in(void **unused)
{
	struct buf *b = NULL;
	uint32_t seed = 1;
	uint8_t in = 0, out = 0;

	(void)unused;
	for (int n = 0; n < 20000; n++) {
		seed = seed * 1664525 + 1013904223;
		size_t amount = seed >> 20;		/* below 4096 */
		if (seed >> 8 & 1) {
			size_t whole = buf_waiting(b) + amount;
			if (whole > BUF_LARGE)
				continue;
			if (b == NULL || buf_room(b) < amount)
				assert_true(buf_larger(&pool, &b, whole));
			for (size_t i = 0; i < amount; i++, in++)
				buf_append(b, &in, 1);
		} else if (b != NULL) {
			if (amount > buf_waiting(b))
				amount = buf_waiting(b);
			for (size_t i = 0; i < amount; i++, out++)
				must((uint8_t)buf_at(b)[i] == out);
			buf_consume(b, amount);
			if (buf_waiting(b) == 0) {
				buf_put(&pool, b);
				b = NULL;
			}
		}
	}
	buf_put(&pool, b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
	const struct CMUnitTest tests[] = {
		TEST(a_buffer_has_room_for_what_was_asked),
		TEST(a_small_need_takes_a_small_buffer),
		TEST(no_buffer_has_nothing_waiting),
		TEST(bytes_survive_a_larger_buffer),
		TEST(nothing_can_be_appended_and_consumed),
		TEST(a_stream_comes_out_as_it_went_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
