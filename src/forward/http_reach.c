/* forward/http_reach.c - which server takes a request, and a connection to it: pick, wait
 * for room where all are full, connect, let go.
 */
#include "forward/http_request.h"

/* ---- letting go ---- */

/* Leaves the server's place and wakes who waits for one. */
static void leave_server(struct request *r)
{
	struct worker *w = r->session->worker;
	struct live_server *live = request_server(r);
	struct live_pool *pool = r->lane->pool->live;
	uint64_t waiting = 0;

	if (!r->counted)
		return;
	r->counted = false;
	live_server_leave(live, pool, r->lane->pool->bounded_percent > 0);
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

void request_stop_waiting(struct request *r)
{
	if (list_empty(&r->wait_link))
		return;
	list_remove(&r->wait_link);
	if (r->waits_at_door)
		atomic_fetch_sub(&r->door->listener->live->waiting, 1);
	else
		atomic_fetch_sub(&r->lane->pool->live->waiting, 1);
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
		live_count(r->waits_at_door ? &r->door->listener->live->queue_full
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

/* To be followed by a look whether somebody has room. Who leaves from here on sees the
 * note; who left before it, the look behind it: both are sequentially consistent, and
 * so are the two of leave_server. */
static void note_wait(struct request *r)
{
	atomic_fetch_or(&r->lane->pool->live->waiting_loops,
			1ull << r->session->worker->number);
}

void request_wait(struct request *r)
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
			live_count(&r->lane->pool->live->queued);
	}
	session_rearm(r->session);
	session_watch(r->session);
	if (r->waits_at_door)
		return;		/* gate_enter has noted it */
	note_wait(r);
	if (somebody_has_room(r))
		worker_wake(w, 1ull << w->number);
}

bool request_retry_wait(struct request *r)
{
	struct live_listener *live = r->door->listener->live;
	unsigned loop = r->session->worker->number;

	if (r->waits_at_door) {
		if (!gate_enter(&live->parallel, r->door->listener->parallel_max, loop))
			return false;
		request_stop_waiting(r);
		r->at_door = true;
		r->waits_at_door = false;
		r->waiting_since_ms = 0;
	} else {
		note_wait(r);
		if (!somebody_has_room(r) &&
		    pick_why_none(&r->lane->view, &r->tried) == PICK_ALL_BUSY)
			return false;
		request_stop_waiting(r);
	}
	request_on(r, EVENT_ROOM);
	return true;
}

/* ---- picking and connecting ---- */

void request_fail_server(struct request *r, enum live_failure why)
{
	struct worker *w = r->session->worker;
	struct live_server *live = request_server(r);

	if (live_server_failed(live, why, r->lane->pool->passive_fails))
		w->hooks.marked_down(w->hooks.arg, r->edition->model, live, why);
}

/* The server that the client has kept, else the policy's. */
static uint32_t choose(const struct request *r)
{
	struct lane *lane = r->lane;

	if (r->named != PICK_NONE && pick_may(&lane->view, r->named, &r->tried))
		return r->named;
	return lane->pool->policy->pick(&lane->view, &lane->state, r->key, &r->tried);
}

void request_pick(struct request *r)
{
	struct worker *w = r->session->worker;
	struct lane *lane = r->lane;
	uint32_t at = choose(r);

	if (at != PICK_NONE && lane->view.servers[at].parallel_max > 0 &&
	    !gate_enter(&lane->view.servers[at].live->gate,
			lane->view.servers[at].parallel_max, w->number)) {
		request_on(r, EVENT_BUSY);
		return;
	}
	if (at == PICK_NONE) {
		bool busy = pick_why_none(&lane->view, &r->tried) == PICK_ALL_BUSY;
		if (!busy)
			live_count(&lane->pool->live->no_server_up);
		request_on(r, busy ? EVENT_BUSY : EVENT_NOBODY);
		return;
	}
	r->server = at;
	r->counted = true;
	r->tries++;
	r->picked_us = loop_now_us(w->loop);
	live_server_enter(request_server(r), lane->pool->live, lane->pool->bounded_percent > 0);
	live_count(&request_server(r)->requests);
	request_on(r, EVENT_PICKED);
}

/* With `host server` each server is told its own name: the line is put in anew, right
 * in front of the rest of the head. */
static void name_server_as_host(struct request *r)
{
	struct span host = span_of(request_server(r)->text);
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

void request_connect(struct request *r)
{
	struct session *s = r->session;
	enum dial_result result;

	if (r->server_as_host)
		name_server_as_host(r);
	if (!r->life.stale_before) {
		r->upstream = upstream_take(s->worker, request_server(r), r, !r->life.idempotent);
		if (r->upstream != NULL) {
			r->life.reused = true;
			request_on(r, EVENT_CONNECTED);
			return;
		}
	}
	loop_timer_stop(s->worker->loop, &s->deadline);	/* the dial has its own */
	session_watch(s);
	r->upstream = upstream_dial(s->worker, request_server(r), r, r->lane->pool->connect_ms,
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
		request_fail_server(r, failures[result]);
	request_on(r, result == DIAL_TIMED_OUT ? EVENT_CONNECT_LATE : EVENT_CONNECT_FAILED);
}

/* The server at hand is not asked again, unless the loss says nothing about it. */
void request_leave_failed(struct request *r)
{
	request_drop_server(r, false);
	if (r->life.retry_free)
		return;
	live_count(&request_server(r)->retried_away);
	live_count(&r->lane->pool->live->retries);
	if (r->tried.count < PICK_TRIED_MAX)
		r->tried.at[r->tried.count++] = r->server;
}
