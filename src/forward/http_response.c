/* forward/http_response.c - from a server to the client: heads, and bodies in one of
 * three framings.
 *
 * Invariant: what is read from a server is passed on, or waits in session.out, before
 * more is read; so a slow client stops the server by way of its own socket.
 */
#include "forward/http_request.h"

#include <stdio.h>

#include "base/must.h"
#include "forward/head.h"
#include "forward/sticky.h"

static struct worker *worker_of(const struct request *r)
{
	return r->session->worker;
}

/* Finds out how many of these bytes belong to the response's body. False: what comes
 * is no body. */
static bool body_take(struct body *b, const char *at, size_t len, size_t *took)
{
	enum h1_result result = H1_MORE;

	*took = len;
	switch (b->kind) {
	case H1_BODY_NONE:
		*took = 0;
		b->done = true;
		break;
	case H1_BODY_LENGTH:
		*took = len < b->left ? len : (size_t)b->left;
		b->left -= *took;
		b->done = b->left == 0;
		break;
	case H1_BODY_CHUNKED:
		*took = h1_chunked_scan(&b->chunked, at, len, &result);
		b->done = result == H1_DONE;
		break;
	case H1_BODY_UNTIL_CLOSE:
		break;
	}
	return result != H1_BAD;
}

/* Takes the chunks' framing out, in place, leaving *kept bytes of payload. The same
 * otherwise. */
static bool take_chunks_out(struct body *b, char *at, size_t len, size_t *took, size_t *kept)
{
	enum h1_result result = H1_MORE;
	size_t done = 0;

	*kept = 0;
	while (done < len && result == H1_MORE) {
		struct span data;
		done += h1_chunked_next(&b->chunked, at + done, len - done, &data, &result);
		memmove(at + *kept, data.at, data.len);
		*kept += data.len;
	}
	*took = done;
	b->done = result == H1_DONE;
	return result != H1_BAD;
}

/* What of [at, at + len) is to be passed on as body, *kept bytes at `at`. A server that
 * says more than its body is not asked again over this connection. False: what comes is
 * no body. */
static bool take_body(struct request *r, char *at, size_t len, size_t *kept)
{
	size_t took;
	bool good;

	if (r->framing == FRAMING_FROM_CHUNKED) {
		good = take_chunks_out(&r->response, at, len, &took, kept);
	} else {
		good = body_take(&r->response, at, len, &took);
		*kept = took;
	}
	if (took < len)
		r->server_keep_alive = false;
	return good;
}

/* Puts a chunk's framing around [at, at + len), for which there is room on both sides.
 * Returns where it begins now, and sets *end. */
static char *put_chunk_around(char *at, size_t len, char **end)
{
	char line[20];
	size_t n = (size_t)snprintf(line, sizeof line, "%zx\r\n", len);

	memcpy(at - n, line, n);
	memcpy(at + len, "\r\n", 2);
	*end = at + len + 2;
	return at - n;
}

/* ---- the head ---- */

static void choose_framing(struct request *r, const struct h1_head *head,
			   struct head_response *how)
{
	r->status = head->status;
	r->framing = FRAMING_SAME;
	r->server_keep_alive = head->keep_alive && head->body != H1_BODY_UNTIL_CLOSE;
	if (head->body == H1_BODY_UNTIL_CLOSE && r->minor >= 1) {
		r->framing = FRAMING_TO_CHUNKED;
	} else if (head->body == H1_BODY_UNTIL_CLOSE) {
		r->client_keep_alive = false;
	} else if (head->body == H1_BODY_CHUNKED && r->minor == 0) {
		r->framing = FRAMING_FROM_CHUNKED;
		r->client_keep_alive = false;
	}
	r->client_keep_alive = request_may_stay(r);
	*how = (struct head_response){
		.chunked_added = r->framing == FRAMING_TO_CHUNKED,
		.coding_dropped = r->minor == 0,
		.close = !r->client_keep_alive,
		.keep_alive = r->client_keep_alive && r->minor == 0,
	};
}

_Static_assert(HEAD_GROWTH_MAX + STICKY_LINE_MAX < SCRATCH_HEADROOM,
	       "a head that grows stays in the room before it");

/* Writes the head at `at` anew, into worker->head_out. Returns its length. */
static size_t write_head(struct worker *w, const char *at, const struct head_response *how)
{
	size_t room = w->head->length + (size_t)HEAD_GROWTH_MAX + how->lines.len;
	size_t len = head_write_response(w->head_out, room, w->head, at, how);

	must(len > 0);
	return len;
}

