/* Models as config/ would make them, for the tests of model/. */
#ifndef TEST_UNIT_MODEL_SAMPLE_H
#define TEST_UNIT_MODEL_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/live.h"
#include "model/model.h"

/* Adds a pool; servers are numeric addresses or names, ended by NULL. Returns its
 * index: the pools move when another is added. */
static inline uint32_t sample_add_pool(struct model *m, const char *name,
				       const char *const *servers)
{
	struct err err;

	m->pools = memory_grow(m->pools, m->pool_count + 1, sizeof *m->pools);
	struct model_pool *p = &m->pools[m->pool_count];
	*p = (struct model_pool){.name = memory_text(name)};
	model_pool_defaults(p);
	while (servers[p->server_count] != NULL)
		p->server_count++;
	p->servers = memory_new(p->server_count, sizeof *p->servers);
	for (uint32_t i = 0; i < p->server_count; i++) {
		model_server_defaults(&p->servers[i]);
		assert_int_equal(address_parse(&p->servers[i].address, servers[i],
					       "127.0.0.1", &err), 0);
	}
	return m->pool_count++;
}

/* Adds a listener with one route, to pool 0. */
static inline void sample_add_listener(struct model *m, const char *at)
{
	struct err err;

	m->listeners = memory_grow(m->listeners, m->listener_count + 1,
				   sizeof *m->listeners);
	struct model_listener *l = &m->listeners[m->listener_count++];
	*l = (struct model_listener){.route_count = 1};
	model_listener_defaults(l);
	l->routes = memory_new(1, sizeof *l->routes);
	l->routes[0].path = memory_text("/");
	assert_int_equal(address_parse(&l->address, at, "0.0.0.0", &err), 0);
}

/* A model of one pool. */
static inline struct model *sample_model(const char *pool, const char *const *servers)
{
	struct model *m = model_create();

	sample_add_pool(m, pool, servers);
	return m;
}

#define SERVERS(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
