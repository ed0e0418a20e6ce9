#include "base/buf.h"

static const uint32_t sizes[BUF_SIZES] = {BUF_SMALL, BUF_MEDIUM, BUF_LARGE};

void buf_pool_init(struct buf_pool *pool)
{
	for (int i = 0; i < BUF_SIZES; i++)
		slab_init(&pool->slabs[i], sizeof(struct buf) + sizes[i]);
}

void buf_pool_fini(struct buf_pool *pool)
{
	for (int i = 0; i < BUF_SIZES; i++)
		slab_fini(&pool->slabs[i]);
}

struct buf *buf_get(struct buf_pool *pool, size_t bytes)
{
	uint32_t kind = 0;

	must(bytes <= BUF_LARGE);
	while (sizes[kind] < bytes)
		kind++;
	struct buf *b = slab_get(&pool->slabs[kind]);
	if (b == NULL)
		return NULL;
	b->start = b->end = 0;
	b->size = sizes[kind];
	b->kind = kind;
	return b;
}

void buf_put(struct buf_pool *pool, struct buf *b)
{
	if (b != NULL)
		slab_put(&pool->slabs[b->kind], b);
}

bool buf_larger(struct buf_pool *pool, struct buf **b, size_t bytes)
{
	struct buf *larger = buf_get(pool, bytes);
	if (larger == NULL)
		return false;
	if (*b != NULL) {
		buf_append(larger, buf_at(*b), buf_waiting(*b));
		buf_put(pool, *b);
	}
	*b = larger;
	return true;
}
