#include "forward/http_session.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "forward/http_reach.h"
#include "forward/key.h"
#include "forward/upstream.h"
#include "listen/peers.h"

const struct model_listener *session_listener(const struct session *s)
{
	if (s->request != NULL)
		return s->request->door->listener;
	return port_door(s->port)->listener;
}

static uint32_t limit_between_requests_ms(const struct session *s)
{
	const struct model_listener *l = session_listener(s);
	uint32_t ms = s->in != NULL || s->requests == 0 ? l->head_ms : l->keep_alive_ms;

	if (session_is_blocked(s))	/* the end of an answer is still to be taken */
		return l->body_ms;
	if (s->state == SESSION_LINGER)
		return l->linger_ms;
	bool hurries = s->worker->draining && !s->worker->unhurried;
	if ((hurries || s->port->removed) && ms > DRAIN_GRACE_MS)
		return DRAIN_GRACE_MS;
	return ms;
}

void session_rearm(struct session *s)
{
	uint32_t ms = 0;

	switch (s->state) {
	case SESSION_REQUEST:
		ms = request_limit_ms(s->request);
		break;
	case SESSION_HEAD:
	case SESSION_LINGER:
	case SESSION_PROXY:
		ms = limit_between_requests_ms(s);
		break;
	case SESSION_DEAD:
		return;
	}
	if (ms == 0)
		loop_timer_stop(s->worker->loop, &s->deadline);
	else
		loop_timer_start(s->worker->loop, &s->deadline, ms);
}

void session_end(struct session *s)
{
	struct worker *w = s->worker;

	if (s->state == SESSION_DEAD)
		return;
	s->state = SESSION_DEAD;
	if (s->request != NULL)
		request_free(s->request);
	if (!s->client.broken)
		session_release(s);		/* whole answers to earlier requests */
	list_remove(&s->held_link);
	buf_put(&w->bufs, s->held);
	loop_watch_close(w->loop, &s->client.watch);
	loop_timer_stop(w->loop, &s->deadline);
	buf_put(&w->bufs, s->in);
	buf_put(&w->bufs, s->out);
	list_remove(&s->idle_link);
	list_remove(&s->link);
	worker_bury(w, &s->grave, &w->sessions_slab);
	worker_count_session(w, s->port, -1);
}

void session_watch(struct session *s)
{
	/* Out of kernel memory: the time limits are still there to end it. */
	if (loop_watch_register(s->worker->loop, &s->client.watch) != 0)
		live_count(&s->worker->live->memory_refused);
}

/* Throws away what comes, until the client closes or it is enough. */
static void read_and_forget(struct session *s)
{
	struct worker *w = s->worker;
	size_t got;

	while (s->client.readable) {
		enum stream_result result = stream_read(&s->client, w->scratch,
							SCRATCH_BYTES, &got);
		if (result == STREAM_WAIT || (result == STREAM_END && s->out != NULL))
			return;		/* it may say no more and still take its answer */
		if (result != STREAM_OK || (s->lingered += (uint32_t)got) > LINGER_BYTES_MAX) {
			session_end(s);
			return;
		}
	}
}

/* Closes without a reset: a reset would take the answer back from a client that has
 * sent more than was read (RFC 9112, section 9.6). */
static void linger(struct session *s)
{
	s->state = SESSION_LINGER;
	buf_put(&s->worker->bufs, s->in);
	s->in = NULL;
	if (s->out == NULL)
		shutdown(s->client.watch.fd, SHUT_WR);
	if (loop_watch_register(s->worker->loop, &s->client.watch) != 0) {
		session_end(s);
		return;
	}
	session_rearm(s);
	read_and_forget(s);
}

void session_refuse(struct session *s, uint16_t status, const char *why)
{
	struct live_listener *live = s->port->live;

	live_count(status == 408 ? &live->timeouts : &live->bad_requests);
	bool written = answer_write(s, status, why, true, false);
	answer_record(s, NULL, status);
	if (written)
		linger(s);
	else
		session_end(s);
}

