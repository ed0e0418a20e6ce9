/* config/suits.h - whether pools suit the listeners that use them: a word that only
 * HTTP can follow is wrong where TCP comes in.
 *
 * Which listeners a pool has is known at the end of the file only.
 */
#ifndef CONFIG_SUITS_H
#define CONFIG_SUITS_H

#include "config/build.h"

/* Reports what does not suit, where the pool says it. file: the file's own block. */
void suits_check(const struct build *b, const struct block *file);

#endif
