/* forward/trace.h - taking part in traces (W3C Trace Context): the field traceparent of a
 * request, as its server gets it.
 *
 *   the client's          what the server gets
 *   one, valid            the same trace and flag, a parent-id of ours; tracestate stays
 *   none, several, bad    a trace that begins here; tracestate is left out
 *
 * Pure: chance is given.
 */
#ifndef FORWARD_TRACE_H
#define FORWARD_TRACE_H

#include "parse/h1.h"

enum { TRACE_LINE_MAX = 72 };		/* bytes of the field, with CRLF */

struct trace_dice {
	uint64_t random[3];		/* a trace-id and a parent-id */
	bool     sampled;		/* if it begins here */
};

/* Writes the field with its CRLF to `out`; returns its length. Sets in *dropped the bits
 * (1 << enum h1_name) of the client's fields that may not be passed on. */
size_t trace_write(const struct h1_head *head, const char *at, const struct trace_dice *dice,
		   char out[TRACE_LINE_MAX], uint32_t *dropped);

#endif
