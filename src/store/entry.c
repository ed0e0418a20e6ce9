#include "store/entry.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/must.h"

enum {
	STEP = 16,
	STEPS_BYTES_MAX = 512,		/* up to here sizes go by steps */
	STEP_KINDS = STEPS_BYTES_MAX / STEP,
	PER_DOUBLING = 8,
};

_Static_assert(sizeof(struct entry) == 24, "the digest's bytes have no gap");
_Static_assert(STORE_KEY_MAX <= UINT16_MAX && STORE_VALUE_MAX <= UINT16_MAX,
	       "lengths have 16 bits");

/* Sizes are numbered from 0: 16, 32, ... 512, 576, 640, ... 1024, 1152, ... */
static uint32_t kind_of(size_t size)
{
	if (size <= STEPS_BYTES_MAX)
		return (uint32_t)((size - 1) / STEP);
	uint32_t doubling = 63 - (uint32_t)__builtin_clzll(size - 1);	/* 9: above 512 */
	uint32_t eighth = (uint32_t)((size - 1) >> (doubling - 3)) - PER_DOUBLING;
	return STEP_KINDS + (doubling - 9) * PER_DOUBLING + eighth;
}

static size_t size_of(uint32_t kind)
{
	if (kind < STEP_KINDS)
		return ((size_t)kind + 1) * STEP;
	uint32_t beyond = kind - STEP_KINDS;
	size_t start = (size_t)STEPS_BYTES_MAX << beyond / PER_DOUBLING;
	return start + start / PER_DOUBLING * (beyond % PER_DOUBLING + 1);
}

void entry_memory_init(struct entry_memory *m, struct quota *quota)
{
	must(kind_of(ENTRY_SLAB_BYTES_MAX) == ENTRY_SLABS - 1);
	must(kind_of(sizeof(struct entry) + STORE_KEY_MAX + STORE_VALUE_MAX) <
	     ENTRY_KINDS);
	m->quota = quota;
	region_source_init(&m->blocks, REGION_BLOCK_MIN);
	for (uint32_t kind = 0; kind < ENTRY_SLABS; kind++)
		slab_init_from(&m->slabs[kind], size_of(kind), &m->blocks);
}

void entry_memory_fini(struct entry_memory *m)
{
	for (uint32_t kind = 0; kind < ENTRY_SLABS; kind++) {
		quota_give(m->quota, m->slabs[kind].bytes);
		slab_fini(&m->slabs[kind]);
	}
	region_source_fini(&m->blocks);
}

static struct entry *get_large(struct entry_memory *m, size_t size, bool unlimited)
{
	if (!quota_take(m->quota, size, unlimited))
		return NULL;
	struct entry *e = malloc(size);
	if (e == NULL)
		quota_give(m->quota, size);
	return e;
}

/* The quota is asked before the slab takes a block. */
static struct entry *get_small(struct entry_memory *m, struct slab *slab, bool unlimited)
{
	bool takes_block = list_empty(&slab->partial);

	if (takes_block && !quota_take(m->quota, slab->block_size, unlimited))
		return NULL;
	struct entry *e = slab_get(slab);
	if (e == NULL)
		quota_give(m->quota, slab->block_size);
	return e;
}

struct entry *entry_get(struct entry_memory *m, size_t bytes, bool unlimited)
{
	uint32_t kind = kind_of(sizeof(struct entry) + bytes);
	struct entry *e = kind < ENTRY_SLABS ?
		get_small(m, &m->slabs[kind], unlimited) :
		get_large(m, size_of(kind), unlimited);

	if (e != NULL)
		e->kind = (uint8_t)kind;
	return e;
}

void entry_put(struct entry_memory *m, struct entry *e)
{
	if (e->kind >= ENTRY_SLABS) {
		quota_give(m->quota, size_of(e->kind));
		free(e);
		return;
	}
	struct slab *slab = &m->slabs[e->kind];
	uint64_t before = slab->bytes;
	slab_put(slab, e);
	if (slab->bytes != before)
		quota_give(m->quota, before - slab->bytes);
}

bool entry_suits(const struct entry *e, size_t bytes)
{
	return kind_of(sizeof *e + bytes) == e->kind;
}

bool entry_holds(const struct entry *e, size_t bytes)
{
	return kind_of(sizeof *e + bytes) <= e->kind;
}

uint64_t entry_digest(const struct entry *e, uint64_t hash)
{
	return hash_bytes_seeded(&e->version_be,
				 sizeof e->version_be + e->key_len + e->value_len, hash);
}
