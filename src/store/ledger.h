/* store/ledger.h - a store's entries on disk: logs of writes and, to keep those short,
 * snapshots. (The journal is another thing: control/journal.h, a balancer's changes.)
 *
 *   DIR/lock                held (flock) by the one worker that uses DIR
 *   DIR/log.000007          writes since the snapshot of the same number began
 *   DIR/snapshot.000007     everything there was then; written as .new, renamed when whole
 *
 * Records carry their length, a CRC32c and what store_item has; replaying them in any order and
 * any number of times gives the same store, since versions decide. A torn record at the end of
 * the newest log is cut off, with a line in the log that says so; a bad one anywhere else is
 * an error that names file and offset, and what to do.
 *
 *   loop: ledger_append -> its buffer -(end of turn)-> writer thread: write, fdatasync
 *                                                          '-> on_durable (loop_post)
 *
 * Disks: a slow one delays the writer thread only; what waits for it is bounded by
 * LEDGER_WAITING_MAX, then ledger_is_full says so and the caller takes no more writes. A full
 * or failing one is said in the log, once a minute; writes are tried again each second, and
 * meanwhile nothing counts as durable.
 *
 * Threads: as said at each function; a lane is the caller's number of a loop.
 */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

enum { LEDGER_WAITING_MAX = 64 * 1024 * 1024, LEDGER_LANES_MAX = 16 };

/* When a write counts as kept, and a request with it as answered. */
enum ledger_sync {
	LEDGER_SYNC_NEVER,	/* the system writes when it wants */
	LEDGER_SYNC_SECOND,	/* fdatasync once a second; a power cut loses the last second */
	LEDGER_SYNC_ALWAYS,	/* an answer waits for fdatasync; those of one moment share it */
};

struct ledger;

struct ledger_options {
	const char *directory;		/* created when missing (its parent must be there) */
	enum ledger_sync sync;
	uint32_t lanes;
	/* On the writer's thread: what `lane` has appended up to `seq` is durable, as `sync` has
	 * it. It must post, not act. */
	void (*on_durable)(void *arg, uint32_t lane, uint64_t seq);
	void *arg;
};

/* Takes the directory, reads what is there into the store, which is empty, cuts a torn tail
 * and starts the writer thread. NULL and *err: nothing is left behind. Before any loop runs. */
struct ledger *ledger_open(const struct ledger_options *o, struct store *s, struct err *err);

/* Writes what was appended, syncs it (whatever the policy), and ends. After the loops' threads. */
void ledger_close(struct ledger *j);

/* One write; `seq` grows with each call of a lane. The lane's loop. */
void ledger_append(struct ledger *j, uint32_t lane, uint64_t seq, const struct store_item *item);

/* Hands what the lane has appended to the writer. The lane's loop, at the end of a turn. */
void ledger_flush(struct ledger *j, uint32_t lane);

/* Whether more than LEDGER_WAITING_MAX wait. Any thread. */
bool ledger_is_full(const struct ledger *j);

/* Snapshots. The logs have grown to more than twice what the store holds: one is due. The
 * caller then calls ledger_snapshot_step now and then, with all lanes' writes going on; each
 * call copies about one segment of the store. True: it is done, and older files are gone.
 * One thread, always the same. */
bool ledger_snapshot_is_due(const struct ledger *j);
bool ledger_snapshot_step(struct ledger *j, uint64_t now_ms);

struct ledger_figures {
	uint64_t appended, durable_lag_bytes, bytes_on_disk, syncs, snapshots, failures;
	uint64_t loaded, torn_bytes;	/* by ledger_open */
	bool     failing;
};
void ledger_figures(const struct ledger *j, struct ledger_figures *out);

#endif