void session_keep(struct session *s, const char *at, size_t len)
{
	struct worker *w = s->worker;

	if (s->in == NULL) {
		s->in = buf_get(&w->bufs, len);
		if (s->in == NULL) {
			session_end(s);
			return;
		}
	} else {
		s->in->start = s->in->end = 0;
		if (buf_room(s->in) < len && !buf_larger(&w->bufs, &s->in, len)) {
			session_end(s);
			return;
		}
	}
	buf_append(s->in, at, len);
	s->in_seen = (uint32_t)len;
}

/* Reads the head at [at, at + len) and makes its request, which start() begins. Returns
 * how many bytes it took: 0 when there is no whole head, or a whole one has to wait until
 * the client has taken earlier answers (session_is_blocked), to be read anew then. */
static size_t take_from(struct session *s, const char *at, size_t len, size_t seen)
{
	struct worker *w = s->worker;
	struct h1_limits limits = request_head_limits(port_door(s->port)->listener);

	switch (h1_parse_request(w->head, at, len, seen, &limits)) {
	case H1_DONE:
		break;
	case H1_MORE:
		return 0;
	case H1_BAD:
		session_refuse(s, (uint16_t)h1_fault_status(w->head->fault),
			       h1_fault_text(w->head->fault));
		return 0;
	}
	if (UNLIKELY(port_door(s->port)->listener->legacy_pool > 0) &&
	    session_is_for_admin(s, at))
		return session_hand_over(s, at, len);
	list_remove(&s->idle_link);
	s->state = SESSION_REQUEST;
	s->requests++;
	w->head_at = at;
	return request_make(s, at, len);
}

/* What came behind the request has been put aside: from here on its body may be read,
 * and the next request's beginning with it. */
static void start(struct session *s)
{
	if (s->state == SESSION_REQUEST)
		request_start(s->request);
	s->worker->head_at = NULL;
}

/* A request from what was read earlier. False: nothing more to do with these. */
static bool begin_from_kept(struct session *s)
{
	struct worker *w = s->worker;
	struct buf *in = s->in;

	if (in == NULL || s->in_seen >= buf_waiting(in))
		return false;
	size_t took = take_from(s, buf_at(in), buf_waiting(in), s->in_seen);
	if (s->state == SESSION_DEAD || s->state == SESSION_LINGER)
		return true;
	if (took == 0) {
		s->in_seen = session_is_blocked(s) ? 0 : (uint32_t)buf_waiting(in);
		return false;
	}
	buf_consume(in, took);
	s->in_seen = 0;
	bool used_up = buf_waiting(in) == 0;
	if (used_up)
		s->in = NULL;
	start(s);
	if (used_up)
		buf_put(&w->bufs, in);
	return true;
}

/* A request from what the socket has. False: nothing more there. */
static bool begin_from_socket(struct session *s)
{
	struct worker *w = s->worker;
	size_t kept = buf_waiting(s->in), seen = s->in_seen, got = 0;

	if (!s->client.readable)
		return false;
	must(kept < SCRATCH_BYTES);
	switch (stream_read(&s->client, w->scratch + kept, SCRATCH_BYTES - kept, &got)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		return false;
	case STREAM_END:
	case STREAM_BROKEN:	/* half a head is nobody's request */
		session_end(s);
		return false;
	}
	if (kept > 0)
		memcpy(w->scratch, buf_at(s->in), kept);
	else
		s->head_since_us = loop_now_us(w->loop);
	size_t len = kept + got;
	size_t took = take_from(s, w->scratch, len, seen);
	if (s->state == SESSION_DEAD || s->state == SESSION_LINGER)
		return true;
	if (took == 0) {
		bool first = s->in == NULL;
		session_keep(s, w->scratch, len);
		if (session_is_blocked(s))
			s->in_seen = 0;
		if (first)
			session_rearm(s);	/* from idle to a head that has begun */
		return true;
	}
	if (s->in != NULL)
		buf_put(&w->bufs, s->in);
	s->in = NULL;
	s->in_seen = 0;
	if (took < len) {
		session_keep(s, w->scratch + took, len - took);
		s->in_seen = 0;
	}
	start(s);
	return true;
}

