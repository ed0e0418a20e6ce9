/* Goal: whatever is done to a store in whatever order, it is what a plain list of the
 * same keys would be; and of the writes of a key the one with the highest version
 * stays, in whatever order they come. */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "store/segment.h"
#include "unit/store/reference.h"

static uint64_t dice_state;

static uint32_t dice(uint32_t sides)
{
	dice_state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((hash_mix(dice_state) >> 32) * sides >> 32);
}

static struct store *new_store(uint32_t shards, uint64_t memory_max)
{
	struct store_options o = {
		.shards = shards, .memory_max = memory_max, .tombstone_ms = 1000,
		.key = {dice(1000), dice(1000)},
	};
	struct store *s = store_create(&o);

	assert_non_null(s);
	return s;
}

/* ---- against the reference ---- */

struct pair {
	struct store *s;
	struct reference r;
	uint64_t now_ms;
	uint32_t keys;		/* of REFERENCE_KEYS, in use at present */
};

static struct store_item item_of(uint32_t number, const struct reference_entry *e,
				 char key[REFERENCE_KEY_MAX],
				 char value[REFERENCE_VALUE_MAX])
{
	return (struct store_item){
		.key = reference_key(number, key),
		.value = reference_value(e->value_seed, e->value_len, value),
		.version = e->version, .expires_ms = e->expires_ms, .deleted = e->deleted,
	};
}

struct expected_item {
	const struct reference_entry *e;
	uint32_t number;
	uint32_t seen;
};

static void must_be_equal(void *arg, const struct store_item *item)
{
	struct expected_item *x = arg;
	char value[REFERENCE_VALUE_MAX], key[REFERENCE_KEY_MAX];
	struct store_item wanted = item_of(x->number, x->e, key, value);

	assert_true(span_equals(item->key, wanted.key));
	assert_true(span_equals(item->value, wanted.value));
	assert_int_equal(item->version, wanted.version);
	assert_int_equal(item->expires_ms, wanted.expires_ms);
	assert_int_equal(item->deleted, wanted.deleted);
	x->seen++;
}

static uint32_t any_length(void)
{
	switch (dice(10)) {
	case 0:  return 0;
	case 1:  return dice(REFERENCE_VALUE_MAX);
	case 2:  return dice(2000);
	default: return dice(100);
	}
}

static void write_something(struct pair *p)
{
	char key[REFERENCE_KEY_MAX], value[REFERENCE_VALUE_MAX];
	uint32_t number = dice(p->keys);
	uint64_t present = p->r.entries[number].known ? p->r.entries[number].version : 0;
	struct reference_entry to = {
		.version = present + dice(4), .deleted = dice(4) == 0,
		.expires_ms = dice(3) == 0 ? p->now_ms + dice(3000) : 0,
		.value_len = any_length(), .value_seed = dice(256),
	};
	unsigned flags = dice(4) == 0 ? dice(4) : 0;
	uint64_t version = 0;

	to.value_len = to.deleted ? 0 : to.value_len;
	to.expires_ms = to.deleted ? 0 : to.expires_ms;
	to.version -= to.version > 2 && dice(3) == 0 ? 2 : 0;
	struct store_item item = item_of(number, &to, key, value);
	if (item.version == 0) {	/* one of the store's own */
		uint64_t now = p->now_ms * 256000;
		to.version = (now > present ? now : present) + 1;
	}
	enum store_result wanted = reference_write(&p->r, number, &to, flags, p->now_ms);
	assert_int_equal(store_write(p->s, &item, flags, p->now_ms, &version), wanted);
	const struct reference_entry *e = &p->r.entries[number];
	assert_int_equal(version, e->known ? e->version : 0);
}

static void expire_something(struct pair *p)
{
	char key[REFERENCE_KEY_MAX];
	uint32_t number = dice(p->keys);
	struct reference_entry *e = &p->r.entries[number];
	struct reference_entry to = *e;
	struct store_item item = {
		.key = reference_key(number, key),
		.version = (e->known ? e->version : 5) + dice(3),
		.expires_ms = p->now_ms + dice(2000),
	};
	struct expected_item x = {.e = e, .number = number};

	to.version = item.version;
	to.expires_ms = item.expires_ms;
	enum store_result wanted = reference_is_alive(e, p->now_ms) ?
		reference_write(&p->r, number, &to, 0, p->now_ms) :
		e->known && e->version == item.version ? STORE_OLD : STORE_MISSING;
	assert_int_equal(store_expire(p->s, &item, p->now_ms, must_be_equal, &x), wanted);
	assert_int_equal(x.seen, wanted == STORE_DONE);
}

