#include "forward/worker_thread.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/hmac.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "forward/batch.h"
#include "forward/http_request.h"
#include "forward/record.h"
#include "forward/tcp_session.h"
#include "forward/udp.h"
#include "forward/upstream.h"

enum { PROXY_SAID_MS = 1000 };

/* By enum listener_kind, of those whose clients have a server each. Listeners of other
 * kinds are never opened here, and their live parts are never those of a port. */
static const struct protocol *const protocols[] = {
	[LISTEN_HTTP] = &protocol_http,
	[LISTEN_TCP] = &protocol_tcp,
};

/* ---- places ---- */

static struct port *port_of(struct acceptor *a)
{
	return CONTAINER_OF(a, struct port, acceptor);
}

static uint32_t connections_max(const struct worker *w)
{
	return atomic_load_explicit(&w->live->connections_max, memory_order_relaxed);
}

/* Has the other loops give up idle connections. Not by waking them: they would look for
 * places too, find none and wake us, and so on until one is free. */
static void ask_for_room(const struct worker *w)
{
	for (unsigned i = 0; i < MODEL_LOOPS_MAX && w->all[i] != NULL; i++)
		if (i != w->number && !atomic_exchange(&w->all[i]->room_posted, true))
			loop_post(w->all[i]->loop, &w->all[i]->room);
}

/* One place in the process and one at the listener. A listener without one asks its
 * idle connections to make room, and answers say Connection: close from now on. */
static bool enter(struct acceptor *a)
{
	struct port *port = port_of(a), *whose = NULL;	/* NULL: anybody's will do */
	struct worker *w = port->worker;

	if (!gate_enter(&w->live->connections, connections_max(w), w->number))
		goto none;
	if (!gate_enter(&port->live->connections, port_door(port)->listener->connections_max,
			w->number)) {
		worker_wake(w, gate_leave(&w->live->connections));
		whose = port;
		goto none;
	}
	return true;

none:
	live_count(&port->live->accept_paused);
	if (!session_make_room(w, whose, false))
		ask_for_room(w);
	return false;
}

static bool has_place(struct acceptor *a)
{
	struct port *port = port_of(a);
	struct worker *w = port->worker;

	return gate_has_room(&w->live->connections, connections_max(w)) &&
	       gate_has_room(&port->live->connections, port_door(port)->listener->connections_max);
}

static void leave_gates(struct worker *w, struct port *port)
{
	uint64_t waiting = gate_leave(&port->live->connections) |
			   gate_leave(&w->live->connections);
	if (waiting != 0)
		worker_wake(w, waiting);
}

static void leave(struct acceptor *a)
{
	leave_gates(port_of(a)->worker, port_of(a));
}

static void on_accept(struct acceptor *a, int fd, const struct sockaddr *peer)
{
	worker_sweep(port_of(a)->worker);
	port_of(a)->protocol->begin(port_of(a), fd, peer);
}

static void on_starved(struct acceptor *a)
{
	struct port *port = port_of(a);

	live_count(&port->worker->live->accept_out_of_descriptors);
	session_make_room(port->worker, port, true);
}

static void end_port(struct port *port)
{
	struct worker *w = port->worker;

	loop_timer_stop(w->loop, &port->acceptor.retry);
	loop_timer_stop(w->loop, &port->limit);
	loop_watch_close(w->loop, &port->acceptor.watch);
	list_remove(&port->link);
	if (port->removed)
		edition_release(port->edition);
	free(port);
}

void worker_look_whether_drained(struct worker *w)
{
	if (!w->draining || w->drained || w->session_count > 0 || !list_empty(&w->udp_ports))
		return;
	w->drained = true;
	loop_timer_stop(w->loop, &w->drain_limit);
	w->hooks.drained(w->hooks.arg, w);
}

void worker_count_session(struct worker *w, struct port *port, int one)
{
	w->session_count += (uint32_t)one;
	port->sessions += (uint32_t)one;
	if (one > 0) {
		live_count(&port->live->accepted);
		return;
	}
	leave_gates(w, port);
	if (port->removed && port->sessions == 0)
		end_port(port);
	worker_look_whether_drained(w);
}

