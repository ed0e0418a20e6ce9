/* Goal: a walk meets what stays exactly once, whatever is written, split, joined or
 * forgotten meanwhile; and threads may do all of it at once. */
#include "store/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"
#include "store/segment.h"

enum { KEYS_MAX = 60000 };

static struct store *new_store(uint32_t shards)
{
	struct store_options o = {.shards = shards, .tombstone_ms = 1000, .key = {3, 4}};
	struct store *s = store_create(&o);

	assert_non_null(s);
	return s;
}

static struct store_figures figures_of(struct store *s)
{
	struct store_figures f;

	store_figures(s, &f);
	return f;
}

/* Keys are numbers; the value is the key once more. */
static void put(struct store *s, uint32_t number, uint64_t version, uint64_t expires_ms)
{
	struct span bytes = {(const char *)&number, sizeof number};
	struct store_item item = {
		.key = bytes, .value = bytes, .version = version, .expires_ms = expires_ms,
	};

	assert_int_equal(store_write(s, &item, 0, 1, NULL), STORE_DONE);
}

static uint32_t number_of(const struct store_item *item)
{
	uint32_t number;

	assert_int_equal(item->key.len, sizeof number);
	memcpy(&number, item->key.at, sizeof number);
	assert_true(number < KEYS_MAX);
	return number;
}

struct seen {
	struct store *s;
	uint32_t total;
	uint64_t lowest, highest;	/* hashes of this step */
	uint8_t  times[KEYS_MAX];
};

static void see(void *arg, uint64_t hash, const struct store_item *item)
{
	struct seen *seen = arg;

	assert_int_equal(hash, store_hash(seen->s, item->key));
	seen->times[number_of(item)]++;
	seen->total++;
	seen->lowest = hash < seen->lowest ? hash : seen->lowest;
	seen->highest = hash > seen->highest ? hash : seen->highest;
}

/* Between two steps `meanwhile` does something to the store. */
static void walk(struct seen *seen, uint64_t now_ms,
		 void (*meanwhile)(struct store *s, uint32_t step))
{
	uint64_t cursor = 0, before = 0;
	uint32_t step = 0;

	for (;; step++) {
		seen->lowest = UINT64_MAX;
		seen->highest = 0;
		uint32_t total = seen->total;
		if (!store_walk(seen->s, &cursor, now_ms, see, seen))
			break;
		assert_true(step < 10 * KEYS_MAX);
		assert_true(seen->total - total <= SEGMENT_SLOTS);
		if (seen->total > total) {
			assert_true(seen->lowest >= before);
			before = seen->highest;
		}
		if (meanwhile != NULL)
			meanwhile(seen->s, step);
	}
	assert_false(store_walk(seen->s, &cursor, now_ms, see, seen));
}

static struct seen *start(uint32_t shards)
{
	struct seen *seen = calloc(1, sizeof *seen);

	seen->s = new_store(shards);
	return seen;
}

static void end(struct seen *seen)
{
	store_destroy(seen->s);
	free(seen);
}

static void a_quiet_walk_meets_all_but_what_is_over(void **unused)
{
	(void)unused;
	for (uint32_t shards = 1; shards <= STORE_SHARDS_MAX; shards *= 8) {
		struct seen *seen = start(shards);
		for (uint32_t i = 0; i < 20000; i++)
			put(seen->s, i, 1, i % 5 == 0 ? 100 : 0);
		struct store_item gone = {.key = {(const char *)&(uint32_t){7}, 4},
					  .version = 2, .deleted = true};
		assert_int_equal(store_write(seen->s, &gone, 0, 1, NULL), STORE_DONE);
		walk(seen, 100, NULL);
		for (uint32_t i = 0; i < 20000; i++)
			assert_int_equal(seen->times[i], i % 5 != 0);
		end(seen);
	}
}

static void grow(struct store *s, uint32_t step)
{
	for (uint32_t i = 0; i < 200 && step * 200 + i < 40000; i++)
		put(s, 20000 + step * 200 + i, 1, 0);
}

static void what_was_there_is_met_once_while_segments_split(void **unused)
{
	(void)unused;
	for (uint32_t shards = 1; shards <= 16; shards *= 4) {
		struct seen *seen = start(shards);
		for (uint32_t i = 0; i < 20000; i++)
			put(seen->s, i, 1, 0);
		uint64_t splits = figures_of(seen->s).splits;
		walk(seen, 1, grow);
		assert_true(figures_of(seen->s).splits > splits);
		for (uint32_t i = 0; i < KEYS_MAX; i++)
			assert_in_range(seen->times[i], i < 20000 ? 1 : 0, 1);
		end(seen);
	}
}

/* Most entries are past their time: their segments are swept and joined. */
static void shrink(struct store *s, uint32_t step)
{
	if (step == 3)
		for (int i = 0; i < 8; i++)
			store_sweep(s, 2000, UINT32_MAX);
}

static void what_stays_is_met_once_while_segments_join(void **unused)
{
	(void)unused;
	for (uint32_t shards = 1; shards <= 4; shards *= 4) {
		struct seen *seen = start(shards);
		for (uint32_t i = 0; i < 30000; i++)
			put(seen->s, i, 1, i % 50 != 0 ? 2000 : 0);
		uint64_t segments = figures_of(seen->s).segments;
		walk(seen, 1, shrink);
		assert_true(figures_of(seen->s).segments < segments / 4);
		for (uint32_t i = 0; i < 30000; i++)
			assert_in_range(seen->times[i], i % 50 == 0 ? 1 : 0, 1);
		assert_int_equal(figures_of(seen->s).entries, 600);
		end(seen);
	}
}

