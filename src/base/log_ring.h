/* base/log_ring.h - the last lines of a log, by numbers that grow from 1.
 *
 * Pure. Whoever has it sees to it that one thread is in it at a time.
 */
#ifndef BASE_LOG_RING_H
#define BASE_LOG_RING_H

#include <stddef.h>
#include <stdint.h>

enum { LOG_RING_LINES = 1000 };

struct log_ring {
	uint64_t last;			/* number of the newest line; 0: there is none */
	struct {
		char    *line;		/* owned, with its newline; NULL: none, or there
					 * was no memory for it */
		uint32_t len;
	} all[LOG_RING_LINES];		/* number i is at i % LOG_RING_LINES */
};

void log_ring_put(struct log_ring *r, const char *line, size_t len);

/* Copies whole lines from number *next on, as many as fit; *next is the one behind them
 * then. *missed counts those before that are not there any more. Returns the bytes. */
size_t log_ring_read(const struct log_ring *r, uint64_t *next, uint64_t *missed,
		     char *room, size_t size);

/* Where to begin to get the last so many. */
uint64_t log_ring_last_ones(const struct log_ring *r, uint32_t count);

#endif
