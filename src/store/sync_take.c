#include "store/sync_take.h"

#include <stdlib.h>

#include "base/must.h"

void sync_take_stop(struct sync_take *t)
{
	bytes_fini(&t->items);
	*t = (struct sync_take){0};
}

void sync_take_offer(struct sync_take *t, const struct kv_message *m)
{
	sync_take_stop(t);
	t->state = SYNC_TAKE_OFFERED;
	t->purged = m->purged;
}

void sync_take_ask(struct sync_take *t, const struct sync_take_from *from)
{
	static const uint64_t none[1];
	struct kv_message m = {.type = KV_SYNC_ASK, .how = KV_SYNC_EVERYTHING,
			       .items = {(const char *)none, 0}};
	struct store_figures figures;
	uint64_t *digests = NULL;

	must(t->state == SYNC_TAKE_OFFERED);
	store_figures(from->store, &figures);
	/* Without memory for the digests everything comes: more than is
	 * needed, but right. */
	if (figures.entries + figures.tombstones > 0)
		digests = malloc(KV_BUCKETS * sizeof *digests);
	t->state = SYNC_TAKE_EVERYTHING;
	if (digests != NULL) {
		store_digests(from->store, digests);
		for (size_t i = 0; i < KV_BUCKETS; i++)
			kv_u64_write(digests[i], &digests[i]);
		m.how = KV_SYNC_BY_DIGEST;
		m.items = (struct span){(const char *)digests,
					KV_BUCKETS * sizeof *digests};
		t->state = SYNC_TAKE_SUMMARIES;
	}
	channel_send(from->channel, &m);
	free(digests);
}

/* An entry of the other side's summary. `known`: ours is as new, or newer; or it is a
 * deletion of long ago, and there is nothing here that it would delete. */
struct theirs {
	uint64_t hash, version;
	bool     known;
};

struct comparison {
	struct theirs *theirs;
	size_t   count;
	struct bytes extras;		/* entries that they lack */
	bool     no_memory;
};

struct extra {				/* before the key and the value */
	uint64_t version, expires_ms;
	uint32_t key_len, value_len;
	bool     deleted;
};

/* Written before a tombstone of now would be forgotten. */
static bool is_of_long_ago(uint64_t version, uint64_t now_ms)
{
	return (version >> 8) / 1000 + STORE_TOMBSTONE_MS < now_ms;
}