void worker_refuse_proxy(struct port *port, const char *peer, const char *why)
{
	struct worker *w = port->worker;
	uint64_t now_ms = loop_now_ms(w->loop);

	live_count(&port->live->proxy_refused);
	if (w->proxy_said_ms != 0 && now_ms - w->proxy_said_ms < PROXY_SAID_MS)
		return;
	w->proxy_said_ms = now_ms;
	log_warn("PROXY header refused: %s listener=%s peer=%s refused=%llu", why,
		 port->live->text, peer, atomic_load(&port->live->proxy_refused));
}

/* ---- waking ---- */

static void retry_queue(struct link *queue)
{
	LIST_EACH(queue, it, next) {
		struct waiter *waiter = CONTAINER_OF(it, struct waiter, link);
		bool choosy = waiter->choosy;
		if (!waiter->retry(waiter) && !choosy)
			return;		/* still no room: nor for those behind it */
	}
}

/* Whether another loop has a connection for which there is no place. */
static bool others_wait_at(const struct worker *w, const struct gate *g)
{
	uint64_t waiting = atomic_load_explicit(&g->waiting_loops, memory_order_relaxed);

	return (waiting & ~(1ull << w->number)) != 0;
}

static void on_wake(struct loop_job *job)
{
	struct worker *w = CONTAINER_OF(job, struct worker, wake);

	atomic_store(&w->wake_posted, false);
	worker_sweep(w);
	LIST_EACH(&w->editions, it, next) {
		struct edition *e = edition_use(CONTAINER_OF(it, struct edition, link));
		for (uint32_t i = 0; i < e->model->listener_count; i++)
			retry_queue(&e->doors[i].waiting);
		for (uint32_t i = 0; i < e->model->pool_count; i++)
			retry_queue(&e->lanes[i].waiting);
		next = e->link.next;
		edition_release(e);
	}
	LIST_EACH(&w->ports, it, next)
		acceptor_resume(&CONTAINER_OF(it, struct port, link)->acceptor);
}

static void on_room_asked(struct loop_job *job)
{
	struct worker *w = CONTAINER_OF(job, struct worker, room);

	atomic_store(&w->room_posted, false);
	worker_sweep(w);
	if (others_wait_at(w, &w->live->connections))
		session_make_room(w, NULL, false);
	LIST_EACH(&w->ports, it, next) {
		struct port *port = CONTAINER_OF(it, struct port, link);
		if (others_wait_at(w, &port->live->connections))
			session_make_room(w, port, false);
	}
}

void worker_wake(struct worker *w, uint64_t loops)
{
	while (loops != 0) {
		struct worker *other = w->all[__builtin_ctzll(loops)];
		loops &= loops - 1;
		if (!atomic_exchange(&other->wake_posted, true))
			loop_post(other->loop, &other->wake);
	}
}

void worker_join(struct worker *w, struct backend *b, struct link *session,
		 struct edition *e, uint32_t lane)
{
	if (list_empty(&b->joined) && worker_is_orphan(w, b)) {
		b->edition = edition_use(e);
		b->lane = lane;
	}
	list_push_last(&b->joined, session);
}

void worker_part(struct worker *w, struct backend *b, struct link *session)
{
	list_remove(session);
	if (!list_empty(&b->joined) || !worker_is_orphan(w, b))
		return;
	struct edition *e = b->edition;
	b->edition = NULL;
	edition_release(e);
}

void worker_sweep(struct worker *w)
{
	while (w->dead != NULL) {
		struct grave *g = w->dead;
		w->dead = g->next;
		slab_put(g->slab, g);
	}
}

/* ---- a new edition ---- */

