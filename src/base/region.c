#include "base/region.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/must.h"

enum { BLOCKS_MAX = REGION_BYTES / REGION_BLOCK_MIN };

static atomic_size_t bytes_out;		/* for figures only */

/* In the region's first block, of which one page is in use. */
struct region {
	struct link link;		/* in partial or full */
	struct link dirty_link;		/* in dirty, or in no list */
	uint32_t    used;		/* blocks out at present */
	uint32_t    blocks;		/* places, the first of which is this head's */
	uint64_t    taken[BLOCKS_MAX / 64];
	uint64_t    dirty[BLOCKS_MAX / 64];	/* not taken, and still in memory */
};

void region_source_init(struct region_source *r, size_t block_size)
{
	must(block_size >= REGION_BLOCK_MIN && block_size <= REGION_BYTES / 8);
	must((block_size & (block_size - 1)) == 0);
	r->block_size = block_size;
	list_init(&r->partial);
	list_init(&r->full);
	list_init(&r->dirty);
	r->dirty_blocks = 0;
}

/* Twice as much is mapped, since one half of it or so is aligned, and the rest let go. */
static void *map_aligned(void)
{
	char *all = mmap(NULL, 2 * (size_t)REGION_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (all == MAP_FAILED)
		return NULL;
	size_t before = -(uintptr_t)all % REGION_BYTES;
	if (before > 0)
		munmap(all, before);
	munmap(all + before + REGION_BYTES, REGION_BYTES - before);
	return all + before;
}

static struct region *add_region(struct region_source *r)
{
	struct region *region = map_aligned();

	if (region == NULL)
		return NULL;
	region->blocks = (uint32_t)(REGION_BYTES / r->block_size);
	region->taken[0] = 1;		/* the head */
	list_init(&region->dirty_link);
	list_push_first(&r->partial, &region->link);
	return region;
}

static void drop_region(struct region *region)
{
	must(region->used == 0);
	list_remove(&region->link);
	list_remove(&region->dirty_link);
	munmap(region, REGION_BYTES);
}

void region_source_fini(struct region_source *r)
{
	must(list_empty(&r->full));
	LIST_EACH(&r->partial, it, next)
		drop_region(CONTAINER_OF(it, struct region, link));
}

/* The number of the first bit that is set, or with `flip` UINT64_MAX the first that is
 * not; BLOCKS_MAX: there is none. */
static uint32_t first_of(const uint64_t bits[BLOCKS_MAX / 64], uint64_t flip)
{
	for (uint32_t word = 0; word < BLOCKS_MAX / 64; word++)
		if ((bits[word] ^ flip) != 0)
			return word * 64 + (uint32_t)__builtin_ctzll(bits[word] ^ flip);
	return BLOCKS_MAX;
}

static void set_bit(uint64_t bits[BLOCKS_MAX / 64], uint32_t place, bool on)
{
	uint64_t bit = UINT64_C(1) << place % 64;

	bits[place / 64] = on ? bits[place / 64] | bit : bits[place / 64] & ~bit;
}

/* A block that is not dirty any more, be it that it was taken or that
 * it has left memory. */
static void clean(struct region_source *r, struct region *region, uint32_t place)
{
	set_bit(region->dirty, place, false);
	r->dirty_blocks--;
	if (first_of(region->dirty, 0) == BLOCKS_MAX)
		list_remove(&region->dirty_link);
}

/* One that is still in memory is the first choice: it costs nothing. */
void *region_get(struct region_source *r)
{
	struct region *region;

	if (!list_empty(&r->dirty)) {
		region = CONTAINER_OF(r->dirty.next, struct region, dirty_link);
	} else if (!list_empty(&r->partial)) {
		region = CONTAINER_OF(r->partial.next, struct region, link);
	} else {
		region = add_region(r);
		if (region == NULL)
			return NULL;
	}
	uint32_t place = first_of(region->dirty, 0);
	if (place < BLOCKS_MAX)
		clean(r, region, place);
	else
		place = first_of(region->taken, UINT64_MAX);
	must(place < region->blocks);
	set_bit(region->taken, place, true);
	region->used++;
	atomic_fetch_add_explicit(&bytes_out, r->block_size, memory_order_relaxed);
	if (region->used == region->blocks - 1) {
		list_remove(&region->link);
		list_push_first(&r->full, &region->link);
	}
	return (char *)region + place * r->block_size;
}

void region_put(struct region_source *r, void *block)
{
	uintptr_t at = (uintptr_t)block;
	struct region *region = (struct region *)(at & ~(uintptr_t)(REGION_BYTES - 1));
	uint32_t place = (uint32_t)((at - (uintptr_t)region) / r->block_size);

	must(place > 0 && (region->taken[place / 64] >> place % 64 & 1) != 0);
	atomic_fetch_sub_explicit(&bytes_out, r->block_size, memory_order_relaxed);
	set_bit(region->taken, place, false);
	set_bit(region->dirty, place, true);
	r->dirty_blocks++;
	list_remove(&region->dirty_link);
	list_push_first(&r->dirty, &region->dirty_link);
	if (region->used-- == region->blocks - 1) {
		list_remove(&region->link);
		list_push_first(&r->partial, &region->link);
	}
}

/* A region that is empty is kept if it is the only one with room, so that a block coming
 * and going maps nothing. */
uint32_t region_trim(struct region_source *r, uint32_t blocks_max)
{
	uint32_t done = 0;

	for (; done < blocks_max && !list_empty(&r->dirty); done++) {
		struct region *region = CONTAINER_OF(r->dirty.next, struct region,
						     dirty_link);
		uint32_t place = first_of(region->dirty, 0);
		madvise((char *)region + place * r->block_size, r->block_size,
			MADV_DONTNEED);
		clean(r, region, place);
		if (region->used == 0 && list_empty(&region->dirty_link) &&
		    r->partial.next != r->partial.prev)
			drop_region(region);
	}
	return done;
}

size_t region_bytes_out(void)
{
	return atomic_load_explicit(&bytes_out, memory_order_relaxed);
}