static void buckets_together_are_the_whole(void **unused)
{
	(void)unused;
	for (uint32_t shards = 1; shards <= STORE_SHARDS_MAX; shards *= 64) {
		struct seen *seen = start(shards);
		for (uint32_t i = 0; i < KEYS_MAX; i++)
			put(seen->s, i, 1, 0);
		for (uint32_t b = 0; b < STORE_BUCKETS; b++) {
			seen->lowest = UINT64_MAX;
			seen->highest = (uint64_t)b << 52;
			store_walk_bucket(seen->s, b, 1, see, seen);
			assert_true(seen->lowest >> 52 >= b);
			assert_int_equal(seen->highest >> 52, b);
		}
		for (uint32_t i = 0; i < KEYS_MAX; i++)
			assert_int_equal(seen->times[i], 1);
		end(seen);
	}
}

static void an_entry_is_found_by_its_hash(void **unused)
{
	struct seen *seen = start(4);

	(void)unused;
	for (uint32_t i = 0; i < 5000; i++)
		put(seen->s, i, 1, 0);
	for (uint32_t i = 0; i < 6000; i++) {
		struct span key = {(const char *)&i, sizeof i};
		uint32_t before = seen->total;
		store_visit_hash(seen->s, store_hash(seen->s, key), 1, see, seen);
		assert_int_equal(seen->total - before, i < 5000);
		assert_int_equal(seen->times[i], i < 5000);
	}
	end(seen);
}

/* A little at a time comes by everywhere, and costs little where nothing is due. */
static void a_sweep_in_small_steps_forgets_all(void **unused)
{
	struct seen *seen = start(4);

	(void)unused;
	for (uint32_t i = 0; i < 30000; i++)
		put(seen->s, i, i + 1, i % 3 == 0 ? 500 : 0);
	uint64_t segments = figures_of(seen->s).segments;
	for (uint64_t i = 0; i <= 2 * segments; i++)
		store_sweep(seen->s, 500, 1);
	assert_int_equal(figures_of(seen->s).entries, 20000);
	assert_int_equal(figures_of(seen->s).expired, 10000);
	assert_int_equal(figures_of(seen->s).purged, 29998);
	end(seen);
}

/* ---- threads ---- */

enum { THREADS = 4, THREAD_KEYS = 4000, THREAD_TURNS = 40000 };

struct one_thread {
	struct store *s;
	pthread_t thread;
	uint32_t number;
	uint64_t walked;
};

static void count_one(void *arg, uint64_t hash, const struct store_item *item)
{
	uint32_t value;

	(void)hash;
	if (!item->deleted) {		/* never half of another write's */
		memcpy(&value, item->value.at, sizeof value);
		must(item->value.len == 4 + value % 200);
	}
	++*(uint64_t *)arg;
}

static void check_value(void *arg, const struct store_item *item)
{
	count_one(arg, 0, item);
}

static void *use_store(void *arg)
{
	struct one_thread *t = arg;
	uint64_t dice = t->number + 1, cursor = 0;
	char value[300];

	for (uint32_t n = 0; n < THREAD_TURNS; n++) {
		dice = hash_mix(dice + n);
		uint32_t key = dice % THREAD_KEYS, content = (uint32_t)(dice >> 32);
		struct store_item item = {
			.key = {(const char *)&key, sizeof key},
			.value = {value, 4 + content % 200},
			/* Each version is one thread's alone. */
			.version = (uint64_t)n * THREADS + t->number + 1,
			.deleted = content % 7 == 0,
			.expires_ms = content % 5 == 0 ? 1 + n : 0,
		};
		memset(value, 0, sizeof value);
		memcpy(value, &content, sizeof content);
		store_write(t->s, &item, 0, n, NULL);
		store_read(t->s, item.key, n, check_value, &t->walked);
		if (n % 16 == 0 && !store_walk(t->s, &cursor, n, count_one, &t->walked))
			cursor = 0;
		if (n % 64 == 0 && t->number == 0)
			store_sweep(t->s, n, 2 * SEGMENT_SLOTS);
	}
	return NULL;
}

/* What is left is summed up anew: the digests, that were kept up all the while, agree. */
static void many_threads_leave_a_store_that_agrees_with_itself(void **unused)
{
	struct one_thread threads[THREADS];
	struct store *s = new_store(8);
	struct siphash_key key = store_key(s);
	uint64_t entries = 0, cursor = 0;

	(void)unused;
	for (uint32_t i = 0; i < THREADS; i++) {
		threads[i] = (struct one_thread){.s = s, .number = i};
		assert_int_equal(pthread_create(&threads[i].thread, NULL, use_store,
						&threads[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(threads[i].thread, NULL);
	struct store_figures before = figures_of(s), after;
	assert_int_equal(before.newest, THREAD_TURNS * THREADS);
	while (store_walk(s, &cursor, 0, count_one, &entries))
		;
	assert_int_equal(entries, before.entries + before.tombstones);
	assert_true(store_use_key(s, &key));
	after = figures_of(s);
	assert_int_equal(after.digest, before.digest);
	assert_int_equal(after.entries, before.entries);
	assert_int_equal(after.tombstones, before.tombstones);
	store_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_walk_meets_all_but_what_is_over),
		cmocka_unit_test(what_was_there_is_met_once_while_segments_split),
		cmocka_unit_test(what_stays_is_met_once_while_segments_join),
		cmocka_unit_test(buckets_together_are_the_whole),
		cmocka_unit_test(an_entry_is_found_by_its_hash),
		cmocka_unit_test(a_sweep_in_small_steps_forgets_all),
		cmocka_unit_test(many_threads_leave_a_store_that_agrees_with_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
