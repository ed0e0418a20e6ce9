/* spawn/plan.h - what is to be done about a pool's servers as a whole: plan one more, let
 * one go, start one; and what of what people ask for can be. Pure.
 *
 * There are to be as many as are wanted. While some are outdated, one more: a new one is
 * planned when all serve and none is leaving, and when it serves too, one that is
 * outdated leaves; and again, until none is.
 *
 * Thread: control.
 */
#ifndef SPAWN_PLAN_H
#define SPAWN_PLAN_H

#include "base/err.h"
#include "spawn/fleet.h"
#include "spawn/owners.h"

enum plan_what { PLAN_NOTHING, PLAN_MORE, PLAN_LEAVE };

struct plan_step {
	enum plan_what what;
	struct fleet_server *server;	/* PLAN_LEAVE: this one, by FLEET_EVENT_LEAVES */
};

/* The next thing to do; to be asked again until it is nothing. */
struct plan_step plan_next(const struct fleet *f, uint64_t random);

/* Who is to be started next: those of orders first. for_orders: those alone. NULL:
 * nobody. */
struct fleet_server *plan_start(const struct fleet *f, bool for_orders);

/* The lowest name above number `after` that nobody has. */
void plan_name(const struct fleet *f, const char *prefix, uint32_t after,
	       char name[OWN_NAME_MAX + 1]);

/* Whether what is asked for can be; on a fault *err says why not. */
enum owners_fault plan_check(const struct fleet *f, const struct model_own *own,
			     const struct owners_order *order, struct err *err);

/* Who goes: those that have one of the names, and as many of the others as it takes to be
 * `count`, into `out`, which has room for so many. Of the others first those that do not
 * serve yet, by no one's order; then by chance. Returns how many there were. */
uint32_t plan_choose(const struct fleet *f, const struct owners_order *order,
		     uint32_t count, uint64_t random, struct fleet_server **out);

#endif
