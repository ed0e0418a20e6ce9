/* Goal: what was told to be durable is there afterwards, through snapshots, full disks
 * and ends at any moment; and nobody else may use the directory meanwhile. */
#include "store/ledger.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/log.h"
#include "store/ledger_inside.h"
#include "unit/store/folder.h"

enum { LANES = 3, KEYS = 20000 };

/* What the writer told, and a way to wait for it. */
struct told {
	pthread_mutex_t lock;
	pthread_cond_t  news;
	uint64_t seq[LANES];
};

static void on_durable(void *arg, uint32_t lane, uint64_t seq)
{
	struct told *t = arg;

	pthread_mutex_lock(&t->lock);
	must(seq > t->seq[lane]);
	t->seq[lane] = seq;
	pthread_cond_signal(&t->news);
	pthread_mutex_unlock(&t->lock);
}

static void wait_for(struct told *t, uint32_t lane, uint64_t seq)
{
	pthread_mutex_lock(&t->lock);
	while (t->seq[lane] < seq)
		pthread_cond_wait(&t->news, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

static uint64_t told_so_far(struct told *t, uint32_t lane)
{
	pthread_mutex_lock(&t->lock);
	uint64_t seq = t->seq[lane];
	pthread_mutex_unlock(&t->lock);
	return seq;
}

/* A store and its ledger. */
struct pair {
	struct store *s;
	struct ledger *l;
	struct told told;
	uint64_t seq[LANES];
	uint64_t version;
};

static struct store *new_store(uint32_t shards)
{
	struct store_options o = {.shards = shards, .tombstone_ms = 1000, .key = {5, 6}};
	struct store *s = store_create(&o);

	assert_non_null(s);
	return s;
}

static void start(struct pair *p, const struct folder *f, enum ledger_sync sync)
{
	struct ledger_options o = {
		.directory = f->path, .sync = sync, .lanes = LANES, .now_ms = 1,
		.on_durable = on_durable, .arg = &p->told,
	};
	struct err err;

	*p = (struct pair){.s = new_store(4)};
	pthread_mutex_init(&p->told.lock, NULL);
	pthread_cond_init(&p->told.news, NULL);
	p->l = ledger_open(&o, p->s, &err);
	if (p->l == NULL)
		fail_msg("%s", err.text);
	struct store_figures figures;
	store_figures(p->s, &figures);
	p->version = figures.newest;
}

/* The digest of all that there was. */
static uint64_t stop(struct pair *p)
{
	struct store_figures figures;

	ledger_close(p->l);
	store_figures(p->s, &figures);
	store_destroy(p->s);
	pthread_cond_destroy(&p->told.news);
	pthread_mutex_destroy(&p->told.lock);
	return hash_pair(figures.digest, figures.tombstones);
}

static void write_one(struct pair *p)
{
	uint64_t dice = hash_mix(++p->version);
	uint32_t lane = dice % LANES, key = (uint32_t)(dice >> 8) % KEYS;
	char value[200];
	struct store_item item = {
		.key = {(const char *)&key, sizeof key}, .value = {value, dice >> 32 & 127},
		.version = p->version, .deleted = dice >> 40 % 8 == 0,
	};

	memset(value, (int)key, sizeof value);
	store_write(p->s, &item, 0, 1, NULL);
	ledger_append(p->l, lane, ++p->seq[lane], &item);
}

static void write_many(struct pair *p, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		write_one(p);
		if (i % 10 == 9)
			for (uint32_t lane = 0; lane < LANES; lane++)
				ledger_flush(p->l, lane);
	}
	for (uint32_t lane = 0; lane < LANES; lane++)
		ledger_flush(p->l, lane);
}

static void wait_for_all(struct pair *p)
{
	for (uint32_t lane = 0; lane < LANES; lane++)
		wait_for(&p->told, lane, p->seq[lane]);
}

static struct ledger_figures figures_of(const struct pair *p)
{
	struct ledger_figures f;

	ledger_figures(p->l, &f);
	return f;
}

/* Until it is over, with writes at each step, and what the system does meanwhile. */
static void take_snapshot(struct pair *p, uint32_t writes)
{
	while (!ledger_snapshot_step(p->l, 1)) {
		write_many(p, writes);
		sched_yield();
	}
}

/* ---- */

static void what_was_written_is_there_again(void **unused)
{
	static const enum ledger_sync policies[] = {
		LEDGER_SYNC_NEVER, LEDGER_SYNC_SECOND, LEDGER_SYNC_ALWAYS,
	};
	static struct pair p;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		struct folder f = folder_make();
		uint64_t before = 0, after = 0;
		for (int turn = 0; turn < 3; turn++) {
			start(&p, &f, policies[i]);
			write_many(&p, 1000);
			before = stop(&p);
			start(&p, &f, policies[i]);
			assert_int_equal(figures_of(&p).loaded, 1000 * (turn + 1));
			assert_int_equal(figures_of(&p).torn_bytes, 0);
			after = stop(&p);
			assert_int_equal(before, after);
		}
		folder_end(&f);
	}
}

