#include "control/stream.h"

#include <stdio.h>
#include <string.h>

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

/* Puts the frame around what stands behind the place of its head. */
static size_t frame(char *room, size_t len)
{
	char head[CHUNK_HEAD + 1];

	must(len > 0 && len <= STREAM_PIECE_MAX);
	snprintf(head, sizeof head, "%04x\r\n", (unsigned)len & 0xffff);
	memcpy(room, head, CHUNK_HEAD);
	memcpy(room + CHUNK_HEAD + len, "\r\n", 2);
	return CHUNK_HEAD + len + 2;
}

size_t stream_piece(struct stream *s, bool chunked, char room[STREAM_ROOM])
{
	size_t len = s->pull(s, room + (chunked ? CHUNK_HEAD : 0), STREAM_PIECE_MAX);

	return chunked && len > 0 ? frame(room, len) : len;
}

size_t stream_beat(const struct stream *s, bool chunked, char room[STREAM_ROOM])
{
	size_t len = s->beat != NULL ? strlen(s->beat) : 0;

	if (len == 0)
		return 0;
	memcpy(room + (chunked ? CHUNK_HEAD : 0), s->beat, len);
	return chunked ? frame(room, len) : len;
}
