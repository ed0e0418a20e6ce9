/* store/member.h - the worker as a whole: its store, its lanes, what the balancer
 * has told of its pool.
 *
 * Lane 0 runs on the main thread and owns all that is there once: the roster,
 * the door through which peers come in, signals, keys, and the timers that
 * sweep and take snapshots.
 *
 * Threads: constant after member_open, but for what says that it is lane 0's.
 */
#ifndef STORE_MEMBER_H
#define STORE_MEMBER_H

#include "loop/signals.h"
#include "store/door.h"
#include "store/keys.h"
#include "store/lane.h"
#include "store/options.h"
#include "store/roster.h"

enum {
	MEMBER_SWEEP_MS = 10, MEMBER_SWEEP_SLOTS = 8 * 1024,	/* some segments at a
								 * time */
	MEMBER_SNAPSHOT_MS = 5, MEMBER_SNAPSHOT_STEPS = 4, MEMBER_SNAPSHOT_LOOK_MS = 500,
	MEMBER_FILL_MS_MAX = 30 * 1000,	/* without anything of it: the
					 * worker joins anew */
	MEMBER_PARTING_MS = 100,	/* for answers under way, when it
					 * is told to stop */
};

struct member {
	const struct worker_options *options;	/* borrowed */
	struct store   *store;		/* owned */
	struct ledger  *ledger;	/* owned; NULL: memory only */
	uint32_t id;
	struct address peers_at;	/* where peers come in */
	char     secret[KV_SECRET_MAX];
	size_t   secret_len;		/* 0: none */
	struct lane *lanes[WORKER_THREADS_MAX];	/* owned */
	unsigned lane_count;
	uint64_t memory_hard_max;	/* 0: none */
	bool     is_ready;		/* atomic: for statistics */

	/* Lane 0's. */
	struct roster   roster;
	struct resolver *resolver;	/* owned; NULL: the balancer's
					 * address is no name */
	struct door     door;
	struct signals  signals;
	struct keys     keys;
	struct loop_timer sweep, snapshot, stats, filling, parting;
	uint64_t began_ms;
	uint64_t fill_signs, fill_signs_seen;	/* of life, while being filled */
	bool     in_snapshot, parting_began, broken;

	/* For member_use_key: lanes that stand still. */
	pthread_mutex_t still_lock;
	pthread_cond_t  still_changed;
	unsigned        still;
	bool            stand_still;
};

/* Everything but the threads. -1 and *err: nothing is left behind. */
int member_open(struct member *m, const struct worker_options *o, struct err *err);

/* Runs until it is told to stop. 0, or -1: it had to leave the pool, as the log says. */
int member_run(struct member *m);

void member_close(struct member *m);

/* Ends member_run: at once, or when answers under way are out. Lane 0. */
void member_stop(struct member *m, bool at_once);

/* Begins a greeting, with what a worker says of itself. Any lane. */
void member_hello(struct member *m, struct kv_hello *h, uint8_t role, unsigned lane,
		  bool connector);

/* From now on the store hashes by this key, and all peers are begun anew; nothing happens
 * when it does so already. No lane does anything meanwhile. Lane 0. */
void member_use_key(struct member *m, const uint8_t key[KV_POOL_KEY_BYTES]);

/* Memory is at its hard limit: says so and leaves the pool. Any lane. */
void member_look_at_memory(struct member *m, struct lane *l);

static inline struct lane *member_first(struct member *m)
{
	return m->lanes[0];
}

#endif
