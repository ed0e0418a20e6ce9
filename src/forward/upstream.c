#include "forward/upstream.h"

#include "base/must.h"
#include "forward/http_session.h"

static void on_dialed(struct dial *d, enum dial_result result)
{
	struct upstream *u = CONTAINER_OF(d, struct upstream, dial);

	worker_sweep(u->worker);
	/* Bytes told of along with the connection are not told of again. */
	if (result == DIAL_OPEN && u->server.readable)
		loop_again(u->worker->loop, &u->server.watch);
	request_on_connected(u->request, result);
}

/* What was told may be of bytes that its request has read since, when the client's turn
 * came first. */
static bool is_quiet(struct upstream *u)
{
	if (u->server.readable)
		u->server.readable = !stream_is_quiet(&u->server);
	return !u->server.readable && !u->server.ended;
}

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct upstream *u = CONTAINER_OF(watch, struct upstream, server.watch);

	worker_sweep(u->worker);
	stream_note(&u->server, events);
	if (u->dial.pending)
		dial_on_ready(&u->dial, events);
	else if (u->request != NULL)
		request_on_server_ready(u->request);
	else if (!is_quiet(u))		/* closed, or says something unasked */
		upstream_close(u);
}

static void on_idle_limit(struct loop_timer *t)
{
	upstream_close(CONTAINER_OF(t, struct upstream, idle_limit));
}

static void stop_being_idle(struct upstream *u)
{
	list_remove(&u->link);
	worker_backend(u->worker, u->live)->idle_count--;
	loop_timer_stop(u->worker->loop, &u->idle_limit);
}

struct upstream *upstream_take(struct worker *w, struct live_server *s,
			       struct request *r, bool careful)
{
	struct backend *b = worker_backend(w, s);

	while (!list_empty(&b->idle)) {
		struct upstream *u = CONTAINER_OF(b->idle.next, struct upstream, link);
		if (careful && !stream_is_quiet(&u->server)) {
			upstream_close(u);
			continue;
		}
		stop_being_idle(u);
		u->request = r;
		return u;
	}
	return NULL;
}

bool upstream_give_up_one(struct worker *w)
{
	for (uint32_t i = 0; i < w->backend_count; i++) {
		if (list_empty(&w->backends[i].idle))
			continue;
		upstream_close(CONTAINER_OF(w->backends[i].idle.prev, struct upstream, link));
		return true;
	}
	return session_make_room(w, NULL, true);
}

struct upstream *upstream_dial(struct worker *w, struct live_server *s, struct request *r,
			       uint32_t limit_ms, enum dial_result *result)
{
	const struct address *to = atomic_load_explicit(&s->address, memory_order_acquire);

	*result = DIAL_UNREACHABLE;
	if (to == NULL)			/* its name is not resolved yet */
		return NULL;
	struct upstream *u = slab_get(&w->upstreams_slab);
	if (u == NULL) {
		*result = DIAL_NO_DESCRIPTORS;
		return NULL;
	}
	*u = (struct upstream){.worker = w, .live = s, .request = r};
	list_init(&u->link);
	stream_init(&u->server, -1, on_ready);
	u->server.readable = false;	/* it is watched before anything can come */
	loop_timer_init(&u->idle_limit, on_idle_limit);
	dial_init(&u->dial, w->loop, on_dialed);

	for (;;) {
		if (!dial_start(&u->dial, &u->server.watch, to, limit_ms, on_ready, result))
			return u;
		if (*result == DIAL_OPEN)
			return u;
		if (*result == DIAL_NO_DESCRIPTORS) {
			live_count(&w->live->dials_out_of_descriptors);
			if (upstream_give_up_one(w))
				continue;
		}
		upstream_close(u);
		return NULL;
	}
}

void upstream_keep(struct upstream *u, uint32_t idle_ms, uint32_t idle_max)
{
	struct worker *w = u->worker;
	struct backend *b = worker_backend(w, u->live);

	must(u->in == NULL);
	u->request = NULL;
	if (!is_quiet(u) || b->idle_count >= idle_max || worker_is_orphan(w, b) || w->draining) {
		upstream_close(u);
		return;
	}
	list_push_first(&b->idle, &u->link);
	b->idle_count++;
	loop_timer_start(w->loop, &u->idle_limit, idle_ms);
}

void upstream_close(struct upstream *u)
{
	if (u == NULL)
		return;
	struct worker *w = u->worker;

	if (!list_empty(&u->link))
		stop_being_idle(u);
	dial_cancel(&u->dial);
	loop_watch_close(w->loop, &u->server.watch);
	loop_timer_stop(w->loop, &u->idle_limit);
	buf_put(&w->bufs, u->in);
	slab_put(&w->upstreams_slab, u);
}

void upstream_close_idle(struct backend *b)
{
	LIST_EACH(&b->idle, it, next)
		upstream_close(CONTAINER_OF(it, struct upstream, link));
}

void upstream_close_orphans(struct worker *w)
{
	for (uint32_t i = 0; i < w->backend_count; i++)
		if (worker_is_orphan(w, &w->backends[i]))
			upstream_close_idle(&w->backends[i]);
}
