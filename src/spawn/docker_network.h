/* spawn/docker_network.h - the network that servers are in: there, made when missing.
 *
 * Names of networks are not unique to an engine: two that make one at the same moment
 * (pools, balancers) get two of one name, which nobody can use then. So who has made one
 * looks again, and the oldest of them stays: the others take theirs back. One that has
 * been there before, whoever made it, is used as it is, and none is ever removed else.
 *
 * Thread: control.
 */
#ifndef SPAWN_DOCKER_NETWORK_H
#define SPAWN_DOCKER_NETWORK_H

#include "loop/loop.h"
#include "spawn/docker_client.h"

enum {
	DOCKER_NETWORK_SIZE      = 256,
	DOCKER_NETWORK_PAUSE_MS  = 100,	/* while another takes its one back */
	DOCKER_NETWORK_LOOKS_MAX = 50,
};

/* Who needs one. Lives inside the struct that owns it; zeroed memory is one that does
 * not wait. */
struct docker_need {
	/* err NULL: it is there. */
	void (*on_there)(struct docker_need *n, const struct err *err);
	struct link link;		/* while `waits` */
	bool        waits;
	char        network[DOCKER_NETWORK_SIZE];
};

/* One look at a time, for all that need the same. */
struct docker_network {
	struct loop          *loop;	/* borrowed, as are the next two */
	struct docker_client *client;
	const char           *balancer;
	struct link       needs;
	char              name[DOCKER_NETWORK_SIZE];
	char              made[SPAWN_ID_MAX + 1];	/* the id of what we made; "" */
	uint32_t          looks;	/* for this name; 0: nothing is under way */
	struct docker_call call;
	struct loop_timer pause;
};

void docker_network_init(struct docker_network *n, struct loop *loop,
			 struct docker_client *client, const char *balancer);

/* Those that wait are dropped. */
void docker_network_fini(struct docker_network *n);

/* Told later, never out of this. n->network is set by the caller. */
void docker_network_need(struct docker_network *n, struct docker_need *need);

/* Nothing happens when it does not wait. */
void docker_network_cancel(struct docker_need *need);

#endif
