/* spawn/owner.h - one pool that owns its servers: the shell around fleet.h and plan.h.
 *
 *   looking for what is there already (the driver's list)
 *     -> at work: plans, starts, replaces, takes orders
 *       -> resting: nothing is started any more
 *         -> leaving: all servers are drained and ended; the pool no longer owns any
 *         -> ending: they are ended, since the balancer is
 *
 * Everything that happens is noted at once and thought about in the next turn (on_work),
 * so that nothing here is called from inside itself.
 *
 * Thread: control.
 */
#ifndef SPAWN_OWNER_H
#define SPAWN_OWNER_H

#include "spawn/driver.h"
#include "spawn/owners.h"
#include "spawn/record.h"

struct owner;
struct owned;

/* What all owners of a balancer share; it outlives them. */
struct owner_shared {
	struct loop *loop;		/* borrowed, all of them */
	const char  *balancer, *state;
	struct owners_hooks hooks;
	struct record *record;
	uint64_t     random;		/* state of a generator */

	struct owned **by_id;		/* owned: those in pools, by the id of their live
					 * part; NULL: no owned server has it */
	uint32_t by_id_room;

	/* After an owner has thought about its pool; it may be destroyed out of it. */
	void (*on_worked)(struct owner_shared *shared, struct owner *o);
};

/* Begins to look for its servers. */
struct owner *owner_create(struct owner_shared *shared, const char *pool,
			   const struct spawn_driver *driver,
			   const struct model_own *own);

/* Servers go on; orders are dropped. */
void owner_destroy(struct owner *o);

/* From now on this is asked for, of the same driver and place; one that rests or leaves
 * is at work again. The live part is borrowed until the next call or owner_leave. */
void owner_use(struct owner *o, const struct model_own *own, struct live_pool *live);

/* Whether its servers are found and made by the same engine as those of `own`. */
bool owner_is_at(const struct owner *o, const struct model_own *own);

/* Nothing is planned or started any more, but servers go on; orders are answered with
 * OWNERS_ENDING. */
void owner_rest(struct owner *o);

/* All of them leave, drained; done when owner_is_empty. */
void owner_leave(struct owner *o);

/* All are ended, but those that are to be left; done when owner_is_empty. Again with
 * by_force. */
void owner_end(struct owner *o, bool by_force);

/* Leaving or ending, it has nothing left to do. */
bool owner_is_empty(const struct owner *o);

/* How many there are, in whatever state. */
uint32_t owner_count(const struct owner *o);

/* Everyone that is wanted serves. */
bool owner_is_complete(const struct owner *o);

/* Its pool's name; borrowed. */
const char *owner_pool(const struct owner *o);

/* One that is in the pool: a probe of it was judged; somebody took it out. */
void owned_on_probed(struct owned *s, bool good, const char *reason);
void owned_on_taken_out(struct owned *s, uint32_t limit_ms);
/* NULL: it is not in the pool. */
const struct live_server *owned_live(const struct owned *s);

/* A request waits, and nobody is up. */
void owner_on_needed(struct owner *o);

/* See owners.h. */
void owner_ask(struct owner *o, struct owners_order *order);
void owner_forget(struct owner *o, struct owners_order *order);
void owner_list(const struct owner *o,
		void (*each)(void *arg, const struct owners_entry *e), void *arg);
void owner_figures(const struct owner *o, struct owners_figures *f);

#endif
