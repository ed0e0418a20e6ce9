/* A pool of servers without a network, for the tests of policies. */
#ifndef TEST_UNIT_PICK_POOL_H
#define TEST_UNIT_PICK_POOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "pick/policy.h"

enum { POOL_MAX = 128 };

struct pool {
	struct live_server live[POOL_MAX];
	struct pick_server servers[POOL_MAX];
	struct pick_view   view;
	struct pick_state  state;
	uint32_t           hits[POOL_MAX];
};

static const struct tried nobody = {.count = 0};

/* All up, idle, of weight 1. */
static inline void pool_init(struct pool *p, uint32_t count, uint64_t seed)
{
	*p = (struct pool){.view = {.servers = p->servers, .count = count}};
	for (uint32_t i = 0; i < count; i++) {
		p->servers[i].live = &p->live[i];
		p->live[i].up = true;
		p->live[i].weight = 1;
	}
	pick_state_init(&p->state, count, seed);
}

static inline void pool_fini(struct pool *p)
{
	pick_state_fini(&p->state);
}

static inline void pool_set_weights(struct pool *p, const uint32_t *weights)
{
	for (uint32_t i = 0; i < p->view.count; i++)
		p->live[i].weight = weights[i];
}

static inline uint32_t pool_pick(struct pool *p, const struct policy *policy,
				 const struct tried *tried)
{
	uint32_t picked = policy->pick(&p->view, &p->state, 0, tried);

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
