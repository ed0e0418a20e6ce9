/* store/store_walk.c - what goes through the whole table: walks, the sweep, clearing, and
 * hashing anew.
 *
 * A walk's place is a hash: all entries whose hashes are lower have had their turn. So it
 * holds nothing, and what is split or joined between two steps does not disturb it: the
 * next step begins in the segment that then has this hash, in the midst of it perhaps.
 *
 * The cursor is that hash with its last bit set, to tell the end (1) from the beginning
 * (0). No segment begins at a hash with this bit.
 */
#include <string.h>

#include "base/must.h"
#include "store/shard.h"

enum {
	CURSOR_BEGUN = 1,
	SLOTS_OF_A_LOOK = 16,
	TRIMS_MAX = 8,			/* blocks that a sweep gives back,
					 * 100 us in all */
};

static void visit(const struct slot *at, uint64_t now_ms, store_visit *visit_one,
		  void *arg)
{
	if (!at->entry->deleted && entry_is_over(at->entry, now_ms))
		return;
	struct store_item item = entry_item(at->entry);
	visit_one(arg, at->hash, &item);
}

bool store_walk(struct store *s, uint64_t *cursor, uint64_t now_ms,
		store_visit *visit_one, void *arg)
{
	if (*cursor == CURSOR_BEGUN)
		return false;
	uint64_t hash = *cursor & ~(uint64_t)CURSOR_BEGUN;
	struct shard *shard = shard_of(s, hash);

	shard_lock(s, shard);
	struct segment *segment = directory_find(&shard->directory, hash);
	for (uint32_t i = 0; i < SEGMENT_SLOTS; i++) {
		segment_prefetch(segment, i);
		const struct slot *at = &segment->slots[i];
		if (at->entry != NULL && at->hash >= hash)
			visit(at, now_ms, visit_one, arg);
	}
	*cursor = directory_after(&shard->directory, segment, hash) | CURSOR_BEGUN;
	shard_unlock(s, shard);
	return true;
}

void store_walk_bucket(struct store *s, uint32_t bucket, uint64_t now_ms,
		       store_visit *visit_one, void *arg)
{
	must(bucket < STORE_BUCKETS);
	uint64_t hash = (uint64_t)bucket << (64 - STORE_BUCKET_BITS);
	struct shard *shard = shard_of(s, hash);

	shard_lock(s, shard);
	do {
		struct segment *segment = directory_find(&shard->directory, hash);
		for (uint32_t i = 0; i < SEGMENT_SLOTS; i++) {
			segment_prefetch(segment, i);
			const struct slot *at = &segment->slots[i];
			if (at->entry != NULL &&
			    at->hash >> (64 - STORE_BUCKET_BITS) == bucket)
				visit(at, now_ms, visit_one, arg);
		}
		hash = directory_after(&shard->directory, segment, hash);
	} while (hash != 0 && hash >> (64 - STORE_BUCKET_BITS) == bucket);
	shard_unlock(s, shard);
}

void store_visit_hash(struct store *s, uint64_t hash, uint64_t now_ms,
		      store_visit *visit_one, void *arg)
{
	struct shard *shard = shard_of(s, hash);

	shard_lock(s, shard);
	struct segment *segment = directory_find(&shard->directory, hash);
	uint32_t i = hash % SEGMENT_SLOTS;
	for (; segment->slots[i].entry != NULL; i = (i + 1) % SEGMENT_SLOTS)
		if (segment->slots[i].hash == hash)
			visit(&segment->slots[i], now_ms, visit_one, arg);
	shard_unlock(s, shard);
}

/* ---- the sweep ---- */

static void forget(struct store *s, struct segment *segment, struct slot *at)
{
	struct shard *shard = shard_of(s, at->hash);
	uint64_t version = entry_version(at->entry);

	if (!at->entry->deleted)
		shard->expired++;
	if (version > shard->purged)
		shard->purged = version;
	shard_drop(s, segment, at);
}

static void sweep_segment(struct store *s, struct segment *segment, uint64_t now_ms)
{
	segment->due_ms = UINT64_MAX;
	for (uint32_t i = 0; i < SEGMENT_SLOTS; i++) {
		struct slot *at = &segment->slots[i];
		segment_prefetch(segment, i);
		while (at->entry != NULL && entry_is_over(at->entry, now_ms))
			forget(s, segment, at);		/* another may move up */
		if (at->entry != NULL)
			segment_note_due(segment, at->entry->expires_ms);
	}
}