static void read_something(struct pair *p)
{
	char key[REFERENCE_KEY_MAX];
	uint32_t number = dice(REFERENCE_KEYS);
	struct expected_item x = {.e = &p->r.entries[number], .number = number};
	bool found = store_read(p->s, reference_key(number, key), p->now_ms, must_be_equal,
				&x);

	assert_int_equal(found, reference_is_alive(x.e, p->now_ms));
	assert_int_equal(x.seen, found);
}

/* Every key, all digests, all figures. */
static void compare_all(struct pair *p)
{
	static uint64_t wanted[STORE_BUCKETS], got[STORE_BUCKETS];
	struct store_figures figures;
	uint64_t entries = 0, tombstones = 0, sum = 0;
	char key[REFERENCE_KEY_MAX];

	memset(wanted, 0, sizeof wanted);
	for (uint32_t i = 0; i < REFERENCE_KEYS; i++) {
		struct expected_item x = {.e = &p->r.entries[i], .number = i};
		bool found = store_read(p->s, reference_key(i, key), p->now_ms,
					must_be_equal, &x);
		assert_int_equal(found, reference_is_alive(x.e, p->now_ms));
		entries += x.e->known && !x.e->deleted;
		tombstones += x.e->known && x.e->deleted;
		if (!x.e->known || x.e->deleted)
			continue;
		uint64_t hash = store_hash(p->s, reference_key(i, key));
		uint64_t digest = reference_digest(x.e, i, hash);
		wanted[hash >> 52] += digest;
		sum += digest;
	}
	store_digests(p->s, got);
	assert_memory_equal(got, wanted, sizeof got);
	store_figures(p->s, &figures);
	assert_int_equal(figures.entries, entries);
	assert_int_equal(figures.tombstones, tombstones);
	assert_int_equal(figures.digest, sum);
	assert_int_equal(figures.newest, p->r.newest);
	assert_int_equal(figures.purged, p->r.purged);
}

static void sweep_all(struct pair *p)
{
	store_sweep(p->s, p->now_ms, UINT32_MAX);
	reference_sweep(&p->r, p->now_ms);
}

static void live_through(struct pair *p, uint32_t shards)
{
	memset(p, 0, sizeof *p);
	p->r.tombstone_ms = 1000;
	p->now_ms = 1000000;
	p->s = new_store(shards, 0);
	for (uint32_t turn = 0; turn < 40; turn++) {
		/* Few keys and many, so that it grows and shrinks. */
		p->keys = 1 + dice(turn % 8 < 5 ? REFERENCE_KEYS : 20);
		for (uint32_t n = 0; n < 800; n++) {
			switch (dice(8)) {
			case 0:  read_something(p); break;
			case 1:  expire_something(p); break;
			default: write_something(p); break;
			}
		}
		p->now_ms += dice(2) == 0 ? dice(500) : 0;
		if (dice(3) == 0)
			sweep_all(p);
		if (dice(10) == 0) {
			struct siphash_key key = {dice(1000), dice(1000)};
			assert_true(store_use_key(p->s, &key));
			assert_int_equal(store_key(p->s).low, key.low);
		}
		if (turn % 8 == 7)
			compare_all(p);
	}
	compare_all(p);
	p->now_ms += 1000000;
	sweep_all(p);
	sweep_all(p);		/* joins what the first one has emptied */
	compare_all(p);
	store_destroy(p->s);
}

static void a_store_is_what_a_list_of_keys_would_be(void **unused)
{
	static struct pair p;

	(void)unused;
	for (uint32_t seed = 1; seed <= 12; seed++) {
		dice_state = seed * 1000003;
		live_through(&p, seed % 3 == 0 ? 4 : seed % 3 == 1 ? 1 : 64);
	}
}

/* ---- versions ---- */

