/* store/store.c - writing, reading, and what holds for the whole.
 *
 * Walking, sweeping and hashing anew are in store_walk.c. Of the two questions of each
 * write, whether it counts is answered by judge(), which is pure, and where it goes by
 * put(): into the memory that the entry has, if its size stays the same.
 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "store/shard.h"

/* ---- life ---- */

static void shard_init(struct store *s, struct shard *shard)
{
	*shard = (struct shard){0};
	pthread_mutex_init(&shard->lock, NULL);
	segment_memory_init(&shard->segments, &s->quota);
	entry_memory_init(&shard->memory, &s->quota);
}

static void shard_fini(struct shard *shard)
{
	directory_fini(&shard->directory);
	segment_memory_fini(&shard->segments);
	entry_memory_fini(&shard->memory);
	pthread_mutex_destroy(&shard->lock);
}

struct store *store_create(const struct store_options *o)
{
	must(o->shards >= 1 && o->shards <= STORE_SHARDS_MAX);
	must((o->shards & (o->shards - 1)) == 0);
	size_t size = sizeof(struct store) + o->shards * sizeof(struct shard);
	struct store *s = aligned_alloc(SHARD_ALIGNMENT, size);
	uint32_t made = 0;

	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof *s);
	s->options = *o;
	s->quota.bytes_max = o->memory_max;
	s->shard_bits = (uint32_t)__builtin_ctz(o->shards);
	while (made < o->shards) {
		struct shard *shard = &s->shards[made];
		shard_init(s, shard);
		if (!directory_init(&shard->directory, s->shard_bits, &shard->segments))
			goto destroy_shards;
		made++;
	}
	return s;

destroy_shards:
	while (made-- > 0)
		shard_fini(&s->shards[made]);
	free(s);
	return NULL;
}

void store_destroy(struct store *s)
{
	if (s == NULL)
		return;
	store_clear(s);
	for (uint32_t i = 0; i < s->options.shards; i++)
		shard_fini(&s->shards[i]);
	must(s->quota.bytes == 0);
	free(s);
}

uint64_t store_hash(const struct store *s, struct span key)
{
	return siphash(&s->options.key, key.at, key.len);
}

struct siphash_key store_key(const struct store *s)
{
	return s->options.key;
}

/* ---- counting ---- */

void shard_count(struct store *s, uint64_t hash, const struct entry *e, int sign)
{
	struct shard *shard = shard_of(s, hash);

	if (e->deleted) {
		shard->tombstones += (uint64_t)sign;
		return;
	}
	shard->entries += (uint64_t)sign;
	*shard_digest(s, hash) += (uint64_t)sign * entry_digest(e, hash);
}

void shard_drop(struct store *s, struct segment *segment, struct slot *at)
{
	struct entry *e = at->entry;
	struct shard *shard = shard_of(s, at->hash);

	shard_count(s, at->hash, e, -1);
	segment_remove(segment, at);
	entry_put(&shard->memory, e);
}

/* ---- writing ---- */

static bool is_alive(const struct entry *e, uint64_t now_ms)
{
	return e != NULL && !e->deleted && !entry_is_over(e, now_ms);
}

/* Whether this write counts, given what is there. A write that comes a second time is
 * told first, so that whoever repeats a conditional one learns that it was done. */
static enum store_result judge(const struct entry *present, const struct store_item *item,
			       unsigned flags, uint64_t now_ms)
{
	bool alive = is_alive(present, now_ms);
	uint64_t version = present != NULL ? entry_version(present) : 0;

	if (item->version != 0 && item->version == version)
		return STORE_OLD;
	if ((flags & STORE_IF_ABSENT) != 0 && alive)
		return STORE_EXISTS;
	if ((flags & STORE_IF_PRESENT) != 0 && !alive)
		return STORE_MISSING;
	if (item->version != 0 && item->version < version)
		return STORE_OLD;
	return STORE_DONE;
}

