#include "base/bytes.h"

#include <stdlib.h>

void bytes_fini(struct bytes *b)
{
	free(b->at);
	*b = (struct bytes){0};
}

/* Puts what waits at the front of its memory. */
static void move_first(struct bytes *b)
{
	if (b->start == 0)
		return;
	memmove(b->at, b->at + b->start, bytes_waiting(b));
	b->end -= b->start;
	b->start = 0;
}

char *bytes_reserve(struct bytes *b, size_t len)
{
	if (b->at != NULL && len <= b->size - b->end)
		return b->at + b->end;
	size_t needed = bytes_waiting(b) + len;
	/* Moving pays where at least half of the memory is free afterwards. */
	if (b->at != NULL && needed <= b->size / 2) {
		move_first(b);
		return b->at + b->end;
	}
	size_t size = b->size > 0 ? b->size : BYTES_KEPT;
	while (size < needed)
		size *= 2;
	move_first(b);
	char *grown = realloc(b->at, size);
	if (grown == NULL)
		return NULL;
	b->at = grown;
	b->size = size;
	return b->at + b->end;
}

void bytes_consume(struct bytes *b, size_t len)
{
	must(len <= bytes_waiting(b));
	b->start += len;
	if (b->start < b->end)
		return;
	b->start = b->end = 0;
	if (b->size > BYTES_KEPT)
		bytes_fini(b);
}
