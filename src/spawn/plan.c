#include "spawn/plan.h"

#include <string.h>

#include "base/hash.h"
#include "base/must.h"
#include "base/text.h"
#include "spawn/driver.h"
#include "spawn/naming.h"

#define SERVER_OF(it) CONTAINER_OF(it, struct fleet_server, link)

/* ---- as many as are wanted ---- */

/* How soon one is let go when there are too many: the less it is missed, the sooner. */
static int how_soon(const struct fleet_server *s)
{
	static const int soon[FLEET_STATES] = {
		[FLEET_PLANNED] = 6, [FLEET_REPLACING] = 5, [FLEET_STARTING] = 4,
		[FLEET_CHECKING] = 3, [FLEET_SERVING] = 1,
	};

	if (s->order != NULL)
		return 0;
	if (s->unasked)
		return 7;
	return soon[s->state] + (s->state == FLEET_SERVING && s->outdated);
}

/* Of those that go soonest, and are not chosen yet, one by chance. */
static struct fleet_server *choose(const struct fleet *f, uint64_t random)
{
	struct fleet_server *best = NULL;
	int soonest = -1;
	uint32_t equals = 0;

	LIST_EACH(&f->servers, it, next) {
		struct fleet_server *s = SERVER_OF(it);
		int soon = how_soon(s);
		if (!fleet_is_kept(s) || s->chosen || soon < soonest)
			continue;
		equals = soon > soonest ? 1 : equals + 1;
		soonest = soon;
		/* Each of them with the same chance, in one walk. */
		if (hash_pair(random, equals) % equals == 0)
			best = s;
	}
	return best;
}

static struct fleet_server *find_outdated(const struct fleet *f)
{
	LIST_EACH(&f->servers, it, next) {
		struct fleet_server *s = SERVER_OF(it);
		if (s->outdated && fleet_is_kept(s))
			return s;
	}
	return NULL;
}

struct plan_step plan_next(const struct fleet *f, uint64_t random)
{
	struct fleet_server *outdated = find_outdated(f);
	uint32_t kept = fleet_kept(f);
	bool all_serve = f->counts[FLEET_SERVING] == kept;
	bool none_leaves = f->counts[FLEET_ABANDONED] + f->counts[FLEET_DRAINING] +
			   f->counts[FLEET_STOPPING] == 0;

	if (kept < f->wanted)
		return (struct plan_step){PLAN_MORE, NULL};
	if (outdated != NULL && all_serve && none_leaves && kept == f->wanted)
		return (struct plan_step){PLAN_MORE, NULL};
	if (outdated != NULL && all_serve && kept == f->wanted + 1)
		return (struct plan_step){PLAN_LEAVE, outdated};
	if (kept > f->wanted + (outdated != NULL))
		return (struct plan_step){PLAN_LEAVE, choose(f, random)};
	return (struct plan_step){PLAN_NOTHING, NULL};
}

struct fleet_server *plan_start(const struct fleet *f, bool for_orders)
{
	struct fleet_server *first = NULL;

	if (f->counts[FLEET_PLANNED] == 0)
		return NULL;
	LIST_EACH(&f->servers, it, next) {
		struct fleet_server *s = SERVER_OF(it);
		if (s->state != FLEET_PLANNED)
			continue;
		if (s->order != NULL)
			return s;
		if (first == NULL && !for_orders)
			first = s;
	}
	return first;
}

void plan_name(const struct fleet *f, const char *prefix, uint32_t after,
	       char name[OWN_NAME_MAX + 1])
{
	uint32_t number = after + 1;

	/* Those of the prefix come in the order of their numbers. */
	LIST_EACH(&f->servers, it, next)
		if (naming_number(SERVER_OF(it)->name, prefix) == number)
			number++;
	naming_write(name, prefix, number);
}

/* ---- what people ask for ---- */

