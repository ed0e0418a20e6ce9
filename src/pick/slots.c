/* pick/slots.c - a circle of a few slots: a request belongs to the next server's slot.
 *
 * Consistent hashing as it is often taught. Requests and servers have numbers, functions
 * make slots of these, and each server has several slots, those of its virtual servers. A
 * slot that is taken sends a virtual server on to the next one that is free. A request
 * belongs to whoever has its slot, or else the next taken one clockwise.
 *
 *     slot       0    1    2    3    4    5    6    7
 *     server     .    .    b    .    a    b    .    .
 *                          ^---------         request of slot 3 -> a
 *     past the last: round to the first       request of slot 6 -> b
 *
 * The number of a request is its key modulo a million: six digits. That of a server is
 * what the model gave it: its place in the file at first, and its own as long as it is in
 * the pool, so that who leaves renumbers nobody. Servers take their slots in the order of
 * their numbers, so the table does not depend on how they came.
 *
 * The price of probing: a slot that becomes free is where those would have been that it
 * had sent on, and they go there when the table is built anew. Nothing else moves between
 * servers that stay. The price of the quadratic functions: they reach few slots, so the
 * spread is bad (doc/hashing.md); `mixed` is better, and the ring better still.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "pick/search.h"
#include "pick/table.h"

enum {
	REQUEST_NUMBERS = 1000 * 1000,
	SLOTS_MAX = UINT16_MAX + 1,	/* an index of them has 16 bits */
	WALK_MAX = 256,		/* taken slots, in one pick, before it asks the servers */
};

/* The taken slots twice: clockwise, for the walk, and by server, for the distance. */
struct slots {
	struct pick_table table;
	uint32_t slot_count, taken_count, server_count;
	enum slot_hash hash;
	uint32_t begins[];	/* server_count + 1: where a server's are in `own` */
	/* uint16_t next[slot_count]: the first taken one from there on, an index of both */
	/* uint16_t servers[taken_count]: clockwise */
	/* uint16_t own[taken_count]: slots, by server */
};

_Static_assert(MODEL_SERVERS_MAX < UINT16_MAX, "a server's place has 16 bits");

static uint16_t *next_of(const struct slots *t)
{
	return (uint16_t *)(t->begins + t->server_count + 1);
}

static uint16_t *servers_of(const struct slots *t)
{
	return next_of(t) + t->slot_count;
}

static uint16_t *own_of(const struct slots *t)
{
	return servers_of(t) + t->taken_count;
}

/* ---- the functions ---- */

/* H(i), of a request. */
static uint32_t request_slot(enum slot_hash hash, uint64_t i, uint32_t slot_count)
{
	uint64_t h = hash == SLOT_MIXED ? hash_mix(i) : i * i + 2 * i + 17;
	return (uint32_t)(h % slot_count);
}

/* Phi(i, j), of virtual server j of server i; both count from 1. */
static uint32_t server_slot(enum slot_hash hash, uint64_t i, uint64_t j,
			    uint32_t slot_count)
{
	uint64_t phi = hash == SLOT_MIXED ? hash_pair(i, j)
					  : i * i + j * j + 2 * j + 25;
	return (uint32_t)(phi % slot_count);
}

/* ---- look up ---- */

static uint32_t slot_of_key(const struct slots *t, uint64_t key)
{
	return request_slot(t->hash, key % REQUEST_NUMBERS, t->slot_count);
}

/* Clockwise, to the nearest of a server's slots: the order in which a walk meets them. */
static uint64_t distance(const struct pick_view *view, uint32_t server, uint64_t key)
{
	const struct slots *t = (const struct slots *)view->pool->table;
	const uint16_t *own = own_of(t);
	uint32_t from = slot_of_key(t, key);
	uint64_t nearest = UINT64_MAX;

	for (uint32_t n = t->begins[server]; n < t->begins[server + 1]; n++) {
		uint32_t far = own[n] >= from ? own[n] - from
					      : own[n] + t->slot_count - from;
		nearest = far < nearest ? far : nearest;
	}
	return nearest;
}

static uint32_t slots_pick(const struct pick_view *view, struct pick_state *state,
			   uint64_t key, const struct tried *tried)
{
	const struct slots *t = (const struct slots *)view->pool->table;
	must(t != NULL);
	const uint16_t *servers = servers_of(t);
	struct search search;
	uint32_t steps = t->taken_count < WALK_MAX ? t->taken_count : WALK_MAX;
	uint32_t at = next_of(t)[slot_of_key(t, key)];

	search_begin(&search, view, state, tried);
	for (; steps > 0; steps--) {
		if (search_takes(&search, servers[at]))
			return servers[at];
		at = at + 1 < t->taken_count ? at + 1 : 0;
	}
	return search_end(&search, distance, key);
}

/* ---- build ---- */

#define NOBODY UINT16_MAX	/* has a slot, while the table is built */

static uint64_t virtuals_of(const struct model_pool *pool, uint32_t server)
{
	return (uint64_t)pool->slot_virtual * pool->servers[server].weight;
}

