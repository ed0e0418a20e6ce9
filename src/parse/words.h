/* parse/words.h - a line becomes words, by the rules that redis-server and redis-cli have
 * for quotes.
 *
 * "..." with \n \r \t \b \a, \xHH and \ before any other character; '...' with \' alone.
 * A quote may open within a word; where it closes, the word ends, and a blank follows.
 *
 * Pure. In place: a word is written over itself, which quotes and escapes make no
 * longer; one without quotes stays as it is.
 */
#ifndef PARSE_WORDS_H
#define PARSE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum words {
	WORDS_DONE,
	WORDS_UNBALANCED,	/* a quote does not close, or no blank follows it */
	WORDS_MANY,		/* more than there is room for */
};

/* Splits [line, line + len) and changes it. *count is how many words[] are set. */
enum words words_split(char *line, size_t len, struct span *words, uint32_t words_max,
		       uint32_t *count);

#endif
