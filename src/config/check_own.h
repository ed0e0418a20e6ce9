/* config/check_own.h - what is wrong with a pool that owns its servers, though every word
 * of it is right.
 *
 * Called by build.c when an own block is complete, by check.c when its pool is, and by
 * suits.c when it is known which listeners lead there.
 */
#ifndef CONFIG_CHECK_OWN_H
#define CONFIG_CHECK_OWN_H

#include "config/build.h"

/* The last variable that the own block has added, named. */
void check_new_variable(const struct build *b, const struct block *block);

/* An own block that has been read to its end. */
void check_own(const struct build *b, const struct block *block);

/* The block of a pool with one. */
void check_owning_pool(const struct build *b, const struct block *block);

/* A listen http block that has been read to its end: finds the pool of `admin legacy`. */
void check_legacy(const struct build *b, const struct block *block);

/* All of the file's: whose servers would get the same names. */
void check_own_names(const struct build *b);

#endif
