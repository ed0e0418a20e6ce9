#include "store/ledger.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "store/ledger_inside.h"
#include "store/ledger_load.h"

/* ---- life ---- */

static struct ledger *ledger_new(const struct ledger_options *o, struct store *s)
{
	must(o->lanes >= 1 && o->lanes <= LEDGER_LANES_MAX);
	struct ledger *l = memory_new(1, sizeof *l + o->lanes * sizeof l->lanes[0]);
	pthread_condattr_t by_monotonic_clock;

	l->sync = o->sync;
	l->lane_count = o->lanes;
	l->on_durable = o->on_durable;
	l->arg = o->arg;
	l->store = s;
	l->snapshot.fd = -1;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&by_monotonic_clock);
	pthread_condattr_setclock(&by_monotonic_clock, CLOCK_MONOTONIC);
	pthread_cond_init(&l->news, &by_monotonic_clock);
	pthread_condattr_destroy(&by_monotonic_clock);
	return l;
}

static void ledger_free(struct ledger *l)
{
	for (uint32_t i = 0; i < l->lane_count; i++) {
		bytes_fini(&l->lanes[i].filling);
		bytes_fini(&l->lanes[i].handed);
		bytes_fini(&l->lanes[i].writing);
	}
	bytes_fini(&l->snapshot.chunk);
	pthread_cond_destroy(&l->news);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Signals are for the loops: the thread has none. */
static int start_thread(struct ledger *l, struct err *err)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int reason = pthread_create(&l->thread, NULL, ledger_write_all, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return reason == 0 ? 0 : err_set(err, "no thread for %s: error %d",
					 l->directory.path, reason);
}

struct ledger *ledger_open(const struct ledger_options *o, struct store *s,
			   struct err *err)
{
	struct ledger *l = ledger_new(o, s);
	struct ledger_loaded loaded;

	if (ledger_directory_open(&l->directory, o->directory, err) != 0)
		goto free_ledger;
	if (ledger_load(&l->directory, s, o->now_ms, &loaded, err) != 0)
		goto close_directory;
	ledger_directory_clean(&l->directory, loaded.snapshot);
	l->log_fd = loaded.log_fd;
	l->number = loaded.number;
	l->salt = loaded.salt;
	l->loaded = loaded.loaded;
	l->torn_bytes = loaded.torn_bytes;
	l->log_bytes = loaded.log_bytes;
	l->snapshot_bytes = loaded.snapshot_bytes;
	if (start_thread(l, err) != 0)
		goto close_log;
	return l;

close_log:
	close(l->log_fd);
close_directory:
	ledger_directory_close(&l->directory);
free_ledger:
	ledger_free(l);
	return NULL;
}

void ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	for (uint32_t i = 0; i < l->lane_count; i++)
		ledger_flush(l, i);
	pthread_mutex_lock(&l->lock);
	l->ending = true;
	pthread_cond_signal(&l->news);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	if (l->snapshot.fd >= 0) {
		close(l->snapshot.fd);
		ledger_directory_drop_new(&l->directory, l->snapshot.number);
	}
	close(l->log_fd);
	ledger_directory_close(&l->directory);
	ledger_free(l);
}

bool ledger_pool_key(const char *directory, struct siphash_key *key)
{
	struct ledger_directory d = {.path = (char *)(uintptr_t)directory};
	uint8_t bytes[LEDGER_HEAD_BYTES];
	char name[LEDGER_NAME_MAX];
	struct ledger_list list;
	struct ledger_head head;
	struct err err;
	bool found = false;

	d.fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d.fd < 0)
		return false;
	if (ledger_directory_list(&d, &list, &err) == 0 && list.last_log > 0) {
		ledger_name(name, LEDGER_LOG, list.last_log);
		int fd = openat(d.fd, name, O_RDONLY | O_CLOEXEC);
		found = fd >= 0 && read(fd, bytes, sizeof bytes) == sizeof bytes &&
			ledger_head_read(&head, bytes);
		if (fd >= 0)
			close(fd);
	}
	close(d.fd);
	if (found)
		*key = head.key;
	return found;
}

/* ---- the lanes ---- */

/* A record that there is no memory for is made up for by a snapshot: the store has it. */
void ledger_append(struct ledger *l, uint32_t lane, uint64_t seq,
		   const struct store_item *item)
{
	must(lane < l->lane_count && item->version != 0);
	struct ledger_lane *at = &l->lanes[lane];
	size_t size = ledger_item_size(item);
	char *to = bytes_reserve(&at->filling, size);

	at->filling_seq = seq;
	atomic_fetch_add_explicit(&l->appended, 1, memory_order_relaxed);
	if (to == NULL) {
		at->lost = true;
		return;
	}
	ledger_item_write(item, l->salt, to);
	bytes_added(&at->filling, size);
	atomic_fetch_add_explicit(&l->waiting_bytes, size, memory_order_relaxed);
}

/* Appends what waits in `from` to `to`; mostly that is empty, and they change places. */
static bool move_bytes(struct bytes *to, struct bytes *from)
{
	if (bytes_waiting(to) == 0) {
		struct bytes kept = *to;
		*to = *from;
		*from = kept;
		return true;
	}
	bool done = bytes_append(to, bytes_first(from), bytes_waiting(from));
	bytes_consume(from, bytes_waiting(from));
	return done;
}

void ledger_flush(struct ledger *l, uint32_t lane)
{
	struct ledger_lane *at = &l->lanes[lane];
	size_t len = bytes_waiting(&at->filling);

	if (len == 0 && !at->lost)
		return;
	pthread_mutex_lock(&l->lock);
	if (!move_bytes(&at->handed, &at->filling)) {
		at->lost = true;
		atomic_fetch_sub_explicit(&l->waiting_bytes, len, memory_order_relaxed);
	}
	l->doubts += at->lost;
	at->lost = false;
	at->handed_seq = at->filling_seq;
	pthread_cond_signal(&l->news);
	pthread_mutex_unlock(&l->lock);
}

bool ledger_is_full(const struct ledger *l)
{
	return atomic_load_explicit(&l->waiting_bytes, memory_order_relaxed) >
	       LEDGER_WAITING_MAX;
}

void ledger_figures(const struct ledger *l, struct ledger_figures *out)
{
	*out = (struct ledger_figures){
		.appended = l->appended, .durable_lag_bytes = l->waiting_bytes,
		.bytes_on_disk = l->log_bytes + l->snapshot_bytes,
		.syncs = l->syncs, .snapshots = l->snapshots, .failures = l->failures,
		.loaded = l->loaded, .torn_bytes = l->torn_bytes,
		.failing = l->blocked_now || l->in_doubt,
	};
}
