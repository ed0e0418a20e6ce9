/* pick/policy.h - how a balancing policy plugs in.
 *
 * A policy answers one question: which server serves this key? It sees a list of
 * servers with what is true of them now, a table that it has made of the model
 * beforehand, and a little memory of its own loop's; no socket, no protocol, no clock.
 * HTTP, TCP, UDP, key-value and packets share it.
 *
 * Every policy keeps these: it never returns a server that is down, draining, of
 * weight 0, busy (pick_server.live->gate at its limit), or already tried; it
 * returns PICK_NONE only if there is no other. With all equal, a greater weight
 * never means fewer picks (by key: a smaller share of all keys, as near as its table
 * can have it).
 *
 * Threads: pick is called by one loop with that loop's own pick_state; what it
 * reads of live is atomic.
 */
#ifndef PICK_POLICY_H
#define PICK_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/live.h"

#define PICK_NONE UINT32_MAX

enum { PICK_TRIED_MAX = 16 };

struct pick_server {
	struct live_server *live;	/* borrowed: as long as the model */
	uint32_t parallel_max;		/* 0: no limit */
};

struct pick_view {			/* immutable: one per pool, model and loop */
	const struct pick_server *servers;
	uint32_t count;
	const struct model_pool *pool;	/* borrowed, as long as the model: table, bound, live */
};

/* What a loop remembers for a pool from one pick to the next. */
struct pick_state {
	uint64_t random;	/* seed differs per loop; see pick_random */
	uint32_t cursor;	/* whose turn it is; starts anywhere: loops differ */
	uint32_t lightest, heaviest;	/* weights but 0; see pick_see_weights */
	uint32_t unseen;	/* picks until the weights are looked at again */
	uint32_t open_weight;	/* of all that were open then */
	int64_t *current;	/* owned; one per server of the view, all 0 at first */
};

struct tried {			/* servers that already failed this request */
	uint32_t at[PICK_TRIED_MAX];
	uint32_t count;
};

struct policy {
	const char *name;	/* the word in the configuration */
	const char *help;	/* one line for the manual page */
	bool wants_load;	/* reads load_total: probes must report it */
	bool wants_key;		/* goes by the key; the others are given 0 */

	/* The table that pick looks up, one block of heap memory that is given to the
	 * caller; by what the model says alone, so that equal models have equal tables on
	 * every machine. NULL and *err: it would be too large. Control thread; may take
	 * milliseconds. The function is NULL where there is no table. */
	struct pick_table *(*build)(const struct model_pool *pool, struct err *err);

	/* Whether it would be built, at next to no cost. -1 and *err: not. NULL where
	 * build is. Any thread. */
	int (*check)(const struct model_pool *pool, struct err *err);

	/* Never blocks, locks or allocates. Returns an index into servers. The key is a
	 * good hash, all 64 bits of it (base/hash.h): it is used as it is. A policy that
	 * must note its choice in live (least-load) does so here. */
	uint32_t (*pick)(const struct pick_view *view, struct pick_state *state,
			 uint64_t key, const struct tried *tried);
};

extern const struct policy policy_round_robin, policy_least_load, policy_least_conn,
			   policy_two_choices, policy_random, policy_ring, policy_maglev,
			   policy_rendezvous, policy_slots;

/* All of them, in the order of the manual page; ends with NULL. The first is the
 * default. */
extern const struct policy *const policies[];

/* Finds a policy by its word, or NULL. */
const struct policy *policy_find(const char *name);

/* Builds the tables of all pools that need one and have none; those of `before` (may be
 * NULL) that would be equal are copied instead of built. -1: one would be too large;
 * what was built stays with the model. Control thread. */
int pick_prepare(struct model *m, const struct model *before, struct err *err);

/* For a view of `count` servers. The seed should differ per loop and pool. Takes
 * heap memory: when a model is taken into use, not in the path of a request. */
void pick_state_init(struct pick_state *state, uint32_t count, uint64_t seed);
void pick_state_fini(struct pick_state *state);

static inline bool pick_was_tried(const struct tried *tried, uint32_t server)
{
	for (uint32_t i = 0; i < tried->count; i++)
		if (tried->at[i] == server)
			return true;
	return false;
}

/* One more of them; beyond PICK_TRIED_MAX they are forgotten. */
static inline void pick_note_tried(struct tried *tried, uint32_t server)
{
	if (tried->count < PICK_TRIED_MAX)
		tried->at[tried->count++] = server;
}

static inline uint32_t pick_weight(const struct pick_server *s)
{
	return atomic_load_explicit(&s->live->weight, memory_order_relaxed);
}

static inline uint32_t pick_in_flight(const struct pick_server *s)
{
	return atomic_load_explicit(&s->live->in_flight, memory_order_relaxed);
}

/* Up, not draining, weight not 0: whether it may be given work at all. */
static inline bool pick_is_open(const struct pick_server *s)
{
	return atomic_load_explicit(&s->live->up, memory_order_relaxed) &&
	       !atomic_load_explicit(&s->live->draining, memory_order_relaxed) &&
	       pick_weight(s) > 0;
}

static inline bool pick_is_busy(const struct pick_server *s)
{
	return s->parallel_max > 0 &&
	       atomic_load_explicit(&s->live->gate.inside, memory_order_relaxed) >=
		       s->parallel_max;
}

/* The three rules that every policy keeps. */
static inline bool pick_may(const struct pick_view *view, uint32_t i,
			    const struct tried *tried)
{
	return pick_is_open(&view->servers[i]) && !pick_is_busy(&view->servers[i]) &&
	       !pick_was_tried(tried, i);
}

/* What PICK_NONE meant: whether waiting for a busy server makes sense. Others may
 * have let go of one since the pick: who gets PICK_ALL_BUSY notes that it waits, and
 * picks once more before it does. */
enum pick_answer { PICK_ALL_DOWN, PICK_ALL_TRIED, PICK_ALL_BUSY };
enum pick_answer pick_why_none(const struct pick_view *view, const struct tried *tried);

/* Where all are down and nobody checks, a mark is a guess about the past, and believing
 * all of them would make a short failure of the last server an outage: one of those that
 * are down, and have an address, are not drained, not at their limit and not tried; by key,
 * if there is one. PICK_NONE: none is, or somebody is up. */
uint32_t pick_suspect(const struct pick_view *view, struct pick_state *state, uint64_t key,
		      const struct tried *tried);

#endif
