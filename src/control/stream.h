/* control/stream.h - an answer that goes on: its reader gets what is there, and then what
 * comes, until it leaves or the interface ends.
 *
 *   source (events, log) --wake--> exchange --pull--> source: STREAM_PIECE_MAX bytes
 *
 * Nothing waits for a reader but one piece. What it has not read yet is in the source's
 * own bounded ring, and who is too slow for that is told how much it has missed. A reader
 * that takes nothing for CONTROL_WRITE_MS is dropped, and counted.
 *
 * Lives inside the source's struct. Thread: control.
 */
#ifndef CONTROL_STREAM_H
#define CONTROL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum {
	STREAMS_MAX = 16,
	STREAMS_TCP_MAX = 12,		/* of these, over TCP */
	STREAM_PIECE_MAX = 16 * 1024,
	STREAM_ROOM = STREAM_PIECE_MAX + 16,	/* with its frame */
	STREAM_BEAT_MS = 15 * 1000,	/* without anything to say */
};

/* How many there are, and what became of others. */
struct streams {
	uint32_t open, tcp;		/* tcp: of the open ones */
	uint64_t refused;		/* there were as many as there may be */
	uint64_t dropped;		/* their readers took nothing any more */
};

struct stream {
	struct link link;		/* in the source's list of readers */

	/* Writes what there is, as much of it as fits; returns how many bytes. 0: nothing
	 * at present. Never out of wake. */
	size_t (*pull)(struct stream *s, char *room, size_t size);

	/* The reader is gone: frees it all. Exactly once, never out of wake. */
	void (*end)(struct stream *s);

	/* What may be sent to show that we are there; NULL: nothing. */
	const char *beat;

	/* Of the reader, if there is one: told that pull has something. */
	void (*wake)(void *waiter);
	void *waiter;
};

/* Tells all readers of a source. */
void stream_wake_all(struct link *readers);

/* The next piece, framed as a chunk (RFC 9112, section 7.1) or not. 0: there is none. */
size_t stream_piece(struct stream *s, bool chunked, char room[STREAM_ROOM]);

/* The beat, likewise. */
size_t stream_beat(const struct stream *s, bool chunked, char room[STREAM_ROOM]);

#endif
