/* store/ledger_writer.c - the thread that writes a ledger's logs, and tells what is
 * durable.
 *
 * It takes whatever the lanes have handed over, writes it, syncs it if the policy wants
 * that, and only then looks again: so all that came meanwhile shares the next sync. What
 * could not be written stays where it is, and the next try goes on at the byte where the
 * last one ended, so a log never has half a record in its midst.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "store/ledger_inside.h"

enum { LANE_BYTES_KEPT = 64 * 1024 };

#define SECOND_NS (UINT64_C(1000) * 1000 * 1000)
#define MINUTE_NS (60 * SECOND_NS)

uint64_t ledger_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

void ledger_say(struct ledger *l, const char *what, int reason, const char *then)
{
	uint64_t now = ledger_now_ns();

	l->failures++;
	if (l->said_ns != 0 && now - l->said_ns < MINUTE_NS)
		return;
	l->said_ns = now;
	log_error("%s %s: %s; %s", what, l->directory.path, strerrordesc_np(reason),
		  then);
}

void ledger_doubt(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->doubts++;
	pthread_mutex_unlock(&l->lock);
}

/* ---- what is written ---- */

/* All has gone; the memory stays for what comes next, unless it is much. */
static void empty(struct bytes *b)
{
	b->start = b->end = 0;
	if (b->size > LANE_BYTES_KEPT)
		bytes_fini(b);
}

/* False: something is left. */
static bool write_lane(struct ledger *l, struct ledger_lane *lane)
{
	struct bytes *b = &lane->writing;

	while (bytes_waiting(b) > 0) {
		ssize_t n = write(l->log_fd, bytes_first(b), bytes_waiting(b));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ledger_say(l, "cannot write to the log in",
				   n < 0 ? errno : ENOSPC,
				   "it is tried each second, and until then no write "
				   "counts as kept");
			return false;
		}
		b->start += (size_t)n;
		l->log_bytes += (uint64_t)n;
		l->waiting_bytes -= (uint64_t)n;
		l->unsynced = true;
	}
	empty(b);
	lane->written_seq = lane->writing_seq;
	return true;
}

static bool write_lanes(struct ledger *l)
{
	for (uint32_t i = 0; i < l->lane_count; i++)
		if (!write_lane(l, &l->lanes[i]))
			return false;
	return true;
}

/* A failed sync may have thrown away what it could not write, and the next one would not
 * say so: only a snapshot helps. */
static bool sync_log(struct ledger *l)
{
	bool done = fdatasync(l->log_fd) == 0;

	if (!done) {
		ledger_say(l, "cannot sync the log in", errno,
			   "no write counts as kept until there is a snapshot");
		ledger_doubt(l);
	}
	l->syncs++;
	l->synced_ns = ledger_now_ns();
	l->unsynced = false;
	return done;
}

static void tell(struct ledger *l)
{
	for (uint32_t i = 0; i < l->lane_count; i++) {
		struct ledger_lane *lane = &l->lanes[i];
		if (lane->written_seq == lane->told_seq)
			continue;
		lane->told_seq = lane->written_seq;
		l->on_durable(l->arg, i, lane->told_seq);
	}
}

static bool sync_is_due(const struct ledger *l, uint64_t now)
{
	return l->unsynced && (l->sync == LEDGER_SYNC_ALWAYS ||
			       (l->sync == LEDGER_SYNC_SECOND &&
				now - l->synced_ns >= SECOND_NS));
}

/* ---- what there is to do ---- */

/* The caller has the lock. */
static bool take_handed(struct ledger *l)
{
	bool any = false;

	for (uint32_t i = 0; i < l->lane_count; i++) {
		struct ledger_lane *lane = &l->lanes[i];
		if (bytes_waiting(&lane->writing) > 0) {	/* a write failed */
			any = true;
			continue;
		}
		struct bytes kept = lane->writing;
		lane->writing = lane->handed;
		lane->handed = kept;
		lane->writing_seq = lane->handed_seq;
		any |= bytes_waiting(&lane->writing) > 0;
	}
	return any;
}

static bool is_writers_turn(enum snapshot_state state)
{
	return state == SNAPSHOT_ASKED || state == SNAPSHOT_CHUNK ||
	       state == SNAPSHOT_LAST || state == SNAPSHOT_BROKEN;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When there is something to do even if nobody brings news. */
static uint64_t next_ns(const struct ledger *l)
{
	uint64_t at = UINT64_MAX;

	if (l->blocked)
		at = earlier(at, l->retry_ns);
	if (l->sync == LEDGER_SYNC_SECOND && l->unsynced)
		at = earlier(at, l->synced_ns + SECOND_NS);
	if (l->resting)
		at = earlier(at, l->rest_ns);
	return at;
}

/* The caller has the lock. */
static void wait_for_news(struct ledger *l)
{
	uint64_t at = next_ns(l);
	struct timespec t = {(time_t)(at / SECOND_NS), (long)(at % SECOND_NS)};

	if (at == UINT64_MAX)
		pthread_cond_wait(&l->news, &l->lock);
	else
		pthread_cond_timedwait(&l->news, &l->lock, &t);
}

/* The caller does not have the lock. */
static void write_round(struct ledger *l, enum snapshot_state snapshot)
{
	l->blocked = !write_lanes(l);
	l->blocked_now = l->blocked;
	if (l->blocked) {
		l->retry_ns = ledger_now_ns() + SECOND_NS;
		return;
	}
	if (sync_is_due(l, ledger_now_ns()))
		sync_log(l);
	if (is_writers_turn(snapshot))
		ledger_snapshot_write(l, snapshot);
	pthread_mutex_lock(&l->lock);
	l->in_doubt = ledger_is_in_doubt(l);
	pthread_mutex_unlock(&l->lock);
	if (!l->in_doubt)
		tell(l);
}

/* At the end: what was handed over is written, and on disk, or it is
 * said what is lost. */
static void finish(struct ledger *l)
{
	bool done = write_lanes(l);

	pthread_mutex_lock(&l->lock);
	take_handed(l);
	pthread_mutex_unlock(&l->lock);
	done = done && write_lanes(l);
	if (l->unsynced)
		done &= sync_log(l);
	if (!done || ledger_is_in_doubt(l))
		log_error("the data in %s lacks the last writes", l->directory.path);
}

void *ledger_write_all(void *ledger)
{
	struct ledger *l = ledger;

	log_hurry();		/* answers may wait for it */
	l->synced_ns = ledger_now_ns();
	pthread_mutex_lock(&l->lock);
	while (!l->ending) {
		uint64_t now = ledger_now_ns();
		bool any = take_handed(l);
		enum snapshot_state snapshot = l->snapshot.state;
		l->in_doubt = ledger_is_in_doubt(l);
		if (l->resting && now >= l->rest_ns)
			l->resting = false;
		if ((l->blocked && now < l->retry_ns) ||
		    (!any && !is_writers_turn(snapshot) && !sync_is_due(l, now))) {
			wait_for_news(l);
			continue;
		}
		pthread_mutex_unlock(&l->lock);
		write_round(l, snapshot);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	finish(l);
	return NULL;
}
