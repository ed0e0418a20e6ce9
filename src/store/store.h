/* store/store.h - the entries that a kv-worker holds: a hash table of its own, in memory.
 *
 * Extendible hashing (Fagin and others, "Extendible hashing - a fast access method for
 * dynamic files", 1979): a directory of segments, by the first bits of the hash. A full
 * segment is split in two on its own, so that no call does more work than one segment
 * takes, however many entries there are. In a segment: open addressing with linear
 * probing.
 *
 *   hash of a key  | shard | directory: depth bits | ..... | place in the segment |
 *                  | bucket 12 bits, for digests | ............................... |
 *
 * So the order of segments is the order of hashes: a walk goes by it, and loses nothing
 * and repeats nothing when segments are split meanwhile.
 *
 * The hash is SipHash under the pool's key: who does not know it cannot make keys
 * collide.
 *
 * Writes: of two writes of a key the one with the higher version stays. A deletion leaves
 * a tombstone, for as long as tombstone_ms; an entry past its time is gone for readers at
 * once and from memory when store_sweep comes by.
 *
 * Threads: with `shards` > 1 any; a shard, the entries whose hashes begin alike, has a
 * lock of its own, held for one call. With one shard the thread that made it, and no
 * lock.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "base/span.h"

enum {
	STORE_SHARDS_MAX = 64,		/* a power of two */
	STORE_BUCKETS = 4096,
	STORE_KEY_MAX = 32768, STORE_VALUE_MAX = 65535,
	STORE_TOMBSTONE_MS = 600 * 1000,	/* default */
};

struct store;

struct store_options {
	uint32_t shards;		/* a power of two, 1 to STORE_SHARDS_MAX */
	uint64_t memory_max;		/* bytes, of entries and table; 0: no limit */
	uint32_t tombstone_ms;
	struct siphash_key key;
};

struct store_item {
	struct span key, value;		/* borrowed */
	uint64_t version;		/* time in microseconds since 1970, times
					 * 256, and more */
	uint64_t expires_ms;		/* since 1970; 0: never */
	bool     deleted;		/* a tombstone; value is empty */
};

enum store_result {
	STORE_DONE,		/* written */
	STORE_OLD,		/* the store has this version of the key,
				 * or a newer one */
	STORE_MISSING,		/* STORE_IF_PRESENT: there is none, and nothing was
				 * written; or a deletion of nothing, which has left
				 * its tombstone */
	STORE_EXISTS,		/* STORE_IF_ABSENT: there is one, of another version */
	STORE_FULL,		/* memory_max, or no more memory to be had */
};

enum store_flags {
	STORE_IF_ABSENT = 1, STORE_IF_PRESENT = 2,
	STORE_UNLIMITED = 4,	/* beyond memory_max, too: what others have
				 * accepted already */
};

/* NULL: out of memory. */
struct store *store_create(const struct store_options *o);
void store_destroy(struct store *s);

/* Writes an item, whose key has 1 to STORE_KEY_MAX bytes; it must not be one that the
 * store lent. Its version 0: one higher than the present one, and than now. *version
 * (may be NULL) is the one that the key has afterwards, 0 if there is none. `now_ms`
 * is wall time; what is past its time already is written all the same, since it ends
 * what was there before. */
enum store_result store_write(struct store *s, const struct store_item *item,
			      unsigned flags, uint64_t now_ms, uint64_t *version);

/* Gives the entry of item->key the time item->expires_ms to end, under item->version
 * (0 as in store_write); its value stays. STORE_DONE: `use` (may be NULL) sees the
 * item as it is afterwards, for replication, under the shard's lock; it must not call
 * the store. Else STORE_OLD or STORE_MISSING. */
enum store_result store_expire(struct store *s, const struct store_item *item,
			       uint64_t now_ms,
			       void (*use)(void *arg, const struct store_item *item),
			       void *arg);

/* Calls `use` with the entry, if it is there, alive and no tombstone, under the
 * shard's lock: it must not call the store. False: it is not. */
bool store_read(struct store *s, struct span key, uint64_t now_ms,
		void (*use)(void *arg, const struct store_item *item), void *arg);

/* ---- walking, summing up ---- */

typedef void store_visit(void *arg, uint64_t hash, const struct store_item *item);

/* Visits all entries, tombstones too, of the next segment at *cursor (0 at first), in
 * the order of hashes between segments; not those past their time. False: the walk is
 * over, nothing was visited. What is there from beginning to end is visited exactly
 * once. */
bool store_walk(struct store *s, uint64_t *cursor, uint64_t now_ms, store_visit *visit,
		void *arg);

/* The same for all of one bucket (the first 12 bits of the hash), in one call. */
void store_walk_bucket(struct store *s, uint32_t bucket, uint64_t now_ms,
		       store_visit *visit, void *arg);

/* Visits the entries with this hash (almost always one). */
void store_visit_hash(struct store *s, uint64_t hash, uint64_t now_ms, store_visit *visit,
		      void *arg);

/* Of each bucket, the sum of its entries but tombstones; see doc/kv-protocol.md. Kept
 * up with every write, so that it costs a copy. */
void store_digests(struct store *s, uint64_t out[STORE_BUCKETS]);

/* ---- the rest ---- */

/* By the pool's key, which is the second one. */
uint64_t store_hash(const struct store *s, struct span key);
struct siphash_key store_key(const struct store *s);

/* From now on by this key: everything is hashed anew. For a newcomer, before it
 * serves; takes about as long as writing all of it, and with several shards up to
 * twice the memory. No other thread may use the store meanwhile. False: out of memory;
 * either nothing has changed, or (store_key tells) the key is the new one and the
 * store is empty. */
bool store_use_key(struct store *s, const struct siphash_key *key);

/* Forgets entries past their time and old tombstones in the next segments, of about
 * `slots` places together; called again and again it comes by everywhere. A segment in
 * which nothing can be due counts as 16 places only. Joins segments that have become
 * empty, too, and gives memory back to the system, which nothing else does. One thread
 * at a time. */
void store_sweep(struct store *s, uint64_t now_ms, uint32_t slots);

/* Everything is deleted, without tombstones: a second for ten million entries.
 * `newest` and `purged` stay. */
void store_clear(struct store *s);

struct store_figures {
	uint64_t entries;		/* alive, or past their time but not swept yet */
	uint64_t tombstones;
	uint64_t bytes;			/* taken from the system, table included */
	uint64_t memory_max;
	uint64_t newest;		/* the highest version seen */
	uint64_t purged;		/* the highest version of what was forgotten */
	uint64_t digest;		/* of all buckets, summed up */
	uint64_t expired, splits, segments;
};
void store_figures(struct store *s, struct store_figures *out);

/* What it was told by a peer or a file: `newest` and `purged` are at least so high. */
void store_note(struct store *s, uint64_t newest, uint64_t purged);

#endif
