#include "forward/udp_flow.h"

#include <errno.h>
#include <sys/socket.h>

#include "forward/key.h"

static struct lane *lane_of(const struct udp_port *port)
{
	return edition_lane(port->worker->now, udp_listener(port));
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

	loop_timer_start(port->worker->loop, &f->idle, udp_listener(port)->idle_ms);
	if (port->draining && !port->worker->unhurried)
		loop_timer_start(port->worker->loop, &port->quiet, UDP_QUIET_MS);
}

/* ---- a flow and its server ---- */

static void leave(struct flow *f)
{
	struct worker *w = f->port->worker;

	loop_watch_close(w->loop, &f->watch);
	place_leave(&f->place, w);
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
		place_note_tried(lane, server, &f->tried);	/* until another answers */
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
	uint64_t key = key_of(f, lane->pool);
	uint32_t at = place_pick(lane, key, &f->tried);

	if (at != PICK_NONE || pick_why_none(&lane->view, &f->tried) == PICK_ALL_BUSY)
		return at;
	f->tried.count = 0;
	return place_pick(lane, key, &f->tried);
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
	place_note_tried(lane, server, &f->tried);	/* until another answers */
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

void flow_end(struct flow *f)
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
	flow_end(f);
	if (port->draining && port->flows.count == 0)
		udp_end_port(port);
}

/* A place among the listener's flows and among the process's connections. */
static bool enter(struct udp_port *port)
{
	struct worker *w = port->worker;
	uint32_t max = atomic_load_explicit(&w->live->connections_max, memory_order_relaxed);

	if (atomic_fetch_add_explicit(&port->live->flows, 1, memory_order_relaxed) >=
	    udp_flows_max(port))
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

struct flow *flow_begin(struct udp_port *port, const struct flow_key *key)
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
	if (!join(f)) {
		flow_end(f);
		return NULL;
	}
	live_count(&port->live->accepted);
	return f;
}

/* ---- from clients to servers ---- */

/* An error of an earlier datagram is told when the next one is to be sent: that one goes
 * to another server. */
void flow_send_up(struct flow *f, uint32_t first, uint32_t count)
{
	struct udp_port *port = f->port;
	struct datagrams *batch = port->worker->udp->batch;
	int error, moves_left = PICK_TRIED_MAX;

	rearm(f);
	while (count > 0) {
		if (f->place.server != NULL && has_lost_its_server(f))
			leave(f);
		if (f->place.server == NULL && !join(f)) {
			udp_drop(port, count);
			return;
		}
		uint32_t sent = datagrams_send_connected(batch, f->watch.fd, first, count,
							 &error);
		if (sent > 0) {
			atomic_fetch_add_explicit(&f->place.pool->bytes_up,
						  bytes_of(batch, first, sent),
						  memory_order_relaxed);
		} else if (failure_of(error) != FAILURE_NONE && moves_left-- > 0) {
			fail(f, failure_of(error));
		} else {
			udp_drop(port, 1);	/* it does not fit, or nothing does now */
			sent = 1;
		}
		first += sent;
		count -= sent;
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
			udp_drop(port, 1);
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
	place_succeed(w, f->edition, lane_of(f->port), f->place.server);
	f->tried.count = 0;
	rearm(f);
	send_down(f, count);
}
