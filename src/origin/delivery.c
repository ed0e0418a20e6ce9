#include "origin/delivery.h"

#include <stdio.h>

/* What a chunk needs besides its payload, and what follows the last one. */
enum { CHUNK_FRAME_MAX = 32, CHUNKS_END_MAX = 64 };

void delivery_init(struct delivery *d, struct wire *w, struct buf_pool *pool,
		   struct answer *a)
{
	*d = (struct delivery){
		.wire = w, .pool = pool, .faults = &a->faults, .answer = a,
	};
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static enum want dies(struct delivery *d)
{
	d->state = DELIVERY_DIES;
	return GO_ON;
}

/* All payload is in the wire. */
static enum want finish(struct delivery *d, uint64_t length)
{
	char end[CHUNKS_END_MAX];
	int len;

	if (d->answer->framing == ANSWER_CHUNKED) {
		enum want want = wire_make_room(d->wire, d->pool, CHUNKS_END_MAX);
		if (want != GO_ON)
			return want;
		len = d->answer->trailer ?
			snprintf(end, sizeof end, "0\r\nX-Body-Length: %lu\r\n\r\n",
				 (unsigned long)length) :
			snprintf(end, sizeof end, "0\r\n\r\n");
		buf_append(d->wire->out, end, (size_t)len);
	}
	d->state = DELIVERY_DONE;
	return GO_ON;
}

/* How many of `bytes` may be sent now; 0: none before a pause of pause_ms. */
static uint64_t allowed(struct delivery *d, uint64_t bytes)
{
	if (d->faults->slow == 0)
		return bytes;
	if (d->allowance == 0) {
		struct faults_pace pace = faults_pace_of(d->faults->slow);
		d->allowance = pace.bytes;
		d->pause_ms = pace.pause_ms;
		return 0;
	}
	return smaller(bytes, d->allowance);
}

static void spend(struct delivery *d, uint64_t bytes)
{
	if (d->faults->slow > 0)
		d->allowance -= (uint32_t)bytes;
}

static void append_chunk_line(struct buf *out, uint64_t size)
{
	char line[CHUNK_FRAME_MAX];
	int len = snprintf(line, sizeof line, "%lx\r\n", (unsigned long)size);

	buf_append(out, line, (size_t)len);
}

static enum want copy(struct delivery *d, uint64_t max)
{
	enum want want = wire_make_room(d->wire, d->pool, max);
	if (want != GO_ON)
		return want;
	struct buf *out = d->wire->out;
	size_t n = source_copy(&d->answer->source, out->bytes + out->end, max);
	if (n == 0)
		return WANT_END;
	out->end += (uint32_t)n;
	spend(d, n);
	return GO_ON;
}

static enum want send_chunk(struct delivery *d, uint64_t max)
{
	const struct source *s = &d->answer->source;
	enum want want = wire_make_room(d->wire, d->pool,
					DELIVERY_CHUNK_MAX + CHUNK_FRAME_MAX);

	if (want != GO_ON)
		return want;
	if (d->chunk_left == 0) {
		d->chunk_left = smaller(s->length - s->sent, DELIVERY_CHUNK_MAX);
		append_chunk_line(d->wire->out, d->chunk_left);
	}
	uint64_t before = s->sent;
	want = copy(d, smaller(max, d->chunk_left));
	d->chunk_left -= s->sent - before;
	if (want == GO_ON && d->chunk_left == 0)
		buf_append_span(d->wire->out, SPAN("\r\n"));
	return want;
}

static enum want send_directly(struct delivery *d, uint64_t max)
{
	struct source *s = &d->answer->source;
	uint64_t before = s->sent;
	enum wire_result result = wire_flush(d->wire, d->pool, true);

	if (result == WIRE_DONE)
		result = wire_send_source(d->wire, s, max);
	spend(d, s->sent - before);
	switch (result) {
	case WIRE_DONE:    return GO_ON;
	case WIRE_BLOCKED: return WANT_OUTPUT;
	case WIRE_BROKEN:  break;
	}
	return WANT_END;
}

enum want delivery_send(struct delivery *d)
{
	const struct answer *a = d->answer;
	const struct source *s = &a->source;

	if (a->head_only) {
		d->state = DELIVERY_DONE;
		return GO_ON;
	}
	if (s->sent == s->length)
		return finish(d, s->length);
	if (s->sent >= a->dies_at)
		return dies(d);
	uint64_t max = allowed(d, smaller(s->length, a->dies_at) - s->sent);
	if (max == 0)
		return WANT_TIME;
	if (a->framing == ANSWER_CHUNKED)
		return send_chunk(d, max);
	if (s->kind == SOURCE_TEXT || s->length <= DELIVERY_INLINE_MAX)
		return copy(d, max);
	return send_directly(d, max);
}

/* Takes in as much as there is room for, framed anew. */
static enum h1_result echo_run(struct delivery *d, struct intake *from, uint64_t max,
			       struct span *bytes)
{
	struct buf *out = d->wire->out;
	bool chunked = d->answer->framing == ANSWER_CHUNKED;

	max = smaller(max, buf_room(out) - CHUNK_FRAME_MAX);
	enum h1_result result = intake_take(from, d->wire->in, max, bytes);
	if (bytes->len == 0)
		return result;
	if (chunked)
		append_chunk_line(out, bytes->len);
	buf_append_span(out, *bytes);
	if (chunked)
		buf_append_span(out, SPAN("\r\n"));
	d->echoed += bytes->len;
	spend(d, bytes->len);
	return result;
}

enum want delivery_echo(struct delivery *d, struct intake *from)
{
	struct span bytes = {NULL, 0};
	uint64_t waiting = smaller(buf_waiting(d->wire->in), DELIVERY_ECHO_MAX);

	if (from->over)
		return finish(d, d->echoed);
	if (d->echoed >= d->answer->dies_at)
		return dies(d);
	uint64_t needed = waiting + CHUNK_FRAME_MAX + 1;	/* never none */
	enum want want = wire_make_room(d->wire, d->pool, needed);
	if (want != GO_ON)
		return want;
	uint64_t max = allowed(d, d->answer->dies_at - d->echoed);
	if (max == 0)
		return WANT_TIME;
	enum h1_result result = echo_run(d, from, max, &bytes);
	if (result == H1_BAD)		/* the answer has begun: cut it, that tells */
		return WANT_END;
	if (result == H1_DONE || bytes.len > 0)
		return GO_ON;
	return d->wire->ended ? WANT_END : WANT_INPUT;
}
