#include "control/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"

enum { CHUNK_HEAD = 6 };	/* four hexadecimal digits, CR LF */

void stream_wake_all(struct link *readers)
{
	LIST_EACH(readers, it, next) {
		struct stream *s = CONTAINER_OF(it, struct stream, link);
		if (s->wake != NULL)
			s->wake(s->waiter);
	}
}

bool stream_has_place(const struct streams *all, bool is_tcp)
{
	return all->open < STREAMS_MAX && (!is_tcp || all->tcp < STREAMS_TCP_MAX);
}

void stream_begin(struct stream_reader *r)
{
	must(r->stream != NULL && stream_has_place(r->all, r->is_tcp));
	r->all->open++;
	r->all->tcp += r->is_tcp;
	r->room = memory_new(STREAM_ROOM, 1);
}

void stream_leave(struct stream_reader *r)
{
	if (r->stream == NULL)
		return;
	r->all->open--;
	r->all->tcp -= r->is_tcp;
	free(r->room);
	r->stream->end(r->stream);
	*r = (struct stream_reader){0};
}

/* Where a piece goes: behind the place of its frame's head. */
static char *piece_of(const struct stream_reader *r)
{
	return r->room + (r->chunked ? CHUNK_HEAD : 0);
}

/* So many bytes that stand there, with the frame around them. */
static struct span framed(const struct stream_reader *r, size_t len)
{
	char head[CHUNK_HEAD + 1];

	must(len <= STREAM_PIECE_MAX);
	if (!r->chunked || len == 0)
		return (struct span){r->room, len};
	snprintf(head, sizeof head, "%04x\r\n", (unsigned)len & 0xffff);
	memcpy(r->room, head, CHUNK_HEAD);
	memcpy(r->room + CHUNK_HEAD + len, "\r\n", 2);
	return (struct span){r->room, CHUNK_HEAD + len + 2};
}

struct span stream_next(struct stream_reader *r)
{
	return framed(r, r->stream->pull(r->stream, piece_of(r), STREAM_PIECE_MAX));
}

struct span stream_beat(struct stream_reader *r)
{
	size_t len = r->stream->beat != NULL ? strlen(r->stream->beat) : 0;

	if (len > 0)
		memcpy(piece_of(r), r->stream->beat, len);
	return framed(r, len);
}