/* What a process that is killed leaves: a copy of the files, at any moment. */
static void what_was_told_is_in_the_files_at_once(void **unused)
{
	static struct pair p, other;
	struct folder f = folder_make(), copy = folder_make();

	(void)unused;
	start(&p, &f, LEDGER_SYNC_ALWAYS);
	for (int turn = 0; turn < 20; turn++) {
		size_t len;
		struct store_figures one, two;
		write_many(&p, 30);
		wait_for_all(&p);
		uint8_t *bytes = folder_read(&f, "log.000001", &len);
		folder_write(&copy, "log.000001", bytes, len);
		free(bytes);
		start(&other, &copy, LEDGER_SYNC_NEVER);
		store_figures(p.s, &one);
		store_figures(other.s, &two);
		assert_int_equal(one.digest, two.digest);
		assert_int_equal(one.tombstones, two.tombstones);
		stop(&other);
	}
	assert_true(figures_of(&p).syncs > 0);
	assert_int_equal(figures_of(&p).durable_lag_bytes, 0);
	stop(&p);
	folder_end(&f);
	folder_end(&copy);
}

static void a_snapshot_takes_the_place_of_the_logs_before_it(void **unused)
{
	static struct pair p;
	struct folder f = folder_make();

	(void)unused;
	start(&p, &f, LEDGER_SYNC_NEVER);
	write_many(&p, 60000);
	wait_for_all(&p);
	uint64_t bytes = figures_of(&p).bytes_on_disk;
	for (int turn = 0; turn < 3; turn++) {
		take_snapshot(&p, 50);
		assert_int_equal(figures_of(&p).snapshots, turn + 1);
		assert_int_equal(figures_of(&p).failures, 0);
	}
	assert_true(figures_of(&p).bytes_on_disk < bytes / 2);
	uint64_t before = stop(&p);
	assert_true(folder_has(&f, "snapshot.000004"));
	assert_true(folder_has(&f, "log.000004"));
	assert_int_equal(folder_each(&f, false), 3);
	start(&p, &f, LEDGER_SYNC_NEVER);
	assert_int_equal(stop(&p), before);
	folder_end(&f);
}

static void an_unfinished_snapshot_is_as_none(void **unused)
{
	static struct pair p;
	struct folder f = folder_make();

	(void)unused;
	start(&p, &f, LEDGER_SYNC_SECOND);
	write_many(&p, 15000);
	for (int turn = 0; turn < 4; turn++) {
		assert_false(ledger_snapshot_step(p.l, 1));
		for (int i = 0; i < 3 + turn; i++) {
			write_many(&p, 50);
			wait_for_all(&p);
			assert_false(ledger_snapshot_step(p.l, 1));
		}
		uint64_t before = stop(&p);
		assert_int_equal(folder_each(&f, false), 3 + turn);	/* lock, logs */
		start(&p, &f, LEDGER_SYNC_SECOND);
		struct store_figures s;
		store_figures(p.s, &s);
		assert_int_equal(hash_pair(s.digest, s.tombstones), before);
	}
	take_snapshot(&p, 0);
	stop(&p);
	assert_int_equal(folder_each(&f, false), 3);
	folder_end(&f);
}

