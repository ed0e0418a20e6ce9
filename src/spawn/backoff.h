/* spawn/backoff.h - when a start may be tried: not at once after one that failed, and not
 * too many in a minute. Pure: the time is told, and so is chance.
 *
 * After a failure it waits a second, and twice as long after each further one, up to a
 * minute; by chance up to a quarter less, so that pools that failed together do not come
 * again together. Failures of the same round count once.
 */
#ifndef SPAWN_BACKOFF_H
#define SPAWN_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BACKOFF_MS_MIN = 1000,
	BACKOFF_MS_MAX = 60 * 1000,
	BACKOFF_WINDOW_S = 60,
};

struct backoff {
	uint32_t failures;		/* in a row */
	uint64_t until_ms;		/* not before this; 0: at once */
};

/* One has failed, or several at once. */
void backoff_failed(struct backoff *b, uint64_t now_ms, uint64_t random);

/* One has come up: the next one is tried at once. */
void backoff_succeeded(struct backoff *b);

/* How long from now; 0: it may be tried. */
uint64_t backoff_wait_ms(const struct backoff *b, uint64_t now_ms);

/* How many there were in the last minute, by the second. All zero at first. */
struct start_rate {
	uint64_t second;		/* the last one that was counted */
	uint32_t starts[BACKOFF_WINDOW_S];
};

/* One more. */
void start_rate_count(struct start_rate *r, uint64_t now_ms);

/* How long until there are fewer than `max` (not 0) in a minute; 0: there are. */
uint64_t start_rate_wait_ms(struct start_rate *r, uint64_t now_ms, uint32_t max);

#endif
