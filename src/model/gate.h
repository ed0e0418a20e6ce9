/* model/gate.h - at most so many at once, over all loops.
 *
 * A loop that finds the gate full notes that it is waiting; whoever leaves is told
 * which loops wait, and wakes them. Nobody is promised a place: who is woken tries
 * again, and waits again when another was faster.
 *
 * Threads: any. `max` is given at each call, since a reload may change it.
 */
#ifndef MODEL_GATE_H
#define MODEL_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
	atomic_uint   inside;
	atomic_ullong waiting_loops;	/* a bit per loop number */
	atomic_ullong turned_away;	/* times that it was full: a counter */
};

/* True: inside, to be left with gate_leave. False: `max` are inside, and this loop
 * is noted as waiting. max 0: no limit, but counted. */
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
			atomic_fetch_add_explicit(&g->turned_away, 1, memory_order_relaxed);
			return false;
		}
	}
}

/* Returns the loops to be woken, as bits; they are no longer noted. */
static inline uint64_t gate_leave(struct gate *g)
{
	atomic_fetch_sub(&g->inside, 1);
	if (atomic_load(&g->waiting_loops) == 0)
		return 0;
	return atomic_exchange(&g->waiting_loops, 0);
}

#endif
