#include "kv/port.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "kv/client.h"
#include "kv/link.h"

static struct kv_port *port_of(struct acceptor *a)
{
	return CONTAINER_OF(a, struct kv_port, acceptor);
}

static uint32_t connections_max(const struct kv_hub *hub)
{
	return atomic_load_explicit(&hub->live->connections_max, memory_order_relaxed);
}

/* Nobody wakes us at a gate that others leave: we look again. */
static bool look_later(struct kv_port *port)
{
	live_count(&port->live->accept_paused);
	loop_timer_start(port->hub->loop, &port->acceptor.retry, ACCEPT_PAUSE_MS);
	return false;
}

/* Connections that are silent must not keep workers out: the oldest of them give way.
 * Their places are free at the end of this turn. */
static bool make_way(struct kv_port *port)
{
	enum { AT_ONCE = KV_LINKS_MAX / 8, LOOK_MS = 1 };
	uint32_t count = kv_link_end_silent(port->hub, AT_ONCE);

	if (count == 0)
		return look_later(port);
	log_warn("%u connections of workers that have not said who they are give way to "
		 "others pool=%s", count, port->pool->shared->name);
	live_count(&port->live->accept_paused);
	loop_timer_start(port->hub->loop, &port->acceptor.retry, LOOK_MS);
	return false;
}

static bool enter(struct acceptor *a)
{
	struct kv_port *port = port_of(a);
	struct kv_hub *hub = port->hub;

	if (port->for_workers)
		return hub->link_count < KV_LINKS_MAX || make_way(port);
	if (!gate_enter(&hub->live->connections, connections_max(hub), hub->number))
		return look_later(port);
	if (gate_enter(&port->live->connections, port->listener->connections_max,
		       hub->number))
		return true;
	hub->hooks.wake(hub->hooks.arg, gate_leave(&hub->live->connections));
	return look_later(port);
}

static bool has_place(struct acceptor *a)
{
	struct kv_port *port = port_of(a);

	if (port->for_workers)
		return port->hub->link_count < KV_LINKS_MAX;
	return gate_has_room(&port->hub->live->connections, connections_max(port->hub)) &&
	       gate_has_room(&port->live->connections, port->listener->connections_max);
}

static void leave_gates(struct kv_port *port)
{
	uint64_t waiting = gate_leave(&port->live->connections) |
			   gate_leave(&port->hub->live->connections);

	if (waiting != 0)
		port->hub->hooks.wake(port->hub->hooks.arg, waiting);
}

static void leave(struct acceptor *a)
{
	if (!port_of(a)->for_workers)
		leave_gates(port_of(a));
}

static void on_accept(struct acceptor *a, int fd, const struct sockaddr *peer)
{
	struct kv_port *port = port_of(a);

	(void)peer;
	if (port->for_workers)
		kv_link_begin(port, fd);
	else
		kv_client_begin(port, fd);
}

static void on_starved(struct acceptor *a)
{
	live_count(&port_of(a)->hub->live->accept_out_of_descriptors);
}

static const struct model_listener *find_listener(const struct model *m,
						  const struct live_listener *live)
{
	for (uint32_t i = 0; i < m->listener_count; i++)
		if (m->listeners[i].live == live)
			return &m->listeners[i];
	return NULL;
}

void kv_port_open(struct kv_hub *hub, const struct kv_opening *opening)
{
	struct kv_port *port = memory_new(1, sizeof *port);

	port->hub = hub;
	port->live = opening->live;
	port->for_workers = opening->for_workers;
	list_init(&port->link);
	port->edition = kv_edition_use(hub->now);
	port->listener = find_listener(hub->now->model, port->live);
	must(port->listener != NULL);
	port->pool = kv_pool_use(
		hub, hub->now->model->pools[port->listener->routes[0].pool].live);
	port->acceptor = (struct acceptor){
		.enter = enter, .has_place = has_place, .leave = leave,
		.on_accept = on_accept, .on_starved = on_starved,
	};
	list_push_last(&hub->ports, &port->link);
	acceptor_start(&port->acceptor, hub->loop, opening->fd);
}

/* Whether the model still asks for this socket: the listener is there, and its workers'
 * address, if it is for those, is the one that we listen on. */
static bool is_wanted(const struct kv_port *port, const struct model_listener *l)
{
	if (l == NULL || l->kind != LISTEN_KV)
		return false;
	return !port->for_workers ||
	       address_equals(&l->workers, &port->listener->workers);
}

void kv_port_adopt(struct kv_port *port, struct kv_edition *e)
{
	const struct model_listener *l = find_listener(e->model, port->live);

	if (port->removed)
		return;
	if (!is_wanted(port, l)) {
		kv_port_remove(port);
		return;
	}
	struct kv_pool *before = port->pool;
	port->pool = kv_pool_use(port->hub, e->model->pools[l->routes[0].pool].live);
	port->listener = l;
	kv_edition_release(port->edition);
	port->edition = kv_edition_use(e);
	kv_pool_release(before);
}

void kv_port_end(struct kv_port *port)
{
	struct kv_hub *hub = port->hub;

	loop_timer_stop(hub->loop, &port->acceptor.retry);
	loop_watch_close(hub->loop, &port->acceptor.watch);
	list_remove(&port->link);
	kv_pool_release(port->pool);
	kv_edition_release(port->edition);
	free(port);
}

void kv_port_remove(struct kv_port *port)
{
	struct kv_hub *hub = port->hub;

	acceptor_stop(&port->acceptor);
	port->removed = true;
	LIST_EACH(&hub->clients, it, next) {
		struct kv_client *c = CONTAINER_OF(it, struct kv_client, link);
		if (c->port == port)
			kv_client_close(c);
	}
	kv_hub_at_end(hub);
	if (port->clients == 0)
		kv_port_end(port);
}

void kv_port_leave(struct kv_port *port)
{
	port->clients--;
	leave_gates(port);
	if (port->removed && port->clients == 0)
		kv_port_end(port);
}
