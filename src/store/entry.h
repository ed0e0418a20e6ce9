/* store/entry.h - one entry in memory, and where its memory comes from.
 *
 *     24 bytes                                   key_len      value_len
 *   | expires, lengths, kind | version, big-end | key ....... | value ........ |
 *                            '-- the digest is of all this, as it stands ------'
 *
 * Entries come in sizes: steps of 16 bytes up to 512, from there eight to each doubling,
 * so that at most an eighth is unused. Each size up to ENTRY_SLAB_BYTES_MAX has a slab,
 * larger ones come from malloc. A value that grows or shrinks within its size stays where
 * it is.
 *
 * Thread: that of the shard, or whoever has its lock.
 */
#ifndef STORE_ENTRY_H
#define STORE_ENTRY_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/region.h"
#include "base/slab.h"
#include "store/quota.h"
#include "store/store.h"

enum {
	ENTRY_SLAB_BYTES_MAX = 4096,
	ENTRY_KINDS = 96,		/* sizes; the last one is 128 KiB */
	ENTRY_SLABS = 32 + 24,		/* those up to ENTRY_SLAB_BYTES_MAX */
};

struct entry {
	uint64_t expires_ms;		/* 0: never. Of a tombstone, when to forget it */
	uint16_t key_len, value_len;
	bool     deleted;
	uint8_t  kind;			/* which size its memory has */
	uint16_t unused;
	uint64_t version_be;
	char     bytes[];		/* key, value */
};

struct entry_memory {
	struct region_source blocks;
	struct slab   slabs[ENTRY_SLABS];
	struct quota *quota;		/* borrowed */
};

void entry_memory_init(struct entry_memory *m, struct quota *quota);

/* After every entry was put back. */
void entry_memory_fini(struct entry_memory *m);

/* Memory for an entry with so many bytes of key and value; only `kind` is set. NULL: the
 * quota is used up, or the system has no more. */
struct entry *entry_get(struct entry_memory *m, size_t bytes, bool unlimited);
void entry_put(struct entry_memory *m, struct entry *e);

/* Whether so many bytes of key and value have just the size that the entry has; and
 * whether they would go into it at all. */
bool entry_suits(const struct entry *e, size_t bytes);
bool entry_holds(const struct entry *e, size_t bytes);

/* What it adds to the digest of its bucket: doc/kv-protocol.md. */
uint64_t entry_digest(const struct entry *e, uint64_t hash);

static inline uint64_t entry_version(const struct entry *e)
{
	return be64toh(e->version_be);
}

static inline struct span entry_key(const struct entry *e)
{
	return (struct span){e->bytes, e->key_len};
}

/* Past its time; of a tombstone, the time it was to be kept for. */
static inline bool entry_is_over(const struct entry *e, uint64_t now_ms)
{
	return e->expires_ms != 0 && e->expires_ms <= now_ms;
}

static inline struct store_item entry_item(const struct entry *e)
{
	return (struct store_item){
		.key = entry_key(e),
		.value = {e->bytes + e->key_len, e->value_len},
		.version = entry_version(e),
		.expires_ms = e->deleted ? 0 : e->expires_ms,
		.deleted = e->deleted,
	};
}

#endif
