/* store/quota.h - how much memory a store has taken from the system, and may take.
 *
 * Its shards count in here whenever they take a block or give one back, which is seldom:
 * one entry in some hundred does. So the count is one for all of them, and none of them
 * has a share of its own that others could not use.
 *
 * Thread: any.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct quota {
	_Atomic uint64_t bytes;		/* taken at present */
	uint64_t         bytes_max;	/* 0: no limit */
};

/* Counts `bytes` more. False: they are too many, and none were counted. Whoever must not
 * be refused is `unlimited`. */
static inline bool quota_take(struct quota *q, uint64_t bytes, bool unlimited)
{
	uint64_t before = atomic_fetch_add_explicit(&q->bytes, bytes,
						    memory_order_relaxed);

	if (unlimited || q->bytes_max == 0 || before + bytes <= q->bytes_max)
		return true;
	atomic_fetch_sub_explicit(&q->bytes, bytes, memory_order_relaxed);
	return false;
}

static inline void quota_give(struct quota *q, uint64_t bytes)
{
	atomic_fetch_sub_explicit(&q->bytes, bytes, memory_order_relaxed);
}

#endif
