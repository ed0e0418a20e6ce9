/* kv/roll.h - the roll of a pool's workers: who is there, in which state, who fills whom,
 * and what each has to be told of the others. doc/kv-protocol.md has the rules.
 *
 *               all lanes are there         it says that it is ready
 *   JOINING --------------------------> FILLING <----------------------> READY
 *      |                                   |     it says that it is not    |
 *      '-----------------------------------'----------- gone --------------'--> off the roll
 *
 * A worker of version 1 counts as ready from its first READY on, unless it says
 * otherwise; one of version 2 says so when it is filled.
 *
 * Pure: what is to be said goes through `say`.
 * Thread: control.
 */
#ifndef KV_ROLL_H
#define KV_ROLL_H

#include <stdbool.h>

#include "base/list.h"
#include "kv/hub.h"
#include "kv/registry.h"

enum kv_worker_state { KV_ROLL_JOINING, KV_ROLL_FILLING, KV_ROLL_READY };

struct kv_worker_link {
	bool     there;
	uint8_t  hub;
	uint32_t link;
};

struct kv_worker {
	enum kv_worker_state state;
	uint32_t id;
	uint8_t  speaks, lanes, lanes_there;
	bool     listed;		/* the others have been told of it */
	struct kv_worker_link links[KV_LANES_MAX];
	struct address peer;
	struct kv_worker *filler;	/* who fills it; NULL: nobody */
	struct live_server *server;	/* the registry's */
	struct link link;		/* in roll->workers, in the order of joining */
};

struct kv_roll {
	struct link workers;
	uint32_t    count;		/* of those that are listed */

	/* Says messages, in one piece, to a worker on its first lane. */
	void (*say)(void *arg, const struct kv_worker *to,
		    const struct kv_message *messages, uint32_t count);
	void *arg;
};

void kv_roll_init(struct kv_roll *roll,
		  void (*say)(void *arg, const struct kv_worker *to,
			      const struct kv_message *messages, uint32_t count),
		  void *arg);

/* Frees all that are still on it; nobody is told. */
void kv_roll_fini(struct kv_roll *roll);

/* A connection asks to join, as a new worker or as a further lane of one. NULL: refused,
 * with *code and *why (constant) for it. lanes_there == lanes: it is complete. */
struct kv_worker *kv_roll_join(struct kv_roll *roll, const struct kv_notice *notice,
			       enum kv_result *code, const char **why);

/* It is complete, and accepted: it and all others are told. */
void kv_roll_list(struct kv_roll *roll, struct kv_worker *w);

/* It says that it is ready, or that it is not. True: that is news. */
bool kv_roll_set_ready(struct kv_roll *roll, struct kv_worker *w, bool ready);

/* It has gone: those that it was filling get another filler, all others
 * are told. Frees it. */
void kv_roll_leave(struct kv_roll *roll, struct kv_worker *w);

/* By a link of it, or by its id; NULL: nobody is. */
struct kv_worker *kv_roll_find_link(const struct kv_roll *roll, uint8_t hub,
				    uint32_t link);
struct kv_worker *kv_roll_find(const struct kv_roll *roll, uint32_t id);

/* How many are listed, ready, and of version 1. */
void kv_roll_count(const struct kv_roll *roll, uint32_t *listed, uint32_t *ready,
		   uint32_t *version_1);

#endif
