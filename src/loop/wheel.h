/* loop/wheel.h - timers in a hierarchical wheel: O(1) to start, stop and run.
 *
 * Varghese and Lauck, "Hashed and hierarchical timing wheels" (1987), scheme 7:
 * LEVELS wheels of SLOTS slots; a slot of level n spans SLOTS^n milliseconds. A
 * timer stands in the finest level that reaches its time and moves one level down
 * when the time comes near. A bit per slot tells which ones hold timers, so that
 * the next one is found without a walk. The levels cover all 64 bits of a time, so
 * that nothing wraps.
 *
 * Pure: the time is told by the caller. Thread: one.
 */
#ifndef LOOP_WHEEL_H
#define LOOP_WHEEL_H

#include <stdint.h>

#include "loop/loop.h"

enum { WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 11 };

struct wheel {
	uint64_t    now_ms;	/* all slots before it are empty */
	uint64_t    count;	/* timers armed */
	uint64_t    taken[WHEEL_LEVELS];	/* a bit per slot that holds timers */
	struct link slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, uint64_t now_ms);

/* Arms t for due_ms. An armed timer that moves to a later time stays where it is
 * and is put right when its slot comes up. */
void wheel_start(struct wheel *w, struct loop_timer *t, uint64_t due_ms);
void wheel_stop(struct wheel *w, struct loop_timer *t);

/* When wheel_expire is to be called next: never later than the first timer's due
 * time, sometimes earlier. UINT64_MAX: nothing is armed. */
uint64_t wheel_next_ms(const struct wheel *w);

/* Moves on to now_ms and gives out one timer whose time has come, disarmed; NULL
 * when there is none (left). Call it until it says NULL, or go on later. */
struct loop_timer *wheel_expire(struct wheel *w, uint64_t now_ms);

#endif
