/* base/expected.h - what could have stood where something else was found.
 *
 * Collects the words that are known in a place, for the two things a message says
 * about them: the list, and the one that was probably meant.
 *
 * Pure. The words are borrowed until the text has been taken.
 */
#ifndef BASE_EXPECTED_H
#define BASE_EXPECTED_H

#include <stdint.h>

enum {
	EXPECTED_LIST_MAX = 320,	/* bytes of the list, which may end in "..." */
	EXPECTED_WORD_MAX = 64,		/* longer words are near nothing */
};

struct expected {
	const char *found;
	const char *nearest;		/* NULL: none is near */
	uint32_t    distance;		/* of the nearest */
	uint32_t    count;
	char        list[EXPECTED_LIST_MAX];
	uint32_t    list_len;
};

void expected_init(struct expected *e, const char *found);

/* Puts a word on the list, in the order of the calls. */
void expected_add(struct expected *e, const char *word);

struct expected_text {
	char text[EXPECTED_LIST_MAX + EXPECTED_WORD_MAX + 64];
};

/* `expected one of a, b, c; did you mean "b"?`; without a near word the last part
 * is missing. */
struct expected_text expected_text(const struct expected *e);

/* How many letters have to be inserted, removed, replaced or exchanged with their
 * neighbour to make one word of the other; ASCII case does not count. The optimal
 * string alignment distance (Damerau, "A technique for computer detection and
 * correction of spelling errors", 1964). At least one too many when a word is
 * longer than EXPECTED_WORD_MAX. */
uint32_t expected_distance(const char *a, const char *b);

#endif
