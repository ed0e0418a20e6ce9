/* health/verdict.h - turns a stream of probe results into one up/down verdict.
 *
 * Pure: no sockets, no clock, no allocation. prober.c decides when to probe and
 * what counts as success; this file only decides when enough is enough.
 *
 * Invariant: `streak` counts results in a row that contradict `up`, and stays
 * below the threshold that would flip it.
 *
 * Threads: one writer. Other threads learn the verdict from model/live.h, never
 * from this struct.
 */
#ifndef HEALTH_VERDICT_H
#define HEALTH_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

struct verdict {
	bool     up;
	bool     first;		/* no result was fed yet: the first one decides alone */
	uint16_t streak;
	uint16_t rise;		/* successes in a row to come up, at least 1 */
	uint16_t fall;		/* failures in a row to go down, at least 1 */
};

/* Starts in the given state, without a result. */
void verdict_init(struct verdict *v, bool up, uint16_t rise, uint16_t fall);

/* Feeds one probe result. True when it flipped the verdict: the caller then
 * publishes and logs, exactly once per change. */
bool verdict_feed(struct verdict *v, bool success);

/* Somebody else (a passive mark) has decided: the streak begins anew. */
void verdict_force(struct verdict *v, bool up);

/* From now on other thresholds (a reload). The streak goes on, but never flips the
 * verdict by itself: at least one more result is needed. */
void verdict_tune(struct verdict *v, uint16_t rise, uint16_t fall);

#endif
