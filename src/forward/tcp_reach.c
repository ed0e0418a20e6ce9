/* forward/tcp_reach.c - which server takes a session, and a connection to it: pick, wait
 * for room where all are full, connect, join, let go.
 */
#include "forward/key.h"
#include "forward/tcp_session.h"
#include "forward/upstream.h"

/* ---- looking for a server ---- */

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

bool tcp_reach_begin(struct tcp_session *s, const struct sockaddr *peer,
		     const struct live_server *lost)
{
	struct worker *w = s->worker;
	struct tcp_reach *reach = slab_get(&w->tcp_reach_slab);

	if (reach == NULL) {
		live_count(&w->live->memory_refused);
		return false;
	}
	struct edition *e = edition_use(s->port->edition);
	struct lane *lane = edition_lane(e, tcp_listener(s));
	const struct model_pool *pool = lane->pool;
	*reach = (struct tcp_reach){.session = s, .edition = e, .lane = lane};
	list_init(&reach->waiter.link);
	if (pool->policy->wants_key)
		reach->key = key_of_peer(peer, pool->key);
	if (lost != NULL)
		place_note_tried(lane, lost, &reach->tried);
	s->reach = reach;
	s->life.mode = (uint8_t)pool->redistribute;
	s->life.retries_max = (uint8_t)pool->retries_max;
	if (s->life.state == TCP_NEW)
		s->life.retries_left = s->life.retries_max;
	s->keep_max = smaller(pool->replay_max, SCRATCH_BYTES);
	s->quiet_ms = pool->quiet_ms;
	return true;
}

void tcp_reach_end(struct tcp_session *s)
{
	struct tcp_reach *reach = s->reach;

	if (reach == NULL)
		return;
	s->reach = NULL;
	place_stop_waiting(reach->lane, &reach->waiter);
	dial_cancel(&reach->dial);
	edition_release(reach->edition);
	slab_put(&s->worker->tcp_reach_slab, reach);
}

/* To the newest edition, where that is needed. */
static bool follow(struct tcp_reach *reach)
{
	struct edition *before = reach->edition;

	if (!place_follow(reach->session->worker, &reach->edition, &reach->lane,
			  &reach->tried))
		return false;
	edition_release(before);
	return true;
}

void tcp_pick(struct tcp_session *s)
{
	struct tcp_reach *reach = s->reach;

	if (UNLIKELY(reach->edition != s->worker->now))
		follow(reach);
	struct lane *lane = reach->lane;
	uint32_t at = place_pick(lane, reach->key, &reach->tried);

	switch (place_take(&s->place, s->worker, lane, at, &reach->tried)) {
	case PLACE_TAKEN:
		tcp_on(s, TCP_EVENT_PICKED);
		break;
	case PLACE_BUSY:
		tcp_on(s, TCP_EVENT_BUSY);
		break;
	case PLACE_NOBODY:
		s->life.patient = place_is_patient(s->worker, lane);
		tcp_on(s, TCP_EVENT_NOBODY);
		break;
	}
}

/* ---- waiting for a place ---- */

bool tcp_watch_client(struct tcp_session *s)
{
	if (loop_watch_register(s->worker->loop, &s->ends[TCP_CLIENT].watch) == 0)
		return true;
	live_count(&s->worker->live->memory_refused);
	return false;
}

static bool retry_wait(struct waiter *waiter)
{
	struct tcp_reach *reach = CONTAINER_OF(waiter, struct tcp_reach, waiter);
	struct tcp_session *s = reach->session;

	place_need(s->worker, reach->edition, reach->lane, &reach->tried);
	if (!place_may_be_free(s->worker, reach->lane, &reach->tried))
		return false;
	place_stop_waiting(reach->lane, waiter);
	tcp_on(s, TCP_EVENT_ROOM);
	return true;
}

static void follow_waiting(struct waiter *waiter)
{
	struct tcp_reach *reach = CONTAINER_OF(waiter, struct tcp_reach, waiter);

	if (!follow(reach))
		return;
	list_remove(&waiter->link);
	list_push_last(&reach->lane->waiting, &waiter->link);
	tcp_rearm(reach->session);	/* it may wait for another time now */
}

uint64_t tcp_look_ms(const struct tcp_session *s)
{
	const struct tcp_reach *reach = s->reach;
	bool looks = reach->tried.count > 0 && place_is_patient(s->worker, reach->lane);

	return looks ? PLACE_LOOK_MS : UINT64_MAX;
}

void tcp_look_again(struct tcp_session *s)
{
	s->reach->tried.count = 0;
	if (!retry_wait(&s->reach->waiter))
		tcp_rearm(s);
}

void tcp_wait(struct tcp_session *s)
{
	struct tcp_reach *reach = s->reach;
	bool again = reach->waiting_since_ms != 0;

	reach->waiter.retry = retry_wait;
	reach->waiter.follow = follow_waiting;
	if (!again)
		reach->waiting_since_ms = loop_now_ms(s->worker->loop);
	place_need(s->worker, reach->edition, reach->lane, &reach->tried);
	if (!place_wait(s->worker, reach->lane, &reach->waiter, again, &reach->tried)) {
		tcp_on(s, TCP_EVENT_WAIT_OVER);
		return;
	}
	tcp_rearm(s);
	tcp_watch_client(s);	/* one that leaves needs no place any more */
}

