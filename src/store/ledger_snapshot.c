/* store/ledger_snapshot.c - snapshots: one walks through the store, the other writes.
 *
 * A new log is begun first, and the walk after it: so a write that the walk did not meet
 * is in the new log, and one that is in an older log was met, unless a later one of its
 * key took its place. So the snapshot and the logs from its number on are everything.
 *
 * The walker's thread never waits for the disk; the writer syncs the new file as it
 * grows, so that the last sync, which the logs' writes have to wait for, is no longer
 * than others.
 */
#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "store/ledger_inside.h"

enum { UNSYNCED_MAX = 4 * 1024 * 1024, REST_SECONDS = 60 };

/* ---- the walker ---- */

bool ledger_snapshot_is_due(const struct ledger *l)
{
	uint64_t enough = 2 * l->snapshot_bytes;

	if (l->running)
		return true;
	if (l->resting)
		return false;
	return l->in_doubt ||
	       l->log_bytes >
		       (enough > LEDGER_LOG_BYTES_MIN ? enough : LEDGER_LOG_BYTES_MIN);
}

struct copying {
	struct snapshot *snapshot;
	uint64_t salt;
	bool failed;
};

static void copy_item(void *arg, uint64_t hash, const struct store_item *item)
{
	struct copying *c = arg;
	size_t size = ledger_item_size(item);
	char *to = c->failed ? NULL : bytes_reserve(&c->snapshot->chunk, size);

	(void)hash;
	if (to == NULL) {
		c->failed = true;
		return;
	}
	ledger_item_write(item, c->salt, to);
	bytes_added(&c->snapshot->chunk, size);
	c->snapshot->entries++;
}

/* What is behind the last segment: how many there were, and what they do not say. */
static bool copy_end(struct ledger *l)
{
	struct snapshot *snapshot = &l->snapshot;
	size_t size = LEDGER_RECORD_HEAD + LEDGER_END_BYTES;
	struct store_figures figures;
	char *to = bytes_reserve(&snapshot->chunk, size);

	if (to == NULL)
		return false;
	store_figures(l->store, &figures);
	ledger_end_write(&(struct ledger_end){
		snapshot->entries, figures.newest, figures.purged,
	}, l->salt, to);
	bytes_added(&snapshot->chunk, size);
	return true;
}

/* Fills the chunk from the next segment. The state that follows. With another key, the
 * places of all entries are others: such a walk would miss some. */
static enum snapshot_state copy_segment(struct ledger *l, uint64_t now_ms)
{
	struct snapshot *snapshot = &l->snapshot;
	struct siphash_key key = store_key(l->store);
	struct copying c = {snapshot, l->salt, false};

	snapshot->reason = ECANCELED;
	if (key.low != snapshot->key.low || key.high != snapshot->key.high)
		return SNAPSHOT_BROKEN;
	snapshot->reason = ENOMEM;
	if (store_walk(l->store, &snapshot->cursor, now_ms, copy_item, &c))
		return c.failed ? SNAPSHOT_BROKEN : SNAPSHOT_CHUNK;
	return copy_end(l) ? SNAPSHOT_LAST : SNAPSHOT_BROKEN;
}

static void set_state(struct ledger *l, enum snapshot_state state)
{
	pthread_mutex_lock(&l->lock);
	l->snapshot.state = state;
	pthread_cond_signal(&l->news);
	pthread_mutex_unlock(&l->lock);
}

bool ledger_snapshot_step(struct ledger *l, uint64_t now_ms)
{
	pthread_mutex_lock(&l->lock);
	enum snapshot_state state = l->snapshot.state;
	pthread_mutex_unlock(&l->lock);

	if (state == SNAPSHOT_NONE) {
		l->snapshot.cursor = l->snapshot.entries = 0;
		l->snapshot.key = store_key(l->store);
		l->running = true;
		set_state(l, SNAPSHOT_ASKED);
	} else if (state == SNAPSHOT_READY) {
		set_state(l, copy_segment(l, now_ms));
	} else if (state == SNAPSHOT_OVER) {
		l->running = false;
		set_state(l, SNAPSHOT_NONE);
		return true;
	}
	return false;
}

/* ---- the writer ---- */

static bool say(struct ledger *l, const char *what)
{
	ledger_say(l, what, errno, "it is tried again in a minute");
	return false;
}

