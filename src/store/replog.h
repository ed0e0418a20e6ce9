/* store/replog.h - a lane's writes that some peer has not acknowledged yet, in the order
 * of their numbers, as REPLICATE messages that can be sent as they are.
 *
 * Pure: no socket, no clock. Memory comes in chunks, as much as there is to keep.
 *
 *   chunk          chunk          chunk
 *   [m m m m m m] [m m m m m   ] [m m m ->
 *        ^ start          ^ a peer's cursor   ^ end
 *
 * Positions count bytes since the log began, and never go back. A cursor is a position
 * between two messages. What is before all cursors is let go of, a chunk at a time.
 *
 * Thread: the lane's.
 */
#ifndef STORE_REPLOG_H
#define STORE_REPLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/span.h"
#include "parse/kv_wire.h"

enum { REPLOG_CHUNK_BYTES = 256 * 1024 };

struct replog {
	struct link chunks;		/* oldest first; owned */
	uint64_t start, end;		/* positions: what is kept */
	uint64_t seq;			/* of the last message; 0: there was none yet */
	uint64_t start_seq;		/* of the first one that is kept */
};

void replog_init(struct replog *l);
void replog_fini(struct replog *l);

/* Appends m, a REPLICATE, under the next number, which is set in it and returned. 0: out
 * of memory, nothing has changed. */
uint64_t replog_append(struct replog *l, struct kv_message *m);

/* What comes next at a cursor: whole messages that stand side by side, at most about
 * `max` bytes but at least one message; empty at the end. *cursor moves behind them.
 * Borrowed, for this turn. The cursor must not be before `start`. */
struct span replog_next(const struct replog *l, uint64_t *cursor, size_t max);

/* Moves *cursor behind all messages up to number `seq`, but not beyond the cursor `sent`;
 * the number of the last one that it has passed, 0 if none. */
uint64_t replog_pass(const struct replog *l, uint64_t *cursor, uint64_t sent,
		     uint64_t seq);

/* What is before `position` is not needed any more; chunks are let go of that lie
 * before it as a whole. */
void replog_forget(struct replog *l, uint64_t position);

/* Nobody needs any of it. */
void replog_clear(struct replog *l);

/* Bytes that are kept. */
static inline uint64_t replog_kept(const struct replog *l)
{
	return l->end - l->start;
}

#endif