/* Who waits for a server that there was none of may find it in the new one. */
static void move_waiters(struct worker *w)
{
	LIST_EACH(&w->editions, it, next) {
		struct edition *e = edition_use(CONTAINER_OF(it, struct edition, link));
		for (uint32_t i = 0; e != w->now && i < e->model->pool_count; i++) {
			LIST_EACH(&e->lanes[i].waiting, waiting, behind) {
				struct waiter *waiter =
					CONTAINER_OF(waiting, struct waiter, link);
				waiter->follow(waiter);
			}
		}
		next = e->link.next;
		edition_release(e);
	}
}

struct adoption {
	struct loop_job job;
	struct worker  *worker;
	struct edition *edition;
	struct port_opening *openings;
	uint32_t count;
};

static void on_port_limit(struct loop_timer *t)
{
	struct port *port = CONTAINER_OF(t, struct port, limit);

	worker_sweep(port->worker);
	protocol_tcp.end_all(port->worker, port);
}

/* Of all kinds: a removed listener may have been of another one before. */
static void begin_drain(struct worker *w, const struct port *port)
{
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		protocols[i]->begin_drain(w, port);
}

static void open_port(struct worker *w, const struct port_opening *opening)
{
	int32_t door = edition_find_door(w->now, opening->live);

	must(door >= 0);
	if (w->now->model->listeners[door].kind == LISTEN_UDP) {
		udp_open(w, opening, (uint32_t)door);
		return;
	}
	struct port *port = memory_new(1, sizeof *port);

	port->worker = w;
	port->live = opening->live;
	port->edition = w->now;
	port->door = door;
	port->protocol = protocols[w->now->model->listeners[port->door].kind];
	loop_timer_init(&port->limit, on_port_limit);
	port->acceptor.enter = enter;
	port->acceptor.has_place = has_place;
	port->acceptor.leave = leave;
	port->acceptor.on_accept = on_accept;
	port->acceptor.on_starved = on_starved;
	list_push_last(&w->ports, &port->link);
	acceptor_start(&port->acceptor, w->loop, opening->fd);
}

/* A listener that is no longer wanted. Its sessions end as they become idle, and until
 * then work by the last edition that had it. */
static void remove_port(struct worker *w, struct port *port)
{
	acceptor_stop(&port->acceptor);	/* what waits in its queue is still served */
	port->removed = true;
	edition_use(port->edition);
	if (port->sessions == 0)
		end_port(port);
	else
		begin_drain(w, port);
}

/* A list's first and last elements point at its head: it is moved by hand. */
static void move_list(struct link *from, struct link *to)
{
	if (list_empty(from))
		return;
	list_insert(from, to);
	list_remove(from);
}

static void grow_backends(struct worker *w, const struct model *m)
{
	uint32_t count = w->backend_count;

	for (uint32_t i = 0; i < m->pool_count; i++)
		for (uint32_t j = 0; j < m->pools[i].server_count; j++)
			if (m->pools[i].servers[j].live->id >= count)
				count = m->pools[i].servers[j].live->id + 1;
	if (count == w->backend_count)
		return;
	struct backend *grown = memory_new(count, sizeof *grown);
	for (uint32_t i = 0; i < count; i++) {
		list_init(&grown[i].idle);
		list_init(&grown[i].joined);
		if (i >= w->backend_count)
			continue;
		struct backend *old = &w->backends[i];
		grown[i].idle_count = old->idle_count;
		grown[i].edition = old->edition;
		grown[i].edition_number = old->edition_number;
		grown[i].lane = old->lane;
		grown[i].verdict = old->verdict;
		grown[i].departure = old->departure;
		move_list(&old->idle, &grown[i].idle);
		move_list(&old->joined, &grown[i].joined);
	}
	free(w->backends);
	w->backends = grown;
	w->backend_count = count;
}

/* Which backends the new edition has. What is joined to one that it lacks still needs the
 * old one; what is joined to one that has come back needs it no longer. */
