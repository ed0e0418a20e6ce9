/* Goal: what W3C Trace Context, section 3.2, calls valid is read, and nothing else; what is
 * written is valid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/must.h"
#include "parse/traceparent.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void valid_ones_are_read(void **unused)
{
	static const struct {
		const char *value;
		bool sampled;
	} cases[] = {
		{"00-" TRACE "-" PARENT "-01", true}, {"00-" TRACE "-" PARENT "-00", false},
		{"00-" TRACE "-" PARENT "-fe", false}, {"00-" TRACE "-" PARENT "-03", true},
		{"01-" TRACE "-" PARENT "-01", true}, {"cc-" TRACE "-" PARENT "-01-x", true},
		{"fe-" TRACE "-" PARENT "-01-", true},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct traceparent t;
		assert_true(traceparent_parse(span_of(cases[i].value), &t));
		assert_memory_equal(t.trace_id, TRACE, TRACE_ID_LENGTH);
		assert_memory_equal(t.parent_id, PARENT, TRACE_PARENT_LENGTH);
		assert_int_equal(t.sampled, cases[i].sampled);
		assert_true(span_equals(traceparent_id(span_of(cases[i].value)),
					SPAN(TRACE)));
	}
}

static void others_are_not(void **unused)
{
	static const char *const cases[] = {
		"", "00", "00-" TRACE "-" PARENT "-0", "00-" TRACE "-" PARENT "-01-",
		"00-" TRACE "-" PARENT "-01-x", "00-" TRACE "-" PARENT "-011",
		"01-" TRACE "-" PARENT "-011", "ff-" TRACE "-" PARENT "-01",
		"0g-" TRACE "-" PARENT "-01", "00-" TRACE "-" PARENT "-0G",
		"00_" TRACE "-" PARENT "-01", "00-" TRACE "_" PARENT "-01",
		"00-" TRACE "-" PARENT "_01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
		"00-" TRACE "-00F067AA0BA902B7-01",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" TRACE "-0000000000000000-01", "FF-" TRACE "-" PARENT "-01",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct traceparent t;
		assert_false(traceparent_parse(span_of(cases[i]), &t));
		assert_int_equal(traceparent_id(span_of(cases[i])).len, 0);
	}
}

static void what_is_written_is_read_the_same(void **unused)
{
	static const uint64_t numbers[] = {0, 1, UINT64_MAX, 0x0123456789abcdef};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		struct traceparent t = {.sampled = i & 1}, again;
		char out[TRACEPARENT_LENGTH];
		traceparent_set_trace(&t, numbers[i], numbers[i]);
		traceparent_set_parent(&t, numbers[i]);
		traceparent_write(&t, out);
		assert_true(traceparent_parse((struct span){out, sizeof out}, &again));
		assert_memory_equal(&again, &t, sizeof t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_ones_are_read),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(what_is_written_is_read_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
