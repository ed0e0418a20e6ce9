/* test/bench/ledger.c - the ledger beside LMDB, as what keeps a worker's data on disk:
 * the tables of doc/kv-store.md.
 *
 *     out/bench/ledger DIRECTORY [WRITES]
 *
 * Both have the same to do: entries with a key of 16 bytes and a value of 84, in an order
 * that nobody can guess, so many at a time as a turn of a worker's loop brings; each turn
 * is one transaction of LMDB. Then all of it is read into a store. What reading and
 * writing the store in memory costs is the same for both and only in the time of loading.
 *
 * CPU is that of all threads. DIRECTORY has to be on the disk that is meant; what is made
 * there is removed.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/must.h"
#include "store/ledger.h"

enum { KEY_BYTES = 16, VALUE_BYTES = 84, FOLDER_MAX = 200, PATH_MAX_BYTES = FOLDER_MAX + 32 };

static char directory[FOLDER_MAX];
static uint64_t writes = 1000000;

/* ---- clocks ---- */

static double wall_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

struct cost {
	double wall, cpu;
};

static struct cost begin(void)
{
	return (struct cost){wall_s(), cpu_s()};
}

static struct cost since(struct cost begun)
{
	return (struct cost){wall_s() - begun.wall, cpu_s() - begun.cpu};
}

/* ---- entries ---- */

static struct store_item item_of(uint64_t number, uint64_t version, char key[KEY_BYTES])
{
	static char value[VALUE_BYTES];
	/* 0x9e3779b1 is prime: the products are a permutation. */
	uint64_t words[2] = {hash_mix(number * 0x9e3779b1 % writes), 0};

	memcpy(key, words, KEY_BYTES);
	memcpy(value, &version, sizeof version);
	return (struct store_item){
		.key = {key, KEY_BYTES}, .value = {value, VALUE_BYTES}, .version = version,
	};
}

static struct store *new_store(void)
{
	struct store_options o = {.shards = 1, .key = {1, 2}};
	struct store *s = store_create(&o);

	must(s != NULL);
	return s;
}

static double megabytes(const char *path, const char *name)
{
	char whole[PATH_MAX_BYTES + 32];
	struct stat st;

	snprintf(whole, sizeof whole, "%s/%s", path, name);
	return stat(whole, &st) == 0 ? (double)st.st_blocks * 512 / 1e6 : 0;
}

static void remove_all(const char *path)
{
	static const char *const names[] = {
		"lock", "log.000001", "log.000002", "snapshot.000002", "data.mdb", "lock.mdb",
	};
	char whole[PATH_MAX_BYTES + 32];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(whole, sizeof whole, "%s/%s", path, names[i]);
		unlink(whole);
	}
	rmdir(path);
}

static void print_row(const char *what, uint32_t batch, struct cost c, double disk,
		      struct cost loading)
{
	printf("| %s | %u | %.0f | %.2f us | %.0f MB | %.2f s |\n", what, batch,
	       (double)writes / c.wall / 1000, c.cpu / (double)writes * 1e6, disk,
	       loading.wall);
	fflush(stdout);
}

/* ---- the ledger ---- */

static atomic_uint_least64_t told;

static void on_durable(void *arg, uint32_t lane, uint64_t seq)
{
	(void)arg;
	(void)lane;
	told = seq;
}

static struct ledger *open_ledger(const char *path, enum ledger_sync sync, struct store *s)
{
	struct ledger_options o = {
		.directory = path, .sync = sync, .lanes = 1, .on_durable = on_durable,
	};
	struct err err;
	struct ledger *l = ledger_open(&o, s, &err);

	if (l == NULL) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return l;
}

