/* base/bytes.h - a queue of bytes that grows: what waits to be sent, or to be understood.
 *
 * One run of memory, from the heap, that is let go as soon as the queue is empty and
 * larger than BYTES_KEPT; so who waits for nothing holds next to nothing. How long a
 * queue may get is its owner's business.
 *
 * Invariant: start <= end <= size; the bytes that wait are [start, end).
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/must.h"

enum { BYTES_KEPT = 4096 };

struct bytes {		/* all zero: empty */
	char  *at;	/* owned */
	size_t start, end, size;
};

/* Lets go of everything. */
void bytes_fini(struct bytes *b);

/* Room for `len` more behind the last byte; they may be written there, and count once
 * bytes_added says so. NULL: out of memory, nothing has changed. */
char *bytes_reserve(struct bytes *b, size_t len);

/* The first `len` bytes are done with. */
void bytes_consume(struct bytes *b, size_t len);

static inline size_t bytes_waiting(const struct bytes *b)
{
	return b->end - b->start;
}

static inline char *bytes_first(const struct bytes *b)
{
	return b->at + b->start;
}

/* So many of the bytes reserved are there. */
static inline void bytes_added(struct bytes *b, size_t len)
{
	must(len <= b->size - b->end);
	b->end += len;
}

/* Appends a copy. False: out of memory, nothing has changed. */
static inline bool bytes_append(struct bytes *b, const void *from, size_t len)
{
	char *to = bytes_reserve(b, len);

	if (to == NULL)
		return false;
	if (len > 0)
		memcpy(to, from, len);
	bytes_added(b, len);
	return true;
}

#endif
