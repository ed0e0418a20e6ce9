#include "base/slab.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/region.h"

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_POISON 1
#endif
#endif
#ifdef SLAB_POISON
#include <sanitizer/asan_interface.h>
#define POISON(at, size)   __asan_poison_memory_region(at, size)
#define UNPOISON(at, size) __asan_unpoison_memory_region(at, size)
#else
#define POISON(at, size)   ((void)(at))
#define UNPOISON(at, size) ((void)(at))
#endif

enum { ALIGNMENT = 16, BLOCK_SIZE_MIN = 64 * 1024, OBJECTS_PER_BLOCK_MIN = 4 };

struct free_object {
	struct free_object *next;
};

/* The head of each block. Blocks are aligned to their size, so that an object's
 * address leads to its block. */
struct block {
	struct link         link;	/* in partial or full */
	struct slab        *slab;
	struct free_object *free;	/* objects that were put back */
	uint32_t            used;	/* out at present */
	uint32_t            fresh;	/* never taken yet: the last `fresh` ones */
};

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

/* A whole cache line, so that objects of 64 or 128 bytes lie in as few as they can. */
static const size_t head_size = 64;
_Static_assert(sizeof(struct block) <= 64, "the head of a block fits");

void slab_init(struct slab *s, size_t size)
{
	*s = (struct slab){.object_size = round_up(size, ALIGNMENT)};
	list_init(&s->partial);
	list_init(&s->full);
	s->block_size = BLOCK_SIZE_MIN;
	while ((s->block_size - head_size) / s->object_size < OBJECTS_PER_BLOCK_MIN)
		s->block_size *= 2;
	s->objects_per_block = (uint32_t)((s->block_size - head_size) / s->object_size);
}

void slab_init_from(struct slab *s, size_t size, struct region_source *source)
{
	slab_init(s, size);
	must(s->block_size <= source->block_size);
	s->source = source;
	s->block_size = source->block_size;
	s->objects_per_block = (uint32_t)((s->block_size - head_size) / s->object_size);
}

static struct block *add_block(struct slab *s)
{
	struct block *b = s->source != NULL ? region_get(s->source) :
					      aligned_alloc(s->block_size, s->block_size);
	if (b == NULL)
		return NULL;
	*b = (struct block){.slab = s, .fresh = s->objects_per_block};
	list_push_first(&s->partial, &b->link);
	s->bytes += s->block_size;
	s->empty_blocks++;
	POISON((char *)b + head_size, s->block_size - head_size);
	return b;
}

static void drop_block(struct slab *s, struct block *b)
{
	list_remove(&b->link);
	s->bytes -= s->block_size;
	s->empty_blocks--;
	UNPOISON(b, s->block_size);
	if (s->source != NULL)
		region_put(s->source, b);
	else
		free(b);
}

void slab_fini(struct slab *s)
{
	must(s->objects == 0);
	LIST_EACH(&s->partial, it, next)
		drop_block(s, CONTAINER_OF(it, struct block, link));
}

void *slab_get(struct slab *s)
{
	struct block *b;

	if (UNLIKELY(list_empty(&s->partial))) {
		b = add_block(s);
		if (b == NULL)
			return NULL;
	} else {
		b = CONTAINER_OF(s->partial.next, struct block, link);
	}

	struct free_object *object = b->free;
	if (object != NULL) {
		UNPOISON(object, s->object_size);
		b->free = object->next;
	} else {
		size_t at = s->objects_per_block - b->fresh--;
		object = (void *)((char *)b + head_size + at * s->object_size);
		UNPOISON(object, s->object_size);
	}
	if (b->used++ == 0)
		s->empty_blocks--;
	if (b->used == s->objects_per_block) {
		list_remove(&b->link);
		list_push_first(&s->full, &b->link);
	}
	s->objects++;
	return object;
}

void slab_put(struct slab *s, void *at)
{
	if (at == NULL)
		return;
	struct block *b = (struct block *)((uintptr_t)at & ~(uintptr_t)(s->block_size - 1));
	struct free_object *object = at;
	must(b->slab == s && b->used > 0);

	object->next = b->free;
	b->free = object;
	POISON(object, s->object_size);
	s->objects--;
	if (b->used-- == s->objects_per_block) {
		list_remove(&b->link);
		list_push_first(&s->partial, &b->link);
	}
	if (b->used > 0)
		return;
	if (s->empty_blocks++ > 0) {
		drop_block(s, b);
	} else {			/* last in line: others are filled first */
		list_remove(&b->link);
		list_push_last(&s->partial, &b->link);
	}
}