/* A version of our own: later than what is there, and than what others wrote before. */
static uint64_t next_version(const struct entry *present, uint64_t now_ms)
{
	uint64_t now = now_ms * 1000 * 256;
	uint64_t there = present != NULL ? entry_version(present) : 0;

	return (there > now ? there : now) + 1;
}

static void fill(const struct store *s, struct entry *e, const struct store_item *item,
		 uint64_t version, uint64_t now_ms)
{
	struct span value = item->deleted ? (struct span){0} : item->value;

	e->expires_ms = item->deleted ? now_ms + s->options.tombstone_ms :
					item->expires_ms;
	e->key_len = (uint16_t)item->key.len;
	e->value_len = (uint16_t)value.len;
	e->deleted = item->deleted;
	e->unused = 0;
	e->version_be = htobe64(version);
	memcpy(e->bytes, item->key.at, item->key.len);
	if (value.len > 0)
		memcpy(e->bytes + item->key.len, value.at, value.len);
}

/* Memory for the item in place of the entry at the slot: its own, if the size is the
 * same, or if it would do and there is no other. NULL: none. */
static struct entry *replace(struct shard *shard, struct slot *at, size_t bytes,
			     bool unlimited)
{
	struct entry *e = at->entry;

	if (entry_suits(e, bytes))
		return e;
	struct entry *other = entry_get(&shard->memory, bytes, unlimited);
	if (other == NULL)
		return entry_holds(e, bytes) ? e : NULL;
	entry_put(&shard->memory, e);
	at->entry = other;
	return other;
}

/* Memory for an item whose key is new, in the table already. NULL: none. */
static struct entry *insert(struct shard *shard, uint64_t hash, size_t bytes,
			    bool unlimited)
{
	struct segment *segment = directory_make_room(&shard->directory, hash, unlimited);

	if (segment == NULL)
		return NULL;
	struct entry *e = entry_get(&shard->memory, bytes, unlimited);
	if (e != NULL)
		segment_add(segment, hash, e);
	return e;
}

/* Where a key is in the table, if it is there. */
struct place {
	uint64_t hash;
	struct slot *at;		/* NULL: it is not */
};

static bool put(struct store *s, struct place where, const struct store_item *item,
		bool unlimited, uint64_t now_ms)
{
	struct shard *shard = shard_of(s, where.hash);
	size_t bytes = item->key.len + (item->deleted ? 0 : item->value.len);
	struct entry *e;

	if (where.at != NULL) {
		shard_count(s, where.hash, where.at->entry, -1);
		e = replace(shard, where.at, bytes, unlimited);
		if (e == NULL)
			shard_count(s, where.hash, where.at->entry, 1);
	} else {
		e = insert(shard, where.hash, bytes, unlimited);
	}
	if (e == NULL)
		return false;
	fill(s, e, item, item->version, now_ms);
	shard_count(s, where.hash, e, 1);
	segment_note_due(directory_find(&shard->directory, where.hash), e->expires_ms);
	if (item->version > shard->newest)
		shard->newest = item->version;
	return true;
}

enum store_result store_write(struct store *s, const struct store_item *item,
			      unsigned flags, uint64_t now_ms, uint64_t *version)
{
	must(item->key.len >= 1 && item->key.len <= STORE_KEY_MAX);
	must(item->value.len <= STORE_VALUE_MAX);
	uint64_t hash = store_hash(s, item->key);
	struct shard *shard = shard_of(s, hash);
	struct store_item versioned = *item;

	shard_lock(s, shard);
	struct segment *segment = directory_find(&shard->directory, hash);
	struct place where = {hash, segment_find(segment, hash, item->key)};
	struct entry *present = where.at != NULL ? where.at->entry : NULL;
	bool was_alive = is_alive(present, now_ms);
	uint64_t after = present != NULL ? entry_version(present) : 0;
	enum store_result result = judge(present, item, flags, now_ms);
	if (result == STORE_DONE) {
		if (item->version == 0)
			versioned.version = next_version(present, now_ms);
		if (!put(s, where, &versioned, (flags & STORE_UNLIMITED) != 0, now_ms))
			result = STORE_FULL;
		else if (item->deleted && !was_alive)
			result = STORE_MISSING;
		after = result != STORE_FULL ? versioned.version : after;
	}
	shard_unlock(s, shard);
	if (version != NULL)
		*version = after;
	return result;
}

