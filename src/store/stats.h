/* store/stats.h - what a worker tells of itself: lines of a name and a value.
 *
 * Any lane's thread.
 */
#ifndef STORE_STATS_H
#define STORE_STATS_H

#include <stddef.h>

#include "store/member.h"

enum { STATS_TEXT_MAX = 4096 };

/* All of it, a line each; returns its length. */
size_t stats_write(struct member *m, struct lane *l, char out[STATS_TEXT_MAX]);

/* The same in the log, several to a line. */
void stats_log(struct member *m, struct lane *l);

#endif
