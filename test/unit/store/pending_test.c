/* Goal: an answer comes out when both of its conditions are reached and not before, those of
 * one promise in the order in which they went in, and one promise never waits for another. */
#include "store/pending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct span text_of(char out[24], unsigned number)
{
	return (struct span){out, (size_t)snprintf(out, 24, "answer %u", number)};
}

static void add(struct pending *p, enum pending_promise promise, uint64_t seq, uint64_t kept,
		unsigned number)
{
	char text[24];

	assert_true(pending_add(p, promise, (struct pending_mark){seq, kept},
				text_of(text, number)));
}

/* Takes out the one that is due; false: there is none. */
static bool takes(struct pending *p, enum pending_promise promise, uint64_t seq, uint64_t kept,
		  unsigned number)
{
	struct span answer;
	char text[24];

	if (!pending_first(p, promise, (struct pending_mark){seq, kept}, &answer))
		return false;
	assert_true(span_equals(answer, text_of(text, number)));
	pending_drop(p, promise);
	return true;
}

static void answers_come_out_in_order_as_far_as_is_reached(void **state)
{
	struct pending p = {0};

	(void)state;
	for (unsigned i = 1; i <= 1000; i++)
		add(&p, PENDING_ALL, i, 0, i);
	for (unsigned reached = 0, next = 1; reached <= 1000; reached += 7) {
		while (takes(&p, PENDING_ALL, reached, 0, next))
			next++;
		assert_int_equal(next, reached + 1);
	}
	assert_int_equal(p.count, 1000 - 994);
	pending_fini(&p);
}

static void both_conditions_are_waited_for(void **state)
{
	struct pending p = {0};

	(void)state;
	add(&p, PENDING_ONE, 5, 8, 1);
	assert_false(takes(&p, PENDING_ONE, 4, 8, 1));
	assert_false(takes(&p, PENDING_ONE, 5, 7, 1));
	assert_true(takes(&p, PENDING_ONE, 5, 8, 1));
	assert_false(takes(&p, PENDING_ONE, UINT64_MAX, UINT64_MAX, 1));
	pending_fini(&p);
}

static void one_promise_does_not_wait_for_another(void **state)
{
	struct pending p = {0};

	(void)state;
	add(&p, PENDING_ALL, 1, 0, 1);
	add(&p, PENDING_ONE, 2, 0, 2);
	add(&p, PENDING_HERE, 0, 3, 3);
	assert_false(takes(&p, PENDING_ALL, 0, 9, 1));
	assert_true(takes(&p, PENDING_HERE, 0, 3, 3));
	assert_true(takes(&p, PENDING_ONE, 2, 0, 2));
	assert_true(takes(&p, PENDING_ALL, 1, 0, 1));
	assert_int_equal(pending_bytes(&p), 0);
	pending_fini(&p);
}

static void after_clearing_nothing_is_left(void **state)
{
	struct pending p = {0};

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		add(&p, (enum pending_promise)(i % PENDING_PROMISES), i, i, i);
	assert_int_equal(p.count, 100);
	assert_true(pending_bytes(&p) > 100);
	pending_clear(&p);
	assert_int_equal(p.count, 0);
	assert_int_equal(pending_bytes(&p), 0);
	for (int i = 0; i < PENDING_PROMISES; i++)
		assert_false(takes(&p, (enum pending_promise)i, UINT64_MAX, UINT64_MAX, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_come_out_in_order_as_far_as_is_reached),
		cmocka_unit_test(both_conditions_are_waited_for),
		cmocka_unit_test(one_promise_does_not_wait_for_another),
		cmocka_unit_test(after_clearing_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