static enum owners_fault check_count(const struct fleet *f, const struct model_own *own,
				     const struct owners_order *order, struct err *err)
{
	uint32_t room = own->max > f->wanted ? own->max - f->wanted : 0;
	uint32_t spare = f->wanted > own->min ? f->wanted - own->min : 0;

	if (order->wish == OWNERS_SCALE) {
		if (order->count >= own->min && order->count <= own->max)
			return OWNERS_FINE;
		err_set(err, "%u servers cannot be: the pool has %u to %u", order->count,
			own->min, own->max);
		return OWNERS_N_RANGE;
	}
	bool adds = order->wish == OWNERS_ADD;
	uint32_t most = adds ? room : spare, limit = adds ? own->max : own->min;
	const char *done = adds ? "added" : "removed", *end = adds ? "most" : "least";
	if (order->count >= 1 && order->count <= most)
		return OWNERS_FINE;
	if (most == 0)
		err_set(err, "none can be %s: the pool has %u servers, and %u at %s",
			done, f->wanted, limit, end);
	else
		err_set(err, "%u cannot be %s: 1 to %u can, since the pool has %u "
			"servers, and %u at %s", order->count, done, most, f->wanted,
			limit, end);
	return OWNERS_N_RANGE;
}

static enum owners_fault check_name(const struct fleet *f,
				    const struct owners_order *order, uint32_t i,
				    struct err *err)
{
	const char *name = order->names[i];

	if (!spawn_name_is_good(name)) {
		err_set(err, "%s is no name for a server: expected a letter or a digit, "
			"then letters, digits, \".\", \"_\" and \"-\", %d in all at most",
			quote(name).text, OWN_NAME_MAX);
		return OWNERS_NAME_BAD;
	}
	for (uint32_t j = 0; j < i; j++) {
		if (strcmp(order->names[j], name) == 0) {
			err_set(err, "%s is there twice", quote(name).text);
			return OWNERS_NAME_TWICE;
		}
	}
	const struct fleet_server *s = fleet_find(f, name);
	if (order->wish == OWNERS_ADD && s != NULL) {
		err_set(err, "%s is in use: there is a server of that name, %s",
			quote(name).text, fleet_word(s->state));
		return OWNERS_NAME_TAKEN;
	}
	if (order->wish == OWNERS_REMOVE && (s == NULL || !fleet_is_kept(s))) {
		err_set(err, s == NULL ? "%s is unknown: no server has that name" :
			"%s is leaving already", quote(name).text);
		return OWNERS_NAME_UNKNOWN;
	}
	return OWNERS_FINE;
}

enum owners_fault plan_check(const struct fleet *f, const struct model_own *own,
			     const struct owners_order *order, struct err *err)
{
	bool named = order->wish != OWNERS_SCALE;
	enum owners_fault fault = OWNERS_FINE;

	if (named && order->name_count > order->count) {
		err_set(err, "Length of hostname list is more than %s instances",
			order->wish == OWNERS_ADD ? "newly added" : "removable");
		return OWNERS_MORE_NAMES_THAN_N;
	}
	/* A name that is wrong is wrong whatever the count. */
	for (uint32_t i = 0; fault == OWNERS_FINE && named && i < order->name_count; i++)
		fault = check_name(f, order, i, err);
	return fault == OWNERS_FINE ? check_count(f, own, order, err) : fault;
}

uint32_t plan_choose(const struct fleet *f, const struct owners_order *order,
		     uint32_t count, uint64_t random, struct fleet_server **out)
{
	uint32_t names = order->wish == OWNERS_REMOVE ? order->name_count : 0;
	uint32_t chosen = 0;

	while (chosen < count) {
		struct fleet_server *s =
			chosen < names ? fleet_find(f, order->names[chosen])
				       : choose(f, hash_pair(random, chosen));
		if (s == NULL)
			break;
		s->chosen = true;
		out[chosen++] = s;
	}
	for (uint32_t i = 0; i < chosen; i++)
		out[i]->chosen = false;
	return chosen;
}
