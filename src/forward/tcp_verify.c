/* forward/tcp_verify.c - whether a server whose connection has ended is still there.
 *
 * The end of a connection in silence may be meant, or be its server's death: a connection
 * attempt tells them apart, one per server and loop for all sessions that ask. That it fails
 * is true for everybody, and remembered for REMEMBER_MS.
 *
 * That it stands says little at first. A process that dies closes its descriptors one by
 * one, the listening one among the last (Linux runs what was put off at exit the last
 * first): for a server with many clients that takes a while, in which it still seems to
 * accept. So the attempt has to stand for a window of STAND_MS after a session has asked;
 * and if a swarm of others asks meanwhile, on any loop, as those of a dying server do, until
 * there have been CALM_WINDOWS without one, and at most for WINDOWS_MAX. When the server
 * ends the attempt, it is made once more: a dying process had accepted it, and now accepts
 * no more.
 *
 *                  ended, once
 *              .-----------------.      .- windows pass -.
 *              v                 |      v                |
 *   nobody -> DIALING -- connected --> STANDING ---------'-- all are told: alive
 *    asks      | refused, late          | reset                     |
 *              v                        v                           v
 *             DEAD, remembered ---------------------------------> nobody asks
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/must.h"
#include "forward/tcp_session.h"
#include "parse/proxy.h"

enum {
	STAND_MS = 40,
	SWARM_MIN = 4,		/* sessions that ask within one window */
	CALM_WINDOWS = 2,
	WINDOWS_MAX = 25,	/* as long as a swarm may last */
	REMEMBER_MS = 100,
};

enum verdict_state { VERDICT_DIALING, VERDICT_STANDING, VERDICT_DEAD };

struct tcp_verdict {
	enum verdict_state state;
	bool           once_more;	/* the attempt before this one was ended */
	uint32_t       windows;		/* of this attempt, that have passed */
	uint32_t       calm_needed;	/* without a swarm, before anybody is told */
	uint32_t       ends_seen;	/* server's silent_ends when this window began */
	struct worker *worker;		/* borrowed */
	struct live_server *server;	/* held by way of the edition */
	struct edition *edition;	/* a user of it */
	struct lane    *lane;		/* of the edition */
	struct loop_watch watch;	/* owned */
	struct dial     dial;
	struct loop_timer timer;
	struct link     asking;		/* sessions that have asked before this window */
	struct link     later;		/* and in it */
};

static void dial(struct tcp_verdict *v);

static void destroy(struct tcp_verdict *v)
{
	struct worker *w = v->worker;

	must(list_empty(&v->asking) && list_empty(&v->later));
	dial_cancel(&v->dial);
	loop_watch_close(w->loop, &v->watch);
	loop_timer_stop(w->loop, &v->timer);
	worker_backend(w, v->server)->verdict = NULL;
	edition_release(v->edition);
	free(v);
}

static void tell_one(struct tcp_session *s, enum tcp_event event)
{
	if (s->life.state == TCP_VERIFYING) {
		tcp_on(s, event);
	} else if (event == TCP_EVENT_SERVER_DIED) {
		tcp_note_silence(s);
		tcp_on(s, TCP_EVENT_SERVER_LEAVES);
	}
}

static void tell(struct link *sessions, enum tcp_event event)
{
	while (!list_empty(sessions)) {
		struct tcp_session *s = CONTAINER_OF(sessions->next, struct tcp_session,
						     verifying);
		list_remove(&s->verifying);
		tell_one(s, event);
		if (tcp_life_is_joined(&s->life))
			tcp_relay(s);
	}
}

static void decide_dead(struct tcp_verdict *v)
{
	struct worker *w = v->worker;

	v->state = VERDICT_DEAD;
	loop_watch_close(w->loop, &v->watch);
	loop_timer_start(w->loop, &v->timer, REMEMBER_MS);
	place_fail(w, v->edition, v->lane, v->server, FAILURE_REFUSED);
	tell(&v->asking, TCP_EVENT_SERVER_DIED);
	tell(&v->later, TCP_EVENT_SERVER_DIED);
}

/* They end, and do not ask again. */
static void decide_alive(struct tcp_verdict *v)
{
	tell(&v->asking, TCP_EVENT_SERVER_LIVES);
	tell(&v->later, TCP_EVENT_SERVER_LIVES);
	destroy(v);
}

/* ---- attempts ---- */

/* A server that wants to be told whom it serves is told that it is us. */
static void introduce(const struct tcp_verdict *v)
{
	char header[PROXY_MAX];
	size_t len = 0;

	if (v->lane->pool->proxy_version == 1)
		len = proxy_write_v1(header, NULL, NULL);
	else if (v->lane->pool->proxy_version == 2)
		len = proxy_write_v2(header, NULL, NULL, (struct span){0});
	/* What comes of it is seen by how the connection stands. */
	if (len > 0)
		(void)!send(v->watch.fd, header, len, MSG_NOSIGNAL);
}

