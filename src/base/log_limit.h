/* base/log_limit.h - a message that comes again and again is said so often, and then how
 * often it was not.
 *
 * Messages are of one kind when they were written with the same format. The table is of
 * fixed size; kinds that find no place in it are not limited.
 *
 * Pure: time is given; an earlier one than before ends no window. Whoever holds the table
 * calls one at a time.
 */
#ifndef BASE_LOG_LIMIT_H
#define BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LOG_KINDS_MAX = 512,		/* a power of two, more than there are in a program */
	LOG_WINDOW_MS = 10000,		/* that lines of a kind are counted in */
};

struct log_kind {
	const char *format;		/* borrowed for good; NULL: nobody's place */
	uint64_t since_ms;		/* when its window began */
	uint32_t lines;			/* in that window */
	uint32_t left_out;		/* likewise */
};

/* Zeroed memory has seen nothing. */
struct log_limit {
	struct log_kind kinds[LOG_KINDS_MAX];
	uint32_t silent;		/* kinds that have left something out */
};

/* Whether a line of this kind may be written now, the window having room for `max`. */
bool log_limit_take(struct log_limit *l, const char *format, uint64_t now_ms, uint32_t max);

/* A kind whose window is over and that left lines out, which it has told by this; false:
 * there is none. all: whether its window is over or not. */
bool log_limit_tell(struct log_limit *l, uint64_t now_ms, bool all, struct log_kind *told);

#endif
