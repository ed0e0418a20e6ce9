/* spawn/owner_inside.h - what an owner consists of, for the files that it is made of.
 *
 *   owner.c      the pool: planning, starting, scaling
 *   looking.c    what is there already
 *   orders.c     what people ask for
 *   server.c     the life of one server, carried out
 *   member.c     a server as one of its pool's
 *
 * Thread: control.
 */
#ifndef SPAWN_OWNER_INSIDE_H
#define SPAWN_OWNER_INSIDE_H

#include "base/must.h"
#include "loop/loop.h"
#include "spawn/backoff.h"
#include "spawn/fleet.h"
#include "spawn/owner.h"
#include "spawn/scaling.h"

enum {
	OWNER_STARTS_AT_ONCE = 8,
	OWNER_PROBE_MS_MIN = 100,	/* between probes of one that has to answer */
	OWNER_PROBE_MS_MAX = 1000,
	OWNER_DRAIN_MS_MIN = 50,	/* between looks at what one has left */
	OWNER_DRAIN_MS_MAX = 1000,
	OWNER_TROUBLE_MS = 60 * 1000,	/* between lines about the same kind of trouble */
	OWNER_STOPS_AT_END = 3,		/* tries to stop one, before it is given up */
	OWNER_LOOK_AGAIN_MS = 5000,	/* for what came after the first look */
};

enum owner_stage {
	OWNER_LOOKING, OWNER_AT_WORK, OWNER_RESTING, OWNER_LEAVING, OWNER_ENDING,
};

enum owner_trouble {
	TROUBLE_LIST, TROUBLE_START, TROUBLE_STOP, TROUBLE_MANY, TROUBLES
};

/* One server. */
struct owned {
	struct fleet_server life;
	struct owner       *owner;	/* borrowed */
	struct spawn_server server;	/* as the driver knows it; id "": not at all */
	struct live_server *live;	/* borrowed, while it is in the pool; else NULL */

	struct spawn_task   task;	/* start, or stop */
	struct spawn_task   by_force;	/* a stop by force, beside one that asks */
	bool                task_runs, force_runs, is_stopped;
	bool                was_started;	/* once at least */
	bool                hurries;	/* one more failure, and it is left */
	uint32_t            grace_ms;	/* of the last stop */
	uint32_t            stops_failed;

	struct loop_timer   timer;	/* the next probe, look or try */
	uint32_t            pause_ms;	/* until then, the last time */
	uint64_t            deadline_ms;	/* to answer; to drain */
	uint64_t            since_ms;	/* in this state */

	struct link probed;		/* in owner.probed: the verdict is to be heeded */
	bool        answered;		/* and this was it, */
	char        verdict[LIVE_REASON_MAX];	/* for this reason */
	char        why[LIVE_REASON_MAX];
};

/* Of people, while what it asked for is under way. */
struct pending {
	struct link          link;	/* in owner.orders */
	struct owners_order *asker;	/* borrowed; NULL: it is gone */
	bool                 failed;	/* and is being taken back */
	struct err           err;
};

struct owner {
	struct owner_shared       *shared;	/* borrowed */
	const struct spawn_driver *driver;
	struct spawn_engine       *engine;	/* owned; NULL: it does not work yet */
	struct model_own          *own;		/* owned */
	uint64_t                   recipe;	/* of own */
	struct live_pool          *live;	/* borrowed; NULL: it is not there */
	char                       pool[MODEL_NAME_MAX + 1];

	enum owner_stage  stage;
	bool              needed;	/* a request came while it was looking */
	bool              lists;	/* the listing is under way */
	bool              listed;	/* what was there is known */
	bool              looked_last;	/* once more, at the end */
	bool              is_left;	/* at the end: its servers go on */
	struct fleet      fleet;
	struct link       probed;	/* owned.probed */
	struct link       orders;	/* pending.link: those under way */
	struct link       early;	/* owners_order.link: those that wait for that */
	struct spawn_task listing;

	struct loop_timer work, sample, again;
	struct backoff    backoff, list_backoff;
	struct start_rate rate;
	struct scaling    scaling;
	bool              was_complete;	/* since it is at work */
	bool              changed;	/* something that is told, or kept */

	uint64_t starts, start_failures, replaced, adopted;
	uint64_t said_ms[TROUBLES];	/* when it was last said, and 1 more; 0: never */
	char     trouble[256];
};

static inline uint64_t owner_now(const struct owner *o)
{
	return loop_now_ms(o->shared->loop);
}

static inline struct fleet_server *fleet_at(struct link *it)
{
	return CONTAINER_OF(it, struct fleet_server, link);
}

static inline struct owned *owned_of(struct fleet_server *life)
{
	return CONTAINER_OF(life, struct owned, life);
}

static inline struct owned *owned_at(struct link *it)
{
	return owned_of(fleet_at(it));
}

/* ---- owner.c ---- */

/* Thinks about the pool in the next turn; or later, unless something comes sooner. */
void owner_soon(struct owner *o);
void owner_work_in(struct owner *o, uint64_t ms);

/* Leaving or ending, none of those that are known is left. */
bool owner_is_over(const struct owner *o);

/* Keeps what is asked for by now, in the record; before anybody is told that it is. */
void owner_keep(struct owner *o);

/* Another number each time. */
uint64_t owner_random(struct owner *o);

/* Starts do not go, or stops; in the log once a minute at most. */
void owner_say_trouble(struct owner *o, enum owner_trouble kind, const char *name,
		       const char *why);
void owner_clear_trouble(struct owner *o);

/* ---- looking.c ---- */

/* Asks the driver, unless that is under way or failed a moment ago; then it works. */
void owner_look(struct owner *o);

/* Once more, for what is nobody's. */
void owner_look_again(struct owner *o);

/* ---- server.c ---- */

/* A new one, NEW; see owned_step. */
struct owned *owned_create(struct owner *o, const char *name);

/* Frees it, whatever it is doing; the engine is closed. */
void owned_destroy(struct owned *s);

/* Moves its life on and does what follows; it may be freed when this returns. */
void owned_step(struct owned *s, enum fleet_event event, const char *why);

/* ---- member.c ---- */

/* False and *err: it is not in the pool. */
bool owned_put_in(struct owned *s, struct err *err);

/* Nothing happens when it is out already. */
void owned_take_out(struct owned *s, uint32_t limit_ms);

/* It is out, by whomever. */
void owned_forget_live(struct owned *s);

/* Heeds a verdict that owned_on_probed has noted. */
void owned_take_verdict(struct owned *s);

/* ---- orders.c ---- */

/* Plans one more under this name (NULL: a made-up one), for this order or NULL. */
void owner_plan_one(struct owner *o, const char *name, struct pending *for_order);

/* One that was started for somebody has failed: all of that order is taken back. */
void orders_on_failed(struct owner *o, struct pending *p, const char *name,
		      const char *why);

/* Answers those that are complete or taken back. */
void orders_look(struct owner *o);

/* What came while it was looking: is taken up, or fails for this reason. */
void orders_take_early(struct owner *o, const struct err *failed);

/* Nobody will be served any more. */
void orders_end(struct owner *o);

/* How many of those that are wanted belong to orders that are not done. */
uint32_t orders_count(const struct owner *o);

#endif
