/* spawn/fleet.h - the servers of one pool that owns them: the life of each, as a table,
 * and how many of them are where in it. Pure: no time, no driver, no pool.
 *
 *             its turn      it runs       good probe          taken out
 *   PLANNED ----------> STARTING -----> CHECKING -----> SERVING -----> DRAINING
 *    ^   ^                |   |          |    |            |              | nothing left,
 *    |   '---- failed ----'   |   late,  |    | not wanted |              | or time over
 *    |         not wanted     | it ended |    |   any more | bad probe,   |
 *    |            .-----------'          |    '-------.    | it ended     |
 *    |            v                      v            |    v              v
 *    |        ABANDONED               REPLACING <-----|----'          STOPPING --> GONE
 *    |            | it runs               | |         |                 ^ ^ ^     stopped
 *    |            '-----------------------|-|---------|-----------------' | |
 *    '------------- stopped --------------' |         '-------------------' |
 *                                           '------- not wanted any more ---'
 *
 * NEW is one that has just been made up, or found. From PLANNED, and from ABANDONED when
 * its start fails, it is GONE at once. A server that is replaced keeps its name, which is
 * free only when nothing is left of it: so it is stopped first and started then.
 *
 * The shell (owner.c) says what happened as an event and carries out the action that it
 * gets back. What is to be done about the pool as a whole is in plan.h.
 *
 * Thread: control.
 */
#ifndef SPAWN_FLEET_H
#define SPAWN_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "model/own.h"

enum fleet_state {
	FLEET_BUG,		/* 0 on purpose: an edge nobody wrote */
	FLEET_NEW,
	FLEET_PLANNED,		/* has its name, waits to be started */
	FLEET_STARTING,		/* by the driver */
	FLEET_ABANDONED,	/* likewise, for nobody any more */
	FLEET_CHECKING,		/* runs, is in the pool, has not answered yet */
	FLEET_SERVING,
	FLEET_DRAINING,		/* out of the pool; what it has goes on */
	FLEET_STOPPING,
	FLEET_REPLACING,	/* is stopped, to be started anew */
	FLEET_GONE,
	FLEET_STATES
};

enum fleet_event {
	FLEET_EVENT_PLANNED,
	FLEET_EVENT_ADOPTED,		/* it was found running */
	FLEET_EVENT_FOUND_ENDED,	/* and what is left of it is in the way */
	FLEET_EVENT_TURN,		/* it may be started */
	FLEET_EVENT_STARTED,
	FLEET_EVENT_START_FAILED,
	FLEET_EVENT_NOT_JOINED,		/* the pool does not take it */
	FLEET_EVENT_ANSWERED,		/* a good probe, and it is up */
	FLEET_EVENT_SILENT,		/* a bad one, and it is down */
	FLEET_EVENT_TIME_OVER,		/* to answer; to drain */
	FLEET_EVENT_ENDED,		/* by itself */
	FLEET_EVENT_EMPTY,		/* it has nothing left */
	FLEET_EVENT_LEAVES,		/* by wish; there are too many */
	FLEET_EVENT_TAKEN_OUT,		/* of the pool, by somebody else */
	FLEET_EVENT_STOPPED,
	FLEET_EVENT_STOP_FAILED,
	FLEET_EVENT_END,		/* the balancer ends; no need to drain */
	FLEET_EVENT_HURRY,		/* the same, by force */
	FLEET_EVENT_GIVEN_UP,		/* at the end: it cannot be stopped */
	FLEET_EVENTS
};

enum fleet_action {
	FLEET_DO_NOTHING,
	FLEET_DO_START,
	FLEET_DO_JOIN,		/* add it to the pool, and probe it until it answers */
	FLEET_DO_SERVE,		/* it is one of those that serve */
	FLEET_DO_NOTE_FAILURE,	/* of a start; nothing is left of it */
	FLEET_DO_FAIL,		/* the same, and what runs is killed */
	FLEET_DO_KILL,		/* out of the pool at once; stop by force */
	FLEET_DO_DRAIN,		/* out of the pool; look until it has nothing left */
	FLEET_DO_WATCH,		/* it is out already; look until it has nothing left */
	FLEET_DO_STOP,		/* out of the pool, if it still is in it; ask it to end */
	FLEET_DO_STOP_LATER,	/* once more, in a while */
	FLEET_DO_FORGET,	/* it is GONE */
};

struct fleet_server {
	struct link link;		/* in fleet.servers, in the order of names */
	char     name[OWN_NAME_MAX + 1];
	uint8_t  state;			/* enum fleet_state; fleet_step alone writes it */
	bool     outdated;		/* made by another recipe than the present one */
	bool     unasked;		/* found, and none of those last asked for */
	bool     chosen;		/* by plan_choose, while that is at work */
	void    *order;			/* for whom it was started, until all of that
					 * order serve; NULL: for nobody in particular */
};

struct fleet {
	struct link servers;
	uint32_t wanted;		/* how many there should be */
	uint32_t counts[FLEET_STATES];
};

void fleet_init(struct fleet *f);

/* Takes it up, NEW, under a name that no other has. */
void fleet_add(struct fleet *f, struct fleet_server *s, const char *name);

/* Takes it out; it is GONE, or all of the fleet is given up. */
void fleet_remove(struct fleet *f, struct fleet_server *s);

/* It is PLANNED, and gets a name that no other has. */
void fleet_rename(struct fleet *f, struct fleet_server *s, const char *name);

/* Whoever has this name, in whatever state; NULL: nobody. */
struct fleet_server *fleet_find(const struct fleet *f, const char *name);

/* Moves on by one event and says what to do about it. An event that cannot happen in the
 * present state is a bug of the caller, never of a driver or a server. */
enum fleet_action fleet_step(struct fleet *f, struct fleet_server *s,
			     enum fleet_event event);

/* Whether it is to stay: it serves, or is on its way to. */
static inline bool fleet_is_kept(const struct fleet_server *s)
{
	return s->state == FLEET_PLANNED || s->state == FLEET_STARTING ||
	       s->state == FLEET_CHECKING || s->state == FLEET_SERVING ||
	       s->state == FLEET_REPLACING;
}

/* How many of those. */
static inline uint32_t fleet_kept(const struct fleet *f)
{
	return f->counts[FLEET_PLANNED] + f->counts[FLEET_STARTING] +
	       f->counts[FLEET_CHECKING] + f->counts[FLEET_SERVING] +
	       f->counts[FLEET_REPLACING];
}

/* A state's word, for people and programs. */
const char *fleet_word(enum fleet_state state);

#endif
