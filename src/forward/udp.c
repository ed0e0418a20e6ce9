#include "forward/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"
#include "forward/key.h"
#include "forward/place.h"
#include "forward/udp_flows.h"
#include "listen/datagrams.h"

/* What the ports of a loop share. */
struct udp {
	struct datagrams *batch;	/* owned */
	struct slab flows_slab;
	struct siphash_key secret;
};

struct udp_port {
	struct loop_watch watch;	/* owned: the listening socket */
	struct worker *worker;		/* borrowed */
	struct live_listener *live;	/* held by way of worker->now */
	uint32_t door;			/* index in worker->now */
	sa_family_t family;		/* the socket's */
	bool   draining;
	struct loop_timer quiet;	/* while draining */
	struct flow_table flows;
	struct link link;		/* in worker->udp_ports */
};

struct flow {
	struct flow_entry entry;	/* in port->flows */
	struct loop_watch watch;	/* owned: connected to the server; fd -1: homeless */
	struct loop_timer idle;
	struct udp_port  *port;		/* borrowed: ends after its flows */
	struct place      place;	/* at the server; taken unless homeless */
	struct edition   *edition;	/* used (held): has the server, and what was tried */
	struct tried      tried;	/* since the last answer */
};

static const struct model_listener *listener_of(const struct udp_port *port)
{
	return port->worker->now->doors[port->door].listener;
}

static struct lane *lane_of(const struct udp_port *port)
{
	const struct model_listener *l = listener_of(port);

	return &port->worker->now->lanes[l->routes[l->route_count - 1].pool];
}

static uint32_t flows_max(const struct udp_port *port)
{
	const struct model_listener *l = listener_of(port);

	return l->connections_max > 0 ? l->connections_max : UDP_FLOWS_MAX;
}

static void drop(const struct udp_port *port, uint32_t count)
{
	atomic_fetch_add_explicit(&port->live->datagrams_dropped, count, memory_order_relaxed);
}

static uint64_t bytes_of(const struct datagrams *batch, uint32_t first, uint32_t count)
{
	uint64_t bytes = 0;

	for (uint32_t i = first; i < first + count; i++)
		bytes += datagrams_length(batch, i);
	return bytes;
}

/* Something came, either way. */
static void rearm(struct flow *f)
{
	struct udp_port *port = f->port;

	loop_timer_start(port->worker->loop, &f->idle, listener_of(port)->idle_ms);
	if (port->draining)
		loop_timer_start(port->worker->loop, &port->quiet, UDP_QUIET_MS);
}

/* ---- a flow and its server ---- */

static void leave(struct flow *f)
{
	struct worker *w = f->port->worker;

	loop_watch_close(w->loop, &f->watch);
	place_leave(&f->place, w);
}

/* Not asked again before another one has answered. */
static void note_tried(struct flow *f, const struct lane *lane, const struct live_server *server)
{
	for (uint32_t i = 0; i < lane->view.count && f->tried.count < PICK_TRIED_MAX; i++)
		if (lane->view.servers[i].live == server)
			f->tried.at[f->tried.count++] = i;
}

static void use_newest(struct flow *f)
{
	struct edition *before = f->edition;

	f->edition = edition_use(f->port->worker->now);
	if (before != NULL)
		edition_release(before);
	f->tried.count = 0;		/* other servers, other numbers */
}

/* What the socket's error says of the server; FAILURE_NONE: nothing. */
static enum live_failure failure_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return FAILURE_REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
		return FAILURE_UNREACHABLE;
	default:
		return FAILURE_NONE;
	}
}

/* The server is not there: the next datagram looks for another. */
static void fail(struct flow *f, enum live_failure why)
{
	struct worker *w = f->port->worker;
	struct live_server *server = f->place.server;
	struct lane *lane = lane_of(f->port);

	place_fail(w, f->edition, lane, server, why);
	live_count(&server->retried_away);
	if (f->edition == w->now)
		note_tried(f, lane, server);
	leave(f);
}

static void on_server_ready(struct loop_watch *watch, unsigned events);

/* A socket for this server, watched. -1: none, and *error if the server is why.
 * Level-triggered, since with edges the loop would tell of each datagram that has left. */
