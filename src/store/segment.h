/* store/segment.h - a part of the table: up to SEGMENT_FULL entries by their hashes.
 *
 * Open addressing with linear probing. An entry that goes takes no mark behind: those
 * after it move up (Knuth, "The Art of Computer Programming", volume 3, section 6.4,
 * algorithm R), so that a look-up ends at the first empty slot however long the table
 * has been in use. A slot has the whole hash, so an entry's own memory is only looked at
 * when it is the one, and never to split.
 *
 *   hash  .............. | 10 bits: the slot where the search begins |
 *
 * Thread: that of the shard, or whoever has its lock.
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include <stdint.h>

#include "store/entry.h"

enum {
	SEGMENT_BITS = 10,
	SEGMENT_SLOTS = 1 << SEGMENT_BITS,
	SEGMENT_FULL = SEGMENT_SLOTS / 8 * 7,	/* then it is split */
};

struct slot {
	uint64_t      hash;
	struct entry *entry;		/* owned; NULL: empty */
};

struct segment {
	uint32_t    used;
	uint32_t    depth;		/* how many bits of the hash all in it share */
	uint64_t    due_ms;		/* before this, nothing in it is
					 * to be forgotten */
	struct slot slots[SEGMENT_SLOTS];
};

/* Where segments come from. */
struct segment_memory {
	struct region_source blocks;
	struct slab   slab;
	struct quota *quota;		/* borrowed */
};

void segment_memory_init(struct segment_memory *m, struct quota *quota);

/* After every segment was put back. */
void segment_memory_fini(struct segment_memory *m);

/* An empty one. NULL: the quota is used up, or the system has no more memory. */
struct segment *segment_get(struct segment_memory *m, uint32_t depth, bool unlimited);
void segment_put(struct segment_memory *m, struct segment *s);

/* The slot of a key, or NULL. It is good until something is added or removed. */
struct slot *segment_find(struct segment *s, uint64_t hash, struct span key);

/* Adds an entry whose key is not in it; not to be full. The entry is given. */
void segment_add(struct segment *s, uint64_t hash, struct entry *e);

/* Empties a slot; another entry may move into it. The entry is the caller's again. */
void segment_remove(struct segment *s, struct slot *at);

/* Moves the entries whose hashes have `bit` into `upper`, which is empty. */
void segment_split(struct segment *s, struct segment *upper, uint64_t bit);

/* Moves all entries of `from` into s, where there is room. */
void segment_join(struct segment *s, struct segment *from);

/* Something in it is to be forgotten at this time; 0: never. */
static inline void segment_note_due(struct segment *s, uint64_t due_ms)
{
	if (due_ms != 0 && due_ms < s->due_ms)
		s->due_ms = due_ms;
}

/* Visiting all slots touches each entry's memory. Called with each slot's number before
 * it is looked at, this fetches what comes soon. */
static inline void segment_prefetch(const struct segment *s, uint32_t at)
{
	const struct entry *ahead = s->slots[(at + 12) % SEGMENT_SLOTS].entry;

	__builtin_prefetch(ahead);
	__builtin_prefetch((const char *)ahead + 64);
}

#endif
