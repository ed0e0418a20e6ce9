/* observe/lines.h - lines on their way to a descriptor.
 *
 * They are collected, and written many at a time. What the descriptor does not take
 * is kept; a line that was written in part goes on where it stopped.
 */
#ifndef OBSERVE_LINES_H
#define OBSERVE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/access_format.h"

enum { LINES_BYTES = 64 * 1024 };

struct lines {
	size_t held;		/* bytes */
	bool   halfway;		/* they begin within a line */
	int    error;		/* errno of the last write, 0: it went well */
	char   bytes[LINES_BYTES + ACCESS_LINE_MAX];
};

/* Time to write. While it is false, there is room for one line more. */
static inline bool lines_full(const struct lines *l)
{
	return l->held >= LINES_BYTES;
}

/* Writes what is held, as far as it goes. False: not all of it; l->error says why. */
bool lines_write(struct lines *l, int fd);

/* Throws away what is held. Returns how many lines that were. */
uint64_t lines_forget(struct lines *l);

/* The same for the rest of a line that was begun with another descriptor. */
uint64_t lines_forget_half(struct lines *l);

#endif