void session_drive(struct session *s)
{
	struct worker *w = s->worker;

	must(!s->driving);
	s->driving = true;
	for (int budget = DRIVE_PER_TURN_MAX; s->state == SESSION_HEAD; budget--) {
		if (session_is_blocked(s))
			break;		/* it does not take its answers */
		if (budget == 0) {
			loop_again(w->loop, &s->client.watch);
			break;
		}
		if (!begin_from_kept(s) && !begin_from_socket(s))
			break;
	}
	s->driving = false;
	if (s->state == SESSION_HEAD && !session_release(s))
		session_end(s);
	if (s->state == SESSION_HEAD && !s->client.watch.registered &&
	    loop_watch_register(w->loop, &s->client.watch) != 0)
		session_end(s);
}

bool session_others_wait(const struct session *s)
{
	return atomic_load_explicit(&s->port->live->connections.waiting_loops,
				    memory_order_relaxed) != 0 ||
	       atomic_load_explicit(&s->worker->live->connections.waiting_loops,
				    memory_order_relaxed) != 0;
}

void session_next(struct session *s, enum session_after after)
{
	struct worker *w = s->worker;

	if (s->state == SESSION_DEAD)
		return;
	must(s->request == NULL);
	if (after != AFTER_NEXT) {
		if (after == AFTER_CLOSE && s->out == NULL && s->in == NULL &&
		    !s->client.readable)
			session_end(s);
		else
			linger(s);
		return;
	}
	s->state = SESSION_HEAD;
	s->head_since_us = loop_now_us(w->loop);
	list_push_last(&w->idle, &s->idle_link);
	session_rearm(s);
	if (session_others_wait(s))
		session_make_room(w, s->port, false);
	if (!s->driving && s->state == SESSION_HEAD)
		session_drive(s);
}

/* Whether a client that sends no more has gone. It may have closed its sending half
 * only, and be waiting for the answer; so a request that a server has, or is about to
 * have, is finished. One that waits for a place is not worth a server's time. */