/* ---- connecting ---- */

static void on_failed(struct tcp_session *s, enum dial_result result)
{
	struct tcp_reach *reach = s->reach;
	struct live_server *server = s->place.server;

	place_fail_dial(s->worker, reach->edition, reach->lane, server, result);
	place_leave(&s->place, s->worker);
	if (s->life.retries_left > 0) {
		live_count(&server->retried_away);
		live_count(&reach->lane->pool->live->retries);
	}
	place_note_tried(reach->lane, server, &reach->tried);
	tcp_on(s, TCP_EVENT_CONNECT_FAILED);
}

static void on_connected(struct tcp_session *s, enum dial_result result)
{
	if (result != DIAL_OPEN) {
		on_failed(s, result);
		return;
	}
	place_succeed(s->worker, s->reach->edition, s->reach->lane, s->place.server);
	tcp_on(s, TCP_EVENT_CONNECTED);
	if (tcp_life_is_joined(&s->life))
		tcp_relay(s);
}

static void on_dialed(struct dial *d, enum dial_result result)
{
	struct tcp_session *s = CONTAINER_OF(d, struct tcp_reach, dial)->session;

	worker_sweep(s->worker);
	on_connected(s, result);
}

void tcp_connect(struct tcp_session *s)
{
	struct worker *w = s->worker;
	struct tcp_reach *reach = s->reach;
	struct stream *server = &s->ends[TCP_SERVER];
	const struct address *to = atomic_load_explicit(&s->place.server->address,
							memory_order_acquire);
	enum dial_result result = DIAL_UNREACHABLE;

	tcp_rearm(s);
	stream_init(server, -1, tcp_on_server_ready);
	server->readable = false;	/* it is watched before anything can come */
	dial_init(&reach->dial, w->loop, on_dialed);
	while (to != NULL) {		/* else its name is not resolved yet */
		if (!dial_start(&reach->dial, &server->watch, to, reach->lane->pool->connect_ms,
				tcp_on_server_ready, &result)) {
			/* What epoll says first of any socket, that there is room, comes
			 * along with what it says of the server's. */
			tcp_watch_client(s);
			return;
		}
		if (result != DIAL_NO_DESCRIPTORS)
			break;
		live_count(&w->live->dials_out_of_descriptors);
		if (!upstream_give_up_one(w))
			break;
	}
	on_connected(s, result);
}

void tcp_on_server_ready(struct loop_watch *watch, unsigned events)
{
	struct tcp_session *s = CONTAINER_OF(watch, struct tcp_session,
					     ends[TCP_SERVER].watch);

	worker_sweep(s->worker);
	stream_note(&s->ends[TCP_SERVER], events);
	if (s->reach != NULL)
		dial_on_ready(&s->reach->dial, events);
	else if (tcp_life_is_joined(&s->life))
		tcp_relay(s);
}

/* ---- joined ---- */

void tcp_join(struct tcp_session *s)
{
	struct worker *w = s->worker;
	struct tcp_reach *reach = s->reach;
	struct backend *b = worker_backend(w, s->place.server);
	uint32_t proxy_version = reach->lane->pool->proxy_version;

	worker_join(w, b, &s->joined, reach->edition,
		    (uint32_t)(reach->lane - reach->edition->lanes));
	tcp_reach_end(s);
	live_count(&s->port->live->requests);
	s->active_ms = s->spoke_ms = loop_now_ms(w->loop);
	if (worker_is_orphan(w, b))
		tcp_leave_begin(w, s->place.server);
	if (!tcp_watch_client(s)) {
		tcp_on(s, TCP_EVENT_CLIENT_GONE);
		return;
	}
	if (tcp_untaken(s, TCP_UP) > 0)
		tcp_on(s, TCP_EVENT_CLIENT_SPOKE);
	tcp_rearm(s);
	if (proxy_version > 0 && !tcp_proxy_introduce(s, proxy_version)) {
		tcp_note_silence(s);
		tcp_on(s, TCP_EVENT_SERVER_RESET);
	}
}

void tcp_drop_server(struct tcp_session *s, bool hard)
{
	struct worker *w = s->worker;
	struct tcp_flow *up = &s->flows[TCP_UP], *down = &s->flows[TCP_DOWN];

	if (s->place.server == NULL)
		return;
	struct backend *b = worker_backend(w, s->place.server);
	tcp_count_bytes(s);
	if (hard)
		stream_reset_on_close(&s->ends[TCP_SERVER]);
	loop_watch_close(w->loop, &s->ends[TCP_SERVER].watch);
	pipe_put(&w->pipes, up->pipe);
	pipe_put(&w->pipes, down->pipe);
	buf_put(&w->bufs, down->wait);
	*up = (struct tcp_flow){.wait = up->wait, .ended = up->ended};
	*down = (struct tcp_flow){0};
	s->probing = false;
	list_remove(&s->verifying);
	place_leave(&s->place, w);
	s->place.pool = NULL;
	/* The last thing: the server itself may go with it. */
	if (!list_empty(&s->joined))
		worker_part(w, b, &s->joined);
}
