/* Models and changes for the tests of control/. */
#ifndef TEST_UNIT_CONTROL_SAMPLE_H
#define TEST_UNIT_CONTROL_SAMPLE_H

#include "unit/model/sample.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "control/changes.h"

static inline struct change sample_change(enum change_kind kind, const char *pool,
					  const char *server)
{
	struct change c = {.kind = kind, .limit_ms = UINT32_MAX};
	struct err err;

	snprintf(c.pool, sizeof c.pool, "%s", pool);
	assert_int_equal(address_parse(&c.server, server, "127.0.0.1", &err), 0);
	return c;
}

static inline struct change sample_weight(const char *pool, const char *server,
					  uint32_t weight)
{
	struct change c = sample_change(CHANGE_SET, pool, server);

	c.has_weight = true;
	c.weight = weight;
	return c;
}

/* The same numbers from the same seed: xorshift64 (Marsaglia, 2003). */
static inline uint32_t sample_random(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32) % below;
}

/* Some change; servers are few, so that changes meet. */
static inline struct change sample_random_change(uint64_t *random)
{
	static const char *const servers[] = {
		"127.0.0.1:1", "127.0.0.1:2", "[::1]:3", "app1:4", "APP1:4",
		"unix:/run/5",
	};
	static const char *const pools[] = {"a", "b", "c"};
	static const enum change_kind kinds[] = {CHANGE_ADD, CHANGE_REMOVE, CHANGE_SET};
	const char *pool = pools[sample_random(random, COUNT_OF(pools))];
	const char *server = servers[sample_random(random, COUNT_OF(servers))];
	struct change c = sample_change(kinds[sample_random(random, 3)], pool, server);

	c.temporary = sample_random(random, 3) == 0;
	if (c.kind == CHANGE_REMOVE)
		return c;
	c.has_weight = sample_random(random, 2) == 0;
	c.has_drain = sample_random(random, 2) == 0;
	c.weight = c.has_weight ? sample_random(random, 3) : 0;
	c.drain = c.has_drain && sample_random(random, 2) == 0;
	return c;
}

/* Some file: pools a and b, and sometimes c, with some of the servers. */
static inline struct model *sample_random_file(uint64_t *random)
{
	struct model *m = sample_model("a", SERVERS("other:1"));
	struct err err;

	sample_add_pool(m, "b", SERVERS("other:1"));
	if (sample_random(random, 2) == 0)
		sample_add_pool(m, "c", SERVERS("other:1"));
	for (int i = 0; i < 8; i++) {
		struct change c = sample_random_change(random);
		if (c.kind == CHANGE_ADD)
			change_apply(m, &c, &err);
	}
	return m;
}

static inline const struct model_server *sample_find(const struct model_pool *p,
						     const struct address *a)
{
	for (uint32_t i = 0; i < p->server_count; i++)
		if (address_equals(&p->servers[i].address, a))
			return &p->servers[i];
	return NULL;
}

/* The same servers in the same pools, in whatever order. */
static inline void assert_same_servers(const struct model *a, const struct model *b)
{
	assert_int_equal(a->pool_count, b->pool_count);
	for (uint32_t i = 0; i < a->pool_count; i++) {
		assert_int_equal(a->pools[i].server_count, b->pools[i].server_count);
		for (uint32_t j = 0; j < a->pools[i].server_count; j++) {
			const struct model_server *s = &a->pools[i].servers[j];
			const struct model_server *t =
				sample_find(&b->pools[i], &s->address);
			assert_non_null(t);
			assert_int_equal(s->weight, t->weight);
			assert_int_equal(s->drain, t->drain);
		}
	}
}

/* What lasts of these, as a journal keeps it. */
static inline struct changes *sample_kept(const struct changes *all)
{
	struct changes *kept = changes_create();
	struct change c;

	for (uint32_t i = 0; i < changes_count(all); i++)
		if (changes_lasting_at(all, i, &c))
			assert_true(changes_restore(kept, &c));
	return kept;
}

static inline void assert_same_lasting(const struct changes *a, const struct changes *b)
{
	struct changes *kept_a = sample_kept(a), *kept_b = sample_kept(b);
	struct change c, d;

	assert_int_equal(changes_count(kept_a), changes_count(kept_b));
	for (uint32_t i = 0; i < changes_count(kept_a); i++) {
		assert_true(changes_lasting_at(kept_a, i, &c));
		assert_true(changes_lasting_at(kept_b, i, &d));
		assert_int_equal(c.kind, d.kind);
		assert_string_equal(c.pool, d.pool);
		assert_string_equal(c.server.text, d.server.text);
		assert_int_equal(c.has_weight, d.has_weight);
		assert_int_equal(c.has_drain, d.has_drain);
		if (c.has_weight)
			assert_int_equal(c.weight, d.weight);
		if (c.has_drain)
			assert_int_equal(c.drain, d.drain);
	}
	changes_destroy(kept_a);
	changes_destroy(kept_b);
}

#endif
