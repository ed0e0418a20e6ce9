#include "base/region.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "base/must.h"

enum { BLOCKS_MAX = REGION_BYTES / REGION_BLOCK_MIN };

static atomic_size_t bytes_out;		/* for figures only */

/* In the region's first block, of which one page is in use. */
struct region {
	struct link link;		/* in partial or full */
	uint32_t    used;		/* blocks out at present */
	uint32_t    blocks;		/* places, the first of which is this head's */
	uint64_t    taken[BLOCKS_MAX / 64];
};

void region_source_init(struct region_source *r, size_t block_size)
{
	must(block_size >= REGION_BLOCK_MIN && block_size <= REGION_BYTES / 8);
	must((block_size & (block_size - 1)) == 0);
	r->block_size = block_size;
	list_init(&r->partial);
	list_init(&r->full);
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
	list_push_first(&r->partial, &region->link);
	return region;
}

static void drop_region(struct region *region)
{
	must(region->used == 0);
	list_remove(&region->link);
	munmap(region, REGION_BYTES);
}

void region_source_fini(struct region_source *r)
{
	must(list_empty(&r->full));
	LIST_EACH(&r->partial, it, next)
		drop_region(CONTAINER_OF(it, struct region, link));
}

static uint32_t first_free(const struct region *region)
{
	uint32_t word = 0;

	while (~region->taken[word] == 0)
		word++;
	return word * 64 + (uint32_t)__builtin_ctzll(~region->taken[word]);
}

void *region_get(struct region_source *r)
{
	struct region *region;

	if (list_empty(&r->partial)) {
		region = add_region(r);
		if (region == NULL)
			return NULL;
	} else {
		region = CONTAINER_OF(r->partial.next, struct region, link);
	}
	uint32_t place = first_free(region);
	must(place < region->blocks);
	region->taken[place / 64] |= UINT64_C(1) << place % 64;
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
	madvise(block, r->block_size, MADV_DONTNEED);
	atomic_fetch_sub_explicit(&bytes_out, r->block_size, memory_order_relaxed);
	region->taken[place / 64] &= ~(UINT64_C(1) << place % 64);
	if (region->used-- == region->blocks - 1) {
		list_remove(&region->link);
		list_push_first(&r->partial, &region->link);
	}
	/* One that is empty is kept, so that a block coming and going maps nothing. */
	if (region->used == 0 && r->partial.next != r->partial.prev)
		drop_region(region);
}

size_t region_bytes_out(void)
{
	return atomic_load_explicit(&bytes_out, memory_order_relaxed);
}
