/* forward/http_send.c - a request on its way to its server: the head, and the body behind
 * it, copied or spliced.
 *
 * Invariant: what is read from a client is passed on, or waits in request.body_wait,
 * before more is read; so a slow server stops the client by way of its own socket.
 */
#include "forward/http_request.h"

bool request_flush(struct request *r)
{
	struct stream *server = &r->upstream->server;
	struct worker *w = r->session->worker;
	size_t put, head = buf_waiting(r->head);

	if (r->head_sent < head) {
		if (stream_write(server, buf_at(r->head) + r->head_sent,
				 head - r->head_sent, &put) != STREAM_OK)
			return false;
		r->head_sent += (uint32_t)put;
		r->life.sent = r->life.sent || put > 0;
		if (r->head_sent < head)
			return false;
	}
	if (r->body_wait != NULL) {
		if (stream_write(server, buf_at(r->body_wait), buf_waiting(r->body_wait),
				 &put) != STREAM_OK)
			return false;
		buf_consume(r->body_wait, put);
		if (buf_waiting(r->body_wait) > 0)
			return false;
		buf_put(&w->bufs, r->body_wait);
		r->body_wait = NULL;
	}
	return true;
}

void request_send(struct request *r)
{
	struct session *s = r->session;

	r->head_sent = 0;
	r->server_deaf = false;
	if (!request_flush(r) && r->upstream->server.broken) {
		request_on_lost(r, FAILURE_RESET);
		return;
	}
	session_rearm(s);
	if (!r->body.done)
		request_pump(r);
}

bool request_take_body(struct request *r, const char *at, size_t len, size_t *took)
{
	struct body *b = &r->body;
	enum h1_result result = H1_DONE;

	*took = 0;
	if (b->kind == H1_BODY_LENGTH) {
		*took = len < b->left ? len : (size_t)b->left;
		b->left -= *took;
		b->done = b->left == 0;
	} else if (b->kind == H1_BODY_CHUNKED) {
		*took = h1_chunked_scan(&b->chunked, at, len, &result);
		b->done = result == H1_DONE;
	}
	r->body_seen += *took;
	if (result == H1_BAD) {
		r->fault_status = (uint16_t)h1_fault_status(b->chunked.fault);
		r->fault_text = h1_fault_text(b->chunked.fault);
		return false;
	}
	if (r->body_seen > r->door->listener->body_max) {
		r->fault_status = 413;
		r->fault_text = "the request's body is longer than body-size allows";
		return false;
	}
	return true;
}

bool request_write(struct request *r, const char *at, size_t len)
{
	struct worker *w = r->session->worker;
	size_t put;

	r->life.replayable = false;
	if (stream_write(&r->upstream->server, at, len, &put) != STREAM_OK)
		return false;
	if (put == len)
		return true;
	r->body_wait = buf_get(&w->bufs, len - put);
	if (r->body_wait == NULL) {
		live_count(&w->live->memory_refused);
		return false;
	}
	buf_append(r->body_wait, at + put, len - put);
	return true;
}

/* The server takes no more of the body. It may have answered before it closed: the
 * answer is worth more than the rest of the body. */
static void on_deaf_server(struct request *r)
{
	r->server_deaf = true;
	r->upstream->server.readable = true;
	response_pump(r);
}

/* One read of the body, copied through. False: nothing more at present. */
static bool copy_body(struct request *r)
{
	struct session *s = r->session;
	struct worker *w = s->worker;
	size_t got, took;

	switch (stream_read(&s->client, w->scratch, SCRATCH_BYTES, &got)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		return false;
	case STREAM_END:
	case STREAM_BROKEN:
		request_on(r, EVENT_CLIENT_GONE);
		return false;
	}
	bool good = request_take_body(r, w->scratch, got, &took);
	if (!good) {
		request_on(r, EVENT_REFUSED);
		return false;
	}
	if (took < got) {		/* the next request's beginning */
		s->in = buf_get(&w->bufs, got - took);
		if (s->in != NULL)
			buf_append(s->in, w->scratch + took, got - took);
		else
			r->client_keep_alive = false;
		s->in_seen = 0;
	}
	if (took > 0 && !request_write(r, w->scratch, took)) {
		on_deaf_server(r);
		return false;
	}
	return true;
}

/* The same for a long body of known length, without copying. False: nothing more at
 * present. */
static bool splice_body(struct request *r, size_t *budget)
{
	struct session *s = r->session;
	size_t moved;

	r->life.replayable = false;
	uint64_t before = r->body.left;
	enum stream_result result = splice_move(r->pipe_up, &s->client, &r->upstream->server,
						&r->body.left, *budget, &moved);
	r->body_seen += before - r->body.left;
	*budget -= moved < *budget ? moved : *budget;
	switch (result) {
	case STREAM_OK:
		r->body.done = r->body.left == 0 && r->pipe_up->held == 0;
		return true;
	case STREAM_WAIT:
		worker_pipe_back(s->worker, &r->pipe_up);
		return false;
	case STREAM_END:
		request_on(r, EVENT_CLIENT_GONE);
		return false;
	case STREAM_BROKEN:
		if (r->upstream->server.broken)
			on_deaf_server(r);
		else
			request_on(r, EVENT_CLIENT_GONE);
		return false;
	}
	return false;
}

static bool may_splice(struct request *r)
{
	if (r->pipe_up != NULL)
		return true;
	if (r->body.kind != H1_BODY_LENGTH || r->body.left < SPLICE_MIN)
		return false;
	r->pipe_up = worker_pipe(r->session->worker);
	return r->pipe_up != NULL;
}

void request_pump(struct request *r)
{
	struct session *s = r->session;
	size_t budget = PUMP_PER_TURN_MAX;

	if ((r->life.state != REQUEST_AWAITING && r->life.state != REQUEST_ANSWERING) ||
	    r->server_deaf)
		return;
	if (!request_flush(r)) {
		if (r->upstream->server.broken)
			on_deaf_server(r);
		return;
	}
	while (!r->body.done && r->upstream->server.writable &&
	       (s->client.readable || (r->pipe_up != NULL && r->pipe_up->held > 0))) {
		if (budget == 0) {
			loop_again(s->worker->loop, &s->client.watch);
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
	if (s->state == SESSION_REQUEST && s->request == r) {
		if (!r->body.done && loop_watch_register(s->worker->loop, &s->client.watch) != 0)
			session_end(s);
		else
			session_rearm(s);
	}
}
