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
#include "base/span.h"

enum {
	STREAMS_MAX = 16,
	STREAMS_TCP_MAX = 12,		/* of these, over TCP */
	STREAM_PIECE_MAX = 16 * 1024,
	STREAM_ROOM = STREAM_PIECE_MAX + 16,	/* bytes, with its frame */
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

/* ---- the reader's side ---- */

struct stream_reader {
	struct streams *all;		/* borrowed */
	struct stream  *stream;		/* owned; NULL: there is none, all else is nothing */
	char *room;			/* owned, of STREAM_ROOM bytes */
	bool  is_tcp;			/* how it came */
	bool  chunked;			/* RFC 9112, section 7.1; else as it is */
};

/* Whether there is a place for one more that came this way. */
bool stream_has_place(const struct streams *all, bool is_tcp);

/* *r has all but `room`, which this makes; there has to be a place. */
void stream_begin(struct stream_reader *r);

/* The next piece, framed; empty: there is none at present. It is there until the next
 * call for this reader. */
struct span stream_next(struct stream_reader *r);

/* The beat, likewise. */
struct span stream_beat(struct stream_reader *r);

/* Ends the stream, if there is one. */
void stream_leave(struct stream_reader *r);

#endif