static uint64_t count_virtuals(const struct model_pool *pool)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < pool->server_count; i++)
		sum += virtuals_of(pool, i);
	return sum;
}

static int slots_check(const struct model_pool *pool, struct err *err)
{
	uint64_t wanted = count_virtuals(pool);

	if (pool->slot_count < 2 || pool->slot_count > SLOTS_MAX)
		return err_set(err, "pool %s: %u slots; write 2 to %d", pool->name,
			       pool->slot_count, SLOTS_MAX);
	if (wanted <= pool->slot_count)
		return 0;
	return err_set(err, "pool %s: its servers want %llu slots, and there are %u; raise "
		       "its `slots` (to %d at most), or lower `virtual` or the weights",
		       pool->name, (unsigned long long)wanted, pool->slot_count, SLOTS_MAX);
}

/* A server that waits for its slots. */
struct turn {
	uint32_t number;
	uint16_t server;
};

static int compare_turns(const void *a, const void *b)
{
	const struct turn *one = a, *other = b;

	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	return one->server < other->server ? -1 : one->server > other->server;
}

/* The servers by their numbers; who has none is numbered by its place. */
static struct turn *take_turns(const struct model_pool *pool)
{
	struct turn *turns = memory_new(pool->server_count, sizeof *turns);

	for (uint32_t i = 0; i < pool->server_count; i++) {
		uint32_t number = pool->servers[i].number;
		turns[i] = (struct turn){number > 0 ? number : i + 1, (uint16_t)i};
	}
	if (pool->server_count > 0)
		qsort(turns, pool->server_count, sizeof *turns, compare_turns);
	return turns;
}

/* The first free slot from there on. Slots that are taken lead on to later ones, and ever
 * further the more often they are met: one step at a time would be seconds where the
 * functions send all to the same few. */
static uint32_t find_free(uint32_t *leads, uint32_t at)
{
	while (leads[at] != at) {
		leads[at] = leads[leads[at]];
		at = leads[at];
	}
	return at;
}

/* Who has which slot. There are enough of them, so each search ends. */
static uint16_t *take_slots(const struct model_pool *pool)
{
	uint32_t count = pool->slot_count;
	uint16_t *owners = memory_new(count, sizeof *owners);
	uint32_t *leads = memory_new(count, sizeof *leads);	/* to itself: it is free */
	struct turn *turns = take_turns(pool);

	memset(owners, 0xff, count * sizeof *owners);
	for (uint32_t at = 0; at < count; at++)
		leads[at] = at;
	for (uint32_t i = 0; i < pool->server_count; i++) {
		uint64_t virtuals = virtuals_of(pool, turns[i].server);
		for (uint64_t j = 1; j <= virtuals; j++) {
			uint32_t at = find_free(leads, server_slot(pool->slot_hash,
								   turns[i].number, j,
								   count));
			owners[at] = turns[i].server;
			leads[at] = at + 1 < count ? at + 1 : 0;
		}
	}
	free(turns);
	free(leads);
	return owners;
}

static struct slots *new_table(const struct model_pool *pool)
{
	uint32_t taken_count = (uint32_t)count_virtuals(pool);
	size_t bytes = sizeof(struct slots);
	bytes += (pool->server_count + (size_t)1) * sizeof(uint32_t);	/* begins */
	bytes += pool->slot_count * sizeof(uint16_t);			/* next */
	bytes += 2 * (size_t)taken_count * sizeof(uint16_t);		/* servers, own */
	struct slots *t = memory_new(1, bytes);

	t->table.bytes = bytes;
	t->slot_count = pool->slot_count;
	t->taken_count = taken_count;
	t->server_count = pool->server_count;
	t->hash = pool->slot_hash;
	return t;
}

static struct pick_table *slots_build(const struct model_pool *pool, struct err *err)
{
	must(pool->server_count < NOBODY);
	if (slots_check(pool, err) != 0)
		return NULL;
	struct slots *t = new_table(pool);
	uint16_t *owners = take_slots(pool), *own = own_of(t);
	uint32_t met = 0;

	for (uint32_t i = 0; i < pool->server_count; i++)
		t->begins[i + 1] = t->begins[i] + (uint32_t)virtuals_of(pool, i);
	for (uint32_t at = 0; at < t->slot_count; at++) {
		next_of(t)[at] = (uint16_t)(met < t->taken_count ? met : 0);
		if (owners[at] == NOBODY)
			continue;
		servers_of(t)[met++] = owners[at];
		own[t->begins[owners[at]]++] = (uint16_t)at;
	}
	/* Each has gone on to where the following begins. */
	memmove(t->begins + 1, t->begins, pool->server_count * sizeof *t->begins);
	t->begins[0] = 0;
	free(owners);
	return &t->table;
}

const struct policy policy_slots = {
	.name = "slots",
	.help = "by key, on a circle of few slots: for comparison; with its own functions "
		"the spread is bad",
	.wants_key = true,
	.build = slots_build,
	.check = slots_check,
	.pick = slots_pick,
};
