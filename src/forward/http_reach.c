#include "forward/http_reach.h"

#include "forward/batch.h"

/* ---- letting go ---- */

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
	place_leave(&r->place, w);
}

void request_stop_waiting(struct request *r)
{
	if (list_empty(&r->waiter.link))
		return;
	if (r->held) {
		r->held = false;
		batch_remove(r->lane->batch, &r->waiter);
	} else if (r->waits_at_door) {
		list_remove(&r->waiter.link);
		atomic_fetch_sub(&r->door->listener->live->waiting, 1);
	} else {
		place_stop_waiting(r->lane, &r->waiter);
	}
}

/* ---- following the newest edition ---- */

/* Away from one that may end, with all that points into it. */
static bool follow(struct request *r)
{
	struct edition *before = r->edition;
	const struct lane *from = r->lane;

	if (!place_follow(r->session->worker, &r->edition, &r->lane, &r->tried))
		return false;
	r->named = place_same(from, r->named, r->lane);
	r->server = place_same(from, r->server, r->lane);
	r->door = port_door(r->session->port);
	edition_release(before);
	return true;
}

static void follow_waiting(struct waiter *waiter)
{
	struct request *r = CONTAINER_OF(waiter, struct request, waiter);

	if (r->waits_at_door || !follow(r))
		return;
	list_remove(&waiter->link);
	list_push_last(&r->lane->waiting, &waiter->link);
	session_rearm(r->session);	/* it may wait for another time now */
}

/* ---- waiting for others, to be placed together ---- */

static bool leave_batch(struct waiter *waiter)
{
	struct request *r = CONTAINER_OF(waiter, struct request, waiter);

	r->held = false;
	request_on(r, EVENT_BEGUN);
	return true;
}

void request_hold(struct request *r)
{
	r->held = true;
	r->waiter.retry = leave_batch;
	batch_add(r->lane->batch, r->session->worker, r->edition, &r->waiter);
	session_rearm(r->session);
	session_watch(r->session);	/* one that leaves needs no place any more */
}

/* ---- waiting for a place ---- */

static uint64_t now_ms(const struct request *r)
{
	return loop_now_ms(r->session->worker->loop);
}

/* Joins the queue of its listener. False: it is full. gate_enter has noted that this loop
 * waits. */
static bool wait_at_door(struct request *r)
{
	const struct model_listener *l = r->door->listener;

	if (atomic_fetch_add(&l->live->waiting, 1) >= l->queue_max) {
		atomic_fetch_sub(&l->live->waiting, 1);
		live_count(&l->live->queue_full);
		return false;
	}
	list_push_last(&r->door->waiting, &r->waiter.link);
	return true;
}

/* A place may be free at a gate that this one waits at. */
static bool retry_wait(struct waiter *waiter)
{
	struct request *r = CONTAINER_OF(waiter, struct request, waiter);
	struct worker *w = r->session->worker;
	const struct model_listener *l = r->door->listener;

	if (r->waits_at_door) {
		if (!gate_enter(&l->live->parallel, l->parallel_max, w->number))
			return false;
		request_stop_waiting(r);
		r->at_door = true;
		r->waits_at_door = false;
		r->waiting_since_ms = 0;
		request_on(r, request_beginning(r) == EVENT_HELD ? EVENT_HELD : EVENT_ROOM);
		return true;
	}
	place_need(w, r->edition, r->lane, &r->tried);
	if (!place_may_be_free(w, r->lane, &r->tried))
		return false;
	request_stop_waiting(r);
	request_on(r, EVENT_ROOM);
	return true;
}

void request_wait(struct request *r)
{
	bool again = r->waiting_since_ms != 0;

	r->waiter.retry = retry_wait;
	r->waiter.follow = follow_waiting;
	if (!again)
		r->waiting_since_ms = now_ms(r);
	if (!r->waits_at_door)
		place_need(r->session->worker, r->edition, r->lane, &r->tried);
	if (r->waits_at_door ? !wait_at_door(r)
			     : !place_wait(r->session->worker, r->lane, &r->waiter, again,
					   &r->tried)) {
		request_on(r, EVENT_WAIT_OVER);
		return;
	}
	session_rearm(r->session);
	session_watch(r->session);
}

void request_give_up_waiting(struct request *r)
{
	if (r->waits_at_door || r->lane->pool->own == NULL ||
	    pick_why_none(&r->lane->view, &r->tried) == PICK_ALL_BUSY)
		return;
	request_stop_waiting(r);
	request_on(r, EVENT_WAIT_OVER);
}

void request_look_again(struct request *r)
{
	r->tried.count = 0;
	if (!retry_wait(&r->waiter))
		session_rearm(r->session);
}

/* ---- picking and connecting ---- */

void request_fail_server(struct request *r, enum live_failure why)
{
	place_fail(r->session->worker, r->edition, r->lane, request_server(r), why);
}

/* The server that the client has kept, else the policy's. */
static uint32_t choose(const struct request *r)
{
	struct lane *lane = r->lane;

	if (r->named != PICK_NONE && pick_may(&lane->view, r->named, &r->tried))
		return r->named;
	return place_pick(lane, r->key, &r->tried);
}

void request_pick(struct request *r)
{
	struct worker *w = r->session->worker;

	if (UNLIKELY(r->edition != w->now))
		follow(r);
	uint32_t at = choose(r);

	switch (place_take(&r->place, w, r->lane, at, &r->tried)) {
	case PLACE_TAKEN:
		r->server = at;
		r->tries++;
		r->picked_us = loop_now_us(w->loop);
		request_on(r, EVENT_PICKED);
		break;
	case PLACE_BUSY:
		request_on(r, EVENT_BUSY);
		break;
	case PLACE_NOBODY:
		r->life.patient = place_is_patient(w, r->lane);
		request_on(r, EVENT_NOBODY);
		break;
	}
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
	if (result == DIAL_OPEN) {
		request_on(r, EVENT_CONNECTED);
		return;
	}
	place_fail_dial(r->session->worker, r->edition, r->lane, request_server(r), result);
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
	pick_note_tried(&r->tried, r->server);
	if (r->lane->pool->own != NULL)
		r->waiting_since_ms = 0;	/* it has had a server: it waits anew */
}
