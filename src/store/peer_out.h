/* store/peer_out.h - a connection that this worker has opened to a peer: it carries the
 * lane's writes, and the syncs that we give; the peer acknowledges.
 *
 *   RESTING --(time)--> DIALING --> GREETING --> OPEN
 *      ^                   |            |          |
 *      '-------------------'------------'----------'   failed, lost, too far behind
 *
 * `sent` and `acked` are cursors into the lane's log, acked <= sent. When the connection
 * is lost it goes on from `acked` in the next one. A peer that is further behind than the
 * backlog allows, or whose connection was lost, is offered a sync when it stands again.
 *
 * A peer of version 1 gets PEER_NOTIFY, and has acknowledged what the kernel has taken.
 *
 * Thread: the lane's.
 */
#ifndef STORE_PEER_OUT_H
#define STORE_PEER_OUT_H

#include "loop/dial.h"
#include "parse/kv_hello.h"
#include "store/channel.h"
#include "store/lane.h"
#include "store/sync_fill.h"

enum {
	PEER_DIAL_MS = 2000, PEER_GREETING_MS = 10 * 1000,
	PEER_REST_MS_MIN = 50, PEER_REST_MS_MAX = 2000,
	PEER_FAILURES_MAX = 5,		/* dials in a row, then the balancer is told */
	PEER_SILENCE_MS_MAX = 20 * 1000,	/* with writes that it does
						 * not acknowledge */
	PEER_OFFER_MS = 60 * 1000,	/* between two looks whether both still agree */
	PEER_PACE_MS = 2,		/* between two steps of filling,
					 * while clients ask */
	PEER_CALM_MS = 100,		/* without a question, and they count as silent */
	PEER_OFFER_SOON_MS = 500,	/* after another peer was lost */
};

enum peer_out_state { PEER_OUT_RESTING, PEER_OUT_DIALING, PEER_OUT_GREETING, PEER_OUT_OPEN };

struct peer_out {
	struct lane_grave grave;
	struct channel channel;		/* owned */
	struct dial    dial;
	struct loop_timer timer;	/* of the rest, the greeting; OPEN: a
					 * look at silence */
	struct loop_timer pace;		/* until the next step of filling */
	uint64_t served, served_ms;	/* requests of the lane, and when
					 * they became more */
	struct loop_timer offer;	/* when to offer a sync next; lane 0 */
	struct kv_hello hello;
	struct lane   *lane;		/* borrowed */
	struct link    link;		/* in lane->peers */
	enum peer_out_state state;
	uint32_t id;
	uint8_t  speaks;
	bool     removed;
	struct address at;
	unsigned failures;		/* dials in a row */
	uint64_t sent, acked;		/* cursors */
	uint64_t sent_seq, acked_seq;	/* of the last message before them */
	uint64_t looked_acked;		/* `acked` at the last look at its silence */
	uint64_t looked_out;
	bool     must_offer;		/* a sync, when it is open and
					 * none is under way */
	bool     must_fill;		/* so too; a newcomer, whom the
					 * balancer wants filled */
	bool     passing;		/* writes of other peers are passed on to it */
	struct sync_fill fill;
};

/* The balancer has told of it; fills: this worker is to fill it. */
void peer_out_add(struct lane *l, uint32_t id, uint8_t speaks, const struct address *at,
		  bool fills);

/* It has gone; nobody waits for it any more. Nothing happens when it is not there. */
void peer_out_remove(struct lane *l, uint32_t id);
void peer_out_remove_all(struct lane *l);

/* This worker is to fill a peer that it knows already. */
void peer_out_fill(struct lane *l, uint32_t id);

/* All connections are begun anew. */
void peer_out_restart_all(struct lane *l, const char *why);

/* Hands out what is in the log, to all; at the end of a turn. */
void peer_out_replicate(struct lane *l);

/* A write of the peer `from` (0: not known whose), to those that are being filled; m is a
 * REPLICATE with the number 0. */
void peer_out_pass_on(struct lane *l, uint32_t from, const struct kv_message *m);

/* The lane is ready: offers that have waited for that are made. */
void peer_out_begin_fills(struct lane *l);

/* A peer was lost: what only some of us got from it is made even soon. */
void peer_out_offer_soon(struct lane *l);

/* What all have, what some have acknowledged; without peers everything. */
struct peer_out_reached { uint64_t all, one; };
struct peer_out_reached peer_out_reached(struct lane *l);

/* Lets go of what nobody needs, and of those that are too far behind. */
void peer_out_trim(struct lane *l);

#endif