/* The final head is at [at, at + head.length), with body bytes behind it, in scratch. */
static void begin_answer(struct request *r, char *at, size_t len)
{
	struct session *s = r->session;
	struct worker *w = s->worker;
	struct h1_head *head = w->head;
	struct head_response how;
	char line[STICKY_LINE_MAX];
	char *body = at + head->length;
	size_t took;

	r->response = (struct body){.kind = head->body, .left = head->content_length};
	choose_framing(r, head, &how);
	if (!take_body(r, body, len - head->length, &took)) {
		r->status = 0;
		live_server_failed(r->upstream->live, FAILURE_MALFORMED, 0);
		request_on(r, EVENT_MALFORMED);
		return;
	}
	place_succeed(w, r->edition, r->lane, r->upstream->live);
	live_count(&r->upstream->live->responses);
	r->server_us = (uint32_t)(loop_now_us(w->loop) - r->picked_us);
	request_on(r, EVENT_RESPONSE);

	if (UNLIKELY(r->lane->sticky != NULL) && r->named != r->server)
		how.lines = (struct span){
			line, sticky_write(r->lane->sticky, r->server, line)};

	/* Head and body leave in one piece: a new head is put right in front of the body,
	 * where the old one ended, or runs into the room before it. */
	char *start = at + head->start, *end = body + took;
	if (head_response_is_plain(head, &how)) {
		start[7] = '1';			/* HTTP/1.0 becomes our own version */
		s->heads_out += (uint32_t)(body - start);
	} else {
		size_t new_len = write_head(w, at, &how);
		start = body;
		if (r->framing == FRAMING_TO_CHUNKED && took > 0)
			start = put_chunk_around(body, took, &end);
		start = memcpy(start - new_len, w->head_out, new_len);
		s->heads_out += (uint32_t)new_len;
	}
	s->closing = r->response.done && !r->client_keep_alive;
	bool may_wait = r->response.done && r->client_keep_alive;
	if (!(may_wait && session_hold(s, start, (size_t)(end - start))) &&
	    !session_write(s, start, (size_t)(end - start))) {
		request_on(r, EVENT_CLIENT_GONE);
		return;
	}
	if (r->response.done)
		request_on(r, EVENT_FINISHED);
}

/* A 1xx head goes on to a client that knows it. False: the request is over. */
static bool pass_interim(struct request *r, const char *at)
{
	struct worker *w = worker_of(r);
	struct head_response how = {0};

	if (++r->interims > INTERIM_MAX) {
		request_on(r, EVENT_MALFORMED);
		return false;
	}
	if (r->minor == 0)
		return true;
	size_t len = write_head(w, at, &how);
	r->session->heads_out += (uint32_t)len;
	if (!session_write(r->session, w->head_out, len)) {
		request_on(r, EVENT_CLIENT_GONE);
		return false;
	}
	session_rearm(r->session);	/* it is at work: the time to answer begins anew */
	return true;
}

static void switch_protocols(struct request *r, char *at, size_t len)
{
	struct worker *w = worker_of(r);
	struct head_response how = {.upgrade = true};

	if (!r->upgrade_asked) {
		request_on(r, EVENT_MALFORMED);
		return;
	}
	r->status = 101;
	place_succeed(w, r->edition, r->lane, r->upstream->live);
	size_t new_len = write_head(w, at, &how);
	char *start = at + w->head->length - new_len;
	memcpy(start, w->head_out, new_len);
	r->session->heads_out += (uint32_t)new_len;
	request_on(r, EVENT_SWITCHED);
	tunnel_begin(r, start, (size_t)(at + len - start));
}

/* An incomplete head waits for the rest. */
static void keep_head(struct request *r, const char *at, size_t len)
{
	struct worker *w = worker_of(r);

	r->upstream->in = buf_get(&w->bufs, len);
	if (r->upstream->in == NULL)
		request_on(r, EVENT_MALFORMED);
	else
		buf_append(r->upstream->in, at, len);
}

/* Looks at the heads in [at, at + len), of which `seen` bytes were looked at before. */
static void take_heads(struct request *r, char *at, size_t len, size_t seen)
{
	struct worker *w = worker_of(r);
	struct h1_limits limits = request_head_limits(r->door->listener);

	while (len > 0) {
		switch (h1_parse_response(w->head, at, len, seen, r->method, &limits)) {
		case H1_BAD:
			live_server_failed(r->upstream->live, FAILURE_MALFORMED, 0);
			request_on(r, EVENT_MALFORMED);
			return;
		case H1_MORE:
			keep_head(r, at, len);
			return;
		case H1_DONE:
			break;
		}
		if (w->head->status == 101) {
			switch_protocols(r, at, len);
			return;
		}
		if (w->head->status >= 200) {
			begin_answer(r, at, len);
			return;
		}
		size_t length = w->head->length;
		if (!pass_interim(r, at))
			return;
		at += length;
		len -= length;
		seen = 0;
	}
}

static void read_head(struct request *r)
{
	struct worker *w = worker_of(r);
	struct upstream *u = r->upstream;
	size_t kept = buf_waiting(u->in), got;

	must(kept < SCRATCH_BYTES);
	switch (stream_read(&u->server, w->scratch + kept, SCRATCH_BYTES - kept, &got)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		return;
	case STREAM_END:
	case STREAM_BROKEN:
		request_on_lost(r, FAILURE_RESET);
		return;
	}
	if (kept > 0) {
		memcpy(w->scratch, buf_at(u->in), kept);
		buf_put(&w->bufs, u->in);
		u->in = NULL;
	}
	take_heads(r, w->scratch, kept + got, kept);
}

