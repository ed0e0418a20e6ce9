/* store/ledger_inside.h - what a ledger is made of, for the files ledger*.c alone.
 *
 * Three kinds of thread meet here: the lanes' loops, the writer, and the one that walks
 * for snapshots. What two of them use is under `lock` or atomic; the lock is never held
 * while the disk is waited for.
 *
 *   lane's loop:  filling -(flush)-> handed            a snapshot, by `state`:
 *   writer:                          handed -> writing     NONE -> ASKED -> READY <-> CHUNK
 *                                      |                                      '-> LAST
 *                                      '-> log, sync, on_durable              OVER <-'
 */
#ifndef STORE_LEDGER_INSIDE_H
#define STORE_LEDGER_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "store/ledger.h"
#include "store/ledger_directory.h"

struct ledger_lane {
	/* the loop's */
	struct bytes filling;
	uint64_t     filling_seq;	/* of the last record in it */
	bool         lost;		/* a record had no room in memory */

	/* under the lock */
	struct bytes handed;
	uint64_t     handed_seq;

	/* the writer's */
	struct bytes writing;
	uint64_t     writing_seq;
	uint64_t     written_seq, told_seq;
};

/* Whose turn it is in a snapshot: the walker's in NONE, READY and OVER, else the
 * writer's. */
enum snapshot_state {
	SNAPSHOT_NONE,
	SNAPSHOT_ASKED,		/* a new log and a new snapshot are to be begun */
	SNAPSHOT_READY,		/* for the next segment */
	SNAPSHOT_CHUNK,		/* chunk is to be written */
	SNAPSHOT_LAST,		/* the same, and the snapshot is whole with it */
	SNAPSHOT_BROKEN,	/* it is to be dropped, for `reason` */
	SNAPSHOT_OVER,		/* done or failed */
};

struct snapshot {
	enum snapshot_state state;	/* under the lock */

	/* of whose turn it is */
	struct bytes chunk;

	/* the walker's */
	uint64_t cursor, entries;
	struct siphash_key key;		/* the store's, when it began */
	int      reason;		/* of SNAPSHOT_BROKEN, as errno */

	/* the writer's */
	int      fd;			/* owned; -1 when there is none */
	uint64_t bytes, unsynced_bytes;
	uint32_t number;
	uint64_t doubts;		/* what ledger.doubts was when it began */
};

struct ledger {
	/* set once */
	enum ledger_sync sync;
	uint32_t lane_count;
	void   (*on_durable)(void *arg, uint32_t lane, uint64_t seq);
	void    *arg;
	struct store *store;		/* borrowed */
	struct ledger_directory directory;
	pthread_t thread;
	uint64_t  salt;
	uint64_t  loaded, torn_bytes;

	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t  news;		/* for the writer */
	bool            ending;
	struct snapshot snapshot;	/* as said there */
	/* Moments after which nobody knows that the logs have everything; a snapshot
	 * makes up for those before it began. They are settled when the two are equal. */
	uint64_t doubts, doubts_settled;

	/* the writer's */
	int      log_fd;		/* owned */
	uint32_t number;		/* of that log */
	bool     unsynced;		/* it has bytes that fdatasync has not seen */
	bool     blocked;		/* the last write failed; not again
					 * before retry_ns */
	uint64_t synced_ns, retry_ns;
	uint64_t said_ns;		/* 0: never */
	uint64_t rest_ns;		/* when the next snapshot may be tried */

	/* anybody's */
	atomic_uint_least64_t waiting_bytes, appended;
	atomic_uint_least64_t log_bytes, snapshot_bytes;
	atomic_uint_least64_t syncs, snapshots, failures;
	atomic_bool blocked_now, in_doubt;	/* what the writer saw last of these */
	atomic_bool resting;		/* a snapshot failed a moment ago */
	atomic_bool running;		/* one is under way */

	struct ledger_lane lanes[];
};

/* The writer's thread: until `ending` is set and all is written. */
void *ledger_write_all(void *ledger);

/* Whether the logs may lack something. The caller has the lock. */
static inline bool ledger_is_in_doubt(const struct ledger *l)
{
	return l->doubts != l->doubts_settled;
}

/* The clock that the writer's times are of. */
uint64_t ledger_now_ns(void);

/* A failure, counted, and said in the log at most once a minute: "WHAT DIRECTORY: the
 * reason; THEN". The writer. */
void ledger_say(struct ledger *l, const char *what, int reason, const char *then);

/* From now on the logs may lack something. The writer, without the lock. */
void ledger_doubt(struct ledger *l);

/* Does what the snapshot's state asks of the writer, and passes the turn on. The writer,
 * without the lock. */
void ledger_snapshot_write(struct ledger *l, enum snapshot_state state);

#endif
