#include "store/channel.h"

#include <errno.h>
#include <string.h>

#include "base/must.h"
#include "store/counts.h"

static struct channel *channel_of(struct loop_watch *w)
{
	return CONTAINER_OF(CONTAINER_OF(w, struct stream, watch), struct channel,
			    stream);
}

void channel_init(struct channel *c, struct channel_turn *turn,
		  const struct channel_calls *calls)
{
	*c = (struct channel){.turn = turn, .calls = calls};
	stream_init(&c->stream, -1, channel_on_ready);
	list_init(&c->unsent);
}

void channel_begin(struct channel *c)
{
	struct stream *s = &c->stream;

	s->readable = s->writable = true;
	s->ended = s->broken = s->at_end = s->urgent = false;
	s->watch.on_ready = channel_on_ready;
	stream_probe(s->watch.fd, CHANNEL_PROBE_MS);
	c->paused = 0;
	c->in_is_new = false;
	loop_again(c->turn->loop, &s->watch);
}

int channel_open(struct channel *c, int fd)
{
	must(!channel_is_open(c));
	stream_init(&c->stream, fd, channel_on_ready);
	if (loop_watch_register(c->turn->loop, &c->stream.watch) != 0) {
		loop_watch_close(c->turn->loop, &c->stream.watch);
		return -1;
	}
	channel_begin(c);
	return 0;
}

bool channel_unread(struct channel *c, struct span bytes)
{
	if (!bytes_append(&c->in, bytes.at, bytes.len))
		return false;
	c->in_is_new = true;
	loop_again(c->turn->loop, &c->stream.watch);
	return true;
}

void channel_close(struct channel *c)
{
	if (!channel_is_open(c))
		return;
	loop_watch_close(c->turn->loop, &c->stream.watch);
	list_remove(&c->unsent);
	bytes_fini(&c->in);
	bytes_fini(&c->out);
}

int channel_release(struct channel *c)
{
	int fd = c->stream.watch.fd;

	loop_watch_forget(c->turn->loop, &c->stream.watch);
	c->stream.watch.fd = -1;
	list_remove(&c->unsent);
	bytes_fini(&c->in);
	bytes_fini(&c->out);
	return fd;
}

static void lose(struct channel *c, const char *why)
{
	channel_close(c);
	c->calls->on_lost(c, why);
}

/* A close with bytes unread would be a reset, which may overtake what was sent last. */
static void read_out(struct channel *c)
{
	size_t got;

	shutdown(c->stream.watch.fd, SHUT_WR);
	for (int i = 0; i < CHANNEL_LINGER_READS_MAX; i++)
		if (stream_read(&c->stream, c->turn->scratch, CHANNEL_SCRATCH_BYTES,
				&got) != STREAM_OK)
			return;
}

static void write_out(struct channel *c)
{
	size_t put;

	if (bytes_waiting(&c->out) > 0)
		stream_write(&c->stream, bytes_first(&c->out), bytes_waiting(&c->out),
			     &put);
}

void channel_part(struct channel *c)
{
	if (!channel_is_open(c))
		return;
	write_out(c);
	read_out(c);
	channel_close(c);
}

void channel_refuse(struct channel *c, enum kv_result code, const char *why)
{
	struct kv_message m = {.type = KV_ERROR, .result = (uint8_t)code,
			       .value = span_of(why)};
	char text[KV_HEADER_BYTES + 512];

	if (!channel_is_open(c))
		return;
	count_up(c->turn->refused);
	if (m.value.len > 256)
		m.value.len = 256;
	if (kv_wire_size(&m) <= sizeof text)
		bytes_append(&c->out, text, kv_wire_write(&m, text));
	channel_part(c);
	c->calls->on_lost(c, why);
}

void channel_pause(struct channel *c, enum channel_pause why)
{
	c->paused |= (unsigned)why;
}

void channel_resume(struct channel *c, enum channel_pause why)
{
	if ((c->paused & (unsigned)why) == 0)
		return;
	c->paused &= ~(unsigned)why;
	if (c->paused == 0 && channel_is_open(c))
		loop_again(c->turn->loop, &c->stream.watch);
}

void channel_flush(struct channel *c)
{
	size_t put;

	list_remove(&c->unsent);
	if (!channel_is_open(c) || bytes_waiting(&c->out) == 0)
		return;
	if (c->stream.writable) {
		size_t len = bytes_waiting(&c->out);
		if (stream_write(&c->stream, bytes_first(&c->out), len, &put) !=
		    STREAM_OK) {
			lose(c, strerror(errno));
			return;
		}
		c->bytes_out += put;
		bytes_consume(&c->out, put);
	}
	if (bytes_waiting(&c->out) > CHANNEL_OUT_HIGH) {
		c->paused |= CHANNEL_PAUSE_OUTPUT;
	} else if (bytes_waiting(&c->out) <= CHANNEL_OUT_LOW) {
		channel_resume(c, CHANNEL_PAUSE_OUTPUT);
		if (c->calls->on_room != NULL)
			c->calls->on_room(c);
	}
}

