/* A pool of servers without a network, for the tests of policies. */
#ifndef TEST_UNIT_PICK_POOL_H
#define TEST_UNIT_PICK_POOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"
#include "pick/policy.h"

enum { POOL_MAX = 1024 };

struct pool {
	struct live_server  live[POOL_MAX];
	struct live_pool    live_pool;
	struct model_server asked[POOL_MAX];
	struct model_pool   model;
	struct pick_server  servers[POOL_MAX];
	struct pick_view    view;
	struct pick_state   state;
	uint64_t            keys;	/* taken so far */
	uint32_t            hits[POOL_MAX];
};

static const struct tried nobody = {.count = 0};

static inline void pool_name(struct pool *p, uint32_t i, const char *text)
{
	snprintf(p->asked[i].address.text, sizeof p->asked[i].address.text, "%s", text);
	p->live[i].seed = hash_bytes(text, strlen(text));
}

/* All up, idle, of weight 1, and with names of their own. */
static inline void pool_init(struct pool *p, uint32_t count, uint64_t seed)
{
	static char name[] = "test";

	must(count <= POOL_MAX);
	memset(p, 0, sizeof *p);
	p->view = (struct pick_view){p->servers, count, &p->model};
	model_pool_defaults(&p->model);
	p->model.maglev_size = 2039;
	p->model.slot_count = 65536;	/* where the spread is that of the ring */
	p->model.slot_virtual = 100;
	p->model.slot_hash = SLOT_MIXED;
	p->model.name = name;
	p->model.servers = p->asked;
	p->model.server_count = count;
	p->model.live = &p->live_pool;
	for (uint32_t i = 0; i < count; i++) {
		char text[32];
		snprintf(text, sizeof text, "10.0.%u.%u:80", i / 256, i % 256);
		pool_name(p, i, text);
		p->servers[i].live = &p->live[i];
		p->live[i].up = true;
		p->live[i].weight = 1;
	}
	pick_state_init(&p->state, count, seed);
}

/* Weights or names are others: the next pick builds a table anew. */
static inline void pool_changed(struct pool *p)
{
	free(p->model.table);
	p->model.table = NULL;
}

static inline void pool_fini(struct pool *p)
{
	pool_changed(p);
	pick_state_fini(&p->state);
}

static inline void pool_set_weights(struct pool *p, const uint32_t *weights)
{
	for (uint32_t i = 0; i < p->view.count; i++)
		p->live[i].weight = weights[i];
	pool_changed(p);
}

/* Builds a table unless there is one. */
static inline void pool_prepare(struct pool *p, const struct policy *policy)
{
	struct err err;

	if (policy->build == NULL || p->model.table != NULL)
		return;
	for (uint32_t i = 0; i < p->view.count; i++)
		p->asked[i].weight = p->live[i].weight;
	p->model.table = policy->build(&p->model, &err);
	assert_non_null(p->model.table);
}

static inline uint32_t pool_pick_key(struct pool *p, const struct policy *policy,
				     uint64_t key, const struct tried *tried)
{
	pool_prepare(p, policy);
	return policy->pick(&p->view, &p->state, key, tried);
}

/* Each with a key of its own, where the policy goes by keys. */
static inline uint32_t pool_pick(struct pool *p, const struct policy *policy,
				 const struct tried *tried)
{
	uint64_t key = policy->wants_key ? hash_mix(++p->keys) : 0;
	uint32_t picked = pool_pick_key(p, policy, key, tried);

	if (picked != PICK_NONE) {
		must(picked < p->view.count);
		p->hits[picked]++;
	}
	return picked;
}

static inline void pool_pick_times(struct pool *p, const struct policy *policy,
				   uint32_t times)
{
	for (uint32_t i = 0; i < times; i++)
		assert_int_not_equal(pool_pick(p, policy, &nobody), PICK_NONE);
}

/* Asserts that the hits are as the weights, to within `percent` of each share. */
static inline void pool_assert_shares(const struct pool *p, double percent)
{
	double hits = 0, weights = 0;

	for (uint32_t i = 0; i < p->view.count; i++) {
		hits += p->hits[i];
		weights += p->live[i].weight;
	}
	for (uint32_t i = 0; i < p->view.count; i++) {
		double due = hits * p->live[i].weight / weights;
		double slack = due * percent / 100;
		if (p->hits[i] < due - slack || p->hits[i] > due + slack)
			fail_msg("server %u of %u: %u hits, due are %.0f",
				 i, p->view.count, p->hits[i], due);
	}
}

#endif
