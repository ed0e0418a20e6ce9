/* config/suits.h - whether pools suit the listeners that use them: a word that only
 * HTTP can follow is wrong where TCP comes in, and a pool has either servers, which the
 * file names, or workers, which join it by way of a key-value listener.
 *
 * Which listeners a pool has is known at the end of the file only.
 */
#ifndef CONFIG_SUITS_H
#define CONFIG_SUITS_H

#include "config/build.h"

/* Reports what does not suit, where the pool says it, and completes what a pool's probes
 * have to ask for. file: the file's own block. */
void suits_check(const struct build *b, const struct block *file);

#endif