static int connect_to(struct flow *f, const struct address *address, int *error)
{
	struct worker *w = f->port->worker;
	int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		live_count(&w->live->dials_out_of_descriptors);
		return -1;
	}
	loop_watch_init(&f->watch, fd, on_server_ready);
	if (connect(fd, &address->any, address->len) != 0) {
		*error = errno;
		goto close_fd;
	}
	if (loop_watch_register_level(w->loop, &f->watch) != 0) {
		live_count(&w->live->memory_refused);
		goto close_fd;
	}
	return 0;

close_fd:
	loop_watch_close(w->loop, &f->watch);
	return -1;
}

static uint64_t key_of(const struct flow *f, const struct model_pool *pool)
{
	union flow_address client;

	if (!pool->policy->wants_key)
		return 0;
	flow_key_client(&f->entry.key, AF_INET6, &client);
	return key_of_peer(&client.any, pool->key);
}

/* Asks the policy; those that have failed come again only when there are no others. */
static uint32_t pick_for(struct flow *f, struct lane *lane)
{
	const struct policy *policy = lane->pool->policy;
	uint64_t key = key_of(f, lane->pool);
	uint32_t at = policy->pick(&lane->view, &lane->state, key, &f->tried);

	if (at != PICK_NONE || pick_why_none(&lane->view, &f->tried) != PICK_ALL_TRIED)
		return at;
	f->tried.count = 0;
	return policy->pick(&lane->view, &lane->state, key, &f->tried);
}

/* Joins the server that the policy names. False: that is no use, another may be. */
static bool try_one(struct flow *f, struct lane *lane)
{
	struct worker *w = f->port->worker;
	int error = 0;

	if (place_take(&f->place, w, lane, pick_for(f, lane), &f->tried) != PLACE_TAKEN)
		return true;
	struct live_server *server = f->place.server;
	const struct address *address = atomic_load_explicit(&server->address,
							     memory_order_acquire);
	bool usable = address != NULL && address->any.sa_family != AF_UNIX;
	if (usable && connect_to(f, address, &error) == 0)
		return true;
	if (failure_of(error) != FAILURE_NONE)
		place_fail(w, f->edition, lane, server, failure_of(error));
	note_tried(f, lane, server);
	place_leave(&f->place, w);
	return false;
}

/* Finds a server for a homeless flow. False: there is none now. */
static bool join(struct flow *f)
{
	struct lane *lane = lane_of(f->port);

	if (f->edition != f->port->worker->now)
		use_newest(f);
	for (int tries = 0; tries < PICK_TRIED_MAX && !try_one(f, lane); tries++) {
	}
	return f->place.server != NULL;
}

/* Whether the server has gone, for this flow. If not, it works by the newest edition
 * from now on. */
static bool has_lost_its_server(struct flow *f)
{
	struct worker *w = f->port->worker;
	struct live_server *server = f->place.server;

	if (!atomic_load_explicit(&server->up, memory_order_relaxed))
		return true;
	if (f->edition == w->now)
		return false;
	if (worker_is_orphan(w, worker_backend(w, server)) ||
	    f->place.pool != lane_of(f->port)->pool->live)
		return true;
	use_newest(f);
	return false;
}

/* ---- the life of a flow ---- */

static void end_port(struct udp_port *port);

static void end_flow(struct flow *f)
{
	struct udp_port *port = f->port;
	struct worker *w = port->worker;

	leave(f);
	loop_timer_stop(w->loop, &f->idle);
	if (f->edition != NULL)
		edition_release(f->edition);
	flow_table_remove(&port->flows, &f->entry);
	slab_put(&w->udp->flows_slab, f);
	atomic_fetch_sub_explicit(&port->live->flows, 1, memory_order_relaxed);
	uint64_t waiting = gate_leave(&w->live->connections);
	if (waiting != 0)
		worker_wake(w, waiting);
}

static void on_idle(struct loop_timer *t)
{
	struct flow *f = CONTAINER_OF(t, struct flow, idle);
	struct udp_port *port = f->port;

	worker_sweep(port->worker);
	end_flow(f);
	if (port->draining && port->flows.count == 0)
		end_port(port);
}