void store_sweep(struct store *s, uint64_t now_ms, uint32_t slots)
{
	uint64_t done = 0, begun = s->sweep_at;
	uint32_t trims = TRIMS_MAX;
	bool around = false;		/* at most once; where it began may be
					 * joined by then */

	do {
		uint64_t hash = s->sweep_at;
		struct shard *shard = shard_of(s, hash);
		shard_lock(s, shard);
		struct segment *segment = directory_find(&shard->directory, hash);
		s->sweep_at = directory_after(&shard->directory, segment, hash);
		around |= s->sweep_at == 0;
		bool due = segment->due_ms <= now_ms;
		if (due)
			sweep_segment(s, segment, now_ms);
		directory_join(&shard->directory, hash);
		trims -= region_trim(&shard->memory.blocks, trims);
		trims -= region_trim(&shard->segments.blocks, trims);
		shard_unlock(s, shard);
		done += due ? SEGMENT_SLOTS : SLOTS_OF_A_LOOK;
	} while (done < slots && (!around || s->sweep_at < begun));
}

/* ---- everything at once ---- */

/* Takes each entry out of the directory and hands it to `use`, which owns it then. */
static void empty_directory(struct directory *d, void (*use)(void *arg, struct entry *e),
			    void *arg)
{
	for (size_t i = 0; i < (size_t)1 << d->depth; i++) {
		struct segment *segment = d->at[i];
		for (uint32_t n = 0; segment->used > 0 && n < SEGMENT_SLOTS; n++) {
			segment_prefetch(segment, n);
			struct entry *e = segment->slots[n].entry;
			segment->slots[n] = (struct slot){0};
			if (e != NULL)
				use(arg, e);
		}
		segment->used = 0;
	}
}

static void give_back(void *arg, struct entry *e)
{
	entry_put(&((struct shard *)arg)->memory, e);
}

/* Puts an empty directory in the place of one whose entries are gone; keeps that one, if
 * there is no memory. */
static void renew_directory(struct shard *shard)
{
	struct directory *d = &shard->directory, fresh;

	if (!directory_init(&fresh, d->skip, d->memory))
		return;
	fresh.splits = d->splits;
	directory_fini(d);
	*d = fresh;
}

void store_clear(struct store *s)
{
	uint32_t each = STORE_BUCKETS >> s->shard_bits;

	for (uint32_t i = 0; i < s->options.shards; i++) {
		struct shard *shard = &s->shards[i];
		shard_lock(s, shard);
		empty_directory(&shard->directory, give_back, shard);
		renew_directory(shard);
		shard->entries = shard->tombstones = 0;
		for (uint32_t b = i * each; b < (i + 1) * each; b++)
			s->digests[b] = 0;
		shard_unlock(s, shard);
	}
	s->sweep_at = 0;
}

/* ---- hashing anew ---- */

struct move {
	struct store *s;
	struct shard *from;
	bool failed;
};

/* The entry in memory of the shard it belongs to; NULL: there is none. It is given. */
static struct entry *bring(struct shard *from, struct shard *to, struct entry *e)
{
	size_t bytes = (size_t)e->key_len + e->value_len;

	if (from == to)
		return e;
	struct entry *copy = entry_get(&to->memory, bytes, true);
	if (copy != NULL) {
		uint8_t kind = copy->kind;
		memcpy(copy, e, sizeof *e + bytes);
		copy->kind = kind;
	}
	entry_put(&from->memory, e);
	return copy;
}

static void hash_anew(void *arg, struct entry *e)
{
	struct move *m = arg;
	uint64_t hash = store_hash(m->s, entry_key(e));
	struct shard *to = shard_of(m->s, hash);
	struct segment *segment = directory_make_room(&to->directory, hash, true);

	if (segment == NULL) {
		m->failed = true;
		entry_put(&m->from->memory, e);
		return;
	}
	e = bring(m->from, to, e);
	if (e == NULL) {
		m->failed = true;
		return;
	}
	segment_add(segment, hash, e);
	segment_note_due(segment, e->expires_ms);
	shard_count(m->s, hash, e, 1);
}

bool store_use_key(struct store *s, const struct siphash_key *key)
{
	struct directory old[STORE_SHARDS_MAX];
	uint32_t made = 0;
	struct move m = {.s = s};

	while (made < s->options.shards) {
		struct shard *shard = &s->shards[made];
		old[made] = shard->directory;
		if (!directory_init(&shard->directory, s->shard_bits, &shard->segments))
			goto put_back;
		shard->directory.splits = old[made].splits;
		made++;
	}
	s->options.key = *key;
	s->sweep_at = 0;
	memset(s->digests, 0, sizeof s->digests);
	for (uint32_t i = 0; i < made; i++)
		s->shards[i].entries = s->shards[i].tombstones = 0;
	for (uint32_t i = 0; i < made; i++) {
		m.from = &s->shards[i];
		empty_directory(&old[i], hash_anew, &m);
		directory_fini(&old[i]);
	}
	if (m.failed)
		store_clear(s);
	return !m.failed;

put_back:
	s->shards[made].directory = old[made];
	while (made-- > 0) {
		directory_fini(&s->shards[made].directory);
		s->shards[made].directory = old[made];
	}
	return false;
}