static void a_snapshot_of_a_store_that_was_hashed_anew_is_dropped(void **unused)
{
	static struct pair p;
	struct folder f = folder_make();
	struct siphash_key key = {7, 8}, found;

	(void)unused;
	start(&p, &f, LEDGER_SYNC_NEVER);
	write_many(&p, 20000);
	while (!ledger_snapshot_step(p.l, 1))
		assert_true(store_use_key(p.s, &key));
	assert_int_equal(figures_of(&p).snapshots, 0);
	take_snapshot(&p, 0);
	assert_int_equal(figures_of(&p).snapshots, 1);
	assert_int_equal(figures_of(&p).failures, 1);
	stop(&p);
	assert_true(ledger_pool_key(f.path, &found));
	assert_int_equal(found.low, 7);
	assert_int_equal(found.high, 8);
	folder_end(&f);
	assert_false(ledger_pool_key("/nowhere", &found));
}

static void a_snapshot_is_due_when_the_logs_are_long(void **unused)
{
	static struct pair p;
	struct folder f = folder_make();
	static char value[60000];
	uint64_t seq = 0;

	(void)unused;
	start(&p, &f, LEDGER_SYNC_NEVER);
	while (!ledger_snapshot_is_due(p.l)) {
		struct store_item item = {
			.key = SPAN("k"), .value = {value, sizeof value}, .version = ++seq,
		};
		store_write(p.s, &item, 0, 1, NULL);
		ledger_append(p.l, 0, seq, &item);
		ledger_flush(p.l, 0);
		wait_for(&p.told, 0, seq);
		assert_true(seq * sizeof value < 2 * (uint64_t)LEDGER_LOG_BYTES_MIN);
	}
	assert_true(seq * sizeof value > (uint64_t)LEDGER_LOG_BYTES_MIN - sizeof value);
	take_snapshot(&p, 0);
	assert_false(ledger_snapshot_is_due(p.l));
	assert_true(figures_of(&p).bytes_on_disk < 2 * sizeof value);
	stop(&p);
	folder_end(&f);
}

static void a_directory_in_use_is_refused_with_its_users_number(void **unused)
{
	static struct pair p;
	struct folder f = folder_make();
	struct ledger_options o = {.directory = f.path, .lanes = 1, .on_durable = on_durable};
	struct store *s = new_store(1);
	struct err err;
	char number[40];

	(void)unused;
	start(&p, &f, LEDGER_SYNC_NEVER);
	assert_null(ledger_open(&o, s, &err));
	snprintf(number, sizeof number, "in use by process %d;", (int)getpid());
	assert_non_null(strstr(err.text, number));
	stop(&p);
	struct ledger *l = ledger_open(&o, s, &err);
	assert_non_null(l);
	ledger_close(l);
	o.directory = "/nowhere/at/all";
	assert_null(ledger_open(&o, s, &err));
	assert_non_null(strstr(err.text, "cannot make the directory /nowhere/at/all"));
	store_destroy(s);
	folder_end(&f);
}

/* A file that must not grow stands for a full disk: a write is cut short, or fails. */
static void a_full_disk_delays_what_is_durable_and_loses_nothing(void **unused)
{
	static struct pair p;
	struct folder f = folder_make();
	struct rlimit limit, before;

	(void)unused;
	signal(SIGXFSZ, SIG_IGN);
	start(&p, &f, LEDGER_SYNC_ALWAYS);
	write_many(&p, 1000);
	wait_for_all(&p);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = figures_of(&p).bytes_on_disk + 1000;
	setrlimit(RLIMIT_FSIZE, &limit);
	write_many(&p, 1000);
	while (!figures_of(&p).failing)
		sched_yield();
	write_many(&p, 100);
	assert_true(figures_of(&p).durable_lag_bytes > 0);
	assert_true(figures_of(&p).failures > 0);
	bool all = true;
	for (uint32_t lane = 0; lane < LANES; lane++)
		all &= told_so_far(&p.told, lane) == p.seq[lane];
	assert_false(all);
	setrlimit(RLIMIT_FSIZE, &before);
	wait_for_all(&p);
	assert_false(figures_of(&p).failing);
	uint64_t digest = stop(&p);
	start(&p, &f, LEDGER_SYNC_NEVER);
	assert_int_equal(figures_of(&p).torn_bytes, 0);
	assert_int_equal(stop(&p), digest);
	folder_end(&f);
}