static void renew_backends(struct worker *w, struct edition *before)
{
	const struct model *m = w->now->model;

	for (uint32_t i = 0; i < m->pool_count; i++) {
		for (uint32_t j = 0; j < m->pools[i].server_count; j++) {
			struct backend *b = worker_backend(w, m->pools[i].servers[j].live);
			bool held = b->edition != before && !list_empty(&b->joined);
			struct edition *old = b->edition;
			b->edition = w->now;
			b->edition_number = w->edition_number;
			b->lane = i;
			if (held)
				edition_release(old);
		}
	}
	for (uint32_t i = 0; before != NULL && i < w->backend_count; i++) {
		struct backend *b = &w->backends[i];
		if (b->edition == before && !list_empty(&b->joined))
			edition_use(before);
		else if (b->edition == before)
			b->edition = NULL;
	}
}

static void on_adopt(struct loop_job *job)
{
	struct adoption *a = CONTAINER_OF(job, struct adoption, job);
	struct worker *w = a->worker;
	struct edition *before = w->now;

	worker_sweep(w);
	LIST_EACH(&w->ports, it, next) {
		struct port *port = CONTAINER_OF(it, struct port, link);
		if (!port->removed && edition_find_door(a->edition, port->live) < 0)
			remove_port(w, port);
	}
	w->now = a->edition;
	w->edition_number++;
	list_push_last(&w->editions, &w->now->link);
	grow_backends(w, w->now->model);
	renew_backends(w, before);
	LIST_EACH(&w->ports, it, next) {
		struct port *port = CONTAINER_OF(it, struct port, link);
		if (port->removed)
			continue;
		port->edition = w->now;
		port->door = edition_find_door(w->now, port->live);
		/* What has begun as another kind ends as that. */
		port->protocol = protocols[port_door(port)->listener->kind];
	}
	for (uint32_t i = 0; i < a->count; i++)
		open_port(w, &a->openings[i]);
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		protocols[i]->adopt(w);
	udp_adopt(w);
	move_waiters(w);
	if (before != NULL)
		edition_release(before);
	/* Limits may have grown, and servers have come. */
	worker_wake(w, 1ull << w->number);
	free(a->openings);
	free(a);
}

void worker_adopt(struct worker *w, struct edition *e, struct port_opening *openings,
		  uint32_t count)
{
	struct adoption *a = memory_new(1, sizeof *a);

	*a = (struct adoption){
		.job.run = on_adopt, .worker = w, .edition = e, .openings = openings,
		.count = count,
	};
	loop_post(w->loop, &a->job);
}

/* ---- the end ---- */

struct draining {
	struct loop_job job;
	struct worker  *worker;
	uint32_t        limit_ms;
	bool            unhurried;
};

static void on_drain_limit(struct loop_timer *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, drain_limit);

	worker_sweep(w);
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		protocols[i]->end_all(w, NULL);
	udp_end_all(w);
}

static void on_drain(struct loop_job *job)
{
	struct draining *d = CONTAINER_OF(job, struct draining, job);
	struct worker *w = d->worker;

	worker_sweep(w);
	if (!w->draining) {
		w->draining = true;
		w->unhurried = d->unhurried;
		LIST_EACH(&w->ports, it, next)
			acceptor_stop(&CONTAINER_OF(it, struct port, link)->acceptor);
		batch_flush_all(w);
		begin_drain(w, NULL);
		udp_drain(w);
		for (uint32_t i = 0; i < w->backend_count; i++)
			upstream_close_idle(&w->backends[i]);
	} else if (w->unhurried && !d->unhurried) {
		w->unhurried = false;
		begin_drain(w, NULL);
		udp_drain(w);
	}
	if (d->limit_ms == 0)
		on_drain_limit(&w->drain_limit);
	else if (!w->drained && d->limit_ms != UINT32_MAX)
		loop_timer_start(w->loop, &w->drain_limit, d->limit_ms);
	worker_look_whether_drained(w);
	free(d);
}

static void ask_to_drain(struct worker *w, uint32_t limit_ms, bool unhurried)
{
	struct draining *d = memory_new(1, sizeof *d);

	*d = (struct draining){.job.run = on_drain, .worker = w, .limit_ms = limit_ms,
			       .unhurried = unhurried};
	loop_post(w->loop, &d->job);
}

