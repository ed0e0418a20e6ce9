#include "store/directory.h"

#include <stdlib.h>

#include "base/must.h"

enum {
	JOINED_MAX = SEGMENT_SLOTS / 4,		/* far from the next split */
};

static uint64_t bytes_of(uint32_t depth)
{
	return sizeof(struct segment *) << depth;
}

static struct segment *add_segment(struct directory *d, uint32_t depth, bool unlimited)
{
	struct segment *s = segment_get(d->memory, depth, unlimited);

	d->segments += s != NULL;
	return s;
}

static void drop_segment(struct directory *d, struct segment *s)
{
	segment_put(d->memory, s);
	d->segments--;
}

bool directory_init(struct directory *d, uint32_t skip, struct segment_memory *memory)
{
	*d = (struct directory){.skip = skip, .memory = memory};
	d->at = malloc(bytes_of(0));
	if (d->at == NULL)
		return false;
	d->at[0] = add_segment(d, 0, true);
	if (d->at[0] == NULL) {
		free(d->at);
		return false;
	}
	quota_take(memory->quota, bytes_of(0), true);
	return true;
}

/* Where the directory has the segment of this hash: from *first on, so many times. */
static uint32_t places_of(const struct directory *d, uint64_t hash, uint32_t *first)
{
	uint32_t at = (uint32_t)(hash << d->skip >> 1 >> (63 - d->depth));
	uint32_t count = 1u << (d->depth - d->at[at]->depth);

	*first = at & ~(count - 1);
	return count;
}

void directory_fini(struct directory *d)
{
	uint64_t hash = 0;

	do {			/* the hashes of a shard, as if there were no others */
		struct segment *s = d->at[hash >> 1 >> (63 - d->depth)];
		hash += s->depth == 0 ? 0 : UINT64_C(1) << (64 - s->depth);
		drop_segment(d, s);
	} while (hash != 0);
	quota_give(d->memory->quota, bytes_of(d->depth));
	free(d->at);
	d->at = NULL;
}

static bool double_directory(struct directory *d, bool unlimited)
{
	uint64_t bytes = bytes_of(d->depth);

	if (d->depth == DIRECTORY_DEPTH_MAX ||
	    !quota_take(d->memory->quota, bytes, unlimited))
		return false;
	struct segment **twice = malloc(2 * bytes);
	if (twice == NULL) {
		quota_give(d->memory->quota, bytes);
		return false;
	}
	for (size_t i = 0; i < (size_t)1 << d->depth; i++)
		twice[2 * i] = twice[2 * i + 1] = d->at[i];
	free(d->at);
	d->at = twice;
	d->depth++;
	return true;
}

static bool split(struct directory *d, struct segment *s, uint64_t hash, bool unlimited)
{
	uint32_t first;

	if (s->depth == d->depth && !double_directory(d, unlimited))
		return false;
	struct segment *upper = add_segment(d, s->depth + 1, unlimited);
	if (upper == NULL)
		return false;
	uint32_t count = places_of(d, hash, &first);
	segment_split(s, upper, UINT64_C(1) << (63 - d->skip - s->depth));
	s->depth++;
	for (uint32_t i = count / 2; i < count; i++)
		d->at[first + i] = upper;
	d->splits++;
	return true;
}

/* More than one split, only if all of one segment's hashes go on alike. */
struct segment *directory_make_room(struct directory *d, uint64_t hash, bool unlimited)
{
	struct segment *s;

	while ((s = directory_find(d, hash))->used == SEGMENT_FULL)
		if (!split(d, s, hash, unlimited))
			return NULL;
	return s;
}

uint64_t directory_after(const struct directory *d, const struct segment *s,
			 uint64_t hash)
{
	uint32_t bits = d->skip + s->depth;

	return bits == 0 ? 0 : ((hash >> (64 - bits)) + 1) << (64 - bits);
}

void directory_join(struct directory *d, uint64_t hash)
{
	struct segment *s = directory_find(d, hash);
	uint32_t first;

	if (s->depth == 0)
		return;
	uint32_t count = places_of(d, hash, &first);
	uint32_t beside = first ^ count;
	struct segment *other = d->at[beside];
	if (other->depth != s->depth || s->used + other->used > JOINED_MAX)
		return;
	segment_join(s, other);
	drop_segment(d, other);
	for (uint32_t i = 0; i < count; i++)
		d->at[beside + i] = s;
	s->depth--;
}
