/* forward/record.h - what is noted of a request for the access log.
 *
 * A loop writes records into a ring of its own and never waits: a full ring means
 * a record is left out and counted. observe/access_log.c reads the rings on a
 * thread of its own, formats and writes.
 *
 * A record lies in one piece: where the end of the ring has too little room for one, a
 * gap is left there. So it is written once, and read where it lies.
 *
 * Threads: one writer (the loop), one reader. The ring is a single-producer,
 * single-consumer byte queue: each side writes its own position only, and keeps what
 * it last saw of the other's, so that it seldom has to look. Zeroed memory is an
 * empty ring that nobody reads.
 */
#ifndef FORWARD_RECORD_H
#define FORWARD_RECORD_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum {
	RECORD_RING_BYTES = 1024 * 1024,	/* a power of two */
	RECORD_TEXT_MAX = 2048,		/* of one text; what is longer is cut */
	RECORD_HEADERS = 4,		/* ACCESS_HEADERS_MAX */
};

enum record_text {
	RECORD_PEER, RECORD_METHOD, RECORD_TARGET, RECORD_HOST, RECORD_REFERER,
	RECORD_USER_AGENT, RECORD_POOL, RECORD_SERVER, RECORD_TRACE,
	RECORD_HEADER,			/* the first of those that a form of its own names */
	RECORD_TEXTS = RECORD_HEADER + RECORD_HEADERS
};

/* The fixed part; the texts follow it, each text_len[i] bytes, padded to 8. */
struct record {
	uint32_t size;			/* of all, a multiple of 8 */
	uint16_t status;		/* 0: none was sent */
	uint8_t  minor;			/* of the client's HTTP/1.x */
	uint8_t  tries;			/* servers that were asked */
	uint64_t wall_us;		/* when it was finished, since 1970 */
	uint64_t bytes_out;		/* to the client, without heads */
	uint64_t total_us;		/* from the first byte to the last */
	uint32_t server_us;		/* from the pick to the response head; 0: none */
	uint32_t request_id;		/* its number; 0: its pool gives none */
	uint32_t form_stamp;		/* of the form that names its headers; 0: none, then
					 * it has none of these either */
	uint16_t text_len[RECORD_TEXTS];
};

struct record_ring {
	/* the loop's */
	alignas(64) atomic_ullong written;	/* bytes ever */
	uint64_t      read_seen;		/* of `read`, at least */
	atomic_ullong dropped;			/* records left out */
	atomic_bool   wanted;			/* by whoever reads; seldom changed */
	atomic_uint   part;			/* one of so many is; 0 and 1: each */

	/* the reader's */
	alignas(64) atomic_ullong read;		/* bytes ever */
	uint64_t      written_seen;		/* of `written`, at least */

	alignas(64) char bytes[RECORD_RING_BYTES];
};

/* Whether somebody reads what is put there; NULL is allowed. */
static inline bool record_is_wanted(struct record_ring *ring)
{
	return ring != NULL && atomic_load_explicit(&ring->wanted, memory_order_relaxed);
}

/* Appends a record with these texts; sets size and text_len. False: no room, which
 * has been counted. The loop's thread. */
bool record_put(struct record_ring *ring, struct record *r,
		const struct span texts[RECORD_TEXTS]);

/* The oldest record, where it lies, and its texts; NULL: the ring is empty. Borrowed until
 * record_done, which makes room of it and is to be called once for each. The reader's
 * thread. */
const struct record *record_next(struct record_ring *ring, struct span texts[RECORD_TEXTS]);
void record_done(struct record_ring *ring);

#endif
