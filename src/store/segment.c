#include "store/segment.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum { CACHE_LINE = 64, MASK = SEGMENT_SLOTS - 1 };

struct segment *segment_create(uint32_t depth)
{
	size_t size = (sizeof(struct segment) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	struct segment *s = aligned_alloc(CACHE_LINE, size);

	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof *s);
	s->depth = depth;
	s->due_ms = UINT64_MAX;
	return s;
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

	for (uint32_t i = (hole + 1) & MASK; s->slots[i].entry != NULL; i = (i + 1) & MASK) {
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
