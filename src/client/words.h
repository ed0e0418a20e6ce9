/* client/words.h - a line becomes words, which may hold any byte, and bytes become text
 * again.
 *
 *   put user:1 "two words"          blanks part words, quotes keep them together
 *   put key \x00\xff'\ as it is'    \xHH is a byte; between '...' nothing is special
 *
 * Outside of '...' a backslash is followed by x and two hex digits, by n, r or t, or by
 * a backslash, a quote or a blank, which then mean themselves.
 *
 * Pure. Nothing is allocated: words are decoded where they stand, since none becomes
 * longer.
 */
#ifndef CLIENT_WORDS_H
#define CLIENT_WORDS_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/span.h"

enum { WORDS_MAX = 16 };

struct words {
	struct span at[WORDS_MAX];	/* in the line that was read */
	uint32_t count;
};

/* Reads `len` bytes, which change. -1 and *err, which names the column: a quote that is
 * not closed, an escape that is none, more than WORDS_MAX words. */
int words_read(char *line, size_t len, struct words *w, struct err *err);

/* Decodes the escapes of all of `text`, blanks and quotes being nothing special. */
int words_unescape(char *text, size_t *len, struct err *err);

/* Prints bytes so that words_unescape gives them back: on one line, nothing in it that
 * controls a terminal. What is UTF-8 stays as it is. */
void words_print(FILE *out, struct span bytes);

/* Whether words_print prints them as they are. */
bool words_are_plain(struct span bytes);

/* The same as words_print into a text for a message, cut where it would be too long. */
enum { WORDS_TEXT_MAX = 64 };
struct words_text {
	char text[WORDS_TEXT_MAX + 8];
};
struct words_text words_text(struct span bytes);

#endif