/* The same, and it stays full: what is cut short at the end is cut off at the next start,
 * and all that was told is there. */
static void a_disk_that_stays_full_keeps_what_was_told(void **unused)
{
	static struct pair p;
	struct folder f = folder_make();
	struct rlimit limit, before;

	(void)unused;
	start(&p, &f, LEDGER_SYNC_ALWAYS);
	write_many(&p, 1000);
	wait_for_all(&p);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = figures_of(&p).bytes_on_disk + 100;
	setrlimit(RLIMIT_FSIZE, &limit);
	write_many(&p, 1000);
	while (!figures_of(&p).failing)
		sched_yield();
	stop(&p);
	setrlimit(RLIMIT_FSIZE, &before);
	start(&p, &f, LEDGER_SYNC_ALWAYS);
	assert_true(figures_of(&p).loaded >= 1000);
	assert_true(figures_of(&p).torn_bytes > 0);
	stop(&p);
	folder_end(&f);
}

static void a_snapshot_that_finds_no_room_leaves_all_as_it_was(void **unused)
{
	static struct pair p;
	struct folder f = folder_make();
	struct rlimit limit, before;

	(void)unused;
	start(&p, &f, LEDGER_SYNC_NEVER);
	write_many(&p, 3000);
	wait_for_all(&p);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 20000;
	setrlimit(RLIMIT_FSIZE, &limit);
	take_snapshot(&p, 0);
	assert_int_equal(figures_of(&p).snapshots, 0);
	assert_int_equal(figures_of(&p).failures, 1);
	assert_false(ledger_snapshot_is_due(p.l));
	setrlimit(RLIMIT_FSIZE, &before);
	assert_false(folder_has(&f, "snapshot.000002.new"));
	write_many(&p, 100);
	uint64_t digest = stop(&p);
	start(&p, &f, LEDGER_SYNC_NEVER);
	assert_int_equal(stop(&p), digest);
	folder_end(&f);
}

/* As after a failed fdatasync, which no test can have from a sound disk. */
static void after_a_doubt_nothing_is_told_before_a_snapshot(void **unused)
{
	static struct pair p;
	struct folder f = folder_make();

	(void)unused;
	start(&p, &f, LEDGER_SYNC_ALWAYS);
	write_many(&p, 500);
	wait_for_all(&p);
	assert_false(ledger_snapshot_is_due(p.l));
	uint64_t told[LANES];
	memcpy(told, p.told.seq, sizeof told);
	ledger_doubt(p.l);
	write_many(&p, 500);
	while (figures_of(&p).durable_lag_bytes > 0 || !ledger_snapshot_is_due(p.l))
		sched_yield();
	assert_true(figures_of(&p).failing);
	for (uint32_t lane = 0; lane < LANES; lane++)
		assert_int_equal(told_so_far(&p.told, lane), told[lane]);
	take_snapshot(&p, 0);
	wait_for_all(&p);
	assert_false(figures_of(&p).failing);
	assert_false(ledger_snapshot_is_due(p.l));
	uint64_t digest = stop(&p);
	start(&p, &f, LEDGER_SYNC_NEVER);
	assert_int_equal(stop(&p), digest);
	folder_end(&f);
}

static int quiet(void **unused)
{
	(void)unused;
	log_set_level(0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_there_again),
		cmocka_unit_test(what_was_told_is_in_the_files_at_once),
		cmocka_unit_test(a_snapshot_takes_the_place_of_the_logs_before_it),
		cmocka_unit_test(an_unfinished_snapshot_is_as_none),
		cmocka_unit_test(a_snapshot_of_a_store_that_was_hashed_anew_is_dropped),
		cmocka_unit_test(a_snapshot_is_due_when_the_logs_are_long),
		cmocka_unit_test(a_directory_in_use_is_refused_with_its_users_number),
		cmocka_unit_test(a_full_disk_delays_what_is_durable_and_loses_nothing),
		cmocka_unit_test(a_disk_that_stays_full_keeps_what_was_told),
		cmocka_unit_test(a_snapshot_that_finds_no_room_leaves_all_as_it_was),
		cmocka_unit_test(after_a_doubt_nothing_is_told_before_a_snapshot),
	};
	return cmocka_run_group_tests(tests, quiet, NULL);
}