static void versions_in_any_order_come_to_the_same(void **unused)
{
	enum { STORES = 5, WRITES = 4000, KEYS = 300 };
	static struct { uint32_t key; struct reference_entry e; } writes[WRITES];
	static uint32_t order[WRITES];
	static uint64_t digests[STORES][STORE_BUCKETS];
	struct siphash_key common = {1, 2};

	(void)unused;
	dice_state = 77;
	for (uint32_t i = 0; i < WRITES; i++) {
		writes[i].key = dice(KEYS);
		writes[i].e = (struct reference_entry){
			.version = i + 1, .deleted = dice(5) == 0,
			.value_len = dice(200), .value_seed = dice(256),
		};
		order[i] = i;
	}
	for (uint32_t n = 0; n < STORES; n++) {
		struct store *s = new_store(n % 2 == 0 ? 1 : 16, 0);
		char key[REFERENCE_KEY_MAX], value[REFERENCE_VALUE_MAX];
		assert_true(store_use_key(s, &common));
		for (uint32_t i = WRITES; i-- > 1; ) {
			uint32_t other = dice(i + 1), kept = order[i];
			order[i] = order[other];
			order[other] = kept;
		}
		for (uint32_t i = 0; i < WRITES; i++) {
			uint32_t w = order[i];
			struct store_item item = item_of(writes[w].key, &writes[w].e, key,
							 value);
			store_write(s, &item, 0, 1000, NULL);
			if (dice(3) == 0)	/* and some twice */
				assert_int_equal(store_write(s, &item, 0, 1000, NULL),
						 STORE_OLD);
		}
		store_digests(s, digests[n]);
		if (n > 0)
			assert_memory_equal(digests[n], digests[0], sizeof digests[0]);
		store_destroy(s);
	}
}

static void a_repeated_write_counts_once(void **unused)
{
	struct store *s = new_store(1, 0);
	struct store_item item = {.key = SPAN("k"), .value = SPAN("v"), .version = 9};
	uint64_t version;

	(void)unused;
	assert_int_equal(store_write(s, &item, STORE_IF_ABSENT, 1, &version), STORE_DONE);
	assert_int_equal(store_write(s, &item, STORE_IF_ABSENT, 1, &version), STORE_OLD);
	assert_int_equal(version, 9);
	item.version = 10;
	assert_int_equal(store_write(s, &item, STORE_IF_ABSENT, 1, &version), STORE_EXISTS);
	assert_int_equal(version, 9);
	item.key = SPAN("other");
	assert_int_equal(store_write(s, &item, STORE_IF_PRESENT, 1, &version), STORE_MISSING);
	assert_int_equal(version, 0);
	store_destroy(s);
}

/* ---- memory ---- */

static struct store_figures figures_of(struct store *s)
{
	struct store_figures f;

	store_figures(s, &f);
	return f;
}

static void fill_to_the_limit(struct store *s, uint32_t *count)
{
	char key[REFERENCE_KEY_MAX], value[REFERENCE_VALUE_MAX];

	for (*count = 0; *count < 1000000; ++*count) {
		struct store_item item = {
			.key = reference_key(*count, key), .version = 1,
			.value = reference_value(1, 100, value),
		};
		enum store_result result = store_write(s, &item, 0, 1, NULL);
		if (result == STORE_FULL)
			return;
		assert_int_equal(result, STORE_DONE);
	}
	fail_msg("a store with a limit is never full");
}

static void a_full_store_takes_deletions_and_what_needs_no_more(void **unused)
{
	enum { LIMIT = 4 * 1024 * 1024 };
	char key[REFERENCE_KEY_MAX], value[REFERENCE_VALUE_MAX];

	(void)unused;
	for (uint32_t shards = 1; shards <= 4; shards *= 4) {
		struct store *s = new_store(shards, LIMIT);
		uint32_t count;
		fill_to_the_limit(s, &count);
		assert_true(count > LIMIT / 200 / 2);
		assert_true(figures_of(s).bytes <= LIMIT);
		assert_int_equal(figures_of(s).entries, count);
		struct store_item item = {
			.key = reference_key(count / 2, key), .version = 2,
			.value = reference_value(1, 99, value),
		};
		assert_int_equal(store_write(s, &item, 0, 1, NULL), STORE_DONE);
		item.value = reference_value(1, 19000, value);
		item.version = 3;
		uint64_t version;
		for (uint32_t i = 0; store_write(s, &item, 0, 1, &version) != STORE_FULL; i++) {
			assert_true(i < 4);	/* no room for a block is some for these */
			item.key = reference_key(i, key);
			item.version = 2;
		}
		item.key = reference_key(count / 3, key);
		item.version = 2;
		assert_int_equal(store_write(s, &item, 0, 1, &version), STORE_FULL);
		assert_int_equal(version, 1);
		assert_int_equal(store_write(s, &item, STORE_UNLIMITED, 1, NULL), STORE_DONE);
		for (uint32_t i = 0; i < count; i++) {
			struct store_item gone = {
				.key = reference_key(i, key), .version = 4, .deleted = true,
			};
			assert_int_equal(store_write(s, &gone, 0, 1, NULL), STORE_DONE);
		}
		assert_int_equal(figures_of(s).entries, 0);
		store_sweep(s, 5000, UINT32_MAX);
		assert_int_equal(figures_of(s).tombstones, 0);
		fill_to_the_limit(s, &count);
		store_destroy(s);
	}
}

