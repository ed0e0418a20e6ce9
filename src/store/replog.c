#include "store/replog.h"

#include <stdlib.h>

#include "base/bigendian.h"
#include "base/must.h"

struct chunk {
	struct link link;
	uint64_t start;			/* position of its first byte */
	uint64_t first_seq;
	uint32_t used, size;
	char     at[];
};

static struct chunk *chunk_of(struct link *l)
{
	return CONTAINER_OF(l, struct chunk, link);
}

void replog_init(struct replog *l)
{
	*l = (struct replog){.start_seq = 1};
	list_init(&l->chunks);
}

void replog_clear(struct replog *l)
{
	LIST_EACH(&l->chunks, it, next)
		free(chunk_of(it));
	list_init(&l->chunks);
	l->start = l->end;
	l->start_seq = l->seq + 1;
}

void replog_fini(struct replog *l)
{
	replog_clear(l);
}

/* The chunk that has room for so many bytes more, a new one if need
 * be; NULL: no memory. */
static struct chunk *room_for(struct replog *l, size_t len)
{
	if (!list_empty(&l->chunks)) {
		struct chunk *last = chunk_of(l->chunks.prev);
		if (len <= last->size - last->used)
			return last;
	}
	size_t size = REPLOG_CHUNK_BYTES - sizeof(struct chunk);
	struct chunk *c = malloc(REPLOG_CHUNK_BYTES);
	if (c == NULL)
		return NULL;
	must(len <= size);
	c->start = l->end;
	c->first_seq = l->seq + 1;
	c->used = 0;
	c->size = (uint32_t)size;
	list_push_last(&l->chunks, &c->link);
	return c;
}

uint64_t replog_append(struct replog *l, struct kv_message *m)
{
	size_t size = kv_wire_size(m);
	struct chunk *c = room_for(l, size);

	if (c == NULL)
		return 0;
	m->seq = l->seq + 1;
	kv_wire_write(m, c->at + c->used);
	c->used += (uint32_t)size;
	l->end += size;
	return l->seq = m->seq;
}

static struct chunk *find(const struct replog *l, uint64_t position)
{
	/* Those who are up to date, almost everybody, find theirs at once. */
	for (struct link *it = l->chunks.prev; it != &l->chunks; it = it->prev)
		if (chunk_of(it)->start <= position)
			return chunk_of(it);
	return NULL;
}

static size_t message_len(const char *at)
{
	return KV_HEADER_BYTES + (size_t)bigendian_u16(at + 1);
}

static uint64_t message_seq(const char *at)
{
	return kv_u64_at((struct span){at + KV_HEADER_BYTES, sizeof(uint64_t)}, 0);
}

struct span replog_next(const struct replog *l, uint64_t *cursor, size_t max)
{
	struct chunk *c = find(l, *cursor);

	must(*cursor >= l->start && *cursor <= l->end);
	if (*cursor == l->end)
		return (struct span){NULL, 0};
	must(c != NULL);
	size_t from = (size_t)(*cursor - c->start), to = from;
	if (from == c->used) {		/* the end of one is the start of the next */
		c = chunk_of(c->link.next);
		from = to = 0;
	}
	if (c->used - from <= max)
		to = c->used;
	else
		do
			to += message_len(c->at + to);
		while (to < c->used && to + message_len(c->at + to) - from <= max);
	*cursor += to - from;
	return (struct span){c->at + from, to - from};
}

uint64_t replog_pass(const struct replog *l, uint64_t *cursor, uint64_t sent,
		     uint64_t seq)
{
	uint64_t passed = 0;

	for (struct chunk *c = find(l, *cursor); c != NULL && *cursor < sent;) {
		struct chunk *next = c->link.next != &l->chunks ? chunk_of(c->link.next) :
								  NULL;
		/* Whole chunks are passed without a look at what is in them. */
		if (next != NULL && seq + 1 >= next->first_seq && next->start <= sent) {
			if (*cursor < next->start)
				passed = next->first_seq - 1;
			*cursor = next->start;
			c = next;
			continue;
		}
		size_t at = (size_t)(*cursor - c->start);
		while (at < c->used && c->start + at < sent &&
		       message_seq(c->at + at) <= seq) {
			passed = message_seq(c->at + at);
			at += message_len(c->at + at);
		}
		*cursor = c->start + at;
		break;
	}
	return passed;
}

void replog_forget(struct replog *l, uint64_t position)
{
	must(position <= l->end);
	if (position == l->end) {
		/* Up to date, as almost always: one chunk is kept, to be used again. */
		while (!list_empty(&l->chunks) && l->chunks.next != l->chunks.prev) {
			struct chunk *c = chunk_of(l->chunks.next);
			list_remove(&c->link);
			free(c);
		}
		if (!list_empty(&l->chunks)) {
			struct chunk *c = chunk_of(l->chunks.next);
			c->start = l->end;
			c->used = 0;
			c->first_seq = l->seq + 1;
		}
		l->start = l->end;
		l->start_seq = l->seq + 1;
		return;
	}
	while (!list_empty(&l->chunks)) {
		struct chunk *c = chunk_of(l->chunks.next);
		if (c->start + c->used > position) {
			l->start = c->start > l->start ? c->start : l->start;
			l->start_seq = c->first_seq;
			return;
		}
		l->start = c->start + c->used;
		list_remove(&c->link);
		free(c);
	}
}
