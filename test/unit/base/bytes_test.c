/* Goal: what goes in comes out, in order and once, and an empty queue holds next to no
 * memory. */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void an_empty_one_holds_nothing(void **unused)
{
	struct bytes b = {0};

	(void)unused;
	assert_int_equal(bytes_waiting(&b), 0);
	bytes_consume(&b, 0);
	assert_true(bytes_append(&b, NULL, 0));
	assert_int_equal(bytes_waiting(&b), 0);
	bytes_fini(&b);
	bytes_fini(&b);
	assert_null(b.at);
}

static void what_is_appended_waits_in_order(void **unused)
{
	struct bytes b = {0};

	(void)unused;
	assert_true(bytes_append(&b, "one ", 4));
	assert_true(bytes_append(&b, "two", 3));
	assert_int_equal(bytes_waiting(&b), 7);
	assert_memory_equal(bytes_first(&b), "one two", 7);
	bytes_consume(&b, 4);
	assert_int_equal(bytes_waiting(&b), 3);
	assert_memory_equal(bytes_first(&b), "two", 3);
	bytes_fini(&b);
}

static void what_is_reserved_counts_once_it_is_added(void **unused)
{
	struct bytes b = {0};

	(void)unused;
	assert_true(bytes_append(&b, "a", 1));
	char *room = bytes_reserve(&b, 10000);
	assert_non_null(room);
	memset(room, 'b', 10000);
	assert_int_equal(bytes_waiting(&b), 1);
	bytes_added(&b, 3);
	assert_int_equal(bytes_waiting(&b), 4);
	assert_memory_equal(bytes_first(&b), "abbb", 4);
	bytes_fini(&b);
}

static void a_large_one_lets_go_when_it_is_empty(void **unused)
{
	static char much[10 * BYTES_KEPT];
	struct bytes b = {0};

	(void)unused;
	assert_true(bytes_append(&b, much, sizeof much));
	bytes_consume(&b, sizeof much - 1);
	assert_non_null(b.at);
	bytes_consume(&b, 1);
	assert_null(b.at);
	assert_int_equal(b.size, 0);

	/* A small one is kept for what comes next. */
	assert_true(bytes_append(&b, much, BYTES_KEPT));
	char *at = b.at;
	bytes_consume(&b, BYTES_KEPT);
	assert_int_equal(b.size, BYTES_KEPT);
	assert_true(bytes_append(&b, much, BYTES_KEPT));
	assert_ptr_equal(b.at, at);
	bytes_fini(&b);
}

/* Who keeps up has a queue that never grows, however much went through it. */
static void what_is_consumed_is_room_again(void **unused)
{
	static char piece[1000];
	struct bytes b = {0};

	(void)unused;
	assert_true(bytes_append(&b, piece, sizeof piece));
	for (int i = 0; i < 10000; i++) {
		assert_true(bytes_append(&b, piece, sizeof piece));
		bytes_consume(&b, sizeof piece);
	}
	assert_true(b.size <= BYTES_KEPT);
	assert_int_equal(bytes_waiting(&b), sizeof piece);
	bytes_fini(&b);
}

/* The n-th byte that goes in says which one it is, so that each can be known again. */
static char nth(uint64_t n)
{
	return (char)(n * 131 ^ n >> 7);
}

static void any_order_of_calls_is_a_queue(void **unused)
{
	struct bytes b = {0};
	uint64_t in = 0, out = 0;
	unsigned random = 1;

	(void)unused;
	for (int step = 0; step < 20000; step++) {
		random = random * 1103515245u + 12345u;
		size_t len = (random >> 8) % 3000;
		if (random >> 30 < 2) {
			char *room = bytes_reserve(&b, len + 1);
			assert_non_null(room);
			for (size_t i = 0; i < len; i++)
				room[i] = nth(in++);
			bytes_added(&b, len);
		} else {
			if (len > bytes_waiting(&b) || random >> 24 == 0xff)
				len = bytes_waiting(&b);
			for (size_t i = 0; i < len; i++)
				assert_int_equal(bytes_first(&b)[i], nth(out + i));
			bytes_consume(&b, len);
			out += len;
		}
		assert_int_equal(bytes_waiting(&b), in - out);
		assert_true(b.start <= b.end && b.end <= b.size);
	}
	bytes_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_holds_nothing),
		cmocka_unit_test(what_is_appended_waits_in_order),
		cmocka_unit_test(what_is_reserved_counts_once_it_is_added),
		cmocka_unit_test(a_large_one_lets_go_when_it_is_empty),
		cmocka_unit_test(what_is_consumed_is_room_again),
		cmocka_unit_test(any_order_of_calls_is_a_queue),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