void channel_flush_all(struct channel_turn *turn)
{
	struct link now;

	if (list_empty(&turn->unsent))
		return;
	/* Who has more to send once there is room does so in the next turn. */
	list_insert(&turn->unsent, &now);
	list_remove(&turn->unsent);
	while (!list_empty(&now))
		channel_flush(CONTAINER_OF(now.next, struct channel, unsent));
}

static void note_unsent(struct channel *c)
{
	if (list_empty(&c->unsent))
		list_push_last(&c->turn->unsent, &c->unsent);
	loop_at_end(c->turn->loop, &c->turn->end);
}

void channel_send(struct channel *c, const struct kv_message *m)
{
	size_t size = kv_wire_size(m);

	if (!channel_is_open(c))
		return;
	char *to = bytes_reserve(&c->out, size);
	if (to == NULL) {
		lose(c, "out of memory");
		return;
	}
	kv_wire_write(m, to);
	bytes_added(&c->out, size);
	note_unsent(c);
}

void channel_send_bytes(struct channel *c, struct span bytes)
{
	if (!channel_is_open(c) || bytes.len == 0)
		return;
	if (!bytes_append(&c->out, bytes.at, bytes.len)) {
		lose(c, "out of memory");
		return;
	}
	note_unsent(c);
}

/* Keeps what was not understood, or not told. */
static void keep(struct channel *c, const char *at, size_t len, bool is_new)
{
	if (!channel_is_open(c))
		return;
	c->in_is_new = is_new;
	if (len > 0 && !bytes_append(&c->in, at, len))
		lose(c, "out of memory");
}

/* Tells the messages among these bytes of the scratch buffer. */
static void tell(struct channel *c, size_t len)
{
	const char *at = c->turn->scratch, *end = at + len;
	struct kv_message m;
	const char *why;
	size_t used;

	while (at < end) {
		if (c->paused != 0) {
			keep(c, at, (size_t)(end - at), true);
			return;
		}
		switch (kv_wire_parse(&m, at, (size_t)(end - at), &used, &why)) {
		case KV_PARSE_MORE:
			keep(c, at, (size_t)(end - at), false);
			return;
		case KV_PARSE_BAD:
			channel_refuse(c, KV_PROTOCOL, why);
			return;
		case KV_PARSE_DONE:
			break;
		}
		at += used;
		c->calls->on_message(c, &m);
		if (!channel_is_open(c))
			return;
		/* Many small questions can have large answers. */
		if (bytes_waiting(&c->out) > CHANNEL_OUT_HIGH) {
			channel_flush(c);
			if (!channel_is_open(c))
				return;
		}
	}
	c->in_is_new = false;
}

/* What was kept comes in front of what is read now. */
static size_t put_back(struct channel *c)
{
	size_t len = bytes_waiting(&c->in);

	must(len <= CHANNEL_SCRATCH_BYTES);
	if (len > 0)
		memcpy(c->turn->scratch, bytes_first(&c->in), len);
	bytes_consume(&c->in, len);
	return len;
}

/* Reads and tells once. False: there is nothing more to read now. */
static bool read_once(struct channel *c)
{
	size_t kept = put_back(c), got = 0;

	switch (stream_read(&c->stream, c->turn->scratch + kept,
			    CHANNEL_SCRATCH_BYTES - kept, &got)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		keep(c, c->turn->scratch, kept, false);
		return false;
	case STREAM_END:
		lose(c, kept > 0 ? "closed in the midst of a message" : "closed by the other "
		     "side");
		return false;
	case STREAM_BROKEN:
		lose(c, strerror(errno));
		return false;
	}
	c->bytes_in += got;
	tell(c, kept + got);
	return true;
}

void channel_on_ready(struct loop_watch *w, unsigned events)
{
	struct channel *c = channel_of(w);

	stream_note(&c->stream, events);
	if (events & (LOOP_WRITABLE | LOOP_BROKEN))
		channel_flush(c);
	if (channel_is_open(c) && c->paused == 0 && c->in_is_new) {
		size_t len = put_back(c);
		tell(c, len);
	}
	for (int reads = 0; channel_is_open(c) && c->paused == 0 && c->stream.readable;) {
		if (reads++ == CHANNEL_READS_MAX) {
			loop_again(c->turn->loop, w);
			return;
		}
		if (!read_once(c))
			return;
	}
}
