#include "origin/wire.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/must.h"

void wire_init(struct wire *w, int fd,
	       void (*on_ready)(struct loop_watch *w, unsigned events))
{
	*w = (struct wire){.writable = true};
	loop_watch_init(&w->watch, fd, on_ready);
}

void wire_close(struct wire *w, struct loop *l, struct buf_pool *pool)
{
	loop_watch_close(l, &w->watch);
	buf_put(pool, w->in);
	buf_put(pool, w->out);
	w->in = w->out = NULL;
}

void wire_note(struct wire *w, unsigned events)
{
	if (events & LOOP_READABLE)
		w->readable = true;
	if (events & LOOP_WRITABLE)
		w->writable = true;
	if (events & LOOP_ENDED)
		w->finishing = true;
}

void wire_rest(struct wire *w, struct buf_pool *pool)
{
	if (buf_waiting(w->in) > 0)
		return;
	buf_put(pool, w->in);
	w->in = NULL;
}

static bool make_room_to_receive(struct wire *w, struct buf_pool *pool, size_t size)
{
	size_t waiting = buf_waiting(w->in);

	must(waiting < size);
	if (w->in != NULL && waiting == 0 && w->in->size >= size)
		w->in->start = w->in->end = 0;
	if (w->in != NULL && w->in->size >= size && buf_room(w->in) > 0)
		return true;
	return buf_larger(pool, &w->in, size);
}

enum wire_result wire_receive(struct wire *w, struct buf_pool *pool, size_t size)
{
	if (!w->readable)
		return WIRE_BLOCKED;
	if (!make_room_to_receive(w, pool, size))
		return WIRE_BROKEN;
	size_t room = buf_room(w->in);
	ssize_t n = recv(w->watch.fd, w->in->bytes + w->in->end, room, 0);
	if (n < 0) {
		w->readable = false;
		return errno == EAGAIN ? WIRE_BLOCKED : WIRE_BROKEN;
	}
	w->in->end += (uint32_t)n;
	w->moved += (uint64_t)n;
	w->ended = n == 0;
	/* A short read has emptied the socket, unless the peer's end follows. */
	if (w->ended || ((size_t)n < room && !w->finishing))
		w->readable = false;
	return WIRE_DONE;
}

enum want wire_make_room(struct wire *w, struct buf_pool *pool, size_t bytes)
{
	size_t all = buf_waiting(w->out) + bytes;

	if (w->out != NULL && buf_room(w->out) >= bytes)
		return GO_ON;
	if (all > BUF_LARGE)
		return WANT_OUTPUT;
	return buf_larger(pool, &w->out, all) ? GO_ON : WANT_END;
}

enum wire_result wire_flush(struct wire *w, struct buf_pool *pool, bool more)
{
	size_t waiting = buf_waiting(w->out);

	if (!w->writable)
		return WIRE_BLOCKED;
	if (waiting > 0) {
		ssize_t n = send(w->watch.fd, buf_at(w->out), waiting,
				 MSG_NOSIGNAL | (more ? MSG_MORE : 0));
		if (n < 0 && errno != EAGAIN)
			return WIRE_BROKEN;
		if (n > 0) {
			buf_consume(w->out, (size_t)n);
			w->moved += (uint64_t)n;
		}
		if (n < (ssize_t)waiting) {
			w->writable = false;
			return WIRE_BLOCKED;
		}
	}
	buf_put(pool, w->out);
	w->out = NULL;
	return WIRE_DONE;
}

enum wire_result wire_send_source(struct wire *w, struct source *s, size_t max)
{
	if (!w->writable)
		return WIRE_BLOCKED;
	must(w->out == NULL);
	ssize_t n = source_send(s, w->watch.fd, max);
	if (n > 0) {
		w->moved += (uint64_t)n;
		return WIRE_DONE;
	}
	if (n < 0 && errno == EAGAIN) {
		w->writable = false;
		return WIRE_BLOCKED;
	}
	return WIRE_BROKEN;
}
