#include "store/segment.h"

#include <string.h>

#include "base/must.h"

enum { BLOCK_BYTES = 256 * 1024, MASK = SEGMENT_SLOTS - 1 };

void segment_memory_init(struct segment_memory *m, struct quota *quota)
{
	m->quota = quota;
	region_source_init(&m->blocks, BLOCK_BYTES);
	slab_init_from(&m->slab, sizeof(struct segment), &m->blocks);
}

void segment_memory_fini(struct segment_memory *m)
{
	slab_fini(&m->slab);
	region_source_fini(&m->blocks);
}

/* Segments are counted, not blocks: what was never used of a block takes no memory. */
struct segment *segment_get(struct segment_memory *m, uint32_t depth, bool unlimited)
{
	if (!quota_take(m->quota, sizeof(struct segment), unlimited))
		return NULL;
	struct segment *s = slab_get(&m->slab);
	if (s == NULL) {
		quota_give(m->quota, sizeof *s);
		return NULL;
	}
	memset(s, 0, sizeof *s);
	s->depth = depth;
	s->due_ms = UINT64_MAX;
	return s;
}

void segment_put(struct segment_memory *m, struct segment *s)
{
	must(s->used == 0);
	quota_give(m->quota, sizeof *s);
	slab_put(&m->slab, s);
}

struct slot *segment_find(struct segment *s, uint64_t hash, struct span key)
{
	for (uint32_t i = hash & MASK;; i = (i + 1) & MASK) {
		struct slot *at = &s->slots[i];
		if (at->entry == NULL)
			return NULL;
		if (at->hash == hash && span_equals(entry_key(at->entry), key))
			return at;
	}
}

void segment_add(struct segment *s, uint64_t hash, struct entry *e)
{
	uint32_t i = hash & MASK;

	must(s->used < SEGMENT_FULL);
	while (s->slots[i].entry != NULL)
		i = (i + 1) & MASK;
	s->slots[i] = (struct slot){hash, e};
	s->used++;
}

void segment_remove(struct segment *s, struct slot *at)
{
	uint32_t hole = (uint32_t)(at - s->slots);

	for (uint32_t i = (hole + 1) & MASK; s->slots[i].entry != NULL;
	     i = (i + 1) & MASK) {
		/* It may move up if its search does not begin behind the hole. */
		uint32_t from_home = (i - (uint32_t)s->slots[i].hash) & MASK;
		if (from_home < ((i - hole) & MASK))
			continue;
		s->slots[hole] = s->slots[i];
		hole = i;
	}
	s->slots[hole] = (struct slot){0};
	s->used--;
}

/* Both halves keep the earlier due time, which is early enough for either. */
void segment_split(struct segment *s, struct segment *upper, uint64_t bit)
{
	struct slot all[SEGMENT_SLOTS];

	must(upper->used == 0);
	memcpy(all, s->slots, sizeof all);
	memset(s->slots, 0, sizeof s->slots);
	s->used = 0;
	upper->due_ms = s->due_ms;
	for (uint32_t i = 0; i < SEGMENT_SLOTS; i++)
		if (all[i].entry != NULL)
			segment_add((all[i].hash & bit) != 0 ? upper : s, all[i].hash,
				    all[i].entry);
}

void segment_join(struct segment *s, struct segment *from)
{
	for (uint32_t i = 0; i < SEGMENT_SLOTS; i++)
		if (from->slots[i].entry != NULL)
			segment_add(s, from->slots[i].hash, from->slots[i].entry);
	segment_note_due(s, from->due_ms);
	memset(from->slots, 0, sizeof from->slots);
	from->used = 0;
}
