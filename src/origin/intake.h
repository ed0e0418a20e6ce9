/* origin/intake.h - the body of a request, taken out of the bytes received.
 *
 * Pure: works on a buffer, not on a socket. What stands behind the body (the next
 * request of a pipeline) stays in the buffer.
 */
#ifndef ORIGIN_INTAKE_H
#define ORIGIN_INTAKE_H

#include "base/buf.h"
#include "parse/h1.h"

struct intake {
	enum h1_body      kind;
	uint64_t          left;		/* bytes to come, when the length is known */
	struct h1_chunked chunked;
	bool              over;		/* all of it has been taken */
};

void intake_init(struct intake *i, const struct h1_head *head);

/* Takes a run of at most `max` (at least 1) bytes of payload. *payload is where it
 * stands in the buffer, until that is written to again; it may be empty. H1_DONE:
 * this was the last of it, or there was nothing left. H1_MORE: go on, or receive
 * more when the run is empty. H1_BAD: the framing is broken. `in` may be NULL. */
enum h1_result intake_take(struct intake *i, struct buf *in, size_t max,
			   struct span *payload);

#endif
