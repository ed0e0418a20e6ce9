#include "control/gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "control/control.h"

enum { FIRST_SIZE = 4096 };

enum gather_result gather_begin(struct gather *g, const struct h1_head *head)
{
	gather_drop(g);
	g->is_chunked = head->body == H1_BODY_CHUNKED;
	g->left = head->body == H1_BODY_LENGTH ? head->content_length : 0;
	return g->left > CONTROL_BODY_MAX ? GATHER_LONG : GATHER_MORE;
}

/* False: there is no place for so much. */
static bool keep(struct gather *g, struct span bytes)
{
	if (bytes.len > CONTROL_BODY_MAX - g->len)
		return false;
	while (bytes.len > g->size - g->len) {
		g->size = g->size > 0 ? 2 * g->size : FIRST_SIZE;
		g->bytes = memory_grow(g->bytes, g->size, 1);
	}
	if (bytes.len > 0)
		memcpy(g->bytes + g->len, bytes.at, bytes.len);
	g->len += (uint32_t)bytes.len;
	return true;
}

static enum gather_result take_chunks(struct gather *g, struct span bytes, uint32_t *used)
{
	enum h1_result result = H1_MORE;

	while (result == H1_MORE && *used < bytes.len) {
		struct span data;
		*used += (uint32_t)h1_chunked_next(&g->chunked, bytes.at + *used,
						   bytes.len - *used, &data, &result);
		if (result == H1_BAD)
			return GATHER_BAD;
		if (!keep(g, data))
			return GATHER_LONG;
	}
	return result == H1_DONE ? GATHER_DONE : GATHER_MORE;
}

enum gather_result gather_take(struct gather *g, struct span bytes, uint32_t *used)
{
	*used = 0;
	if (g->is_chunked)
		return take_chunks(g, bytes, used);
	if (bytes.len > g->left)
		bytes.len = (size_t)g->left;
	if (!keep(g, bytes))
		return GATHER_LONG;
	*used = (uint32_t)bytes.len;
	g->left -= bytes.len;
	return g->left == 0 ? GATHER_DONE : GATHER_MORE;
}

void gather_drop(struct gather *g)
{
	free(g->bytes);
	*g = (struct gather){0};
}