/* Whether so many have asked in the window that ends that the server seems to be dying. */
static bool was_swarm(struct tcp_verdict *v)
{
	uint32_t ends = atomic_load_explicit(&v->server->silent_ends, memory_order_relaxed);
	bool swarm = ends - v->ends_seen >= SWARM_MIN;

	v->ends_seen = ends;
	return swarm;
}

static void on_result(struct tcp_verdict *v, enum dial_result result)
{
	switch (result) {
	case DIAL_OPEN:
		introduce(v);
		v->state = VERDICT_STANDING;
		v->windows = v->calm_needed = 0;
		was_swarm(v);		/* the first window begins */
		loop_timer_start(v->worker->loop, &v->timer, STAND_MS);
		break;
	case DIAL_REFUSED:
	case DIAL_TIMED_OUT:
	case DIAL_UNREACHABLE:
		decide_dead(v);
		break;
	case DIAL_NO_DESCRIPTORS:	/* our own lack: it has ended, and that is passed on */
	case DIAL_NO_PORTS:
	case DIAL_RESULTS:
		decide_alive(v);
		break;
	}
}

static void on_dialed(struct dial *d, enum dial_result result)
{
	struct tcp_verdict *v = CONTAINER_OF(d, struct tcp_verdict, dial);

	worker_sweep(v->worker);
	on_result(v, result);
}

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct tcp_verdict *v = CONTAINER_OF(watch, struct tcp_verdict, watch);

	worker_sweep(v->worker);
	if (v->state == VERDICT_DIALING) {
		dial_on_ready(&v->dial, events);
	} else if (events & LOOP_BROKEN) {
		decide_dead(v);
	} else if (events & LOOP_ENDED) {
		if (v->once_more) {
			decide_alive(v);
			return;
		}
		v->once_more = true;
		loop_watch_close(v->worker->loop, &v->watch);
		loop_timer_stop(v->worker->loop, &v->timer);
		dial(v);
	}
}

/* The attempt still stands: those who have asked before this window are told. */
static void end_window(struct tcp_verdict *v)
{
	if (was_swarm(v))
		v->calm_needed = CALM_WINDOWS;
	else if (v->calm_needed > 0)
		v->calm_needed--;
	v->windows++;
	if (v->calm_needed == 0 || v->windows >= WINDOWS_MAX) {
		v->windows = 0;
		tell(&v->asking, TCP_EVENT_SERVER_LIVES);
	}
	while (!list_empty(&v->later)) {
		struct link *session = v->later.next;
		list_remove(session);
		list_push_last(&v->asking, session);
	}
	if (list_empty(&v->asking))
		destroy(v);
	else
		loop_timer_start(v->worker->loop, &v->timer, STAND_MS);
}

static void on_timer(struct loop_timer *t)
{
	struct tcp_verdict *v = CONTAINER_OF(t, struct tcp_verdict, timer);

	worker_sweep(v->worker);
	if (v->state == VERDICT_STANDING)
		end_window(v);
	else
		destroy(v);
}

static void dial(struct tcp_verdict *v)
{
	const struct address *to = atomic_load_explicit(&v->server->address,
							memory_order_acquire);
	enum dial_result result = DIAL_UNREACHABLE;

	v->state = VERDICT_DIALING;
	if (to == NULL || dial_start(&v->dial, &v->watch, to, v->lane->pool->connect_ms,
				     on_ready, &result))
		on_result(v, result);
}

static struct tcp_verdict *create(struct worker *w, struct live_server *server)
{
	struct backend *b = worker_backend(w, server);
	struct tcp_verdict *v = malloc(sizeof *v);

	if (v == NULL) {
		live_count(&w->live->memory_refused);
		return NULL;
	}
	*v = (struct tcp_verdict){
		.worker = w, .server = server, .edition = edition_use(b->edition),
		.lane = worker_lane(b),
	};
	loop_watch_init(&v->watch, -1, on_ready);
	loop_timer_init(&v->timer, on_timer);
	dial_init(&v->dial, w->loop, on_dialed);
	list_init(&v->asking);
	list_init(&v->later);
	b->verdict = v;
	return v;
}

/* ---- what sessions ask ---- */

void tcp_verify(struct tcp_session *s)
{
	struct tcp_verdict *v = worker_backend(s->worker, s->place.server)->verdict;

	if (v != NULL && v->state == VERDICT_DEAD) {
		tell_one(s, TCP_EVENT_SERVER_DIED);
		return;
	}
	atomic_fetch_add_explicit(&s->place.server->silent_ends, 1, memory_order_relaxed);
	tcp_rearm(s);
	list_remove(&s->verifying);
	if (v != NULL) {
		list_push_last(&v->later, &s->verifying);
		return;
	}
	v = create(s->worker, s->place.server);
	if (v == NULL) {
		tell_one(s, TCP_EVENT_SERVER_LIVES);	/* nobody knows better */
		return;
	}
	list_push_last(&v->asking, &s->verifying);
	dial(v);
}

void tcp_verify_cancel_all(struct worker *w)
{
	for (uint32_t i = 0; i < w->backend_count; i++)
		if (w->backends[i].verdict != NULL)
			destroy(w->backends[i].verdict);
}