/* ---- the body ---- */

/* One read, copied through. False: the exchange is over, or nothing is there. */
static bool copy_body(struct request *r)
{
	struct session *s = r->session;
	struct worker *w = s->worker;
	size_t got, took;

	switch (stream_read(&r->upstream->server, w->scratch, SCRATCH_BYTES, &got)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		return false;
	case STREAM_END:
		if (r->response.kind != H1_BODY_UNTIL_CLOSE) {
			request_on_lost(r, FAILURE_CUT);
			return false;
		}
		r->response.done = true;
		if (r->framing == FRAMING_TO_CHUNKED && !session_write(s, "0\r\n\r\n", 5))
			request_on(r, EVENT_CLIENT_GONE);
		return s->request == r;
	case STREAM_BROKEN:
		request_on_lost(r, FAILURE_CUT);
		return false;
	}

	if (!take_body(r, w->scratch, got, &took)) {
		request_on(r, EVENT_MALFORMED);
		return false;
	}
	char *out = w->scratch, *end = out + took;
	if (r->framing == FRAMING_TO_CHUNKED)
		out = put_chunk_around(out, took, &end);
	if (end > out && !session_write(s, out, (size_t)(end - out))) {
		request_on(r, EVENT_CLIENT_GONE);
		return false;
	}
	return true;
}

/* How many bytes may pass without being looked at: the rest of the body, or of a chunk. */
static uint64_t unseen(const struct body *b)
{
	if (b->kind == H1_BODY_LENGTH)
		return b->left;
	return b->kind == H1_BODY_CHUNKED ? h1_chunked_payload_left(&b->chunked) : 0;
}

static bool may_splice(struct request *r)
{
	if (r->framing != FRAMING_SAME)
		return false;
	if (r->pipe_down != NULL && (r->pipe_down->held > 0 || r->response.kind == H1_BODY_LENGTH))
		return true;
	if (unseen(&r->response) < SPLICE_MIN)
		return false;
	if (r->pipe_down == NULL)
		r->pipe_down = worker_pipe(worker_of(r));
	return r->pipe_down != NULL;
}

static bool splice_body(struct request *r, size_t *budget)
{
	struct session *s = r->session;
	struct stream *server = &r->upstream->server;
	uint64_t before = unseen(&r->response), left = before;
	size_t moved;
	enum stream_result result = splice_move(r->pipe_down, server, &s->client, &left,
						*budget, &moved);

	if (r->response.kind == H1_BODY_LENGTH)
		r->response.left = left;
	else if (before > left)
		h1_chunked_skip(&r->response.chunked, before - left);
	s->bytes_out += moved;
	*budget -= moved < *budget ? moved : *budget;
	switch (result) {
	case STREAM_OK:
		r->response.done = r->response.kind == H1_BODY_LENGTH && left == 0;
		return true;
	case STREAM_WAIT:
		worker_pipe_back(s->worker, &r->pipe_down);
		if (!s->client.writable &&
		    loop_watch_register(s->worker->loop, &s->client.watch) != 0)
			request_on(r, EVENT_CLIENT_GONE);
		return false;
	case STREAM_END:
		request_on_lost(r, FAILURE_CUT);
		return false;
	case STREAM_BROKEN:
		if (s->client.broken)
			request_on(r, EVENT_CLIENT_GONE);
		else
			request_on_lost(r, FAILURE_CUT);
		return false;
	}
	return false;
}

static void pump_body(struct request *r)
{
	struct session *s = r->session;
	struct stream *server = &r->upstream->server;
	size_t budget = PUMP_PER_TURN_MAX;

	while (!r->response.done && !session_is_blocked(s) &&
	       (server->readable || (r->pipe_down != NULL && r->pipe_down->held > 0))) {
		if (budget == 0) {
			loop_again(s->worker->loop, &server->watch);
			break;
		}
		if (may_splice(r)) {
			if (!splice_body(r, &budget))
				break;
		} else {
			if (!copy_body(r))
				break;
			budget -= budget < SCRATCH_BYTES ? budget : SCRATCH_BYTES;
		}
	}
	if (s->request != r || s->state != SESSION_REQUEST)
		return;
	if (!r->response.done) {
		session_rearm(s);
		return;
	}
	request_on(r, EVENT_FINISHED);
}

void response_pump(struct request *r)
{
	struct session *s = r->session;

	while (r->life.state == REQUEST_AWAITING && r->upstream->server.readable &&
	       !session_is_blocked(s)) {
		read_head(r);
		if (s->request != r || s->state != SESSION_REQUEST)
			return;
	}
	if (r->life.state == REQUEST_ANSWERING)
		pump_body(r);
}
