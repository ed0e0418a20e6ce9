/* store/lane.h - one loop of the worker and all that it owns: a connection
 * to the balancer, one to each peer, those that peers have made, and the
 * writes that are under way.
 *
 *   balancer <--> uplink --> serve --> store (shared by the lanes, locked by shards)
 *                              '--> record: replog --> peer_out --> peers
 *                                           ledger
 *   balancer <-- pending <-- acknowledged, durable
 *
 *   peers --> door (lane 0) --> peer_in --> store, ledger
 *
 * Lanes reach each other by notes only.
 *
 * Thread: the lane's own, but for lane_tell.
 */
#ifndef STORE_LANE_H
#define STORE_LANE_H

#include <pthread.h>

#include "store/counts.h"
#include "store/pending.h"
#include "store/replog.h"
#include "store/store.h"
#include "store/uplink.h"

enum {
	LANE_PENDING_BYTES_MAX = 16 * 1024 * 1024,	/* of answers; then
							 * nothing is read */
	LANE_HELD_BYTES_MAX = 1024 * 1024,	/* of requests before it is
						 * ready; then BUSY */
	LANE_LEDGER_LOOK_MS = 5,		/* whether a full ledger has room again */
};

struct member;
struct lane;

/* What one lane says to another. */
struct lane_note {
	struct loop_job job;
	struct lane    *lane;		/* who is told */
	void (*run)(struct lane *l, const struct lane_note *n);
	uint32_t id;			/* of a peer */
	uint8_t  speaks, lane_number, lanes;
	bool     flag;
	uint64_t serial;		/* of an incoming connection */
	struct address at;
	int      fd;			/* given; -1: none */
	char    *bytes;			/* given; len of them */
	size_t   len;
};

struct lane {
	struct member *member;		/* borrowed */
	unsigned  number;
	struct loop *loop;		/* owned */
	pthread_t thread;		/* of lanes beside lane 0 */
	bool      has_thread;
	bool      ended;		/* notes that come now are let go of */
	struct channel_turn turn;
	struct uplink uplink;
	struct link peers;		/* struct peer_out */
	struct link visitors_in;	/* struct peer_in */
	struct link buried;		/* struct lane_grave: freed at the
					 * end of the turn */

	/* Writes under way. */
	struct replog  log;
	struct pending pending;
	uint64_t ledger_seq;		/* appended so far */
	uint64_t durable_seq;
	bool     look_at_acks, look_at_memory;	/* at the end of this turn */
	bool     ledger_is_full;
	struct loop_timer ledger_timer;
	struct { uint64_t seq; bool posted; struct loop_job job; } durable;	/* atomics */

	bool     ready;			/* it may serve */
	struct bytes held;		/* requests that came before it was ready */
	uint64_t random;
	uint64_t import_version;	/* below this an import is newer (version 1) */
	struct lane_counts counts;
	char     answer[KV_MESSAGE_MAX];	/* scratch */
};

/* What may end deep inside a call that is about to look at it: its memory stays until
 * the end of the turn. */
struct lane_grave {
	struct link link;
	void (*bury)(struct lane_grave *g);
};

/* -1 and *err: the kernel refused a descriptor. */
int lane_init(struct lane *l, struct member *m, unsigned number, struct err *err);
/* After its thread has ended. */
void lane_fini(struct lane *l);

/* Has `run` be called with a copy of the note in lane `to`, soon; at once if `from`,
 * where this runs, is the same. */
void lane_tell(struct lane *from, struct lane *to, const struct lane_note *note);

/* `bury` is called at the end of this turn, to let go of what g is a part of. */
void lane_bury(struct lane *l, struct lane_grave *g, void (*bury)(struct lane_grave *g));

/* ---- writes ---- */

/* A write of a client has been done: it goes to the peers and to the ledger. What its
 * answer has to wait for. */
struct pending_mark lane_record(struct lane *l, const struct store_item *item);

/* A write of a peer has been done: it goes to the ledger. */
void lane_record_foreign(struct lane *l, const struct store_item *item);

/* Sends an answer to the balancer when its flags (KV_ACK_...) and `mark` allow. */
void lane_answer(struct lane *l, unsigned flags, struct pending_mark mark,
		 const struct kv_message *answer);

/* A peer has acknowledged something, or has come or gone: answers may be due. */
void lane_look_at_acks(struct lane *l);

/* What was promised cannot be waited for: answers that wait for all peers say BUSY. */
void lane_break_promises(struct lane *l);

/* On the ledger's thread (struct ledger_options). */
void lane_on_durable(struct lane *l, uint64_t seq);

/* ---- the rest ---- */

/* The end of this turn sends what is to be sent. */
static inline void lane_at_end(struct lane *l)
{
	loop_at_end(l->loop, &l->turn.end);
}

static inline uint64_t lane_wall_ms(const struct lane *l)
{
	return loop_wall_us(l->loop) / 1000;
}

/* `ms`, more or less a quarter. */
uint64_t lane_jitter(struct lane *l, uint64_t ms);

#endif
