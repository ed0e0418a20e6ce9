/* forward/udp_flow.h - one flow of datagrams: its server, its time limit, its end. What
 * there is to know about flows is in udp.h; udp.c has the ports that they belong to.
 *
 * Thread: the loop's.
 */
#ifndef FORWARD_UDP_FLOW_H
#define FORWARD_UDP_FLOW_H

#include "forward/place.h"
#include "forward/udp_table.h"
#include "forward/worker.h"
#include "listen/datagrams.h"

enum {
	UDP_FLOWS_MAX = 16384,	/* of a listener that sets no `connections`, over all loops */
	UDP_QUIET_MS  = 1000,	/* what is silent so long while it drains has ended */
};

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

static inline const struct model_listener *udp_listener(const struct udp_port *port)
{
	return port->worker->now->doors[port->door].listener;
}

/* How many it may have, over all loops. Anybody can make flows, by any address: by
 * default they leave half of all connections to others. */
static inline uint32_t udp_flows_max(const struct udp_port *port)
{
	const struct model_listener *l = udp_listener(port);
	uint32_t half = port->worker->now->model->connections_max / 2;

	if (l->connections_max > 0)
		return l->connections_max;
	return half > 0 && half < UDP_FLOWS_MAX ? half : UDP_FLOWS_MAX;
}

/* So many datagrams go nowhere. */
static inline void udp_drop(const struct udp_port *port, uint32_t count)
{
	atomic_fetch_add_explicit(&port->live->datagrams_dropped, count, memory_order_relaxed);
}

/* A flow that has a server. NULL: there is no place, no memory or no server for it. */
struct flow *flow_begin(struct udp_port *port, const struct flow_key *key);

/* Gives all back that it has, and tells nobody. */
void flow_end(struct flow *f);

/* Sends some of the batch to its server, or drops them. */
void flow_send_up(struct flow *f, uint32_t first, uint32_t count);

/* Ends a port and its flows (udp.c). */
void udp_end_port(struct udp_port *port);

#endif
