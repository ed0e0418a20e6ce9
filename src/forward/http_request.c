/* forward/http_request.c - an exchange: its events, its time limits, its end.
 */
#include "forward/http_reach.h"

#include <sys/socket.h>

void request_free(struct request *r)
{
	struct session *s = r->session;
	struct worker *w = s->worker;

	r->life.state = REQUEST_DONE;
	request_stop_waiting(r);
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

static enum session_after what_is_after(const struct request *r, bool alive)
{
	if (alive)
		return AFTER_NEXT;
	return r->client_closes && r->body.done ? AFTER_CLOSE : AFTER_LINGER;
}

void request_answer(struct request *r)
{
	struct session *s = r->session;
	uint16_t status = r->life.status;
	bool alive = request_may_stay(r);
	enum session_after after = what_is_after(r, alive);

	request_drop_server(r, false);
	if (!answer_write(s, status, why_of(r), !alive,
			  r->method == H1_HEAD)) {
		session_end(s);
		return;
	}
	if (r->door->listener->plain_500 && status >= 502)
		status = 500;
	answer_record(s, r, status);
	request_free(r);
	session_next(s, after);
}

static void finish(struct request *r)
{
	struct session *s = r->session;
	enum session_after after = what_is_after(r, r->client_keep_alive && r->body.done);
	bool keep = r->server_keep_alive && r->body.done && r->body_wait == NULL &&
		    r->head_sent == buf_waiting(r->head);

	r->upstream->served++;
	answer_record(s, r, r->status);
	request_drop_server(r, keep);
	request_free(r);
	session_next(s, after);
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
		live_count(&s->port->live->client_gone);
	else if (!tunnel)
		live_count(&s->port->live->cut);
	answer_record(s, r, r->status);
	session_end(s);
}

/* ---- events ---- */

enum request_event request_beginning(const struct request *r)
{
	bool alone = r->lane->batch == NULL || r->session->worker->draining;

	return alone ? EVENT_BEGUN : EVENT_HELD;
}

void request_on_lost(struct request *r, enum live_failure why)
{
	if (r->upstream->in != NULL)	/* it has begun to answer: no stale connection */
		r->life.reused = false;
	bool stale = r->life.state == REQUEST_AWAITING && r->life.reused;
	if (!stale)
		request_fail_server(r, r->life.state == REQUEST_ANSWERING ? FAILURE_CUT : why);
	request_on(r, EVENT_LOST);
}

void request_on(struct request *r, enum request_event event)
{
	if (request_may_retry(&r->life, event) && !(event == EVENT_LOST && r->life.reused)) {
		r->life.budget_used_up = !budget_spend(&r->lane->budget);
		if (r->life.budget_used_up)
			live_count(&r->lane->pool->live->retries_over_budget);
	}
	enum request_state before = r->life.state;
	enum request_action action = request_step(&r->life, event);

	switch (action) {
	case DO_NOTHING:
	case DO_FORWARD:		/* who reported the response goes on with it */
	case DO_TUNNEL:
		break;
	case DO_HOLD:
		request_hold(r);
		break;
	case DO_PICK:
		if (before == REQUEST_CONNECTING || before == REQUEST_AWAITING)
			request_leave_failed(r);
		request_pick(r);
		break;
	case DO_WAIT:
		request_wait(r);
		break;
	case DO_CONNECT:
		request_connect(r);
		break;
	case DO_SEND:
		request_send(r);
		break;
	case DO_FINISH:
		finish(r);
		break;
	case DO_ANSWER:
		if (event == EVENT_REFUSED) {
			r->life.status = r->fault_status;
			live_count(&r->session->port->live->bad_requests);
		}
		request_answer(r);
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

/* How long it may still wait for a place; 0: no longer. */
static uint32_t wait_left_ms(const struct request *r)
{
	uint64_t waited = loop_now_ms(r->session->worker->loop) - r->waiting_since_ms;
	uint32_t max = r->waits_at_door ? r->door->listener->queue_ms
					: r->lane->pool->queue_ms;

	return waited < max ? max - (uint32_t)waited : 0;
}

/* Whether it asks those again that have failed it, while it waits. */
static bool looks_again(const struct request *r)
{
	return r->life.state == REQUEST_WAITING && !r->waits_at_door && r->tried.count > 0 &&
	       place_is_patient(r->session->worker, r->lane);
}

static uint32_t wait_limit_ms(const struct request *r)
{
	uint32_t left = wait_left_ms(r);

	if (left > PLACE_LOOK_MS && looks_again(r))
		return PLACE_LOOK_MS;
	return left > 0 ? left : 1;
}

uint32_t request_limit_ms(const struct request *r)
{
	const struct model_listener *l = r->door->listener;
	uint32_t max;

	switch (r->life.state) {
	case REQUEST_WAITING:
		return wait_limit_ms(r);
	case REQUEST_AWAITING:
		if (session_is_blocked(r->session))	/* no answer can be read */
			return l->body_ms;
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
	case REQUEST_HELD:		/* the batch has its own */
	case REQUEST_PICKING:
	case REQUEST_CONNECTING:
	case REQUEST_DONE:
	case REQUEST_STATES:
		break;
	}
	return 0;
}

/* It does not take what came before this answer, or its beginning; so no more is read of
 * it, which is no fault of the server's. */
static bool client_is_slow(const struct request *r)
{
	return (r->life.state == REQUEST_AWAITING || r->life.state == REQUEST_ANSWERING) &&
	       session_is_blocked(r->session);
}

/* The side that has to take bytes does so, though the loop has not told. */
static bool is_taken_slowly(struct request *r)
{
	if (client_is_slow(r))
		return stream_is_taken(&r->session->client);
	if (r->life.state == REQUEST_AWAITING && !r->body.done && !r->upstream->server.writable)
		return stream_is_taken(&r->upstream->server);
	return false;
}

void request_on_deadline(struct request *r)
{
	struct session *s = r->session;

	if (r->life.state == REQUEST_AWAITING && !s->client.watch.registered) {
		if (loop_watch_register(s->worker->loop, &s->client.watch) != 0)
			request_on(r, EVENT_CLIENT_GONE);
		else
			session_rearm(s);
		return;
	}
	if (is_taken_slowly(r)) {
		session_rearm(s);
		return;
	}
	if (looks_again(r) && wait_left_ms(r) > 0) {
		request_look_again(r);
		return;
	}
	live_count(&s->port->live->timeouts);
	if (r->life.state == REQUEST_WAITING) {
		if (!r->waits_at_door)
			live_count(&r->lane->pool->live->queue_timeouts);
		request_stop_waiting(r);
		request_on(r, EVENT_WAIT_OVER);
	} else if (client_is_slow(r)) {
		request_on(r, EVENT_CLIENT_GONE);
	} else if (r->life.state == REQUEST_AWAITING &&
		   (r->body.done || !r->upstream->server.writable)) {
		request_fail_server(r, FAILURE_RESPONSE_TIMEOUT);
		request_on(r, EVENT_RESPONSE_LATE);
	} else {
		request_on(r, EVENT_BROKEN);
	}
}
