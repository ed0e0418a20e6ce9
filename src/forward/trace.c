#include "forward/trace.h"

#include "parse/traceparent.h"

#define NAME "traceparent: "

_Static_assert(sizeof NAME - 1 + TRACEPARENT_LENGTH + 2 <= TRACE_LINE_MAX, "it fits");

size_t trace_write(const struct h1_head *head, const char *at, const struct trace_dice *dice,
		   char out[TRACE_LINE_MAX], uint32_t *dropped)
{
	const struct h1_field *field = h1_field_find_only(head, H1_NAME_TRACEPARENT);
	struct traceparent t;

	*dropped |= 1u << H1_NAME_TRACEPARENT;
	if (field == NULL || !traceparent_parse(h1_value_span(at, field), &t)) {
		*dropped |= 1u << H1_NAME_TRACESTATE;
		traceparent_set_trace(&t, dice->random[0], dice->random[1]);
		t.sampled = dice->sampled;
	}
	traceparent_set_parent(&t, dice->random[2]);
	memcpy(out, NAME, sizeof NAME - 1);
	traceparent_write(&t, out + sizeof NAME - 1);
	memcpy(out + sizeof NAME - 1 + TRACEPARENT_LENGTH, "\r\n", 2);
	return sizeof NAME - 1 + TRACEPARENT_LENGTH + 2;
}
