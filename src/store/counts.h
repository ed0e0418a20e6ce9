/* store/counts.h - what a lane has counted since it began: one thread
 * writes, all may read.
 */
#ifndef STORE_COUNTS_H
#define STORE_COUNTS_H

#include <stdint.h>

struct lane_counts {
	uint64_t gets, hits, sets, deletes, expires;	/* clients' requests */
	uint64_t refused;		/* writes, for want of memory */
	uint64_t held, busy;		/* requests before it was ready:
					 * kept, sent away */
	uint64_t replicated_out;	/* writes given to the replication log */
	uint64_t replicated_in;		/* writes of peers */
	uint64_t passed_on;		/* writes of peers, to a newcomer */
	uint64_t not_carried;		/* writes that version 1 has no message for */
	uint64_t syncs_given, syncs_taken;
	uint64_t sync_entries_in;
	uint64_t bad_input;		/* connections that were ended for it */
	/* As of the end of the last turn that changed them. */
	uint64_t peers, peers_open, peers_behind, backlog_bytes, waiting;
};

static inline void count_add(uint64_t *count, uint64_t more)
{
	__atomic_store_n(count, __atomic_load_n(count, __ATOMIC_RELAXED) + more,
			 __ATOMIC_RELAXED);
}

static inline void count_up(uint64_t *count)
{
	count_add(count, 1);
}

static inline void count_set(uint64_t *count, uint64_t value)
{
	__atomic_store_n(count, value, __ATOMIC_RELAXED);
}

#endif
