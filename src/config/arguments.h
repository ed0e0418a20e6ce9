/* config/arguments.h - the words behind a directive fill the fields that the table
 * names: first what is known by its place, then keywords in any order.
 */
#ifndef CONFIG_ARGUMENTS_H
#define CONFIG_ARGUMENTS_H

#include "config/build.h"

/* Reads all words of s, which stands in a block of that kind, behind those of the
 * directive itself into target, and notes in `given` which arguments there were. Each
 * word that does not fit is reported. */
void arguments_read(const struct build *b, enum context in,
		    const struct tree_statement *s, void *target, struct given *given);

/* Right behind the last word: where something is missing. */
struct place arguments_end(const struct tree_statement *s);

#endif