/* A place among the listener's flows and among the process's connections. */
static bool enter(struct udp_port *port)
{
	struct worker *w = port->worker;
	uint32_t max = w->now->model->connections_max;

	if (atomic_fetch_add_explicit(&port->live->flows, 1, memory_order_relaxed) >=
	    flows_max(port))
		goto leave_listener;
	if (!gate_has_room(&w->live->connections, max) ||
	    !gate_enter(&w->live->connections, max, w->number))
		goto leave_listener;
	return true;

leave_listener:
	atomic_fetch_sub_explicit(&port->live->flows, 1, memory_order_relaxed);
	live_count(&port->live->flows_full);
	return false;
}

/* NULL: there is no place, no memory or no server for it. */
static struct flow *begin_flow(struct udp_port *port, const struct flow_key *key)
{
	struct worker *w = port->worker;

	if (port->draining || !enter(port))
		return NULL;
	struct flow *f = slab_get(&w->udp->flows_slab);
	if (f == NULL) {
		live_count(&w->live->memory_refused);
		atomic_fetch_sub_explicit(&port->live->flows, 1, memory_order_relaxed);
		worker_wake(w, gate_leave(&w->live->connections));
		return NULL;
	}
	*f = (struct flow){.port = port, .watch.fd = -1};
	loop_timer_init(&f->idle, on_idle);
	flow_table_add(&port->flows, &f->entry, key);
	live_count(&port->live->accepted);
	if (!join(f)) {
		end_flow(f);
		return NULL;
	}
	return f;
}

/* ---- from clients to servers ---- */

/* Sends some of the batch. An error of an earlier datagram is told when the next one is
 * to be sent: that one goes to another server. Each round but the last either sends a
 * datagram or follows one that did. */
static void send_up(struct flow *f, uint32_t first, uint32_t count)
{
	struct udp_port *port = f->port;
	struct datagrams *batch = port->worker->udp->batch;
	int error;

	rearm(f);
	while (count > 0) {
		if (f->place.server != NULL && has_lost_its_server(f))
			leave(f);
		if (f->place.server == NULL && !join(f)) {
			drop(port, count);
			return;
		}
		uint32_t sent = datagrams_send_connected(batch, f->watch.fd, first, count,
							 &error);
		if (sent > 0) {
			atomic_fetch_add_explicit(&f->place.pool->bytes_up,
						  bytes_of(batch, first, sent),
						  memory_order_relaxed);
		} else if (failure_of(error) != FAILURE_NONE) {
			fail(f, failure_of(error));
		} else {
			drop(port, 1);		/* it does not fit, or nothing does now */
			sent = 1;
		}
		first += sent;
		count -= sent;
	}
}

static struct flow_key key_of_datagram(const struct udp_port *port, uint32_t i)
{
	const struct datagrams *batch = port->worker->udp->batch;
	struct in6_addr local;
	bool told = datagrams_local(batch, i, &local);

	return flow_key_of(datagrams_peer(batch, i), told ? &local : NULL);
}

static void on_clients_ready(struct loop_watch *watch, unsigned events)
{
	struct udp_port *port = CONTAINER_OF(watch, struct udp_port, watch);
	int error;

	(void)events;
	worker_sweep(port->worker);
	uint32_t count = datagrams_receive(port->worker->udp->batch, watch->fd, &error);
	if (count == 0)
		return;
	struct flow_key key = key_of_datagram(port, 0);
	for (uint32_t first = 0, end; first < count; first = end) {
		struct flow_key next = key;
		for (end = first + 1; end < count; end++) {
			next = key_of_datagram(port, end);
			if (!flow_key_equals(&next, &key))
				break;
		}
		struct flow_entry *found = flow_table_find(&port->flows, &key);
		struct flow *f = found != NULL ? CONTAINER_OF(found, struct flow, entry)
					       : begin_flow(port, &key);
		if (f != NULL)
			send_up(f, first, end - first);
		else
			drop(port, end - first);
		key = next;
	}
}

/* ---- from servers to clients ---- */

static void send_down(const struct flow *f, uint32_t count)
{
	struct udp_port *port = f->port;
	struct datagrams *batch = port->worker->udp->batch;
	const struct flow_key *key = &f->entry.key;
	union flow_address client;
	uint64_t bytes = 0;
	int error;

	flow_key_client(key, port->family, &client);
	datagrams_address(batch, &client.any, port->family,
			  IN6_IS_ADDR_UNSPECIFIED(&key->local) ? NULL : &key->local);
	for (uint32_t first = 0; first < count; ) {
		uint32_t sent = datagrams_send(batch, port->watch.fd, first, count - first,
					       &error);
		bytes += bytes_of(batch, first, sent);
		if (sent == 0) {
			drop(port, 1);
			sent = 1;
		}
		first += sent;
	}
	atomic_fetch_add_explicit(&f->place.pool->bytes_down, bytes, memory_order_relaxed);
}

