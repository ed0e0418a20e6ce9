/* store/directory.h - which segment of a shard a hash belongs to.
 *
 * Extendible hashing (Fagin and others, "Extendible hashing - a fast access method for
 * dynamic files", 1979). With a depth of 2 and a segment of depth 1 in front:
 *
 *     first bits   00   01   10   11
 *     at          [ .    .    .    . ]
 *                   \  /      |    |
 *                    A        B    C      A is full: split by its second bit into two;
 *                                         B is full: the directory is doubled first.
 *
 * A split moves half of one segment. Doubling copies the directory, 8 bytes for each
 * segment of 16 KiB. Two segments that are next to empty become one again, at a sweep;
 * the directory never shrinks.
 *
 * Thread: that of the shard, or whoever has its lock.
 */
#ifndef STORE_DIRECTORY_H
#define STORE_DIRECTORY_H

#include <stdint.h>

#include "store/segment.h"

enum { DIRECTORY_DEPTH_MAX = 24 };	/* 128 MiB, for some 10^10 entries */

struct directory {
	struct segment **at;		/* owned, 1 << depth of them */
	uint32_t depth;
	uint32_t skip;			/* the hash's first bits, which are the shard's */
	uint64_t segments, splits;
	struct segment_memory *memory;	/* borrowed */
};

/* With one empty segment. False: out of memory; then there is nothing to undo. */
bool directory_init(struct directory *d, uint32_t skip, struct segment_memory *memory);

/* After every entry was taken out. */
void directory_fini(struct directory *d);

static inline struct segment *directory_find(const struct directory *d, uint64_t hash)
{
	return d->at[hash << d->skip >> 1 >> (63 - d->depth)];
}

/* The segment for this hash, with room for one more. NULL: the quota is used up, or the
 * system has no more. */
struct segment *directory_make_room(struct directory *d, uint64_t hash, bool unlimited);

/* The first hash behind this segment, one of whose hashes is `hash`;
 * 0 behind the last. */
uint64_t directory_after(const struct directory *d, const struct segment *s,
			 uint64_t hash);

/* Makes one of this hash's segment and its neighbour, if that leaves much room in it. */
void directory_join(struct directory *d, uint64_t hash);

#endif
