/* forward/udp.c - the ports: which flow a datagram from a client belongs to, and how they
 * come and go with listeners and with the worker.
 */
#include <stdlib.h>
#include <sys/random.h>

#include "base/memory.h"
#include "base/must.h"
#include "forward/udp.h"
#include "forward/udp_flow.h"

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
					       : flow_begin(port, &key);
		if (f != NULL)
			flow_send_up(f, first, end - first);
		else
			udp_drop(port, end - first);
		key = next;
	}
}

void udp_end_port(struct udp_port *port)
{
	struct worker *w = port->worker;
	struct flow_entry *entry;
	uint32_t from = 0;

	while ((entry = flow_table_any(&port->flows, &from)) != NULL)
		flow_end(CONTAINER_OF(entry, struct flow, entry));
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
	udp_end_port(port);
}

static struct udp *create_shared(void)
{
	struct udp *u = memory_new(1, sizeof *u);

	u->batch = datagrams_create();
	slab_init(&u->flows_slab, sizeof(struct flow));
	must(getrandom(&u->secret, sizeof u->secret, 0) == (ssize_t)sizeof u->secret);
	return u;
}

void udp_open(struct worker *w, const struct port_opening *opening, uint32_t door)
{
	struct udp_port *port = memory_new(1, sizeof *port);

	if (w->udp == NULL)
		w->udp = create_shared();
	port->worker = w;
	port->live = opening->live;
	port->door = door;
	port->family = udp_listener(port)->address.any.sa_family;
	loop_timer_init(&port->quiet, on_quiet);
	flow_table_init(&port->flows, udp_flows_max(port), &w->udp->secret);
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
			udp_end_port(port);
			continue;
		}
		port->door = (uint32_t)door;
		flow_table_resize(&port->flows, udp_flows_max(port));
	}
}

void udp_drain(struct worker *w)
{
	LIST_EACH(&w->udp_ports, it, next) {
		struct udp_port *port = CONTAINER_OF(it, struct udp_port, link);
		port->draining = true;
		/* Another process has the same socket, and hears what comes. */
		if (w->unhurried)
			loop_watch_forget(w->loop, &port->watch);
		else
			loop_timer_start(w->loop, &port->quiet, UDP_QUIET_MS);
		if (port->flows.count == 0)
			udp_end_port(port);
	}
}

void udp_end_all(struct worker *w)
{
	LIST_EACH(&w->udp_ports, it, next)
		udp_end_port(CONTAINER_OF(it, struct udp_port, link));
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