static bool has_left(struct session *s)
{
	char byte;

	enum request_state state = s->request->life.state;

	return (state == REQUEST_WAITING || state == REQUEST_HELD) && s->in == NULL &&
	       recv(s->client.watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void on_client_ready(struct loop_watch *watch, unsigned events)
{
	struct session *s = CONTAINER_OF(watch, struct session, client.watch);

	worker_sweep(s->worker);
	stream_note(&s->client, events);
	session_flush(s);
	if (s->out != NULL && s->client.broken && s->state != SESSION_REQUEST) {
		session_end(s);
		return;
	}
	switch (s->state) {
	case SESSION_HEAD:
		session_drive(s);
		break;
	case SESSION_REQUEST:
		if (s->request->life.state == REQUEST_TUNNEL) {
			tunnel_pump(s->request);
			break;
		}
		if (s->client.broken || (s->client.ended && has_left(s))) {
			request_on(s->request, EVENT_CLIENT_GONE);
			break;
		}
		if (events & LOOP_WRITABLE)
			response_pump(s->request);
		if (s->state == SESSION_REQUEST && !s->request->body.done)
			request_pump(s->request);
		break;
	case SESSION_LINGER:
		read_and_forget(s);
		break;
	case SESSION_PROXY:
		session_read_proxy(s);
		break;
	case SESSION_DEAD:
		break;
	}
}

/* An idle client whose next request has come, and was not told of yet, is not idle. */
static bool speaks(struct session *s)
{
	if (s->state != SESSION_HEAD || session_is_blocked(s) || stream_is_quiet(&s->client))
		return false;
	s->client.readable = true;
	return true;
}

static void on_deadline(struct loop_timer *t)
{
	struct session *s = CONTAINER_OF(t, struct session, deadline);

	worker_sweep(s->worker);
	if (s->state == SESSION_REQUEST)
		request_on_deadline(s->request);
	else if (session_is_blocked(s) && stream_is_taken(&s->client))
		session_rearm(s);
	else if (s->state == SESSION_HEAD && s->in != NULL && !session_is_blocked(s))
		session_refuse(s, 408, "the request's head took too long");
	else if (s->state == SESSION_PROXY)
		session_refuse_proxy(s, "it took too long");
	else if (speaks(s))
		session_drive(s);
	else
		session_end(s);
}

void session_note_peer(struct session *s, const struct sockaddr *peer)
{
	s->peer_len = (uint16_t)address_host_text(peer, s->peer);
	s->peer_key = key_of_peer(peer, KEY_ADDRESS);
	s->peer_port = key_port_of(peer);
}

static void begin(struct port *port, int fd, const struct sockaddr *peer)
{
	const struct model_listener *listener = port_door(port)->listener;
	struct worker *w = port->worker;
	struct session *s = slab_get(&w->sessions_slab);

	worker_count_session(w, port, 1);
	if (s == NULL) {
		close(fd);
		worker_count_session(w, port, -1);
		return;
	}
	*s = (struct session){.worker = w, .port = port};
	stream_init(&s->client, fd, on_client_ready);
	loop_timer_init(&s->deadline, on_deadline);
	session_note_peer(s, peer);
	list_push_last(&w->sessions, &s->link);
	list_init(&s->held_link);
	list_init(&s->idle_link);
	list_push_last(&w->idle, &s->idle_link);
	session_rearm(s);
	if (UNLIKELY(listener->proxy_peer_count > 0) && peers_trust(listener, peer)) {
		s->state = SESSION_PROXY;
		session_read_proxy(s);
	} else {
		session_drive(s);
	}
}

bool session_make_room(struct worker *w, const struct port *port, bool at_once)
{
	LIST_EACH(&w->idle, it, next) {
		struct session *s = CONTAINER_OF(it, struct session, idle_link);
		bool fits = port == NULL || s->port == port;
		if (!fits || s->in != NULL || s->out != NULL || s->requests == 0 || speaks(s))
			continue;
		uint64_t idle_ms = (loop_now_us(w->loop) - s->head_since_us) / 1000;
		if (at_once || idle_ms >= GIVE_WAY_MS)
			session_end(s);
		else
			loop_timer_start(w->loop, &s->deadline, GIVE_WAY_MS - idle_ms);
		return true;
	}
	return false;
}

/* While the balancer ends, no server is started any more: who waits for one is answered
 * now, instead of being cut off in the end. */
static void end_waits(struct worker *w)
{
	LIST_EACH(&w->sessions, it, next) {
		struct session *s = CONTAINER_OF(it, struct session, link);
		if (s->request != NULL && s->request->life.state == REQUEST_WAITING)
			request_give_up_waiting(s->request);
	}
}

/* Idle connections get DRAIN_GRACE_MS more, so that a request that is on its way is
 * answered (with Connection: close) instead of being cut off. */
static void begin_drain(struct worker *w, const struct port *port)
{
	if (port == NULL)
		end_waits(w);
	LIST_EACH(&w->idle, it, next) {
		struct session *s = CONTAINER_OF(it, struct session, idle_link);
		if (port == NULL || s->port == port)
			session_rearm(s);
	}
}

static void end_all(struct worker *w, const struct port *port)
{
	LIST_EACH(&w->sessions, it, next) {
		struct session *s = CONTAINER_OF(it, struct session, link);
		if (port == NULL || s->port == port)
			session_end(s);
	}
}

const struct protocol protocol_http = {
	.begin = begin, .begin_drain = begin_drain, .end_all = end_all,
	.adopt = upstream_close_orphans,
};
