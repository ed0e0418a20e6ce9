/* parse/traceparent.h - the field traceparent (W3C Trace Context, level 1, section 3.2):
 *
 *   00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *   version, trace-id, parent-id, trace-flags
 *
 * Of later versions the same four parts are understood, and written as version 00.
 *
 * Pure.
 */
#ifndef PARSE_TRACEPARENT_H
#define PARSE_TRACEPARENT_H

#include "base/span.h"

enum {
	TRACEPARENT_LENGTH = 55,	/* of version 00 */
	TRACE_ID_LENGTH = 32, TRACE_PARENT_LENGTH = 16,		/* digits */
};

struct traceparent {
	char trace_id[TRACE_ID_LENGTH];		/* hexadecimal, lower case, not all 0 */
	char parent_id[TRACE_PARENT_LENGTH];	/* likewise */
	bool sampled;				/* the only flag of version 00 */
};

/* Reads a field's value. False: it is not valid, and the field has to be ignored. */
bool traceparent_parse(struct span value, struct traceparent *t);

/* Writes version 00; TRACEPARENT_LENGTH bytes. */
void traceparent_write(const struct traceparent *t, char out[TRACEPARENT_LENGTH]);

/* A trace-id of two random numbers, and a parent-id of one; never all 0. */
void traceparent_set_trace(struct traceparent *t, uint64_t high, uint64_t low);
void traceparent_set_parent(struct traceparent *t, uint64_t id);

/* The trace-id in a value; empty: it is not valid. */
struct span traceparent_id(struct span value);

#endif