enum store_result store_expire(struct store *s, const struct store_item *item,
			       uint64_t now_ms,
			       void (*use)(void *arg, const struct store_item *item),
			       void *arg)
{
	uint64_t hash = store_hash(s, item->key);
	struct shard *shard = shard_of(s, hash);

	shard_lock(s, shard);
	struct segment *segment = directory_find(&shard->directory, hash);
	struct slot *at = segment_find(segment, hash, item->key);
	struct entry *e = at != NULL ? at->entry : NULL;
	enum store_result result = judge(e, item, STORE_IF_PRESENT, now_ms);
	if (result == STORE_DONE) {
		uint64_t version = item->version != 0 ? item->version :
							next_version(e, now_ms);
		shard_count(s, hash, e, -1);
		e->version_be = htobe64(version);
		e->expires_ms = item->expires_ms;
		shard_count(s, hash, e, 1);
		segment_note_due(segment, e->expires_ms);
		if (version > shard->newest)
			shard->newest = version;
		struct store_item after = entry_item(e);
		if (use != NULL)
			use(arg, &after);
	}
	shard_unlock(s, shard);
	return result;
}

/* ---- reading ---- */

bool store_read(struct store *s, struct span key, uint64_t now_ms,
		void (*use)(void *arg, const struct store_item *item), void *arg)
{
	uint64_t hash = store_hash(s, key);
	struct shard *shard = shard_of(s, hash);

	shard_lock(s, shard);
	struct slot *at = segment_find(directory_find(&shard->directory, hash), hash,
				       key);
	bool found = at != NULL && is_alive(at->entry, now_ms);
	if (found) {
		struct store_item item = entry_item(at->entry);
		use(arg, &item);
	}
	shard_unlock(s, shard);
	return found;
}

/* ---- figures ---- */

void store_digests(struct store *s, uint64_t out[STORE_BUCKETS])
{
	uint32_t each = STORE_BUCKETS >> s->shard_bits;

	for (uint32_t i = 0; i < s->options.shards; i++) {
		shard_lock(s, &s->shards[i]);
		memcpy(out + i * each, s->digests + i * each, each * sizeof *out);
		shard_unlock(s, &s->shards[i]);
	}
}

static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void store_figures(struct store *s, struct store_figures *out)
{
	uint64_t digests[STORE_BUCKETS];

	*out = (struct store_figures){
		.bytes = atomic_load_explicit(&s->quota.bytes, memory_order_relaxed),
		.memory_max = s->options.memory_max,
	};
	for (uint32_t i = 0; i < s->options.shards; i++) {
		struct shard *shard = &s->shards[i];
		shard_lock(s, shard);
		out->entries += shard->entries;
		out->tombstones += shard->tombstones;
		out->newest = higher(out->newest, shard->newest);
		out->purged = higher(out->purged, shard->purged);
		out->expired += shard->expired;
		out->splits += shard->directory.splits;
		out->segments += shard->directory.segments;
		out->bytes += shard->memory.blocks.dirty_blocks * REGION_BLOCK_MIN;
		shard_unlock(s, shard);
	}
	store_digests(s, digests);
	for (uint32_t i = 0; i < STORE_BUCKETS; i++)
		out->digest += digests[i];
}

void store_note(struct store *s, uint64_t newest, uint64_t purged)
{
	struct shard *shard = &s->shards[0];	/* the figures' maximum is over all */

	shard_lock(s, shard);
	shard->newest = higher(shard->newest, newest);
	shard->purged = higher(shard->purged, purged);
	shard_unlock(s, shard);
}
