/* base/buf.h - bytes that have to wait, in a buffer from the loop's own slabs.
 *
 * A buffer is taken when bytes have to wait and put back when they have gone; who
 * holds none waits for nothing. Three sizes; a buffer never grows, buf_larger
 * moves its bytes to one of the next size.
 *
 * Invariant: start <= end <= size; the bytes that wait are [start, end).
 * Thread: the loop that owns the pool.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/slab.h"
#include "base/span.h"

enum { BUF_SIZES = 3, BUF_SMALL = 2048, BUF_MEDIUM = 16 * 1024, BUF_LARGE = 72 * 1024 };

struct buf {
	uint32_t start, end;	/* offsets into bytes */
	uint32_t size;		/* usable bytes */
	uint32_t kind;		/* which slab, 0 to BUF_SIZES - 1 */
	char     bytes[];
};

struct buf_pool {
	struct slab slabs[BUF_SIZES];
};

void buf_pool_init(struct buf_pool *pool);
void buf_pool_fini(struct buf_pool *pool);

/* An empty buffer for at least `bytes` bytes (at most BUF_LARGE), owned by the
 * caller; NULL: out of memory. */
struct buf *buf_get(struct buf_pool *pool, size_t bytes);

/* Takes a buffer back; NULL is allowed. */
void buf_put(struct buf_pool *pool, struct buf *b);

/* Puts the bytes of *b into a buffer for at least `bytes` bytes, at its start. On
 * success *b is the new one and the old one is put back; otherwise nothing has
 * changed. *b may be NULL. False: out of memory. */
bool buf_larger(struct buf_pool *pool, struct buf **b, size_t bytes);

static inline size_t buf_waiting(const struct buf *b)
{
	return b != NULL ? b->end - b->start : 0;
}

static inline size_t buf_room(const struct buf *b)
{
	return b->size - b->end;
}

static inline char *buf_at(struct buf *b)
{
	return b->bytes + b->start;
}

/* Appends; there must be room. `at` may be NULL when len is 0. */
static inline void buf_append(struct buf *b, const void *at, size_t len)
{
	must(len <= buf_room(b));
	if (len > 0)
		memcpy(b->bytes + b->end, at, len);
	b->end += (uint32_t)len;
}

static inline void buf_append_span(struct buf *b, struct span s)
{
	buf_append(b, s.at, s.len);
}

static inline void buf_consume(struct buf *b, size_t len)
{
	must(len <= buf_waiting(b));
	b->start += (uint32_t)len;
}

#endif