static void memory_goes_back_when_entries_go(void **unused)
{
	char key[REFERENCE_KEY_MAX], value[REFERENCE_VALUE_MAX];
	struct store *s = new_store(1, 0);
	uint64_t empty = figures_of(s).bytes;

	(void)unused;
	for (uint32_t i = 0; i < 50000; i++) {
		struct store_item item = {
			.key = reference_key(i, key), .version = 1, .expires_ms = 1000,
			.value = reference_value(1, i % 100, value),
		};
		assert_int_equal(store_write(s, &item, 0, 1, NULL), STORE_DONE);
	}
	uint64_t full = figures_of(s).bytes, segments = figures_of(s).segments;
	assert_true(full > 50000 * 70);
	assert_true(segments > 50000 / SEGMENT_FULL);
	store_sweep(s, 999, UINT32_MAX);
	assert_int_equal(figures_of(s).entries, 50000);
	for (int i = 0; i < 200; i++)		/* each joins pairs, gives some back */
		store_sweep(s, 1000, UINT32_MAX);
	assert_int_equal(figures_of(s).entries, 0);
	assert_int_equal(figures_of(s).expired, 50000);
	assert_int_equal(figures_of(s).segments, 1);
	/* A block of each size in use stays, and the directory, 8 bytes for each segment. */
	assert_true(figures_of(s).bytes < empty + 32 * 65536);
	store_destroy(s);
}

static void a_value_of_the_same_size_takes_no_memory(void **unused)
{
	char value[REFERENCE_VALUE_MAX];
	struct store *s = new_store(1, 0);

	(void)unused;
	for (uint32_t len = 1; len < REFERENCE_VALUE_MAX; len += 1 + len / 3) {
		struct store_item item = {.key = SPAN("k"), .version = len * 100};
		item.value = reference_value(1, len, value);
		store_write(s, &item, 0, 1, NULL);
		uint64_t before = figures_of(s).bytes;
		for (uint32_t i = 0; i < 20; i++) {
			item.version++;
			item.value = reference_value(i, len, value);
			assert_int_equal(store_write(s, &item, 0, 1, NULL), STORE_DONE);
			assert_int_equal(figures_of(s).bytes, before);
		}
	}
	store_destroy(s);
}

static void the_largest_entry_fits(void **unused)
{
	struct store *s = new_store(1, 0);
	char *bytes = calloc(1, STORE_KEY_MAX + STORE_VALUE_MAX);
	struct store_item item = {
		.key = {bytes, STORE_KEY_MAX}, .value = {bytes, STORE_VALUE_MAX}, .version = 1,
	};

	(void)unused;
	assert_int_equal(store_write(s, &item, 0, 1, NULL), STORE_DONE);
	item.deleted = true;
	item.version = 2;
	assert_int_equal(store_write(s, &item, 0, 1, NULL), STORE_DONE);
	free(bytes);
	store_clear(s);
	assert_int_equal(figures_of(s).tombstones, 0);
	store_destroy(s);
}

static void what_was_noted_never_falls(void **unused)
{
	struct store *s = new_store(4, 0);

	(void)unused;
	store_note(s, 7, 5);
	store_note(s, 6, 6);
	assert_int_equal(figures_of(s).newest, 7);
	assert_int_equal(figures_of(s).purged, 6);
	store_clear(s);
	assert_int_equal(figures_of(s).newest, 7);
	store_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_is_what_a_list_of_keys_would_be),
		cmocka_unit_test(versions_in_any_order_come_to_the_same),
		cmocka_unit_test(a_repeated_write_counts_once),
		cmocka_unit_test(a_full_store_takes_deletions_and_what_needs_no_more),
		cmocka_unit_test(memory_goes_back_when_entries_go),
		cmocka_unit_test(a_value_of_the_same_size_takes_no_memory),
		cmocka_unit_test(the_largest_entry_fits),
		cmocka_unit_test(what_was_noted_never_falls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
