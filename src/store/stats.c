#include "store/stats.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "base/log.h"
#include "base/must.h"

/* The lanes' counts, summed up for the pool, or the largest where a sum says nothing. */
static const struct {
	const char *name;
	size_t      at;
	bool        largest;
} counted[] = {
#define COUNT(field) {#field, offsetof(struct lane_counts, field), false}
#define LARGEST(field) {#field, offsetof(struct lane_counts, field), true}
	COUNT(gets), COUNT(hits), COUNT(sets), COUNT(deletes), COUNT(expires), COUNT(refused),
	COUNT(held), COUNT(busy),
	COUNT(replicated_out), COUNT(replicated_in), COUNT(passed_on), COUNT(not_carried),
	LARGEST(peers), LARGEST(peers_open), LARGEST(peers_behind), COUNT(backlog_bytes),
	COUNT(waiting),
	COUNT(syncs_given), COUNT(syncs_taken), COUNT(sync_entries_in), COUNT(bad_input),
};

struct text {
	char  *at;
	size_t len;
};

static void line(struct text *t, const char *name, uint64_t value)
{
	int n = snprintf(t->at + t->len, STATS_TEXT_MAX - t->len, "%s %llu\n", name,
			 (unsigned long long)value);

	must(n > 0 && t->len + (size_t)n < STATS_TEXT_MAX);
	t->len += (size_t)n;
}

static void write_store(struct text *t, struct member *m)
{
	struct store_figures f;

	store_figures(m->store, &f);
	line(t, "entries", f.entries);
	line(t, "tombstones", f.tombstones);
	line(t, "bytes", f.bytes);
	line(t, "memory_max", f.memory_max);
	line(t, "newest", f.newest);
	line(t, "purged", f.purged);
	int n = snprintf(t->at + t->len, STATS_TEXT_MAX - t->len, "digest %016llx\n",
			 (unsigned long long)f.digest);
	t->len += (size_t)n;
	line(t, "expired", f.expired);
}

static void write_counts(struct text *t, struct member *m)
{
	for (size_t i = 0; i < COUNT_OF(counted); i++) {
		uint64_t sum = 0;
		for (unsigned lane = 0; lane < m->lane_count; lane++) {
			const char *counts = (const char *)&m->lanes[lane]->counts;
			uint64_t one = __atomic_load_n(
				(const uint64_t *)(const void *)(counts + counted[i].at),
				__ATOMIC_RELAXED);
			sum = !counted[i].largest ? sum + one : one > sum ? one : sum;
		}
		line(t, counted[i].name, sum);
	}
}

static void write_ledger(struct text *t, struct member *m)
{
	struct ledger_figures f;

	if (m->ledger == NULL)
		return;
	ledger_figures(m->ledger, &f);
	line(t, "journal_appended", f.appended);
	line(t, "journal_lag_bytes", f.durable_lag_bytes);
	line(t, "journal_bytes", f.bytes_on_disk);
	line(t, "journal_syncs", f.syncs);
	line(t, "journal_snapshots", f.snapshots);
	line(t, "journal_failures", f.failures);
	line(t, "journal_failing", f.failing);
	line(t, "journal_loaded", f.loaded);
	line(t, "journal_torn_bytes", f.torn_bytes);
}

size_t stats_write(struct member *m, struct lane *l, char out[STATS_TEXT_MAX])
{
	struct log_losses log = log_losses();
	struct text t = {out, 0};

	line(&t, "id", m->id);
	line(&t, "uptime_s", (loop_now_ms(l->loop) - m->began_ms) / 1000);
	line(&t, "ready", __atomic_load_n(&m->is_ready, __ATOMIC_RELAXED));
	line(&t, "threads", m->lane_count);
	line(&t, "heap_bytes", heap_bytes_in_use());
	line(&t, "log_left_out", log.repeated + log.many);
	line(&t, "log_lost", log.full);
	write_store(&t, m);
	write_counts(&t, m);
	write_ledger(&t, m);
	return t.len;
}

void stats_log(struct member *m, struct lane *l)
{
	char text[STATS_TEXT_MAX];
	size_t len = stats_write(m, l, text);
	struct span rest = {text, len}, one;
	char joined[LOG_LINE_MAX] = "";
	size_t used = 0;

	/* name value, a line each, become name=value, as many as a line of the
	 * log has room for. */
	while (span_cut(&rest, '\n', &one)) {
		const char *space = memchr(one.at, ' ', one.len);
		int name = (int)(space - one.at), value = (int)one.len - name - 1;
		if (used + one.len + 2 > LOG_LINE_MAX - 100) {
			log_each(LOG_LEVEL_INFO, "statistics%s", joined);
			used = 0;
		}
		used += (size_t)snprintf(joined + used, sizeof joined - used,
					 " %.*s=%.*s", name, one.at, value, space + 1);
	}
	log_each(LOG_LEVEL_INFO, "statistics%s", joined);
}
