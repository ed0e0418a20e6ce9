/* kv/port.h - a listening socket of key-value mode: places, and what begins with
 * a connection.
 *
 * Thread: the loop's.
 */
#ifndef KV_PORT_H
#define KV_PORT_H

#include "kv/edition.h"
#include "kv/pool.h"
#include "listen/acceptor.h"

struct kv_hub;

/* A new listening socket that comes with a model. */
struct kv_opening {
	int fd;				/* given */
	struct live_listener *live;
	bool for_workers;
};

/* A listening socket of this loop: for clients, or for workers. */
struct kv_port {
	struct acceptor acceptor;
	struct kv_hub  *hub;		/* borrowed */
	struct kv_pool *pool;		/* a user of it */
	struct kv_edition *edition;	/* a user of it */
	const struct model_listener *listener;	/* of it */
	struct live_listener *live;	/* so too */
	bool for_workers;
	bool removed;
	uint32_t clients;		/* a removed port ends with the last one */
	struct link link;		/* in hub->ports */
};

/* Listens, by the hub's present edition; the descriptor is given. */
void kv_port_open(struct kv_hub *hub, const struct kv_opening *opening);

/* Goes on by this edition, or is removed, if that has no such listener. */
void kv_port_adopt(struct kv_port *port, struct kv_edition *e);

/* Accepts no more; its clients are closed, and it ends with the last of them. */
void kv_port_remove(struct kv_port *port);

/* Lets go of everything, itself too. It has no client. */
void kv_port_end(struct kv_port *port);

/* A client's place is free again. */
void kv_port_leave(struct kv_port *port);

#endif