static void on_server_ready(struct loop_watch *watch, unsigned events)
{
	struct flow *f = CONTAINER_OF(watch, struct flow, watch);
	struct worker *w = f->port->worker;
	int error = 0;

	(void)events;
	worker_sweep(w);
	uint32_t count = datagrams_receive_connected(w->udp->batch, watch->fd, &error);
	if (count == 0) {
		if (failure_of(error) != FAILURE_NONE)
			fail(f, failure_of(error));
		return;
	}
	live_server_succeeded(f->place.server);
	f->tried.count = 0;
	rearm(f);
	send_down(f, count);
}

/* ---- ports ---- */

static void end_port(struct udp_port *port)
{
	struct worker *w = port->worker;
	struct flow_entry *entry;
	uint32_t from = 0;

	while ((entry = flow_table_any(&port->flows, &from)) != NULL)
		end_flow(CONTAINER_OF(entry, struct flow, entry));
	flow_table_fini(&port->flows);
	loop_timer_stop(w->loop, &port->quiet);
	loop_watch_close(w->loop, &port->watch);
	list_remove(&port->link);
	free(port);
	worker_look_whether_drained(w);
}

static void on_quiet(struct loop_timer *t)
{
	struct udp_port *port = CONTAINER_OF(t, struct udp_port, quiet);

	worker_sweep(port->worker);
	end_port(port);
}

static struct udp *create_shared(void)
{
	struct udp *u = memory_new(1, sizeof *u);

	u->batch = datagrams_create();
	slab_init(&u->flows_slab, sizeof(struct flow));
	must(getrandom(&u->secret, sizeof u->secret, 0) == (ssize_t)sizeof u->secret);
	return u;
}

static sa_family_t family_of(int fd)
{
	union flow_address name = {0};
	socklen_t len = sizeof name;

	must(getsockname(fd, &name.any, &len) == 0);
	return name.any.sa_family;
}

void udp_open(struct worker *w, const struct port_opening *opening, uint32_t door)
{
	struct udp_port *port = memory_new(1, sizeof *port);

	if (w->udp == NULL)
		w->udp = create_shared();
	port->worker = w;
	port->live = opening->live;
	port->door = door;
	port->family = family_of(opening->fd);
	loop_timer_init(&port->quiet, on_quiet);
	flow_table_init(&port->flows, flows_max(port), &w->udp->secret);
	list_push_last(&w->udp_ports, &port->link);
	loop_watch_init(&port->watch, opening->fd, on_clients_ready);
	if (loop_watch_register_level(w->loop, &port->watch) != 0)
		live_count(&w->live->memory_refused);
}

void udp_adopt(struct worker *w)
{
	LIST_EACH(&w->udp_ports, it, next) {
		struct udp_port *port = CONTAINER_OF(it, struct udp_port, link);
		int32_t door = edition_find_door(w->now, port->live);
		if (door < 0) {
			end_port(port);
			continue;
		}
		port->door = (uint32_t)door;
		flow_table_resize(&port->flows, flows_max(port));
	}
}

void udp_drain(struct worker *w)
{
	LIST_EACH(&w->udp_ports, it, next) {
		struct udp_port *port = CONTAINER_OF(it, struct udp_port, link);
		port->draining = true;
		loop_timer_start(w->loop, &port->quiet, UDP_QUIET_MS);
		if (port->flows.count == 0)
			end_port(port);
	}
}

void udp_end_all(struct worker *w)
{
	LIST_EACH(&w->udp_ports, it, next)
		end_port(CONTAINER_OF(it, struct udp_port, link));
}

void udp_fini(struct worker *w)
{
	if (w->udp == NULL)
		return;
	must(list_empty(&w->udp_ports));
	datagrams_destroy(w->udp->batch);
	slab_fini(&w->udp->flows_slab);
	free(w->udp);
	w->udp = NULL;
}
