/* control/gather.h - the body of a request, gathered as its bytes come: of a known length,
 * or in chunks.
 *
 * Bounded: it grows as bytes come, up to CONTROL_BODY_MAX. Pure. Thread: control.
 */
#ifndef CONTROL_GATHER_H
#define CONTROL_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "parse/h1.h"

enum gather_result {
	GATHER_MORE,			/* it goes on */
	GATHER_DONE,			/* it is whole; what follows is the next request's */
	GATHER_LONG,			/* it has more than CONTROL_BODY_MAX bytes */
	GATHER_BAD,			/* its chunks are none: chunked.fault says why */
};

/* All zero: there is no body. */
struct gather {
	char    *bytes;			/* owned, NULL when empty */
	uint32_t len, size;
	uint64_t left;			/* of a known length */
	bool     is_chunked;
	struct h1_chunked chunked;
};

/* The body that this head announces. GATHER_LONG says so at once, where it does. */
enum gather_result gather_begin(struct gather *g, const struct h1_head *head);

/* Takes of the bytes what is the body's; *used says how many those were. */
enum gather_result gather_take(struct gather *g, struct span bytes, uint32_t *used);

void gather_drop(struct gather *g);

#endif
