/* control/ring.c - GET /v1/pools/POOL/ring: which part of all keys each server has, found
 * out by asking the policy for many of them. So it is what is true at this moment: a
 * server that is down has nothing, and a bound on loads is kept.
 *
 * The keys go once round the circle in equal steps. For a ring and for maglev, whose
 * tables are in the order of the keys, runs of equal answers are what a drawing needs.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "control/ask.h"
#include "control/ranking.h"
#include "pick/policy.h"

enum {
	KEYS_MAX = 64 * 1024,		/* a few milliseconds of picks */
	STEPS_MAX = 2048,		/* of a drawing */
	WORK_MAX = 32 * 1024 * 1024,	/* steps of slow picks: a tenth of a second */
};

/* The keys that were asked for, and who got them. */
struct sample {
	const struct model_pool *pool;
	uint32_t  count;
	uint64_t *keys;			/* owned */
	uint32_t *servers;		/* owned; PICK_NONE: nobody */
};

/* Whether keys that are near each other are near each other in the table. */
static bool is_in_order(const struct model_pool *p)
{
	return p->policy == &policy_ring || p->policy == &policy_maglev;
}

/* A pick is a look-up, unless there is no table or most of it leads to servers that are
 * closed: then it goes through everything that the servers have in it. */
static uint32_t key_count(const struct model_pool *p)
{
	uint64_t weights = 1, open = 0, each;

	for (uint32_t i = 0; i < p->server_count; i++) {
		weights += p->servers[i].weight;
		if (ranking_obstacle(p, &p->servers[i]) == NULL)
			open += p->servers[i].weight;
	}
	if (p->table != NULL && open >= weights / 4)
		return KEYS_MAX;
	each = p->policy == &policy_ring    ? weights * p->ring_points
	       : p->policy == &policy_slots ? weights * p->slot_virtual
					    : weights;
	each += p->server_count;
	return each <= WORK_MAX / KEYS_MAX ? KEYS_MAX : (uint32_t)(WORK_MAX / each + 1);
}

static void sample_init(struct sample *s, const struct model_pool *p)
{
	uint64_t step;

	s->pool = p;
	s->count = key_count(p);
	s->keys = memory_new(s->count, sizeof *s->keys);
	s->servers = memory_new(s->count, sizeof *s->servers);
	step = UINT64_MAX / s->count;
	for (uint32_t i = 0; i < s->count; i++)
		s->keys[i] = is_in_order(p) ? step / 2 + step * i : hash_mix(i + 1);
	ranking_firsts(p, s->keys, s->count, s->servers);
}

static void sample_fini(struct sample *s)
{
	free(s->servers);
	free(s->keys);
}

/* Runs of steps that are one server's, as [server, steps]; -1 is nobody. */
static json_t *runs_of(const struct sample *s)
{
	uint32_t steps = s->count < STEPS_MAX ? s->count : STEPS_MAX;
	uint32_t before = PICK_NONE, length = 0;
	json_t *list = json_array();

	for (uint32_t i = 0; i <= steps; i++) {
		uint32_t server = i < steps
			? s->servers[(uint64_t)i * s->count / steps] : PICK_NONE;
		if (length > 0 && (i == steps || server != before)) {
			int place = before != PICK_NONE ? (int)before : -1;
			json_array_append_new(list,
					      json_pack("[i,i]", place, (int)length));
			length = 0;
		}
		before = server;
		length++;
	}
	return list;
}

static json_t *servers_of(const struct sample *s)
{
	const struct model_pool *p = s->pool;
	uint32_t *counts = memory_new(p->server_count, sizeof *counts);
	uint64_t weights = 0;
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->count; i++)
		if (s->servers[i] != PICK_NONE)
			counts[s->servers[i]]++;
	for (uint32_t i = 0; i < p->server_count; i++)
		weights += p->servers[i].weight;
	for (uint32_t i = 0; i < p->server_count; i++) {
		const struct model_server *server = &p->servers[i];
		json_t *one = json_object();
		json_object_set_new(one, "address", reply_text(server->address.text));
		json_object_set_new(one, "share",
				    json_real((double)counts[i] / s->count));
		json_object_set_new(one, "by_weight", json_real(
			weights > 0 ? (double)server->weight / (double)weights : 0));
		json_array_append_new(list, one);
	}
	free(counts);
	return list;
}

void ring_get(const struct ask *ask, struct reply *r)
{
	const struct model_pool *p = ask_pool(ask, r);
	struct sample sample;

	if (p == NULL)
		return;
	if (!p->policy->wants_key) {
		reply_error(r, REPLY_REFUSED, NULL, "pool %s has no ring: %s does not go by "
			    "keys", p->name, p->policy->name);
		return;
	}
	sample_init(&sample, p);
	json_t *object = json_object();
	json_object_set_new(object, "pool", reply_text(p->name));
	json_object_set_new(object, "policy", json_string(p->policy->name));
	json_object_set_new(object, "keys", json_integer(sample.count));
	json_object_set_new(object, "servers", servers_of(&sample));
	json_object_set_new(object, "runs", is_in_order(p) ? runs_of(&sample) : json_null());
	sample_fini(&sample);
	reply_json(r, 200, object);
}
