/* base/slab.h - objects of one size, for one thread.
 *
 * Memory comes in aligned blocks, from malloc or from a source (base/region.h), and goes
 * back when a block is empty (one empty block is kept, so that a single object coming and
 * going does not reach the system each time). Taking and putting back are O(1).
 *
 * Thread: the one that made it.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct region_source;

struct slab {
	struct link partial;		/* blocks with a free object, emptiest last */
	struct link full;
	size_t      object_size;
	size_t      block_size;		/* a power of two */
	uint32_t    objects_per_block;
	uint32_t    empty_blocks;	/* 0 or 1 */
	uint64_t    objects;		/* out at present */
	uint64_t    bytes;		/* taken from the system at present */
	struct region_source *source;	/* borrowed; NULL: malloc */
};

/* Objects of `size` bytes, aligned to 16, in blocks of about 64 KiB or of four
 * objects, whichever is larger. */
void slab_init(struct slab *s, size_t size);

/* The same, in blocks of this source, which outlives it. Four objects go into one. */
void slab_init_from(struct slab *s, size_t size, struct region_source *source);

/* Gives all memory back; every object must have been put back before. */
void slab_fini(struct slab *s);

/* An object with undefined content, owned by the caller; NULL: out of memory. */
void *slab_get(struct slab *s);

/* Takes back what slab_get gave out; NULL is allowed. */
void slab_put(struct slab *s, void *object);

#endif
