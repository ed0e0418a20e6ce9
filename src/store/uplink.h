/* store/uplink.h - a lane's connection to the balancer: dials until one stands, greets,
 * hands on what is said, and begins anew when it is lost, for ever.
 *
 *   RESTING --(time)--> RESOLVING --> DIALING --> GREETING --> UP
 *      ^                    |            |            |         |
 *      '--------------------'------------'------------'---------'  failed, lost, SHUTDOWN
 *
 * Version 2 greets with HELLO. A balancer that answers this with ERROR 6 or by
 * closing is tried with version 1 at once, unless there is a secret: who is not
 * known is told nothing.
 *
 * Lanes beside lane 0 connect when that one has been accepted.
 *
 * Thread: the lane's.
 */
#ifndef STORE_UPLINK_H
#define STORE_UPLINK_H

#include "base/address.h"
#include "loop/dial.h"
#include "loop/resolve.h"
#include "parse/kv_hello.h"
#include "store/channel.h"

enum {
	UPLINK_DIAL_MS = 3000, UPLINK_GREETING_MS = 5000,
	UPLINK_REST_MS_MIN = 50, UPLINK_REST_MS_MAX = 5000,	/* between two tries */
	UPLINK_SAY_MS = 60 * 1000,	/* that it still fails is logged so often */
};

enum uplink_state {
	UPLINK_OFF, UPLINK_RESTING, UPLINK_RESOLVING, UPLINK_DIALING, UPLINK_GREETING,
	UPLINK_UP,
};

struct lane;

struct uplink {
	struct lane    *lane;		/* borrowed */
	struct channel  channel;	/* owned */
	struct dial     dial;
	struct loop_timer timer;	/* the end of a rest, or of the greeting */
	struct resolver_question *question;	/* while RESOLVING */
	enum uplink_state state;
	struct address  to;		/* where it dials */
	struct kv_hello hello;		/* of the greeting */
	uint8_t  speaks;		/* now, or in the next try */
	unsigned failures;		/* since it was up */
	uint64_t said_ms;		/* when the log was told last; 0: not
					 * since it was up */
};

void uplink_init(struct uplink *u, struct lane *lane);

/* Begins to try. For lanes beside lane 0 `to` is where that one has connected to; for
 * lane 0 NULL. Nothing happens when it is trying already. */
void uplink_start(struct uplink *u, const struct address *to);

/* Ends it, without a word. */
void uplink_stop(struct uplink *u);

/* It is closed, and begun anew after a rest: as a newcomer. */
void uplink_rejoin(struct uplink *u, const char *why);

static inline bool uplink_is_up(const struct uplink *u)
{
	return u->state == UPLINK_UP;
}

#endif
