/* model/gate.h - at most so many at once, over all loops.
 *
 * A loop that finds the gate full notes that it is waiting; whoever leaves is told
 * which loops wait, and wakes them. Nobody is promised a place: a loop that is woken
 * tries again, until nothing waits in it or it is turned away and noted once more.
 *
 * Why no wake-up is lost. Who comes counts itself first, and steps back when that
 * was too many, so `inside` is those inside and those about to step back. A loop
 * gives up only if, as it steps back with its note made, as many as the place has
 * are counted besides it. Each of these either leaves later, and then sees the note
 * (its own step and this one are in one order: all of it is sequentially
 * consistent), or steps back later, and then the same holds for it; the last one
 * that steps back sees only those inside, so it tries again if there is room, and
 * sees the note when it leaves. A note that somebody has taken meanwhile is a
 * wake-up that is under way: it may come before the loop has begun to wait, so it
 * must be one that stays until it is seen (loop_post is).
 *
 * Threads: any. `max` is given at each call, since a reload may change it: a raised
 * one is noticed when somebody leaves.
 */
#ifndef MODEL_GATE_H
#define MODEL_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/must.h"

struct gate {
	atomic_uint   inside;
	atomic_ullong waiting_loops;	/* a bit per loop number */
	atomic_ullong turned_away;	/* times that it was full: a counter */
};

/* True: inside, to be left with gate_leave. False: `max` are inside, and this loop
 * (below MODEL_LOOPS_MAX) is noted as waiting. max 0: no limit, but counted. */
static inline bool gate_enter(struct gate *g, uint32_t max, unsigned loop)
{
	for (;;) {
		uint32_t before = atomic_fetch_add(&g->inside, 1);
		if (max == 0 || before < max)
			return true;
		/* Note it first and step back after: whoever leaves later than that
		 * sees the note; whoever left in between makes room seen below. */
		atomic_fetch_or(&g->waiting_loops, 1ull << loop);
		if (atomic_fetch_sub(&g->inside, 1) > max) {
			atomic_fetch_add_explicit(&g->turned_away, 1,
						  memory_order_relaxed);
			return false;
		}
	}
}

/* Whether it seems to have room; nothing is noted. */
static inline bool gate_has_room(struct gate *g, uint32_t max)
{
	return max == 0 || atomic_load_explicit(&g->inside, memory_order_relaxed) < max;
}

/* Returns the loops to be woken, as bits; they are no longer noted. */
static inline uint64_t gate_leave(struct gate *g)
{
	uint32_t before = atomic_fetch_sub(&g->inside, 1);
	must(before > 0);
	if (atomic_load(&g->waiting_loops) == 0)
		return 0;
	return atomic_exchange(&g->waiting_loops, 0);
}

#endif
