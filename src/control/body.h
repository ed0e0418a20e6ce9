/* control/body.h - reads what a request says besides its path: a JSON object, or the
 * arguments behind the "?".
 *
 * Both are a table of members. What is unknown, missing, there twice, of another type
 * or out of range is an error that names the member and says what is expected; then
 * nothing was read.
 *
 * Pure. Thread: control.
 */
#ifndef CONTROL_BODY_H
#define CONTROL_BODY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "control/reply.h"

enum member_kind {
	MEMBER_TEXT,		/* const char *, borrowed from what body_read gives */
	MEMBER_NUMBER,		/* uint32_t from min to max */
	MEMBER_ID,		/* uint64_t, any that JSON has */
	MEMBER_BOOL,		/* bool; in a query 1, 0, true and false */
	MEMBER_ARRAY,		/* json_t *, borrowed likewise */
};

struct member {
	const char *name;
	enum member_kind kind;
	bool     required;
	uint32_t min, max;
	bool     zero;		/* 0 is read, below min too: whoever asks refuses it */
	void    *value;		/* set if it is given; of the kind's type */
	bool    *given;		/* set to true if so; NULL: nobody asks */
};

/* Reads a body; an empty one is an object without members. What it gives is owned by
 * the caller (json_decref). NULL: the reply says what is wrong. */
json_t *body_read(struct span body, const struct member *members, uint32_t count,
		  struct reply *r);

/* Reads "name=value&name=value", into numbers and bools only. False: the reply says
 * what is wrong. */
bool body_read_query(struct span query, const struct member *members, uint32_t count,
		     struct reply *r);

#endif