void worker_drain(struct worker *w, uint32_t limit_ms)
{
	ask_to_drain(w, limit_ms, false);
}

void worker_leave(struct worker *w, uint32_t limit_ms)
{
	ask_to_drain(w, limit_ms, true);
}

static void on_hold_limit(struct loop_timer *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, hold_limit);

	worker_sweep(w);
	session_release_all(w);
}

/* splitmix64 twice, with odd steps of their own: 128 bits of state. */
uint64_t worker_random(struct worker *w)
{
	w->random[0] += UINT64_C(0x9e3779b97f4a7c15);
	w->random[1] += UINT64_C(0xd1342543de82ef95);
	return hash_mix(w->random[0]) ^ hash_mix(w->random[1] ^ UINT64_C(0x2545f4914f6cdd1d));
}

bool worker_samples(struct worker *w)
{
	unsigned part = atomic_load_explicit(&w->records->part, memory_order_relaxed);

	return part <= 1 || worker_random(w) % part == 0;
}

struct worker *worker_create(unsigned number, struct live *live, struct worker **all,
			     const struct worker_hooks *hooks, struct err *err)
{
	struct loop *loop = loop_create(err);
	if (loop == NULL)
		return NULL;
	struct worker *w = memory_new(1, sizeof *w);

	w->number = number;
	w->loop = loop;
	w->live = live;
	w->all = all;
	w->hooks = *hooks;
	hmac_random(w->random, sizeof w->random);
	w->wake.run = on_wake;
	w->room.run = on_room_asked;
	list_init(&w->editions);
	list_init(&w->ports);
	list_init(&w->sessions);
	list_init(&w->idle);
	list_init(&w->holding);
	loop_timer_init(&w->hold_limit, on_hold_limit);
	list_init(&w->tcp_sessions);
	list_init(&w->udp_ports);
	slab_init(&w->sessions_slab, sizeof(struct session));
	slab_init(&w->requests_slab, sizeof(struct request));
	slab_init(&w->upstreams_slab, sizeof(struct upstream));
	slab_init(&w->tcp_slab, sizeof(struct tcp_session));
	slab_init(&w->tcp_reach_slab, sizeof(struct tcp_reach));
	buf_pool_init(&w->bufs);
	loop_timer_init(&w->drain_limit, on_drain_limit);
	char *room = memory_new(1, SCRATCH_HEADROOM + SCRATCH_BYTES + SCRATCH_TAILROOM);
	w->scratch = room + SCRATCH_HEADROOM;
	w->head_out = memory_new(1, H1_HEAD_MAX + SCRATCH_HEADROOM);
	w->head = memory_new(1, sizeof *w->head);
	return w;
}

void worker_destroy(struct worker *w)
{
	loop_turn(w->loop, 0);			/* messages that were not read yet */
	w->draining = w->drained = true;	/* nobody is told any more */
	on_drain_limit(&w->drain_limit);
	worker_sweep(w);
	for (uint32_t i = 0; i < w->backend_count; i++)
		upstream_close_idle(&w->backends[i]);
	LIST_EACH(&w->ports, it, next)
		end_port(CONTAINER_OF(it, struct port, link));
	loop_timer_stop(w->loop, &w->drain_limit);
	loop_timer_stop(w->loop, &w->hold_limit);
	if (w->now != NULL)
		edition_release(w->now);
	udp_fini(w);
	pipes_fini(&w->pipes);
	slab_fini(&w->sessions_slab);
	slab_fini(&w->requests_slab);
	slab_fini(&w->upstreams_slab);
	slab_fini(&w->tcp_slab);
	slab_fini(&w->tcp_reach_slab);
	buf_pool_fini(&w->bufs);
	loop_destroy(w->loop);
	free(w->backends);
	free(w->scratch - SCRATCH_HEADROOM);
	free(w->head_out);
	free(w->head);
	free(w);
}
