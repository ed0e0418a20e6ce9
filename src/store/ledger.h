/* store/ledger.h - a store's entries on disk: logs of writes and, to keep those short,
 * snapshots. (The journal is another thing: control/journal.h, a balancer's changes.)
 *
 *   DIR/lock                held (flock) by the one worker that uses DIR
 *   DIR/log.000007          writes since the snapshot of the same number began
 *   DIR/snapshot.000007     everything there was then; written as .new, renamed when whole
 *
 * Records carry their length, a CRC32c and what store_item has; replaying them in any
 * order and any number of times gives the same store, since versions decide. A torn
 * record at the end of the newest log is cut off, with a line in the log that says so; a
 * bad one anywhere else is an error that names file and offset, and what to do.
 *
 *   loop: ledger_append -> its buffer -(end of turn)-> writer thread: write, fdatasync
 *                                                          '-> on_durable (loop_post)
 *
 * Disks: a slow one delays the writer thread only; what waits for it is bounded by
 * LEDGER_WAITING_MAX, then ledger_is_full says so and the caller takes no more writes. A
 * full or failing one is said in the log, once a minute; writes are tried again each
 * second, and meanwhile nothing counts as durable. After a sync that failed nobody knows
 * what is on disk: a snapshot is due at once, and nothing counts as durable until it is
 * done.
 *
 * Threads: as said at each function; a lane is the caller's number of a loop.
 */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

enum {
	LEDGER_WAITING_MAX = 64 * 1024 * 1024, LEDGER_LANES_MAX = 16,
	LEDGER_LOG_BYTES_MIN = 64 * 1024 * 1024,	/* shorter logs need no
							 * snapshot */
};

/* When a write counts as kept, which is what its answer waits for. */
enum ledger_sync {
	LEDGER_SYNC_NEVER,	/* once the system has it, which writes when it
				 * wants: survives the end of the process, not that
				 * of the machine */
	LEDGER_SYNC_SECOND,	/* the same, and fdatasync once a second: a power cut
				 * loses the last second */
	LEDGER_SYNC_ALWAYS,	/* after fdatasync; those of one moment share it */
};

struct ledger;

struct ledger_options {
	const char *directory;		/* created when missing (its parent
					 * must be there) */
	enum ledger_sync sync;
	uint32_t lanes;
	uint64_t now_ms;		/* since 1970; tombstones that are read
					 * live from here */
	/* On the writer's thread: what `lane` has appended up to `seq` is durable, as
	 * `sync` has it. It must post, not act. */
	void (*on_durable)(void *arg, uint32_t lane, uint64_t seq);
	void *arg;
};

/* The pool's key that a store had whose ledger this was, so that one made with it need
 * not be hashed anew. False: there is none. Before ledger_open; takes no lock. */
bool ledger_pool_key(const char *directory, struct siphash_key *key);

/* Takes the directory, reads what is there into the store, which is empty, cuts a torn
 * tail and starts the writer thread. NULL and *err: nothing is left behind but a part
 * of the data in the store. Before any loop runs. */
struct ledger *ledger_open(const struct ledger_options *o, struct store *s,
			   struct err *err);

/* Writes what was appended, syncs it (whatever the policy), and ends. What a failing disk
 * does not take is lost, which is said in the log. After the loops' threads. */
void ledger_close(struct ledger *l);

/* One write, as the store has it: its version is not 0. `seq` grows with each call of a
 * lane. The lane's loop. */
void ledger_append(struct ledger *l, uint32_t lane, uint64_t seq,
		   const struct store_item *item);

/* Hands what the lane has appended to the writer. The lane's loop, at
 * the end of a turn. */
void ledger_flush(struct ledger *l, uint32_t lane);

/* Whether more than LEDGER_WAITING_MAX wait. Any thread. */
bool ledger_is_full(const struct ledger *l);

/* Snapshots. One is due when the logs have grown to more than LEDGER_LOG_BYTES_MIN and
 * twice the last snapshot; not for a minute after one that failed. The caller then
 * calls ledger_snapshot_step now and then, with all lanes' writes going on; each call
 * copies at most one segment of the store, or none while the disk is busy with the one
 * before. True: it is over; done, and older files are gone, or failed, which was said
 * in the log. One thread, always the same; with a store of one shard, that store's. */
bool ledger_snapshot_is_due(const struct ledger *l);
bool ledger_snapshot_step(struct ledger *l, uint64_t now_ms);

struct ledger_figures {
	uint64_t appended;		/* writes */
	uint64_t durable_lag_bytes;	/* appended, and not written yet */
	uint64_t bytes_on_disk, syncs, snapshots;
	uint64_t failures;		/* of writes, syncs and snapshots */
	uint64_t loaded, torn_bytes;	/* by ledger_open */
	bool     failing;		/* at present */
};

/* Any thread. */
void ledger_figures(const struct ledger *j, struct ledger_figures *out);

#endif
