/* forward/http_request.c - from a head to a server: route, pick, wait, connect, send,
 * and the body behind the head.
 */
#include "forward/http.h"

#include <stdio.h>

#include "base/must.h"
#include "forward/head.h"
#include "forward/route.h"

static void add(atomic_ullong *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static struct live_server *server_of(const struct request *r)
{
	return r->lane->view.servers[r->server].live;
}

/* ---- letting go ---- */

/* Leaves the server's place and wakes who waits for one. */
static void leave_server(struct request *r)
{
	struct worker *w = r->session->worker;
	struct live_server *live = server_of(r);
	struct live_pool *pool = r->lane->pool->live;
	uint64_t waiting = 0;

	if (!r->counted)
		return;
	r->counted = false;
	atomic_fetch_sub_explicit(&live->in_flight, 1, memory_order_relaxed);
	if (r->lane->view.servers[r->server].parallel_max == 0)
		return;
	waiting = gate_leave(&live->gate);
	if (atomic_load(&pool->waiting_loops) != 0)
		waiting |= atomic_exchange(&pool->waiting_loops, 0);
	if (waiting != 0)
		worker_wake(w, waiting);
}

void request_drop_server(struct request *r, bool keep)
{
	struct worker *w = r->session->worker;

	pipe_put(&w->pipes, r->pipe_up);
	pipe_put(&w->pipes, r->pipe_down);
	r->pipe_up = r->pipe_down = NULL;
	buf_put(&w->bufs, r->body_wait);
	r->body_wait = NULL;
	if (keep)
		upstream_keep(r->upstream, r->lane->pool->idle_ms, r->lane->pool->idle_max);
	else
		upstream_close(r->upstream);
	r->upstream = NULL;
	if (r->lane != NULL)
		leave_server(r);
}

static void stop_waiting(struct request *r)
{
	if (list_empty(&r->wait_link))
		return;
	list_remove(&r->wait_link);
	if (r->waits_at_door)
		atomic_fetch_sub(&r->door->listener->live->waiting, 1);
	else
		atomic_fetch_sub(&r->lane->pool->live->waiting, 1);
}

void request_free(struct request *r)
{
	struct session *s = r->session;
	struct worker *w = s->worker;

	r->life.state = REQUEST_DONE;
	stop_waiting(r);
	request_drop_server(r, false);
	if (r->at_door) {
		uint64_t waiting = gate_leave(&r->door->listener->live->parallel);
		if (waiting != 0)
			worker_wake(w, waiting);
	}
	buf_put(&w->bufs, r->head);
	s->request = NULL;
	edition_release(r->edition);
	slab_put(&w->requests_slab, r);
}

/* ---- the end of an exchange ---- */

static const char *why_of(const struct request *r)
{
	if (r->fault_text != NULL)
		return r->fault_text;
	switch (r->life.status) {
	case 404: return "no route takes this host and path";
	case 408: return "the request's body took too long";
	case 502: return "no server gave a valid answer";
	case 503: return r->tries > 0 ? "no server is left to try"
				      : "no server is available for this request";
	case 504: return "the server took too long";
	default:  return "the request cannot be served";
	}
}

bool request_may_stay(const struct request *r)
{
	const struct session *s = r->session;

	return r->client_keep_alive && r->body.done && !s->worker->draining &&
	       !s->port->removed && !session_others_wait(s);
}

static void answer(struct request *r)
{
	struct session *s = r->session;
	uint16_t status = r->life.status;
	bool alive = request_may_stay(r), sending = !r->body.done;

	request_drop_server(r, false);
	if (!answer_write(s, r->door->listener, status, why_of(r), !alive,
			  r->method == H1_HEAD)) {
		session_end(s);
		return;
	}
	if (r->door->listener->plain_500 && status >= 502)
		status = 500;
	answer_record(s, r, status);
	request_free(r);
	session_next(s, alive, sending);
}

static void finish(struct request *r)
{
	struct session *s = r->session;
	bool alive = r->client_keep_alive && r->body.done, sending = !r->body.done;
	bool keep = r->server_keep_alive && r->body.done && r->body_wait == NULL &&
		    r->head_sent == buf_waiting(r->head);

	r->upstream->served++;
	answer_record(s, r, r->status);
	request_drop_server(r, keep);
	request_free(r);
	session_next(s, alive, sending);
}

/* Ends the client's connection in the middle of a response. What is delimited by the
 * end of the connection has to end with a reset, or it would look complete. */
static void cut(struct request *r)
{
	struct session *s = r->session;
	struct linger hard = {.l_onoff = 1, .l_linger = 0};
	bool tunnel = r->status == 101;
	bool ends_by_close = r->framing == FRAMING_FROM_CHUNKED ||
			     (r->framing == FRAMING_SAME &&
			      r->response.kind == H1_BODY_UNTIL_CLOSE);

	if (r->status != 0 && ends_by_close && !r->response.done && !tunnel)
		setsockopt(s->client.watch.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	if (s->client.broken)
		add(&s->port->live->client_gone);
	else if (!tunnel)
		add(&s->port->live->cut);
	answer_record(s, r, r->status);
	session_end(s);
}

/* ---- waiting for a place ---- */

static uint64_t now_ms(const struct request *r)
{
	return loop_now_ms(r->session->worker->loop);
}

/* Joins the queue of its door or its lane; in front if it has waited before. False:
 * the queue is full. */
static bool join_queue(struct request *r, bool in_front)
{
	struct link *queue = r->waits_at_door ? &r->door->waiting : &r->lane->waiting;
	atomic_uint *waiting = r->waits_at_door ? &r->door->listener->live->waiting
						: &r->lane->pool->live->waiting;
	uint32_t max = r->waits_at_door ? r->door->listener->queue_max
					: r->lane->pool->queue_max;

	if (atomic_fetch_add(waiting, 1) >= max) {
		atomic_fetch_sub(waiting, 1);
		add(r->waits_at_door ? &r->door->listener->live->queue_full
				     : &r->lane->pool->live->queue_full);
		return false;
	}
	if (in_front)
		list_push_first(queue, &r->wait_link);
	else
		list_push_last(queue, &r->wait_link);
	return true;
}

static bool somebody_has_room(const struct request *r)
{
	for (uint32_t i = 0; i < r->lane->view.count; i++) {
		const struct pick_server *s = &r->lane->view.servers[i];
		if (pick_is_open(s) && !pick_was_tried(&r->tried, i) &&
		    (s->parallel_max == 0 || atomic_load(&s->live->gate.inside) < s->parallel_max))
			return true;
	}
	return false;
}

static void wait_for_room(struct request *r)
{
	struct worker *w = r->session->worker;
	bool again = r->waiting_since_ms != 0;

	if (!join_queue(r, again)) {
		request_on(r, EVENT_WAIT_OVER);
		return;
	}
	if (!again) {
		r->waiting_since_ms = now_ms(r);
		if (!r->waits_at_door)
			add(&r->lane->pool->live->queued);
	}
	session_rearm(r->session);
	session_watch(r->session);
	if (r->waits_at_door)
		return;		/* gate_enter has noted it */
	/* Who leaves from here on sees the note; who left before it, the look behind it:
	 * both are sequentially consistent, and so are the two of leave_server. */
	atomic_fetch_or(&r->lane->pool->live->waiting_loops, 1ull << w->number);
	if (somebody_has_room(r))
		worker_wake(w, 1ull << w->number);
}

void request_retry_wait(struct request *r)
{
	struct live_listener *live = r->door->listener->live;

	if (r->waits_at_door) {
		if (!gate_enter(&live->parallel, r->door->listener->parallel_max,
				r->session->worker->number))
			return;
		stop_waiting(r);
		r->at_door = true;
		r->waits_at_door = false;
		r->waiting_since_ms = 0;
	} else {
		stop_waiting(r);
	}
	request_on(r, EVENT_ROOM);
}

/* ---- picking and connecting ---- */

static void fail_server(struct request *r, enum live_failure why)
{
	struct worker *w = r->session->worker;
	struct live_server *live = server_of(r);

	if (live_server_failed(live, why, r->lane->pool->passive_fails))
		w->hooks.marked_down(w->hooks.arg, r->edition->model, live, why);
}

static void pick(struct request *r)
{
	struct worker *w = r->session->worker;
	struct lane *lane = r->lane;
	uint32_t at = lane->pool->policy->pick(&lane->view, &lane->state, 0, &r->tried);

	if (at != PICK_NONE && lane->view.servers[at].parallel_max > 0 &&
	    !gate_enter(&lane->view.servers[at].live->gate,
			lane->view.servers[at].parallel_max, w->number)) {
		request_on(r, EVENT_BUSY);
		return;
	}
	if (at == PICK_NONE) {
		bool busy = pick_why_none(&lane->view, &r->tried) == PICK_ALL_BUSY;
		if (!busy)
			add(&lane->pool->live->no_server_up);
		request_on(r, busy ? EVENT_BUSY : EVENT_NOBODY);
		return;
	}
	r->server = at;
	r->counted = true;
	r->tries++;
	r->picked_us = loop_now_us(w->loop);
	atomic_fetch_add_explicit(&server_of(r)->in_flight, 1, memory_order_relaxed);
	add(&server_of(r)->requests);
	request_on(r, EVENT_PICKED);
}

/* With `host server` each server is told its own name: the line is put in anew, right
 * in front of the rest of the head. */
static void name_server_as_host(struct request *r)
{
	struct span host = span_of(server_of(r)->text);
	struct buf *b = r->head;
	uint32_t start = r->rest_at - (uint32_t)host.len - 8 - r->line_len;

	memmove(b->bytes + start, b->bytes + b->start, r->line_len);
	char *at = b->bytes + start + r->line_len;
	memcpy(at, "Host: ", 6);
	memcpy(at + 6, host.at, host.len);
	memcpy(at + 6 + host.len, "\r\n", 2);
	r->head_len = r->head_len + b->start - start;
	b->start = start;
}

static void connect_server(struct request *r)
{
	struct session *s = r->session;
	enum dial_result result;

	if (r->server_as_host)
		name_server_as_host(r);
	if (!r->life.stale_before) {
		r->upstream = upstream_take(s->worker, server_of(r), r, !r->life.idempotent);
		if (r->upstream != NULL) {
			r->life.reused = true;
			request_on(r, EVENT_CONNECTED);
			return;
		}
	}
	loop_timer_stop(s->worker->loop, &s->deadline);	/* the dial has its own */
	session_watch(s);
	r->upstream = upstream_dial(s->worker, server_of(r), r, r->lane->pool->connect_ms,
				    &result);
	if (r->upstream == NULL || !r->upstream->dial.pending)
		request_on_connected(r, result);
}

void request_on_connected(struct request *r, enum dial_result result)
{
	static const enum live_failure failures[DIAL_RESULTS] = {
		[DIAL_REFUSED] = FAILURE_REFUSED,
		[DIAL_TIMED_OUT] = FAILURE_CONNECT_TIMEOUT,
		[DIAL_UNREACHABLE] = FAILURE_UNREACHABLE,
	};

	if (result == DIAL_OPEN) {
		request_on(r, EVENT_CONNECTED);
		return;
	}
	if (failures[result] != FAILURE_NONE)	/* the rest is our own lack of something */
		fail_server(r, failures[result]);
	request_on(r, result == DIAL_TIMED_OUT ? EVENT_CONNECT_LATE : EVENT_CONNECT_FAILED);
}

/* ---- sending ---- */

/* Writes what is left of the head and what waits of the body. True: all is out. */
static bool send_waiting(struct request *r)
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

static void send_head(struct request *r)
{
	struct session *s = r->session;

	r->head_sent = 0;
	r->server_deaf = false;
	if (!send_waiting(r) && r->upstream->server.broken) {
		request_on_lost(r, FAILURE_RESET);
		return;
	}
	session_rearm(s);
	if (!r->body.done)
		request_pump(r);
}

/* Finds out how many of these bytes belong to the body. False: a fault, noted. */
static bool body_take(struct request *r, const char *at, size_t len, size_t *took)
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

/* Body bytes on their way to the server: what it does not take waits. False: gone. */
static bool send_body(struct request *r, const char *at, size_t len)
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
		add(&w->live->memory_refused);
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
	bool good = body_take(r, w->scratch, got, &took);
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
	if (took > 0 && !send_body(r, w->scratch, took)) {
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
	if (!send_waiting(r)) {
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

/* ---- events ---- */

void request_on_lost(struct request *r, enum live_failure why)
{
	if (r->upstream->in != NULL)	/* it has begun to answer: no stale connection */
		r->life.reused = false;
	bool stale = r->life.state == REQUEST_AWAITING && r->life.reused;
	if (!stale)
		fail_server(r, r->life.state == REQUEST_ANSWERING ? FAILURE_CUT : why);
	request_on(r, EVENT_LOST);
}

/* The server at hand is not asked again, unless the loss says nothing about it. */
static void leave_failed(struct request *r)
{
	request_drop_server(r, false);
	if (r->life.retry_free)
		return;
	add(&server_of(r)->retried_away);
	add(&r->lane->pool->live->retries);
	if (r->tried.count < PICK_TRIED_MAX)
		r->tried.at[r->tried.count++] = r->server;
}

void request_on(struct request *r, enum request_event event)
{
	if (request_may_retry(&r->life, event) && !(event == EVENT_LOST && r->life.reused)) {
		r->life.budget_used_up = !budget_spend(&r->lane->budget);
		if (r->life.budget_used_up)
			add(&r->lane->pool->live->retries_over_budget);
	}
	enum request_state before = r->life.state;
	enum request_action action = request_step(&r->life, event);

	switch (action) {
	case DO_NOTHING:
	case DO_FORWARD:		/* who reported the response goes on with it */
	case DO_TUNNEL:
		break;
	case DO_PICK:
		if (before == REQUEST_CONNECTING || before == REQUEST_AWAITING)
			leave_failed(r);
		pick(r);
		break;
	case DO_WAIT:
		wait_for_room(r);
		break;
	case DO_CONNECT:
		connect_server(r);
		break;
	case DO_SEND:
		send_head(r);
		break;
	case DO_FINISH:
		finish(r);
		break;
	case DO_ANSWER:
		if (event == EVENT_REFUSED) {
			r->life.status = r->fault_status;
			add(&r->session->port->live->bad_requests);
		}
		answer(r);
		break;
	case DO_CUT:
		cut(r);
		break;
	}
}

void request_on_server_ready(struct request *r)
{
	if (r->life.state == REQUEST_TUNNEL) {
		tunnel_pump(r);
		return;
	}
	struct session *s = r->session;
	if (r->upstream->server.writable &&
	    (!r->body.done || r->head_sent < buf_waiting(r->head) || r->body_wait != NULL)) {
		request_pump(r);
		if (s->request != r || s->state != SESSION_REQUEST || r->upstream == NULL)
			return;
	}
	response_pump(r);
}

uint32_t request_limit_ms(const struct request *r)
{
	const struct model_listener *l = r->door->listener;
	uint64_t waited;
	uint32_t max;

	switch (r->life.state) {
	case REQUEST_WAITING:
		waited = now_ms(r) - r->waiting_since_ms;
		max = r->waits_at_door ? l->queue_ms : r->lane->pool->queue_ms;
		return waited < max ? max - (uint32_t)waited : 1;
	case REQUEST_AWAITING:
		max = r->body.done ? r->lane->pool->response_ms : l->body_ms;
		if (!r->session->client.watch.registered && max > LOOK_AFTER_MS)
			return LOOK_AFTER_MS;
		return max;
	case REQUEST_ANSWERING:
		return session_is_blocked(r->session) ? l->body_ms : r->lane->pool->body_ms;
	case REQUEST_TUNNEL:
		return l->tunnel_ms;
	case REQUEST_BUG:
	case REQUEST_NEW:
	case REQUEST_PICKING:
	case REQUEST_CONNECTING:
	case REQUEST_DONE:
	case REQUEST_STATES:
		break;
	}
	return 0;
}

void request_on_deadline(struct request *r)
{
	struct session *s = r->session;

	if (r->life.state == REQUEST_AWAITING && !s->client.watch.registered) {
		session_watch(s);
		session_rearm(s);
		return;
	}
	add(&s->port->live->timeouts);
	if (r->life.state == REQUEST_WAITING) {
		if (!r->waits_at_door)
			add(&r->lane->pool->live->queue_timeouts);
		stop_waiting(r);
		request_on(r, EVENT_WAIT_OVER);
	} else if (r->life.state == REQUEST_AWAITING &&
		   (r->body.done || !r->upstream->server.writable)) {
		fail_server(r, FAILURE_RESPONSE_TIMEOUT);
		request_on(r, EVENT_RESPONSE_LATE);
	} else {
		request_on(r, EVENT_BROKEN);
	}
}

/* ---- the beginning ---- */

static struct span host_asked(const struct h1_head *head, const char *at)
{
	if (head->authority_len > 0)
		return (struct span){at + head->authority_at, head->authority_len};
	return (struct span){at + head->host_at, head->host_len};
}

/* Writes the head, and the body bytes at hand behind it, to be sent and sent again.
 * False: out of memory. */
static bool write_head(struct request *r, const char *at, size_t body_len)
{
	struct session *s = r->session;
	struct worker *w = s->worker;
	const struct h1_head *head = &w->head;
	const struct model_pool *pool = r->lane->pool;
	struct span asked = host_asked(head, at);
	struct head_request how = {
		.host = asked, .host_asked = asked, .peer = {s->peer, s->peer_len},
		.forwarded = r->door->listener->forwarded, .upgrade = r->upgrade_asked,
	};
	size_t gap = 0;

	if (pool->host_mode == HOST_FIXED)
		how.host = span_of(pool->host);
	else if (pool->host_mode == HOST_SERVER || asked.len == 0)
		gap = ADDRESS_TEXT_MAX;
	r->server_as_host = gap > 0;
	size_t room = head->length + 2 * asked.len + how.host.len + HEAD_GROWTH_MAX;
	if (gap + room + body_len > BUF_LARGE)
		return false;
	r->head = buf_get(&w->bufs, gap + room + body_len);
	if (r->head == NULL)
		return false;
	r->head->start = r->head->end = (uint32_t)gap;
	r->head_len = (uint32_t)head_write_request(r->head->bytes + gap, room, head, at, &how);
	must(r->head_len > 0);
	const char *line_end = memchr(buf_at(r->head), '\n', r->head_len);
	r->line_len = (uint16_t)(line_end + 1 - buf_at(r->head));
	r->rest_at = (uint32_t)(gap + r->line_len + how.host.len + 8);
	r->head->end += r->head_len;
	buf_append(r->head, at + head->length, body_len);
	return true;
}

/* Refuses at once what no server needs to see; 0: nothing to refuse. */
static uint16_t refused_at_once(struct request *r, const struct h1_head *head)
{
	if (head->method == H1_CONNECT) {
		r->fault_text = "CONNECT is not served here";
		r->client_keep_alive = false;	/* what follows is no request */
		return 501;
	}
	if (head->has_content_length && head->content_length > r->door->listener->body_max) {
		r->fault_text = "the request's body is longer than body-size allows";
		return 413;
	}
	return 0;
}

static void init(struct request *r, struct session *s, const struct h1_head *head)
{
	struct edition *e = edition_use(s->port->edition);

	*r = (struct request){
		.session = s, .edition = e, .door = &e->doors[s->port->door],
		.method = head->method, .minor = head->minor,
		.client_keep_alive = head->keep_alive, .since_us = s->head_since_us,
		.body = {.kind = head->body, .left = head->content_length,
			 .done = head->body == H1_BODY_NONE ||
				 (head->body == H1_BODY_LENGTH && head->content_length == 0)},
	};
	list_init(&r->wait_link);
	s->request = r;
}

/* To be answered by ourselves, as soon as it starts. */
static void refuse(struct request *r, uint16_t status)
{
	r->life.state = REQUEST_DONE;
	r->life.status = status;
}

/* Asks for a round of probes after every so many requests; once, until the control
 * thread has taken note. */
static void count_towards_check(struct request *r)
{
	const struct model_pool *pool = r->lane->pool;
	struct worker *w = r->session->worker;

	if (pool->check.after_requests == 0)
		return;
	uint64_t n = atomic_fetch_add(&pool->live->requests, 1) + 1;
	if (n % pool->check.after_requests == 0 &&
	    !atomic_exchange(&pool->live->check_asked, true))
		w->hooks.check_due(w->hooks.arg, r->edition->model, pool->live);
}

size_t request_make(struct session *s, const char *at, size_t len)
{
	struct worker *w = s->worker;
	const struct h1_head *head = &w->head;
	struct request *r = slab_get(&w->requests_slab);

	if (r == NULL) {
		session_end(s);
		return 0;
	}
	init(r, s, head);
	const struct model_listener *l = r->door->listener;
	if (l->requests_max > 0 && s->requests >= l->requests_max)
		r->client_keep_alive = false;
	add(&s->port->live->requests);

	uint16_t status = refused_at_once(r, head);
	size_t took = 0, all = head->length;
	if (status == 0 && !r->body.done &&
	    !body_take(r, at + head->length, len - head->length, &took)) {
		status = r->fault_status;
		r->body.done = false;		/* nothing behind it can be trusted */
	}
	all += took;
	int pool = route_find(l, host_asked(head, at),
			      (struct span){at + head->path_at, head->path_len});
	if (status == 0 && pool < 0)
		status = 404;
	if (status != 0) {
		refuse(r, status);
		return all;
	}

	r->lane = &r->edition->lanes[pool];
	request_life_init(&r->life, (uint8_t)r->lane->pool->retries_max,
			  h1_method_is_idempotent(head->method));
	r->upgrade_asked = head->connection_upgrade && head->minor >= 1 && r->body.done &&
			   head_upgrade_may_pass(head, at);
	if (!write_head(r, at, took)) {
		r->fault_text = "the request's head is too long to be passed on";
		refuse(r, 431);
	}
	return all;
}

void request_start(struct request *r)
{
	struct session *s = r->session;
	const struct model_listener *l = r->door->listener;

	if (r->life.state == REQUEST_DONE) {
		answer(r);
		return;
	}
	budget_earn(&r->lane->budget);
	count_towards_check(r);
	if (l->parallel_max > 0 &&
	    !gate_enter(&s->port->live->parallel, l->parallel_max, s->worker->number)) {
		r->waits_at_door = true;
		request_on(r, EVENT_BUSY);
		return;
	}
	r->at_door = l->parallel_max > 0;
	request_on(r, EVENT_BEGUN);
}
