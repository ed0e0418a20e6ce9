/* base/region.h - blocks of one size for slabs, from the system and back to it at once.
 *
 * malloc keeps what is freed in the midst of its heap, and when the top of it falls free
 * at last, gives hundreds of megabytes back in one call of several milliseconds. Here a
 * block that is put back leaves memory with that call, whatever lies around it: only its
 * address is kept, and the kernel's list of mappings, which is limited, does not grow by
 * the holes.
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
	size_t      block_size;
};

/* Blocks of block_size bytes, a power of two from REGION_BLOCK_MIN to an eighth of
 * REGION_BYTES. Takes nothing yet. */
void region_source_init(struct region_source *r, size_t block_size);

/* After every block was put back. */
void region_source_fini(struct region_source *r);

/* A block, aligned to its size, with undefined content; NULL: out of memory. */
void *region_get(struct region_source *r);
void region_put(struct region_source *r, void *block);

/* Of all sources together: bytes of blocks that are out at present. Any thread. */
size_t region_bytes_out(void);

#endif
