/* Goal: a trace goes on with us as its parent, or begins here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "forward/trace.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define GOOD "traceparent: 00-" TRACE "-00f067aa0ba902b7-01\r\n"
#define OURS "0000000000000009"

static struct h1_head head;
static char out[TRACE_LINE_MAX];
static uint32_t dropped;

static struct span written(const char *fields, bool sampled)
{
	static const struct h1_limits limits = {8192, 8192, 100};
	const struct trace_dice dice = {{7, 8, 9}, sampled};
	static char text[1024];

	snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	assert_int_equal(h1_parse_request(&head, text, strlen(text), 0, &limits), H1_DONE);
	dropped = 0;
	return (struct span){out, trace_write(&head, text, &dice, out, &dropped)};
}

static void is_written(const char *fields, bool sampled, const char *want, uint32_t drops)
{
	assert_true(span_equals(written(fields, sampled), span_of(want)));
	assert_int_equal(dropped, drops);
}

static const uint32_t parent = 1u << H1_NAME_TRACEPARENT;
static const uint32_t both = 1u << H1_NAME_TRACEPARENT | 1u << H1_NAME_TRACESTATE;

static void a_valid_one_goes_on_with_our_parent_id(void **unused)
{
	(void)unused;
	is_written(GOOD "tracestate: a=1\r\n", false, "traceparent: 00-" TRACE "-" OURS "-01\r\n",
		   parent);
	is_written("TRACEPARENT: 05-" TRACE "-00f067aa0ba902b7-10-new\r\n", true,
		   "traceparent: 00-" TRACE "-" OURS "-00\r\n", parent);
}

static void without_a_valid_one_a_trace_begins(void **unused)
{
	static const char begun[] =
		"traceparent: 00-00000000000000070000000000000008-" OURS "-01\r\n";
	static const char unsampled[] =
		"traceparent: 00-00000000000000070000000000000008-" OURS "-00\r\n";

	(void)unused;
	is_written("", true, begun, both);
	is_written("", false, unsampled, both);
	is_written("traceparent: nonsense\r\ntracestate: a=1\r\n", true, begun, both);
	is_written("tracestate: a=1\r\n", true, begun, both);
	is_written(GOOD GOOD, true, begun, both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_valid_one_goes_on_with_our_parent_id),
		cmocka_unit_test(without_a_valid_one_a_trace_begins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