static void run_ledger(const char *what, enum ledger_sync sync, uint32_t batch)
{
	char path[PATH_MAX_BYTES], key[KEY_BYTES];
	struct store *s = new_store();

	snprintf(path, sizeof path, "%s/bench-ledger", directory);
	remove_all(path);
	struct ledger *l = open_ledger(path, sync, s);
	struct cost begun = begin();
	told = 0;
	for (uint64_t n = 0; n < writes; n++) {
		struct store_item item = item_of(n, n + 1, key);
		ledger_append(l, 0, n + 1, &item);
		if (n % batch == batch - 1)
			ledger_flush(l, 0);
		while (ledger_is_full(l))
			usleep(100);
	}
	ledger_flush(l, 0);
	while (told < writes)
		usleep(100);
	struct cost written = since(begun);
	ledger_close(l);
	begun = begin();
	l = open_ledger(path, sync, s);
	struct cost loading = since(begun);
	struct store_figures f;
	store_figures(s, &f);
	must(f.entries == writes);
	ledger_close(l);
	print_row(what, batch, written, megabytes(path, "log.000001"), loading);
	store_destroy(s);
	remove_all(path);
}

/* An answer waits for the disk: as many writes at once as the batch has. */
static void run_ledger_always(uint32_t batch)
{
	char path[PATH_MAX_BYTES], key[KEY_BYTES];
	struct store *s = new_store();
	uint64_t turns = 200;

	snprintf(path, sizeof path, "%s/bench-ledger", directory);
	remove_all(path);
	struct ledger *l = open_ledger(path, LEDGER_SYNC_ALWAYS, s);
	struct cost begun = begin();
	told = 0;
	for (uint64_t n = 0; n < turns * batch; n++) {
		struct store_item item = item_of(n, n + 1, key);
		ledger_append(l, 0, n + 1, &item);
		if (n % batch < batch - 1)
			continue;
		ledger_flush(l, 0);
		while (told <= n)
			usleep(20);
	}
	struct cost c = since(begun);
	printf("| ledger | %u | %.2f ms |\n", batch, c.wall / (double)turns * 1000);
	ledger_close(l);
	store_destroy(s);
	remove_all(path);
}

/* ---- LMDB ---- */

static void check(int code)
{
	if (code == 0)
		return;
	fprintf(stderr, "LMDB: %s\n", mdb_strerror(code));
	exit(1);
}

struct database {
	MDB_env *env;
	MDB_dbi  dbi;
	pthread_t syncer;
	atomic_bool ending;
};

static void *sync_each_second(void *arg)
{
	struct database *d = arg;

	for (uint32_t tenths = 1; !d->ending; tenths++) {
		usleep(100 * 1000);
		if (tenths % 10 == 0)
			check(mdb_env_sync(d->env, 1));
	}
	return NULL;
}

static void open_database(struct database *d, const char *path, unsigned flags)
{
	MDB_txn *txn;

	mkdir(path, 0750);
	check(mdb_env_create(&d->env));
	check(mdb_env_set_mapsize(d->env, (size_t)8 << 30));
	check(mdb_env_open(d->env, path, flags, 0640));
	check(mdb_txn_begin(d->env, NULL, 0, &txn));
	check(mdb_dbi_open(txn, NULL, 0, &d->dbi));
	check(mdb_txn_commit(txn));
}

/* Version and value in one, as a worker would have to keep them. */
static void put(MDB_txn *txn, const struct database *d, const struct store_item *item)
{
	char value[sizeof item->version + VALUE_BYTES];
	MDB_val k = {item->key.len, (void *)(uintptr_t)item->key.at};
	MDB_val v = {sizeof value, value};

	memcpy(value, &item->version, sizeof item->version);
	memcpy(value + sizeof item->version, item->value.at, item->value.len);
	check(mdb_put(txn, d->dbi, &k, &v, 0));
}

static struct cost load_database(const char *path)
{
	struct store *s = new_store();
	struct cost begun = begin();
	struct database d;
	MDB_cursor *cursor;
	MDB_txn *txn;
	MDB_val k, v;

	open_database(&d, path, MDB_NOSYNC);
	check(mdb_txn_begin(d.env, NULL, MDB_RDONLY, &txn));
	check(mdb_cursor_open(txn, d.dbi, &cursor));
	while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
		struct store_item item = {
			.key = {k.mv_data, k.mv_size},
			.value = {(char *)v.mv_data + 8, v.mv_size - 8},
		};
		memcpy(&item.version, v.mv_data, 8);
		must(store_write(s, &item, 0, 1, NULL) == STORE_DONE);
	}
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	mdb_env_close(d.env);
	struct cost loading = since(begun);
	struct store_figures f;
	store_figures(s, &f);
	must(f.entries == writes);
	store_destroy(s);
	return loading;
}

