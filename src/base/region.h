/* base/region.h - blocks of one size for slabs, from the system and back to it bit by
 * bit.
 *
 * malloc keeps what is freed in the midst of its heap, and when the top of it falls free
 * at last, gives hundreds of megabytes back in one call of several milliseconds. Here
 * each block can leave memory on its own, whatever lies around it: only its address is
 * kept, and the kernel's list of mappings, which is limited, does not grow by the holes.
 * And since many blocks may fall free in one moment, and each takes ten microseconds to
 * give back, they do so when region_trim is called, so many at a time as the caller
 * likes.
 *
 *   a region, aligned to its size   | head | block | block | ... |
 *
 * Thread: the one that made it, or whoever has its lock.
 */
#ifndef BASE_REGION_H
#define BASE_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum { REGION_BYTES = 8 * 1024 * 1024, REGION_BLOCK_MIN = 64 * 1024 };

struct region_source {
	struct link partial;		/* regions with a free block */
	struct link full;
	struct link dirty;		/* by another link: those with free,
					 * unclean blocks */
	size_t      block_size;
	uint64_t    dirty_blocks;	/* put back, and still in memory */
};

/* Blocks of block_size bytes, a power of two from REGION_BLOCK_MIN to an eighth of
 * REGION_BYTES. Takes nothing yet. */
void region_source_init(struct region_source *r, size_t block_size);

/* After every block was put back. */
void region_source_fini(struct region_source *r);

/* A block, aligned to its size, with undefined content; NULL: out of memory. */
void *region_get(struct region_source *r);
void region_put(struct region_source *r, void *block);

/* Lets up to so many of the blocks that were put back leave memory. How many did. */
uint32_t region_trim(struct region_source *r, uint32_t blocks_max);

/* Of all sources together: bytes of blocks that are out at present. Any thread. */
size_t region_bytes_out(void);

#endif