/* From here on writes go to a log of the next number. The one before is on disk first, or
 * it could be torn although it is not the newest. */
static bool begin(struct ledger *l)
{
	struct snapshot *snapshot = &l->snapshot;
	struct ledger_head head = {LEDGER_LOG, l->number + 1, l->salt, snapshot->key};

	if (fdatasync(l->log_fd) != 0)	/* it is this snapshot that makes up for it */
		ledger_doubt(l);
	pthread_mutex_lock(&l->lock);
	snapshot->doubts = l->doubts;
	pthread_mutex_unlock(&l->lock);
	int log = ledger_directory_create(&l->directory, &head);
	if (log < 0)
		return say(l, "cannot begin a log in");
	close(l->log_fd);
	l->log_fd = log;
	l->number = snapshot->number = head.number;
	l->log_bytes += LEDGER_HEAD_BYTES;
	l->unsynced = false;
	head.file = LEDGER_SNAPSHOT;
	snapshot->fd = ledger_directory_create(&l->directory, &head);
	snapshot->bytes = LEDGER_HEAD_BYTES;
	snapshot->unsynced_bytes = 0;
	return snapshot->fd >= 0 || say(l, "cannot begin a snapshot in");
}

static bool write_chunk(struct ledger *l)
{
	struct snapshot *snapshot = &l->snapshot;

	while (bytes_waiting(&snapshot->chunk) > 0) {
		ssize_t n = write(snapshot->fd, bytes_first(&snapshot->chunk),
				  bytes_waiting(&snapshot->chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n < 0 ? errno : ENOSPC;
			return say(l, "cannot write a snapshot in");
		}
		bytes_consume(&snapshot->chunk, (size_t)n);
		snapshot->bytes += (uint64_t)n;
		snapshot->unsynced_bytes += (uint64_t)n;
	}
	if (snapshot->unsynced_bytes < UNSYNCED_MAX)
		return true;
	snapshot->unsynced_bytes = 0;
	return fdatasync(snapshot->fd) == 0 || say(l, "cannot sync a snapshot in");
}

/* The snapshot is in force, whatever becomes of the older files. */
static bool finish(struct ledger *l)
{
	struct snapshot *snapshot = &l->snapshot;

	if (!write_chunk(l))
		return false;
	if (fsync(snapshot->fd) != 0)
		return say(l, "cannot sync a snapshot in");
	if (ledger_directory_finish(&l->directory, snapshot->number) != 0)
		return say(l, "cannot name a snapshot in");
	close(snapshot->fd);
	snapshot->fd = -1;
	ledger_directory_clean(&l->directory, snapshot->number);
	off_t log_bytes = lseek(l->log_fd, 0, SEEK_CUR);
	l->log_bytes = log_bytes > 0 ? (uint64_t)log_bytes : 0;
	l->snapshot_bytes = snapshot->bytes;
	l->snapshots++;
	pthread_mutex_lock(&l->lock);
	l->doubts_settled = snapshot->doubts;
	pthread_mutex_unlock(&l->lock);
	return true;
}

static void give_up(struct ledger *l)
{
	struct snapshot *snapshot = &l->snapshot;

	bytes_fini(&snapshot->chunk);
	if (snapshot->fd >= 0) {
		close(snapshot->fd);
		snapshot->fd = -1;
		ledger_directory_drop_new(&l->directory, snapshot->number);
	}
	l->rest_ns = ledger_now_ns() + (uint64_t)REST_SECONDS * 1000 * 1000 * 1000;
	l->resting = true;
}

void ledger_snapshot_write(struct ledger *l, enum snapshot_state state)
{
	bool is_last = state == SNAPSHOT_LAST;
	bool done = state == SNAPSHOT_ASKED ? begin(l) :
		    state == SNAPSHOT_CHUNK ? write_chunk(l) :
		    is_last ? finish(l) : false;

	if (state == SNAPSHOT_BROKEN) {
		errno = l->snapshot.reason;
		say(l, "there is no snapshot in");
	}
	if (!done)
		give_up(l);
	pthread_mutex_lock(&l->lock);
	l->snapshot.state = done && !is_last ? SNAPSHOT_READY : SNAPSHOT_OVER;
	pthread_mutex_unlock(&l->lock);
}
