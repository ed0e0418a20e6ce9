/* forward/http_output.c - what goes to a client: written at once, waiting for its socket
 * (`out`), or held to leave with the next answer (`held`).
 *
 * Invariant: not both wait at once; bytes leave in the order in which they came.
 */
#include "base/must.h"
#include "forward/http_session.h"

void session_flush(struct session *s)
{
	size_t put;

	if (s->out == NULL || !s->client.writable ||
	    stream_write(&s->client, buf_at(s->out), buf_waiting(s->out), &put) != STREAM_OK)
		return;
	buf_consume(s->out, put);
	if (buf_waiting(s->out) == 0) {
		buf_put(&s->worker->bufs, s->out);
		s->out = NULL;
		if (s->state == SESSION_LINGER)
			shutdown(s->client.watch.fd, SHUT_WR);
	}
	session_rearm(s);
}

bool session_release(struct session *s)
{
	struct worker *w = s->worker;
	struct buf *b = s->held;
	size_t put;

	if (b == NULL)
		return true;
	s->held = NULL;
	list_remove(&s->held_link);
	must(s->out == NULL);
	if (stream_write_more(&s->client, buf_at(b), buf_waiting(b), s->closing, &put) !=
		    STREAM_OK ||
	    (put < buf_waiting(b) && loop_watch_register(w->loop, &s->client.watch) != 0)) {
		buf_put(&w->bufs, b);
		return false;
	}
	buf_consume(b, put);
	if (buf_waiting(b) == 0) {
		buf_put(&w->bufs, b);
		return true;
	}
	s->out = b;
	if (s->state == SESSION_HEAD)	/* from now on it has the time of a body */
		session_rearm(s);
	return true;
}

void session_release_all(struct worker *w)
{
	while (!list_empty(&w->holding)) {
		struct session *s = CONTAINER_OF(w->holding.next, struct session, held_link);
		if (!session_release(s))
			session_end(s);
	}
}

bool session_hold(struct session *s, const char *at, size_t len)
{
	struct worker *w = s->worker;

	if (buf_waiting(s->in) == 0 || s->out != NULL || len > HOLD_BYTES_MAX)
		return false;
	if (s->held == NULL) {
		s->held = buf_get(&w->bufs, BUF_MEDIUM);
		if (s->held == NULL)
			return false;
		list_push_last(&w->holding, &s->held_link);
		if (!w->hold_limit.armed)
			loop_timer_start(w->loop, &w->hold_limit, HOLD_MS);
	}
	if (buf_room(s->held) < len)
		return false;
	buf_append(s->held, at, len);
	s->bytes_out += len;
	return true;
}

bool session_write(struct session *s, const char *at, size_t len)
{
	struct worker *w = s->worker;
	size_t put = 0;

	s->bytes_out += len;
	if (UNLIKELY(s->held != NULL)) {
		if (buf_room(s->held) >= len) {
			buf_append(s->held, at, len);
			return session_release(s);
		}
		if (!session_release(s))
			return false;
	}
	if (s->out == NULL) {
		if (UNLIKELY(stream_write_more(&s->client, at, len, s->closing, &put) !=
			     STREAM_OK))
			return false;
		if (LIKELY(put == len))
			return true;
	}
	/* The loop has to tell when there is room. */
	if (loop_watch_register(w->loop, &s->client.watch) != 0)
		return false;
	size_t rest = len - put;
	if (buf_waiting(s->out) + rest > BUF_LARGE)
		return false;
	if (s->out == NULL || buf_room(s->out) < rest)
		if (!buf_larger(&w->bufs, &s->out, buf_waiting(s->out) + rest)) {
			live_count(&w->live->memory_refused);
			return false;
		}
	buf_append(s->out, at + put, rest);
	return true;
}