static void run_database(const char *what, unsigned flags, bool sync, uint32_t batch)
{
	char path[PATH_MAX_BYTES], key[KEY_BYTES];
	struct database d = {0};
	MDB_txn *txn = NULL;

	snprintf(path, sizeof path, "%s/bench-lmdb", directory);
	remove_all(path);
	open_database(&d, path, flags | MDB_NOSYNC);
	struct cost begun = begin();
	if (sync)
		must(pthread_create(&d.syncer, NULL, sync_each_second, &d) == 0);
	for (uint64_t n = 0; n < writes; n++) {
		struct store_item item = item_of(n, n + 1, key);
		if (txn == NULL)
			check(mdb_txn_begin(d.env, NULL, 0, &txn));
		put(txn, &d, &item);
		if (n % batch == batch - 1 || n == writes - 1) {
			check(mdb_txn_commit(txn));
			txn = NULL;
		}
	}
	struct cost written = since(begun);
	d.ending = true;
	if (sync)
		pthread_join(d.syncer, NULL);
	check(mdb_env_sync(d.env, 1));
	mdb_env_close(d.env);
	struct cost loading = load_database(path);
	print_row(what, batch, written, megabytes(path, "data.mdb"), loading);
	remove_all(path);
}

static void run_database_always(uint32_t batch)
{
	char path[PATH_MAX_BYTES], key[KEY_BYTES];
	struct database d = {0};
	uint64_t turns = 200;

	snprintf(path, sizeof path, "%s/bench-lmdb", directory);
	remove_all(path);
	open_database(&d, path, 0);
	struct cost begun = begin();
	for (uint64_t n = 0; n < turns; n++) {
		MDB_txn *txn;
		check(mdb_txn_begin(d.env, NULL, 0, &txn));
		for (uint32_t i = 0; i < batch; i++) {
			struct store_item item = item_of(n * batch + i, n + 1, key);
			put(txn, &d, &item);
		}
		check(mdb_txn_commit(txn));
	}
	struct cost c = since(begun);
	printf("| LMDB | %u | %.2f ms |\n", batch, c.wall / (double)turns * 1000);
	mdb_env_close(d.env);
	remove_all(path);
}

int main(int argc, char **argv)
{
	static const uint32_t batches[] = {1, 16, 256};

	if (argc < 2) {
		fprintf(stderr, "usage: ledger DIRECTORY [WRITES]\n");
		return 2;
	}
	if (strlen(argv[1]) >= FOLDER_MAX) {
		fprintf(stderr, "that path is too long\n");
		return 2;
	}
	strcpy(directory, argv[1]);
	writes = argc > 2 ? strtoull(argv[2], NULL, 10) : writes;
	log_set_level(LOG_LEVEL_ERROR);
	printf("%llu writes of 100 bytes\n\n| | in a turn | thousand/s | CPU each | on disk | "
	       "loading |\n|:--|--:|--:|--:|--:|--:|\n", (unsigned long long)writes);
	for (size_t i = 0; i < COUNT_OF(batches); i++) {
		run_ledger("ledger, no sync", LEDGER_SYNC_NEVER, batches[i]);
		run_database("LMDB, no sync", 0, false, batches[i]);
		run_database("LMDB, no sync, writable map", MDB_WRITEMAP, false, batches[i]);
	}
	for (size_t i = 0; i < COUNT_OF(batches); i++) {
		run_ledger("ledger, sync each second", LEDGER_SYNC_SECOND, batches[i]);
		run_database("LMDB, sync each second", 0, true, batches[i]);
		run_database("LMDB, sync each second, writable map", MDB_WRITEMAP, true,
			     batches[i]);
	}
	printf("\nA turn that waits for the disk\n\n| | writes in it | takes |\n|:--|--:|--:|\n");
	for (size_t i = 0; i < COUNT_OF(batches); i++) {
		run_ledger_always(batches[i]);
		run_database_always(batches[i]);
	}
	return 0;
}
