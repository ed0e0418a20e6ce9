/* config/find.h - which row of the table a statement is about, and what is said when it
 * is none.
 */
#ifndef CONFIG_FIND_H
#define CONFIG_FIND_H

#include "config/build.h"

/* The row of a statement in a block of that kind, or the one that it seems to mean. What
 * is wrong with its words up to there is reported. NULL: it means nothing. */
const struct directive *find_directive(const struct build *b, enum context in,
				       const struct tree_statement *s);

/* The first row that a word names or, when none has that name, seems to mean: an error of
 * one letter then does not hide those in the block behind it, and makes no further ones.
 * Says nothing. */
const struct directive *find_meant(enum context in, const char *word);

#endif
