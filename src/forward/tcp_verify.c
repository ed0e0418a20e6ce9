/* forward/tcp_verify.c - whether a server whose connection has ended is still there.
 *
 * The end of a connection in silence may be meant, or be its server's death: a connection
 * attempt tells them apart. One per server and loop is under way at a time, for all sessions
 * that wait for what comes of it; that is remembered for REMEMBER_MS, since the clients of
 * a dead server come in swarms. A process that is being killed may still accept what it
 * then resets, so a server counts as alive only when the attempt has stood for STAND_MS.
 *
 *   nobody asks -> DIALING -> STANDING -> ALIVE or DEAD (remembered) -> nobody asks
 */
#include <stdlib.h>

#include "base/must.h"
#include "forward/tcp_session.h"

enum { STAND_MS = 20, REMEMBER_MS = 100 };

enum verdict_state { VERDICT_DIALING, VERDICT_STANDING, VERDICT_ALIVE, VERDICT_DEAD };

struct tcp_verdict {
	enum verdict_state state;
	struct worker *worker;		/* borrowed */
	struct live_server *server;	/* held by way of the edition */
	struct edition *edition;	/* a user of it */
	struct lane    *lane;		/* of the edition */
	struct loop_watch watch;	/* owned */
	struct dial     dial;
	struct loop_timer timer;
	struct link     waiting;	/* sessions */
};

static void destroy(struct tcp_verdict *v)
{
	struct worker *w = v->worker;

	must(list_empty(&v->waiting));
	dial_cancel(&v->dial);
	loop_watch_close(w->loop, &v->watch);
	loop_timer_stop(w->loop, &v->timer);
	worker_backend(w, v->server)->verdict = NULL;
	edition_release(v->edition);
	free(v);
}

static void tell(const struct tcp_verdict *v, struct tcp_session *s)
{
	tcp_on(s, v->state == VERDICT_DEAD ? TCP_EVENT_SERVER_DIED : TCP_EVENT_SERVER_LIVES);
}

static void decide(struct tcp_verdict *v, enum verdict_state what)
{
	struct worker *w = v->worker;

	v->state = what;
	loop_watch_close(w->loop, &v->watch);
	loop_timer_start(w->loop, &v->timer, REMEMBER_MS);
	if (what == VERDICT_DEAD)
		place_fail(w, v->edition, v->lane, v->server, FAILURE_REFUSED);
	while (!list_empty(&v->waiting)) {
		struct tcp_session *s = CONTAINER_OF(v->waiting.next, struct tcp_session,
						     verifying);
		list_remove(&s->verifying);
		tell(v, s);
		if (tcp_life_is_joined(&s->life))
			tcp_relay(s);
	}
}

static void on_result(struct tcp_verdict *v, enum dial_result result)
{
	switch (result) {
	case DIAL_OPEN:
		v->state = VERDICT_STANDING;
		loop_timer_start(v->worker->loop, &v->timer, STAND_MS);
		break;
	case DIAL_REFUSED:
	case DIAL_TIMED_OUT:
	case DIAL_UNREACHABLE:
		decide(v, VERDICT_DEAD);
		break;
	case DIAL_NO_DESCRIPTORS:	/* our own lack: it has ended, and that is passed on */
	case DIAL_NO_PORTS:
	case DIAL_RESULTS:
		decide(v, VERDICT_ALIVE);
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
	if (v->state == VERDICT_DIALING)
		dial_on_ready(&v->dial, events);
	else if (v->state == VERDICT_STANDING && (events & LOOP_BROKEN))
		decide(v, VERDICT_DEAD);
}

static void on_timer(struct loop_timer *t)
{
	struct tcp_verdict *v = CONTAINER_OF(t, struct tcp_verdict, timer);

	worker_sweep(v->worker);
	if (v->state == VERDICT_STANDING)
		decide(v, VERDICT_ALIVE);
	else
		destroy(v);
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
	list_init(&v->waiting);
	b->verdict = v;
	return v;
}

static void dial(struct tcp_verdict *v)
{
	const struct address *to = atomic_load_explicit(&v->server->address,
							memory_order_acquire);
	enum dial_result result = DIAL_UNREACHABLE;

	if (to == NULL || dial_start(&v->dial, &v->watch, to, v->lane->pool->connect_ms,
				     on_ready, &result))
		on_result(v, result);
}

void tcp_verify(struct tcp_session *s)
{
	struct tcp_verdict *v = worker_backend(s->worker, s->place.server)->verdict;
	bool first = v == NULL;

	if (first)
		v = create(s->worker, s->place.server);
	if (v == NULL) {
		tcp_on(s, TCP_EVENT_SERVER_LIVES);	/* nobody knows better */
		return;
	}
	if (v->state == VERDICT_ALIVE || v->state == VERDICT_DEAD) {
		tell(v, s);
		return;
	}
	list_push_last(&v->waiting, &s->verifying);
	tcp_rearm(s);
	if (first)
		dial(v);
}

void tcp_verify_cancel_all(struct worker *w)
{
	for (uint32_t i = 0; i < w->backend_count; i++)
		if (w->backends[i].verdict != NULL)
			destroy(w->backends[i].verdict);
}
