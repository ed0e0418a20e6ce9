/* store/shard.h - what a store is made of, for the files store*.c alone.
 *
 *   hash  | shard | directory: depth bits | ................ | slot 10 bits |
 *         | bucket 12 bits ..... |
 *
 * A shard has the entries whose hashes begin with its number: its own directory, its own
 * memory, its own buckets (at least 64 of them), and a lock if there are several shards.
 */
#ifndef STORE_SHARD_H
#define STORE_SHARD_H

#include <pthread.h>
#include <stdalign.h>

#include "store/directory.h"

enum { STORE_BUCKET_BITS = 12, SHARD_ALIGNMENT = 128 };

struct shard {
	alignas(SHARD_ALIGNMENT) pthread_mutex_t lock;
	struct directory      directory;
	struct segment_memory segments;
	struct entry_memory   memory;
	uint64_t  entries, tombstones;
	uint64_t  newest, purged;	/* versions */
	uint64_t  expired;
};

struct store {
	struct store_options options;
	uint32_t shard_bits;
	uint64_t sweep_at;		/* the hash that store_sweep goes on at */
	struct quota quota;
	uint64_t digests[STORE_BUCKETS];	/* each under the lock of its shard */
	struct shard shards[];		/* options.shards */
};

static inline struct shard *shard_of(struct store *s, uint64_t hash)
{
	return &s->shards[hash >> 1 >> (63 - s->shard_bits)];
}

static inline void shard_lock(struct store *s, struct shard *shard)
{
	if (s->options.shards > 1)
		pthread_mutex_lock(&shard->lock);
}

static inline void shard_unlock(struct store *s, struct shard *shard)
{
	if (s->options.shards > 1)
		pthread_mutex_unlock(&shard->lock);
}

static inline uint64_t *shard_digest(struct store *s, uint64_t hash)
{
	return &s->digests[hash >> (64 - STORE_BUCKET_BITS)];
}

/* Counts an entry in (sign 1) or out (-1): in figures and in its bucket's digest. The
 * caller has the lock. */
void shard_count(struct store *s, uint64_t hash, const struct entry *e, int sign);

/* Takes an entry out of the table and gives its memory back. The caller has the lock. */
void shard_drop(struct store *s, struct segment *segment, struct slot *at);

#endif
