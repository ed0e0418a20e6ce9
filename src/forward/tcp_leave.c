/* forward/tcp_leave.c - servers that were taken out, by a reload or at run time, and still
 * have sessions: how long these may stay.
 *
 *   taken out -> their time -> MOVING (who can be moved now) -> a moment of silence
 *             -> ENDING (who still cannot is closed)
 *
 * A server that comes back meanwhile keeps what it has. Sessions are told a batch per turn,
 * so that a server with many does not keep the loop from its other work.
 *
 * Invariant: an orphan with sessions has a departure.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "forward/tcp_session.h"

enum {
	TOLD_PER_TURN_MAX = 256,
	SILENCE_MS_MAX = 1000,	/* how long the end of an answer is waited for */
};

enum departure_state { DEPARTURE_WAITING, DEPARTURE_MOVING, DEPARTURE_ENDING };

struct tcp_departure {
	enum departure_state state;
	struct worker *worker;		/* borrowed */
	uint32_t id;			/* of its backend: those may move in memory */
	uint32_t to_tell;		/* sessions not told of the present state yet */
	struct loop_timer timer;
};

static struct tcp_session *first_of(struct backend *b)
{
	return CONTAINER_OF(b->joined.next, struct tcp_session, joined);
}

static void destroy(struct tcp_departure *d)
{
	loop_timer_stop(d->worker->loop, &d->timer);
	d->worker->backends[d->id].departure = NULL;
	free(d);
}

/* A session that has moved may be joined elsewhere at once. */
static bool is_at(const struct tcp_session *s, const struct tcp_departure *d)
{
	return !list_empty(&s->joined) && s->place.server->id == d->id;
}

/* Tells the sessions at the front of the list; who stays goes to its end. */
static void tell_some(struct tcp_departure *d, struct backend *b)
{
	enum tcp_event event = d->state == DEPARTURE_MOVING ? TCP_EVENT_SERVER_LEAVES
							    : TCP_EVENT_SERVER_LEFT;

	for (int n = 0; n < TOLD_PER_TURN_MAX && d->to_tell > 0; n++) {
		if (list_empty(&b->joined))
			return;
		struct tcp_session *s = first_of(b);
		d->to_tell--;
		if (s->life.state != TCP_VERIFYING)
			tcp_note_silence(s);
		tcp_on(s, event);
		if (is_at(s, d)) {
			list_remove(&s->joined);
			list_push_last(&b->joined, &s->joined);
		}
	}
}

static void enter_state(struct tcp_departure *d, struct backend *b, enum departure_state state)
{
	d->state = state;
	d->to_tell = 0;
	LIST_EACH(&b->joined, it, next)
		d->to_tell++;
}

/* How long the next step waits: a turn between two batches, or until what is being said
 * has come to its end. A timer of 0 would be due in the same turn. */
static uint64_t pause_ms(const struct tcp_departure *d, const struct backend *b)
{
	uint32_t quiet_ms = worker_lane(b)->pool->quiet_ms;

	if (d->to_tell > 0 || d->state == DEPARTURE_ENDING)
		return 1;
	return quiet_ms < SILENCE_MS_MAX ? quiet_ms : SILENCE_MS_MAX;
}

static void on_timer(struct loop_timer *t)
{
	struct tcp_departure *d = CONTAINER_OF(t, struct tcp_departure, timer);
	struct worker *w = d->worker;
	struct backend *b = &w->backends[d->id];

	worker_sweep(w);
	if (d->to_tell == 0)	/* after the end, those that have joined late */
		enter_state(d, b, d->state == DEPARTURE_MOVING ? DEPARTURE_ENDING
							       : DEPARTURE_MOVING);
	tell_some(d, b);
	if (list_empty(&b->joined))
		destroy(d);
	else
		loop_timer_start(w->loop, t, pause_ms(d, b));
}

static uint64_t time_left_ms(const struct worker *w, const struct live_server *server)
{
	uint32_t ms = atomic_load_explicit(&server->leave_ms, memory_order_relaxed);

	if (ms == UINT32_MAX)
		return 0;
	return ms > 0 ? ms : w->now->model->drain_ms;
}

void tcp_leave_begin(struct worker *w, struct live_server *server)
{
	struct backend *b = worker_backend(w, server);

	if (b->departure != NULL)
		return;
	struct tcp_departure *d = memory_new(1, sizeof *d);
	*d = (struct tcp_departure){.worker = w, .id = server->id};
	loop_timer_init(&d->timer, on_timer);
	b->departure = d;
	loop_timer_start(w->loop, &d->timer, time_left_ms(w, server));
}

void tcp_leave_adopt(struct worker *w)
{
	for (uint32_t i = 0; i < w->backend_count; i++) {
		struct backend *b = &w->backends[i];
		if (!worker_is_orphan(w, b)) {
			if (b->departure != NULL)
				destroy(b->departure);
		} else if (!list_empty(&b->joined)) {
			tcp_leave_begin(w, first_of(b)->place.server);
		}
	}
}

void tcp_leave_cancel_all(struct worker *w)
{
	for (uint32_t i = 0; i < w->backend_count; i++)
		if (w->backends[i].departure != NULL)
			destroy(w->backends[i].departure);
}
