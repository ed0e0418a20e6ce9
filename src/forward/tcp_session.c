#include "forward/tcp_session.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "listen/listener.h"

const struct model_listener *tcp_listener(const struct tcp_session *s)
{
	return port_door(s->port)->listener;
}

/* ---- time limits ---- */

static uint64_t sooner(uint64_t a_ms, uint64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

static uint64_t since_ms(const struct tcp_session *s, uint64_t then_ms)
{
	return loop_now_ms(s->worker->loop) - then_ms;
}

static uint64_t left_ms(uint64_t limit_ms, uint64_t gone_ms)
{
	return gone_ms < limit_ms ? limit_ms - gone_ms : 0;
}

/* Until a joined session's silence is too long, or something is due before that. */
static uint64_t joined_limit_ms(const struct tcp_session *s, const struct model_listener *l)
{
	uint64_t silent_ms = since_ms(s, s->active_ms);
	uint64_t ms = left_ms(l->idle_ms, silent_ms);

	if (!s->probing && l->keep_alive_probe_ms > 0)
		ms = sooner(ms, left_ms(l->keep_alive_probe_ms, silent_ms));
	if (s->life.state == TCP_ASKING && tcp_life_keeps(&s->life))
		ms = sooner(ms, TCP_LOOK_MS);
	return ms;
}

/* How long it may still wait for a server. */
static uint64_t wait_left_ms(const struct tcp_session *s)
{
	return left_ms(s->reach->lane->pool->queue_ms,
		       since_ms(s, s->reach->waiting_since_ms));
}

/* How long the present state may last; UINT64_MAX: no limit, or another's timer. */
static uint64_t limit_ms(const struct tcp_session *s)
{
	const struct model_listener *l = tcp_listener(s);

	switch ((enum tcp_state)s->life.state) {
	case TCP_NEW:
		return l->head_ms;
	case TCP_WAITING:
		return sooner(wait_left_ms(s), tcp_look_ms(s));
	case TCP_ASKING:
	case TCP_ANSWERING:
	case TCP_ENDING:
		return joined_limit_ms(s, l);
	case TCP_VERIFYING:
	case TCP_PARKED:
		return left_ms(l->idle_ms, since_ms(s, s->active_ms));
	case TCP_BUG:
	case TCP_PICKING:
	case TCP_CONNECTING:	/* the dial has its own */
	case TCP_DONE:
	case TCP_STATES:
		break;
	}
	return UINT64_MAX;
}

void tcp_rearm(struct tcp_session *s)
{
	const struct model_listener *l = tcp_listener(s);
	uint64_t ms = limit_ms(s);

	if (l->lifetime_ms > 0)
		ms = sooner(ms, left_ms(l->lifetime_ms, since_ms(s, s->began_ms)));
	if (ms == UINT64_MAX)
		loop_timer_stop(s->worker->loop, &s->deadline);
	else
		loop_timer_start(s->worker->loop, &s->deadline, ms);
}

/* Whether either end takes what waits for it, here or in the kernel, however slowly. */
static bool is_taken(struct tcp_session *s)
{
	for (int flow = 0; flow < 2; flow++) {
		struct stream *to = &s->ends[!flow];
		bool looked = to->untaken != INT_MAX;
		if (stream_is_taken(to) &&
		    (looked || to->untaken > 0 || tcp_untaken(s, flow) > 0))
			return true;
	}
	return false;
}

/* What is due while a joined session is silent, before that is too long. A session that
 * never is so long pays no call for it. */
static void look_after(struct tcp_session *s, const struct model_listener *l)
{
	if (!s->probing && l->keep_alive_probe_ms > 0 &&
	    since_ms(s, s->active_ms) >= l->keep_alive_probe_ms) {
		s->probing = true;
		stream_probe(s->ends[TCP_SERVER].watch.fd, l->keep_alive_probe_ms);
	}
	tcp_rearm(s);
	/* A host that is gone sends no end, and an answer is waited for. */
	if (s->life.down && s->life.state == TCP_ASKING && tcp_life_keeps(&s->life) &&
	    list_empty(&s->verifying))
		tcp_verify(s);
}

static void on_deadline(struct loop_timer *t)
{
	struct tcp_session *s = CONTAINER_OF(t, struct tcp_session, deadline);
	const struct model_listener *l = tcp_listener(s);
	bool joined = tcp_life_is_joined(&s->life);

	worker_sweep(s->worker);
	if (s->life.state != TCP_VERIFYING)	/* which goes by what was true before */
		tcp_note_silence(s);
	bool late = l->lifetime_ms > 0 && since_ms(s, s->began_ms) >= l->lifetime_ms;
	if (joined && !late && since_ms(s, s->active_ms) < l->idle_ms) {
		look_after(s, l);
	} else if (joined && !late && is_taken(s)) {
		s->active_ms = loop_now_ms(s->worker->loop);
		tcp_rearm(s);
	} else if (s->life.state == TCP_NEW) {
		tcp_proxy_refuse(s, "it took too long");
	} else if (s->life.state == TCP_WAITING && !late && wait_left_ms(s) > 0 &&
		   tcp_look_ms(s) != UINT64_MAX) {
		tcp_look_again(s);
	} else if (s->life.state == TCP_WAITING) {
		live_count(&s->reach->lane->pool->live->queue_timeouts);
		tcp_on(s, TCP_EVENT_WAIT_OVER);
	} else {
		live_count(&s->port->live->timeouts);
		tcp_on(s, TCP_EVENT_TIME_OVER);
	}
}

/* ---- events ---- */

void tcp_count_bytes(struct tcp_session *s)
{
	struct live_pool *pool = s->place.pool;

	atomic_fetch_add_explicit(&pool->bytes_up, s->bytes[TCP_UP], memory_order_relaxed);
	atomic_fetch_add_explicit(&pool->bytes_down, s->bytes[TCP_DOWN], memory_order_relaxed);
	s->bytes[TCP_UP] = s->bytes[TCP_DOWN] = 0;
}

void tcp_note_silence(struct tcp_session *s)
{
	s->life.down = s->place.server != NULL &&
		       !atomic_load_explicit(&s->place.server->up, memory_order_relaxed);
	s->life.quiet = tcp_untaken(s, TCP_UP) == 0 && tcp_untaken(s, TCP_DOWN) == 0 &&
			since_ms(s, s->spoke_ms) >= s->quiet_ms;
}

static void end(struct tcp_session *s, bool hard)
{
	struct worker *w = s->worker;

	must(s->life.state == TCP_DONE);
	tcp_drop_server(s, hard);
	tcp_reach_end(s);
	if (hard)
		stream_reset_on_close(&s->ends[TCP_CLIENT]);
	loop_watch_close(w->loop, &s->ends[TCP_CLIENT].watch);
	loop_timer_stop(w->loop, &s->deadline);
	buf_put(&w->bufs, s->flows[TCP_UP].wait);
	free(s->origin);
	list_remove(&s->link);
	worker_bury(w, &s->grave, &w->tcp_slab);
	worker_count_session(w, s->port, -1);
}

static void count(const struct tcp_session *s)
{
	struct live_pool *pool = s->reach != NULL ? s->reach->lane->pool->live : s->place.pool;

	if (pool == NULL)
		return;		/* out of memory, between two servers */
	switch ((enum tcp_count)s->life.count) {
	case TCP_COUNT_NOTHING:
		break;
	case TCP_COUNT_REPLAYED:
		live_count(&pool->moved_replayed);
		break;
	case TCP_COUNT_IDLE:
		live_count(&pool->moved_idle);
		break;
	case TCP_COUNT_NOT_MOVED:
		live_count(&pool->not_moved);
		break;
	}
}

/* Looks for a server: anew, or for another one than `lost`. */
static void pick(struct tcp_session *s, const struct live_server *lost)
{
	if (s->reach == NULL && !tcp_begin_reach_of_peer(s, lost))
		tcp_on(s, TCP_EVENT_NOBODY);
	else
		tcp_pick(s);
}

/* Its next byte may be there already. */
static void park(struct tcp_session *s)
{
	tcp_drop_server(s, false);
	s->life.replayable = true;
	tcp_rearm(s);
	if (s->ends[TCP_CLIENT].readable)
		loop_again(s->worker->loop, &s->ends[TCP_CLIENT].watch);
}

static void move(struct tcp_session *s)
{
	const struct live_server *lost = s->place.server;

	tcp_drop_server(s, false);
	s->life.replayable = true;
	tcp_rewind(s);
	pick(s, lost);
}

void tcp_on(struct tcp_session *s, enum tcp_event event)
{
	enum tcp_action action = tcp_life_step(&s->life, event);

	if (UNLIKELY(s->life.count != TCP_COUNT_NOTHING))
		count(s);
	switch (action) {
	case TCP_DO_NOTHING:
	case TCP_DO_PASS_END:		/* who reported the end goes on with it */
		break;
	case TCP_DO_PICK:
		pick(s, NULL);
		break;
	case TCP_DO_WAIT:
		tcp_wait(s);
		break;
	case TCP_DO_CONNECT:
		tcp_connect(s);
		break;
	case TCP_DO_RELAY:
		tcp_join(s);
		break;
	case TCP_DO_VERIFY:
		tcp_verify(s);
		break;
	case TCP_DO_MOVE:
		move(s);
		break;
	case TCP_DO_PARK:
		park(s);
		break;
	case TCP_DO_CLOSE:
		end(s, false);
		break;
	case TCP_DO_CUT:
		end(s, true);
		break;
	}
}

/* The client of a session without a server has said something, or gone. */
static void look_at_parked(struct tcp_session *s)
{
	if (tcp_read_ahead(s))
		tcp_on(s, TCP_EVENT_CLIENT_SPOKE);
	else if (s->life.state == TCP_PARKED && s->life.client_ended)
		tcp_on(s, TCP_EVENT_FINISHED);
}

static void on_client_ready(struct loop_watch *watch, unsigned events)
{
	struct tcp_session *s = CONTAINER_OF(watch, struct tcp_session,
					     ends[TCP_CLIENT].watch);

	worker_sweep(s->worker);
	stream_note(&s->ends[TCP_CLIENT], events);
	switch ((enum tcp_state)s->life.state) {
	case TCP_ASKING:
	case TCP_ANSWERING:
	case TCP_ENDING:
		tcp_relay(s);
		break;
	case TCP_PARKED:
		look_at_parked(s);
		break;
	case TCP_WAITING:
	case TCP_CONNECTING:
	case TCP_VERIFYING:
		if (s->ends[TCP_CLIENT].broken)
			tcp_on(s, TCP_EVENT_CLIENT_GONE);
		break;
	case TCP_NEW:
		tcp_proxy_read(s);
		break;
	case TCP_BUG:
	case TCP_PICKING:
	case TCP_DONE:
	case TCP_STATES:
		break;
	}
}

/* ---- what the worker calls ---- */

static void begin(struct port *port, int fd, const struct sockaddr *peer)
{
	struct worker *w = port->worker;
	struct tcp_session *s = slab_get(&w->tcp_slab);

	worker_count_session(w, port, 1);
	if (s == NULL) {
		live_count(&w->live->memory_refused);
		close(fd);
		worker_count_session(w, port, -1);
		return;
	}
	*s = (struct tcp_session){.worker = w, .port = port};
	s->began_ms = s->active_ms = s->spoke_ms = loop_now_ms(w->loop);
	stream_init(&s->ends[TCP_CLIENT], fd, on_client_ready);
	stream_init(&s->ends[TCP_SERVER], -1, tcp_on_server_ready);
	loop_timer_init(&s->deadline, on_deadline);
	list_push_last(&w->tcp_sessions, &s->link);
	list_init(&s->joined);
	list_init(&s->verifying);
	tcp_life_init(&s->life, REDISTRIBUTE_OFF, 0);
	if (tcp_proxy_awaits(s, peer)) {
		tcp_proxy_read(s);
		return;
	}
	if (!tcp_reach_begin(s, peer, NULL)) {
		tcp_on(s, TCP_EVENT_REFUSED);
		return;
	}
	tcp_read_ahead(s);	/* mostly its first bytes have come along */
	tcp_on(s, TCP_EVENT_BEGUN);
}

/* While the balancer ends, no server is started any more: who waits for one is told now. */
static void end_waits(struct worker *w)
{
	LIST_EACH(&w->tcp_sessions, it, next) {
		struct tcp_session *s = CONTAINER_OF(it, struct tcp_session, link);
		if (s->life.state == TCP_WAITING && s->reach->lane->pool->own != NULL &&
		    pick_why_none(&s->reach->lane->view, &s->reach->tried) != PICK_ALL_BUSY)
			tcp_on(s, TCP_EVENT_WAIT_OVER);
	}
}

/* Sessions go on: at the end of the process for as long as it waits for them, behind a
 * removed listener for as long as that would be. */
static void begin_drain(struct worker *w, const struct port *port)
{
	if (port == NULL)
		end_waits(w);
	LIST_EACH(&w->ports, it, next) {
		struct port *own = CONTAINER_OF(it, struct port, link);
		if (own == port)
			loop_timer_start(w->loop, &own->limit, own->edition->model->drain_ms);
	}
}

static void end_all(struct worker *w, const struct port *port)
{
	LIST_EACH(&w->tcp_sessions, it, next) {
		struct tcp_session *s = CONTAINER_OF(it, struct tcp_session, link);
		if (port != NULL && s->port != port)
			continue;
		tcp_note_silence(s);
		tcp_on(s, TCP_EVENT_TIME_OVER);
	}
	if (port == NULL) {
		tcp_verify_cancel_all(w);
		tcp_leave_cancel_all(w);
	}
}

/* Accepted connections inherit what a listening socket has. One that was an HTTP listener's
 * may wait for clients to speak first. */
static void adopt(struct worker *w)
{
	LIST_EACH(&w->ports, it, next) {
		struct port *port = CONTAINER_OF(it, struct port, link);
		int fd = port->acceptor.watch.fd;
		if (port->protocol != &protocol_tcp || fd < 0)
			continue;
		stream_probe(fd, port_door(port)->listener->keep_alive_probe_ms);
		listener_defer(&fd, 1, false);
	}
	tcp_leave_adopt(w);
}

const struct protocol protocol_tcp = {
	.begin = begin, .begin_drain = begin_drain, .end_all = end_all, .adopt = adopt,
};