static int by_hash(const void *a, const void *b)
{
	const struct theirs *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static void add_extra(struct comparison *c, const struct store_item *item)
{
	struct extra e = {item->version, item->expires_ms, (uint32_t)item->key.len,
			  (uint32_t)item->value.len, item->deleted};

	if (!bytes_append(&c->extras, &e, sizeof e) ||
	    !bytes_append(&c->extras, item->key.at, item->key.len) ||
	    !bytes_append(&c->extras, item->value.at, item->value.len))
		c->no_memory = true;
}

static void compare(void *arg, uint64_t hash, const struct store_item *item)
{
	struct comparison *c = arg;
	struct theirs key = {.hash = hash};
	struct theirs *found = c->count == 0 ? NULL :
		bsearch(&key, c->theirs, c->count, sizeof key, by_hash);

	if (found == NULL)
		add_extra(c, item);
	else
		found->known = item->version >= found->version;
}

/* Tombstones and entries that expired are forgotten when all have them, long after. What
 * is younger than that has not been deleted, but did not get there. */
static bool is_forgotten(const struct sync_take *t, const struct extra *e,
			 uint64_t now_ms)
{
	return e->version <= t->purged && is_of_long_ago(e->version, now_ms);
}

static void hand_out_extras(const struct sync_take *t, struct bytes *extras,
			    const struct sync_take_from *from)
{
	struct extra e;

	while (bytes_waiting(extras) > 0) {
		const char *at = bytes_first(extras);
		memcpy(&e, at, sizeof e);
		at += sizeof e;
		struct store_item item = {
			.key = {at, e.key_len}, .value = {at + e.key_len, e.value_len},
			.version = e.version, .expires_ms = e.expires_ms,
			.deleted = e.deleted,
		};
		/* A deletion of long ago is nothing to be told. */
		if (!e.deleted || !is_of_long_ago(e.version, from->now_ms))
			from->extra(from->arg, &item, is_forgotten(t, &e, from->now_ms));
		bytes_consume(extras, sizeof e + e.key_len + e.value_len);
	}
}

static void want(const struct sync_take *t, const struct comparison *c,
		 const struct sync_take_from *from)
{
	char *hashes = malloc(KV_WANT_ITEMS_MAX * KV_WANT_ITEM_BYTES);
	size_t count = 0;

	for (size_t i = 0; hashes != NULL && i <= c->count; i++) {
		bool full = count == KV_WANT_ITEMS_MAX;
		if (count > 0 && (full || i == c->count)) {
			channel_send(from->channel, &(struct kv_message){
				.type = KV_SYNC_WANT, .bucket = t->bucket,
				.items = {hashes, count * KV_WANT_ITEM_BYTES},
			});
			count = 0;
		}
		if (i < c->count && !c->theirs[i].known)
			kv_u64_write(c->theirs[i].hash,
				     hashes + count++ * KV_WANT_ITEM_BYTES);
	}
	free(hashes);
}

/* All of a bucket's summary is there. False: out of memory. */
static bool judge_bucket(struct sync_take *t, const struct sync_take_from *from)
{
	struct span items = {bytes_first(&t->items), bytes_waiting(&t->items)};
	struct comparison c = {.count = items.len / KV_SUMMARY_ITEM_BYTES};

	c.theirs = malloc((c.count + 1) * sizeof *c.theirs);
	if (c.theirs == NULL)
		return false;
	for (size_t i = 0; i < c.count; i++) {
		struct kv_summary_item item = kv_summary_item_at(items, i);
		/* Taken again and again by one from the other,
		 * tombstones would never end. */
		bool is_over = item.kind == KV_KIND_DELETED &&
			       is_of_long_ago(item.version, from->now_ms);
		c.theirs[i] = (struct theirs){item.hash, item.version, is_over};
	}
	qsort(c.theirs, c.count, sizeof *c.theirs, by_hash);
	store_walk_bucket(from->store, t->bucket, from->now_ms, compare, &c);
	if (!c.no_memory) {
		want(t, &c, from);
		hand_out_extras(t, &c.extras, from);
	}
	bytes_fini(&c.extras);
	free(c.theirs);
	bytes_consume(&t->items, bytes_waiting(&t->items));
	return !c.no_memory;
}

static bool collect(struct sync_take *t, const struct sync_take_from *from,
		    const struct kv_message *m, const char **why)
{
	if (t->state != SYNC_TAKE_SUMMARIES) {
		*why = "SYNC_SUMMARY that was not asked for";
		return false;
	}
	if (m->bucket >= KV_BUCKETS ||
	    (bytes_waiting(&t->items) > 0 && m->bucket != t->bucket)) {
		*why = "SYNC_SUMMARY of a bucket out of order";
		return false;
	}
	if (bytes_waiting(&t->items) + m->items.len >
	    (size_t)SYNC_BUCKET_ITEMS_MAX * KV_SUMMARY_ITEM_BYTES) {
		*why = "SYNC_SUMMARY of too many entries in one bucket";
		return false;
	}
	t->bucket = m->bucket;
	if (!bytes_append(&t->items, m->items.at, m->items.len) ||
	    (m->last && !judge_bucket(t, from))) {
		*why = "out of memory";
		return false;
	}
	return true;
}

bool sync_take_message(struct sync_take *t, const struct sync_take_from *from,
		       const struct kv_message *m, bool *ended, const char **why)
{
	*ended = false;
	if (m->type == KV_SYNC_SUMMARY)
		return collect(t, from, m, why);
	if (m->type == KV_SYNC_SUMMARIES_END) {
		if (t->state != SYNC_TAKE_SUMMARIES || bytes_waiting(&t->items) > 0) {
			*why = "SYNC_SUMMARIES_END out of order";
			return false;
		}
		t->state = SYNC_TAKE_WANTED;
		channel_send(from->channel,
			     &(struct kv_message){.type = KV_SYNC_WANTS_END});
		return true;
	}
	if (t->state != SYNC_TAKE_EVERYTHING && t->state != SYNC_TAKE_WANTED) {
		*why = "SYNC_END without a sync";
		return false;
	}
	sync_take_stop(t);
	*ended = true;
	return true;
}
